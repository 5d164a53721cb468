"""Vector and matrix expressions with named dimensions: SymPy's MatrixExpr, with node classes of our own where it lacks one.

A vector is a column, (N, 1); a (1, 1) result is a scalar.  Build expressions with the functions at the end: they
check shapes (SymPy accepts sums and products of matrices whose symbolic shapes differ) and flatten, nothing more.
Indices count from 1, as in the formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce

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
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language.errors import ShapeError
from symgrad.language.functions import Call, Fn, dimension, scalar

Shape = tuple[Expr, Expr]
SCALAR: Shape = (Integer(1), Integer(1))


class Elementwise(MatrixExpr):
    """fn applied entry by entry; scalar arguments are the same for every entry."""

    def __new__(cls, fn: Fn, *arguments: Expr) -> Elementwise:
        return MatrixExpr.__new__(cls, fn, *arguments)

    @property
    def fn(self) -> Fn:
        return self.args[0]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return self.args[1:]

    @property
    def shape(self) -> Shape:
        return next(a.shape for a in self.arguments if isinstance(a, MatrixExpr))


class _OneArgument(MatrixExpr):
    def __new__(cls, argument: MatrixExpr):  # type: ignore[no-untyped-def]
        return MatrixExpr.__new__(cls, argument)

    @property
    def arg(self) -> MatrixExpr:
        return self.args[0]

    @property
    def shape(self) -> Shape:
        return self.arg.shape


class Softmax(_OneArgument):
    """softmax(z)_i = exp(z_i) / sum_k exp(z_k), z (N, 1)."""


class Diag(_OneArgument):
    """The (N, N) matrix with the vector v on its diagonal."""

    @property
    def shape(self) -> Shape:
        return (self.arg.shape[0], self.arg.shape[0])


class Unit(MatrixExpr):
    """The i-th column of the identity matrix of a size that is a number, (N, 1): e_i.  A^T e_i is row i of A as a column."""

    def __new__(cls, size: Expr, i: Integer) -> Unit:
        return MatrixExpr.__new__(cls, size, i)

    @property
    def shape(self) -> Shape:
        return (self.args[0], Integer(1))


class Power(MatrixExpr):
    """Every entry raised to a constant power: x^2 of a vector, as NumPy reads it."""

    def __new__(cls, base: MatrixExpr, exponent: Expr) -> Power:
        return MatrixExpr.__new__(cls, base, exponent)

    @property
    def shape(self) -> Shape:
        return self.args[0].shape


class UnknownGradient(MatrixExpr):
    """The gradient of an unknown scalar function of whole vectors with respect to argument `slot` (from 0)."""

    def __new__(cls, fn: Fn, slot: Integer, *arguments: Expr) -> UnknownGradient:
        return MatrixExpr.__new__(cls, fn, slot, *arguments)

    @property
    def shape(self) -> Shape:
        return shape_of(self.args[2 + int(self.args[1])])


class UnknownHessian(MatrixExpr):
    """The second partial derivatives of an unknown scalar function of columns and numbers, rows by argument `row`, columns by `column`.

    Built by `unknown_hessian`, with row <= column: the others are transposes.
    """

    def __new__(cls, fn: Fn, row: Integer, column: Integer, *arguments: Expr) -> UnknownHessian:
        return MatrixExpr.__new__(cls, fn, row, column, *arguments)

    @property
    def shape(self) -> Shape:
        return (shape_of(self.args[3 + int(self.args[1])])[0], shape_of(self.args[3 + int(self.args[2])])[0])


class _ScalarOf(Expr):
    is_commutative = True
    is_extended_real = True

    def __new__(cls, argument: Expr):  # type: ignore[no-untyped-def]
        return Expr.__new__(cls, argument)

    @property
    def arg(self) -> MatrixExpr:
        return self.args[0]


class AsScalar(_ScalarOf):
    """The one entry of a (1, 1) matrix, such as r^T h."""


class Norm(_ScalarOf):
    """norm(v) = sqrt(sum of the squared entries): the 2-norm of a vector, the Frobenius norm of a matrix."""


class SumOf(_ScalarOf):
    """The sum of all entries."""


class TraceOf(_ScalarOf):
    """The sum of the diagonal entries of a square matrix."""


class DetOf(_ScalarOf):
    """The determinant of a square matrix."""


class LogSumExp(_ScalarOf):
    """log sum_i exp(z_i)."""


class UnknownScalar(Expr):
    """An unknown scalar-valued function of whole vectors, such as loss(y, t)."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, fn: Fn, *arguments: Expr) -> UnknownScalar:
        return Expr.__new__(cls, fn, *arguments)

    @property
    def fn(self) -> Fn:
        return self.args[0]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return self.args[1:]


