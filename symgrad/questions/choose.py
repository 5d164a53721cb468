"""ask = "choose": every choice is proved equal to the derived answer, or separated from it by an exact point."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr

from symgrad.language import forms as F
from symgrad.language.arrangement import fraction
from symgrad.language.claims import Adjoint, Differs, Matches, Total, Witness
from symgrad.language.errors import ShapeError, Unsupported
from symgrad.language.problem import Backward, Choose, Gradient, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.vectors import SCALAR, names_in, say_shape, shape_of, variable
from symgrad.questions.backward import derive_backward
from symgrad.questions.gradient import derive_gradient
from symgrad.solvers.values import Undefined, Values, plus
from symgrad.solvers.witness import composed, witness

NEAR = (1e-20, 1e-2)
"""Values that differ by less are equal; by more, they are not even the same when rounded."""


def derive_choose(problem: Problem, part: str, ask: Choose) -> Derivation:
    """First the derivatives, then one step a choice that has a value: it matches, has another shape, or differs at a witness."""
    graph = problem.graph
    scalar = all(graph.shape(n) == SCALAR for n in graph.ancestors(ask.of))
    unvalued = Problem(problem.id, problem.title, graph, problem.parts, conventions=problem.conventions)
    below = derive_gradient(unvalued, part, Gradient(ask.of, ask.wrt)) if scalar else derive_backward(unvalued, part, Backward(ask.of, ask.wrt))
    table = {}
    for step in below.all_steps():
        if isinstance(step.claim, Adjoint):
            table[variable(f"{step.claim.node}_bar", graph.shape(step.claim.node))] = step.claim.expr
        elif isinstance(step.claim, Total):
            table[variable(f"{step.claim.wrt}_bar", SCALAR)] = step.claim.expr
    derived = [composed(graph, variable(f"{w}_bar", graph.shape(w)), table) for w in ask.wrt]
    steps = list(below.steps)
    answers: list[Answer] = []
    left: F.Form = F.Tuple(tuple(F.TotalOf(ask.of, w) for w in ask.wrt)) if len(ask.wrt) > 1 else F.TotalOf(ask.of, ask.wrt[0])
    for number, choice in enumerate(ask.choices, 1):
        if ask.misfit(number):
            continue
        label = f"choice {number}"
        at = given_values(problem, derived, choice)
        claim: Matches | Differs = Matches(ask.of, ask.wrt, choice)
        because: F.Prose = ("equal to the derived answer" + (" at the given values" if at else ""),)
        for k, (w, e) in enumerate(zip(derived, choice, strict=True)):
            shape, found = shape_of(w), shape_of(e)
            if shape != found:
                claim = Differs(ask.of, ask.wrt, choice, k, None)
                because = (f"its shape is {say_shape(found)}, that of the derivative {say_shape(shape)}",)
                break
            try:
                point = witness(graph, w, composed(graph, e)) if at is None else None if equal_at(w, e, at) else at
            except ShapeError:
                point = None
            if point is not None:
                claim = Differs(ask.of, ask.wrt, choice, k, point)
                because = (f"it differs from the derived answer at {'the given values' if at else 'a point'}",)
                break
        steps.append(Step(claim, "comparison with the derived answer", because, tuple(below.steps[-len(ask.wrt):]), label))
        if isinstance(claim, Matches):
            right: F.Form = F.Tuple(tuple(F.Just(e) for e in choice)) if len(choice) > 1 else F.Just(choice[0])
            answers.append(Answer(label, left, right))
    return Derivation(part, below.graph, tuple(steps), tuple(answers), below.conventions)


def given_values(problem: Problem, derived: list[Expr], choice: tuple[Expr, ...]) -> Witness | None:
    """Where a choice of numbers alone is compared: at the given values, if all that the derivatives depend on is given."""
    names = dict.fromkeys(n for e in derived for n in names_in(e))
    if not names or any(map(names_in, choice)):
        return None
    given = {g.name: g for g in problem.values}
    rounded = [n for n in given if given[n].digits is not None]
    if rounded and len(given) > len(rounded):
        raise Unsupported(f"a choice of numbers where {rounded[0]} is given as a rounded value; ask = \"gradient\" compares such numbers")
    if not all(n in given and problem.graph.shape(n) == SCALAR for n in names):
        return None
    return Witness((), tuple((n, given[n].entries) for n in names), (1, 1))


def equal_at(derived: Expr, number: Expr, at: Witness) -> bool:
    """Does a derivative have this value at a point, as far as 20 digits show?  Raises Unsupported where it has none, or nearly this one."""
    point = {n: ((fraction(rows[0][0]),),) for n, rows in at.values}
    try:
        value, stated = (Values({}, point).scalar(e) for e in (derived, number))
    except Undefined:
        raise Unsupported("the given values are at a kink, or the derivative has no value there: a choice of numbers is not compared") from None
    gap = abs(plus(value, -stated))
    if isinstance(value, Fraction) or gap < NEAR[0] or gap > NEAR[1] * (1 + abs(float(stated))):
        return bool(gap < NEAR[0])
    raise Unsupported(f"the choice {float(stated):.6g} is the derivative at the given values, {float(value):.10g}, only when rounded; choices are "
                      "compared exactly: write the exact value, or ask = \"gradient\", where numbers are rounded")
