"""The parts of a run: what is measured of every peer, and in which order."""

import functools
from collections.abc import Mapping, Sequence

from bench.fanout.aims import FLOOR
from bench.fanout.cells import Cell, Sample, rows_of
from bench.fanout.costs import Idle, Stalled
from bench.fanout.peers import Peer
from bench.fanout.plan import Plan
from bench.fanout.results import Result
from bench.fanout.visits import Laboratory
from bench.watching.progress import progress

SECTIONS = ("broadcast", "deflate", "idle", "stalled")


def measure_sections(
    sections: Sequence[str], plan: Plan, peers: Sequence[Peer], laboratory: Laboratory, missing: Mapping[str, str]
) -> Result:
    """
    Measure these sections.

    Args:
        sections: Of SECTIONS.
        plan: How much.
        peers: Of whom.
        laboratory: Where.
        missing: Whom else there would have been, with the reason.
    """
    series = [plan.plain_cells(clients) for clients in plan.clients if "broadcast" in sections]
    series += [plan.deflate_cells(clients) for clients in plan.deflate_clients if "deflate" in sections]
    samples: dict[tuple[str, Cell], list[Sample]] = {}
    for cells in series:
        _add_rounds(samples, cells, plan, peers, laboratory)
    idle = _idle(plan, peers, laboratory) if "idle" in sections else []
    stalled = _stalled(plan, peers, laboratory) if "stalled" in sections else []
    return Result({}, rows_of(samples, FLOOR), idle, stalled, {**missing, **laboratory.failures})


def _add_rounds(
    samples: dict[tuple[str, Cell], list[Sample]],
    cells: Sequence[Cell],
    plan: Plan,
    peers: Sequence[Peer],
    laboratory: Laboratory,
) -> None:
    """Measure cells that have the clients in common, one peer after the other, round by round."""
    clients, offers_deflate = cells[0].clients, cells[0].offers_deflate
    rounds = plan.rounds_of(clients)
    for number in range(rounds):
        for peer in _concerned(peers, offers_deflate):
            what = f"{peer.name}, {clients} clients{_offering(offers_deflate)}"
            progress(f"round {number + 1} of {rounds}: {what}")
            found: dict[Cell, Sample] = {}
            laboratory.attempt(what, functools.partial(laboratory.broadcasts, peer, cells, plan.seconds, found))
            for cell, sample in found.items():
                samples.setdefault((peer.name, cell), []).append(sample)


def _idle(plan: Plan, peers: Sequence[Peer], laboratory: Laboratory) -> list[Idle]:
    found = []
    for offers_deflate in (False, True):
        for peer in _concerned(peers, offers_deflate):
            what = f"{peer.name}, {plan.idle_clients} idle{_offering(offers_deflate)}"
            progress(what)
            measure = functools.partial(laboratory.idle, peer, plan.idle_clients, offers_deflate)
            found.append(laboratory.attempt(what, measure))
    return [one for one in found if one]


def _stalled(plan: Plan, peers: Sequence[Peer], laboratory: Laboratory) -> list[Stalled]:
    found = []
    for peer in peers:
        what = f"{peer.name}, some that do not read"
        progress(what)
        found.append(laboratory.attempt(what, functools.partial(laboratory.stalled, peer, plan)))
    return [one for one in found if one]


def _concerned(peers: Sequence[Peer], offers_deflate: bool) -> list[Peer]:
    return [peer for peer in peers if peer.compresses or not offers_deflate]


def _offering(offers_deflate: bool) -> str:
    return ", deflate offered" if offers_deflate else ""
