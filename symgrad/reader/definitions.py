"""A let-list to the nodes of a graph: every error is noted with its line and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.graph import Node
from symgrad.language.vectors import shape_of, variable
from symgrad.reader.letlist import Scope, definition, statements

MAX_NODES = 50_000

Note = Callable[[SpecError | Unsupported, int], None]


def definitions(text: str | Sequence[tuple[int, str]], scope: Scope, latex: Mapping[str, str], note: Note,
                first: int = 1) -> tuple[list[Node], set[str]]:
    """The nodes in order, and the names whose definitions could not be read; `scope` learns each name as it is defined.

    `text` may be definitions with the lines they come from; `first` is the line on which it begins.
    What only follows from an error already noted is not noted again.
    """
    lets = statements(text) if isinstance(text, str) else list(text)
    nodes: list[Node] = []
    broken: set[str] = set()
    if len(lets) > MAX_NODES:
        note(SpecError(f"{len(lets)} definitions; at most {MAX_NODES} are read"), first)
        return nodes, {target(line) for _, line in lets}
    later = {target(line): number for number, line in lets}
    for number, line in lets:
        try:
            name, expr = definition(line, scope)
        except (SpecError, Unsupported) as error:
            broken.add(target(line))
            unknown = re.match(r"unknown name (\w+)", error.message) if isinstance(error, SpecError) else None
            if unknown and unknown[1] in broken and unknown[1] != target(line):
                continue
            if unknown and unknown[1] in later:
                error = SpecError(f"{target(line)} uses {unknown[1]}, which is defined in line {first + later[unknown[1]] - 1}, "
                                  "not above it; definitions go in order, a cycle is not a graph")
            note(error, first + number - 1)
            continue
        nodes.append(Node(name, expr, latex.get(name, "")))
        scope.symbols[name] = variable(name, shape_of(expr))
    return nodes, broken


def target(line: str) -> str:
    """The name that a line defines; of `h[t] = ...` it is h."""
    return line.split("=", 1)[0].split("[", 1)[0].strip(" :")


__all__ = ["definitions", "target"]
