"""How many connections a pod carries, what bounds it, and what a target needs of everything. Pure."""

import dataclasses
import math

from gateway.settings import GatewaySettings
from reportcast.service.descriptors import FREE, OWN, for_http

from bench.capacity.figures import Gateway, Publishing, Sockets

# An Ethernet frame's worth of a TCP segment carries so much of each byte on the cable: 1448 of 1538.
PAYLOAD_SHARE = 1448 / 1538
PING_INTERVAL_S = float(GatewaySettings.model_fields["gateway_ping_interval_s"].default)
# Copies of a report that a worker holds: as it came, as it is sent, compressed; and of the change before, while it is
# still on its way to someone.
REPORT_COPIES = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """
    What is asked for.

    Attributes:
        connections: At a time.
        report_bytes: Of a report.
        deflated_bytes: Of the same on the wire to clients that take compression; ``None``: none does.
        changes_per_s: On average.
        burst_s: Within which one change has to reach everybody.
        reconnect_within_s: Within which everybody has to be connected again, and to have the report.
        client_s: How long a frame stays in the kernel until the client has confirmed it.
    """

    connections: int
    report_bytes: int
    deflated_bytes: int | None
    changes_per_s: float
    burst_s: float
    reconnect_within_s: float
    client_s: float

    @property
    def wire_bytes(self) -> int:
        """Of a delivery."""
        return self.report_bytes if self.deflated_bytes is None else self.deflated_bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Pod:
    """
    What a gateway is given.

    Attributes:
        workers: As many as cores.
        memory: Bytes.
        network: Bytes a second, out.
        nofile: Descriptors of each worker.
        proxies: Addresses that connections come from, where a proxy opens them; 0: clients have their own.
        ports: Ephemeral ports of each.
        utilisation: Share of any resource that is planned for.
    """

    workers: int
    memory: int
    network: float
    nofile: int
    proxies: int
    ports: int
    utilisation: float


@dataclasses.dataclass(frozen=True, slots=True)
class Costs:
    """
    Of one connection or delivery, at the target's size.

    Attributes:
        delivery_s: CPU time.
        upkeep_s: CPU time of an idle connection in a second: pings, and looking after it.
        handshake_s: CPU time to accept a connection and to give it the report.
        wire_bytes: Of a delivery on the cable.
        resident_bytes: Of a connection in the process.
        kernel_bytes: Of an idle one in the kernel.
        frame_bytes: Of a delivery in the kernel until the client has confirmed it.
        most_frames_bytes: Of all that a pod can have on their way at a time: what its cores and its network put out in
            the time that a client needs.
        empty_bytes: Of a pod without connections.
    """

    delivery_s: float
    upkeep_s: float
    handshake_s: float
    wire_bytes: float
    resident_bytes: float
    kernel_bytes: float
    frame_bytes: float
    most_frames_bytes: float
    empty_bytes: float

    @property
    def idle_bytes(self) -> float:
        """All that an idle connection takes."""
        return self.resident_bytes + self.kernel_bytes

    def on_their_way(self, connections: int) -> float:
        """Give the most bytes that a change has in the kernel."""
        return min(connections * self.frame_bytes, self.most_frames_bytes)

    def fitting(self, memory: float) -> float:
        """Give how many connections fit while a change is on its way to all of them."""
        room = max(0.0, memory - self.empty_bytes)
        return max(room / (self.idle_bytes + self.frame_bytes), (room - self.most_frames_bytes) / self.idle_bytes)


def costs_of(target: Target, pod: Pod, gateway: Gateway, sockets: Sockets) -> Costs:
    """Work the measured figures out for a target."""
    delivery_s = gateway.delivery_us(target.report_bytes, target.deflated_bytes) / 1e6
    return Costs(
        delivery_s=delivery_s,
        upkeep_s=sockets.upkeep_s(PING_INTERVAL_S),
        handshake_s=gateway.handshake_us / 1e6 + delivery_s,
        wire_bytes=target.wire_bytes / PAYLOAD_SHARE,
        resident_bytes=gateway.resident_bytes,
        kernel_bytes=sockets.kernel_bytes,
        frame_bytes=target.wire_bytes,
        most_frames_bytes=target.client_s * min(pod.workers * target.wire_bytes / delivery_s, pod.network),
        empty_bytes=_line(sockets, pod.workers) + REPORT_COPIES * pod.workers * target.report_bytes,
    )


def _line(sockets: Sockets, workers: int) -> float:
    """Give the memory of a gateway with so many workers: each further one takes what the last measured one did."""
    (first, least), (last, most) = sockets.processes[0], sockets.processes[-1]
    return least if last == first else least + (workers - first) * (most - least) / (last - first)


