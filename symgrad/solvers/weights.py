"""Weights for a threshold network of a fixed architecture, or a proof that there are none.

Weights are fitted to a few inputs, the network is checked on the whole domain, its mistake is the next input to fit.  Fitting
supposes, input by input, which hidden units fire, with one system of inequalities in the weights of each unit; where no supposition
is left, the tree of suppositions with the multipliers of every case proves that no weights exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symgrad.language.arrangement import fraction, rational
from symgrad.language.sums import truth
from symgrad.language.threshold import (
    Architecture,
    Inseparable,
    Layer,
    OutOfRange,
    Point,
    Suppose,
    Swapped,
    Wanted,
    WeightBranch,
    WeightCases,
)
from symgrad.solvers.linear import Inequality, System, Undecided, multipliers

MAX_BRANCHES, SECONDS, MAX_ROUNDS = 20_000, 20.0, 80
SIZES = (1, 2, 3, 4, 6, 8, 12, 20, 50, 200)
"""Boxes in which small whole weights are looked for."""
Network = tuple[Layer, ...]
Refute = Callable[[Network], tuple[Fraction, ...] | None]
"""An input at which a network is wrong; None if it is right everywhere."""


def find(architecture: Architecture, wanted: Wanted, fires_at_zero: bool, refute: Refute,
         start: Sequence[Point] = ()) -> Network | WeightCases:
    """A right network, or the proof that there is none.  Raises Undecided at a bound."""
    points = list(start)
    end = time.monotonic() + SECONDS
    for _ in range(MAX_ROUNDS):
        found = fit(architecture, wanted, fires_at_zero, points, end)
        if isinstance(found, WeightCases):
            return found
        mistake = refute(found)
        if mistake is None:
            return found
        new = Point(tuple(map(rational, mistake)))
        if new in points:
            raise Undecided("undecided: the search came back to an input that it had treated")
        points.append(new)
    raise Undecided(f"undecided: {MAX_ROUNDS} rounds of fitting weights to inputs; neither weights nor their absence was shown")


def fit(architecture: Architecture, wanted: Wanted, fires_at_zero: bool, points: Sequence[Point], end: float) -> Network | WeightCases:
    """A network that is right at the points, or the tree of cases that shows there is none."""
    search = _Fit(architecture, wanted, fires_at_zero, points, end)
    if search.grow(0):
        return search.network
    if search.gap:
        raise Undecided(search.gap)
    return needed(tuple(points), search.branches)


def needed(points: tuple[Point, ...], branches: Sequence[WeightBranch]) -> WeightCases:
    """Only the points that the cases speak of, renumbered."""
    if any(isinstance(b, OutOfRange | Swapped) for b in branches):
        return WeightCases(points, tuple(branches))
    used = sorted({p for b in branches for p in ([b.point] if isinstance(b, Suppose) else [p for p, _ in b.multipliers]
                                                 if isinstance(b, Inseparable) else [])})
    number = {p: k for k, p in enumerate(used)}
    renamed: list[WeightBranch] = []
    for b in branches:
        match b:
            case Suppose(layer, unit, point):
                renamed.append(Suppose(layer, unit, number[point]))
            case Inseparable(layer, unit, by):
                renamed.append(Inseparable(layer, unit, tuple((number[p], m) for p, m in by)))
    return WeightCases(tuple(points[p] for p in used), tuple(renamed))


@dataclass
class _Unit:
    """The inequalities that one unit has to satisfy so far, in its weights (1..n) and bias (n + 1)."""

    system: System
    limits: list[Inequality]
    asked: list[tuple[int, list[tuple[Fraction, ...]], bool]] = field(default_factory=list)


class _Fit:
    def __init__(self, architecture: Architecture, wanted: Wanted, closed: bool, points: Sequence[Point], end: float) -> None:
        self.architecture, self.closed, self.points, self.end = architecture, closed, points, end
        self.sizes, self.last = architecture.layers, len(architecture.layers) - 2
        self.wants = [[truth(p, point) for p in wanted.properties] for point in points]
        self.units = {(k, j): self.unit(k, j) for k in range(self.last + 1) for j in range(self.sizes[k + 1])}
        self.states: dict[tuple[int, int, int], bool] = {}
        self.branches: list[WeightBranch] = []
        self.gap = ""
        self.network: Network = ()
        self.events = [(k, j, p) for p in range(len(points)) for k in range(self.last + 1) for j in range(self.sizes[k + 1])]

    def unit(self, layer: int, unit: int) -> _Unit:
        system = System()
        limits: list[Inequality] = []
        for i in range(1, self.sizes[layer] + 2):
            allowed = self.interval(layer, unit, i)
            if allowed:
                limits += [((((i, Fraction(1)),), -allowed[0]), False), ((((i, Fraction(-1)),), allowed[1]), False)]
        for limit in limits:
            system.add(limit)
        return _Unit(system, limits)

    def interval(self, layer: int, unit: int, i: int) -> tuple[Fraction, Fraction] | None:
        found = self.architecture.interval(layer, unit, None if i == self.sizes[layer] + 1 else i - 1)
        return (fraction(found[0]), fraction(found[1])) if found else None

    def fed(self, layer: int, point: int) -> list[tuple[Fraction, ...]]:
        """What a layer is fed, and the direction of approach."""
        if layer == 0:
            p = self.points[point]
            return [tuple(map(fraction, v)) for v in (p.at, p.toward) if v]
        return [tuple(Fraction(self.states[layer - 1, i, point]) for i in range(self.sizes[layer]))]

    # ---- the tree ---------------------------------------------------------------------------------------------------

    def grow(self, k: int) -> bool:
        """True as soon as all points are fitted; else the branches of the tree are written down."""
        if len(self.branches) > MAX_BRANCHES or time.monotonic() > self.end:
            raise Undecided(f"undecided: more than {MAX_BRANCHES:,} cases or {SECONDS:g} seconds; neither weights nor their absence was shown")
        if k == len(self.events):
            return self.finished()
        layer, unit, point = self.events[k]
        if layer == self.last:
            return self.ask(k, self.wants[point][unit])
        settled = self.settled(layer, unit, point)
        if settled is not None:
            self.states[layer, unit, point] = settled
            return self.grow(k + 1)
        self.branches.append(Suppose(layer, unit, point))
        for fires in (True, False):
            self.states[layer, unit, point] = fires
            if fires and self.swapped(layer, unit, point):
                self.branches.append(Swapped(layer, unit - 1, point))
            elif self.ask(k, fires):
                return True
        del self.states[layer, unit, point]
        return False

    def settled(self, layer: int, unit: int, point: int) -> bool | None:
        """What a unit does whose weights are all given."""
        given = [self.architecture.stated(layer, unit, s) for s in (*range(self.sizes[layer]), None)]
        if None in given:
            return None
        weights = [fraction(w) for w in given]
        z = [sum((w * x for w, x in zip(weights, v, strict=False)), c * weights[-1]) for v, c in zip(self.fed(layer, point), (1, 0), strict=False)]
        first = next((v for v in z if v != 0), Fraction(0))
        return first > 0 or (first == 0 and self.closed)

    def swapped(self, layer: int, unit: int, point: int) -> bool:
        if unit == 0 or self.architecture.given or self.states[layer, unit - 1, point]:
            return False
        return all(self.states[layer, unit - 1, p] == self.states[layer, unit, p] for p in range(point))

    def ask(self, k: int, fires: bool) -> bool:
        """One inequality more for a unit, and what follows."""
        layer, unit, point = self.events[k]
        fed = self.fed(layer, point)
        u = self.units[layer, unit]
        u.asked.append((point, fed, fires))
        u.system.push(self.inequality(fed, fires))
        done = False
        if u.system.feasible():
            done = self.grow(k + 1)
        else:
            found = multipliers([*(self.inequality(f, y) for _, f, y in u.asked), *u.limits])
            if found is None:
                raise Undecided("undecided: a case without solution for which no multipliers were found")
            own = [(u.asked[i][0], rational(by)) for i, by in found if i < len(u.asked)]
            self.branches.append(Inseparable(layer, unit, tuple(own)))
        u.system.pop()
        u.asked.pop()
        return done

    def inequality(self, fed: list[tuple[Fraction, ...]], fires: bool) -> Inequality:
        """w . input + b >= 0 or < 0; approached from a side, only the limit."""
        sign = 1 if fires else -1
        terms = tuple((i, sign * x) for i, x in enumerate((*fed[0], Fraction(1)), 1) if x)
        return (terms, Fraction(0)), len(fed) == 1 and fires != self.closed

    # ---- weights ----------------------------------------------------------------------------------------------------

    def finished(self) -> bool:
        """Small weights for every unit; False, with a leaf, if one has none that are allowed."""
        rows: dict[tuple[int, int], list[Fraction]] = {}
        for (layer, j), u in self.units.items():
            weights = self.small(layer, j, u)
            if weights is None:
                if all(self.interval(layer, j, i) for i in range(1, self.sizes[layer] + 2)):
                    self.branches.append(OutOfRange(layer, j))
                else:
                    self.branches.append(Inseparable(layer, j, ()))
                    self.gap = "undecided: a case has solutions in the limit only, or in fractions only"
                return False
            rows[layer, j] = weights
        self.network = tuple(
            Layer(tuple(tuple(map(rational, rows[k, j][:-1])) for j in range(self.sizes[k + 1])),
                  tuple(rational(rows[k, j][-1]) for j in range(self.sizes[k + 1]))) for k in range(self.last + 1))
        return True

    def small(self, layer: int, unit: int, u: _Unit) -> list[Fraction] | None:
        """Weights that do what is asked: whole and small if they may be."""
        import z3

        count = self.sizes[layer] + 1
        intervals = [self.interval(layer, unit, i) for i in range(1, count + 1)]
        stated = [self.architecture.stated(layer, unit, s) for s in (*range(count - 1), None)]
        context = z3.Context()
        whole = [z3.Int(f"w{i}", context) for i in range(count)]
        solver = z3.Solver(ctx=context)
        solver.set("timeout", 3_000)

        def value(q: Fraction) -> Any:
            return z3.Q(q.numerator, q.denominator, context)

        weights = [value(fraction(s)) if s is not None else z3.ToReal(w) for s, w in zip(stated, whole, strict=True)]
        for s, w, allowed in zip(stated, whole, intervals, strict=True):
            if s is None and allowed:
                solver.add(z3.ToReal(w) >= value(allowed[0]), z3.ToReal(w) <= value(allowed[1]))
        for _, fed, fires in u.asked:
            z = [z3.Sum([*(w * value(x) for w, x in zip(weights, v, strict=False)), c * weights[-1]])
                 for v, c in zip(fed, (1, 0), strict=False)]
            at_border = z[-1] >= 0 if self.closed else z[-1] > 0
            does = at_border if len(z) == 1 else z3.Or(z[0] > 0, z3.And(z[0] == 0, at_border))
            solver.add(does if fires else z3.Not(does))
        for size in SIZES:
            solver.push()
            for s, w in zip(stated, whole, strict=True):
                if s is None:
                    solver.add(w >= -size, w <= size)
            found = solver.check()
            if found == z3.unknown:
                raise Undecided("undecided: the solver gave up on the weights of one unit")
            if found == z3.sat:
                model = solver.model()
                return [fraction(s) if s is not None else Fraction(model.eval(w, model_completion=True).as_long())
                        for s, w in zip(stated, whole, strict=True)]
            solver.pop()
            if all(a is not None and max(map(abs, a)) <= size for a in intervals):
                return None
        return self.scaled(u, count) if not u.limits else None

    def scaled(self, u: _Unit, count: int) -> list[Fraction] | None:
        """The solution in fractions at hand, where whole ones are large."""
        return u.system.point(count) if u.system.feasible() and all(len(fed) == 1 for _, fed, _ in u.asked) else None
