import pytest
from reportcast.contracts.errors import (
    ReportError,
    ReportMissing,
    ReportTooLarge,
    ReportUnreadable,
    ReportUnsettled,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ReportTooLarge(17825792, 16777216), "report is 17825792 bytes; the limit is 16777216"),
        (ReportUnreadable("/secret/r.json", "Permission denied"), "r.json cannot be read: Permission denied"),
        (ReportMissing("/secret/r.json"), "r.json does not exist"),
        (ReportUnsettled("/secret/r.json"), "r.json changed while it was read"),
    ],
    ids=["too-large", "unreadable", "missing", "unsettled"],
)
def test_sentences(error: ReportError, sentence: str) -> None:
    """An error says what happened in one sentence; of a path it tells the name alone."""
    assert str(error) == sentence
