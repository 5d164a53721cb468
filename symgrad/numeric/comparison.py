"""Derived gradients against finite differences at random points: a second look that shares no code with the derivation.

It proves nothing and says so.  Points and sizes are fixed by a seed, and the error is only bounded by a power of ten, so that
every machine prints the same.  An unknown function g(a, b) stands as a product of sines, whose derivatives of every order are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from sympy import Expr, Symbol

from symgrad.language import vectors as v
from symgrad.language.claims import EXACT, Total
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions
from symgrad.language.steps import Comparison, Derivation
from symgrad.numeric.compiled import CompiledFunction, compile_graph
from symgrad.numeric.differences import worst_error
from symgrad.numeric.elementary import function_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS, TRIES = 3, 60
MAX_DEFINITIONS, MAX_ENTRIES, DIRECTIONS = 20_000, 64, 8
MARGIN = 1e-3
"""How far the argument of a kink stays from it; the steps are much smaller."""
STEPS = (1e-6, 1e-5, 1e-7)
APART = 1e-6
"""A difference of two values, relative to them, that no rounding explains."""
FINEST, COARSEST = -6, -1
"""The powers of ten that a worst error is bounded by; a finer one would say more of the machine than of the gradient."""
SIZES = (3, 2, 4, 5)
ONE_SIDED = frozenset({"log", "sqrt"})  # at the end of the domain, not between two pieces: a point outside gives nan


def with_adjoints(derivation: Derivation) -> Graph:
    """The graph that a derivation ends in, every derivative a definition: w_bar for each total derivative, the shared ones first."""
    graph = derivation.graph
    new = [Node(f"{c.wrt}_bar", c.expr, rf"\bar{{{graph[c.wrt].latex or c.wrt}}}")
           for c in (s.claim for s in derivation.all_steps()) if isinstance(c, Total) and c.valuation == EXACT and f"{c.wrt}_bar" not in graph]
    return graph.extended(new) if new else graph


def compare(derivation: Derivation, of: str, wrt: tuple[str, ...], conventions: Conventions) -> Comparison:
    """The worst relative error of w_bar for w in `wrt` at a few random points, or the reason why there is none."""
    try:
        graph = with_adjoints(derivation)
        if len(graph.nodes) > MAX_DEFINITIONS:
            return Comparison(reason=f"the graph has more than {MAX_DEFINITIONS} definitions")
        return _compare(graph, of, wrt, conventions)
    except (SpecError, Unsupported) as error:
        return Comparison(reason=str(error))
    except ValueError as error:  # NumPy's word for sizes at which an operation has no meaning; a second look is no reason to stop
        return Comparison(reason=f"no numbers at these sizes: {error}")


def _compare(graph: Graph, of: str, wrt: tuple[str, ...], conventions: Conventions) -> Comparison:
    functions = stand_ins(graph)
    kinks = {f"kink {i}": e for i, e in enumerate(kinks_of(graph))}
    bars = {w: f"{w}_bar" for w in wrt}
    inner = tuple(w for w in wrt if isinstance(graph[w], Node))
    whole = graph.extended(tuple(Node(name, e) for name, e in kinks.items()))
    analytic = compile_graph(whole, (of, *bars.values(), *inner, *kinks), conventions=conventions, functions=functions)
    sides = _sides(graph, of, wrt, inner, conventions, functions)
    errors: list[float] = []
    sizes: dict[str, int] = {}
    for attempt, sizes, values, found in points_inside(graph, analytic, kinks):
        errors.append(max(side.error(values, found, sizes, attempt) for side in sides))
        if len(errors) == POINTS:
            break
    return said(errors, sizes, graph, functions, bool(kinks))


def differ(derivation: Derivation, left: Expr, right: Expr, conventions: Conventions) -> bool:
    """Are two expressions in names of the derived graph clearly apart at one of a few random points?  False also where there is no such point."""
    import numpy as np

    try:
        graph = with_adjoints(derivation)
        sides = ("left side", "right side")  # no names of a problem
        kinks = {f"kink {i}": e for i, e in enumerate(kinks_of(graph))}
        whole = graph.extended((*map(Node, sides, (left, right)), *(Node(name, e) for name, e in kinks.items())))
        both = compile_graph(whole, (*sides, *kinks), conventions=conventions, functions=stand_ins(whole))
        for _, (_, _, _, found) in zip(range(POINTS), points_inside(graph, both, kinks), strict=False):
            a, b = (np.asarray(found[side]) for side in sides)
            if a.shape == b.shape and bool(np.any(np.abs(a - b) > APART * (1 + np.abs(a) + np.abs(b)))):
                return True
    except (SpecError, Unsupported, ValueError):
        return False
    return False


def points_inside(graph: Graph, analytic: CompiledFunction, kinks: Collection[str],
                  ) -> Iterator[tuple[int, dict[str, int], dict[str, Any], dict[str, Any]]]:
    """(attempt, sizes, values of the variables, values of the outputs) at random points at which all is finite and no kink is near.

    Raises ShapeError where the definitions have no meaning at the sizes in either order.
    """
    import numpy as np

    choices = size_choices(graph)
    sizes = choices.pop(0)
    for attempt in range(TRIES):
        values = draw(graph, sizes, attempt)
        try:
            with np.errstate(all="ignore"):
                found = analytic({**values, **sizes})
        except ShapeError:  # a kernel larger than what it slides over, at these sizes
            if not choices:
                raise
            sizes = choices.pop(0)
            continue
        except SpecError:  # a matrix without an inverse
            continue
        if all(np.all(np.isfinite(x)) for x in found.values()) and not any(np.min(np.abs(found[k])) < MARGIN for k in kinks):
            yield attempt, sizes, values, found


def said(errors: list[float], sizes: dict[str, int], graph: Graph, functions: Mapping[str, object], kinked: bool) -> Comparison:
    """What the worst errors at the points amount to; with fewer points than there should be, that there is no comparison."""
    if len(errors) < POINTS:
        return Comparison(reason=f"none of {TRIES} random points is inside the domain{' away from all kinks' if kinked else ''}")
    worst = max(errors)
    power = next((k for k in range(FINEST, COARSEST + 1) if worst < 10.0**k), None)
    unknown = dict.fromkeys(f.name for f in graph.functions if not f.known and any(k.startswith(f.name) for k in functions))
    return Comparison(POINTS, tuple(sizes.items()), power, unknown=tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Side:
    """`of` as a function of some names, all variables or one inner node, whose derivatives are looked at together."""

    function: CompiledFunction
    of: str
    names: tuple[str, ...]

    def error(self, values: dict[str, Any], found: dict[str, Any], sizes: dict[str, int], seed: int) -> float:
        """The worst relative error along every entry, or along a few directions of signs where there are many entries."""
        import numpy as np

        at = {**sizes, **values, **{n: found[n] for n in self.names if n not in values}}
        at = {n: at[n] for n in self.function.inputs}
        points = {n: np.asarray(at.get(n, values.get(n)), np.float64) for n in self.names}
        rows = list(_directions(points, Random(seed)))
        slopes: dict[str, list[float]] = {}
        for name, row in rows:
            slopes.setdefault(name, []).append(sum(float(np.sum(np.reshape(found[f"{n}_bar"], d.shape) * d)) for n, d in row.items()))
        best = math.inf
        for step in STEPS:
            measured: dict[str, list[float]] = {}
            for name, row in rows:
                ends = [self._value(at, points, row, sign * step) for sign in (1.0, -1.0)]
                measured.setdefault(name, []).append((ends[0] - ends[1]) / (2 * step))
            best = min(best, worst_error(slopes, measured))
            if best < 10.0 ** (FINEST - 1):
                break
        return best

    def _value(self, at: dict[str, Any], points: dict[str, Any], row: dict[str, Any], width: float) -> float:
        moved = {n: points[n] + width * d for n, d in row.items() if n in at}
        return float(self.function({**at, **{n: x if x.shape else float(x) for n, x in moved.items()}})[self.of])


def _sides(graph: Graph, of: str, wrt: tuple[str, ...], inner: tuple[str, ...], conventions: Conventions,
           functions: dict[str, Callable[..., Any]]) -> list[_Side]:
    leaves = tuple(w for w in wrt if w not in inner)
    found = [_Side(compile_graph(graph, (of,), conventions=conventions, functions=functions), of, leaves)] if leaves else []
    variables = tuple(x.name for x in graph.variables)
    for w in inner:
        free = compile_graph(graph, (of,), inputs=(*variables, w), conventions=conventions, functions=functions)
        found.append(_Side(free, of, (w,)))
    return found


def _directions(points: dict[str, NDArray[Any]], random: Random) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Under the name it is counted for: one entry of one variable, or signs for all entries of all of them."""
    import numpy as np

    if sum(x.size for x in points.values()) <= MAX_ENTRIES:
        for name, x in points.items():
            for index in np.ndindex(x.shape):
                unit = np.zeros(x.shape)
                unit[index] = 1.0
                yield name, {name: unit}
        return
    for _ in range(DIRECTIONS):
        yield "all", {name: np.array([random.choice((-1.0, 1.0)) for _ in range(x.size)]).reshape(x.shape) for name, x in points.items()}


