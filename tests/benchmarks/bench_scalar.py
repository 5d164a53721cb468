"""Scalar graphs: compiling the gradient, one point, and 10,000 points, against CPython's compile, lambdify, CasADi and NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sympy import exp, lambdify

from symgrad.language.functions import Call
from symgrad.language.graph import Graph
from symgrad.numeric import compile_graph
from tests.benchmarks.networks import casadi_net, parameters, scalar_net, with_adjoints
from tests.benchmarks.timing import Row, best


def by_hand(depth: int, x: Any, target: float, Ws: list[Any], bs: list[Any]) -> Callable[[], object]:
    """Forward and backward in NumPy; x is one point (width,) or many (points, width)."""
    def one() -> object:
        hs = [x]
        for k in range(depth + 1):
            z = np.dot(hs[-1], Ws[k].T) + bs[k]
            hs.append(1.0 / (1.0 + np.exp(-z)) if k < depth else z)
        g = -2.0 * (target - hs[-1])
        found = []
        for k in reversed(range(depth + 1)):
            if k < depth:
                g = g * hs[k + 1] * (1.0 - hs[k + 1])
            outer = np.dot(g[:, None], hs[k][None, :]) if x.ndim == 1 else g[:, :, None] * hs[k][:, None, :]
            found.append((outer, g))
            g = np.dot(g, Ws[k])
        return found
    return one


def lambdified(graph: Graph, wrt: tuple[str, ...]) -> Callable[[], object]:
    """lambdify fed the let-list: one temporary a definition."""
    def meaning(e: Any) -> Any:
        if isinstance(e, Call):
            inner = meaning(e.arguments[0])
            return 1 / (1 + exp(-inner))
        return e.func(*map(meaning, e.args)) if e.args else e

    lets = [(n.symbol, meaning(n.expr)) for n in graph.nodes]
    outputs = [graph.symbol(f"{w}_bar") for w in wrt]

    def cse(_: object, **__: object) -> Any:
        return lets, outputs

    symbols = [v.symbol for v in graph.variables]
    return lambda: lambdify(symbols, outputs, "math", cse=cse)


def rows() -> Iterator[Row]:
    import casadi as ca

    rng = np.random.default_rng(0)
    for width, depth, casadi_goal in ((3, 1, "0.7"), (4, 4, "2"), (8, 4, ""), (8, 8, "")):
        plain = scalar_net(width, depth).graph
        wrt = parameters(plain)
        graph = with_adjoints(plain, "Loss", wrt)
        outputs = ("Loss", *(f"{w}_bar" for w in wrt))
        f = compile_graph(graph, outputs)
        label = f"{width} x {depth}, {len(wrt)} weights"
        ours, theirs = best([lambda g=graph, o=outputs: compile_graph(g, o), lambda s=f.source: compile(s, "text", "exec")])  # type: ignore[misc]
        yield Row(f"compile, {label}", "CPython's compile of the text", ours, theirs, "1.2")
        if len(wrt) <= 100:
            (slow,) = best([lambdified(graph, wrt)], 1.0, 3)
            yield Row(f"compile, {label}", "lambdify of the let-list", ours, slow, "0.05")
        values = {v.name: float(rng.normal() * 0.5) for v in graph.variables}
        inputs, weights, loss = casadi_net(width, depth)
        vm = ca.Function("f", [inputs, weights], [loss, ca.gradient(loss, weights)])
        a, b = rng.normal(size=width + 1), rng.normal(size=len(wrt))
        Ws = [rng.normal(size=(width if k < depth else 1, width)) for k in range(depth + 1)]
        bs = [rng.normal(size=width if k < depth else 1) for k in range(depth + 1)]
        x = np.array([values[f"x{i + 1}"] for i in range(width)])
        packed = np.array([values[name] for name in f.inputs])
        ours, numpy_time, vm_time, array_time = best([lambda f=f, v=values: f(v), by_hand(depth, x, values["Y"], Ws, bs),  # type: ignore[misc]
                                                      lambda v=vm, a=a, b=b: v(a, b), lambda f=f, v=packed: f.packed(v)])
        yield Row(f"one point, values by name, {label}", "CasADi, called from Python", ours, vm_time, casadi_goal)
        yield Row(f"one point, values by name, {label}", "handwritten NumPy", ours, numpy_time, "1.05")
        if f.packed_source:  # else it is the same computation
            yield Row(f"one point, packed in an array, {label}", "CasADi, called from Python", array_time, vm_time, casadi_goal)
            yield Row(f"one point, packed in an array, {label}", "handwritten NumPy", array_time, numpy_time, "1.05")
        X = rng.normal(size=(10_000, width))
        many: dict[str, Any] = {**values, **{f"x{i + 1}": X[:, i].copy() for i in range(width)}}
        ours, numpy_time = best([lambda f=f, v=many: f(v), by_hand(depth, X, values["Y"], Ws, bs)], 3.0, 7)  # type: ignore[misc]
        yield Row(f"10,000 points, {label}", "handwritten NumPy", ours, numpy_time, "1.1" if len(wrt) >= 85 else "")
