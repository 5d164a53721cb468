"""A sequence of T steps, T any number: its graph written out at three steps, and what the steps of that graph stand for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sympy import Add, HadamardProduct, MatAdd, MatrixSymbol, Mul, Pow, Symbol
from sympy.core.basic import Basic

from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.graph import Graph, Node

WRITTEN = 3
"""Steps in the graph of a sequence of symbolic length: a first one, one with a neighbour on either side, a last one."""
EVERY, EARLIER, LAST, FIRST, SUM, ONCE = "every step", "before the last step", "the last step", "the first step", "sum over the steps", "once"
"""The steps that an equation speaks of: t = 1..T; t < T; T; 1; all of them, in a sum; none."""
ANCHOR = {EVERY: 2, EARLIER: 2, SUM: 2, LAST: WRITTEN, ONCE: WRITTEN, FIRST: 1}
"""The step of the written graph in whose names the equation stands: t, T or 1."""
STEPS = {EVERY: (1, 2, 3), EARLIER: (1, 2), SUM: (1, 2, 3), LAST: (WRITTEN,), ONCE: (WRITTEN,), FIRST: (1,)}
"""The steps of the written graph at which it is an equation of that graph."""
_STEP = re.compile(r"(\w+)_([123])((?:_bar)?)\Z")


@dataclass(frozen=True, slots=True)
class Sequence:
    """`steps` are the names that have one value for every step: h is h_1, h_2, h_3 in the graph, and h0 before them.

    The graph for T steps has the definition of h_2, its steps renamed, for h_t; what reads the last step, or is the sum over
    all steps, reads step T, or is the sum over t = 1..T (`require` holds a graph to that).
    """

    index: str
    length: str
    steps: tuple[str, ...]

    def split(self, name: str) -> tuple[str, int] | None:
        """(h, 2) of h_2 and of h_2_bar; None for a name without steps."""
        found = _STEP.match(name)
        return (found[1], int(found[2])) if found and found[1] in self.steps else None

    def moved_name(self, name: str, by: int) -> str:
        """h_2 to h_3, h_1 to h0; a name without steps, such as h0, stays."""
        found = _STEP.match(name)
        if not found or found[1] not in self.steps:
            return name
        k = int(found[2]) + by
        return (f"{found[1]}_{k}" if k else f"{found[1]}0") + found[3]

    def moved(self, x: Any, by: int) -> Any:
        """An expression, a form or lines with every step moved."""
        if isinstance(x, Basic):
            return renamed(x, lambda name: self.moved_name(name, by))
        if isinstance(x, str):
            return self.moved_name(x, by)
        if isinstance(x, tuple):
            return tuple(self.moved(y, by) for y in x)
        if dataclasses.is_dataclass(x) and not isinstance(x, type):
            return type(x)(**{f.name: self.moved(getattr(x, f.name), by) for f in dataclasses.fields(x)})
        return x

    def total(self, graph: Graph, node: Node) -> str | None:
        """l where the node is sum(l[t]) over all steps."""
        for s in self.steps:
            if f"{s}_1" in graph and alike(node.expr, reduce(v.add, [graph.symbol(f"{s}_{k}") for k in (1, 2, 3)])):
                return s
        return None

    def recurs(self, graph: Graph) -> bool:
        """Does a step use the one before?  If not, the steps are the values of an index, and in no order."""
        return any((at := self.split(a)) and at[1] == 1 for s in self.steps if f"{s}_2" in graph for a in graph.arguments(f"{s}_2"))

    def require(self, graph: Graph, of: str) -> None:
        """Raises Unsupported unless the graph says what it is for every T, and `of` sees all steps but the last alike."""
        if graph.structured:
            raise Unsupported("a structured variable in a sequence of symbolic length")
        later = {n for s in self.steps for k in (1, 2, 3) for n in graph.descendants(f"{s}_{k}") if self.split(n) is None}
        for s in self.steps:
            one, two, three = (graph[f"{s}_{k}"] for k in (1, 2, 3))
            if not isinstance(two, Node):
                continue
            if not (isinstance(one, Node) and isinstance(three, Node)
                    and alike(self.moved(two.expr, 1), three.expr) and alike(self.moved(two.expr, -1), one.expr)):
                raise Unsupported(f"{s} has not the same definition at every step")
        for name in later:
            node = graph.node(name)
            if self.total(graph, node) is None and any(at[1] != WRITTEN for a in graph.arguments(name) if (at := self.split(a))):
                raise Unsupported(f"{name} mixes a sum over the steps with something else; give the sum a definition of its own, "
                                  f"s = sum(l[{self.index}])")
        if of == self.length:
            raise Unsupported(f"{of} is the number of steps")
        if self.split(of) is not None:
            raise Unsupported(f"the derivative of one step of a sequence of symbolic length; define a loss, L = l[last] or L = sum(l[{self.index}])")
        above = graph.ancestors(of)
        first, second, last = ({s for s in self.steps if f"{s}_{k}" in above} for k in (1, 2, 3))
        lagged = {s for s in self.steps if any((at := self.split(a)) and at[1] == 1 for a in graph.arguments(f"{s}_2"))}
        if first != second or second & lagged != last & lagged:
            raise Unsupported(f"{of} depends on " + ", ".join(sorted((first ^ second) | (second ^ last) & lagged))
                              + " at some of the steps only, in a way that is not the same for every number of steps")


def renamed(e: Basic, name: Callable[[str], str]) -> Basic:
    """An expression with other names; factors and terms stay in their order, and as they are written."""
    if isinstance(e, MatrixSymbol):
        return v.variable(name(e.name), e.shape)
    if isinstance(e, Symbol):
        return e if e.is_integer else v.variable(name(e.name), v.SCALAR)
    if not e.args:
        return e
    args = [renamed(a, name) for a in e.args]
    if all(a is b for a, b in zip(args, e.args, strict=True)):
        return e
    if isinstance(e, Add | Mul):
        return e._from_args(args)
    return Pow(*args, evaluate=False) if isinstance(e, Pow) else e.func(*args)


def alike(a: Basic, b: Basic) -> bool:
    """Are two expressions the same but for the order of terms, and of factors that commute?"""
    return _ordered(a) == _ordered(b)


def _ordered(e: Basic) -> object:
    if not e.args or isinstance(e, MatrixSymbol):
        return e
    if not isinstance(e, Add | Mul | MatAdd | HadamardProduct):
        return (type(e), *map(_ordered, e.args))
    terms: list[object] = []
    for a in e.args:
        inner = _ordered(a)
        terms.extend(inner[1:] if isinstance(inner, tuple) and inner[0] is type(e) else [inner])
    return (type(e), *sorted(terms, key=str))


__all__ = ["ANCHOR", "EARLIER", "EVERY", "FIRST", "LAST", "ONCE", "STEPS", "SUM", "WRITTEN", "Sequence", "alike"]
