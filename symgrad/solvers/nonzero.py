"""A point that satisfies facts and makes derivatives differ from zero: small numbers first, adjusted until the facts hold.

Random sampling alone never meets an equation; so each fact that fails is mended by moving one variable along its
derivative, which is exact for the weights and biases of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import inf
from random import Random

from sympy import Expr, Rational

from symgrad.language import intervals as I
from symgrad.language.functions import KNOWN
from symgrad.language.graph import Graph, Node
from symgrad.language.intervals import Interval
from symgrad.language.problem import Conventions
from symgrad.language.zeros import Fact, Polynomial, Relation
from symgrad.solvers.evaluation import Evaluation, Kink, Number, Values

POOLS: tuple[tuple[Fraction, ...], ...] = tuple(
    tuple(Fraction(x) for x in pool.split()) for pool in
    ("1 2", "1 2 3", "1 2 -1 3", "1 -1 2 -2", "1 2 3 -1 -2 -3", "1/2 1 3/2 2 -1/2 -1", "1 2 3 5 7 -2 -3 -5", "1/3 2/3 4 -4 5 -1/3 0"))
TINY, LEAST = 1e-9, 1e-30
NUDGES = (1 + 3e-9, 1 - 7e-9, 1 + 1.3e-8)
TRIES, WORK = 240, 400_000


@dataclass(frozen=True, slots=True)
class Found:
    """A point: the value of every name, what the unknown functions were taken to be, and d of / d name for every name."""

    values: Values
    functions: tuple[Polynomial, ...]
    slopes: dict[str, Number]
    kinks: tuple[Kink, ...] = ()


def choices(graph: Graph) -> list[tuple[Polynomial, ...]]:
    """Smooth functions to try in the place of the unknown ones: 1/2 (u - v)^2 first, for a loss of two arguments."""
    half = Rational(1, 2)
    tables = []
    for f in graph.functions:
        if f.name not in KNOWN:
            def term(c: Rational, *powers: int, n: int = f.arity) -> tuple[Rational, tuple[int, ...]]:
                return c, powers + (0,) * (n - len(powers))

            line = tuple((Rational(1), tuple(int(i == k) for i in range(f.arity))) for k in range(f.arity))
            if f.arity == 1:
                one = (Rational(1), (0,))
                tables.append([Polynomial(f.name, (term(half, 2),)), Polynomial(f.name, (one, *line)), Polynomial(f.name, line),
                               Polynomial(f.name, (*line, term(half, 2)))])
            else:
                square = (term(half, 2), term(Rational(-1), 1, 1), term(half, 0, 2))
                tables.append([Polynomial(f.name, (*square, *line[2:])), Polynomial(f.name, line)])
    return list(product(*tables))[:12]


class Search:
    """Points of one case.  Raises Unsupported where a function has no values."""

    def __init__(self, graph: Graph, facts: Sequence[Fact], known: Mapping[Expr, Interval], conventions: Conventions, of: str) -> None:
        self.graph, self.facts, self.of = graph, facts, of
        self.within = {x.name: known.get(x.symbol, I.ALL) for x in graph.all}
        self.evaluations = [(fs, Evaluation(graph, {f.name: f for f in fs}, conventions)) for fs in choices(graph)]
        self.size = sum(len(n.expr.args) + 1 for n in graph.nodes)
        wanted = [(n.symbol, Relation.EQUAL, self.within[n.name]) for n in graph.nodes if self.within[n.name] != I.ALL]
        self.wanted: list[tuple[Expr, Relation, Interval]] = wanted + [(f.left - f.right, f.relation, f.relation.gap) for f in facts]

    def points(self, tries: int = TRIES) -> Iterator[Found]:
        """Points that satisfy the facts, simple ones first; from a fixed seed."""
        random = Random(11)
        tries = max(12, min(tries, WORK // max(self.size * (1 + len(self.wanted)), 1)))
        for k in range(tries):
            functions, evaluation = self.evaluations[max(0, k - 3 * len(POOLS)) % len(self.evaluations)]
            pool = POOLS[k // 4 if k < 12 else k % len(POOLS)]
            variables = {x.name: self.pick(self.within[x.name], pool, random) for x in self.graph.variables}
            try:
                values = self.mended(evaluation, evaluation.values(variables), random)
                if values is not None:
                    yield Found(values, functions, evaluation.slopes(values, self.of), evaluation.kinks(values))
            except (ZeroDivisionError, ValueError, OverflowError, TypeError):
                continue

    def at(self, variables: Mapping[str, Fraction], k: int) -> Found | None:
        """The point with these variables and the k-th choice of functions, if the facts hold there."""
        functions, evaluation = self.evaluations[k]
        try:
            values = evaluation.values(variables)
            if all(self.holds(evaluation, values, w) for w in self.wanted):
                return Found(values, functions, evaluation.slopes(values, self.of), evaluation.kinks(values))
        except (ZeroDivisionError, ValueError, OverflowError):
            pass
        return None

    def steady(self, p: Found, name: str) -> bool:
        """Is a tiny derivative, as of a saturated unit, more than the rounding of others that cancel?  Then it hardly moves with the point."""
        evaluation = next(e for functions, e in self.evaluations if functions == p.functions)
        here = float(p.slopes.get(name, 0))
        try:
            points = [{x.name: float(p.values[x.name]) * n for x in self.graph.variables} for n in NUDGES]
            near = [evaluation.slopes(evaluation.values(nudged), self.of) for nudged in points]
        except (ZeroDivisionError, ValueError, OverflowError):
            return False
        return abs(here) > LEAST and all(abs(float(slopes.get(name, 0)) / here - 1) < 1e-4 for slopes in near)

    @staticmethod
    def pick(within: Interval, pool: Sequence[Fraction], random: Random) -> Fraction:
        """A number of the interval, from the pool if it has one there."""
        inside = [x for x in pool if x in within]
        if inside:
            return random.choice(inside)
        step = random.choice(pool) or Fraction(1)
        low, high = within.low, within.high
        if isinstance(low, Fraction) and isinstance(high, Fraction):
            return low if low == high else low + (high - low) * Fraction(random.randint(1, 3), 4)
        if isinstance(low, Fraction):
            return low + abs(step)
        return high - abs(step) if isinstance(high, Fraction) else step

    def mended(self, evaluation: Evaluation, values: Values, random: Random) -> Values | None:
        """The point moved, one variable at a time, until everything wanted holds; None if that fails."""
        for k, wanted in enumerate(self.wanted):
            if not self.holds(evaluation, values, wanted):
                moved = self.moved(evaluation, values, k, random)
                if moved is None:
                    return None
                values = moved
        return values

    def moved(self, evaluation: Evaluation, values: Values, k: int, random: Random) -> Values | None:
        e, relation, interval = self.wanted[k]
        now = evaluation.value(e)(values)
        slopes = evaluation.slopes(values, e)
        names = [x.name for x in self.graph.variables if slopes.get(x.name) and self.within[x.name].value is None]
        random.shuffle(names)
        names.sort(key=lambda n: not self.direct(n, e))
        for target in (self.pick(interval, POOLS[0], random), self.pick(interval, POOLS[2], random)):
            if relation is Relation.NOT_EQUAL:
                target = Fraction(random.choice((1, -1, 2)))
            for n in names[:12]:
                x = values[n] + (target - now) / slopes[n]
                if isinstance(x, float) and interval.value is None:
                    x = Fraction(x).limit_denominator(64)
                if isinstance(x, Fraction) and x in self.within[n]:
                    moved = evaluation.values({**{v.name: values[v.name] for v in self.graph.variables}, n: x})
                    if all(self.holds(evaluation, moved, w) for w in self.wanted[: k + 1]):
                        return moved
        return None

    def direct(self, name: str, e: Expr) -> bool:
        """Does the definition that is to be mended name the variable?"""
        if e.is_Symbol and isinstance(self.graph[e.name], Node):
            return name in self.graph.arguments(e.name)
        return name in {str(s) for s in e.free_symbols}

    @staticmethod
    def holds(evaluation: Evaluation, values: Values, wanted: tuple[Expr, Relation, Interval]) -> bool:
        e, relation, interval = wanted
        x = evaluation.value(e)(values)
        if isinstance(x, float) and x in (inf, -inf):
            return False
        if isinstance(x, float) and e.is_Symbol and relation is Relation.EQUAL:
            return interval.low <= x <= interval.high  # sigmoid(1000) is 1.0 in floats, on the open end of what it may be
        return x in interval and (relation is not Relation.NOT_EQUAL or x != 0)  # type: ignore[operator]


def differs(slope: Number | None) -> bool:
    """Is a derivative not zero (for a float: clearly so)?"""
    return bool(slope) and (not isinstance(slope, float) or abs(slope) > TINY)
