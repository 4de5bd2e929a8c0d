"""
What `make plan` runs: turns a target into gateways, memory and bandwidth, by what the benchmarks measured.

    python -m bench.plan --connections 1000000 --report-bytes 64KiB --changes-per-minute 2 [--deflated-bytes 10KiB]
    python -m bench.plan --write docs/capacity.md

Reads the newest results of `make bench-fanout` (or --results), `make bench-sockets` and `make bench-redis`. Prints a
table, a simulation of a rolling restart and of a lost gateway, and all of it as one line of JSON; draws the simulation
to bench/results/plan.svg. --write fills the document's tables and draws its picture instead. Exit codes: 0, 2 when
figures are missing or the target cannot be met.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.capacity.document import fill, million, tables
from bench.capacity.figures import FiguresError, gateway_of, newest, publishing_of, read, sockets_of
from bench.capacity.options import RESULTS, parse
from bench.capacity.worked import Measured, work

PICTURE = "plan.svg"
TARGETS = {"fanout": "bench-fanout", "sockets": "bench-sockets", "redis": "bench-redis"}
# What the document shows besides.
SHOWN = {"transports": "bench-transports"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse(arguments)
    try:
        if options.write:
            write(options.write, options.results, options.output)
        else:
            show(options)
    except (FiguresError, ValueError) as exc:
        print(f"plan: {exc}", file=sys.stderr)
        return 2
    return 0


def show(options: argparse.Namespace) -> None:
    """Print the plan, and draw it."""
    fanout, sockets, redis = (read(path) for path in paths(options.results).values())
    worked = work(options, Measured(gateway_of(fanout), sockets_of(sockets), publishing_of(redis)))
    print(worked.text(), json.dumps(worked.as_json()), sep="\n\n")
    (options.output / PICTURE).write_text(worked.picture())


def write(document: Path, fanout: Path | None, pictures: Path) -> None:
    """Fill the document's tables, and draw its picture."""
    results = kept(fanout)
    document.write_text(fill(document.read_text(), tables(results)))
    if set(results) >= set(TARGETS):
        (pictures / PICTURE).write_text(million(results).picture())


def paths(fanout: Path | None) -> dict[str, Path]:
    """Find the results files."""
    found = {name: newest(RESULTS, name, target) for name, target in TARGETS.items() if name != "fanout" or not fanout}
    return {"fanout": fanout, **found} if fanout else found


def kept(fanout: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read those results that are kept; a table whose results are missing is left as it is."""
    found = {}
    for name, target in (TARGETS | SHOWN).items():
        try:
            found[name] = read(fanout if fanout and name == "fanout" else newest(RESULTS, name, target))
        except FiguresError as exc:
            if fanout and name == "fanout":
                raise
            print(f"plan: {exc}", file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
