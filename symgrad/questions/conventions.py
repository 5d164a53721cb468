"""What the problem fixes where mathematics leaves a choice, in words, for the functions that are applied."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.language import forms as F
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Prose
from symgrad.language.functions import Fn, call, scalar
from symgrad.language.problem import Problem


def at_kinks(problem: Problem, names: Iterable[str], derivatives: bool = True) -> tuple[Prose, ...]:
    """One sentence for each convention that the definitions of `names` need; `derivatives` adds those that only a derivative needs."""
    graph, conventions = problem.graph, problem.conventions
    applied = {fn.name for n in names if graph.arguments(n) for fn in graph.node(n).expr.atoms(Fn)}
    found: list[Prose] = []
    share, slope = conventions.relu_at_zero, conventions.abs_at_zero
    if derivatives and share is not None:
        if {"relu", "leaky_relu"} & applied:
            found.append(("By convention of the problem the derivative of ReLU at 0 is ", F.Just(share), "."))
        if {"max", "min"} & applied:
            found.append(("By convention of the problem the derivative of a maximum or a minimum at a tie is ", F.Just(share),
                          " in its first argument and ", F.Just(1 - share), " in its second."))
    if derivatives and slope is not None and "abs" in applied:
        found.append(("By convention of the problem the derivative of ", F.Just(call("abs", scalar("z"))), " at 0 is ", F.Just(slope), "."))
    if "step" in applied:
        found.append(("The step function jumps at 0, where its value is ", F.Just(conventions.step_at_zero), "."))
    return tuple(found)


def with_signs(problem: Problem, names: Iterable[str]) -> tuple[Prose, ...]:
    """The same where the slope of |z| is written as sign(z).  Raises Unsupported where the problem fixes another one at 0 than sign(0) = 0."""
    names, slope = tuple(names), problem.conventions.abs_at_zero
    if slope not in (None, 0) and any(fn.name == "abs" for n in names if problem.graph.arguments(n) for fn in problem.graph.node(n).expr.atoms(Fn)):
        raise Unsupported(f"abs_at_zero = {slope} where the derivative of |z| is written as sign(z), which is 0 at 0; only ask = \"gradient\" "
                          "takes another value")
    return at_kinks(problem, names)
