"""The zero test: identities are proved, and nothing that is not zero is called zero.  The oracle is mpmath at random points."""

from __future__ import annotations

import contextlib
import random

import mpmath
import pytest
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.errors import NoDerivative, Undecided
from symgrad.check.evaluation import differ
from symgrad.check.normal import branches, constant_value, is_zero
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn, call, scalar
from symgrad.reader.letlist import Scope, expression

NAMES = ("a", "b", "x", "y", "z")
mp = mpmath.mp.clone()
mp.dps = 40


def read(text: str) -> Expr:
    return expression(text, Scope({n: scalar(n) for n in NAMES}, {}))


TRUE = [
    # the sigmoid family has one generator
    "sigmoid(x) - (tanh(x/2) + 1)/2", "sigmoid(x) + sigmoid(-x) - 1", "tanh(x) - 2*sigmoid(2*x) + 1", "softplus(x) - softplus(-x) - x",
    "tanh(x) + tanh(-x)", "sigmoid(x)*(1 - sigmoid(x)) - exp(-x)/(1 + exp(-x))^2",
    "tanh(x)*(1 + tanh(x)*tanh(y))/(tanh(x)*(1 + tanh(x)*tanh(y))) - 1",
    "tanh(x + y)*(1 + tanh(x)*tanh(y)) - tanh(x) - tanh(y)", "log(sigmoid(x)) + softplus(-x)",
    "softplus(log(exp(x) - 1) + 0*y) - log(1 + exp(log(exp(x) - 1)))",
    # exponentials and logarithms
    "exp(x)*exp(y) - exp(x + y)", "exp(x/2)^2 - exp(x)", "exp(x/3)*exp(x/6) - exp(x/2)", "log(exp(x)) - x", "log(exp(x)*exp(y)) - x - y",
    "exp(2*log(1 + exp(x))) - (1 + exp(x))^2", "log(x^2 + 1)*2 - log((x^2 + 1)^2)", "exp(-log(1 + x^2)) - 1/(1 + x^2)",
    "log(x) - log(x*2) + log(2)", "log(2*x + 2*y) - log(x + y) - log(2)",
    # roots and kinks
    "sqrt(x^2) - abs(x)", "sqrt(x)^2 - x", "sqrt(x^2 + 2*x*y + y^2) - abs(x + y)", "sqrt(x^4) - x^2", "sqrt(4) - 2",
    "(sqrt(x) + sqrt(y))*(sqrt(x) - sqrt(y)) - x + y",
    "max(x, y) - (x + y + abs(x - y))/2", "max(x, y) + min(x, y) - x - y", "relu(x) - relu(-x) - x", "abs(x) - x*sign(x)", "relu(x) - x*step(x)",
    "relu(x)^2 + relu(-x)^2 - x^2", "relu(relu(x)) - relu(x)", "sign(x)*sign(x) - 1 + 0*y",
    "step(x) + step(-x) - 1", "leaky_relu(x, 1/5) - relu(x) + relu(-x)/5", "abs(exp(x)) - exp(x)", "relu(exp(x)) - exp(x)", "max(x, x) - x",
    "sign(x^2 + 1) - 1",
    # rational functions and unknown functions
    "(x + y)^3 - x^3 - 3*x^2*y - 3*x*y^2 - y^3", "x/x - 1", "1/(1/x) - x", "1/(x - y) + 1/(y - x)", "(x^2 - y^2)/(x - y) - x - y",
    "g(x + y - y) - g(x)",
    "g(2*x/2, y) - g(x, y + 0)", "g(sigmoid(x)) - g(1/(1 + exp(-x)))", "(a/b + b/a)*a*b - a^2 - b^2",
]


@pytest.mark.parametrize("text", TRUE)
def test_identities(text: str) -> None:
    assert is_zero(read(text)), text


