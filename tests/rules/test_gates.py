"""What a unit is said to compute is what it computes: against all patterns, and against points with ties."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

import pytest
from sympy import Integer, Rational

from symgrad.language.sums import truth
from symgrad.language.threshold import Domain, Formula, Point
from symgrad.language.wording import plain, spell
from symgrad.reader.properties import read_property
from symgrad.reader.tokens import Inputs
from symgrad.rules.gates import composed, condition, conditions, gate, tidy
from tests.threshold_oracle import grid, network, random_network, random_property, rational, run

NAMES = [f"h{i}" for i in range(1, 70)]


def test_gates_against_all_patterns() -> None:
    random = Random(5)
    named = 0
    for _ in range(400):
        n, closed = random.randint(1, 5), random.random() < 0.7
        row = [Rational(random.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3])) for _ in range(n)]
        bias = Rational(random.randint(-6, 6), random.choice([1, 2]))
        f = gate(row, bias, closed)
        if f is None:
            continue
        named += 1
        for x in product((0, 1), repeat=n):
            z = sum(int(w) * v for w, v in zip(row, x, strict=True)) + Fraction(int(bias.p), int(bias.q))
            assert truth(f, Point(tuple(map(Integer, x)))) == (z >= 0 if closed else z > 0), (row, bias)
    assert named == 400  # up to five inputs every unit has a short name


@pytest.mark.parametrize(("row", "bias", "said"), [
    ([-1, -1, -1], 0, "none of h1, h2, h3"),
    ([1, 1, 1], -3, "h1 and h2 and h3"),
    ([1, 1, 1], -1, "h1 or h2 or h3"),
    ([1, 1, 1], -2, "at least 2 of h1, h2, h3"),
    ([2, 3, 2], -4, "at least 2 of h1, h2, h3"),
    ([1, -1], -1, "h1 and not h2"),
    ([2, 1, 1], -3, "h1 and (h2 or h3)"),
    ([-1, -1], 1, "not (h1 and h2)"),
    ([0, 5], -1, "h2"),
    ([0, 0], 0, "true"),
    ([1, 1], -3, "false"),
    ([-1] * 63, 0, "none of h1, h2, ..., h63"),
])
def test_names(row: list[int], bias: int, said: str) -> None:
    f = gate(list(map(Integer, row)), Integer(bias), True)
    assert f is not None
    assert spell(f, plain(NAMES, True)) == said


def test_conditions_of_first_layer_units_at_points() -> None:
    random = Random(6)
    for _ in range(200):
        net = random_network(random, (2, 1))
        closed, integers = random.random() < 0.7, random.random() < 0.5
        f = condition(net[0].weights[0], net[0].biases[0], closed, integers)
        for x in random.sample(grid(2, "integers" if integers else "reals"), 25):
            assert truth(f, Point(rational(x))) == bool(run(net, x, int(closed))[0])


def decided(net: tuple, domain: str = "reals", at_zero: int = 1) -> tuple[Formula, ...] | None:  # type: ignore[type-arg]
    layers = conditions(net, Domain(domain), bool(at_zero))
    return composed(layers) if layers else None


def test_whole_networks_at_points() -> None:
    random = Random(7)
    for _ in range(120):
        domain, at_zero = random.choice(["reals", "integers", "booleans"]), random.choice([0, 1])
        n = random.randint(1, 3)
        net = random_network(random, (n, *[random.randint(1, 4) for _ in range(random.randint(0, 2))], 1))
        found = decided(net, domain, at_zero)
        assert found is not None
        points = grid(n, domain)
        for x in random.sample(points, min(25, len(points))):
            assert truth(found[0], Point(rational(x))) == bool(run(net, x, at_zero)[0])


DIFFERENCES = [[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]]


@pytest.mark.parametrize(("net", "domain", "said"), [
    (network((DIFFERENCES, [0, 0, 0]), ([[-1, -1, -1]], [0])), "reals", "x1 < x2 < x3 < x4"),
    (network((DIFFERENCES, [0, 0, 0]), ([[1, 1, 1]], [-3])), "reals", "x1 >= x2 >= x3 >= x4"),
    (network(([[0, 0, 1, -1], [1, -1, 0, 0], [0, 1, -1, 0]], [0, 0, 0]), ([[-1, -1, -1]], [0])), "reals", "x1 < x2 < x3 < x4"),
    (network(([[1, -1], [-1, 1]], [0, 0]), ([[1, 1]], [-2])), "reals", "x1 = x2"),
    (network(([[1, -1], [-1, 1]], [0, 0]), ([[-1, -1]], [1])), "reals", "x1 != x2"),
    (network(([[1, 1], [1, 1]], [-1, -2]), ([[1, -1]], [-1])), "booleans", "x1 xor x2"),
    (network(([[1] * 4] * 2, [-2, -3]), ([[1, -1]], [-1])), "booleans", "exactly 2 of x1, x2, x3, x4"),
    (network(([[2]], [-3])), "integers", "x1 >= 2"),
])
def test_whole_networks_in_words(net: tuple, domain: str, said: str) -> None:  # type: ignore[type-arg]
    found = decided(net, domain)
    assert found is not None
    assert spell(found[0], plain([f"x{i}" for i in range(1, 9)], domain == "booleans")) == said


def test_tidying_keeps_the_meaning() -> None:
    random = Random(8)
    for _ in range(200):
        domain, n = random.choice(["reals", "integers", "booleans"]), random.randint(1, 3)
        text, meaning = random_property(random, n, domain, 3)
        f = tidy(read_property(text, Inputs(None, n), Domain(domain)))
        points = grid(n, domain)
        for x in random.sample(points, min(30, len(points))):
            assert truth(f, Point(rational(x))) == meaning(x), (text, x)
