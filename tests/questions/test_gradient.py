"""ask = "gradient": with and without numbers, at kinks, through inner nodes, for unknown functions, with more paths than a page holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer, Rational

from symgrad.check.normal import is_zero
from symgrad.language import forms as F
from symgrad.language.claims import Partial, Total
from symgrad.language.errors import SpecErrors
from symgrad.language.functions import Call, Fn, scalar
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Ground
from symgrad.pipeline import render
from tests.making import gradient, solved


def derived(p: Problem) -> tuple[Derivation, dict[str, F.Form]]:
    """The derivation of the one part, every step of which holds, and the answers by label."""
    result = solved(p)
    (item,) = result.parts
    assert not item.failure and item.derivation is not None, item.failure
    assert all(x.ground in (Ground.PROVED, Ground.GIVEN) for x in item.verdicts.values()), item.verdicts.values()
    return item.derivation, {a.label: a.right for a in item.derivation.answers}


def total(d: Derivation, wrt: str) -> Total:
    return next(s.claim for s in d.all_steps() if isinstance(s.claim, Total) and s.claim.wrt == wrt)


def failure(p: Problem) -> str:
    return solved(p).parts[0].failure


# ---- without numbers ---------------------------------------------------------------------------------------------------


def test_symbols_only() -> None:
    _, answers = derived(gradient("z = w*x + b\nL = (z - t)^2", "w = {}\nx = {}\nb = {}\nt = {}", "L", "w b x"))
    z, t, w, x = (scalar(n) for n in "ztwx")
    for name, wanted in (("w", 2 * (z - t) * x), ("b", 2 * (z - t)), ("x", 2 * (z - t) * w)):
        found = answers[name]
        assert isinstance(found, F.Just) and is_zero(found.expr - wanted)


def test_some_numbers_are_missing() -> None:
    """What can be a number is one, the rest stays a formula: t is not given, so L and its slopes have no value."""
    d, answers = derived(gradient("z = w*x\nL = (z - t)^2", "w = 2\nx = 3\nt = {}", "L", "w"))
    assert isinstance(answers["w"], F.Just) and answers["w"].expr.free_symbols
    local = next(s.claim for s in d.all_steps() if isinstance(s.claim, Partial) and (s.claim.of, s.claim.wrt) == ("z", "w"))
    assert local.lines[-1].form in (F.Just(Integer(3)), F.Just(scalar("x")))


def test_a_value_that_an_unrelated_node_lacks() -> None:
    """log(-1) stands beside the path; g has no value: neither is in the way of dL/dw."""
    _, answers = derived(gradient("u = log(x - 4)\nv = g(x)\nL = w^2*x", "w = 2\nx = 3", "L", "w"))
    assert answers["w"] == F.Just(Integer(12))


# ---- unknown functions -------------------------------------------------------------------------------------------------


def test_unknown_functions_stay_unknown() -> None:
    p = gradient("z = w*x + b\nh = g(z)\nL = loss(h, t)", "w = {}\nx = {}\nb = {}\nt = {}", "L", "w b t")
    d, answers = derived(p)
    h, t, z, x = (scalar(n) for n in "htzx")
    g, first, second = Call(Fn("g", (1,)), z), Call(Fn("loss", (1, 0)), h, t), Call(Fn("loss", (0, 1)), h, t)
    for name, wanted in (("w", first * g * x), ("b", first * g), ("t", second)):
        found = answers[name]
        assert isinstance(found, F.Just) and is_zero(found.expr - wanted)
    text = render(solved(p), ("markdown",), ("solution",))["solution.md"]
    assert "g'" in text and r"\frac{\partial" in text
    assert d.graph.names == p.graph.names


def test_an_unknown_function_at_given_numbers() -> None:
    """g'(2) is printed, no number is made up for it."""
    _, answers = derived(gradient("z = w*x\nL = 3*g(z)", "w = 1\nx = 2", "L", "w"))
    assert isinstance(answers["w"], F.Just) and answers["w"].expr.has(Fn("g", (1,)))


