"""What was heard of the changes, and when: of the real watcher over Redis, of a peer over its standard output."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

import msgspec
import redis
from reportcast.broker.keys import keys_of

from bench.clients import change_of
from bench.receipts import Receipt
from tests.support.wait import wait_until

SNAPSHOT = b'{"type":"snapshot"'


class Heard:
    """
    Takes what comes, in a thread of its own.

    Attributes:
        receipts: The number of each change that was published, and when that was heard (CLOCK_MONOTONIC, ns).
        torn: How often a content that is no whole JSON was read, or published.
    """

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.torn = 0

    @property
    def newest(self) -> int:
        """Number of the newest change heard of; 0 before the first."""
        return max((change for change, _ in self.receipts), default=0)

    def wait_for(self, change: int, timeout_s: float) -> bool:
        """Wait until ``change`` was heard of; tells whether it was."""
        with contextlib.suppress(AssertionError):
            wait_until(f"change {change} is heard of", lambda: self.newest >= change, timeout_s)
        return self.newest >= change

    def take_message(self, payload: bytes, at_ns: int) -> None:
        """Take a message of the watcher's (docs/protocol.md, Messages)."""
        if not payload.startswith(SNAPSHOT):
            return
        body = payload[payload.index(b"\n") + 1 :]
        try:
            msgspec.json.decode(body, type=msgspec.Raw)
        except msgspec.DecodeError:
            self.torn += 1
        else:
            self.receipts.append((change_of(body), at_ns))

    def take_line(self, line: bytes) -> None:
        """Take a line of a peer's: ``{"at_ns": …, "change": …}``, without a change if it could not read one."""
        told = json.loads(line)
        if told["change"] is None:
            self.torn += 1
        else:
            self.receipts.append((told["change"], told["at_ns"]))


@contextlib.contextmanager
def subscribed(url: str, channel: str) -> Iterator[Heard]:
    """Hear what is published on a channel, until the end of the block."""
    heard = Heard()
    client: Any = redis.Redis.from_url(url)  # Any: the library's types are those of decoded replies
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(keys_of(channel).messages)
    is_over = threading.Event()

    def listen() -> None:
        while not is_over.is_set():
            message = pubsub.get_message(timeout=0.2)
            if message:
                heard.take_message(message["data"], time.monotonic_ns())

    with _thread(listen):
        try:
            yield heard
        finally:
            is_over.set()
    client.close()


@contextlib.contextmanager
def listening(output: IO[bytes]) -> Iterator[Heard]:
    """Hear what a peer prints; its output has to end before the block does."""
    heard = Heard()

    def listen() -> None:
        for line in output:
            heard.take_line(line)

    with _thread(listen):
        yield heard


@contextlib.contextmanager
def _thread(target: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(5)
