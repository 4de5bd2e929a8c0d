"""The supervisor with workers that do as they are told: real processes, real signals."""

import contextlib
import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.commands import environment


@contextlib.contextmanager
def supervisor(workers: int, what: str, *through: str) -> Iterator[subprocess.Popen[str]]:
    """Run one, by way of another command perhaps, to the end of the block; its workers end with it."""
    command = [*through, sys.executable, "-m", "tests.support.supervise", str(workers), what]
    process = subprocess.Popen(
        command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def logged(process: subprocess.Popen[str], count: int) -> list[dict[str, object]]:
    """Give the next lines of its log."""
    assert process.stderr is not None
    return [json.loads(line) for line in itertools.islice(process.stderr, count)]


def said(process: subprocess.Popen[str], count: int) -> list[str]:
    """Give the next lines that it and its workers printed."""
    assert process.stdout is not None
    return [line.strip() for line in itertools.islice(process.stdout, count)]


def test_a_worker_that_keeps_dying_is_started_ever_less_often() -> None:
    """A line for each death, and twice the wait each time; SIGTERM ends it between two lives."""
    with supervisor(1, "fail") as process:
        deaths = logged(process, 4)
        process.terminate()

        assert process.wait(timeout=10) == 0
        ended = said(process, 4)
    assert ended == ["0 ended"] * 4
    assert {(line["event"], line["worker"], line["code"]) for line in deaths} == {("worker died", 0, 1)}
    assert [line["again_in_s"] for line in deaths] == [0.25, 0.5, 1.0, 2.0]


def test_who_started_it_may_have_ignored_the_ends_of_children() -> None:
    """It is told of them all the same."""
    with supervisor(1, "fail", "sh", "-c", "trap '' CHLD; exec \"$@\"", "sh") as process:
        assert len(logged(process, 2)) == 2
        process.terminate()

        assert process.wait(timeout=10) == 0


def test_a_worker_that_cannot_start_as_asked_ends_all() -> None:
    """With its exit code: nothing would come of starting it again."""
    with supervisor(3, "refuse") as process:
        assert process.wait(timeout=10) == 2


def test_a_process_that_is_not_to_be_had_is_waited_for() -> None:
    """The supervisor lives on, and starts the worker when the system lets it."""
    with supervisor(2, "unforkable") as process:
        started = set(said(process, 2))
        process.terminate()

        assert process.wait(timeout=10) == 0
        lines = logged(process, 3)
    assert started == {"0 serves", "1 serves"}
    assert {(line["event"], line["reason"]) for line in lines} == {
        ("worker not started", "Resource temporarily unavailable")
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_all(number: signal.Signals) -> None:
    """Each worker ends by itself, so the exit code is 0."""
    with supervisor(3, "serve") as process:
        assert set(said(process, 3)) == {"0 serves", "1 serves", "2 serves"}
        process.send_signal(number)

        assert process.wait(timeout=10) == 0
        assert set(said(process, 3)) == {"0 ended", "1 ended", "2 ended"}


def test_workers_that_hang_are_not_waited_for() -> None:
    """They have a time to end, and are killed then; the code says that it was no good end."""
    with supervisor(2, "hang") as process:
        assert sorted(said(process, 2)) == ["0 serves", "1 serves"]
        process.terminate()

        assert process.wait(timeout=10) == 1
        killed = logged(process, 2)
    assert [(line["event"], line["worker"]) for line in killed] == [("worker killed", 0), ("worker killed", 1)]
