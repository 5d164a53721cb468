"""ask = "choose": multiple choice over derived derivatives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool
from sympy import Expr

from symgrad.language.errors import SpecError
from symgrad.language.problem import Choose
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import expressions
from symgrad.reader.spec import Formula, Name, PartSpec


class ChooseSpec(PartSpec):
    ask: Literal["choose"]
    of: Name
    wrt: Annotated[list[Name], Field(min_length=1, max_length=50)]
    choices: Annotated[list[Formula], Field(min_length=1, max_length=50)]
    several: StrictBool = False


def read(spec: ChooseSpec, r: PartReading) -> Choose:
    wrt = r.wrt(spec.wrt, "wrt")

    def choice(text: str) -> tuple[Expr, ...]:
        found = expressions(text, r.scope)
        if len(found) != len(wrt):
            raise SpecError(f"the choice {text!r} has {len(found)} expressions, wrt has {len(wrt)} names")
        return found

    found = [r.attempt(lambda text=text: choice(text), "choices") for text in spec.choices]  # type: ignore[misc]
    return Choose(r.scalar(spec.of, "of"), wrt, tuple(c for c in found if c is not None), tuple(spec.choices), spec.several)
