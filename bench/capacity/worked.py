"""A plan that is worked out: its table, its JSON and its picture. Pure."""

import argparse
import dataclasses
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.capacity.figures import Gateway, Publishing, Sockets
from bench.capacity.options import pod_of, target_of
from bench.capacity.picture import Panel, Points, draw
from bench.capacity.sizing import Costs, Plan, Pod, Target, costs_of, plan
from bench.capacity.storm import Balance, Fleet, Moment, loss, rolling_restart, summary

EVENTS = {"rolling restart": rolling_restart, "one lost": loss}
Storms = Mapping[tuple[str, Balance], Sequence[Moment]]


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """All that plans are made of."""

    gateway: Gateway
    sockets: Sockets
    redis: Publishing


@dataclasses.dataclass(frozen=True, slots=True)
class Worked:
    """
    One plan.

    Attributes:
        storms: By what happens and how clients find a gateway.
    """

    target: Target
    pod: Pod
    costs: Costs
    plan: Plan
    fleet: Fleet
    storms: Storms

    def text(self) -> str:
        """Give the plan, then what restarts and a loss do to it."""
        width = max(len(name) for name, _ in self._rows())
        lines = [f"{name.ljust(width)}  {value}".rstrip() for name, value in self._rows()]
        return "\n".join([*lines, "", *self._storm_lines()])

    def as_json(self) -> dict[str, Any]:
        """Give all of it but the moments."""
        storms = [
            {"event": event, "balance": balance.value, **dataclasses.asdict(summary(moments))}
            for (event, balance), moments in self.storms.items()
        ]
        told = {name: dataclasses.asdict(getattr(self, name)) for name in ("target", "pod", "costs", "plan", "fleet")}
        return {**told, "binding": self.plan.binding, "storms": storms}

    def picture(self) -> str:
        """Draw how connections and handshakes develop."""
        most = float(self.fleet.most)
        panels = [
            Panel(f"{event}: connections of the fullest gateway", self._curves(event, "most"), most) for event in EVENTS
        ]
        for event in EVENTS:
            title = f"{event}: handshakes a second, busiest gateway"
            panels.append(Panel(title, self._curves(event, "accepted_per_s"), self.fleet.handshakes_per_s))
        note = (
            f"{self.fleet.connections:,} connections, {self.fleet.replicas} gateways, simulated; dashed: "
            "GATEWAY_MAX_CONNECTIONS, and what one gateway can accept"
        )
        return draw("Gateways that go, clients that come back", note, [one.value for one in Balance], panels)

    def _curves(self, event: str, field: str) -> list[tuple[int, Points]]:
        return [
            (number, _thinned([(moment.at_s, getattr(moment, field)) for moment in self.storms[event, balance]]))
            for number, balance in enumerate(Balance)
        ]

    def _rows(self) -> Iterator[tuple[str, str]]:
        planned, workers = self.plan, self.pod.workers
        yield "connections of a pod at most, by", ""
        for name, most in sorted(planned.bounds.items(), key=lambda item: item[1]):
            yield f"  {name}", f"{most:>12,.0f}{'  <- binds' if name == planned.binding else ''}"
        yield "gateways (one of them spare)", f"{planned.replicas:>12,}  x {workers} workers"
        yield "connections of each", f"{planned.each:>12,}"
        yield "GATEWAY_MAX_CONNECTIONS", f"{planned.most:>12,}"
        yield "GATEWAY_DRAIN_S, at least", f"{planned.drain_s:>12,.0f}  s"
        yield "memory of each, idle", _quantity(planned.memory, 2**20, "MiB")
        yield "memory of each, a change on its way", _quantity(planned.peak_memory, 2**20, "MiB")
        yield "CPU of each, steady", f"{planned.steady_share:>12.1%}"
        yield "handshakes a second of each, at most", f"{planned.handshakes_per_s:>12,.0f}"
        yield "bandwidth to clients, average", _quantity(planned.bandwidth * 8, 1e9, "Gbit/s")
        yield "bandwidth to clients, one change in burst-s", _quantity(planned.peak_bandwidth * 8, 1e9, "Gbit/s")
        yield "Redis: subscribers of a channel", f"{planned.subscribers:>12,}"
        yield "Redis: messages a second, out", f"{planned.redis_messages:>12,.2f}"
        yield "Redis: bytes a second, out", _quantity(planned.redis_bytes, 1e6, "MB/s")
        yield "Redis: one change to all subscribers", _quantity(planned.redis_change_s, 1e-3, "ms")
        yield "one change, until the last client's is sent", _quantity(planned.last_s, 1e-3, "ms")

    def _storm_lines(self) -> Iterator[str]:
        head = ("simulated", "clients find", "fullest", "handshakes/s", "waiting", "away", "refused", "over after")
        yield "{:16} {:18} {:>9} {:>13} {:>9} {:>9} {:>9} {:>10}".format(*head)
        for (event, balance), moments in self.storms.items():
            found = summary(moments)
            yield (
                f"{event:16} {balance.value:18} {found.most:>9,} {found.accepted_per_s:>13,.0f} {found.waiting:>9,} "
                f"{found.away:>9,} {found.refused:>9,} {found.lasted_s:>8.1f} s"
            )


def work(options: argparse.Namespace, measured: Measured) -> Worked:
    """Work out what the command line asks for."""
    target, pod = target_of(options), pod_of(options)
    costs = costs_of(target, pod, measured.gateway, measured.sockets)
    planned = plan(target, pod, costs, measured.redis, options.redis_network)
    fleet = Fleet(
        replicas=planned.replicas,
        connections=target.connections,
        handshakes_per_s=planned.handshakes_per_s,
        drain_s=options.drain_s or math.ceil(planned.drain_s),
        start_s=options.start_s,
        most=planned.most,
    )
    storms = {
        (name, balance): happen(fleet, balance, options.seed) for name, happen in EVENTS.items() for balance in Balance
    }
    return Worked(target, pod, costs, planned, fleet, storms)


def command_of(arguments: Sequence[str]) -> str:
    """Give the command line that makes a plan."""
    return shlex.join(["python", "-m", "bench.plan", *arguments])


def _quantity(value: float, unit: float, name: str) -> str:
    return f"{value / unit:>12,.1f}  {name}"


def _thinned(points: Points, most: int = 400) -> Points:
    """Leave points out of a curve that has more than can be seen, but not the highest of those left out."""
    share = -(-len(points) // most)
    pieces = [points[start : start + share] for start in range(0, len(points), share)]
    return [max(piece, key=lambda point: point[1]) for piece in pieces]
