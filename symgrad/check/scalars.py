"""Verification of claims about scalars: values, local partials, and total derivatives as sums over paths."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.errors import Undecided
from symgrad.check.identity import require_identical
from symgrad.check.pattern import Pattern
from symgrad.check.shapes import Shapes
from symgrad.check.values import Known, Valuation
from symgrad.language import forms as F
from symgrad.language.claims import EXACT, ROUNDED, GivenValue, Line, Partial, Total, Value
from symgrad.language.errors import Refused
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import is_scalar, names_in, scalar

ALL_PATHS = 200

Extra = dict[str, dict[Expr, Known]]
"""For each valuation the numbers that adjoints of consumers stand for."""


@dataclass
class Scalars:
    """Scalar claims of one problem; totals that were verified may be used by later claims."""

    problem: Problem

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        self.valuations = {kind: Valuation(self.problem, kind) for kind in (EXACT, ROUNDED)}
        self.totals: dict[tuple[str, str], Expr] = {}
        self.partials: dict[tuple[str, str], Expr] = {}
        self.slopes: dict[F.PartialOf, Expr] = {}  # from the definitions, by the checker's own differentiation
        self.shapes = Shapes(self.graph)
        self.known_ways: dict[str, dict[str, int]] = {}
        self.rounded: dict[tuple[str, str], Known] = {}  # totals at the rounded values
        self.proved: set[Hashable] = set()  # patterns of proved equations

    def consumers(self, name: str, of: str) -> list[str]:
        """The consumers of `name` from which a path leads to `of`."""
        return [u for u in self.graph.consumers(name) if u in self.ways(of)]

    def ways(self, of: str) -> dict[str, int]:
        """How many paths lead to `of` from each name from which there is one."""
        if of not in self.known_ways:
            self.known_ways[of] = self.graph.ways(of)
        return self.known_ways[of]

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
        self.well_formed(c.lines, "")
        if c.lines[0].form != F.Just(self.graph.node(c.node).expr):
            raise Refused(f"the first line is not the definition of {c.node}")
        self.chain(c.lines, c.valuation, {}, f"the value of {c.node}")
        return self.verdict("exact arithmetic", c.lines, c.valuation)

    def partial(self, c: Partial) -> Verdict:
        self.well_formed(c.lines, "")
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
        self.well_formed(c.lines, c.of)
        self.graph[c.of], self.graph[c.wrt]  # noqa: B018  -- raises SpecError, with the names there are
        extra: Extra = {}
        what = f"d{c.of}/d{c.wrt}"
        shared = self.chain_rule(c)
        if shared:
            missing = [u for u in self.consumers(c.wrt, c.of) if (c.of, u) not in self.totals]
            if missing:
                raise Refused(f"{what} uses d{c.of}/d{missing[0]} before it is derived")
            if not all(self.names(x.form) for x in c.lines):
                extra = {kind: {bar(u): self.slope(c.of, u, kind) for u in self.consumers(c.wrt, c.of)} for kind in {EXACT, c.valuation}}
        self.chain(c.lines, c.valuation, extra, what)
        symbolic = [x.form for x in c.lines if not x.approx and (self.names(x.form) or x is c.lines[0])]
        self.same(symbolic[-1], F.Just(c.expr), what)  # each symbolic line equals the one above it: the last is the easiest to compare
        stray = [n for n in names_in(c.expr) if n not in self.graph and n not in {f"{u}_bar" for u in self.consumers(c.wrt, c.of)}]
        if stray:
            raise Refused(f"{what} is given in terms of {stray[0]}, which is no derivative in a consumer of {c.wrt}")
        self.totals[c.of, c.wrt] = c.expr
        count = 0 if shared else self.ways(c.of).get(c.wrt, 0)
        every = "over all consumers" if shared else "along the one path" if count == 1 else f"along all {count} paths"
        if not shared and count == 0:
            return self.verdict("no path leads there in the graph", c.lines, c.valuation)
        return self.verdict(f"chain rule {every}, found in the graph; each factor differentiated from its definition", c.lines, c.valuation)

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
            if self.ways(c.of).get(c.wrt, 0) > ALL_PATHS:
                raise Undecided(f"more than {ALL_PATHS} paths")
            paths = self.graph.paths(c.wrt, c.of, self.ways(c.of))
            routes = {tuple(F.PartialOf(p[k + 1], p[k]) for k in reversed(range(len(p) - 1))): p for p in paths}
            expected = set(routes)  # type: ignore[arg-type]
            missing = [" -> ".join(p) for route, p in routes.items() if route not in found]
        if missing:
            raise Refused(f"d{c.of}/d{c.wrt} forgets the path through {', '.join(missing)}")
        if len(found) != len(set(found)) or set(found) != expected:
            raise Refused(f"d{c.of}/d{c.wrt} has a term that is no path of the graph, or one twice")
        return shared

    def slope(self, of: str, wrt: str, kind: str) -> Known:
        """d of / d wrt as a number: by reverse accumulation; for rounded values by the derived formulas, since h (1 - h) at a
        rounded h is not sigma'(z)."""
        if kind == EXACT:
            return self.valuations[kind].slope(of, wrt)
        if (of, wrt) not in self.rounded:
            below = {bar(u): self.slope(of, u, kind) for u in self.consumers(wrt, of) if bar(u) in self.totals[of, wrt].free_symbols}
            self.rounded[of, wrt] = self.valuations[kind].evaluate(self.totals[of, wrt], below)
        return self.rounded[of, wrt]

    def well_formed(self, lines: tuple[Line, ...], of: str) -> None:
        """There is a first line and it is exact, every expression is a scalar, a total derivative in a line is one of `of`."""
        if not lines or lines[0].approx:
            raise Refused("an exact first line is missing")
        for expr in {p.expr for line in lines for p in F.pieces(line.form) if isinstance(p, F.Just | F.Substituted | F.Derivative)}:
            self.shapes.require(expr)
            if not is_scalar(expr):
                raise Refused(f"{str(expr)[:80]} is no scalar")
        for line in lines:
            for form in F.pieces(line.form):
                if isinstance(form, F.TotalOf | F.AdjointOf) and (not of or (isinstance(form, F.TotalOf) and form.of != of)):
                    raise Refused("a line holds a total derivative of another node than the one in question")

    def chain(self, lines: tuple[Line, ...], kind: str, extra: Extra, what: str) -> None:
        """Every exact line equals the exact line above it, identically while both have variables, else at the given values; every
        approximate line is a rounding of the last exact one, so that roundings are never rounded again."""
        exact = lines[0].form
        at_values = False
        self.prose(lines[0].why, kind, extra, f"line 1 of {what}")
        for k, line in enumerate(lines[1:], 2):
            where = f"line {k} of {what}"
            if not self.names(line.form) and not at_values:
                at_values = True
                self.off_kinks(lines[0].form, exact, extra, where)
            self.prose(line.why, kind, extra, where)
            self.substitutions(line.form, kind, line.approx, where)
            if line.approx:
                if self.names(line.form):
                    raise Refused(f"{where}: a line with variables is not the rounding of a number")
                self.approximate(exact, line.form, kind, extra, where)
                continue
            if self.names(line.form):
                self.same(exact, line.form, where)
            else:
                self.same_at(exact, line.form, kind, extra, where)
            exact = line.form

    def off_kinks(self, first: F.Form, last: F.Form, extra: Extra, what: str) -> None:
        """Symbolic lines are compared away from kinks: at values that hit one, both ends must have the same exact value."""
        valuation, exact = self.valuations[EXACT], extra.get(EXACT, {})
        ends = self.meaning(first), self.meaning(last)
        if first is not last and any(valuation.hits_kink(e, exact) for e in ends):
            valuation.require_equal(*ends, exact, what)

    def same(self, a: F.Form, b: F.Form, what: str) -> None:
        """Factor by factor and term by term where the forms agree in structure, else as a whole."""
        if _by_parts(a, b, lambda x, y: self.same(x, y, what)):
            return
        self.identical(self.meaning(a), self.meaning(b), what, _differentiated(a) + _differentiated(b))

    def same_at(self, a: F.Form, b: F.Form, kind: str, extra: Extra, what: str) -> None:
        if _by_parts(a, b, lambda x, y: self.same_at(x, y, kind, extra, what)):
            return
        self.valuations[kind].require_equal(self.meaning(a), self.meaning(b), extra.get(kind, {}), what)

    def substitutions(self, form: F.Form, kind: str, approx: bool, what: str) -> None:
        """Numbers put in stand for names that are there, and are their values, or those rounded."""
        valuation = self.valuations[kind]
        for piece in F.pieces(form):
            for name, number in piece.numbers if isinstance(piece, F.Substituted) else ():
                if name not in names_in(piece.expr):  # type: ignore[union-attr]
                    raise Refused(f"{what}: a number is put in for {name}, which does not stand there")
                if isinstance(number, F.Array):
                    raise Refused(f"{what}: an array is put in for {name}")
                known = valuation.value(name)
                if known.exact is not None and known.exact == number:
                    continue
                if approx and isinstance(number, Rational):  # a closed form, such as sigmoid(2), is not rounded
                    valuation.require_rounded(known, number, self.problem.digits, f"{what}, {name}")
                else:
                    valuation.require_equal(scalar(name), number, {}, f"the value of {name}")

    def approximate(self, a: F.Form, b: F.Form, kind: str, extra: Extra, what: str) -> None:
        """A decimal is the rounding of the line `a`; a line with rounded numbers put in equals `a` without the rounding."""
        valuation = self.valuations[kind]
        if isinstance(b, F.Decimal):
            valuation.require_rounded(valuation.evaluate(self.meaning(a), extra.get(kind, {})), b.value, b.digits, what)
        elif isinstance(b, F.Substituted):
            valuation.require_equal(self.meaning(a), b.expr, extra.get(kind, {}), f"{what}, with names in the place of numbers")
        elif pairs := _pairs(a, b):
            for x, y in pairs:
                self.approximate(x, y, kind, extra, what)
        else:
            self.same_at(a, b, kind, extra, what)

    def prose(self, why: F.Prose, kind: str, extra: Extra, what: str) -> None:
        """Raises Refused for a comparison in words that is false at the given values, Undecided for one that is not shown."""
        for piece in why:
            if isinstance(piece, F.Comparison):
                self.comparison(piece, kind, extra, what)

    def comparison(self, c: F.Comparison, kind: str, extra: Extra, what: str) -> None:
        valuation, numbers = self.valuations[kind], extra.get(kind, {})
        left = c.left
        if isinstance(left, F.Comparison):
            self.comparison(left, kind, extra, what)
            left = left.right
        for side in (left, c.right):
            self.substitutions(side, kind, c.relation == "≈", what)
        a, b = self.meaning(left), self.meaning(c.right)
        if c.relation == "=":
            valuation.require_equal(a, b, numbers, what)
        elif c.relation == "≈":
            exact, rounded = (c.right, left) if isinstance(left, F.Decimal) else (left, c.right)
            self.approximate(exact, rounded, kind, extra, what)
        else:
            order = valuation.order(a, b, numbers, what)
            holds = {"<": order < 0, ">": order > 0, "≤": order <= 0, "≥": order >= 0, "≠": order != 0}
            if not holds.get(c.relation, False):
                found = "=" if order == 0 else "<" if order < 0 else ">"
                raise Refused(f"{what}: it is said that left {c.relation} right, but left {found} right at the given values")

    def identical(self, a: Expr, b: Expr, what: str, inline: tuple[str, ...] = ()) -> None:
        """a = b for all values of the variables, away from kinks: refuted at a point first, then the normal form.

        A node in `inline` stands for its definition: h (1 - h) is the derivative of h = sigma(z) only then.
        """
        if a == b:
            return
        for name in sorted(set(inline), key=self.graph.names.index, reverse=True):
            definition = {self.graph.symbol(name): self.graph.node(name).expr}
            a, b = a.xreplace(definition), b.xreplace(definition)
        pattern = Pattern(self.graph, {})
        key = (pattern.expression(a), pattern.expression(b))
        if key not in self.proved:
            require_identical(a, b, self.problem.conventions.relu_at_zero, what, step_at_zero=self.problem.conventions.step_at_zero)
            self.proved.add(key)

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
                return expr.xreplace({scalar(n): x for n, x in numbers if not isinstance(x, F.Array)})
            case F.Derivative(expr, wrt):
                return differentiate(expr, scalar(wrt))
            case F.PartialOf(of, wrt):
                if form not in self.slopes:
                    self.slopes[form] = differentiate(self.graph.node(of).expr, scalar(wrt))
                return self.slopes[form]
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


def is_number(form: F.Form) -> bool:
    """Does a value stand there, with no name left in it?"""
    return isinstance(form, F.Decimal) or (isinstance(form, F.Just) and not form.expr.free_symbols)


def _differentiated(form: F.Form) -> tuple[str, ...]:
    return tuple(p.of for p in F.pieces(form) if isinstance(p, F.PartialOf))


def _by_parts(a: F.Form, b: F.Form, compare: Callable[[F.Form, F.Form], None]) -> bool:
    """Are two forms of one structure seen to be equal part by part?"""
    try:
        for x, y in _pairs(a, b):
            compare(x, y)
    except (Refused, Undecided):
        return False
    return bool(_pairs(a, b))


def _pairs(a: F.Form, b: F.Form) -> list[tuple[F.Form, F.Form]]:
    match a, b:
        case (F.Sum(x), F.Sum(y)) | (F.Product(x), F.Product(y)) if len(x) == len(y):
            return list(zip(x, y, strict=True))
    return []


__all__ = ["Rational", "Scalars", "bar"]
