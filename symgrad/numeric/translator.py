"""The names and sizes in force while a graph becomes a numeric program; the cases for its expressions are in `cases`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from sympy import Expr, Symbol

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import Fn
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions
from symgrad.language.vectors import SCALAR, Shape, shape_of
from symgrad.numeric.elementary import function_key
from symgrad.numeric.products import full
from symgrad.numeric.values import ONE, Axes, Program, Value


class Translator:
    """The names and sizes in force while the definitions of one graph are translated."""

    program: Program
    conventions: Conventions

    def __init__(self, graph: Graph, conventions: Conventions, supplied: Mapping[str, int]) -> None:
        self.program = Program()
        self.rows = {row.name: row for row in graph.functions}
        self.conventions = conventions
        self.supplied_functions = supplied
        self.env: dict[str, Value] = {}
        self.sizes: dict[Symbol, Value] = {}  # the sizes the program needs
        self.at_least: dict[tuple[Expr, Expr], None] = {}  # (a, b): size a must be at least b, found out when inputs are seen
        self.bound: dict[Symbol, Value] = {}
        self._memo: dict[int, tuple[Expr, Value]] = {}  # by identity: hashing whole expressions would cost more than translating
        self.depth = 0

    def __call__(self, expr: Expr) -> Value:
        if not expr.args:
            return translate(expr, self)
        found = self._memo.get(id(expr))
        if found is None:
            value = translate(expr, self)
            self._memo[id(expr)] = (expr, value)
            return value
        return found[1]

    def variable(self, name: str, shape: Shape, batched: bool, position: int) -> Value:
        """Input number `position`, an array with the axes of its shape, or a float."""
        axes, dims = axes_of(shape)
        value = self.env[name] = self.program.make("input", (), axes, dims, batched, position)
        return value

    def symbol(self, e: Expr, name: str) -> Value:
        """The value of a symbol: bound, the size of a dimension, or a name of the graph."""
        if self.bound and e in self.bound:
            return self.bound[e]
        if isinstance(e, Symbol) and e.is_integer:
            return self.size(e)
        if name not in self.env:
            raise SpecError(f"{name} has no value: it is not above this definition, and not an input")
        return self.env[name]

    def size(self, size: Expr) -> Value:
        """A dimension as a number."""
        if size.is_Integer:
            return self.program.const(int(size))
        if isinstance(size, Symbol):
            if size not in self.sizes:
                self.sizes[size] = self.program.make("size", param=size)
            return self.sizes[size]
        return self(size)

    def count(self, size: Expr) -> Value:
        """A dimension as a whole number, for shapes and positions."""
        if isinstance(size, Symbol):
            return self.size(size)
        for name in size.free_symbols:
            self.size(name)
        return self.program.make("size", param=size)

    def with_bound(self, bound: Mapping[Symbol, Value], expr: Expr) -> Value:
        """The value of `expr` where these symbols stand for these values."""
        before = self.bound, self._memo
        self.bound, self._memo = {**self.bound, **bound}, {}
        try:
            return self(expr)
        finally:
            self.bound, self._memo = before

    def new_index(self) -> str:
        """The axis of one more bound index."""
        self.depth += 1
        return f"i{self.depth}"

    def heaviside(self, z: Value) -> Value:
        """relu'(z): 1, 0, and the convention (0 where none is set) at 0."""
        return self.program.entrywise("heaviside", z, param=float(self.conventions.relu_at_zero or 0))

    def one_minus(self, a: Value) -> Value:
        return self.program.add((self.program.const(1), self.program.neg(a)))

    def supplied(self, fn: Fn, arguments: tuple[Value, ...]) -> Value:
        """A function of the caller's, entry by entry.  Raises SpecError if there is none of that key."""
        return self.program.entrywise("supplied", *arguments, param=self.supplied_number(fn))

    def supplied_number(self, fn: Fn) -> int:
        key = function_key(fn)
        if key not in self.supplied_functions:
            raise SpecError(f"the value of the unknown function {key} is needed; give it as functions={{{key!r}: ...}}")
        return self.supplied_functions[key]

    def plain(self, a: Value) -> Value:
        """The matrix itself where `a` is a diagonal or an inverse that was not formed."""
        p = self.program
        if a.op == "inverse":
            return p.make("inv", (full(self, a.args[0], a.dims),), a.axes, a.dims, a.batched)
        if a.op == "diag":
            return p.make("diagonal_matrix", (a.args[0], self.count(a.dims[0])), a.axes, a.dims, a.batched)
        return a

    def shown(self, expr: Expr, value: Value) -> Value:
        """The value with every axis of its shape: what an output, or a function of the caller's, sees."""
        return full(self, self.plain(value), shape_of(expr))


def axes_of(shape: Shape) -> tuple[Axes, tuple[Expr, ...]]:
    """The axes and sizes of a matrix of that shape: none for a size of 1."""
    if shape == SCALAR:
        return (), ()
    kept = [(x, d) for x, d in zip(("r", "c"), shape, strict=True) if d != ONE]
    return tuple(x for x, _ in kept), tuple(d for _, d in kept)


@singledispatch
def translate(e: Expr, t: Translator) -> Value:
    """The value of an expression.  Raises Unsupported for a class without a case."""
    raise Unsupported(f"numeric code for a {type(e).__name__} ({str(e)[:80]}); its case goes into symgrad/numeric/cases.py")


__all__ = ["Translator", "axes_of", "translate"]
