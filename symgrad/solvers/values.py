"""Values of expressions at points: exact fractions as long as only arithmetic and kinks are met, floats of 40 digits after that.

For searches: what is found here is verified elsewhere, by other code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import count
from math import isqrt
from typing import Any

import mpmath
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
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn

mp = mpmath.mp.clone()
DIGITS = 40
mp.dps = DIGITS
FLOATS = {"sin": mp.sin, "cos": mp.cos, "normcdf": mp.ncdf, "normpdf": mp.npdf}
LARGEST = 20_000  # an exponent beyond this is not looked at
MAX_BITS = 4_000
Rows = tuple[tuple[Any, ...], ...]


class Undefined(Exception):
    """The expression has no value here; `domain` for a logarithm or root of a negative number, else a pole or a kink."""

    def __init__(self, domain: bool = False) -> None:
        self.domain = domain


@dataclass
class Values:
    """Sizes of the dimensions, entries of the variables; `smooth` refuses kinks, as inside a derivative."""

    sizes: Mapping[Expr, int]
    point: Mapping[str, Rows]
    step_at_zero: Fraction = Fraction(1)
    smooth: bool = False
    memo: dict[Expr, Rows] = field(default_factory=dict)

    def size(self, d: Expr) -> int:
        return int(d) if d.is_Integer else self.sizes[d] if d in self.sizes else int(d.xreplace({n: Integer(k) for n, k in self.sizes.items()}))

    def rows(self, e: Expr) -> Rows:
        """All entries.  Raises Undefined."""
        if e not in self.memo:
            self.memo[e] = self._rows(e)
        return self.memo[e]

    def digits_wanted(self) -> int:
        """So many that differences and products of the floats met here keep those of DIGITS behind the point."""
        floats = (abs(x) for rows in self.memo.values() for row in rows for x in row if not isinstance(x, Fraction))
        return DIGITS + 3 * max(0, int(mp.ceil(mp.log10(max(floats, default=1) or 1))))

    def scalar(self, e: Expr) -> Any:
        return self.rows(e)[0][0]

    def each(self, f: Callable[..., Any], *arguments: Expr) -> Rows:
        grids = [self.rows(a) for a in arguments]
        n, m = max(len(g) for g in grids), max(len(g[0]) for g in grids)
        return tuple(tuple(f(*(g[i if len(g) > 1 else 0][j if len(g[0]) > 1 else 0] for g in grids)) for j in range(m)) for i in range(n))

    def _rows(self, e: Expr) -> Rows:
        match e:
            case Rational():
                return ((Fraction(int(e.p), int(e.q)),),)
            case MatrixSymbol():
                return self.point[e.name]
            case Symbol():
                return ((Fraction(self.sizes[e]),),) if e in self.sizes else self.point[e.name]
            case MatMul():  # before Mul, of which SymPy makes it a subclass
                factors = [self.rows(a) for a in e.args if not v.is_scalar(a)]
                product = reduce(_multiply, factors)
                return reduce(lambda m, c: _zip(_times, m, ((self.scalar(c),),)), (a for a in e.args if v.is_scalar(a)), product)
            case Add() | MatAdd():
                return reduce(lambda a, b: _zip(plus, a, b), map(self.rows, e.args))
            case Mul() | HadamardProduct():
                return reduce(lambda a, b: _zip(_times, a, b), map(self.rows, e.args))
            case Pow(base=base, exp=n) | v.Power(args=(base, n)):
                return self.each(lambda x: _power(x, n), base)
            case Transpose():
                return tuple(zip(*self.rows(e.args[0]), strict=True))
            case Identity():
                n = self.size(e.shape[0])
                return tuple(tuple(Fraction(int(i == j)) for j in range(n)) for i in range(n))
            case OneMatrix() | ZeroMatrix():
                return ((Fraction(int(isinstance(e, OneMatrix))),) * self.size(e.shape[1]),) * self.size(e.shape[0])
            case Call() | v.Elementwise():
                return self.each(lambda *x: self.function(e.fn, x), *e.arguments)
            case v.IndexSum(args=(body, index, size)):
                return ((_sum(self.scalar(body.xreplace({index: Integer(k)})) for k in range(1, self.size(size) + 1)),),)
            case v.Entry(args=(matrix, i, j)):
                return ((self.rows(matrix)[self.size(i) - 1][self.size(j) - 1],),)
        return self._of_whole(e)

    def _of_whole(self, e: Expr) -> Rows:
        entries = [x for row in self.rows(e.args[0]) for x in row] if e.args and isinstance(e.args[0], MatrixExpr) else []
        match e:
            case v.AsScalar():
                return self.rows(e.arg)
            case v.SumOf():
                return ((_sum(entries),),)
            case v.TraceOf():
                return ((_sum(row[i] for i, row in enumerate(self.rows(e.arg))),),)
            case v.Norm():
                return ((self.function(Fn("sqrt", (0,)), (_sum(_times(x, x) for x in entries),)),),)
            case v.LogSumExp():
                return ((in_float(mp.log, _sum(_exp(x) for x in entries)),),)
            case v.Softmax():
                powers = [_exp(x) for x in entries]
                whole = _sum(powers)
                return tuple((_times(p, _power(whole, Integer(-1))),) for p in powers)
            case v.Diag():
                return tuple(tuple(x if i == j else Fraction(0) for j in range(len(entries))) for i, x in enumerate(entries))
            case v.DetOf():
                return ((_determinant(self.rows(e.arg)),),)
            case Inverse():  # its second argument is the exponent -1
                return _inverse(self.rows(e.args[0]))
            case op.MaxOf():
                return ((reduce(lambda x, y: x if sign_of(plus(x, -y)) >= 0 else y, entries),),)
            case op.Variance():
                return self.rows(e.meaning())
            case op.Choice(args=(low, high, then, otherwise)):
                return self.rows(then if self.scalar(low) <= self.scalar(high) else otherwise)
            case op.AtMost(args=(low, high, _)):
                return ((Fraction(int(self.scalar(low) <= self.scalar(high))),),)
            case op.Aligned(args=(a, i, _, p, _)):
                return ((Fraction(int(self.scalar(a) == self.scalar(i) + self.scalar(p) - 1)),),)
            case op.Operation() if not isinstance(e, op.ArgMax | op.RowMax):
                fresh = (Symbol(f"#{k}", integer=True, positive=True) for k in count()).__next__
                n, m = map(self.size, e.shape)
                return tuple(tuple(self.scalar(e.at(Integer(i), Integer(j), fresh)) for j in range(1, m + 1)) for i in range(1, n + 1))
        raise Unsupported(f"no value for {type(e).__name__}")

    def function(self, fn: Fn, a: tuple[Any, ...]) -> Any:
        """A function, or its first derivative off the kinks.  Raises Undefined, or Unsupported for an unknown function."""
        row = KNOWN.get(fn.name)
        if row is None:
            return self.unknown(fn, a)
        kinked = fn.name in ("max", "min", "relu", "leaky_relu", "abs", "step", "sign")
        gap = plus(a[0], -a[1]) if fn.name in ("max", "min") else a[0]
        sign = sign_of(gap)
        if kinked and sign == 0 and (self.smooth or not fn.plain):
            raise Undefined
        if not fn.plain:
            return self.slope(fn, a, sign)
        match fn.name:
            case "relu":
                return a[0] if sign > 0 else Fraction(0)
            case "leaky_relu":
                return a[0] if sign > 0 else _times(a[1] if len(a) > 1 else Fraction(1, 100), a[0])
            case "max":
                return a[0] if sign > 0 else a[1]
            case "min":
                return a[1] if sign > 0 else a[0]
            case "abs":
                return a[0] if sign > 0 else -a[0]
            case "sign":
                return Fraction(sign)
            case "step":
                return self.step_at_zero if sign == 0 else Fraction(int(sign > 0))
            case "exp":
                return _exp(a[0])
            case "sin" | "cos" | "normcdf" | "normpdf":
                return in_float(FLOATS[fn.name], a[0])
            case "log" | "sqrt":
                return self.rooted(fn.name, a[0], sign)
        if row.definition is None:
            raise Unsupported(f"no value for {fn.name}")
        names = tuple(Symbol(f"_{k}", real=True) for k in range(len(a)))
        inner = Values(self.sizes, {n.name: ((x,),) for n, x in zip(names, a, strict=True)}, self.step_at_zero, self.smooth)
        return inner.scalar(row.definition(*names))

    def rooted(self, name: str, x: Any, sign: int) -> Any:
        if sign < 0 or (sign == 0 and (name == "log" or self.smooth)):
            raise Undefined(domain=True)
        if isinstance(x, Fraction) and name == "log" and x == 1:
            return Fraction(0)
        if isinstance(x, Fraction) and name == "sqrt":
            top, bottom = isqrt(x.numerator), isqrt(x.denominator)
            if top * top == x.numerator and bottom * bottom == x.denominator:
                return Fraction(top, bottom)
        return in_float(mp.log if name == "log" else mp.sqrt, x)

    def slope(self, fn: Fn, a: tuple[Any, ...], sign: int) -> Any:
        if sum(fn.orders) > 1:
            raise Unsupported(f"no value for {fn}")
        first = Fraction(int(sign > 0))
        match fn.name:
            case "relu":
                return first
            case "max":
                return first if fn.orders[0] else 1 - first
            case "min":
                return 1 - first if fn.orders[0] else first
            case "leaky_relu" if fn.orders[0]:
                return Fraction(1) if sign > 0 else a[1] if len(a) > 1 else Fraction(1, 100)
        row = KNOWN[fn.name]
        if row.derivative is None:
            raise Unsupported(f"no value for {fn}")
        z = Symbol("_0", real=True)
        inner = Values(self.sizes, {"_0": ((a[0],),)}, self.step_at_zero, self.smooth)
        return inner.scalar(row.derivative(z, Call(Fn(fn.name, (0,)), z)))

    def unknown(self, fn: Fn, a: tuple[Any, ...]) -> Any:
        raise Unsupported(f"the unknown function {fn.name} has no value")


def in_float(f: Callable[[Any], Any], x: Any) -> Any:
    return f(mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x)


def _loose(x: Any) -> Any:
    return in_float(mp.mpf, x) if isinstance(x, Fraction) and x.numerator.bit_length() + x.denominator.bit_length() > MAX_BITS else x


def plus(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, Fraction) and isinstance(b, Fraction) else in_float(mp.mpf, a) + in_float(mp.mpf, b)


def _times(a: Any, b: Any) -> Any:
    if any(isinstance(x, Fraction) and x == 0 for x in (a, b)):
        return Fraction(0)
    return _loose(a * b) if isinstance(a, Fraction) and isinstance(b, Fraction) else in_float(mp.mpf, a) * in_float(mp.mpf, b)


def _sum(xs: Any) -> Any:
    return reduce(plus, xs, Fraction(0))


def _exp(x: Any) -> Any:
    if abs(x) > LARGEST:
        raise Undefined
    return Fraction(1) if x == 0 and isinstance(x, Fraction) else in_float(mp.exp, x)


def sign_of(x: Any) -> int:
    """Raises Undefined for a float that is 0 to working precision."""
    if not isinstance(x, Fraction) and abs(x) < mp.mpf(10) ** -30:
        raise Undefined
    return (x > 0) - (x < 0)


def _power(x: Any, n: Rational) -> Any:
    if n.is_Integer:
        if n < 0 and (x == 0 or (not isinstance(x, Fraction) and abs(x) < mp.mpf(10) ** -30)):
            raise Undefined
        return _loose(x ** int(n)) if abs(int(n)) < 200 else in_float(lambda y: y ** int(n), x)
    if sign_of(x) < 0 or (x == 0):
        raise Undefined(domain=True)
    return in_float(lambda y: y ** (mp.mpf(int(n.p)) / int(n.q)), x)


def _zip(f: Callable[[Any, Any], Any], a: Rows, b: Rows) -> Rows:
    if len(a) == len(a[0]) == 1:
        return tuple(tuple(f(a[0][0], y) for y in row) for row in b)
    if len(b) == len(b[0]) == 1:
        return tuple(tuple(f(x, b[0][0]) for x in row) for row in a)
    return tuple(tuple(map(f, r, s)) for r, s in zip(a, b, strict=True))


def _multiply(a: Rows, b: Rows) -> Rows:
    return tuple(tuple(_sum(_times(x, y) for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)) for row in a)


def _minor(a: Rows, i: int, j: int) -> Rows:
    return tuple((*row[:j], *row[j + 1:]) for k, row in enumerate(a) if k != i)


def _determinant(a: Rows) -> Any:
    return _sum(_times(_times(Fraction((-1) ** j), a[0][j]), _determinant(_minor(a, 0, j))) for j in range(len(a))) if a else Fraction(1)


def _inverse(a: Rows) -> Rows:
    whole = _power(_determinant(a), Integer(-1))
    n = len(a)
    return tuple(tuple(_times(_times(Fraction((-1) ** (i + j)), _determinant(_minor(a, j, i))), whole) for j in range(n)) for i in range(n))