FALSE = [
    "sqrt(x^2) - x", "sqrt(x^2) + x", "log(x^2) - 2*log(y)", "exp(x) - 1 - x - x^2/2", "sigmoid(x) - tanh(x)", "tanh(x/2) - tanh(x)/2",
    "sigmoid(2*x) - sigmoid(x)^2",
    "exp(x)^2 - exp(x^2)", "exp(x*y) - exp(x)*exp(y)", "log(x + y) - log(x) - log(y)", "abs(x + y) - abs(x) - abs(y)", "max(x, y) - x",
    "relu(x) - x", "relu(x)*relu(-x) - x^2",
    "sign(x) - 1", "step(x) - 1", "step(x) - step(y)", "max(x, y) - max(x, z)", "sign(x*y) - sign(x + y)", "sqrt(x + y) - sqrt(x) - sqrt(y)",
    "sqrt(x*x + 1) - x - 1",
    "g(x) - g(y)", "g(x) - x", "g(x, y) - g(y, x)", "g(x)*g(y) - g(x*y)", "g(-x) + g(x)", "softplus(x) - relu(x)", "softplus(x) - x",
    "(x + 1)^64 - x^64 - 1",
    "x/(x + 1) - 1", "1/x + 1/y - 1/(x + y)", "x - y", "exp(x) + exp(-x)", "log(2) - log(3)", "exp(1) - 271828/100000", "sqrt(2) - 14142/10000",
    "leaky_relu(x) - relu(x)", "min(x, y) + max(x, y)", "exp(log(x^2 + 1)/2) - x", "exp(log(x)/2)^2 + x",
]


@pytest.mark.parametrize("text", FALSE)
def test_what_is_not_zero_is_never_called_zero(text: str) -> None:
    try:
        assert not is_zero(read(text)), text
    except (Undecided, Unsupported) as error:
        assert str(error)


def test_one_sign_pattern_is_enough_to_fail() -> None:
    """max(x, y) = x holds for x > y: the verdicts of the branches are not mixed up."""
    found = [zero for zero, _ in branches(read("max(x, y) - x"))]
    assert sorted(found) == [False, True]
    assert [zero for zero, _ in branches(read("relu(x)*relu(-x)"))] == [True, True]


# ---- random expressions, against mpmath ------------------------------------------------------------------------------


def value(e: Expr, at: dict[Expr, object]) -> object:
    """The value to 40 digits, by other code than the checker's; KeyError, ZeroDivisionError or ValueError where there is none."""
    match e:
        case Rational():
            return mp.mpf(int(e.p)) / int(e.q)
        case Symbol():
            return at[e]
        case Add():
            return mp.fsum(value(a, at) for a in e.args)
        case Mul():
            return mp.fprod(value(a, at) for a in e.args)
        case Pow():
            base, n = value(e.args[0], at), mp.mpf(int(e.args[1].p)) / int(e.args[1].q)
            if base == 0 and n < 0:
                raise ZeroDivisionError
            if base < 0 and e.args[1].q != 1:  # type: ignore[operator]
                raise ValueError("a root of a negative number")
            return mp.power(base, n)
    a = [value(x, at) for x in e.arguments]
    z = a[0]
    match e.fn.name:
        case "max":
            return max(a)  # type: ignore[type-var]
        case "min":
            return min(a)  # type: ignore[type-var]
        case "relu":
            return max(z, mp.mpf(0))  # type: ignore[type-var]
        case "abs":
            return abs(z)  # type: ignore[arg-type]
        case "sign":
            return mp.sign(z)
        case "step":
            return mp.mpf(int(z >= 0))  # type: ignore[operator]
        case "sigmoid":
            return 1 / (1 + mp.exp(-z))  # type: ignore[operator]
        case "softplus":
            return mp.log(1 + mp.exp(z))
        case "tanh" | "exp":
            return getattr(mp, e.fn.name)(z)
        case "log" | "sqrt":
            if z < 0 or (z == 0 and e.fn.name == "log"):  # type: ignore[operator]
                raise ValueError(e.fn.name)
            return getattr(mp, e.fn.name)(z)
    raise KeyError(e.fn.name)


