"""A point at which two expressions over one graph differ: a search in floats, whose find is checked exactly elsewhere."""

from __future__ import annotations

import math
from functools import reduce
from itertools import count
from random import Random
from typing import Any

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
    preorder_traversal,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.bounds import with_definitions
from symgrad.language.claims import Witness
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call
from symgrad.language.graph import Graph

TRIES = 12
NEAR = 1e-6


def witness(graph: Graph, left: Expr, right: Expr) -> Witness | None:
    """Sizes and rational values at which left and right (in names of the graph's variables) differ, on no kink of left; None if none was met.

    Simple points come first: small whole numbers.
    """
    import numpy as np

    dimensions = graph.dimensions
    used = set(v.names_in(left)) | set(v.names_in(right))
    least = named_positions(left, right)
    random, shapes = Random(7), [x.shape for x in graph.variables]
    for k in range(TRIES):
        sizes = v.grown({d: max(2 + (k % 2 if i == 0 else 0), least.get(d, 0)) for i, d in enumerate(dimensions)}, shapes)
        env: dict[str, Any] = {}
        exact: list[tuple[str, tuple[tuple[Rational, ...], ...]]] = []
        for x in graph.variables:
            if x.name in used:
                n, m = (v.size_at(d, sizes) for d in x.shape)
                span = (2, 3, 5)[k % 3]
                rows = tuple(tuple(Rational(random.choice([i for i in range(-span, span + 1) if i]), 1 if k < 6 else 2)
                                   for _ in range(m)) for _ in range(n))
                exact.append((x.name, rows))
                env[x.name] = np.array([[float(e) for e in row] for row in rows])
        try:
            if _at_kink(left, env, sizes, np):
                continue  # derivatives are derived away from kinks: a difference at one says nothing
            a, b = (_value(e, env, sizes, np) for e in (left, right))
        except (ZeroDivisionError, ValueError, np.linalg.LinAlgError, OverflowError):
            continue
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            continue
        a, b = np.broadcast_to(a, b.shape) if a.size == 1 else a, b
        gap = abs(a - b) / (1 + abs(a) + abs(b))
        if gap.max() > 1e-9:
            i, j = np.unravel_index(int(gap.argmax()), gap.shape)
            return Witness(tuple((str(d), n) for d, n in sizes.items()), tuple(exact), (int(i) + 1, int(j) + 1))
    return None


def _at_kink(e: Expr, env: dict[str, Any], sizes: dict[Any, int], np: Any) -> bool:
    """Does the argument of some max, |x|, step or the like lie at its kink?"""
    for call in {x for x in preorder_traversal(e) if isinstance(x, Call | v.Elementwise)}:
        row = KNOWN.get(call.fn.name)
        if row is not None and row.kink and row.name != "sqrt":
            first, *rest = (_value(a, env, sizes, np) for a in call.arguments)
            if (abs(first - (rest[0] if row.name in ("max", "min") else 0)) < NEAR).any():
                return True
    return False


def named_positions(*exprs: Expr) -> dict[Expr, int]:
    """The furthest position of each dimension that is named by a number, 3 for x[3]: a size must be as large."""
    found: dict[Expr, int] = {}
    for entry in {x for e in exprs for x in preorder_traversal(e) if isinstance(x, v.Entry)}:
        for d, i in zip(v.shape_of(entry.args[0]), entry.args[1:], strict=True):
            if i.is_Integer:
                found[d] = max(found.get(d, 0), int(i))
    return found


def _value(e: Expr, env: dict[str, Any], sizes: dict[Any, int], np: Any) -> Any:
    """A two-dimensional float array; functions by their definitions."""

    def of(e: Expr) -> Any:
        return _value(e, env, sizes, np)

    def size(d: Expr) -> int:
        return v.size_at(d, sizes)

    match e:
        case Number():
            return np.array([[float(e)]])
        case MatrixSymbol():
            return env[e.name]
        case Symbol():
            return np.array([[float(sizes[e])]]) if e in sizes else env[e.name]
        case MatMul():
            scalars = reduce(lambda a, b: a * b, (of(a) for a in e.args if v.is_scalar(a)), np.array([[1.0]]))
            return scalars * reduce(lambda a, b: a @ b, (of(a) for a in e.args if not v.is_scalar(a)))
        case Add() | MatAdd():
            return sum(of(a) for a in e.args)
        case Mul() | HadamardProduct():
            return reduce(lambda a, b: a * b, map(of, e.args))
        case Inverse():
            return np.linalg.inv(of(e.args[0]))
        case Pow() | v.Power():
            base = of(e.args[0])
            if (base == 0).any() and e.args[1] < 0:
                raise ZeroDivisionError
            return base ** float(e.args[1])
        case Transpose():
            return of(e.args[0]).T
        case Identity():
            return np.eye(size(e.shape[0]))
        case v.Unit(args=(n, i)):
            return np.eye(size(n))[:, int(i) - 1:int(i)]
        case OneMatrix() | ZeroMatrix():
            return np.full((size(e.shape[0]), size(e.shape[1])), float(isinstance(e, OneMatrix)))
        case v.AsScalar():
            return of(e.arg)
        case v.Norm():
            return np.array([[np.sqrt((of(e.arg) ** 2).sum())]])
        case v.SumOf():
            return np.array([[of(e.arg).sum()]])
        case v.TraceOf():
            return np.array([[np.trace(of(e.arg))]])
        case v.DetOf():
            return np.array([[np.linalg.det(of(e.arg))]])
        case v.LogSumExp():
            return np.array([[np.log(np.exp(of(e.arg)).sum())]])
        case v.Softmax():
            powers = np.exp(of(e.arg))
            return powers / powers.sum()
        case v.Diag():
            return np.diag(of(e.arg)[:, 0])
        case op.Tril():
            return np.tril(of(e.args[0]))
        case op.Diagonal():
            return np.diag(of(e.args[0]))[:, None]
        case op.Solve():
            return np.linalg.solve(of(e.args[0]), of(e.args[1]))
        case v.Entry(args=(matrix, i, j)):
            return of(matrix)[size(i) - 1:size(i), size(j) - 1:size(j)]
        case v.IndexSum(args=(body, index, n)):
            return sum((of(body.xreplace({index: Integer(k)})) for k in range(1, size(n) + 1)), np.zeros((1, 1)))
        case op.Choice(args=(low, high, then, otherwise)):
            return of(then if size(low) <= size(high) else otherwise)
        case op.AtMost(args=(low, high, _)):
            return np.array([[float(size(low) <= size(high))]])
        case op.Aligned(args=(a, i, _, p, _)):
            return np.array([[float(size(a) == size(i) + size(p) - 1)]])
        case op.RowSoftmax():
            powers = np.exp(of(e.args[0]))
            return powers / powers.sum(1, keepdims=True)
        case op.RowLogSumExp():
            return np.log(np.exp(of(e.args[0])).sum(1, keepdims=True))
        case (op.Block() | op.Stack() | op.Kron() | op.BlockInner() | op.BlockSum() | op.Vec() | op.Unvec() | op.Commutation() | op.Correlate()
              | op.Convolve()):
            fresh = (Symbol(f"#{k}", integer=True, positive=True) for k in count()).__next__
            n, m = map(size, e.shape)
            return np.array([[of(e.at(Integer(i), Integer(j), fresh)).item() for j in range(1, m + 1)] for i in range(1, n + 1)])
        case Call() | v.Elementwise():
            arguments = np.broadcast_arrays(*(of(a) for a in e.arguments))
            return np.vectorize(lambda *a: _function(e.fn, a))(*arguments)
    raise Unsupported(f"no float value for {type(e).__name__}")