class Entry(Expr):
    """Entry (i, j) of a matrix, counted from 1; i and j are numbers or index symbols."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, matrix: MatrixExpr, i: Expr, j: Expr = Integer(1)) -> Entry:
        return Expr.__new__(cls, matrix, i, j)


class IndexSum(Expr):
    """sum_{index = 1}^{size} body, with a bound index symbol."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, body: Expr, index: Symbol, size: Expr) -> IndexSum:
        return Expr.__new__(cls, body, index, size)


SCALAR_OF = (AsScalar, Norm, SumOf, TraceOf, DetOf, LogSumExp)


# ---- shapes -----------------------------------------------------------------------------------------------------


def shape_of(expr: Expr) -> Shape:
    """(rows, columns); a scalar is (1, 1)."""
    return expr.shape if isinstance(expr, MatrixExpr) else SCALAR


def say_shape(shape: Shape) -> str:
    """(K, N), (K) for a column, scalar for (1, 1)."""
    if shape == SCALAR:
        return "a scalar"
    return f"({shape[0]})" if shape[1] == 1 else f"({shape[0]}, {shape[1]})"


def size_at(size: Expr, sizes: Mapping[Expr, int]) -> int:
    """What a dimension such as 3, N or N - K + 1 is where the names in it have these sizes."""
    return int(size) if size.is_Integer else sizes[size] if size in sizes else int(size.xreplace({d: Integer(n) for d, n in sizes.items()}))


def grown(sizes: Mapping[Expr, int], shapes: Iterable[Shape]) -> dict[Expr, int]:
    """The sizes, some of them larger where a dimension such as N - K + 1 would be less than 1."""
    found = dict(sizes)
    for size in (d for shape in shapes for d in shape if not d.is_Symbol):
        growing = [d for d in found if size_at(size, {**found, d: found[d] + 1}) > size_at(size, found)]
        while growing and (least := size_at(size, found)) < 1:
            found[growing[0]] += 1 - least
    return found


def is_scalar(expr: Expr) -> bool:
    return not isinstance(expr, MatrixExpr)


@lru_cache(maxsize=1 << 14)  # SymPy takes ten times longer to build a MatrixSymbol than to look one up
def variable(name: str, shape: Shape) -> Expr:
    """The symbol of that name and shape: a real scalar, or a MatrixSymbol."""
    return scalar(name) if shape == SCALAR else MatrixSymbol(name, *shape)


def dimensions_in(expr: Expr) -> frozenset[Expr]:
    """The integer symbols in `expr`: dimensions, those of the shapes of its matrices too, and free indices."""
    found: set[Expr] = set()
    seen: set[Expr] = set()
    stack = [expr]
    while stack:
        e = stack.pop()
        if isinstance(e, Symbol) and e.is_integer:
            found.add(e)
        for a in e.args:
            if a not in seen:
                seen.add(a)
                stack.append(a)
    return frozenset(found)


def names_in(expr: Expr) -> tuple[str, ...]:
    """The names of the scalar and matrix variables in `expr`, in order of first appearance; dimensions are not variables."""
    found: dict[str, None] = {}
    seen: set[Expr] = set()
    stack = [expr]
    while stack:
        e = stack.pop()
        if isinstance(e, MatrixSymbol):
            found[e.name] = None
        elif isinstance(e, Symbol):
            if not e.is_integer:
                found[e.name] = None
        elif e.args and e not in seen:
            seen.add(e)
            stack.extend(reversed(e.args))
    return tuple(found)


# ---- constructors that check shapes -----------------------------------------------------------------------------


def as_scalar(expr: Expr) -> Expr:
    """A (1, 1) matrix becomes a scalar; anything else is left as it is."""
    return AsScalar(expr) if isinstance(expr, MatrixExpr) and expr.shape == SCALAR else expr


def _mismatch(what: str, a: Expr, b: Expr, why: str) -> ShapeError:
    return ShapeError(f"{what}: left is {say_shape(shape_of(a))}, right is {say_shape(shape_of(b))}; {why}")


