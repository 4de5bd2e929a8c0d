"""Watchers that come, go, stand still and are many: real processes, a real Redis."""

import functools
import signal
import time

from tests.support.reports import audit_bytes
from tests.support.wait import await_until
from tests.torture.case import Case, torture
from tests.torture.places import FIRST, Place
from tests.torture.processes import running_process, watching_process
from tests.torture.table import Row

LAG = "reportcast_watcher_loop_lag_seconds_sum"
PUBLISHED = "reportcast_watcher_published_total"
BLOCKED_S = 10.0
FAILOVER_S = 5.0


async def test_w21_restarted_while_the_file_changed(place: Place, row: Row, redis_url: str) -> None:
    """A watcher publishes on start what differs from what is stored, and nothing else."""
    async with watching_process(redis_url, place.report, row) as case:
        async with running_process(redis_url, place.report, case):
            await case.publishes(FIRST)
        row.times_ms.clear()
        async with running_process(redis_url, place.report, case) as process:
            await case.refresh()
            assert await process.metric(PUBLISHED, channel="audit") == 0
        place.report.write_bytes(audit_bytes(1))
        async with running_process(redis_url, place.report, case) as process:
            await case.publishes(audit_bytes(1), since_ns=process.started_ns)
            await case.moves(PUBLISHED, channel="audit")
            place.report.write_bytes(audit_bytes(2))
            await case.publishes(audit_bytes(2))
            await case.finish()


async def test_w22_two_watchers_on_one_file(place: Place, row: Row, redis_url: str) -> None:
    """Each content is published once; the leader is killed amid a stream: the other takes over, without a gap."""
    async with (
        watching_process(redis_url, place.report, row) as case,
        running_process(redis_url, place.report, case) as leader,
    ):
        await await_until("the first leads", leader.leads)
        async with running_process(redis_url, place.report, case) as other:
            await case.publishes(FIRST)
            await case.moves("reportcast_watcher_leader", channel="audit")
            for mark in range(10):
                place.report.write_bytes(audit_bytes(mark))
                await case.publishes(audit_bytes(mark))
            row.times_ms.clear()

            leader.kill()
            killed_ns = time.time_ns()
            for mark in range(10, 20):
                place.report.write_bytes(audit_bytes(mark))
            await case.publishes(audit_bytes(19), since_ns=killed_ns)
            assert row.times_ms[0] < FAILOVER_S * 1000
            assert await other.leads()
            for mark in range(20, 25):
                place.report.write_bytes(audit_bytes(mark))
                await case.publishes(audit_bytes(mark))
            await case.finish()


async def test_w23_a_loop_that_is_blocked(place: Place, row: Row, redis_url: str) -> None:
    """For ten seconds, of one watcher by a call and of another by SIGSTOP: both catch up and show the lag."""
    async with (
        watching_process(redis_url, place.report, row) as of_process,
        running_process(redis_url, place.report, of_process) as process,
        torture(place.report, row) as case,
    ):
        await of_process.publishes(FIRST)
        row.times_ms.clear()
        for each in (case, of_process):
            await each.moves(LAG)
        async with of_process.unasked():
            process.signal(signal.SIGSTOP)
            for mark in range(20):
                place.report.write_bytes(audit_bytes(mark))
            block(BLOCKED_S)
        process.signal(signal.SIGCONT)
        unblocked_ns = time.time_ns()
        for each in (case, of_process):
            await each.publishes(audit_bytes(19), since_ns=unblocked_ns)
            await await_until("the lag shows it", functools.partial(shows_lag, each))
        await of_process.finish()


def block(seconds: float) -> None:
    """Block the event loop, as a call that should not be there would."""
    time.sleep(seconds)


async def shows_lag(case: Case) -> bool:
    """Tell whether the lag that was measured is about as long as the loop was blocked."""
    return await case.metric(LAG) > BLOCKED_S - 2
