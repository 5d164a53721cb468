"""Power products of expressions, and their sums with rational factors; exponents may be negative and fractions.

The atoms of a power product are variables, entries, exponentials, logarithms, roots, sums over an index, and functions as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from math import gcd, lcm
from typing import Any

from sympy import Expr

from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call
from symgrad.language.vectors import IndexSum

Mono = tuple[tuple[Expr, Fraction], ...]
MAX_TERMS = 2_000
ONE = Fraction(1)


class TooLarge(Unsupported):
    """A bound of the algebra was met."""


@cache
def rank(atom: Expr) -> tuple[int, str]:
    """Variables, then functions, then sums, then exponentials, each in alphabetical order."""
    kind = 3 if is_exponential(atom) else 2 if isinstance(atom, IndexSum) else 1 if isinstance(atom, Call) else 0
    return kind, str(atom)


def is_exponential(a: Expr) -> bool:
    return isinstance(a, Call) and a.fn.name == "exp" and a.fn.plain


@dataclass(frozen=True, slots=True)
class Poly:
    """A sum of power products with rational factors; exponents may be negative."""

    terms: tuple[tuple[Mono, Fraction], ...]

    @staticmethod
    def of(table: dict[Mono, Fraction]) -> Poly:
        if len(table) > MAX_TERMS:
            raise TooLarge(f"more than {MAX_TERMS} terms")
        return Poly(tuple(sorted(((m, c) for m, c in table.items() if c), key=lambda t: _order(t[0]))))

    def __add__(self, other: Poly) -> Poly:
        table = dict(self.terms)
        for m, c in other.terms:
            table[m] = table.get(m, Fraction(0)) + c
        return Poly.of(table)

    def __mul__(self, other: Poly) -> Poly:
        table: dict[Mono, Fraction] = {}
        for m, c in self.terms:
            for n, d in other.terms:
                k = joined(m, n)
                table[k] = table.get(k, Fraction(0)) + c * d
        return Poly.of(table)

    def scaled(self, c: Fraction) -> Poly:
        return Poly(tuple((m, c * d) for m, d in self.terms)) if c else ZERO

    @property
    def is_monomial(self) -> bool:
        return len(self.terms) == 1

    @property
    def number(self) -> Fraction | None:
        """The number that it is, if it is one."""
        return Fraction(0) if not self.terms else self.terms[0][1] if self.is_monomial and not self.terms[0][0] else None

    def atoms(self) -> set[Expr]:
        return {a for m, _ in self.terms for a, _ in m}


def _order(m: Mono) -> tuple[Any, ...]:
    grown = sum((n for a, n in m if is_exponential(a)), Fraction(0))
    return (-grown, -sum((n for a, n in m if not is_exponential(a)), Fraction(0)), tuple((rank(a), -n) for a, n in m))


def joined(m: Mono, n: Mono) -> Mono:
    """The product of two power products."""
    table = dict(m)
    for a, k in n:
        table[a] = table.get(a, Fraction(0)) + k
    return tuple(sorted(((a, k) for a, k in table.items() if k), key=lambda t: rank(t[0])))


def inverse(m: Mono) -> Mono:
    return tuple((a, -k) for a, k in m)


ZERO = Poly(())


def constant(c: Fraction | int) -> Poly:
    return Poly((((), Fraction(c)),)) if c else ZERO


def monomial(*powers: tuple[Expr, Fraction | int]) -> Poly:
    return Poly(((tuple(sorted(((a, Fraction(n)) for a, n in powers if n), key=lambda t: rank(t[0]))), ONE),))


def lowest_powers(p: Poly) -> Mono:
    """The lowest power of each atom in any term: what can be taken out of all of them."""
    atoms = p.atoms()
    lows = {a: min(dict(m).get(a, Fraction(0)) for m, _ in p.terms) for a in atoms}
    return tuple(sorted(((a, n) for a, n in lows.items() if n), key=lambda t: rank(t[0])))


def common_factor(p: Poly) -> Fraction:
    """The number that leaves coprime integers, the first of them positive, where it is taken out."""
    top = reduce(gcd, (abs(c.numerator) for _, c in p.terms))
    bottom = lcm(*(c.denominator for _, c in p.terms))
    return Fraction(top, bottom) * (1 if p.terms[0][1] > 0 else -1)
