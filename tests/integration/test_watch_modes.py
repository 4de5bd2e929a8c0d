"""A report is watched by inotify or polled, and why is said."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog.testing
import watcher.inotify
from watcher.arming import Armed
from watcher.threads import in_daemon_thread
from watcher.watch import Watch, WatchMode

from tests.support.wait import await_until
from tests.support.watching import armed, follow, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


async def test_the_mode_is_logged_once(tmp_path: Path) -> None:
    """However often the path is looked at."""
    with structlog.testing.capture_logs() as lines:
        async with watching() as watch:
            lookout, followed = follow(watch, tmp_path / "r.json")
            for _ in range(3):
                await followed.rearm()

    assert [(line["event"], line["mode"], line["why"]) for line in lines] == [("watching", "inotify", "")]
    assert lookout.hints == 1
    assert followed.mode == WatchMode("inotify")


async def test_a_platform_without_inotify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is polled."""
    monkeypatch.setattr(watcher.inotify, "inotify_simple", None)
    async with watching(0.02) as watch:
        lookout = await armed(watch, tmp_path / "r.json")
        (tmp_path / "r.json").write_text("1")
        await lookout.sees("1")

    assert lookout.modes == [WatchMode("polling", "this platform has no inotify")]


async def test_what_a_call_raises_is_raised_where_it_is_awaited() -> None:
    """As if it had been called there."""
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0)


class Hangs:
    """Calls for one path that do not return, as on a mount whose server is gone, until ``server_is_back``."""

    def __init__(self) -> None:
        self.server_is_back = threading.Event()
        self.is_hanging = False

    async def __call__(self, call: Callable[[], Armed]) -> Armed:
        """Let the first caller hang."""
        if self.is_hanging:
            return await in_daemon_thread(call)
        self.is_hanging = True

        def hang() -> Armed:
            self.server_is_back.wait()
            return call()

        return await in_daemon_thread(hang)


async def test_a_mount_that_hangs_holds_up_nobody_else(tmp_path: Path) -> None:
    """The others are watched; the one that hangs is polled, and watched when its server is back."""
    hangs = Hangs()
    watch = Watch(0.02, hangs)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watch.run())
        hung, followed = follow(watch, tmp_path / "hung.json")
        tasks.create_task(followed.rearm())
        await await_until("it hangs", lambda: hangs.is_hanging)
        await armed(watch, tmp_path / "r.json")
        await await_until("the one that hangs is polled", lambda: hung.hints > 2)
        assert hung.modes == []
        hangs.server_is_back.set()
        await await_until("it is watched", lambda: hung.modes == [WatchMode("inotify")])
        running.cancel()


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """Give a directory that is a FUSE mount of ``tmp_path / "source"``."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    if shutil.which("bindfs") is None or subprocess.run(["bindfs", source, target]).returncode:
        pytest.skip("FUSE mounts need bindfs, /dev/fuse and mostly root")
    yield target
    subprocess.run(["umount", target], check=True)


async def test_a_fuse_mount_is_polled(bound: Path, tmp_path: Path) -> None:
    """What its source changes is seen at the next interval, and the reason is said."""
    async with watching(0.05) as watch:
        lookout = await armed(watch, bound / "r.json")
        (tmp_path / "source" / "r.json").write_text("1")
        await lookout.sees("1")

    assert lookout.modes == [WatchMode("polling", "fuse does not tell of changes made elsewhere")]


@pytest.fixture
def mounted_file(tmp_path: Path) -> Iterator[Path]:
    """Give a file that is a bind mount of ``tmp_path / "source.json"``."""
    source, target = tmp_path / "source.json", tmp_path / "mounted" / "r.json"
    target.parent.mkdir()
    target.touch()
    source.touch()
    if os.geteuid() or subprocess.run(["mount", "--bind", source, target]).returncode:
        pytest.skip("bind mounts need root")
    yield target
    subprocess.run(["umount", target], check=True)


async def test_a_mounted_file_is_polled(mounted_file: Path, tmp_path: Path) -> None:
    """A write at its source raises no event in the directory that it is mounted in."""
    async with watching(0.05) as watch:
        lookout = await armed(watch, mounted_file)
        (tmp_path / "source.json").write_text("1")
        await lookout.sees("1")

    assert [mode.kind for mode in lookout.modes] == ["polling"]
    assert "mount point" in lookout.modes[0].why


LIMITED = """
import asyncio, os, sys
from pathlib import Path
from watcher.watch import Watch

LIMIT, PATH = Path(sys.argv[1]), Path(sys.argv[2])


async def main():
    hints, modes, watch = [], [], Watch(0.01)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watch.run())
        followed = watch.follow(PATH, hints.append, modes.append)
        await followed.rearm()
        before = len(hints)
        while len(hints) < before + 3:
            await asyncio.sleep(0.01)
        LIMIT.write_text("1000")
        await followed.rearm()
        running.cancel()
    print(*(f"{mode.kind}: {mode.why}" for mode in modes), sep="\\n")


asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        pytest.param("max_inotify_watches", "fs.inotify.max_user_watches", id="watches"),
        pytest.param("max_inotify_instances", "fs.inotify.max_user_instances", id="instances"),
    ],
)
def test_a_limit_is_named_and_polling_takes_over(limit: str, why: str, tmp_path: Path) -> None:
    """In a process that may have no more of them; when the limit is raised, the next look watches again."""
    sysctl = f"/proc/sys/user/{limit}"
    in_namespace = ["unshare", "--user", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*in_namespace, "test", "-w", sysctl]).returncode:
        pytest.skip("user namespaces are not allowed here")
    script = f'echo 0 > {sysctl} && exec "$@"'
    child = [sys.executable, "-c", LIMITED, sysctl, str(tmp_path / "r.json")]

    result = subprocess.run(
        [*in_namespace, "sh", "-c", script, "sh", *child], capture_output=True, text=True, check=True, timeout=60
    )

    modes = [line for line in result.stdout.splitlines() if line.startswith(("polling: ", "inotify: "))]
    assert len(modes) == 2, result.stdout
    assert modes[0].startswith("polling: ")
    assert why in modes[0]
    assert modes[1] == "inotify: "
