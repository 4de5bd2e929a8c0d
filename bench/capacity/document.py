"""The tables of docs/capacity.md, made of results files and put between its markers. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.capacity.figures import FiguresError, gateway_of, publishing_of, sockets_of
from bench.capacity.options import parse
from bench.capacity.sizing import PAYLOAD_SHARE, PING_INTERVAL_S
from bench.capacity.worked import Measured, Worked, command_of, work
from bench.results import aligned

# The plan that the document works out.
MILLION = ("--connections", "1000000", "--report-bytes", "65536", "--deflated-bytes", "10240")
SIZES = (300, 2048, 65536, 1048576)
CHANGES_PER_MINUTE = (0, 1, 10)
END = "<!-- end -->"
SHARE, GIB = 0.6, 2**30

# Name of a benchmark's results, by which they are kept: fanout, sockets, redis, transports.
Results = Mapping[str, Mapping[str, Any]]


def tables(results: Results) -> dict[str, str]:
    """Make the tables that these results suffice for."""
    made: dict[str, str] = {}
    for name, (make, needed) in TABLES.items():
        if all(one in results for one in needed):
            made[name] = make(results)
    return made


def fill(document: str, made: Mapping[str, str]) -> str:
    """Put tables between their markers; what stands between others stays."""
    for name, table in made.items():
        before, begins, rest = document.partition(f"<!-- table: {name} -->\n")
        _, ends, after = rest.partition(END)
        if not ends or begins in after:
            raise FiguresError(f"the document has no place, or several, for the table {name!r}; one is expected")
        document = f"{before}{begins}{table}\n{ends}{after}"
    return document


def _gateway(results: Results) -> str:
    gateway = gateway_of(results["fanout"])
    rows = [["report", "compressed", "on the wire", "CPU of a delivery", "deliveries a second of a core"]]
    wire = dict(gateway.wire)
    for size, cost_us in gateway.plain:
        rows.append([_size(size), "no", _size(size), f"{cost_us:.1f} µs", f"{1e6 / cost_us:,.0f}"])
    for size, cost_us in gateway.deflated:
        rows.append([_size(size), "yes", _size(wire[size]), f"{cost_us:.1f} µs", f"{1e6 / cost_us:,.0f}"])
    idle = (
        f"An idle connection takes {gateway.resident_bytes:,.0f} bytes of the process; accepting one takes "
        f"{gateway.handshake_us:,.0f} µs of CPU\n({1e6 / gateway.handshake_us:,.0f} a second of a core)."
    )
    return f"{aligned(rows)}\n\n{idle}{_from(results, 'fanout')}"


def _cores(results: Results) -> str:
    gateway, sockets = gateway_of(results["fanout"]), sockets_of(results["sockets"])
    paces = [f"changes a minute: {changes}" for changes in CHANGES_PER_MINUTE]
    rows = [["report", *paces, "one change to all in 1 s"]]
    upkeep_s = sockets.upkeep_s(PING_INTERVAL_S)
    for size in SIZES:
        each_s = gateway.delivery_us(size) / 1e6
        steady = [f"{SHARE / (changes / 60 * each_s + upkeep_s):,.0f}" for changes in CHANGES_PER_MINUTE]
        rows.append([_size(size), *steady, f"{SHARE / each_s:,.0f}"])
    idle_bytes = gateway.resident_bytes + sockets.kernel_bytes
    memory = (
        f"A GiB holds {GIB / idle_bytes:,.0f} idle connections ({gateway.resident_bytes:,.0f} bytes in the process, "
        f"{sockets.kernel_bytes:,.0f} in the kernel);\nplan for {SHARE:.0%} of that: {SHARE * GIB / idle_bytes:,.0f}."
    )
    return f"{aligned(rows)}\n\n{memory}"


def _sockets(results: Results) -> str:
    measured = results["sockets"]
    rows = [["what", "measured"]]
    rows.append(["kernel objects of an idle socket", f"{measured['slab_bytes']:,} bytes"])
    rows.append(["send and receive buffers of an idle socket", f"{max(0, measured['buffer_bytes']):,} bytes"])
    for row in measured["gateways"]:
        workers = f"{row['workers']} worker{'s' * (row['workers'] != 1)}"
        rows.append([f"a gateway without connections, {workers}", f"{row['proportional_bytes']:,} bytes"])
    rows.append(["upkeep of an idle connection, each second", f"{measured['look_us']:.1f} µs of CPU"])
    rows.append(["a ping and its answer", f"{measured['ping_us']:.1f} µs of CPU"])
    clients = f"{measured['clients']:,} connections; both ends on one machine, the figure is for one end"
    return f"{aligned(rows)}\n\n{clients}{_from(results, 'sockets')}"


def _redis(results: Results) -> str:
    rows = [["message", "subscribers", "CPU of a message", "for each subscriber", "bytes a second of a core"]]
    for row in results["redis"]["publishing"]:
        cost_us, size, subscribers = row["cpu_us"], row["size"], row["subscribers"]
        rate = f"{size * subscribers / cost_us:,.0f} MB/s"
        rows.append([_size(size), str(subscribers), f"{cost_us:,.0f} µs", f"{cost_us / subscribers:.1f} µs", rate])
    return f"{aligned(rows)}{_from(results, 'redis')}"


def _redis_limits(results: Results) -> str:
    redis, network = publishing_of(results["redis"]), 10e9 / 8
    rows = [["message", "subscribers that get a change within 1 s: by one core", "by 10 Gbit/s"]]
    for size in SIZES:
        core, wire = 1 / redis.change_s(size, 1), network * PAYLOAD_SHARE / size
        rows.append([_size(size), f"{core:,.0f}", f"{wire:,.0f}"])
    return aligned(rows)


def _transports(results: Results) -> str:
    measured = results["transports"]
    rows = [["transport", "memory of an idle client", "CPU of a change for each", "publication to client, p50"]]
    for name, each in measured["transports"].items():
        took = f"{measured['latency_ms'][name]:.0f} ms"
        rows.append([_TRANSPORTS[name], f"{each['idle_bytes']:,} bytes", f"{each['change_us']:.1f} µs", took])
    polls = measured["conditional_polls"]
    told = (
        f"{measured['clients']:,} clients; the latency is with 500 of each on one gateway.\nA poll that is answered "
        f"304 takes {polls['cpu_us']:.0f} µs of CPU: {polls['per_core_per_s']:,} a second of a core."
    )
    return f"{aligned(rows)}\n\n{told}{_from(results, 'transports')}"


_TRANSPORTS = {"websocket": "WebSocket, `reportcast.v1`", "events": "server-sent events", "poll": "long poll"}


def million(results: Results) -> Worked:
    """Work out the plan of the document, which needs all results."""
    return work(
        parse(MILLION),
        Measured(gateway_of(results["fanout"]), sockets_of(results["sockets"]), publishing_of(results["redis"])),
    )


def _million(results: Results) -> str:
    return f"```\n$ {command_of(MILLION)}\n{million(results).text()}\n```"


def _size(size: float) -> str:
    if size < 1024:
        return f"{size:.0f} B"
    return f"{size / 1024:.3g} KiB" if size < 2**20 else f"{size / 2**20:.3g} MiB"


def _from(results: Results, name: str) -> str:
    facts = results[name]
    machine = facts["machine"]
    return f"\n\nMeasured {facts['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}."


TABLES: dict[str, tuple[Callable[[Results], str], tuple[str, ...]]] = {
    "gateway": (_gateway, ("fanout",)),
    "transports": (_transports, ("transports",)),
    "cores": (_cores, ("fanout", "sockets")),
    "sockets": (_sockets, ("sockets",)),
    "redis": (_redis, ("redis",)),
    "redis-limits": (_redis_limits, ("redis",)),
    "million": (_million, ("fanout", "sockets", "redis")),
}