def bounds(target: Target, pod: Pod, costs: Costs) -> dict[str, float]:
    """Give the most connections of a pod by each of its limits; what cannot bound is left out."""
    cores, network = pod.workers * pod.utilisation, pod.network * pod.utilisation
    found = {
        "CPU, steady": cores / (target.changes_per_s * costs.delivery_s + costs.upkeep_s),
        "memory": costs.fitting(pod.memory * pod.utilisation),
        "descriptors": pod.workers * max(0, pod.nofile - OWN - FREE - for_http(pod.nofile)),
        "CPU, one change to everybody": cores * target.burst_s / costs.delivery_s,
        "network, one change to everybody": network * target.burst_s / costs.wire_bytes,
        "CPU, everybody reconnects": cores * target.reconnect_within_s / costs.handshake_s,
        "network, everybody reconnects": network * target.reconnect_within_s / costs.wire_bytes,
    }
    if target.changes_per_s:
        found["network, steady"] = network / (target.changes_per_s * costs.wire_bytes)
    if pod.proxies:
        found["ephemeral ports of the proxies"] = pod.proxies * pod.ports
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """
    What a target needs.

    Attributes:
        bounds: The most connections of a pod, by limit.
        replicas: Gateways, the spare one included.
        each: Connections of a pod when all are there.
        memory: Bytes of a pod that are used then, in processes and kernel, nothing on its way.
        peak_memory: The same while a change is on its way.
        steady_share: Of a pod's cores that is used on average.
        bandwidth: Bytes a second of all pods together, on average, and while one change goes out in burst_s.
        peak_bandwidth: See ``bandwidth``.
        handshakes_per_s: That a pod can take, giving each the report.
        drain_s: Over which a pod has to be drained so that one other could take all of its clients.
        subscribers: Of Redis, for each channel: workers.
        redis_messages: A second, out.
        redis_bytes: A second, out.
        redis_change_s: That Redis' core or network takes to hand one change to all of them, whichever is longer.
        last_s: From Redis' beginning to the last client's frame being written.
    """

    bounds: dict[str, float]
    replicas: int
    each: int
    memory: float
    peak_memory: float
    steady_share: float
    bandwidth: float
    peak_bandwidth: float
    handshakes_per_s: float
    drain_s: float
    subscribers: int
    redis_messages: float
    redis_bytes: float
    redis_change_s: float
    last_s: float

    @property
    def binding(self) -> str:
        """What bounds a pod."""
        return min(self.bounds, key=self.bounds.__getitem__)

    @property
    def most(self) -> int:
        """Connections that a pod carries."""
        return int(self.bounds[self.binding])


def plan(target: Target, pod: Pod, costs: Costs, redis: Publishing, redis_network: float, spare: int = 1) -> Plan:
    """
    Work out what ``target`` needs.

    Args:
        target: What is asked for.
        pod: What each gateway is given.
        costs: Of a connection.
        redis: What publishing costs.
        redis_network: Bytes a second out of Redis.
        spare: Gateways that may be missing.

    Raises:
        ValueError: If a pod cannot carry a single connection.
    """
    found = bounds(target, pod, costs)
    most = int(min(found.values()))
    if most < 1:
        raise ValueError(f"a pod carries no connection: {min(found, key=found.__getitem__)} does not reach")
    replicas = math.ceil(target.connections / most) + spare
    each = math.ceil(target.connections / replicas)
    subscribers = replicas * pod.workers
    redis_change_s = max(
        redis.change_s(target.report_bytes, subscribers),
        subscribers * target.report_bytes / PAYLOAD_SHARE / redis_network,
    )
    idle = costs.empty_bytes + each * costs.idle_bytes
    all_bytes = target.connections * costs.wire_bytes
    return Plan(
        bounds=found,
        replicas=replicas,
        each=each,
        memory=idle,
        peak_memory=idle + costs.on_their_way(each),
        steady_share=each * pod.utilisation / found["CPU, steady"],
        bandwidth=all_bytes * target.changes_per_s,
        peak_bandwidth=all_bytes / target.burst_s,
        handshakes_per_s=pod.workers / costs.handshake_s,
        drain_s=each * costs.handshake_s / (pod.workers * pod.utilisation),
        subscribers=subscribers,
        redis_messages=subscribers * target.changes_per_s,
        redis_bytes=subscribers * target.changes_per_s * target.report_bytes,
        redis_change_s=redis_change_s,
        last_s=redis_change_s + max(each * costs.delivery_s / pod.workers, each * costs.wire_bytes / pod.network),
    )
