"""
A small report producer: audits the git repositories below a directory.

    python demo/audit.py --git-root DIR --output FILE [--every SECONDS]

Only the standard library and git are used. Exit codes: 0 done or stopped by a signal, 1 the report could not be
written, 2 it cannot start as it was asked to.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

GIT_TIMEOUT_S = 10.0  # a status of the Linux kernel's tree takes about 1 s from a cold disk
MAX_FILE_STATUS = 50
MAX_TEXT = 200  # characters of a commit's subject or of an error
REWRITE_AFTER_S = 60.0  # an unchanged report is written again, so that its age shows that the auditor lives
PARALLEL = 8

# Reading a repository must neither be refused because of its owner, nor run what its own configuration names.
GIT = [
    "git", "--no-pager", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
    "-c", "log.showSignature=false", "-c", "i18n.logOutputEncoding=UTF-8",
]  # fmt: skip


class GitError(Exception):
    """A repository that git cannot read; ``str()`` is one line that says why."""


def audit(git_root: Path, now: datetime.datetime) -> dict[str, Any]:
    """
    Audit ``git_root`` itself, if it is a repository, and its immediate children.

    Returns:
        A report; ``unreadable`` is the status of a repository that git cannot read, and ``error`` says why.

    Raises:
        OSError: If the directory cannot be listed.
    """
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        repos = list(pool.map(audit_repo, find_repos(git_root.resolve())))
    counts = Counter(repo["status"] for repo in repos)
    summary = {status: counts[status] for status in ("missing", "extra", "dirty", "clean")}
    return {
        "timestamp": now.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "health_status": health_of(counts),
        "summary": {"total": len(repos), **summary},
        "repos": repos,
    }


def health_of(statuses: Counter[str]) -> str:
    if statuses.keys() - {"clean", "dirty"}:
        return "red"
    return "yellow" if statuses["dirty"] else "green"


def find_repos(git_root: Path) -> list[Path]:
    """Directories with a ``.git``: a directory, or the file that a worktree or a submodule has."""
    candidates = [git_root, *sorted(git_root.iterdir(), key=lambda path: path.name.casefold())]
    return [path for path in candidates if os.path.exists(path / ".git")]  # False, not an error, where access is denied


def audit_repo(path: Path) -> dict[str, Any]:
    repo: dict[str, Any] = {"name": printable(path.name), "status": "clean", "local_path": printable(str(path))}
    try:
        file_status = git(path, "status", "--porcelain", "--untracked-files=normal").splitlines()
        repo |= {"status": "dirty" if file_status else "clean", "remote_url": remote_url(path)}
        repo |= {"file_status": file_status[:MAX_FILE_STATUS], "branch": branch(path), "last_commit": last_commit(path)}
    except GitError as exc:
        repo |= {"status": "unreadable", "remote_url": "", "error": str(exc)}
    return repo


def git(path: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(
            [*GIT, "-C", str(path), *arguments],
            env=git_environment(path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise GitError(f"git {arguments[0]} took longer than {GIT_TIMEOUT_S:g} s") from exc
    except OSError as exc:
        raise GitError(f"git cannot be run: {exc.strerror}") from exc
    if result.returncode != 0:
        lines = result.stderr.decode(errors="replace").splitlines() or [f"exit code {result.returncode}"]
        raise GitError(f"git {arguments[0]}: {lines[0][:MAX_TEXT]}")
    return result.stdout.decode(errors="replace")


def git_environment(path: Path) -> dict[str, str]:
    # Variables like GIT_DIR, which git sets for its hooks, would lead to another repository.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}  # noqa: TID251 - what git inherits
    return inherited | {
        "GIT_OPTIONAL_LOCKS": "0",  # never in the way of the person who works there
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(path.resolve().parent),  # else a broken .git is read as the parent's repository
        "LC_ALL": "C",
    }


def remote_url(path: Path) -> str:
    """URL of ``origin``, else of the first remote, without a password; empty when there is none."""
    try:
        lines = git(path, "config", "--get-regexp", r"^remote\..*\.url$").splitlines()
    except GitError:  # exit code 1: no such setting
        return ""
    pairs = [line.split(" ", 1) for line in lines if " " in line]
    pairs.sort(key=lambda pair: pair[0] != "remote.origin.url")
    return without_password(pairs[0][1]) if pairs else ""


def without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def branch(path: Path) -> str:
    try:
        return git(path, "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    except GitError:  # exit code 1: HEAD names no branch
        return "(detached)"


def last_commit(path: Path) -> dict[str, str] | None:
    try:
        parts = git(path, "log", "-1", "--format=%h%x00%cI%x00%s").rstrip("\n").split("\0")
    except GitError:  # a repository without a commit
        return None
    return {"hash": parts[0], "subject": parts[2][:MAX_TEXT], "time": parts[1]}


def printable(text: str) -> str:
    """The text with what is not UTF-8 in a file name replaced; a report is UTF-8."""
    return os.fsencode(text).decode(errors="replace")


def needs_writing(output: Path, report: dict[str, Any], now: datetime.datetime) -> bool:
    """Tell whether ``output`` holds something else than ``report``, or the same from over a minute ago."""
    try:
        present = json.loads(output.read_bytes())
        age_s = (now - datetime.datetime.fromisoformat(present["timestamp"])).total_seconds()
    except (OSError, ValueError, TypeError, KeyError):
        return True  # missing or not ours: it is replaced
    return not 0 <= age_s < REWRITE_AFTER_S or present | {"timestamp": report["timestamp"]} != report


def write_report(output: Path, report: dict[str, Any]) -> None:
    """Replace ``output`` at once: a reader sees the old report or the new one, never a part."""
    output.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".tmp", dir=output.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2, ensure_ascii=False)
            file.write("\n")
            os.fchmod(descriptor, 0o644)  # mkstemp's 0600 would keep a watcher of another user out
        os.replace(temporary, output)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def audit_once(git_root: Path, output: Path) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    report = audit(git_root, now)
    if needs_writing(output, report, now):
        write_report(output, report)
    return report


def keep_auditing(git_root: Path, output: Path, every_s: float, stop: threading.Event) -> None:
    """Audit until ``stop`` is set. What goes wrong is said once, and tried again."""
    said = ""
    while not stop.is_set():
        try:
            audit_once(git_root, output)
            said = ""
        except OSError as exc:
            if str(exc) != said:
                print(f"audit: {exc}; trying again", file=sys.stderr)
            said = str(exc)
        stop.wait(every_s)


def describe(report: dict[str, Any], git_root: Path) -> str:
    """One line: what was found where."""
    repos = report["repos"]
    counts = Counter(repo["status"] for repo in repos)
    parts = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    noun = "repository" if len(repos) == 1 else "repositories"
    return f"audited {len(repos)} git {noun} in {git_root.resolve()}{': ' if parts else ''}{parts}"


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="audit", description="Audit the git repositories below a directory.")
    parser.add_argument("--git-root", type=Path, required=True, help="directory that holds the repositories")
    parser.add_argument("--output", type=Path, required=True, help="report file to write")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="audit again and again")
    options = parser.parse_args(arguments)
    if not options.git_root.is_dir():
        parser.exit(2, f"audit: {options.git_root} is no directory\n")
    if shutil.which("git") is None:
        parser.exit(2, "audit: git is not installed\n")
    if options.every is not None and not 0 < options.every <= 86_400:
        parser.exit(2, "audit: --every takes seconds: more than 0, at most 86400\n")
    return options


def stopped_by_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    if options.every is not None:
        keep_auditing(options.git_root, options.output, options.every, stopped_by_signals())
        return 0
    try:
        print(describe(audit_once(options.git_root, options.output), options.git_root), flush=True)
    except OSError as exc:
        print(f"audit: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # what a shell makes of SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
