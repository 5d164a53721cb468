"""Half-spaces in normal form: the same set of points under every scaling, sign and strictness."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

from symgrad.language.arrangement import Arrangement, Literal, normal_form
from tests.threshold_oracle import grid, network, random_network, random_property, run, wanted


def test_a_normal_form_describes_the_same_points() -> None:
    random = Random(1)
    for _ in range(300):
        terms = tuple((i, Fraction(random.randint(-4, 4), random.choice([1, 2, 3]))) for i in (1, 2))
        terms = tuple((i, c) for i, c in terms if c)
        constant, strict, integers = Fraction(random.randint(-5, 5), random.choice([1, 2])), random.random() < 0.5, random.random() < 0.5
        found = normal_form((terms, constant), strict, integers)
        for x in product([Fraction(k, 1 if integers else 2) for k in range(-4, 5)], repeat=2):
            z = sum((c * x[i - 1] for i, c in terms), constant)
            says = z > 0 if strict else z >= 0
            assert (found if isinstance(found, bool) else found[0].contains(x) == found[1]) == says


def test_opposite_comparisons_are_one_half_space() -> None:
    world = Arrangement(network(([[-1, 1]], [0])), wanted("x1 > x2", 2), True)
    assert len(world.halves) == 1
    assert world.units == (Literal(0, False),)
    assert world.properties == (Literal(0, True),)


def test_whole_inputs_round_the_bound() -> None:
    world = Arrangement(network(([[2]], [-3])), wanted("x1 > 1", 1, "integers"), True)
    assert len(world.halves) == 1  # 2 x1 >= 3 is x1 >= 2 is x1 > 1


def test_known_half_spaces_settle_what_the_network_says() -> None:
    random = Random(2)
    for _ in range(60):
        net = random_network(random, (2, random.randint(1, 3), 1))
        text, meaning = random_property(random, 2, "reals")
        world = Arrangement(net, wanted(text, 2), True)
        for x in random.sample(grid(2, "reals"), 20):
            known = world.at(x)
            assert [int(bool(y)) for y in world.outputs(known)] == run(net, x)
            assert world.value(world.properties[0], known) == meaning(x)
            part = {k: v for k, v in known.items() if random.random() < 0.5}
            assert world.outputs(part)[0] in (None, world.outputs(known)[0])
            assert world.value(world.properties[0], part) in (None, meaning(x))
