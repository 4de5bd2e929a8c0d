"""
The audit report: what is read of it, what makes it valid, and whether it agrees with itself.

Only the fields that decide something are named here; everything else passes through untouched.

Source: docs/protocol.md, Report.
"""

import collections
import re
from collections.abc import Iterator

import msgspec

from reportcast.contracts.errors import ReportShapeError
from reportcast.contracts.findings import FindingKind, finding
from reportcast.contracts.json_text import JsonText, find_duplicate_key, place_at
from reportcast.contracts.messages import Finding

# Any JSON of any depth: kept as its text, never built. Empty where there is none.
_NOTHING = msgspec.Raw(b"")


class _Repo(msgspec.Struct):
    name: str
    status: msgspec.Raw = _NOTHING
    uncommitted_changes: msgspec.Raw = msgspec.field(name="uncommittedChanges", default=_NOTHING)

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


class Audit(msgspec.Struct):
    """What is read of an audit report; ``repos`` in their order."""

    timestamp: str
    repos: list[_Repo]
    summary: _Summary | msgspec.UnsetType = msgspec.UNSET


_audit = msgspec.json.Decoder(Audit)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(list[msgspec.Raw])


def parse_audit(text: JsonText) -> Audit:
    """
    Read an audit report.

    Raises:
        ReportShapeError: If the JSON is none; says which field, where, and what was allowed there.
    """
    try:
        audit = _audit.decode(text.readable)
    except msgspec.ValidationError as exc:
        raise _shape_error(exc, text) from exc
    for index, repo in enumerate(audit.repos):
        if not repo.has_status and not bytes(repo.uncommitted_changes):
            place = place_at(text.written, ("repos", index))
            sentence = f"report.repos[{index}]: expected a string status or uncommittedChanges, at {place}"
            raise ReportShapeError(sentence, place)
    return audit


def repo_texts(audit: Audit, text: JsonText) -> dict[str, int]:
    """Give a hash of each repository's text by its name, to see which changed."""
    raws = _texts.decode(_fields.decode(text.readable)["repos"])
    return {repo.name: hash(bytes(raw)) for repo, raw in zip(audit.repos, raws, strict=True)}


def audit_findings(audit: Audit, text: JsonText) -> Iterator[Finding]:
    """Tell whether the report agrees with itself."""
    if not _has_distinct_keys(text):
        yield from duplicate_key_findings(text)
    if repeated := _repeated_name(audit, text):
        yield repeated
    if audit.summary is not msgspec.UNSET:
        yield from _arithmetic(audit, audit.summary, text)


def duplicate_key_findings(text: JsonText) -> Iterator[Finding]:
    """Tell of the first key that an object has twice."""
    if duplicate := find_duplicate_key(text.written):
        key, place = duplicate
        sentence = f"the key {key[:64]!r} stands twice in one object, at {place}; readers take the last"
        yield finding(FindingKind.DUPLICATE_KEY, sentence, place)


def _has_distinct_keys(text: JsonText) -> bool:
    """
    Tell quickly whether no key stands twice; false when that is not certain.

    In compact JSON every key ends in ``":``, and nothing else does unless it is escaped. When the distinct keys of the
    top, the summary and the repos are as many, there is no other key: none twice, and none nested.
    """
    body = text.readable
    if text.written is text.body or rb"\":" in body:
        return False
    top = _fields.decode(body)
    count = len(top) + (len(_fields.decode(top["summary"])) if "summary" in top else 0)
    return body.count(b'":') == count + sum(len(_fields.decode(raw)) for raw in _texts.decode(top["repos"]))


def _repeated_name(audit: Audit, text: JsonText) -> Finding | None:
    seen: set[str] = set()
    for index, repo in enumerate(audit.repos):
        if repo.name in seen:
            place = place_at(text.written, ("repos", index, "name"))
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
        f"{name} {getattr(summary, name)} (the repos give {counts[name]})"
        for name in told
        if getattr(summary, name) not in (msgspec.UNSET, counts[name])
    ]
    # Producers that count what should be there leave the extra ones out of the total.
    allowed = {len(audit.repos), len(audit.repos) - counts["extra"]}
    if summary.total is not msgspec.UNSET and summary.total not in allowed:
        wrong.insert(0, f"total {summary.total} (the repos give {len(audit.repos)})")
    if wrong:
        place = place_at(text.written, ("summary",))
        sentence = f"the summary does not match the repos: {', '.join(wrong)}, at {place}"
        yield finding(FindingKind.SUMMARY_MISMATCH, sentence, place)


def _shape_error(exc: msgspec.ValidationError, text: JsonText) -> ReportShapeError:
    what, _, where = str(exc).partition(" - at ")
    what = (what[0].lower() + what[1:]).replace("int | float", "a number").replace("`", "")
    where = where.strip("`").removeprefix("$")
    path = tuple(key or int(index) for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", where))
    place = place_at(text.written, path)
    return ReportShapeError(f"report{where}: {what}, at {place}", place)
