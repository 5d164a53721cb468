"""A point at which an equation fails: simple points first, then ties of the kinks, points beside them, and points far out.

Assumptions are met by repair: one entry is moved, as a linear equation asks, until the relation holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

from sympy import Expr, Rational

from symgrad.language import forms as F
from symgrad.language.claims import Witness
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import Call
from symgrad.language.graph import Graph
from symgrad.language.vectors import dimensions_in, grown, is_scalar, names_in, size_at
from symgrad.solvers.values import Rows, Undefined, Values, in_float, mp, plus

TRIES, MOST_DIGITS = 90, 4000
SIZES = (2, 2, 3, 2, 1, 4, 3)
HALF = Fraction(1, 2)
POOLS: tuple[tuple[Fraction, ...], ...] = tuple(
    tuple(map(Fraction, pool)) for pool in (
        ("1", "-1", "2", "-2"), ("1", "2", "3", "1/2"), ("-1", "-2", "-1/2", "-3"), ("1", "-1", "0", "1/2", "-1/2", "2", "3", "-3"),
        ("1/4", "1/3", "3/4", "2/3", "1/5"), ("3/5", "4/5", "-3/5", "-4/5", "0", "1"), ("5", "-7", "10", "-12", "20", "-25"),
        ("1/100", "-1/100", "1/1000", "-1/1000", "1/10"), ("100", "-100", "1", "-1", "1/2")))
TARGETS: dict[Sign, tuple[Fraction, ...]] = {
    Sign.EQUAL: (Fraction(0),), Sign.UNEQUAL: (Fraction(1), Fraction(-1)), Sign.LESS: (-Fraction(1), -HALF, -Fraction(3)),
    Sign.AT_MOST: (Fraction(0), -Fraction(1), -HALF), Sign.MORE: (Fraction(1), HALF, Fraction(3)), Sign.AT_LEAST: (Fraction(0), Fraction(1), HALF)}
BESIDE = tuple(map(Fraction, ("0", "1/2", "-1/2", "1/1000", "-1/1000", "3", "-3", "50", "-50")))
KINKED = ("max", "min", "relu", "leaky_relu", "abs", "step", "sign")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation with its derivatives carried out, and the expressions that it differentiated."""

    expr: Expr
    differentiated: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A witness and what is displayed of the two sides there; None where the right side is not defined."""

    witness: Witness
    values: tuple[F.Form | None, F.Form | None]


def refute(graph: Graph, left: Side, right: Side, assume: tuple[Relation, ...], step_at_zero: Rational = Rational(1),
           starts: tuple[dict[str, Rows], ...] = (), tries: int = TRIES) -> Found | None:
    """A point that satisfies the assumptions and separates the sides; None if none was met."""
    search = _Search(graph, left, right, assume, Fraction(int(step_at_zero.p), int(step_at_zero.q)))
    weaker = None
    for sizes, point in search.points(starts, tries):
        found = search.look(sizes, point)
        if found is not None and found.values[1] is not None:
            return found
        weaker = weaker or found
    return weaker


def satisfiable(graph: Graph, assume: tuple[Relation, ...], tries: int = TRIES) -> bool:
    """Was a point met that satisfies the assumptions?"""
    nothing = Side(Rational(0))
    return not assume or next(iter(_Search(graph, nothing, nothing, assume, Fraction(1)).points((), tries)), None) is not None


@dataclass
class _Search:
    graph: Graph
    left: Side
    right: Side
    assume: tuple[Relation, ...]
    step: Fraction

    def __post_init__(self) -> None:
        exprs = [self.left.expr, self.right.expr, *self.left.differentiated, *self.right.differentiated]
        exprs += [e for q in self.assume for e in (q.left, q.right)]
        used = {n for e in exprs for n in names_in(e)}
        mentioned = frozenset().union(*map(dimensions_in, exprs))
        self.names = [x for x in self.graph.variables if x.name in used]
        self.dimensions = [d for d in self.graph.dimensions if d in mentioned or any(s.has(d) for x in self.names for s in x.shape)]
        self.relations = [q for q in self.assume if not self.of_sizes(q)]
        least = {q.left: int(q.right) + (q.sign is Sign.MORE) for q in self.assume if self.of_sizes(q) and q.right.is_Integer}
        self.least = {d: max(1, least.get(d, 1)) for d in self.dimensions}
        self.kinks = [c for e in exprs for c in _calls(e) if c.fn.name in KINKED and is_scalar(c)]

    @staticmethod
    def of_sizes(q: Relation) -> bool:
        return not names_in(q.left) and not names_in(q.right)

    def points(self, starts: tuple[dict[str, Rows], ...], tries: int) -> Iterator[tuple[dict[Expr, int], dict[str, Rows]]]:
        """Points that satisfy all assumptions."""
        random = Random(11)
        for k in range(-len(starts), tries):
            sizes = grown({d: max(SIZES[(k + i) % len(SIZES)], self.least[d]) for i, d in enumerate(self.dimensions)}, [x.shape for x in self.names])
            point = dict(starts[k]) if k < 0 else {}
            pool = POOLS[k % len(POOLS)]
            for x in self.names:
                n, m = (size_at(d, sizes) for d in x.shape)
                if x.name not in point:
                    point[x.name] = tuple(tuple(pool[0] if 0 <= k < len(POOLS) and n == m == 1 and k % 2 else random.choice(pool)
                                                for _ in range(m)) for _ in range(n))
            if k >= len(POOLS) and self.kinks and k % 2:
                self.to_kink(sizes, point, random)
            if self.repair(sizes, point, random):
                yield sizes, point

    def values(self, sizes: dict[Expr, int], point: dict[str, Rows], smooth: bool = False) -> Values:
        return Values(sizes, point, self.step, smooth)

    def to_kink(self, sizes: dict[Expr, int], point: dict[str, Rows], random: Random) -> None:
        """Moves one variable so that the argument of a kink is 0, or near it."""
        kink = random.choice(self.kinks)
        a, *rest = kink.arguments

        def gap(p: dict[str, Rows]) -> Any:
            values = self.values(sizes, p)
            return plus(values.scalar(a), -values.scalar(rest[0])) if kink.fn.name in ("max", "min") else values.scalar(a)

        self.move(gap, random.choice(BESIDE), point, set(), random, names_in(kink))

    def repair(self, sizes: dict[Expr, int], point: dict[str, Rows], random: Random) -> bool:
        """Moves entries until every assumption holds; False where that fails."""
        fixed: set[tuple[str, int, int]] = set()
        for _ in range(3):
            broken = False
            for q in sorted(self.relations, key=lambda q: q.sign is not Sign.EQUAL):
                try:
                    values = self.values(sizes, point)
                    a, b = values.rows(q.left), values.rows(q.right)
                except Undefined:
                    return False
                for i in range(max(len(a), len(b))):
                    for j in range(max(len(a[0]), len(b[0]))):
                        def gap(p: dict[str, Rows], q: Relation = q, i: int = i, j: int = j) -> Any:
                            values = self.values(sizes, p)
                            return plus(_at(values.rows(q.left), i, j), -_at(values.rows(q.right), i, j))

                        if not self.has_sign(gap, point, q.sign):
                            broken = True
                            if not self.move(gap, random.choice(TARGETS[q.sign]), point, fixed, random,
                                             (*names_in(q.left), *names_in(q.right)), q.sign is Sign.EQUAL):
                                return False
            if not broken:
                return True
        return False

    @staticmethod
    def has_sign(gap: Any, point: dict[str, Rows], sign: Sign) -> bool:
        try:
            x = gap(point)
        except Undefined:
            return False
        if not isinstance(x, Fraction) and abs(x) < mp.mpf(10) ** -30:
            return False
        return {Sign.EQUAL: x == 0, Sign.UNEQUAL: x != 0, Sign.LESS: x < 0, Sign.AT_MOST: x <= 0, Sign.MORE: x > 0, Sign.AT_LEAST: x >= 0}[sign]

    @staticmethod
    def move(gap: Any, target: Fraction, point: dict[str, Rows], fixed: set[tuple[str, int, int]], random: Random,
             names: tuple[str, ...], freeze: bool = False) -> bool:
        """Sets one entry so that gap = target, where gap is affine in it."""
        entries = [(n, i, j) for n in dict.fromkeys(names) if n in point for i, row in enumerate(point[n]) for j in range(len(row))]
        random.shuffle(entries)
        for place in entries:
            if place in fixed:
                continue
            n, i, j = place

            def moved(x: Fraction, n: str = n, i: int = i, j: int = j) -> dict[str, Rows]:
                rows = tuple(tuple(x if (a, b) == (i, j) else y for b, y in enumerate(row)) for a, row in enumerate(point[n]))
                return {**point, n: rows}

            try:
                zero, one = gap(moved(Fraction(0))), gap(moved(Fraction(1)))
                slope = plus(one, -zero)
                if not isinstance(slope, Fraction) or slope == 0:
                    continue
                x = (target - zero) / slope
                if gap(moved(x)) == target:
                    point[n] = moved(x)[n]
                    if freeze:
                        fixed.add(place)
                    return True
            except Undefined:
                continue
        return False

    def look(self, sizes: dict[Expr, int], point: dict[str, Rows]) -> Found | None:
        """What the sides are at one point, if they differ."""
        plain, smooth = self.values(sizes, point), self.values(sizes, point, smooth=True)
        try:
            for e in self.left.differentiated:
                smooth.rows(e)
            left = plain.rows(self.left.expr)
        except Undefined:
            return None
        try:
            for e in self.right.differentiated:
                smooth.rows(e)
            right = plain.rows(self.right.expr)
        except Undefined as error:
            if not error.domain:
                return None
            return Found(self.witness(sizes, point, (1, 1)), (shown(left[0][0], 4), None))
        for i, (row, other) in enumerate(zip(left, right, strict=True), 1):
            for j, (x, y) in enumerate(zip(row, other, strict=True), 1):
                if apart(x, y):
                    if not isinstance(plus(x, -y), Fraction) and (wanted := plain.digits_wanted()) > mp.dps:
                        return self.look_closer(sizes, point, wanted)
                    digits = next(d for d in range(4, 60) if shown(x, d) != shown(y, d))
                    return Found(self.witness(sizes, point, (i, j)), (shown(x, digits), shown(y, digits)))
        return None

    def look_closer(self, sizes: dict[Expr, int], point: dict[str, Rows], digits: int) -> Found | None:
        """The same with more digits: of cosh(100)^2 - sinh(100)^2, two numbers of 87 digits, 40 digits leave 0."""
        if digits > MOST_DIGITS:
            return None
        with mp.workdps(digits):
            return self.look(sizes, point)

    @staticmethod
    def witness(sizes: dict[Expr, int], point: dict[str, Rows], entry: tuple[int, int]) -> Witness:
        values = tuple((n, tuple(tuple(Rational(x.numerator, x.denominator) for x in row) for row in rows)) for n, rows in point.items())
        return Witness(tuple((str(d), n) for d, n in sizes.items()), values, entry)


def apart(x: Any, y: Any) -> bool:
    """Different fractions, or floats that differ by far more than their rounding."""
    gap = abs(plus(x, -y))
    return bool(gap > 0 if isinstance(gap, Fraction) else gap > mp.mpf(10) ** -22 * (1 + abs(in_float(mp.mpf, x)) + abs(in_float(mp.mpf, y))))


def shown(x: Any, digits: int) -> F.Form:
    """An exact number as it is, any other rounded to `digits` decimals."""
    if isinstance(x, Fraction):
        return F.Just(Rational(x.numerator, x.denominator))
    scaled = int(mp.floor(abs(x) * mp.mpf(10) ** digits + mp.mpf(1) / 2))
    return F.Decimal(Rational(scaled if x >= 0 else -scaled, 10**digits), digits)


def _at(rows: Rows, i: int, j: int) -> Any:
    return rows[i if len(rows) > 1 else 0][j if len(rows[0]) > 1 else 0]


def _calls(e: Expr) -> Iterator[Call]:
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, Call):
            yield x
        stack.extend(a for a in x.args if isinstance(a, Expr))
