"""What watcher, broker, gateway and clients agree on. Pure: no I/O, no event loop, no clock."""
