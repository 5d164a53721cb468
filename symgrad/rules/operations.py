"""Vector-Jacobian products of the operations in language/operations.py: one function each, registered on its class."""

from __future__ import annotations

from sympy import Expr, Integer, Inverse, OneMatrix, Pow

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.vectors import merged
from symgrad.rules.registry import rule
from symgrad.rules.vector import GILES, Pulled, pull

GOODFELLOW = "Goodfellow, Bengio, Courville, Deep Learning (2016)"
MAGNUS = "Magnus, Neudecker, Matrix Differential Calculus (3rd ed., 2019)"


@pull.register
@rule("row-wise softmax", source="Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.106, for each row")
def row_softmax_pull(expr: op.RowSoftmax, g: Expr, own: Expr) -> Pulled:
    """P = softmax of each row of A:  A_bar = P o (P_bar - (P o P_bar) 1 1^T)."""
    (a,) = expr.args
    one = OneMatrix(a.shape[1], 1)
    sums = v.matmul(v.matmul(v.times(own, g), one), v.transpose(one))
    yield from pull(a, v.times(own, v.add(g, v.negate(sums))), a)


@pull.register
@rule("row-wise log-sum-exp", source="Boyd, Vandenberghe, Convex Optimization (2004), section 3.1.5, for each row")
def row_logsumexp_pull(expr: op.RowLogSumExp, g: Expr, own: Expr) -> Pulled:
    """y_i = log sum_k exp(A_ik):  A_bar = diag(y_bar) softmax of each row of A."""
    (a,) = expr.args
    yield from pull(a, v.matmul(op.diag(g), op.RowSoftmax(a)), a)


@pull.register
@rule("row-wise maximum", source=GOODFELLOW + ", section 9.3")
def row_max_pull(expr: op.RowMax, g: Expr, own: Expr) -> Pulled:
    """y_i = max_k A_ik, attained once:  A_bar = diag(y_bar) argmax(A), argmax(A) being 1 at the largest entry of each row."""
    (a,) = expr.args
    yield from pull(a, v.matmul(op.diag(g), op.ArgMax(a)), a)


@pull.register
@rule("maximum", source=GOODFELLOW + ", section 9.3")
def max_pull(expr: op.MaxOf, g: Expr, own: Expr) -> Pulled:
    """y = max_i x_i, attained once:  x_bar = y_bar argmax(x)."""
    yield from pull(expr.arg, v.scale(g, v.transpose(op.ArgMax(v.transpose(expr.arg)))), expr.arg)


@pull.register
@rule("argmax", source=GOODFELLOW + ", section 9.3")
def argmax_pull(expr: op.ArgMax, g: Expr, own: Expr) -> Pulled:
    """argmax does not change where the largest entry is attained once: nothing is pulled back."""
    return iter(())


@pull.register
@rule("diagonal of a matrix", source=MAGNUS + ", section 3.10")
def diagonal_pull(expr: op.Diagonal, g: Expr, own: Expr) -> Pulled:
    """d = the diagonal of A:  A_bar = diag(d_bar)."""
    (a,) = expr.args
    yield from pull(a, op.diag(g), a)


@pull.register
@rule("lower triangle", source=GILES + ", section 2")
def tril_pull(expr: op.Tril, g: Expr, own: Expr) -> Pulled:
    """B = the lower triangle of A:  A_bar = the lower triangle of B_bar."""
    (a,) = expr.args
    yield from pull(a, op.tril(g), a)


@pull.register
@rule("commutation matrix", source=MAGNUS + ", section 3.7")
def commutation_pull(expr: op.Commutation, g: Expr, own: Expr) -> Pulled:
    """A constant: nothing is pulled back."""
    return iter(())


@pull.register
@rule("Kronecker product", source=MAGNUS + ", section 2.2")
def kron_pull(expr: op.Kron, g: Expr, own: Expr) -> Pulled:
    """C = A (x) B:  (A_bar)_ij = <block (i, j) of C_bar, B>,  B_bar = sum_ij A_ij block (i, j) of C_bar."""
    a, b = expr.args
    yield from pull(a, op.block_inner(g, b), a)
    yield from pull(b, op.block_sum(g, a), b)


@pull.register
@rule("inner products of blocks", source=MAGNUS + ", section 2.2")
def block_inner_pull(expr: op.BlockInner, g: Expr, own: Expr) -> Pulled:
    """C_ij = <block (i, j) of K, B>:  K_bar = C_bar (x) B,  B_bar = sum_ij C_bar_ij block (i, j) of K."""
    k, b = expr.args
    yield from pull(k, op.kron(g, b), k)
    yield from pull(b, op.block_sum(k, g), b)


