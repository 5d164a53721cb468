"""Values and gradients from the derived graph against good handwritten NumPy (np.dot where an inner dimension is 1) and PyTorch eager.

One BLAS thread, sides interleaved, best of all rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sympy import Expr, Integer, Rational

from symgrad.language.functions import Fn, dimension
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.vectors import Norm, add, apply, as_scalar, matmul, negate, power, scale, times, transpose
from symgrad.numeric import compile_graph
from tests.benchmarks.networks import with_adjoints
from tests.benchmarks.timing import Row, best

HALF = Rational(1, 2)


class Builder:
    """Collects variables and definitions; `define` returns the symbol."""

    def __init__(self, **shapes: tuple[Expr, Expr]) -> None:
        self.variables = tuple(Variable(n, s) for n, s in shapes.items())
        self.nodes: list[Node] = []
        self.symbols = {v.name: v.symbol for v in self.variables}

    def define(self, name: str, expr: Expr) -> Expr:
        self.nodes.append(Node(name, as_scalar(expr)))
        self.symbols[name] = self.nodes[-1].symbol
        return self.symbols[name]

    def graph(self) -> Graph:
        return Graph(self.variables, tuple(self.nodes))


def sigmoid(z: Expr, order: int = 0) -> Expr:
    return apply(Fn("sigmoid", (order,)), (z,))


def residual() -> Graph:
    """y = x + W2 sigmoid(W1 x + b1) + b2, L = 1/2 |y - s|^2 + r^T h, with all adjoints."""
    n, k, one = dimension("N"), dimension("K"), Integer(1)
    g = Builder(x=(n, one), W1=(k, n), b1=(k, one), W2=(n, k), b2=(n, one), s=(n, one), r=(k, one))
    s = g.symbols
    z = g.define("z", add(matmul(s["W1"], s["x"]), s["b1"]))
    h = g.define("h", sigmoid(z))
    y = g.define("y", add(add(s["x"], matmul(s["W2"], h)), s["b2"]))
    g.define("L", add(times(HALF, power(Norm(add(y, negate(s["s"]))), Integer(2))), as_scalar(matmul(transpose(s["r"]), h))))
    return with_adjoints(g.graph(), "L", ("x", "W1", "b1", "W2", "b2"))


def residual_by_hand(x, W1, b1, W2, b2, s, r):  # type: ignore[no-untyped-def]
    z = np.dot(W1, x) + b1
    h = 1.0 / (1.0 + np.exp(-z))
    y_bar = x + np.dot(W2, h) + b2 - s
    L = 0.5 * np.dot(y_bar, y_bar) + np.dot(r, h)
    h_bar = r + np.dot(W2.T, y_bar)
    z_bar = h_bar * h * (1.0 - h)
    x_bar = np.dot(W1.T, z_bar) + y_bar
    W1_bar = np.dot(z_bar[:, None], x[None, :])
    W2_bar = np.dot(y_bar[:, None], h[None, :])
    return {"L": L, "x_bar": x_bar, "b1_bar": z_bar, "b2_bar": y_bar, "W1_bar": W1_bar, "W2_bar": W2_bar}


def classifier() -> Graph:
    """z1 = W1 x + b1, h = sigmoid(z1), y = W2 h + b2, L = 1/2 |y - t|^2 for one sample, with the adjoints of the parameters."""
    n, k, m, one = dimension("N"), dimension("K"), dimension("M"), Integer(1)
    g = Builder(x=(n, one), t=(m, one), W1=(k, n), b1=(k, one), W2=(m, k), b2=(m, one))
    s = g.symbols
    z = g.define("z", add(matmul(s["W1"], s["x"]), s["b1"]))
    h = g.define("h", sigmoid(z))
    y = g.define("y", add(matmul(s["W2"], h), s["b2"]))
    g.define("L", scale(HALF, power(Norm(add(y, negate(s["t"]))), Integer(2))))
    return with_adjoints(g.graph(), "L", ("W1", "b1", "W2", "b2"))


def classifier_by_hand(x, t, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    z = np.dot(x, W1.T) + b1
    h = 1.0 / (1.0 + np.exp(-z))
    y_bar = np.dot(h, W2.T) + b2 - t
    flat = y_bar.ravel()
    L = 0.5 * np.dot(flat, flat)
    z_bar = np.dot(y_bar, W2) * h * (1.0 - h)
    return {"L": L, "b1_bar": z_bar.sum(0), "b2_bar": y_bar.sum(0), "W1_bar": np.dot(z_bar.T, x), "W2_bar": np.dot(y_bar.T, h)}


def torch_side(residual_net: bool, values: dict[str, np.ndarray]) -> Callable[[], object] | None:
    """The same in PyTorch eager, forward and backward; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    t = {n: torch.tensor(a, dtype=torch.float64) for n, a in values.items()}
    wanted = ("x", "W1", "b1", "W2", "b2") if residual_net else ("W1", "b1", "W2", "b2")

    def run() -> object:
        d = {n: a.detach().requires_grad_(n in wanted) for n, a in t.items()}
        if residual_net:
            h = torch.sigmoid(d["W1"] @ d["x"] + d["b1"])
            y = d["x"] + d["W2"] @ h + d["b2"]
            loss = 0.5 * ((y - d["s"]) ** 2).sum() + d["r"] @ h
        else:
            h = torch.sigmoid(d["x"] @ d["W1"].T + d["b1"])
            loss = 0.5 * ((h @ d["W2"].T + d["b2"] - d["t"]) ** 2).sum()
        return torch.autograd.grad(loss, [d[n] for n in wanted])

    return run


