"""Shapes as they are written in a problem file."""

from __future__ import annotations

import re

from sympy import Expr, Integer, expand

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import dimension
from symgrad.language.vectors import Shape
from symgrad.reader.letlist import check_name
from symgrad.reader.spec import Number, SymbolSpec

_TERM = re.compile(r"\s*([-+]?)\s*([^-+]+)")
MAX_TERMS = 8
_VALUE = re.compile(r"\s*(?:-\s*\d|\d+\s*/|\d*\.\d|\d+[eE]-?\d)")


def parse_shape(text: str | int | tuple[str | int, ...]) -> Shape:
    """'' is a scalar, 'N' a column, 'K, N' a matrix; sizes are names, positive numbers, or such as 'N - K + 1' and '3*V'.  Raises SpecError."""
    pieces = [str(t).strip() for t in (text if isinstance(text, tuple) else str(text).strip().strip("()").split(","))]
    pieces = [p for p in pieces if p]
    if len(pieces) > 2:
        first, *rest = pieces
        length = first if first.isdigit() else f'"{first}"'
        raise Unsupported(f"the shape {', '.join(pieces)!r} has {len(pieces)} axes; vectors and matrices have one or two, and a tensor with one more "
                          f"is a family of matrices, one for each value of an index: [indices] i = {length}, "
                          f"shape = \"{', '.join(rest[-2:])}\", each = \"i\", and T[i] in the let-list")
    sizes: list[Expr] = []
    for piece in pieces:
        sizes.append(_size(piece))
    sizes += [Integer(1)] * (2 - len(sizes))
    return sizes[0], sizes[1]


def shape_of_symbol(spec: SymbolSpec) -> Shape:
    """The shape that is stated, or else that of the stated numbers: [1, 2] is a vector of two.  Raises SpecError."""
    if "shape" in spec.model_fields_set or not isinstance(spec.value, list):
        return parse_shape(spec.shape)
    first = spec.value[0] if spec.value else None
    return parse_shape((len(spec.value), *((len(first),) if isinstance(first, list) else ())))


def _size(text: str) -> Expr:
    """A sum of products of names and numbers.  Raises SpecError; a size that falls below 1 at some sizes of its names is no error."""
    terms = list(_TERM.finditer(text))
    if len(terms) > MAX_TERMS or "".join(m[0] for m in terms) != text:
        raise SpecError(f"{text[:40]!r} is not a size; write a name, a number, or a sum such as N - K + 1 or 3*V")
    size = expand(sum((-1 if m[1] == "-" else 1) * _product(m[2]) for m in terms))
    if size.is_Integer and not 1 <= size <= 10_000:
        raise SpecError(f"the size {text[:20]} is not between 1 and 10000")
    return size


def _product(text: str) -> Expr:
    found: Expr = Integer(1)
    for factor in text.split("*")[:MAX_TERMS]:
        word = factor.strip()
        if word.isascii() and word.isdigit():
            found *= Integer(int(word[:9]))
        else:
            check_name(word)
            found *= dimension(word)
    return found


def as_symbol(declared: SymbolSpec | Number) -> SymbolSpec:
    """The short forms of a symbol: "N" and "3, 2" are shapes, 2, "1/2" and "-0.5" values."""
    if isinstance(declared, SymbolSpec):
        return declared
    if isinstance(declared, str) and not _VALUE.match(declared):
        return SymbolSpec(shape=declared)
    return SymbolSpec(value=declared)
