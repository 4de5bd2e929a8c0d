"""What publishing costs Redis is measured of a real one."""

from urllib.parse import urlsplit

from redis import Redis

from bench.capacity.subscribers import measure
from tests.support.redis_server import redis_process


def test_every_subscriber_is_sent_the_message() -> None:
    """Each has all of it before the next is published, and Redis is charged for it."""
    with redis_process() as server, Redis.from_url(server.url) as redis:
        port = urlsplit(server.url).port
        assert port is not None

        found = measure(redis, port, size=100_000, subscribers=3, messages=10)

        sent = int(redis.info("stats")["total_net_output_bytes"])

    assert (found.size, found.subscribers, found.messages) == (100_000, 3, 10)
    assert found.cpu_us > 0
    # Those of the warm-up, too.
    assert sent >= (10 + 5) * 3 * 100_000
