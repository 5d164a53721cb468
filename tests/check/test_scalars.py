"""Claims about scalars: the honest ones hold, and every corruption is refused with a message that says what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer, Pow, Rational

from symgrad.check.checker import Checker, unanswered
from symgrad.language import forms as F
from symgrad.language.claims import Claim, GivenValue, Line, Partial, Total, Value
from symgrad.language.functions import Fn, call, scalar
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.language.vectors import Call
from tests.making import all_hold, claims, forward, gradient, pick, verdicts, with_changes

NET = gradient("""z1 = a*x + b
z2 = c*x - b
h1 = relu(z1)
h2 = relu(z2)
y = h1 * h2
L = (y - t)^2""", "x = 2\nt = 1\na = 3\nb = 1\nc = 1", "L", "a b c x")
"""Two paths lead from x and from b to L; h1 = 7, h2 = 1, y = 7, L = 36."""

SMOOTH = gradient("z = w*x + b\nh = sigmoid(z)\nL = (h - t)^2", "x = 2\nw = 1\nb = 0\nt = 0", "L", "w b")
ROUNDED = gradient("z = w*x\nh = sigmoid(z)\nL = h^2", "x = 1\nw = 2", "L", "w", "[values]\nh = { value = 0.9, rounded = true }")
FREE = gradient("z = w*x + b\nh = g(z)\nL = loss(h, t)", "x = {}\nw = {}\nb = {}\nt = {}", "L", "w")
WIDE = gradient("\n".join([f"h{i} = a*x + {i}" for i in range(1, 4)] + [f"k{i} = h1*h2 + {i}*h3" for i in range(1, 4)] + ["L = k1*k2 + k3^2"]),
                "a = 1\nx = 2", "L", "a x")
"""Twenty-one paths: shared factors."""


@pytest.mark.parametrize("p", [NET, SMOOTH, ROUNDED, FREE, WIDE], ids=["net", "smooth", "rounded", "free", "wide"])
def test_honest_claims_hold(p: Problem) -> None:
    found = claims(p)
    assert all_hold(p, found), [x for x in verdicts(p, found) if x.ground not in (Ground.PROVED, Ground.GIVEN)]
    assert not unanswered(p, p.parts[0], found)


def test_derivatives_by_hand() -> None:
    """L = (h1 h2 - t)^2 with h1 = 7, h2 = 1: dL/da = 12 * 1 * 2, dL/db = 12 (1 - 7), dL/dx = 12 (3 + 7)."""
    last = {c.wrt: c.lines[-1].form for c in claims(NET) if isinstance(c, Total)}
    assert last == {"a": F.Just(Integer(24)), "b": F.Just(Integer(-72)), "c": F.Just(Integer(168)), "x": F.Just(Integer(120))}


def refused(p: Problem, kind: type, message: str, ground: Ground = Ground.REFUTED, changes: dict[str, object] | None = None,
            **fields: object) -> None:
    found = claims(p)
    index = pick(found, kind, **fields)
    verdict = with_changes(p, found, index, **(changes or {}))
    assert verdict.ground is ground, verdict
    assert message in verdict.method, verdict.method


def lines_of(p: Problem, kind: type, **fields: object) -> tuple[Line, ...]:
    found = claims(p)
    claim = found[pick(found, kind, **fields)]
    assert isinstance(claim, Value | Partial | Total)
    return claim.lines


def put(lines: tuple[Line, ...], k: int, form: F.Form, approx: bool | None = None) -> tuple[Line, ...]:
    k %= len(lines)
    return (*lines[:k], replace(lines[k], form=form, approx=lines[k].approx if approx is None else approx), *lines[k + 1:])


# ---- the chain rule --------------------------------------------------------------------------------------------------


def test_a_dropped_path() -> None:
    lines = lines_of(NET, Total, wrt="x")
    assert isinstance(lines[0].form, F.Sum)
    refused(NET, Total, "forgets the path through x -> z2 -> h2 -> y -> L", wrt="x",
            changes={"lines": put(lines, 0, lines[0].form.terms[0])})


def test_a_path_twice() -> None:
    lines = lines_of(NET, Total, wrt="x")
    assert isinstance(lines[0].form, F.Sum)
    terms = lines[0].form.terms
    refused(NET, Total, "has a term that is no path of the graph, or one twice", wrt="x",
            changes={"lines": put(lines, 0, F.Sum((*terms, terms[0])))})


def test_a_factor_twice() -> None:
    lines = lines_of(NET, Total, wrt="a")
    assert isinstance(lines[0].form, F.Product)
    factors = lines[0].form.factors
    refused(NET, Total, "forgets the path through a -> z1 -> h1 -> y -> L", wrt="a",
            changes={"lines": put(lines, 0, F.Product((*factors, factors[0])))})


def test_a_wrong_consumer() -> None:
    lines = lines_of(NET, Total, wrt="a")
    assert isinstance(lines[0].form, F.Product)
    wrong = tuple(F.PartialOf("h2", "z2") if f == F.PartialOf("h1", "z1") else f for f in lines[0].form.factors)
    refused(NET, Total, "forgets the path through a -> z1", wrt="a", changes={"lines": put(lines, 0, F.Product(wrong))})


def test_a_forgotten_consumer_among_shared_factors() -> None:
    lines = lines_of(WIDE, Total, wrt="x")
    assert isinstance(lines[0].form, F.Sum)
    refused(WIDE, Total, "dL/dx forgets the path through h3", wrt="x", changes={"lines": put(lines, 0, F.Sum(lines[0].form.terms[:-1]))})


def test_a_shared_factor_before_it_is_derived() -> None:
    found = tuple(c for c in claims(WIDE) if not (isinstance(c, Total) and c.wrt == "h2"))
    verdict = next(v for c, v in zip(found, verdicts(WIDE, found), strict=True) if isinstance(c, Total) and c.wrt == "x")
    assert (verdict.ground, verdict.method) == (Ground.REFUTED, "dL/dx uses dL/dh2 before it is derived")


def test_a_total_of_another_node_in_a_line() -> None:
    """dL/dh1 must not be passed off as dk1/dh1."""
    lines = lines_of(WIDE, Total, wrt="x")
    symbolic = lines[1].form
    assert isinstance(symbolic, F.Sum)
    other = F.Sum(tuple(F.Product(tuple(F.TotalOf("k1", f.wrt) if isinstance(f, F.TotalOf) else f for f in t.factors))
                        for t in symbolic.terms if isinstance(t, F.Product)))
    refused(WIDE, Total, "a total derivative of another node", wrt="x", changes={"lines": put(lines, 1, other)})


def test_no_path_and_itself() -> None:
    p = gradient("y = a*x\nL = a^2", "a = 2\nx = 1", "L", "x L y")
    found = claims(p)
    assert all_hold(p, found)
    one, zero = F.Just(Integer(1)), F.Just(Integer(0))
    assert [c.lines for c in found if isinstance(c, Total)] == [(Line(zero),), (Line(one),), (Line(zero),)]
    refused(p, Total, "there is no path from x to L", wrt="x", changes={"lines": (Line(one),), "expr": Integer(1)})
    refused(p, Total, "dL/dL is 1", wrt="L", changes={"lines": (Line(zero),), "expr": Integer(0)})
    refused(p, Total, "the two sides differ", wrt="y", changes={"expr": Integer(3)})


def test_the_result_by_another_name() -> None:
    """The stated result must not rest on an adjoint that is no part of the sum."""
    refused(NET, Total, "the two sides differ", wrt="a", changes={"expr": scalar("y_bar")})
    found = claims(NET)
    honest = found[pick(found, Total, wrt="a")]
    assert isinstance(honest, Total)
    hidden = honest.expr + scalar("a_bar") - scalar("a_bar") * Pow(Integer(1), 1)
    assert hidden == honest.expr
    refused(NET, Total, "which is no derivative in a consumer of a", wrt="a",
            changes={"expr": honest.expr + Call(Fn("max", (2, 0)), scalar("a_bar"), Integer(0))})


# ---- signs, factors, values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrt", ["a", "b", "c", "x"])
@pytest.mark.parametrize("factor", [-1, 2, 0])
def test_a_flipped_sign_or_doubled_factor_in_the_symbolic_line(wrt: str, factor: int) -> None:
    lines = lines_of(NET, Total, wrt=wrt)
    refused(NET, Total, "line 2 of dL/d" + wrt, wrt=wrt, changes={"lines": put(lines, 1, F.Product((F.Just(Integer(factor)), lines[1].form)))})


@pytest.mark.parametrize("wrt", ["a", "b", "c", "x"])
@pytest.mark.parametrize("off", [1, -1, Rational(1, 10**9)])
def test_a_result_that_is_off(wrt: str, off: Rational) -> None:
    lines = lines_of(NET, Total, wrt=wrt)
    last = lines[-1].form
    assert isinstance(last, F.Just)
    refused(NET, Total, "at the given values", wrt=wrt, changes={"lines": put(lines, -1, F.Just(last.expr + off))})
    refused(NET, Total, "the two sides differ", wrt=wrt, changes={"expr": claims(NET)[pick(claims(NET),
    Total, wrt=wrt)].expr + off})  # type: ignore[union-attr]


def test_a_wrong_partial() -> None:
    for of, wrt, wrong in (("y", "h1", scalar("h1")), ("L", "y", scalar("y") - scalar("t")), ("z2", "b", Integer(1)),
                           ("h1", "z1", Integer(1)), ("z1", "a", Integer(5))):
        found = claims(NET)
        honest = found[pick(found, Partial, of=of, wrt=wrt)]
        assert isinstance(honest, Partial)
        refused(NET, Partial, "the two sides differ", of=of, wrt=wrt, changes={"expr": wrong})
        if of != "h1":  # relu'(7) is 1
            refused(NET, Partial, f"line 2 of the partial of {of} in {wrt}", of=of, wrt=wrt,
                    changes={"lines": put(honest.lines, 1, F.Just(wrong))})


def test_the_first_line_is_the_question() -> None:
    found = claims(NET)
    lines = lines_of(NET, Partial, of="y", wrt="h1")
    refused(NET, Partial, "the first line is not the derivative of the definition of y", of="y", wrt="h1",
            changes={"lines": put(lines, 0, F.Derivative(scalar("h1") * scalar("h1"), "h1"))})
    refused(NET, Partial, "y is not defined in terms of x", of="y", wrt="h1", changes={"wrt": "x"})
    value = lines_of(NET, Value, node="y")
    refused(NET, Value, "the first line is not the definition of y", node="y", changes={"lines": value[1:]})
    refused(NET, Value, "the first line is not the definition of h1", node="y", changes={"node": "h1"})
    assert isinstance(found[pick(found, Value, node="y")], Value)


def test_no_lines_and_a_first_line_that_is_rounded() -> None:
    for kind, fields in ((Value, {"node": "y"}), (Partial, {"of": "y", "wrt": "h1"}), (Total, {"wrt": "a"})):
        lines = lines_of(NET, kind, **fields)
        refused(NET, kind, "an exact first line is missing", changes={"lines": ()}, **fields)
        refused(NET, kind, "an exact first line is missing", changes={"lines": (replace(lines[0], approx=True), *lines[1:])}, **fields)


def test_a_wrong_substitution() -> None:
    """3 put in for x, where x = 2; and a substitution that happens to give the right value."""
    lines = lines_of(NET, Value, node="z2")
    put_in = next(x for x in lines if isinstance(x.form, F.Substituted))
    k = lines.index(put_in)
    assert isinstance(put_in.form, F.Substituted)
    wrong = tuple((n, Integer(3) if n == "x" else e) for n, e in put_in.form.numbers)
    refused(NET, Value, "the value of x", node="z2", changes={"lines": put(lines, k, F.Substituted(put_in.form.expr, wrong))})
    swapped = tuple((n, {"x": Integer(1), "c": Integer(2)}.get(n, e)) for n, e in put_in.form.numbers)  # 2 * 1 - 1, for 1 * 2 - 1
    refused(NET, Value, "the value of", node="z2", changes={"lines": put(lines, k, F.Substituted(put_in.form.expr, swapped))})


def test_a_wrong_substitution_inside_a_product_that_still_multiplies_out() -> None:
    lines = lines_of(NET, Total, wrt="a")
    x = F.Substituted(scalar("x"), (("x", Integer(4)),))
    bad = F.Product((x, F.Just(Integer(6)), F.Just(Integer(1)), F.Just(Integer(1)), F.Just(Integer(1))))  # 4 * 6 = 24, but x = 2
    refused(NET, Total, "the value of x", wrt="a", changes={"lines": put(lines, -1, bad)})


def test_a_substitution_of_a_node() -> None:
    lines = lines_of(NET, Value, node="L")
    bad = F.Substituted((scalar("y") - scalar("t")) ** 2, (("y", Integer(-5)), ("t", Integer(1))))
    refused(NET, Value, "the value of y", node="L", changes={"lines": put(lines, 1, bad)})


def test_a_number_for_a_name_that_does_not_stand_there() -> None:
    lines = lines_of(NET, Value, node="h1")
    for stray in ("z1_bar", "t", "nowhere"):
        bad = F.Substituted(call("relu", scalar("z1")), ((stray, Integer(7)),))
        refused(NET, Value, f"a number is put in for {stray}, which does not stand there", node="h1", changes={"lines": (lines[0], Line(bad),
        *lines[1:])})


def test_a_missing_value_is_undecided() -> None:
    p = gradient("y = a*x", "a = {}\nx = {}", "y", "a")
    found = claims(p)
    lines = lines_of(p, Total, wrt="a")
    verdict = with_changes(p, found, pick(found, Total), lines=(*lines, Line(F.Just(Integer(2)))))
    assert (verdict.ground, verdict.method) == (Ground.UNDECIDED, "no value is given for x")


# ---- given values and rounding ---------------------------------------------------------------------------------------


def test_given_values() -> None:
    refused(NET, GivenValue, "the problem does not give x = 3", name="x", changes={"value": Integer(3)})
    refused(NET, GivenValue, "the problem does not give y = 2", name="x", changes={"name": "y"})
    refused(ROUNDED, GivenValue, "the problem does not give h", name="h", changes={"digits": 2})
    verdict = verdicts(ROUNDED, (GivenValue("h", Rational(9, 10), 1),))[0]
    assert (verdict.ground, verdict.method) == (Ground.GIVEN, "stated by the problem; it is the exact value rounded to 1 decimals")


@pytest.mark.parametrize(("stated", "fits"), [("0.9", True), ("0.88", True), ("0.881", True), ("0.8808", True), ("0.8", False), ("0.880", False),
                                              ("0.87", False), ("1", True), ("0", False)])
def test_a_stated_value_is_the_rounding_of_the_exact_one(stated: str, fits: bool) -> None:
    """sigma(2) = 0.88079707797788..."""
    p = gradient("z = w*x\nh = sigmoid(z)\nL = h^2", "x = 1\nw = 2", "L", "w", f"[values]\nh = {{ value = {stated}, rounded = true }}")
    verdict = verdicts(p, (GivenValue("h", Rational(stated), len(stated.partition(".")[2])),))[0]
    assert verdict.ground is (Ground.GIVEN if fits else Ground.REFUTED)
    assert fits or "rounded to" in verdict.method


def test_a_decimal_that_is_off() -> None:
    lines = lines_of(SMOOTH, Value, node="h")
    assert isinstance(lines[-1].form, F.Decimal)
    right = lines[-1].form.value
    assert right == Rational(8808, 10**4)
    for wrong in (right + Rational(1, 10**4), right - Rational(1, 10**4), -right):
        refused(SMOOTH, Value, "rounded to 4 decimals", node="h", changes={"lines": put(lines, -1, F.Decimal(wrong, 4))})


def test_a_decimal_is_written_with_its_own_digits() -> None:
    """0.8799 shown with two digits would be printed 0.87, though it is within half a unit of 0.88079."""
    lines = lines_of(SMOOTH, Value, node="h")
    refused(SMOOTH, Value, "has more than 2 decimals", node="h", changes={"lines": put(lines, -1, F.Decimal(Rational(8799, 10**4), 2))})
    for digits in (-1, 51):
        refused(SMOOTH, Value, f"{digits} decimals", node="h", changes={"lines": put(lines, -1, F.Decimal(Integer(1), digits))})


def test_a_rounding_is_not_rounded_again() -> None:
    """0.4449 is 0.4 to one decimal, though 0.445 would be 0.45 and 0.45 may be 0.5."""
    p = forward("y = 4449/10000 + log(1)", "x = 1")
    definition = Line(F.Just(p.graph.node("y").expr))
    steps = [F.Decimal(Rational(445, 1000), 3), F.Decimal(Rational(45, 100), 2), F.Decimal(Rational(5, 10), 1)]
    for count, ground in ((1, Ground.PROVED), (2, Ground.REFUTED), (3, Ground.REFUTED)):
        lines = (definition, *(Line(s, approx=True) for s in steps[:count]))
        assert verdicts(p, (Value("y", lines),))[0].ground is ground


def test_an_approximation_is_not_an_equality() -> None:
    """No exact line may follow from a rounded one."""
    lines = lines_of(SMOOTH, Value, node="h")
    rounded = lines[-1].form
    assert isinstance(rounded, F.Decimal)
    refused(SMOOTH, Value, "left is 0.880797, right is 0.8808", node="h", changes={"lines": put(lines, -1, rounded, approx=False)})
    refused(SMOOTH, Value, "left is 0.880797, right is 0.8808", node="h", changes={"lines": (*lines, Line(F.Just(rounded.value)))})


def test_numbers_put_into_another_expression() -> None:
    """The line with rounded numbers must be the line above with numbers in it, not another formula."""
    found = claims(ROUNDED)
    h = scalar("h")
    honest = (Line(F.Just(h**2)), Line(F.Substituted(h**2, (("h", Rational(8808, 10**4)),)), approx=True),
              Line(F.Decimal(Rational(7758, 10**4), 4), approx=True))
    assert verdicts(ROUNDED, (Value("L", honest),))[0].ground is Ground.PROVED
    for other in (h**2 + 100, h**2 + h, 2 * h**2):
        pairs = (("h", Rational(8808, 10**4)),)
        lines = (honest[0], Line(F.Substituted(other, pairs), approx=True), honest[2])
        verdict = verdicts(ROUNDED, (Value("L", lines),))[0]
        assert verdict.ground is Ground.REFUTED and "with names in the place of numbers" in verdict.method
    assert found


def test_the_wrong_valuation() -> None:
    """What holds for the rounded values does not hold for the exact ones, and the other way round."""
    found = claims(ROUNDED)
    rounded = found[pick(found, Total, valuation="rounded")]
    assert isinstance(rounded, Total) and rounded.lines[-1].form == F.Just(Rational(162, 1000))
    refused(ROUNDED, Total, "at the given values", valuation="rounded", changes={"valuation": "exact"})
    exact = found[pick(found, Total, valuation="exact")]
    assert isinstance(exact, Total)
    refused(ROUNDED, Total, "at the given values", valuation="exact", changes={"valuation": "rounded"})
    refused(ROUNDED, Total, "cannot be evaluated", Ground.UNDECIDED, valuation="exact", changes={"valuation": "true"})


def test_the_domain_is_said() -> None:
    said = {c.valuation: v.domain for c, v in zip(claims(ROUNDED), verdicts(ROUNDED, claims(ROUNDED)), strict=True) if isinstance(c, Total)}
    assert said == {"rounded": "for the rounded values", "exact": "at the given values"}
    assert {v.domain for v in verdicts(FREE, claims(FREE))} == {"for all values, away from kinks"}


def test_only_the_rounded_value_of_a_node_is_stated() -> None:
    """h = 0.9 is stated and nothing above it: what rests on h alone is decided."""
    p = gradient("h = sigmoid(w)\nL = h^2", "w = {}", "L", "h", "[values]\nh = { value = 0.9, rounded = true }")
    total = Total("L", "h", 2 * scalar("h"), (Line(F.PartialOf("L", "h")), Line(F.Just(2 * scalar("h"))), Line(F.Just(Rational(9, 5)))), "rounded")
    assert verdicts(p, (total,))[0].ground is Ground.PROVED
    assert verdicts(p, (replace(total, lines=put(total.lines, -1, F.Just(Integer(2)))),))[0].ground is Ground.REFUTED


def test_shared_factors_of_rounded_values() -> None:
    """h (1 - h) at a rounded h is not sigma'(z): shared totals are put in as they were derived."""
    lets = ["z = w*x", "h = sigmoid(z)", *(f"k{i} = {i}*h" for i in range(1, 11)), "L = " + " + ".join(f"k{i}^2" for i in range(1, 11))]
    p = gradient("\n".join(lets), "x = 1\nw = 2", "L", "w", "[values]\nh = { value = 0.9, rounded = true }")
    found = claims(p)
    assert all_hold(p, found), [v for v in verdicts(p, found) if v.ground not in (Ground.PROVED, Ground.GIVEN)]
    last = found[pick(found, Total, wrt="w", valuation="rounded")]
    assert isinstance(last, Total) and last.lines[-1].form == F.Just(2 * 385 * Rational(81, 1000))


