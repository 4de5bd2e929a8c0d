"""The parts of the reconnect storm."""
