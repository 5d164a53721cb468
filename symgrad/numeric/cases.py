"""From the expressions of a graph to a numeric program: one small case for each class of expression.

Identity, ones, zeros and diag are never formed: they are numbers and vectors that broadcast.  Products are contracted in the
cheapest order, inverses next to a vector or matrix become linear solves.  To add an expression class, register a case.
"""

from __future__ import annotations

import math
from typing import Any

from sympy import (
    Add,
    Expr,
    Float,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    NumberSymbol,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import Call
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
    is_scalar,
    shape_of,
)
from symgrad.numeric.elementary import apply_function
from symgrad.numeric.products import chain, diagonal_of, full, inner, sum_entries
from symgrad.numeric.translator import Translator, axes_of, translate
from symgrad.numeric.values import ONE, Value, axis_order

# ---- leaves and scalars ----------------------------------------------------------------------------------------------


@translate.register
def symbol(e: Symbol, t: Translator) -> Value:
    return t.symbol(e, e.name)


@translate.register
def matrix_symbol(e: MatrixSymbol, t: Translator) -> Value:
    return t.symbol(e, e.name)


@translate.register
def number(e: Number | NumberSymbol, t: Translator) -> Value:
    try:
        value = e.p / e.q if isinstance(e, Rational) else float(e) if isinstance(e, Float | NumberSymbol) else math.nan
    except (OverflowError, ZeroDivisionError):
        value = math.inf
    if not math.isfinite(value):
        raise Unsupported(f"the number {str(e)[:40]} as a float")
    return t.program.const(value)


@translate.register
def scalar_sum(e: Add, t: Translator) -> Value:
    return t.program.add([t(a) for a in e.args])


@translate.register
def scalar_product(e: Mul, t: Translator) -> Value:
    return t.program.mul([t(a) for a in e.args])


@translate.register
def scalar_power(e: Pow, t: Translator) -> Value:
    base, exponent = e.args
    if exponent == 2 and isinstance(base, Norm):
        return inner(t, t(base.arg), t(base.arg), shape_of(base.arg))
    return t.program.power(t(base), t(exponent))


@translate.register
def call(e: Call, t: Translator) -> Value:
    if e.fn.name == "log" and e.fn.plain and isinstance(e.arguments[0], DetOf):
        return determinant(e.arguments[0], t, "logdet")
    return apply_function(t, e.fn, tuple([t(a) for a in e.arguments]))


# ---- matrices ------------------------------------------------------------------------------------------------------------


@translate.register
def elementwise(e: Elementwise, t: Translator) -> Value:
    return apply_function(t, e.fn, tuple([t.plain(t(a)) for a in e.arguments]))


@translate.register
def matrix_sum(e: MatAdd, t: Translator) -> Value:
    terms = [t(a) for a in e.args]
    diagonals = [v for v in terms if v.op == "diag"]
    if not diagonals:
        return t.program.add([t.plain(v) for v in terms])
    diagonal = t.program.add([v.args[0] for v in diagonals])
    rest = [t.plain(v) for v in terms if v.op != "diag"]
    if not rest:
        return _diag(t, diagonal, e.shape[0])
    matrix = full(t, t.program.add(rest), e.shape)
    return t.program.make("add_diagonal", (matrix, diagonal), matrix.axes, matrix.dims, matrix.batched or diagonal.batched)


@translate.register
def matrix_product(e: MatMul, t: Translator) -> Value:
    coefficient = [t(a) for a in e.args if is_scalar(a)]
    return chain(t, [t(a) for a in e.args if not is_scalar(a)], [a.shape for a in e.args if not is_scalar(a)], coefficient)


@translate.register
def entrywise_product(e: HadamardProduct, t: Translator) -> Value:
    factors = [t(a) for a in e.args]
    if any(v.op == "diag" for v in factors):
        return _diag(t, t.program.mul([diagonal_of(t, v) for v in factors]), e.shape[0])
    return t.program.mul([t.plain(v) for v in factors])


@translate.register
def entrywise_power(e: Power, t: Translator) -> Value:
    return t.program.power(t.plain(t(e.args[0])), t(e.args[1]))


@translate.register
def transposed(e: Transpose, t: Translator) -> Value:
    return t.program.transpose(t(e.args[0]))


