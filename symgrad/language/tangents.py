"""Derivatives in forward mode: the names of tangents, along which direction they are taken, and the graph that they are taken in.

The tangent of a node u along a direction v of a variable w is u_dot = (du/dw) v, shaped like u.  Along all coordinates of w at
once it is the Jacobian du/dw, with a row for each entry of u and a column for each entry of w (the entries of a matrix counted
column by column, as vec does).  Second derivatives are tangents of adjoints: the graph then has the adjoints for definitions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sympy import Expr

from symgrad.language.graph import Graph, Node
from symgrad.language.operations import times_sizes
from symgrad.language.vectors import Shape, variable

Direction = tuple[tuple[str, str], ...]
"""(w, v): w moves along the variable v, shaped like it; (w, "") alone: along every coordinate of w, which gives Jacobians."""


def is_jacobian(direction: Direction) -> bool:
    return len(direction) == 1 and not direction[0][1]


def entries(shape: Shape) -> Expr:
    """How many entries there are: N M."""
    return times_sizes(*shape)


def tangent_name(node: str, direction: Direction) -> str:
    """u_dot, or u_wrt_w for the Jacobian du/dw."""
    return f"{node}_wrt_{direction[0][0]}" if is_jacobian(direction) else f"{node}_dot"


def tangent_shape(graph: Graph, node: str, direction: Direction) -> Shape:
    """That of the node; for a Jacobian (entries of the node, entries of the variable)."""
    if is_jacobian(direction):
        return entries(graph.shape(node)), entries(graph.shape(direction[0][0]))
    return graph.shape(node)


def tangent(graph: Graph, node: str, direction: Direction) -> Expr:
    """The symbol of a tangent."""
    return variable(tangent_name(node, direction), tangent_shape(graph, node, direction))


def with_adjoints(graph: Graph, adjoints: Mapping[str, Expr]) -> Graph:
    """The graph with w_bar := its expression after the nodes, in the order given, each in terms of earlier ones."""
    return graph.extended(Node(f"{n}_bar", e, rf"\bar{{{graph[n].latex or n}}}") for n, e in adjoints.items())


def is_tangent(name: str, graph: Graph) -> tuple[str, str] | None:
    """(u, w) for u_wrt_w, (u, "") for u_dot, u being a node, a variable or an adjoint; None for any other name.

    A name that the problem itself binds is no tangent: the variables and definitions of a problem come first.
    """
    def known(node: str) -> bool:
        return node in graph or node.removesuffix("_bar") in graph

    if name.endswith("_dot") and known(name[:-4]):
        return name[:-4], ""
    for cut in (m.start() for m in re.finditer("_wrt_", name)):
        if known(name[:cut]) and name[cut + 5:] in graph:
            return name[:cut], name[cut + 5:]
    return None


def is_clear(graph: Graph, node: str, direction: Direction) -> bool:
    """Does the name of the tangent stand for it alone: for no name or adjoint of the problem, and no other u_wrt_w?"""
    name = tangent_name(node, direction)
    adjoint = name.endswith("_bar") and name[:-4] in graph
    return name not in graph and not adjoint and is_tangent(name, graph) == (node, direction[0][0] if is_jacobian(direction) else "")


def moved(graph: Graph, direction: Direction) -> frozenset[str]:
    """The names that change along the direction: those in it, and all that depends on them."""
    return frozenset().union(*(graph.descendants(w) for w, _ in direction))


__all__ = ["Direction", "entries", "is_clear", "is_jacobian", "is_tangent", "moved", "tangent", "tangent_name", "tangent_shape", "with_adjoints"]
