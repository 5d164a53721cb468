"""Brackets in a text that is rewritten before it is parsed."""

from __future__ import annotations

from symgrad.language.errors import SpecError


def closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes.  Raises SpecError if it does not."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] in "([{") - (text[k] in ")]}")
        if depth == 0:
            return k
    raise SpecError(f"cannot read {text[:80]!r}: a bracket is not closed")


def arguments(text: str) -> list[str]:
    """What commas outside of brackets divide a text into."""
    found, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            found.append(text[start:k])
            start = k + 1
    return [*found, text[start:]]


def joined(function: str, parts: list[str], most: int = 90) -> str:
    """concat(a, b, ...) of any number of parts: one is itself, many are joined in groups."""
    while len(parts) > most:
        parts = [joined(function, parts[k:k + most]) for k in range(0, len(parts), most)]
    return f"{function}({', '.join(parts)})" if len(parts) > 1 else parts[0]


JOINS = ("concat", "hstack", "vstack")
"""The functions that set the members of a family beside one another."""

__all__ = ["JOINS", "arguments", "closing", "joined"]
