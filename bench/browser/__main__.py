"""
What `make bench-browser` runs: file change to changed pixels, the first load, and 10 000 repositories that change.

    python -m bench.browser [--changes N] [--visits N] [--repos N] [--seconds N] [--output DIR]

Redis, watcher, gateway, Chromium and the producer are processes of their own on this machine. Prints a table, and keeps
it with all figures in bench/results.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.browser.loading import first_load
from bench.browser.many import many_repositories
from bench.browser.pixels import file_to_pixels
from bench.browser.screen import running_browser
from bench.browser.table import table
from bench.latency import RESULTS, positive
from bench.machine import load_average, surroundings
from bench.watching.progress import progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.browser", description="Measure the dashboard in Chromium.")
    parser.add_argument("--changes", type=positive, default=200, help="from the file to pixels (%(default)s)")
    parser.add_argument("--visits", type=positive, default=10, help="first loads (%(default)s)")
    parser.add_argument("--repos", type=positive, default=10_000, help="in the large report (%(default)s)")
    parser.add_argument("--seconds", type=positive, default=20, help="that it changes for (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    began, load_before = utc_now(), load_average()
    measured = asyncio.run(measure(options))
    command = " ".join(["python -m bench.browser", *(arguments or sys.argv[1:])])
    result = {"command": command, **measured, **surroundings(began, load_before)}
    stem = options.output / f"browser-{began:%Y-%m-%d}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
    stem.with_suffix(".md").write_text(table(result))
    print(table(result))
    return 0


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Give the figures; each part has a system of its own."""
    async with running_browser() as browser:
        progress(f"{options.changes} changes to the screen")
        pixels = await file_to_pixels(browser, options.changes)
        progress(f"{options.visits} first visits")
        loads = await first_load(browser, options.visits)
        progress(f"{options.repos} repositories for {options.seconds} s, then with scrolling")
        many = await many_repositories(browser, options.repos, options.seconds)
        return {"chromium": browser.version, "file_to_pixels_ms": pixels, "first_load": loads, "many": many}


if __name__ == "__main__":
    sys.exit(main())
