"""Counterexamples are verified, not believed: every way in which a point can fail to be one is refused with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr, Integer

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language.claims import Counterexample, Witness
from symgrad.language.forms import Relation
from symgrad.language.problem import Problem, Prove
from symgrad.language.steps import Ground, Verdict
from symgrad.reader.read import read_text


def asked(claim: str, assume: str = "") -> Problem:
    facts = f'"{assume}"' if assume else ""
    return read_text(f"""format = 1
id = "p"
title = "P"
[symbols]
x = {{}}
z = {{ shape = "n" }}
[[part]]
label = "a"
ask = "prove"
claim = "{claim}"
assume = [{facts}]
""", "p.toml")[0]


def statement(p: Problem) -> tuple[Expr, Expr, tuple[Relation, ...]]:
    ask = p.parts[0].ask
    assert isinstance(ask, Prove)
    ((left, right),) = ask.claims
    return left, right, ask.assume


def claim(p: Problem, values: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...], shown: tuple[F.Form | None, F.Form | None],
          size: int = 0, entry: tuple[int, int] = (1, 1)) -> Counterexample:
    rows = tuple((name, tuple(tuple(map(Integer, row)) for row in m)) for name, m in values)
    return Counterexample(*statement(p), Witness((("n", size),) if size else (), rows, entry), shown)


def verdict(p: Problem, c: Counterexample) -> Verdict:
    return Checker(p).check(c)


def just(n: int) -> F.Just:
    return F.Just(Integer(n))


AT_TWO = (("x", ((2,),)),)
VECTOR = (("z", ((1,), (2,))),)


def test_a_point_at_which_the_sides_differ() -> None:
    p = asked("x^2 = 2*x + 1")
    good = claim(p, AT_TWO, (just(4), just(5)))
    assert verdict(p, good).ground is Ground.PROVED
    for shown in ((just(4), just(4)), (just(5), just(5)), (just(4), None)):
        assert verdict(p, replace(good, values=shown)).ground is Ground.REFUTED


def test_where_the_sides_are_equal() -> None:
    p = asked("x^2 = 2*x")
    assert "not shown to differ" in verdict(p, claim(p, AT_TWO, (just(4), just(4)))).method


@pytest.mark.parametrize(("text", "assume", "x", "shown", "why"), [
    ("x^2 = 2*x", "x > 3", 1, (just(1), just(2)), "does not satisfy x > 3"),
    ("1/x = x + 1", "", 0, (just(0), just(1)), "the left side is not defined at the point"),
    ("x + 1 = 1/x", "", 0, (just(1), just(0)), "the right side is not defined at the point"),
    ("x = x^2/x", "", 0, (just(0), None), "fails only at a pole or a kink"),
    ("x = exp(log(x))", "", 2, (just(2), None), "the right side is defined at the point"),
])
def test_what_is_no_counterexample(text: str, assume: str, x: int, shown: tuple[F.Form | None, F.Form | None], why: str) -> None:
    p = asked(text, assume)
    found = verdict(p, claim(p, (("x", ((x,),)),), shown))
    assert found.ground is Ground.REFUTED and why in found.method


def test_a_right_side_outside_its_domain() -> None:
    """x = e^(log x) for x > 0 only: at -1 the left side has a value and the right side has none."""
    p = asked("x = exp(log(x))")
    found = verdict(p, claim(p, (("x", ((-1,),)),), (just(-1), None)))
    assert found.ground is Ground.PROVED and "is not: x > 0 fails" in found.method


@pytest.mark.parametrize("claim_", ["x = sqrt(x + x^(1/3)) - sqrt(x + x^(1/3)) + x", "x = 0*x^(1/3) + x", "x = sqrt(x) - x^(1/2) + x"])
def test_a_root_of_0_is_0(claim_: str) -> None:
    """Both sides are 0 at 0, though what is stated for a proof there is x > 0, and the value of x^(1/3) is not seen."""
    p = asked(claim_)
    assert verdict(p, claim(p, (("x", ((0,),)),), (just(0), None))).ground is not Ground.PROVED


def test_a_logarithm_of_0_has_no_value() -> None:
    p = asked("x = exp(log(x))")
    assert verdict(p, claim(p, (("x", ((0,),)),), (just(0), None))).ground is Ground.PROVED


@pytest.mark.parametrize(("values", "size", "entry", "why"), [
    (VECTOR, 2, (3, 1), "no such entry"),
    (VECTOR, 2, (1, 2), "no such entry"),
    (VECTOR, 2, (0, 1), "no such entry"),
    (VECTOR, 3, (1, 1), "another size"),
    (VECTOR, 1000, (1, 1), "out of range"),
    (VECTOR, 0, (1, 1), "no size of z"),
    ((), 2, (1, 1), "no value is given for z"),
    ((("y", ((1,),)),), 2, (1, 1), "what the problem does not have"),
])
def test_a_point_that_is_not_whole(values: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...], size: int, entry: tuple[int, int], why: str) -> None:
    p = asked("z*z = 3*z")
    assert verdict(p, claim(p, VECTOR, (just(4), just(6)), 2, (2, 1))).ground is Ground.PROVED
    found = verdict(p, claim(p, values, (just(1), just(3)), size, entry))
    assert found.ground is Ground.REFUTED and why in found.method
