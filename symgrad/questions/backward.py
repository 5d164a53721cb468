"""ask = "backward": the backprop equations in bar notation, from the seed down, one adjoint a definition."""

from __future__ import annotations

from functools import reduce

from sympy import Expr, HadamardProduct, Identity, Integer, MatMul, Transpose, ZeroMatrix

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, AdjointEntry, ClosedForm, Line
from symgrad.language.entries import Indices, entry
from symgrad.language.graph import Node
from symgrad.language.problem import Backward, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.rules.vector import derivative, pullback


def bar(problem: Problem, name: str) -> Expr:
    """The symbol of an adjoint, shaped like its node."""
    return v.variable(f"{name}_bar", problem.graph.shape(name))


def derive_backward(problem: Problem, part: str, ask: Backward) -> Derivation:
    """Adjoints of every node between `of` and `wrt`; the graph of the derivation has them as definitions."""
    graph = problem.graph
    asked = tuple(dict.fromkeys((*ask.wrt, *ask.components, *ask.closed_form)))
    wanted = {n for w in asked for n in graph.between(w, ask.of)} | {ask.of}
    order = [n for n in reversed(graph.names) if n in wanted or n in asked]
    steps: dict[str, Step] = {}
    exprs: dict[str, Expr] = {}
    for name in order:
        steps[name], exprs[name] = adjoint_step(problem, ask, name, steps, exprs)
    listed = [steps[n] for n in order]
    answers = []
    for name in asked:
        answers.append(Answer(f"{name}_bar", F.AdjointOf(name), F.Just(exprs[name])))
    for name in ask.components:
        step = entry_step(problem, ask, name, exprs[name], steps[name])
        listed.append(step)
        claim = step.claim
        assert isinstance(claim, AdjointEntry)
        answers.append(Answer(f"{name}_bar_i", F.Component(name, claim.indices), F.Just(claim.expr)))
    for name in ask.closed_form:
        closed = closed_form(problem, name, exprs)
        listed.append(Step(ClosedForm(ask.of, name, closed), "substitution", ("put the adjoints into one formula",),
                           tuple(steps[n] for n in order), f"{name}_bar (closed form)"))
        answers.append(Answer(f"{name}_bar (closed form)", F.AdjointOf(name), F.Just(closed)))
    extended = graph.extended(
        tuple(Node(f"{n}_bar", exprs[n], rf"\bar{{{graph[n].latex or n}}}") for n in order), ())
    layout = ("Every adjoint has the shape of its variable: the bar over v is the derivative of "
              f"{ask.of} with respect to v, laid out like v (denominator layout).",)
    return Derivation(part, extended, tuple(listed), tuple(answers), (layout,))


def adjoint_step(problem: Problem, ask: Backward, name: str, steps: dict[str, Step], exprs: dict[str, Expr]) -> tuple[Step, Expr]:
    """v_bar = sum over the consumers u of v of (du/dv)^T u_bar."""
    graph = problem.graph
    if name == ask.of:
        one = Integer(1)
        return Step(Adjoint(ask.of, name, one, (Line(F.Just(one)),)), "seed", (f"the derivative of {name} in itself",), (), f"{name}_bar"), one
    consumers = [u for u in graph.consumers(name) if graph.between(u, ask.of)]
    shape = graph.shape(name)
    if not consumers:
        zero: Expr = Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape)
        nothing = Adjoint(ask.of, name, zero, (Line(F.Just(zero)),))
        return Step(nothing, "no path", (f"no path leads from {name} to {ask.of}",), (), f"{name}_bar"), zero
    leaf = graph.symbol(name)
    raw, seeded = [], []
    for u in consumers:
        definition = graph.node(u).expr
        raw.append(pulled(ask, definition, bar(problem, u), leaf, graph.symbol(u)))
        known = exprs[u] if exprs[u].is_Number else bar(problem, u)
        seeded.append(pulled(ask, definition, known, leaf, graph.symbol(u)))
    expr = reduce(v.add, seeded)
    lines = [Line(_sum([F.Pullback(u, name) for u in consumers]), () if len(consumers) == 1 else ("one term for every consumer",))]
    for written in (False, True):
        layouts = [layout(problem, u, name, r, written) for u, r in zip(consumers, raw, strict=True)]
        if any(layouts):
            lines.append(Line(_sum([a if a is not None else F.Just(r) for a, r in zip(layouts, raw, strict=True)])))
    lines += [Line(_sum([F.Just(r) for r in raw])), Line(F.Just(expr))]
    lines = [x for k, x in enumerate(lines) if k == 0 or not _same(x.form, lines[k - 1].form)]
    claim = Adjoint(ask.of, name, expr, tuple(lines))
    words = f"{name} is used by {', '.join(consumers[:-1])}{' and ' if len(consumers) > 1 else ''}{consumers[-1]}"
    premises = [steps[u] for u in consumers]
    step = Step(claim, "sum over consumers", (words,), tuple(premises), f"{name}_bar")
    return step, expr


