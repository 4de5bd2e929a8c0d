"""An attribute is made once, and nobody waits for that of another object."""

import threading
from concurrent.futures import ThreadPoolExecutor

from reportcast.contracts.once import Once


class Slow:
    """Takes until ``done`` is set."""

    def __init__(self, done: threading.Event) -> None:
        self.begun = threading.Event()
        self._done = done

    @Once
    def made(self) -> object:
        self.begun.set()
        assert self._done.wait(10)
        return object()


def test_once() -> None:
    """The second who asks gets the same object."""
    done = threading.Event()
    done.set()
    slow = Slow(done)

    assert slow.made is slow.made


def test_objects_do_not_wait_for_each_other() -> None:
    """One is still being made in a thread when the other is there."""
    never_yet, at_once = threading.Event(), threading.Event()
    at_once.set()
    slow = Slow(never_yet)
    with ThreadPoolExecutor() as threads:
        making = threads.submit(lambda: slow.made)
        assert slow.begun.wait(10)

        assert Slow(at_once).made

        assert not making.done()
        never_yet.set()
        assert making.result() is slow.made
