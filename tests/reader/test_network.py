"""[network] is shorthand: it expands to the symbols and the let-list that one would write."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import exp, log

import pytest
from sympy import Integer

from symgrad.check.values import Valuation
from symgrad.language.claims import EXACT, Total
from symgrad.language.errors import SpecErrors
from symgrad.language.problem import Problem
from symgrad.pipeline import solve
from symgrad.reader.read import read_text


def network(lines: str, ask: str = 'ask = "forward"') -> Problem:
    return read_text(f'format = 1\nid = "p"\ntitle = "t"\n[network]\n{lines}\n[[part]]\nlabel = "a"\n{ask}\n', "p.toml", "p")[0]


def test_names_and_definitions() -> None:
    graph = network('layers = [2, 2, 1]\nactivation = "tanh"').graph
    assert [x.name for x in graph.variables] == ["x1", "x2", "w1_11", "w1_21", "b1_1", "w1_12", "w1_22", "b1_2", "w2_11", "w2_21", "b2", "Y"]
    assert [n.name for n in graph.nodes] == ["Z1_1", "H1_1", "Z1_2", "H1_2", "H2", "Loss"]
    assert str(graph.node("Loss").expr) in ("(-H2 + Y)**2", "(Y - H2)**2")
    assert {x.name for x in graph.variables if x.role == "parameter"} == {n for n in graph.names if n[0] in "wb"}


def test_values_by_hand() -> None:
    """A 2-1 network with halves for weights: H = relu(0.5 * 1 + 0.5 * 3 + 0.25)."""
    problem = network('layers = [2, 1]\noutput = "relu"\nweights = 0.5\nbiases = 0.25\ninputs = [1, 3]\ntarget = 2\nloss = "half_squared"')
    values = {g.name: Fraction(int(g.entries[0][0].p), int(g.entries[0][0].q)) for g in problem.values}
    assert values == {"x1": 1, "x2": 3, "w1_11": Fraction(1, 2), "w1_21": Fraction(1, 2), "b1": Fraction(1, 4), "Y": 2}


def test_many_units_are_named_apart() -> None:
    names = network("layers = [11, 1]\nloss = \"none\"").graph.names
    assert {"w1_1_1", "w1_11_1"} <= set(names) and len(names) == len(set(names))


@pytest.mark.parametrize(("lines", "message"), [
    ("layers = [3]", "network.layers"), ("layers = [0, 1]", "network.layers"), ("layers = [65, 1]", "network.layers"),
    ("layers = [2, 1]\ninputs = [1]", "network.inputs has 1 numbers, the layer has 2 units"),
    ("layers = [2, 2]\ntarget = 1", "network.target has 1 numbers, the layer has 2 units"), ('layers = [2, 1]\nloss = "mse"', "network.loss"),
    ("layers = [2, 1]\nwidth = 3", "unknown key network.width"),
    ('layers = [2, 2, 1]\nactivation = "rellu"', r"did you mean relu\?"),
])
def test_slips(lines: str, message: str) -> None:
    with pytest.raises(SpecErrors) as error:
        network(lines)
    assert message.replace("\\", "") in str(error.value), str(error.value)


def test_a_number_for_every_weight() -> None:
    graph = network("layers = [2, 1]\nweights = 1\nbiases = 0\ninputs = [1, 1]\ntarget = 0").graph
    assert graph.shape("w1_11") == (Integer(1), Integer(1))


def test_weights_of_their_own_go_by_the_names() -> None:
    """weights[layer][from][to], a number for a whole layer; the same for biases."""
    problem = network("layers = [3, 2, 1]\nweights = [[[1, 2], [3, 4], [5, 6]], 7]\nbiases = [[8, 9], 10]\ninputs = [0, 0, 0]\ntarget = 0")
    values = {g.name: int(g.entries[0][0]) for g in problem.values}
    assert [values[n] for n in ("w1_11", "w1_12", "w1_21", "w1_22", "w1_31", "w1_32", "w2_11", "w2_21")] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert [values[n] for n in ("b1_1", "b1_2", "b2")] == [8, 9, 10]


@pytest.mark.parametrize(("lines", "message"), [
    ("weights = [1]", "network.weights is for 1 layers; there are 2 between the 3 sizes of network.layers"),
    ("weights = [[[1, 2, 3], [4, 5, 6]], 1]", "network.weights[1] has 2 rows of 3; a row for each of the 3 units that layer 1 reads"),
    ("biases = [[1], 0]", "network.biases[1] has 1 numbers, the layer has 2 units"),
    ('weights = [[["a", 2], [3, 4], [5, 6]], 1]', "'a' is not a decimal number"),
])
def test_slips_in_the_numbers_of_layers(lines: str, message: str) -> None:
    with pytest.raises(SpecErrors) as error:
        network(f"layers = [3, 2, 1]\n{lines}")
    assert message in str(error.value)


@pytest.mark.parametrize(("loss", "output", "by_hand"), [
    ("rss", "identity", lambda t, z: sum((a - b) ** 2 for a, b in zip(t, z, strict=True))),
    ("hinge", "identity", lambda t, z: sum(max(0.0, 1 - a * b) for a, b in zip(t, z, strict=True))),
    ("binary_cross_entropy", "sigmoid", lambda t, z: sum(log(1 + exp(b)) - a * b for a, b in zip(t, z, strict=True))),
    ("cross_entropy", "softmax", lambda t, z: sum(-a * (b - log(sum(map(exp, z)))) for a, b in zip(t, z, strict=True))),
])
def test_losses_by_formulas_in_the_pre_activations(loss: str, output: str, by_hand: Callable[..., float]) -> None:
    """Two inputs, three outputs: the value of Loss against another formula for it, and its gradient against finite differences of that."""
    weights, inputs, target = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], [1.0, -2.0], [1.0, 0.0, 0.0]
    numbers = f"weights = [{weights}]\nbiases = 0\ninputs = {inputs}\ntarget = {target}"
    problem = network(f'layers = [2, 3]\noutput = "{output}"\nloss = "{loss}"\n{numbers}',
                      'ask = "gradient"\nof = "Loss"\nwrt = ["w1_11", "w1_22", "w1_13"]')
    result = solve(problem)
    assert not result.parts[0].failure

    def value(w: list[list[float]]) -> float:
        return float(by_hand(target, [sum(x * row[k] for x, row in zip(inputs, w, strict=True)) for k in range(3)]))

    step = 1e-6
    for name, (i, k) in {"w1_11": (0, 0), "w1_22": (1, 1), "w1_13": (0, 2)}.items():
        up, down = ([[x + s * (a == i and b == k) for b, x in enumerate(row)] for a, row in enumerate(weights)] for s in (step, -step))
        claim = next(s.claim for s in result.parts[0].derivation.all_steps() if isinstance(s.claim, Total) and s.claim.wrt == name)  # type: ignore[union-attr]
        values = Valuation(problem, EXACT)
        found = values.slope("Loss", name).interval
        assert abs(float(found.mid.a) - (value(up) - value(down)) / (2 * step)) < 1e-6 and claim.of == "Loss"
