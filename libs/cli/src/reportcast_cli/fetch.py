"""What a gateway answers over HTTP."""

import asyncio
import dataclasses
import os
import socket
import ssl
import zlib
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
from reportcast_client import ClientError, TooLarge
from reportcast_client.http import body_of

from reportcast_cli.exits import Trouble
from reportcast_cli.printable import printable

# Nothing may come for so long,
TIMEOUT_S = 10.0
# and all has to come within this, however slowly.
DEADLINE_S = 60.0
# Four times what a watcher reads by default, so that nobody's disk or memory is filled by an address.
MAX_BYTES = 64 * 1024 * 1024
ADMISSION_HINT = "--token or REPORTCAST_TOKEN gives it"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came: status, body (decoded), and headers by their names in lower case."""

    status: int
    body: bytes
    headers: httpx.Headers


def gateway_url(address: str) -> str:
    """
    Give the address of a gateway, with a slash at its end.

    Args:
        address: As a person writes it: ``host:8080``, ``http://host:8080/``, ``ws://host:8080/ws``.

    Raises:
        Trouble: If it is none.
    """
    text = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(text)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        is_usable = scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.query or parts.fragment:
        raise Trouble(f"{printable(address)!r} is no address of a gateway; expected http://host:port/")
    return urlunsplit((scheme, parts.netloc, parts.path.removesuffix("/ws").rstrip("/") + "/", "", ""))


# What a request may end with: also an address or a proxy's setting that a library cannot use, or lacks something for.
FAILURES = (httpx.HTTPError, httpx.InvalidURL, ClientError, zlib.error, OSError, ValueError, ImportError)
_ENCODING = "gzip"


def fetch(url: str, token: str | None = None, within_s: float = DEADLINE_S, **parameters: str | None) -> Answer:
    """
    Get what is at an address.

    Args:
        url: With its query, if ``parameters`` has none.
        token: Opens what is not for everybody.
        within_s: All of it has to come.
        parameters: Of the query; ``None`` is left out.

    Raises:
        Trouble: If nobody answers, or too much, or too slowly.
    """
    query = {name: value for name, value in parameters.items() if value is not None}

    async def ask() -> Answer:
        async with asyncio.timeout(within_s), client(token) as http:
            return await answer_of(http, "GET", url, query)

    try:
        return asyncio.run(ask())
    except TooLarge as exc:
        raise Trouble(f"{printable(url)} sends more than {MAX_BYTES} bytes; that many are read") from exc
    except FAILURES as exc:
        raise Trouble(f"{printable(url)} does not answer: {reason_of(exc, within_s)}") from exc


def client(token: str | None) -> httpx.AsyncClient:
    """Give a client whose answers ``answer_of`` can read."""
    admission = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(headers={"Accept-Encoding": _ENCODING, **admission}, timeout=TIMEOUT_S)


async def answer_of(http: httpx.AsyncClient, method: str, url: str, query: dict[str, str] | None = None) -> Answer:
    """Ask, and read no more of the answer than is allowed; raises one of ``FAILURES``."""
    async with http.stream(method, url, params=query or None) as response:
        body = await body_of(response, MAX_BYTES, _ENCODING, lambda: None)
        return Answer(response.status_code, body, response.headers)


def fetch_json(
    url: str, token: str | None = None, within_s: float = DEADLINE_S, **parameters: str | None
) -> dict[str, Any]:
    """
    Get the object that a gateway answers with.

    Raises:
        Trouble: If it refuses, or is no gateway.
    """
    answer = fetch(url, token, within_s, **parameters)
    told = _object(answer.body)
    if answer.status != 200:
        raise Trouble(f"{printable(url)} answers {answer.status}: {refusal_of(answer)}")
    if told is None:
        raise Trouble(f"{printable(url)} answers with something else than JSON; is a Reportcast gateway there?")
    return told


def refusal_of(answer: Answer, hint: str = ADMISSION_HINT) -> str:
    """Give the sentence with which a request was refused."""
    told = (_object(answer.body) or {}).get("error")
    if not isinstance(told, str):
        return "and does not say why; is a Reportcast gateway there?"
    return f"{printable(told, 300)}; {hint}" if answer.status == 401 else printable(told, 300)


def reason_of(exc: BaseException, within_s: float = DEADLINE_S) -> str:
    """Give what the operating system says, which libraries hide below their own words."""
    inner: BaseException | None = exc
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror and not isinstance(inner, TimeoutError):
            has_own_words = isinstance(inner, socket.gaierror | ssl.SSLError) or not inner.errno
            return inner.strerror if has_own_words else os.strerror(inner.errno or 0)
        inner = inner.exceptions[0] if isinstance(inner, BaseExceptionGroup) else inner.__cause__ or inner.__context__
    if isinstance(exc, httpx.TimeoutException):
        return f"nothing came within {TIMEOUT_S:g} s"
    if isinstance(exc, TimeoutError):
        return f"not all came within {within_s:.0f} s"
    return printable(str(exc) or type(exc).__name__, 200)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
