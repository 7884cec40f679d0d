"""Where everything in a picture of a network goes: boxes, frames of inner models, and lines that bend around.

Ranks follow each other in the direction of the flow. Everything is computed as
if it went from top to bottom, and turned at the end.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from doltap.reporting.diagram.ranks import Ranked, ranked
from doltap.reporting.diagram.record import Network, Part, Shows, facts_of, text_width, title_of

__all__ = ["Box", "Drawing", "Line", "Point", "laid_out"]

TITLE_SIZE, FACT_SIZE = 13.0, 11.5
TITLE_HEIGHT, FACT_HEIGHT = 19.0, 16.0
PADDING, FRAME_PADDING = 10.0, 14.0
_BETWEEN_BOXES, _BETWEEN_LINES, _BETWEEN_RANKS = 28.0, 14.0, 30.0
_NUM_SWEEPS = 10


class Point(NamedTuple):
    """A place in a picture: to the right, and down."""

    x: float
    y: float


_ORIGIN = Point(0.0, 0.0)


@dataclasses.dataclass(frozen=True)
class Box:
    """A part and where it is; `inner` is what stands in its frame, placed from `inner_at` on."""

    part: Part
    title: str
    facts: list[tuple[str, str]]
    x: float
    y: float
    width: float
    height: float
    label_width: float = 0.0
    inner: Drawing | None = None
    inner_at: Point = _ORIGIN


@dataclasses.dataclass(frozen=True)
class Line:
    """A link: its first point, then straight pieces (one point) and bends (two controls and a point).

    `tip` is where the arrow's head ends, `heading` the direction it points to.
    """

    start: Point
    pieces: list[tuple[Point, ...]]
    tip: Point
    heading: Point


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture of a network, of this size."""

    name: str
    width: float
    height: float
    boxes: list[Box]
    lines: list[Line]


def laid_out(network: Network, shows: Shows | None = None, rankdir: str = "TB") -> Drawing:
    """The picture of a network.

    Args:
        rankdir: "TB" from top to bottom, "BT", "LR" from left to right, "RL".

    >>> parts = (Part("a", "first", "Dense"), Part("b", "second", "Dense"))
    >>> [box.title for box in laid_out(Network("net", parts, (("a", "b"),))).boxes]
    ['first (Dense)', 'second (Dense)']
    """
    shows = Shows() if shows is None else shows
    boxes = [_sized(part, shows, rankdir) for part in network.parts]
    number = {box.part.key: place for place, box in enumerate(boxes)}
    links = [(number[a], number[b]) for a, b in network.links]
    if not network.has_links:
        links = [(place, place + 1) for place in range(len(boxes) - 1)]
    is_across = rankdir in ("LR", "RL")
    sizes = [(box.height, box.width) if is_across else (box.width, box.height) for box in boxes]
    order = ranked(len(boxes), links)
    centers, tops, heights = _positions(order, sizes)
    lines = _lines(order, centers, tops, heights, sizes) if network.has_links else []
    placed = [
        (centers[item] - width / 2, tops[item] + (heights[item] - height) / 2)
        for item, (width, height) in enumerate(sizes)
    ]
    right = max([x + width for (x, _), (width, _) in zip(placed, sizes, strict=True)] or [0.0])
    right = max([right, *(p.x for line in lines for piece in line.pieces for p in piece)])
    bottom = max([y + height for (_, y), (_, height) in zip(placed, sizes, strict=True)] or [0.0])
    turn = _Turn(rankdir, right, bottom)
    corners = [turn.corner(x, y, *size) for (x, y), size in zip(placed, sizes, strict=True)]
    turned = [
        dataclasses.replace(box, x=corner.x, y=corner.y) for box, corner in zip(boxes, corners, strict=True)
    ]
    size = (bottom, right) if is_across else (right, bottom)
    return Drawing(network.name, *size, turned, [turn.line(line) for line in lines])


