"""How long a connection is looked after whose client is gone."""

from gateway.settings import ServerSettings
from gateway.upkeep import PONG_S, SILENT_PINGS, TICK_S


def test_a_client_that_is_gone_is_dropped_in_time() -> None:
    """In less than 70 s after its last word, with the settings as they come."""
    interval_s = ServerSettings.model_fields["gateway_ping_interval_s"].default

    assert SILENT_PINGS * interval_s + PONG_S + TICK_S < 70
