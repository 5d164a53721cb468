"""Constructions from problem files: found and proved, or proved impossible; a search that stops is neither."""

from __future__ import annotations

import time
from itertools import product

import pytest

from symgrad.language.claims import Decides, Unrealizable
from symgrad.language.errors import SpecErrors
from symgrad.pipeline import Result, solve, summary
from symgrad.reader.read import read_text
from symgrad.replay import verify
from symgrad.solvers import weights as search
from tests.threshold_oracle import run

HEAD = 'format = 1\nid = "p"\ntitle = "A network"\n'


def solved(part: str, expected: str = "", top: str = "") -> Result:
    problem, stated = read_text(f'{HEAD}{top}\n[[part]]\nlabel = "a"\nask = "construct"\n{part}\n{expected}', "p.toml")
    return solve(problem, stated)


def found(result: Result) -> Decides:
    derivation = result.parts[0].derivation
    assert derivation is not None, result.parts[0].failure
    claim = derivation.steps[-1].claim
    assert isinstance(claim, Decides)
    return claim


POSSIBLE = [
    ('layers = [5, 4, 1]\nproperty = "y = 1 iff x1 > x2 > x3 > x4 > x5"', None),
    ('layers = [3, 2, 1]\nproperty = "x1 >= x2 >= x3"', None),
    ('layers = [2, 2, 1]\ndomain = "booleans"\nproperty = "x1 xor x2"', lambda x: x[0] != x[1]),
    ('layers = [2, 1]\ndomain = "booleans"\nproperty = "x1 and not x2"', lambda x: x[0] and not x[1]),
    ('layers = [2, 1]\ndomain = "booleans"\nproperty = "x1 implies x2"', lambda x: not x[0] or x[1]),
    ('layers = [4, 2, 1]\ndomain = "booleans"\nproperty = "exactly 2 of x1..x4"', lambda x: sum(x) == 2),
    ('layers = [5, 1]\ndomain = "booleans"\nproperty = "majority of x1..x5"', lambda x: sum(x) >= 3),
    ('layers = [5, 5, 1]\ndomain = "booleans"\nproperty = "parity of x1..x5"', lambda x: sum(x) % 2 == 1),
    ('layers = [4, 2, 1]\ndomain = "booleans"\nproperty = "(x1 and x2) or (x3 and x4)"', lambda x: x[0] and x[1] or x[2] and x[3]),
    ('layers = [3, 1]\ndomain = "booleans"\nproperty = "x1 and (x2 or x3)"', lambda x: x[0] and (x[1] or x[2])),
    ('layers = [3, 2, 1]\ndomain = "booleans"\nproperty = "(x1 xor x2) and x3"', lambda x: x[0] != x[1] and x[2]),
    ('layers = [4, 4, 2, 1]\ndomain = "booleans"\nproperty = "(x1 xor x2) or (x3 xor x4)"', lambda x: x[0] != x[1] or x[2] != x[3]),
    ('layers = [2, 2, 1]\nproperty = "x1 = x2"', None),
    ('layers = [2, 2, 1]\nproperty = "|x1 - x2| < 1"', None),
    ('layers = [1, 2, 1]\ndomain = "integers"\nproperty = "-1 <= x1 < 3"', None),
    ('layers = [4, 3, 1]\nproperty = "x1 > max(x2, x3, x4)"', None),
    ('layers = [3, 2, 1]\nproperty = "x1 = max(x1, x2, x3)"', None),
    ('layers = [3, 3, 1]\nproperty = "x1 = x2 = x3"', None),
    ('layers = [3, 3, 1]\nproperty = "not (x1 = x2 = x3)"', None),
    ('layers = [4, 4, 1]\nproperty = "x1 = x2 and x3 = 2*x4 and x1 > 0"', None),
    ('layers = [3, 3, 1]\nproperty = "at least 2 of x1..x3 > 0"', None),
]


@pytest.mark.parametrize(("part", "meaning"), POSSIBLE, ids=[p.split("property = ")[1] for p, _ in POSSIBLE])
def test_found_and_proved(part: str, meaning: object) -> None:
    result = solved(part, '[expected]\n"a" = "possible"')
    net = found(result).network
    assert all(w.is_Integer and abs(w) <= 12 for layer in net for row in (*layer.weights, layer.biases) for w in row)
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds
    if meaning is not None:
        for x in product((0, 1), repeat=len(net[0].weights[0])):
            assert run(net, x) == [int(bool(meaning(x)))]  # type: ignore[operator]


IMPOSSIBLE = [
    'layers = [2, 1]\ndomain = "booleans"\nproperty = "x1 xor x2"',
    'layers = [2, 1, 1]\ndomain = "booleans"\nproperty = "x1 xor x2"',
    'layers = [4, 1]\ndomain = "booleans"\nproperty = "exactly 2 of x1..x4"',
    'layers = [4, 1]\ndomain = "booleans"\nproperty = "(x1 and x2) or (x3 and x4)"',
    'layers = [1, 1]\nproperty = "x1 > 0"',
    'layers = [1, 1]\ndomain = "integers"\nproperty = "0 <= x1 <= 2"',
    'layers = [2, 1]\nproperty = "x1 = x2"',
    'layers = [3, 1, 1]\nproperty = "x1 > x2 > x3"',
    'layers = [5, 3, 1]\nproperty = "x1 > x2 > x3 > x4 > x5"',
    'layers = [3, 2, 1]\nproperty = "x1 > x2 > x3"\ngiven = { W1 = [[1, -1, 0], [0, 1, -1]], b1 = [0, 0] }',
    'layers = [2, 1]\ndomain = "booleans"\nproperty = "x1 and x2"\nweights = [0, 1]\nbiases = [-1, 1]',
]


