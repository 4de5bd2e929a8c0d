"""
The servers behind a URL, and which of them has a key.

With Sentinels or a cluster that changes. Who has a key is asked once, and again when a call has failed: the call is not
repeated here (see redis.py), and the client library's own ways of following a failover, which do that in silence and
close what others use, are not used (docs/adr/0015-which-server.md).
"""

import asyncio
import collections
import contextlib
import dataclasses
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

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
# The call that happens to do it waits for so long at most, of the two seconds that it has.
COMPARE_S = 0.5

# Of a cluster's servers: one that is dead keeps nobody waiting who asks two others as well.
ASKED_TOGETHER = 3

# If the network does not even take what is sent, the kernel ends the link after so long.
USER_TIMEOUT_MS = 2500

# Each subscription has a connection, and a gateway one subscription for each channel.
MAX_CONNECTIONS = 10_000

# Any: the library's types allow for decoded replies, which are not asked for here.
Client = Any

_Answer = TypeVar("_Answer")


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

    def doubt(self, *keys: str) -> None:
        """Learn that a call about ``keys`` has failed: who has them is asked again before the next."""

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
    """Servers of whom others know."""

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._lock = asyncio.Lock()

    async def _asked(
        self,
        addresses: Collection[Address],
        ask: Callable[[Address], Awaitable[_Answer]],
        is_enough: Callable[[list[_Answer]], bool],
    ) -> list[_Answer]:
        """
        Ask several at the same time, until enough is known or all have had CONNECT_TIMEOUT_S.

        Raises:
            RedisError: If nobody answered.
            OSError: As well.
        """
        failed: Exception = redis.exceptions.ConnectionError("nobody is known who could be asked")
        answers: list[_Answer] = []
        enough = asyncio.Event()

        async def answer(address: Address) -> None:
            nonlocal failed
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    answers.append(await ask(address))
            except TimeoutError:
                failed = redis.exceptions.TimeoutError(f"no answer from {address[0]}:{address[1]}")
            except (RedisError, OSError) as exc:
                failed = exc
            asking.discard(address)
            if not asking or is_enough(answers):
                enough.set()

        asking = set(addresses)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(answer(address)) for address in addresses]
            await enough.wait()
            for task in running:
                task.cancel()
        if not answers:
            raise failed
        return answers


