"""
How commands end.

    0    as it should be: healthy, the same, publishable
    1    it was found otherwise: degraded, different, refused
    2    it could not be found out: a wrong option, no such file, nobody answers
    130  Ctrl-C
    141  nobody reads what is printed (as a process that SIGPIPE ends)

Source: docs/cli.md, Exit codes.
"""

import enum


class Exit(enum.IntEnum):
    """What the shell is told."""

    FINE = 0
    OTHERWISE = 1
    TROUBLE = 2
    INTERRUPTED = 130
    UNREAD = 141


class Trouble(Exception):
    """What was asked for cannot be found out; ``str()`` is the one sentence that says why."""
