"""Every row of the table of functions: what it means, by NumPy; its derivative, by difference quotients of that."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Rational

from symgrad.check.normal import is_zero
from symgrad.language.functions import KNOWN, Call, Fn, call, scalar
from symgrad.language.graph import Graph, Node, Variable
from symgrad.rules.scalar import local_partial
from tests.oracle import FUNCTIONS, Oracle

ROWS = sorted(KNOWN)
POINTS = (-1.7, -0.3, 0.4, 2.6)


def oracle(at: float) -> Oracle:
    z = scalar("z")
    return Oracle(Graph((Variable("z"),), (Node("y", 2 * z),)), {"z": np.array([[at]])})


def test_every_row_has_an_oracle() -> None:
    """A function without a line in tests/oracle.py fails the suite."""
    assert set(FUNCTIONS) == set(KNOWN)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_complete(name: str) -> None:
    row = KNOWN[name]
    assert row.name == name and row.latex and row.source and row.known and row.arity in (1, 2)
    assert (row.kink != "") == (name in ("sqrt", "max", "min", "step", "sign", "abs", "relu", "leaky_relu"))


@pytest.mark.parametrize("name", [n for n in ROWS if KNOWN[n].definition is not None])
def test_the_definition_is_the_function(name: str) -> None:
    z, row = scalar("z"), KNOWN[name]
    for at in POINTS:
        arguments = [z, Rational(1, 5)][:row.arity]
        meaning = row.definition(*arguments)  # type: ignore[misc]
        expected = FUNCTIONS[name](*(at, 0.2)[:row.arity])
        assert abs(oracle(at).value(meaning).item() - expected) < 1e-12, (name, at)


def test_the_slope_of_leaky_relu() -> None:
    z = scalar("z")
    for at in POINTS:
        assert abs(oracle(at).value(KNOWN["leaky_relu"].definition(z, Rational(1, 3))).item() - (at if at > 0 else at / 3)) < 1e-12  # type: ignore[misc]


@pytest.mark.parametrize("name", [n for n in ROWS if KNOWN[n].derivative is not None])
def test_the_derivative_is_that_of_the_function(name: str) -> None:
    """Given the argument and the output; off the kink."""
    z, h, row = scalar("z"), scalar("h"), KNOWN[name]
    formula = row.derivative(z, h)  # type: ignore[misc]
    for at in POINTS if name not in ("log", "sqrt") else (0.4, 2.6):
        o = oracle(at)
        o.env["h"] = np.array([[FUNCTIONS[name](at)]])
        quotient = (FUNCTIONS[name](at + 1e-6) - FUNCTIONS[name](at - 1e-6)) / 2e-6
        assert abs(o.value(formula).item() - quotient) < 1e-8, (name, at)


@pytest.mark.parametrize("name", [n for n in ROWS if KNOWN[n].derivative is not None])
def test_the_derivative_is_proved_from_the_definition_and_a_wrong_one_is_not(name: str) -> None:
    z, row = scalar("z"), KNOWN[name]
    right = row.derivative(z, call(name, z))  # type: ignore[misc]
    kept = Call(Fn(name, (1,)), z)
    assert is_zero(kept - right)
    for wrong in (right + 1, 2 * right + Rational(1, 3), -right - 1):
        assert not is_zero(kept - wrong)


@pytest.mark.parametrize("name", ROWS)
def test_the_rule_for_a_function_of_a_function(name: str) -> None:
    """d f(2 z + 1, 1/5) / dz = 2 f'(2 z + 1, 1/5), by the rules, against difference quotients."""
    z, row = scalar("z"), KNOWN[name]
    e = call(name, 2 * z + 1, *[Rational(1, 5)][:row.arity - 1])
    found, used = local_partial(e, z)
    assert used and used[-1]
    for at in (-1.7, -0.9, 0.4, 2.6) if name not in ("log", "sqrt") else (0.4, 2.6):
        f = lambda s: float(FUNCTIONS[name](2 * s + 1, *(0.2,)[:row.arity - 1]))  # noqa: E731
        assert abs(oracle(at).value(found).item() - (f(at + 1e-6) - f(at - 1e-6)) / 2e-6) < 1e-5, (name, at)


def test_names_with_orders() -> None:
    fn = Fn("g", (0, 0))
    assert fn.plain and fn.derivative(1) == Fn("g", (0, 1)) and fn.derivative(0).derivative(1) == Fn("g", (1, 1)) and not fn.derivative(0).plain
    assert Fn("g", (1, 1)) is Fn("g", (1, 1)) and str(Fn("g", (2,))) == "g''" and str(Fn("g", (1, 0))) == "g[1, 0]"
