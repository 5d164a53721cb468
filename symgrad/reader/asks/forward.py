"""ask = "forward": the table of node values."""

from __future__ import annotations

from typing import Literal

from symgrad.language.problem import Forward
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.spec import Name, PartSpec


class ForwardSpec(PartSpec):
    ask: Literal["forward"]
    of: list[Name] = []


def read(spec: ForwardSpec, r: PartReading) -> Forward:
    return Forward(r.names(spec.of, "of"))
