"""
The servers behind a URL, and which of them has a key.

With Sentinels or a cluster that changes. Who has a key is asked once, and again when a call has failed: the call is not
repeated here (see redis.py), and the client library's own ways of following a failover, which do that in silence and
close what others use, are not used (docs/adr/0015-which-server.md).
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from reportcast.broker.redis_link import SOCKET_TIMEOUT_S
from reportcast.broker.redis_url import Address, Form, RedisUrl

CONNECT_TIMEOUT_S = 1.0

# A master that was replaced on purpose answers for some ten seconds as before, and what it is told is lost.
ASK_AGAIN_S = 1.0

# If the network does not even take what is sent, the kernel ends the link after so long.
USER_TIMEOUT_MS = 2500

# Each subscription has a connection, and a gateway one subscription for each channel.
MAX_CONNECTIONS = 10_000

# Any: the library's types allow for decoded replies, which are not asked for here.
Client = Any


class Servers:
    """
    One server.

    Attributes:
        is_cluster: Whether what is asked for in one call has to be of one channel.
    """

    is_cluster = False

    def __init__(self, url: RedisUrl) -> None:
        self._url = url
        self._clients: dict[Address, Client] = {}

    async def of(self, key: str) -> Client:
        """
        Give the client of the server that has ``key``.

        Raises:
            RedisError: If nobody tells which one that is.
        """
        del key
        return self._client(self._url.nodes[0] if self._url.nodes else ("", 0))

    def doubt(self) -> None:
        """Learn that a call has failed: who has which key is asked again before the next."""

    async def aclose(self) -> None:
        """End all connections."""
        await self._keep(())

    def _client(self, address: Address) -> Client:
        if address not in self._clients:
            self._clients[address] = _connected(
                self._url, address, self._url.username, self._url.password, self._url.database, SOCKET_TIMEOUT_S
            )
        return self._clients[address]

    async def _keep(self, addresses: Collection[Address]) -> None:
        """Let go of all other servers; who waits for one of them is told."""
        for address in self._clients.keys() - set(addresses):
            with contextlib.suppress(RedisError, OSError):
                await self._clients.pop(address).aclose()


class _Elsewhere(Servers):
    """Servers of whom others know: these are asked in turn, each time beginning with another one."""

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._knowing = deque(url.nodes)
        self._is_doubtful = True
        self._lock = asyncio.Lock()

    def doubt(self) -> None:
        self._is_doubtful = True

    async def _learn_if_in_doubt(self) -> None:
        async with self._lock:
            if self._is_doubtful:
                self._is_doubtful = False  # before the answer: a call that fails meanwhile is another doubt
                try:
                    await self._learn()
                except BaseException:
                    self._is_doubtful = True
                    raise

    async def _learn(self) -> None:
        raise NotImplementedError

    async def _asked(self, ask: Callable[[Address], Awaitable[Any]]) -> Any:
        failed: Exception = redis.exceptions.ConnectionError("nobody is known who could be asked")
        for _ in range(len(self._knowing)):
            address = self._knowing[0]
            self._knowing.rotate(-1)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    return await ask(address)
            except TimeoutError:
                failed = redis.exceptions.TimeoutError(f"no answer from {address[0]}:{address[1]}")
            except (RedisError, OSError) as exc:
                failed = exc
        raise failed


class _BySentinel(_Elsewhere):
    """The master that Sentinels name."""

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._master: Address = ("", 0)
        self._sentinels: dict[Address, Client] = {}
        self._asked_s = 0.0

    async def of(self, key: str) -> Client:
        await self._learn_if_in_doubt()
        await self._learn_if_due()
        return self._client(self._master)

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self._sentinels.values():
            with contextlib.suppress(RedisError, OSError):
                await sentinel.aclose()

    async def _learn(self) -> None:
        self._asked_s = asyncio.get_running_loop().time()
        self._master = await self._asked(self._master_by)
        await self._keep({self._master})

    async def _learn_if_due(self) -> None:
        """Ask again, one Sentinel; what is known stays good where it says nothing."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_s < ASK_AGAIN_S:
            return
        self._asked_s = now_s
        address = self._knowing[0]
        self._knowing.rotate(-1)
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._master = await self._master_by(address)
            await self._keep({self._master})

    async def _master_by(self, address: Address) -> Address:
        url = self._url
        if address not in self._sentinels:
            credentials = url.sentinel_username, url.sentinel_password
            self._sentinels[address] = _connected(url, address, *credentials, 0, CONNECT_TIMEOUT_S)
        found = await self._sentinels[address].execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", url.master)
        if not found:
            raise redis.exceptions.ConnectionError(f"the Sentinels know no master of the name {url.master}")
        return str(_text(found[0])), int(found[1])


class _Cluster(_Elsewhere):
    """The masters of a cluster, each of which has some of the slots."""

    is_cluster = True

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._ranges: list[tuple[range, Address]] = []

    async def of(self, key: str) -> Client:
        await self._learn_if_in_doubt()
        slot = key_slot(key.encode())
        for slots, address in self._ranges:
            if slot in slots:
                return self._client(address)
        self._is_doubtful = True
        raise redis.exceptions.ClusterDownError(f"no server of the cluster has slot {slot}")

    async def _learn(self) -> None:
        self._ranges = await self._asked(self._ranges_by)
        masters = {address for _, address in self._ranges}
        await self._keep(masters)
        # Those of the URL may be gone one day, and those who are there now may be the only ones that are left.
        self._knowing.extend(masters.difference(self._knowing))

    async def _ranges_by(self, address: Address) -> list[tuple[range, Address]]:
        rows = await self._client(address).execute_command("CLUSTER SLOTS")
        return [
            (range(int(first), int(last) + 1), (_host(master[0], address[0]), int(master[1])))
            for first, last, master, *_ in rows
        ]


def _host(told: bytes | str | None, asked: str) -> str:
    """Give a server's name; one that knows none of its own has the one by which it was asked."""
    name = _text(told)
    return name if name not in ("", "?") else asked


def _text(told: bytes | str | None) -> str:
    return told.decode() if isinstance(told, bytes) else told or ""


def servers_of(url: RedisUrl) -> Servers:
    """Give the servers behind a URL; connections are made when they are needed."""
    return {Form.SERVER: Servers, Form.SENTINEL: _BySentinel, Form.CLUSTER: _Cluster}[url.form](url)


def _connected(
    url: RedisUrl, address: Address, username: str | None, password: str | None, database: int, timeout_s: float
) -> Client:
    where: dict[str, Any] = {"unix_socket_path": url.socket}
    if url.socket is None:
        where = {"host": address[0], "port": address[1], "ssl": url.has_tls, **_tcp_options(), **dict(url.tls)}
    return redis.asyncio.Redis(
        **where,
        db=database,
        username=username,
        password=password,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        max_connections=MAX_CONNECTIONS,
        client_name="reportcast",
        driver_info=None,  # not told: it takes a permission, and two commands more for each connection
        # It would move to another server by itself, and does not look any more whether an idle connection is dead.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )


def _tcp_options() -> dict[str, Any]:
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return {}
    return {"socket_keepalive": True, "socket_keepalive_options": {socket.TCP_USER_TIMEOUT: USER_TIMEOUT_MS}}
