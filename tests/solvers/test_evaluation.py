"""Values and slopes against central differences in exact numbers, or in floats where a function has no rational values."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import pytest
from sympy import Rational

from symgrad.language.problem import Conventions
from symgrad.language.zeros import Polynomial
from symgrad.solvers.evaluation import Evaluation
from tests.questions.asking import ask

PIECEWISE = """z = w*x + b
h = relu(z) + leaky_relu(x, 1/5)*w
m = max(h, x) - min(z, b)
a = abs(m) + sign(z)*x + step(x)*w
p = a^3 / (1 + z^2)
L = loss(p, t)"""
SMOOTH = """z = w*x + b
h = sigmoid(z) + tanh(x)
s = softplus(h) * exp(-z)
L = log(1 + s^2) + sqrt(1 + x^2)"""


def test_piecewise_polynomials_exactly() -> None:
    square = {"loss": Polynomial("loss", ((Rational(1, 2), (2, 0)), (Rational(-1), (1, 1)), (Rational(1, 2), (0, 2))))}
    evaluation = Evaluation(ask(PIECEWISE, "w", "").graph, square, Conventions())
    random = Random(2)
    step = Fraction(1, 10**12)
    for _ in range(40):
        at = {n: Fraction(random.randint(-9, 9), random.randint(1, 4)) for n in ("w", "x", "b", "t")}
        values = evaluation.values(at)
        assert all(isinstance(v, Fraction) for v in values.values())
        if evaluation.kinks(values):
            continue
        slopes = evaluation.slopes(values, "L")
        for n in at:
            up, down = (evaluation.values({**at, n: at[n] + d})["L"] for d in (step, -step))
            difference = float((up - down) / (2 * step))
            assert math.isclose(float(slopes.get(n, 0)), difference, rel_tol=1e-6, abs_tol=1e-6)


def test_smooth_functions() -> None:
    evaluation = Evaluation(ask(SMOOTH, "w", "").graph, {}, Conventions())
    random = Random(3)
    for _ in range(20):
        at = {n: random.uniform(-2, 2) for n in ("w", "x", "b")}
        slopes = evaluation.slopes(evaluation.values(at), "L")
        for n in at:
            up, down = (evaluation.values({**at, n: at[n] + d})["L"] for d in (1e-6, -1e-6))
            assert math.isclose(float(slopes[n]), float(up - down) / 2e-6, rel_tol=1e-4, abs_tol=1e-6)


def test_values_at_zero_are_exact() -> None:
    evaluation = Evaluation(ask(SMOOTH, "w", "").graph, {}, Conventions())
    values = evaluation.values({"w": Fraction(0), "x": Fraction(0), "b": Fraction(0)})
    assert values["h"] == Fraction(1, 2) and isinstance(values["h"], Fraction)


@pytest.mark.parametrize(("at", "kinks"), [({"w": 1, "x": 1, "b": -1}, {"h", "m"}), ({"w": 1, "x": 2, "b": 1}, set())])
def test_kinks(at: dict[str, int], kinks: set[str]) -> None:
    evaluation = Evaluation(ask("z = w*x + b\nh = relu(z)\nm = max(h, 0)\nL = m^2", "w", "").graph, {}, Conventions())
    found = evaluation.kinks(evaluation.values({n: Fraction(v) for n, v in at.items()}))
    assert {k.node for k in found} == kinks and all(k.conventional for k in found)
