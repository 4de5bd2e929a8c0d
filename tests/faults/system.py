"""Redis, watchers and gateways as they run in production: real processes, on spare ports of this machine."""

import dataclasses
import json
import signal
from collections.abc import Mapping
from pathlib import Path

from tests.faults.process import Process, Redis
from tests.support.commands import BIN
from tests.support.ports import HOST, free_port

LEADS = 'reportcast_watcher_leader{channel="audit"} 1.0'
GATEWAYS = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """
    How a case has its system.

    Attributes:
        redis: Arguments of the server.
        redis_port: Of the server; 0 takes a free one.
        link_port: Where the others find it, if that is another.
        url: Of servers that run already, in place of the one.
        watchers: How many.
        gateways: How many of the two run from the beginning.
        watcher: More settings of the watchers.
        gateway: More settings of the gateways.
    """

    redis: tuple[str, ...] = ("--appendonly", "yes")
    redis_port: int = 0
    link_port: int = 0
    url: str = ""
    watchers: int = 1
    gateways: int = GATEWAYS
    watcher: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gateway: Mapping[str, str] = dataclasses.field(default_factory=dict)


class System:
    """
    What runs.

    Attributes:
        report: The watched file.
        redis: The server; not started if the plan has others.
        watchers: One of them leads.
        gateways: Two.

    Args:
        folder: For all that is written.
        plan: How it is wanted.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.report = folder / "reports" / "GitRepoReport.json"
        self.report.parent.mkdir()
        self.redis = Redis(plan.redis_port or free_port(), plan.redis, folder)
        url = plan.url or f"redis://{HOST}:{plan.link_port or self.redis.port}/0"
        link = {"REDIS_URL": url, "LOG_FORMAT": "json"}
        watch = {**link, "REPORT_FILE": str(self.report), **plan.watcher}
        serve = {**link, "GATEWAY_DRAIN_S": "0.5", **plan.gateway}
        self.watchers = [_service("watcher", number, watch, folder) for number in range(plan.watchers)]
        self.gateways = [_service("gateway", number, serve, folder) for number in range(GATEWAYS)]
        self._has_redis = not plan.url
        self._first = [*self.watchers, *self.gateways[: plan.gateways]]

    @property
    def watcher(self) -> Process:
        """The first one."""
        return self.watchers[0]

    @property
    def url(self) -> str:
        """Of the page, by the first gateway."""
        return f"http://{self.gateways[0].address}/"

    async def run(self) -> None:
        """Start Redis, then the rest; returns when all are ready."""
        if self._has_redis:
            self.redis.start()
            await self.redis.ready()
        for process in self._first:
            process.start()
        for process in self._first:
            await process.ready()

    async def end(self) -> None:
        """End all that runs, Redis last; each has to end well."""
        running = [each for each in (*self.gateways, *self.watchers) if each.is_running]
        for process in running:
            process.send(signal.SIGTERM)
        for process in running:
            await process.ended()

    def clear(self) -> None:
        """Leave nothing of it."""
        for process in (*self.gateways, *self.watchers, self.redis):
            process.clear()

    async def leads(self) -> bool:
        """Tell whether a watcher leads."""
        return await self._leaders() != []

    async def leader(self) -> Process:
        """Give the watcher that leads."""
        [leader] = await self._leaders()
        return leader

    async def connected(self) -> list[bool]:
        """Tell of each gateway that answers whether it follows Redis."""
        answers = [await gateway.get("/api/ws/status") for gateway in self.gateways]
        return [json.loads(answer)["broker"]["connected"] for answer in answers if answer]

    async def _leaders(self) -> list[Process]:
        return [watcher for watcher in self.watchers if LEADS in await watcher.get("/metrics")]


def _service(name: str, number: int, settings: Mapping[str, str], folder: Path) -> Process:
    port = free_port()
    own = {f"{name.upper()}_PORT": str(port), **settings}
    return Process(f"{name}-{number}", port, [BIN / f"reportcast-{name}"], own, folder)
