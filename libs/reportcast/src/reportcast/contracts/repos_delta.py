"""
The delta of an audit report: which repositories were removed, moved, added and changed, and from what to what.

Source: docs/protocol.md, Deltas.
"""

import dataclasses
from typing import Annotated

import msgspec

from reportcast.contracts.audit import NOTHING, Repo, parse_audit, repos_text, texts_of
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.json_text import JsonText
from reportcast.contracts.members import Members, Text, is_object, join_items, read_members
from reportcast.contracts.object_patch import ObjectPatch, apply_members, apply_object, diff_members, diff_object
from reportcast.contracts.places import MAX_PARTS
from reportcast.contracts.sequence import longest_rise, match

Index = Annotated[int, msgspec.Meta(ge=0)]


class Removed(msgspec.Struct, forbid_unknown_fields=True):
    """A repository that is gone; ``at`` is its index in the list before."""

    at: Index
    name: str
    status: str


class Moved(msgspec.Struct, forbid_unknown_fields=True):
    """A repository with another place among those that stayed; indexes in the list before and after."""

    origin: Index = msgspec.field(name="from")
    to: Index
    name: str


class Added(msgspec.Struct, forbid_unknown_fields=True):
    """A new repository; ``at`` is its index in the list after."""

    at: Index
    repo: msgspec.Raw


