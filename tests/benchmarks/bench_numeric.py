"""Generated gradients against good handwritten NumPy: residual MLP at N = K = 8, 64, 512 and 784-128-10 at batch 1, 64, 1024.

Run as a script.  One BLAS thread, the two sides interleaved, best of all rounds; prints time a call and the ratio, with the
checks of names and shapes ("f(values)") and without ("text only").  Not collected by pytest.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from sympy import Expr, Integer, Rational

from symgrad.language.functions import Fn, dimension
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.vectors import Norm, add, apply, as_scalar, matmul, negate, power, scale, times, transpose
from symgrad.numeric import compile_graph

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
    y_bar = g.define("y_bar", add(y, negate(s["s"])))
    h_bar = g.define("h_bar", add(s["r"], matmul(transpose(s["W2"]), y_bar)))
    z_bar = g.define("z_bar", times(h_bar, sigmoid(z, 1)))
    g.define("x_bar", add(matmul(transpose(s["W1"]), z_bar), y_bar))
    g.define("W1_bar", matmul(z_bar, transpose(s["x"])))
    g.define("W2_bar", matmul(y_bar, transpose(h)))
    return g.graph()


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
    y_bar = g.define("y_bar", add(y, negate(s["t"])))
    g.define("L", scale(HALF, power(Norm(y_bar), Integer(2))))
    h_bar = g.define("h_bar", matmul(transpose(s["W2"]), y_bar))
    z_bar = g.define("z_bar", times(h_bar, sigmoid(z, 1)))
    g.define("b1_bar", z_bar)
    g.define("b2_bar", y_bar)
    g.define("W1_bar", matmul(z_bar, transpose(s["x"])))
    g.define("W2_bar", matmul(y_bar, transpose(h)))
    return g.graph()


def classifier_by_hand(x, t, W1, b1, W2, b2):  # type: ignore[no-untyped-def]
    z = np.dot(x, W1.T) + b1
    h = 1.0 / (1.0 + np.exp(-z))
    y_bar = np.dot(h, W2.T) + b2 - t
    flat = y_bar.ravel()
    L = 0.5 * np.dot(flat, flat)
    z_bar = np.dot(y_bar, W2) * h * (1.0 - h)
    return {"L": L, "b1_bar": z_bar.sum(0), "b2_bar": y_bar.sum(0), "W1_bar": np.dot(z_bar.T, x), "W2_bar": np.dot(y_bar.T, h)}


def best(sides: list[Callable[[], object]], seconds: float, rounds: int) -> list[float]:
    """The least time a call of each, in seconds, over interleaved rounds."""
    start = perf_counter()
    for side in sides:
        side()
    once = (perf_counter() - start) / len(sides)
    repeat = max(1, min(2000, int(seconds / rounds / len(sides) / max(once, 1e-6))))
    times = [float("inf")] * len(sides)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for i, side in enumerate(sides):
                start = perf_counter()
                for _ in range(repeat):
                    side()
                times[i] = min(times[i], (perf_counter() - start) / repeat)
    finally:
        gc.enable()
    return times


def measure(label: str, graph: Graph, outputs: tuple[str, ...], by_hand: Callable[..., dict[str, Any]], values: dict[str, np.ndarray],
            batch: tuple[str, ...], seconds: float, rounds: int) -> float:
    f = compile_graph(graph, outputs, batch=batch, summed=outputs if batch else ())
    ours, theirs = f(values), by_hand(**values)
    for name in outputs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-8, atol=1e-10, err_msg=name)
    hand, checked, bare = best([lambda: by_hand(**values), lambda: f(values), lambda: f._run(values)], seconds, rounds)
    print(f"{label:<28} by hand {hand * 1e6:10.2f} us   f(values) {checked / hand:6.3f}   text only {bare / hand:6.3f}")
    return checked / hand


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each row")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    for n in (8, 64, 512):
        values = {"x": rng.normal(size=n), "W1": rng.normal(size=(n, n)) / n, "b1": rng.normal(size=n), "W2": rng.normal(size=(n, n)) / n,
                  "b2": rng.normal(size=n), "s": rng.normal(size=n), "r": rng.normal(size=n)}
        graph = residual()
        both = graph.extended((Node("b1_bar", graph.symbol("z_bar")), Node("b2_bar", graph.symbol("y_bar"))))
        measure(f"residual MLP N = K = {n}", both, ("L", "x_bar", "b1_bar", "b2_bar", "W1_bar", "W2_bar"), residual_by_hand, values, (),
                options.seconds, options.rounds)
    for count in (1, 64, 1024):
        values = {"x": rng.normal(size=(count, 784)), "t": rng.normal(size=(count, 10)), "W1": rng.normal(size=(128, 784)) / 28,
                  "b1": rng.normal(size=128), "W2": rng.normal(size=(10, 128)) / 11, "b2": rng.normal(size=10)}
        measure(f"784-128-10 batch {count}", classifier(), ("L", "b1_bar", "b2_bar", "W1_bar", "W2_bar"), classifier_by_hand, values,
                ("x", "t"), options.seconds, options.rounds)


if __name__ == "__main__":
    main()
