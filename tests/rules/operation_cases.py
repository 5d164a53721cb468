"""A small instance of each rule in rules/operations.py: the let-list, the variable, and the same in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.language.steps import Ground


def _softmax(a: Any) -> Any:
    return np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)


CASES: dict[str, tuple[str, str, Callable[..., Any], Ground]] = {
    "row-wise softmax": ("inner(W, softmax(W, 1))", "W", lambda W, **_: np.sum(W * _softmax(W)), Ground.PROVED),
    "row-wise log-sum-exp": ("norm(logsumexp(W, 1))^2", "W", lambda W, **_: np.sum(np.log(np.exp(W).sum(axis=1)) ** 2), Ground.PROVED),
    "row-wise maximum": ("norm(rowmax(W))^2", "W", lambda W, **_: np.sum(W.max(axis=1) ** 2), Ground.PROVED),
    "maximum": ("max(x)^2", "x", lambda x, **_: x.max() ** 2, Ground.PROVED),
    "argmax": ("u.T @ argmax(x) + sum(x)", "x", lambda x, u, **_: u[np.argmax(x)] + x.sum(), Ground.PROVED),
    "diagonal of a matrix": ("u.T @ diag(A)", "A", lambda A, u, **_: u @ np.diag(A), Ground.PROVED),
    "lower triangle": ("norm(tril(A))^2", "A", lambda A, **_: np.sum(np.tril(A) ** 2), Ground.PROVED),
    "Kronecker product": ("sum(kron(A, W)^2)", "W", lambda A, W, **_: np.sum(np.kron(A, W) ** 2), Ground.PROVED),
    "vec": ("sum(vec(A)^3)", "A", lambda A, **_: np.sum(A**3), Ground.PROVED),
    "vec undone": ("u4.T @ reshape(x6, 3, 2) @ reshape(x6, 2, 3) @ u4", "x6", lambda x6, u4, **_: u4 @ x6.reshape(3, 2) @ x6.reshape(2, 3) @ u4,
                   Ground.PROVED),
    "part of a matrix": ("norm(A[1:2, 2])^2 + norm(x[1:2])^2", "A", lambda A, x, **_: np.sum(A[:2, 1] ** 2) + np.sum(x[:2] ** 2), Ground.PROVED),
    "entry of a matrix": ("A[2, 1]^3", "A", lambda A, **_: A[1, 0] ** 3, Ground.PROVED),
    "matrices under one another": ("norm(concat(x, W @ x))^2", "x", lambda x, W, **_: x @ x + np.sum((W @ x) ** 2), Ground.PROVED),
    "sliding kernel": ("norm(conv(x6, u4))^2", "x6", lambda x6, u4, **_: np.sum(np.correlate(x6, u4, "valid") ** 2), Ground.PROVED),
    "solution of a linear system": ("u.T @ solve(A, x)", "A", lambda A, x, u, **_: u @ np.linalg.solve(A, x), Ground.PROVED),
    "variance": ("var(x)^2", "x", lambda x, **_: np.var(x) ** 2, Ground.PROVED),
}
SECOND = {"inner products of blocks", "weighted sum of blocks", "full convolution", "commutation matrix"}
"""Met in adjoints of adjoints and in Jacobians only; tested in test_operations.py and test_tangents.py."""
