"""One pattern, one proof: claims that differ in names only are one statement, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr, Integer, MatMul, MatrixSymbol, Transpose

from symgrad.check.checker import Checker
from symgrad.check.pattern import Pattern
from symgrad.language import forms as F
from symgrad.language.claims import Adjoint
from symgrad.language.steps import Ground
from tests.making import backward, claims, pick

DEEP = backward("""z1 = W1 @ x
h1 = tanh(z1)
z2 = W2 @ h1
h2 = sigmoid(z2)
z3 = W3 @ h2
h3 = tanh(z3)
z4 = W4 @ h3
h4 = tanh(z4)
L = 1/2*norm(h4)^2""",
'x = { shape = "N" }\nW1 = { shape = "N, N" }\nW2 = { shape = "N, N" }\nW3 = { shape = "N, N" }\nW4 = { shape = "N, N" }', "L", "x W4")


def key(*forms: F.Form) -> tuple[object, ...]:
    pattern = Pattern(DEEP.graph, {})
    return tuple(pattern.form(f) for f in forms)


def test_names_do_not_matter_and_definitions_do() -> None:
    z = {i: F.Pullback(f"h{i}", f"z{i}") for i in (1, 2, 3, 4)}
    assert key(z[1]) == key(z[3]) == key(z[4]) != key(z[2])  # h2 is a sigmoid
    assert key(F.Pullback("z2", "h1")) == key(F.Pullback("z3", "h2")) != key(F.Pullback("z2", "W2"))


def symbol(name: str) -> Expr:
    return DEEP.graph.symbol(name)


@pytest.mark.parametrize(("one", "other"), [
    (MatMul(symbol("W1"), symbol("x")), MatMul(symbol("W2"), symbol("h1"))),
    (MatMul(symbol("W1"), symbol("W1"), symbol("x")), MatMul(symbol("W2"), symbol("W2"), symbol("h1"))),
], ids=str)
def test_same(one: Expr, other: Expr) -> None:
    assert key(F.Just(one)) == key(F.Just(other))


@pytest.mark.parametrize(("one", "other"), [
    (MatMul(symbol("W1"), symbol("W2")), MatMul(symbol("W1"), symbol("W1"))), (MatMul(symbol("W1"), symbol("x")), MatMul(Transpose(symbol("W1")),
    symbol("x"))),
    (symbol("x"), symbol("W1")), (MatMul(2, symbol("x")), MatMul(3, symbol("x"))), (symbol("x"), symbol("L")),
    (MatrixSymbol("q", Integer(2), 1), MatrixSymbol("q", Integer(3), 1)),
], ids=str)
def test_different(one: Expr, other: Expr) -> None:
    assert key(F.Just(one)) != key(F.Just(other))


def test_a_known_adjoint_is_its_number() -> None:
    l_bar = symbol("L") .func("L_bar", real=True)
    assert Pattern(DEEP.graph, {l_bar: Integer(1)}).expression(l_bar) == 1
    assert Pattern(DEEP.graph, {}).expression(l_bar) == (0,)


def test_a_proof_is_not_lent_to_a_false_claim() -> None:
    """After z4_bar is proved, z3_bar goes by its pattern; with the slope of another layer it must not."""
    found = claims(DEEP)
    checker = Checker(DEEP)
    for c in found:
        assert checker.check(c).ground is Ground.PROVED
    for node in ("z1", "z2", "z3", "h1", "h2", "h3"):
        honest = found[pick(found, Adjoint, node=node)]
        assert isinstance(honest, Adjoint)
        for other in ("z4", "h3", "z2"):
            donor = found[pick(found, Adjoint, node=other)]
            assert isinstance(donor, Adjoint)
            if other != node:
                verdict = checker.check(replace(honest, expr=donor.expr))
                assert verdict.ground is Ground.REFUTED, (node, other, verdict)
                verdict = checker.check(replace(honest, expr=donor.expr, lines=donor.lines))
                assert verdict.ground is Ground.REFUTED, (node, other, verdict)
        assert checker.check(honest).ground is Ground.PROVED
