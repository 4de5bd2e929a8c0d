"""
Counts that all processes of a gateway share: connections in all and by address, and handshakes by address.

Each process writes its own row and everybody adds up all rows, so no lock is needed. Processes that decide at the same
moment do not see each other: together they may let in one more than a limit for each process beyond the first.
"""

import hashlib
import ipaddress
import mmap
import secrets
import struct
from typing import Literal

# Two bytes of a hash. Addresses that share a bucket share its limit, which makes it stricter, never looser: beside
# 10 000 other addresses with a connection each, one in 7 has to share with one of them, one in 95 with two, and one in
# 1.6 million with five. Who shares with an address that is at its limit is refused like it: 1 in 65 536 for each such.
BUCKETS = 65_536


class Ledger:
    """
    The counts, in memory that children made by fork share.

    The system gives a page when it is first touched: the buckets take no memory until something is counted in one, and
    768 KiB for each process at most.

    Args:
        rows: How many processes count. A process has a row of its own, a number from 0.
    """

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows
        # Made before the fork: all processes find the same bucket, and nobody outside can tell which.
        self._key = secrets.token_bytes(16)
        self._connections = _shared(rows, "I")
        # The counts of one bucket lie beside each other.
        self._by_address = _shared(BUCKETS * rows, "I")
        self._handshakes = _shared(BUCKETS * rows, "Q")
        self._has_buckets = _shared(1, "B")

    @property
    def connections(self) -> int:
        """Those of all processes."""
        return sum(self._connections)

    def bucket(self, address: str) -> int:
        """Give the bucket of an address; of IPv6, that of its /64, which one client has to itself."""
        return int.from_bytes(hashlib.blake2b(_network(address), digest_size=2, key=self._key).digest(), "big")

    def connections_in(self, bucket: int) -> int:
        """Those of the bucket's addresses, in all processes."""
        return sum(self._by_address[self._places(bucket)])

    def handshakes_in(self, bucket: int, second: int) -> int:
        """Those of the bucket's addresses in that second, in all processes."""
        return sum(entry & 0xFFFFFFFF for entry in self._handshakes[self._places(bucket)] if entry >> 32 == second)

    def count_connection(self, row: int, bucket: int | None, change: int) -> None:
        """Add ``change``, 1 or -1, to the connections of a process and, unless ``None``, of a bucket."""
        self._connections[row] += change
        if bucket is not None:
            self._has_buckets[0] = 1
            self._by_address[bucket * self.rows + row] += change

    def count_handshake(self, row: int, bucket: int, second: int) -> None:
        """Add one to the handshakes of a bucket in that second, which is below 2**32; earlier ones are forgotten."""
        place = bucket * self.rows + row
        entry = self._handshakes[place]
        # Second and count change in one store: nobody sees the one without the other.
        self._handshakes[place] = (entry if entry >> 32 == second else second << 32) + 1

    def clear(self, row: int) -> None:
        """Forget the connections of a process that has died."""
        self._connections[row] = 0
        if self._has_buckets[0]:  # else this would be the first touch of all the pages
            self._by_address[row :: self.rows] = memoryview(bytes(4 * BUCKETS)).cast("I")

    def _places(self, bucket: int) -> slice:
        return slice(bucket * self.rows, (bucket + 1) * self.rows)


def _shared(entries: int, form: Literal["B", "I", "Q"]) -> "memoryview[int]":
    return memoryview(mmap.mmap(-1, entries * struct.calcsize(form))).cast(form)


def _network(address: str) -> bytes:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # a UNIX socket's, or what a trusted proxy writes for want of one
        return address.encode(errors="replace")
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.packed
    return parsed.ipv4_mapped.packed if parsed.ipv4_mapped else parsed.packed[:8]
