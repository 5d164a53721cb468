"""Identities against a numeric evaluator that shares nothing with symgrad: true ones are never refuted, false ones never proved."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from symgrad.check.checker import Checker
from symgrad.language.claims import Counterexample
from symgrad.language.steps import Ground
from symgrad.pipeline import Result, solve
from symgrad.questions import derive
from symgrad.reader.read import read, read_text

ROOT = Path(__file__).parents[2]

TRUE = [
    ("sigmoid({x})", "1/2*tanh(({x})/2) + 1/2"), ("tanh({x})", "2*sigmoid(2*({x})) - 1"), ("sigmoid(-({x}))", "1 - sigmoid({x})"),
    ("softplus({x}) - softplus(-({x}))", "{x}"), ("log(sigmoid({x}))", "-softplus(-({x}))"),
    ("tanh(2*({x}))", "2*tanh({x})/(1 + tanh({x})^2)"), ("relu({x})", "({x} + abs({x}))/2"), ("max({x}, {y})", "relu({x} - ({y})) + {y}"),
    ("min({x}, {y})", "{x} - relu({x} - ({y}))"), ("max(-1, min(1, {x}))", "relu({x} + 1) - relu({x} - 1) - 1"),
    ("abs({x})", "relu({x}) + relu(-({x}))"), ("exp({x} + {y})", "exp({x})*exp({y})"), ("sigmoid({x})", "exp({x})/(1 + exp({x}))"),
    ("tanh(-({x}))", "-tanh({x})"), ("1 - tanh({x})^2", "4*sigmoid(2*({x}))*(1 - sigmoid(2*({x})))"), ("relu({x}) - relu(-({x}))", "{x}"),
    ("leaky_relu({x}, 1/5)", "relu({x}) - relu(-({x}))/5"), ("max({x}, {y}) + min({x}, {y})", "{x} + {y}"),
]
"""Pairs that are equal for all real numbers."""

ARGUMENTS = ["x", "y", "2*x", "x/3", "x - y", "1 - x", "x + 2*y", "-x", "x + 1"]
CONTEXTS = ["{e}", "3*({e})", "({e}) + x", "({e})*y", "2 - ({e})", "({e})^2", "({e})/(1 + y^2)"]
CORRUPTIONS = ["({e}) + 1/7", "-({e})", "2*({e})", "({e}) + y/5", "({e})*(1 + x^2)", "({e}) - x"]

FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "exp": math.exp, "log": math.log, "abs": abs, "max": max, "min": min,
    "softplus": lambda z: math.log(1 + math.exp(z)), "relu": lambda z: max(z, 0.0), "leaky_relu": lambda z, a: z if z >= 0 else a * z,
}


def number(text: str, x: float, y: float) -> float:
    return float(eval(text.replace("^", "**"), {**FUNCTIONS, "x": x, "y": y, "__builtins__": {}}))


def differ(left: str, right: str) -> bool:
    """At one of a few ordinary points, by much more than rounding."""
    points = [(0.7, -1.3), (-2.1, 0.4), (3.3, 1.9), (-0.2, -0.9)]
    return any(abs(number(left, *p) - number(right, *p)) > 1e-6 * (1 + abs(number(left, *p))) for p in points)


def instances(count: int, corrupt: bool, seed: int) -> list[tuple[str, str]]:
    random = Random(seed)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        left, right = random.choice(TRUE)
        x, y = random.choice(ARGUMENTS), random.choice(ARGUMENTS)
        left, right = (t.format(x=x, y=y) for t in (left, right))
        context = random.choice(CONTEXTS)
        left, right = context.format(e=left), context.format(e=right)
        if corrupt:
            right = random.choice(CORRUPTIONS).format(e=right)
        if differ(left, right) == corrupt:
            found.append((left, right))
    return found


def decided(pairs: list[tuple[str, str]]) -> list[str]:
    """proved, refuted or undecided, for every pair."""
    claims = ",\n".join(f'"{left} = {right}"' for left, right in pairs)
    text = f"""format = 1
