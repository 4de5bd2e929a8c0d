"""What a gateway makes of messages and of the stored state."""

import dataclasses
import hashlib

import pytest
from gateway.replica import Diverged, Replica, Update
from msgspec.structs import replace
from reportcast.broker.base import ChannelState
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.delta import diff
from reportcast.contracts.messages import Changed, Delta, Snapshot, number, number_delta
from reportcast.contracts.position import Continuity, Position
from reportcast.contracts.report import ReportKind

from tests.support.reports import publication


def snapshot(offset: int, epoch: str = "e", mark: int | None = None) -> Snapshot:
    """Give the channel's content at an offset."""
    return number(publication(offset if mark is None else mark), Position(epoch, offset), f"{offset}.json")


def delta(offset: int, epoch: str = "e") -> Delta:
    """Give what leads to the content at an offset."""
    before, after = publication(offset - 1), publication(offset)
    change = diff(before.body, after.body, ReportKind.AUDIT)
    assert change is not None
    return number_delta(dataclasses.replace(after, base=before.digest, delta=change), snapshot(offset, epoch))


def replica_at(offset: int) -> Replica:
    """Give a replica that has read the stored state."""
    replica = Replica()
    update = replica.caught_up(ChannelState(snapshot(offset)))
    assert update is not None
    replica.take(update)
    return replica


def caught_up(replica: Replica, newest: Snapshot, *deltas: Delta) -> Update:
    """Give the update to a stored state."""
    update = replica.caught_up(ChannelState(newest, None, deltas))
    assert update is not None
    return update


def test_a_change_is_applied() -> None:
    """And proved to give what it promises."""
    replica = replica_at(1)

    grown = replica.grow(delta(2))
    update = replica.advanced(grown, delta(2))
    assert replica.snapshot == snapshot(1), "not before it is taken over"
    replica.take(update)

    assert replica.snapshot == snapshot(2)
    assert (update.deltas, update.steps, update.missed) == ((delta(2),), 1, 0)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"base": "0" * 64}, "starts from another report"),
        ({"digest": "0" * 64}, "gave another report than it promised"),
        ({"body": b"[]"}, "does not fit"),
    ],
)
def test_a_change_that_does_not_fit(changed: dict[str, str], why: str) -> None:
    """Is found out, and nothing is taken over."""
    replica = replica_at(1)

    with pytest.raises(Diverged, match=why):
        replica.grow(replace(delta(2), **changed))
    assert replica.snapshot == snapshot(1)


def test_a_change_of_nothing() -> None:
    """There is nothing to apply it to."""
    with pytest.raises(Diverged, match="starts from another"):
        Replica().grow(delta(2))


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (Position("e", 3), Continuity.NEXT),
        (Position("e", 2), Continuity.DUPLICATE),
        (Position("e", 4), Continuity.GAP),
        (Position("f", 3), Continuity.NEW_EPOCH),
    ],
)
def test_how_a_message_stands_to_what_is_held(position: Position, expected: Continuity) -> None:
    """Of any kind."""
    assert replica_at(2).classify(Changed(position.epoch, position.offset)) is expected
    assert Replica().classify(Changed(position.epoch, position.offset)) is Continuity.NEW_EPOCH


def test_a_snapshot_across_a_gap() -> None:
    """It is whole, so it may be applied; what it skips is counted, and nobody can go there step by step."""
    update = replica_at(1).advanced(snapshot(5))

    assert (update.missed, update.advance, update.steps) == (3, 4, 0)


def test_catching_up_step_by_step() -> None:
    """Where the deltas lead from what is held to what is stored, nothing was missed."""
    update = caught_up(replica_at(2), snapshot(4), delta(2), delta(3), delta(4))

    assert (update.steps, update.advance, update.missed) == (2, 2, 0)
    assert update.deltas == (delta(2), delta(3), delta(4))


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param((), id="none"),
        pytest.param((delta(4),), id="too-few"),
        pytest.param((delta(3),), id="not-up-to-the-newest"),
        pytest.param((replace(delta(3), base="0" * 64), delta(4)), id="from-another-report"),
        pytest.param((replace(delta(3), digest="0" * 64), delta(4)), id="not-chained"),
        pytest.param((delta(3, "f"), delta(4)), id="of-another-epoch"),
    ],
)
def test_catching_up_at_once(deltas: tuple[Delta, ...]) -> None:
    """Where they do not, the whole is given, and what lies between is counted."""
    update = caught_up(replica_at(2), snapshot(4), *deltas)

    assert (update.steps, update.advance, update.missed) == (0, 2, 1)


def test_the_first_state() -> None:
    """With the changes that led to it, for clients that were there before."""
    update = caught_up(Replica(), snapshot(4), delta(3), delta(4))

    assert (update.steps, update.missed, update.is_new) == (0, 0, True)
    assert update.deltas == (delta(3), delta(4))


def test_nothing_newer() -> None:
    """Than what is held; also where the broker lost all, or what came last."""
    replica = replica_at(2)

    assert replica.caught_up(ChannelState(snapshot(2))) is None
    assert replica.caught_up(ChannelState(snapshot(1))) is None
    assert replica.caught_up(ChannelState()) is None


def test_the_same_report_in_another_epoch() -> None:
    """It is no news, but where it stands is; what was compressed is kept."""
    replica = replica_at(2)

    update = caught_up(replica, snapshot(1, "f", mark=2))

    assert (update.is_new, update.steps, update.missed) == (False, 0, 0)
    assert update.body is replica.body


def test_the_body_of_an_update() -> None:
    """Is that of its snapshot."""
    update = caught_up(Replica(), snapshot(1))

    assert isinstance(update.body, PreparedBody)
    assert hashlib.sha256(update.body.raw).hexdigest() == update.snapshot.digest
