"""
What `make bench-fanout` runs: what a broadcast costs, beside peers and the kernel's own send().

    python -m bench.fanout [--only PEER,PEER] [--sections broadcast,deflate,idle,stalled] [--quick] [--clients N,N]
                           [--rounds N] [--seconds S] [--output DIR]

Peers that are not here are installed below ~/.cache, by pip and npm, and nginx by apt. Tables go to standard output,
then the same as one line of JSON; both are kept in bench/results, with a picture, if all was measured or --output is
given. Exit codes: 0, 1 when an aim is missed, 2 for arguments that cannot be used.
"""

import argparse
import contextlib
import dataclasses
import datetime
import functools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.fanout.cores import running_on, split
from bench.fanout.peers import SET_UPS, peer_versions, set_up
from bench.fanout.plan import FULL, QUICK, Plan
from bench.fanout.programs import COMPILER, compile_load
from bench.fanout.results import Result
from bench.fanout.sections import SECTIONS, measure_sections
from bench.fanout.visits import FIRST_CLIENTS, Laboratory
from bench.latency import RESULTS, allow_descriptors, positive, positives
from bench.machine import commit, load_average, machine, versions
from bench.watching.progress import progress

DEFAULT_PEERS = [key for key in SET_UPS if key != "joined"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse_arguments(arguments)
    if not shutil.which(COMPILER[0]):
        progress(f"{COMPILER[0]} is not here; the load generator is compiled with it")
        return 2
    plan = plan_of(options)
    allow_descriptors(plan.most_clients + FIRST_CLIENTS)
    began, load_before = utc_now(), load_average()
    found = measure(options, plan)
    result = dataclasses.replace(found, facts=facts_of(began, load_before, options, plan, found.missing))
    print(result.text(), json.dumps(result.as_json()), sep="\n\n")
    is_whole = not options.quick and set(options.only) >= set(DEFAULT_PEERS) and plan == FULL
    if options.output or (is_whole and set(options.sections) == set(SECTIONS)):
        keep(result, options.output or RESULTS, began)
    return 0 if all(result.verdicts().values()) else 1


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description="Measure broadcasting beside peers.")
    peers, sections = functools.partial(some_of, SET_UPS), functools.partial(some_of, SECTIONS)
    parser.add_argument("--only", type=peers, default=DEFAULT_PEERS, help=f"some of {','.join(SET_UPS)}")
    parser.add_argument("--sections", type=sections, default=SECTIONS, help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="fewer clients and rounds: 2 minutes instead of 15")
    parser.add_argument("--clients", type=positives, help="numbers of clients, of the broadcasts")
    parser.add_argument("--rounds", type=positive, help="of each broadcast")
    parser.add_argument("--seconds", type=float, help="of each round")
    parser.add_argument("--output", type=Path, help="where to keep results (bench/results)")
    return parser.parse_args(arguments)


def some_of(known: Iterable[str], text: str) -> list[str]:
    """Read comma-separated names, into the order of those that are known."""
    names = text.split(",")
    if unknown := set(names) - set(known):
        raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none; expected some of {','.join(known)}")
    return [name for name in known if name in names]


def plan_of(options: argparse.Namespace) -> Plan:
    """Give the plan that the command line asks for."""
    plan = QUICK if options.quick else FULL
    given: dict[str, Any] = {name: getattr(options, name) for name in ("rounds", "seconds") if getattr(options, name)}
    if options.clients:
        given |= {"clients": tuple(options.clients), "deflate_clients": tuple(options.clients)}
    return dataclasses.replace(plan, **given)


def measure(options: argparse.Namespace, plan: Plan) -> Result:
    """Measure what was asked for, of every peer that can be had."""
    cores, others = split(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-") as folder:
        progress(f"setting up {', '.join(options.only)}")
        peers, missing = set_up(options.only, Path(folder))
        for key, reason in missing.items():
            progress(f"{key} cannot be measured: {reason}")
        laboratory = Laboratory(compile_load(Path(folder)), cores)
        with running_on(others):
            return measure_sections(options.sections, plan, list(peers.values()), laboratory, missing)


def facts_of(
    began: datetime.datetime,
    load_before: list[float],
    options: argparse.Namespace,
    plan: Plan,
    missing: Collection[str],
) -> dict[str, Any]:
    """Describe the run."""
    quick = " --quick" if options.quick else ""
    numbers = f" --clients {','.join(map(str, plan.clients))} --rounds {plan.rounds} --seconds {plan.seconds:g}"
    return {
        "date": f"{began:%Y-%m-%d %H:%M} UTC",
        "command": f"python -m bench.fanout --only {','.join(options.only)} --sections {','.join(options.sections)}"
        f"{quick}{numbers}",
        "seconds": round((utc_now() - began).total_seconds()),
        "commit": commit(),
        "machine": machine(),
        "load_average_before": load_before,
        "load_average_after": load_average(),
        "versions": {**versions(), **peer_versions(set(options.only) - set(missing))},
    }


def keep(result: Result, folder: Path, began: datetime.datetime) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"fanout-{began:%Y-%m-%d}"
    (folder / f"{name}.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
    (folder / f"{name}.md").write_text(result.markdown())
    if picture := result.picture():
        (folder / "fanout.svg").write_text(picture)
    progress(f"kept {name}.json, {name}.md and the picture in {folder}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
