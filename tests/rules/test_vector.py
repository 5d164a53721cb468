"""Every vector rule: a small instance that is checked, right at two sizes by finite differences, and refused when bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symgrad
from symgrad.check.checker import Checker
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Line
from symgrad.language.forms import Just
from symgrad.language.steps import Ground
from symgrad.numeric import compile_graph
from symgrad.questions import derive
from symgrad.reader.read import read_text
from symgrad.rules.registry import rule
from symgrad.rules.vector import pull
from tests.rules.operation_cases import CASES as OPERATIONS
from tests.rules.operation_cases import SECOND

SHAPES = {"x": "N", "u": "N", "W": "K, N", "A": "N, N", "c": "", "x6": "6", "u4": "3"}

Evaluator = Callable[..., Any]
CASES: dict[str, tuple[str, str, Evaluator, Ground]] = {
    "constant has no adjoint": ("sum(x + ones(N))", "x", lambda x, **_: np.sum(x + 1), Ground.PROVED),
    "leaf": ("sum(x)", "x", lambda x, **_: np.sum(x), Ground.PROVED),
    "sum": ("norm(x + u)^2", "u", lambda x, u, **_: np.sum((x + u) ** 2), Ground.PROVED),
    "scalar product": ("c*c*sum(x)", "c", lambda c, x, **_: c * c * np.sum(x), Ground.PROVED),
    "power": ("(sum(x))^3", "x", lambda x, **_: np.sum(x) ** 3, Ground.PROVED),
    "matrix product": ("sum(W @ x)", "W", lambda W, x, **_: np.sum(W @ x), Ground.PROVED),
    "Hadamard product": ("sum(x * u * x)", "x", lambda x, u, **_: np.sum(x * u * x), Ground.PROVED),
    "entrywise power": ("sum(x^4)", "x", lambda x, **_: np.sum(x**4), Ground.PROVED),
    "transpose": ("x.T @ A.T @ u", "A", lambda x, u, A, **_: x @ A.T @ u, Ground.PROVED),
    "entrywise function": ("sum(tanh(W @ x))", "W", lambda W, x, **_: np.sum(np.tanh(W @ x)), Ground.PROVED),
    "function of a scalar": ("exp(x.T @ u)", "u", lambda x, u, **_: np.exp(x @ u), Ground.PROVED),
    "scalar from a (1, 1) matrix": ("x.T @ u", "x", lambda x, u, **_: x @ u, Ground.PROVED),
    "norm": ("norm(x)", "x", lambda x, **_: np.linalg.norm(x), Ground.PROVED),
    "sum of entries": ("sum(A)", "A", lambda A, **_: np.sum(A), Ground.PROVED),
    "trace": ("trace(A @ A)", "A", lambda A, **_: np.trace(A @ A), Ground.PROVED),
    "determinant": ("det(A)", "A", lambda A, **_: np.linalg.det(A), Ground.PROVED),
    "inverse": ("x.T @ inv(A) @ u", "A", lambda x, u, A, **_: x @ np.linalg.inv(A) @ u, Ground.PROVED),
    "softmax": ("u.T @ softmax(x)", "x", lambda x, u, **_: u @ (np.exp(x) / np.sum(np.exp(x))), Ground.PROVED),
    "log-sum-exp": ("logsumexp(x)", "x", lambda x, **_: np.log(np.sum(np.exp(x))), Ground.PROVED),
    "diagonal matrix": ("u.T @ diag(x) @ u", "x", lambda x, u, **_: u @ np.diag(x) @ u, Ground.PROVED),
    **OPERATIONS,
}

def problem(text: str, wrt: str, head: str = "") -> Any:
    symbols = "\n".join(f'{n} = {{ shape = "{s}" }}' for n, s in SHAPES.items())
    return read_text(f'format = 1\nid = "r"\ntitle = "R"\n[symbols]\n{symbols}\n{head}[model]\nlet = "L = {text}"\n'
                     f'[[part]]\nlabel = "a"\nask = "backward"\nof = "L"\nwrt = ["{wrt}"]\n', "r.toml")[0]


def test_every_rule_is_tested() -> None:
    rules = {rule.rule_name for rule in pull.registry.values() if hasattr(rule, "rule_name")}
    assert rules == set(CASES) | SECOND | {"unknown scalar function", "gradient of an unknown function"}  # test_tangents.py


@pytest.mark.parametrize("name", CASES)
def test_a_rule(name: str) -> None:
    text, wrt, evaluate, ground = CASES[name]
    asked = problem(text, wrt)
    derivation = derive(asked, asked.parts[0])
    claims = [s.claim for s in derivation.all_steps()]
    checker = Checker(asked)
    assert [checker.check(c).ground for c in claims][-1] is ground
    adjoint = claims[-1]
    assert isinstance(adjoint, Adjoint) and adjoint.node == wrt
    random = np.random.default_rng(len(name))
    for n, k in ((3, 2), (2, 4)):
        sizes = {"N": n, "K": k}
        shapes = {s: tuple(int(d) if d.isdigit() else sizes[d] for d in shape.split(", ") if d) for s, shape in SHAPES.items()}
        values: dict[str, Any] = {s: random.normal(size=shape) if shape else float(random.normal()) for s, shape in shapes.items()}
        values["A"] = np.eye(n) + 0.3 * values["A"]
        compiled = compile_graph(derivation.graph, (f"{wrt}_bar",))
        found = np.asarray(compiled({i: {**values, **sizes}[i] for i in compiled.inputs})[f"{wrt}_bar"])
        for index in np.ndindex(np.shape(values[wrt])):
            ends = []
            for step in (1e-6, -1e-6):
                moved = np.array(values[wrt], float)
                moved[index] += step
                ends.append(evaluate(**{**values, wrt: moved if moved.shape else float(moved)}))
            assert found[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-6)
    for bent in (v.scale(v.Integer(2), adjoint.expr), v.negate(adjoint.expr)):
        forged = replace(adjoint, expr=bent, lines=(adjoint.lines[0], Line(Just(bent))))
        again = Checker(asked)
        assert [again.check(c).ground for c in (*claims[:-1], forged)][-1] in (Ground.REFUTED, Ground.UNDECIDED)


def test_an_unknown_loss_keeps_its_gradient() -> None:
    asked = problem("loss(x, u)", "x", '[functions]\nloss = { arguments = 2, returns = "scalar" }\n')
    derivation = derive(asked, asked.parts[0])
    checker = Checker(asked)
    assert {checker.check(s.claim).ground for s in derivation.all_steps()} == {Ground.PROVED}
    assert isinstance(derivation.steps[-1].claim, Adjoint) and isinstance(derivation.steps[-1].claim.expr, v.UnknownGradient)


def test_a_rule_has_a_source_and_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="is taken"):
        rule("trace", "somebody")(lambda: None)
    with pytest.raises(ValueError, match="has no source"):
        rule("no source", " ")(lambda: None)


@pytest.mark.parametrize(("let", "gradient"), [
    ("L = (x.T @ A.T @ A @ x)", "2 * A.T @ A @ x"), ("L = trace(B @ B @ B)", "3 * B.T @ B.T"), ("L = sum(B * B.T)", "2 * B.T"),
    ("L = sum(A * A * A)", "3 * (A * A)"), ("L = norm(x)^2 * (x.T @ x)", "2 * (x.T @ x) * x + 2 * norm(x)^2 * x"),
])
def test_a_matrix_that_comes_twice_is_written_once(let: str, gradient: str) -> None:
    model = symgrad.parse(let, {"x": "N", "A": "M, N", "B": "N, N"})
    name = "x" if "x" in let else "B" if "B" in let else "A"
    solution = model.backward("L", name)
    assert solution.proved and str(solution.answers[f"{name}_bar"]) == gradient
    assert not model.check_gradient("L", {name: f"2 * ({gradient})"})
