"""Paths that have no zero factor of their own but add up to zero: the sum as one fraction of polynomials, kinks settled by the facts.

A polynomial is a map from power products to rational coefficients.  Its atoms are names, slopes at kinks that are still
open (one unknown for each argument), and functions of fractions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language.functions import Call, Fn, leaky_slope
from symgrad.language.vectors import names_in
from symgrad.language.zeros import Fact, Reference, Relation, gap, rational
from symgrad.rules.ranges import Intervals
from symgrad.rules.scalar import partial
from symgrad.rules.vanishing import Found, Ranges

Monomial = tuple[tuple[str, int], ...]
"""Atoms with their powers; an atom that is no name is a number in the order of appearance, with a sign that no name has."""
Polynomial = dict[Monomial, Fraction]
Quotient = tuple[Polynomial, Polynomial]
MAX_TERMS, MAX_NODES = 120, 40
ONE: Polynomial = {(): Fraction(1)}


class _TooLong(Exception):
    pass


def cancels(ranges: Ranges, routes: Iterable[tuple[str, ...]]) -> bool:
    """Do the products of local partials along these paths add up to zero wherever the facts hold?"""
    graph = ranges.graph
    terms: list[Expr] = []
    for route in routes:
        factors = [partial(graph.node(u).expr, graph.symbol(x))[0] for x, u in zip(route, route[1:], strict=False)]
        terms.append(Mul._from_args(tuple(factors)) if len(factors) > 1 else factors[0])
    return vanishes(ranges, Add._from_args(tuple(terms)) if len(terms) > 1 else terms[0])


def vanishes(ranges: Ranges, e: Expr) -> bool:
    """Is the expression zero, with nodes as unknowns or with their definitions put in?"""
    equalities = [f for f in ranges.facts if f.relation is Relation.EQUAL]
    for whole in (False, True) if len(ranges.graph.nodes) <= MAX_NODES else (False,):
        try:
            if not _Quotients(ranges, whole, equalities).of(e)[0]:
                return True
        except (_TooLong, ZeroDivisionError):
            pass
    return False


def combines(ranges: Intervals, conclusion: Fact, parts: Sequence[tuple[Rational, Fact]]) -> bool:
    """Is the difference of the conclusion's sides the sum of these multiples of differences, with nodes as unknowns?"""
    total = Add._from_args((Integer(0), conclusion.left, Mul(-1, conclusion.right, evaluate=False),
                            *(Mul(-c, Add(f.left, Mul(-1, f.right, evaluate=False), evaluate=False), evaluate=False) for c, f in parts)))
    try:
        return not _Quotients(ranges, False).of(total)[0]
    except (_TooLong, ZeroDivisionError):
        return False


class Rows:
    """Every fact, definition and deduction as left minus right, a polynomial with nodes as unknowns; atoms are shared by all."""

    def __init__(self, ranges: Ranges) -> None:
        self.quotients = _Quotients(ranges, False)
        deduced = [(f, f.conclusion) for found in ranges.log.values() for f in found]
        listed: list[tuple[Reference | Found, Fact]] = [*ranges.constraints, *deduced]
        self.table: list[tuple[Reference | Found, Polynomial, Relation]] = []
        for reference, c in listed:
            row = self.difference(c.left, c.right)
            if row:
                self.table.append((reference, row, c.relation))

    def difference(self, left: Expr, right: Expr) -> Polynomial | None:
        """left - right; None where it has too many terms or a denominator."""
        try:
            found, below = self.quotients.plus(self.quotients.of(left), self.quotients.of(right), Fraction(-1))
            return found if below == ONE else None
        except (_TooLong, ZeroDivisionError):
            return None