# ---- claims that cannot be looked at ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("claim", "ground"), [
    (Value("nowhere", (Line(F.Just(Integer(1))),)), Ground.REFUTED),
    (Value("x", (Line(F.Just(Integer(1))),)), Ground.REFUTED),
    (Partial("x", "a", Integer(0), (Line(F.Derivative(Integer(1), "a")),)), Ground.REFUTED),
    (Partial("y", "nowhere", Integer(0), (Line(F.Derivative(Integer(1), "a")),)), Ground.REFUTED),
    (Total("L", "nowhere", Integer(0), (Line(F.Just(Integer(0))),)), Ground.REFUTED),
    (Total("nowhere", "x", Integer(0), (Line(F.Just(Integer(0))),)), Ground.REFUTED),
    (GivenValue("nowhere", Integer(0)), Ground.REFUTED),
    (Value("y", (Line(F.AdjointOf("y")),)), Ground.REFUTED),
    (Value("y", (Line(F.Tuple(())),)), Ground.REFUTED),
], ids=str)
def test_nonsense_is_not_proved_and_stops_nothing(claim: Claim, ground: Ground) -> None:
    checker = Checker(NET)
    verdict = checker.check(claim)
    assert verdict.ground is ground and verdict.method
    assert all(checker.check(c).ground in (Ground.PROVED, Ground.GIVEN) for c in claims(NET))


