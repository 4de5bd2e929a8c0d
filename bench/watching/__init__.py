"""The parts of `make bench-watch`."""
