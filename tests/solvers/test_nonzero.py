"""Searches: what they find satisfies the facts, judged by plain arithmetic here; z3's multipliers add up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Integer

from symgrad.language import intervals as I
from symgrad.language.problem import Conventions
from symgrad.language.zeros import Relation
from symgrad.solvers import multipliers, nonlinear
from symgrad.solvers.nonzero import Search, choices
from tests.questions.asking import ask

NET = "z1 = w1*x + b1\nh1 = relu(z1)\nz2 = w2*h1 + w3*x\nh2 = relu(z2)\ny = v*h1*h2\nL = loss(y, t)"
ORACLE = {
    "z1": lambda v: v["w1"] * v["x"] + v["b1"], "h1": lambda v: max(v["z1"], 0), "z2": lambda v: v["w2"] * v["h1"] + v["w3"] * v["x"],
    "h2": lambda v: max(v["z2"], 0), "y": lambda v: v["v"] * v["h1"] * v["h2"],
}
FACTS = ["z1 = 2, z2 = 1", "h1 = 1, h2 > 3", "z1 > z2, z2 > 0", "y = 5", "w1 = w2, z1 = -1, z2 < -3", "x != 0, w1*x = 1", "z1 + z2 = 7", "y != 0"]


def right(facts: str, values: dict[str, Fraction]) -> bool:
    """Do the facts hold, after the nodes are computed here from the variables?"""
    v = dict(values)
    for n, f in ORACLE.items():
        v[n] = f(v)
    checks = {"=": "==", "!=": "!=", "<": "<", ">": ">"}
    for fact in facts.split(", "):
        sign = next(s for s in ("!=", "=", "<", ">") if s in fact)
        left, other = fact.split(sign)
        if not eval(f"({left}) {checks[sign]} ({other})", {}, dict(v)):
            return False
    return True


@pytest.mark.parametrize("facts", FACTS)
def test_points_satisfy_the_facts(facts: str) -> None:
    problem = ask(NET, "w1", facts)
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    found = list(Search(problem.graph, case, {}, Conventions(), "L").points(60))
    assert len(found) >= 5
    for p in found:
        assert right(facts, {x.name: p.values[x.name] for x in problem.graph.variables})  # type: ignore[misc]


@pytest.mark.parametrize("facts", FACTS)
def test_z3_finds_points_too(facts: str) -> None:
    problem = ask(NET, "w1", facts)
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    (functions, *_) = choices(problem.graph)
    found = nonlinear.point(problem.graph, case, {f.name: f for f in functions}, Conventions(), None)
    assert not isinstance(found, nonlinear.Outcome) and right(facts, found)


def test_z3_says_that_there_is_none() -> None:
    problem = ask(NET, "w1", "z1 < 0")
    (case,) = problem.parts[0].ask.cases  # type: ignore[union-attr]
    (functions, *_) = choices(problem.graph)
    table = {f.name: f for f in functions}
    assert nonlinear.point(problem.graph, case, table, Conventions(), ("L", "w1")) is nonlinear.Outcome.NONE
    assert isinstance(nonlinear.point(problem.graph, case, table, Conventions(), ("L", "t")), dict)


def test_multipliers_add_up() -> None:
    rows = [({"a": Fraction(1), "b": Fraction(-1)}, Relation.MORE), ({"b": Fraction(1), "c": Fraction(-1)}, Relation.AT_LEAST),
            ({"a": Fraction(1), "c": Fraction(2), (): Fraction(-3)}, Relation.EQUAL)]
    found = multipliers.sign(rows, Integer(0), {"a": Fraction(1), "c": Fraction(-1)})
    assert found is not None and found[0].relation is Relation.MORE
    total: dict[object, Fraction] = {}
    for c, (row, _) in zip(found[1], rows, strict=True):
        for m, x in row.items():
            total[m] = total.get(m, Fraction(0)) + Fraction(int(c.p), int(c.q)) * x
    assert {m: x for m, x in total.items() if x} == {"a": 1, "c": -1}
    assert multipliers.sign(rows, Integer(0), {"a": Fraction(1), "c": Fraction(1)}) is None
    assert multipliers.contradiction(rows) is None
    assert multipliers.contradiction([*rows, ({"c": Fraction(1), "a": Fraction(-1)}, Relation.AT_LEAST)]) is not None


def test_numbers_are_picked_inside() -> None:
    from random import Random

    from symgrad.solvers.nonzero import POOLS
    random = Random(1)
    for interval in (I.ALL, I.POSITIVE, I.NEGATIVE, I.NOT_POSITIVE, I.point(7), I.Interval(Fraction(10), Fraction(11), True, True)):
        for pool in POOLS:
            assert all(Search.pick(interval, pool, random) in interval for _ in range(5))
