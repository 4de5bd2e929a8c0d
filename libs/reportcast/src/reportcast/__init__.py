"""Report files on disk as live, scalable WebSocket feeds: what every service shares."""

import importlib.metadata

__version__ = importlib.metadata.version("reportcast")
