"""The pages of the dashboard, each with what tells that all of it is there."""

import dataclasses

from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import ADMIN_TOKEN


@dataclasses.dataclass(frozen=True)
class Place:
    """
    A page.

    Attributes:
        name: For people, and of its screenshot.
        hash: Behind the ``#`` of the address.
        shows: What is there once it is whole: words, or an element by its selector.
    """

    name: str
    hash: str
    shows: str

    async def visit(self, page: Page) -> None:
        """Go there, and wait until it is whole."""
        await page.evaluate("hash => { location.hash = hash }", f"#/{self.hash}")
        await expect(page.get_by_role("heading", level=1, name=self.name.split(",")[0])).to_be_attached()
        if self.name == "Clients":
            await give_token(page)
        await expect(self.mark(page)).to_be_visible()

    def mark(self, page: Page) -> Locator:
        """Give what is there once it is whole."""
        return page.get_by_role("main").locator(self.shows).first


PLACES = (
    Place("Overview", "", "section[aria-label=Summary]"),
    Place("Repositories", "repositories", "[role=grid] a"),
    Place("Repositories, grouped", "repositories?group=status", "[role=grid] a"),
    Place("Repositories, details", "repositories/dns-1", "[aria-label=Details] h2"),
    Place("Timeline", "timeline", "text=/\\d+ reports/"),
    Place("Latency", "latency", "text=written after"),
    Place("Clients", "clients", "tbody tr"),
)


async def give_token(page: Page) -> None:
    """Tell the page of Clients the admin token, unless it knows it."""
    field = page.get_by_role("main").get_by_label("token")
    await expect(field.or_(page.get_by_role("table")).first).to_be_visible()
    if await field.is_visible():
        await field.fill(ADMIN_TOKEN)
        await page.keyboard.press("Enter")
