"""ask = "always_zero": which derivatives are zero wherever the facts hold.

    facts = ["z1 = -1", "h2 > 0"]                       one set of facts
    cases = [["z1 = -1"], ["h1 = 0", "0 < w3 <= 2"]]    or several
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from symgrad.language.errors import ShapeError, SpecError
from symgrad.language.functions import KNOWN, Call
from symgrad.language.problem import GuaranteedZero
from symgrad.language.vectors import SCALAR, is_scalar, names_in, say_shape, shape_of
from symgrad.language.zeros import Fact, Relation
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import expression
from symgrad.reader.spec import Formula, Name, PartSpec

Facts = Annotated[list[Formula], Field(max_length=200)]
_SIGNS = re.compile(r"(<=|>=|!=|==|=|<|>|≤|≥|≠)")
_RELATIONS = {r.value: r for r in Relation} | {"==": Relation.EQUAL, "≤": Relation.AT_MOST, "≥": Relation.AT_LEAST, "≠": Relation.NOT_EQUAL}


class AlwaysZeroSpec(PartSpec):
    ask: Literal["always_zero"]
    of: Name
    wrt: Annotated[list[Name], Field(min_length=1, max_length=5000)] | Literal["parameters"]
    facts: Facts | None = Field(None, description='comparisons of expressions in nodes and variables: ["z1 = -1", "h2 > 0"]')
    cases: Annotated[list[Facts], Field(min_length=1, max_length=100)] | None = Field(None, description="several sets of facts, instead of `facts`")


def read(spec: AlwaysZeroSpec, r: PartReading) -> GuaranteedZero:
    if (spec.facts is None) == (spec.cases is None):
        r.add(SpecError("one of facts and cases is needed" + (", not both" if spec.cases else '; for example facts = ["z1 = -1"]')), "ask")
    key = "facts" if spec.cases is None else "cases"
    sets = [spec.facts or []] if spec.cases is None else spec.cases
    cases = [[r.attempt(lambda text=text: comparisons(text, r), key) for text in facts] for facts in sets]  # type: ignore[misc]
    read_cases = tuple(tuple(c for found in case if found for c in found) for case in cases)
    ask = GuaranteedZero(r.scalar(spec.of, "of"), r.names(spec.wrt, "wrt"), read_cases)
    for name in ask.wrt:
        if name in r.graph and r.graph.shape(name) != SCALAR:
            r.add(ShapeError(f"wrt: {name} is {say_shape(r.graph.shape(name))}; ask = \"always_zero\" is for scalars"), "wrt")
    return ask


def comparisons(text: str, r: PartReading) -> tuple[Fact, ...]:
    """`a < b`, or a chain `0 < a <= 1` as its two comparisons.  Raises SpecError or ShapeError."""
    pieces = _SIGNS.split(text)
    if len(pieces) < 3 or not all(p.strip() for p in pieces):
        raise SpecError(f"{text[:80]!r} is not a fact; write a comparison such as z1 = -1, h2 > 0 or w1 != w2")
    sides = [expression(p, r.scope) for p in pieces[::2]]
    known = {*KNOWN, *(f.name for f in r.graph.functions)}
    for side in sides:
        if not is_scalar(side) or any(r.graph.shape(n) != SCALAR for n in names_in(side)):
            raise ShapeError(f"{text[:80]!r}: a fact compares scalars, one side is {say_shape(shape_of(side))}")
        if strange := [c.fn.name for c in side.atoms(Call) if c.fn.name not in known]:
            raise SpecError(f"{text[:80]!r}: the model applies no function {strange[0]}")
    return tuple(Fact(a, _RELATIONS[sign], b) for a, sign, b in zip(sides, pieces[1::2], sides[1:], strict=False))
