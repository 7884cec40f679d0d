"""Charts as SVG: curves, bars, points and tables of shades.

They take their colours from classes that the page's style defines, for light,
dark and paper, and need no script. Each has a title and says in words what it shows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from doltap.reporting.diagram.record import text_width
from doltap.reporting.report.markup import Markup, element, joined, short
from doltap.reporting.report.scores import thinned

__all__ = [
    "NUM_STYLES",
    "Frame",
    "Series",
    "bars",
    "compact",
    "curves",
    "heat_map",
    "legend",
    "points",
    "spark",
    "ticks",
]

# How many ways of drawing a line the style has.
NUM_STYLES = 8
_WIDTH, _HEIGHT = 430.0, 270.0
# How high the letters are, and how wide the name of a class may be.
_LETTER, _LONGEST_NAME = 12.0, 110.0
# From this ratio on a scale of powers of ten shows more.
_WIDE_RANGE = 60.0


class Series(NamedTuple):
    """A curve: its name, its points, and the number of the style it is drawn in."""

    name: str
    xs: Any
    ys: Any
    style: int = 0


@dataclasses.dataclass(frozen=True)
class Frame:
    """What stands round a chart: what it is, what it says in words, and what is on its axes."""

    title: str
    told: str = ""
    across: str = ""
    up: str = ""
    width: float = _WIDTH
    height: float = _HEIGHT


def compact(value: float) -> str:
    """A number in few letters.

    >>> compact(0.12345), compact(1234567.0), compact(25000.0), compact(3.0)
    ('0.1235', '1.235e+06', '25,000', '3')
    """
    if not math.isfinite(value):
        return "-" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if value == round(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two others, about so many.

    >>> ticks(0.0, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    rough = span / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)) + 1)
    return [round(number * step, digits) + 0.0 for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _told_apart(values: Sequence[float]) -> list[str]:
    """Numbers in few letters, but as many as it takes to tell them apart."""
    texts = list(map(compact, values))
    for digits in range(5, 16):
        if len(set(texts)) == len(texts):
            break
        texts = [f"{value:.{digits}g}" for value in values]
    return texts


class _Axes:
    """From values to places in a chart, and the lines and numbers at its edges."""

    def __init__(
        self,
        frame: Frame,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        *,
        is_log: bool = False,
        whole_x: bool = False,
    ) -> None:
        self.frame, self.is_log = frame, is_log
        self.top, self.bottom = 12.0, frame.height - (44.0 if frame.across else 26.0)
        self.x_low, self.x_high = _widened(*x_range)
        self.y_low, self.y_high = y_range if is_log else _widened(*y_range)
        self.x_ticks = ticks(self.x_low, self.x_high)
        if whole_x:
            self.x_ticks = [tick for tick in self.x_ticks if tick == round(tick)]
        self.y_ticks = _decades(*y_range) if is_log else ticks(self.y_low, self.y_high)
        self.x_texts, self.y_texts = _told_apart(self.x_ticks), _told_apart(self.y_ticks)
        widest = max((text_width(text, _LETTER) for text in self.y_texts), default=0.0)
        self.left, self.right = max(58.0, widest + (24.0 if frame.up else 8.0)), frame.width - 14.0

    def x(self, value: float) -> float:
        return self.left + (value - self.x_low) / (self.x_high - self.x_low) * (self.right - self.left)

    def y(self, value: float) -> float:
        if self.is_log:
            low, high = math.log(self.y_low), math.log(self.y_high)
            share = (math.log(max(value, self.y_low)) - low) / (high - low)
        else:
            share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - share * (self.bottom - self.top)

    def drawn(self) -> Markup:
        """The grid, the numbers, and the names of the axes."""
        parts = []
        for tick, text in zip(self.y_ticks, self.y_texts, strict=True):
            at = self.y(tick)
            parts.append(_line(self.left, at, self.right, at, "grid"))
            parts.append(_label(self.left - 6, at + 3.5, text, "end"))
        for tick, text in zip(self.x_ticks, self.x_texts, strict=True):
            at = self.x(tick)
            parts.append(_line(at, self.bottom, at, self.bottom + 4, "axis"))
            parts.append(_label(at, self.bottom + 16, text))
        parts.append(_line(self.left, self.bottom, self.right, self.bottom, "axis"))
        if self.frame.across:
            parts.append(_label((self.left + self.right) / 2, self.frame.height - 8, self.frame.across))
        if self.frame.up:
            middle = (self.top + self.bottom) / 2
            turned = f"translate(12 {_n(middle)}) rotate(-90)"
            parts.append(_label(0, 0, self.frame.up, transform=turned))
        return joined(parts)

    def path(self, xs: np.ndarray, ys: np.ndarray) -> Markup:
        """The points joined by lines; what is no number is a gap."""
        said, is_open = [], False
        for x, y in zip(xs, ys, strict=True):
            if not (math.isfinite(x) and math.isfinite(y)):
                is_open = False
                continue
            said.append(f"{'L' if is_open else 'M'}{_n(self.x(x))} {_n(self.y(y))}")
            is_open = True
        return Markup("".join(said))


def curves(series: Sequence[Series], frame: Frame, *, whole_x: bool = True, diagonal: bool = False) -> Markup:
    """Curves over one another.

    Args:
        whole_x: the numbers across are counts, such as epochs.
        diagonal: with the line on which both axes say the same.
    """
    drawn = [(each, *_finite(each.xs, each.ys)) for each in series]
    all_x = np.concatenate([xs for _, xs, _ in drawn]) if drawn else np.array([])
    all_y = np.concatenate([ys for _, _, ys in drawn]) if drawn else np.array([])
    good = all_y[np.isfinite(all_y)]
    is_log = bool(len(good) and good.min() > 0 and good.max() / good.min() > _WIDE_RANGE and not diagonal)
    y_range = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
    # A little room, so that curves do not run along the edges.
    room = 0.0 if is_log else 0.04 * (y_range[1] - y_range[0])
    y_range = (0.0, 1.0) if diagonal else (y_range[0] - room, y_range[1] + room)
    x_range = (float(all_x.min()), float(all_x.max())) if len(all_x) else (0.0, 1.0)
    axes = _Axes(frame, (0.0, 1.0) if diagonal else x_range, y_range, is_log=is_log, whole_x=whole_x)
    parts = [axes.drawn()]
    if diagonal:
        parts.append(_line(axes.x(0), axes.y(0), axes.x(1), axes.y(1), "reference"))
    for each, xs, ys in drawn:
        style = f"curve s{each.style % NUM_STYLES}"
        few_x, few_y = thinned(xs, ys)
        if len(few_x) > 1:
            line = element("path", element("title", each.name), d=axes.path(few_x, few_y), class_=style)
            parts.append(line)
        if len(few_x) <= 25:
            ends = [(x, y) for x, y in zip(few_x, few_y, strict=True) if math.isfinite(y)]
            parts += [_dot(axes.x(x), axes.y(y), f"{each.name}: {compact(y)}", each.style) for x, y in ends]
    return _chart(frame, parts)


def bars(edges: Any, counts: Any, frame: Frame, *, mark: float | None = None) -> Markup:
    """A histogram.

    Args:
        edges: where the bars begin and end, one more than there are bars.
        mark: a value at which a line stands, such as zero.
    """
    edges, counts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
    axes = _Axes(frame, (edges[0], edges[-1]), (0.0, float(counts.max() or 1.0)))
    parts = [axes.drawn()]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        x, y = axes.x(low), axes.y(count)
        width, height = max(axes.x(high) - x - 0.6, 0.6), axes.bottom - y
        told = element("title", f"{compact(low)} – {compact(high)}: {compact(count)}")
        if count:
            parts.append(_rect(x, y, width, height, "bar", told))
    if mark is not None and edges[0] < mark < edges[-1]:
        parts.append(_line(axes.x(mark), axes.top, axes.x(mark), axes.bottom, "reference"))
    return _chart(frame, parts)


def spark(edges: Any, counts: Any, frame: Frame) -> Markup:
    """A small histogram without axes, but for the numbers at its ends."""
    edges, counts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
    bottom, most = frame.height - 14.0, float(counts.max() or 1.0)
    step = frame.width / max(len(counts), 1)
    parts = []
    for number, count in enumerate(counts):
        height = count / most * (bottom - 2)
        parts.append(_rect(number * step, bottom - height, max(step - 0.5, 0.5), height, "bar"))
    parts.append(_line(0, bottom, frame.width, bottom, "axis"))
    parts.append(_label(0, frame.height - 3, compact(edges[0]), "start"))
    parts.append(_label(frame.width, frame.height - 3, compact(edges[-1]), "end"))
    if edges[0] < 0 < edges[-1]:
        at = -edges[0] / (edges[-1] - edges[0]) * frame.width
        parts.append(_line(at, 0, at, bottom, "reference"))
    return _chart(frame, parts)


def points(xs: Any, ys: Any, frame: Frame, *, diagonal: bool = False, zero: bool = False) -> Markup:
    """A cloud of points.

    Args:
        diagonal: with the line on which both are equal; zero: with a level line at zero.
    """
    xs, ys = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    x_range = y_range = (0.0, 1.0)
    if len(xs):
        x_range, y_range = (float(xs.min()), float(xs.max())), (float(ys.min()), float(ys.max()))
    if diagonal:
        x_range = y_range = min(x_range[0], y_range[0]), max(x_range[1], y_range[1])
    axes = _Axes(frame, x_range, (min(y_range[0], 0.0), max(y_range[1], 0.0)) if zero else y_range)
    parts = [axes.drawn()]
    if diagonal:
        low, high = x_range
        parts.append(_line(axes.x(low), axes.y(low), axes.x(high), axes.y(high), "reference"))
    if zero:
        parts.append(_line(axes.left, axes.y(0.0), axes.right, axes.y(0.0), "reference"))
    # A line of no length with round ends is a point, in fewer letters than a circle.
    path = "".join(f"M{_n(axes.x(x))} {_n(axes.y(y))}h0" for x, y in zip(xs, ys, strict=True))
    parts.append(element("path", d=Markup(path), class_="cloud"))
    return _chart(frame, parts)


def heat_map(
    shares: Any, texts: Any, names: Sequence[str], frame: Frame, *, told: Callable[[int, int], str]
) -> Markup:
    """A square table of shades with a number in each field; the diagonal in a colour of its own.

    Args:
        shares: from 0 to 1, how dark each field is; texts: what stands in it.
        told: what is said of a field, by row and column.
    """
    count = len(names)
    size = max(22.0, min(52.0, 470.0 / max(count, 1)))
    lines = [_fitting(name, _LONGEST_NAME) for name in names]
    widest = max((text_width(line, _LETTER) for line in lines), default=0.0)
    left, top = 34.0 + widest, 26.0 + (0.87 * widest + 8.0 if count > 6 else 12.0)
    # Names that are turned end half as far to the right as they are long.
    right = max(10.0, 0.5 * widest + 12.0 - size / 2) if count > 6 else 10.0
    frame = dataclasses.replace(frame, width=left + size * count + right, height=top + size * count + 8)
    parts = []
    for place, name in enumerate(lines):
        middle = (place + 0.5) * size
        parts.append(_label(left - 6, top + middle + 4, name, "end"))
        if count > 6:
            turned = f"translate({_n(left + middle + 3)} {_n(top - 6)}) rotate(-60)"
            parts.append(_label(0, 0, name, "start", transform=turned))
        else:
            parts.append(_label(left + middle, top - 8, _fitting(names[place], size)))
    letters = f"font-size:{_n(min(12.5, size * 0.4))}px"
    for row in range(count):
        for column in range(count):
            x, y, share = left + column * size, top + row * size, float(shares[row][column])
            # Mistakes are rare, and their root is seen.
            kind, share = ("right", share) if row == column else ("wrong", math.sqrt(share))
            title = element("title", told(row, column))
            field = _rect(x, y, size - 1, size - 1, kind, title, fill_opacity=f"{0.04 + 0.96 * share:.2f}")
            ink = "number on" if share > 0.5 else "number"
            middle = x + (size - 1) / 2
            number = _label(middle, y + size / 2 + 3.5, texts[row][column], kind=ink, style=letters)
            parts += [field, number]
    parts.append(_label(left + size * count / 2, 14, frame.across))
    turned = f"translate(12 {_n(top + size * count / 2)}) rotate(-90)"
    parts.append(_label(0, 0, frame.up, transform=turned))
    return _chart(frame, parts)


def _fitting(name: str, width: float) -> str:
    """As much of the name as there is room for."""
    lengths = range(len(name), 0, -1)
    return next((cut for n in lengths if text_width(cut := short(name, n), _LETTER) <= width), name[:1])


def legend(series: Sequence[Series]) -> Markup:
    """The names of curves, each beside a piece of it."""
    items = []
    for each in dict.fromkeys((one.name, one.style % NUM_STYLES) for one in series):
        name, style = each
        piece = element("path", d="M1 6H27", class_=f"curve s{style}")
        items.append(element("li", element("svg", piece, width=28, height=12, aria_hidden="true"), name))
    return element("ul", *items, class_="legend")


def _chart(frame: Frame, parts: Sequence[Markup]) -> Markup:
    told = f"{frame.title}. {frame.told}" if frame.told else frame.title
    size = {"width": _n(frame.width), "height": _n(frame.height)}
    box = f"0 0 {size['width']} {size['height']}"
    return element("svg", *parts, class_="chart", viewBox=box, role="img", aria_label=told, **size)


def _finite(xs: Any, ys: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(xs, np.float64), np.asarray(ys, np.float64)


def _widened(low: float, high: float) -> tuple[float, float]:
    """The range, or one round its only value."""
    if high > low:
        return low, high
    room = abs(low) * 0.1 or 0.5
    return low - room, high + room


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers, fewer of them where they are many."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = list(range(first, last + 1))
    return [10.0**power for power in powers[:: max(1, math.ceil(len(powers) / 7))]]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("path", d=f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}", class_=kind)


def _rect(
    x: float, y: float, width: float, height: float, kind: str, *content: Markup, **more: Any
) -> Markup:
    size = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height)}
    return element("rect", *content, class_=kind, **size, **more)


def _label(x: float, y: float, text: str, anchor: str = "middle", kind: str = "label", **more: Any) -> Markup:
    return element("text", text, x=_n(x), y=_n(y), class_=kind, text_anchor=anchor, **more)


def _dot(x: float, y: float, told: str, style: int) -> Markup:
    kind = f"dot s{style % NUM_STYLES}"
    return element("circle", element("title", told), cx=_n(x), cy=_n(y), r="2.6", class_=kind)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
