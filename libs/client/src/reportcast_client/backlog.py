"""What one iteration over a feed's events has not taken yet. Pure."""

from collections import deque

from reportcast_client.events import Changed, Event, Fares, Problem

MAX_EVENTS = 64
MAX_BYTES = 32 * 1024 * 1024


class Backlog:
    """
    Events in their order, bounded: who is slow gets the newest.

    When it is full, all changes in it become one, the newest, that says how many it stands for; of all else the last of
    each kind stays.
    """

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event) -> None:
        """Put an event behind the others."""
        self._events.append(event)
        self._bytes += _size(event)
        if len(self._events) > self._max_events or (self._bytes > self._max_bytes and len(self._events) > 1):
            self._conflate()

    def take(self) -> Event:
        """Give the first, which there has to be."""
        event = self._events.popleft()
        self._bytes -= _size(event)
        return event

    def _conflate(self) -> None:
        newest: dict[type[Event], Event] = {}
        merged = 0
        for event in self._events:
            if isinstance(event, Changed):
                merged += event.skipped + 1
            newest.pop(type(event), None)  # so that the order is that of the last ones
            newest[type(event)] = event
        last = newest.get(Changed)
        if isinstance(last, Changed) and merged > 1 + last.skipped:
            newest[Changed] = Changed(last.report, None, merged - 1, last.frame)
        self._events = deque(newest.values())
        self._bytes = sum(map(_size, self._events))


def _size(event: Event) -> int:
    match event:
        case Changed():
            return len(event.report.body) + len(event.changes or b"") + len(event.frame)
        case Fares():
            return 2 * len(event.frame)  # and what it says
        case Problem():
            return len(event.code) + len(event.message)
        case _:
            return 0
