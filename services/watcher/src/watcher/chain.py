"""Which directories, and which names in them, decide what a path leads to."""

import errno
import glob
import os
from pathlib import Path
from typing import NamedTuple

from watcher.inotify import CONTENTS, NAMES, SELF, Interest

# A chain of symlinks this long is a loop (Linux gives up at 40 too).
MAX_LINKS = 40


class Chain(NamedTuple):
    """
    What a path leads through.

    Attributes:
        interests: What to watch; a directory that does not exist is stood for by the nearest above it that does, where
            it will appear.
        end: The path without symlinks; if it does not exist, up to the first component that is missing.
        why: Why the walk could go no further, as part of a sentence; empty if it came to the end.
    """

    interests: frozenset[Interest]
    end: str
    why: str = ""


def walk(path: Path) -> Chain:
    """
    Follow ``path`` component by component, through each symlink on the way.

    Args:
        path: Its last component may be a pattern (``dns-*.json``); then the links that match it are not followed.
    """
    return _Walk(path).walk()


class _Walk:
    def __init__(self, path: Path) -> None:
        # Not abspath() nor resolve(): ".." after a symlink means the parent of its target, and links are of interest.
        self._todo = list(reversed((Path.cwd() / path).parts[1:]))
        self._pattern = self._todo[0] if self._todo and glob.has_magic(self._todo[0]) else None
        self._here = "/"
        self._found: set[Interest] = set()

    def walk(self) -> Chain:
        links, name = 0, ""
        while self._todo and links <= MAX_LINKS:
            name = self._todo.pop()
            if name == "..":
                self._here = os.path.dirname(self._here)
                continue
            if not self._todo and self._pattern is not None:
                return self._ended(name, is_pattern=True)
            try:
                target = os.readlink(os.path.join(self._here, name))
            except OSError as error:
                if error.errno != errno.EINVAL:  # which says: no symlink
                    return self._stopped(name, error)
                if not self._todo:
                    return self._ended(name)
                self._here = os.path.join(self._here, name)
                self._found.add(Interest(self._here, "", SELF))
            else:
                links += 1
                self._follow(name, target)
        return Chain(frozenset(self._found), os.path.join(self._here, name))

    def _follow(self, name: str, target: str) -> None:
        self._found.add(Interest(self._here, name, NAMES))
        if os.path.isabs(target):
            self._here = "/"
        self._todo.extend(part for part in reversed(target.split("/")) if part not in ("", "."))

    def _ended(self, name: str, is_pattern: bool = False) -> Chain:
        self._found.add(Interest(self._here, name, CONTENTS, is_pattern))
        return Chain(frozenset(self._found), os.path.join(self._here, name))

    def _stopped(self, name: str, error: OSError) -> Chain:
        """Look out for the component that is missing, or in the way, to come or to go."""
        if error.errno == errno.ENOTDIR:
            self._found.discard(Interest(self._here, "", SELF))
            self._here, name = os.path.split(self._here)
        self._found.add(Interest(self._here, name, NAMES if self._todo else CONTENTS))
        known = error.errno in (errno.ENOENT, errno.ENOTDIR)
        why = "" if known else f"{self._here}: {error.strerror}"
        return Chain(frozenset(self._found), os.path.join(self._here, name), why)
