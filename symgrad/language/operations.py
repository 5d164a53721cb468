"""Operations of vectors and matrices that are given by their entries, once: the checker, the sheet and the numeric code read
the definition here.

To add one: a class with `word`, `shape` and `at` (entry (i, j) as a scalar expression in entries of the arguments, with index
sums), its row in OPERATIONS, its rule in rules/operations.py, its kernel in numeric/operations.py.  Indices count from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sympy import Expr, Identity, Integer, Inverse, MatMul, MatrixExpr, Mul, OneMatrix, Pow, Symbol, Transpose, expand, floor

from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError
from symgrad.language.functions import call
from symgrad.language.vectors import Entry, IndexSum, Shape, merged, say_shape, shape_of

Fresh = Callable[[], Symbol]
"""Gives an index symbol that nothing else uses."""

ONE = Integer(1)


class Choice(Expr):
    """`then` where low <= high, else `otherwise`; low and high are indices."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, low: Expr, high: Expr, then: Expr, otherwise: Expr) -> Choice:
        return Expr.__new__(cls, low, high, then, otherwise)


class AtMost(Expr):
    """1 where low <= high, else 0; low counts to `rows`."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, low: Expr, high: Expr, rows: Expr) -> AtMost:
        return Expr.__new__(cls, low, high, rows)


class Aligned(Expr):
    """1 where a = i + p - 1, else 0; i counts to `rows`, p to `size`."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, a: Expr, i: Expr, rows: Expr, p: Expr, size: Expr) -> Aligned:
        return Expr.__new__(cls, a, i, rows, p, size)


class Operation(MatrixExpr):
    """A matrix whose entries are given by `at`; its arguments are expressions, sizes and index positions."""

    word: ClassVar[str] = ""
    takes: ClassVar[tuple[int, int]] = (1, 0)  # so many matrices, then so many sizes and positions

    def __new__(cls, *arguments: Expr) -> Operation:
        return MatrixExpr.__new__(cls, *arguments)

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[0])

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        """Entry (i, j)."""
        raise NotImplementedError(type(self).__name__)

    @property
    def reaches(self) -> tuple[tuple[Expr, int], ...]:
        """(dimension, position) for each fixed position that the definition names."""
        return ()

    @property
    def fits(self) -> bool:
        """Are the arguments as many as they should be, and do their shapes fit?"""
        matrices, sizes = self.takes
        kinds = all(isinstance(a, MatrixExpr) or (matrices > 1 and v.is_scalar(a)) for a in self.args[:matrices])
        return len(self.args) == matrices + sizes and kinds and all(n.is_integer for n in self.args[matrices:]) and self.shapes_fit

    @property
    def shapes_fit(self) -> bool:
        return True


class RowSoftmax(Operation):
    """softmax of every row: P_ij = exp(A_ij) / sum_k exp(A_ik)."""

    word = "row_softmax"

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (a,), k = self.args, fresh()
        return Mul(call("exp", Entry(a, i, j)), Pow(IndexSum(call("exp", Entry(a, i, k)), k, a.shape[1]), -1))


class RowLogSumExp(Operation):
    """log-sum-exp of every row: y_i = log sum_k exp(A_ik)."""

    word = "row_logsumexp"

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], ONE)

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (a,), k = self.args, fresh()
        return call("log", IndexSum(call("exp", Entry(a, i, k)), k, a.shape[1]))


class ArgMax(Operation):
    """In every row, 1 at the largest entry and 0 elsewhere; the largest entry is attained once (elsewhere it is not defined)."""

    word = "argmax"


class RowMax(Operation):
    """The largest entry of every row: y_i = sum_k ArgMax(A)_ik A_ik."""

    word = "row_max"

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], ONE)

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (a,), k = self.args, fresh()
        return IndexSum(Mul(Entry(ArgMax(a), i, k), Entry(a, i, k)), k, a.shape[1])


class Diagonal(Operation):
    """The diagonal of a square matrix, as a vector: d_i = A_ii."""

    word = "diagonal"

    @property
    def shape(self) -> Shape:
        return (self.args[0].shape[0], ONE)

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        return Entry(self.args[0], i, i)

    @property
    def shapes_fit(self) -> bool:
        return shape_of(self.args[0])[0] == shape_of(self.args[0])[1]


