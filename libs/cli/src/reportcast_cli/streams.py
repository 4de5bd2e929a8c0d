"""The standard streams: that they are there, what it means when one fails, and what goes the way of errors."""

import errno
import io
import os
import sys
from typing import Any, TextIO

from reportcast_cli.exits import Trouble
from reportcast_cli.printable import printable

# So much is asked for at once: what is reserved is what came, not what may come.
_PIECE_BYTES = 1024 * 1024


class Unwritten(Exception):
    """
    Standard output takes no more.

    It is no OSError, of which there are others, and which libraries take for their own.

    Attributes:
        is_unread: Whether that is because nobody reads it any more.
    """

    def __init__(self, exc: OSError) -> None:
        super().__init__(f"the output cannot be written: {exc.strerror or exc}")
        self.is_unread = exc.errno == errno.EPIPE


class _Output(io.FileIO):
    """Standard output, whose errors say that they are its own."""

    def write(self, text: Any) -> Any:
        try:
            return super().write(text)
        except OSError as exc:
            raise Unwritten(exc) from exc


def prepare() -> None:
    """Have all three streams, also where the shell closed one (``>&-``); what is written to such is lost."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            if (nowhere := os.open(os.devnull, os.O_RDWR)) != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - to the end
    out: Any = sys.stdout
    out.flush()
    # A terminal may know fewer characters than there are.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(out.fileno(), "w", closefd=False)),
        encoding=out.encoding,
        errors="replace",
        line_buffering=out.line_buffering,
    )


def give_up(stream: TextIO) -> None:
    """Lose what is left to be written to a stream: it would be written again at the end, and fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def complain(sentence: str) -> None:
    """Say on standard error, in one line that tells no secrets, what went wrong."""
    from reportcast_client.secrets import without_secrets

    try:
        print(printable(without_secrets(sentence)), file=sys.stderr)  # noqa: T201 - the one line that a person reads
    except OSError:
        give_up(sys.stderr)


def read_input(max_bytes: int) -> bytes:
    """
    Read standard input to its end, or one byte more than ``max_bytes``.

    Raises:
        Trouble: If it cannot be read.
    """
    pieces, room = [], max_bytes + 1
    try:
        while room and (piece := sys.stdin.buffer.read(min(room, _PIECE_BYTES))):
            pieces.append(piece)
            room -= len(piece)
    except OSError as exc:
        raise Trouble(f"standard input cannot be read: {exc.strerror or exc}") from exc
    return b"".join(pieces)
