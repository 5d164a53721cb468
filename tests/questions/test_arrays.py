"""Numbers in graphs with vectors: forward and backward tables against NumPy and finite differences; wrong entries are refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sympy import Integer, Rational

import symgrad
from symgrad.api import Model
from symgrad.api.solution import Solution
from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language.claims import Adjoint, ArrayValue, Line
from symgrad.language.errors import SpecErrors, Unsupported
from symgrad.language.steps import Ground
from symgrad.pipeline import solve, summary
from symgrad.reader.read import read_text

NUMBERS = " (numbers)"
POINT: dict[str, Any] = {"x": [1, "1/2"], "W": [[1, -1], ["0.5", 0], ["1/3", 2]], "b": [0, "0.1", "-0.1"], "t": [0, 1, 0], "a": "1/4"}
SHAPES = {"x": {"shape": "N", "role": "input"}, "W": "K, N", "b": "K", "t": {"shape": "K", "role": "given"}, "a": {"shape": "", "role": "given"}}
LETS = [  # each after the names of its variables
    "x W b t: z = W @ x + b\nh = sigmoid(z)\nL = 1/2 * norm(h - t)^2",
    "x W b t a: z = W @ x + b\nh = relu(z)\ny = t.T @ h\nL = (y - a)^2 + a * sum(W * W)",
    "x W b t: z = W @ x + b\np = softmax(z)\nL = -t.T @ log(p)",
    "x W b: z = W @ x + b\nh = tanh(z)\nL = 1/K * sum(abs(h)) + logsumexp(h) + max(z) + 1/N * sum(x^2)",
    "x W b t: z = W @ x + b\nS = z @ z.T + eye(K)\nL = logdet(S) + trace(inv(S)) + sum(max(z, t)) + leaky_relu(z[1])",
    "x W b: G = W.T @ W\nL = sqrt(trace(G)) + x[1]^3 + norm(W @ x + b)",
    "x W b: z = W @ x + b\nh = gelu(z) + softplus(z) + sin(z) + exp(-z)\nL = sum(log(h)) + sum(conv(b, x))",
]


def rows_of(f: Any) -> np.ndarray:
    """The printed numbers as floats."""
    rows = f.rows if isinstance(f, F.Array) else ((f,),)
    return np.array([[float(x.expr if isinstance(x, F.Just) else x.value) for x in row] for row in rows])


def shown(solution: Solution, label: str) -> np.ndarray:
    claims = {c.label: c.claim for c in solution.steps}
    claim = claims[label]
    assert isinstance(claim, ArrayValue)
    return rows_of(claim.lines[-1].form)


def as_floats(point: dict[str, Any]) -> dict[str, Any]:
    def number(x: Any) -> Any:
        return [number(y) for y in x] if isinstance(x, list) else float(Rational(x))
    return {n: np.array(number(v)) if isinstance(v, list) else number(v) for n, v in point.items()}


def used(text: str) -> tuple[Model, dict[str, Any]]:
    names, let = text.split(": ", 1)
    return symgrad.parse(let, {n: SHAPES[n] for n in names.split()}), {n: POINT[n] for n in names.split()}


@pytest.mark.parametrize("let", LETS, ids=[t[-30:] for t in LETS])
def test_forward_values_are_those_of_numpy(let: str) -> None:
    model, point = used(let)
    s = model.given(point).forward()
    assert s.proved and len(s.steps) == len(model.graph.nodes)
    found = model.lambdify(*(n.name for n in model.graph.nodes))(**as_floats(point))
    for n in model.graph.nodes:
        want = np.asarray(found[n.name], np.float64)
        np.testing.assert_allclose(shown(s, n.name), want.reshape(len(shown(s, n.name)), -1), atol=5.1e-5)


@pytest.mark.parametrize("let", LETS, ids=[t[-30:] for t in LETS])
def test_backward_numbers_are_those_of_finite_differences(let: str) -> None:
    model, point = used(let)
    wrt = [n for n in point if n in ("x", "W", "b")]
    s = model.given(point).backward("L", wrt)
    assert s.proved and {f"{w}_bar{NUMBERS}" for w in wrt} <= set(s.answers)
    loss, at = model.lambdify("L"), as_floats(point)
    for w in wrt:
        slopes = np.zeros_like(at[w])
        for k in np.ndindex(slopes.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = at[w].copy()
                moved[k] += h
                ends.append(loss(**{**at, w: moved})["L"])
            slopes[k] = (ends[0] - ends[1]) / 2e-6
        got = rows_of(s.answers[f"{w}_bar{NUMBERS}"])
        np.testing.assert_allclose(got, slopes.reshape(got.shape), atol=6e-5)


def test_exact_where_rational_and_as_text() -> None:
    g = symgrad.parse("z = W @ x\nh = relu(z)\nL = 1/2 * norm(h)^2", {"W": "K, N", "x": "N"}, values={"W": [[1, -1], [2, "1/3"]], "x": [1, 2]})
    answers = g.backward("L", ["W", "x"]).answers
    assert str(answers["W_bar (numbers)"]) == "[[0, 0], [8/3, 16/3]]" and str(answers["x_bar (numbers)"]) == "[16/3, 8/9]"
    assert str(g.forward(of=["z"]).answers["z"]) == "[-1, 8/3]"
    s = g.backward("L", ["x"])
    lines = next(c.claim for c in s.steps if c.label == "x_bar (numbers)").lines
    assert [type(x.form) for x in lines] == [F.Just, F.Substituted, F.Array]


@pytest.mark.parametrize(("fixed", "want"), [(None, None), ("0", [0, 2]), ("1/2", [1, 2])])
def test_at_a_kink_a_convention_decides_or_there_are_no_numbers(fixed: str | None, want: list[int] | None) -> None:
    conventions = {} if fixed is None else {"relu_at_zero": fixed}
    g = symgrad.parse("h = relu(x)\nL = 2 * sum(h)", {"x": "N"}, values={"x": [0, 1]}, conventions=conventions)
    assert str(g.forward().answers["h"]) == "[0, 1]"
    s = g.backward("L", ["x"])
    assert s.proved
    if want is None:
        assert "x_bar (numbers)" not in s.answers and "No numbers are put in" in s.markdown()
    else:
        assert str(s.answers["x_bar (numbers)"]) == str(want)


@pytest.mark.parametrize(("let", "fixed", "want"), [
    ("L = sum(abs(x))", {}, None), ("L = sum(abs(x))", {"abs_at_zero": "0"}, "[0, 1]"),
    ("L = sum(max(x, 0) * x)", {}, None), ("L = sum(step(x) * x)", {"relu_at_zero": "0"}, None), ("L = sum(sign(x - 2) * x)", {}, "[-1, -1]"),
    ("L = sum(min(x, 3))", {}, "[1, 1]"), ("L = max(x)", {}, "[0, 1]"), ("L = max(x - x)", {"relu_at_zero": "1"}, None)])
def test_no_numbers_at_a_kink(let: str, fixed: dict[str, str], want: str | None) -> None:
    """Nor are they believed: at x = (0, 1) a derivative of |x|, of a step or of a maximum at a tie is nobody's, unless the problem fixes it."""
    g = symgrad.parse(let, {"x": "N"}, values={"x": [0, 1]}, conventions=fixed)
    s = g.backward("L", ["x"])
    assert s.proved
    if want is not None:
        assert str(s.answers["x_bar (numbers)"]) == want
        return
    assert "x_bar (numbers)" not in s.answers and "No numbers are put in" in s.markdown()
    checker = Checker(s.problem)
    bars = {c.claim.node: c.claim for c in s.steps if isinstance(c.claim, Adjoint)}
    for c in bars.values():
        checker.check(c)
    for x in (0, 1):
        claim = ArrayValue("x", "L", (Line(F.Just(bars["x"].expr)), Line(F.Array(((F.Just(Integer(x)),), (F.Just(Integer(1)),))))))
        assert checker.check(claim).ground is not Ground.PROVED


