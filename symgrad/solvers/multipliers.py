"""Farkas multipliers: a sign or a contradiction as a sum of multiples of facts and definitions, found by z3.

Every difference (left - right) is a polynomial, its power products are taken for independent unknowns.  What is found is
an identity that the checker expands by itself, so z3 need not be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.language.zeros import Fact, Relation

MAX_ROWS, MAX_TERMS, MILLISECONDS = 48, 120, 1500
Row = Mapping[Any, Fraction]
"""Power product -> coefficient; the power product () is the constant."""


def multipliers(rows: Sequence[tuple[Row, Relation]], goal: Row, shown: Relation) -> list[Rational] | None:
    """Numbers c with sum(c * row) = goal, each such that c * (left - right) is at least 0 (more, for one of them, to show MORE;
    exactly 0, to show EQUAL).  None if there are none, or if z3 gives up.
    """
    from z3 import Q, Real, Solver, sat

    if len(rows) > MAX_ROWS:
        return None
    solver = Solver()
    solver.set("timeout", MILLISECONDS)
    unknowns = [Real(f"c{k}") for k in range(len(rows))]
    chosen = []
    for c, (_, relation) in zip(unknowns, rows, strict=True):
        if relation is Relation.NOT_EQUAL or (shown is Relation.EQUAL and relation is not Relation.EQUAL):
            solver.add(c == 0)
        elif relation is not Relation.EQUAL:
            solver.add(c >= 0 if relation in (Relation.MORE, Relation.AT_LEAST) else c <= 0)
        if relation in (Relation.MORE, Relation.LESS):
            chosen.append(c if relation is Relation.MORE else -c)
    if shown is Relation.MORE:
        solver.add(sum(chosen) > 0 if chosen else False)
    for m in {m for row, _ in rows for m in row} | set(goal):
        terms = [Q(row[m].numerator, row[m].denominator) * c for c, (row, _) in zip(unknowns, rows, strict=True) if m in row]
        solver.add(sum(terms) == Q(goal.get(m, Fraction(0)).numerator, goal.get(m, Fraction(0)).denominator))
    if solver.check() != sat:
        return None
    model = solver.model()
    found = [model.eval(c, model_completion=True) for c in unknowns]
    return [Rational(x.numerator_as_long(), x.denominator_as_long()) for x in found]


def contradiction(rows: Sequence[tuple[Row, Relation]]) -> tuple[Fact, list[Rational]] | None:
    """A false comparison of numbers that the rows imply: 0 > 0, or 0 >= 1."""
    for relation, goal in ((Relation.MORE, Fraction(0)), (Relation.AT_LEAST, Fraction(-1))):
        found = multipliers(rows, {(): goal} if goal else {}, relation)
        if found is not None:
            return Fact(Integer(int(goal)), relation, Integer(0)), found
    return None


def sign(rows: Sequence[tuple[Row, Relation]], e: Expr, row: Row) -> tuple[Fact, list[Rational]] | None:
    """e = 0, e > 0, e < 0, or one of the last two with equality, as the rows imply it."""
    for relation in (Relation.EQUAL, Relation.MORE, Relation.AT_LEAST):
        for turned, goal in ((False, row), (True, {m: -c for m, c in row.items()})):
            found = multipliers(rows, goal, relation)
            if found is not None:
                return Fact(*((Integer(0), relation, e) if turned else (e, relation, Integer(0)))), found
    return None
