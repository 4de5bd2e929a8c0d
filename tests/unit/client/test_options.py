"""Where requests go."""

from typing import Any

import pytest
from reportcast.contracts.position import Position
from reportcast_client import connect
from reportcast_client.options import Options, url_of

AT = Position("1b65fea20ca22296", 4)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://h:1", "http://h:1"),
        ("https://h/", "https://h"),
        ("ws://h:1/ws", "http://h:1"),
        ("wss://h/reports/ws", "https://h/reports"),
        ("http://[::1]:8080/reports/", "http://[::1]:8080/reports"),
    ],
)
def test_an_address(given: str, url: str) -> None:
    """Is that of the gateway, however it is written."""
    assert url_of(given) == url


@pytest.mark.parametrize("given", ["", "h:1", "ftp://h", "http://", "/ws", "http://h/?channel=audit", "http://h/#x"])
def test_no_address(given: str) -> None:
    """Is refused, with a sentence."""
    with pytest.raises(ValueError, match=r"is no address of a gateway|has a query"):
        url_of(given)


def test_nothing_to_follow() -> None:
    """Is an error at once."""
    with pytest.raises(ValueError, match="needs a gateway"):
        connect([])
    with pytest.raises(ValueError, match="needs a transport"):
        connect("http://h", transports=[])


def test_wishes_that_are_none() -> None:
    """Are refused at once: an unknown transport, and one word where several may stand."""
    with pytest.raises(ValueError, match="'carrier' is no transport; websocket, events, poll are"):
        connect("http://h", transports=["poll", "carrier"])
    wishes: list[dict[str, Any]] = [{"transports": "poll"}, {"statuses": "dirty"}, {"names": "lab-*"}]
    for wish in wishes:
        with pytest.raises(ValueError, match="is a list of words"):
            connect("http://h", **wish)


def test_what_is_asked() -> None:
    """By each transport: the channel, the part, and where the client stands."""
    plain = Options(["https://h"], "audit")
    part = Options(["http://h"], None, "secret", statuses=["dirty", "extra"], names=["a-*", "b&c"])

    assert plain.websocket_url("https://h", AT) == "wss://h/ws?channel=audit&epoch=1b65fea20ca22296&offset=4"
    assert plain.events_url("https://h") == "https://h/events?channel=audit"
    assert plain.poll_url("https://h", None, "", 0.0) == "https://h/audit?channel=audit&since=&wait=0"
    assert part.websocket_url("http://h", None) == "ws://h/ws?status=dirty,extra&name=a-*,b%26c"
    assert part.poll_url("http://h", AT, "1a2b3c4d", 30.0) == (
        "http://h/audit?since=1b65fea20ca22296:4&wait=30&told=1a2b3c4d&status=dirty,extra&name=a-*,b%26c"
    )
    assert part.headers == {"Authorization": "Bearer secret"}
    assert "secret" not in repr(part)
