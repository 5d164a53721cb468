"""Random graphs with random topology, sharing and functions: derived, certified, and compared with evaluators of the test's own.

500 scalar graphs against dual numbers, exact (Fractions) where the functions are rational; 200 vector graphs with symbolic
dimensions against central differences in NumPy at two sizes.
"""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Ground
from symgrad.numeric import compile_graph
from symgrad.questions import derive
from symgrad.reader.read import read_text

Number = Any  # a Fraction, or a float once a transcendental function was met


class Dual:
    """value + slope eps, eps^2 = 0."""

    def __init__(self, value: Number, slope: Number) -> None:
        self.value, self.slope = value, slope


def scalar_text(random: Random, smooth: bool) -> tuple[list[tuple[str, str, tuple[str, ...]]], dict[str, Fraction]]:
    """Definitions (name, operation, arguments) and the values of the variables."""
    values = {f"x{i}": Fraction(random.choice([-3, -2, -1, 1, 2, 3]), random.choice([1, 1, 2])) for i in range(1, random.randint(3, 4))}
    names, lets = list(values), []
    operations = ["add", "sub", "mul", "square", "relu", "max", "min", "abs", "scale"] + (["sigmoid", "tanh", "softplus"] if smooth else ["divide"])
    for k in range(1, random.randint(5, 9)):
        operation = random.choice(operations)
        pool = names[-4:] + random.sample(names, 1)
        arguments = tuple(random.choice(pool) for _ in range(2 if operation in ("add", "sub", "mul", "max", "min", "divide") else 1))
        lets.append((f"n{k}", operation, arguments))
        names.append(f"n{k}")
    lets.append(("L", "mul", (names[-1], names[-2])))
    return lets, values


TEXT = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "square": "{0}^2", "relu": "relu({0})", "max": "max({0}, {1})",
        "min": "min({0}, {1})", "abs": "abs({0})", "scale": "2/3*{0} - 1", "divide": "{0}/(1 + {1}^2)", "sigmoid": "sigmoid({0})",
        "tanh": "tanh({0})", "softplus": "softplus({0})"}


def dual(operation: str, a: list[Dual]) -> Dual:
    """The rules of differentiation once more, for numbers.  Raises ZeroDivisionError at a kink."""
    u = a[0]
    v = a[-1]
    match operation:
        case "add":
            return Dual(u.value + v.value, u.slope + v.slope)
        case "sub":
            return Dual(u.value - v.value, u.slope - v.slope)
        case "mul":
            return Dual(u.value * v.value, u.slope * v.value + u.value * v.slope)
        case "square":
            return Dual(u.value * u.value, 2 * u.value * u.slope)
        case "scale":
            return Dual(u.value * Fraction(2, 3) - 1, u.slope * Fraction(2, 3))
        case "divide":
            below = 1 + v.value * v.value
            return Dual(u.value / below, (u.slope * below - u.value * 2 * v.value * v.slope) / (below * below))
        case "relu" | "abs":
            if u.value == 0:
                raise ZeroDivisionError
            if u.value > 0:
                return u
            return Dual(0 * u.value, 0 * u.slope) if operation == "relu" else Dual(-u.value, -u.slope)
        case "max" | "min":
            if u.value == v.value:
                raise ZeroDivisionError
            return u if (u.value > v.value) == (operation == "max") else v
    z = float(u.value)
    if operation == "sigmoid":
        h = 1 / (1 + math.exp(-z))
        return Dual(h, h * (1 - h) * u.slope)
    if operation == "tanh":
        return Dual(math.tanh(z), (1 - math.tanh(z) ** 2) * u.slope)
    return Dual(math.log1p(math.exp(z)), u.slope / (1 + math.exp(-z)))


def slopes(lets: list[tuple[str, str, tuple[str, ...]]], values: dict[str, Fraction]) -> dict[str, Number]:
    found = {}
    for x in values:
        env = {n: Dual(a, Fraction(int(n == x))) for n, a in values.items()}
        for name, operation, arguments in lets:
            env[name] = dual(operation, [env[a] for a in arguments])
        found[x] = env["L"].slope
        if abs(env["L"].value) > 1e6:
            raise OverflowError
    return found


def certified(problem: Problem) -> Derivation:
    """The derivation of the only part, every step of it proved or given."""
    derivation = derive(problem, problem.parts[0])
    checker = Checker(problem)
    for step in derivation.all_steps():
        verdict = checker.check(step.claim)
        assert verdict.ground in (Ground.PROVED, Ground.GIVEN), f"{problem.graph}\n{step.label}: {verdict}"
    return derivation


