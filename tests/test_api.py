"""The Python API: graphs from text and from operators are the same, answers are right, errors read well, results show themselves."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Integer, MatAdd, Rational

import symgrad
from symgrad import api, define, ops, variable
from symgrad.language.claims import Adjoint
from symgrad.language.problem import Backward
from symgrad.language.steps import Ground
from symgrad.language.vectors import say_shape
from symgrad.pipeline import solve, summary
from symgrad.reader.read import read_text

PROBLEMS = sorted((Path(__file__).parent.parent / "problems").glob("*.toml"))
RESIDUAL = next(p for p in PROBLEMS if p.stem == "residual-mlp")
TEXT = """
z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
S = 1/2 * norm(y - s)^2
R = r.T @ h
L = S + R
"""
SHAPES = {"x": {"shape": "N", "role": "input"}, "W1": "K, N", "b1": "K", "W2": "N, K", "b2": "N", "r": "K", "s": "N"}
LAYER = "z = W @ x + b\nh = sigmoid(z)\nL = 1/2 * norm(h - t)^2"
LAYER_SHAPES = {"W": "K, N", "x": "N", "b": "K", "t": "K"}


@pytest.fixture(scope="module")
def model() -> symgrad.Model:
    return symgrad.parse(TEXT, SHAPES)


@pytest.fixture(scope="module")
def layer() -> symgrad.Model:
    return symgrad.parse(LAYER, LAYER_SHAPES)


@pytest.fixture(scope="module")
def solution(model: symgrad.Model) -> symgrad.Solution:
    return model.backward("L", components=["x"], closed_form=["x"], wrt=["W1", "b1", "W2", "b2", "x"])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def by_hand(v: dict[str, Any]) -> dict[str, Any]:
    """The residual network and its gradients as one would write them, for one sample."""
    z = v["W1"] @ v["x"] + v["b1"]
    h = sigmoid(z)
    y = v["x"] + v["W2"] @ h + v["b2"]
    y_bar = y - v["s"]
    z_bar = (v["W2"].T @ y_bar + v["r"]) * h * (1 - h)
    return {"L": 0.5 * y_bar @ y_bar + v["r"] @ h, "W1_bar": np.outer(z_bar, v["x"]), "b1_bar": z_bar, "W2_bar": np.outer(y_bar, h),
            "b2_bar": y_bar, "x_bar": v["W1"].T @ z_bar + y_bar}


def residual_values(rng: np.random.Generator, n: int, k: int, batch: int = 0) -> dict[str, Any]:
    lead = (batch,) if batch else ()
    return {"x": rng.normal(size=(*lead, n)), "W1": rng.normal(size=(k, n)), "b1": rng.normal(size=k), "W2": rng.normal(size=(n, k)),
            "b2": rng.normal(size=n), "r": rng.normal(size=k), "s": rng.normal(size=(*lead, n))}


# ---- the same graph from a file, from text, from operators -----------------------------------------------------------


def definitions(graph: symgrad.Graph) -> dict[str, Any]:
    return {n.name: n.expr for n in graph.nodes}


def test_closed_forms_of_one_name_of_some_or_of_all() -> None:
    g = symgrad.parse("z1 = W1 @ x\nL = 1/2 * norm(W2 @ z1)^2", shapes={"W1": "K, N", "W2": "M, K", "x": {"shape": "N", "role": "input"}})
    W1, W2 = ({str(k): str(e) for k, e in g.backward("L", closed_form=c).answers.items() if "closed" in k} for c in ("W1", ["W2"]))
    assert (W1, W2) == ({"W1_bar (closed form)": "W2.T @ W2 @ z1 @ x.T"}, {"W2_bar (closed form)": "W2 @ z1 @ z1.T"})
    every = {str(k): str(e) for k, e in g.backward("L", closed_form=True).answers.items()}
    assert every == {**{k: str(e) for k, e in g.backward("L", closed_form=False).answers.items()}, **W1, **W2}


def test_text_builds_the_graph_of_the_file(model: symgrad.Model) -> None:
    assert definitions(model.graph) == definitions(symgrad.read(RESIDUAL).graph)
    assert {x.name: x.role for x in model.graph.variables}["x"] == "input"


def test_operators_build_the_graph_of_the_text(model: symgrad.Model) -> None:
    x, W1, b1 = variable("x", "N", role="input"), variable("W1", "K, N"), variable("b1", "K")
    W2, b2, r, s = variable("W2", ("N", "K")), variable("b2", "N"), variable("r", "K"), variable("s", "N")
    h = define("h", ops.sigmoid(define("z", W1 @ x + b1)))
    y = define("y", x + W2 @ h + b2)
    built = symgrad.graph(L=define("S", Rational(1, 2) * ops.norm(y - s) ** 2) + define("R", r.T @ h))
    assert definitions(built.graph) == definitions(model.graph)
    assert {v.name for v in built.graph.variables} == set(SHAPES)


def test_a_graph_by_hand_is_a_model() -> None:
    x, a = symgrad.Variable("x"), symgrad.Variable("a")
    g = symgrad.Model(symgrad.Graph((x, a), (symgrad.Node("L", a.symbol * x.symbol),)))
    assert str(g.gradient("L", ["a"]).answers["a"]) == "x"


def test_without_shapes_every_leaf_is_a_scalar() -> None:
    g = symgrad.parse("z = w*x + b\nL = loss(z, t)")
    assert [v.name for v in g.graph.variables] == ["w", "x", "b", "t"]
    assert g.graph.is_scalar


SCALAR_OPS = ("exp", "log", "sqrt", "sigmoid", "tanh", "softplus", "relu", "leaky_relu", "step", "sign", "abs", "norm")
VECTOR_OPS = (*SCALAR_OPS, "softmax", "logsumexp", "sum", "mean", "diag")
MATRIX_OPS = ("trace", "det", "logdet", "inv", "sum")


@pytest.mark.parametrize(("name", "shape"), [(n, "") for n in SCALAR_OPS] + [(n, "N") for n in VECTOR_OPS] + [(n, "N, N") for n in MATRIX_OPS])
def test_functions_read_as_in_the_let_list(name: str, shape: str) -> None:
    read = symgrad.parse(f"y = {name}(x)", {"x": shape}).graph
    built = symgrad.graph(y=getattr(ops, name)(variable("x", shape))).graph
    assert built.nodes == read.nodes
    assert built.functions == read.functions


@pytest.mark.parametrize(("text", "build"), [
    ("max(x, y)", lambda x, y, A: ops.max(x, y)), ("min(x, y, 1)", lambda x, y, A: ops.min(x, y, 1)), ("dot(x, y)", lambda x, y, A: ops.dot(x, y)),
    ("outer(x, y)", lambda x, y, A: ops.outer(x, y)), ("leaky_relu(x, 1/5)", lambda x, y, A: ops.leaky_relu(x, Fraction(1, 5))),
    ("x + ones(N)", lambda x, y, A: x + ops.ones("N")), ("zeros(N) - x", lambda x, y, A: ops.zeros("N") - x),
    ("eye(N) @ A", lambda x, y, A: ops.eye("N") @ A), ("A @ ones(N, 2)", lambda x, y, A: A @ ops.ones("N", 2)),
    ("g(x)", lambda x, y, A: ops.function("g")(x)), ("x.T @ A @ y", lambda x, y, A: x.T @ A @ y),
    ("-x * y / 3", lambda x, y, A: -x * y / 3),
    ("2 - x", lambda x, y, A: 2 - x), ("1 / x", lambda x, y, A: 1 / x), ("x^3", lambda x, y, A: x**3),
    ("x[1] + A[2, 1]", lambda x, y, A: x[1] + A[2, 1]),
    ("0.1 * x", lambda x, y, A: 0.1 * x), ("x.T @ x + 1", lambda x, y, A: x.T @ x + 1), ("2^(x[1])", lambda x, y, A: 2 ** x[1]),
    ("+x", lambda x, y, A: +x), ("1 + x", lambda x, y, A: 1 + x), ("x * 3", lambda x, y, A: x * 3),
])
def test_operators_read_as_in_the_let_list(text: str, build: Callable[..., symgrad.Expression]) -> None:
    read = symgrad.parse(f"q = {text}", {"x": "N", "y": "N", "A": "N, N"}).graph
    built = symgrad.graph(q=build(variable("x", "N"), variable("y", "N"), variable("A", "N, N"))).graph
    assert definitions(built) == definitions(read)


def test_sympy_operators_would_not_check_shapes() -> None:
    """Why there are operators of our own."""
    x, y = variable("x", "N"), variable("y", "K")
    assert isinstance(x.expr + y.expr, MatAdd)
    with pytest.raises(symgrad.ShapeError):
        x + y


# ---- text out is text in ----------------------------------------------------------------------------------------------


def shapes_of(graph: symgrad.Graph) -> dict[str, Any]:
    found: dict[str, Any] = {x.name: say_shape(x.shape).strip("()") if x.shape != (1, 1) else "" for x in graph.variables}
    for n in graph.structured:
        found[n.name] = {"shape": found.pop(graph.free(n.name)), "structure": n.structure.value.split()[0]}
    return found


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.stem)
def test_a_model_prints_a_let_list_that_reads_back(path: Path) -> None:
    graph = symgrad.read(path).graph
    if not graph.nodes:
        return
    entries = any(n.structure.value.endswith("entries") for n in graph.structured)
    again = symgrad.parse(str(symgrad.Model(graph)), shapes_of(graph), conventions={"symmetric": "entries"} if entries else None)
    assert definitions(again.graph) == definitions(graph)


def test_random_expressions_read_back_with_their_value() -> None:
    """250 random expressions: what is printed has the value of what was built."""
    rng = random.Random(11)
    leaves = {"a": variable("a"), "x": variable("x", "2"), "y": variable("y", "2"), "A": variable("A", "2, 2")}
    values = {"a": 0.7, "x": np.array([0.4, -1.1]), "y": np.array([1.3, 0.6]), "A": np.array([[0.2, 1.1], [-0.5, 0.9]])}

    def scalar(depth: int) -> symgrad.Expression:
        if depth == 0:
            return rng.choice([leaves["a"], leaves["x"][rng.choice((1, 2))], leaves["A"][1, 2]])
        match rng.randrange(5):
            case 0:
                return vector(depth - 1).T @ vector(depth - 1)
            case 1:
                return ops.norm(vector(depth - 1)) + 1
            case 2:
                return -scalar(depth - 1) * scalar(depth - 1)
            case 3:
                return (scalar(depth - 1) - 2) / (1 + ops.exp(scalar(depth - 1)))
        return ops.sum(vector(depth - 1)) ** 2

    def vector(depth: int) -> symgrad.Expression:
        if depth == 0:
            return rng.choice([leaves["x"], leaves["y"]])
        match rng.randrange(6):
            case 0:
                return leaves["A"] @ vector(depth - 1)
            case 1:
                return (leaves["A"] + leaves["A"].T) @ (vector(depth - 1) - vector(depth - 1))
            case 2:
                return vector(depth - 1) * ops.tanh(vector(depth - 1))
            case 3:
                return -vector(depth - 1) - scalar(depth - 1) * vector(depth - 1) / 3
            case 4:
                return vector(depth - 1) / (1 + vector(depth - 1) ** 2)
        return (leaves["A"] @ leaves["A"]).T @ vector(depth - 1) + scalar(depth - 1)

    for _ in range(250):
        built = symgrad.graph(q=rng.choice((scalar, vector))(rng.randrange(1, 4)))
        again = symgrad.parse(str(built), shapes_of(built.graph))
        used = {n: v for n, v in values.items() if n in built}
        np.testing.assert_allclose(again.lambdify("q")(used)["q"], built.lambdify("q")(used)["q"], rtol=1e-12, err_msg=str(built))


# ---- answers -------------------------------------------------------------------------------------------------------------


def test_answers_are_proved_and_read_as_text(solution: symgrad.Solution) -> None:
    assert solution.proved
    assert not solution.failures
    said = {label: str(e) for label, e in solution.answers.items()}
    assert said["x_bar"] == "W1.T @ z_bar + y_bar"
    assert said["W1_bar"] == "z_bar @ x.T"
    assert said["x_bar_i"] == "sum(W1[j, i] * z_bar[j] for j in 1..K) + y_bar[i]"
    assert said["x_bar (closed form)"] == "W1.T @ ((W2.T @ (y - s) + r) * sigmoid'(z)) + y - s"
    assert all(v.ground is Ground.PROVED for v in solution.verdicts)
    assert [e.label for e in solution.steps][0] == "L_bar"


def test_the_derived_graph_is_a_model_again(solution: symgrad.Solution) -> None:
    assert "z_bar = h_bar * sigmoid'(z)" in str(solution.graph)
    assert solution.graph.graph.arguments("x_bar") == ("W1", "z_bar", "y_bar")
    longer = symgrad.graph(q=ops.norm(solution.graph["x_bar"]))
    assert "q = norm(x_bar)" in str(longer)
    assert longer.graph.nodes[:6] == solution.graph.graph.nodes[:6] or "y_bar = y - s" in str(longer)


def test_one_function_for_value_and_gradients(solution: symgrad.Solution) -> None:
    f = solution.lambdify()
    assert f.outputs == ("L", "W1_bar", "b1_bar", "W2_bar", "b2_bar", "x_bar")
    for n, k in ((3, 2), (2, 5), (1, 1)):
        values = residual_values(np.random.default_rng(n), n, k)
        found = f(values)
        for name, wanted in by_hand(values).items():
            np.testing.assert_allclose(found[name], wanted, rtol=1e-12, atol=1e-14)


def test_batches_of_samples_and_sums_over_them(solution: symgrad.Solution) -> None:
    values = residual_values(np.random.default_rng(5), 3, 4, batch=6)
    each = [by_hand({**values, "x": x, "s": s}) for x, s in zip(values["x"], values["s"], strict=True)]
    batch = solution.lambdify(batch=("x", "s"))(values)
    total = solution.lambdify("L", "W1_bar", "x_bar", batch=("x", "s"), summed=("L", "W1_bar"))(values)
    for name in ("L", "W1_bar", "x_bar"):
        np.testing.assert_allclose(batch[name], np.array([e[name] for e in each]), rtol=1e-12)
    np.testing.assert_allclose(total["W1_bar"], sum(e["W1_bar"] for e in each), rtol=1e-12)
    np.testing.assert_allclose(total["L"], sum(e["L"] for e in each), rtol=1e-12)
    np.testing.assert_allclose(total["x_bar"], batch["x_bar"], rtol=1e-12)


def test_gradient_of_scalars_symbolic_and_with_numbers() -> None:
    g = symgrad.parse("z = w*x + b\nh = relu(z)\nL = (h - t)^2")
    symbolic = g.gradient("L", ["w", "b"])
    assert symbolic.proved
    assert str(symbolic.answers["w"]) == "2 * (h - t) * relu'(z) * x"
    numbers = g.gradient("L", ["w", "b"], values={"w": 2, "x": 0.5, "b": Fraction(1, 4), "t": Decimal("0.75")})
    assert {k: e.expr for k, e in numbers.answers.items()} == {"w": Rational(1, 2), "b": Integer(1)}  # h = 5/4, 2 (5/4 - 3/4) = 1
    assert symbolic.lambdify()(w=2.0, x=0.5, b=0.25, t=0.75) == {"L": 0.25, "w_bar": 0.5, "b_bar": 1.0}


def test_many_paths_share_factors_that_are_definitions_too() -> None:
    """Nine paths: the totals of the middle nodes become adjoints of their own."""
    text = "\n".join([f"h{i} = tanh(w * {i})" for i in (1, 2, 3)] + [f"k{j} = sigmoid(h1 + {j} * h2 - h3)" for j in (1, 2, 3)] + ["L = k1 * k2 * k3"])
    s = symgrad.parse(text).gradient("L", ["w"])
    assert {"h2_bar", "w_bar"} <= set(s.graph.graph.names)
    f, step = s.lambdify(), 1e-6
    slope = (f(w=0.3 + step)["L"] - f(w=0.3 - step)["L"]) / (2 * step)
    assert f(w=0.3)["w_bar"] == pytest.approx(slope, rel=1e-7)


def test_second_derivatives_of_a_scalar_graph() -> None:
    first = symgrad.parse("a = sigmoid(w * x)\nL = a^2").gradient("L", ["w"])
    second = first.graph.gradient("w_bar", ["w"])
    assert second.proved
    a, x = sigmoid(0.3 * 1.7), 1.7
    expected = (2 * (a * (1 - a)) ** 2 + 2 * a * (a * (1 - a)) * (1 - 2 * a)) * x**2
    f = symgrad.Model(first.graph.graph.extended([symgrad.Node("d", second.answers["w"].expr)])).lambdify("d")
    assert f(w=0.3, x=1.7)["d"] == pytest.approx(expected, rel=1e-12)


def test_jacobians_and_hessians_in_numbers_by_their_labels() -> None:
    """d2L/dw2 of a squared error of one residual, at residual 0 too, where only the second derivative of the square is left."""
    model = symgrad.parse("r = w.T @ x - t\nL = 1/2*norm(r)^2 + 1/4*norm(w)^2", shapes={"w": "N", "x": "N", "t": "", "v": "N"})
    s, x = model.hessian("L", ["w", "t"]), np.array([1.0, -2.0, 0.5])
    assert set(s.answers) == {"d2L/dw2", "d2L/dw dt", "d2L/dt2"}
    for t in (0.0, 3.0):
        point = {"w": np.array([2.0, 1.0, 0.0]), "x": x, "t": t}
        found = s.lambdify(*s.answers)(**point)
        np.testing.assert_allclose(found["d2L/dw2"], np.outer(x, x) + np.eye(3) / 2, atol=1e-12)
        np.testing.assert_allclose(np.ravel(found["d2L/dw dt"]), -x, atol=1e-12)
        np.testing.assert_allclose(s.lambdify()(**point)["d2L/dt2"], 1.0, atol=1e-12)
    product = model.hvp("L", "w", "v").lambdify("w_bar_dot")(w=point["w"], x=x, v=x)["w_bar_dot"]
    np.testing.assert_allclose(product, (x @ x + 0.5) * x)
    jacobian = model.jacobian("r", "w").lambdify("dr/dw")(x=x)["dr/dw"]
    np.testing.assert_allclose(np.ravel(jacobian), x)


def test_forward_is_exact() -> None:
    s = symgrad.parse("z = w*x + b\nh = relu(z)\nL = (h - t)^2").forward({"w": 0.1, "x": 3, "b": "1/3", "t": 1})
    assert {k: e.expr for k, e in s.answers.items()} == {"z": Rational(19, 30), "h": Rational(19, 30), "L": Rational(121, 900)}
    assert s.lambdify()(w=1.0, x=1.0, b=0.0, t=3.0) == {"z": 1.0, "h": 1.0, "L": 4.0}


def test_a_rounded_value_of_a_node() -> None:
    g = symgrad.parse("h = sigmoid(z)\nL = h * (1 - h) * w", values={"z": 2, "w": 2})
    s = g.gradient("L", ["w"], values={"h": {"value": "0.9", "rounded": True}})
    assert s.answers["w (rounded)"].expr == Rational(9, 100)
    assert "dL/dw (rounded) ≈ 9/100" in repr(s)
    assert "dL/dw = (1 - sigmoid(2)) * sigmoid(2)" in repr(s)


def test_choices(layer: symgrad.Model) -> None:
    s = layer.choose("L", ["b"], ["h - t", "(h - t) * h * (1 - h)", "t"])
    assert s.proved
    assert list(s.answers) == ["choice 2"]
    assert s.lambdify().outputs == ("L", "b_bar")
    none = layer.choose("L", ["b"], ["h - t", "t"])
    assert not none.proved
    assert "exactly one right choice (0 fit)" in none.failures["a"]
    with pytest.raises(symgrad.Refused, match="exactly one right choice"):
        none.lambdify()


def test_any_question_by_its_word_or_as_data(layer: symgrad.Model) -> None:
    word = layer.ask("backward", of="L", wrt=["W"], derivatives="kept")
    data = layer.ask(Backward("L", ("W",)))
    assert {k: str(e) for k, e in word.answers.items()} == {k: str(e) for k, e in data.answers.items()} == {"W_bar": "z_bar @ x.T"}


def test_the_default_is_every_parameter(layer: symgrad.Model, model: symgrad.Model) -> None:
    assert set(layer.backward("L").answers) == {"W_bar", "x_bar", "b_bar", "t_bar"}
    assert "x_bar" not in model.backward("L").answers  # x is an input there
    assert set(layer.backward("L", "W").answers) == {"W_bar"}


@pytest.mark.parametrize("asked", [lambda s: s.answers, lambda s: s.graph, lambda s: s.lambdify(), lambda s: s["a"].lambdify("W_bar")])
def test_the_three_steps_of_a_sequence_of_any_length_are_no_answer(asked: Callable[[symgrad.Solution], object]) -> None:
    """Its graph has three steps, and T beside them as an input of its own: T = 5 gave the numbers of three steps without a word."""
    s = symgrad.solve(RESIDUAL.with_name("rnn-mean-loss.toml"))
    assert s.proved and "for every T:" in repr(s)
    with pytest.raises(symgrad.Unsupported, match="a sequence of T steps, T a letter.*give the sequence its length as a number"):
        asked(s)


def test_parts_of_a_file() -> None:
    s = symgrad.solve(RESIDUAL)
    assert s.proved
    assert {"b.x_bar", "c.W1_bar"} <= set(s.answers)
    assert set(s["b"].answers) == {"x_bar", "x_bar_i"}
    assert len(s["b"].steps) + len(s["c"].steps) == len(s.steps)
    with pytest.raises(symgrad.SpecError, match="has the parts b, c; take one of them"):
        s.lambdify()
    with pytest.raises(symgrad.SpecError, match="there is no part d; the parts are b, c"):
        s["d"]


def test_unknown_functions_and_their_numbers() -> None:
    s = symgrad.parse("z = W @ x\nL = loss(z, t)", {"W": "K, N", "x": "N", "t": "K"}, functions={"loss": 2}).backward("L", ["x"])
    assert s.proved
    f = s.lambdify(functions={"loss": lambda z, t: float(z @ t), "loss[1, 0]": lambda z, t: t})
    W, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    np.testing.assert_allclose(f(W=W, x=np.ones(2), t=t)["x_bar"], W.T @ t)


# ---- somebody's own gradient ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "candidate"), [
    ("W", "z_bar @ x.T"), ("W", "((h - t) * h * (1 - h)) @ x.T"), ("b", "z_bar"), ("x", "W.T @ ((h - t) * h * (1 - h))"),
    ("t", "t - h"), ("x", "W.T @ (h_bar * sigmoid(z) * sigmoid(-z))"),
])
def test_right_gradients_are_proved(layer: symgrad.Model, name: str, candidate: str) -> None:
    found = symgrad.check_gradient(layer, "L", {name: candidate})
    assert found
    assert found[name].equal
    assert found[name].verdict.ground is Ground.PROVED
    assert str(found).startswith(f"{name}: proved equal for all K, N to {name}_bar = ")


@pytest.mark.parametrize(("name", "candidate"), [
    ("W", "2 * z_bar @ x.T"), ("b", "(h - t) * h * (h - 1)"), ("x", "W.T @ (h - t)"), ("t", "h - t"), ("b", "h_bar"),
])
def test_wrong_gradients_come_with_a_point_that_shows_it(layer: symgrad.Model, name: str, candidate: str) -> None:
    found = layer.check_gradient("L", {name: candidate})
    assert not found
    row = found[name]
    assert row.equal is False
    assert row.witness is not None
    assert row.entries is not None
    v = {n: np.array(rows, float) for n, rows in row.witness.values}
    if set(v) == set(LAYER_SHAPES):  # the derivative at the witness, by hand
        x, h = v["x"], sigmoid(v["W"] @ v["x"] + v["b"])
        z_bar = (h - v["t"]) * h * (1 - h)
        by_name = {"W": z_bar @ x.T, "b": z_bar, "x": v["W"].T @ z_bar, "t": v["t"] - h}
        i, j = row.witness.entry
        assert row.entries[1] == pytest.approx(by_name[name][i - 1, j - 1])
        assert row.entries[0] != pytest.approx(row.entries[1])
    assert f"{name}: wrong, at " in str(found)
    assert "the derivative" in str(found)


def test_a_gradient_of_another_shape(layer: symgrad.Model) -> None:
    row = layer.check_gradient("L", {"W": "z_bar"})["W"]
    assert row.equal is False
    assert "it is (K), the derivative (K, N)" in str(row)


def test_gradients_of_scalars_and_of_unknown_functions() -> None:
    g = symgrad.parse("z = w*x\nL = loss(z, t)")
    assert g.check_gradient("L", {"x": g["w"] * g["x"] * 0 + 0}).proved is False
    g = symgrad.parse("z = W @ x\nL = loss(z, t)", {"W": "K, N", "x": "N", "t": "K"})
    found = g.check_gradient("L", {"W": "z_bar @ x.T", "x": "2 * W.T @ z_bar"})
    assert found["W"].equal
    assert found["x"].equal is False
    assert "the two sides differ at" in str(found["x"])


def test_candidates_may_be_expressions(layer: symgrad.Model) -> None:
    derived = layer.backward("L", ["W"]).graph
    assert layer.check_gradient("L", {"W": derived["z_bar"] @ derived["x"].T})


# ---- errors read well -----------------------------------------------------------------------------------------------------------


def layer_of(text: str, **keywords: Any) -> symgrad.Model:
    return symgrad.parse(text, dict(LAYER_SHAPES), **keywords)


x, W, b = variable("x", "N"), variable("W", "K, N"), variable("b", "K")
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: layer_of("z = W @ b"), symgrad.ShapeError,
     r"let-list:1: W @ b: matrix product \(@\): left is \(K, N\), right is \(K\); the inner dimensions N and K differ"),
    (lambda: layer_of("z = W @ x\nh = z + x"), symgrad.ShapeError, r"let-list:2: z \+ x: sum: left is \(K\), right is \(N\)"),
    (lambda: layer_of("z = W @ y"), symgrad.SpecError, r"let-list:1: unknown name y; .*a variable needs its shape: shapes=\{'y': 'N'\}"),
    (lambda: layer_of("z = sigmod(b)"), symgrad.SpecError, r"unknown function sigmod; did you mean sigmoid\?"),
    (lambda: layer_of("z = h\nh = b"), symgrad.SpecError, r"let-list:1: z uses h, which is defined in line 2, not above it"),
    (lambda: symgrad.parse("z = y\ny = z"), symgrad.SpecError, r"z uses y, which is defined in line 2"),
    (lambda: layer_of("z = W @ b\ny = q"), symgrad.SpecErrors, r"(?s)let-list:1: .*let-list:2: unknown name q"),
    (lambda: layer_of("z = b\nz = b"), symgrad.SpecError, "let-list:2: the name z is bound twice"),
    (lambda: layer_of("# nothing"), symgrad.SpecError, "the let-list is empty; write one definition a line"),
    (lambda: layer_of("z = __import__('os')"), symgrad.SpecError, "let-list:1"),
    (lambda: layer_of("z = 9^9^9^9"), symgrad.SpecError, "out of range"),
    (lambda: symgrad.parse("z = lambda", {}), symgrad.SpecError, "lambda is a reserved word"),
    (lambda: symgrad.parse("z = x", {"x": "N, M, K"}), symgrad.Unsupported, "has 3 axes"),
    (lambda: symgrad.parse("z = x", {"x": {"shap": "N"}}), symgrad.SpecError, r"shapes: x takes no shap; did you mean shape\?"),
    (lambda: symgrad.parse("z = x", {"exp": "N"}), symgrad.SpecError, "exp is the name of a function"),
    (lambda: symgrad.parse("z = x", {"x": "N", "N": ""}), symgrad.SpecError, "N is the name of a symbol and of a dimension"),
    (lambda: symgrad.parse("z = x", {"x": "2 N"}), symgrad.SpecError, "shapes: x: '2 N' is not a name"),
    (lambda: symgrad.parse("z = x", functions={"exp": 1}), symgrad.SpecError, "exp is a known function"),
    (lambda: symgrad.parse("z = x", conventions={"relu_at_zer": 0}), symgrad.SpecError, r"takes no relu_at_zer; did you mean relu_at_zero\?"),
    (lambda: layer_of(LAYER).backward("z"), symgrad.ShapeError, r"of: z is \(K\); a scalar is needed"),
    (lambda: layer_of(LAYER).backward("M"), symgrad.SpecError, "of: there is no M"),
    (lambda: layer_of(LAYER).backward("L", ["V", "W"]), symgrad.SpecError, "wrt: there is no V"),
    (lambda: layer_of(LAYER).backward("L", ["W", "W"]), symgrad.SpecError, "wrt names W twice"),
    (lambda: layer_of(LAYER).gradient("L", ["W"]), symgrad.ShapeError, r"wrt: W is \(K, N\).*\"backward\""),
    (lambda: layer_of(LAYER).ask("bakward"), symgrad.SpecError, r"'bakward' is not a kind of question; did you mean backward\?"),
    (lambda: layer_of(LAYER).ask("backward", off="L"), symgrad.SpecError, r"needs of; backward needs wrt; backward takes no off; did you mean of\?"),
    (lambda: layer_of(LAYER).ask("backward", of="L", wrt=["W"], derivatives="both"), symgrad.SpecError, "derivatives: .*'kept'"),
    (lambda: symgrad.parse("L = x.T @ x", {"x": {"shape": "N", "role": "input"}}).backward("L"), symgrad.SpecError, "no variable is a parameter"),
    (lambda: layer_of(LAYER).given({"W": [[1, 2], [3]]}), symgrad.ShapeError, "values: .*differ in length"),
    (lambda: layer_of(LAYER).given({"W": [[1, 2], [3, 4]], "x": [1, 2, 3]}), symgrad.ShapeError, r"x is \(N\), found 3 x 1 numbers where N = 2"),
    (lambda: layer_of(LAYER).given({"V": 1}), symgrad.SpecError, "values: there is no V"),
    (lambda: layer_of(LAYER).given({"b": [1, float("nan")]}), symgrad.SpecError, "values: b: the number NaN is out of range"),
    (lambda: layer_of(LAYER).given({"b": object()}), symgrad.SpecError, "values: b: .*is not a number; write an int"),
    (lambda: layer_of(LAYER).given({"b": [True, False]}), symgrad.SpecError, "True is not a number"),
    (lambda: layer_of(LAYER).given({"h": [1, 2]}), symgrad.SpecError, "h is defined in the let-list"),
    (lambda: layer_of(LAYER).forward({"b": [1, 2]}), symgrad.Unsupported, "no value is given for W, x, t; state it in"),
    (lambda: symgrad.parse("L = relu(z)").gradient("L", ["z"], values={"z": 0}), symgrad.Unsupported, "relu' at its kink has no derivative"),
    (lambda: layer_of(LAYER).check_gradient("L", {"W": "z_bar @ y"}), symgrad.SpecError, "candidate for W: unknown name y"),
    (lambda: layer_of(LAYER).check_gradient("L", {"W": "z_bar @ x", "b": "q"}), symgrad.SpecErrors, "(?s)candidate for W.*candidate for b"),
    (lambda: layer_of(LAYER).check_gradient("L", {"Q": "z_bar"}), symgrad.SpecError, "there is no Q"),
    (lambda: layer_of(LAYER).check_gradient("z", {"W": "z_bar"}), symgrad.ShapeError, r"z is \(K\); a scalar is needed"),
    (lambda: layer_of(LAYER).check_gradient("L", {}), symgrad.SpecError, "give at least one"),
    (lambda: layer_of(LAYER).check_gradient("L", {"W": variable("Q", "K, N")}), symgrad.SpecError, "candidate for W: there is no Q"),
    (lambda: layer_of(LAYER).expression("z + q"), symgrad.SpecError, "unknown name q"),
    (lambda: layer_of(LAYER)["q"], symgrad.SpecError, "there is no q in the graph; it has"),
    (lambda: x + b, symgrad.ShapeError, r"x \+ b: sum: left is \(N\), right is \(K\)"),
    (lambda: (W @ x) * x, symgrad.ShapeError, r"W @ x \* x: entrywise product \(\*\): left is \(K\), right is \(N\).*for the matrix product write @"),
    (lambda: x[0], symgrad.SpecError, r"the index 0 is outside 1\.\.N; indices count from 1"),
    (lambda: x**x, symgrad.ShapeError, "the exponent must be a number"),
    (lambda: x / 0, symgrad.SpecError, "division by zero"),
    (lambda: x + "three", symgrad.SpecError, "'three' is not a decimal number"),
    (lambda: variable("sigmoid"), symgrad.SpecError, "sigmoid is the name of a function"),
    (lambda: variable("x", "N", role="inptu"), symgrad.SpecError, "the role 'inptu' is not one of input, parameter, given"),
    (lambda: define("2x", x), symgrad.SpecError, "'2x' is not a name"),
    (lambda: ops.function("relu"), symgrad.SpecError, "relu is a known function; use ops.relu"),
    (lambda: ops.trace(W), symgrad.ShapeError, r"trace takes a square matrix, found \(K, N\)"),
    (lambda: symgrad.graph(x), symgrad.SpecError, "x is no definition; give it a name"),
    (lambda: symgrad.graph(), symgrad.SpecError, "give at least one definition"),
    (lambda: symgrad.graph(L=ops.norm(x) + ops.norm(variable("x", "K"))), symgrad.SpecError,
     r"the name x has two meanings: a variable, \(N\), and a variable, \(K\)"),
    (lambda: symgrad.verify(RESIDUAL, {"format": 1}), symgrad.SpecError, "Certificate"),
    (lambda: symgrad.verify(RESIDUAL, 3), symgrad.SpecError, "3 is not a certificate|'3' is not a certificate"),  # type: ignore[arg-type]
    (lambda: symgrad.read("nothing.toml"), symgrad.SpecErrors, "nothing.toml: cannot be read"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda c: c[2][:40])
def test_errors(case: tuple[Callable[[], Any], type[Exception], str]) -> None:
    act, kind, message = case
    with pytest.raises(kind, match=message):
        act()


def test_an_expression_is_no_iterable() -> None:
    with pytest.raises(TypeError):
        list(x)


# ---- numbers from Python ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "exact"), [
    (3, 3), (0.1, Rational(1, 10)), (1e-3, Rational(1, 1000)), ("1/3", Rational(1, 3)), (Fraction(2, 7), Rational(2, 7)),
    (Decimal("-0.25"), Rational(-1, 4)),
    (Rational(5, 9), Rational(5, 9)), (np.float64(0.5), Rational(1, 2)),
    (np.int64(4), 4), (np.array(0.75), Rational(3, 4)), (np.float32(0.5), Rational(1, 2)),
])
def test_numbers_are_exact(given: Any, exact: Any) -> None:
    assert symgrad.parse("L = a").given({"a": given}).values[0].entries == ((exact,),)


def test_arrays_are_rows() -> None:
    g = layer_of(LAYER).given({"W": np.array([[1, 2], [3, 4]]), "x": np.array([0.5, 1.5]), "b": (1, "1/2")})
    found = {v.name: v.entries for v in g.values}
    assert found["W"] == ((1, 2), (3, 4))
    assert found["x"] == ((Rational(1, 2),), (Rational(3, 2),))
    assert found["b"] == ((1,), (Rational(1, 2),))
    assert g.given({"b": [0, 0]}).values[-1].entries == ((0,), (0,))  # a later value replaces


def test_conventions() -> None:
    g = symgrad.parse("L = relu(z)", conventions={"relu_at_zero": 0.5}, values={"z": 0})
    assert g.gradient("L", ["z"]).answers["z"].expr == Rational(1, 2)


# ---- what results show ------------------------------------------------------------------------------------------------------------


def test_a_solution_shows_itself(solution: symgrad.Solution) -> None:
    html = solution._repr_html_()
    assert html.startswith("<style>")
    assert "<math" in html
    assert "<svg" in html
    assert "<html" not in html
    assert "<script" not in html
    assert solution._repr_latex_().startswith("$$\n\\begin{aligned}")
    assert r"\bar{\mathbf{x}} &=" in solution._repr_latex_()
    assert solution._repr_markdown_() == solution.markdown()
    assert "| Node | Definition | Shape |" in solution.markdown()
    assert solution.latex().startswith(r"\documentclass")
    assert solution.html("question").startswith("<!DOCTYPE html>")
    assert str(solution) == solution.text().rstrip()
    assert ">>> x\u0304 = W_1ᵀ z\u0304 + y\u0304" in str(solution)
    first, *lines = repr(solution).splitlines()
    assert first == "Backpropagation from L: 13 steps, 13 proved"
    assert "  x_bar = W1.T @ z_bar + y_bar" in lines
    assert lines[-1].startswith("  Compared with finite differences at 3 random points, N = 3, K = 2")
    with pytest.raises(symgrad.SpecError, match="'answers' is not a view; there are question, solution, marking"):
        solution.html("answers")


def test_the_question_view_holds_no_answer(solution: symgrad.Solution) -> None:
    for format in ("html", "latex", "markdown", "text"):
        question, answer = (getattr(solution, format)(view) for view in ("question", "solution"))
        for word in ("finite differences", "sum over consumers"):
            assert word in answer
            assert word not in question


def test_a_model_shows_itself(model: symgrad.Model) -> None:
    assert repr(model).splitlines()[0] == "# (N): x, b2, s"
    assert "S = 1/2 * norm(y - s)^2" in str(model)
    assert "<svg" in model._repr_html_()
    assert r"\mathbf{z} &=" in model._repr_latex_()
    assert "| Node | Definition | Shape |" in model._repr_markdown_()
    long = symgrad.parse("\n".join(f"a{i} = a{i - 1} + 1" if i else "a0 = w" for i in range(100)))
    assert repr(long).endswith("... 42 more lines")
    assert len(repr(long).splitlines()) == 60
    assert len(str(long).splitlines()) == 101


def test_an_expression_shows_itself() -> None:
    e = ops.sigmoid(W @ x + b)
    assert repr(e) == str(e) == "sigmoid(W @ x + b)"
    assert e._repr_latex_() == r"$\sigma\left(\mathbf{W} \mathbf{x} + \mathbf{b}\right)$"


def test_sheets_are_written_as_the_command_writes_them(tmp_path: Path) -> None:
    from symgrad.pipeline import solve_file

    symgrad.solve(RESIDUAL).write(tmp_path / "api")
    solve_file(RESIDUAL, tmp_path / "command", ("html", "latex", "markdown", "json"))
    written = sorted(p.name for p in (tmp_path / "api").iterdir())
    assert written == sorted(p.name for p in (tmp_path / "command" / "residual-mlp").iterdir())
    assert "certificate.json" in written
    for name in written:
        if not name.startswith("marking"):  # only there does [expected] speak
            assert (tmp_path / "api" / name).read_bytes() == (tmp_path / "command" / "residual-mlp" / name).read_bytes()


# ---- certificates ------------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_verified_and_a_forged_one_refused(solution: symgrad.Solution) -> None:
    again = symgrad.verify(solution.problem, solution.certificate)
    assert again.holds
    assert again.claims == 13
    entries = list(solution.certificate.entries)
    k = next(i for i, e in enumerate(entries) if e.label == "y_bar")
    claim = entries[k].claim
    assert isinstance(claim, Adjoint)
    entries[k] = dataclasses.replace(entries[k], claim=dataclasses.replace(claim, expr=-claim.expr))
    forged = symgrad.verify(solution.problem, dataclasses.replace(solution.certificate, entries=tuple(entries)))
    assert not forged.holds
    assert any("y_bar: refuted" in c for c in forged.complaints)


def test_a_certificate_of_another_question_is_refused(model: symgrad.Model, solution: symgrad.Solution) -> None:
    other = symgrad.parse(TEXT.replace("1/2 * norm", "norm"), SHAPES).backward("L", ["x"])
    found = symgrad.verify(other.problem, solution.certificate)
    assert any("it was edited since" in c for c in found.complaints)


# ---- the front door ------------------------------------------------------------------------------------------------------------------


def test_public_names() -> None:
    assert set(symgrad.__all__) == {*api.__all__, "__version__"}
    assert dir(symgrad) == sorted(symgrad.__all__)
    for name in symgrad.__all__:
        assert getattr(symgrad, name) is not None
    with pytest.raises(AttributeError, match="module 'symgrad' has no attribute 'sovle'; there are "):
        symgrad.sovle  # noqa: B018


def test_the_listed_functions_are_there() -> None:
    assert all(callable(getattr(ops, name)) for name in ops.__all__)


def test_answers_are_written_as_a_let_list_reads_them() -> None:
    model = symgrad.parse("L = x[2]^2", {"x": "N"})
    answer = model.backward("L", "x").answers["x_bar"]
    assert str(answer) == "2 * x[2] * onehot(2, N)"
    assert model.check_gradient("L", {"x": str(answer)})


def test_a_number_may_be_given_as_a_matrix_of_one_entry() -> None:
    f = symgrad.parse("L = A * sum(x)", {"A": "1, 1", "x": "N"}).lambdify("L")
    assert f(A=[[3.0]], x=[1.0, 2.0])["L"] == 9


@pytest.mark.parametrize("name", ["rnn-any-length", "lstm-any-length", "mlp-any-depth"])
def test_equations_of_any_length_are_those_that_expected_reads(name: str) -> None:
    """What Python prints is put into the problem file as [expected], and agrees; with a sign turned it does not."""
    path = RESIDUAL.with_name(f"{name}.toml")
    found = symgrad.solve(path).equations
    assert found["L_bar"] == "1" and any("_bar[" in k for k in found) and len(found) >= 7
    text = path.read_text("utf-8")
    text = text[:text.index("[expected]")]
    for sign, said in (("", "yes"), ("-", "no")):
        rows = "\n".join(f'"a.{k}" = "{sign}({e})"' for k, e in found.items() if k != "L_bar")
        problem, expected = read_text(f"{text}\n[expected]\n{rows}\n", path.name)
        (row,) = summary(solve(problem, expected))
        assert row.expected.startswith(said)
    assert row.expected.count(",") == len(found) - 2  # every one of them


def test_equations_of_a_graph_as_it_stands() -> None:
    s = symgrad.parse("z = W @ x\nL = 1/2 * norm(z)^2", shapes={"W": "K, N", "x": "N"}).backward("L", wrt=["W"])
    assert s.equations == {"L_bar": "1", "z_bar": "z", "W_bar": "z_bar @ x.T"}
    s = symgrad.solve(RESIDUAL.with_name("rnn-any-length.toml"))
    assert "for every T:" in repr(s) and all(f"{k} = {e}" in repr(s) for k, e in s.equations.items())
    assert r"\sum" in s._repr_latex_() and r"\mathbf{h}_{t-1}^{\top}" in s._repr_latex_()


def test_a_slope_taken_of_the_output_is_undecided_in_words() -> None:
    """relu'(h) for relu'(z), an everyday slip: the two differ by what the slope at 0 is, and the message says it in the model's words."""
    model = symgrad.parse("z = w * x\nh = relu(z)\nL = v * h")
    found = str(model.check_gradient("L", {"x": "v * relu'(h) * w"}))
    assert "undecided: no derivative exists at the kink of max(relu(z), 0); fix one in [conventions]" in found


