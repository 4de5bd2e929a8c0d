"""Real servers that belong together: a master with replicas and Sentinels, a cluster; and one that speaks TLS."""

import contextlib
import dataclasses
import functools
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import redis

from tests.support.ports import free_port
from tests.support.redis_server import RedisProcess, SentinelProcess, redis_binary
from tests.support.wait import wait_until

MASTER = "mymaster"
SENTINEL_PASSWORD = "open-sesame"
START_S = 30.0

# Short, so that a test of a failover is; not so short that a busy machine has one without need.
DOWN_AFTER_MS = 1000

_SLOTS = 16_384
_MASTERS = 3


def client_of(server: RedisProcess, **options: Any) -> Any:
    """Give a client that is impatient; untyped, as the library's types allow for decoded replies."""
    return redis.Redis.from_url(server.url, socket_timeout=5, **options)


@dataclasses.dataclass(frozen=True)
class Group:
    """
    Servers that belong together.

    Attributes:
        url: As ``REDIS_URL`` has it.
        servers: Those that can hold data.
    """

    url: str
    servers: list[RedisProcess]

    def masters(self) -> list[RedisProcess]:
        """Give those that are masters by their own word."""
        return [server for server in self.servers if _role(server) == "master"]

    def master_of(self, key: str) -> RedisProcess:
        """
        Give the one that has ``key``.

        Raises:
            LookupError: If none has it now.
        """
        for server in self.masters():
            if _has(server, key):
                return server
        raise LookupError(f"no server has {key}")

    def replica_of(self, master: RedisProcess) -> RedisProcess:
        """Give one that follows ``master``."""
        return next(each for each in self.servers if _info(each).get("master_port") == master.port)

    def replicated(self, key: str) -> None:
        """Wait until a replica has what was written beside ``key``."""
        with client_of(self.master_of(key)) as client:
            client.set(f"{key}:replicated", b"", ex=60)
            assert client.wait(1, 5000), "no replica follows"

    def fail_over(self) -> None:
        """Have the Sentinels put another master in the place of the one that is well."""
        url = urlsplit(self.url)
        port = int(url.netloc.partition(",")[0].rpartition(":")[2])
        with redis.Redis(port=port, password=SENTINEL_PASSWORD) as sentinel:
            sentinel.sentinel_failover(MASTER)

    def flush(self) -> None:
        """Empty them."""
        for server in self.masters():
            with client_of(server) as client:
                client.flushall()


@contextlib.contextmanager
def redis_with_tls() -> Iterator[str]:
    """Run a Redis that wants TLS and a client's certificate; give the URL. Skip the test where Redis cannot do that."""
    with tempfile.TemporaryDirectory(prefix="reportcast-tls-") as name:
        folder = Path(name)
        authority, server, client = (_certificate(folder, each) for each in ("authority", "server", "client"))
        files = {"ssl_ca_certs": authority[0], "ssl_certfile": client[0], "ssl_keyfile": client[1]}
        port = free_port()
        options = {
            "tls-port": port,
            "tls-cert-file": server[0],
            "tls-key-file": server[1],
            "tls-ca-cert-file": authority[0],
        }
        process = RedisProcess(
            redis_binary(),
            free_port(),
            folder,
            *(f"{part}" for name, value in options.items() for part in (f"--{name}", value)),
        )
        with _running([process], lacking="TLS"):
            yield f"rediss://127.0.0.1:{port}/0?{urlencode(files)}"


@contextlib.contextmanager
def redis_sentinels() -> Iterator[Group]:
    """Run a master, two replicas and three Sentinels."""
    with _folders("sentinel", 6) as folders:
        binary, ports = redis_binary(), [free_port() for _ in folders]
        master = RedisProcess(binary, ports[0], folders[0])
        replicas = [
            RedisProcess(
                binary, port, folder, "--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0"
            )
            for port, folder in zip(ports[1:3], folders[1:3], strict=True)
        ]
        watched = [
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
            f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 2",
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {MASTER} 5000",
        ]
        sentinels = [
            SentinelProcess(binary, port, folder, *watched) for port, folder in zip(ports[3:], folders[3:], strict=True)
        ]
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in sentinels)
        url = f"redis+sentinel://{hosts}/{MASTER}/0?sentinel_password={SENTINEL_PASSWORD}"
        with _running([master, *replicas]):
            wait_until("the replicas follow", lambda: _info(master)["connected_slaves"] == 2, START_S)
            with _running(sentinels):
                wait_until("the Sentinels know all", lambda: all(map(_knows_all, sentinels)), START_S)
                yield Group(url, [master, *replicas])


