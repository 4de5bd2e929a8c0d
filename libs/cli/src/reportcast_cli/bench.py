"""``reportcast bench``: a quick load check, bounded in clients and time, that says what it measured."""

import asyncio
import dataclasses
import time
from urllib.parse import urlsplit

import uvloop
from reportcast.contracts.v1_frames import SUBPROTOCOL
from reportcast_client.options import Options
from reportcast_client.secrets import without_secrets

from reportcast_cli.crowd import Crowd, Target
from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.fetch import (
    DEADLINE_S,
    FAILURES,
    answer_of,
    client,
    fetch_json,
    gateway_url,
    reason_of,
    refusal_of,
)
from reportcast_cli.findings import Findings, show, told
from reportcast_cli.machine import Effort, Gateway, is_local, measured, metrics_of, raise_descriptors
from reportcast_cli.tally import Tally, figures_of

# An update can be triggered once a second.
TRIGGER_EVERY_S = 1.1
GREETED_WITHIN_S = 10.0
# What was sent shortly before the end is waited for.
GRACE_S = 2.0
POLL_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to do; see ``bench --help``."""

    url: str
    clients: int
    seconds: float
    channel: str | None
    token: str | None
    triggers: bool


def run(plan: Plan, as_json: bool) -> Exit:
    """Do it, print what was found, and say whether all clients got all there was."""
    plan = dataclasses.replace(plan, url=gateway_url(plan.url))
    raise_descriptors(plan.clients)
    # A gateway that is none, or does not let us in, is one sentence, and not as many refusals as there are clients.
    fetch_json(f"{plan.url}api/ws/status", plan.token, channel=plan.channel)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        findings = runner.run(_measure(plan))
    (told if as_json else show)(findings)
    return Exit.FINE if findings.is_fine else Exit.OTHERWISE


async def _measure(plan: Plan) -> Findings:
    options = Options([plan.url.removesuffix("/")], plan.channel)
    target = Target(options.websocket_url(options.urls[0], None), None if plan.triggers else SUBPROTOCOL, plan.token)
    tally = Tally()
    crowd = Crowd(target, tally)
    try:
        before = await asyncio.to_thread(metrics_of, plan.url, plan.token)
        with measured() as connecting:
            connect_s = await crowd.connect(plan.clients)
        if not crowd.clients:
            reason, count = crowd.refused.most_common(1)[0]
            raise Trouble(f"none of {plan.clients} clients was let in at {plan.url}; {count} times: {reason}")
        await crowd.greeted(GREETED_WITHIN_S)
        idle = await asyncio.to_thread(metrics_of, plan.url, plan.token)
        with measured() as watching:
            await _watch(plan, crowd, tally)
        after = await asyncio.to_thread(metrics_of, plan.url, plan.token)
        return _found(plan, crowd, tally, connect_s, (before, idle, after), (connecting, watching))
    finally:
        await crowd.leave()


def _found(
    plan: Plan,
    crowd: Crowd,
    tally: Tally,
    connect_s: float,
    gateway: tuple[Gateway | None, Gateway | None, Gateway | None],
    efforts: tuple[Effort, Effort],
) -> Findings:
    return Findings(
        url=without_secrets(plan.url),
        is_local=is_local(urlsplit(plan.url).hostname or ""),
        triggered=plan.triggers,
        clients=plan.clients,
        connected=len(crowd.clients),
        refused=crowd.refused,
        lost=crowd.lost,
        connect_s=connect_s,
        shaken_ms=sorted(crowd.shaken_ms),
        seconds=plan.seconds,
        figures=figures_of(tally),
        merged=tally.merged,
        gateway=gateway,
        efforts=efforts,
    )


async def _watch(plan: Plan, crowd: Crowd, tally: Tally) -> None:
    """Count what comes for so long, and what is under way at the end."""
    tally.open(crowd.present)
    await (_trigger(plan, tally) if plan.triggers else asyncio.sleep(plan.seconds))
    tally.close()
    for _ in range(round(GRACE_S / POLL_S)):
        if all(len(each.receipts_s) >= each.due for each in tally.changes.values()):
            return
        await asyncio.sleep(POLL_S)


async def _trigger(plan: Plan, tally: Tally) -> None:
    """Have the report sent to everybody again, once a second."""
    loop = asyncio.get_running_loop()
    url = f"{plan.url}api/ws/trigger-update" + (f"?channel={plan.channel}" if plan.channel else "")
    async with client(plan.token) as http:
        end_s = loop.time() + plan.seconds  # from now on: to read the certificates takes a while
        while (began_s := loop.time()) < end_s:
            tally.ask(time.clock_gettime(time.CLOCK_REALTIME))
            try:
                async with asyncio.timeout(DEADLINE_S):
                    answer = await answer_of(http, "POST", url)
            except FAILURES as exc:
                raise Trouble(f"no update can be triggered at {url}: {reason_of(exc)}") from exc
            if answer.status != 200:
                raise Trouble(f"no update can be triggered at {url}: it answers {answer.status}: {refusal_of(answer)}")
            await asyncio.sleep(min(end_s, began_s + TRIGGER_EVERY_S) - loop.time())
