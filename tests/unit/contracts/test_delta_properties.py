"""Deltas of any two reports give the second one again, byte for byte; any bytes are applied or refused."""

import json

from hypothesis import example, given
from hypothesis import strategies as st
from reportcast.contracts.delta import apply, diff
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.report import ReportKind

from tests.golden.cases import A, B, audit, generic
from tests.support.deltas import check

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
