"""
Making the broker hold what the watcher knows of one channel: the newest good report, and how the source fares.

Level-triggered: the publisher keeps what is wanted, compares it with what the broker has confirmed, and closes the
gap. So a broker that was away, or comes back empty, needs no case of its own, and memory holds one report. A watcher
that stands by keeps what is wanted, too, and closes the gap when it comes to lead.
"""

import asyncio
import dataclasses
import datetime
import functools
import logging
import math
from collections import deque
from collections.abc import Callable

import structlog
from msgspec.structs import replace
from reportcast.broker.backoff import Outage, full_jitter
from reportcast.broker.base import Broker, ChannelState, Lease
from reportcast.broker.errors import BrokerError, BrokerFenced, BrokerUnavailable
from reportcast.contracts.body import INLINE_BYTES
from reportcast.contracts.channels import CANARY
from reportcast.contracts.delta import diff
from reportcast.contracts.messages import Publication, Rejection, Snapshot, Source
from reportcast.contracts.position import Position
from reportcast.contracts.report import Report, kind_of
from reportcast.contracts.trace import Skew
from reportcast.telemetry.health import Health

from watcher.archive import Archive
from watcher.metrics import ChannelMetrics
from watcher.offer import Offer
from watcher.restore import restore, restore_rejections
from watcher.threads import in_daemon_thread

# How often the gateways are told that there is a watcher.
HEARTBEAT_S = 5.0
# A file is looked at without knowing that after so long.
ROLE_S = 1.0
# Refused contents that wait for the broker; the oldest is given up, for the newest is the one that is asked about.
MAX_REJECTIONS = 4


