"""Expressions written out entry by entry, against NumPy; and the count of index slots of each operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Integer, MatrixSymbol, Rational, Symbol

from symgrad.check.evaluation import enclose
from symgrad.check.explicit import Explicit, enough, slots
from symgrad.language import vectors as v
from symgrad.language.entries import Indices, entry, index
from symgrad.language.errors import Unsupported
from symgrad.language.functions import dimension, scalar, unknown
from symgrad.reader.letlist import Scope, expression

N, K = dimension("N"), dimension("K")
SIZES = {N: 3, K: 2}
SHAPES = {"x": (N, 1), "y": (N, 1), "k": (K, 1), "W": (K, N), "V": (N, K), "A": (N, N), "B": (N, N)}
SYMBOLS = {n: MatrixSymbol(n, *s) for n, s in SHAPES.items()} | {"c": scalar("c")}


def read(text: str) -> Expr:
    return expression(text, Scope(SYMBOLS, {"N": N, "K": K}, {"loss": unknown("loss", 2, True)}))


def grids() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    found = {n: rng.integers(1, 9, [SIZES.get(d, d) for d in s]) / 4 for n, s in SHAPES.items()}
    for n in "AB":
        found[n] = found[n] + 3 * np.eye(3)
    return {**found, "c": np.array([[1.75]])}


def sigma(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


CASES: dict[str, Callable[..., Any]] = {
    "W @ x": lambda W, x, **_: W @ x, "x + y": lambda x, y, **_: x + y, "x * y": lambda x, y, **_: x * y,
    "2*x - y/3": lambda x, y, **_: 2 * x - y / 3,
    "W.T": lambda W, **_: W.T, "x @ x.T": lambda x, **_: x @ x.T, "x.T @ y": lambda x, y, **_: x.T @ y, "x + 1": lambda x, **_: x + 1,
    "c * W": lambda c, W, **_: c * W, "x^2": lambda x, **_: x**2, "x^(-1)": lambda x, **_: 1 / x, "sqrt(x)": lambda x, **_: np.sqrt(x),
    "sigmoid(W @ x)": lambda W, x, **_: sigma(W @ x),
    "tanh(x)*y": lambda x, y, **_: np.tanh(x) * y, "relu(x - y)": lambda x, y, **_: np.maximum(x - y, 0),
    "max(x, y)": lambda x, y, **_: np.maximum(x, y), "max(x, c)": lambda x, c, **_: np.maximum(x, c),
    "softmax(x)": lambda x, **_: np.exp(x) / np.exp(x).sum(),
    "logsumexp(x)": lambda x, **_: np.log(np.exp(x).sum()), "norm(x)": lambda x, **_: np.sqrt((x**2).sum()), "norm(W)^2": lambda W, **_: (W**2).sum(),
    "sum(W)": lambda W, **_: W.sum(), "mean(W)": lambda W, **_: W.mean(), "trace(A @ B)": lambda A, B, **_: np.trace(A @ B),
    "dot(x, y)": lambda x, y, **_: x.T @ y,
    "outer(k, x)": lambda k, x, **_: k @ x.T, "diag(x) @ y": lambda x, y, **_: x * y, "inv(A)": lambda A, **_: np.linalg.inv(A),
    "det(A)": lambda A, **_: np.linalg.det(A), "logdet(A)": lambda A, **_: np.log(np.linalg.det(A)), "eye(N) @ x": lambda x, **_: x,
    "ones(N) + x": lambda x, **_: x + 1, "zeros(N, K) + V": lambda V, **_: V, "A^2": lambda A, **_: A**2,
    "W[2, 3] * x[1]": lambda W, x, **_: W[1, 2] * x[0],
    "(W @ x)[2]": lambda W, x, **_: (W @ x)[1], "N * x": lambda x, **_: 3 * x, "sum(x)/N": lambda x, **_: x.mean(),
    "(A @ B).T": lambda A, B, **_: (A @ B).T,
    "x.T @ A @ y * k": lambda x, A, y, k, **_: (x.T @ A @ y) * k, "W @ A @ V": lambda W, A, V, **_: W @ A @ V,
    "exp(x.T @ y)": lambda x, y, **_: np.exp(x.T @ y),
}


def leaf_values() -> dict[Expr, Any]:
    found: dict[Expr, Any] = {scalar("c"): Rational(7, 4)}
    for n, grid in grids().items():
        if n != "c":
            for (i, j), g in np.ndenumerate(grid):
                found[v.Entry(SYMBOLS[n], Integer(i + 1), Integer(j + 1))] = Rational(g)
    return found


@pytest.mark.parametrize("text", CASES)
def test_entries_against_numpy(text: str) -> None:
    rows = Explicit(dict(SIZES)).rows(read(text))
    wanted = np.atleast_2d(CASES[text](**grids()))
    values = leaf_values()
    found = np.array([[float(enclose(e, values).mid.a) for e in row] for row in rows])
    assert found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("text", [t for t in CASES if "inv" not in t and "det" not in t])
def test_component_forms_against_the_entries(text: str) -> None:
    """(A B)_ij = sum_k A_ik B_kj and so on: the index form, at every index, is the entry."""
    e = read(text)
    i, j = index("i9"), index("j9")
    form = entry(e, i, j if v.shape_of(e)[1] != 1 else Integer(1), Indices(frozenset(SYMBOLS) | {"N", "K"}))
    ex, values = Explicit(dict(SIZES)), leaf_values()
    for a, row in enumerate(ex.rows(e), 1):
        for b, wanted in enumerate(row, 1):
            found = ex.scalar(form.xreplace({i: Integer(a), j: Integer(b)}))
            assert abs(float(enclose(found, values).mid.a) - float(enclose(wanted, values).mid.a)) < 1e-12


@pytest.mark.parametrize(("text", "summed", "constant"), [
    ("x", {}, {}), ("W @ x", {N: 1}, {}), ("W @ A @ x", {N: 2}, {}), ("x.T @ A @ x", {N: 2}, {}), ("(x.T @ x)^3", {N: 3}, {}), ("norm(x)^4",
    {N: 2}, {}),
    ("norm(W @ x)^2", {N: 2, K: 1}, {}), ("trace(A @ B)", {N: 2}, {}), ("x*(W.T @ k)", {K: 1}, {}), ("W @ x + k", {N: 1}, {}), ("sum(W)",
    {N: 1, K: 1}, {}),
    ("sigmoid(W @ x)", {N: 1}, {}), ("sigmoid(W @ x) * sigmoid(W @ y)", {N: 2}, {}), ("N", {}, {N: 1}), ("N*K", {}, {N: 1, K: 1}), ("N^3",
    {}, {N: 3}),
    ("sum(ones(N))", {N: 1}, {N: 1}), ("trace(eye(N))", {N: 1}, {N: 1}), ("norm(x)", {N: 1}, {}), ("softmax(x)", {N: 1}, {}), ("logsumexp(W @ x)",
    {N: 2, K: 1}, {}),
])
def test_slots(text: str, summed: dict[Expr, int], constant: dict[Expr, int]) -> None:
    found = slots(read(text))
    assert (found.summed, found.constant + found.named) == (Counter(summed), Counter(constant))


def test_numbers_take_no_slots() -> None:
    """A dimension that is a number is written out as it is."""
    a, b = MatrixSymbol("a", 7, 4), MatrixSymbol("b", 4, 1)
    e = v.matmul(a, b)
    assert slots(e).summed == Counter() and enough((), e.shape, (slots(e),)) == ([{}], True)
    assert len(Explicit({}).rows(e)) == 7


def test_what_it_cannot_write_out_it_says() -> None:
    with pytest.raises(Unsupported, match="entry \\(5, 1\\) of x, which is smaller here"):
        Explicit(dict(SIZES)).scalar(v.Entry(SYMBOLS["x"], Integer(5)))
    with pytest.raises(Unsupported, match="the checker cannot"):
        Explicit(dict(SIZES)).scalar(Symbol("p") > 2)
    with pytest.raises(Unsupported):
        slots(Symbol("p") > 2)


def test_unknown_functions_of_vectors() -> None:
    """loss(x, y) is one function of all entries, and its gradient its partial derivatives."""
    ex = Explicit(dict(SIZES))
    loss = read("loss(x, y)")
    gradient = v.UnknownGradient(loss.fn, Integer(1), *loss.arguments)
    value, rows = ex.scalar(loss), ex.rows(gradient)
    assert len(value.arguments) == 6 and len(rows) == 3
    assert [row[0].fn.orders for row in rows] == [(0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1)]
    second = ex.rows(v.UnknownHessian(loss.fn, Integer(0), Integer(1), *loss.arguments))
    assert [x.fn.orders for x in second[0]] == [(1, 0, 0, 1, 0, 0), (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, 1)]
