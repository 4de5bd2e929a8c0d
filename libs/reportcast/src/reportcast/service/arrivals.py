"""HTTP connections that have to send a whole request, and to take what they are answered, each in time."""

import asyncio
import enum
import itertools
from collections.abc import Callable, Iterable
from typing import Protocol

from reportcast.service.sockets import unsent_bytes


class Arriving(Protocol):
    """
    One connection.

    Attributes:
        transport: Its own.
    """

    transport: asyncio.Transport

    def time_out(self) -> None:
        """End it, for its request has not come whole in time."""
        ...


class Cut(enum.StrEnum):
    """Why a connection was ended before its request was answered in full, as the metric names it."""

    TIMEOUT = "timeout"
    UNREAD = "unread"
    HEADERS = "headers"
    DESCRIPTORS = "descriptors"


class Arrivals:
    """
    The connections that have to send something: a whole request, within ``timeout_s``.

    They are swept once a second, so that no connection needs a timer of its own.

    Args:
        timeout_s: How long a request may take to come.
        unread_s: How long a client may take nothing of its answer.
        max_descriptor: A socket that gets this number or a higher one is not kept: the kernel gives the lowest that is
            free, so all below are taken.
        on_cut: Told of every connection that is ended.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        timeout_s: float,
        unread_s: float,
        max_descriptor: int,
        on_cut: Callable[[Cut], None],
        clock: Callable[[], float],
    ) -> None:
        self.max_descriptor = max_descriptor
        self.on_cut = on_cut
        self._timeout_s = timeout_s
        self._unread_s = unread_s
        self._unread: dict[Arriving, tuple[int, float]] = {}
        self._clock = clock
        self._since: dict[Arriving, float] = {}  # the oldest is the first

    def __len__(self) -> int:
        return len(self._since)

    def expect(self, protocol: "Arriving") -> None:
        """Begin to wait for a request, unless it is waited for already."""
        self._since.setdefault(protocol, self._clock())

    def forget(self, protocol: "Arriving") -> None:
        """Wait no longer: the request is whole, or the connection lost."""
        self._since.pop(protocol, None)

    def sweep(self) -> None:
        """End the connections that have been waited for too long."""
        before = self._clock() - self._timeout_s
        for protocol, _ in list(itertools.takewhile(lambda each: each[1] <= before, self._since.items())):
            self.forget(protocol)
            protocol.time_out()

    def sweep_unread(self, connections: "Iterable[Arriving]") -> None:
        """End those of ``connections`` that have taken nothing of their answer for too long."""
        now, before, self._unread = self._clock(), self._unread, {}
        for protocol in connections:
            if unsent := unsent_bytes(protocol.transport):
                known, since = before.get(protocol, (unsent, now))
                if known != unsent or now - since < self._unread_s:
                    self._unread[protocol] = unsent, now if known != unsent else since
                else:
                    self.on_cut(Cut.UNREAD)
                    protocol.transport.abort()
