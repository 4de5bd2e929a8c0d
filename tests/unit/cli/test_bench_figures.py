"""What a load check says of what came, without any load."""

import collections
import dataclasses
import json
from typing import Any

import pytest
from reportcast_cli.amounts import duration, size
from reportcast_cli.crowd import Target
from reportcast_cli.exits import Trouble
from reportcast_cli.findings import Findings, not_measured, show, told, warnings
from reportcast_cli.machine import Effort, Gateway, is_local, raise_descriptors
from reportcast_cli.plot import WIDTH, histogram, percentile
from reportcast_cli.tally import Figures, Tally, figures_of

HEAD = '"channel":"audit","epoch":"%s","offset":%d,"name":"n","digest":"d","published_at":"1970-01-01T00:00:10Z"'
TIME = ',"modified_at":"1970-01-01T00:00:10Z","findings":[]'


def snapshot(offset: int, epoch: str = "e") -> bytes:
    return ('{"type":"snapshot",' + HEAD % (epoch, offset) + TIME + ',"data":{}}').encode()


def test_a_change_is_counted_at_every_client() -> None:
    """What was there before does not count, nor do other frames; a client that had too much says what it missed."""
    tally = Tally()
    tally.receive(0, snapshot(1), 1.0, 0.0)
    tally.open(3)
    for client in range(3):
        tally.receive(client, snapshot(1), 2.0, 0.0)
        tally.receive(client, b'{"type":"heartbeat"}', 2.0, 0.0)
        tally.receive(client, b"no frame", 2.0, 0.0)
    for client in range(2):
        tally.receive(client, snapshot(2), 10.010 + client / 100, 0.001 * client)
    tally.receive(2, b'{"type":"skipped","channel":"audit","from":1,"to":3,"merged":2}', 11.0, 0.0)
    for client in range(3):
        tally.receive(client, snapshot(3), 11.0, 0.0)

    figures = figures_of(tally)

    assert (figures.changes, figures.receipts, figures.missed, tally.merged) == (2, 5, 0, 1)
    assert [round(age) for age in figures.ages_ms] == [10, 20, 1000, 1000, 1000]
    assert [round(spread) for spread in figures.spreads_ms] == [0, 10]
    assert figures.busy == pytest.approx(0.1)


def test_an_answer_is_the_first_report_after_the_question() -> None:
    """Of each client; a further one is somebody else's."""
    tally = Tally()
    tally.open(2)
    update = b'{"type":"audit-update","data":{}}'
    tally.receive(0, update, 1.0, 0.0)
    tally.ask(5.0)
    for client, now_s in ((0, 5.004), (0, 5.5), (1, 5.006)):
        tally.receive(client, update, now_s, 0.0)
    tally.ask(6.0)
    tally.receive(1, update, 6.003, 0.0)

    figures = figures_of(tally)

    assert [round(age) for age in figures.ages_ms] == [3, 4, 6]
    assert figures.missed == 1


def test_the_picture() -> None:
    """Rows between marks, the longest bar full; nothing of nothing, and no more rows than fit."""
    assert list(histogram([])) == []
    assert list(histogram([3, 4, 4.5, 7])) == [
        f"below 5 ms  {'█' * WIDTH} 3",
        f"5 to 10 ms  {'█' * (WIDTH // 3)}▍ 1",
    ]
    wide = list(histogram([0.01, 0.3, 9_000_000, -5]))
    assert len(wide) == 12
    assert wide[0].endswith(" 3")


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.99, 4), (1.0, 4)])
def test_percentile(share: float, value: float) -> None:
    """The nearest rank."""
    assert percentile([1, 2, 3, 4], share) == value


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.00812, "8.12 ms"), (-0.5, "-500 ms"), (0.9997, "1 s"), (1.25, "1.2 s"), (9.96, "10 s")),
        *((59.7, "1 min"), (61, "1 min 1 s"), (90061, "1 d 1 h")),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    """In at most two units."""
    assert duration(seconds) == words


def test_sizes() -> None:
    """In the unit that fits."""
    assert [size(count) for count in (999, 5120, 999_700, 16_777_216, 999_600_000)] == [
        *("999 B", "5.12 kB", "1 MB", "16.8 MB", "1 GB")
    ]


QUIET = Figures(changes=0, receipts=0, missed=0, ages_ms=[], spreads_ms=[], frame_bytes=0, busy=0.0)
BUSY = Figures(changes=2, receipts=2, missed=0, ages_ms=[-1.0, 40.0], spreads_ms=[8.0, 9.0], frame_bytes=500, busy=0.95)


