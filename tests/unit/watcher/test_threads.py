import asyncio
import threading

import pytest
import watcher.threads
from watcher.threads import in_daemon_thread

from tests.support.wait import await_until


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "daemon calls"]


async def test_threads_are_used_again() -> None:
    """One after the other, or many at once: a thread is not started for each call."""
    before = len(threads())
    for _ in range(50):
        await in_daemon_thread(lambda: None)
    await asyncio.gather(*(in_daemon_thread(lambda: None) for _ in range(50)))

    assert len(threads()) <= before + 2  # a busy machine may stall one


async def test_calls_that_hang_hold_up_no_other() -> None:
    """However many they are, another gets a thread, and each hanging one gives its result once it has one."""
    go = threading.Event()
    async with asyncio.TaskGroup() as tasks:
        hanging = [tasks.create_task(in_daemon_thread(go.wait)) for _ in range(10)]
        assert await in_daemon_thread(lambda: "free") == "free"
        assert not any(task.done() for task in hanging)
        go.set()

    assert all(task.result() for task in hanging)


async def test_a_thread_that_is_not_needed_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next call gets a new one."""
    monkeypatch.setattr(watcher.threads, "IDLE_S", 0.01)
    await await_until("older threads have begun to wait anew", lambda: _served())
    await await_until("all threads have ended", lambda: not threads())

    assert await in_daemon_thread(lambda: 1) == 1


async def _served() -> bool:
    """Have every thread that there is make a call, so that its next wait is a short one."""
    seen = await asyncio.gather(*(in_daemon_thread(threading.get_ident) for _ in range(50)))
    return set(seen) <= {thread.ident for thread in threads()}


async def test_what_is_given_up_is_made_all_the_same() -> None:
    """A call whose caller was cancelled does no harm, and what it gives goes nowhere."""
    go, made = threading.Event(), threading.Event()

    def call() -> None:
        go.wait()
        made.set()

    async with asyncio.TaskGroup() as tasks:
        given_up = tasks.create_task(in_daemon_thread(call))
        await asyncio.sleep(0)
        given_up.cancel()
        go.set()
    await await_until("it was made", made.is_set)

    assert given_up.cancelled()


async def test_what_a_call_raises_is_raised_here() -> None:
    """As if it had been called where it is awaited; the thread serves on."""
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0)

    assert await in_daemon_thread(lambda: 1) == 1
