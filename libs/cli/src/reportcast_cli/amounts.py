"""Amounts in words: how long, how much, how many. Pure."""

import datetime

_UNITS_S = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def duration(seconds: float) -> str:
    """Tell a duration in at most two units; below a second in milliseconds. It may be negative."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 1:
        return f"{sign}{rest * 1000:.3g} ms"
    if rest < 10:
        return f"{sign}{rest:.2g} s"
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
    if count < 1_000_000:
        return f"{count / 1000:.3g} kB"
    return f"{count / 1_000_000:.3g} MB"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Tell how many there are."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def since(moment: str, now: datetime.datetime) -> float:
    """Give the seconds since a moment in ISO 8601, as a gateway tells them."""
    return (now - datetime.datetime.fromisoformat(moment)).total_seconds()