def shown(form: F.Form) -> Number:
    if isinstance(form, F.Decimal):
        return Fraction(int(form.value.p), int(form.value.q))
    assert isinstance(form, F.Just)
    return Fraction(int(form.expr.p), int(form.expr.q)) if form.expr.is_Rational else None


@pytest.mark.parametrize("seed", range(10))
def test_scalar_graphs_agree_with_dual_numbers(seed: int) -> None:
    """50 graphs a seed, 25 of them rational."""
    random = Random(seed)
    done = 0
    while done < 50:
        smooth = done % 2 == 1
        lets, values = scalar_text(random, smooth)
        try:
            expected = slopes(lets, values)
        except (ZeroDivisionError, OverflowError):
            continue
        done += 1
        body = "\n".join(f"{n} = {TEXT[o].format(*a)}" for n, o, a in lets)
        symbols = "\n".join(f'{n} = {{ value = "{a}" }}' for n, a in values.items())
        text = (f'format = 1\nid = "g"\ntitle = "G"\ndigits = 8\n[symbols]\n{symbols}\n[model]\nlet = """\n{body}\n"""\n'
                f'[[part]]\nlabel = "a"\nask = "gradient"\nof = "L"\nwrt = {list(values)}\n')
        problem, _ = read_text(text.replace("'", '"'), "g.toml")
        for answer in certified(problem).answers:
            value = shown(answer.right)
            if value is None:
                continue  # a closed form such as sigma(2), whose decimal the checker has seen
            if smooth:
                assert abs(float(value) - float(expected[answer.label])) <= 1e-7 * (1 + abs(float(expected[answer.label]))), (body, answer.label)
            else:
                assert value == expected[answer.label], (body, values, answer.label)


SHAPES = {"x": "N", "u": "N", "y": "K", "W": "K, N", "V": "N, K", "c": ""}


def vector_lets(random: Random) -> list[tuple[str, str, str]]:
    """(name, text, shape) of random definitions over `SHAPES` that end in a scalar L."""
    env = dict(SHAPES)
    lets: list[tuple[str, str, str]] = []

    def of(*shapes: str) -> str:
        pool = [n for n, s in env.items() if s in shapes]
        return random.choice(pool[-4:] if random.random() < 0.7 else pool)

    def define(text: str, shape: str) -> None:
        name = f"n{len(lets) + 1}"
        lets.append((name, text, shape))
        env[name] = shape

    for _ in range(random.randint(3, 6)):
        kind = random.randrange(9)
        if kind == 0:
            define(f"{of('K, N')} @ {of('N')}", "K")
        elif kind == 1:
            define(f"{of('N, K')} @ {of('K')}", "N")
        elif kind == 2:
            a = of("N", "K")
            define(f"{random.choice(['sigmoid', 'tanh', 'exp', 'relu'])}({a})", env[a])
        elif kind == 3:
            a = of("N", "K")
            define(f"{a} {random.choice(['+', '-', '*'])} {of(env[a])}", env[a])
        elif kind == 4:
            define(f"{of('K')} @ {of('N')}.T", "K, N")
        elif kind == 5:
            define(f"{of('K, N')} {random.choice(['+', '*'])} {of('N, K')}.T", "K, N")
        elif kind == 6:
            a = of("N", "K")
            define(f"{of('')} * {a} + {of(env[a])}", env[a])
        elif kind == 7:
            a = of("N", "K")
            define(f"{a}.T @ {of(env[a])}", "")
        else:
            a = of("N", "K", "K, N")
            define(random.choice([f"sum({a} * {of(env[a])})", f"1/2*norm({a})^2"]), "")
    last = [n for n, _, _ in lets[-2:]]
    lets.append(("L", " + ".join(n if env[n] == "" else f"sum({n})" for n in last) + f" + {of('')}", ""))
    return lets


def forward(lets: list[tuple[str, str, str]], values: dict[str, Any]) -> float:
    """The let-list as NumPy would read it, columns for vectors: plain Python, nothing of symgrad."""
    scope: dict[str, Any] = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "exp": np.exp, "relu": lambda z: np.maximum(z, 0),
                             "sum": np.sum, "norm": np.linalg.norm}
    env = dict(values)
    for name, text, shape in lets:
        value = eval(text.replace("^", "**"), scope, env)
        env[name] = np.asarray(value).item() if shape == "" else value
    return float(env["L"])


