"""
What a client knows of one channel, and how each frame changes it. Pure: the caller has the connection.

Source: docs/protocol.md, Version 1.
"""

import dataclasses
import enum
import hashlib
from typing import assert_never

from reportcast.contracts import delta as deltas
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.position import Continuity, Position

from reportcast_client.frames import (
    Delta,
    Drain,
    Following,
    Frame,
    Heartbeat,
    Hello,
    Pong,
    Refusal,
    Skipped,
    Snapshot,
    Status,
)
from reportcast_client.report import Report


class Phase(enum.Enum):
    """How sure the next delta is."""

    WHOLE = "nothing can be applied until a snapshot comes"
    RESUMING = "the gateway was asked for what is missing; what does not fit is from before its answer"
    RESUMED = "it said that nothing is missing, so what does not fit now never will"
    LIVE = "each delta follows the one before"


class Outcome(enum.Enum):
    """What a frame came to."""

    NOTHING = "it says nothing of the report, or nothing that can be used yet"
    ADOPTED = "the report is another"
    APPLIED = "the report was changed"
    ASK = "the gateway has to be asked again"
    CORRUPT = "it is not what its digest says, and whoever sent it has nothing better"


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """
    What is known.

    The report stays when it is out of step: an old report that is told to be old is better than none.

    Attributes:
        channel: Of which channel; ``None``: of whichever comes first, and from then on of that.
        phase: See ``Phase``.
        report: The newest; ``None`` before the first.
    """

    channel: str | None
    phase: Phase = Phase.WHOLE
    report: Report | None = None

    @property
    def resume_from(self) -> Position | None:
        """Where to follow from; ``None`` for the whole report."""
        return None if self.phase is Phase.WHOLE or self.report is None else self.report.position


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """
    What a frame came to.

    Attributes:
        state: What is known now.
        outcome: See ``Outcome``.
        found: SHA-256 of what the frame made; ``None`` if it was to make nothing now, empty if it could not.
    """

    state: State
    outcome: Outcome = Outcome.NOTHING
    found: str | None = None


def held(report: Report) -> State:
    """Give what is known to who kept a report."""
    return State(report.channel, Phase.RESUMING, report)


def reduce(state: State, frame: Frame) -> Step:
    """Take in a frame. A connection begins with ``hello``, and was asked to follow from ``resume_from``."""
    channel = getattr(frame, "channel", None)
    if channel is not None and state.channel is None:
        state = dataclasses.replace(state, channel=channel)
    elif channel is not None and channel != state.channel:
        return Step(state)
    match frame:
        case Hello():
            return _in(state, Phase.RESUMING if state.resume_from else Phase.WHOLE)
        case Following(recovered=recovered):
            return _in(state, Phase.RESUMED if recovered and state.phase is not Phase.WHOLE else Phase.WHOLE)
        case Snapshot():
            return _adopt(state, frame)
        case Delta():
            return _advance(state, frame)
        # Before a snapshot that says it all comes ``skipped``.
        case Skipped() | Status() | Heartbeat() | Drain() | Refusal() | Pong():
            return Step(state)
        case _:
            assert_never(frame)


def _in(state: State, phase: Phase) -> Step:
    return Step(dataclasses.replace(state, phase=phase))


def _adopt(state: State, snapshot: Snapshot) -> Step:
    body = bytes(snapshot.data)
    found = hashlib.sha256(body).hexdigest()
    if found != snapshot.digest:
        return Step(dataclasses.replace(state, phase=Phase.WHOLE), Outcome.CORRUPT, found)
    report = _report(snapshot, body)
    return Step(dataclasses.replace(state, phase=Phase.LIVE, report=report), Outcome.ADOPTED, found)


def _advance(state: State, delta: Delta) -> Step:
    report = state.report
    if state.phase is Phase.WHOLE or report is None:
        return Step(state)
    continuity = report.position.classify(delta.position)
    if continuity is Continuity.DUPLICATE:
        return Step(state)
    if continuity is not Continuity.NEXT:
        return _miss(state)
    if delta.base != report.digest:
        return _ask_whole(state)
    try:
        body = deltas.apply(bytes(delta.changes), report.body)
    except DeltaError:
        return _ask_whole(state, found="")
    found = hashlib.sha256(body).hexdigest()
    if found != delta.digest:
        return _ask_whole(state, found)
    phase = state.phase if state.phase is Phase.RESUMING else Phase.LIVE
    return Step(dataclasses.replace(state, phase=phase, report=_report(delta, body)), Outcome.APPLIED, found)


def _miss(state: State) -> Step:
    if state.phase is Phase.RESUMING:
        return Step(state)
    if state.phase is Phase.RESUMED:
        return _ask_whole(state)
    return Step(dataclasses.replace(state, phase=Phase.RESUMING), Outcome.ASK)


def _ask_whole(state: State, found: str | None = None) -> Step:
    return Step(dataclasses.replace(state, phase=Phase.WHOLE), Outcome.ASK, found)


def _report(frame: Snapshot | Delta, body: bytes) -> Report:
    return Report(
        channel=frame.channel,
        position=frame.position,
        name=frame.name,
        digest=frame.digest,
        published_at=frame.published_at,
        modified_at=frame.modified_at,
        findings=frame.findings,
        body=body,
        hops_ms=frame.hops_ms,
    )
