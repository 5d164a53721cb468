"""Points on the borders of a property at which it changes: each such border must be the border of some first-layer unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm

from symgrad.language.arrangement import Arrangement, Gate, Literal, Term, rational
from symgrad.language.sums import truth
from symgrad.language.threshold import ForcedBorders, Point, Wanted
from symgrad.solvers.linear import Inequality, System, Undecided, multipliers

MAX_NODES, MAX_SIDES = 400, 7


@dataclass(frozen=True, slots=True)
class Crossing:
    """A point on a border, off all others, and the direction across it."""

    at: tuple[Fraction, ...]
    across: tuple[Fraction, ...]


def crossings(wanted: Wanted) -> list[Crossing]:
    """One for every border at which a property over the reals changes, as far as a bounded search meets them."""
    search = _Crossings(wanted)
    found = []
    for border in search.borders:
        try:
            point = search.on(border)
        except Undecided:
            continue
        if point is not None:
            if all(bound == 0 for _, bound in search.borders):  # borders through the origin: any multiple does as well
                scale = lcm(*(x.denominator for x in point))
                point = tuple(x * scale for x in point)
            normal = dict(border[0])
            found.append(Crossing(point, tuple(Fraction(normal.get(i, 0)) for i in range(1, len(wanted.inputs) + 1))))
    return found


def sides_apart(met: Sequence[Crossing], wanted: Wanted, closed: bool) -> ForcedBorders | None:
    """If every hidden unit has one of these borders: inputs on their sides that no output unit can tell apart as it should."""
    if len(met) > MAX_SIDES:
        return None
    forms = []
    for c in met:
        terms = tuple((i, x) for i, x in enumerate(c.across, 1) if x)
        forms.append((terms, -sum((x * c.at[i - 1] for i, x in terms), Fraction(0))))
    cells = []
    for side in product((False, True), repeat=len(met)):
        system = System()
        for (terms, constant), above in zip(forms, side, strict=True):
            way = Fraction(1 if above else -1)
            system.add(((tuple((i, way * x) for i, x in terms), way * constant), True))
        if system.feasible():
            point = tuple(map(rational, system.point(len(wanted.inputs))))
            if truth(wanted.where, Point(point)):
                cells.append((side, point))
    for unit, f in enumerate(wanted.properties):
        rows: list[Inequality] = []
        for side, point in cells:
            fires = truth(f, Point(point))
            sign = Fraction(1 if fires else -1)
            terms = (*((k, sign) for k, above in enumerate(side, 1) if above), (len(side) + 1, sign))
            rows.append(((terms, Fraction(0)), fires != closed))
        found = multipliers(rows)
        if found is not None:
            points = tuple(tuple(map(rational, c.at)) for c in met)
            return ForcedBorders(points, tuple(cells[k][1] for k, _ in found), unit, tuple(rational(by) for _, by in found))
    return None


class _Crossings:
    def __init__(self, wanted: Wanted) -> None:
        self.world, self.count = Arrangement((), wanted, True), len(wanted.inputs)
        self.borders: dict[tuple[tuple[tuple[int, int], ...], Fraction], list[int]] = {}
        for k, h in enumerate(self.world.halves):
            self.borders.setdefault((h.normal, h.bound), []).append(k)

    def on(self, border: tuple[tuple[tuple[int, int], ...], Fraction]) -> tuple[Fraction, ...] | None:
        """A point of the border, off all others, with `where` true and a property that changes there."""
        normal, bound = border
        own = self.borders[border]
        sides = [dict.fromkeys(own, True), dict.fromkeys(own, False), {k: not self.world.halves[k].strict for k in own}]
        system = System()
        form = (tuple((i, Fraction(c)) for i, c in normal), -bound)
        system.push((form, False), ((tuple((i, -c) for i, c in form[0]), bound), False))
        self.left = MAX_NODES
        return self.search(system, {}, sides)

    def search(self, system: System, known: dict[int, bool], sides: list[dict[int, bool]]) -> tuple[Fraction, ...] | None:
        self.left -= 1
        if self.left < 0 or not system.feasible():
            return None
        around = [{**known, **side} for side in sides]
        where = [self.world.value(self.world.where, k) for k in around]
        if False in where:
            return None
        values = [[self.world.value(p, k) for k in around] for p in self.world.properties]
        if all(None not in v and len(set(v)) == 1 for v in values):
            return None
        changes = any(True in v and False in v for v in values)
        asked = (self.world.where,) if changes else (*self.world.properties, self.world.where)
        unsettled = [a for k in around for t in asked for a in self.open(t, k)]
        if not unsettled:
            unsettled = [k for b, ks in self.borders.items() for k in ks if k not in around[0]]
        if not unsettled:
            return tuple(system.point(self.count)) if changes else None
        atom = unsettled[0]
        half = self.world.halves[atom]
        twins = self.borders[half.normal, half.bound]
        for holds in (True, False):
            inequality, _ = half.side(holds, False)
            system.push((inequality, True))
            found = self.search(system, {**known, **dict.fromkeys(twins, holds)}, sides)
            system.pop()
            if found is not None:
                return found
        return None

    def open(self, t: Term, known: dict[int, bool]) -> Iterator[int]:
        if self.world.value(t, known) is not None:
            return
        match t:
            case Literal(atom):
                yield atom
            case Gate(parts):
                for p in parts:
                    yield from self.open(p, known)

