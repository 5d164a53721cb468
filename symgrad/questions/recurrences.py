"""ask = "backward" for a sequence of symbolic length: the backward recursion, read off the graph of three steps."""

from __future__ import annotations

from functools import reduce

from sympy import Expr, Integer

from symgrad.language import forms as F
from symgrad.language import sequence as Q
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Line, Recurrence
from symgrad.language.errors import Unsupported
from symgrad.language.problem import Backward, Problem
from symgrad.language.steps import Step
from symgrad.rules.adjoints import Accumulated


def all_steps(sequence: Q.Sequence, names: tuple[str, ...]) -> tuple[str, ...]:
    """h_1, h_2, h_3 for h_2, names without steps as they are."""
    return tuple(dict.fromkeys(sequence.moved_name(n, k - at[1]) if (at := sequence.split(n)) else n for n in names for k in Q.STEPS[Q.EVERY]))


def across(sequence: Q.Sequence, found: dict[str, Accumulated]) -> frozenset[str]:
    """The names whose adjoints are made of those of other steps, or of all: even where they are numbers in the graph of three steps, as in
    g_bar[T] = 1, g_bar[t] = 1/2 g_bar[t+1], or 3 for what three steps use, only the equation is general."""
    def place(name: str) -> tuple[str, int]:
        return sequence.split(name) or (name, 0)

    uses = [(place(name), place(u)) for name, a in found.items() for u in a.consumers]
    bases = {base for (base, k), (_, there) in uses if there not in (0, k)}
    while new := {base for (base, _), (user, _) in uses if user in bases} - bases:
        bases |= new
    return frozenset(name for name in found if place(name)[0] in bases)


def recurrences(problem: Problem, ask: Backward, found: dict[str, Accumulated], steps: dict[str, Step]) -> tuple[Step, ...]:
    """One equation for every name, or one for the last step and one for those before; sums over time for what all steps share."""
    sequence, graph = problem.sequence, problem.graph
    assert sequence is not None
    sequence.require(graph, ask.of)
    everything, recurs = tuple(steps.values()), sequence.recurs(graph)
    out: list[Step] = []
    done: set[str] = set()
    for name in found:
        base = _base(sequence, name)
        if base in done:
            continue
        done.add(base)
        claims = _of_step(sequence, ask.of, base, steps) if base != name else [_shared(sequence, ask.of, name, found[name], steps[name])]
        for c in claims:
            users = {_base(sequence, u) for u in graph.consumers(c.node)}
            before = [s for s in out if isinstance(s.claim, Recurrence) and _base(sequence, s.claim.node) in users]
            out.append(Step(c, "sum over consumers", (_words(sequence, c, recurs),), (*everything, *before), f"{c.node}_bar"))
    return tuple(out)


def _adjoint(step: Step) -> Adjoint:
    assert isinstance(step.claim, Adjoint)
    return step.claim


def _of_step(sequence: Q.Sequence, of: str, base: str, steps: dict[str, Step]) -> list[Recurrence]:
    here = {k: _adjoint(steps[f"{base}_{k}"]) for k in (1, 2, 3) if f"{base}_{k}" in steps}

    def at(k: int, when: str) -> Recurrence:
        return Recurrence(of, here[k].node, when, here[k].expr, here[k].lines, None)

    if 2 not in here:
        return [at(3, Q.LAST)]
    if 3 in here and Q.alike(here[3].expr, sequence.moved(here[2].expr, 1)) and len(here[3].lines) == len(here[2].lines):
        return [at(2, Q.EVERY)]
    return [*([at(3, Q.LAST)] if 3 in here else []), at(2, Q.EARLIER)]


def _shared(sequence: Q.Sequence, of: str, name: str, a: Accumulated, step: Step) -> Recurrence:
    claim = _adjoint(step)
    parts: dict[int, list[tuple[str, Expr]]] = {}
    for u, term in zip(a.consumers, a.terms, strict=True):
        at = sequence.split(u)
        parts.setdefault(at[1] if at else 0, []).append((u, term))
    where = set(parts)
    if where <= {0}:
        return Recurrence(of, name, Q.ONCE, claim.expr, claim.lines, None)
    if where == {1}:
        return Recurrence(of, name, Q.FIRST, claim.expr, claim.lines, None)
    if where == {3}:
        return Recurrence(of, name, Q.LAST, claim.expr, claim.lines, None)
    if name.endswith("0") and name[:-1] in sequence.steps:
        raise Unsupported(f"{name} as the state before the first step and in other places, with a symbolic number of steps")
    if where - {0} != {1, 2, 3}:
        raise Unsupported(f"{name} is used at some of the steps only, with a symbolic number of steps")
    users = [F.Pullback(u, name) for u, _ in parts[2]]
    expr = reduce(v.add, [t for _, t in parts[2]])
    first: F.Form = users[0] if len(users) == 1 else F.Sum(tuple(users))
    rest = reduce(v.add, [t for _, t in parts[0]]) if 0 in parts else Integer(0)
    return Recurrence(of, name, Q.SUM, expr, (Line(first), Line(F.Just(expr))), rest)


def _base(sequence: Q.Sequence, name: str) -> str:
    at = sequence.split(name)
    return at[0] if at else name


def _words(sequence: Q.Sequence, c: Recurrence, recurs: bool) -> str:
    t, length = sequence.index, sequence.length
    whole, once = ("the sum over all steps", "outside of the steps") if recurs else (f"the sum over all {t}", f"one for all {t}")
    return {Q.EVERY: f"for {t} = 1, ..., {length}", Q.EARLIER: f"for {t} < {length}", Q.LAST: f"at {t} = {length}", Q.FIRST: "from the first step",
            Q.SUM: whole, Q.ONCE: once}[c.when]


__all__ = ["across", "all_steps", "recurrences"]
