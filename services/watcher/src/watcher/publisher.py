"""
Making the broker hold what the watcher knows of one channel: the newest good report, and how the source fares.

Level-triggered: the publisher keeps what is wanted, compares it with what the broker has confirmed, and closes the
gap. So a broker that was away, or comes back empty, needs no case of its own, and memory holds one report. A watcher
that stands by keeps what is wanted, too, and closes the gap when it comes to lead.
"""

import asyncio
import dataclasses
import datetime
import math
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from msgspec.structs import replace
from reportcast.broker.backoff import Outage, full_jitter
from reportcast.broker.base import Broker, ChannelState, HistoryLimits, Lease
from reportcast.broker.errors import BrokerError, BrokerFenced, BrokerUnavailable
from reportcast.contracts.messages import Finding, Publication, Rejection, Source
from reportcast.contracts.position import Position
from reportcast.contracts.report import Changes, Report

from watcher.archive import Archive
from watcher.metrics import ChannelMetrics

# How often the gateways are told that there is a watcher.
HEARTBEAT_S = 5.0
# Refused contents that wait for the broker; the oldest is given up, for the newest is the one that is asked about.
MAX_REJECTIONS = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """
    A report to be held.

    Attributes:
        report: The newest good one.
        modified: The file's time.
        findings: What is odd about it.
        was_watched: Whether the change was seen to happen, so that the time since then is our latency.
        changes: From the last report; ``None`` if that is not known.
    """

    report: Report
    modified: datetime.datetime
    findings: tuple[Finding, ...] = ()
    was_watched: bool = False
    changes: Changes | None = None


