import datetime
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reportcast.contracts.report import parse_report

from demo import audit as auditor
from demo.audit import audit, audit_once, keep_auditing, main, needs_writing, without_password, write_report

NOW = datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.UTC)


def git(path: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(path), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        check=True,
        capture_output=True,
    )


def make_repo(path: Path) -> Path:
    """A clean repository with one commit and no remote."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--initial-branch=main")
    commit(path, "First")
    return path


def commit(path: Path, subject: str) -> None:
    git(path, "commit", "--allow-empty", "--message", subject)


def audited(git_root: Path, name: str) -> dict[str, Any]:
    """What the report says of the one repository of that name."""
    (repo,) = [repo for repo in audit(git_root, NOW)["repos"] if repo["name"] == name]
    return dict(repo)


def read(output: Path) -> dict[str, Any]:
    return dict(json.loads(output.read_bytes()))


class Steps(threading.Event):
    """A stop event whose every wait takes the next step instead of time, and which is set after the last."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self.steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        self.steps.pop(0)()
        if not self.steps:
            self.set()
        return self.is_set()


def test_a_clean_repository(tmp_path: Path) -> None:
    """Everything that is known of it stands in the report."""
    path = make_repo(tmp_path / "alpha")
    git(path, "remote", "add", "other", "https://example.org/other.git")
    git(path, "remote", "add", "origin", "https://me:secret@example.org/alpha.git")

    repo = audited(tmp_path, "alpha")

    last_commit = repo.pop("last_commit")
    assert repo == {
        "name": "alpha",
        "status": "clean",
        "local_path": str(path),
        "remote_url": "https://example.org/alpha.git",
        "file_status": [],
        "branch": "main",
    }
    assert last_commit["subject"] == "First"
    assert datetime.datetime.fromisoformat(last_commit["time"]).tzinfo is not None


def test_a_dirty_repository(tmp_path: Path) -> None:
    """Its changed files stand as git tells them, whatever their names; at most fifty."""
    path = make_repo(tmp_path / "alpha")
    (path / "ä b.txt").touch()

    first = audited(tmp_path, "alpha")
    for number in range(60):
        (path / f"{number}.txt").touch()
    second = audited(tmp_path, "alpha")

    assert (first["status"], first["file_status"]) == ("dirty", ['?? "ä b.txt"'])
    assert len(second["file_status"]) == 50


def test_a_new_commit_is_seen(tmp_path: Path) -> None:
    """So that a demo moves with every commit."""
    path = make_repo(tmp_path / "alpha")
    before = audited(tmp_path, "alpha")

    commit(path, "Second")

    after = audited(tmp_path, "alpha")
    assert after["last_commit"]["subject"] == "Second"
    assert after["last_commit"]["hash"] != before["last_commit"]["hash"]


def test_a_repository_without_remote_and_commit(tmp_path: Path) -> None:
    """A new repository is clean; what it does not have is empty."""
    git(tmp_path, "init", "--initial-branch=main")

    repo = audited(tmp_path, tmp_path.name)

    assert (repo["status"], repo["remote_url"], repo["branch"]) == ("clean", "", "main")
    assert repo["last_commit"] is None


def test_a_worktree_and_the_root_itself_count(tmp_path: Path) -> None:
    """A worktree has a ``.git`` file; grandchildren and plain directories are not looked at."""
    make_repo(tmp_path / "root")
    git(tmp_path / "root", "worktree", "add", "--detach", "tree")
    make_repo(tmp_path / "root" / "plain" / "grandchild")

    report = audit(tmp_path / "root", NOW)

    assert {repo["name"]: repo["branch"] for repo in report["repos"]} == {"root": "main", "tree": "(detached)"}