def pulled(ask: Backward, definition: Expr, g: Expr, leaf: Expr, own: Expr) -> Expr:
    """The contribution of one consumer, sigma' kept or written out as the problem asks."""
    found = pullback(definition, g, leaf, own)
    if ask.expand and isinstance(definition, v.Elementwise):
        table = {v.Elementwise(definition.fn.derivative(s), *definition.arguments): derivative(definition, s, own, expand=True)
                 for s in range(len(definition.arguments))}
        found = put_in(found, table)
    return found


def layout(problem: Problem, u: str, name: str, raw: Expr, written: bool) -> F.Form | None:
    """The Jacobian of one consumer, laid out: stacked partials of a scalar, a diagonal, a matrix; None where it teaches nothing."""
    graph = problem.graph
    column = graph.shape(name)[1] == 1 and graph.shape(name) != v.SCALAR
    if not column or graph.shape(u)[1] != 1:
        return None
    g = bar(problem, u)
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
    free = (indices.take(),) if shape[1] == 1 else (indices.take(), indices.take())
    i, j = (*free, Integer(1))[:2]
    found = entry(expr, i, j, indices)
    return Step(AdjointEntry(ask.of, name, free, found), "entry of a matrix expression",
                ("read the equation entry by entry",), (rests_on,), f"{name}_bar_i")


def closed_form(problem: Problem, name: str, exprs: dict[str, Expr]) -> Expr:
    """The adjoint with the definitions of all other adjoints put in, from the seed down."""
    whole: dict[Expr, Expr] = {}
    for n, e in exprs.items():
        whole[bar(problem, n)] = put_in(e, whole)
        if n == name:
            break
    return whole[bar(problem, name)]


def put_in(e: Expr, table: dict[Expr, Expr], memo: dict[Expr, Expr] | None = None) -> Expr:
    """Equals put in for equals, products and sums kept flat."""
    memo = dict(table) if memo is None else memo
    if e not in memo:
        args = tuple(put_in(a, table, memo) if isinstance(a, Expr) else a for a in e.args)
        memo[e] = e if args == e.args else _rebuilt(e, args)
    return memo[e]


def _rebuilt(e: Expr, args: tuple[Expr, ...]) -> Expr:
    if isinstance(e, MatMul):
        return reduce(v.matmul, args)
    if isinstance(e, HadamardProduct):
        return reduce(v.times, args)
    if isinstance(e, Transpose):
        return v.transpose(args[0])
    if e.is_Add or e.is_MatAdd:
        return reduce(v.add, args)
    if e.is_Mul:
        return reduce(v.times, args)
    return e.func(*args)


def _sum(terms: list[F.Form]) -> F.Form:
    return terms[0] if len(terms) == 1 else F.Sum(tuple(terms))


def _same(a: F.Form, b: F.Form) -> bool:
    return a == b or (isinstance(a, F.Sum) and isinstance(b, F.Just) and all(isinstance(t, F.Just) for t in a.terms)
                      and reduce(v.add, [t.expr for t in a.terms]) == b.expr)  # type: ignore[union-attr]

