"""Derivatives as expressions, not yet carried out: what a claim says of diff(f, x) and grad(f, v).

The derivative is that of the expression, every other variable held fixed, and it exists off the kinks of f only.
"""

from __future__ import annotations

from sympy import Expr, MatrixExpr, MatrixSymbol, Symbol

from symgrad.language.errors import ShapeError
from symgrad.language.vectors import Entry, Shape, is_scalar, say_shape, shape_of


class Diff(Expr):
    """d body / d x for a scalar body; x is a scalar variable, or an entry of a vector or matrix variable."""

    is_commutative = True
    is_extended_real = True

    def __new__(cls, body: Expr, x: Expr) -> Diff:
        if not (isinstance(x, Symbol) and not x.is_integer or isinstance(x, Entry) and isinstance(x.args[0], MatrixSymbol)):
            raise TypeError("a derivative is taken with respect to a variable or one entry of a variable")
        if not isinstance(body, Expr) or not is_scalar(body):
            raise TypeError("the derivative of a scalar is meant")
        return Expr.__new__(cls, body, x)


class Grad(MatrixExpr):
    """The gradient of a scalar body with respect to a vector or matrix variable, shaped like the variable."""

    def __new__(cls, body: Expr, x: MatrixSymbol) -> Grad:
        if not isinstance(x, MatrixSymbol) or not isinstance(body, Expr) or not is_scalar(body):
            raise TypeError("the gradient of a scalar in a vector or matrix variable is meant")
        return MatrixExpr.__new__(cls, body, x)

    @property
    def shape(self) -> Shape:
        return self.args[1].shape


def derivative(body: Expr, x: Expr) -> Expr:
    """Diff or Grad, as the shape of x asks.  Raises ShapeError for a body that is no scalar."""
    if not is_scalar(body):
        raise ShapeError(f"a derivative is taken of a scalar, found {say_shape(shape_of(body))}")
    return Grad(body, x) if isinstance(x, MatrixSymbol) else Diff(body, x)


__all__ = ["Diff", "Grad", "derivative"]
