"""Vector expressions written out entry by entry at explicit sizes; check/slots.py says which sizes are enough for a proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import count

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

from symgrad.check.axioms import Atoms, Rows, cofactor_determinant, cofactor_inverse
from symgrad.check.calculus import differentiate
from symgrad.check.slots import Slots, enough, slots
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.functions import Call, Fn, call

ZERO, ONE = Integer(0), Integer(1)
MAX_WRITTEN, MAX_PRODUCTS = 4000, 250_000
"""Entries of a matrix; products of two entries in one matrix product; rows of a determinant."""


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
            if isinstance(e, MatrixExpr) and self.size(e.shape[0]) * self.size(e.shape[1]) > MAX_WRITTEN:
                raise Unsupported(f"a matrix of more than {MAX_WRITTEN:,} entries written out")
            self.memo[e] = self._matrix(e) if isinstance(e, MatrixExpr) else ((self.scalar(e),),)
        return self.memo[e]

    def differentiate(self, e: Expr, x: Expr) -> Expr:
        return self.atoms.differentiate(e, x) if self.atoms else differentiate(e, x, self.slopes.setdefault(x, {}))

    def call(self, fn: Fn, *arguments: Expr) -> Expr:
        return self.atoms.call(fn, arguments) if self.atoms else Call(fn, *arguments)

    def power(self, base: Expr, exponent: Expr) -> Expr:
        return self.atoms.power(base, exponent) if self.atoms else Pow(base, exponent)

    def scalar(self, e: Expr) -> Expr:
        """A scalar expression whose leaves are scalar variables and entries with numeric indices."""
        match e:
            case Number():
                return e
            case Symbol():
                return self.numbers.get(e, e) if self.atoms is None or self.atoms.numbers else Symbol(f"#{e}", real=True) if e in self.numbers else e
            case Mul() if any(isinstance(a, op.Aligned) and self.scalar(a) == 0 for a in e.args):
                return ZERO
            case Pow(base=v.Norm() as norm, exp=exponent) if exponent.is_Integer and exponent > 0 and exponent % 2 == 0:
                return Pow(self._squares(norm), exponent / 2)
            case Pow(base=base, exp=exponent):
                return self.power(self.scalar(base), exponent)
            case Add() | Mul():
                return e.func(*(self.scalar(a) for a in e.args))
            case Call():
                return self.call(e.fn, *(self.scalar(a) for a in e.arguments))
            case v.AsScalar():
                return self.rows(e.arg)[0][0]
            case v.Norm():
                return self.power(self._squares(e), Rational(1, 2))
            case v.SumOf():
                return Add(*(x for row in self.rows(e.arg) for x in row))
            case v.TraceOf():
                return Add(*(row[i] for i, row in enumerate(self.rows(e.arg))))
            case v.LogSumExp() if self.atoms:
                return self.atoms.logsumexp(_turned(self.rows(e.arg)))[0][0]
            case v.LogSumExp():
                return call("log", Add(*(call("exp", row[0]) for row in self.rows(e.arg))))
            case op.MaxOf() if not self.atoms:
                return reduce(lambda a, b: Call(Fn("max", (0, 0)), a, b), (row[0] for row in self.rows(e.arg)))
            case v.DetOf():
                inner = self.rows(e.arg)
                return self.atoms.determinant(inner) if self.atoms else cofactor_determinant(inner)
            case v.Entry(args=(matrix, i, j)):
                return self._entry(matrix, self.index(i), self.index(j))
            case v.IndexSum(args=(body, index, size)):
                return Add(*(self.scalar(body.xreplace({index: Integer(k)})) for k in range(1, self.size(size) + 1)))
            case Diff(args=(body, x)):
                return self.differentiate(self.scalar(body), self.scalar(x))
            case v.UnknownScalar():
                flat = tuple(x for a in e.arguments for row in self.rows(a) for x in row)
                return self.call(Fn(e.fn.name, (0,) * len(flat)), *flat)
            case op.Choice(args=(low, high, then, otherwise)):
                return self.scalar(then if self.index(low) <= self.index(high) else otherwise)
            case op.AtMost(args=(low, high, _)):
                i, j = self.index(low), self.index(high)
                return Symbol(f"#order[{i},{j}]", real=True) if self.atoms and self.sizes else Integer(int(i <= j))
            case op.Aligned(args=(a, i, rows, p, size)):
                where = tuple(map(self.index, (a, i, p)))
                if self.atoms and self.sizes:  # true whatever the tensor is: nothing of it is used but that i and p may change places
                    return Symbol(f"#aligned[{where[0]}|{sorted(((str(rows), where[1]), (str(size), where[2])))}]", real=True)
                return Integer(int(where[0] == where[1] + where[2] - 1))
        if isinstance(e, op.SCALARS):
            return self.scalar(e.meaning())
        raise Unsupported(f"the checker cannot write out {type(e).__name__}")

    def values(self, symbol: Expr, numbers: Rows) -> dict[Expr, Expr]:
        """The numbers of a point by the entries of a variable.  Raises Refused unless there is one for each."""
        rows = self.rows(symbol)
        if [len(row) for row in rows] != [len(row) for row in numbers]:
            raise Refused(f"{symbol} has another size at the point: it is {len(rows)} x {len(rows[0])}")
        return {leaf: x for row, given in zip(rows, numbers, strict=True) for leaf, x in zip(row, given, strict=True)}

    def _squares(self, e: v.Norm) -> Expr:
        return Add(*(Pow(x, 2) for row in self.rows(e.arg) for x in row))

    def _entry(self, matrix: Expr, i: int, j: int) -> Expr:
        if not (1 <= i <= self.size(v.shape_of(matrix)[0]) and 1 <= j <= self.size(v.shape_of(matrix)[1])):
            raise Unsupported(f"entry ({i}, {j}) of {matrix}, which is smaller here")
        return v.Entry(matrix, Integer(i), Integer(j)) if isinstance(matrix, MatrixSymbol) else self.rows(matrix)[i - 1][j - 1]

    def _matrix(self, e: MatrixExpr) -> Rows:
        n, m = (self.size(d) for d in e.shape)
        match e:
            case MatrixSymbol():
                return tuple(tuple(v.Entry(e, Integer(i), Integer(j)) for j in range(1, m + 1)) for i in range(1, n + 1))
            case Identity():
                return tuple(tuple(Integer(int(i == j)) for j in range(m)) for i in range(n))
            case v.Unit(args=(_, k)):
                return tuple((ONE if i == self.index(k) else ZERO,) for i in range(1, n + 1))
            case OneMatrix() | ZeroMatrix():
                return ((ONE if isinstance(e, OneMatrix) else ZERO,) * m,) * n
            case MatAdd():
                return self._entrywise(lambda *x: Add(*x), *e.args)
            case HadamardProduct():
                return self._entrywise(lambda *x: Mul(*x), *e.args)
            case v.Power(args=(base, exponent)):
                return self._entrywise(lambda x: self.power(x, exponent), base)
            case MatMul():
                factor = Mul(*(self.scalar(a) for a in e.args if v.is_scalar(a)))
                inner = reduce(_multiply, (self.rows(a) for a in e.args if not v.is_scalar(a)))
                return inner if factor == 1 else tuple(tuple(Mul(factor, x) for x in row) for row in inner)
            case Transpose():
                return _turned(self.rows(e.args[0]))
            case v.Elementwise():
                scalars = [self.scalar(a) if v.is_scalar(a) else None for a in e.arguments]
                grids = [self.rows(a) if s is None else None for a, s in zip(e.arguments, scalars, strict=True)]
                return tuple(tuple(self.call(e.fn, *(g[i][j] if g is not None else s for g, s in zip(grids, scalars, strict=True)))
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
            case Grad(args=(body, x)):
                whole = self.scalar(body)
                return tuple(tuple(self.differentiate(whole, y) for y in row) for row in self.rows(x))
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
                return tuple(tuple(self.call(f.derivative(before + i * m + j), *flat) for j in range(m)) for i in range(n))
            case v.UnknownHessian(args=(fn, row, column, *arguments)):
                written = [[x for line in self.rows(a) for x in line] for a in arguments]
                flat = [x for entries in written for x in entries]
                first, second = (sum(map(len, written[:int(k)])) for k in (row, column))
                f = Fn(fn.name, (0,) * len(flat))
                return tuple(tuple(self.call(f.derivative(first + i).derivative(second + j), *flat) for j in range(m)) for i in range(n))
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
    if len(a) * len(b) * len(b[0]) > MAX_PRODUCTS:
        raise Unsupported(f"a matrix product of more than {MAX_PRODUCTS:,} products written out")
    return tuple(tuple(Add(*(Mul(x, y) for x, y in zip(row, column, strict=True) if x != 0 and y != 0))
                       for column in zip(*b, strict=True)) for row in a)


__all__ = ["Atoms", "Explicit", "Rows", "Slots", "enough", "slots"]
