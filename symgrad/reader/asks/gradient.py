"""ask = "gradient": the chain rule over scalar paths."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from symgrad.language.errors import ShapeError
from symgrad.language.problem import Gradient
from symgrad.language.vectors import SCALAR, say_shape
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.spec import Name, PartSpec


class GradientSpec(PartSpec):
    ask: Literal["gradient"]
    of: Name
    wrt: Annotated[list[Name], Field(min_length=1, max_length=5000)] | Literal["parameters"]


def read(spec: GradientSpec, r: PartReading) -> Gradient:
    ask = Gradient(r.scalar(spec.of, "of"), r.names(spec.wrt, "wrt"))
    for name in ask.wrt:
        if name in r.graph and r.graph.shape(name) != SCALAR:
            shape = say_shape(r.graph.shape(name))
            r.add(ShapeError(f'wrt: {name} is {shape}; ask = "gradient" is for scalars, use "backward"'), "wrt")
    return ask
