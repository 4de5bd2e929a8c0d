"""
What a client lived through, and the judgement of it. Pure.

The judge knows the wire alone: what it holds against a client it works out from the frames that came, in their order,
and never asks the client what it held.

Source: docs/protocol.md, Client rules.
"""

import dataclasses
from collections.abc import Iterable

from reportcast.contracts.position import Continuity, Position


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A connection began; what was under way on the last one is void."""


@dataclasses.dataclass(frozen=True, slots=True)
class Following:
    """
    The answer to a wish to follow.

    Attributes:
        asked: The position that the client gave; ``None`` if it had none.
        position: What the answer names; ``None`` if there is no report.
        recovered: Whether all deltas from the one to the other are promised.
    """

    asked: Position | None
    position: Position | None
    recovered: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Adopted:
    """
    A snapshot came, and was adopted.

    Attributes:
        position: Its own.
        digest: That it names.
        found: SHA-256 of the text that it brought.
    """

    position: Position
    digest: str
    found: str


@dataclasses.dataclass(frozen=True, slots=True)
class Delta:
    """
    A delta came.

    Attributes:
        position: Where it leads.
        base: Digest that it starts from.
        digest: Digest that it leads to.
        found: SHA-256 of what it made; ``None`` if the client did not apply it.
    """

    position: Position
    base: str
    digest: str
    found: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Skipped:
    """Notice that changes are left out, up to this offset."""

    to: int


Event = Opened | Following | Adopted | Delta | Skipped


@dataclasses.dataclass(slots=True)
class Verdict:
    """
    What there is to say of one client, or of many; all but the last three have to be 0.

    Attributes:
        lost: Offsets passed over unsaid, or another content than the newest at the end.
        duplicated: Positions that came again on one connection, or were applied twice.
        across_gap: Deltas applied where they did not belong, and contents that are not what their digest says.
        broken_promises: Resumes said to be whole whose deltas did not all come, one by one.
        went_back: Snapshots older than what the client held of the same epoch.
        recovered: Resumes that were whole.
        refused: Resumes answered with a snapshot instead.
        snapshots: Adopted in all.
    """

    lost: int = 0
    duplicated: int = 0
    across_gap: int = 0
    broken_promises: int = 0
    went_back: int = 0
    recovered: int = 0
    refused: int = 0
    snapshots: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is held against it."""
        return not (self.lost or self.duplicated or self.across_gap or self.broken_promises or self.went_back)


def judge(events: Iterable[Event], newest: str) -> Verdict:
    """
    Judge one client.

    Args:
        events: All that it recorded, in order.
        newest: Digest of the report that it has to end with.
    """
    judgement = _Judgement()
    for event in events:
        judgement.weigh(event)
    return judgement.conclude(newest)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the sum."""
    total = Verdict()
    for verdict in verdicts:
        for field in dataclasses.fields(Verdict):
            setattr(total, field.name, getattr(total, field.name) + getattr(verdict, field.name))
    return total


class _Judgement:
    def __init__(self) -> None:
        self._verdict = Verdict()
        self._held: Position | None = None
        self._digest = ""
        # Since the connection began: what came; the position up to which deltas are promised; whether a jump is
        # announced, and up to which offset.
        self._came: set[Position] = set()
        self._promised: Position | None = None
        self._is_announced = True
        self._skipped_to = 0
        # Since the last snapshot.
        self._applied: set[Position] = set()

    def weigh(self, event: Event) -> None:
        match event:
            case Opened():
                self._begin()
            case Following():
                self._follow(event)
            case Adopted():
                self._adopt(event)
            case Delta():
                self._take(event)
            case Skipped():
                self._break_promise()
                self._skipped_to = event.to

    def conclude(self, newest: str) -> Verdict:
        self._break_promise()
        self._verdict.lost += self._digest != newest
        return self._verdict

    def _begin(self) -> None:
        self._came.clear()
        self._promised = None  # who was cut off cannot tell whether the rest was on its way
        self._is_announced, self._skipped_to = False, 0

    def _follow(self, answer: Following) -> None:
        self._break_promise()
        self._is_announced = not answer.recovered
        if not answer.recovered:
            self._verdict.refused += answer.asked is not None
            return
        self._verdict.recovered += 1
        reaches = (
            answer.position is not None
            and self._held is not None
            and answer.asked == self._held
            and answer.position.epoch == self._held.epoch
            and answer.position.offset >= self._held.offset
        )
        self._verdict.broken_promises += not reaches
        self._promised = answer.position if reaches and answer.position != self._held else None

    def _break_promise(self) -> None:
        self._verdict.broken_promises += self._promised is not None
        self._promised = None

    def _adopt(self, snapshot: Adopted) -> None:
        self._break_promise()
        self._verdict.snapshots += 1
        self._verdict.across_gap += snapshot.found != snapshot.digest
        self._verdict.duplicated += snapshot.position in self._came
        if self._held and self._held.epoch == snapshot.position.epoch:
            self._step(self._held, snapshot)
        self._came.add(snapshot.position)
        self._applied.clear()
        self._is_announced = False
        self._hold(snapshot.position, snapshot.digest)

    def _step(self, held: Position, snapshot: Adopted) -> None:
        offset = snapshot.position.offset
        self._verdict.went_back += offset < held.offset
        self._verdict.lost += offset == held.offset and snapshot.digest != self._digest
        if not self._is_announced and self._skipped_to != offset:
            self._verdict.lost += max(0, offset - held.offset - 1)

    def _take(self, delta: Delta) -> None:
        continuity = self._held.classify(delta.position) if self._held else Continuity.NEW_EPOCH
        again = delta.position in self._came or continuity is Continuity.DUPLICATE
        self._came.add(delta.position)
        fits = continuity is Continuity.NEXT and delta.base == self._digest
        if delta.found is None:
            self._verdict.duplicated += again
            self._verdict.lost += fits
            return
        self._verdict.duplicated += again or delta.position in self._applied
        self._verdict.across_gap += not (fits and delta.found == delta.digest)
        if continuity is Continuity.GAP and self._held:
            self._verdict.lost += delta.position.offset - self._held.offset - 1
        self._applied.add(delta.position)
        self._hold(delta.position, delta.digest)

    def _hold(self, position: Position, digest: str) -> None:
        if self._promised is not None:
            next_one = self._held is not None and self._held.classify(position) is Continuity.NEXT
            if not next_one:
                self._break_promise()
            elif position == self._promised:
                self._promised = None
        self._held, self._digest = position, digest
