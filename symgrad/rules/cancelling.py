"""Paths that have no zero factor of their own but add up to zero: the sum as a polynomial, kinks settled by the facts.

A polynomial is a map from power products to rational coefficients.  Its atoms are names, slopes at kinks that are still
open (one unknown for each argument), and functions of polynomials.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language.functions import Call, leaky_slope
from symgrad.language.vectors import names_in
from symgrad.language.zeros import Comparison, Reference, Relation, gap, rational
from symgrad.rules.scalar import partial
from symgrad.rules.vanishing import Found, Ranges

Monomial = tuple[tuple[str, int], ...]
"""Atoms with their powers; an atom that is no name is a number in the order of appearance, with a sign that no name has."""
Polynomial = dict[Monomial, Fraction]
MAX_TERMS, MAX_NODES = 120, 40


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
    for whole in (False, True) if len(ranges.graph.nodes) <= MAX_NODES else (False,):
        try:
            if not _Polynomials(ranges, whole).of(e):
                return True
        except _TooLong:
            pass
    return False


class Rows:
    """Every fact, definition and deduction as left minus right, a polynomial with nodes as unknowns; atoms are shared by all."""

    def __init__(self, ranges: Ranges) -> None:
        self.polynomials = _Polynomials(ranges, False, solve=False)
        deduced = [(f, f.conclusion) for found in ranges.log.values() for f in found]
        listed: list[tuple[Reference | Found, Comparison]] = [*ranges.constraints, *deduced]
        self.table: list[tuple[Reference | Found, Polynomial, Relation]] = []
        for reference, c in listed:
            row = self.difference(c.left, c.right)
            if row:
                self.table.append((reference, row, c.relation))

    def difference(self, left: Expr, right: Expr) -> Polynomial | None:
        """left - right; None where it has too many terms."""
        try:
            return _plus(self.polynomials.of(left), self.polynomials.of(right), Fraction(-1))
        except _TooLong:
            return None


class _Polynomials:
    """Expressions to polynomials: settled kinks, and equalities solved for a name, put in."""

    def __init__(self, ranges: Ranges, whole: bool, solve: bool = True) -> None:
        self.ranges, self.whole = ranges, whole
        self.solved: dict[str, Polynomial] = {}
        self.atoms: dict[Hashable, str] = {}
        self.inside: dict[str, frozenset[str]] = {}
        self.memo: dict[Expr, Polynomial] = {}
        ranges.memo.clear()
        for fact in ranges.facts:
            if solve and fact.relation is Relation.EQUAL:
                self.solve(fact)

    def solve(self, fact: Comparison) -> None:
        """l = r solved for a name that it has in one term, with a number as coefficient."""
        try:
            p = _plus(self.of(fact.left), self.of(fact.right), Fraction(-1))
        except _TooLong:
            return
        for monomial in sorted(p):
            if len(monomial) == 1 and monomial[0][1] == 1:
                atom, rest = monomial[0][0], [m for m in p if m != monomial]
                if atom[0] != "#" and not any(self.mentions(m, atom) for m in rest):
                    c = p[monomial]
                    self.solved[atom] = {m: -x / c for m, x in p.items() if m != monomial}
                    self.memo.clear()
                    return

    def of(self, e: Expr) -> Polynomial:
        if e not in self.memo:
            found = self.read(e)
            if len(found) > MAX_TERMS:
                raise _TooLong
            self.memo[e] = found
        return self.memo[e]

    def read(self, e: Expr) -> Polynomial:
        match e:
            case Rational():
                return _constant(rational(e))
            case Symbol():
                return self.named(e)
            case Add():
                total: Polynomial = {}
                for a in e.args:
                    total = _plus(total, self.of(a))
                return total
            case Mul():
                return self.product(self.of(a) for a in e.args)
            case Pow(base=base, exp=n) if isinstance(n, Integer) and abs(n) <= 8:
                inner = self.of(base)
                if n < 0:
                    inner = self.inverse(inner)
                return self.product([inner] * abs(int(n)))
            case Call():
                return self.called(e)
        return self.opaque(("expression", e))

    def opaque(self, key: Hashable) -> Polynomial:
        """The atom that stands for what has this key."""
        if key not in self.atoms:
            self.atoms[key] = f"#{len(self.atoms)}"
            self.inside[self.atoms[key]] = self.names(key)
        return _atom(self.atoms[key])

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

    def named(self, e: Symbol) -> Polynomial:
        value = self.ranges.forward(e).value
        if value is not None:
            return _constant(value)
        if e.name in self.solved:
            return self.again(self.solved[e.name])
        if self.whole and self.ranges.graph.arguments(e.name):
            return self.of(self.ranges.graph.node(e.name).expr)
        return _atom(e.name)

    def again(self, p: Polynomial) -> Polynomial:
        """What was solved later put into what was solved before."""
        total: Polynomial = {}
        for monomial, c in p.items():
            factors = [_atom(a) if a[0] == "#" else self.of(self.ranges.graph.symbol(a)) for a, n in monomial for _ in range(n)]
            total = _plus(total, self.product(factors), c)
        return total

    def product(self, factors: Iterable[Polynomial]) -> Polynomial:
        result = _constant(Fraction(1))
        for f in factors:
            if len(result) * len(f) > 10 * MAX_TERMS:
                raise _TooLong
            grown: Polynomial = {}
            for m, c in result.items():
                for n, d in f.items():
                    key = _times(m, n)
                    grown[key] = grown.get(key, Fraction(0)) + c * d
            result = {m: c for m, c in grown.items() if c}
        return result

    def inverse(self, p: Polynomial) -> Polynomial:
        if len(p) == 1:
            ((m, c),) = p.items()
            return {tuple((a, -n) for a, n in m): 1 / c}
        return self.opaque(("inverse", _key(p)))

    def called(self, e: Call) -> Polynomial:
        """A function by the piece that applies; else an atom, told apart by its argument."""
        ranges, name = self.ranges, e.fn.name
        if e.fn.plain:
            value = ranges.forward(e).value
            if value is not None:
                return _constant(value)
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
            value = ranges.slope(Call(type(e.fn)(name, (0,) * len(e.fn.orders)), *e.arguments), slot).value
            if value is not None:
                return _constant(value)
            if name in ("max", "relu"):
                open_slope = self.opaque(("slope", _key(self.of(gap(e)))))
                return _plus(_constant(Fraction(1)), open_slope, Fraction(-1)) if slot else open_slope
        return self.opaque((e.fn, *(_key(self.of(a)) for a in e.arguments)))


def _constant(x: Fraction) -> Polynomial:
    return {(): x} if x else {}


def _atom(a: str) -> Polynomial:
    return {((a, 1),): Fraction(1)}


def _plus(p: Polynomial, q: Polynomial, times: Fraction = Fraction(1)) -> Polynomial:
    result = dict(p)
    for m, c in q.items():
        result[m] = result.get(m, Fraction(0)) + times * c
    return {m: c for m, c in result.items() if c}


def _times(m: Monomial, n: Monomial) -> Monomial:
    powers = dict(m)
    for a, k in n:
        powers[a] = powers.get(a, 0) + k
    return tuple(sorted((a, k) for a, k in powers.items() if k))


def _key(p: Polynomial) -> Hashable:
    return tuple(sorted(p.items()))


__all__ = ["Rows", "cancels", "vanishes"]
