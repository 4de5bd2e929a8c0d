"""What a gateway answers over HTTP."""

import dataclasses
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from reportcast_cli.exits import Trouble
from reportcast_cli.terminal import printable

TIMEOUT_S = 10.0
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


def fetch(url: str, token: str | None = None, **parameters: str | None) -> Answer:
    """
    Get what is at an address.

    Args:
        url: With its query, if ``parameters`` has none.
        token: Opens what is not for everybody.
        parameters: Of the query; ``None`` is left out.

    Raises:
        Trouble: If nobody answers, or too much.
    """
    query = {name: value for name, value in parameters.items() if value is not None}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.stream("GET", url, params=query or None, headers=headers, timeout=TIMEOUT_S) as response:
            return Answer(response.status_code, _bounded(url, response), response.headers)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise Trouble(f"{printable(url)} does not answer: {reason_of(exc)}") from exc


def fetch_json(url: str, token: str | None = None, **parameters: str | None) -> dict[str, Any]:
    """
    Get the object that a gateway answers with.

    Raises:
        Trouble: If it refuses, or is no gateway.
    """
    answer = fetch(url, token, **parameters)
    told = _object(answer.body)
    if answer.status != 200:
        raise Trouble(f"{printable(url)} answers {answer.status}: {refusal_of(answer)}")
    if told is None:
        raise Trouble(f"{printable(url)} answers with something else than JSON; is a Reportcast gateway there?")
    return told


def refusal_of(answer: Answer) -> str:
    """Give the sentence with which a request was refused."""
    told = (_object(answer.body) or {}).get("error")
    if not isinstance(told, str):
        return "and does not say why; is a Reportcast gateway there?"
    return f"{printable(told, 300)}; {ADMISSION_HINT}" if answer.status == 401 else printable(told, 300)


def reason_of(exc: BaseException) -> str:
    """Give what the operating system says, which libraries hide below their own words."""
    inner: BaseException | None = exc
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror and not isinstance(inner, TimeoutError):
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    if isinstance(exc, httpx.TimeoutException | TimeoutError):
        return f"nothing came within {TIMEOUT_S:g} s"
    return printable(str(exc) or type(exc).__name__, 200)


def _bounded(url: str, response: httpx.Response) -> bytes:
    chunks, room = [], MAX_BYTES
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        room -= len(chunk)
        if room < 0:
            raise Trouble(f"{printable(url)} sends more than {MAX_BYTES} bytes; that many are read")
    return b"".join(chunks)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
