"""What a step may claim: a closed set.  A new kind is a new piece of the trusted base (claims, check, compose).

Every claim is about one graph.  `lines` is an equation chain: the left side that the claim names equals the first
line, which equals the second, and so on; a line marked `approx` is a correctly rounded decimal, not an equality.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Rational, Symbol

from symgrad.language.forms import Form, Prose, Relation

EXACT, ROUNDED = "exact", "rounded"
"""The two valuations: from the given inputs alone; or with the problem's own rounded values for some nodes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an equation chain, and in a few words why it equals the line above."""

    form: Form
    why: Prose = ()
    approx: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a node at the given numbers.  `result` is a number, or a Decimal in the last line where it is too long."""

    node: str
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class GivenValue:
    """The problem states this value: of a variable, or of a node to `digits` decimals after rounding."""

    name: str
    value: Expr
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """The local partial derivative of one definition in one of its arguments: expr is the symbolic result."""

    of: str
    wrt: str
    expr: Expr
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class Total:
    """d of / d wrt along all paths; lines[0] is the sum over paths, or over shared factors, of products of partials."""

    of: str
    wrt: str
    expr: Expr
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class Adjoint:
    """v_bar = d of / d v, shaped like v; lines[0] is the sum over the consumers of v.  expr is in terms of other adjoints."""

    of: str
    node: str
    expr: Expr
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class AdjointEntry:
    """(v_bar)_ij = expr, written with index sums; follows from an Adjoint."""

    of: str
    node: str
    indices: tuple[Symbol, ...]
    expr: Expr


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """v_bar with every definition of an adjoint (and of the listed nodes) substituted."""

    of: str
    node: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Witness:
    """A point at which two sides differ: sizes of the dimensions, values of the variables (row by row), both sides."""

    sizes: tuple[tuple[str, int], ...]
    values: tuple[tuple[str, tuple[tuple[Rational, ...], ...]], ...]
    entry: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Matches:
    """A choice equals the derived quantity for all values and sizes.  The quantity is a tuple of derivatives of `of`."""

    of: str
    wrt: tuple[str, ...]
    choice: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Differs:
    """A choice does not equal the derived quantity: its shape is another, or they differ at the witness."""

    of: str
    wrt: tuple[str, ...]
    choice: tuple[Expr, ...]
    part: int
    witness: Witness | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Under the assumptions every line equals the next, for all values (and all indices) at which the lines are defined."""

    lines: tuple[Line, ...]
    assume: tuple[Relation, ...] = ()
    indices: tuple[Symbol, ...] = ()  # of the entry that the lines are about; none for scalars and for whole matrices


@dataclass(frozen=True, slots=True)
class Weighted:
    """A product of differences left - right of assumptions (by their number, from 1), times a multiplier that makes it not negative."""

    relations: tuple[int, ...]
    multiplier: Rational


@dataclass(frozen=True, slots=True)
class Impossible:
    """No values satisfy all the assumptions: the sum of the terms, none of them negative, is the number `total`; or their signs clash."""

    assume: tuple[Relation, ...]
    terms: tuple[Weighted, ...] = ()
    total: Rational = Rational(0)


@dataclass(frozen=True, slots=True)
class Cases:
    """left = right under the assumptions, because it was shown in cases that leave nothing out."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Counterexample:
    """left = right fails at a point that satisfies the assumptions; `values` are the two sides there, None where not defined."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...]
    witness: Witness
    values: tuple[Form | None, Form | None]


@dataclass(frozen=True, slots=True)
class Open:
    """left = right was neither shown nor refuted; never right and never wrong."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...]
    reason: str


Claim = (
    Value | GivenValue | Partial | Total | Adjoint | AdjointEntry | ClosedForm | Matches | Differs
    | Identity | Impossible | Cases | Counterexample | Open
)
