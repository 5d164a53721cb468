"""[network] layers = [3, 2, 2, 1] expands to the symbols and the let-list of a fully connected scalar network.

Names: inputs x1..xn, weights w{layer}_{from}{to}, biases b{layer}_{to}, pre-activations Z{layer}_{to}, activations
H{layer}_{to}; a layer of one unit drops the unit from its bias and output names; the target is Y, the loss Loss.
"""

from __future__ import annotations

from symgrad.language.errors import SpecError
from symgrad.reader.spec import MAX_LET, ModelSpec, NetworkSpec, Number, Numbers, SymbolSpec


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

    previous = [declare(f"x{i}", f"x_{{{i}}}", "input", value)
                for i, value in enumerate(entries(net.inputs, first, "inputs"), 1)]
    wide = max(net.layers) > 9
    for layer, units in enumerate(net.layers[1:], 1):
        activation = net.output if layer == depth else net.activation
        current = []
        for j in range(1, units + 1):
            one = units == 1 and layer == depth
            unit, low = ("", "") if one else (f"_{j}", f"_{{{j}}}")
            terms = []
            for i, source in enumerate(previous, 1):
                pair = f"{i}_{j}" if wide else f"{i}{j}"
                w = declare(f"w{layer}_{pair}", f"w_{{{i}{', ' if wide else ''}{j}}}^{{({layer})}}", "parameter", net.weights)
                terms.append(f"{w} * {source}")
            terms.append(declare(f"b{layer}{unit}", f"b{low}^{{({layer})}}", "parameter", net.biases))
            h = f"H{layer}{unit}"
            latex[h] = f"H{low}^{{({layer})}}"
            if activation == "identity":
                lines.append(f"{h} = {' + '.join(terms)}")
            else:
                z = f"Z{layer}{unit}"
                latex[z] = f"Z{low}^{{({layer})}}"
                lines += [f"{z} = {' + '.join(terms)}", f"{h} = {activation}({z})"]
            current.append(h)
        previous = current
    if net.loss != "none":
        targets = [declare("Y" if last == 1 else f"Y{j}", "Y" if last == 1 else f"Y_{{{j}}}", "given", value)
                   for j, value in enumerate(entries(net.target, last, "target"), 1)]
        squares = " + ".join(f"({t} - {h})^2" for t, h in zip(targets, previous, strict=True))
        lines.append(f"Loss = {squares}" if net.loss == "rss" else f"Loss = 1/2 * ({squares})")
        latex["Loss"] = r"\text{Loss}"
    let = "\n".join(lines)
    if len(let) > MAX_LET:
        raise SpecError(f"a network of {len(lines)} definitions is more than is written out; write it with vectors in [model]")
    return symbols, ModelSpec(let=let, latex=latex)
