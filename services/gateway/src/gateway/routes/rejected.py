"""``/audit/rejected``: the contents that were refused, for admins: they may hold anything. Source: docs/protocol.md."""

from typing import Any

from fastapi import APIRouter, HTTPException
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.messages import Rejection
from starlette.responses import JSONResponse, Response

from gateway.routes.channel import ONLY_ADMIN, ChosenFeed

NO_STORE = {"Cache-Control": "no-store"}
# Whatever the bytes are, a browser saves them and shows nothing of them.
ATTACHMENT = {**NO_STORE, "Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}

rejected_router = APIRouter(prefix="/audit/rejected", dependencies=[ONLY_ADMIN])


@rejected_router.get("")
async def rejections(feed: ChosenFeed) -> Response:
    """List what is known of them, newest first."""
    kept = await feed.broker.rejections(feed.channel)
    return JSONResponse([_fields(rejection) for rejection in kept], headers=NO_STORE)


@rejected_router.get("/{rejection_id}")
async def rejected(feed: ChosenFeed, rejection_id: str) -> Response:
    """Give the bytes of one."""
    content = await feed.broker.rejected_content(feed.channel, rejection_id)
    if content is None:
        sentence = "no refused content of that id is kept; /audit/rejected lists those that are"
        raise HTTPException(404, sentence, NO_STORE)
    return Response(content, media_type="application/octet-stream", headers=ATTACHMENT)


def _fields(rejection: Rejection) -> dict[str, Any]:
    return {
        "id": rejection.id,
        "rejectedAt": iso_utc(rejection.rejected_at),
        "file": rejection.file,
        "reason": rejection.reason,
        "message": rejection.message,
        "line": rejection.line,
        "column": rejection.column,
        "size": rejection.size,
        "digest": rejection.digest,
        "diff": rejection.diff,
    }