@pytest.mark.parametrize("part", IMPOSSIBLE)
def test_proved_impossible(part: str) -> None:
    result = solved(part, '[expected]\n"a" = "impossible"')
    derivation = result.parts[0].derivation
    assert derivation is not None and isinstance(derivation.steps[-1].claim, Unrealizable)
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds


def test_given_weights_are_kept() -> None:
    given = 'given = { W2 = [[-1, -1, -1, -1]], b2 = 0, b1 = [0, 0, 0, 0] }'
    net = found(solved(f'layers = [5, 4, 1]\nproperty = "x1 > x2 > x3 > x4 > x5"\n{given}')).network
    assert net[1].weights == ((-1,) * 4,) and net[1].biases == (0,)
    part = 'layers = [3, 2, 1]\nproperty = "x1 > x2 > x3"\ngiven = { W1 = [["?", -2, 2], ["?", "?", "?"]] }'
    assert found(solved(part)).network[0].weights[0] == (0, -2, 2)


def test_weights_in_a_range() -> None:
    part = 'layers = [4, 2, 1]\ndomain = "booleans"\nproperty = "exactly 2 of x1..x4"\nweights = [-1, 1]\nbiases = [-3, 3]'
    net = found(solved(part, '[expected]\n"a" = "possible"')).network
    assert all(-1 <= w <= 1 for layer in net for row in layer.weights for w in row)


def test_sixty_four_inputs_in_seconds() -> None:
    start = time.process_time()
    result = solved('layers = [64, 63, 1]\nproperty = "x1 > x2 > ... > x64"', '[expected]\n"a" = "possible"')
    assert summary(result)[0].good
    assert time.process_time() - start < 10


def test_a_search_that_stops_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_BRANCHES", 30)
    row = summary(solved('layers = [3, 2, 1]\ndomain = "booleans"\nproperty = "parity of x1..x3"', '[expected]\n"a" = "impossible"'))[0]
    assert not row.good
    assert "undecided" in row.failure and "neither weights nor their absence was shown" in row.failure


@pytest.mark.parametrize(("part", "words"), [
    ('layers = [2, 1]\nproperty = "?"', "a property is needed"),
    ('layers = [2, 1]\nproperty = "x1 > x3"', "the inputs are x1..x2"),
    ('layers = [2, 2]\nproperty = "x1 > x2"', "1 property for 2 output units"),
    ('layers = [2, 1]\nproperty = "x1 > x2"\nweights = [2, -2]', "is empty"),
    ('layers = [2, 1]\nproperty = "x1 > x2"\ngiven = { W1 = [[1, 2, 3]] }', "it must be 1 x 2"),
    ('layers = [2, 1]\nproperty = "x1 > x2"\ngiven = { b1 = [1, 2] }', "b1 has 2 entries"),
    ('layers = [2, 1]\nproperty = "x1 > x2"\ngiven = { b4 = 1 }', "the arrays of this network are W1, b1"),
    ('layers = [2, 1]\nproperty = "x1 > x2"\ninputs = ["a"]', "inputs names 1 inputs, the network has 2"),
    ('layers = [0, 1]\nproperty = "x1 > x2"', "greater than or equal to 1"),
    ('layers = [2, 1]\nproperty = "x1 and x2"', 'domain = "booleans"'),
])
def test_errors_help(part: str, words: str) -> None:
    with pytest.raises(SpecErrors) as error:
        solved(part)
    assert words in str(error.value)


def test_a_chain_of_any_length() -> None:
    result = solved('layers = ["n", "n-1", 1]\nproperty = "y = 1 iff x[1] > x[2] > ... > x[n]"', '[expected]\n"a" = "possible"')
    assert summary(result)[0].good
    assert verify(result.problem, result.certificate).holds
    assert "for every n >= 2" in result.certificate.entries[0].verdict.domain


@pytest.mark.parametrize("part", [
    'layers = ["n", "n", 1]\nproperty = "x[1] > x[2] > ... > x[n]"',
    'layers = ["n", "n-1", 1]\nproperty = "x[1] > x[2] > ... > x[m]"',
    'layers = ["n", "n-1", 1]\nproperty = "x[1] > x[2] < ... > x[n]"',
    'layers = ["n", "n-1", 1]\nproperty = "y = 0 iff x[1] > ... > x[n]"',
    'layers = ["n", "n-1", 1]\nproperty = "exactly 2 of x1..xn"',
    'layers = ["n", 4, 1]\nproperty = "x1 > ... > xn"',
    'layers = ["n", "n-1", 1]\nproperty = "x1 > ... > xn"\ndomain = "booleans"',
])
def test_other_symbolic_sizes_are_unsupported(part: str) -> None:
    with pytest.raises(SpecErrors, match="unsupported"):
        solved(part)


def test_one_property_or_several() -> None:
    from symgrad.sheet import markdown
    from symgrad.sheet.compose import SOLUTION, compose

    for layers, properties, noun in (("[2, 2, 2]", '["x1 xor x2", "x1 and x2"]', "properties"), ("[2, 1]", '"x1 and x2"', "property")):
        result = solved(f'layers = {layers}\ndomain = "booleans"\nproperty = {properties}')
        text = markdown.render(compose(result.problem, result.parts, SOLUTION))
        assert f"decides the {noun} below" in text and f"The network decides the {noun} (" in text
