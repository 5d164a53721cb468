"""Linear inequalities: a point in all of them, or multipliers that prove there is none (Farkas, Motzkin).

z3 searches; whoever uses a find can verify it with a few additions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from sympy import Rational

from symgrad.language.errors import Unsupported
from symgrad.language.piecewise import Row

TIMEOUT = 10_000
"""Milliseconds for one question."""
HALVES = 3
"""Inputs up to which simpler points near the one found are tried."""


def point_in(rows: Sequence[Row]) -> tuple[Fraction, ...] | None:
    """A point at which all rows hold, with small numbers where that is easy; None if there is none.  Raises Unsupported at a timeout."""
    import z3

    size = len(rows[0].affine) - 1
    context = z3.Context()  # a new one each time: what is found must not depend on what was asked before
    names = [z3.Real(f"x{k}", context) for k in range(size)]
    solver = z3.SolverFor("QF_LRA", ctx=context)
    solver.set("timeout", TIMEOUT)
    for row in rows:
        value = _sum(row.affine, [z3.RealVal(1, context), *names])
        solver.add(value > 0 if row.strict else value >= 0)
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise Unsupported(f"no decision on {len(rows)} linear inequalities in {TIMEOUT // 1000} s")
    model = solver.model()
    found = tuple(_number(model.eval(x, model_completion=True)) for x in names)
    return _simpler(rows, found)


def multipliers(rows: Sequence[Row]) -> tuple[Rational, ...] | None:
    """Weights, none negative, with which the rows add up to a negative number (or to 0 with a strict row): proof that no point is in all
    rows.  None if there are none, that is, if there is such a point.  Raises Unsupported at a timeout.
    """
    import z3

    context = z3.Context()
    weights = [z3.Real(f"m{k}", context) for k in range(len(rows))]
    solver = z3.SolverFor("QF_LRA", ctx=context)
    solver.set("timeout", TIMEOUT)
    solver.add(*(w >= 0 for w in weights))
    constant, *slopes = (_sum(column, weights) for column in zip(*(r.affine for r in rows), strict=True))
    solver.add(*(slope == 0 for slope in slopes))
    strict = _sum([Fraction(int(r.strict)) for r in rows], weights)
    solver.add(z3.Or(constant == -1, z3.And(constant == 0, strict == 1)))
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise Unsupported(f"no decision on {len(rows)} linear inequalities in {TIMEOUT // 1000} s")
    model = solver.model()
    found = (_number(model.eval(w, model_completion=True)) for w in weights)
    return tuple(Rational(x.numerator, x.denominator) for x in found)


def _sum(coefficients: Sequence[Fraction], terms: Sequence[Any]) -> Any:
    import z3

    return z3.Sum([z3.Q(c.numerator, c.denominator, t.ctx) * t for c, t in zip(coefficients, terms, strict=True)])


def _number(value: Any) -> Fraction:
    return Fraction(value.numerator_as_long(), value.denominator_as_long())


def _simpler(rows: Sequence[Row], found: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """A point of whole or half numbers near the one found that is in all rows too, if there is one."""
    if len(found) > HALVES:
        return found
    for parts in (1, 2):
        near = [sorted({Fraction(round(x * parts) + d, parts) for d in (0, -1, 1)}, key=lambda y, x=x: abs(y - x)) for x in found]  # type: ignore[misc]
        for candidate in product(*near):
            if all(row.holds(candidate) for row in rows):
                return candidate
    return found
