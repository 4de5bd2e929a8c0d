"""What runs in one process alone."""

import pytest


def require_one_process(config: pytest.Config, option: str) -> None:
    """
    Refuse an option together with workers, each of which would do a part of it.

    Raises:
        pytest.UsageError: If both were given.
    """
    if config.getoption(option, default=None) and config.getoption("numprocesses", default=None):
        raise pytest.UsageError(f"{option} was given with workers; it is for one process: leave --numprocesses out")
