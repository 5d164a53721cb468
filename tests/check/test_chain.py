"""Chains of any length: the proof for all n against networks of many sizes, and corrupted networks refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import DecidesChain
from symgrad.language.problem import ConstructChain, Part
from symgrad.language.steps import Ground
from symgrad.language.threshold import Chain, ChainNetwork, Domain, Layer, Relation
from symgrad.language.wire import Decoder, encode
from symgrad.questions.construct import derive_chain
from tests.threshold_oracle import COMPARE, problem, runner

CHAINS = [(relation, domain, at_zero) for relation in (Relation.GT, Relation.GE, Relation.LT, Relation.LE)
          for domain in (Domain.REALS, Domain.INTEGERS) for at_zero in (0, 1)]


def derived(relation: Relation, domain: Domain, at_zero: int) -> DecidesChain:
    step, = derive_chain(problem(at_zero), "a", ConstructChain(Chain("n", relation, domain))).steps
    assert isinstance(step.claim, DecidesChain)
    return step.claim


def at(net: ChainNetwork, n: int) -> tuple[Layer, ...]:
    """The network of one size."""
    rows = tuple(tuple(net.here if j == i else net.after if j == i + 1 else Integer(0) for j in range(n)) for i in range(n - 1))
    return (Layer(rows, (net.bias,) * (n - 1)), Layer(((net.v,) * (n - 1),), (net.constant + net.slope * n,)))


def right_up_to(net: ChainNetwork, relation: Relation, at_zero: int, most: int) -> bool:
    for n in range(2, most + 1):
        outputs = runner(at(net, n), at_zero)
        for x in product(range(3 if n > 4 else 4), repeat=n):
            if outputs(x) != [int(all(COMPARE[relation.value](a, b) for a, b in zip(x, x[1:], strict=False)))]:
                return False
    return True


@pytest.mark.parametrize(("relation", "domain", "at_zero"), CHAINS)
def test_every_chain(relation: Relation, domain: Domain, at_zero: int) -> None:
    claim = derived(relation, domain, at_zero)
    assert Checker(problem(at_zero)).check(claim).ground is Ground.PROVED
    assert right_up_to(claim.network, relation, at_zero, 6)


def test_corrupted_networks_are_refused_and_are_wrong() -> None:
    claim = derived(Relation.GT, Domain.REALS, 1)
    net = claim.network
    changes = [{name: getattr(net, name) + by} for name in ("here", "after", "bias", "constant", "slope", "v")
               for by in (Integer(1), Integer(-1), Rational(1, 1000), Rational(-1, 1000))]
    for change in changes:
        other = replace(net, **change)
        ground = Checker(problem()).check(replace(claim, network=other)).ground
        if ground is Ground.PROVED:
            assert right_up_to(other, Relation.GT, 1, 6), change
        else:
            assert ground is Ground.REFUTED
    assert sum(Checker(problem()).check(replace(claim, network=replace(net, **c))).ground is Ground.REFUTED for c in changes) >= 17


def test_another_chain_or_convention_is_refused() -> None:
    claim = derived(Relation.GT, Domain.REALS, 1)
    for relation in (Relation.GE, Relation.LT, Relation.LE, Relation.EQ, Relation.NE):
        assert Checker(problem()).check(replace(claim, chain=replace(claim.chain, relation=relation))).ground is Ground.REFUTED
    assert Checker(problem(0)).check(claim).ground is Ground.REFUTED
    part = Part("a", ConstructChain(claim.chain))
    assert unanswered(problem(), part, (claim,)) == ()
    assert unanswered(problem(), part, (derived(Relation.GE, Domain.REALS, 1),)) == ("weights for every size",)


def test_a_bias_that_is_right_for_small_sizes_only() -> None:
    net = replace(derived(Relation.GT, Domain.REALS, 1).network, v=Integer(-1), constant=Rational(9, 10), slope=Rational(-1, 10))
    claim = DecidesChain(Chain("n", Relation.GT, Domain.REALS), net)
    assert right_up_to(net, Relation.GT, 1, 5)
    found = Checker(problem()).check(claim)
    assert found.ground is Ground.REFUTED and "wrong for some size" in found.method


def test_it_travels() -> None:
    claim = derived(Relation.LE, Domain.INTEGERS, 1)
    assert Decoder(problem().graph).decode(json.loads(json.dumps(encode(claim))), DecidesChain) == claim
