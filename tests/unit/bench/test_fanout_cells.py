import dataclasses
import math

import pytest

from bench.fanout.cells import Cell, Sample, median_of, rows_of, sample_of
from bench.fanout.load import Receipts, receipts_of
from bench.receipts import Faults

LINE = (
    '{"events":4,"receipts":8,"lost":0,"duplicated":0,"out_of_order":0,"unexpected":0,"different":0,"closed":0,'
    '"bytes":2400,"p50_ns":2000000,"p99_ns":4000000,"last_ns":[2000000,5000000,9000000,14000000]}'
)
BEGAN_NS = [1_000_000, 3_000_000, 6_000_000, 10_000_000]

SAMPLE = Sample(
    events=10,
    cpu_us=6.0,
    load_cpu_us=5.0,
    per_second=100_000.0,
    last_p50_ms=8.0,
    last_p99_ms=12.0,
    p50_ms=4.0,
    p99_ms=11.0,
    wire_bytes=300.0,
    skipped=0,
    faults=0,
)


def test_a_report_is_read() -> None:
    """What the load generator prints becomes receipts; nothing wrong is faithful."""
    got = receipts_of(LINE)

    assert (got.events, got.receipts, got.bytes) == (4, 8, 2400)
    assert got.last_ns == (2_000_000, 5_000_000, 9_000_000, 14_000_000)
    assert got.is_faithful


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"faults": Faults(lost=1)}, id="lost"),
        pytest.param({"different": 1}, id="different-bytes"),
        pytest.param({"closed": 1}, id="closed"),
    ],
)
def test_anything_wrong_is_not_faithful(wrong: dict[str, object]) -> None:
    """Each kind of fault counts."""
    assert not dataclasses.replace(receipts_of(LINE), **wrong).is_faithful  # type: ignore[arg-type]  # one of each


def test_a_round_is_summed_up() -> None:
    """CPU time is per receipt, latency by event to the last client, rate from the first publishing on."""
    sample = sample_of(BEGAN_NS, receipts_of(LINE), cpu_s=80e-6, load_cpu_s=40e-6, may_skip=False)

    assert sample.cpu_us == pytest.approx(10.0)
    assert sample.load_cpu_us == pytest.approx(5.0)
    assert (sample.last_p50_ms, sample.last_p99_ms) == (2.0, 4.0)
    assert (sample.p50_ms, sample.p99_ms) == (2.0, 4.0)
    assert sample.per_second == pytest.approx(8 / 0.013)
    assert sample.wire_bytes == 300
    assert (sample.skipped, sample.faults) == (0, 0)


@pytest.mark.parametrize(
    ("may_skip", "expected"),
    [pytest.param(True, (2, 3), id="may-skip"), pytest.param(False, (0, 5), id="may-not")],
)
def test_only_who_may_skip_skips(may_skip: bool, expected: tuple[int, int]) -> None:
    """What is lost is a fault, unless it is the server's design; all else is a fault in every case."""
    got = dataclasses.replace(receipts_of(LINE), faults=Faults(lost=2, duplicated=1), different=1, closed=1)

    sample = sample_of(BEGAN_NS, got, 0.0, 0.0, may_skip)

    assert (sample.skipped, sample.faults) == expected


def test_a_round_in_which_nothing_came_has_no_latency() -> None:
    """Where no client got anything there is no figure, and no error."""
    got = Receipts(1, 0, Faults(lost=2), 0, 0, 0, 0, 0, (0,))

    sample = sample_of([1_000], got, 1.0, 1.0, may_skip=False)

    assert math.isnan(sample.last_p50_ms)
    assert (sample.per_second, sample.faults) == (0.0, 2)


def test_rounds_become_medians_and_sums() -> None:
    """Figures are medians of the rounds; events, skipped and faults are added."""
    rounds = [dataclasses.replace(SAMPLE, cpu_us=cpu, faults=1) for cpu in (9.0, 5.0, 7.0)]

    found = median_of(rounds)

    assert (found.cpu_us, found.events, found.faults) == (7.0, 30, 3)


def test_every_row_is_measured_by_the_plain_floor_at_one_at_a_time() -> None:
    """Bursts and compressed events have the same measure as the plain ones of their clients and size."""
    plain = Cell(1000, 300)
    burst = dataclasses.replace(plain, in_flight=8)
    deflated = dataclasses.replace(plain, offers_deflate=True)
    samples = {
        ("floor", plain): [SAMPLE],
        ("floor", burst): [dataclasses.replace(SAMPLE, cpu_us=3.0)],
        ("other", burst): [dataclasses.replace(SAMPLE, cpu_us=12.0)],
        ("other", deflated): [dataclasses.replace(SAMPLE, cpu_us=60.0)],
        ("other", Cell(7, 300)): [SAMPLE],
    }

    rows = rows_of(samples, "floor")

    times = {(row.peer, row.cell): row.times_floor for row in rows}
    assert times[("floor", plain)] == 1.0
    assert times[("floor", burst)] == 0.5
    assert times[("other", burst)] == 2.0
    assert times[("other", deflated)] == 10.0
    assert times[("other", Cell(7, 300))] is None
    assert rows[0].cell.clients == 7


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(Cell(100, 300), "100 x 300 B", id="plain"),
        pytest.param(Cell(1000, 2048, 8), "1000 x 2 KiB, 8 in flight", id="burst"),
        pytest.param(Cell(10, 65536, offers_deflate=True), "10 x 64 KiB, deflate offered", id="deflate"),
    ],
)
def test_a_cell_has_a_title(cell: Cell, expected: str) -> None:
    """What is measured can be read."""
    assert cell.title == expected
