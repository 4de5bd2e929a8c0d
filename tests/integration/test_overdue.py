"""A producer that fell silent."""

import datetime
import os
import threading
from pathlib import Path

import pytest
import watcher.lookout
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.report import parse_report
from watcher.reader import Fingerprint, Reader, Reading

from tests.integration.test_watcher import replace, wait_served, wait_source
from tests.support.reports import audit_bytes
from tests.support.running import CHANNEL, running_gateway, running_watcher
from tests.support.wait import await_until

OVERDUE = "reportcast_watcher_overdue_seconds"


async def source_of(broker: MemoryBroker) -> Source:
    """Give what is told of the file."""
    source = (await broker.state(CHANNEL)).source
    assert source
    return source


async def test_a_report_that_does_not_come_is_overdue(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """In messages, status and a gauge, with how late it is; one that comes ends it."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with (
        running_watcher(memory_broker, path, report_expected_every_s={"": 0.5}, report_sweep_s=0.2) as watching,
        running_gateway(memory_broker) as gateway,
    ):
        await wait_served(memory_broker, audit_bytes(1))
        await wait_source(memory_broker, SourceState.OVERDUE)
        source = await source_of(memory_broker)
        assert source.expected_every_s == 0.5
        assert source.late_by_s
        assert source.due_at
        assert abs((utc_now() - source.due_at).total_seconds() - source.late_by_s) < 10
        await await_until("the gauge shows it", lambda: watching.metric(OVERDUE) > 1)

        async def is_degraded() -> bool:
            return "the report is overdue: expected every" in "".join((await gateway.status())["reasons"])

        await await_until("the status says so", is_degraded)
        replace(path, audit_bytes(2))
        await wait_source(memory_broker, SourceState.LIVE)
        assert watching.metric(OVERDUE) == 0
        assert (await source_of(memory_broker)).late_by_s is None


async def test_an_old_file_is_overdue_from_the_start(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The job stopped while no watcher was there: the file's own time tells."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    tomorrow = datetime.timedelta(days=1)
    async with running_watcher(
        memory_broker, path, now=lambda: utc_now() + tomorrow, report_expected_every_s={"audit": 3600.0}
    ):
        await wait_source(memory_broker, SourceState.OVERDUE)
        source = await source_of(memory_broker)

    assert source.late_by_s
    assert abs(source.late_by_s - 23 * 3600) < 60


async def test_what_was_learnt_outlives_a_restart(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The interval comes back with the last word about the file."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path):
        await wait_source(memory_broker, SourceState.LIVE)
    learnt = Source(SourceState.LIVE, "2026-11-23T12:00:00.000Z", expected_every_s=300.0)
    await memory_broker.set_source(CHANNEL, learnt)
    hour = datetime.timedelta(hours=1)

    async with running_watcher(memory_broker, path, now=lambda: utc_now() + hour):
        await wait_source(memory_broker, SourceState.OVERDUE)
        assert (await source_of(memory_broker)).expected_every_s == 300


async def test_the_history_tells_the_cadence(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A standalone server that was restarted has its broker's word no more, and learns from the kept reports."""
    history = tmp_path / "history"
    history.mkdir()
    for number in range(5):
        kept = history / f"2026-11-23T12:0{number}:00Z.json"
        kept.write_bytes(parse_report(audit_bytes(number)).body)
        age_s = 3600 + 300 * (4 - number)
        written_s = utc_now().timestamp() - age_s
        os.utime(kept, (written_s, written_s))
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(4))
    os.utime(path, (written_s, written_s))

    async with running_watcher(memory_broker, path, history_dir=history):
        await wait_source(memory_broker, SourceState.OVERDUE)
        source = await source_of(memory_broker)

    assert source.expected_every_s == pytest.approx(300, abs=1)
    assert source.late_by_s == pytest.approx(3300, abs=30)


async def test_a_bad_file_is_rejected_rather_than_overdue(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """What is wrong with the file says more."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, report_expected_every_s={"": 0.1}, report_sweep_s=0.1):
        await wait_source(memory_broker, SourceState.OVERDUE)
        replace(path, b"[]")
        await wait_source(memory_broker, SourceState.REJECTED)


async def test_a_new_permission_is_no_report(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A job that mends permissions does not stand in for the producer that died."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, report_expected_every_s={"": 1.0}) as watching:
        await wait_served(memory_broker, audit_bytes(1))

        async def is_overdue() -> bool:
            path.chmod(0o600 + (watching.metric("reportcast_watcher_reads_total") % 2 > 0))
            return (await source_of(memory_broker)).state is SourceState.OVERDUE

        await await_until("it is overdue", is_overdue)


async def test_a_file_system_that_hangs_is_told(
    memory_broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks healthy for no longer than HUNG_S, and is found well once it answers."""
    answers = threading.Event()

    class HangingReader(Reader):
        """Reads as ever, once the file system answers."""

        def read_if_touched(self, known: Fingerprint | None) -> Reading | None:
            answers.wait()
            return super().read_if_touched(known)

    answers.set()
    monkeypatch.setattr(watcher.lookout, "HUNG_S", 0.2)
    monkeypatch.setattr(watcher.lookout, "Reader", HangingReader)
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, report_sweep_s=0.1):
        await wait_served(memory_broker, audit_bytes(1))
        answers.clear()
        reason = await wait_source(memory_broker, SourceState.REJECTED)
        assert reason == "the file system has not answered for 0.2 s"
        answers.set()
        await wait_source(memory_broker, SourceState.LIVE)
