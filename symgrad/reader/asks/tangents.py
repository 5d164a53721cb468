"""ask = "jacobian", "hessian", "hvp": derivatives of vectors, and second derivatives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from symgrad.language.errors import ShapeError, SpecError
from symgrad.language.problem import Hessian, HessianVector, Jacobian
from symgrad.language.vectors import say_shape
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.spec import Name, PartSpec

Names = Annotated[list[Name], Field(min_length=1, max_length=50)]


class JacobianSpec(PartSpec):
    ask: Literal["jacobian"]
    of: Name
    wrt: Names
    direction: Annotated[list[Name], Field(max_length=50)] = []


class HessianSpec(PartSpec):
    ask: Literal["hessian"]
    of: Name
    wrt: Names
    derivatives: Literal["kept", "expanded"] = "kept"


class HessianVectorSpec(PartSpec):
    ask: Literal["hvp"]
    of: Name
    wrt: Names
    direction: Names
    closed_form: bool = False
    derivatives: Literal["kept", "expanded"] = "kept"


def read_jacobian(spec: JacobianSpec, r: PartReading) -> Jacobian:
    wrt = r.wrt(spec.wrt, "wrt")
    return Jacobian(r.name(spec.of, "of"), wrt, directions(spec.direction, wrt, r) if spec.direction else ())


def read_hessian(spec: HessianSpec, r: PartReading) -> Hessian:
    wrt = r.wrt(spec.wrt, "wrt")
    independent(wrt, r)
    return Hessian(r.scalar(spec.of, "of"), wrt, spec.derivatives == "expanded")


def read_hvp(spec: HessianVectorSpec, r: PartReading) -> HessianVector:
    wrt = r.wrt(spec.wrt, "wrt")
    return HessianVector(r.scalar(spec.of, "of"), wrt, directions(spec.direction, wrt, r), spec.closed_form, spec.derivatives == "expanded")


def independent(wrt: tuple[str, ...], r: PartReading) -> None:
    """Notes an error where one of the names depends on another: it cannot move while the other stands still."""
    known = [w for w in wrt if w in r.graph]
    for w in known:
        below = next((o for o in known if o != w and w in r.graph.descendants(o)), None)
        if below is not None:
            w, below = map(r.graph.asked, (w, below))
            r.add(SpecError(f"wrt: {w} depends on {below}; ask for them in parts of their own"), "wrt")


def directions(names: list[str], wrt: tuple[str, ...], r: PartReading) -> tuple[str, ...]:
    """A name with the shape of each of `wrt`, none of which moves with them."""
    found = tuple(r.name(n, "direction") for n in names)
    independent(wrt, r)
    if len(found) != len(wrt):
        r.add(SpecError(f"direction: {len(wrt)} names in wrt, {len(found)} directions; give one for each"), "direction")
        return (found + wrt)[:len(wrt)]
    for w, along in zip(wrt, found, strict=True):
        asked = r.graph.asked(w)
        if w in r.graph and along in r.graph:
            if r.graph.shape(w) != r.graph.shape(along):
                r.add(ShapeError(f"direction: {along} is {say_shape(r.graph.shape(along))}, {asked} is {say_shape(r.graph.shape(w))}"), "direction")
            if any(along in r.graph.descendants(o) for o in wrt if o in r.graph):
                r.add(SpecError(f"direction: {along} moves with {asked}; declare a symbol of its shape for the direction"), "direction")
    return found


__all__ = ["HessianSpec", "HessianVectorSpec", "JacobianSpec", "read_hessian", "read_hvp", "read_jacobian"]
