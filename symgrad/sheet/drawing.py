"""A layout in pixels: boxes with their labels, and arrows as cubic curves from border to border.  Worked out once, for every format."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from symgrad.sheet.labels import Letters, label_of, measure
from symgrad.sheet.layout import HALF_WIDTH, Box, Edge, Layout

Point = tuple[float, float]
Cubic = tuple[Point, Point, Point, Point]

ROW, BOX, PAD, MARGIN = 46.0, 32.0, 8.0, 3.0
"""From row to row, the height of a box, the room beside its label, around the picture."""
HEAD = 7.0
"""The length of an arrowhead."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A box in pixels: a rectangle with round corners, `x`, `y` its centre."""

    box: Box
    label: tuple[Letters, ...]
    x: float
    y: float
    width: float

    @property
    def radius(self) -> float:
        return BOX / 2 if self.box.kind == "node" else 7.0

    def outside(self, p: Point) -> float:
        """How far a point is from the border; negative inside."""
        dx = abs(p[0] - self.x) - self.width / 2 + self.radius
        dy = abs(p[1] - self.y) - BOX / 2 + self.radius
        return hypot(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - self.radius


@dataclass(frozen=True, slots=True)
class Arrow:
    """Cubic pieces from border to border; the last one stops short of the box it points to by `HEAD`."""

    edge: Edge
    pieces: tuple[Cubic, ...]


class Drawing:
    """The layout in pixels.  Every column is as wide as its widest box; the more the edges between two columns climb, the wider apart."""

    def __init__(self, layout: Layout) -> None:
        labels = [label_of(box) for box in layout.boxes]
        widths = [max(BOX, measure(label) + 2 * PAD) for label in labels]
        self._knots(layout, widths)
        extent = [ROW * box.y + half for box in layout.boxes for half in (-BOX / 2, BOX / 2)]
        extent += [ROW * y + half for edge in layout.edges for _, y in edge.points for half in (-2.0, 2.0)]
        self.down = MARGIN - min(extent, default=0.0)
        self.height = max(extent, default=0.0) + self.down + MARGIN
        self.shapes = tuple(
            Shape(box, label, self.across(box.x), self.down + ROW * box.y, width)
            for box, label, width in zip(layout.boxes, labels, widths, strict=True))
        self.reach: dict[float, float] = {}  # half the width of the column there
        for s in self.shapes:
            self.reach[s.x] = max(self.reach.get(s.x, 0.0), s.width / 2)
        self.paths = [[(self.across(x), self.down + ROW * y) for x, y in edge.points] for edge in layout.edges]
        self.arrows = self._arrows(layout)
        self.width = max((s.x + s.width / 2 for s in self.shapes), default=0.0) + MARGIN

    def _knots(self, layout: Layout, widths: list[float]) -> None:
        """Pixels for every border of a column; between them `across` is linear."""
        columns = sorted({box.x for box in layout.boxes})
        least = min((b - a for a, b in pairwise(columns)), default=1.0)
        half = min(HALF_WIDTH, 0.45 * least)
        climbs = [0.0] * len(columns)
        for edge in layout.edges:
            for (x, y), (after, then) in pairwise(edge.points):
                k = bisect_right(columns, (x + after) / 2) - 1
                if 0 <= k < len(columns):
                    climbs[k] = max(climbs[k], abs(then - y))
        self.given: list[float] = []
        self.drawn: list[float] = []
        at = MARGIN
        for x, climb in zip(columns, climbs, strict=True):
            wide = max(w for box, w in zip(layout.boxes, widths, strict=True) if box.x == x)
            self.given += [x - half, x + half]
            self.drawn += [at, at + wide]
            at += wide + min(38 + 0.24 * ROW * climb, 120)

    def across(self, x: float) -> float:
        if len(self.given) < 2:
            return MARGIN
        k = min(max(bisect_right(self.given, x) - 1, 0), len(self.given) - 2)
        share = (x - self.given[k]) / (self.given[k + 1] - self.given[k])
        return self.drawn[k] + share * (self.drawn[k + 1] - self.drawn[k])

    def _arrows(self, layout: Layout) -> tuple[Arrow, ...]:
        shape = {s.box.name: s for s in self.shapes}
        lean = self._leans(layout, shape)
        found = []
        for edge, path in zip(layout.edges, self.paths, strict=True):
            pieces = _curves(path)
            if self._climbs_last(path):
                pieces = [*pieces[:-2], _leaning(path[-3], path[-1], lean[edge.head])]
            found.append(Arrow(edge, _clip(pieces, shape[edge.tail], shape[edge.head])))
        return tuple(found)

    def _climbs_last(self, path: list[Point]) -> bool:
        """The way of `lay_out` into a box: a climb up to its column, then level."""
        return len(path) >= 4 and path[-1][1] == path[-2][1] != path[-3][1] and path[-1][0] - path[-2][0] <= self.reach[path[-1][0]] + 0.1

    def _leans(self, layout: Layout, shape: dict[str, Shape]) -> dict[str, float]:
        """How steeply edges may run into each box, so that many arrowheads spread around it and none meets its neighbours."""
        occupied: dict[float, list[tuple[float, float]]] = {}
        for s in self.shapes:
            occupied.setdefault(s.x, []).append((s.y, BOX / 2 + 5))
        columns = sorted(occupied)
        for path in self.paths:
            for p, q in pairwise(path):
                if p[1] == q[1]:
                    for x in columns[bisect_right(columns, p[0]) : bisect_right(columns, q[0] - 1e-6)]:
                        if (p[1], 5.0) not in occupied[x]:
                            occupied[x].append((p[1], 5.0))
        lean: dict[str, float] = {}
        for edge, path in zip(layout.edges, self.paths, strict=True):
            if not self._climbs_last(path):
                continue
            s = shape[edge.head]
            up = path[-3][1] < s.y
            free = min((abs(y - s.y) - half for y, half in occupied[s.x] if (y < s.y if up else y > s.y)), default=1e9)
            for share in (0.6, 0.45, 0.3, 0.2, 0.1, 0.0):
                beside = [y for x, y in _samples(_leaning(path[-3], path[-1], share)) if x >= s.x - self.reach[s.x] - 4]
                if all(abs(y - s.y) < free for y in beside):
                    break
            lean[edge.head] = min(lean.get(edge.head, 1.0), share)
        return lean


def _curves(path: list[Point]) -> list[Cubic]:
    """A smooth curve through the points, level at each of them, so that it never leaves the band between two neighbours."""
    return [(p, ((p[0] + q[0]) / 2, p[1]), ((p[0] + q[0]) / 2, q[1]), q) for p, q in pairwise(path)]


def _leaning(p: Point, q: Point, share: float) -> Cubic:
    """Level at `p`, towards the middle of a box at `q`."""
    dx, dy = q[0] - p[0], q[1] - p[1]
    return p, (p[0] + 0.5 * dx, p[1]), (q[0] - 0.5 * dx, q[1] - share * dy), q


def _at(c: Cubic, t: float) -> Point:
    a, b, d, e = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return a * c[0][0] + b * c[1][0] + d * c[2][0] + e * c[3][0], a * c[0][1] + b * c[1][1] + d * c[2][1] + e * c[3][1]


def _samples(c: Cubic, steps: int = 16) -> list[Point]:
    return [_at(c, k / steps) for k in range(steps + 1)]


def _split(c: Cubic, t: float) -> tuple[Cubic, Cubic]:
    """The curve up to t, and from there.  Source: de Casteljau."""
    def between(p: Point, q: Point) -> Point:
        return p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])

    ab, bc, cd = between(c[0], c[1]), between(c[1], c[2]), between(c[2], c[3])
    abc, bcd = between(ab, bc), between(bc, cd)
    middle = between(abc, bcd)
    return (c[0], ab, abc, middle), (middle, bcd, cd, c[3])


def _clip(pieces: list[Cubic], tail: Shape, head: Shape) -> tuple[Cubic, ...]:
    """What of an edge lies outside its boxes, less the arrowhead."""
    left = list(pieces)
    while len(left) > 1 and tail.outside(left[0][3]) < 0:
        left.pop(0)
    left[0] = _split(left[0], _border(left[0], tail, 0.0, leaving=True))[1]
    while len(left) > 1 and head.outside(left[-1][0]) < HEAD:
        left.pop()
    left[-1] = _split(left[-1], _border(left[-1], head, HEAD, leaving=False))[0]
    return tuple(left)


def _border(c: Cubic, shape: Shape, margin: float, leaving: bool) -> float:
    """Where a curve that starts (or ends) in a box crosses the line `margin` around it."""
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        if (shape.outside(_at(c, middle)) < margin) == leaving:
            low = middle
        else:
            high = middle
    return (low + high) / 2
