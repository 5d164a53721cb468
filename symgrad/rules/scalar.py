"""Local partial derivatives of scalar definitions.  To add a rule: register one function on the expression's type.

A rule returns the derivative and the names of the rules it used, outermost first; nothing is expanded.
"""

from __future__ import annotations

from functools import singledispatch

from sympy import Add, Expr, Integer, Mul, Number, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call
from symgrad.language.vectors import merged, total
from symgrad.rules.registry import rule

SPIVAK = "Spivak, Calculus, 3rd ed., ch. 10"
Found = tuple[Expr, tuple[str, ...]]
ZERO, ONE = Integer(0), Integer(1)


def local_partial(expr: Expr, x: Symbol, own: Symbol | None = None) -> Found:
    """d expr / d x, every other name held fixed; `own` is the name that the whole expression defines.

    sigma(z) defined as h gives h (1 - h).  Raises Unsupported for an expression without a rule.
    """
    if own is not None and isinstance(expr, Call) and expr.fn.plain:
        return _call_partial(expr, x, own)
    return partial(expr, x)


@singledispatch
def partial(expr: Expr, x: Symbol) -> Found:
    raise Unsupported(f"no rule differentiates {type(expr).__name__}; register one in rules/scalar.py")


@partial.register
@rule("constant", source=SPIVAK + ", thm. 1")
def constant_partial(expr: Number, x: Symbol) -> Found:
    """dc/dx = 0."""
    return ZERO, ()


@partial.register
@rule("variable", source=SPIVAK + ", thm. 2")
def variable_partial(expr: Symbol, x: Symbol) -> Found:
    """dx/dx = 1, dy/dx = 0."""
    return (ONE if expr == x else ZERO), ()


@partial.register
@rule("sum rule", source=SPIVAK + ", thm. 3")
def sum_rule(expr: Add, x: Symbol) -> Found:
    """d(u + v)/dx = du/dx + dv/dx."""
    found = [partial(a, x) for a in expr.args]
    terms = tuple(d for d, _ in found if d != 0)
    used = tuple(dict.fromkeys(n for d, names in found if d != 0 for n in names))
    return total(terms), used or ("sum rule",)


@partial.register
@rule("product rule", source=SPIVAK + ", thm. 4")
def product_rule(expr: Mul, x: Symbol) -> Found:
    """d(u v)/dx = (du/dx) v + u (dv/dx), one term a factor that depends on x."""
    terms: list[Expr] = []
    used: list[str] = []
    for i, a in enumerate(expr.args):
        d, names = partial(a, x)
        if d != 0:
            terms.append(merged((*expr.args[:i], d, *expr.args[i + 1:])))
            used += names
    if len(terms) > 1:
        used.insert(0, "product rule")
    elif terms and not used:
        used.append("constant factor")
    return total(tuple(terms)), tuple(dict.fromkeys(used))


@partial.register
@rule("power rule", source=SPIVAK + ", thm. 8")
def power_rule(expr: Pow, x: Symbol) -> Found:
    """d(u^n)/dx = n u^(n - 1) du/dx."""
    base, exponent = expr.args
    if not isinstance(exponent, Rational):
        raise Unsupported("a power whose exponent is not a number")
    d, names = partial(base, x)
    if d == 0:
        return ZERO, ()
    reduced = base if exponent == 2 else Pow(base, exponent - 1, evaluate=False)
    return merged((exponent, reduced, d)), ("power rule", *(("chain rule",) if base != x else ()), *names)


@partial.register
@rule("chain rule", source=SPIVAK + ", thm. 9")
def call_partial(expr: Call, x: Symbol) -> Found:
    """d f(u, v)/dx = f_1(u, v) du/dx + f_2(u, v) dv/dx."""
    return _call_partial(expr, x, expr)


def _call_partial(expr: Call, x: Symbol, output: Expr) -> Found:
    terms: list[Expr] = []
    used: list[str] = []
    for slot, a in enumerate(expr.arguments):
        d, names = partial(a, x)
        if d != 0:
            outer, name = slope(expr, slot, output)
            terms.append(merged((outer, d)))
            used += [name, *(["chain rule"] if a != x else []), *names]
    return total(tuple(terms)), tuple(dict.fromkeys(used))


def slope(expr: Call, slot: int, output: Expr) -> tuple[Expr, str]:
    """The derivative of a function in one argument, from its row; where it has kinks, or is unknown, f' stays f'."""
    row = KNOWN.get(expr.fn.name)
    if row is not None and row.derivative is not None and expr.fn.plain and not row.kink:
        return row.derivative(expr.arguments[0], output), f"derivative of {row.name}"
    if row is not None and expr.fn.plain and row.name in ("sqrt", "abs"):
        return row.derivative(expr.arguments[0], output), f"derivative of {row.name}"  # type: ignore[misc]
    return Call(expr.fn.derivative(slot), *expr.arguments), f"derivative of {expr.fn.name}"
