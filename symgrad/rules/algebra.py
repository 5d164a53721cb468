"""Fractions of sums of power products (rules/polynomials.py): what two sides of an identity are brought to.

Exponentials are e^m for power products m with rational exponents; all fractions of one identity are over the same roots of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Any

from sympy import QQ, Add, Expr, Integer, MatrixExpr, Mul, Pow, Rational, Symbol, factorint, ring

from symgrad.language.entries import index
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, call
from symgrad.language.vectors import Entry, IndexSum, merged, total
from symgrad.rules.polynomials import (
    ONE,
    ZERO,
    Mono,
    Poly,
    TooLarge,
    common_factor,
    constant,
    inverse,
    is_exponential,
    joined,
    lowest_powers,
    monomial,
    rank,
)

MAX_POWER = 40


class _Again(Exception):
    """Start over with a finer root of an exponential."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """num over powers of irreducible sums, in lowest terms; monomials and numbers are in num."""

    num: Poly
    den: tuple[tuple[Poly, int], ...] = ()

    @property
    def poly(self) -> Poly | None:
        return None if self.den else self.num


@dataclass
class Algebra:
    """Reads expressions.  `positive` says of an expression whether it is known to be positive; `letters` are free for bound indices."""

    positive: Callable[[Expr], bool] = lambda e: False
    letters: tuple[str, ...] = ("k", "l", "m", "p", "q", "u")
    roots: dict[Expr, int] = field(default_factory=dict)
    memo: dict[Expr, Ratio] = field(default_factory=dict)
    renamed: int = 0

    def ratios(self, *exprs: Expr) -> tuple[Ratio, ...]:
        """All with one substitution.  Raises Unsupported for what is no scalar expression, TooLarge at a bound."""
        while True:
            try:
                return tuple(map(self.ratio, exprs))
            except _Again:
                self.memo.clear()

    def ratio(self, e: Expr) -> Ratio:
        if e not in self.memo:
            self.memo[e] = self._ratio(e)
        return self.memo[e]

    def _ratio(self, e: Expr) -> Ratio:
        match e:
            case MatrixExpr():
                raise Unsupported("a matrix where a scalar is expected")
            case Rational():
                return Ratio(constant(Fraction(int(e.p), int(e.q))))
            case Symbol() | Entry():
                return Ratio(monomial((e, 1)))
            case Add():
                return reduce(self.sum, map(self.ratio, e.args))
            case Mul():
                return reduce(self.product, map(self.ratio, e.args))
            case Pow(base=base, exp=n) if n.is_Integer:
                return self.power(self.ratio(base), int(n))
            case Call():
                return self.call(e)
            case IndexSum(args=(body, k, size)):
                return self.index_sum(body, k, size)
        return Ratio(monomial((e, 1)))

    # ---- arithmetic ------------------------------------------------------------------------------------------

    def sum(self, a: Ratio, b: Ratio) -> Ratio:
        if a.den == b.den:
            return self.lowest(a.num + b.num, a.den)
        den = common(a.den, b.den)
        return self.lowest(a.num * missing(den, a.den) + b.num * missing(den, b.den), den)

    def product(self, a: Ratio, b: Ratio) -> Ratio:
        table = dict(a.den)
        for p, k in b.den:
            table[p] = table.get(p, 0) + k
        return self.lowest(self.squared_roots(a.num * b.num), tuple(sorted(table.items(), key=lambda t: str(t[0]))))

    def power(self, a: Ratio, n: int) -> Ratio:
        if abs(n) > MAX_POWER:
            raise TooLarge(f"a power of {n}")
        if n < 0:
            return self.power(self.reciprocal(a), -n)
        return reduce(self.product, [a] * n, Ratio(constant(1)))

    def reciprocal(self, a: Ratio) -> Ratio:
        if not a.num.terms:
            raise Unsupported("a division by zero")
        c, m, factors = self.factored(a.num)
        num = Poly(((inverse(m), 1 / c),))
        for p, k in a.den:
            num = reduce(lambda x, y: x * y, [p] * k, num)
        return self.lowest(num, tuple(sorted(factors, key=lambda t: str(t[0]))))

    def lowest(self, num: Poly, den: tuple[tuple[Poly, int], ...]) -> Ratio:
        """Divides out every factor of the denominator that divides the numerator."""
        if not num.terms:
            return Ratio(ZERO)
        left = []
        for p, k in den:
            while k and (quotient := self.divided(num, p)) is not None:
                num, k = quotient, k - 1
            if k:
                left.append((p, k))
        return Ratio(num, tuple(left))

    def divided(self, num: Poly, p: Poly) -> Poly | None:
        """num / p, if p divides it."""
        top, bottom, back = self.in_ring(num, p)
        quotient, rest = divmod(top, bottom)
        return back(quotient) if rest == 0 else None

    def factored(self, p: Poly) -> tuple[Fraction, Mono, list[tuple[Poly, int]]]:
        """number * monomial * product of irreducible sums with whole coefficients, the first of them positive."""
        if p.is_monomial:
            return p.terms[0][1], p.terms[0][0], []
        element, _, back = self.in_ring(p, constant(1))
        content, pieces = element.factor_list()
        c, m = Fraction(int(content.numerator), int(content.denominator)), lowest_powers(p)
        factors = []
        for f, k in pieces:
            q = back(f, False)
            if q.is_monomial:
                d, n = q.terms[0][1], q.terms[0][0]
                c, m = c * d**k, joined(m, tuple((a, x * k) for a, x in n))
                continue
            d = common_factor(q)
            c *= d**k
            factors.append((q.scaled(1 / d), k))
        return c, m, factors

    def in_ring(self, a: Poly, b: Poly) -> tuple[Any, Any, Callable[..., Poly]]:
        """Both as polynomials, lowest powers divided out; `back` multiplies those of a / b in again unless told not to."""
        atoms = sorted(a.atoms() | b.atoms(), key=rank) or [Integer(1)]
        unit = {x: self.roots.get(x, 1) if is_exponential(x) else 1 for x in atoms}
        domain, *gens = ring([f"g{i}" for i in range(len(atoms))], QQ)
        low_a, low_b = dict(lowest_powers(a)), dict(lowest_powers(b))

        def into(p: Poly, low: dict[Expr, Fraction]) -> Any:
            return domain.from_dict({
                tuple(int((dict(m).get(x, Fraction(0)) - low.get(x, 0)) * unit[x]) for x in atoms): QQ(c.numerator, c.denominator)
                for m, c in p.terms})

        shift = joined(tuple(low_a.items()), inverse(tuple(low_b.items())))

        def back(element: Any, shifted: bool = True) -> Poly:
            table = {}
            for m, c in element.terms():
                own = tuple((x, Fraction(n, unit[x])) for x, n in zip(atoms, m, strict=True) if n)
                table[joined(own, shift if shifted else ())] = Fraction(int(c.numerator), int(c.denominator))
            return Poly.of(table)

        return into(a, low_a), into(b, low_b), back

    # ---- functions -------------------------------------------------------------------------------------------

    def call(self, e: Call) -> Ratio:
        inner = tuple(map(self.ratio, e.arguments))
        if e.fn.plain:
            match e.fn.name:
                case "exp":
                    return self.exponential(inner[0])
                case "log":
                    return self.logarithm(inner[0])
                case "sqrt":
                    return self.root(inner[0])
        return Ratio(monomial((Call(e.fn, *map(self.show, inner)), 1)))

    def exponential(self, a: Ratio) -> Ratio:
        """e^(c m + ...) = (e^m)^c ..., e^(n log p) = p^n."""
        if a.den:
            return Ratio(monomial((call("exp", self.show(a)), 1)))
        result = Ratio(constant(1))
        for m, c in a.num.terms:
            single = m[0][0] if len(m) == 1 and m[0][1] == 1 else None
            if isinstance(single, Call) and single.fn.name == "log" and c.denominator == 1:
                result = self.product(result, self.power(self.ratio(single.arguments[0]), int(c)))
                continue
            kernel = call("exp", self.show_mono(m, ONE))
            known = self.roots.setdefault(kernel, 1)
            if known % c.denominator:
                self.roots[kernel] = lcm(known, c.denominator)
                raise _Again
            result = self.product(result, Ratio(monomial((kernel, c))))
        return result

    def pieces(self, a: Ratio) -> tuple[Fraction, list[tuple[Expr, Fraction]]]:
        """A fraction as a number times powers of atoms and of irreducible sums."""
        c, m, factors = self.factored(a.num)
        found = [*m, *((self.show_poly(p), Fraction(k)) for p, k in factors), *((self.show_poly(p), Fraction(-k)) for p, k in a.den)]
        return c, found

    def logarithm(self, a: Ratio) -> Ratio:
        """log of a product is the sum of the logs of its positive factors and of the log of the rest; log e^m = m."""
        if not a.num.terms:
            raise Unsupported("the logarithm of zero")
        c, found = self.pieces(a)
        known = [(p, k) for p, k in found if is_exponential(p) or self.positive(p)]
        rest = [(p, k) for p, k in found if (p, k) not in known]
        if len(rest) == 1 and c > 0 and rest[0][1] > 0 and rest[0][1].denominator == 1 and rest[0][1] % 2 == 1:
            known, rest = found, []  # then the one factor of unknown sign is positive where the logarithm is defined
        result = Ratio(ZERO)
        for p, k in known:
            inner = self.ratio(p.arguments[0]) if is_exponential(p) else Ratio(monomial((call("log", p), 1)))
            if isinstance(p, Call) and p.fn.name == "sqrt" and p.fn.plain:  # log sqrt(a) = log(a) / 2
                inner, k = self.ratio(call("log", p.arguments[0])), k / 2
            result = self.sum(result, Ratio(inner.num.scaled(k), inner.den))
        number = abs(c) if not rest else c
        if rest:
            return self.sum(result, Ratio(monomial((call("log", self.show(self.of_pieces(number, rest))), 1))))
        if c < 0:
            return Ratio(monomial((call("log", self.show(a)), 1)))
        for whole, sign in ((number.numerator, 1), (number.denominator, -1)):
            for prime, k in factorint(whole, limit=1000).items():
                if prime != 1:
                    result = self.sum(result, Ratio(monomial((call("log", Integer(prime)), 1)).scaled(Fraction(sign * k))))
        return result

    def of_pieces(self, c: Fraction, pieces: Iterable[tuple[Expr, Fraction]]) -> Ratio:
        return reduce(self.product, (self.power(self.ratio(p), int(k)) for p, k in pieces), Ratio(constant(c)))

    def root(self, a: Ratio) -> Ratio:
        """sqrt(p^2 q) = p sqrt(q) for factors p known to be positive."""
        if not a.num.terms:
            return Ratio(ZERO)
        c, found = self.pieces(a)
        outside, inside = Ratio(constant(1)), []
        for p, k in found:
            if is_exponential(p):
                outside = self.product(outside, self.ratio(call("exp", Mul(Rational(k.numerator, 2 * k.denominator), p.arguments[0]))))
            elif self.positive(p):
                outside = self.product(outside, self.power(self.ratio(p), int(k // 2)))
                if k % 2:
                    outside = self.product(outside, Ratio(monomial((call("sqrt", p), 1))))
            else:
                inside.append((p, k))
        number = Fraction(1)
        for whole in (c.numerator, c.denominator):
            for prime, k in factorint(abs(whole), limit=1000).items():
                unit = Fraction(prime) if whole is c.numerator else Fraction(1, prime)
                outside = self.product(outside, Ratio(constant(unit ** (k // 2))))
                number *= unit if k % 2 else 1
        number = number if c > 0 else -number
        if number > 0 and number != 1:
            scale = Fraction(1, number.denominator)  # sqrt(n/d) = sqrt(n d) / d
            outside = self.product(outside, Ratio(monomial((call("sqrt", Integer(number.numerator * number.denominator)), 1)).scaled(scale)))
            number = Fraction(1)
        if number == 1 and not inside:
            return outside
        return self.product(outside, Ratio(monomial((call("sqrt", self.show(self.of_pieces(number, inside))), 1))))

    def squared_roots(self, p: Poly) -> Poly:
        """sqrt(a)^2 = a, where a is no fraction."""
        for m, c in p.terms:
            for a, n in m:
                if isinstance(a, Call) and a.fn.name == "sqrt" and a.fn.plain and not 0 <= n < 2:
                    inner = self.ratio(a.arguments[0])
                    if inner.den or (n < 0 and not inner.num.is_monomial):
                        continue
                    rest = Poly(tuple(t for t in p.terms if t[0] != m))
                    lowered = joined(m, ((a, Fraction(-2 * (n // 2))),))
                    power = self.power(inner, int(n // 2))
                    return self.squared_roots(rest + Poly(((lowered, c),)) * power.num)
        return p

    def index_sum(self, body: Expr, k: Symbol, size: Expr) -> Ratio:
        """sum_k (c a_k + d b_k) = c sum_k a_k + d sum_k b_k; the sum of 1 is the size."""
        self.renamed += 1
        fresh = index(f"bound{self.renamed}")  # an inner sum may have been given the letter k
        body, k = body.xreplace({k: fresh}), fresh
        inner = self.ratio(body)
        fixed = tuple((p, n) for p, n in inner.den if not any(_mentions(a, k) for a in p.atoms()))
        moving = tuple((p, n) for p, n in inner.den if (p, n) not in fixed)
        found = ZERO
        for m, c in inner.num.terms if not moving else ():
            own = tuple((a, n) for a, n in m if _mentions(a, k))
            outer = tuple((a, n) for a, n in m if not _mentions(a, k))
            found = found + self.ratio(size).num * Poly(((outer, c),)) if not own else found + Poly(
                ((joined(outer, ((self.bound(self.show_mono(own, ONE), k, size), Fraction(1)),)), c),))
        if moving:
            found = monomial((self.bound(self.show(Ratio(inner.num, moving)), k, size), 1))
        return self.lowest(found, fixed)

    def bound(self, body: Expr, k: Symbol, size: Expr) -> IndexSum:
        """The sum with its bound index named by depth, so that sums that differ in its letter only are one atom."""
        free = {str(s) for s in free_symbols(body) if s != k}
        letters = [c for c in self.letters if c not in free]
        depth = max((1 + letters.index(str(s.args[1])) for s in body.atoms(IndexSum) if str(s.args[1]) in letters), default=0)
        letter = index(letters[min(depth, len(letters) - 1)])
        return IndexSum(body.xreplace({k: letter}), letter, size)

    # ---- back to expressions ---------------------------------------------------------------------------------

    def show_mono(self, m: Mono, c: Fraction) -> Expr:
        factors: list[Expr] = [] if c == 1 and m else [Rational(c.numerator, c.denominator)]
        for a, n in m:
            if is_exponential(a):
                factors.append(exp_of(n, a.arguments[0]))
            else:
                factors.append(a if n == 1 else Pow(a, Rational(n.numerator, n.denominator), evaluate=False))
        return merged(tuple(factors))

    def show_poly(self, p: Poly) -> Expr:
        return total(tuple(self.show_mono(m, c) for m, c in p.terms)) if p.terms else Integer(0)

    def show(self, r: Ratio) -> Expr:
        """In lowest terms, a minus in front of the fraction."""
        if r.den and r.num.terms and r.num.terms[0][1] < 0:
            return merged((Integer(-1), self.show(Ratio(r.num.scaled(Fraction(-1)), r.den))))
        return over(self.show_poly(r.num), r.num, [(self.show_poly(p), k) for p, k in r.den])


def exp_of(c: Fraction, m: Expr) -> Expr:
    """e^(c m)."""
    return call("exp", m if c == 1 else merged((Rational(c.numerator, c.denominator), m)))


def over(top: Expr, num: Poly, den: list[tuple[Expr, int]]) -> Expr:
    """A displayed fraction; the denominators of its numbers go below."""
    if not den:
        return top
    below = lcm(*(c.denominator for _, c in num.terms)) if num.terms else 1
    bottom: list[Expr] = [Pow(p, Integer(-k), evaluate=False) for p, k in den]
    if below != 1:
        whole = Algebra().show_poly(num.scaled(Fraction(below)))
        return quotient(whole, [Pow(Integer(below), Integer(-1), evaluate=False), *bottom])
    return quotient(top, bottom)


def quotient(top: Expr, bottom: list[Expr]) -> Expr:
    """top times reciprocals, unevaluated; a top that is a product is kept flat."""
    factors = top.args if isinstance(top, Mul) else () if top == 1 else (top,)
    everything = (*factors, *bottom)
    return Mul._from_args(everything) if len(everything) > 1 else everything[0]


def common(a: tuple[tuple[Poly, int], ...], b: tuple[tuple[Poly, int], ...]) -> tuple[tuple[Poly, int], ...]:
    """The least common denominator."""
    table = dict(a)
    for p, k in b:
        table[p] = max(table.get(p, 0), k)
    return tuple(sorted(table.items(), key=lambda t: str(t[0])))


def missing(whole: tuple[tuple[Poly, int], ...], part: tuple[tuple[Poly, int], ...]) -> Poly:
    """What `part` lacks to `whole`."""
    own = dict(part)
    return reduce(lambda x, y: x * y, (p for p, k in whole for _ in range(k - own.get(p, 0))), constant(1))


def _mentions(a: Expr, k: Symbol) -> bool:
    return k in free_symbols(a)


def free_symbols(e: Expr) -> set[Symbol]:
    """The symbols of e but for bound indices."""
    if isinstance(e, IndexSum):
        return (free_symbols(e.args[0]) - {e.args[1]}) | free_symbols(e.args[2])
    if isinstance(e, Symbol):
        return {e}
    return set().union(*(free_symbols(a) for a in e.args if isinstance(a, Expr)))
