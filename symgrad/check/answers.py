"""Does a boxed answer stand in a claim that holds?  A box is printed large, so it must not say more than a checked line says."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.language import forms as F
from symgrad.language.claims import (
    EXACT,
    ROUNDED,
    Adjoint,
    AdjointEntry,
    ArrayValue,
    Claim,
    ClosedForm,
    ClosedTangent,
    GivenValue,
    Line,
    Matches,
    Tangent,
    Total,
    Value,
)
from symgrad.language.steps import Answer
from symgrad.language.tangents import is_jacobian


def stands(answer: Answer, claims: Iterable[Claim]) -> bool:
    """Some claim is about the left side and has the right side for a line, exact or rounded as the box says, or for its result."""
    valuation = ROUNDED if answer.label.endswith("(rounded)") else EXACT
    return any(_says(c, answer, valuation) for c in claims)


def _says(c: Claim, answer: Answer, valuation: str) -> bool:
    left, right = answer.left, answer.right
    match c:
        case Total(of, wrt, expr, lines, kind):
            return left == F.TotalOf(of, wrt) and kind == valuation and (right == F.Just(expr) or _among(lines, answer))
        case Value(node, lines, kind):
            return isinstance(left, F.Just) and str(left.expr) == node and kind == valuation and _among(lines, answer)
        case ArrayValue(node, seed, lines):
            named = left == F.AdjointOf(node) if seed else isinstance(left, F.Just) and str(left.expr) == node
            return named and _among(lines[-1:], answer)
        case GivenValue(name, value, _):
            return isinstance(left, F.Just) and str(left.expr) == name and right == F.Just(value)
        case Adjoint(_, node, expr, _) | ClosedForm(_, node, expr):
            return left == F.AdjointOf(node) and right == F.Just(expr)
        case AdjointEntry(_, node, indices, expr):
            return left == F.Component(node, indices) and right == F.Just(expr)
        case Tangent(node, seed, direction, expr) | ClosedTangent(node, seed, direction, expr):
            second = F.SecondOf(seed, node.removesuffix("_bar"), direction[0][0]) if seed and is_jacobian(direction) else None
            return left in (F.TangentOf(node, direction), second) and right == F.Just(expr)
        case Matches(of, wrt, choice):
            if len(wrt) == 1:
                return left == F.TotalOf(of, wrt[0]) and right == F.Just(choice[0])
            return left == F.Tuple(tuple(F.TotalOf(of, w) for w in wrt)) and right == F.Tuple(tuple(F.Just(e) for e in choice))
    return False


def _among(lines: tuple[Line, ...], answer: Answer) -> bool:
    return any(x.form == answer.right and x.approx == answer.approx for x in lines)
