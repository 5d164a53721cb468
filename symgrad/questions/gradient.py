"""ask = "gradient": the chain rule as a sum over paths, each local partial on its own line, numbers put in, result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.language import forms as F
from symgrad.language.claims import EXACT, ROUNDED, Line, Partial, Total
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.problem import Gradient, Problem, listed
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.vectors import SCALAR, merged, names_in, scalar, total
from symgrad.questions.conventions import at_kinks
from symgrad.questions.forward import given_steps, numeric_lines, substitution, valuations, value_step
from symgrad.rules.adjoints import live
from symgrad.rules.numbers import Num, Numbers, short
from symgrad.rules.scalar import local_partial

MAX_PATHS = 8
"""More paths than this do not fit a page: the sum then runs over the consumers, with their own totals as shared factors."""


@dataclass
class _Work:
    """The steps of one part in one valuation: every partial and every shared total is derived once."""

    problem: Problem
    of: str
    valuation: str
    numbers: Numbers
    partials: dict[tuple[str, str], Step] = field(default_factory=dict)
    values: dict[str, Step] = field(default_factory=dict)
    totals: dict[str, Step] = field(default_factory=dict)
    slopes: dict[str, Num] = field(default_factory=dict)
    suffix: str = ""

    def __post_init__(self) -> None:
        self.ways = self.problem.graph.ways(self.of)  # how many paths lead from each name to the loss


def derive_gradient(problem: Problem, part: str, ask: Gradient) -> Derivation:
    """d of / d wrt for every name in wrt.  Raises Unsupported for vectors and for a kink that no convention fixes."""
    graph = problem.graph
    for name in graph.ancestors(ask.of) | set(ask.wrt):
        if graph.shape(name) != SCALAR:
            raise Unsupported(f'{name} is a vector or matrix; ask = "gradient" sums over scalar paths, use ask = "backward"')
    needed = graph.ancestors(ask.of)
    stated = frozenset(g.name for g in problem.values if g.digits is not None)
    steps = list(given_steps(problem, needed - stated))
    if stated & needed:
        steps += given_steps(problem, stated & needed)
    given = {s.label: s for s in steps}
    answers: list[Answer] = []
    notes = []
    for valuation in valuations(problem):
        numbers = Numbers(problem, valuation)
        work = _Work(problem, ask.of, valuation, numbers, values=dict(given),
                     suffix=" (rounded)" if valuation == ROUNDED else "")
        before = len(steps)
        if numbers.covers(ask.of):
            used = {a for u in live(graph, ask.of, ask.wrt) for a in (*graph.arguments(u), u)}
            for n in graph.nodes:
                if n.name in used and n.name in numbers.values and n.name not in (stated if valuation == ROUNDED else ()):
                    step = value_step(problem, numbers, n.name, valuation)
                    premises = tuple(work.values[a] for a in graph.arguments(n.name) if a in work.values)
                    work.values[n.name] = Step(step.claim, step.rule, step.because, premises, n.name + work.suffix)
                    steps.append(work.values[n.name])
        for w in ask.wrt:
            step, answer = total_step(work, w)
            steps.append(step)
            answers.append(answer)
        if valuation == EXACT and ROUNDED in valuations(problem) and before:
            notes.append(("Everything is worked out twice: first with the values that the problem states, which are rounded, then exactly, "
                          "so that the effect of the rounding can be seen.",))
    return Derivation(part, graph, tuple(steps), tuple(answers), at_kinks(problem, graph.ancestors(ask.of)), tuple(notes))


def partial_step(work: _Work, u: str, v: str) -> Step:
    """The local partial of u in v, derived once."""
    if (u, v) not in work.partials:
        graph = work.problem.graph
        node = graph.node(u)
        expr, used = local_partial(node.expr, scalar(v), scalar(u))
        expr = kept_at_kinks(work, node.expr, expr)
        lines = [Line(F.Derivative(node.expr, v)), Line(F.Just(expr), (", ".join(used),) if used else ())]
        known = all(fn.name in KNOWN for fn in expr.atoms(Fn))
        if known and work.numbers.covers(*names_in(expr)) and names_in(expr):
            number = work.numbers.of(expr)
            put_in = substitution(expr, work.numbers, work.problem.digits)
            if put_in is not None and (len(names_in(expr)) > 1 or expr.count_ops() > 2):
                lines.append(put_in)
            lines += numeric_lines(number, work.problem.digits, kink_reason(work, expr))
        premises = tuple(work.values[n] for n in names_in(expr) if n in work.values)
        claim = Partial(u, v, expr, tuple(lines), work.valuation)
        work.partials[u, v] = Step(claim, used[0] if used else "constant", (), premises)
    return work.partials[u, v]


def kept_at_kinks(work: _Work, definition: Expr, expr: Expr) -> Expr:
    """|z|' stays as it is where z = 0: there it is not sign(z), but what the problem fixes."""
    calls = [c for c in definition.atoms(Call) if c.fn.name == "abs" and work.numbers.covers(*names_in(c.arguments[0]))]
    at_zero = [c for c in calls if work.numbers.of(c.arguments[0]).approx == 0]
    return expr.xreplace({Call(Fn("sign", (0,)), *c.arguments): Call(c.fn.derivative(0), *c.arguments) for c in at_zero})


