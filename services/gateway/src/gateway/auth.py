"""Who may connect, and who is an admin. The peer's address is never trusted: a proxy makes everyone loopback."""

import secrets
from urllib.parse import urlsplit

from fastapi import HTTPException


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
    # Bytes, because compare_digest refuses text that is not ASCII.
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
        raise HTTPException(
            401,
            "the admin token is missing or wrong; send Authorization: Bearer <token>",
            {"WWW-Authenticate": "Bearer"},
        )
