"""One class per kind of question: how it derives its answer.  To add one: a file, its line in `derive`, its fields in the reader."""

from __future__ import annotations

from typing import assert_never

from symgrad.language.problem import Backward, Choose, Forward, Gradient, Part, Problem, Prove
from symgrad.language.steps import Derivation


def derive(problem: Problem, part: Part) -> Derivation:
    """The derivation that answers one part.  Raises Unsupported where symgrad cannot do it yet."""
    match part.ask:
        case Forward():
            from symgrad.questions.forward import derive_forward
            return derive_forward(problem, part.label, part.ask)
        case Gradient():
            from symgrad.questions.gradient import derive_gradient
            return derive_gradient(problem, part.label, part.ask)
        case Backward():
            from symgrad.questions.backward import derive_backward
            return derive_backward(problem, part.label, part.ask)
        case Choose():
            from symgrad.questions.choose import derive_choose
            return derive_choose(problem, part.label, part.ask)
        case Prove():
            from symgrad.questions.prove import derive_prove
            return derive_prove(problem, part.label, part.ask)
    assert_never(part.ask)
