"""The kinds of question: one file each with its fields and how they are read.

To add one: a file here, its line in `AnyPart` and `READERS`; its frozen type in language/problem.py; its derivation in
questions/; what answers it in check/checker.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from symgrad.language.problem import Ask
from symgrad.reader.asks import (
    always_zero,
    backward,
    check_network,
    choose,
    construct,
    fill,
    find_parameters,
    forward,
    gradient,
    prove,
    tangents,
)
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.spec import PartSpec

AnyPart = Annotated[
    forward.ForwardSpec | gradient.GradientSpec | backward.BackwardSpec | choose.ChooseSpec
    | tangents.JacobianSpec | tangents.HessianSpec | tangents.HessianVectorSpec
    | fill.FillSpec
    | construct.ConstructSpec | check_network.CheckNetworkSpec
    | find_parameters.FindParametersSpec
    | always_zero.AlwaysZeroSpec
    | prove.ProveSpec,
    Field(discriminator="ask"),
]

READERS: dict[type[PartSpec], Callable[[Any, PartReading], Ask]] = {
    forward.ForwardSpec: forward.read,
    gradient.GradientSpec: gradient.read,
    backward.BackwardSpec: backward.read,
    tangents.JacobianSpec: tangents.read_jacobian,
    tangents.HessianSpec: tangents.read_hessian,
    tangents.HessianVectorSpec: tangents.read_hvp,
    choose.ChooseSpec: choose.read,
    fill.FillSpec: fill.read,
    construct.ConstructSpec: construct.read,
    check_network.CheckNetworkSpec: check_network.read,
    find_parameters.FindParametersSpec: find_parameters.read,
    always_zero.AlwaysZeroSpec: always_zero.read,
    prove.ProveSpec: prove.read,
}

ASKS = tuple(str(spec.model_fields["ask"].annotation.__args__[0]) for spec in READERS)  # type: ignore[union-attr]
"""The words that `ask` may be."""

__all__ = ["ASKS", "READERS", "AnyPart", "PartReading"]
