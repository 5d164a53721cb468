"""Models with one axis more than a matrix, as families of matrices, and their losses with the functions of NumPy or PyTorch.

`text(name, length)` is a problem with that length, a number or "H"; a loss takes values by the names of members, W_1, W_2.
"""

from __future__ import annotations

from typing import Any

from tests.sequences import Loss, Values


def text(name: str, length: int | str) -> str:
    symbols, let, others = MODELS[name][:3]
    said = length if isinstance(length, int) else f'"{length}"'
    return ('format = 1\nid = "family"\ntitle = "A family"\n[indices]\n' + "".join(f"{i} = {n or said}\n" for i, n in others.items()) +
            f"i = {said}\n[symbols]\n{symbols}\n[model]\nlet = '''\n{let}\n'''\n[[part]]\nlabel = \"a\"\nask = \"backward\"\nof = \"L\"\n"
            'wrt = "parameters"\n').replace("LENGTH", str(length))


def rows_softmax(m: Any, x: Any) -> Any:
    e = m.exp(x)
    return e / e.sum(1)[:, None]


def slid(x: Any, k: Any) -> list[Any]:
    """The kernel slid over x, entry by entry."""
    n, w = x.shape[0], k.shape[0]
    return [(x[s:s + w] * k).sum() for s in range(n - w + 1)]


def attention(p: Values, heads: int, m: Any) -> Any:
    out = 0.0
    for i in range(1, heads + 1):
        q, k, v = (p["X"] @ p[f"W{x}_{i}"] for x in "qkv")
        out = out + rows_softmax(m, q @ k.T / p["X"].shape[1] ** 0.5) @ v @ p[f"Wo_{i}"]
    return ((out - p["Y"]) ** 2).sum() / 2


def joined(p: Values, heads: int, m: Any) -> Any:
    """The same with one output matrix for the heads side by side."""
    width = p["Wv_1"].shape[1]
    out = 0.0
    for i in range(1, heads + 1):
        q, k, v = (p["X"] @ p[f"W{x}_{i}"] for x in "qkv")
        out = out + rows_softmax(m, q @ k.T) @ v @ p["W"][(i - 1) * width:i * width]
    return ((out - p["Y"]) ** 2).sum() / 2


def channels(p: Values, out: int, m: Any) -> Any:
    loss = 0.0
    for i in range(1, out + 1):
        parts = [slid(p[f"x_{c}"], p[f"W_{c}_{i}"]) for c in (1, 2)]
        for a, b, t in zip(*parts, p[f"t_{i}"], strict=True):
            loss = loss + (m.tanh(a + b + p[f"b_{i}"]) - t) ** 2 / 2
    return loss


def bilinear(p: Values, count: int, m: Any) -> Any:
    loss = 0.0
    for i in range(1, count + 1):
        h = m.tanh(p["x"] @ p[f"W_{i}"] @ p["y"] + p[f"V_{i}"] @ p["x"] + p[f"b_{i}"])
        loss = loss + p[f"u_{i}"] * h
    return loss**2


def tensor_layer(p: Values, count: int, m: Any) -> Any:
    """The same as a vector, its entries collected, with a matrix after it."""
    loss = 0.0
    V, A = p["V"].reshape(count, -1), p["A"].reshape(-1, count)
    h = [m.tanh(p["x"] @ p[f"W_{i}"] @ p["y"] + V[i - 1] @ p["x"]) for i in range(1, count + 1)]
    for row in A:
        loss = loss + sum(row[k] * h[k] for k in range(count)) ** 2
    return loss


def experts(p: Values, count: int, m: Any) -> Any:
    e = [m.exp(p[f"g_{i}"] @ p["x"]) for i in range(1, count + 1)]
    out = sum(e[i - 1] / sum(e) * m.tanh(p[f"W_{i}"] @ p["x"]) for i in range(1, count + 1))
    return ((out - p["t"]) ** 2).sum() / 2


def machine(p: Values, count: int, m: Any) -> Any:
    out = p["w"] @ p["x"]
    for i in range(1, count + 1):
        out = out + ((p[f"W_{i}"] @ p["x"]) ** 2 - ((p[f"W_{i}"] * p["x"]) ** 2).sum()) / 2
    return (out - p["t"]) ** 2 / 2


def tucker(p: Values, count: int, m: Any) -> Any:
    out = 0.0
    for i in range(1, count + 1):
        for c in (1, 2):
            out = out + p[f"g_{c}_{i}"] * p[f"W_{i}"][:, None] * p[f"v_{c}"][None, :]
    return ((out - p["Y"]) ** 2).sum() / 2