class Tril(Operation):
    """The lower triangle of a matrix, diagonal included: A_ij where j <= i, else 0."""

    word = "tril"

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        return Mul(AtMost(j, i, self.shape[1]), Entry(self.args[0], i, j))


class Kron(Operation):
    """The Kronecker product: block (i, j) of A (x) B is A_ij B."""

    word = "kron"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        (n, m), (p, q) = shape_of(self.args[0]), shape_of(self.args[1])
        return (times_sizes(n, p), times_sizes(m, q))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        a, b = self.args
        p, q = shape_of(b)
        outer, inner = zip(_split(i, p), _split(j, q), strict=True)
        return Mul(Entry(a, *outer), Entry(b, *inner))


class BlockInner(Operation):
    """C_ij = sum_kl K^(ij)_kl B_kl: the inner product of each block of K, shaped like B, with B."""

    word = "block_inner"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        (n, m), (p, q) = shape_of(self.args[0]), shape_of(self.args[1])
        return (divide_sizes(n, p), divide_sizes(m, q))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (whole, b), k, m = self.args, fresh(), fresh()
        p, q = shape_of(b)
        return IndexSum(IndexSum(Mul(Entry(whole, (i - 1) * p + k, (j - 1) * q + m), Entry(b, k, m)), m, q), k, p)

    @property
    def shapes_fit(self) -> bool:
        return all(n.is_integer for n in self.shape)


class BlockSum(Operation):
    """D_kl = sum_ij A_ij K^(ij)_kl: the blocks of K weighted by the entries of A, as many blocks as A has entries."""

    word = "block_sum"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        (n, m), (p, q) = shape_of(self.args[0]), shape_of(self.args[1])
        return (divide_sizes(n, p), divide_sizes(m, q))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (whole, a), k, m = self.args, fresh(), fresh()
        (rows, columns), (p, q) = shape_of(a), self.shape
        return IndexSum(IndexSum(Mul(Entry(whole, (k - 1) * p + i, (m - 1) * q + j), Entry(a, k, m)), m, columns), k, rows)

    @property
    def shapes_fit(self) -> bool:
        return all(n.is_integer for n in self.shape)


class Vec(Operation):
    """The columns of a matrix under one another: vec(A)_((j - 1) n + i) = A_ij."""

    word = "vec"

    @property
    def shape(self) -> Shape:
        n, m = self.args[0].shape
        return (times_sizes(m, n), ONE)

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (a,) = self.args
        column, row = _split(i, a.shape[0])
        return Entry(a, row, column)


class Unvec(Operation):
    """The (n, m) matrix whose columns under one another are the vector."""

    word = "unvec"
    takes = (1, 2)

    @property
    def shape(self) -> Shape:
        return (self.args[1], self.args[2])

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        a, n, _ = self.args
        return Entry(a, (j - 1) * n + i, ONE)

    @property
    def shapes_fit(self) -> bool:
        a, n, m = self.args
        return bool(shape_of(a) == (times_sizes(n, m), ONE))


class Commutation(Operation):
    """The matrix K with K vec(A) = vec(A^T) for every (n, m) matrix A: one 1 in every row and column."""

    word = "commutation"
    takes = (0, 2)

    @property
    def shape(self) -> Shape:
        return (times_sizes(*self.args),) * 2

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        n, m = self.args
        (row, column), (other_column, other_row) = _split(i, m), _split(j, n)
        return Mul(Entry(Identity(n), row, other_row), Entry(Identity(m), column, other_column))


class Block(Operation):
    """Rows `top` to `bottom` and columns `left` to `right` of a matrix, both ends included."""

    word = "block"
    takes = (1, 4)

    @property
    def shape(self) -> Shape:
        _, top, bottom, left, right = self.args
        return (expand(bottom - top + 1), expand(right - left + 1))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        a, top, _, left, _ = self.args
        return Entry(a, top - 1 + i, left - 1 + j)

    @property
    def reaches(self) -> tuple[tuple[Expr, int], ...]:
        a, _, bottom, _, right = self.args
        return tuple((d, int(x)) for d, x in zip(a.shape, (bottom, right), strict=True) if x.is_Integer and not d.is_Integer)

    @property
    def shapes_fit(self) -> bool:
        a, *spans = self.args
        within = all(1 <= low <= high for low, high in (spans[:2], spans[2:]) if low.is_Integer and high.is_Integer)
        return within and all(not (n.is_Integer and x.is_Integer) or x <= n for n, x in zip(shape_of(a), (spans[1], spans[3]), strict=True))


