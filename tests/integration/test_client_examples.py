"""The examples that users are given run as they stand, but for the address."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.support.running import RunningGateway

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    f"{page}, {number}": code
    for page in ("libs/client/README.md", "README.md")
    for number, code in enumerate(re.findall(r"```python\n(.+?)```", (ROOT / page).read_text(), re.DOTALL), 1)
}
SAYS = {
    "libs/client/README.md, 1": r"[0-9a-f]{16}:1 2026-11-23T12:00:01Z \{'total': 1,",
    "libs/client/README.md, 2": r"2026-11-23T12:00:01Z.json 2026-11-23 12:00:00\+00:00 \d+",
    "libs/client/README.md, 3": r"connected by websocket",
    "README.md, 1": r"2026-11-23T12:00:01Z \{'total': 1,",
}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example(gateway: RunningGateway, name: str) -> None:
    """It prints what it is for, and nothing goes wrong."""
    code = EXAMPLES[name].replace("http://127.0.0.1:8080", gateway.address)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-W", "error", "-c", code), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
    finally:
        process.kill()
        await process.wait()

    assert re.match(SAYS[name], line), line
