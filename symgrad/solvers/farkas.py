"""Multipliers that show relations contradictory, and points that satisfy them: linear in given monomials, over the rationals.

A relation is a row: monomial -> factor, with () for the constant, and says row > 0, row >= 0 or row = 0.  Products of rows are tried
too.  z3 searches; what it finds is verified elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

TIMEOUT = 2000  # milliseconds


class Kind(Enum):
    """What a row says of its sum."""

    ABOVE = ">"
    NOT_BELOW = ">="
    EQUAL = "="


Row = Mapping[tuple[Any, ...], Fraction]
"""Monomial (sorted (atom, exponent) pairs) -> factor."""


@dataclass(frozen=True, slots=True)
class Term:
    """A product of rows, by number from 0, with its multiplier."""

    rows: tuple[int, ...]
    multiplier: Fraction


def contradiction(rows: list[tuple[Row, Kind]], products: bool = True) -> tuple[Term, ...] | None:
    """Multipliers for which the sum of the rows is a negative number, or 0 with a strict row among them; None if none were found."""
    candidates: list[tuple[tuple[int, ...], Row, Kind]] = [((i,), row, kind) for i, (row, kind) in enumerate(rows)]
    found = _solve(candidates)
    if found is None and products and 1 < len(rows) <= 12:
        for i, j in combinations_with_replacement(range(len(rows)), 2):
            candidates.append(((i, j), _times(rows[i][0], rows[j][0]), _of_product(rows[i][1], rows[j][1])))
        found = _solve(candidates)
    return found


def _solve(candidates: list[tuple[tuple[int, ...], Row, Kind]]) -> tuple[Term, ...] | None:
    import z3

    multipliers = [z3.Real(f"m{k}") for k in range(len(candidates))]
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT)
    for m, (_, _, kind) in zip(multipliers, candidates, strict=True):
        if kind is not Kind.EQUAL:
            solver.add(m >= 0)
    for monomial in sorted({m for _, row, _ in candidates for m in row if m}, key=str):
        solver.add(sum((_number(z3, row[monomial]) * m for m, (_, row, _) in zip(multipliers, candidates, strict=True) if monomial in row),
                       z3.RealVal(0)) == 0)
    constant = sum((_number(z3, row.get((), Fraction(0))) * m for m, (_, row, _) in zip(multipliers, candidates, strict=True)), z3.RealVal(0))
    strict = sum((m for m, (_, _, kind) in zip(multipliers, candidates, strict=True) if kind is Kind.ABOVE), z3.RealVal(0))
    solver.add(z3.Or(constant == -1, z3.And(constant == 0, strict == 1)))
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    terms = []
    for (which, _, _), m in zip(candidates, multipliers, strict=True):
        value = model.eval(m, model_completion=True)
        number = Fraction(value.numerator_as_long(), value.denominator_as_long())
        if number:
            terms.append(Term(which, number))
    return tuple(terms)


def satisfying(rows: list[tuple[Row, Kind]], names: list[Any], inside: bool = True) -> dict[Any, Fraction] | None:
    """Values of the names that satisfy rows that are linear in them, strictly where `inside`; None if there are none or it is not known."""
    import z3

    if any(len(m) > 1 or (m and (m[0][1] != 1 or m[0][0] not in names)) for row, _ in rows for m in row):
        return None
    symbols = {n: z3.Real(f"x{k}") for k, n in enumerate(names)}
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT)
    for row, kind in rows:
        whole = sum((_number(z3, c) * (symbols[m[0][0]] if m else 1) for m, c in row.items()), z3.RealVal(0))
        solver.add(whole == 0 if kind is Kind.EQUAL else whole > 0 if inside or kind is Kind.ABOVE else whole >= 0)
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    values = {n: model.eval(s, model_completion=True) for n, s in symbols.items()}
    return {n: Fraction(x.numerator_as_long(), x.denominator_as_long()) for n, x in values.items()}


def _number(z3: Any, x: Fraction) -> Any:
    return z3.RealVal(f"{x.numerator}/{x.denominator}")


def _times(a: Row, b: Row) -> Row:
    result: dict[tuple[Any, ...], Fraction] = {}
    for m, c in a.items():
        for n, d in b.items():
            powers: dict[Any, Any] = dict(m)
            for x, k in n:
                powers[x] = powers.get(x, 0) + k
            key = tuple(sorted(((x, k) for x, k in powers.items() if k), key=str))
            result[key] = result.get(key, Fraction(0)) + c * d
    return result


def _of_product(a: Kind, b: Kind) -> Kind:
    if Kind.EQUAL in (a, b):
        return Kind.EQUAL
    return Kind.ABOVE if a is b is Kind.ABOVE else Kind.NOT_BELOW
