"""What plans are made of, and what they come to."""

import argparse
import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from bench.capacity.figures import FiguresError, at, gateway_of, newest, publishing_of, read, sockets_of
from bench.capacity.options import bytes_of, parse, pod_of, rate_of, target_of
from bench.capacity.sizing import PAYLOAD_SHARE, Plan, Pod, Target, costs_of, plan
from bench.plan import main

SAMPLE = Path(__file__).with_name("fanout_sample.json")
GATEWAY = gateway_of(json.loads(SAMPLE.read_text()))
SOCKETS = sockets_of(
    {
        "slab_bytes": 4000,
        "buffer_bytes": -3,
        "look_us": 1.0,
        "ping_us": 30.0,
        "gateways": [{"workers": 1, "proportional_bytes": 50e6}, {"workers": 2, "proportional_bytes": 80e6}],
    }
)
REDIS = publishing_of(
    {
        "publishing": [
            {"size": 1000, "subscribers": 1, "cpu_us": 90.0},
            {"size": 1000, "subscribers": 10, "cpu_us": 50.0},
            {"size": 1000, "subscribers": 50, "cpu_us": 300.0},
        ]
    }
)
TARGET = Target(100_000, 60_300, None, 1 / 60, 1.0, 60.0, 0.5)
POD = Pod(2, 2 * 2**30, 10e9 / 8, 65536, 0, 28232, 0.5)
PLENTY = dataclasses.replace(POD, memory=2**50, network=1e15, nofile=2**30, utilisation=1.0)


def planned(target: Target, pod: Pod = POD) -> Plan:
    """Work a plan out of the sample."""
    return plan(target, pod, costs_of(target, pod, GATEWAY, SOCKETS), REDIS, 10e9 / 8)


def test_the_gateways_figures() -> None:
    """Are its own, one change at a time, with the most clients; a browser's connections are what counts."""
    assert GATEWAY.plain == [(300, 10.0), (10300, 20.0), (60300, 40.0)]
    assert GATEWAY.deflated == [(60300, 16.0)]
    assert (GATEWAY.clients, GATEWAY.resident_bytes, GATEWAY.handshake_us) == (1000, 2000.0, 400.0)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(10, 10.0, id="below the least"),
        pytest.param(300, 10.0, id="measured"),
        pytest.param(5300, 15.0, id="between"),
        pytest.param(60300, 40.0, id="the most"),
        pytest.param(110300, 60.0, id="beyond"),
    ],
)
def test_a_plain_delivery(size: int, expected: float) -> None:
    """Costs what was measured, or what lies on the line between or beyond."""
    assert GATEWAY.delivery_us(size) == pytest.approx(expected)


def test_a_larger_report_is_never_cheaper() -> None:
    """Even where it was measured so: plans grow with their targets."""
    noisy = dataclasses.replace(GATEWAY, plain=[(300, 10.0), (2048, 8.0), (65536, 20.0)])

    assert [noisy.delivery_us(size) for size in (300, 2048, 65536)] == [10.0, 10.0, 20.0]


def test_a_compressed_delivery() -> None:
    """Costs as many times a plain one of its bytes on the wire as where it was measured: 0.8."""
    assert GATEWAY.delivery_us(60300, 10300) == pytest.approx(16.0)
    assert GATEWAY.delivery_us(60300, 60300) == pytest.approx(32.0)


def test_a_curve_that_falls() -> None:
    """Goes on level: no plan is made of a guess that all gets better."""
    assert at([(1, 20.0), (2, 10.0)], 9) == 10.0


def test_results_without_what_a_plan_needs() -> None:
    """Are refused in a sentence."""
    with pytest.raises(FiguresError, match="no broadcast or no idle"):
        gateway_of({"broadcasts": [], "idle": []})
    plain = dataclasses.replace(GATEWAY, deflated=[], wire=[])
    with pytest.raises(FiguresError, match="no compressed delivery"):
        plain.delivery_us(300, 100)


def test_the_newest_results(tmp_path: Path) -> None:
    """Are those of the last date; where there are none, the sentence names the target that makes them."""
    with pytest.raises(FiguresError, match=r"there is no fanout-<date>\.json in .*; `make bench-fanout` writes it"):
        newest(tmp_path, "fanout", "bench-fanout")
    for name in ("fanout-2026-01-02.json", "fanout-2026-01-10.json", "fanout-2026-01-10.md", "fanout-x.json"):
        (tmp_path / name).touch()

    assert newest(tmp_path, "fanout", "bench-fanout").name == "fanout-2026-01-10.json"


def test_results_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Are one sentence and exit code 2."""
    (tmp_path / "torn.json").write_text("{")

    with pytest.raises(FiguresError, match="is no JSON"):
        read(tmp_path / "torn.json")
    assert main(["--results", str(tmp_path / "none.json")]) == 2
    assert "none.json: No such file" in capsys.readouterr().err


def test_the_costliest_subscriber_counts() -> None:
    """Whichever number of them was the dearest; one alone bears the message's own cost and says nothing."""
    assert REDIS.each == [(1000, 6.0)]
    assert REDIS.change_s(1000, 100) == pytest.approx(600e-6)


