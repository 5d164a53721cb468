"""Claims about threshold networks: right ones proved, every corrupted twin refused with what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import Decides, Misfits, UnitsTest, Violates
from symgrad.language.problem import CheckNetwork, Construct, Part
from symgrad.language.steps import Ground
from symgrad.language.threshold import Agree, Architecture, Cases, Clash, Counting, Domain, Layer, Split
from symgrad.language.wire import Decoder, encode
from symgrad.questions.threshold import settle
from symgrad.reader.properties import read_property
from symgrad.reader.tokens import Inputs
from tests.threshold_oracle import network, problem, random_network, random_property, rational, runner, wanted

ORDER = wanted("x1 > x2 > x3", 3)
RIGHT = network(([[-1, 1, 0], [0, -1, 1]], [0, 0]), ([[-1, -1]], [0]))
REDUNDANT = network(([[-1, 1, 0], [0, -1, 1], [-1, 0, 1]], [0, 0, 0]), ([[-1, -1, -1]], [0]))


def verdict(claim: Any, at_zero: int = 1) -> tuple[Ground, str]:
    found = Checker(problem(at_zero)).check(claim)
    return found.ground, found.method


def refused(claim: Any, words: str, at_zero: int = 1) -> None:
    ground, method = verdict(claim, at_zero)
    assert ground is Ground.REFUTED
    assert words in method


# ---- Decides --------------------------------------------------------------------------------------------------------


def test_counting() -> None:
    assert verdict(Decides(RIGHT, ORDER, Counting()))[0] is Ground.PROVED
    refused(Decides(RIGHT, wanted("x1 > x2 >= x3", 3), Counting()), "differ at some pattern")
    refused(Decides(RIGHT, ORDER, Counting()), "differ at some pattern", at_zero=0)
    refused(Decides(network(([[-1, 1, 0], [0, -1, 1]], [0, "0.001"]), ([[-1, -1]], [0])), ORDER, Counting()), "differ at some pattern")
    refused(Decides(network(([["-1.0000001", 1, 0], [0, -1, 1]], [0, 0]), ([[-1, -1]], [0])), ORDER, Counting()), "differ at some pattern")


def test_counting_over_booleans_against_enumeration() -> None:
    random = Random(2)
    right = 0
    for _ in range(150):
        n, at_zero = random.randint(1, 5), random.choice([0, 1])
        net = random_network(random, (n, random.randint(1, 3), 1))
        text, meaning = random_property(random, n, "booleans")
        outputs = runner(net, at_zero)
        agree = all(outputs(x) == [int(meaning(x))] for x in product((0, 1), repeat=n))
        right += agree
        assert verdict(Decides(net, wanted(text, n, "booleans"), Counting()), at_zero)[0] is (Ground.PROVED if agree else Ground.REFUTED)
    assert right > 5


def test_too_many_sums_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symgrad.check.threshold.MAX_SUMS", 1000)
    net = network(([[2**k for k in range(20)]], [-1000]))
    ground, method = verdict(Decides(net, wanted("x1 and x2", 20, "booleans"), Counting()))
    assert ground is Ground.UNDECIDED
    assert "more than 1,000 different sums" in method


def tree() -> Cases:
    found = settle(REDUNDANT, replace(ORDER, where=read_property("x1 < 9", Inputs(None, 3), Domain.REALS)), True)
    assert isinstance(found, Decides) and isinstance(found.proof, Cases)
    return found.proof


def redundant(branches: tuple[Any, ...]) -> Decides:
    return Decides(REDUNDANT, replace(ORDER, where=read_property("x1 < 9", Inputs(None, 3), Domain.REALS)), Cases(branches))


def test_a_tree_of_cases() -> None:
    assert verdict(redundant(tree().branches))[0] is Ground.PROVED


@pytest.mark.parametrize("corrupt", range(9))
def test_corrupted_trees(corrupt: int) -> None:
    branches = list(tree().branches)
    clash = next(k for k, b in enumerate(branches) if isinstance(b, Clash))
    factors = branches[clash].multipliers  # type: ignore[union-attr]
    words = ""
    match corrupt:
        case 0:
            branches, words = branches[:-1], "ends before"
        case 1:
            branches, words = [*branches, Agree()], "goes on after"
        case 2:
            branches[clash], words = Agree(), "not settled, or differ"
        case 3:
            branches[clash], words = Clash(factors[:-1]), "do not give a contradiction"
        case 4:
            branches[clash], words = Clash(tuple((a, -x) for a, x in factors)), "negative multiplier"
        case 5:
            branches[clash], words = Clash(((factors[0][0], factors[0][1] + 1), *factors[1:])), "do not give a contradiction"
        case 6:
            branches[clash], words = Clash(((99, Integer(1)), *factors)), "does not settle"
        case 7:
            branches[0], words = Split(99), "not there"
        case 8:
            branches = [Agree()]
            words = "not settled, or differ"
    refused(redundant(tuple(branches)), words)


def test_a_case_split_twice_on_one_half_space() -> None:
    refused(Decides(RIGHT, ORDER, Cases((Split(0), Split(0), Agree(), Agree(), Agree()))), "is settled")


def test_extra_half_spaces_are_for_whole_inputs() -> None:
    form = ORDER.properties[0].parts[0].left  # type: ignore[union-attr]
    refused(Decides(RIGHT, ORDER, Cases((Agree(),), (form,))), "over the reals")


def test_a_certificate_cannot_change_what_is_decided() -> None:
    """The claim is proved, but it is about another property, network or condition than the problem asks."""
    ask = CheckNetwork(RIGHT, (3, 2, 1), ORDER)
    part = Part("a", ask)
    other = replace(ORDER, where=read_property("x1 > 5", Inputs(None, 3), Domain.REALS))
    for claim in (Decides(RIGHT, other, Counting()), Decides(REDUNDANT, ORDER, Counting()), Violates(REDUNDANT, ORDER, (Integer(0),) * 3)):
        assert unanswered(problem(), part, (claim,)) != ()
    assert unanswered(problem(), part, (Decides(RIGHT, ORDER, Counting()),)) == ()
    build = Part("b", Construct(Architecture((3, 1, 1)), ORDER))
    assert unanswered(problem(), build, (Decides(RIGHT, ORDER, Counting()),)) != ()  # not of this architecture


# ---- Violates, Misfits, UnitsTest ------------------------------------------------------------------------------------


def test_counterexamples() -> None:
    wrong = network(([[1, -1, 0], [0, 1, -1]], [0, 0]), ([[1, 1]], [-2]))
    tie = Violates(wrong, ORDER, (Integer(1), Integer(0), Integer(0)))
    assert verdict(tie)[0] is Ground.PROVED
    refused(replace(tie, point=(Integer(2), Integer(1), Integer(0))), "the network is right")
    refused(replace(tie, point=(Integer(1), Integer(0))), "not a point of the domain")
    refused(tie, "the network is right", at_zero=0)
    half = replace(tie, point=(Integer(1), Rational(1, 2), Rational(1, 2)), wanted=replace(ORDER, domain=Domain.INTEGERS))
    refused(half, "not a point of the domain")
    distinct = replace(ORDER, where=read_property("all inputs distinct", Inputs(None, 3), Domain.REALS))
    refused(replace(tie, wanted=distinct), "no admitted input")


def test_shapes() -> None:
    five = network(([[-1, 1, 0], [0, -1, 1]], [0, 0, 0]), ([[-1, -1]], [0]))
    assert verdict(Misfits(five, (3, 2, 1)))[0] is Ground.PROVED
    refused(Misfits(RIGHT, (3, 2, 1)), "the shapes fit")
    refused(Decides(five, ORDER, Counting()), "b1 has 3 entries; the hidden layer has 2 units")
    refused(Decides(network(([[1, -1], [1]], [0, 0])), wanted(["x1 > x2", "x1 > 0"], 2), Counting()), "rows of 1 and 2 entries")
    refused(Decides(RIGHT, wanted(["x1 > x2", "x2 > x3"], 3), Counting()), "1 outputs for 2 properties")
    refused(Decides((), ORDER, Counting()), "outputs for 1 properties")


def formula(text: str, domain: str = "reals") -> Any:
    return read_property(text, Inputs(None, None), Domain(domain))


def test_what_units_test() -> None:
    claim = UnitsTest(RIGHT, ORDER.inputs, Domain.REALS, 1, (formula("x1 <= x2"), formula("x3 >= x2")))
    assert verdict(claim)[0] is Ground.PROVED
    refused(replace(claim, conditions=(formula("x1 < x2"), formula("x3 >= x2"))), "unit 1 of layer 1 tests another half-space")
    refused(replace(claim, conditions=(formula("x1 <= x2"),)), "1 conditions")
    refused(claim, "tests another half-space", at_zero=0)
    above = UnitsTest(RIGHT, ORDER.inputs, Domain.REALS, 2, (formula("none of x1, x2", "booleans"),))
    assert verdict(above)[0] is Ground.PROVED
    refused(replace(above, conditions=(formula("not (x1 and x2)", "booleans"),)), "differ at some pattern")
    refused(replace(above, layer=3), "conditions for the units of layer 3")
    boolean = UnitsTest(network(([[1, 1, 1]], [-2])), ORDER.inputs, Domain.BOOLEANS, 1, (formula("majority of x1..x3", "booleans"),))
    assert verdict(boolean)[0] is Ground.PROVED
    refused(replace(boolean, conditions=(formula("x1 or x2 or x3", "booleans"),)), "differ at some pattern")


def test_a_step_at_zero_that_is_no_threshold_is_undecided() -> None:
    half = replace(problem(), conventions=replace(problem().conventions, step_at_zero=Rational(1, 2)))
    assert Checker(half).check(Decides(RIGHT, ORDER, Counting())).ground is Ground.UNDECIDED


# ---- all of it at random, and through the wire ------------------------------------------------------------------------


def test_claims_travel() -> None:
    wrong = settle(network(([[1, -1, 0], [0, 1, -1]], [0, 0]), ([[1, 1]], [-2])), ORDER, True)
    units = UnitsTest(RIGHT, ORDER.inputs, Domain.REALS, 1, (formula("x1 <= x2"), formula("not (x3 < x2)")))
    for claim in (redundant(tree().branches), wrong, units, Misfits(RIGHT, (3, 1)), Decides(RIGHT, ORDER, Counting())):
        text = json.dumps(encode(claim))
        assert Decoder(problem().graph).decode(json.loads(text), type(claim)) == claim


def test_a_network_that_is_wrong_somewhere_is_never_proved_right() -> None:
    """Random networks, random properties: whatever proof is offered, the checker and plain evaluation agree."""
    random = Random(9)
    for _ in range(100):
        n = random.randint(1, 2)
        net = random_network(random, (n, random.randint(1, 3), 1))
        text, meaning = random_property(random, n, "reals", 1)
        want, outputs = wanted(text, n), runner(net)
        points = list(product((-3, -2, -1, 0, 1, 2, 3), repeat=n))
        wrong = [x for x in points if outputs(x) != [int(meaning(x))]]
        if wrong:
            assert verdict(Decides(net, want, Counting()))[0] is Ground.REFUTED
            assert verdict(Violates(net, want, rational(wrong[0])))[0] is Ground.PROVED
        right = next((x for x in points if x not in wrong), None)
        if right is not None:
            assert verdict(Violates(net, want, rational(right)))[0] is Ground.REFUTED
        assert all(isinstance(layer, Layer) for layer in net)
