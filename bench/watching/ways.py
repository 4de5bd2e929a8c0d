"""The ways in which producers change a report, each with the moment from which a reader could have the new content."""

import enum
import os
import shutil
import time
from pathlib import Path

from bench.writer import report_bytes


class Way(enum.Enum):
    """How the file is changed; the value is how results name it."""

    RENAME = "atomic rename"
    SYMLINK = "symlink swap"
    CONFIGMAP = "ConfigMap swap"
    ONE_WRITE = "one write"
    CHUNKS = "20 chunks, 0.5 ms apart"
    SLOW = "60 chunks over 2 s"

    @property
    def is_atomic(self) -> bool:
        """Whether a reader sees the old content or the new, and nothing between."""
        return self in (Way.RENAME, Way.SYMLINK, Way.CONFIGMAP)

    @property
    def chunks(self) -> tuple[int, float]:
        """Into how many writes a change in place is cut, and how long the pause after each is, in seconds."""
        return {Way.CHUNKS: (20, 0.0005), Way.SLOW: (60, 2 / 60)}.get(self, (1, 0.0))


def cut(content: bytes, count: int) -> list[bytes]:
    """Cut ``content`` into at most ``count`` pieces; the last holds the last brace."""
    size = -(-len(content) // count)
    return [content[start : start + size] for start in range(0, len(content), size)]


class Producer:
    """
    Changes one report in one way.

    Attributes:
        path: What is watched.
        change: Number of the last change; 0 before the first.
        began_ns: When the clock of each change started (CLOCK_MONOTONIC), by its number: just before the call that
            makes the new content the whole of what is seen.

    Args:
        folder: Of its own, there and empty.
        way: How.
        repos: How many repositories the report lists; each takes about 300 bytes.
    """

    def __init__(self, folder: Path, way: Way, repos: int) -> None:
        self.path = folder / "report.json"
        self.change = 0
        self.began_ns: dict[int, int] = {}
        self._folder = folder
        self._way = way
        self._repos = repos

    def write(self) -> None:
        """Make the next change."""
        self.change += 1
        self.began_ns[self.change] = self._write(report_bytes(self.change, self._repos))

    def _write(self, content: bytes) -> int:
        match self._way:
            case Way.RENAME:
                return self._rename(content)
            case Way.SYMLINK:
                return self._swap_link(content)
            case Way.CONFIGMAP:
                return self._swap_directory(content)
            case _:
                return self._write_in_place(content)

    def _rename(self, content: bytes) -> int:
        temporary = self._folder / ".report.json.tmp"
        temporary.write_bytes(content)
        return _replace(temporary, self.path)

    def _swap_link(self, content: bytes) -> int:
        """As ``ln -sf`` does; the file that the link led to before goes."""
        before = self._folder / f"{self.change - 1}.json"
        (self._folder / f"{self.change}.json").write_bytes(content)
        temporary = self._folder / ".link"
        temporary.symlink_to(f"{self.change}.json")
        began_ns = _replace(temporary, self.path)
        before.unlink(missing_ok=True)
        return began_ns

    def _swap_directory(self, content: bytes) -> int:
        """As Kubernetes' AtomicWriter does."""
        before, now = (self._folder / f"..{number}" for number in (self.change - 1, self.change))
        now.mkdir()
        (now / self.path.name).write_bytes(content)
        temporary = self._folder / "..data_tmp"
        temporary.symlink_to(now.name)
        began_ns = _replace(temporary, self._folder / "..data")
        if not self.path.is_symlink():
            self.path.symlink_to(f"..data/{self.path.name}")
        shutil.rmtree(before, ignore_errors=True)
        return began_ns

    def _write_in_place(self, content: bytes) -> int:
        count, pause_s = self._way.chunks
        *earlier, last = cut(content, count)
        with self.path.open("wb", buffering=0) as file:
            for chunk in earlier:
                file.write(chunk)
                time.sleep(pause_s)
            began_ns = time.monotonic_ns()
            file.write(last)
        return began_ns


def _replace(new: Path, old: Path) -> int:
    began_ns = time.monotonic_ns()
    os.replace(new, old)
    return began_ns
