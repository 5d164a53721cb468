"""Permutation matrices moved out of functions: for every permutation of three, the value is the same."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sympy import Expr, Integer, MatAdd, MatMul, OneMatrix, Transpose

from symgrad.check.permutations import commuted
from symgrad.language import vectors as v
from symgrad.language.functions import Fn
from tests.equivalents import agree, value

M, D = v.dimension("M"), v.dimension("D")
P, W, x, b = v.variable("P", (M, M)), v.variable("W", (M, D)), v.variable("x", (D, Integer(1))), v.variable("b", (M, Integer(1)))
ONES, HALF = OneMatrix(M, Integer(1)), Integer(1) / 2


def f(e: Expr) -> Expr:
    return v.apply(Fn("tanh", (0,)), (e,))


EXPRESSIONS = {
    "taken out": (f(MatMul(P, b)), MatMul(P, f(b))), "transposed": (f(MatMul(Transpose(P), b)), MatMul(Transpose(P), f(b))),
    "a sum": (f(MatAdd(MatMul(P, W, x), MatMul(HALF, P, b))), None), "with ones": (f(MatAdd(MatMul(P, b), ONES)), None),
    "cancelled": (MatMul(Transpose(P), P, b), b),
    "cancelled inside": (f(MatMul(P, MatAdd(MatMul(HALF, Transpose(P), b), MatMul(Transpose(P), b)))), None),
    "of ones": (MatMul(P, ONES), ONES), "a number between": (MatMul(P, MatMul(HALF, Transpose(P), b)), MatMul(HALF, b)),
    "nested": (f(MatMul(P, f(MatMul(Transpose(P), b)))), None), "nothing to do": (f(MatAdd(MatMul(P, b), b)), f(MatAdd(MatMul(P, b), b))),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_value_stays(name: str) -> None:
    e, wanted = EXPRESSIONS[name]
    found = commuted(e, frozenset({"P"}))
    assert wanted is None or found == wanted
    rng = np.random.default_rng(2)
    for p in permutations(range(3)):
        env = {"M": 3, "D": 2, "P": np.eye(3)[list(p)], "W": rng.normal(size=(3, 2)), "x": rng.normal(size=(2, 1)), "b": rng.normal(size=(3, 1))}
        assert agree(value(found, env), value(e, env))
    if name in ("a sum", "with ones"):
        assert isinstance(found, MatMul) and found.args[0] == P
    if name == "nested":
        assert found == f(f(b))


def test_other_matrices_stay_where_they_are() -> None:
    e = f(MatMul(P, b))
    assert commuted(e, frozenset({"Q"})) == e and commuted(e, frozenset()) == e
