"""Decision regions against the sign of the function at the points of a grid, in plain Python."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

import pytest

from symgrad.language.fill import Fill
from symgrad.questions.fill import filled
from symgrad.sheet.cells import Cells, Corner, Polygon, area, cells, joined
from tests.fill_problems import CASES, Case, at

WINDOW: Polygon = tuple((Fraction(x), Fraction(y)) for x, y in ((-3, -3), (3, -3), (3, 3), (-3, 3)))
PLACES = [(Fraction(2 * i + 1, 7), Fraction(2 * j + 1, 11)) for i, j in product(range(-10, 10), range(-15, 15, 2))]


def strictly_inside(p: Corner, polygon: Polygon) -> bool:
    if not (min(q[0] for q in polygon) < p[0] < max(q[0] for q in polygon) and min(q[1] for q in polygon) < p[1] < max(q[1] for q in polygon)):
        return False
    turns = [(b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True)]
    return all(t > 0 for t in turns) or all(t < 0 for t in turns)


def drawn(case: Case, combination: tuple[int, ...]) -> Cells:
    _, ask = case.problem()
    assert isinstance(ask, Fill)
    return cells(filled(ask, combination), (ask.symbols[0], ask.symbols[1]), WINDOW, ask.strict)


PLANE = [c for c in CASES if len(c.inputs) == 2]


@pytest.mark.parametrize("case", PLANE, ids=lambda c: c.name)
def test_cells_against_the_sign_at_a_grid(case: Case) -> None:
    """Where a place lies inside a cell, the sign is that of the cell; an exact picture has every place in at most one kind."""
    random = Random(case.name)
    for combination in random.sample(case.all(), 3):
        found = drawn(case, combination)
        places = PLACES if found.exact else random.sample(PLACES, 60)
        wrong = 0
        for p in places:
            above = case.right(case.value(combination, p), "a")
            kinds = {True for c in found.positive if strictly_inside(p, c)} | {False for c in found.negative if strictly_inside(p, c)}
            if found.exact:
                assert kinds <= {above}, (combination, p)
            else:
                wrong += kinds not in ({above}, set())
        assert wrong <= 1  # a grid of 72 misses only what is close to the border


@pytest.mark.parametrize("case", PLANE, ids=lambda c: c.name)
def test_cells_cover_the_window_once(case: Case) -> None:
    found = drawn(case, case.all()[len(case.all()) // 2])
    assert sum((abs(area(c)) for c in (*found.positive, *found.negative)), Fraction(0)) == abs(area(WINDOW))


def test_the_border_of_a_strip() -> None:
    found = drawn(CASES[0], (0, 2, 1, 2, 1))  # max(x1, -x1) - 1
    assert found.exact
    assert {(a[0], b[0]) for a, b in found.border} == {(-1, -1), (1, 1)}
    assert sum(abs(b[1] - a[1]) for a, b in found.border) == 12
    assert [len({q[0] for q in line}) for line in joined(found.border)] == [1, 1]


def test_the_border_is_where_the_sign_changes_also_at_a_jump_and_on_a_flat() -> None:
    """step(x1) - 1/2 jumps over 0; relu(x1) is 0 on half the plane, which is f >= 0 and not f > 0."""
    jump = Case("jump", "step({a}) - 1/2", {"a": ["x1", "x2"]}, at(("0 0", "a")))
    assert [sorted({a[0], b[0]}) for a, b in drawn(jump, (0,)).border] == [[0]]
    flat = Case("flat", "relu({a})", {"a": ["x1", "x2"]}, at(("0 0", "a")))
    assert drawn(flat, (0,)).border == () and drawn(flat, (0,)).negative == ()
    strict = Case("flat", "relu({a})", {"a": ["x1", "x2"]}, at(("0 0", "a")), decision="> 0")
    assert [sorted({a[0], b[0]}) for a, b in drawn(strict, (0,)).border] == [[0]]


def test_a_circle_is_drawn_from_a_grid() -> None:
    circle = Case("circle", "{r} - x1^2 - x2^2", {"r": ["4", "1"]}, at(("0 0", "a")))
    found = drawn(circle, (0,))
    assert not found.exact
    for line in found.border:
        for x, y in line:
            assert abs(float(x * x + y * y) - 4) < 0.02
    (whole,) = joined(found.border)
    assert whole[0] == whole[-1]
    inside = float(sum(abs(area(c)) for c in found.positive) / 2)
    assert abs(inside - 3.14159265 * 4) < 0.05


def test_where_there_is_no_value_it_is_not_positive() -> None:
    case = Case("log", "log({a}) + 10", {"a": ["x1", "x2"]}, at(("1 1", "a")))
    found = drawn(case, (0,))
    assert not any(strictly_inside((Fraction(-1), Fraction(1, 3)), c) for c in found.positive)
    assert any(strictly_inside((Fraction(19, 10), Fraction(1, 7)), c) for c in found.positive)