class Publisher:
    """
    A channel's one writer to the broker.

    Attributes:
        fence: Of the present tenure; ``None`` while another watcher leads, or before that is known.

    Args:
        broker: Where to.
        channel: Whose report it is.
        archive: Where reports are kept on disk; ``None``: nowhere.
        metrics: The channel's.
        health: Its condition ``channel <name>`` fails while the broker refuses what is published.
        now: Aware UTC time.
        skew: How the watcher's clock stands to the broker's.
    """

    def __init__(
        self,
        broker: Broker,
        channel: str,
        archive: Archive | None,
        metrics: ChannelMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
        skew: Callable[[], Skew | None] = lambda: None,
    ) -> None:
        self.fence: int | None = None
        self._broker = broker
        self._channel = channel
        self._archive = archive
        self._metrics = metrics
        self._health = health
        self._now = now
        self._skew = skew
        self._log = structlog.get_logger("publisher").bind(channel=channel)
        self._wanted = asyncio.Event()
        self._on_tenure: Callable[[], None] = lambda: None
        self._has_role = asyncio.Event()
        self._looked: int | None = None
        self._holder: str | None = None
        self._offer: Offer | None = None
        self._known: Offer | None = None
        # What the broker holds as the newest, from which the next change is told; `None` before that is known.
        self._base: Report | Snapshot | None = None
        self._source: Source | None = None
        self._rejections: deque[tuple[Rejection, bytes]] = deque(maxlen=MAX_REJECTIONS)
        self._announce = False
        self._confirmed_offer: Offer | None = None
        self._confirmed_source: Source | None = None
        self._told_s = -math.inf
        self._position: Position | None = None
        self._is_empty = self._lacks_rejections = self._was_refused = False

    def on_tenure(self, look: Callable[[], None]) -> None:
        """Have ``look`` called when a tenure begins: what was seen before may be older than what is published."""
        self._on_tenure = look

    @property
    def awaits_look(self) -> bool:
        """Whether this watcher leads, and what the file holds was not decided yet during the present tenure."""
        return self.fence is not None and self.fence != self._looked

    async def learn_role(self) -> None:
        """Wait until it is known whether this watcher leads, or for ROLE_S, as when the broker is away."""
        try:
            async with asyncio.timeout(ROLE_S):
                await self._has_role.wait()
        except TimeoutError:
            return

    async def recall(self) -> ChannelState | None:
        """Ask the broker, once, what it holds; ``None`` if it does not answer."""
        try:
            return await self._broker.state(self._channel)
        except BrokerUnavailable:  # the tenure tells of it
            return None
        except BrokerError:  # publishing will be refused, too
            return ChannelState()

    async def moments(self, count: int) -> list[datetime.datetime]:
        """Tell when the newest reports were published, oldest first, as far as they are kept on disk; aware."""
        return await self._archive.moments(count) if self._archive else []

    def offer(self, offer: Offer, fence: int | None) -> None:
        """
        Make a report the one to be held.

        Args:
            offer: The report.
            fence: The present one when reading began. What was read before this tenure is no more than known.
        """
        if fence == self.fence:
            self._offer = offer
            self._wanted.set()
        else:
            self._known = offer

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

        What is wanted is published once more, in case somebody else published something else meanwhile. Who stands by
        was not meant.
        """
        if self.fence is not None or self._holder is None:
            self._confirmed_offer = None
            self._announce = True
            self._wanted.set()

    def looked(self, fence: int | None) -> None:
        """Note that it was decided what the file holds, by a reading during the tenure ``fence``."""
        if fence != self._looked:
            self._looked = fence
            self._wanted.set()

    def hold(self, lease: Lease) -> None:
        """Take what the broker says of the lease and of the channel; called every second."""
        if lease.fence != self.fence or lease.holder != self._holder:
            self._begin(lease)
        elif lease.fence is not None and self._position not in (None, lease.position):
            # The broker lost what it had, or what nobody who leads has sent got through, as a command that was delayed.
            self._confirmed_offer = None
            self._wanted.set()
        self._is_empty = not lease.has_report
        self._lacks_rejections = self._lacks_rejections or self._is_empty
        if self._was_refused:
            self._was_refused = False
            self._wanted.set()
        self._position = lease.position or self._position
        self._metrics.leader.set(lease.fence is not None)

    def heartbeat(self) -> tuple[Source, int] | None:
        """Give what is to be told again, with the fence, when it is time to; so that gateways know of a watcher."""
        now_s = asyncio.get_running_loop().time()
        if self.fence is None or self._source is None or self._confirmed_source is None or self.awaits_look:
            return None
        if now_s - self._told_s < HEARTBEAT_S:
            return None
        self._told_s = now_s
        return self._stamped(self._source), self.fence

    def refuse(self, error: BrokerError) -> None:
        """Learn that the broker gives no lease for this channel."""
        self._was_refused = True
        self._fail(error)
        self.lapse()

    def lapse(self) -> None:
        """Learn that the lease was not renewed in time: whether this watcher still leads is not known."""
        self._metrics.leader.set(0)

    async def run(self) -> None:
        """Keep the broker in step while this watcher leads, for ever."""
        outage = Outage(self._log, asyncio.get_running_loop().time, self._metrics.broker_retries.inc)
        attempt = 0
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            fence = self.fence
            try:
                if fence is not None and not self.awaits_look:
                    await self._reconcile(fence)
                    outage.end()
                    self._health.fulfil(self._condition)
                attempt = 0
            except BrokerFenced:
                if fence == self.fence:  # else there is a new tenure already
                    self.fence = self._holder = None  # until the next lease
            except BrokerUnavailable:  # the tenure tells of it
                self._metrics.broker_retries.inc()
                self._wanted.set()
                await asyncio.sleep(full_jitter(attempt))
                attempt += 1
            except BrokerError as exc:
                self._fail(exc)
                self._wanted.set()
                await outage.wait(exc)

    @property
    def _condition(self) -> str:
        return f"channel {self._channel}"

    def _fail(self, error: BrokerError) -> None:
        self._health.fail(self._condition, str(error))

    def _begin(self, lease: Lease) -> None:
        leads = lease.fence is not None
        self._log.info("leading" if leads else "standing by", holder=lease.holder)
        self.fence, self._holder, self._looked = lease.fence, lease.holder, None
        self._confirmed_offer = self._confirmed_source = self._position = self._base = None
        # What was read before may be older than what the last leader published: the lookout reads again, and offers
        # again. What was known stands in only where the broker has nothing and the file is bad.
        self._known = self._offer or self._known
        self._offer = None
        self._announce = self._announce and leads
        if not leads:
            self._rejections.clear()
        self._has_role.set()
        if self._archive:
            self._archive.begin() if leads else self._archive.end()
        if leads:
            self._on_tenure()
        else:
            self._health.fulfil(self._condition)

    async def _reconcile(self, fence: int) -> None:
        changed = False
        if self._is_empty:
            await self._restore(fence)
        if self._offer and self._offer is not self._confirmed_offer:
            changed = await self._publish(self._offer, fence)
        if self._source and self._confirmed_source is None:
            await self._tell(self._source, fence)
        if self._lacks_rejections:
            self._lacks_rejections = False
            await self._restore_rejections()
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

    async def _restore(self, fence: int) -> None:
        """Give a broker that has nothing what is known; while the file is bad, the newest report stands in for it."""
        self._offer = self._offer or self._known
        if self._archive:
            present = self._offer.report.body if self._offer else None
            await restore(self._broker, self._channel, self._archive, present, fence)
        self._is_empty = False

    async def _restore_rejections(self) -> None:
        try:
            if self._archive:
                await restore_rejections(self._broker, self._channel, self._archive)
        except BrokerError:
            self._lacks_rejections = True
            raise

    async def _publish(self, offer: Offer, fence: int) -> bool:
        # Taken now: another may be wanted by the time the broker has answered.
        report = offer.report
        base, delta = await self._delta(report)
        began = self._now()
        trace = offer.seen.trace(offer.modified, began, self._skew()) if offer.seen and offer.was_watched else None
        publication = Publication(
            stem=report.stem or began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            digest=report.digest,
            published_at=began,
            modified_at=offer.modified,
            body=report.body,
            findings=offer.findings,
            base=base,
            delta=delta,
            trace=trace,
        )
        stored = await self._broker.publish(self._channel, publication, fence)
        if fence != self.fence:  # another tenure has begun meanwhile, and decides anew
            return stored.changed
        self._confirmed_offer, self._base = offer, report
        self._position, self._is_empty = stored.position, False
        if self._offer is offer:  # published once more, after the broker lost it, its age is no latency
            self._offer = self._confirmed_offer = dataclasses.replace(offer, was_watched=False)
        if self._archive is not None:
            self._archive.keep(stored.name, publication)
        if not stored.changed:
            self._metrics.unchanged.inc()
            return False
        self._count(offer, stored.position)
        self._metrics.count_hops(trace)
        self._metrics.delta_bytes.inc(len(delta))
        return True

    async def _delta(self, report: Report) -> tuple[str, bytes]:
        """Give the digest of what the broker holds, and what makes ``report`` of it; empty where nothing is known."""
        base = self._base or (await self._broker.state(self._channel)).snapshot
        if base is None or base.digest == report.digest:
            return "", b""
        find = functools.partial(diff, base.body, report.body, kind_of(self._channel))
        is_large = len(base.body) + len(report.body) > INLINE_BYTES
        return base.digest, (await in_daemon_thread(find) if is_large else find()) or b""

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
        # A line every two seconds would say nothing, and hide the others.
        log.log(logging.DEBUG if self._channel == CANARY else logging.INFO, "report published")

    async def _tell(self, source: Source, fence: int) -> None:
        await self._broker.set_source(self._channel, self._stamped(source), fence)
        self._told_s = asyncio.get_running_loop().time()
        if self._source is source:  # else there is more to tell
            self._confirmed_source = source

    def _stamped(self, source: Source) -> Source:
        now, due_at = self._now(), source.due_at if source.late_by_s is not None else None
        late_by_s = (now - due_at).total_seconds() if due_at else None
        return replace(source, heard_at=now, late_by_s=late_by_s)

    async def _keep_rejected(self, rejection: Rejection, content: bytes) -> None:
        kept = await self._broker.rejections(self._channel)
        if not kept or kept[0].digest != rejection.digest:  # the same again, after a restart, is the same one
            await self._broker.reject(self._channel, rejection, content)
        if self._archive is not None:
            self._archive.reject(rejection, content)
        if self._rejections and self._rejections[0][0] is rejection:
            self._rejections.popleft()
