import datetime
import json
import os
import time
from collections.abc import Sequence

import pytest
from reportcast.contracts.messages import Publication, Source, SourceState, encode_message, encode_stamps
from reportcast.contracts.report import parse_report

from bench.watching.flat import early_and_late
from bench.watching.heard import Heard
from bench.watching.latency import PACE_S, PATIENT_CHANGES, SLOW_CHANGES, WARM_UP_CHANGES, plan, row_of
from bench.watching.peers import Peer
from bench.watching.usage import cpu_s, memory_mib, peak_mib, resident_mib
from bench.watching.ways import Way
from bench.writer import report_bytes

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def snapshot(body: bytes) -> bytes:
    """Give a message as publish.lua makes it."""
    stamps = encode_stamps(Publication("name", "digest", NOON, NOON, body))
    return b'{"type":"snapshot","epoch":"e","offset":1,"name":"name.json",' + stamps + b"\n" + body


def heard(receipts: Sequence[tuple[int, int]], torn: int = 0) -> Heard:
    found = Heard()
    found.receipts.extend(receipts)
    found.torn = torn
    return found


def test_a_snapshot_is_heard_with_its_change() -> None:
    """The number survives the product's own code."""
    found = Heard()
    found.take_message(snapshot(parse_report(report_bytes(12, repos=3)).body), 7)

    assert (found.receipts, found.newest, found.torn) == ([(12, 7)], 12, 0)


def test_a_torn_body_is_counted_and_not_heard() -> None:
    """What is published without being whole is what the watcher must never do."""
    found = Heard()
    found.take_message(snapshot(report_bytes(12, repos=3)[:-3]), 7)

    assert (found.receipts, found.torn) == ([], 1)


def test_other_messages_pass() -> None:
    """How the source fares is no change."""
    found = Heard()
    found.take_message(encode_message(Source(SourceState.LIVE, "2026-01-01T12:00:00Z")), 7)

    assert (found.receipts, found.torn) == ([], 0)


def test_a_peer_tells_of_changes_and_of_what_it_could_not_read() -> None:
    """One line each."""
    found = Heard()
    found.take_line(json.dumps({"at_ns": 5, "change": 3}).encode())
    found.take_line(json.dumps({"at_ns": 6, "change": None}).encode())

    assert (found.receipts, found.torn) == ([(3, 5)], 1)


def test_a_row_counts_what_went_wrong() -> None:
    """Change 3 was missed, 2 came twice (its first time counts), and 1 is warm-up."""
    began_ns = {1: 0, 2: 0, 3: 0, 4: 0}
    received = heard([(1, 9_000_000), (2, 1_000_000), (2, 5_000_000), (4, 2_000_000)], torn=2)

    row = row_of("reportcast", "disk", Way.RENAME, 0.025, began_ns, 2, received)

    assert (row.changes, row.missed, row.repeated, row.torn) == (3, 1, 1, 2)
    assert (row.p50_ms, row.max_ms) == (1, 2)


def test_a_row_of_nothing_heard_has_no_times() -> None:
    """And JSON can hold it."""
    row = row_of("watchfiles", "disk", Way.RENAME, 0.025, {1: 0, 2: 0}, 1, heard([]))

    assert row.missed == 2
    assert json.loads(json.dumps(row.as_json(), allow_nan=False))["p50_ms"] is None


@pytest.mark.parametrize(
    ("pace_s", "way", "expected"),
    [
        pytest.param(None, Way.RENAME, (200, WARM_UP_CHANGES, PACE_S), id="quick"),
        pytest.param(None, Way.SLOW, (SLOW_CHANGES, 1, 0.3), id="slow"),
        pytest.param(1.5, Way.RENAME, (PATIENT_CHANGES, 1, 1.5), id="peer-that-waits"),
        pytest.param(1.5, Way.SLOW, (SLOW_CHANGES, 1, 1.5), id="peer-that-waits-slow"),
    ],
)
def test_what_takes_long_is_measured_less_often(
    pace_s: float | None, way: Way, expected: tuple[int, int, float]
) -> None:
    """So that the whole takes minutes."""
    assert plan(Peer("peer", [], pace_s=pace_s), way, 200) == expected


def test_memory_is_compared_after_the_warm_up() -> None:
    """The second tenth with the last, each by its median."""
    sizes = [1.0] * 10 + [50.0] * 9 + [90.0] + [60.0] * 70 + [52.0] * 10

    assert early_and_late(sizes) == (50, 52)
    assert early_and_late([5.0]) == (5, 5)


def test_the_kernels_books_are_read() -> None:
    """CPU time of a process by its number, as it knows itself; memory in MiB."""
    before_s = cpu_s(os.getpid())

    assert before_s == pytest.approx(time.process_time(), abs=0.1)
    assert memory_mib("VmPeak:\t 4 kB\nVmRSS:\t  2048 kB\n", "VmRSS") == 2
    assert 0 < resident_mib(os.getpid()) <= peak_mib(os.getpid()) * 1.01
