"""The Redis that other tests rely on does what its faults promise."""

from collections.abc import Iterator

import pytest
import redis

from tests.support.containers import require_engine
from tests.support.redis_server import RedisServer, redis_container, redis_gone, redis_paused, redis_process


@pytest.fixture(
    params=["process", pytest.param("container", marks=pytest.mark.containers)],
)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    if request.param == "container":
        require_engine()
    with redis_container() if request.param == "container" else redis_process() as running:
        yield running


def test_gone_comes_back_empty_on_the_same_port(server: RedisServer) -> None:
    """A crash closes connections, refuses new ones, and loses what was stored."""
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", "no")

        with redis_gone(server), pytest.raises(redis.ConnectionError):
            client.ping()

        assert client.dbsize() == 0


def test_paused_answers_nothing_and_loses_nothing(server: RedisServer) -> None:
    """A pause is silence on an open connection; afterwards all is as it was."""
    with redis.Redis.from_url(server.url, socket_timeout=0.2) as client:
        client.set("kept", "yes")

        with redis_paused(server), pytest.raises(redis.TimeoutError):
            client.ping()

        assert client.get("kept") == b"yes"


def test_stopped_while_paused_ends(server: RedisServer) -> None:
    """A clean-up does not hang on a server that a failed test left paused."""
    server.pause()

    server.stop()

    with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
