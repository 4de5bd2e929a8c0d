"""A JSON patch in words: where something changed, and from what to what."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast_cli.steps import steps

RECORDS = [{"name": "mx1", "ip": "10.0.0.1"}, {"name": "mx2", "ip": "10.0.0.2"}, {"name": "www", "ip": "10.0.0.3"}]


def changed(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """Give path, value before and value after of each step; ``...`` where there is none."""
    old, new = msgspec.json.encode(before), msgspec.json.encode(after)
    return [(step.path, loaded(step.before), loaded(step.after)) for step in steps(old, new)]


def loaded(text: bytes | None) -> Any:
    return ... if text is None else json.loads(text)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1, "b": 2}, [], id="nothing"),
        pytest.param({"ttl": 1}, {"ttl": 2}, [("ttl", 1, 2)], id="value"),
        pytest.param({"a": 1, "b": 2}, {"b": 3, "c": 4}, [("a", 1, ...), ("b", 2, 3), ("c", ..., 4)], id="keys"),
        pytest.param({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)], id="nested"),
        pytest.param({"a b": {'"': 1}}, {"a b": {'"': 2}}, [('["a b"]["\\""]', 1, 2)], id="odd-keys"),
        pytest.param(
            {"a/b": {"~": 1}, "z": "x" * 99}, {"a/b": {"~": 2}, "z": "x" * 99}, [('["a/b"]["~"]', 1, 2)], id="escapes"
        ),
        pytest.param({"n": [1, 2]}, {"n": [3]}, [("n", [1, 2], [3])], id="short-array"),
        pytest.param([1], {"a": 1}, [("", [1], {"a": 1})], id="another-kind"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, [], id="order-of-keys"),
    ],
)
def test_steps(before: Any, after: Any, expected: list[tuple[str, Any, Any]]) -> None:
    """In the order of the text, looked into however long that makes it."""
    assert changed(before, after) == expected


def test_items_of_a_list_go_by_their_names() -> None:
    """Whether a patch goes through the list, or would replace it."""
    after = [{"name": "mx1", "ip": "10.0.0.9"}, RECORDS[2], {"name": "new", "ip": "10.0.0.7"}]
    expected = [
        ("r[mx1].ip", "10.0.0.1", "10.0.0.9"),
        ("r[mx2]", RECORDS[1], ...),
        ("r[new]", ..., after[2]),
    ]

    assert changed({"r": RECORDS}, {"r": after}) == expected
    many = [{"name": f"n{number}", "ip": "10.0.1.1"} for number in range(50)]
    assert sorted(changed({"r": RECORDS + many}, {"r": after + many}), key=str) == sorted(expected, key=str)


def test_items_without_names_go_by_their_numbers_before() -> None:
    """In ascending order, though a patch begins at the end; what is put in has none."""
    numbers = [*range(100)]
    after = [7, 8, *range(50), "x", "y", *range(51, 99), "z"]

    assert changed(numbers, after) == [
        ("[]", ..., 7),
        ("[]", ..., 8),
        ("[50]", 50, "x"),
        ("[]", ..., "y"),
        ("[99]", 99, "z"),
    ]


def test_a_label_is_cut() -> None:
    """And one that is no word or number is none."""
    before = [{"id": "x" * 100, "v": 1}, {"id": 7, "v": 1}, {"id": None, "v": 1}, *range(50)]
    after = [{**item, "v": 2} if isinstance(item, dict) else item for item in before]

    assert [path for path, *_ in changed(before, after)] == [f"[{'x' * 40}].v", "[7].v", "[2].v"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab~/ ", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, _JSON)
def test_every_difference_is_told(before: Any, after: Any) -> None:
    """And nothing is told where there is none; every value that is told was, or is, there."""
    old, new = msgspec.json.encode(before), msgspec.json.encode(after)
    found = list(steps(old, new))

    assert bool(found) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
    assert all((step.before or b"") in old and (step.after or b"") in new for step in found)
