"""The checker's interval evaluation against values at random points, and what it refuses to know at kinks."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from sympy import Expr, Integer, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.ranges import range_of
from symgrad.language import intervals as I
from symgrad.language import vectors as v
from symgrad.language.functions import Call, Fn, call, scalar
from symgrad.language.intervals import Interval, point
from symgrad.language.problem import Conventions
from symgrad.language.zeros import Fact, Relation, bound, number

X, Y = scalar("x"), scalar("y")
FREE = Conventions()
INTERVALS = [I.ALL, I.POSITIVE, I.NOT_NEGATIVE, I.NEGATIVE, point(0), point(-2), Interval(Fraction(-1), Fraction(3)),
             Interval(Fraction(1), Fraction(2), True, False)]
EXACT = {"relu": lambda a: max(a, Fraction(0)), "abs": abs, "leaky_relu": lambda a: a if a > 0 else a / 100, "step": lambda a: Fraction(int(a >= 0)),
         "sign": lambda a: Fraction((a > 0) - (a < 0))}


def random_expression(random: Random, depth: int) -> tuple[Expr, object]:
    """An expression in x and y, and the same as a Python function of two numbers."""
    if depth == 0:
        k = random.randint(0, 3)
        c = Fraction(random.randint(-3, 3), random.randint(1, 2))
        return ((X, lambda x, y: x), (Y, lambda x, y: y), (number(c), lambda x, y: c), (X, lambda x, y: x))[k]
    a, f = random_expression(random, depth - 1)
    b, g = random_expression(random, depth - 1)
    match random.randint(0, 5):
        case 0:
            return v.add(a, b), lambda x, y: f(x, y) + g(x, y)  # type: ignore[operator]
        case 1:
            return v.times(a, b), lambda x, y: f(x, y) * g(x, y)  # type: ignore[operator]
        case 2:
            return v.power(a, Integer(2)), lambda x, y: f(x, y) ** 2  # type: ignore[operator]
        case 3:
            return call("max", a, b), lambda x, y: max(f(x, y), g(x, y))  # type: ignore[operator]
        case 4:
            return call("min", a, b), lambda x, y: min(f(x, y), g(x, y))  # type: ignore[operator]
    name = random.choice(sorted(EXACT))
    return call(name, a), lambda x, y: EXACT[name](f(x, y))  # type: ignore[operator]


def numbers(i: Interval) -> list[Fraction]:
    return [x for x in (Fraction(k, 3) for k in range(-12, 13)) if x in i]


def test_holds_every_value() -> None:
    random = Random(5)
    for _ in range(600):
        e, f = random_expression(random, 3)
        a, b = random.choice(INTERVALS), random.choice(INTERVALS)
        found = range_of(e, {X: a, Y: b}, FREE)
        for _ in range(12):
            assert f(random.choice(numbers(a)), random.choice(numbers(b))) in found, (e, a, b, found)  # type: ignore[operator]


def test_holds_every_slope() -> None:
    """Slopes by exact differences over a tiny step, where no kink lies between."""
    random = Random(6)
    step, met = Fraction(1, 10**9), 0
    for _ in range(500):
        e, f = random_expression(random, 2)
        a, b = random.choice(INTERVALS[:5] + INTERVALS[6:]), random.choice(INTERVALS)
        found = range_of(differentiate(e, X), {X: a, Y: b}, FREE)
        for _ in range(6):
            x, y = random.choice(numbers(a)), random.choice(numbers(b))
            left, right = ((f(x + d, y) - f(x, y)) / d for d in (-step, step))  # type: ignore[operator]
            smooth = abs(left - right) < Fraction(1, 10**6) and abs(left) < 10**6
            if x + step in a and x - step in a and smooth:
                met += 1
                slack = Fraction(1, 10**5)
                assert not found.meet(Interval(left - slack, left + slack)).empty, (e, x, y, left, found)
    assert met > 500


@pytest.mark.parametrize("at", [Fn("relu", (1,)), Fn("max", (1, 0)), Fn("min", (1, 0)), Fn("leaky_relu", (1,))], ids=str)
def test_slopes_at_a_kink(at: Fn) -> None:
    """Any number without a convention; with one, its value for relu and max, and still any number for the others."""
    name = at.name
    slope = Call(at, X, *((Integer(0),) if len(at.orders) == 2 else ()))
    low = {"leaky_relu": Fraction(1, 100), "min": Fraction(1)}.get(name, Fraction(0))
    assert range_of(slope, {X: I.NEGATIVE}, FREE) == point(low)
    assert range_of(slope, {X: I.POSITIVE}, FREE) == point(0 if name == "min" else 1)
    assert range_of(slope, {X: point(0)}, FREE) == I.ALL and range_of(slope, {X: I.NOT_POSITIVE}, FREE) == I.ALL
    fixed = range_of(slope, {X: point(0)}, Conventions(relu_at_zero=Rational(1, 2)))
    assert fixed == (point(Fraction(1, 2)) if name in ("relu", "max") else I.ALL)


def test_the_second_argument_of_max_gets_the_rest() -> None:
    slope = Call(Fn("max", (0, 1)), X, Y)
    core, equal = bound(Fact(X, Relation.EQUAL, Y)) or (X, I.ALL)
    assert range_of(slope, {core: equal}, Conventions(relu_at_zero=Rational(1, 4))) == point(Fraction(3, 4))
    assert range_of(slope, {core: equal}, FREE) == I.ALL


def test_abs_at_zero_is_not_zero() -> None:
    """The derivative of abs is written sign(x); at 0 it must not pass for the value sign(0) = 0."""
    assert range_of(differentiate(call("abs", X), X), {X: point(0)}, FREE) != point(0)


def test_smooth_functions() -> None:
    for name, at_zero, where in (("exp", 1, I.POSITIVE), ("sigmoid", Fraction(1, 2), I.POSITIVE), ("tanh", 0, I.ALL), ("softplus", None, I.POSITIVE)):
        found = range_of(call(name, X), {}, FREE)
        assert found.meet(where) == found
        if at_zero is not None:
            assert range_of(call(name, X), {X: point(0)}, FREE) == point(at_zero)
    assert range_of(call("tanh", X), {X: I.POSITIVE}, FREE) == Interval(Fraction(0), Fraction(1), True, True)
    assert range_of(Call(Fn("loss", (1, 0)), X, Y), {}, FREE) == I.ALL


def test_the_slope_of_abs() -> None:
    slope = differentiate(call("abs", X), X)
    assert range_of(slope, {X: I.POSITIVE}, FREE) == point(1) and range_of(slope, {X: I.NEGATIVE}, FREE) == point(-1)
    assert range_of(slope, {X: point(0)}, FREE) == I.ALL and range_of(slope, {X: I.NOT_NEGATIVE}, FREE) == I.ALL
