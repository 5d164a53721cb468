"""ask = "backward": textbook equations, entries, closed forms, shared weights, unknown losses; for every size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sympy import Expr, Symbol

import symgrad
from symgrad.check.checker import Checker
from symgrad.language.claims import Adjoint, AdjointEntry, ClosedForm
from symgrad.language.functions import Fn
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.language.vectors import names_in
from symgrad.reader.letlist import Scope, expression
from symgrad.sheet import markdown
from symgrad.sheet.compose import SOLUTION, compose
from tests.making import backward, solved
from tests.oracle import Oracle, close, random_point

V, M = '{ shape = "N" }', '{ shape = "K, N" }'
CASES: dict[str, tuple[Problem, dict[str, str]]] = {
    "least squares": (backward("r = W @ x - t\nL = 1/2*norm(r)^2", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}', "L", "W x t"),
                      {"r": "r", "W": "r_bar @ x.T", "x": "W.T @ r_bar", "t": "-r_bar"}),
    "logistic": (backward("z = W @ x\nh = sigmoid(z)\nL = norm(h - t)^2", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}', "L", "W x"),
                 {"h": "2*(h - t)", "W": "z_bar @ x.T", "x": "W.T @ z_bar"}),
    "softmax cross entropy": (backward("z = W @ x\nL = logsumexp(z) - t.T @ z", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}', "L", "W x"),
                              {"z": "softmax(z) - t", "W": "z_bar @ x.T"}),
    "quadratic form": (backward("L = x.T @ A @ x", f'A = {{ shape = "N, N" }}\nx = {V}', "L", "A x"), {"A": "x @ x.T", "x": "(A + A.T) @ x"}),
    "tied weights": (backward("h = tanh(W @ x)\ny = W.T @ h\nL = 1/2*norm(y - x)^2", f"W = {M}\nx = {V}", "L", "W x"), {"h": "W @ y_bar",
    "y": "y - x"}),
    "norm": (backward("L = norm(x)", f"x = {V}", "L", "x"), {"x": "x/L"}),
    "trace": (backward("L = trace(A @ B)", 'A = { shape = "N, K" }\nB = { shape = "K, N" }', "L", "A B"), {"A": "B.T", "B": "A.T"}),
    "frobenius": (backward("L = norm(W)^2", f"W = {M}", "L", "W"), {"W": "2*W"}),
    "weight decay": (backward("z = W @ x\nL = sum(z) + 1/2*norm(W)^2", f"W = {M}\nx = {V}", "L", "W"), {"W": "ones(K) @ x.T + W"}),
    "mean": (backward("L = mean(x)", f"x = {V}", "L", "x"), {"x": "ones(N)/N"}),
    "softmax": (backward("p = softmax(z)\nL = r.T @ p", f"z = {V}\nr = {V}", "L", "z r"), {"p": "r", "z": "p * r - (p.T @ r) * p", "r": "p"}),
    "scalar weight": (backward("y = c * x\nL = 1/2*norm(y)^2", f"c = {{}}\nx = {V}", "L", "c x"), {"c": "y.T @ x", "x": "c*y"}),
    "no path": (backward("L = norm(x)^2", f"x = {V}\nq = {M}", "L", "q"), {"q": "zeros(K, N)"}),
}


@pytest.mark.parametrize("name", CASES)
def test_textbook(name: str) -> None:
    """Proved, equal to the textbook's formula and to difference quotients, at two sets of sizes."""
    p, book = CASES[name]
    result = solved(p)
    (item,) = result.parts
    assert not item.failure and {x.ground for x in item.verdicts.values()} == {Ground.PROVED}, (item.failure, item.verdicts.values())
    assert item.derivation is not None
    found = {s.claim.node: s.claim.expr for s in item.derivation.all_steps() if isinstance(s.claim, Adjoint)}
    of = p.parts[0].ask.of  # type: ignore[union-attr]
    scope = Scope({n: item.derivation.graph.symbol(n) for n in item.derivation.graph.names}, {str(d): d for d in p.graph.dimensions})
    for seed in (1, 2):
        sizes = {d: 2 + (k + seed) % 3 for k, d in enumerate(p.graph.dimensions)}
        o = Oracle(p.graph, random_point(p.graph, np.random.default_rng(seed), sizes), sizes)
        o.seed = of
        for node, expr in found.items():
            assert close(o.value(expr), o.slope(of, node)), (node, expr)
        for node, text in book.items():
            assert close(o.value(expression(text, scope)), o.value(found[node])), (node, text, found[node])


def claims(p: Problem, kind: Callable[..., object]) -> list[object]:
    result = solved(p)
    assert not result.parts[0].failure, result.parts[0].failure
    return [c.claim for c in result.certificate.entries if isinstance(c.claim, kind)]  # type: ignore[arg-type]


def test_entries_and_closed_forms() -> None:
    p = backward("z = W @ x\nh = tanh(z)\nL = 1/2*norm(h - t)^2", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}', "L", "x",
                 'components = ["x", "W"]\nclosed_form = ["x", "W"]')
    entries = claims(p, AdjointEntry)
    assert [(c.node, len(c.indices)) for c in entries] == [("x", 1), ("W", 2)]  # type: ignore[attr-defined]
    for c in claims(p, ClosedForm):
        assert not any(n.endswith("_bar") for n in names_in(c.expr))  # type: ignore[attr-defined]


