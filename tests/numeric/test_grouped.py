"""One packed point in vector code, against the same definitions one by one in floats, and against finite differences."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from sympy import Expr, Integer, Rational

from symgrad.language.errors import ShapeError, Unsupported
from symgrad.language.functions import Call, Fn, Function, call, scalar, unknown
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Conventions
from symgrad.numeric import compile_graph
from symgrad.numeric.compiled import GROUPED, _needed
from symgrad.numeric.grouped import Elsewhere, grouped, known_rows
from symgrad.rules.adjoints import accumulate
from tests.benchmarks.networks import parameters, scalar_net, with_adjoints


def vector(g: Graph, outputs: tuple[str, ...], conventions: Conventions | None = None) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    nodes, variables, used = _needed(g, outputs, None)
    return grouped(g, nodes, variables, outputs, used, conventions or Conventions())


def compared(g: Graph, outputs: tuple[str, ...], seed: int = 0) -> str:
    """The text, after a comparison with floats at five points."""
    text, run = vector(g, outputs)
    f = compile_graph(g, outputs)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        x = rng.normal(size=len(f.inputs))
        expected = f(dict(zip(f.inputs, x.tolist(), strict=True)))
        np.testing.assert_allclose(run(x), [expected[n] for n in outputs], rtol=1e-9, atol=1e-12, err_msg=f"{g}\n{text}")
    return text


def with_gradient(g: Graph, of: str) -> tuple[Graph, tuple[str, ...]]:
    wrt = tuple(v.name for v in g.variables)
    found = accumulate(g, of, wrt)
    return g.extended(tuple(Node(f"{n}_bar", a.expr) for n, a in found.items())), (of, *(f"{n}_bar" for n in wrt))


def layered(rng: random.Random, spoil: str = "") -> tuple[Graph, tuple[str, ...]]:
    """A random network of scalars with its gradient; `spoil` breaks the pattern that lets its affine nodes be grouped."""
    variables: list[str] = [f"x{i}" for i in range(rng.randint(2, 4))]
    below = list(variables)
    nodes: list[Node] = []

    def variable(name: str) -> Expr:
        if name not in variables:
            variables.append(name)
        return scalar(name)

    for layer in range(rng.randint(1, 3)):
        names = []
        for j in range(rng.randint(2, 4)):
            inputs = below[:-1] if spoil == "inputs" and j == 0 and len(below) > 2 else below
            terms = [variable(f"w{layer}{0 if spoil == 'shared' else j}{i}") * scalar(x) for i, x in enumerate(inputs)]
            if spoil == "coefficient" and j == 1:
                terms[0] = 2 * terms[0]
            if spoil == "two constants" and j == 1:
                terms.append(variable(f"c{layer}{j}"))
            z = sum(terms, Integer(0)) if spoil == "no constant" and j == 0 else sum(terms, variable(f"b{layer}{j}"))
            nodes.append(Node(f"z{layer}{j}", z))
            activation = rng.choice(["sigmoid", "tanh", "relu"]) if spoil == "activations" else "sigmoid"
            names.append(f"h{layer}{j}")
            nodes.append(Node(names[-1], call(activation, scalar(f"z{layer}{j}"))))
        below = names
    nodes.append(Node("L", sum((scalar(n) * scalar(n) / 2 for n in below), Integer(0))))
    return with_gradient(Graph(tuple(map(Variable, variables)), tuple(nodes)), "L")


@pytest.mark.parametrize("spoil", ["", "inputs", "activations", "no constant", "coefficient", "two constants", "shared"])
def test_random_networks_agree_with_floats(spoil: str) -> None:
    rng = random.Random(3)
    for seed in range(8):
        compared(*layered(rng, spoil), seed)


def test_the_affine_nodes_of_a_layer_are_one_product() -> None:
    plain = scalar_net(4, 3).graph
    wrt = parameters(plain)
    g = with_adjoints(plain, "Loss", wrt)
    text = compared(g, ("Loss", *(f"{w}_bar" for w in wrt)))
    assert text.count("dot(") == 4 + 2  # forward; backward through all layers but the first, the last having a single unit
    assert text.count("take(") == 2 + 1  # both factors of all outer products, and the results


def test_affine_nodes_of_different_inputs_are_different_products() -> None:
    names = ("a", "b", "c", "d", "u", "v", "s", "t")
    a, b, c, d, u, v, s, t = map(scalar, names)
    g = Graph(tuple(map(Variable, names)), (Node("p", a * u + b * v), Node("q", c * u + d * v), Node("r", a * s + b * t)))
    assert compared(g, ("p", "q", "r")).count("dot(") == 2


def test_gradients_agree_with_finite_differences() -> None:
    g, outputs = layered(random.Random(11))
    _, run = vector(g, outputs)
    x = np.random.default_rng(1).normal(size=len(outputs) - 1)
    found = run(x).copy()
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = 1e-6
        assert found[1 + i] == pytest.approx((run(x + step)[0] - run(x - step)[0]) / 2e-6, rel=1e-5, abs=1e-8)


def test_what_is_returned_is_not_overwritten_by_the_next_call() -> None:
    g, outputs = layered(random.Random(5))
    _, run = vector(g, outputs)
    first = run(np.ones(len(outputs) - 1))
    before = first.copy()
    run(np.zeros(len(outputs) - 1))
    assert np.array_equal(first, before)


def test_entrywise_definitions_aliases_and_numbers() -> None:
    a, b = scalar("a"), scalar("b")
    nodes = (
        Node("three", Integer(3)), Node("same", a), Node("p", -a), Node("q", 2 - a - b * Rational(1, 2)), Node("r", -2 * a * b / (1 + b**2)),
        Node("s", 1 / b), Node("t", a**3 * scalar("three")), Node("u", call("tanh", a) - call("exp", -scalar("same"))), Node("w", -a - b),
        Node("k", call("relu", a - b)), Node("m", call("step", b)), Node("n", a**2 - b**4), Node("o", -a / b),
    )
    compared(Graph((Variable("a"), Variable("b")), nodes), tuple(n.name for n in nodes))


def test_kinks_overflow_and_division_by_zero() -> None:
    a = scalar("a")
    nodes = (Node("r", Call(Fn("relu", (1,)), a)), Node("s", call("step", a)), Node("t", 1 / a), Node("h", call("sigmoid", -1000 + a)))
    g = Graph((Variable("a"),), nodes)
    _, run = vector(g, ("r", "s", "t", "h"), Conventions(relu_at_zero=Rational(1, 2), step_at_zero=Integer(0)))
    with np.errstate(all="raise"):
        assert run(np.zeros(1)).tolist() == [0.5, 0.0, np.inf, 0.0]


@pytest.mark.parametrize("expr", [call("softplus", scalar("a")), scalar("a") ** Rational(1, 3), Call(Fn("sigmoid", (1,)), scalar("a"))])
def test_what_this_way_does_not_write_is_left_to_the_other(expr: Expr) -> None:
    with pytest.raises(Elsewhere):
        vector(Graph((Variable("a"),), (Node("t", expr),)), ("t",))
    with pytest.raises(Elsewhere):  # 0 times an infinity is 0 there
        vector(Graph((Variable("a"),), (Node("zero", Integer(0)), Node("t", scalar("zero") * scalar("a")))), ("t",))


def test_a_function_of_the_problem_is_not_taken_for_the_known_one_of_its_name() -> None:
    assert not known_rows(Graph((Variable("a"),), (), (unknown("sigmoid", 1),)))
    names = [f"x{i}" for i in range(GROUPED + 1)]
    rows: tuple[Function, ...] = (unknown("sigmoid", 1),)
    g = Graph(tuple(map(Variable, names)), tuple(Node(f"y{i}", call("sigmoid", scalar(n))) for i, n in enumerate(names)), rows)
    f = compile_graph(g, tuple(f"y{i}" for i in range(len(names))), functions={"sigmoid": lambda z: 3 * z})
    assert f.packed(np.ones(len(names))).tolist() == [3.0] * len(names) and not f.packed_source


def test_packed_takes_arrays_of_the_right_length_in_either_way() -> None:
    for width, in_vectors in ((2, False), (8, True)):
        plain = scalar_net(width, 4).graph
        wrt = parameters(plain)
        f = compile_graph(with_adjoints(plain, "Loss", wrt), ("Loss", *(f"{w}_bar" for w in wrt)))
        x = np.random.default_rng(2).normal(size=len(f.inputs))
        expected = f(dict(zip(f.inputs, x.tolist(), strict=True)))
        np.testing.assert_allclose(f.packed(x), list(expected.values()), rtol=1e-10)
        assert bool(f.packed_source) == in_vectors
        with pytest.raises(ShapeError, match="packed values"):
            f.packed(x[:-1])
    irregular = Graph(tuple(Variable(f"x{i}") for i in range(GROUPED + 1)),
                      tuple(Node(f"y{i}", scalar(f"x{i}") ** 2 + (scalar(f"y{i - 1}") if i else 1)) for i in range(GROUPED + 1)))
    f = compile_graph(irregular, (f"y{GROUPED}",))
    assert f.packed(np.ones(GROUPED + 1)).tolist() == [GROUPED + 2.0] and not f.packed_source
    vectors = Graph((Variable("x", (Integer(3), Integer(1))),), (Node("y", Variable("x", (Integer(3), Integer(1))).symbol * 2),))
    with pytest.raises(Unsupported, match="no scalar"):
        compile_graph(vectors, ("y",)).packed(np.ones(3))
