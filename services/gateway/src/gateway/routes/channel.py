"""Which channel a request is for. Its name is a key into the served ones, and nothing else."""

from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.requests import Request

from gateway.auth import require_admin
from gateway.colleagues import Colleagues
from gateway.feed import Feed, Feeds


# What a request depends on is a coroutine function: the framework runs any other in a thread.
async def feeds_of(request: Request) -> Feeds:
    """Give all that this process serves."""
    feeds: Feeds = request.app.state.feeds
    return feeds


AllFeeds = Annotated[Feeds, Depends(feeds_of)]


async def colleagues_of(request: Request) -> Colleagues:
    """Give the workers of this gateway, this one among them."""
    colleagues: Colleagues = request.app.state.colleagues
    return colleagues


AllWorkers = Annotated[Colleagues, Depends(colleagues_of)]


async def feed_of(feeds: AllFeeds, channel: str | None = None) -> Feed:
    """
    Give the feed of ``?channel=``, the first one without it.

    Raises:
        HTTPException: 404 if it is not served.
    """
    feed = feeds.get(channel)
    if feed is None:
        raise HTTPException(404, feeds.not_served)
    return feed


ChosenFeed = Annotated[Feed, Depends(feed_of)]


async def only_admin(feeds: AllFeeds, request: Request) -> None:
    """Let an admin pass; see ``require_admin``."""
    require_admin(feeds.first.settings.gateway_admin_token, request.headers.get("authorization"))


# For the ``dependencies`` of a route or a router: asked before anything else of it.
ONLY_ADMIN = Depends(only_admin)