class _BySentinel(_Elsewhere):
    """The master that most of the Sentinels name: one of them may have missed a failover."""

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._master: Address = ("", 0)
        self._sentinels: dict[Address, Client] = {}
        self._is_doubtful = True
        self._asked_s = 0.0
        self._asked_in_turn = collections.deque(url.nodes)

    def doubt(self, *keys: str) -> None:
        del keys
        self._is_doubtful = True

    async def of(self, key: str) -> Client:
        await self._learn_if_in_doubt()
        await self._compare_if_due()
        return self._client(self._master)

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self._sentinels.values():
            with contextlib.suppress(RedisError, OSError):
                await sentinel.aclose()

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
        self._asked_s = asyncio.get_running_loop().time()
        named = await self._asked(self._url.nodes, self._master_by, self._is_agreed)
        # Where half of them say this and half that, the present one is what gave rise to the doubt.
        votes = collections.Counter(named)
        self._master = self._agreed(named) or max(votes, key=lambda each: (votes[each], each != self._master))
        await self._keep({self._master})

    async def _compare_if_due(self) -> None:
        """Ask again, one Sentinel; what is known stays good unless most of them say what that one says."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_s < ASK_AGAIN_S:
            return
        self._asked_s = now_s
        address = self._asked_in_turn[0]
        self._asked_in_turn.rotate(-1)
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(COMPARE_S):
                if await self._master_by(address) == self._master:
                    return
                agreed = self._agreed(await self._asked(self._url.nodes, self._master_by, self._is_agreed))
                if agreed not in (None, self._master):
                    self._is_doubtful = True
                    await self._learn_if_in_doubt()

    def _is_agreed(self, named: Collection[Address]) -> bool:
        return self._agreed(named) is not None

    def _agreed(self, named: Collection[Address]) -> Address | None:
        """Give the master that most of all Sentinels name, those that say nothing included."""
        votes = collections.Counter(named)
        return next((each for each, count in votes.items() if 2 * count > len(self._url.nodes)), None)

    async def _master_by(self, address: Address) -> Address:
        url = self._url
        if address not in self._sentinels:
            credentials = url.sentinel_username, url.sentinel_password
            self._sentinels[address] = _connected(url, address, *credentials, 0, CONNECT_TIMEOUT_S)
        found = await self._sentinels[address].execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", url.master)
        if not found:
            raise redis.exceptions.ConnectionError(f"the Sentinels know no master of the name {url.master}")
        return str(_text(found[0])), int(found[1])


@dataclasses.dataclass(frozen=True)
class _Map:
    """
    A cluster, as one of its servers tells it.

    Attributes:
        by: Who told.
        ranges: Which master has which slots.
        replicas: Who can be asked as well.
    """

    by: Address
    ranges: list[tuple[range, Address]]
    replicas: list[Address]

    @property
    def masters(self) -> set[Address]:
        return {address for _, address in self.ranges}


class _Cluster(_Elsewhere):
    """
    The masters of a cluster, each of which has some of the slots.

    A call that has failed is a doubt about one of them: those who ask for a key of another do not wait.
    """

    is_cluster = True

    def __init__(self, url: RedisUrl) -> None:
        super().__init__(url)
        self._knowing = list(url.nodes)
        self._ranges: list[tuple[range, Address]] = []
        self._doubted: set[Address] = set()
        self._learnt = 0

    def doubt(self, *keys: str) -> None:
        self._doubted.update(address for key in keys if (address := self._address_of(key)))

    async def of(self, key: str) -> Client:
        learnt, address = self._learnt, self._address_of(key)
        if address is None or address in self._doubted:
            async with self._lock:
                address = self._address_of(key)
                if address in self._doubted or (address is None and learnt == self._learnt):
                    await self._learn()
                    address = self._address_of(key)
        if address is None:
            raise redis.exceptions.ClusterDownError(f"no server of the cluster has slot {key_slot(key.encode())}")
        return self._client(address)

    def _address_of(self, key: str) -> Address | None:
        slot = key_slot(key.encode())
        return next((address for slots, address in self._ranges if slot in slots), None)

    async def _learn(self) -> None:
        doubted, self._doubted = self._doubted, set()  # before the answer: a call that fails meanwhile is another doubt
        try:
            told = await self._told(doubted)
        except BaseException:
            self._doubted |= doubted
            raise
        self._ranges = told.ranges
        self._learnt += 1
        # Those of the URL may be gone one day, and whoever was there once may be, too. Who is in doubt is asked last.
        known = dict.fromkeys([told.by, *told.masters, *told.replicas, *self._url.nodes])
        self._knowing = sorted(known, key=doubted.__contains__)
        await self._keep(told.masters)

    async def _told(self, doubted: set[Address]) -> _Map:
        """Ask some at a time; who still names a server that is in doubt may have missed what the others know."""
        failed: Exception = redis.exceptions.ConnectionError("nobody is known who could be asked")
        knowing = sorted(self._knowing, key=doubted.__contains__)
        for begin in range(0, len(knowing), ASKED_TOGETHER):
            group = knowing[begin : begin + ASKED_TOGETHER]
            self._knowing = [each for each in knowing if each not in group] + group
            try:
                maps = await self._asked(
                    group, self._map_by, lambda maps: any(doubted.isdisjoint(each.masters) for each in maps)
                )
            except (RedisError, OSError) as exc:
                failed = exc
            else:
                return min(maps, key=lambda each: len(doubted & each.masters))
        raise failed

    async def _map_by(self, address: Address) -> _Map:
        rows = await self._client(address).execute_command("CLUSTER SLOTS")

        def of(server: Any) -> Address:
            return _host(server[0], address[0]), int(server[1])

        return _Map(
            address,
            [(range(int(first), int(last) + 1), of(master)) for first, last, master, *_ in rows],
            [of(replica) for _, _, _, *replicas in rows for replica in replicas],
        )


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
