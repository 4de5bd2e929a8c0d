import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.errors import ReportEncodingError, ReportError, ReportShapeError, ReportSyntaxError
from reportcast.contracts.report import Changes, Report, ReportKind, is_history_name, parse_report

from tests.support.reports import audit, audit_bytes

HEAD = b'{"timestamp":"2026-11-23T12:00:00Z","repos":'


def test_unknown_fields_and_number_forms_pass_through() -> None:
    """What is published is the producer's own text, without its insignificant white space."""
    raw = HEAD + b'[ {"name": "a", "status": "invented", "x": 1.10} ],\n "big": 12345678901234567890123, "e": 1E5}'

    body = parse_report(raw).body

    assert body == HEAD + b'[{"name":"a","status":"invented","x":1.10}],"big":12345678901234567890123,"e":1E5}'


def test_white_space_does_not_change_the_digest() -> None:
    """The same content written prettily and compactly is the same report."""
    pretty = parse_report(json.dumps(audit(), indent=4).encode())
    compact = parse_report(json.dumps(audit(), separators=(",", ":")).encode())

    assert pretty.digest == compact.digest


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + b"[]}", id="no-summary"),
        pytest.param(HEAD + b'[],"summary":{}}', id="summary-without-counts"),
        pytest.param(HEAD + b'[],"summary":{"total":3,"dirty":0.5,"note":"x"}}', id="some-counts"),
        pytest.param(HEAD + b'[{"name":"a","uncommittedChanges":true,"path":"/a"}]}', id="older-producer"),
        pytest.param(HEAD + b'[{"name":"a","status":null,"uncommittedChanges":false}]}', id="status-null-but-older"),
        pytest.param(b"\xef\xbb\xbf" + HEAD + b"[]}", id="utf-8-with-bom"),
        pytest.param((HEAD + b"[]}").decode().encode("utf-16"), id="utf-16-with-bom"),
        pytest.param((HEAD + b"[]}\n").replace(b",", b",\r\n"), id="crlf"),
        pytest.param(HEAD + b'[{"name":"\\ud800","status":"clean"}]}', id="escaped-lone-surrogate"),
        pytest.param(HEAD + b'[],"x":1e999,"y":"\\udc80"}', id="number-that-browsers-read-as-infinity"),
        pytest.param(HEAD + b'[],"y":"\\udc80","n":' + b"1" * 5000 + b"}", id="integer-of-5000-digits"),
        pytest.param(HEAD + b'[],"repos":[]}', id="duplicate-key"),
        pytest.param(HEAD + b'1,"repos":[{"name":1,"name":"a","status":"x"}]}', id="wrong-but-not-the-last"),
        pytest.param(HEAD + b'[],"summary":{"dirty":"x","dirty":0}}', id="wrong-count-but-not-the-last"),
    ],
)
def test_valid(raw: bytes) -> None:
    """Whatever a browser reads and has the shape is a report, and stays strict JSON."""
    body = parse_report(raw).body

    assert json.loads(body, parse_int=float)["timestamp"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("raw", "kind", "sentence"),
    [
        pytest.param(b"", ReportSyntaxError, "report is empty; JSON is expected", id="empty"),
        pytest.param(b" \n", ReportSyntaxError, "report is empty; JSON is expected", id="blank"),
        pytest.param(
            b'{"timestamp":\n"x"',
            ReportSyntaxError,
            "report is not JSON at line 2 column 4 (byte 17): it ends too early",
            id="cut-off",
        ),
        pytest.param(
            '{"é":1}x'.encode(),
            ReportSyntaxError,
            "report is not JSON at line 1 column 8 (byte 8): trailing characters near 'x'",
            id="trailing-bytes",
        ),
        pytest.param(
            b'{"timestamp":1,"repos":[',
            ReportSyntaxError,
            "report is not JSON at line 1 column 25 (byte 24): it ends too early",
            id="cut-off-after-a-wrong-field",
        ),
        pytest.param(
            HEAD + b"[NaN]}",
            ReportSyntaxError,
            "report is not JSON at line 1 column 46 (byte 45): invalid character near 'NaN]}'",
            id="nan",
        ),
        pytest.param(
            HEAD + b"[]} // done",
            ReportSyntaxError,
            "report is not JSON at line 1 column 49 (byte 48): trailing characters near '// done'",
            id="comment",
        ),
        pytest.param(
            b'{"a":"\xff"}', ReportEncodingError, "report is not utf-8 at byte 6: invalid start byte", id="latin-1"
        ),
        pytest.param(
            b"\xff\xfe{", ReportEncodingError, "report is not utf-16 at byte 2: truncated data", id="cut-utf-16"
        ),
        pytest.param(
            b"[]", ReportShapeError, "report: expected object, got array, at line 1 column 1 (byte 0)", id="list"
        ),
        pytest.param(
            b'{"repos":[]}',
            ReportShapeError,
            "report: object missing required field timestamp, at line 1 column 1 (byte 0)",
            id="no-timestamp",
        ),
        pytest.param(
            b'{"timestamp":1,"repos":[]}',
            ReportShapeError,
            "report.timestamp: expected str, got int, at line 1 column 14 (byte 13)",
            id="timestamp",
        ),
        pytest.param(
            HEAD + b"{}}",
            ReportShapeError,
            "report.repos: expected array, got object, at line 1 column 45 (byte 44)",
            id="repos",
        ),
        pytest.param(
            HEAD + b"[1]}",
            ReportShapeError,
            "report.repos[0]: expected object, got int, at line 1 column 46 (byte 45)",
            id="entry",
        ),
        pytest.param(
            HEAD + b'[{"name":"a","status":"clean"},{"name":7}]}',
            ReportShapeError,
            "report.repos[1].name: expected str, got int, at line 1 column 84 (byte 83)",
            id="name",
        ),
        pytest.param(
            HEAD + b'[{"name":"a"}]}',
            ReportShapeError,
            "report.repos[0]: expected a string status or uncommittedChanges, at line 1 column 46 (byte 45)",
            id="neither-status-nor-changes",
        ),
        pytest.param(
            HEAD + b'[{"name":"a","status":5}]}',
            ReportShapeError,
            "report.repos[0]: expected a string status or uncommittedChanges, at line 1 column 46 (byte 45)",
            id="status-no-string",
        ),
        pytest.param(
            HEAD + b'[],"summary":null}',
            ReportShapeError,
            "report.summary: expected object, got null, at line 1 column 58 (byte 57)",
            id="summary",
        ),
        pytest.param(
            HEAD + b'[],"summary":{"dirty":true}}',
            ReportShapeError,
            "report.summary.dirty: expected a number, got bool, at line 1 column 67 (byte 66)",
            id="count",
        ),
        pytest.param(
            b'{"timestamp":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            ReportShapeError,
            "report is nested too deeply to be read; a few hundred levels are allowed",
            id="deep-behind-a-wrong-field",
        ),
        pytest.param(
            HEAD + b'[],"summary":[],"x":"\\ud800"}',
            ReportShapeError,
            "report.summary: expected object, got array, at line 1 column 58 (byte 57)",
            id="shape-beside-a-lone-surrogate",
        ),
        pytest.param(
            HEAD + b'[],"summary":{},"summary":[]}',
            ReportShapeError,
            "report.summary: expected object, got array, at line 1 column 71 (byte 70)",
            id="the-last-of-two",
        ),
        pytest.param(
            HEAD + b'[{"name":"a","name":1,"status":"clean"}]}',
            ReportShapeError,
            "report.repos[0].name: expected str, got int, at line 1 column 65 (byte 64)",
            id="the-last-of-two-names",
        ),
        pytest.param(
            b"\xef\xbb\xbf" + HEAD + b"1}",
            ReportShapeError,
            "report.repos: expected array, got int, at line 1 column 45 (byte 47)",
            id="shape-behind-a-byte-order-mark",
        ),
        pytest.param(
            b"\xef\xbb\xbf[x]",
            ReportSyntaxError,
            "report is not JSON at line 1 column 2 (byte 4): invalid character near 'x]'",
            id="syntax-behind-a-byte-order-mark",
        ),
        pytest.param(
            b"\xef\xbb\xbf[\xff]",
            ReportEncodingError,
            "report is not utf-8 at byte 4: invalid start byte",
            id="latin-1-behind-a-byte-order-mark",
        ),
        pytest.param(
            HEAD + b'[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            ReportShapeError,
            "report is nested too deeply to be read; a few hundred levels are allowed",
            id="deep",
        ),
    ],
)
def test_invalid(raw: bytes, kind: type[ReportError], sentence: str) -> None:
    """Each kind of bad content gets one sentence that says where it is bad and what was allowed."""
    with pytest.raises(kind) as caught:
        parse_report(raw)

    assert str(caught.value) == sentence


