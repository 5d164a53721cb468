"""Pairs of networks for the tests of find_parameters, and two evaluators that share nothing with the code under test.

`run` executes a let-list as NumPy text; `value` computes an answer entry by entry.  A case states its answers as NumPy text too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from sympy import Add, Expr, HadamardProduct, Identity, MatAdd, MatMul, MatrixSymbol, Mul, Number, OneMatrix, Pow, Symbol, Transpose, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.language.problem import Problem
from symgrad.reader.read import read_text


@dataclass(frozen=True)
class Case:
    """Two let-lists, the shapes of the first network's symbols ("x" is the input), those of the unknowns, the answers as text."""

    symbols: dict[str, str]
    model: str
    template: str
    unknowns: dict[str, str]
    answers: dict[str, str] = field(default_factory=dict)
    of: str = "y"
    extra: str = ""
    given: dict[str, str] = field(default_factory=dict)  # stated numbers as TOML, role given

    def text(self) -> str:
        rows = [f'{n} = {{ shape = "{s}", role = "{self.role(n)}"{f", value = {self.given[n]}" if n in self.given else ""} }}'
                for n, s in self.symbols.items()]
        unknowns = ", ".join(f'{n} = "{s}"' for n, s in self.unknowns.items())
        return "\n".join([
            'format = 1', 'id = "pair"', 'title = "A pair of networks"', '[symbols]', *rows, '[model]', "let = '''", self.model, "'''",
            '[[part]]', 'label = "a"', 'ask = "find_parameters"', f'of = "{self.of}"', "template = '''", self.template, "'''",
            f'unknowns = {{ {unknowns} }}', self.extra, ''])

    def role(self, name: str) -> str:
        return "input" if name.lower().startswith("x") else "given" if name in ("mu", "s", "P", "var", "sd") or name in self.given else "parameter"

    def problem(self) -> Problem:
        return read_text(self.text(), "pair.toml")[0]


MLP = {"x": "D", "W1": "M, D", "b1": "M", "W2": "K, M", "b2": "K"}
LAYERS = {"V1": "M, D", "v1": "M", "V2": "K, M", "v2": "K"}
PAIR = {"V": "M, D", "v": "M", "Q": "M, D", "q": "M", "A": "K, M", "B": "K, M", "a": "K"}
TWO = "h = relu(V @ x + v)\ng = relu(Q @ x + q)\ny = A @ h + B @ g + a"
DEEP = {"x": "D", "W1": "M, D", "b1": "M", "W2": "N, M", "b2": "N", "W3": "K, N", "b3": "K"}


def mlp(activation: str) -> str:
    return f"z = W1 @ x + b1\nh = {activation}\ny = W2 @ h + b2"


def other(activation: str) -> str:
    return f"z = V1 @ x + v1\nh = {activation}\ny = V2 @ h + v2"


HALVES = {"V1": "W1/2", "v1": "b1/2", "V2": "W2/2", "v2": "b2 + W2 @ ones(M)/2"}

