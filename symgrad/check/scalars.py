"""Verification of claims about scalars: values, local partials, and total derivatives as sums over paths."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.normal import Undecided, branches
from symgrad.check.points import differ, points
from symgrad.check.values import Known, Valuation
from symgrad.language import forms as F
from symgrad.language.claims import EXACT, ROUNDED, GivenValue, Line, Partial, Total, Value
from symgrad.language.errors import Refused
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import names_in, scalar

ALL_PATHS = 200


@dataclass
class Scalars:
    """Scalar claims of one problem; totals that were verified may be used by later claims."""

    problem: Problem

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        self.valuations = {kind: Valuation(self.problem, kind) for kind in (EXACT, ROUNDED)}
        self.totals: dict[tuple[str, str], Expr] = {}
        self.partials: dict[tuple[str, str], Expr] = {}
        self.above: dict[str, frozenset[str]] = {}
        self.proved: set[tuple[Expr, Expr]] = set()

    def consumers(self, name: str, of: str) -> list[str]:
        """The consumers of `name` from which a path leads to `of`."""
        if of not in self.above:
            self.above[of] = self.graph.ancestors(of)
        return [u for u in self.graph.consumers(name) if u in self.above[of]]

    def given(self, c: GivenValue) -> Verdict:
        """The problem states it; a rounded value of a node must also be the rounding of the exact one."""
        stated = next((g for g in self.problem.values if g.name == c.name), None)
        if stated is None or stated.entries != ((c.value,),) or stated.digits != c.digits:
            raise Refused(f"the problem does not give {c.name} = {c.value}")
        if c.digits is None:
            return Verdict(Ground.GIVEN, "stated by the problem")
        self.valuations[EXACT].require_rounded(self.valuations[EXACT].value(c.name), c.value, c.digits, c.name)
        return Verdict(Ground.GIVEN, f"stated by the problem; it is the exact value rounded to {c.digits} decimals")

    def value(self, c: Value) -> Verdict:
        if c.lines[0].form != F.Just(self.graph.node(c.node).expr):
            raise Refused(f"the first line is not the definition of {c.node}")
        self.chain(c.lines, c.valuation, {}, f"the value of {c.node}")
        return self.verdict("exact arithmetic", c.lines, c.valuation)

    def partial(self, c: Partial) -> Verdict:
        if c.wrt not in self.graph.arguments(c.of):
            raise Refused(f"{c.of} is not defined in terms of {c.wrt}")
        if c.lines[0].form != F.Derivative(self.graph.node(c.of).expr, c.wrt):
            raise Refused(f"the first line is not the derivative of the definition of {c.of}")
        self.identical(self.meaning(c.lines[0].form), c.expr, f"the partial of {c.of} in {c.wrt}", (c.of,))
        lines = (Line(F.PartialOf(c.of, c.wrt)), *c.lines[1:])  # a symbolic line may use the node's own name
        self.chain(lines, c.valuation, {}, f"the partial of {c.of} in {c.wrt}")
        self.partials[c.of, c.wrt] = c.expr
        return self.verdict("differentiated from the definition, compared in normal form", c.lines, c.valuation)

    def total(self, c: Total) -> Verdict:
        """lines[0] must be the sum over all paths, or over all consumers with their own totals."""
        extra: dict[Expr, Known] = {}
        valuation = self.valuations[c.valuation]
        shared = self.chain_rule(c)
        if shared and len(c.lines) > 1 and not self.names(c.lines[-1].form):
            extra = {bar(u): valuation.slope(c.of, u) for u in self.consumers(c.wrt, c.of)}
        what = f"d{c.of}/d{c.wrt}"
        self.chain(c.lines, c.valuation, extra, what)
        self.same(c.lines[0].form, F.Just(c.expr), what)
        last = c.lines[-1]
        if not self.names(last.form) and not last.approx:
            number = self.meaning(last.form)
            own = valuation.slope(c.of, c.wrt) if names_in(self.meaning(c.lines[0].form)) else None
            if own and own.exact is not None and number.is_Rational and number != own.exact:
                raise Refused(f"{what}: {number} is claimed, reverse accumulation gives {own.exact}")
        self.totals[c.of, c.wrt] = c.expr
        every = "all consumers" if shared else f"all {self.graph.count_paths(c.wrt, c.of)} paths"
        return self.verdict(f"chain rule over {every}, found in the graph; each factor differentiated from its definition", c.lines, c.valuation)

    def chain_rule(self, c: Total) -> bool:
        """Raises Refused unless lines[0] has exactly the terms of the chain rule; True if it uses shared totals."""
        first = c.lines[0].form
        terms = first.terms if isinstance(first, F.Sum) else (first,)
        if c.wrt == c.of or not self.consumers(c.wrt, c.of):
            wanted = F.Just(Integer(int(c.wrt == c.of)))
            if first != wanted:
                raise Refused(f"there is no path from {c.wrt} to {c.of}" if c.wrt != c.of else f"d{c.of}/d{c.of} is 1")
            return False
        found = [tuple(t.factors) if isinstance(t, F.Product) else (t,) for t in terms]
        shared = any(isinstance(f, F.TotalOf) for factors in found for f in factors)
        if shared:
            expected = {(F.TotalOf(c.of, u), F.PartialOf(u, c.wrt)) for u in self.consumers(c.wrt, c.of)}
            missing = [f[1].of for f in expected - set(found)]
        else:
            if self.graph.count_paths(c.wrt, c.of) > ALL_PATHS:
                raise Undecided(f"more than {ALL_PATHS} paths")
            routes = {tuple(F.PartialOf(p[k + 1], p[k]) for k in reversed(range(len(p) - 1))): p for p in self.graph.paths(c.wrt, c.of)}
            expected = set(routes)  # type: ignore[arg-type]
            missing = [" -> ".join(p) for route, p in routes.items() if route not in found]
        if missing:
            raise Refused(f"d{c.of}/d{c.wrt} forgets the path through {', '.join(missing)}")
        if len(found) != len(set(found)) or set(found) != expected:
            raise Refused(f"d{c.of}/d{c.wrt} has a term that is no path of the graph, or one twice")
        return shared

    def chain(self, lines: tuple[Line, ...], kind: str, extra: dict[Expr, Known], what: str) -> None:
        """Every line equals the one above it: identically while both have variables, else at the given values."""
        for k, (a, b) in enumerate(zip(lines, lines[1:], strict=False), 2):
            where = f"line {k} of {what}"
            if b.approx:
                self.approximate(a.form, b.form, kind, extra, where)
            elif self.names(b.form):
                self.same(a.form, b.form, where)
            else:
                self.same_at(a.form, b.form, kind, extra, where)

    def same(self, a: F.Form, b: F.Form, what: str) -> None:
        """Factor by factor and term by term where the forms agree in structure, else as a whole."""
        pairs = _pairs(a, b)
        if pairs:
            try:
                for x, y in pairs:
                    self.same(x, y, what)
                return
            except (Refused, Undecided):
                pass
        self.identical(self.meaning(a), self.meaning(b), what, _differentiated(a) + _differentiated(b))

    def same_at(self, a: F.Form, b: F.Form, kind: str, extra: dict[Expr, Known], what: str) -> None:
        pairs = _pairs(a, b)
        if pairs:
            try:
                for x, y in pairs:
                    self.same_at(x, y, kind, extra, what)
                return
            except (Refused, Undecided):
                pass
        if isinstance(b, F.Substituted):
            self.substituted(b, kind)
        self.valuations[kind].require_equal(self.meaning(a), self.meaning(b), extra, what)

    def substituted(self, form: F.Substituted, kind: str) -> None:
        """The numbers put in are the values of the names."""
        valuation = self.valuations[kind]
        for name, number in form.numbers:
            if not self.graph.arguments(name) and number == valuation.value(name).exact:
                continue
            valuation.require_equal(scalar(name), number, {}, f"the value of {name}")

    def approximate(self, a: F.Form, b: F.Form, kind: str, extra: dict[Expr, Known], what: str) -> None:
        """A decimal is the rounding of the line above; a line with rounded numbers put in has them rightly rounded."""
        valuation, digits = self.valuations[kind], self.problem.digits
        if isinstance(b, F.Decimal):
            valuation.require_rounded(valuation.evaluate(self.meaning(a), extra), b.value, b.digits, what)
        elif isinstance(b, F.Substituted):
            for name, number in b.numbers:
                known = valuation.value(name)
                if known.exact is None or known.exact != number:
                    valuation.require_rounded(known, number, digits, f"{what}, {name}")
        elif pairs := _pairs(a, b):
            for x, y in pairs:
                self.approximate(x, y, kind, extra, what)
        else:
            self.same_at(a, b, kind, extra, what)

    def identical(self, a: Expr, b: Expr, what: str, inline: tuple[str, ...] = ()) -> None:
        """a = b for all values of the variables, away from kinks: refuted at a point first, then the normal form.

        A node in `inline` stands for its definition: h (1 - h) is the derivative of h = sigma(z) only then.
        """
        for name in sorted(set(inline), key=self.graph.names.index, reverse=True):
            definition = {self.graph.symbol(name): self.graph.node(name).expr}
            a, b = a.xreplace(definition), b.xreplace(definition)
        if a == b or (a, b) in self.proved:
            return
        symbols = tuple(sorted((a.free_symbols | b.free_symbols), key=str))
        for point in points(symbols, 6):
            if differ(a, b, point, None, self.problem.conventions.step_at_zero):
                where = ", ".join(f"{s} = {x}" for s, x in point.items())
                raise Refused(f"{what}: the two sides differ at {where}")
        tie = self.problem.conventions.relu_at_zero
        if not all(zero for zero, _ in branches(a - b, tie)):
            raise Undecided(f"{what}: the normal form does not decide it")
        self.proved.add((a, b))

    def meaning(self, form: F.Form) -> Expr:
        """The scalar that a form stands for; a total derivative of another node is the symbol of its adjoint."""
        match form:
            case F.Just(expr):
                return expr
            case F.Product(factors):
                return Mul(*map(self.meaning, factors))
            case F.Sum(terms):
                return Add(*map(self.meaning, terms))
            case F.Substituted(expr, numbers):
                return expr.xreplace({scalar(n): x for n, x in numbers})
            case F.Derivative(expr, wrt):
                return differentiate(expr, scalar(wrt))
            case F.PartialOf(of, wrt):
                return differentiate(self.graph.node(of).expr, scalar(wrt))
            case F.TotalOf(_, wrt) | F.AdjointOf(wrt):
                return bar(wrt)
            case F.Decimal(value, _):
                return value
        raise Refused(f"{type(form).__name__} is not a scalar form")

    def names(self, form: F.Form) -> bool:
        """Does the displayed line still hold a variable?"""
        match form:
            case F.Just(expr):
                return bool(names_in(expr))
            case F.Product(parts) | F.Sum(parts) | F.Tuple(parts):
                return any(map(self.names, parts))
            case F.Substituted(expr, numbers):
                return bool(set(names_in(expr)) - {n for n, _ in numbers})
            case F.Decimal():
                return False
        return True

    @staticmethod
    def verdict(method: str, lines: tuple[Line, ...], kind: str) -> Verdict:
        numeric = any(isinstance(x.form, F.Substituted | F.Decimal) or (isinstance(x.form, F.Just) and not names_in(x.form.expr)) for x in lines[1:])
        domain = ("for the rounded values" if kind == ROUNDED else "at the given values") if numeric else "for all values, away from kinks"
        return Verdict(Ground.PROVED, method, domain)


def bar(name: str) -> Expr:
    """The symbol of a scalar adjoint."""
    return scalar(f"{name}_bar")


def _differentiated(form: F.Form) -> tuple[str, ...]:
    match form:
        case F.Product(parts) | F.Sum(parts):
            return tuple(n for p in parts for n in _differentiated(p))
        case F.PartialOf(of, _):
            return (of,)
    return ()


def _pairs(a: F.Form, b: F.Form) -> list[tuple[F.Form, F.Form]]:
    match a, b:
        case (F.Sum(x), F.Sum(y)) | (F.Product(x), F.Product(y)) if len(x) == len(y):
            return list(zip(x, y, strict=True))
    return []


__all__ = ["Rational", "Scalars", "bar"]