@pull.register
@rule("weighted sum of blocks", source=MAGNUS + ", section 2.2")
def block_sum_pull(expr: op.BlockSum, g: Expr, own: Expr) -> Pulled:
    """D = sum_ij A_ij block (i, j) of K:  K_bar = A (x) D_bar,  (A_bar)_ij = <block (i, j) of K, D_bar>."""
    k, a = expr.args
    yield from pull(k, op.kron(a, g), k)
    yield from pull(a, op.block_inner(k, g), a)


@pull.register
@rule("vec", source=MAGNUS + ", section 2.4")
def vec_pull(expr: op.Vec, g: Expr, own: Expr) -> Pulled:
    """y = vec(A):  A_bar = the matrix with vec(A_bar) = y_bar."""
    (a,) = expr.args
    yield from pull(a, op.Unvec(g, *a.shape), a)


@pull.register
@rule("vec undone", source=MAGNUS + ", section 2.4")
def unvec_pull(expr: op.Unvec, g: Expr, own: Expr) -> Pulled:
    """vec(A) = y:  y_bar = vec(A_bar)."""
    yield from pull(expr.args[0], op.Vec(g), expr.args[0])


@pull.register
@rule("part of a matrix", source=GILES + ", section 2")
def block_pull(expr: op.Block, g: Expr, own: Expr) -> Pulled:
    """B = rows r and columns c of A:  A_bar = E_r B_bar E_c^T, E_r being the columns r of the identity."""
    a, top, bottom, left, right = expr.args
    yield from pull(a, op.place(g, (top, bottom), (left, right), a.shape), a)


@pull.register
@rule("entry of a matrix", source=GILES + ", section 2")
def entry_pull(expr: v.Entry, g: Expr, own: Expr) -> Pulled:
    """y = A_ij:  A_bar = y_bar e_i e_j^T."""
    a, i, j = expr.args
    yield from pull(a, op.place(g, (i, i), (j, j), a.shape), a)


@pull.register
@rule("matrices under one another", source=GILES + ", section 2")
def stack_pull(expr: op.Stack, g: Expr, own: Expr) -> Pulled:
    """C = [A; B]:  A_bar = the first rows of C_bar, B_bar = the others."""
    a, b = expr.args
    n, m = v.shape_of(a)[0], v.shape_of(b)[0]
    for part, first, last in ((a, Integer(1), n), (b, n + 1, n + m)):
        yield from pull(part, v.as_scalar(op.block(g, (first, last), None)), part)


@pull.register
@rule("sliding kernel", source=GOODFELLOW + ", section 9.5, eq. 9.11 and 9.13")
def correlate_pull(expr: op.Correlate, g: Expr, own: Expr) -> Pulled:
    """Y = W slid over X:  W_bar = Y_bar slid over X,  X_bar = the full convolution of W and Y_bar."""
    w, x = expr.args
    yield from pull(w, op.correlate(g, x), w)
    yield from pull(x, op.convolve(w, g), x)


@pull.register
@rule("full convolution", source=GOODFELLOW + ", section 9.5")
def convolve_pull(expr: op.Convolve, g: Expr, own: Expr) -> Pulled:
    """Y = the full convolution of W and G:  W_bar = G slid over Y_bar,  G_bar = W slid over Y_bar."""
    w, inner = expr.args
    yield from pull(w, op.correlate(inner, g), w)
    yield from pull(inner, op.correlate(w, g), inner)


@pull.register
@rule("solution of a linear system", source=GILES + ", section 2.3.1")
def solve_pull(expr: op.Solve, g: Expr, own: Expr) -> Pulled:
    """x = A^-1 b:  b_bar = A^-T x_bar,  A_bar = -b_bar x^T."""
    a, b = expr.args
    b_bar = v.matmul(v.transpose(Inverse(a)), g)
    yield from pull(b, b_bar, b)
    yield from pull(a, v.negate(v.matmul(b_bar, v.transpose(own))), a)


@pull.register
@rule("variance", source="Bishop, Pattern Recognition and Machine Learning (2006), eq. 1.56")
def variance_pull(expr: op.Variance, g: Expr, own: Expr) -> Pulled:
    """y = 1/N |x - mean(x) 1|^2:  x_bar = y_bar 2/N (x - mean(x) 1)."""
    n = expr.arg.shape[0]
    yield from pull(expr.arg, v.scale(merged((Integer(2), Pow(n, -1), g)), op.centred(expr.arg)), expr.arg)