class Stack(Operation):
    """Matrices under one another: the rows of A, then the rows of B."""

    word = "stack"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        (n, m), (k, _) = shape_of(self.args[0]), shape_of(self.args[1])
        return (expand(n + k), m)

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        a, b = self.args
        n = shape_of(a)[0]
        return Choice(i, n, Entry(a, i, j), Entry(b, i - n, j))

    @property
    def shapes_fit(self) -> bool:
        return bool(shape_of(self.args[0])[1] == shape_of(self.args[1])[1])


class Correlate(Operation):
    """Y_ij = sum_pq W_pq X_(i+p-1)(j+q-1): the kernel W slid over X where it fits; what networks call a convolution."""

    word = "correlate"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        w, x = self.args
        return tuple(expand(n - k + 1) for n, k in zip(x.shape, w.shape, strict=True))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        w, x = self.args
        return _aligned_sum(w, x, lambda p, q, a, b: _both(self.shape, w.shape, (a, i, p), (b, j, q)), fresh)


class Convolve(Operation):
    """Y_mn = sum_pq W_pq G_(m-p+1)(n-q+1), terms outside G left out: the full convolution, larger than W and G."""

    word = "convolve"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        w, g = self.args
        return tuple(expand(n + k - 1) for n, k in zip(g.shape, w.shape, strict=True))

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        w, g = self.args
        return _aligned_sum(w, g, lambda p, q, a, b: _both(g.shape, w.shape, (i, a, p), (j, b, q)), fresh)


class Solve(Operation):
    """x = A^-1 b, the solution of A x = b."""

    word = "solve"
    takes = (2, 0)

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[1])

    def at(self, i: Expr, j: Expr, fresh: Fresh) -> Expr:
        (a, b), k = self.args, fresh()
        return IndexSum(Mul(Entry(Inverse(a), i, k), Entry(b, k, j)), k, a.shape[0])

    @property
    def shapes_fit(self) -> bool:
        a, b = self.args
        return isinstance(a, MatrixExpr) and shape_of(a)[0] == shape_of(a)[1] == shape_of(b)[0]


class MaxOf(v._ScalarOf):
    """The largest entry of a vector."""

    def meaning(self) -> Expr:
        return Entry(RowMax(v.transpose(self.arg)), ONE, ONE)


class Variance(v._ScalarOf):
    """var(x) = 1/N sum_i (x_i - mean(x))^2."""

    def meaning(self) -> Expr:
        return v.times(Pow(self.arg.shape[0], -1), Pow(v.Norm(centred(self.arg)), 2, evaluate=False))


OPERATIONS: dict[str, type[Expr]] = {
    cls.word: cls
    for cls in (RowSoftmax, RowLogSumExp, ArgMax, RowMax, Diagonal, Tril, Kron, BlockInner, BlockSum, Vec, Unvec, Commutation, Block,
                Stack, Correlate, Convolve, Solve)
} | {"max_of": MaxOf, "variance": Variance, "choice": Choice, "at_most": AtMost, "aligned": Aligned}
"""The name that each has in a certificate."""

OPERATIONS_WORD = {kind: word for word, kind in OPERATIONS.items()}
SCALARS = (MaxOf, Variance)


# ---- sizes and indices -------------------------------------------------------------------------------------------


def times_sizes(a: Expr, b: Expr) -> Expr:
    return expand(a * b)


def divide_sizes(a: Expr, b: Expr) -> Expr:
    return expand(a / b)


def _split(index: Expr, size: Expr) -> tuple[Expr, Expr]:
    """(block, place within it), both from 1, of a position in blocks of that size."""
    block = floor((index - 1) / size)
    return block + 1, index - block * size


def _both(rows: Shape, sizes: Shape, first: tuple[Expr, ...], second: tuple[Expr, ...]) -> Expr:
    found = [Aligned(a, i, n, p, k) for n, k, (a, i, p) in zip(rows, sizes, (first, second), strict=True) if k != 1 or n != 1]
    return Mul(*found)


