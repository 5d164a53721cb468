"""Guaranteed zeros: the seed problems, and others whose answers are known by hand or from a one-line argument."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sympy import Integer, Rational

from symgrad.language import forms as F
from symgrad.language.errors import Unsupported
from symgrad.language.zeros import AlwaysZero, CannotHold, NotAlwaysZero, rational
from symgrad.pipeline import solve
from symgrad.questions import derive
from symgrad.reader.read import read
from tests.questions.asking import answer, ask, claim, proved, refused, words

PROBLEMS = Path(__file__).parents[2] / "problems"


@pytest.mark.parametrize("name", ["sparse-relu", "sparse-relu-skip", "always-zero-more"])
def test_problem_files(name: str) -> None:
    """Every part is answered as [expected] says, with every claim proved."""
    problem, expected = read(PROBLEMS / f"{name}.toml")
    result = solve(problem, expected)
    assert not [p.failure for p in result.parts if p.failure]
    assert sum(len(p.expected) for p in result.parts) == len(expected)
    assert all(agrees for p in result.parts for _, agrees in p.expected)
    assert all(e.verdict.ground.value == "proved" for e in result.certificate.entries)


def test_the_two_paths_of_the_first_weight() -> None:
    """dL/dw1 is a sum over two paths with common factors taken out; the zero factor is dh1/dz1, common to both."""
    problem, _ = read(PROBLEMS / "sparse-relu.toml")
    steps = {s.label: s.claim for s in derive(problem, problem.parts[0]).steps}
    first, second, third = steps["w1"], steps["w2"], steps["w3"]
    assert isinstance(first, AlwaysZero) and isinstance(second, AlwaysZero) and isinstance(third, NotAlwaysZero)
    form = first.lines[0]
    assert isinstance(form, F.Product)
    assert [type(f).__name__ for f in form.factors] == ["PartialOf", "PartialOf", "Sum", "PartialOf", "PartialOf"]
    assert first.regions[0].zeros == (("h1", "z1"),)
    assert second.regions[0].zeros == (("z3", "w2"),)
    values = {n: rational(x) for n, x in third.point.variables}
    assert values["w1"] * values["x1"] + values["v1"] * values["x2"] == -1


CASES = [
    # (let-list, wrt, facts, answers), each with the reason why
    # a leaky unit lets a derivative through everywhere
    ("z = w*x + b\nh = leaky_relu(z)\nL = loss(v*h, t)", "w, b, v", "z = -1", "NO NO NO"),
    # hard tanh, saturated above; its value 1 is not 0
    ("z = w*x + b\nh = max(-1, min(1, z))\nL = loss(v*h, t)", "w, b, v", "z = 2", "YES YES NO"),
    ("z = w*x + b\nh = max(-1, min(1, z))\nL = loss(v*h, t)", "w, b, v", "z = 1/2", "NO NO NO"),
    # a dropout mask silences what it multiplies, but not the mask itself
    ("h = m*relu(w*x)\nL = loss(v*h, t)", "w, v, x, m", "m = 0", "YES YES YES NO"),
    # max pooling: only the winner learns
    ("h1 = relu(w1*x)\nh2 = relu(w2*x)\nL = loss(max(h1, h2), t)", "w1, w2", "h1 > h2", "NO YES"),
    ("m = max(a, max(b, c))\nL = loss(m, t)", "a, b, c", "a > b, b > c", "NO YES YES"),
    # the same of three units whose values are not rational: the slopes of max are 1 and 0 all the same
    ("a = tanh(u*x)\nb = tanh(v*x)\nc = tanh(w*x)\np = max(a, b, c)\nL = loss(p, t)", "u, v, w", "a > b, a > c", "NO YES YES"),
    # a leaky unit of slope 1/100 before a sigmoid: exponentials of hundredths, which no normal form of polynomials holds
    ("z = w*x + b\nh = leaky_relu(z, 1/100)\np = sigmoid(7*h + 3*x)\nL = (p - t)^2", "w, b", "z = -2", "NO NO"),
    # a shared weight needs both its units dead
    ("z1 = w*x\nz2 = w*u\nL = loss(relu(z1) + relu(z2), t)", "w", "z1 < 0, z2 < 0", "YES"),
    ("z1 = w*x\nz2 = w*u\nL = loss(relu(z1) + relu(z2), t)", "w", "z1 < 0", "NO"),
    # two units that are the same function, subtracted
    ("h1 = relu(w*x)\nh2 = relu(x*w)\nL = loss(h1 - h2 + c, t)", "w, x, c", "", "YES YES NO"),
    # relu(z) relu(-z) is 0 for every z
    ("a = relu(w*x)\nb = relu(-w*x)\nL = loss(a*b + c, t)", "w, x, c", "", "YES YES NO"),
    # |z| is relu(z) + relu(-z), so the difference has no slope, on either side of 0
    ("z = w*x\nL = relu(z) + relu(-z) - abs(z) + c", "w, x, c", "z > 0", "YES YES NO"),
    ("z = w*x\nL = relu(z) + relu(-z) - abs(z) + c", "w, x, c", "z < 0", "YES YES NO"),
    ("z = w*x\nL = relu(z) + relu(-z) + abs(z) + c", "w", "z < 0", "NO"),
    # a hard threshold has slope 0 wherever it has one
    ("z = w*x + b\nh = step(z)\nL = loss(v*h, t)", "w, v", "", "YES NO"),
    ("z = w*x + b\nh = sign(z)\nL = loss(v*h, t)", "w, v", "z > 0", "YES NO"),
    # a saturated unit learns slowly, but it learns: e^-20 is not zero, nor is what 1 - sigmoid(40) is in floats
    ("z = w*x + b\nh = sigmoid(z)\nL = (v*h - t)^2", "w, b, v", "z > 20", "NO NO NO"),
    ("z = w*x + b\nh = sigmoid(z)\nL = (v*h - t)^2", "w, v", "z = -40", "NO NO"),
    ("z = w*x + b\nh = tanh(z)\nL = (v*h - t)^2", "w, v", "z = 25", "NO NO"),
    ("z = w*x + b\nh = sigmoid(z)\nL = (v*h - t)^2", "v, t", "z > 1000", "NO NO"),
    # gates: the closed one silences what it gates
    ("f = sigmoid(a*x)\ni = sigmoid(b*x)\nc = f*c0 + i*g\nL = loss(tanh(c), t)", "a, b, c0, g", "c0 = 0", "YES NO NO NO"),
    ("f = sigmoid(a*x)\ni = sigmoid(b*x)\nc = f*c0 + i*g\nL = loss(tanh(c), t)", "a, b, c0, g", "g = 0", "NO YES NO NO"),
    # the residual of a known loss
    ("y = w*x\nL = 1/2*(y - t)^2", "w, x, t", "y = t", "YES YES YES"),
    ("y = w*x\nL = 1/2*(y - t)^2", "w, x, t", "y != t", "NO NO NO"),
    # cross-entropy of a sigmoid: p = t is stationary
    ("p = sigmoid(w*x)\nL = -t*log(p) - (1 - t)*log(1 - p)", "w, x", "p = t", "YES YES"),
    # a product that is zero, by whichever factor
    ("y = w1*w2*x\nL = loss(y, t)", "x, w1", "w1*w2 = 0", "YES NO"),
    ("y = w1*w2*x\nL = loss(y, t)", "x, w1", "w1*w2 = 0, x = 0", "YES YES"),
    # equal inputs
    ("y = w*(x1 - x2) + b\nL = loss(y, t)", "w, x1, b", "x1 = x2", "YES NO NO"),
    # the second unit is dead whenever the first one is: z2 = z1 - 2
    ("z1 = w*x + 1\nz2 = w*x - 1\nL = loss(a*relu(z1) + b*relu(z2), t)", "w, a, b", "z1 < 0", "YES YES YES"),
    # no path at all; and a derivative in itself
    ("z = w*x\nu = 3*v\nL = loss(z, t)", "u, v, L, z", "", "YES YES NO NO"),
    # a unit that is dead without any facts
    ("h = relu(w*x)\ng = relu(-h - 1)\nL = loss(g + c, t)", "w, c", "", "YES NO"),
    # an input that is zero, also where the loss has a kink elsewhere
    ("y = w*x\nL = abs(y - t)", "w", "x = 0", "YES"),
    ("z = w*x\nh = relu(relu(z))\nL = loss(v*h, t)", "w", "z < 0", "YES"),
]


@pytest.mark.parametrize(("let", "wrt", "facts", "expected"), CASES)
def test_answers_known_by_hand(let: str, wrt: str, facts: str, expected: str) -> None:
    found, _ = answer(ask(let, wrt, facts))
    assert " ".join(found[w.strip()] for w in wrt.split(",")) == expected


def test_what_cancels_is_no_small_number() -> None:
    """sigmoid(z) + sigmoid(-z) is 1: whatever floats make of its derivative, it is not said to be other than zero."""
    problem = ask("z = w*x + b\nL = sigmoid(z) + sigmoid(-z) + v*z", "w", "v = 0, z > 2")
    with pytest.raises(Unsupported, match="dL/dw: neither"):
        derive(problem, problem.parts[0])


def test_a_saturated_derivative_that_is_made_smaller_is_refused() -> None:
    """The number shown for e^-20 is its rounding and no other, and 0 is none."""
    problem = ask("z = w*x + b\nh = sigmoid(z)\nL = (v*h - t)^2", "w", "z = 20")
    honest = claim(problem, "w")
    assert isinstance(honest, NotAlwaysZero)
    shown = honest.lines[-1]
    assert isinstance(shown, F.Decimal) and 0 < abs(float(shown.value)) < 1e-7
    proved(problem, [honest])
    for wrong in (replace(shown, value=shown.value * 2), F.Just(Integer(0)), replace(shown, value=Rational(0))):
        refused(problem, replace(honest, lines=(*honest.lines[:-1], wrong)), "not the number shown")


def test_several_cases() -> None:
    problem = ask("z = w*x\nh = relu(z)\nL = loss(v*h, t)", "w, v", "z < 0", "z > 0", "h = -1")
    found, derivation = answer(problem)
    assert found == {"w case 1": "YES", "v case 1": "YES", "w case 2": "NO", "v case 2": "NO", "the facts of case 3": "the facts cannot hold"}
    assert isinstance(derivation.steps[-1].claim, CannotHold)


@pytest.mark.parametrize("facts", ["h = -1", "h > 1, w = 0", "a > b, b > c, c > a", "w^2 = -1", "z = 1, v*z = 2, v = 1", "w > 1, w < 1", "h < 0"])
def test_facts_that_cannot_hold(facts: str) -> None:
    problem = ask("z = w*x\nh = relu(z)\nL = loss(v*h + a + b + c, t)", "w", facts)
    assert answer(problem)[0] == {"the facts": "the facts cannot hold"}


def test_facts_that_only_regions_refute() -> None:
    """w1 w2 = 0 and w1 w2^2 > 0 exclude each other, whatever the sign of w1 is."""
    problem = ask("y = w1*w2*x\nL = loss(y, t)", "x", "w1*w2 = 0, w1 != 0, w2 != 0")
    assert words(problem) == "the facts cannot hold"


def test_given_values_are_facts() -> None:
    problem = ask("y = w*x\nL = loss(y, t)", "w", values="x = 0")
    assert words(problem) == "YES"


# ---- kinks -------------------------------------------------------------------------------------------------------------

NET = "z = w*x\nh = relu(z)\nL = loss(v*h, t)"


@pytest.mark.parametrize("facts", ["h = 0", "z <= 0", "z = 0"])
def test_a_kink_without_a_convention_stays_open(facts: str) -> None:
    with pytest.raises(Unsupported, match=r"dL/dw: .*kink.*relu_at_zero") as error:
        derive(problem := ask(NET, "v, w", facts), problem.parts[0])
    assert "v: YES" in str(error.value)


def test_a_kink_with_a_convention() -> None:
    """relu'(0) = 0 makes it YES, named so; relu'(0) = 1 makes it NO, at the kink."""
    found, derivation = answer(ask(NET, "w, v", "h = 0", conventions="relu_at_zero = 0"))
    assert found == {"w": "YES", "v": "YES"}
    for facts in ("h = 0", "z = 0"):
        found, derivation = answer(ask(NET, "w", facts, conventions="relu_at_zero = 1"))
        assert found == {"w": "NO"}
        claim = derivation.steps[0].claim
        assert isinstance(claim, NotAlwaysZero) and dict(claim.point.forward)["z"] == F.Just(Integer(0))


def test_ties_with_a_convention() -> None:
    """At a tie max passes the derivative to its first argument if the convention is 1, to the second if it is 0."""
    let = "m = max(a*x, b*x)\nL = loss(m, t)"
    assert words(ask(let, "a, b", "a = b, x = 1", conventions="relu_at_zero = 1")) == "NO YES"
    assert words(ask(let, "a, b", "a = b, x = 1", conventions="relu_at_zero = 0")) == "YES NO"
    assert words(ask(let, "a, b", "a = b, x = 1", conventions='relu_at_zero = "1/2"')) == "NO NO"


def test_a_kink_elsewhere_does_not_matter() -> None:
    """The facts put z on its kink, but v enters after it."""
    assert words(ask("z = w*x\nh = relu(z)\ny = v*c + h\nL = loss(y, t)", "v", "z = 0")) == "NO"


@pytest.mark.parametrize("function", ["step", "sign"])
def test_a_jump_has_no_derivative(function: str) -> None:
    with pytest.raises(Unsupported, match="a jump"):
        derive(problem := ask(f"z = w*x\nh = {function}(z)\nL = loss(v*h, t)", "w", "z = 0"), problem.parts[0])


def test_a_kink_that_no_convention_fixes() -> None:
    """abs at a tie of y and t: the convention of ReLU says nothing about it."""
    with pytest.raises(Unsupported, match=r"dL/dw: depends on the derivative at a kink, .*abs"):
        derive(problem := ask("y = w*x\nL = abs(y - t)", "w", "y = t", conventions="relu_at_zero = 0"), problem.parts[0])


def test_a_reason_is_given_once() -> None:
    """Two weights into one kink: both are named, the reason follows once."""
    with pytest.raises(Unsupported, match=r"undecided: dL/dw, dL/db: zero except where z = 0 \(in relu\)") as error:
        derive(problem := ask("z = w*x + b\nh = relu(z)\nL = loss(v*h, t)", "w, b", "z <= 0"), problem.parts[0])
    assert str(error.value).count("kink") == 2


def test_vectors_are_refused() -> None:
    from symgrad.reader.read import read_text
    text = ("format = 1\nid = 'x'\ntitle = 'x'\n[symbols]\nx = 'N'\nw = 'N'\n[model]\nlet = '''\ny = w.T @ x\nL = y^2\n'''\n"
            "[[part]]\nlabel = 'a'\nask = 'always_zero'\nof = 'L'\nwrt = ['y']\nfacts = ['y = 0']\n")
    problem = read_text(text, "x.toml")[0]
    with pytest.raises(Unsupported, match="graphs of scalars"):
        derive(problem, problem.parts[0])


# ---- the witness ---------------------------------------------------------------------------------------------------------


def test_the_loss_that_was_chosen_is_said() -> None:
    """1/2 (y - t)^2, unless its own derivative vanishes by the facts: then another."""
    claim = answer(ask("y = w*x\nL = loss(y, t)", "w", ""))[1].steps[0].claim
    assert isinstance(claim, NotAlwaysZero)
    terms = {powers: Fraction(int(c.p), int(c.q)) for c, powers in claim.point.functions[0].terms}
    assert terms == {(2, 0): Fraction(1, 2), (1, 1): -1, (0, 2): Fraction(1, 2)}
    claim = answer(ask("y = w*x\nL = loss(y, t)", "w", "y = t"))[1].steps[0].claim
    assert isinstance(claim, NotAlwaysZero)
    assert {powers for _, powers in claim.point.functions[0].terms} == {(1, 0), (0, 1)}


def test_an_unknown_activation() -> None:
    """phi(0) need not be 0, phi' need not be 0."""
    assert words(ask("z = w*x\nh = phi(z)\nL = loss(v*h, t)", "w, v", "x = 0")) == "YES NO"
    assert words(ask("z = w*x\nh = phi(z)\nL = loss(v*h, t)", "w, v", "h = 0")) == "NO YES"


