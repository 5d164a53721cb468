"""Intervals against the numbers in them: every operation holds every value, and is no larger than it must be."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf
from random import Random

import pytest

from symgrad.language.intervals import ALL, NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE, POSITIVE, ZERO, Interval, point

ENDS = (-inf, Fraction(-2), Fraction(-1), Fraction(0), Fraction(1, 2), Fraction(3), inf)
GRID = [Fraction(k, 4) for k in range(-20, 21)]


def everything() -> list[Interval]:
    found = [Interval(low, high, lo or low == -inf, hi or high == inf)
             for low, high in product(ENDS, ENDS) if low <= high for lo, hi in product((False, True), repeat=2)]
    return [x for x in dict.fromkeys(found) if not x.empty and not (x.low == x.high and x.low in (inf, -inf))]


SOME = [x for k, x in enumerate(everything()) if k % 3 == 0]


def inside(x: Interval) -> list[Fraction]:
    """Numbers of the interval: the grid, and numbers close to its ends."""
    close = [e + d * Fraction(1, 10**6) for e in (x.low, x.high) if isinstance(e, Fraction) for d in (-1, 0, 1)]
    return [y for y in (*GRID, *close) if y in x]


def tight(found: Interval, values: list[Fraction]) -> bool:
    """A finite closed end is taken on, and values come close to a finite open end."""
    for end, is_open, best in ((found.low, found.low_open, min(values)), (found.high, found.high_open, max(values))):
        if isinstance(end, Fraction) and ((not is_open and best != end) or abs(best - end) > Fraction(1, 1000)):
            return False
    return True


@pytest.mark.parametrize("operation", ["+", "-", "*"])
def test_two_operands(operation: str) -> None:
    act = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}[operation]
    for x, y in product(SOME, SOME):
        found = act(x, y)
        values = [act(a, b) for a in inside(x) for b in inside(y)]
        assert all(v in found for v in values), (x, y)
        assert tight(found, values), (x, operation, y, found)


def test_powers_and_reciprocals() -> None:
    for x in everything():
        for n in (1, 2, 3, 4):
            values = [a**n for a in inside(x)]
            assert all(v in x**n for v in values) and tight(x**n, values), (x, n)
        values = [1 / a for a in inside(x) if a]
        assert all(v in x.reciprocal for v in values)
        if x.sign in (1, -1):
            assert tight(x.reciprocal, values) or 0 in (x.low, x.high) or inf in (x.high, -x.low)


def test_meet_join_outside() -> None:
    for x, y in product(SOME, SOME):
        meet, join = x.meet(y), x.join(y)
        for a in GRID:
            assert (a in meet) == (a in x and a in y)
            assert a in join or (a not in x and a not in y)
            assert (a in x) != any(a in piece for piece in x.outside())
        assert meet.empty == (not any(a in x and a in y for a in inside(x) + inside(y) + middles(x, y)))


def middles(x: Interval, y: Interval) -> list[Fraction]:
    low, high = max(x.low, y.low), min(x.high, y.high)
    return [(low + high) / 2] if isinstance(low, Fraction) and isinstance(high, Fraction) else []


def test_signs_and_values() -> None:
    signs = {POSITIVE: 1, NEGATIVE: -1, ZERO: 0, NOT_NEGATIVE: None, NOT_POSITIVE: None, ALL: None, point(3): 1}
    assert all(x.sign == s for x, s in signs.items())
    assert point(3).value == 3 and NOT_NEGATIVE.value is None and POSITIVE.meet(NEGATIVE).empty
    for x in everything():
        found = {(a > 0) - (a < 0) for a in inside(x)}
        assert x.sign == (found.pop() if len(found) == 1 else None)


def test_random_expressions() -> None:
    """(a b + c) d over random intervals holds every value."""
    random = Random(3)
    for _ in range(400):
        a, b, c, d = (random.choice(SOME) for _ in range(4))
        found = (a * b + c) * d
        for _ in range(10):
            w, x, y, z = (random.choice(inside(i)) for i in (a, b, c, d))
            assert (w * x + y) * z in found
