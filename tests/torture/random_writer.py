"""
One of several processes that write the same report: ``random_writer.py KIND REPORT COUNT``.

Who writes in place takes turns, by a lock beside the folder: two at once make a mixture that may be valid JSON and
that nobody wrote. Renames need no turn.
"""

import contextlib
import fcntl
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.reports import audit_bytes

PIECES = 5
PIECE_S = 0.0005


def content(kind: str, number: int) -> bytes:
    """Give what the writer of a kind writes, at its nth time."""
    return audit_bytes(f"{kind}-{number}", padding="x" * (number * 37 % 3000))


def rename(report: Path, raw: bytes) -> None:
    """Write beside it, then put it in its place."""
    temporary = report.with_suffix(".new")
    temporary.write_bytes(raw)
    temporary.replace(report)


def slowly(report: Path, raw: bytes) -> None:
    """Truncate, then write in pieces."""
    size = -(-len(raw) // PIECES)
    with _turn(report), report.open("wb", buffering=0) as file:
        for start in range(0, len(raw), size):
            file.write(raw[start : start + size])
            time.sleep(PIECE_S)


def at_once(report: Path, raw: bytes) -> None:
    """Truncate, then write."""
    with _turn(report):
        report.write_bytes(raw)


@contextlib.contextmanager
def _turn(report: Path) -> Iterator[None]:
    with (report.parent.parent / "turn").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


WAYS: dict[str, Callable[[Path, bytes], None]] = {
    "rename": rename,
    "slowly": slowly,
    "at-once": at_once,
    "the-same": at_once,
}


def numbers(kind: str, count: int) -> Iterator[int]:
    """Give the numbers of the contents that are written: each is another, or most are the last one again."""
    seed = random.Random(kind)
    number = 0
    for _ in range(count):
        number += kind != "the-same" or seed.random() < 0.1
        yield number


def main() -> None:
    """Write."""
    kind, report, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    for number in numbers(kind, count):
        WAYS[kind](report, content(kind, number))


if __name__ == "__main__":
    main()
