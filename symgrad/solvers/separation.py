"""Points that no parameters can serve: a search in floats for a contradiction between a few inputs, checked exactly elsewhere.

Where the second network is affine in its unknowns, sum_i m_i second(x_i) is free of them for some multipliers m; if the same
sum over the first network is another number, no parameters exist.  Two inputs that the second network cannot tell apart are the
simplest case, with m = (1, -1).
"""

from __future__ import annotations

from itertools import combinations, product
from random import Random
from typing import Any

from sympy import Expr, Integer, Matrix, Rational

from symgrad.language.claims import Witness
from symgrad.language.errors import Unsupported
from symgrad.language.graph import Graph
from symgrad.language.problem import FindParameters, Problem
from symgrad.language.vectors import names_in
from symgrad.solvers.witness import _value

TRIES, INPUTS, MOST_UNKNOWN = 6, 14, 60
Values = dict[str, Any]


def separation(problem: Problem, ask: FindParameters, permutations: frozenset[str], signs: frozenset[str]
               ) -> tuple[tuple[Witness, ...], tuple[Rational, ...]] | None:
    """The points and their multipliers, the simplest numbers first; None where none were met."""
    import numpy as np

    graph, stated = problem.graph, {g.name: g.entries for g in problem.values if g.digits is None}
    needed = graph.ancestors(ask.of) | ask.template.ancestors(ask.output) | {n for _, e in ask.fixed for n in names_in(e)}
    for k in range(TRIES):
        sizes = dict.fromkeys(graph.dimensions, 1 + k // 2)
        random, values = Random(k), {}
        for x in (x for x in graph.variables if x.name in needed):
            n, m = (int(sizes.get(d, d)) for d in x.shape)
            values[x.name] = _numbers(x.name, n, m, 0 if k < 1 else k, random, stated, permutations, signs)
        search = _Search(graph, ask, sizes, values, np)
        try:
            found = search.contradiction(random)
        except (Unsupported, ZeroDivisionError, ValueError, OverflowError, np.linalg.LinAlgError):
            continue
        if found is not None:
            return found
    return None


def _numbers(name: str, n: int, m: int, span: int, random: Random, stated: dict[str, Any], permutations: frozenset[str],
             signs: frozenset[str]) -> tuple[tuple[Rational, ...], ...]:
    if name in stated and (len(stated[name]), len(stated[name][0])) == (n, m):
        return tuple(stated[name])
    if name in permutations:
        return tuple(tuple(Integer(int(j == (i + 1) % n)) for j in range(m)) for i in range(n))
    if name in signs:
        return tuple((Integer((-1) ** i),) for i in range(n))
    return tuple(tuple(Integer(1 if span == 0 else random.choice([i for i in range(-span - 1, span + 2) if i])) for _ in range(m)) for _ in range(n))


class _Search:
    """One choice of sizes and of the first network's parameters."""

    def __init__(self, graph: Graph, ask: FindParameters, sizes: dict[Expr, int], values: dict[str, Any], np: Any) -> None:
        self.graph, self.ask, self.sizes, self.exact, self.np = graph, ask, sizes, values, np
        self.inputs = [x for x in graph.variables if x.role == "input" and x.name in values]
        self.free = [x for x in ask.template.variables if x.name in ask.unknowns and x.name not in dict(ask.fixed)]

    def floats(self, exact: dict[str, Any]) -> Values:
        return {n: self.np.array([[float(x) for x in row] for row in rows]) for n, rows in exact.items()}

    def contradiction(self, random: Random) -> tuple[tuple[Witness, ...], tuple[Rational, ...]] | None:
        np = self.np
        points = [self.exact | {x.name: rows for x, rows in zip(self.inputs, chosen, strict=True)} for chosen in self.chosen(random)]
        shapes = [tuple(int(self.sizes.get(d, d)) for d in x.shape) for x in self.free]
        if sum(n * m for n, m in shapes) > MOST_UNKNOWN:
            return None
        slopes, gaps = [], []
        for point in points:
            values = self.floats(point)
            first = self.run(self.graph, self.ask.of, values)
            base = self.second(values, [np.zeros(s) for s in shapes])
            columns = []
            for k, s in enumerate(shapes):
                for i, j in product(range(s[0]), range(s[1])):
                    one = [np.zeros(t) for t in shapes]
                    one[k][i, j] = 1.0
                    columns.append(self.second(values, one) - base)
            if not self.affine(values, shapes, columns, base):
                return None
            slopes.append(columns)
            gaps.append(base - first)
        for i, j in product(range(gaps[0].shape[0]), range(gaps[0].shape[1])):
            rows = np.array([[c[i, j] for c in columns] for columns in slopes]).reshape(len(points), -1)
            found = self.multipliers(rows, np.array([g[i, j] for g in gaps]))
            if found is not None:
                sizes = tuple((str(d), n) for d, n in self.sizes.items())
                witnesses = tuple(Witness(sizes, tuple(points[k].items()), (i + 1, j + 1)) for k, _ in found)
                return witnesses, tuple(m for _, m in found)
        return None

    def chosen(self, random: Random) -> list[list[tuple[tuple[Rational, ...], ...]]]:
        """Inputs with small whole numbers, the constant ones first."""
        shapes = [tuple(int(self.sizes.get(d, d)) for d in x.shape) for x in self.inputs]
        found = [[tuple((Integer(c),) * m for _ in range(n)) for n, m in shapes] for c in (1, 2, -1, -2, 0, 3, -3, 4)]
        for _ in range(INPUTS - len(found)):
            found.append([tuple(tuple(Integer(random.randint(-4, 4)) for _ in range(m)) for _ in range(n)) for n, m in shapes])
        return found

    def run(self, graph: Graph, of: str, values: Values) -> Any:
        values, needed = dict(values), graph.ancestors(of)
        for node in graph.nodes:
            if node.name in needed:
                shape = tuple(int(self.sizes.get(d, d)) for d in node.shape)
                values[node.name] = self.np.broadcast_to(_value(node.expr, values, self.sizes, self.np), shape)
        return values[of]

    def second(self, values: Values, unknown: list[Any]) -> Any:
        fixed = {n: _value(e, values, self.sizes, self.np) for n, e in self.ask.fixed}
        return self.run(self.ask.template, self.ask.output, values | fixed | {x.name: a for x, a in zip(self.free, unknown, strict=True)})

    def affine(self, values: Values, shapes: list[Any], columns: list[Any], base: Any) -> bool:
        """Is the output at a random value of the unknowns what the columns say?"""
        random = self.np.random.default_rng(3)
        unknown = [random.normal(size=s) for s in shapes]
        flat = self.np.concatenate([u.ravel() for u in unknown]) if unknown else []
        said = base + sum((t * c for t, c in zip(flat, columns, strict=True)), self.np.zeros_like(base))
        return bool(self.np.allclose(said, self.second(values, unknown), rtol=1e-9, atol=1e-9))

    def multipliers(self, rows: Any, gaps: Any) -> list[tuple[int, Rational]] | None:
        """(point, multiplier) such that the multipliers cancel the rows but not the gaps."""
        for k, (row, gap) in enumerate(zip(rows, gaps, strict=True)):
            if abs(row).max(initial=0.0) < 1e-12 and abs(gap) > 1e-6:
                return [(k, Integer(1))]
        for k, m in combinations(range(len(rows)), 2):
            if abs(rows[k] - rows[m]).max(initial=0.0) < 1e-12 and abs(gaps[k] - gaps[m]) > 1e-6:
                return [(k, Integer(1)), (m, Integer(-1))]
        exact = Matrix(len(rows[0]), len(rows), lambda i, j: Rational(float(rows[j][i])).limit_denominator(1000))
        if self.np.abs(self.np.array(exact.T, dtype=float) - rows).max(initial=0.0) > 1e-12:
            return None  # not rational: their cancellation would not be exact
        for basis in sorted(exact.nullspace(), key=lambda b: sum(x != 0 for x in b)):
            if abs(sum(float(x) * g for x, g in zip(basis, gaps, strict=True))) > 1e-6:
                return [(k, x) for k, x in enumerate(basis) if x != 0]
        return None
