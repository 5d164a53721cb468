"""One substitution for a whole scalar expression: a fraction of polynomials over the rationals.

The generators are variables, exponentials exp(m/d) of power products m, logarithms log|p| of irreducible p, square roots with their
relation r^2 = p, and applications of unknown functions.  What is asked of the fraction stands in check/normal.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from math import comb, isqrt, lcm, prod
from typing import Any

from sympy import QQ, Add, Expr, Integer, Mul, Pow, Rational, Symbol, ring
from sympy.polys.polyerrors import PolynomialError

from symgrad.check.calculus import max_slope, unfold
from symgrad.check.errors import NeedSign, NoDerivative, Undecided
from symgrad.check.signs import NOT_NEGATIVE, NOT_POSITIVE, ZERO, Signed, Signs, SignSet, flattened
from symgrad.language.bounds import MAX_BITS
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn
from symgrad.language.text import text
from symgrad.language.vectors import Entry

MAX_TERMS, MAX_POWER = 20_000, 128
MAX_WORK = 1_000_000
"""How many products of two terms one normal form may take: about a second."""
EVEN, ODD = {"cos", "normpdf"}, {"sin"}
AT_ZERO = {"sin": Integer(0), "cos": Integer(1), "normcdf": Rational(1, 2)}
MAX_GCD = 2**16
"""What the degrees of two denominators in all generators, each plus 1, may multiply to; beyond, their common factor is left in."""
SMALL = 200  # primes below this are taken out of a root
Frac = tuple[Any, Any]  # numerator and denominator, elements of one polynomial ring


class Again(Exception):
    """Start over: more generators or a finer root of an exponential are needed."""


class Rewriter(Signed):
    """One substitution for a whole expression; `roots` maps a power product to the denominator of its exponential."""

    def __init__(self, capacity: int, roots: dict[object, int], signs: Signs) -> None:
        self.ring, *self.gens = ring([f"g{i}" for i in range(capacity)], QQ)
        self.roots, self.signs = roots, signs
        self.atoms: dict[object, int] = {}
        self.exponent_of: dict[int, tuple[Any, int]] = {}  # generator -> (monomial as polynomial, denominator)
        self.log_of: dict[int, Any] = {}  # generator -> p of log|p|
        self.square: dict[int, Frac] = {}  # generator -> p of r^2 = p
        self.signed: set[int] = set()  # generators r of r^2 = p that may be negative: cosines
        self.memo: dict[Expr, Frac] = {}
        self.work = 0
        self.names: list[str] = []  # of the atoms, the same in every run
        self.assumed: dict[Any, SignSet] | None = None  # monic polynomial -> its signs, from the facts

    def atom(self, key: object) -> int:
        if key not in self.atoms:
            if len(self.atoms) == len(self.gens):
                raise Again
            pieces = key if isinstance(key, tuple) else (key,)
            name = " ".join(str(self.portable(p)) if hasattr(p, "terms") else str(p) for p in flattened(pieces))
            self.atoms[key] = len(self.atoms)
            self.names.append(name)
        return self.atoms[key]

    def zeros(self) -> list[Any]:
        """The polynomials that are 0: by the facts, or on this branch."""
        gens = dict(zip(self.names, self.gens, strict=False))
        branch: Iterable[Any] = (key for key, signs in self.signs.known.items() if signs == ZERO)
        here = [sum((QQ(*map(int, c.split("/"))) * prod((gens[n] ** k for n, k in m), start=self.ring.one) for m, c in key), self.ring.zero)
                for key in branch if all(n in gens for m, _ in key for n, _ in m)]
        return [*(p for p, s in self.facts().items() if s == ZERO), *here]

    def constant(self, value: Any) -> Frac:
        return self.ring(QQ(value.p, value.q) if isinstance(value, Rational) else value), self.ring.one

    def fraction(self, e: Expr) -> Frac:
        if e not in self.memo:
            self.memo[e] = self._fraction(e)
            if len(self.memo[e][0]) > MAX_TERMS:
                raise Undecided(f"more than {MAX_TERMS} terms")
        return self.memo[e]

    def _fraction(self, e: Expr) -> Frac:
        match e:
            case Rational():
                return self.constant(e)
            case Symbol() | Entry():
                return self.gens[self.atom(e)], self.ring.one
            case Add():
                return reduce(self.add, map(self.fraction, e.args))
            case Mul():
                return self.product(e.args)
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational):
                if exponent.q == 1:
                    return self.to_power(self.fraction(base), int(exponent))
                if exponent.q == 2:
                    return self.to_power(self.sqrt(self.fraction(base)), int(exponent.p))
                return self.exponential(self.multiply(self.constant(exponent), self.logarithm(self.fraction(base))))
            case Call():
                return self.call(e)
        raise Unsupported(f"the checker has no normal form for {type(e).__name__}")

    def times(self, p: Any, q: Any) -> Any:
        self.work += len(p) * len(q) * (1 + len(self.gens) // 32)  # a monomial is as long as there are generators
        if self.work > MAX_WORK:
            raise Undecided(f"the normal form takes more than {MAX_WORK:,} products of terms")
        if bits(p) + bits(q) > MAX_BITS:
            raise Undecided(f"the normal form has numbers of more than {MAX_BITS:,} bits")
        return p * q

    def multiply(self, a: Frac, b: Frac) -> Frac:
        return self.times(a[0], b[0]), self.times(a[1], b[1])

    def product(self, factors: tuple[Expr, ...]) -> Frac:
        """0 if one factor is 0, whatever is known of the others."""
        found, unknown = [], None
        for f in factors:
            try:
                found.append(self.fraction(f))
                if found[-1][0] == 0:
                    return found[-1]
            except (NeedSign, Undecided) as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return reduce(self.multiply, found)

    def add(self, a: Frac, b: Frac) -> Frac:
        if a[1] == b[1]:
            return a[0] + b[0], a[1]
        left, right = a[1], b[1]
        if len(left) * len(right) <= MAX_TERMS and _gcd_is_cheap(left, right):
            # over the least common denominator: sums of softmax terms stay small
            _, left, right = left.cofactors(right)
        return self.times(a[0], right) + self.times(b[0], left), self.times(a[1], right)

    def to_power(self, a: Frac, n: int) -> Frac:
        if max(map(bits, a)) * abs(n) > MAX_BITS:
            raise Undecided(f"a number of more than {MAX_BITS:,} bits")
        if abs(n) > MAX_POWER or max(comb(abs(n) + len(p) - 1, abs(n)) for p in a if p) > MAX_TERMS:
            raise Undecided(f"a power of {n} with too many terms")
        if n < 0:
            if self.without_roots(a)[0] == 0:
                raise Undecided("a division by zero")
            return a[1] ** -n, a[0] ** -n
        return a[0] ** n, a[1] ** n

    def reduced(self, a: Frac) -> Frac:
        """Lowest terms, denominator with leading coefficient 1: a key for comparison."""
        num, den = self.without_roots(a)
        if num == 0:
            return num, self.ring.one
        if den != 1:
            num, den = num.cancel(den)
        lead = den.LC
        return num.quo_ground(lead), den.quo_ground(lead)

    def call(self, e: Call) -> Frac:
        meaning = unfold(e)
        if meaning is not None:
            return self.fraction(meaning)
        arguments = [self.fraction(a) for a in e.arguments]
        match e.fn.name:
            case "exp":
                return self.exponential(arguments[0])
            case "log":
                return self.logarithm(arguments[0])
            case "sqrt":
                return self.sqrt(arguments[0])
            case "max":
                sign = self.sign(self.add(arguments[0], (-arguments[1][0], arguments[1][1])), continuous=e.fn.plain)
                if e.fn.plain:
                    return arguments[0] if sign >= 0 else arguments[1]
                slope = max_slope(e.fn, sign, self.signs.at_tie)
                if slope is None:
                    raise NoDerivative(text(Call(Fn("max", (0, 0)), *e.arguments)))
                return self.constant(slope)
            case "sign":
                return self.constant(self.sign(arguments[0]))
            case "abs":
                return arguments[0][0] * self.sign(arguments[0], continuous=True), arguments[0][1]
            case "step":
                signs, at_zero = self.possible(arguments[0])[0], self.signs.step_at_zero
                if signs <= NOT_NEGATIVE and at_zero == 1:
                    return self.constant(Integer(1))
                sign = self.sign(arguments[0])
                return self.constant(at_zero if sign == 0 else Integer(int(sign > 0)))
        if e.fn.plain and e.fn.name in EVEN | ODD or e.fn == Fn("normcdf", (0,)):
            return self.turned(e.fn, self.reduced(arguments[0]))
        return self.gens[self.atom((e.fn, *map(self.reduced, arguments)))], self.ring.one

    def turned(self, fn: Fn, a: Frac) -> Frac:
        """sin(-x) = -sin x, cos(-x) = cos x, Phi(-x) = 1 - Phi(x); and cos^2 = 1 - sin^2."""
        over = a[0] != 0 and a[0].LC < 0
        a = (-a[0], a[1]) if over else a
        if a[0] == 0 and fn.name in ("sin", "cos", "normcdf"):
            return self.constant(AT_ZERO[fn.name])
        i = self.atom((fn, a))
        if fn.name == "cos":
            sine = self.gens[self.atom((Fn("sin", (0,)), a))]
            self.square[i] = (self.ring.one - sine**2, self.ring.one)
            self.signed.add(i)
        if over and fn.name == "normcdf":
            return self.ring.one - self.gens[i], self.ring.one
        return (-self.gens[i] if over and fn.name in ODD else self.gens[i]), self.ring.one

    def exponential(self, a: Frac) -> Frac:
        num, den = self.reduced(a)
        terms = list(num.terms()) if den == 1 else [(None, QQ(1))]
        result: Frac = (self.ring.one, self.ring.one)
        for monomial, coefficient in terms:
            if monomial is None:
                lead = num.LC
                body: Any = (num.quo_ground(lead), den)
                coefficient = lead
            else:
                body = self.ring({monomial: QQ(1)})
                (single,) = [i for i, n in enumerate(monomial) if n] if sum(monomial) == 1 else (-1,)
                if single in self.log_of and coefficient.denominator == 1:
                    inside = self.log_of[single]
                    signs = self.of_polynomial(inside)
                    if signs <= NOT_NEGATIVE or signs <= NOT_POSITIVE:  # e^(log|p|) = |p|
                        inside = inside if signs <= NOT_NEGATIVE else -inside
                        result = self.multiply(result, self.to_power((inside, self.ring.one), int(coefficient)))
                        continue
            key = ("exp", body)
            name = f"exp {self.portable(body if monomial is not None else body[0])} / {'' if monomial is not None else self.portable(den)}"
            root = self.roots.setdefault(name, 1)
            if root % coefficient.denominator:
                self.roots[name] = lcm(root, int(coefficient.denominator))
                raise Again
            i = self.atom(key)
            self.exponent_of[i] = (body, root)
            power = int(coefficient * root)
            if abs(power) > MAX_POWER:
                raise Undecided(f"an exponential to the power {power}")
            result = self.multiply(result, self.to_power((self.gens[i], self.ring.one), power))
        return result

    def logarithm(self, a: Frac) -> Frac:
        """log a = sum of k log|p| over the irreducible factors p^k, wherever a > 0; log exp(m/d) = m/d."""
        num, den = self.reduced(a)
        if num == 0:
            raise Undecided("the logarithm of zero")
        result = self.constant(Integer(0))
        for polynomial, outer in ((num, 1), (den, -1)):
            try:
                content, factors = polynomial.factor_list()
            except PolynomialError as error:
                raise Undecided(str(error)) from None
            pieces = [(self.ring(QQ(abs(content.numerator))), outer), (self.ring(QQ(content.denominator)), -outer)]
            for p, k in [*pieces, *((p, outer * k) for p, k in factors)]:
                if p == 1:
                    continue
                lone = [i for i, n in enumerate(p.leading_expv()) if n]
                if len(p) == 1 and len(lone) == 1 and lone[0] in self.exponent_of:
                    body, root = self.exponent_of[lone[0]]
                    inner = body if isinstance(body, tuple) else (body, self.ring.one)
                    result = self.add(result, self.multiply(self.constant(Rational(k, root)), inner))
                    continue
                if len(p) == 1 and len(lone) == 1 and lone[0] in self.square:  # log|r| = log|r^2| / 2
                    top, bottom = map(self.logarithm, ((q, self.ring.one) for q in self.square[lone[0]]))
                    half = self.constant(Rational(k, 2))
                    result = self.add(result, self.multiply(half, self.add(top, (-bottom[0], bottom[1]))))
                    continue
                if p.LC < 0:
                    p = -p
                i = self.atom(("log", p))
                self.log_of[i] = p
                result = self.add(result, (self.gens[i] * k, self.ring.one))
        return result

    def sqrt(self, a: Frac) -> Frac:
        """sqrt(c p^2 q r) = |p| sqrt(c q) sqrt(r) for factors r that are known not to be negative, wherever the argument is not negative."""
        outside, inside, number = self.constant(Integer(1)), self.constant(Integer(1)), QQ(1)
        for upper, polynomial in zip((True, False), self.reduced(a), strict=True):
            if polynomial == 0:
                return self.constant(Integer(0))
            content, factors = polynomial.factor_list()
            number = number * content if upper else number / content
            for p, k in factors:
                root = p ** (k // 2) * (self.sign((p, self.ring.one), continuous=True) if k // 2 % 2 else 1)
                if k % 2 and self.of_polynomial(p) <= NOT_NEGATIVE:
                    root *= self.root(p, self.ring.one)
                elif k % 2:
                    inside = self.multiply(inside, (p, self.ring.one) if upper else (self.ring.one, p))
                outside = self.multiply(outside, (root, self.ring.one) if upper else (self.ring.one, root))
        outside = self.multiply(outside, self.root_of_number(abs(number)))
        num, den = (inside[0] if number > 0 else -inside[0]), inside[1]
        return outside if num == den else self.multiply(outside, (self.root(num, den), self.ring.one))

    def root_of_number(self, value: Any) -> Frac:
        """sqrt(n/d) = s sqrt(r) / d with n d = s^2 r, r free of squares of small primes."""
        whole, square, rest = int(value.numerator) * int(value.denominator), 1, 1
        for prime in (p for p in range(2, SMALL) if whole % p == 0):
            while whole % prime == 0:
                whole, rest = whole // prime, rest * prime
            while rest % prime**2 == 0:
                square, rest = square * prime, rest // prime**2
        root = isqrt(whole)
        square, rest = (square * root, rest) if root * root == whole else (square, rest * whole)
        result = self.constant(Rational(square, int(value.denominator)))
        return result if rest == 1 else self.multiply(result, (self.root(self.ring(rest), self.ring.one), self.ring.one))

    def root(self, num: Any, den: Any) -> Any:
        """The generator r of r^2 = num / den."""
        i = self.atom(("sqrt", num, den))
        self.square[i] = (num, den)
        return self.gens[i]

    def without_roots(self, a: Frac) -> Frac:
        """Powers r^2 of square roots replaced by what they stand for, in numerator and denominator."""
        num, den = a
        for i in sorted(self.square, reverse=True):
            p, q = self.square[i]
            num, up = self._fold_root(num, i, p, q)
            den, down = self._fold_root(den, i, p, q)
            num, den = num * q**down, den * q**up
        return num, den

    def _fold_root(self, poly: Any, i: int, p: Any, q: Any) -> tuple[Any, int]:
        highest = max((m[i] for m, _ in poly.terms()), default=0) // 2
        if highest == 0:
            return poly, 0
        folded = self.ring.zero
        for m, c in poly.terms():
            k = m[i] // 2
            rest = (*m[:i], m[i] % 2, *m[i + 1:])
            folded += self.ring({rest: c}) * p**k * q ** (highest - k)
        return folded, highest


def _gcd_is_cheap(p: Any, q: Any) -> bool:
    """The heuristic algorithm puts a large number in for one generator after the other, in numbers as long as the degrees multiplied."""
    return prod(1 + max(a, b) for a, b in zip(p.degrees(), q.degrees(), strict=True)) <= MAX_GCD


def bits(p: Any) -> int:
    """Of one of the coefficients of a polynomial: the others are of about its size."""
    c = next(iter(p.values()), None)
    return 0 if c is None else max(int(c.numerator).bit_length(), int(c.denominator).bit_length())


__all__ = ["Again", "Frac", "Rewriter"]