def test_a_formula_is_no_value() -> None:
    """A forward table that only repeats the definitions answers nothing."""
    p = forward("y = a*x", "a = 2\nx = 3")
    found = claims(p)
    assert not unanswered(p, p.parts[0], found)
    bare = tuple(replace(c, lines=c.lines[:1]) if isinstance(c, Value) else c for c in found)
    assert all_hold(p, bare) and unanswered(p, p.parts[0], bare) == ("the value of y",)


# ---- where a value does not exist ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("let", "claimed"), [
    ("y = x * log(u)", 0), ("y = exp(log(u))", -2), ("y = sqrt(u)^2", -2), ("y = log(u) - log(u)", 0), ("y = 1/x - 1/x", 0), ("y = log(x)", 0),
])
def test_a_value_outside_the_domain(let: str, claimed: int) -> None:
    """With x = 0 and u = -2 none of these has a real value, whatever cancels."""
    p = forward(let, "x = 0\nu = -2")
    definition = p.graph.node("y").expr
    verdict = verdicts(p, (Value("y", (Line(F.Just(definition)), Line(F.Just(Integer(claimed))))),))[0]
    assert verdict.ground is Ground.UNDECIDED, verdict


KINKS = [
    ("y = relu(z)", "relu'(z)", "relu_at_zero"), ("y = abs(z)", "sign(z)", "abs_at_zero"), ("y = max(z, x)", "max", "relu_at_zero"),
    ("y = min(x, z)", "min", "relu_at_zero"), ("y = leaky_relu(z)", "leaky", "relu_at_zero"), ("y = step(z)", "0", ""), ("y = sign(z)", "0", ""),
]


