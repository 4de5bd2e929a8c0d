import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from reportcast.telemetry.logs import configure_logs, get_hushed_logger


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and the libraries' records have one form, with service, level and time."""
    configure_logs("info", None, "test")

    structlog.get_logger("ours").info("it happened", offset=3)
    logging.getLogger("theirs").warning("it happened %s", "too")
    logging.getLogger("theirs").debug("not shown")

    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["offset"], ours["service"], ours["level"]) == ("it happened", 3, "test", "info")
    assert (theirs["event"], theirs["service"], theirs["level"]) == ("it happened too", "test", "warning")
    assert ours["timestamp"].endswith("Z")


def test_what_is_told_of_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Is for debugging, unless it is an error."""
    configure_logs("debug", None, "test")
    hushed = get_hushed_logger("ours").bind(channel="x")

    hushed.info("it happened", offset=3)
    hushed.warning("it went wrong")
    hushed.error("it broke")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["channel"]) for line in lines] == [
        ("it happened", "debug", "x"),
        ("it went wrong", "debug", "x"),
        ("it broke", "error", "x"),
    ]


def test_no_library_tells_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor every header of a handshake, in which they are."""
    configure_logs("debug", None, "test")

    logging.getLogger("websockets.client").debug("> Authorization: Bearer secret")

    assert capsys.readouterr().err == ""


def test_console(capsys: pytest.CaptureFixture[str]) -> None:
    """For people."""
    configure_logs("info", "console", "test")

    structlog.get_logger("ours").info("it happened", offset=3)

    assert "it happened" in capsys.readouterr().err
