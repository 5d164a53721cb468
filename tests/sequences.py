"""Problems with sequences of symbolic length for the tests, and gradients by finite differences and, where it is installed, PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

Values = dict[str, Any]
Loss = Callable[[Values, int, Any], Any]
"""The loss at values and a length, computed with the functions of NumPy or PyTorch."""


def sigmoid(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def assert_gradients(loss: Loss, values: Values, length: int, found: Mapping[str, Any]) -> None:
    """Every gradient that was found is that of central differences, and of PyTorch."""
    for name, gradient in found.items():
        measured = np.zeros(np.shape(values[name]))
        for index in np.ndindex(measured.shape):
            unit = np.zeros(measured.shape)
            unit[index] = 1e-6
            above, below = (loss({**values, name: values[name] + step}, length, np) for step in (unit, -unit))
            measured[index] = (above - below) / 2e-6
        np.testing.assert_allclose(gradient, measured, rtol=1e-5, atol=1e-7 * max(1.0, float(np.max(np.abs(measured)))), err_msg=name)
    if find_spec("torch") is not None:
        import torch

        leaves = {n: torch.tensor(np.asarray(a), requires_grad=True) for n, a in values.items()}
        loss(leaves, length, torch).backward()
        for name, gradient in found.items():
            np.testing.assert_allclose(gradient, leaves[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def problem(symbols: str, let: str, wrt: str) -> str:
    return (f'format = 1\nid = "sequence"\ntitle = "A sequence"\n[sequence]\nlength = "T"\n[symbols]\n{symbols}\n[model]\n'
            f"let = '''\n{let}\n'''\n"
            f'[[part]]\nlabel = "a"\nask = "backward"\nof = "L"\nwrt = [{wrt}]\n')


RNN = problem("""x = { shape = "D", each = true, role = "input" }
y = { shape = "M", each = true, role = "given" }
h0 = "K"
W = "K, K"
U = { shape = "K, D" }
V = "M, K"
b = "K\"""", """z[t] = W @ h[t-1] + U @ x[t] + b
h[t] = tanh(z[t])
l[t] = 1/2 * norm(V @ h[t] - y[t])^2
L = sum(l[t])""", '"W", "U", "V", "b", "h0", "x"')

LSTM = problem("""x = { shape = "D", each = true, role = "input" }
y = { shape = "K", role = "given" }
h0 = "K"
c0 = "K"
A = "K, K"
B = "K, K"
C = "K, K"
E = "K, K"
F = "K, D"
G = "K, D\"""", """i[t] = sigmoid(A @ h[t-1] + F @ x[t])
f[t] = sigmoid(B @ h[t-1] + G @ x[t])
o[t] = sigmoid(C @ h[t-1] + F @ x[t])
g[t] = tanh(E @ h[t-1] + G @ x[t])
c[t] = f[t] * c[t-1] + i[t] * g[t]
h[t] = o[t] * tanh(c[t])
L = 1/2 * norm(h[last] - y)^2""", '"A", "B", "C", "E", "F", "G", "h0", "c0", "x"')

DEEP = problem("""h0 = { shape = "K", role = "input" }
W = { shape = "K, K", each = true }
b = { shape = "K", each = true }
y = { shape = "K", role = "given" }""", """z[t] = W[t] @ h[t-1] + b[t]
h[t] = h[t-1] + sigmoid(z[t])
L = 1/2 * norm(h[T] - y)^2""", '"W", "b", "h0"')

MIXED = problem("""x = { shape = "K", each = true, role = "input" }
v = { shape = "D", role = "input" }
y = { shape = "M", role = "given" }
B = "K, D"
W = "K, K"
O = "M, K\"""", """h0 = tanh(B @ v)
h[t] = tanh(W @ h[t-1] + x[t])
l[t] = 1/2 * norm(h[t])^2
o[t] = sigmoid(O @ h[t])
s = sum(l[t])
L = s^2 + norm(o[last] - y)^2 + 1/4 * norm(W)^2""", '"W", "B", "O", "v", "x"')

SCALAR = problem("""x = { each = true, role = "input" }
h0 = ""
a = ""
b = \"\"""", """h[t] = a * h[t-1] + b * tanh(x[t] * h[t-1] * h[t-1])
e[t] = (h[t] - x[t])^2
q = sum(e[t])
L = q * h[last]^2""", '"a", "b", "h0", "x"')

MEAN = problem("""x = { shape = "D", each = true, role = "input" }
y = { shape = "K", each = true, role = "given" }
h0 = "K"
c = { shape = "", role = "given" }
W = "K, K"
U = "K, D\"""", """h[t] = h[t-1] + 1/T * tanh(W @ h[t-1] + U @ x[t])
L = 1/T * sum(norm(h[t] - y[t])^2) + c * mean(norm(h[t])^2) + norm(h[last])^2 / T + c * norm(W)^2""", '"W", "U", "h0", "x"')
"""The number of steps in the steps, in a mean and beside the last step."""

CENTRED = problem("""x = { shape = "D", each = true, role = "input" }
h0 = "K"
W = "K, K"
U = "K, D\"""", """h[t] = tanh(W @ h[t-1] + U @ x[t])
m = mean(h[t])
g[t] = norm(h[t] - m)^2 / norm(m)^2
L = sum(g[t])""", '"W", "U", "h0", "x"')
"""Steps that use a mean over all steps."""
