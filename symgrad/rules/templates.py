"""Networks written down from the property itself: one unit a comparison, one a threshold of a count, the rest passes on.

    comparison        a unit that fires where it holds, or one that fires where it fails
    at least k        s = how many hold;  [s >= k]
    several equations one unit more than there are equations
    counts in general [s >= t] for every t at which the answer changes, added with the signs of the changes

Units that are the same are built once, so the cost grows with the number of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from sympy import Integer

from symgrad.language.arrangement import Form, Half, form_of, normal_form, rational
from symgrad.language.sums import gate, indicator
from symgrad.language.threshold import All, Architecture, Compare, Domain, Formula, Layer, Not, Relation, Some, Wanted, atoms, negation, plus

MOST_UNITS = 10_000
UNUSED = -1
"""The bias of a unit that never fires."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A statement as a form in the units of one level (0: the inputs), 1 where it holds and 0 where not."""

    level: int
    terms: tuple[tuple[int, Fraction], ...]
    constant: Fraction

    def complement(self) -> Signal:
        return Signal(self.level, tuple((i, -c) for i, c in self.terms), 1 - self.constant)


class TooSmall(Exception):
    """The layers have no room for the template."""


def template(architecture: Architecture, wanted: Wanted, fires_at_zero: bool) -> tuple[Layer, ...] | None:
    """A network of these layers by the rules above; None where it does not fit them, or not the allowed weights."""
    for properties in dict.fromkeys((wanted.properties, tuple(map(closed_up, wanted.properties)))):
        try:
            network = _Builder(architecture.layers, wanted.domain, fires_at_zero).network(properties)
        except TooSmall:
            continue
        if architecture.admits(network):
            return network
    return None


def closed_up(f: Formula) -> Formula:
    """f_1 = 0, ..., f_m = 0 by m + 1 units in the place of 2 m: f_1 >= 0, ..., f_m >= 0 and f_1 + ... + f_m <= 0."""
    if isinstance(f, Not) and isinstance(f.part, All):
        f = Some(tuple(map(negation, f.part.parts)))
    if isinstance(f, Some):
        return Some(tuple(map(negation, closed.parts))) if isinstance(closed := closed_up(All(tuple(map(negation, f.parts)))), All) else f
    equations = [p for p in f.parts if isinstance(p, Compare) and p.relation is Relation.EQ] if isinstance(f, All) else []
    if len(equations) < 2 or not isinstance(f, All):
        return f
    left, right = (reduce(plus, sides) for sides in zip(*((p.left, p.right) for p in equations), strict=True))
    above = [Compare(p.left, Relation.GE, p.right) if p in equations else p for p in f.parts]
    return All((*above, Compare(left, Relation.LE, right)))


def comparison_units(wanted: Wanted, fires_at_zero: bool) -> tuple[Form, ...]:
    """The first-layer units that the comparisons of the properties ask for: weights and bias of each, equal ones once."""
    builder = _Builder((len(wanted.inputs), MOST_UNITS, 1), wanted.domain, fires_at_zero)
    for f in wanted.properties:
        for c in atoms(f):
            for part in parts_of(builder.spelled(c)):
                builder.signal(part)
    return tuple(builder.units[1])


def gate_of(f: Formula) -> tuple[tuple[Formula, ...], frozenset[int]]:
    """The parts of a statement and how many of them it wants to hold."""
    parts, counts = gate(f)
    return parts, counts  # type: ignore[return-value]


def parts_of(f: Formula) -> tuple[Formula, ...]:
    return f.parts if isinstance(f, All | Some) else (f,)


