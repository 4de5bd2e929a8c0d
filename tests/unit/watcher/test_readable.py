import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watcher.readable import MAX_IN_BYTES, MAX_LINES, MAX_OUT_BYTES, readable_diff


def audit(repos: int, dirty: int = -1, **fields: object) -> dict[str, object]:
    states = ["dirty" if n == dirty else "clean" for n in range(repos)]
    return {"timestamp": "t", "repos": [{"name": f"r{n}", "status": state} for n, state in enumerate(states)], **fields}


def compact(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def pretty(content: object) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()


CHANGED = """\
the good report has 45 elements, the rejected content 45
@@ element 18 @@
  },
  {
  "name":"r3",
- "status":"clean"
+ "status":"dirty"
  },
  {
  "name":"r4","""


@pytest.mark.parametrize("write", [compact, pretty, lambda it: json.dumps(it).encode("utf-16")])
def test_a_change_is_shown_where_it_is(write: object) -> None:
    """However the rejected content is laid out and encoded, only what differs is a difference."""
    assert callable(write)
    assert readable_diff(compact(audit(10)), write(audit(10, dirty=3))) == CHANGED
    assert readable_diff(compact(audit(10)), write(audit(10))) == (
        "no element differs; only white space or the encoding does"
    )


def test_a_torn_content_ends_where_it_is_cut() -> None:
    """The last element of a torn write is shown beside the good one, and the missing rest is counted."""
    torn = pretty(audit(100, dirty=50)).partition(b'"dirty"')[0] + b'"dirt'

    lines = readable_diff(compact(audit(100)), torn).splitlines()

    assert lines[1].startswith("@@ element ")
    assert lines[5] == '- "status":"clean"'
    assert lines[-2].startswith("- … ")
    assert lines[-1] == '+ "status":"dirt'


def test_a_large_difference_is_counted() -> None:
    """What is too much to compare shows its begin on both sides, and where they meet again."""
    good, bad = audit(2000, end=1), audit(2000, end=1)
    bad["repos"] = [{"other": n} for n in range(3000)]

    lines = readable_diff(compact(good), compact(bad)).splitlines()

    assert sum(line.startswith("- … ") for line in lines) == sum(line.startswith("+ … ") for line in lines) == 1
    assert lines[-1] == '  "end":1'
    assert len(lines) < 40


def test_many_changes_are_cut_off() -> None:
    """And the rest is counted."""
    bad = audit(200)
    bad["repos"] = [{"name": f"r{n}", "status": "dirty" if n % 4 else "clean"} for n in range(200)]

    lines = readable_diff(compact(audit(200)), compact(bad)).splitlines()

    assert len(lines) == MAX_LINES
    assert lines[-1].endswith("more lines of the difference")


def test_long_strings_are_shown_where_they_differ() -> None:
    """Not broken, not in full, and with what cannot be printed escaped."""
    text = '{[,]}\\"' * 100
    found = readable_diff(compact({"log": text + "a\u202e", "z": 1}), compact({"log": text + "b\u202e", "z": 1}))
    lines = found.splitlines()

    assert lines[3].startswith("- …")
    assert lines[3].endswith('a\\u202e",')
    assert lines[4].endswith('b\\u202e",')
    assert "more characters" in readable_diff(compact({"log": text}), compact({"gol": text}))


def test_the_bytes_are_bounded() -> None:
    """Wide characters count as what they take."""
    shown = readable_diff(compact([]), compact([["\U0001f600" * 150 + str(n), n] for n in range(20)]))

    assert len(shown.encode()) <= MAX_OUT_BYTES
    head = readable_diff(None, compact(["\U0001f600" * 159] * 40))
    assert head.endswith("more lines of the difference")
    assert len(head.encode()) <= MAX_OUT_BYTES


def test_without_a_good_report_the_head_is_shown() -> None:
    """And it is said that there was none."""
    assert readable_diff(None, b"") == "there was no good report before; the rejected content is empty"
    assert readable_diff(None, b"Error: no file\x1b\n").splitlines()[1] == "  Error: no file\\x1b"
    assert readable_diff(None, compact(list(range(100)))).splitlines()[-1] == "  … 62 more"


@pytest.mark.parametrize("good", [None, b"{}"])
def test_what_is_too_large_is_a_sentence(good: bytes | None) -> None:
    """It is not compared at all."""
    assert readable_diff(good, b"[" * (MAX_IN_BYTES + 1)) == (
        "no difference is shown: a content is 4194305 bytes; up to 4194304 are compared"
    )


MIB = 1024 * 1024


@pytest.mark.parametrize(
    "piece", [r"\\\"", r"\"", "\\\\", '"', '":', '" :', "{", "a,", "[\n", '"\\n', "\n "], ids=ascii
)
def test_a_hostile_content_takes_linear_time(piece: str) -> None:
    """Whatever 4 MiB are made of; where the time grows with the square, this takes hours."""
    many = piece * (MAX_IN_BYTES // len(piece) // 2 - 8)
    for text in (f'"{many}" : 1', f'{{"{many}": "{many[:64]}', many):
        assert is_bounded(readable_diff(b'{"a": 1}', text.encode()))
        assert is_bounded(readable_diff(text.encode(), text.encode() + b"x"))


def test_a_hostile_content_takes_little_memory() -> None:
    """Escapes, and long strings of wide characters that differ at their end, take a few times their size."""
    wide = "\U0001f600" * (MAX_IN_BYTES // 4 - 8)
    for good, bad in (('["' + r"\\" * (2 * MIB - 8), "[]"), (f'["{wide}a"]', f'["{wide}b"]')):
        tracemalloc.start()
        readable_diff(good.encode(), bad.encode())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 64 * MIB


def is_bounded(shown: str) -> bool:
    lines = shown.split("\n")
    return len(lines) <= MAX_LINES and len(shown.encode()) <= MAX_OUT_BYTES and all(map(str.isprintable, lines))


JSONISH = st.text('{}[],:"\\ \nab1\u2028\x00\ufeff').map(str.encode)


@given(good=st.none() | st.binary() | JSONISH, bad=st.binary() | JSONISH)
def test_any_bytes_give_a_bounded_text(good: bytes | None, bad: bytes) -> None:
    """Nothing raises, and all of it can be printed."""
    assert is_bounded(readable_diff(good, bad))


VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab: {"), inner),
)


@given(value=VALUES, cut=st.integers(0, 400))
def test_the_layout_makes_no_difference(value: object, cut: int) -> None:
    """JSON is the same pretty-printed; cut off, it is still bounded."""
    ours, theirs = json.dumps(value, separators=(",", ":")).encode(), json.dumps(value, indent="\t").encode()

    assert is_bounded(readable_diff(ours, theirs[:cut]))
    assert is_bounded(readable_diff(theirs, theirs[:cut] + b"," + theirs[cut:]))
