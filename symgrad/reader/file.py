"""A whole problem file, and the JSON Schema that editors read."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from symgrad.reader.asks import AnyPart
from symgrad.reader.spec import (
    ConventionsSpec,
    Formula,
    FunctionSpec,
    ModelSpec,
    Name,
    NetworkSpec,
    Number,
    Numbers,
    RoundedSpec,
    SequenceSpec,
    Spec,
    SymbolSpec,
    Words,
)


class FileSpec(Spec):
    format: Literal[1]
    id: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$")]
    title: Annotated[StrictStr, Field(min_length=1, max_length=300)]
    source: Words = ""
    statement: Words = ""
    symbols: dict[Name, SymbolSpec | Annotated[StrictStr, Field(max_length=100)] | StrictInt | Decimal] = {}
    functions: dict[Name, FunctionSpec | StrictInt] = {}
    model: ModelSpec | None = None
    network: NetworkSpec | None = None
    sequence: SequenceSpec | None = None
    indices: dict[Name, StrictInt | Name] = Field({}, description="index to its length: i = 3, or i = 'H' for any number")
    values: dict[Name, RoundedSpec | Numbers] = {}
    sizes: dict[Name, Annotated[StrictInt, Field(ge=1, le=1000)]] = {}
    conventions: ConventionsSpec = ConventionsSpec()
    digits: Annotated[StrictInt, Field(ge=0, le=12)] = 4
    part: Annotated[list[AnyPart], Field(min_length=1, max_length=100)]
    expected: dict[StrictStr, StrictInt | Decimal | Formula | list[Number] | list[list[Number]]] = {}
