import json
import string
from pathlib import Path

import pytest

from bench.clients import FrameReader, change_of
from bench.fanout.__main__ import parse_arguments, plan_of
from bench.fanout.cores import split
from bench.fanout.events import event_of
from bench.fanout.load import Way
from bench.fanout.peers import PROGRAMS, SET_UPS, nginx_settings
from bench.fanout.plan import FULL, QUICK
from bench.fanout.publishers import masked_text, publication_of
from bench.fanout.usage import Memory, family, memory_of


@pytest.mark.parametrize("size", [64, 300, 2048, 65536])
@pytest.mark.parametrize("number", [1, 99, 123_456_789])
def test_an_event_is_json_of_exactly_that_size(number: int, size: int) -> None:
    """Whatever its number, it is as long as was asked for, and a client finds the number."""
    event = event_of(number, size)

    assert len(event) == size
    assert json.loads(event)["change"] == number
    assert change_of(event) == number


def test_events_differ() -> None:
    """The broker takes a report whose digest is new."""
    first, second = publication_of(event_of(1, 300)), publication_of(event_of(2, 300))

    assert first.digest != second.digest
    assert first.body == event_of(1, 300)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_masked_text_says_its_length(size: int) -> None:
    """It is a client's frame of RFC 6455 whose mask changes nothing."""
    frame = masked_text(b"x" * size)
    header = len(frame) - size

    unmasked = bytes([frame[0], frame[1] & 0x7F]) + frame[2 : header - 4] + frame[header:]
    assert frame[1] & 0x80
    assert frame[header - 4 : header] == b"\0\0\0\0"
    assert list(FrameReader().feed(unmasked)) == [(1, b"x" * size)]


def test_memory_is_read() -> None:
    """Resident and proportional size, in bytes, add up over processes."""
    rollup = "00400000-7ffd [rollup]\nRss:    10 kB\nPss:    4 kB\nPss_Anon:   1 kB\n"

    assert memory_of(rollup) == Memory(10_240, 4_096)
    assert memory_of(rollup) + Memory(1, 2) == Memory(10_241, 4_098)


def test_a_family_begins_with_the_process_itself() -> None:
    """Those that it started come after it."""
    assert family(1)[0] == 1


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        pytest.param({0, 1, 2}, ({2}, {0, 1}), id="several"),
        pytest.param({3}, ({3}, {3}), id="one"),
    ],
)
def test_the_server_gets_a_core(cores: set[int], expected: tuple[set[int], set[int]]) -> None:
    """Its own, where there is more than one."""
    assert split(cores) == expected


def test_nginx_is_fully_configured() -> None:
    """Every blank of the configuration is filled in."""
    template = string.Template((PROGRAMS / "nginx.conf").read_text())

    filled = template.substitute(nginx_settings(8080, Path("folder"), deflates=True))

    assert "listen 127.0.0.1:8080" in filled
    assert "nchan_deflate_message_for_websocket on;" in filled


def test_clients_are_told_how_to_connect() -> None:
    """Offers and protocols become the load generator's options."""
    assert Way().options == []
    assert Way("/socket.io/", offers_deflate=True, speaks_socketio=True).options == ["--deflate", "--socketio"]


def test_the_full_plan_leaves_out_what_the_kernel_cannot_hold() -> None:
    """Bursts of large events to very many clients are not measured; all else is, one at a time and in bursts."""
    cells = FULL.plain_cells(10_000)

    assert [(cell.size, cell.in_flight) for cell in cells] == [(300, 1), (300, 8), (2048, 1), (2048, 8), (65536, 1)]
    assert (FULL.rounds_of(1000), FULL.rounds_of(10_000)) == (3, 2)
    assert FULL.most_clients == 10_000
    assert QUICK.most_clients == 1000


def test_the_command_line_makes_the_plan() -> None:
    """What is given replaces what the plan has; peers come in the order of the results."""
    options = parse_arguments(["--quick", "--only", "reportcast,floor", "--clients", "7,8", "--rounds", "2"])
    plan = plan_of(options)

    assert options.only == ["floor", "reportcast"]
    assert (plan.clients, plan.deflate_clients, plan.rounds, plan.sizes) == ((7, 8), (7, 8), 2, QUICK.sizes)
    assert plan_of(parse_arguments([])) == FULL


def test_by_default_all_peers_are_measured() -> None:
    """But for the floor that joins frames, which is no peer."""
    assert set(SET_UPS) - set(parse_arguments([]).only) == {"joined"}


def test_an_unknown_peer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what is known."""
    with pytest.raises(SystemExit):
        parse_arguments(["--only", "reportcast,apache"])

    assert "'apache' is none" in capsys.readouterr().err
