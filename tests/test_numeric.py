"""Generated code against a slow evaluator, handwritten NumPy, loops over samples, and finite differences."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.functions import KNOWN, Call, Fn, Function, call, dimension, scalar, unknown
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Conventions
from symgrad.language.vectors import (
    AsScalar,
    DetOf,
    Diag,
    Elementwise,
    Entry,
    IndexSum,
    LogSumExp,
    Norm,
    Power,
    Softmax,
    SumOf,
    TraceOf,
    Unit,
    UnknownGradient,
    UnknownHessian,
    UnknownScalar,
)
from symgrad.numeric import CompiledFunction, compile_graph, finite_difference, worst_error

N, K, M = dimension("N"), dimension("K"), dimension("M")
ONE = Integer(1)
SIZES = {N: 4, K: 3, M: 2}
SHAPES = {"x": (N, ONE), "u": (N, ONE), "a": (K, ONE), "W": (K, N), "V": (N, K), "A": (N, N), "C": (N, N), "p": (ONE, N),
          "q": (ONE, ONE), "c": (ONE, ONE)}


def graph_of(shapes: Mapping[str, v.Shape], *nodes: tuple[str, Expr], functions: tuple[Function, ...] = ()) -> Graph:
    return Graph(tuple(Variable(n, s) for n, s in shapes.items()), tuple(Node(n, e) for n, e in nodes), functions)


SYMBOLS = {n: Variable(n, s).symbol for n, s in SHAPES.items()}
x, u, a, W, V, A, C, p, q, c = SYMBOLS.values()


def compiled(expr: Expr, **options: Any) -> CompiledFunction:
    functions = options.pop("rows", ())
    return compile_graph(graph_of(SHAPES, ("out", v.as_scalar(expr)), functions=functions), ("out",), **options)


def draw(rng: np.random.Generator, shape: v.Shape, sizes: Mapping[Expr, int] = SIZES, lead: tuple[int, ...] = ()) -> Any:
    """Random numbers of a shape, a vector as 1-D; matrices are near the identity so that inverses are harmless."""
    dims = [int(sizes.get(d, d)) for d in shape]
    if shape == v.SCALAR:
        return rng.normal(size=lead) if lead else float(rng.normal())
    value = rng.normal(size=(*lead, *dims)) * 0.5
    if shape[0] == shape[1]:
        value = value * 0.4 + np.eye(dims[0])
    return value[..., 0] if shape[1] == ONE else value


def values_for(rng: np.random.Generator, names: tuple[str, ...], lead: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Any]:
    return {n: draw(rng, SHAPES[n], lead=(lead or {}).get(n, ())) for n in names}


# ---- a slow evaluator that shares nothing with the code under test: everything is formed in full -------------------------


def slow(e: Expr, env: Mapping[Expr, Any]) -> Any:
    """A scalar as a float, a matrix as a 2-D array."""
    go: Callable[[Expr], Any] = lambda f: slow(f, env)
    if e in env:
        return env[e]
    if e.is_Number:
        return float(e)
    size = lambda d: int(d) if d.is_Integer else env[d]
    match e:
        case Add() | MatAdd():
            return sum(go(t) for t in e.args)
        case Mul() if not isinstance(e, MatMul):
            return math.prod(go(t) for t in e.args)
        case Pow():
            return go(e.base) ** go(e.exp)
        case Power():
            return go(e.args[0]) ** go(e.args[1])
        case MatMul():
            result: Any = 1.0
            for f in e.args:
                g = go(f)
                result = result @ g if np.ndim(result) and np.ndim(g) else result * g
            return result
        case HadamardProduct():
            return math.prod((go(t) for t in e.args[1:]), start=go(e.args[0]))
        case Transpose():
            return go(e.args[0]).T
        case Inverse():
            return np.linalg.inv(go(e.args[0]))
        case Identity():
            return np.eye(size(e.shape[0]))
        case OneMatrix():
            return np.ones([size(d) for d in e.shape])
        case ZeroMatrix():
            return np.zeros([size(d) for d in e.shape])
        case Unit():
            return np.eye(size(e.shape[0]))[:, [int(e.args[1]) - 1]]
        case Diag():
            return np.diag(go(e.arg)[:, 0])
        case Softmax():
            w = np.exp(go(e.arg))
            return w / w.sum()
        case Call() | Elementwise():
            table: dict[str, Callable[..., Any]] = {
                     "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "abs": np.abs, "sign": np.sign,
                     "max": np.maximum, "min": np.minimum, "step": lambda z: np.where(z >= 0, 1.0, 0.0), "relu": lambda z: np.maximum(z, 0),
                     "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.log(1 + np.exp(z)),
                     "leaky_relu": lambda z, s=0.01: np.where(z > 0, z, s * z), "sin": np.sin, "cos": np.cos, "tan": np.tan,
                     "erf": np.vectorize(math.erf), "normpdf": lambda z: np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
                     "normcdf": lambda z: (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2,
                     "gelu": lambda z: z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2}
            return _slow_partial(table[e.fn.name], e.fn.orders, [go(t) for t in e.arguments])
        case AsScalar():
            return go(e.arg).item() if np.ndim(go(e.arg)) else go(e.arg)
        case Norm():
            return np.sqrt((go(e.arg) ** 2).sum())
        case SumOf():
            return go(e.arg).sum()
        case TraceOf():
            return np.trace(go(e.arg))
        case DetOf():
            return np.linalg.det(go(e.arg))
        case LogSumExp():
            return np.log(np.exp(go(e.arg)).sum())
        case Entry():
            i, j = (int(t) if t.is_Integer else env[t] for t in e.args[1:])
            return go(e.args[0])[i - 1, j - 1]
        case IndexSum():
            return sum(slow(e.args[0], {**env, e.args[1]: i}) for i in range(1, size(e.args[2]) + 1))
    raise AssertionError(type(e))


def _slow_partial(f: Callable[..., Any], orders: tuple[int, ...], at: list[Any]) -> Any:
    for slot, k in enumerate(orders):
        if k:
            lower = tuple(o - (i == slot) for i, o in enumerate(orders))
            h = 1e-4 if sum(orders) > 1 else 1e-6
            up, down = (_slow_partial(f, lower, [t + s * h * (i == slot) for i, t in enumerate(at)]) for s in (1, -1))
            return (up - down) / (2 * h)
    return f(*at)


def environment(values: Mapping[str, Any], sizes: Mapping[Expr, int] = SIZES) -> dict[Expr, Any]:
    env: dict[Expr, Any] = dict(sizes)
    for n, value in values.items():
        shape = [int(sizes.get(d, d)) for d in SHAPES[n]]
        env[SYMBOLS[n]] = np.reshape(value, shape) if np.ndim(value) else value
    return env


def flat(value: Any) -> Any:
    value = np.asarray(value)
    return value[:, 0] if value.ndim == 2 and value.shape[1] == 1 else value


def check(expr: Expr, rng: np.random.Generator, tolerance: float = 1e-9, batches: int = 3) -> None:
    """One expression: alone, and with random sets of its inputs batched."""
    expr = v.as_scalar(expr)
    names = tuple(n for n in v.names_in(expr))
    f = compiled(expr)
    values = values_for(rng, names)
    with np.errstate(all="ignore"):
        expected = flat(slow(expr, environment(values)))
    if not np.all(np.isfinite(expected)) or np.max(np.abs(expected), initial=0) > 1e6:
        return
    given = values if not f.inputs[len(names):] else values | {str(d): n for d, n in SIZES.items()}
    got = f({n: given[n] for n in f.inputs})["out"]
    assert np.shape(got) == expected.shape, f"{expr}: {np.shape(got)} for {expected.shape}\n{f.source}"
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=f"{expr}\n{f.source}")
    again = compiled(expr, reuse=True)
    again({n: {**values_for(rng, names), **{str(d): s for d, s in SIZES.items()}}[n] for n in f.inputs})  # leaves its arrays behind
    second = again({n: given[n] for n in f.inputs})["out"]
    np.testing.assert_allclose(second, expected, rtol=tolerance, atol=tolerance, err_msg=f"reused: {expr}\n{again.source}")
    for _ in range(batches):
        chosen = tuple(n for n in names if rng.random() < 0.6)
        if not chosen:
            continue
        g = compiled(expr, batch=chosen)
        many = values_for(rng, names, dict.fromkeys(chosen, (5,)))
        got = g({n: {**many, **{str(d): s for d, s in SIZES.items()}}[n] for n in g.inputs})["out"]
        for i in range(5):
            one = {n: (many[n][i] if n in chosen else many[n]) for n in names}
            with np.errstate(all="ignore"):
                expected = flat(slow(expr, environment(one)))
            if np.all(np.isfinite(expected)) and np.max(np.abs(expected), initial=0) < 1e6:
                assert np.shape(got[i]) == expected.shape, f"{expr} batch {chosen}\n{g.source}"
                np.testing.assert_allclose(got[i], expected, rtol=tolerance, atol=tolerance, err_msg=f"{expr} batch {chosen}\n{g.source}")


# ---- every class, alone and in batches ---------------------------------------------------------------------------------

I, J = Symbol("i", integer=True, positive=True), Symbol("j", integer=True, positive=True)

EXPRESSIONS: dict[str, Expr] = {
    "affine": v.add(v.matmul(W, x), a),
    "outer": v.matmul(a, v.transpose(x)),
    "chain": v.matmul(v.matmul(v.matmul(A, C), A), x),
    "chain from the left": v.matmul(v.matmul(v.transpose(x), A), C),
    "scalar in a chain": MatMul(q, W, c, x),
    "scaled outer": v.scale(q, v.matmul(a, v.transpose(x))),
    "matrix product": v.matmul(W, V),
    "dot": v.matmul(v.transpose(x), u),
    "quadratic form": v.matmul(v.matmul(v.transpose(x), A), u),
    "row times matrix": v.matmul(p, A),
    "a row added to every row": v.add(v.matmul(OneMatrix(N, ONE), v.apply(Fn("exp", (0,)), (p,))), A),
    "row": v.add(p, v.transpose(x)),
    "hadamard": v.times(v.times(x, u), x),
    "matrix hadamard": v.times(W, v.transpose(V)),
    "transpose": v.transpose(W),
    "transposed sum": Transpose(MatAdd(W, v.transpose(V))),
    "power": Power(x, Integer(2)),
    "cube": Power(A, Integer(3)),
    "fifth": Power(x, Integer(5)),
    "negative power": Power(v.add(v.times(x, x), OneMatrix(N, ONE)), Integer(-2)),
    "root": Power(v.times(x, x), Rational(1, 2)),
    "ones added": v.add(x, v.scale(q, OneMatrix(N, ONE))),
    "outer with ones": v.matmul(x, OneMatrix(ONE, K)),
    "ones times matrix": v.matmul(OneMatrix(M, K), W),
    "matrix times ones": v.matmul(W, OneMatrix(N, M)),
    "ones both sides": v.matmul(v.matmul(OneMatrix(ONE, K), W), OneMatrix(N, ONE)),
    "ones times ones": v.matmul(v.matmul(OneMatrix(M, N), OneMatrix(N, K)), W),
    "zeros": v.add(W, ZeroMatrix(K, N)),
    "product with zeros": MatMul(ZeroMatrix(M, K), W),
    "identity": v.add(A, v.scale(q, Identity(N))),
    "identity in a chain": MatMul(W, Identity(N), x),
    "diag times vector": v.matmul(Diag(x), u),
    "diag both sides": v.matmul(v.matmul(Diag(x), A), Diag(u)),
    "diag of two": v.matmul(Diag(x), Diag(u)),
    "diag added": v.add(v.add(A, Diag(x)), v.negate(Identity(N))),
    "diag alone": Diag(x),
    "diag entrywise": v.times(Diag(x), A),
    "diag under a function": v.apply(Fn("exp", (0,)), (Diag(x),)),
    "trace of diag": TraceOf(Diag(x)),
    "sum of diag": SumOf(v.matmul(Diag(x), Diag(u))),
    "det of diag": DetOf(Diag(x)),
    "inverse of diag": Inverse(Diag(v.add(x, v.scale(Integer(3), OneMatrix(N, ONE))))),
    "inverse": Inverse(A),
    "solve vector": v.matmul(Inverse(A), x),
    "solve matrix": v.matmul(Inverse(A), V),
    "solve from the right": v.matmul(W, Inverse(A)),
    "solve row": v.matmul(p, Inverse(A)),
    "inverse transposed": v.matmul(v.matmul(v.transpose(Inverse(A)), C), v.transpose(Inverse(A))),
    "inverse times ones": v.matmul(Inverse(A), OneMatrix(N, ONE)),
    "negated inverse": v.negate(Inverse(A)),
    "inverse twice": Inverse(v.matmul(A, C)),
    "trace": TraceOf(A),
    "trace of a product": TraceOf(v.matmul(v.matmul(A, C), v.scale(q, A))),
    "trace of inverse times": TraceOf(v.matmul(Inverse(A), C)),
    "trace of outer": TraceOf(v.matmul(x, v.transpose(u))),
    "det": DetOf(A),
    "log det": call("log", DetOf(v.matmul(A, v.transpose(A)))),
    "norm": Norm(x),
    "norm of a matrix": Norm(W),
    "squared norm": v.power(Norm(v.add(x, v.negate(u))), Integer(2)),
    "squared norm of a transpose": v.power(Norm(Transpose(v.add(A, C))), Integer(2)),
    "norm of equal entries": v.add(Norm(v.scale(q, OneMatrix(N, ONE))), SumOf(x)),
    "sum": SumOf(W),
    "sum of a product": SumOf(v.times(x, u)),
    "sum of a transposed product": SumOf(v.times(W, v.transpose(V))),
    "sum of squares": SumOf(Power(W, Integer(2))),
    "sum of stretched": SumOf(v.matmul(x, OneMatrix(ONE, K))),
    "mean": v.times(Pow(N, Integer(-1), evaluate=False), SumOf(x)),
    "column of the identity": v.add(Unit(Integer(3), Integer(2)), OneMatrix(Integer(3), ONE)),
    "row of a matrix": v.matmul(v.transpose(v.matmul(V, OneMatrix(V.shape[1], Integer(3)))),
                                v.matmul(OneMatrix(V.shape[0], Integer(3)), Unit(Integer(3), ONE))),
    "softmax": Softmax(v.matmul(A, x)),
    "softmax of equal entries": v.add(Softmax(v.scale(q, OneMatrix(N, ONE))), x),
    "log-sum-exp": LogSumExp(x),
    "log-sum-exp of a matrix": LogSumExp(W),
    "log-sum-exp of equal rows": LogSumExp(v.matmul(x, OneMatrix(ONE, K))),
    "entry": Entry(W, Integer(2), Integer(3)),
    "entry of a vector": Entry(v.add(x, u), Integer(2)),
    "entry of a diag": Entry(Diag(x), Integer(2), Integer(2)),
    "entry of equal entries": v.add(Entry(v.scale(q, OneMatrix(N, ONE)), Integer(2)), SumOf(x)),
    "last entry": Entry(x, N),
    "index sum": IndexSum(v.times(Entry(x, I), Entry(u, I)), I, N),
    "double index sum": IndexSum(IndexSum(v.product((Entry(W, I, J), Entry(x, J), call("tanh", Entry(a, I)))), J, N), I, K),
    "index sum, transposed": IndexSum(IndexSum(v.times(Entry(A, J, I), Entry(C, I, J)), J, N), I, N),
    "index sum, diagonal": IndexSum(Entry(A, I, I), I, N),
    "index sum of a constant": v.add(IndexSum(v.times(q, q), I, N), SumOf(x)),
    "index sum of the index": v.add(IndexSum(v.times(I, Entry(x, I)), I, N), q),
    "short index sum": IndexSum(Entry(x, I), I, Integer(2)),
    "sigmoid": v.apply(Fn("sigmoid", (0,)), (x,)),
    "two arguments": v.apply(Fn("max", (0, 0)), (x, u)),
    "scalar argument": v.apply(Fn("max", (0, 0)), (x, q)),
    "scalars": v.total((v.times(q, c), call("exp", v.negate(q)), v.power(q, Integer(3)), Rational(1, 3))),
    "quotient": v.times(q, v.power(v.add(v.times(c, c), ONE), Integer(-1))),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_class_alone_and_in_batches(name: str) -> None:
    rng = np.random.default_rng(sum(map(ord, name)))
    for _ in range(2):
        check(EXPRESSIONS[name], rng, 1e-8)


def test_every_class_of_the_language_is_in_the_list() -> None:
    seen: set[type] = set()
    stack = list(EXPRESSIONS.values())
    while stack:
        e = stack.pop()
        seen.add(type(e))
        stack.extend(e.args)
    wanted = {Elementwise, Softmax, Diag, Unit, Power, AsScalar, Norm, SumOf, TraceOf, DetOf, LogSumExp, Entry, IndexSum, MatAdd, MatMul,
              HadamardProduct, Transpose, Inverse, Identity, OneMatrix, ZeroMatrix, MatrixSymbol, Call, Add, Mul, Pow}
    assert wanted - seen <= {AsScalar}  # put there by as_scalar
    own = [k for k in vars(v).values() if isinstance(k, type) and issubclass(k, Expr) and k.__module__ == v.__name__]
    classes = {k for k in own if not k.__name__.startswith("_")}
    assert classes - seen <= {AsScalar, UnknownGradient, UnknownHessian, UnknownScalar}  # the unknown ones have tests of their own


SMOOTH = ("exp", "log", "sqrt", "tanh", "sigmoid", "softplus")


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_every_function_and_its_derivatives(name: str, order: int) -> None:
    rng = np.random.default_rng(order)
    at = np.abs(rng.normal(size=6)) + 0.3 if name in ("log", "sqrt") else rng.normal(size=6)
    other = rng.normal(size=6)
    orders = {1: (order,)}.get(KNOWN[name].arity, (order, 0))
    arguments = (scalar("q"), scalar("c"))[:len(orders)]
    f = compile_graph(graph_of(SHAPES, ("out", Call(Fn(name, orders), *arguments))), ("out",))
    vector = compiled(Elementwise(Fn(name, orders), *(x, u)[:len(orders)]))
    values = {"q": at, "c": other}
    expected = slow(Call(Fn(name, orders), *arguments), {scalar("q"): at, scalar("c"): other})
    tolerance = (1e-12, 1e-8, 1e-5, 1e-1)[order]
    batch = f({n: values[n] for n in f.inputs})["out"]
    np.testing.assert_allclose(np.broadcast_to(batch, 6), expected, rtol=tolerance, atol=tolerance)
    points = [f({n: float(values[n][i]) for n in f.inputs})["out"] for i in range(6)]
    np.testing.assert_allclose(points, np.broadcast_to(batch, 6), rtol=1e-13, atol=1e-15)
    if vector.inputs[:1] == ("x",):
        got = vector({n: {"x": at, "u": other, "N": 6}[n] for n in vector.inputs})["out"]
    else:
        got = vector({n: {"N": 6}[n] for n in vector.inputs})["out"]
    np.testing.assert_allclose(got, np.broadcast_to(batch, 6), rtol=1e-13, atol=1e-15)


def test_a_function_with_only_a_definition_is_known_by_it() -> None:
    row = Function("swish", r"\mathrm{swish}", 1, lambda z: v.times(z, call("sigmoid", z)))
    at = np.linspace(-3, 3, 7)
    s = 1 / (1 + np.exp(-at))
    for order, expected in enumerate((at * s, s + at * s * (1 - s), s * (1 - s) * (2 + at * (1 - 2 * s)))):
        f = compiled(Elementwise(Fn("swish", (order,)), x), rows=(row,))
        np.testing.assert_allclose(f(x=at)["out"], expected, rtol=1e-12, atol=1e-14)


def test_conventions_at_kinks() -> None:
    at = np.array([-1.0, 0.0, 2.0])

    def slope(name: str, **fixed: Rational) -> list[float]:
        f = compiled(Elementwise(Fn(name, (1,)), x), conventions=Conventions(**fixed))
        scalar_f = compiled(Call(Fn(name, (1,)), q), conventions=Conventions(**fixed))
        found = f(x=at)["out"].tolist()
        assert [scalar_f(q=float(t))["out"] for t in at] == found == scalar_f(q=at)["out"].tolist()
        big = f(x=np.repeat(at, 2000))["out"]  # the kernel for long arrays
        assert big[::2000].tolist() == found
        return found

    assert slope("relu") == [0, 0, 1]
    assert slope("relu", relu_at_zero=Rational(1, 2)) == [0, 0.5, 1]
    assert slope("relu", relu_at_zero=Rational(1)) == [0, 1, 1]
    assert slope("abs") == [-1, 0, 1]
    assert slope("abs", abs_at_zero=Rational(1)) == [-1, 1, 1]
    assert slope("leaky_relu") == [0.01, 0.01, 1]
    assert slope("leaky_relu", relu_at_zero=Rational(1)) == [0.01, 1, 1]
    step = [compiled(call("step", q), conventions=k)(q=0.0)["out"] for k in (Conventions(), Conventions(step_at_zero=Rational(0)))]
    assert step == [1, 0]
    for convention in (Rational(0), Rational(1, 3), Rational(1)):
        first, second = (compiled(Call(Fn("max", o), q, c), conventions=Conventions(relu_at_zero=convention))(q=2, c=2)["out"]
                         for o in ((1, 0), (0, 1)))
        assert first == pytest.approx(float(convention)) and first + second == 1


def test_stable_at_extreme_arguments() -> None:
    at = np.array([-1e4, -710.0, -40.0, 0.0, 40.0, 710.0, 1e4])
    with np.errstate(all="raise", under="ignore"):
        sigmoid, softplus = (compiled(v.apply(Fn(n, (0,)), (x,)))(x=at)["out"] for n in ("sigmoid", "softplus"))
        lse, softmax = compiled(LogSumExp(x))(x=at)["out"], compiled(Softmax(x))(x=at)["out"]
    np.testing.assert_allclose(sigmoid[2:], [math.exp(-40) / (1 + math.exp(-40)), 0.5, 1 / (1 + math.exp(-40)), 1, 1], rtol=1e-14)
    assert sigmoid[0] < 1e-300 and np.all(np.isfinite(sigmoid))
    np.testing.assert_allclose(softplus, [0, 0, math.exp(-40), math.log(2), 40, 710, 1e4], rtol=1e-14, atol=1e-308)
    assert lse == 1e4 and softmax.tolist() == [0, 0, 0, 0, 0, 0, 1]
    f = compiled(call("sigmoid", q))
    assert [f(q=float(t))["out"] for t in at][2:] == pytest.approx(sigmoid[2:].tolist(), rel=1e-14)
    assert f(q=-1e4)["out"] < 1e-300


def test_ieee_results_where_python_raises() -> None:
    assert compiled(v.power(q, Integer(-1)))(q=0.0)["out"] == math.inf
    assert math.isnan(compiled(call("log", q))(q=-1.0)["out"]) and compiled(call("log", q))(q=0.0)["out"] == -math.inf
    assert compiled(call("exp", q))(q=1000.0)["out"] == math.inf
    assert math.isnan(compiled(v.power(q, Rational(1, 3)))(q=-8.0)["out"])  # never complex
    assert compiled(v.times(v.power(SumOf(x), Integer(-1)), Norm(x)))(x=np.array([1.0, -1.0]))["out"] == math.inf
    with pytest.raises(SpecError, match="no inverse"):
        compiled(v.matmul(Inverse(A), x))(A=np.zeros((2, 2)), x=np.ones(2))


# ---- the residual network ------------------------------------------------------------------------------------------------

NET = {"x": (N, ONE), "W1": (K, N), "b1": (K, ONE), "W2": (N, K), "b2": (N, ONE), "s": (N, ONE), "r": (K, ONE)}


def residual(activation: str = "sigmoid") -> Graph:
    g = {n: Variable(n, s).symbol for n, s in NET.items()}
    z, h, zb = (MatrixSymbol(n, K, 1) for n in ("z", "h", "z_bar"))
    y, yb, hb = MatrixSymbol("y", N, 1), MatrixSymbol("y_bar", N, 1), MatrixSymbol("h_bar", K, 1)
    return graph_of(
        NET, ("z", v.add(v.matmul(g["W1"], g["x"]), g["b1"])), ("h", v.apply(Fn(activation, (0,)), (z,))),
        ("y", v.total((g["x"], v.matmul(g["W2"], h), g["b2"]))),
        ("S", v.times(Rational(1, 2), v.power(Norm(v.add(y, v.negate(g["s"]))), Integer(2)))),
        ("R", v.as_scalar(v.matmul(v.transpose(g["r"]), h))), ("L", v.add(scalar("S"), scalar("R"))),
        ("y_bar", v.add(y, v.negate(g["s"]))), ("h_bar", v.add(g["r"], v.matmul(v.transpose(g["W2"]), yb))),
        ("z_bar", v.times(hb, v.apply(Fn(activation, (1,)), (z,)))), ("x_bar", v.add(v.matmul(v.transpose(g["W1"]), zb), yb)),
        ("W1_bar", v.matmul(zb, v.transpose(g["x"]))), ("b1_bar", zb), ("W2_bar", v.matmul(yb, v.transpose(h))), ("b2_bar", yb),
        ("s_bar", v.negate(yb)), ("r_bar", h))


def net_values(n: int, k: int, seed: int = 0, lead: Mapping[str, int] | None = None) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: draw(rng, s, {N: n, K: k}, ((lead or {})[name],) if name in (lead or {}) else ()) for name, s in NET.items()}


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "relu", "exp"])
@pytest.mark.parametrize(("n", "k"), [(4, 3), (1, 5), (3, 1), (1, 1)])
def test_residual_adjoints_against_finite_differences(activation: str, n: int, k: int) -> None:
    bars = tuple(f"{name}_bar" for name in NET)
    f = compile_graph(residual(activation), ("L", *bars))
    values = net_values(n, k)
    out = f(values)
    numeric = {f"{name}_bar": finite_difference(f, values, "L", name) for name in NET}
    assert worst_error({name: out[name] for name in bars}, numeric) < 1e-7
    assert isinstance(out["L"], float) and all(out[f"{name}_bar"].shape == values[name].shape for name in NET)
    wrong = {**numeric, "x_bar": numeric["x_bar"] * 1.001}
    assert worst_error({name: out[name] for name in bars}, wrong) > 5e-4


def test_residual_against_handwritten_numpy() -> None:
    d = net_values(5, 3)
    z = d["W1"] @ d["x"] + d["b1"]
    h = 1 / (1 + np.exp(-z))
    y_bar = d["x"] + d["W2"] @ h + d["b2"] - d["s"]
    z_bar = (d["r"] + d["W2"].T @ y_bar) * h * (1 - h)
    out = compile_graph(residual(), ("L", "x_bar", "W1_bar", "z"))(**d)
    assert out["L"] == pytest.approx(0.5 * y_bar @ y_bar + d["r"] @ h)
    np.testing.assert_allclose(out["x_bar"], d["W1"].T @ z_bar + y_bar)
    np.testing.assert_allclose(out["W1_bar"], np.outer(z_bar, d["x"]))
    np.testing.assert_allclose(out["z"], z)


@pytest.mark.parametrize("batch", [("x",), ("x", "s"), ("W1",), ("W2", "r"), tuple(NET)])
def test_batch_against_a_loop_over_samples(batch: tuple[str, ...]) -> None:
    outputs = ("L", "h", *(f"{name}_bar" for name in NET))
    g = residual()
    values = net_values(4, 3, lead=dict.fromkeys(batch, 6))
    one = compile_graph(g, outputs)
    rows = [one({n: value[i] if n in batch else value for n, value in values.items()}) for i in range(6)]
    many = compile_graph(g, outputs, batch=batch)(values)
    summed = compile_graph(g, outputs, batch=batch, summed=outputs)(values)
    for name in outputs:
        expected = np.array([row[name] for row in rows])
        if name in ("h", "r_bar") and not {"x", "W1", "b1"} & set(batch):
            expected = expected[0]
            np.testing.assert_allclose(summed[name], expected, atol=1e-12)  # no batch axis to sum over
        else:
            np.testing.assert_allclose(summed[name], expected.sum(axis=0), atol=1e-12, err_msg=name)
        assert many[name].shape == expected.shape
        np.testing.assert_allclose(many[name], expected, atol=1e-12, err_msg=name)


def test_what_depends_on_the_batch_only_in_name_still_has_its_axis() -> None:
    f = compile_graph(graph_of(SHAPES, ("flat", Elementwise(Fn("sign", (1,)), x)), ("k", Call(Fn("step", (1,)), q))), ("flat", "k"),
                      batch=("x", "q"))
    out = f(x=np.ones((3, 2)), q=np.ones(3))
    assert out["flat"].shape == (3, 2) and out["k"].shape == (3,)


def test_inputs_are_not_written_to_and_results_do_not_change_later() -> None:
    g = residual()
    values = net_values(4, 3)
    before = {n: value.copy() for n, value in values.items()}
    f = compile_graph(g, g.names[len(NET):])
    first = f(values)
    kept = {n: np.array(r) for n, r in first.items()}
    f({n: value * 2 for n, value in values.items()})
    for n, value in values.items():
        np.testing.assert_array_equal(value, before[n])
    for n, value in kept.items():
        np.testing.assert_array_equal(first[n], value)


def test_reused_arrays_are_overwritten_by_the_next_call_and_never_an_input() -> None:
    g = residual()
    rng = np.random.default_rng(3)
    first, other = ({n: draw(rng, s) for n, s in NET.items()} for _ in range(2))
    outputs = ("L", "x_bar", "W1_bar", "W2_bar")
    plain, reused = compile_graph(g, outputs), compile_graph(g, outputs, reuse=True)
    expected = {n: np.copy(r) for n, r in plain(first).items()}
    kept = {n: np.copy(a) for n, a in first.items()}
    got = reused(first)
    for name in outputs:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-12)
    again = reused(other)
    assert again["W1_bar"] is got["W1_bar"] and not np.allclose(got["W1_bar"], expected["W1_bar"])
    for name, array in kept.items():
        np.testing.assert_array_equal(first[name], array)
    larger = {n: draw(rng, s, {N: 6, K: 5, M: 2}) for n, s in NET.items()}
    np.testing.assert_allclose(reused(larger)["x_bar"], plain(larger)["x_bar"], rtol=1e-12)


def test_all_outputs_agree_with_each_output_alone() -> None:
    """Reusing arrays must not depend on what else is asked for."""
    g = residual()
    values = net_values(4, 3, lead={"x": 5})
    together = compile_graph(g, g.names[len(NET):], batch=("x",))(values)
    for name in g.names[len(NET):]:
        f = compile_graph(g, (name,), batch=tuple(n for n in ("x",) if n in g.ancestors(name)))
        alone = f({n: values[n] for n in f.inputs})[name]
        np.testing.assert_allclose(alone, together[name], rtol=1e-12, atol=1e-14)


# ---- what the text looks like -------------------------------------------------------------------------------------------


def test_dead_nodes_are_removed_and_only_needed_inputs_asked_for() -> None:
    f = compile_graph(residual(), ("z",))
    assert set(f.inputs) == {"W1", "x", "b1"} and f.outputs == ("z",)
    assert f.source.count("dot(") == 1 and "exp" not in f.source


def test_nothing_is_computed_twice_and_nothing_is_formed() -> None:
    f = compile_graph(residual(), ("L", "x_bar"))
    assert f.source.count(" exp(") == 1  # sigma' uses sigma
    for e in (v.matmul(Diag(x), A), v.add(A, Identity(N)), v.add(x, OneMatrix(N, ONE)), v.matmul(W, OneMatrix(N, ONE))):
        source = compiled(e).source
        assert not any(word in source for word in ("eye", "ones", "diagonal_matrix", "spread"))


@pytest.mark.parametrize("reuse", [False, True])
def test_outer_products_are_written_by_dot_where_small_and_by_einsum_where_large(reuse: bool) -> None:
    f = compiled(v.add(v.matmul(x, v.transpose(u)), v.matmul(u, v.transpose(x))), reuse=reuse)
    rng = np.random.default_rng(3)
    for n in (3, 400, 3):
        a, b = rng.normal(size=n), rng.normal(size=n)
        np.testing.assert_allclose(f(x=a, u=b)["out"], np.multiply.outer(a, b) + np.multiply.outer(b, a), rtol=1e-12)
    assert f.source.count(".dot(") == f.source.count("einsum(") == 2


@pytest.mark.parametrize("reuse", [False, True])
def test_sigmoid_of_large_arguments_gives_no_warning(reuse: bool) -> None:
    f = compiled(v.apply(Fn("sigmoid", (0,)), (x,)), reuse=reuse)
    z = np.array([-1e6, -740.0, -40.0, 0.0, 40.0, 740.0, 1e6])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = f(x=z)["out"]
    np.testing.assert_allclose(found, [0.0, 0.0, np.exp(-40.0), 0.5, 1.0, 1.0, 1.0], rtol=1e-14, atol=1e-300)


def test_vectors_are_contracted_first() -> None:
    f = compiled(v.matmul(v.matmul(v.matmul(A, C), A), x))
    big = np.eye(400)
    out = f(A=big, C=big, x=np.ones(400))["out"]
    assert np.all(out == 1)
    first = next(line for line in f.source.splitlines() if "dot(" in line)
    x_name = f"v{f.inputs.index('x')}"
    assert x_name in first.split("dot(")[1]
    assert "solve(" in compiled(v.matmul(v.matmul(Inverse(A), C), x)).source
    assert "inv(" not in compiled(v.matmul(v.matmul(Inverse(A), C), x)).source


def test_hostile_names_never_reach_the_text() -> None:
    names = ("__import__('os').system('true')", "v0", "import", "d", "known", "π\n    raise SystemExit", "'''", "{0}", "o0")
    shapes: dict[str, v.Shape] = dict.fromkeys(names, v.SCALAR)
    total = v.total(tuple(scalar(n) for n in names))
    fn = Fn("evil(); import os #", (0,))
    g = graph_of(shapes, ("lambda: 0", total), ("return", Call(fn, scalar("lambda: 0"))), functions=(unknown("evil(); import os #", 1),))
    f = compile_graph(g, ("return", "lambda: 0"), functions={"evil(); import os #": lambda t: 2 * t})
    assert f(dict.fromkeys(names, 1.0)) == {"return": 18.0, "lambda: 0": 9.0}
    assert f({n: np.ones(2) for n in names})["return"].tolist() == [18, 18]
    vector = graph_of(dict.fromkeys(names, (N, ONE)), ("exec('x')", v.total(tuple(MatrixSymbol(n, N, 1) for n in names))))
    h = compile_graph(vector, ("exec('x')",))
    assert h({n: np.ones(2) for n in names})["exec('x')"].tolist() == [9, 9]
    for source in (f.source, f.batch_source(*names), h.source):
        assert not any(word in source for word in ("__", "import", "evil", "system", "lambda", "exec", "π", "'''", "raise"))
        assert source.isascii()


@pytest.mark.parametrize("size", [10_000])
def test_long_chains(size: int) -> None:
    names = ["q", *(f"t{i}" for i in range(size))]
    nodes = [(b, call("tanh", v.add(scalar(a_), ONE))) for a_, b in pairwise(names)]
    f = compile_graph(graph_of({"q": v.SCALAR}, *nodes), (names[-1],))
    expected = 0.3
    for _ in range(size):
        expected = math.tanh(expected + 1)
    assert f(q=0.3)[names[-1]] == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(f(q=np.array([0.3, 0.4]))[names[-1]][0], expected, rtol=1e-14)
    assert len(f.batch_source("q").splitlines()) > size and "v40" not in f.batch_source("q")  # arrays are used again


def test_a_wide_sum_and_a_shared_subexpression() -> None:
    g = graph_of({"q": v.SCALAR}, ("t", v.total(tuple(v.times(Integer(i), scalar("q")) for i in range(2, 2000)))))
    assert compile_graph(g, ("t",))(q=1.0)["t"] == sum(range(2, 2000))
    e: Expr = scalar("q")
    for _ in range(60):  # 2**60 terms if it were written out
        e = Add._from_args((e, e))
    assert compile_graph(graph_of({"q": v.SCALAR}, ("t", e)), ("t",))(q=1.0)["t"] == 2.0**60


# ---- inputs --------------------------------------------------------------------------------------------------------------


def test_vectors_may_be_columns_and_numbers_of_any_kind_are_taken() -> None:
    f = compile_graph(residual(), ("L", "W1_bar"))
    values = net_values(4, 3)
    columns = {n: value[:, None] if value.ndim == 1 else value for n, value in values.items()}
    lists = {n: value.tolist() for n, value in values.items()}
    for other in (columns, lists, {n: np.asfortranarray(value) for n, value in values.items()}):
        assert f(other)["L"] == pytest.approx(f(values)["L"], rel=1e-14)
        np.testing.assert_allclose(f(other)["W1_bar"], f(values)["W1_bar"])
    whole = f({n: np.round(value).astype(int) for n, value in values.items()})["L"]
    assert whole == pytest.approx(f({n: np.round(value) for n, value in values.items()})["L"], rel=1e-14)
    g = compiled(v.times(q, q))
    assert [g(q=t)["out"] for t in (3, np.float64(3), np.array(3), Integer(3), Rational(6, 2), True)] == [9.0, 9.0, 9.0, 9.0, 9.0, 1.0]
    h = compiled(v.matmul(p, x))
    assert h(p=[[1, 2]], x=[1, 1])["out"] == h(p=[1, 2], x=[[1], [1]])["out"] == 3
    assert compiled(v.add(p, p))(p=[1, 2])["out"].tolist() == [[2, 4]]  # a row comes back as a matrix


@pytest.mark.parametrize(("change", "message"), [
    ({"W1": np.ones((3, 5))}, r"W1 has shape \(3, 5\), expected \(K, N\) with N = 4, as in x"),
    ({"b1": np.ones(2)}, r"b1 has shape \(2,\), expected \(K,\) with K = 3, as in W1"),
    ({"b1": np.ones(1)}, r"b1 has shape \(1,\), expected \(K,\) with K = 3"),
    ({"r": np.ones((3, 3))}, r"r has shape \(3, 3\), expected \(K,\)"),
    ({"s": 1.0}, r"s has shape \(\), expected \(N,\)"),
])
def test_sizes_that_disagree(change: dict[str, Any], message: str) -> None:
    f = compile_graph(residual(), ("L", "W1_bar"))
    f(net_values(4, 3))  # good sizes are remembered; bad ones must still be seen
    with pytest.raises(ShapeError, match=message):
        f({**net_values(4, 3), **change})
    f(net_values(2, 6))


def test_other_wrong_inputs() -> None:
    f = compile_graph(residual(), ("z",))
    good = {n: net_values(4, 3)[n] for n in f.inputs}
    with pytest.raises(SpecError, match=r"no value for x; needed are x, W1, b1"):
        f({n: good[n] for n in ("W1", "b1")})
    with pytest.raises(SpecError, match=r"there is no W11 in the graph; did you mean W1\?"):
        f({**good, "W11": 1})
    f(net_values(4, 3))  # names of the graph that are not needed do no harm
    with pytest.raises(SpecError, match="b1 is 'hello'; numbers are needed"):
        f({**good, "b1": "hello"})
    with pytest.raises(SpecError, match="b1 has complex entries"):
        f({**good, "b1": np.ones(3) * 1j})
    with pytest.raises(SpecError, match="there is no nothing in the graph"):
        compile_graph(residual(), ("nothing",))
    with pytest.raises(SpecError, match="also depend on W1, b1, not among the inputs x"):
        compile_graph(residual(), ("z",), inputs=("x",))
    g = compiled(v.times(q, c))
    with pytest.raises(ShapeError, match=r"c has shape \(2,\), expected \(batch,\) with batch = 3, as in q"):
        g(q=np.ones(3), c=np.ones(2))
    with pytest.raises(ShapeError, match="q has shape"):
        g(q=np.ones((2, 2)), c=1.0)
    b = compile_graph(residual(), ("z",), batch=("x",))
    with pytest.raises(ShapeError, match=r"x has shape \(4,\), expected \(batch, N\)"):
        b(good)
    assert b({**good, "x": np.ones((7, 4, 1))})["z"].shape == (7, 3)
    with pytest.raises(ShapeError, match=r"the index 3 is outside 1\.\.N, for N = 2"):
        compiled(Entry(x, Integer(3)))(x=np.ones(2))
    with pytest.raises(ShapeError, match=r"x has shape \(3,\), expected \(2,\)"):
        compile_graph(graph_of({"x": (Integer(2), ONE)}, ("t", SumOf(MatrixSymbol("x", 2, 1)))), ("t",))(x=np.ones(3))


def test_nodes_as_inputs_cut_the_graph() -> None:
    f = compile_graph(residual(), ("L",), inputs=("y", "s", "r", "h"))
    assert f(y=np.ones(2), s=np.zeros(2), r=np.zeros(3), h=np.zeros(3)) == {"L": 1.0}
    assert f.inputs == ("y", "s", "r", "h")


def test_a_dimension_that_no_input_shows_is_an_input() -> None:
    f = compiled(v.scale(q, OneMatrix(N, K)))
    assert f.inputs == ("q", "N", "K")
    assert f(q=2.0, N=2, K=3)["out"].tolist() == [[2] * 3] * 2
    for wrong in (0, -1, 1.5, "a"):
        with pytest.raises(SpecError, match="the dimension N must be a positive whole number"):
            f(q=2.0, N=wrong, K=3)
    assert compiled(Identity(Integer(2)))({})["out"].tolist() == [[1, 0], [0, 1]]


def test_scalar_points_and_arrays_mixed() -> None:
    f = compiled(v.total((v.times(q, c), call("relu", q), call("sigmoid", c))))
    at = np.array([-1.0, 0.0, 2.0])
    assert f(q=at, c=2)["out"] == pytest.approx([f(q=float(t), c=2.0)["out"] for t in at], rel=1e-14)
    assert f(q=[-1, 0, 2], c=at)["out"] == pytest.approx([f(q=float(t), c=float(t))["out"] for t in at], rel=1e-14)
    two = compile_graph(graph_of(SHAPES, ("s", v.times(c, c)), ("t", v.times(q, q))), ("s", "t"))
    out = two(q=at, c=3)
    assert out["s"] == 9.0 and out["t"].shape == (3,)


# ---- functions of the caller's ---------------------------------------------------------------------------------------------


def test_unknown_functions_are_supplied() -> None:
    rows = (unknown("g", 1), unknown("loss", 2, scalar_valued=True))
    f = compiled(Elementwise(Fn("g", (1,)), x), rows=rows, functions={"g'": np.cos})
    np.testing.assert_allclose(f(x=np.arange(3.0))["out"], np.cos(np.arange(3.0)))
    g = compiled(Call(Fn("g", (0,)), q), rows=rows, functions={"g": math.sin})
    assert g(q=1.0)["out"] == math.sin(1)
    loss = UnknownScalar(Fn("loss", (0, 0)), x, u)
    slope = UnknownGradient(Fn("loss", (0, 0)), Integer(1), x, u)
    functions = {"loss": lambda y, t: float((y - t) @ (y - t)), "loss[0, 1]": lambda y, t: 2 * (t - y)}
    rng = np.random.default_rng(0)
    values = values_for(rng, ("x", "u"))
    f, s = compiled(loss, functions=functions, rows=rows), compiled(slope, functions=functions, rows=rows)
    numeric = {"u": finite_difference(f, values, "out", "u")}
    assert worst_error({"u": s(values)["out"]}, numeric) < 1e-7
    many = values_for(rng, ("x", "u"), {"x": (5,)})
    for e, one in ((loss, f), (slope, s)):
        batch = compiled(e, functions=functions, rows=rows, batch=("x",))(many)["out"]
        np.testing.assert_allclose(batch, [one(x=many["x"][i], u=many["u"])["out"] for i in range(5)])
    second = UnknownHessian(Fn("loss", (0, 0)), Integer(0), Integer(1), x, u)
    mixed = compiled(second, functions={"loss[1, 1]": lambda y, t: np.outer(y, np.cos(t))}, rows=rows)(values)["out"]
    np.testing.assert_allclose(mixed, np.outer(values["x"], np.cos(values["u"])))
    with pytest.raises(SpecError, match=r"the value of the unknown function g' is needed; give it as functions=\{\"g'\": \.\.\.\}"):
        compiled(Elementwise(Fn("g", (1,)), x), rows=rows)
    with pytest.raises(ShapeError, match="g: the supplied function returned shape"):
        compiled(Elementwise(Fn("g", (0,)), x), rows=rows, functions={"g": lambda z: z[:2]})(x=np.ones(3))


def test_a_supplied_function_may_return_its_argument() -> None:
    rows = (unknown("g", 1),)
    kept: list[Any] = []

    def same(z: Any) -> Any:
        kept.append(z)
        return z

    e = v.add(v.apply(Fn("exp", (0,)), (x,)), x)
    t, s = MatrixSymbol("t", N, 1), MatrixSymbol("s", N, 1)
    nodes = (("t", e), ("s", Elementwise(Fn("g", (0,)), t)), ("r", v.add(s, t)))
    f = compile_graph(graph_of(SHAPES, *nodes, functions=rows), ("r",), functions={"g": same})
    out = f(x=np.ones(3))["r"]
    np.testing.assert_allclose(out, 2 * (math.e + 1))
    np.testing.assert_allclose(kept[0], math.e + 1)


def test_unsupported_is_said_by_name() -> None:
    class Odd(MatrixExpr):
        shape = (N, ONE)

    with pytest.raises(Unsupported, match="numeric code for a Odd"):
        compiled(SumOf(MatAdd(Odd(x), x)))
    with pytest.raises(Unsupported, match="softmax of a matrix"):
        compiled(Softmax(W))
    with pytest.raises(Unsupported, match="as a float"):
        compiled(v.times(q, Integer(10) ** 400))


def test_worst_error() -> None:
    assert worst_error({"a": 1.0}, {"a": 1.0}) == 0
    assert worst_error({"a": [1.0, 2.0]}, {"a": [1.0, 2.2]}) == pytest.approx(0.2 / 2.2)
    assert worst_error({"a": 1e3, "b": 0.0}, {"a": 1e3, "b": 1e-9}) < 1e-8  # small against the largest gradient
    assert worst_error({"a": math.nan}, {"a": 1.0}) == math.inf
    with pytest.raises(SpecError, match="the names differ: b"):
        worst_error({"a": 1.0}, {"a": 1.0, "b": 1.0})
    with pytest.raises(ShapeError, match="a has shape"):
        worst_error({"a": np.ones(3)}, {"a": np.ones(2)})


def test_finite_difference_of_a_vector_and_of_a_matrix() -> None:
    f = compiled(v.matmul(W, x))
    values = values_for(np.random.default_rng(0), ("W", "x"))
    np.testing.assert_allclose(finite_difference(f, values, "out", "x"), values["W"], atol=1e-8)
    assert finite_difference(f, values, "out", "W").shape == (3, 3, 4)
    with pytest.raises(SpecError, match="is not an input"):
        finite_difference(f, values, "out", "u")


# ---- random expressions ------------------------------------------------------------------------------------------------


def grow(rng: random.Random, shape: v.Shape, depth: int) -> Expr:
    """A random expression of that shape."""
    pick = lambda: rng.choice([N, K, M, ONE])
    sub = lambda s: grow(rng, s, depth - 1)
    leaves = [SYMBOLS[n] for n, s in SHAPES.items() if s == shape]
    if shape == v.SCALAR:
        if depth <= 0:
            return rng.choice([*leaves, Rational(rng.randint(-3, 3), 2)])
        kinds = [
            lambda: v.total((sub(shape), sub(shape))),
            lambda: v.times(sub(shape), sub(shape)),
            lambda: call(rng.choice(["tanh", "sigmoid", "softplus"]), sub(shape)),
            lambda: v.as_scalar(v.matmul(sub((ONE, d := pick())), sub((d, ONE)))),
            lambda: SumOf(_matrix(sub((N, pick())))),
            lambda: Norm(_matrix(sub((K, pick())))),
            lambda: TraceOf(_matrix(sub((N, N)))),
            lambda: LogSumExp(_matrix(sub((N, ONE)))),
            lambda: Entry(_matrix(sub((N, ONE))), Integer(rng.randint(1, 4))),
            lambda: v.power(sub(shape), Integer(2)),
            lambda: IndexSum(v.times(Entry(_matrix(sub((N, ONE))), I), Entry(_matrix(sub((N, N))), I, I)), I, N),
            lambda: v.negate(sub(shape)),
        ]
        return rng.choice(kinds)()
    transposed = [v.transpose(SYMBOLS[n]) for n, s in SHAPES.items() if s == shape[::-1]]
    if depth <= 0:
        constants = [OneMatrix(*shape), ZeroMatrix(*shape)] + ([Identity(N)] if shape == (N, N) else [])
        return rng.choice([*leaves, *leaves, *transposed, rng.choice(constants)])
    definite = v.add(Identity(N), v.matmul(A, v.transpose(A)))
    kinds = [
        lambda: v.add(sub(shape), sub(shape)),
        lambda: v.times(_matrix(sub(shape)), _matrix(sub(shape))),
        lambda: v.scale(sub(v.SCALAR), _matrix(sub(shape))),
        lambda: v.matmul(sub((shape[0], d := pick())), sub((d, shape[1]))),
        lambda: v.matmul(v.matmul(sub((shape[0], d := pick())), sub((d, e := pick()))), sub((e, shape[1]))),
        lambda: v.transpose(sub(shape[::-1])),
        lambda: v.negate(sub(shape)),
        lambda: v.apply(Fn(rng.choice(["tanh", "sigmoid", "relu"]), (0,)), (_matrix(sub(shape)),)),
        lambda: v.apply(Fn("max", (0, 0)), (_matrix(sub(shape)), sub(v.SCALAR))),
        lambda: Power(_matrix(sub(shape)), Integer(2)),
    ]
    if shape[1] == ONE:
        kinds.append(lambda: Softmax(_matrix(sub(shape))))
    if shape[0] == N:
        kinds.append(lambda: v.matmul(Inverse(definite), _matrix(sub(shape))))
    if shape == (N, N):
        kinds += [lambda: Diag(_matrix(sub((N, ONE)))), lambda: v.matmul(Diag(_matrix(sub((N, ONE)))), sub(shape)),
                  lambda: v.scale(sub(v.SCALAR), Identity(N)), lambda: Inverse(definite)]
    return rng.choice(kinds)()


def _matrix(e: Expr) -> Expr:
    """A scalar that came of a (1, 1) product, as a (1, 1) matrix again."""
    return v.scale(e, OneMatrix(1, 1)) if v.is_scalar(e) else e


@pytest.mark.parametrize("seed", range(200))
def test_random_expressions_against_the_slow_evaluator(seed: int) -> None:
    rng = random.Random(seed)
    shape = rng.choice([v.SCALAR, (N, ONE), (ONE, N), (K, N), (N, N), (K, M)])
    e = grow(rng, shape, rng.randint(1, 4))
    if v.names_in(e):
        check(e, np.random.default_rng(seed), 1e-7, batches=1)
