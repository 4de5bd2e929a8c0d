"""The page about the command line tells the truth about the code."""

import re
from typing import Any

import pytest
import typer.main
from reportcast_cli.__main__ import app
from reportcast_cli.exits import Exit

from tests.unit.docs.test_docs import ROOT, first_column, section

PAGE = (ROOT / "docs/cli.md").read_text()
COMMAND: Any = typer.main.get_command(app)


def words_of(command: Any) -> set[str]:
    """Give the arguments and options that the code has."""
    arguments = {
        name.strip("[].") for each in command.params if not each.opts[0].startswith("-") for name in [each.metavar]
    }
    return arguments | {option for each in command.params for option in each.opts if option.startswith("-")}


def words_told(text: str) -> set[str]:
    """Give those that begin the rows of a section's table."""
    rows = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_command_is_described() -> None:
    """And no other is."""
    sections = set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))

    assert sections - {"Completion"} == set(COMMAND.commands)


@pytest.mark.parametrize("name", sorted(COMMAND.commands))
def test_every_option_is_described(name: str) -> None:
    """And no other is."""
    assert words_told(section(PAGE, name)) == words_of(COMMAND.commands[name])


def test_the_options_of_the_whole_are_described() -> None:
    """And no other is."""
    assert words_told(section(PAGE, "Completion")) == words_of(COMMAND)


def test_every_exit_code_is_described() -> None:
    """And no other is."""
    assert first_column(section(PAGE, "Exit codes")) - {"code"} == {str(code.value) for code in Exit}
