"""Derived Jacobians and second derivatives against finite differences of the node that is differentiated, at random points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions
from symgrad.language.steps import Comparison, Derivation
from symgrad.language.tangents import Direction, is_jacobian, tangent_name
from symgrad.numeric.comparison import POINTS, STEPS, kinks_of, points_inside, said, stand_ins
from symgrad.numeric.compiled import CompiledFunction, compile_graph, finite_difference, worst_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows = tuple[tuple[str, Direction], ...]
"""A node and the direction along which it was differentiated."""


def compare_tangents(derivation: Derivation, rows: Rows, conventions: Conventions) -> Comparison:
    """The worst relative error of the tangents of `rows` at a few random points, or the reason why there is none."""
    try:
        return _compare(derivation.graph, rows, conventions)
    except (SpecError, Unsupported) as error:
        return Comparison(reason=str(error))
    except ValueError as error:
        return Comparison(reason=f"no numbers at these sizes: {error}")


def _compare(graph: Graph, rows: Rows, conventions: Conventions) -> Comparison:
    functions = stand_ins(graph)
    kinks = {f"kink {i}": e for i, e in enumerate(kinks_of(graph))}
    named = tuple(dict.fromkeys(tangent_name(u, d) for u, d in rows if tangent_name(u, d) in graph))
    moved = tuple(dict.fromkeys(w for _, d in rows for w, _ in d))
    inner = tuple(w for w in moved if isinstance(graph[w], Node))
    whole = graph.extended(tuple(Node(name, e) for name, e in kinks.items()))
    if not named:
        return Comparison(reason="nothing is left to compare: every derivative is 0 or 1 by definition")
    along = tuple(dict.fromkeys(v for _, d in rows for _, v in d if v))
    analytic = compile_graph(whole, (*dict.fromkeys(u for u, _ in rows), *named, *inner, *kinks, *(v for v in along if isinstance(graph[v], Node))),
                             conventions=conventions, functions=functions)
    free = (*(x.name for x in graph.variables), *inner)
    moving = compile_graph(graph, tuple(dict.fromkeys(u for u, _ in rows)), inputs=free, conventions=conventions, functions=functions)
    errors: list[float] = []
    sizes: dict[str, int] = {}
    for _, sizes, values, found in points_inside(graph, analytic, kinks):
        at = {**sizes, **values, **{w: found[w] for w in inner}}
        errors.append(min(worst_error(dict(_derived(graph, rows, found)), dict(_measured(graph, rows, moving, at, found, step))) for step in STEPS))
        if len(errors) == POINTS:
            break
    return said(errors, sizes, graph, functions, bool(kinks))


def _derived(graph: Graph, rows: Rows, found: dict[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    import numpy as np

    for u, direction in rows:
        name = tangent_name(u, direction)
        if name in graph:
            yield f"{u} {direction}", np.ravel(np.asarray(found[name], np.float64))


def _measured(graph: Graph, rows: Rows, moving: CompiledFunction, at: dict[str, Any], found: dict[str, Any],
              step: float) -> Iterator[tuple[str, NDArray[Any]]]:
    """The same from differences of the values of u: all slopes as a matrix, or their product with the direction."""
    import numpy as np

    inputs = {n: at[n] for n in moving.inputs}
    for u, direction in rows:
        if tangent_name(u, direction) not in graph:
            continue
        size = np.shape(np.asarray(moving(inputs)[u]))
        total: Any = 0.0
        for w, v in direction:
            slopes = finite_difference(moving, inputs, u, w, step) if w in moving.inputs else np.zeros((*size, *np.shape(at[w])))
            own, other = slopes.shape[:len(size)], slopes.shape[len(size):]
            if is_jacobian(direction):
                axes = (*reversed(range(len(own))), *(len(own) + k for k in reversed(range(len(other)))))  # column by column
                yield f"{u} {direction}", np.ravel(np.transpose(slopes, axes))
                break
            way = np.ravel(np.asarray(found[v] if v in found else at[v], np.float64))
            total = total + np.reshape(slopes, (-1, way.size)) @ way
        else:
            yield f"{u} {direction}", np.ravel(total)


__all__ = ["compare_tangents"]
