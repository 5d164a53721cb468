"""[network] is shorthand: it expands to the symbols and the let-list that one would write."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Integer

from symgrad.language.errors import SpecErrors
from symgrad.language.problem import Problem
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
