"""The command in this process: what it printed, and what the shell is told."""

import dataclasses
import json
from typing import Any

import pytest
from reportcast_cli.__main__ import run


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line."""
        return self.out.splitlines()

    @property
    def told(self) -> list[Any]:
        """What was printed, as lines of JSON."""
        return [json.loads(line) for line in self.lines]


class Shell:
    """Runs ``reportcast`` with arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Done:
        self._capsys.readouterr()  # what servers in this process logged before
        code = run([str(argument) for argument in arguments])
        printed = self._capsys.readouterr()
        return Done(code, printed.out, printed.err)