def test_families_from_python() -> None:
    """The lengths of the indices beside the shapes; members are W_1, W_2 then, and what is joined prints as it is written."""
    shapes = {"X": "N, D", "W": {"shape": "D, K", "each": "i"}, "V": "3*K, D", "T": "N, D", "b": "2"}
    text = "A[i] = tanh(X @ W[i])\nC = hstack(A[i])\nz = concat(sum(A[i], i)[1, 1], b)\nL = 1/2 * norm(C @ V - T)^2 + z[3]^2"
    g = symgrad.parse(text, shapes, latex={"A": "a"}, indices={"i": 3})
    assert "C = hstack(A_1, A_2, A_3)\n" in repr(g) and g.graph["A_2"].latex == "a_{2}" and "W_3" in g.graph
    s = g.backward("L", wrt=["W_2", "V"])
    assert s.proved and str(s.answers["V_bar"]) == "C.T @ (C @ V - T)" and s.steps[-1].verdict.domain == "for all N, D, K"
    assert "A_2_bar = C_bar[:, K + 1:2*K]" in repr(s.graph)
    assert "proved equal" in str(g.check_gradient("L", {"V": "C.T @ (C @ V - T)"}))
    run = s.lambdify()
    random = np.random.default_rng(0)
    v = {"X": random.normal(size=(4, 2)), **{f"W_{i}": random.normal(size=(2, 3)) for i in (1, 2, 3)}, "V": random.normal(size=(9, 2)),
         "T": random.normal(size=(4, 2)), "b": random.normal(size=2)}
    joined = np.concatenate([np.tanh(v["X"] @ v[f"W_{i}"]) for i in (1, 2, 3)], 1)
    assert np.allclose(run(**v)["V_bar"], joined.T @ (joined @ v["V"] - v["T"]))


@pytest.mark.parametrize(("indices", "shape", "said"), [
    ({"i": "H"}, {"each": "i"}, 'indices: i with a name for its length, which a problem file can have: \\[indices\\] i = "H"'),
    ({}, {"each": "i"}, "W: each = 'i' goes with the lengths of the indices"), ({"i": 0}, {"each": "i"}, "indices.i: 0 is not between 1 and 200"),
    ({"j": 2}, {"each": "i"}, "each of W: the indices are j"), ({"i": 2}, {"each": "i", "value": 3}, "W has one value for every i"),
    ({"i": 2}, {"each": 3}, "shapes: W"),
])
def test_wrong_families_from_python(indices: dict[str, Any], shape: dict[str, Any], said: str) -> None:
    with pytest.raises((symgrad.SpecError, symgrad.Unsupported), match=said):
        symgrad.parse("L = sum(W[i]^2)", {"W": shape}, indices=indices)
