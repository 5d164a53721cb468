"""Every rule for local partials and every row of the function table: central differences, and bent partials that are refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from symgrad.check.checker import Checker
from symgrad.language.claims import Line, Partial
from symgrad.language.forms import Just
from symgrad.language.functions import KNOWN
from symgrad.language.steps import Ground
from symgrad.questions import derive
from symgrad.reader.read import read_text

FUNCTIONS: dict[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "abs": abs,
    "max": max, "min": min, "softplus": lambda z: math.log(1 + math.exp(z)), "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z, a=0.01: z if z >= 0 else a * z, "step": lambda z: float(z >= 0), "sign": lambda z: math.copysign(1, z),
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "erf": math.erf, "normpdf": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "normcdf": lambda z: math.erfc(-z / math.sqrt(2)) / 2, "gelu": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
}
RULES = {"sum rule": "x + x*y + 3", "product rule": "x*y*x", "power rule": "(x + y)^3", "chain rule": "exp(x*y)", "variable": "x + y",
         "constant": "y + x - x*0"}
TEXTS = [*RULES.values(), *(f"{n}(x*y + 1/2, y)" if row.arity == 2 else f"{n}(x*y + 1/2)" for n, row in KNOWN.items()),
         "leaky_relu(x - 5, 1/10)", "1/(x + y^2)", "log(1 + exp(x*y))", "sqrt(x)*y"]
POINT = {"x": 1.5, "y": 0.75}


@pytest.mark.parametrize("text", TEXTS)
def test_a_partial(text: str) -> None:
    body = f'format = 1\nid = "s"\ntitle = "S"\ndigits = 8\n[symbols]\nx = {{ value = 1.5 }}\ny = {{ value = 0.75 }}\n[model]\nlet = "L = {text}"\n'
    asked, _ = read_text(body + '[[part]]\nlabel = "a"\nask = "gradient"\nof = "L"\nwrt = ["x", "y"]\n', "s.toml")
    derivation = derive(asked, asked.parts[0])
    checker = Checker(asked)
    for step in derivation.all_steps():
        assert checker.check(step.claim).ground in (Ground.PROVED, Ground.GIVEN), step.label

    def value(**at: float) -> float:
        return float(eval(text.replace("^", "**"), {**FUNCTIONS, "__builtins__": {}}, {**POINT, **at}))

    for answer in derivation.answers:
        slope = (value(**{answer.label: POINT[answer.label] + 1e-6}) - value(**{answer.label: POINT[answer.label] - 1e-6})) / 2e-6
        claim = next(s.claim for s in derivation.all_steps() if getattr(s.claim, "wrt", "") == answer.label)
        shown = claim.lines[-1].form  # type: ignore[union-attr]
        assert float(shown.value if hasattr(shown, "value") else shown.expr) == pytest.approx(slope, rel=1e-5, abs=1e-6)
    partials = [s.claim for s in derivation.all_steps() if isinstance(s.claim, Partial)]
    for claim in partials:
        flat = text.startswith(("step", "sign"))  # twice a slope of 0 is right
        for bent in (claim.expr + 1, *(() if flat else (-claim.expr, 2 * claim.expr))):
            if bent != claim.expr:
                forged = replace(claim, expr=bent, lines=(claim.lines[0], Line(Just(bent))))
                assert Checker(asked).check(forged).ground in (Ground.REFUTED, Ground.UNDECIDED)