# ---- inner nodes, no path, itself ----------------------------------------------------------------------------------------


def test_with_respect_to_an_inner_node() -> None:
    """dL/dh at h = 12 looks at what h feeds, not at what it is made of: x also reaches y beside h."""
    d, answers = derived(gradient("h = x^2 + 3\ny = x + 5*h\nL = y^2", "x = 3", "L", "h x y"))
    assert answers == {"h": F.Just(Integer(630)), "x": F.Just(Integer(126 + 630 * 6)), "y": F.Just(Integer(126))}
    first = total(d, "h").lines[0].form
    assert first == F.Product((F.PartialOf("L", "y"), F.PartialOf("y", "h")))


def test_no_path_and_itself() -> None:
    _, answers = derived(gradient("h = x*2\nq = u^2\nL = h + 1", "x = 1\nu = 5", "L", "u q L h"))
    assert answers == {"u": F.Just(Integer(0)), "q": F.Just(Integer(0)), "L": F.Just(Integer(1)), "h": F.Just(Integer(1))}


# ---- kinks ---------------------------------------------------------------------------------------------------------------

KINKS = {
    "relu": ("L = relu(z)", "relu_at_zero"), "max": ("L = max(z, u)", "relu_at_zero"), "min": ("L = min(u, z)", "relu_at_zero"),
    "leaky": ("L = leaky_relu(z)", "relu_at_zero"), "abs": ("L = abs(z)", "abs_at_zero"),
}


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_without_a_convention(name: str) -> None:
    let, convention = KINKS[name]
    said = failure(gradient(f"z = w - 2\n{let}", "w = 2\nu = 0", "L", "w"))
    assert said.startswith("unsupported: ") and f"fix one with {convention} in [conventions]" in said, said


def test_a_step_has_no_derivative_where_it_jumps() -> None:
    assert "step has no derivative at 0, where it jumps" in failure(gradient("L = step(w - 2)", "w = 2", "L", "w"))
    assert derived(gradient("L = step(w - 2)*w", "w = 3", "L", "w"))[1] == {"w": F.Just(Integer(1))}


@pytest.mark.parametrize(("name", "share", "slope"), [
    ("relu", "0", 0), ("relu", "1", 1), ("relu", "0.5", Rational(1, 2)), ("max", "0.25", Rational(1, 4)), ("min", "0.25", Rational(3, 4)),
    ("leaky", "0", Rational(1, 100)),
    ("abs", "0", 0), ("abs", "1", 1),
])
def test_at_a_kink_with_a_convention(name: str, share: str, slope: Rational) -> None:
    let, convention = KINKS[name]
    d, answers = derived(gradient(f"z = w - 2\n{let}", "w = 2\nu = 0", "L", "w", f"[conventions]\n{convention} = {share}"))
    assert answers["w"] == F.Just(Rational(slope))
    (said,) = d.conventions
    which = {"relu": "derivative of ReLU at 0 is ", "leaky": "derivative of ReLU at 0 is ", "abs": "derivative of "}
    assert said[0] == f"By convention of the problem the {which.get(name, 'derivative of a maximum or a minimum at a tie is ')}"
    assert F.Just(Rational(share)) in said


def test_conventions_that_do_not_matter_are_not_printed() -> None:
    d, _ = derived(gradient("L = w^2", "w = 2", "L", "w", "[conventions]\nrelu_at_zero = 0\nabs_at_zero = 0\nstep_at_zero = 0"))
    assert d.conventions == ()


def test_off_the_kink_no_convention_is_needed() -> None:
    for let, slope in (("L = relu(w)", 0), ("L = abs(w)", -1), ("L = max(w, u)", 0), ("L = min(w, u)", 1), ("L = leaky_relu(w, 1/4)",
    Rational(1, 4))):
        assert derived(gradient(let, "w = -3\nu = 1", "L", "w"))[1] == {"w": F.Just(Rational(slope))}


# ---- many paths ------------------------------------------------------------------------------------------------------------

