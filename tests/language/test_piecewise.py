"""Linear pieces: they cover the space, and each is the function where it holds, by evaluation in plain Python."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from sympy import Expr, Integer, Rational

from symgrad.language.errors import Unsupported
from symgrad.language.functions import call, scalar
from symgrad.language.piecewise import Row, at, linear, pieces, row_of
from tests.fill_problems import FUNCTIONS

X, Y = scalar("x"), scalar("y")


def grown(random: Random, depth: int) -> tuple[Expr, str]:
    """A piecewise linear expression, and the same for Python."""
    if depth == 0:
        n = random.randint(-2, 2)
        return random.choice([(X, "x"), (Y, "y"), (Integer(n), f"Fraction({n})")])
    (a, s), (b, t) = grown(random, depth - 1), grown(random, depth - 1)
    n = random.choice((-2, -1, 2))
    name = random.choice(("max", "min", "abs", "relu", "leaky_relu", "step", "sign"))
    return random.choice([
        (a + b, f"(({s}) + ({t}))"), (n * a - b, f"({n} * ({s}) - ({t}))"),
        (call(name, *((a, b) if name in ("max", "min") else (a,))), f"{name}({s}, {t})" if name in ("max", "min") else f"{name}({s})"),
    ])


def test_pieces_against_python() -> None:
    random = Random(4)
    for _ in range(120):
        e, text = grown(random, 3)
        found = list(pieces(e, (X, Y)))
        for _ in range(25):
            point = (Fraction(random.randint(-6, 6), 2), Fraction(random.randint(-6, 6), 2))  # ties are common
            expected = eval(text, {"Fraction": Fraction, **FUNCTIONS}, {"x": point[0], "y": point[1]})
            here = [p for p in found if all(row.holds(point) for row in p.where)]
            assert here, f"{text}: no piece holds at {point}"
            assert {at(p.value, point) for p in here} == {expected}, text


def test_one_kink_makes_two_pieces_however_it_is_written() -> None:
    assert len(list(pieces(call("max", X, -X) + call("relu", 2 * X) - call("abs", -3 * X), (X, Y)))) == 2


def test_a_jump_has_its_border() -> None:
    values = {tuple(r.strict for r in p.where): p.value[0] for p in pieces(call("step", X), (X,), Rational(1, 3))}
    assert values == {(True,): 0, (False, False): Fraction(1, 3)} or len(list(pieces(call("step", X), (X,)))) == 3


@pytest.mark.parametrize("e", [X * Y, X**2, 1 / X, call("exp", X), call("max", X * X, Y), call("sigmoid", X), scalar("z"), call("g", X)])
def test_what_is_not_piecewise_linear_is_unsupported(e: Expr) -> None:
    with pytest.raises(Unsupported, match="not piecewise linear"):
        list(pieces(e, (X, Y)))


def test_too_many_pieces() -> None:
    many = sum((call("relu", X - k) for k in range(12)), Integer(0))
    with pytest.raises(Unsupported, match="more than 1024 linear pieces"):
        list(pieces(many, (X, Y)))


def test_a_product_with_a_constant_case() -> None:
    """2 * step(1) * x is linear: the case is decided."""
    (piece,) = pieces(2 * call("step", Integer(1)) * X, (X,))
    assert piece.where == () and piece.value == (0, 2)


def test_rows_of_comparisons() -> None:
    left, right = linear(X + 1, (X, Y)), linear(2 * Y, (X, Y))
    for relation, holds in (("<", False), ("<=", True), (">", False), (">=", True), ("=", True)):
        assert all(r.holds((Fraction(1), Fraction(1))) for r in row_of(relation, left, right)) is holds
    assert len(row_of("=", left, right)) == 2
    with pytest.raises(Unsupported, match="not linear"):
        linear(call("abs", X), (X,))
    assert Row((Fraction(0), Fraction(1)), True).holds((Fraction(0),)) is False
