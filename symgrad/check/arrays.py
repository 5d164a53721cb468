"""Numbers of vectors and matrices at the given values, one definition after the other: exact where rational, else enclosed.

Values of nodes and of adjoints, Jacobians and second derivatives.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Any

from sympy import Expr, Integer, MatrixExpr, Rational, preorder_traversal

from symgrad.check.adjoints import Adjoints
from symgrad.check.errors import NO_VALUE, Undecided
from symgrad.check.evaluation import decimal_fits, evaluate, interval
from symgrad.check.explicit import Explicit, Rows
from symgrad.check.tangents import Tangents
from symgrad.check.values import by_convention
from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language.claims import ArrayValue, TangentValue
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Graph, Variable
from symgrad.language.problem import Conventions, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.tangents import tangent, tangent_name
from symgrad.language.vectors import Elementwise, add, dimensions_in, names_in, negate, variable

MAX_ENTRIES = 400
METHOD = "every definition evaluated at them, in fractions or in intervals with bounds"
Definitions = dict[str, tuple[Expr, Expr]]
"""Name -> its symbol and what it is defined as."""


def array_value(adjoints: Adjoints, c: ArrayValue) -> Verdict:
    """The definitions of the nodes, and of the adjoints that were verified, evaluated; a convention holds at a kink."""
    graph = adjoints.graph
    definitions: Definitions = {n.name: (n.symbol, n.expr) for n in graph.nodes}
    if c.seed:
        found = {n: e for (of, n), e in adjoints.found.items() if of == c.seed}
        definitions |= {f"{n}_bar": (variable(f"{n}_bar", graph.shape(n)), e) for n, e in found.items()}
    if c.name not in definitions:
        raise Refused(f"{c.name} is not defined, or was not derived")
    values = Evaluation(adjoints.problem, graph, definitions, c.name, adjoints.problem.conventions, (c.seed,) if c.seed else ())
    symbol, definition = definitions[c.name]
    if len(c.lines) < 2 or c.lines[0].form != F.Just(definition):
        raise Refused(f"the first line is not the definition of {c.name}, or the only one")
    for line in c.lines[1:-1]:
        if not isinstance(line.form, F.Substituted) or line.form.expr != definition:
            raise Refused(f"a line between is not the definition of {c.name} with numbers put in")
        for name, number in line.form.numbers:
            if name in names_in(definition):
                values.require(definitions[name][0] if name in definitions else graph.symbol(name), number, f"{name} in {c.name}")
            elif number != next((Integer(values.ex.size(d)) for d in dimensions_in(definition) if str(d) == name), None):
                raise Refused(f"{c.name}: a number is put in for {name}, which does not stand there or is another")
    values.require(symbol, c.lines[-1].form, c.name)
    if any(rounded(line.form) and not line.approx for line in c.lines):
        raise Refused(f"{c.name}: a line with rounded decimals is said to be exact")
    return Verdict(Ground.PROVED, METHOD, "at the given values")


def tangent_value(tangents: Tangents, c: TangentValue) -> Verdict:
    """The tangents that were verified, evaluated off the kinks.  Raises Refused for a number that is none of its entries."""
    what = tangent_name(c.node, c.direction)
    derived = tangents.found.get((c.seed, c.direction), {})
    if c.node not in derived:
        raise Refused(f"{what} was not derived")
    graph = tangents.graph(c.seed)
    definitions: Definitions = {n.name: (n.symbol, n.expr) for n in graph.nodes}
    definitions |= {tangent_name(n, c.direction): (tangent(graph, n, c.direction), e) for n, e in derived.items()}
    problem = tangents.adjoints.problem
    none_at_kinks = Conventions(step_at_zero=problem.conventions.step_at_zero)
    Evaluation(problem, graph, definitions, what, none_at_kinks, (c.seed or c.node,)).require(definitions[what][0], c.entries, what)
    return Verdict(Ground.PROVED, METHOD, "at the given values")


class _Largest(Explicit):
    """Entries in which the largest of a row is a maximum, with a value at ties too, and no sum over the one place where it stands."""

    def _matrix(self, e: MatrixExpr) -> Rows:
        if isinstance(e, op.RowMax):
            return tuple((reduce(lambda a, b: Call(Fn("max", (0, 0)), a, b), row),) for row in self.rows(e.args[0]))
        return super()._matrix(e)


class Evaluation:
    """The values of one name and of all that it is made of.  Raises Refused for a missing number, Undecided where there is no value."""

    def __init__(self, problem: Problem, graph: Graph, definitions: Definitions, what: str, conventions: Conventions,
                 differentiated: tuple[str, ...]) -> None:
        """The node that was `differentiated`, and all that it is made of, are off their kinks."""
        self.conventions = conventions
        stated = {g.name: g.entries for g in problem.values if g.digits is None}
        self.ex = _Largest({d: n for d in graph.dimensions for name, n in problem.sizes if str(d) == name})
        missing = [str(d) for d in graph.dimensions if d not in self.ex.sizes]
        if missing:
            raise Refused(f"{what}: no number is given for the size {missing[0]}")
        self.found: dict[Expr, Any] = {}
        for name in dict.fromkeys(n for w in (what, *differentiated) for n in needed(w, definitions)):
            symbol, definition = definitions.get(name, (graph.symbol(name) if name in graph else None, None))
            if symbol is None:
                raise Refused(f"{what} uses {name}, which is not derived")
            if definition is None:
                if not isinstance(graph[name], Variable) or name not in stated:
                    raise Refused(f"{what}: no value is given for {name}")
                values: Any = [[Fraction(int(x.p), int(x.q)) for x in row] for row in stated[name]]
            else:
                require_known(definition)
                tie = None if definition.has(op.ArgMax) else self.conventions.relu_at_zero  # the largest entry is attained once, or there is no value
                values = [[self.value(x, what, tie) for x in row] for row in self.ex.rows(definition)]
            for row, numbers in zip(self.ex.rows(symbol), values, strict=True):
                self.found.update(zip(row, numbers, strict=True))

        for n in differentiated:
            self.require_off_kinks(graph, n)

    def value(self, e: Expr, what: str, tie: Rational | None) -> Any:
        """A Fraction or an interval."""
        try:
            return evaluate(by_convention(e, self.conventions), self.found, tie, self.conventions.step_at_zero)
        except NO_VALUE as error:
            raise Undecided(f"{what} has no value here: {error or 'a division by zero'}") from None

    def require_off_kinks(self, graph: Graph, of: str) -> None:
        """Nothing that `of` is made of is at a kink where no derivative is fixed; that of |x| is written sign(x), which is 0 at 0."""
        fixed, above = self.conventions, graph.ancestors(of)
        for node in (n for n in graph.nodes if n.name in above):
            for a in preorder_traversal(node.expr):
                row = KNOWN.get(a.fn.name) if isinstance(a, Call | Elementwise) else None
                if row is None or not row.kink or row.name == "sqrt":
                    continue
                if fixed.abs_at_zero == 0 if row.name == "abs" else fixed.relu_at_zero is not None and row.name not in ("step", "sign"):
                    continue
                first, *rest = a.arguments
                gap = add(first, negate(rest[0])) if row.name in ("max", "min") else first
                for x in (x for line in self.ex.rows(gap) for x in line):
                    at = self.value(x, node.name, None)
                    if at == 0 if isinstance(at, Fraction) else at.a <= 0 <= at.b:
                        raise Undecided(f"{node.name} is at a kink of {row.name}, or not shown to be off it")

    def require(self, symbol: Expr, shown: F.Form | Expr, what: str) -> None:
        """Every entry is the one shown: a number, or an array of numbers."""
        rows = self.ex.rows(symbol)
        if len(rows) * len(rows[0]) > MAX_ENTRIES:
            raise Undecided(f"{what} has more than {MAX_ENTRIES} entries")
        grid = shown.rows if isinstance(shown, F.Array) else ((shown if not isinstance(shown, Expr) else F.Just(shown),),)
        if any(len(row) != len(rows[0]) for row in grid) or len(grid) != len(rows):
            raise Refused(f"{what} is {len(rows)} by {len(rows[0])}")
        for i, (symbols, forms) in enumerate(zip(rows, grid, strict=True), 1):
            for j, (entry, form) in enumerate(zip(symbols, forms, strict=True), 1):
                require_number(self.found[entry], form, f"entry ({i}, {j}) of {what}" if len(rows) * len(rows[0]) > 1 else what)


def needed(name: str, definitions: Definitions) -> list[str]:
    """The names that a definition is made of, before those that use them."""
    order: dict[str, None] = {}
    opened: set[str] = set()
    stack = [name]
    while stack:
        n = stack[-1]
        waiting = [a for a in names_in(definitions[n][1]) if a not in order] if n in definitions else []
        if n in order or not waiting:
            order[stack.pop()] = None
        elif n in opened:
            raise Refused(f"{name} is defined in terms of itself")
        else:
            opened.add(n)
            stack += waiting
    return list(order)


def rounded(form: F.Form) -> bool:
    """Does a decimal that was rounded stand in it?"""
    match form:
        case F.Decimal():
            return True
        case F.Array(rows):
            return any(isinstance(x, F.Decimal) for row in rows for x in row)
        case F.Substituted(_, numbers):
            return any(isinstance(x, F.Array) and rounded(x) for _, x in numbers)
    return False


def require_known(definition: Expr) -> None:
    """Raises Refused for an unknown function, which has no value."""
    for fn in definition.atoms(Fn):
        if fn.name not in KNOWN:
            raise Refused(f"the unknown function {fn.name} has no value")


def require_number(true: Any, form: F.Form, what: str) -> None:
    match form:
        case F.Just(x) if x.is_Rational:
            if isinstance(true, Fraction):
                if true != Fraction(int(x.p), int(x.q)):
                    raise Refused(f"{what} is {true}, not {x}")
            elif not true.a == true.b == interval(Fraction(int(x.p), int(x.q))):  # as 0 times an interval
                raise Undecided(f"{what} is not shown to be exactly {x}")
        case F.Decimal(x, digits):
            if not decimal_fits(interval(true), x, digits):
                raise Refused(f"{what} is not {float(x)} to {digits} decimals")
        case _:
            raise Refused(f"{what} is no number")


__all__ = ["array_value", "tangent_value"]
