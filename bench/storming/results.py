"""What a storm came to: figures, table and picture. Pure."""

import collections
from collections.abc import Sequence
from typing import Any

from bench.capacity.picture import Panel, Points, draw
from bench.receipts import percentile
from bench.results import aligned
from bench.storming.crowd import Event

BUCKET_S = 0.25
AIM_S = 10.0


def storm_of(events: Sequence[Event], began_s: float, ports: Sequence[int]) -> dict[str, Any]:
    """
    Tell of what happened since the gateway was killed.

    Args:
        events: All, in order.
        began_s: When it was killed.
        ports: Of the gateways; the first is the one that was killed.
    """
    since = [event for event in events if event.at_s >= began_s]
    lost: dict[int, float] = {}
    settled: dict[int, float] = {}
    for event in since:
        if event.what == "lost":
            lost.setdefault(event.client, event.at_s)
        elif event.what == "settled":
            settled[event.client] = event.at_s
    away = sorted(settled[client] - at_s for client, at_s in lost.items() if client in settled)
    last_s = max(settled.values(), default=began_s) - began_s
    buckets = int(last_s / BUCKET_S) + 2
    return {
        "cut_off": len(lost),
        "settled_again": len(away),
        "settled_after_s": round(last_s, 2),
        "away_s": {f"p{share}": round(percentile(away, share), 2) for share in (50, 90, 99)} if away else {},
        "attempts_on_the_dead_one": sum(event.what == "lost" for event in since) - len(lost),
        "settled_on_the_other": _count(since, "settled", ports[1:]),
        "settled_on_the_restarted": _count(since, "settled", ports[:1]),
        "attempts_per_bucket": in_buckets(since, "attempt", began_s, buckets),
        "settled_per_bucket": in_buckets(since, "settled", began_s, buckets),
        "lost_per_bucket": in_buckets(since, "lost", began_s, buckets),
    }


def in_buckets(events: Sequence[Event], what: str, began_s: float, buckets: int) -> list[int]:
    """Count events of one kind in each BUCKET_S; those after the last bucket are not counted."""
    counts = collections.Counter(int((event.at_s - began_s) / BUCKET_S) for event in events if event.what == what)
    return [counts[number] for number in range(buckets)]


def _count(events: Sequence[Event], what: str, ports: Sequence[int]) -> int:
    return sum(event.what == what and event.port in ports for event in events)


def table_of(result: dict[str, Any]) -> str:
    """Write the figures for a person."""
    away = result["away_s"]
    verdict = "met" if result["settled_after_s"] <= AIM_S and not result["unsettled"] else "MISSED"
    cells = [["after the kill", "attempts", "settled"]]
    for number, (attempts, settled) in enumerate(
        zip(result["attempts_per_bucket"], result["settled_per_bucket"], strict=True)
    ):
        cells.append([f"{number * BUCKET_S:.2f} s", str(attempts), str(settled)])
    return "\n".join(
        (
            f"{result['cut_off']} of {result['clients']} clients were cut off; all were settled again after "
            f"{result['settled_after_s']} s (aim: {AIM_S:g} s, {verdict}), each after {away.get('p50')} s (median), "
            f"{away.get('p99')} s (99 %).",
            f"{result['settled_on_the_restarted']} of them settled on the gateway that was started again, "
            f"{result['settled_on_the_other']} on the other. {result['recovered']} resumed with what they had missed",
            f"alone, {result['refused']} got the whole report; {result['gaps']} deltas did not fit; "
            f"{result['behind_at_the_end']} lacked the newest change at the end.",
            "",
            aligned(cells),
        )
    )


def picture_of(result: dict[str, Any]) -> str:
    """Draw it."""
    attempts, settled = (_points(result[f"{what}_per_bucket"]) for what in ("attempts", "settled"))
    away, missing = [], 0
    for number, (lost, again) in enumerate(zip(result["lost_per_bucket"], result["settled_per_bucket"], strict=True)):
        # An attempt that failed was lost, too, but its client was away already.
        missing = min(result["cut_off"], missing + lost) - again if number else result["cut_off"] - again
        away.append((number * BUCKET_S, float(max(0, missing))))
    total, sums = 0.0, []
    for at_s, count in settled:
        total += count
        sums.append((at_s, total))
    return draw(
        f"{result['clients']} clients on two gateways, one of them killed",
        f"{result['date']}, {result['machine']['cores']} cores for everything; it is started again after "
        f"{result['restarted_after_s']:g} s; full jitter from 0.5 s to 30 s",
        ("attempts to connect", "", "settled: following, and at the newest change"),
        (
            Panel("attempts in each 250 ms", [(0, attempts)]),
            Panel("settled in each 250 ms", [(2, settled)]),
            Panel("settled in all", [(2, sums)], limit=float(result["cut_off"])),
        ),
    )


def _points(counts: Sequence[int]) -> Points:
    return [(number * BUCKET_S, float(count)) for number, count in enumerate(counts)]
