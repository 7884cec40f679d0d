"""A picture of a network as PNG or PDF, drawn by matplotlib."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from doltap.errors import optional_package
from doltap.reporting.diagram import layout
from doltap.reporting.diagram.layout import Box, Drawing, Line, Point
from doltap.reporting.diagram.svg import COLORS, head_of
from doltap.reporting.fonts import with_korean

__all__ = ["check_ready", "save"]

_MARGIN = 8.0
# A layout's unit in inches, and in the points that letters are measured in.
_INCHES, _POINTS = 1 / 96, 72 / 96
# matplotlib draws no longer picture, and no screen shows a larger one.
_LONGEST_PIXELS, _MOST_PIXELS = 65_000, 80_000_000


def check_ready() -> None:
    """An error with the line that installs matplotlib, where it is not there."""
    optional_package("matplotlib", extra="plot", purpose="pictures of models that are not SVG")


def save(drawing: Drawing, file: Any, form: str, dpi: float = 200, *, is_straight: bool = False) -> None:
    """Write the picture.

    Args:
        file: a path, or a file that is open for bytes.
        form: "png" or "pdf".
        dpi: pixels of an inch; fewer where the picture would be too large to look at.
    """
    figures = optional_package("matplotlib.figure", extra="plot", purpose="pictures of models")
    width = (drawing.width + 2 * _MARGIN) * _INCHES
    height = (drawing.height + 2 * _MARGIN) * _INCHES
    dpi = min(dpi, _LONGEST_PIXELS / max(width, height), (_MOST_PIXELS / (width * height)) ** 0.5)
    figure = figures.Figure(figsize=(width, height), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width / _INCHES)
    axes.set_ylim(height / _INCHES, 0)
    axes.axis("off")
    with _fonts() as fonts:
        _Pencil(axes, fonts, is_straight).draw(drawing, Point(_MARGIN, _MARGIN))
        figure.savefig(file, format=form, dpi=dpi)


@contextlib.contextmanager
def _fonts() -> Iterator[list[str]]:
    """The typefaces to write in; letters that none of them has are drawn as boxes, without a word."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield ["DejaVu Sans", *with_korean()]


class _Pencil:
    """Draws on axes whose unit is the layout's."""

    def __init__(self, axes: Any, fonts: list[str], is_straight: bool) -> None:
        self.axes, self.fonts, self.is_straight = axes, fonts, is_straight
        self.patches = optional_package("matplotlib.patches", extra="plot", purpose="pictures of models")
        self.paths = optional_package("matplotlib.path", extra="plot", purpose="pictures of models")

    def draw(self, drawing: Drawing, at: Point) -> None:
        for box in drawing.boxes:
            self.box(box, at)
        for line in drawing.lines:
            self.line(line, at)

    def box(self, box: Box, at: Point) -> None:
        x, y, color = at.x + box.x, at.y + box.y, COLORS[box.part.family]
        is_frame = box.inner is not None
        rounded = "round,pad=0,rounding_size=6"
        shape = (x, y), box.width, box.height
        style = {"linewidth": 1.3 * _POINTS, "linestyle": (0, (5, 3)) if is_frame else "-"}
        for more in (
            {"fc": color, "ec": "none", "alpha": 0.04 if is_frame else 0.13},
            {"fc": "none", "ec": color},
        ):
            self.axes.add_patch(self.patches.FancyBboxPatch(*shape, boxstyle=rounded, **style, **more))
        left, top = x + layout.PADDING, y + layout.PADDING
        self.text(left, top + layout.TITLE_SIZE - 1, box.title, layout.TITLE_SIZE, weight="bold")
        for number, (label, said) in enumerate(box.facts):
            line = top + layout.TITLE_HEIGHT + layout.FACT_HEIGHT * number + layout.FACT_SIZE - 1
            self.text(left, line, label, layout.FACT_SIZE, alpha=0.72)
            self.text(left + box.label_width, line, said, layout.FACT_SIZE)
        if box.inner is not None:
            self.draw(box.inner, Point(x + box.inner_at.x, y + box.inner_at.y))

    def text(self, x: float, y: float, text: str, size: float, **more: Any) -> None:
        # Names are text: a dollar sign in one begins no formula.
        more |= {"fontfamily": self.fonts, "parse_math": False, "color": "#1b1f24"}
        self.axes.text(x, y, text, fontsize=size * _POINTS, **more)

    def line(self, line: Line, at: Point) -> None:
        def moved(point: Point) -> tuple[float, float]:
            return at.x + point.x, at.y + point.y

        points, codes = [moved(line.start)], [self.paths.Path.MOVETO]
        for piece in line.pieces:
            bends = len(piece) == 3 and not self.is_straight
            points += [moved(point) for point in (piece if bends else piece[-1:])]
            codes += [self.paths.Path.CURVE4] * 3 if bends else [self.paths.Path.LINETO]
        path, width = self.paths.Path(points, codes), 1.2 * _POINTS
        self.axes.add_patch(self.patches.PathPatch(path, fc="none", ec="#1b1f24", alpha=0.65, lw=width))
        corners = [moved(point) for point in head_of(line)]
        self.axes.add_patch(self.patches.Polygon(corners, fc="#1b1f24", ec="none", alpha=0.8))