def product(factors: tuple[Expr, ...]) -> Expr:
    """A product of scalars, kept in the given order and unevaluated."""
    flat = tuple(f for factor in factors for f in (factor.args if isinstance(factor, Mul) else (factor,)))
    return Mul._from_args(flat, True) if len(flat) > 1 else (flat[0] if flat else Integer(1))


def merged(factors: tuple[Expr, ...]) -> Expr:
    """A product with its numbers multiplied into one in front; a factor 1 is dropped, nothing is expanded."""
    coefficient: Expr = Integer(1)
    rest: list[Expr] = []
    for f in factors:
        for g in f.args if isinstance(f, Mul) else (f,):
            if g.is_Number:
                coefficient = coefficient * g
            else:
                rest.append(g)
    if coefficient == 0:
        return Integer(0)
    return product(tuple(rest) if coefficient == 1 and rest else (coefficient, *rest))


def total(terms: tuple[Expr, ...]) -> Expr:
    """A sum of scalars, or of matrices of one shape, kept in the given order.  Raises ShapeError."""
    if all(is_scalar(t) for t in terms):
        flat = tuple(f for t in terms for f in (t.args if isinstance(t, Add) else (t,)))
        return Add._from_args(flat) if len(flat) > 1 else (flat[0] if flat else Integer(0))
    return reduce(add, terms)


def add(a: Expr, b: Expr) -> Expr:
    """a + b; a scalar added to a matrix is added to every entry.  Raises ShapeError if the shapes differ."""
    if is_scalar(a) and is_scalar(b):
        return total((a, b))
    if is_scalar(a):
        a = scale(a, OneMatrix(*b.shape))
    if is_scalar(b):
        b = scale(b, OneMatrix(*a.shape))
    if a.shape != b.shape:
        raise _mismatch("sum", a, b, "the terms of a sum need the same shape")
    flat = tuple(f for t in (a, b) for f in (t.args if isinstance(t, MatAdd) else (t,)))
    return MatAdd(*flat)


def negate(a: Expr) -> Expr:
    """-a."""
    if is_scalar(a):
        return -a if a.is_Number else product((Integer(-1), a))
    return scale(Integer(-1), a)


def scale(factor: Expr, a: Expr) -> Expr:
    """A scalar times a matrix."""
    if is_scalar(a):
        return times(factor, a)
    if factor == 1:
        return a
    rest = a.args if isinstance(a, MatMul) else (a,)
    coefficient: Expr = Integer(1)
    if is_scalar(rest[0]):
        coefficient, *rest = rest
    combined = factor if coefficient == 1 else merged((factor, coefficient))
    return MatMul(*rest) if combined == 1 and len(rest) > 1 else rest[0] if combined == 1 else MatMul(combined, *rest)


def times(a: Expr, b: Expr) -> Expr:
    """a * b: the product of scalars, a scalar times a matrix, or the entrywise product.  Raises ShapeError."""
    if is_scalar(a) and is_scalar(b):
        return b if a == 1 else a if b == 1 else product((a, b))
    if is_scalar(a):
        return scale(a, b)
    if is_scalar(b):
        return scale(b, a)
    if a.shape != b.shape:
        raise _mismatch("entrywise product (*)", a, b, "the factors need the same shape; for the matrix product write @")
    coefficient: Expr = Integer(1)
    flat: list[Expr] = []
    for t in (a, b):
        if isinstance(t, MatMul) and is_scalar(t.args[0]):
            coefficient = merged((coefficient, t.args[0]))
            t = t.args[1] if len(t.args) == 2 else MatMul(*t.args[1:])
        flat += [f for f in (t.args if isinstance(t, HadamardProduct) else (t,)) if not isinstance(f, OneMatrix)]
    body = HadamardProduct(*flat) if len(flat) > 1 else flat[0] if flat else OneMatrix(*a.shape)
    return scale(coefficient, body)


