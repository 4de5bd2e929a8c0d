"""Real files and real ways of writing them, through the watcher into a broker."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from reportcast.broker.base import Broker, Refresh
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Refreshed, Snapshot, SourceState
from reportcast.contracts.report import parse_report

from tests.support.faults import HoldsFirstPublish
from tests.support.reports import audit_bytes
from tests.support.running import CHANNEL, RunningWatcher, running_watcher
from tests.support.wait import await_until
from tests.support.whole import wholes

READS = "reportcast_watcher_reads_total"


async def served(broker: Broker) -> bytes | None:
    """Give what clients get now."""
    snapshot = (await broker.state(CHANNEL)).snapshot
    return snapshot.body if snapshot else None


async def wait_served(broker: Broker, raw: bytes) -> None:
    """Wait until clients get the content of ``raw``."""

    async def is_served() -> bool:
        return await served(broker) == parse_report(raw).body

    await await_until("the content is served", is_served)


async def wait_source(broker: Broker, state: SourceState) -> str | None:
    """Wait until the source is in a state; give the reason."""

    async def is_so() -> bool:
        source = (await broker.state(CHANNEL)).source
        return source is not None and source.state is state

    await await_until(f"the source is {state.value}", is_so)
    source = (await broker.state(CHANNEL)).source
    assert source
    return source.reason


def replace(path: Path, raw: bytes) -> None:
    """Write as careful producers do."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(raw)
    temporary.replace(path)


async def wait_ready(watcher: RunningWatcher) -> None:
    """Wait until the watcher is ready."""
    await await_until("the watcher is ready", lambda: watcher.health.is_ready)


async def wait_counted(watcher: RunningWatcher, name: str, at_least: float) -> None:
    """Wait until a counter has reached a value."""
    await await_until(f"{name} is {at_least}", lambda: watcher.metric(name) >= at_least)


