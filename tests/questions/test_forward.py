"""ask = "forward": the table of values, exact where they are, decimals where they are not, and a reason where there are none."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from sympy import Integer, Rational

from symgrad.language import forms as F
from symgrad.language.claims import Value
from symgrad.language.errors import SpecErrors
from symgrad.language.steps import Ground
from symgrad.sheet import document as D
from symgrad.sheet.compose import SOLUTION, compose
from tests.making import forward, problem, solved


def answers(let: str, symbols: str, extra: str = "") -> dict[str, F.Form]:
    result = solved(forward(let, symbols, extra))
    (item,) = result.parts
    assert item.derivation is not None and all(x.ground.holds for x in item.verdicts.values()), item.failure
    return {a.label: a.right for a in item.derivation.answers}


def failure(let: str, symbols: str, extra: str = "") -> str:
    return solved(forward(let, symbols, extra)).parts[0].failure


def test_every_function_at_numbers() -> None:
    found = answers("a = relu(x)\nb = relu(-x)\nc = abs(-x)\nd = max(x, 5)\ne1 = min(x, 5)\nf = step(x)\ng = step(x - 3)\nh = sign(-x)\n"
                    "i = leaky_relu(-x)\nj = sqrt(x + 1)\n"
                    "k = exp(x - 3)\nl = log(x - 2)\nm = sigmoid(x - 3)\nn = tanh(0*x)\no = x/7\np = x^3", "x = 3")
    exact = {"a": 3, "b": 0, "c": 3, "d": 5, "e1": 3, "f": 1, "g": 1, "h": -1, "i": Rational(-3, 100), "j": 2, "k": 1, "l": 0, "m": Rational(1, 2),
             "n": 0, "o": Rational(3, 7), "p": 27}
    assert found == {k: F.Just(Rational(x)) for k, x in exact.items()}


def test_closed_forms_and_decimals() -> None:
    result = solved(forward("y = exp(x)\nz = y^2 + y + 1/3\nu = tanh(z)*sigmoid(y) + exp(z/9)", "x = 1"))
    lines = {s.claim.node: s.claim.lines for s in result.parts[0].derivation.steps if isinstance(s.claim, Value)}  # type: ignore[union-attr]
    assert lines["y"][-1].form == F.Decimal(Rational(27183, 10**4), 4) and lines["y"][-1].approx
    assert lines["u"][-1].approx and isinstance(lines["u"][-1].form, F.Decimal)


@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh", "softplus"])
@pytest.mark.parametrize("q", ["2", "3/4", "1/7"])
def test_functions_of_logarithms_are_exact(name: str, q: str) -> None:
    """sigmoid(log 2) is 2/3, and softplus(0) is log 2: the same numbers as Python's floats, without the functions."""
    by_float = {"exp": math.exp, "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "softplus": lambda z: math.log1p(math.exp(z))}
    for sign in ("", "-"):
        found = answers(f"u = {sign}log(x)\ny = {name}(u)", f'x = {{ value = "{q}" }}')["y"]
        assert isinstance(found, F.Just) and (found.expr.is_Rational or name == "softplus")
        value = float(Fraction(str(found.expr))) if found.expr.is_Rational else None
        want = by_float[name]((-1 if sign else 1) * math.log(Fraction(q)))
        assert value is None or abs(value - want) < 1e-12
    assert str(answers("y = softplus(x)", "x = 0")["y"]) == str(answers("y = log(x)", "x = 2")["y"])


def test_a_closed_form_is_boxed_with_its_decimal() -> None:
    """tanh(1/2) is 0.46212 (a table); a rational number stays alone."""
    result = solved(forward("y = tanh(x)\nz = 2*x", 'x = "1/2"'))
    boxes = {b.left.tex: b.right.tex for b in compose(result.problem, result.parts, SOLUTION).blocks if isinstance(b, D.Boxed)}
    assert boxes["y"].endswith(r" \approx 0.4621") and boxes["y"].startswith(r"\tanh") and boxes["z"] == "1"


def test_conventions_of_the_step() -> None:
    assert answers("y = step(x)", "x = 0") == {"y": F.Just(Integer(1))}
    assert answers("y = step(x)", "x = 0", "[conventions]\nstep_at_zero = 0.5") == {"y": F.Just(Rational(1, 2))}
    result = solved(forward("y = step(x)", "x = 0", "[conventions]\nstep_at_zero = 0"))
    assert result.parts[0].derivation is not None
    assert result.parts[0].derivation.conventions == (("The step function jumps at 0, where its value is ", F.Just(Integer(0)), "."),)


def test_rounded_values_of_the_problem() -> None:
    """Twice: with h = 0.9 as stated, and exactly."""
    found = answers("h = sigmoid(x)\ny = h^2", "x = 2", "[values]\nh = { value = 0.9, rounded = true }")
    assert found["y (rounded)"] == F.Just(Rational(81, 100)) and isinstance(found["y"], F.Decimal | F.Just) and found["y"] != found["y (rounded)"]


@pytest.mark.parametrize(("let", "symbols", "message"), [
    ("y = a*b", "a = 1\nb = {}", "no value is given for b; state it in [symbols] or [values]"), ("y = log(a)", "a = -1",
    "log of a number that is not positive"),
    ("y = 1/a", "a = 0", "a division by zero at the given values"), ("y = sqrt(a)", "a = -1", "sqrt of a number that is not positive"),
    ("y = g(a)", "a = 1", "no number for the unknown function g"),
    ("y = sum(log(v))", 'v = { shape = "2", value = [1, -2] }', "y has no value: a logarithm or root outside its domain"),
    ("y = sum(v)", 'v = { shape = "2" }', "no value is given for v; state it in [symbols] or [values]"),
])
def test_where_there_is_no_value(let: str, symbols: str, message: str) -> None:
    assert message in failure(let, symbols)


def test_only_the_nodes_that_are_asked() -> None:
    p = problem("y = 2*x\nz = y + 1\nu = 1/(x - 1)", "x = 1", 'ask = "forward"\nof = ["z"]')
    (item,) = solved(p).parts
    assert item.derivation is not None and [a.label for a in item.derivation.answers] == ["z"]
    with pytest.raises(SpecErrors, match="of: there is no q"):
        problem("y = 2*x", "x = 1", 'ask = "forward"\nof = ["q"]')


def test_a_constant() -> None:
    assert answers("y = 3\nz = y*x", "x = 2") == {"y": F.Just(Integer(3)), "z": F.Just(Integer(6))}


def test_large_numbers() -> None:
    """Exact as long as Python writes them out, and no crash beyond."""
    assert answers("y = x^60\nz = y - x^60", "x = 9")["z"] == F.Just(Integer(0))
    (item,) = solved(forward("y = ((x^64)^64)^2", "x = 99")).parts
    assert item.failure or all(x.ground is not Ground.REFUTED for x in item.verdicts.values())


def test_products_keep_their_digits() -> None:
    """exp(3)^10 tanh(1) to 4 decimals, 18 digits in all: more than a double has."""
    import mpmath

    p = forward("a = exp(x)\nb = a^10\ny = b*tanh(v)*v", "x = 3\nv = 1")
    (part,) = solved(p).parts
    assert not part.failure, part.failure
    assert part.derivation is not None
    value = next(s.claim.lines[-1].form for s in part.derivation.steps if s.label == "y")
    with mpmath.workdps(40):
        assert abs(mpmath.exp(30) * mpmath.tanh(1) - mpmath.mpf(value.value.p) / value.value.q) <= mpmath.mpf(10) ** -4 / 2
