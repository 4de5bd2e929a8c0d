"""What a watcher keeps of refused contents, and what becomes of it at a restart."""

import functools
import hashlib
import json
from pathlib import Path

from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Rejection, SourceState

from tests.integration.test_watcher import replace, served, wait_served, wait_source
from tests.support.archive import DirectArchive, body, written
from tests.support.reports import MOMENT, audit, audit_bytes
from tests.support.running import CHANNEL, running_watcher
from tests.support.wait import await_until


async def rejections(broker: Broker, count: int) -> list[Rejection]:
    """Wait until so many contents are kept; give them, newest first."""

    async def are_kept() -> bool:
        return len(await broker.rejections(CHANNEL)) == count

    await await_until(f"{count} are kept", are_kept)
    return await broker.rejections(CHANNEL)


async def test_a_rejected_content_is_kept(broker: Broker, tmp_path: Path) -> None:
    """Its bytes with reason, line, column and a diff against the last good one: in the broker, and on disk."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    path.write_bytes(audit_bytes(1))
    bad = json.dumps(audit(1, repos=[{"name": "repo-1", "status": 7}]), indent=2).encode()
    async with running_watcher(broker, path, history_dir=history):
        await wait_served(broker, audit_bytes(1))
        replace(path, bad)
        (rejection,) = await rejections(broker, 1)
        await await_until("it is on disk", lambda: list((history / "rejected").glob("*.json")))

    assert (rejection.reason, rejection.file, rejection.size) == ("shape", "r.json", len(bad))
    assert rejection.message.startswith("report.repos[0]: expected a string status or uncommittedChanges, at line 12")
    assert (rejection.line, rejection.column) == (12, 5)
    assert rejection.digest == hashlib.sha256(bad).hexdigest()
    assert '- "status":"clean",' in rejection.diff
    assert '+ "status":7' in rejection.diff
    assert await broker.rejected_content(CHANNEL, rejection.id) == bad
    (record,), (content,) = (list((history / "rejected").glob(f"*.{kind}")) for kind in ("json", "bin"))
    assert json.loads(record.read_text())["message"] == rejection.message
    assert content.read_bytes() == bad
    assert await served(broker) == body(1)


async def test_a_held_report_is_kept_as_a_rejected_one(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Under the finding's name; the same report with another policy is published with its findings."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    odd = audit_bytes(2, summary={"total": 5})
    async with running_watcher(memory_broker, path, report_hold=("summary_mismatch",)) as watching:
        await wait_served(memory_broker, audit_bytes(1))
        replace(path, odd)
        (rejection,) = await rejections(memory_broker, 1)
        assert rejection.reason == "summary_mismatch"
        assert "the summary does not match" in (await wait_source(memory_broker, SourceState.REJECTED) or "")
        assert watching.metric("reportcast_watcher_rejected_total", reason="summary_mismatch") == 1
    async with running_watcher(memory_broker, path) as watching:
        await wait_served(memory_broker, odd)
        snapshot = (await memory_broker.state(CHANNEL)).snapshot
        assert snapshot
        assert [finding.kind for finding in snapshot.findings] == ["summary_mismatch"]
        assert watching.metric("reportcast_watcher_flagged_total", finding="summary_mismatch") == 1


async def test_rejected_contents_are_read_back(tmp_path: Path) -> None:
    """By the next watcher, oldest first, for a broker that has lost them; none when there are none."""
    archive, again = DirectArchive(tmp_path), DirectArchive(tmp_path)
    assert await archive.rejections() == []
    rejections = [Rejection(MOMENT, "r.json", "syntax", f"no {n}", 1, 2, 9, "0" * 64, "- ä") for n in range(2)]
    for rejection in rejections:
        archive.reject(rejection, b"\xff" + rejection.message.encode())
    await written(archive)

    assert await again.rejections() == [(rejections[0], b"\xffno 0"), (rejections[1], b"\xffno 1")]


async def test_an_empty_broker_gets_the_rejected_contents_back(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """What was refused before a restart is listed after it, each once, also while the file is still bad."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, history_dir=history):
        await wait_served(memory_broker, audit_bytes(1))
        for bad in (b"[]", b"{}"):
            replace(path, bad)
            await await_until("it is on disk", functools.partial(is_refused, history, bad))
    empty = MemoryBroker(lambda: 0)

    async with running_watcher(empty, path, history_dir=history):
        listed = await rejections(empty, 2)

    assert [await empty.rejected_content(CHANNEL, each.id) for each in listed] == [b"{}", b"[]"]


def is_refused(directory: Path, content: bytes) -> bool:
    """Tell whether a rejected content is on disk, with its record."""
    found = [file for file in (directory / "rejected").glob("*.bin") if file.read_bytes() == content]
    return bool(found) and found[0].with_suffix(".json").exists()