@pytest.mark.parametrize(
    "breakage",
    [
        pytest.param(lambda path: (path / ".git").write_text("gitdir: /nowhere\n"), id="dangling-worktree"),
        pytest.param(lambda path: (path / ".git").mkdir(), id="empty-git-directory"),
    ],
)
def test_a_broken_repository_is_reported(tmp_path: Path, breakage: Callable[[Path], object]) -> None:
    """It makes the health red and ends nothing; it is not taken for the repository around it."""
    make_repo(tmp_path)
    (tmp_path / "broken").mkdir()
    breakage(tmp_path / "broken")

    repo = audited(tmp_path, "broken")

    assert repo["status"] == "unreadable"
    assert repo["error"].startswith("git status: fatal: not a git repository")
    assert audit(tmp_path, NOW)["health_status"] == "red"


def test_a_git_that_takes_too_long_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge tree does not hold up the report of the others for ever."""
    make_repo(tmp_path / "alpha")
    monkeypatch.setattr(auditor, "GIT_TIMEOUT_S", 0.05)
    monkeypatch.setattr(auditor, "GIT", ["sh", "-c", "exec sleep 60"])

    repo = audited(tmp_path, "alpha")

    assert (repo["status"], repo["error"]) == ("unreadable", "git status took longer than 0.05 s")


def test_a_missing_git_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may vanish during an upgrade, while the auditor runs."""
    make_repo(tmp_path / "alpha")
    monkeypatch.setattr(auditor, "GIT", [str(tmp_path / "git")])

    assert audited(tmp_path, "alpha")["error"] == "git cannot be run: No such file or directory"


def test_variables_of_a_git_hook_do_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git sets GIT_DIR for its hooks; each repository is read all the same."""
    make_repo(tmp_path / "alpha")
    monkeypatch.setenv("GIT_DIR", "/nowhere")

    assert auditor.audit(tmp_path, NOW)["summary"]["clean"] == 1


def test_the_report_keeps_the_contract(tmp_path: Path) -> None:
    """What the auditor writes is a valid report, with the counts of its repositories."""
    make_repo(tmp_path / "alpha")
    make_repo(tmp_path / "beta")
    (tmp_path / "beta" / "file").touch()
    output = tmp_path / "output" / "GitRepoReport.json"

    audit_once(tmp_path, output)

    written = read(output)
    assert len(parse_report(output.read_bytes()).repos) == 2
    assert written["summary"] == {"total": 2, "missing": 0, "extra": 0, "dirty": 1, "clean": 1}
    assert written["health_status"] == "yellow"
    assert written["timestamp"].endswith("Z")


def test_no_repository_at_all_is_green(tmp_path: Path) -> None:
    """An empty directory makes a valid, empty report."""
    report = audit(tmp_path, NOW)

    assert (report["health_status"], report["summary"]["total"], report["repos"]) == ("green", 0, [])


@pytest.mark.parametrize(
    ("changes", "later_s", "expected"),
    [
        pytest.param({}, 59, False, id="unchanged"),
        pytest.param({}, 60, True, id="unchanged-for-a-minute"),
        pytest.param({}, -1, True, id="clock-went-back"),
        pytest.param({"repos": [{"name": "alpha", "status": "clean"}]}, 1, True, id="new-repository"),
    ],
)
def test_needs_writing(tmp_path: Path, changes: dict[str, Any], later_s: int, expected: bool) -> None:
    """A report is written when more than its time differs, or as a sign of life."""
    output = tmp_path / "report.json"
    write_report(output, audit(tmp_path, NOW))
    later = NOW + datetime.timedelta(seconds=later_s)

    assert needs_writing(output, audit(tmp_path, later) | changes, later) is expected


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"timestamp": 1}', '{"timestamp": "2026-01-31T12:00:00"}'])
def test_what_is_no_report_of_ours_is_replaced(tmp_path: Path, content: str) -> None:
    """A torn or foreign file at the output's place is no obstacle."""
    output = tmp_path / "report.json"
    output.write_text(content)

    assert needs_writing(output, audit(tmp_path, NOW), NOW)


