"""An evaluator of let-lists with NumPy that shares no code with symgrad: every value is a float or a 2-D array, every rule of the
language (columns, indices from 1, axes from 0) is read anew from its description."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np


def _column(f: Any) -> Any:
    return np.asarray(f, float).reshape(-1, 1)


def _softmax(z: Any, axis: float = 0) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=int(axis), keepdims=True)


def _reduced(f: Any) -> Any:
    def apply(a: Any, axis: int | None = None) -> Any:
        return float(f(a)) if axis is None else _column(f(a, axis=int(axis)))
    return apply


def _logsumexp(a: Any, axis: Any = None) -> Any:
    return float(np.log(np.exp(a).sum())) if axis is None else _column(np.log(np.exp(a).sum(axis=int(axis))))


def _logsoftmax(z: Any, axis: Any = None) -> Any:
    return z - np.log(np.exp(z).sum(axis=None if axis is None else int(axis), keepdims=True))


def _argmax(a: Any) -> Any:
    """1 at the largest entry of a vector, or of each row."""
    return (a == a.max()).astype(float) if a.shape[1] == 1 else (a == a.max(axis=1, keepdims=True)).astype(float)


def _conv(x: Any, w: Any) -> Any:
    x, w = np.atleast_2d(x), np.atleast_2d(w)
    (n, m), (p, q) = x.shape, w.shape
    found = np.zeros((n - p + 1, m - q + 1))
    for i in range(found.shape[0]):
        for j in range(found.shape[1]):
            found[i, j] = (x[i:i + p, j:j + q] * w).sum()
    return found


def _onehot(k: float, n: float) -> Any:
    found = np.zeros((int(n), 1))
    found[int(k) - 1] = 1
    return found


def _diag(a: Any) -> Any:
    return np.diag(a[:, 0]) if a.shape[1] == 1 else _column(np.diag(a))


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sigmoid": _sigmoid, "abs": np.abs, "sign": np.sign,
    "softplus": lambda z: np.log(1 + np.exp(z)), "relu": lambda z: np.maximum(z, 0), "step": lambda z: (z >= 0) * 1.0,
    "softmax": _softmax, "logsumexp": _logsumexp, "logsoftmax": _logsoftmax, "argmax": _argmax, "conv": _conv, "onehot": _onehot,
    "norm": lambda a, p=2: float((np.abs(a) ** p).sum() ** (1 / p)), "sum": _reduced(np.sum), "mean": _reduced(np.mean),
    "var": lambda a: float(np.var(a)), "std": lambda a: float(np.std(a)), "dot": lambda a, b: float((a * b).sum()),
    "inner": lambda a, b: float((a * b).sum()), "trace": lambda a: float(np.trace(a)), "det": lambda a: float(np.linalg.det(a)),
    "logdet": lambda a: float(np.log(np.linalg.det(a))), "inv": np.linalg.inv, "solve": np.linalg.solve, "kron": np.kron, "diag": _diag,
    "tril": np.tril, "triu": np.triu, "vec": lambda a: a.flatten(order="F").reshape(-1, 1), "cumsum": lambda x: np.cumsum(x, axis=0),
    "reshape": lambda a, n, m=1: a.reshape(int(n), int(m)), "concat": lambda *a: np.vstack(a), "hstack": lambda *a: np.hstack(a),
    "vstack": lambda *a: np.vstack(a),
    "rowmax": lambda a: a.max(axis=1, keepdims=True), "maxpool": lambda x, s: x.reshape(-1, int(s)).max(axis=1, keepdims=True),
    "max": lambda a, *b: np.maximum(a, *b) if b else float(a.max()), "silu": lambda z: z * _sigmoid(z), "cosh": np.cosh,
    "logsigmoid": lambda z: -np.log(1 + np.exp(-z)),
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "erf": np.vectorize(math.erf),
    "gelu": lambda z: z * (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2,
    "normcdf": lambda z: (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2, "normpdf": lambda z: np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "ones": lambda n, m=1: np.ones((int(n), int(m))), "zeros": lambda n, m=1: np.zeros((int(n), int(m))),
    "eye": lambda n: np.eye(int(n)), "f": np.sin, "outer": lambda a, b: a @ b.T,
}


def evaluate(text: str, names: dict[str, Any]) -> Any:
    """The value of one expression."""
    return _of(ast.parse(text.replace("^", "**"), mode="eval").body, names)


def run(let: str, names: dict[str, Any]) -> dict[str, Any]:
    """All names after the definitions of a let-list."""
    names = dict(names)
    for line in let.splitlines():
        name, _, right = line.partition("=")
        names[name.strip()] = evaluate(right.strip(), names)
    return names


def _of(e: ast.expr, names: dict[str, Any]) -> Any:
    match e:
        case ast.Constant(value=value):
            return float(value)
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return -_of(a, names)
        case ast.Attribute(value=a, attr="T"):
            return _of(a, names).T
        case ast.BinOp(left=a, op=op, right=b):
            return _operated(op, _of(a, names), _of(b, names))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
            return _lowered(FUNCTIONS[name](*(_of(a, names) for a in (*arguments, *(k.value for k in keywords)))))
        case ast.Subscript(value=a, slice=index):
            matrix = _of(a, names)
            spans = index.elts if isinstance(index, ast.Tuple) else [index, ast.Slice()] if matrix.shape[1] > 1 else [index, ast.Constant(1)]
            return _lowered(matrix[tuple(_span(s, names) for s in spans)])
    raise AssertionError(ast.dump(e))


def _span(s: ast.expr, names: dict[str, Any]) -> slice:
    if isinstance(s, ast.Slice):
        low = int(_of(s.lower, names)) - 1 if s.lower else None
        return slice(low, int(_of(s.upper, names)) if s.upper else None)
    i = int(_of(s, names))
    return slice(i - 1, i)


def _operated(op: ast.operator, a: Any, b: Any) -> Any:
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b
        case ast.Pow():
            return a ** b
        case ast.MatMult():
            return a * b if isinstance(a, float) or isinstance(b, float) else _lowered(a @ b)
    raise AssertionError(op)


def _lowered(value: Any) -> Any:
    """A (1, 1) array is a number."""
    return float(value.item()) if isinstance(value, np.ndarray) and value.size == 1 and value.ndim == 2 else value


def gradient(let: str, names: dict[str, Any], wrt: str) -> Any:
    """Central differences of L in every entry of a variable, or of a definition that later ones are put on."""
    lines = let.splitlines()
    defined = [i for i, line in enumerate(lines) if line.partition("=")[0].strip() == wrt]
    start = run("\n".join(lines[:defined[0] + 1]), names) if defined else dict(names)
    rest = "\n".join(lines[defined[0] + 1:]) if defined else let
    point = np.asarray(start[wrt], float)
    found = np.zeros_like(point)
    for place in np.ndindex(point.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = point.copy()
            moved[place] += step
            ends.append(run(rest, {**start, wrt: moved if moved.shape else float(moved)})["L"])
        found[place] = (ends[0] - ends[1]) / 2e-5
    return found if found.shape else float(found)
