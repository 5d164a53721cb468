"""Propagation of facts: what follows is what brute force finds, what is found is accepted by the checker's own reasoning."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from sympy import Integer

from symgrad.check.facts import Facts
from symgrad.language import intervals as I
from symgrad.language.functions import scalar
from symgrad.language.graph import Graph
from symgrad.language.intervals import Interval, point
from symgrad.language.problem import Conventions
from symgrad.language.zeros import Fact, Narrowed
from symgrad.questions.regions import Regions
from symgrad.rules.vanishing import Ranges, traced
from tests.questions.asking import ask

FREE = Conventions()


def ranges(let: str, facts: str) -> tuple[Ranges, Graph]:
    problem = ask(let, "L", facts)
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    return Ranges(problem.graph, FREE, case, frozenset(problem.graph.names)), problem.graph


NET = "z = w*x + b\nh = relu(z)\nq = m*h\ns = max(-1, min(1, q))\nk = step(z)\nL = loss(s, t)"


@pytest.mark.parametrize(("facts", "name", "expected"), [
    ("z = -1", "h", I.ZERO), ("z = -1", "q", I.ZERO), ("z = -1", "s", I.ZERO), ("z < 0", "k", I.ZERO),
    ("h > 0", "z", I.POSITIVE), ("h = 0", "z", I.NOT_POSITIVE), ("h = 3", "z", point(3)), ("h != 0", "h", I.POSITIVE),
    ("x = 0, b = -2", "z", point(-2)), ("s = 1", "q", Interval(Fraction(1), float("inf"), False, True)),
    ("s > 0", "q", I.POSITIVE), ("k = 0", "z", I.NEGATIVE), ("k = 1", "z", I.NOT_NEGATIVE),
    ("q > 0, m > 0", "z", I.POSITIVE), ("q < 0", "z", I.POSITIVE), ("q < 0", "m", I.NEGATIVE),
    ("z = 1, b = 3, x = 2", "w", point(-1)), ("0 <= x, x <= 2, w = 3, b = 1", "z", Interval(Fraction(1), Fraction(7))),
    ("2*z <= 3", "z", Interval(float("-inf"), Fraction(3, 2), True, False)),
])
def test_what_is_found(facts: str, name: str, expected: Interval) -> None:
    found, _ = ranges(NET, facts)
    assert found.contradiction is None
    assert found.forward(scalar(name)) == expected


def test_local_partials() -> None:
    found, _ = ranges(NET, "z = -1, m = 0")
    assert found.partials("h")["z"] == I.ZERO and found.partials("q") == {"m": I.ZERO, "h": I.ZERO}
    assert found.partials("z") == {"w": I.ALL, "x": I.ALL, "b": point(1)}
    found, _ = ranges(NET, "z <= 0, q = 0")
    assert found.partials("h")["z"] == I.ALL and found.partials("s")["q"] == point(1)


@pytest.mark.parametrize("facts", ["h = -1", "z = -1, h > 0", "k = 1, z < 0", "s = 2", "q > 0, m < 0", "x = 0, b = 1, z < 0"])
def test_contradictions(facts: str) -> None:
    found, _ = ranges(NET, facts)
    assert found.contradiction is not None


def test_few_reasons() -> None:
    """Of all that is known, only what the zero factor needs is kept."""
    problem = ask(NET, "m", "z = -1, t = 5")
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    (region,) = Regions(problem.graph, FREE, case, "L").by_factors("m") or ()
    assert region.deduced == (Narrowed(Fact(scalar("h"), case[0].relation, Integer(0)), "h"),) and region.zeros == (("q", "m"),)


def test_the_checker_follows() -> None:
    """Every deduction on random facts is accepted by the checker's own reasoning, in order."""
    random = Random(9)
    names = ("z", "h", "q", "s", "k", "w", "x", "b", "m")
    deductions = contradictions = 0
    for _ in range(150):
        signs = ("=", "<", ">", "<=", ">=", "!=")
        facts = ", ".join(f"{random.choice(names)} {random.choice(signs)} {random.randint(-2, 2)}" for _ in range(random.randint(1, 4)))
        found, graph = ranges(NET, facts)
        checker = Facts(graph, FREE)
        for f in found.facts:
            checker.add(f)
        listed = traced(found.contradiction or [f for log in found.log.values() for f in log])
        for f in listed:
            assert isinstance(f.by, str | int)
            if checker.impossible:
                break
            checker.deduce(Narrowed(f.conclusion, f.by))
            deductions += 1
        assert checker.impossible == (found.contradiction is not None), facts
        contradictions += checker.impossible
    assert deductions > 300 and 20 < contradictions < 130


def test_conventions_change_slopes_alone() -> None:
    problem = ask(NET, "w", "z <= 0")
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    for tie, expected in ((None, I.ALL), (Integer(0), I.ZERO), (Integer(1), Interval(Fraction(0), Fraction(1)))):
        found = Ranges(problem.graph, replace(FREE, relu_at_zero=tie), case, frozenset(problem.graph.names))
        assert found.partials("h")["z"] == expected and found.forward(scalar("h")) == I.ZERO