@pytest.mark.parametrize(("let", "what", "convention"), KINKS, ids=[k[0] for k in KINKS])
@pytest.mark.parametrize("value", [0, 1, Rational(1, 2)])
def test_no_derivative_at_a_kink_without_a_convention(let: str, what: str, convention: str, value: Rational) -> None:
    """z = 0 and x = 0: any number claimed for dy/dz is undecided, 0 too."""
    p = gradient(let, "z = 0\nx = 0", "y", "z")
    line = Line(F.PartialOf("y", "z"))
    verdict = verdicts(p, (Total("y", "z", p.graph.node("y").expr, (line, Line(F.Just(Rational(value))))),))[0]
    assert verdict.ground is Ground.UNDECIDED, (verdict, what, convention)
    assert "no derivative exists at the kink" in verdict.method


@pytest.mark.parametrize(("let", "conventions", "slope"), [
    ("y = relu(z)", "relu_at_zero = 0", 0), ("y = relu(z)", "relu_at_zero = 1", 1), ("y = relu(z)", "relu_at_zero = 0.5", Rational(1, 2)),
    ("y = max(z, x)", "relu_at_zero = 0.25", Rational(1, 4)), ("y = max(x, z)", "relu_at_zero = 0.25", Rational(3, 4)),
    ("y = min(z, x)", "relu_at_zero = 0.25", Rational(1, 4)), ("y = min(x, z)", "relu_at_zero = 0.25", Rational(3, 4)),
    ("y = leaky_relu(z)", "relu_at_zero = 0", Rational(1, 100)), ("y = leaky_relu(z)", "relu_at_zero = 1", 1),
    ("y = leaky_relu(z, 1/5)", "relu_at_zero = 0.5", Rational(3, 5)),
    ("y = abs(z)", "abs_at_zero = 0", 0), ("y = abs(z)", "abs_at_zero = 1", 1), ("y = 3*abs(2*z)", "abs_at_zero = -1", -6),
])
def test_the_convention_of_the_problem_at_a_kink(let: str, conventions: str, slope: int | Rational) -> None:
    """One rule for derivation and check: relu_at_zero goes to the first argument of max or min at a tie, the rest to the second."""
    p = gradient(let, "z = 0\nx = 0", "y", "z", f"[conventions]\n{conventions}")
    found = claims(p)
    assert all_hold(p, found), verdicts(p, found)
    total = found[pick(found, Total)]
    assert isinstance(total, Total) and total.lines[-1].form == F.Just(slope)
    for wrong in (Rational(slope) + 1, Rational(slope) - Rational(1, 3)):
        refused(p, Total, "at the given values", changes={"lines": put(total.lines, -1, F.Just(wrong))})


