"""ask = "prove": identities and chains of claims, under assumptions; a candidate's chain judged line by line.

    claim  = "sigmoid(x) = 1/2*tanh(x/2) + 1/2"           (or claims = [...]; "a = b = c" is a chain)
    assume = ["c > 0", "sum(t) = 1", "n >= 2", "A = A.T"]
    steps  = ["sigmoid(x)", "1/(1 + exp(-x))", ...]

diff(f, x) is the derivative in a scalar, grad(f, v) that in a vector or matrix; names of [model] stand for their definitions.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from sympy import Expr, ZeroMatrix

from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import ShapeError, SpecError
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import KNOWN
from symgrad.language.graph import Node
from symgrad.language.problem import Prove
from symgrad.language.vectors import names_in, say_shape, shape_of
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import Scope, expression
from symgrad.reader.spec import Formula, PartSpec

_SIGNS = {"=": Sign.EQUAL, "==": Sign.EQUAL, "!=": Sign.UNEQUAL, "<": Sign.LESS, "<=": Sign.AT_MOST, ">": Sign.MORE, ">=": Sign.AT_LEAST,
          "≠": Sign.UNEQUAL, "≤": Sign.AT_MOST, "≥": Sign.AT_LEAST}
_SPLIT = re.compile(r"(<=|>=|!=|==|[=<>≠≤≥])")


class ProveSpec(PartSpec):
    needs_model: ClassVar[bool] = False

    ask: Literal["prove"]
    claim: Formula | None = None
    claims: Annotated[list[Formula], Field(max_length=100)] = []
    assume: Annotated[list[Formula], Field(max_length=50)] = []
    steps: Annotated[list[Formula], Field(max_length=200)] = []


def read(spec: ProveSpec, r: PartReading) -> Prove:
    scope = replace(r.scope, applied=dict(r.scope.applied), derivatives=True)
    texts = [*([spec.claim] if spec.claim is not None else []), *spec.claims]
    key = "claim" if spec.claim is not None else "claims"
    if not texts and not spec.steps:
        r.add(SpecError('a part with ask = "prove" needs claim = "left = right", claims = [...] or steps = [...]'), "ask")
    if len(spec.steps) == 1:
        r.add(SpecError("steps: a chain has at least two lines"), "steps")
    claims = [r.attempt(lambda t=t: _claim(t, scope, r), key) for t in texts]  # type: ignore[misc]
    assume = [a for t in spec.assume for a in r.attempt(lambda t=t: _relations(t, scope, r), "assume") or ()]  # type: ignore[misc]
    steps = [r.attempt(lambda t=t: _expression(t, scope, r), "steps") for t in spec.steps]  # type: ignore[misc]
    if steps and all(s is not None for s in steps):
        steps = list(r.attempt(lambda: _one_shape(steps, spec.steps), "steps") or ())
    return Prove(tuple(c for c in claims if c), tuple(assume), tuple(s for s in steps if s is not None))


def _claim(text: str, scope: Scope, r: PartReading) -> tuple[Expr, ...]:
    pieces = _SPLIT.split(text)
    if any(sign not in ("=", "==") for sign in pieces[1::2]) or len(pieces) < 3:
        raise SpecError(f"{text[:80]!r} is not a claim; write left = right, or a chain a = b = c")
    return tuple(_one_shape([_expression(t, scope, r) for t in pieces[::2]], pieces[::2]))


def _relations(text: str, scope: Scope, r: PartReading) -> tuple[Relation, ...]:
    """c > 0; 0 < c < 1 is two."""
    pieces = _SPLIT.split(text)
    if len(pieces) < 3:
        raise SpecError(f"{text[:80]!r} is not an assumption; write left = right, or <, <=, >, >=, != between two expressions")
    sides = _one_shape([_expression(t, scope, r) for t in pieces[::2]], pieces[::2], numbers=True)
    if any(e.has(Diff, Grad) for e in sides):
        raise SpecError(f"{text[:80]!r}: an assumption has no derivatives")
    return tuple(Relation(a, _SIGNS[sign], b) for (a, b), sign in zip(pairwise(sides), pieces[1::2], strict=True))


def _expression(text: str, scope: Scope, r: PartReading) -> Expr:
    if not text.strip():
        raise SpecError("an expression is missing beside the sign")
    e = expression(text, scope)
    for name in scope.applied:
        if name not in KNOWN and name not in scope.declared and name not in {f.name for f in r.graph.functions}:
            raise SpecError(f"unknown function {name}; to use an unknown function declare it: [functions] {name} = 1")
    for d in e.atoms(Diff, Grad):
        (name,) = names_in(d.args[1])
        if isinstance(r.graph[name], Node):
            raise SpecError(f"{name} is defined in [model]; a derivative is taken with respect to a variable of [symbols]")
    return e


def _one_shape(sides: list[Expr], texts: list[str], numbers: bool = False) -> list[Expr]:
    """All sides of one shape; 0 stands for the zero matrix, and any number for all entries where `numbers`.  Raises ShapeError."""
    shape = next((shape_of(e) for e in sides if not e.is_Number), shape_of(sides[0]))
    found = []
    for e, text in zip(sides, texts, strict=True):
        if e == 0 and shape != shape_of(e) and not numbers:
            e = ZeroMatrix(*shape)
        if shape_of(e) != shape and not (numbers and e.is_Number):
            raise ShapeError(f"{text.strip()[:60]} is {say_shape(shape_of(e))}, the other side is {say_shape(shape)}")
        found.append(e)
    return found
