import copy
from typing import Any

from bench.browser.many import worst_second
from bench.browser.table import table

PHASE = {
    "seconds": 20.0,
    "changes_per_s": 10.0,
    "frames_per_s": 59.9,
    "frames_per_s_worst_second": 58,
    "late_frames": 0,
    "longest_frame_ms": 33.4,
    "heap_mb_max": 50.0,
    "heap_mb_collected": 20.0,
}
RESULT: dict[str, Any] = {
    "command": "python -m bench.browser",
    "chromium": "150",
    "date": "2026-11-28 08:00 UTC",
    "commit": "abc",
    "machine": {"cores": 2},
    "load_average_before": [0.1, 0.1, 0.1],
    "file_to_pixels_ms": {"changes": 200, "unseen": 0, "p50": 20.0, "p99": 50.0, "max": 60.0},
    "first_load": {
        "visits": 10,
        "script_gzipped_bytes": 109_000,
        "script_transferred_bytes": 105_000,
        "all_transferred_bytes": 115_000,
        "other_hosts": [],
        "interactive_ms_p50": 300.0,
        "interactive_ms_max": 400.0,
    },
    "many": {"repositories": 10_000, "report_bytes": 2_000_000, "still": PHASE, "scrolling": {**PHASE}},
}


def test_what_misses_its_aim_is_told() -> None:
    """Each figure is judged, and one that is worse than its aim stands out."""
    worse = copy.deepcopy(RESULT)
    worse["file_to_pixels_ms"]["p99"] = 301.0
    worse["many"]["scrolling"]["frames_per_s"] = 49.9

    assert "MISSED" not in table(RESULT)
    assert table(worse).count("MISSED") == 2


def test_a_machine_that_was_not_quiet_is_told() -> None:
    """What ran beside it is not taken for the page's."""
    busy = {**RESULT, "load_average_before": [5.0, 5.0, 5.0]}

    assert "upper bounds" not in table(RESULT)
    assert "upper bounds" in table(busy)


def test_worst_second() -> None:
    """Of whole seconds alone: what is left at the end has fewer frames for another reason."""
    even = [10.0 * nth for nth in range(250)]

    assert worst_second(even) == 100
    assert worst_second([at for at in even if not 1200 <= at < 1500]) == 70