@translate.register
def inverse(e: Inverse, t: Translator) -> Value:
    a = t(e.args[0])
    if a.op == "inverse":
        return a.args[0]
    if a.op == "diag":
        return _diag(t, t.program.recip(a.args[0]), e.shape[0])
    if e.shape == (1, 1):
        return t.program.recip(a)
    a = full(t, a, e.shape)
    return t.program.make("inverse", (a,), a.axes, a.dims, a.batched)


@translate.register
def identity(e: Identity, t: Translator) -> Value:
    return _diag(t, t.program.const(1), e.shape[0])


@translate.register
def diag(e: Diag, t: Translator) -> Value:
    return _diag(t, t(e.arg), e.shape[0])


@translate.register
def ones(e: OneMatrix, t: Translator) -> Value:
    return t.program.const(1)


@translate.register
def zeros(e: ZeroMatrix, t: Translator) -> Value:
    return t.program.const(0)


@translate.register
def unit(e: Unit, t: Translator) -> Value:
    return t.program.make("unit", (t.count(e.shape[0]),), ("r",), (e.shape[0],), param=int(e.args[1]))


@translate.register
def softmax(e: Softmax, t: Translator) -> Value:
    z = t(e.arg)
    if not z.axes:
        return t.program.recip(t.program.mul([t.size(d) for d in e.shape]))
    if len(z.axes) != 1 or ONE not in e.shape:
        raise Unsupported(f"softmax of a matrix of shape {e.shape}")
    return t.program.make("softmax", (z,), z.axes, z.dims, z.batched)


def _diag(t: Translator, entries: Value, size: Expr) -> Value:
    """The diagonal matrix with these entries (one number: all equal), kept as its diagonal."""
    if size == ONE:
        return entries
    return t.program.make("diag", (entries,), ("r", "c"), (size, size), entries.batched)


# ---- scalars of matrices -----------------------------------------------------------------------------------------------


@translate.register
def as_scalar(e: AsScalar, t: Translator) -> Value:
    return t.plain(t(e.arg))


@translate.register
def norm(e: Norm, t: Translator) -> Value:
    a = t(e.arg)
    return t.program.entrywise("sqrt", inner(t, a, a, shape_of(e.arg)))


@translate.register
def sum_of(e: SumOf, t: Translator) -> Value:
    match e.arg:
        case HadamardProduct(args=(a, b)):
            return inner(t, t(a), t(b), shape_of(e.arg))
        case Power(args=(a, exponent)) if exponent == 2:
            return inner(t, t(a), t(a), shape_of(e.arg))
    return sum_entries(t, t(e.arg), shape_of(e.arg))


@translate.register
def trace_of(e: TraceOf, t: Translator) -> Value:
    if isinstance(e.arg, MatMul):
        factors = [a for a in e.arg.args if not is_scalar(a)]
        if len(factors) > 1:  # tr(A B) = sum of the entries of A o B^T
            left = chain(t, [t(a) for a in factors[:-1]], [a.shape for a in factors[:-1]], [])
            right = t.program.transpose(t(factors[-1]))
            trace = inner(t, left, right, (factors[0].shape[0], factors[-1].shape[0]))
            return t.program.mul([*(t(a) for a in e.arg.args if is_scalar(a)), trace])
    return sum_entries(t, diagonal_of(t, t(e.arg)), (shape_of(e.arg)[0], ONE))


@translate.register
def det_of(e: DetOf, t: Translator) -> Value:
    return determinant(e, t, "det")


def determinant(e: DetOf, t: Translator, op: str) -> Value:
    """det, or its logarithm without over- or underflow."""
    a = t(e.arg)
    if shape_of(e.arg) == (1, 1):
        return t.program.entrywise("log", t.plain(a)) if op == "logdet" else t.plain(a)
    a = full(t, t.plain(a), shape_of(e.arg))
    return t.program.make(op, (a,), (), (), a.batched)


@translate.register
def log_sum_exp(e: LogSumExp, t: Translator) -> Value:
    z = t.plain(t(e.arg))
    missing = [d for x, d in zip(("r", "c"), shape_of(e.arg), strict=True) if x not in z.axes and d != ONE]
    inner_part = t.program.make("logsumexp", (z,), (), (), z.batched, len(z.axes)) if z.axes else z
    return t.program.add([inner_part, *(t.program.entrywise("log", t.size(d)) for d in missing)])


