"""Forged proofs of "guaranteed zero": each is refused, with a message that says what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language.functions import scalar
from symgrad.language.steps import Ground
from symgrad.language.zeros import AlwaysZero, CannotHold, Combined, Fact, Narrowed, Region, Relation
from tests.questions.asking import ask, claim, refused

SPARSE = """z1 = w1*x1 + v1*x2
h1 = relu(z1)
z2 = v2*x1 + v3*x2
h2 = relu(z2)
z3 = w2*h1 + w6*h2
h3 = relu(z3)
z4 = v4*h1 + v5*h2
h4 = relu(z4)
z = w3*h3 + w5*h4
y = relu(z)
L = loss(y, t)"""
PROBLEM = ask(SPARSE, "w1, w2, w3", "z1 = -1", "z1 < 0")
FIRST, SECOND = claim(PROBLEM, "w1 case 1"), claim(PROBLEM, "w2 case 1")
assert isinstance(FIRST, AlwaysZero) and isinstance(SECOND, AlwaysZero)


def test_a_path_forgotten_in_the_first_line() -> None:
    form = FIRST.lines[0]
    assert isinstance(form, F.Product) and isinstance(form.factors[2], F.Sum)
    one = F.Product((*form.factors[:2], F.Sum(form.factors[2].terms[:1]), *form.factors[3:]))
    refused(PROBLEM, replace(FIRST, lines=(one, *FIRST.lines[1:])), "a sum over 2 paths", "has 1 ")
    twice = F.Product((*form.factors[:2], F.Sum(form.factors[2].terms[:1] * 2), *form.factors[3:]))
    refused(PROBLEM, replace(FIRST, lines=(twice, *FIRST.lines[1:])), "not a sum over paths")
    shuffled = F.Product(tuple(reversed(form.factors)))
    refused(PROBLEM, replace(FIRST, lines=(shuffled, *FIRST.lines[1:])), "not a sum over paths")


def test_a_zero_factor_that_is_none() -> None:
    for edge, message in ((("h2", "z2"), "dh2/dz2"), (("z3", "h1"), "dz3/dh1"), (("z1", "w1"), "dz1/dw1")):
        forged = replace(FIRST, regions=(Region((), (), (edge,)),))
        refused(PROBLEM, forged, "do not make the factor", message)
    refused(PROBLEM, replace(FIRST, regions=(Region((), (), (("h1", "w3"),)),)), "h1 is not defined in terms of w3")


def test_a_path_without_its_zero_factor() -> None:
    """z4's path to w1 is not closed by the factor of z3's path alone."""
    refused(PROBLEM, replace(FIRST, regions=(Region(),), lines=FIRST.lines[:1]), "the path w1 -> z1 -> h1", "no zero factor")
    both = ask(SPARSE, "w1", "h1 = 0, z3 < 0, z1 > -5")
    partly = AlwaysZero("a", 0, "L", "w1", (Region((), (), (("h3", "z3"),)),), (), FIRST.lines[:1])
    refused(both, partly, "the path w1 -> z1 -> h1 -> z4")


def test_a_weight_that_does_learn() -> None:
    lines = (F.Product((F.PartialOf("L", "y"), F.PartialOf("y", "z"), F.PartialOf("z", "w3"))),)
    refused(PROBLEM, AlwaysZero("a", 0, "L", "w3", (Region(),), (), lines), "the path w3 -> z -> y -> L has no zero factor")


def test_the_facts_of_another_case_or_part() -> None:
    refused(PROBLEM, replace(FIRST, case=2), "no case 3")
    refused(PROBLEM, replace(FIRST, part="b"), "in a part b")
    other = ask(SPARSE, "w1, w2, w3", "z1 = 1", "z1 = -1")
    refused(other, FIRST, "dh1/dz1 zero")
    assert Checker(other).check(replace(FIRST, case=1)).ground is Ground.PROVED


def test_a_deduction_that_does_not_follow() -> None:
    h1 = Narrowed(Fact(scalar("h1"), Relation.EQUAL, Integer(0)), "h1")
    region = SECOND.regions[0]
    assert region.deduced == (h1,)
    for wrong in (Narrowed(h1.conclusion, "z1"), Narrowed(replace(h1.conclusion, left=scalar("h2")), "h2"), Narrowed(h1.conclusion, 0)):
        refused(PROBLEM, replace(SECOND, regions=(replace(region, deduced=(wrong,)),)), "does not follow")
    refused(PROBLEM, replace(SECOND, regions=(replace(region, deduced=(Narrowed(h1.conclusion, "w9"),)),)))
    assumed = Region((Fact(scalar("h1"), Relation.EQUAL, Integer(0)),), (), region.zeros)
    refused(PROBLEM, replace(SECOND, regions=(assumed,)), "do not cover all points")


def test_lines_and_factors() -> None:
    refused(PROBLEM, replace(FIRST, lines=(*FIRST.lines, F.Just(Integer(1)))), "a line of dL/dw1")
    wrong = (*FIRST.factors[:1], replace(FIRST.factors[1], expr=Integer(1)), *FIRST.factors[2:])
    refused(PROBLEM, replace(FIRST, factors=wrong))
    swapped = (replace(FIRST.factors[0], of="z4", wrt="w1"), *FIRST.factors[1:])
    refused(PROBLEM, replace(FIRST, factors=swapped), "z4 is not defined in terms of w1")


# ---- regions -------------------------------------------------------------------------------------------------------------


REGIONS = ask("a = relu(w*x)\nb = relu(-w*x)\nL = loss(a*b + c, t)", "w", "")


def test_regions_must_cover() -> None:
    c = claim(REGIONS, "w")
    assert isinstance(c, AlwaysZero) and len(c.regions) == 3
    for k in range(3):
        refused(REGIONS, replace(c, regions=c.regions[:k] + c.regions[k + 1:]), "do not cover")
        doubled = (*c.regions, replace(c.regions[k], assumed=()))
        refused(REGIONS, replace(c, regions=doubled), "do not cover")
    shifted = tuple(replace(r, assumed=(replace(r.assumed[0], right=Integer(1)),)) for r in c.regions)
    refused(REGIONS, replace(c, regions=shifted), "do not cover")
    refused(REGIONS, replace(c, regions=(replace(c.regions[0], zeros=()), *c.regions[1:])), "among those named")
    bare = tuple(replace(r, deduced=(), zeros=(), cancels=True) for r in c.regions)
    assert Checker(REGIONS).check(replace(c, regions=bare)).ground is Ground.PROVED  # it finds by itself that the sum vanishes there
    refused(REGIONS, replace(c, regions=(Region(cancels=True),)), "the path w -> a", "nor do such paths add up to 0")


def test_a_sum_that_cancels_only_off_the_kink() -> None:
    """relu(z) - relu(-z) - z is 0, but its slope at z = 0 is 2 c - 1 where c is relu'(0)."""
    let = "z = w*x\nr = relu(z) - relu(-z) - z\nL = loss(r + c, t)"
    form = F.Product((F.PartialOf("L", "r"), F.PartialOf("r", "z"), F.PartialOf("z", "w")))
    at = [Region((Fact(scalar("z"), sign, Integer(0)),), cancels=True) for sign in (Relation.LESS, Relation.EQUAL, Relation.MORE)]
    forged = AlwaysZero("a", 0, "L", "w", tuple(at), (), (form,))
    refused(ask(let, "w", ""), forged, "the path w -> z")
    refused(ask(let, "w", "", conventions="relu_at_zero = 0"), forged, "the path w -> z")
    half = ask(let, "w", "", conventions='relu_at_zero = "1/2"')
    verdict = Checker(half).check(forged)
    assert verdict.ground is Ground.PROVED and "1/2" in verdict.domain
    assert Checker(ask(let, "w", "z > 0")).check(replace(forged, regions=(Region(cancels=True),))).ground is Ground.PROVED