@given(st.integers(min_value=0, max_value=len(audit_bytes()) - 1))
def test_a_prefix_of_a_report_is_never_a_report(length: int) -> None:
    """A writer that was cut off anywhere leaves what may be torn, never what is published."""
    with pytest.raises(ReportError) as caught:
        parse_report(audit_bytes()[:length])

    assert caught.value.may_be_torn


@given(st.binary(max_size=200))
def test_any_bytes_give_a_report_or_a_reason(raw: bytes) -> None:
    """No input raises anything but the documented errors."""
    with contextlib.suppress(ReportError):
        parse_report(raw)


@pytest.mark.parametrize(
    ("timestamp", "stem"),
    [
        pytest.param("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z", id="iso"),
        pytest.param("2026-11-23T12:00:00.5+01:00", "2026-11-23T12:00:00.5+01:00", id="iso-with-zone"),
        pytest.param("../../etc/passwd", None, id="path"),
        pytest.param("", None, id="empty"),
        pytest.param("x" * 65, None, id="long"),
        pytest.param(".hidden", None, id="hidden"),
        pytest.param("a\n", None, id="line-feed"),
    ],
)
def test_stem(timestamp: str, stem: str | None) -> None:
    """A report's timestamp names it in the history only if it is fit for a file name."""
    assert parse_report(audit_bytes(timestamp=timestamp)).stem == stem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-11-23T12:00:00Z.json", True),
        ("2026-11-23T12:00:00Z+7.json", True),
        ("2026-11-23T12:00:00Z", False),
        ("../x.json", False),
    ],
)
def test_is_history_name(name: str, expected: bool) -> None:
    """Only names that the broker can have given are looked up."""
    assert is_history_name(name) is expected


