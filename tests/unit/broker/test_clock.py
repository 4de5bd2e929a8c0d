"""How this host's clock stands to the broker's."""

import datetime
from collections.abc import Callable

import pytest
from reportcast.broker.clock import DRIFT_US_PER_S, BrokerClock, Estimate, Sample
from reportcast.broker.errors import BrokerError, BrokerRefused, BrokerUnavailable
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.trace import Skew
from structlog.testing import capture_logs

MOMENT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)


def estimate(*samples: Sample) -> Estimate:
    """Give what these come to."""
    made = Estimate()
    for sample in samples:
        made.add(sample)
    return made


class TestEstimate:
    def test_nothing_is_known_at_first(self) -> None:
        """Not even that there is no offset."""
        assert Estimate().skew(0) is None

    def test_the_quickest_answer_counts(self) -> None:
        """In whatever order they came."""
        made = estimate(Sample(500, 900, 0), Sample(120, 100, 0), Sample(-300, 800, 0))

        assert made.skew(0) == Skew(120, 100)

    def test_what_is_known_ages(self) -> None:
        """Until a later answer, if slower, is the better one."""
        made = estimate(Sample(100, 50, 0))
        assert made.skew(2) == Skew(100, 50 + 2 * DRIFT_US_PER_S)

        made.add(Sample(300, 400, 20))

        assert made.skew(20) == Skew(300, 400)

    def test_a_clock_that_was_set(self) -> None:
        """Makes what was known before void, however sure that was."""
        made = estimate(Sample(100, 1, 0), Sample(60_000_000, 500, 1))

        assert made.skew(1) == Skew(60_000_000, 500)

    def test_an_answer_that_may_agree_makes_nothing_void(self) -> None:
        """It was slow, and that is why it says something else."""
        made = estimate(Sample(100, 10, 0), Sample(5000, 6000, 1))

        assert made.skew(1) == Skew(100, 10 + DRIFT_US_PER_S)


class Watch(MemoryBroker):
    """A broker whose clock is ahead, that takes its time to answer, or does not."""

    def __init__(self, ahead_s: float, takes_s: list[float], error: BrokerError | None = None) -> None:
        super().__init__(lambda: 0.0)
        self.now = MOMENT
        self.error = error
        self._ahead = datetime.timedelta(seconds=ahead_s)
        self._takes_s = takes_s
        self._asked = 0

    async def time(self) -> datetime.datetime | None:
        if self.error:
            raise self.error
        half = datetime.timedelta(seconds=self._takes_s[self._asked % len(self._takes_s)] / 2)
        self._asked += 1
        self.now += half
        told = self.now + self._ahead
        self.now += half
        return told


def clock_of(broker: Watch, tell: Callable[[Skew], None] = lambda skew: None) -> BrokerClock:
    """Give a clock that is compared with a broker's."""
    return BrokerClock(broker, lambda: broker.now, tell)


async def test_the_best_of_a_few_questions() -> None:
    """Half of its round trip is how wrong it may be; it is told."""
    told: list[Skew] = []
    clock = clock_of(Watch(90, [0.5, 0.01, 2.0]), told.append)

    assert await clock.measure()

    (skew,) = told
    assert skew.offset_us == 90_000_000
    assert skew.uncertainty_us == pytest.approx(5000, abs=10)


async def test_a_clock_that_is_set_back_meanwhile() -> None:
    """Is not compared: what took less than no time says nothing."""
    clock = clock_of(Watch(0, [-60]))

    await clock.measure()

    assert clock.skew is None


async def test_one_process_has_one_clock() -> None:
    """No offset, and no doubt about it."""
    clock = BrokerClock(MemoryBroker(lambda: 0.0), lambda: MOMENT)

    await clock.measure()

    assert clock.skew == Skew(0, 0)


async def test_a_broker_that_is_away() -> None:
    """Is asked again soon; what was known before stays known."""
    broker = Watch(90, [0.01])
    clock = clock_of(broker)
    await clock.measure()
    broker.error = BrokerUnavailable("redis://here", "gone")

    assert not await clock.measure()

    assert clock.skew is not None
    assert clock.skew.offset_us == 90_000_000


async def test_a_broker_that_does_not_tell_the_time() -> None:
    """Is no reason to fail; the log says once what to do."""
    clock = clock_of(Watch(0, [0], BrokerRefused("redis://here", "NOPERM this user has no permissions to run 'time'")))

    with capture_logs() as logs:
        assert await clock.measure()
        assert await clock.measure()

    assert clock.skew is None
    assert [each["event"] for each in logs] == ["clocks not compared"]