def test_roots_of_squares_and_ties() -> None:
    """norm((3, 4)) is 5 and norm((0, 0)) is 0, exactly; a largest entry has a value at a tie, and no derivative."""
    g = symgrad.parse("a = norm(x)\nb = norm(0 * x)\nc = rowmax(A)\nd = maxpool(A[1, :].T, 2)\nL = a + b + sum(c) + sum(d)",
                      {"x": "2", "A": "2, 4"}, values={"x": [3, 4], "A": [[1, 1, 2, -1], [0, 3, 3, 3]]})
    found = g.forward()
    assert found.proved and {k: str(e) for k, e in found.answers.items()} == {"a": "5", "b": "0", "c": "[2, 3]", "d": "[1, 2]", "L": "13"}
    s = symgrad.parse("L = sum(rowmax(A))", {"A": "2, 2"}, values={"A": [[1, 1], [0, 3]]}).backward("L", ["A"])
    assert s.proved and "No numbers are put in" in s.markdown()
    s = symgrad.parse("z = concat(x, x)\nL = max(z)^2", {"x": "N"}, values={"x": [-1, 2]}).backward("L", ["x"])  # one number, twice
    assert s.proved and "No numbers are put in" in s.markdown()


def test_a_convolution_longer_than_its_input_has_no_entries() -> None:
    g = symgrad.parse("y = conv(x, w)\nL = sum(y)", {"x": "N", "w": "M"}, values={"x": [1, 2], "w": [1, 2, 3]})
    with pytest.raises(Unsupported, match="y has no value: it has no entries at these sizes"):
        g.forward()
    assert "No numbers are put in" in g.backward("L", ["w"]).markdown()


