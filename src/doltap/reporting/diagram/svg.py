"""A picture of a network as SVG, which takes the colours of the page it stands on."""

from __future__ import annotations

import html
from collections.abc import Iterator

from doltap.errors import printable
from doltap.reporting.diagram import layout
from doltap.reporting.diagram.layout import Box, Drawing, Line, Point

__all__ = ["FONTS", "as_svg"]

FONTS = "system-ui, 'Segoe UI', Roboto, 'Noto Sans KR', 'Noto Sans CJK KR', 'Malgun Gothic', sans-serif"
# In shades that can be told apart, and are seen on white and on black.
COLORS = {
    "input": "#2e9e5b",
    "weights": "#3b7dd8",
    "plain": "#8a8f98",
    "operation": "#a463c9",
    "model": "#c9862b",
}
_MARGIN = 8.0
# A file has no page round it to take colours from.
_ALONE = (
    "<style>svg{color:#1b1f24;background:#fff}"
    "@media (prefers-color-scheme:dark){svg{color:#e8eaed;background:#16181d}}</style>"
)


def as_svg(drawing: Drawing, *, is_alone: bool = False, is_straight: bool = False) -> str:
    """The picture as the text of an `<svg>` element.

    Args:
        is_alone: as a file of its own, with a background.
        is_straight: lines have corners instead of bends.
    """
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    label = _text(drawing.name)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{_n(width)}" '
        f'height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}" font-family="{FONTS}">'
    )
    body = "".join(_drawn(drawing, Point(_MARGIN, _MARGIN), is_straight=is_straight))
    return f"{head}<title>{label}</title>{_ALONE if is_alone else ''}{body}</svg>\n"


def _drawn(drawing: Drawing, at: Point, *, is_straight: bool) -> Iterator[str]:
    for box in drawing.boxes:
        yield from _box(box, at, is_straight=is_straight)
    for line in drawing.lines:
        yield from _line(line, at, is_straight=is_straight)


def _box(box: Box, at: Point, *, is_straight: bool) -> Iterator[str]:
    x, y, color = at.x + box.x, at.y + box.y, COLORS[box.part.family]
    dashes = ' stroke-dasharray="5 3"' if box.inner is not None else ""
    fill = "0.04" if box.inner is not None else "0.13"
    yield (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="6" '
        f'fill="{color}" fill-opacity="{fill}" stroke="{color}" stroke-width="1.3"{dashes}/>'
    )
    left, line = x + layout.PADDING, y + layout.PADDING + layout.TITLE_SIZE - 1
    yield (
        f'<text x="{_n(left)}" y="{_n(line)}" font-size="{_n(layout.TITLE_SIZE)}" font-weight="600" '
        f'fill="currentColor">{_text(box.title)}</text>'
    )
    for number, (label, said) in enumerate(box.facts):
        line = y + layout.PADDING + layout.TITLE_HEIGHT + layout.FACT_HEIGHT * number + layout.FACT_SIZE - 1
        place = f'y="{_n(line)}" font-size="{_n(layout.FACT_SIZE)}" fill="currentColor"'
        yield f'<text x="{_n(left)}" {place} fill-opacity="0.72">{_text(label)}</text>'
        yield f'<text x="{_n(left + box.label_width)}" {place}>{_text(said)}</text>'
    if box.inner is not None:
        inner_at = Point(x + box.inner_at.x, y + box.inner_at.y)
        yield from _drawn(box.inner, inner_at, is_straight=is_straight)


def _line(line: Line, at: Point, *, is_straight: bool) -> Iterator[str]:
    def told(point: Point) -> str:
        return f"{_n(at.x + point.x)} {_n(at.y + point.y)}"

    path = f"M{told(line.start)}"
    for piece in line.pieces:
        is_bend = len(piece) == 3 and not is_straight
        path += f"C{' '.join(map(told, piece))}" if is_bend else f"L{told(piece[-1])}"
    yield f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.65" stroke-width="1.2"/>'
    corners = " ".join(map(told, head_of(line)))
    yield f'<polygon points="{corners}" fill="currentColor" fill-opacity="0.8"/>'


def head_of(line: Line) -> list[Point]:
    """The three corners of the arrow's head."""
    (x, y), (dx, dy) = line.tip, line.heading
    back = Point(x - 7 * dx, y - 7 * dy)
    return [
        line.tip,
        Point(back.x + 3.5 * dy, back.y + 3.5 * dx),
        Point(back.x - 3.5 * dy, back.y - 3.5 * dx),
    ]


def _text(text: str) -> str:
    return html.escape(printable(text, 200))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
