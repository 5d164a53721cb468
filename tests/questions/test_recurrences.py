"""The backward recursion for every length: run backwards in time at lengths from 1 to 5 it gives the gradients of finite differences and PyTorch."""

from __future__ import annotations

import re
from functools import reduce
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import pytest
from sympy import Integer

from symgrad.language import sequence as Q
from symgrad.language import vectors as v
from symgrad.language.claims import Recurrence
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.numeric.compiled import compile_graph
from symgrad.pipeline import solve
from symgrad.reader.read import read_text
from tests.sequences import CENTRED, DEEP, LSTM, MEAN, MIXED, RNN, SCALAR, Loss, Values, assert_gradients, sigmoid


def rnn(p: Values, length: int, m: Any) -> Any:
    h, loss = p["h0"], 0.0
    for t in range(1, length + 1):
        h = m.tanh(p["W"] @ h + p["U"] @ p[f"x_{t}"] + p["b"])
        loss = loss + ((p["V"] @ h - p[f"y_{t}"]) ** 2).sum() / 2
    return loss


def lstm(p: Values, length: int, m: Any) -> Any:
    h, c = p["h0"], p["c0"]
    for t in range(1, length + 1):
        x = p[f"x_{t}"]
        i, f = sigmoid(m, p["A"] @ h + p["F"] @ x), sigmoid(m, p["B"] @ h + p["G"] @ x)
        o, g = sigmoid(m, p["C"] @ h + p["F"] @ x), m.tanh(p["E"] @ h + p["G"] @ x)
        c = f * c + i * g
        h = o * m.tanh(c)
    return ((h - p["y"]) ** 2).sum() / 2


def deep(p: Values, depth: int, m: Any) -> Any:
    h = p["h0"]
    for k in range(1, depth + 1):
        h = h + sigmoid(m, p[f"W_{k}"] @ h + p[f"b_{k}"])
    return ((h - p["y"]) ** 2).sum() / 2


def mixed(p: Values, length: int, m: Any) -> Any:
    """A loss at every step and one of its own at the last, a nonlinear function of their sum, a penalty, a state that is computed."""
    h, total = m.tanh(p["B"] @ p["v"]), 0.0
    for t in range(1, length + 1):
        o = sigmoid(m, p["O"] @ h)
        h = m.tanh(p["W"] @ h + p[f"x_{t}"])
        total = total + (h * h).sum() / 2
        o = sigmoid(m, p["O"] @ h)
    return total**2 + ((o - p["y"]) ** 2).sum() + (p["W"] ** 2).sum() / 4


def scalars(p: Values, length: int, m: Any) -> Any:
    h, q = p["h0"], 0.0
    for t in range(1, length + 1):
        x = p[f"x_{t}"]
        h = p["a"] * h + p["b"] * m.tanh(x * h * h)
        q = q + (h - x) ** 2
    return q * h**2


def mean(p: Values, length: int, m: Any) -> Any:
    h, loss = p["h0"], p["c"] * (p["W"] ** 2).sum()
    for t in range(1, length + 1):
        h = h + m.tanh(p["W"] @ h + p["U"] @ p[f"x_{t}"]) / length
        loss = loss + (((h - p[f"y_{t}"]) ** 2).sum() + p["c"] * (h * h).sum()) / length
    return loss + (h * h).sum() / length


def centred(p: Values, length: int, m: Any) -> Any:
    states = [p["h0"]]
    for t in range(1, length + 1):
        states.append(m.tanh(p["W"] @ states[-1] + p["U"] @ p[f"x_{t}"]))
    centre, g = sum(states[1:]) / length, 0.0
    for h in states[1:]:
        g = g + ((h - centre) ** 2).sum() / (centre**2).sum()
    return g


def recursion(problem: Problem, claims: list[Recurrence], written: Graph, length: int) -> Graph:
    """The graph written out for a length, with the adjoints that the general equations define, from the last step to the first."""
    sequence = problem.sequence
    assert sequence is not None
    nodes: dict[str, Node] = {}

    def put(c: Recurrence, by: int) -> None:
        name = f"{sequence.moved_name(c.node, by)}_bar"
        nodes[name] = Node(name, sequence.moved(c.expr, by))

    for c in claims:
        if c.when == Q.ONCE and not any(n.endswith("_bar") and n not in nodes for n in v.names_in(c.expr)):
            put(c, length - 3)
    for t in range(length, 0, -1):
        for c in claims:
            if c.when == Q.EVERY or (c.when == Q.EARLIER and t < length):
                put(c, t - 2)
            elif c.when == Q.LAST and t == length and sequence.split(c.node):
                put(c, length - 3)
    for c in claims:
        if f"{c.node}_bar" in nodes:
            continue
        if c.when == Q.SUM:
            assert c.rest is not None
            terms = [sequence.moved(c.expr, t - 2) for t in range(1, length + 1)]
            rest = [] if c.rest == 0 else [sequence.moved(c.rest, length - 3)]
            nodes[f"{c.node}_bar"] = Node(f"{c.node}_bar", reduce(v.add, [*terms, *rest]))
        elif c.when == Q.FIRST:
            put(c, 0)
        elif sequence.split(c.node) is None:
            nodes[f"{c.node}_bar"] = Node(f"{c.node}_bar", sequence.moved(c.expr, length - 3))
    return written.extended(in_order({n.name: n for n in (*forward(problem, length), *nodes.values()) if n.name not in written}))


