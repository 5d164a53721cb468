"""The searches behind `fill`: values at points, linear inequalities, smallest sets that meet others."""

from __future__ import annotations

import itertools
from fractions import Fraction
from random import Random

import pytest
from sympy import Rational

from symgrad.check.fill import require_contradiction
from symgrad.language.errors import Unsupported
from symgrad.language.functions import call, scalar
from symgrad.language.piecewise import Row, at
from symgrad.solvers import hitting
from symgrad.solvers.hitting import hitting_set
from symgrad.solvers.pointwise import NoValue, applied, rounded, sign, signature
from symgrad.solvers.regions import multipliers, point_in
from tests.check.test_exact import grown
from tests.fill_problems import FUNCTIONS

X, Y = scalar("x"), scalar("y")


def test_values_against_python() -> None:
    random = Random(8)
    for _ in range(200):
        e, text = grown(random, 4)
        x, y = Fraction(random.randint(-4, 4), 3), random.randint(-4, 4)
        assert applied(e, (X, Y))((x, y)) == eval(text, {"Fraction": Fraction, **FUNCTIONS}, {"x": x, "y": Fraction(y)})


def test_values_that_are_not_rational() -> None:
    f = applied(call("sigmoid", X) + Rational(1, 3) * call("sqrt", Y), (X, Y))
    assert abs(float(f((1, 4))) - (0.7310585786300049 + 2 / 3)) < 1e-14
    assert sign(applied(call("exp", X) - call("exp", X), (X,))((Fraction(1, 3),))) == 0
    tiny = applied(call("log", call("exp", X)) - X, (X,))((Fraction(1, 3),))
    assert sign(tiny) == 0 and signature(tiny) == 0
    assert applied(call("max", call("exp", X), Y), (X, Y))((1, Fraction(7, 3))) > 2.7
    assert rounded(Fraction(-1, 3), 4) == -3333 and rounded(applied(call("exp", X), (X,))((1,)), 3) == 2718


def test_where_there_is_no_value() -> None:
    for e in (1 / X, call("log", X), call("sqrt", X - 1)):
        with pytest.raises(NoValue):
            applied(e, (X,))((0,))
    with pytest.raises(Unsupported):
        applied(call("exp", X), (X,))((10**6,))
    with pytest.raises(Unsupported):
        applied(call("g", X), (X,))


def rows_at_random(random: Random) -> list[Row]:
    return [Row(tuple(Fraction(random.randint(-3, 3)) for _ in range(3)), random.random() < 0.4) for _ in range(random.randint(2, 6))]


def test_a_point_or_multipliers_but_never_both() -> None:
    """Farkas and Motzkin: exactly one of the two exists; each is checked by addition."""
    random = Random(6)
    counts = {True: 0, False: 0}
    for _ in range(150):
        rows = rows_at_random(random)
        point, weights = point_in(rows), multipliers(rows)
        assert (point is None) != (weights is None)
        counts[point is None] += 1
        if point is not None:
            assert all(row.holds(point) for row in rows)
        else:
            assert weights is not None
            require_contradiction(tuple(rows), weights, "random")
            grid = [Fraction(k, 2) for k in range(-8, 9)]
            assert not any(all(row.holds(p) for row in rows) for p in itertools.product(grid, grid))
    assert min(counts.values()) > 20


def test_points_are_simple_where_that_is_easy() -> None:
    assert point_in([Row((Fraction(-1, 3), Fraction(1), Fraction(0)), True), Row((Fraction(5), Fraction(-1), Fraction(0)))]) is not None
    found = point_in([Row((Fraction(-1, 3), Fraction(1)), True), Row((Fraction(3, 2), Fraction(-1)), True)])
    assert found == (Fraction(1),)
    assert at((Fraction(1), Fraction(2)), found) == 3


def test_smallest_sets_against_trying_all() -> None:
    random = Random(1)
    for _ in range(150):
        size = random.randint(1, 7)
        sets = [frozenset(random.sample(range(size), random.randint(1, size))) for _ in range(random.randint(1, 8))]
        found, smallest = hitting_set(sets)
        assert smallest and all(s & set(found) for s in sets)
        assert not any(all(s & set(g) for s in sets) for k in range(len(found)) for g in itertools.combinations(range(size), k))


def test_beyond_the_budget_no_element_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hitting, "BUDGET", 3)
    random = Random(3)
    sets = [frozenset(random.sample(range(12), 3)) for _ in range(20)]
    found, smallest = hitting_set(sets)
    assert not smallest and all(s & set(found) for s in sets)
    assert all(any(not s & (set(found) - {x}) for s in sets) for x in found)