@pytest.mark.parametrize(
    ("raw", "timestamp"),
    [
        pytest.param(b'{"a":1}', None, id="object"),
        pytest.param(b" [1, 2]\n", None, id="array"),
        pytest.param(b'{"timestamp":"2026"}', "2026", id="timestamp"),
        pytest.param(b'{"timestamp":17}', None, id="timestamp-no-text"),
    ],
)
def test_generic(raw: bytes, timestamp: str | None) -> None:
    """Any JSON object or array is a report where no other is asked for."""
    report = parse_report(raw, ReportKind.GENERIC)

    assert report.body == raw.replace(b" ", b"").strip()
    assert (report.timestamp, report.stem) == (timestamp, timestamp)


@pytest.mark.parametrize("raw", [b"17", b'"text"', b"null"])
def test_generic_invalid(raw: bytes) -> None:
    """A lone value is no report of any kind."""
    with pytest.raises(ReportShapeError, match="report: expected an object or array"):
        parse_report(raw, ReportKind.GENERIC)


def test_changes() -> None:
    """Repositories are told apart by name and compared by their text."""

    def parsed(**statuses: str) -> Report:
        return parse_report(audit_bytes(repos=[{"name": name, "status": word} for name, word in statuses.items()]))

    changes = parsed(a="clean", b="dirty", c="clean", d="clean").changes_since(parsed(a="clean", b="clean", x="clean"))

    assert changes == Changes(added=2, removed=1, changed=1)


@pytest.mark.parametrize("kind", list(ReportKind))
@pytest.mark.parametrize("wrong", [b'{"timestamp":"x","repos":[', b'{"timestamp":1,"repos":[],"x":['])
def test_any_depth_gives_a_report_or_a_reason(kind: ReportKind, wrong: bytes) -> None:
    """Also what is just within the depth that can be read, and is looked at once more from deeper in the code."""
    for depth in range(900, 1010):
        with contextlib.suppress(ReportError):
            parse_report(wrong + b"[" * depth + b"]" * depth + b"]}", kind)