def size_choices(graph: Graph) -> list[dict[str, int]]:
    """Small sizes for all dimensions, different ones next to each other, in two orders."""
    names, shapes = graph.dimensions, [x.shape for x in graph.all]
    chosen = (dict(zip(order, (SIZES[i % len(SIZES)] for i in range(len(names))), strict=True)) for order in (names, names[::-1]))
    return [{str(d): n for d, n in v.grown(sizes, shapes).items()} for sizes in chosen]


def draw(graph: Graph, sizes: dict[str, int], attempt: int) -> dict[str, Any]:
    """Values of all variables, multiples of 1/64 up to 3/2; of both signs at first, then by turns all positive, for logarithms."""
    import numpy as np

    random = Random(1000 + attempt)
    positive = attempt >= POINTS and attempt % 2 == 1

    def number() -> float:
        size = random.randint(8, 96) / 64
        return size if positive or random.random() < 0.5 else -size

    values: dict[str, Any] = {}
    at = {d: sizes[str(d)] for d in graph.dimensions}
    for x in graph.variables:
        if x.shape == v.SCALAR:
            values[x.name] = number()
            continue
        rows, columns = (v.size_at(d, at) for d in x.shape)
        entries = np.array([[number() for _ in range(columns)] for _ in range(rows)])
        values[x.name] = entries[:, 0] if x.shape[1] == 1 else entries
    return values


