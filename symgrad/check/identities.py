"""Verification of identities under assumptions: chains of lines, cases that leave nothing out, counterexamples.

Lines are compared at all values at which they are defined, kinks and ties included; what must hold for that and does not
follow from the assumptions is said in the verdict ("proved under x != 0").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise, product

from sympy import Add, Dummy, Expr, Integer, Inverse, Mul, Symbol

from symgrad.check.assumptions import composed, differences, least_sizes, of_sizes, put_in, solvable, write_out
from symgrad.check.conditional import Conditional, at
from symgrad.check.domains import SIGNS, conditions
from symgrad.check.errors import Undecided
from symgrad.check.evaluation import leaves
from symgrad.check.explicit import Explicit
from symgrad.check.normal import branches, comparison_key, constant_value, possible_signs
from symgrad.check.shapes import Ranges, Shapes
from symgrad.check.signs import ANY, NEGATIVE, NOT_NEGATIVE, POSITIVE, SignSet, product_of
from symgrad.language import forms as F
from symgrad.language.claims import Cases, Claim, Counterexample, Identity, Impossible, Open
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import call
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, DetOf, Entry, dimensions_in, names_in, shape_of

MAX_CASES, MAX_NAMES = 3000, 6


@dataclass
class Identities:
    """What was shown of one problem: equalities with their assumptions, and assumptions that contradict each other."""

    problem: Problem
    shown: list[tuple[Expr, Expr, tuple[Relation, ...]]] = field(default_factory=list)
    empty: list[tuple[Relation, ...]] = field(default_factory=list)
    unsettled: set[tuple[Expr, Expr]] = field(default_factory=set)  # ends of chains that were neither shown nor refused
    stated: dict[tuple[Expr, Expr], tuple[Relation, ...]] = field(default_factory=dict)  # conditions that were not discharged

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        self.shapes = Shapes(self.graph)

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
        free = dict(zip(c.indices, ranges, strict=True))
        for line in c.lines:
            self.shapes.require(line.form.expr, free)  # type: ignore[union-attr]
        given = self.given(c.assume)
        needed = tuple(dict.fromkeys(q for e in exprs for q in conditions(e)))
        comparing = Conditional(self.graph, self.problem.conventions, c.indices, ranges)
        ends = sides(c)
        try:
            self.usable(c.assume, free)
            for k, (a, b) in enumerate(pairwise(exprs), 2):
                if a != b:
                    comparing.equal(a, b, given, needed, f"line {k}")
        except (Undecided, Unsupported):
            self.unsettled.add(ends)
            raise
        stated = self.undischarged(needed, given, c.indices)
        self.shown.append((*ends, c.assume))
        for pair in (ends, ends[::-1]):
            self.stated[pair] = _distinct((*self.stated.get(pair, ()), *stated))
        method = f"each line compared with the next in normal form{comparing.how}"
        if not comparing.general:
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

    def usable(self, assume: tuple[Relation, ...], free: Ranges) -> None:
        """Raises Undecided where an assumption has no meaning at every value of the free indices, as z_i = (i - 1) x has none."""
        try:
            for q in assume:
                self.shapes.require(q.left, free)
                self.shapes.require(q.right, free)
        except Refused as error:
            raise Undecided(f"the assumption {q} cannot be used: {error}") from None

    def given(self, assume: tuple[Relation, ...]) -> tuple[Relation, ...]:
        return tuple(put_in(self.graph, q) for q in assume)

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
            assumed = write_out(tuple(at(p, table) for p in given), ex)
            return all(possible_signs(assumed.put_in(g), assumed.facts) <= SIGNS[q.sign] for g in differences(at(q, table), ex))
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


def sides(c: Identity) -> tuple[Expr, Expr]:
    """The two ends of the lines; the whole vectors or matrices where the lines are about their entries."""
    ends = []
    for line in (c.lines[0], c.lines[-1]):
        e = line.form.expr if isinstance(line.form, F.Just) else None
        ends.append(e.args[0] if isinstance(e, Entry) and c.indices and _is_any_entry(e, c.indices) else e)
    return ends[0], ends[1]


def _is_any_entry(e: Entry, indices: tuple[Symbol, ...]) -> bool:
    """Do the free indices run over every axis that has more than one place?  Entry (i, 1) of a matrix says nothing of its other columns."""
    places = list(zip(e.args[1:], shape_of(e.args[0]), strict=True))
    return tuple(i for i, d in places if d != 1) == indices and all(i == 1 for i, d in places if d == 1)


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