@translate.register
def unknown_scalar(e: UnknownScalar, t: Translator) -> Value:
    arguments = tuple(t.shown(a, t(a)) for a in e.arguments)
    return t.program.make("supplied_whole", arguments, (), (), any(a.batched for a in arguments), (t.supplied_number(e.fn), ()))


@translate.register
def unknown_gradient(e: UnknownGradient, t: Translator) -> Value:
    arguments = tuple(t.shown(a, t(a)) for a in e.args[2:])
    axes, dims = axes_of(e.shape)
    fn = e.args[0].derivative(int(e.args[1]))
    sizes = tuple(t.count(d) for d in dims)
    batched = any(a.batched for a in arguments)
    return t.program.make("supplied_whole", (*sizes, *arguments), axes, dims, batched, (t.supplied_number(fn), dims))


@translate.register
def unknown_hessian(e: UnknownHessian, t: Translator) -> Value:
    arguments = tuple(t.shown(a, t(a)) for a in e.args[3:])
    axes, dims = axes_of(e.shape)
    fn = e.args[0].derivative(int(e.args[1])).derivative(int(e.args[2]))
    sizes = tuple(t.count(d) for d in dims)
    batched = any(a.batched for a in arguments)
    return t.program.make("supplied_whole", (*sizes, *arguments), axes, dims, batched, (t.supplied_number(fn), dims))


@translate.register
def entry(e: Entry, t: Translator) -> Value:
    matrix, *indices = e.args
    a = t(matrix)
    shape = shape_of(matrix)
    where: list[Any] = [t.bound.get(i, i) for i in indices]
    if a.op == "diag" and where[0] == where[1] and isinstance(where[0], Value):
        a, where[1] = a.args[0], Integer(1)
    a = t.plain(a)
    if any(x[0] == "i" for x in a.axes):
        raise Unsupported(f"an entry of a matrix that depends on a bound index: {str(e)[:80]}")
    index: list[str] = []
    extra: list[Value] = []
    axes: list[str] = []
    dims: list[Expr] = []
    for x, size, i in zip(("r", "c"), shape, where, strict=True):
        if isinstance(i, Value):
            low, high, name, count = 1, i.dims[0], i.axes[0], i.dims[0]
        elif i.is_Integer or isinstance(i, Symbol) or not i.free_symbols:
            low, high, name, count = int(i) if i.is_Integer else 1, i, "", ONE
        else:
            raise Unsupported(f"the index {i} of {str(e)[:60]}: it is neither a number nor a bound index")
        if low < 1 or (high.is_Integer and size.is_Integer and high > size):
            raise SpecError(f"the index {i if name == '' else high} is outside 1..{size} in {str(e)[:60]}; indices count from 1")
        if high != size and not (high.is_Integer and size.is_Integer):
            t.at_least[size, high] = None
        if x not in a.axes:
            continue
        if name:
            axes.append(name)
            dims.append(count)
            index.append(":" if high == size else ":{}")
        else:
            index.append(str(int(i) - 1) if i.is_Integer else "{} - 1")
        if "{}" in index[-1]:
            extra.append(t.count(high))
    if not a.axes:
        return a
    p = t.program
    if axes and len(set(axes)) < len(axes):
        square = a if index == [":", ":"] else p.make("slice", (a, *extra), ("r", "c"), tuple(dims), a.batched, ", ".join(index))
        return p.make("diagonal", (square,), (axes[0],), (dims[0],), a.batched)
    if len(axes) == 2 and axis_order(axes[1]) < axis_order(axes[0]):
        a = p.transpose(a)
        index, axes, dims, extra = index[::-1], axes[::-1], dims[::-1], extra[::-1]
    return p.make("slice", (a, *extra), tuple(axes), tuple(dims), a.batched, ", ".join(index))


@translate.register
def index_sum(e: IndexSum, t: Translator) -> Value:
    body, index, size = e.args
    axis = t.new_index()
    counter = t.program.make("counter", (t.count(size),), (axis,), (size,))
    value = t.with_bound({index: counter}, body)
    t.depth -= 1
    return t.program.total(value, (axis,)) if axis in value.axes else t.program.mul([t.size(size), value])


__all__ = ["translate"]
