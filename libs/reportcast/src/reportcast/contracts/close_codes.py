"""
Codes with which a gateway ends a WebSocket.

Source: docs/operations.md, Close codes.
"""

import enum


class CloseCode(enum.IntEnum):
    """Why a connection ended, and so whether the client should come back."""

    PROTOCOL_ERROR = 1002
    INVALID_TEXT = 1007
    MESSAGE_TOO_BIG = 1009
    PING_TIMEOUT = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    TOO_SLOW = 4008

    @property
    def comes_back(self) -> bool:
        """Whether the same client, unchanged, should come back."""
        return comes_back(self)


# For who comes back unchanged, it would end the same way.
_FOR_GOOD = (1002, 1003, 1007, 1008, 1009, 1010)


def comes_back(code: int) -> bool:
    """Tell whether a client whose connection ended with ``code``, ours or another's, should come back unchanged."""
    return code not in _FOR_GOOD and (code < 3500 or 4000 <= code < 4500)


# Never sent: what a connection is said to have ended with when nobody said anything (RFC 6455, 7.4.1).
NO_CODE = 1005
ABNORMAL = 1006
