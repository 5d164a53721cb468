"""Vector-Jacobian products: what the adjoint of an expression contributes to the adjoints of the names in it.

`pull(expr, g)` walks one definition from the outside in and yields (leaf, contribution), g being the adjoint of expr,
shaped like it.  To add an operation: register one function on its type.  Nothing is expanded; matrix notation is chosen
here, when the adjoint is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce, singledispatch

from sympy import (
    Add,
    Dummy,
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
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.operations import diagonal, hadamard, trace
from symgrad.language.vectors import merged
from symgrad.rules.registry import rule
from symgrad.rules.scalar import slope

GILES = "Giles, An extended collection of matrix derivative results (2008)"
Pulled = Iterator[tuple[Expr, Expr]]


@singledispatch
def pull(expr: Expr, g: Expr, own: Expr) -> Pulled:
    """(leaf, contribution) for every leaf of `expr`; `own` stands for the value of expr, the node's name where it is one."""
    raise Unsupported(f"no vector rule for {type(expr).__name__}; register one in rules/vector.py")


@pull.register(Number)
@pull.register(Identity)
@pull.register(OneMatrix)
@pull.register(ZeroMatrix)
@pull.register(v.Unit)
@rule("constant has no adjoint", source=GILES + ", section 2")
def constant_pull(expr: Expr, g: Expr, own: Expr) -> Pulled:
    """A constant has nothing to pull back to."""
    return iter(())


@pull.register(Symbol)
@pull.register(MatrixSymbol)
@rule("leaf", source=GILES + ", section 2")
def leaf_pull(expr: Expr, g: Expr, own: Expr) -> Pulled:
    """y = x:  x_bar = y_bar."""
    if not (isinstance(expr, Symbol) and expr.is_integer):
        yield expr, g


@pull.register(Add)
@pull.register(MatAdd)
@rule("sum", source=GILES + ", section 2.2.1")
def sum_pull(expr: Expr, g: Expr, own: Expr) -> Pulled:
    """C = A + B:  A_bar = C_bar, B_bar = C_bar."""
    for a in expr.args:
        yield from pull(a, g, a)


@pull.register
@rule("scalar product", source=GILES + ", section 2")
def product_pull(expr: Mul, g: Expr, own: Expr) -> Pulled:
    """y = u v:  u_bar = y_bar v."""
    for i, a in enumerate(expr.args):
        yield from pull(a, merged((*expr.args[:i], *expr.args[i + 1:], g)), a)


@pull.register
@rule("power", source=GILES + ", section 2")
def power_pull(expr: Pow, g: Expr, own: Expr) -> Pulled:
    """y = u^n:  u_bar = n u^(n-1) y_bar;  y = |v|^n, n >= 2:  v_bar = n |v|^(n-2) v y_bar."""
    base, n = expr.args
    if isinstance(base, v.Norm) and n.is_Integer and n >= 2:
        rest = () if n == 2 else (v.power(base, n - 2),)
        yield from pull(base.arg, v.scale(merged((n, *rest, g)), base.arg), base.arg)
    else:
        yield from pull(base, merged((n, v.power(base, n - 1), g)), base)


@pull.register
@rule("matrix product", source=GILES + ", section 2.2.2")
def matmul_pull(expr: MatMul, g: Expr, own: Expr) -> Pulled:
    """C = A B:  A_bar = C_bar B^T, B_bar = A^T C_bar;  C = c A:  c_bar = sum of C_bar o A."""
    scalars = tuple(a for a in expr.args if v.is_scalar(a))
    matrices = tuple(a for a in expr.args if not v.is_scalar(a))
    factor = merged(scalars) if scalars else Integer(1)
    for i, a in enumerate(matrices):
        around = [v.transpose(b) for b in reversed(matrices[:i])], [v.transpose(b) for b in reversed(matrices[i + 1:])]
        left = reduce(v.matmul, around[0]) if around[0] else None
        inner = g if left is None else v.matmul(left, g)
        if around[1]:
            right = reduce(v.matmul, around[1])
            inner = v.scale(inner, right) if v.is_scalar(inner) else v.matmul(inner, right)
        yield from pull(a, v.scale(factor, inner), a)
    body = reduce(v.matmul, matrices)
    for i, c in enumerate(scalars):
        if c.is_Number or (c.is_Pow and c.base.is_integer):
            continue
        others = merged((*scalars[:i], *scalars[i + 1:])) if len(scalars) > 1 else Integer(1)
        yield from pull(c, v.times(others, inner_product(g, body)), c)


@pull.register
@rule("Hadamard product", source=GILES + ", section 2")
def hadamard_pull(expr: HadamardProduct, g: Expr, own: Expr) -> Pulled:
    """C = A o B:  A_bar = C_bar o B."""
    for i, a in enumerate(expr.args):
        yield from pull(a, reduce(hadamard, (*expr.args[:i], *expr.args[i + 1:]), g), a)


