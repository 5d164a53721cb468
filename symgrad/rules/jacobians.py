"""The matrix of a linear map, in matrix notation: e(t) linear in t gives J with vec(e) = J vec(t).

A vector is its own vec; a matrix is taken column by column, so that vec(A T B) = (B^T (x) A) vec(T).  To add an operation:
register one function.  Source: Magnus, Neudecker, Matrix Differential Calculus (3rd ed., 2019), chapters 2 and 9.
"""

from __future__ import annotations

from functools import reduce, singledispatch

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.tangents import entries
from symgrad.language.vectors import merged, shape_of
from symgrad.rules.shape import depends

MAGNUS = "Magnus, Neudecker, Matrix Differential Calculus (3rd ed., 2019)"


@singledispatch
def jacobian_of(e: Expr, t: Expr) -> Expr:
    """J with vec(e) = J vec(t), of shape (entries of e, entries of t); a scalar where that is (1, 1).

    Raises Unsupported where e holds t under an operation without a rule.
    """
    raise Unsupported(f"the Jacobian through {type(e).__name__} has no matrix notation here; ask for a product with a direction instead")


@jacobian_of.register(Symbol)
@jacobian_of.register(MatrixSymbol)
def of_itself(e: Expr, t: Expr) -> Expr:
    """vec(t) = I vec(t)."""
    size = entries(shape_of(e))
    return Integer(1) if size == 1 else Identity(size)


@jacobian_of.register(Add)
@jacobian_of.register(MatAdd)
def of_sum(e: Expr, t: Expr) -> Expr:
    return reduce(v.add, (jacobian_of(a, t) for a in e.args))


@jacobian_of.register
def of_product(e: Mul, t: Expr) -> Expr:
    """c e(t)."""
    (inner,) = (a for a in e.args if depends(a, t))
    return v.times(merged(tuple(a for a in e.args if a is not inner)), jacobian_of(inner, t))


@jacobian_of.register
def of_matrix_product(e: MatMul, t: Expr) -> Expr:
    """vec(c A e(t) B) = c (B^T (x) A) J vec(t);  vec(e(t) A) = vec(A) J vec(t) where e is a scalar."""
    k = next(i for i, a in enumerate(e.args) if depends(a, t))
    inner, others = e.args[k], [a for i, a in enumerate(e.args) if i != k]
    factor = merged(tuple(a for a in others if v.is_scalar(a)))
    if v.is_scalar(inner):
        body = reduce(v.matmul, (a for a in others if not v.is_scalar(a)))
        return v.scale(factor, v.matmul(vec(body), jacobian_of(inner, t)))
    matrices = [a for a in e.args if not v.is_scalar(a)]
    place = matrices.index(inner)
    left, right = (reduce(v.matmul, side) if side else None for side in (matrices[:place], matrices[place + 1:]))
    rows, columns = inner.shape
    if isinstance(inner, v.Diag):
        around = left if left is not None else Identity(rows), right if right is not None else Identity(rows)
        return v.scale(factor, times_jacobian(between(*around), jacobian_of(inner.arg, t)))
    a = left if left is not None else Identity(rows) if rows != 1 else Integer(1)
    b = v.transpose(right) if right is not None else Identity(columns) if columns != 1 else Integer(1)
    return v.scale(factor, times_jacobian(kron(v.as_scalar(b), v.as_scalar(a)), jacobian_of(inner, t)))


@jacobian_of.register
def of_diagonal_matrix(e: v.Diag, t: Expr) -> Expr:
    """vec(diag(a)): the columns e_j (x) e_j."""
    size = Identity(e.shape[0])
    return times_jacobian(between(size, size), jacobian_of(e.arg, t))


