"""Systems of linear inequalities: a point, or multipliers that show there is none.  z3 searches; what it finds is checked elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from symgrad.language.arrangement import Form
from symgrad.language.errors import Unsupported

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
        self.solver = z3.SolverFor("QF_LIA" if integers else "QF_LRA")
        self.solver.set("timeout", TIMEOUT)
        self.variables: dict[int, Any] = {}

    def variable(self, i: int) -> Any:
        if i not in self.variables:
            self.variables[i] = self.z3.Int(f"x{i}") if self.integers else self.z3.Real(f"x{i}")
        return self.variables[i]

    def number(self, q: Fraction) -> Any:
        return self.z3.IntVal(q.numerator) if self.integers and q.denominator == 1 else self.z3.RealVal(f"{q.numerator}/{q.denominator}")

    def linear(self, form: Form) -> Any:
        terms, constant = form
        scale = Fraction(1)
        if self.integers:
            from math import lcm
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
    return _solved(inequalities)


def _solved(inequalities: Sequence[Inequality]) -> list[tuple[int, Fraction]] | None:
    """The same by z3: factors that cancel every variable, with few of them where that is easy to see."""
    import z3

    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", TIMEOUT)
    factors = [z3.Real(f"m{k}") for k in range(len(inequalities))]
    columns: dict[int, list[Any]] = {}
    constants, stricts = [], []
    for m, ((terms, constant), strict) in zip(factors, inequalities, strict=True):
        solver.add(m >= 0)
        for i, c in terms:
            columns.setdefault(i, []).append(z3.RealVal(f"{c.numerator}/{c.denominator}") * m)
        constants.append(z3.RealVal(f"{constant.numerator}/{constant.denominator}") * m)
        if strict:
            stricts.append(m)
    for column in columns.values():
        solver.add(z3.Sum(column) == 0)
    sum_of_constants, sum_of_stricts = z3.Sum(constants), z3.Sum(stricts) if stricts else z3.RealVal(0)
    solver.add(z3.Or(sum_of_constants == -1, z3.And(sum_of_constants == 0, sum_of_stricts == 1)))
    answer = solver.check()
    if answer == z3.unknown:
        raise Undecided(f"undecided: the solver gave up ({solver.reason_unknown()})")
    if answer == z3.unsat:
        return None
    model = solver.model()
    values = [model.eval(m, model_completion=True) for m in factors]
    found = [(k, Fraction(x.numerator_as_long(), x.denominator_as_long())) for k, x in enumerate(values)]
    return _whole([(k, x) for k, x in found if x])


def _whole(found: Iterable[tuple[int, Fraction]]) -> list[tuple[int, Fraction]]:
    """The same factors times a number that makes them whole and coprime."""
    from math import gcd, lcm

    pairs = list(found)
    scale = Fraction(lcm(*(x.denominator for _, x in pairs)))
    scale /= gcd(*(int(x * scale) for _, x in pairs))
    return [(k, x * scale) for k, x in pairs]
