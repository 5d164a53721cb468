"""The exact value of a scalar expression at a rational point, as a Fraction, and its sign wherever that can be known."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import Any

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import unfold
from symgrad.check.errors import Undecided
from symgrad.check.evaluation import enclose
from symgrad.check.normal import constant_value
from symgrad.language.bounds import MAX_BITS
from symgrad.language.functions import Call

Values = Mapping[Expr, Fraction]


class Undefined(Exception):
    """An expression has no value at a point."""


class Exact:
    """Evaluation under one convention for step(0)."""

    def __init__(self, step_at_zero: Rational = Rational(1)) -> None:
        self.step_at_zero = step_at_zero

    def sign(self, e: Expr, values: Values) -> int | None:
        """Of an exact rational value, or of an interval; None where e is not defined.  Raises Undecided."""
        try:
            exact = self.value(e, values)
        except Undefined:
            return None
        if exact is not None:
            return (exact > 0) - (exact < 0)
        interval = self.interval(e, values)
        if interval.a > 0 or interval.b < 0:
            return 1 if interval.a > 0 else -1
        number = e.xreplace({s: Rational(x.numerator, x.denominator) for s, x in values.items()})
        value = constant_value(number, step_at_zero=self.step_at_zero)
        if value is None:
            raise Undecided(f"the sign of {number} is not known at working precision")
        return 1 if value > 0 else -1 if value < 0 else 0

    def interval(self, e: Expr, values: Values) -> Any:
        """With error bounds.  Raises Undecided where e is not shown to have a value."""
        try:
            return enclose(e, {s: Rational(x.numerator, x.denominator) for s, x in values.items()}, step_at_zero=self.step_at_zero)
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise Undecided(f"{e} is not shown to have a value: {error}") from None

    def value(self, e: Expr, values: Values) -> Fraction | None:
        """The rational value of e, None where it is not shown to be rational.  Raises Undefined where e has no value."""
        match e:
            case Rational():
                return fraction(e)
            case Symbol():
                return values[e]
            case Add() | Mul():
                parts = [x for x in (self.value(a, values) for a in e.args) if x is not None]
                if len(parts) < len(e.args):
                    return None
                return sum(parts, Fraction(0)) if isinstance(e, Add) else prod(parts, start=Fraction(1))
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational) and exponent.q == 1:
                x = self.value(base, values)
                if x == 0 and exponent < 0:
                    raise Undefined
                if x is not None and max(x.numerator.bit_length(), x.denominator.bit_length()) * abs(int(exponent)) > MAX_BITS:
                    raise Undecided(f"a number of more than {MAX_BITS:,} bits")
                return None if x is None else x ** int(exponent)
            case Call():
                meaning = unfold(e)
                return self.value(meaning, values) if meaning is not None else self.primitive(e.fn.name, [self.value(a, values) for a in e.arguments])
        return None

    def defined(self, e: Expr, values: Values) -> tuple[bool, Fraction | None]:
        """Is e defined there, and its value as far as it is shown to be rational."""
        try:
            return True, self.value(e, values)
        except Undefined:
            return False, None

    def primitive(self, name: str, arguments: list[Fraction | None]) -> Fraction | None:
        x = arguments[0]
        if x is None or None in arguments:
            return None
        match name:
            case "max":
                return max(arguments)  # type: ignore[type-var]
            case "abs":
                return abs(x)
            case "sign":
                return Fraction((x > 0) - (x < 0))
            case "step":
                return fraction(self.step_at_zero) if x == 0 else Fraction(int(x > 0))
            case "exp" | "log" if x == (name == "log"):
                return Fraction(int(name == "exp"))
            case "log" | "sqrt" if x < 0 or (x == 0 and name == "log"):
                raise Undefined
        return None


def fraction(x: Rational) -> Fraction:
    return Fraction(int(x.p), int(x.q))
