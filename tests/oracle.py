"""Floats for everything that a claim may display, by code that shares nothing with the checker or the rules.

Functions are NumPy's, derivatives are central differences through the graph, and a total derivative or an adjoint is a
difference quotient of the whole forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    OneMatrix,
    Pow,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.functions import Call
from symgrad.language.graph import Graph, Node

STEP = 1e-5

FUNCTIONS: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign, "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: np.logaddexp(0, z), "relu": lambda z: np.maximum(z, 0), "step": lambda z: np.where(z >= 0, 1.0, 0.0), "max": np.maximum,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "normpdf": lambda z: np.exp(-z**2 / 2) / np.sqrt(2 * np.pi),
    "normcdf": lambda z: np.vectorize(math.erfc)(-z / np.sqrt(2)) / 2, "erf": np.vectorize(math.erf),
    "gelu": lambda z: z * np.vectorize(math.erfc)(-z / np.sqrt(2)) / 2, "min": np.minimum, "leaky_relu": lambda z, s=0.01: np.where(z > 0, z, s * z),
}


class Nothing(Exception):
    """There is no number here: an unknown name, a shape that does not fit, an index out of range."""


@dataclass
class Oracle:
    """Numbers for one graph at one point; `numbers` gives nodes their own values, as a problem with rounded values does."""

    graph: Graph
    variables: Mapping[str, Any]  # two-dimensional arrays
    sizes: Mapping[Expr, int] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = self.forward()
        self.slopes: dict[tuple[str, str], Any] = {}

    def forward(self, replaced: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """All values; a name in `replaced` keeps that value, whatever its definition."""
        env: dict[str, Any] = {}
        fixed = {**self.numbers, **(replaced or {})}
        for item in self.graph.all:
            if item.name in fixed:
                env[item.name] = fixed[item.name]
            elif isinstance(item, Node):
                env[item.name] = self.value(item.expr, env)
            else:
                env[item.name] = self.variables[item.name]
        return env

    def slope(self, of: str, wrt: str) -> Any:
        """d of / d wrt, shaped like wrt: every entry of wrt moved, the rest of the forward pass repeated."""
        if (of, wrt) not in self.slopes:
            at = self.env[wrt]
            found = np.zeros_like(at)
            for index in np.ndindex(*at.shape):
                up, down = at.copy(), at.copy()
                up[index] += STEP
                down[index] -= STEP
                found[index] = (self.forward({wrt: up})[of] - self.forward({wrt: down})[of]).item() / (2 * STEP)
            self.slopes[of, wrt] = found
        return self.slopes[of, wrt]

    def local(self, e: Expr, name: str, weight: Any) -> Any:
        """sum over the entries of e of weight times their derivatives in `name`, every other name held fixed; shaped like `name`."""
        at = self.env[name]
        found = np.zeros_like(at)
        for index in np.ndindex(*at.shape):
            up, down = at.copy(), at.copy()
            step = STEP * min(1.0, max(abs(at[index]), 1e-3))  # the logarithm of a small number bends
            up[index] += step
            down[index] -= step
            found[index] = ((self.value(e, {**self.env, name: up}) - self.value(e, {**self.env, name: down})) * weight).sum() / (2 * step)
        return found

    # ---- expressions ---------------------------------------------------------------------------------------------------

    def size(self, d: Expr) -> int:
        if not d.free_symbols <= set(self.sizes):
            raise Nothing(d)
        return v.size_at(d, self.sizes)

    def value(self, e: Expr, env: Mapping[str, Any] | None = None, indices: Mapping[Expr, int] | None = None) -> Any:
        """A two-dimensional array."""
        env, indices = self.env if env is None else env, indices or {}

        def of(e: Expr) -> Any:
            return self.value(e, env, indices)

        match e:
            case Number():
                return np.array([[float(e)]])
            case MatrixSymbol() | Symbol():
                return self.named(e, env, indices)
            case MatMul():
                scalars = reduce(np.multiply, (of(a) for a in e.args if v.is_scalar(a)), np.array([[1.0]]))
                return scalars * reduce(np.matmul, (of(a) for a in e.args if not v.is_scalar(a)))
            case Add() | MatAdd():
                return same(*map(of, e.args), by=np.add)
            case Mul() | HadamardProduct():
                return same(*map(of, e.args), by=np.multiply)
            case Inverse():
                return np.linalg.inv(of(e.args[0]))
            case Pow() | v.Power():
                return of(e.args[0]) ** float(e.args[1])
            case Transpose():
                return of(e.args[0]).T
            case Identity():
                return np.eye(self.size(e.shape[0]))
            case v.Unit(args=(n, i)):
                return np.eye(self.size(n))[:, [self.position(i, indices) - 1]]
            case OneMatrix() | ZeroMatrix():
                return np.full([self.size(d) for d in e.shape], float(isinstance(e, OneMatrix)))
            case v.Norm():
                return np.array([[np.sqrt((of(e.arg) ** 2).sum())]])
            case v.SumOf():
                return np.array([[of(e.arg).sum()]])
            case v.TraceOf():
                return np.array([[np.trace(of(e.arg))]])
            case v.DetOf():
                return np.array([[np.linalg.det(of(e.arg))]])
            case v.AsScalar():
                return of(e.arg)
            case v.LogSumExp():
                return np.array([[np.log(np.exp(of(e.arg)).sum())]])
            case v.Softmax():
                return np.exp(of(e.arg)) / np.exp(of(e.arg)).sum()
            case v.Diag():
                return np.diag(of(e.arg)[:, 0])
            case v.Entry(args=(matrix, i, j)):
                grid, a, b = of(matrix), self.position(i, indices), self.position(j, indices)
                if not (1 <= a <= grid.shape[0] and 1 <= b <= grid.shape[1]):
                    raise Nothing(e)
                return grid[a - 1:a, b - 1:b]
            case v.IndexSum(args=(body, index, size)):
                if not isinstance(index, Symbol) or index in indices or index in self.sizes:
                    raise Nothing(e)
                return sum((self.value(body, env, {**indices, index: k}) for k in range(1, self.size(size) + 1)), np.array([[0.0]]))
            case Call() | v.Elementwise():
                return self.function(e.fn.name, e.fn.orders, [of(a) for a in e.arguments])
        if type(e) in OPERATIONS:
            return OPERATIONS[type(e)](*(of(a) if k < e.takes[0] else int(a.xreplace(dict(self.sizes))) for k, a in enumerate(e.args)))
        raise Nothing(type(e).__name__)

    def named(self, e: Expr, env: Mapping[str, Any], indices: Mapping[Expr, int]) -> Any:
        if e in indices or e in self.sizes:
            return np.array([[float(indices[e] if e in indices else self.sizes[e])]])
        if e.name in env:
            return env[e.name]
        if e.name.endswith("_bar") and self.seed is not None and e.name[:-4] in self.graph:
            return self.slope(self.seed, e.name[:-4])
        raise Nothing(e)

    seed: str | None = None
    """The node that adjoints in expressions are derivatives of."""

    @staticmethod
    def position(i: Expr, indices: Mapping[Expr, int]) -> int:
        if i in indices:
            return indices[i]
        if not i.is_Integer:
            raise Nothing(i)
        return int(i)

    def function(self, name: str, orders: tuple[int, ...], arguments: list[Any]) -> Any:
        """f, or a derivative of it by difference quotients."""
        unknown = any(row.name == name and not row.known for row in self.graph.functions)
        if not (unknown or name in FUNCTIONS) or len(orders) != len(arguments) or len(arguments) > 2:
            raise Nothing(name)
        slot = next((i for i, n in enumerate(orders) if n), None)
        if slot is None:
            return FUNCTIONS[name](*arguments) if not unknown else some_function(name, *arguments)
        lower = tuple(n - (i == slot) for i, n in enumerate(orders))
        h = 1e-4 if sum(orders) > 1 else STEP
        up, down = ([a + s * h if i == slot else a for i, a in enumerate(arguments)] for s in (1, -1))
        return (self.function(name, lower, up) - self.function(name, lower, down)) / (2 * h)

    # ---- forms -----------------------------------------------------------------------------------------------------------

    def form(self, f: F.Form, of: str = "") -> Any:
        """What a displayed line stands for; `of` is the node that adjoints belong to."""
        self.seed = of or None
        match f:
            case F.Just(expr) | F.Spread(expr):
                return self.value(expr)
            case F.Decimal(value, _):
                return np.array([[float(value)]])
            case F.Product(parts):
                return reduce(times, (self.form(p, of) for p in parts), np.array([[1.0]]))
            case F.Sum(parts):
                return same(*(self.form(p, of) for p in parts), by=np.add)
            case F.Substituted(expr, numbers):
                return self.value(expr, {**self.env, **{n: self.form(x, of) if isinstance(x, F.Array) else self.value(x) for n, x in numbers}})
            case F.Array(rows):
                return np.array([[self.form(x, of).item() for x in row] for row in rows])
            case F.PartialOf(node, wrt):
                return self.local(self.graph.node(node).expr, wrt, 1.0)
            case F.Derivative(expr, wrt):
                return self.local(expr, wrt, 1.0)
            case F.TotalOf(node, wrt):
                return self.slope(node, wrt)
            case F.AdjointOf(node):
                return self.slope(of, node)
            case F.Pullback(node, wrt):
                return self.local(self.graph.node(node).expr, wrt, self.slope(of, node))
            case F.Stacked(node, wrt):
                return self.local(self.graph.node(node).expr, wrt, 1.0)
            case F.Diagonal(expr):
                return np.diag(self.value(expr)[:, 0])
            case F.JacobianTimes(layout, node, transposed):
                jacobian = self.form(layout, of)
                return times(jacobian.T if transposed else jacobian, self.slope(of, node))
        raise Nothing(type(f).__name__)


def some_function(name: str, *arguments: Any) -> Any:
    """One smooth function in the place of an unknown one: what is said of all must hold for it."""
    return sum(np.sin((len(name) + k) * a) + a / 3 for k, a in enumerate(arguments, 1)) + reduce(np.multiply, arguments)


def _row_softmax(a: Any) -> Any:
    return np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)


def _slid(w: Any, x: Any) -> Any:
    """The kernel w slid over x where it fits."""
    (n, m), (p, q) = x.shape, w.shape
    if p > n or q > m:
        raise Nothing((w.shape, x.shape))
    return np.array([[(w * x[i:i + p, j:j + q]).sum() for j in range(m - q + 1)] for i in range(n - p + 1)])


def _spread(w: Any, g: Any) -> Any:
    """Every entry of g times the kernel, at its place."""
    (n, m), (p, q) = g.shape, w.shape
    found = np.zeros((n + p - 1, m + q - 1))
    for i, j in np.ndindex(n, m):
        found[i:i + p, j:j + q] += g[i, j] * w
    return found


OPERATIONS: dict[type, Any] = {
    op.RowSoftmax: _row_softmax, op.RowLogSumExp: lambda a: np.log(np.exp(a).sum(axis=1, keepdims=True)), op.Tril: np.tril,
    op.RowMax: lambda a: a.max(axis=1, keepdims=True), op.ArgMax: lambda a: (a == a.max(axis=1, keepdims=True)) * 1.0,
    op.Diagonal: lambda a: np.diag(a)[:, None], op.Solve: np.linalg.solve, op.Kron: np.kron, op.Stack: lambda a, b: np.vstack([a, b]),
    op.Vec: lambda a: a.flatten(order="F")[:, None], op.Block: lambda a, t, b, lo, r: a[t - 1:b, lo - 1:r],
    op.Correlate: _slid, op.Convolve: _spread, op.MaxOf: lambda a: np.array([[a.max()]]), op.Variance: lambda a: np.array([[a.var()]]),
}


def same(*grids: Any, by: Any) -> Any:
    if len({g.shape for g in grids}) > 1:
        raise Nothing([g.shape for g in grids])
    return reduce(by, grids)


def times(a: Any, b: Any) -> Any:
    if 1 in (a.size, b.size):
        return a * b
    if a.shape[1] != b.shape[0]:
        raise Nothing((a.shape, b.shape))
    return a @ b


def close(a: Any, b: Any, tolerance: float = 1e-4) -> bool:
    """The same shape, and the same numbers but for what difference quotients lose."""
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    return a.shape == b.shape and bool(np.isfinite(a).all()) and bool((np.abs(a - b) <= tolerance * (1 + np.abs(a) + np.abs(b))).all())


def random_point(graph: Graph, rng: np.random.Generator, sizes: Mapping[Expr, int], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An array for every variable; those in `given` have these numbers.  Where a node has no value there, scalars are positive and square
    matrices are far from singular."""
    found: dict[str, Any] = {}
    for attempt in range(20):
        for x in graph.variables:
            shape = [v.size_at(d, sizes) for d in x.shape]
            value = rng.uniform(0.2, 1.6, shape) * rng.choice([-1, 1], shape)
            if attempt:
                value = abs(value) if shape == [1, 1] else value + 4 * np.eye(shape[0]) if shape[0] == shape[1] else value
            found[x.name] = (given or {}).get(x.name, value)
        with np.errstate(all="ignore"):
            if all(np.isfinite(value).all() for value in Oracle(graph, found, sizes).env.values()):
                break
    return found


__all__ = ["Nothing", "Oracle", "close", "random_point", "same", "times"]
