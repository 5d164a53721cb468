"""What the reader of one part works with: the graph, the names in scope, and a place for errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.graph import Graph
from symgrad.language.problem import Given
from symgrad.language.vectors import SCALAR, say_shape
from symgrad.reader.letlist import Scope, did_you_mean


@dataclass(frozen=True, slots=True)
class PartReading:
    """Errors are noted with the line of their key, and reading goes on."""

    graph: Graph
    scope: Scope
    note: Callable[[SpecError | Unsupported, str], None]
    values: tuple[Given, ...] = ()

    def add(self, error: SpecError | Unsupported, key: str) -> None:
        """Notes an error at the line of `key`."""
        self.note(error, key)

    def attempt(self, work: Callable[[], Any], key: str) -> Any:
        """What `work` returns, or None with its error noted."""
        try:
            return work()
        except (SpecError, Unsupported) as error:
            self.add(error, key)
            return None

    def name(self, text: str, key: str) -> str:
        """A variable or node of the graph."""
        if text not in self.graph or self.graph.behind(text) is not None:
            whole = text.partition("[")[0]
            hint = did_you_mean(text, [n for n in self.graph.names if self.graph.behind(n) is None])
            if whole in self.graph and whole != text:
                hint = (f"; {whole} as a whole is asked for here: a definition of its own such as q = {text} in [model] makes an entry a "
                        "node, and a variable is differentiated in entry by entry where its entries are scalars of [symbols]")
            self.add(SpecError(f"{key}: there is no {text}{hint}"), key)
        return text

    def names(self, texts: Sequence[str] | str, key: str) -> tuple[str, ...]:
        """Several, each once; "parameters" stands for all parameters."""
        if texts == "parameters":
            return tuple(self.graph.asked(x.name) for x in self.graph.variables if x.role == "parameter")
        for k, text in enumerate(texts):
            if text in texts[:k]:
                self.add(SpecError(f"{key} names {text} twice"), key)
        return tuple(self.name(t, key) for t in texts)

    def wrt(self, texts: Sequence[str] | str, key: str) -> tuple[str, ...]:
        """The same as names to differentiate in: of a structured variable its free matrix."""
        return tuple(self.graph.free(name) for name in self.names(texts, key))

    def scalar(self, text: str, key: str) -> str:
        """A name whose value is a scalar, such as a loss."""
        if self.name(text, key) in self.graph and self.graph.shape(text) != SCALAR:
            self.add(ShapeError(f"{key}: {text} is {say_shape(self.graph.shape(text))}; a scalar is needed"), key)
        return text
