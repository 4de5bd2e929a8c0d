"""The standard streams, whatever the shell made of them; and that nothing that is printed speaks to a terminal."""

import subprocess

import pytest
from reportcast_cli.terminal import console, say
from rich.text import Text

from tests.support.cli import Shell
from tests.support.commands import BIN

FULL = "reportcast: the output cannot be written: No space left on device\n"
EMPTY = '"published":false,"reason":"syntax","message":"report is empty; JSON is expected"\n'


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        pytest.param("--help | true", 141, "", "", id="help that nobody reads"),
        pytest.param("--version | true", 141, "", "", id="the version that nobody reads"),
        pytest.param("--help >/dev/full", 2, "", FULL, id="help on a full disk"),
        pytest.param("--version >&-", 0, "", "", id="no output"),
        pytest.param("validate --json - <&- | cut -d, -f 2-4", 1, EMPTY, "", id="no input"),
        pytest.param("validate /none 2>&-", 2, "", "", id="no errors"),
        pytest.param("validate /none 2>/dev/full", 2, "", "", id="errors on a full disk"),
        pytest.param("validate /none <&- >&- 2>&-", 2, "", "", id="nothing at all"),
        pytest.param(
            "validate --json - --max-bytes 99999999999999 </dev/null | cut -d, -f 2-4", 1, EMPTY, "", id="large"
        ),
    ],
)
def test_streams(line: str, code: int, out: str, err: str) -> None:
    """Are closed, full or unread: it ends as documented, without a traceback."""
    script = f"sleep 0; reportcast {line}; exit ${{PIPESTATUS[0]}}".replace("| true", "| (exec <&-; sleep 0.7)")
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": f"{BIN}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31m"],
        ["status", "ftp://\x1b[31m"],
        ["validate", "\x1b[31m"],
        ["validate", "--after", "\x1b[31m", "x"],
        ["diff", "\x1b[31m", "x"],
        ["tail", "--name", "\x1b[31m,"],
    ],
    ids=["command", "address", "file", "the last good one", "report", "name"],
)
def test_what_is_complained_of(reportcast: Shell, arguments: list[str]) -> None:
    """Is shown, and does nothing to the terminal."""
    done = reportcast(*arguments)

    assert done.code == 2
    assert "\x1b" not in done.err
    assert "\\x1b" in done.err


def test_what_nobody_should_read(reportcast: Shell) -> None:
    """Is not in a complaint: passwords and queries of addresses, and a token that cannot be sent."""
    address = reportcast("status", "http://user:secret@h/?access_token=secret")
    token = reportcast("status", "http://h", "--token", "secret\n")

    assert "'http://…@h/?access_token=…' is no address" in address.err
    assert "no header carries" in token.err
    assert "secret" not in address.err + token.err


def test_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Keeps its colours' places, and says what it cannot print."""
    out = console()

    say(out, "a\x1b[31m", Text.assemble(("b\x9b", "red"), "\u2028c\n"), Text("d", "dim"))

    assert capsys.readouterr().out == "a\\x1b[31m\nb\\x9b\\u2028c\\n\nd\n"
