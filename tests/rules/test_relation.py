"""The lines between two activations: every line has the values of the first; the words about pieces are true."""

from __future__ import annotations

import math
import re

import pytest
from sympy import Add, Expr, Integer, Mul, Number, Pow, Rational

from symgrad.language.claims import ARGUMENT
from symgrad.language.functions import Call, call
from symgrad.rules.relation import at, relation_lines

U, ZERO, ONE, HALF = ARGUMENT, Integer(0), Integer(1), Rational(1, 2)
HARD = call("max", Integer(-1), call("min", Integer(1), U))
FLOATS = {"exp": math.exp, "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "relu": lambda z: max(z, 0.0), "max": max, "min": min,
          "abs": abs, "leaky_relu": lambda z, a=0.01: z if z > 0 else a * z, "log": math.log, "softplus": lambda z: math.log1p(math.exp(z))}


def number(e: Expr, u: float) -> float:
    match e:
        case Number():
            return float(e)
        case Add():
            return sum(number(a, u) for a in e.args)
        case Mul():
            return math.prod(number(a, u) for a in e.args)
        case Pow():
            return number(e.args[0], u) ** number(e.args[1], u)
        case Call():
            return float(FLOATS[e.fn.name](*(number(a, u) for a in e.arguments)))
    assert e == U
    return u


RELATIONS: dict[str, tuple[Expr, list[tuple[Rational, Expr]], Rational, Rational, int]] = {
    "sigmoid by tanh": (call("sigmoid", U), [(HALF, call("tanh", U / 2))], ZERO, HALF, 6),
    "tanh by sigmoid": (call("tanh", U), [(Integer(2), call("sigmoid", 2 * U))], ZERO, Integer(-1), 6),
    "sigmoid turned": (call("sigmoid", U), [(Integer(-1), call("sigmoid", -U))], ZERO, ONE, 6),
    "tanh turned": (call("tanh", U), [(Integer(-1), call("tanh", -U))], ZERO, ZERO, 4),
    "scaled tanh": (Rational(17159, 10000) * call("tanh", 2 * U / 3), [(Rational(17159, 5000), call("sigmoid", 4 * U / 3))], ZERO,
                    -Rational(17159, 10000), 6),
    "leaky relu": (call("leaky_relu", U, Rational(1, 5)), [(ONE, call("relu", U)), (-Rational(1, 5), call("relu", -U))], ZERO, ZERO, 3),
    "identity": (U, [(ONE, call("relu", U)), (Integer(-1), call("relu", -U))], ZERO, ZERO, 2),
    "hard tanh": (HARD, [(ONE, call("relu", U + 1)), (Integer(-1), call("relu", U - 1))], ZERO, Integer(-1), 2),
    "absolute value": (call("abs", U), [(Integer(2), call("relu", U))], Integer(-1), ZERO, 2),
    "softplus": (call("softplus", U), [(ONE, call("softplus", -U))], ONE, ZERO, 3),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_every_line_is_the_first(name: str) -> None:
    f, terms, slope, shift, count = RELATIONS[name]
    lines = relation_lines(f, terms, slope, shift)
    assert len(lines) == count and lines[0].form.expr == f
    for u in (-3.7, -1.0, -0.3, 0.0, 0.4, 1.0, 2.9):
        for line in lines:
            assert math.isclose(number(line.form.expr, u), number(f, u), abs_tol=1e-12), (name, line.form.expr, u)


@pytest.mark.parametrize(("name", "words"), [
    ("hard tanh", "both are -1 for u ≤ -1, u for -1 ≤ u ≤ 1 and 1 for u ≥ 1"), ("leaky relu", "both are 1/5 u for u ≤ 0 and u for u ≥ 0"),
    ("identity", "both are u for u ≤ 0 and u for u ≥ 0"), ("absolute value", "both are -u for u ≤ 0 and u for u ≥ 0"),
])
def test_piece_by_piece(name: str, words: str) -> None:
    f, terms, slope, shift, _ = RELATIONS[name]
    assert relation_lines(f, terms, slope, shift)[-1].why == (words,)
    for value, low, high in re.findall(r"(\S+(?: u)?) for (?:(\S+) ≤ )?u (?:[≤≥] (\S+?))(?:,| and|$)", words):
        assert value and (low or high)


def test_arguments_are_put_in() -> None:
    assert str(at(U * call("tanh", U), HALF, ONE)) == str(Mul(Add(U / 2, 1), call("tanh", U / 2 + 1)))
    assert at(HARD, ONE, ZERO) == HARD
