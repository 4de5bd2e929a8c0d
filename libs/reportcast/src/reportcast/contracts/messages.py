"""
What travels over the broker: one JSON header line and, in a snapshot or delta, a line feed and its body.

The body stands outside the header so that a gateway never parses it: it is validated once, in the watcher.

Source: docs/protocol.md, Messages.
"""

import dataclasses
import datetime
import enum
from typing import Annotated

import msgspec

from reportcast.contracts.clock import iso_utc
from reportcast.contracts.position import Position
from reportcast.contracts.trace import Trace

AwareDatetime = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Finding(msgspec.Struct, frozen=True):
    """
    What is odd about a report that is valid all the same.

    Attributes:
        kind: Its name in the settings and metrics (``FindingKind``).
        message: What is wrong, in one sentence.
        line: Where in the file, from 1; ``None`` if it concerns the whole.
        column: In characters, from 1.
    """

    kind: str
    message: str
    line: int | None = None
    column: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """
    A report on its way to the broker, which numbers it.

    Attributes:
        stem: Name for the history, without a number that may be added when the name is taken.
        digest: Identity of the content; the same digest is not published twice in a row.
        published_at: When the watcher handed it over; aware.
        modified_at: Modification time of the file; aware.
        body: Strict JSON.
        findings: What is odd about it.
        base: Digest of the report that ``delta`` starts from.
        delta: What makes ``body`` of that report (docs/protocol.md, Deltas); empty if there is none that is worth it.
        trace: When it came by in the watcher; ``None`` if the change was not seen to happen.
    """

    stem: str
    digest: str
    published_at: AwareDatetime
    modified_at: AwareDatetime
    body: bytes
    findings: tuple[Finding, ...] = ()
    base: str = ""
    delta: bytes = b""
    trace: Trace | None = None


