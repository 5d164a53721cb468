"""Derived Jacobians and second derivatives against finite differences of the node that is differentiated, at random points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from sympy import Integer

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions
from symgrad.language.steps import Comparison, Derivation
from symgrad.language.tangents import Direction, is_jacobian, tangent_name
from symgrad.numeric.comparison import DIRECTIONS, MAX_ENTRIES, POINTS, STEPS, kinks_of, points_inside, said, size_choices, stand_ins
from symgrad.numeric.compiled import CompiledFunction, compile_graph
from symgrad.numeric.differences import worst_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows = tuple[tuple[str, Direction], ...]
"""A node and the direction along which it was differentiated."""

MAX_FILLED = 500_000
"""Entries of one Jacobian that are computed for a comparison."""


def compare_tangents(derivation: Derivation, rows: Rows, conventions: Conventions) -> Comparison:
    """The worst relative error of the tangents of `rows` at a few random points, or the reason why there is none."""
    try:
        return _compare(derivation.graph, rows, conventions)
    except (SpecError, Unsupported) as error:
        return Comparison(reason=str(error))
    except ValueError as error:
        return Comparison(reason=f"no numbers at these sizes: {error}")


def _compare(graph: Graph, rows: Rows, conventions: Conventions) -> Comparison:
    _require_size(graph)
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
    for attempt, sizes, values, found in points_inside(graph, analytic, kinks):
        at = {n: {**sizes, **values, **{w: found[w] for w in inner}}[n] for n in moving.inputs}
        both = [_Row(u, d, found[tangent_name(u, d)], list(_ways(d, at, found, attempt))) for u, d in rows if tangent_name(u, d) in graph]
        errors.append(min(worst_error({r.key: r.derived() for r in both}, {r.key: r.measured(moving, at, step) for r in both}) for step in STEPS))
        if len(errors) == POINTS:
            break
    return said(errors, sizes, graph, functions, bool(kinks))


def _require_size(graph: Graph) -> None:
    """Raises Unsupported for a Jacobian that would take more than a moment to fill, at the sizes of the comparison."""
    for sizes in size_choices(graph)[:1]:
        numbers = {d: Integer(sizes[str(d)]) for d in graph.dimensions}
        for n in graph.nodes:
            rows, columns = (int(d.xreplace(numbers)) for d in n.shape)
            if rows * columns > MAX_FILLED:
                raise Unsupported(f"{n.name} has {rows:,} x {columns:,} entries")


def _ways(direction: Direction, at: dict[str, Any], found: dict[str, Any], seed: int) -> Iterator[dict[str, NDArray[Any]]]:
    """The direction; for a Jacobian every coordinate, in the order of its columns, or a few random signs where they are many."""
    import numpy as np

    if not is_jacobian(direction):
        yield {w: np.asarray(found[v] if v in found else at[v], np.float64) for w, v in direction}
        return
    (w, _), = direction
    shape = np.shape(at[w])
    size = int(np.prod(shape))
    random = Random(seed)
    signs = [np.array([random.choice((-1.0, 1.0)) for _ in range(size)]) for _ in range(DIRECTIONS)] if size > MAX_ENTRIES else np.eye(size)
    for way in signs:
        yield {w: np.reshape(way, shape, order="F")}


@dataclass(frozen=True, slots=True)
class _Row:
    """One tangent, and the directions along which it is looked at."""

    node: str
    direction: Direction
    tangent: Any
    ways: list[dict[str, NDArray[Any]]]

    @property
    def key(self) -> str:
        return f"{self.node} {self.direction}"

    def derived(self) -> NDArray[Any]:
        """The derived slopes along each way, in the order of the entries of the node as the Jacobian has them."""
        import numpy as np

        if not is_jacobian(self.direction):
            return np.ravel(np.asarray(self.tangent, np.float64), order="F")
        columns = np.array([np.ravel(x, order="F") for way in self.ways for x in way.values()]).T
        return np.ravel(np.reshape(np.asarray(self.tangent, np.float64), (-1, len(columns))) @ columns)

    def measured(self, moving: CompiledFunction, at: dict[str, Any], step: float) -> NDArray[Any]:
        """The same from the values of the node on both sides."""
        import numpy as np

        slopes = []
        for way in self.ways:
            ends = []
            for sign in (step, -step):
                moved = {w: np.asarray(at[w], np.float64) + sign * x for w, x in way.items() if w in at}
                ends.append(np.ravel(moving({**at, **{w: x if x.shape else float(x) for w, x in moved.items()}})[self.node], order="F"))
            slopes.append((ends[0] - ends[1]) / (2 * step))
        return np.ravel(np.array(slopes).T)


__all__ = ["compare_tangents"]
