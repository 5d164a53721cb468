"""A network and a property as functions of linear sums over variables that are 0 or 1.

Over booleans the variables are the inputs.  Elsewhere they are the half-spaces, each as if it could hold or not by itself: what
holds for all their patterns then holds for those that occur.  Patterns with equal sums need to be looked at only once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symgrad.language.arrangement import Arrangement, Gate, Literal, Term, form_of, fraction, rows, unit_form
from symgrad.language.threshold import All, Compare, Count, Domain, Formula, Layer, Not, Point, Relation, Some, Wanted

State = tuple[Fraction, ...]
Linear = tuple[dict[int, Fraction], Fraction]
"""Coefficients by variable, and a constant."""


class Sums:
    """The sums that matter; a state is one value for each of them."""

    def __init__(self, network: tuple[Layer, ...], wanted: Wanted, closed: bool) -> None:
        self.forms: list[Linear] = []
        self._place: dict[tuple[frozenset[tuple[int, Fraction]], Fraction], int] = {}
        self.closed = closed
        self.layers = [[(tuple(map(fraction, row)), fraction(b)) for row, b in rows(layer)] for layer in network[1:]]
        self.says: list[Callable[[State], bool]]
        if wanted.domain is Domain.BOOLEANS:
            self.first = [self.add((dict(terms), constant)) for terms, constant in (unit_form(row, b) for row, b in rows(network[0]))]
            self.says = [self.reading(p) for p in (*wanted.properties, wanted.where)]
        else:
            world = Arrangement(network, wanted, closed)
            fires = [x for u in world.units if (x := indicator(u)) is not None]
            if not self.layers:  # the outputs are the units themselves: h >= 1, or h > 0
                self.layers.append([(tuple(Fraction(i == j) for i in range(len(fires))), Fraction(-closed)) for j in range(len(fires))])
            self.first = [self.add(total(fires, row, bias)) for row, bias in self.layers.pop(0)]
            self.says = [self.reading(t) for t in (*world.properties, world.where)]

    def add(self, form: Linear) -> int:
        """Notes a form; its place in every state."""
        key = frozenset(form[0].items()), form[1]
        if key not in self._place:
            self._place[key] = len(self.forms)
            self.forms.append(form)
        return self._place[key]

    @property
    def start(self) -> State:
        """All variables 0."""
        return tuple(constant for _, constant in self.forms)

    def steps(self) -> list[tuple[int, State]]:
        """The variables that matter, each with what it adds to a state when it is 1."""
        return [(i, tuple(terms.get(i, Fraction(0)) for terms, _ in self.forms)) for i in sorted({i for terms, _ in self.forms for i in terms})]

    def agree(self, state: State) -> bool:
        """Is `where` false, or does every output have the value of its property?"""
        if not self.says[-1](state):
            return True
        states = [self.fires(state[k]) for k in self.first]
        for layer in self.layers:
            states = [self.fires(sum((w for w, s in zip(row, states, strict=True) if s), bias)) for row, bias in layer]
        return states == [says(state) for says in self.says[:-1]]

    def fires(self, z: Fraction) -> bool:
        return z >= 0 if self.closed else z > 0

    def reading(self, t: Term | Formula) -> Callable[[State], bool]:
        """The truth of a statement as a function of the sums, which it notes."""
        alone = indicator(t)
        if alone is not None:
            k = self.add(alone)
            return lambda state: state[k] == 1
        if isinstance(t, Compare):
            terms, constant = form_of(t.left)
            other, away = form_of(t.right)
            difference = total([(dict(terms), constant), (dict(other), away)], [Fraction(1), Fraction(-1)])
            k, relation = self.add(difference), t.relation
            return lambda state: holds(relation, state[k])
        parts, counts = gate(t)
        inside = [indicator(p) for p in parts]
        known = [i for i in inside if i is not None]
        if len(known) == len(parts):
            k = self.add(total(known, [Fraction(1)] * len(known)))
            return lambda state: state[k] in counts
        readings = [self.reading(p) for p in parts]
        return lambda state: sum(r(state) for r in readings) in counts


def total(indicators: Sequence[Linear], weights: Sequence[Fraction], constant: Fraction = Fraction(0)) -> Linear:
    """The weighted sum of statements that count 1 where they hold."""
    terms: dict[int, Fraction] = {}
    for (own, rest), w in zip(indicators, weights, strict=True):
        constant += w * rest
        for i, c in own.items():
            terms[i] = terms.get(i, Fraction(0)) + w * c
    return {i: c for i, c in terms.items() if c}, constant


def indicator(t: Term | Formula) -> Linear | None:
    """1 where the statement holds, 0 where not, as a linear form in one variable; None for a statement about several."""
    match t:
        case bool():
            return {}, Fraction(t)
        case Literal(atom, holds):
            return ({atom: Fraction(1)}, Fraction(0)) if holds else ({atom: Fraction(-1)}, Fraction(1))
        case Compare() if len(used := {i for side in (t.left, t.right) for i, _ in side.terms}) <= 1:
            at = [Fraction(compare(t, dict.fromkeys(used, Fraction(v)))) for v in (0, 1)]
            return {i: at[1] - at[0] for i in used if at[1] != at[0]}, at[0]
        case Compare():
            return None
    parts, counts = gate(t)
    if not parts:
        return {}, Fraction(0 in counts)
    inside = indicator(parts[0]) if len(parts) == 1 else None
    if inside is None or len(counts & {0, 1}) != 1:
        return None
    return inside if 1 in counts else total([inside], [Fraction(-1)], Fraction(1))


def gate(t: Term | Formula) -> tuple[tuple[Term | Formula, ...], frozenset[int]]:
    """The parts of a statement and how many of them it wants to hold."""
    match t:
        case Gate(parts, counts):
            return parts, counts
        case Not(part):
            return (part,), frozenset({0})
        case All(parts):
            return parts, frozenset({len(parts)})
        case Some(parts):
            return parts, frozenset(range(1, len(parts) + 1))
        case Count(parts, numbers):
            return parts, frozenset(numbers)
    return (t,), frozenset({1})


def compare(c: Compare, values: dict[int, Fraction]) -> bool:
    """The comparison at given inputs."""
    left, right = ((sum((a * values[i] for i, a in terms), constant)) for terms, constant in (form_of(c.left), form_of(c.right)))
    return holds(c.relation, left - right)


def holds(relation: Relation, difference: Fraction) -> bool:
    match relation:
        case Relation.GT:
            return difference > 0
        case Relation.GE:
            return difference >= 0
        case Relation.LT:
            return difference < 0
        case Relation.LE:
            return difference <= 0
        case Relation.EQ:
            return difference == 0
        case Relation.NE:
            return difference != 0


def truth(f: Formula, p: Point) -> bool:
    """A property at a point, or at all points near enough on the way from it."""
    if not isinstance(f, Compare):
        parts, counts = gate(f)
        return sum(truth(part, p) for part in parts) in counts  # type: ignore[arg-type]
    (left, a), (right, b) = form_of(f.left), form_of(f.right)
    value, slope = (sum((c * fraction(v[i - 1]) for i, c in left), Fraction(0)) - sum((c * fraction(v[i - 1]) for i, c in right), Fraction(0))
                    if v else Fraction(0) for v in (p.at, p.toward))
    return holds(f.relation, value + a - b or slope)
