"""A report as a client has it. Pure."""

import dataclasses
import datetime
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from reportcast.contracts.messages import Finding
from reportcast.contracts.position import Position


@dataclasses.dataclass(frozen=True)
class Report:
    """
    A report, proved to be what its digest says.

    Attributes:
        channel: Which.
        position: Where it stands in its stream.
        name: Its name in the history.
        digest: SHA-256 of ``body``, hexadecimal.
        published_at: When the watcher handed it over; aware.
        modified_at: Modification time of its file; aware.
        findings: What is odd about it, though it is valid.
        body: JSON as it was published, in UTF-8; of a part of it, if a part was asked for.
        hops_ms: How long each hop took from the file to the gateway, in milliseconds; empty where it is not known.
    """

    channel: str
    position: Position
    name: str
    digest: str
    published_at: datetime.datetime
    modified_at: datetime.datetime
    findings: Sequence[Finding]
    body: bytes = dataclasses.field(repr=False)
    hops_ms: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def data(self) -> Any:
        """
        What ``body`` says: parsed when it is first asked for, the same object for all who ask.

        The standard library's parser takes all that browsers take (escaped lone surrogates, any size of integer).
        """
        return json.loads(self.body)
