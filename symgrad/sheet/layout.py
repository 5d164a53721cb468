"""A layered layout of the computation graph: positions that TikZ and SVG share.

Longest-path layers, sources one layer before their first consumer; long edges run through dummy vertices, which all edges out of
one box share, as branches share a trunk; barycentre sweeps and swaps from the declared order; then vertical positions by isotonic
regression.  `lay_out` is deterministic: it depends on the declared order only, never on hashing or on time.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

HALF_WIDTH = 0.35
"""Boxes stay this near the middle of their layer, and edges bend only farther from it: no bend can meet a box."""
HALF_HEIGHT = 0.35
"""Half the height of a box; boxes of one layer are at least 1 apart."""
BOX_TO_LINE, LINE_TO_LINE = 0.6, 0.4
"""How far a passing edge keeps from a box of that layer, and from another passing edge."""
NEAR, FAR = 0.75, 1e9
"""What is nearer than this to being level is made level; farther than all boxes."""
STARTS = 400
"""Links over all further starts of the search for few crossings."""
WORK = 150_000
"""Edge visits that one stage may spend: large graphs get fewer sweeps, never an unbounded wait."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be placed: a definition or variable, in declared order, and the earlier items that it uses."""

    name: str
    tex: str
    plain: str
    kind: str  # "variable" or "node"
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A node of the picture: `x`, `y` of its centre in layer units (x grows along the forward pass, y downwards)."""

    name: str
    tex: str
    plain: str
    kind: str  # "variable" or "node"
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow through the listed points, from the first (at the tail's box) to the last (at the head's box)."""

    tail: str
    head: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


def lay_out(items: tuple[Item, ...]) -> Layout:
    """Boxes in declared order and an edge for every argument; all coordinates lie in [0, width] x [0, height].

    Edges run from left to right and meet no box but their own.  Raises ValueError for an argument that no earlier item has.
    """
    if not items:
        return Layout((), (), 0.0, 0.0)
    web = _Web(_arguments(items))
    rows = _ordered(web)
    y = _heights(web, rows)
    boxes = tuple(Box(i.name, i.tex, i.plain, i.kind, float(web.layer[k]), y[k]) for k, i in enumerate(items))
    edges = tuple(
        Edge(items[tail].name, items[head].name, _route([(web.layer[v], y[v]) for v in web.route(tail, head)]))
        for head, tails in enumerate(web.arguments) for tail in tails)
    return Layout(boxes, edges, float(max(web.layer)), max(y))


def _arguments(items: tuple[Item, ...]) -> list[list[int]]:
    """The arguments of every item by number, each once."""
    number: dict[str, int] = {}
    found = []
    for k, item in enumerate(items):
        if item.name in number:
            raise ValueError(f"the item {item.name} is given twice")
        for name in item.arguments:
            if name not in number:
                raise ValueError(f"{item.name} uses {name}, which is no earlier item")
        found.append([number[name] for name in dict.fromkeys(item.arguments)])
        number[item.name] = k
    return found


class _Web:
    """Vertices 0, 1, ... are the items, in order, those after them dummies; every link joins neighbouring layers.

    `rank` is the declared place of a vertex: its own number, or that of the item that a dummy comes from.
    """

    def __init__(self, arguments: list[list[int]]) -> None:
        n = len(arguments)
        consumers: list[list[int]] = [[] for _ in range(n)]
        self.arguments, self.layer, self.rank = arguments, [0] * n, list(range(n))
        for head, tails in enumerate(arguments):
            for tail in tails:
                consumers[tail].append(head)
                self.layer[head] = max(self.layer[head], self.layer[tail] + 1)
        for k in range(n):
            if not arguments[k] and consumers[k]:
                self.layer[k] = min(self.layer[c] for c in consumers[k]) - 1
        self.items = n
        self.before: list[list[int]] = [[] for _ in range(n)]
        self.after: list[list[int]] = [[] for _ in range(n)]
        self.trunks = [self._grow(k, sorted(consumers[k], key=lambda c: self.layer[c])) for k in range(n)]
        self.depth = max(self.layer) + 1
        self.links = sum(map(len, self.after))

    def _grow(self, tail: int, heads: list[int]) -> list[int]:
        """The vertices of `tail` layer by layer, as far as its last consumer needs them; every consumer hangs on the one before it."""
        trunk = [tail]
        for head in heads:
            while self.layer[head] > self.layer[trunk[-1]] + 1:
                self.layer.append(self.layer[trunk[-1]] + 1)
                self.rank.append(tail)
                self.before.append([trunk[-1]])
                self.after.append([])
                self.after[trunk[-1]].append(len(self.layer) - 1)
                trunk.append(len(self.layer) - 1)
            self.after[trunk[-1]].append(head)
            self.before[head].append(trunk[-1])
        return trunk

    def route(self, tail: int, head: int) -> list[int]:
        """The vertices from box to box."""
        return [*self.trunks[tail][: self.layer[head] - self.layer[tail]], head]

    def gap(self, u: int, v: int) -> float:
        """How far two neighbours of a layer keep apart."""
        lines = (u >= self.items) + (v >= self.items)
        return (1.0, BOX_TO_LINE, LINE_TO_LINE)[lines]

    def pull(self, u: int, v: int) -> float:
        """How much a link wants to be level: long edges most, those out of sources least."""
        if u >= self.items and v >= self.items:
            return 8.0
        return 2.0 if self.before[u] and self.before[v] else 1.0


