"""A producer that writes over its report without truncating it: what is there meanwhile is valid, and not meant."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Refreshed, Snapshot
from reportcast.contracts.report import parse_report
from watcher.settle import QUIET_S

from tests.integration.test_watcher import wait_served
from tests.support.reports import audit_bytes
from tests.support.running import CHANNEL, running_watcher
from tests.support.whole import wholes

# Writes over a file in 30 pieces. From the fifth on, somebody opens and closes it after each. Prints the longest pause.
WRITER = """
import os, sys, time
path, new = sys.argv[1], sys.stdin.buffer.read()
file, size = open(path, "r+b", buffering=0), len(new) // 30
moments = []
for number, start in enumerate(range(0, len(new), size)):
    file.write(new[start : start + size])
    moments.append(time.monotonic())
    if number > 4:
        os.close(os.open(path, os.O_WRONLY))
    time.sleep(0.002)
file.close()
print(max(after - before for before, after in zip(moments, moments[1:])))
"""
TRIES = 10


def report_of(word: str) -> bytes:
    """Give a report whose repositories are all of one status, of five letters."""
    return audit_bytes(repos=[{"name": f"r{number}", "status": word} for number in range(40)], summary={})


async def write_over(path: Path, raw: bytes) -> float:
    """Write over the report; give the longest pause."""
    command = (sys.executable, "-c", WRITER, str(path))
    writer = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output, _ = await writer.communicate(raw)
    return float(output)


async def test_no_mixture_is_published(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Neither while the writer is at it, nor when somebody else closes the file meanwhile."""
    path = tmp_path / "r.json"
    path.write_bytes(report_of("clean"))
    async with running_watcher(memory_broker, path), memory_broker.subscribe(CHANNEL) as messages:
        await wait_served(memory_broker, report_of("clean"))
        assert isinstance(await anext(messages), Snapshot)
        everything = wholes(memory_broker, CHANNEL, messages)
        for number in range(TRIES):
            new = report_of("clean" if number % 2 else "dirty")
            pause_s = await write_over(path, new)
            await wait_served(memory_broker, new)
            await memory_broker.announce_refreshed(CHANNEL)
            published = []
            while not isinstance(message := await anext(everything), Refreshed):
                published += [message.body] if isinstance(message, Snapshot) else []
            if pause_s < QUIET_S / 2:  # else the machine was busy, and what was published proves nothing
                assert published == [parse_report(new).body]
                return
    pytest.fail(f"the machine was too busy {TRIES} times")