CASES: dict[str, Case] = {
    "sigmoid to tanh": Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, HALVES),
    "sigmoid to tanh in one line": Case(MLP, "y = sigmoid(W2 @ sigmoid(W1 @ x + b1) + b2)", "y = sigmoid(V2 @ tanh(V1 @ x + v1) + v2)",
                                        LAYERS, HALVES),
    "tanh to sigmoid": Case(MLP, mlp("tanh(z)"), other("sigmoid(z)"), LAYERS,
                            {"V1": "2*W1", "v1": "2*b1", "V2": "2*W2", "v2": "b2 - W2 @ ones(M)"}),
    "softmax output": Case(MLP, mlp("sigmoid(z)") + "\np = softmax(y)", other("tanh(z)") + "\np = softmax(y)", LAYERS, HALVES, of="p"),
    "three layers": Case(
        DEEP, "h1 = sigmoid(W1 @ x + b1)\nh2 = sigmoid(W2 @ h1 + b2)\ny = W3 @ h2 + b3",
        "h1 = tanh(V1 @ x + v1)\nh2 = tanh(V2 @ h1 + v2)\ny = V3 @ h2 + v3",
        {"V1": "M, D", "v1": "M", "V2": "N, M", "v2": "N", "V3": "K, N", "v3": "K"},
        {"V1": "W1/2", "v1": "b1/2", "V2": "W2/4", "v2": "b2/2 + W2 @ ones(M)/4", "V3": "W3/2", "v3": "b3 + W3 @ ones(N)/2"}),
    "skip connections": Case(
        {**DEEP, "U2": "N, D", "U3": "K, M"}, "h1 = sigmoid(W1 @ x + b1)\nh2 = sigmoid(W2 @ h1 + U2 @ x + b2)\ny = W3 @ h2 + U3 @ h1 + b3",
        "h1 = tanh(V1 @ x + v1)\nh2 = tanh(V2 @ h1 + Q2 @ x + v2)\ny = V3 @ h2 + Q3 @ h1 + v3",
        {"V1": "M, D", "v1": "M", "V2": "N, M", "v2": "N", "V3": "K, N", "v3": "K", "Q2": "N, D", "Q3": "K, M"},
        {"V2": "W2/4", "Q2": "U2/2", "Q3": "U3/2", "v3": "b3 + W3 @ ones(N)/2 + U3 @ ones(M)/2"}),
    "residual": Case({"x": "D", "W1": "M, D", "b1": "M", "W2": "D, M", "b2": "D"}, "y = x + W2 @ sigmoid(W1 @ x + b1) + b2",
                     "y = x + V2 @ tanh(V1 @ x + v1) + v2", {"V1": "M, D", "v1": "M", "V2": "D, M", "v2": "D"}, HALVES),
    "softmax of two to sigmoid": Case({"x": "D", "W": "2, D", "b": "2"}, "a = W @ x + b\np = softmax(a)\ny = p[1]",
                                      "y = sigmoid(v.T @ x + v0)", {"v": "D", "v0": ""}, {"v": "(W[[0]] - W[[1]]).T", "v0": "b[0, 0] - b[1, 0]"}),
    "second class": Case({"x": "D", "W": "2, D", "b": "2"}, "y = softmax(W @ x + b)[2]", "y = sigmoid(dot(v, x) + v0)", {"v": "D", "v0": ""},
                         {"v": "(W[[1]] - W[[0]]).T", "v0": "b[1, 0] - b[0, 0]"}),
    "sigmoid to softmax of two": Case({"x": "D", "w": "D", "b": ""}, "y = sigmoid(w.T @ x + b)", "p = softmax(V @ x + v)\ny = p[1]",
                                      {"V": "2, D", "v": "2"}),
    "leaky relu to a pair": Case(MLP, mlp("leaky_relu(z, 1/5)"), TWO, PAIR, {"V": "W1", "Q": "-W1", "A": "W2", "B": "-W2/5", "a": "b2"}),
    "leaky relu to relu and a skip": Case(MLP, mlp("leaky_relu(z)"), "y = A @ relu(V @ x + v) + B @ x + a",
                                          {"V": "M, D", "v": "M", "A": "K, M", "B": "K, D", "a": "K"},
                                          {"A": "0.99*W2", "B": "W2 @ W1/100", "a": "b2 + W2 @ b1/100"}),
    "identity to a pair": Case(MLP, "z = W1 @ x + b1\ny = W2 @ z + b2", TWO, PAIR, {"V": "W1", "Q": "-W1", "A": "W2", "B": "-W2", "a": "b2"}),
    "hard tanh to a pair": Case(MLP, mlp("max(min(z, 1), -1)"), TWO, PAIR,
                                {"V": "W1", "v": "b1 + 1", "Q": "W1", "q": "b1 - 1", "A": "W2", "B": "-W2", "a": "b2 - W2 @ ones(M)"}),
    "a pair to hard tanh": Case(MLP, mlp("relu(z + 1) - relu(z - 1) - 1"), other("max(-1, min(1, z))"), LAYERS, {"V1": "W1", "V2": "W2"}),
    "relu6 to a pair": Case(MLP, mlp("min(relu(z), 6)"), TWO, PAIR, {"q": "b1 - 6", "B": "-W2"}),
    "absolute value to a pair": Case(MLP, mlp("abs(z)"), TWO, PAIR, {"Q": "-W1", "A": "W2", "B": "W2"}),
    "a pair to the absolute value": Case(MLP, mlp("relu(z) + relu(-z)"), other("abs(z)"), LAYERS, {"V2": "W2"}),
    "a pair to the identity": Case(MLP, mlp("relu(z) - relu(-z)"), "y = V @ x + v", {"V": "K, D", "v": "K"}, {"V": "W2 @ W1", "v": "W2 @ b1 + b2"}),
    "linear layers collapse": Case(MLP, "y = W2 @ (W1 @ x + b1) + b2", "y = V @ x + v", {"V": "K, D", "v": "K"},
                                   {"V": "W2 @ W1", "v": "W2 @ b1 + b2"}),
    "one linear layer as two": Case({"x": "D", "W": "K, D", "b": "K"}, "y = W @ x + b", "h = V1 @ x + v1\ny = V2 @ h + v2",
                                    {"V1": "K, D", "v1": "K", "V2": "K, K", "v2": "K"}, {"V1": "W", "V2": "eye(K)", "v2": "b"}),
    "normalisation folded in": Case({"x": "D", "mu": "D", "s": "D", "W": "K, D", "b": "K"}, "n = (x - mu) * s\ny = W @ n + b", "y = V @ x + v",
                                    {"V": "K, D", "v": "K"}, {"V": "W * s.T", "v": "b - W @ (mu * s)"}),
    "batch norm folded in": Case(
        {"x": "D", "W1": "M, D", "b1": "M", "mu": "M", "var": "M", "gamma": "M", "beta": "M", "eps": "", "W2": "K, M", "b2": "K"},
        "z = W1 @ x + b1\nn = gamma * (z - mu) / sqrt(var + eps) + beta\nh = relu(n)\ny = W2 @ h + b2", other("relu(z)"), LAYERS,
        {"V1": "gamma / sqrt(var + eps) * W1", "v1": "gamma * (b1 - mu) / sqrt(var + eps) + beta", "V2": "W2", "v2": "b2"}),
    "units permuted": Case({**MLP, "P": "M, M"}, mlp("sigmoid(z)"), "h = sigmoid(P @ (W1 @ x + b1))\ny = V @ h + v", {"V": "K, M", "v": "K"},
                           {"V": "W2 @ P.T", "v": "b2"}, extra='permutations = ["P"]'),
    "units permuted by numbers": Case({"x": "D", "W1": "3, D", "b1": "3", "W2": "K, 3", "b2": "K", "P": "3, 3"}, mlp("relu(z)"),
                                      "h = relu(P @ (W1 @ x + b1))\ny = V @ h + v", {"V": "K, 3", "v": "K"}, {"V": "W2 @ P.T"},
                                      given={"P": "[[0, 1, 0], [0, 0, 1], [1, 0, 0]]"}),
    "tanh of the permuted": Case({**MLP, "P": "M, M"}, mlp("sigmoid(z)"), "h = tanh(P @ (V1 @ x + v1))\ny = V2 @ h + v2", LAYERS,
                                 {"V1": "P.T @ W1/2", "V2": "W2/2"}, extra='permutations = ["P"]'),
    "signs turned": Case(MLP, mlp("tanh(z)"), "h = tanh(-(V1 @ x + v1))\ny = V2 @ h + v2", LAYERS, {"V1": "-W1", "V2": "W2"}),
    "signs turned as given": Case(MLP, mlp("tanh(z)"), "h = tanh(-(W1 @ x + b1))\ny = V @ h + v", {"V": "K, M", "v": "K"}, {"V": "-W2"}),
    "signs of some units": Case({**MLP, "s": "M"}, mlp("tanh(z)"), "h = tanh(s * (W1 @ x + b1))\ny = V @ h + v", {"V": "K, M", "v": "K"},
                                {"V": "W2 * s.T"}, extra='signs = ["s"]'),
    "relu turned, with a skip": Case(MLP, mlp("relu(z)"), "h = relu(-(W1 @ x + b1))\ny = V @ h + U @ x + v",
                                     {"V": "K, M", "U": "K, D", "v": "K"}, {"V": "W2", "U": "W2 @ W1", "v": "b2 + W2 @ b1"}),
    "one output": Case({"x": "D", "W": "M, D", "b": "M", "w": "M", "c": ""}, "y = w.T @ sigmoid(W @ x + b) + c",
                       "h = tanh(V @ x + v)\ny = h.T @ u + d", {"V": "M, D", "v": "M", "u": "M", "d": ""}, {"u": "w/2", "d": "c + sum(w)/2"}),
    "transposed weights": Case({"x": "D", "W1": "D, M", "b1": "M", "W2": "M, K", "b2": "K"}, "y = W2.T @ sigmoid(W1.T @ x + b1) + b2",
                               "y = V2.T @ tanh(V1.T @ x + v1) + v2", {"V1": "D, M", "v1": "M", "V2": "M, K", "v2": "K"},
                               {"V1": "W1/2", "v2": "b2 + W2.T @ ones(M)/2"}),
    "a batch": Case({"X": "B, D", "W1": "M, D", "b1": "M", "W2": "K, M", "b2": "K"},
                    "H = sigmoid(X @ W1.T + ones(B) @ b1.T)\nY = H @ W2.T + ones(B) @ b2.T",
                    "H = tanh(X @ V1.T + ones(B) @ v1.T)\nY = H @ V2.T + ones(B) @ v2.T", LAYERS, HALVES, of="Y"),
    "a neuron as two": Case({"x": "", "w": "", "b": ""}, "y = w*x + b", "y = a*relu(p*x + q) + c*relu(r*x + s0) + d",
                            {"a": "", "p": "", "q": "", "c": "", "r": "", "s0": "", "d": ""}),
    "units one by one": Case({"x1": "", "x2": "", "w11": "", "w12": "", "w21": "", "b1": "", "b2": "", "u1": "", "u2": "", "c": ""},
                             "h1 = sigmoid(w11*x1 + w12*x2 + b1)\nh2 = sigmoid(w21*x1 + b2)\ny = u1*h1 + u2*h2 + c",
                             "g1 = tanh(p11*x1 + p12*x2 + q1)\ng2 = tanh(p21*x1 + q2)\ny = r1*g1 + r2*g2 + t",
                             dict.fromkeys(("p11", "p12", "p21", "q1", "q2", "r1", "r2", "t"), ""), {"r2": "u2/2", "t": "c + u1/2 + u2/2"}),
    "unknown activation": Case(MLP, mlp("g(z)"), "h = g(2*(V1 @ x) - v1)\ny = V2 @ h + v2", LAYERS, {"V1": "W1/2", "v1": "-b1", "V2": "W2"}),
    "swish to u tanh(u)": Case(MLP, mlp("z * sigmoid(z)"), "u = V @ x + v\nh = u * tanh(u)\ny = A @ h + B @ x + a",
                               {"V": "M, D", "v": "M", "A": "K, M", "B": "K, D", "a": "K"}, {"V": "W1/2", "A": "W2", "B": "W2 @ W1/2"}),
    "scaled tanh to sigmoid": Case(MLP, mlp("1.7159 * tanh(2/3 * z)"), other("sigmoid(z)"), LAYERS,
                                   {"V1": "4/3*W1", "V2": "3.4318*W2", "v2": "b2 - 1.7159*W2 @ ones(M)"}),
    "softplus to log sigmoid": Case(MLP, mlp("softplus(z)"), other("log(sigmoid(z))"), LAYERS, {"V1": "-W1", "V2": "-W2"}),
    "temperature": Case({**MLP, "T": ""}, "h = sigmoid(T * (W1 @ x + b1))\ny = softmax((W2 @ h + b2) / T)",
                        "h = tanh(V1 @ x + v1)\ny = softmax(V2 @ h + v2)", LAYERS, {"V1": "T/2*W1", "V2": "W2/(2*T)"}),
    "rescaled input": Case(MLP, "t = 2*x - 1\nh = tanh(W1 @ t + b1)\ny = W2 @ h + b2", other("tanh(z)"), LAYERS,
                           {"V1": "2*W1", "v1": "b1 - W1 @ ones(D)"}),
    "sum of the units": Case({"x": "D", "W": "M, D", "b": "M"}, "y = sum(sigmoid(W @ x + b))", "y = sum(tanh(V @ x + v)) * a + c",
                             {"V": "M, D", "v": "M", "a": "", "c": ""}, {"a": "1/2", "c": "M/2"}),
    "squares to rectified squares": Case(MLP, mlp("z^2"), "h = relu(V @ x + v)^2\ng = relu(Q @ x + q)^2\ny = A @ h + B @ g + a", PAIR,
                                         {"Q": "-W1", "B": "W2"}),
    "part prescribed": Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, {"v1": "-b1/2", "V2": "-W2/2", "v2": "b2 + W2 @ ones(M)/2"},
                            extra='given = { V1 = "-1/2 * W1" }'),
    "all prescribed": Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, HALVES,
                           extra='given = { V1 = "1/2 * W1", v1 = "1/2 * b1", V2 = "1/2 * W2", v2 = "b2 + 1/2 * W2 @ ones(M)" }'),
    "an unused unit": Case(MLP, mlp("relu(z)"), TWO, PAIR, {"V": "W1", "A": "W2", "B": "0*W2"}),
}

