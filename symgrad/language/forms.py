"""What is displayed: a closed set of frozen forms, each with a meaning that the checker can evaluate.

SymPy would multiply 16 * 1 * 1 * 2 out, so a displayed product cannot be a SymPy expression.  Every form stands for
one exact value (a scalar or a matrix); the printed line and the checked line are the same object.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Rational, Symbol


@dataclass(frozen=True, slots=True)
class Just:
    """An expression as it stands."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Product:
    """Factors side by side, multiplied but not multiplied out."""

    factors: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms side by side, added but not added up."""

    terms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Substituted:
    """An expression with numbers in the place of some of its names: 4 * 1 + 4 * 1 + 0 for w h + v k + b."""

    expr: Expr
    numbers: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class PartialOf:
    """The local partial derivative of the definition of `of` in its argument `wrt`, every other argument held fixed."""

    of: str
    wrt: str


@dataclass(frozen=True, slots=True)
class Derivative:
    """d/d(wrt) [ expr ], not yet carried out; every other name in expr is held fixed."""

    expr: Expr
    wrt: str


@dataclass(frozen=True, slots=True)
class TotalOf:
    """The total derivative of `of` with respect to `wrt`, along all paths."""

    of: str
    wrt: str


@dataclass(frozen=True, slots=True)
class AdjointOf:
    """v_bar: the derivative of the seed node with respect to v, shaped like v."""

    node: str


@dataclass(frozen=True, slots=True)
class Pullback:
    """(d of / d wrt)^T of_bar: what the adjoint of one consumer contributes to the adjoint of its argument."""

    of: str
    wrt: str


@dataclass(frozen=True, slots=True)
class JacobianTimes:
    """The same with the Jacobian, or its transpose, laid out as `layout`, times of_bar."""

    layout: Layout
    of: str
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Stacked:
    """The column of partials (d of / d wrt_1, ..., d of / d wrt_N) of a scalar node, not yet evaluated."""

    of: str
    wrt: str


@dataclass(frozen=True, slots=True)
class Spread:
    """A vector or matrix expression written out entry by entry, with dots for the middle of a symbolic dimension."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The diagonal matrix with the entries of a vector expression, written out with dots."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Component:
    """Entry `indices` of a node's adjoint, (x_bar)_i."""

    node: str
    indices: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal rounded to `digits` places after the point; it stands for the interval that rounds to it."""

    value: Rational
    digits: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several values side by side, (x_1, x_2)."""

    parts: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """left relation right, said in prose and checked like any line; a comparison on the left goes on: z = 2 > 0.

    "=" is exact, "≈" says that a decimal on either side is the other side rounded.
    """

    left: Form
    relation: str  # a key of RELATIONS
    right: Form


RELATIONS = {"=": "=", "≈": r"\approx", "<": "<", ">": ">", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq"}
"""The relations of a Comparison and their TeX."""

Layout = Stacked | Spread | Diagonal
Form = (
    Just | Product | Sum | Substituted | PartialOf | Derivative | TotalOf | AdjointOf | Pullback | JacobianTimes
    | Stacked | Spread | Diagonal | Component | Decimal | Tuple | Comparison
)

Prose = tuple[str | Form, ...]
"""Words and formulas, no markup."""
