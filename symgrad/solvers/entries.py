"""Values of matrices in a derived graph: every operation that is given by its entries, and derivatives of any order."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sympy import Expr, Inverse, MatrixExpr, Symbol, diff, preorder_traversal

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.problem import Conventions
from symgrad.solvers.values import Rows, Undefined, Values, plus, sign_of

MAX_ENTRIES, MAX_COFACTORS = 4000, 6
"""Of a matrix at stated numbers, with every matrix on the way to it: the checker writes out no larger ones."""
KINKED = ("relu", "leaky_relu", "max", "min", "abs")
JUMPING = ("step", "sign")
SMOOTH = ("exp", "log", "sqrt", "sigmoid", "tanh", "softplus")


class EntryValues(Values):
    """Values of expressions with Kronecker products, parts of matrices and second derivatives.  Raises Unsupported."""

    def _rows(self, e: Expr) -> Rows:
        match e:
            case v.Unit(args=(_, k)):
                return tuple((Fraction(int(i == self.size(k))),) for i in range(1, self.size(e.shape[0]) + 1))
            case op.ArgMax() | op.RowMax() | op.MaxOf():
                raise Unsupported("the value of a maximum of a matrix")
            case v.Entry(args=(matrix, i, j)):
                return ((self.rows(matrix)[self.size(i) - 1][self.size(j) - 1],),)
        return super()._rows(e)

    def slope(self, fn: Fn, a: tuple[Any, ...], sign: int) -> Any:
        """A derivative of a smooth function, from its row, as often as asked."""
        row = KNOWN[fn.name]
        if fn.name not in SMOOTH or row.derivative is None or len(fn.orders) != 1:
            raise Unsupported(f"no value for {fn}")
        if fn.name == "softplus":  # its slope is sigmoid
            return self.function(Fn("sigmoid", (fn.orders[0] - 1,)), a)
        z, h = Symbol("_0", real=True), Symbol("_h", real=True)
        first = slope = row.derivative(z, h)
        for _ in range(fn.orders[0] - 1):
            slope = diff(slope, z) + diff(slope, h) * first
        inner = EntryValues(self.sizes, {"_0": ((a[0],),), "_h": ((self.scalar_of(fn.name, a),),)}, self.step_at_zero, self.smooth)
        return inner.scalar(slope)

    def scalar_of(self, name: str, a: tuple[Any, ...]) -> Any:
        return self.function(Fn(name, (0,)), a)


class StatedValues(EntryValues):
    """Values at the numbers of a problem; at a kink a slope is what the problem fixes.  Raises Undefined where it fixes none."""

    def __init__(self, sizes: Mapping[Expr, int], point: Mapping[str, Rows], conventions: Conventions) -> None:
        step = conventions.step_at_zero
        super().__init__(sizes, point, Fraction(int(step.p), int(step.q)))
        self.conventions = conventions

    def _rows(self, e: Expr) -> Rows:
        if isinstance(e, MatrixExpr) and self.size(e.shape[0]) * self.size(e.shape[1]) > MAX_ENTRIES:
            raise Unsupported(f"a matrix of more than {MAX_ENTRIES:,} entries in it")
        match e:
            case Inverse() | v.DetOf() | op.Solve() if self.size(e.args[0].shape[0]) > MAX_COFACTORS:
                raise Unsupported(f"an inverse or a determinant of more than {MAX_COFACTORS} rows in it")
            case op.MaxOf():
                return Values._rows(self, e)
            case op.RowMax(args=(a,)):
                return tuple((self._largest(row),) for row in self.rows(a))
            case op.ArgMax(args=(a,)):
                return tuple(tuple(Fraction(int(x is largest)) for x in row) for row in self.rows(a) for largest in [self._largest(row, alone=True)])
        return super()._rows(e)

    def slope(self, fn: Fn, a: tuple[Any, ...], sign: int) -> Any:
        return super().slope(fn, a, sign) if fn.name in SMOOTH else Values.slope(self, fn, a, sign)

    @staticmethod
    def _largest(row: tuple[Any, ...], alone: bool = False) -> Any:
        """The largest entry.  Raises Undefined where it should stand `alone` and does not."""
        best = row[0]
        for x in row[1:]:
            sign = sign_of(plus(x, -best))
            best = x if sign > 0 else best
        if alone and sum(x is best or sign_of(plus(x, -best)) == 0 for x in row) > 1:
            raise Undefined
        return best

    def function(self, fn: Fn, a: tuple[Any, ...]) -> Any:
        if fn.plain or fn.name not in KINKED:
            return super().function(fn, a)
        sign = sign_of(plus(a[0], -a[1]) if fn.name in ("max", "min") else a[0])
        if sum(fn.orders) > 1 and (not sign or fn.name == "leaky_relu" and fn.orders[1:] != (0,) * len(fn.orders[1:])):
            raise Undefined
        if sign:
            return Values.slope(self, fn, a, sign) if sum(fn.orders) == 1 else Fraction(0)
        fixed = self.conventions.abs_at_zero if fn.name == "abs" else self.conventions.relu_at_zero
        if fixed is None:
            raise Undefined
        share = Fraction(int(fixed.p), int(fixed.q))
        if fn.name == "leaky_relu":
            slope = a[1] if len(a) > 1 else Fraction(1, 100)
            return slope + (1 - slope) * share
        return share if fn.orders[0] else 1 - share


def at_kink(e: Expr, values: StatedValues) -> bool:
    """Is a function of e at a kink there, where the problem fixes no derivative?  The slope of |x| is written sign(x), which is 0 at 0."""
    fixed = values.conventions
    for a in preorder_traversal(e):
        if isinstance(a, Call | v.Elementwise) and a.fn.name in (*KINKED, *JUMPING):
            stated = fixed.abs_at_zero == 0 if a.fn.name == "abs" else fixed.relu_at_zero is not None and a.fn.name in KINKED
            first, *rest = a.arguments
            gap = v.add(first, v.negate(rest[0])) if a.fn.name in ("max", "min") else first
            if not stated and any(sign_of(x) == 0 for row in values.rows(gap) for x in row):
                return True
    return False


__all__ = ["EntryValues", "StatedValues", "at_kink"]
