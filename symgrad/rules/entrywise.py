"""Activations as scalar functions: an expression that is f(u) entry by entry, seen as f and u.

One expression has several views: max(-1, min(1, z)) is max(-1, t) of min(1, z), and max(-1, min(1, t)) of z.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Expr, HadamardProduct, Integer, MatAdd, MatMul, MatrixSymbol, Mul, OneMatrix, Pow, Symbol

from symgrad.language import vectors as v
from symgrad.language.claims import ARGUMENT
from symgrad.language.functions import Call, Fn, call
from symgrad.language.graph import Graph, Node
from symgrad.rules.registry import rule
from symgrad.rules.vector import lift

DEEPEST = 3
SOFTMAX = Fn("softmax", (0,))


@dataclass(frozen=True, slots=True)
class View:
    """The expression is `function` of `argument` entry by entry; ARGUMENT alone is the identity, SOFTMAX acts on a whole vector."""

    function: Expr
    argument: Expr

    def at(self, argument: Expr) -> Expr:
        """function(argument)."""
        return v.Softmax(argument) if self.function == SOFTMAX else lift(self.function, {ARGUMENT: argument})


def views(e: Expr, graph: Graph) -> tuple[View, ...]:
    """Every way to see e, the outermost function alone first; nodes on the way inside are replaced by their definitions."""
    found: dict[View, None] = {}
    e = definition(e, graph)
    if isinstance(e, v.Softmax):
        found[View(SOFTMAX, e.arg)] = None
    if isinstance(e, v.Entry):
        matrix, i, j = e.args
        found.update({View(w.function, v.Entry(w.argument, i, j)): None for w in views(matrix, graph) if w.function != SOFTMAX})
    if (two := two_classes(e, graph)) is not None:
        found[two] = None
    for core in _cores(e, graph, 0):
        function = _function(e, core, graph)
        if function is not None and function != ARGUMENT:
            found[View(function, core)] = None
    return tuple(found)


def definition(e: Expr, graph: Graph) -> Expr:
    """What a node is defined as; an input, or an expression, stands for itself."""
    while isinstance(e, Symbol | MatrixSymbol) and isinstance(node := graph[e.name], Node):
        e = node.expr
    return e


@rule("softmax of two classes", source="Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.57 and 4.62")
def two_classes(e: Expr, graph: Graph) -> View | None:
    """softmax(a)_1 = exp(a_1) / (exp(a_1) + exp(a_2)) = sigma(a_1 - a_2)."""
    if not isinstance(e, v.Entry):
        return None
    matrix, i, _ = e.args
    inner = definition(matrix, graph)
    if not isinstance(inner, v.Softmax) or inner.shape[0] != 2:
        return None
    return View(call("sigmoid", ARGUMENT), v.add(v.Entry(inner.arg, i), v.negate(v.Entry(inner.arg, 3 - i))))


def two_class_lines(e: Expr, graph: Graph) -> tuple[Expr, ...]:
    """The lines between softmax(a)_1 and sigma(a_1 - a_2); none for another expression."""
    e = definition(e, graph)
    if two_classes(e, graph) is None:
        return ()
    matrix, i, _ = e.args
    inner = definition(matrix, graph)
    one, other = v.Entry(inner.arg, i), v.Entry(inner.arg, 3 - i)
    exponentials = v.total((call("exp", one), call("exp", other)))
    difference = v.add(one, v.negate(other))
    return (v.Entry(inner, i), v.product((call("exp", one), Pow(exponentials, -1, evaluate=False))),
            Pow(v.total((Integer(1), call("exp", v.negate(difference)))), -1, evaluate=False), call("sigmoid", difference))


def _cores(e: Expr, graph: Graph, depth: int) -> Iterator[Expr]:
    """What e may be a function of, the nearest first."""
    inner: list[Expr] = [a for a in e.args if isinstance(a, Expr) and not isinstance(a, Fn) and not a.is_Number] if _entrywise(e) else []
    yield from inner
    for a in inner:
        if depth < DEEPEST:
            yield from _cores(definition(a, graph), graph, depth + 1)


def _entrywise(e: Expr) -> bool:
    if isinstance(e, MatMul | MatAdd):
        return all(v.is_scalar(a) for a in e.args[:-1]) if isinstance(e, MatMul) else True
    return isinstance(e, v.Elementwise | Call | HadamardProduct | v.Power | Add | Mul | Pow)


def _function(e: Expr, core: Expr, graph: Graph) -> Expr | None:
    """e as a scalar expression in ARGUMENT = core and numbers; None if anything else is left."""
    if e == core:
        return ARGUMENT
    if e.is_Number:
        return e
    if isinstance(e, OneMatrix):
        return Integer(1)
    if isinstance(e, Symbol | MatrixSymbol):
        inner = definition(e, graph)
        return None if inner == e else _function(inner, core, graph)
    if not _entrywise(e):
        return None
    parts: list[Expr] = []
    for a in e.args:
        part = a if isinstance(a, Fn) else _function(a, core, graph)
        if part is None:
            return None
        parts.append(part)
    match e:
        case v.Elementwise() | Call():
            return e.func(*parts) if isinstance(e, Call) else Call(e.fn, *parts[1:])
        case MatAdd() | Add():
            return v.total(tuple(parts))
        case MatMul() | Mul() | HadamardProduct():
            return v.merged(tuple(parts))
        case v.Power() | Pow():
            return Pow(*parts, evaluate=False)
    return None


__all__ = ["SOFTMAX", "View", "definition", "two_class_lines", "two_classes", "views"]
