"""Are two vector expressions equal, entry by entry, at every size?  Refuted at a small size, proved at enough of them, or tested.

Three ways, the first that shows it, and a point between the first and the others, for what is false costs them most:
1. with atoms (check/axioms.py), sizes that stand as numbers being indeterminates: a polynomial identity, proved by the slot count;
2. the same with those sizes as numbers, at one size more for each of them and for each sum over nothing;
3. everything written out and compared in the normal form of check/normal.py, at the sizes of check/sizes.py; that is a proof
   unless an inverse, a determinant or the like is met, whose cofactors grow with the size, or too much would have to be written.

None of them is a proof where an index of a size such as N M is divided up in two ways (check/splits.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from sympy import Expr, Integer, Mul

from symgrad.check.axioms import Atoms, Rows
from symgrad.check.errors import Undecided
from symgrad.check.evaluation import leaves, say_leaf
from symgrad.check.explicit import Explicit
from symgrad.check.identity import require_identical
from symgrad.check.normal import branches
from symgrad.check.points import points, refute
from symgrad.check.sizes import Source, TooManySizes, thorough
from symgrad.check.slots import Slots, enough
from symgrad.check.splits import divided_alike
from symgrad.language import operations as op
from symgrad.language.errors import Refused
from symgrad.language.problem import Conventions
from symgrad.language.vectors import Shape, shape_of

Sizes = dict[Any, int]
Side = Callable[[Explicit], Rows]
MAX_ENTRIES = 4000
MAX_WORK = 120  # entries of one matrix of all dimensions, over all sizes


@dataclass(frozen=True)
class Compared:
    """At which sizes two expressions were found equal, whether that holds at every size, and under which conditions."""

    sizes: tuple[tuple[tuple[Any, int], ...], ...] = ()
    everywhere: bool = True
    conditions: tuple[str, ...] = ()
    instead_of: str = ""  # the numbers for which there were letters
    products: bool = False  # without sizes: as sums of products of matrices (check/products.py)
    terms: bool = False  # what each consumer passes back by itself; the sizes are the largest of all terms

    @classmethod
    def of_terms(cls, parts: Sequence[Compared]) -> Compared:
        """A sum, of which every term was compared."""
        largest: dict[Any, int] = {}
        for part in parts:
            for vector in part.sizes:
                largest |= {d: max(n, largest.get(d, 0)) for d, n in vector}
        conditions = tuple(dict.fromkeys(c for part in parts for c in part.conditions))
        instead_of = "" if largest else next((p.instead_of for p in parts if p.instead_of), "")
        return cls((tuple(largest.items()),) if largest else (), all(p.everywhere for p in parts), conditions, instead_of,
                   any(p.products for p in parts), True)

    def also(self, other: Compared) -> Compared:
        weaker = other if other.sizes and (self.everywhere or not other.everywhere) else self
        conditions = tuple(dict.fromkeys((*self.conditions, *other.conditions)))
        instead_of = "" if self.sizes or other.sizes else self.instead_of or other.instead_of  # where a line was written out, say so
        return Compared(weaker.sizes, self.everywhere and other.everywhere, conditions, instead_of, self.products or other.products, weaker.terms)

    def renamed(self, names: Mapping[Any, Any]) -> Compared:
        """The same with other dimensions."""
        return replace(self, sizes=tuple(tuple((names[d], n) for d, n in vector) for vector in self.sizes))

    def __str__(self) -> str:
        if self.instead_of:
            return f"compared for all sizes in the place of {self.instead_of}"
        if not self.sizes and self.products:
            return "compared as sums of products of matrices"
        if not self.sizes or not self.sizes[0]:
            return "compared in normal form"
        slots = ", as many as a monomial has index slots" if self.everywhere else ""
        terms = "term by term, and these " if self.terms else ""
        return f"compared {terms}entry by entry at {' and '.join(_say(dict(vector)) for vector in self.sizes)}{slots}"


@dataclass(frozen=True)
class Comparison:
    """How to compare within one problem; `numbers` are symbols with a number for a value, such as L_bar = 1."""

    dimensions: tuple[Expr, ...]
    conventions: Conventions
    numbers: Mapping[Expr, Expr]
    mirrored: Mapping[Expr, int] = field(default_factory=dict)  # square matrices that are their transpose, times 1 or -1
    doubtful: bool = False  # what should have shown it did not: a point comes first

    def compare(self, left: Side, right: Side, shape: Shape, sides: Callable[[bool], tuple[Slots, ...]], what: str,
                sources: tuple[Source, ...], mentioned: frozenset[Expr], definitions: tuple[tuple[Expr, Expr], ...] = (),
                layouts: tuple[Expr, ...] = ()) -> Compared:
        """Raises Refused with a point, or Undecided.  `definitions` are put in for their symbols in the entries of both sides;
        `layouts` are other expressions whose rows and columns are those of both sides."""
        found = self._compare(left, right, shape, sides, what, sources, mentioned, definitions)
        alike = (*layouts, *(s.expr for s in sources if not s.derived and shape_of(s.expr) == shape))
        if not mentioned or divided_alike(alike, (s.expr for s in sources), definitions):
            return found
        return replace(found, everywhere=False)  # the slot count says nothing

    def _compare(self, left: Side, right: Side, shape: Shape, sides: Callable[[bool], tuple[Slots, ...]], what: str,
                 sources: tuple[Source, ...], mentioned: frozenset[Expr], definitions: tuple[tuple[Expr, Expr], ...]) -> Compared:
        dimensions, with_atoms = tuple(d for d in self.dimensions if d in mentioned), sides(True)
        if not self.doubtful:
            with suppress(Undecided):
                return self.with_atoms(dimensions, shape, with_atoms, False, left, right, definitions, what)
        plain = sides(False)
        sizes, complete = enough(dimensions, shape, plain)
        few, *others = self._small(sizes[0], plain)
        self._each(few, None, left, right, definitions, what, self._refute)
        if self.doubtful:
            with suppress(Undecided):
                return self.with_atoms(dimensions, shape, with_atoms, False, left, right, definitions, what)
        if any(s.named or s.constant for s in with_atoms):
            with suppress(Undecided):
                return self.with_atoms(dimensions, shape, with_atoms, True, left, right, definitions, what)
        return self._written_out(left, right, shape, plain, what, sources, definitions, sizes, [few, *others], complete)

    def with_atoms(self, dimensions: tuple[Expr, ...], shape: Shape, sides: tuple[Slots, ...], numbers: bool, left: Side, right: Side,
                   definitions: tuple[tuple[Expr, Expr], ...], what: str) -> Compared:
        """The same polynomial at enough sizes; with `numbers`, sizes that stand as numbers are numbers.  Raises Undecided where it is not."""
        vectors, _ = enough(dimensions, shape, sides, numbers)
        if numbers and _too_many(vectors):
            raise Undecided(f"{what}: too many sizes")
        found: dict[str, None] = {}
        for vector in vectors:
            atoms = Atoms(numbers)
            self._each(vector, atoms, left, right, definitions, what, self._same_polynomial)
            found |= atoms.conditions
        return _compared(vectors, True, tuple(found))

    def _written_out(self, left: Side, right: Side, shape: Shape, plain: tuple[Slots, ...], what: str, sources: tuple[Source, ...],
                     definitions: tuple[tuple[Expr, Expr], ...], sizes: list[Sizes], few: list[Sizes], complete: bool) -> Compared:
        everywhere = not few[0] or (complete and not any(s.expr.has(op.Operation) for s in sources))
        vectors = few
        if everywhere and few[0]:
            try:
                enough_of_them = thorough(sizes, shape, plain, sources)
                everywhere = not _too_many(enough_of_them)
            except TooManySizes:
                everywhere = False
            vectors = enough_of_them if everywhere else vectors
        for vector in vectors:
            self._each(vector, None, left, right, definitions, what, self._identical)
        return _compared(vectors, everywhere)

    def _each(self, sizes: Sizes, atoms: Atoms | None, left: Side, right: Side, definitions: tuple[tuple[Expr, Expr], ...], what: str,
              judge: Callable[[Expr, Expr, str], None]) -> None:
        """Every entry at one size."""
        ex = Explicit(dict(sizes), atoms)
        a, b = left(ex), right(ex)
        if (len(a), len(a[0])) != (len(b), len(b[0])):
            raise Refused(f"{what}: the shapes differ")
        if len(a) * len(a[0]) > MAX_ENTRIES:
            raise Undecided(f"{what}: more than {MAX_ENTRIES} entries")
        tables: list[dict[Expr, Expr]] = []
        for symbol, expr in definitions:
            pairs = zip(ex.rows(symbol), ex.rows(expr), strict=True)
            tables.append({s: x for row, other in pairs for s, x in zip(row, other, strict=True)})
        tables += [_mirror(ex.rows(symbol), sign) for symbol, sign in self.mirrored.items()]
        done: list[dict[tuple[object, Rows], Rows]] = [{} for _ in tables]
        for i, (row, other) in enumerate(zip(a, b, strict=True), 1):
            for j, (x, y) in enumerate(zip(row, other, strict=True), 1):
                x, y = x.xreplace(self.numbers), y.xreplace(self.numbers)
                for table, moved in zip(tables, done, strict=True):
                    x, y = (atoms.substituted(e, table, moved) if atoms else e.xreplace(table) for e in (x, y))
                if x != y:
                    judge(x, y, f"{what}, entry ({i}, {j}) at {_say(sizes)}")

    def _refute(self, x: Expr, y: Expr, where: str) -> None:
        refute(x, y, points(leaves(x, y), 2), where, say_leaf, self.conventions.step_at_zero)

    def _same_polynomial(self, x: Expr, y: Expr, where: str) -> None:
        if not all(zero for zero, _ in branches(x - y)):
            raise Undecided(f"{where}: not the same polynomial")

    def _identical(self, x: Expr, y: Expr, where: str) -> None:
        require_identical(x, y, self.conventions.relu_at_zero, where, say_leaf, self.conventions.step_at_zero)

    @staticmethod
    def _small(sizes: Sizes, sides: tuple[Slots, ...]) -> list[Sizes]:
        """Sizes of 2 and 3, or what fixed positions and sizes such as N - K + 1 need; any two dimensions differ in one of them."""
        least = tuple(Slots(fixed=s.fixed + Counter({d: 1 for d in s.summed if not d.is_Symbol})) for s in sides)
        base = enough(tuple(sizes), (), least)[0][0]
        found = [{d: n + (i >> bit & 1) for i, (d, n) in enumerate(base.items(), 1)} for bit in range(max(1, len(base).bit_length()))]
        return [*found, base] if len(base) == 1 else found


def _mirror(rows: Rows, sign: int) -> dict[Expr, Expr]:
    """Entries above the diagonal by those below it; a matrix that is minus its transpose has a diagonal of zeros."""
    above = {x: Mul(sign, rows[j][i]) for i, row in enumerate(rows) for j, x in enumerate(row) if i < j}
    return above if sign == 1 else above | {row[i]: Integer(0) for i, row in enumerate(rows)}


def _compared(vectors: list[Sizes], everywhere: bool, conditions: tuple[str, ...] = ()) -> Compared:
    return Compared(tuple(tuple(vector.items()) for vector in vectors), everywhere, conditions)


def _too_many(vectors: list[Sizes]) -> bool:
    """More than is written out in a few seconds."""
    return sum(prod(vector.values()) for vector in vectors) > MAX_WORK


def _say(sizes: Sizes) -> str:
    return ", ".join(f"{d} = {n}" for d, n in sizes.items()) or "its sizes"


__all__ = ["Compared", "Comparison"]
