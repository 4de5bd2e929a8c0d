"""What the clients received: how late, and whether it was every change, in order, exactly once. Pure."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

# The number of a change, and when a client had the whole frame that carries it (CLOCK_MONOTONIC, ns).
Receipt = tuple[int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Faults:
    """
    How far receipts are from "every change, in order, exactly once".

    Attributes:
        lost: Changes that never came.
        duplicated: Frames of a change that had come already.
        out_of_order: Frames of a change older than one that had come, for the first time.
        unexpected: Frames of a change that nobody made.
    """

    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    unexpected: int = 0

    def __bool__(self) -> bool:
        return any(dataclasses.astuple(self))

    def __add__(self, other: "Faults") -> "Faults":
        return Faults(
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.out_of_order + other.out_of_order,
            self.unexpected + other.unexpected,
        )


def find_faults(received: Iterable[int], first: int, last: int) -> Faults:
    """Compare the changes that one client received with those from ``first`` to ``last``."""
    seen: set[int] = set()
    newest = duplicated = out_of_order = unexpected = 0
    for change in received:
        if not first <= change <= last:
            unexpected += 1
        elif change in seen:
            duplicated += 1
        else:
            out_of_order += change < newest
            newest = max(newest, change)
            seen.add(change)
    return Faults(last - first + 1 - len(seen), duplicated, out_of_order, unexpected)


def latencies_ms(receipts: Iterable[Receipt], began_ns: dict[int, int], first: int) -> list[float]:
    """Give how long each receipt of a change from ``first`` on took, in no order; ``began_ns`` is by change."""
    return [(at_ns - began_ns[change]) / 1e6 for change, at_ns in receipts if change >= first and change in began_ns]


def percentile(ordered: Sequence[float], percent: float) -> float:
    """
    Give the smallest value that at least ``percent`` of the values do not exceed (nearest rank: no interpolation).

    Args:
        ordered: Ascending, at least one.
        percent: Above 0, at most 100.
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
