"""Equations between scalars: refuted with a point that can be checked by hand, proved where both sides live."""

from __future__ import annotations

import re

import pytest
from sympy import Expr, Integer, Rational

from symgrad.check.errors import NoDerivative, Undecided
from symgrad.check.evaluation import hits_kink, leaves
from symgrad.check.identity import require_identical
from symgrad.language.errors import Refused
from symgrad.language.functions import Call, Fn, call, scalar
from symgrad.language.vectors import Entry, variable
from symgrad.reader.letlist import Scope, expression


def read(text: str) -> Expr:
    return expression(text, Scope({n: scalar(n) for n in "xyz"}, {}))


@pytest.mark.parametrize(("left", "right"), [
    ("(x + y)^2", "x^2 + 2*x*y + y^2"), ("sigmoid(x)", "1 - sigmoid(-x)"), ("log(x*y)", "log(x) + log(y)"), ("relu(x)", "(x + abs(x))/2"),
    ("log(-x)", "log(-2*x) - log(2)"), ("sqrt(-x)^2", "-x"), ("log(x - 5)", "log(2*x - 10) - log(2)"),
    ("x*log(x) + (1 - x)*log(1 - x)", "x*(log(x) - log(1 - x)) + log(1 - x)"), ("log(1 - x - y - z)", "log(2 - 2*x - 2*y - 2*z) - log(2)"),
    ("log(-x) + log(1 + x)", "log(-x*(1 + x))"),
])
def test_proved(left: str, right: str) -> None:
    require_identical(read(left), read(right), None, "it")


@pytest.mark.parametrize(("left", "right"), [
    ("x^2", "x^3"), ("sigmoid(x)", "tanh(x)"), ("exp(x + y)", "exp(x)*exp(y) + 1/1000000000000"), ("relu(x)", "x"), ("abs(x)", "x"), ("sqrt(x^2)",
    "x"),
    ("g(x)", "g(y)"), ("g(x)", "x"), ("step(x)", "sign(x)"), ("max(x, y)", "x + y"), ("x*1000000007", "x*1000000009"),
])
def test_refuted_with_a_point(left: str, right: str) -> None:
    with pytest.raises(Refused, match=r"it: the two sides differ at [xy] = ") as error:
        require_identical(read(left), read(right), None, "it")
    if "g(" not in left:  # the point is exact and does separate the two
        point = {scalar(n): Rational(x) for n, x in re.findall(r"([xyz]) = (-?[0-9/]+)", str(error.value))}
        gap = (read(left) - read(right)).xreplace(point)
        assert gap != 0 or gap.has(Call)


@pytest.mark.parametrize(("left", "right"), [("log(-x)", "log(x)"), ("log(x)", "log(-3*x) - log(3)"), ("log(-1 - x^2)", "log(1 + x^2)")])
def test_two_sides_that_never_meet_are_not_equal(left: str, right: str) -> None:
    """log(-x) lives where log(x) does not."""
    with pytest.raises(Undecided, match="no point was met at which both sides have a value"):
        require_identical(read(left), read(right), None, "it")


def test_numbers_differ_nowhere_in_particular() -> None:
    with pytest.raises(Refused, match="it: the two sides differ$"):
        require_identical(Integer(1), Integer(2), None, "it")


def test_an_identity_that_holds_whatever_the_kinks_takes_no_sign_patterns() -> None:
    """Twenty kinks have 2^20 patterns of signs."""
    kinks = [f"relu(x - {k}*y)" for k in range(20)]
    left, right = " + ".join(f"{k}*(x + z)" for k in kinks), " + ".join(f"{k}*x + z*{k}" for k in kinks)
    require_identical(read(left), read(right), None, "it")
    with pytest.raises(Refused, match="the two sides differ at"):
        require_identical(read(left), read(right + " + z"), None, "it")


def test_a_kink_with_no_convention() -> None:
    x = scalar("x")
    slope = Call(Fn("max", (1, 0)), x - x, Integer(0))
    with pytest.raises(NoDerivative):
        require_identical(slope, Integer(0), None, "it")
    require_identical(slope, Rational(1, 2), Rational(1, 2), "it")


def test_the_value_of_a_step_is_the_problem_s() -> None:
    """step(x) = 1 - step(-x) at x = 0 where step(0) is 1/2, and not where it is 1; both are compared off the jump."""
    for at_zero in (Rational(1, 2), Rational(1)):
        require_identical(read("step(x)"), read("1 - step(-x)"), None, "it", step_at_zero=at_zero)
    with pytest.raises(Refused):
        require_identical(call("step", Integer(0)), Rational(1, 2), None, "it")
    require_identical(call("step", Integer(0)), Rational(1, 2), None, "it", step_at_zero=Rational(1, 2))


def test_leaves_and_kinks() -> None:
    a = variable("A", (Integer(2), Integer(2)))
    entry = Entry(a, Integer(1), Integer(2))
    assert leaves(entry * scalar("x"), read("y + 1")) == (entry, scalar("x"), scalar("y"))
    x, y = scalar("x"), scalar("y")
    for text, point, hit in (("relu(x - 1)", {x: 1}, True), ("relu(x - 1)", {x: 2}, False), ("abs(x)*step(y)", {x: 1, y: 0}, True),
                             ("max(x, y)", {x: 3, y: 3}, True), ("min(x, y)", {x: 3, y: 2}, False), ("sqrt(x) + exp(x)", {x: 0}, False),
                             ("sign(x - y)", {x: Rational(1, 3), y: Rational(1, 3)}, True)):
        assert hits_kink(read(text), {s: Rational(v) for s, v in point.items()}) is hit, text
