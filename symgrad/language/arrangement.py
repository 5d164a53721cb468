"""A threshold network and a property over the same half-spaces: what each says once it is known which half-spaces hold.

Every comparison becomes a half-space in a normal form (whole coprime coefficients, the first one positive), so that
x2 - x1 >= 0 and x1 > x2 are one half-space and its complement.  Over the integers bounds are rounded to whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, gcd, lcm

from sympy import Integer, Rational

from symgrad.language.threshold import Affine, All, Compare, Count, Domain, Formula, Layer, Not, Relation, Some, Wanted, plus

Form = tuple[tuple[tuple[int, Fraction], ...], Fraction]
"""Coefficients by input, and a constant."""


@dataclass(frozen=True, slots=True)
class Half:
    """normal . x > bound, or >= bound."""

    normal: tuple[tuple[int, int], ...]
    bound: Fraction
    strict: bool

    def side(self, holds: bool, integers: bool) -> tuple[Form, bool]:
        """(form, strict): form >= 0, or > 0, says that the half-space holds, or does not."""
        if holds:
            return (tuple((i, Fraction(c)) for i, c in self.normal), -self.bound), self.strict
        gap = 1 if integers else 0
        return (tuple((i, Fraction(-c)) for i, c in self.normal), self.bound - gap), not self.strict and not integers

    def contains(self, point: Sequence[Fraction]) -> bool:
        value = sum(c * point[i - 1] for i, c in self.normal)
        return value > self.bound if self.strict else value >= self.bound


@dataclass(frozen=True, slots=True)
class Literal:
    """Half-space number `atom` holds, or does not."""

    atom: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """The number of parts that hold is one of `counts`."""

    parts: tuple[Term, ...]
    counts: frozenset[int]


Term = bool | Literal | Gate


def fraction(x: object) -> Fraction:
    """A SymPy rational (or a whole number, or a Fraction) as a Fraction."""
    if isinstance(x, int | Fraction):
        return Fraction(x)
    return Fraction(int(x.p), int(x.q))  # type: ignore[attr-defined]


def rational(x: Fraction) -> Rational:
    """A Fraction as a SymPy rational."""
    return Rational(x.numerator, x.denominator)


def form_of(a: Affine) -> Form:
    return tuple((i, fraction(c)) for i, c in a.terms), fraction(a.constant)


def normal_form(form: Form, strict: bool, integers: bool) -> tuple[Half, bool] | bool:
    """form > 0 (or >= 0) as a half-space that holds or does not; a truth value where the form is constant."""
    terms, constant = form
    if not terms:
        return constant > 0 if strict else constant >= 0
    scale = Fraction(lcm(*(c.denominator for _, c in terms)))
    scale /= gcd(*(int(c * scale) for _, c in terms))
    positive = terms[0][1] > 0
    sign = 1 if positive else -1
    normal = tuple((i, int(sign * scale * c)) for i, c in terms)
    bound = -sign * scale * constant  # positive: normal . x > bound; else normal . x < bound
    if not positive:
        strict = not strict  # not (normal . x >= bound), or not (normal . x > bound)
    if integers:
        bound = Fraction(floor(bound) + 1 if strict else -floor(-bound))
        strict = False
    return Half(normal, bound, strict), positive


class Arrangement:
    """Half-spaces numbered in order: first-layer units, comparisons of the properties, of `where`, then `extra`; equal ones once."""

    def __init__(self, network: tuple[Layer, ...], wanted: Wanted, fires_at_zero: bool, extra: tuple[Affine, ...] = ()) -> None:
        self.integers = wanted.domain is not Domain.REALS
        self.halves: list[Half] = []
        self._number: dict[Half, int] = {}
        self.fires_at_zero = fires_at_zero
        self.units = tuple(self.literal(unit_form(row, b), not fires_at_zero) for row, b in rows(network[0])) if network else ()
        self.upper = tuple(tuple((tuple(map(fraction, row)), fraction(b)) for row, b in rows(layer)) for layer in network[1:])
        self.properties = tuple(self.term(p) for p in wanted.properties)
        self.where = self.term(wanted.where)
        self.named = len(self.halves)
        for a in extra:
            self.literal(form_of(a))

    def literal(self, form: Form, strict: bool = False) -> Term:
        """form >= 0 (or > 0) as a numbered half-space, noted if it is new."""
        found = normal_form(form, strict, self.integers)
        if isinstance(found, bool):
            return found
        half, holds = found
        if half not in self._number:
            self._number[half] = len(self.halves)
            self.halves.append(half)
        return Literal(self._number[half], holds)

    def term(self, f: Formula) -> Term:
        """The formula over numbered half-spaces."""
        match f:
            case Compare(left, relation, right):
                up, down = form_of(plus(left, right, Integer(-1))), form_of(plus(right, left, Integer(-1)))
                match relation:
                    case Relation.GT | Relation.GE:
                        return self.literal(up, relation is Relation.GT)
                    case Relation.LT | Relation.LE:
                        return self.literal(down, relation is Relation.LT)
                    case Relation.EQ:
                        return Gate((self.literal(up, False), self.literal(down, False)), frozenset({2}))
                    case Relation.NE:
                        return Gate((self.literal(up, True), self.literal(down, True)), frozenset({1, 2}))
            case Not(part):
                return Gate((self.term(part),), frozenset({0}))
            case All(parts):
                return Gate(tuple(map(self.term, parts)), frozenset({len(parts)}))
            case Some(parts):
                return Gate(tuple(map(self.term, parts)), frozenset(range(1, len(parts) + 1)))
            case Count(parts, counts):
                return Gate(tuple(map(self.term, parts)), frozenset(counts))

    def value(self, t: Term, known: Mapping[int, bool]) -> bool | None:
        """True or false as far as the known half-spaces settle it, else None."""
        match t:
            case bool():
                return t
            case Literal(atom, holds):
                return (known[atom] == holds) if atom in known else None
        values = [self.value(p, known) for p in t.parts]
        least = values.count(True)
        possible = range(least, least + values.count(None) + 1)
        inside = sum(k in t.counts for k in possible)
        return True if inside == len(possible) else False if inside == 0 else None

    def outputs(self, known: Mapping[int, bool]) -> tuple[bool | None, ...]:
        """Which output units fire, as far as the known half-spaces settle it."""
        states: tuple[bool | None, ...] = tuple(self.value(u, known) for u in self.units)
        for layer in self.upper:
            states = tuple(self._fires(row, b, states) for row, b in layer)
        return states

    def _fires(self, row: tuple[Fraction, ...], bias: Fraction, states: tuple[bool | None, ...]) -> bool | None:
        low = high = bias
        for w, s in zip(row, states, strict=True):
            low += w if s or (s is None and w < 0) else 0
            high += w if s or (s is None and w > 0) else 0
        least, most = (low >= 0, high >= 0) if self.fires_at_zero else (low > 0, high > 0)
        return least if least == most else None

    def agree(self, known: Mapping[int, bool]) -> bool:
        """Is `where` false, or do all outputs have the value of their property, whatever the other half-spaces do?"""
        if self.value(self.where, known) is False:
            return True
        return all(y is not None and y == self.value(p, known) for y, p in zip(self.outputs(known), self.properties, strict=True))

    def at(self, point: Sequence[Fraction]) -> dict[int, bool]:
        """Which half-spaces hold at a point."""
        return {k: h.contains(point) for k, h in enumerate(self.halves)}


def rows(layer: Layer) -> Iterator[tuple[tuple[object, ...], object]]:
    """The weights and the bias of each unit."""
    return zip(layer.weights, layer.biases, strict=True)


def unit_form(row: Sequence[object], bias: object) -> Form:
    """w . x + b, whose sign says whether a first-layer unit fires."""
    return tuple((i, fraction(w)) for i, w in enumerate(row, 1) if w != 0), fraction(bias)
