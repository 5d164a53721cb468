"""Names with superscripts of their own under exponents and transposes; lines of numbers that mean what they say."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from sympy import Integer, Pow, Symbol, Transpose

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Total
from symgrad.language.errors import SpecError
from symgrad.pipeline import solve
from symgrad.reader.read import read_text
from symgrad.sheet import markdown
from symgrad.sheet.compose import SOLUTION, compose
from symgrad.sheet.notation import Notation
from symgrad.sheet.tex import parse
from tests.making import forward, gradient, solved

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


def arithmetic(tex: str) -> Fraction:
    """The value of a printed line of numbers, read as a reader does: fractions, dots, parentheses."""
    text = re.sub(r"\\left|\\right|\s|\{\}", "", tex).replace(r"\cdot", "*")
    text = re.sub(r"\^\{(-?\d+)\}", r"**(\1)", text)
    while (found := re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", text)) is not None:
        text = f"{text[:found.start()]}(({found[1]})/({found[2]})){text[found.end():]}"
    text = re.sub(r"(?<=[\d)])\(", "*(", text)
    assert re.fullmatch(r"[\d.()+\-*/]+", text), tex
    return eval(re.sub(r"(\d+\.?\d*)", r"Fraction('\1')", text), {"Fraction": Fraction})


@pytest.mark.parametrize(("let", "of"), [
    ("a = w*x + b\nc = (a - t)^2\nL = (1 - w)*c + w*a/(1 + b)", "L"),
    ("a = w - x\nc = -(w*a - b/(1 - a))\nL = c*(a - b) - t*c", "L"),
    ("a = w*b\nc = (1 - t)/(1 - a) - t/a\nL = (x - 1)*c^2 + a", "L"),
])
def test_lines_of_numbers_are_true_as_they_are_printed(let: str, of: str) -> None:
    """Every line after the formula has the value of the last one: no parenthesis is lost where numbers take the place of names."""
    found = solve(gradient(let, "x = -2\nt = 3\nw = 5\nb = -7", of, "w b x"))
    (item,) = found.parts
    assert item.derivation is not None and not item.failure
    printed = 0
    for step in item.derivation.all_steps():
        if isinstance(step.claim, Total):
            notation = Notation(item.derivation.graph)
            lines = [notation.form(x.form) for x in step.claim.lines if not names_in_form(x.form)]
            values = {arithmetic(line) for line in lines}
            printed += len(lines) > 2
            assert len(values) == 1, lines
    assert printed


def names_in_form(form: F.Form) -> bool:
    """Are there letters in it, once substitutions are made?"""
    match form:
        case F.Product(parts) | F.Sum(parts):
            return any(map(names_in_form, parts))
        case F.Just(expr):
            return bool(expr.free_symbols)
        case F.Decimal() | F.Substituted():
            return False
    return True


def test_a_value_that_is_put_in_is_written_as_it_is_elsewhere() -> None:
    """Dots stand between the factors of the formula, not inside a value: sigma(1/2 tanh(1)) after o = 1/2 tanh(1) is no new line."""
    p = forward("h = tanh(x)\no = w*h\np = sigmoid(o)\nq = w*o", 'x = 1\nw = "1/2"')
    text = markdown.render(compose(p, solved(p).parts, SOLUTION))
    assert text.count(r"\sigma \left( \frac{1}{2} \tanh \left( 1 \right) \right)") == 3  # the table, the step, the answer
    assert r"\frac{1}{2} \cdot \left( \frac{1}{2} \tanh \left( 1 \right) \right)" in text and r"\cdot \tanh" in text