@pytest.mark.parametrize("seed", range(10))
def test_vector_graphs_agree_with_finite_differences(seed: int) -> None:
    """20 graphs a seed: every adjoint proved for all N and K, and right at two pairs of sizes."""
    random = Random(100 + seed)
    numbers = np.random.default_rng(seed)
    done = 0
    while done < 20:
        lets = vector_lets(random)
        at_sizes = []
        for n, k in ((3, 2), (2, 4)):
            sizes = {"N": n, "K": k, "1": 1}
            axes = {name: tuple(sizes[s] for s in (*shape.replace(" ", "").split(","), "1")[:2]) if shape else () for name, shape in SHAPES.items()}
            at_sizes.append({name: numbers.normal(size=a) * 0.6 if a else float(numbers.normal()) for name, a in axes.items()})
        with np.errstate(all="ignore"):
            if not all(abs(forward(lets, values)) < 1e4 for values in at_sizes):
                continue
        done += 1
        symbols = "\n".join(f'{name} = {{ shape = "{shape}" }}' for name, shape in SHAPES.items())
        body = "\n".join(f"{name} = {text}" for name, text, _ in lets)
        text = (f'format = 1\nid = "g"\ntitle = "G"\n[symbols]\n{symbols}\n[model]\nlet = """\n{body}\n"""\n'
                f'[[part]]\nlabel = "a"\nask = "backward"\nof = "L"\nwrt = ["x", "u", "y", "W", "V", "c"]\n')
        problem, _ = read_text(text, "g.toml")
        derivation = certified(problem)
        compiled = compile_graph(derivation.graph, tuple(f"{name}_bar" for name in SHAPES))
        for values in at_sizes:
            known = {**{name: np.squeeze(a, 1) if np.ndim(a) == 2 and "," not in SHAPES[name] else a for name, a in values.items()},
                     "N": values["x"].shape[0], "K": values["y"].shape[0]}
            found = compiled({name: known[name] for name in compiled.inputs})
            for name, value in values.items():
                for index in np.ndindex(np.shape(value)):
                    ends = []
                    for step in (1e-6, -1e-6):
                        moved = np.array(value, float)
                        moved[index] += step
                        ends.append(forward(lets, {**values, name: moved if moved.shape else float(moved)}))
                    slope = (ends[0] - ends[1]) / 2e-6
                    bar = np.asarray(found[f"{name}_bar"])
                    own = float(bar.reshape(np.shape(value))[index]) if np.shape(value) else float(bar)
                    assert abs(slope - own) <= 1e-4 * (1 + abs(slope) + abs(own)), f"{body}\nd L / d {name}{index}: {slope} against {own}"


@pytest.mark.parametrize("seed", range(4))
def test_second_derivatives_of_scalar_graphs_agree_with_differences_of_dual_numbers(seed: int) -> None:
    """15 graphs a seed, without ties of a maximum with itself: every step proved, no graph refused."""
    random = Random(seed)
    done = 0
    while done < 15:
        lets, values = scalar_text(random, True)
        a, b = list(values)[:2]
        at = {n: float(x) + 0.0625 * k for k, (n, x) in enumerate(values.items(), 1)}
        if any(o in ("max", "min") and len(set(arguments)) == 1 for _, o, arguments in lets):
            continue
        try:
            measured = [[slopes(lets, {**at, b: at[b] + h})[n] for h in (1e-5, -1e-5)] for n in (a, b)]  # type: ignore[dict-item]
        except (ZeroDivisionError, OverflowError):
            continue
        expected = [float(up - down) / 2e-5 for up, down in measured]
        if max(map(abs, expected)) > 1e6:  # a kink within the step, or a number too steep for differences
            continue
        done += 1
        body = "\n".join(f"{n} = {TEXT[o].format(*arguments)}" for n, o, arguments in lets)
        text = ('format = 1\nid = "g"\ntitle = "G"\n[symbols]\n' + "\n".join(f"{n} = {{}}" for n in values)
                + f'\n[model]\nlet = """\n{body}\n"""\n[[part]]\nlabel = "a"\nask = "hessian"\nof = "L"\nwrt = ["{a}", "{b}"]\n')
        problem, _ = read_text(text, "g.toml")
        derivation = derive(problem, problem.parts[0])
        checker = Checker(problem)
        assert {checker.check(s.claim).ground for s in derivation.all_steps()} == {Ground.PROVED}, body
        for n, wanted in zip((a, b), expected, strict=True):
            name = f"{n}_bar_wrt_{b}"
            compiled = compile_graph(derivation.graph, (name,)) if name in derivation.graph else None
            found = compiled({i: at[i] for i in compiled.inputs})[name] if compiled else 0.0
            assert found == pytest.approx(wanted, rel=1e-4, abs=1e-4 * max(1.0, *map(abs, expected))), (body, name)
