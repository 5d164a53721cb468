"""What is displayed: a closed set of frozen forms, each with a meaning that the checker can evaluate.

SymPy would multiply 16 * 1 * 1 * 2 out, so a displayed product cannot be a SymPy expression.  Every form stands for
one exact value (a scalar or a matrix); the printed line and the checked line are the same object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sympy import Expr, Rational, Symbol

from symgrad.language.text import text


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
    """An expression with numbers in the place of some of its names: 4 * 1 + 4 * 1 + 0 for w h + v k + b; arrays for vectors and matrices."""

    expr: Expr
    numbers: tuple[tuple[str, Expr | Array], ...]


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
class TangentOf:
    """The tangent of a node along a direction (language/tangents.py): u_dot, or the Jacobian du/dw."""

    node: str
    direction: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Pushforward:
    """(d of / d wrt) times the tangent of `wrt`: what one argument contributes to the tangent of a node."""

    of: str
    wrt: str
    direction: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SecondOf:
    """The block of the Hessian with a row for each entry of `row` and a column for each entry of `column`."""

    of: str
    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal rounded to `digits` places after the point; it stands for the interval that rounds to it."""

    value: Rational
    digits: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several values side by side, (x_1, x_2)."""

    parts: tuple[Form, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Array:
    """A matrix of numbers, row by row; as text a column is a list."""

    rows: tuple[tuple[Form, ...], ...]

    def __repr__(self) -> str:
        rows = [[_digits(x) for x in row] for row in self.rows]
        listed = [row[0] if len(row) == 1 else f"[{', '.join(row)}]" for row in rows]
        return f"[{', '.join(listed)}]"


def _digits(f: Form) -> str:
    match f:
        case Just(expr):
            return str(expr)
        case Decimal(value, digits):
            return f"{float(value):.{digits}f}"
    return str(f)


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

class Sign(Enum):
    """How two sides compare."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Relation:
    """left sign right: what is assumed, the condition of a case, a claim in words; entry by entry for vectors and matrices."""

    left: Expr
    sign: Sign
    right: Expr

    def __str__(self) -> str:
        return f"{text(self.left)} {self.sign.value} {text(self.right)}"


Layout = Stacked | Spread | Diagonal
Form = (
    Just | Product | Sum | Substituted | PartialOf | Derivative | TotalOf | AdjointOf | Pullback | JacobianTimes
    | Stacked | Spread | Diagonal | Component | TangentOf | Pushforward | SecondOf | Decimal | Tuple | Array | Comparison | Relation
)

Prose = tuple[str | Form, ...]
"""Words and formulas, no markup."""


def pieces(form: Form) -> Iterator[Form]:
    """The form and all forms in it."""
    yield form
    match form:
        case Product(parts) | Sum(parts) | Tuple(parts):
            for part in parts:
                yield from pieces(part)
        case JacobianTimes(layout, _, _):
            yield from pieces(layout)
