"""Conjunctions of comparisons: "x1 >= 1 and x2 <= 0", "0 <= x1 <= 1, x2 = 0"; each side is read as a let-list expression."""

from __future__ import annotations

import re

from symgrad.language.errors import SpecError
from symgrad.language.fill import Comparison
from symgrad.reader.letlist import Scope, expression

MAX_COMPARISONS = 50
_AND = re.compile(r"\band\b|&+|∧|[,;\n](?![^()\[\]]*[)\]])")
_RELATION = re.compile(r"(<=|>=|==|=<|=>|!=|≤|≥|≠|<|>|=)")
_MEANS = {"==": "=", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">="}


def comparisons(text: str, scope: Scope) -> tuple[Comparison, ...]:
    """The comparisons in order; a chain a <= b <= c is two.  Raises SpecError."""
    found: list[Comparison] = []
    for clause in filter(None, map(str.strip, _AND.split(text))):
        if re.search(r"\b(or|not)\b|\||∨|¬", clause):
            raise SpecError(f"{clause[:60]!r}: comparisons are joined by 'and'; for 'or' write a region for each alternative")
        sides = _RELATION.split(clause)
        if len(sides) < 3 or not all(s.strip() for s in sides):
            raise SpecError(f"{clause[:60]!r} is not a comparison; write for example x1 >= 1 and x2 <= 0")
        values = [expression(side, scope) for side in sides[::2]]
        for left, sign, right in zip(values, sides[1::2], values[1:], strict=False):
            relation = _MEANS.get(sign, sign)
            if relation in ("!=", "≠"):
                raise SpecError(f"{clause[:60]!r}: {sign} is not read; write a region for each side")
            found.append(Comparison(left, relation, right))
    if not found:
        raise SpecError("a region needs at least one comparison, such as x1 >= 1")
    if len(found) > MAX_COMPARISONS:
        raise SpecError(f"{len(found)} comparisons in one region; at most {MAX_COMPARISONS} are read")
    return tuple(found)
