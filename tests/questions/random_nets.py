"""Random ReLU nets with random facts, and two evaluators that share no code with symgrad: NumPy batches and exact dual numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

Term = tuple[str, str]
"""weight * source."""


@dataclass
class Net:
    """Nodes in order: (name, "affine", terms, bias), (name, "relu" | "leaky", argument), (name, "max", a, b)."""

    inputs: list[str]
    weights: list[str]
    biases: list[str]
    nodes: list[tuple[Any, ...]]
    facts: list[tuple[str, str, Fraction]] = field(default_factory=list)

    def toml(self, asked: list[str], convention: str = "") -> str:
        """The problem file that asks for these names."""
        lines = []
        for n in self.nodes:
            match n[1]:
                case "affine":
                    lines.append(f"{n[0]} = {' + '.join(f'{w}*{s}' for w, s in n[2])} + {n[3]}")
                case "relu":
                    lines.append(f"{n[0]} = relu({n[2]})")
                case "leaky":
                    lines.append(f"{n[0]} = leaky_relu({n[2]}, 1/10)")
                case "max":
                    lines.append(f"{n[0]} = max({n[2]}, {n[3]})")
        let = "\n".join(lines)
        symbols = "\n".join(f"{n} = {{}}" for n in (*self.inputs, *self.weights, *self.biases, "t"))
        facts = ", ".join(f'"{a} {r} {c}"' for a, r, c in self.facts)
        names = ", ".join(f'"{n}"' for n in asked)
        return (f'format = 1\nid = "x"\ntitle = "x"\n[symbols]\n{symbols}\n[functions]\nloss = 2\n[model]\nlet = """\n{let}\nL = loss(y, t)\n"""\n'
                f'[conventions]\n{convention}\n[[part]]\nlabel = "a"\nask = "always_zero"\nof = "L"\nwrt = [{names}]\nfacts = [{facts}]\n')


def random_net(random: Random) -> Net:
    inputs = [f"x{i}" for i in range(1, random.randint(1, 2) + 1)]
    net = Net(inputs, [], [], [])
    sources = list(inputs)
    for layer in range(1, random.randint(1, 3) + 1):
        fresh = []
        for unit in range(1, random.randint(1, 2) + 1):
            name = f"{layer}_{unit}"
            chosen = random.sample(sources, min(len(sources), random.randint(1, 2)))
            net.nodes.append((f"z{name}", "affine", [(weight(net, random), s) for s in chosen], bias(net)))
            net.nodes.append((f"h{name}", "leaky" if random.random() < 0.1 else "relu", f"z{name}"))
            fresh.append(f"h{name}")
        if len(fresh) == 2 and random.random() < 0.2:
            net.nodes.append((f"m{layer}", "max", *fresh))
            fresh = [f"m{layer}"]
        sources = fresh + (random.sample(sources, 1) if random.random() < 0.3 else [])
    net.nodes.append(("y", "affine", [(weight(net, random), s) for s in sources], bias(net)))
    for _ in range(random.randint(0, 4)):
        kind = random.choice("zzzhwx")
        names = {"z": [n[0] for n in net.nodes if n[0][0] == "z"], "h": [n[0] for n in net.nodes if n[1] == "relu"],
                 "w": net.weights, "x": net.inputs}[kind]
        if names:
            relation, value = random.choice({"z": [("=", -1), ("<", 0), ("<", 0), (">", 0), ("=", 2), ("<=", 0), (">=", 1), ("<", -3)],
                                             "h": [("=", 0), (">", 0), ("=", 2), ("<", 3)],
                                             "w": [("=", 0), ("=", 0), ("=", 1), (">", 0), ("<", 0)],
                                             "x": [("=", 0), ("=", 1), (">", 0), ("<=", 0)]}[kind])
            net.facts.append((random.choice(names), relation, Fraction(value)))
    return net


def weight(net: Net, random: Random) -> str:
    """A new weight, or sometimes one that is there already."""
    if net.weights and random.random() < 0.12:
        return random.choice(net.weights)
    net.weights.append(f"w{len(net.weights) + 1}")
    return net.weights[-1]


def bias(net: Net) -> str:
    net.biases.append(f"b{len(net.biases) + 1}")
    return net.biases[-1]


# ---- the facts can hold: every pre-activation has a bias of its own --------------------------------------------------


def wanted(net: Net) -> dict[str, tuple[float, float, bool, bool]] | None:
    """Bounds (low, high, low open, high open) of names and pre-activations, or None if they contradict each other."""
    found: dict[str, tuple[float, float, bool, bool]] = {}
    for name, relation, c in net.facts:
        value = float(c)
        low, high = {"=": (value, value), "<": (-np.inf, value), "<=": (-np.inf, value), ">": (value, np.inf), ">=": (value, np.inf)}[relation]
        low_open, high_open = relation == ">", relation == "<"
        if name[0] == "h":
            if high < 0:
                return None
            if low < 0 or (low == 0 and not low_open):
                low = -np.inf
            name = "z" + name[1:]
        a = found.get(name, (-np.inf, np.inf, False, False))
        low, low_open = max((a[0], a[2]), (low, low_open))
        high, high_open = min((a[1], a[3]), (high, high_open), key=lambda p: (p[0], not p[1]))
        if low > high or (low == high and (low_open or high_open)):
            return None
        found[name] = (low, high, low_open, high_open)
    return found


def drawn(bounds: tuple[float, float, bool, bool] | None, generator: np.random.Generator, count: int) -> np.ndarray:
    """Numbers within bounds, with ends and small whole numbers among them."""
    low, high, low_open, high_open = bounds or (-np.inf, np.inf, False, False)
    x = generator.choice([generator.normal(0, 2, count), generator.integers(-2, 3, count).astype(float)], axis=0)
    if low == high:
        return np.full(count, low)
    if np.isfinite(low) and np.isfinite(high):
        x = low + (high - low) * generator.uniform(0.01, 0.99, count)
    elif np.isfinite(low):
        x = low + np.abs(x) + (1e-3 if low_open else 0)
    elif np.isfinite(high):
        x = high - np.abs(x) - (1e-3 if high_open else 0)
    for end, is_open in ((low, low_open), (high, high_open)):
        if np.isfinite(end) and not is_open:
            x = np.where(generator.uniform(size=count) < 0.2, end, x)
    return x


def attack(net: Net, count: int, seed: int, slope: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Values and d loss / d name at points that satisfy the facts; `slope` is the derivative at kinks; the loss has slope 1.7."""
    generator = np.random.default_rng(seed)
    bounds = wanted(net)
    assert bounds is not None
    v = {n: drawn(bounds.get(n), generator, count) for n in (*net.inputs, *net.weights, *net.biases)}
    for n in net.nodes:
        match n[1]:
            case "affine":
                rest = sum(v[w] * v[s] for w, s in n[2])
                if n[0] in bounds:
                    target = drawn(bounds[n[0]], generator, count)
                    v[n[3]], v[n[0]] = target - rest, target
                else:
                    v[n[0]] = rest + v[n[3]]
            case "relu":
                v[n[0]] = np.maximum(v[n[2]], 0)
            case "leaky":
                v[n[0]] = np.where(v[n[2]] > 0, v[n[2]], 0.1 * v[n[2]])
            case "max":
                v[n[0]] = np.maximum(v[n[2]], v[n[3]])
    bar = {n: np.zeros(count) for n in v}
    bar["y"] = np.full(count, 1.7)
    for n in reversed(net.nodes):
        g = bar[n[0]]
        match n[1]:
            case "affine":
                for w, s in n[2]:
                    bar[w] = bar[w] + g * v[s]
                    bar[s] = bar[s] + g * v[w]
                bar[n[3]] = bar[n[3]] + g
            case "relu" | "leaky":
                z = v[n[2]]
                low = 0.1 if n[1] == "leaky" else 0.0
                bar[n[2]] = bar[n[2]] + g * np.where(z > 0, 1.0, np.where(z < 0, low, slope))
            case "max":
                first = np.where(v[n[2]] > v[n[3]], 1.0, np.where(v[n[2]] < v[n[3]], 0.0, slope))
                bar[n[2]] = bar[n[2]] + g * first
                bar[n[3]] = bar[n[3]] + g * (1 - first)
    return v, bar


