"""Values and derivatives of a scalar graph at one point: exact rational numbers as long as the functions allow, else floats.

Definitions are compiled once to closures.  What is found with it is checked exactly elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, leaky_slope
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions
from symgrad.language.vectors import names_in
from symgrad.language.zeros import Polynomial, gap, kinked, rational

Number = Fraction | float
Values = dict[str, Number]
Value = Callable[[Values], Number]
Push = Callable[[Values, Number, dict[str, Number]], None]
"""push(values, weight, bars) adds weight * d e / d name to the bar of every name in e."""


@dataclass(frozen=True, slots=True)
class Kink:
    """Where: the node, the names on which the kink's argument depends; and whether a convention can fix the derivative there."""

    node: str
    names: tuple[str, ...]
    conventional: bool


class Evaluation:
    """The graph with polynomials in the place of its unknown functions.  Raises Unsupported for a function it does not know."""

    def __init__(self, graph: Graph, functions: Mapping[str, Polynomial], conventions: Conventions) -> None:
        self.graph, self.functions, self.conventions = graph, functions, conventions
        self.memo: dict[Expr, tuple[Value, Push]] = {}
        self.nodes = [(n.name, *self.compiled(n.expr)) for n in graph.nodes]
        self.gaps = [(self.compiled(gap(c))[0], Kink(n.name, names_in(gap(c)), c.fn.name in ("relu", "max")))
                     for n in graph.nodes for c in kinked(n.expr)]

    def values(self, variables: Mapping[str, Number]) -> Values:
        """The value of every name.  Raises ZeroDivisionError, ValueError or OverflowError where there is none."""
        found = dict(variables)
        for name, value, _ in self.nodes:
            found[name] = value(found)
        return found

    def kinks(self, values: Values) -> tuple[Kink, ...]:
        """The kinks on which the point lies."""
        return tuple(dict.fromkeys(k for g, k in self.gaps if not g(values)))

    def slopes(self, values: Values, of: str | Expr) -> dict[str, Number]:
        """The derivative of a name, or of an expression, in every name: reverse accumulation; where a kink is left open, with 0."""
        bars: dict[str, Number] = {}
        if isinstance(of, str):
            bars[of] = Fraction(1)
        else:
            self.compiled(of)[1](values, Fraction(1), bars)
        for name, _, push in reversed(self.nodes):
            weight = bars.get(name, 0)
            if weight:
                push(values, weight, bars)
        return bars

    def value(self, e: Expr) -> Value:
        return self.compiled(e)[0]

    def compiled(self, e: Expr) -> tuple[Value, Push]:
        if e not in self.memo:
            self.memo[e] = self._compiled(e)
        return self.memo[e]

    def _compiled(self, e: Expr) -> tuple[Value, Push]:
        match e:
            case Rational():
                constant = rational(e)
                return lambda v: constant, lambda v, w, bars: None
            case Symbol():
                return _variable(e.name)
            case Add():
                return _sum([self.compiled(a) for a in e.args])
            case Mul():
                return _product([self.compiled(a) for a in e.args])
            case Pow(base=base, exp=n) if isinstance(n, Integer):
                return _power(*self.compiled(base), int(n))
            case Pow(base=base, exp=n) if isinstance(n, Rational):
                return _apply([self.compiled(base)], lambda a: a ** float(n), [lambda a: float(n) * a ** float(n - 1)])
            case Call() if e.fn.plain and e.fn.name in self.functions:
                return self.compiled(self.functions[e.fn.name].of(e.arguments))
            case Call() if e.fn.plain:
                value, slopes = self.function(e)
                return _apply([self.compiled(a) for a in e.arguments], value, slopes)
        raise Unsupported(f"no values for {e}")

    def function(self, e: Call) -> tuple[Callable[..., Number], list[Callable[..., Number]]]:
        """A function of numbers and its derivative in each argument."""
        tie, at_zero = self.conventions.relu_at_zero, rational(self.conventions.step_at_zero)

        def side(a: Number, below: Number, above: Number, at: Number | None = None) -> Number:
            if a == 0:
                return 0 if at is None else at
            return above if a > 0 else below

        first = None if tie is None else rational(tie)
        second = None if first is None else 1 - first
        match e.fn.name:
            case "relu":
                return lambda a: max(a, Fraction(0)), [lambda a: side(a, 0, 1, first)]
            case "max":
                return max, [lambda a, b: side(a - b, 0, 1, first), lambda a, b: side(a - b, 1, 0, second)]
            case "min":
                return min, [lambda a, b: side(a - b, 1, 0), lambda a, b: side(a - b, 0, 1)]
            case "leaky_relu":
                s = rational(leaky_slope(e.arguments))
                return lambda a, *_: a if a > 0 else s * a, [lambda a, *_: side(a, s, 1), lambda *_: Fraction(0)]
            case "abs":
                return abs, [lambda a: side(a, -1, 1)]
            case "sign":
                return lambda a: Fraction((a > 0) - (a < 0)), [lambda a: side(a, 0, 0)]
            case "step":
                return lambda a: side(a, Fraction(0), Fraction(1), at_zero), [lambda a: side(a, 0, 0)]
            case "exp":
                return _exp, [_exp]
            case "log":
                return lambda a: Fraction(0) if a == 1 else math.log(a), [lambda a: 1 / a]
            case "sqrt":
                return lambda a: math.sqrt(a) if a else Fraction(0), [lambda a: 1 / (2 * math.sqrt(a))]
            case "sigmoid":
                return _sigmoid, [_sigmoid_slope]
            case "tanh":
                return _tanh, [lambda a: 4 * _sigmoid_slope(2 * a)]
            case "softplus":
                return lambda a: math.log1p(math.exp(a)), [_sigmoid]
            case "sin":
                return lambda a: math.sin(a) if a else Fraction(0), [math.cos]
            case "cos":
                return math.cos, [lambda a: -math.sin(a)]
            case "tan":
                return lambda a: math.tan(a) if a else Fraction(0), [lambda a: 1 + math.tan(a) ** 2]
            case "normpdf":
                return _normpdf, [lambda a: -a * _normpdf(a)]
            case "normcdf":
                return _normcdf, [_normpdf]
            case "erf":
                return lambda a: math.erf(a) if a else Fraction(0), [lambda a: 2 / math.sqrt(math.pi) * math.exp(-a * a)]
            case "gelu":
                return lambda a: a * _normcdf(a), [lambda a: _normcdf(a) + a * _normpdf(a)]
        raise Unsupported(f"no values for {e.fn}")


