"""The tables of a problem file that every kind of question shares, validated by pydantic: unknown keys are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from symgrad.language.structure import WORDS

Number = StrictInt | Decimal | Annotated[StrictStr, Field(max_length=200)]
Numbers = Number | list[Number] | list[list[Number]]
Name = Annotated[StrictStr, Field(min_length=1, max_length=40)]
Words = Annotated[StrictStr, Field(max_length=20_000)]
Formula = Annotated[StrictStr, Field(min_length=1, max_length=20_000)]
MAX_LET = 500_000
"""Characters of a let-list."""
Marks = dict[Name, Number] | Number


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SymbolSpec(Spec):
    """A leaf of the graph."""

    shape: Annotated[StrictStr, Field(max_length=100)] | StrictInt = Field("", description="'N', 'K, N', '3, 2'; '' is a scalar")
    role: Literal["input", "parameter", "given"] = "parameter"
    structure: Annotated[StrictStr, Field(max_length=40)] | None = Field(
        None, description="what is known of a square matrix", json_schema_extra={"enum": list(WORDS)})
    latex: Annotated[StrictStr, Field(max_length=200)] = ""
    value: Numbers | None = None
    each: StrictBool | Annotated[StrictStr, Field(min_length=1, max_length=100)] = Field(False, description=(
        "one for every step of [sequence], or for every value of indices: 'o, c'"))


class ModelSpec(Spec):
    let: Annotated[StrictStr, Field(max_length=MAX_LET)]
    latex: dict[Name, Annotated[StrictStr, Field(max_length=200)]] = Field({}, description="how nodes are printed")


class NetworkSpec(Spec):
    """Shorthand for a fully connected scalar network; it expands to [symbols] and a let-list."""

    layers: Annotated[list[Annotated[StrictInt, Field(ge=1, le=64)]], Field(min_length=2, max_length=20)]
    activation: Name = "relu"
    output: Name = "identity"
    loss: Literal["rss", "half_squared", "cross_entropy", "binary_cross_entropy", "hinge", "none"] = Field("rss", description=(
        "(Y - out)^2, 1/2 (Y - out)^2, -Y log(out), -Y log(out) - (1 - Y) log(1 - out), max(0, 1 - Y out), summed over the outputs"))
    weights: Number | list[Number | list[list[Number]]] | None = Field(None, description=(
        "one number for all, or for every layer a number or a list that has at [j][k] the weight from unit j to unit k"))
    biases: Number | list[Number | list[Number]] | None = Field(None, description="one number for all, or for every layer a number or a list")
    inputs: list[Number] | None = None
    target: Number | list[Number] | None = None


class SequenceSpec(Spec):
    """Definitions h[t] = ... for every step t = 1, ..., length, from h[t-1] and what has no steps."""

    index: Name = "t"
    length: StrictInt | Name = Field(description="a number of steps from 1 to 200, or a name for any number of them")


class RoundedSpec(Spec):
    """A stated value of a node that the source rounded; the number of decimals is that of the text, or `digits`."""

    value: Number
    rounded: StrictBool = False
    digits: Annotated[StrictInt, Field(ge=0, le=12)] | None = None


class FunctionSpec(Spec):
    arguments: Annotated[StrictInt, Field(ge=1, le=16)]
    returns: Literal["scalar", "elementwise"] = "elementwise"
    latex: Annotated[StrictStr, Field(max_length=200)] = ""


class ConventionsSpec(Spec):
    relu_at_zero: Number | None = Field(None, description="the derivative of relu (and max at a tie) at 0")
    abs_at_zero: Number | None = None
    step_at_zero: Number = 1
    symmetric: Literal["projected", "entries"] = Field("projected", description=(
        "the gradient in a symmetric variable: in the space of symmetric matrices, or by entries on and below the diagonal"))


class PartSpec(Spec):
    """What every part has; a kind of question adds its fields (reader/asks)."""

    needs_model: ClassVar[bool] = True  # False where the question can stand without a let-list

    label: Annotated[StrictStr, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]*$")]
    statement: Words = ""
    marks: Marks | None = None
