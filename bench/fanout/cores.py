"""Which core does what: the server that is measured has one of its own."""

import contextlib
import os
from collections.abc import Iterator


def split(cores: set[int]) -> tuple[set[int], set[int]]:
    """Give the server's core and the others; both are all of them where there is but one."""
    return ({max(cores)}, cores - {max(cores)}) if len(cores) > 1 else (cores, cores)


@contextlib.contextmanager
def running_on(cores: set[int]) -> Iterator[None]:
    """Let this process, and those that it starts meanwhile for all of their life, run on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
