"""``reportcast diff``: what changed from one report to another, in words."""

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from reportcast.contracts.delta import diff
from reportcast.contracts.errors import ReportError, ReportShapeError
from reportcast.contracts.report import Report, ReportKind, parse_report
from reportcast_client.secrets import without_secrets
from rich.text import Text
from watcher.reader import Reader

from reportcast_cli.changes import Ignored, comparable, compare
from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.fetch import ADMISSION_HINT, MAX_BYTES, Answer, fetch, gateway_url, refusal_of
from reportcast_cli.printable import printable
from reportcast_cli.streams import read_input
from reportcast_cli.terminal import console, say, say_bytes
from reportcast_cli.verdict import in_full
from reportcast_cli.words import headline, lines

STDIN = "-"
_ADDRESS = re.compile(r"(?:https?|wss?)://.*", re.IGNORECASE | re.DOTALL)
# As a person writes it; a file of that name comes first.
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):[0-9]{1,5}(?:[/?].*)?")
# What is what it is; all else is the address of a gateway, which stands for its newest report.
_REPORT_PATH = re.compile(r"/audit(?:/.*)?$|\.json$")


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of the two: how it was named, and its bytes."""

    name: str
    raw: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Admission:
    """
    What opens gateways.

    Attributes:
        token: See ``fetch``.
        home: The gateway that it is for; ``None`` if it is for all.
    """

    token: str | None
    home: str | None

    def fetch(self, url: str) -> Answer:
        """
        Get what is at an address.

        Raises:
            Trouble: If it is not given.
        """
        is_given = self.home is None or _origin(url) == _origin(gateway_url(self.home))
        answer = fetch(url, self.token if is_given else None)
        if answer.status != 200:
            hint = ADMISSION_HINT if is_given or not self.token else _NOT_SENT
            raise Trouble(f"{printable(url)} answers {answer.status}: {refusal_of(answer, hint)}")
        return answer


_NOT_SENT = "REPORTCAST_TOKEN is sent to the gateway of REPORTCAST_URL alone; --token is sent to any"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def run(before: str, after: str, admission: Admission, ignored: Sequence[str], as_json: bool) -> Exit:
    """Compare two reports, print what changed, and say whether anything did."""
    if before == after == STDIN:
        raise Trouble("both reports cannot come on standard input; name a file or an address for one")
    sides = [Side(without_secrets(where), read_side(where, admission)) for where in (before, after)]
    kind, note = _kind_of(sides)
    old, new = (_parse(side, kind) for side in sides)
    if as_json:
        if ignored:
            raise Trouble("--ignore cannot go with --json, whose delta makes all of the one report of the other")
        say_bytes(diff(old.body, new.body, kind) or _whole(new))
        return Exit.FINE if old.body == new.body else Exit.OTHERWISE
    places = Ignored(ignored)
    changes = compare(comparable(old.body), comparable(new.body), kind).without(places)
    if not changes:
        return Exit.FINE
    out = console()
    named = (f"{printable(side.name)}{_of(report)}" for side, report in zip(sides, (old, new), strict=True))
    say(out, Text(" → ".join(named), "dim"), Text(headline(changes), "bold"))
    if note:
        say(out, Text(note, "dim"))
    say(out, *lines(changes))
    for place in places.unused:
        say(out, Text(f"nothing that changed is at {printable(place)}, which --ignore names", "dim"))
    return Exit.OTHERWISE


def _of(report: Report) -> str:
    return "" if report.timestamp is None else f" ({printable(report.timestamp, 40)})"


def _whole(report: Report) -> bytes:
    """Give what puts the whole in place of what was there (RFC 6902)."""
    put = {"op": "replace", "path": "", "value": msgspec.Raw(report.body)}
    return msgspec.json.encode({"format": "json-patch", "patch": [put]})


def read_side(where: str, admission: Admission) -> bytes:
    """
    Read one of the two.

    Args:
        where: A file, an address, or ``-``.
        admission: Opens gateways.

    Raises:
        Trouble: If that does not succeed.
    """
    if where == STDIN:
        raw = read_input(MAX_BYTES)
        if len(raw) > MAX_BYTES:
            raise Trouble(f"standard input is larger than {MAX_BYTES} bytes; that many are read")
        return raw
    if _ADDRESS.fullmatch(where) or (_HOST_AND_PORT.fullmatch(where) and not os.path.lexists(where)):
        return admission.fetch(_report_url(where)).body
    reading = Reader(Path(where), ReportKind.GENERIC, MAX_BYTES).read()
    if isinstance(reading.content, ReportError) and not reading.raw:
        raise Trouble(in_full(reading.content, where))
    return reading.raw


def _report_url(where: str) -> str:
    address, _, query = where.partition("?")
    url = gateway_url(address)
    path = "" if _REPORT_PATH.search(url.rstrip("/")) else "audit"
    return (url + path).rstrip("/") + (f"?{query}" if query else "")


def _kind_of(sides: Sequence[Side]) -> tuple[ReportKind, str | None]:
    """Take them for audit reports, unless one is none; what is no report at all is told when it is read."""
    reasons = [_no_audit(side) for side in sides]
    if not any(reasons):
        return ReportKind.AUDIT, None
    told = " and ".join(filter(None, reasons))
    return ReportKind.GENERIC, None if all(reasons) else f"compared as generic reports, because {told}"


def _no_audit(side: Side) -> str | None:
    try:
        parse_report(side.raw, ReportKind.AUDIT)
    except ReportShapeError as error:
        return f"{printable(side.name)} is no audit report: {printable(str(error))}"
    except ReportError:
        return None
    return None


def _parse(side: Side, kind: ReportKind) -> Report:
    try:
        return parse_report(side.raw, kind)
    except ReportError as error:
        raise Trouble(f"{printable(side.name)} cannot be compared: {error}") from error
