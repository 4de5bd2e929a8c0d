"""
How a rejected content differs from the last good one, for a person to read.

The good one is JSON without white space, the other anything at all. Both become one JSON element per line, without
parsing, so that a torn or broken one does, too.
"""

import codecs
import difflib
import re
from collections.abc import Iterator, Sequence

MAX_LINES = 200
MAX_OUT_BYTES = 16 * 1024
# Larger contents take seconds to compare.
MAX_IN_BYTES = 4 * 1024 * 1024
# What differs is compared line by line up to here; beyond, difflib's time grows with the product of both.
MAX_COMPARED = 2000
CONTEXT = 3
# Of a run of lines that are all gone or all new, so many are shown: what the run is replaced by should not be cut off.
RUN = 12
HEAD = 40
WIDTH = 160

# One line: a closing bracket at most, then strings and what else is no bracket or comma, then a comma or an opening
# bracket. A string ends at its quote, or with the line: a torn one must not swallow the rest. Every repeat is
# possessive: one that can be taken back remembers each round (4 MiB of backslashes take 280 MB).
_LINE = re.compile(r'[\]}]?+(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?+|[^"{}\[\],\n]++)*+[{\[,]?+')
# Only ever matched at the beginning of a line: searched for, it would begin again at each escaped quote.
_KEY = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*+:\s*+')


def readable_diff(good: bytes | None, bad: bytes) -> str:
    """
    Tell what is different in ``bad``, one JSON element per line.

    Args:
        good: The last good content; ``None`` if there was none.
        bad: The rejected one.

    Returns:
        At most MAX_LINES lines and MAX_OUT_BYTES bytes of printable text, without a line feed at the end. ``@@ element
        120 @@`` counts the lines of the good content so formed; that one is the first of the hunk that differs.
    """
    largest = max(len(good or b""), len(bad))
    if largest > MAX_IN_BYTES:
        return f"no difference is shown: a content is {largest} bytes; up to {MAX_IN_BYTES} are compared"
    elements = _elements(bad)
    if good is None:
        return _bounded(_head(elements))
    return _bounded(_differences(_elements(good), elements))


def _elements(content: bytes) -> list[str]:
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    # Contents of many short elements have few different ones: each is kept once.
    kept: dict[str, str] = {}
    lines = (line for found in _LINE.finditer(text) if (line := found[0].strip()))
    return [kept.setdefault(line, line) for line in map(_without_blank_colon, lines)]


def _without_blank_colon(line: str) -> str:
    has_one = line.startswith('"') and ('": ' in line or '" :' in line)
    key = _KEY.match(line) if has_one else None
    return f"{key[1]}:{line[key.end() :]}" if key else line


def _head(elements: list[str]) -> Iterator[str]:
    if not elements:
        yield "there was no good report before; the rejected content is empty"
        return
    yield f"there was no good report before; the rejected content has {len(elements)} elements and begins with"
    yield from (_shown("  ", line) for line in elements[:HEAD])
    if len(elements) > HEAD:
        yield f"  … {len(elements) - HEAD} more"


def _differences(good: list[str], bad: list[str]) -> Iterator[str]:
    if good == bad:
        yield "no element differs; only white space or the encoding does"
        return
    yield f"the good report has {len(good)} elements, the rejected content {len(bad)}"
    for group in _groups(good, bad):
        first = next(start for tag, start, *_ in group if tag != "equal")
        yield f"@@ element {first + 1} @@"
        for tag, good_from, good_to, bad_from, bad_to in group:
            if tag == "equal":
                yield from (_shown("  ", line) for line in good[good_from:good_to])
            else:
                yield from _replaced(good[good_from:good_to], bad[bad_from:bad_to])


_Opcode = tuple[str, int, int, int, int]


def _groups(good: list[str], bad: list[str]) -> Iterator[list[_Opcode]]:
    before = _common(good, bad)
    room = min(len(good), len(bad)) - before
    after = _common(good[len(good) - room :][::-1], bad[len(bad) - room :][::-1])
    good_end, bad_end = len(good) - after, len(bad) - after
    lead, trail = min(before, CONTEXT), min(after, CONTEXT)
    if max(good_end, bad_end) - before > MAX_COMPARED:
        yield [
            ("equal", before - lead, before, before - lead, before),
            ("replace", before, good_end, before, bad_end),
            ("equal", good_end, good_end + trail, bad_end, bad_end + trail),
        ]
        return
    shift = before - lead
    compared = difflib.SequenceMatcher(None, good[shift : good_end + trail], bad[shift : bad_end + trail])
    for group in compared.get_grouped_opcodes(CONTEXT):
        yield [(tag, a + shift, b + shift, c + shift, d + shift) for tag, a, b, c, d in group]


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Count the lines, or characters, that both begin with."""
    shorter = min(len(left), len(right))
    return next((index for index in range(shorter) if left[index] != right[index]), shorter)


def _replaced(gone: list[str], new: list[str]) -> Iterator[str]:
    # Of two long lines, what is shown begins shortly before they differ.
    start = 0
    if len(gone) == len(new) == 1 and max(len(gone[0]), len(new[0])) > WIDTH:
        start = max(0, _common(gone[0], new[0]) - WIDTH // 4)
    for sign, lines in (("- ", gone), ("+ ", new)):
        yield from (_shown(sign, line, start) for line in lines[:RUN])
        if len(lines) > RUN:
            yield f"{sign}… {len(lines) - RUN} more"


def _shown(sign: str, line: str, start: int = 0) -> str:
    part = line[start : start + WIDTH]
    # A control character could break the line, or speak to the terminal.
    text = part if part.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in part)
    rest = len(line) - start - len(part)
    return f"{sign}{'…' if start else ''}{text}{f'… {rest} more characters' if rest > 0 else ''}"


def _bounded(lines: Iterator[str]) -> str:
    kept: list[str] = []
    # 64 bytes for the line that says what is left out.
    left_bytes = MAX_OUT_BYTES - 64
    for line in lines:
        left_bytes -= len(line.encode()) + 1
        if len(kept) == MAX_LINES - 1 or left_bytes < 0:
            return "\n".join([*kept, f"… {1 + sum(1 for _ in lines)} more lines of the difference"])
        kept.append(line)
    return "\n".join(kept)
