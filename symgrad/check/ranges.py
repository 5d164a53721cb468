"""In which interval does an expression lie, given intervals of its names?  The checker's own interval evaluation.

Nothing is assumed at a kink: where the argument may be 0, the slope of relu or max is any number, unless the problem
fixes it; that of min, abs and leaky relu is any number whatever the problem says, for it fixes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, mul

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import unfold
from symgrad.language.functions import Call, leaky_slope
from symgrad.language.intervals import ALL, NOT_NEGATIVE, POSITIVE, ZERO, Interval, point
from symgrad.language.problem import Conventions
from symgrad.language.zeros import gap, known_of, rational

Known = Mapping[Expr, Interval]
ONE = point(1)


def range_of(e: Expr, known: Known, conventions: Conventions) -> Interval:
    """An interval that holds the value of e wherever every name (and every difference in `known`) lies in its interval."""
    compound = any(not isinstance(k, Symbol) for k in known)

    def of(e: Expr) -> Interval:
        if isinstance(e, Rational):
            return point(rational(e))
        if isinstance(e, Symbol):
            return known.get(e, ALL)
        return compute(e).meet(known_of(known, e)) if compound and isinstance(e, Add | Mul) else compute(e)

    def compute(e: Expr) -> Interval:
        match e:
            case Add():
                return reduce(add, map(of, e.args))
            case Mul():
                return reduce(mul, map(of, e.args))
            case Pow(base=base, exp=exponent) if isinstance(exponent, Integer) and exponent != 0:
                inner = of(base) ** abs(int(exponent))
                return inner if exponent > 0 else inner.reciprocal
            case Pow(exp=exponent) if isinstance(exponent, Rational):
                return NOT_NEGATIVE
            case Call():
                return value(e) if e.fn.plain else slope(e)
        return ALL

    def value(e: Call) -> Interval:
        a = of(e.arguments[0])
        sign = a.sign
        match e.fn.name:
            case "max" | "min" | "relu":
                b = of(e.arguments[1]) if len(e.arguments) > 1 else ZERO
                larger = e.fn.name != "min"
                side = of(gap(e)).sign
                if side is not None:
                    return a if (side >= 0) == larger or side == 0 else b
                both = a.join(b)
                floor = max((a.low, a.low_open), (b.low, b.low_open)) if larger else (both.low, both.low_open)
                roof = min((a.high, not a.high_open), (b.high, not b.high_open)) if not larger else (both.high, not both.high_open)
                return Interval(floor[0], roof[0], floor[1], not roof[1])
            case "leaky_relu":
                s = leaky_slope(e.arguments)
                return a if sign == 1 else a * point(rational(s)) if sign in (-1, 0) else a.join(a * point(rational(s))) if s >= 0 else ALL
            case "abs":
                return a if sign in (0, 1) else -a if sign == -1 else NOT_NEGATIVE.meet(a.join(-a))
            case "sign":
                return point(sign) if sign else Interval(-ONE.low, ONE.high)
            case "step":
                jump = point(rational(conventions.step_at_zero))
                pieces = [p for p, there in ((ONE, a.high > 0), (ZERO, a.low < 0), (jump, 0 in a)) if there]
                return reduce(Interval.join, pieces)
            case "exp":
                return ONE if sign == 0 else POSITIVE
            case "sigmoid":
                return point(rational(Rational(1, 2))) if sign == 0 else Interval(ZERO.low, ONE.low, True, True)
            case "tanh":
                return ZERO if sign == 0 else Interval(-ONE.low if sign != 1 else ZERO.low, ONE.low if sign != -1 else ZERO.low, True, True)
            case "softplus":
                return POSITIVE
            case "sqrt":
                return NOT_NEGATIVE
        return ALL

    def slope(e: Call) -> Interval:
        name, tie = e.fn.name, conventions.relu_at_zero
        if name == "abs" and e.fn.orders == (1,):
            side = of(e.arguments[0]).sign
            return point(side) if side else ALL
        if sum(e.fn.orders) > 1 or name not in ("max", "min", "relu", "leaky_relu"):
            meaning = unfold(e)
            return ALL if meaning is None else of(meaning)
        first = bool(e.fn.orders[0])
        g = of(gap(e))
        up = ONE if first == (name != "min") else ZERO
        down = point(rational(leaky_slope(e.arguments))) if name == "leaky_relu" else ONE + -up
        if g.sign in (1, -1):
            return up if g.sign == 1 else down
        if tie is None or name not in ("max", "relu"):
            return ALL
        at = point(rational(tie if first else 1 - tie))
        return reduce(Interval.join, [p for p, there in ((up, g.high > 0), (down, g.low < 0), (at, True)) if there])

    return of(e)
