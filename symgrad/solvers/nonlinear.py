"""The same search by z3, over the reals, for graphs of polynomials and piecewise linear functions: for what sampling does not meet.

Every definition and every adjoint is a variable of its own, so the formula stays as flat as the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from typing import Any

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, leaky_slope
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions
from symgrad.language.zeros import Fact, Polynomial, Relation, gap, kinked

MAX_NODES, MILLISECONDS = 60, 2000


class Outcome(Enum):
    """What z3 says where it finds no rational point."""

    NONE, UNKNOWN = "there is none", "not decided"


def point(graph: Graph, facts: Sequence[Fact], functions: Mapping[str, Polynomial], conventions: Conventions,
          derivative: tuple[str, str] | None, kinks: bool = False) -> dict[str, Fraction] | Outcome:
    """Numbers for the variables at which the facts hold and d of / d wrt (of `derivative`) is not 0; on no kink unless `kinks`."""
    if len(graph.nodes) > MAX_NODES:
        return Outcome.UNKNOWN
    try:
        return _Formula(graph, functions, conventions, kinks).solve(facts, derivative)
    except Unsupported:
        return Outcome.UNKNOWN


class _Formula:
    def __init__(self, graph: Graph, functions: Mapping[str, Polynomial], conventions: Conventions, kinks: bool) -> None:
        import z3

        self.z3: Any = z3
        self.graph, self.functions, self.conventions = graph, functions, conventions
        self.solver = z3.Solver()
        self.solver.set("timeout", MILLISECONDS)
        self.names = {x.name: z3.Real(f"n {x.name}") for x in graph.all}
        self.memo: dict[Expr, Any] = {}
        for node in graph.nodes:
            self.solver.add(self.names[node.name] == self.value(node.expr))
            for call in kinked(node.expr):
                if not kinks or call.fn.name not in ("relu", "max"):
                    self.solver.add(self.value(gap(call)) != 0)

    def solve(self, facts: Sequence[Fact], derivative: tuple[str, str] | None) -> dict[str, Fraction] | Outcome:
        z3 = self.z3
        for fact in facts:
            a, b = self.value(fact.left), self.value(fact.right)
            self.solver.add({Relation.EQUAL: a == b, Relation.NOT_EQUAL: a != b, Relation.LESS: a < b, Relation.AT_MOST: a <= b,
                             Relation.MORE: a > b, Relation.AT_LEAST: a >= b}[fact.relation])
        if derivative is not None:
            self.solver.add(self.total(*derivative) != 0)
        answer = self.solver.check()
        if answer != z3.sat:
            return Outcome.NONE if answer == z3.unsat else Outcome.UNKNOWN
        model = self.solver.model()
        found = {}
        for x in self.graph.variables:
            value = model.eval(self.names[x.name], model_completion=True)
            if not z3.is_rational_value(value):
                return Outcome.UNKNOWN
            found[x.name] = Fraction(value.numerator_as_long(), value.denominator_as_long())
        return found

    def total(self, of: str, wrt: str) -> Any:
        """d of / d wrt by reverse accumulation, every adjoint a variable."""
        on_path = self.graph.between(wrt, of)
        bars: dict[str, list[Any]] = {of: [self.z3.RealVal(1)]}
        for n in reversed(on_path):
            if n == wrt:
                break
            bar = self.z3.Real(f"bar {n}")
            self.solver.add(bar == self.z3.Sum(bars.get(n, [self.z3.RealVal(0)])))
            for x in self.graph.arguments(n):
                if x in on_path:
                    bars.setdefault(x, []).append(bar * self.slope(self.graph.node(n).expr, x))
        return self.z3.Sum(bars.get(wrt, [self.z3.RealVal(0)]))

    def number(self, x: Rational) -> Any:
        return self.z3.Q(int(x.p), int(x.q))

    def value(self, e: Expr) -> Any:
        if e not in self.memo:
            self.memo[e] = self._value(e)
        return self.memo[e]

    def _value(self, e: Expr) -> Any:
        z3 = self.z3
        match e:
            case Rational():
                return self.number(e)
            case Symbol():
                return self.names[e.name]
            case Add():
                return z3.Sum([self.value(a) for a in e.args])
            case Mul():
                return z3.Product([self.value(a) for a in e.args])
            case Pow(base=base, exp=n) if isinstance(n, Integer) and 0 < n <= 4:
                return z3.Product([self.value(base)] * int(n))
            case Call() if e.fn.plain and e.fn.name in self.functions:
                return self.value(self.functions[e.fn.name].of(e.arguments))
            case Call() if e.fn.plain:
                return self.applied(e)
        raise Unsupported(f"z3 is not asked about {type(e).__name__}")

    def applied(self, e: Call) -> Any:
        If = self.z3.If
        a = self.value(e.arguments[0])
        match e.fn.name:
            case "relu":
                return If(a > 0, a, 0)
            case "max" | "min":
                b = self.value(e.arguments[1])
                return If(a > b, a, b) if e.fn.name == "max" else If(a < b, a, b)
            case "leaky_relu":
                return If(a > 0, a, self.number(leaky_slope(e.arguments)) * a)
            case "abs":
                return If(a > 0, a, -a)
            case "sign":
                return If(a > 0, self.number(Integer(1)), If(a < 0, self.number(Integer(-1)), 0))
            case "step":
                return If(a > 0, self.number(Integer(1)), If(a < 0, 0, self.number(self.conventions.step_at_zero)))
        raise Unsupported(f"z3 is not asked about {e.fn}")

    def slope(self, e: Expr, x: str) -> Any:
        """The local partial of an expression in a name."""
        z3, zero = self.z3, self.z3.RealVal(0)
        if x not in {str(s) for s in e.free_symbols}:
            return zero
        match e:
            case Symbol():
                return z3.RealVal(1)
            case Add():
                return z3.Sum([self.slope(a, x) for a in e.args])
            case Mul():
                return z3.Sum([z3.Product([self.slope(a, x), *(self.value(b) for j, b in enumerate(e.args) if j != k), z3.RealVal(1)])
                               for k, a in enumerate(e.args)])
            case Pow(base=base, exp=n) if isinstance(n, Integer) and 0 < n <= 4:
                return z3.Product([self.number(n), *[self.value(base)] * (int(n) - 1), self.slope(base, x)])
            case Call() if e.fn.plain and e.fn.name in self.functions:
                return self.slope(self.functions[e.fn.name].of(e.arguments), x)
            case Call() if e.fn.plain:
                parts = [self.call_slope(e, k) * self.slope(a, x) for k, a in enumerate(e.arguments) if a.free_symbols]
                return z3.Sum(parts)
        raise Unsupported(f"z3 is not asked about {type(e).__name__}")

    def call_slope(self, e: Call, slot: int) -> Any:
        If, tie = self.z3.If, self.conventions.relu_at_zero
        g = self.value(gap(e))
        at = self.number(tie if tie is not None else Integer(0))
        one, zero = self.z3.RealVal(1), self.z3.RealVal(0)
        match e.fn.name:
            case "relu" | "max":
                first = If(g > 0, one, If(g < 0, zero, at))
                return first if slot == 0 else 1 - first
            case "min":
                return If(g < 0, one, zero) if slot == 0 else If(g < 0, zero, one)
            case "leaky_relu":
                return If(g > 0, one, self.number(leaky_slope(e.arguments)))
            case "abs":
                return If(g > 0, one, -one)
        return zero
