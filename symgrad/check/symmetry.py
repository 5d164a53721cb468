"""Which square matrices are equal to their transposes, or to minus these, by their definitions: shown, never taken on trust.

A claim about such a matrix S holds if it holds for every symmetric one, so its entries above the diagonal may be replaced by those below.
Whether S is one is a comparison of its definition with the transpose of that, matrices within it being treated likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from sympy import Expr, MatMul, Transpose

from symgrad.check.comparison import Compared
from symgrad.check.errors import Undecided
from symgrad.language.errors import Refused
from symgrad.language.graph import Graph, Node
from symgrad.language.structure import Structure
from symgrad.language.vectors import names_in, shape_of, variable

Mirrored = dict[Expr, int]
"""Square matrices, each with 1 or -1: S^T = S, K^T = -K."""


@dataclass
class Symmetries:
    """Of the nodes of a graph and of the adjoints verified so far; `equal` compares two expressions under what is known of others."""

    graph: Graph
    found: dict[tuple[str, str], Expr]
    equal: Callable[[Expr, Expr, str, Mirrored], Compared]
    signs: dict[tuple[str, str], int] = field(default_factory=dict)
    conditions: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def of(self, seed: str, names: Iterable[str]) -> tuple[Mirrored, tuple[str, ...]]:
        """Those among the names, and the conditions on which that rests."""
        mirrored: Mirrored = {}
        conditions: dict[str, None] = {}
        for name in sorted(names):
            symbol = self.symbol(name)
            if symbol is not None and (sign := self.sign(seed, name)):
                mirrored[symbol] = sign
                conditions |= dict.fromkeys(self.conditions[seed, name])
        return mirrored, tuple(conditions)

    def known(self, seed: str) -> frozenset[str]:
        """The names that were found to be symmetric or skew so far."""
        return frozenset(name for (of, name), sign in self.signs.items() if of == seed and sign)

    def symbol(self, name: str) -> Expr | None:
        """The symbol of a node or of an adjoint, if it is a square matrix."""
        shape = self.graph.shape(name if name in self.graph else name.removesuffix("_bar"))
        return variable(name, shape) if shape[0] == shape[1] != 1 else None

    def sign(self, seed: str, name: str) -> int:
        """1 or -1 if the definition is that much times its transpose for all sizes, else 0; 0 for a variable, which has none."""
        key, definition = (seed, name), self.definition(seed, name)
        if definition is None or shape_of(definition)[0] != shape_of(definition)[1]:
            return 0
        if key not in self.signs:
            self.signs[key] = 0
            skew = name in self.graph and getattr(self.graph[name], "structure", None) is Structure.SKEW
            within, conditions = self.of(seed, names_in(definition))
            with suppress(Refused, Undecided):
                compared = self.equal(definition, MatMul(-1 if skew else 1, Transpose(definition)), seed, within)
                self.signs[key] = (-1 if skew else 1) if compared.everywhere else 0
                self.conditions[key] = (*conditions, *compared.conditions)
        return self.signs[key]

    def definition(self, seed: str, name: str) -> Expr | None:
        """Of a node, or of an adjoint that was verified; None for a variable."""
        if name not in self.graph:
            return self.found.get((seed, name.removesuffix("_bar")))
        node = self.graph[name]
        return node.expr if isinstance(node, Node) else None


__all__ = ["Mirrored", "Symmetries"]
