"""
A service's process: command line, settings, logs, event loop, signals and exit codes.

Exit codes: 0 after a signal, 2 when it cannot be started as it was asked to.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeVar

import uvloop

from reportcast import __version__
from reportcast.service.settings import Settings, SettingsError, describe_settings, load_settings
from reportcast.telemetry.logs import configure_logs

S = TypeVar("S", bound=Settings)
T = TypeVar("T")

EXIT_OK = 0
EXIT_USAGE = 2


class StartupError(Exception):
    """The service cannot start as it was asked to; ``str()`` is the one line that says why."""


class CommandLine(argparse.ArgumentParser):
    """A command line whose errors are one line, and whose help ends with the settings."""

    def __init__(self, prog: str, description: str, settings: type[Settings] | None = None) -> None:
        epilog = f"settings (environment variables):\n{describe_settings(settings)}" if settings else None
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}; --help lists what is allowed\n")


def run_command(
    name: str,
    description: str,
    settings: type[S],
    run: Callable[[S], int],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a command that takes no arguments but ``--help`` and ``--version``; see ``run_service``."""
    parser = CommandLine(name, description, settings)
    parser.add_argument("--version", action="version", version=f"reportcast {__version__}")
    parser.parse_args(arguments)
    return run_service(name, settings, run)


def run_service(name: str, settings: type[S], run: Callable[[S], int]) -> int:
    """
    Run a service.

    Args:
        name: The command's, for messages.
        settings: Read from the environment.
        run: Gets the settings; mostly made by ``in_event_loop``.

    Returns:
        The exit code: that of ``run``, or EXIT_USAGE.
    """
    try:
        loaded = load_settings(settings, os.environ)  # noqa: TID251 - the one place that reads it
        configure_logs(loaded.log_level, loaded.log_format, name)
        # What is imported by now stays: a full collection that looks at it again stalls the loop for 100 ms and more.
        gc.collect()
        gc.freeze()
        return run(loaded)
    except (SettingsError, StartupError) as exc:
        print(f"{name}: {exc}", file=sys.stderr)  # noqa: T201 - the one line that a person reads
        return EXIT_USAGE


def in_event_loop(serve: Callable[[T, asyncio.Event], Awaitable[None]]) -> Callable[[T], int]:
    """
    Make of ``serve`` what runs it in an event loop until it returns, or a signal asks it to.

    Args:
        serve: Gets what it serves with, and an event that SIGTERM and SIGINT set. A second signal ends the process.

    Returns:
        Its result is EXIT_OK.
    """

    def run(given: T) -> int:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signal(lambda stop: serve(given, stop)))
        return EXIT_OK

    return run


async def _until_signal(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await serve(stop)
