"""Several channels in one watcher."""

import os
import subprocess
from pathlib import Path

from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import SourceState

from tests.integration.test_watcher import replace
from tests.support.reports import audit_bytes
from tests.support.running import running_gateway, running_watcher
from tests.support.wait import await_until


async def wait_body(broker: Broker, channel: str, body: bytes) -> None:
    """Wait until a channel's newest report is this."""

    async def is_so() -> bool:
        snapshot = (await broker.state(channel)).snapshot
        return snapshot is not None and snapshot.body == body

    await await_until(f"{channel} is {body[:40]!r}", is_so)


async def test_channels_are_independent(broker: Broker, tmp_path: Path) -> None:
    """One is torn, one hangs on a FIFO, one is missing, one is no audit report: the others come all the same."""
    paths = {name: tmp_path / name / "r.json" for name in ("audit", "torn", "fifo", "missing", "list")}
    for path in paths.values():
        path.parent.mkdir()
    paths["audit"].write_bytes(audit_bytes(1))
    paths["torn"].write_bytes(b'{"a":')
    os.mkfifo(paths["fifo"])
    paths["list"].write_bytes(b"[1, 2]")
    async with running_watcher(broker, reports=paths):
        await wait_body(broker, "list", b"[1,2]")
        for mark in range(5):
            replace(paths["list"], b"[%d]" % mark)
            await wait_body(broker, "list", b"[%d]" % mark)

        async def are_told() -> bool:
            states = [(await broker.state(name)).source for name in ("audit", "torn", "fifo", "missing")]
            return [state and state.state for state in states] == [
                SourceState.LIVE,
                SourceState.REJECTED,
                SourceState.REJECTED,
                SourceState.WAITING,
            ]

        await await_until("each is told of", are_told)
        replace(paths["torn"], b"{}")
        await wait_body(broker, "torn", b"{}")


async def test_the_newest_file_of_a_pattern(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A producer writes a new file each time; one that is torn leaves the last good one served."""
    async with running_watcher(memory_broker, reports={"dns": tmp_path / "dns-*.json"}):
        for day in range(1, 4):
            (tmp_path / f"dns-{day}.json").write_bytes(b"[%d]" % day)
            (tmp_path / f"other-{day}.json").write_bytes(b"{}")
            await wait_body(memory_broker, "dns", b"[%d]" % day)
        newest = tmp_path / "dns-4.json"
        newest.write_bytes(b"[")

        async def is_refused() -> bool:
            return len(await memory_broker.rejections("dns")) == 1

        await await_until("the torn one is refused", is_refused)
        assert (await memory_broker.rejections("dns"))[0].file == "dns-4.json"
        await wait_body(memory_broker, "dns", b"[3]")
        newest.unlink()
        os.utime(tmp_path / "dns-1.json")
        await wait_body(memory_broker, "dns", b"[1]")


async def test_a_hundred_reports(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """One inotify instance serves them all, and a refresh of one reads that one."""
    paths = {f"c{number}": tmp_path / f"{number}.json" for number in range(100)}
    async with running_watcher(memory_broker, reports=paths), running_gateway(memory_broker, ("c7",)) as gateway:
        for number, path in enumerate(paths.values()):
            path.write_bytes(b"[%d]" % number)
        for number, channel in enumerate(paths):
            await wait_body(memory_broker, channel, b"[%d]" % number)
        links = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if is_open(name)]
        assert sum("inotify" in link for link in links) == 1
        answer = await gateway.http.post("api/ws/trigger-update", params={"channel": "c7"})
        assert answer.status_code == 200


def is_open(name: str) -> bool:
    """Tell whether a descriptor is still there after it was listed."""
    return os.path.lexists(f"/proc/self/fd/{name}")


def write_with_shell(path: Path, text: str) -> None:
    """Write as most cron jobs do."""
    subprocess.run(["sh", "-c", f"echo '{text}' > {path}"], check=True)


async def test_a_writer_of_generic_reports(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A shell script with a redirection; white space is no change."""
    path = tmp_path / "status.json"
    async with running_watcher(memory_broker, reports={"status": path}) as watching:
        for text, body in (('{ "ok" : true }', b'{"ok":true}'), ("[ ]", b"[]")):
            write_with_shell(path, text)
            await wait_body(memory_broker, "status", body)
        write_with_shell(path, "[]")
        value = watching.registry.get_sample_value
        await await_until(
            "it is unchanged", lambda: value("reportcast_watcher_unchanged_total", {"channel": "status"}) == 1
        )
