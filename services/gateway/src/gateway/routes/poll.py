"""``GET /audit?since=``: what is new, as soon as there is something. Source: docs/protocol.md, Polling."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException
from reportcast.contracts.body import Encoding
from reportcast.contracts.channels import is_audit
from reportcast.contracts.v1_requests import V1Error, filter_of, position_of
from reportcast.service.uvicorn_parts import HOLD, Hold
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.audience import ReportAudience
from gateway.audiences import FilterRefused
from gateway.door import Door, Refused
from gateway.encoding import acceptable
from gateway.feed import Feed, Feeds
from gateway.poll import Poll, Promise

# Proxies end a request without an answer after 60 s.
MAX_WAIT_S = 55.0
# Gateways may differ in how the channel fares: who comes with the word of another is not answered without a pause.
STATUS_S = 1.0
BUSY = {"Retry-After": "5"}


async def poll(feeds: Feeds, request: Request) -> Response:
    """Answer, or wait."""
    door = Door(feeds)
    check = functools.cache(functools.partial(door.check, request))
    try:
        feed = door.feed(request.query_params.get("channel"))
        wait_s = _wait_s(request)
        one = _poll_of(door, feed, request, check)
        if not one.is_at_hand:
            check()
        body = one.news
        if body is not None and (one.is_behind or not wait_s):
            content = await feed.compressor.encoded(body, one.encoding_of(body))
            return Response(content, headers=dict(one.headers_of(body)))
        if request.method == "HEAD" or not (wait_s or one.is_being_made):
            return Response(status_code=204, headers=dict(one.headers_of(None)))
        check()
        door.enter(request)
        wait_s = wait_s if body is None else min(wait_s, STATUS_S)
    except Refused as refused:
        door.count(refused, request)
        return JSONResponse({"error": refused.sentence}, refused.status, refused.headers)
    return await _wait_in_a_task(one, wait_s, request.receive) if "origin" in request.headers else _Held(one, wait_s)


def _poll_of(door: Door, feed: Feed, request: Request, check: Callable[[], None]) -> Poll:
    query, accepts = request.query_params, ", ".join(request.headers.getlist("accept-encoding")) or None
    if not acceptable(accepts, 1):
        raise HTTPException(406, f"every encoding was refused; there are {', '.join(Encoding)}")
    try:
        position = position_of(query["since"])
        audience = _audience(feed, query.multi_items(), check)
    except V1Error as error:
        raise HTTPException(400, error.sentence) from error
    except FilterRefused as error:
        raise HTTPException(503, str(error), BUSY) from error
    peer = door.peer(request, feed)
    return Poll(feed, audience, peer, position, query.get("told"), accepts)


def _audience(feed: Feed, query: list[tuple[str, str]], check: Callable[[], None]) -> ReportAudience:
    which = filter_of(query)
    if which and not is_audit(feed.channel):
        raise HTTPException(400, "only audit reports can be filtered")
    if not feed.audiences.has(which):
        check()
    return feed.audiences.of(which)


def _wait_s(request: Request) -> float:
    try:
        wait_s = float(request.query_params.get("wait", "0"))
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise HTTPException(400, f"wait is a number of seconds; 0 to {MAX_WAIT_S:g} are allowed")
    return wait_s


class _Held(Response):
    """An answer that is given later, without a task that waits for it."""

    def __init__(self, one: Poll, wait_s: float) -> None:
        super().__init__()
        self._poll = one
        self._wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave the request to the poll."""
        hold: Hold | None = scope["extensions"].get(HOLD)  # none of a client that has gone
        held = hold(self._poll.forget) if hold else None
        if held is not None:
            self._poll.wait(held, self._wait_s)
        else:
            response = await _wait_in_a_task(self._poll, self._wait_s, receive)
            await response(scope, receive, send)


async def _wait_in_a_task(one: Poll, wait_s: float, receive: Receive) -> Response:
    """Wait as everybody does: for an answer that middleware adds to, as it does for a page of another origin."""
    promise = Promise()
    one.wait(promise, wait_s)
    try:
        async with asyncio.TaskGroup() as tasks:
            gone = tasks.create_task(_gone(receive))
            first: set[asyncio.Future[Any]] = {promise.response, gone}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
        return promise.response.result() if promise.response.done() else Response(status_code=204)  # to nobody
    finally:
        one.leave()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the request's body
