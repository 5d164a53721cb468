"""A second opinion on threshold networks that shares no code with symgrad: plain evaluation of networks and of random properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from random import Random

from sympy import Rational

from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions, Problem
from symgrad.language.threshold import TRUE, Domain, Layer, Wanted
from symgrad.reader.properties import read_property
from symgrad.reader.tokens import Inputs

Number = int | Fraction
Truth = Callable[[Sequence[Number]], bool]


def network(*layers: tuple[Sequence[Sequence[object]], Sequence[object]]) -> tuple[Layer, ...]:
    """Layers from (weights, biases) of numbers or texts."""
    return tuple(Layer(tuple(tuple(Rational(str(x)) for x in row) for row in w), tuple(Rational(str(x)) for x in b)) for w, b in layers)


def wanted(text: str | Sequence[str], n: int, domain: str = "reals", where: str = "") -> Wanted:
    texts = [text] if isinstance(text, str) else text
    kind = Domain(domain)
    read = lambda t: read_property(t, Inputs(None, n), kind)
    return Wanted(tuple(f"x{i}" for i in range(1, n + 1)), kind, tuple(map(read, texts)), read(where) if where else TRUE)


def problem(at_zero: int = 1) -> Problem:
    return Problem("p", "p", Graph((), ()), (), conventions=Conventions(step_at_zero=Rational(at_zero)))


def exact(q: Rational) -> int | Fraction:
    return int(q.p) if q.q == 1 else Fraction(int(q.p), int(q.q))


def runner(net: tuple[Layer, ...], at_zero: int = 1) -> Callable[[Sequence[Number]], list[int]]:
    """The outputs of a network, by definition."""
    layers = [[([exact(w) for w in row], exact(b)) for row, b in zip(layer.weights, layer.biases, strict=True)] for layer in net]

    def outputs(x: Sequence[Number]) -> list[int]:
        values = list(x)
        for layer in layers:
            z = [sum(w * v for w, v in zip(row, values, strict=True)) + b for row, b in layer]
            values = [1 if v > 0 or (v == 0 and at_zero) else 0 for v in z]
        return [int(v) for v in values]

    return outputs


def run(net: tuple[Layer, ...], x: Sequence[Number], at_zero: int = 1) -> list[int]:
    return runner(net, at_zero)(x)


def grid(n: int, domain: str) -> list[tuple[Number, ...]]:
    """Points with many ties: all of a small grid, and over the reals points between them."""
    if domain == "booleans":
        return list(product((0, 1), repeat=n))
    whole = range(-3, 4) if n <= 2 else range(-2, 3)
    halves = [Fraction(k, 2) for k in (range(-5, 6, 2) if n <= 2 else (-3, -1, 1))]
    return list(product(whole, repeat=n)) + (list(product((*halves, 0), repeat=n)) if domain == "reals" else [])


COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b}


def random_property(random: Random, n: int, domain: str, depth: int = 2) -> tuple[str, Truth]:
    """A property as text, and what it means, built side by side."""
    kind = random.random()
    if depth == 0 or kind < 0.35:
        return random_comparison(random, n, domain)
    if kind < 0.5:
        text, truth = random_property(random, n, domain, depth - 1)
        return f"not ({text})", lambda x: not truth(x)
    parts = [random_property(random, n, domain, depth - 1) for _ in range(random.randint(2, 3))]
    texts, truths = [t for t, _ in parts], [f for _, f in parts]
    if kind < 0.65:
        return " and ".join(f"({t})" for t in texts), lambda x: all(f(x) for f in truths)
    if kind < 0.8:
        return " or ".join(f"({t})" for t in texts), lambda x: any(f(x) for f in truths)
    if kind < 0.9:
        return " xor ".join(f"({t})" for t in texts), lambda x: sum(f(x) for f in truths) % 2 == 1
    k = random.randint(0, len(parts))
    word, test = random.choice([("exactly", lambda s: s == k), ("at least", lambda s: s >= k), ("at most", lambda s: s <= k)])
    return f"{word} {k} of ({', '.join(texts)})", lambda x: test(sum(f(x) for f in truths))


def random_comparison(random: Random, n: int, domain: str) -> tuple[str, Truth]:
    i = random.randint(1, n)
    if domain == "booleans" and random.random() < 0.7:
        return f"x{i}", lambda x: x[i - 1] == 1
    relation = random.choice(list(COMPARE)) if random.random() < 0.3 else random.choice([">", ">=", "<", "<="])
    if n > 1 and random.random() < 0.6:
        j = random.choice([j for j in range(1, n + 1) if j != i])
        return f"x{i} {relation} x{j}", lambda x: COMPARE[relation](x[i - 1], x[j - 1])
    weights = [random.randint(-2, 2) for _ in range(n)]
    bound = Fraction(random.randint(-4, 4), random.choice([1, 1, 2]))
    text = " + ".join(f"({w})*x{k}" for k, w in enumerate(weights, 1))
    return f"{text} {relation} {bound}", lambda x: COMPARE[relation](sum(w * v for w, v in zip(weights, x, strict=True)), bound)


def rational(x: Sequence[Number]) -> tuple[Rational, ...]:
    """A point in SymPy's numbers."""
    return tuple(Rational(v.numerator, v.denominator) for v in x)


def random_network(random: Random, sizes: Sequence[int]) -> tuple[Layer, ...]:
    return network(*(([[random.randint(-2, 2) for _ in range(below)] for _ in range(units)],
                      [str(Fraction(random.randint(-4, 4), random.choice([1, 1, 2]))) for _ in range(units)])
                     for below, units in zip(sizes, sizes[1:], strict=False)))