def test_missing_numbers_and_large_arrays() -> None:
    g = symgrad.parse("z = W @ x\nL = sum(z)", {"W": "K, N", "x": "N"})
    with pytest.raises(Unsupported, match="no value is given for W; state it in"):
        g.forward({"x": [1, 2]})
    assert not any("numbers" in k for k in g.given({"x": [1, 2]}).backward("L", ["W"]).answers)
    with pytest.raises(Unsupported, match="Y has 441 entries"):
        symgrad.parse("Y = x @ x.T", {"x": "N"}, values={"x": list(range(21))}).forward()
    with pytest.raises(Unsupported, match="L has no value: a logarithm or root outside its domain"):
        symgrad.parse("L = sum(log(x))", {"x": "N"}, values={"x": [1, -1]}).forward()


def spoiled(claim: ArrayValue, k: int, form: F.Form) -> ArrayValue:
    return dataclasses.replace(claim, lines=(*claim.lines[:k], Line(form, (), claim.lines[k].approx), *claim.lines[k + 1:]))


def test_wrong_numbers_are_refused() -> None:
    model, point = used(LETS[0])
    s = model.given(point).backward("L", ["W"])
    claims = [c.claim for c in s.steps]
    for claim in (c for c in claims if isinstance(c, ArrayValue)):
        checker = Checker(s.problem)
        for other in claims:
            if isinstance(other, Adjoint):
                assert checker.check(other).ground is Ground.PROVED
        assert checker.check(claim).ground is Ground.PROVED
        last = claim.lines[-1].form
        rows = last.rows if isinstance(last, F.Array) else ((last,),)
        one = rows[0][0]
        moved = F.Just(one.expr + Rational(1, 1000)) if isinstance(one, F.Just) else F.Decimal(one.value + Rational(1, 10**4), one.digits)  # type: ignore[union-attr]
        wrong: list[ArrayValue] = [spoiled(claim, len(claim.lines) - 1, F.Array(((moved, *rows[0][1:]), *rows[1:])))]
        wrong.append(spoiled(claim, len(claim.lines) - 1, F.Array(rows[:-1] or ((one, one),))))
        wrong.append(spoiled(claim, 0, F.Just(Integer(2))))
        wrong.append(dataclasses.replace(claim, lines=claim.lines[:1]))
        wrong.append(dataclasses.replace(claim, seed="" if claim.seed else "z", lines=claim.lines))
        if len(claim.lines) == 3:
            put_in = claim.lines[1].form
            assert isinstance(put_in, F.Substituted)
            (name, _), *rest = put_in.numbers
            wrong.append(spoiled(claim, 1, F.Substituted(put_in.expr, ((name, Integer(77)), *rest))))
            wrong.append(spoiled(claim, 1, F.Substituted(put_in.expr, (("L", Integer(1)), *put_in.numbers))))
        if claim.lines[-1].approx:
            wrong.append(dataclasses.replace(claim, lines=(*claim.lines[:-1], Line(last))))
        for bad in wrong:
            assert checker.check(bad).ground in (Ground.REFUTED, Ground.UNDECIDED), bad


