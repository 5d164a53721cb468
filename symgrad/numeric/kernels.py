"""What the text of a numeric program may call: NumPy's functions under fixed names, and kernels that NumPy lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from symgrad.language.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SMALL = 2000  # entries: below, one call of NumPy's heaviside; above, a comparison is faster


@lru_cache(maxsize=1)
def namespace() -> dict[str, object]:
    """The names in the text of a program, NumPy's and ours."""
    import numpy as np

    names = ("abs", "add", "arange", "array", "cos", "divide", "dot", "einsum", "empty", "exp", "float64", "log",
             "log1p", "maximum", "minimum", "multiply",
             "ndarray", "negative", "power", "reciprocal", "sign", "sin", "sqrt", "subtract", "tanh", "vdot")
    found: dict[str, object] = {n: getattr(np, n) for n in names}
    found.update(f8=np.dtype(np.float64), reduce_add=np.add.reduce, inv=np.linalg.inv, det=np.linalg.det,
                 solve=np.linalg.solve)
    found.update(inf=math.inf, nan=math.nan, m_abs=abs)
    found.update({f"m_{n}": getattr(math, n) for n in ("exp", "log", "log1p", "tanh", "sqrt", "pow", "sin", "cos")})
    for kernel in (softmax, logsumexp, logdet, spread, repeat, diagonal_matrix, add_diagonal, heaviside, solve_vectors, diagonal_view,
                   normcdf, supplied, supplied_whole):
        found[kernel.__name__] = kernel
    return found


def heaviside(z: Array, at_zero: float) -> Array:
    """1 where z > 0, 0 where z < 0, at_zero where z = 0."""
    import numpy as np

    if z.size < SMALL:
        return np.heaviside(z, at_zero)
    if at_zero == 1:
        return (z >= 0).astype(np.float64)
    step = (z > 0).astype(np.float64)
    if at_zero:
        step[z == 0] = at_zero
    return step


def normcdf(z: Array | float, out: Array | None = None) -> Array | float:
    """The normal distribution, erfc(-z / sqrt 2) / 2: NumPy has no erfc, so one entry after the other."""
    import numpy as np

    if not isinstance(z, np.ndarray):
        return math.erfc(-z / math.sqrt(2)) / 2
    found = np.fromiter(map(math.erfc, (-z / math.sqrt(2)).ravel().tolist()), np.float64, z.size).reshape(z.shape)
    return np.multiply(found, 0.5, out=found if out is None else out)


def softmax(z: Array) -> Array:
    """exp(z_i - m) / sum_k exp(z_k - m), m = max z, along the last axis."""
    import numpy as np

    e = z - np.maximum.reduce(z, axis=-1, keepdims=True)
    np.exp(e, e)
    e /= np.add.reduce(e, axis=-1, keepdims=True)
    return e


def logsumexp(z: Array, axes: int) -> Array:
    """m + log sum exp(z - m), m = max z, over the last `axes` axes."""
    import numpy as np

    over = tuple(range(-axes, 0))
    m = np.maximum.reduce(z, axis=over, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)
    with np.errstate(divide="ignore"):
        return np.squeeze(m, over) + np.log(np.add.reduce(np.exp(z - m), axis=over))


def logdet(a: Array) -> Array:
    """log det A without over- or underflow; nan where det A < 0."""
    import numpy as np

    sign, log = np.linalg.slogdet(a)
    return np.where(sign < 0, np.nan, log)


def spread(a: Array | float, shape: tuple[int, ...], batched: bool) -> Array:
    """A writable array of that shape filled with `a`."""
    import numpy as np

    a = np.asarray(a, np.float64)
    return np.array(np.broadcast_to(a, (a.shape[0], *shape) if batched else shape))


def repeat(a: Array | float, count: int) -> Array:
    """`a` once for each sample of a batch on which it happens not to depend."""
    import numpy as np

    a = np.asarray(a, np.float64)
    return np.array(np.broadcast_to(a, (count, *a.shape)))


def diagonal_matrix(d: Array | float, n: int, batched: bool) -> Array:
    """The (n, n) matrix with d on its diagonal, where a whole matrix is asked for."""
    import numpy as np

    d = np.asarray(d, np.float64)
    matrix = np.zeros((*(d.shape[:1] if batched else ()), n, n))
    diagonal_view(matrix)[...] = d[:, None] if batched and d.ndim == 1 else d
    return matrix


def add_diagonal(a: Array, d: Array | float, batched: bool) -> Array:
    """A + diag(d), without forming diag(d); `batched` says whether d has a batch axis."""
    import numpy as np

    d = np.asarray(d, np.float64)
    if batched and d.ndim == 1:
        d = d[:, None]
    result = np.array(np.broadcast_to(a, (d.shape[0], *a.shape)) if batched and a.ndim == 2 else a)
    diagonal = diagonal_view(result)
    diagonal += d
    return result


def diagonal_view(a: Array) -> Array:
    """A writable view of the diagonals of the last two axes."""
    import numpy as np

    return np.einsum("...ii->...i", a)


def solve_vectors(a: Array, b: Array) -> Array:
    """A^-1 b for vectors b, with a batch axis in front of A or b or both."""
    import numpy as np

    if a.ndim == 2:
        return np.linalg.solve(a, b.T).T if b.ndim == 2 else np.linalg.solve(a, b)
    return np.linalg.solve(a, b[..., None] if b.ndim == 2 else np.broadcast_to(b[:, None], (a.shape[0], b.shape[0], 1)))[..., 0]


def supplied(key: str, function: Callable[..., object], *arguments: Array | float) -> Array | float:
    """A function of the caller's at floats or arrays of equal or broadcasting shapes, with the shape checked."""
    import numpy as np

    value = np.asarray(function(*arguments), np.float64)
    wanted = np.broadcast_shapes(*(np.shape(a) for a in arguments))
    if value.shape != wanted:
        if value.size != 1:
            raise ShapeError(f"{key}: the supplied function returned shape {value.shape} for arguments of shape {wanted}")
        value = np.full(wanted, value.item())
    return value if wanted else float(value)


def supplied_whole(key: str, function: Callable[..., object], arguments: Sequence[Array | float], batched: Sequence[bool],
                   shape: tuple[int, ...]) -> Array | float:
    """A function of the caller's of whole vectors, once for each sample of a batch; the value has the given shape."""
    import numpy as np

    def once(values: Sequence[object]) -> Array:
        value = np.asarray(function(*values), np.float64)
        if value.shape != shape:
            if value.size != math.prod(shape):
                raise ShapeError(f"{key}: the supplied function returned shape {value.shape}, expected {shape or 'a number'}")
            value = value.reshape(shape)
        return value

    if not any(batched):
        value = once(arguments)
        return value if shape else float(value)
    count = next(np.shape(a)[0] for a, b in zip(arguments, batched, strict=True) if b)
    samples = [[a[i] if b else a for a, b in zip(arguments, batched, strict=True)] for i in range(count)]  # type: ignore[index]
    return np.array([once(s) for s in samples]).reshape(count, *shape)


__all__ = ["namespace"]
