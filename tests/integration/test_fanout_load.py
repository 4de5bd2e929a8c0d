"""The benchmark's load generator: that it sees what is wrong, and reads what servers send."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fanout.broadcasts import Broadcast, Subject
from bench.fanout.load import Load, LoadError, Way, running_load
from bench.fanout.peers import SET_UPS, Peer
from bench.fanout.programs import compile_floor, compile_load
from bench.fanout.servers import PLAIN, Server, running_program
from bench.receipts import Faults

CLIENTS = 5
EVENTS = 6
FAULTY = "3"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with the compiled programs."""
    folder = tmp_path_factory.mktemp("programs")
    compile_load(folder)
    compile_floor(folder)
    return folder


@contextlib.contextmanager
def floor(programs: Path, folder: Path, *options: str) -> Iterator[Server]:
    """Run the C loop."""
    command = [str(programs / "floor")]
    cores = os.sched_getaffinity(0)
    with running_program(lambda port, *_: [*command, str(port), *options], PLAIN, folder, cores, False) as server:
        yield server


def broadcast(programs: Path, server: Server, size: int = 300, in_flight: int = 1) -> Broadcast:
    """Send EVENTS events to CLIENTS clients."""
    with running_load(programs / "load", server.port, server.way, CLIENTS) as load:
        load.connect(CLIENTS)
        load.settle(50)
        return Subject(server, load).broadcast(size, in_flight, 0.0, EVENTS // in_flight, CLIENTS)


@pytest.mark.parametrize("in_flight", [1, EVENTS])
@pytest.mark.parametrize("size", [64, 300, 2048, 65536, 200_000])
def test_events_that_all_came_are_found_faithful(programs: Path, tmp_path: Path, size: int, in_flight: int) -> None:
    """Every event at every client, in order, exactly once, is no fault, whatever its size."""
    with floor(programs, tmp_path) as server:
        seen = broadcast(programs, server, size, in_flight)

    assert seen.is_complete
    assert seen.got.is_faithful
    assert (seen.got.receipts, seen.got.bytes) == (EVENTS * CLIENTS, EVENTS * CLIENTS * size)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param("--drop", Faults(lost=1), id="dropped"),
        pytest.param("--double", Faults(duplicated=1), id="doubled"),
        pytest.param("--swap", Faults(out_of_order=1), id="reordered"),
    ],
)
def test_one_wrong_event_at_one_client_is_found(programs: Path, tmp_path: Path, fault: str, expected: Faults) -> None:
    """An event that one client misses, gets twice, or gets after the next, is counted as just that."""
    with floor(programs, tmp_path, fault, FAULTY) as server:
        seen = broadcast(programs, server, in_flight=EVENTS)

    assert seen.got.faults == expected
    assert not seen.got.is_faithful


@pytest.mark.parametrize("size", [300, 65536])
def test_one_wrong_byte_at_one_client_is_found(programs: Path, tmp_path: Path, size: int) -> None:
    """A frame whose last byte is not what others got is found, though all numbers are right."""
    with floor(programs, tmp_path, "--spoil", FAULTY) as server:
        seen = broadcast(programs, server, size)

    assert seen.got.faults == Faults()
    assert seen.got.different
    assert not seen.got.is_faithful


def test_an_event_that_nobody_published_is_found(programs: Path, tmp_path: Path) -> None:
    """What comes besides what is expected is counted."""
    with floor(programs, tmp_path) as server, running_load(programs / "load", server.port, Way(), 1) as load:
        load.connect(1)
        load.expect(2, 1)
        server.publisher.publish([b'{"change":1}', b'{"change":2}', b'{"other":3}'])
        load.await_everywhere(2, 5)
        load.settle(50)
        got = load.report([0])

    assert got.faults == Faults(unexpected=2)


def test_a_last_event_that_does_not_come_is_not_waited_for_for_long(programs: Path, tmp_path: Path) -> None:
    """A client that lacks the event that is waited for is told, and counted."""
    with (
        floor(programs, tmp_path, "--drop", "1") as server,
        running_load(programs / "load", server.port, Way(), 2) as load,
    ):
        load.connect(2)
        load.expect(1, 1)
        server.publisher.publish([b'{"change":1}'])
        came = load.await_everywhere(1, 0)
        got = load.report([0])

    assert not came
    assert got.faults.lost


def test_a_server_that_is_not_there_is_said(programs: Path, tmp_path: Path) -> None:
    """What no client should meet ends the load generator, with a sentence."""
    with floor(programs, tmp_path) as server:
        gone = server.port
    with running_load(programs / "load", gone, Way(), 1) as load, pytest.raises(LoadError, match="connect"):
        load.connect(1)


@contextlib.contextmanager
def connected(programs: Path, peer: Peer, folder: Path, offers_deflate: bool) -> Iterator[tuple[Server, Load, int]]:
    """Run one of our own programs with CLIENTS clients; gives with how many compression was agreed, too."""
    with (
        peer.start(folder, os.sched_getaffinity(0), offers_deflate) as server,
        running_load(programs / "load", server.port, server.way, CLIENTS + 1) as load,
    ):
        agreed = load.connect(CLIENTS)
        load.settle(100)
        yield server, load, agreed


@pytest.mark.parametrize("size", [2048, 65536])
def test_compressed_events_are_read(programs: Path, tmp_path: Path, size: int) -> None:
    """Numbers are found and bytes compared where frames are deflated with a context that is kept."""
    with connected(programs, SET_UPS["websockets"](programs), tmp_path, True) as (server, load, agreed):
        seen = Subject(server, load).broadcast(size, 1, 0.0, EVENTS, CLIENTS)

    assert agreed == CLIENTS
    assert seen.is_complete
    assert seen.got.is_faithful
    assert seen.got.bytes < EVENTS * CLIENTS * size / 2


def test_the_gateway_is_read_where_compression_is_offered(programs: Path, tmp_path: Path) -> None:
    """Frames deflated once for all, and those of a burst, are told from the gateway's greeting, and read."""
    with connected(programs, SET_UPS["reportcast"](programs), tmp_path, True) as (server, load, agreed):
        subject = Subject(server, load)
        one_by_one = subject.broadcast(65536, 1, 0.0, EVENTS, CLIENTS)
        burst = subject.broadcast(2048, EVENTS, 0.0, 1, CLIENTS)

    assert agreed == CLIENTS
    assert one_by_one.got.bytes < EVENTS * CLIENTS * 65536 / 2
    assert one_by_one.is_complete
    assert one_by_one.got.is_faithful
    assert burst.is_complete
    assert burst.got.faults == Faults(lost=burst.got.faults.lost)


def test_clients_that_stall_are_not_waited_for(programs: Path, tmp_path: Path) -> None:
    """One that never reads is no fault of the others."""
    with connected(programs, SET_UPS["reportcast"](programs), tmp_path, False) as (server, load, _):
        load.stall(1)
        seen = Subject(server, load).broadcast(65536, 1, 0.0, 30, CLIENTS)

    assert seen.is_complete
    assert seen.got.is_faithful
