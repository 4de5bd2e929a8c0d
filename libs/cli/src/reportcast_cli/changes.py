"""
What changed from one report to the next, as people speak of it. Pure.

It rests on the deltas that clients are sent, but for two things: the order of keys says nothing to a person, and a
value that was replaced is looked into however long that makes it.

Source: docs/protocol.md, Deltas.
"""

import dataclasses
import re
from collections.abc import Sequence

import msgspec
from reportcast.contracts.audit import Repo
from reportcast.contracts.errors import DeltaError, ReportShapeError
from reportcast.contracts.json_text import readable_of
from reportcast.contracts.object_patch import ObjectPatch
from reportcast.contracts.report import ReportKind
from reportcast.contracts.repos_delta import Changed, ReposDelta, diff_repos

from reportcast_cli.steps import Member, steps

# What a state is read from is not told again as a member.
_STATE_MEMBERS = ("status", "uncommittedChanges")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_repo = msgspec.json.Decoder(Repo)


@dataclasses.dataclass(frozen=True, slots=True)
class RepoChange:
    """
    A repository that changed.

    Attributes:
        name: Its name.
        before: Its state; ``None`` if it is new.
        after: Its state; ``None`` if it is gone.
        members: What else of it changed.
    """

    name: str
    before: str | None
    after: str | None
    members: tuple[Member, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything of it is left to be told."""
        return self.before != self.after or bool(self.members)


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """
    What changed.

    Attributes:
        repos: Of an audit report: those with another state first, then new, gone, and otherwise changed ones.
        moved: How many repositories have another place in the list among those that stayed.
        summary: Of an audit report.
        members: Of the whole.
    """

    repos: tuple[RepoChange, ...] = ()
    moved: int = 0
    summary: tuple[Member, ...] = ()
    members: tuple[Member, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.repos or self.moved or self.summary or self.members)

    def without(self, ignored: "Ignored") -> "Changes":
        """Give the changes but those in some places."""
        repos = (_repo_without(repo, ignored) for repo in self.repos)
        return Changes(
            repos=tuple(repo for repo in repos if repo.is_change),
            moved=0 if self.moved and "repos" in ignored else self.moved,
            summary=tuple(member for member in self.summary if f"summary.{member.path}" not in ignored),
            members=tuple(member for member in self.members if member.path not in ignored),
        )


def _repo_without(repo: RepoChange, ignored: "Ignored") -> RepoChange:
    place = f"repos[{repo.name}]"
    if place in ignored:
        return RepoChange(repo.name, repo.after, repo.after)
    if None not in (repo.before, repo.after) and f"{place}.status" in ignored:
        repo = dataclasses.replace(repo, before=repo.after)
    members = tuple(member for member in repo.members if f"{place}.{member.path}" not in ignored)
    return dataclasses.replace(repo, members=members)


class Ignored:
    """
    Places that may differ; ``place in ignored`` says whether one is among them, or below one of them.

    Args:
        patterns: As places are shown (``timestamp``, ``repos[nas].local_path``); ``*`` stands for anything.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        below = r"(?:[.\[].*)?"
        self._places = {each: re.compile(re.escape(each).replace(r"\*", ".*") + below, re.DOTALL) for each in patterns}
        self._used: set[str] = set()

    def __contains__(self, place: str) -> bool:
        found = [pattern for pattern, places in self._places.items() if places.fullmatch(place)]
        self._used.update(found)
        return bool(found)

    @property
    def unused(self) -> Sequence[str]:
        """Those in which nothing that was asked for was."""
        return [pattern for pattern in self._places if pattern not in self._used]


def comparable(body: bytes) -> bytes:
    """Give a report's body as ``compare`` takes it: with another character for what msgspec does not read."""
    try:
        return msgspec.json.format(body, indent=-1)
    except msgspec.MsgspecError:
        return msgspec.json.format(readable_of(body), indent=-1)


def compare(before: bytes, after: bytes, kind: ReportKind) -> Changes:
    """
    Tell what changed from one report to the next one.

    Args:
        before: From ``comparable``.
        after: The same.
        kind: What both are.
    """
    try:
        if kind is ReportKind.AUDIT and (found := _compare_audits(before, after)) is not None:
            return found
        return Changes(members=tuple(steps(before, after)))
    except RecursionError:  # nested so deeply that it can be read, but not gone through
        return Changes(members=(Member("", before, after),))


def told_by(delta: bytes, before: bytes) -> Changes | None:
    """
    Tell what changed by the delta that says it.

    Args:
        delta: As clients are sent it.
        before: What it is applied to.

    Returns:
        ``None`` if it is none of an audit report.
    """
    try:
        return _told(msgspec.json.decode(delta, type=ReposDelta), _members.decode(before))
    except msgspec.MsgspecError:
        return None


def _compare_audits(before: bytes, after: bytes) -> Changes | None:
    old, new = _members.decode(before), _members.decode(after)
    try:
        delta = diff_repos(msgspec.json.encode(old), msgspec.json.encode(_in_order_of(old, new)))
    except (DeltaError, ReportShapeError):  # too many parts to be taken apart
        return None
    return None if delta is None else _told(delta, old)


def _in_order_of(old: dict[str, msgspec.Raw], new: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    return {key: new[key] for key in [*(key for key in old if key in new), *new]}


def _told(delta: ReposDelta, old: dict[str, msgspec.Raw]) -> Changes:
    repos = _items.decode(old["repos"]) if delta.has_repos else []
    origins = _origins(len(repos), delta)
    changed = [_changed(each, repos[origins[each.at]]) for each in delta.changed]
    added = [RepoChange(repo.name, None, repo.state_name) for repo in (_repo.decode(each.repo) for each in delta.added)]
    removed = [RepoChange(each.name, each.status, None) for each in delta.removed]
    states = [each for each in changed if each.before != each.after]
    others = [each for each in changed if each.before == each.after and each.members]
    summary = () if delta.summary is msgspec.UNSET else _patched(delta.summary, old["summary"])
    members = _patched(delta, msgspec.json.encode(old))
    return Changes((*states, *added, *removed, *others), len(delta.moved), summary, members)


def _origins(size: int, delta: ReposDelta) -> dict[int, int]:
    """Give the index before of each repository that stayed, by its index after."""
    moved = {each.to: each.origin for each in delta.moved}
    gone = {each.at for each in delta.removed} | set(moved.values())
    rest = iter([index for index in range(size) if index not in gone])
    added = {each.at for each in delta.added}
    after = [at for at in range(size - len(delta.removed) + len(added)) if at not in added]
    return {at: moved[at] if at in moved else next(rest) for at in after}


def _changed(change: Changed, before: msgspec.Raw) -> RepoChange:
    if change.repo:  # its keys have another order, which says nothing
        members = tuple(steps(before, change.repo))
    else:
        members = _patched(ObjectPatch(change.set, change.unset), before)
    told = tuple(member for member in members if member.path not in _STATE_MEMBERS or change.origin == change.to)
    return RepoChange(change.name, change.origin, change.to, told)


def _patched(patch: ObjectPatch, before: bytes | msgspec.Raw) -> tuple[Member, ...]:
    """Give what a patch changes of an object; what it puts in place of another value is looked into."""
    old = _members.decode(before)
    gone = [Member(key, bytes(old[key]), None) for key in patch.unset]
    new = [Member(key, None, bytes(text)) for key, text in patch.set.items() if key not in old]
    changed = [step for key, text in patch.set.items() if key in old for step in steps(old[key], text, key)]
    return (*changed, *new, *gone)
