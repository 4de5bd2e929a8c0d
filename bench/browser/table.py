"""What was measured, and whether it meets the aims, as a person reads it. Pure."""

from typing import Any

# Of the dashboard: what it was built to.
P50_MS, P99_MS = 100, 300
SCRIPT_BYTES, INTERACTIVE_MS = 150_000, 1000
FRAMES_PER_S, HEAP_MB = 50, 150
# Everything that is measured has two cores to share with what else runs: beyond this it was not alone.
QUIET_LOAD = 0.7


def table(result: dict[str, Any]) -> str:
    """Give the page that is kept."""
    of = result["machine"]
    load = result["load_average_before"][0]
    quiet = "nothing else ran" if load <= QUIET_LOAD else "**other work ran beside it: take the times as upper bounds**"
    lines = [
        f"# The dashboard in a browser, {result['date']}",
        "",
        f"`{result['command']}`, commit {result['commit']}, Chromium {result['chromium']} without a screen, "
        f"{', '.join(f'{key} {value}' for key, value in of.items())}; load before {load}: {quiet}",
        "",
        "| what | measured | aim | |",
        "| --- | ---: | ---: | --- |",
        *(
            f"| {what} | {f'{value:,} {unit}'.strip()} | {aim} | {'met' if met else 'MISSED'} |"
            for what, value, unit, aim, met in rows(result)
        ),
        "",
        notes(result),
        "",
    ]
    return "\n".join(lines)


def rows(result: dict[str, Any]) -> list[tuple[str, float, str, str, bool]]:
    """Give each figure that has an aim."""
    pixels, load, many = result["file_to_pixels_ms"], result["first_load"], result["many"]
    still, scrolling = many["still"], many["scrolling"]
    what = f"{many['repositories']:,} repositories"
    return [
        ("file change to changed pixels, p50", pixels["p50"], "ms", f"≤ {P50_MS}", pixels["p50"] <= P50_MS),
        ("the same, p99", pixels["p99"], "ms", f"≤ {P99_MS}", pixels["p99"] <= P99_MS),
        ("changes that were not seen", pixels["unseen"], "", "0", pixels["unseen"] == 0),
        _at_most("script of the first load, gzipped", load["script_gzipped_bytes"], "bytes", SCRIPT_BYTES),
        _at_most("first load until it can be used, slowest", load["interactive_ms_max"], "ms", INTERACTIVE_MS),
        ("hosts asked besides the gateway", len(load["other_hosts"]), "", "0", not load["other_hosts"]),
        _at_least(f"{what}, {still['changes_per_s']} changes a second", still["frames_per_s"]),
        _at_least("the same, in the worst second", still["frames_per_s_worst_second"]),
        _at_least("the same, while scrolling", scrolling["frames_per_s"]),
        _at_most("heap, at most", max(still["heap_mb_max"], scrolling["heap_mb_max"]), "MB", HEAP_MB),
    ]


def notes(result: dict[str, Any]) -> str:
    """Say how it was measured, and what has no aim."""
    pixels, load, many = result["file_to_pixels_ms"], result["first_load"], result["many"]
    still, scrolling = many["still"], many["scrolling"]
    return (
        f"A change begins just before `os.replace()` of a finished file, and ends after the paint of the first frame "
        f"whose row has it (a message posted in `requestAnimationFrame`), by the same machine's clock; "
        f"{pixels['changes']} of them, at most {pixels['max']} ms. A first visit has an empty cache, and ends when the "
        f"first row is painted; {load['visits']} of them, p50 {load['interactive_ms_p50']} ms; "
        f"{load['script_transferred_bytes']:,} bytes of script came over the wire, "
        f"{load['all_transferred_bytes']:,} bytes in all. The large report has {many['report_bytes']:,} bytes; its "
        f"longest frame took {still['longest_frame_ms']} ms, while scrolling {scrolling['longest_frame_ms']} ms; after "
        f"a collection the heap was {still['heap_mb_collected']} MB, {scrolling['heap_mb_collected']} MB at the end."
    )


def _at_most(what: str, value: float, unit: str, aim: int) -> tuple[str, float, str, str, bool]:
    return what, value, unit, f"≤ {aim:,}", value <= aim


def _at_least(what: str, value: float) -> tuple[str, float, str, str, bool]:
    return what, value, "frames/s", f"≥ {FRAMES_PER_S}", value >= FRAMES_PER_S