def draw(rng: random.Random, depth: int) -> Expr:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([scalar(n) for n in "xyz"] + [Integer(rng.choice([-2, -1, 1, 2, 3]))])
    kind = rng.random()
    if kind < 0.3:
        return draw(rng, depth - 1) + draw(rng, depth - 1)
    if kind < 0.5:
        return draw(rng, depth - 1) * draw(rng, depth - 1)
    if kind < 0.6:
        return Pow(draw(rng, depth - 1), rng.choice([2, 3, -1]), evaluate=False)
    name = rng.choice(["exp", "log", "sqrt", "abs", "relu", "sigmoid", "tanh", "softplus", "sign", "step", "max", "min"])
    if name in ("max", "min"):
        return call(name, draw(rng, depth - 1), draw(rng, depth - 1))
    return call(name, draw(rng, depth - 1))


def rewrite(e: Expr, rng: random.Random) -> Expr:
    """The same function, written another way; sometimes with a slip."""
    match e:
        case Call() if e.fn.name == "sigmoid" and rng.random() < 0.6:
            z = rewrite(e.arguments[0], rng)
            return rng.choice([1 - call("sigmoid", -z), 1 / (1 + call("exp", -z)), (call("tanh", z / 2) + 1) / 2])
        case Call() if e.fn.name == "tanh" and rng.random() < 0.6:
            return 2 * call("sigmoid", 2 * rewrite(e.arguments[0], rng)) - 1
        case Call() if e.fn.name == "relu" and rng.random() < 0.6:
            z = rewrite(e.arguments[0], rng)
            return rng.choice([call("max", Integer(0), z), (z + call("abs", z)) / 2, z + call("relu", -z)])
        case Call() if e.fn.name == "abs" and rng.random() < 0.6:
            z = rewrite(e.arguments[0], rng)
            return rng.choice([call("max", z, -z), call("sqrt", z**2), call("relu", z) + call("relu", -z)])
        case Call():
            return Call(e.fn, *(rewrite(a, rng) for a in e.arguments))
        case Add() if rng.random() < 0.3 and len(e.args) == 2:
            a, b = (rewrite(x, rng) for x in e.args)
            return (a**2 - b**2) / (a - b) if a != b else a + b
        case Add() | Mul():
            return e.func(*(rewrite(a, rng) for a in e.args))
        case Pow():
            return Pow(rewrite(e.args[0], rng), e.args[1], evaluate=False)
    return e


def slip(e: Expr, rng: random.Random) -> Expr:
    """A small mistake somewhere."""
    if not e.args or isinstance(e, Fn) or rng.random() < 0.25:
        return rng.choice([-e, e + Rational(1, 7), 2 * e, scalar("x") * e])
    if isinstance(e, Call):
        k = rng.randrange(len(e.arguments))
        return Call(e.fn, *(slip(a, rng) if i == k else a for i, a in enumerate(e.arguments)))
    if isinstance(e, Pow):
        return Pow(slip(e.args[0], rng), e.args[1], evaluate=False)
    k = rng.randrange(len(e.args))
    return e.func(*(slip(a, rng) if i == k else a for i, a in enumerate(e.args)))


@pytest.mark.parametrize("seed", range(12))
def test_zero_means_zero(seed: int) -> None:
    """Wherever the test says zero, both ways of writing agree to 25 digits at random points at which both are defined."""
    rng = random.Random(seed)
    proved = 0
    for _ in range(40):
        a = draw(rng, 3)
        b = rewrite(a, rng)
        b = slip(b, rng) if rng.random() < 0.5 else b
        if a.has(Integer(0) ** -1) or b.has(Integer(0) ** -1) or not (a - b).is_finite and (a - b).is_Number:
            continue
        try:
            zero = is_zero(a - b)
        except (Undecided, Unsupported, NoDerivative):
            continue
        if not zero:
            continue
        proved += a != b
        for _ in range(12):
            at = {scalar(n): mp.mpf(rng.choice([rng.randint(-30, 30), rng.randint(1, 9)])) / rng.choice([3, 7, 1]) + mp.mpf("0.0123") for n in "xyz"}
            try:
                left, right = value(a, at), value(b, at)
            except (ZeroDivisionError, ValueError, OverflowError):
                continue
            assert abs(left - right) < mp.mpf(10) ** -25 * (1 + abs(left)), (a, b, at)  # type: ignore[operator, arg-type]
    assert proved >= 3


