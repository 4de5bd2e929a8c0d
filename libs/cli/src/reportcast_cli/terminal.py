"""What is printed: text that cannot speak to the terminal, for people; lines of JSON, for programs."""

import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

# Of the states that the auditor knows; others stand as they are.
STYLES = {"clean": "green", "dirty": "yellow", "missing": "red", "extra": "magenta", "mismatched": "red"}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command end by itself; rich would end it with 1."""
        raise


def console() -> Console:
    """Give what prints for people: coloured on a terminal, plain in a pipe."""
    return _Console(highlight=False, markup=False, emoji=False)


def complain(sentence: str) -> None:
    """Say on standard error what went wrong."""
    sys.stdout.flush()
    print(f"reportcast: {sentence}", file=sys.stderr)  # noqa: T201 - the one line that a person reads


def say(out: Console, *lines: Text | str) -> None:
    """Print lines, as long as they are: what is cut at a width cannot be searched for."""
    for line in lines:
        out.print(line, soft_wrap=True)


def say_json(told: Any) -> None:
    """Print one line of JSON."""
    say_bytes(msgspec.json.encode(told))


def say_bytes(line: bytes) -> None:
    """Print one line of JSON that is there already; at once, because a pipe waits for it."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def printable(text: str, most: int | None = None) -> str:
    """
    Give text that neither breaks the line nor speaks to the terminal.

    Args:
        text: Any; a report's names are somebody else's.
        most: Longer text is cut, and says so.
    """
    part = text if most is None or len(text) <= most else text[: most - 1] + "…"
    return part if part.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in part)
