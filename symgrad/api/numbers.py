"""Numbers from Python as the exact numbers that problems hold: a float is read as it is written, 0.1 is 1/10."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, SupportsFloat, SupportsIndex

from sympy import Rational

from symgrad.language.errors import SpecError
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions, Given
from symgrad.reader.fields import validated
from symgrad.reader.letlist import did_you_mean, exact
from symgrad.reader.read import given
from symgrad.reader.spec import ConventionsSpec, RoundedSpec

Number = int | float | str | Fraction | Decimal
"""A number as a caller may write it; a Rational of SymPy will do too."""


def rational(x: Any) -> Rational:
    """Raises SpecError for what is no real number, for inf and nan, and for a number too long to be meant."""
    found = _plain(x)
    if isinstance(found, list | Mapping):
        raise SpecError(f"{str(x)[:60]} is not one number")
    return exact(found)


def _plain(x: Any) -> Any:
    """int, Decimal or text, or lists of them: what the reader of problem files takes."""
    if isinstance(x, str | Decimal):
        return x
    if isinstance(x, bool) or type(x).__name__ == "bool_":
        raise SpecError(f"{x} is not a number")
    if isinstance(x, Fraction):
        return f"{x.numerator}/{x.denominator}"
    if isinstance(x, Rational):
        return f"{x.p}/{x.q}"
    if hasattr(x, "tolist"):
        return _plain(x.tolist())
    if isinstance(x, float):
        return Decimal(repr(x))
    if isinstance(x, SupportsIndex):
        return operator.index(x)
    if isinstance(x, Mapping):
        return {key: _plain(value) if key == "value" else value for key, value in x.items()}
    if isinstance(x, Sequence):
        return [_plain(item) for item in x]
    if isinstance(x, SupportsFloat):
        return Decimal(repr(float(x)))
    raise SpecError(f"{str(x)[:60]!r} is not a number; write an int, a float, a Fraction, or text such as '1/3'")


def givens(values: Mapping[str, Any], graph: Graph) -> tuple[Given, ...]:
    """Stated numbers for names of a graph: a number, a vector's entries, a matrix's rows, lists or arrays.

    {"value": 0.9, "rounded": True} is the value of a node as the source rounds it.
    Raises SpecError for an unknown name, ShapeError for numbers that do not fit its shape.
    """
    sizes: dict[str, int] = {}
    found = []
    for name, value in values.items():
        if name not in graph:
            raise SpecError(f"values: there is no {name}{did_you_mean(name, list(graph.names))}")
        try:
            raw = _plain(value)
            found.append(given(name, validated(RoundedSpec, raw, "value") if isinstance(raw, Mapping) else raw, graph, sizes))
        except SpecError as error:
            named = "" if error.message.startswith(f"{name} ") else f"{name}: "
            raise type(error)(f"values: {named}{error.message}") from None
    return tuple(found)


def conventions(stated: Conventions | Mapping[str, Any] | None) -> Conventions:
    """{"relu_at_zero": 0} as data.  Raises SpecError for another key."""
    if isinstance(stated, Conventions):
        return stated
    spec = validated(ConventionsSpec, {k: _plain(x) for k, x in (stated or {}).items()}, "conventions")
    return Conventions(**{name: x if x is None or name == "symmetric" else exact(x) for name, x in spec})


__all__ = ["Number", "conventions", "givens", "rational"]
