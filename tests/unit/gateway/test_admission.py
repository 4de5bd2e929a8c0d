from typing import Any

import pytest
from gateway.admission import Admission, Refusal
from gateway.ledger import Ledger
from gateway.settings import ServerSettings

ONE, OTHER = "192.0.2.1", "198.51.100.7"


class Clock:
    """Monotonic seconds that a test sets."""

    now_s = 1000.25

    def __call__(self) -> float:
        return self.now_s


def processes(count: int, max_connections: int, clock: Clock | None = None, **settings: Any) -> list[Admission]:
    """Give the admission of each process of a gateway."""
    ledger, chosen = Ledger(count), ServerSettings(**settings)
    return [Admission(chosen, max_connections, ledger, row, clock or Clock()) for row in range(count)]


def test_the_limit_in_all() -> None:
    """It is of all processes and addresses together; one that leaves makes room anywhere."""
    first, second = processes(2, 2)
    assert first.enter(ONE) is None
    assert second.enter(OTHER) is None
    assert first.enter(ONE) is second.enter(ONE) is Refusal.ALL
    assert (first.connections, second.connections) == (2, 2)

    second.leave(OTHER)

    assert first.enter(OTHER) is None


def test_the_limit_of_an_address() -> None:
    """It is of all processes together, and others are let in; who is refused is not counted."""
    first, second = processes(2, 100, gateway_max_connections_per_address=2)
    assert first.enter(ONE) is second.enter(ONE) is None
    assert first.enter(ONE) is second.enter(ONE) is Refusal.ADDRESS
    assert first.enter(OTHER) is None
    assert first.connections == 3

    second.leave(ONE)

    assert first.enter(ONE) is None
    assert second.enter(ONE) is Refusal.ADDRESS


def test_the_rate_of_an_address() -> None:
    """So many in a second, in all processes together; others are let in; the next second begins anew."""
    clock = Clock()
    first, second = processes(2, 100, clock, gateway_handshakes_per_s=2)
    assert first.admit_handshake(ONE)
    assert second.admit_handshake(ONE)
    assert not first.admit_handshake(ONE)
    assert not second.admit_handshake(ONE)
    assert first.admit_handshake(OTHER)

    clock.now_s += 1

    assert first.admit_handshake(ONE)


@pytest.mark.parametrize("times", [10_000])
def test_limits_by_address_are_off_by_default(times: int) -> None:
    """Behind a proxy that is not trusted, everybody has one address."""
    (admission,) = processes(1, times)

    assert all(admission.admit_handshake(ONE) and admission.enter(ONE) is None for _ in range(times))
    assert admission.connections == admission.max_connections == times