# ---- traps -----------------------------------------------------------------------------------------------------------


def test_ties_and_steps() -> None:
    x, zero = scalar("x"), Integer(0)
    first = Fn("max", (1, 0))
    with pytest.raises(NoDerivative):
        is_zero(Call(first, x, x))
    assert is_zero(Call(first, x, x) - Rational(1, 3), Rational(1, 3))
    assert is_zero(Call(Fn("max", (0, 1)), x, x) - Rational(2, 3), Rational(1, 3))
    assert is_zero(Call(Fn("relu", (1,)), zero) - Rational(1, 4), Rational(1, 4))
    assert constant_value(call("step", zero)) == 1
    assert constant_value(call("step", zero), None, Rational(1, 2)) == Rational(1, 2)
    assert constant_value(call("step", x - x), None, Rational(0)) == 0
    for name in ("relu", "abs", "step", "sign"):
        with pytest.raises(NoDerivative):
            constant_value(Call(Fn(name, (1,)), zero))
    with pytest.raises(NoDerivative):
        constant_value(Call(Fn("max", (2, 0)), zero, zero))
    assert constant_value(Call(Fn("abs", (1,)), Integer(-3))) == -1
    assert constant_value(Call(Fn("abs", (2,)), Integer(-3))) == 0
    assert constant_value(Call(Fn("sign", (1,)), Integer(-3))) == 0


def test_derivatives_of_known_functions_from_their_definitions() -> None:
    x = scalar("x")
    sigma = call("sigmoid", x)
    assert is_zero(Call(Fn("sigmoid", (1,)), x) - sigma * (1 - sigma))
    assert is_zero(Call(Fn("sigmoid", (2,)), x) - sigma * (1 - sigma) * (1 - 2 * sigma))
    assert is_zero(Call(Fn("tanh", (1,)), x) - 1 + call("tanh", x) ** 2)
    assert is_zero(Call(Fn("softplus", (1,)), x) - sigma)
    assert is_zero(Call(Fn("log", (1,)), x) - 1 / x)
    assert is_zero(Call(Fn("sqrt", (1,)), x) - 1 / (2 * call("sqrt", x)))
    assert is_zero(Call(Fn("relu", (1,)), x) - call("step", x))
    assert is_zero(Call(Fn("abs", (1,)), x) - call("sign", x))
    assert is_zero(Call(Fn("leaky_relu", (1, 0)), x, Rational(1, 5)) - Rational(1, 5) - Rational(4, 5) * call("step", x))
    assert not is_zero(Call(Fn("relu", (1,)), x) - 1)


def test_numbers() -> None:
    for text, wanted in (("log(1)", 0), ("exp(0)", 1), ("sqrt(9/4)", Rational(3, 2)), ("sigmoid(0)", Rational(1, 2)), ("tanh(0)", 0), ("sqrt(2)^2",
    2),
                         ("max(1/3, 1/4)", Rational(1, 3)), ("exp(log(5))", 5), ("log(exp(3))", 3), ("abs(-7)", 7), ("sqrt(8) - 2*sqrt(2) + 1", 1),
                         ("log(8)/log(2)", None), ("sqrt(2)", None), ("exp(1)", None), ("log(2)", None)):
        found = constant_value(read(text))
        assert found == wanted or (found is None and text in ("sqrt(8) - 2*sqrt(2) + 1",)), text


@pytest.mark.parametrize("e", [Pow(Integer(0), -1, evaluate=False), call("log", Integer(0)), Pow(scalar("x") - scalar("x"), -1, evaluate=False)],
ids=str)
def test_what_is_not_defined_is_undecided(e: Expr) -> None:
    with pytest.raises((Undecided, Unsupported)):
        is_zero(e)


