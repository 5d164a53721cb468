"""ask = "backward": the backprop equations in bar notation, from the seed down, one adjoint a definition."""

from __future__ import annotations

from functools import reduce

from sympy import Expr, HadamardProduct, Identity, Integer, MatMul, Transpose

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, AdjointEntry, ClosedForm, Line
from symgrad.language.entries import Indices, entry
from symgrad.language.errors import Unsupported
from symgrad.language.graph import Graph
from symgrad.language.problem import Backward, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.tangents import with_adjoints
from symgrad.language.vectors import names_in
from symgrad.questions.arrays import Arrays, NoValue, answer, variables_of
from symgrad.questions.conventions import with_signs
from symgrad.questions.recurrences import across, all_steps, recurrences
from symgrad.questions.structured import gradients, label, rule_of, structure_notes
from symgrad.rules.adjoints import Accumulated, accumulate, bar
from symgrad.rules.structured import with_structure
from symgrad.rules.tidy import tidied
from symgrad.rules.vector import put_in


def derive_backward(problem: Problem, part: str, ask: Backward) -> Derivation:
    """Adjoints of every node between `of` and `wrt`; the graph of the derivation has them as definitions."""
    graph = problem.graph
    if problem.sequence is not None:
        return derive_recursion(problem, part, ask)
    asked = tuple(dict.fromkeys((*ask.wrt, *ask.components, *ask.closed_form)))
    steps, extended = adjoints(problem, ask.of, asked, ask.expand)
    exprs = {name: extended.node(f"{name}_bar").expr for name in steps}
    listed = list(steps.values())
    answers = []
    for name in asked:
        answers.append(Answer(label(graph, name), F.AdjointOf(name), F.Just(exprs[name])))
    for name in ask.components:
        step = entry_step(problem, ask, name, exprs[name], steps[name])
        listed.append(step)
        claim = step.claim
        assert isinstance(claim, AdjointEntry)
        answers.append(Answer(f"{label(graph, name)}_i", F.Component(name, claim.indices), F.Just(claim.expr)))
    for name in ask.closed_form:
        closed = tidied(closed_form(graph, name, exprs))
        listed.append(Step(ClosedForm(ask.of, name, closed), "substitution", ("put the adjoints into one formula",),
                           tuple(steps.values()), f"{label(graph, name)} (closed form)"))
        answers.append(Answer(f"{label(graph, name)} (closed form)", F.AdjointOf(name), F.Just(closed)))
    numeric, values, reason = numbers(problem, ask, asked, exprs, steps)
    listed += numeric
    answers += values
    extended = extended.extended(gradients(graph, exprs))
    notes = (*layout_note(graph, ask, tuple(steps)), *structure_notes(graph, ask.of, tuple(steps)), *with_signs(problem, graph.ancestors(ask.of)))
    return Derivation(part, extended, tuple(listed), tuple(answers), (*notes, *reason))


def numbers(problem: Problem, ask: Backward, asked: tuple[str, ...], exprs: dict[str, Expr], steps: dict[str, Step],
            ) -> tuple[list[Step], list[Answer], tuple[F.Prose, ...]]:
    """The values of all nodes and adjoints where the problem gives numbers to every variable; where there are none nevertheless, why."""
    graph, stated = problem.graph, {g.name for g in problem.values if g.digits is None}
    needed = graph.ancestors(ask.of) | {n for e in exprs.values() for n in names_in(e) if n in graph}
    variables = variables_of(problem, needed)
    if not stated or not set(variables) <= stated:
        return [], [], ()
    nodes = {n.name: n.expr for n in graph.nodes if n.name in needed}
    try:
        arrays = Arrays(problem, {**nodes, **{f"{n}_bar": e for n, e in exprs.items()}}, variables)
        arrays.require_off_kinks(nodes)
        found: dict[str, Step] = {}
        for name, e in nodes.items():
            found[name] = arrays.step(name, "", e, [found[a] for a in graph.arguments(name) if a in found], f"{name} (numbers)")
        for name, e in exprs.items():
            if e.is_Number:  # dL/dL = 1
                continue
            rests_on = [found[a] for a in names_in(e) if a in found]
            found[f"{name}_bar"] = arrays.step(name, ask.of, e, (steps[name], *rests_on), f"{label(graph, name)} (numbers)")
    except NoValue as error:
        name = error.name.removesuffix("_bar")
        left = F.Just(graph.symbol(name)) if name == error.name else F.AdjointOf(name)
        return [], [], (("No numbers are put in: ", left, f" has no {error.what} there: {error.why}."),)
    except Unsupported as error:
        return [], [], ((f"No numbers are put in: {error}.",),)
    answers = [answer(found[f"{n}_bar"], F.AdjointOf(n), f"{label(graph, n)} (numbers)") for n in asked if f"{n}_bar" in found]
    return list(found.values()), answers, ()


