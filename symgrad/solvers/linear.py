"""Systems of linear inequalities: a point, or multipliers that show there is none.  z3 searches; what it finds is checked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from symgrad.language.arrangement import Form, fraction
from symgrad.language.errors import Unsupported
from symgrad.language.piecewise import Row
from symgrad.solvers.regions import multipliers as farkas

Inequality = tuple[Form, bool]
"""(form, strict): form >= 0, or form > 0."""
TIMEOUT = 5_000  # milliseconds for one question to z3


class Undecided(Unsupported):
    """A search stopped at its bound: neither an answer nor its absence was shown."""


class System:
    """Inequalities added and taken back in order, in variables that are real or whole numbers."""

    def __init__(self, integers: bool = False) -> None:
        import z3

        self.z3, self.integers = z3, integers
        self.context = z3.Context()  # a new one each time: what is found must not depend on what was asked before
        self.solver = z3.SolverFor("QF_LIA" if integers else "QF_LRA", ctx=self.context)
        self.solver.set("timeout", TIMEOUT)
        self.variables: dict[int, Any] = {}

    def variable(self, i: int) -> Any:
        if i not in self.variables:
            self.variables[i] = self.z3.Int(f"x{i}", self.context) if self.integers else self.z3.Real(f"x{i}", self.context)
        return self.variables[i]

    def number(self, q: Fraction) -> Any:
        if self.integers and q.denominator == 1:
            return self.z3.IntVal(q.numerator, self.context)
        return self.z3.Q(q.numerator, q.denominator, self.context)

    def linear(self, form: Form) -> Any:
        terms, constant = form
        scale = Fraction(1)
        if self.integers:
            scale = Fraction(lcm(constant.denominator, *(c.denominator for _, c in terms)))
        pieces = [self.number(c * scale) * self.variable(i) for i, c in terms]
        return self.z3.Sum([*pieces, self.number(constant * scale)])

    def add(self, inequality: Inequality) -> None:
        form, strict = inequality
        self.solver.add(self.linear(form) > 0 if strict else self.linear(form) >= 0)

    def push(self, *inequalities: Inequality) -> None:
        """Adds some; `pop` takes them back together."""
        self.solver.push()
        for i in inequalities:
            self.add(i)

    def pop(self) -> None:
        self.solver.pop()

    def feasible(self) -> bool:
        """Raises Undecided if z3 gives up: that is not infeasible."""
        answer = self.solver.check()
        if answer == self.z3.unknown:
            raise Undecided(f"undecided: the solver gave up ({self.solver.reason_unknown()})")
        return bool(answer == self.z3.sat)

    def point(self, count: int) -> list[Fraction]:
        """The solution just found, for the variables 1..count (0 where one does not occur)."""
        model = self.solver.model()
        found = []
        for i in range(1, count + 1):
            value = model.eval(self.variable(i), model_completion=True)
            found.append(Fraction(value.as_long()) if self.integers else Fraction(value.numerator_as_long(), value.denominator_as_long()))
        return found


def multipliers(inequalities: Sequence[Inequality]) -> list[tuple[int, Fraction]] | None:
    """Factors >= 0 by place with which the inequalities add up to negative >= 0 or 0 > 0 (Farkas, Motzkin); None: they have a solution.

    Two that contradict each other are found without a solver.
    """
    by_direction: dict[tuple[tuple[int, Fraction], ...], list[int]] = {}
    for k, ((terms, constant), strict) in enumerate(inequalities):
        if not terms:
            if constant < 0 or (strict and constant == 0):
                return [(k, Fraction(1))]
            continue
        size = abs(terms[0][1])
        for j in by_direction.get(tuple((i, -c / size) for i, c in terms), ()):
            (other, own), other_strict = inequalities[j]
            factor = size / abs(other[0][1])
            total = constant + factor * own
            if total < 0 or (total == 0 and (strict or other_strict)):
                return [(j, factor), (k, Fraction(1))]
        by_direction.setdefault(tuple((i, c / size) for i, c in terms), []).append(k)
    inputs = sorted({i for (terms, _), _ in inequalities for i, _ in terms})
    rows = [Row((constant, *(dict(terms).get(i, Fraction(0)) for i in inputs)), strict) for (terms, constant), strict in inequalities]
    try:
        found = farkas(rows)
    except Unsupported as error:
        raise Undecided(f"undecided: {error}") from None
    return None if found is None else _whole([(k, fraction(x)) for k, x in enumerate(found) if x])


def _whole(found: Sequence[tuple[int, Fraction]]) -> list[tuple[int, Fraction]]:
    """The same factors times a number that makes them whole and coprime."""
    scale = Fraction(lcm(*(x.denominator for _, x in found)))
    scale /= gcd(*(int(x * scale) for _, x in found))
    return [(k, x * scale) for k, x in found]
