"""Gateways that go and clients that come back, simulated."""

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from bench.capacity.options import parse
from bench.capacity.storm import Balance, Fleet, Moment, loss, rolling_restart, summary
from bench.capacity.worked import Measured, Worked, work
from tests.unit.bench.test_plan import GATEWAY, REDIS, SOCKETS

FLEET = Fleet(replicas=10, connections=10_000, handshakes_per_s=1000.0, drain_s=5.0, start_s=1.0, most=1200)
COMMAND = ["--connections", "20000", "--report-bytes", "10300", "--cores-per-pod", "1", "--burst-s", "0.1"]


def worked() -> Worked:
    """Work a small plan out."""
    return work(parse(COMMAND), Measured(GATEWAY, SOCKETS, REDIS))


@pytest.mark.parametrize("happen", [rolling_restart, loss])
@pytest.mark.parametrize("balance", Balance)
def test_nobody_is_lost(happen: Callable[[Fleet, Balance], list[Moment]], balance: Balance) -> None:
    """Everybody is connected in the end, and no gateway accepted more than it can."""
    moments = happen(FLEET, balance)

    assert moments[-1].away == 0
    assert max(moment.accepted_per_s for moment in moments) <= FLEET.handshakes_per_s
    assert all(moment.away >= 0 for moment in moments)


def test_the_same_seed_is_the_same_storm() -> None:
    """Another is another."""
    assert rolling_restart(FLEET, Balance.RANDOM, 1) == rolling_restart(FLEET, Balance.RANDOM, 1)
    assert rolling_restart(FLEET, Balance.RANDOM, 1) != rolling_restart(FLEET, Balance.RANDOM, 2)


def test_a_rolling_restart_at_random_fills_the_last_gateway() -> None:
    """Each restart spreads over all others: the last one has had (1 + 1/9)^9 = 2.6 times its share by then."""
    found = summary(rolling_restart(FLEET, Balance.RANDOM))

    assert found.most == pytest.approx(1000 * (1 + 1 / 9) ** 9, rel=0.05)
    assert found.last_least == 0


def test_the_fewest_connections_keep_the_balance() -> None:
    """Who leaves goes where the room is."""
    found = summary(rolling_restart(FLEET, Balance.LEAST))

    assert found.most <= 1200
    assert found.refused == 0


def test_a_limit_holds() -> None:
    """And refuses who comes to a full gateway, again and again."""
    found = summary(rolling_restart(FLEET, Balance.LIMITED))

    assert found.most <= 1200
    assert found.refused > 0


def test_a_drain_takes_its_time() -> None:
    """A tenth of the clients over 5 s is 200 a second at the most, spread over nine gateways."""
    moments = rolling_restart(FLEET, Balance.LEAST)
    first = [moment for moment in moments if moment.at_s <= FLEET.drain_s]

    assert max(moment.away for moment in first) <= 200 * 1.1
    assert max(moment.accepted_per_s for moment in first) <= 200 / 9 * 2


def test_a_loss_is_over_as_soon_as_handshakes_allow() -> None:
    """1000 clients at nine gateways, 0.5 s of backoff; then the next gateway stands idle."""
    moments = loss(FLEET, Balance.LEAST)

    assert summary(moments).away == 1000
    assert next(moment.at_s for moment in moments[1:] if moment.away == 0) <= 1.0
    assert summary(moments).last_least == 0


def test_the_table_and_the_json() -> None:
    """Name what binds, and tell the same."""
    found = worked()
    told = json.loads(json.dumps(found.as_json()))

    assert f"{told['binding']}" in next(line for line in found.text().splitlines() if line.endswith("<- binds"))
    assert told["plan"]["replicas"] == found.plan.replicas
    assert [(storm["event"], storm["balance"]) for storm in told["storms"]] == [
        (event, balance.value) for event in ("rolling restart", "one lost") for balance in Balance
    ]


def test_the_picture() -> None:
    """Is well-formed: four panels of three curves."""
    picture = ElementTree.fromstring(worked().picture())

    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 12
