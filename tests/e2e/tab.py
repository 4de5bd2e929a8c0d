"""A tab of the browser that shows the dashboard, in a person's words."""

import re
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page, expect

WATCHING = Path(__file__).with_name("watching.js")


class Tab:
    """
    A tab.

    Attributes:
        page: As Playwright has it.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def open(
        cls, context: BrowserContext, address: str, chance: float | None = None, has_clock: bool = False
    ) -> "Tab":
        """
        Open one.

        Args:
            context: The browser's profile.
            address: Of the page.
            chance: What takes the place of ``Math.random``: the page's waits are that part of their bounds.
            has_clock: Whether the test turns the page's clock on; else it goes by itself.
        """
        page = await context.new_page()
        await page.add_init_script(path=WATCHING)
        if chance is not None:
            await page.add_init_script(f"Math.random = () => {chance}")
        if has_clock:
            await page.clock.install()
        await page.goto(address)
        return cls(page)

    @property
    def status(self) -> Locator:
        """The button that tells how the connection stands."""
        return self.page.get_by_role("button", name="details of the connection")

    @property
    def details(self) -> Locator:
        """What opens behind it."""
        return self.page.locator("section[aria-label=Connection]")

    async def shows(self, word: str, transport: str | None = None, timeout_s: float = 10) -> None:
        """Wait until the connection is said to stand so."""
        await expect(self.status).to_contain_text(word, timeout=timeout_s * 1000)
        if transport is not None:  # both at the same time
            both = re.compile(rf"^\s*{re.escape(word)}.*Transport{re.escape(transport)}", re.DOTALL)
            await expect(self.details).to_have_text(both, timeout=timeout_s * 1000)

    async def lists(self, name: str, state: str, timeout_s: float = 5) -> None:
        """Wait until the list of Repositories has this one in that state."""
        await expect(self.row(name)).to_contain_text(state, timeout=timeout_s * 1000)

    def row(self, name: str) -> Locator:
        """A repository in the list of Repositories."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=name, exact=True))

    async def press_real_time(self) -> None:
        """Press the switch, in the details of the connection."""
        await self.status.click()
        await self.details.get_by_role("switch", name="Real-time").click()
        await self.page.keyboard.press("Escape")

    async def try_now(self) -> None:
        """Press the button beside what says that there is no connection."""
        await self.page.get_by_role("main").get_by_role("button", name="Try now").click()

    async def situations(self) -> list[str]:
        """Give how the connection stood, one after the other: ``<word> <transport>``."""
        noted: list[str] = await self.page.evaluate("window.e2e.situations")
        return noted
