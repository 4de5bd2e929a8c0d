"""
Where in a text of JSON something stands. The text is never built into objects.

Source: docs/protocol.md, Findings.
"""

import json
import re
from collections.abc import Iterator

import msgspec

from reportcast.contracts.errors import Place

# A string takes possessive repeats: one that can be taken back remembers each round (15 MiB of escapes take 900 MB).
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# Strings (and whether they are keys), brackets, commas, and the other values; only ever used on valid JSON.
_TOKEN = re.compile(STRING + rb'(\s*+:)?+|[{}\[\],]|[^\s"{}\[\],:]++')
_SPACE = re.compile(rb"\s*+")
KEY = re.compile(rb"\s*+(" + STRING + rb")\s*+:\s*+")
NEXT = re.compile(rb"\s*+[,}\]]\s*+")
# In UTF-8, every byte of a character but the first.
_CONTINUATION = bytes(range(0x80, 0xC0))
# More parts than that are walked over instead of listed: each takes up to 200 bytes.
MAX_PARTS = 500_000

Path = tuple[str | int, ...]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


def place_of(text: bytes, byte: int, mark_bytes: int = 0) -> Place:
    """Give the place of a byte of ``text``, before which a byte order mark of so many bytes was taken away."""
    line_start = text.rfind(b"\n", 0, byte) + 1
    column = len(text[line_start:byte].translate(None, _CONTINUATION)) + 1
    return Place(text.count(b"\n", 0, byte) + 1, column, byte + mark_bytes)


def byte_at(text: bytes, path: Path) -> int:
    """
    Give where the value begins that ``path`` leads to, or the last one on the way that is there.

    Args:
        text: Valid JSON that msgspec can decode.
        path: Keys and indices, from the top. Of a key that stands twice the last one is meant, as readers take it.
    """
    start, end = skip_space(text, 0), len(text)
    for depth, step in enumerate(path):
        part = text[start:end]
        child = _child(part, step)
        if child is None:
            return start + _walk_to(part, path[depth:])
        start, end = start + child[0], start + child[1]
    return start


def _child(part: bytes, step: str | int) -> tuple[int, int] | None:
    """Give where a member or item begins and ends; ``None`` if there is none, or that is not quickly known."""
    wanted = b"{" if isinstance(step, str) else b"["
    if not part.startswith(wanted) or part.count(b",") > MAX_PARTS:
        return None
    try:
        return member_at(part, step) if isinstance(step, str) else _item(part, step)
    except RecursionError:  # nested nearly too deeply, and called from deeper than the reader was
        return None


def _item(part: bytes, index: int) -> tuple[int, int] | None:
    byte = skip_space(part, 1)
    for at, item in enumerate(_items.decode(part)):
        end = byte + len(bytes(item))
        if at == index:
            return byte, end
        byte = after(NEXT, part, end)
    return None


def member_at(part: bytes, wanted: str) -> tuple[int, int] | None:
    """Give where a member's value begins and ends; ``None`` if it is not there, or a key stands twice."""
    members = _members.decode(part)
    found = None
    byte = 1
    while key := KEY.match(part, byte):
        name = key_of(key[1])
        value = bytes(members[name])
        end = key.end() + len(value)
        following = NEXT.match(part, end)
        if not part.startswith(value, key.end()) or following is None:
            return None  # another value than the last one of that key
        if name == wanted:
            found = key.end(), end
        byte = following.end()
    return found


def _walk_to(text: bytes, path: Path) -> int:
    best = reached = 0
    for byte, frames in _walk(text):
        depth = len(frames)
        if frames and isinstance(path[0], int) and isinstance(frames[0], int) and frames[0] > path[0]:
            break
        if depth <= len(path) and tuple(frames) == path[:depth] and _is_further(depth, reached, path):
            best, reached = byte, depth
    return best


def _is_further(depth: int, reached: int, path: Path) -> bool:
    # The same key again supersedes all that was found behind the first one.
    return depth > reached or (depth > 0 and isinstance(path[depth - 1], str))


def _walk(text: bytes) -> Iterator[tuple[int, list[str | int]]]:
    """Give each value's begin, and the keys and indices that lead to it."""
    frames: list[str | int] = []
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if token[1] is not None:
            frames[-1] = key_of(text[token.start() : token.start(1)])
        elif first in b"}]":
            frames.pop()
        elif first == 0x2C:
            if isinstance(frames[-1], int):
                frames[-1] += 1
        else:
            yield token.start(), frames
            if first in b"{[":
                frames.append("" if first == 0x7B else 0)


def key_of(quoted: bytes) -> str:
    return str(json.loads(quoted)) if b"\\" in quoted else quoted[1:-1].decode()


def skip_space(text: bytes, byte: int) -> int:
    """Give where the next token begins."""
    return after(_SPACE, text, byte)


def after(pattern: re.Pattern[bytes], text: bytes, byte: int) -> int:
    """Give where a pattern ends that is there for certain."""
    found = pattern.match(text, byte)
    assert found is not None  # only used where valid JSON has it
    return found.end()
