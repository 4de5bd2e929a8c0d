"""
The audit report: what is read of it, what makes it valid, and whether it agrees with itself.

Only the fields that decide something are named here; everything else passes through untouched.

Source: docs/protocol.md, Report.
"""

import collections
import dataclasses
import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from reportcast.contracts.errors import ReportShapeError
from reportcast.contracts.findings import FindingKind, finding
from reportcast.contracts.json_text import JsonText
from reportcast.contracts.keys import find_duplicate_key, has_distinct_keys
from reportcast.contracts.messages import Finding
from reportcast.contracts.places import MAX_PARTS, Path

# Any JSON of any depth: kept as its text, never built. Empty where there is none.
NOTHING = msgspec.Raw(b"")


class Repo(msgspec.Struct):
    """
    What is read of a repository.

    Attributes:
        status: As written; empty where there is none.
        uncommitted_changes: As written; empty where there is none.
    """

    name: str
    status: msgspec.Raw = NOTHING
    uncommitted_changes: msgspec.Raw = msgspec.field(name="uncommittedChanges", default=NOTHING)

    @property
    def has_status(self) -> bool:
        return bytes(self.status).lstrip().startswith(b'"')

    @property
    def state(self) -> bytes:
        """The status as written; of an older producer's repo, what its ``uncommittedChanges`` means."""
        if self.has_status:
            return bytes(self.status).strip()
        return b'"clean"' if bytes(self.uncommitted_changes).strip() in _FALSE else b'"dirty"'


_FALSE = (b"false", b"null", b"0", b'""')
_COUNTED = ("missing", "extra", "dirty", "clean", "mismatched")
_Count = int | float | msgspec.UnsetType


class _Summary(msgspec.Struct):
    total: _Count = msgspec.UNSET
    missing: _Count = msgspec.UNSET
    extra: _Count = msgspec.UNSET
    dirty: _Count = msgspec.UNSET
    clean: _Count = msgspec.UNSET
    mismatched: _Count = msgspec.UNSET


@dataclasses.dataclass(slots=True)
class Audit:
    """What is read of an audit report; ``repos`` in their order."""

    timestamp: str
    repos: list[Repo]
    summary: _Summary | None


class _Top(msgspec.Struct):
    timestamp: msgspec.Raw
    repos: msgspec.Raw
    summary: msgspec.Raw = NOTHING


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(list[msgspec.Raw])
_top = msgspec.json.Decoder(_Top)
_timestamp = msgspec.json.Decoder(str)
_repo = msgspec.json.Decoder(Repo)
_repos = msgspec.json.Decoder(list[Repo])
_summary = msgspec.json.Decoder(_Summary)


def parse_audit(text: JsonText) -> Audit:
    """
    Read an audit report. Of a key that stands twice the last one is read, as browsers do, and has to be right.

    Raises:
        ReportShapeError: If the JSON is none; says which field, where, and what was allowed there.
    """
    top = _decode(_top, text.readable, (), text)
    audit = Audit(
        _decode(_timestamp, top.timestamp, ("timestamp",), text),
        _decode_repos(top.repos, text),
        _decode_last(_summary, top.summary, ("summary",), text) if bytes(top.summary) else None,
    )
    for index, repo in enumerate(audit.repos):
        if not repo.has_status and not bytes(repo.uncommitted_changes):
            place = text.place_at(("repos", index))
            sentence = f"report.repos[{index}]: expected a string status or uncommittedChanges, at {place}"
            raise ReportShapeError(sentence, place)
    return audit


_T = TypeVar("_T")


def _decode(decoder: msgspec.json.Decoder[_T], part: bytes | msgspec.Raw, path: Path, text: JsonText) -> _T:
    try:
        return decoder.decode(part)
    except msgspec.ValidationError as exc:
        raise _shape_error(exc, path, text) from exc


def _decode_last(decoder: msgspec.json.Decoder[_T], part: msgspec.Raw, path: Path, text: JsonText) -> _T:
    """Decode an object; a wrong value does not count where a later one of the same key stands beside it."""
    try:
        return decoder.decode(part)
    except msgspec.ValidationError:
        if not bytes(part).lstrip().startswith(b"{"):
            return _decode(decoder, part, path, text)
        return _decode(decoder, msgspec.json.encode(_fields.decode(part)), path, text)


