"""What has no delta, and what is too deep, too long or too much to be taken apart."""

import json

import pytest
from reportcast.contracts import members
from reportcast.contracts.delta import apply, diff
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.report import ReportKind

from tests.golden.cases import A, B, audit, generic, patched
from tests.support.deltas import check


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(audit(A), audit(B, timestamp="x" * 2000), id="too-long"),
        pytest.param(audit(A, more=',"x":1,"y":1'), audit(A, more=',"y":1,"x":1'), id="order-at-the-top"),
        pytest.param(audit(A, more=',"x":1,"x":1'), audit(A, more=',"x":1,"x":2'), id="a-key-twice-at-the-top"),
        pytest.param(audit(A, more=',"\\u0061":1'), audit(A, more=',"\\u0061":2'), id="an-escaped-key-at-the-top"),
        pytest.param(audit(A, more=',"x":"\\ud800"'), audit(B, more=',"x":"\\ud800"'), id="lone-surrogates"),
        pytest.param(audit(A).replace(",", ", "), audit(B).replace(",", ", "), id="white-space"),
        pytest.param(audit(A), '{"timestamp":"","repos":1}', id="no-report"),
        pytest.param("[1]", "[2]", id="an-array"),
        pytest.param(audit(A, more=f',"x":{"[" * 5000}{"]" * 5000}'), audit(more=',"x":1'), id="nested-too-deeply"),
    ],
)
def test_there_is_no_delta(before: str, after: str) -> None:
    """The report is sent whole."""
    assert diff(before.encode(), after.encode(), ReportKind.AUDIT) is None


@pytest.mark.parametrize("text", [audit(A, more=',"x":"\\ud800"'), audit(A, more=f',"x":{"[" * 5000}{"]" * 5000}')])
@pytest.mark.parametrize("kind", list(ReportKind))
def test_what_cannot_be_taken_apart(text: str, kind: ReportKind) -> None:
    """Has no delta, not even to itself, and takes none."""
    assert diff(text.encode(), text.encode(), kind) is None
    for delta in (b'{"format":"repos"}', b'{"format":"merge-patch","patch":{}}', b'{"format":"json-patch","patch":[]}'):
        with pytest.raises(DeltaError):
            apply(delta, text.encode())


def nested(levels: int, value: object) -> str:
    """Give a generic report with a value in so many arrays."""
    return generic(f'"v":{"[[7,7,7]," * levels}{value}{"]" * levels}')


def test_what_lies_deep_is_changed_as_a_whole() -> None:
    """A path is never longer than those who apply it follow."""
    delta = check(nested(100, 1), nested(100, 2), ReportKind.GENERIC)

    assert delta is not None
    (operation,) = json.loads(delta)["patch"]
    assert operation["path"].count("/") == members.MAX_LEVELS


def test_too_many_operations() -> None:
    """Are neither made nor applied: each may move all items of an array."""
    operations = [{"op": "add", "path": "/0", "value": 1}] * 10_001

    with pytest.raises(DeltaError, match="the patch has 10001 operations; at most 10000 are applied"):
        apply(patched(*operations).encode(), b"[]")


def test_very_many_values_are_not_taken_apart() -> None:
    """They would take too much memory; the report is sent whole."""
    text = b"[" + b"1," * 600_000 + b"1]"

    assert diff(text, text[:-2] + b"2]", ReportKind.GENERIC) is None
    with pytest.raises(DeltaError, match="more than 500000 values in one place"):
        apply(patched({"op": "remove", "path": "/0"}).encode(), text)
    with pytest.raises(DeltaError):
        apply(
            b'{"format":"repos","removed":[{"at":0,"name":"","status":""}]}', b'{"timestamp":"","repos":' + text + b"}"
        )


def test_many_values_in_few_are_taken_apart() -> None:
    """It is those in one place that count."""
    items = [f"[{number},{','.join('1' * 30)}]" for number in range(20_000)]
    changed = [*items[:7], "[]", *items[8:]]

    delta = check(f'{{"a":[{",".join(items)}]}}', f'{{"a":[{",".join(changed)}]}}', ReportKind.GENERIC)

    assert delta == b'{"format":"json-patch","patch":[{"op":"replace","path":"/a/7","value":[]}]}'


def test_many_values_nested_deeply_are_not_taken_apart() -> None:
    """How many are in one place is not quickly known then."""
    text = b"[" * 9 + b"1," * 600_000 + b"1" + b"]" * 9

    with pytest.raises(DeltaError, match="more than 500000 values in one place"):
        apply(patched({"op": "remove", "path": "/0"}).encode(), text)


def test_very_many_repositories_are_not_taken_apart() -> None:
    """As many as no producer has."""
    text = b'{"timestamp":"","repos":[' + b",".join([b'{"name":"","status":""}'] * 500_002) + b"]}"

    with pytest.raises(DeltaError, match="more than 500000 repositories"):
        apply(b'{"format":"repos","removed":[{"at":0,"name":"","status":""}]}', text)


def test_a_path_of_too_many_steps() -> None:
    """Is refused: each step into a large report may copy it."""
    with pytest.raises(DeltaError, match=r"has 65 steps; at most 64 are followed"):
        apply(patched({"op": "remove", "path": "/0" * 65}).encode(), f"{'[' * 70}{']' * 70}".encode())
