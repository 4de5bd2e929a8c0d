"""What ``tail`` says of what happens on a feed. Pure: the time comes in."""

import collections
import datetime
from collections.abc import Iterator, Sequence

import msgspec
from reportcast.contracts.audit import Repo
from reportcast.contracts.report import ReportKind, kind_of
from reportcast_client import Changed, Connected, Disconnected, Event, Fares, Problem, Report, Transport
from reportcast_client.secrets import without_secrets
from rich.text import Text

from reportcast_cli.amounts import counted, duration, size
from reportcast_cli.changes import comparable, compare, told_by
from reportcast_cli.printable import printable
from reportcast_cli.terminal import STYLES
from reportcast_cli.words import headline, lines

# Of one change, so many lines are shown.
MAX_LINES = 20
# A report older than this was there before we came: nobody waited for it.
FRESH_S = 60.0

_INDENT = " " * 14


class _Repos(msgspec.Struct):
    repos: list[Repo]


class Telling:
    """
    Turns events into lines; remembers what was told, so that nothing is told twice.

    Args:
        transports: What may be used, best first.
    """

    def __init__(self, transports: Sequence[Transport]) -> None:
        self._best = transports[0]
        self._was_connected = False
        self._report: Report | None = None
        self._reasons: tuple[str, ...] = ()
        self._trouble: tuple[str, str] | None = None

    def tell(self, event: Event, now: datetime.datetime) -> Iterator[Text]:
        """Give the lines for an event; none if it is nothing new. ``now`` is aware, in the zone that is shown."""
        match event:
            case Connected():
                yield from self._connected(event, now)
            case Disconnected():
                yield from self._disconnected(event, now)
            case Changed():
                yield from self._changed(event, now)
            case Fares():
                yield from self._fares(event, now)
            case Problem():
                yield _line(now, Text(f"{event.code}: {printable(event.message)}", "yellow"))

    def _connected(self, event: Connected, now: datetime.datetime) -> Iterator[Text]:
        again = "again " if self._was_connected else ""
        self._trouble, self._was_connected = None, True
        told = Text.assemble(
            (f"connected {again}", "green"), f"to {without_secrets(event.url)}/ by {_NAMES[event.transport]}"
        )
        if event.transport is not self._best:
            told.append(f"; {_NAMES[self._best]} does not get through", "yellow")
        yield _line(now, told)

    def _disconnected(self, event: Disconnected, now: datetime.datetime) -> Iterator[Text]:
        # Attempts that fail alike are one outage.
        trouble = event.transport.value, str(event.reason)
        if trouble != self._trouble:
            told = f"; again in {duration(event.retry_in_s)}, and so on"
            yield _line(
                now,
                Text.assemble(
                    ("not connected", "bold red"),
                    f" by {_NAMES[event.transport]}: {printable(trouble[1])}",
                    (told, "dim"),
                ),
            )
        self._trouble = trouble

    def _fares(self, event: Fares, now: datetime.datetime) -> Iterator[Text]:
        reasons = tuple(event.status.reasons)
        if reasons == self._reasons:
            return
        told = "stale" if event.status.stale else "degraded"
        for reason in reasons:
            if reason not in self._reasons:
                yield _line(now, Text.assemble((told, "bold red"), f": {printable(reason)}"))
        if not reasons:
            yield _line(now, Text("healthy again", "green"))
        self._reasons = reasons

    def _changed(self, event: Changed, now: datetime.datetime) -> Iterator[Text]:
        before, self._report = self._report, event.report
        if before is None:
            yield _line(now, Text.assemble(_standing(event.report), _age(event.report, now)))
            yield from _findings(event.report, None)
            return
        if before.digest == event.report.digest:
            yield _line(now, Text("the same report again, in a new stream", "dim"))
            return
        changes = told_by(event.changes, before.body) if event.changes else None
        if changes is None:
            changes = compare(comparable(before.body), comparable(event.report.body), kind_of(event.report.channel))
        told = headline(changes) if changes else "written otherwise, with the same content"
        yield _line(now, Text.assemble((told, "bold"), _age(event.report, now)))
        if event.skipped:
            yield Text(
                f"{_INDENT}together with {counted(event.skipped, 'change')} before it that came too fast", "yellow"
            )
        for number, line in enumerate(lines(changes)):
            if number == MAX_LINES:
                yield Text(f"{_INDENT}… and more; reportcast diff tells all", "dim")
                break
            yield Text.assemble(_INDENT, line)
        yield from _findings(event.report, before)


_NAMES = {Transport.WEBSOCKET: "WebSocket", Transport.EVENTS: "server-sent events", Transport.POLL: "long-poll"}


def _line(now: datetime.datetime, told: Text) -> Text:
    return Text.assemble((f"{now:%H:%M:%S}.{now.microsecond // 1000:03}", "dim"), "  ", told)


def _age(report: Report, now: datetime.datetime) -> Text:
    """Tell how old the report is, and where the time went as far as that is known."""
    age_s = (now - report.modified_at).total_seconds()
    told = Text(f"  {duration(age_s)} after the file's change", "cyan" if age_s < FRESH_S else "dim")
    if report.hops_ms:
        hops = " + ".join(f"{printable(name, 20)} {ms:.3g}" for name, ms in report.hops_ms.items())
        told.append(f" ({hops} ms)", "dim")
    return told


def _standing(report: Report) -> Text:
    """Tell what the feed shows when we come."""
    told = Text.assemble((printable(report.channel), "bold"), f" stands at {report.position.offset}: ")
    try:
        repos = msgspec.json.decode(comparable(report.body), type=_Repos).repos
    except msgspec.MsgspecError:
        repos = None
    if kind_of(report.channel) is ReportKind.GENERIC or repos is None:
        return told.append(size(len(report.body)))
    counts = collections.Counter(repo.state_name for repo in repos)
    states = [
        Text.assemble((f"{count} {printable(state, 20)}", STYLES.get(state, ""))) for state, count in counts.items()
    ]
    told.append(counted(len(repos), "repository", "repositories"))
    return told.append(", ").append_text(Text(", ").join(states)) if states else told


def _findings(report: Report, before: Report | None) -> Iterator[Text]:
    known = {each.message for each in before.findings} if before else set()
    for finding in report.findings:
        if finding.message not in known:
            yield Text.assemble(_INDENT, (finding.kind, "yellow"), f": {printable(finding.message)}")
