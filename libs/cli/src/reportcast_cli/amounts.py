"""Amounts in words: how long, how much, how many. Pure."""

import datetime

_UNITS_S = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def duration(seconds: float) -> str:
    """Tell a duration in at most two units; below a second in milliseconds. It may be negative."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if (shown := _rounded(rest * 1000, 3)) < 1000:
        return f"{sign}{shown:g} ms"
    if (shown := _rounded(rest, 2)) < 10:
        return f"{sign}{shown:g} s"
    rest = round(rest)
    first = next(index for index, (_, size) in enumerate(_UNITS_S) if rest >= size)
    parts = []
    for name, size in _UNITS_S[first : first + 2]:
        count, rest = divmod(rest, size)
        parts += [f"{count:.0f} {name}"] if count else []
    return sign + " ".join(parts)


def size(count: int) -> str:
    """Tell a number of bytes."""
    if count < 1000:
        return f"{count} B"
    if (shown := _rounded(count / 1000, 3)) < 1000:
        return f"{shown:g} kB"
    if (shown := _rounded(count / 1_000_000, 3)) < 1000:
        return f"{shown:g} MB"
    return f"{_rounded(count / 1_000_000_000, 3):g} GB"


def _rounded(value: float, digits: int) -> float:
    """Round before the unit is chosen: what becomes 1000 of one is 1 of the next."""
    return float(f"{value:.{digits}g}")


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Tell how many there are."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def since(moment: str, now: datetime.datetime) -> float:
    """Give the seconds since a moment in ISO 8601, as a gateway tells them."""
    return (now - datetime.datetime.fromisoformat(moment)).total_seconds()
