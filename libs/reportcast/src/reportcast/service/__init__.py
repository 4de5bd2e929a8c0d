"""What every service process does alike: settings, logs, event loop, signals, exit codes, operational endpoints."""
