"""What is printed: text that cannot speak to the terminal, for people; lines of JSON, for programs."""

import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from reportcast_cli.printable import printable
from reportcast_cli.streams import complain

# Of the states that the auditor knows; others stand as they are.
STYLES = {"clean": "green", "dirty": "yellow", "missing": "red", "extra": "magenta", "mismatched": "red"}


def console() -> Console:
    """Give what prints for people: coloured on a terminal, plain in a pipe."""
    return Console(highlight=False, markup=False, emoji=False)


def note(sentence: str) -> None:
    """Say on standard error, after what was printed, what went wrong."""
    sys.stdout.flush()
    complain(f"reportcast: {sentence}")


def say(out: Console, *lines: Text | str) -> None:
    """Print lines, as long as they are: what is cut at a width cannot be searched for. None speaks to the terminal."""
    for line in lines:
        out.print(_harmless(Text(line) if isinstance(line, str) else line, out), soft_wrap=True)


def _harmless(line: Text, out: Console) -> Text:
    if line.plain.isprintable():
        return line
    return Text.assemble(*((printable(part.text), part.style or "") for part in line.render(out)))


def say_json(told: Any) -> None:
    """Print one line of JSON."""
    say_bytes(msgspec.json.encode(told))


def say_bytes(line: bytes) -> None:
    """Print one line of JSON that is there already; at once, because a pipe waits for it."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
