"""Finite differences against derived gradients: right ones are close, wrong ones are seen, kinks and domains are kept away from."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from sympy import Integer

import symgrad
from symgrad import parse, pipeline
from symgrad.api import Model
from symgrad.language.claims import Total
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Backward, Part
from symgrad.language.steps import Comparison, Derivation
from symgrad.numeric.comparison import MARGIN, POINTS, compare, differ, draw, stand_ins, with_adjoints
from symgrad.questions import derive
from symgrad.reader.letlist import Scope, expression
from symgrad.reader.read import read
from symgrad.sheet.comparison import sentence

PROBLEMS = Path(__file__).parent.parent.parent / "problems"


def derived(model: Model, *wrt: str, of: str = "L") -> Derivation:
    return derive(model.problem(Backward(of, wrt)), Part("a", Backward(of, wrt)))


def compared(model: Model, *wrt: str) -> Comparison:
    return compare(derived(model, *wrt), "L", wrt, model.conventions)


CASES = [
    ("z = W @ x + b\nh = sigmoid(z)\nL = 1/2 * norm(h - t)^2", {"W": "K, N", "x": "N", "b": "K", "t": "K"}),
    ("h = relu(W @ x)\nL = sum(h * h)", {"W": "K, N", "x": "N"}),
    ("L = sum(max(x, y)) + sum(min(x, 2*y)) + sum(abs(x)) + sum(leaky_relu(y))", {"x": "N", "y": "N"}),
    ("L = sum(log(x)) + sum(sqrt(y))", {"x": "N", "y": "N"}),  # only where all are positive
    ("L = logsumexp(W @ x)", {"W": "K, N", "x": "N"}),
    ("Y = X @ W\nL = norm(Y)^2", {"X": "B, N", "W": "N, K"}),
    ("L = loss(W @ x, t)", {"W": "K, N", "x": "N", "t": "K"}),
    ("L = sum(g(W @ x))", {"W": "K, N", "x": "N"}),
    ("L = f(a * b, a) + g(b)", {"a": "", "b": ""}),
    ("L = a^3 / b", {"a": "", "b": ""}),
]


@pytest.mark.parametrize(("text", "shapes"), CASES, ids=[t[:30] for t, _ in CASES])
def test_right_gradients_are_close(text: str, shapes: dict[str, str]) -> None:
    model = parse(text, shapes)
    found = compared(model, *shapes)
    assert (found.points, found.power) == (POINTS, -6)
    assert found.agrees


@pytest.mark.parametrize("spoil", [lambda e: -e, lambda e: 2 * e, lambda e: e * Integer(1001) / 1000, lambda e: 0 * e])
def test_a_wrong_gradient_is_seen(spoil) -> None:  # type: ignore[no-untyped-def]
    """A flipped sign, a doubled factor, one part in a thousand, a dropped term."""
    model = parse("h = tanh(w * x)\nL = h^2 + w")
    d = derived(model, "w", "x")
    nodes = tuple(dataclasses.replace(n, expr=spoil(n.expr)) if n.name == "w_bar" else n for n in d.graph.nodes)
    found = compare(dataclasses.replace(d, graph=Graph(d.graph.variables, nodes, d.graph.functions)), "L", ("w", "x"), model.conventions)
    assert found.points == POINTS
    assert found.power is None or found.power > -4
    if spoil(Integer(1000)) != 1001:
        assert not found.agrees


@pytest.mark.parametrize(("stated", "apart"), [
    ("z_bar @ x.T", False), ("(h_bar * h * (1 - h)) @ x.T", False), ("((h - t) * h - (h - t) * h^2) @ x.T", False),
    ("2 * z_bar @ x.T", True), ("-z_bar @ x.T", True), ("(h_bar * h) @ x.T", True), ("z_bar @ x.T + 1/10000 * W", True)])
def test_two_expressions_that_differ_are_told_apart_by_values(stated: str, apart: bool) -> None:
    model = parse(*CASES[0])
    d = derived(model, "W")
    scope = Scope({n: d.graph.symbol(n) for n in d.graph.names}, {str(n): n for n in d.graph.dimensions})
    assert differ(d, d.graph.node("W_bar").expr, expression(stated, scope), model.conventions) is apart


def test_a_wrong_entry_among_many_is_seen() -> None:
    """900 entries are looked at along directions of signs, not one by one."""
    model = parse("L = 1/2 * norm(W @ x)^2", {"W": "30, 30", "x": "30"})
    d = derived(model, "W")
    assert compare(d, "L", ("W",), model.conventions).power == -6
    e = model.expression("W @ x @ x.T + 1/50 * ones(30) @ ones(30).T").expr
    nodes = tuple(dataclasses.replace(n, expr=e) if n.name == "W_bar" else n for n in d.graph.nodes)
    wrong = compare(dataclasses.replace(d, graph=Graph(d.graph.variables, nodes)), "L", ("W",), model.conventions)
    assert not wrong.agrees


def test_inner_nodes_are_compared_with_what_is_above_them_held_fixed() -> None:
    model = parse("z = w * x\nh = tanh(z)\nL = h^2 + z * x")
    found = compared(model, "z", "h", "w", "x")
    assert found.power == -6


def test_no_path_is_a_zero_that_is_compared_too() -> None:
    assert compared(parse("h = w * x\nL = x^2"), "w", "h", "x").power == -6


def test_points_stay_away_from_kinks() -> None:
    """The same draws by hand: relu's argument is never within MARGIN of 0 where a comparison was made."""
    model = parse("h = relu(x - y)\nL = sum(h * h)", {"x": "N", "y": "N"})
    assert compared(model, "x", "y").agrees
    taken = [v for v in (draw(model.graph, {"N": 3}, k) for k in range(60)) if np.min(np.abs(v["x"] - v["y"])) >= MARGIN][:POINTS]
    assert len(taken) == POINTS
    assert not all(np.min(np.abs(v["x"] - v["y"])) >= MARGIN for v in (draw(model.graph, {"N": 3}, k) for k in range(60)))  # some are dropped