def found(**fields: Any) -> Findings:
    """Give findings that are all well."""
    gateway = Gateway(50e6, 10.0, 3), Gateway(52e6, 10.5, 1003), Gateway(52e6, 11.0, 1003)
    plain = Findings(
        url="http://h:1/",
        is_local=False,
        triggered=False,
        clients=1000,
        connected=1000,
        refused=collections.Counter(),
        lost=collections.Counter(),
        connect_s=0.5,
        shaken_ms=[1.0, 2.0],
        seconds=10.0,
        figures=dataclasses.replace(BUSY, ages_ms=[5.0, 6.0], spreads_ms=[1.0, 2.0]),
        merged=0,
        gateway=gateway,
        efforts=(Effort(0.2, 1.0), Effort(0.1, 1.0)),
    )
    return dataclasses.replace(plain, **fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({}, ["two machines' clocks"], id="clocks"),
        pytest.param({"is_local": True}, [], id="one-clock"),
        pytest.param({"efforts": (Effort(0.9, 1.0), Effort())}, ["while it connected", "clocks"], id="connecting"),
        pytest.param({"efforts": (Effort(), Effort(0.1, 50.0))}, ["the limit while", "clocks"], id="late"),
        pytest.param({"figures": BUSY, "is_local": True}, ["busy 95 % of the spread", "before they were"], id="busy"),
        pytest.param({"figures": QUIET}, [], id="nothing-came"),
    ],
)
def test_warnings(fields: dict[str, Any], words: list[str]) -> None:
    """Where the figures tell of something else than the gateway."""
    sentences = list(warnings(found(**fields)))

    assert len(sentences) == len(words)
    assert all(part in sentence for part, sentence in zip(words, sentences, strict=True))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"figures": QUIET}, "latency, because no change came within 10 s; --trigger asks", id="quiet"),
        pytest.param({"gateway": (None, None, None)}, "because its /metrics do not answer", id="no-metrics"),
        pytest.param({"connected": 999}, "because others came or left", id="others"),
        pytest.param({"connected": 3}, "because fewer than 500 do not tell", id="few"),
        pytest.param({"is_local": True}, "both ends are on this machine", id="local"),
        pytest.param({"triggered": True}, "the watcher's part", id="triggered"),
    ],
)
def test_what_was_not_measured_is_said(fields: dict[str, Any], words: str) -> None:
    """With the reason."""
    assert any(words in sentence for sentence in not_measured(found(**fields)))
    assert not any(words in sentence for sentence in not_measured(found()))


def test_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For people, and the same for programs; refused, lost and missed clients are what is wrong."""
    bad = found(
        refused=collections.Counter({"refused with 429": 3}),
        lost=collections.Counter({"closed with 1013": 1}),
        figures=dataclasses.replace(BUSY, missed=7),
        merged=2,
    )
    show(bad)
    words = capsys.readouterr().out
    told(found())
    figures = json.loads(capsys.readouterr().out)

    for part in ("3: refused with 429", "1: closed with 1013", "7 were missed", "2 were left out", "2000 handshakes/s"):
        assert part in words
    assert "52 MB resident, about 2 kB for each connection; 5.0 % of a core" in words
    assert (found().is_fine, bad.is_fine) == (True, False)
    assert figures["latency_ms"] == {"p50": 5.0, "p90": 6.0, "p99": 6.0, "max": 6.0}
    assert (figures["bytes_per_connection"], figures["gateway_cpu"]) == (2000, 0.05)


def test_the_handshake_names_what_is_asked_for() -> None:
    """Host, path, subprotocol and token; TLS where the address says so."""
    target = Target("wss://u:p@h:9/x/ws?channel=a", "reportcast.v1", "secret")
    lines = target.handshake().decode().split("\r\n")

    assert lines[:2] == ["GET /x/ws?channel=a HTTP/1.1", "Host: h:9"]
    assert {"Sec-WebSocket-Protocol: reportcast.v1", "Authorization: Bearer secret"} < set(lines)
    assert target.tls is not None
    assert Target("ws://[::1]/ws", None, None).address == ("::1", 80)


def test_this_machine_is_known() -> None:
    """By its address."""
    assert [is_local(host) for host in ("127.0.0.1", "::1", "192.0.2.1", "none.invalid")] == [True, True, False, False]


def test_more_clients_than_descriptors_are_refused() -> None:
    """With what the system allows."""
    with pytest.raises(Trouble, match="this process may have"):
        raise_descriptors(10**9)