def _aligned_sum(w: Expr, x: Expr, aligned: Callable[..., Expr], fresh: Fresh) -> Expr:
    bound = [(fresh(), n) if n != 1 else (ONE, n) for n in (*w.shape, *x.shape)]
    p, q, a, b = (index for index, _ in bound)
    body = Mul(aligned(p, q, a, b), Entry(w, p, q), Entry(x, a, b))
    for index, n in reversed(bound):
        body = body if n == 1 else IndexSum(body, index, n)
    return body


# ---- constructors that check shapes ---------------------------------------------------------------------------------


def centred(x: Expr) -> Expr:
    """x - mean(x) 1."""
    mean = v.times(Pow(x.shape[0], -1), v.SumOf(x))
    return v.add(x, v.negate(mean))


def diagonal(a: Expr) -> Expr:
    """The diagonal of a square matrix as a vector; diag(diag(v)) = v, diag(a b^T) = a o b, diag(A B) = (A o B^T) 1."""
    if isinstance(a, v.Diag):
        return a.arg
    if isinstance(a, Identity):
        return OneMatrix(a.shape[0], 1)
    if isinstance(a, MatMul):
        scalars = [f for f in a.args if v.is_scalar(f)]
        matrices = [f for f in a.args if not v.is_scalar(f)]
        if len(matrices) == 2:
            left, right = matrices
            inside = OneMatrix(left.shape[1], 1)
            if left.shape[1] == 1:
                found = v.times(left, v.transpose(right))
            elif isinstance(left, Transpose):  # diag(A^T B) = (A o B)^T 1
                found = v.matmul(v.transpose(v.times(left.args[0], right)), inside)
            else:
                found = v.matmul(v.times(left, v.transpose(right)), inside)
            for c in scalars:
                found = v.scale(c, found)
            return found
    return Diagonal(a)


def block(a: Expr, rows: tuple[Expr, Expr] | None, columns: tuple[Expr, Expr] | None) -> Expr:
    """The rows and columns from one position to another, both included (None: all).  Raises ShapeError for a place outside."""
    spans = []
    for span, size, what in zip((rows, columns), a.shape, ("rows", "columns"), strict=True):
        low, high = span or (ONE, size)
        if (low.is_Integer and low < 1) or (high.is_Integer and size.is_Integer and high > size) or (
                low.is_Integer and high.is_Integer and low > high):
            raise ShapeError(f"the {what} {low}:{high} are outside 1..{size}; both ends are included, from small to large")
        spans.append((low, high))
    if spans[0] == (ONE, a.shape[0]) and spans[1] == (ONE, a.shape[1]):
        return a
    if isinstance(a, Block):
        _, top, _, left, _ = a.args
        return Block(a.args[0], *(expand(x + top - 1) for x in spans[0]), *(expand(x + left - 1) for x in spans[1]))
    return Block(a, *spans[0], *spans[1])


def place(g: Expr, rows: tuple[Expr, Expr], columns: tuple[Expr, Expr], shape: Shape) -> Expr:
    """The matrix of that shape with g at those rows and columns and 0 elsewhere: E g F, E and F columns and rows of the identity."""
    found = g
    for span, size, side in ((rows, shape[0], "left"), (columns, shape[1], "right")):
        if span == (ONE, size):
            continue
        part = v.Unit(size, span[0]) if span[0] == span[1] else Block(Identity(size), ONE, size, *span)
        other = part if side == "left" else v.transpose(part)
        found = v.scale(found, other) if v.is_scalar(found) else v.matmul(other, found) if side == "left" else v.matmul(found, other)
    return found


def stack(a: Expr, b: Expr) -> Expr:
    """a above b.  Raises ShapeError if the numbers of columns differ."""
    if shape_of(a)[1] != shape_of(b)[1]:
        raise ShapeError(f"concat: {say_shape(shape_of(a))} above {say_shape(shape_of(b))}; they need the same number of columns")
    return Stack(a, b)


def kron(a: Expr, b: Expr) -> Expr:
    """The Kronecker product; a scalar factor multiplies."""
    return v.times(a, b) if v.is_scalar(a) or v.is_scalar(b) else Kron(a, b)


