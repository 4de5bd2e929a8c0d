"""
When to look at a report's file, and what each reading means. Pure: times and readings come in, decisions go out.

A truncated JSON object is never valid JSON, so a report that parses and validates is whole, and is published as soon as
its writer has closed the file. While the file is open, or where that is not known, a whole report may still be old and
new in one, if the producer writes over it without truncating: it is published once it was left alone for QUIET_S.
Content that does not parse may be an unfinished write, and waits until it has not changed for ``settle_s``.

    SETTLED ── whole, not closed ──► OPEN ── closed, or left alone ──► SETTLED (published)
       │                              ▲ │
       │                        whole │ │ cut off
       │                              │ ▼
       └───────── cut off ──────────► TORN ── the same for settle_s ──► SETTLED (rejected)
                                        └──── whole and closed ───────► SETTLED (published)

While SETTLED, a hint makes a look, and the sweep reads whatever the hints say. In the other states every look reads,
hints or not, because a writer's last event can be lost.
"""

import dataclasses
import enum
import math
from collections.abc import Hashable
from typing import NamedTuple

from reportcast.contracts.errors import ReportError
from reportcast.contracts.report import Report

# A writer that never finishes is told of, or published, after so many times settle_s, however busy it is.
PATIENCE = 5
# While torn, look again so soon even without a hint.
RELOOK_S = 0.1
# While torn, hints are let pass for so long, or twice what the reading took, so that a writer of many small pieces is
# not read once for each of them. It bounds what a slow writer's last piece waits.
BREATH_S = 0.01
# While open the same, but shorter: the writer's next step is mostly to close the file, some µs later.
BRIEF_S = 0.001
# No longer than this, for a reading that took very long was held up by the file system.
LONGEST_S = 1.0
# A whole report whose file was not closed is published when it was left alone for so long, or after PATIENCE times
# settle_s if it never is. Who writes over a file in pieces without truncating it, and pauses for longer, is published
# half way.
QUIET_S = 0.025


class State(enum.Enum):
    """What is known of the file."""

    SETTLED = "settled"
    OPEN = "open"
    TORN = "torn"


class Decision(enum.Enum):
    """What to do after a reading."""

    PUBLISH = "publish"
    UNCHANGED = "unchanged"
    WAIT = "wait"
    REJECT = "reject"
    STILL_REJECTED = "still rejected"


class Pause(NamedTuple):
    """
    How long to wait for the next look.

    Attributes:
        deaf_s: So long, whatever the hints say.
        alert_s: After that, so long at most, or until a hint.
    """

    deaf_s: float
    alert_s: float


@dataclasses.dataclass(slots=True)
class _Suspect:
    """
    Content that may be an unfinished write.

    Attributes:
        content: Which.
        since_s: Since when it has not changed.
        began_s: Since when it is suspected, or what was there instead.
    """

    content: Hashable
    since_s: float
    began_s: float


class Settle:
    """
    Decides what each reading means, given those before it.

    Args:
        settle_s: Unfinished content that stays the same for so long is rejected, and after PATIENCE times as long
            even if it keeps changing.
        sweep_s: The file is read so often without a hint.
    """

    def __init__(self, settle_s: float, sweep_s: float) -> None:
        self.state = State.SETTLED
        self._settle_s = settle_s
        self._sweep_s = sweep_s
        self._published: str | None = None
        self._suspects: dict[State, _Suspect] = {}
        self._rejected: Hashable = None
        self._read_s = -math.inf
        self._took_s = 0.0

    @property
    def published(self) -> str | None:
        """Digest of the last good report; ``None`` if there was none since the last ``reconsider``."""
        return self._published

    def reconsider(self) -> None:
        """Decide about what the file holds anew, as if it had never been read."""
        self._published, self._rejected, self._read_s = None, None, -math.inf

    def forget_rejection(self) -> None:
        """Tell of what is rejected once more, because something else was told meanwhile."""
        self._rejected = None

    def must_read(self, now_s: float) -> bool:
        """Tell whether the file is to be read now, even if it looks untouched."""
        return self.state is not State.SETTLED or now_s - self._read_s >= self._sweep_s

    def pause(self, now_s: float) -> Pause:
        """Tell how long to wait for the next look."""
        match self.state:
            case State.SETTLED:
                return Pause(0.0, max(0.0, self._read_s + self._sweep_s - now_s))
            case State.OPEN:
                return Pause(max(BRIEF_S, min(2 * self._took_s, LONGEST_S)), QUIET_S)
            case State.TORN:
                return Pause(max(BREATH_S, min(2 * self._took_s, LONGEST_S)), RELOOK_S)

    def decide(
        self,
        content: Report | ReportError,
        fingerprint: Hashable,
        began_s: float,
        now_s: float,
        is_closed: bool = False,
    ) -> Decision:
        """
        Decide what a reading means.

        Args:
            content: What was read.
            fingerprint: Changes whenever the file was touched.
            began_s: When reading began; monotonic.
            now_s: When it ended.
            is_closed: Whether the writer is known to have closed the file, or put it in its place, before the reading.
        """
        self._read_s, self._took_s = now_s, now_s - began_s
        if isinstance(content, Report):
            waiting, decision = State.OPEN, self._accept(content, fingerprint, now_s, is_closed)
        else:
            waiting, decision = State.TORN, self._doubt(content, fingerprint, now_s)
        self.state = waiting if decision is Decision.WAIT else State.SETTLED
        if decision is not Decision.WAIT:
            self._suspects.clear()
        return decision

    def _accept(self, report: Report, fingerprint: Hashable, now_s: float, is_closed: bool) -> Decision:
        self._rejected = None
        if report.digest == self._published:
            return Decision.UNCHANGED
        if not is_closed and not self._is_left_alone(State.OPEN, (fingerprint, report.digest), now_s):
            return Decision.WAIT
        self._published = report.digest
        return Decision.PUBLISH

    def _doubt(self, error: ReportError, fingerprint: Hashable, now_s: float) -> Decision:
        key = (fingerprint, str(error))
        if key == self._rejected:
            return Decision.STILL_REJECTED
        if error.may_be_torn and not self._is_left_alone(State.TORN, key, now_s):
            return Decision.WAIT
        self._rejected = key
        return Decision.REJECT

    def _is_left_alone(self, state: State, content: Hashable, now_s: float) -> bool:
        known = self._suspects.get(state)
        if known is None or known.content != content:
            known = self._suspects[state] = _Suspect(content, now_s, known.began_s if known else now_s)
        quiet_s = QUIET_S if state is State.OPEN else self._settle_s
        return now_s - known.since_s >= quiet_s or now_s - known.began_s >= PATIENCE * self._settle_s
