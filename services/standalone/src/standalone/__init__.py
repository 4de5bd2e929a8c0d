"""Watcher, gateway and page in one process on the in-process broker: no Redis needed."""
