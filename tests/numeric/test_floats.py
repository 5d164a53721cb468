"""One point of a scalar graph written straight from its definitions, against the general way and finite differences."""

from __future__ import annotations

import math
import random

import pytest
from sympy import Add, Expr, Integer, Mul, Pow, Rational

from symgrad.language.errors import SpecError
from symgrad.language.functions import Call, Fn, Function, call, scalar, unknown
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Conventions
from symgrad.numeric import CompiledFunction, compile_graph, compiled, finite_difference
from symgrad.rules.adjoints import accumulate

NAMES = ("a", "b", "c", "d")


def graph(*nodes: tuple[str, Expr], functions: tuple[Function, ...] = ()) -> Graph:
    return Graph(tuple(map(Variable, NAMES)), tuple(Node(n, e) for n, e in nodes), functions)


def direct(f: CompiledFunction) -> bool:
    return "a = get(d)" in f.source


def generally(g: Graph, outputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, conventions: Conventions | None = None) -> CompiledFunction:
    """The same function by the general way."""
    with monkeypatch.context() as m:
        m.setattr(compiled, "float_text", lambda *_: None)
        f = compile_graph(g, outputs, conventions=conventions)
    assert not direct(f)
    return f


def random_expr(rng: random.Random, names: list[str], depth: int) -> Expr:
    """Sums, products, quotients, powers and functions, built as they come, nothing evaluated."""

    def inner() -> Expr:
        return random_expr(rng, names, depth - 1)

    if depth == 0 or rng.random() < 0.2:
        return scalar(rng.choice(names)) if rng.random() < 0.8 else rng.choice([Integer(2), Integer(-3), Rational(1, 2), Rational(-5, 4)])
    match rng.randrange(9):
        case 0 | 1:
            return Add._from_args([inner() for _ in range(rng.randint(2, 4))])
        case 2 | 3:
            return Mul._from_args([inner() for _ in range(rng.randint(2, 3))])
        case 4:
            return Mul._from_args([Integer(-1), inner()])
        case 5:
            return Pow(inner(), rng.choice([-2, -1, 2, 3, 4]), evaluate=False)
        case 6:
            return Add._from_args([inner(), Mul._from_args([Integer(-1), inner(), inner()])])
        case 7:
            return Mul._from_args([inner(), Pow(inner(), -1, evaluate=False)])
    return call(rng.choice(["sigmoid", "tanh", "exp", "relu", "step"]), inner())


def test_random_graphs_agree_with_the_general_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    compared = 0
    for _ in range(60):
        names = list(NAMES)
        nodes = []
        for k in range(6):
            nodes.append((f"n{k}", random_expr(rng, names, 3)))
            names.append(f"n{k}")
        g = graph(*nodes)
        outputs = tuple(rng.sample([n for n, _ in nodes], 3))
        f, slow = compile_graph(g, outputs), generally(g, outputs, monkeypatch)
        if not direct(f):  # a number 0, say
            continue
        assert f.inputs == slow.inputs
        for _ in range(5):
            point = {n: rng.uniform(-2, 2) for n in f.inputs}
            found, expected = f(point), slow(point)
            for name in outputs:
                if math.isfinite(expected[name]) and abs(expected[name]) < 1e6:
                    assert found[name] == pytest.approx(expected[name], rel=1e-8, abs=1e-8), (g, name, f.source)
                    compared += 1
    assert compared > 400


def test_gradients_agree_with_finite_differences() -> None:
    a, b, c, d = map(scalar, NAMES)
    g = graph(("z", a * b + c), ("h", call("sigmoid", scalar("z"))), ("u", call("tanh", d * scalar("h") + a)), ("r", call("relu", scalar("u") - b)),
              ("L", (scalar("r") - scalar("h")) ** 2 + scalar("u") / (1 + scalar("h") ** 2)))
    g = g.extended(tuple(Node(f"{name}_bar", found.expr) for name, found in accumulate(g, "L", NAMES).items()))
    f = compile_graph(g, ("L", *(f"{n}_bar" for n in NAMES)))
    point = {"a": 0.7, "b": -1.3, "c": 0.4, "d": 1.9}
    for name in NAMES:
        assert f(point)[f"{name}_bar"] == pytest.approx(float(finite_difference(f, point, "L", name)), rel=1e-6)


