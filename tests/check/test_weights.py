"""Proofs that no weights exist: right ones hold, corrupted ones are refused, and no possible property is proved impossible."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker
from symgrad.language.claims import Unrealizable
from symgrad.language.steps import Ground
from symgrad.language.threshold import (
    Architecture,
    Borders,
    Fixed,
    ForcedBorders,
    Inseparable,
    OutOfRange,
    Point,
    Range,
    Suppose,
    Swapped,
    WeightBranch,
    WeightCases,
)
from symgrad.language.wire import Decoder, encode
from symgrad.questions.construct import weights
from tests.threshold_oracle import problem, wanted

XOR = wanted("x1 xor x2", 2, "booleans")
CORNERS = tuple(Point((Integer(a), Integer(b))) for a, b in ((0, 0), (1, 1), (0, 1), (1, 0)))
ONES = tuple((k, Integer(1)) for k in range(4))
ONE_UNIT = Unrealizable(Architecture((2, 1)), XOR, WeightCases(CORNERS, (Inseparable(0, 0, ONES),)))


def verdict(claim: Unrealizable, at_zero: int = 1) -> tuple[Ground, str]:
    found = Checker(problem(at_zero)).check(claim)
    return found.ground, found.method


def refused(claim: Unrealizable, words: str) -> None:
    ground, method = verdict(claim)
    assert ground is Ground.REFUTED
    assert words in method


def with_proof(claim: Unrealizable, points: tuple[Point, ...], *branches: WeightBranch) -> Unrealizable:
    return replace(claim, proof=WeightCases(points, branches))


def test_exclusive_or_with_one_unit_by_hand() -> None:
    assert verdict(ONE_UNIT)[0] is Ground.PROVED
    assert verdict(ONE_UNIT, at_zero=0)[0] is Ground.PROVED


@pytest.mark.parametrize(("claim", "words"), [
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, ONES[:3])), "leave a weight that is free"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, ((0, Integer(2)), *ONES[1:]))), "leave a weight that is free"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, tuple((k, -x) for k, x in ONES))), "negative multiplier"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, ())), "do not give a contradiction"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, ((7, Integer(1)),))), "not there"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(1, 0, ONES)), "not there"),
    (with_proof(ONE_UNIT, (*CORNERS[:3], Point((Integer(2), Integer(0)))), Inseparable(0, 0, ONES)), "not in the domain"),
    (with_proof(ONE_UNIT, (*CORNERS[:3], Point((Integer(1),))), Inseparable(0, 0, ONES)), "not in the domain"),
    (with_proof(ONE_UNIT, CORNERS), "ends before"),
    (with_proof(ONE_UNIT, CORNERS, Inseparable(0, 0, ONES), Inseparable(0, 0, ONES)), "goes on after"),
    (with_proof(ONE_UNIT, CORNERS, OutOfRange(0, 0)), "without a range"),
    (with_proof(ONE_UNIT, CORNERS, Swapped(0, 0, 0)), "not there"),
    (with_proof(ONE_UNIT, CORNERS, Suppose(0, 0, 0), Inseparable(0, 0, ONES), Inseparable(0, 0, ONES)), "not there"),
    (replace(ONE_UNIT, architecture=Architecture((3, 1))), "for 2 inputs"),
    (replace(ONE_UNIT, architecture=Architecture((2, 2))), "for 2 inputs and 1 properties"),
    (replace(ONE_UNIT, wanted=wanted("x1 or x2", 2, "booleans")), "leave a weight that is free"),
    (replace(ONE_UNIT, proof=Borders(((Integer(0), Integer(0)),))), "over the reals"),
], ids=range(17))
def test_corrupted(claim: Unrealizable, words: str) -> None:
    refused(claim, words)


def deep() -> Unrealizable:
    found = weights(Architecture((2, 1, 1)), XOR, True)
    assert isinstance(found, WeightCases)
    return Unrealizable(Architecture((2, 1, 1)), XOR, found)


def test_a_hidden_unit_and_each_branch_corrupted() -> None:
    claim = deep()
    assert verdict(claim)[0] is Ground.PROVED
    proof = claim.proof
    assert isinstance(proof, WeightCases)
    for k, b in enumerate(proof.branches):
        others: tuple[WeightBranch, ...] = (replace(b, point=b.point + 1),) if isinstance(b, Suppose) else ()
        if isinstance(b, Inseparable):
            others = (replace(b, multipliers=b.multipliers[:-1]), replace(b, unit=1), replace(b, layer=1 - b.layer))
        for other in others:
            changed = replace(proof, branches=(*proof.branches[:k], other, *proof.branches[k + 1:]))
            assert verdict(replace(claim, proof=changed))[0] is Ground.REFUTED
    assert verdict(replace(claim, architecture=Architecture((2, 2, 1))))[0] is Ground.REFUTED  # two hidden units can do it


def test_two_units_exchanged() -> None:
    want = wanted("parity of x1..x3", 3, "booleans")
    found = weights(Architecture((3, 2, 1)), want, True)
    assert isinstance(found, WeightCases)
    claim = Unrealizable(Architecture((3, 2, 1)), want, found)
    assert any(isinstance(b, Swapped) for b in found.branches)
    for k, b in enumerate(found.branches):
        if isinstance(b, Swapped):
            wrong = replace(b, point=b.point + 1) if b.point + 1 < len(found.points) else replace(b, unit=1)
            changed = replace(claim, proof=replace(found, branches=(*found.branches[:k], wrong, *found.branches[k + 1:])))
            assert verdict(changed)[0] is Ground.REFUTED
            break
    free = Fixed(((None,) * 3,) * 2, (None,) * 2), Fixed(((None,) * 2,), (None,))
    refused(replace(claim, architecture=Architecture((3, 2, 1), given=free)), "cannot be swapped")


def test_whole_weights_in_a_range() -> None:
    two = Range(Integer(-2), Integer(2))
    want, architecture = wanted("at least 3 of x1..x4", 4, "booleans"), Architecture((4, 1), two, two)
    found = weights(architecture, want, True)
    assert isinstance(found, WeightCases) and any(isinstance(b, OutOfRange) for b in found.branches)
    claim = Unrealizable(architecture, want, found)
    assert verdict(claim)[0] is Ground.PROVED
    wide = Architecture((4, 1), two, Range(Integer(-3), Integer(2)))
    refused(replace(claim, architecture=wide), "weights in the range that do what the case asks")
    huge = Architecture((4, 1), Range(Integer(-90), Integer(90)), two)
    assert verdict(replace(claim, architecture=huge))[0] is Ground.UNDECIDED


def test_weights_that_are_given() -> None:
    order = wanted("x1 > x2", 2)
    given = (Fixed(((Integer(1), Integer(-1)),), (Integer(0),)), Fixed(((None,),), (None,)))
    tie, above = Point((Integer(0), Integer(0))), Point((Integer(1), Integer(0)))
    same = Inseparable(1, 0, ((0, Integer(1)), (1, Integer(1))))
    claim = with_proof(Unrealizable(Architecture((2, 1, 1), given=given), order, WeightCases((), ())), (tie, above), same)
    assert verdict(claim)[0] is Ground.PROVED
    refused(with_proof(claim, (Point((Integer(0), Integer(1))), above), same), "leave a weight that is free")
    refused(replace(claim, architecture=Architecture((2, 1, 1))), "settles nothing")
    fires_open = verdict(claim, at_zero=0)  # with step(0) = 0 this unit tells the tie from the order
    assert fires_open[0] is Ground.REFUTED


def test_beside_a_border() -> None:
    """A closed unit cannot decide x1 > 0: it fires in the limit at 0 and must not fire there."""
    positive = wanted("x1 > 0", 1)
    points = (Point((Integer(0),)), Point((Integer(0),), (Integer(1),)))
    both = ((0, Integer(1)), (1, Integer(1)))
    claim = Unrealizable(Architecture((1, 1)), positive, WeightCases(points, (Inseparable(0, 0, both),)))
    assert verdict(claim)[0] is Ground.PROVED
    assert verdict(claim, at_zero=0)[0] is Ground.REFUTED
    refused(with_proof(claim, (points[0], Point((Integer(0),), (Integer(-1),))), Inseparable(0, 0, both)), "leave a weight that is free")
    refused(replace(claim, wanted=wanted("x1 > 0", 1, "integers")), "not in the domain")


def border_points(*points: tuple[int, ...]) -> Borders:
    return Borders(tuple(tuple(map(Integer, p)) for p in points))


def test_borders() -> None:
    order = wanted("x1 > x2 > x3", 3)
    claim = Unrealizable(Architecture((3, 1, 1)), order, border_points((0, 0, -1), (1, 0, 0)))
    assert verdict(claim)[0] is Ground.PROVED
    assert verdict(claim, at_zero=0)[0] is Ground.PROVED
    for proof, words in (
        (border_points((0, 0, -1)), "1 borders for 1 units"),
        (border_points((0, 0, -1), (5, 5, 1)), "1 borders for 1 units"),
        (border_points((0, 0, 0), (1, 0, 0)), "not on exactly one border"),
        (border_points((0, 0, 1), (1, 0, 0)), "no property changes"),
        (border_points((2, 1, 0), (1, 0, 0)), "not on exactly one border"),
    ):
        refused(replace(claim, proof=proof), words)
    refused(replace(claim, architecture=Architecture((3, 2, 1))), "2 borders for 2 units")
    refused(replace(claim, wanted=wanted("x1 > x2 > x3", 3, "integers")), "over the reals")
    refused(replace(claim, wanted=wanted("x1 > x2 > x3", 3, where="x1 > x2")), "inside the condition")


def test_borders_that_every_unit_must_have() -> None:
    """Two half-planes, exclusive or, two hidden units: each has one of the two lines, and the four quadrants are the four corners again."""
    want = wanted("x1 > 0 xor x2 > 1", 2)
    corners = tuple(tuple(map(Integer, p)) for p in ((1, 2), (1, 0), (-1, 2), (-1, 0)))
    lines = tuple(tuple(map(Integer, p)) for p in ((0, 5), (5, 1)))
    proof = ForcedBorders(lines, corners, 0, (Integer(1),) * 4)
    claim = Unrealizable(Architecture((2, 2, 1)), want, proof)
    for at_zero in (0, 1):
        assert verdict(claim, at_zero)[0] is Ground.PROVED
    two = Range(Integer(-2), Integer(2))
    for other, words in (
        (replace(claim, architecture=Architecture((2, 3, 1))), "2 borders for 3 units"),
        (replace(claim, architecture=Architecture((2, 2, 2, 1))), "of one hidden layer"),
        (replace(claim, architecture=Architecture((2, 2, 1), two)), "with free weights"),
        (replace(claim, proof=replace(proof, multipliers=(Integer(1),) * 3)), "a multiplier for each point"),
        (replace(claim, proof=replace(proof, multipliers=(Integer(2), *(Integer(1),) * 3))), "do not give a contradiction"),
        (replace(claim, proof=replace(proof, multipliers=(Integer(0),) * 4)), "do not give a contradiction"),
        (replace(claim, proof=replace(proof, apart=((Integer(0), Integer(2)), *corners[1:]))), "a point on a border"),
        (replace(claim, proof=replace(proof, apart=(*corners[:3], corners[0]))), "do not give a contradiction"),
        (replace(claim, proof=replace(proof, points=(lines[0], lines[0]))), "1 borders for 2 units"),
        (replace(claim, proof=replace(proof, unit=1)), "one output unit"),
        (replace(claim, wanted=wanted("x1 > 0 and x2 > 1", 2)), "do not give a contradiction"),
    ):
        refused(other, words)


def test_a_border_alone_can_hold_the_property() -> None:
    claim = Unrealizable(Architecture((2, 1)), wanted("x1 != x2 and x1 > 0", 2), Borders(((Integer(1), Integer(1)), (Integer(0), Rational(1, 2)))))
    assert verdict(claim)[0] is Ground.PROVED


def test_claims_travel() -> None:
    given: tuple[Any, ...] = (Fixed(((Integer(1), None),), (None,)), Fixed(((None,),), (Integer(0),)))
    for claim in (ONE_UNIT, deep(), Unrealizable(Architecture((2, 1, 1), Range(Integer(0), Integer(1)), None, given), XOR, border_points((1, 2)))):
        assert Decoder(problem().graph).decode(json.loads(json.dumps(encode(claim))), Unrealizable) == claim
