"""The sum over paths with common factors taken out: between two nodes that all paths pass, what lies between them is summed."""

from __future__ import annotations

from symgrad.language import forms as F
from symgrad.language.graph import Graph

MAX_TERMS = 6
"""More paths than this between two common nodes are written as one total derivative."""


def factored(graph: Graph, of: str, wrt: str) -> F.Form | None:
    """dL/dz (dz/dh3 dh3/dz3 dz3/dh1 + dz/dh4 dh4/dz4 dz4/dh1) dh1/dz1 dz1/dw1; None if no path leads from wrt to of.

    Source: Baur, Strassen, The complexity of partial derivatives, TCS 22 (1983): paths grouped by the nodes they share.
    """
    between = graph.between(wrt, of)
    if not between or of == wrt:
        return None
    inside = set(between)
    ways = {wrt: 1}
    for n in between[1:]:
        ways[n] = sum(ways.get(a, 0) for a in graph.arguments(n))
    back = {of: 1}
    for n in reversed(between[:-1]):
        back[n] = sum(back.get(u, 0) for u in graph.consumers(n) if u in inside)
    common = [n for n in between if ways[n] * back[n] == ways[of]]
    factors = [_block(graph, b, a, ways[b] // ways[a]) for a, b in zip(common, common[1:], strict=False)]
    return factors[0] if len(factors) == 1 else F.Product(tuple(reversed(factors)))


def _block(graph: Graph, of: str, wrt: str, count: int) -> F.Form:
    """The sum over the paths between two neighbouring common nodes."""
    if count == 1:
        return F.PartialOf(of, wrt)
    if count > MAX_TERMS:
        return F.TotalOf(of, wrt)
    terms = []
    for path in graph.paths(wrt, of):
        edges = tuple(F.PartialOf(u, x) for x, u in zip(path, path[1:], strict=False))
        terms.append(F.Product(tuple(reversed(edges))) if len(edges) > 1 else edges[0])
    return F.Sum(tuple(terms))