def test_the_convention_is_named_where_it_is_used() -> None:
    let = "z = w*x\nh = relu(z)\nL = loss(v*h, t)"
    form = F.Product((F.PartialOf("L", "h"), F.PartialOf("h", "z"), F.PartialOf("z", "w")))
    c = AlwaysZero("a", 0, "L", "w", (Region((), (Narrowed(Fact(scalar("z"), Relation.AT_MOST, Integer(0)), "h"),), (("h", "z"),)),), (), (form,))
    refused(ask(let, "w", "h = 0"), c, "dh/dz zero")
    refused(ask(let, "w", "h = 0", conventions="relu_at_zero = 1"), c, "dh/dz zero")
    named = Checker(ask(let, "w", "h = 0", conventions="relu_at_zero = 0")).check(c)
    assert named.ground is Ground.PROVED and named.domain == "with 0 as the derivative of ReLU at 0"
    free = Checker(ask(let, "w", "h = 0, z != 0", conventions="relu_at_zero = 0"))
    assert free.check(claim(free.problem, "w")).domain == "for every value of the derivative at a kink"


@pytest.mark.parametrize("let", ["z = w*x\nh = abs(z)\nL = loss(v*h, t)", "z = w*x\nh = min(z, 0)\nL = loss(v*h, t)",
                                 "z = w*x\nh = leaky_relu(z)\nL = loss(v*h, t)", "z = w*x\nh = max(z, -z)\nL = loss(v*h, t)"])
