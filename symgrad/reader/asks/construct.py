"""ask = "construct": weights with which a hard-threshold network decides a property, or a proof that there are none."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.problem import Construct, ConstructChain
from symgrad.language.threshold import Architecture, Chain, Domain, Fixed, Range, Relation
from symgrad.reader.asks.network import UNKNOWN, NetworkPart, Properties, input_names, laid_out, matrix, one_each, vector, wanted_of
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import exact
from symgrad.reader.properties import OUTPUT
from symgrad.reader.spec import Name, Number, Numbers

Sizes = Annotated[list[Annotated[StrictInt, Field(ge=1, le=256)] | Annotated[StrictStr, Field(max_length=20)]], Field(min_length=2, max_length=8)]
CHAIN = re.compile(r"x_?\[?1\]?(>=|<=|>|<|≥|≤)(?:x_?\[?2\]?(>=|<=|>|<|≥|≤))?(?:\.{2,3}|…)(>=|<=|>|<|≥|≤)x_?\[?([A-Za-z])\]?")
Bounds = Annotated[list[Number], Field(min_length=2, max_length=2)]


class ConstructSpec(NetworkPart):
    ask: Literal["construct"]
    layers: Sizes = Field(description="units a layer, inputs first: [5, 4, 1]; ['n', 'n-1', 1] for a chain of any length")
    property: Properties = Field(description="when the output is 1; one a output unit")
    weights: Bounds | None = Field(None, description="[-2, 2]: weights are whole numbers from -2 to 2; left out: any")
    biases: Bounds | None = None
    given: dict[Name, Numbers] = Field({}, description="weights that are fixed: b1 = [0, 0], W1 = [[1, '?'], ['?', '?']]")


def read(spec: ConstructSpec, r: PartReading) -> Construct | ConstructChain:
    if any(isinstance(size, str) for size in spec.layers):
        return ConstructChain(r.attempt(lambda: chain(spec), "layers"))
    sizes = tuple(size for size in spec.layers if isinstance(size, int))
    inputs = input_names(spec, sizes[0], r)
    wanted = wanted_of(spec, spec.property, spec.where, inputs, r)
    one_each(wanted, sizes, r)
    if spec.property == UNKNOWN:
        r.add(SpecError("a property is needed to construct a network"), "property")
    weights = r.attempt(lambda: bounds(spec.weights), "weights")
    biases = r.attempt(lambda: bounds(spec.biases), "biases")
    given = r.attempt(lambda: fixed(spec.given, sizes), "given")
    return Construct(Architecture(sizes, weights, biases, given or ()), wanted)


def chain(spec: ConstructSpec) -> Chain:
    """x[1] > x[2] > ... > x[n] with layers ["n", "n-1", 1].  Raises Unsupported for anything else of symbolic size."""
    sizes = [str(size).replace(" ", "") for size in spec.layers]
    text = str(spec.property)
    head = OUTPUT.match(text)
    found = CHAIN.fullmatch((text[head.end():] if head and head[1] != "0" else text).replace(" ", ""))
    if not found or len(set(filter(None, found.groups()[:3]))) != 1 or sizes != [found[4], f"{found[4]}-1", "1"]:
        raise Unsupported('layers of symbolic size other than layers = ["n", "n-1", 1] with property = "x[1] > x[2] > ... > x[n]" (or >=, <, <=)')
    if spec.domain == "booleans" or spec.where or spec.given or spec.weights or spec.biases or spec.inputs:
        raise Unsupported("a chain of symbolic size with conditions, given weights, ranges or names, or over booleans")
    relation = {"≥": ">=", "≤": "<="}.get(found[1], found[1])
    return Chain(found[4], Relation(relation), Domain(spec.domain))


def bounds(pair: Bounds | None) -> Range | None:
    if pair is None:
        return None
    low, high = map(exact, pair)
    if low > high:
        raise SpecError(f"the range from {low} to {high} is empty")
    return Range(low, high)


def fixed(given: dict[str, Numbers], sizes: tuple[int, ...]) -> tuple[Fixed, ...]:
    """The stated entries, None where one is to be found.  Raises ShapeError for a shape that the layers do not have."""
    layers = range(1, len(sizes))
    names = [f"{letter}{k}" for k in layers for letter in "Wb"]
    for name in given:
        if name not in names:
            raise SpecError(f"given has {name}; the arrays of this network are {', '.join(names)}")
    if not given:
        return ()
    found = []
    for k in layers:
        units, below = sizes[k], sizes[k - 1]
        rows = laid_out(matrix(given[f"W{k}"]), units) if f"W{k}" in given else ((None,) * below,) * units
        bias = vector(given[f"b{k}"]) if f"b{k}" in given else (None,) * units
        if len(rows) != units or any(len(row) != below for row in rows):
            raise ShapeError(f"given: W{k} has rows of {', '.join(str(len(row)) for row in rows)} entries; it must be {units} x {below}")
        if len(bias) != units:
            raise ShapeError(f"given: b{k} has {len(bias)} entries; layer {k} has {units} units")
        found.append(Fixed(rows, bias))
    return tuple(found)
