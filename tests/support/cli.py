"""The command ``reportcast``: what it printed, and what the shell is told."""

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from reportcast_cli.__main__ import run

from tests.support import commands


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
    """Runs ``reportcast`` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Done:
        code = run([str(argument) for argument in arguments])
        printed = self._capsys.readouterr()
        return Done(code, printed.out, printed.err)


async def in_a_process(*arguments: object) -> Done:
    """Run ``reportcast`` as a process of its own, while the event loop serves what it asks."""
    done = await asyncio.to_thread(commands.run, "reportcast", *map(str, arguments))
    return Done(done.returncode, done.stdout, done.stderr)