class Publisher:
    """
    A channel's one writer to the broker.

    Attributes:
        fence: Of the present tenure; ``None`` while another watcher leads, or the broker is away.

    Args:
        broker: Where to.
        channel: Whose report it is.
        archive: Where reports are kept on disk; ``None``: nowhere.
        metrics: The channel's.
        now: Aware UTC time.
    """

    def __init__(
        self,
        broker: Broker,
        channel: str,
        archive: Archive | None,
        metrics: ChannelMetrics,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self.fence: int | None = None
        self._broker = broker
        self._channel = channel
        self._archive = archive
        self._metrics = metrics
        self._now = now
        self._log = structlog.get_logger("publisher").bind(channel=channel)
        self._wanted = asyncio.Event()
        self._on_tenure: Callable[[], None] = lambda: None
        self._looked: int | None = None
        self._holder: str | None = None
        self._offer: Offer | None = None
        self._source: Source | None = None
        self._rejections: deque[tuple[Rejection, bytes]] = deque(maxlen=MAX_REJECTIONS)
        self._announce = False
        self._confirmed_offer: Offer | None = None
        self._confirmed_source: Source | None = None
        self._told_s = -math.inf
        self._position: Position | None = None
        self._is_empty = False

    def on_tenure(self, look: Callable[[], None]) -> None:
        """Have ``look`` called when a tenure begins: what was seen before may be older than what is published."""
        self._on_tenure = look

    async def recall(self) -> ChannelState:
        """Ask the broker, once, what it holds; nothing if it does not answer."""
        try:
            return await self._broker.state(self._channel)
        except BrokerError:  # the tenure tells of it
            return ChannelState()

    def offer(self, offer: Offer) -> None:
        """Make a report the one to be held."""
        self._offer = offer
        self._wanted.set()

    def set_source(self, source: Source) -> None:
        """Make ``source`` the state to be held; what changes in it often is told with the next heartbeat."""
        before, self._source = self._source, source
        if before is None or (before.state, before.reason) != (source.state, source.reason):
            self._confirmed_source = None
            self._wanted.set()

    def reject(self, rejection: Rejection, content: bytes) -> None:
        """Have a refused content kept, if this watcher leads."""
        if self.fence is not None:
            self._rejections.append((rejection, content))
            self._wanted.set()

    def announce_refreshed(self) -> None:
        """
        Tell the gateways, after all that is wanted by now, to send the report to every client again.

        What is wanted is published once more, in case somebody else published something else meanwhile.
        """
        self._confirmed_offer = None
        self._announce = True
        self._wanted.set()

    @property
    def awaits_look(self) -> bool:
        """Whether this watcher leads and the file was not read yet during the present tenure."""
        return self.fence is not None and self.fence != self._looked

    def looked(self, fence: int | None) -> None:
        """Note that the file was read, all of it, during the tenure ``fence``."""
        if fence != self._looked:
            self._looked = fence
            self._wanted.set()

    def hold(self, lease: Lease) -> None:
        """Take what the broker says of the lease and of the channel; called every second."""
        if lease.fence != self.fence or lease.holder != self._holder:
            self._begin(lease)
        elif lease.fence is not None and self._has_lost(lease.position):
            self._confirmed_offer = None
            self._wanted.set()
        self._is_empty = lease.position is None
        if lease.position is not None:
            self._position = lease.position
        if lease.fence is not None and asyncio.get_running_loop().time() - self._told_s >= HEARTBEAT_S:
            self._confirmed_source = None
            self._wanted.set()

    async def run(self) -> None:
        """Keep the broker in step while this watcher leads, for ever."""
        outage = Outage(self._log, asyncio.get_running_loop().time, self._metrics.broker_retries.inc)
        attempt = 0
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                if self.fence is not None and self.fence == self._looked:
                    await self._reconcile(self.fence)
                    outage.end()
                attempt = 0
            except BrokerFenced:
                self.fence = None  # until the next lease
            except BrokerUnavailable:  # the tenure tells of it
                self._metrics.broker_retries.inc()
                self._wanted.set()
                await asyncio.sleep(full_jitter(attempt))
                attempt += 1
            except BrokerError as exc:
                self._wanted.set()
                await outage.wait(exc)

    def _begin(self, lease: Lease) -> None:
        leads = lease.fence is not None
        self._log.info("leading" if leads else "standing by", holder=lease.holder)
        self.fence, self._holder = lease.fence, lease.holder
        self._confirmed_offer = self._confirmed_source = self._position = None
        self._metrics.leader.set(leads)
        if leads:
            self._on_tenure()

    def _has_lost(self, stored: Position | None) -> bool:
        known = self._position
        return known is not None and (stored is None or stored.epoch != known.epoch or stored.offset < known.offset)

    async def _reconcile(self, fence: int) -> None:
        changed = False
        if self._is_empty and self._archive is not None:
            await self._restore(self._archive, fence)
        if self._offer and self._offer is not self._confirmed_offer:
            changed = await self._publish(self._offer, fence)
        if self._source and self._confirmed_source is None:
            await self._tell(self._source, fence)
        while self._rejections:
            await self._keep_rejected(*self._rejections[0])
        if self._announce:
            self._announce = False  # before the wait: a request meanwhile is another one
            if not changed:
                await self._announce_refreshed()

    async def _announce_refreshed(self) -> None:
        try:
            await self._broker.announce_refreshed(self._channel)
        except BrokerError:
            self._announce = True
            raise

    async def _restore(self, archive: Archive, fence: int) -> None:
        """Give a broker that has nothing the reports that are kept on disk; the newest stands in for a missing file."""
        kept = await archive.recent(HistoryLimits())
        if kept and self._offer is None:
            newest = kept.pop()
            await self._put_back(kept, fence)
            await self._broker.publish(self._channel, newest, fence)
        else:
            await self._put_back([each for each in kept if self._offer and each.body != self._offer.report.body], fence)
        self._is_empty = False

    async def _put_back(self, kept: Sequence[Publication], fence: int) -> None:
        for publication in kept:
            await self._broker.restore(self._channel, publication, fence)
        if kept:
            self._log.info("history restored", reports=len(kept))

    async def _publish(self, offer: Offer, fence: int) -> bool:
        # Taken now: another may be wanted by the time the broker has answered.
        began, report = self._now(), offer.report
        publication = Publication(
            stem=report.stem or began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            digest=report.digest,
            published_at=began,
            modified_at=offer.modified,
            body=report.body,
            findings=offer.findings,
        )
        stored = await self._broker.publish(self._channel, publication, fence)
        self._confirmed_offer = offer
        self._position, self._is_empty = stored.position, False
        if self._offer is offer:  # published once more, after the broker lost it, its age is no latency
            self._offer = self._confirmed_offer = dataclasses.replace(offer, was_watched=False)
        if self._archive is not None:
            self._archive.keep(stored.name, publication)
        if not stored.changed:
            self._metrics.unchanged.inc()
            return False
        self._count(offer, stored.position)
        return True

    def _count(self, offer: Offer, position: Position) -> None:
        self._metrics.published.inc()
        for finding in offer.findings:
            self._metrics.flagged(finding.kind).inc()
        log = self._log.bind(offset=position.offset, bytes=len(offer.report.body))
        if offer.was_watched:
            latency_s = max(0.0, (self._now() - offer.modified).total_seconds())
            self._metrics.publish_latency.observe(latency_s)
            log = log.bind(latency_s=round(latency_s, 4))
        if offer.report.repos:
            log = log.bind(repos=len(offer.report.repos))
        if offer.changes is not None:
            log = log.bind(**dataclasses.asdict(offer.changes))
        if offer.findings:
            log = log.bind(findings=[finding.message for finding in offer.findings])
        log.info("report published")

    async def _tell(self, source: Source, fence: int) -> None:
        now = self._now()
        late_by_s = (now - source.due_at).total_seconds() if source.late_by_s is not None and source.due_at else None
        await self._broker.set_source(self._channel, replace(source, heard_at=now, late_by_s=late_by_s), fence)
        self._told_s = asyncio.get_running_loop().time()
        if self._source is source:  # else there is more to tell
            self._confirmed_source = source

    async def _keep_rejected(self, rejection: Rejection, content: bytes) -> None:
        await self._broker.reject(self._channel, rejection, content)
        if self._archive is not None:
            self._archive.reject(rejection, content)
        if self._rejections and self._rejections[0][0] is rejection:
            self._rejections.popleft()
