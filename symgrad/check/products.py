"""Vector and matrix expressions as sums of products of letters, to be compared by the laws of check/ring.py.

What a derivative, a norm, an inverse or an operation of language/operations.py is made of is said here; anything else is a letter.
Two sums that are found different may be equal all the same.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction

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
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
    expand,
)

from symgrad.check.axioms import smooth, smooth_slope
from symgrad.check.errors import Undecided
from symgrad.check.ring import MAX_TERMS, ONE, Factor, Factors, Ring, Scalars, Terms, kronecker, numbers, turned_round
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.functions import Call, Fn

MULTILINEAR = (op.Vec, op.Unvec, op.Diagonal, op.Kron, op.BlockInner, op.BlockSum, op.Correlate, op.Convolve)
"""Linear in each of their matrices."""


class Products(Ring):
    """Sums of products of the expressions of one comparison.  Raises Undecided where there would be too many terms."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[Expr, Terms] = {}

    def equal(self, a: Expr, b: Expr) -> bool:
        """Two expressions of one shape have the same sum of products."""
        return self.terms(a) == self.terms(b)

    def terms(self, e: Expr) -> Terms:
        if e not in self.known:
            found = self._expanded(self._matrix(e) if isinstance(e, MatrixExpr) else self._scalar(e))
            if len(found) > MAX_TERMS:
                raise Undecided(f"more than {MAX_TERMS} products")
            self.known[e] = found
        return self.known[e]

    def _scalar(self, e: Expr) -> Terms:
        match e:
            case Rational():
                return {((), ()): Fraction(int(e.p), int(e.q))} if e != 0 else {}
            case Symbol():
                return _letter("size" if e.is_integer else "name", e)
            case Add() if all(map(v.is_scalar, e.args)):
                return self._sum(map(self.terms, e.args))
            case Mul():
                return self._each([self.terms(a) for a in e.args], numbers)
            case Pow(base=v.Norm() as norm, exp=n) if isinstance(n, Rational):
                return self._power(self._squares(norm), Fraction(int(n.p), 2 * int(n.q)))
            case Pow(base=base, exp=n) if isinstance(n, Rational):
                return self._power(self.terms(base), Fraction(int(n.p), int(n.q)))
            case v.Norm():
                return self._power(self._squares(e), Fraction(1, 2))
            case v.AsScalar():
                return self.terms(e.arg)
            case v.SumOf():
                return self._sum_terms(self.terms(e.arg), e.arg.shape)
            case v.TraceOf():
                return self._each([self.terms(e.arg)], lambda fs: (self._trace(fs[0], e.arg.shape[0]), ()))
            case Call(fn=Fn(name="sqrt", plain=True)):
                return self._power(self.terms(e.arguments[0]), Fraction(1, 2))
            case Call() if not e.fn.plain and smooth(e.fn.name):
                z = Symbol("#z", real=True)
                return self.terms(smooth_slope(e.fn, z).xreplace({z: e.arguments[0]}))
            case Call():
                return _letter(e.fn, *(self._key(self.terms(a)) for a in e.arguments))
            case v.DetOf() | v.LogSumExp():
                return _letter(type(e).__name__, e.arg.shape, self._key(self.terms(e.arg)))  # 0 and I do not say their sizes
        if isinstance(e, op.Variance):
            return self.terms(e.meaning())
        return _letter("other", e)

    def _squares(self, e: Expr) -> Terms:
        """The sum of the squared entries."""
        inner, shape = self.terms(e.args[0]), v.shape_of(e.args[0])
        if v.is_scalar(e.args[0]):
            return self._each([inner, inner], numbers)
        turned = self._transposed(inner)
        if shape[1] == 1:
            return self._each([turned, inner], lambda fs: self._product((*fs[0], *fs[1])))
        return self._each([turned, inner], lambda fs: self._traced((*fs[0], *fs[1]), shape[1]))

    def _matrix(self, e: MatrixExpr) -> Terms:
        n, m = e.shape
        match e:
            case Identity():
                return ONE
            case ZeroMatrix():
                return {}
            case OneMatrix():
                return {((), self._ones(n, m)): Fraction(1)}
            case MatAdd():
                return self._sum(map(self.terms, e.args))
            case MatMul():
                return self._each([self.terms(a) for a in e.args], lambda fs: self._product(f for part in fs for f in part))
            case HadamardProduct():
                return self._each([self.terms(a) for a in e.args], self._entrywise)
            case Transpose():
                return self._transposed(self.terms(e.args[0]))
            case v.Diag() if n == 1:
                return self.terms(e.arg)
            case v.Diag():
                return self._each([self.terms(e.arg)], lambda fs: ((), self._diagonal(fs[0]) if fs[0] else ()))
            case op.Stack():
                return self._sum(self._each([self.terms(x)], lambda fs, f=f: self._product((*f, *fs[0]))) for f, x in stacked(e))  # type: ignore[misc]
            case op.Block(args=(a, top, bottom, left, right)) if e.shape != v.SCALAR:
                before, after = columns_of(a.shape[0], top, bottom), columns_of(a.shape[1], left, right)
                return self._each([self.terms(a)], lambda fs: self._product((*turned_round(before), *fs[0], *after)))
            case op.Diagonal():
                return self._each([self.terms(e.args[0])], lambda fs: self._diagonal_of(fs[0], n))
            case op.Solve():
                return self.terms(v.matmul(v.inverse(e.args[0]), e.args[1]))
            case v.UnknownHessian(args=(_, row, column, *_)):
                return {((), (Factor("symmetric" if row == column else "letter", e, False, n, m),)): Fraction(1)}
            case op.Block(args=(a, *spans)) if not (isinstance(a, Identity) and spans[2:] == [1, a.shape[1]]):
                return self._part(a, spans)
            case op.Tril(args=(a,)):  # tril(1) o A
                lower = Factor("lower", None, False, n, m)
                return self._each([self.terms(a)], lambda fs: self._hadamard([(lower,), fs[0]]))
            case v.Power(args=(base, exponent)) if isinstance(exponent, Rational):
                return self._entry_powers(self.terms(base), Fraction(int(exponent.p), int(exponent.q)), e)
            case v.Elementwise(fn=Fn(name="sqrt", plain=True)):
                return self._entry_powers(self.terms(e.arguments[0]), Fraction(1, 2), e)
            case v.Elementwise() if not e.fn.plain and smooth(e.fn.name):
                z = Symbol("#z", real=True)
                return self.terms(_lifted(smooth_slope(e.fn, z), z, e.arguments[0]))
            case v.Elementwise():
                return self._applied((e.fn, *(v.is_scalar(a) for a in e.arguments)), [self.terms(a) for a in e.arguments],
                                     [not v.is_scalar(a) for a in e.arguments], e)
            case Inverse():
                if not self.terms(e.args[0]):
                    raise Undecided("the inverse of zero")
                return self._applied("inverse", [self.terms(e.args[0])], [True], e)
            case v.Softmax() | op.RowSoftmax() | op.RowLogSumExp() | op.ArgMax() | op.RowMax():
                content = (e.args[0].shape, self._key(self.terms(e.args[0])))
                return {((), (Factor(type(e).__name__, content, False, n, m),)): Fraction(1)}
        if isinstance(e, MULTILINEAR):
            return self._multilinear(e)
        return {((), (Factor("letter", e, False, n, m),)): Fraction(1)}

    def _part(self, a: Expr, spans: list[Expr]) -> Terms:
        """Rows and columns of identities on both sides of a matrix: E A F^T."""
        sides = []
        for size, low, high in zip(a.shape, spans[::2], spans[1::2], strict=True):
            if low == high:
                sides.append(v.transpose(v.Unit(size, low)))
            else:
                sides.append(Identity(size) if (low, high) == (1, size) else op.Block(Identity(size), low, high, Integer(1), size))
        return self.terms(MatMul(sides[0], a, v.transpose(sides[1])))

    def _multilinear(self, e: MatrixExpr) -> Terms:
        """A letter for every choice of one product in each of its arguments."""
        rows, columns = e.shape
        matrices = list(e.args[:e.takes[0]])
        sizes = (type(e).__name__, *map(v.shape_of, matrices), *e.args[e.takes[0]:])

        def joined(fs: list[Factors]) -> tuple[Scalars, Factors]:
            if isinstance(e, op.BlockInner | op.BlockSum) and len(fs[0]) == 1 and not fs[0][0].turned and (pair := kronecker(fs[0][0])):
                same, shapes, (x, y) = isinstance(e, op.BlockInner), *pair  # blocks x_ij y: <y, B> x, <x, A> y
                weight, kept, shape = (y, x, shapes[1]) if same else (x, y, shapes[0])
                if shape == v.shape_of(matrices[1]) and 1 not in shape:
                    return self._traced((*turned_round(weight), *fs[1]), shape[1])[0], kept
            return (), (Factor("operation", (sizes, *fs), False, rows, columns),)

        return self._each([self.terms(a) for a in matrices], joined)


