"""Real files under a real inotify: each change is told of by an event, without any sweep."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog.testing
import watcher.inotify
from watcher.arming import Armed
from watcher.inotify import Hint
from watcher.threads import in_daemon_thread
from watcher.watch import Followed, Watch, WatchMode

from tests.support.wait import await_until

NEVER_S = 3600.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Lookout:
    """Reads the report at each hint, and never else."""

    def __init__(self, path: Path) -> None:
        self.hints = 0
        self.last: Hint | None = None
        self.seen: dict[str, str] = {}
        self.modes: list[WatchMode] = []
        self._path = path

    def hint(self, hint: Hint) -> None:
        """Look again."""
        self.hints += 1
        self.last = hint
        self.seen = {}
        for path in self._path.parent.glob(self._path.name):
            with contextlib.suppress(OSError):
                self.seen[path.name] = path.read_text()

    async def sees(self, *texts: str) -> None:
        """Wait until the files hold what is expected, as the last hint found them."""
        await await_until(f"{texts} are seen", lambda: sorted(self.seen.values()) == sorted(texts))


@contextlib.asynccontextmanager
async def watching(poll_s: float = NEVER_S) -> AsyncIterator[Watch]:
    """Run a watch."""
    watch = Watch(poll_s)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watch.run())
        yield watch
        running.cancel()


def follow(watch: Watch, path: Path) -> tuple[Lookout, Followed]:
    """Follow a report that nobody sweeps."""
    lookout = Lookout(path)
    return lookout, watch.follow(path, lookout.hint, lookout.modes.append)


async def armed(watch: Watch, path: Path) -> Lookout:
    """Follow a report, as far as it exists."""
    lookout, followed = follow(watch, path)
    await followed.rearm()
    return lookout


def inotify_fds() -> list[str]:
    """Give this process' inotify instances, by their numbers."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "inotify" in os.readlink(f"/proc/self/fd/{name}"):
                found.append(name)
    return found


def kernel_watches() -> int:
    """Count what the kernel watches for this process."""
    return sum(Path(f"/proc/self/fdinfo/{fd}").read_text().count("inotify wd:") for fd in inotify_fds())


def swap_link(link: Path, target: str) -> None:
    """Do as ``ln -sf`` does."""
    temporary = link.with_name(link.name + ".tmp")
    temporary.symlink_to(target)
    temporary.replace(link)


