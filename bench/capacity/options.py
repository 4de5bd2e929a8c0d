"""What the command line of the plan asks for. Pure, but for argparse's own output."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from bench.capacity.sizing import Pod, Target

BYTES = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
BITS = {"bit": 1, "kbit": 10**3, "Mbit": 10**6, "Gbit": 10**9}
RESULTS = Path(__file__).resolve().parents[1] / "results"
# net.ipv4.ip_local_port_range as kernels come: 32768 to 60999.
EPHEMERAL_PORTS = 28232


def parser() -> argparse.ArgumentParser:
    """Give the command line; what is measured has no default here, what is decided has."""
    made = argparse.ArgumentParser(prog="python -m bench.plan", description="Plan gateways from measured figures.")
    target, pod, moves = (made.add_argument_group(name) for name in ("target", "each gateway", "restart and loss"))
    target.add_argument("--connections", type=positive, default=1_000_000)
    target.add_argument("--report-bytes", type=bytes_of, default=65536, help="of a report; also 64KiB (%(default)s)")
    target.add_argument("--deflated-bytes", type=bytes_of, help="of it on the wire, if clients take compression")
    target.add_argument("--changes-per-minute", type=zero_or_more, default=2.0)
    target.add_argument("--burst-s", type=above_zero, default=1.0, help="a change reaches everybody (%(default)s)")
    target.add_argument("--reconnect-within-s", type=above_zero, default=60.0, help="everybody (%(default)s)")
    target.add_argument("--client-s", type=above_zero, default=0.5, help="until a frame is confirmed (%(default)s)")
    pod.add_argument("--cores-per-pod", type=positive, default=2, help="and workers (%(default)s)")
    pod.add_argument("--memory-per-pod", type=bytes_of, default="2GiB")
    pod.add_argument("--network-per-pod", type=rate_of, default="10Gbit")
    pod.add_argument("--nofile", type=positive, default=65536, help="descriptors of a worker (%(default)s)")
    pod.add_argument("--proxies", type=int, default=0, help="addresses that open connections; 0: clients do")
    pod.add_argument("--ephemeral-ports", type=positive, default=EPHEMERAL_PORTS, help="of each (%(default)s)")
    pod.add_argument("--utilisation", type=share, default=0.6, help="that is planned for (%(default)s)")
    made.add_argument("--redis-network", type=rate_of, default="10Gbit")
    moves.add_argument("--drain-s", type=above_zero, help="GATEWAY_DRAIN_S (what the plan asks for)")
    moves.add_argument("--start-s", type=above_zero, default=5.0, help="until the next is ready (%(default)s)")
    moves.add_argument("--seed", type=int, default=1)
    made.add_argument("--results", type=Path, help="of make bench-fanout (the newest)")
    made.add_argument("--write", type=Path, metavar="FILE", help="fill the tables of this document instead")
    made.add_argument("--output", type=Path, default=RESULTS, help="where plan.svg goes (bench/results)")
    return made


def target_of(options: argparse.Namespace) -> Target:
    """Give what is asked for."""
    return Target(
        connections=options.connections,
        report_bytes=options.report_bytes,
        deflated_bytes=options.deflated_bytes,
        changes_per_s=options.changes_per_minute / 60,
        burst_s=options.burst_s,
        reconnect_within_s=options.reconnect_within_s,
        client_s=options.client_s,
    )


def pod_of(options: argparse.Namespace) -> Pod:
    """Give what each gateway is given."""
    return Pod(
        workers=options.cores_per_pod,
        memory=options.memory_per_pod,
        network=options.network_per_pod,
        nofile=options.nofile,
        proxies=options.proxies,
        ports=options.ephemeral_ports,
        utilisation=options.utilisation,
    )


def positive(text: str) -> int:
    """Read a number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def above_zero(text: str) -> float:
    """Read a number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def zero_or_more(text: str) -> float:
    """Read a number of at least 0."""
    return 0.0 if float(text) == 0 else above_zero(text)


def share(text: str) -> float:
    """Read a number above 0 and at most 1."""
    number = above_zero(text)
    if number > 1:
        raise ValueError
    return number


def bytes_of(text: str) -> int:
    """Read a size: ``65536``, ``64KiB``, ``2GB``."""
    return round(_measured(text, BYTES))


def rate_of(text: str) -> float:
    """Read a rate in bits a second (``10Gbit``); gives bytes a second."""
    return _measured(text, BITS) / 8


def _measured(text: str, units: dict[str, int]) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", text)
    if found is None or found[2] not in units or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none; expected a number and one of {', '.join(filter(None, units))}"
        )
    return float(found[1]) * units[found[2]]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    return parser().parse_args(arguments)