def stacked(e: Expr) -> list[tuple[Factors, Expr]]:
    """What stands one above the other in e, each with the columns of the identity that put it there."""
    parts, pending = [], [e]
    while pending:
        x = pending.pop()
        if isinstance(x, op.Stack):
            pending += [x.args[1], x.args[0]]
        else:
            parts.append(x)
    ends: list[Expr] = [Integer(0)]
    for x in parts:
        ends.append(expand(ends[-1] + v.shape_of(x)[0]))
    return [(columns_of(e.shape[0], expand(low + 1), high), x) for x, low, high in zip(parts, ends, ends[1:], strict=False)]


def columns_of(size: Expr, low: Expr, high: Expr) -> Factors:
    """Columns `low` to `high` of the identity of that size, a letter; of all of them, the identity."""
    part = op.Block(Identity(size), Integer(1), size, low, high)
    return () if (low, high) == (1, size) else (Factor("letter", part, False, *part.shape),)


def _letter(*content: Hashable) -> Terms:
    return {(((content, Fraction(1)),), ()): Fraction(1)}


def _lifted(e: Expr, z: Expr, a: Expr) -> Expr:
    """A scalar formula in z at every entry of a."""
    match e:
        case Rational():
            return v.scale(e, OneMatrix(*a.shape))
        case Symbol():
            return a
        case Add():
            return MatAdd(*(_lifted(x, z, a) for x in e.args))
        case Mul():
            found = OneMatrix(*a.shape)
            for x in e.args:
                found = v.times(found, _lifted(x, z, a))
            return found
        case Pow(base=base, exp=n):
            return v.Power(_lifted(base, z, a), n)
        case Call():
            return v.Elementwise(e.fn, *(_lifted(x, z, a) for x in e.arguments))
    raise Undecided(f"{type(e).__name__} entry by entry")


__all__ = ["Products"]
