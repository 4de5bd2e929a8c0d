"""
What `make bench-watch` runs: what the watcher's process does with a file's changes, and what it costs.

    python -m bench.watch [--only latency,large,idle,flat] [--changes N] [--flat-changes N] [--peers]
                          [--disk DIR] [--output DIR]

The watcher is the real command with a real Redis; the producer and the subscriber are this process. `--peers` measures
chokidar and watchfiles beside it; they are installed below ~/.cache, by npm and pip. Tables go to standard output, then
the same as one line of JSON; both are kept in bench/results, with a picture, if all was measured or --output is given.
Exit codes: 0, 1 when an aim is missed, 2 for arguments that cannot be used.
"""

import argparse
import contextlib
import datetime
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now
from watcher.mounts import mount_of, read_mountinfo

from bench.latency import RESULTS, positive
from bench.machine import commit, load_average, machine, versions
from bench.watching import flat, idle, large, latency
from bench.watching.peers import Peer, PeerError, set_up
from bench.watching.progress import progress
from bench.watching.results import Result
from bench.writer import report_bytes

SECTIONS = ("latency", "large", "idle", "flat")
# By the Filesystem Hierarchy Standard, one outlives a restart and the other does not.
DISK, MEMORY = Path("/var/tmp"), Path("/dev/shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse_arguments(arguments)
    began, load_before = utc_now(), load_average()
    try:
        peers = set_up() if options.peers else []
    except PeerError as exc:
        progress(str(exc))
        return 2
    found = {name: measure(name, options, peers) for name in options.only}
    result = Result(facts_of(began, load_before, options), **found)
    print(result.text(), json.dumps(result.as_json()), sep="\n\n")
    if options.output or set(options.only) == set(SECTIONS):
        keep(result, options.output or RESULTS, began)
    return 0 if all(result.verdicts().values()) else 1


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.watch", description="Measure the watcher.")
    parser.add_argument("--only", type=sections, default=list(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--changes", type=positive, default=200, help="measured changes each (%(default)s)")
    parser.add_argument("--flat-changes", type=positive, default=flat.CHANGES, help="of flat (%(default)s)")
    parser.add_argument("--peers", action="store_true", help="measure chokidar and watchfiles, too")
    parser.add_argument("--disk", type=Path, default=DISK, help="a directory on a disk (%(default)s)")
    parser.add_argument("--output", type=Path, help="where to keep results (bench/results)")
    return parser.parse_args(arguments)


def sections(text: str) -> list[str]:
    """Read comma-separated names of sections."""
    names = text.split(",")
    if unknown := set(names) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none; expected some of {','.join(SECTIONS)}")
    return names


def measure(name: str, options: argparse.Namespace, peers: Sequence[Peer]) -> Any:
    """Measure one section."""
    places = {"disk": options.disk, "tmpfs": MEMORY}
    steps: dict[str, Callable[[], Any]] = {
        "latency": lambda: latency.measure_all(places, options.changes, peers),
        "large": lambda: large.measure(options.disk),
        "idle": lambda: idle.measure(options.disk),
        "flat": lambda: flat.measure(options.disk, options.flat_changes),
    }
    return steps[name]()


def facts_of(began: datetime.datetime, load_before: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """Describe the run."""
    peers = " --peers" if options.peers else ""
    return {
        "date": f"{began:%Y-%m-%d %H:%M} UTC",
        "command": f"python -m bench.watch --only {','.join(options.only)} --changes {options.changes}"
        f" --flat-changes {options.flat_changes}{peers}",
        "commit": commit(),
        "machine": machine(),
        "file_systems": {"disk": fs_type(options.disk), "tmpfs": fs_type(MEMORY)},
        "load_average_before": load_before,
        "load_average_after": load_average(),
        "versions": versions(),
        "report_bytes": len(report_bytes(1, latency.REPOS)),
    }


def fs_type(path: Path) -> str:
    """Name the file system that a path is on."""
    mount = mount_of(path.resolve(), read_mountinfo())
    return mount.fs_type if mount else "unknown"


def keep(result: Result, folder: Path, began: datetime.datetime) -> None:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"watch-{began:%Y-%m-%d}"
    (folder / f"{name}.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
    (folder / f"{name}.md").write_text(result.markdown())
    if result.latency:
        (folder / "watch.svg").write_text(result.picture())
    progress(f"kept {name}.json, {name}.md and the picture in {folder}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
