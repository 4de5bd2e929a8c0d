"""Feeds of the client by one transport, that come back quickly."""

from reportcast_client import Timing, Transport, connect

QUICK = Timing(base_s=0.01, cap_s=0.02, open_s=5.0)


def by(transport: Transport, url: str) -> connect:
    """Connect to ``audit`` by one transport and no other."""
    return connect(url, "audit", transports=[transport], proxy=False, timing=QUICK)
