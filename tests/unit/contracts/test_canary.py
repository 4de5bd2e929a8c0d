"""What a canary says, and the last word of it."""

import datetime

import pytest
from msgspec.structs import replace
from reportcast.contracts.canary import called_off, is_expected, read_canary, write_canary
from reportcast.contracts.channels import AUDIT, CANARY, check_free
from reportcast.contracts.messages import decode_message, encode_message
from reportcast.contracts.report import ReportKind, kind_of, parse_report

NOW = datetime.datetime(2026, 11, 28, 12, 0, 0, 123456, tzinfo=datetime.UTC)


def test_a_canary_says_when_it_was_written() -> None:
    """To the microsecond, and it is a report like any other."""
    body = write_canary("a1", 7, NOW)

    assert (canary := read_canary(body))
    assert (canary.writer, canary.number, canary.written_at) == ("a1", 7, NOW)
    assert kind_of(CANARY) is ReportKind.GENERIC
    assert parse_report(body, ReportKind.GENERIC).body == body


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"writer":"a"}', b'{"writer":"\xff","number":1,"written_us":1}'], ids=repr
)
def test_what_is_no_canary(body: bytes) -> None:
    """Is told from one."""
    assert read_canary(body) is None


def test_whether_canaries_are_expected() -> None:
    """Not before somebody has spoken of them, nor after the last word."""
    last = called_off(NOW)

    assert not is_expected(None)
    assert not is_expected(last)
    assert is_expected(replace(last, expected_every_s=2))
    assert decode_message(encode_message(last)) == replace(last, heard_at=NOW)


def test_the_channel_is_the_canarys_own() -> None:
    """No report may have its name."""
    assert check_free(AUDIT) == AUDIT
    with pytest.raises(ValueError, match="'_canary' is the self-probe's own; choose another name"):
        check_free(CANARY)
