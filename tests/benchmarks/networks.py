"""The networks that are measured, as graphs of symgrad and by hand."""

from __future__ import annotations

from typing import Any

from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Problem
from symgrad.reader.read import read_text
from symgrad.rules.adjoints import accumulate


def scalar_net(width: int, depth: int, activation: str = "sigmoid") -> Problem:
    """`depth` hidden layers of `width` units and one output, every weight its own symbol, squared loss."""
    layers = ", ".join(map(str, (*[width] * (depth + 1), 1)))
    text = f"""format = 1
id = "net"
title = "A network"
[network]
layers = [{layers}]
activation = "{activation}"
[[part]]
label = "a"
ask = "gradient"
of = "Loss"
wrt = "parameters"
"""
    return read_text(text, "net.toml")[0]


def vector_net(sizes: tuple[str, ...]) -> Problem:
    """A network in vector form, sigmoid after every layer, half the squared distance to a target."""
    last = len(sizes) - 1
    symbols = "\n".join(f'W{i} = {{ shape = "{sizes[i]}, {sizes[i - 1]}" }}\nb{i} = {{ shape = "{sizes[i]}" }}' for i in range(1, last + 1))
    let = "\n".join(f"z{i} = W{i} @ {f'h{i - 1}' if i > 1 else 'x'} + b{i}\nh{i} = sigmoid(z{i})" for i in range(1, last + 1))
    text = f"""format = 1
id = "net"
title = "A network"
[symbols]
x = {{ shape = "{sizes[0]}", role = "input" }}
t = {{ shape = "{sizes[-1]}", role = "given" }}
{symbols}
[model]
let = '''
{let}
L = 1/2 * norm(h{last} - t)^2
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = "parameters"
"""
    return read_text(text, "net.toml")[0]


def parameters(graph: Graph) -> tuple[str, ...]:
    return tuple(v.name for v in graph.variables if v.role == "parameter")


def with_adjoints(graph: Graph, of: str, wrt: tuple[str, ...]) -> Graph:
    """The graph with the adjoints that symgrad derives as further definitions."""
    found = accumulate(graph, of, wrt)
    return graph.extended(tuple(Node(f"{name}_bar", a.expr) for name, a in found.items()))


def casadi_net(width: int, depth: int, activation: str = "sigmoid") -> tuple[Any, Any, Any]:
    """The same scalar network in CasADi: inputs and target, parameters, loss."""
    import casadi as ca

    x = [ca.SX.sym(f"x{i}") for i in range(width)]
    target = ca.SX.sym("Y")
    weights: list[Any] = []
    h = x
    for layer in range(depth + 1):
        z = []
        for _ in range(width if layer < depth else 1):
            row = [ca.SX.sym("w") for _ in h]
            bias = ca.SX.sym("b")
            weights += [*row, bias]
            total = bias
            for a, b in zip(row, h, strict=True):
                total = total + a * b
            z.append(total)
        hidden = layer < depth
        h = [(1 / (1 + ca.exp(-s)) if activation == "sigmoid" else ca.fmax(s, 0)) if hidden else s for s in z]
    return ca.vertcat(*x, target), ca.vertcat(*weights), (target - h[0]) ** 2
