"""One small picture: bars on a logarithmic scale, as SVG. Pure."""

import dataclasses
import html
import math
from collections.abc import Sequence

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 704, 70, 318
BAR_SHARE = 0.8  # of its place; the rest is the gap to the next bar
GROUP_GAP = 28

# Dark enough for white ground, and apart for those who see fewer colours: mode by hue, percentile by shade.
FILLS = ("#8fbbe0", "#1f6fb2", "#f3c08b", "#c96a12")
INK, FAINT, REFERENCE = "#24292f", "#d8dee4", "#b3261e"


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """
    What bars are measured by.

    Attributes:
        unit: Of the values.
        marks: Ascending; the first and the last are the ends.
    """

    unit: str
    marks: tuple[float, ...]


MILLISECONDS = Scale("ms", (1.0, 10.0, 100.0, 1000.0))


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """
    The bars that stand together.

    Attributes:
        label: Below them.
        values: Their heights, one for each series.
    """

    label: str
    values: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A line across, to compare with."""

    label: str
    value: float


def height_of(value: float, scale: Scale = MILLISECONDS) -> float:
    """Give the vertical coordinate of a value; what is off the scale is drawn at its end."""
    first, last = scale.marks[0], scale.marks[-1]
    low, high = math.log10(first), math.log10(last)
    share = (math.log10(min(max(value, first), last)) - low) / (high - low)
    return BOTTOM - share * (BOTTOM - TOP)


def draw(
    title: str,
    note: str,
    series: Sequence[str],
    groups: Sequence[Group],
    reference: Reference,
    scale: Scale = MILLISECONDS,
) -> str:
    """
    Draw a bar chart.

    Args:
        title: Above it.
        note: Small, at the bottom.
        series: Names of the bars of each group, at most four.
        groups: From left to right; at least one.
        reference: The line.
        scale: Of the bars and the line.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>',
        _text(LEFT, 26, title, size=15, weight=600),
        *_legend(series),
        *_grid(scale),
        *_bars(groups, len(series), scale),
        *_line(reference, scale),
        _text(LEFT, HEIGHT - 14, note, size=11),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, weight: int = 400, fill: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        # A white edge, for where it lies on a bar.
        f'fill="{fill}" stroke="#ffffff" stroke-width="3" paint-order="stroke">{html.escape(words)}</text>'
    )


def _rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _legend(series: Sequence[str]) -> list[str]:
    parts = []
    for number, (name, fill) in enumerate(zip(series, FILLS, strict=False)):
        x = LEFT + number * 120
        parts += [_rectangle(x, 40, 11, 11, fill), _text(x + 16, 50, name)]
    return parts


def _grid(scale: Scale) -> list[str]:
    parts = []
    for value in scale.marks:
        y = height_of(value, scale)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{value:g} {scale.unit}", anchor="end", size=11))
    return parts


def _bars(groups: Sequence[Group], count: int, scale: Scale) -> list[str]:
    parts = []
    group_width = (RIGHT - LEFT) / len(groups)
    bar_width = (group_width - GROUP_GAP) / count
    for number, group in enumerate(groups):
        start = LEFT + number * group_width + GROUP_GAP / 2
        for index, value in enumerate(group.values):
            x, y = start + index * bar_width, height_of(value, scale)
            parts.append(_rectangle(x, y, bar_width * BAR_SHARE, BOTTOM - y, FILLS[index]))
            parts.append(_text(x + bar_width * BAR_SHARE / 2, y - 4, f"{value:.3g}", anchor="middle", size=11))
        parts.append(_text(start + count * bar_width / 2, BOTTOM + 18, group.label, anchor="middle"))
    return parts


def _line(reference: Reference, scale: Scale) -> list[str]:
    y = height_of(reference.value, scale)
    return [
        f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="{REFERENCE}" stroke-dasharray="6 4"/>',
        _text(RIGHT, y - 5, reference.label, anchor="end", fill=REFERENCE),
    ]
