"""Central differences of a compiled function, and how far two sets of values are apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from symgrad.language.errors import ShapeError, SpecError
from symgrad.numeric.compiled import CompiledFunction
from symgrad.numeric.values import Values

if TYPE_CHECKING:
    from numpy.typing import NDArray


def finite_difference(compiled: CompiledFunction, values: Values, of: str, wrt: str, step: float = 1e-6) -> NDArray[Any]:
    """Central differences d of / d wrt, (f(x + h) - f(x - h)) / (2 h) with h = step * max(1, |x|) for each entry x.

    The shape is that of `of` followed by that of `wrt`: for a scalar `of`, the shape of the gradient.
    """
    import numpy as np

    if of not in compiled.outputs:
        raise SpecError(f"{of} is not an output of {compiled!r}")
    if wrt not in compiled.inputs:
        raise SpecError(f"{wrt} is not an input of {compiled!r}")
    point = np.array(values[wrt], np.float64)
    columns = []
    for index in np.ndindex(point.shape):
        ends = []
        width = step * max(1.0, abs(float(point[index])))
        for sign in (1.0, -1.0):
            moved = point.copy()
            moved[index] += sign * width
            ends.append((moved[index], np.asarray(compiled({**values, wrt: moved if moved.shape else float(moved)})[of], np.float64)))
        columns.append((ends[0][1] - ends[1][1]) / (ends[0][0] - ends[1][0]))
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *point.shape))


def worst_error(analytic: Values, numeric: Values) -> float:
    """max over names of max |a - n| / max(|a|, |n|, 1e-3 |largest of all names|, 1e-6), each |.| a largest entry; inf for nan.

    Raises SpecError if the names differ, ShapeError if the shapes do (a column may stand for a vector).
    """
    import numpy as np

    if set(analytic) != set(numeric):
        raise SpecError(f"the names differ: {', '.join(sorted(set(analytic) ^ set(numeric)))}")
    pairs = []
    for name, value in analytic.items():
        a, n = np.asarray(value, np.float64), np.asarray(numeric[name], np.float64)
        if a.shape != n.shape:
            if a.size != n.size or a.squeeze().shape != n.squeeze().shape:
                raise ShapeError(f"{name} has shape {a.shape} on the left, {n.shape} on the right")
            a, n = a.squeeze(), n.squeeze()
        if a.size:
            pairs.append((float(np.max(np.abs(a - n))), float(max(np.max(np.abs(a)), np.max(np.abs(n))))))
    largest = max((size for _, size in pairs), default=0.0)
    errors = [gap / max(size, 1e-3 * largest, 1e-6) for gap, size in pairs]
    return max((math.inf if math.isnan(e) else e for e in errors), default=0.0)


__all__ = ["finite_difference", "worst_error"]
