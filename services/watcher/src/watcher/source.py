"""
Hints that the report file may have changed, from the file system.

The directories are watched, not the file: a rename or a symlink swap leaves a watch on the file deaf. A hint says
only "look again"; what is missed here (a lost event, a directory made anew, a watch that cannot be had) is found by
the sweep, so this module may fail and start over but never has to be right.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import structlog
import watchfiles
from watchfiles import Change
from watchfiles.main import FileChange

# A chain of symlinks this long is a loop (Linux gives up at 40 too).
MAX_LINKS = 40

# watchfiles looks for events so often, and tells of them after one such step without more. Measured idle: 1 ms costs
# 1.6 % of a core, 2 ms 1.0 %, 5 ms 0.6 %; each step more is latency.
STEP_MS = 2
DEBOUNCE_MS = 20

# After a failed watch, arm it again so soon; if it fails for the same reason again, only with the next sweep.
REARM_S = 0.1

Directory = tuple[Path, int, int]  # path, device, inode


def directories(path: Path) -> frozenset[Directory]:
    """
    Give the directories whose events concern ``path``: its own, and that of each link on the way.

    One that does not exist is stood for by the nearest above it that does: there it will appear.
    """
    found = set()
    link = Path(os.path.abspath(path))  # not resolve(): that would follow the links
    for _ in range(MAX_LINKS):
        found.add(_nearest(link.parent))
        try:
            link = link.parent / os.readlink(link)
        except OSError:  # the end of the chain: no link
            break
    return frozenset(found)


def _nearest(directory: Path) -> Directory:
    for candidate in (directory, *directory.parents):
        with contextlib.suppress(OSError):
            seen = os.stat(candidate)
            return candidate, seen.st_dev, seen.st_ino
    return Path("/"), 0, 0  # can't happen: the root can always be looked at


async def hints(path: Path, sweep_s: float, on_error: Callable[[str], None]) -> AsyncIterator[None]:
    """
    Tell each time that the file at ``path`` may have changed; at least every ``sweep_s``, without end.

    Args:
        path: The report file; it, its directory or a link on the way need not exist.
        sweep_s: At least so often.
        on_error: Called with the reason when the watch fails, once for each reason in a row.
    """
    log = structlog.get_logger("source").bind(path=ascii(str(path))[1:-1])
    last_error: str | None = None
    while True:
        watched = await asyncio.to_thread(directories, path)
        yield None  # whatever happened while no watch stood; the moment until it does is the sweep's
        try:
            async with contextlib.aclosing(_events(watched, sweep_s)) as events:
                async for changes in events:
                    last_error = None
                    yield None
                    if _ended(watched, changes) or await asyncio.to_thread(directories, path) != watched:
                        break
        # watchfiles raises whatever its Rust core meets, mostly in a group: OSError for a lost directory or a limit,
        # RuntimeError for a neighbour's name that is not UTF-8. None of them is a reason to stop watching.
        except* (OSError, RuntimeError, ValueError) as group:
            reason = str(_first(group))
            delay_s = sweep_s if reason == last_error else REARM_S
            if reason != last_error:
                last_error = reason
                log.warning("watch failed", reason=reason)
                on_error(reason)
            await asyncio.sleep(min(delay_s, sweep_s))


def _ended(watched: frozenset[Directory], changes: set[FileChange]) -> bool:
    """Tell whether a watched directory itself went away; one made anew may even get its inode."""
    paths = {str(path) for path, _, _ in watched}
    return any(change is Change.deleted and path in paths for change, path in changes)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _events(watched: frozenset[Directory], sweep_s: float) -> AsyncGenerator[set[FileChange], None]:
    return watchfiles.awatch(
        *(path for path, _, _ in watched),
        watch_filter=None,
        recursive=False,
        step=STEP_MS,
        debounce=DEBOUNCE_MS,
        rust_timeout=int(sweep_s * 1000),
        yield_on_timeout=True,
    )
