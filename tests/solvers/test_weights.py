"""Weights, or the proof that there are none, against all threshold functions of up to three boolean inputs."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from random import Random

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker
from symgrad.language.claims import Decides, Unrealizable
from symgrad.language.steps import Ground
from symgrad.language.threshold import Architecture, Borders, Fixed, NoWeights, Range, WeightCases
from symgrad.questions.construct import weights
from symgrad.questions.threshold import settle
from symgrad.solvers import weights as search
from symgrad.solvers.borders import crossings
from symgrad.solvers.linear import Undecided
from tests.threshold_oracle import problem, run, wanted

Table = tuple[bool, ...]


@cache
def threshold_functions(n: int) -> frozenset[Table]:
    """By trying all weights from -3 to 3; their numbers are known: 4, 14, 104."""
    found = set()
    for w in product(range(-3, 4), repeat=n):
        for twice in range(-13, 14):
            found.add(tuple(sum(a * x for a, x in zip(w, p, strict=True)) >= Fraction(twice, 2) for p in product((0, 1), repeat=n)))
    return frozenset(found)


def possible(table: Table, n: int, hidden: int) -> bool:
    if hidden == 0:
        return table in threshold_functions(n)
    rows = list(product((0, 1), repeat=hidden))
    for units in combinations_with_replacement(sorted(threshold_functions(n)), hidden):
        seen = [rows.index(tuple(int(u[k]) for u in units)) for k in range(2**n)]
        if any(tuple(out[s] for s in seen) == table for out in threshold_functions(hidden)):
            return True
    return False


def test_the_oracle_knows_the_numbers_of_threshold_functions() -> None:
    assert [len(threshold_functions(n)) for n in (1, 2, 3)] == [4, 14, 104]


def test_every_boolean_function_of_two_inputs_and_some_of_three() -> None:
    random = Random(4)
    asked = [(t, 2, h) for t in product((False, True), repeat=4) for h in (0, 1)]
    asked += [(tuple(random.random() < 0.5 for _ in range(8)), 3, random.choice([0, 1])) for _ in range(20)]
    impossible = 0
    for table, n, hidden in asked:
        points = list(product((0, 1), repeat=n))
        text = " or ".join("(" + " and ".join(f"x{i}" if v else f"not x{i}" for i, v in enumerate(p, 1)) + ")"
                           for p, t in zip(points, table, strict=True) if t) or "false"
        want, architecture = wanted(text, n, "booleans"), Architecture((n, hidden, 1) if hidden else (n, 1))
        found = weights(architecture, want, True)
        if isinstance(found, NoWeights):
            impossible += 1
            assert not possible(table, n, hidden), (text, hidden)
            assert Checker(problem()).check(Unrealizable(architecture, want, found)).ground is Ground.PROVED
        else:
            assert [run(found, p) for p in points] == [[int(t)] for t in table]
    assert impossible > 8


def test_parity_of_three_needs_more_than_two_hidden_units() -> None:
    want = wanted("parity of x1..x3", 3, "booleans")
    table = tuple(sum(p) % 2 == 1 for p in product((0, 1), repeat=3))
    assert not possible(table, 3, 2)
    found = weights(Architecture((3, 2, 1)), want, True)
    assert isinstance(found, WeightCases)
    assert Checker(problem()).check(Unrealizable(Architecture((3, 2, 1)), want, found)).ground is Ground.PROVED


@pytest.mark.parametrize(("text", "layers"), [
    ("x1 > 0", (1, 1)), ("x1 = x2", (2, 1)), ("x1 = x2", (2, 1, 1)), ("x1 > x2 > x3", (3, 1)), ("x1 > x2 > x3", (3, 1, 1)),
    ("x1 > x2 > ... > x5", (5, 3, 1)), ("x1 > 0 xor x2 > 1", (2, 2, 1)), ("(x1 > x2) iff (x3 >= x4)", (4, 2, 1)),
    ("exactly 2 of (x1 > 0, x2 > 0, x1 + x2 < 5)", (2, 3, 1)), ("|x1| < 1", (1, 1, 1)), ("x1 >= max(x2, x3)", (3, 1, 1))])
def test_impossible_over_the_reals(text: str, layers: tuple[int, ...]) -> None:
    want = wanted(text, layers[0])
    found = weights(Architecture(layers), want, True)
    assert isinstance(found, NoWeights)
    assert Checker(problem()).check(Unrealizable(Architecture(layers), want, found)).ground is Ground.PROVED


@pytest.mark.parametrize(("text", "layers", "at_zero"), [
    ("x1 > 0", (1, 1), 0), ("x1 >= 0", (1, 1), 1), ("x1 > 0", (1, 1, 1), 1), ("x1 > 0 and (x2 > 0 or x3 > 0)", (3, 3, 1), 1),
    ("at least 2 of (x1 > 0, x2 > 0, x1 + x2 < 1)", (2, 3, 1), 1), ("2*x1 - x2 > 1/3", (2, 1), 0), ("x1 != x2", (2, 2, 1), 1)])
def test_possible_over_the_reals(text: str, layers: tuple[int, ...], at_zero: int) -> None:
    want = wanted(text, layers[0])
    found = weights(Architecture(layers), want, bool(at_zero))
    assert not isinstance(found, NoWeights)
    assert isinstance(settle(found, want, bool(at_zero)), Decides)


def test_borders_of_a_long_ordering() -> None:
    found = weights(Architecture((32, 30, 1)), wanted("x1 > x2 > ... > x32", 32), True)
    assert isinstance(found, Borders)
    assert len(found.points) == 31


def test_borders_lie_on_one_comparison_each() -> None:
    met = crossings(wanted("x1 > x2 and (x2 > 1 or x1 + x2 <= 3)", 2))
    assert len(met) == 3
    for c in met:
        x1, x2 = c.at
        assert [x1 == x2, x2 == 1, x1 + x2 == 3].count(True) == 1


def test_ranges_and_given_weights() -> None:
    two = Range(Integer(-2), Integer(2))
    want = wanted("at least 3 of x1..x4", 4, "booleans")
    assert isinstance(weights(Architecture((4, 1), two, two), want, True), WeightCases)  # the bias -3 is out of range
    wide = Architecture((4, 1), two, Range(Integer(-3), Integer(3)))
    found = weights(wide, want, True)
    assert not isinstance(found, NoWeights) and wide.admits(found)
    order = wanted("x1 > x2 > x3", 3)
    differences = Fixed(tuple(tuple(map(Integer, row)) for row in ((1, -1, 0), (0, 1, -1))), (Integer(0), Integer(0)))
    free = Fixed(((None, None),), (None,))
    blind = Architecture((3, 2, 1), given=(differences, free))
    none = weights(blind, order, True)
    assert isinstance(none, WeightCases)  # a tie and a strict order look the same to these units
    assert Checker(problem()).check(Unrealizable(blind, order, none)).ground is Ground.PROVED
    half = Fixed(((Rational(-1, 2), None, None), (None, None, None)), (Integer(0), None))
    partly = Architecture((3, 2, 1), given=(half, free))
    built = weights(partly, order, True)
    assert not isinstance(built, NoWeights) and partly.admits(built)
    assert isinstance(settle(built, order, True), Decides)


def test_a_bound_is_undecided_never_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_BRANCHES", 40)
    with pytest.raises(Undecided, match="neither weights nor their absence"):
        weights(Architecture((3, 2, 1)), wanted("parity of x1..x3", 3, "booleans"), True)