NONE: dict[str, Case] = {
    "relu turned": Case(MLP, mlp("relu(z)"), "h = relu(-(W1 @ x + b1))\ny = V @ h + v", {"V": "K, M", "v": "K"}),
    "relu turned, a candidate": Case(MLP, mlp("relu(z)"), other("relu(z)"), LAYERS,
                                     extra='given = { V1 = "-W1", v1 = "-b1", V2 = "-W2", v2 = "b2" }'),
    "the sum forgotten": Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS,
                              extra='given = { V1 = "1/2 * W1", v1 = "1/2 * b1", V2 = "1/2 * W2", v2 = "b2" }'),
    "absolute value by one relu": Case(MLP, mlp("abs(z)"), "h = relu(W1 @ x + b1)\ny = V @ h + v", {"V": "K, M", "v": "K"}),
    "square by a line": Case({"x": "", "w": ""}, "y = w*x^2", "y = a*x + c", {"a": "", "c": ""}),
    "three points on a parabola": Case({"x": "", "w": ""}, "y = relu(x) + w", "y = a*x + c", {"a": "", "c": ""}),
}

UNSUPPORTED: dict[str, tuple[Case, str]] = {
    "softplus to sigmoid": (Case(MLP, mlp("softplus(z)"), other("sigmoid(z)"), LAYERS), "softplus(u) is not c g(a u + b) + e u + d"),
    "sign to step": (Case(MLP, mlp("sign(z)"), other("step(z)"), LAYERS), "sign(u) is not"),
    "no bias": (Case(MLP, mlp("sigmoid(z)"), "h = tanh(V1 @ x + v1)\ny = V2 @ h", {"V1": "M, D", "v1": "M", "V2": "K, M"}),
                "the constant is 0 in the second network, it would have to be"),
    "too narrow": (Case(MLP, mlp("sigmoid(z)"), "h = tanh(V1 @ x + v1)\ny = V2 @ h + v2", {"V1": "D, D", "v1": "D", "V2": "K, D", "v2": "K"}),
                   "sigmoid(u) is not"),
    "fewer units": (Case({"x": "", "w": "", "p": ""}, "y = sigmoid(w*x) + sigmoid(p*x)", "y = a*tanh(b*x) + c", {"a": "", "b": "", "c": ""}),
                    "is not"),
}