def _decode_repos(part: msgspec.Raw, text: JsonText) -> list[Repo]:
    try:
        return _repos.decode(part)
    except msgspec.ValidationError as exc:
        if not bytes(part).lstrip().startswith(b"["):
            raise _shape_error(exc, ("repos",), text) from exc
    if bytes(part).count(b",") > MAX_PARTS:  # to list them would take too much memory
        return _decode(_repos, part, ("repos",), text)
    return [_decode_last(_repo, raw, ("repos", index), text) for index, raw in enumerate(_texts.decode(part))]


def repo_texts(audit: Audit, text: JsonText) -> dict[str, int]:
    """Give a hash of each repository's text by its name, to see which changed."""
    raws = texts_of(repos_text(text.readable))
    return {repo.name: hash(bytes(raw)) for repo, raw in zip(audit.repos, raws, strict=True)}


def repos_text(readable: bytes) -> msgspec.Raw:
    """Give the list of repositories of an audit report as it is written."""
    return _top.decode(readable).repos


def texts_of(array: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """Give the items of an array as they are written."""
    return _texts.decode(array)


def audit_findings(audit: Audit, text: JsonText) -> Iterator[Finding]:
    """Tell whether the report agrees with itself."""
    yield from duplicate_key_findings(text)
    # Where lone surrogates are read as one and the same character, two names may seem to be one.
    if text.is_compact and (repeated := _repeated_name(audit, text)):
        yield repeated
    if audit.summary:
        yield from _arithmetic(audit, audit.summary, text)


def duplicate_key_findings(text: JsonText) -> Iterator[Finding]:
    """Tell of the first key that an object has twice."""
    if text.is_compact and has_distinct_keys(text.body):
        return
    if duplicate := find_duplicate_key(text.written):
        key, byte = duplicate
        place = text.place_of(byte)
        sentence = f"the key {key[:64]!r} stands twice in one object, at {place}; readers take the last"
        yield finding(FindingKind.DUPLICATE_KEY, sentence, place)


def _repeated_name(audit: Audit, text: JsonText) -> Finding | None:
    seen: set[str] = set()
    for index, repo in enumerate(audit.repos):
        if repo.name in seen:
            place = text.place_at(("repos", index, "name"))
            distinct = len({each.name for each in audit.repos})
            more = f" and {len(audit.repos) - distinct - 1} more are" if len(audit.repos) - distinct > 1 else " is"
            sentence = f"the repository {repo.name[:64]!r}{more} listed twice, at {place}"
            return finding(FindingKind.DUPLICATE_REPO, sentence, place)
        seen.add(repo.name)
    return None


def _arithmetic(audit: Audit, summary: _Summary, text: JsonText) -> Iterator[Finding]:
    states = collections.Counter(repo.state for repo in audit.repos)
    counts = {name: states[f'"{name}"'.encode()] for name in _COUNTED}
    # An older producer's repos tell only whether they are dirty.
    told = _COUNTED if all(repo.has_status for repo in audit.repos) else ("dirty", "clean")
    wrong = [
        f"{name} {_told(getattr(summary, name))} (the repos give {counts[name]})"
        for name in told
        if getattr(summary, name) not in (msgspec.UNSET, counts[name])
    ]
    # Producers that count what should be there leave the extra ones out of the total.
    allowed = {len(audit.repos), len(audit.repos) - counts["extra"]}
    if summary.total is not msgspec.UNSET and summary.total not in allowed:
        wrong.insert(0, f"total {_told(summary.total)} (the repos give {len(audit.repos)})")
    if wrong:
        place = text.place_at(("summary",))
        sentence = f"the summary does not match the repos: {', '.join(wrong)}, at {place}"
        yield finding(FindingKind.SUMMARY_MISMATCH, sentence, place)


def _told(count: _Count) -> str:
    # It may have thousands of digits.
    return str(count)[:64]


def _shape_error(exc: msgspec.ValidationError, path: Path, text: JsonText) -> ReportShapeError:
    what, _, where = str(exc).partition(" - at ")
    what = (what[0].lower() + what[1:]).replace("int | float", "a number").replace("`", "")
    rest = re.findall(r"\.(\w+)|\[(\d+)\]", where)
    path += tuple(key or int(index) for key, index in rest)
    name = "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in path)
    place = text.place_at(path)
    return ReportShapeError(f"report{name}: {what}, at {place}", place)