async def test_the_report_is_published_on_start(broker: Broker, tmp_path: Path) -> None:
    """And only once, when the watcher is started again."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    for _ in range(2):
        async with running_watcher(broker, path) as watcher:
            await wait_served(broker, audit_bytes(1))
            await wait_ready(watcher)

    assert len(await broker.history(CHANNEL)) == 1


async def test_a_report_that_changed_while_the_watcher_was_away(broker: Broker, tmp_path: Path) -> None:
    """Is published on start, because its digest is not the stored one."""
    path = tmp_path / "r.json"
    for mark in (1, 2):
        path.write_bytes(audit_bytes(mark))
        async with running_watcher(broker, path):
            await wait_served(broker, audit_bytes(mark))


def write_in_place(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)


def write_by_rename(path: Path, raw: bytes) -> None:
    replace(path, raw)


def write_by_copy(path: Path, raw: bytes) -> None:
    source = path.parent / "source"
    source.write_bytes(raw)
    shutil.copyfile(source, path)


def write_with_sed(path: Path, raw: bytes) -> None:
    source = path.parent / "source"
    source.write_bytes(raw)
    # The whole of the source after the first line, and of the old lines none.
    subprocess.run(["sed", "-i", "-e", f"1r {source}", "-e", "d", str(path)], check=True)
    assert path.read_bytes() == raw


def write_new_and_swap_link(path: Path, raw: bytes) -> None:
    target = path.parent / f"{len(list(path.parent.iterdir()))}.json"
    target.write_bytes(raw)
    subprocess.run(["ln", "-sf", target.name, str(path)], check=True)


def write_as_configmap(path: Path, raw: bytes) -> None:
    version = path.parent / f"..{len(list(path.parent.iterdir()))}"
    version.mkdir()
    (version / path.name).write_bytes(raw)
    link = path.parent / "..data_tmp"
    link.symlink_to(version.name)
    link.replace(path.parent / "..data")
    if not path.is_symlink():
        path.unlink(missing_ok=True)
        path.symlink_to(f"..data/{path.name}")


@pytest.mark.parametrize(
    "write",
    [write_in_place, write_by_rename, write_by_copy, write_with_sed, write_new_and_swap_link, write_as_configmap],
)
async def test_ways_of_writing(memory_broker: MemoryBroker, tmp_path: Path, write: object) -> None:
    """Events alone (the sweep is a minute away) show every change of every writer, each published once."""
    assert callable(write)
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes("first"))
    async with running_watcher(memory_broker, path):
        await wait_served(memory_broker, audit_bytes("first"))
        for mark in range(10):
            write(path, audit_bytes(mark))
            await wait_served(memory_broker, audit_bytes(mark))

    assert len(await memory_broker.history(CHANNEL)) == 11


async def test_a_torn_write_is_never_published(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A truncate and sixty pieces give one publication, when the last piece is there."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    published: list[bytes] = []
    async with memory_broker.subscribe(CHANNEL) as messages, running_watcher(memory_broker, path) as watcher:
        await wait_served(memory_broker, audit_bytes(1))
        raw = audit_bytes(2, padding="x" * 6000)
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(raw), len(raw) // 60):
                reads = watcher.metric(READS)
                file.write(raw[start : start + len(raw) // 60])
                await wait_counted(watcher, READS, reads + 1)
        await wait_served(memory_broker, raw)
        await memory_broker.announce_refreshed(CHANNEL)
        async for message in wholes(memory_broker, CHANNEL, messages):
            if isinstance(message, Snapshot):
                published.append(message.body)
            if isinstance(message, Refreshed):
                break

    assert published == [parse_report(audit_bytes(1)).body, parse_report(raw).body]


@pytest.mark.parametrize(
    ("bad", "reason", "words"),
    [
        pytest.param(b"", "syntax", "report is empty", id="empty"),
        pytest.param(audit_bytes(2)[:100], "syntax", "report is not JSON at line", id="torn"),
        pytest.param(b"hello", "syntax", "report is not JSON at line 1 column 1 (byte 0)", id="no-json"),
        pytest.param(b"[]", "shape", "report: expected object, got array", id="wrong-shape"),
        pytest.param(b"\xff" * 10, "encoding", "report is not utf-8 at byte 0", id="binary"),
        pytest.param(b" " * 5000, "too_large", "report is 5000 bytes; the limit is 4096", id="too-large"),
    ],
)
async def test_a_bad_report_keeps_the_good_one(
    memory_broker: MemoryBroker, tmp_path: Path, bad: bytes, reason: str, words: str
) -> None:
    """Never published; counted by reason; said why; and the next good one is published."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, report_max_bytes=4096) as watcher:
        await wait_served(memory_broker, audit_bytes(1))

        replace(path, bad)

        assert words in (await wait_source(memory_broker, SourceState.REJECTED) or "")
        assert watcher.metric("reportcast_watcher_rejected_total", reason=reason) == 1
        assert await served(memory_broker) == parse_report(audit_bytes(1)).body
        replace(path, audit_bytes(3))
        await wait_served(memory_broker, audit_bytes(3))
        assert await wait_source(memory_broker, SourceState.LIVE) is None


async def test_waiting_for_the_first_report(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Neither file nor directory has to be there at the start."""
    path = tmp_path / "later" / "r.json"
    async with running_watcher(memory_broker, path):
        assert await wait_source(memory_broker, SourceState.WAITING) == "r.json does not exist"
        path.parent.mkdir()
        path.write_bytes(audit_bytes(1))

        await wait_served(memory_broker, audit_bytes(1))
        await wait_source(memory_broker, SourceState.LIVE)


async def test_a_directory_made_anew(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The watch is armed again on the new one."""
    path = tmp_path / "reports" / "r.json"
    path.parent.mkdir()
    path.write_bytes(audit_bytes(0))
    async with running_watcher(memory_broker, path):
        for mark in range(1, 4):
            await wait_served(memory_broker, audit_bytes(mark - 1))
            shutil.rmtree(path.parent)
            assert await served(memory_broker) == parse_report(audit_bytes(mark - 1)).body
            path.parent.mkdir()
            path.write_bytes(audit_bytes(mark))
        await wait_served(memory_broker, audit_bytes(3))


async def test_a_removed_report_keeps_the_good_one(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """And says that it is gone."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path):
        await wait_served(memory_broker, audit_bytes(1))
        path.unlink()

        assert await wait_source(memory_broker, SourceState.REJECTED) == "r.json does not exist"
        assert await served(memory_broker) == parse_report(audit_bytes(1)).body


async def test_the_same_content_again_is_unchanged(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A touch, a rewrite and other white space are counted and publish nothing."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path) as watcher:
        await wait_served(memory_broker, audit_bytes(1))
        for number, raw in enumerate((audit_bytes(1), parse_report(audit_bytes(1)).body), start=1):
            replace(path, raw)
            await wait_counted(watcher, "reportcast_watcher_unchanged_total", number)

    assert len(await memory_broker.history(CHANNEL)) == 1


async def test_the_sweep_finds_what_no_event_told(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The content changes through another hard link in a directory that nobody watches, with its old times."""
    path = tmp_path / "watched" / "r.json"
    path.parent.mkdir()
    path.write_bytes(audit_bytes(1))
    other = tmp_path / "elsewhere.json"
    other.hardlink_to(path)
    times = path.stat()
    async with running_watcher(memory_broker, path, report_sweep_s=0.2):
        await wait_served(memory_broker, audit_bytes(1))
        other.write_bytes(audit_bytes(2))
        os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))

        await wait_served(memory_broker, audit_bytes(2))


