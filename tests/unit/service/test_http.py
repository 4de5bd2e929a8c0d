import structlog
from prometheus_client import CollectorRegistry
from reportcast.service.arrivals import Cut
from reportcast.service.http import Cuts


class Clock:
    """Monotonic seconds that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_want_of_descriptors_is_logged_once_a_minute() -> None:
    """With the remedy; all are counted, and the other reasons are counted alone."""
    registry, clock = CollectorRegistry(), Clock()
    cuts = Cuts(registry, clock)

    with structlog.testing.capture_logs() as logs:
        for clock.now_s in (0.0, 1.0, 59.9, 60.0, 61.0):
            cuts.count(Cut.DESCRIPTORS)
            cuts.count(Cut.TIMEOUT)

    assert [entry["event"] for entry in logs] == ["out of descriptors"] * 2
    assert "raise nofile" in logs[0]["remedy"]
    for why in (Cut.DESCRIPTORS, Cut.TIMEOUT):
        assert registry.get_sample_value("reportcast_http_cut_total", {"reason": why}) == 5
