"""
A channel's latest state inside a gateway, and what brings it on. Pure.

What the relay receives comes in and an ``Update`` goes out; the replica takes it over (``take``) once everything that
is made of it has been made. So an update that is interrupted half way has not happened.

Source: docs/protocol.md, Joining.
"""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

from reportcast.broker.base import ChannelState
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.delta import apply
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.messages import Changed, Delta, Snapshot, Source
from reportcast.contracts.position import Continuity


class Diverged(Exception):
    """What a delta says does not fit what is held: the stored state has to be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Update:
    """
    A newer state.

    Attributes:
        snapshot: The newest.
        body: Its report.
        deltas: The last changes that are known, oldest first, without a gap up to the snapshot.
        changes: Their bodies.
        steps: How many of them, counted from the end, lead on from the state before; 0 if none or not all do.
        advance: By how many changes the state is newer; 1 if that cannot be said.
        is_new: Whether the report is another one, and not the same at another position.
        hops_ms: Where the newest change's time went until it came here; ``None`` if that is not known.
    """

    snapshot: Snapshot
    body: PreparedBody
    deltas: Sequence[Delta] = ()
    changes: Sequence[PreparedBody] = ()
    steps: int = 0
    advance: int = 1
    is_new: bool = True
    hops_ms: Mapping[str, float] | None = None

    @property
    def missed(self) -> int:
        """Changes that nobody here was told of, one by one."""
        return 0 if self.steps else self.advance - 1


class Replica:
    """
    The newest snapshot and source of one channel.

    Attributes:
        snapshot: ``None`` before the first report.
        body: The snapshot's; ``None`` before the first report.
        source: ``None`` until a watcher has told.
    """

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.body: PreparedBody | None = None
        self.source: Source | None = None

    def classify(self, message: Snapshot | Delta | Changed) -> Continuity:
        """Tell how a message stands to what is held."""
        return self.snapshot.position.classify(message.position) if self.snapshot else Continuity.NEW_EPOCH

    def grow(self, delta: Delta) -> Snapshot:
        """
        Apply the next change.

        Raises:
            Diverged: If it starts from another report, or something else than it promised comes of it.
        """
        held = self.snapshot
        if held is None or held.digest != delta.base:
            raise Diverged(f"delta {delta.offset} starts from another report")
        try:
            body = apply(delta.body, held.body)
        except DeltaError as exc:
            raise Diverged(f"delta {delta.offset} does not fit: {exc}") from exc
        if hashlib.sha256(body).hexdigest() != delta.digest:
            raise Diverged(f"delta {delta.offset} gave another report than it promised")
        return delta.grown(body)

    def advanced(self, snapshot: Snapshot, delta: Delta | None = None) -> Update:
        """Give the update to a newer state of the same epoch, of which ``delta`` may tell the one change."""
        if delta is not None:
            return Update(snapshot, PreparedBody(snapshot.body), (delta,), (PreparedBody(delta.body),), steps=1)
        return Update(snapshot, PreparedBody(snapshot.body), advance=self._advance(snapshot))

    def caught_up(self, state: ChannelState) -> Update | None:
        """Give the update to what the broker has stored; ``None`` if that is nothing newer."""
        stored, held = state.snapshot, self.snapshot
        if stored is None:
            return None  # a broker that lost its data: the last report is still the newest one known
        if held and held.epoch == stored.epoch and stored.offset <= held.offset:
            return None  # the same; or it lost the last changes, and the watcher will bring them in another epoch
        deltas = _chain(state.deltas, stored)
        is_new = held is None or held.digest != stored.digest
        body = PreparedBody(stored.body) if is_new or self.body is None else self.body
        advance = self._advance(stored)
        leads_on = held is not None and held.epoch == stored.epoch and len(deltas) >= advance
        steps = advance if leads_on and held is not None and deltas[-advance].base == held.digest else 0
        return Update(stored, body, deltas, [PreparedBody(each.body) for each in deltas], steps, advance, is_new)

    @staticmethod
    def prove(snapshot: Snapshot) -> Snapshot:
        """
        Compare a report with its digest; give it back.

        Raises:
            Diverged: If it is another one.
        """
        if hashlib.sha256(snapshot.body).hexdigest() != snapshot.digest:
            raise Diverged(f"snapshot {snapshot.offset} is not the report that it promises")
        return snapshot

    def take(self, update: Update) -> None:
        """Make ``update`` the state."""
        self.snapshot, self.body = update.snapshot, update.body

    def _advance(self, snapshot: Snapshot) -> int:
        held = self.snapshot
        return snapshot.offset - held.offset if held and held.epoch == snapshot.epoch else 1


def _chain(deltas: Sequence[Delta], newest: Snapshot) -> Sequence[Delta]:
    """Give those of ``deltas`` that follow on one another up to ``newest``: all, unless something is wrong."""
    following, digest, offset = 0, newest.digest, newest.offset
    for delta in reversed(deltas):
        if (delta.epoch, delta.offset, delta.digest) != (newest.epoch, offset, digest):
            break
        following, digest, offset = following + 1, delta.base, offset - 1
    return deltas[len(deltas) - following :]
