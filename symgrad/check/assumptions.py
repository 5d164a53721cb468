"""Assumptions written out at explicit sizes: signs for the zero test, values for what an equation fixes, a test at a point.

What is not used is only lost, never wrong: an equation that cannot be solved for one name is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, HadamardProduct, Integer, MatMul, MatrixSymbol, Mul, Transpose

from symgrad.check.calculus import differentiate
from symgrad.check.domains import SIGNS
from symgrad.check.errors import NO_VALUE
from symgrad.check.evaluation import evaluate, leaves, sign_of
from symgrad.check.explicit import Explicit, slots
from symgrad.check.signs import ZERO, Facts
from symgrad.language import vectors as v
from symgrad.language.bounds import with_definitions
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Relation, Sign
from symgrad.language.graph import Graph
from symgrad.language.vectors import dimensions_in, is_scalar, names_in

MAX_SIZE = 16


def composed(graph: Graph, e: Expr) -> Expr:
    """Names of the let-list stand for their definitions."""
    return with_definitions(e, {n.symbol: n.expr for n in graph.nodes})


def put_in(graph: Graph, q: Relation) -> Relation:
    """The same in a relation."""
    return Relation(composed(graph, q.left), q.sign, composed(graph, q.right))


@dataclass(frozen=True)
class Assumed:
    """Signs of scalar expressions, and the values of leaves that equations fix."""

    facts: Facts
    fixed: Mapping[Expr, Expr]

    def put_in(self, e: Expr) -> Expr:
        return e.xreplace(self.fixed) if self.fixed else e

    def hold(self, point: Mapping[Expr, Expr], step_at_zero: Expr) -> bool:
        """Is it seen that the point, of leaves that are not fixed, has the signs?"""
        try:
            return all(sign_of(evaluate(g, point, None, step_at_zero)) in signs for g, signs in self.facts)
        except NO_VALUE:
            return False


def differences(q: Relation, ex: Explicit) -> Iterator[Expr]:
    """left - right, for every entry; a number is the same for all entries."""
    left, right = ex.rows(q.left), ex.rows(q.right)
    n, m = max(len(left), len(right)), max(len(left[0]), len(right[0]))
    for i in range(n):
        for j in range(m):
            a, b = (rows[i][j] if len(rows) > 1 or len(rows[0]) > 1 else rows[0][0] for rows in (left, right))
            yield Add(a, Mul(Integer(-1), b))


def write_out(relations: tuple[Relation, ...], ex: Explicit) -> Assumed:
    """At the sizes of `ex`.  Equations are solved for a leaf, in order, where that is possible."""
    facts: list[tuple[Expr, frozenset[int]]] = []
    fixed: dict[Expr, Expr] = {}
    for q in relations:
        for g in differences(q, ex):
            g = g.xreplace(fixed)
            solved = _solved(g) if q.sign is Sign.EQUAL else None
            if solved is None:
                facts.append((g, SIGNS[q.sign]))
            else:
                fixed = {s: e.xreplace(dict([solved])) for s, e in fixed.items()} | dict([solved])
    return Assumed(tuple((g.xreplace(fixed), signs) for g, signs in facts if not g.is_Number or signs != ZERO), fixed)


def _solved(g: Expr) -> tuple[Expr, Expr] | None:
    """A leaf s and the expression, without s, that it equals where g = 0; g is affine in s with a number as factor."""
    for s in reversed(leaves(g)):
        try:
            slope = differentiate(g, s)
        except Unsupported:
            return None
        if slope.is_Rational and slope != 0:
            solution = Add(s, Mul(-1 / slope, g))
            if s not in leaves(solution):
                return s, solution
    return None


def of_sizes(q: Relation) -> bool:
    """Does the relation speak of sizes alone?"""
    return not names_in(q.left) and not names_in(q.right) and bool(dimensions_in(q.left) | dimensions_in(q.right))


def least_sizes(given: tuple[Relation, ...]) -> dict[Expr, int]:
    """n >= 2 as 2.  Raises Unsupported for any other assumption on sizes."""
    least: dict[Expr, int] = {}
    for q in filter(of_sizes, given):
        if not (q.left.is_Symbol and q.right.is_Integer and q.sign in (Sign.AT_LEAST, Sign.MORE) and q.right < MAX_SIZE):
            raise Unsupported(f"the assumption {q} on a size; a least size such as n >= 2 can be used")
        least[q.left] = max(least.get(q.left, 1), int(q.right) + (q.sign is Sign.MORE))
    return least


def entry_local(q: Relation) -> bool:
    """No sum over a symbolic dimension: only such a relation says the same of signs at every size."""
    return not (slots(q.left).summed or slots(q.right).summed)


# ---- equations between vectors of symbolic size: equals put in for equals ------------------------------------------


def solvable(q: Relation) -> bool:
    """May an equation be solved for entries at one size and still speak for all?  Yes without symbolic sizes, and for A = +-A^T."""
    sides = (q.left, q.right)
    for a, b in (sides, sides[::-1]):
        bare = b.args[1] if isinstance(b, MatMul) and b.args[0] == -1 and len(b.args) == 2 else b
        if isinstance(a, MatrixSymbol) and bare == Transpose(a):
            return True
    return q.sign is not Sign.EQUAL or not (dimensions_in(q.left) | dimensions_in(q.right))


def substituted(e: Expr, equations: tuple[Relation, ...]) -> Expr:
    """Equals put in for equals: the left side of each equation (the one that is no number) replaced by the other.

    Never inside a derivative with respect to something that the equation speaks of: there it is not an equation of functions.
    """
    for q in equations:
        old, new = (q.right, q.left) if q.left.is_Number else (q.left, q.right)
        e = _replaced(e, old, new, frozenset(names_in(old)) | frozenset(names_in(new)))
    return e


def _replaced(e: Expr, old: Expr, new: Expr, names: frozenset[str]) -> Expr:
    if e == old or (isinstance(old, v.SumOf) and _is_sum_of(e, old.arg)):
        return new
    if isinstance(e, Diff | Grad) and names & set(names_in(e.args[1])):
        return e
    arguments = [_replaced(a, old, new, names) if isinstance(a, Expr) else a for a in e.args]
    if all(a is b for a, b in zip(arguments, e.args, strict=True)):
        return e
    if isinstance(e, MatMul | HadamardProduct) and any(is_scalar(a) != is_scalar(b) for a, b in zip(arguments, e.args, strict=True)):
        return e
    return e.func(*arguments)


def _is_sum_of(e: Expr, vector: Expr) -> bool:
    """sum_k v_k, in whatever letter."""
    return isinstance(e, v.IndexSum) and vector.shape[1] == 1 and e.args[0] == v.Entry(vector, e.args[1]) and e.args[2] == vector.shape[0]
