"""Facts about the machine and the software that a measurement was made with."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from tests.support.redis_server import redis_binary

PACKAGES = ("reportcast", "uvicorn", "starlette", "websockets", "redis", "inotify_simple", "msgspec")


def machine() -> dict[str, str | int | float]:
    """Describe the machine."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": os.cpu_count() or 0,
        "ram_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Name the versions of what takes part."""
    return {
        "python": platform.python_version(),
        "redis-server": _output([str(redis_binary()), "--version"], "v="),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def commit() -> str:
    """Name the commit of the working tree; ends in ``-dirty`` if it was changed since."""
    return _output(["git", "describe", "--always", "--dirty", "--exclude", "*"]) or "unknown"


def load_average() -> list[float]:
    """Give the load average over 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def surroundings(began: datetime.datetime, load_before: list[float]) -> dict[str, Any]:
    """
    Describe what a measurement was made in.

    Args:
        began: When; aware.
        load_before: See ``load_average``.
    """
    return {
        "date": f"{began:%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "load_average_before": load_before,
        "load_average_after": load_average(),
    }


def _field(path: str, name: str) -> str | None:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _output(command: list[str], marker: str = "") -> str:
    try:
        words = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return ""
    return next((word.removeprefix(marker) for word in words if word.startswith(marker)), "")