@pull.register
@rule("entrywise power", source=GILES + ", section 2")
def entrywise_power_pull(expr: v.Power, g: Expr, own: Expr) -> Pulled:
    """C = A^n entry by entry:  A_bar = C_bar o n A^(n-1)."""
    base, n = expr.args
    yield from pull(base, hadamard(g, v.scale(n, v.power(base, n - 1))), base)


@pull.register
@rule("transpose", source=GILES + ", section 2")
def transpose_pull(expr: Transpose, g: Expr, own: Expr) -> Pulled:
    """B = A^T:  A_bar = B_bar^T."""
    yield from pull(expr.args[0], v.transpose(g), expr.args[0])


@pull.register
@rule("entrywise function", source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.5")
def elementwise_pull(expr: v.Elementwise, g: Expr, own: Expr) -> Pulled:
    """h = f(z) entry by entry:  z_bar = h_bar o f'(z); the slope of relu, of max and of |z| is constant off the kinks."""
    if _is_slope_of_pieces(expr.fn):
        return
    for slot, a in enumerate(expr.arguments):
        if a.is_Number:
            continue
        local = derivative(expr, slot, own, expand=False)
        yield from pull(a, inner_product(g, local) if v.is_scalar(a) else hadamard(g, local), a)


def _is_slope_of_pieces(fn: Fn) -> bool:
    """The derivative of a function that is linear piece by piece: its own derivative is 0 wherever it exists."""
    return fn.name in ("relu", "max", "min", "abs") and not fn.plain or fn.name in ("step", "sign")


KEPT_OUT = ("exp", "log", "sqrt", "abs", "sin", "cos", "normcdf", "normpdf")
"""Functions whose derivative has a name or a form of its own, and is not written with a prime."""


def derivative(expr: v.Elementwise, slot: int, output: Expr, expand: bool) -> Expr:
    """f'(z) entry by entry: kept as f', or written out from its row in terms of z and of the output."""
    row = KNOWN.get(expr.fn.name)
    kept = v.Elementwise(expr.fn.derivative(slot), *expr.arguments)
    if row is None or row.derivative is None or not expr.fn.plain or (not expand and row.name not in KEPT_OUT):
        return kept
    z, h = Dummy(real=True), Dummy(real=True)
    return lift(row.derivative(z, h), {z: expr.arguments[0], h: output})


def lift(e: Expr, table: dict[Expr, Expr]) -> Expr:
    """A scalar formula applied entry by entry: products become Hadamard products."""
    match e:
        case Add():
            return reduce(v.add, sorted((lift(a, table) for a in e.args), key=lambda a: not a.is_Number if v.is_scalar(a) else True))
        case Mul():
            return reduce(v.times, (lift(a, table) for a in sorted(e.args, key=lambda a: bool(a.args))))
        case Pow():
            return v.power(lift(e.args[0], table), e.args[1])
        case Call():
            return v.apply(e.fn, tuple(lift(a, table) for a in e.arguments))
    return table.get(e, e)


@pull.register
@rule("function of a scalar", source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.5")
def call_pull(expr: Call, g: Expr, own: Expr) -> Pulled:
    """h = f(z):  z_bar = h_bar f'(z);  y = log det A:  A_bar = y_bar A^-T."""
    if expr.fn.name == "log" and expr.fn.plain and isinstance(expr.arguments[0], v.DetOf):
        inner = expr.arguments[0].arg
        yield from pull(inner, v.scale(g, v.transpose(v.inverse(inner))), inner)
        return
    if _is_slope_of_pieces(expr.fn):
        return
    for slot, a in enumerate(expr.arguments):
        if not a.is_Number:
            yield from pull(a, merged((g, slope(expr, slot, own)[0])), a)


@pull.register
@rule("scalar from a (1, 1) matrix", source=GILES + ", section 2")
def as_scalar_pull(expr: v.AsScalar, g: Expr, own: Expr) -> Pulled:
    """y = a^T b:  a_bar = y_bar b, b_bar = y_bar a."""
    yield from pull(expr.arg, g, expr.arg)


@pull.register
@rule("norm", source=GILES + ", section 2.3")
def norm_pull(expr: v.Norm, g: Expr, own: Expr) -> Pulled:
    """y = |v|:  v_bar = y_bar v / |v|, v not zero."""
    yield from pull(expr.arg, v.scale(merged((g, Pow(own, -1, evaluate=False))), expr.arg), expr.arg)


@pull.register
@rule("sum of entries", source=GILES + ", section 2")
def sum_of_pull(expr: v.SumOf, g: Expr, own: Expr) -> Pulled:
    """y = sum_ij A_ij:  A_bar = y_bar 1, the matrix of ones."""
    yield from pull(expr.arg, v.scale(g, OneMatrix(*expr.arg.shape)), expr.arg)


@pull.register
@rule("trace", source=GILES + ", section 2.3.1")
def trace_pull(expr: v.TraceOf, g: Expr, own: Expr) -> Pulled:
    """y = tr A:  A_bar = y_bar I."""
    yield from pull(expr.arg, v.scale(g, Identity(expr.arg.shape[0])), expr.arg)


@pull.register
@rule("determinant", source=GILES + ", section 2.3.1")
def det_pull(expr: v.DetOf, g: Expr, own: Expr) -> Pulled:
    """y = det A:  A_bar = y_bar y A^-T, A invertible."""
    yield from pull(expr.arg, v.scale(merged((g, own)), v.transpose(v.inverse(expr.arg))), expr.arg)


@pull.register
@rule("inverse", source=GILES + ", section 2.2.3")
def inverse_pull(expr: Inverse, g: Expr, own: Expr) -> Pulled:
    """C = A^-1:  A_bar = -C^T C_bar C^T."""
    side = v.transpose(expr)
    yield from pull(expr.args[0], v.negate(v.matmul(v.matmul(side, g), side)), expr.args[0])


@pull.register
@rule("softmax", source="Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.106")
def softmax_pull(expr: v.Softmax, g: Expr, own: Expr) -> Pulled:
    """p = softmax(z):  z_bar = p o p_bar - (p^T p_bar) p."""
    p = own
    yield from pull(expr.arg, v.add(v.times(p, g), v.negate(v.scale(inner_product(p, g), p))), expr.arg)


@pull.register
@rule("log-sum-exp", source="Boyd, Vandenberghe, Convex Optimization (2004), section 3.1.5")
def logsumexp_pull(expr: v.LogSumExp, g: Expr, own: Expr) -> Pulled:
    """y = log sum_i exp(z_i):  z_bar = y_bar softmax(z)."""
    yield from pull(expr.arg, v.scale(g, v.Softmax(expr.arg)), expr.arg)


@pull.register
@rule("diagonal matrix", source=GILES + ", section 2")
def diag_pull(expr: v.Diag, g: Expr, own: Expr) -> Pulled:
    """D = diag(a):  a_bar = the diagonal of D_bar."""
    yield from pull(expr.arg, diagonal(g), expr.arg)


@pull.register
@rule("unknown scalar function", source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.5")
def unknown_scalar_pull(expr: v.UnknownScalar, g: Expr, own: Expr) -> Pulled:
    """L = loss(y, t):  y_bar = L_bar grad_y loss(y, t)."""
    for slot, a in enumerate(expr.arguments):
        yield from pull(a, v.scale(g, v.as_scalar(v.UnknownGradient(expr.fn, Integer(slot), *expr.arguments))), a)


@pull.register
@rule("gradient of an unknown function", source="Goodfellow, Bengio, Courville, Deep Learning (2016), section 4.3.1")
def unknown_gradient_pull(expr: v.UnknownGradient, g: Expr, own: Expr) -> Pulled:
    """w = grad_y loss(y, t):  t_bar = (d2 loss / dt dy) w_bar, for columns and numbers."""
    fn, slot, *arguments = expr.args
    for other, a in enumerate(arguments):
        if a.is_Number:
            continue
        if any(v.shape_of(x)[1] != 1 for x in (a, arguments[int(slot)])):
            raise Unsupported(f"second derivatives of the unknown function {fn.name} in a matrix")
        yield from pull(a, v.as_scalar(v.matmul(v.unknown_hessian(fn, other, int(slot), tuple(arguments)), g)), a)


def inner_product(a: Expr, b: Expr) -> Expr:
    """sum_ij A_ij B_ij: a^T b for columns, tr(A^T B) for matrices."""
    a, b = v.as_scalar(a), v.as_scalar(b)
    if v.is_scalar(a) or v.is_scalar(b):
        return merged((a, b))
    for constant, other in ((a, b), (b, a)):
        if isinstance(constant, OneMatrix):
            return v.SumOf(other)
    if a.shape[1] == 1:
        return v.as_scalar(v.matmul(v.transpose(a), b))
    if a.shape[0] == 1:
        return v.as_scalar(v.matmul(a, v.transpose(b)))
    return trace(v.matmul(v.transpose(a), b))


def put_in(e: Expr, table: dict[Expr, Expr], memo: dict[Expr, Expr] | None = None, product: Callable[[Expr, Expr], Expr] = v.matmul) -> Expr:
    """Equals put in for equals, products and sums kept flat; `product` multiplies two matrices."""
    memo = dict(table) if memo is None else memo
    if e not in memo:
        args = tuple(put_in(a, table, memo, product) if isinstance(a, Expr) else a for a in e.args)
        memo[e] = e if args == e.args else _rebuilt(e, args, product)
    return memo[e]


def _rebuilt(e: Expr, args: tuple[Expr, ...], product: Callable[[Expr, Expr], Expr]) -> Expr:
    if isinstance(e, MatMul):
        return reduce(product, args)
    if isinstance(e, HadamardProduct):
        return reduce(v.times, args)
    if isinstance(e, Transpose):
        return v.transpose(args[0])
    if e.is_Add or e.is_MatAdd:
        return reduce(v.add, args)
    if e.is_Mul:
        return reduce(v.times, args)
    return e.func(*args)


__all__ = ["derivative", "inner_product", "lift", "pull"]