def solve(a: Expr, b: Expr) -> Expr:
    """The solution of a x = b.  Raises ShapeError."""
    if v.is_scalar(a) or a.shape[0] != a.shape[1]:
        raise ShapeError(f"solve: a square matrix is needed, found {say_shape(shape_of(a))}")
    if shape_of(b)[0] != a.shape[0]:
        raise ShapeError(f"solve: the matrix is {say_shape(a.shape)}, the right side {say_shape(shape_of(b))}")
    return Solve(a, b)


def diag(a: Expr) -> Expr:
    """The matrix with a vector on its diagonal, multiples outside: diag(c 1) = c I; a number is its own."""
    if v.is_scalar(a):
        return a
    if isinstance(a, MatMul) and v.is_scalar(a.args[0]):
        return v.scale(a.args[0], diag(a.args[1] if len(a.args) == 2 else MatMul(*a.args[1:])))
    return Identity(a.shape[0]) if isinstance(a, OneMatrix) else v.Diag(a)


def hadamard(a: Expr, b: Expr) -> Expr:
    """a o b, a broadcast column or row as a diagonal matrix: (c 1^T) o B = diag(c) B, (1 r^T) o B = B diag(r)."""
    for one, other in ((a, b), (b, a)):
        factors = [f for f in one.args if not v.is_scalar(f)] if isinstance(one, MatMul) else []
        if len(factors) == 2 and other.shape[1] != 1 != other.shape[0]:
            scalars = tuple(f for f in one.args if v.is_scalar(f))
            column, row = factors
            if isinstance(row, OneMatrix) and row.shape[0] == 1:
                return v.scale(merged(scalars), v.matmul(diag(column), other))
            if isinstance(column, OneMatrix) and column.shape[1] == 1:
                return v.scale(merged(scalars), v.matmul(other, diag(v.transpose(row))))
    return v.times(a, b)


def trace(a: Expr) -> Expr:
    """The trace; of a transpose, that of the matrix."""
    return v.TraceOf(a.args[0]) if isinstance(a, Transpose) else v.TraceOf(a)


def tril(a: Expr) -> Expr:
    """The lower triangle, diagonal included."""
    return a if v.is_scalar(a) else Tril(a)


def block_inner(k: Expr, b: Expr) -> Expr:
    return v.scale(b, k) if v.is_scalar(b) else v.as_scalar(BlockInner(k, b))


def block_sum(k: Expr, a: Expr) -> Expr:
    return v.scale(a, k) if v.is_scalar(a) else v.as_scalar(BlockSum(k, a))


def convolve(w: Expr, g: Expr) -> Expr:
    """The full convolution; a number multiplies."""
    return v.times(w, g) if v.is_scalar(w) or v.is_scalar(g) else Convolve(w, g)


def correlate(w: Expr, x: Expr) -> Expr:
    """The kernel w slid over x; a number multiplies.  Raises ShapeError where it is known not to fit."""
    if v.is_scalar(w):
        return v.scale(w, x)
    for n, k in zip(shape_of(x), shape_of(w), strict=True):
        if n.is_Integer and k.is_Integer and k > n:
            raise ShapeError(f"conv: the kernel is {say_shape(shape_of(w))}, larger than {say_shape(shape_of(x))}")
        if (n == 1) != (k == 1) and n == 1:
            raise ShapeError(f"conv: the kernel is {say_shape(shape_of(w))}, what it slides over {say_shape(shape_of(x))}")
    return v.as_scalar(Correlate(w, x))


__all__ = [
    "Aligned", "ArgMax", "AtMost", "Block", "BlockInner", "BlockSum", "Choice", "Commutation", "Convolve", "Correlate", "Diagonal", "Kron", "MaxOf",
    "OPERATIONS", "OPERATIONS_WORD", "Operation", "RowLogSumExp", "RowMax", "RowSoftmax", "SCALARS", "Solve", "Stack", "Tril",
    "Unvec", "Variance", "Vec", "block", "block_inner", "block_sum", "centred", "convolve", "correlate", "diag", "diagonal", "hadamard",
    "kron", "place", "solve", "stack", "trace", "tril",
]
