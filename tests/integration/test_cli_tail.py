"""``reportcast tail`` on a real gateway, as a process of its own."""

import asyncio
import contextlib
import json
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Source, SourceState

from tests.support.commands import BIN
from tests.support.reports import change
from tests.support.running import CHANNEL, SINCE, RunningGateway
from tests.support.wait import await_until


@contextlib.asynccontextmanager
async def tail(gateway: RunningGateway, *arguments: str) -> AsyncIterator[Process]:
    """Run it until the end of the block; it is connected when the block begins."""
    process = await asyncio.create_subprocess_exec(
        BIN / "reportcast", "tail", gateway.address, *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        await await_until("it is connected", lambda: len(gateway.feed.audiences))
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_changes_and_trouble_in_words(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Where it stands, what changes, and how the file fares; it ends after so many reports."""
    async with tail(gateway, "-n", "2") as process:
        assert process.stdout is not None
        head = [(await process.stdout.readline()).decode() for _ in range(2)]
        await memory_broker.set_source(CHANNEL, Source(SourceState.REJECTED, SINCE, reason="report is empty"))
        trouble = (await process.stdout.readline()).decode()
        await memory_broker.publish(CHANNEL, change(1, 2))
        rest, errors = await process.communicate()

    assert head[0].endswith(f"connected to {gateway.address} by WebSocket\n")
    assert "audit stands at 1: 1 repository, 1 clean" in head[1]
    assert "degraded: the report file's present content is not served: report is empty" in trouble
    assert rest.decode().splitlines()[1:] == [
        "              + repo-2  added, clean",
        "              - repo-1  removed, was clean",
        "              ~ timestamp 2026-11-23T12:00:01Z → 2026-11-23T12:00:02Z",
    ]
    assert (process.returncode, errors) == (0, b"")


async def test_frames_for_programs(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """One a line, as they came, and nothing else."""
    async with tail(gateway, "--json", "-n", "2") as process:
        assert process.stdout is not None
        first = json.loads(await process.stdout.readline())
        await memory_broker.publish(CHANNEL, change(1, 2))
        rest, errors = await process.communicate()

    frames = [first, *map(json.loads, rest.splitlines())]
    assert [frame["type"] for frame in frames if frame["type"] != "status"] == ["snapshot", "delta"]
    assert frames[-1]["changes"]["format"] == "repos"
    assert (process.returncode, errors) == (0, b"")


async def test_ctrl_c_ends_it_quietly(gateway: RunningGateway) -> None:
    """With the code that a shell gives."""
    async with tail(gateway) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()

    assert (process.returncode, errors) == (130, b"")


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["words", "json"])
async def test_a_closed_pipe_ends_it_quietly(gateway: RunningGateway, arguments: list[str]) -> None:
    """At once, though nothing more is to be written."""
    async with tail(gateway, *arguments) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.stdout._transport.close()  # type: ignore[attr-defined] # what head does when it has seen enough
        assert process.stderr is not None
        errors = await process.stderr.read()
        await process.wait()

    assert (process.returncode, errors) == (141, b"")


async def test_a_socket_that_is_closed_in_one_direction(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is what systemd's journal gives: it is written to until nobody reads there any more."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.shutdown(socket.SHUT_RD)
        process = await asyncio.create_subprocess_exec(
            BIN / "reportcast", "tail", gateway.address, "--json", stdout=theirs.fileno(), stderr=PIPE
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    frames = [json.loads(await reader.readline()) for _ in range(2)]
    await memory_broker.publish(CHANNEL, change(1, 2))
    frames.append(json.loads(await reader.readline()))
    writer.close()
    _, errors = await process.communicate()

    assert frames[-1]["type"] == "delta"
    assert (process.returncode, errors) == (141, b"")


async def test_words_that_cannot_be_asked_for(gateway: RunningGateway) -> None:
    """One sentence, and exit code 2."""
    process = await asyncio.create_subprocess_exec(
        BIN / "reportcast", "tail", gateway.address, "--name", "a,b", stdout=PIPE, stderr=PIPE
    )
    _, errors = await process.communicate()

    assert (process.returncode, errors.startswith(b"reportcast: names has 'a,b'; ")) == (2, True)


async def test_what_cannot_be_followed(gateway: RunningGateway) -> None:
    """One sentence, and exit code 2; a gateway that is away is waited for, which is said."""
    process = await asyncio.create_subprocess_exec(
        BIN / "reportcast", "tail", gateway.address, "-c", "none", stdout=PIPE, stderr=PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == 2
    assert errors.decode().startswith(f"reportcast: {gateway.address} cannot be followed: ")
    assert len(errors.splitlines()) == 1


async def test_a_gateway_that_goes_away(gateway: RunningGateway) -> None:
    """Is told of once for each outage, on standard error where the output is for programs."""
    async with tail(gateway, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        await process.stdout.readline()
        gateway.stop()
        errors = (await process.stderr.readline()).decode()

    assert errors.startswith("reportcast: not connected: the connection ended")
