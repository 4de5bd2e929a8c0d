"""Deltas: what is made of two reports gives the second one again, byte for byte, and says what changed."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reportcast.contracts import members
from reportcast.contracts.delta import WORTH_BYTES, apply, diff
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.report import ReportKind, parse_report

from tests.golden.cases import A, B, audit, generic, patched

# Texts, not values: forms of numbers and escapes count.
SCALARS = st.sampled_from(
    [
        *("0", "-0", "1", "1.0", "1e3", "1E+400", "12345678901234567890123", "true", "null"),
        *('""', '"é"', '"\\u00e9"', '"\\/"', '"\\ud83d\\ude00"', '"\U0001f600"', '"\\"},{"'),
    ]
)
KEYS = st.sampled_from(['"a"', '"b"', '"é"', '"\\u0061"', '"__proto__"', '"1"', '"a/b"', '"~"', '""', '"\\""'])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give texts of objects, in which a key may stand twice."""
    return st.lists(st.tuples(KEYS, values), max_size=4).map(
        lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
    )


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give texts of arrays."""
    return st.lists(values, max_size=6).map(lambda items: "[" + ",".join(items) + "]")


VALUES = st.recursive(SCALARS, lambda inner: objects(inner) | arrays(inner), max_leaves=12)
STATES = st.sampled_from(
    [
        *('"status":"clean"', '"status":"dirty"', '"status":"\\u0063lean"'),
        *('"uncommittedChanges":false', '"uncommittedChanges":true', '"status":1,"uncommittedChanges":0'),
    ]
)
REPOS = st.builds(
    lambda name, state, more, first: "{" + ",".join([state, name, *more] if first else [name, state, *more]) + "}",
    st.sampled_from([f'"name":{json.dumps(name)}' for name in ["a", "b", "c", "d", "é", 'x"']]),
    STATES,
    st.lists(st.builds(lambda key, value: f"{key}:{value}", KEYS, VALUES), max_size=2),
    st.booleans(),
)
SUMMARIES = st.sampled_from(
    ['"summary":{"total":1,"dirty":2}', '"summary":{"dirty":3,"total":1}', '"summary":{"total":1.0}']
)


@st.composite
def audits(draw: st.DrawFn) -> tuple[str, str]:
    """Give the texts of two audit reports, of which the second is the first one edited."""
    repos = draw(st.lists(REPOS, max_size=8))
    rest = draw(st.lists(SUMMARIES | st.builds(lambda v: f'"x":{v}', VALUES), max_size=2))
    return audit_of(repos, rest, "t"), audit_of(
        draw(edited(repos)),
        rest if draw(st.booleans()) else draw(st.permutations([*rest, '"y":1'])),
        draw(st.sampled_from("tu")),
    )


def audit_of(repos: list[str], rest: list[str], timestamp: str) -> str:
    """Give an audit report's text that is long enough for a delta."""
    return (
        audit(*repos, timestamp=timestamp).replace('"summary":{"total":3,"dirty":0},', "")[:-1]
        + "".join(f",{member}" for member in rest)
        + "}"
    )


@st.composite
def edited(draw: st.DrawFn, items: list[str]) -> list[str]:
    """Give what some removals, moves, changes and additions make of a list."""
    after = list(items)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(after)))
        step = draw(st.sampled_from(["remove", "move", "change", "add", "again"]))
        if step == "add":
            after.insert(place, draw(REPOS))
        elif place < len(after):
            item = after[place] if step == "again" else after.pop(place)
            if step != "remove":
                new = item[:-1] + ',"more":1}' if step == "change" else item
                after.insert(draw(st.integers(0, len(after))) if step != "change" else place, new)
    return after