# ---- evaluators ---------------------------------------------------------------------------------------------------------


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max())
    return e / e.sum()


NUMPY: dict[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "abs": np.abs, "exp": np.exp, "log": np.log,
    "leaky_relu": lambda z, a=0.01: np.where(z > 0, z, a * z), "max": np.maximum, "min": np.minimum, "sqrt": np.sqrt, "sign": np.sign,
    "softplus": lambda z: np.log1p(np.exp(z)), "softmax": softmax, "sum": np.sum, "mean": np.mean, "dot": lambda a, b: a.T @ b,
    "step": lambda z: 1.0 * (z >= 0), "ones": lambda n: np.ones((n, 1)), "eye": np.eye, "g": lambda z: np.sin(z) + z**3, "__builtins__": {},
}


def run(let: str, env: dict[str, Any]) -> dict[str, Any]:
    """The let-list as Python: columns are (N, 1) arrays, scalars numbers."""
    values = dict(env)
    for line in let.splitlines():
        name, _, text = line.partition("=")
        text = re.sub(r"(\w|\))\[(\d)\]", lambda m: f"{m[1]}[{int(m[2]) - 1}, 0]", text).replace("^", "**")
        found = eval(text.strip(), NUMPY | values)
        values[name.strip()] = found.item() if np.ndim(found) == 2 and found.shape == (1, 1) and "T @" in text else found
    return values


