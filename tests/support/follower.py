"""
The Python client, following a report on whichever gateway answers, and a journal of all that it is told.

Source: docs/protocol.md, Version 1.
"""

import random
from collections.abc import Sequence

from reportcast.contracts.position import Position
from reportcast_client import Interruption, Report, Timing, Transport
from reportcast_client import frames as v1
from reportcast_client.engine import Engine
from reportcast_client.frames import Frame
from reportcast_client.options import Options
from reportcast_client.reducer import Outcome, State, Step

from tests.support.journal import Adopted, Delta, Event, Following, Opened, Skipped
from tests.support.wire import CHANNEL, change_of

# Quicker than a client should be: the suite has no time. A gateway that is frozen takes connections, as its kernel does
# it, and answers none.
TIMING = Timing(base_s=0.1, cap_s=1.0, stable_s=0.0, open_s=2.0)


class Follower:
    """
    One client.

    Attributes:
        change: Number of the change that made what it shows now.
        journal: All that happened, in order.

    Args:
        gateways: Their addresses, ``host:port``; after each connection it is the next one's turn.
        number: Of the client; it says with which gateway it begins, whether it takes compression, and whether it
            follows by WebSocket or by event stream. Nobody polls: who is sent away then comes back in whole seconds.
        chance: For its waits.
    """

    def __init__(self, gateways: Sequence[str], number: int, chance: random.Random) -> None:
        self.change = 0
        self.journal: list[Event] = []
        first = number % len(gateways)
        options = Options(
            urls=[f"http://{gateway}" for gateway in (*gateways[first:], *gateways[:first])],
            channel=CHANNEL,
            transports=[(Transport.WEBSOCKET, Transport.EVENTS)[number // (2 * len(gateways)) % 2]],
            compression=number // len(gateways) % 2 == 1,
            proxy=False,
            timing=TIMING,
        )
        self._engine = Engine(options, self, State(CHANNEL), chance)
        self._asked: Position | None = None

    @property
    def held(self) -> Report | None:
        """What it shows now; ``None`` before the first report."""
        return self._engine.state.report

    @property
    def position(self) -> Position | None:
        """Where it stands."""
        return self.held.position if self.held else None

    async def run(self) -> None:
        """Follow, for ever."""
        raise AssertionError(f"the client gave up: {await self._engine.run()}")

    def opened(self, transport: Transport, url: str) -> None:
        """See ``Observer``."""
        self.journal.append(Opened())
        self._asked = self._engine.state.resume_from

    def stepped(self, frame: Frame, text: bytes, before: State, step: Step) -> None:
        """See ``Observer``."""
        match frame:
            case v1.Following():
                self.journal.append(Following(self._asked, frame.position, frame.recovered))
            case v1.Snapshot():
                self.journal.append(Adopted(frame.position, frame.digest, step.found or ""))
            case v1.Delta():
                self.journal.append(Delta(frame.position, frame.base, frame.digest, step.found))
            case v1.Skipped():
                self.journal.append(Skipped(frame.last))
            case v1.Refusal():
                raise AssertionError(f"the gateway answered {frame.code}: {frame.message}")
        if step.outcome is Outcome.ASK:
            self._asked = step.state.resume_from
        elif step.outcome in (Outcome.ADOPTED, Outcome.APPLIED) and step.state.report:
            self.change = change_of(step.state.report.body)

    def interrupted(self, transport: Transport, url: str, why: Interruption, retry_in_s: float) -> None:
        """See ``Observer``."""
