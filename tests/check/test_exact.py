"""Exact values against Python's own arithmetic on Fractions, and signs where a value is not rational."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import mpmath
import pytest
from sympy import Add, Expr, Integer, Mul, Pow, Rational

from symgrad.check.errors import Undecided
from symgrad.check.exact import Exact, Undefined
from symgrad.language.functions import call, scalar
from tests.fill_problems import FUNCTIONS

X, Y = scalar("x"), scalar("y")


def grown(random: Random, depth: int) -> tuple[Expr, str]:
    """An expression, and the same written for Python."""
    if depth == 0:
        n = random.randint(-3, 3)
        return random.choice([(X, "x"), (Y, "y"), (Integer(n), f"Fraction({n})"), (Rational(n, 2), f"Fraction({n}, 2)")])
    (a, s), (b, t) = grown(random, depth - 1), grown(random, depth - 1)
    name = random.choice(("max", "min", "abs", "relu", "step", "sign", "leaky_relu"))
    return random.choice([
        (Add(a, b, evaluate=False), f"(({s}) + ({t}))"), (Mul(a, b, evaluate=False), f"(({s}) * ({t}))"),
        (Pow(a, 2, evaluate=False), f"(({s}) ** 2)"),
        (call(name, *((a, b) if name in ("max", "min") else (a,))), f"{name}({s}, {t})" if name in ("max", "min") else f"{name}({s})"),
    ])


def test_values_against_python() -> None:
    random = Random(2)
    for _ in range(300):
        e, text = grown(random, 4)
        point = {X: Fraction(random.randint(-4, 4), random.choice((1, 2, 3))), Y: Fraction(random.randint(-4, 4))}
        expected = eval(text, {"Fraction": Fraction, **FUNCTIONS}, {"x": point[X], "y": point[Y]})
        assert Exact().value(e, point) == expected, text
        assert Exact().sign(e, point) == (expected > 0) - (expected < 0)


def test_step_at_zero_is_the_problems_convention() -> None:
    for stated in (Rational(0), Rational(1, 2), Rational(1)):
        assert Exact(stated).value(call("step", X), {X: Fraction(0)}) == Fraction(int(stated.p), int(stated.q))


@pytest.mark.parametrize(("e", "x", "sign"), [
    (call("sigmoid", X) - Rational(1, 2), 0, 0), (call("sigmoid", X) - Rational(1, 2), 1, 1), (call("tanh", X), -2, -1),
    (call("exp", X) - call("exp", X + 1) / call("exp", Integer(1)), 3, 0), (call("log", X), 1, 0), (call("sqrt", X) - Rational(141421, 100000), 2, 1),
    (call("log", 1 + call("exp", X)) - call("softplus", X), 2, 0),
])
def test_signs_of_what_is_not_rational(e: Expr, x: int, sign: int) -> None:
    assert Exact().sign(e, {X: Fraction(x)}) == sign


def test_where_there_is_no_value() -> None:
    for e in (Pow(X, -1), call("log", X), call("log", X - 1), call("sqrt", X - 1), 1 + 1 / (X * X)):
        assert Exact().sign(e, {X: Fraction(0)}) is None
        with pytest.raises(Undefined):
            Exact().value(e, {X: Fraction(0)})


def test_what_is_not_known_is_undecided_not_guessed() -> None:
    with pytest.raises(Undecided):
        Exact().sign(call("log", call("tanh", X) - 1), {X: Fraction(1)})
    with mpmath.workdps(70):
        close = Rational(int(mpmath.floor(mpmath.sqrt(2) * 10**60)), 10**60)  # closer to sqrt(2) than the working precision tells
    with pytest.raises(Undecided, match="is not known at working precision"):
        Exact().sign(call("sqrt", Integer(2)) - close, {})
