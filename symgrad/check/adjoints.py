"""Verification of claims about vectors and matrices: adjoints, their entries, closed forms, choices.

Everything is written out entry by entry at the sizes that the slot count asks for, and compared in normal form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Integer, ZeroMatrix

from symgrad.check import duals
from symgrad.check.comparison import Compared, Comparison, say_leaf
from symgrad.check.explicit import Explicit
from symgrad.check.general import General, lettered
from symgrad.check.identity import hits_kink, leaves
from symgrad.check.lines import Lines, has_kink, one_by_one
from symgrad.check.meaning import Meaning, expressions, flat
from symgrad.check.normal import Undecided, constant_value
from symgrad.check.points import differ
from symgrad.check.shapes import Shapes
from symgrad.check.sizes import Source
from symgrad.check.slots import slots
from symgrad.check.symmetry import Mirrored, Symmetries
from symgrad.language import forms as F
from symgrad.language.bounds import within_degree
from symgrad.language.claims import Adjoint, AdjointEntry, ClosedForm, Differs, Matches, Witness
from symgrad.language.errors import Refused
from symgrad.language.functions import Call
from symgrad.language.graph import Node
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.structure import Structure
from symgrad.language.vectors import SCALAR, Elementwise, Entry, Shape, dimensions_in, names_in, say_shape, shape_of, size_at, variable

MAX_WITNESS = 20
MANY = 6  # more dimensions than this are not listed one by one


@dataclass
class Adjoints:
    """Adjoint claims of one problem; each may use the adjoints that were verified before it."""

    problem: Problem
    found: dict[tuple[str, str], Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.undecided: set[tuple[str, str]] = set()  # adjoints that were claimed and neither proved nor refuted
        self.graph = self.problem.graph
        self.dimensions = self.graph.dimensions
        self.shapes = Shapes(self.graph)
        self.constants: dict[str, dict[Expr, Expr]] = {}
        self.above: dict[str, frozenset[str]] = {}
        self.lines = Lines()
        self.inline: dict[Expr, Expr] = {}  # names that stand for their definitions while one chain is compared
        self.mirrored: Mirrored = {}  # square matrices that are known to be symmetric, while one chain is compared
        self.rests: dict[tuple[str, str], frozenset[str]] = {}  # of which nodes the definitions were used in an adjoint that was verified
        self.symmetries = Symmetries(self.graph, self.found, self.mirrored_equal)
        self.kinked = False  # a function with a kink was met since the checker last looked

    @cached_property
    def general(self) -> General | None:
        """The graph with letters for sizes that are large numbers."""
        return lettered(self.graph)

    def consumers(self, node: str, of: str) -> list[str]:
        """The consumers of `node` from which a path leads to `of`."""
        if of not in self.above:
            self.above[of] = self.graph.ancestors(of)
        return [u for u in self.graph.consumers(node) if u in self.above[of]] if node != of else []

    # ---- claims ----------------------------------------------------------------------------------------------

    def adjoint(self, c: Adjoint) -> Verdict:
        """lines[0] is the sum of one pullback for every consumer on a path; every line has the same entries."""
        what = f"{c.node}_bar"
        self.graph[c.of], self.graph[c.node]  # noqa: B018  -- raises SpecError, with the names there are
        clash = [n for n in (c.node, *self.graph.consumers(c.node)) if f"{n}_bar" in self.graph]
        if clash:
            raise Refused(f"{clash[0]}_bar is a name of the problem and cannot stand for the adjoint of {clash[0]} too")
        wanted: F.Form
        consumers = self.consumers(c.node, c.of)
        if c.node == c.of:
            wanted = F.Just(Integer(1))
        elif not consumers:
            wanted = F.Just(c.expr)
            if not (c.expr == 0 or isinstance(c.expr, ZeroMatrix)):
                raise Refused(f"there is no path from {c.node} to {c.of}, so {what} is zero")
        if not c.lines:
            raise Refused(f"{what} has no lines")
        first = c.lines[0].form
        self.well_formed(c.of, [c.expr, *(e for line in c.lines for e in expressions(line.form))], what)
        if consumers:
            terms = first.terms if isinstance(first, F.Sum) else (first,)
            missing = [u for u in consumers if F.Pullback(u, c.node) not in terms]
            if missing:
                raise Refused(f"{what} forgets what {', '.join(missing)} contributes")
            if len(terms) != len(consumers):
                raise Refused(f"{what} has a term that is no consumer of {c.node}, or one twice")
            for u in consumers:
                if (c.of, u) not in self.found:
                    raise self.lacking(c.of, u, what)
        elif first != wanted:
            raise Refused(f"{what} is 1 by definition" if c.node == c.of else f"{what} is zero: no path leads to {c.of}")
        if shape_of(c.expr) != self.graph.shape(c.node):
            raise Refused(f"{what} has shape {say_shape(shape_of(c.expr))}, {c.node} is {say_shape(self.graph.shape(c.node))}")
        forms = (*(line.form for line in c.lines), F.Just(c.expr))
        shown = {n for f in forms for e in expressions(f) for n in names_in(e)}
        adjoints = {variable(f"{u}_bar", self.graph.shape(u)): self.found[c.of, u] for u in consumers if self.put_in(c, u)}
        shown |= {n for e in adjoints.values() for n in names_in(e)}
        # the slope of p = softmax(z) may be written with p: a consumer's own name stands for its definition, the last one first
        own = {self.graph.symbol(u): self.graph.node(u).expr for u in reversed(consumers) if u in shown and not self.graph.node(u).structure}
        compared, symmetric = self.first_chain({**adjoints, **own}, forms, c.of, self.graph.shape(c.node), what, shown)
        self.found[c.of, c.node] = c.expr
        self.rests[c.of, c.node] = frozenset((*symmetric, *(u for u in consumers if self.graph.symbol(u) in own)))
        if c.expr.is_Number:
            self.numbers(c.of)[variable(f"{c.node}_bar", SCALAR)] = c.expr
        return self.verdict(f"one term for every consumer in the graph; each line {compared}", compared)

    def first_chain(self, inline: dict[Expr, Expr], forms: tuple[F.Form, ...], of: str, shape: Shape, what: str,
                    shown: set[str]) -> tuple[Compared, frozenset[str]]:
        """The chain; where it fails, with what is known of the square matrices that are shown: S^T = S, then D_ij = 0 off the diagonal.

        With the names of the nodes whose symmetry it may rest on.
        """
        self.inline = inline
        try:
            return self.chain(forms, of, shape, what), frozenset()
        except (Refused, Undecided):
            self.mirrored, conditions = self.symmetries.of(of, shown)
            if not self.mirrored:
                raise
            found = self.second_chain(forms, of, shape, what, shown)
            return replace(found, conditions=tuple(dict.fromkeys((*found.conditions, *conditions)))), self.symmetries.known(of)
        finally:
            self.inline, self.mirrored = {}, {}

    def second_chain(self, forms: tuple[F.Form, ...], of: str, shape: Shape, what: str, shown: set[str]) -> Compared:
        diagonal = {n.symbol: n.expr for n in self.graph.structured if n.structure is Structure.DIAGONAL and n.name in shown}
        try:
            return self.chain(forms, of, shape, what)
        except (Refused, Undecided):
            if not diagonal:
                raise
            self.inline = {**self.inline, **diagonal}
            return self.chain(forms, of, shape, what)

    def alike(self, a: Expr, b: Expr, of: str, what: str) -> Compared:
        """Two expressions of one shape are equal, as they stand or by the symmetry of what is in them.  Raises Refused or Undecided."""
        try:
            return self.equal(F.Just(a), F.Just(b), of, shape_of(a), what)
        except (Refused, Undecided):
            mirrored, conditions = self.symmetries.of(of, {*names_in(a), *names_in(b)})
            if not mirrored:
                raise
            found = self.mirrored_equal(a, b, of, mirrored)
            return replace(found, conditions=tuple(dict.fromkeys((*found.conditions, *conditions))))

    def mirrored_equal(self, a: Expr, b: Expr, of: str, mirrored: Mirrored) -> Compared:
        """Two matrices, compared under what is known of the symmetry of others."""
        before, self.inline, self.mirrored = (self.inline, self.mirrored), {}, mirrored
        try:
            return self.equal(F.Just(a), F.Just(b), of, shape_of(a), "symmetry")
        finally:
            self.inline, self.mirrored = before

    def put_in(self, c: Adjoint, consumer: str) -> bool:
        """Is it the gradient in a structured variable, written with the definition of that variable's adjoint put in?"""
        return self.graph.node(consumer).structure is not None and f"{consumer}_bar" not in names_in(c.expr)

    def chain(self, forms: tuple[F.Form, ...], of: str, shape: Shape, what: str) -> Compared:
        """Every form equals the next; with letters for large sizes if that shows all of it, so that layers of several sizes are one statement."""
        meaning, comparison = Meaning(self.graph, self.inline), self.comparison(of)

        def show(meaning: Meaning, comparison: Comparison, forms: tuple[F.Form, ...], shape: Shape) -> Compared:
            return self.once(meaning, comparison.numbers, forms, shape, lambda: one_by_one(
                forms, what, lambda a, b, line: either(meaning, a, b, comparison, lambda how: meaning.compared(how, a, b, shape, line))))

        return meaning.lettered(self.general, comparison, forms, shape, show) or self.once(
            meaning, comparison.numbers, forms, shape, lambda: one_by_one(forms, what, lambda a, b, line: self.equal(a, b, of, shape, line)))

    def once(self, meaning: Meaning, numbers: Mapping[Expr, Expr], forms: tuple[F.Form, ...], shape: Shape, show: Callable[[], Compared]) -> Compared:
        found, kinked = self.lines.once(meaning, numbers, forms, shape, show, self.mirrored)
        self.kinked |= kinked
        return found

    def entry(self, c: AdjointEntry) -> Verdict:
        """The index form, at every index value."""
        expr = self.established(c.of, c.node)
        shape = self.graph.shape(c.node)
        axes = [d for d in shape if d != 1] if 1 in shape else list(shape)
        if len(c.indices) != len(axes) or len(set(c.indices)) != len(axes):
            raise Refused(f"an entry of {c.node}_bar has {len(axes)} indices")
        self.well_formed(c.of, [c.expr], f"entry of {c.node}_bar", dict(zip(c.indices, axes, strict=True)))
        i, j = (*c.indices, Integer(1), Integer(1))[:2]
        self.note_kinks([Source(expr), Source(c.expr)])
        found = self.comparison(c.of).compare(
            lambda ex: ex.rows(expr),
            lambda ex: tuple(tuple(ex.scalar(c.expr.xreplace({i: Integer(a), j: Integer(b)})) for b in range(1, ex.size(shape[1]) + 1))
                             for a in range(1, ex.size(shape[0]) + 1)),
            shape, lambda atoms: (slots(expr, atoms, False), slots(c.expr, atoms, False)), f"entry of {c.node}_bar",
            (Source(expr), Source(c.expr)), dimensions_in(expr) | dimensions_in(c.expr) | {d for d in shape if not d.is_Integer})
        return self.verdict(str(found), found)

    def closed_form(self, c: ClosedForm) -> Verdict:
        """All adjoints' definitions put in; forward nodes may stand for themselves or for their definitions."""
        self.well_formed(c.of, [c.expr], f"closed form of {c.node}_bar")
        expr = self.composed(self.established(c.of, c.node), c.of, forward=frozenset())
        if names_in(c.expr) and any(n.endswith("_bar") and n[:-4] in self.graph for n in names_in(c.expr) if n not in self.graph):
            raise Refused(f"the closed form of {c.node}_bar still has an adjoint in it")
        if flat(expr) == flat(c.expr):
            self.note_kinks([Source(expr)])
            return self.verdict("equals put in for equals, compared as expressions", Compared())
        what = f"closed form of {c.node}_bar"
        try:
            found = self.equal(F.Just(expr), F.Just(c.expr), c.of, self.graph.shape(c.node), what)
        except Refused:
            left, right = self.composed(expr, c.of), self.composed(c.expr, c.of)
            found = self.equal(F.Just(left), F.Just(right), c.of, self.graph.shape(c.node), what)
        return self.verdict(str(found), found)

    def matches(self, c: Matches) -> Verdict:
        if len(c.wrt) != len(c.choice) or not c.wrt:
            raise Refused("a choice has one expression for each derivative in question")
        self.well_formed(c.of, c.choice, "choice")
        found = Compared()
        for w, choice in zip(c.wrt, c.choice, strict=True):
            found = found.also(self.same(self.established(c.of, w), choice, c.of, w))
        return self.verdict(f"equal to the derived answer with definitions put in, {found}", found)

    def same(self, derived: Expr, choice: Expr, of: str, w: str) -> Compared:
        """Equal with no forward definition put in, else with those of entrywise nodes, h = sigma(z), else with all: the first is cheapest."""
        entrywise = frozenset(n.name for n in self.graph.nodes if isinstance(n.expr, Elementwise | Call))
        for names in (frozenset(), entrywise, None):
            left, right = (self.composed(e, of, forward=names) for e in (derived, choice))
            if shape_of(left) != shape_of(right):
                raise Refused(f"the choice is {say_shape(shape_of(right))}, the derivative {say_shape(shape_of(left))}")
            try:
                return self.alike(left, right, of, "choice")
            except (Refused, Undecided):
                if names is None:
                    raise
        raise Undecided("choice: not compared")

    def differs(self, c: Differs) -> Verdict:
        """The shapes differ, or the witness separates the two."""
        if len(c.wrt) != len(c.choice) or not 0 <= c.part < len(c.wrt):
            raise Refused("a choice has one expression for each derivative in question")
        self.well_formed(c.of, c.choice, "choice")
        left, right = self.composed(self.established(c.of, c.wrt[c.part]), c.of), self.composed(c.choice[c.part], c.of)
        if c.witness is None:
            if shape_of(left) == shape_of(right):
                raise Refused("the shapes are the same, and no witness is given")
            return Verdict(Ground.PROVED, f"the shapes differ: {say_shape(shape_of(right))} is not {say_shape(shape_of(left))}", "for general sizes")
        sizes = dict(c.witness.sizes)
        missing = [str(d) for d in self.dimensions if not 1 <= sizes.get(str(d), 0) <= MAX_WITNESS]
        if missing:
            raise Refused(f"the witness gives no size from 1 to {MAX_WITNESS} for {missing[0]}")
        ex = Explicit({d: sizes[str(d)] for d in self.dimensions})
        i, j = c.witness.entry
        if not all(1 <= i <= len(rows) and 1 <= j <= len(rows[0]) for rows in (ex.rows(left), ex.rows(right))):
            raise Refused(f"the choice or the derivative has no entry {c.witness.entry} at the sizes of the witness")
        point = self.point(c.witness)
        a, b = ex.rows(left)[i - 1][j - 1], ex.rows(right)[i - 1][j - 1]
        unknown = [say_leaf(s) for s in leaves(a, b) if s not in point]
        if unknown:
            raise Refused(f"the witness gives no value for {unknown[0]}")
        if hits_kink(a, point):
            raise Refused("the derivative was derived away from kinks, and the witness is at one")
        if not differ(a, b, point, step_at_zero=self.problem.conventions.step_at_zero):
            raise Refused("the witness does not separate the choice from the derivative")
        values = [constant_value(e.xreplace(point)) for e in (a, b)]
        found = "" if None in values else f": the derivative is {values[0]}, the choice is {values[1]}"
        return Verdict(Ground.PROVED, f"evaluated exactly at the witness{found}", "at the witness")

    # ---- comparison ------------------------------------------------------------------------------------------

    def established(self, of: str, node: str) -> Expr:
        if (of, node) not in self.found:
            raise Refused(f"{node}_bar was not derived")
        return self.found[of, node]

    def composed(self, e: Expr, of: str, forward: frozenset[str] | None = None) -> Expr:
        """Definitions of adjoints put in, and of the forward nodes named (None: of all)."""
        table = {variable(f"{n}_bar", self.graph.shape(n)): x for (o, n), x in self.found.items() if o == of}
        table |= {n.symbol: n.expr for n in self.graph.nodes if forward is None or n.name in forward}
        while True:
            put_in = within_degree(e).xreplace(table)
            if put_in == e:
                return e
            e = put_in

    def point(self, w: Witness) -> dict[Expr, Expr]:
        values: dict[Expr, Expr] = {}
        for name, rows in w.values:
            symbol = self.graph.symbol(name)
            if isinstance(self.graph[name], Node):
                raise Refused(f"{name} is no variable: a witness gives values to variables, the rest follows")
            n, m = (size_at(d, {x: n for x in self.dimensions for word, n in w.sizes if str(x) == word}) for d in self.graph.shape(name))
            if len(rows) != n or any(len(row) != m for row in rows):
                raise Refused(f"the witness gives {name} another shape than {n} x {m}")
            for a, row in enumerate(rows, 1):
                for b, x in enumerate(row, 1):
                    values[symbol if self.graph.shape(name) == SCALAR else Entry(symbol, Integer(a), Integer(b))] = x
        return values

    def equal(self, a: F.Form, b: F.Form, of: str, shape: Shape, what: str) -> Compared:
        """Entry by entry, sizes that are large numbers by letters where that decides it.  Raises Refused with a point, or Undecided."""
        meaning, comparison = Meaning(self.graph, self.inline), self.comparison(of)
        self.note_kinks((*meaning.sources(a), *meaning.sources(b)))
        return either(meaning, a, b, comparison, lambda how: (
            meaning.in_general(self.general, how, a, b, shape, what) or meaning.compared(how, a, b, shape, what)))

    def comparison(self, of: str) -> Comparison:
        return Comparison(self.dimensions, self.problem.conventions, self.numbers(of), self.mirrored)

    def numbers(self, of: str) -> dict[Expr, Expr]:
        """The scalar adjoints that are numbers, such as L_bar = 1."""
        if of not in self.constants:
            self.constants[of] = {}
        return self.constants[of]

    def well_formed(self, of: str, exprs: Iterable[Expr], what: str, free: dict[Expr, Expr] | None = None) -> None:
        """Shapes fit, and no adjoint is used that was not derived.  Raises Refused."""
        for e in exprs:
            self.shapes.require(e, free)
            for n in names_in(e):
                if n not in self.graph and (of, n.removesuffix("_bar")) not in self.found:
                    raise self.lacking(of, n.removesuffix("_bar"), what)

    def lacking(self, of: str, node: str, what: str) -> Refused | Undecided:
        """Why a claim that uses an adjoint which was not verified is no proof: that one was not decided, or not derived at all."""
        if (of, node) in self.undecided:
            return Undecided(f"{what} rests on {node}_bar, which is not decided")
        return Refused(f"{what} uses {node}_bar before it is derived")

    def note_kinks(self, sources: Iterable[Source]) -> None:
        """Comparison is made off the kinks of max, |x|, step and the like: a claim in which one is met says so."""
        self.kinked |= has_kink(sources)

    def verdict(self, method: str, found: Compared) -> Verdict:
        """Proved for all sizes; or tested, where something was written out of which the slot count says nothing, such as cofactors."""
        if not found.everywhere:
            return Verdict(Ground.TESTED, f"{method}; what does not follow from the rules of inverses and the like is written out",
                           "at these sizes, for all values", found.conditions)
        everywhere = "for all values" if not self.dimensions else "for all sizes" if len(self.dimensions) > MANY else (
            f"for all {', '.join(map(str, self.dimensions))}")
        return Verdict(Ground.PROVED, method, everywhere + (", away from kinks" if self.kinked else ""), found.conditions)


def either(meaning: Meaning, a: F.Form, b: F.Form, comparison: Comparison, written_out: Callable[[Comparison], Compared]) -> Compared:
    """As sums of products of matrices first where entries take long to compare, else where they do not show it."""
    costly = duals.costly(meaning, (a, b))
    if costly and (found := duals.alike(meaning, a, b, comparison.numbers)) is not None:
        return found
    try:
        return written_out(replace(comparison, doubtful=costly))
    except Undecided:
        if costly or (found := duals.alike(meaning, a, b, comparison.numbers)) is None:
            raise
        return found
