"""What docs and reportcast.broker.base promise, of every broker."""

import pytest
from reportcast.broker.base import Broker

KINDS = ["memory_broker", "redis_broker", "valkey_broker", "tls_broker", "sentinel_broker", "cluster_broker"]


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each kind of broker in turn, on Redis in each of the forms in which people run it."""
    chosen: Broker = request.getfixturevalue(request.param)
    return chosen
