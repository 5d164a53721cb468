"""The value of a scalar expression at given numbers: rational where possible, otherwise enclosed in an interval with error bounds.

An unknown function is read as a fixed polynomial, the same wherever the same name appears, so its derivatives fit; a claim about
all functions is refuted by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt
from random import Random
from typing import Any

from mpmath import iv
from sympy import Add, Dummy, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import differentiate, max_slope, unfold
from symgrad.check.errors import NO_VALUE, NoDerivative, NoSign
from symgrad.language.bounds import MAX_BITS
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.text import text
from symgrad.language.vectors import Entry
from symgrad.language.zeros import gap, kinked

PRECISION, MAX_EXPONENT = 160, 1_000_000
MAX_DIGITS = 40
"""Decimals of a rounded number: fewer than the precision has."""
FAR = 8  # from where on the normal distribution is enclosed by its tail
MAX_POWER = 100_000
LARGE = iv.mpf(2) ** MAX_POWER
"""No number is worked with beyond it: the exponential of a larger one takes as many digits as that has."""


def enclose(e: Expr, values: Mapping[Expr, Any], at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> Any:
    """An interval (mpmath.iv) that holds the value of e; `values` maps symbols and entries to numbers or intervals.

    Raises NoSign, NoDerivative, ZeroDivisionError, OverflowError, or ValueError for a logarithm or root outside its domain.
    """
    return interval(evaluate(e, values, at_tie, step_at_zero))


def interval(x: Any) -> Any:
    """A rational number as an interval of working precision; an interval as it is."""
    return iv.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


def sign_of(x: Any) -> int:
    """-1, 0 or 1 of a rational number or of an interval that does not hold 0 among others.  Raises NoSign."""
    if isinstance(x, Fraction):
        return (x > 0) - (x < 0)
    if x.a > 0 or x.b < 0:
        return 1 if x.a > 0 else -1
    if x.a == 0 == x.b:
        return 0
    raise NoSign


def evaluate(e: Expr, values: Mapping[Expr, Any], at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> Any:
    """The value of e: a Fraction where only arithmetic and kinks of rational numbers are met, else an interval.  Raises as `enclose`."""
    iv.prec = PRECISION
    memo: dict[Expr, Any] = {}

    def of(e: Expr) -> Any:
        if e not in memo:
            memo[e] = found = one(e)
            if not isinstance(found, Fraction) and (found.b > LARGE or found.a < -LARGE):
                raise OverflowError(f"a number beyond 2^{MAX_POWER:,}")
        return memo[e]

    def both(a: Any, b: Any) -> tuple[Any, Any]:
        return (a, b) if isinstance(a, Fraction) and isinstance(b, Fraction) and _bits(a) + _bits(b) < MAX_BITS else (interval(a), interval(b))

    def one(e: Expr) -> Any:
        match e:
            case Rational():
                return Fraction(int(e.p), int(e.q))
            case Symbol() | Entry():
                found = values[e]
                return Fraction(int(found.p), int(found.q)) if isinstance(found, Rational) else found
            case Add() | Mul():
                result = Fraction(int(isinstance(e, Mul)))
                for x in e.args:
                    a, b = both(result, of(x))
                    result = a + b if isinstance(e, Add) else a * b
                return result
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational):
                return power(of(base), exponent)
            case Call():
                return apply(e)
        raise Unsupported(f"the checker cannot evaluate {type(e).__name__}")

    def power(b: Any, exponent: Rational) -> Any:
        if exponent.q == 1:
            if isinstance(b, Fraction) and _bits(b) * abs(int(exponent)) > MAX_BITS:
                b = interval(b)
            if exponent < 0 and (b == 0 if isinstance(b, Fraction) else b.a <= 0 <= b.b):
                raise ZeroDivisionError
            result = b ** abs(int(exponent))
            return result if exponent > 0 else 1 / result
        if isinstance(b, Fraction) and b == 0 and exponent > 0:
            return b
        if exponent.q == 2 and isinstance(b, Fraction) and b > 0 and isinstance(root := domain("sqrt", b), Fraction):
            return power(root, Integer(exponent.p))
        b = interval(b)
        if b.a <= 0:
            raise ValueError("a root outside its domain")
        return iv.exp(bounded(iv.log(b) * int(exponent.p) / int(exponent.q)))

    def apply(e: Call) -> Any:
        if e.fn.name not in KNOWN:
            return of(_polynomial(e))
        meaning = unfold(e)
        if meaning is not None:
            return of(meaning)
        a = [of(x) for x in e.arguments]
        match e.fn.name:
            case "exp":
                return Fraction(1) if a[0] == 0 and isinstance(a[0], Fraction) else iv.exp(bounded(interval(a[0])))
            case "log" | "sqrt":
                return domain(e.fn.name, a[0])
            case "sin" | "cos":
                if a[0] == 0 and isinstance(a[0], Fraction):
                    return Fraction(int(e.fn.name == "cos"))
                return getattr(iv, e.fn.name)(bounded(interval(a[0])))
            case "normpdf":
                return normpdf(bounded(interval(a[0])))
            case "normcdf":
                return Fraction(1, 2) if a[0] == 0 and isinstance(a[0], Fraction) else normcdf(bounded(interval(a[0])))
            case "max":
                if e.fn.plain:
                    return largest(*a)
                larger = sign_of(a[0] - a[1] if isinstance(a[0], Fraction) and isinstance(a[1], Fraction) else interval(a[0]) - interval(a[1]))
                slope = max_slope(e.fn, larger, at_tie)
                if slope is None:
                    raise NoDerivative(text(Call(Fn("max", (0, 0)), *e.arguments)))
                return of(slope)
            case "abs":
                return largest(a[0], -a[0])
            case "sign":
                return Fraction(sign_of(a[0]))
            case "step":
                return of(step_at_zero) if sign_of(a[0]) == 0 else Fraction(int(sign_of(a[0]) > 0))
        raise Unsupported(f"the checker cannot evaluate {e.fn}")

    def largest(a: Any, b: Any) -> Any:
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return max(a, b)
        a, b = interval(a), interval(b)
        return iv.mpf([max(a.a, b.a), max(a.b, b.b)])

    def domain(name: str, a: Any) -> Any:
        if isinstance(a, Fraction) and name == "log" and a == 1:
            return Fraction(0)
        if isinstance(a, Fraction) and name == "sqrt" and a >= 0:
            top, bottom = isqrt(a.numerator), isqrt(a.denominator)
            if top * top == a.numerator and bottom * bottom == a.denominator:
                return Fraction(top, bottom)
        a = interval(a)
        if a.a <= 0 < a.b:
            raise NoSign
        if a.a <= 0:
            raise ValueError(f"{name} outside its domain")
        return iv.log(a) if name == "log" else iv.sqrt(a)

    def bounded(x: Any) -> Any:
        if x.b > MAX_EXPONENT or x.a < -MAX_EXPONENT:
            raise OverflowError(f"an exponential beyond e^{MAX_EXPONENT}")
        return x

    return of(e)


def normpdf(x: Any) -> Any:
    """exp(-x^2/2) / sqrt(2 pi)."""
    return iv.exp(-x * x / 2) / iv.sqrt(2 * iv.pi)


def normcdf(x: Any) -> Any:
    """1/2 + the integral of `normpdf` from 0 to x: it increases, so the ends of an interval are enough.

    For |x| <= FAR by the series x / sqrt(2 pi) sum_n (-x^2/2)^n / (n! (2n + 1)), whose terms alternate and in the end decrease; the
    first that is left out bounds the rest.  Beyond, 1 - Phi(x) lies between 0 and normpdf(x) / x.  Source: Abramowitz, Stegun, 26.2.10, 26.2.12.
    """
    return iv.mpf([_normcdf_at(iv.mpf(x.a)).a, _normcdf_at(iv.mpf(x.b)).b])


def _normcdf_at(x: Any) -> Any:
    if abs(x).a > FAR:
        tail = iv.mpf([0, (normpdf(x) / abs(x)).b])
        return tail if x.b < 0 else 1 - tail
    term, total, n = iv.mpf(1), iv.mpf(0), 0
    while n < FAR**2 or abs(term).b > iv.mpf(2) ** -PRECISION:
        total += term / (2 * n + 1)
        n += 1
        term *= -x * x / (2 * n)
    rest = abs(term).b / (2 * n + 1)
    return iv.mpf(1) / 2 + x / iv.sqrt(2 * iv.pi) * (total + iv.mpf([-rest, rest]))


def _bits(x: Fraction) -> int:
    return x.numerator.bit_length() + x.denominator.bit_length()


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


def differ(left: Expr, right: Expr, values: Mapping[Expr, Any], at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> bool:
    """Proved different at the point; False where they are not, or where one side is not defined there."""
    try:
        a, b = enclose(left, values, at_tie, step_at_zero), enclose(right, values, at_tie, step_at_zero)
    except NO_VALUE:
        return False
    return bool(a.b < b.a or b.b < a.a)


def decimal_fits(interval: Any, value: Rational, digits: int) -> bool:
    """The whole interval lies within half a unit of the last of `digits` decimals."""
    if not 0 <= digits <= MAX_DIGITS:
        return False
    centre, half = iv.mpf(int(value.p)) / int(value.q), iv.mpf(1) / (2 * 10**digits)
    return bool(interval.a >= (centre - half).b and interval.b <= (centre + half).a)


def leaves(*exprs: Expr) -> tuple[Expr, ...]:
    """The variables and entries in scalar expressions, sorted by name: what needs a value."""
    found: set[Expr] = set()
    seen: set[Expr] = set()
    stack = list(exprs)
    while stack:
        e = stack.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, Entry) or e.is_Symbol:
            found.add(e)
        else:
            stack.extend(a for a in e.args if isinstance(a, Expr))
    return tuple(sorted(found, key=str))


def say_leaf(e: Expr) -> str:
    """A variable or an entry in a message."""
    return f"{e.args[0].name}[{e.args[1]},{e.args[2]}]" if isinstance(e, Entry) else str(e)


def hits_kink(e: Expr, point: Mapping[Expr, Any]) -> bool:
    """Is the argument of some max, |x|, step or the like at its kink there, or not shown to be off it?"""
    gaps = (enclose(gap(c), point) for c in kinked(e))
    return any(x.a <= 0 <= x.b for x in gaps)
