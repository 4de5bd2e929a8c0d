"""How long it takes from the file's change until the changed row is on the screen."""

import asyncio
import random
from typing import Any

from playwright.async_api import Browser, Page

from bench.browser.lab import running_lab
from bench.browser.screen import shown
from bench.receipts import percentile
from tests.support.wait import await_until

REPOS = 50
WARM_UP = 20
PACE_S, JITTER = 0.15, 1 / 3
GIVE_UP_S = 10.0


async def file_to_pixels(browser: Browser, changes: int) -> dict[str, Any]:
    """Change the file so often; give the percentiles in ms, and how many changes were never seen."""
    with running_lab(REPOS) as (lab, system):
        async with shown(browser, system) as page:
            chance = random.Random(0)
            for _ in range(WARM_UP + changes):
                await asyncio.sleep(PACE_S * chance.uniform(1 - JITTER, 1 + JITTER))
                lab.write()
            seen = await painted(page, lab.change - 1)
    first = lab.change - changes
    took_ms = sorted(at - lab.written_ms[change] for change, at in seen.items() if change >= first)
    return {
        "changes": changes,
        "unseen": changes - len(took_ms),
        "p50": round(percentile(took_ms, 50), 1),
        "p99": round(percentile(took_ms, 99), 1),
        "max": round(took_ms[-1], 1),
    }


async def painted(page: Page, last: int) -> dict[int, float]:
    """Give when each change was on the screen, once the last one is or will not be."""

    async def is_seen() -> bool:
        return await page.evaluate("last => window.bench.seen[last] ?? null", last) is not None

    await await_until("the last change is on the screen", is_seen, GIVE_UP_S)
    seen: dict[str, float | None] = await page.evaluate("window.bench.seen")
    return {int(change): at for change, at in seen.items() if at is not None}
