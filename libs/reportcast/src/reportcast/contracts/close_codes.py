"""
Codes with which a gateway ends a WebSocket.

Source: docs/operations.md, Close codes.
"""

import enum


class CloseCode(enum.IntEnum):
    """Why a connection ended, and so whether the client should come back."""

    MESSAGE_TOO_BIG = 1009
    PING_TIMEOUT = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
