"""The claim that no weights make a hard-threshold network decide a property, in exact fractions.

A tree of cases supposes which hidden units fire at which of the listed points.  In every case some unit cannot do what it should:
its inequalities w . input + b >= 0 or < 0 times the multipliers, added up, leave no weight (or, with weights in a range, a form
that stays negative on it).  Points may be approached from a side: a property or unit that is closed meets one that is open there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from sympy import Integer, Rational

from symgrad.check.errors import Undecided
from symgrad.check.threshold import combination, fires_at_zero, leaves
from symgrad.language.arrangement import form_of, fraction, normal_form
from symgrad.language.claims import Unrealizable
from symgrad.language.errors import Refused
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.sums import truth
from symgrad.language.threshold import (
    All,
    Architecture,
    Borders,
    Domain,
    ForcedBorders,
    Formula,
    Inseparable,
    OutOfRange,
    Point,
    Suppose,
    Swapped,
    Wanted,
    WeightBranch,
    WeightCases,
    atoms,
    plus,
)

MAX_TRIED = 200_000


def impossible(problem: Problem, claim: Unrealizable) -> Verdict:
    """No network of the architecture decides the properties."""
    sizes, wanted = claim.architecture.layers, claim.wanted
    if len(sizes) < 2 or sizes[0] != len(wanted.inputs) or sizes[-1] != len(wanted.properties):
        raise Refused(f"layers {list(sizes)} for {len(wanted.inputs)} inputs and {len(wanted.properties)} properties")
    ranged = claim.architecture.weights or claim.architecture.biases or claim.architecture.given
    domain = "for all weights allowed" if ranged else "for all real weights"
    match claim.proof:
        case Borders(points):
            count = len({border(wanted, p) for p in points})
            if count <= sizes[1]:
                raise Refused(f"{count} borders for {sizes[1]} units")
            return Verdict(Ground.PROVED, f"{count} borders at which the property changes, {sizes[1]} units that could have them", domain)
        case ForcedBorders(points, apart):
            forced(claim, claim.proof, fires_at_zero(problem))
            return Verdict(Ground.PROVED, f"{len(points)} borders for as many units, {len(apart)} inputs, multipliers verified", domain)
        case WeightCases(points, branches):
            case = _Case(claim.architecture, wanted, points, fires_at_zero(problem))
            count = sum(1 for path, leaf in leaves(branches, Suppose) if case.treat({(s.layer, s.unit, s.point): f for s, f in path}, leaf))
            return Verdict(Ground.PROVED, f"{len(points)} inputs, {count} case{'s' * (count != 1)}, multipliers verified", domain)


def forced(claim: Unrealizable, proof: ForcedBorders, closed: bool) -> None:
    """Each unit has one of the borders; off them it says on which side an input lies, or on which not: forms in one are forms in the other."""
    architecture, wanted = claim.architecture, claim.wanted
    found = list({border(wanted, p) for p in proof.points})
    if len(architecture.layers) != 3 or len(found) != architecture.layers[1] or architecture.given or architecture.weights or architecture.biases:
        raise Refused(f"{len(found)} borders for {architecture.layers[1]} units of one hidden layer with free weights")
    if not 0 <= proof.unit < len(wanted.properties) or len(proof.multipliers) != len(proof.apart):
        raise Refused("a multiplier for each point of one output unit is needed")
    parts = []
    for p, by in zip(proof.apart, proof.multipliers, strict=True):
        if len(p) != len(wanted.inputs) or not truth(wanted.where, Point(p)):
            raise Refused("a point that is not in the domain")
        z = [sum((w * fraction(p[i - 1]) for i, w in normal), -bound) for normal, bound in found]
        if 0 in z:
            raise Refused("a point on a border")
        fires = truth(wanted.properties[proof.unit], Point(p))
        sign = 1 if fires else -1
        form = (*((k, Fraction(sign)) for k, v in enumerate(z) if v > 0), (len(z), Fraction(sign)))
        parts.append(((form, Fraction(0)), fires != closed, fraction(by)))
    (terms, _), strict = combination(parts)
    if terms or not strict:
        raise Refused("the multipliers of the sides do not give a contradiction")


Border = tuple[tuple[tuple[int, int], ...], Fraction]


def border(wanted: Wanted, point: tuple[Rational, ...]) -> Border:
    """The one border through the point, all around which `where` holds and at which a property changes.

    A unit with another border misses almost all of it near the point; where no unit has it, the network does not change there.
    """
    if wanted.domain is not Domain.REALS:
        raise Refused("borders are an argument over the reals")
    through = [set(borders_through(f, point)) for f in (All(wanted.properties), wanted.where)]
    if len(point) != len(wanted.inputs) or len(through[0]) != 1 or through[1] or not truth(wanted.where, Point(point)):
        raise Refused("a point that is not on exactly one border, inside the condition")
    normal, bound = through[0].pop()
    step = tuple(Rational(dict(normal).get(i, 0)) for i in range(1, len(point) + 1))
    around = [Point(point), Point(point, step), Point(point, tuple(-x for x in step))]
    if all(len({truth(f, p) for p in around}) == 1 for f in wanted.properties):
        raise Refused("a border at which no property changes")
    return normal, bound


def borders_through(f: Formula, point: Sequence[object]) -> Iterator[Border]:
    at = list(map(fraction, point))
    for c in atoms(f):
        found = normal_form(form_of(plus(c.left, c.right, Integer(-1))), False, False)
        if not isinstance(found, bool) and sum(w * at[i - 1] for i, w in found[0].normal) == found[0].bound:
            yield found[0].normal, found[0].bound


class _Case:
    """The points with what the properties ask there; the inequalities of one unit under some suppositions."""

    def __init__(self, architecture: Architecture, wanted: Wanted, points: tuple[Point, ...], closed: bool) -> None:
        self.architecture, self.points, self.closed = architecture, points, closed
        self.sizes, self.last = architecture.layers, len(architecture.layers) - 2
        self.wants = []
        for p in points:
            self.must_belong(p, wanted.domain)
            if not truth(wanted.where, p):
                raise Refused("a point that the condition excludes")
            self.wants.append([truth(f, p) for f in wanted.properties])

    def treat(self, known: dict[tuple[int, int, int], bool], leaf: WeightBranch) -> bool:
        """Raises Refused unless the case is closed for the stated reason."""
        for layer, unit, point in known:
            self.check(layer, unit, point, hidden=True)
        match leaf:
            case Inseparable(layer, unit, multipliers):
                self.inseparable(known, layer, unit, multipliers)
            case OutOfRange(layer, unit):
                self.out_of_range(known, layer, unit)
            case Swapped(layer, unit, point):
                self.swapped(known, layer, unit, point)
            case Suppose():
                raise Refused("a case that ends in a supposition")
        return True

    def must_belong(self, p: Point, domain: Domain) -> None:
        n = self.sizes[0]
        values = [fraction(x) for x in p.at]
        allowed = {Domain.REALS: True, Domain.INTEGERS: all(x.denominator == 1 for x in values), Domain.BOOLEANS: all(x in (0, 1) for x in values)}
        if len(p.at) != n or not allowed[domain] or (p.toward and (domain is not Domain.REALS or len(p.toward) != n)):
            raise Refused("a point that is not in the domain")

    def check(self, layer: int, unit: int, point: int, hidden: bool = False) -> None:
        if not (0 <= layer <= self.last - hidden and 0 <= unit < self.sizes[layer + 1] and 0 <= point < len(self.wants)):
            raise Refused("a unit or point that is not there")

    def fires(self, known: dict[tuple[int, int, int], bool], layer: int, unit: int, point: int) -> bool | None:
        """Supposed, asked by the property, or settled by weights that are all given; else None."""
        if layer == self.last:
            return self.wants[point][unit]
        if (layer, unit, point) in known:
            return known[layer, unit, point]
        stated = [self.architecture.stated(layer, unit, s) for s in (*range(self.sizes[layer]), None)]
        given = [fraction(w) for w in stated if w is not None]
        fed = self.fed(known, layer, point)
        if len(given) < len(stated) or fed is None:
            return None
        return self.sign(given, fed)

    def sign(self, weights: Sequence[Fraction], fed: Sequence[tuple[Fraction, ...]]) -> bool:
        """Does a unit with these weights (the bias last) fire at what it is fed, or just beside it in the second direction?"""
        z = [sum((w * x for w, x in zip(weights, v, strict=False)), k * weights[-1]) for v, k in zip(fed, (1, 0), strict=False)]
        first = next((v for v in z if v != 0), Fraction(0))
        return first > 0 or (first == 0 and self.closed)

    def fed(self, known: dict[tuple[int, int, int], bool], layer: int, point: int) -> list[tuple[Fraction, ...]] | None:
        """What a layer is fed at a point, and the direction of approach where there is one; None where it is not settled."""
        if layer == 0:
            p = self.points[point]
            return [tuple(map(fraction, v)) for v in (p.at, p.toward) if v]
        states = [self.fires(known, layer - 1, i, point) for i in range(self.sizes[layer])]
        return None if None in states else [tuple(Fraction(bool(s)) for s in states)]

    def inseparable(self, known: dict[tuple[int, int, int], bool], layer: int, unit: int, multipliers: Sequence[tuple[int, object]]) -> None:
        parts = []
        for point, by in multipliers:
            self.check(layer, unit, point)
            fires, fed = self.fires(known, layer, unit, point), self.fed(known, layer, point)
            if fires is None or fed is None:
                raise Refused("a multiplier for a point at which the case settles nothing")
            sign = 1 if fires else -1
            form = (*((i, sign * x) for i, x in enumerate(fed[0])), (self.sizes[layer], Fraction(sign)))
            strict = len(fed) == 1 and fires != self.closed  # an approached point gives the limit: not strict
            parts.append(((form, Fraction(0)), strict, fraction(by)))
        (terms, _), strict = combination(parts)
        most = Fraction(0)
        for i, c in terms:
            allowed = self.interval(layer, unit, i)
            if allowed is None:
                raise Refused("the multipliers leave a weight that is free")
            most += max(c * allowed[0], c * allowed[1])
        if most > 0 or (most == 0 and not strict):
            raise Refused("the multipliers of a case do not give a contradiction")

    def interval(self, layer: int, unit: int, source: int) -> tuple[Fraction, Fraction] | None:
        """What the weight from `source` may be; the bias comes after the weights."""
        found = self.architecture.interval(layer, unit, None if source == self.sizes[layer] else source)
        return (fraction(found[0]), fraction(found[1])) if found else None

    def out_of_range(self, known: dict[tuple[int, int, int], bool], layer: int, unit: int) -> None:
        """Tries all whole numbers."""
        self.check(layer, unit, 0)
        intervals = [self.interval(layer, unit, i) for i in range(self.sizes[layer] + 1)]
        choices = [[a[0]] if a[0] == a[1] else [Fraction(k) for k in range(-(-a[0] // 1), a[1] // 1 + 1)] for a in intervals if a]
        if len(choices) < len(intervals):
            raise Refused("a weight without a range cannot be tried out")
        if prod(map(len, choices)) > MAX_TRIED:
            raise Undecided(f"more than {MAX_TRIED:,} weights to try")
        asked = [(fed, fires) for p in range(len(self.wants)) if (fed := self.fed(known, layer, p)) is not None
                 and (fires := self.fires(known, layer, unit, p)) is not None]
        for w in product(*choices):
            if all(self.sign(w, fed) == fires for fed, fires in asked):
                raise Refused("weights in the range that do what the case asks")

    def swapped(self, known: dict[tuple[int, int, int], bool], layer: int, unit: int, point: int) -> None:
        """Units of a layer may be numbered so that their rows of states fall in lexicographic order."""
        self.check(layer, unit + 1, point, hidden=True)
        if self.architecture.given:
            raise Refused("units with given weights cannot be swapped")
        rows = [[known.get((layer, u, p)) for p in range(point + 1)] for u in (unit, unit + 1)]
        if unit < 0 or None in rows[0] or rows[0][:-1] != rows[1][:-1] or (rows[0][-1], rows[1][-1]) != (False, True):
            raise Refused("two units that are not in the wrong order")
