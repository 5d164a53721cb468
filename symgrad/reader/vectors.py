"""Functions of whole vectors and matrices in a let-list, and slices: names and arguments, as NumPy has them, to expressions.

To add one: its row in OF_VECTORS and its name in language/functions.py.  An axis counts from 0, as in NumPy; an index from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from sympy import Expr, Identity, Integer, OneMatrix, Rational, Symbol, ZeroMatrix, expand

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.functions import Fn, call

Arguments = tuple[Expr, ...]
MAX_SIZE = 10_000
ONE = Integer(1)


def matrix(name: str, e: Expr) -> Expr:
    if v.is_scalar(e):
        raise ShapeError(f"{name} takes a vector or matrix, found a scalar")
    return e


def square(name: str, e: Expr) -> Expr:
    if v.is_scalar(e) or e.shape[0] != e.shape[1]:
        raise ShapeError(f"{name} takes a square matrix, found {v.say_shape(v.shape_of(e))}")
    return e


def vector(name: str, e: Expr) -> Expr:
    if v.is_scalar(e) or e.shape[1] != 1:
        raise ShapeError(f"{name} takes a vector, found {v.say_shape(v.shape_of(e))}")
    return e


def size(e: Expr) -> Expr:
    if (e.is_Integer and 0 < e <= MAX_SIZE) or of_dimensions(e):
        return canonical(e)
    raise SpecError(f"{e} is not a dimension or a positive whole number")


def of_dimensions(e: Expr) -> bool:
    """N, or 2*V + 1."""
    return bool(e.is_integer and not e.is_Integer and all(s.is_integer for s in e.free_symbols))


def canonical(e: Expr) -> Expr:
    """A size with its terms in the order in which shapes have them, not in the order of the text."""
    return expand(e.func(*map(canonical, e.args))) if e.args else e


def axis(name: str, e: Expr) -> int:
    if e not in (0, 1):
        raise SpecError(f"{name}: the axis is 0 (down the columns) or 1 (along the rows), found {e}")
    return int(e)


def ones(n: Expr) -> Expr:
    return OneMatrix(n, 1)


def constant(kind: type) -> Callable[[Arguments], Expr]:
    return lambda a: kind(size(a[0]), size(a[1]) if len(a) > 1 else Integer(1))


def total(a: Arguments) -> Expr:
    """sum(A) of all entries; sum(A, 0) = A^T 1 of each column, sum(A, 1) = A 1 of each row, both as vectors."""
    e = matrix("sum", a[0])
    if len(a) == 1:
        return v.SumOf(e)
    along = v.transpose(e) if axis("sum", a[1]) == 0 else e
    return v.as_scalar(v.matmul(along, ones(along.shape[1])))


def mean(a: Arguments) -> Expr:
    """The sum over the number of entries that it adds."""
    e = matrix("mean", a[0])
    rows, columns = e.shape
    count = (rows if columns == 1 else v.times(rows, columns)) if len(a) == 1 else (rows, columns)[axis("mean", a[1])]
    return v.times(v.power(count, Integer(-1)) if not count.is_Integer else 1 / count, total(a))


def softmax(a: Arguments) -> Expr:
    """Of a vector; of each column (axis 0) or row (axis 1) of a matrix."""
    e = matrix("softmax", a[0]) if len(a) > 1 or not v.is_scalar(a[0]) else vector("softmax", a[0])
    if len(a) == 1:
        if e.shape[1] != 1:
            raise ShapeError(f"softmax takes a vector, found {v.say_shape(e.shape)}; write softmax(A, 1) for each row, softmax(A, 0) for each column")
        return v.Softmax(e)
    if axis("softmax", a[1]) == 0:
        return v.Softmax(e) if e.shape[1] == 1 else v.transpose(op.RowSoftmax(v.transpose(e)))
    return op.RowSoftmax(e)


def logsumexp(a: Arguments) -> Expr:
    """Of a vector; of each column (axis 0) or row (axis 1) of a matrix, as a vector."""
    e = matrix("logsumexp", a[0]) if len(a) > 1 or not v.is_scalar(a[0]) else vector("logsumexp", a[0])
    if len(a) == 1:
        if e.shape[1] != 1:
            raise ShapeError(f"logsumexp takes a vector, found {v.say_shape(e.shape)}; write logsumexp(A, 1) for each row, logsumexp(A, 0) "
                             "for each column")
        return v.LogSumExp(e)
    return v.as_scalar(op.RowLogSumExp(v.transpose(e) if axis("logsumexp", a[1]) == 0 else e))


def logsoftmax(a: Arguments) -> Expr:
    """log softmax(z) = z - log-sum-exp(z)."""
    e, whole = a[0], logsumexp(a)
    if len(a) == 1:
        return v.add(e, v.negate(whole))
    if axis("logsoftmax", a[1]) == 1:
        return v.add(e, v.negate(v.matmul(whole, v.transpose(ones(e.shape[1])))))
    return v.add(e, v.negate(v.matmul(ones(e.shape[0]), v.transpose(whole))))


def norm(a: Arguments) -> Expr:
    """The 2-norm of a vector, the Frobenius norm of a matrix; norm(x, 1) is the sum of the absolute values of a vector."""
    e = a[0]
    if v.is_scalar(e):
        return call("abs", e)
    if len(a) == 1 or (a[1] == 2 and e.shape[1] == 1):
        return v.Norm(e)
    if a[1] == 1 and e.shape[1] == 1:
        return v.SumOf(v.apply(Fn("abs", (0,)), (e,)))
    raise Unsupported(f"norm with order {a[1]} of {v.say_shape(e.shape)}; there are norm(x), norm(x, 1) of a vector and norm(A), the Frobenius norm; "
                      "the sum of absolute entries is sum(abs(A))")


def dot(a: Arguments) -> Expr:
    return v.as_scalar(v.matmul(v.transpose(vector("dot", a[0])), vector("dot", a[1])))


def inner(a: Arguments) -> Expr:
    """The sum of the products of entries: a^T b, tr(A^T B)."""
    if matrix("inner", a[0]).shape != matrix("inner", a[1]).shape:
        raise ShapeError(f"inner: {v.say_shape(a[0].shape)} and {v.say_shape(a[1].shape)}; the same shape is needed")
    return dot(a) if a[0].shape[1] == 1 else v.TraceOf(v.matmul(v.transpose(a[0]), a[1]))


def diag(a: Arguments) -> Expr:
    """The matrix with a vector on its diagonal; the diagonal of a square matrix."""
    e = matrix("diag", a[0])
    if e.shape[1] != 1 and e.shape[0] != e.shape[1]:
        raise ShapeError(f"diag takes a vector or a square matrix, found {v.say_shape(e.shape)}")
    return v.Diag(e) if e.shape[1] == 1 else op.diagonal(e)


def concat(a: Arguments) -> Expr:
    """One under another."""
    return reduce(op.stack, a)


def hstack(a: Arguments) -> Expr:
    """Side by side."""
    return v.transpose(reduce(op.stack, map(v.transpose, a)))


def onehot(a: Arguments) -> Expr:
    k, n = a
    if not ((k.is_Integer and k >= 1 and not (n.is_Integer and k > n)) or (isinstance(k, Symbol) and k.is_integer)):
        raise SpecError(f"onehot({k}, {n}): the position is a whole number in 1..{n}, or the name of an index")
    return v.Unit(size(n), k)


def cumsum(a: Arguments) -> Expr:
    """The sums of the first entries, y_i = x_1 + ... + x_i: the lower-triangular matrix of ones times x."""
    n = vector("cumsum", a[0]).shape[0]
    return v.matmul(op.Tril(OneMatrix(n, n)), a[0])


def maxpool(a: Arguments) -> Expr:
    """The largest of each s entries in turn of a vector whose length s divides."""
    n, s = vector("maxpool", a[0]).shape[0], size(a[1])
    if not (n.is_Integer and s.is_Integer and n % s == 0):
        raise Unsupported(f"maxpool of {n} entries in windows of {s}: both are numbers, and the window divides the length")
    return v.as_scalar(op.RowMax(v.transpose(op.Unvec(a[0], s, Integer(n / s)))))


def argmax(a: Arguments) -> Expr:
    """1 at the largest entry of a vector, or of each row of a matrix, and 0 elsewhere."""
    e = matrix("argmax", a[0])
    return v.transpose(op.ArgMax(v.transpose(e))) if e.shape[1] == 1 else op.ArgMax(e)


def variance(a: Arguments) -> Expr:
    """1/N sum_i (x_i - mean)^2 of a vector."""
    return op.Variance(vector("var", a[0]))


def call_of(name: str, e: Expr) -> Expr:
    """A function of the table of functions, entry by entry for a matrix."""
    return v.apply(Fn(name, (0,)), (e,))


def half_sum(e: Expr, sign: Expr) -> Expr:
    """1/2 (e^z + sign e^-z): cosh z and sinh z."""
    return v.scale(Rational(1, 2), v.add(call_of("exp", e), v.scale(sign, call_of("exp", v.negate(e)))))


def vec(a: Arguments) -> Expr:
    e = matrix("vec", a[0])
    return e if e.shape[1] == 1 else op.Vec(e)


def reshape(a: Arguments) -> Expr:
    """Row by row, as NumPy: entries of A in order of its rows fill the rows of an (n, m) matrix."""
    e, n, m = matrix("reshape", a[0]), size(a[1]), size(a[2]) if len(a) > 2 else Integer(1)
    if op.times_sizes(*e.shape) != op.times_sizes(n, m):
        raise ShapeError(f"reshape: {v.say_shape(e.shape)} has {op.times_sizes(*e.shape)} entries, ({n}, {m}) has {op.times_sizes(n, m)}")
    flat = e if e.shape[1] == 1 else op.Vec(v.transpose(e))
    return flat if m == 1 else v.transpose(op.Unvec(flat, m, n))


OF_VECTORS: dict[str, tuple[tuple[int, int], Callable[[Arguments], Expr]]] = {
    "softmax": ((1, 2), softmax),
    "logsumexp": ((1, 2), logsumexp),
    "logsoftmax": ((1, 2), logsoftmax),
    "norm": ((1, 2), norm),
    "sum": ((1, 2), total),
    "mean": ((1, 2), mean),
    "var": ((1, 1), variance),
    "std": ((1, 1), lambda a: call("sqrt", variance(a))),
    "dot": ((2, 2), dot),
    "inner": ((2, 2), inner),
    "outer": ((2, 2), lambda a: v.matmul(vector("outer", a[0]), v.transpose(vector("outer", a[1])))),
    "trace": ((1, 1), lambda a: v.TraceOf(square("trace", a[0]))),
    "det": ((1, 1), lambda a: v.DetOf(square("det", a[0]))),
    "logdet": ((1, 1), lambda a: call("log", v.DetOf(square("logdet", a[0])))),
    "inv": ((1, 1), lambda a: v.inverse(a[0])),
    "solve": ((2, 2), lambda a: op.solve(*a)),
    "kron": ((2, 2), lambda a: op.kron(*a)),
    "commutation": ((2, 2), lambda a: op.Commutation(size(a[0]), size(a[1]))),
    "diag": ((1, 1), diag),
    "tril": ((1, 1), lambda a: op.Tril(matrix("tril", a[0]))),
    "triu": ((1, 1), lambda a: v.transpose(op.Tril(v.transpose(matrix("triu", a[0]))))),
    "transpose": ((1, 1), lambda a: v.transpose(a[0])),
    "vec": ((1, 1), vec),
    "reshape": ((2, 3), reshape),
    "concat": ((2, 99), concat),
    "vstack": ((2, 99), concat),
    "hstack": ((2, 99), hstack),
    "onehot": ((2, 2), onehot),
    "unit": ((2, 2), lambda a: onehot((a[1], a[0]))),
    "cumsum": ((1, 1), cumsum),
    "conv": ((2, 2), lambda a: op.correlate(matrix("conv", a[1]), matrix("conv", a[0]))),
    "rowmax": ((1, 1), lambda a: v.as_scalar(op.RowMax(matrix("rowmax", a[0])))),
    "colmax": ((1, 1), lambda a: v.as_scalar(op.RowMax(v.transpose(matrix("colmax", a[0]))))),
    "maxpool": ((2, 2), maxpool),
    "argmax": ((1, 1), argmax),
    "silu": ((1, 1), lambda a: v.times(a[0], call_of("sigmoid", a[0]))),
    "logsigmoid": ((1, 1), lambda a: v.negate(call_of("softplus", v.negate(a[0])))),
    "log1p": ((1, 1), lambda a: call_of("log", v.add(ONE, a[0]))),
    "expm1": ((1, 1), lambda a: v.add(call_of("exp", a[0]), Integer(-1))),
    "sinh": ((1, 1), lambda a: half_sum(a[0], Integer(-1))),
    "cosh": ((1, 1), lambda a: half_sum(a[0], ONE)),
    "square": ((1, 1), lambda a: v.power(a[0], Integer(2))),
    "ones": ((1, 2), constant(OneMatrix)),
    "zeros": ((1, 2), constant(ZeroMatrix)),
    "eye": ((1, 1), lambda a: Identity(size(a[0]))),
}

PRIMITIVES = {"softmax": ("exp",), "logsumexp": ("exp", "log"), "logsoftmax": ("exp", "log"), "logdet": ("log",), "std": ("sqrt",),
              "silu": ("exp", "sigmoid"), "logsigmoid": ("log", "exp", "sigmoid", "softplus"), "log1p": ("log",), "expm1": ("exp",),
              "sinh": ("exp",), "cosh": ("exp",), "rowmax": ("max",), "colmax": ("max",), "maxpool": ("max",), "argmax": ("max",)}
"""The functions in terms of which each is defined: their rows travel with the graph."""


WITH_AXIS = ("sum", "mean", "softmax", "logsumexp", "logsoftmax")
"""The functions of a matrix and an axis."""


def largest(name: str, e: Expr) -> Expr:
    """max(x) or min(x) of one vector: its largest or smallest entry."""
    column = vector(name, e)
    return op.MaxOf(column) if name == "max" else v.negate(op.MaxOf(v.negate(column)))


# ---- indices and slices ------------------------------------------------------------------------------------------------

Span = tuple[Expr, Expr] | None


def part(a: Expr, spans: tuple[Span, ...]) -> Expr:
    """A[i, j], A[i, :] (row i as a row), A[:, j] (column j as a vector), A[1:3, :] (both ends included), x[2], x[1:3].

    Raises SpecError or ShapeError for a wrong number of indices or one outside the matrix.
    """
    if v.is_scalar(a):
        raise ShapeError("an index on a scalar")
    if len(spans) == 1 and a.shape[1] == 1:
        spans = (*spans, None)
    if len(spans) != 2:
        raise ShapeError(f"{len(spans)} index for a matrix of shape {v.say_shape(a.shape)}; give row and column")
    for span, n in zip(spans, a.shape, strict=True):
        for i in span or ():
            if not (i.is_Integer or isinstance(i, Symbol) or of_dimensions(i)):
                raise SpecError(f"the index {i} is not a whole number")
            if i.is_Integer and (i < 1 or (n.is_Integer and i > n)) or not i.is_Symbol and canonical(n - i).is_negative:
                raise SpecError(f"the index {i} is outside 1..{n}; indices count from 1")
    rows, columns = ((Integer(1), n) if span is None and n == 1 else span and (canonical(span[0]), canonical(span[1]))
                     for span, n in zip(spans, a.shape, strict=True))
    if rows is not None and columns is not None and rows[0] == rows[1] and columns[0] == columns[1]:
        return v.Entry(a, rows[0], columns[0])
    return op.block(a, rows, columns)


__all__ = ["OF_VECTORS", "PRIMITIVES", "WITH_AXIS", "Span", "largest", "part"]
