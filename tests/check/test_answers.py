"""A box says no more than a checked line: every box of every problem stands in a claim, and changed boxes do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Integer, Rational

from symgrad.check.answers import stands
from symgrad.language import forms as F
from symgrad.language.problem import Backward, Choose, Forward, Gradient, Problem
from symgrad.language.steps import Answer
from symgrad.pipeline import solve_part
from symgrad.questions import derive
from symgrad.reader.read import read
from tests.making import choose, forward, gradient

FILES = sorted((Path(__file__).parents[2] / "problems").glob("*.toml"))
SIGMOID = gradient("h = sigmoid(w*x)\nL = h^2", "x = 1\nw = 2", "L", "w", "[values]\nh = { value = 0.9, rounded = true }")
FREE = gradient("h = sigmoid(w*x)\nL = h^2", "x = {}\nw = {}", "L", "w")
FORWARD = forward("y = 2*x\nz = exp(y)", "x = 1")
CHOICE = choose("L = a*b", "a = {}\nb = {}", "L", "a b", ["(b, a)", "(a, b)"])


def parts() -> list[tuple[str, Problem, int]]:
    found = [(f.stem, read(f)[0]) for f in FILES] + [("sigmoid", SIGMOID), ("free", FREE), ("forward", FORWARD), ("choice", CHOICE)]
    kinds = Forward | Gradient | Backward | Choose
    # over a symbolic number of steps the boxes are made of the claims themselves: sheet/recursion.py
    return [(name, p, k) for name, p in found if p.sequence is None for k, part in enumerate(p.parts) if isinstance(part.ask, kinds)]


@pytest.mark.parametrize(("name", "problem", "k"), parts(), ids=lambda x: str(x) if isinstance(x, str | int) else "")
def test_every_box_stands_and_no_other_does(name: str, problem: Problem, k: int) -> None:
    derivation = derive(problem, problem.parts[k])
    claims = tuple(s.claim for s in derivation.all_steps())
    assert derivation.answers
    for a in derivation.answers:
        assert stands(a, claims), a
        for wrong in altered(a):
            assert not stands(wrong, claims), wrong
        assert not stands(a, ())


def altered(a: Answer) -> list[Answer]:
    """Another right side, another left side, rounded for exact."""
    found = [replace(a, right=F.Just(Integer(-987))), replace(a, left=F.TotalOf("L", "nowhere")), replace(a, left=F.AdjointOf("nowhere"))]
    if isinstance(a.right, F.Decimal):
        found += [replace(a, right=F.Decimal(a.right.value + Rational(1, 10**a.right.digits), a.right.digits)), replace(a, approx=not a.approx)]
    elif isinstance(a.right, F.Just):
        found.append(replace(a, right=F.Product((F.Just(Integer(2)), a.right))))
    return found


def test_a_part_with_a_box_of_its_own_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    import symgrad.questions as questions

    honest = questions.derive

    def lying(problem: Problem, part: object) -> object:
        derivation = honest(problem, part)  # type: ignore[arg-type]
        return replace(derivation, answers=tuple(replace(a, right=F.Just(Integer(7))) for a in derivation.answers))

    monkeypatch.setattr(questions, "derive", lying)
    item, _ = solve_part(FORWARD, FORWARD.parts[0], ())
    assert item.derivation is None and item.failure == "no checked line says what is boxed as y, z"
