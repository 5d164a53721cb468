"""Equations with inverses: true ones are proved for all sizes and hold in floats, false ones are never shown."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr

from symgrad.check.inverses import Inverses
from symgrad.language.claims import Identity, Line
from symgrad.language.forms import Just
from symgrad.language.problem import Problem, Prove
from symgrad.language.steps import Ground
from tests.making import problem, verdicts
from tests.oracle import Oracle, close, random_point

SHAPES = {"A": "N, N", "B": "N, N", "U": "N, K", "V": "K, N", "C": "K, K", "x": "N", "y": "N", "c": ""}
SYMBOLS = "\n".join(f'{n} = {{ shape = "{s}" }}' for n, s in SHAPES.items())

TRUE = [
    ("inv(A @ B)", "inv(B) @ inv(A)"), ("inv(A).T", "inv(A.T)"), ("inv(inv(A))", "A"), ("inv(A) @ A", "eye(N)"), ("A @ B @ inv(B)", "A"),
    ("inv(A + U @ C @ V)", "inv(A) - inv(A) @ U @ inv(inv(C) + V @ inv(A) @ U) @ V @ inv(A)"),
    ("inv(A + x @ y.T)", "inv(A) - inv(A) @ x @ y.T @ inv(A) / (1 + y.T @ inv(A) @ x)"),
    ("inv(eye(N) + U @ V) @ U", "U @ inv(eye(K) + V @ U)"), ("inv(A) + inv(B)", "inv(A) @ (A + B) @ inv(B)"),
    ("inv(A) - inv(B)", "inv(A) @ (B - A) @ inv(B)"), ("inv(inv(A) + inv(B))", "A @ inv(A + B) @ B"),
    ("A - A @ inv(A + B) @ A", "B - B @ inv(A + B) @ B"),
    ("eye(N) - inv(eye(N) + A)", "inv(eye(N) + A) @ A"), ("inv(eye(N) + inv(A))", "A @ inv(A + eye(N))"), ("inv(2 * A)", "inv(A) / 2"),
    ("inv(A.T @ A + eye(N)) @ A.T", "A.T @ inv(A @ A.T + eye(N))"), ("A @ inv(eye(N) + B @ A)", "inv(eye(N) + A @ B) @ A"),
    ("det(A @ B)", "det(B) * det(A)"), ("det(inv(A))", "1 / det(A)"), ("det(A.T @ B)", "det(A) * det(B.T)"), ("trace(A @ inv(B) @ B)", "trace(A)"),
    ("x.T @ inv(A) @ A @ y", "x.T @ y"), ("trace(inv(A) @ A)", "N"), ("det(eye(N) + U @ V)", "det(eye(K) + V @ U)"), ("trace(U @ V)", "trace(V @ U)"),
    ("det(eye(N) + c * x @ y.T)", "1 + c * x.T @ y"), ("det(inv(A) @ B @ A)", "det(B)"), ("trace(B @ A @ inv(B))", "trace(A)"),
    ("inv(A) @ x / 2 + inv(A) @ y / 2", "inv(A) @ (x + y) / 2"), ("det(eye(N) + c * eye(N))", "det((1 + c) * eye(N))"),
]
FALSE = [
    ("inv(A @ B)", "inv(A) @ inv(B)"), ("inv(A)", "inv(A.T)"), ("inv(A + B)", "inv(A) + inv(B)"), ("inv(A) @ B", "B @ inv(A)"),
    ("inv(A + U @ C @ V)", "inv(A) - inv(A) @ U @ inv(inv(C) - V @ inv(A) @ U) @ V @ inv(A)"),
    ("inv(A + U @ C @ V)", "inv(A) + inv(A) @ U @ inv(inv(C) + V @ inv(A) @ U) @ V @ inv(A)"),
    ("inv(A + x @ y.T)", "inv(A) - inv(A) @ x @ y.T @ inv(A) / (1 + x.T @ inv(A) @ y)"), ("inv(A + x @ y.T)", "inv(A) - inv(A) @ x @ y.T @ inv(A)"),
    ("inv(eye(N) + U @ V) @ U", "U @ inv(eye(K) - V @ U)"), ("inv(inv(A) + inv(B))", "A @ inv(A + B) @ A"), ("inv(2 * A)", "2 * inv(A)"),
    ("det(A + B)", "det(A) + det(B)"), ("det(2 * eye(N))", "det(2 * eye(K))"), ("det(inv(2 * eye(N)))", "det(inv(2 * eye(K)))"),
    ("det(eye(N) + U @ V)", "det(eye(K) - V @ U)"), ("det(2 * A)", "2 * det(A)"), ("det(U @ V)", "det(V @ U)"),
    ("det(inv(A))", "det(A)"), ("trace(inv(A) @ B)", "trace(A @ inv(B))"), ("x.T @ inv(A) @ A.T @ y", "x.T @ y"), ("trace(inv(A) @ A)", "K"),
    ("det(eye(N) + c * x @ y.T)", "1 + c * x.T @ x"), ("trace(inv(A) @ inv(A))", "trace(inv(A))^2"),
    ("A - A @ inv(A + B) @ A", "B - A @ inv(A + B) @ B"), ("inv(A) @ A", "c * eye(N)"), ("inv(c * A) @ A", "eye(N)"),
    ("det(2 * eye(N))", "det(2 * eye(K))"), ("det(eye(N) + 2 * eye(N))", "det(3 * eye(K))"), ("det(inv(2 * eye(N)))", "det(inv(2 * eye(K)))"),
    ("x.T @ inv(A) @ x + logsumexp(y - y)", "x.T @ inv(A) @ x + logsumexp(V @ x - V @ x)"),
]


def asked(left: str, right: str) -> tuple[Problem, Expr, Expr]:
    p = problem("L = sum(A) + sum(B) + sum(U) + sum(V) + sum(C) + sum(x) + sum(y) + c", SYMBOLS, f'ask = "prove"\nclaim = "{left} = {right}"')
    ask = p.parts[0].ask
    assert isinstance(ask, Prove)
    return p, *ask.claims[0]


def agree(p: Problem, left: Expr, right: Expr) -> bool:
    """At two random points of two sizes."""
    rng, found = np.random.default_rng(5), []
    for numbers in ((3, 2), (2, 4)):
        sizes = dict(zip(p.graph.dimensions, numbers, strict=True))
        oracle = Oracle(p.graph, random_point(p.graph, rng, sizes), sizes)
        found.append(close(oracle.value(left, oracle.env), oracle.value(right, oracle.env)))
    return all(found)


@pytest.mark.parametrize(("left", "right"), TRUE)
def test_true_equations_are_proved_for_all_sizes(left: str, right: str) -> None:
    p, a, b = asked(left, right)
    assert agree(p, a, b)
    if "trace(U" not in left:  # without an inverse it is not asked
        assert Inverses().equal(a, b) and Inverses().equal(b, a)
    (verdict,) = verdicts(p, (Identity((Line(Just(a)), Line(Just(b)))),))
    assert verdict.ground is Ground.PROVED and all("det(" in q or "!= 0" in q for q in verdict.conditions), verdict


@pytest.mark.parametrize(("left", "right"), FALSE)
def test_false_equations_are_not(left: str, right: str) -> None:
    p, a, b = asked(left, right)
    assert not agree(p, a, b)
    assert not Inverses().equal(a, b) and not Inverses().equal(b, a)


def test_what_an_inverse_rests_on_is_said() -> None:
    p, a, b = asked("inv(A @ B)", "inv(B) @ inv(A)")
    (verdict,) = verdicts(p, (Identity((Line(Just(a)), Line(Just(b)))),))
    assert set(verdict.conditions) == {"det(A @ B) != 0", "det(A) != 0", "det(B) != 0"}
