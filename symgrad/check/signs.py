"""The signs that a fraction of polynomials may have, as far as they are assumed or can be seen.

A set of signs is what is known: {0, 1} for "not negative", all three for nothing.  A product has the products of the signs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.check.errors import NeedSign, Undecided

Frac = tuple[Any, Any]  # numerator and denominator, elements of one polynomial ring
SignSet = frozenset[int]
ZERO, POSITIVE, NEGATIVE, ANY = (frozenset(s) for s in ((0,), (1,), (-1,), (-1, 0, 1)))
NOT_NEGATIVE, NOT_POSITIVE = frozenset((0, 1)), frozenset((0, -1))
MAX_FACTORED = 40  # terms of a polynomial that is factored to find its sign
Facts = tuple[tuple[Expr, SignSet], ...]
"""Expressions with the signs that they are assumed to have."""


@dataclass
class Signs:
    """What is assumed of the kinks' arguments, and the derivative of max at a tie (None: undefined)."""

    at_tie: Rational | None = None
    step_at_zero: Rational = Rational(1)
    known: dict[object, SignSet] = field(default_factory=dict)
    facts: Facts = ()
    away: bool = True  # kinks are avoided, so that an unknown sign is 1 or -1


class Signed:
    """What the rewriter of `normal` knows of signs; it brings the polynomial ring and its generators."""

    ring: Any
    signs: Signs
    exponent_of: dict[int, tuple[Any, int]]
    log_of: dict[int, Any]
    square: dict[int, Frac]
    signed: set[int]
    names: list[str]
    assumed: dict[Any, SignSet] | None
    fraction: Any
    reduced: Any
    add: Any
    multiply: Any
    constant: Any

    def sign(self, a: Frac, continuous: bool = False) -> int:
        """-1, 0 or 1; an unknown sign is assumed, one branch each.  Of a continuous kink 1 may also stand for "not negative"."""
        signs, rest = self.possible(a)
        if len(signs) < 2:
            return next(iter(signs), 1)  # no sign at all: the facts contradict each other, and nothing is claimed
        if signs in (NOT_NEGATIVE, NOT_POSITIVE):
            if continuous or self.signs.away:
                return 1 if signs == NOT_NEGATIVE else -1
        elif rest and (continuous or self.signs.away):
            raise NeedSign(self.portable(rest[0]))
        if not continuous and not self.signs.away and (unknown := self.unknown(a)):
            raise NeedSign(self.portable(unknown[0]), jump=True)
        raise Undecided(f"the sign of {self.say(rest[0]) if rest else 'an expression'} is not fixed by what is assumed")

    def possible(self, a: Frac) -> tuple[SignSet, list[Any]]:
        """The signs that a fraction may have, and its factors with unknown signs."""
        num, den = self.reduced(a)
        whole = num * den if den != 1 else num
        if whole == 0:
            return ZERO, []
        seen = self.of_polynomial(whole)
        if seen not in (ANY, POSITIVE | NEGATIVE) or len(whole) > MAX_FACTORED:
            return seen, [whole.monic()]
        content, factors = whole.factor_list()
        signs, rest = (POSITIVE if content > 0 else NEGATIVE), []
        for p, k in factors:
            of_p = self.of_polynomial(p)
            signs = product_of(signs, of_p if k % 2 else frozenset(s * s for s in of_p))
            if k % 2 and of_p not in (POSITIVE, NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE, ZERO):
                rest.append(p.monic())
        return signs & seen, rest or [whole.monic()]

    def unknown(self, a: Frac) -> list[Any]:
        """The factors that may have more than one sign, 0 among them."""
        num, den = self.reduced(a)
        whole = num * den
        factors = [p for p, _ in whole.factor_list()[1]] if len(whole) <= MAX_FACTORED else [whole]
        return [p.monic() for p in factors if len(self.of_polynomial(p)) > 1]

    def of_polynomial(self, p: Any) -> SignSet:
        """What is assumed of p as a whole, or seen from its terms, or exp a - exp b compared by a - b."""
        lead = POSITIVE if p.LC > 0 else NEGATIVE
        if p.is_ground:
            return lead
        p = p.monic()
        signs = self.facts().get(p, ANY) & self.signs.known.get(self.portable(p), ANY)
        of_terms = [self.of_term(m, c) for m, c in p.terms()]
        if all(t <= NOT_NEGATIVE for t in of_terms):
            signs &= POSITIVE if POSITIVE in of_terms else NOT_NEGATIVE
        elif all(t <= NOT_POSITIVE for t in of_terms):
            signs &= NEGATIVE if NEGATIVE in of_terms else NOT_POSITIVE
        elif len(p) == 2 and sum(p.coeffs()) == 0 and all(n == 0 or i in self.exponent_of for m, _ in p.terms() for i, n in enumerate(m)):
            larger, smaller = (self.inside(m) for m, _ in sorted(p.terms(), key=lambda t: -t[1]))
            signs &= self.possible(self.add(larger, (-smaller[0], smaller[1])))[0]
        elif len(p) == 2 and sum(p.coeffs()) == 0 and all(sum(m) == 1 and self.log_of.get(m.index(1)) is not None for m, _ in p.terms()):
            above, below = (self.log_of[m.index(1)] for m, _ in sorted(p.terms(), key=lambda t: -t[1]))
            if self.of_polynomial(above) <= POSITIVE and self.of_polynomial(below) <= POSITIVE:
                signs &= self.possible((above - below, self.ring.one))[0]
        return product_of(lead, signs)

    def facts(self) -> dict[Any, SignSet]:
        """The monic polynomials whose signs are assumed; factors that are positive anyhow are left out of them."""
        if self.assumed is None:
            self.assumed = {}
            for g, signs in self.signs.facts:
                num, den = self.reduced(self.fraction(g))
                whole = self.without_positive_factors(num * den)
                if whole != 0 and not whole.is_ground:
                    key, of_key = whole.monic(), signs if whole.LC > 0 else product_of(NEGATIVE, signs)
                    self.assumed[key] = self.assumed.get(key, ANY) & of_key
        return self.assumed

    def without_positive_factors(self, p: Any) -> Any:
        if p == 0 or len(p) > MAX_FACTORED:
            return p
        content, factors = p.factor_list()
        result = self.ring(1 if content > 0 else -1)
        for f, k in factors:
            if not self.is_positive(f):
                result *= f**k
        return result

    def inside(self, monomial: tuple[int, ...]) -> Frac:
        """a, where the monomial is exp a."""
        result = self.constant(Integer(0))
        for i, n in enumerate(monomial):
            if n:
                body, root = self.exponent_of[i]
                result = self.add(result, self.multiply(self.constant(Rational(n, root)), body if isinstance(body, tuple) else (body, self.ring.one)))
        return result

    def portable(self, p: Any) -> object:
        """A polynomial as a key that does not depend on the order in which generators were handed out."""
        return tuple(sorted((tuple(sorted((self.names[i], n) for i, n in enumerate(m) if n)), str(c)) for m, c in p.terms()))

    def say(self, p: Any) -> str:
        """A polynomial for a message."""
        terms = ["*".join([str(c), *(self.names[i] + (f"^{n}" if n > 1 else "") for i, n in enumerate(m) if n)]) for m, c in p.terms()]
        return " + ".join(t.removeprefix("1*") for t in terms)[:80]

    def is_positive(self, p: Any) -> bool:
        """No term is negative, and one is positive."""
        of_terms = [self.of_term(m, c) for m, c in p.terms()]
        return POSITIVE in of_terms and all(t <= NOT_NEGATIVE for t in of_terms)

    def of_term(self, monomial: tuple[int, ...], coefficient: Any) -> SignSet:
        signs = POSITIVE if coefficient > 0 else NEGATIVE
        for i, n in enumerate(monomial):
            if n:
                of_generator = self.of_generator(i)
                signs = product_of(signs, of_generator if n % 2 else frozenset(s * s for s in of_generator))
        return signs

    def of_generator(self, i: int) -> SignSet:
        """An exponential is positive, and so is a logarithm of more than 1."""
        if i in self.exponent_of:
            return POSITIVE
        if i in self.log_of and not self.log_of[i].is_ground and self.of_polynomial(self.log_of[i]) <= POSITIVE:
            return self.of_polynomial(self.log_of[i] - 1)
        generator = self.ring.gens[i]
        assumed = self.facts().get(generator, ANY) & self.signs.known.get(self.portable(generator), ANY)
        return assumed & NOT_NEGATIVE if i in self.square and i not in self.signed else assumed


def product_of(a: SignSet, b: SignSet) -> SignSet:
    """The signs of a product."""
    return frozenset(x * y for x in a for y in b)


def flattened(pieces: object) -> list[object]:
    """The leaves of nested tuples."""
    return [x for p in pieces for x in flattened(p)] if isinstance(pieces, tuple) else [pieces]