def matmul(a: Expr, b: Expr) -> Expr:
    """a @ b, flattened; a (1, 1) result stays a matrix until `as_scalar`.  Raises ShapeError if the inner dimensions differ."""
    if is_scalar(a) or is_scalar(b):
        return times(a, b)
    if a.shape[1] != b.shape[0]:
        raise _mismatch("matrix product (@)", a, b, f"the inner dimensions {a.shape[1]} and {b.shape[0]} differ")
    coefficient: Expr = Integer(1)
    flat: list[Expr] = []
    for t in (a, b):
        for f in t.args if isinstance(t, MatMul) else (t,):
            if is_scalar(f):
                coefficient = times(coefficient, f)
            elif not isinstance(f, Identity):
                flat.append(f)
    if not flat:
        return scale(coefficient, Identity(a.shape[0]))
    return scale(coefficient, MatMul(*flat) if len(flat) > 1 else flat[0])


def transpose(a: Expr) -> Expr:
    """a^T; (A B)^T = B^T A^T is applied to products, (A^T)^T = A."""
    match a:
        case _ if is_scalar(a):
            return a
        case Transpose():
            return a.args[0]
        case MatMul():
            scalars = [f for f in a.args if is_scalar(f)]
            inner = reduce(matmul, [transpose(f) for f in reversed(a.args) if not is_scalar(f)])
            return reduce(lambda e, c: scale(c, e), scalars, inner)
        case Identity() | Diag():
            return a
        case UnknownHessian() if a.args[1] == a.args[2]:
            return a
        case OneMatrix() | ZeroMatrix():
            return a.func(a.shape[1], a.shape[0])
        case _:
            return Transpose(a)


def unknown_hessian(fn: Fn, row: int, column: int, arguments: tuple[Expr, ...]) -> Expr:
    """d2 f / d(argument row) d(argument column).  Raises ShapeError where one of the two is a matrix."""
    if any(shape_of(arguments[k])[1] != 1 for k in (row, column)):
        raise ShapeError(f"{fn.name}: second derivatives of an unknown function are for columns and numbers")
    low, high = sorted((row, column))
    found = UnknownHessian(fn, Integer(low), Integer(high), *arguments)
    return as_scalar(found if row <= column else transpose(found))


def power(base: Expr, exponent: Expr) -> Expr:
    """base ** exponent, entry by entry for a matrix.  Raises ShapeError for a matrix exponent."""
    if not is_scalar(exponent):
        raise ShapeError(f"power: the exponent must be a scalar, it is {say_shape(exponent.shape)}")
    if exponent == 1:
        return base
    if isinstance(base, Mul) and base.args[0].is_Number and exponent == -1:  # a MatMul is a Mul for SymPy
        if not is_scalar(base):
            return scale(1 / base.args[0], Power(base.args[1] if len(base.args) == 2 else MatMul(*base.args[1:]), exponent))
        return merged((1 / base.args[0], *(power(f, exponent) for f in base.args[1:])))
    if is_scalar(base):
        return Pow(base, exponent) if base.is_Number and exponent.is_Integer else Pow(base, exponent, evaluate=False)
    return Power(base, exponent)


def inverse(a: Expr) -> Expr:
    """The inverse of a square matrix.  Raises ShapeError."""
    if is_scalar(a):
        return power(a, Integer(-1))
    if a.shape[0] != a.shape[1]:
        raise ShapeError(f"inv: a square matrix is needed, found {say_shape(a.shape)}")
    return Inverse(a)


def apply(fn: Fn, arguments: tuple[Expr, ...]) -> Expr:
    """fn(arguments): entry by entry when an argument is a matrix.  Raises ShapeError if matrix shapes differ."""
    matrices = [a for a in arguments if not is_scalar(a)]
    for other in matrices[1:]:
        if other.shape != matrices[0].shape:
            raise _mismatch(fn.name, matrices[0], other, "the arguments need the same shape")
    return Elementwise(fn, *arguments) if matrices else Call(fn, *arguments)


__all__ = [
    "SCALAR", "SCALAR_OF", "AsScalar", "Call", "DetOf", "Diag", "Elementwise", "Entry", "Fn", "IndexSum", "LogSumExp",
    "Norm", "Power", "Shape", "Softmax", "SumOf", "TraceOf", "Unit", "UnknownGradient",
    "UnknownHessian", "UnknownScalar", "add", "apply",
    "as_scalar", "dimension", "dimensions_in", "grown", "inverse", "is_scalar", "matmul", "merged", "names_in", "negate", "power", "product",
    "say_shape", "scalar", "scale", "shape_of", "size_at", "times", "total", "transpose", "unknown_hessian", "variable",
]
