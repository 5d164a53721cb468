"""Adjoints compared in matrix notation: honest ones are shown, bent ones never, by the checker and by floats."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr, MatAdd, MatMul, Rational, Transpose

from symgrad.check import duals
from symgrad.check.meaning import Meaning
from symgrad.language import forms as F
from symgrad.language.claims import Adjoint
from symgrad.language.steps import Ground
from symgrad.language.vectors import scale, shape_of, variable
from tests.making import backward, claims, verdicts
from tests.oracle import Oracle, close, random_point

TASKS = {
    "Rayleigh quotient of a subspace": ("X N D, S N N, B N N", "L = trace(inv(X.T @ S @ X) @ (X.T @ B @ X))", "X"),
    "hat matrix": ("X M N, y M, l", "H = X @ inv(X.T @ X + l * eye(N)) @ X.T\nL = norm(y - H @ y)^2", "X"),
    "Kalman gain": ("P N N, H M N, R M M, z M", "K = P @ H.T @ inv(H @ P @ H.T + R)\nL = norm(K @ z)^2", "P"),
    "Stein loss": ("S N N, T N N", "L = trace(S @ inv(T)) - logdet(S @ inv(T))", "T"),
    "two inverses": ("A N N, B N N, X N N", "L = trace(A @ inv(X) @ B @ inv(X))", "X"),
    "fourth power": ("A N N, X N N", "L = trace(A @ X @ X @ X @ X)", "X"),
    "attention in one definition": ("X M N, Q1 N K, K1 N K, V1 N J, Y M J", "L = sum(Y * (softmax(X @ Q1 @ K1.T @ X.T, 1) @ X @ V1))", "X"),
    "its queries": ("X M N, Q1 N K, K1 N K, V1 N J, Y M J", "L = sum(Y * (softmax(X @ Q1 @ K1.T @ X.T, 1) @ X @ V1))", "Q1"),
    "two heads side by side": ("X M N, Q1 N K, K1 N K, Q2 N K, K2 N K, V1 N J, V2 N J, Y M 2*J",
                               "C = hstack(softmax(X @ Q1 @ K1.T @ X.T, 1) @ X @ V1, softmax(X @ Q2 @ K2.T @ X.T, 1) @ X @ V2)\nL = sum(Y * C)", "X"),
    "softmax of a softmax": ("W K N, x N, V J K, y J", "L = y.T @ softmax(V @ softmax(W @ x))", "x"),
}


def made(name: str):  # type: ignore[no-untyped-def]
    symbols, let, wrt = TASKS[name]
    table = "\n".join(f'{s.split()[0]} = {{ shape = "{", ".join(s.split()[1:])}" }}' for s in symbols.split(", "))
    return backward(let, table, "L", wrt)


def bent(e: Expr) -> list[Expr]:
    """The expression changed in one place."""
    found = [scale(Rational(2), e)]
    if isinstance(e, MatAdd):
        found += [MatAdd(*e.args[1:]), MatAdd(scale(Rational(-1), e.args[0]), *e.args[1:])]
    if isinstance(e, MatMul) and shape_of(e)[0] == shape_of(e)[1]:
        found.append(Transpose(e))
    return found


@pytest.mark.parametrize("name", TASKS)
def test_honest_adjoints_are_proved_for_all_sizes_and_bent_ones_are_not_shown(name: str) -> None:
    p = made(name)
    found = claims(p)
    assert {verdict.ground for verdict in verdicts(p, found)} == {Ground.PROVED}
    rng = np.random.default_rng(4)
    sizes = {d: max(2, 4 - i) for i, d in enumerate(p.graph.dimensions)}
    point = random_point(p.graph, rng, sizes)
    for item in p.graph.variables:  # square matrices with a positive determinant
        rows, columns = (sizes.get(d, 1) for d in item.shape)
        if rows == columns > 1:
            point[item.name] = point[item.name] + 4 * np.eye(rows)
    oracle = Oracle(p.graph, point, sizes)
    looked_at = 0
    for c in found:
        if not isinstance(c, Adjoint) or not isinstance(c.lines[0].form, F.Pullback):
            continue
        meaning, numbers = Meaning(p.graph), {variable("L_bar", (1, 1)): Rational(1)}
        (shown,) = (duals.alike(meaning, c.lines[0].form, F.Just(c.expr), numbers),)
        if shown is None:
            continue
        looked_at += 1
        assert close(oracle.form(F.Just(c.expr), c.of), oracle.slope(c.of, c.node))
        for wrong in bent(c.expr):
            false = not close(oracle.form(F.Just(wrong), c.of), oracle.slope(c.of, c.node))
            assert not false or duals.alike(meaning, c.lines[0].form, F.Just(wrong), numbers) is None
    assert looked_at or name == "softmax of a softmax"
