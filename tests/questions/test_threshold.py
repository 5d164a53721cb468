"""Random threshold networks and properties against brute force on grids with ties: no wrong answer, none undecided."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from sympy import Rational

from symgrad.check.checker import Checker
from symgrad.language.claims import Decides
from symgrad.language.steps import Ground
from symgrad.language.sums import truth
from symgrad.language.threshold import Architecture, Layer, Point
from symgrad.questions.threshold import decided, explained, settle
from symgrad.rules.templates import template
from symgrad.solvers.linear import Undecided
from tests.threshold_oracle import exact, grid, problem, random_network, random_property, rational, run, runner, wanted


def candidate(random: Random, n: int, text: str, domain: str, at_zero: int) -> tuple[Layer, ...]:
    """A right network, a right one with a small slip, or any network."""
    kind = random.random()
    if kind < 0.5:
        for layers in ((n, 1), (n, 3, 1), (n, 6, 4, 1), (n, 8, 6, 4, 1)):
            net = template(Architecture(layers), wanted(text, n, domain), bool(at_zero))
            if net is None:
                continue
            if kind < 0.35:
                return net
            slip = Rational(random.choice([-1, 1]), random.choice([1, 1000]))
            return (Layer(net[0].weights, (net[0].biases[0] + slip, *net[0].biases[1:])), *net[1:])
    return random_network(random, (n, *[random.randint(1, 4) for _ in range(random.randint(0, 2))], 1))


@pytest.mark.parametrize("seed", range(6))
def test_fifty_random_networks(seed: int) -> None:
    random = Random(100 + seed)
    seen: Counter[str] = Counter()
    for _ in range(50):
        domain, at_zero = random.choice(["reals", "reals", "integers", "booleans"]), random.choice([1, 1, 0])
        n = random.randint(1, 5 if domain == "booleans" else 3)
        text, meaning = random_property(random, n, domain)
        net, want = candidate(random, n, text, domain, at_zero), wanted(text, n, domain)
        try:
            claim = settle(net, want, bool(at_zero))
        except Undecided:
            seen["undecided"] += 1
            continue
        checker = Checker(problem(at_zero))
        assert checker.check(claim).ground is Ground.PROVED, (text, net)
        if isinstance(claim, Decides):
            seen["right"] += 1
            outputs = runner(net, at_zero)
            for x in grid(n, domain):
                assert outputs(x) == [int(meaning(x))], (text, net, x)
        else:
            seen["wrong"] += 1
            point = [exact(v) for v in claim.point]
            assert run(net, point, at_zero) != [int(meaning(point))], (text, net, point)
        steps, outputs_in_words = explained(net, want, bool(at_zero))
        assert outputs_in_words is not None
        named = decided(net, want, bool(at_zero), outputs_in_words)
        assert all(checker.check(c).ground is Ground.PROVED for c in (*(s.claim for s in steps), named))
        points = grid(n, domain)
        for x in random.sample(points, min(20, len(points))):
            assert truth(named.wanted.properties[0], Point(rational(x))) == bool(run(net, x, at_zero)[0])
    assert seen["undecided"] == 0
    assert min(seen["right"], seen["wrong"]) >= 8
