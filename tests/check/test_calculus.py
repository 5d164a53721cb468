"""The checker's own differentiation against exact dual numbers and complex steps, written here."""

from __future__ import annotations

import cmath
import random
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import differentiate, max_slope, partial, unfold
from symgrad.check.errors import NoDerivative, NoSign
from symgrad.check.evaluation import enclose
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn, call, scalar
from symgrad.language.vectors import Entry, variable

x, y = scalar("x"), scalar("y")


def dual(e: Expr, at: dict[Expr, tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """Value and derivative of a rational expression, exactly; kinks by the sign of their argument."""
    match e:
        case Rational():
            return Fraction(int(e.p), int(e.q)), Fraction(0)
        case Symbol() | Entry():
            return at[e]
        case Add():
            parts = [dual(a, at) for a in e.args]
            return sum((p for p, _ in parts), Fraction(0)), sum((d for _, d in parts), Fraction(0))
        case Mul():
            value, slope = Fraction(1), Fraction(0)
            for p, d in (dual(a, at) for a in e.args):
                value, slope = value * p, slope * p + value * d
            return value, slope
        case Pow():
            (p, d), n = dual(e.args[0], at), int(e.args[1])
            return p**n, n * p ** (n - 1) * d
    if not isinstance(e, Call):
        raise ZeroDivisionError
    first = dual(e.arguments[0], at)
    if first[0] == (dual(e.arguments[1], at)[0] if e.fn.name in ("max", "min") else 0):
        raise KeyError("at a kink")
    match e.fn.name:
        case "max":
            return max(first, dual(e.arguments[1], at))
        case "min":
            return min(first, dual(e.arguments[1], at))
        case "relu":
            return first if first[0] > 0 else (Fraction(0), Fraction(0))
        case "leaky_relu":
            leak = dual(e.arguments[1], at)[0] if len(e.arguments) > 1 else Fraction(1, 100)
            return first if first[0] > 0 else (leak * first[0], leak * first[1])
        case "abs":
            return first if first[0] > 0 else (-first[0], -first[1])
        case "step" | "sign":
            return Fraction(int(first[0] > 0) * (1 + (e.fn.name == "sign")) - (e.fn.name == "sign")), Fraction(0)
    raise KeyError(e.fn.name)


def draw(rng: random.Random, depth: int) -> Expr:
    if depth == 0:
        return rng.choice([x, y, Integer(rng.randint(-3, 3))])
    kind = rng.random()
    if kind < 0.25:
        return draw(rng, depth - 1) + draw(rng, depth - 1)
    if kind < 0.5:
        return draw(rng, depth - 1) * draw(rng, depth - 1)
    if kind < 0.65:
        return Pow(draw(rng, depth - 1), rng.choice([2, 3, -1, -2]), evaluate=False)
    name = rng.choice(["max", "min", "relu", "leaky_relu", "abs", "step", "sign"])
    return call(name, *(draw(rng, depth - 1) for _ in range(2 if name in ("max", "min") else 1)))


def test_rational_expressions_against_dual_numbers() -> None:
    rng = random.Random(3)
    seen = 0
    for _ in range(400):
        e = draw(rng, 4)
        point = {x: Rational(rng.randint(-40, 40), 7) + Rational(1, 1009), y: Rational(rng.randint(-40, 40), 11) + Rational(1, 1013)}
        try:
            true = dual(e, {s: (Fraction(int(v.p), int(v.q)), Fraction(int(s == x))) for s, v in point.items()})[1]
            found = enclose(differentiate(e, x), point)
        except (ZeroDivisionError, KeyError, ValueError, NoDerivative, NoSign):
            continue  # no value, or at a kink
        assert abs(float(found.mid.a) - float(true)) <= 1e-9 * (1 + abs(float(true))), (e, point)
        assert float(found.a) - 1e-9 * (1 + abs(float(true))) <= float(true) <= float(found.b) + 1e-9 * (1 + abs(float(true)))
        seen += 1
    assert seen > 200


mp = mpmath.mp.clone()
mp.dps = 80  # of a real part that is 10^30 times the imaginary one


def erf(z: Any) -> Any:
    return mp.erf(mp.mpc(z))


SMOOTH = {
    "exp": cmath.exp, "log": cmath.log, "sqrt": cmath.sqrt, "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)), "tanh": cmath.tanh,
    "softplus": lambda z: cmath.log(1 + cmath.exp(z)), "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan,
    "normpdf": lambda z: cmath.exp(-z * z / 2) / cmath.sqrt(2 * cmath.pi), "normcdf": lambda z: complex(1 + erf(z / mp.sqrt(2))) / 2,
    "erf": lambda z: complex(erf(z)), "gelu": lambda z: z * complex(1 + erf(z / mp.sqrt(2))) / 2,
}
KINKED = {
    "max": lambda z: z if z.real > 0.3 else 0.3, "min": lambda z: z if z.real < 0.3 else 0.3, "step": lambda z: complex(z.real >= 0),
    "sign": lambda z: complex((z.real > 0) - (z.real < 0)), "abs": lambda z: z if z.real > 0 else -z, "relu": lambda z: z if z.real > 0 else 0j,
    "leaky_relu": lambda z: z if z.real > 0 else z / 100,
}


def test_every_known_function_is_tested() -> None:
    """A row of KNOWN without an oracle here fails the suite."""
    assert set(SMOOTH) | set(KINKED) == set(KNOWN)


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_first_derivatives_by_complex_step(name: str) -> None:
    oracle = {**SMOOTH, **KINKED}[name]
    for at in (0.7, 1.9, 3.2) if name in ("log", "sqrt") else (-2.3, -0.4, 0.7, 1.9):
        slope = (oracle(complex(at, 1e-30))).imag / 1e-30
        arguments = (x, Rational(3, 10)) if name in ("max", "min") else (x,)
        found = enclose(differentiate(call(name, *arguments), x), {x: Rational(str(at))})
        assert abs(float(found.mid.a) - slope) < 1e-12, (name, at)


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives(name: str) -> None:
    oracle = SMOOTH[name]
    for at in (0.7, 1.9):
        second = (oracle(complex(at + 1e-5, 1e-20)).imag - oracle(complex(at - 1e-5, 1e-20)).imag) / 1e-20 / 2e-5
        found = enclose(differentiate(differentiate(call(name, x), x), x), {x: Rational(str(at))})
        assert abs(float(found.mid.a) - second) < 1e-7 * (1 + abs(second)), (name, at)
        by_order = enclose(Call(Fn(name, (2,)), x), {x: Rational(str(at))})
        assert abs(float(by_order.mid.a) - second) < 1e-7 * (1 + abs(second)), (name, at)


def test_max_at_a_tie() -> None:
    first, second, twice = Fn("max", (1, 0)), Fn("max", (0, 1)), Fn("max", (2, 0))
    for sign, slopes in ((1, (1, 0)), (-1, (0, 1))):
        assert (max_slope(first, sign, None), max_slope(second, sign, None)) == slopes
        assert max_slope(twice, sign, None) == 0
    assert max_slope(first, 0, None) is None and max_slope(second, 0, None) is None and max_slope(twice, 0, Rational(1, 2)) is None
    assert (max_slope(first, 0, Rational(1, 4)), max_slope(second, 0, Rational(1, 4))) == (Rational(1, 4), Rational(3, 4))


def test_primitives_and_unknown_functions_mean_themselves() -> None:
    for name in ("exp", "log", "sqrt", "max", "abs", "step", "sign"):
        assert unfold(call(name, *([x] * (2 if name == "max" else 1)))) is None
    assert unfold(call("g", x)) is None and unfold(Call(Fn("g", (1,)), x)) is None
    assert partial(call("g", x, y), 1) == Call(Fn("g", (0, 1)), x, y)
    assert differentiate(call("g", x**2), x) == 2 * x * Call(Fn("g", (1,)), x**2)
    assert differentiate(call("g", x, x), x) == Call(Fn("g", (1, 0)), x, x) + Call(Fn("g", (0, 1)), x, x)


def test_entries_are_variables() -> None:
    a = variable("A", (Integer(2), Integer(2)))
    e = [[Entry(a, Integer(i), Integer(j)) for j in (1, 2)] for i in (1, 2)]
    determinant = e[0][0] * e[1][1] - e[0][1] * e[1][0]
    assert [differentiate(determinant, v) for v in (e[0][0], e[0][1], e[1][0], e[1][1])] == [e[1][1], -e[1][0], -e[0][1], e[0][0]]
    assert differentiate(e[0][0], e[0][1]) == 0


@pytest.mark.parametrize("e", [variable("A", (Integer(2), Integer(2))), Pow(x, y), x > y], ids=str)
def test_what_it_cannot_do_it_says(e: Expr) -> None:
    with pytest.raises(Unsupported, match="the checker cannot differentiate"):
        differentiate(e, x)
