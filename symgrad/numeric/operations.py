"""Numeric kernels of the operations in language/operations.py.  To add one: a function in KERNELS under the operation's word.

A kernel takes its matrices as arrays (..., rows, columns), with any batch axes in front, then its sizes and positions as whole
numbers, and returns a new array (..., rows, columns), never a view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sympy import Expr, Inverse, MatMul

from symgrad.language import operations as op
from symgrad.language.errors import ShapeError
from symgrad.language.vectors import is_scalar, shape_of
from symgrad.numeric.kernels import diagonal_view, logsumexp, softmax
from symgrad.numeric.products import chain
from symgrad.numeric.translator import Translator, axes_of, translate
from symgrad.numeric.values import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

@translate.register
def operation(e: op.Operation, t: Translator) -> Value:
    return _operate(t, op.OPERATIONS_WORD[type(e)], e, e.takes[1])


@translate.register
def scalar_operation(e: op.MaxOf | op.Variance, t: Translator) -> Value:
    return _operate(t, op.OPERATIONS_WORD[type(e)], e, 0)


@translate.register
def solution(e: op.Solve, t: Translator) -> Value:
    a, b = e.args
    return t(MatMul(Inverse(a), b)) if not is_scalar(b) else chain(t, [t(Inverse(a))], [a.shape], [t(b)])


def _operate(t: Translator, word: str, e: Expr, sized: int) -> Value:
    arguments = e.args[:len(e.args) - sized]
    values = tuple(t.shown(a, t(a)) for a in arguments)
    counts = tuple(t.count(n) for n in e.args[len(arguments):])
    axes, dims = axes_of(shape_of(e))
    kinds = tuple("".join(axes_of(shape_of(a))[0]) for a in arguments)
    return t.program.make("kernel", (*values, *counts), axes, dims, any(x.batched for x in values), (word, kinds, "".join(axes)))


LIFT = {"rc": (..., slice(None), slice(None)), "r": (..., slice(None), None), "c": (..., None, slice(None)), "": (..., None, None)}
LOWER: dict[str, tuple[object, ...]] = {"rc": (...,), "r": (..., 0), "c": (..., 0, slice(None)), "": (..., 0, 0)}


def operate(word: str, kinds: tuple[str, ...], out: str, *arguments: Any) -> Any:
    """One kernel, its arguments lifted to matrices and the result brought back to the axes that its shape has."""
    import numpy as np

    lifted = [np.asarray(a, np.float64)[LIFT[kind]] for a, kind in zip(arguments, kinds, strict=False)]
    return KERNELS[word](*lifted, *arguments[len(kinds):])[LOWER[out]]


# ---- kernels -----------------------------------------------------------------------------------------------------------


def argmax(a: Array) -> Array:
    """1 at the largest entry of each row (at the first of several)."""
    import numpy as np

    return np.eye(a.shape[-1])[np.argmax(a, axis=-1)]


def kron(a: Array, b: Array) -> Array:
    import numpy as np

    product = np.einsum("...ij,...pq->...ipjq", a, b)
    *lead, n, p, m, q = product.shape
    return product.reshape(*lead, n * p, m * q)


def _blocks(k: Array, rows: int, columns: int) -> Array:
    """(..., block row, row, block column, column) of a matrix of blocks of that size."""
    *lead, n, m = k.shape
    return k.reshape(*lead, n // rows, rows, m // columns, columns)


def block_inner(k: Array, b: Array) -> Array:
    import numpy as np

    return np.einsum("...ipjq,...pq->...ij", _blocks(k, *b.shape[-2:]), b)


def block_sum(k: Array, a: Array) -> Array:
    import numpy as np

    rows, columns = k.shape[-2] // a.shape[-2], k.shape[-1] // a.shape[-1]
    return np.einsum("...ipjq,...ij->...pq", _blocks(k, rows, columns), a)


def vec(a: Array) -> Array:
    return a.swapaxes(-1, -2).copy().reshape(*a.shape[:-2], -1, 1)


def commutation(n: int, m: int) -> Array:
    """The permutation of the rows of the identity that brings A, column by column, into row order."""
    import numpy as np

    return np.eye(n * m)[np.arange(n * m).reshape(m, n).ravel(order="F")]


def unvec(a: Array, n: int, m: int) -> Array:
    return a.reshape(*a.shape[:-2], m, n).swapaxes(-1, -2).copy()


def block(a: Array, top: int, bottom: int, left: int, right: int) -> Array:
    return a[..., top - 1:bottom, left - 1:right].copy()


def stack(a: Array, b: Array) -> Array:
    import numpy as np

    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return np.concatenate([np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b)], axis=-2)


def correlate(w: Array, x: Array) -> Array:
    import numpy as np

    if any(k > n for k, n in zip(w.shape[-2:], x.shape[-2:], strict=True)):
        raise ShapeError(f"conv: the kernel has the sizes {w.shape[-2:]}, larger than {x.shape[-2:]}")
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[-2:], axis=(-2, -1))
    return np.einsum("...ijpq,...pq->...ij", windows, w)


def convolve(w: Array, g: Array) -> Array:
    import numpy as np

    p, q = w.shape[-2:]
    padded = np.pad(g, [*([(0, 0)] * (g.ndim - 2)), (p - 1, p - 1), (q - 1, q - 1)])
    return correlate(w[..., ::-1, ::-1], padded)


def tril(a: Array) -> Array:
    import numpy as np

    return np.tril(a)


def variance(x: Array) -> Array:
    import numpy as np

    return np.var(x, axis=-2, keepdims=True)


KERNELS: dict[str, Callable[..., Any]] = {
    "row_softmax": softmax, "row_logsumexp": lambda a: logsumexp(a, 1)[..., None], "argmax": argmax,
    "row_max": lambda a: a.max(axis=-1, keepdims=True), "diagonal": lambda a: diagonal_view(a)[..., None].copy(), "tril": tril, "kron": kron,
    "block_inner": block_inner, "block_sum": block_sum, "vec": vec, "unvec": unvec, "commutation": commutation, "block": block, "stack": stack,
    "correlate": correlate, "convolve": convolve, "max_of": lambda a: a.max(axis=(-2, -1), keepdims=True), "variance": variance,
}

__all__ = ["KERNELS", "operate"]