def swap_config_map(directory: Path, number: int) -> None:
    """Do as the kubelet does: a new directory, ``..data`` swapped to it, the old one removed."""
    new = directory / f"..{number}"
    new.mkdir()
    (new / "r.json").write_text(str(number))
    old = directory / os.readlink(directory / "..data") if (directory / "..data").exists() else None
    swap_link(directory / "..data", new.name)
    if old:
        shutil.rmtree(old)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory below others, with a report in it."""
    directory = tmp_path / "a" / "b" / "c"
    directory.mkdir(parents=True)
    (directory / "r.json").write_text("0")
    return directory


def write(path: Path) -> None:
    path.write_text("1")


def rename(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("1")
    other.replace(path)


def recreate_directory(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_text("1")


def recreate_ancestors(path: Path) -> None:
    shutil.rmtree(path.parents[2])
    path.parent.mkdir(parents=True)
    path.write_text("1")


def move_another_directory_there(path: Path) -> None:
    other = path.parent.with_name("other")
    other.mkdir()
    (other / path.name).write_text("1")
    path.parent.rename(path.parent.with_name("old"))
    other.rename(path.parent)


def move_another_ancestor_there(path: Path) -> None:
    above = path.parents[2]
    other = above.with_name("other")
    (other / "b" / "c").mkdir(parents=True)
    (other / "b" / "c" / path.name).write_text("1")
    above.rename(above.with_name("old"))
    other.rename(above)


def put_a_link_there(path: Path) -> None:
    path.with_name("elsewhere").write_text("1")
    path.unlink()
    path.symlink_to("elsewhere")


def put_a_file_where_the_directory_was_and_back(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")
    path.parent.unlink()
    path.parent.mkdir()
    path.write_text("1")


@pytest.mark.parametrize(
    "change",
    [
        write,
        rename,
        recreate_directory,
        recreate_ancestors,
        move_another_directory_there,
        move_another_ancestor_there,
        put_a_link_there,
        put_a_file_where_the_directory_was_and_back,
    ],
)
async def test_a_change_is_told_of(change: Callable[[Path], None], place: Path) -> None:
    """And so is a plain write after it: the watch is on the right directory again."""
    path = place / "r.json"
    async with watching() as watch:
        lookout = await armed(watch, path)

        change(path)
        await lookout.sees("1")
        path.write_text("2")
        await lookout.sees("2")

    assert lookout.modes == [WatchMode("inotify")]


async def test_link_swaps_are_seen(place: Path) -> None:
    """Wherever the next target lies; and what is written into the newest target."""
    link = place / "latest.json"
    async with watching() as watch:
        lookout = await armed(watch, link)
        for number in range(20):
            target = place.parent / f"runs-{number % 3}" / f"{number}.json"
            target.parent.mkdir(exist_ok=True)
            target.write_text(str(number))
            swap_link(link, f"../{target.parent.name}/{target.name}")
            await lookout.sees(str(number))
        target.write_text("newest")

        await lookout.sees("newest")


async def test_config_map_swaps_are_seen(tmp_path: Path) -> None:
    """Each of fifty, at its end."""
    swap_config_map(tmp_path, 0)
    (tmp_path / "r.json").symlink_to("..data/r.json")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "r.json")
        for number in range(1, 51):
            swap_config_map(tmp_path, number)

            await lookout.sees(str(number))


async def test_a_directory_that_is_a_link_is_swapped(tmp_path: Path) -> None:
    """As ``current`` does in a tree of releases, here with an absolute target."""
    for number in range(3):
        (tmp_path / f"release-{number}" / "out").mkdir(parents=True)
        (tmp_path / f"release-{number}" / "out" / "r.json").write_text(str(number))
    (tmp_path / "current").symlink_to("release-0")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "current" / "out" / "r.json")
        for number in (1, 2, 0):
            swap_link(tmp_path / "current", str(tmp_path / f"release-{number}"))

            await lookout.sees(str(number))


async def test_a_path_that_does_not_exist_yet(tmp_path: Path) -> None:
    """However many of its directories are missing."""
    path = tmp_path / "x" / "y" / "z" / "r.json"
    async with watching() as watch:
        lookout = await armed(watch, path)
        path.parent.mkdir(parents=True)
        path.write_text("1")
        await lookout.sees("1")
        path.write_text("2")

        await lookout.sees("2")


async def test_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    """It is seen to give way."""
    path = tmp_path / "x" / "y" / "r.json"
    (tmp_path / "x").write_text("in the way")
    async with watching() as watch:
        lookout = await armed(watch, path)
        (tmp_path / "x").unlink()
        path.parent.mkdir(parents=True)
        path.write_text("1")

        await lookout.sees("1")


async def test_a_dangling_link_and_a_loop(tmp_path: Path) -> None:
    """They can be watched, and are seen to become good."""
    path = tmp_path / "r.json"
    path.symlink_to("missing/r.json")
    async with watching() as watch:
        lookout = await armed(watch, path)
        (tmp_path / "missing").mkdir()
        (tmp_path / "missing" / "r.json").write_text("1")
        await lookout.sees("1")
        swap_link(path, "r.json")
        await lookout.sees()
        rename(path)

        await lookout.sees("1")


async def test_a_parent_of_a_link_is_the_parent_of_its_target(tmp_path: Path) -> None:
    """As the kernel has it, and not as the text of the path looks."""
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep/down")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "link" / ".." / "r.json")
        (tmp_path / "deep" / "r.json").write_text("1")

        await lookout.sees("1")


async def test_a_pattern(tmp_path: Path) -> None:
    """Each matching file is told of, and so is its end."""
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "new" / "dns-*.json")
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "dns-1.json").write_text("1")
        await lookout.sees("1")
        (tmp_path / "new" / "dns-2.json").write_text("2")
        await lookout.sees("1", "2")
        (tmp_path / "new" / "dns-1.json").unlink()

        await lookout.sees("2")


async def test_two_reports_in_one_directory(tmp_path: Path) -> None:
    """Each is told of its own, and of nothing else."""
    async with watching() as watch:
        first = await armed(watch, tmp_path / "a-*.json")
        second = await armed(watch, tmp_path / "b.json")
        hints = first.hints
        (tmp_path / "b.json").write_text("b")
        await second.sees("b")
        assert first.hints == hints
        hints = second.hints
        (tmp_path / "a-1.json").write_text("a")
        (tmp_path / "neither").write_text("n")
        await first.sees("a")

        assert second.hints == hints


async def test_a_neighbour_whose_name_is_no_text(tmp_path: Path) -> None:
    """It is passed over; a pattern that matches it is told."""
    async with watching() as watch:
        exact, every = await armed(watch, tmp_path / "r.json"), await armed(watch, tmp_path / "*")
        (tmp_path / os.fsdecode(b"\xff\xfe")).write_text("x")
        await every.sees("x")
        (tmp_path / "r.json").write_text("1")

        await exact.sees("1")


async def test_one_that_leaves_does_not_deafen_another(tmp_path: Path) -> None:
    """Nor gets hints itself any more; the last one to leave takes the watches along."""
    async with watching() as watch:
        leaving, followed = follow(watch, tmp_path / "r.json")
        await followed.rearm()
        before = kernel_watches()
        staying, other = follow(watch, tmp_path / "r.json")
        await other.rearm()
        assert kernel_watches() == before
        followed.close()
        await followed.rearm()
        hints = leaving.hints
        (tmp_path / "r.json").write_text("1")
        await staying.sees("1")
        other.close()

        assert leaving.hints == hints
        assert kernel_watches() == 0


async def test_one_that_leaves_while_it_is_armed(tmp_path: Path) -> None:
    """What was watched for it in the meantime is not kept."""
    async with watching() as watch:
        _, followed = follow(watch, tmp_path / "r.json")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(followed.rearm())
            await await_until("the kernel watches", kernel_watches)
            followed.close()

        await await_until("nothing is watched", lambda: kernel_watches() == 0)


async def test_watches_do_not_leak(tmp_path: Path) -> None:
    """A thousand swaps leave as many watches as there were before; and the end leaves no instance."""
    swap_config_map(tmp_path, 0)
    (tmp_path / "r.json").symlink_to("..data/r.json")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "r.json")
        before = kernel_watches()
        for number in range(1, 1001):
            swap_config_map(tmp_path, number)
            if number % 10 == 0:
                await lookout.sees(str(number))

        await await_until("as many are watched as before", lambda: kernel_watches() == before)
        assert len(inotify_fds()) == 1
    assert inotify_fds() == []


def queue_limit() -> int:
    """Give how many events the kernel keeps."""
    return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


async def test_an_overflow_is_a_hint(tmp_path: Path) -> None:
    """For everyone, since nobody knows whom the lost events concerned; afterwards events are heard again."""
    (tmp_path / "busy").mkdir()
    busy = tmp_path / "busy" / "r.json"
    names = [busy, busy.with_name("other")]
    names[0].write_text("1")
    async with watching() as watch:
        await armed(watch, busy)
        lookout = await armed(watch, tmp_path / "r.json")
        hints = lookout.hints
        for turn in range(queue_limit()):  # two events each, and the loop does not run meanwhile
            names[turn % 2].rename(names[1 - turn % 2])

        await await_until("there was a hint", lambda: lookout.hints > hints)
        (tmp_path / "r.json").write_text("1")
        await lookout.sees("1")


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


async def test_a_hint_tells_whether_the_writer_has_closed_the_file(tmp_path: Path) -> None:
    """While it is open, what is there may be old and new in one."""
    path = tmp_path / "r.json"
    path.write_text("one")
    async with watching() as watch:
        lookout, followed = follow(watch, path)
        await followed.rearm()
        with path.open("r+b", buffering=0) as file:
            file.write(b"two")
            await lookout.sees("two")
            during = lookout.last
        await await_until("it is closed", lambda: lookout.last is Hint.CLOSED)
        with path.open("ab"):
            pass
        (tmp_path / "other").write_text("three")
        (tmp_path / "other").replace(path)
        await lookout.sees("three")
        assert (during, lookout.last) == (Hint.WRITING, Hint.PLACED)