def forward(problem: Problem, length: int) -> list[Node]:
    """The definitions of a problem with a symbolic length at a number of steps; the number of steps is one of them."""
    sequence, graph = problem.sequence, problem.graph
    assert sequence is not None
    found = [Node(sequence.length, Integer(length))] if sequence.length in graph else []
    for name in graph.names:
        node, at = graph[name], sequence.split(name)
        if not isinstance(node, Node):
            continue
        if at is None and (term := sequence.total(graph, node)):
            found.append(Node(name, reduce(v.add, [sequence.moved(graph.symbol(f"{term}_2"), k - 2) for k in range(1, length + 1)])))
        elif at is None:
            found.append(Node(name, sequence.moved(node.expr, length - 3)))
        elif at[1] == 2:
            found += [Node(sequence.moved_name(name, k - 2), sequence.moved(node.expr, k - 2)) for k in range(1, length + 1)]
    return found


def in_order(nodes: dict[str, Node]) -> list[Node]:
    """The nodes, each after those it uses."""
    order = TopologicalSorter({n: set(v.names_in(node.expr)) & set(nodes) for n, node in nodes.items()})
    return [nodes[n] for n in order.static_order()]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("text", "loss"), [(RNN, rnn), (LSTM, lstm), (DEEP, deep), (MIXED, mixed), (SCALAR, scalars), (MEAN, mean),
                                            (CENTRED, centred)])
def test_the_recursion_gives_the_gradients(text: str, loss: Loss, length: int) -> None:
    problem, _ = read_text(text, "sequence.toml")
    result = solve(problem)
    (part,) = result.parts
    assert part.derivation is not None, part.failure
    assert all(verdict.ground is Ground.PROVED for verdict in part.verdicts.values())
    claims = [s.claim for s in part.derivation.steps if isinstance(s.claim, Recurrence)]
    of_length = text.replace('length = "T"', f"length = {length}").replace("h[T]", "h[last]")
    of_length = of_length.replace("1/T", f"1/{length}").replace("/ T", f"/ {length}")
    given, _ = read_text(re.sub(r"wrt = .*", 'wrt = "parameters"', of_length), "sequence.toml")
    graph = recursion(problem, claims, given.graph, length)
    sizes = {"K": 3, "D": 2, "M": 2}
    random = np.random.default_rng(length)
    values = {x.name: np.asarray(random.normal(size=[sizes[str(d)] for d in x.shape if d != 1])) for x in given.graph.variables}
    asked = [n for n in values if f"{n}_bar" in graph]
    assert len(asked) >= 3 and set(asked) >= {n for n in values if n.startswith(("W", "x_", "a"))}
    found = compile_graph(graph, tuple(f"{n}_bar" for n in asked))(values)
    assert_gradients(loss, values, length, {n: found[f"{n}_bar"] for n in asked})


@pytest.mark.parametrize(("old", "new", "said"), [
    ("L = sum(l[t])", "q[t] = norm(p[t-1])^2\nr[t] = q[t-1]\nL = r[last]", "in a way that is not the same for every number of steps"),
    ("+ b", "+ b + h0", "h0 as the state before the first step and in other places"),
    ('W = "K, K"', 'W = { shape = "K, K", structure = "symmetric" }', "a structured variable in a sequence of symbolic length"),
    ('of = "L"', 'of = "l[last]"', "the derivative of one step of a sequence of symbolic length"),
    ('wrt = ["W"', 'closed_form = ["W"]\nwrt = ["W"', "components and closed forms of a sequence of symbolic length"),
])
def test_what_is_not_the_same_for_every_length_is_unsupported(old: str, new: str, said: str) -> None:
    text = RNN.replace(old, new, 1)
    if "p[t-1]" in new:
        text = text.replace("L = sum", "p0 = b\nL = sum").replace("q[t] =", "p[t] = x[t]\nq0 = 0 * norm(b)\nq[t] =")
        text = text.replace("p0 = b\n", "").replace("p[t] = x[t]", "p0 = U.T @ b\np[t] = x[t]")
    problem, _ = read_text(text, "rnn.toml")
    (part,) = solve(problem).parts
    assert part.derivation is None and "unsupported" in part.failure and said in part.failure, part.failure
