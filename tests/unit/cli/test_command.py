"""The command as a whole: what it imports, what it refuses, and what a shell completes."""

import subprocess
import sys
from pathlib import Path

import pytest
from reportcast import __version__
from reportcast_cli.__main__ import Way
from reportcast_client import Transport

from tests.support.cli import Shell
from tests.support.commands import BIN, environment
from tests.support.reports import audit_bytes

COMMANDS = ["up", "tail", "status", "diff", "validate", "bench"]
HEAVY = {"httpx", "rich", "websockets", "uvicorn", "reportcast_client", "standalone", "pydantic"}


def test_the_list_of_commands_comes_at_once() -> None:
    """What commands need is imported when they run: the help, and what a shell completes, need none of it."""
    code = "import sys, reportcast_cli.__main__ as m; m.run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert HEAVY & set(done.stderr.split()) == set()


def test_every_command_is_listed(reportcast: Shell) -> None:
    """With what it does, in a line that is not cut; and with no command, one is asked for."""
    done, none = reportcast("--help"), reportcast()

    listed = done.out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS
    assert "..." not in done.out.split("Commands:\n")[1]
    assert (none.code, none.err) == (2, "reportcast: missing command; --help lists what is allowed\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(reportcast: Shell, command: str) -> None:
    """With the exit codes where they tell something."""
    done = reportcast(command, "--help")

    assert done.code == 0
    assert f"Usage: reportcast {command} " in done.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["dance"], "reportcast: no such command 'dance'; ", id="command"),
        pytest.param(["tial"], "reportcast: no such command 'tial'. Did you mean 'tail'?; ", id="typo"),
        pytest.param(["status", "--fast"], "reportcast status: no such option: --fast; ", id="option"),
        pytest.param(["diff", "a"], "reportcast diff: missing argument 'B'; ", id="argument"),
        pytest.param(["bench", "-n", "10001"], "less than or equal to 10000; ", id="too-many-clients"),
        pytest.param(["bench", "-s", "601"], "less than or equal to 600; ", id="too-long"),
        pytest.param(["tail", "--transport", "pigeon"], "'pigeon'", id="transport"),
        pytest.param(["validate", "--max-bytes", "x", "f"], "reportcast validate: invalid value for ", id="number"),
    ],
)
def test_what_is_wrong_is_one_sentence(reportcast: Shell, arguments: list[str], sentence: str) -> None:
    """On standard error, with exit code 2."""
    done = reportcast(*arguments)

    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert done.err.endswith("; --help lists what is allowed\n")
    assert len(done.err.splitlines()) == 1


def test_the_version(reportcast: Shell) -> None:
    """That of all packages."""
    assert reportcast("--version").out == f"reportcast {__version__}\n"


def test_every_transport_can_be_chosen() -> None:
    """The names are those of the client."""
    assert [way.value for way in Way] == [transport.value for transport in Transport]


def test_a_full_disk(tmp_path: Path) -> None:
    """One sentence, exit code 2, and no traceback."""
    report = tmp_path / "r.json"
    report.write_bytes(audit_bytes(1))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [BIN / "reportcast", "validate", report], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 2
    assert done.stderr == "reportcast: the output cannot be written: No space left on device\n"


def test_bash_completes() -> None:
    """Commands, options and their words, by the script that ``--show-completion`` prints."""
    script = """
        eval "$(reportcast --show-completion bash)"
        complete_line() { COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _reportcast_completion reportcast
            echo "${COMPREPLY[*]}"; }
        complete_line 'reportcast va'; complete_line 'reportcast tail --tr'
        complete_line 'reportcast tail --transport e'; complete_line 'reportcast tail --state di'
        complete_line 'reportcast validate --hold duplicate_key,duplicate_r'
    """
    path = {"PATH": f"{BIN}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", script], env=environment(path), capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["validate", "--transport", "events", "dirty", "duplicate_key,duplicate_repo"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete(shell: str) -> None:
    """They are told by the same command."""
    asked = {
        "_REPORTCAST_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "reportcast va",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run([BIN / "reportcast"], env=environment(asked), capture_output=True, text=True, check=False)

    assert "validate" in done.stdout
