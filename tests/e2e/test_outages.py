"""What a person sees when gateway, Redis or this computer go away, and come back."""

import pytest
from playwright.async_api import Route, expect

from tests.e2e.chromium import ELSEWHERE
from tests.e2e.proxy import way_to
from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_gateway_killed(system: System, viewer: Viewer) -> None:
    """Offline is said with its next attempt, "Try now" makes it at once, and nothing that came meanwhile is lost."""
    write(system.report, {"nas": "clean", "router": "clean"})
    [gateway, _] = system.gateways
    tab = await viewer.tab(f"{system.url}#/repositories", has_clock=True)
    await tab.shows("Live", "WebSocket")

    gateway.kill()
    await tab.shows("Offline")
    await expect(tab.page.get_by_role("main")).to_contain_text("What is shown is what came at")
    # From here on no timer of the page goes off: only the button can bring it back.
    await tab.page.clock.pause_at(await tab.page.evaluate("Date.now() + 100"))
    await tab.shows("Offline")
    await expect(tab.details).to_contain_text("Next attempt in")
    await tab.lists("nas", "clean")
    write(system.report, {"nas": "dirty", "router": "clean"})
    gateway.start()
    await gateway.ready()
    write(system.report, {"nas": "dirty", "router": "missing"})
    await tab.try_now()

    await tab.shows("Live", "WebSocket")
    await tab.lists("nas", "dirty")
    await tab.lists("router", "missing")


async def test_files_of_another_build(shared_system: System, viewer: Viewer) -> None:
    """A document whose files this gateway does not have says so, and is loaded again until they are there."""
    write(shared_system.report, {"nas": "clean"})
    tab = await viewer.tab("about:blank")
    missing = [404, 404]

    async def answer(route: Route) -> None:
        if missing:
            await route.fulfill(status=missing.pop())
        else:
            await route.continue_()

    await tab.page.route("**/assets/index-*.js", answer)
    await tab.page.goto(f"{shared_system.url}audit/nas?action=view")
    await expect(tab.page.locator("body")).to_contain_text("could not be loaded whole")
    await tab.shows("Live")
    assert not missing


async def test_gateway_back_by_itself(system: System, viewer: Viewer) -> None:
    """Nobody has to press anything: the page is back as soon as its gateway is."""
    write(system.report, {"nas": "clean"})
    [gateway, _] = system.gateways
    tab = await viewer.tab(f"{system.url}#/repositories", chance=0.1)
    await tab.shows("Live")

    gateway.kill()
    await tab.shows("Offline")
    write(system.report, {"nas": "dirty"})
    gateway.start()

    await tab.lists("nas", "dirty", timeout_s=20)
    await tab.shows("Live", "WebSocket")
    assert {"Connecting WebSocket", "Offline -"} < set(await tab.situations())


async def test_redis_killed(system: System, viewer: Viewer) -> None:
    """While Redis is away what is shown is said to be stale, and stays; once it is back, all heals by itself."""
    write(system.report, {"nas": "clean"})
    tab = await viewer.tab(f"{system.url}#/repositories")
    await tab.shows("Live")

    system.redis.kill()
    await tab.shows("Stale", timeout_s=15)
    await tab.lists("nas", "clean")
    await expect(tab.status).not_to_contain_text("Live")
    system.redis.start()

    await tab.shows("Live", timeout_s=20)
    write(system.report, {"nas": "dirty"})
    await tab.lists("nas", "dirty")


async def test_asleep(shared_system: System, viewer: Viewer) -> None:
    """Who opens the lid after an hour has the newest within seconds, though its connection broke without a word."""
    write(shared_system.report, {"nas": "clean"})
    async with way_to(shared_system.url) as way:
        tab = await viewer.tab(f"{way.url}#/repositories", chance=0.01, has_clock=True)
        await tab.shows("Live")
        await tab.lists("nas", "clean")

        way.forget()  # what is open leads nowhere from now on, and no error comes
        write(shared_system.report, {"nas": "dirty"})
        await tab.page.clock.fast_forward("01:00:00")

        await tab.lists("nas", "dirty")
        await tab.shows("Live", "WebSocket")


async def test_asleep_elsewhere(shared_system: System, viewer: Viewer) -> None:
    """Where the lid is opened may be another network: what did not get through before is tried at once."""
    write(shared_system.report, {"nas": "clean"})
    async with way_to(shared_system.url) as way:
        way.block("/ws", "/events")
        tab = await viewer.tab(f"{way.url}#/repositories", chance=0.01, has_clock=True)
        await tab.shows("Polling", "Polling")

        way.unblock()
        way.forget()
        await tab.page.clock.fast_forward("01:00:00")

        await tab.shows("Live", "WebSocket")


async def test_put_aside(shared_system: System, viewer: Viewer) -> None:
    """A page that the browser puts aside has no connection, and has one again when it is shown."""
    write(shared_system.report, {"nas": "clean"})
    tab = await viewer.tab(f"{shared_system.url}#/repositories")
    await tab.shows("Live")

    await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await tab.shows("Not started")
    write(shared_system.report, {"nas": "dirty"})
    await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    await tab.lists("nas", "dirty")
    await tab.shows("Live", "WebSocket")


async def test_browser_offline(shared_system: System, viewer: Viewer) -> None:
    """It is told that there is no connection (to a gateway on this computer there may be one), and when there is."""
    write(shared_system.report, {"nas": "clean"})
    context = await viewer.context()
    tab = await viewer.tab(f"{shared_system.url}#/repositories", context, has_clock=True)
    await tab.shows("Live")

    await context.set_offline(True)
    await tab.shows("Offline", timeout_s=15)
    await expect(tab.page.get_by_role("main")).to_contain_text("Not connected: ")
    await context.set_offline(False)

    await tab.shows("Live", "WebSocket")


async def test_another_computer(shared_system: System, viewer: Viewer) -> None:
    """By plain HTTP on another computer it works as well; without a network, its return is waited for."""
    write(shared_system.report, {"nas": "clean"})
    context = await viewer.context()
    address = shared_system.url.replace("127.0.0.1", ELSEWHERE)
    tab = await viewer.tab(f"{address}#/repositories", context, has_clock=True)
    await tab.shows("Live", "WebSocket")
    await expect(tab.details).to_contain_text("this tab's own")

    await context.set_offline(True)
    await expect(tab.page.get_by_role("main")).to_contain_text("this browser is offline", timeout=15_000)
    write(shared_system.report, {"nas": "dirty"})
    await tab.lists("nas", "clean")
    await context.set_offline(False)

    await tab.lists("nas", "dirty")
    await tab.shows("Live", "WebSocket")
