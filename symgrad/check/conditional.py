"""Are two expressions equal wherever what is assumed holds, for all values and sizes?  Kinks and ties included.

First without the assumptions: equal functions have equal derivatives, sums of products of matrices, the rules of inverses; then
entry by entry, with equals put in for equals and the signs that the assumptions give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from sympy import Add, Expr, Integer, Inverse, Mul, Symbol

from symgrad.check.assumptions import MAX_SIZE, Assumed, entry_local, least_sizes, of_sizes, solvable, substituted, write_out
from symgrad.check.comparison import Comparison
from symgrad.check.domains import KINKED
from symgrad.check.errors import Undecided
from symgrad.check.evaluation import leaves
from symgrad.check.explicit import Explicit, enough, slots
from symgrad.check.inverses import Inverses
from symgrad.check.normal import branches
from symgrad.check.points import points, refute
from symgrad.check.sizes import Source, thorough
from symgrad.check.splits import divided_alike
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.forms import Relation
from symgrad.language.functions import Fn
from symgrad.language.graph import Graph
from symgrad.language.operations import Aligned, ArgMax, AtMost, Choice, Diagonal, MaxOf, Operation, RowLogSumExp, RowMax, RowSoftmax, Solve
from symgrad.language.problem import Conventions
from symgrad.language.vectors import DetOf, Entry, IndexSum, LogSumExp, Norm, SumOf, Unit, dimensions_in, names_in, shape_of

SUMS = (IndexSum, Norm, SumOf, LogSumExp)
ALIKE = (RowSoftmax, RowLogSumExp, RowMax, ArgMax, Diagonal, Solve)
"""Operations that treat all rows, and all columns, alike: with other names for the indices they are the same."""


@dataclass
class Conditional:
    """The comparisons of one claim; `indices` are free and run over `ranges`.  In the end: how it was shown, and whether for all sizes."""

    graph: Graph
    conventions: Conventions
    indices: tuple[Symbol, ...] = ()
    ranges: tuple[Expr, ...] = ()
    how: str = ""
    general: bool = True

    def equal(self, a: Expr, b: Expr, given: tuple[Relation, ...], needed: tuple[Relation, ...], what: str) -> None:
        """a = b for all values and sizes, and for all values of the free indices.  Raises Refused or Undecided."""
        if shape_of(a) != shape_of(b):
            raise Refused(f"{what}: the shapes differ")
        if isinstance(a, Diff | Grad) and isinstance(b, Diff | Grad) and a.args[1] == b.args[1]:  # equal functions have equal derivatives
            apart = tuple(q for q in (*given, *needed) if not {*names_in(q.left), *names_in(q.right)} & set(names_in(a.args[1])))
            try:
                return self.equal(a.args[0], b.args[0], apart, (), what)
            except (Undecided, Refused):
                pass
        letters = {e: Symbol(f"#number {k}", real=True) for k, e in enumerate(sorted(self.numbers(a, b), key=str))}
        if letters:  # what holds for any number in the place of max(x), or of a sum on both sides, holds for that one
            try:
                return self.equal(a.xreplace(letters), b.xreplace(letters), given, needed, what)
            except (Undecided, Refused):
                pass
        if any(e.has(Inverse, Solve, DetOf) for e in (a, b)) and by_products(a, b):
            self.how = ", as sums of products of matrices in which a matrix times its inverse is I"
            return None
        if not self.indices and self.by_rules_of_inverses(a, b, what):
            return None
        equations = tuple(q for q in given if not solvable(q))
        put = substituted(a, equations), substituted(b, equations)
        if put != (a, b):  # equals for equals, unless the lines are equal as they stand
            try:
                return self.compare(a, b, given, needed, what, by_points=False)
            except Undecided:
                a, b = put
        try:
            return self.compare(a, b, given, needed, what, by_points=not equations)
        except Undecided:
            if self.indices or not by_products(a, b):
                raise
            self.how = ", as sums of products of matrices"

    def numbers(self, a: Expr, b: Expr) -> set[Expr]:
        """Largest entries; and sums inside both sides, with no index of their own left free.

        None that moves with a variable in which something is differentiated: there it is not a number.
        """
        found = a.atoms(MaxOf) | b.atoms(MaxOf)
        for e in a.atoms(*SUMS) & b.atoms(*SUMS) - {a, b}:
            bound = {s.args[1] for s in e.atoms(IndexSum)}
            if dimensions_in(e) - bound <= set(self.graph.dimensions):
                found.add(e)
        moved = {n for e in (a, b) for d in e.atoms(Diff, Grad) for n in names_in(d.args[1])}
        return {e for e in found if not moved & set(names_in(e))}

    def by_rules_of_inverses(self, a: Expr, b: Expr, what: str) -> bool:
        """Is it a polynomial identity in the entries and those of inverses, with the rules of their derivatives?"""
        if not any(e.has(Inverse, Solve, DetOf) for e in (a, b)) or any(fn.name in KINKED for e in (a, b) for fn in e.atoms(Fn)):
            return False
        dimensions = tuple(d for d in self.graph.dimensions if d in dimensions_in(a) | dimensions_in(b))
        comparison = Comparison(dimensions, self.conventions, {})
        try:
            found = comparison.with_atoms(dimensions, shape_of(a), (slots(a, True), slots(b, True)), False, lambda ex: ex.rows(a),
                                          lambda ex: ex.rows(b), (), what)
        except (Undecided, Unsupported):
            return False
        if not divided_alike((a, b)):
            return False
        self.how = f", {str(found).removeprefix('compared ')}, {'; '.join(found.conditions)}"
        return True

    def compare(self, a: Expr, b: Expr, given: tuple[Relation, ...], needed: tuple[Relation, ...], what: str, by_points: bool) -> None:
        """Entry by entry, at as many sizes as the index slots ask for."""
        others = tuple(q for q in (*given, *needed) if solvable(q) and not of_sizes(q) and entry_local(q))
        mentioned = frozenset(self.ranges).union(*(dimensions_in(e) for e in (a, b, *(s for q in others for s in (q.left, q.right)))))
        least = least_sizes(given)
        shape = (*self.ranges, *(d for d in shape_of(a) if d != 1))
        vectors, general = enough(tuple(d for d in self.graph.dimensions if d in mentioned), shape, (slots(a), slots(b)))
        self.general &= general and divided_alike((a, b))
        vectors = thorough(vectors, shape, (slots(a), slots(b)), (*_sources(a), *_sources(b)))
        alike = not any(_names_an_entry(e) for e in (a, b, *(s for q in others for s in (q.left, q.right))))
        for vector in vectors:
            ex = Explicit({d: n + max(0, least.get(d, 1) - vectors[0][d]) for d, n in vector.items()})
            if max(ex.sizes.values(), default=0) > MAX_SIZE:
                raise Undecided(f"{what}: a comparison at {max(ex.sizes.values())} index values is too large")
            for values in places(self.ranges, ex, alike):
                table = dict(zip(self.indices, map(Integer, values), strict=True))
                assumed = write_out(tuple(at(q, table) for q in others), ex)
                left, right = (ex.rows(e.xreplace(table)) for e in (a, b))
                if (len(left), len(left[0])) != (len(right), len(right[0])):
                    raise Refused(f"{what}: the shapes differ")
                for i, j in places(shape_of(a), ex, alike):
                    self.identical(assumed.put_in(left[i - 1][j - 1]), assumed.put_in(right[i - 1][j - 1]), assumed, what, by_points)
        if vectors[0]:
            sizes = " and ".join(", ".join(f"{d} = {n}" for d, n in vector.items()) for vector in vectors)
            self.how = f", entry by entry at {sizes}, as many as a monomial has index slots"

    def identical(self, x: Expr, y: Expr, assumed: Assumed, what: str, by_points: bool) -> None:
        """Points first, where they can be chosen so that all that is assumed holds; then the normal form."""
        if x == y:
            return
        if by_points:
            tries = points(leaves(x, y, *(g for g, _ in assumed.facts)), 5)
            refute(x, y, (p for p in tries if assumed.hold(p, self.conventions.step_at_zero)), what, say_entry, self.conventions.step_at_zero)
        if not all(zero for zero, _ in branches(Add(x, Mul(Integer(-1), y)), None, self.conventions.step_at_zero, facts=assumed.facts, away=False)):
            raise Undecided(f"{what}: the normal form does not decide it")


def by_products(a: Expr, b: Expr) -> bool:
    """Is it shown for all sizes by the laws of sums of products, and that a matrix times its inverse is I?"""
    try:
        return Inverses().equal(a, b)
    except (Undecided, Unsupported):
        return False


def _sources(e: Expr) -> Iterator[Source]:
    """e, and what is differentiated in it."""
    yield Source(e)
    for d in e.atoms(Diff, Grad):
        yield Source(d.args[0], derived=True)


def places(dimensions: tuple[Expr, ...], ex: Explicit, alike: bool) -> Iterator[tuple[int, ...]]:
    """Index values for which entries are compared.  If no entry has a name of its own, all index values of a symbolic dimension are
    alike, and one pattern of equal and distinct values speaks for all that permute it."""
    for values in product(*(range(1, ex.size(d) + 1) for d in dimensions)):
        seen: dict[Expr, list[int]] = {}
        for d, i in zip(dimensions, values, strict=True):
            if alike and not d.is_Integer:
                before = seen.setdefault(d, [])
                if i not in before and i != len(before) + 1:
                    break
                before += [i] if i not in before else []
        else:
            yield values


def _names_an_entry(e: Expr) -> bool:
    """Is an entry told from the others by its place: by a number as index in a symbolic dimension, an order, a part, a unit vector?"""
    if isinstance(e, Unit | Choice | AtMost | Aligned) or (isinstance(e, Operation) and not isinstance(e, ALIKE)):
        return True
    if isinstance(e, Entry) and any(i.is_Integer and not d.is_Integer for i, d in zip(e.args[1:], e.args[0].shape, strict=True)):
        return True
    return any(_names_an_entry(a) for a in e.args if isinstance(a, Expr))


def at(q: Relation, table: dict[Expr, Expr]) -> Relation:
    return Relation(q.left.xreplace(table), q.sign, q.right.xreplace(table))


def say_entry(leaf: Expr) -> str:
    if not isinstance(leaf, Entry):
        return str(leaf)
    matrix, i, j = leaf.args
    return f"{matrix}[{i}]" if matrix.shape[1] == 1 else f"{matrix}[{i}, {j}]"


__all__ = ["Conditional", "at"]