def test_an_unchanged_report_is_not_rewritten(tmp_path: Path) -> None:
    """The very file stays."""
    output = tmp_path / "report.json"
    audit_once(tmp_path, output)
    before = output.stat()

    audit_once(tmp_path, output)

    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_writing_is_atomic(tmp_path: Path) -> None:
    """A reader that holds the old file open still reads it whole; another user may read; nothing is left over."""
    output = tmp_path / "report.json"
    write_report(output, {"number": 1})

    with output.open() as old:
        write_report(output, {"number": 2})
        seen = json.load(old)

    assert (seen, read(output)) == ({"number": 1}, {"number": 2})
    assert output.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """The old report stays, the temporary file goes."""
    output = tmp_path / "report.json"
    write_report(output, {"number": 1})

    with pytest.raises(TypeError):
        write_report(output, {"number": object()})

    assert read(output) == {"number": 1}
    assert os.listdir(tmp_path) == ["report.json"]


def test_auditing_goes_on(tmp_path: Path) -> None:
    """A commit, a file and a new repository each show up one round later."""
    path = make_repo(tmp_path / "git" / "alpha")
    output = tmp_path / "report.json"
    seen: list[tuple[int, int, str]] = []

    def look() -> None:
        report = read(output)
        summary = report["summary"]
        seen.append((summary["clean"], summary["dirty"], report["repos"][0]["last_commit"]["subject"]))

    def then(*steps: Callable[[], object]) -> Callable[[], object]:
        return lambda: [step() for step in (look, *steps)]

    steps = Steps(
        then(lambda: commit(path, "Second")),
        then((path / "file").touch),
        then(lambda: make_repo(tmp_path / "git" / "beta")),
        then(),
    )
    keep_auditing(tmp_path / "git", output, 5, steps)

    assert seen == [(1, 0, "First"), (1, 0, "Second"), (0, 1, "Second"), (1, 1, "Second")]


def test_trouble_is_said_once_and_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A root that goes away and comes back."""
    git_root = tmp_path / "git"
    output = tmp_path / "report.json"

    keep_auditing(git_root, output, 5, Steps(list, list, git_root.mkdir, list))

    assert capsys.readouterr().err.count("trying again") == 1
    assert read(output)["repos"] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://me:secret@example.org/a.git", "https://example.org/a.git", id="password"),
        pytest.param("https://token@example.org:8443/a", "https://example.org:8443/a", id="token"),
        pytest.param("https://example.org/a@b", "https://example.org/a@b", id="at-in-path"),
        pytest.param("git@example.org:a.git", "git@example.org:a.git", id="ssh"),
        pytest.param("https://[broken/a", "https://[broken/a", id="no-url"),
    ],
)
def test_without_password(url: str, expected: str) -> None:
    """A report is broadcast: it must not tell a password."""
    assert without_password(url) == expected


def test_main_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    make_repo(tmp_path / "alpha")

    code = main(["--git-root", str(tmp_path), "--output", str(tmp_path / "report.json")])

    assert (code, capsys.readouterr().out) == (0, f"audited 1 git repository in {tmp_path}: 1 clean\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--git-root", "/nowhere"], id="no-root"),
        pytest.param(["--git-root", "/", "--every", "0"], id="no-time"),
        pytest.param(["--git-root", "/", "--every", "nan"], id="not-a-number"),
    ],
)
def test_main_refuses_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, as for every command line that cannot be carried out."""
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--output", "/nowhere/report.json"])

    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_main_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 1."""
    (tmp_path / "file").touch()

    assert main(["--git-root", str(tmp_path), "--output", str(tmp_path / "file" / "report.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_signals_stop_it() -> None:
    """SIGTERM sets the event that ends the loop."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop = auditor.stopped_by_signals()
        signal.raise_signal(signal.SIGTERM)
    finally:
        for number, action in before.items():
            signal.signal(number, action)

    assert stop.is_set()