class _Turn(NamedTuple):
    """From a picture that goes from top to bottom to one that goes elsewhere."""

    rankdir: str
    width: float
    height: float

    def point(self, point: Point) -> Point:
        x, y = point
        y = self.height - y if self.rankdir in ("BT", "RL") else y
        return Point(y, x) if self.rankdir in ("LR", "RL") else Point(x, y)

    def corner(self, x: float, y: float, width: float, height: float) -> Point:
        """The upper left corner of a box that had its own there."""
        one, other = self.point(Point(x, y)), self.point(Point(x + width, y + height))
        return Point(min(one.x, other.x), min(one.y, other.y))

    def line(self, line: Line) -> Line:
        x, y = line.heading
        y = -y if self.rankdir in ("BT", "RL") else y
        heading = Point(y, x) if self.rankdir in ("LR", "RL") else Point(x, y)
        pieces = [tuple(map(self.point, piece)) for piece in line.pieces]
        return Line(self.point(line.start), pieces, self.point(line.tip), heading)


def _sized(part: Part, shows: Shows, rankdir: str) -> Box:
    """The box of a part, with its size and no place yet."""
    title, facts = title_of(part, shows), facts_of(part, shows)
    labels = max([text_width(label, FACT_SIZE) for label, _ in facts], default=0.0)
    label_width = labels + 8.0 if facts else 0.0
    said = max([text_width(text, FACT_SIZE) for _, text in facts], default=0.0)
    width = max(text_width(title, TITLE_SIZE, is_bold=True), label_width + said, 60.0) + 2 * PADDING
    height = 2 * PADDING + TITLE_HEIGHT + FACT_HEIGHT * len(facts) - 4.0
    if part.inner is None:
        return Box(part, title, facts, 0.0, 0.0, width, height, label_width)
    inner = laid_out(part.inner, shows, rankdir)
    at = Point(FRAME_PADDING, height)
    width = max(width, inner.width + 2 * FRAME_PADDING)
    at = Point((width - inner.width) / 2, at.y)
    return Box(
        part, title, facts, 0.0, 0.0, width, height + inner.height + FRAME_PADDING, label_width, inner, at
    )