def check(before: str, after: str, kind: ReportKind) -> bytes | None:
    """Prove a delta; give it."""
    delta = diff(before.encode(), after.encode(), kind)
    if delta is not None:
        assert apply(delta, before.encode()) == after.encode()
        assert len(delta) <= max(len(after.encode()) // 2, WORTH_BYTES)
    return delta


@given(audits())
def test_audit_reports_come_out_byte_for_byte(pair: tuple[str, str]) -> None:
    """Whatever happened to the repositories, the members and the forms of the values."""
    check(*pair, ReportKind.AUDIT)


@given(VALUES, VALUES)
def test_generic_reports_come_out_byte_for_byte(before: str, after: str) -> None:
    """Whatever they hold."""
    check(generic(f'"v":{before}', '"w":1'), generic(f'"v":{after}', '"w":1.0'), ReportKind.GENERIC)


@given(st.lists(REPOS, max_size=8), st.data())
def test_edited_arrays_come_out_byte_for_byte(items: list[str], data: st.DataObject) -> None:
    """As generic reports too."""
    after = data.draw(edited(items))

    check(generic(f'"list":[{",".join(items)}]'), generic(f'"list":[{",".join(after)}]'), ReportKind.GENERIC)
    check(f"[{','.join(items)}]", f"[{','.join(after)}]", ReportKind.GENERIC)


@given(st.lists(st.integers(0, 9), max_size=12, unique=True), st.permutations(range(10)), st.data())
def test_what_is_said_is_what_happened(before: list[int], order: list[int], data: st.DataObject) -> None:
    """Added, removed and changed names are those, whatever the order; what moved is as little as possible."""
    after = [name for name in order if data.draw(st.booleans())]
    dirty = {name for name in after if data.draw(st.booleans())}

    delta = check(
        many(*(entry(name) for name in before)), many(*(entry(name, name in dirty) for name in after)), ReportKind.AUDIT
    )

    assert delta is not None
    said = json.loads(delta)
    both = [name for name in after if name in before]
    assert {each["name"] for each in said.get("removed", [])} == {str(name) for name in before if name not in after}
    assert {each["repo"]["name"] for each in said.get("added", [])} == {
        str(name) for name in after if name not in before
    }
    assert {each["name"]: (each["from"], each["to"], each["set"]) for each in said.get("changed", [])} == {
        str(name): ("clean", "dirty", {"status": "dirty"}) for name in both if name in dirty
    }
    assert len(said.get("moved", [])) == len(both) - longest_rise_by_hand([before.index(name) for name in both])


def longest_rise_by_hand(numbers: list[int]) -> int:
    """Give the length, in the slow way."""
    lengths: list[int] = []
    for index, number in enumerate(numbers):
        lengths.append(1 + max((lengths[k] for k in range(index) if numbers[k] < number), default=0))
    return max(lengths, default=0)


def entry(name: int, is_dirty: bool = False) -> str:
    """Give a repository's text."""
    return f'{{"name":"{name}","status":"{"dirty" if is_dirty else "clean"}"}}'


def many(*repos: str) -> str:
    """Give an audit report of which a delta is always short enough."""
    return audit(*repos, more=',"long":"' + "x" * 4000 + '"')


def large(count: int, **changes: Any) -> dict[str, Any]:
    """Give an audit report as the producer writes it."""
    repos = [
        {
            "name": f"repo-{number}",
            "status": "clean",
            "clone_url": f"https://github.com/example/repo-{number}.git",
            "local_path": f"/home/user/repos/repo-{number}",
            "remote_url": f"git@github.com:example/repo-{number}.git",
            "dashboard_link": f"https://dash.example/repo/{number}",
            "mitigation": "none needed",
            "file_status": {"README.md": True, "LICENSE": False},
        }
        for number in range(count)
    ]
    summary = {"total": count, "missing": 0, "extra": 0, "dirty": 0, "clean": count}
    return {
        "timestamp": "2026-11-23T12:00:00Z",
        "health_status": "green",
        "summary": summary,
        "repos": repos,
        **changes,
    }


def body(value: object) -> bytes:
    """Give compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_one_changed_repository_of_a_thousand_takes_little() -> None:
    """A status, a field, the time and the summary: less than 500 bytes of 280 KB."""
    before = large(1000)
    after = large(1000, timestamp="2026-11-23T12:05:00Z", health_status="yellow")
    after["summary"] |= {"dirty": 1, "clean": 999}
    after["repos"][500] |= {"status": "dirty", "mitigation": "commit or stash the changes"}

    delta = check(body(before).decode(), body(after).decode(), ReportKind.AUDIT)

    assert len(body(before)) > 250_000
    assert delta is not None
    assert len(delta) < 500
    assert json.loads(delta) == {
        "format": "repos",
        "set": {"timestamp": "2026-11-23T12:05:00Z", "health_status": "yellow"},
        "summary": {"set": {"dirty": 1, "clean": 999}},
        "changed": [
            {"at": 500, "name": "repo-500", "from": "clean", "to": "dirty"}
            | {"set": {"status": "dirty", "mitigation": "commit or stash the changes"}}
        ],
    }


@pytest.mark.parametrize("kind", list(ReportKind))
@pytest.mark.parametrize("text", ['{"timestamp":"","repos":[]}', audit(A, B)])
def test_equal_reports_have_an_empty_delta(text: str, kind: ReportKind) -> None:
    """Even where it is longer than the report."""
    delta = check(text, text, kind)

    assert delta in (b'{"format":"repos"}', b'{"format":"json-patch","patch":[]}')


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


def test_a_report_of_16_mib_takes_little_memory() -> None:
    """Neither making nor applying builds what it holds."""
    before = large(50_000)
    after = large(50_000, timestamp="later")
    after["repos"][7]["status"] = "dirty"
    old, new = body(before), body(after)
    del before, after
    for kind in ReportKind:
        tracemalloc.start()
        delta = diff(old, new, kind)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 * len(old), kind
        assert delta is not None
        assert apply(delta, old) == new


GARBAGE = st.binary(max_size=60) | st.builds(
    lambda format, key, value: json.dumps({"format": format, key: value}).encode(),
    st.sampled_from(["repos", "merge-patch", "json-patch", "x"]),
    st.sampled_from(["patch", "set", "unset", "summary", "removed", "moved", "added", "changed"]),
    st.recursive(
        st.none()
        | st.integers(-2, 5)
        | st.sampled_from([10**30, 1e300, 0.5, "", "a", "/a/0", "/-", "timestamp", "add"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["at", "name", "status", "from", "to", "repo", "set", "unset", "op", "path", "value"]),
                inner,
            )
        ),
        max_leaves=15,
    ),
)


@given(GARBAGE, st.sampled_from([audit(A, B), "[]", "1", "", '{"a":[1,{"b":null}]}', '{"a":1,"a":2}']))
@example(b"\xff", "[]")
@example(b'{"format":"merge-patch","patch":"\xff"}', "[]")
@example(b"[" * 100_000, "[]")
@example(b'{"format":"merge-patch","patch":' + b'{"a":' * 500 + b"1" + b"}" * 501, "{}")
def test_any_bytes_are_applied_or_refused(delta: bytes, text: str) -> None:
    """With a sentence, and in no other way."""
    after = applied_or_refused(delta, text.encode())

    if after is not None:
        json.loads(after)


def applied_or_refused(delta: bytes, text: bytes) -> bytes | None:
    """Give what comes out, or nothing if it is refused with a sentence."""
    try:
        return apply(delta, text)
    except DeltaError as exc:
        sentence = str(exc)
    assert " " in sentence
    return None


@given(audits(), st.data())
def test_a_mutilated_delta_is_applied_or_refused(pair: tuple[str, str], data: st.DataObject) -> None:
    """One that was cut, or of which a byte is another."""
    delta = diff(pair[0].encode(), pair[1].encode(), ReportKind.AUDIT) or b'{"format":"repos","removed":[]}'
    place = data.draw(st.integers(0, len(delta) - 1))
    delta = delta[:place] + data.draw(st.sampled_from([b"", b"0", b"9", b'"', b"\\", b"\xff"])) + delta[place + 1 :]

    applied_or_refused(delta, pair[0].encode())


def test_reports_as_they_are_parsed() -> None:
    """What the watcher reads of an indented file has a delta to the next one."""
    before, after = (
        parse_report(json.dumps(large(50, timestamp=time), indent=2).encode()).body
        for time in ("2026-11-23", "2026-11-24")
    )

    assert diff(before, after, ReportKind.AUDIT) == b'{"format":"repos","set":{"timestamp":"2026-11-24"}}'


def test_a_path_of_too_many_steps() -> None:
    """Is refused: each step into a large report may copy it."""
    with pytest.raises(DeltaError, match=r"has 65 steps; at most 64 are followed"):
        apply(patched({"op": "remove", "path": "/0" * 65}).encode(), f"{'[' * 70}{']' * 70}".encode())


def test_a_summary_that_is_no_object() -> None:
    """Is set as a whole, whether or not it was one."""
    delta = check(audit(A, summary="7"), audit(A), ReportKind.AUDIT)

    assert delta == b'{"format":"repos","set":{"summary":{"total":3,"dirty":0}}}'
