"""Numbers put into a graph with vectors and matrices: the values of nodes and adjoints, one definition after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.language import forms as F
from symgrad.language.claims import ArrayValue, Line
from symgrad.language.errors import Unsupported
from symgrad.language.graph import Variable
from symgrad.language.problem import Problem
from symgrad.language.steps import Answer, Step
from symgrad.language.vectors import dimensions_in, names_in, shape_of, size_at
from symgrad.solvers.entries import StatedValues, at_kink
from symgrad.solvers.values import Rows, Undefined

MAX_ENTRIES = 400
"""Of a matrix of numbers that is printed."""
MAX_PUT_IN = 64
"""Entries of all matrices in one line with numbers in the place of names."""
MAX_DENOMINATOR = 1000


class NoValue(Unsupported):
    """A definition without a value, or without a derivative, at the given numbers."""

    def __init__(self, name: str, why: str, what: str = "value") -> None:
        super().__init__(f"{name} has no {what}: {why}")
        self.name, self.why, self.what = name, why, what


class Arrays:
    """The values of all names of some definitions, from the numbers of the problem.

    Raises Unsupported with the reason: a number that is not given, a kink that no convention fixes, a function without a value.
    """

    def __init__(self, problem: Problem, definitions: Mapping[str, Expr], variables: Iterable[str]) -> None:
        self.problem, graph = problem, problem.graph
        stated = {g.name: tuple(tuple(Fraction(int(x.p), int(x.q)) for x in row) for row in g.entries) for g in problem.values if g.digits is None}
        absent = [n for n in variables if n not in stated]
        if absent:
            raise Unsupported(f"no value is given for {', '.join(absent)}; state it in [symbols] or [values]")
        self.sizes = {d: n for d in graph.dimensions for word, n in problem.sizes if str(d) == word}
        sizeless = [str(d) for d in graph.dimensions if d not in self.sizes]
        if sizeless:
            raise Unsupported(f"no number is given for the size {', '.join(sizeless)}")
        self.rows: dict[str, Rows] = {n: stated[n] for n in variables}
        for name, e in definitions.items():
            if any(size_at(d, self.sizes) < 1 for d in shape_of(e)):
                raise NoValue(name, "it has no entries at these sizes")
            try:
                self.rows[name] = StatedValues(self.sizes, self.rows, problem.conventions).rows(e)
            except Undefined as error:
                why = ("a logarithm or root outside its domain" if error.domain
                       else "a kink that no convention fixes, a division by zero, or a number too large to work with")
                raise NoValue(name, why) from None
            except Unsupported as error:
                raise NoValue(name, str(error)) from None

    def require_off_kinks(self, names: Iterable[str]) -> None:
        """Raises NoValue for a node at a kink, where it has no derivative unless the problem fixes one."""
        values = StatedValues(self.sizes, self.rows, self.problem.conventions)
        for name in names:
            if at_kink(self.problem.graph.node(name).expr, values):
                raise NoValue(name, "a kink that no convention fixes", "derivative")

    def shown(self, name: str) -> F.Form:
        """A number, or an array of numbers.  Raises Unsupported for more than a page of them."""
        rows = self.rows[name]
        if len(rows) * len(rows[0]) > MAX_ENTRIES:
            raise Unsupported(f"{name} has {len(rows) * len(rows[0]):,} entries, more than are printed; `lambdify` computes them")
        forms = tuple(tuple(number(x, self.problem.digits) for x in row) for row in rows)
        return forms[0][0] if len(rows) == len(rows[0]) == 1 else F.Array(forms)

    def step(self, node: str, seed: str, expr: Expr, premises: Iterable[Step], label: str) -> Step:
        """name = formula = numbers put in = value."""
        claim = ArrayValue(node, seed, ())
        lines = [Line(F.Just(expr)), *self.put_in(expr)]
        value = self.shown(claim.name)
        lines.append(Line(value, (), rough(value)))
        return Step(ArrayValue(node, seed, tuple(lines)), "substitution", ("put the values into the definition",), tuple(premises), label)

    def put_in(self, expr: Expr) -> list[Line]:
        """The line with numbers in the place of names, where it says something new and is not too long."""
        names = names_in(expr)
        if not names or not expr.args or sum(len(self.rows[n]) * len(self.rows[n][0]) for n in names) > MAX_PUT_IN:
            return []
        shown = {n: self.shown(n) for n in names}
        pairs: list[tuple[str, Expr | F.Array]] = [(n, _plain(f)) for n, f in shown.items()]
        pairs += [(str(d), Integer(self.sizes[d])) for d in dimensions_in(expr) if d in expr.free_symbols and str(d) not in names]
        return [Line(F.Substituted(expr, tuple(pairs)), (), any(map(rough, shown.values())))]


def variables_of(problem: Problem, names: Iterable[str]) -> list[str]:
    """Of some names of the graph those that are variables, in order."""
    wanted = set(names)
    return [x.name for x in problem.graph.all if isinstance(x, Variable) and x.name in wanted]


def answer(step: Step, left: F.Form, label: str) -> Answer:
    assert isinstance(step.claim, ArrayValue)
    last = step.claim.lines[-1]
    return Answer(label, left, last.form, last.approx)


def number(x: Any, digits: int) -> F.Form:
    """A fraction as it is, if it is short; else a decimal."""
    if isinstance(x, Fraction) and x.denominator <= MAX_DENOMINATOR:
        return F.Just(Rational(x.numerator, x.denominator))
    scaled = x * 10**digits
    rounded = int(abs(scaled) + Fraction(1, 2)) if isinstance(scaled, Fraction) else int(abs(scaled) + 0.5)
    return F.Decimal(Rational(rounded if scaled >= 0 else -rounded, 10**digits), digits)


def rough(f: F.Form) -> bool:
    """Is there a rounded decimal in it?"""
    return isinstance(f, F.Decimal) or isinstance(f, F.Array) and any(isinstance(x, F.Decimal) for row in f.rows for x in row)


def _plain(f: F.Form) -> Expr | F.Array:
    match f:
        case F.Array():
            return f
        case F.Just(expr):
            return expr
    return F.Array(((f,),))


__all__ = ["Arrays", "NoValue", "answer", "number", "rough", "variables_of"]