def _positions(
    order: Ranked, sizes: Sequence[tuple[float, float]]
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Of every item its middle across, the top of its rank, and the height of its rank."""
    count = len(sizes)
    above: dict[int, list[int]] = collections.defaultdict(list)
    below: dict[int, list[int]] = collections.defaultdict(list)
    for path, _ in order.paths:
        for a, b in itertools.pairwise(path):
            below[a].append(b)
            above[b].append(a)
    widths = {item: sizes[item][0] if item < count else 0.0 for rank in order.ranks for item in rank}
    centers: dict[int, float] = {}
    for rank in order.ranks:
        wanted = [0.0] * len(rank)
        centers.update(zip(rank, _apart(rank, wanted, widths, count), strict=True))
    for sweep in range(_NUM_SWEEPS + 1):
        is_last, is_down = sweep == _NUM_SWEEPS, sweep % 2 == 0
        for rank in order.ranks if is_down else reversed(order.ranks):
            wanted = []
            for item in rank:
                others = above[item] + below[item] if is_last else (above if is_down else below)[item]
                own = centers[item]
                wanted.append(sum(centers[each] for each in others) / len(others) if others else own)
            centers.update(zip(rank, _apart(rank, wanted, widths, count), strict=True))
    left = min([centers[item] - widths[item] / 2 for item in centers], default=0.0)
    centers = {item: center - left for item, center in centers.items()}
    tops, heights, top = {}, {}, 0.0
    for rank in order.ranks:
        height = max(sizes[item][1] if item < count else 0.0 for item in rank)
        tops.update(dict.fromkeys(rank, top))
        heights.update(dict.fromkeys(rank, height))
        reach = max([abs(centers[item] - centers[b]) for item in rank for b in below[item]], default=0.0)
        top += height + _BETWEEN_RANKS + min(60.0, 0.08 * reach)
    return centers, tops, heights


def _apart(rank: Sequence[int], wanted: Sequence[float], widths: dict[int, float], count: int) -> list[float]:
    """The places nearest to those wanted at which nothing in the rank overlaps, in this order.

    That is a regression whose values may not fall (pool adjacent violators), once
    the room that the items before each one need is taken off.
    """
    needed, total = [0.0], 0.0
    for one, other in itertools.pairwise(rank):
        is_line = one >= count or other >= count
        between = _BETWEEN_LINES if is_line else _BETWEEN_BOXES
        total += (widths[one] + widths[other]) / 2 + between
        needed.append(total)
    # Stand-ins pull harder: a long line that is straight is easily followed.
    pulls = [4.0 if item >= count else 1.0 for item in rank]
    pools: list[list[float]] = []  # mean, weight, length
    for place, (value, pull) in enumerate(zip(wanted, pulls, strict=True)):
        pools.append([value - needed[place], pull, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            mean, weight, length = pools.pop()
            before = pools[-1]
            before[0] = (before[0] * before[1] + mean * weight) / (before[1] + weight)
            before[1] += weight
            before[2] += length
    means = [mean for mean, _, length in pools for _ in range(int(length))]
    return [mean + room for mean, room in zip(means, needed, strict=True)]


def _lines(
    order: Ranked,
    centers: dict[int, float],
    tops: dict[int, float],
    heights: dict[int, float],
    sizes: Sequence[tuple[float, float]],
) -> list[Line]:
    leaving, arriving = _ports(order, centers, sizes)
    lines = []
    for number, (path, is_upward) in enumerate(order.paths):
        first, *passed, last = path
        start_y = tops[first] + (heights[first] + sizes[first][1]) / 2
        end_y = tops[last] + (heights[last] - sizes[last][1]) / 2
        points = [Point(leaving[number], start_y)]
        if tops[first] + heights[first] > start_y:
            # Past higher boxes in the same rank, before it may bend.
            points.append(Point(leaving[number], tops[first] + heights[first]))
        for item in passed:
            points += [Point(centers[item], tops[item]), Point(centers[item], tops[item] + heights[item])]
        if tops[last] < end_y:
            points.append(Point(arriving[number], tops[last]))
        points.append(Point(arriving[number], end_y))
        tip, heading = (points[0], Point(0.0, -1.0)) if is_upward else (points[-1], Point(0.0, 1.0))
        lines.append(Line(points[0], _bent(points), tip, heading))
    return lines


def _bent(points: Sequence[Point]) -> list[tuple[Point, ...]]:
    """Straight where it goes straight on, and a bend that begins and ends along the flow elsewhere."""
    pieces: list[tuple[Point, ...]] = []
    for a, b in itertools.pairwise(points):
        middle = (a.y + b.y) / 2
        is_straight = abs(a.x - b.x) < 0.5
        pieces.append((b,) if is_straight else (Point(a.x, middle), Point(b.x, middle), b))
    return pieces


def _ports(
    order: Ranked, centers: dict[int, float], sizes: Sequence[tuple[float, float]]
) -> tuple[dict[int, float], dict[int, float]]:
    """Where each link leaves and arrives: side by side, in the order of where they lead."""
    leaving: dict[int, float] = {}
    arriving: dict[int, float] = {}
    at_start: dict[int, list[int]] = collections.defaultdict(list)
    at_end: dict[int, list[int]] = collections.defaultdict(list)
    for number, (path, _) in enumerate(order.paths):
        at_start[path[0]].append(number)
        at_end[path[-1]].append(number)
    for ports, groups, neighbour in ((leaving, at_start, 1), (arriving, at_end, -2)):
        for item, numbers in groups.items():
            numbers.sort(key=lambda each: centers[order.paths[each][0][neighbour]])
            step = min(22.0, 0.6 * sizes[item][0] / len(numbers))
            for place, number in enumerate(numbers):
                ports[number] = centers[item] + (place - (len(numbers) - 1) / 2) * step
    return leaving, arriving
