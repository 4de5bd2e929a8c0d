"""
What changed from one audit report to another, repository by repository. Pure.

Source: docs/protocol.md, Deltas.
"""

import bisect
import collections
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from reportcast.contracts.audit import states_of
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import array_of, elements_of, members_of, object_of

_REPOS, _SUMMARY = "repos", "summary"


class Patch(msgspec.Struct, omit_defaults=True):
    """
    Changes of an object's members.

    Attributes:
        set: Those that are new, appended in this order, or have another value, in their place.
        unset: Those that are no more.
    """

    set: dict[str, msgspec.Raw] = {}
    unset: list[str] = []


class Removed(msgspec.Struct):
    """A repository that is no more; ``at``: in the list before."""

    at: int
    name: str
    status: str


class Moved(msgspec.Struct):
    """A repository in another place; ``from_``: in the list before, ``to``: in the one after."""

    from_: int = msgspec.field(name="from")
    to: int = msgspec.field()
    name: str = msgspec.field()


class Added(msgspec.Struct):
    """A repository that is new; ``at``: in the list after."""

    at: int
    repo: msgspec.Raw


class Changed(msgspec.Struct, omit_defaults=True):
    """A repository of which something is different; ``at``: in the list after; ``repo``: whole, where it has to be."""

    at: int
    name: str
    from_: str = msgspec.field(name="from")
    to: str = msgspec.field()
    set: dict[str, msgspec.Raw] = {}
    unset: list[str] = []
    repo: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ReposDelta(msgspec.Struct, omit_defaults=True, tag_field="format", tag="repos"):
    """What changed from one audit report to another."""

    set: dict[str, msgspec.Raw] = {}
    unset: list[str] = []
    summary: Patch = msgspec.field(default_factory=Patch)
    removed: list[Removed] = []
    moved: list[Moved] = []
    added: list[Added] = []
    changed: list[Changed] = []


def repos_delta_of(before: bytes, after: bytes) -> ReposDelta | None:
    """Give what leads from one report to the other; ``None`` if it cannot be said."""
    old, new = members_of(before), members_of(after)
    if old is None or new is None or _REPOS not in old or _REPOS not in new:
        return None
    summary = _patch_of_texts(old.get(_SUMMARY, b""), new.get(_SUMMARY, b""))
    # What is said in a part of its own is the same on both sides for the rest.
    told = {_REPOS: new[_REPOS]} | ({} if summary is None else {_SUMMARY: new[_SUMMARY]})
    top = _patch_of({**old, **told}, new)
    delta = _list_delta(old[_REPOS], new[_REPOS])
    if top is None or delta is None:
        return None
    delta.set, delta.unset = top.set, top.unset
    delta.summary = summary or Patch()
    return delta


def apply_repos_delta(body: bytes, delta: ReposDelta) -> bytes:
    """
    Apply a delta.

    Raises:
        DeltaError: If it does not fit.
    """
    members = members_of(body)
    repos = elements_of(members.get(_REPOS, b"")) if members is not None else None
    if members is None or repos is None:
        raise DeltaError("the report is no audit report that can be taken apart")
    repos = _rearranged(repos, delta)
    seen: set[int] = set()
    for change in delta.changed:
        if not 0 <= change.at < len(repos) or change.at in seen:
            raise DeltaError(f"changed: {change.at} is not one of {len(repos)} places, or comes twice")
        seen.add(change.at)
        if isinstance(change.repo, msgspec.UnsetType):
            repos[change.at] = _patched(repos[change.at], change, "a repository")
        else:
            repos[change.at] = bytes(change.repo)
    if delta.summary.set or delta.summary.unset:
        members[_SUMMARY] = _patched(members.get(_SUMMARY, b""), delta.summary, "the summary")
    _patch(members, delta, "the report")
    members[_REPOS] = array_of(repos)
    return object_of(members)


class _Repo(NamedTuple):
    name: str
    state: str


