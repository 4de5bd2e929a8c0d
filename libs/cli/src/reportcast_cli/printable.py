"""Text that cannot speak to the terminal. Pure."""


def printable(text: str, most: int | None = None) -> str:
    """
    Give text that neither breaks the line nor speaks to the terminal.

    Args:
        text: Any; a report's names are somebody else's.
        most: Longer text is cut, and says so.
    """
    part = text if most is None or len(text) <= most else text[: most - 1] + "…"
    return part if part.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in part)