@jacobian_of.register
def of_diagonal(e: op.Diagonal, t: Expr) -> Expr:
    """The diagonal of A e(t) B: row i is (row i of B^T) (x) (row i of A)."""
    inner = e.args[0]
    if isinstance(inner, MatAdd):
        return reduce(v.add, (jacobian_of(op.diagonal(a), t) for a in inner.args if depends(a, t)))
    factors = [inner] if not isinstance(inner, MatMul) else list(inner.args)
    matrices = [a for a in factors if not v.is_scalar(a)]
    if any(v.is_scalar(a) and depends(a, t) for a in factors):
        scalars = [a for a in factors if v.is_scalar(a)]
        return v.matmul(op.diagonal(reduce(v.matmul, matrices)), jacobian_of(merged(tuple(scalars)), t))
    place = next(i for i, a in enumerate(matrices) if depends(a, t))
    rows, columns = matrices[place].shape
    left = reduce(v.matmul, matrices[:place], Identity(rows))
    right = reduce(v.matmul, matrices[place + 1:], Identity(columns))
    found = times_jacobian(v.transpose(between(v.transpose(left), v.transpose(right))), jacobian_of(matrices[place], t))
    return v.scale(merged(tuple(a for a in factors if v.is_scalar(a))), found)


@jacobian_of.register
def of_kronecker_product(e: op.Kron, t: Expr) -> Expr:
    """vec(A (x) B) = (I (x) K (x) I) (vec A (x) vec B)."""
    a, b = e.args
    sides = (kron(Identity(entries(a.shape)), vec(b)), a) if depends(a, t) else (kron(vec(a), Identity(entries(b.shape))), b)
    return times_jacobian(times_jacobian(interleaved(a.shape, b.shape), sides[0]), jacobian_of(sides[1], t))


@jacobian_of.register(op.BlockInner)
@jacobian_of.register(op.BlockSum)
def of_blocks(e: op.BlockInner | op.BlockSum, t: Expr) -> Expr:
    """The transposes of A -> A (x) B and of B -> A (x) B, of what stands in the place of the product."""
    whole, other = e.args
    if depends(other, t):
        raise Unsupported("the Jacobian of blocks weighted by what moves; ask for a product with a direction instead")
    first = isinstance(e, op.BlockInner)
    row, size = v.transpose(vec(other)), Identity(entries(e.shape))
    side = kron(size, row) if first else kron(row, size)
    a, b = (e.shape, other.shape) if first else (other.shape, e.shape)
    return times_jacobian(times_jacobian(side, interleaved(a, b, undone=True)), jacobian_of(whole, t))


@jacobian_of.register
def of_hadamard(e: HadamardProduct, t: Expr) -> Expr:
    """vec(A o e(t)) = diag(vec A) J vec(t)."""
    k = next(i for i, a in enumerate(e.args) if depends(a, t))
    others = reduce(v.times, (a for i, a in enumerate(e.args) if i != k))
    return times_jacobian(op.diag(vec(others)), jacobian_of(e.args[k], t))


@jacobian_of.register
def of_transpose(e: Transpose, t: Expr) -> Expr:
    """vec(A^T) = K vec(A), K the commutation matrix; a row has the entries of its column in the same order."""
    inner = jacobian_of(e.args[0], t)
    return inner if 1 in e.shape else times_jacobian(op.Commutation(*e.args[0].shape), inner)


@jacobian_of.register
def of_scalar(e: v.AsScalar, t: Expr) -> Expr:
    """A number is its own transpose: a^T e(t)^T b is read as b^T e(t) a."""
    inner = e.arg
    if isinstance(inner, MatMul) and any(isinstance(a, Transpose) and depends(a, t) for a in inner.args):
        inner = v.transpose(inner)
    return v.as_scalar(jacobian_of(inner, t))


@jacobian_of.register
def of_sum_of_entries(e: v.SumOf, t: Expr) -> Expr:
    """sum(A) = 1^T vec(A)."""
    return v.as_scalar(times_jacobian(OneMatrix(1, entries(e.arg.shape)), jacobian_of(e.arg, t)))