# ---- functions with kinks, and functions that nobody knows -------------------------------------------------------------


def _applications(graph: Graph) -> Iterator[Expr]:
    """Every application of a function in the graph, each once."""
    seen: set[Expr] = set()
    stack = [n.expr for n in graph.nodes]
    while stack:
        e = stack.pop()
        if not e.args or e in seen:
            continue
        seen.add(e)
        if isinstance(e, Call | v.Elementwise | v.UnknownScalar | v.UnknownGradient | v.UnknownHessian):
            yield e
        stack.extend(a for a in e.args if isinstance(a, Expr))


def kinks_of(graph: Graph) -> list[Expr]:
    """What must not be 0: the arguments of relu, abs, step, ...; the difference of those of max and min."""
    found: dict[Expr, None] = {}
    dimensions = set(graph.dimensions)
    for e in _applications(graph):
        row = KNOWN.get(e.fn.name) if isinstance(e, Call | v.Elementwise) else None
        if row is None or not row.kink or row.name in ONE_SIDED:
            continue
        if any(isinstance(s, Symbol) and s.is_integer and s not in dimensions for s in e.free_symbols):
            continue  # under a sum over an index, which is not free here
        a, *rest = e.arguments
        found[v.add(a, v.negate(rest[0])) if row.arity == 2 else a] = None
    return list(found)


def stand_ins(graph: Graph) -> dict[str, Callable[..., Any]]:
    """A known function for every unknown one, and for the derivatives of it that occur."""
    found: dict[str, Callable[..., Any]] = {}
    for e in _applications(graph):
        if isinstance(e, v.UnknownGradient):
            fn, slot = e.args[0], int(e.args[1])
            found[function_key(fn.derivative(slot))] = _gradient(slot)
        elif isinstance(e, v.UnknownHessian):
            fn, row, column = e.args[0], int(e.args[1]), int(e.args[2])
            found[function_key(fn.derivative(row).derivative(column))] = _hessian(row, column)
        elif e.fn.name not in KNOWN:
            found[function_key(e.fn)] = _total if isinstance(e, v.UnknownScalar) else _sines(e.fn)
    return found


def _sines(fn: Fn) -> Callable[..., Any]:
    """prod_i sin(a_i + i), differentiated `orders` times: each derivative is a shift by a quarter turn."""
    import numpy as np

    return lambda *a: math.prod(np.sin(x + i + k * math.pi / 2) for i, (x, k) in enumerate(zip(a, fn.orders, strict=True)))


def _total(*a: Any) -> float:
    """prod_i sum_k sin(a_ik + i)."""
    import numpy as np

    return math.prod(float(np.sum(np.sin(x + i))) for i, x in enumerate(a))


def _hessian(row: int, column: int) -> Callable[..., Any]:
    import numpy as np

    def second(*a: Any) -> Any:
        rest = math.prod(float(np.sum(np.sin(x + i))) for i, x in enumerate(a) if i not in (row, column))
        if row == column:
            return -np.diag(np.ravel(np.sin(a[row] + row))) * rest
        return np.outer(np.cos(a[row] + row), np.cos(a[column] + column)) * rest

    return second


def _gradient(slot: int) -> Callable[..., Any]:
    import numpy as np

    return lambda *a: np.cos(a[slot] + slot) * math.prod(float(np.sum(np.sin(x + i))) for i, x in enumerate(a) if i != slot)


__all__ = ["compare", "differ", "draw", "kinks_of", "points_inside", "said", "size_choices", "stand_ins", "with_adjoints"]
