"""Curves over time in panels, as SVG. Pure."""

import dataclasses
import html
from collections.abc import Sequence

from bench.plot import FAINT, FILLS, INK, REFERENCE

WIDTH, HEIGHT = 720, 460
COLUMNS = (64, 408)
PANEL_WIDTH, PANEL_HEIGHT, TOP, ROW = 296, 150, 64, 200
COLOURS = (FILLS[3], FILLS[2], FILLS[1])

Points = Sequence[tuple[float, float]]


@dataclasses.dataclass(frozen=True, slots=True)
class Panel:
    """
    One diagram.

    Attributes:
        title: Above it.
        curves: By the colour's number, each over seconds; all begin at 0.
        limit: A line across; ``None``: none.
    """

    title: str
    curves: Sequence[tuple[int, Points]]
    limit: float | None = None


def draw(title: str, note: str, names: Sequence[str], panels: Sequence[Panel]) -> str:
    """
    Draw panels, two in a row.

    Args:
        title: Above all.
        note: Small, at the bottom.
        names: Of the colours, at most three.
        panels: At most four.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" font-family="system-ui, sans-serif" font-size="11">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>',
        f'<text x="16" y="24" font-size="15" font-weight="600" fill="{INK}">{html.escape(title)}</text>',
    ]
    for number, name in enumerate(names):
        parts.append(_text(WIDTH - 16, 16 + 13 * number, name, "end", COLOURS[number]))
    for number, panel in enumerate(panels):
        parts += _panel(panel, COLUMNS[number % 2], TOP + ROW * (number // 2))
    return "\n".join([*parts, _text(16, HEIGHT - 10, note), "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "start", fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{html.escape(words)}</text>'


def _panel(panel: Panel, left: float, top: float) -> list[str]:
    points = [point for _, curve in panel.curves for point in curve]
    most_s = max(x for x, _ in points)
    highest = max(1.0, *(y for _, y in points), panel.limit or 0.0) * 1.05
    bottom = top + PANEL_HEIGHT

    def place(x: float, y: float) -> str:
        return f"{left + x / most_s * PANEL_WIDTH:.1f},{bottom - y / highest * PANEL_HEIGHT:.1f}"

    parts = [_text(left, top - 6, panel.title)]
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * PANEL_HEIGHT
        parts.append(f'<path d="M{left} {y:.1f}h{PANEL_WIDTH}" stroke="{FAINT}"/>')
        parts.append(_text(left - 5, y + 4, f"{share * highest:,.0f}", "end"))
    for colour, curve in panel.curves:
        line = " ".join(place(x, y) for x, y in curve)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[colour]}" stroke-width="1.4"/>')
    if panel.limit is not None:
        start, end = place(0, panel.limit), place(most_s, panel.limit)
        parts.append(f'<path d="M{start}L{end}" stroke="{REFERENCE}" stroke-dasharray="5 4"/>')
    return [*parts, _text(left, bottom + 14, "0"), _text(left + PANEL_WIDTH, bottom + 14, f"{most_s:,.0f} s", "end")]
