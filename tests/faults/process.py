"""A process that can end in any way, and be started again where it was."""

import contextlib
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from reportcast.broker.keys import keys_of

from tests.support.commands import environment
from tests.support.ports import HOST, free_port
from tests.support.redis_server import redis_binary
from tests.support.wait import await_until

READY_S = 30.0
END_S = 20.0
ASK_S = 1.0
KEYS = keys_of("audit")


class Process:
    """
    One of our services; its address stays the same for life.

    Attributes:
        name: What it is called, and its log.
        port: Where it answers.

    Args:
        command: With its arguments.
        settings: Its environment besides ours.
        folder: Where it runs, and its log is.
    """

    def __init__(
        self, name: str, port: int, command: Sequence[str | Path], settings: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.port = port
        self._command = command
        self._settings = dict(settings)
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Give ``host:port``."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> str:
        """All that it has said, in all of its lives."""
        return self._log.read_text()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    async def get(self, path: str) -> str:
        """Give a page of it; empty if it gives none."""
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(timeout=ASK_S) as http:
                answer = await http.get(f"http://{self.address}{path}")
                return answer.text if answer.is_success else ""
        return ""

    async def is_ready(self) -> bool:
        """Tell whether it serves."""
        assert self.is_running, f"{self.name} ended at once: {self.log[-2000:]}"
        return await self.get("/readyz") != ""

    def start(self, *more: str) -> None:
        """Start it, with more arguments; ``ready`` tells when it serves."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *more], env=environment(self._settings), cwd=self._folder, stdout=log, stderr=log
            )

    async def ready(self) -> None:
        """Wait until it serves."""
        await await_until(f"{self.name} is ready", self.is_ready, READY_S)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.send(signal.SIGKILL)
        assert self._process is not None
        assert self._process.wait() == -signal.SIGKILL, f"{self.name} had ended by itself"

    def freeze(self) -> None:
        """Stop it where it is: its connections stay open, and nothing answers."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo ``freeze``."""
        self.send(signal.SIGCONT)

    async def end(self) -> None:
        """End it as an operator does; it has to end well."""
        self.send(signal.SIGTERM)
        await self.ended()

    async def ended(self) -> None:
        """Wait until it has ended well."""
        await await_until(f"{self.name} has ended", lambda: not self.is_running, END_S)
        assert self._process is not None
        assert self._process.returncode == 0, f"{self.name}: {self._process.returncode}, {self.log[-2000:]}"

    def clear(self) -> None:
        """Leave nothing of it, however it fares."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(number)


class Redis(Process):
    """
    A Redis server.

    Args:
        arguments: What it is to do otherwise than by default.
    """

    def __init__(self, port: int, arguments: Sequence[str], folder: Path) -> None:
        command: list[str | Path] = [redis_binary(), "--bind", HOST, "--port", str(port), "--save", ""]
        super().__init__("redis", port, [*command, *arguments], {}, folder)
        self._arguments = arguments

    async def is_ready(self) -> bool:
        """Tell whether it answers."""
        assert self.is_running, f"Redis ended at once: {self.log[-2000:]}"
        with contextlib.suppress(RedisError):  # also while it loads its data
            return bool(await self.command("PING"))
        return False

    async def command(self, *words: str | int) -> Any:
        """Have it do something."""
        client = redis.asyncio.Redis(
            host=HOST, port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=ASK_S, socket_connect_timeout=ASK_S
        )
        async with client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]

    async def offset(self) -> int:
        """Give the number of the newest change that it has; 0 if it has none."""
        return int(await self.command("HGET", KEYS.state, "offset") or 0)

    async def offset_on_disk(self) -> int:
        """Give what ``offset`` will be once it is started; nobody else gets to see the server that tells it."""
        unseen = Redis(free_port(), self._arguments, self._folder)
        unseen.start()
        try:
            await unseen.ready()
            return await unseen.offset()
        finally:
            unseen.clear()

    async def save(self) -> None:
        """Put all of its data as of now on its disk, where a server without an append-only file finds it again."""
        await self.command("SAVE")