@pytest.mark.parametrize(
    ("target", "pod", "binding", "most"),
    [
        pytest.param({"changes_per_s": 10.0}, {}, "CPU, steady", 2 / (10 * 40e-6 + 2e-6), id="cpu-steady"),
        pytest.param({"burst_s": 0.1}, {}, "CPU, one change to everybody", 2 * 0.1 / 40e-6, id="cpu-burst"),
        pytest.param(
            {"reconnect_within_s": 0.1}, {}, "CPU, everybody reconnects", 2 * 0.1 / 440e-6, id="cpu-reconnect"
        ),
        pytest.param({}, {"nofile": 1024}, "descriptors", 2 * 832, id="descriptors"),
        pytest.param({}, {"proxies": 1, "ports": 500}, "ephemeral ports of the proxies", 500, id="ports"),
        pytest.param(
            {"changes_per_s": 2.0},
            {"network": 1e6},
            "network, steady",
            1e6 * PAYLOAD_SHARE / 60300 / 2,
            id="net-steady",
        ),
        pytest.param(
            {}, {"network": 1e6}, "network, one change to everybody", 1e6 * PAYLOAD_SHARE / 60300, id="net-burst"
        ),
    ],
)
def test_what_binds(target: dict[str, float], pod: dict[str, float], binding: str, most: float) -> None:
    """Each limit, where the others do not reach, is named, and is worth what it says."""
    found = planned(dataclasses.replace(TARGET, **target), dataclasses.replace(PLENTY, **pod))  # type: ignore[arg-type]

    assert found.binding == binding
    assert found.bounds[binding] == pytest.approx(most)


def test_memory_binds() -> None:
    """An idle connection in process and kernel, and its frame on the way, in half of what there is."""
    pod = dataclasses.replace(PLENTY, memory=2 * 2**30, utilisation=0.5)

    found = planned(TARGET, pod)

    room = 2**30 - 80e6 - 6 * 2 * 60300
    assert found.binding == "memory"
    assert found.bounds["memory"] == pytest.approx(room / (2000 + 4000 + 60300))
    assert found.peak_memory <= 2**30


def test_frames_on_their_way_are_bounded_by_what_a_pod_can_send() -> None:
    """So memory carries more idle connections than if all had a frame at a time."""
    pod = dataclasses.replace(PLENTY, memory=2 * 2**30, network=1e6)
    costs = costs_of(TARGET, pod, GATEWAY, SOCKETS)

    assert costs.on_their_way(10**6) == 0.5 * 1e6
    assert costs.fitting(pod.memory) == pytest.approx((2 * 2**30 - costs.empty_bytes - 0.5e6) / 6000)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        pytest.param("connections", [1, 1000, 10**6, 10**7], id="connections"),
        pytest.param("report_bytes", [300, 65536, 10**6, 10**7], id="report"),
        pytest.param("changes_per_s", [0.0, 0.1, 1.0, 10.0], id="changes"),
        pytest.param("burst_s", [10.0, 1.0, 0.1, 0.01], id="burst"),
        pytest.param("reconnect_within_s", [600.0, 60.0, 1.0, 0.1], id="reconnect"),
    ],
)
def test_more_takes_more(field: str, values: list[float]) -> None:
    """Gateways never get fewer when anything asked for grows."""
    replicas = [planned(dataclasses.replace(TARGET, **{field: value})).replicas for value in values]  # type: ignore[arg-type]

    assert replicas == sorted(replicas)
    assert replicas[0] < replicas[-1]


def test_redis_carries_every_worker() -> None:
    """Each has a subscription of its own; one spare gateway is there."""
    found = planned(TARGET)

    assert found.subscribers == found.replicas * 2
    assert found.redis_messages == pytest.approx(found.subscribers / 60)
    assert found.redis_bytes == pytest.approx(found.subscribers * 60_300 / 60)
    assert (found.replicas - 1) * found.most >= TARGET.connections > (found.replicas - 2) * found.most


def test_a_pod_that_is_too_small() -> None:
    """Is said, with what does not reach."""
    with pytest.raises(ValueError, match="carries no connection: memory does not reach"):
        planned(TARGET, dataclasses.replace(POD, memory=2**20))


def test_a_report_that_never_changes() -> None:
    """Costs no network in the long run, and of the CPU what pings take: 1 µs, and 30 µs every 30 s."""
    found = planned(dataclasses.replace(TARGET, changes_per_s=0.0)).bounds

    assert "network, steady" not in found
    assert found["CPU, steady"] == pytest.approx(2 * 0.5 / 2e-6)


def test_the_command_line() -> None:
    """Units are read; changes are by the minute."""
    options = parse(
        shlex.split("--connections 5 --report-bytes 64KiB --deflated-bytes 10kB")
        + shlex.split("--changes-per-minute 30 --network-per-pod 1Gbit")
    )

    assert target_of(options).report_bytes == 65536
    assert target_of(options).wire_bytes == 10_000
    assert target_of(options).changes_per_s == 0.5
    assert pod_of(options).network == 125e6
    assert pod_of(options).memory == 2 * 2**30


@pytest.mark.parametrize("text", ["", "x", "1XB", "-1B", "0", "1Gbit"])
def test_sizes_that_are_none(text: str) -> None:
    """Are refused."""
    with pytest.raises(argparse.ArgumentTypeError, match="is none; expected"):
        bytes_of(text)


def test_rates() -> None:
    """Are bits on the command line, bytes in the plan."""
    assert rate_of("8kbit") == 1000.0
