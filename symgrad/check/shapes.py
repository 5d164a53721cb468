"""Is an expression of a claim well formed?  Every operation has shapes that fit, every index is bound, and only once.

A claim may come from a stranger, and SymPy accepts A^T x where the symbolic dimensions differ: at sizes that happen to be
equal such an expression has entries all the same.  An index that is used as a number, (i - 1)(i - 2) x_i, would break the
symmetry that the count of slots rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Inverse,
    MatAdd,
    MatMul,
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
from symgrad.language.errors import Refused
from symgrad.language.functions import Call, Fn
from symgrad.language.graph import Graph
from symgrad.language.vectors import SCALAR, is_scalar, say_shape, shape_of

MAX_SIZE = 10_000
Ranges = Mapping[Expr, Expr]
"""The dimension over which each index runs."""


class Shapes:
    """Of the expressions of claims about one graph; what was seen to fit is not gone through again."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.dimensions = graph, frozenset(graph.dimensions)
        self.seen: set[tuple[Expr, frozenset[tuple[Expr, Expr]]]] = set()

    def require(self, e: Expr, free: Ranges | None = None) -> None:
        """Raises Refused unless every shape fits and every index is free, as given, or summed."""
        for index in free or {}:
            self.index(index, {})
        self.visit(e, free or {})

    def visit(self, e: Expr, ranges: Ranges) -> None:
        key = (e, frozenset(ranges.items()))  # an index may run over N in one sum and over K in the next
        if key not in self.seen:
            self.one(e, ranges)
            self.seen.add(key)

    def one(self, e: Expr, ranges: Ranges) -> None:
        match e:
            case Symbol():
                if e.is_integer and e not in self.dimensions:
                    raise Refused(f"{e} is no dimension of the problem, and an index is not a number")
            case MatrixSymbol() | Identity() | OneMatrix() | ZeroMatrix():
                self.sizes(e)
            case v.IndexSum(args=(body, index, size)):
                self.index(index, ranges)
                self.visit(body, {**ranges, index: size})
                fits(is_scalar(body), e)
            case v.Entry(args=(matrix, *where)):
                self.visit(matrix, ranges)
                for i, size in zip(where, shape_of(matrix), strict=True):
                    if not (i.is_Integer and 1 <= i <= (size if size.is_Integer else MAX_SIZE)) and ranges.get(i) != size:
                        raise Refused(f"the index {i} of {str(matrix)[:40]} does not run from 1 to {size}")
            case _:
                for a in e.args:
                    if isinstance(a, Expr) and not isinstance(a, Fn) and (a not in ranges or isinstance(e, KNOWN_OPERATIONS)):
                        self.visit(a, ranges)
                self.operation(e)

    def operation(self, e: Expr) -> None:
        parts = [a for a in e.args if isinstance(a, Expr) and not isinstance(a, Fn)]
        shapes = [shape_of(a) for a in parts]
        match e:
            case Pow() | v.Power():
                fits(isinstance(parts[1], Rational) and is_scalar(parts[0]) == isinstance(e, Pow), e)
            case MatAdd() | HadamardProduct():
                fits(len(set(shapes)) == 1 and not any(map(is_scalar, parts)), e)
            case MatMul():
                matrices = [a.shape for a in parts if not is_scalar(a)]
                fits(bool(matrices) and all(a[1] == b[0] for a, b in pairwise(matrices)), e)
            case Add() | Mul() | Call():  # after their matrix kinds, which SymPy derives from them
                fits(all(map(is_scalar, parts)), e)
            case v.Elementwise():
                fits(len({a.shape for a in parts if not is_scalar(a)}) == 1, e)
            case Inverse() | v.DetOf() | v.TraceOf():
                fits(shapes[0][0] == shapes[0][1] and not is_scalar(parts[0]), e)
            case op.Operation():
                fits(e.fits, e)
            case op.MaxOf() | op.Variance():
                fits(not is_scalar(parts[0]) and shapes[0][1] == 1, e)
            case Transpose() | v.SumOf() | v.Norm():
                fits(not is_scalar(parts[0]), e)
            case v.Softmax() | v.LogSumExp() | v.Diag():
                fits(not is_scalar(parts[0]) and shapes[0][1] == 1, e)
            case v.UnknownHessian(args=(fn, row, column, *arguments)):
                slots = [int(k) for k in (row, column) if k.is_Integer and 0 <= k < len(arguments)]
                fits(len(slots) == 2 and slots[0] <= slots[1] and all(shape_of(arguments[k])[1] == 1 for k in slots), e)
                fits(fn.plain and len(fn.orders) == len(arguments), e)
            case v.AsScalar():
                fits(shapes[0] == SCALAR and not is_scalar(parts[0]), e)

    def sizes(self, e: Expr) -> None:
        for size in e.shape:
            known = 1 <= size <= MAX_SIZE if size.is_Integer else bool(size.free_symbols) and size.free_symbols <= self.dimensions
            if not known:
                raise Refused(f"{size} is no size of the problem")

    def index(self, index: Expr, bound: Ranges) -> None:
        if not (isinstance(index, Symbol) and index.is_integer) or index in self.dimensions or str(index) in self.graph:
            raise Refused(f"{index} cannot be an index: it is a name or a dimension of the problem")
        if index in bound:
            raise Refused(f"the index {index} is summed and is bound already")


KNOWN_OPERATIONS = (Add, Mul, Call, Pow, v.Power, MatAdd, HadamardProduct, MatMul, v.Elementwise, Inverse, Transpose, *v.SCALAR_OF, v.Softmax, v.Diag)


def fits(ok: bool, e: Expr) -> None:
    if not ok:
        raise Refused(f"the shapes in {str(e)[:80]} do not fit: {', '.join(say_shape(shape_of(a)) for a in e.args if not isinstance(a, Fn))}")
