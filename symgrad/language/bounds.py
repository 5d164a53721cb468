"""Bounds on what an expression may grow to: a short text can ask for numbers that no machine holds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sympy import Expr, HadamardProduct, MatMul, Mul, Number, Pow, Rational

from symgrad.language.errors import Unsupported

MAX_DEGREE = 10_000
"""Of an expression as a polynomial in what it is made of: ((x^64)^64)^64 has degree 262144."""
MAX_BITS = 14_000
"""Of the numerator and the denominator of a number (Python writes no more as text); also the powers of two between which a decimal must lie."""


def degree(e: Expr) -> Fraction:
    """The degree of e as a polynomial, an upper bound: powers multiply, products add; a function counts as what it is applied to."""
    found: dict[Expr, Fraction] = {}
    stack: list[tuple[Expr, bool]] = [(e, False)]
    while stack:
        x, ready = stack.pop()
        if x in found:
            continue
        if not x.args or isinstance(x, Number):
            found[x] = Fraction(0 if isinstance(x, Number) else 1)
        elif not ready:
            stack.append((x, True))
            stack.extend((a, False) for a in x.args)
        elif isinstance(x, Mul | MatMul | HadamardProduct):
            found[x] = sum((found[a] for a in x.args), Fraction(0))
        elif isinstance(x, Pow) and isinstance(x.args[1], Rational):
            found[x] = found[x.args[0]] * abs(Fraction(int(x.args[1].p), int(x.args[1].q)))
        else:
            found[x] = max(found[a] for a in x.args)
    return found[e]


def within_degree(e: Expr) -> Expr:
    """e itself.  Raises Unsupported if its degree is beyond `MAX_DEGREE`."""
    found = degree(e)
    if found > MAX_DEGREE:
        raise Unsupported(f"an expression of degree {_say(int(found))}; at most {MAX_DEGREE:,} is worked with")
    return e


def with_definitions(e: Expr, definitions: Mapping[Expr, Expr]) -> Expr:
    """Definitions put in for their names, again and again, until none of the names is left.  Raises Unsupported as `within_degree`."""
    while definitions and (put_in := within_degree(e).xreplace(dict(definitions))) != e:
        e = put_in
    return e


def within_bits(x: Rational) -> Rational:
    """x itself.  Raises Unsupported if it is a number of more than `MAX_BITS`."""
    if max(int(x.p).bit_length(), int(x.q).bit_length()) > MAX_BITS:
        raise Unsupported(f"a number of more than {MAX_BITS:,} bits")
    return x


def _say(n: int) -> str:
    return f"{n:,}" if n < 10**12 else f"more than 10^{int((n.bit_length() - 1) * 0.30103)}"