def test_entries_where_a_dimension_is_1() -> None:
    """A row has one index and a number has none; each equation is checked, printed, and refused with another index or factor."""
    p = backward("z = W @ x + b\ny = V @ u + tanh(z)\nL = 1/2*norm(y - t)^2 + c*u.T @ u",
                 'W = "1, 1"\nx = "1"\nb = "1"\nV = "1, K"\nu = "K"\nt = "1"\nc = ""', "L", "W x V u c", 'components = ["W", "x", "V", "u", "c"]')
    entries = {c.node: c for c in claims(p, AdjointEntry)}  # type: ignore[attr-defined]
    assert {n: len(c.indices) for n, c in entries.items()} == {"W": 0, "x": 0, "V": 1, "u": 1, "c": 0}  # type: ignore[attr-defined]
    text = markdown.render(compose(p, solved(p).parts, SOLUTION))
    assert r"\bar{V} _{1 i}& = \bar{y} u _{i}" in text and r"\bar{x}& = W \bar{z}" in text
    checker = Checker(p)
    for c in solved(p).certificate.entries:
        assert checker.check(c.claim).ground is Ground.PROVED
    row = entries["V"]
    assert isinstance(row, AdjointEntry)
    for forged in (replace(row, expr=2 * row.expr), replace(row, indices=()), replace(row, indices=(*row.indices, Symbol("q", integer=True)))):
        assert checker.check(forged).ground is Ground.REFUTED


def test_the_lasso_is_proved_for_every_size() -> None:
    """The slope of |w| is sign(w) away from 0; compared as such, so that the sum with a product of matrices is decided by few sizes."""
    p = backward("r = y - X @ w\nL = 1/N*norm(r)^2 + a*sum(abs(w)) + b/2*norm(w)^2", 'X = "N, D"\nw = "D"\ny = "N"\na = ""\nb = ""', "L", "w X a b")
    assert all(c.verdict.ground is Ground.PROVED for c in solved(p).certificate.entries)
    (w,) = [c for c in claims(p, Adjoint) if c.node == "w"]  # type: ignore[attr-defined]
    assert isinstance(w, Adjoint)
    wrong = w.expr.xreplace({Fn("sign", (0,)): Fn("step", (0,))})
    checker = Checker(p)
    for c in solved(p).certificate.entries:
        checker.check(c.claim)
    assert wrong != w.expr and checker.check(replace(w, expr=wrong)).ground is Ground.REFUTED


def test_another_slope_of_abs_at_0_than_that_of_sign_is_refused() -> None:
    for value, failed in (("0", False), ("1/2", True)):
        p = backward("L = sum(abs(w))", 'w = "D"', "L", "w", extra=f'[conventions]\nabs_at_zero = "{value}"')
        assert ("is written as sign(z)" in solved(p).parts[0].failure) is failed


def test_closed_forms_of_all() -> None:
    model, symbols = "z = W @ x\nh = tanh(z)\nL = 1/2*norm(h - t)^2", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}'
    closed = [[c.node for c in claims(backward(model, symbols, "L", "x W", f"closed_form = {c}"), ClosedForm)]  # type: ignore[attr-defined]
              for c in ("true", '["x", "W"]', "false")]
    assert closed[0] == closed[1] == ["x", "W"] and closed[2] == []


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "exp"])
def test_slopes_written_out(name: str) -> None:
    """derivatives = "expanded": no sigma' is left where the table has a formula for it."""
    p = backward(f"z = W @ x\nh = {name}(z)\nL = r.T @ h", f'W = {M}\nx = {V}\nr = {{ shape = "K" }}', "L", "x", 'derivatives = "expanded"')
    for c in claims(p, Adjoint):
        expr: Expr = c.expr  # type: ignore[attr-defined]
        assert not any(fn.orders != (0,) for fn in expr.atoms() if type(fn).__name__ == "Fn")


def test_unknown_functions_of_vectors() -> None:
    p = backward("z = W @ x\nh = g(z)\nL = loss(h, t)", f'W = {M}\nx = {V}\nt = {{ shape = "K" }}', "L", "W x t", "",
                 "[functions]\nloss = { arguments = 2, returns = 'scalar' }")
    result = solved(p)
    assert not result.parts[0].failure and {x.ground for x in result.parts[0].verdicts.values()} == {Ground.PROVED}


def test_what_is_said_of_kinks_and_sizes() -> None:
    relu = solved(backward("z = W @ x\nL = sum(relu(z))", f"W = {M}\nx = {V}", "L", "x"))
    smooth = solved(backward("z = W @ x\nL = sum(tanh(z))", f"W = {M}\nx = {V}", "L", "x"))
    numbers = solved(backward("z = W @ x\nL = sum(z)", 'W = { shape = "2, 3" }\nx = { shape = "3" }', "L", "x"))
    assert "for all N, K, away from kinks" in {x.domain for x in relu.parts[0].verdicts.values()} | {
        x.domain.replace("K, N", "N, K") for x in relu.parts[0].verdicts.values()}
    assert all("kink" not in x.domain for x in smooth.parts[0].verdicts.values())
    assert {x.domain for x in numbers.parts[0].verdicts.values()} == {"for all values"}


def test_inverses_are_tested_at_most_where_they_are_written_out() -> None:
    result = solved(backward("B = inv(A)\nL = trace(B)", 'A = { shape = "N, N" }', "L", "A"))
    grounds = {x.ground for x in result.parts[0].verdicts.values()}
    assert grounds <= {Ground.PROVED, Ground.TESTED} and not result.parts[0].failure


def test_an_entry_of_a_unit_vector_has_one_index_at_a_time() -> None:
    """(x_bar)_i of norm(W x)^2 + x_1^2 has (e_1)_i in it: two subscripts side by side are no TeX."""
    s = symgrad.parse("L = norm(W @ x)^2 + x[1]^2", shapes={"W": "K, N", "x": "N"}).backward("L", ["x"], components=["x"])
    assert s.proved and not s.failures
    assert r"\left(\mathbf{e}_{1}\right)}_{i}" in s.latex().replace(" ", "") and "<math" in s.html()
