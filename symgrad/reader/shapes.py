"""Shapes as they are written in a problem file."""

from __future__ import annotations

import re

from sympy import Expr, Integer

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import dimension
from symgrad.language.vectors import Shape
from symgrad.reader.letlist import check_name
from symgrad.reader.spec import Number, SymbolSpec

_VALUE = re.compile(r"\s*(?:-\s*\d|\d+\s*/|\d*\.\d|\d+[eE]-?\d)")


def parse_shape(text: str | int | tuple[str | int, ...]) -> Shape:
    """'' is a scalar, 'N' a column, 'K, N' a matrix; sizes are names or positive numbers.  Raises SpecError."""
    pieces = [str(t).strip() for t in (text if isinstance(text, tuple) else str(text).strip().strip("()").split(","))]
    pieces = [p for p in pieces if p]
    if len(pieces) > 2:
        raise Unsupported(f"the shape {text!r} has {len(pieces)} dimensions; vectors and matrices have one or two")
    sizes: list[Expr] = []
    for piece in pieces:
        if piece.isascii() and piece.isdigit():
            if not 1 <= int(piece[:9]) <= 10_000:
                raise SpecError(f"the size {piece[:20]} is not between 1 and 10000")
            sizes.append(Integer(int(piece)))
        else:
            check_name(piece)
            sizes.append(dimension(piece))
    sizes += [Integer(1)] * (2 - len(sizes))
    return sizes[0], sizes[1]


def shape_of_symbol(spec: SymbolSpec) -> Shape:
    """The shape that is stated, or else that of the stated numbers: [1, 2] is a vector of two.  Raises SpecError."""
    if "shape" in spec.model_fields_set or not isinstance(spec.value, list):
        return parse_shape(spec.shape)
    first = spec.value[0] if spec.value else None
    return parse_shape((len(spec.value), *((len(first),) if isinstance(first, list) else ())))


def as_symbol(declared: SymbolSpec | Number) -> SymbolSpec:
    """The short forms of a symbol: "N" and "3, 2" are shapes, 2, "1/2" and "-0.5" values."""
    if isinstance(declared, SymbolSpec):
        return declared
    if isinstance(declared, str) and not _VALUE.match(declared):
        return SymbolSpec(shape=declared)
    return SymbolSpec(value=declared)
