"""How a feed fares, in the words of ``/api/ws/status``. Source: docs/protocol.md, Endpoints."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import SERVER
from reportcast.contracts.messages import Snapshot, Source, SourceState

from gateway.colleagues import Answers
from gateway.lateness import overdue_reason
from gateway.probe import State

if TYPE_CHECKING:
    from gateway.feed import Feed, Feeds

# A watcher speaks every 5 s; after so long without a word there is none, or it cannot reach the broker.
SILENCE_S = 20.0


class Crew(NamedTuple):
    """
    What all workers together say of one channel; made by ``crew_of``.

    Attributes:
        workers: How many were asked, and how many answered.
        clients: Of the channel.
        connected: How many workers follow the broker.
        uptime_s: Of the worker that runs longest.
        probe: How the self-probe fares, of the worker where it does worst; ``None`` where there is none.
    """

    workers: dict[str, int]
    clients: int
    connected: int
    uptime_s: float
    probe: dict[str, Any] | None = None

    @property
    def lost(self) -> int:
        """How many of those that answered do not follow the broker."""
        return self.workers["answered"] - self.connected


def tell(feeds: "Feeds") -> dict[str, Any]:
    """Say of this worker what ``crew_of`` wants to know of all."""
    return {
        "uptime": feeds.roster.clock() - feeds.first.started_s,
        "channels": {feed.channel: [len(feed.audiences), feed.relay.is_connected] for feed in feeds},
        **details(feeds),
    }


def details(feeds: "Feeds") -> dict[str, Any]:
    """Say of this worker what ``/readyz`` tells besides."""
    return {"probe": feeds.probe.tell()} if feeds.probe else {}


def crew_of(feed: "Feed", answers: Answers) -> Crew:
    """Put together what each worker gave by ``tell``."""
    each = [told["channels"][feed.channel] for told in answers.given.values()]
    return Crew(
        answers.workers,
        clients=sum(clients for clients, _ in each),
        connected=sum(connected for _, connected in each),
        uptime_s=max(told["uptime"] for told in answers.given.values()),
        probe=_worst([told["probe"] for told in answers.given.values() if "probe" in told]),
    )


def _worst(probes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    order = (State.FAILING, State.WAITING, State.OFF, State.UP)
    return min(probes, key=lambda probe: order.index(State(probe["state"])), default=None)


def condition(feed: "Feed", crew: Crew) -> Literal["healthy", "degraded"]:
    """Say in one word how the feed fares."""
    return "degraded" if any(_reasons(feed, crew)) else "healthy"


def describe(feed: "Feed", crew: Crew) -> dict[str, Any]:
    """Say how the feed fares; ``reasons`` is empty while it is healthy."""
    snapshot, source = feed.replica.snapshot, feed.replica.source
    return {
        "status": condition(feed, crew),
        "channel": feed.channel,
        "clients": crew.clients,
        "maxConnections": feed.admission.max_connections,
        "uptime": round(crew.uptime_s, 3),
        "timestamp": feed.timestamp,
        "server": SERVER,
        "reasons": list(_reasons(feed, crew)),
        "workers": crew.workers,
        "stale": crew.lost > 0,
        "broker": {"connected": crew.lost == 0},
        "probe": crew.probe,
        "source": source and _source(feed, source),
        "report": snapshot and _report(snapshot),
    }


def fares(feed: "Feed") -> dict[str, Any]:
    """
    Say how the feed fares in this process, for those who are told of every change of it.

    Nothing in it changes by itself, as how late a report is does, and whichever gateway says it says the same.
    """
    source, connected = feed.replica.source, feed.relay.is_connected
    alone = Crew({"asked": 1, "answered": 1}, clients=0, connected=int(connected), uptime_s=0)
    return {
        "stale": not connected,
        "broker": {"connected": connected},
        "source": source
        and {
            "state": source.state.value,
            "reason": source.reason,
            "since": source.since,
            "due_at": iso_utc(source.due_at) if source.due_at and source.state is SourceState.OVERDUE else None,
        },
        "reasons": list(_reasons(feed, alone, is_lasting=True)),
    }


def _source(feed: "Feed", source: Source) -> dict[str, Any]:
    late_s = feed.late_by_s
    return {
        "state": source.state.value,
        "reason": source.reason,
        "since": source.since,
        "heardAt": feed.relay.heard_at and iso_utc(feed.relay.heard_at),
        "expectedEveryS": source.expected_every_s,
        "dueAt": source.due_at and iso_utc(source.due_at),
        "lateByS": None if late_s is None else round(late_s, 3),
    }


def _report(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "epoch": snapshot.epoch,
        "offset": snapshot.offset,
        "digest": snapshot.digest,
        "bytes": len(snapshot.body),
        "publishedAt": iso_utc(snapshot.published_at),
        "modifiedAt": iso_utc(snapshot.modified_at),
        "findings": [
            {"kind": each.kind, "message": each.message, "line": each.line, "column": each.column}
            for each in snapshot.findings
        ],
    }


def _reasons(feed: "Feed", crew: Crew, is_lasting: bool = False) -> Iterator[str]:
    """Say why it is not healthy; ``is_lasting``: without what is of this moment and of this gateway alone."""
    late_s = None if is_lasting else feed.late_by_s
    snapshot, (asked, answered) = feed.replica.snapshot, crew.workers.values()
    if answered < asked:
        yield f"{asked - answered} of {asked} workers did not answer; what they do is not told"
    if crew.lost:
        where = f" in {crew.lost} of {answered} workers" if crew.connected else ""
        yield f"the broker is not connected{where}" + ("; what is served may be stale" if snapshot else "")
    if feed.relay.heard_at is None or feed.replica.source is None:
        yield "no watcher has told how the report file fares"
    elif crew.connected and (feed.now() - feed.relay.heard_at).total_seconds() > SILENCE_S:  # else nobody can be heard
        when = f"for more than {SILENCE_S:g} s" if is_lasting else f"since {iso_utc(feed.relay.heard_at)}"
        yield f"no watcher has been heard {when}"
    source = feed.replica.source
    if source_reason := source and _source_reason(source, late_s):
        yield source_reason
    elif snapshot is None:
        yield "no report has been published yet"
    if crew.probe and crew.probe["hop"]:
        yield f"the self-probe fails at the hop {crew.probe['hop']}: {crew.probe['reason']}"


def _source_reason(source: Source, late_s: float | None) -> str | None:
    match source.state:
        case SourceState.WAITING:
            return f"waiting for the report file: {source.reason}"
        case SourceState.REJECTED:
            return f"the report file's present content is not served: {source.reason}"
        case SourceState.OVERDUE:
            return overdue_reason(source, late_s)
        case SourceState.LIVE:
            return None