def measure(label: str, graph: Graph, outputs: tuple[str, ...], by_hand: Callable[..., dict[str, Any]], values: dict[str, np.ndarray],
            batch: tuple[str, ...], goals: tuple[str, str]) -> Iterator[Row]:
    summed = outputs if batch else ()
    f = compile_graph(graph, outputs, batch=batch, summed=summed)
    reusing = compile_graph(graph, outputs, batch=batch, summed=summed, reuse=True)
    expected = by_hand(**values)
    for side in (f, reusing):
        found = side(values)
        for name in outputs:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-8, atol=1e-10, err_msg=name)
    torch_run = torch_side("r" in values, values)
    sides: list[Callable[[], object]] = [lambda: by_hand(**values), lambda: f(values), lambda: reusing(values), *([torch_run] if torch_run else [])]
    hand, ours, kept, *other = best(sides, 4.0, 40)
    yield Row(f"evaluate, {label}", "handwritten NumPy", ours, hand, goals[0])
    yield Row(f"evaluate with reused arrays, {label}", "handwritten NumPy", kept, hand, goals[1])
    if other:
        yield Row(f"evaluate, {label}", "PyTorch eager", ours, other[0], "1")


def rows() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for n, goal in ((8, "0.7"), (64, "0.75"), (512, "0.95")):
        values = {"x": rng.normal(size=n), "W1": rng.normal(size=(n, n)) / n, "b1": rng.normal(size=n), "W2": rng.normal(size=(n, n)) / n,
                  "b2": rng.normal(size=n), "s": rng.normal(size=n), "r": rng.normal(size=n)}
        yield from measure(f"residual MLP N = K = {n}", residual(), ("L", "x_bar", "b1_bar", "b2_bar", "W1_bar", "W2_bar"),
                           residual_by_hand, values, (), ("1.02", goal))
    for count in (1, 64, 1024):
        values = {"x": rng.normal(size=(count, 784)), "t": rng.normal(size=(count, 10)), "W1": rng.normal(size=(128, 784)) / 28,
                  "b1": rng.normal(size=128), "W2": rng.normal(size=(10, 128)) / 11, "b2": rng.normal(size=10)}
        yield from measure(f"784-128-10 batch {count}", classifier(), ("L", "b1_bar", "b2_bar", "W1_bar", "W2_bar"), classifier_by_hand,
                           values, ("x", "t"), ("1.02", ""))