# ---- the order in every layer -----------------------------------------------------------------------------------


def _ordered(web: _Web) -> list[list[int]]:
    """The layers from top to bottom: few crossings, and among equals the declared order."""
    rows: list[list[int]] = [[] for _ in range(web.depth)]
    for v in sorted(range(len(web.layer)), key=lambda v: (web.rank[v], v)):
        rows[web.layer[v]].append(v)
    turns = max(2, min(16, WORK // (8 * web.links + 1)))
    best, fewest = rows, _crossings(web, rows) + 1
    for start in range(2 + min(12, STARTS // (web.links + 1))):
        tried = [list(row) for row in rows]
        if start > 1:  # small graphs can afford to be shuffled, always in the same way
            for row in tried:
                Random(start).shuffle(row)
        tried = _sweep(web, tried, turns, start % 2 == 0)
        _swap(web, tried, turns)
        count = _crossings(web, tried)
        if count < fewest:
            best, fewest = tried, count
        if not fewest:
            break
    mirrored = [row[::-1] for row in best]
    if _flips(web, mirrored) < _flips(web, best):
        _swap(web, mirrored, turns)
        return mirrored
    return best


def _places(web: _Web, rows: list[list[int]]) -> list[int]:
    place = [0] * len(web.layer)
    for row in rows:
        for k, v in enumerate(row):
            place[v] = k
    return place


def _crossings(web: _Web, rows: list[list[int]]) -> int:
    """How many pairs of links cross: inversions, layer by layer."""
    place, count = _places(web, rows), 0
    for row in rows:
        seen: list[int] = []
        for v in row:
            ends = sorted(place[w] for w in web.after[v])
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _sweep(web: _Web, rows: list[list[int]], turns: int, down: bool) -> list[list[int]]:
    """Barycentre sweeps, alternately along and against the edges; the best order seen, the first among equals."""
    place = _places(web, rows)
    best, fewest, stale = [list(row) for row in rows], _crossings(web, rows), 0
    for _ in range(turns):
        near = web.before if down else web.after
        for row in rows if down else reversed(rows):
            ranked = iter(sorted((v for v in row if near[v]), key=lambda v: sum(place[w] for w in near[v]) / len(near[v])))
            row[:] = [next(ranked) if near[v] else v for v in row]  # what has no neighbour there keeps its place
            for k, v in enumerate(row):
                place[v] = k
        down, count = not down, _crossings(web, rows)
        if count < fewest:
            best, fewest, stale = [list(row) for row in rows], count, 0
        else:
            stale += 1
            if stale == 4 or fewest == 0:
                break
    return best


def _swap(web: _Web, rows: list[list[int]], turns: int) -> None:
    """Swap neighbours where that saves a crossing, or restores the declared order and costs none; each swap is progress, so it ends."""
    place = _places(web, rows)

    def saved(u: int, v: int) -> int:
        """Crossings fewer with v before u than with u before v."""
        count = 0
        for near in (web.before, web.after):
            ends = [place[w] for w in near[v]]
            for w in near[u]:
                at = place[w]
                for end in ends:
                    count += (at > end) - (at < end)
        return count

    for _ in range(turns):
        changed = False
        for row in rows:
            for k in range(len(row) - 1):
                u, v = row[k], row[k + 1]
                gain = saved(u, v)
                if gain > 0 or (gain == 0 and web.rank[v] < web.rank[u]):
                    row[k], row[k + 1] = v, u
                    place[u], place[v] = k + 1, k
                    changed = True
        if not changed:
            return


def _flips(web: _Web, rows: list[list[int]]) -> int:
    """Pairs of boxes in one layer that stand against the declared order."""
    count = 0
    for row in rows:
        seen: list[int] = []
        for v in row:
            if v < web.items:
                count += len(seen) - bisect_right(seen, v)
                insort(seen, v)
    return count


# ---- heights ----------------------------------------------------------------------------------------------------


def _heights(web: _Web, rows: list[list[int]]) -> list[float]:
    """Vertical positions: layer by layer the sum over links of weight (y_u - y_v)^2 falls to its least, until little moves."""
    y = [0.0] * len(web.layer)
    gaps = [[web.gap(u, v) for u, v in pairwise(row)] for row in rows]
    for row, between in zip(rows, gaps, strict=True):
        at = -sum(between) / 2
        for v, gap in zip(row, (*between, 0.0), strict=True):
            y[v] = at
            at += gap
    for turn in range(max(3, min(60, WORK // (2 * web.links + 1)))):
        moved = 0.0
        for layer in range(web.depth) if turn % 2 else reversed(range(web.depth)):
            wanted, weights = [], []
            for v in rows[layer]:
                total, weight = 1e-6 * y[v], 1e-6
                for w in (*web.before[v], *web.after[v]):
                    pull = web.pull(v, w)
                    total, weight = total + pull * y[w], weight + pull
                wanted.append(total / weight)
                weights.append(weight)
            for v, new in zip(rows[layer], _apart(wanted, weights, gaps[layer]), strict=True):
                moved = max(moved, abs(new - y[v]))
                y[v] = new
        if moved < 1e-3:
            break
    _straighten(web, rows, y)
    top = min(y)
    return [round(at - top, 4) for at in y]


def _apart(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The y that minimise the sum of weight (y - wanted)^2 with y[k+1] - y[k] >= gaps[k].

    Isotonic regression of what is wanted less the gaps so far, by pooling adjacent violators.  Source: Barlow et al. 1972, ch. 1.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, members = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, members = weight + heavy, members + many
        pools.append((mean, weight, members))
    level = [mean for mean, _, members in pools for _ in range(members)]
    return [at + offset for at, offset in zip(level, offsets, strict=True)]


def _straighten(web: _Web, rows: list[list[int]], y: list[float]) -> None:
    """Passing edges run level where there is room, best at the height of an end; a box stands level with what nearly is so already."""
    place = _places(web, rows)

    def room(v: int) -> tuple[float, float]:
        row, k = rows[web.layer[v]], place[v]
        return (y[row[k - 1]] + web.gap(row[k - 1], v) if k else -FAR,
                y[row[k + 1]] - web.gap(v, row[k + 1]) if k + 1 < len(row) else FAR)

    def align(v: int, level: float, near: float = NEAR) -> None:
        low, high = room(v)
        if low <= level <= high and abs(level - y[v]) < near:
            y[v] = level

    for _ in range(4):
        for row in rows:
            for v in row:
                fed = [w for w in web.before[v] if web.before[w]] or web.before[v]
                if v < web.items and fed and y[v] not in [y[w] for w in fed]:
                    align(v, min((y[w] for w in fed), key=lambda at: abs(at - y[v])), NEAR if len(fed) == 1 else NEAR / 3)
        for row in reversed(rows):
            for v in row:
                if v < web.items and len(web.after[v]) == 1 and len(web.before[web.after[v][0]]) == 1:
                    align(v, y[web.after[v][0]])
        for tail, trunk in enumerate(web.trunks):
            for run, low, high in _level_runs(trunk[1:], room):
                mean = sum(y[v] for v in run) / len(run)
                ends = [y[w] for w in (*web.before[run[0]], *web.after[run[-1]]) if low <= y[w] <= high and abs(y[w] - mean) < NEAR]
                level = min(ends, key=lambda at: abs(at - mean)) if ends else min(max(mean, low), high)
                for v in run:
                    y[v] = level
            if len(trunk) > 1 and not web.before[tail]:
                align(tail, y[trunk[1]], 2 * NEAR)


def _level_runs(dummies: list[int], room: Callable[[int], tuple[float, float]]) -> list[tuple[list[int], float, float]]:
    """An edge cut into as few runs as there are levels that it needs, each with the room that its dummies share."""
    runs: list[tuple[list[int], float, float]] = []
    for v in dummies:
        low, high = room(v)
        if runs and max(low, runs[-1][1]) <= min(high, runs[-1][2]):
            runs[-1] = ([*runs[-1][0], v], max(low, runs[-1][1]), min(high, runs[-1][2]))
        else:
            runs.append(([v], low, high))
    return runs


# ---- edges ------------------------------------------------------------------------------------------------------


def _route(vertices: list[tuple[int, float]]) -> tuple[tuple[float, float], ...]:
    """A polyline that is level beside every box and climbs only between the layers."""
    points = [(float(vertices[0][0]), vertices[0][1])]
    for (x, y), (after, then) in pairwise(vertices):
        points += [(x + HALF_WIDTH, y), (after - HALF_WIDTH, then)] if y != then else []
        points.append((float(after), then))
    inner = (p for left, p, right in zip(points, points[1:], points[2:], strict=False) if not left[1] == p[1] == right[1])
    return (points[0], *inner, points[-1])
