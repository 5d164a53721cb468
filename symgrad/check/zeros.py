"""Verification of "guaranteed zero": in each of a covering set of regions, every path has a local partial that vanishes, or
the paths that have none add up to zero.  The checker finds the paths and differentiates the definitions itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

from sympy import Add, Expr, Integer, Mul

from symgrad.check.calculus import differentiate
from symgrad.check.errors import Undecided
from symgrad.check.facts import Facts
from symgrad.check.scalars import Scalars
from symgrad.language import forms as F
from symgrad.language.errors import Refused
from symgrad.language.functions import Call
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions, GuaranteedZero, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, scalar
from symgrad.language.zeros import JUMPS, AlwaysZero, CannotHold, Fact, Factor, Region, Relation, gap, kinked

MAX_PATHS = 200
FREE = Conventions()
NOTHING = F.Just(Integer(0))


def asked(problem: Problem, part: str, case: int, of: str | None = None, wrt: str | None = None) -> GuaranteedZero:
    """The question that a claim answers.  Raises Refused if the problem does not ask it."""
    ask = next((p.ask for p in problem.parts if p.label == part), None)
    if not isinstance(ask, GuaranteedZero) or not 0 <= case < len(ask.cases):
        raise Refused(f"the problem asks no case {case + 1} in a part {part}")
    if of not in (None, ask.of) or wrt not in (None, *ask.wrt):
        raise Refused(f"part {part} does not ask for d{of}/d{wrt}")
    return ask


def facts_of(problem: Problem, part: str, case: int) -> tuple[Fact, ...]:
    """The facts of a case, then the values that the problem states."""
    ask = asked(problem, part, case)
    values = tuple(Fact(scalar(g.name), Relation.EQUAL, g.entries[0][0]) for g in problem.values
                   if g.digits is None and problem.graph.shape(g.name) == SCALAR)
    return ask.cases[case] + values


@dataclass
class Zeros:
    """Claims that something is zero, or impossible, under the facts of a case."""

    problem: Problem
    scalars: Scalars

    def always_zero(self, c: AlwaysZero) -> Verdict:
        graph, tie = self.problem.graph, self.problem.conventions.relu_at_zero
        asked(self.problem, c.part, c.case, c.of, c.wrt)
        path_sum(graph, c.of, c.wrt, c.lines[:1])
        try:
            jumps = self.in_all_regions(c, replace(self.problem.conventions, relu_at_zero=None))
            domain = "for every value of the derivative at a kink"
        except Refused:
            if tie is None:
                raise
            jumps = self.in_all_regions(c, self.problem.conventions)
            domain = f"with {tie} as the derivative of ReLU at 0"
        table = factors(self.scalars, c.factors)
        zeros = dict.fromkeys(c.regions[0].zeros if len(c.regions) == 1 else (), NOTHING)
        shown = [put(c.lines[0], lambda u, x, e, t=t: t.get((u, x), e)) for t in (table, zeros, table | zeros)]  # type: ignore[misc]
        if any(line not in (NOTHING, *shown) for line in c.lines[1:]):
            raise Refused(f"a line of d{c.of}/d{c.wrt} is neither the sum over paths with its factors or their zeros put in nor 0")
        count = graph.count_paths(c.wrt, c.of)
        every = "the one path" if count == 1 else f"all {count} paths" if count else "no path"
        regions = f", in {len(c.regions)} regions that cover all points" if len(c.regions) > 1 else ""
        return Verdict(Ground.PROVED, f"{every} found in the graph, zero factors from the definitions and the facts{regions}", domain,
                       tuple(f"where {jump} is not 0, at which it jumps" for jump in sorted(jumps)))

    def cannot_hold(self, c: CannotHold) -> Verdict:
        cover(c.regions, ())
        for region in c.regions:
            if not self.facts(c.part, c.case, region, self.problem.conventions).impossible:
                raise Refused("the facts are not shown to contradict each other")
        return Verdict(Ground.PROVED, "the facts contradict each other" + (" in every region" if len(c.regions) > 1 else ""))

    def facts(self, part: str, case: int, region: Region, conventions: Conventions) -> Facts:
        """All that is known in a region.  Raises Refused for a deduction that does not follow."""
        found = Facts(self.problem.graph, conventions)
        for fact in (*facts_of(self.problem, part, case), *region.assumed):
            found.add(fact)
        for d in region.deduced:
            found.deduce(d)
        return found

    def in_all_regions(self, c: AlwaysZero, conventions: Conventions) -> set[str]:
        """Raises Refused unless the derivative vanishes in every region; the arguments of the jumps on its paths."""
        cover(c.regions, ())
        known = [(r, self.facts(c.part, c.case, r, conventions)) for r in c.regions]
        possible = [(r, facts) for r, facts in known if not facts.impossible]
        if not possible:
            raise Refused("the facts cannot hold; that is what is to be said, for then nothing is guaranteed by them")
        jumps: set[str] = set()
        for region, facts in possible:
            self.vanishes(c, region, facts)
            for call in (k for n in self.problem.graph.between(c.wrt, c.of)[1:] for k in kinked(self.problem.graph.node(n).expr)):
                side = facts.range(gap(call)).sign
                if call.fn.name in JUMPS and side in (0, None):
                    if side == 0 and not region.assumed:
                        raise Undecided(f"{gap(call)} = 0 by the facts: {call.fn.name} jumps there and has no derivative")
                    jumps.add(str(gap(call)))
        return jumps

    def vanishes(self, c: AlwaysZero, region: Region, facts: Facts) -> None:
        """Raises Refused unless every path passes a factor that is zero, or the others add up to zero."""
        graph = self.problem.graph
        for u, x in region.zeros:
            if x not in graph.arguments(u):
                raise Refused(f"{u} is not defined in terms of {x}")
            if not facts.zero(self.partial(u, x)):
                raise Refused(f"the facts do not make the factor d{u}/d{x} zero")
        routes: list[tuple[str, ...]] = []
        for route in alive(graph, c.wrt, c.of, set(region.zeros)):
            routes.append(route)
            if len(routes) > MAX_PATHS:
                raise Refused(f"more than {MAX_PATHS} paths from {c.wrt} to {c.of} have no zero factor")
        if routes and not region.cancels:
            raise Refused(f"the path {' -> '.join(routes[0])} has no zero factor among those named")
        if routes and not facts.zero(Add(*(Mul(*(self.partial(u, x) for x, u in zip(p, p[1:], strict=False))) for p in routes))):
            raise Refused(f"the path {' -> '.join(routes[0])} has no zero factor" + (", nor do such paths add up to 0" if routes[1:] else ""))

    def partial(self, u: str, x: str) -> Expr:
        """The local partial, where the derivative of a step is 0: `in_all_regions` sees to its jumps."""
        found = differentiate(self.problem.graph.node(u).expr, scalar(x))
        return found.xreplace({e: Integer(0) for e in found.atoms(Call) if e.fn.name == "max" and sum(e.fn.orders) > 1})


def factors(scalars: Scalars, found: tuple[Factor, ...]) -> dict[tuple[str, str], F.Form]:
    """The symbolic forms of local partials.  Raises Refused for one that is not the derivative of its definition."""
    graph = scalars.graph
    for f in found:
        if f.wrt not in graph.arguments(f.of):
            raise Refused(f"{f.of} is not defined in terms of {f.wrt}")
        definition = graph.node(f.of).expr
        true, shown = differentiate(definition, scalar(f.wrt)), f.expr.xreplace({graph.symbol(f.of): definition})
        if not Facts(graph, FREE).zero(true - shown):
            scalars.identical(true, shown, f"d{f.of}/d{f.wrt}")
    return {(f.of, f.wrt): F.Just(f.expr) for f in found}


def cover(regions: tuple[Region, ...], so_far: tuple[Fact, ...]) -> None:
    """Raises Refused unless the regions arise by splitting on one expression after the other: below, at and above 0."""
    depth = len(so_far)
    if len(regions) == 1 and len(regions[0].assumed) == depth:
        return
    if not regions or any(len(r.assumed) <= depth for r in regions):
        raise Refused("the regions do not cover all points")
    steps = [Fact(regions[0].assumed[depth].left, relation, Integer(0)) for relation in (Relation.LESS, Relation.EQUAL, Relation.MORE)]
    if any(r.assumed[depth] not in steps for r in regions):
        raise Refused("the regions do not cover all points")
    for step in steps:
        cover(tuple(r for r in regions if r.assumed[depth] == step), (*so_far, step))


def alive(graph: Graph, start: str, end: str, zeros: set[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """The paths that avoid all zero factors; nothing is walked that does not end in one."""
    reach = {end}
    order = graph.between(start, end)
    for n in reversed(order):
        if any(u in reach for u in graph.consumers(n) if (u, n) not in zeros):
            reach.add(n)
    stack: list[tuple[str, ...]] = [(start,)] if start in reach and order else []
    while stack:
        path = stack.pop()
        if path[-1] == end:
            yield path
        else:
            stack += [(*path, u) for u in reversed(graph.consumers(path[-1])) if u in reach and (u, path[-1]) not in zeros]


def path_sum(graph: Graph, of: str, wrt: str, first: tuple[F.Form, ...]) -> None:
    """Raises Refused unless the first line is the sum over all paths from wrt to of, factored or not."""
    form = first[0] if first else F.Sum(())
    count = graph.count_paths(wrt, of)
    if of == wrt or not count:
        if form != F.Just(Integer(int(of == wrt))):
            raise Refused(f"there is no path from {wrt} to {of}" if of != wrt else f"d{of}/d{of} is 1")
    elif (found := span(graph, form)) != (of, wrt, count):
        raise Refused(f"d{of}/d{wrt} is a sum over {count} paths; the first line has {found[2]} from {found[1]} to {found[0]}")


def span(graph: Graph, form: F.Form) -> tuple[str, str, int]:
    """Where the paths of a factored sum end and begin, and how many there are.  Raises Refused if they do not fit together."""
    match form:
        case F.PartialOf(of, wrt) if wrt in graph.arguments(of):
            return of, wrt, 1
        case F.TotalOf(of, wrt) if of != wrt and of in graph and wrt in graph and graph.count_paths(wrt, of):
            return of, wrt, graph.count_paths(wrt, of)
        case F.Product(factors) if factors:
            spans = [span(graph, f) for f in factors]
            if all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False)):
                return spans[0][0], spans[-1][1], prod(s[2] for s in spans)
        case F.Sum(terms) if len(set(terms)) == len(terms) > 0:
            ends = {span(graph, t)[:2] for t in terms}
            single = all(isinstance(f, F.PartialOf) for t in terms for f in (t.factors if isinstance(t, F.Product) else (t,)))
            if len(ends) == 1 and single:
                return (*ends.pop(), len(terms))
    raise Refused("the first line is not a sum over paths of products of local partials")


def put(form: F.Form, leaf: Callable[[str, str, F.Form], F.Form]) -> F.Form:
    """A factored sum with every local partial and every shared total replaced by what `leaf` makes of it."""
    match form:
        case F.Product(parts) | F.Sum(parts):
            return type(form)(tuple(put(p, leaf) for p in parts))
        case F.PartialOf(of, wrt) | F.TotalOf(of, wrt):
            return leaf(of, wrt, form)
    return form