@jacobian_of.register
def of_trace(e: v.TraceOf, t: Expr) -> Expr:
    """tr(A e(t)) = vec(A^T)^T J vec(t);  tr(A e(t)^T) = vec(A)^T J vec(t)."""
    inner = e.arg
    matrices = [a for a in inner.args if not v.is_scalar(a)] if isinstance(inner, MatMul) else [inner]
    k = next(i for i, a in enumerate(matrices) if depends(a, t))
    factor = merged(tuple(a for a in inner.args if v.is_scalar(a))) if isinstance(inner, MatMul) else Integer(1)
    rest = (*matrices[k + 1:], *matrices[:k])  # the trace of a product turned round is the same
    others = reduce(v.matmul, rest) if rest else Identity(matrices[k].shape[0])
    inside = matrices[k]
    if isinstance(inside, Transpose):  # tr(A B^T) = tr(A^T B)
        inside, others = inside.args[0], v.transpose(others)
    found = times_jacobian(v.transpose(vec(v.transpose(others))), jacobian_of(inside, t))
    return v.times(factor, v.as_scalar(found))


@jacobian_of.register
def of_triangle(e: op.Tril, t: Expr) -> Expr:
    """tril(A) = tril(1) o A."""
    (a,) = e.args
    return times_jacobian(op.diag(vec(op.tril(OneMatrix(*a.shape)))), jacobian_of(a, t))


@jacobian_of.register(op.Vec)
@jacobian_of.register(op.Unvec)
def of_other_shape(e: Expr, t: Expr) -> Expr:
    """vec(vec(A)) = vec(A): the same entries in the same order."""
    return jacobian_of(e.args[0], t)


@jacobian_of.register
def of_block(e: op.Block, t: Expr) -> Expr:
    """Some entries of a vector: those rows of its Jacobian; of a matrix, rows and columns of identities on both sides."""
    a, top, bottom, left, right = e.args
    if a.shape[1] != 1:
        rows, columns = (op.block(Identity(n), span, None) for n, span in zip(a.shape, ((top, bottom), (left, right)), strict=True))
        return times_jacobian(kron(columns, rows), jacobian_of(a, t))
    return v.as_scalar(op.block(jacobian_of(a, t), (top, bottom), None))


@jacobian_of.register
def of_stack(e: op.Stack, t: Expr) -> Expr:
    """Vectors under one another: their Jacobians under one another; matrices: [A; B] = [I; 0] A + [0; I] B."""
    if e.shape[1] != 1:
        (n, m), (k, _) = (shape_of(a) for a in e.args)
        places = op.stack(Identity(n), ZeroMatrix(k, n)), op.stack(ZeroMatrix(n, k), Identity(k))
        return reduce(v.add, (times_jacobian(kron(Identity(m), place), jacobian_of(a, t))
                              for a, place in zip(e.args, places, strict=True) if depends(a, t)))
    size = entries(shape_of(t))
    return op.stack(*(jacobian_of(a, t) if depends(a, t) else ZeroMatrix(shape_of(a)[0], size) for a in e.args))


def vec(a: Expr) -> Expr:
    """The entries as a column, column by column: of a column itself, of a row its transpose."""
    if v.is_scalar(a) or a.shape[1] == 1:
        return a
    if a.shape[0] == 1:
        return v.transpose(a)
    if isinstance(a, OneMatrix):
        return OneMatrix(entries(a.shape), 1)
    return op.Vec(a)


def kron(a: Expr, b: Expr) -> Expr:
    """a (x) b, identities joined: I (x) I = I, the product of columns or rows with 1 is itself."""
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Identity(entries((a.shape[0], b.shape[0])))
    return op.kron(a, b)


def between(a: Expr, b: Expr) -> Expr:
    """The matrix of d -> vec(A diag(d) B): column j is (row j of B)^T (x) (column j of A).

    (B^T (x) 1) o (1 (x) A), the Khatri-Rao product of B^T and A; A diag(b) where B is a column b.
    Source: Khatri, Rao, Solutions to some functional equations (1968); Magnus, Neudecker 2019, section 2.
    """
    n, m = a.shape[0], b.shape[1]
    if m == 1:
        return v.matmul(a, op.diag(b))
    turned = v.transpose(b)
    if n == 1:
        return v.matmul(turned, op.diag(v.transpose(a)))
    return v.times(kron(turned, OneMatrix(n, 1)), kron(OneMatrix(m, 1), a))


