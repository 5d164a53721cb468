"""Sums and means over the steps of a sequence of symbolic length, each given a definition of its own.

    L = 1/T * sum(norm(h[t] - y[t])^2) + c * sum(norm(W[t])^2)

is read as

    L_term1[t] = norm(h[t] - y[t])^2        # printed L^(1) with the step below it
    L_sum1 = sum(L_term1[t])                # L^(1)
    L_term2[t] = norm(W[t])^2
    L_sum2 = sum(L_term2[t])
    L = 1/T * L_sum1 + c * L_sum2

and L = sum(norm(h[t])^2) as L_term[t] = norm(h[t])^2 and L = sum(L_term[t]), where L_term is printed as L with the step below it:
what is summed is a node of every step, and so is what its adjoint passes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symgrad.language.graph import Node
from symgrad.language.vectors import SCALAR
from symgrad.reader.definitions import target

_CALL = re.compile(r"(?<![\w.\u0391-\u03c9])(sum|mean)\s*\(")
_LETTER = re.compile(r"\w(?=$|[\^_'{])")

Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class StepSums:
    """What a sum over the steps looks like: `opens` says whether a text speaks of the general step, `closing` where a bracket closes."""

    length: str
    opens: Callable[[str], bool]
    closing: Callable[[str, int], int]
    is_step: Callable[[str], bool]  # is the line a definition for every step?
    latex: Mapping[str, str]
    made: dict[str, str] = field(default_factory=dict)  # name -> how it is printed, without a step

    def named(self, lines: list[Line], index: str, taken: Collection[str]) -> list[Line]:
        """The lines with a definition for every sum over the steps.  A sum inside a sum is left for the reader to refuse."""
        used = set(taken)
        found: list[Line] = []
        for number, line in lines:
            if self.is_step(line) or "=" not in line:
                found.append((number, line))
                continue
            name, right = target(line), line.split("=", 1)[1].strip()
            calls = list(self.calls(right))
            whole = len(calls) == 1 and calls[0][1:3] == (0, len(right)) and calls[0][0] == "sum"
            new: list[Line] = []
            shown = right
            for k, (function, start, end, inner) in reversed(list(enumerate(calls, 1))):
                count = "" if whole else str(k)
                plain = re.fullmatch(rf"(\w+)\s*\[\s*{index}\s*\]", inner.strip())
                term = f"{plain[1]}" if plain else self.free(f"{name}_term{count}", name, count, used)
                first = [] if plain else [(number, f"{term}[{index}] = {inner.strip()}")]
                total = name if whole else self.free(f"{name}_sum{count}", name, count, used)
                last = [(number, f"{total} = sum({term}[{index}])")]
                new = [*first, *last, *new]
                mean = f"(1/{self.length} * {total})"
                shown = shown[:start] + (total if function == "sum" else mean) + shown[end:]
            found += new if whole else [*new, (number, f"{name} = {shown}" if calls else line)]
        return found

    def calls(self, right: str) -> Iterator[tuple[str, int, int, str]]:
        """(sum or mean, where it begins, where it ends, what is inside) of every sum over the steps that stands in no other."""
        place = 0
        while match := _CALL.search(right, place):
            end = self.closing(right, match.end() - 1)
            inner = right[match.end():end]
            place = match.end()
            if self.opens(inner):
                place = end + 1
                if not any(self.opens(inner[m.end():self.closing(inner, m.end() - 1)]) for m in _CALL.finditer(inner)):
                    yield match[1], match.start(), end + 1, inner

    def free(self, wanted: str, node: str, count: str, used: set[str]) -> str:
        """A name that is not taken, printed like the node it is a part of."""
        name = wanted
        while name in used:
            name += "x"
        used.add(name)
        tex = self.latex.get(node) or (node if len(node) == 1 else rf"\mathrm{{{node}}}" if node.isalpha() else "")
        self.made[name] = "" if not tex else tex if not count else f"{tex}^{{({count})}}" if "^" not in tex else f"{{{tex}}}^{{({count})}}"
        return name


def bold(nodes: list[Node], made: Collection[str]) -> list[Node]:
    """Parts of a vector or matrix that is a single letter are printed in bold, as that is."""
    return [replace(n, latex=_LETTER.sub(lambda m: rf"\mathbf{{{m[0]}}}", n.latex, count=1))
            if n.shape != SCALAR and n.name in made and _LETTER.match(n.latex) else n for n in nodes]


__all__ = ["StepSums", "bold"]