# ---- exact dual numbers --------------------------------------------------------------------------------------------------


def dual(net: Net, point: dict[str, Fraction], name: str, slope: Fraction = Fraction(0)) -> tuple[dict[str, Fraction], Fraction, bool]:
    """Node values, dy/d name (with `slope` at kinks), and whether no kink is met: forward-mode differentiation in exact numbers."""
    v = {n: (x, Fraction(int(n == name))) for n, x in point.items()}
    smooth = True
    for n in net.nodes:
        match n[1]:
            case "affine":
                a, da = v[n[3]]
                for w, s in n[2]:
                    a, da = a + v[w][0] * v[s][0], da + v[w][1] * v[s][0] + v[w][0] * v[s][1]
                v[n[0]] = a, da
            case "relu" | "leaky":
                a, da = v[n[2]]
                smooth &= a != 0
                low = Fraction(1, 10) if n[1] == "leaky" else Fraction(0)
                v[n[0]] = (a, da) if a > 0 else (low * a, low * da) if a < 0 else (a, slope * da)
            case "max":
                a, b = v[n[2]], v[n[3]]
                smooth &= a[0] != b[0]
                v[n[0]] = a if a[0] > b[0] else b if a[0] < b[0] else (a[0], slope * a[1] + (1 - slope) * b[1])
    return {n: x for n, (x, _) in v.items()}, v["y"][1], smooth


def hold(net: Net, values: dict[str, Fraction]) -> bool:
    """Do the facts hold?"""
    return all({"=": x == c, "<": x < c, "<=": x <= c, ">": x > c, ">=": x >= c}[r] for n, r, c in net.facts for x in [values[n]])
