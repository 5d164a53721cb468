"""What may stand in a property besides forms and statements, and lists with their middle left out: x1, x2, ..., x9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.language.threshold import Affine, Formula, atoms
from symgrad.language.wording import move, shifted
from symgrad.reader.tokens import Tokens

MAX_FILLED = 100_000
"""Inputs that one `...` may stand for, counted in all its items."""


@dataclass(frozen=True, slots=True)
class Extremum:
    """max (sign 1) or min (sign -1) of forms: may stand as one side of a comparison."""

    parts: tuple[Affine, ...]
    sign: int


class Dots:
    """`...` between two items."""


Value = Affine | Extremum | Formula


def filled(tokens: Tokens, items: Sequence[Value | Dots]) -> list[Value]:
    """Every `...` replaced by what goes on from the item before it to the one after, input by input.  Refuses through `tokens`."""
    found: list[Value] = []
    for k, item in enumerate(items):
        if not isinstance(item, Dots):
            found.append(item)
            continue
        end = items[k + 1] if k + 1 < len(items) else item
        if k == 0 or isinstance(end, Dots):
            tokens.refuse("'...' stands between two items")
        last, total = found[-1], distance(found[-1], end)
        if total == 0:
            continue
        alone = len(found) < 2 or isinstance(items[k - 2], Dots)
        step = None if alone else distance(found[-2], last)
        step = step or (1 if total is None or total > 0 else -1)
        if total is None or total % step or total // step < 1 or len(indices(last)) * (total // step) > MAX_FILLED:
            tokens.refuse("'...' stands between two items that differ by whole steps of their input, such as x1, x2, ..., x9")
        found += [moved(last, moves) for moves in range(step, total, step)]
    return found


def distance(a: Value, b: Value) -> int | None:
    """By how much the inputs of `a` are to be moved on to give `b`; None if that does not give it."""
    first, second = (next(iter(indices(v)), 0) for v in (a, b))
    return second - first if moved(a, second - first) == b else None


def indices(v: Value) -> list[int]:
    """The inputs of a value, in order."""
    match v:
        case Affine(terms):
            return [i for i, _ in terms]
        case Extremum(parts):
            return [i for p in parts for i in indices(p)]
    return [i for c in atoms(v) for side in (c.left, c.right) for i in indices(side)]


def moved(v: Value, by: int) -> Value:
    """The value with its inputs moved on."""
    match v:
        case Affine():
            return move(v, by)
        case Extremum(parts, sign):
            return Extremum(tuple(move(p, by) for p in parts), sign)
    return shifted(v, by)
