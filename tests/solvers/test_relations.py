"""The search for relations: what it finds is true at points that it did not use, and nothing is found where nothing is."""

from __future__ import annotations

import math

import pytest
from sympy import Expr, Integer, Rational

from symgrad.language.claims import ARGUMENT
from symgrad.language.functions import call
from symgrad.rules.relation import at
from symgrad.solvers.relations import IDENTITY, Combination, combinations, tried
from tests.rules.test_relation import HARD, U, number

ONE, ZERO, HALF = Integer(1), Integer(0), Rational(1, 2)
S, T, R = call("sigmoid", U), call("tanh", U), call("relu", U)

FIRST: dict[str, tuple[Expr, tuple[Expr, ...], Combination]] = {
    "sigmoid by tanh": (S, (T,), Combination(((HALF, HALF, ZERO),), ZERO, HALF)),
    "tanh by sigmoid": (T, (S,), Combination(((Integer(2), Integer(2), ZERO),), ZERO, Integer(-1))),
    "itself": (T, (T,), IDENTITY), "unknown": (call("g", U), (call("g", U),), IDENTITY),
    "leaky relu": (call("leaky_relu", U), (R, R), Combination(((ONE, ONE, ZERO), (-Rational(1, 100), Integer(-1), ZERO)))),
    "leaky relu with a skip": (call("leaky_relu", U, Rational(1, 5)), (R,), Combination(((Rational(4, 5), ONE, ZERO),), Rational(1, 5))),
    "identity": (U, (R, R), Combination(((ONE, ONE, ZERO), (Integer(-1), Integer(-1), ZERO)))),
    "hard tanh": (HARD, (R, R), Combination(((ONE, ONE, ONE), (Integer(-1), ONE, Integer(-1))), ZERO, Integer(-1))),
    "scaled tanh": (Rational(17159, 10000) * call("tanh", 2 * U / 3), (S,),
                    Combination(((Rational(17159, 5000), Rational(4, 3), ZERO),), ZERO, -Rational(17159, 10000))),
    "no function at all": (call("relu", U) - call("relu", -U), (), Combination((), ONE)),
}


@pytest.mark.parametrize("name", FIRST)
def test_the_simplest_comes_first(name: str) -> None:
    f, gs, wanted = FIRST[name]
    assert combinations(f, gs)[0] == wanted


@pytest.mark.parametrize("name", [n for n in FIRST if n != "unknown"])
def test_all_that_is_found_is_true(name: str) -> None:
    f, gs, _ = FIRST[name]
    for c in combinations(f, gs):
        for u in (-41.3, -2.71, -0.9, 0.0, 0.123, 1.77, 5.9):
            total = float(c.slope) * u + float(c.shift)
            total += sum(float(k) * number(at(g, a, b), u) for (k, a, b), g in zip(c.terms, gs, strict=True))
            assert math.isclose(total, number(f, u), rel_tol=1e-9, abs_tol=1e-9), c


@pytest.mark.parametrize(("f", "gs"), [
    (call("softplus", U), (S,)), (R, (S,)), (S, (R, R)), (call("sign", U), (call("step", U),)), (U, (R,)), (U**2, (R, R)), (call("g", U), (T,)),
    (T, (call("exp", U),)),
])
def test_nothing_is_found_where_nothing_is(f: Expr, gs: tuple[Expr, ...]) -> None:
    assert combinations(f, gs) == ()


def test_other_solutions() -> None:
    """tanh and sigmoid turned, relu rescaled, softplus turned with a slope."""
    assert Combination(((Integer(-1), Integer(-1), ZERO),)) in combinations(T, (T,))
    assert Combination(((Integer(-1), Integer(-1), ZERO),), ZERO, ONE) in combinations(S, (S,))
    assert any(c.slope == 0 and c.terms[0][0] * c.terms[0][1] == 1 for c in combinations(R, (R,))[1:])
    assert Combination(((ONE, Integer(-1), ZERO),), ONE) in combinations(call("softplus", U), (call("softplus", U),))
    assert "14 scales a" in tried() and ARGUMENT == U
