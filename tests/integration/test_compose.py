"""What ``docker compose up`` starts: the images, the network between them, and nginx in front."""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.support.compose import ComposeProject
from tests.support.containers import require_engine
from tests.support.reports import audit, audit_bytes
from tests.support.wait import wait_until

# One worker has the project: it is built once.
pytestmark = [pytest.mark.containers, pytest.mark.timeout(900), pytest.mark.xdist_group("compose")]

RECEIVE_S = 10.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeProject]:
    require_engine()
    started = ComposeProject(f"reportcast-test-{os.getpid()}", tmp_path_factory.mktemp("reports"))
    try:
        started.build()
        yield started
    finally:
        started.down()


@pytest.fixture
def stack(project: ComposeProject, request: pytest.FixtureRequest) -> ComposeProject:
    """Give the project with two healthy gateways that serve one report."""
    project.up(gateways=2)
    publish(project, f"before {request.node.name}")
    return project


def publish(stack: ComposeProject, mark: str) -> None:
    """Write a report, and wait until every gateway serves it."""
    stack.replace_report(audit_bytes(mark))
    wait_until(
        f"every gateway serves {mark!r}",
        lambda: all(report_of(stack.gateway_address(gateway)) == audit(mark) for gateway in stack.gateways()),
    )


def report_of(address: str) -> Any:
    return get(f"http://{address}/audit").json()


@contextlib.contextmanager
def following(address: str) -> Iterator[ClientConnection]:
    """Connect as a page does, and take the report that comes first."""
    with connect(f"ws://{address}/ws", origin=Origin(f"http://{address}"), proxy=None) as client:
        assert frame(client)["type"] == "audit-update"
        yield client


def frame(client: ClientConnection) -> dict[str, Any]:
    received: dict[str, Any] = json.loads(client.recv(RECEIVE_S))
    return received


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=5)


def clients_of(stack: ComposeProject, gateway: str) -> int:
    return int(get(f"http://{stack.gateway_address(gateway)}/api/ws/status").json()["clients"])


def connect_until_all_have_one(stack: ComposeProject, connections: contextlib.ExitStack) -> list[ClientConnection]:
    """Connect through nginx until each gateway has a client; nginx chooses at random."""
    clients = []

    def all_have_one() -> bool:
        clients.append(connections.enter_context(following(stack.address)))
        return all(clients_of(stack, gateway) for gateway in stack.gateways())

    wait_until("nginx has used every gateway", all_have_one, timeout_s=30)
    return clients


def test_page_and_report_are_served(stack: ComposeProject) -> None:
    """A browser gets the page and the newest report through nginx."""
    publish(stack, "served")

    page = get(f"http://{stack.address}/")

    assert page.headers["content-type"].startswith("text/html")
    assert report_of(stack.address) == audit("served")
    assert get(f"http://{stack.address}/api/ws/status").json()["status"] == "healthy"


def test_same_origin_is_kept_through_nginx(stack: ComposeProject) -> None:
    """The front passes Host with its port, so a page of another origin is refused and its own is not."""
    with following(stack.address):
        pass

    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{stack.address}/ws", origin=Origin("http://127.0.0.1:1"), proxy=None)

    assert refused.value.response.status_code == 403


def test_a_client_cannot_name_itself_another_address(stack: ComposeProject) -> None:
    """A gateway takes nginx's word for a client's address, and nginx not the client's own."""
    forged = {"X-Forwarded-For": "203.0.113.9"}
    with connect(f"ws://{stack.address}/ws", additional_headers=forged, proxy=None) as client:
        frame(client)

        # Without a port: the address is the header's, which names none.
        wait_until("nginx's word is taken", lambda: any(":" not in each for each in opened_by(stack)))

        assert not any(each.startswith("203.0.113.9") for each in opened_by(stack))


def opened_by(stack: ComposeProject) -> list[str]:
    return [line["address"] for line in stack.logged("gateway") if line["event"] == "connection opened"]


def test_a_change_reaches_clients_of_every_gateway(stack: ComposeProject) -> None:
    """One change of the file is seen by the clients of both gateways, through nginx and past it."""
    with contextlib.ExitStack() as connections:
        clients = connect_until_all_have_one(stack, connections)
        clients += [connections.enter_context(following(stack.gateway_address(one))) for one in stack.gateways()]

        stack.replace_report(audit_bytes("changed"))

        assert [frame(client)["data"] for client in clients] == [audit("changed")] * len(clients)


def test_a_gateway_added_later_serves_the_newest_report(stack: ComposeProject) -> None:
    """A third gateway starts with the report that was published before it, and nginx finds it."""
    publish(stack, "before the third")
    earlier = set(stack.gateways())

    stack.up(gateways=3)

    (added,) = set(stack.gateways()) - earlier
    assert report_of(stack.gateway_address(added)) == audit("before the third")
    with contextlib.ExitStack() as connections:
        connect_until_all_have_one(stack, connections)


def test_a_killed_gateway_takes_only_its_own_clients(stack: ComposeProject) -> None:
    """The other's client gets the next change on the same connection, and new clients find the other."""
    killed, spared = stack.gateways()
    with following(stack.gateway_address(spared)) as client:
        stack.kill(killed)

        stack.replace_report(audit_bytes("survived"))

        assert frame(client)["data"] == audit("survived")
        for _ in range(5):
            with following(stack.address):
                pass


METRICS = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:9101/metrics').read().decode())"
LATEST = "print(open('/history/latest.json').read())"


def leads(stack: ComposeProject, watcher: str) -> bool:
    return 'reportcast_watcher_leader{channel="audit"} 1.0' in stack.run_in(watcher, METRICS)


def test_a_second_watcher_takes_over(stack: ComposeProject) -> None:
    """The first is killed: the other publishes the next change, and keeps it in the history that they share."""
    (first,) = stack.watchers()
    stack.up(gateways=2, watchers=2)
    (second,) = set(stack.watchers()) - {first}
    assert (leads(stack, first), leads(stack, second)) == (True, False)
    with following(stack.address) as client:
        stack.kill(first)
        stack.replace_report(audit_bytes("taken over"))

        assert frame(client)["data"] == audit("taken over")
    assert leads(stack, second)
    wait_until("it is kept", lambda: json.loads(stack.run_in(second, LATEST)) == audit("taken over"))