class _Builder:
    def __init__(self, layers: tuple[int, ...], domain: Domain, fires_at_zero: bool) -> None:
        self.layers, self.domain, self.closed = layers, domain, fires_at_zero
        self.units: list[list[Form]] = [[] for _ in layers]
        self.halves: dict[Half, tuple[Signal, bool]] = {}

    def network(self, properties: tuple[Formula, ...]) -> tuple[Layer, ...]:
        last = len(self.layers) - 1
        outputs = [self.output(f, last) for f in properties]
        found = []
        for level in range(1, last + 1):
            units = outputs if level == last else self.units[level]
            if len(units) > self.layers[level]:
                raise TooSmall
            rows = [dict(terms) for terms, _ in units]
            weights = [tuple(rational(r.get(i, Fraction(0))) for i in range(1, self.layers[level - 1] + 1)) for r in rows]
            biases = [rational(b) for _, b in units]
            spare = self.layers[level] - len(units)
            weights += [(Integer(0),) * self.layers[level - 1]] * spare
            biases += [Integer(UNUSED)] * spare
            found.append(Layer(tuple(weights), tuple(biases)))
        return tuple(found)

    # ---- statements as signals ------------------------------------------------------------------------------------

    def output(self, f: Formula, last: int) -> Form:
        """The output unit."""
        f = self.spelled(f)
        if isinstance(f, Compare) and (self.domain is not Domain.BOOLEANS or indicator(f) is None):
            if last == 1:
                form, fires = self.unit_for(f)
                if not fires:
                    raise TooSmall
                return form
            return self.threshold(self.lifted(self.signal(f), last - 1), 1)
        parts, counts = gate_of(f)
        changes = [t for t in range(1, len(parts) + 1) if (t in counts) != (t - 1 in counts)]
        if len(changes) == 1:
            total = self.summed([self.signal(p) for p in parts], last - 1)
            t = changes[0]
            return self.threshold(total, t) if t in counts else self.threshold(
                Signal(total.level, tuple((i, -c) for i, c in total.terms), -total.constant), 1 - t)
        return self.threshold(self.lifted(self.signal(f), last - 1), 1)

    def signal(self, f: Formula) -> Signal:
        f = self.spelled(f)
        if isinstance(f, Compare):
            known = indicator(f) if self.domain is Domain.BOOLEANS else None
            if known is not None:
                return Signal(0, tuple(known[0].items()), known[1])
            return self.half_space(f)
        parts, counts = gate_of(f)
        inside = [self.signal(p) for p in parts]
        if len(parts) == 1 and len(counts & {0, 1}) == 1:
            return inside[0] if 1 in counts else inside[0].complement()
        changes = [t for t in range(1, len(parts) + 1) if (t in counts) != (t - 1 in counts)]
        if not changes:
            return Signal(0, (), Fraction(0 in counts))
        total = self.summed(inside)
        terms: dict[int, Fraction] = {}
        for t in changes:
            (unit, _), = self.fires(total.level + 1, self.threshold(total, t)).terms
            terms[unit] = terms.get(unit, Fraction(0)) + (1 if t in counts else -1)
        return Signal(total.level + 1, tuple(terms.items()), Fraction(0 in counts))

    def half_space(self, c: Compare) -> Signal:
        """A first-layer unit for a comparison, or the complement of one."""
        form, fires = self.unit_for(c)
        found = normal_form(form, not self.closed, self.domain is not Domain.REALS)
        if isinstance(found, bool):
            return Signal(0, (), Fraction(found == fires))
        half, holds = found
        if half not in self.halves:
            self.halves[half] = (self.fires(1, form), holds)
        unit, side = self.halves[half]
        return unit if (side == holds) == fires else unit.complement()

    def unit_for(self, c: Compare) -> tuple[Form, bool]:
        """A first-layer unit, and whether it fires where the comparison holds or where it fails."""
        up = c.relation in (Relation.GT, Relation.GE)
        terms, constant = form_of(plus(c.left, c.right, Integer(-1)) if up else plus(c.right, c.left, Integer(-1)))
        strict = c.relation in (Relation.GT, Relation.LT)
        scale = Fraction(lcm(constant.denominator, *(w.denominator for _, w in terms)))
        scale /= gcd(int(constant * scale), *(int(w * scale) for _, w in terms)) or 1
        terms, constant = tuple((i, w * scale) for i, w in terms), constant * scale
        if strict != self.closed:
            return (terms, constant), True
        if self.domain is not Domain.REALS:  # whole numbers: > 0 is >= 1
            return (terms, constant + (-1 if strict else 1)), True
        return (tuple((i, -w) for i, w in terms), -constant), False

    def fires(self, level: int, form: Form) -> Signal:
        """The signal of a unit, which is built if there is none like it."""
        if level >= len(self.layers) - 1:
            raise TooSmall
        if form not in self.units[level]:
            self.units[level].append(form)
            if len(self.units[level]) > self.layers[level]:
                raise TooSmall
        return Signal(level, ((self.units[level].index(form) + 1, Fraction(1)),), Fraction(0))

    def threshold(self, s: Signal, t: int) -> Form:
        """The unit [s >= t] for a sum that is a whole number."""
        return s.terms, s.constant - t + (0 if self.closed else 1)

    def summed(self, signals: list[Signal], level: int | None = None) -> Signal:
        """All on one level (the highest, or `level`), added up."""
        top = max((s.level for s in signals), default=0)
        signals = [self.lifted(s, top if level is None else level) for s in signals]
        terms: dict[int, Fraction] = {}
        for s in signals:
            for i, c in s.terms:
                terms[i] = terms.get(i, Fraction(0)) + c
        total = sum((s.constant for s in signals), Fraction(0))
        return Signal(top if level is None else level, tuple((i, c) for i, c in sorted(terms.items()) if c), total)

    def lifted(self, s: Signal, level: int) -> Signal:
        """The signal passed on by one unit a level."""
        if s.level > level:
            raise TooSmall
        while s.level < level:
            s = self.fires(s.level + 1, self.threshold(s, 1)) if s.terms else Signal(level, (), s.constant)
        return s

    def spelled(self, f: Formula) -> Formula:
        """a = b as a >= b and a <= b, a != b as a > b or a < b; nested and/or flattened.  A boolean input stays as it is."""
        match f:
            case Compare() if self.domain is Domain.BOOLEANS and indicator(f) is not None:
                return f
            case Compare(left, Relation.EQ, right):
                return All((Compare(left, Relation.GE, right), Compare(left, Relation.LE, right)))
            case Compare(left, Relation.NE, right):
                return Some((Compare(left, Relation.GT, right), Compare(left, Relation.LT, right)))
            case All(parts) | Some(parts):
                flat: list[Formula] = []
                for p in map(self.spelled, parts):
                    flat += parts_of(p) if type(p) is type(f) else [p]
                return flat[0] if len(flat) == 1 else type(f)(tuple(flat))
        return f
