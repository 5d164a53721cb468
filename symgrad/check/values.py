"""The checker's own numbers: node values and derivatives at the given values, exact where rational, enclosed otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mpmath import iv
from sympy import Expr, Integer, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.normal import Undecided, branches, constant_value
from symgrad.check.points import decimal_fits, enclose
from symgrad.language.claims import ROUNDED
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.problem import Problem

MAX_CLOSED = 60


@dataclass(frozen=True)
class Known:
    """One number: `exact` where it is rational, `closed` an expression of numbers where that is short, `interval` always."""

    exact: Rational | None
    closed: Expr | None
    interval: Any


@dataclass
class Valuation:
    """The values of all names of a problem, from its stated numbers; `rounded` takes the stated, rounded node values as they are."""

    problem: Problem
    kind: str
    known: dict[str, Known] = field(default_factory=dict)
    slopes: dict[str, dict[str, Known]] = field(default_factory=dict)

    def value(self, name: str) -> Known:
        """The value of a scalar name.  Raises Unsupported if a number that it needs is not given."""
        if name not in self.known:
            stated = {g.name: g for g in self.problem.values if self.kind == ROUNDED or g.digits is None}
            graph = self.problem.graph
            needed = graph.ancestors(name)
            for n in graph.names:
                if n not in needed or n in self.known:
                    continue
                if n in stated:
                    (row,) = stated[n].entries
                    self.known[n] = self.number(row[0])
                elif not graph.arguments(n) and n in {x.name for x in graph.variables}:
                    raise Unsupported(f"no value is given for {n}")
                else:
                    self.known[n] = self.evaluate(graph.node(n).expr)
        return self.known[name]

    @staticmethod
    def number(x: Rational) -> Known:
        return Known(x, x, iv.mpf(int(x.p)) / int(x.q))

    def evaluate(self, e: Expr, extra: dict[Expr, Known] | None = None) -> Known:
        """The value of a scalar expression in names of the graph (and of `extra` symbols)."""
        graph, extra = self.problem.graph, extra or {}
        symbols = {s: extra[s] if s in extra else self.value(s.name) for s in e.free_symbols if not s.is_integer}
        tie, step = self.problem.conventions.relu_at_zero, self.problem.conventions.step_at_zero
        closed = None
        if all(k.closed is not None for k in symbols.values()):
            closed = e.xreplace({s: k.closed for s, k in symbols.items()})
            value = constant_value(closed, tie, step)
            if value is not None:
                return self.number(value)
            closed = closed if closed.count_ops() <= MAX_CLOSED else None
        del graph
        return Known(None, closed, enclose(e, {s: k.interval for s, k in symbols.items()}, tie, step))

    def slope(self, of: str, wrt: str) -> Known:
        """d of / d wrt by the checker's own reverse accumulation."""
        if of not in self.slopes:
            graph = self.problem.graph
            bars: dict[str, Known] = {of: self.number(Integer(1))}
            needed = graph.ancestors(of)
            for n in reversed(graph.names):
                if n not in needed or n not in bars:
                    continue
                for a in graph.arguments(n):
                    local = self.evaluate(differentiate(graph.node(n).expr, graph.symbol(a)))
                    old = bars.get(a, self.number(Integer(0)))
                    exact = None
                    if None not in (local.exact, bars[n].exact, old.exact):
                        exact = old.exact + bars[n].exact * local.exact  # type: ignore[operator]
                    bars[a] = self.number(exact) if exact is not None else Known(None, None, old.interval + bars[n].interval * local.interval)
            self.slopes[of] = bars
        return self.slopes[of].get(wrt, self.number(Integer(0)))

    def require_equal(self, left: Expr, right: Expr, extra: dict[Expr, Known], what: str) -> None:
        """Raises Refused with both values if they differ at the given values, Undecided if that is not shown either way."""
        a, b = self.evaluate(left, extra), self.evaluate(right, extra)
        if a.exact is not None and b.exact is not None:
            if a.exact != b.exact:
                raise Refused(f"{what}: left is {a.exact}, right is {b.exact} at the given values")
            return
        if a.interval.b < b.interval.a or b.interval.b < a.interval.a:
            raise Refused(f"{what}: left is {float(a.interval.mid.a):.6g}, right is {float(b.interval.mid.a):.6g} at the given values")
        if a.closed is None or b.closed is None or not all(zero for zero, _ in branches(a.closed - b.closed)):
            raise Undecided(f"{what}: equal to within {float((a.interval - b.interval).delta.b):.1e}, not shown exactly")

    def require_rounded(self, true: Known, shown: Rational, digits: int, what: str) -> None:
        """Raises Refused unless `shown` is `true` rounded to `digits` decimals."""
        if not decimal_fits(true.interval, shown, digits):
            raise Refused(f"{what}: {float(shown)} is not {float(true.interval.mid.a):.{digits + 4}f} rounded to {digits} decimals")