def test_no_other_kink_passes_for_zero(let: str) -> None:
    """At z = 0 the slopes of abs, min, leaky relu and max(z, -z) are not zero for every choice, nor by relu'(0) = 0."""
    form = F.Product((F.PartialOf("L", "h"), F.PartialOf("h", "z"), F.PartialOf("z", "w")))
    for conventions in ("", "relu_at_zero = 0"):
        for zeros in ((), (("h", "z"),)):
            refused(ask(let, "w", "z = 0", conventions=conventions), AlwaysZero("a", 0, "L", "w", (Region((), (), zeros, True),), (), (form,)))


def test_a_jump_is_a_condition_or_leaves_it_open() -> None:
    let = "z = w*x\nh = step(z)\nL = loss(v*h, t)"
    form = F.Product((F.PartialOf("L", "h"), F.PartialOf("h", "z"), F.PartialOf("z", "w")))
    c = AlwaysZero("a", 0, "L", "w", (Region((), (), (("h", "z"),)),), (), (form,))
    assert Checker(ask(let, "w", "")).check(c).conditions == ("where z is not 0, at which it jumps",)
    assert Checker(ask(let, "w", "z > 0")).check(c).conditions == ()
    assert Checker(ask(let, "w", "z = 0")).check(c).ground is Ground.UNDECIDED


# ---- facts that cannot hold ------------------------------------------------------------------------------------------


def test_impossible_facts_guarantee_nothing() -> None:
    problem = ask("z = w*x\nh = relu(z)\nL = loss(v*h, t)", "v", "z < 0, z > 0")
    form = F.Product((F.PartialOf("L", "v"),))
    refused(problem, AlwaysZero("a", 0, "L", "v", (Region(),), (), (F.PartialOf("L", "v"),)), "the facts cannot hold")
    assert Checker(problem).check(CannotHold("a", 0, (Region(),))).ground is Ground.PROVED
    del form


def test_possible_facts_are_not_impossible() -> None:
    problem = ask("z = w*x\nh = relu(z)\nL = loss(v*h, t)", "v", "z < 0, h = 0")
    refused(problem, CannotHold("a", 0, (Region(),)), "not shown to contradict")
    false = Fact(Integer(0), Relation.EQUAL, Integer(1))
    refused(problem, CannotHold("a", 0, (Region((), (Narrowed(false, "h"),)),)), "does not follow")
    negative = Combined(Fact(Integer(0), Relation.MORE, Integer(0)), ((Rational(-1), 1),))
    refused(problem, CannotHold("a", 0, (Region((), (negative,)),)), "does not follow")
    refused(problem, CannotHold("a", 0, (Region((Fact(scalar("z"), Relation.MORE, Integer(0)),)),)), "do not cover")
    refused(problem, CannotHold("a", 0, ()), "do not cover")