class Changed(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """
    A repository that reads otherwise, and perhaps moved; ``at`` is its index in the list after.

    Attributes:
        origin: Its state before (docs/protocol.md, Deltas).
        to: Its state after.
        set: See ``ObjectPatch``.
        unset: See ``ObjectPatch``.
        repo: The whole, where setting and unsetting does not make it; else empty.
    """

    at: Index
    name: str
    origin: str = msgspec.field(name="from")
    to: str
    set: dict[str, msgspec.Raw] = {}
    unset: list[str] = []
    repo: msgspec.Raw = NOTHING


class ReposDelta(ObjectPatch, forbid_unknown_fields=True, omit_defaults=True, tag_field="format", tag="repos"):
    """
    What changes of an audit report.

    Attributes:
        summary: What changes of the summary, if that is an object before and after.
    """

    summary: ObjectPatch | msgspec.UnsetType = msgspec.UNSET
    removed: list[Removed] = msgspec.field(default_factory=list)
    moved: list[Moved] = msgspec.field(default_factory=list)
    added: list[Added] = msgspec.field(default_factory=list)
    changed: list[Changed] = msgspec.field(default_factory=list)

    @property
    def has_repos(self) -> bool:
        """Whether any repository changes."""
        return bool(self.removed or self.moved or self.added or self.changed)


class _Named(msgspec.Struct):
    name: msgspec.Raw


_named = msgspec.json.Decoder(list[_Named])


def diff_repos(before: bytes, after: bytes) -> ReposDelta | None:
    """
    Give what makes the audit report ``after`` of ``before``; ``None`` if this format cannot say it.

    Raises:
        ReportShapeError: If one is no audit report.
        DeltaError: If a key stands twice at the top, or one has too many parts.
    """
    old, new = _read_top(before), _read_top(after)
    patch = diff_members(old, new)
    if patch is None:
        return None
    delta = ReposDelta(patch.set, patch.unset)
    if delta.set.pop("repos", None) is not None:
        _diff_lists(_read_list(before), _read_list(after), delta)
    if "summary" in delta.set and "summary" in old.values:
        summary = diff_object(old.values["summary"], new.values["summary"])
        if summary is not None:
            delta.summary = summary
            del delta.set["summary"]
    return delta


@dataclasses.dataclass(slots=True)
class _List:
    """The repositories of a report: how they are written, and what is read of them."""

    texts: list[msgspec.Raw]
    repos: list[Repo]

    def state(self, index: int) -> str:
        return msgspec.json.decode(self.repos[index].state, type=str)


def _read_list(body: bytes) -> _List:
    repos = parse_audit(JsonText(body, body, body)).repos
    return _List(_repo_texts(repos_text(body)), repos)


def _read_top(body: bytes) -> Members:
    return read_members(body, repos_text(body))


def _repo_texts(repos: Text) -> list[msgspec.Raw]:
    """Take the list apart; one of many parts only if they are repositories, of which there cannot be as many."""
    written = bytes(repos)
    if written.count(b",") > MAX_PARTS and len(_named.decode(written)) > MAX_PARTS:
        raise DeltaError(f"the report has more than {MAX_PARTS} repositories; so many are not taken apart for a delta")
    return texts_of(written)


def _diff_lists(old: _List, new: _List, delta: ReposDelta) -> None:
    found = match((repo.name for repo in old.repos), (repo.name for repo in new.repos))
    kept = [index for index in found if index is not None]
    stay = longest_rise(kept)
    delta.removed = [
        Removed(at, old.repos[at].name, old.state(at)) for at in sorted(set(range(len(old.repos))).difference(kept))
    ]
    for at, origin in enumerate(found):
        if origin is None:
            delta.added.append(Added(at, new.texts[at]))
            continue
        if origin not in stay:
            delta.moved.append(Moved(origin, at, new.repos[at].name))
        if old.texts[origin] != new.texts[at]:
            delta.changed.append(_changed(old, origin, new, at))


def _changed(old: _List, origin: int, new: _List, at: int) -> Changed:
    changed = Changed(at, new.repos[at].name, old.state(origin), new.state(at))
    patch = diff_object(old.texts[origin], new.texts[at])
    if patch is None:
        changed.repo = new.texts[at]
    else:
        changed.set, changed.unset = patch.set, patch.unset
    return changed


def apply_repos(delta: ReposDelta, body: bytes) -> bytes:
    """
    Give the audit report that ``body`` becomes.

    Raises:
        DeltaError: If the delta does not fit it.
    """
    if "repos" in delta.set or "repos" in delta.unset:
        raise DeltaError("the delta sets or unsets repos as a whole; only single repositories are changed")
    top = _read_top(body)
    apply_members(delta, top)
    if delta.summary is not msgspec.UNSET:
        top.values["summary"] = apply_object(delta.summary, top.values.get("summary", b""))
    if delta.has_repos:
        texts = _place(_repo_texts(top.values["repos"]), delta)
        _change(texts, delta.changed)
        top.values["repos"] = join_items(texts)
    return top.write()


def _place(old: list[msgspec.Raw], delta: ReposDelta) -> list[Text]:
    gone = _distinct([*(each.at for each in delta.removed), *(each.origin for each in delta.moved)], len(old))
    size = len(old) - len(delta.removed) + len(delta.added)
    _distinct([*(each.at for each in delta.added), *(each.to for each in delta.moved)], size)
    placed: dict[int, Text] = {each.at: _object(each.repo) for each in delta.added}
    placed.update((each.to, old[each.origin]) for each in delta.moved)
    rest = (text for index, text in enumerate(old) if index not in gone)
    # Of distinct places within the new size, what is left over is just as many as the rest.
    return [placed[index] if index in placed else next(rest) for index in range(size)]


def _change(texts: list[Text], changes: list[Changed]) -> None:
    _distinct([each.at for each in changes], len(texts))
    for each in changes:
        if not each.repo:
            texts[each.at] = apply_object(ObjectPatch(each.set, each.unset), texts[each.at])
        elif each.set or each.unset:
            raise DeltaError(f"the delta changes the repository at {each.at} in part and as a whole")
        else:
            texts[each.at] = _object(each.repo)


def _object(text: msgspec.Raw) -> msgspec.Raw:
    if not is_object(text):
        raise DeltaError("the delta puts in a repository that is no object")
    return text


def _distinct(indexes: list[int], size: int) -> set[int]:
    known: set[int] = set()
    for index in indexes:
        if index >= size:
            raise DeltaError(f"the delta has the index {index}, but the list has {size} repositories")
        if index in known:
            raise DeltaError(f"the delta has the index {index} twice")
        known.add(index)
    return known
