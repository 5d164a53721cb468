"""Deductions that the checker accepts, and near misses that it must not."""

from __future__ import annotations

import pytest
from sympy import Integer, Rational

from symgrad.check.facts import Facts
from symgrad.language.errors import Refused
from symgrad.language.functions import scalar
from symgrad.language.problem import Conventions
from symgrad.language.vectors import add, negate
from symgrad.language.zeros import Combined, Deduction, Fact, Narrowed, Relation
from tests.questions.asking import ask

GRAPH = ask("z1 = w*x + 1\nz2 = w*x - 1\nh1 = relu(z1)\nh2 = relu(z2)\nm = max(h1, h2)\nk = step(z1)\nL = loss(a*m, t)", "w", "").graph


def fact(left: str, sign: str, right: str | int) -> Fact:
    return Fact(scalar(left), Relation(sign), scalar(right) if isinstance(right, str) else Integer(right))


def known(*given: Fact, tie: Rational | None = None) -> Facts:
    found = Facts(GRAPH, Conventions(relu_at_zero=tie))
    for f in given:
        found.add(f)
    return found


GOOD: list[tuple[list[Fact], Deduction]] = [
    ([fact("z1", "=", -1)], Narrowed(fact("h1", "=", 0), "h1")),
    ([fact("h1", "=", 0)], Narrowed(fact("z1", "<=", 0), "h1")),
    ([fact("h1", ">", 0)], Narrowed(fact("z1", ">", 0), "h1")),
    ([fact("h1", "=", 2)], Narrowed(fact("z1", "=", 2), "h1")),
    ([], Narrowed(fact("h1", ">=", 0), "h1")),
    ([fact("x", "=", 0)], Narrowed(fact("z1", "=", 1), "z1")),
    ([fact("k", "=", 0)], Narrowed(fact("z1", "<", 0), "k")),
    ([fact("k", ">", 0)], Narrowed(fact("z1", ">=", 0), "k")),
    ([fact("h1", "=", -1)], Narrowed(Fact(Integer(0), Relation.EQUAL, Integer(1)), "h1")),
]


@pytest.mark.parametrize(("given", "d"), GOOD)
def test_what_follows(given: list[Fact], d: Deduction) -> None:
    known(*given).deduce(d)


BAD: list[tuple[list[Fact], Deduction]] = [
    ([fact("z1", "=", -1)], Narrowed(fact("h2", "=", 0), "h2")),  # another unit
    ([fact("h1", "=", 0)], Narrowed(fact("z1", "<", 0), "h1")),  # z1 = 0 is possible
    ([fact("h1", ">=", 0)], Narrowed(fact("z1", ">", 0), "h1")),
    ([], Narrowed(fact("h1", ">", 0), "h1")),
    ([fact("k", ">", 0)], Narrowed(fact("z1", ">", 0), "k")),  # step(0) = 1
    ([fact("x", "=", 0)], Narrowed(fact("z1", "=", 0), "z1")),
    ([], Narrowed(Fact(Integer(0), Relation.EQUAL, Integer(1)), "h1")),
    ([fact("z1", "<", 0)], Narrowed(fact("z1", "!=", 0), 0)),
    ([fact("z1", "<", 0)], Narrowed(fact("h1", "=", 0), 7)),  # no such fact
]


@pytest.mark.parametrize(("given", "d"), BAD)
def test_what_does_not_follow(given: list[Fact], d: Deduction) -> None:
    with pytest.raises(Refused):
        known(*given).deduce(d)


def test_combinations() -> None:
    """z1 < 0 makes z2 < -2, for z2 = z1 - 2 whatever w and x are."""
    z1, z2 = scalar("z1"), scalar("z2")
    conclusion = Fact(Integer(-2), Relation.MORE, z2)  # -2 - z2 = -1 * (z1 - 0) + (z1 - w x - 1) - (z2 - w x + 1)
    by = ((Integer(-1), 0), (Integer(1), "z1"), (Integer(-1), "z2"))
    facts = known(fact("z1", "<", 0))
    facts.deduce(Combined(conclusion, by))
    assert facts.range(z2).sign == -1
    for wrong in (
        Combined(Fact(Integer(-3), Relation.MORE, z2), by),  # not the sum
        Combined(conclusion, ((Integer(1), 0), (Integer(1), "z1"), (Integer(-1), "z2"))),  # the wrong sign of a multiplier
        Combined(conclusion, by[:2]),  # a term forgotten
        Combined(Fact(z2, Relation.MORE, Integer(-2)), by),
    ):
        with pytest.raises(Refused):
            known(fact("z1", "<", 0)).deduce(wrong)
    with pytest.raises(Refused):  # not strict: z1 <= 0 gives z2 <= -2 only
        known(fact("z1", "<=", 0)).deduce(Combined(conclusion, by))
    known(fact("z1", "<=", 0)).deduce(Combined(Fact(Integer(-2), Relation.AT_LEAST, z2), by))
    with pytest.raises(Refused):  # z1 != 0 bounds nothing
        known(Fact(z1, Relation.NOT_EQUAL, Integer(0))).deduce(Combined(conclusion, by))


def test_contradictions() -> None:
    assert known(fact("z1", "<", 0), fact("z1", ">", 0)).impossible
    assert known(fact("h1", ">", "h2"), fact("h2", ">=", "h1")).impossible
    assert known(Fact(Integer(1), Relation.EQUAL, Integer(2))).impossible
    assert not known(fact("z1", "<=", 0), fact("z1", ">=", 0)).impossible
    facts = known(fact("a", ">", "w"), fact("w", ">", "x"), fact("x", ">", "a"))
    facts.deduce(Combined(Fact(Integer(0), Relation.MORE, Integer(0)), ((Integer(1), 0), (Integer(1), 1), (Integer(1), 2))))
    assert facts.impossible


def test_zero() -> None:
    w, x, h1, h2 = map(scalar, ("w", "x", "h1", "h2"))
    assert known(fact("x", "=", 0)).zero(w * x)
    assert known(fact("h1", "=", "h2")).zero(add(h1, negate(h2)))
    assert not known(fact("h1", ">=", "h2")).zero(add(h1, negate(h2)))
    assert known(fact("z1", "<", 0)).zero(h1)
    assert not known(fact("z2", "<", 0)).zero(h1)
    assert known().zero(add(add(scalar("z1"), negate(scalar("z2"))), Integer(-2)))  # with the definitions put in
    assert known(fact("w", "=", "a")).zero((w - scalar("a")) * x)
