import json

from gateway.replica import Applied, Replica
from reportcast.broker.base import ChannelState
from reportcast.contracts.messages import Refreshed, Snapshot, Source, SourceState, number
from reportcast.contracts.position import Position

from tests.support.reports import publication

LIVE = Source(SourceState.LIVE, "2026-11-23T12:00:00.000Z")


def snapshot(offset: int, epoch: str = "e", mark: int | None = None) -> Snapshot:
    """Give the channel's content at an offset."""
    return number(publication(offset if mark is None else mark), Position(epoch, offset), f"{offset}.json")


def replica_at(offset: int) -> Replica:
    """Give a replica that has read the stored state."""
    replica = Replica()
    replica.reset(ChannelState(snapshot(offset), LIVE), "t0")
    return replica


def timestamp_of(replica: Replica) -> object:
    """Give when the frame for clients says that it was made."""
    assert replica.frame is not None
    return json.loads(replica.frame.payload)["timestamp"]


def test_without_a_report_there_is_no_frame() -> None:
    """Clients are told something else."""
    assert Replica().frame is None


def test_the_next_change_is_an_update() -> None:
    """Applied, and the frame made once."""
    replica = replica_at(1)

    assert replica.apply(snapshot(2), "t1") is Applied.UPDATE
    assert timestamp_of(replica) == "t1"


def test_the_first_report_may_come_as_a_message() -> None:
    """A gateway that joined an empty channel follows from there."""
    replica = Replica()
    replica.reset(ChannelState(), "t0")

    assert replica.apply(snapshot(1), "t1") is Applied.UPDATE


def test_what_was_read_already_is_nothing_new() -> None:
    """A message that arrives between subscribing and reading is not sent to clients twice."""
    assert replica_at(3).apply(snapshot(2), "t1") is Applied.NOTHING_NEW


def test_a_gap_is_counted() -> None:
    """A snapshot is whole, so it is applied; what it skips is known."""
    replica = replica_at(1)

    assert replica.apply(snapshot(5), "t1") is Applied.UPDATE
    assert replica.missed == 3


def test_another_epoch_needs_the_stored_state() -> None:
    """A late message of an old stream must not take the replica back."""
    replica = replica_at(1)

    assert replica.apply(snapshot(9, epoch="older"), "t1") is Applied.LOST_TRACK
    assert replica.snapshot == snapshot(1)


def test_reset_after_an_outage_counts_what_was_missed() -> None:
    """Changes 2 and 3 were never seen; 4 is sent."""
    replica = replica_at(1)

    assert replica.reset(ChannelState(snapshot(4), LIVE), "t1")
    assert replica.missed == 2


def test_reset_to_the_same_content_sends_nothing() -> None:
    """A broker that came back with the same report, same stream or new, leaves clients alone."""
    replica = replica_at(1)

    assert not replica.reset(ChannelState(snapshot(1), LIVE), "t1")
    assert not replica.reset(ChannelState(snapshot(1, epoch="new", mark=1), LIVE), "t1")
    assert replica.snapshot == snapshot(1, epoch="new", mark=1)


def test_an_emptied_broker_does_not_take_the_report_away() -> None:
    """The last report is still the newest one known."""
    replica = replica_at(1)

    assert not replica.reset(ChannelState(), "t1")
    assert replica.snapshot == snapshot(1)


def test_the_source_is_followed() -> None:
    """Its state is kept for the status."""
    replica = replica_at(1)
    rejected = Source(SourceState.REJECTED, "2026-11-23T12:00:01.000Z", "cut off")

    assert replica.apply(rejected, "t1") is Applied.SOURCE
    assert replica.source == rejected


def test_a_refresh_sends_the_report_again() -> None:
    """With the time of the refresh, and only if there is one."""
    replica = replica_at(1)
    body = replica.body

    assert Replica().apply(Refreshed(), "t1") is Applied.NOTHING_NEW
    assert replica.apply(Refreshed(), "t1") is Applied.UPDATE
    assert timestamp_of(replica) == "t1"
    assert replica.body is body  # compressed once, however often it is sent
