"""Values at exact rational points: rational where possible, otherwise enclosed in an interval with error bounds.

A refutation is a proof: two disjoint intervals.  An unknown function is read as a fixed polynomial, the same wherever
the same name appears, so its derivatives fit; a claim about all functions is refuted by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from mpmath import iv
from sympy import Add, Dummy, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import differentiate, max_slope, unfold
from symgrad.check.normal import NoDerivative
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call
from symgrad.language.vectors import Entry

PRECISION = 160


class NoSign(Exception):
    """The interval of a kink's argument holds 0: the sign is not known at this precision."""


def enclose(e: Expr, values: Mapping[Expr, Any], at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> Any:
    """An interval (mpmath.iv) that holds the value of e; `values` maps symbols and entries to numbers or intervals.

    Raises NoSign, NoDerivative, ZeroDivisionError, or ValueError for a logarithm or root outside its domain.
    """
    iv.prec = PRECISION
    memo: dict[Expr, Any] = {}

    def exact_sign(x: Any) -> int:
        if x.a > 0 or x.b < 0:
            return 1 if x.a > 0 else -1
        if x.a == 0 == x.b:
            return 0
        raise NoSign

    def of(e: Expr) -> Any:
        if e not in memo:
            memo[e] = step(e)
        return memo[e]

    def step(e: Expr) -> Any:
        match e:
            case Rational():
                return iv.mpf(int(e.p)) / int(e.q)
            case Symbol() | Entry():
                found = values[e]
                return iv.mpf(int(found.p)) / int(found.q) if isinstance(found, Rational) else found
            case Add():
                return sum((of(a) for a in e.args), iv.mpf(0))
            case Mul():
                result = iv.mpf(1)
                for a in e.args:
                    result *= of(a)
                return result
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational):
                b = of(base)
                if exponent.q == 1:
                    if exponent < 0 and b.a <= 0 <= b.b:
                        raise ZeroDivisionError
                    power = b ** abs(int(exponent))
                    return power if exponent > 0 else 1 / power
                if b.a <= 0:
                    raise ValueError("a root outside its domain")
                return iv.exp(iv.log(b) * int(exponent.p) / int(exponent.q))
            case Call():
                return apply(e)
        raise Unsupported(f"the checker cannot evaluate {type(e).__name__}")

    def apply(e: Call) -> Any:
        if e.fn.name not in KNOWN:
            return of(_polynomial(e))
        meaning = unfold(e)
        if meaning is not None:
            return of(meaning)
        a = [of(x) for x in e.arguments]
        match e.fn.name:
            case "exp":
                return iv.exp(a[0])
            case "log" | "sqrt" if a[0].a <= 0 and not (e.fn.name == "sqrt" and a[0].a == 0):
                raise ValueError(f"{e.fn.name} outside its domain")
            case "log":
                return iv.log(a[0])
            case "sqrt":
                return iv.sqrt(a[0])
            case "max":
                sign = exact_sign(a[0] - a[1])
                if e.fn.plain:
                    return a[0] if sign >= 0 else a[1]
                slope = max_slope(e.fn, sign, at_tie)
                if slope is None:
                    raise NoDerivative(str(e))
                return of(slope)
        sign = exact_sign(a[0])
        match e.fn.name:
            case "abs":
                return a[0] * sign
            case "sign":
                return iv.mpf(sign)
            case "step":
                return of(step_at_zero) if sign == 0 else iv.mpf(int(sign > 0))
        raise Unsupported(f"the checker cannot evaluate {e.fn}")

    return of(e)


def _polynomial(e: Call) -> Expr:
    """A fixed polynomial in place of an unknown function, differentiated as the call asks."""
    random = Random(e.fn.name)
    dummies = tuple(Dummy(f"u{i}", real=True) for i in range(len(e.arguments)))
    body: Expr = Integer(random.randint(-3, 3))
    for d in dummies:
        body += sum((Integer(random.choice((-3, -2, -1, 1, 2, 3))) * d**k for k in (1, 2, 3)), Integer(0))
    for first, second in zip(dummies, dummies[1:], strict=False):
        body += Integer(random.choice((-2, -1, 1, 2))) * first * second
    for slot, order in enumerate(e.fn.orders):
        for _ in range(order):
            body = differentiate(body, dummies[slot])
    return body.xreplace(dict(zip(dummies, e.arguments, strict=True)))


def points(symbols: tuple[Expr, ...], count: int) -> Iterator[dict[Expr, Rational]]:
    """Rational points, stratified: all signs, ties, zero, small and large, from a fixed seed."""
    random = Random(len(symbols))
    pools: tuple[tuple[Rational, ...], ...] = (
        tuple(Rational(n, 7) for n in range(1, 23)), tuple(Rational(n, 5) for n in range(-14, 15) if n),
        (Rational(-1), Rational(1), Rational(2), Rational(-2)), (Rational(0), Rational(1), Rational(-1)),
        tuple(Rational(n, 3) for n in (-40, -17, 19, 44)),
    )
    for i in range(count):
        pool = pools[i % len(pools)]
        yield {s: random.choice(pool) for s in symbols}


def differ(left: Expr, right: Expr, values: Mapping[Expr, Any], at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> bool:
    """Proved different at the point; False where they are not, or where one side is not defined there."""
    try:
        a, b = enclose(left, values, at_tie, step_at_zero), enclose(right, values, at_tie, step_at_zero)
    except (NoSign, NoDerivative, ZeroDivisionError, ValueError, OverflowError):
        return False
    return bool(a.b < b.a or b.b < a.a)


def decimal_fits(interval: Any, value: Rational, digits: int) -> bool:
    """The whole interval lies within half a unit of the last of `digits` decimals."""
    centre, half = iv.mpf(int(value.p)) / int(value.q), iv.mpf(1) / (2 * 10**digits)
    return bool(interval.a >= (centre - half).b and interval.b <= (centre + half).a)
