"""Vector expressions written out entry by entry at explicit sizes, and the count of index slots that makes it a proof.

Monomials with the same pattern of equal and distinct indices have the same coefficient at every size, and at size m
every pattern of m index slots occurs; so equality of all entries at the one size m is equality at every size
(design, 'What counts as proved', 3).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
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

from symgrad.check.calculus import differentiate
from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn, call

Rows = tuple[tuple[Expr, ...], ...]
ZERO, ONE = Integer(0), Integer(1)
MAX_WRITTEN, MAX_PRODUCTS, MAX_COFACTORS = 4000, 250_000, 6
"""Entries of a matrix; products of two entries in one matrix product; rows of a determinant."""


@dataclass
class Explicit:
    """Entries at the given sizes of the symbolic dimensions; `axioms` notes inverse and determinant, met by cofactors."""

    sizes: dict[Expr, int]
    memo: dict[Expr, Rows] = field(default_factory=dict)

    def size(self, dimension: Expr) -> int:
        return int(dimension) if dimension.is_Integer else self.sizes[dimension]

    def rows(self, e: Expr) -> Rows:
        """All entries; a scalar is one row of one entry."""
        if e not in self.memo:
            if isinstance(e, MatrixExpr) and self.size(e.shape[0]) * self.size(e.shape[1]) > MAX_WRITTEN:
                raise Unsupported(f"a matrix of more than {MAX_WRITTEN:,} entries written out")
            self.memo[e] = self._matrix(e) if isinstance(e, MatrixExpr) else ((self.scalar(e),),)
        return self.memo[e]

    def scalar(self, e: Expr) -> Expr:
        """A scalar expression whose leaves are scalar variables and entries with numeric indices."""
        match e:
            case Number():
                return e
            case Symbol():
                return Integer(self.sizes[e]) if e in self.sizes else e
            case Add() | Mul() | Pow():
                return e.func(*(self.scalar(a) for a in e.args))
            case Call():
                return Call(e.fn, *(self.scalar(a) for a in e.arguments))
            case v.AsScalar():
                return self.rows(e.arg)[0][0]
            case v.Norm():
                return Pow(Add(*(Pow(x, 2) for row in self.rows(e.arg) for x in row)), Rational(1, 2))
            case v.SumOf():
                return Add(*(x for row in self.rows(e.arg) for x in row))
            case v.TraceOf():
                return Add(*(row[i] for i, row in enumerate(self.rows(e.arg))))
            case v.LogSumExp():
                return call("log", Add(*(call("exp", row[0]) for row in self.rows(e.arg))))
            case v.DetOf():
                return _determinant(self.rows(e.arg))
            case v.Entry(args=(matrix, i, j)):
                i, j = self.scalar(i), self.scalar(j)
                if not (1 <= i <= self.size(matrix.shape[0]) and 1 <= j <= self.size(matrix.shape[1])):
                    raise Unsupported(f"entry ({i}, {j}) of {matrix}, which is smaller here")
                if isinstance(matrix, MatrixSymbol):
                    return v.Entry(matrix, i, j)
                return self.rows(matrix)[int(self.scalar(i)) - 1][int(self.scalar(j)) - 1]
            case v.IndexSum(args=(body, index, size)):
                return Add(*(self.scalar(body.xreplace({index: Integer(k)})) for k in range(1, self.size(size) + 1)))
            case Diff(args=(body, x)):
                return differentiate(self.scalar(body), self.scalar(x))
            case v.UnknownScalar():
                flat = tuple(x for a in e.arguments for row in self.rows(a) for x in row)
                return Call(Fn(e.fn.name, (0,) * len(flat)), *flat)
        raise Unsupported(f"the checker cannot write out {type(e).__name__}")

    def _matrix(self, e: MatrixExpr) -> Rows:
        n, m = (self.size(d) for d in e.shape)
        match e:
            case MatrixSymbol():
                return tuple(tuple(v.Entry(e, Integer(i), Integer(j)) for j in range(1, m + 1)) for i in range(1, n + 1))
            case Identity():
                return tuple(tuple(Integer(int(i == j)) for j in range(m)) for i in range(n))
            case v.Unit(args=(_, k)):
                return tuple((ONE if i == k else ZERO,) for i in range(1, n + 1))
            case OneMatrix() | ZeroMatrix():
                return ((ONE if isinstance(e, OneMatrix) else ZERO,) * m,) * n
            case MatAdd():
                return self._entrywise(lambda *x: Add(*x), *e.args)
            case HadamardProduct():
                return self._entrywise(lambda *x: Mul(*x), *e.args)
            case v.Power(args=(base, exponent)):
                return self._entrywise(lambda x: Pow(x, exponent), base)
            case MatMul():
                factor = Mul(*(self.scalar(a) for a in e.args if v.is_scalar(a)))
                inner = reduce(_multiply, (self.rows(a) for a in e.args if not v.is_scalar(a)))
                return inner if factor == 1 else tuple(tuple(Mul(factor, x) for x in row) for row in inner)
            case Transpose():
                return tuple(zip(*self.rows(e.args[0]), strict=True))
            case v.Elementwise():
                scalars = [self.scalar(a) if v.is_scalar(a) else None for a in e.arguments]
                grids = [self.rows(a) if s is None else None for a, s in zip(e.arguments, scalars, strict=True)]
                return tuple(tuple(Call(e.fn, *(g[i][j] if g is not None else s for g, s in zip(grids, scalars, strict=True)))
                                   for j in range(m)) for i in range(n))
            case v.Softmax():
                exponentials = [call("exp", row[0]) for row in self.rows(e.arg)]
                whole = Pow(Add(*exponentials), -1)
                return tuple((Mul(x, whole),) for x in exponentials)
            case Grad(args=(body, x)):
                whole = self.scalar(body)
                return tuple(tuple(differentiate(whole, y) for y in row) for row in self.rows(x))
            case v.Diag():
                column = self.rows(e.arg)
                return tuple(tuple(column[i][0] if i == j else ZERO for j in range(n)) for i in range(n))
            case Inverse():
                return _inverse(self.rows(e.args[0]))
            case v.UnknownGradient(args=(fn, slot, *arguments)):
                flat = [x for a in arguments for row in self.rows(a) for x in row]
                before = sum(len(self.rows(a)) * len(self.rows(a)[0]) for a in arguments[:int(slot)])
                f = Fn(fn.name, (0,) * len(flat))
                return tuple(tuple(Call(f.derivative(before + i * m + j), *flat) for j in range(m)) for i in range(n))
        raise Unsupported(f"the checker cannot write out {type(e).__name__}")

    def _entrywise(self, f, *matrices: Expr) -> Rows:  # type: ignore[no-untyped-def]
        return tuple(tuple(f(*xs) for xs in zip(*rows, strict=True)) for rows in zip(*map(self.rows, matrices), strict=True))


def _multiply(a: Rows, b: Rows) -> Rows:
    if len(a) * len(b) * len(b[0]) > MAX_PRODUCTS:
        raise Unsupported(f"a matrix product of more than {MAX_PRODUCTS:,} products written out")
    return tuple(tuple(Add(*(Mul(x, y) for x, y in zip(row, column, strict=True) if x != 0 and y != 0))
                       for column in zip(*b, strict=True)) for row in a)


def _minor(a: Rows, i: int, j: int) -> Rows:
    return tuple((*row[:j], *row[j + 1:]) for k, row in enumerate(a) if k != i)


def _determinant(a: Rows) -> Expr:
    if not a:
        return ONE
    if len(a) > MAX_COFACTORS:
        raise Unsupported(f"a determinant of more than {MAX_COFACTORS} rows written out")
    return Add(*(Mul(Integer((-1) ** j), a[0][j], _determinant(_minor(a, 0, j))) for j in range(len(a))))


def _inverse(a: Rows) -> Rows:
    whole = Pow(_determinant(a), -1)
    return tuple(tuple(Mul(Integer((-1) ** (i + j)), _determinant(_minor(a, j, i)), whole) for j in range(len(a))) for i in range(len(a)))


# ---- index slots -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slots:
    """Of one expression: summed index slots of each dimension in one monomial, sums over nothing, quotients, axioms."""

    summed: Counter[Expr] = field(default_factory=Counter)
    constant: Counter[Expr] = field(default_factory=Counter)
    quotient: bool = False
    axiom: bool = False

    def times(self, *others: Slots) -> Slots:
        every = (self, *others)
        return Slots(sum((s.summed for s in every), Counter()), sum((s.constant for s in every), Counter()),
                     any(s.quotient for s in every), any(s.axiom for s in every))

    def or_(self, *others: Slots) -> Slots:
        every = (self, *others)
        return Slots(reduce(lambda a, b: a | b, (s.summed for s in every)), reduce(lambda a, b: a | b, (s.constant for s in every)),
                     any(s.quotient for s in every), any(s.axiom for s in every))

    def and_sum(self, *dimensions: Expr) -> Slots:
        return Slots(self.summed + Counter(d for d in dimensions if not d.is_Integer), self.constant, self.quotient, self.axiom)


def slots(e: Expr) -> Slots:
    """An upper bound of the index slots that one monomial of one entry of e carries besides its free indices."""
    match e:
        case Number() | MatrixSymbol():
            return Slots()
        case v.Unit(args=(size, _)) if size.is_Integer:
            return Slots()
        case Symbol():
            return Slots(constant=Counter([e])) if e.is_integer else Slots()
        case Identity() | OneMatrix() | ZeroMatrix():
            return Slots(constant=Counter(d for d in e.shape if not d.is_Integer))
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            return Slots().times(*(slots(a) for a in e.args)).and_sum(*(a.shape[1] for a in matrices[:-1]))
        case Add() | MatAdd():
            parts = [slots(a) for a in e.args]
            rational = any(p.quotient for p in parts)  # a common denominator multiplies
            return parts[0].times(*parts[1:]) if rational else parts[0].or_(*parts[1:])
        case Mul() | HadamardProduct():
            return Slots().times(*(slots(a) for a in e.args))
        case Pow(base=base, exp=exponent) | v.Power(args=(base, exponent)):
            inner, n = slots(base), int(abs(exponent)) if exponent.is_Integer else 1
            if isinstance(base, v.Norm) and exponent.is_Integer and exponent > 0 and exponent % 2 == 0:
                inner, n = _square_of(base), int(exponent) // 2
            repeated = Slots().times(*(inner for _ in range(n)))
            return Slots(repeated.summed, repeated.constant, repeated.quotient or not exponent.is_Integer or exponent < 0, repeated.axiom)
        case Call() | v.Elementwise() | v.UnknownScalar():
            inner = Slots().times(*(slots(a) for a in e.arguments))
            spread = [d for a in e.arguments for d in v.shape_of(a)] if isinstance(e, v.UnknownScalar) else []
            return inner.and_sum(*spread)
        case v.UnknownGradient(args=(_, _, *arguments)):
            return Slots().times(*(slots(a) for a in arguments)).and_sum(*(d for a in arguments for d in v.shape_of(a)))
        case v.AsScalar() | Transpose() | v.Diag():
            return slots(e.args[0])
        case v.Entry(args=(matrix, _, _)):
            return slots(matrix)
        case v.SumOf():
            return slots(e.arg).and_sum(*e.arg.shape)
        case v.TraceOf():
            return slots(e.arg).and_sum(e.arg.shape[0])
        case v.Norm():
            inner = _square_of(e)
            return Slots(inner.summed, inner.constant, True, inner.axiom)
        case v.Softmax() | v.LogSumExp():
            inner = slots(e.arg)
            twice = Slots(inner.summed + inner.summed, inner.constant, True, inner.axiom)
            return twice.and_sum(e.arg.shape[0])
        case v.IndexSum(args=(body, _, size)):
            return slots(body).and_sum(size)
        case Diff(args=(body, _)) | Grad(args=(body, _)):
            return slots(body).times(_differentiating(body))
        case Inverse() | v.DetOf():
            inner = slots(e.args[0])
            symbolic = Counter(d for d in e.args[0].shape if not d.is_Integer)
            return Slots(inner.summed + symbolic, inner.constant, True, inner.axiom or bool(symbolic))  # cofactors define it at a fixed size
    raise Unsupported(f"the checker cannot count the index slots of {type(e).__name__}")


def _square_of(e: v.Norm) -> Slots:
    inner = slots(e.arg)
    return inner.times(inner).and_sum(*e.arg.shape)


def _differentiating(e: Expr) -> Slots:
    """The slots that a monomial may have more after differentiation: f(a) becomes f'(a) a', with a once more; a product gains none."""
    inner = Slots().times(*(_differentiating(a) for a in e.args if isinstance(a, Expr)))
    match e:
        case Call() | v.Elementwise():
            return inner.times(*(slots(a) for a in e.arguments))
        case Pow(base=base, exp=n) | v.Power(args=(base, n)) if not (n.is_Integer and n > 0):
            return inner.times(slots(base), slots(base))  # b^-1 becomes -b^-2 b'
        case v.Norm():
            return inner.times(_square_of(e))
        case v.LogSumExp():
            return inner.times(slots(e.arg)).and_sum(*e.arg.shape)
        case v.Softmax():
            return inner.times(*[slots(e.arg)] * 3).and_sum(*e.arg.shape, *e.arg.shape)
        case v.UnknownScalar() | v.UnknownGradient() | Inverse() | v.DetOf():
            return inner.times(slots(e), slots(e))
    return inner


def enough(dimensions: tuple[Expr, ...], free: tuple[Expr, ...], sides: tuple[Slots, ...]) -> tuple[list[dict[Expr, int]], bool]:
    """The sizes at which equality of two expressions must be checked to hold at every size; False: not a proof, axioms met.

    `free` are the dimensions of the free indices.  One size vector, and one more for each sum over nothing.
    """
    quotient, axiom = any(s.quotient for s in sides), any(s.axiom for s in sides)
    summed = sum((s.summed for s in sides), Counter()) if quotient else reduce(lambda a, b: a | b, (s.summed for s in sides))
    constant = sum((s.constant for s in sides), Counter())
    need = summed + Counter(d for d in free if not d.is_Integer)
    base = {d: max(need[d], 2) for d in dimensions}
    vectors = [base]
    for d in dimensions:
        vectors += [{**base, d: base[d] + extra} for extra in range(1, constant[d] + 1)]
    return vectors, not axiom
