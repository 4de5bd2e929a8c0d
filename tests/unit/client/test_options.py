"""Where requests go."""

import datetime
from typing import Any

import pytest
from reportcast.contracts.position import Position
from reportcast_client import Report, connect
from reportcast_client.options import Options, url_of
from reportcast_client.secrets import without_secrets

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


@pytest.mark.parametrize(
    "given",
    [
        "",
        "h:1",
        "ftp://h",
        "http://",
        "/ws",
        "http://a..b",
        f"http://{'a' * 64}/",
        "http://h:x",
        "http://[h",
        "http://h/?channel=audit",
        "http://h/#x",
    ],
)
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
    wishes = [{"statuses": [""]}, {"names": ["a,b"]}, {"names": ["a", ""]}]
    for wish in wishes:
        with pytest.raises(ValueError, match="a word that is not empty and has no comma"):
            connect("http://h", **wish)


@pytest.mark.parametrize("token", ["open-sesame\n", "ouvre-toi-sésame", "open sesame"])
def test_a_token_that_no_header_carries(token: str) -> None:
    """Is refused at once, and never shown."""
    with pytest.raises(ValueError, match="no header carries") as raised:
        connect("http://h", token=token)

    assert token.strip() not in str(raised.value)


def test_a_kept_report() -> None:
    """Says which channel it is of; to follow another one with it is an error."""
    now = datetime.datetime.now(datetime.UTC)
    kept = Report("dns", AT, "n", "d", now, now, (), b"{}")

    with pytest.raises(ValueError, match="is of 'dns'; to be followed is 'audit'"):
        connect("http://h", "audit", report=kept)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h:1/reports", "http://h:1/reports"),
        ("http://user:pw@h:1/", "http://…@h:1/"),
        ("ws://user:p@w@h/ws?channel=a", "ws://…@h/ws?channel=a"),
        ("https://h/audit?access_token=abc&channel=dns&key=x", "https://h/audit?access_token=…&channel=dns&key=…"),
        ("http://a:b@h and http://c@d: no", "http://…@h and http://…@d: no"),
        ("http://h/a@b", "http://h/a@b"),
    ],
)
def test_what_nobody_should_read(text: str, shown: str) -> None:
    """Is not told with an address."""
    assert without_secrets(text) == shown


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
