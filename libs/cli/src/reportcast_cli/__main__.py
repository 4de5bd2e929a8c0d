"""
The command ``reportcast``: its subcommands with their arguments and options.

What a command does is in a module of its own, which is imported when it runs: the list of commands, and what the shell
completes, come at once.
"""

import enum
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.streams import Unwritten, complain, give_up, prepare
from reportcast_cli.up import UpCommand

HOME = "http://127.0.0.1:8080/"
# As REPORT_MAX_BYTES has it.
MAX_BYTES = 16 * 1024 * 1024

app = typer.Typer(
    help="Report files on disk as live feeds: serve them, follow them, look into them.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# What the auditor says of repositories (docs/protocol.md, Report); other words may stand in reports.
STATES = ("clean", "dirty", "missing", "extra", "mismatched")


def _states(incomplete: str) -> list[str]:
    return [state for state in STATES if state.startswith(incomplete)]


def _holds(incomplete: str) -> list[str]:
    """Complete the last of some kinds of findings."""
    from reportcast.contracts.findings import FindingKind

    given, comma, last = incomplete.rpartition(",")
    kinds = [kind for kind in FindingKind if kind not in given.split(",")]
    return [given + comma + word for word in (kinds if given else [*kinds, "all"]) if word.startswith(last)]


def _token(given: str | None) -> str | None:
    """Refuse a token that no request can carry, before any does; it is not shown."""
    if not given:
        return None
    from reportcast_client.secrets import token_of

    try:
        return token_of(given)
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc


class Way(enum.StrEnum):
    """As ``reportcast_client.Transport``, which takes longer to import than all else here."""

    WEBSOCKET = "websocket"
    EVENTS = "events"
    POLL = "poll"


Url = Annotated[str, typer.Argument(metavar="URL", envvar="REPORTCAST_URL", help="Address of the gateway.")]
Channel = Annotated[
    str | None, typer.Option("--channel", "-c", metavar="NAME", help="Which report; the gateway's first if not given.")
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        envvar="REPORTCAST_TOKEN",
        callback=_token,
        help="Opens a gateway that has one; in the environment it is safer.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, and nothing else.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end the process."""
    prepare()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command; give what the shell is told."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except Unwritten as exc:
        give_up(sys.stdout)
        return Exit.UNREAD if exc.is_unread else _complain(f"reportcast: {exc}")
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        return int(app(list(arguments), prog_name="reportcast", standalone_mode=False) or Exit.FINE)
    except typer.TyperException as exc:
        context = getattr(exc, "ctx", None)
        return _complain(
            f"{context.command_path if context else 'reportcast'}: {_sentence(exc)}; --help lists what is allowed"
        )
    except (Trouble, OSError) as exc:
        return _complain(f"reportcast: {exc}")


def _complain(sentence: str) -> Exit:
    complain(sentence)
    return Exit.TROUBLE


def _sentence(exc: typer.TyperException) -> str:
    told = " ".join(exc.format_message().split()).rstrip(".")
    return told[:1].lower() + told[1:]


def _version(wanted: bool) -> None:
    if wanted:
        from reportcast import __version__

        typer.echo(f"reportcast {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Print it.")] = False,
) -> None:
    pass


@app.command(cls=UpCommand, short_help="Serve a report: watcher, gateway and page in one process.")
def up() -> int:
    """Watch a report file and show it live, in one process, without Redis."""
    from reportcast_cli import up

    return up.run()


@app.command(short_help="Follow a feed and say what changes.")
def tail(
    url: Url = HOME,
    channel: Channel = None,
    token: Token = None,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", autocompletion=_states, help="Only repositories in this state; may come again."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only repositories of this name, as lab-*; may come again."),
    ] = None,
    transport: Annotated[
        list[Way] | None, typer.Option(help="How frames may travel, best first; all if not given.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", metavar="N", min=1, help="End after N reports.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one frame a line (docs/protocol.md).")] = False,
) -> int:
    """
    Follow a feed and say what changes, how old it is when it comes, and what is wrong.

    Ends with Ctrl-C; comes back by itself whatever fails.
    """
    from reportcast_cli import tail

    return tail.run(url, channel, token, state or [], name or [], transport or [], count, as_json)


@app.command(short_help="Ask whether a gateway's feeds are healthy, and why not.")
def status(url: Url = HOME, channel: Channel = None, token: Token = None, as_json: AsJson = False) -> int:
    """Ask a gateway whether its feeds are healthy, and why not: 0 healthy, 1 degraded, 2 not to be found out."""
    from reportcast_cli import status

    return status.run(url, channel, token, as_json)


@app.command(short_help="Say what changed from one report to another.")
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="A", help="A file, an address (a gateway's is its report), or -.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    token: Token = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="PLACE", help="A place that may differ, as timestamp, repos[*].note; may come again."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the delta (docs/protocol.md), and nothing else.")
    ] = False,
) -> int:
    """Say what changed from one report to another: 0 nothing, 1 something, 2 not to be found out."""
    from reportcast_cli import diff

    # One of the addresses may be anybody's: what the environment has is for the gateway that it names.
    is_said = getattr(context.get_parameter_source("token"), "name", "") == "COMMANDLINE"
    home = os.environ.get("REPORTCAST_URL") or HOME  # noqa: TID251 - as the other commands' argument has it
    return diff.run(before, after, diff.Admission(token, None if is_said else home), ignore or [], as_json)


@app.command(short_help="Say what a watcher would make of files.")
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Report files; - is standard input.")],
    channel: Annotated[
        str, typer.Option("--channel", "-c", metavar="NAME", help="audit, audit-… hold audit reports, others any JSON.")
    ] = "audit",
    hold: Annotated[
        str,
        typer.Option(
            metavar="KINDS", autocompletion=_holds, help="Findings that hold a report, as REPORT_HOLD has them; or all."
        ),
    ] = "",
    after: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The last good report, before which this one should not be.")
    ] = None,
    max_bytes: Annotated[int, typer.Option(metavar="N", min=1, help="A larger file is refused.")] = MAX_BYTES,
    as_json: AsJson = False,
) -> int:
    """Say what a watcher would make of files: 0 published, 1 refused, 2 not to be read."""
    from reportcast_cli import validate

    return validate.run(files, channel, hold, after, max_bytes, as_json)


@app.command(short_help="Have many clients follow, and say how they fared.")
def bench(
    url: Url = HOME,
    clients: Annotated[int, typer.Option("--clients", "-n", min=1, max=10_000, help="How many connect.")] = 100,
    seconds: Annotated[float, typer.Option("--seconds", "-s", min=0.1, max=600, help="How long they stay.")] = 10.0,
    trigger: Annotated[
        bool, typer.Option("--trigger", help="Ask for an update each second; may take the admin token.")
    ] = False,
    channel: Channel = None,
    token: Token = None,
    as_json: AsJson = False,
) -> int:
    """
    Have many clients follow, and say how they fared.

    Measures the changes that come by themselves meanwhile. Load what is yours: a public gateway is no test stand.
    Ends with 0 if every client was let in, stayed, and got all there was, else with 1.
    """
    from reportcast_cli import bench

    plan = bench.Plan(url, clients, seconds, channel, token, trigger)
    return bench.run(plan, as_json)


if __name__ == "__main__":
    main()
