"""What the caller of a compiled function passes: the head of the generated text that recognises it, and the repair of what it does not.

Arrays that are float64 and have the right sizes are recognised by a few comparisons; all else goes through `repair`, which
converts what can be converted and says what is wrong with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsInt

from sympy import Expr, Symbol

from symgrad.language.errors import ShapeError, SpecError
from symgrad.language.graph import Graph
from symgrad.language.vectors import size_at
from symgrad.numeric.translator import axes_of
from symgrad.numeric.values import BATCH, ONE, Values

KEPT_SIZES = 8  # sets of sizes whose arrays are kept for reuse


class Signature:
    """What the generated function takes: names with shapes and batch axes, then the dimensions that no input shows."""

    def __init__(self, graph: Graph, names: tuple[str, ...], batch: frozenset[str], dimensions: tuple[Symbol, ...],
                 at_least: tuple[tuple[Expr, Expr], ...]) -> None:
        self.names, self.dimensions, self.at_least = names, dimensions, at_least
        self.shapes = tuple(graph.shape(n) for n in names)
        self.batched = tuple(n in batch for n in names)
        self.keys = (*names, *map(str, dimensions))
        self.wanted = tuple((*((BATCH,) if n in batch else ()), *axes_of(graph.shape(n))[1]) for n in names)
        self.known: set[tuple[object, ...]] = set()  # sizes that were found consistent

    def repair(self, values: Values) -> tuple[Any, ...]:
        """The arguments as float64 arrays and floats.  Raises ShapeError or SpecError naming the input, expected and found."""
        sizes: dict[Expr, tuple[int, str]] = {}
        for size in self.dimensions:
            value = values[str(size)]
            if isinstance(value, bool) or not isinstance(value, SupportsInt) or int(value) != value or value < 1:
                raise SpecError(f"the dimension {size} must be a positive whole number, found {value!r}")
            sizes[size] = (int(value), str(size))
        made: list[tuple[Expr, int, str]] = []
        found = [self._one(i, values[name], sizes, made) for i, name in enumerate(self.names)]
        for size, n, said in made:
            parts = {d: sizes[d][0] for d in sorted(size.free_symbols, key=str)}
            if size_at(size, parts) != n:
                raise ShapeError(f"{said} with {', '.join(f'{d} = {m}' for d, m in parts.items())}")
        for size, least in self.at_least:
            known = [sizes[s][0] if s in sizes else int(s) for s in (size, least) if s in sizes or s.is_Integer]
            if len(known) == 2 and known[0] < known[1]:
                raise ShapeError(f"the index {least} is outside 1..{size}, for {size} = {known[0]}")
        if len(self.known) > 64:
            self.known.clear()
        unseen = [sizes[d][0] for d in self.dimensions]
        self.known.add((*(a.shape for a, wanted in zip(found, self.wanted, strict=True) if wanted), *unseen))
        return (*found, *unseen)

    def _one(self, i: int, value: Any, sizes: dict[Expr, tuple[int, str]], made: list[tuple[Expr, int, str]]) -> Any:
        import numpy as np

        name, shape, batched, wanted = self.names[i], self.shapes[i], self.batched[i], self.wanted[i]
        try:
            array = np.asarray(value)
            if array.dtype.kind == "c":
                raise SpecError(f"{name} has complex entries; real numbers are needed")
            array = np.asarray(array, np.float64)  # also numbers of SymPy and of `fractions`
        except (TypeError, ValueError):
            raise SpecError(f"{name} is {str(value)[:60]!r}; numbers are needed") from None
        lead, tail = array.shape[:batched], array.shape[batched:]
        if array.ndim != len(wanted) and len(tail) == 2 and all(n == 1 for n, d in zip(tail, shape, strict=True) if d == ONE):
            array = array.reshape((*lead, *(n for n, d in zip(tail, shape, strict=True) if d != ONE)))  # (N, 1) for a vector
        if array.ndim != len(wanted):
            raise ShapeError(f"{name} has shape {array.shape}, expected {_say(wanted)}")
        for n, size in zip(array.shape, wanted, strict=True):
            if size.is_Integer:
                if n != size:
                    raise ShapeError(f"{name} has shape {array.shape}, expected {_say(wanted)}")
            elif not isinstance(size, Symbol):
                made.append((size, n, f"{name} has shape {array.shape}, expected {_say(wanted)}"))
            elif sizes.setdefault(size, (n, name))[0] != n:
                known, where = sizes[size]
                raise ShapeError(f"{name} has shape {array.shape}, expected {_say(wanted)} with {size} = {known}, as in {where}")
        return array if wanted else float(array)

    def head(self, instead: str, kept: Sequence[str]) -> list[str]:
        """The lines that fetch the arguments and, unless they are float64 of known sizes, repair them or call `instead`.

        What is `kept` from call to call is found by the same sizes, in `work`.
        """
        count = len(self.keys)
        names = ", ".join(f"v{i}" for i in range(count)) + "," * (count == 1)
        good = {True: "type(v{0}) is ndarray and v{0}.dtype is f8", False: "type(v{0}) is float"}
        tests = [good[bool(wanted)].format(i) for i, wanted in enumerate(self.wanted)]
        tests += [f"type(v{len(self.names) + i}) is int" for i in range(len(self.dimensions))]
        shapes = [f"v{i}.shape" for i, wanted in enumerate(self.wanted) if wanted] + [f"v{i}" for i in range(len(self.names), count)]
        key = f"({', '.join(shapes)},)" if shapes else "()"
        lines = [*(f"v{i} = d[i{i}]" for i in range(count)), f"if len(d) != {count}:", "    check_names(d)"]
        repair = f"{names} = repair(d)"
        if kept:
            every = ", ".join(f"b{i}" for i in range(len(kept)))
            return [
                *lines, f"w = work.get({key}) if {' and '.join(tests)} else None", "if w is None:", f"    {repair}",
                f"    w = work.get({key})", "    if w is None:", f"        if len(work) >= {KEPT_SIZES}:", "            work.clear()",
                *(f"        b{i} = {text}" for i, text in enumerate(kept)), f"        w = work[{key}] = ({every},)", f"{every}, = w"]
        if shapes:
            tests.append(f"{key} in known")
        return [*lines, *([f"if not ({' and '.join(tests)}):", f"    {instead or repair}"] if tests else [])]

    def sizes(self) -> dict[Expr, str]:
        """Where the text finds each dimension: in the shape of an input, or among the arguments."""
        found: dict[Expr, str] = {d: f"v{len(self.names) + i}" for i, d in enumerate(self.dimensions)}
        for i, wanted in enumerate(self.wanted):
            for k, d in enumerate(wanted):
                found.setdefault(d, f"v{i}.shape[{k}]")
        return found


def _say(wanted: Sequence[Expr]) -> str:
    return f"({', '.join(map(str, wanted))}{',' if len(wanted) == 1 else ''})" if wanted else "a number"


__all__ = ["Signature"]
