"""Sums that vanish and near misses that do not, for sums of products of local partials."""

from __future__ import annotations

import pytest

from symgrad.language.problem import Conventions
from symgrad.rules.cancelling import cancels
from symgrad.rules.vanishing import Ranges
from tests.questions.asking import ask


@pytest.mark.parametrize(("let", "facts", "expected"), [
    ("a = w*x\nc = x*w\nL = loss(a - c, t)", "", True),
    ("a = w*x\nc = 2*x*w\nL = loss(a - c, t)", "", False),
    ("a = relu(w*x + 1)\nc = relu(1 + x*w)\nL = loss(a - c, t)", "", True),
    ("a = relu(w*x + 1)\nc = relu(2 + x*w)\nL = loss(a - c, t)", "", False),
    ("a = w*x\nc = w*u\nL = loss(a - c, t)", "x = u", True),
    ("a = w*x\nc = w*u\nL = loss(a - c, t)", "x = -u", False),
    ("a = w*x\nc = w*u\nL = loss(a + c, t)", "x = -u", True),
    ("a = w*x\nc = w*u\nL = loss(2*a - c, t)", "2*x - u = 0", True),
    ("a = relu(w)\nc = w\nL = loss(a - c, t)", "w > 0", True),
    ("a = relu(w)\nc = w\nL = loss(a - c, t)", "w < 0", False),
    ("a = relu(w)\nc = relu(-w)\nL = loss(a - c - w, t)", "w > 0", True),
    ("a = relu(w)\nc = relu(-w)\nL = loss(a - c - w, t)", "", False),  # at w = 0 it depends on the slope there
    ("a = max(w, x)\nc = min(w, x)\nL = loss(a + c - w, t)", "w > x", True),
    ("a = max(w, x)\nc = max(x, w)\nL = loss(a - c, t)", "w < x", True),
    ("p = sigmoid(w)\na = log(p)\nL = a - log(p)", "", True),
    ("p = sigmoid(w)\nL = -u*log(p) - (1 - u)*log(1 - p)", "p = u", True),
    ("p = sigmoid(w)\nL = -u*log(p) - (1 - u)*log(1 - p)", "p = 2*u", False),
    ("a = phi(w)\nc = phi(w)\nL = a - c", "", True),
    ("a = phi(w)\nc = phi(2*w)\nL = a - c", "", False),
    ("a = w^2\nc = (w - x)*(w + x)\nL = loss(a - c - x^2, t)", "", True),
])
def test_sums(let: str, facts: str, expected: bool) -> None:
    problem = ask(let, "w", facts)
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    ranges = Ranges(problem.graph, Conventions(), case, frozenset(problem.graph.names))
    assert cancels(ranges, problem.graph.paths("w", "L")) == expected
