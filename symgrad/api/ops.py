"""The functions of the let-list, for expressions written in Python: `ops.sigmoid(W @ x + b)`.

The operators `@ + - * / **`, `.T` and indices are methods of the expressions.  A new function of the let-list needs a line
here only to be found by name; `ops.apply("name", ...)` knows it at once.
"""

from __future__ import annotations

from collections.abc import Callable

from symgrad.api.expression import Expression, Operand, apply
from symgrad.language.errors import SpecError
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS, dimension, unknown
from symgrad.reader.letlist import check_name


def exp(z: Operand) -> Expression:
    """exp(z), entry by entry."""
    return apply("exp", z)


def log(z: Operand) -> Expression:
    """The natural logarithm, entry by entry."""
    return apply("log", z)


def sqrt(z: Operand) -> Expression:
    """The square root, entry by entry."""
    return apply("sqrt", z)


def sigmoid(z: Operand) -> Expression:
    """1 / (1 + exp(-z)), entry by entry."""
    return apply("sigmoid", z)


def tanh(z: Operand) -> Expression:
    """The hyperbolic tangent, entry by entry."""
    return apply("tanh", z)


def softplus(z: Operand) -> Expression:
    """log(1 + exp(z)), entry by entry."""
    return apply("softplus", z)


def relu(z: Operand) -> Expression:
    """max(z, 0), entry by entry."""
    return apply("relu", z)


def step(z: Operand) -> Expression:
    """1 where z >= 0, else 0; its value at 0 is a convention of the model."""
    return apply("step", z)


def sign(z: Operand) -> Expression:
    """-1, 0 or 1, entry by entry."""
    return apply("sign", z)


def abs(z: Operand) -> Expression:
    """|z|, entry by entry."""
    return apply("abs", z)


def softmax(z: Operand) -> Expression:
    """exp(z_i) / sum_k exp(z_k) of a vector."""
    return apply("softmax", z)


def logsumexp(z: Operand) -> Expression:
    """log sum_i exp(z_i) of a vector, a scalar."""
    return apply("logsumexp", z)


def norm(z: Operand) -> Expression:
    """The 2-norm of a vector, the Frobenius norm of a matrix; |z| of a scalar."""
    return apply("norm", z)


def sum(z: Operand) -> Expression:
    """The sum of all entries."""
    return apply("sum", z)


def mean(z: Operand) -> Expression:
    """The sum of all entries over their number."""
    return apply("mean", z)


def trace(z: Operand) -> Expression:
    """The sum of the diagonal entries of a square matrix."""
    return apply("trace", z)


def det(z: Operand) -> Expression:
    """The determinant of a square matrix."""
    return apply("det", z)


def logdet(z: Operand) -> Expression:
    """The logarithm of the determinant."""
    return apply("logdet", z)


def inv(z: Operand) -> Expression:
    """The inverse of a square matrix."""
    return apply("inv", z)


def diag(z: Operand) -> Expression:
    """The square matrix with a vector on its diagonal."""
    return apply("diag", z)


def leaky_relu(z: Operand, slope: Operand | None = None) -> Expression:
    """z where z >= 0, else slope z; the slope is 1/100 unless given."""
    return apply("leaky_relu", z) if slope is None else apply("leaky_relu", z, slope)


def max(a: Operand, b: Operand, *others: Operand) -> Expression:
    """The largest, entry by entry."""
    return apply("max", a, b, *others)


def min(a: Operand, b: Operand, *others: Operand) -> Expression:
    """The smallest, entry by entry."""
    return apply("min", a, b, *others)


def dot(a: Expression, b: Expression) -> Expression:
    """a^T b of two vectors, a scalar."""
    return apply("dot", a, b)


def outer(a: Expression, b: Expression) -> Expression:
    """a b^T of two vectors, a matrix."""
    return apply("outer", a, b)


def ones(rows: int | str, columns: int | str = 1) -> Expression:
    """All entries 1; sizes are numbers or names of dimensions."""
    return apply("ones", _size(rows), _size(columns))


def zeros(rows: int | str, columns: int | str = 1) -> Expression:
    """All entries 0."""
    return apply("zeros", _size(rows), _size(columns))


def eye(size: int | str) -> Expression:
    """The identity."""
    return apply("eye", _size(size))


def function(name: str, arguments: int = 1, scalar_valued: bool = False, latex: str = "") -> Callable[..., Expression]:
    """An unknown function, differentiated as one: g'(z).  `scalar_valued`: a loss of whole vectors, not entry by entry."""
    check_name(name)
    if name in KNOWN or name in VECTOR_FUNCTIONS:
        raise SpecError(f"{name} is a known function; use ops.{name}")
    row = unknown(name, arguments, scalar_valued, latex)
    return lambda *operands: apply(name, *operands, functions=(row,))


def _size(size: int | str) -> Operand:
    return Expression(dimension(size)) if isinstance(size, str) else size


__all__ = [
    "abs", "apply", "det", "diag", "dot", "exp", "eye", "function", "inv", "leaky_relu", "log", "logdet", "logsumexp",
    "max", "mean", "min", "norm", "ones", "outer", "relu", "sigmoid", "sign", "softmax", "softplus", "sqrt", "step",
    "sum", "tanh", "trace", "zeros",
]
