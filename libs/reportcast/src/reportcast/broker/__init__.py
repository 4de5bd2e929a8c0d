"""Between watcher and gateways: publish, subscribe, latest snapshot, recent history. Knows nothing of clients."""