id = "p"
title = "P"
[symbols]
x = {{}}
y = {{}}
[[part]]
label = "a"
ask = "prove"
claims = [
{claims}
]
"""
    problem, _ = read_text(text, "p.toml")
    derivation = derive(problem, problem.parts[0])
    checker = Checker(problem)
    words: dict[int, str] = {}
    for step in derivation.all_steps():
        verdict = checker.check(step.claim)
        found = re.match(r"claim (\d+)$", step.label.lower())
        if found:
            refuted = isinstance(step.claim, Counterexample)
            assert verdict.ground is not Ground.REFUTED, (step.label, verdict)
            words[int(found[1])] = "undecided" if not verdict.ground.holds else "refuted" if refuted else "proved"
    return [words[k] for k in range(1, len(pairs) + 1)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("corrupt", [False, True])
def test_random_identities(corrupt: bool, seed: int) -> None:
    """50 true and 50 false a seed, 200 each: none is decided wrong, and few stay open."""
    pairs = instances(50, corrupt, seed)
    found = decided(pairs)
    wrong = [(p, f) for p, f in zip(pairs, found, strict=True) if f == ("proved" if corrupt else "refuted")]
    assert wrong == []
    assert Counter(found)["undecided"] <= 2, [p for p, f in zip(pairs, found, strict=True) if f == "undecided"]


def test_digits_lost_by_cancellation_refute_nothing() -> None:
    """At x = 100, cosh(x)^2 and sinh(x)^2 agree in more digits than are computed at first: their difference is 1, not 0."""
    true = [("cosh({k}*x)^2 - sinh({k}*x)^2", "1"), ("(exp({k}*x) + 1)^2 - exp(2*{k}*x) - 2*exp({k}*x)", "1"),
            ("exp({k}*x)*(exp(-{k}*x) - (exp(-{k}*x) + 1)) + exp({k}*x)", "0"), ("(exp(x)^{k} + y)*(exp(x)^{k} - y) - exp(2*{k}*x)", "-y^2")]
    pairs = [(left.format(k=k), right) for left, right in true for k in (1, 10)]
    assert decided(pairs) == ["proved"] * len(pairs)
    assert decided([(left, f"{right} + 1/1000") for left, right in pairs]) == ["refuted"] * len(pairs)


def solved(name: str) -> Result:
    problem, expected = read(ROOT / "problems" / f"{name}.toml")
    return solve(problem, expected)


@pytest.mark.parametrize("name", ["sigmoid-tanh", "activation-identities", "near-misses"])
def test_the_problem_files(name: str) -> None:
    for item in solved(name).parts:
        assert not item.failure and item.expected and all(ok for _, ok in item.expected), (item.part.label, item.failure)


def test_the_chain_of_the_source_has_two_false_lines() -> None:
    """Its lines 7 and 8 drop and find again a term: both are refuted, the others proved."""
    (part,) = (p for p in solved("sigmoid-tanh").parts if p.part.label == "c")
    assert part.derivation is not None
    refuted = [s.label for s in part.derivation.steps if isinstance(s.claim, Counterexample)]
    assert len(refuted) == 2, refuted


def test_a_missing_domain_is_what_is_refuted() -> None:
    """relu(c x) = c relu(x) holds for c > 0; log(a b) = log a + log b for a, b > 0."""
    text = """format = 1
id = "p"
title = "P"
[symbols]
x = {}
c = {}
[[part]]
label = "a"
ask = "prove"
claim = "relu(c*x) = c*relu(x)"
assume = ["c > 0"]
[[part]]
label = "b"
ask = "prove"
claim = "relu(c*x) = c*relu(x)"
[[part]]
label = "c"
ask = "prove"
claim = "relu(c*x) = c*relu(x)"
assume = ["c < 0"]
"""
    problem, _ = read_text(text, "p.toml")
    result = solve(problem)
    refuted = [any(isinstance(s.claim, Counterexample) for s in p.derivation.steps) for p in result.parts if p.derivation]
    assert refuted == [False, True, True]