def test_one_point_for_all() -> None:
    """What is not zero is shown at one and the same point where there is one."""
    _, derivation = answer(ask("z = a*x + b*u\nh = relu(z)\ny = v*h\nL = loss(y, t)", "a, b, v, x, u", "z = 2"))
    points = {s.claim.point for s in derivation.steps if isinstance(s.claim, NotAlwaysZero)}
    assert len(derivation.steps) == 5 and len(points) == 1


def test_wide_networks() -> None:
    """A fully connected net with a dead unit: its incoming and outgoing weights are silent, the others are not."""
    from symgrad.reader.read import read_text
    text = ('format = 1\nid = "x"\ntitle = "x"\n[network]\nlayers = [6, 6, 6, 1]\n[[part]]\nlabel = "a"\nask = "always_zero"\nof = "Loss"\n'
            'wrt = "parameters"\nfacts = ["Z1_2 = -1", "x3 = 0"]\n')
    problem = read_text(text, "x.toml")[0]
    found, _ = answer(problem)
    silent = {f"w1_{i}2" for i in range(1, 7)} | {"b1_2"} | {f"w2_2{j}" for j in range(1, 7)} | {f"w1_3{j}" for j in range(1, 7)}
    assert {n for n, said in found.items() if said == "YES"} == silent
    assert len(found) == 6 * 6 * 2 + 6 + 6 * 2 + 1