@contextlib.contextmanager
def redis_cluster() -> Iterator[Group]:
    """Run three masters with a replica each."""
    with _folders("cluster", 2 * _MASTERS) as folders:
        servers = [
            RedisProcess(
                redis_binary(),
                free_port(),
                folder,
                *("--cluster-enabled", "yes", "--cluster-port", str(free_port())),
                *("--cluster-node-timeout", str(DOWN_AFTER_MS), "--repl-diskless-sync-delay", "0"),
                # A replica is told of once it has heard something of its master.
                *("--repl-ping-replica-period", "1"),
            )
            for folder in folders
        ]
        with _running(servers):
            _join(servers)
            yield Group(f"redis+cluster://{','.join(f'127.0.0.1:{each.port}' for each in servers[:2])}", servers)


def _join(servers: list[RedisProcess]) -> None:
    clients = [client_of(server) for server in servers]
    names = [str(client.execute_command("CLUSTER MYID"), "ascii") for client in clients]
    share = _SLOTS // _MASTERS + 1
    for number, client in enumerate(clients):
        client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)  # else they have to agree on one first
    for number, client in enumerate(clients[:_MASTERS]):
        client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, min(_SLOTS, (number + 1) * share) - 1)
    for server in servers[1:]:
        bus = clients[servers.index(server)].config_get("cluster-port")["cluster-port"]
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
    for name, client in zip(names, clients[_MASTERS:], strict=False):
        wait_until("it knows its master", functools.partial(_knows, client, name), START_S)
        client.execute_command("CLUSTER REPLICATE", name)
    wait_until("the cluster is whole", lambda: all(map(_is_joined, servers)), START_S)
    for client in clients:
        client.close()


def _knows(client: Any, name: str) -> bool:
    return name in str(client.execute_command("CLUSTER NODES"))


def _is_joined(server: RedisProcess) -> bool:
    with client_of(server) as client:
        info = client.execute_command("CLUSTER INFO")
        found = client.info("replication")
        is_linked = found["connected_slaves"] == 1 if found["role"] == "master" else found["master_link_status"] == "up"
        rows = client.execute_command("CLUSTER SLOTS")
    return bool(info["cluster_state"] == "ok" and is_linked and [len(row) for row in rows] == [4] * _MASTERS)


@contextlib.contextmanager
def _running(servers: Sequence[RedisProcess], lacking: str | None = None) -> Iterator[None]:
    try:
        for server in servers:
            try:
                server.start()
            except AssertionError as exc:
                if lacking is None:
                    raise
                pytest.skip(f"the Redis here has no {lacking}: {exc}")
        yield
    finally:
        for server in servers:
            server.kill()


@contextlib.contextmanager
def _folders(what: str, count: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix=f"reportcast-{what}-") as name:
        folders = [Path(name) / str(number) for number in range(count)]
        for folder in folders:
            folder.mkdir()
        yield folders


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    """Make a key and a certificate for 127.0.0.1, signed by the one that is called ``authority``."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    is_authority = name == "authority"
    signed_by = [] if is_authority else ["-CA", str(folder / "authority.crt"), "-CAkey", str(folder / "authority.key")]
    command = [
        *(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ),
        *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-addext", f"basicConstraints=critical,CA:{'TRUE' if is_authority else 'FALSE'}"),
        *("-keyout", str(key), "-out", str(certificate), *signed_by),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return str(certificate), str(key)


def _info(server: RedisProcess) -> dict[str, object]:
    with client_of(server) as client:
        return dict(client.info("replication"))


def _role(server: RedisProcess) -> str:
    with contextlib.suppress(redis.RedisError):
        return str(_info(server)["role"])
    return "away"


def _has(server: RedisProcess, key: str) -> bool:
    with client_of(server) as client, contextlib.suppress(redis.RedisError):
        client.exists(key)
        return True
    return False


def _knows_all(sentinel: SentinelProcess) -> bool:
    with client_of(sentinel, password=SENTINEL_PASSWORD) as client:
        state = client.sentinel_masters()[MASTER]
    return bool(state["num-slaves"] == 2 and state["num-other-sentinels"] == 2)
