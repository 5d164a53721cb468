"""Sheets of threshold networks: nothing of the answer in the question, tables that a person can redo, formulas that a strict reader takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from math_core import LatexToMathML

from symgrad.pipeline import Result, solve
from symgrad.reader.read import read, read_text
from symgrad.sheet import document as D
from symgrad.sheet import html, latex, markdown, terminal
from symgrad.sheet.compose import VIEWS, compose
from symgrad.sheet.tex import check_tex

ROOT = Path(__file__).parent.parent.parent
HEAD = 'format = 1\nid = "p"\ntitle = "A network"\n[[part]]\nlabel = "a"\n'
BACKWARDS = "W1 = [[1, -1, 0], [0, 1, -1]]\nb1 = [0, 0]\nW2 = [1, 1]\nb2 = -2\n"


def solved(part: str) -> Result:
    return solve(*read_text(HEAD + part, "p.toml"))


def formulas(value: object) -> Iterator[str]:
    """Every formula of a document, wherever it stands."""
    if isinstance(value, D.Maths):
        yield value.tex
    elif isinstance(value, tuple):
        for x in value:
            yield from formulas(x)
    elif hasattr(value, "__slots__") and not isinstance(value, D.Picture):
        for name in value.__slots__:  # type: ignore[attr-defined]
            yield from formulas(getattr(value, name))


def text(result: Result, view: str) -> str:
    return markdown.render(compose(result.problem, result.parts, view))


PARTS = {
    "construct": 'ask = "construct"\nlayers = [3, 2, 1]\nproperty = "x1 > x2 > x3"\nmarks = { hidden = 2, output = 1, property = 3 }',
    "right": 'ask = "check_network"\nproperty = "x1 >= x2 >= x3"\n' + BACKWARDS,
    "wrong": 'ask = "check_network"\nproperty = "x1 > x2 > x3"\n' + BACKWARDS,
    "refused": 'ask = "check_network"\nlayers = [3, 2, 1]\nproperty = "x1 > x2 > x3"\n' + BACKWARDS.replace("b1 = [0, 0]", "b1 = [0, 0, 0]"),
    "found out": 'ask = "check_network"\n' + BACKWARDS,
    "levels": 'ask = "check_network"\nproperty = "x1 > x2 > x3"\n' + BACKWARDS
              + 'levels = [{ marks = 10, where = "all inputs distinct" }, { marks = 20 }]',
    "cases": 'ask = "check_network"\nproperty = "x1 > x2 > x3"\nW1 = [[-1, 1, 0], [0, -1, 1], [-2, 0, 2]]\nW2 = [-1, -2, -3]',
    "boolean": 'ask = "construct"\nlayers = [2, 2, 2]\ndomain = "booleans"\nproperty = ["x1 xor x2", "x1 and x2"]',
    "deep": 'ask = "construct"\nlayers = [3, 3, 2, 1]\nproperty = "exactly 2 of (x1 > x2, x2 > x3, x3 > x1)"',
    "one unit": 'ask = "construct"\nlayers = [2, 1]\ndomain = "booleans"\nproperty = "x1 xor x2"',
    "one hidden unit": 'ask = "construct"\nlayers = [2, 1, 1]\ndomain = "booleans"\nproperty = "x1 xor x2"',
    "two hidden units": 'ask = "construct"\nlayers = [3, 2, 1]\ndomain = "booleans"\nproperty = "parity of x1..x3"',
    "borders": 'ask = "construct"\nlayers = [3, 1, 1]\nproperty = "x1 > x2 > x3"',
    "forced": 'ask = "construct"\nlayers = [2, 2, 1]\nproperty = "x1 > 0 xor x2 > 1"',
    "beside": 'ask = "construct"\nlayers = [1, 1]\nproperty = "x1 > 0"',
    "blind": 'ask = "construct"\nlayers = [3, 2, 1]\nproperty = "x1 > x2 > x3"\ngiven = { W1 = [[1, -1, 0], [0, 1, -1]], b1 = [0, 0] }',
    "range": 'ask = "construct"\nlayers = [2, 1]\ndomain = "booleans"\nproperty = "x1 and x2"\nweights = [0, 1]\nbiases = [-1, 1]',
    "large": 'ask = "construct"\nlayers = [20, 19, 1]\nproperty = "x1 > x2 > ... > x20"',
    "names": 'ask = "construct"\nlayers = [2, 1]\nproperty = "price >= 2 * cost_1 + 1/2"\ninputs = ["price", "cost_1"]',
    "chain": 'ask = "construct"\nlayers = ["n", "n-1", 1]\nproperty = "x1 > ... > xn"',
    "whole chain": 'ask = "construct"\nlayers = ["n", "n-1", 1]\ndomain = "integers"\nproperty = "x1 > ... > xn"',
    "constant": 'ask = "check_network"\nW1 = [[1, 0], [0, 1]]\nb1 = [0, 0]\nW2 = [[1, 1]]\nb2 = [-5]',
}


@pytest.mark.parametrize("name", PARTS)
def test_every_view_in_every_format(name: str) -> None:
    result = solved(PARTS[name])
    assert result.parts[0].derivation is not None, result.parts[0].failure
    strict = LatexToMathML()
    for view in VIEWS:
        document = compose(result.problem, result.parts, view)
        for tex in formulas(document):
            check_tex(tex)
            strict.convert_with_local_state(tex, displaystyle=True)
        assert "<math" in html.render(document)
        assert latex.render(document) and markdown.render(document) and terminal.render(document)


@pytest.mark.parametrize("name", PARTS)
def test_the_question_holds_no_trace_of_the_answer(name: str) -> None:
    result = solved(PARTS[name])
    question = compose(result.problem, result.parts, "question")
    alone = solve(result.problem).problem
    assert question == compose(alone, tuple(type(p)(p.part, None) for p in result.parts), "question")
    assert not any(isinstance(b, D.Steps | D.Stamp | D.Boxed) for b in question.blocks)


def test_the_construction_can_be_followed() -> None:
    result = solved(PARTS["construct"])
    tex = set(formulas(compose(result.problem, result.parts, "solution")))
    assert {r"x_{1} \leq x_{2}", "z = -h_{1} - h_{2}", "x_{1} > x_{2} > x_{3}", r"\text{none of}\; h_{1}, h_{2}"} <= tex
    assert any(t.startswith(r"{\left[\begin{matrix} -1 & 1 & 0 \\ 0 & -1 & 1 \end{matrix}\right]}") for t in tex)
    assert "Hidden units that fire" in text(result, "solution")


def test_the_counterexample_can_be_redone() -> None:
    result = solved(PARTS["wrong"])
    tex = set(formulas(compose(result.problem, result.parts, "solution")))
    assert {r"\left(x_{1}, x_{2}, x_{3}\right) = \left(1, 0, 0\right)", "z = x_{2} - x_{3} = 0", "z = h_{1} + h_{2} - 2 = 0", "0 > 0"} <= tex
    assert "but the property fails here" in text(result, "solution")


def test_marks() -> None:
    assert "not satisfied" in text(solved(PARTS["levels"]), "marking")
    assert "not satisfied" not in text(solved(PARTS["levels"]), "question")


def test_one_unit_is_refuted_by_four_inequalities() -> None:
    result = solved(PARTS["one unit"])
    tex = set(formulas(compose(result.problem, result.parts, "solution")))
    assert {"b < 0", r"w_{1} + b \geq 0", r"w_{2} + b \geq 0", "w_{1} + w_{2} + b < 0"} <= tex
    assert "are the same form in the weights" in text(result, "solution")


def test_a_large_network_stays_short() -> None:
    result = solve(*read(ROOT / "problems" / "ordering-sixty-four.toml"))
    document = compose(result.problem, result.parts, "solution")
    assert len(markdown.render(document)) < 20_000
    assert all(len(tex) < 2_000 for tex in formulas(document))
