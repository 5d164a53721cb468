"""ask = "check_network": a candidate is proved right, refuted by a simple point, or refused for its shapes; or its property is found."""

from __future__ import annotations

from dataclasses import replace

from sympy import Integer, Symbol

from symgrad.language import forms as F
from symgrad.language.claims import Decides, Misfits, Violates
from symgrad.language.errors import Unsupported
from symgrad.language.problem import CheckNetwork, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.threshold import TRUE, Formula, Wanted, misfit
from symgrad.questions.threshold import at_point, decided, explained, fires_at_zero, said, settle

MAX_INSTEAD = 120
"""Letters up to which it is said what a wrong network decides."""


def derive_check_network(problem: Problem, part: str, ask: CheckNetwork) -> Derivation:
    """Shapes first; then what each unit does; then the property, or each row of the mark scheme."""
    wrong = misfit(ask.network, ask.layers)
    if wrong:
        step = Step(Misfits(ask.network, ask.layers), "shapes", ("The arrays do not make this network",), (), "shapes")
        return Derivation(part, problem.graph, (step,), (), refuted=f"refused: {wrong}")
    closed = fires_at_zero(problem)
    steps, outputs = explained(ask.network, ask.wanted, closed)
    if not ask.wanted.properties and not ask.levels:
        if outputs is None:
            raise Unsupported("a unit that has no short description in words; state a property to check")
        found = decided(ask.network, ask.wanted, closed, outputs)
        step = Step(found, "put together", ("What the network decides",), steps[-1:], "property")
        return Derivation(part, problem.graph, (*steps, step), ())
    if not ask.levels:
        step, refuted = judged(ask, ask.wanted, closed, steps, "property", "The property")
        rest = instead(ask, closed, steps, outputs) if refuted else ()
        return Derivation(part, problem.graph, (*steps, step, *rest), (), refuted=refuted)
    rows = [judged(ask, level.wanted, closed, steps, level.name, f"{level.marks} marks, {level.name}") for level in ask.levels]
    earned = max((level.marks for level, (step, _) in zip(ask.levels, rows, strict=True) if isinstance(step.claim, Decides)), default=Integer(0))
    highest = max(level.marks for level in ask.levels)
    refuted = next((r for level, (_, r) in zip(ask.levels, rows, strict=True) if r and level.marks == highest), "")
    rest = instead(ask, closed, steps, outputs) if refuted else ()
    answer = Answer("marks", F.Just(Symbol("marks")), F.Just(earned))
    refuted = refuted and f"earns {earned} of {highest} marks: {refuted}"
    return Derivation(part, problem.graph, (*steps, *(s for s, _ in rows), *rest), (answer,), refuted=refuted)


def instead(ask: CheckNetwork, closed: bool, steps: tuple[Step, ...], outputs: tuple[Formula, ...] | None) -> tuple[Step, ...]:
    """What a wrong network decides, where that is short."""
    if outputs is None:
        return ()
    try:
        found = decided(ask.network, replace(ask.wanted, where=TRUE), closed, outputs)
    except Unsupported:
        return ()
    if len(said(found.wanted)) > MAX_INSTEAD:
        return ()
    return (Step(found, "put together", ("What the network decides instead",), steps[-1:], "instead"),)


def judged(ask: CheckNetwork, wanted: Wanted, closed: bool, steps: tuple[Step, ...], label: str, title: str) -> tuple[Step, str]:
    """One property proved or refuted; and the refutation in words."""
    claim = settle(ask.network, wanted, closed)
    if isinstance(claim, Violates):
        step = Step(claim, "counterexample", (f"{title}: refuted by a counterexample",), steps[-1:], label)
        return step, f"wrong: at {at_point(claim)} the network differs from {said(wanted)}"
    return Step(claim, "all cases", (f"{title}: proved",), steps[-1:], label), ""
