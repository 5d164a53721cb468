"""Vector expressions written out entry by entry at explicit sizes, and the count of index slots that makes it a proof.

Monomials with the same pattern of equal and distinct indices have the same coefficient at every size, and at size m
every pattern of m index slots occurs; so equality of all entries at the one size m is equality at every size
(design, 'What counts as proved', 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import count

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    KroneckerDelta,
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

from symgrad.check.axioms import Atoms, Rows, cofactor_determinant, cofactor_inverse
from symgrad.check.calculus import differentiate
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn, call

ZERO, ONE = Integer(0), Integer(1)


@dataclass
class Explicit:
    """Entries at the given sizes of the symbolic dimensions.

    With `atoms`, inverse, determinant and the like are atoms with one rule each (check/axioms.py); else they are written out.
    """

    sizes: dict[Expr, int]
    atoms: Atoms | None = None
    memo: dict[Expr, Rows] = field(default_factory=dict)
    slopes: dict[Expr, dict[Expr, Expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = {d: Integer(n) for d, n in self.sizes.items()}
        self.fresh = (Symbol(f"#{k}", integer=True, positive=True) for k in count()).__next__

    def size(self, dimension: Expr) -> int:
        return int(dimension) if dimension.is_Integer else self.sizes.get(dimension) or int(dimension.xreplace(self.numbers))

    def index(self, e: Expr) -> int:
        """The value of an index or of a size."""
        found = e.xreplace(self.numbers)
        if not found.is_Integer:
            raise Unsupported(f"the checker cannot find the position {e}")
        return int(found)

    def rows(self, e: Expr) -> Rows:
        """All entries; a scalar is one row of one entry."""
        if e not in self.memo:
            self.memo[e] = self._matrix(e) if isinstance(e, MatrixExpr) else ((self.scalar(e),),)
        return self.memo[e]

    def differentiate(self, e: Expr, x: Expr) -> Expr:
        return self.atoms.differentiate(e, x) if self.atoms else differentiate(e, x, self.slopes.setdefault(x, {}))

    def scalar(self, e: Expr) -> Expr:
        """A scalar expression whose leaves are scalar variables and entries with numeric indices."""
        match e:
            case Number():
                return e
            case Symbol():
                return self.numbers.get(e, e)
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
            case v.LogSumExp() if self.atoms:
                return self.atoms.logsumexp(_turned(self.rows(e.arg)))[0][0]
            case v.LogSumExp():
                return call("log", Add(*(call("exp", row[0]) for row in self.rows(e.arg))))
            case v.DetOf():
                inner = self.rows(e.arg)
                return self.atoms.determinant(inner) if self.atoms else cofactor_determinant(inner)
            case v.Entry(args=(matrix, i, j)):
                return self._entry(matrix, self.index(i), self.index(j))
            case v.IndexSum(args=(body, index, size)):
                return Add(*(self.scalar(body.xreplace({index: Integer(k)})) for k in range(1, self.size(size) + 1)))
            case v.UnknownScalar():
                flat = tuple(x for a in e.arguments for row in self.rows(a) for x in row)
                return Call(Fn(e.fn.name, (0,) * len(flat)), *flat)
            case KroneckerDelta():
                return ONE if self.index(e.args[0]) == self.index(e.args[1]) else ZERO
            case op.Choice(args=(low, high, then, otherwise)):
                return self.scalar(then if self.index(low) <= self.index(high) else otherwise)
            case op.Aligned(args=(a, i, rows, p, size)):
                where = tuple(map(self.index, (a, i, p)))
                if self.atoms:  # true whatever the tensor is: nothing of it is used but that i and p may change places
                    return Symbol(f"#aligned[{where[0]}|{sorted(((str(rows), where[1]), (str(size), where[2])))}]", real=True)
                return Integer(int(where[0] == where[1] + where[2] - 1))
        if isinstance(e, op.SCALARS):
            return self.scalar(e.meaning())
        raise Unsupported(f"the checker cannot write out {type(e).__name__}")

    def _entry(self, matrix: Expr, i: int, j: int) -> Expr:
        if not (1 <= i <= self.size(v.shape_of(matrix)[0]) and 1 <= j <= self.size(v.shape_of(matrix)[1])):
            raise Unsupported(f"an entry ({i}, {j}) outside its matrix")
        return v.Entry(matrix, Integer(i), Integer(j)) if isinstance(matrix, MatrixSymbol) else self.rows(matrix)[i - 1][j - 1]

    def _matrix(self, e: MatrixExpr) -> Rows:
        n, m = (self.size(d) for d in e.shape)
        match e:
            case MatrixSymbol():
                return tuple(tuple(v.Entry(e, Integer(i), Integer(j)) for j in range(1, m + 1)) for i in range(1, n + 1))
            case Identity():
                return tuple(tuple(Integer(int(i == j)) for j in range(m)) for i in range(n))
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
                return _turned(self.rows(e.args[0]))
            case v.Elementwise():
                scalars = [self.scalar(a) if v.is_scalar(a) else None for a in e.arguments]
                grids = [self.rows(a) if s is None else None for a, s in zip(e.arguments, scalars, strict=True)]
                return tuple(tuple(Call(e.fn, *(g[i][j] if g is not None else s for g, s in zip(grids, scalars, strict=True)))
                                   for j in range(m)) for i in range(n))
            case v.Softmax() | op.RowSoftmax() if self.atoms:
                rows = self.rows(e.args[0])
                return _turned(self.atoms.softmax(_turned(rows))) if isinstance(e, v.Softmax) else self.atoms.softmax(rows)
            case op.RowLogSumExp() if self.atoms:
                return self.atoms.logsumexp(self.rows(e.args[0]))
            case v.Softmax():
                exponentials = [call("exp", row[0]) for row in self.rows(e.arg)]
                whole = Pow(Add(*exponentials), -1)
                return tuple((Mul(x, whole),) for x in exponentials)
            case v.Diag():
                column = self.rows(e.arg)
                return tuple(tuple(column[i][0] if i == j else ZERO for j in range(n)) for i in range(n))
            case Inverse():
                return self.atoms.inverse(self.rows(e.args[0])) if self.atoms else cofactor_inverse(self.rows(e.args[0]))
            case op.ArgMax(args=(a,)):
                return self.atoms.largest(self.rows(a)) if self.atoms else tuple(map(_largest, self.rows(a)))
            case op.Operation():
                return tuple(tuple(self.scalar(e.at(Integer(i), Integer(j), self.fresh)) for j in range(1, m + 1)) for i in range(1, n + 1))
            case v.UnknownGradient(args=(fn, slot, *arguments)):
                flat = [x for a in arguments for row in self.rows(a) for x in row]
                before = sum(len(self.rows(a)) * len(self.rows(a)[0]) for a in arguments[:int(slot)])
                f = Fn(fn.name, (0,) * len(flat))
                return tuple(tuple(Call(f.derivative(before + i * m + j), *flat) for j in range(m)) for i in range(n))
        raise Unsupported(f"the checker cannot write out {type(e).__name__}")

    def _entrywise(self, f, *matrices: Expr) -> Rows:  # type: ignore[no-untyped-def]
        return tuple(tuple(f(*xs) for xs in zip(*rows, strict=True)) for rows in zip(*map(self.rows, matrices), strict=True))


def _turned(a: Rows) -> Rows:
    return tuple(zip(*a, strict=True))


def _largest(row: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """1 where an entry exceeds every other: a product of brackets [x_i > x_k], each the slope of max(x_i, x_k)."""
    exceeds = Fn("max", (1, 0))
    return tuple(Mul(*(Call(exceeds, x, y) for k, y in enumerate(row) if k != i)) for i, x in enumerate(row))


def _multiply(a: Rows, b: Rows) -> Rows:
    return tuple(tuple(Add(*(Mul(x, y) for x, y in zip(row, column, strict=True) if x != 0 and y != 0))
                       for column in zip(*b, strict=True)) for row in a)


# ---- index slots -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slots:
    """Of one expression: summed index slots of each dimension in one monomial, sums over nothing, quotients.

    `fixed` is the furthest position named in each dimension, `ordered` says that indices are compared by <=, `axiom` that the
    count is a proof only with atoms (check/axioms.py).
    """

    summed: Counter[Expr] = field(default_factory=Counter)
    constant: Counter[Expr] = field(default_factory=Counter)
    quotient: bool = False
    axiom: bool = False
    ordered: bool = False
    fixed: Counter[Expr] = field(default_factory=Counter)

    def times(self, *others: Slots) -> Slots:
        return _joined((self, *others), lambda a, b: a + b)

    def or_(self, *others: Slots) -> Slots:
        return _joined((self, *others), lambda a, b: a | b)

    def and_sum(self, *dimensions: Expr) -> Slots:
        return replace(self, summed=self.summed + Counter(d for d in dimensions if not d.is_Integer))


def _joined(every: tuple[Slots, ...], join: Callable[[Counter[Expr], Counter[Expr]], Counter[Expr]]) -> Slots:
    return Slots(reduce(join, (s.summed for s in every)), reduce(join, (s.constant for s in every)), any(s.quotient for s in every),
                 any(s.axiom for s in every), any(s.ordered for s in every), reduce(lambda a, b: a | b, (s.fixed for s in every)))


def slots(e: Expr, atoms: bool = False) -> Slots:
    """An upper bound of the index slots that one monomial of one entry of e carries besides its free indices.

    With `atoms`, inverses and the like are atoms; the sums in their rules count.
    """
    def of(a: Expr) -> Slots:
        return slots(a, atoms)

    match e:
        case Number() | MatrixSymbol() | KroneckerDelta():
            return Slots()
        case Symbol():
            return Slots(constant=Counter([e])) if e.is_integer else Slots()
        case Identity() | OneMatrix() | ZeroMatrix():
            return Slots(constant=Counter(d for d in e.shape if not d.is_Integer))
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            return Slots().times(*(of(a) for a in e.args)).and_sum(*(a.shape[1] for a in matrices[:-1]))
        case Add() | MatAdd():
            parts = [of(a) for a in e.args]
            rational = any(p.quotient for p in parts)  # a common denominator multiplies
            return parts[0].times(*parts[1:]) if rational else parts[0].or_(*parts[1:])
        case Mul() | HadamardProduct():
            return Slots().times(*(of(a) for a in e.args))
        case Pow(base=base, exp=exponent) | v.Power(args=(base, exponent)):
            inner, n = of(base), int(abs(exponent)) + int(bool(exponent < 0)) if exponent.is_Integer else 1  # a slope squares a divisor
            if isinstance(base, v.Norm) and exponent.is_Integer and exponent > 0 and exponent % 2 == 0:
                inner, n = _square_of(base, atoms), int(exponent) // 2
            repeated = Slots().times(*(inner for _ in range(n)))
            return replace(repeated, quotient=repeated.quotient or not exponent.is_Integer or exponent < 0)
        case Call() | v.Elementwise() | v.UnknownScalar():
            inner = Slots().times(*(of(a) for a in e.arguments))
            spread = [d for a in e.arguments for d in v.shape_of(a)] if isinstance(e, v.UnknownScalar) else []
            return inner.and_sum(*spread)
        case v.UnknownGradient(args=(_, _, *arguments)):
            return Slots().times(*(of(a) for a in arguments)).and_sum(*(d for a in arguments for d in v.shape_of(a)))
        case v.AsScalar() | Transpose() | v.Diag():
            return of(e.args[0])
        case v.Entry(args=(matrix, *where)):
            named = {d: int(i) for d, i in zip(v.shape_of(matrix), where, strict=True) if i.is_Integer and not d.is_Integer}
            return replace(inner := of(matrix), fixed=inner.fixed | Counter(named))
        case v.SumOf():
            return of(e.arg).and_sum(*e.arg.shape)
        case v.TraceOf():
            return of(e.arg).and_sum(e.arg.shape[0])
        case v.Norm():
            return replace(_square_of(e, atoms), quotient=True)
        case v.Softmax() | v.LogSumExp() | op.RowSoftmax() | op.RowLogSumExp() if atoms:
            return of(e.args[0]).and_sum(*e.args[0].shape)
        case v.Softmax() | v.LogSumExp():
            inner = of(e.arg)
            return replace(inner, summed=inner.summed + inner.summed, quotient=True).and_sum(e.arg.shape[0])
        case v.IndexSum(args=(body, _, size)):
            return of(body).and_sum(size)
        case Inverse() | v.DetOf():  # the rule of each sums over rows and columns
            return replace(of(e.args[0]), axiom=not atoms).and_sum(*e.args[0].shape)
        case op.ArgMax():
            return replace(of(e.args[0]), axiom=not atoms)
        case op.Choice(args=(_, _, then, otherwise)):
            return of(then).or_(of(otherwise))
        case op.Aligned():
            return Slots(axiom=not atoms)
        case op.Operation():
            fresh = (Symbol(f"#{k}", integer=True, positive=True) for k in count()).__next__
            inner = of(e.at(fresh(), fresh(), fresh))
            return replace(inner, ordered=inner.ordered or e.ordered, fixed=inner.fixed | Counter(dict(e.reaches)))
    if isinstance(e, op.SCALARS):
        return of(e.meaning())
    raise Unsupported(f"the checker cannot count the index slots of {type(e).__name__}")


def _square_of(e: v.Norm, atoms: bool) -> Slots:
    inner = slots(e.arg, atoms)
    return inner.times(inner).and_sum(*e.arg.shape)


def enough(dimensions: tuple[Expr, ...], free: tuple[Expr, ...], sides: tuple[Slots, ...]) -> tuple[list[dict[Expr, int]], bool]:
    """The sizes at which equality of two expressions must be checked to hold at every size; False: a proof only with atoms.

    `free` are the dimensions of the free indices.  One size vector, and one more for each sum over nothing.  An index of a size
    such as N + M takes a place in N and in M; a size such as N - K + 1 is made large enough by N.
    """
    whole = _joined(sides, (lambda a, b: a + b) if any(s.quotient for s in sides) else (lambda a, b: a | b))
    need = whole.summed + Counter(d for d in free if not d.is_Integer)
    constant = reduce(lambda a, b: a + b, (s.constant for s in sides))
    base = {d: max(2, whole.fixed[d] + sum(n for size, n in need.items() if d in size.free_symbols and not _falls(size))) for d in dimensions}
    for size in filter(_falls, need):
        _raise(base, size, need[size])
    for size in whole.fixed:
        _raise(base, size, whole.fixed[size])
    vectors = [base]
    for d in dimensions:
        extra = sum(n for size, n in constant.items() if d in size.free_symbols)
        vectors += [{**base, d: base[d] + k} for k in range(1, extra + 1)]
    return vectors, not (any(s.axiom for s in sides) or (whole.ordered and bool(constant)))


def _falls(size: Expr) -> bool:
    return any(term.as_coeff_Mul()[0] < 0 for term in Add.make_args(size))


def _raise(base: dict[Expr, int], size: Expr, least: int) -> None:
    """Larger dimensions until `size` is at least `least`."""
    def value(sizes: dict[Expr, int]) -> int:
        return int(size.xreplace({d: Integer(n) for d, n in sizes.items()}))

    growing = [d for d in base if size.has(d) and value({**base, d: base[d] + 1}) > value(base)]
    while growing and value(base) < max(least, 1):
        base[growing[0]] += 1


__all__ = ["Atoms", "Explicit", "Rows", "Slots", "enough", "slots"]
