"""Subscribers of a real Redis, so light that 50 of them fit beside it, and what publishing to them costs it."""

import dataclasses
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from redis import Redis

from bench.watching.usage import cpu_s

CHANNEL = b"reportcast:{bench}:messages"
BUFFER = bytearray(1024 * 1024)
WITHIN_S = 20.0
WARM_UP = 5


class SubscriberError(Exception):
    """A subscriber did not get what was published; ``str()`` says what."""


@dataclasses.dataclass(frozen=True, slots=True)
class Publishing:
    """
    What one message costs Redis.

    Attributes:
        size: Of the message, in bytes.
        subscribers: That get it.
        messages: Measured, each published when the last subscriber has the one before.
        cpu_us: Of the Redis process, for each message.
    """

    size: int
    subscribers: int
    messages: int
    cpu_us: float

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return {**dataclasses.asdict(self), "cpu_us": round(self.cpu_us, 2)}


def measure(redis: Redis, port: int, size: int, subscribers: int, messages: int) -> Publishing:
    """Publish messages of ``size`` bytes to so many subscribers on other connections."""
    pid = int(redis.info("server")["process_id"])
    message = b"r" * size
    expected = subscribers * len(_reply(b"message", CHANNEL, message))
    with _subscribed(port, subscribers) as sockets, select.epoll() as poll:
        for one in sockets:
            poll.register(one.fileno(), select.EPOLLIN)
        by_descriptor = {one.fileno(): one for one in sockets}
        used_s = 0.0
        for number in range(WARM_UP + messages):
            if number == WARM_UP:
                used_s = cpu_s(pid)
            redis.publish(CHANNEL, message)
            _receive(poll, by_descriptor, expected)
        used_s = cpu_s(pid) - used_s
    return Publishing(size, subscribers, messages, used_s * 1e6 / messages)


@contextmanager
def _subscribed(port: int, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port), WITHIN_S)) for _ in range(count)]
        answer = b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%b\r\n:1\r\n" % (len(CHANNEL), CHANNEL)
        for one in sockets:
            one.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%b\r\n" % (len(CHANNEL), CHANNEL))
            if one.recv(len(answer), socket.MSG_WAITALL) != answer:
                raise SubscriberError("Redis refused a subscription")
        yield sockets


def _receive(poll: select.epoll, by_descriptor: dict[int, socket.socket], expected: int) -> None:
    """Read until all subscribers together have so many bytes."""
    while expected > 0:
        events = poll.poll(WITHIN_S)
        if not events:
            raise SubscriberError(f"{expected} bytes did not come within {WITHIN_S:g} s")
        for descriptor, _ in events:
            expected -= by_descriptor[descriptor].recv_into(BUFFER)


def _reply(*parts: bytes) -> bytes:
    """Give an array of strings as Redis writes it (RESP 2)."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
