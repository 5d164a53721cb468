"""ask = "backward": the backprop equations in bar notation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from symgrad.language.problem import Backward
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.spec import Name, PartSpec


class BackwardSpec(PartSpec):
    ask: Literal["backward"]
    of: Name
    wrt: Annotated[list[Name], Field(min_length=1, max_length=500)] | Literal["parameters"]
    components: list[Name] = []
    closed_form: list[Name] | bool = Field([], description="names of wrt, or true for all of them")
    derivatives: Literal["kept", "expanded"] = "kept"


def read(spec: BackwardSpec, r: PartReading) -> Backward:
    wrt = r.wrt(spec.wrt, "wrt")
    closed = (wrt if spec.closed_form else ()) if isinstance(spec.closed_form, bool) else r.wrt(spec.closed_form, "closed_form")
    return Backward(r.scalar(spec.of, "of"), wrt, r.wrt(spec.components, "components"), closed, spec.derivatives == "expanded")