class Snapshot(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    """
    A report's whole state at a position.

    Attributes:
        epoch: See ``Position``.
        offset: See ``Position``.
        name: Its name in the history.
        digest: SHA-256 of the body, hexadecimal.
        published_at: When the watcher handed it over; aware.
        modified_at: Modification time of the file; aware.
        findings: What is odd about the report.
        body: Strict JSON; not part of the header.
        trace: See ``Publication``.
    """

    epoch: str
    offset: int
    name: str
    digest: str
    published_at: AwareDatetime
    modified_at: AwareDatetime
    findings: tuple[Finding, ...] = ()
    body: bytes = b""
    trace: Trace | None = None

    @property
    def position(self) -> Position:
        """The reader's position after this snapshot."""
        return Position(self.epoch, self.offset)


class Delta(msgspec.Struct, frozen=True, tag_field="type", tag="delta"):
    """
    One change of a report, from the state of the offset before to that of its own.

    Attributes:
        epoch: See ``Position``.
        offset: See ``Position``.
        name: See ``Snapshot``, as all that follow but these two.
        base: Digest of the body that it changes.
        digest: SHA-256 of the body that comes of it.
        body: The change (docs/protocol.md, Deltas); not part of the header.
    """

    epoch: str
    offset: int
    name: str
    base: str
    digest: str
    published_at: AwareDatetime
    modified_at: AwareDatetime
    findings: tuple[Finding, ...] = ()
    body: bytes = b""
    trace: Trace | None = None

    @property
    def position(self) -> Position:
        """The reader's position after this change."""
        return Position(self.epoch, self.offset)

    def grown(self, body: bytes) -> Snapshot:
        """Give the whole state at this position, of which ``body`` is the report."""
        return Snapshot(
            epoch=self.epoch,
            offset=self.offset,
            name=self.name,
            digest=self.digest,
            published_at=self.published_at,
            modified_at=self.modified_at,
            findings=self.findings,
            body=body,
            trace=self.trace,
        )


class Changed(msgspec.Struct, frozen=True, tag_field="type", tag="changed"):
    """
    There is a newer report, too large for a message: it is to be read.

    Attributes:
        epoch: See ``Position``.
        offset: See ``Position``.
    """

    epoch: str
    offset: int

    @property
    def position(self) -> Position:
        """Where the channel stands."""
        return Position(self.epoch, self.offset)


class SourceState(enum.Enum):
    """Whether the watched file gives reports."""

    WAITING = "waiting"
    LIVE = "live"
    OVERDUE = "overdue"
    REJECTED = "rejected"


class Source(msgspec.Struct, frozen=True, tag_field="type", tag="source"):
    """
    How the watched file fares.

    Attributes:
        state: Waiting for a first report, live, overdue (the producer fell silent), or rejected with the last good
            report still served.
        reason: Why the file's present content is not served, or how late it is; ``None`` while live.
        since: When this state began, ISO 8601 UTC.
        heard_at: When the watcher last said so; it does every few seconds. Aware.
        expected_every_s: The producer's cadence, set or learnt, in seconds; ``None`` if it is not known.
        due_at: When the next report was, or is, due; ``None`` if no cadence is known. Aware.
        late_by_s: How long after ``due_at`` this was said; ``None`` unless overdue.
    """

    state: SourceState
    since: str
    reason: str | None = None
    heard_at: AwareDatetime | None = None
    expected_every_s: float | None = None
    due_at: AwareDatetime | None = None
    late_by_s: float | None = None


class Rejection(msgspec.Struct, frozen=True):
    """
    A content that was refused, as it is kept for people to look at.

    Attributes:
        rejected_at: Aware.
        file: The file's name.
        reason: The reason's name (docs/protocol.md, Report).
        message: What was wrong, in one sentence.
        line: Where, from 1; ``None`` if it concerns the whole.
        column: In characters, from 1.
        size: Of the file's content, in bytes.
        digest: SHA-256 of the file's content, hexadecimal.
        diff: Against the last good report, for people to read; at most 16 KiB.
        id: Name under which its bytes are kept; given by the broker.
    """

    rejected_at: AwareDatetime
    file: str
    reason: str
    message: str
    line: int | None
    column: int | None
    size: int
    digest: str
    diff: str
    id: str = ""


class Refreshed(msgspec.Struct, frozen=True, tag_field="type", tag="refreshed"):
    """The watcher has read the file again as it was asked; the report is to be sent to every client again."""


Message = Snapshot | Delta | Changed | Source | Refreshed

# A report is put into a message up to this size. A larger one would keep what is behind it waiting, and a subscriber
# that reads slowly would be cut off by Redis (client-output-buffer-limit pubsub).
INLINE_BYTES = 256 * 1024

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class MessageError(Exception):
    """Bytes on the broker that are no message of ours."""


def number(publication: Publication, position: Position, name: str) -> Snapshot:
    """Give ``publication`` its place in the stream. Redis does the same in publish.lua."""
    return Snapshot(
        epoch=position.epoch,
        offset=position.offset,
        name=name,
        digest=publication.digest,
        published_at=publication.published_at,
        modified_at=publication.modified_at,
        findings=publication.findings,
        body=publication.body,
        trace=publication.trace,
    )


def number_delta(publication: Publication, snapshot: Snapshot) -> Delta:
    """Give the change that ``publication`` carries the place of ``snapshot``. Redis does the same in publish.lua."""
    return Delta(
        epoch=snapshot.epoch,
        offset=snapshot.offset,
        name=snapshot.name,
        base=publication.base,
        digest=snapshot.digest,
        published_at=snapshot.published_at,
        modified_at=snapshot.modified_at,
        findings=snapshot.findings,
        body=publication.delta,
        trace=publication.trace,
    )


def encode_message(message: Source | Refreshed) -> bytes:
    """Encode a message that has no body."""
    return msgspec.json.encode(message)


def encode_stamps(publication: Publication) -> bytes:
    """Encode the rest of a snapshot's header; publish.lua puts epoch, offset and name in front of it."""
    stamps = {
        "digest": publication.digest,
        "published_at": iso_utc(publication.published_at),
        "modified_at": iso_utc(publication.modified_at),
        "findings": publication.findings,
        **({} if publication.trace is None else {"trace": publication.trace}),
    }
    return msgspec.json.encode(stamps)[1:]


def decode_message(raw: bytes) -> Message:
    """
    Decode one message.

    Raises:
        MessageError: If it is none of ours; says what is wrong with it.
    """
    header, _, body = raw.partition(b"\n")
    try:
        message = _decoder.decode(header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"broker message of {len(raw)} bytes is not ours: {exc}") from exc
    if not isinstance(message, Snapshot | Delta):
        return message
    if not body:
        kind = type(message).__name__.lower()
        raise MessageError(f"{kind} {message.offset} has no body; one is expected after its first line")
    return msgspec.structs.replace(message, body=body)
