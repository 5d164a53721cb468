"""The counterexample to show: as few ties as the mistake allows, then small whole numbers.

A mistake that only ties bring out comes with exactly the ties that it needs; any other one with none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Integer

from symgrad.language.arrangement import form_of, normal_form, rows, unit_form
from symgrad.language.threshold import Layer, Wanted, atoms, plus
from symgrad.solvers.cases import Wrong
from symgrad.solvers.linear import Inequality, System, Undecided

MAX_GRID, MOST_VALUES = 17_000, 9
LADDER = (1, 2, 3, 4, 5, 6, 8, 11, 15, 22, 31, 45, 63, 100, 200, 400)
SCALES = (1, 2, 10, 1000)
MOST_WHOLE = 16
READABLE = (10, 100)
"""A denominator and a size up to which a number is easily read: such points come before those with fewer ties."""
Border = tuple[tuple[tuple[int, int], ...], Fraction]


def simplest(network: tuple[Layer, ...], wanted: Wanted, wrong: Wrong) -> tuple[Fraction, ...]:
    """A point at which the network is wrong: of a small grid, or of one of the wrong cells."""
    search = _Simplest(network, wanted, wrong)
    found = search.of_grid()
    if found is not None and search.ties(found) == 0:
        return found
    ranked = sorted(zip(wrong.cells, wrong.points, strict=True), key=lambda c: search.rank(c[1]))[:6 if len(wanted.inputs) < 9 else 2]
    others = [p for cell, point in ranked for p in search.of_cell(cell, point)]
    return min((p for p in (found, *others) if p is not None), key=search.rank)


class _Simplest:
    def __init__(self, network: tuple[Layer, ...], wanted: Wanted, wrong: Wrong) -> None:
        self.world, self.count = wrong.world, len(wanted.inputs)
        forms = [unit_form(row, b) for row, b in rows(network[0])]
        forms += [form_of(plus(a.left, a.right, Integer(-1))) for p in wanted.properties for a in atoms(p)]
        found = [normal_form(form, False, False) for form in forms]
        self.borders: list[Border] = list(dict.fromkeys((f[0].normal, f[0].bound) for f in found if not isinstance(f, bool)))

    def ties(self, point: Sequence[Fraction]) -> int:
        """How many units and comparisons are exactly at their border."""
        return sum(sum(c * point[i - 1] for i, c in normal) == bound for normal, bound in self.borders)

    def rank(self, point: Sequence[Fraction]) -> tuple[Any, ...]:
        """Readable numbers, few ties, whole numbers before fractions, few signs, small numbers."""
        bottom, top = max(x.denominator for x in point), max(map(abs, point))
        readable = bottom <= READABLE[0] and top <= READABLE[1]
        fractions = sum(x.denominator > 1 for x in point)
        return (not readable, self.ties(point), bottom, fractions, sum(x < 0 for x in point), sum(map(abs, point)), tuple(point))

    def of_grid(self) -> tuple[Fraction, ...] | None:
        """The best wrong point with small whole coordinates, where there are few enough to look at all of them."""
        many = next((v for v in range(MOST_VALUES, 2, -1) if v**self.count <= MAX_GRID), 0)
        values = range(-(many // 3), many - many // 3)
        grid: Iterator[Any] = product(values, repeat=self.count)  # whole numbers: exact, and faster than fractions
        best = min((p for p in grid if not self.world.agree(self.world.at(p))), key=self.rank, default=None)
        return None if best is None else tuple(map(Fraction, best))

    def of_cell(self, cell: dict[int, bool], point: tuple[Fraction, ...]) -> list[tuple[Fraction, ...]]:
        """Points of the cell: whole numbers or simple fractions in a small box, off all borders and with what ties the cell allows."""
        inside = [self.world.halves[a].side(holds, self.world.integers) for a, holds in cell.items()]
        found = [point]
        try:
            for system in (inside,) if self.world.integers else (self.opened(inside), inside):
                for scale in SCALES[:1] if self.world.integers else SCALES:
                    near = self.small(system, scale)
                    if near is not None:
                        found.append(near)
                        break
        except Undecided:
            pass  # the points at hand will do
        return found

    def small(self, inequalities: Sequence[Inequality], scale: int) -> tuple[Fraction, ...] | None:
        """A solution in multiples of 1/scale in a small box, with as many whole coordinates as can be."""
        system = System(integers=True)
        for (terms, rest), strict in inequalities:
            system.add(((terms, rest * scale), strict))
        if not system.feasible():
            return None
        if scale > 1 and self.count <= MOST_WHOLE:
            for i in range(1, self.count + 1):  # x_i = scale * another whole number
                multiple = ((i, Fraction(1)), (self.count + i, Fraction(-scale)))
                system.push(((multiple, Fraction(0)), False), ((tuple((j, -c) for j, c in multiple), Fraction(0)), False))
                if not system.feasible():
                    system.pop()
            system.feasible()
        best = system.point(self.count)
        low, high = 0, len(LADDER)
        while low < high:  # the smallest box that has a solution
            middle = (low + high) // 2
            reach = LADDER[middle] * scale
            found = self.inside(system, 0, reach) or self.inside(system, -reach, reach)
            low, high = (low, middle) if found else (middle + 1, high)
            best = found or best
        if min(best) < 0:
            best = self.inside(system, 0, 2 * int(max(map(abs, best)))) or best
        return tuple(x / scale for x in best)

    def inside(self, system: System, low: int, high: int) -> list[Fraction] | None:
        """A solution with all coordinates from low to high."""
        sides = [[((((i, Fraction(1)),), Fraction(-low)), False), ((((i, Fraction(-1)),), Fraction(high)), False)] for i in range(1, self.count + 1)]
        system.push(*(side for pair in sides for side in pair))
        found = system.point(self.count) if system.feasible() else None
        system.pop()
        return found

    def opened(self, inside: list[Inequality]) -> list[Inequality]:
        """The inequalities made strict one after the other, as long as there is a solution."""
        system = System()
        for inequality in inside:
            system.add(inequality)
        found = []
        for form, strict in inside:
            if not strict:
                system.push((form, True))
                if system.feasible():
                    strict = True
                else:
                    system.pop()
            found.append((form, strict))
        return found
