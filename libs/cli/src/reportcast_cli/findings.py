"""What ``bench`` found, in words: figures, a picture, and what they do not say."""

import collections
import dataclasses
from collections.abc import Iterator

from rich.text import Text

from reportcast_cli.amounts import counted, duration, size
from reportcast_cli.crowd import AT_ONCE
from reportcast_cli.machine import Effort, Gateway
from reportcast_cli.plot import histogram, percentile
from reportcast_cli.printable import printable
from reportcast_cli.tally import Figures
from reportcast_cli.terminal import console, say, say_json

# From here on it is this process that is measured.
BUSY = 0.7
LATE_MS = 10.0
# What fewer connections take is lost in what else a process takes and gives back.
ENOUGH = 500
# Below this, what this process adds does not show.
SPREAD_MS = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """
    What was found.

    Attributes:
        url: The gateway.
        is_local: Whether it is on this machine.
        triggered: Whether updates were triggered; else only those count that came by themselves.
        clients: How many were to connect.
        connected: How many were let in.
        refused: How many were not, by the reason.
        lost: How many connections ended, by the reason.
        connect_s: How long it took until all were in.
        shaken_ms: How long each handshake took, ascending.
        seconds: How long changes were waited for.
        figures: Of the changes.
        merged: Changes that clients were not given one by one.
        gateway: What it said of itself before, with all clients, and at the end.
        efforts: Of this process while they connected, and then.
    """

    url: str
    is_local: bool
    triggered: bool
    clients: int
    connected: int
    refused: collections.Counter[str]
    lost: collections.Counter[str]
    connect_s: float
    shaken_ms: list[float]
    seconds: float
    figures: Figures
    merged: int
    gateway: tuple[Gateway | None, Gateway | None, Gateway | None]
    efforts: tuple[Effort, Effort]

    @property
    def is_fine(self) -> bool:
        """Whether every client was let in, stayed, and got all that came."""
        return not (self.refused or self.lost or self.figures.missed)

    @property
    def bytes_each(self) -> float | None:
        """What a connection takes of the gateway's memory; ``None`` if that cannot be told."""
        before, idle, _ = self.gateway
        if before is None or idle is None or idle.connections - before.connections != self.connected:
            return None
        if self.connected < ENOUGH:
            return None
        return (idle.memory - before.memory) / self.connected

    @property
    def cpu(self) -> float | None:
        """Which share of a core the gateway took while changes were waited for; ``None`` if it does not tell."""
        _, idle, after = self.gateway
        return (after.cpu_s - idle.cpu_s) / self.seconds if idle and after else None


def told(found: Findings) -> None:
    """Print it as one line of JSON."""
    figures = found.figures
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}

    def spread(ordered: list[float]) -> dict[str, float] | None:
        return {name: round(percentile(ordered, share), 3) for name, share in shares.items()} if ordered else None

    say_json(
        {
            "url": found.url,
            "clients": found.clients,
            "connected": found.connected,
            "refused": found.refused,
            "lost": found.lost,
            "handshakes_per_s": round(found.connected / found.connect_s, 1),
            "handshake_ms": spread(found.shaken_ms),
            "seconds": found.seconds,
            "triggered": found.triggered,
            "changes": figures.changes,
            "receipts": figures.receipts,
            "missed": figures.missed,
            "merged": found.merged,
            "latency_ms": spread(figures.ages_ms),
            "spread_ms": spread(figures.spreads_ms),
            "frame_bytes": figures.frame_bytes,
            "bytes_per_connection": found.bytes_each and round(found.bytes_each),
            "gateway_cpu": found.cpu and round(found.cpu, 4),
            "own_cpu": round(found.efforts[1].cpu, 4),
            "warnings": list(warnings(found)),
            "not_measured": list(not_measured(found)),
        }
    )


def show(found: Findings) -> None:
    """Print it for a person."""
    out = console()
    say(out, Text.assemble((found.url, "bold"), f": {counted(found.clients, 'client')} for {duration(found.seconds)}"))
    say(out, *_connections(found), *_changes(found), *_gateway(found))
    for sentence in warnings(found):
        say(out, Text.assemble(("warning: ", "bold yellow"), sentence))
    for sentence in not_measured(found):
        say(out, Text.assemble(("not measured: ", "dim"), sentence))


