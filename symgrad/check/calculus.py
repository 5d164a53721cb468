"""The checker's own differentiation, from the definitions of functions and never from the rules' derivative table."""

from __future__ import annotations

from sympy import Add, Dummy, Expr, Integer, Mul, Number, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn, call
from symgrad.language.vectors import Entry

ZERO, ONE = Integer(0), Integer(1)


def differentiate(e: Expr, x: Expr, memo: dict[Expr, Expr] | None = None) -> Expr:
    """de/dx for a scalar expression without vectors; x is a Symbol or an Entry with numeric indices."""
    memo = {} if memo is None else memo
    if e not in memo:
        memo[e] = _differentiate(e, x, memo)
    return memo[e]


def _differentiate(e: Expr, x: Expr, memo: dict[Expr, Expr]) -> Expr:
    if e == x:
        return ONE
    match e:
        case Number() | Symbol() | Entry():
            return ZERO
        case Add():
            return Add(*(differentiate(a, x, memo) for a in e.args))
        case Mul():
            terms = []
            for i, a in enumerate(e.args):
                da = differentiate(a, x, memo)
                if da != 0:
                    terms.append(Mul(da, *e.args[:i], *e.args[i + 1:]))
            return Add(*terms)
        case Pow(base=base, exp=exponent) if isinstance(exponent, Rational):
            db = differentiate(base, x, memo)
            return ZERO if db == 0 else Mul(exponent, Pow(base, exponent - 1), db)
        case Call():
            terms = []
            for i, a in enumerate(e.arguments):
                da = differentiate(a, x, memo)
                if da != 0:
                    terms.append(Mul(partial(e, i), da))
            return Add(*terms)
    raise Unsupported(f"the checker cannot differentiate {type(e).__name__}")


def partial(e: Call, slot: int) -> Expr:
    """The derivative of fn in one argument, at the arguments of the call; kinks stay as derivatives of max and |x|."""
    fn, a = e.fn, e.arguments
    if fn.name in ("step", "sign"):
        return nothing_but_at_zero(a[0])
    if fn.plain:
        match fn.name:
            case "exp":
                return e
            case "log":
                return Pow(a[0], -1)
            case "sqrt":
                return Mul(Rational(1, 2), Pow(e, -1))
            case "sin":
                return call("cos", *a)
            case "cos":
                return Mul(-1, call("sin", *a))
            case "normcdf":
                return call("normpdf", *a)
            case "normpdf":
                return Mul(-1, a[0], e)
    return Call(fn.derivative(slot), *a)


def nothing_but_at_zero(z: Expr) -> Expr:
    """The derivative of a step: 0, but at z = 0 there is none; as the second derivative of max(z, 0)."""
    return Call(Fn("max", (2, 0)), z, ZERO)


def unfold(e: Call) -> Expr | None:
    """What a call means by the definition of its function; None for a primitive and for an unknown function."""
    row = KNOWN.get(e.fn.name)
    if row is None:
        return None
    if e.fn.plain:
        return None if row.definition is None else row.definition(*e.arguments)
    if e.fn.name == "max":
        return None
    dummies = tuple(Dummy(real=True) for _ in e.arguments)
    orders = e.fn.orders
    inner: Expr = call(row.name, *dummies) if row.definition is None else row.definition(*dummies)
    if row.name == "abs":
        inner, orders = call("sign", *dummies) + nothing_but_at_zero(*dummies), (orders[0] - 1,)
    for slot, order in enumerate(orders):
        for _ in range(order):
            inner = differentiate(inner, dummies[slot])
    return inner.xreplace(dict(zip(dummies, e.arguments, strict=True)))


def max_slope(fn: Fn, sign: int, at_tie: Rational | None) -> Expr | None:
    """The derivative of max(a, b) in the argument that `fn` differentiates, given the sign of a - b; None: no derivative."""
    first, second = fn.orders
    if first + second > 1:
        return ZERO if sign else None
    if sign == 0:
        return None if at_tie is None else at_tie if first else 1 - at_tie
    return Integer(int((sign > 0) == bool(first)))
