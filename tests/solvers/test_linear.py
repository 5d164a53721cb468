"""Multipliers against feasibility, both checked by arithmetic."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from symgrad.solvers.linear import Inequality, System, multipliers


def value(inequality: Inequality, point: list[Fraction]) -> Fraction:
    (terms, constant), _ = inequality
    return sum((c * point[i - 1] for i, c in terms), constant)


def test_a_point_or_multipliers_never_both() -> None:
    random = Random(1)
    empty = 0
    for _ in range(200):
        n = random.randint(1, 3)
        rows: list[Inequality] = []
        for _ in range(random.randint(1, 7)):
            terms = tuple((i, Fraction(c)) for i in range(1, n + 1) if (c := random.randint(-2, 2)))
            rows.append(((terms, Fraction(random.randint(-3, 3), 2)), random.random() < 0.5))
        system = System()
        for r in rows:
            system.add(r)
        found = multipliers(rows)
        if system.feasible():
            assert found is None
            point = system.point(n)
            assert all(value(r, point) > 0 if r[1] else value(r, point) >= 0 for r in rows)
            continue
        empty += 1
        assert found is not None and all(by > 0 for _, by in found)
        for i in range(1, n + 1):
            assert sum(by * dict(rows[k][0][0]).get(i, Fraction(0)) for k, by in found) == 0
        total = sum(by * rows[k][0][1] for k, by in found)
        assert total < 0 or (total == 0 and any(rows[k][1] for k, _ in found))
    assert empty > 50


def test_whole_numbers() -> None:
    system = System(integers=True)
    system.add(((((1, Fraction(2)),), Fraction(-1)), False))
    system.add(((((1, Fraction(-2)),), Fraction(1)), False))
    assert not system.feasible()  # 2 x = 1
