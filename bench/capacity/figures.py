"""The measured figures that a plan is made of, out of the kept results of the benchmarks. Pure, but for ``newest``."""

import dataclasses
import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OURS = "Reportcast"

# Ascending pairs of bytes and µs.
Curve = Sequence[tuple[float, float]]


class FiguresError(Exception):
    """Figures cannot be had; ``str()`` says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gateway:
    """
    What a gateway was measured to take.

    Attributes:
        clients: That it had; the figures are those of the most.
        plain: CPU time of a delivery that is not compressed, by the report's bytes, one change at a time.
        deflated: The same for clients that offer compression.
        wire: Bytes on the wire of a compressed delivery, by the report's bytes.
        resident_bytes: Of an idle connection.
        handshake_us: CPU time of accepting one.
    """

    clients: int
    plain: Curve
    deflated: Curve
    wire: Curve
    resident_bytes: float
    handshake_us: float

    def delivery_us(self, report_bytes: float, deflated_bytes: float | None = None) -> float:
        """
        Give the CPU time of one delivery.

        Between sizes that were measured it is interpolated, beyond them the line goes on; a larger report is never
        cheaper than a smaller one, whatever a measurement's noise says. Of compressed ones few were measured: the cost
        is that of a plain delivery of the same bytes on the wire, times how the two compare where both are known.
        """
        plain = rising(self.plain)
        if deflated_bytes is None:
            return at(plain, report_bytes)
        if not self.deflated:
            raise FiguresError("the results hold no compressed delivery; leave --deflated-bytes out")
        ratios = [
            cost_us / at(plain, on_wire) for (_, cost_us), (_, on_wire) in zip(self.deflated, self.wire, strict=True)
        ]
        return statistics.fmean(ratios) * at(plain, deflated_bytes)


@dataclasses.dataclass(frozen=True, slots=True)
class Sockets:
    """
    What idle connections take besides.

    Attributes:
        kernel_bytes: Of an idle socket.
        look_us: CPU time of a gateway for an idle connection in a second, without pings.
        ping_us: And for each ping and its answer.
        processes: Bytes of a gateway that nobody is connected to, by its workers.
    """

    kernel_bytes: float
    look_us: float
    ping_us: float
    processes: Curve

    def upkeep_s(self, ping_interval_s: float) -> float:
        """Give the CPU time that an idle connection takes in a second."""
        return (self.look_us + self.ping_us / ping_interval_s) / 1e6


@dataclasses.dataclass(frozen=True, slots=True)
class Publishing:
    """
    What Redis was measured to take.

    Attributes:
        each: CPU time for each subscriber of a message, by its bytes; the costliest number of subscribers.
    """

    each: Curve

    def change_s(self, message_bytes: float, subscribers: int) -> float:
        """Give the CPU time of Redis for one change."""
        return at(self.each, message_bytes) * subscribers / 1e6


def rising(curve: Curve) -> Curve:
    """Give a curve that never falls: each value is the highest up to there."""
    return list(zip((x for x, _ in curve), itertools.accumulate((y for _, y in curve), max), strict=True))


def at(curve: Curve, position: float) -> float:
    """Interpolate; beyond the ends the last two points' line goes on, but never below the nearest point's value."""
    if not curve:
        raise FiguresError("the results hold no delivery by the gateway")
    if len(curve) == 1 or position <= curve[0][0]:
        return curve[0][1]
    upper = next((index for index, (x, _) in enumerate(curve) if x >= position), len(curve) - 1)
    (x0, y0), (x1, y1) = curve[upper - 1], curve[upper]
    value = y0 + (position - x0) * (y1 - y0) / (x1 - x0)
    return max(value, y1) if position > x1 else value


def gateway_of(results: Mapping[str, Any]) -> Gateway:
    """Read the results of `make bench-fanout`."""
    rows = [row for row in results["broadcasts"] if row["peer"] == OURS and row["in_flight"] == 1]
    idle = [row for row in results["idle"] if row["peer"] == OURS]
    if not rows or not idle:
        raise FiguresError("the results hold no broadcast or no idle connection of the gateway")
    # Browsers offer compression.
    connection = max(idle, key=lambda row: (row["offers_deflate"], row["clients"]))
    plain, deflated = (_most_clients(rows, offers) for offers in (False, True))
    return Gateway(
        clients=max(row["clients"] for row in rows),
        plain=[(row["size"], row["cpu_us"]) for row in plain],
        deflated=[(row["size"], row["cpu_us"]) for row in deflated],
        wire=[(row["size"], row["wire_bytes"]) for row in deflated],
        resident_bytes=connection["resident_bytes"],
        handshake_us=connection["handshake_us"],
    )


def _most_clients(rows: Sequence[Mapping[str, Any]], offers_deflate: bool) -> list[Mapping[str, Any]]:
    """Give the row of each size that has the most clients, by size."""
    found: dict[int, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["size"], row["clients"])):
        if row["offers_deflate"] == offers_deflate:
            found[row["size"]] = row
    return list(found.values())


def sockets_of(results: Mapping[str, Any]) -> Sockets:
    """Read the results of `make bench-sockets`."""
    processes = [(row["workers"], row["proportional_bytes"]) for row in results["gateways"]]
    return Sockets(
        kernel_bytes=results["slab_bytes"] + max(0, results["buffer_bytes"]),
        look_us=results["look_us"],
        ping_us=results["ping_us"],
        processes=sorted(processes),
    )


def publishing_of(results: Mapping[str, Any]) -> Publishing:
    """Read the results of `make bench-redis`."""
    each: dict[int, float] = {}
    for row in results["publishing"]:
        if row["subscribers"] > 1:  # one alone bears all that a message costs at all
            each[row["size"]] = max(each.get(row["size"], 0.0), row["cpu_us"] / row["subscribers"])
    return Publishing(sorted(each.items()))


def newest(folder: Path, name: str, target: str) -> Path:
    """
    Find the newest results file.

    Args:
        folder: Where results are kept.
        name: It is called ``<name>-<date>.json``.
        target: Of make, that writes it.
    """
    found = sorted(folder.glob(f"{name}-[0-9]*.json"))
    if not found:
        raise FiguresError(f"there is no {name}-<date>.json in {folder.name}; `make {target}` writes it")
    return found[-1]


def read(path: Path) -> dict[str, Any]:
    """Read a results file."""
    try:
        results: dict[str, Any] = json.loads(path.read_text())
    except OSError as exc:
        raise FiguresError(f"cannot read {path}: {exc.strerror}") from exc
    except ValueError as exc:
        raise FiguresError(f"{path} is no JSON: {exc}") from exc
    return results