def derive_recursion(problem: Problem, part: str, ask: Backward) -> Derivation:
    """The backward recursion of a sequence of symbolic length; the graph of the derivation is that of three steps."""
    assert problem.sequence is not None
    if ask.components or ask.closed_form:
        raise Unsupported("components and closed forms of a sequence of symbolic length")
    asked = all_steps(problem.sequence, ask.wrt)
    kept = across(problem.sequence, accumulate(problem.graph, ask.of, asked))
    found = accumulate(problem.graph, ask.of, asked, ask.expand, kept)
    found.setdefault(ask.of, Accumulated(Integer(1)))
    steps, extended = adjoints(problem, ask.of, asked, ask.expand, kept=kept)
    listed = recurrences(problem, ask, found, steps)
    notes = (*layout_note(problem.graph, ask, tuple(steps)), *with_signs(problem, problem.graph.ancestors(ask.of)))
    return Derivation(part, extended, listed, (), notes)


def adjoints(problem: Problem, of: str, asked: tuple[str, ...], expand: bool, moving: tuple[str, ...] = (), kept: frozenset[str] = frozenset(),
             ) -> tuple[dict[str, Step], Graph]:
    """The steps of the adjoints of `asked` and of all between, and the graph with the adjoints for definitions.

    `moving` are names in which the adjoints will be differentiated, so that they must hold whatever these are; the adjoints of those
    `kept` stay names even where they are numbers.
    """
    found = with_structure(problem.graph, accumulate(problem.graph, of, asked, expand, kept), moving)
    found.setdefault(of, Accumulated(Integer(1)))
    steps: dict[str, Step] = {}
    for name, accumulated in found.items():
        steps[name] = adjoint_step(problem, of, name, accumulated, steps)
    return steps, with_adjoints(problem.graph, {name: a.expr for name, a in found.items()})


def layout_note(graph: Graph, ask: Backward, names: tuple[str, ...]) -> tuple[F.Prose, ...]:
    """The layout convention, and what a transposed Jacobian in a matrix means where one occurs."""
    of = F.Just(graph.symbol(ask.of))
    notes: list[F.Prose] = [("Every adjoint is the derivative of ", of, " and has the shape of its variable (denominator layout).",)]
    if any(1 not in graph.shape(n) for n in names):
        notes.append(("Where the variable is a matrix, its transposed Jacobian times an adjoint stands for the sum over all entries "
                      "of the consumer, each entry's derivative times its adjoint, laid out like the variable.",))
    return tuple(notes)