def test_where_there_is_no_point_the_reason_is_said() -> None:
    always = compared(parse("L = relu(x - x) + x"), "x")
    assert always == Comparison(reason="none of 60 random points is inside the domain away from all kinks")
    assert always.agrees
    assert always.error == ""
    assert always.words == "Not compared with finite differences: none of 60 random points is inside the domain away from all kinks."
    never = compared(parse("L = log(-(x^2) - 1)"), "x")
    assert never.reason == "none of 60 random points is inside the domain"


def test_draws_do_not_depend_on_the_machine() -> None:
    graph = parse("L = a + sum(x)", {"a": "", "x": "N"}).graph
    first = draw(graph, {"N": 3}, 0)
    assert first["a"] == draw(graph, {"N": 3}, 0)["a"]
    assert [float(v) * 64 == int(v * 64) for v in (first["a"], *first["x"])] == [True] * 4
    assert all(np.all(draw(graph, {"N": 3}, k)["x"] > 0) for k in (3, 5, 7, 9))
    assert any(np.any(draw(graph, {"N": 3}, k)["x"] < 0) for k in (0, 1, 2, 4))


def test_unknown_functions_are_said_to_be_sines() -> None:
    found = compared(parse("L = loss(z, t)", {"z": "N", "t": "N"}), "z")
    assert found.unknown == ("loss",)
    assert "with sines in the place of loss: worst relative error below 1e-6" in found.words


def test_a_stand_in_has_the_derivatives_it_says() -> None:
    model = parse("L = g(a, b)")
    functions = stand_ins(with_adjoints(derived(model, "a", "b")))
    assert set(functions) == {"g", "g[1, 0]", "g[0, 1]"}
    g, step = functions["g"], 1e-6
    assert functions["g[1, 0]"](0.3, 0.8) == pytest.approx((g(0.3 + step, 0.8) - g(0.3 - step, 0.8)) / (2 * step), rel=1e-8)
    assert functions["g[0, 1]"](0.3, 0.8) == pytest.approx((g(0.3, 0.8 + step) - g(0.3, 0.8 - step)) / (2 * step), rel=1e-8)


def test_path_sums_become_definitions() -> None:
    problem, _ = read(PROBLEMS / "relu-network.toml")
    d = derive(problem, problem.parts[1])
    graph = with_adjoints(d)
    new = [n for n in graph.nodes if n not in d.graph.nodes]
    assert {n.name for n in new} == {f"{s.claim.wrt}_bar" for s in d.all_steps() if isinstance(s.claim, Total)}
    assert all(isinstance(n, Node) for n in new)


def test_in_words_on_a_sheet() -> None:
    c = Comparison(3, (("N", 3), ("K", 2)), -6)
    assert c.words == ("Compared with finite differences at 3 random points, N = 3, K = 2: worst relative error below 1e-6 "
                       "(a numerical comparison, not a proof).")
    text = "".join(p if isinstance(p, str) else getattr(p, "tex", getattr(p, "text", "")) for p in sentence(c).text)
    assert text == ("Numbers. Compared with finite differences at 3 random points, N = 3, K = 2: worst relative error below 10^{-6} "
                    "(a numerical comparison, not a proof).")
    assert Comparison(3, (), None).error == "above 0.1"
    assert not Comparison(3, (), None).agrees
    assert not Comparison(3, (), -2).agrees


@pytest.mark.parametrize("name", ["residual-mlp", "relu-network", "two-relu-two-sigmoid", "half-squared-norm"])
def test_every_problem_of_ours_agrees(name: str) -> None:
    problem, expected = read(PROBLEMS / f"{name}.toml")
    result = pipeline.solve(problem, expected)
    found = [p.comparison for p in result.parts if p.comparison]
    assert found
    assert all(c.power == -6 and c.points == POINTS for c in found)
    files = pipeline.render(result, ("markdown",))
    assert "finite differences" in files["solution.md"]
    assert "finite differences" not in files["question.md"]


def test_a_disagreement_is_not_good() -> None:
    row = pipeline.Row("p", "a", "backward", 3, {"proved": 3}, comparison=Comparison(3, (), -1))
    assert not row.good
    assert dataclasses.replace(row, comparison=Comparison(3, (), -6)).good
    assert re.fullmatch(r"below 1e-1", Comparison(3, (), -1).error)


def test_sizes_at_which_a_kernel_does_not_fit_are_not_taken() -> None:
    """conv(x, w) needs N >= M: the first choice of sizes may not fit, the next does."""
    for shapes in ({"x": "N", "w": "M"}, {"w": "M", "x": "N"}):
        g = symgrad.parse("L = sum(conv(x, w))", shapes=shapes)
        s = g.backward("L", wrt=["x", "w"])
        assert s.proved and not s.failures
        (part,) = s.parts
        assert part.comparison is not None and part.comparison.reason == "" and part.comparison.agrees
