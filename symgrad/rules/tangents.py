"""Forward mode from the rules of reverse mode: the tangent of a definition is the transpose of its vector-Jacobian product.

    a_bar = (du/da)^T u_bar   is linear in u_bar,   so transposing it once more gives   (du/da) a_dot

No operation needs a second rule.  Source: Radul, Paszke, Frostig, Johnson, Maclaurin, You Only Linearize Once (2023), and
Griewank, Walther, Evaluating Derivatives (2008), chapter 3; second derivatives as tangents of adjoints: Pearlmutter 1994.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import NamedTuple

from sympy import Add, Expr, Identity, Integer, MatMul, MatrixExpr, MatrixSymbol, Mul, OneMatrix, Symbol, Transpose, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.language.graph import Graph
from symgrad.language.tangents import Direction, entries, is_jacobian, moved, tangent, tangent_shape
from symgrad.rules.adjoints import pulled
from symgrad.rules.jacobians import jacobian_of, times_jacobian
from symgrad.rules.shape import depends
from symgrad.rules.vector import pull, put_in

COTANGENT = "#cotangent"


class Pushed(NamedTuple):
    """One tangent: its sum over the arguments that move, and each argument's part with its tangent as a symbol."""

    expr: Expr
    arguments: tuple[str, ...] = ()
    terms: tuple[Expr, ...] = ()


def push_forward(graph: Graph, direction: Direction, targets: tuple[str, ...], expand: bool = False) -> dict[str, Pushed]:
    """The tangents of `targets` and of all between, in the order of the graph; of what does not move 0.

    Cost is linear in the graph.  Raises Unsupported for an operation without a rule.
    """
    moving = moved(graph, direction)
    wanted = frozenset().union(*(graph.ancestors(t) for t in targets)) & moving
    found: dict[str, Pushed] = {}
    for name in graph.names:
        if name in dict(direction):
            found[name] = Pushed(itself(graph, name, direction))
        elif name in wanted:
            arguments = tuple(a for a in graph.arguments(name) if a in wanted)
            terms = tuple(push(graph, name, a, direction, expand) for a in arguments)
            kept = [t for t in terms if not (t == 0 or isinstance(t, ZeroMatrix))] or terms[:1]
            found[name] = Pushed(reduce(v.add, kept), arguments, terms)
        elif name in targets:
            shape = tangent_shape(graph, name, direction)
            found[name] = Pushed(Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape))
    return {n: p for n, p in found.items() if n in wanted or n in targets}


def itself(graph: Graph, name: str, direction: Direction) -> Expr:
    """The tangent of a variable of the direction: the direction, or the identity, for a Jacobian."""
    if not is_jacobian(direction):
        return graph.symbol(dict(direction)[name])
    size = entries(graph.shape(name))
    return Integer(1) if size == 1 else Identity(size)


def push(graph: Graph, name: str, argument: str, direction: Direction, expand: bool = False) -> Expr:
    """(d name / d argument) times the tangent of the argument."""
    definition, own, a = graph.node(name).expr, graph.symbol(name), graph.symbol(argument)
    g = v.variable(COTANGENT, graph.shape(name))
    pulled_back = dict(pulled(definition, g, own, expand)).get(argument, Integer(0))
    if not depends(pulled_back, g):
        shape = tangent_shape(graph, name, direction)
        return Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape)
    at = itself(graph, argument, direction) if argument in dict(direction) else tangent(graph, argument, direction)
    if not is_jacobian(direction):
        return transposed(pulled_back, g, at)
    t = v.variable("#tangent", a.shape if v.shape_of(a) != v.SCALAR else v.SCALAR)
    return times_jacobian(jacobian_of(transposed(pulled_back, g, t), t), at)


def transposed(e: Expr, g: Expr, t: Expr) -> Expr:
    """e is linear in g and shaped like t: the transposed map, applied to t."""
    table: dict[Expr, Expr] = {}
    opened = _frozen(e, g, table)
    parts = Counter(part for leaf, part in pull(opened, t, opened) if leaf == g)
    return put_in(reduce(v.add, (v.scale(Integer(n), part) if n > 1 else part for part, n in parts.items())), table)  # 2 V, not V + V


def _frozen(e: Expr, g: Expr, table: dict[Expr, Expr]) -> Expr:
    """Everything in e that does not hold g as a symbol of its own: a constant factor, whatever it is made of."""
    if e.is_Number or e.is_integer or isinstance(e, Symbol | MatrixSymbol | Identity | OneMatrix | ZeroMatrix):
        return e  # numbers, sizes and positions among them
    if isinstance(e, Transpose) and not depends(e, g):
        return v.transpose(_frozen(e.args[0], g, table))
    if depends(e, g) or isinstance(e, MatMul):
        inner = tuple(_frozen(a, g, table) if isinstance(a, Expr) else a for a in e.args)
        evaluated = isinstance(e, MatrixExpr) or not isinstance(e, Add | Mul)  # SymPy would make 0 of t - t, with nothing to transpose
        return e.func(*inner) if evaluated else e._from_args(inner, True)
    symbol = v.variable(f"#{len(table)}", v.shape_of(e))
    table[symbol] = e
    return symbol


__all__ = ["Pushed", "itself", "push", "push_forward", "transposed"]
