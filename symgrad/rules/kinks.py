"""Kinks and jumps: what a function is where the sign of its argument is known, and the cases to distinguish where it is not.

To add a function with a kink: its definition in language/functions.py is enough; a row in VALUES saves the detour over max.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr, Integer, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.forms import Just, Prose, Relation, Sign
from symgrad.language.functions import KNOWN, Call, leaky_slope
from symgrad.language.vectors import Entry, IndexSum, merged, total
from symgrad.rules.polynomials import Poly, is_exponential
from symgrad.rules.registry import rule
from symgrad.rules.rewriting import Move, definition
from symgrad.rules.shape import calls, minus, replaced
from symgrad.rules.signs import ANY, NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE, OF, POSITIVE, ZERO, Signs, difference, logarithms

GOODFELLOW = "Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.3"

Branches = tuple[Expr, Expr, Expr | None]
"""The value where the argument is positive, where it is negative, and at 0; None for "either of the two" (no jump)."""

VALUES: dict[str, Callable[[tuple[Expr, ...], Rational], Branches]] = {
    "relu": lambda a, _: (a[0], Integer(0), None),
    "max": lambda a, _: (a[0], a[1], None),
    "min": lambda a, _: (a[1], a[0], None),
    "abs": lambda a, _: (a[0], minus(a[0]), None),
    "leaky_relu": lambda a, _: (a[0], leaky_slope(a) * a[0], None),
    "sign": lambda a, _: (Integer(1), Integer(-1), Integer(0)),
    "step": lambda a, at_zero: (Integer(1), Integer(0), at_zero),
}
SLOPES: dict[str, Callable[[tuple[Expr, ...], int], tuple[Expr, Expr]]] = {
    "relu": lambda a, _: (Integer(1), Integer(0)),
    "max": lambda a, slot: (Integer(1 - slot), Integer(slot)),
    "min": lambda a, slot: (Integer(slot), Integer(1 - slot)),
    "leaky_relu": lambda a, _: (Integer(1), leaky_slope(a)),
    "abs": lambda a, _: (Integer(1), Integer(-1)),
    "sign": lambda a, _: (Integer(0), Integer(0)),
    "step": lambda a, _: (Integer(0), Integer(0)),
}
"""The slope where the argument is positive and where it is negative; there is none at 0."""


def is_kink(e: Expr) -> bool:
    row = KNOWN.get(e.fn.name) if isinstance(e, Call) else None
    return row is not None and bool(row.kink) and row.name != "sqrt"


def kinks(e: Expr) -> list[Call]:
    """The calls with a kink or a jump, inner ones first."""
    return [c for c in calls(e) if is_kink(c)]


def turning(c: Call) -> Relation:
    """What changes its sign at the kink: the argument against 0, or one argument of max against the other; to be read with any sign."""
    return Relation(c.arguments[0], Sign.AT_LEAST, c.arguments[1] if c.fn.name in ("max", "min") else Integer(0))


def signs_of(e: Expr, signs: Signs) -> frozenset[int]:
    """The possible signs, functions without kinks read by their definitions."""
    found = signs.of(e)
    if found == ANY and (move := definition(e)) is not None:
        found = signs.of(move.expr)
    return found


@rule("definition of a function with kinks", source="the table of functions, language/functions.py")
def kinked_definition(e: Expr) -> Move | None:
    """A function with kinks that has no row in VALUES, by its definition."""
    table = {c: KNOWN[c.fn.name].definition(*c.arguments) for c in kinks(e)  # type: ignore[misc]
             if c.fn.name not in VALUES and c.fn.plain and KNOWN[c.fn.name].definition is not None}
    said: Prose = (f"definition of {' and '.join(dict.fromkeys(c.fn.name for c in table))}",)
    return Move(replaced(e, table), said, said) if table else None


@rule("by the sign of its argument", source=GOODFELLOW)
def resolve(e: Expr, signs: Signs, at_zero: Rational) -> Move | None:
    """relu(x) = x since x >= 0, max(a, b) = b since a <= b, sign(x) = -1 since x < 0: every innermost kink whose sign is known."""
    table: dict[Expr, Expr] = {}
    said: list[str | Just | Relation] = []
    for c in kinks(e):
        if any(is_kink(inner) for a in c.arguments for inner in calls(a)):
            continue
        known = signs_of(difference(turning(c)), signs)
        value = _value(c, known, at_zero)
        if value is not None:
            table[c] = value
            q = turning(c)
            said += [", " if said else "", Relation(c, Sign.EQUAL, value), " since ", Relation(q.left, _sign(known), q.right)]
    if not table:
        return None
    prose: Prose = tuple(said) if len(table) <= 2 else ("the signs are known",)
    return Move(replaced(e, table), prose, prose)


def _value(c: Call, known: frozenset[int], at_zero: Rational) -> Expr | None:
    if not c.fn.plain:
        if sum(c.fn.orders) > 1:
            return Integer(0) if known <= POSITIVE | NEGATIVE else None
        above, below = SLOPES[c.fn.name](c.arguments, c.fn.orders.index(1)) if c.fn.name in SLOPES else (None, None)
        return above if known == POSITIVE else below if known == NEGATIVE else None
    if c.fn.name not in VALUES:
        return None
    above, below, zero = VALUES[c.fn.name](c.arguments, at_zero)
    if not known:
        return above  # the relations contradict each other
    if known == ZERO:
        return above if zero is None else zero
    if known <= (NOT_NEGATIVE if zero is None or zero == above else POSITIVE):
        return above
    return below if known <= (NOT_POSITIVE if zero is None or zero == below else NEGATIVE) else None


def _sign(known: frozenset[int]) -> Sign:
    return next(s for s in (Sign.EQUAL, Sign.MORE, Sign.LESS, Sign.AT_LEAST, Sign.AT_MOST, Sign.UNEQUAL) if known <= OF[s])


@dataclass(frozen=True, slots=True)
class Split:
    """The cases to distinguish at one kink: relations that leave nothing out."""

    relations: tuple[Relation, ...]


def split(e: Expr, signs: Signs, at_zero: Rational) -> Split | None:
    """The first innermost kink whose sign is not known, as cases; None if there is none.  Raises Unsupported if it has no sign to ask for.

    Of a kink in every term of a sum there are as many signs as terms: it makes no cases.
    """
    bound = {s.args[1] for s in e.atoms(IndexSum)}
    for c in kinks(e):
        if bound & (c.atoms(Symbol) - {s.args[1] for s in c.atoms(IndexSum)}) or any(is_kink(inner) for a in c.arguments for inner in calls(a)):
            continue
        q = turning(c)
        known = signs_of(difference(q), signs)
        if _value(c, known, at_zero) is not None:
            continue
        sides = _sides(c, at_zero)
        p = _unknown_factor(q, signs, strict=Sign.AT_LEAST not in sides)
        known = signs_of(difference(p), signs)
        if 0 not in known:
            sides = (Sign.MORE, Sign.LESS)
        return Split(tuple(_in_one_name(Relation(p.left, s, p.right)) for s in sides if OF[s] & known))
    return None


def _sides(c: Call, at_zero: Rational) -> tuple[Sign, ...]:
    """What must be told apart: two sides that share 0 with one of them, or three where the value at 0 is its own, or does not exist."""
    zero = VALUES[c.fn.name](c.arguments, at_zero)[2] if c.fn.plain and c.fn.name in VALUES else None
    if c.fn.plain and (zero is None or (c.fn.name == "step" and zero == 1)):
        return Sign.AT_LEAST, Sign.LESS
    if c.fn.plain and c.fn.name == "step" and zero == 0:
        return Sign.MORE, Sign.AT_MOST
    return Sign.MORE, Sign.EQUAL, Sign.LESS


def _unknown_factor(q: Relation, signs: Signs, strict: bool) -> Relation:
    """The first factor of left - right whose sign is not known, if it is not the whole: relu(c x) asks for x where c > 0."""
    gap = difference(q)
    unfolded = definition(gap)
    try:
        (r,) = signs.algebra.ratios(gap if unfolded is None else unfolded.expr)
    except Unsupported:
        return q
    if not r.num.terms:
        return q
    c, m, factors = signs.algebra.factored(r.num)
    settled = (POSITIVE, NEGATIVE, ZERO) if strict else (POSITIVE, NEGATIVE, ZERO, NOT_NEGATIVE, NOT_POSITIVE)
    pieces = [(p, k) for p, k in (*signs.single(m), *factors, *r.den) if k % 2 and signs.of_poly(p) not in settled]
    if pieces and (pair := _exponents(pieces[0][0]) or logarithms(pieces[0][0])) is not None:
        return Relation(pair[0], Sign.AT_LEAST, pair[1])
    if unfolded is not None and not pieces:
        return q
    if len(pieces) == 1 and (c != 1 or m or len(factors) + len(r.den) > 1):
        p = pieces[0][0]
        if len(m) == 1 and not factors and not r.den and abs(c) == 1:
            return q
        return Relation(signs.algebra.show_poly(p), Sign.AT_LEAST, Integer(0))
    if len(pieces) > 1:
        return Relation(signs.algebra.show_poly(pieces[0][0]), Sign.AT_LEAST, Integer(0))
    return q


def _exponents(p: Poly) -> tuple[Expr, Expr] | None:
    """a and b, where p is a multiple of e^a - e^b."""
    if len(p.terms) != 2 or p.terms[0][1] != -p.terms[1][1] or not all(is_exponential(a) for m, _ in p.terms for a, _ in m):
        return None
    first, second = (total(tuple(merged((Rational(n.numerator, n.denominator), a.arguments[0])) for a, n in m)) for m, _ in p.terms)
    return first, second


_TURNED = {Sign.AT_LEAST: Sign.AT_MOST, Sign.AT_MOST: Sign.AT_LEAST, Sign.MORE: Sign.LESS, Sign.LESS: Sign.MORE}


def _in_one_name(q: Relation) -> Relation:
    """x + 1 >= 0 as x >= -1: an affine condition on one name is solved for it."""
    signs = Signs()
    try:
        (r,) = signs.algebra.ratios(difference(q))
    except Unsupported:
        return q
    terms = dict(r.num.terms)
    names = [m for m in terms if m]
    if r.den or len(names) != 1 or len(names[0]) != 1 or names[0][0][1] != 1 or not isinstance(names[0][0][0], Symbol | Entry):
        return q
    slope, rest = terms[names[0]], terms.get((), Fraction(0))
    bound = -rest / slope
    sign = q.sign if slope > 0 else _TURNED.get(q.sign, q.sign)
    return Relation(names[0][0][0], sign, Rational(bound.numerator, bound.denominator))
