"""The numeric program behind a graph: a list of values in order of computation, equal values shared.

A value is an array with named axes: r (along the rows), c (along the columns), i0, i1, ... (bound indices), and before
them the batch axis if it is `batched`.  A matrix that does not vary along an axis has no such axis: a matrix of ones is the
number 1.  Axes keep the order r, c, i0, i1, ...; a new axis is a broadcast, never a copy.  To add an operation: make it
here or in `cases`, print it in `source`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from sympy import Expr, Integer, Symbol

Axes = tuple[str, ...]
Values = Mapping[str, Any]  # of inputs and outputs, by name
ONE = Integer(1)
BATCH = Symbol("batch")  # the size of the batch axis; not an integer symbol, so no dimension of a graph equals it


class Value:
    """op(args), with the axes and sizes of the result; `param` completes the operation (a number, a position, a name)."""

    __slots__ = ("args", "axes", "batched", "depth", "dims", "is_array", "last", "name", "op", "param", "prec", "rank", "text", "uses")

    def __init__(self, op: str, args: tuple[Value, ...], axes: Axes, dims: tuple[Expr, ...], batched: bool, param: object) -> None:
        self.op, self.args, self.axes, self.dims, self.batched, self.param = op, args, axes, dims, batched, param
        self.rank = len(axes) + batched
        self.is_array = self.rank > 0  # else it is a float
        self.uses, self.last, self.name, self.text, self.prec, self.depth = 0, -1, "", "", 0, 0

    def size(self, axis: str) -> Expr:
        return self.dims[self.axes.index(axis)]


RANK = attrgetter("rank")


class Program:
    """Values in order of computation; `make` returns the value there is if an equal one was made before."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._known: dict[tuple[object, ...], Value] = {}
        self.roots: set[Value] = set()  # the values of named definitions: each gets a statement of its own

    def make(self, op: str, args: tuple[Value, ...] = (), axes: Axes = (), dims: tuple[Expr, ...] = (), batched: bool = False,
             param: object = None) -> Value:
        key = (op, param, axes, dims if op == "diag" else (), *map(id, args))  # identities of two sizes have the same argument
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Value(op, args, axes, dims, batched, param)
            self.values.append(found)
        return found

    def const(self, number: float) -> Value:
        return self.make("const", param=float(number) + 0.0)

    # ---- arithmetic, entry by entry ----------------------------------------------------------------------------------

    def entrywise(self, op: str, *args: Value, param: object = None) -> Value:
        """op of the entries; axes are matched by name and missing ones broadcast."""
        for a in args:
            if a.is_array:
                break
        else:
            return self.make(op, args, param=param)
        sizes: dict[str, Expr] = {}
        for a in args:
            sizes.update(zip(a.axes, a.dims, strict=True))
        axes = tuple(sorted(sizes, key=axis_order))
        return self.make(op, tuple([self.align(a, axes) for a in args]), axes, tuple([sizes[x] for x in axes]),
                         any(a.batched for a in args), param)

    def align(self, a: Value, axes: Axes) -> Value:
        """A view of `a` that broadcasts against arrays with these axes."""
        if a.axes == axes or not a.is_array or (not a.batched and a.axes == axes[len(axes) - len(a.axes):]):
            return a
        keep = [x in a.axes for x in axes]
        if not a.batched:
            keep = keep[keep.index(True):]
        index = ", ".join([*([":"] if a.batched else []), *(":" if k else "None" for k in keep)])
        kept = axes[len(axes) - len(keep):]
        return self.make("view", (a,), kept, tuple(a.size(x) if x in a.axes else ONE for x in kept), a.batched, f"[{index}]")

    def add(self, terms: Iterable[Value]) -> Value:
        """The sum; negated terms are subtracted, terms with few axes are added first."""
        terms = list(terms)
        terms.sort(key=RANK)
        plus = [t for t in terms if t.op != "neg" and not (t.op == "const" and t.param == 0)]
        minus = [t.args[0] for t in terms if t.op == "neg"]
        if not plus:
            return self.neg(self.add(minus)) if minus else self.const(0)
        result = plus[0]
        for t in plus[1:]:
            result = self.entrywise("add", result, t)
        for t in minus:
            result = self.entrywise("sub", result, t)
        return result

    def mul(self, factors: Iterable[Value]) -> Value:
        """The product entry by entry; numbers and factors with few axes are multiplied first, unnamed reciprocals divide."""
        number = 1.0
        above: list[Value] = []
        below: list[Value] = []
        for f in factors:
            if f.op == "neg":
                number, f = -number, f.args[0]
            if f.op == "const":
                number *= f.param  # type: ignore[operator]
            elif f.op == "recip" and f not in self.roots:
                below.append(f.args[0])
            else:
                above.append(f)
        if number == 0:
            return self.const(0)
        if abs(number) != 1:
            above.insert(0, self.const(number))
        result = self._fold(above) if above else None
        if below:
            divisor = self._fold(below)
            result = self.entrywise("recip", divisor) if result is None else self.entrywise("div", result, divisor)
        if result is None:
            return self.const(number)
        return self.neg(result) if number == -1 else result

    def _fold(self, factors: list[Value]) -> Value:
        factors.sort(key=RANK)
        result = factors[0]
        for f in factors[1:]:
            result = self.entrywise("mul", result, f)
        return result

    def neg(self, a: Value) -> Value:
        if a.op == "const":
            return self.const(-a.param)  # type: ignore[operator]
        return a.args[0] if a.op == "neg" else self.entrywise("neg", a)

    def recip(self, a: Value) -> Value:
        if a.op == "const" and a.param != 0:
            return self.const(1 / a.param)  # type: ignore[operator]
        return a.args[0] if a.op == "recip" else self.entrywise("recip", a)

    def power(self, a: Value, exponent: Value) -> Value:
        """a ** exponent; small whole exponents by multiplication."""
        if exponent.op != "const":
            return self.entrywise("pow", a, exponent)
        p: float = exponent.param  # type: ignore[assignment]
        if p < 0:
            return self.recip(self.power(a, self.const(-p)))
        if p in (1, 2, 3, 4):
            square = self.entrywise("mul", a, a) if p > 1 else a
            return (a, square, self.entrywise("mul", square, a) if p == 3 else square,
                    self.entrywise("mul", square, square) if p == 4 else square)[int(p) - 1]
        if p == 0:
            return self.const(1)
        return self.entrywise("sqrt", a) if p == 0.5 else self.entrywise("pow", a, exponent)

    # ---- axes ----------------------------------------------------------------------------------------------------------

    def relabel(self, a: Value, old: str, new: str) -> Value:
        """The same array, its axis `old` called `new`."""
        if old not in a.axes:
            return a
        if a.op == "relabel":
            a, old = a.args[0], a.args[0].axes[0]
            if old == new:
                return a
        return self.make("relabel", (a,), tuple(new if x == old else x for x in a.axes), a.dims, a.batched)

    def transpose(self, a: Value) -> Value:
        """Rows and columns exchanged: a view."""
        match a.axes:
            case ():
                return a
            case ("r",):
                return self.relabel(a, "r", "c")
            case ("c",):
                return self.relabel(a, "c", "r")
        if a.op == "diag":
            return a
        if a.op == "inverse":
            return self.make("inverse", (self.transpose(a.args[0]),), a.axes, a.dims, a.batched)
        return a.args[0] if a.op == "T" else self.make("T", (a,), a.axes, a.dims[::-1], a.batched)

    def total(self, a: Value, axes: Axes) -> Value:
        """The sum along the given axes, all of which `a` has."""
        kept = [(x, d) for x, d in zip(a.axes, a.dims, strict=True) if x not in axes]
        if not axes:
            return a
        positions = tuple(a.axes.index(x) + a.batched for x in axes)
        return self.make("sum", (a,), tuple(x for x, _ in kept), tuple(d for _, d in kept), a.batched, positions)


def axis_order(axis: str) -> tuple[int, str]:
    """r, c, i0, i1, ..., i10."""
    return (0, "") if axis == "r" else (1, "") if axis == "c" else (1 + len(axis), axis)
