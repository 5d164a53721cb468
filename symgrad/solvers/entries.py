"""Values of matrices in a derived graph: every operation that is given by its entries, and derivatives of any order."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sympy import Expr, Symbol, diff

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Fn
from symgrad.solvers.values import Rows, Values

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


def values_of(definitions: Mapping[str, Expr], sizes: Mapping[Expr, int], point: Mapping[str, Rows]) -> dict[str, Rows]:
    """The values of all names, each in terms of those before it.  Raises Unsupported, or Undefined where there is none."""
    found = dict(point)
    for name, e in definitions.items():
        found[name] = EntryValues(sizes, found).rows(e)
    return found


__all__ = ["SMOOTH", "EntryValues", "values_of"]