def test_an_adjoint_must_have_been_derived() -> None:
    model, point = used(LETS[0])
    s = model.given(point).backward("L", ["W"])
    claim = next(c.claim for c in s.steps if c.label == "W_bar (numbers)")
    assert Checker(s.problem).check(claim).ground is Ground.REFUTED


STRUCTURES = {"lower": [[2, 0], [1, 3]], "upper": [[2, 1], [0, 3]], "diagonal": [[2, 0], [0, 3]], "symmetric": [[2, 1], [1, 3]],
              "skew": [[0, 1], [-1, 0]]}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_numbers_of_structured_variables(structure: str) -> None:
    """The gradient in a structured matrix is the projection of the one by differences in all entries."""
    S, x = np.array(STRUCTURES[structure], np.float64), np.array([1.0, 2.0])

    def loss(m: np.ndarray) -> float:
        return float(x @ m @ m.T @ x + m.sum() ** 2)

    slopes = np.array([[(loss(S + 1e-6 * np.outer(a, b)) - loss(S - 1e-6 * np.outer(a, b))) / 2e-6 for b in np.eye(2)] for a in np.eye(2)])
    projected = {"lower": np.tril(slopes), "upper": np.triu(slopes), "diagonal": np.diag(np.diag(slopes)), "symmetric": (slopes + slopes.T) / 2,
                 "skew": (slopes - slopes.T) / 2}[structure]
    g = symgrad.parse("L = x.T @ S @ S.T @ x + sum(S)^2", {"S": {"shape": "N, N", "structure": structure}, "x": "N"},
                      values={"S": STRUCTURES[structure], "x": [1, 2]})
    s = g.backward("L", ["S", "x"])
    assert s.proved
    np.testing.assert_allclose(rows_of(s.answers["S_grad (numbers)"]), projected, atol=1e-4)


@pytest.mark.parametrize(("let", "shapes", "values", "said"), [
    ("L = logdet(A)", {"A": "N, N"}, {"A": np.eye(9) * 2}, "an inverse or a determinant of more than 6 rows"),
    ("L = trace(x @ x.T)", {"x": "N"}, {"x": list(range(100))}, "a matrix of more than 4,000 entries")])
def test_what_would_take_long_has_no_numbers(let: str, shapes: dict[str, str], values: dict[str, Any], said: str) -> None:
    g = symgrad.parse(let, shapes, values=values)
    with pytest.raises(Unsupported, match=said):
        g.forward()
    assert said in g.backward("L", list(shapes)).markdown()


FILE = """format = 1
id = "n"
title = "N"
[symbols]
x = { shape = "N", value = [1, 2] }
W = { shape = "2, N", value = [[1, -1], [2, 0]] }
[model]
let = '''
z = W @ x
h = sigmoid(z)
L = sum(h)
'''
[[part]]
label = "a"
ask = "forward"
[[part]]
label = "b"
ask = "backward"
of = "L"
wrt = ["W"]
[expected]
"""


@pytest.mark.parametrize(("stated", "said"), [
    ('"a.z" = [-1, 2]', "yes"), ('"a.z" = [-1, 3]', "no"), ('"a.z" = [[-1, 2]]', "no"), ('"a.h" = [0.269, 0.881]', "yes"),
    ('"a.h" = ["0.2689", "0.8808"]', "yes"), ('"a.h" = [0.2690, 0.881]', "no"), ('"a.L" = 1.15', "yes"), ('"a.L" = 1.16', "no"),
    ('"b.W" = [[0.197, 0.393], [0.105, 0.210]]', "yes"), ('"b.W_bar" = [[0.197, 0.393], [0.105, 0.211]]', "no"),
    ('"b.z_bar" = [0.1966, 0.1050]', "yes"), ('"b.W_bar" = "z_bar @ x.T"', "yes"), ('"b.W_bar" = "z_bar @ x.T * 2"', "no")])
def test_expected_numbers(stated: str, said: str) -> None:
    problem, expected = read_text(FILE + stated + "\n", "n.toml")
    rows = summary(solve(problem, expected))
    assert [r.expected for r in rows if r.expected][0].startswith(said)


def test_expected_entries_must_be_numbers() -> None:
    problem, expected = read_text(FILE + '"a.z" = ["-1", "two"]\n', "n.toml")
    with pytest.raises(SpecErrors, match="expected z"):
        solve(problem, expected)
