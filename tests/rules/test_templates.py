"""Networks from templates, evaluated by definition at points with ties."""

from __future__ import annotations

from random import Random

import pytest
from sympy import Integer

from symgrad.language.threshold import Architecture, Fixed, Range, misfit
from symgrad.rules.templates import template
from tests.threshold_oracle import grid, random_property, run, runner, wanted


def test_random_properties() -> None:
    random = Random(11)
    built = 0
    for _ in range(200):
        domain, n, at_zero = random.choice(["reals", "integers", "booleans"]), random.randint(1, 3), random.choice([0, 1])
        text, meaning = random_property(random, n, domain)
        for layers in ((n, 1), (n, 4, 1), (n, 9, 6, 1), (n, 9, 9, 9, 1)):
            net = template(Architecture(layers), wanted(text, n, domain), bool(at_zero))
            if net is None:
                continue
            built += 1
            assert misfit(net, layers) == ""
            outputs = runner(net, at_zero)
            for x in grid(n, domain):
                assert outputs(x) == [int(meaning(x))], (text, layers, x)
    assert built > 250


@pytest.mark.parametrize("at_zero", [0, 1])
def test_sixty_four_inputs(at_zero: int) -> None:
    net = template(Architecture((64, 63, 1)), wanted("x1 > x2 > ... > x64", 64), bool(at_zero))
    assert net is not None
    down = list(range(64, 0, -1))
    assert run(net, down, at_zero) == [1]
    for k in range(63):
        assert run(net, [*down[:k + 1], down[k], *down[k + 2:]], at_zero) == [0]


def test_layers_without_room_and_weights_that_are_not_allowed() -> None:
    order = wanted("x1 > x2 > x3", 3)
    assert template(Architecture((3, 1, 1)), order, True) is None
    assert template(Architecture((3, 1)), order, True) is None
    assert template(Architecture((3, 2, 1), Range(Integer(-1), Integer(1))), order, True) is not None
    assert template(Architecture((3, 2, 1), Range(Integer(0), Integer(1))), order, True) is None
    free = Fixed(((None,) * 3,) * 2, (None, None))
    fits, clashes = (Fixed(((Integer(-1), Integer(w)),), (Integer(0),)) for w in (-1, 5))
    assert template(Architecture((3, 2, 1), given=(free, fits)), order, True) is not None
    assert template(Architecture((3, 2, 1), given=(free, clashes)), order, True) is None


def test_spare_units_never_fire() -> None:
    net = template(Architecture((2, 5, 1)), wanted("x1 > x2", 2), True)
    assert net is not None
    assert net[0].biases[1:] == (-1,) * 4
    assert net[1].weights[0][1:] == (0,) * 4
