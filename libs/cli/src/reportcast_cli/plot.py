"""A small picture of latencies for a terminal: how many took how long. Pure."""

import math
from collections.abc import Iterator, Sequence

WIDTH = 40
MAX_ROWS = 12
# A bar grows by eighths of a character.
_EIGHTHS = " ▏▎▍▌▋▊▉"
_STEPS = (1.0, 2.0, 5.0)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that so large a share of all (0 to 1) do not exceed; ``ordered`` has one at least."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def histogram(values_ms: Sequence[float]) -> Iterator[str]:
    """Draw how many of the values lie between marks of 1, 2, 5, 10, ...; values below 0 have a row of their own."""
    counts: dict[int, int] = {}
    for value in values_ms:
        index = _index(value)
        counts[index] = counts.get(index, 0) + 1
    if not counts:
        return
    # Far outliers must not make the picture long: the rows end at the last that has some.
    rows = range(min(counts), max(counts) + 1)
    rows = range(max(rows.start, rows.stop - MAX_ROWS), rows.stop)
    counts[rows.start] = sum(count for index, count in counts.items() if index <= rows.start)
    labels = [_label(index, index == rows.start) for index in rows]
    most = max(counts.values())
    for label, index in zip(labels, rows, strict=True):
        count = counts.get(index, 0)
        yield f"{label:>{max(map(len, labels))}}  {_bar(count / most)} {count or ''}".rstrip()


def _index(value: float) -> int:
    """Give the number of the mark that the value lies below; 0 is that of 0.1 ms."""
    index = 0
    while value >= _mark(index):
        index += 1
    return index


def _mark(index: int) -> float:
    return float(f"{_STEPS[index % 3] * 10.0 ** (index // 3 - 1):.3g}")


def _label(index: int, is_first: bool) -> str:
    return f"below {_mark(index):g} ms" if is_first else f"{_mark(index - 1):g} to {_mark(index):g} ms"


def _bar(share: float) -> str:
    eighths = round(share * WIDTH * 8) or (1 if share else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
