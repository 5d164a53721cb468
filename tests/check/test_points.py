"""Enclosures hold the value, refutations are proofs, decimals round as they say.  The oracle is mpmath with three times the digits."""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest
from mpmath import iv
from sympy import Integer, Pow, Rational

from symgrad.check.calculus import differentiate
from symgrad.check.errors import NoDerivative, NoSign
from symgrad.check.evaluation import decimal_fits, differ, enclose
from symgrad.check.points import points
from symgrad.language.functions import Call, Fn, call, scalar
from tests.check.test_normal import draw, read, value

mp = mpmath.mp.clone()
mp.dps = 150
x, y, z = (scalar(n) for n in "xyz")


def holds(interval: object, number: object) -> bool:
    """The interval holds the number, and is narrow."""
    low, high = mp.mpf(interval.a._mpi_[0]), mp.mpf(interval.b._mpi_[1])  # type: ignore[attr-defined]
    return bool(low <= number <= high) and bool(high - low <= mp.mpf(10) ** -20 * (1 + abs(number)))  # type: ignore[operator, arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_enclosures_hold_the_value(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.check.test_normal.mp", mp)
    rng = random.Random(seed)
    seen = 0
    for _ in range(120):
        e = draw(rng, 3)
        at = {s: Rational(rng.randint(-20, 20), rng.choice([1, 3, 7])) for s in (x, y, z)}
        exact = {s: mp.mpf(int(v.p)) / int(v.q) for s, v in at.items()}
        try:
            true = value(e, exact)
        except (ZeroDivisionError, ValueError, OverflowError, AttributeError, KeyError):
            continue
        if not mp.isfinite(true) or abs(true) > mp.mpf(10) ** 30:
            continue
        try:
            found = enclose(e, at)
        except (NoSign, ZeroDivisionError, ValueError, OverflowError):
            continue  # an interval may be too wide to know; it may not be wrong
        assert holds(found, true), (e, at, found, true)
        seen += 1
    assert seen >= 40


@pytest.mark.parametrize(("text", "true"), [
    ("exp(1)", lambda: mp.e), ("exp(-30)", lambda: mp.exp(-30)), ("log(2)", lambda: mp.log(2)), ("sqrt(2)", lambda: mp.sqrt(2)), ("2^(1/3)",
    lambda: mp.cbrt(2)),
    ("tanh(1/3)", lambda: mp.tanh(mp.mpf(1) / 3)), ("softplus(-50)", lambda: mp.log1p(mp.exp(-50))), ("sigmoid(40)", lambda: 1 / (1 + mp.exp(-40))),
    ("(1/3 - 1/7)^5", lambda: (mp.mpf(4) / 21) ** 5), ("(-2)^3", lambda: mp.mpf(-8)), ("7^(-2)", lambda: mp.mpf(1) / 49), ("sqrt(0)",
    lambda: mp.mpf(0)),
])
def test_numbers(text: str, true: object) -> None:
    assert holds(enclose(read(text), {}), true())  # type: ignore[operator]