def _connections(found: Findings) -> Iterator[Text]:
    rate = f"{found.connected / found.connect_s:.0f} handshakes/s"
    yield _row(
        "connected",
        f"{found.connected} in {duration(found.connect_s)}, {AT_ONCE} at a time: {rate}, {_shares(found.shaken_ms)}",
    )
    for reason, count in (found.refused + found.lost).most_common():
        yield _row("", f"{count}: {printable(reason)}", "bold red")


def _changes(found: Findings) -> Iterator[Text]:
    figures = found.figures
    if not figures.receipts:
        return
    what = "triggered updates" if found.triggered else "changes"
    told = f"{figures.receipts} receipts of {figures.changes} {what}, the largest frame {size(figures.frame_bytes)}"
    yield _row("received", told)
    if figures.missed:
        yield _row("", f"{figures.missed} were missed", "bold red")
    if found.merged:
        yield _row("", f"{found.merged} were left out for a newer one: clients were too slow", "yellow")
    since = "from asking for an update" if found.triggered else "from the file's change"
    yield _row("latency", f"{since} to the client: {_shares(figures.ages_ms)}")
    for line in histogram(figures.ages_ms):
        yield Text.assemble(" " * 16, (line, "cyan"))
    yield _row("spread", f"from the first client to the last: {_shares(figures.spreads_ms)}")


def _gateway(found: Findings) -> Iterator[Text]:
    _, idle, after = found.gateway
    if idle is not None and after is not None:
        each = (
            "" if found.bytes_each is None else f", about {size(max(0, round(found.bytes_each)))} for each connection"
        )
        cpu = f"{100 * (found.cpu or 0):.1f} % of a core"
        yield _row("gateway", f"{size(round(idle.memory))} resident{each}; {cpu} while we waited")
    connecting, watching = (f"{100 * effort.cpu:.0f} %" for effort in found.efforts)
    yield _row("this process", f"{connecting} of a core while connecting, {watching} while waiting")


def warnings(found: Findings) -> Iterator[str]:
    """Say where the figures tell of this process, or of two clocks, more than of the gateway."""
    connecting, watching = found.efforts
    figures = found.figures
    if connecting.cpu > BUSY:
        yield "this process was busy while it connected: the gateway may take more handshakes than that"
    is_slow = figures.spreads_ms and percentile(figures.spreads_ms, 0.5) > SPREAD_MS and figures.busy > BUSY
    if is_slow or watching.cpu > BUSY or watching.late_ms > LATE_MS:
        yield (
            "this process was the limit while changes came: it was busy "
            f"{100 * figures.busy:.0f} % of the spread, and late by {watching.late_ms:.2g} ms; the gateway is faster"
        )
    if figures.receipts and not found.is_local and not found.triggered:
        yield "latency is of two machines' clocks, and as wrong as they differ; the spread is of one"
    if figures.ages_ms and figures.ages_ms[0] < 0:
        yield "some changes came before they were made: the clocks differ"


def not_measured(found: Findings) -> Iterator[str]:
    """Say what there are no figures of, and why."""
    if not found.figures.receipts:
        hint = "" if found.triggered else "; --trigger asks for updates"
        yield f"latency, because no change came within {duration(found.seconds)}{hint}"
    if None in found.gateway:
        yield "the gateway's memory and CPU, because its /metrics do not answer"
    elif found.bytes_each is None:
        why = f"fewer than {ENOUGH} do not tell" if found.connected < ENOUGH else "others came or left meanwhile"
        yield f"memory for each connection, because {why}"
    if found.is_local:
        yield "a network, and a gateway with cores of its own: both ends are on this machine"
    yield "compression, browsers, and clients that read slowly"
    if found.triggered:
        yield "the watcher's part: an update that is triggered is read at once, and sent whole to clients without v1"


def _shares(ordered: list[float]) -> str:
    if not ordered:
        return "none"
    parts = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    return ", ".join(f"{name} {percentile(ordered, share):.3g}" for name, share in parts) + " ms"


def _row(name: str, told: str, style: str = "") -> Text:
    return Text.assemble((f"  {name:<14}", "dim"), (told, style))
