"""Structured variables as they are declared: `S = { shape = "N, N", structure = "symmetric" }`."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from symgrad.language.errors import SpecError
from symgrad.language.graph import Graph, Node, Variable, structured
from symgrad.language.problem import Given
from symgrad.language.structure import WORDS, Structure, misfit, preimage
from symgrad.reader.letlist import did_you_mean

CONVENTIONS = ("projected", "entries")
"""How the gradient in a symmetric variable is taken; the first unless stated."""


def read_structure(word: str, convention: str) -> Structure:
    """The structure of that word under the convention for symmetric matrices.  Raises SpecError."""
    if word not in WORDS:
        near = did_you_mean(word, WORDS) if get_close_matches(word, WORDS) else ""
        raise SpecError(f"structure = {word!r} is not known{near}; there are {', '.join(WORDS)}")
    found = Structure(word)
    return Structure.ENTRIES if found is Structure.SYMMETRIC and convention == "entries" else found


def declared_leaf(x: Variable, word: str | None, convention: str, taken: Collection[str]) -> tuple[Variable, Node | None]:
    """The leaf of a symbol, and its definition where it is a structured one.  Raises SpecError."""
    return (x, None) if word is None else structured(x, read_structure(word, convention), taken)


def gradient_clash(graph: Graph) -> str:
    """The structured variable whose gradient has the name of something else; "" if there is none."""
    return next((n.name for n in graph.structured if f"{n.name}_grad" in graph), "")


def given_structured(stated: Given, node: Node, free: str) -> Given:
    """Stated numbers of a structured variable as numbers of its free matrix.  Raises SpecError for numbers without the structure."""
    assert node.structure is not None
    place = misfit(node.structure, stated.entries)
    if place is not None:
        i, j = place
        x, other = stated.entries[i - 1][j - 1], stated.entries[j - 1][i - 1]
        against = f" and entry ({j}, {i}) = {other}" if i != j and node.structure.sign and node.structure is not Structure.DIAGONAL else ""
        raise SpecError(f"{node.name} is {node.structure.word}, found entry ({i}, {j}) = {x}{against}")
    return Given(free, preimage(node.structure, stated.entries))


__all__ = ["CONVENTIONS", "declared_leaf", "given_structured", "gradient_clash", "read_structure"]
