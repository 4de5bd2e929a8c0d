"""How a page bears 10 000 repositories of which one changes ten times a second."""

import asyncio
import itertools
import time
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from bench.browser.lab import Lab, running_lab
from bench.browser.screen import shown
from bench.services import System

PER_S = 10
SETTLE_S = 3.0
# What a frame may take at 50 a second.
LATE_MS = 1000 / 50 * 1.5


async def many_repositories(browser: Browser, repos: int, seconds: int) -> dict[str, Any]:
    """Give the frames and the memory, while nothing is touched and while somebody scrolls."""
    with running_lab(repos) as (lab, system):
        async with shown(browser, system) as page:
            await asyncio.sleep(SETTLE_S)
            still = await phase(page, lab, system, seconds, scrolls=False)
            scrolling = await phase(page, lab, system, seconds // 2, scrolls=True)
    return {"repositories": repos, "report_bytes": lab.bytes, "still": still, "scrolling": scrolling}


async def phase(page: Page, lab: Lab, system: System, seconds: int, scrolls: bool) -> dict[str, Any]:
    """Change the report so long; give what the page made of it."""
    session = await page.context.new_cdp_session(page)
    before = int(system.metrics()["reportcast_watcher_published_total"])
    await page.evaluate("window.bench.countFrames()")
    heaps = []
    began_s = time.monotonic()
    for nth in range(seconds * PER_S):
        await asyncio.sleep(max(0.0, began_s + nth / PER_S - time.monotonic()))
        await asyncio.to_thread(lab.write)
        if scrolls:
            await page.mouse.wheel(0, 400 if nth // 20 % 2 == 0 else -400)
        if nth % PER_S == 0:
            heaps.append(await heap_mb(session))
    frames: list[float] = await page.evaluate("window.bench.frames")
    took_s = time.monotonic() - began_s
    published = int(system.metrics()["reportcast_watcher_published_total"]) - before
    await session.send("HeapProfiler.collectGarbage")
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(frames))
    return {
        "seconds": round(took_s, 1),
        "changes_per_s": round(published / took_s, 1),
        "frames_per_s": round(len(gaps) / (frames[-1] - frames[0]) * 1000, 1),
        "frames_per_s_worst_second": worst_second(frames),
        "late_frames": sum(gap > LATE_MS for gap in gaps),
        "longest_frame_ms": round(gaps[-1], 1),
        "heap_mb_max": round(max(heaps), 1),
        "heap_mb_collected": round(await heap_mb(session), 1),
    }


def worst_second(frames: list[float]) -> int:
    """Give the fewest frames of a whole second."""
    counts = [0] * max(1, int((frames[-1] - frames[0]) / 1000))
    for at in frames:
        second = int((at - frames[0]) / 1000)
        if second < len(counts):
            counts[second] += 1
    return min(counts)


async def heap_mb(session: CDPSession) -> float:
    """Give what the page's scripts have in use, in MB."""
    used: float = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    return used / 1e6
