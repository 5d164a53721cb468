"""One class per kind of question: how it derives its answer.  To add one: a file, its line in `derive`, its fields in the reader."""

from __future__ import annotations

from typing import assert_never

from symgrad.language.fill import Fill
from symgrad.language.problem import (
    Backward,
    CheckNetwork,
    Choose,
    Construct,
    ConstructChain,
    FindParameters,
    Forward,
    Gradient,
    GuaranteedZero,
    Hessian,
    HessianVector,
    Jacobian,
    Part,
    Problem,
    Prove,
)
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
        case Jacobian():
            from symgrad.questions.tangents import derive_jacobian
            return derive_jacobian(problem, part.label, part.ask)
        case Hessian():
            from symgrad.questions.tangents import derive_hessian
            return derive_hessian(problem, part.label, part.ask)
        case HessianVector():
            from symgrad.questions.tangents import derive_hvp
            return derive_hvp(problem, part.label, part.ask)
        case Choose():
            from symgrad.questions.choose import derive_choose
            return derive_choose(problem, part.label, part.ask)
        case Fill():
            from symgrad.questions.fill import derive_fill
            return derive_fill(problem, part.label, part.ask)
        case Construct():
            from symgrad.questions.construct import derive_construct
            return derive_construct(problem, part.label, part.ask)
        case ConstructChain():
            from symgrad.questions.construct import derive_chain
            return derive_chain(problem, part.label, part.ask)
        case CheckNetwork():
            from symgrad.questions.check_network import derive_check_network
            return derive_check_network(problem, part.label, part.ask)
        case FindParameters():
            from symgrad.questions.find_parameters import derive_find_parameters
            return derive_find_parameters(problem, part.label, part.ask)
        case GuaranteedZero():
            from symgrad.questions.always_zero import derive_always_zero
            return derive_always_zero(problem, part.label, part.ask)
        case Prove():
            from symgrad.questions.prove import derive_prove
            return derive_prove(problem, part.label, part.ask)
    assert_never(part.ask)
