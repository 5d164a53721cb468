"""Verification of counterexamples: the point satisfies the assumptions, and the two sides differ there by exact arithmetic.

A point at which the left side is defined and the right side is not, for a logarithm or a root of a negative number, refutes too;
a pole or a kink of the right side does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.check.assumptions import MAX_SIZE, composed, differences, put_in, sign_of
from symgrad.check.domains import SIGNS, conditions
from symgrad.check.explicit import Explicit
from symgrad.check.normal import NoDerivative
from symgrad.check.points import decimal_fits, evaluate, interval
from symgrad.language import forms as F
from symgrad.language.claims import Counterexample
from symgrad.language.errors import Refused
from symgrad.language.forms import Relation, Sign
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, Entry, dimensions_in, names_in


@dataclass
class Counterexamples:
    """Counterexamples to claims of one problem."""

    problem: Problem

    def __post_init__(self) -> None:
        self.graph, self.step = self.problem.graph, self.problem.conventions.step_at_zero

    def counterexample(self, c: Counterexample) -> Verdict:
        """The point satisfies every assumption, the left side is defined there, and the right side is not or is another number."""
        given = tuple(put_in(self.graph, q) for q in c.assume)
        a, b = composed(self.graph, c.left), composed(self.graph, c.right)
        ex, point = self.at(c, (a, b, *(e for q in given for e in (q.left, q.right))))
        for q in given:
            if not self.holds(q, ex, point):
                raise Refused(f"the point does not satisfy {q}")
        for q in conditions(a):
            if not self.holds(q, ex, point):
                raise Refused(f"the left side is not defined at the point: {q} fails")
        i, j = c.witness.entry
        left, right = (ex.rows(e) for e in (a, b))
        if not (1 <= i <= len(left) and 1 <= j <= len(left[0])):
            raise Refused("there is no such entry")
        x = self.require_shown(left[i - 1][j - 1], point, c.values[0], "left")
        broken = [q for q in conditions(b) if not self.holds(q, ex, point)]
        if c.values[1] is None:
            if not any(q.sign in (Sign.MORE, Sign.AT_LEAST) for q in broken):
                raise Refused("the right side is defined at the point, or fails only at a pole or a kink")
            return Verdict(Ground.PROVED, f"the left side is defined there and the right side is not: {broken[0]} fails", "at the point")
        if broken:
            raise Refused(f"the right side is not defined at the point: {broken[0]} fails")
        y = self.require_shown(right[i - 1][j - 1], point, c.values[1], "right")
        if (x == y) if isinstance(x, Fraction) and isinstance(y, Fraction) else not (
                interval(x).b < interval(y).a or interval(y).b < interval(x).a):
            raise Refused("the two sides are not shown to differ at the point")
        return Verdict(Ground.PROVED, "both sides evaluated exactly, or enclosed with error bounds", "at the point")

    def at(self, c: Counterexample, exprs: tuple[Expr, ...]) -> tuple[Explicit, dict[Expr, Expr]]:
        """The sizes and the values of a witness.  Raises Refused if something is missing or of another size."""
        stated = dict(c.witness.sizes)
        sizes: dict[Expr, int] = {}
        for d in self.graph.dimensions:
            if str(d) in stated:
                if not 1 <= stated[str(d)] <= MAX_SIZE:
                    raise Refused(f"the size {d} = {stated[str(d)]} is out of range")
                sizes[d] = stated[str(d)]
        ex = Explicit(sizes)
        point: dict[Expr, Expr] = {}
        for name, rows in c.witness.values:
            symbol, shape = self.graph.symbol(name), self.graph.shape(name)
            if any(s not in sizes for d in shape for s in d.free_symbols) or [len(row) for row in rows] != [ex.size(shape[1])] * ex.size(shape[0]):
                raise Refused(f"{name} has another size at the point")
            for i, row in enumerate(rows, 1):
                for j, x in enumerate(row, 1):
                    point[symbol if shape == SCALAR else Entry(symbol, Integer(i), Integer(j))] = x
        missing = [n for e in exprs for n in names_in(e) if n not in {name for name, _ in c.witness.values}]
        missing += [str(d) for e in exprs for d in dimensions_in(e) if d not in sizes]
        if missing:
            raise Refused(f"no value is given for {missing[0]}")
        return ex, point

    def holds(self, q: Relation, ex: Explicit, point: dict[Expr, Expr]) -> bool:
        try:
            return all(sign_of(evaluate(g, point, None, self.step)) in SIGNS[q.sign] for g in differences(q, ex))
        except (NoDerivative, ZeroDivisionError, ValueError):
            return False

    def require_shown(self, e: Expr, point: dict[Expr, Expr], shown: F.Form | None, side: str) -> Any:
        """The value of one side; what is displayed must be it, or its rounding."""
        value = evaluate(e, point, None, self.step)
        if isinstance(value, Fraction) and shown == F.Just(Rational(value.numerator, value.denominator)):
            return value
        if not (isinstance(shown, F.Decimal) and 0 <= shown.digits <= 60 and decimal_fits(interval(value), shown.value, shown.digits)):
            raise Refused(f"the value of the {side} side is {float(interval(value).mid.a):.9g}, the claim shows another")
        return value
