import json
import subprocess
import sys
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.errors import Place
from reportcast.contracts.json_text import read_json
from reportcast.contracts.keys import find_duplicate_key, has_distinct_keys
from reportcast.contracts.places import byte_at, place_of

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
def test_byte_at(value: Any, indent: int | None, ascii_only: bool, data: st.DataObject) -> None:
    """A path leads to where its value begins, however the text is laid out."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    path: list[str | int] = []
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else list(range(len(value)))))
        path, value = [*path, step], value[step]

    byte = byte_at(text, tuple(path))

    found, _ = json.JSONDecoder().raw_decode(text[byte:].decode())
    assert found == value


def test_a_path_that_leads_nowhere() -> None:
    """Gives the last value on the way that is there."""
    assert byte_at(b'{"a":[1,{"b":2}]}', ("a", 1, "c")) == 8
    assert byte_at(b'{"a":[1,{"b":2}]}', ("x", 1)) == 0


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
    assert find_duplicate_key(text) == (key, byte)
    assert not has_distinct_keys(msgspec.json.format(text, indent=-1))


def test_many_surrogates_take_little_memory() -> None:
    """Of each, nothing is kept but its replacement."""
    raw = b'["' + rb"\ud800ab" * 2**19 + b'"]'
    tracemalloc.start()
    read_json(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 6 * len(raw)


def test_escaped_lone_surrogates_are_kept_as_written() -> None:
    """Browsers read them and msgspec does not: it gets another character, of the same length."""
    text = read_json(b'{ "a": "\\ud800" }')

    assert text.body == text.written == b'{ "a": "\\ud800" }'
    assert text.readable == b'{ "a": "\\ufffd" }'


@pytest.mark.parametrize(
    ("text", "path", "byte"),
    [
        pytest.param(b'{"a":1,"a":2}', ("a",), 11, id="top"),
        pytest.param(b'{"a":{"b":1},"a":{}}', ("a", "b"), 17, id="last-without-the-rest"),
        pytest.param(b'{"a":{"b":1}, "\\u0061" : {"b": 2,"b": 2}}', ("a", "b"), 38, id="both-levels"),
        pytest.param(b'{"a":[1,2],"a":[3,4]}', ("a", 1), 18, id="in-an-array"),
    ],
)
def test_the_place_of_a_key_that_stands_twice(text: bytes, path: tuple[str | int, ...], byte: int) -> None:
    """Is that of the last one, which readers take."""
    assert byte_at(text, path) == byte


def has_twice(text: bytes) -> bool:
    """Tell what Python's own reader says."""
    twice = []
    json.loads(text, object_pairs_hook=lambda pairs: twice.append(len(dict(pairs)) != len(pairs)), parse_int=str)
    return any(twice)


WORDS = st.sampled_from(["a", "b", ":", "\\", '"', '":', '\\":', "é", "\U0001f600", "", 'a":1,"b', "{", "}", "[,]"])
STRINGS = st.builds(
    lambda word, ascii_only, escaped: (
        '"' + "".join(f"\\u{ord(c):04x}" for c in word) + '"'
        if escaped and word.isascii()
        else json.dumps(word, ensure_ascii=ascii_only)
    ),
    WORDS,
    st.booleans(),
    st.booleans(),
)
# As text, so that keys can stand twice.
TEXTS = st.recursive(
    STRINGS | st.sampled_from(["1", "-1.5e3", "1e999", "null", "true", "1" * 40, '"' + "x" * 70_000 + '"']),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(STRINGS, inner), max_size=4).map(
            lambda members: "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"
        )
    ),
    max_leaves=25,
)


@given(TEXTS, st.sampled_from([-1, 1]))
def test_keys_are_told_apart_as_by_python(written: str, indent: int) -> None:
    """The quick check is never wrong when it is certain; the walk is always right."""
    text = msgspec.json.format(written.encode(), indent=indent)

    assert (find_duplicate_key(text) is not None) == has_twice(text)
    if has_distinct_keys(msgspec.json.format(text, indent=-1)):
        assert not has_twice(text)


@pytest.mark.parametrize("wrap", ["[%s]", '{"a":%s}', '[["x",%s],{"b":[%s]}]'])
def test_large_texts_are_told_quickly(wrap: str) -> None:
    """Of a nested object per entry, in any place, it is certain that they are distinct; of one too many, that not."""
    entries = ",".join(f'{{"name":"{n}","x":{{"a":1,"b":":2"}}}}' for n in range(5000))
    text = wrap.replace("%s", f"[{entries}]").encode()

    assert has_distinct_keys(text)
    assert not has_distinct_keys(text.replace(b'"4000","x":{"a"', b'"4000","x":{"b"', 1))


@pytest.mark.parametrize("piece", ["1,", '"a",', '"\\\\",', "{},", '":",', "[],", '{"a":1},', " ", '"a" ,\n'])
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    """Whatever a MiB is made of; where the time grows with the square, this takes hours."""
    text = f'[{piece * (1024 * 1024 // len(piece))}{{"x":[1]}}]'.encode()

    assert find_duplicate_key(text) is None
    assert text[byte_at(text, (10**9,)) :].strip()


def test_an_escaped_string_takes_little_memory() -> None:
    """A report of 15 MiB in one string of escapes beside a nested object is read within 200 MiB."""
    code = """
import re
from reportcast.contracts.report import parse_report
text = '{"timestamp":"t","repos":[],"x":{"a":"' + r"\\n" * (15 * 2**19) + '","b":1,"b":2},"summary":{"total":1}}'
assert len(parse_report(text.encode()).findings) == 2
print(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 200 * 1024