def test_kinks_follow_the_conventions() -> None:
    g = graph(("r", call("relu", scalar("a"))), ("s", Call(Fn("relu", (1,)), scalar("a"))), ("t", call("step", scalar("a"))))
    f = compile_graph(g, ("r", "s", "t"), conventions=Conventions(relu_at_zero=Rational(1, 2), step_at_zero=Integer(0)))
    assert direct(f)
    assert f(a=0.0) == {"r": 0.0, "s": 0.5, "t": 0.0}
    assert f(a=2.0) == {"r": 2.0, "s": 1.0, "t": 1.0} and f(a=-2.0) == {"r": 0.0, "s": 0.0, "t": 0.0}


def test_aliases_numbers_variables_and_repeated_outputs() -> None:
    a, b = scalar("a"), scalar("b")
    g = graph(("s", a + b), ("same", scalar("s")), ("three", Integer(3)), ("t", scalar("three") * scalar("same")))
    f = compile_graph(g, ("same", "three", "a", "t", "s", "t"))
    assert direct(f) and f(a=1.0, b=2.0) == {"same": 3.0, "three": 3.0, "a": 1.0, "t": 9.0, "s": 3.0}
    assert all(type(x) is float for x in f(a=1, b=2).values())
    one = compile_graph(graph(("t", a + 1)), ("t",))
    assert direct(one) and one.inputs == ("a",) and one(a=1.0) == {"t": 2.0}
    given = compile_graph(g, ("t",), inputs=("same", "three"))
    assert direct(given) and given(same=2.0, three=5.0) == {"t": 10.0}


def test_other_numbers_arrays_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    a, b = scalar("a"), scalar("b")
    f = compile_graph(graph(("t", a * b + 1)), ("t",))
    assert direct(f)
    assert f(a=2, b=Rational(1, 2)) == f(a=2.0, b=0.5, c=7.0) == {"t": 2.0}
    assert f(a=np.array([1.0, 2.0]), b=3.0)["t"].tolist() == [4.0, 7.0]
    with pytest.raises(SpecError, match="no value for b"):
        f(a=1.0)
    with pytest.raises(SpecError, match="there is no q"):
        f(a=1.0, b=1.0, q=1.0)


def test_what_floats_raise_becomes_inf_and_nan() -> None:
    a = scalar("a")
    f = compile_graph(graph(("t", 1 / a), ("u", call("exp", a)), ("w", call("log", a))), ("t", "u", "w"))
    assert direct(f)
    assert f(a=0.0)["t"] == math.inf and f(a=1000.0)["u"] == math.inf and math.isnan(f(a=-1.0)["w"])
    assert compile_graph(graph(("h", call("sigmoid", a))), ("h",))(a=-1000.0)["h"] == pytest.approx(0)


@pytest.mark.parametrize("nodes", [
    (("t", call("softplus", scalar("a"))),),
    (("t", Pow(scalar("a"), scalar("b"))),),
    (("t", Pow(scalar("a"), Rational(1, 3))),),
    (("zero", Integer(0)), ("t", scalar("zero") * scalar("a"))),
    (("t", Mul._from_args((Integer(0), scalar("a")))),),
    (("t", Call(Fn("sigmoid", (1,)), scalar("a"))),),
])
def test_what_this_way_does_not_write_goes_the_general_way(nodes: tuple[tuple[str, Expr], ...]) -> None:
    f = compile_graph(graph(*nodes), ("t",))
    assert not direct(f)
    assert math.isfinite(f(dict.fromkeys(f.inputs, 1.5))["t"])


def test_a_function_of_the_problem_is_not_taken_for_the_known_one_of_its_name() -> None:
    g = graph(("t", call("sigmoid", scalar("a"))), functions=(unknown("sigmoid", 1),))
    f = compile_graph(g, ("t",), functions={"sigmoid": lambda z: 3 * z})
    assert not direct(f) and f(a=2.0) == {"t": 6.0}


def test_shared_parts_are_written_once() -> None:
    e: Expr = scalar("a")
    for _ in range(40):  # 2**40 terms if it were written out
        e = Add._from_args((e, e))
    f = compile_graph(graph(("t", e)), ("t",))
    assert direct(f) and f(a=1.0) == {"t": 2.0**40}
