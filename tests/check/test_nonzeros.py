"""Forged points: each is refused, with a message that says what is wrong; and the replay needs no solver."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language.steps import Ground
from symgrad.language.zeros import Assignment, CanHold, NotAlwaysZero, Polynomial
from tests.questions.asking import ask, claim, refused

NET = "z = w*x + b\nh = relu(z)\ny = v*h\nL = loss(y, t)"
PROBLEM = ask(NET, "w", "z = 2")
FOUND = claim(PROBLEM, "w")
assert isinstance(FOUND, NotAlwaysZero)


def with_values(c: NotAlwaysZero, **changes: int | Rational) -> NotAlwaysZero:
    """The claim at another point, with nothing displayed but the first line."""
    variables = tuple((n, Rational(changes.get(n, x))) for n, x in c.point.variables)
    return replace(c, point=replace(c.point, variables=variables, forward=()), factors=(), lines=c.lines[:1])


def simple(w: int, x: int, b: int, v: int, t: int) -> NotAlwaysZero:
    return with_values(FOUND, w=w, x=x, b=b, v=v, t=t)


def test_a_right_point() -> None:
    assert Checker(PROBLEM).check(FOUND).ground is Ground.PROVED
    assert Checker(PROBLEM).check(simple(1, 1, 1, 1, 0)).ground is Ground.PROVED


def test_a_fact_that_does_not_hold() -> None:
    refused(PROBLEM, simple(1, 1, 2, 1, 0), "does not satisfy z = 2")


def test_a_derivative_that_is_zero() -> None:
    refused(PROBLEM, simple(1, 0, 2, 1, 0), "dL/dw is 0 at the point")
    refused(PROBLEM, simple(1, 1, 1, 0, 0), "dL/dw is 0 at the point")
    refused(PROBLEM, simple(1, 1, 1, 1, 2), "dL/dw is 0 at the point")  # y = t, and the loss is the square


def test_values_on_display() -> None:
    for k, (name, form) in enumerate(FOUND.point.forward):
        assert isinstance(form, F.Just)
        wrong = FOUND.point.forward[:k] + ((name, F.Just(form.expr + 1)),) + FOUND.point.forward[k + 1:]
        refused(PROBLEM, replace(FOUND, point=replace(FOUND.point, forward=wrong)), f"the value of {name}")
    refused(PROBLEM, replace(FOUND, lines=(*FOUND.lines[:-1], F.Just(FOUND.lines[-1].expr + 1))), "not the number shown")  # type: ignore[union-attr]
    numbers = FOUND.lines[2]
    assert isinstance(numbers, F.Product)
    for k, form in enumerate(numbers.factors):
        forged = F.Product((*numbers.factors[:k], F.Just(form.expr * 2 + 1), *numbers.factors[k + 1:]))  # type: ignore[union-attr]
        refused(PROBLEM, replace(FOUND, lines=(*FOUND.lines[:2], forged, *FOUND.lines[3:])), "not the number shown")
    for k, factor in enumerate(FOUND.factors):
        forged_factors = (*FOUND.factors[:k], replace(factor, value=F.Just(Integer(77))), *FOUND.factors[k + 1:])
        refused(PROBLEM, replace(FOUND, factors=forged_factors), "not the number shown")


def test_an_incomplete_point() -> None:
    point = FOUND.point
    for variables in (point.variables[1:], (*point.variables, point.variables[0]), (*point.variables[1:], ("q", Rational(1)))):
        refused(PROBLEM, replace(FOUND, point=replace(point, variables=variables)), "one number for every variable")
    for functions in ((), point.functions * 2, (Polynomial("relu", ((Integer(1), (1,)),)),)):
        refused(PROBLEM, replace(FOUND, point=replace(point, functions=functions)), "chosen once")
    huge = (Polynomial("loss", ((Integer(1), (10**9, 0)),)),)
    refused(PROBLEM, replace(FOUND, point=replace(point, functions=huge)), "not a function of 2 arguments")
    refused(PROBLEM, replace(FOUND, point=replace(point, forward=(("q", F.Just(Integer(1))),))), "the value of q")
    refused(PROBLEM, replace(FOUND, wrt="b"), "does not ask for dL/db")
    refused(PROBLEM, replace(FOUND, lines=()), "not a sum over paths")


def test_a_point_on_a_kink() -> None:
    problem = ask(NET, "w, v", "z <= 0")
    kink = replace(simple(1, 1, -1, 1, 1), case=0)
    refused(problem, kink)
    fixed = ask(NET, "w, v", "z <= 0", conventions="relu_at_zero = 1")
    verdict = Checker(fixed).check(kink)
    assert verdict.ground is Ground.PROVED and verdict.domain == "at a kink, with 1 as the derivative of ReLU at 0"
    refused(ask(NET, "w, v", "z <= 0", conventions="relu_at_zero = 0"), kink, "dL/dw is 0")


@pytest.mark.parametrize("function", ["abs(z)", "min(z, 0)", "leaky_relu(z)", "step(z)"])
def test_a_kink_that_no_convention_fixes(function: str) -> None:
    let = f"z = w*x\nh = {function} + z\nL = loss(h, t)"
    problem = ask(let, "w", "", conventions="relu_at_zero = 1")
    found = claim(problem, "w")
    assert isinstance(found, NotAlwaysZero)
    assert Checker(problem).check(found).ground is Ground.PROVED
    verdict = Checker(problem).check(with_values(found, w=0, x=1, t=3))
    assert verdict.ground in (Ground.REFUTED, Ground.UNDECIDED) and "kink" in verdict.method


def test_no_value_at_all() -> None:
    problem = ask("y = w/x\nL = loss(y, t)", "w", "")
    found = claim(problem, "w")
    assert isinstance(found, NotAlwaysZero)
    verdict = Checker(problem).check(with_values(found, x=0))
    assert verdict.ground in (Ground.REFUTED, Ground.UNDECIDED)


def test_facts_that_can_hold() -> None:
    problem = ask(NET, "w", "z = -1")
    point = Assignment(tuple((n, Rational(x)) for n, x in (("w", 1), ("x", 1), ("b", -2), ("v", 1), ("t", 1))), FOUND.point.functions, ())
    assert Checker(problem).check(CanHold("a", 0, point)).ground is Ground.PROVED
    off = replace(point, variables=(("w", Rational(2)), *point.variables[1:]))
    refused(problem, CanHold("a", 0, off), "does not satisfy")


def test_rounded_values_are_roundings() -> None:
    """A sigmoid has no rational value: decimals are checked as roundings, the sign of the derivative by enclosure."""
    problem = ask("h = sigmoid(w*x)\nL = loss(h, t)", "w", "x = 1")
    found = claim(problem, "w")
    assert isinstance(found, NotAlwaysZero) and Checker(problem).check(found).ground is Ground.PROVED
    (name, form), *rest = found.point.forward
    assert isinstance(form, F.Decimal)
    off = F.Decimal(form.value + Rational(1, 10**form.digits), form.digits)
    refused(problem, replace(found, point=replace(found.point, forward=((name, off), *rest))), "the value of h")


def test_replay_without_solvers(tmp_path: Path) -> None:
    """`symgrad check` verifies YES, NO and impossible facts with z3, rules, solvers and questions out of reach."""
    root = Path(__file__).parents[2]
    run = [sys.executable, "-m", "symgrad", "solve", "problems/always-zero-more.toml", "--out", str(tmp_path)]
    assert subprocess.run(run, cwd=root, capture_output=True).returncode == 0
    code = ("import sys\nfor m in ('z3', 'symgrad.rules', 'symgrad.solvers', 'symgrad.questions'): sys.modules[m] = None\n"
            "from pathlib import Path\nfrom symgrad.replay import replay\n"
            f"found = replay(Path('problems/always-zero-more.toml'), Path({str(tmp_path / 'always-zero-more' / 'certificate.json')!r}))\n"
            "print(found.claims, found.complaints, found.undecided)")
    shown = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert shown.stdout.strip() == "24 () 0", shown.stderr


def test_a_corrupted_certificate_is_refused(tmp_path: Path) -> None:
    """Any number changed anywhere in the claims of a certificate is refused or changes nothing that is claimed."""
    from symgrad.language.wire import certificate_from_json, certificate_to_json
    from symgrad.pipeline import solve
    from symgrad.replay import verify

    problem = ask(NET, "w, v, b", "z = 2", "z < 0")
    text = json.dumps(certificate_to_json(solve(problem).certificate))
    assert verify(problem, certificate_from_json(json.loads(text), problem.graph)).holds
    for old, new in (('"wrt": "w"', '"wrt": "v"'), ('"case": 1', '"case": 0'), ('"z", {"kind": "Just"', '"y", {"kind": "Just"')):
        assert old in text
        assert not verify(problem, certificate_from_json(json.loads(text.replace(old, new, 1)), problem.graph)).holds
