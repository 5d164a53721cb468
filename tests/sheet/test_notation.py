"""Names with superscripts of their own, as layers have them, under exponents and transposes."""

from __future__ import annotations

import pytest
from sympy import Integer, Pow, Symbol, Transpose

from symgrad.language import vectors as v
from symgrad.language.errors import SpecError
from symgrad.reader.read import read_text
from symgrad.sheet.notation import Notation
from symgrad.sheet.tex import parse

TEXT = r"""
format = 1
id = "x"
title = "x"
[symbols]
a = { latex = 'a^{(1)}' }
b = { latex = 'b_{1}^{(2)}' }
c = {}
W = { shape = "K, N", latex = 'W_{1}^{(2)}' }
x = { shape = "N", latex = 'x^{(1)}' }
[model]
let = '''
y = sum(W @ x) + a + b + c
'''
[[part]]
label = "a"
ask = "backward"
of = "y"
wrt = ["x"]
"""


@pytest.fixture(name="notation")
def _notation() -> Notation:
    return Notation(read_text(TEXT, "x.toml")[0].graph)


@pytest.mark.parametrize(("name", "tex"), [
    ("a", r"\left(a^{(1)}\right)^{2}"), ("b", r"\left(b_{1}^{(2)}\right)^{2}"), ("c", "c^{2}")])
def test_a_power_of_a_name_with_a_superscript(notation: Notation, name: str, tex: str) -> None:
    """In parentheses, and admitted by the reader of TeX; without them it is not."""
    symbol = notation.graph.symbol(name)
    assert isinstance(symbol, Symbol)
    assert notation.tex(Pow(symbol, Integer(2))) == tex
    parse(tex)
    if "^" in notation.name(name):
        with pytest.raises(SpecError, match="second superscript"):
            parse(notation.name(name) + "^{2}")


def test_the_same_of_vectors_and_matrices(notation: Notation) -> None:
    x, W = notation.graph.symbol("x"), notation.graph.symbol("W")
    for tex in (notation.tex(v.Power(x, Integer(2))), notation.tex(Transpose(W)), notation.tex(Transpose(x))):
        parse(tex)
