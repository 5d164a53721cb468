"""ask = "prove": every equation is refuted at a point, or shown by a chain of lines, in cases where its kinks ask for them, or left open."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import prod

from sympy import Add, Expr, Integer, MatrixExpr, MatrixSymbol, Mul, Pow, Rational, Symbol

from symgrad.language import forms as F
from symgrad.language.claims import Cases, Counterexample, Identity, Impossible, Line, Open, Weighted
from symgrad.language.derivatives import Diff
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import Call, Fn
from symgrad.language.problem import Problem, Prove
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.vectors import Entry, is_scalar, shape_of
from symgrad.rules.chains import Setting, chain, put_in_nodes
from symgrad.rules.components import entry_at, free_indices, written_out
from symgrad.rules.kinks import is_kink, kinked_definition, kinks, resolve, split, turning
from symgrad.rules.matrices import carried_out, matrix_chain
from symgrad.rules.shape import calls, replaced
from symgrad.rules.signs import OF, Signs, difference
from symgrad.solvers.farkas import Kind, Row, contradiction, satisfying
from symgrad.solvers.refute import Found, Side, refute, satisfiable
from symgrad.solvers.values import Rows

MAX_CASES, MAX_DEPTH = 64, 16


def derive_prove(problem: Problem, part: str, ask: Prove) -> Derivation:
    """One step for every equation, or several where it is shown in cases."""
    steps: list[Step] = []
    answers: list[Answer] = []
    contradictory = _contradiction(ask.assume) if ask.assume else None
    for k, claim in enumerate(ask.claims, 1):
        name = f"claim {k}" if len(ask.claims) > 1 else "claim"
        for j, (left, right) in enumerate(pairwise(claim), 1):
            label = f"{name}, link {j}" if len(claim) > 2 else name
            found = _Work(problem, ask.assume, contradictory is not None).settle(left, right, label)
            steps += found
            if isinstance(found[-1].claim, Identity | Cases):
                answers.append(Answer(label, F.Just(left), F.Just(right)))
    judged = [_Work(problem, ask.assume, contradictory is not None, judged=True) for _ in ask.steps]
    for k, (work, (left, right)) in enumerate(zip(judged, pairwise(ask.steps), strict=False), 2):
        steps += work.settle(left, right, f"line {k}")
    if len(ask.steps) > 2 and any(isinstance(s.claim, Counterexample) for s in steps):
        steps += judged[-1].settle(ask.steps[0], ask.steps[-1], "first and last line")
    return Derivation(part, problem.graph, tuple(steps), tuple(answers), conventions(problem, ask))


def conventions(problem: Problem, ask: Prove) -> tuple[F.Prose, ...]:
    """step(0), where a claim uses it."""
    exprs = [e for chain in (*ask.claims, ask.steps) for e in chain]
    exprs += [n.expr for n in problem.graph.nodes]
    if any(getattr(c, "fn", None) is not None and c.fn.name == "step" for e in exprs for c in _functions(e)):
        return ((f"By convention of the problem step(0) = {problem.conventions.step_at_zero}.",),)
    return ()


def _functions(e: Expr) -> list[Expr]:
    found = [e] if hasattr(e, "fn") else []
    return found + [x for a in e.args if isinstance(a, Expr) for x in _functions(a)]


@dataclass
class _Work:
    """One equation under assumptions; `judged` lines are only decided, not derived."""

    problem: Problem
    assume: tuple[Relation, ...]
    contradictory: bool
    judged: bool = False
    cases: list[Step] = field(default_factory=list)
    impossible: list[Step] = field(default_factory=list)
    open_reason: str = ""

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        self.definitions = {n.symbol: n.expr for n in self.graph.nodes}
        self.at_zero = self.problem.conventions.step_at_zero

    def settle(self, left: Expr, right: Expr, label: str) -> list[Step]:
        """The steps that prove, refute or leave open left = right; the last one carries the label."""
        if self.contradictory:
            return [self.left_open(left, right, label, "the assumptions contradict each other, so the claim is about no values at all")]
        try:
            if left != right and (found := self.search(left, right)) is not None:
                return [self.counterexample(left, right, found, label)]
            if not satisfiable(self.graph, self.assume):
                self.open_reason = "no point was met that satisfies the assumptions"
            return self.prove(left, right, label)
        except Refuted as refuted:
            return [self.counterexample(left, right, refuted.found, label)]
        except (Unsupported, RecursionError) as error:
            if self.open_reason or isinstance(error, RecursionError):
                return [self.left_open(left, right, label, self.open_reason or "an expression nested too deeply")]
            return [self.identity(direct(left, right), label)]

    def left_open(self, left: Expr, right: Expr, label: str, reason: str) -> Step:
        return Step(Open(left, right, self.assume, reason), "undecided", ("neither shown nor refuted",), (), label)

    def counterexample(self, left: Expr, right: Expr, found: Found, label: str) -> Step:
        claim = Counterexample(left, right, self.assume, found.witness, found.values)
        return Step(claim, "counterexample", ("refuted by a point",), (), label)

    # ---- refutation ------------------------------------------------------------------------------------------

    def search(self, left: Expr, right: Expr, starts: tuple[dict[str, Rows], ...] = ()) -> Found | None:
        """A point, where values can be computed."""
        try:
            sides = [Side(*carried_out(self.composed(e))) for e in (left, right)]
            return refute(self.graph, sides[0], sides[1], self.composed_relations(), self.at_zero, starts)
        except Unsupported:
            return None

    def composed(self, e: Expr) -> Expr:
        move = put_in_nodes(e, self.definitions)
        return e if move is None else move.expr

    def composed_relations(self) -> tuple[Relation, ...]:
        return tuple(Relation(self.composed(q.left), q.sign, self.composed(q.right)) for q in self.assume)

    # ---- proof -----------------------------------------------------------------------------------------------

    def prove(self, left: Expr, right: Expr, label: str) -> list[Step]:
        """By lines, in cases where kinks ask for them; vectors without indices first, then entry by entry."""
        if left == right:
            return [self.identity((Line(F.Just(left)), Line(F.Just(right), ("the same",))), label)]
        if is_elementary(self.composed(left)) and is_elementary(self.composed(right)):
            if self.judged and not kinks(self.composed(left)) and not kinks(self.composed(right)):
                return [self.identity(direct(left, right), label)]
            return self.in_cases(_Ends(left, right), label)
        spare = matrix_chain(left, right, self.setting())
        if spare is not None and len(spare) > 2:
            return [self.identity(spare, label)]
        taken = frozenset((*self.graph.names, *map(str, self.graph.dimensions)))
        indices = free_indices(shape_of(left), taken) if not is_scalar(left) else ()
        a, b = (entry_at(e, indices) if indices else e for e in (left, right))
        try:
            return self.in_cases(_Ends(a, b, (left, right), indices, taken, spare), label)
        except Unsupported:
            return [self.identity(spare or direct(left, right), label)]

    def setting(self, *more: Relation, taken: frozenset[str] | None = None) -> Setting:
        return Setting((*self.composed_relations(), *more), self.definitions, self.at_zero, taken)

    def identity(self, lines: tuple[Line, ...], label: str) -> Step:
        return Step(Identity(lines, self.assume), "chain of equations", ("shown line by line",), (), label)

    def in_cases(self, ends: _Ends, label: str) -> list[Step]:
        """The equation itself where no kink is in it, else one step a case and one that says that nothing is left out."""
        ready = [self.ready(e, ends) for e in (ends.left, ends.right)]
        excluded = tuple(_excluded(ready[0][1]) + _excluded(ready[1][1]))
        self.region(ends, (ready[0][0], ready[1][0]), label, (), excluded)
        whole = ends.whole or (ends.left, ends.right)
        if self.open_reason:
            return [*self.cases, self.left_open(*whole, label, self.open_reason)]
        first = self.cases[0].claim if self.cases else None
        if len(self.cases) == 1 and not self.impossible and isinstance(first, Identity) and first.assume == self.assume:
            return [Step(first, self.cases[0].rule, self.cases[0].because, (), label)]
        because: F.Prose = ("the cases leave nothing out",) if len(self.cases) > 1 else ("no other case can occur",)
        return [*self.cases, Step(Cases(*whole, self.assume), "case distinction", because, (*self.cases, *self.impossible), label)]

    def ready(self, e: Expr, ends: _Ends) -> tuple[Expr, Expr]:
        """A side with everything put in and its derivatives carried out, so that its kinks show; and before they are carried out."""
        e = self.composed(e)
        if ends.taken is not None and (move := written_out(e, ends.taken)) is not None:
            e = move.expr
        return carried_out(e)[0], e

    def region(self, ends: _Ends, ready: tuple[Expr, Expr], label: str, conditions: tuple[Relation, ...], excluded: tuple[Relation, ...]) -> None:
        """One region of signs: impossible, or split further, or shown.  Raises Refuted where a point of it refutes."""
        if self.open_reason:
            return
        if len(self.cases) + len(self.impossible) > MAX_CASES or len(conditions) > MAX_DEPTH:
            self.open_reason = f"more than {MAX_CASES} cases"
            return
        known = (*self.composed_relations(), *conditions)
        assume = (*self.assume, *conditions)
        if conditions and (clash := _contradiction(known)) is not None:
            claim = Impossible(assume, *clash)
            self.impossible.append(Step(claim, "a case that cannot occur", ("this case cannot occur",), (), f"{label}, no case"))
            return
        signs = Signs((*known, *excluded))
        ready = (_resolved(ready[0], signs, self.at_zero), _resolved(ready[1], signs, self.at_zero))
        asked = next((s for e in ready if (s := split(e, signs, self.at_zero)) is not None), None)
        if asked is not None:
            for q in asked.relations:
                self.region(ends, ready, label, (*conditions, q), excluded)
            return
        more = (*conditions, *excluded, *_domain(ready[0]), *_domain(ready[1]))
        lines = chain(ends.left, ends.right, self.setting(*more, taken=ends.taken))
        indices = ends.indices
        if lines is None and ends.spare is not None and not conditions:
            lines, indices = ends.spare, ()
        if lines is None and conditions and (found := self.inside(*(ends.whole or (ends.left, ends.right)), known)) is not None:
            raise Refuted(found)
        if lines is None:
            lines = direct(ends.left, ends.right)
        name = f"{label}, case {len(self.cases) + 1}" if conditions else label
        because: F.Prose = ("in this case",) if conditions else ("shown line by line",)
        self.cases.append(Step(Identity(lines, assume, indices), "chain of equations", because, (), name))

    def inside(self, left: Expr, right: Expr, known: tuple[Relation, ...]) -> Found | None:
        """A counterexample in a region that the search for points has missed."""
        rows = _rows(known)
        names = sorted({a for row, _ in rows for m in row for a, _ in m}, key=str)
        if not all(isinstance(n, Symbol) for n in names):
            return None
        point = satisfying(rows, names)
        return None if point is None else self.search(left, right, ({n.name: ((x,),) for n, x in point.items()},))


@dataclass(frozen=True, slots=True)
class _Ends:
    """The two sides of a chain: scalars, or entries of the whole sides at some indices; `spare` is a chain without indices."""

    left: Expr
    right: Expr
    whole: tuple[Expr, Expr] | None = None
    indices: tuple[Symbol, ...] = ()
    taken: frozenset[str] | None = None
    spare: tuple[Line, ...] | None = None


def _resolved(e: Expr, signs: Signs, at_zero: Rational) -> Expr:
    """Kinks of known sign taken out, so that the kinks around them can be looked at."""
    while (move := kinked_definition(e) or resolve(e, signs, at_zero)) is not None:
        e = move.expr
    return e


def direct(left: Expr, right: Expr) -> tuple[Line, ...]:
    """No way was found by rules: the checker compares the two sides in normal form, and says so."""
    return Line(F.Just(left)), Line(F.Just(right), ("compared in normal form",))


class Refuted(Exception):
    """A case was found false at a point."""

    def __init__(self, found: Found) -> None:
        self.found = found


def is_elementary(e: Expr) -> bool:
    """A scalar expression without vectors, sums over an index, or gradients."""
    match e:
        case Diff(args=(body, _)):
            return is_elementary(body)
        case MatrixExpr():
            return False
        case Add() | Mul() | Pow() | Call():
            return all(is_elementary(a) for a in e.args if isinstance(a, Expr) and not isinstance(a, Fn))
        case Entry(args=(matrix, _, _)):
            return isinstance(matrix, MatrixSymbol)
    return not e.args


def _excluded(e: Expr) -> list[Relation]:
    """Kinks inside a derivative: there is none there, and nothing is claimed."""
    found = [q for a in e.args if isinstance(a, Expr) for q in _excluded(a)]
    if isinstance(e, Diff):
        body, x = e.args
        for q in [turning(c) for c in calls(body) if is_kink(c) and not _has_kink_inside(c)]:
            own = {y: x for s in (q.left, q.right) for y in s.atoms(Entry) if isinstance(x, Entry) and y.args[0] == x.args[0]}
            found += [Relation(a, Sign.UNEQUAL, b) for a, b in {(q.left, q.right), (replaced(q.left, own), replaced(q.right, own))}]
    return found


def _has_kink_inside(c: Call) -> bool:
    return any(is_kink(x) for a in c.arguments for x in calls(a))


def _domain(e: Expr) -> tuple[Relation, ...]:
    """Arguments of logarithms are positive where the sides are defined."""
    return tuple(Relation(c.arguments[0], Sign.MORE, Integer(0)) for c in calls(e) if c.fn.name == "log" and c.fn.plain
                 and not any(is_kink(x) for x in calls(c.arguments[0])))


# ---- contradictions ------------------------------------------------------------------------------------------------


def _rows(relations: tuple[Relation, ...]) -> list[tuple[Row, Kind]]:
    """left - right of each relation, turned so that it is not negative, as monomials with factors; others are left out."""
    found: list[tuple[Row, Kind]] = []
    algebra = Signs().algebra
    for q in relations:
        row: Row = {}
        kind = {Sign.EQUAL: Kind.EQUAL, Sign.LESS: Kind.ABOVE, Sign.MORE: Kind.ABOVE}.get(q.sign, Kind.NOT_BELOW)
        if q.sign is not Sign.UNEQUAL and is_scalar(q.left) and is_scalar(q.right):
            try:
                (r,) = algebra.ratios(difference(q))
                flip = -1 if q.sign in (Sign.LESS, Sign.AT_MOST) else 1
                row = {m: c * flip for m, c in r.num.terms} if not r.den else {}
            except Unsupported:
                row = {}
        found.append((row, kind if row else Kind.NOT_BELOW))
    return found


def _contradiction(relations: tuple[Relation, ...]) -> tuple[tuple[Weighted, ...], Rational] | None:
    """Multipliers for left - right of the relations and what they add up to, () if the signs clash; None if all may hold."""
    for k, q in enumerate(relations):
        others = Signs((*relations[:k], *relations[k + 1:]))
        if is_scalar(q.left) and is_scalar(q.right) and not others.of(difference(q)) & OF[q.sign]:
            return (), Rational(0)
    rows = _rows(relations)
    found = contradiction(rows)
    if found is None:
        return None
    flipped = {i for i, q in enumerate(relations) if q.sign in (Sign.LESS, Sign.AT_MOST)}
    weighted = []
    total = Fraction(0)
    for t in found:
        total += t.multiplier * prod(rows[i][0].get((), Fraction(0)) for i in t.rows)
        multiplier = t.multiplier * (-1) ** sum(i in flipped for i in t.rows)
        weighted.append(Weighted(tuple(i + 1 for i in t.rows), Rational(multiplier.numerator, multiplier.denominator)))
    return tuple(weighted), Rational(total.numerator, total.denominator)
