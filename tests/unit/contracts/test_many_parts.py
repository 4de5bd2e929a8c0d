"""What is too large to be taken apart quickly is walked through, or said not to be certain."""

import pytest
from reportcast.contracts import audit, places
from reportcast.contracts.errors import ReportShapeError
from reportcast.contracts.keys import has_distinct_keys
from reportcast.contracts.places import byte_at
from reportcast.contracts.report import parse_report


def test_a_wrong_entry_among_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told with its place, without a list of them all."""
    monkeypatch.setattr(audit, "MAX_PARTS", 3)

    with pytest.raises(ReportShapeError, match=r"report\.repos\[0\]: expected object, got int, at line 1 column 27"):
        parse_report(b'{"timestamp":"t","repos":[1,2,3,4,5]}')


def test_a_place_among_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is found by a walk, which goes no further than it has to."""
    monkeypatch.setattr(places, "MAX_PARTS", 0)

    assert byte_at(b'[7,{"b":2},3]', (0, "x")) == 1
    assert byte_at(b'[7,{"b":2},3]', (1, "b")) == 8


def test_large_parts_in_large_parts() -> None:
    """Each level would be copied once more: from some depth on it is not certain whether the keys are distinct."""
    part = b'{"a":"' + b"x" * 70_000 + b'"}'

    assert has_distinct_keys(b"[" * 2 + part + b"]" * 2)
    assert not has_distinct_keys(b"[" * 9 + part + b"]" * 9)
