"""Reports that are followed under a real inotify, and ways to swap what a path leads to."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from watcher.inotify import Hint
from watcher.watch import Followed, Watch, WatchMode

from tests.support.wait import await_until

NEVER_S = 3600.0


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