def draw(case: Case, rng: np.random.Generator) -> tuple[dict[str, int], dict[str, Any]]:
    """Sizes from 2 to 5 and normal numbers; permutations, signs, variances and stated numbers as they are meant."""
    sizes = {d: int(rng.integers(2, 6)) for s in case.symbols.values() for d in re.findall(r"[A-Z]", s)}
    values: dict[str, Any] = dict(sizes)
    for name, shape in case.symbols.items():
        n, m = ([int(sizes.get(d.strip(), d) if not d.strip().isdigit() else d) for d in shape.split(",")] + [1])[:2] if shape else (0, 0)
        number = rng.normal(size=(n, m)) if shape else float(rng.normal())
        if name == "P" and "P" not in case.given:
            number = np.eye(n)[rng.permutation(n)]
        elif f'signs = ["{name}"]' in case.extra:
            number = np.where(number > 0, 1.0, -1.0)
        elif name in ("var", "eps", "sd", "T"):
            number = abs(number) + 0.5
        elif name in case.given:
            number = np.array(eval(case.given[name]), dtype=float)
        values[name] = number
    return sizes, values


def value(e: Expr, env: dict[str, Any]) -> Any:
    """An answer as a number or a (N, M) array."""
    of = lambda x: value(x, env)
    size = lambda d: int(d) if d.is_Integer else env[str(d)]
    match e:
        case Number():
            return float(e)
        case MatrixSymbol() | Symbol():
            return env[e.name] if not isinstance(e, MatrixSymbol) else env[str(e.name)]
        case MatMul():
            return reduce(lambda a, b: a @ b if np.ndim(a) and np.ndim(b) else a * b, map(of, e.args))
        case Add() | MatAdd():
            return sum(map(of, e.args))
        case Mul() | HadamardProduct():
            return math.prod(map(of, e.args[1:]), start=of(e.args[0]))
        case Pow() | v.Power():
            return of(e.args[0]) ** of(e.args[1])
        case Transpose():
            return of(e.args[0]).T
        case Identity():
            return np.eye(size(e.shape[0]))
        case OneMatrix() | ZeroMatrix():
            return np.full([size(d) for d in e.shape], float(isinstance(e, OneMatrix)))
        case v.Unit():
            return np.eye(size(e.shape[0]))[:, [int(e.args[1]) - 1]]
        case v.Diag():
            return np.diag(of(e.arg)[:, 0])
        case v.AsScalar():
            return of(e.arg).item()
        case v.SumOf():
            return of(e.arg).sum()
        case v.Entry(args=(matrix, i, j)):
            return of(matrix)[int(i) - 1, int(j) - 1]
        case v.Elementwise():
            return NUMPY[e.fn.name](*map(of, e.arguments))
    raise TypeError(type(e).__name__)


def agree(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=1e-9, atol=1e-9))
