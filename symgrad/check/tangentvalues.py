"""Numbers of Jacobians and second derivatives at the given values, one definition after the other: exact where rational, else enclosed."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from symgrad.check.errors import NO_VALUE, Undecided
from symgrad.check.evaluation import decimal_fits, evaluate, interval
from symgrad.check.explicit import Explicit
from symgrad.check.tangents import Tangents
from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language.claims import TangentValue
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Fn
from symgrad.language.graph import Variable
from symgrad.language.steps import Ground, Verdict
from symgrad.language.tangents import tangent, tangent_name
from symgrad.language.vectors import names_in

MAX_ENTRIES = 400


def tangent_value(tangents: Tangents, c: TangentValue) -> Verdict:
    """The tangents that were verified, evaluated.  Raises Refused for a number that is none of its entries."""
    what = tangent_name(c.node, c.direction)
    derived = tangents.found.get((c.seed, c.direction), {})
    if c.node not in derived:
        raise Refused(f"{what} was not derived")
    graph, problem = tangents.graph(c.seed), tangents.adjoints.problem
    definitions: dict[str, tuple[Expr, Expr]] = {n.name: (n.symbol, n.expr) for n in graph.nodes}
    definitions |= {tangent_name(n, c.direction): (tangent(graph, n, c.direction), e) for n, e in derived.items()}
    stated = {g.name: g.entries for g in problem.values if g.digits is None}
    ex = Explicit({d: n for d in graph.dimensions for name, n in problem.sizes if str(d) == name})
    missing = [str(d) for d in graph.dimensions if d not in ex.sizes]
    if missing:
        raise Refused(f"{what}: no number is given for the size {missing[0]}")
    found: dict[Expr, Any] = {}
    for name in needed(tangent_name(c.node, c.direction), definitions):
        symbol, definition = definitions.get(name, (graph.symbol(name) if name in graph else None, None))
        if symbol is None:
            raise Refused(f"{what} uses {name}, which is not derived")
        if definition is None:
            if not isinstance(graph[name], Variable) or name not in stated:
                raise Refused(f"{what}: no value is given for {name}")
            values: Any = stated[name]
        else:
            require_plain(definition, name)
            values = [[value(x, found, what) for x in row] for row in ex.rows(definition)]
        for row, numbers in zip(ex.rows(symbol), values, strict=True):
            found.update(zip(row, numbers, strict=True))
    rows = ex.rows(definitions[what][0])
    if len(rows) * len(rows[0]) > MAX_ENTRIES:
        raise Undecided(f"{what} has more than {MAX_ENTRIES} entries")
    if (len(rows), len(rows[0])) != (len(c.entries.rows), len(c.entries.rows[0])):
        raise Refused(f"{what} is {len(rows)} by {len(rows[0])}")
    for i, (symbols, shown) in enumerate(zip(rows, c.entries.rows, strict=True), 1):
        for j, (symbol, form) in enumerate(zip(symbols, shown, strict=True), 1):
            require(found[symbol], form, f"entry ({i}, {j}) of {what}")
    return Verdict(Ground.PROVED, "every definition evaluated at them, in fractions or in intervals with bounds", "at the given values")


def needed(name: str, definitions: dict[str, tuple[Expr, Expr]]) -> list[str]:
    """The names that a definition is made of, before those that use them."""
    order: dict[str, None] = {}
    opened: set[str] = set()
    stack = [name]
    while stack:
        n = stack[-1]
        waiting = [a for a in names_in(definitions[n][1]) if a not in order] if n in definitions else []
        if n in order or not waiting:
            order[stack.pop()] = None
        elif n in opened:
            raise Refused(f"{name} is defined in terms of itself")
        else:
            opened.add(n)
            stack += waiting
    return list(order)


def require_plain(definition: Expr, name: str) -> None:
    """Raises Refused for an unknown function, which has no value, and Undecided where a kink might be met."""
    for fn in definition.atoms(Fn):
        if fn.name not in KNOWN:
            raise Refused(f"the unknown function {fn.name} has no value")
        if KNOWN[fn.name].kink and fn.name != "sqrt":
            raise Undecided(f"whether the point is off the kinks of {name} is not looked at")
    if definition.has(op.ArgMax, op.RowMax, op.MaxOf):
        raise Undecided(f"whether the point is off the ties of {name} is not looked at")


def value(e: Expr, found: dict[Expr, Any], what: str) -> Any:
    """A Fraction or an interval."""
    try:
        return evaluate(e, found)
    except NO_VALUE as error:
        raise Undecided(f"{what} has no value here: {error or 'a division by zero'}") from None


def require(true: Any, form: F.Form, what: str) -> None:
    match form:
        case F.Just(x) if x.is_Rational:
            exact = true.numerator * int(x.q) == true.denominator * int(x.p) if hasattr(true, "numerator") else None
            if exact is None:
                raise Undecided(f"{what} is not shown to be exactly {x}")
            if not exact:
                raise Refused(f"{what} is {true}, not {x}")
        case F.Decimal(x, digits):
            if not decimal_fits(interval(true), x, digits):
                raise Refused(f"{what} is not {float(x)} to {digits} decimals")
        case _:
            raise Refused(f"{what} is no number")


__all__ = ["tangent_value"]
