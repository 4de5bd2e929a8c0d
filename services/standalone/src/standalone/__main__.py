"""The command ``reportcast``: its subcommands, each in a module of its own."""

import argparse
import sys
from collections.abc import Sequence

from reportcast import __version__
from reportcast.service.process import CommandLine, in_event_loop, run_service

from standalone.up import StandaloneSettings, serve


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = CommandLine("reportcast", "Report files on disk as live WebSocket feeds.")
    parser.add_argument("--version", action="version", version=f"reportcast {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_up(commands)
    chosen = parser.parse_args(arguments)
    sys.exit(chosen.run())


def _add_up(commands: "argparse._SubParsersAction[CommandLine]") -> None:
    summary = "Watch a report file and show it live, in one process, without Redis."
    parser = commands.add_parser("up", help=summary, description=summary, settings=StandaloneSettings)
    parser.set_defaults(run=lambda: run_service("reportcast up", StandaloneSettings, in_event_loop(serve)))


if __name__ == "__main__":
    main()
