import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from demo.demo import AUDIT

Start = Callable[..., subprocess.Popen[str]]

SERVES = 'echo "up $REPORT_FILE" && exec sleep 60'
FAILS = 'echo "reportcast up: cannot listen" >&2; exit 2'
LINGERS = "trap 'echo drained; exit 0' TERM; echo up; while :; do sleep 0.05; done"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a copy of the demo in a checkout of its own, with a ``reportcast`` that is the given shell script."""
    folder = tmp_path / "beside" / "checkout"
    shutil.copytree(AUDIT.parent, folder / "demo", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".git").mkdir()
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    started = []

    def start(script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        executable = folder / "bin" / "reportcast"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        process = subprocess.Popen(
            [folder / "bin" / "python", folder / "demo" / "demo.py", *arguments],
            env={"PATH": os.defpath, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()  # not kill: it ends its children
        process.communicate()


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().rstrip("\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    """The pipes close, so no child is left; nothing is said that sounds like an error."""
    process = start(SERVES)
    lines = [line_of(process.stdout) for _ in range(2)]

    process.send_signal(number)

    assert process.communicate() == ("", "")
    assert process.returncode == 0
    output = tmp_path / "beside" / "checkout" / "output" / "GitRepoReport.json"
    assert lines == [
        f"audited 1 git repository in {tmp_path / 'beside'}: 1 unreadable",
        f"up {output}",
    ]
    assert json.loads(output.read_bytes())["timestamp"]


def test_the_server_may_finish_its_work(start: Start) -> None:
    """It is asked to end, once, and waited for."""
    process = start(LINGERS)
    for _ in range(2):
        line_of(process.stdout)

    process.terminate()

    assert process.communicate() == ("drained\n", "")
    assert process.returncode == 0


def test_a_server_that_fails_ends_the_demo(start: Start) -> None:
    """Its one line and its exit code are what the user gets; the auditor ends too."""
    process = start(FAILS)

    _, errors = process.communicate()

    assert (process.returncode, errors) == (2, "reportcast up: cannot listen\n")


def test_a_report_file_is_served_as_it_is(start: Start, tmp_path: Path) -> None:
    """Nothing is audited; the file may come later, its directory must be there."""
    process = start(SERVES, REPORT_FILE=str(tmp_path / "report.json"))

    assert line_of(process.stdout) == f"up {tmp_path / 'report.json'}"


def test_another_root(start: Start, tmp_path: Path) -> None:
    """The directory to audit can be chosen; a variable does it, too."""
    process = start(FAILS, GIT_ROOT=str(tmp_path))

    lines, _ = process.communicate()

    assert lines.startswith(f"audited 0 git repositories in {tmp_path}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--git-root", "/nowhere"], id="no-root"),
        pytest.param(["--report-file", "/nowhere/report.json"], id="no-directory"),
        pytest.param(["--report-file", "/"], id="a-directory"),
    ],
)
def test_what_is_not_there_is_refused(start: Start, arguments: list[str]) -> None:
    """One line, exit code 2."""
    process = start(SERVES, *arguments)

    lines, errors = process.communicate()

    assert (process.returncode, lines, errors.count("\n")) == (2, "", 1)
    assert arguments[1] in errors
