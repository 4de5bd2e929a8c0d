"""
What `make bench-drain` runs: how evenly a gateway that is told to end sends its clients away, and how it ends.

    python -m bench.drain [--connections N] [--drain-s S]

A gateway on a real Redis, and the connections of one process to it, all of this machine. The table and one line of JSON
go to standard output; both are kept in bench/results. Exit codes: 0, 1 if one second held more than twice the mean, a
client was not told when to come back, or the gateway did not end with 0.
"""

import argparse
import collections
import json
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.clients import HANDSHAKE, HOST
from bench.latency import RESULTS, allow_descriptors, positive, progress
from bench.machine import commit, machine
from tests.support.ports import free_port
from tests.support.redis_server import redis_process
from tests.support.wait import wait_until

# FIN and the close opcode, the length of the reason, 1012.
CLOSE = re.compile(rb'\x88[\x02-\x7d]\x03\xf4\{"retry_after_ms":(\d+)\}')
# An empty masked close frame.
ANSWER = b"\x88\x80\0\0\0\0"
EXIT_WITHIN_S = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.drain", description="Measure how a gateway drains.")
    parser.add_argument("--connections", type=positive, default=10_000, help="%(default)s")
    parser.add_argument("--drain-s", type=positive, default=5, help="GATEWAY_DRAIN_S (%(default)s)")
    options = parser.parse_args(arguments)
    allow_descriptors(options.connections)
    result = measure(options.connections, options.drain_s)
    table = table_of(result)
    print(table, json.dumps(result), sep="\n\n")
    name = f"drain-{utc_now():%Y-%m-%d}"
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    (RESULTS / f"{name}.md").write_text(f"# Draining, {result['date']}\n\n{table}\n")
    return 0 if is_even(result["in_each_second"], options.drain_s) and result["exit_code"] == 0 else 1


def is_even(in_each_second: Sequence[int], drain_s: int) -> bool:
    """Tell whether no second holds more than twice the mean."""
    return max(in_each_second) <= 2 * sum(in_each_second) / drain_s


def measure(connections: int, drain_s: int) -> dict[str, Any]:
    """Connect, have the gateway end, and watch the connections go."""
    port = free_port()
    with redis_process() as redis:
        settings = {"REDIS_URL": redis.url, "GATEWAY_PORT": str(port), "GATEWAY_DRAIN_S": str(drain_s)}
        settings["LOG_LEVEL"] = "warning"
        with subprocess.Popen([Path(sys.executable).with_name("reportcast-gateway")], env=settings) as gateway:
            try:
                wait_until("the gateway answers", lambda: answers(port), EXIT_WITHIN_S)
                clients = [connect(port) for _ in range(connections)]
                progress(f"{connections} connections; draining over {drain_s} s")
                began = time.monotonic()
                gateway.send_signal(signal.SIGTERM)
                closings = watch(clients)
                code = gateway.wait(EXIT_WITHIN_S)
                ended_s = time.monotonic() - began
            finally:
                gateway.kill()
    seconds = collections.Counter(min(drain_s - 1, int(at - began)) for at, _ in closings)
    waits = sorted(wait for _, wait in closings)
    return {
        "date": f"{utc_now():%Y-%m-%d %H:%M} UTC",
        "command": f"python -m bench.drain --connections {connections} --drain-s {drain_s}",
        "commit": commit(),
        "machine": machine(),
        "connections": connections,
        "told_to_come_back": len(closings),
        "in_each_second": [seconds[second] for second in range(drain_s)],
        "retry_after_ms": [waits[0], waits[len(waits) // 2], waits[-1]] if waits else [],
        "exit_code": code,
        "ended_after_s": round(ended_s, 2),
    }


def answers(port: int) -> bool:
    """Tell whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def connect(port: int) -> socket.socket:
    """Connect one client, whose handshake is answered."""
    client = socket.create_connection((HOST, port), timeout=EXIT_WITHIN_S)
    client.sendall(HANDSHAKE.format(host=HOST, port=port).encode())
    client.recv(4096)
    client.setblocking(False)
    return client


def watch(clients: Sequence[socket.socket]) -> list[tuple[float, int]]:
    """Give when each was told to come back (monotonic seconds), and after how many ms."""
    closings, by_descriptor = [], {client.fileno(): client for client in clients}
    with select.epoll() as poll:
        for descriptor in by_descriptor:
            poll.register(descriptor, select.EPOLLIN)
        while by_descriptor and (events := poll.poll(EXIT_WITHIN_S)):
            for descriptor, _ in events:
                received = by_descriptor[descriptor].recv(65536)
                if found := CLOSE.search(received):
                    closings.append((time.monotonic(), int(found[1])))
                    by_descriptor[descriptor].send(ANSWER)
                if found or not received:
                    poll.unregister(descriptor)
                    by_descriptor.pop(descriptor).close()
    return closings


def table_of(result: dict[str, Any]) -> str:
    """Write the figures for a person."""
    rows = [f"| {number + 1} | {count} |" for number, count in enumerate(result["in_each_second"])]
    told = f"{result['told_to_come_back']} of {result['connections']} were told to come back"
    low, median, high = result["retry_after_ms"] or ("-",) * 3
    return "\n".join(
        (
            f"{told}, after {low} to {high} ms (median {median}); the gateway ended with {result['exit_code']} after "
            f"{result['ended_after_s']} s.",
            "",
            "| second | connections closed |",
            "| ---: | ---: |",
            *rows,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
