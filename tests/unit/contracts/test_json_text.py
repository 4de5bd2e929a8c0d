import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.errors import Place
from reportcast.contracts.json_text import find_duplicate_key, place_at, place_of, read_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("byte", "place"),
    [(0, Place(1, 1, 0)), (3, Place(1, 3, 3)), (4, Place(2, 1, 4)), (6, Place(2, 3, 6))],
)
def test_place_of(byte: int, place: Place) -> None:
    """Lines and columns count from 1, columns in characters."""
    assert place_of("é1\nab".encode(), byte) == place


@given(VALUES, st.sampled_from([None, 2]), st.booleans(), st.data())
def test_place_at(value: Any, indent: int | None, ascii_only: bool, data: st.DataObject) -> None:
    """A path leads to where its value begins, however the text is laid out."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    path: list[str | int] = []
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else list(range(len(value)))))
        path, value = [*path, step], value[step]

    place = place_at(text, tuple(path))

    found, _ = json.JSONDecoder().raw_decode(text[place.byte :].decode())
    assert found == value


def test_a_path_that_leads_nowhere() -> None:
    """Gives the last value on the way that is there."""
    assert place_at(b'{"a":[1,{"b":2}]}', ("a", 1, "c")).byte == 8
    assert place_at(b'{"a":[1,{"b":2}]}', ("x", 1)).byte == 0


@given(VALUES, st.sampled_from([None, 2]))
def test_distinct_keys(value: Any, indent: int | None) -> None:
    """What Python writes has no key twice."""
    assert find_duplicate_key(json.dumps(value, indent=indent).encode()) is None


@pytest.mark.parametrize(
    ("text", "key", "byte"),
    [
        pytest.param(b'{"a":1,"a":2}', "a", 7, id="top"),
        pytest.param(b'{"a":1, "\\u0061" : 2}', "a", 8, id="escaped"),
        pytest.param(b'[{"a":{"b":1}},{"b":{"c":[],"c":{}}}]', "c", 28, id="nested"),
        pytest.param(b'{"a":{"a":1},"b":"a","a":2}', "a", 21, id="outer-after-inner"),
        pytest.param(b'{"":1,"":2}', "", 6, id="empty"),
    ],
)
def test_duplicate_keys(text: bytes, key: str, byte: int) -> None:
    """The second one is found, wherever it is and however it is written."""
    assert find_duplicate_key(text) == (key, place_of(text, byte))


def test_escaped_lone_surrogates_are_kept_as_written() -> None:
    """Browsers read them and msgspec does not: it gets another character, of the same length."""
    text = read_json(b'{ "a": "\\ud800" }')

    assert text.body == text.written == b'{ "a": "\\ud800" }'
    assert text.readable == b'{ "a": "\\ufffd" }'
