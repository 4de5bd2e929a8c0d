import subprocess
import sys

import pytest
from gateway.ledger import BUCKETS, Ledger

IN_TWO_PROCESSES = """
import os
from gateway.ledger import Ledger

ledger = Ledger(rows=2)
bucket = ledger.bucket("192.0.2.1")
ledger.count_connection(0, bucket, 1)
child = os.fork()
if not child:
    assert ledger.bucket("192.0.2.1") == bucket
    ledger.count_connection(1, bucket, 1)
    ledger.count_connection(1, bucket, 1)
    ledger.count_handshake(1, bucket, 7)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert (ledger.connections, ledger.connections_in(bucket), ledger.handshakes_in(bucket, 7)) == (3, 3, 1)
ledger.clear(1)
assert (ledger.connections, ledger.connections_in(bucket)) == (1, 1)
"""


def test_processes_share_it() -> None:
    """What a child counts in its row, the parent adds to its own; a dead child's row is cleared."""
    subprocess.run([sys.executable, "-c", IN_TWO_PROCESSES], check=True, timeout=30)


def test_connections_come_and_go() -> None:
    """In all, and in the bucket that was counted in alone."""
    ledger = Ledger(rows=3)
    ledger.count_connection(2, 0, 1)
    ledger.count_connection(0, BUCKETS - 1, 1)
    ledger.count_connection(1, None, 1)

    assert ledger.connections == 3
    assert (ledger.connections_in(0), ledger.connections_in(1), ledger.connections_in(BUCKETS - 1)) == (1, 0, 1)
    ledger.count_connection(2, 0, -1)
    assert (ledger.connections, ledger.connections_in(0)) == (2, 0)


def test_who_leaves_without_having_entered_is_an_error() -> None:
    """Rather than a count that wraps round."""
    with pytest.raises(ValueError, match="memoryview"):
        Ledger().count_connection(0, None, -1)


def test_handshakes_are_those_of_a_second() -> None:
    """A new second begins at nothing, whichever row counts first, also the second 0."""
    ledger = Ledger(rows=2)
    assert ledger.handshakes_in(5, 0) == 0
    ledger.count_handshake(0, 5, 0)
    ledger.count_handshake(1, 5, 0)
    ledger.count_handshake(1, 5, 0)
    assert ledger.handshakes_in(5, 0) == 3

    ledger.count_handshake(1, 5, 1)

    assert ledger.handshakes_in(5, 1) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", id="one-/64"),
        pytest.param("192.0.2.1", "::ffff:192.0.2.1", id="IPv4-in-IPv6"),
        pytest.param("unknown", "unknown", id="no-address"),
    ],
)
def test_addresses_of_one_client_share_a_bucket(one: str, other: str) -> None:
    """However it is written."""
    ledger = Ledger()

    assert ledger.bucket(one) == ledger.bucket(other)


def test_addresses_are_spread_by_a_secret() -> None:
    """Neighbours lie apart, and apart in another way in another gateway: nobody can aim at a bucket."""
    first, second = Ledger(), Ledger()
    addresses = [f"192.0.{high}.{low}" for high in range(4) for low in range(250)]
    buckets = [first.bucket(address) for address in addresses]

    # 1000 in 65 536 leave 992 different ones, give or take 3.
    assert len(set(buckets)) > 960
    assert buckets != [second.bucket(address) for address in addresses]


def test_networks_are_told_apart() -> None:
    """Another IPv4 address, another /64."""
    ledger = Ledger()

    assert len({ledger.bucket(f"2001:db8:0:{number:x}::1") for number in range(100)}) > 90


def test_buckets_take_no_memory_until_they_are_used() -> None:
    """64 processes with the limits by address off: 48 MiB that nobody has touched, also when a row is cleared."""
    before = shared_kib()
    ledger = Ledger(rows=64)
    for row in range(64):
        ledger.count_connection(row, None, 1)
    ledger.clear(7)
    assert ledger.connections == 63

    assert shared_kib() - before < 512


def shared_kib() -> int:
    """Give how much shared memory this process has touched."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssShmem:"))
