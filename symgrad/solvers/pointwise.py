"""A scalar expression as a plain function of numbers, built once and applied at many points.

Whole numbers and Fractions stay exact; what is not rational is a decimal of fifty digits (mpmath).  What it finds is a find, not a
proof: the checker evaluates again, with error bounds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call

DIGITS = 50
NOTHING = 10.0**-30
"""A decimal smaller than this counts as 0."""

Number = Any  # int, Fraction or mpmath's mpf
Applied = Callable[[Sequence[Number]], Number]


class NoValue(Exception):
    """The expression is not defined at the point."""


def applied(e: Expr, symbols: Sequence[Symbol], step_at_zero: Rational = Rational(1)) -> Applied:
    """e as a function of the values of `symbols`, in their order.  It raises NoValue where e is not defined.  Raises Unsupported."""
    from mpmath import MPContext

    context = MPContext()
    context.dps = DIGITS
    places = {s: k for k, s in enumerate(symbols)}

    def build(e: Expr) -> Applied:
        match e:
            case Rational():
                number = int(e.p) if e.q == 1 else Fraction(int(e.p), int(e.q))
                return lambda x: number
            case Symbol() if e in places:
                return operator.itemgetter(places[e])
            case Add() | Mul():
                parts = [build(a) for a in e.args]
                join = _add if isinstance(e, Add) else _multiply
                return lambda x: reduce(join, [p(x) for p in parts])
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational):
                inner = build(base)
                return lambda x: power(inner(x), exponent)
            case Call() if e.fn.plain and e.fn.name in KNOWN:
                definition = KNOWN[e.fn.name].definition
                return build(definition(*e.arguments)) if definition is not None else primitive(e.fn.name, [build(a) for a in e.arguments])
        raise Unsupported(f"{e} has no value at a point")

    def power(base: Number, exponent: Rational) -> Number:
        if base == 0 and exponent < 0:
            raise NoValue
        if exponent.q == 1:
            return base ** int(exponent) if exponent >= 0 or not isinstance(base, int) else Fraction(1, base ** -int(exponent))
        if base < 0:
            raise NoValue
        return context.mpf(decimal(base)) ** (context.mpf(int(exponent.p)) / int(exponent.q))

    def decimal(x: Number) -> Number:
        return context.mpf(x.numerator) / x.denominator if isinstance(x, int | Fraction) else x

    def primitive(name: str, arguments: list[Applied]) -> Applied:
        first = arguments[0]
        match name:
            case "max":
                second = arguments[1]
                return lambda x: larger(first(x), second(x))
            case "abs":
                return lambda x: abs(first(x))
            case "sign":
                return lambda x: sign(first(x))
            case "step":
                middle = Fraction(int(step_at_zero.p), int(step_at_zero.q))
                return lambda x: (0, middle, 1)[sign(first(x)) + 1]
            case "exp":
                return lambda x: 1 if first(x) == 0 else exponential(decimal(first(x)))
            case "log":
                return lambda x: logarithm(first(x))
            case "sqrt":
                return lambda x: power(first(x), Rational(1, 2))
        raise Unsupported(f"{name} has no value at a point")

    def larger(a: Number, b: Number) -> Number:
        exact = isinstance(a, int | Fraction) and isinstance(b, int | Fraction)
        return max(a, b) if exact else a if decimal(a) >= decimal(b) else b

    def exponential(x: Number) -> Number:
        if abs(x) > 10_000:
            raise Unsupported("an exponential of a number beyond 10000")
        return context.exp(x)

    def logarithm(x: Number) -> Number:
        if x <= 0:
            raise NoValue
        return 0 if x == 1 else context.log(decimal(x))

    def _add(a: Number, b: Number) -> Number:
        return a + b if not isinstance(a, Fraction) and not isinstance(b, Fraction) else mixed(a, b, operator.add)

    def _multiply(a: Number, b: Number) -> Number:
        return a * b if not isinstance(a, Fraction) and not isinstance(b, Fraction) else mixed(a, b, operator.mul)

    def mixed(a: Number, b: Number, join: Callable[[Number, Number], Number]) -> Number:
        exact = isinstance(a, int | Fraction) and isinstance(b, int | Fraction)
        return join(a, b) if exact else join(decimal(a), decimal(b))

    return build(e)


def sign(x: Number) -> int:
    """-1, 0 or 1; a decimal that is 0 but for rounding has sign 0."""
    if not isinstance(x, int | Fraction) and abs(x) < NOTHING:
        return 0
    return int(x > 0) - int(x < 0)


def rounded(x: Number, digits: int) -> int:
    """x times 10^digits, to the nearest whole number."""
    scaled = x * 10**digits + (Fraction(1, 2) if isinstance(x, int | Fraction) else 0.5)
    whole = int(scaled)
    return whole - (scaled < whole)


def signature(x: Number) -> int:
    """The same for values that are equal but for rounding."""
    return rounded(x, 12)
