"""The page at ``/``, with a policy that lets nothing in from elsewhere: report contents are untrusted."""

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Page(StaticFiles):
    """The page's files, ``index.html`` at ``/``."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent.parent / "page", html=True)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Add the policy to every file."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response