@pytest.mark.parametrize("text", ["1/x", "log(x)", "log(-1)", "sqrt(-1)", "log(x - 1)", "x^(-2)", "(x - 1)^(1/3)", "log(y)/x"])
def test_no_value(text: str) -> None:
    """x = 0 and y = 2."""
    with pytest.raises((ZeroDivisionError, ValueError)):
        enclose(read(text), {x: Rational(0), y: Rational(2)})


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "normpdf", "normcdf", "erf", "gelu"])
def test_enclosures_of_functions_without_a_rational_form(name: str) -> None:
    """Also where the series of the normal distribution cancels, and beyond it."""
    true = {"sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "normpdf": mp.npdf, "normcdf": mp.ncdf, "erf": mp.erf, "gelu": lambda t: t * mp.ncdf(t)}
    for at in (0, 1, -1, Rational(1, 7), Rational(-22, 7), 5, -5, Rational(63, 8), Rational(-63, 8), 8, -8, 9, -9, 40, -40):
        number = mp.mpf(int(Rational(at).p)) / int(Rational(at).q)
        found = enclose(call(name, x), {x: Rational(at)})
        low, high = mp.mpf(found.a._mpi_[0]), mp.mpf(found.b._mpi_[1])
        width = mp.mpf(10) ** -14 if abs(at) > 5 else mp.mpf(10) ** -30
        assert low <= true[name](number) <= high and high - low <= width * (1 + abs(number)), (at, found)


def test_kinks_at_exact_points() -> None:
    at = {x: Rational(0), y: Rational(3)}
    assert holds(enclose(call("step", x), at), 1) and holds(enclose(call("step", x), at, None, Rational(1, 2)), mp.mpf(1) / 2)
    assert holds(enclose(call("sign", x), at), 0) and holds(enclose(call("abs", -y), at), 3) and holds(enclose(call("max", x, y), at), 3)
    for e in (Call(Fn("max", (1, 0)), x, Integer(0)), Call(Fn("relu", (1,)), x), Call(Fn("abs", (1,)), x), Call(Fn("step", (1,)), x)):
        with pytest.raises(NoDerivative):
            enclose(e, at)
    assert holds(enclose(Call(Fn("relu", (1,)), x), at, Rational(1, 4)), mp.mpf(1) / 4)
    assert holds(enclose(Call(Fn("max", (0, 1)), y, Integer(3)), at, Rational(1, 4)), mp.mpf(3) / 4)


def test_a_sign_that_is_not_known_is_not_guessed() -> None:
    """log 6 - log 2 - log 3 is 0, which no precision shows."""
    e = read("log(6) - log(2) - log(3)")
    for kinked in (call("step", e), call("sign", e), Call(Fn("relu", (1,)), e)):
        with pytest.raises(NoSign):
            enclose(kinked, {})
    assert not differ(call("step", e), Integer(0), {}) and not differ(call("step", e), Integer(1), {})


def test_differ_is_a_proof() -> None:
    tiny = Rational(1, 10**30)
    assert differ(read("exp(1)"), read("exp(1)") + tiny, {}) and not differ(read("exp(1)"), read("exp(1)"), {})
    assert differ(read("log(6)"), read("log(2) + log(3)") + tiny, {}) and not differ(read("log(6)"), read("log(2) + log(3)"), {})
    assert not differ(read("log(x)"), Integer(5), {x: Rational(-1)})  # one side has no value there
    assert not differ(read("1/x"), Integer(5), {x: Rational(0)})
    assert not differ(Call(Fn("relu", (1,)), x), Integer(5), {x: Rational(0)})


# ---- unknown functions -----------------------------------------------------------------------------------------------


def test_unknown_functions_are_functions() -> None:
    """One value for one argument, and derivatives that fit: the difference quotient of g approaches g'."""
    for arity in (1, 2, 3):
        names = [scalar(f"u{i}") for i in range(arity)]
        g = call("g", *names)
        at = {s: Rational(i + 1, 3) for i, s in enumerate(names)}
        for slot in range(arity):
            h = Rational(1, 10**12)
            moved = {**at, names[slot]: at[names[slot]] + h}
            quotient = (enclose(g, moved) - enclose(g, at)) / (iv.mpf(1) / 10**12)
            slope = enclose(differentiate(g, names[slot]), at)
            assert abs(float((quotient - slope).mid.a)) < 1e-9
            mixed = enclose(differentiate(differentiate(g, names[slot]), names[0]), at)
            other = enclose(differentiate(differentiate(g, names[0]), names[slot]), at)
            assert float((mixed - other).mid.a) == 0
    assert differ(call("g", x), call("f", x), {x: Rational(2)}) and differ(call("g", x, y), call("g", y, x), {x: Rational(2), y: Rational(1)})


# ---- points ----------------------------------------------------------------------------------------------------------


def test_points_are_stratified_and_repeat() -> None:
    symbols = (x, y, z)
    first, again = list(points(symbols, 60)), list(points(symbols, 60))
    assert first == again and len(first) == 60
    drawn = [v for p in first for v in p.values()]
    assert all(isinstance(v, Rational) for v in drawn)
    assert any(v == 0 for v in drawn) and any(v < 0 for v in drawn) and any(abs(v) > 5 for v in drawn) and any(0 < abs(v) < 1 for v in drawn)
    assert any(len(set(p.values())) < 3 for p in first), "no ties"
    assert list(points((), 2)) == [{}, {}]


# ---- decimals --------------------------------------------------------------------------------------------------------


def enclosed(number: Fraction) -> object:
    return iv.mpf(number.numerator) / number.denominator


@pytest.mark.parametrize("digits", [0, 1, 2, 4, 12])
def test_decimals_at_the_boundary(digits: int) -> None:
    """Just inside half a unit fits, just outside does not; on either side of zero."""
    unit = Fraction(1, 10**digits)
    for sign in (1, -1):
        for count in (0, 1, 7, 123):
            shown = sign * count * unit
            decimal = Rational(shown.numerator, shown.denominator)
            for off, fits in ((Fraction(0), True), (unit / 2 - unit / 10**9, True), (unit / 2 + unit / 10**9, False), (unit, False),
            (-unit / 2 + unit / 10**9, True),
                              (-unit / 2 - unit / 10**9, False)):
                assert decimal_fits(enclosed(shown + off), decimal, digits) is fits, (shown, off)


def test_a_wide_interval_fits_only_as_a_whole() -> None:
    iv.prec = 160
    assert decimal_fits(iv.mpf(["0.21", "0.24"]), Rational(1, 5), 1) is True
    assert decimal_fits(iv.mpf(["0.24", "0.26"]), Rational(1, 5), 1) is False and decimal_fits(iv.mpf(["0.24", "0.26"]), Rational(3, 10), 1) is False


@pytest.mark.parametrize("text", ["exp(1)", "sqrt(2)", "sigmoid(2)", "-tanh(1/2)", "log(1/3)", "exp(-9)"])
@pytest.mark.parametrize("digits", [0, 1, 3, 6, 10])
def test_decimals_of_irrational_numbers(text: str, digits: int) -> None:
    true = value(read(text), {})
    rounded = int(mpmath.nint(true * 10**digits))  # type: ignore[operator]
    found = enclose(read(text), {})
    assert decimal_fits(found, Rational(rounded, 10**digits), digits)
    for wrong in (rounded + 1, rounded - 1, -rounded if rounded else 3):
        assert not decimal_fits(found, Rational(wrong, 10**digits), digits)


def test_powers_of_negative_numbers_keep_their_sign() -> None:
    for n in range(-5, 6):
        for base in (Rational(-3, 2), Rational(2, 3), Rational(-1)):
            found = enclose(Pow(x, n, evaluate=False), {x: base})
            true = mp.mpf(int((base**n).p)) / int((base**n).q)
            assert holds(found, true), (base, n)