def _function(fn: Any, a: tuple[float, ...]) -> float:
    row = KNOWN.get(fn.name)
    if row is None:
        return _unknown(fn, a)
    if not fn.plain:
        if row.kink and abs(a[0] - (a[1] if fn.name in ("max", "min") else 0.0)) < NEAR:
            raise ValueError(f"the derivative of {fn.name} at its kink")
        slot = next(i for i, n in enumerate(fn.orders) if n)
        lower = type(fn)(fn.name, tuple(n - (i == slot) for i, n in enumerate(fn.orders)))
        if lower.plain and row.derivative is not None:  # exact where there is a formula: a difference quotient would differ from it
            z, h = Symbol("z"), Symbol("h")
            return _plain(row.derivative(z, h), {z: a[0], h: _function(lower, a)})
        h_ = 1e-6
        up, down = ((*a[:slot], a[slot] + s, *a[slot + 1:]) for s in (h_, -h_))
        return (_function(lower, up) - _function(lower, down)) / (2 * h_)
    z = a[0]
    simple = {
        "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "abs": abs, "tanh": math.tanh, "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
        "softplus": lambda z: math.log1p(math.exp(z)), "relu": lambda z: max(z, 0.0), "step": lambda z: float(z >= 0),
        "sign": lambda z: float(z > 0) - float(z < 0), "sin": math.sin, "cos": math.cos, "tan": math.tan, "erf": math.erf,
        "normcdf": lambda z: math.erfc(-z / math.sqrt(2)) / 2, "normpdf": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
        "gelu": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
    }
    if fn.name in simple:
        return float(simple[fn.name](z))  # type: ignore[operator]
    if fn.name == "max":
        return max(a)
    if fn.name == "min":
        return min(a)
    if fn.name == "leaky_relu":
        return z if z >= 0 else z * (a[1] if len(a) > 1 else 0.01)
    raise Unsupported(f"no float value for {fn.name}")


def _plain(e: Expr, env: dict[Expr, float]) -> float:
    """The float value of the formula of a derivative."""
    match e:
        case Number():
            return float(e)
        case Add():
            return sum(_plain(a, env) for a in e.args)
        case Mul():
            return math.prod(_plain(a, env) for a in e.args)
        case Pow():
            return float(_plain(e.args[0], env) ** float(e.args[1]))
        case Call():
            return _function(e.fn, tuple(_plain(a, env) for a in e.arguments))
    return env[e]


def _unknown(fn: Any, a: tuple[float, ...]) -> float:
    """Some smooth function of that name and its derivatives: a sum of sines with slopes that the name fixes."""
    random = Random(f"{fn.name} of {len(a)}")
    slopes, phases = [random.uniform(0.5, 1.5) for _ in a], [random.uniform(0, 6) for _ in a]
    order = sum(fn.orders)
    mixed = math.prod(w**n for w, n in zip(slopes, fn.orders, strict=True))
    value = mixed * math.sin(sum(w * x + p for w, x, p in zip(slopes, a, phases, strict=True)) + order * math.pi / 2)
    alone = [i for i, n in enumerate(fn.orders) if n == order]
    return value + sum(slopes[i] ** order * math.sin(slopes[i] * a[i] + 2 * phases[i] + order * math.pi / 2) for i in alone)


def composed(graph: Graph, e: Expr, adjoints: dict[Expr, Expr] | None = None) -> Expr:
    """All definitions put in, so that only variables are left."""
    return with_definitions(e, {n.symbol: n.expr for n in graph.nodes} | (adjoints or {}))


