"""What changed, in words: what a person reads of ``Changes``. Pure but for the colours."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.text import Text

from reportcast_cli.amounts import counted
from reportcast_cli.changes import Changes, RepoChange
from reportcast_cli.printable import printable
from reportcast_cli.steps import Member
from reportcast_cli.terminal import STYLES

# Of a value, so many characters are shown.
VALUE_CHARACTERS = 60
NAME_CHARACTERS = 60
# Names are padded to the longest, but to no more than this.
NAME_WIDTH = 28
# Of one repository, or of the summary, so many values are told.
MEMBERS = 8


def headline(changes: Changes) -> str:
    """Say in one sentence how much changed."""
    repos = changes.repos
    new = sum(each.before is None for each in repos)
    gone = sum(each.after is None for each in repos)
    turned = sum(None not in (each.before, each.after) and each.before != each.after for each in repos)
    others = len(repos) - new - gone - turned
    parts = [
        f"{counted(turned, 'repository', 'repositories')} changed state" if turned else "",
        f"{new} added" if new else "",
        f"{gone} removed" if gone else "",
        f"{others} changed otherwise" if others else "",
        f"{changes.moved} moved" if changes.moved and not repos else "",
    ]
    rest = len(changes.summary) + len(changes.members)
    told = ", ".join(filter(None, parts))
    return told or (counted(rest, "value") + " changed" if rest else "nothing changed")


def lines(changes: Changes) -> Iterator[Text]:
    """Give one line for each repository and value that changed."""
    width = min(max((len(printable(each.name)) for each in changes.repos), default=0), NAME_WIDTH)
    for repo in changes.repos:
        yield _repo_line(repo, width)
    if changes.moved:
        yield Text(f"  {counted(changes.moved, 'repository', 'repositories')} with another place in the list", "dim")
    if changes.summary:
        yield Text.assemble(("~", _STYLES["changed"]), " summary: ", _joined(changes.summary))
    for member in changes.members:
        yield Text.assemble((_SIGNS[_how(member)], _STYLES[_how(member)]), " ", _member(member))


_SIGNS = {"new": "+", "gone": "-", "changed": "~"}
_STYLES = {"new": "bold green", "gone": "bold red", "changed": "bold yellow"}


def _how(each: Member | RepoChange) -> str:
    if each.before is None:
        return "new"
    return "gone" if each.after is None else "changed"


def _repo_line(repo: RepoChange, width: int) -> Text:
    how = _how(repo)
    name = printable(repo.name, NAME_CHARACTERS)
    line = Text.assemble((_SIGNS[how], _STYLES[how]), " ", (f"{name:<{width}}", "bold"), "  ")
    if repo.before is None:
        line.append_text(Text.assemble("added, ", _state(repo.after)))
    elif repo.after is None:
        line.append_text(Text.assemble("removed, was ", _state(repo.before)))
    elif repo.before != repo.after:
        line.append_text(Text.assemble(_state(repo.before), " → ", _state(repo.after)))
    if repo.members:
        line.append_text(Text.assemble("; " if repo.before != repo.after else "", _joined(repo.members)))
    return line


def _state(state: str | None) -> tuple[str, str]:
    return printable(state or "", NAME_CHARACTERS), STYLES.get(state or "", "cyan")


def _joined(members: Sequence[Member]) -> Text:
    told = Text(", ").join(map(_member, members[:MEMBERS]))
    more = len(members) - MEMBERS
    return told.append(f" and {more} more", "dim") if more > 0 else told


def _member(member: Member) -> Text:
    path = printable(member.path, 2 * NAME_CHARACTERS) or "the whole"
    if member.before is None:
        return Text.assemble(path, " ", (f"{_value(member.after)} (new)", "green"))
    if member.after is None:
        return Text.assemble(path, " ", (_value(member.before), "dim"), (" (gone)", "red"))
    return Text.assemble(path, " ", (_value(member.before), "dim"), " → ", _value(member.after))


def _value(text: bytes | None) -> str:
    """Give a value as it is written; a word or time without its quotes."""
    written = (text or b"").decode(errors="replace")
    if written.startswith('"'):
        inner = msgspec.json.decode(written, type=str)
        written = inner if inner and inner == inner.strip() else written
    return printable(written, VALUE_CHARACTERS)