def kink_reason(work: _Work, expr: Expr) -> F.Prose:
    """Why ReLU'(z) is 0 or 1: the sign of z, for every kink that the expression has."""
    found: list[F.Comparison] = []
    for call in sorted(expr.atoms(Call), key=str):
        row = KNOWN.get(call.fn.name)
        if row is not None and row.kink and (not call.fn.plain or row.name == "sign"):
            second = call.arguments[1] if row.name in ("max", "min") else Integer(0)
            found.append(compared(work, call.arguments[0], second))
    found = list(dict.fromkeys(found))  # both slopes of a maximum rest on one comparison
    return ("since ", *listed(found)) if found else ()


def compared(work: _Work, a: Expr, b: Expr) -> F.Comparison:
    """a = 3 < 4 = b: both values and which is larger."""
    digits = work.problem.digits
    left, right = work.numbers.of(a), work.numbers.of(b)
    relation = ">" if left.approx > right.approx else "<" if left.approx < right.approx else "="
    rough = [not isinstance(n.exact, Rational) for n in (left, right)]
    if any(rough) and left.decimal(digits) == right.decimal(digits):
        return F.Comparison(F.Just(a), relation, F.Just(b))  # as many decimals as are printed do not tell them apart
    numbers = [F.Just(n.exact) if isinstance(n.exact, Rational) else F.Decimal(n.decimal(digits), digits) for n in (left, right)]
    chain: F.Form = numbers[0] if a.is_Number else F.Comparison(F.Just(a), "≈" if rough[0] else "=", numbers[0])
    found = F.Comparison(chain, relation, numbers[1])
    return found if b.is_Number else F.Comparison(found, "≈" if rough[1] else "=", F.Just(b))


def total_step(work: _Work, wrt: str) -> tuple[Step, Answer]:
    """d of / d wrt: the sum over paths, the partials, the numbers, the result.  What it shares with others comes first, from the loss down."""
    pending = [wrt]  # no recursion: a chain may be as long as the graph
    while pending:
        shared = [u for u in _shared(work, pending[-1]) if u not in work.totals]
        if shared and pending[-1] not in work.totals:
            pending += shared
        else:
            name = pending.pop()
            if name not in work.totals:
                work.totals[name] = _total(work, name)
    claim = work.totals[wrt].claim
    assert isinstance(claim, Total)
    return work.totals[wrt], _answer(work, claim)


def _shared(work: _Work, wrt: str) -> list[str]:
    """The consumers whose totals are factors in that of `wrt`: those on a path, where there are too many paths to list."""
    return [u for u in work.problem.graph.consumers(wrt) if u in work.ways] if work.ways.get(wrt, 0) > MAX_PATHS else []


