"""What uvicorn_parts takes for granted of uvicorn and websockets, attribute by attribute."""

import importlib.metadata
import inspect

import httptools
import pytest
import uvicorn
from reportcast.service.uvicorn_parts import HttpProtocol, Server, WebSocketProtocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol

from tests.support.uvicorn_server import APP, serving


def test_the_minor_version_is_the_pinned_one() -> None:
    """Another one has to be looked at first."""
    assert importlib.metadata.version("uvicorn").split(".")[:2] == ["0", "54"]


@pytest.mark.parametrize(
    ("ours", "base", "names"),
    [
        (Server, uvicorn.Server, "serve main_loop shutdown capture_signals"),
        (
            HttpProtocol,
            HttpToolsProtocol,
            "connection_made connection_lost data_received on_message_begin on_headers_complete on_body "
            "on_message_complete handle_websocket_upgrade",
        ),
        (WebSocketProtocol, WebSocketsSansIOProtocol, "handle_connect send"),
    ],
)
def test_what_is_overridden_is_there(ours: type, base: type, names: str) -> None:
    """With the same parameters; nothing new goes by a name of uvicorn's."""
    public = {name for name in vars(ours) if not name.startswith("_")}
    for name in names.split():
        mine, theirs = inspect.signature(getattr(ours, name)), inspect.signature(getattr(base, name))
        assert list(mine.parameters) == list(theirs.parameters)

    assert {name for name in public if hasattr(base, name)} == set(names.split())
    assert not [
        name
        for name in ("_arrivals", "_head_bytes", "_exchange", "_cut", "_hand_off", "_hold", "_let_go", "_on_lost")
        if hasattr(base, name)
    ]


async def test_the_attributes_that_are_used_are_there() -> None:
    """Of each class, as it is before anything happens."""
    async with serving(APP) as it:
        config, state = it.server.config, it.server.server_state
        http = HttpProtocol(it.arrivals, config=config, server_state=state, app_state={})
        followed = WebSocketProtocol(config=config, server_state=state, app_state={})

        assert len(it.server.servers) == 1
        assert inspect.iscoroutinefunction(it.server.on_tick)
        assert isinstance(http.parser, httptools.HttpRequestParser)
        assert [http.cycle, len(http.pipeline), http.transport] == list[object]([None, 0, None])
        assert isinstance(followed.conn, ServerProtocol)
        assert followed.queue.empty()
        assert followed.connections is http.connections is state.connections
        assert [followed.transport, followed.close_sent, followed.handshake_complete] == list[object](
            [None, False, False]
        )
        (deflate,) = followed.conn.available_extensions or []
        assert isinstance(deflate, ServerPerMessageDeflateFactory)
        assert followed.conn.extensions == []
        followed.stop_keepalive()
    names = inspect.signature(RequestResponseCycle).parameters.keys() | RequestResponseCycle.__init__.__code__.co_names
    assert {"more_body", "response_started", "response_complete", "disconnected"} <= set(names)
