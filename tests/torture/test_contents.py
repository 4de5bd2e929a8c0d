"""What stands in a report file: sizes, encodings, oddities, each published or refused with a precise sentence."""

import codecs
import json

import pytest

from tests.support.reports import audit, audit_bytes
from tests.torture.case import torture
from tests.torture.places import Place
from tests.torture.table import Row
from tests.torture.test_paths import MIB, resident_bytes

FLAGGED = "reportcast_watcher_flagged_total"
PUBLISHED = "reportcast_watcher_published_total"
REJECTED = "reportcast_watcher_rejected_total"

DEEP = audit_bytes(1)[:-1] + b', "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
TEXT = audit_bytes("é€😀").decode()
LATIN = json.dumps(audit("é"), ensure_ascii=False).encode("latin-1")
TWICE = b'{"timestamp": "2026-11-23T12:00:00Z", "repos": [],\n "repos": []}'
MISMATCH = audit_bytes(1, summary={"total": 5, "missing": 0, "extra": 0, "dirty": 0, "clean": 5})

BAD = {
    "100 MB": (b" " * 100 * MIB, "too_large", "report is 104857600 bytes; the limit is 16777216"),
    "deep nesting": (DEEP, "shape", "report is nested too deeply to be read; a few hundred levels are allowed"),
    "NaN": (
        audit_bytes(1, x=float("nan")),
        "syntax",
        "report is not JSON at line 18 column 8 (byte 288): invalid character near 'NaN",
    ),
    "a comment": (b"// by hand\n" + audit_bytes(1), "syntax", "report is not JSON at line 1 column 1 (byte 0)"),
    "UTF-16 without BOM": (TEXT.encode("utf-16-le"), "syntax", "report is not JSON at line 1 column 2 (byte 1)"),
    "Latin-1": (LATIN, "encoding", "report is not utf-8 at byte "),
}

GOOD = {
    "BOM": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-16 LE": codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    "UTF-16 BE": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "CRLF": TEXT.replace("\n", "\r\n").encode(),
    "10 MB": audit_bytes(1, padding="x" * 10 * MIB),
}


@pytest.mark.parametrize("content", BAD)
async def test_w18_refused_contents(place: Place, row: Row, content: str) -> None:
    """What is no report is refused with a precise sentence, in bounded memory; the next good one is published."""
    raw, reason, words = BAD[content]
    async with torture(place.report, row) as case:
        await case.moves(REJECTED, reason=reason)
        before = resident_bytes()
        place.report.write_bytes(raw)
        await case.refuses(words)
        assert resident_bytes() - before < 64 * MIB
        place.report.write_bytes(audit_bytes(2))
        await case.publishes(audit_bytes(2))


@pytest.mark.parametrize("content", GOOD)
async def test_w18_read_contents(place: Place, row: Row, content: str) -> None:
    """UTF-8 with a byte order mark, UTF-16 of both orders with one, and CRLF are read, whatever their size."""
    async with torture(place.report, row, report_settle_s=3.0) as case:
        await case.moves(PUBLISHED)
        place.report.write_bytes(GOOD[content])
        await case.publishes(GOOD[content])


async def test_w18_duplicate_keys(place: Place, row: Row) -> None:
    """A key that stands twice is published with the finding and its place."""
    await flagged(place, row, TWICE, "duplicate_key", "the key 'repos' stands twice in one object, at line 2 column 2")


async def test_w18_duplicate_keys_are_held(place: Place, row: Row) -> None:
    """A key that stands twice is refused, if REPORT_HOLD says so."""
    await held(place, row, TWICE, "duplicate_key", "the key 'repos' stands twice in one object, at line 2 column 2")


async def test_w24_a_summary_that_does_not_match(place: Place, row: Row) -> None:
    """Published with the reason attached."""
    await flagged(place, row, MISMATCH, "summary_mismatch", "summary")


async def test_w24_a_summary_that_does_not_match_is_held(place: Place, row: Row) -> None:
    """Refused with the reason, if REPORT_HOLD says so."""
    await held(place, row, MISMATCH, "summary_mismatch", "summary")


async def flagged(place: Place, row: Row, raw: bytes, kind: str, words: str) -> None:
    """Have a report published with a finding."""
    async with torture(place.report, row) as case:
        await case.moves(FLAGGED, finding=kind)
        place.report.write_bytes(raw)
        snapshot = await case.publishes(raw)
        assert [finding.kind for finding in snapshot.findings] == [kind]
        assert words in snapshot.findings[0].message


async def held(place: Place, row: Row, raw: bytes, kind: str, words: str) -> None:
    """Have a report refused for a finding."""
    async with torture(place.report, row, report_hold=(kind,)) as case:
        await case.moves(REJECTED, reason=kind)
        place.report.write_bytes(raw)
        await case.refuses(words)
        place.report.write_bytes(audit_bytes(2))
        await case.publishes(audit_bytes(2))