class _Quotients:
    """Expressions to quotients of polynomials: settled kinks, and equalities solved for a name, put in."""

    def __init__(self, ranges: Intervals, whole: bool, equalities: Sequence[Fact] = ()) -> None:
        self.ranges, self.whole = ranges, whole
        self.solved: dict[str, Polynomial] = {}
        self.atoms: dict[Hashable, str] = {}
        self.inside: dict[str, frozenset[str]] = {}
        self.memo: dict[Expr, Quotient] = {}
        ranges.memo.clear()
        for fact in equalities:
            self.solve(fact)

    def solve(self, fact: Fact) -> None:
        """l = r solved for a name that it has in one term, with a number as coefficient."""
        try:
            p, _ = self.plus(self.of(fact.left), self.of(fact.right), Fraction(-1))
        except (_TooLong, ZeroDivisionError):
            return
        for monomial in sorted(p):
            if len(monomial) == 1 and monomial[0][1] == 1:
                atom, rest = monomial[0][0], [m for m in p if m != monomial]
                if atom[0] != "#" and not any(self.mentions(m, atom) for m in rest):
                    c = p[monomial]
                    self.solved[atom] = {m: -x / c for m, x in p.items() if m != monomial}
                    self.memo.clear()
                    return

    def of(self, e: Expr) -> Quotient:
        if e not in self.memo:
            found = self.read(e)
            if len(found[0]) + len(found[1]) > MAX_TERMS:
                raise _TooLong
            self.memo[e] = found
        return self.memo[e]

    def read(self, e: Expr) -> Quotient:
        match e:
            case Rational():
                return _constant(rational(e)), ONE
            case Symbol():
                return self.named(e)
            case Add():
                total: Quotient = ({}, ONE)
                for a in e.args:
                    total = self.plus(total, self.of(a))
                return total
            case Mul():
                return self.times(self.of(a) for a in e.args)
            case Pow(base=base, exp=n) if isinstance(n, Integer) and abs(n) <= 8:
                above, below = self.of(base)
                if n < 0 and not above:
                    raise ZeroDivisionError
                return self.times([(below, above) if n < 0 else (above, below)] * abs(int(n)))
            case Call():
                return self.called(e)
        return self.opaque(("expression", e))

    def named(self, e: Symbol) -> Quotient:
        value = self.ranges.forward(e).value
        if value is not None:
            return _constant(value), ONE
        if e.name in self.solved:
            return self.again(self.solved[e.name])
        if self.whole and self.ranges.graph.arguments(e.name):
            return self.of(self.ranges.graph.node(e.name).expr)
        return _atom(e.name), ONE

    def again(self, p: Polynomial) -> Quotient:
        """What was solved later put into what was solved before."""
        total: Quotient = ({}, ONE)
        for monomial, c in p.items():
            factors = [(_atom(a), ONE) if a[0] == "#" else self.of(self.ranges.graph.symbol(a)) for a, n in monomial for _ in range(n)]
            total = self.plus(total, self.times(factors), c)
        return total

    def plus(self, a: Quotient, b: Quotient, times: Fraction = Fraction(1)) -> Quotient:
        if a[1] == b[1]:
            return _plus(a[0], b[0], times), a[1]
        return _plus(_product(a[0], b[1]), _product(b[0], a[1]), times), _product(a[1], b[1])

    def times(self, factors: Iterable[Quotient]) -> Quotient:
        above, below = ONE, ONE
        for p, q in factors:
            above, below = _product(above, p), _product(below, q)
        return above, below

    def called(self, e: Call) -> Quotient:
        """A function by the piece that applies; else an atom, told apart by its argument."""
        ranges, name = self.ranges, e.fn.name
        if e.fn.plain:
            value = ranges.forward(e).value
            if value is not None:
                return _constant(value), ONE
            if name in ("max", "min", "relu", "leaky_relu", "abs"):
                a, b = e.arguments[0], e.arguments[1] if name in ("max", "min") else Integer(0)
                side = ranges.forward(gap(e)).sign
                if side is not None:
                    upper = (side >= 0) != (name == "min") or side == 0
                    if name == "leaky_relu":
                        return self.of(a if upper else Mul(leaky_slope(e.arguments), a))
                    return self.of(a if upper else Mul(-1, a) if name == "abs" else b)
        elif sum(e.fn.orders) == 1 and name in ("max", "min", "relu", "leaky_relu"):
            slot = 0 if e.fn.orders[0] else 1
            value = ranges.slope(Call(Fn(name, (0,) * len(e.fn.orders)), *e.arguments), slot).value
            if value is not None:
                return _constant(value), ONE
            if name in ("max", "relu"):
                open_slope = self.opaque(("slope", self.key(gap(e))))
                return self.plus((ONE, ONE), open_slope, Fraction(-1)) if slot else open_slope
        return self.opaque((e.fn, *map(self.key, e.arguments)))

    # ---- atoms ----------------------------------------------------------------------------------------------------------

    def key(self, e: Expr) -> Hashable:
        return tuple(tuple(sorted(p.items())) for p in self.of(e))

    def opaque(self, key: Hashable) -> Quotient:
        """The atom that stands for what has this key."""
        if key not in self.atoms:
            self.atoms[key] = f"#{len(self.atoms)}"
            self.inside[self.atoms[key]] = self.names(key)
        return _atom(self.atoms[key]), ONE

    def names(self, key: object) -> frozenset[str]:
        """The names on which an atom may depend."""
        match key:
            case str():
                return self.inside.get(key, frozenset((key,)))
            case Expr():
                return frozenset(names_in(key))
            case tuple():
                return frozenset().union(*map(self.names, key))
        return frozenset()

    def mentions(self, m: Monomial, name: str) -> bool:
        """May a monomial depend on a name?"""
        return any(name == a or name in self.inside.get(a, ()) for a, _ in m)


def _constant(x: Fraction) -> Polynomial:
    return {(): x} if x else {}


def _atom(a: str) -> Polynomial:
    return {((a, 1),): Fraction(1)}


def _plus(p: Polynomial, q: Polynomial, times: Fraction) -> Polynomial:
    result = dict(p)
    for m, c in q.items():
        result[m] = result.get(m, Fraction(0)) + times * c
    return {m: c for m, c in result.items() if c}


def _product(p: Polynomial, q: Polynomial) -> Polynomial:
    """Raises _TooLong."""
    if p == ONE or q == ONE:
        return q if p == ONE else p
    if len(p) * len(q) > 10 * MAX_TERMS:
        raise _TooLong
    result: Polynomial = {}
    for m, c in p.items():
        for n, d in q.items():
            powers = dict(m)
            for a, k in n:
                powers[a] = powers.get(a, 0) + k
            key = tuple(sorted(powers.items()))
            result[key] = result.get(key, Fraction(0)) + c * d
    return {m: c for m, c in result.items() if c}


__all__ = ["Rows", "cancels", "combines", "vanishes"]
