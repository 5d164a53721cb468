"""Verification of identities under assumptions: chains of lines, cases that leave nothing out, counterexamples.

Lines are compared at all values at which they are defined, kinks and ties included; what must hold for that and does not
follow from the assumptions is said in the verdict ("proved under x != 0").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise, product

from sympy import Add, Dummy, Expr, Integer, Inverse, Mul, Symbol

from symgrad.check.assumptions import (
    MAX_SIZE,
    Assumed,
    composed,
    differences,
    entry_local,
    least_sizes,
    of_sizes,
    put_in,
    solvable,
    substituted,
    write_out,
)
from symgrad.check.comparison import Comparison
from symgrad.check.domains import KINKED, SIGNS, conditions
from symgrad.check.evaluation import leaves
from symgrad.check.explicit import Explicit, enough, slots
from symgrad.check.inverses import Inverses
from symgrad.check.normal import Undecided, branches, comparison_key, constant_value, possible_signs
from symgrad.check.points import points, refute
from symgrad.check.signs import ANY, NEGATIVE, NOT_NEGATIVE, POSITIVE, SignSet, product_of
from symgrad.check.sizes import Source, thorough
from symgrad.check.splits import divided_alike
from symgrad.language import forms as F
from symgrad.language.claims import Cases, Claim, Counterexample, Identity, Impossible, Open
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import Fn, call
from symgrad.language.operations import MaxOf, Solve
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, DetOf, Entry, IndexSum, LogSumExp, Norm, SumOf, dimensions_in, names_in, shape_of

MAX_CASES, MAX_NAMES = 3000, 6
SUMS = (IndexSum, Norm, SumOf, LogSumExp)


@dataclass
class Identities:
    """What was shown of one problem: equalities with their assumptions, and assumptions that contradict each other."""

    problem: Problem
    shown: list[tuple[Expr, Expr, tuple[Relation, ...]]] = field(default_factory=list)
    empty: list[tuple[Relation, ...]] = field(default_factory=list)
    unsettled: set[tuple[Expr, Expr]] = field(default_factory=set)  # ends of chains that were neither shown nor refused
    stated: dict[tuple[Expr, Expr], tuple[Relation, ...]] = field(default_factory=dict)  # conditions that were not discharged

    def __post_init__(self) -> None:
        self.graph, self.step = self.problem.graph, self.problem.conventions.step_at_zero

    # ---- claims ----------------------------------------------------------------------------------------------

    def identity(self, c: Identity) -> Verdict:
        """Every line equals the next, entry by entry at as many sizes as the count of index slots asks for."""
        exprs = []
        for line in c.lines:
            if not isinstance(line.form, F.Just) or line.approx:
                raise Refused("a line of an identity is an exact expression")
            exprs.append(composed(self.graph, line.form.expr))
        if len(exprs) < 2:
            raise Refused("an identity has at least two lines")
        ranges = self.ranges(c)
        given = self.given(c.assume)
        needed = tuple(dict.fromkeys(q for e in exprs for q in conditions(e)))
        self.how, self.general = "", True
        ends = sides(c)
        try:
            for k, (a, b) in enumerate(pairwise(exprs), 2):
                if a != b:
                    self.equal(a, b, (c.indices, ranges), given, needed, f"line {k}")
        except (Undecided, Unsupported):
            self.unsettled.add(ends)
            raise
        stated = self.undischarged(needed, given, c.indices)
        self.shown.append((*ends, c.assume))
        for pair in (ends, ends[::-1]):
            self.stated[pair] = _distinct((*self.stated.get(pair, ()), *stated))
        method = f"each line compared with the next in normal form{self.how}"
        if not self.general:
            return Verdict(Ground.TESTED, f"{method}; an inverse or determinant is written out by cofactors", "at these sizes, for all values")
        return self.proved(ends, c.assume, stated, method)

    def cases(self, c: Cases) -> Verdict:
        """Every pattern of signs of what the cases distinguish has a case that was shown, or contradicts itself."""
        facts = [q for a, b, q in self.shown if (a, b) in ((c.left, c.right), (c.right, c.left))]
        if not facts and {(c.left, c.right), (c.right, c.left)} & self.unsettled:
            raise Undecided("its cases were not decided")
        if not facts:
            raise Refused("no case was shown")
        given, ends = self.given(c.assume), (c.left, c.right)
        defined = tuple(q for e in ends for q in conditions(composed(self.graph, e)))
        entries = {q.left for f in (*facts, *self.empty) for q in f if isinstance(q.left, Entry)}
        known: dict[object, SignSet] = {}
        for key, signs in map(_keyed, (p for q in (*given, *defined) for p in (q, *_of_entries(q, entries)))):
            known[key] = known.get(key, ANY) & signs
        self.count = 0
        self.cover(known, [[_keyed(q) for q in self.given(f)] for f in (*facts, *self.empty)])
        stated = _distinct((*self.undischarged(defined, given, ()), *self.stated.get(ends, ())))
        self.shown.append((*ends, c.assume))
        return self.proved(ends, c.assume, stated, f"{len(facts)} case{'s' if len(facts) > 1 else ''}, and nothing is left out")

    def impossible(self, c: Impossible) -> Verdict:
        """A sum of products of the assumed differences is a number, and has a sign that this number does not have."""
        given = self.given(c.assume)
        facts = [(Add(q.left, Mul(Integer(-1), q.right)), SIGNS[q.sign]) if shape_of(q.left) == SCALAR == shape_of(q.right)
                 else (Integer(0), ANY) for q in given]
        if not c.terms:
            seen = [q for k, q in enumerate(given) if not possible_signs(facts[k][0], tuple(facts[:k] + facts[k + 1:])) & facts[k][1]]
            if not seen:
                raise Refused("no assumption contradicts the others by its sign")
            self.empty.append(c.assume)
            return Verdict(Ground.PROVED, f"{seen[0]} contradicts what else is assumed")
        total, strict = Integer(0), False
        for t in c.terms:
            if not t.relations or any(not 1 <= i <= len(facts) for i in t.relations):
                raise Refused("a multiplier of an assumption that is not there")
            signs = reduce(product_of, (facts[i - 1][1] for i in t.relations), POSITIVE if t.multiplier > 0 else NEGATIVE)
            if not signs <= NOT_NEGATIVE:
                raise Refused(f"the multiplier {t.multiplier} makes a term that may be negative")
            strict |= signs == POSITIVE
            total = Add(total, Mul(t.multiplier, *(facts[i - 1][0] for i in t.relations)))
        number = constant_value(total.xreplace(dict.fromkeys(leaves(total), Integer(0))))
        if number != c.total or not all(zero for zero, _ in branches(Add(total, -number), away=False)):
            raise Refused(f"the weighted sum of the assumptions is not {c.total}")
        if number > 0 or (number == 0 and not strict):
            raise Refused(f"the weighted sum of the assumptions is {number}, which contradicts nothing")
        self.empty.append(c.assume)
        return Verdict(Ground.PROVED, f"the weighted sum of the assumptions is {number}, but no term of it is negative")

    # ---- comparison ------------------------------------------------------------------------------------------

    def given(self, assume: tuple[Relation, ...]) -> tuple[Relation, ...]:
        return tuple(put_in(self.graph, q) for q in assume)

    def equal(self, a: Expr, b: Expr, free: tuple[tuple[Symbol, ...], tuple[Expr, ...]], given: tuple[Relation, ...],
              needed: tuple[Relation, ...], what: str) -> None:
        """a = b for all values and sizes, and for all values of the free indices.  Raises Refused or Undecided."""
        if shape_of(a) != shape_of(b):
            raise Refused(f"{what}: the shapes differ")
        if isinstance(a, Diff | Grad) and isinstance(b, Diff | Grad) and a.args[1] == b.args[1]:  # equal functions have equal derivatives
            apart = tuple(q for q in (*given, *needed) if not {*names_in(q.left), *names_in(q.right)} & set(names_in(a.args[1])))
            try:
                return self.equal(a.args[0], b.args[0], free, apart, (), what)
            except (Undecided, Refused):
                pass
        letters = {e: Symbol(f"#number {k}", real=True) for k, e in enumerate(sorted(self.numbers(a, b), key=str))}
        if letters:  # what holds for any number in the place of max(x), or of a sum on both sides, holds for that one
            try:
                return self.equal(a.xreplace(letters), b.xreplace(letters), free, given, needed, what)
            except (Undecided, Refused):
                pass
        if any(e.has(Inverse, Solve, DetOf) for e in (a, b)) and by_products(a, b):
            self.how = ", as sums of products of matrices in which a matrix times its inverse is I"
            return None
        if not free[0] and self.by_rules_of_inverses(a, b, what):
            return None
        equations = tuple(q for q in given if not solvable(q))
        put = substituted(a, equations), substituted(b, equations)
        if put != (a, b):  # equals for equals, unless the lines are equal as they stand
            try:
                return self.compare(a, b, free, given, needed, what, by_points=False)
            except Undecided:
                a, b = put
        try:
            return self.compare(a, b, free, given, needed, what, by_points=not equations)
        except Undecided:
            if free[0] or not by_products(a, b):
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
        comparison = Comparison(dimensions, self.problem.conventions, {})
        try:
            found = comparison.with_atoms(dimensions, shape_of(a), (slots(a, True), slots(b, True)), False, lambda ex: ex.rows(a),
                                          lambda ex: ex.rows(b), (), what)
        except (Undecided, Unsupported):
            return False
        if not divided_alike((a, b)):
            return False
        self.how = f", {str(found).removeprefix('compared ')}, {'; '.join(found.conditions)}"
        return True

    def compare(self, a: Expr, b: Expr, free: tuple[tuple[Symbol, ...], tuple[Expr, ...]], given: tuple[Relation, ...],
                needed: tuple[Relation, ...], what: str, by_points: bool) -> None:
        """Entry by entry, at as many sizes as the index slots ask for."""
        indices, ranges = free
        others = tuple(q for q in (*given, *needed) if solvable(q) and not of_sizes(q) and entry_local(q))
        mentioned = frozenset(ranges).union(*(dimensions_in(e) for e in (a, b, *(s for q in others for s in (q.left, q.right)))))
        least = least_sizes(given)
        shape = (*ranges, *(d for d in shape_of(a) if d != 1))
        vectors, general = enough(tuple(d for d in self.graph.dimensions if d in mentioned), shape, (slots(a), slots(b)))
        self.general &= general and divided_alike((a, b))
        vectors = thorough(vectors, shape, (slots(a), slots(b)), (*_sources(a), *_sources(b)))
        alike = not any(_names_an_entry(e) for e in (a, b, *(s for q in others for s in (q.left, q.right))))
        for vector in vectors:
            ex = Explicit({d: n + max(0, least.get(d, 1) - vectors[0][d]) for d, n in vector.items()})
            if max(ex.sizes.values(), default=0) > MAX_SIZE:
                raise Undecided(f"{what}: a comparison at {max(ex.sizes.values())} index values is too large")
            for values in places(ranges, ex, alike):
                table = dict(zip(indices, map(Integer, values), strict=True))
                assumed = write_out(tuple(_at(q, table) for q in others), ex)
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
            refute(x, y, (p for p in tries if assumed.hold(p, self.step)), what, _say, self.step)
        if not all(zero for zero, _ in branches(Add(x, Mul(Integer(-1), y)), None, self.step, facts=assumed.facts, away=False)):
            raise Undecided(f"{what}: the normal form does not decide it")

    def cover(self, known: dict[object, SignSet], facts: list[list[tuple[object, SignSet]]]) -> None:
        """Raises Refused with a pattern of signs for which there is no case."""
        self.count += 1
        if self.count > MAX_CASES:
            raise Undecided(f"more than {MAX_CASES} patterns of signs")
        if any(not signs for signs in known.values()):
            return  # the pattern contradicts itself
        open_keys = []
        for fact in facts:
            open_here = [key for key, signs in fact if not known.get(key, ANY) <= signs]
            if not open_here:
                return
            if all(known.get(key, ANY) & signs for key, signs in fact):
                open_keys.append(open_here[0])
        if not open_keys:
            raise Refused(f"the cases leave something out: {'; '.join(f'{_say_key(key)} has a sign in {sorted(x)}' for key, x in known.items())}")
        for sign in sorted(known.get(open_keys[0], ANY)):
            self.cover({**known, open_keys[0]: frozenset((sign,))}, facts)

    # ---- small things ----------------------------------------------------------------------------------------

    @staticmethod
    def ranges(c: Identity) -> tuple[Expr, ...]:
        """The dimensions over which the indices run, from the entry on the first line."""
        if not c.indices:
            return ()
        first = c.lines[0].form
        if not isinstance(first, F.Just) or not isinstance(first.expr, Entry) or tuple(
                i for i in first.expr.args[1:] if i != 1) != c.indices or len(set(c.indices)) != len(c.indices):
            raise Refused("the first line must be the entry with these indices")
        return tuple(d for d, i in zip(first.expr.args[0].shape, first.expr.args[1:], strict=True) if i != 1)

    def undischarged(self, needed: tuple[Relation, ...], given: tuple[Relation, ...], indices: tuple[Symbol, ...]) -> tuple[Relation, ...]:
        """The conditions that do not follow from the assumptions."""
        least = least_sizes(given)
        usable = [q for q in given if solvable(q) and not of_sizes(q)]
        ex = Explicit({d: max(3, least.get(d, 1)) for d in self.graph.dimensions})
        found: list[Relation] = []
        for q in sorted(needed, key=lambda q: SIGNS[q.sign] != POSITIVE):  # x > 0 before x != 0, which it makes superfluous
            if q.left.has(DetOf, Inverse):  # written out, it takes minutes and shows nothing
                holds = q in given or Relation(q.left, Sign.MORE, q.right) in (*given, *found)
            elif of_sizes(q):
                sizes = dimensions_in(q.left) | dimensions_in(q.right)
                shifts = product(*([Integer(least.get(d, 1)), Add(least.get(d, 1), call("exp", Dummy(real=True)))] for d in sizes))
                gap = Add(q.left, Mul(Integer(-1), q.right))
                holds = all(possible_signs(gap.xreplace(dict(zip(sizes, shift, strict=True)))) <= SIGNS[q.sign] for shift in shifts)
            else:
                holds = all(self.follows(q, (*usable, *found), ex, dict.fromkeys(indices, Integer(k))) for k in (1, 2))
            if not holds:
                found.append(q)
        return _distinct(tuple(found))

    @staticmethod
    def follows(q: Relation, given: tuple[Relation, ...], ex: Explicit, table: dict[Expr, Expr]) -> bool:
        """For every entry, as far as the test of signs sees."""
        try:
            assumed = write_out(tuple(_at(p, table) for p in given), ex)
            return all(possible_signs(assumed.put_in(g), assumed.facts) <= SIGNS[q.sign] for g in differences(_at(q, table), ex))
        except Unsupported:
            return False

    def proved(self, ends: tuple[Expr, Expr], assume: tuple[Relation, ...], stated: tuple[Relation, ...], method: str) -> Verdict:
        names = tuple(dict.fromkeys(n for e in ends for n in names_in(composed(self.graph, e))))
        sizes = sorted(str(d) for d in frozenset().union(*(dimensions_in(composed(self.graph, e)) for e in ends)))
        over = [*(sizes if any(sizes) else ()), *(n for n in names if self.graph.shape(n) == SCALAR)]
        domain = f"for all {', '.join(over)}" if 0 < len(over) <= MAX_NAMES else "for all values"
        if assume:
            domain += f" with {', '.join(map(str, assume))}"
        if stated:
            domain += f", under {', '.join(map(str, stated))}"
        return Verdict(Ground.PROVED, method, domain, tuple(map(str, stated)))


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
    """Is there an entry with a number as index in a symbolic dimension?"""
    if isinstance(e, Entry) and any(i.is_Integer and not d.is_Integer for i, d in zip(e.args[1:], e.args[0].shape, strict=True)):
        return True
    return any(_names_an_entry(a) for a in e.args if isinstance(a, Expr))


def sides(c: Identity) -> tuple[Expr, Expr]:
    """The two ends of the lines; the whole vectors or matrices where the lines are about their entries."""
    ends = []
    for line in (c.lines[0], c.lines[-1]):
        e = line.form.expr if isinstance(line.form, F.Just) else None
        if c.indices and isinstance(e, Entry) and tuple(i for i in e.args[1:] if i != 1) == c.indices:
            e = e.args[0]
        ends.append(e)
    return ends[0], ends[1]


def answered(claims: tuple[Claim, ...], left: Expr, right: Expr, assume: tuple[Relation, ...]) -> bool:
    """Is left = right under the assumptions shown, refuted under exactly them, or said to be open?"""
    for c in claims:
        match c:
            case Identity() if sides(c) in ((left, right), (right, left)) and set(c.assume) <= set(assume):
                return True
            case Cases() if (c.left, c.right) == (left, right) and set(c.assume) <= set(assume):
                return True
            case Counterexample() | Open() if (c.left, c.right) == (left, right) and set(c.assume) == set(assume):
                return True
    return False


def _at(q: Relation, table: dict[Expr, Expr]) -> Relation:
    return Relation(q.left.xreplace(table), q.sign, q.right.xreplace(table))


def _keyed(q: Relation) -> tuple[object, SignSet]:
    """A key for left - right, the same for every multiple of it, and the signs that the relation leaves it."""
    if not shape_of(q.left) == SCALAR == shape_of(q.right):
        return (q.left, q.right), SIGNS[q.sign]
    key, flip = comparison_key(Add(q.left, Mul(Integer(-1), q.right)))
    return key, product_of(frozenset((flip,)), SIGNS[q.sign])


def _of_entries(q: Relation, entries: set[Expr]) -> tuple[Relation, ...]:
    """What a relation between a vector and a number says of the entries that the cases are about."""
    return tuple(Relation(e, q.sign, q.right) for e in entries if e.args[0] == q.left and shape_of(q.right) == SCALAR)


def _distinct(relations: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """Each condition once, whichever way it is turned."""
    found: dict[object, Relation] = {}
    for q in relations:
        found.setdefault(_keyed(q), q)
    return tuple(found.values())


def _say_key(key: object) -> str:
    if not isinstance(key, tuple) or not key or not isinstance(key[0], tuple):
        return str(key)
    return " + ".join("*".join([c, *(f"{n}^{k}" if k > 1 else n for n, k in m)]) for m, c in key[0]).replace("1*", "")


def _say(leaf: Expr) -> str:
    if not isinstance(leaf, Entry):
        return str(leaf)
    matrix, i, j = leaf.args
    return f"{matrix}[{i}]" if matrix.shape[1] == 1 else f"{matrix}[{i}, {j}]"
