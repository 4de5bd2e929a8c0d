"""The browser: Debian's Chromium where that is, else Playwright's own."""

import os
from collections.abc import Awaitable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserType

DEBIAN = Path("/usr/bin/chromium")
# The page is served here: whatever asks for another host is not answered, and seen by the test.
NOWHERE = "--host-resolver-rules=MAP reportcast.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# For a browser this is another computer in the house, without TLS, and so without what it keeps for secure pages.
ELSEWHERE = "reportcast.test"


def launch(chromium: BrowserType) -> Awaitable[Browser]:
    """Start it; where there is none, skip the test, but in CI fail, for there it has to be."""
    executable = DEBIAN if DEBIAN.exists() else Path(chromium.executable_path)
    if not executable.exists():
        missing = "there is no browser: install Debian's chromium, or run .venv/bin/playwright install chromium"
        if os.environ.get("CI") == "true":  # noqa: TID251 - a setting of the test run, not of a service
            pytest.fail(missing)
        pytest.skip(missing)
    # Its sandbox wants another user than root, and /dev/shm is small in containers.
    options = [NOWHERE, "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return chromium.launch(executable_path=executable, args=options)
