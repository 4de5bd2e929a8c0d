import datetime
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watcher.history import History

from tests.support import keep_reports
from tests.support.keep_reports import FIRST, MAX_REPORTS, OPENED, is_whole, sealed

KILLS = 60


def run(directory: Path, begin: int, *steps: str) -> "subprocess.Popen[str]":
    script = [sys.executable, "-m", keep_reports.__name__, str(directory), str(begin), *steps]
    return subprocess.Popen(script, stdout=subprocess.PIPE, text=True)


def check(directory: Path, told: list[str]) -> None:
    """Look at what a killed process left, before and after the next start."""
    reports = sorted(directory.glob("*.json"))
    latest = directory / "latest.json"
    assert [path.name for path in reports if not is_whole(path.read_bytes())] == []
    assert latest.is_symlink() or not told
    # But for those which the one that was being kept may have pushed out.
    present = {path.name for path in reports}
    assert [name for name in told[-(MAX_REPORTS - 1) :] if name not in present] == []

    history = History(directory, MAX_REPORTS, 3600)
    history.open(OPENED)

    assert [path.name for path in directory.iterdir() if path.name.startswith(".")] == []
    kept = [report.name for report in history.kept()]
    assert len(kept) <= MAX_REPORTS
    assert not kept or latest.readlink() == Path(kept[-1])
    assert set(told[-1:]) <= set(kept[-2:])


def test_a_kill_at_any_moment_leaves_whole_reports(tmp_path: Path) -> None:
    """Whatever keep has returned is there, all that is there is whole, and no temporary file outlives a start."""
    moments = random.Random(20261123)
    told: list[str] = []
    number = 1

    for _ in range(KILLS):
        with run(tmp_path, number) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            # The fault is the moment: anywhere in the next few keeps.
            time.sleep(moments.uniform(0, 0.03))
            process.kill()
            lines += process.stdout.readlines()
        assert process.returncode == -signal.SIGKILL
        told += [line.split()[1] for line in lines if line.endswith("\n")]
        number = int(lines[-1].split()[0]) + 1 if lines[-1].endswith("\n") else number + len(lines)
        check(tmp_path, told)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "full"])
def test_a_kill_at_every_step_leaves_whole_reports(tmp_path: Path, is_first: bool) -> None:
    """Each call into the file system may be the last, in an empty directory and in one that has to be pruned."""
    for steps in range(1000):
        directory = tmp_path / str(steps)
        directory.mkdir()
        before = History(directory, MAX_REPORTS, 3600)
        told = [] if is_first else [before.keep(f"b{n}.json", sealed(n), FIRST) for n in range(MAX_REPORTS)]
        with run(directory, 1, str(steps)) as process:
            output, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL
        lines = output.splitlines()
        check(directory, told + [line.split()[1] for line in lines])
        if lines:  # the first keep is done: each step of it was the last once
            break
    assert 8 < steps < 100


def test_a_kill_between_report_and_latest_is_repaired(tmp_path: Path) -> None:
    """The report that was kept, but not yet the latest, becomes it."""
    history = History(tmp_path, MAX_REPORTS, 3600)
    history.open(OPENED)
    for number in (1, 2):
        history.keep(f"r{number}.json", sealed(number), FIRST + datetime.timedelta(seconds=number))
    (tmp_path / "latest.json").unlink()
    (tmp_path / "latest.json").symlink_to("r1.json")

    History(tmp_path, MAX_REPORTS, 3600).open(OPENED)

    assert (tmp_path / "latest.json").readlink() == Path("r2.json")