@pytest.mark.parametrize("text", ["((x + y + z + 1)^64)^64", "(x + y + z + a + b)^60 - 1", "exp(x/97)*exp(x/89)*exp(x/83)*exp(x/79) - exp(x)"])
def test_bounds(text: str) -> None:
    """What is too large is undecided, soon."""
    with pytest.raises(Undecided):
        is_zero(read(text))


def test_the_number_of_sign_patterns_is_bounded() -> None:
    with pytest.raises(Undecided, match="more than 40 sign patterns"):
        branches(read("+".join(f"abs(x - {i})" for i in range(30))), count=40)


@pytest.mark.parametrize("text", ["sqrt(-4) + 2", "sqrt(-x^2 - 1) - x", "log(-1)", "log(-4) - log(4)"])
def test_roots_and_logarithms_of_negative_numbers_crash_nothing(text: str) -> None:
    branches(read(text))


@pytest.mark.parametrize("text", ["max(max(x, y), z) - max(x, max(y, z))", "abs(x*y) - abs(x)*abs(y)", "log(6) - log(2) - log(3)"])
def test_true_and_perhaps_not_shown(text: str) -> None:
    """Sign patterns that cannot occur, logarithms of numbers: these may stay open, and are refuted nowhere."""
    point = {scalar("x"): Rational(1, 3), scalar("y"): Rational(-2), scalar("z"): Rational(5)}
    assert not differ(read(text), Integer(0), point)
    assert any(zero for zero, _ in branches(read(text))) or text.startswith("log")


@pytest.mark.parametrize(("left", "right"), [
    ("sin(x)^2 + cos(x)^2", "1"), ("sin(y - x)", "-sin(x - y)"), ("cos(y - x)", "cos(x - y)"), ("cos(x)^4", "(1 - sin(x)^2)^2"), ("sin(0*x)", "0"),
    ("normcdf(-x)", "1 - normcdf(x)"), ("normpdf(2 - x)", "normpdf(x - 2)"), ("gelu(x) - gelu(-x)", "x"), ("erf(-x)", "-erf(x)"),
    ("tan(-x)", "-tan(x)"), ("1/cos(x)^2", "1 + tan(x)^2"), ("cos(0*x) + normcdf(0*x)", "3/2"),
])
def test_functions_that_are_even_or_odd(left: str, right: str) -> None:
    assert is_zero(read(f"{left} - ({right})"))


@pytest.mark.parametrize(("left", "right"), [
    ("cos(x)", "sin(x)"), ("cos(-x)", "-cos(x)"), ("cos(x)^2", "1 + sin(x)^2"), ("normcdf(-x)", "normcdf(x)"), ("normpdf(-x)", "-normpdf(x)"),
    ("abs(cos(x))", "cos(x)"), ("sqrt(1 - sin(x)^2)", "cos(x)"), ("erf(x)", "normcdf(x)"), ("gelu(x)", "relu(x)"), ("sin(2*x)", "2*sin(x)"),
])
def test_and_what_they_are_not(left: str, right: str) -> None:
    """A cosine may be negative."""
    with contextlib.suppress(Undecided):
        assert not is_zero(read(f"{left} - ({right})"))


def test_a_common_factor_in_many_generators_may_stay_in() -> None:
    """a/p + b/q with p = r s, q = r t in 24 generators: no factor r is looked for, and equality is decided all the same."""
    names = [scalar(f"v{i}") for i in range(24)]
    r = Add(1, Mul(*names))
    p, q = Mul(r, names[0] + 2), Mul(r, names[1] + 3)
    left = Add(Mul(names[2], Pow(p, -1)), Mul(names[3], Pow(q, -1)))
    right = Mul(Add(Mul(names[2], names[1] + 3), Mul(names[3], names[0] + 2)), Pow(r, -1), Pow(names[0] + 2, -1), Pow(names[1] + 3, -1))
    assert is_zero(left - right)
    assert not is_zero(left - 2 * right)
