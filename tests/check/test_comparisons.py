"""What a line says in words is checked too: a comparison that is false, or not shown, is not proved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer, Rational

from symgrad.language import forms as F
from symgrad.language.claims import Adjoint, Line, Partial, Value
from symgrad.language.functions import call, scalar
from symgrad.language.steps import Ground
from tests.making import backward, claims, forward, gradient, pick, verdicts, with_changes

z, w = scalar("z"), scalar("w")
P = forward("z = 2*w\nh = sigmoid(z)", "w = 1.5")
"""z = 3, h = 0.95257..."""


def judged(*why: str | F.Form) -> tuple[Ground, str]:
    (verdict,) = verdicts(P, (Value("z", (Line(F.Just(2 * w)), Line(F.Just(Integer(3)), why))),))
    return verdict.ground, verdict.method


def just(x: int | Rational) -> F.Just:
    return F.Just(Rational(x))


@pytest.mark.parametrize(("left", "relation", "right"), [
    (F.Just(z), "=", just(3)), (F.Just(z), ">", just(0)), (F.Just(z), "<", just(4)), (F.Just(z), "≥", just(3)), (F.Just(z), "≤", just(3)),
    (F.Just(z), "≠", F.Just(w)), (F.Just(z), ">", F.Just(w)), (F.Just(call("sigmoid", z)), "<", just(1)),
    (F.Just(call("sigmoid", z)), "≈", F.Decimal(Rational(95, 100), 2)), (F.Decimal(Rational(9526, 10**4), 4), "≈", F.Just(call("sigmoid", z))),
    (F.Comparison(F.Just(z), "=", just(3)), ">", just(0)), (F.Comparison(F.Comparison(just(1), "<", F.Just(w)), "<", just(2)), "<", F.Just(z)),
])
def test_true(left: F.Form, relation: str, right: F.Form) -> None:
    assert judged("since ", F.Comparison(left, relation, right))[0] is Ground.PROVED


@pytest.mark.parametrize(("left", "relation", "right", "message"), [
    (F.Just(z), "=", just(4), "left is 3, right is 4"), (F.Just(z), "<", just(0), "left < right, but left > right"),
    (F.Just(z), ">", just(3), "left > right, but left = right"), (F.Just(z), "≠", just(3), "left ≠ right, but left = right"),
    (F.Just(z), "≥", just(5), "left ≥ right, but left < right"), (F.Just(z), "≤", F.Just(w), "left ≤ right, but left > right"),
    (F.Just(call("sigmoid", z)), "≈", F.Decimal(Rational(96, 100), 2), "rounded to 2 decimals"),
    (F.Just(call("sigmoid", z)), "=", F.Decimal(Rational(95, 100), 2), "left is 0.952574, right is 0.95"),
    (F.Comparison(F.Just(z), "=", just(2)), ">", just(0), "left is 3, right is 2"),
    (F.Comparison(F.Just(z), "=", just(3)), "<", just(0), "left < right"),
    (F.Just(z), "is nice, and", just(3), "left is nice, and right"), (F.Just(z), "==", just(3), "left == right"),
    (F.PartialOf("h", "z"), "=", just(0), "left is 0.0451767, right is 0"),
])
def test_false(left: F.Form, relation: str, right: F.Form, message: str) -> None:
    ground, said = judged("since ", F.Comparison(left, relation, right))
    assert ground is Ground.REFUTED and message in said, said


def test_undecided_where_a_number_is_missing() -> None:
    p = forward("z = 2*w", "w = {}\nu = 1")
    (verdict,) = verdicts(p, (Value("z", (Line(F.Just(2 * w), (F.Comparison(F.Just(w), ">", just(0)),)),)),))
    assert (verdict.ground, verdict.method) == (Ground.UNDECIDED, "no value is given for w")


def test_the_first_line_and_the_lines_of_adjoints_too() -> None:
    false = F.Comparison(just(2), "<", just(1))
    (verdict,) = verdicts(P, (Value("z", (Line(F.Just(2 * w), (false,)),)),))
    assert verdict.ground is Ground.REFUTED
    p = backward("y = W @ x\nL = 1/2*norm(y)^2", 'W = { shape = "K, N" }\nx = { shape = "N" }', "L", "x")
    found = claims(p)
    k = pick(found, Adjoint, node="x")
    honest = found[k]
    assert isinstance(honest, Adjoint)
    lines = (*honest.lines[:-1], replace(honest.lines[-1], why=(false,)))
    assert with_changes(p, found, k, lines=lines).ground is Ground.REFUTED
    assert with_changes(p, found, k).ground is Ground.PROVED


NET = """z = w*x
h1 = relu(z)
h2 = max(z, u)
h3 = abs(z)
h4 = min(0, z)
h5 = max(u, sigmoid(z))
L = h1 + h2 + h3 + h4 + h5"""


def test_the_reasons_at_kinks_are_comparisons() -> None:
    """z = -2 and u = 1: every derivative of a kinked function says on which side of the kink it stands."""
    p = gradient(NET, "w = -1\nx = 2\nu = 1", "L", "w")
    said = {}
    for c in claims(p):
        if isinstance(c, Partial):
            for line in c.lines:
                said.update((c.of, piece) for piece in line.why if isinstance(piece, F.Comparison))
    zero, minus_two, one = just(0), just(-2), just(1)
    negative = F.Comparison(F.Comparison(F.Just(z), "=", minus_two), "<", zero)
    assert said["h1"] == said["h3"] == negative
    assert said["h2"] == F.Comparison(F.Comparison(F.Comparison(F.Just(z), "=", minus_two), "<", one), "=", F.Just(scalar("u")))
    assert said["h4"] == F.Comparison(F.Comparison(zero, ">", minus_two), "=", F.Just(z))
    assert said["h5"] == F.Comparison(F.Comparison(F.Comparison(F.Just(scalar("u")), "=", one), ">", F.Decimal(Rational(1192, 10**4), 4)), "≈",
                                      F.Just(call("sigmoid", z)))
    assert len(said) == 5


def test_reasons_that_lie_are_refused() -> None:
    p = gradient(NET, "w = -1\nx = 2\nu = 1", "L", "w")
    found = claims(p)
    for of in ("h1", "h2", "h3", "h4", "h5"):
        k = pick(found, Partial, of=of)
        honest = found[k]
        assert isinstance(honest, Partial)
        (line,) = [x for x in honest.lines if any(isinstance(y, F.Comparison) for y in x.why)]
        (reason,) = [y for y in line.why if isinstance(y, F.Comparison)]

        def turned(c: F.Comparison) -> F.Comparison:
            """The same with < for > and > for <."""
            left = turned(c.left) if isinstance(c.left, F.Comparison) else c.left
            return F.Comparison(left, {"<": ">", ">": "<"}.get(c.relation, c.relation), c.right)

        lines = tuple(replace(x, why=("since ", turned(reason))) if x is line else x for x in honest.lines)
        verdict = with_changes(p, found, k, lines=lines)
        assert verdict.ground is Ground.REFUTED and "it is said that left" in verdict.method


def test_no_number_stands_in_words() -> None:
    """Words carry no digit and no relation sign but in names: what can be false is a form, and forms are checked."""
    p = gradient(NET, "w = -1\nx = 2\nu = 1", "L", "w")
    for c in claims(p):
        for line in getattr(c, "lines", ()):
            assert not any(isinstance(piece, str) and any(x in piece for x in "0123456789=<>≈≤≥≠") for piece in line.why), line
