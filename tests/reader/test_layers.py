"""Threshold networks written as let-lists, against the let-list evaluated by hand."""

from __future__ import annotations

from itertools import product

import pytest

from symgrad.language.errors import SpecErrors
from symgrad.language.problem import CheckNetwork
from symgrad.pipeline import solve, summary
from symgrad.reader.read import read_text
from tests.threshold_oracle import run

HEAD = 'format = 1\nid = "p"\ntitle = "A network"\n'
VECTORS = '''[symbols]
x = { shape = "3", role = "input" }
W1 = { shape = "2, 3", value = [[-1, 1, 0], [0, -1, 1]] }
w2 = { shape = "2", value = [-1, -1] }
[model]
let = """
h = step(W1 @ x + zeros(2))
y = step(w2.T @ h)
"""
'''
SCALARS = '''[symbols]
a = { role = "input" }
b = { role = "input" }
[model]
let = """
h1 = step(a + b - 1)
h2 = step(2*a + 2*b - 3)
y = step(h1 - 2*h2 - 1/2)
"""
'''


def asked(top: str, part: str) -> CheckNetwork:
    problem, _ = read_text(f'{HEAD}{top}[[part]]\nlabel = "a"\nask = "check_network"\n{part}', "p.toml")
    ask = problem.parts[0].ask
    assert isinstance(ask, CheckNetwork)
    return ask


def test_vectors() -> None:
    ask = asked(VECTORS, 'of = "y"\nproperty = "x[1] > x[2] > x[3]"')
    assert ask.wanted.inputs == ("x1", "x2", "x3")
    for x in product(range(3), repeat=3):
        assert run(ask.network, x) == [int(x[0] > x[1] > x[2])]


def test_scalars() -> None:
    ask = asked(SCALARS, 'of = "y"\nproperty = "a xor b"\ndomain = "booleans"')
    assert ask.wanted.inputs == ("a", "b")
    for x in product((0, 1), repeat=2):
        assert run(ask.network, x) == [x[0] ^ x[1]]


def test_solved_from_the_model() -> None:
    order = "x1 > x2 > x3"
    for top, part, expected in ((VECTORS, f'property = "{order}"', "right"), (VECTORS, "", order), (SCALARS, 'domain = "booleans"', "a xor b")):
        text = f'{HEAD}{top}[[part]]\nlabel = "a"\nask = "check_network"\nof = "y"\n{part}\n[expected]\n"a" = "{expected}"'
        assert summary(solve(*read_text(text, "p.toml")))[0].good


@pytest.mark.parametrize(("let", "words"), [
    ("y = sigmoid(a)", "Call in a threshold network"),
    ("y = a + b", "not the output of the last layer"),
    ("h = step(a)\\ny = step(h + b)", "fed by two layers at once"),
    ("y = step(a * b)", "a product of inputs or units"),
    ("h = step(a)\\ny = step(b)\\nz = step(h)", "there is no q"),
    ("y = step(a * w)", "w has no value"),
])
def test_what_is_not_a_threshold_network(let: str, words: str) -> None:
    of = "q" if "no q" in words else "y"
    top = '[symbols]\na = { role = "input" }\nb = { role = "input" }\nw = {}\n[model]\nlet = "' + let + '"\n'
    with pytest.raises(SpecErrors) as error:
        asked(top, f'of = "{of}"\nproperty = "a > 0"')
    assert words in str(error.value)


def test_not_given_twice() -> None:
    with pytest.raises(SpecErrors, match="given twice"):
        asked(VECTORS, 'of = "y"\nW1 = [[1, 2, 3]]\nproperty = "x1 > 0"')
