"""
Who is let in: how many connections in all and from one address, and how many handshakes a second from one address.

Source: docs/adr/0011-admission.md.
"""

import enum
from collections.abc import Callable

from gateway.ledger import Ledger
from gateway.settings import ServerSettings


class Refusal(enum.StrEnum):
    """Which limit of connections is reached, as the metric names it."""

    ALL = "limit"
    ADDRESS = "address"


class Admission:
    """
    The limits of one gateway, counted over all of its processes.

    Args:
        settings: The limits by address; 0 is none.
        max_connections: In all, as far as the descriptors reach.
        ledger: Shared by the processes.
        row: This process's.
        clock: Seconds that are the same in all processes.
    """

    def __init__(
        self, settings: ServerSettings, max_connections: int, ledger: Ledger, row: int, clock: Callable[[], float]
    ) -> None:
        self.max_connections = max_connections
        self._max_per_address = settings.gateway_max_connections_per_address
        self._handshakes_per_s = settings.gateway_handshakes_per_s
        self._ledger = ledger
        self._row = row
        self._clock = clock

    @property
    def connections(self) -> int:
        """Those of all processes."""
        return self._ledger.connections

    def admit_handshake(self, address: str) -> bool:
        """Count a handshake, unless its address has had its number in the present second: then it is refused."""
        if not self._handshakes_per_s:
            return True
        bucket, second = self._ledger.bucket(address), int(self._clock())
        if self._ledger.handshakes_in(bucket, second) >= self._handshakes_per_s:
            return False
        self._ledger.count_handshake(self._row, bucket, second)
        return True

    def enter(self, address: str) -> Refusal | None:
        """Count a connection, for which ``leave`` has to follow; or say which limit refuses it."""
        bucket = self._bucket(address)
        if self.connections >= self.max_connections:
            return Refusal.ALL
        if bucket is not None and self._ledger.connections_in(bucket) >= self._max_per_address:
            return Refusal.ADDRESS
        self._ledger.count_connection(self._row, bucket, 1)
        return None

    def leave(self, address: str) -> None:
        """Forget a connection that has entered."""
        self._ledger.count_connection(self._row, self._bucket(address), -1)

    def _bucket(self, address: str) -> int | None:
        return self._ledger.bucket(address) if self._max_per_address else None

    @property
    def too_often(self) -> str:
        """What a client is told that ``admit_handshake`` refuses."""
        return f"this address connects more than {self._handshakes_per_s} times a second; try again in a second"

    def sentence(self, refusal: Refusal) -> str:
        """What a client is told that ``enter`` refuses; at most 123 bytes."""
        if refusal is Refusal.ALL:
            return f"connection limit of {self.max_connections} reached; try again later"
        return f"connection limit of {self._max_per_address} for an address reached; close one, or try again later"
