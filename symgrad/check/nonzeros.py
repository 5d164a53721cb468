"""Verification of "need not be zero": at an exact point the facts hold, no kink is met, and the derivative is not zero."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sympy import Expr, Integer, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.errors import NoSign
from symgrad.check.evaluation import decimal_fits
from symgrad.check.scalars import Scalars
from symgrad.check.values import Known, Valuation
from symgrad.check.zeros import asked, factors, facts_of, path_sum, put
from symgrad.language import forms as F
from symgrad.language.claims import EXACT
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Call
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Given, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, names_in, scalar
from symgrad.language.zeros import Assignment, CanHold, NotAlwaysZero, Polynomial, gap, kinked, sign_of

MAX_POWER = 8


@dataclass
class At(Valuation):
    """The values at one point, and the kinks on which it lies."""

    kinks: list[tuple[str, Call]] = field(default_factory=list)

    def partial(self, u: str, x: str) -> Known:
        return self.evaluate(differentiate(self.problem.graph.node(u).expr, scalar(x)))

    def along(self, of: str, wrt: str) -> Known:
        """d of / d wrt; where the point lies on some kink, along the paths alone, so that a kink elsewhere does not matter."""
        if not self.kinks:
            return self.slope(of, wrt)
        total: dict[str, Known] = {wrt: self.number(Integer(1))}
        for n in self.problem.graph.between(wrt, of)[1:]:
            terms = [(self.partial(n, x), total[x]) for x in self.problem.graph.arguments(n) if x in total]
            total[n] = self.sum_of_products(terms)
        return total.get(of, self.number(Integer(0)))


@dataclass
class NonZeros:
    """Claims that rest on one exact point; the values at a point are computed once."""

    problem: Problem
    scalars: Scalars
    points: dict[tuple[str, int, Assignment], At] = field(default_factory=dict)

    def not_always_zero(self, c: NotAlwaysZero) -> Verdict:
        try:
            return self._not_always_zero(c)
        except (ZeroDivisionError, ValueError, OverflowError):
            raise Refused("a definition or a derivative has no value at the point") from None

    def _not_always_zero(self, c: NotAlwaysZero) -> Verdict:
        asked(self.problem, c.part, c.case, c.of, c.wrt)
        path_sum(self.problem.graph, c.of, c.wrt, c.lines[:1])
        at = self.at(c.part, c.case, c.point)
        fixed, elsewhere = self.on_kink(at, c.of, c.wrt)
        if sign(at.along(c.of, c.wrt)) == 0:
            raise Refused(f"d{c.of}/d{c.wrt} is 0 at the point")
        table = factors(self.scalars, c.factors)
        for f in c.factors:
            require(at, f.of, f.wrt, F.PartialOf(f.of, f.wrt), f.value)
        first, *rest = c.lines
        if rest[:1] == [put(first, lambda u, x, e: table.get((u, x), e))]:
            rest = rest[1:]
        if rest:
            shown = iter(numbers(rest[0]))
            if put(first, lambda u, x, e: require(at, u, x, e, next(shown, None))) != rest[0]:
                raise Refused("the line of numbers has not one number for every factor")
        for line in rest[1:]:
            require(at, c.of, c.wrt, F.TotalOf(c.of, c.wrt), line)
        tie = self.problem.conventions.relu_at_zero
        return Verdict(Ground.PROVED, "the facts, the values and the derivative computed exactly",
                       f"at a kink, with {tie} as the derivative of ReLU at 0" if fixed
                       else "at a point on no kink of its paths" if elsewhere else "at a point on no kink")

    def can_hold(self, c: CanHold) -> Verdict:
        try:
            self.at(c.part, c.case, c.point)
        except (ZeroDivisionError, ValueError, OverflowError):
            raise Refused("a definition has no value at the point") from None
        return Verdict(Ground.PROVED, "the facts and the values computed exactly", "at the point")

    def at(self, part: str, case: int, point: Assignment) -> At:
        """The values at a point.  Raises Refused unless it is complete, its values are right and the facts hold."""
        if (part, case, point) not in self.points:
            self.points[part, case, point] = self.verified(part, case, point)
        return self.points[part, case, point]

    def verified(self, part: str, case: int, point: Assignment) -> At:
        graph, table = self.problem.graph, {f.name: f for f in point.functions}
        if len(table) != len(point.functions) or set(table) != {f.name for f in graph.functions if f.name not in KNOWN}:
            raise Refused("every unknown function of the problem, and no other, is to be chosen once")
        if sorted(n for n, _ in point.variables) != sorted(x.name for x in graph.variables if x.shape == SCALAR):
            raise Refused("the point has not one number for every variable")
        chosen = Graph(graph.variables, tuple(Node(n.name, choose(n.expr, table)) for n in graph.nodes), graph.functions)
        at = At(replace(self.problem, graph=chosen, values=tuple(Given(n, ((x,),)) for n, x in point.variables)), EXACT)
        for name, shown in point.forward:
            if name not in graph or not fits(at.value(name), shown):
                raise Refused(f"the value of {name} at the point is not the number shown")
        for fact in facts_of(self.problem, part, case):
            if not fact.relation.holds(sign(at.evaluate(choose(fact.left - fact.right, table)))):
                raise Refused(f"the point does not satisfy {fact.left} {fact.relation.value} {fact.right}")
        at.kinks = [(n.name, c) for n in chosen.nodes for c in kinked(n.expr) if sign(at.evaluate(gap(c))) == 0]
        return at

    def on_kink(self, at: At, of: str, wrt: str) -> tuple[bool, bool]:
        """Does the point lie on a kink of the paths whose derivative the problem fixes; on one elsewhere?  Raises Refused for others."""
        fixed = elsewhere = False
        inside = set(self.problem.graph.between(wrt, of)) if at.kinks else set()
        for name, call in at.kinks:
            if name not in inside or not inside & set(names_in(gap(call))):
                elsewhere = True
            elif call.fn.name in ("relu", "max") and self.problem.conventions.relu_at_zero is not None:
                fixed = True
            else:
                raise Refused(f"the point lies on the kink of {call} in {name}")
        return fixed, elsewhere


def choose(e: Expr, table: dict[str, Polynomial]) -> Expr:
    """The expression with the chosen polynomials in the place of unknown functions."""
    if not e.args:
        return e
    arguments = [choose(a, table) for a in e.args]
    if isinstance(e, Call) and e.fn.name in table:
        powers = [p for _, p in table[e.fn.name].terms]
        if not e.fn.plain or any(len(p) != len(e.arguments) or not all(0 <= n <= MAX_POWER for n in p) for p in powers):
            raise Refused(f"{e.fn.name} is not a function of {len(e.arguments)} arguments")
        return table[e.fn.name].of(tuple(arguments[1:]))
    return e.func._from_args(arguments) if e.is_Add or e.is_Mul else e.func(*arguments)


def sign(a: Known) -> int:
    """Raises NoSign where the number is not exact and its interval holds 0."""
    if a.exact is not None:
        return sign_of(a.exact)
    if a.interval.a <= 0 <= a.interval.b:
        raise NoSign
    return 1 if a.interval.a > 0 else -1


def fits(known: Known, shown: F.Form | None) -> bool:
    """Is the number shown the known one, or its rounding?"""
    match shown:
        case F.Just(expr):
            return known.exact is not None and isinstance(expr, Rational) and bool(known.exact == expr)
        case F.Decimal(value, digits):
            return decimal_fits(known.interval, value, digits)
    return False


def require(at: At, u: str, x: str, e: F.Form, shown: F.Form | None) -> F.Form:
    """`shown`, if it is the value of the local partial or total of u in x.  Raises Refused."""
    partial = isinstance(e, F.PartialOf)
    known = at.partial(u, x) if partial else at.along(u, x)
    if shown is None or not fits(known, shown):
        raise Refused(f"d{u}/d{x} at the point is {known.exact if known.exact is not None else float(known.interval.mid.a)}, not the number shown")
    return shown


def numbers(form: F.Form) -> list[F.Form]:
    """The numbers of a line, from left to right."""
    match form:
        case F.Product(parts) | F.Sum(parts):
            return [n for p in parts for n in numbers(p)]
    return [form]
