"""The derivatives of a function, of any order, as expressions in its arguments: from its row, else from its definition."""

from __future__ import annotations

from functools import lru_cache

from sympy import Add, Dummy, Expr, Integer, Mul, Pow, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn, Function
from symgrad.language.vectors import product, total


@lru_cache(maxsize=512)
def derivative(row: Function, orders: tuple[int, ...]) -> tuple[tuple[Symbol, ...], Expr]:
    """(arguments, expression) for the partial derivative of `row` of these orders; order 0 is its definition.

    Lower orders may stand in the result as calls.  Raises Unsupported if neither the row nor its definition gives it.
    """
    arguments = tuple(Dummy(f"z{i}", real=True) for i in range(len(orders)))
    slot = next((i for i, k in enumerate(orders) if k), None)
    if slot is not None and row.derivative is not None and len(orders) == 1:
        first = row.derivative(arguments[0], Call(Fn(row.name, (0,)), *arguments))
        for _ in range(orders[0] - 1):
            first = differentiate(first, arguments[0])
        return arguments, first
    if row.definition is None:
        raise Unsupported(f"the value of {Fn(row.name, orders)}; give {row.name} a definition or a derivative in language/functions.py")
    result = row.definition(*arguments)
    for argument, times in zip(arguments, orders, strict=True):
        for _ in range(times):
            result = differentiate(result, argument)
    return arguments, result


def differentiate(e: Expr, z: Symbol) -> Expr:
    """de/dz for sums, products, powers with a constant exponent and calls.  Raises Unsupported for the rest."""
    if z not in e.free_symbols:
        return Integer(0)
    match e:
        case Symbol():
            return Integer(1)
        case Add():
            return total(tuple(d for d in (differentiate(a, z) for a in e.args) if d != 0))
        case Mul():
            terms = ((i, differentiate(a, z)) for i, a in enumerate(e.args))
            return total(tuple(product((*e.args[:i], d, *e.args[i + 1:])) for i, d in terms if d != 0))
        case Pow() if e.exp.is_number:
            return product((e.exp, Pow(e.base, e.exp - 1, evaluate=False), differentiate(e.base, z)))
        case Call():
            inner = ((i, differentiate(a, z)) for i, a in enumerate(e.arguments))
            return total(tuple(product((Call(e.fn.derivative(i), *e.arguments), d)) for i, d in inner if d != 0))
    raise Unsupported(f"the derivative of a {type(e).__name__} in the definition of a function")


__all__ = ["derivative", "differentiate"]
