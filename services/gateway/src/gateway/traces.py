"""
Where the time of a channel's last changes went, in this process. Pure.

Source: docs/protocol.md, Latency.
"""

import dataclasses
import datetime
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from reportcast.contracts.clock import iso_utc, utc_us
from reportcast.contracts.messages import Snapshot
from reportcast.contracts.position import Position
from reportcast.contracts.trace import Skew, in_ms

from gateway.metrics import GatewayMetrics
from gateway.passage import HOPS, Passage

# Changes that are remembered, and browsers' reports of each.
MAX_CHANGES = 100
MAX_PAINTED = 16


@dataclasses.dataclass(frozen=True, slots=True)
class _Change:
    position: Position
    name: str
    modified: datetime.datetime
    received: datetime.datetime
    passage: Passage
    # Of each report when it was delivered and painted, in ms.
    painted: list[tuple[float, float]] = dataclasses.field(default_factory=list)


class Traces:
    """
    Remembers the last MAX_CHANGES.

    Args:
        channel: Whose.
        metrics: To count in.
        skew: Gives how this host's clock stands to the broker's.
    """

    def __init__(self, channel: str, metrics: GatewayMetrics, skew: Callable[[], Skew | None]) -> None:
        self._channel = channel
        self._metrics = metrics
        self._skew = skew
        self._changes: deque[_Change] = deque(maxlen=MAX_CHANGES)
        for hop in HOPS:
            metrics.hop.labels(channel, hop)
        for hop in ("deliver", "paint"):
            metrics.painted.labels(channel, hop)
        metrics.age.labels(channel)

    def begin(self, snapshot: Snapshot, received: datetime.datetime) -> Passage | None:
        """
        Note that a change has come.

        Returns:
            What is known of its way, to be completed; ``None`` if the watcher did not see it happen.
        """
        if snapshot.trace is None:
            return None
        passage = Passage(snapshot.trace, self._skew(), utc_us(received))
        self._changes.append(_Change(snapshot.position, snapshot.name, snapshot.modified_at, received, passage))
        return passage

    def end(self, passage: Passage, written: datetime.datetime, clients: int) -> None:
        """Note that a change was written to all who follow, which were so many."""
        passage.written_us, passage.clients = utc_us(written), clients
        hops_us, age_us = passage.hops_us, passage.age_us
        for hop in HOPS:
            if hop in hops_us:
                self._metrics.hop.labels(self._channel, hop).observe(_counted(hops_us[hop]))
        if age_us is not None:
            self._metrics.age.labels(self._channel).observe(_counted(age_us))

    def paint(self, position: Position, deliver_ms: float, paint_ms: float) -> bool:
        """Note what a browser reports; tell whether this change is remembered."""
        change = next((each for each in self._changes if each.position == position), None)
        if change is None:
            return False
        self._metrics.painted.labels(self._channel, "deliver").observe(deliver_ms / 1000)
        self._metrics.painted.labels(self._channel, "paint").observe(paint_ms / 1000)
        if len(change.painted) < MAX_PAINTED:
            change.painted.append((deliver_ms, paint_ms))
        return True

    def tell(self) -> dict[str, Any]:
        """Say what is known, newest change first, in the words of ``/api/trace``."""
        changes = [_fields(change) for change in reversed(self._changes)]
        watcher = self._changes[-1].passage.trace.skew if self._changes else None
        return {"clocks": {"watcher": _clock(watcher), "gateway": _clock(self._skew())}, "changes": changes}


def _counted(time_us: int) -> float:
    """Give a time as a histogram takes it: what an offset makes negative is as good as nothing."""
    return max(0, time_us) / 1e6


def _fields(change: _Change) -> dict[str, Any]:
    passage = change.passage
    hops_us = passage.hops_us
    return {
        "epoch": change.position.epoch,
        "offset": change.position.offset,
        "name": change.name,
        "modifiedAt": iso_utc(change.modified),
        "receivedAt": iso_utc(change.received),
        "hopsMs": {hop: in_ms(time_us) for hop, time_us in hops_us.items()},
        "negative": [hop for hop, time_us in hops_us.items() if time_us < 0],
        "ageMs": _ms(passage.age_us),
        "uncertaintyMs": _ms(passage.uncertainty_us),
        "clocks": {"watcher": _clock(passage.trace.skew), "gateway": _clock(passage.skew)},
        "clients": passage.clients,
        "painted": [{"deliverMs": deliver, "paintMs": paint} for deliver, paint in change.painted],
    }


def _ms(time_us: int | None) -> float | None:
    return None if time_us is None else in_ms(time_us)


def _clock(skew: Skew | None) -> dict[str, float] | None:
    if skew is None:
        return None
    return {"offsetMs": in_ms(skew.offset_us), "uncertaintyMs": in_ms(skew.uncertainty_us)}


def merge(tellings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Put together what all workers told of the changes, newest first.

    Of each change the worker counts whose clients had it last; their clients and reports are those of all.
    """
    merged: dict[tuple[str, int], dict[str, Any]] = {}
    for change in (change for telling in tellings for change in telling["changes"]):
        position = change["epoch"], change["offset"]
        merged[position] = _slower(merged[position], change) if position in merged else change
    return sorted(merged.values(), key=itemgetter("receivedAt", "offset"), reverse=True)[:MAX_CHANGES]


def _slower(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    slower = max(one, other, key=lambda each: each["ageMs"] or 0.0)
    together = {name: one[name] + other[name] for name in ("clients", "painted")}
    return {**slower, **together}
