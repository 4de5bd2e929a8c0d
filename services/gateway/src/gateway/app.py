"""The gateway's ASGI application."""

import functools
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from reportcast import __version__
from reportcast.broker.errors import BrokerError
from reportcast.service.http import operational_routes
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth import AllowedHosts, Authorized, is_token, token_of
from gateway.colleagues import Colleagues
from gateway.feed import Feeds
from gateway.routes.audit import audit_router
from gateway.routes.events import events_route
from gateway.routes.page import DeepLinks, Page
from gateway.routes.rejected import rejected_router
from gateway.routes.status import status_router
from gateway.routes.trace import trace_router
from gateway.routes.websocket import websocket_router
from gateway.status import details

# These do not wait, or begin to stream, for who wants their head alone.
OWN_HEAD = ("/audit", "/events")


def create_app(feeds: Feeds, colleagues: Colleagues, exposition: Callable[[], Awaitable[bytes]]) -> FastAPI:
    """Make the application; the feeds' relays run beside it, and so does what answers the colleagues."""
    settings = feeds.first.settings
    # The interactive documentation pages load scripts from elsewhere; /openapi.json stays.
    app = FastAPI(title="Reportcast gateway", version=__version__, docs_url=None, redoc_url=None)
    app.state.feeds = feeds
    app.state.colleagues = colleagues
    # The first is the innermost.
    app.add_middleware(HeadAsGet)
    if feeds.probe:  # it comes in as everybody does
        app.add_middleware(feeds.probe.admit)
    if settings.gateway_read_token is not None:
        app.add_middleware(Authorized, may_read=_token_check(feeds))
    page = Page(feeds.first.compressor)
    app.add_middleware(DeepLinks, page=page)
    if settings.gateway_allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.gateway_allowed_origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Authorization", "If-None-Match"],
            expose_headers=["ETag", "Retry-After", "X-Reportcast-Stale"],
        )
    if settings.gateway_allowed_hosts:
        app.add_middleware(AllowedHosts, allowed=settings.gateway_allowed_hosts)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(BrokerError, _on_broker_error)
    for router in (websocket_router(feeds), status_router, audit_router, rejected_router, trace_router(feeds)):
        app.include_router(router)
    app.router.routes.append(events_route(feeds))
    app.router.routes.extend(operational_routes(feeds.first.health, exposition, functools.partial(details, feeds)))
    # Not mounted: that would answer for an address of ours which is asked by a method that it does not have.
    app.router.default = page
    return app


class HeadAsGet:
    """Middleware that has HEAD answered as GET, whose body the server leaves out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] not in OWN_HEAD:
            scope = {**scope, "method": "GET"}  # the server's own stays as it is
        await self._app(scope, receive, send)


def _token_check(feeds: Feeds) -> Callable[[HTTPConnection], Awaitable[bool]]:
    settings, metrics = feeds.first.settings, feeds.first.metrics

    async def may_read(arrival: HTTPConnection) -> bool:
        given = token_of(arrival)
        tokens = (settings.gateway_read_token, settings.gateway_admin_token)
        if given is not None and any(is_token(given, token) for token in tokens):
            return True
        metrics.refused.labels("token").inc()
        return False

    return may_read


async def _on_http_exception(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    # Caches may keep a 404 that says nothing of it; the next gateway may have what this one has not.
    return JSONResponse({"error": exc.detail}, exc.status_code, {"Cache-Control": "no-store", **(exc.headers or {})})


async def _on_broker_error(request: Request, exc: Exception) -> JSONResponse:
    # Where the broker is, and what it said, is for the log of the relay and not for clients.
    return JSONResponse({"error": "the broker does not answer; try again"}, 503, {"Retry-After": "5"})
