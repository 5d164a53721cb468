"""Facts as text: what is read, and what is refused with a message that says what to do."""

from __future__ import annotations

import pytest
from sympy import Integer, Rational

from symgrad.language.errors import SpecErrors
from symgrad.language.functions import scalar
from symgrad.language.problem import GuaranteedZero
from symgrad.language.zeros import Fact, Relation
from symgrad.reader.read import read_text

HEAD = """format = 1
id = "x"
title = "x"
[symbols]
w = {}
x = {}
t = {}
[functions]
loss = 2
[model]
let = '''
z = w*x
h = relu(z)
L = loss(h, t)
'''
[[part]]
label = "a"
ask = "always_zero"
of = "L"
"""


def asked(part: str) -> GuaranteedZero:
    found = read_text(HEAD + part, "x.toml")[0].parts[0].ask
    assert isinstance(found, GuaranteedZero)
    return found


def message(part: str) -> str:
    with pytest.raises(SpecErrors) as error:
        read_text(HEAD + part, "x.toml")
    return str(error.value)


def test_facts() -> None:
    z, h, w = scalar("z"), scalar("h"), scalar("w")
    found = asked('wrt = ["w"]\nfacts = ["z = -1", "h == 0.5", "w != 0", "0 < z <= 2", "h >= w"]\n')
    assert found.cases == ((Fact(z, Relation.EQUAL, Integer(-1)), Fact(h, Relation.EQUAL, Rational(1, 2)), Fact(w, Relation.NOT_EQUAL, Integer(0)),
                            Fact(Integer(0), Relation.LESS, z), Fact(z, Relation.AT_MOST, Integer(2)), Fact(h, Relation.AT_LEAST, w)),)


def test_cases_and_parameters() -> None:
    found = asked('wrt = "parameters"\ncases = [["z = -1"], [], ["z > 0", "w ≤ 3"]]\n')
    assert found.wrt == ("w", "x", "t") and [len(c) for c in found.cases] == [1, 0, 2]


@pytest.mark.parametrize(("part", "pieces"), [
    ('wrt = ["w"]\n', ("one of facts and cases is needed", 'facts = ["z1 = -1"]')),
    ('wrt = ["w"]\nfacts = ["z = 1"]\ncases = [["z = 1"]]\n', ("one of facts and cases", "not both")),
    ('wrt = ["w"]\nfacts = ["z"]\n', ("'z' is not a fact", "comparison")),
    ('wrt = ["w"]\nfacts = ["z ="]\n', ("is not a fact",)),
    ('wrt = ["w"]\nfacts = ["zz = 1"]\n', ("unknown name zz",)),
    ('wrt = ["w"]\nfacts = ["g(z) = 1"]\n', ("applies no function g",)),
    ('wrt = ["w"]\nfacts = ["z = __import__(w)"]\n', ("x.toml:21",)),
    ('wrt = ["w"]\nfacts = ["z = (1 < 2)"]\n', ()),
    ('wrt = ["w", "w"]\nfacts = []\n', ("wrt names w twice",)),
    ('wrt = ["u"]\nfacts = []\n', ("wrt: there is no u",)),
    ('wrt = []\nfacts = []\n', ("wrt",)),
    ('wrt = ["w"]\nfact = ["z = 1"]\n', ("unknown key", "did you mean facts")),
    ('wrt = ["w"]\ncases = []\n', ("cases",)),
])
def test_messages(part: str, pieces: tuple[str, ...]) -> None:
    found = message(part)
    assert "x.toml:" in found
    for piece in pieces:
        assert piece in found, found


def test_vectors() -> None:
    text = HEAD.replace("t = {}", "t = {}\nu = 'N'").replace("z = w*x", "z = w*x\nq = u.T @ u")
    with pytest.raises(SpecErrors, match="compares scalars"):
        read_text(text + 'wrt = ["w"]\nfacts = ["u = 1"]\n', "x.toml")
    with pytest.raises(SpecErrors, match="is for scalars"):
        read_text(text + 'wrt = ["u"]\nfacts = []\n', "x.toml")
