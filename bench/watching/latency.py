"""How long a change takes from the file to whoever subscribes in Redis, for each way of writing; and beside peers."""

import contextlib
import dataclasses
import math
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.receipts import Receipt, find_faults, latencies_ms, percentile
from bench.services import running_watcher
from bench.watching.heard import Heard, subscribed
from bench.watching.peers import Peer, running_peer
from bench.watching.progress import progress
from bench.watching.ways import Producer, Way
from tests.support.redis_server import redis_process

OURS = "reportcast"
CHANNEL = "audit"
REPOS = 50

# Between changes, uneven so that they do not fall in step with anything.
PACE_S, JITTER = 0.025, 0.6
# Writing in chunks takes 10 ms itself, and the file may have to be left alone for 25 ms before the next change.
CHUNKS_PACE_S = 0.08
SLOW_PACE_S = 0.3
PACES_S = {Way.CHUNKS: CHUNKS_PACE_S, Way.SLOW: SLOW_PACE_S}
SLOW_CHANGES = 10
# A peer that waits on purpose would take minutes more.
PATIENT_CHANGES = 20
WARM_UP_CHANGES, SLOW_WARM_UP_CHANGES = 20, 1
GIVE_UP_S = 3.0

AIM_P50_MS, AIM_P99_MS, AIM_SLOW_MS = 15.0, 50.0, 50.0


@dataclasses.dataclass(frozen=True, slots=True)
class LatencyRow:
    """
    One subject, one place, one way of writing.

    Attributes:
        subject: Who watched.
        place: On what the file was.
        pace_ms: Mean pause between changes.
        missed: Changes that were never heard of.
        repeated: Changes that were heard of more than once, or out of order.
        torn: Contents that were read, or published, without being whole.
        p50_ms: Of the changes that were heard of; ``nan`` if none was. Likewise ``p99_ms`` and ``max_ms``.
    """

    subject: str
    place: str
    way: Way
    changes: int
    pace_ms: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    missed: int
    repeated: int
    torn: int

    @property
    def meets_aim(self) -> bool | None:
        """Whether the aim is met, and nothing is wrong; ``None`` of a peer, or if there is no aim."""
        if self.subject != OURS or self.way is Way.ONE_WRITE:
            return None
        if self.missed or self.repeated or self.torn:
            return False
        if self.way.is_atomic:
            return self.p50_ms <= AIM_P50_MS and self.p99_ms <= AIM_P99_MS
        return self.max_ms <= AIM_SLOW_MS

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold, rounded to 10 µs."""
        fields = dataclasses.asdict(self) | {"way": self.way.value}
        return {name: _told(value) for name, value in fields.items()}


def _told(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 2)


def measure_all(places: Mapping[str, Path], changes: int, peers: Sequence[Peer]) -> list[LatencyRow]:
    """
    Measure the watcher in every place, and the peers in the first.

    Args:
        places: Directories by their names.
        changes: How many each, of the quick ways.
        peers: To measure, too.
    """
    rows = [measure(None, place, folder, way, changes) for place, folder in places.items() for way in Way]
    place, folder = next(iter(places.items()))
    return rows + [measure(peer, place, folder, way, changes) for peer in peers for way in Way]


def measure(peer: Peer | None, place: str, parent: Path, way: Way, changes: int) -> LatencyRow:
    """Measure one subject (``None``: the watcher), in a directory below ``parent``."""
    changes, warm_up, pace_s = plan(peer, way, changes)
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-", dir=parent) as folder:
        reports = Path(folder) / "reports"
        reports.mkdir()
        producer = Producer(reports, way, REPOS)
        producer.write()
        with _hearing(peer, producer.path, Path(folder)) as heard:
            for number in range(warm_up + changes):
                if number == warm_up:
                    heard.wait_for(producer.change, GIVE_UP_S)
                time.sleep(pace_s * random.uniform(1 - JITTER, 1 + JITTER))
                producer.write()
            heard.wait_for(producer.change, GIVE_UP_S)
    row = row_of(peer.name if peer else OURS, place, way, pace_s, producer.began_ns, warm_up + 2, heard)
    progress(f"{row.subject}, {place}, {way.value}: p50 {row.p50_ms:.1f} ms, p99 {row.p99_ms:.1f} ms")
    return row


def plan(peer: Peer | None, way: Way, changes: int) -> tuple[int, int, float]:
    """Give how many changes are measured, how many come before, and the mean pause between them in seconds."""
    pace_s = peer.pace_s if peer and peer.pace_s else PACES_S.get(way, PACE_S)
    if way is Way.SLOW:
        return min(changes, SLOW_CHANGES), SLOW_WARM_UP_CHANGES, pace_s
    if peer and peer.pace_s:
        return min(changes, PATIENT_CHANGES), SLOW_WARM_UP_CHANGES, pace_s
    return changes, WARM_UP_CHANGES, pace_s


def row_of(
    subject: str, place: str, way: Way, pace_s: float, began_ns: Mapping[int, int], first: int, heard: Heard
) -> LatencyRow:
    """Sum up what was heard of the changes from ``first`` on."""
    receipts = [receipt for receipt in heard.receipts if receipt[0] >= first]
    timings = sorted(latencies_ms(_earliest(receipts), dict(began_ns), first)) or [math.nan]
    faults = find_faults([change for change, _ in receipts], first, max(began_ns))
    return LatencyRow(
        subject=subject,
        place=place,
        way=way,
        changes=max(began_ns) - first + 1,
        pace_ms=pace_s * 1000,
        p50_ms=percentile(timings, 50),
        p99_ms=percentile(timings, 99),
        max_ms=timings[-1],
        missed=faults.lost,
        repeated=faults.duplicated + faults.out_of_order + faults.unexpected,
        torn=heard.torn,
    )


def _earliest(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Leave out what was heard of before."""
    first: dict[int, int] = {}
    for change, at_ns in receipts:
        first.setdefault(change, at_ns)
    return list(first.items())


@contextlib.contextmanager
def _hearing(peer: Peer | None, report: Path, folder: Path) -> Iterator[Heard]:
    with contextlib.ExitStack() as stack:
        if peer is not None:
            yield stack.enter_context(running_peer(peer, report))
            return
        url = stack.enter_context(redis_process()).url
        heard = stack.enter_context(subscribed(url, CHANNEL))
        stack.enter_context(running_watcher(url, folder, {"REPORT_FILE": str(report)}))
        heard.wait_for(1, GIVE_UP_S)
        yield heard
