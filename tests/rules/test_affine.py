"""Affine forms: coefficient and constant against the expression itself, by random numbers."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from sympy import Expr, Identity, Integer, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.rules.affine import Linear, Term, by, collected, distributed, gathered, split, substituted, transposed, unwrapped
from tests.equivalents import MLP, Case, agree, draw, run, value

SYMBOLS = {**MLP, "U": "K, M", "s": "M", "w": "M", "t": "", "X2": "D"}
MODEL = """z = W1 @ x + b1
h = tanh(z)
a1 = W2 @ (h - b1) + b2
a2 = U @ h + W2 @ h - 2*b2 + 3
a3 = W2 @ (s * (z - b1) / 2)
a4 = t * (W2 @ z)
a5 = sum(h) * b2 + w.T @ h * b2
a6 = w.T @ h + sum(h - 1) - t
a7 = h.T @ w + t
a8 = mean(h) * b2
a9 = ((h - b1).T @ W2.T).T
a10 = h[1] + t"""
NAMES = [f"a{k}" for k in range(1, 10)]
CASE = Case({n: s for n, s in SYMBOLS.items() if n != "X2"}, MODEL, "y = V @ x + v", {"V": "K, D", "v": "K"}, of="a1")
GRAPH = CASE.problem().graph


def whole(terms: tuple[Expr, ...]) -> Expr:
    return reduce(v.add, terms)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["distributed", "collected", "inlined"])
def test_the_form_is_the_expression(name: str, form: str) -> None:
    linear = Linear(GRAPH)
    node = GRAPH.node(name)
    affine = linear.of(node.symbol)
    assert affine.terms and all(t.atom in (GRAPH.symbol("h"), GRAPH.symbol("x")) for t in affine.terms)
    together = collected(affine, node.shape)
    assert len({t.atom for t in together.terms}) == len(together.terms)
    shown = {"distributed": distributed(affine), "collected": (*(t.value for t in together.terms), *together.constants),
             "inlined": (linear.inlined(node.symbol),)}[form]
    rng = np.random.default_rng(len(name) + len(form))
    for _ in range(3):
        _, env = draw(CASE, rng)
        env |= {n: x for n, x in run(MODEL, env).items() if n != name}
        assert agree(value(whole(tuple(x for x in shown if not isinstance(x, ZeroMatrix))), env), run(MODEL, env)[name])


def test_what_is_not_affine_is_an_atom() -> None:
    linear = Linear(GRAPH)
    h, z = GRAPH.symbol("h"), GRAPH.symbol("z")
    assert linear.of(h).terms == (Term(Integer(1), h),) and linear.nonlinear(h) and not linear.nonlinear(z)
    square = v.times(h, h)
    assert linear.of(square).terms == (Term(Integer(1), square),)
    kept = Linear(GRAPH, frozenset({"z"}))
    assert kept.of(GRAPH.symbol("a4")).terms[0].atom == z


def test_numbers_are_multiplied_together() -> None:
    W, z, s = GRAPH.symbol("W2"), GRAPH.symbol("z"), GRAPH.symbol("s")
    two, half = Integer(2), Integer(1) / 2
    assert by(two, by(half, z)) == z and split(by(Integer(-3), by(two, W))) == (-6, W)
    assert by(v.Diag(s), z) == v.times(s, z) and str(by(v.matmul(W, v.Diag(s)), by(two, z))) == str(by(two, v.matmul(W, v.times(s, z))))
    assert isinstance(by(W, ZeroMatrix(*z.shape)), ZeroMatrix)
    assert gathered([z, v.negate(z)], z.shape) == ZeroMatrix(*z.shape) and gathered([z, z], z.shape) == by(two, z)
    assert gathered([Integer(2), v.matmul(W, v.transpose(W))], (W.shape[0], W.shape[0])).args[0] == by(two, Identity(W.shape[0]))
    assert transposed(v.add(v.matmul(W, z), GRAPH.symbol("b2"))).args[0] == v.matmul(v.transpose(z), v.transpose(W))
    ones = v.matmul(v.transpose(GRAPH.symbol("w")), z)
    assert unwrapped(by(two, ones)) == by(two, v.as_scalar(ones))


def test_substitution_reaches_into_functions() -> None:
    z, b, h = GRAPH.symbol("z"), GRAPH.symbol("b1"), GRAPH.symbol("h")
    found = substituted(v.add(h, by(Integer(2), z)), {z: by(Integer(1) / 2, b), h: b})
    assert found == v.add(b, b)
    tanh = GRAPH.node("h").expr
    assert substituted(by(Integer(3), tanh), {tanh: b}) == by(Integer(3), b)