def _total(work: _Work, wrt: str) -> Step:
    graph, of = work.problem.graph, work.of
    count = work.ways.get(wrt, 0)
    rule = "chain rule"
    because: tuple[str | F.Form, ...]
    if wrt == of or count == 0:
        value = Integer(int(wrt == of))
        claim = Total(of, wrt, value, (Line(F.Just(value)),), work.valuation)
        work.slopes[wrt] = work.numbers.of(value)
        because = ("a derivative in itself",) if wrt == of else (f"no path leads from {wrt} to {of}",)
        return Step(claim, rule, because, (), wrt + work.suffix)
    if count <= MAX_PATHS:
        routes = [[(p[k + 1], p[k]) for k in reversed(range(len(p) - 1))] for p in graph.paths(wrt, of, work.ways)]
        heads: list[tuple[F.Form, ...]] = [() for _ in routes]
        because = ("chain rule along the one path",) if count == 1 else ("chain rule along all paths",)
        premises: list[Step] = []
        shared: list[Expr | None] = [None] * count
    else:
        consumers = _shared(work, wrt)
        routes = [[(u, wrt)] for u in consumers]
        heads = [(F.TotalOf(of, u),) for u in consumers]
        premises = [work.totals[u] for u in consumers]
        shared = [scalar(f"{u}_bar") for u in consumers]
        because = ("many paths lead here; those through one consumer share its total derivative",)
    partials = [[partial_step(work, u, x) for u, x in route] for route in routes]
    premises += [s for row in partials for s in row]
    exprs = [[s.claim.expr for s in row] for row in partials]  # type: ignore[union-attr]
    lines = [Line(_sum([head + tuple(F.PartialOf(u, x) for u, x in route) for head, route in zip(heads, routes, strict=True)]))]
    symbolic = _sum([head + tuple(F.Just(e) for e in row) for head, row in zip(heads, exprs, strict=True)])
    expr = total(tuple(t for t in (merged((*((s,) if s is not None else ()), *row)) for s, row in zip(shared, exprs, strict=True)) if t != 0))
    lines.append(Line(symbolic))
    names = {n for row in exprs for e in row for n in names_in(e)}
    if work.numbers.covers(*names, of):
        lines += _numbers(work, wrt, routes, exprs, heads)
    elif symbolic != F.Just(expr):
        lines.append(Line(F.Just(expr)))
    if len(lines) > 2 and lines[2].form == lines[1].form:
        del lines[2]
    claim = Total(of, wrt, expr, tuple(lines), work.valuation)
    return Step(claim, rule, because, tuple(dict.fromkeys(premises)), wrt + work.suffix)


def _numbers(work: _Work, wrt: str, routes: list[list[tuple[str, str]]], exprs: list[list[Expr]], heads: list[tuple[F.Form, ...]]) -> list[Line]:
    """Products of numbers, unmultiplied, then the result."""
    digits = work.problem.digits
    rows = [[work.numbers.of(e) for e in row] for row in exprs]
    factors = [([work.slopes[h.wrt] for h in head if isinstance(h, F.TotalOf)] + row) for head, row in zip(heads, rows, strict=True)]
    rough = any(n.exact is None for row in factors for n in row)
    form = _sum([tuple(F.Decimal(n.decimal(digits), digits) if n.exact is None else F.Just(n.exact) for n in row) for row in factors])
    approx = sum((_product(n.approx for n in row) for row in factors), 0)
    exact = None
    if not rough:
        exact = Integer(0)
        for row in factors:
            term: Expr = Integer(1)
            for n in row:
                term = term * n.exact
            exact = exact + term
    result = short(exact, approx)
    work.slopes[wrt] = result
    lines = [Line(form, approx=rough)]
    if any(e.args for row in exprs for e in row):  # a factor such as s (1 - s): first with its numbers in place
        put_in = [[substitution(e, work.numbers, digits) for e in row] for row in exprs]
        shared = [tuple(f for f, _ in zip(term, head, strict=False)) for term, head in zip(_terms(form), heads, strict=True)]
        written = _sum([(*head, *(x.form if x is not None else f for x, f in zip(row, term[len(head):], strict=True)))
                        for head, row, term in zip(shared, put_in, _terms(form), strict=True)])
        lines.insert(0, Line(written, approx=rough or any(x.approx for row in put_in for x in row if x is not None)))
    lines += [x for x in numeric_lines(result, digits) if x.form != form]
    return lines


def _terms(form: F.Form) -> list[tuple[F.Form, ...]]:
    """The factors of every term."""
    return [t.factors if isinstance(t, F.Product) else (t,) for t in (form.terms if isinstance(form, F.Sum) else (form,))]


def _product(numbers: Iterable[Any]) -> Any:
    result: Any = 1
    for n in numbers:
        result = result * n
    return result


def _sum(products: list[tuple[F.Form, ...]]) -> F.Form:
    terms = tuple(p[0] if len(p) == 1 else F.Product(p) for p in products)
    return terms[0] if len(terms) == 1 else F.Sum(terms)


def _answer(work: _Work, claim: Total) -> Answer:
    last = claim.lines[-1]
    exact = next((x for x in reversed(claim.lines) if not x.approx), last)
    right = exact.form if isinstance(exact.form, F.Just) and not names_in(exact.form.expr) else last.form
    approx = last.approx and right == last.form
    return Answer(claim.wrt + work.suffix, F.TotalOf(claim.of, claim.wrt), right, approx)