def adjoint_step(problem: Problem, of: str, name: str, accumulated: Accumulated, steps: dict[str, Step]) -> Step:
    """v_bar = sum over the consumers u of v of (du/dv)^T u_bar."""
    expr, consumers = accumulated.expr, accumulated.consumers
    if name == of:
        seed = Adjoint(of, name, expr, (Line(F.Just(expr)),))
        return Step(seed, "seed", (f"the derivative of {name} in itself",), (), label(problem.graph, name))
    if not consumers:
        nothing = Adjoint(of, name, expr, (Line(F.Just(expr)),))
        return Step(nothing, "no path", (f"no path leads from {problem.graph.asked(name)} to {of}",), (), label(problem.graph, name))
    raw = accumulated.terms
    lines = [Line(_sum([F.Pullback(u, name) for u in consumers]), () if len(consumers) == 1 else ("one term for every consumer",))]
    for written in (False, True):
        layouts = [layout(problem.graph, u, name, r, written) for u, r in zip(consumers, raw, strict=True)]
        if any(layouts):
            lines.append(Line(_sum([a if a is not None else F.Just(r) for a, r in zip(layouts, raw, strict=True)])))
    whole = [*(e for e, _ in accumulated.before), expr]
    lines += [Line(_sum([F.Just(r) for r in raw])), *map(Line, map(F.Just, whole[:1]))]
    lines += [Line(F.Just(e), why) for e, (_, why) in zip(whole[1:], accumulated.before, strict=True)]
    lines = [x for k, x in enumerate(lines) if k == 0 or not _same(x.form, lines[k - 1].form)]
    words = f"{name} is used by {', '.join(consumers[:-1])}{' and ' if len(consumers) > 1 else ''}{consumers[-1]}"
    premises = [steps[u] for u in consumers]
    return Step(Adjoint(of, name, expr, tuple(lines)), rule_of(problem.graph, name), (words,), tuple(premises), label(problem.graph, name))


def layout(graph: Graph, u: str, name: str, raw: Expr, written: bool) -> F.Form | None:
    """The Jacobian of one consumer, laid out: stacked partials of a scalar, a diagonal, a matrix; None where it teaches nothing."""
    column = graph.shape(name)[1] == 1 and graph.shape(name) != v.SCALAR
    if not column or graph.shape(u)[1] != 1:
        return None
    g = bar(graph, u)
    if graph.shape(u) == v.SCALAR:
        if not written:
            return F.JacobianTimes(F.Stacked(u, name), u)
        if isinstance(raw, MatMul) and raw.args[0] == g:
            return F.JacobianTimes(F.Spread(raw.func(*raw.args[1:]) if len(raw.args) > 2 else raw.args[1]), u)
        return None
    if raw == g:
        return F.JacobianTimes(F.Spread(Identity(graph.shape(name)[0])), u, True)
    if isinstance(raw, HadamardProduct) and g in raw.args and len(raw.args) == 2:
        (d,) = [a for a in raw.args if a != g]
        return F.JacobianTimes(F.Diagonal(d), u, True)
    if isinstance(raw, MatMul) and len(raw.args) == 2 and raw.args[1] == g and not v.is_scalar(raw.args[0]):
        jacobian = v.transpose(raw.args[0])
        if not isinstance(jacobian, Transpose) or written:
            return F.JacobianTimes(F.Spread(jacobian), u, True)
    return None


def entry_step(problem: Problem, ask: Backward, name: str, expr: Expr, rests_on: Step) -> Step:
    """(v_bar)_ij with index sums."""
    graph = problem.graph
    taken = frozenset(graph.names) | frozenset(map(str, graph.dimensions))
    indices = Indices(taken)
    shape = graph.shape(name)
    i, j = (Integer(1) if d == 1 else indices.take() for d in shape)
    free = tuple(k for k in (i, j) if k != 1)
    found = entry(expr, i, j, indices)
    return Step(AdjointEntry(ask.of, name, free, found), "entry of a matrix expression",
                ("read the equation entry by entry",), (rests_on,), f"{label(graph, name)}_i")


def closed_form(graph: Graph, name: str, exprs: dict[str, Expr]) -> Expr:
    """The adjoint with the definitions of all other adjoints put in, from the seed down."""
    whole: dict[Expr, Expr] = {}
    for n, e in exprs.items():
        whole[bar(graph, n)] = put_in(e, whole)
        if n == name:
            break
    return whole[bar(graph, name)]


def _sum(terms: list[F.Form]) -> F.Form:
    return terms[0] if len(terms) == 1 else F.Sum(tuple(terms))


def _same(a: F.Form, b: F.Form) -> bool:
    return a == b or (isinstance(a, F.Sum) and isinstance(b, F.Just) and all(isinstance(t, F.Just) for t in a.terms)
                      and reduce(v.add, [t.expr for t in a.terms]) == b.expr)  # type: ignore[union-attr]

