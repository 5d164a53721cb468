"""The words of ask = "always_zero": facts as comparisons, how a zero follows from them, and points where it does not.

Facts are numbered: first those of the case, then the stated values of the problem, then what a region assumes, then what
was deduced so far; a reference to one of them is its number (from 0), a reference to a definition is its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from sympy import Expr, Integer, Rational, Symbol

from symgrad.language import intervals as I
from symgrad.language import vectors as v
from symgrad.language.forms import Form, Just, Prose
from symgrad.language.functions import KNOWN, Call
from symgrad.language.intervals import Interval

Edge = tuple[str, str]
"""(u, v): the local partial derivative of u in its argument v."""
Reference = str | int


class Relation(Enum):
    EQUAL, NOT_EQUAL, LESS, AT_MOST, MORE, AT_LEAST = "=", "!=", "<", "<=", ">", ">="

    def holds(self, sign: int) -> bool:
        """Does a relate to b, where `sign` is the sign of a - b?"""
        return {Relation.EQUAL: sign == 0, Relation.NOT_EQUAL: sign != 0, Relation.LESS: sign < 0, Relation.AT_MOST: sign <= 0,
                Relation.MORE: sign > 0, Relation.AT_LEAST: sign >= 0}[self]

    @property
    def turned(self) -> Relation:
        """a < b says b > a."""
        return {Relation.LESS: Relation.MORE, Relation.MORE: Relation.LESS, Relation.AT_MOST: Relation.AT_LEAST,
                Relation.AT_LEAST: Relation.AT_MOST}.get(self, self)

    @property
    def gap(self) -> Interval:
        """Where a - b lies if a relates to b; that it is not 0 is not the business of an interval."""
        return {Relation.EQUAL: I.ZERO, Relation.NOT_EQUAL: I.ALL, Relation.LESS: I.NEGATIVE, Relation.AT_MOST: I.NOT_POSITIVE,
                Relation.MORE: I.POSITIVE, Relation.AT_LEAST: I.NOT_NEGATIVE}[self]


@dataclass(frozen=True, slots=True)
class Fact:
    """left relates to right: z1 = -1, h2 > 0, h1 >= h2.  Given, assumed of a region, or deduced."""

    left: Expr
    relation: Relation
    right: Expr


def say(c: Fact) -> Prose:
    """The comparison as words and formulas."""
    sign = {Relation.NOT_EQUAL: "≠", Relation.AT_MOST: "≤", Relation.AT_LEAST: "≥"}.get(c.relation, c.relation.value)
    return (Just(c.left), f" {sign} ", Just(c.right))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """`conclusion` (a name and a number): were it false, one fact or definition could not hold, by interval arithmetic."""

    conclusion: Fact
    by: Reference


@dataclass(frozen=True, slots=True)
class Combined:
    """`conclusion`: its left minus its right is, identically, a sum of multiples of the gaps (left - right) of facts and definitions."""

    conclusion: Fact
    by: tuple[tuple[Rational, Reference], ...]


Deduction = Narrowed | Combined


@dataclass(frozen=True, slots=True)
class Region:
    """What holds where the facts and `assumed` do: what follows, then which local partials are zero.

    A region that cannot occur ends in a false comparison of numbers.  If it `cancels`, the paths without a zero factor add up to zero.
    """

    assumed: tuple[Fact, ...] = ()
    deduced: tuple[Deduction, ...] = ()
    zeros: tuple[Edge, ...] = ()
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Polynomial:
    """What an unknown function is taken to be: sum of coefficient * u1^n1 * u2^n2 ... over the terms."""

    name: str
    terms: tuple[tuple[Rational, tuple[int, ...]], ...]

    def of(self, arguments: tuple[Expr, ...]) -> Expr:
        """The polynomial at these arguments, nothing multiplied out."""
        return v.total(tuple(v.merged((c, *(v.power(a, Integer(n)) for a, n in zip(arguments, powers, strict=True) if n)))
                             for c, powers in self.terms))


@dataclass(frozen=True, slots=True)
class Assignment:
    """A number for every variable, a polynomial for every unknown function, and the values of the nodes that follow."""

    variables: tuple[tuple[str, Rational], ...]
    functions: tuple[Polynomial, ...]
    forward: tuple[tuple[str, Form], ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """One local partial on a path: its symbolic form and, for a claim about a point, its value there."""

    of: str
    wrt: str
    expr: Expr
    value: Form | None = None


@dataclass(frozen=True, slots=True)
class AlwaysZero:
    """d of / d wrt is zero wherever the facts of the case hold; the regions cover all points.

    lines[0] is the sum over paths; then the factors put in, then the zeros, then 0.
    """

    part: str
    case: int
    of: str
    wrt: str
    regions: tuple[Region, ...]
    factors: tuple[Factor, ...]
    lines: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class NotAlwaysZero:
    """d of / d wrt is not zero at the point, where the facts of the case hold.

    lines[0] is the sum over paths; then the factors put in, then their numbers, then the value.
    """

    part: str
    case: int
    of: str
    wrt: str
    point: Assignment
    factors: tuple[Factor, ...]
    lines: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class CanHold:
    """The facts of the case hold at the point."""

    part: str
    case: int
    point: Assignment


@dataclass(frozen=True, slots=True)
class CannotHold:
    """No point satisfies the facts of the case: the regions cover all points and each is impossible."""

    part: str
    case: int
    regions: tuple[Region, ...]


# ---- kinks ------------------------------------------------------------------------------------------------------------


def gap(call: Call) -> Expr:
    """The quantity whose sign decides which piece of max, min, relu, leaky relu, abs, step or sign applies."""
    a, b = call.arguments[0], call.arguments[-1]
    return a if call.fn.name not in ("max", "min") or b == 0 else v.negate(b) if a == 0 else v.add(a, v.negate(b))


def kinked(e: Expr) -> Iterator[Call]:
    """The applications in an expression of functions that have a kink or a jump, inner ones first, each once."""
    seen: set[Expr] = set()

    def walk(e: Expr) -> Iterator[Call]:
        if e in seen:
            return
        seen.add(e)
        for a in e.args:
            yield from walk(a)
        if isinstance(e, Call) and e.fn.name in KINKED:
            yield e

    return walk(e)


KINKED = frozenset(name for name, row in KNOWN.items() if row.kink and name != "sqrt")
JUMPS = frozenset(("step", "sign"))


def rational(x: Rational) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def number(x: Fraction) -> Rational:
    return Rational(x.numerator, x.denominator)


def sign_of(x: Rational) -> int:
    return (x.p > 0) - (x.p < 0)


def primitive(e: Expr) -> tuple[Fraction, Expr]:
    """e = c * core with a rational c, such that expressions that differ by a factor, or in the order of terms, have one core."""
    if isinstance(e, Symbol):
        return Fraction(1), e
    c, core = _ordered(e).primitive()
    if core.is_Add and core.could_extract_minus_sign():
        c, core = -c, -core
    if core.is_Mul:
        inner, core = core.as_coeff_Mul()
        c = c * inner
    return rational(c), core


def _ordered(e: Expr) -> Expr:
    return e.func(*map(_ordered, e.args)) if e.args else e


def bound(c: Fact) -> tuple[Expr, Interval] | None:
    """What a comparison bounds, up to a factor, and by what: a name, a difference such as h1 - h2, or 0 (the comparison of numbers)."""
    if isinstance(c.right, Rational) and not isinstance(c.left, Rational):
        e, gap_of = c.left, c.relation.gap + I.point(rational(c.right))
    elif isinstance(c.left, Rational) and not isinstance(c.right, Rational):
        e, gap_of = c.right, c.relation.turned.gap + I.point(rational(c.left))
    elif isinstance(c.left, Rational):
        return c.left, I.ALL
    else:
        e, gap_of = v.add(c.left, v.negate(c.right)), c.relation.gap
    factor, core = primitive(e)
    if factor == 0 or isinstance(core, Rational):
        return None
    return core, gap_of * I.point(1 / factor)


def known_of(known: Mapping[Expr, Interval], e: Expr) -> Interval:
    """What is known of a compound expression: an entry for its core, times the factor."""
    if not any(not isinstance(k, Symbol) for k in known):
        return I.ALL
    factor, core = primitive(e)
    return known[core] * I.point(factor) if core in known else I.ALL
