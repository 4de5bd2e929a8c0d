"""``reportcast status``: whether a gateway's feeds are healthy, and why not."""

import datetime
import time
from collections.abc import Iterator
from typing import Any

from reportcast.contracts.clock import utc_now
from reportcast_client.secrets import without_secrets
from rich.text import Text

from reportcast_cli.amounts import counted, duration, since, size
from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.fetch import DEADLINE_S, fetch_json, gateway_url
from reportcast_cli.printable import printable
from reportcast_cli.terminal import console, say, say_json

# The reasons of so many other channels are asked for.
MAX_ASKED = 32


def run(address: str, channel: str | None, token: str | None, as_json: bool) -> Exit:
    """Ask, print the answer, and say whether all is well: of one channel if it is named, else of all."""
    gateway = gateway_url(address)
    url = f"{gateway}api/ws/status"
    end_s = time.monotonic() + DEADLINE_S
    status = fetch_json(url, token, channel=channel)
    try:
        conditions = status["channels"] if channel is None else {status["channel"]: status["status"]}
        is_fine = set(conditions.values()) == {"healthy"}
        if as_json:
            say_json(status)
        else:
            asked = [name for name, word in conditions.items() if word != "healthy" and name != status["channel"]]
            others = [fetch_json(url, token, end_s - time.monotonic(), channel=name) for name in asked[:MAX_ASKED]]
            out, now = console(), utc_now()
            say(out, *_whole(gateway, status, now))
            for other in others:
                say(out, *_heading(other), *_reasons(other))
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise Trouble(f"{url} does not answer as a Reportcast gateway does: {type(exc).__name__} {exc}") from exc
    return Exit.FINE if is_fine else Exit.OTHERWISE


def _whole(gateway: str, status: dict[str, Any], now: datetime.datetime) -> Iterator[Text]:
    yield from _heading(status, f"  {without_secrets(gateway)} ({status['server']}, up {duration(status['uptime'])})")
    yield from _reasons(status)
    yield _row("report", _report(status["report"], now))
    for finding in (status["report"] or {}).get("findings", []):
        place = f" (line {finding['line']} column {finding['column']})" if finding["line"] else ""
        yield _row("", f"{finding['kind']}: {finding['message']}{place}", "yellow")
    yield _row("file", _source(status["source"], now))
    yield _row("broker", "connected" if status["broker"]["connected"] else "not connected; what is served may be stale")
    yield _row("clients", f"{status['clients']}, of at most {status['maxConnections']} on all channels")
    if (workers := status["workers"])["asked"] > 1:
        yield _row("workers", f"{workers['answered']} of {workers['asked']} answered")
    if len(status["channels"]) > 1:
        yield _row("channels", ", ".join(f"{name} {word}" for name, word in status["channels"].items()))


def _heading(status: dict[str, Any], rest: str = "") -> Iterator[Text]:
    style = "bold green" if status["status"] == "healthy" else "bold red"
    channel = printable(status["channel"])
    yield Text.assemble(("● ", style), (channel, "bold"), " is ", (printable(status["status"]), style), printable(rest))


def _reasons(status: dict[str, Any]) -> Iterator[Text]:
    for reason in status["reasons"]:
        yield Text.assemble(("  because ", "red"), printable(reason))


def _row(name: str, told: str, style: str = "") -> Text:
    return Text.assemble((f"  {name:<10}", "dim"), (printable(told), style))


def _report(report: dict[str, Any] | None, now: datetime.datetime) -> str:
    if report is None:
        return "none yet"
    age = duration(since(report["modifiedAt"], now))
    findings = f", with {counted(len(report['findings']), 'finding')}" if report["findings"] else ""
    where = f"{report['epoch']}:{report['offset']}"
    return f"{report['name']}, {size(report['bytes'])}, written {age} ago, at {where}{findings}"


def _source(source: dict[str, Any] | None, now: datetime.datetime) -> str:
    if source is None:
        return "no watcher has told how it fares"
    told = f"{source['state']} for {duration(since(source['since'], now))}"
    if source["heardAt"]:
        told += f", heard of {duration(since(source['heardAt'], now))} ago"
    if source["lateByS"] is not None:
        return f"{told}; the next report is late by {duration(source['lateByS'])}"
    if source["dueAt"]:
        told += f"; the next report is due in {duration(-since(source['dueAt'], now))}"
        told += f" (every {duration(source['expectedEveryS'])})" if source["expectedEveryS"] else ""
    return told
