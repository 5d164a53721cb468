"""The value of a function's name at given values: the stable form of each known function, its kinks by convention.

To add a function: nothing, if its row has a definition; a stable or faster form goes into `PLAIN`, and a derivative that its
row's formula gives badly (at a kink) into `SLOPES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import KNOWN, Fn
from symgrad.numeric.calculus import derivative
from symgrad.numeric.values import Value

if TYPE_CHECKING:
    from symgrad.numeric.translator import Translator

Form = Callable[["Translator", Value, Value], Value]


def function_key(fn: Fn) -> str:
    """The key of an unknown function in `functions=`: g, g', g'' for one argument; loss, loss[1, 0], loss[0, 1] for several."""
    if fn.plain:
        return fn.name
    return fn.name + ("'" * fn.orders[0] if len(fn.orders) == 1 else str(list(fn.orders)))


def _ufunc(name: str) -> Form:
    return lambda t, z, _: t.program.entrywise(name, z)


def _sigmoid(t: Translator, z: Value, _: Value) -> Value:
    """1 / (1 + exp(-z)), or exp(z) / (1 + exp(z)), one call of NumPy less: accurate on both sides, for nothing cancels."""
    p = t.program
    if z.is_array:
        e = p.entrywise("exp", p.entrywise("clip", z))
        h = p.entrywise("div", e, p.add((p.const(1), e)))
    else:
        h = p.recip(p.add((p.const(1), p.entrywise("exp", p.neg(z)))))
    p.roots.add(h)  # h (1 - h) multiplies by it
    return h


def _normpdf(t: Translator, z: Value, _: Value) -> Value:
    """exp(-z^2 / 2) / sqrt(2 pi)."""
    p = t.program
    return p.mul((p.const(1 / math.sqrt(2 * math.pi)), p.entrywise("exp", p.mul((p.const(-0.5), z, z)))))


def _softplus(t: Translator, z: Value, _: Value) -> Value:
    """max(z, 0) + log(1 + exp(-|z|))."""
    p = t.program
    return p.add((p.entrywise("max", z, p.const(0)), p.entrywise("log1p", p.entrywise("exp", p.neg(p.entrywise("abs", z))))))


def _leaky(t: Translator, z: Value, slope: Value) -> Value:
    p = t.program
    return p.add((p.entrywise("max", z, p.const(0)), p.mul((slope, p.entrywise("min", z, p.const(0))))))


def _leaky_slope(t: Translator, z: Value, slope: Value) -> Value:
    """slope + (1 - slope) relu'(z)."""
    p = t.program
    return p.add((slope, p.mul((p.add((p.const(1), p.neg(slope))), t.heaviside(z)))))


def _abs_slope(t: Translator, z: Value, _: Value) -> Value:
    """sign(z), and abs_at_zero at 0."""
    at_zero = t.conventions.abs_at_zero
    if not at_zero:
        return t.program.entrywise("sign", z)
    p = t.program
    nowhere_else = p.add((p.entrywise("heaviside", z, param=1.0), p.neg(p.entrywise("heaviside", z, param=0.0))))
    return p.add((p.entrywise("sign", z), p.mul((p.const(at_zero), nowhere_else))))


PLAIN: dict[str, Form] = {
    "exp": _ufunc("exp"), "log": _ufunc("log"), "sqrt": _ufunc("sqrt"), "tanh": _ufunc("tanh"),
    "abs": _ufunc("abs"), "sign": _ufunc("sign"), "sin": _ufunc("sin"), "cos": _ufunc("cos"), "normcdf": _ufunc("normcdf"), "normpdf": _normpdf,
    "max": lambda t, a, b: t.program.entrywise("max", a, b),
    "min": lambda t, a, b: t.program.entrywise("min", a, b),
    "step": lambda t, z, _: t.program.entrywise("heaviside", z, param=float(t.conventions.step_at_zero)),
    "relu": lambda t, z, _: t.program.entrywise("max", z, t.program.const(0)),
    "sigmoid": _sigmoid, "softplus": _softplus, "leaky_relu": _leaky,
}

SLOPES: dict[tuple[str, tuple[int, ...]], Form] = {
    ("relu", (1,)): lambda t, z, _: t.heaviside(z),
    ("max", (1, 0)): lambda t, a, b: t.heaviside(t.program.add((a, t.program.neg(b)))),
    ("max", (0, 1)): lambda t, a, b: t.one_minus(t.heaviside(t.program.add((a, t.program.neg(b))))),
    ("min", (1, 0)): lambda t, a, b: t.heaviside(t.program.add((b, t.program.neg(a)))),
    ("min", (0, 1)): lambda t, a, b: t.one_minus(t.heaviside(t.program.add((b, t.program.neg(a))))),
    ("leaky_relu", (1,)): _leaky_slope,
    ("leaky_relu", (1, 0)): _leaky_slope,
    ("abs", (1,)): _abs_slope,
}

LINEAR_PIECES = frozenset({"relu", "max", "min", "leaky_relu", "abs", "step", "sign"})


def apply_function(t: Translator, fn: Fn, arguments: tuple[Value, ...]) -> Value:
    """fn(arguments), entry by entry.  Raises SpecError for an unknown function that the caller did not supply."""
    name, orders = fn.name, fn.orders
    row = t.rows.get(name) or KNOWN.get(name)
    if row is None or not row.known:
        return t.supplied(fn, arguments)
    most = 2 if name == "leaky_relu" else row.arity
    if not row.arity <= len(arguments) <= most or len(orders) != len(arguments):
        raise SpecError(f"{name} takes {row.arity} arguments, found {len(arguments)}")
    second = arguments[1] if len(arguments) > 1 else t.program.const(0.01)
    special = PLAIN.get(name) if fn.plain else SLOPES.get((name, orders))
    if special is not None and (row is KNOWN[name] or row == KNOWN[name]):
        return special(t, arguments[0], second)
    if name in LINEAR_PIECES and sum(orders) > 1 and not (name == "leaky_relu" and len(orders) == 2 and orders[1]):
        return t.program.const(0)
    try:
        names, expr = derivative(row, orders)
    except RecursionError:
        raise Unsupported(f"the definition of {name} refers to itself") from None
    return t.with_bound(dict(zip(names, arguments, strict=True)), expr)


__all__ = ["apply_function", "function_key"]
