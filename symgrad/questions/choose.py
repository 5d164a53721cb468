"""ask = "choose": every choice is proved equal to the derived answer, or separated from it by an exact point."""

from __future__ import annotations

from symgrad.language import forms as F
from symgrad.language.claims import Adjoint, Differs, Matches, Total
from symgrad.language.errors import ShapeError
from symgrad.language.problem import Backward, Choose, Gradient, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.vectors import SCALAR, say_shape, shape_of, variable
from symgrad.questions.backward import derive_backward
from symgrad.questions.gradient import derive_gradient
from symgrad.solvers.witness import composed, witness


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
        claim: Matches | Differs = Matches(ask.of, ask.wrt, choice)
        because: F.Prose = ("equal to the derived answer",)
        for k, (w, e) in enumerate(zip(derived, choice, strict=True)):
            shape, found = shape_of(w), shape_of(e)
            if shape != found:
                claim = Differs(ask.of, ask.wrt, choice, k, None)
                because = (f"its shape is {say_shape(found)}, that of the derivative {say_shape(shape)}",)
                break
            try:
                point = witness(graph, w, composed(graph, e))
            except ShapeError:
                point = None
            if point is not None:
                claim = Differs(ask.of, ask.wrt, choice, k, point)
                because = ("it differs from the derived answer at a point",)
                break
        steps.append(Step(claim, "comparison with the derived answer", because, tuple(below.steps[-len(ask.wrt):]), label))
        if isinstance(claim, Matches):
            right: F.Form = F.Tuple(tuple(F.Just(e) for e in choice)) if len(choice) > 1 else F.Just(choice[0])
            answers.append(Answer(label, left, right))
    return Derivation(part, below.graph, tuple(steps), tuple(answers), below.conventions)