def columns_of(e: Expr) -> tuple[Expr, Expr] | None:
    """B and A of (B (x) 1) o (1 (x) A), whose column j is (column j of B) (x) (column j of A)."""
    match e:
        case HadamardProduct(args=(op.Kron(args=(b, OneMatrix())), op.Kron(args=(OneMatrix(), a)))) if e == between(a, v.transpose(b)):
            return b, a
    return None


def interleaved(a: v.Shape, b: v.Shape, undone: bool = False) -> Expr:
    """The permutation that makes vec(A (x) B) of vec(A) (x) vec(B), or its inverse, which is its transpose."""
    (m, n), (p, q) = a, b
    middle = Identity(entries((q, m))) if 1 in (q, m) else op.Commutation(m, q) if undone else op.Commutation(q, m)
    inner = kron(middle, Identity(p)) if p != 1 else middle
    return kron(Identity(n), inner) if n != 1 else inner


def times_jacobian(a: Expr, b: Expr) -> Expr:
    """The product of two Jacobians: diag(u) diag(w) = diag(u o w), (A (x) B)(C (x) D) = A C (x) B D where the shapes fit, K K^T = I."""
    if v.is_scalar(a) or v.is_scalar(b):
        return v.times(a, b)
    if isinstance(a, ZeroMatrix) or isinstance(b, ZeroMatrix):
        return ZeroMatrix(a.shape[0], b.shape[1])
    heads, tails = _factors(a), _factors(b)
    scalars = merged(tuple(f for f in (*heads, *tails) if v.is_scalar(f)))
    left, right = ([f for f in side if not v.is_scalar(f)] for side in (heads, tails))
    while left and right and (joined := _joined(left[-1], right[0])) is not None:
        inner = _factors(joined)
        scalars = merged((scalars, *(f for f in inner if v.is_scalar(f))))
        left, right = [*left[:-1], *(f for f in inner if not v.is_scalar(f))], right[1:]
        if left and isinstance(left[-1], Identity) and (len(left) > 1 or right):
            left.pop()
    return v.scale(scalars, reduce(v.matmul, (*left, *right))) if left or right else scalars


def _factors(e: Expr) -> tuple[Expr, ...]:
    return e.args if isinstance(e, MatMul) else (e,)


def _joined(a: Expr, b: Expr) -> Expr | None:
    match a, b:
        case v.Diag(), v.Diag():
            return op.diag(v.times(a.arg, b.arg))
        case op.Kron(), op.Kron() if a.args[0].shape[1] == b.args[0].shape[0] and a.args[1].shape[1] == b.args[1].shape[0]:
            first, second = (v.as_scalar(times_jacobian(x, y)) for x, y in zip(a.args, b.args, strict=True))
            return kron(first, second)
        case Transpose(), HadamardProduct() if (first := columns_of(a.args[0])) is not None and (second := columns_of(b)) is not None:
            if all(x.shape[0] == y.shape[0] for x, y in zip(first, second, strict=True)):
                return reduce(v.times, (v.matmul(v.transpose(x), y) for x, y in zip(first, second, strict=True)))
        case op.Kron(), HadamardProduct() if (second := columns_of(b)) is not None:
            if all(x.shape[1] == y.shape[0] for x, y in zip(a.args, second, strict=True)):
                left, right = (v.matmul(x, y) for x, y in zip(a.args, second, strict=True))
                return between(right, v.transpose(left))
        case op.Kron(args=(left, right)), op.Commutation(args=(n, m)) if shape_of(left)[0] == 1 and (n, m) == (shape_of(left)[1], shape_of(right)[1]):
            return kron(right, left)
        case op.Commutation(args=(n, m)), op.Kron(args=(left, right)) if 1 in (shape_of(left)[1], shape_of(right)[1]):
            if (n, m) == (shape_of(right)[0], shape_of(left)[0]):
                return kron(right, left)
        case op.Commutation(), op.Commutation() if a.args == b.args[::-1]:  # vec of the transposed transpose
            return Identity(a.shape[0])
    return None


__all__ = ["jacobian_of", "kron", "times_jacobian", "vec"]
