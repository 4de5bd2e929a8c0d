"""
What `make demo` runs: a real report, live in a browser.

    python demo/demo.py [--report-file FILE] [--git-root DIR]

With a report file it is served as it is. Without one the git repositories below a directory, by default those beside
this checkout, are audited into output/GitRepoReport.json every few seconds. Ctrl-C ends everything that was started.
Exit codes: 0 stopped by a signal, 2 it cannot start as it was asked to, else that of `reportcast up`.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
AUDIT = Path(__file__).resolve().with_name("audit.py")
OUTPUT = CHECKOUT / "output" / "GitRepoReport.json"
AUDIT_EVERY_S = 5
STOP_WITHIN_S = 10.0  # a drain of a few browsers takes about a second
LOOK_EVERY_S = 0.1


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="Show a real report live in a browser.")
    parser.add_argument("--report-file", type=Path, default=path_of("REPORT_FILE"), help="serve this report file")
    parser.add_argument(
        "--git-root", type=Path, default=path_of("GIT_ROOT"), help="else audit the repositories in here"
    )
    options = parser.parse_args(arguments)
    refusal = refusal_of(options.report_file, options.git_root)
    if refusal:
        parser.exit(2, f"demo: {refusal}\n")
    return options


def path_of(variable: str) -> Path | None:
    value = os.environ.get(variable)  # noqa: TID251 - the demo passes settings on, it has none of its own
    return Path(value) if value else None


def refusal_of(report_file: Path | None, git_root: Path | None) -> str | None:
    if report_file is not None:
        if report_file.is_dir():
            return f"--report-file {report_file} is a directory; a file is expected"
        if not report_file.absolute().parent.is_dir():
            return f"--report-file {report_file}: there is no directory {report_file.absolute().parent}"
    elif git_root is not None and not git_root.is_dir():
        return f"--git-root {git_root} is no directory"
    if not reportcast().is_file():
        return f"{reportcast()} is not installed; run make setup"
    return None


def reportcast() -> Path:
    return Path(sys.executable).with_name("reportcast")


def audit_command(git_root: Path, *more: str) -> list[str]:
    return [sys.executable, str(AUDIT), "--git-root", str(git_root), "--output", str(OUTPUT), *more]


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a command for the duration of the block, and end it and all its children afterwards.

    It has a session of its own: a terminal's Ctrl-C would reach it besides our signal, and a second signal means
    "now" to `reportcast up`.
    """
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def serve(report_file: Path, git_root: Path | None, stop: threading.Event) -> int:
    """Run `reportcast up`, and the auditor when there is a root, until the former exits or ``stop`` is set."""
    # Only this machine's names, unless told otherwise: no page from elsewhere may read the report by rebinding its own.
    hosts = {} if os.environ.get("GATEWAY_HOST") else {"GATEWAY_ALLOWED_HOSTS": "127.0.0.1,localhost"}  # noqa: TID251
    environment = hosts | os.environ | {"REPORT_FILE": str(report_file.absolute())}  # noqa: TID251 - for the children
    with contextlib.ExitStack() as stack:
        if git_root is not None:
            stack.enter_context(running(audit_command(git_root, "--every", str(AUDIT_EVERY_S)), environment))
        up = stack.enter_context(running([str(reportcast()), "up"], environment))
        return exit_code_of(up, stop)


def exit_code_of(process: subprocess.Popen[bytes], stop: threading.Event) -> int:
    """The process's exit code as a shell tells it, or 0 when ``stop`` is set before the process exits."""
    while not stop.wait(LOOK_EVERY_S):
        returncode = process.poll()
        if returncode is not None:
            return returncode if returncode >= 0 else 128 - returncode
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    report_file, git_root = options.report_file, None
    if report_file is None:
        report_file, git_root = OUTPUT, options.git_root or CHECKOUT.parent
        with running(audit_command(git_root), dict(os.environ)) as first:  # noqa: TID251 - what the child inherits
            failed = exit_code_of(first, stop)
        if stop.is_set() or failed:
            return failed
    return serve(report_file, git_root, stop)


if __name__ == "__main__":
    sys.exit(main())
