"""Index sums: every entry of the index form is the entry of the matrix form, at explicit sizes."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Add, Expr, Integer, Mul, Number, Pow

from symgrad.language import vectors as v
from symgrad.rules.indexform import IndexForm
from tests.equivalents import NUMPY, Case, agree, draw, run, value

MODEL = """z = W1 @ x + b1
h = tanh(z)
y = W2 @ (2*h - 1) + b2
g = W2 @ diag(s) @ (W1 @ x)
f = diag(s) @ W1 @ x
c = W2 @ diag(s) @ diag(b1) @ W1 @ x
n = W2 @ (W1 @ (x - mu) + W1 @ x) / 2
r = x + W3 @ W3 @ x
t = w.T @ h + sum(h) + w.T @ (W1 @ x)
u = W1.T @ unit(3, 2)"""
CASE = Case({"x": "D", "W1": "3, D", "b1": "3", "W2": "K, 3", "b2": "K", "W3": "D, D", "s": "3", "mu": "D", "w": "3"},
            MODEL, "y = V @ x", {"V": "K, D"})
GRAPH = CASE.problem().graph


def entry(e: Expr, env: dict[str, object], at: dict[Expr, int]) -> object:
    """The value of an index form: its sums carried out one index value after the other."""
    match e:
        case Number():
            return float(e)
        case v.IndexSum(args=(body, index, size)):
            last = int(size) if size.is_Integer else int(str(env[str(size)]))
            return sum(entry(body, env, at | {index: k}) for k in range(1, last + 1))  # type: ignore[misc]
        case v.Entry(args=(matrix, i, j)):
            return value(matrix, env)[at.get(i, i) - 1, at.get(j, j) - 1]
        case Add():
            return sum(entry(a, env, at) for a in e.args)  # type: ignore[misc]
        case Mul():
            return np.prod([entry(a, env, at) for a in e.args])  # type: ignore[arg-type]
        case Pow():
            return entry(e.args[0], env, at) ** entry(e.args[1], env, at)  # type: ignore[operator]
        case v.Call():
            return NUMPY[e.fn.name](*(entry(a, env, at) for a in e.arguments))
    return env[e.name]


@pytest.mark.parametrize("name", [n.name for n in GRAPH.nodes])
def test_every_entry(name: str) -> None:
    form, node = IndexForm(GRAPH), GRAPH.node(name)
    free = form.free(node.shape)
    found = form.of(node.expr, free)
    rng = np.random.default_rng(8)
    _, env = draw(CASE, rng)
    text = MODEL.replace("diag(s)", "(eye(3) * s)").replace("diag(b1)", "(eye(3) * b1)").replace("unit(3, 2)", "eye(3)[:, [1]]")
    env |= {"diag": None} | run(text, env)
    whole = np.atleast_2d(env[name])
    for k in range(whole.shape[0]):
        assert agree(entry(found, env, dict(zip(free, (k + 1,), strict=False))), whole[k, 0]), (name, found)


@pytest.mark.parametrize(("name", "text"), [
    ("z", "Entry(b1, k, 1) + IndexSum(Entry(W1, k, i)*Entry(x, i, 1), i, D)"),
    ("r", "Entry(x, i, 1) + IndexSum(IndexSum(Entry(W3, i, j)*Entry(W3, j, k)*Entry(x, k, 1), k, D), j, D)"),
    ("u", "Entry(W1, 2, i)"),
    ("c", "IndexSum(IndexSum(Entry(W1, k, i)*Entry(W2, j, k)*Entry(b1, k, 1)*Entry(s, k, 1)*Entry(x, i, 1), i, D), k, 3)"),
])
def test_each_dimension_has_its_letter(name: str, text: str) -> None:
    form, node = IndexForm(GRAPH), GRAPH.node(name)
    assert str(form.of(node.expr, form.free(node.shape))) == text


def test_two_indices_of_one_dimension() -> None:
    form = IndexForm(GRAPH)
    i, j = form.free((v.dimension("D"), v.dimension("D")))
    assert (str(i), str(j)) == ("i", "j") and form.free((Integer(1), v.dimension("K"))) == (v.dimension("j"),)
    assert form.of(GRAPH.symbol("W3"), (i, j)) == v.Entry(GRAPH.symbol("W3"), i, j)
