"""ask = "always_zero": is a derivative zero wherever the facts hold?

In this order: zero factors by propagation; points at which the derivative is not zero; paths that cancel; regions by the
signs of the kinks' arguments; z3.  Where a convention for the kinks is needed, the one of the problem is used and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sympy import Integer

from symgrad.language import forms as F
from symgrad.language.errors import Unsupported
from symgrad.language.problem import GuaranteedZero, Problem
from symgrad.language.steps import Derivation, Step
from symgrad.language.vectors import SCALAR, scalar
from symgrad.language.zeros import JUMPS, AlwaysZero, Assignment, CanHold, CannotHold, Fact, Factor, NotAlwaysZero, Region, Relation, number
from symgrad.questions.regions import Regions
from symgrad.rules.numbers import Num
from symgrad.rules.paths import factored
from symgrad.rules.scalar import local_partial
from symgrad.solvers import nonlinear
from symgrad.solvers.nonzero import Found, Search, differs

MAX_FACTORS, ENOUGH, PATIENCE, MAX_PLACES = 30, 8, 60, 36


def derive_always_zero(problem: Problem, part: str, ask: GuaranteedZero) -> Derivation:
    """One step for every name and case.  Raises Unsupported with the reasons where a case stays undecided."""
    graph = problem.graph
    if not graph.is_scalar:
        vector = next(x.name for x in graph.all if x.shape != SCALAR)
        raise Unsupported(f'ask = "always_zero" is for graphs of scalars; {vector} is a vector or matrix, write its entries as scalars')
    steps: list[Step] = []
    undecided: dict[str, list[str]] = {}  # a reason and the derivatives that it holds for
    for k in range(len(ask.cases)):
        case = Case(problem, part, ask, k)
        steps += case.steps()
        for what, why in case.undecided:
            undecided.setdefault(why, []).append(what)
    if undecided:
        reasons = "; ".join(f"{', '.join(what)}: {why}" for why, what in undecided.items())
        said = {AlwaysZero: "YES", NotAlwaysZero: "NO"}
        decided = [f"{s.label}: {said[type(s.claim)]}" for s in steps if type(s.claim) in said]
        raise Unsupported(f"undecided: {reasons}" + (f" (decided: {', '.join(decided)})" if decided else ""))
    return Derivation(part, graph, tuple(steps), (), conventions(problem))


def conventions(problem: Problem) -> tuple[tuple[str, ...], ...]:
    """What is said of kinks, whatever the answer is."""
    tie = problem.conventions.relu_at_zero
    said = ("YES means: for every value that the derivative of ReLU (or of max at a tie) may be given at its kink. "
            "NO means: there is a point on no kink at which the derivative is not zero.")
    if tie is not None:
        said += f" Where that leaves a question open, the problem's convention is used and named: the derivative of ReLU at 0 is {tie}."
    return ((said,),)


@dataclass
class Case:
    """One set of facts."""

    problem: Problem
    part: str
    ask: GuaranteedZero
    number: int

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        values = [Fact(scalar(g.name), Relation.EQUAL, g.entries[0][0]) for g in self.problem.values if g.digits is None]
        self.facts = (*self.ask.cases[self.number], *values)
        self.undecided: list[tuple[str, str]] = []
        self.found: dict[str, Step] = {}
        self.saturated = False  # once nothing else has helped, derivatives that are tiny but no rounding count too
        self.totals: dict[tuple[int, str], dict[str, Fraction | float]] = {}

    def label(self, name: str) -> str:
        return name if len(self.ask.cases) == 1 else f"{name} case {self.number + 1}"

    def steps(self) -> list[Step]:
        free = replace(self.problem.conventions, relu_at_zero=None)
        regions = Regions(self.graph, free, self.facts, self.ask.of)
        impossible = regions.impossible(learn=False)
        if impossible is not None:
            return [self.cannot_hold(impossible)]
        for w in self.ask.wrt:
            self.yes(w, regions.by_factors(w))
        search = self.search = Search(self.graph, self.facts, regions.whole.known, self.problem.conventions, self.ask.of)
        met: list[Found] = []
        self.no(p for p in self.noted(search, met) if not p.kinks)
        example = next(iter(sorted(met, key=lambda p: len(p.kinks))), None) or next(self.noted(search, met), None) or self.example(search)
        if example is None:
            impossible = regions.impossible(learn=True)
            if impossible is not None:
                return [self.cannot_hold(impossible)]
        self.harder(regions, search, met)
        for w in self.open():
            self.undecided.append(self.reason(w, regions))
        steps = [self.found[w] for w in self.ask.wrt if w in self.found]
        if example is not None and not any(isinstance(s.claim, NotAlwaysZero) for s in steps):
            steps.append(Step(CanHold(self.part, self.number, self.point(example)), "a point", ("the facts can hold",), (), self.all_facts))
        return steps

    @staticmethod
    def noted(search: Search, met: list[Found]) -> Iterator[Found]:
        """The points of a search, each put into `met` as it is found."""
        for p in search.points():
            met.append(p)
            yield p

    def harder(self, regions: Regions, search: Search, met: Sequence[Found]) -> None:
        """Cancelling paths, points by z3, regions, points with kinks elsewhere; then all by the convention of the problem."""
        for w in self.open():
            self.yes(w, regions.by_cancelling(w))
        self.by_z3(search, kinks=False)
        for w in self.open():
            self.yes(w, regions.by_splitting(w))
        self.no(p for p in met if p.kinks)
        if self.problem.conventions.relu_at_zero is not None and self.open():
            fixed = Regions(self.graph, self.problem.conventions, self.facts, self.ask.of)
            for w in self.open():
                self.yes(w, fixed.by_factors(w) or fixed.by_cancelling(w) or fixed.by_splitting(w))
            self.by_z3(search, kinks=True)
        self.saturated = True
        self.no(p for p in met if not p.kinks)

    def by_z3(self, search: Search, kinks: bool) -> None:
        """Points for what is still open, each tried with two choices of the unknown functions."""
        for w in self.open():
            for k, (functions, _) in enumerate(search.evaluations[:2]):
                if w in self.found:
                    break
                found = nonlinear.point(self.graph, self.facts, {f.name: f for f in functions}, self.problem.conventions, (self.ask.of, w), kinks)
                if not isinstance(found, nonlinear.Outcome):
                    self.no(p for p in (search.at(found, k),) if p is not None)

    def open(self) -> list[str]:
        return [w for w in self.ask.wrt if w not in self.found]

    def usable(self, p: Found, name: str) -> bool:
        """Is the derivative at the point what the answer NO needs: not zero, and not in question because of a kink on its paths?"""
        if not differs(p.slopes.get(name)) and not (self.saturated and self.search.steady(p, name)):
            return False
        fixed = self.problem.conventions.relu_at_zero is not None
        inside = set(self.graph.between(name, self.ask.of)) if p.kinks else set()
        return all((fixed and k.conventional) or not (k.node in inside and inside & set(k.names)) for k in p.kinks)

    def example(self, search: Search) -> Found | None:
        """A point that satisfies the facts, by z3."""
        if not search.evaluations:
            return None
        functions, _ = search.evaluations[0]
        variables = nonlinear.point(self.graph, self.facts, {f.name: f for f in functions}, self.problem.conventions, None, kinks=True)
        return None if isinstance(variables, nonlinear.Outcome) else search.at(variables, 0)

    @property
    def all_facts(self) -> str:
        return "the facts" if len(self.ask.cases) == 1 else f"the facts of case {self.number + 1}"

    def reason(self, name: str, regions: Regions) -> tuple[str, str]:
        """A derivative, and why the question stays open, as far as that is known."""
        what = f"d{self.ask.of}/d{name}" + (f" in case {self.number + 1}" if len(self.ask.cases) > 1 else "")
        kinks = regions.kinks.get(name)
        if kinks:
            where = " or ".join(dict.fromkeys(f"{argument} (in {function})" for argument, function in kinks))
            if any(function in JUMPS for _, function in kinks):
                return what, f"a jump, with no derivative, where {where}; add a fact that excludes it"
            before = f"depends on the derivative at a kink, {where}" if name in regions.forced else (
                f"zero except where {where}, where it depends on the derivative at the kink")
            named = all(function in ("relu", "max") for _, function in kinks) and self.problem.conventions.relu_at_zero is None
            fix = "fix it with relu_at_zero in [conventions], or add" if named else "no convention that is used here fixes it; add"
            return what, f"{before}; {fix} a fact that excludes the kink"
        return what, "neither a zero factor for every path nor a point at which it differs from zero was found"

    # ---- answers --------------------------------------------------------------------------------------------------------

    def cannot_hold(self, regions: tuple[Region, ...]) -> Step:
        return Step(CannotHold(self.part, self.number, regions), "contradiction", ("the facts cannot hold",), (), self.all_facts)

    def yes(self, name: str, regions: tuple[Region, ...] | None) -> None:
        """A step for a derivative that is zero in all these regions."""
        if regions is None or name in self.found:
            return
        form = factored(self.graph, self.ask.of, name)
        if form is None and name == self.ask.of:
            return
        nothing = F.Just(Integer(0))
        lines: list[F.Form] = [nothing if form is None else form]
        factors = self.factors(form)
        if form is not None:
            table: dict[tuple[str, str], F.Form] = {(f.of, f.wrt): F.Just(f.expr) for f in factors}
            for changes in (table, table | dict.fromkeys(regions[0].zeros if len(regions) == 1 else (), nothing), None):
                line = nothing if changes is None else _put(form, changes)
                lines += [line] if line not in lines else []
        claim = AlwaysZero(self.part, self.number, self.ask.of, name, regions, factors, tuple(lines))
        rule = "no path" if form is None else "regions" if len(regions) > 1 else "terms that cancel" if regions[0].cancels else "zero factor"
        self.found[name] = Step(claim, rule, ("guaranteed to be zero",), (), self.label(name))

    def no(self, points: Iterator[Found]) -> None:
        """One step for every open derivative that is not zero at some point: the point that serves most of them first."""
        missing = set(self.open())
        if not missing:
            return
        met: list[Found] = []
        covered: set[str] = set()
        fruitless = 0
        for p in points:
            here = {w for w in missing if self.usable(p, w)}
            met += [p] if here else []
            fruitless = 0 if here - covered else fruitless + 1
            covered |= here
            if (covered == missing and len(met) >= ENOUGH) or fruitless > PATIENCE:
                break
        for p in sorted(met, key=lambda p: (-sum(self.usable(p, w) for w in missing), len(p.kinks), _length(p))):
            shared = self.point(p)
            for w in self.open():
                if self.usable(p, w):
                    self.found[w] = self.not_zero(w, p, shared)

    def point(self, p: Found) -> Assignment:
        variables = tuple((x.name, number(Fraction(p.values[x.name]))) for x in self.graph.variables)
        return Assignment(variables, p.functions, tuple((n.name, self.shown(p.values[n.name])) for n in self.graph.nodes))

    def shown(self, x: Fraction | float | int) -> F.Form:
        """A rational number as it is, another rounded, with at least three digits that are not 0."""
        if not isinstance(x, float):
            return F.Just(number(Fraction(x)))
        digits = next((d for d in range(self.problem.digits, MAX_PLACES) if abs(x) * 10**d >= 100), MAX_PLACES)
        return F.Decimal(Num(None, x).decimal(digits), digits)

    def factors(self, form: F.Form | None) -> tuple[Factor, ...]:
        """The local partials in a factored sum, differentiated by the rules; none where they would fill a page."""
        edges = dict.fromkeys((e.of, e.wrt) for e in (_leaves(form) if form is not None else ()) if isinstance(e, F.PartialOf))
        if len(edges) > MAX_FACTORS:
            return ()
        return tuple(Factor(u, x, local_partial(self.graph.node(u).expr, scalar(x), scalar(u))[0]) for u, x in edges)

    def not_zero(self, name: str, p: Found, point: Assignment) -> Step:
        graph, of = self.graph, self.ask.of
        form = factored(graph, of, name)
        evaluation = next(e for functions, e in self.search.evaluations if functions == p.functions)

        def partial(u: str, x: str) -> F.Form:
            bars: dict[str, Fraction | float] = {}
            evaluation.compiled(graph.node(u).expr)[1](p.values, Fraction(1), bars)
            return self.shown(bars.get(x, Fraction(0)))

        def total(u: str, x: str) -> F.Form:
            if (id(p), u) not in self.totals:
                self.totals[id(p), u] = evaluation.slopes(p.values, u)
            return self.shown(self.totals[id(p), u].get(x, Fraction(0)))

        result = self.shown(p.slopes[name])
        if form is None:
            claim = NotAlwaysZero(self.part, self.number, of, name, point, (), (F.Just(Integer(1)),))
            return Step(claim, "a derivative in itself", ("not guaranteed to be zero",), (), self.label(name))
        factors = tuple(replace(f, value=partial(f.of, f.wrt)) for f in self.factors(form))
        symbolic = _put(form, {(f.of, f.wrt): F.Just(f.expr) for f in factors})
        leaves = list(_leaves(form))
        numbers = _put(form, {(e.of, e.wrt): (total if isinstance(e, F.TotalOf) else partial)(e.of, e.wrt) for e in leaves
                              if isinstance(e, F.TotalOf | F.PartialOf)})
        lines = tuple(dict.fromkeys((form, symbolic, numbers, result)))
        claim = NotAlwaysZero(self.part, self.number, of, name, point, factors, lines)
        return Step(claim, "a point", ("not guaranteed to be zero",), (), self.label(name))


def _length(p: Found) -> int:
    """How long the numbers of a point are: the simplest point is shown."""
    exact = [x for x in p.values.values() if not isinstance(x, float)]
    return sum(len(str(x.numerator)) + 3 * (len(str(x.denominator)) - (x.denominator == 1)) + (x < 0) for x in map(Fraction, exact))


def _put(form: F.Form, table: dict[tuple[str, str], F.Form]) -> F.Form:
    match form:
        case F.Product(parts) | F.Sum(parts):
            return type(form)(tuple(_put(p, table) for p in parts))
        case F.PartialOf(of, wrt) | F.TotalOf(of, wrt):
            return table.get((of, wrt), form)
    return form


def _leaves(form: F.Form) -> Iterator[F.Form]:
    if isinstance(form, F.Product | F.Sum):
        for p in form.factors if isinstance(form, F.Product) else form.terms:
            yield from _leaves(p)
    else:
        yield form
