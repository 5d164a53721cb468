"""Differentials in matrix notation, from definitions; and Jacobians times a direction, in matrix notation too.

    d(A B) = dA B + A dB             d(A^-1) = -A^-1 dA A^-1          d det A = det A tr(A^-1 dA)
    d f(A) = f'(A) o dA              d softmax(z) = p o dz - (p^T dz) p       d log sum_k e^(z_k) = p^T dz

    ((B (x) 1) o (1 (x) A)) d = vec(A diag(d) B^T)        and its transpose: ((B (x) 1) o (1 (x) A))^T vec(T) = diag(A^T T B)
    (B (x) A) vec(T) = vec(A T B^T)        K vec(T) = vec(T^T)        diag(vec W) vec(T) = vec(W o T)       vec(W)^T vec(T) = 1^T (W o T) 1

Two matrices are equal if they have the same product with every vector: a Jacobian in a matrix is compared by what it does to vec(T),
T being a letter, and that is a matrix of the size of the node, whatever the size of the Jacobian.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), chapters 2, 3 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce

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
    Number,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.check.axioms import DETERMINANT, INVERSE, LARGEST
from symgrad.check.calculus import partial
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Graph
from symgrad.language.tangents import Direction, is_jacobian, moved, tangent
from symgrad.language.vectors import shape_of

LINEAR = (Transpose, v.AsScalar, v.SumOf, v.TraceOf, v.Diag, op.Diagonal, op.Tril, op.Vec, op.Unvec, op.Block)
"""Linear in their one matrix, the first argument."""
BILINEAR = (MatMul, HadamardProduct, op.Kron, op.BlockInner, op.BlockSum, op.Correlate, op.Convolve)
"""Linear in each of their matrices."""


class Differentials:
    """d e, each letter of `moves` with its differential; all others stand still.  None for 0.  Raises Unsupported."""

    def __init__(self, moves: Mapping[Expr, Expr]) -> None:
        self.moves = moves
        self.known: dict[Expr, Expr | None] = {}

    def of(self, e: Expr) -> Expr | None:
        if e not in self.known:
            self.known[e] = self._of(e)
        return self.known[e]

    def _sum(self, terms: Iterable[Expr | None]) -> Expr | None:
        found = [t for t in terms if t is not None]
        return reduce(v.add, found) if found else None

    def _along(self, a: Expr, around: Callable[[Expr], Expr]) -> Expr | None:
        """What `around` makes of the differential of the one argument, 0 of 0."""
        d = self.of(a)
        return None if d is None else around(d)

    def _each(self, arguments: tuple[Expr, ...], around: Callable[[int, Expr], Expr]) -> Expr | None:
        """The sum over the arguments that move: `around` puts the differential of one in."""
        moved = ((i, self.of(a)) for i, a in enumerate(arguments))
        return self._sum(around(i, da) for i, da in moved if da is not None)

    def _of(self, e: Expr) -> Expr | None:
        match e:
            case Symbol() | MatrixSymbol():
                return self.moves.get(e)
            case Number() | Identity() | OneMatrix() | ZeroMatrix() | v.Unit() | op.Commutation() | op.ArgMax():
                return None
            case Add() | MatAdd():
                return self._sum(map(self.of, e.args))
            case Mul() if v.is_scalar(e):
                return self._each(e.args, lambda i, d: v.merged((*e.args[:i], d, *e.args[i + 1:])))
            case Pow(base=base, exp=n) if isinstance(n, Rational):
                return self._times(v.merged((n, Pow(base, n - 1, evaluate=False))), self.of(base))
            case v.Power(args=(base, n)) if isinstance(n, Rational):
                return self._along(base, lambda d: v.scale(n, v.times(v.Power(base, n - 1), d)))
            case Inverse():
                return self._along(e.args[0], lambda d: v.negate(v.matmul(v.matmul(e, d), e)))
            case v.Norm():
                return self._along(e.arg, lambda d: v.merged((Pow(e, -1, evaluate=False), paired(e.arg, d))))
            case v.DetOf():
                return self._along(e.arg, lambda d: v.merged((e, v.TraceOf(v.matmul(Inverse(e.arg), d)))))
            case v.Elementwise():
                return self._each(e.arguments, lambda i, d: v.times(self._slope(e, i), d))
            case Call():
                return self._each(e.arguments, lambda i, d: self._partial_times(e, i, d))
            case v.UnknownScalar():
                return self._each(e.arguments, lambda i, d: paired(v.as_scalar(v.UnknownGradient(e.fn, Integer(i), *e.arguments)), d))
            case v.UnknownGradient(args=(fn, slot, *arguments)):
                return self._each(tuple(arguments), lambda i, d: v.matmul(v.unknown_hessian(fn, int(slot), i, tuple(arguments)), d))
        return self._of_operation(e)

    def _of_operation(self, e: Expr) -> Expr | None:
        match e:
            case v.Softmax():
                return self._along(e.arg, lambda d: v.add(v.times(e, d), v.negate(v.scale(paired(e, d), e))))
            case v.LogSumExp():
                return self._along(e.arg, lambda d: paired(v.Softmax(e.arg), d))
            case op.RowSoftmax():
                return self._along(e.args[0], lambda d: v.add(v.times(e, d), v.negate(v.matmul(op.diag(_row_sums(v.times(e, d))), e))))
            case op.RowLogSumExp():
                return self._along(e.args[0], lambda d: _row_sums(v.times(op.RowSoftmax(e.args[0]), d)))
            case op.RowMax():
                return self._along(e.args[0], lambda d: _row_sums(v.times(op.ArgMax(e.args[0]), d)))
            case op.MaxOf():
                return self._along(e.arg, lambda d: v.as_scalar(v.matmul(op.ArgMax(v.transpose(e.arg)), d)))
            case op.Solve(args=(a, b)):
                return self.of(v.matmul(v.inverse(a), b))
            case op.Variance():
                return self.of(e.meaning())
            case op.Stack(args=(a, b)):
                if self.of(a) is None and self.of(b) is None:
                    return None
                return op.Stack(*(self.of(x) if self.of(x) is not None else v.scale(Integer(0), x) for x in (a, b)))
        if isinstance(e, LINEAR):
            return self._along(e.args[0], lambda d: e.func(d, *e.args[1:]))
        if isinstance(e, BILINEAR):
            return self._each(e.args, lambda i, d: e.func(*e.args[:i], d, *e.args[i + 1:]))
        if not any(self.moves.get(x) is not None for x in e.atoms(Symbol, MatrixSymbol)):
            return None
        raise Unsupported(f"the differential of {type(e).__name__} in matrix notation")

    def _times(self, factor: Expr, d: Expr | None) -> Expr | None:
        return None if d is None else v.merged((factor, d))

    def _slope(self, e: v.Elementwise, slot: int) -> Expr:
        """The derivative of a function of entries in one argument, as a matrix."""
        if _is_flat(e.fn, slot):
            return ZeroMatrix(*e.shape)
        if v.is_scalar(e.arguments[slot]):
            raise Unsupported("the slope in a number that all entries share")
        if e.fn.plain:
            match e.fn.name:
                case "exp":
                    return e
                case "log":
                    return v.Power(e.arguments[0], Integer(-1))
                case "sqrt":
                    return v.scale(Rational(1, 2), v.Power(e, Integer(-1)))
                case "abs":
                    return v.Elementwise(Fn("sign", (0,)), *e.arguments)
        return v.Elementwise(e.fn.derivative(slot), *e.arguments)

    def _partial_times(self, e: Call, slot: int, d: Expr) -> Expr:
        if _is_flat(e.fn, slot):
            return Integer(0)
        slope = Call(Fn("sign", (0,)), *e.arguments) if e.fn.plain and e.fn.name == "abs" else partial(e, slot)
        return v.merged((slope, d))


def _is_flat(fn: Fn, slot: int) -> bool:
    """Is the derivative in one argument 0 away from the kinks, as where that argument has a slope already?

    Of pieces that are linear all second derivatives are 0; leaky relu is s z for z < 0, and the one in z and the slope s is not.
    """
    orders = fn.derivative(slot).orders
    pieces = fn.name in KNOWN and bool(KNOWN[fn.name].kink) and fn.name != "sqrt"
    return fn.name in ("step", "sign") or (pieces and (max(orders) > 1 or (sum(orders) > 1 and fn.name != "leaky_relu")))


def paired(a: Expr, b: Expr) -> Expr:
    """1^T (A o B) 1."""
    return v.merged((a, b)) if v.is_scalar(a) or v.is_scalar(b) else v.SumOf(v.times(a, b))


def _row_sums(a: Expr) -> Expr:
    return v.matmul(a, OneMatrix(a.shape[1], 1))


def conditions(*expressions: Expr) -> tuple[str, ...]:
    """What the rules that were used rest on."""
    kinds = ((INVERSE, (Inverse, op.Solve)), (DETERMINANT, v.DetOf), (LARGEST, (op.ArgMax, op.MaxOf, op.RowMax)))
    return tuple(said for said, kind in kinds if any(e.has(*(kind if isinstance(kind, tuple) else (kind,))) for e in expressions))


def moving(graph: Graph, direction: Direction) -> tuple[dict[str, Expr], dict[Expr, Expr]]:
    """What moves along a direction: name -> its differential, tangent -> the same.

    For a Jacobian dw is a letter shaped like w, or 1, and du a letter with vec(du) = (du/dw) vec(dw).
    """
    found: dict[str, Expr] = {}
    names = moved(graph, direction)
    if not is_jacobian(direction):
        found = {n: graph.symbol(dict(direction)[n]) if n in dict(direction) else tangent(graph, n, direction) for n in names}
        return found, {tangent(graph, n, direction): d for n, d in found.items()}
    (w, _), = direction
    number = graph.shape(w) == v.SCALAR
    for n in names:
        as_it_is = number and graph.shape(n)[1] == 1
        found[n] = tangent(graph, n, direction) if as_it_is else v.variable(f"#d {n}", graph.shape(n))
    found[w] = Integer(1) if number else v.variable(f"#d {w}", graph.shape(w))
    return found, {tangent(graph, n, direction): d for n, d in found.items() if n != w}


# ---- a Jacobian times a direction ----------------------------------------------------------------------------------


def applied(jacobian: Expr, t: Expr, known: Mapping[tuple[Expr, Expr], Expr]) -> Expr:
    """A with vec(A) = J vec(T); `known` has A for letters J and what each is known to be multiplied by, T itself.

    A column where the shape of A does not matter.

    Raises Unsupported where there is no such form, or T does not have the shape that a product needs.
    """
    t = upright(t)
    match jacobian:
        case _ if (jacobian, t) in known:  # a letter times anything else, as J M, is not known
            return upright(known[jacobian, t])
        case _ if v.is_scalar(jacobian):
            return v.times(jacobian, t)
        case Identity():
            return t
        case MatAdd():
            return reduce(v.add, (applied(a, t, known) for a in jacobian.args))
        case MatMul():
            flat = _flat(jacobian)
            factors = [a for a in flat if not v.is_scalar(a)]
            while factors:
                last = factors.pop()
                product = _kronecker(factors[-1], last, t) if factors else None
                t = applied(last, t, known) if product is None else product
                factors = factors if product is None else factors[:-1]
                known = {}  # what follows is applied to something else than T
            return v.scale(reduce(v.times, (a for a in flat if v.is_scalar(a)), Integer(1)), t)
        case op.Kron(args=(b, a)):
            inner = _shaped(t, (shape_of(a)[1], shape_of(b)[1]))
            return upright(v.as_scalar(reduce(v.matmul, (a, inner, v.transpose(b)))))
        case HadamardProduct() if (sides := _between(jacobian)) is not None:
            a, b = sides
            if shape_of(t) != (a.shape[1], 1):
                raise Unsupported("a vector of another length")
            return upright(reduce(v.matmul, (a, v.Diag(t), v.transpose(b))))
        case Transpose() if (sides := _between(jacobian.args[0])) is not None:
            a, b = sides
            return op.Diagonal(reduce(v.matmul, (v.transpose(a), _shaped(t, (a.shape[0], b.shape[0])), b)))
        case op.Commutation(args=(n, m)):
            return v.transpose(_shaped(t, (n, m)))
        case v.Diag():
            return v.times(unvec(jacobian.arg, shape_of(t)), t)
        case Transpose() | OneMatrix() if jacobian.shape[0] == 1:
            return paired(unvec(v.transpose(jacobian), shape_of(t)), t)
        case op.Vec() if v.is_scalar(t):
            return v.scale(t, jacobian.args[0])
        case op.Block(args=(inner, top, bottom, left, right)) if (left, right) == (1, inner.shape[1]):
            return op.block(_column(applied(inner, t, known)), (top, bottom), None)
        case op.Stack(args=(a, b)):
            return op.stack(*(_column(applied(x, t, known)) for x in (a, b)))
        case ZeroMatrix():
            return ZeroMatrix(jacobian.shape[0], 1)
    if shape_of(t)[1] != 1:
        raise Unsupported(f"{type(jacobian).__name__} times vec of a matrix")
    return v.scale(t, jacobian) if v.is_scalar(t) else v.as_scalar(v.matmul(jacobian, t))


def unvec(e: Expr, shape: v.Shape) -> Expr:
    """The matrix of that shape with vec(A) = e.  Raises Unsupported."""
    match e:
        case op.Vec() if e.args[0].shape == shape:
            return e.args[0]
        case OneMatrix() if e.shape == (op.times_sizes(*shape), 1):
            return OneMatrix(*shape)
        case HadamardProduct():
            return reduce(v.times, (unvec(a, shape) for a in e.args))
        case MatAdd():
            return reduce(v.add, (unvec(a, shape) for a in e.args))
        case MatMul() if v.is_scalar(e.args[0]):
            return v.scale(e.args[0], unvec(MatMul(*e.args[1:]) if len(e.args) > 2 else e.args[1], shape))
    if shape_of(e) == shape:
        return e
    raise Unsupported(f"{type(e).__name__} as a matrix")


def _flat(e: Expr) -> list[Expr]:
    """The factors of a product, those of products in it too."""
    return [f for a in e.args for f in _flat(a)] if isinstance(e, MatMul) else [e]


def _kronecker(left: Expr, right: Expr, t: Expr) -> Expr | None:
    """vec(A (x) B) = (I (x) K (x) I)(vec A (x) vec B), applied to one of the two; or its transpose, applied to a matrix of that shape.

    None where that is not what stands there.
    """
    if v.is_scalar(t) or 1 in shape_of(t):
        return None
    rows, columns = shape_of(t)
    match left, right:
        case _, op.Kron(args=(op.Vec(args=(a,)), Identity())):
            found, permutation = op.Kron(a, t), left
        case _, op.Kron(args=(Identity(), op.Vec(args=(b,)))):
            found, permutation = op.Kron(t, b), left
        case op.Kron(args=(Identity(), Transpose(args=(op.Vec(args=(b,)),)))), _:
            found, permutation = op.BlockInner(t, b), right
        case op.Kron(args=(Transpose(args=(op.Vec(args=(a,)),)), Identity())), _:
            found, permutation = op.BlockSum(t, a), right
        case _:
            return None
    if permutation is left:
        ((m, n), (p, q)), size = map(shape_of, found.args), right.shape[1]
        middle = op.Commutation(q, m)
    else:
        ((m, n), (p, q)) = (found.shape, shape_of(found.args[1])) if isinstance(found, op.BlockInner) else (shape_of(found.args[1]), found.shape)
        size, middle = right.shape[1], op.Commutation(m, q)
    fits = size == op.times_sizes(rows, columns) and not any(x == 1 or not x.is_integer for x in (m, n, p, q))
    return found if fits and permutation == op.Kron(Identity(n), op.Kron(middle, Identity(p))) else None


def _between(e: Expr) -> tuple[Expr, Expr] | None:
    """A and B of (B (x) 1) o (1 (x) A), 1 being columns: it maps d to vec(A diag(d) B^T), and its transpose vec(T) to diag(A^T T B)."""
    match e:
        case HadamardProduct(args=(op.Kron(args=(b, OneMatrix(shape=(n, columns)))), op.Kron(args=(OneMatrix(shape=(m, others)), a)))):
            if columns == others == 1 and (n, m) == (a.shape[0], b.shape[0]):
                return a, b
    return None


def _shaped(t: Expr, shape: v.Shape) -> Expr:
    if shape_of(t) == shape:
        return t
    if 1 in shape_of(t) and shape_of(t)[::-1] == shape:
        return v.transpose(t)
    raise Unsupported("a matrix of another shape with the same entries")


def upright(t: Expr) -> Expr:
    """A row as a column: vec is the same."""
    return v.transpose(t) if isinstance(t, MatrixExpr) and t.shape[0] == 1 else t


def _column(t: Expr) -> Expr:
    return v.scale(t, OneMatrix(1, 1)) if v.is_scalar(t) else t if t.shape[1] == 1 else op.Vec(t)


__all__ = ["Differentials", "applied", "conditions", "paired", "moving", "unvec", "upright"]
