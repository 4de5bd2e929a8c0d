"""
The page, with a policy that lets nothing in from elsewhere: report contents are untrusted.

Source: docs/protocol.md, The page.
"""

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote

from reportcast.contracts.body import Encoding
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from gateway.compressor import Compressor
from gateway.encoding import acceptable
from gateway.etag import etag_of, known_etag
from gateway.page_files import PageFile, PageFiles, page_files

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
NOT_BUILT = "the page was not built with this gateway; `make setup` builds it. The report is at /audit"
FOREVER = "public, max-age=31536000, immutable"

# Each is a place of the page, which finds by the address which one.
PLACES = ("", "index.html", "repositories", "timeline", "latency", "clients")
# What has an address of its own below /audit; a repository of that name is meant where ?action=view says so.
_NO_REPOSITORIES = ("history", "rejected")
_BELOW_AUDIT = re.compile(rb"/audit/([^/]+)")


class Page:
    """The page and its files: an application that is mounted below all else."""

    def __init__(self, compressor: Compressor, files: PageFiles | None = None) -> None:
        self._compressor = compressor
        self.files = page_files() if files is None else files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # at an address that is none of ours: refused with 403
            await WebSocketClose()(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = scope["path"].removeprefix("/")
        if name not in PLACES:
            response = await self._file(self.files.by_name.get(name), Headers(scope=scope))
        else:
            response = await self.index(self.files.index, Headers(scope=scope))
        await response(scope, receive, send)

    async def index(self, index: PageFile | None, headers: Headers) -> Response:
        """Give one of the documents, or say that there is none."""
        if index is None:
            return JSONResponse({"error": NOT_BUILT}, 503, HEADERS)
        return await self._file(index, headers)

    async def _file(self, file: PageFile | None, headers: Headers) -> Response:
        if file is None:
            raise HTTPException(404)
        encodings = acceptable(", ".join(headers.getlist("accept-encoding")) or None, len(file.body.raw))
        known = known_etag(headers.get("if-none-match"), file.digest, encodings or tuple(Encoding))
        more = HEADERS | {
            "Cache-Control": FOREVER if file.is_hashed else "no-cache",
            "ETag": known or etag_of(file.digest, _first(encodings)),
            "Vary": "Accept-Encoding",
        }
        if known:
            return Response(status_code=304, headers=more)
        content = await self._compressor.encoded(file.body, _first(encodings))
        coding = {} if _first(encodings) is Encoding.IDENTITY else {"Content-Encoding": _first(encodings).value}
        return Response(content, headers=more | coding, media_type=file.media_type)


class DeepLinks:
    """
    Middleware that gives the page to browsers which follow a report's links to its repositories.

    It comes before who asks for the read token: the page is for everybody, and what it shows is asked for by it.
    """

    def __init__(self, app: ASGIApp, page: Page) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_deep_link(scope):
            response = await self._page.index(self._page.files.index_below, Headers(scope=scope))
            response.headers.add_vary_header("Accept")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def is_deep_link(scope: Scope) -> bool:
    """Tell whether a browser's window asks for a repository, ``/audit/<name>?action=view``."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    # As it was sent: a name may have an encoded slash, which is no folder to a browser.
    found = _BELOW_AUDIT.fullmatch(scope["raw_path"])
    if found is None or "text/html" not in Headers(scope=scope).get("accept", ""):
        return False
    is_view = parse_qs(scope["query_string"].decode("latin-1")).get("action") == ["view"]
    return is_view or unquote(found[1].decode("latin-1")) not in _NO_REPOSITORIES


def _first(encodings: Sequence[Encoding]) -> Encoding:
    """Give the best; a page that cannot be had encoded as wanted is better than none."""
    return encodings[0] if encodings else Encoding.IDENTITY
