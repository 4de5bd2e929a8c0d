"""What connections cost: those that are idle, and those that do not read. Pure."""

import dataclasses
import math
from typing import Any

# A server that holds nothing for those that do not read still breathes.
FLAT_MIB = 8.0


@dataclasses.dataclass(frozen=True, slots=True)
class Idle:
    """
    Connections that nothing is sent to.

    Attributes:
        offers_deflate: Whether the clients offer compression.
        agrees: Whether the server takes it.
        resident_bytes: By which the server's resident memory grew, for each.
        proportional_bytes: The same, with what processes share counted once.
        handshake_us: CPU time of the server to accept one.
    """

    peer: str
    clients: int
    offers_deflate: bool
    agrees: bool
    resident_bytes: float
    proportional_bytes: float
    handshake_us: float

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return rounded(dataclasses.asdict(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Stalled:
    """
    A broadcast of large events where some do not read.

    Attributes:
        clients: That read.
        stalled: That do not.
        events: Published meanwhile.
        is_complete: Whether the others got them; if not, they stopped the broadcast.
        without_p99_ms: Over all receipts, from publishing, before they came.
        with_p99_ms: The same with them, of those that read.
        before_mib: The server's resident memory before.
        after_mib: And afterwards.
        faults: 1 if the others did not get every event, in order, exactly once.
    """

    peer: str
    clients: int
    stalled: int
    events: int
    is_complete: bool
    without_p99_ms: float
    with_p99_ms: float
    before_mib: float
    after_mib: float
    faults: int

    @property
    def is_flat(self) -> bool:
        """Whether the server's memory does not grow for those that do not read."""
        return self.after_mib - self.before_mib <= FLAT_MIB

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return rounded(dataclasses.asdict(self))


def rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Round what is not whole to 3 digits after the point; what is no number becomes ``None``."""
    return {name: _rounded(value) for name, value in fields.items()}


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 3)