def batch(p: Values, count: int, m: Any) -> Any:
    loss = 0.0
    for i in range(1, count + 1):
        x = p[f"x_{i}"]
        loss = loss + ((rows_softmax(m, x @ p["A"] @ x.T) @ x @ p["W"] - p[f"y_{i}"]) ** 2).sum()
    return loss / count


def entries(p: Values, count: int, m: Any) -> Any:
    """Members picked by number, entries of a vector by an index, two indices of one length."""
    e = m.exp(p["v"] - p["v"].max())
    q = e / e.sum()
    out = 0.0
    for i in range(1, count + 1):
        for j in range(1, count + 1):
            out = out + i * q[i - 1] * (p[f"W_{i}"] @ p[f"W_{j}"])
    return out**2 + p[f"W_{count}"][0] + (p["W_1"] ** 2).sum()


_HEADS = """X = { shape = "M, D", role = "input" }
Y = { shape = "M, D", role = "given" }
Wq = { shape = "D, K", each = "i" }
Wk = { shape = "D, K", each = "i" }
Wv = { shape = "D, 3", each = "i" }
"""
_SCORES = """q[i] = X @ Wq[i]
k[i] = X @ Wk[i]
v[i] = X @ Wv[i]
"""
_PAIR = 'x = { shape = "K" }\ny = { shape = "D" }\nW = { shape = "K, D", each = "i" }\n'

MODELS: dict[str, tuple[str, str, dict[str, int], Loss]] = {
    "attention": (_HEADS + 'Wo = { shape = "3, D", each = "i" }', _SCORES + """A[i] = softmax(q[i] @ k[i].T / sqrt(D), 1)
O[i] = A[i] @ v[i] @ Wo[i]
S = sum(O[i])
L = 1/2 * norm(S - Y)^2""", {}, attention),
    "joined": (_HEADS + 'W = "3*LENGTH, D"', _SCORES + "O[i] = softmax(q[i] @ k[i].T, 1) @ v[i]\nL = 1/2 * norm(hstack(O[i]) @ W - Y)^2", {}, joined),
    "channels": ("""x = { shape = "5", each = "c" }
W = { shape = "K", each = "c, i" }
b = { shape = "", each = "i" }
t = { shape = "6 - K", each = "i" }""", """s[i] = sum(conv(x[c], W[c, i])) + b[i]
L = 1/2 * sum(norm(tanh(s[i]) - t[i])^2)""", {"c": 2}, channels),
    "bilinear": (_PAIR + 'V = { shape = "K", each = "i" }\nb = { shape = "", each = "i" }\nu = { each = true }',
                 """h[i] = tanh(x.T @ W[i] @ y + dot(V[i], x) + b[i])
s = sum(u[i] * h[i])
L = s^2""", {}, bilinear),
    "tensor_layer": (_PAIR + 'V = "LENGTH, K"\nA = "M, LENGTH"', """z[i] = x.T @ W[i] @ y
h = tanh(concat(z[i]) + V @ x)
L = sum((A @ h)^2)""", {}, tensor_layer),
    "experts": ('x = "D"\nt = "K"\ng = { shape = "D", each = "i" }\nW = { shape = "K, D", each = "i" }', """e[i] = exp(dot(g[i], x))
Z = sum(e[i])
r[i] = e[i] / Z * tanh(W[i] @ x)
f = sum(r[i])
L = 1/2 * norm(f - t)^2""", {}, experts),
    "machine": ('x = "D"\nt = ""\nw = "D"\nW = { shape = "D", each = "i" }', """a[i] = 1/2 * (dot(W[i], x)^2 - norm(W[i] * x)^2)
s = sum(a[i])
L = 1/2 * (dot(w, x) + s - t)^2""", {}, machine),
    "tucker": ('g = { each = "c, i" }\nW = { shape = "K", each = "i" }\nv = { shape = "D", each = "c" }\nY = "K, D"',
                 """S = sum(g[c, i] * W[i] @ v[c].T)
L = 1/2 * norm(S - Y)^2""", {"c": 2}, tucker),
    "batch": ('x = { shape = "M, D", each = "i" }\ny = { shape = "M, K", each = "i" }\nA = "D, D"\nW = "D, K"',
                 """E[i] = softmax(x[i] @ A @ x[i].T, 1) @ x[i] @ W - y[i]
L = mean(norm(E[i])^2)""", {}, batch),
    "entries": ('v = "LENGTH"\nW = { shape = "D", each = "i" }', """p = softmax(v)
S = sum(i * p[i] * dot(W[i], W[j]), i, j)
L = S^2 + W[last][1] + sum(W[1]^2)""", {"j": 0}, entries),
}
SYMBOLIC = tuple(n for n in MODELS if n not in ("joined", "tensor_layer", "entries"))
"""Those that need no number for the length."""
