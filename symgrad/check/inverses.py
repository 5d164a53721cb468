"""Equations between matrices with inverses, from A A^-1 = A^-1 A = I alone; what is shown here holds at every size.

Both sides are sums of products (check/products.py) in which an inverse Z = S^-1 is one letter.  A product in which the longest
term m of S meets Z is shorter by the definition of Z:

    m Z = I - (S - m) Z        Z m = I - Z (S - m)

and a side that still has a Z in it is multiplied by S, which changes nothing, for S is invertible where Z exists:

    Z X = Y  if and only if  X = S Y        a / d = b  if and only if  a = d b, d a number that is not 0

Of determinants nothing is used but det(A B) = det A det B for square A and B, det A^T = det A, det A^-1 = 1 / det A and Sylvester's
det(I + A B) = det(I + B A).
Source: Horn, Johnson, Matrix Analysis (2013), sections 0.3 and 0.7.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction

from sympy import Expr, Integer

from symgrad.check.errors import Undecided
from symgrad.check.products import Products
from symgrad.check.ring import ONE, Factor, Factors, Scalars, Terms, turned_round
from symgrad.language.vectors import DetOf, is_scalar, shape_of

MAX_DEPTH = 4  # multiplications by an S, one after the other
MAX_REWRITES = 4000


class Inverses(Products):
    """Sums of products with inverses.  Raises Undecided where the bounds are reached."""

    def __init__(self) -> None:
        super().__init__()
        self.rewrites = 0

    def equal(self, a: Expr, b: Expr) -> bool:
        """a = b wherever all inverses in both exist."""
        return shape_of(a) == shape_of(b) and is_scalar(a) == is_scalar(b) and self.vanishes(self.minus(self.terms(a), self.terms(b)))

    def minus(self, a: Terms, b: Terms) -> Terms:
        return self._sum([a, {t: -c for t, c in b.items()}])

    def vanishes(self, terms: Terms) -> bool:
        """Is the sum 0, after multiplication by what cannot be 0?  With as few multiplications as do it."""
        return any(self.within(depth, terms) for depth in range(MAX_DEPTH + 1))

    def within(self, depth: int, terms: Terms) -> bool:
        """By at most `depth` multiplications with an S."""
        terms = self.reduced(terms)
        while terms and (divisor := self.divisor(terms)) is not None:
            whole: Terms = {(((divisor, Fraction(1)),), ()): Fraction(1)}
            terms = self.reduced(self._expanded(self._each([whole, terms], self.joined)))
        if not terms or not depth:
            return not terms
        return any(self.within(depth - 1, self._each([self.argument(z), terms] if on_left else [terms, self.argument(z)], self.joined))
                   for z, on_left in self.outermost(terms))

    def _scalar(self, e: Expr) -> Terms:
        return self.determinant(self.terms(e.arg), e.arg.shape[0]) if isinstance(e, DetOf) else super()._scalar(e)

    def determinant(self, terms: Terms, size: Expr) -> Terms:
        """Of a product of square matrices the product of theirs, else a letter; a sum of multiples of I does not show its size."""
        for (scalars, factors), c in terms.items() if len(terms) == 1 else ():
            if c == 1 and not scalars and all(f.rows == f.columns for f in factors):
                return self._each([self.determinant_of(f) for f in factors], lambda fs: ((), ()))
        if not any(factors for _, factors in terms):
            return {(((("det", size, self._key(terms)), Fraction(1)),), ()): Fraction(1)}
        ways = [terms, self._transposed(terms)]
        (scalars, product), c = next((x for x in terms.items() if x[0][1]), (((), ()), Fraction(0)))
        if len(terms) == 2 and product and terms.get(((), ())) == 1:
            turned = [(*way[i:], *way[:i]) for way in (product, turned_round(product)) for i in range(len(way))]
            number = next((way for way in turned if way and way[0].rows == 1), None)
            if number is not None:  # det(I + x y^T) = 1 + y^T x
                return self._sum([ONE, self._each([{(scalars, ()): c}, {((), number): Fraction(1)}], self.joined)])
            ways = [{((), ()): Fraction(1), (scalars, way): c} for way in turned]
            size = Integer(0)  # of another size the other way round, which shows in the product
        return {(((("det", size, min(map(self._key, ways), key=self._say)), Fraction(1)),), ()): Fraction(1)}

    def determinant_of(self, f: Factor) -> Terms:
        if is_inverse(f):
            return self._power(self.determinant(self.argument(f), f.rows), Fraction(-1))
        return {(((("det", f.rows, min(f, f.transposed, key=self._say)), Fraction(1)),), ()): Fraction(1)}

    def joined(self, parts: list[Factors]) -> tuple[Scalars, Factors]:
        return self._product(f for part in parts for f in part)

    def divisor(self, terms: Terms) -> Hashable | None:
        """A sum that some term is divided by."""
        return next((x for (scalars, _), _ in terms.items() for x, n in scalars if n.denominator == 1 and n < 0), None)

    def outermost(self, terms: Terms) -> list[tuple[Factor, bool]]:
        """The inverses at the left ends of terms, and at the right ends."""
        ends = ((f, left) for _, factors in terms for f, left in ((factors[:1], True), (factors[-1:], False)))
        found = {(f[0], left) for f, left in ends if f and is_inverse(f[0])}
        return sorted(found, key=lambda x: (not x[1], self._say(x[0])))

    def argument(self, z: Factor) -> Terms:
        """S of Z = S^-1."""
        terms: Terms = dict(z.content[1][0])  # type: ignore[index]
        return self._transposed(terms) if z.turned else terms

    # ---- rewriting -------------------------------------------------------------------------------------------

    def reduced(self, terms: Terms) -> Terms:
        """No longest term of an S is left beside its Z."""
        done: Terms = {}
        pending = dict(terms)
        while pending:
            (scalars, factors), c = pending.popitem()
            rest, shorter = scalars, self.shorter(factors)
            if shorter is None:
                rest, shorter = self.shorter_number(scalars)
                shorter = shorter and self._each([shorter, {((), factors): Fraction(1)}], self.joined)
            if shorter is None:
                done = self._sum([done, {(scalars, factors): c}])
                continue
            self.rewrites += 1
            if self.rewrites > MAX_REWRITES:
                raise Undecided(f"more than {MAX_REWRITES} products with inverses")
            pending = self._sum([pending, self._each([{(rest, ()): c}, shorter], self.joined)])
        return done

    def shorter_number(self, scalars: Scalars) -> tuple[Scalars, Terms | None]:
        """Of letters for numbers, one of which is a product or a trace that can be shortened: the others, and that one rewritten."""
        for letter, n in scalars:
            kind, factors = letter if isinstance(letter, tuple) and len(letter) == 2 else ("", ())
            ways = [(*factors[i:], *factors[:i]) for i in range(len(factors))] if kind == "trace" else [factors] if kind == "product" else []
            for way in ways:
                shorter = self.shorter(way) if n == 1 else None
                if shorter is not None:
                    size = way[0].rows
                    return tuple(x for x in scalars if x[0] != letter), self._each([shorter], lambda fs, size=size, kind=kind: (  # type: ignore[misc]
                        self._traced(fs[0], size) if kind == "trace" else self._product(fs[0])))
        return scalars, None

    def shorter(self, factors: Factors) -> Terms | None:
        """The product rewritten at the first place where one can be shortened."""
        for i, z in enumerate(factors):
            if not is_inverse(z):
                continue
            lead = self.lead(z)
            if lead is None:
                continue
            m, c = lead
            rest = {t: x for t, x in self.argument(z).items() if t != ((), m)}
            n = len(m)
            if i >= n and factors[i - n:i] == m:
                inside = self.minus(ONE, self._each([rest, {((), (z,)): Fraction(1)}], self.joined))
                before, after = factors[:i - n], factors[i + 1:]
            elif factors[i + 1:i + 1 + n] == m:
                inside = self.minus(ONE, self._each([{((), (z,)): Fraction(1)}, rest], self.joined))
                before, after = factors[:i], factors[i + 1 + n:]
            else:
                continue
            return self._each([{((), before): 1 / c}, inside, {((), after): Fraction(1)}], self.joined)
        return None

    def lead(self, z: Factor) -> tuple[Factors, Fraction] | None:
        """The longest product in S and its coefficient; None where it is multiplied by a letter, which might be 0."""
        (scalars, factors), c = max(self.argument(z).items(), key=lambda t: (len(t[0][1]), self._say(t[0])))
        return (factors, c) if factors and not scalars else None


def is_inverse(f: Factor) -> bool:
    return f.kind in ("function", "symmetric") and isinstance(f.content, tuple) and f.content[0] == "inverse"


__all__ = ["Inverses"]