def name_neighbour_in_bytes(directory: Path) -> None:
    Path(os.fsdecode(os.fsencode(directory) + b"/\xff\xfe")).write_bytes(b"x")


async def test_neighbours_are_ignored(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Whatever they are called, even if the name is no text."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path):
        await wait_served(memory_broker, audit_bytes(1))
        name_neighbour_in_bytes(tmp_path)
        replace(path, audit_bytes(2))
        await wait_served(memory_broker, audit_bytes(2))
        replace(path, audit_bytes(3))
        await wait_served(memory_broker, audit_bytes(3))


async def test_a_refresh_is_answered(broker: Broker, tmp_path: Path) -> None:
    """The file is read again; every gateway is told, also when nothing changed."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(broker, path) as watcher, broker.subscribe(CHANNEL) as messages:
        await wait_served(broker, audit_bytes(1))
        reads = watcher.metric(READS)

        async def was_heard() -> bool:
            return await broker.request_refresh(CHANNEL) is Refresh.REQUESTED

        await await_until("a watcher listens", was_heard)
        async with asyncio.timeout(5):
            async for message in wholes(broker, CHANNEL, messages):
                if isinstance(message, Refreshed):
                    break

        assert watcher.metric(READS) > reads


async def test_a_polled_report_when_a_tenure_begins(
    memory_broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is read and published at once, untouched as it is; not at the next sweep."""
    monkeypatch.setattr("watcher.inotify.inotify_simple", None)
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    await memory_broker.lease([CHANNEL], "another")
    async with running_watcher(memory_broker, path) as watcher:
        await wait_counted(watcher, READS, 1)

        await memory_broker.release([CHANNEL], "another")

        await wait_served(memory_broker, audit_bytes(1))


async def test_a_file_time_that_no_calendar_holds(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The report is published all the same."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    os.utime(path, (10**11 * 4, 10**11 * 4))
    async with running_watcher(memory_broker, path):
        await wait_served(memory_broker, audit_bytes(1))


async def test_latency_is_that_of_the_change_that_was_watched(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Not the age of a file that lay there at the start, though the change comes while that is being published."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    os.utime(path, (0, 0))
    broker = HoldsFirstPublish(memory_broker)
    async with running_watcher(broker, path) as watching:
        await broker.held.wait()
        reads = watching.metric(READS)
        replace(path, audit_bytes(2))
        await wait_counted(watching, READS, reads + 1)
        broker.go.set()
        await wait_served(memory_broker, audit_bytes(2))
        await wait_counted(watching, "reportcast_watcher_published_total", 2)

        assert watching.metric("reportcast_watcher_publish_latency_seconds_count") == 1
        assert watching.metric("reportcast_watcher_publish_latency_seconds_sum") < 3600


async def test_a_growing_file_above_the_limit_is_told_of_once(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Not once for each piece."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, report_max_bytes=4096) as watching:
        await wait_served(memory_broker, audit_bytes(1))
        with path.open("wb", buffering=0) as file:
            for _ in range(20):
                reads = watching.metric(READS)
                file.write(b" " * 4096)
                await wait_counted(watching, READS, reads + 1)

        assert "the limit is 4096" in (await wait_source(memory_broker, SourceState.REJECTED) or "")
        assert watching.metric("reportcast_watcher_rejected_total", reason="too_large") == 1