def _normcdf(a: Number) -> Number:
    return math.erfc(-a / math.sqrt(2)) / 2 if a else Fraction(1, 2)


def _normpdf(a: Number) -> Number:
    return math.exp(-a * a / 2) / math.sqrt(2 * math.pi)


def _exp(a: Number) -> Number:
    return math.exp(a) if a else Fraction(1)


def _sigmoid(a: Number) -> Number:
    return 1 / (1 + math.exp(-a)) if a else Fraction(1, 2)


def _sigmoid_slope(a: Number) -> Number:
    """e^-|a| / (1 + e^-|a|)^2, which does not vanish in floats as 1 - sigmoid(a) does far out."""
    far = _exp(-a if a > 0 else a)
    return far / (1 + far) ** 2


def _tanh(a: Number) -> Number:
    return math.tanh(a) if a else Fraction(0)


def _variable(name: str) -> tuple[Value, Push]:
    def push(v: Values, w: Number, bars: dict[str, Number]) -> None:
        bars[name] = bars.get(name, 0) + w

    return lambda v: v[name], push


def _sum(terms: list[tuple[Value, Push]]) -> tuple[Value, Push]:
    def push(v: Values, w: Number, bars: dict[str, Number]) -> None:
        for _, p in terms:
            p(v, w, bars)

    return lambda v: sum((t(v) for t, _ in terms), Fraction(0)), push


def _product(factors: list[tuple[Value, Push]]) -> tuple[Value, Push]:
    def value(v: Values) -> Number:
        result: Number = Fraction(1)
        for f, _ in factors:
            result = result * f(v)
        return result

    def push(v: Values, w: Number, bars: dict[str, Number]) -> None:
        numbers = [f(v) for f, _ in factors]
        for k, (_, p) in enumerate(factors):
            weight = w
            for j, x in enumerate(numbers):
                weight = weight * x if j != k else weight
            if weight:
                p(v, weight, bars)

    return value, push


def _power(base: Value, push_base: Push, n: int) -> tuple[Value, Push]:
    return lambda v: base(v) ** n, lambda v, w, bars: push_base(v, w * n * base(v) ** (n - 1), bars)


def _apply(arguments: list[tuple[Value, Push]], value: Callable[..., Number], slopes: list[Callable[..., Number]]) -> tuple[Value, Push]:
    def push(v: Values, w: Number, bars: dict[str, Number]) -> None:
        numbers = [a(v) for a, _ in arguments]
        for (_, p), slope in zip(arguments, slopes, strict=False):
            weight = w * slope(*numbers)
            if weight:
                p(v, weight, bars)

    return lambda v: value(*(a(v) for a, _ in arguments)), push
