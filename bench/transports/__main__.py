"""
What `make bench-transports` runs: what a client costs by each transport, and how soon it has a change.

    python -m bench.transports [--clients N] [--changes N] [--output DIR]

Redis, the gateway and the clients are processes of their own. Memory is the gateway's proportional set, with so many
clients that do nothing and without; CPU is its own, for each client that a change is given to (a poll's next request
included), and for each conditional poll. Latency is from the publication to the clients' reading, with both transports
on one gateway, in turns. Prints a table, and keeps it with all figures in bench/results.
"""

import argparse
import asyncio
import hashlib
import http.client
import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Publication

from bench.fanout.usage import family_memory
from bench.idle_sockets import Gateway, running_gateway
from bench.latency import RESULTS, allow_descriptors, positive
from bench.machine import load_average, surroundings
from bench.transports.crowd import HOST, REQUESTS, crowd
from bench.watching.progress import progress
from bench.watching.usage import cpu_s

SETTLE_S = 3.0
# Clients of each transport whose latency is compared.
COMPARED = 500
POLLS, POLL_CONNECTIONS = 50_000, 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.transports", description="Compare the transports.")
    parser.add_argument("--clients", type=positive, default=10_000, help="idle clients of each transport (%(default)s)")
    parser.add_argument("--changes", type=positive, default=10, help="that are measured (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    allow_descriptors(options.clients)
    began, load_before = utc_now(), load_average()
    result: dict[str, Any] = {
        "command": " ".join(["python -m bench.transports", *(arguments or sys.argv[1:])]),
        "clients": options.clients,
        "transports": {each: held(each, options.clients, options.changes) for each in REQUESTS},
        "latency_ms": compared(options.changes),
        "conditional_polls": conditional_polls(),
        **surroundings(began, load_before),
    }
    stem = options.output / f"transports-{began:%Y-%m-%d}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
    stem.with_suffix(".md").write_text(table(result))
    print(table(result))
    return 0


def held(transport: str, clients: int, changes: int) -> dict[str, float]:
    """Give what so many clients cost: their memory while nothing happens, and the CPU of a change for each."""
    progress(f"{clients} clients by {transport}")
    with running_gateway(1) as gateway:
        publish(gateway, 1)
        without = memory(gateway)
        with crowd(gateway.port, [transport] * clients) as held_clients:
            idle = memory(gateway)
            spent_us = []
            for change in range(2, changes + 2):
                before_s = cpu_s(gateway.pid)
                publish(gateway, change)
                held_clients.times_of(change)
                time.sleep(SETTLE_S)  # for the next polls
                spent_us.append((cpu_s(gateway.pid) - before_s) / clients * 1e6)
    return {"idle_bytes": round((idle - without) / clients), "change_us": round(statistics.median(spent_us), 1)}


def compared(changes: int) -> dict[str, float]:
    """Give the median times from a publication to the clients of each transport, all on one gateway."""
    progress(f"{COMPARED} clients of each transport together")
    took_ms: dict[str, list[float]] = {each: [] for each in REQUESTS}
    order = list(itertools.chain.from_iterable([list(REQUESTS)] * COMPARED))
    with running_gateway(1) as gateway:
        publish(gateway, 1)
        time.sleep(SETTLE_S)
        with crowd(gateway.port, order) as clients:
            for change in range(2, 3 * changes + 2):
                time.sleep(SETTLE_S / 6)
                published_ns = publish(gateway, change)
                for transport, times in clients.times_of(change).items():
                    took_ms[transport] += ((at_ns - published_ns) / 1e6 for at_ns in times)
    return {transport: round(statistics.median(all_of_them), 2) for transport, all_of_them in took_ms.items()}


def conditional_polls() -> dict[str, float]:
    """Give what a conditional poll costs the gateway that is answered 304, and how many come through a second."""
    progress(f"{POLLS} conditional polls")
    with running_gateway(1) as gateway:
        publish(gateway, 1)
        time.sleep(SETTLE_S)
        connection = http.client.HTTPConnection(HOST, gateway.port)
        connection.request("GET", "/audit", headers={"Accept-Encoding": "gzip"})
        etag = connection.getresponse().headers["ETag"]
        connection.close()
        with crowd(gateway.port, []) as clients:
            before_s = cpu_s(gateway.pid)
            took_s = clients.poll(etag, POLLS, POLL_CONNECTIONS)
            spent_s = cpu_s(gateway.pid) - before_s
    return {
        "cpu_us": round(spent_s / POLLS * 1e6, 1),
        "per_core_per_s": round(POLLS / spent_s),
        "per_s": round(POLLS / took_s),
    }


def memory(gateway: Gateway) -> int:
    """Give the gateway's memory once nothing happens, in bytes."""
    time.sleep(SETTLE_S)
    return family_memory(gateway.pid).proportional


def publish(gateway: Gateway, change: int) -> int:
    """Publish a small report; give the monotonic time just before, in ns."""

    async def to_broker() -> int:
        broker, now = RedisBroker(gateway.redis_url), utc_now()
        body = b'{"timestamp":"2026-11-28T00:00:00Z","change":%d,"repos":[]}' % change
        try:
            await broker.position("audit")  # the connection is there
            began_ns = time.monotonic_ns()
            digest = hashlib.sha256(body).hexdigest()
            await broker.publish("audit", Publication(f"bench-{change}", digest, now, now, body))
            return began_ns
        finally:
            await broker.close()

    return asyncio.run(to_broker())


def table(result: dict[str, Any]) -> str:
    """Give what a person reads."""
    polls, of = result["conditional_polls"], result["machine"]
    lines = [
        f"# What a client costs by each transport, {result['date']}",
        "",
        f"`{result['command']}`, commit {result['commit']}, {', '.join(f'{key} {value}' for key, value in of.items())}",
        "",
        f"| transport | memory of an idle client ({result['clients']} of them), bytes | CPU of a change for each, µs | "
        "from publication to the client, p50, ms |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {each['idle_bytes']} | {each['change_us']} | {result['latency_ms'][name]} |"
        for name, each in result["transports"].items()
    ]
    lines += [
        "",
        "A poll's change is its answer and its next request; the latency is with 500 clients of each on one gateway.",
        "",
        f"A conditional poll that is answered 304 costs {polls['cpu_us']} µs: {polls['per_core_per_s']} a second for "
        f"each core ({polls['per_s']} a second came through, from clients on the same machine).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
