"""
The one inotify instance of the process: a user has only 128 of them.

It has one watch per directory (inode), however many listen there and by whatever path they came.
"""

import asyncio
import contextlib
import enum
import errno
import fnmatch
import os
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

try:
    import inotify_simple  # type: ignore[import-untyped]
except ImportError:  # not Linux
    inotify_simple = None

MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x2, 0x4, 0x8, 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF, UNMOUNT, Q_OVERFLOW, IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
ONLYDIR, EXCL_UNLINK, MASK_ADD = 0x0100_0000, 0x0400_0000, 0x2000_0000

# That a directory itself goes or moves; that names in it come and go; that what they name changes.
SELF = DELETE_SELF | MOVE_SELF | ONLYDIR | EXCL_UNLINK
NAMES = SELF | CREATE | DELETE | MOVED_FROM | MOVED_TO
CONTENTS = NAMES | MODIFY | CLOSE_WRITE | ATTRIB

RENAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO
GONE = DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED


class Hint(enum.Enum):
    """What a hint knows of the file's writer."""

    LOOK = "nothing"
    WRITING = "it has written and not closed the file"
    CLOSED = "somebody who could write has closed the file"
    PLACED = "it has put the file in its place"


# So much of the queue is read at once (some thousand events), so that a storm does not hold the event loop.
READ_BYTES = 65536


class Interest(NamedTuple):
    """
    What of a directory is of interest.

    Attributes:
        directory: Absolute, without symlinks.
        name: Of the entry; empty if only the directory itself is of interest.
        mask: SELF, NAMES or CONTENTS.
        is_pattern: Whether ``name`` is a pattern; then names that match it lead nowhere else.
    """

    directory: str
    name: str
    mask: int
    is_pattern: bool = False


class Listener(Protocol):
    """Who wants to know of events."""

    def notice(self, hint: Hint, leads_elsewhere: bool) -> None:
        """Learn that something of interest happened, and whether its path may lead elsewhere now."""


class Inotify:
    """Watches directories for its listeners, and opens itself when it is first needed."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._is_closed = False
        self._instance: inotify_simple.INotify | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: dict[Listener, Mapping[Interest, int]] = {}
        # By watch descriptor; the kernel does not give one again before two thousand million others.
        self._listening: dict[int, dict[Listener, set[Interest]]] = {}

    def open(self) -> None:
        """
        See that there is an instance; from any thread.

        Raises:
            OSError: ENOSYS if the platform has none, EMFILE at a limit, EBADF after ``close``.
        """
        with self._opening:
            if self._is_closed:
                raise OSError(errno.EBADF, "closed")
            if inotify_simple is None:
                raise OSError(errno.ENOSYS, "no inotify")
            if self._instance is None:
                self._instance = inotify_simple.INotify(nonblocking=True)

    def add(self, interest: Interest) -> int:
        """
        Have the kernel watch a directory, and give the watch's number; from any thread, it may block for ever.

        Until a listener has it by ``listen``, another that leaves may take it away: add again after that, and compare.

        Raises:
            OSError: As inotify_add_watch(2).
        """
        assert self._instance is not None, "open() comes first"
        try:
            # MASK_ADD, because another interest in the same directory may need more.
            wd: int = self._instance.add_watch(interest.directory, interest.mask | MASK_ADD)
        except ValueError as exc:  # the file object is closed
            raise OSError(errno.EBADF, "closed") from exc
        return wd

    def listen(self, listener: Listener, watches: Mapping[Interest, int]) -> bool:
        """
        Tell ``listener`` of the events of ``watches`` and of no other; what nobody needs any more is not watched.

        Returns:
            Whether that is anything new.
        """
        self._start_reading()
        before = self._watched.get(listener, {})
        if before == watches:
            return False
        for interest, wd in watches.items():
            self._listening.setdefault(wd, {}).setdefault(listener, set()).add(interest)
        for interest, wd in before.items():
            if watches.get(interest) != wd:
                self._forget(listener, interest, wd)
        self._watched[listener] = watches
        if not watches:
            del self._watched[listener]
        return True

    def close(self) -> None:
        """Give back the instance, for good."""
        with self._opening:
            self._is_closed = True
            if self._instance is not None:
                if self._loop is not None:
                    self._loop.remove_reader(self._instance.fileno())
                self._instance.close()

    def _start_reading(self) -> None:
        if self._loop is None and self._instance is not None and not self._is_closed:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._instance.fileno(), self._read)

    def _forget(self, listener: Listener, interest: Interest, wd: int) -> None:
        listeners = self._listening.get(wd, {})  # none: the kernel said IGNORED
        interests = listeners.get(listener, set())
        interests.discard(interest)
        if listeners and not interests:
            listeners.pop(listener, None)
            if not listeners:
                self._remove(wd)

    def _remove(self, wd: int) -> None:
        del self._listening[wd]
        if self._instance is not None and not self._is_closed:
            with contextlib.suppress(OSError):  # it ended by itself, and its IGNORED is still to be read
                self._instance.rm_watch(wd)

    def _read(self) -> None:
        assert self._instance is not None, "its reader called"
        try:
            events = inotify_simple.parse_events(os.read(self._instance.fileno(), READ_BYTES))
        except BlockingIOError:
            return
        noticed: dict[Listener, tuple[Hint, bool]] = {}
        for wd, mask, _, name in events:
            hint = _hint_of(mask)
            for listener, leads_elsewhere in self._concerned(wd, mask, name):
                before, led_elsewhere = noticed.get(listener, (Hint.LOOK, False))
                noticed[listener] = before if hint is Hint.LOOK else hint, led_elsewhere or leads_elsewhere
            if mask & IGNORED:
                self._listening.pop(wd, None)
        for listener, (hint, leads_elsewhere) in noticed.items():
            listener.notice(hint, leads_elsewhere)

    def _concerned(self, wd: int, mask: int, name: str) -> Iterator[tuple[Listener, bool]]:
        if mask & Q_OVERFLOW:
            yield from ((listener, True) for listener in self._watched)
            return
        for listener, interests in self._listening.get(wd, {}).items():
            if mask & GONE or not name:  # without a name: the directory's own permissions
                yield listener, True
            for interest in interests:
                if interest.is_pattern and fnmatch.fnmatchcase(name, interest.name):
                    yield listener, False
                elif interest.name == name:
                    yield listener, bool(mask & RENAMES)


def _hint_of(mask: int) -> Hint:
    if mask & (MODIFY | CREATE):
        return Hint.WRITING
    if mask & MOVED_TO:
        return Hint.PLACED
    return Hint.CLOSED if mask & CLOSE_WRITE else Hint.LOOK
