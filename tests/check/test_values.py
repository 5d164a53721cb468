"""The checker's own numbers: values, reverse accumulation, orders and roundings at the given values."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Expr, Integer, Rational

from symgrad.check import values
from symgrad.check.errors import NoDerivative, Undecided
from symgrad.check.values import Known, Valuation
from symgrad.language.claims import EXACT, ROUNDED
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.functions import call, scalar
from symgrad.language.problem import Problem
from tests.making import forward

P = forward("z = w*x + b\nh = sigmoid(z)\nu = z^2 - 1/3\nq = relu(z - 2)\ny = h*u", "w = 0.5\nx = 3\nb = 0.5\nn = {}",
            "[values]\nh = { value = 0.9, rounded = true }")
z, h, u, q, x, w, n = (scalar(s) for s in "zhuqxwn")


def valuation(kind: str = EXACT, p: Problem = P) -> Valuation:
    return Valuation(p, kind)


def test_values_are_exact_where_they_are_rational() -> None:
    v = valuation()
    assert v.value("z").exact == 2 and v.value("u").exact == Rational(11, 3) and v.value("q").exact == 0
    assert v.value("h").exact is None and v.value("h").closed == call("sigmoid", Integer(2))
    assert abs(float(v.value("h").interval.mid.a) - 0.8807970779778823) < 1e-15
    assert valuation(ROUNDED).value("h").exact == Rational(9, 10)
    assert valuation(ROUNDED).value("y").exact == Rational(33, 10)


def test_a_deep_graph_does_not_recurse() -> None:
    p = forward("a0 = x\n" + "\n".join(f"a{i} = a{i - 1} + 1" for i in range(1, 3000)), "x = 1")
    assert valuation(EXACT, p).value("a2999").exact == 3000


def test_what_is_not_given() -> None:
    with pytest.raises(Unsupported, match="no value is given for n"):
        valuation().evaluate(n + 1)
    with pytest.raises(Undecided, match="has no value here"):
        valuation().evaluate(1 / (z - 2))
    with pytest.raises(Undecided, match="has no value here"):
        valuation().evaluate(call("log", z - 5))
    with pytest.raises(NoDerivative):
        valuation().slope("q", "z")


def test_reverse_accumulation_by_hand() -> None:
    """y = h u with h = sigma(2) and u = 11/3: dy/dw = x (h' u + h 2 z)."""
    s = 1 / (1 + 2.718281828459045 ** -2)
    for wrt, slope in (("w", 3), ("x", 0.5), ("b", 1)):
        found = valuation().slope("y", wrt)
        assert abs(float(found.interval.mid.a) - slope * (s * (1 - s) * 11 / 3 + s * 4)) < 1e-12
        assert found.closed is not None and found.exact is None
    v = valuation()
    assert v.slope("u", "w").exact == 12 and v.slope("u", "h").exact == 0 and v.slope("u", "u").exact == 1
    assert v.slope("z", "w").exact == 3 and v.slope("u", "x").exact == 2


def test_equal() -> None:
    v = valuation()
    v.require_equal(u, z**2 - Rational(1, 3), {}, "it")
    v.require_equal(h, 1 - call("sigmoid", -z), {}, "it")
    with pytest.raises(Refused, match="it: left is 11/3, right is 4 at the given values"):
        v.require_equal(u, Integer(4), {}, "it")
    with pytest.raises(Refused, match="it: left is 0.880797, right is 0.8808 at the given values"):
        v.require_equal(h, Rational(8808, 10**4), {}, "it")
    with pytest.raises(Undecided, match="it: equal to within"):
        v.require_equal(call("log", Integer(6)) + h - h, call("log", Integer(6)) + Rational(1, 10**60), {}, "it")


@pytest.mark.parametrize(("left", "right", "order"), [(z, Integer(2), 0), (z, Integer(3), -1), (u, z, 1), (h, Integer(1), -1),
(h, 1 - call("sigmoid", -z), 0)])
def test_order(left: Expr, right: Expr, order: int) -> None:
    assert valuation().order(left, right, {}, "it") == order


ROUNDINGS = [("0.25", 1, "0.2", True), ("0.25", 1, "0.3", True), ("0.25", 1, "0.1", False), ("-0.25", 1, "-0.3", True), ("-0.25", 1, "0.3", False),
             ("0.35", 1, "0.3", True), ("0.35", 1, "0.4", True), ("0.3500001", 1, "0.3", False), ("0.5", 0, "0", True), ("0.5", 0, "1", True),
             ("1.5", 0, "3", False), ("0.00005", 4, "0.0001", True), ("0.00004", 4, "0.0001", False)]


@pytest.mark.parametrize(("true", "digits", "shown", "fits"), ROUNDINGS)
def test_exact_values_round_exactly(true: str, digits: int, shown: str, fits: bool) -> None:
    """At a tie either neighbour is a rounding; a hair beside it only one is."""
    known = Valuation.number(Rational(true))
    if fits:
        valuation().require_rounded(known, Rational(shown), digits, "it")
    else:
        with pytest.raises(Refused, match=f"rounded to {digits} decimals"):
            valuation().require_rounded(known, Rational(shown), digits, "it")


def test_a_value_at_a_tie_to_working_precision_is_undecided() -> None:
    """An irrational number whose interval straddles 0.25 rounds to nobody knows what."""
    interval = Valuation.number(Rational(1, 4)).interval + Valuation.number(Rational(1, 10**60)).interval * 0
    wide = Known(None, None, interval + (Valuation.number(Rational(1, 3)).interval - Valuation.number(Rational(1, 3)).interval))
    for shown in ("0.2", "0.3"):
        with pytest.raises(Undecided, match="so near to a tie"):
            valuation().require_rounded(wide, Rational(shown), 1, "it")


def test_sums_of_products() -> None:
    v = valuation()
    exact = v.sum_of_products([(v.number(Rational(1, 2)), v.number(Rational(3))), (v.number(Rational(-1)), v.number(Rational(1, 4)))])
    assert exact.exact == Rational(5, 4)
    half = v.value("h")
    mixed = v.sum_of_products([(half, v.number(Integer(2))), (half, v.number(Integer(-2)))])
    assert mixed.closed == 0 and mixed.interval.a <= 0 <= mixed.interval.b
    assert Fraction(1, 2) == Fraction(str(v.number(Rational(1, 2)).exact))


def test_kinks_at_the_given_values() -> None:
    v = valuation()
    for e, hit in ((call("relu", z - 2), True), (call("relu", z), False), (call("max", z, Integer(2)), True), (call("min", z, u), False),
                   (call("abs", x - 3) * z, True), (call("step", call("relu", z - 2)), True), (call("sqrt", z - 2), False)):
        assert v.hits_kink(e, {}) is hit, e


def test_a_normal_form_is_made_only_of_what_may_be_rational(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that cancel to a fraction are found exact; of a softmax over exponentials the decimals say that it is none."""
    asked: list[object] = []
    monkeypatch.setattr(values, "constant_value", lambda e, *more, plain=values.constant_value: asked.append(e) or plain(e, *more))
    problem = forward("a = exp(x)\nb = exp(w*x)\np = exp(a)/(exp(a) + exp(b))\nq = exp(b)/(exp(a) + exp(b))\nL = (p - x)^2 + q^2\n"
                      "s = sigmoid(w*x) + sigmoid(-w*x)\nl = log(a)\nt = p + q", 'x = "3/7"\nw = "-2/3"')
    at = valuation(EXACT, problem)
    found = {n: at.value(n).exact for n in ("s", "l", "t", "p", "L")}
    assert found == {"s": 1, "l": Rational(3, 7), "t": 1, "p": None, "L": None}
    assert len(asked) <= 6 and not any(e == at.value("L").closed for e in asked)
    assert values.may_be_rational(at.value("s").interval) and not values.may_be_rational(at.value("p").interval)
