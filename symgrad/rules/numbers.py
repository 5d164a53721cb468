"""Numbers put in: exact where a value is rational, a short closed form where it is not, a rounded decimal where that is long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
from sympy import Add, Expr, Integer, Mul, Number, Pow, Rational, Symbol

from symgrad.language.bounds import MAX_BITS, within_bits
from symgrad.language.claims import ROUNDED
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Node
from symgrad.language.problem import Problem
from symgrad.language.vectors import SCALAR

SHORT = 8  # operations in a closed form that is still displayed
_mp = mpmath.mp.clone()
_mp.dps = 50


@dataclass(frozen=True, slots=True)
class Num:
    """A number: `exact` is a Rational or a short expression of numbers; None where only the approximation is shown."""

    exact: Expr | None
    approx: Any

    def decimal(self, digits: int) -> Rational:
        """Rounded to `digits` decimals, halves away from zero."""
        scaled = _mp.mpf(self.approx) * 10**digits
        rounded = int(_mp.floor(abs(scaled) + _mp.mpf(1) / 2))
        return Rational(rounded if scaled >= 0 else -rounded, 10**digits)


def rational(x: Rational) -> Num:
    return Num(x, _mp.mpf(int(x.p)) / int(x.q))


class Numbers:
    """The values of all names for which the problem gives enough numbers, in one valuation."""

    def __init__(self, problem: Problem, valuation: str) -> None:
        self.problem = problem
        stated = {g.name: g for g in problem.values if valuation == ROUNDED or g.digits is None}
        self.values: dict[str, Num] = {}
        self.missing: dict[str, str] = {}
        self.sizes = dict(problem.sizes)
        graph = problem.graph
        for name in graph.names:
            if graph.shape(name) != SCALAR:
                continue
            if name in stated:
                self.values[name] = rational(stated[name].entries[0][0])
            elif isinstance(graph[name], Node) and all(a in self.values for a in graph.arguments(name)):
                try:
                    self.values[name] = self.of(graph.node(name).expr)
                except Unsupported as reason:  # a question that needs this value says why it has none
                    self.missing[name] = str(reason)

    def covers(self, *names: str) -> bool:
        return all(n in self.values for n in names)

    def of(self, e: Expr, extra: dict[Symbol, Num] | None = None) -> Num:
        """The value of an expression.  Raises Unsupported at a kink whose derivative no convention fixes."""
        extra = extra or {}
        memo: dict[Expr, Num] = {}
        conventions = self.problem.conventions

        def value(e: Expr) -> Num:
            if e not in memo:
                memo[e] = within(compute(e))
            return memo[e]

        def compute(e: Expr) -> Num:
            match e:
                case Rational():
                    return rational(e)
                case Symbol() if e.is_integer:
                    if e.name not in self.sizes:
                        raise Unsupported(f"no number is given for the size {e.name}")
                    return rational(Integer(self.sizes[e.name]))
                case Symbol():
                    return extra[e] if e in extra else self.values[e.name]
                case Add() | Mul():
                    parts = [value(a) for a in e.args]
                    approx = sum((p.approx for p in parts), _mp.mpf(0)) if isinstance(e, Add) else _mp.fprod(p.approx for p in parts)
                    exact = [p.exact for p in parts]
                    if isinstance(e, Mul) and any(x == 0 for x in exact if x is not None):
                        return rational(Integer(0))
                    return short(None if None in exact else e.func(*exact), approx)
                case Pow(base=base, exp=exponent):
                    inner, n = value(base), _mp.mpf(int(exponent.p)) / int(exponent.q)
                    if inner.approx == 0 and n < 0:
                        raise Unsupported("a division by zero at the given values")
                    return short(None if inner.exact is None else Pow(inner.exact, exponent), inner.approx**n)
                case Call():
                    return apply(e)
            raise Unsupported(f"no number for {type(e).__name__}")

        def apply(e: Call) -> Num:
            arguments = [value(a) for a in e.arguments]
            row = KNOWN.get(e.fn.name)
            if row is None:
                raise Unsupported(f"no number for the unknown function {e.fn.name}")
            first = arguments[0]
            gap = first.approx - (arguments[1].approx if len(arguments) > 1 and e.fn.name in ("max", "min") else 0)
            sign = int(mpmath.sign(gap))
            tie = conventions.relu_at_zero
            if not e.fn.plain:
                return slope_at(e, sign, tie)
            match e.fn.name:
                case "relu":
                    return first if sign > 0 else rational(Integer(0))
                case "max":
                    return arguments[0] if sign >= 0 else arguments[1]
                case "min":
                    return arguments[0] if sign <= 0 else arguments[1]
                case "abs":
                    return first if sign >= 0 else value(Mul(-1, e.arguments[0]))
                case "sign":
                    return rational(Integer(sign))
                case "step":
                    return rational(conventions.step_at_zero if sign == 0 else Integer(int(sign > 0)))
                case "leaky_relu":
                    leak = arguments[1].exact if len(arguments) > 1 else Rational(1, 100)
                    return first if sign >= 0 else value(Mul(leak, e.arguments[0]))
            if first.exact == 0 and e.fn.name in _AT_ZERO:
                return rational(_AT_ZERO[e.fn.name])
            if e.fn.name in ("log", "sqrt") and first.approx < 0 or (e.fn.name == "log" and first.approx == 0):
                raise Unsupported(f"{e.fn.name} of a number that is not positive, at the given values")
            if e.fn.name == "log" and first.exact == 1:
                return rational(Integer(0))
            if e.fn.name == "sqrt" and isinstance(first.exact, Rational) and Pow(first.exact, Rational(1, 2)).is_Rational:
                return rational(Pow(first.exact, Rational(1, 2)))
            if first.exact == 0 and e.fn.name == "softplus":
                return value(Call(Fn("log", (0,)), Integer(2)))
            if (q := logarithm(first.exact)) is not None and e.fn.name in _AT_LOG:
                return value(_AT_LOG[e.fn.name](q))
            exact = None if any(a.exact is None for a in arguments) else Call(e.fn, *(a.exact for a in arguments))
            return short(exact, _APPROX[e.fn.name](first.approx))

        def slope_at(e: Call, sign: int, tie: Rational | None) -> Num:
            name = e.fn.name
            if name in ("relu", "max", "min", "leaky_relu") and sum(e.fn.orders) == 1:
                if sign == 0 and tie is None:
                    raise Unsupported(f"{name}' at its kink has no derivative; fix one with relu_at_zero in [conventions]")
                at: Expr = tie if sign == 0 else Integer(int((sign > 0) != (name == "min")))
                if e.fn.orders[-1] and name in ("max", "min"):
                    at = 1 - at
                if name == "leaky_relu":
                    leak = e.arguments[1] if len(e.arguments) > 1 else Rational(1, 100)
                    at = at + leak * (1 - at)
                return rational(at)
            if name == "abs" and e.fn.orders == (1,):
                if sign == 0 and conventions.abs_at_zero is None:
                    raise Unsupported("|z| has no derivative at 0; fix one with abs_at_zero in [conventions]")
                return rational(conventions.abs_at_zero if sign == 0 else Integer(sign))
            if name in ("step", "sign"):
                if sign == 0:
                    raise Unsupported(f"{name} has no derivative at 0, where it jumps")
                return rational(Integer(0))
            row = KNOWN[name]
            if row.derivative is not None and sum(e.fn.orders) == 1:
                plain = Call(type(e.fn)(name, (0,) * len(e.fn.orders)), *e.arguments)
                return value(row.derivative(e.arguments[0], plain))
            raise Unsupported(f"no number for {e.fn}")

        return value(e)


def within(x: Num) -> Num:
    """x itself.  Raises Unsupported for a number that no sheet could show and no checker would finish."""
    if isinstance(x.exact, Rational):
        within_bits(x.exact)
    if x.approx and abs(_mp.mag(x.approx)) > MAX_BITS:
        raise Unsupported(f"a number beyond 2^{MAX_BITS:,}, or as close to 0")
    return x


def logarithm(x: Expr | None) -> Rational | None:
    """q for log q, a rational number of few digits; 1/q for -log q."""
    sign, inner = (-1, x.args[1]) if isinstance(x, Mul) and len(x.args) == 2 and x.args[0] == -1 else (1, x)
    if not (isinstance(inner, Call) and inner.fn == Fn("log", (0,)) and isinstance(inner.arguments[0], Rational)):
        return None
    return inner.arguments[0] if sign > 0 else 1 / inner.arguments[0]


def short(exact: Expr | None, approx: Any) -> Num:
    """Keeps the closed form only while it is short."""
    if exact is not None and not isinstance(exact, Number) and exact.count_ops() > SHORT:
        exact = None
    return Num(exact, approx)


_AT_ZERO: dict[str, Rational] = {"exp": Integer(1), "sigmoid": Rational(1, 2), "tanh": Integer(0), "sqrt": Integer(0),
                                "sin": Integer(0), "cos": Integer(1), "tan": Integer(0), "normcdf": Rational(1, 2),
                                "erf": Integer(0), "gelu": Integer(0)}
_AT_LOG: dict[str, Callable[[Rational], Expr]] = {
    "exp": lambda q: q, "sigmoid": lambda q: q / (1 + q), "tanh": lambda q: (q**2 - 1) / (q**2 + 1),
    "softplus": lambda q: Call(Fn("log", (0,)), 1 + q),
}
"""The functions at log q."""
_APPROX = {
    "exp": _mp.exp, "log": _mp.log, "sqrt": _mp.sqrt, "tanh": _mp.tanh,
    "sin": _mp.sin, "cos": _mp.cos, "tan": _mp.tan, "normcdf": _mp.ncdf, "normpdf": _mp.npdf, "erf": _mp.erf, "gelu": lambda z: z * _mp.ncdf(z),
    "sigmoid": lambda z: 1 / (1 + _mp.exp(-z)), "softplus": lambda z: _mp.log(1 + _mp.exp(z)),
}
