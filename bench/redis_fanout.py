"""
What `make bench-redis` runs: the CPU time that a real Redis takes to publish one message, by size and subscribers.

    python -m bench.redis_fanout [--rounds N] [--output DIR]

Prints one line of JSON and keeps it as bench/results/redis-<date>.json. CPU time is that of the Redis process by the
scheduler's own count, user and system; the next message is published when the last subscriber has the one before.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from reportcast.contracts.clock import utc_now

from bench.capacity.subscribers import Publishing, measure
from bench.latency import RESULTS, positive
from bench.machine import load_average, surroundings
from tests.support.redis_server import redis_process

SIZES, SUBSCRIBERS = (300, 65536, 1048576), (1, 10, 50)
# Messages of each round, by size: enough for the clock, few enough for the machine.
MESSAGES = {300: 400, 65536: 200, 1048576: 20}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.redis_fanout", description="Measure Redis' pub/sub.")
    parser.add_argument("--rounds", type=positive, default=3, help="of each; the median is kept (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    began, load_before = utc_now(), load_average()
    rows = rounds(options.rounds)
    result = {**surroundings(began, load_before), "publishing": [row.as_json() for row in rows]}
    (options.output / f"redis-{began:%Y-%m-%d}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


def rounds(count: int) -> list[Publishing]:
    """Measure each size with each number of subscribers; the medians."""
    with redis_process() as server, Redis.from_url(server.url) as redis:
        port = urlsplit(server.url).port
        assert port is not None  # a process of this machine listens on one
        return [
            median([measure(redis, port, size, subscribers, MESSAGES[size]) for _ in range(count)])
            for size in SIZES
            for subscribers in SUBSCRIBERS
        ]


def median(found: Sequence[Publishing]) -> Publishing:
    """Give the median of several measurements of one thing."""
    first = found[0]
    return Publishing(first.size, first.subscribers, first.messages, statistics.median(one.cpu_us for one in found))


if __name__ == "__main__":
    sys.exit(main())
