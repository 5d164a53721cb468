"""What `construct` and `check_network` share: inputs, domain, properties, and the arrays of a threshold network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StrictInt
from sympy import Integer, Rational

from symgrad.language.errors import SpecError
from symgrad.language.threshold import TRUE, Domain, Layer, Wanted
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import check_name, exact
from symgrad.reader.properties import read_property
from symgrad.reader.spec import Formula, Name, Number, Numbers, PartSpec
from symgrad.reader.tokens import Inputs

Layers = Annotated[list[Annotated[StrictInt, Field(ge=1, le=256)]], Field(min_length=2, max_length=8)]
Properties = Formula | Annotated[list[Formula], Field(min_length=1, max_length=20)]
UNKNOWN = "?"
MAX_WEIGHTS = 100_000


class NetworkPart(PartSpec):
    """A part about a threshold network needs no let-list."""

    needs_model = False

    domain: Literal["reals", "integers", "booleans"] = Field("reals", description="what the inputs range over")
    inputs: Annotated[list[Name], Field(max_length=256)] = Field([], description="names of the inputs; x1, x2, ... if left out")
    where: Annotated[str, Field(max_length=20_000)] = Field("", description="inputs that count, such as 'all inputs distinct'")


def input_names(spec: NetworkPart, count: int | None, r: PartReading) -> Inputs:
    """The inputs by name, `count` of them where that is known."""
    for k, name in enumerate(spec.inputs):
        r.attempt(lambda name=name: check_name(name), "inputs")  # type: ignore[misc]
        if name in spec.inputs[:k]:
            r.add(SpecError(f"inputs names {name} twice"), "inputs")
    if spec.inputs and count is not None and len(spec.inputs) != count:
        r.add(SpecError(f"inputs names {len(spec.inputs)} inputs, the network has {count}"), "inputs")
    return Inputs(spec.inputs or None, len(spec.inputs) or count)


def wanted_of(spec: NetworkPart, properties: Properties | None, where: str, inputs: Inputs, r: PartReading, key: str = "property") -> Wanted:
    """The properties, one an output; none for a missing one or "?"."""
    texts = [] if properties is None or properties == UNKNOWN else [properties] if isinstance(properties, str) else properties
    domain = Domain(spec.domain)
    read = [r.attempt(lambda text=text: read_property(text, inputs, domain), key) for text in texts]  # type: ignore[misc]
    condition = r.attempt(lambda: read_property(where, inputs, domain), "where") if where else TRUE
    names = tuple(inputs.names or [f"x{i}" for i in range(1, (inputs.count or inputs.used) + 1)])
    return Wanted(names, domain, tuple(p for p in read if p is not None), condition or TRUE)


def one_each(wanted: Wanted, sizes: Sequence[int], r: PartReading) -> None:
    """Notes an error unless there is a property for every output unit (or none could be read)."""
    if len(wanted.properties) not in (0, sizes[-1]):
        outputs = f"{sizes[-1]} output unit{'s' * (sizes[-1] != 1)}"
        count = len(wanted.properties)
        r.add(SpecError(f"{count} propert{'y' if count == 1 else 'ies'} for {outputs}; give one for each"), "property")


def matrix(raw: Numbers) -> tuple[tuple[Rational | None, ...], ...]:
    """Rows of exact numbers, None for "?"; a list of numbers is one row.  Raises SpecError."""
    table = raw if isinstance(raw, list) else [raw]
    lines = [x if isinstance(x, list) else None for x in table]
    if table and all(x is None for x in lines):
        return (tuple(entry(x) for x in table if not isinstance(x, list)),)
    if any(x is None for x in lines):
        raise SpecError("a matrix is a list of rows, each a list of numbers")
    return tuple(tuple(map(entry, x)) for x in lines if x is not None)


def entry(n: Number) -> Rational | None:
    return None if isinstance(n, str) and n.strip() == UNKNOWN else exact(n)


def vector(raw: Numbers) -> tuple[Rational | None, ...]:
    """A row, or a column of one-entry rows."""
    rows = matrix(raw)
    return tuple(x for row in rows for x in row) if len(rows) == 1 or all(len(row) == 1 for row in rows) else _no_vector(rows)


def _no_vector(rows: Sequence[Sequence[object]]) -> tuple[Rational | None, ...]:
    raise SpecError(f"a vector is a list of numbers, found {len(rows)} rows")


def laid_out(weights: tuple[tuple[Rational | None, ...], ...], units: int) -> tuple[tuple[Rational | None, ...], ...]:
    """The weights of a single unit may be written as a column."""
    if units == 1 and len(weights) > 1 and all(len(row) == 1 for row in weights):
        return (tuple(row[0] for row in weights),)
    return weights


def network_layers(weights: Sequence[Numbers], biases: Sequence[Numbers | None], sizes: Sequence[int] | None) -> tuple[Layer, ...]:
    """The arrays as they stand: whether they fit together is a question, not an error.  Raises SpecError for a "?"."""
    found = []
    for k, (w, b) in enumerate(zip(weights, biases, strict=True), 1):
        rows = matrix(w)
        units = sizes[k] if sizes and k < len(sizes) else len(vector(b)) if b is not None else 1 if k == len(weights) else len(rows)
        rows = laid_out(rows, units)
        bias = vector(b) if b is not None else (Integer(0),) * len(rows)
        known = tuple(tuple(x for x in row if x is not None) for row in rows)
        entries = tuple(x for x in bias if x is not None)
        if any(len(a) != len(row) for a, row in zip(known, rows, strict=True)) or len(entries) != len(bias):
            raise SpecError(f"layer {k} has a weight '?': a candidate states all its weights (construct finds them)")
        found.append(Layer(known, entries))
    if sum(len(row) for layer in found for row in layer.weights) > MAX_WEIGHTS:
        raise SpecError(f"more than {MAX_WEIGHTS:,} weights")
    return tuple(found)
