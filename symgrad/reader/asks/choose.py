"""ask = "choose": multiple choice over derived derivatives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool
from sympy import Expr, Integer, MatrixSymbol

from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.problem import Choose
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import Scope, expressions
from symgrad.reader.spec import Formula, Name, PartSpec


class ChooseSpec(PartSpec):
    ask: Literal["choose"]
    of: Name
    wrt: Annotated[list[Name], Field(min_length=1, max_length=50)]
    choices: Annotated[list[Formula], Field(min_length=1, max_length=50)]
    several: StrictBool = False


def read(spec: ChooseSpec, r: PartReading) -> Choose:
    wrt = r.wrt(spec.wrt, "wrt")

    def choice(text: str) -> tuple[tuple[Expr, ...], str]:
        misfit = ""
        try:
            found = expressions(text, r.scope)
        except ShapeError as error:
            found, misfit = for_print(text, r.scope), error.message
        if found and len(found) != len(wrt):
            raise SpecError(f"the choice {text!r} has {len(found)} expressions, wrt has {len(wrt)} names")
        return found, misfit

    read = [r.attempt(lambda text=text: choice(text), "choices") for text in spec.choices]  # type: ignore[misc]
    found = [c for c in read if c is not None]
    misfits = tuple(misfit for _, misfit in found)
    return Choose(r.scalar(spec.of, "of"), wrt, tuple(c for c, _ in found), tuple(spec.choices), spec.several, misfits if any(misfits) else ())


def for_print(text: str, scope: Scope) -> tuple[Expr, ...]:
    """A text with shapes that do not fit, read as if all dimensions were equal; () where it does not fit even then."""
    one = next(iter(scope.dimensions.values()), Integer(2))

    def even(e: Expr) -> Expr:
        return MatrixSymbol(e.name, one, Integer(1) if e.shape[1] == 1 else one) if isinstance(e, MatrixSymbol) else e

    try:
        return expressions(text, Scope({n: even(e) for n, e in scope.symbols.items()}, dict.fromkeys(scope.dimensions, one), scope.declared))
    except (ShapeError, Unsupported):
        return ()
