"""
The canary of this watcher: a small file that it writes every few seconds and then watches and publishes like any other.

So what becomes of it is what becomes of a report, and gateways see whether every hop works while nothing else changes.

Source: docs/protocol.md, Canary; docs/adr/0017-the-canary.md.
"""

import asyncio
import contextlib
import datetime
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
from reportcast.broker.base import Broker, Lease
from reportcast.broker.errors import BrokerError
from reportcast.contracts.canary import called_off, is_expected, write_canary
from reportcast.contracts.channels import CANARY

from watcher.settings import SourceSettings
from watcher.threads import in_daemon_thread

# At the end, the file system gets so long to take the file away.
REMOVE_S = 1.0
# That there is no canary any more is said when no other watcher leads it, which is looked at so often.
CALL_OFF_S = 5.0

log = structlog.get_logger("canary")


class Canary:
    """
    Writes the canary.

    Attributes:
        path: Where.

    Args:
        settings: How often, and where; without a place, in a folder of its own that is taken away at the end.
        now: Aware UTC time.
    """

    def __init__(self, settings: SourceSettings, now: Callable[[], datetime.datetime]) -> None:
        given = settings.report_canary_file
        self.path = given or _private_folder() / "canary.json"
        self._folder = None if given else self.path.parent
        self._every_s = settings.report_canary_s
        self._now = now
        self._writer = secrets.token_hex(4)
        self._number = 0
        self._is_failing = False

    def settings_of(self, settings: SourceSettings) -> SourceSettings:
        """Give the settings by which the canary is watched: those of the reports, but for what it is."""
        own = {
            "reports": {CANARY: self.path},
            "report_expected_every_s": {CANARY: self._every_s},
            "report_hold": (),
            "history_dir": None,
        }
        return settings.model_copy(update=own)

    async def run(self, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write, for ever; ``look`` watches the file, from when the first has been written."""
        try:
            await self._write()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(look())
                while True:
                    await asyncio.sleep(self._every_s)
                    await self._write()
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(REMOVE_S):
                    await in_daemon_thread(self._remove)

    async def _write(self) -> None:
        self._number += 1
        content = write_canary(self._writer, self._number, self._now())
        try:
            # In a thread: where the file system hangs, nothing else must.
            await in_daemon_thread(lambda: self._replace(content))
        except OSError as exc:
            if not self._is_failing:
                log.warning("canary not written", path=ascii(str(self.path))[1:-1], reason=exc.strerror)
            self._is_failing = True
        else:
            if self._is_failing:
                log.info("canary written again")
            self._is_failing = False

    def _replace(self, content: bytes) -> None:
        if self._folder:
            with contextlib.suppress(FileExistsError):  # it is made again if somebody has cleaned up
                self._folder.mkdir(mode=0o700)
        beside = self._beside
        beside.write_bytes(content)
        beside.replace(self.path)

    def _remove(self) -> None:
        for file in (self.path, self._beside):
            file.unlink(missing_ok=True)
        if self._folder:
            self._folder.rmdir()

    @property
    def _beside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{self._writer}")


async def call_off(broker: Broker, now: Callable[[], datetime.datetime]) -> None:
    """Tell the gateways, once, that no canary is to be waited for, unless another watcher has one."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    while True:
        if await _called_off(broker, holder, now):
            return
        await asyncio.sleep(CALL_OFF_S)


async def _called_off(broker: Broker, holder: str, now: Callable[[], datetime.datetime]) -> bool:
    try:
        if not is_expected((await broker.state(CANARY)).source):
            return True
        [lease] = await broker.lease([CANARY], holder)
        if not isinstance(lease, Lease) or lease.fence is None:
            return False
        await broker.set_source(CANARY, called_off(now()), lease.fence)
        await broker.release([CANARY], holder)
    except BrokerError:  # the tenure tells of it
        return False
    return True


def _private_folder() -> Path:
    """Give the name of a folder that nobody else has; not made yet, for that may fail."""
    try:
        parent = tempfile.gettempdir()
    except OSError:  # nothing can be written anywhere, which is said when it is tried
        parent = "/tmp"  # noqa: S108 - the folder in it is made for this user alone, and its name cannot be guessed
    return Path(parent, f"reportcast-canary-{secrets.token_hex(8)}")
