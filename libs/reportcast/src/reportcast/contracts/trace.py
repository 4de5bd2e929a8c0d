"""
When a change came by, in the watcher: what travels in a message's header, so that a gateway can tell where time goes.

Source: docs/protocol.md, Latency.
"""

from typing import Annotated

import msgspec

# What comes from elsewhere may be any number; times are reckoned with, and told as fractions.
Microseconds = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


class Skew(msgspec.Struct, frozen=True):
    """
    How a host's clock stands to the broker's, as far as that can be measured.

    Attributes:
        offset_us: What has to be added to the host's time, in µs.
        uncertainty_us: By how much that may be wrong, either way.
    """

    offset_us: Microseconds
    uncertainty_us: Microseconds


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    The stations of a change that a watcher saw happen; each in µs since 1970, by the watcher's clock.

    Attributes:
        modified_us: Modification time of the file.
        detected_us: When the look began that first found the file so.
        settled_us: When it was decided that the file is whole and to be published.
        published_us: When it was handed to the broker.
        skew: Of the watcher's clock; ``None`` if it could not be measured yet.
    """

    modified_us: Microseconds
    detected_us: Microseconds
    settled_us: Microseconds
    published_us: Microseconds
    skew: Skew | None = None

    @property
    def hops_us(self) -> dict[str, int]:
        """Where the time went in the watcher, in order."""
        return {
            "detect": self.detected_us - self.modified_us,
            "settle": self.settled_us - self.detected_us,
            "publish": self.published_us - self.settled_us,
        }


def in_ms(time_us: int) -> float:
    """Give a span as it is told, in ms; exact to the µs."""
    return time_us / 1000
