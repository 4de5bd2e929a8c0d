"""Which transport is used."""

import random

import pytest
from reportcast_client.errors import Blocked, Interruption, Lost, Refused, Silent, Unreachable
from reportcast_client.events import Transport
from reportcast_client.ladder import Ladder

WEBSOCKET, EVENTS, POLL = Transport


def ladder() -> Ladder:
    return Ladder(tuple(Transport), random.Random(1), climb_s=30.0)


@pytest.mark.parametrize(
    ("why", "after"),
    [
        pytest.param(Refused(403, None), [EVENTS, POLL, WEBSOCKET], id="refused by a proxy"),
        pytest.param(Refused(426, None), [WEBSOCKET, EVENTS, EVENTS, POLL], id="no upgrade"),
        pytest.param(Blocked("no"), [WEBSOCKET, EVENTS, EVENTS, POLL, POLL, WEBSOCKET], id="blocked"),
        pytest.param(Silent(10), [WEBSOCKET, EVENTS, EVENTS, POLL], id="swallowed"),
        pytest.param(Lost("no"), [WEBSOCKET, EVENTS, EVENTS, POLL], id="cut off"),
        pytest.param(Lost("no", has_answered=True), [WEBSOCKET] * 4, id="the gateway closed it"),
        pytest.param(Unreachable("no"), [WEBSOCKET] * 4, id="nobody there"),
        pytest.param(Refused(503, "full"), [WEBSOCKET] * 4, id="the gateway is full"),
        pytest.param(Refused(502, None), [WEBSOCKET] * 4, id="the gateway is away"),
    ],
)
def test_what_gives_way(why: Interruption, after: list[Transport]) -> None:
    """Is a transport that does not get through: at once if it is refused, else the second time."""
    used = ladder()
    transports = []

    for _ in after:
        used.failed(why)
        transports.append(used.transport)

    assert transports == after


def test_refused_by_all() -> None:
    """Is final; not if one of them got something else."""
    used, other = ladder(), ladder()

    assert [used.failed(Refused(404, None)) for _ in Transport] == [False, False, True]
    answers = [Refused(404, None), Refused(404, None), Blocked("no"), Blocked("no"), Refused(404, None)]
    assert not any(other.failed(why) for why in answers)


def test_signs_of_life() -> None:
    """Make what fails now and then be used on."""
    used = ladder()

    for _ in range(5):
        used.failed(Silent(30))
        used.opened()
        used.proved()

    assert used.transport is WEBSOCKET


def _stayed(used: Ladder) -> float:
    wait_s = used.climb_in_s()
    used.stayed()
    return wait_s


def test_climbing() -> None:
    """Is tried less and less often, and anew once the best has proved itself."""
    used = ladder()
    used.failed(Refused(403, None))
    used.failed(Refused(403, None))

    assert list(used.better) == [WEBSOCKET, EVENTS]
    assert used.climb_in_s() <= 30 >= used.climb_in_s()  # to be connected again is no failure of a better one
    waits = [_stayed(used) for _ in range(7)]
    used.climb(EVENTS)
    assert (used.transport, list(used.better)) == (EVENTS, [WEBSOCKET])
    assert used.climb_in_s() >= 300
    used.climb(WEBSOCKET)
    used.proved()
    assert not used.better
    assert used.climb_in_s() <= 30

    bounds = [30, 60, 120, 240, 480, 600, 600]
    assert all(bound / 2 <= wait <= bound for bound, wait in zip(bounds, waits, strict=True))


def test_what_is_deaf_soon() -> None:
    """Is climbed to less and less often: its first word proves nothing."""
    used = ladder()
    used.failed(Refused(403, None))
    waits = []
    for _ in range(3):
        waits.append(used.climb_in_s())
        used.climb(WEBSOCKET)
        used.failed(Refused(403, None))

    assert all(bound / 2 <= wait <= bound for bound, wait in zip([30, 60, 120], waits, strict=True))


def test_what_fails_below_the_best() -> None:
    """May be this transport's alone, whatever it is: a proxy that answers 502 for one path, a path that is cut."""
    used = ladder()
    for _ in range(5):
        used.failed(Refused(502, None))
    assert used.transport is WEBSOCKET
    used.failed(Refused(403, None))
    assert used.transport is EVENTS

    used.failed(Refused(502, None))
    used.failed(Refused(502, None))

    assert used.transport is POLL
