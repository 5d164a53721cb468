"""ask = "check_network": is a candidate right, which property does it decide, how many marks does it earn?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from symgrad.language.errors import SpecError
from symgrad.language.problem import CheckNetwork
from symgrad.language.threshold import Layer, Level, misfit
from symgrad.reader.asks.layers import layers_of
from symgrad.reader.asks.network import UNKNOWN, Layers, NetworkPart, Properties, input_names, network_layers, one_each, wanted_of
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import did_you_mean, exact
from symgrad.reader.spec import Name, Number, Numbers, Spec


class LevelSpec(Spec):
    """A row of a mark scheme; what it leaves out is as in the part."""

    name: Annotated[str, Field(max_length=80)] = ""
    marks: Number
    property: Properties | None = None
    where: Annotated[str, Field(max_length=20_000)] | None = None


class CheckNetworkSpec(NetworkPart):
    ask: Literal["check_network"]
    property: Properties | None = Field(None, description="left out, or '?': find out which property the network decides")
    layers: Layers | None = Field(None, description="units a layer, inputs first; left out: as the arrays say")
    of: Name | None = Field(None, description="instead of arrays: the output of the [model], made of step units, with [values]")
    W: Annotated[list[Numbers], Field(max_length=8)] = Field([], description="the weights of all layers in one list")
    b: Annotated[list[Numbers], Field(max_length=8)] = []
    W1: Numbers | None = None
    b1: Numbers | None = None
    W2: Numbers | None = None
    b2: Numbers | None = None
    W3: Numbers | None = None
    b3: Numbers | None = None
    W4: Numbers | None = None
    b4: Numbers | None = None
    levels: Annotated[list[LevelSpec], Field(max_length=20)] = []


def arrays(spec: CheckNetworkSpec) -> tuple[list[Numbers], list[Numbers | None]]:
    """Weights and biases a layer.  Raises SpecError where they are given in two ways, or with a gap."""
    single = [(spec.W1, spec.b1), (spec.W2, spec.b2), (spec.W3, spec.b3), (spec.W4, spec.b4)]
    used = [k for k, (w, b) in enumerate(single, 1) if w is not None or b is not None]
    if spec.W or spec.b:
        if used:
            raise SpecError("the arrays are given twice: as W and b (all layers), and as W1, b1, ...")
        if not spec.W or len(spec.b) not in (0, len(spec.W)):
            raise SpecError(f"W has {len(spec.W)} layers, b has {len(spec.b)}; give one bias vector a layer, "
                            "or none at all for biases 0; W and b are lists of all layers, a single one is W1 and b1")
        return spec.W, [*spec.b] or [None] * len(spec.W)
    if not used:
        raise SpecError("a candidate is needed: W1, b1, W2, b2, ... (or W and b, lists of all layers; or of, a node of the [model])")
    for k in range(1, used[-1] + 1):
        if single[k - 1][0] is None:
            raise SpecError(f"W{k} is missing: the arrays go up to layer {used[-1]}")
    return [w for w, _ in single[:used[-1]] if w is not None], [b for _, b in single[:used[-1]]]


def from_model(spec: CheckNetworkSpec, r: PartReading) -> tuple[tuple[str, ...], tuple[Layer, ...]]:
    """Inputs and layers of the [model] up to the node `of`."""
    if spec.W or spec.b or any(x is not None for x in (spec.W1, spec.b1, spec.W2, spec.b2, spec.W3, spec.b3, spec.W4, spec.b4)):
        raise SpecError("the network is given twice: by the [model], and by arrays")
    of = str(spec.of)
    if of not in r.graph:
        raise SpecError(f"of: there is no {of}{did_you_mean(of, list(r.graph.names))}")
    return layers_of(r.graph, r.values, of)


def read(spec: CheckNetworkSpec, r: PartReading) -> CheckNetwork:
    names: tuple[str, ...] = ()
    if spec.of is not None:
        names, network = r.attempt(lambda: from_model(spec, r), "of") or ((), ())
    else:
        found = r.attempt(lambda: arrays(spec), "W1")
        network = (r.attempt(lambda: network_layers(found[0], found[1], spec.layers), "W1") if found else None) or ()
    inputs = input_names(spec, spec.layers[0] if spec.layers else len(names) or None, r)  # after an error reading goes on for further ones
    if names and not spec.inputs:
        inputs.names = names
    columns = max((len(row) for layer in network[:1] for row in layer.weights), default=0)
    if inputs.count is None:  # as many as the first layer is fed, or as the property names
        wanted_of(spec, spec.property, spec.where, inputs, PartReading(r.graph, r.scope, lambda error, key: None))  # errors are noted below
        inputs.count = max(columns, inputs.used)
    wanted = wanted_of(spec, spec.property, spec.where, inputs, r)
    sizes = tuple(spec.layers) if spec.layers else (len(wanted.inputs), *(len(layer.weights) for layer in network))
    levels = []
    for k, level in enumerate(spec.levels, 1):
        own = level.property if level.property is not None else spec.property
        marks = r.attempt(lambda level=level: exact(level.marks), "levels")  # type: ignore[misc]
        if own in (None, UNKNOWN):
            r.add(SpecError("levels need a property, in the part or in each level"), "levels")
        elif marks is not None:
            want = wanted_of(spec, own, spec.where if level.where is None else level.where, inputs, r, "levels")
            levels.append(Level(level.name or f"level {k}", marks, want))
    if network and not misfit(network, sizes):  # else the shapes are the answer
        for what in (wanted, *(level.wanted for level in levels)):
            one_each(what, sizes, r)
    return CheckNetwork(network, sizes, wanted, tuple(levels))