@pytest.mark.parametrize("line", ["sign(z)", "1 - step(-z)"])
def test_what_holds_off_the_kinks_is_not_used_on_them(line: str) -> None:
    """step(z) = 1 - step(-z) but for z = 0, where step is 1; |z|' = sign(z) but for z = 0."""
    z = scalar("z")
    if line == "sign(z)":
        p = gradient("y = abs(z)", "z = 0", "y", "z")
        claim: Claim = Total("y", "z", call("sign", z), (Line(F.PartialOf("y", "z")), Line(F.Just(call("sign", z))), Line(F.Just(Integer(0)))))
        assert verdicts(p, (claim,))[0].ground is Ground.UNDECIDED
    else:
        p = forward("y = step(z)", "z = 0")
        claim = Value("y", (Line(F.Just(call("step", z))), Line(F.Just(1 - call("step", -z))), Line(F.Just(Integer(0)))))
        assert verdicts(p, (claim,))[0].ground is Ground.REFUTED


def test_a_kink_elsewhere_in_the_graph_does_not_matter() -> None:
    """Shared factors to x pass through smooth nodes only; a relu at 0 feeds another branch."""
    lets = ["z = x - 2", "k = relu(z)", *(f"h{i} = {i}*x" for i in range(1, 11)), "m = " + " + ".join(f"h{i}^2" for i in range(1, 11)), "u = w*m",
            "L = u + k"]
    p = gradient("\n".join(lets), "x = 2\nw = 3", "L", "h1 w")
    found = claims(p)
    assert all_hold(p, found), [v for v in verdicts(p, found) if v.ground not in (Ground.PROVED, Ground.GIVEN)]
