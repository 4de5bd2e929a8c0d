"""Who may connect, and who is an admin. The peer's address is never trusted: a proxy makes everyone loopback."""

import re
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import HTTPException
from reportcast.service.http import OPERATIONAL_PATHS
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket


def is_allowed_origin(origin: str | None, host: str | None, allowed: tuple[str, ...]) -> bool:
    """
    Tell whether a page may use this gateway.

    Args:
        origin: The ``Origin`` header; absent for what is no browser.
        host: The ``Host`` header; a page of the same host and port is always allowed.
        allowed: Further origins.
    """
    if origin is None or origin in allowed:
        return True
    try:
        netloc = urlsplit(origin).netloc
        return netloc != "" and host is not None and netloc.lower() == host.lower()
    except ValueError:
        return False


def is_allowed_host(host: str, allowed: tuple[str, ...]) -> bool:
    """
    Tell whether requests for this name are served.

    Args:
        host: The ``Host`` header.
        allowed: Lower-case names; ``*.example`` stands for every name below ``example``. Empty allows all.
    """
    name = re.sub(r":\d*$", "", host.lower())
    return not allowed or any(name == each or (each[0] == "*" and name.endswith(each[1:])) for each in allowed)


class AllowedHosts:
    """
    Middleware that serves known hosts alone, against DNS rebinding.

    The operational endpoints are for every host: what probes and scrapes know is an address.
    """

    def __init__(self, app: ASGIApp, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        if scope["path"] in OPERATIONAL_PATHS or is_allowed_host(host, self._allowed):
            await self._app(scope, receive, send)
        else:
            refusal = JSONResponse(
                {"error": "this host is not served here; set GATEWAY_ALLOWED_HOSTS to allow it"}, 403
            )
            await _refuse(refusal, scope, receive, send)


# What takes the read token, with all below; the page and what operators ask are for everybody.
READING = ("/ws", "/events", "/audit", "/api")


def token_of(arrival: HTTPConnection) -> str | None:
    """Give the token that a client shows: in a header or, where a browser cannot set one, in the address (RFC 6750)."""
    scheme, _, given = arrival.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else arrival.query_params.get("access_token")


class Authorized:
    """
    Middleware through which whatever is read passes, by every transport: it asks whether the client may.

    Args:
        app: What is protected.
        may_read: Asked for every request but those for the page and of operators.
    """

    def __init__(self, app: ASGIApp, may_read: Callable[[HTTPConnection], Awaitable[bool]]) -> None:
        self._app = app
        self._may_read = may_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_read = any(path == each or path.startswith(f"{each}/") for each in READING)
        if not is_read or await self._may_read(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        else:
            sentence = (
                "the read token is missing or wrong; send Authorization: Bearer <token>, or ?access_token=<token>"
            )
            refusal = JSONResponse({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})
            await _refuse(refusal, scope, receive, send)


async def _refuse(refusal: JSONResponse, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":  # before the upgrade
        await WebSocket(scope, receive, send).send_denial_response(refusal)
    else:
        await refusal(scope, receive, send)


def is_token(given: str, token: str | None) -> bool:
    """Compare what a client shows with a token, which may not be set."""
    # Bytes, because compare_digest refuses text that is not ASCII.
    return token is not None and secrets.compare_digest(given.encode(), token.encode())


def require_admin(token: str | None, authorization: str | None) -> None:
    """
    Let an admin pass.

    Args:
        token: The configured one.
        authorization: The ``Authorization`` header.

    Raises:
        HTTPException: 403 if no token is configured, 401 if it is not the one given.
    """
    if token is None:
        raise HTTPException(403, "admin endpoints are off; set GATEWAY_ADMIN_TOKEN to use them")
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not is_token(given.strip(), token):
        raise HTTPException(
            401,
            "the admin token is missing or wrong; send Authorization: Bearer <token>",
            {"WWW-Authenticate": "Bearer"},
        )
