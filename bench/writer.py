"""The producer: a report whose every change has a number, written in the ways that producers write."""

import datetime
import enum
import json
import os
import time
from pathlib import Path
from typing import Any

# A shell script writes a line or a few at a time.
CHUNKS = 20
CHUNK_PAUSE_S = 0.0005

STATUSES = ("clean", "dirty", "missing", "extra")
NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


class Mode(enum.Enum):
    """How the file is written; the value is how results name it."""

    REPLACE = "replace"
    IN_PLACE = "in place"


def report_bytes(change: int, repos: int) -> bytes:
    """Give the report of change number ``change``, as ``jq`` writes it; clients find the number in its beginning."""
    rows = [_repo(number, change) for number in range(repos)]
    states = [row["status"] for row in rows]
    report = {
        "change": change,
        "timestamp": (NOON + datetime.timedelta(seconds=change)).isoformat().replace("+00:00", "Z"),
        "health_status": "yellow",
        "summary": {"total": repos, **{status: states.count(status) for status in STATUSES}},
        "repos": rows,
    }
    return json.dumps(report, indent=2).encode() + b"\n"


def chunks_of(content: bytes) -> list[bytes]:
    """Cut ``content`` into CHUNKS pieces, as a producer of many small writes does; the last holds the last brace."""
    size = -(-len(content) // CHUNKS)
    return [content[start : start + size] for start in range(0, len(content), size)]


class Writer:
    """
    Changes one report file.

    Attributes:
        change: Number of the last change; 0 before the first.
        began_ns: When the clock of each change started (CLOCK_MONOTONIC), by its number.

    Args:
        path: The file.
        mode: How to write it.
        repos: How many repositories it lists; each takes about 300 bytes.
    """

    def __init__(self, path: Path, mode: Mode, repos: int) -> None:
        self.change = 0
        self.began_ns: dict[int, int] = {}
        self._path = path
        self._mode = mode
        self._repos = repos

    def write(self) -> None:
        """Make the next change."""
        self.change += 1
        content = report_bytes(self.change, self._repos)
        write = self._replace if self._mode is Mode.REPLACE else self._write_in_place
        self.began_ns[self.change] = write(content)

    def _replace(self, content: bytes) -> int:
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        temporary.write_bytes(content)
        began_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.replace(temporary, self._path)
        return began_ns

    def _write_in_place(self, content: bytes) -> int:
        *earlier, last = chunks_of(content)
        with self._path.open("wb", buffering=0) as file:
            for chunk in earlier:
                file.write(chunk)
                time.sleep(CHUNK_PAUSE_S)
            began_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            file.write(last)
        return began_ns


def _repo(number: int, change: int) -> dict[str, Any]:
    name = f"homelab-service-{number:03}"
    return {
        "name": name,
        # One repository differs from one change to the next.
        "status": "dirty" if number == change % 50 else "clean",
        "local_path": f"/srv/git/{name}",
        "remote": f"https://git.example/homelab/{name}.git",
        "branch": "main",
        "last_commit": f"{number * 2654435761 % 2**32:08x}",
        "uncommittedChanges": number == change % 50,
    }
