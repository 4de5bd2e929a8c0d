"""
Which hop does not work between the watcher's file and the clients of this gateway, by what is seen of the canary. Pure.

Times come in as arguments, in seconds of one clock that nobody sets. Everything is told apart by what changes, so the
clocks of other machines do not count.

Source: docs/protocol.md, Canary; docs/adr/0017-the-canary.md.
"""

import dataclasses
import datetime
import enum

from reportcast.contracts.canary import is_expected
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.position import Continuity, Position

# The WebSocket may be away for so long: it is tried again twice a second.
OPEN_S = 2.5
# One that breaks sooner after it was opened was not open.
STEADY_S = 1.0
# What is here is on the WebSocket within milliseconds.
BACK_S = 2.0
# A link that is lost for less is back before anybody would look.
LINK_S = 1.0
# The watcher itself says that its canary is late, after a second (watcher.cadence), so one that says nothing is away.
# Another that takes over from it does so within 4.5 s.
SILENT_S = 3.5
# Once it has said so, it speaks every 5 s, and looks whether it is time to every 1.25 s.
SILENT_IN_TROUBLE_S = 7.5
# Who was not asked for so long was held up itself, and all that it waits for has another chance.
STALL_S = 2.0


class Hop(enum.StrEnum):
    """One part of the way, as the metric names it."""

    FILE = "file"
    WATCHER = "watcher"
    BROKER = "broker"
    WEBSOCKET = "websocket"


