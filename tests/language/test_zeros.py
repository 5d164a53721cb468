"""Facts, what they bound, where kinks are; and all claims through JSON and back."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from sympy import Integer, Rational

from symgrad.language import intervals as I
from symgrad.language import vectors as v
from symgrad.language.functions import call, scalar
from symgrad.language.steps import Certificate, Certified, Ground, Verdict
from symgrad.language.wire import certificate_from_json, certificate_to_json
from symgrad.language.zeros import Fact, Polynomial, Relation, bound, gap, kinked, known_of, primitive
from symgrad.questions import derive
from tests.questions.asking import ask

A, B = scalar("a"), scalar("b")


@pytest.mark.parametrize(("relation", "holds"), [("=", (0,)), ("!=", (-1, 1)), ("<", (-1,)), ("<=", (-1, 0)), (">", (1,)), (">=", (0, 1))])
def test_relations(relation: str, holds: tuple[int, ...]) -> None:
    r = Relation(relation)
    for sign in (-1, 0, 1):
        assert r.holds(sign) == (sign in holds)
        assert r.turned.holds(-sign) == r.holds(sign)
        assert sign in r.gap or not r.holds(sign)


def test_bounds() -> None:
    """Names, numbers on either side, multiples and differences."""
    assert bound(Fact(A, Relation.LESS, Integer(3))) == (A, I.Interval(float("-inf"), Fraction(3), True, True))
    assert bound(Fact(Integer(3), Relation.LESS, A)) == (A, I.Interval(Fraction(3), float("inf"), True, True))
    assert bound(Fact(v.times(Integer(-2), A), Relation.AT_LEAST, Integer(4))) == (A, I.Interval(float("-inf"), Fraction(-2), True, False))
    first, second = bound(Fact(A, Relation.MORE, B)), bound(Fact(B, Relation.LESS, A))
    assert first is not None and first == second


def test_what_is_known_of_a_difference() -> None:
    """h1 > h2 says that h1 - h2 > 0, h2 - h1 < 0 and 2 h1 - 2 h2 > 0."""
    core, interval = bound(Fact(A, Relation.MORE, B)) or (A, I.ALL)
    known = {core: interval}
    assert known_of(known, v.add(A, v.negate(B))) == I.POSITIVE
    assert known_of(known, v.add(B, v.negate(A))) == I.NEGATIVE
    assert known_of(known, v.add(v.times(Integer(2), A), v.times(Integer(-2), B))) == I.POSITIVE
    assert known_of(known, v.add(A, B)) == I.ALL


def test_primitive() -> None:
    for e in (A, v.add(A, v.negate(B)), v.times(Rational(-3, 2), v.times(A, B))):
        c, core = primitive(e)
        assert Rational(c.numerator, c.denominator) * core - e == 0
        assert primitive(v.times(Integer(-5), e))[1] == core


def test_kinks() -> None:
    e = v.add(call("max", call("relu", A), B), call("exp", call("abs", A)))
    assert [c.fn.name for c in kinked(e)] == ["relu", "max", "abs"]
    assert gap(call("max", A, B)) == v.add(A, v.negate(B))
    assert gap(call("max", A, Integer(0))) == A and gap(call("max", Integer(0), A)) == v.negate(A)
    assert gap(call("relu", A)) == A and gap(call("leaky_relu", A, Rational(1, 10))) == A


def test_polynomials() -> None:
    square = Polynomial("loss", ((Rational(1, 2), (2, 0)), (Integer(-1), (1, 1)), (Rational(1, 2), (0, 2))))
    assert square.of((Integer(5), Integer(2))).doit() == Rational(9, 2)


def test_through_json() -> None:
    """Every kind of claim survives, and is the same data afterwards."""
    problem = ask("z1 = w*x + 1\nz2 = w*x - 1\nL = loss(a*relu(z1) + b*relu(z2), t)", "w, a, b", "z1 < 0", "z1 = 3", "z1 < 0, w = 0")
    derivation = derive(problem, problem.parts[0])
    kinds = {type(s.claim).__name__ for s in derivation.steps}
    assert kinds == {"AlwaysZero", "NotAlwaysZero", "CanHold", "CannotHold"}
    entries = tuple(Certified("a", s.label, s.rule, s.claim, Verdict(Ground.PROVED, "")) for s in derivation.steps)
    certificate = Certificate("x", "", entries)
    assert certificate_from_json(json.loads(json.dumps(certificate_to_json(certificate))), problem.graph) == certificate
