"""Views of activations: the function at the argument is the expression, for every view."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.language import vectors as v
from symgrad.language.claims import ARGUMENT
from symgrad.language.functions import call
from symgrad.rules.entrywise import SOFTMAX, definition, two_class_lines, views
from tests.equivalents import NUMPY, Case, agree, draw, run, value

MODEL = """z = W @ x + b
m = min(z, 1)
c = max(m, -1)
s = z * sigmoid(z)
l = 2 * relu(z - 1)^2
k = sigmoid(2*z + 1)
r = sqrt(1 + z^2)
p = softmax(z)
q = p[2]
e = c[1]"""
CASE = Case({"x": "D", "W": "2, D", "b": "2"}, MODEL, "y = sigmoid(a*x[1])", {"a": ""}, of="q")
GRAPH = CASE.problem().graph


@pytest.mark.parametrize(("name", "found"), [
    ("m", ["min(_u, 1)"]), ("c", ["max(_u, -1)", "max(min(_u, 1), -1)"]), ("s", ["_u*sigmoid(_u)"]),
    ("k", ["sigmoid(_u)", "sigmoid(2*_u + 1)"]), ("q", ["sigmoid(_u)"]), ("p", ["softmax"]), ("z", []),
    ("e", ["max(_u, -1)", "max(min(_u, 1), -1)"]),
])
def test_views(name: str, found: list[str]) -> None:
    said = [str(w.function) for w in views(GRAPH.symbol(name), GRAPH)]
    assert all(f in said for f in found) and (bool(found) or not said)


@pytest.mark.parametrize("name", ["m", "c", "s", "l", "k", "r", "q", "e"])
def test_the_function_at_the_argument(name: str) -> None:
    rng = np.random.default_rng(4)
    seen = views(GRAPH.symbol(name), GRAPH)
    assert seen
    for _ in range(3):
        _, env = draw(CASE, rng)
        known = run(MODEL, env)
        for w in seen:
            assert w.function != ARGUMENT and w.function != SOFTMAX
            assert agree(number(w.at(w.argument), known), known[name]), w


def number(e: object, env: dict[str, object]) -> object:
    """Calls of scalars too, which the answers of find_parameters do not have."""
    if isinstance(e, v.Call):
        return NUMPY[e.fn.name](*(number(a, env) for a in e.arguments))
    if getattr(e, "args", ()) and v.is_scalar(e) and not isinstance(e, v.Entry | v.AsScalar):
        parts = [number(a, env) for a in e.args]  # type: ignore[attr-defined]
        return sum(parts) if e.is_Add else np.prod(parts) if e.is_Mul else parts[0] ** parts[1]  # type: ignore[attr-defined]
    return value(e, env)  # type: ignore[arg-type]


def test_two_classes() -> None:
    lines = two_class_lines(GRAPH.symbol("q"), GRAPH)
    rng = np.random.default_rng(4)
    _, env = draw(CASE, rng)
    known = run(MODEL, env)
    assert len(lines) == 4 and two_class_lines(GRAPH.symbol("e"), GRAPH) == ()
    for line in lines[1:]:
        assert agree(number(line, known), known["q"])
    assert lines[-1] == call("sigmoid", lines[-1].arguments[0]) and definition(GRAPH.symbol("q"), GRAPH).args[0] == GRAPH.symbol("p")