def _list_delta(before: bytes, after: bytes) -> ReposDelta | None:
    olds, news = elements_of(before), elements_of(after)
    if olds is None or news is None:
        return None
    try:
        old_repos, new_repos = ([_Repo(*each) for each in states_of(text)] for text in (before, after))
    except msgspec.DecodeError:
        return None
    came_from, removed = _matched(old_repos, new_repos)
    stays = _longest_rise(came_from)
    delta = ReposDelta()
    delta.removed = [Removed(at, *old_repos[at]) for at in removed]
    for at, origin in enumerate(came_from):
        if origin is None:
            delta.added.append(Added(at, msgspec.Raw(news[at])))
            continue
        if at not in stays:
            delta.moved.append(Moved(origin, at, new_repos[at].name))
        if olds[origin] != news[at]:
            change = Changed(at, new_repos[at].name, old_repos[origin].state, new_repos[at].state)
            patch = _patch_of_texts(olds[origin], news[at])
            if patch is None:
                change.repo = msgspec.Raw(news[at])
            else:
                change.set, change.unset = patch.set, patch.unset
            delta.changed.append(change)
    return delta


def _matched(olds: Sequence[_Repo], news: Sequence[_Repo]) -> tuple[list[int | None], list[int]]:
    """Give where each of ``news`` was, by its name, and which of ``olds`` are no more."""
    places: dict[str, collections.deque[int]] = collections.defaultdict(collections.deque)
    for at, repo in enumerate(olds):
        places[repo.name].append(at)
    came_from = [places[repo.name].popleft() if places.get(repo.name) else None for repo in news]
    return came_from, sorted(at for left in places.values() for at in left)


def _longest_rise(came_from: Sequence[int | None]) -> set[int]:
    """Give the places of a longest part in which ``came_from`` rises: those that need not move."""
    ends: list[int] = []  # for each length, the least origin with which such a part ends
    places: list[int] = []  # and where that is
    before: dict[int, int] = {}
    for at, origin in enumerate(came_from):
        if origin is None:
            continue
        length = bisect.bisect_left(ends, origin)
        if length:
            before[at] = places[length - 1]
        ends[length : length + 1] = [origin]
        places[length : length + 1] = [at]
    stays = set()
    at_last = places[-1] if places else None
    while at_last is not None:
        stays.add(at_last)
        at_last = before.get(at_last)
    return stays


def _rearranged(repos: list[bytes], delta: ReposDelta) -> list[bytes]:
    if not (delta.removed or delta.moved or delta.added):
        return repos
    gone = [each.at for each in delta.removed] + [each.from_ for each in delta.moved]
    _check_places(gone, len(repos), "removed or moved from")
    count = len(repos) - len(delta.removed) + len(delta.added)
    placed = [(each.to, repos[each.from_]) for each in delta.moved]
    placed += [(each.at, bytes(each.repo)) for each in delta.added]
    _check_places([at for at, _ in placed], count, "added or moved to")
    missing, at_place = set(gone), dict(placed)
    rest = (repo for at, repo in enumerate(repos) if at not in missing)
    return [at_place[at] if at in at_place else next(rest) for at in range(count)]


def _check_places(places: Sequence[int], count: int, what: str) -> None:
    if len(set(places)) < len(places) or any(not 0 <= at < count for at in places):
        raise DeltaError(f"{what}: a place comes twice, or is not one of {count}")


def _patch_of_texts(before: bytes, after: bytes) -> Patch | None:
    old, new = members_of(before), members_of(after)
    return None if old is None or new is None else _patch_of(old, new)


def _patch_of(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Patch | None:
    """Give what leads from one object to the other; ``None`` if the members would have another order."""
    unset = [key for key in old if key not in new]
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    if [key for key in old if key in new] + [key for key in changed if key not in old] != list(new):
        return None
    return Patch({key: msgspec.Raw(value) for key, value in changed.items()}, unset)


def _patched(text: bytes, patch: Any, what: str) -> bytes:
    members = members_of(text)
    if members is None:
        raise DeltaError(f"{what} cannot be taken apart")
    _patch(members, patch, what)
    return object_of(members)


def _patch(members: dict[str, bytes], patch: Any, what: str) -> None:
    for key in patch.unset:
        if members.pop(key, None) is None:
            raise DeltaError(f"{what} has no {key[:64]!r}")
    members.update((key, bytes(value)) for key, value in patch.set.items())
