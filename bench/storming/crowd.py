"""All clients on one epoll, cheap enough not to be what is measured."""

import dataclasses
import errno
import functools
import heapq
import itertools
import random
import select
import socket
import time
from collections.abc import Callable, Sequence

from bench.clients import BUFFER, HOST, PONG
from bench.storming.client import StormClient

TICK_S = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """
    Something that happened to a client.

    Attributes:
        at_s: Monotonic seconds.
        what: ``attempt``, ``lost`` (a connection, or an attempt) or ``settled``.
        client: Its number.
        port: Of the gateway.
    """

    at_s: float
    what: str
    client: int
    port: int


class Crowd:
    """
    Clients that follow one of several gateways each, and come back when they are cut off.

    Attributes:
        clients: All of them.
        events: What happened, in order.

    Args:
        ports: Of the gateways.
        count: How many clients.
        chance: For their waits and choices.
    """

    def __init__(self, ports: Sequence[int], count: int, chance: random.Random) -> None:
        self.clients = [StormClient() for _ in range(count)]
        self.events: list[Event] = []
        self._ports = ports
        self._chance = chance
        self._poll = select.epoll()
        self._open: dict[int, tuple[int, int, socket.socket]] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def unsettled(self) -> int:
        """How many do not follow, or lack what they were promised."""
        return sum(not client.is_settled for client in self.clients)

    def at(self, at_s: float, act: Callable[[], None]) -> None:
        """Have something done at a time (monotonic seconds), in ``run``."""
        heapq.heappush(self._due, (at_s, next(self._order), act))

    def arrive(self, over_s: float) -> None:
        """Have all clients come, evenly over so long, and as many to each gateway."""
        now = time.monotonic()
        for number in range(len(self.clients)):
            port = self._ports[number % len(self._ports)]
            self.at(now + over_s * number / len(self.clients), functools.partial(self._connect, number, port))

    def run(self, is_over: Callable[[], bool], timeout_s: float) -> bool:
        """Serve all until something is so; tell whether it became so in time."""
        until_s = time.monotonic() + timeout_s
        while not is_over():
            now = time.monotonic()
            if now > until_s:
                return False
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
            for descriptor, mask in self._poll.poll(TICK_S):
                self._serve(descriptor, mask)
        return True

    def close(self) -> None:
        """End all connections."""
        for _, _, connection in self._open.values():
            connection.close()
        self._poll.close()

    def _connect(self, number: int, port: int) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        self._note("attempt", number, port)
        self._open[connection.fileno()] = number, port, connection
        if connection.connect_ex((HOST, port)) not in (0, errno.EINPROGRESS):
            self._lose(connection.fileno())
            return
        self._poll.register(connection.fileno(), select.EPOLLOUT)

    def _serve(self, descriptor: int, mask: int) -> None:
        if descriptor not in self._open:
            return
        number, port, connection = self._open[descriptor]
        client = self.clients[number]
        try:
            if mask & select.EPOLLOUT:
                connection.sendall(client.handshake(HOST, port))
                self._poll.modify(descriptor, select.EPOLLIN)
                return
            size = connection.recv_into(BUFFER)
        except OSError:
            self._lose(descriptor)
            return
        was_settled = client.is_settled
        if not size or not client.take(bytes(memoryview(BUFFER)[:size])):
            self._lose(descriptor)
        elif client.owes_pong:
            client.owes_pong = False
            connection.send(PONG)
        if client.is_settled and not was_settled:
            self._note("settled", number, port)

    def _lose(self, descriptor: int) -> None:
        number, port, connection = self._open.pop(descriptor)
        connection.close()  # epoll forgets it
        self._note("lost", number, port)
        again_s = time.monotonic() + self.clients[number].wait_s(self._chance)
        self.at(again_s, functools.partial(self._connect, number, self._next_port(number, port)))

    def _next_port(self, number: int, last: int) -> int:
        if number // len(self._ports) % 2:  # half of those of each gateway know no other
            return last
        # From a load balancer that does not know yet: either, and then they take turns.
        if self.clients[number].failures <= 1:
            return self._chance.choice(self._ports)
        return self._ports[(self._ports.index(last) + 1) % len(self._ports)]

    def _note(self, what: str, client: int, port: int) -> None:
        self.events.append(Event(time.monotonic(), what, client, port))
