"""
What clients under load received, and what that says. Pure: times come in as arguments.

A change's age is from the file's modification time to the client, of two clocks; its spread, from the first client to
the last, is of one.
"""

import dataclasses
import datetime

from reportcast_client import Blocked
from reportcast_client.frames import Delta, Frame, Skipped, Snapshot, frame_of

from reportcast_cli.plot import percentile

Key = tuple[str, int]


@dataclasses.dataclass(slots=True)
class Change:
    """
    One change, as all clients received it.

    Attributes:
        made_s: When the file was written, or the gateway asked, since 1970.
        due: How many clients should receive it.
        receipts_s: When each client did, since 1970.
        cpu_s: What this process's CPU clock said at the first and the last receipt.
        size: Bytes of its frame.
    """

    made_s: float
    due: int
    receipts_s: list[float] = dataclasses.field(default_factory=list)
    cpu_s: tuple[float, float] = (0.0, 0.0)
    size: int = 0

    def receive(self, now_s: float, cpu_s: float, size: int) -> None:
        """Take note of a receipt."""
        self.cpu_s = (self.cpu_s[0] if self.receipts_s else cpu_s), cpu_s
        self.receipts_s.append(now_s)
        self.size = size

    @property
    def ages_ms(self) -> list[float]:
        """How old it was, at each client."""
        return [1000 * (each - self.made_s) for each in self.receipts_s]

    @property
    def spread_s(self) -> float:
        """From the first receipt to the last."""
        return max(self.receipts_s) - min(self.receipts_s) if self.receipts_s else 0.0

    @property
    def busy_s(self) -> float:
        """How much of that this process was at work."""
        return self.cpu_s[1] - self.cpu_s[0]


class Tally:
    """
    Takes what every client receives.

    Attributes:
        changes: Those that began to come while it was open, in their order.
        frames: How many frames came, of all kinds.
        octets: How many bytes they had.
        merged: Changes that clients were too slow for.
    """

    def __init__(self) -> None:
        self.changes: dict[Key, Change] = {}
        self.frames = 0
        self.octets = 0
        self.merged = 0
        self._known: set[Key] = set()
        self._asked: Change | None = None
        self._given: set[int] = set()
        self._due: int | None = None
        self._is_over = False
        # A frame that was sent to everybody is read once.
        self._last: tuple[bytes, Delta | Snapshot | Skipped | None] = (b"", None)

    def open(self, clients: int) -> None:
        """From now on changes count that were not known before; so many clients are to receive each."""
        self._due = clients

    def close(self) -> None:
        """From now on no further change counts; of those that came, what is under way still does."""
        self._is_over = True

    def ask(self, now_s: float) -> None:
        """From now on the next report of each client is the answer to what was asked for at ``now_s``."""
        self._asked, self._given = Change(now_s, self._due or 0), set()
        self.changes["", len(self.changes)] = self._asked

    def receive(self, client: int, payload: bytes, now_s: float, cpu_s: float) -> None:
        """Take a frame."""
        self.frames += 1
        self.octets += len(payload)
        if payload.startswith(b'{"type":"audit-update"'):
            self._answer(client, len(payload), now_s, cpu_s)
            return
        if payload != self._last[0]:
            frame = _read(payload)
            self._last = payload, frame if isinstance(frame, Delta | Snapshot | Skipped) else None
        match self._last[1]:
            case Skipped(merged=merged):
                self.merged += merged - 1
            case Delta() | Snapshot() as frame:
                self._count(frame, len(payload), now_s, cpu_s)

    def _answer(self, client: int, size: int, now_s: float, cpu_s: float) -> None:
        if self._asked and client not in self._given:
            self._given.add(client)
            self._asked.receive(now_s, cpu_s, size)

    def _count(self, frame: Delta | Snapshot, size: int, now_s: float, cpu_s: float) -> None:
        key = frame.epoch, frame.offset
        if self._due is None:
            self._known.add(key)
        elif key in self.changes or not (self._is_over or key in self._known):
            change = self.changes.setdefault(key, Change(_seconds(frame.modified_at), self._due))
            change.receive(now_s, cpu_s, size)


def _read(payload: bytes) -> Frame | None:
    try:
        return frame_of(payload)
    except Blocked:  # one like others that are not counted
        return None


def _seconds(moment: datetime.datetime) -> float:
    return moment.timestamp()


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """
    What a number of changes came to.

    Attributes:
        changes: How many came.
        receipts: How often one reached a client.
        missed: How often one did not.
        ages_ms: Of all receipts, ascending.
        spreads_ms: Of all changes, ascending.
        frame_bytes: Of the largest.
        busy: Which share of the spreads this process was at work, 0 to 1.
    """

    changes: int
    receipts: int
    missed: int
    ages_ms: list[float]
    spreads_ms: list[float]
    frame_bytes: int
    busy: float

    def age_ms(self, share: float) -> float:
        """Give a percentile of the ages, of which there has to be one."""
        return percentile(self.ages_ms, share)


def figures_of(tally: Tally) -> Figures:
    """Put together what came."""
    changes = list(tally.changes.values())
    receipts = sum(len(each.receipts_s) for each in changes)
    spread_s = sum(each.spread_s for each in changes)
    return Figures(
        changes=sum(bool(each.receipts_s) for each in changes),
        receipts=receipts,
        missed=sum(each.due for each in changes) - receipts - tally.merged,
        ages_ms=sorted(age for each in changes for age in each.ages_ms),
        spreads_ms=sorted(1000 * each.spread_s for each in changes if each.receipts_s),
        frame_bytes=max((each.size for each in changes), default=0),
        busy=min(1.0, sum(each.busy_s for each in changes) / spread_s) if spread_s else 0.0,
    )
