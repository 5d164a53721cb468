"""Claims up to the names in them: two claims of one pattern are one statement, and it is proved once.

A layer of a deep network differs from the next in its names only.  Nothing is matched by likeness: the pattern is the whole
claim, definitions included, with every variable and dimension numbered in the order in which it is met.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from sympy import Expr, MatrixSymbol, Number, Symbol

from symgrad.language import forms as F
from symgrad.language.graph import Graph
from symgrad.language.tangents import tangent
from symgrad.language.vectors import variable


class Pattern:
    """Numbers names as it meets them; `known` are symbols that stand for numbers, such as L_bar for 1."""

    def __init__(self, graph: Graph, known: Mapping[Expr, Expr]) -> None:
        self.graph, self.known = graph, known
        self.names: dict[str, int] = {}
        self.dimensions: dict[Expr, int] = {}

    def expression(self, e: Expr) -> Hashable:
        match e:
            case Number():
                return e
            case MatrixSymbol():
                return (self.names.setdefault(e.name, len(self.names)), *map(self.expression, e.shape))
            case Symbol():
                if e in self.known:
                    return self.known[e]
                if e.is_integer:
                    return "dimension", self.dimensions.setdefault(e, len(self.dimensions))
                return (self.names.setdefault(e.name, len(self.names)),)
        return (type(e), *map(self.expression, e.args)) if e.args else e

    def form(self, f: F.Form) -> Hashable:
        """Forms that name a node carry its definition along."""
        match f:
            case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
                return type(f), self.expression(expr)
            case F.Sum(parts):
                return (type(f), *map(self.form, parts))
            case F.AdjointOf(node):
                return type(f), self.expression(variable(f"{node}_bar", self.graph.shape(node)))
            case F.Pullback(of, wrt) | F.Stacked(of, wrt):
                definition = self.expression(self.graph.node(of).expr)
                return type(f), definition, self.form(F.AdjointOf(of)), self.expression(self.graph.symbol(wrt))
            case F.JacobianTimes(layout, of, transposed):
                return type(f), self.form(layout), self.form(F.AdjointOf(of)), transposed
            case F.Pushforward(of, wrt, direction):
                moves = [self.graph.symbol(wrt), tangent(self.graph, wrt, direction)]
                moves += [self.graph.symbol(n) for pair in direction for n in pair if n]
                return ("pushforward", self.expression(self.graph.node(of).expr), *map(self.expression, moves))
        return f
