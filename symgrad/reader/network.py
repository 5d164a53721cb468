"""[network] layers = [3, 2, 2, 1] expands to the symbols and the let-list of a fully connected scalar network.

Names: inputs x1..xn, weights w{layer}_{from}{to}, biases b{layer}_{to}, pre-activations Z{layer}_{to}, activations
H{layer}_{to}; a layer of one unit drops the unit from its bias and output names; the target is Y, the loss Loss.
Numbers of weights go by the names: weights[layer][from][to].
"""

from __future__ import annotations

from typing import Any

from symgrad.language.errors import SpecError
from symgrad.reader.spec import MAX_LET, ModelSpec, NetworkSpec, Number, Numbers, SymbolSpec

LOSSES = {
    "rss": "({t} - {h})^2", "half_squared": "({t} - {h})^2", "cross_entropy": "{t} * log({h})",
    "binary_cross_entropy": "({t} * log({h}) + (1 - {t}) * log(1 - {h}))", "hinge": "max(0, 1 - {t} * {h})",
}
BEFORE = {"half_squared": "1/2 * ", "cross_entropy": "-", "binary_cross_entropy": "-"}
"""What stands before the sum over the outputs."""


def expand(net: NetworkSpec) -> tuple[dict[str, SymbolSpec], ModelSpec]:
    """The symbols (with the stated numbers) and the let-list.  Raises SpecError if a list has the wrong length."""
    first, last, depth = net.layers[0], net.layers[-1], len(net.layers) - 1
    symbols: dict[str, SymbolSpec] = {}
    lines: list[str] = []
    latex: dict[str, str] = {}

    def declare(name: str, tex: str, role: str, value: Numbers | None) -> str:
        symbols[name] = SymbolSpec(role=role, latex=tex, value=value)
        return name

    def entries(given: Number | list[Number] | None, count: int, what: str) -> list[Number | None]:
        if given is None:
            return [None] * count
        found = given if isinstance(given, list) else [given]
        if len(found) != count:
            raise SpecError(f"network.{what} has {len(found)} numbers, the layer has {count} units")
        return list(found)

    weights, biases = by_layer(net.weights, depth, "weights"), by_layer(net.biases, depth, "biases")
    previous = [declare(f"x{i}", f"x_{{{i}}}", "input", value)
                for i, value in enumerate(entries(net.inputs, first, "inputs"), 1)]
    wide = max(net.layers) > 9
    for layer, units in enumerate(net.layers[1:], 1):
        activation = net.output if layer == depth else net.activation
        current = []
        table, column = grid(weights[layer - 1], len(previous), units, layer), biases[layer - 1]
        shifts = entries(column, units, f"biases[{layer}]") if isinstance(column, list) else [column] * units
        for j in range(1, units + 1):
            one = units == 1 and layer == depth
            unit, low = ("", "") if one else (f"_{j}", f"_{{{j}}}")
            terms = []
            for i, source in enumerate(previous, 1):
                pair = f"{i}_{j}" if wide else f"{i}{j}"
                w = declare(f"w{layer}_{pair}", f"w_{{{i}{', ' if wide else ''}{j}}}^{{({layer})}}", "parameter", table[i - 1][j - 1])
                terms.append(f"{w} * {source}")
            terms.append(declare(f"b{layer}{unit}", f"b{low}^{{({layer})}}", "parameter", shifts[j - 1]))
            h = f"H{layer}{unit}"
            latex[h] = f"H{low}^{{({layer})}}"
            if activation == "softmax" and layer == depth:
                latex[f"Z{layer}{unit}"] = f"Z{low}^{{({layer})}}"
                lines.append(f"Z{layer}{unit} = {' + '.join(terms)}")
            elif activation == "identity":
                lines.append(f"{h} = {' + '.join(terms)}")
            else:
                z = f"Z{layer}{unit}"
                latex[z] = f"Z{low}^{{({layer})}}"
                lines += [f"{z} = {' + '.join(terms)}", f"{h} = {activation}({z})"]
            current.append(h)
        if activation == "softmax" and layer == depth:
            powers = [f"exp(Z{h[1:]})" for h in current]
            lines += [f"{h} = {power} / ({' + '.join(powers)})" for h, power in zip(current, powers, strict=True)]
        previous = current
    if net.loss != "none":
        targets = [declare("Y" if last == 1 else f"Y{j}", "Y" if last == 1 else f"Y_{{{j}}}", "given", value)
                   for j, value in enumerate(entries(net.target, last, "target"), 1)]
        terms = [LOSSES[net.loss].format(t=t, h=h) for t, h in zip(targets, previous, strict=True)]
        before = BEFORE.get(net.loss, "")
        lines.append(f"Loss = {before}({' + '.join(terms)})" if before else f"Loss = {' + '.join(terms)}")
        latex["Loss"] = r"\text{Loss}"
    let = "\n".join(lines)
    if len(let) > MAX_LET:
        raise SpecError(f"a network of {len(lines)} definitions is more than is written out; write it with vectors in [model]")
    return symbols, ModelSpec(let=let, latex=latex)


def by_layer(given: Any, depth: int, what: str) -> list[Any]:
    """What is given for every layer: one number for all, or a list with an entry for each.  Raises SpecError for another length."""
    if not isinstance(given, list):
        return [given] * depth
    if len(given) != depth:
        raise SpecError(f"network.{what} is for {len(given)} layers; there are {depth} between the {depth + 1} sizes of network.layers")
    return given


def grid(given: Any, inputs: int, units: int, layer: int) -> list[list[Number | None]]:
    """The weights of one layer, [from][to].  Raises SpecError for another shape."""
    if not isinstance(given, list):
        return [[given] * units] * inputs
    if len(given) != inputs or any(len(row) != units for row in given):
        lengths = sorted({len(row) for row in given})
        raise SpecError(f"network.weights[{layer}] has {len(given)} rows of {' or '.join(map(str, lengths))}; a row for each of the {inputs} units "
                        f"that layer {layer} reads, with a number for each of its {units} units, is needed")
    return given
