"""
What of a list is found again in another, and what of it has another place there.

Source: docs/protocol.md, Deltas.
"""

import bisect
from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Sequence


def match(before: Iterable[Hashable], after: Iterable[Hashable]) -> list[int | None]:
    """
    Find each of ``after`` in ``before``.

    Returns:
        Its index there, or ``None`` if it is not there. What is there twice is matched in order.
    """
    places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for index, each in enumerate(before):
        places[each].append(index)
    return [places[each].popleft() if places.get(each) else None for each in after]


def longest_rise(numbers: Sequence[int]) -> set[int]:
    """Give the members of a longest increasing subsequence of distinct numbers."""
    if all(map(int.__lt__, numbers, numbers[1:])):
        return set(numbers)
    ends: list[int] = []  # the smallest number with which a rise of each length ends
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect.bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    rise = set()
    last = ends[-1] if ends else None
    while last is not None:
        rise.add(last)
        last = before[last]
    return rise
