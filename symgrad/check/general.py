"""Sizes that are large numbers as letters: what holds for all sizes holds for 784 and 128, and is proved without writing out
100,352 entries.

Nothing rests on how the letters are put in: a statement is generalised only if putting the numbers back gives it again, and only
if its shapes fit for all sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sympy import Add, Expr, Identity, Integer, MatrixSymbol, Mul, OneMatrix, ZeroMatrix

from symgrad.check.shapes import Shapes
from symgrad.language.errors import Refused, SymgradError
from symgrad.language.functions import Fn, dimension
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.vectors import Shape

SMALL = 5  # sizes up to this are written out


class General:
    """The statements about one graph with letters for its large sizes.  Raises Refused where there are none, or it cannot be done."""

    def __init__(self, graph: Graph) -> None:
        sizes = sorted({d for item in graph.all for d in item.shape if d.is_Integer and d > SMALL})
        if not sizes:
            raise Refused("there are no large sizes")
        taken = {*graph.names, *map(str, graph.dimensions)}
        self.letters: dict[Expr, Expr] = {d: dimension(next(n for n in (f"n{d}", f"n_{d}", f"n__{d}") if n not in taken)) for d in sizes}
        self.numbers = {letter: size for size, letter in self.letters.items()}
        variables = tuple(Variable(x.name, self.shape(x.shape), x.role, x.latex) for x in graph.variables)
        try:
            self.graph = Graph(variables, tuple(Node(n.name, self.expression(n.expr), n.latex) for n in graph.nodes), graph.functions)
        except SymgradError as error:
            raise Refused(f"not for general sizes: {error}") from None
        for item in graph.all:
            if self.graph.shape(item.name) != self.shape(item.shape):
                raise Refused(f"not for general sizes: {item.name}")
        self.shapes = Shapes(self.graph)
        for node in self.graph.nodes:
            self.shapes.require(node.expr)

    def shape(self, shape: Shape) -> Shape:
        rows, columns = (self.letters.get(d, d) for d in shape)
        return rows, columns

    def expression(self, e: Expr) -> Expr:
        found = _sized(e, self.letters)
        if _sized(found, self.numbers) != e:
            raise Refused(f"not for general sizes: {str(e)[:80]}")
        return found

    def form(self, form: Any) -> Any:
        """A displayed form with letters for sizes in all its expressions; its shapes fit.  Raises Refused."""
        if isinstance(form, Expr):
            found = self.expression(form)
            self.shapes.require(found)
            return found
        if isinstance(form, tuple):
            return tuple(map(self.form, form))
        if is_dataclass(form) and not isinstance(form, type):
            return replace(form, **{f.name: self.form(getattr(form, f.name)) for f in fields(form) if f.init})
        return form

    def __str__(self) -> str:
        return ", ".join(map(str, self.letters))


def lettered(graph: Graph) -> General | None:
    """The graph with letters for its large sizes; None where there are none, or it cannot be done."""
    try:
        return General(graph)
    except Refused:
        return None


def _sized(e: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """The same expression with the sizes of its matrices replaced."""
    if isinstance(e, MatrixSymbol):
        return MatrixSymbol(e.name, *(table.get(d, d) for d in e.shape))
    if isinstance(e, OneMatrix | ZeroMatrix):
        return e.func(*(table.get(d, d) for d in e.shape))
    if isinstance(e, Identity):
        return Identity(table.get(e.shape[0], e.shape[0]))
    if not e.args or isinstance(e, Integer | Fn):
        return e
    args = [_sized(a, table) if isinstance(a, Expr) else a for a in e.args]
    if all(a is b for a, b in zip(args, e.args, strict=True)):
        return e
    return e._from_args(args) if type(e) in (Add, Mul) else e.func(*args)


__all__ = ["General", "SMALL", "lettered"]
