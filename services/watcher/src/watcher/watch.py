"""
Hints that reports may have changed: from the file system where it can be trusted, else from a clock.

Directories are watched, not files: a rename or a symlink swap leaves a watch on a file deaf. A hint says only "look
again". What is missed here all the same (a mount put over a directory, a hard link elsewhere) is found by the sweep.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from watcher.arming import Armed, arm
from watcher.inotify import Hint, Inotify
from watcher.threads import in_daemon_thread

# While the path keeps changing, resolve it so many times; then leave it to the events of what is watched by then.
MAX_TRIES = 8

InThread = Callable[[Callable[[], Armed]], Awaitable[Armed]]


class WatchMode(NamedTuple):
    """
    How changes of a report are noticed.

    Attributes:
        kind: By events, or by looking at every interval.
        why: Why not by events, as part of a sentence; empty if it is by events.
    """

    kind: Literal["inotify", "polling"]
    why: str = ""


class Watch:
    """
    Gives hints for any number of reports.

    Args:
        poll_s: How often there is a hint for a report that is polled.
        in_thread: Makes calls that may never return.
    """

    def __init__(self, poll_s: float, in_thread: InThread = in_daemon_thread) -> None:
        self._in_thread = in_thread
        self._inotify = Inotify()
        self._poller = _Poller(poll_s)
        self._due: set[Followed] = set()
        self._is_due = asyncio.Event()

    async def run(self) -> None:
        """Watch, for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poller.run())
                while True:
                    await self._is_due.wait()
                    self._is_due.clear()
                    due, self._due = self._due, set()
                    for followed in due:
                        tasks.create_task(followed.arm(self._in_thread))
        finally:
            self._inotify.close()

    def follow(self, path: Path, hint: Callable[[Hint], None], on_mode: Callable[[WatchMode], None]) -> "Followed":
        """
        Give hints for one more report; it is polled until its first ``rearm`` is done.

        Args:
            path: The report file; neither it nor its directory need exist. Its last component may be a pattern.
            hint: Called whenever the report may have changed.
            on_mode: Called with the first mode, and with each that follows.
        """
        return Followed(path, hint, on_mode, self._inotify, self._poller, self._arm_soon)

    def _arm_soon(self, followed: "Followed") -> None:
        self._due.add(followed)
        self._is_due.set()


class Followed:
    """One report that hints are given for; made by ``Watch.follow``."""

    def __init__(
        self,
        path: Path,
        hint: Callable[[Hint], None],
        on_mode: Callable[[WatchMode], None],
        inotify: Inotify,
        poller: "_Poller",
        arm_soon: Callable[["Followed"], None],
    ) -> None:
        self.mode = WatchMode("polling", "not looked at yet")
        self._path = path
        self._hint = hint
        self._on_mode = on_mode
        self._inotify = inotify
        self._poller = poller
        self._arm_soon = arm_soon
        self._armed = asyncio.Event()
        self._is_arming = self._is_stale = self._is_known = self._is_closed = False
        self._log = structlog.get_logger("watch").bind(path=ascii(str(path))[1:-1])
        poller.set(self, hint)

    async def rearm(self) -> None:
        """
        See what the path leads through now, and watch what is not watched yet; hints if that changed anything.

        It lasts as long as the file systems on the way take to answer, and needs ``Watch.run``.
        """
        self._want_arming()
        if not self._is_closed:
            await self._armed.wait()

    def notice(self, hint: Hint, leads_elsewhere: bool) -> None:
        """Take an event from inotify."""
        self._hint(hint)
        if leads_elsewhere:
            self._want_arming()

    async def arm(self, in_thread: InThread) -> None:
        """Do what ``rearm`` asked for; only ``Watch.run`` calls this, once at a time."""
        changed = False
        for _ in range(MAX_TRIES):
            armed = await in_thread(lambda: arm(self._path, self._inotify))
            is_new = self._inotify.listen(self, armed.watches)
            changed = changed or is_new
            if self._is_closed:  # meanwhile
                self._inotify.listen(self, {})
            if not is_new or self._is_closed:  # the same, and listened to since before: nothing went by in between
                break
        if not self._is_closed and (self._set_mode(armed.why) or changed):
            self._hint(Hint.LOOK)
        self._is_arming = False
        self._armed.set()
        if self._is_stale:
            self._is_stale = False
            self._want_arming()

    def close(self) -> None:
        """Give no more hints."""
        self._is_closed = True
        self._poller.discard(self)
        self._inotify.listen(self, {})

    def _want_arming(self) -> None:
        if self._is_arming:
            self._is_stale = True
        elif not self._is_closed:
            self._is_arming = True
            self._armed.clear()
            self._arm_soon(self)

    def _set_mode(self, why: str) -> bool:
        mode = WatchMode("polling", why) if why else WatchMode("inotify")
        if self._is_known and mode == self.mode:
            return False
        tell = self._log.warning if why else self._log.info
        tell("watch mode changed" if self._is_known else "watching", mode=mode.kind, why=mode.why)
        self.mode, self._is_known = mode, True
        if mode.kind == "polling":
            self._poller.set(self, self._hint)
        else:
            self._poller.discard(self)
        self._on_mode(mode)
        return True


class _Poller:
    """One clock for all reports that are polled; it stands still while there are none."""

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._hints: dict[object, Callable[[Hint], None]] = {}
        self._is_needed = asyncio.Event()

    def set(self, who: object, hint: Callable[[Hint], None]) -> None:
        self._hints[who] = hint
        self._is_needed.set()

    def discard(self, who: object) -> None:
        self._hints.pop(who, None)
        if not self._hints:
            self._is_needed.clear()

    async def run(self) -> None:
        while True:
            await self._is_needed.wait()
            await asyncio.sleep(self._poll_s)
            for hint in tuple(self._hints.values()):
                hint(Hint.LOOK)
