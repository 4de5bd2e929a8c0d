"""When a client that was asked to leave should come back: not at once, and not all together."""

import json
import random

RETRY_AFTER_MS = (100, 1000)


def retry_after_ms() -> int:
    """Choose when."""
    return random.randint(*RETRY_AFTER_MS)  # noqa: S311 - no secret


def retry_reason(after_ms: int) -> str:
    """Give a close frame's reason that says so. Source: docs/protocol.md, Frames."""
    return json.dumps({"retry_after_ms": after_ms}, separators=(",", ":"))
