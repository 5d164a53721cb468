"""Is an index of a size such as N M divided up in one way only?

vec and the Kronecker product divide an index of N M into one of N and one of M, the more significant first.  The count of slots
(check/slots.py) takes the two parts for indices of their own, which is right as long as the same index is divided alike
everywhere.  Read once as a pair (N, M) and once as (M, N) it carries arithmetic that has no pattern: vec(A^T) taken for
vec(B) four times over gives back A at N = 2, M = 3, and wherever N = M, but not at N = 3, M = 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import pairwise

from sympy import (
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.derivatives import Grad

Digits = tuple[Expr, ...]
"""How an index is divided, the most significant part first; a part that nothing has divided yet is a dummy symbol."""
Axes = tuple[Digits, Digits]


def divided_alike(sides: Iterable[Expr], parts: Iterable[Expr] = (), definitions: Iterable[tuple[Expr, Expr]] = ()) -> bool:
    """Can one division of every index be given for all of these?  `sides` are laid out alike; so are a symbol and its definition."""
    sides, parts, definitions = tuple(sides), tuple(parts), tuple(definitions)
    if not any(e.has(*DIVIDING) for e in (*sides, *parts, *(x for pair in definitions for x in pair))):
        return True
    found = _Splits()
    try:
        for same in filter(None, (sides, *definitions)):
            reduce(found.both, map(found.axes, same))
        for e in parts:
            found.axes(e)
    except _Conflict:
        return False
    return True


DIVIDING = (op.Vec, op.Unvec, op.Kron, op.Commutation, op.BlockInner, op.BlockSum)


class _Conflict(Exception):
    pass


class _Splits:
    def __init__(self) -> None:
        self.sizes: dict[Expr, Expr] = {}  # of each dummy
        self.known: dict[Expr, Digits] = {}  # what a dummy was found to be
        self.names: dict[Expr, Axes] = {}
        self.memo: dict[Expr, Axes] = {}

    # ---- divisions -------------------------------------------------------------------------------------------

    def new(self, size: Expr) -> Digits:
        """An index that may be divided yet, if its size is a product."""
        if size == 1:
            return ()
        if size.is_Symbol or size.is_Integer:
            return (size,)
        dummy = Symbol(f"#{len(self.sizes)}")
        self.sizes[dummy] = size
        return (dummy,)

    def digits(self, index: Digits) -> Digits:
        """With all that is known; numbers that stand side by side are one."""
        found: list[Expr] = []
        for d in index:
            for x in self.digits(self.known[d]) if d in self.known else (d,):
                if found and found[-1].is_Integer and x.is_Integer:
                    found[-1] *= x
                else:
                    found.append(x)
        return tuple(found)

    def size(self, index: Digits) -> Expr:
        return reduce(op.times_sizes, (self.sizes.get(d, d) for d in index), Integer(1))

    def same(self, a: Digits, b: Digits) -> Digits:
        """Raises _Conflict where one index cannot be divided both ways."""
        a, b = self.digits(a), self.digits(b)
        while a and b:
            if a[0] == b[0]:
                a, b = a[1:], b[1:]
                continue
            if a[0] not in self.sizes:
                a, b = b, a
            if a[0] not in self.sizes:
                raise _Conflict
            cut = next((k for k in range(1, len(b) + 1) if self.size(b[:k]) == self.sizes[a[0]]), 0)
            if not cut or a[0] in b[:cut]:
                raise _Conflict
            self.known[a[0]] = b[:cut]
            a, b = a[1:], b[cut:]
        if a or b:
            raise _Conflict
        return a

    def whole(self, index: Digits) -> None:
        """The index is counted with, or named: it may not be divided."""
        digits = self.digits(index)
        if len(digits) > 1:
            raise _Conflict
        for d in digits:
            if d in self.sizes:
                self.known[d] = (self.sizes[d],)

    def both(self, a: Axes, b: Axes) -> Axes:
        for x, y in zip(a, b, strict=True):
            self.same(x, y)
        return a

    # ---- expressions -----------------------------------------------------------------------------------------

    def axes(self, e: Expr) -> Axes:
        """How the rows and the columns are divided; all that is within is looked at too."""
        if e not in self.memo:
            self.memo[e] = self._scalar(e) if not isinstance(e, MatrixExpr) else self._matrix(e)
        return self.memo[e]

    def _scalar(self, e: Expr) -> Axes:
        match e:
            case v.Entry(args=(matrix, *where)):
                for axis, index in zip(self.axes(matrix), where, strict=True):
                    if index != 1 or axis:
                        self.whole(axis)
            case v.TraceOf() | v.DetOf():
                self.same(*self.axes(e.arg))
            case _ if isinstance(e, op.SCALARS):
                self.axes(e.meaning())
            case _:
                for a in e.args:
                    if isinstance(a, Expr):
                        self.axes(a)
        return (), ()

    def _matrix(self, e: MatrixExpr) -> Axes:
        inner = [self.axes(a) for a in e.args if isinstance(a, MatrixExpr)]
        for a in e.args:
            if isinstance(a, Expr) and not isinstance(a, MatrixExpr):
                self.axes(a)
        n, m = e.shape
        match e:
            case MatrixSymbol():
                return self.names.setdefault(e, (self.new(n), self.new(m)))
            case OneMatrix() | ZeroMatrix():
                return self.new(n), self.new(m)
            case Identity():
                return (self.new(n),) * 2
            case MatMul():
                for (_, columns), (rows, _) in pairwise(inner):
                    self.same(columns, rows)
                return inner[0][0], inner[-1][1]
            case MatAdd() | HadamardProduct() | v.Elementwise() | v.Power() | v.Softmax() | op.RowSoftmax():
                return reduce(self.both, inner)
            case Transpose() | Inverse():
                return inner[0][::-1]
            case v.Diag():
                return (inner[0][0],) * 2
            case Grad(args=(_, x)):
                return self.axes(x)
            case op.Vec():
                return (*inner[0][1], *inner[0][0]), ()
            case op.Unvec():
                rows, columns = self.new(n), self.new(m)
                self.same(inner[0][0], (*columns, *rows))
                return rows, columns
            case op.Kron():
                (a, b), (c, d) = self.axes(e.args[0]), self.axes(e.args[1])  # either may be a number
                return (*a, *c), (*b, *d)
            case op.Commutation(args=(rows, columns)):
                a, b = self.new(rows), self.new(columns)
                return (*a, *b), (*b, *a)
            case op.BlockInner():
                whole, (rows, columns), found = *map(self.axes, e.args), (self.new(n), self.new(m))
                self.both(whole, ((*found[0], *rows), (*found[1], *columns)))
                return found
            case op.BlockSum():
                whole, (rows, columns), found = *map(self.axes, e.args), (self.new(n), self.new(m))
                self.both(whole, ((*rows, *found[0]), (*columns, *found[1])))
                return found
        for axis in (x for axes in inner for x in axes):
            self.whole(axis)
        rows, columns = self.new(n), self.new(m)
        self.whole(rows)
        self.whole(columns)
        return rows, columns


__all__ = ["divided_alike"]
