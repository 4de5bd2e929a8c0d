"""What of an address, and of a token, nobody should read. Pure."""

import re

# What stands in addresses of ours, and is no secret.
_PUBLIC = "channel|status|name|epoch|offset|since|wait|told"
_USER = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*@")
_VALUE = re.compile(rf"([?&](?!(?:{_PUBLIC})=)[^=&\s]+=)[^&\s#'\"]+")
_TOKEN = re.compile(r"[!-~]*")


def without_secrets(text: str) -> str:
    """Give a text in which ``…`` stands for the user and password of addresses, and for the values in their queries."""
    return _VALUE.sub(r"\1…", _USER.sub("…@", text))


def token_of(token: str | None) -> str | None:
    """
    Give a token that a header can carry; ``None`` if there is none.

    Raises:
        ValueError: If it can be carried by none; the sentence does not show it.
    """
    if token and not _TOKEN.fullmatch(token):
        raise ValueError("the token has characters that no header carries; visible ASCII characters are expected")
    return token or None