class State(enum.StrEnum):
    """
    How the probe fares.

    WAITING: nothing has come yet, and nothing is too late. OFF: no watcher has a canary; the WebSocket is open.
    """

    WAITING = "waiting"
    UP = "up"
    OFF = "off"
    FAILING = "failing"


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is to be told.

    Attributes:
        state: In a word.
        hop: The first that fails; ``None`` unless one does.
        reason: Why, in one sentence; ``None`` unless one fails.
    """

    state: State
    hop: Hop | None = None
    reason: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Upstream:
    """
    What this gateway has of the canary, whatever becomes of it here.

    Attributes:
        is_connected: Whether the relay follows the broker.
        source: The watcher's last word of its file.
        position: Of the newest canary; ``None`` before the first.
        heard_at: When anything last came from the watcher. Only that it is another time than before counts.
    """

    is_connected: bool
    source: Source | None
    position: Position | None
    heard_at: datetime.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class RoundTrip:
    """
    A canary that came back.

    Attributes:
        at: When; aware.
        seconds: From when the watcher wrote it, by the clocks of two machines; never negative.
    """

    at: datetime.datetime
    seconds: float


class Probe:
    """
    What is seen of the canary, and what that means.

    Attributes:
        last: The last round trip; ``None`` before the first.

    Args:
        now_s: When it begins.
    """

    def __init__(self, now_s: float) -> None:
        self.last: RoundTrip | None = None
        self._judged_s = self._patient_s = now_s
        # Of the WebSocket: since when it is open, without interruption or between attempts that brought nothing; and
        # since when it is away, or opens only to break again.
        self._is_open, self._is_proved = False, False
        self._latest_s: float = now_s
        self._opened_s: float | None = None
        self._away_s = now_s
        self._why = "it has not been opened yet"
        self._returned: Position | None = None
        self._owed: tuple[Position, float] | None = None
        self._has_returned = False
        self._upstream = Upstream(False, None, None, None)
        self._source: Source | None = None
        self._link_s = self._heard_s = self._arrived_s = now_s

    def opened(self, now_s: float) -> None:
        """Note that the WebSocket is open, as what comes out of it shows."""
        if not self._is_open:
            self._is_open, self._latest_s = True, now_s
            self._opened_s = self._opened_s or now_s

    def closed(self, why: str, now_s: float) -> None:
        """Note that the WebSocket could not be opened, or was closed."""
        if self._is_good(now_s):
            self._away_s = now_s
        if self._is_proved:
            self._opened_s = None
        self._is_open = self._is_proved = False
        self._why = why

    def returned(self, position: Position, trip: RoundTrip | None, now_s: float) -> None:
        """Note a canary that came over the WebSocket; ``trip`` is ``None`` if it may have been there for long."""
        self._returned = position
        self._is_proved = True
        self.last = trip or self.last
        self._has_returned = True
        if self._owed and self._is_back(self._owed[0]):
            newest = self._upstream.position
            self._owed = (newest, now_s) if newest and not self._is_back(newest) else None

    def judge(self, upstream: Upstream, now_s: float) -> Verdict:
        """Say how it fares; asked at least twice as often as STALL_S."""
        if now_s - self._judged_s > STALL_S:
            self._patient_s = now_s
        self._judged_s = now_s
        self._notice(upstream, now_s)
        verdict = self._own(now_s) or self._link(now_s)
        if verdict or not upstream.is_connected:
            return verdict or self._well()
        if self._source is None or not is_expected(self._source):
            self._has_returned = False
            return Verdict(State.OFF)
        return self._beyond(self._source, now_s) or self._well()

    def _notice(self, upstream: Upstream, now_s: float) -> None:
        before, self._upstream = self._upstream, upstream
        # A broker that has lost its data knows of no canary; what is expected is known here all the same.
        self._source = upstream.source or self._source
        if upstream.is_connected is not before.is_connected:
            self._link_s = now_s
        if upstream.heard_at != before.heard_at:
            self._heard_s = now_s
        if upstream.position != before.position and upstream.position:
            self._arrived_s = now_s
            # What was owed of an epoch that has ended will not come any more.
            is_owed = self._owed is not None and self._owed[0].epoch == upstream.position.epoch
            if not is_owed:
                self._owed = None
            if not is_owed and not self._is_back(upstream.position):
                self._owed = (upstream.position, now_s)

    def _is_back(self, position: Position) -> bool:
        return self._returned is not None and self._returned.classify(position) is Continuity.DUPLICATE

    def _is_good(self, now_s: float) -> bool:
        """Say whether the WebSocket is open and brings something, or has not broken for a while at least."""
        return self._is_open and (self._is_proved or now_s - self._latest_s >= STEADY_S)

    def _age_s(self, since_s: float, now_s: float) -> float:
        return now_s - max(since_s, self._patient_s)

    def _own(self, now_s: float) -> Verdict | None:
        """Say what this gateway itself does not do, whatever else does not work."""
        away_s = self._age_s(self._away_s, now_s)
        if not self._is_good(now_s) and away_s >= OPEN_S:
            return _failing(Hop.WEBSOCKET, f"no WebSocket to this gateway's own port for {away_s:.0f} s: {self._why}")
        if self._opened_s is not None and self._owed:
            owed_s = self._age_s(max(self._owed[1], self._opened_s), now_s)
            if owed_s >= BACK_S:
                return _failing(
                    Hop.WEBSOCKET, f"what came from the broker was not given to a client for {owed_s:.0f} s"
                )
        return None

    def _link(self, now_s: float) -> Verdict | None:
        away_s = self._age_s(self._link_s, now_s)
        if not self._upstream.is_connected and away_s >= LINK_S:
            return _failing(Hop.BROKER, f"the broker has not been connected for {away_s:.0f} s")
        return None

    def _beyond(self, source: Source, now_s: float) -> Verdict | None:
        """Say what does not work before the broker."""
        silent_s = self._age_s(max(self._heard_s, self._link_s), now_s)
        late_s = self._age_s(max(self._arrived_s, self._link_s), now_s)
        is_live = source.state is SourceState.LIVE
        if silent_s >= SILENT_IN_TROUBLE_S or (is_live and silent_s >= (source.expected_every_s or 0) + SILENT_S):
            return _failing(Hop.WATCHER, f"nothing has been heard from a watcher for {silent_s:.0f} s")
        if is_live and late_s >= (source.expected_every_s or 0) + SILENT_IN_TROUBLE_S:
            return _failing(Hop.WATCHER, f"the watcher is there, but has published no canary for {late_s:.0f} s")
        if not is_live:
            return _failing(Hop.FILE, f"the watcher's canary is {source.state.value}: {source.reason}")
        return None

    def _well(self) -> Verdict:
        return Verdict(State.UP if self._has_returned else State.WAITING)


def _failing(hop: Hop, reason: str) -> Verdict:
    return Verdict(State.FAILING, hop, reason)
