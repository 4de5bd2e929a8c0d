"""
A part of an audit report: the repositories that somebody wants, and the rest as it is. Pure.

Source: docs/protocol.md, Filters.
"""

import dataclasses

import msgspec

from reportcast.contracts.audit import states_of
from reportcast.contracts.members import array_of, elements_of, members_of, object_of

_REPOS = "repos"


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """
    What is wanted.

    Attributes:
        statuses: Of repositories; empty: any.
        names: Of repositories; ``*`` stands for any characters; empty: any.
    """

    statuses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def lets_through(self, name: str, state: str) -> bool:
        """Tell whether a repository is wanted."""
        is_state = not self.statuses or state in self.statuses
        return is_state and (not self.names or name in self.names or any(_fits(name, each) for each in self.names))


def view(body: bytes, which: Filter) -> bytes:
    """Give the part of a report that is wanted; all of it, if it cannot be taken apart."""
    members = members_of(body)
    repos = elements_of(members.get(_REPOS, b"")) if members else None
    if members is None or repos is None:
        return body
    try:
        states = states_of(members[_REPOS])
    except msgspec.DecodeError:
        return body
    wanted = [repo for repo, (name, state) in zip(repos, states, strict=True) if which.lets_through(name, state)]
    return object_of(members | {_REPOS: array_of(wanted)})


def _fits(name: str, pattern: str) -> bool:
    # By hand: a regular expression with many stars takes a time that grows with their power.
    first, *rest = pattern.split("*")
    if not rest:
        return name == first
    *middle, last = rest
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    place, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