WIDE = "\n".join([f"h{i} = a*x + {i}" for i in range(1, 4)] + [f"k{i} = h1*h2 + {i}*h3" for i in range(1, 4)] + ["L = k1*k2 + k3^2"])


def test_shared_factors() -> None:
    """Twenty-one paths: the sum runs over consumers, each with its own total, and says so.  The numbers by hand, at a = 1, x = 2."""
    p = gradient(WIDE, "a = 1\nx = 2", "L", "a x")
    assert p.graph.count_paths("x", "L") > 8
    d, answers = derived(p)
    h, k = [3, 4, 5], [12 + 5, 12 + 10, 12 + 15]
    dk = [k[1], k[0], 2 * k[2]]
    dh = [sum(dk) * h[1], sum(dk) * h[0], sum((i + 1) * dk[i] for i in range(3))]
    assert answers == {"a": F.Just(Integer(2 * sum(dh))), "x": F.Just(Integer(sum(dh)))}
    first = total(d, "x").lines[0].form
    assert isinstance(first, F.Sum) and all(isinstance(t, F.Product) and isinstance(t.factors[0], F.TotalOf) for t in first.terms)
    step = next(s for s in d.all_steps() if isinstance(s.claim, Total) and s.claim.wrt == "x")
    assert "share its total derivative" in str(step.because)


def test_shared_factors_without_numbers_and_with_irrational_ones() -> None:
    derived(gradient(WIDE, "a = {}\nx = {}", "L", "a x"))
    _, answers = derived(gradient(WIDE.replace("h1*h2", "tanh(h1*h2/9)"), "a = 1\nx = 2", "L", "x"))
    assert isinstance(answers["x"], F.Decimal | F.Just)


def test_as_many_paths_as_a_page_holds_are_written_out() -> None:
    lets = "\n".join([*(f"h{i} = {i}*x" for i in range(1, 9)), "L = " + " + ".join(f"h{i}^2" for i in range(1, 9))])
    d, answers = derived(gradient(lets, "x = 1", "L", "x"))
    first = total(d, "x").lines[0].form
    assert isinstance(first, F.Sum) and len(first.terms) == 8 and all(F.PartialOf("L",
    f"h{i}") in t.factors for i, t in enumerate(first.terms, 1))  # type: ignore[union-attr]
    assert answers["x"] == F.Just(Integer(2 * 204))


# ---- numbers ---------------------------------------------------------------------------------------------------------------


def test_closed_forms_are_followed_by_their_decimals() -> None:
    d, _ = derived(gradient("h = sigmoid(w*x)\nL = 3*h", "w = 2\nx = 1", "L", "x"))
    lines = total(d, "x").lines
    assert lines[-1].approx and isinstance(lines[-1].form, F.Decimal) and lines[-1].form.value == Rational(6300, 10**4)


def test_the_number_of_decimals_is_the_problem_s() -> None:
    d, _ = derived(replace(gradient("L = exp(w)", "w = 1", "L", "w"), digits=2))
    last = total(d, "w").lines[-1].form
    assert last == F.Decimal(Rational(272, 100), 2)


def test_vectors_are_for_another_question() -> None:
    with pytest.raises(SpecErrors, match='ask = "gradient" is for scalars, use "backward"'):
        gradient("L = norm(x)", 'x = { shape = "N" }', "L", "x")
    assert 'use ask = "backward"' in failure(gradient("L = norm(x)*w", 'x = { shape = "N" }\nw = {}', "L", "w"))


def test_a_value_that_does_not_exist() -> None:
    for let in ("L = w/(x - 2)", "L = log(x - 3)*w", "L = sqrt(x - 3)*w"):
        said = solved(gradient(let, "w = 1\nx = 2", "L", "w"))
        assert all(x.ground is not Ground.REFUTED for x in said.parts[0].verdicts.values())
        claims = [c.claim for c in said.certificate.entries if isinstance(c.claim, Total)]
        assert all(not isinstance(c.lines[-1].form, F.Decimal) for c in claims)
