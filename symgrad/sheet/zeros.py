"""Answers to ask = "always_zero" as blocks: the sum over paths with its zero factors and their reasons, or the point and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Mul, Pow, Rational

from symgrad.language import forms as F
from symgrad.language.functions import Call
from symgrad.language.graph import Graph
from symgrad.language.problem import GuaranteedZero, Problem
from symgrad.language.steps import Derivation
from symgrad.language.vectors import add, names_in, negate, product, scalar
from symgrad.language.zeros import (
    AlwaysZero,
    Assignment,
    CanHold,
    CannotHold,
    Combined,
    Fact,
    Narrowed,
    NotAlwaysZero,
    Polynomial,
    Reference,
    Region,
    Relation,
)
from symgrad.sheet import document as D
from symgrad.sheet.notation import Notation

Claims = AlwaysZero | NotAlwaysZero | CanHold | CannotHold
MAX_REASONS = 12
ZERO = F.Just(Rational(0))
_SIGNS = {Relation.EQUAL: "=", Relation.NOT_EQUAL: r"\neq", Relation.LESS: "<", Relation.AT_MOST: r"\leq", Relation.MORE: ">",
          Relation.AT_LEAST: r"\geq"}


def answers(derivation: Derivation) -> dict[str, str]:
    """Label of a step -> YES, NO, or that the facts cannot hold."""
    said = {AlwaysZero: "YES", NotAlwaysZero: "NO", CannotHold: "the facts cannot hold"}
    return {s.label: said[type(s.claim)] for s in derivation.steps if type(s.claim) in said}


def answer_of(name: str, case: int, ask: GuaranteedZero, found: Mapping[str, str]) -> str:
    """What was found for one derivative in one case (from 0)."""
    several = len(ask.cases) > 1
    own, whole = (f"{name} case {case + 1}", f"the facts of case {case + 1}") if several else (name, "the facts")
    return found.get(own) or found.get(whole, "")


def title(c: Claims, ask: GuaranteedZero, n: Notation) -> D.Text:
    """What is decided, and for which case."""
    case = f" in case ({c.case + 1})" if len(ask.cases) > 1 else ""
    match c:
        case AlwaysZero():
            return (D.Maths(n.form(F.TotalOf(c.of, c.wrt))), f" is guaranteed to be zero{case}: ", D.Emphasis("YES", strong=True))
        case NotAlwaysZero():
            return (D.Maths(n.form(F.TotalOf(c.of, c.wrt))), f" is not guaranteed to be zero{case}: ", D.Emphasis("NO", strong=True))
        case CanHold():
            return (f"The facts{case} can hold",)
        case CannotHold():
            return (f"The facts{case} cannot hold, so nothing is guaranteed by them",)


def blocks(c: Claims, problem: Problem, ask: GuaranteedZero, n: Notation, same_point: str) -> list[D.Block]:
    """The lines of one claim; `same_point` is the number of the step that shows the same point, or ''."""
    match c:
        case AlwaysZero():
            return _always(c, _Reasons(problem, ask.cases[c.case], n))
        case NotAlwaysZero():
            return _need_not(c, problem.graph, n, same_point)
        case CanHold():
            return _point(c.point, problem.graph, n, "For example at ")
        case CannotHold():
            reasons = _Reasons(problem, ask.cases[c.case], n)
            if len(c.regions) == 1:
                return reasons.why(c.regions[0]) or [D.Paragraph(("The facts contradict each other as they stand.",))]
            return [D.Paragraph(("Each region contradicts the facts, and the regions cover all points:",)), reasons.table(c.regions)]


def table(ask: GuaranteedZero, derivation: Derivation, n: Notation) -> D.Table:
    """The answers side by side: a row a derivative, a column a case."""
    found = answers(derivation)
    cases = range(len(ask.cases))
    several = len(cases) > 1
    header: list[D.Text] = [("Derivative",), *((f"Case ({k + 1})" if several else "Guaranteed to be zero?",) for k in cases)]
    rows: list[tuple[D.Text, ...]] = []
    for w in ask.wrt:
        cells: list[D.Text] = [(D.Emphasis(answer_of(w, k, ask, found), strong=True),) for k in cases]
        rows.append(((D.Maths(n.form(F.TotalOf(ask.of, w))),), *cells))
    return D.Table(tuple(header), tuple(rows), ("Guaranteed to be zero?",) if several else ())


# ---- yes ---------------------------------------------------------------------------------------------------------------


def _always(c: AlwaysZero, reasons: _Reasons) -> list[D.Block]:
    n, left = reasons.n, reasons.n.form(F.TotalOf(c.of, c.wrt))
    if c.lines[0] == ZERO:
        return [_chain(left, c.lines, n, (f"no path leads from {c.wrt} to {c.of}",))]
    if len(c.regions) > 1:
        return [_chain(left, c.lines, n, ("in each of the regions below",)), reasons.table(c.regions)]
    (region,) = c.regions
    found: list[D.Block] = [_chain(left, c.lines, n, ("the products cancel",) if region.cancels else ("a factor 0 on every path",))]
    found += reasons.why(region)
    exprs = {(f.of, f.wrt): f.expr for f in c.factors}
    for u, x in region.zeros[:MAX_REASONS]:
        expr = exprs.get((u, x))
        rows = [D.Row("=", D.Maths(n.tex(expr)))] if expr is not None and expr != 0 else []
        since = reasons.since(reasons.graph.node(u).expr if expr is None else expr, region)
        found.append(D.Chain(D.Maths(n.form(F.PartialOf(u, x))), (*rows, D.Row("=", D.Maths("0"), since))))
    if len(region.zeros) > MAX_REASONS:
        found.append(D.Paragraph((f"{len(region.zeros) - MAX_REASONS} further factors are zero in the same way.",)))
    if region.cancels:
        what = "What is left adds" if region.zeros else "No factor is zero by itself; the products add"
        found.append(D.Paragraph((f"{what} up to zero for all values of the names, once the facts and the definitions are put in.",)))
    return found


class _Reasons:
    """Why something follows, for the facts of one case."""

    def __init__(self, problem: Problem, facts: Sequence[Fact], n: Notation) -> None:
        values = [Fact(scalar(g.name), Relation.EQUAL, g.entries[0][0]) for g in problem.values if g.digits is None]
        self.graph, self.n = problem.graph, n
        self.facts: list[Fact] = [*facts, *values]

    def known(self, region: Region, before: int | None = None) -> list[Fact]:
        """Facts, assumptions and the first deductions, in the order in which they are counted."""
        return [*self.facts, *region.assumed, *(d.conclusion for d in region.deduced[:before])]

    def find(self, reference: Reference, region: Region, before: int) -> Fact:
        if isinstance(reference, str):
            return Fact(self.graph.symbol(reference), Relation.EQUAL, self.graph.node(reference).expr)
        return self.known(region, before)[reference]

    def since(self, e: Expr, region: Region) -> D.Text:
        """since z1 = -1: what is known of the names in e."""
        told = [c for c in self.known(region) if set(names_in(e)) & {*names_in(c.left), *names_in(c.right)}]
        return ("since ", *_listed([self.comparison(c) for c in told[-3:]])) if told else ()

    def comparison(self, c: Fact) -> D.Maths:
        return D.Maths(f"{self.n.tex(c.left)} {_SIGNS[c.relation]} {self.n.tex(c.right)}")

    def why(self, region: Region) -> list[D.Block]:
        """The deductions of a region, a line each."""
        found: list[D.Block] = []
        for k, d in enumerate(region.deduced):
            match d:
                case Narrowed():
                    found.append(D.Paragraph(self.narrowed(d, region, k)))
                case Combined():
                    found.append(D.Paragraph(self.combined(d, region, k)))
        return found

    def narrowed(self, d: Narrowed, region: Region, k: int) -> D.Text:
        """h1 = 0, for h1 = ReLU(z1) and z1 = -1."""
        by = self.find(d.by, region, k)
        names = {*names_in(by.left), *names_in(by.right)}
        used = [c for c in self.known(region, k) if c != by and names & {*names_in(c.left), *names_in(c.right)}]
        basis = _listed([self.comparison(by), *(self.comparison(c) for c in used[-4:])])
        if _of_numbers(d.conclusion):
            return (*basis, " cannot all hold." if used else " cannot hold.")
        return (self.comparison(d.conclusion), ", for ", *basis, ".")

    def combined(self, d: Combined, region: Region, k: int) -> D.Text:
        """h1 - h3 > 0, for h1 - h3 = (h1 - h2) + (h2 - h3)."""
        parts = [self.n.tex(_difference(c, self.find(r, region, k))) for c, r in d.by]
        left = self.n.tex(_difference(Rational(1), d.conclusion))
        whole = D.Maths(f"{left} = {self.n.sum(parts)}")
        if _of_numbers(d.conclusion):
            sign = D.Maths(f"{_SIGNS[d.conclusion.relation]} 0")
            return ("Identically ", whole, ", but by the facts the right side is ", sign, ": a contradiction.")
        return (self.comparison(d.conclusion), ", for ", whole, ".")

    def table(self, regions: Sequence[Region]) -> D.Table:
        """A row a region: where it is, what follows there, and why nothing is left."""
        rows = []
        for r in regions:
            follows = [self.comparison(d.conclusion) for d in r.deduced if not _of_numbers(d.conclusion)]
            zeros = [D.Maths(f"{self.n.form(F.PartialOf(u, x))} = 0") for u, x in r.zeros[:MAX_REASONS]]
            reason: D.Text = (*_listed(zeros), *(("; " if zeros else "") + "the products cancel",)) if r.cancels else _listed(zeros)
            reason = reason or ("the facts exclude it",)
            rows.append((_listed([self.comparison(c) for c in r.assumed]), _listed(follows), reason))
        return D.Table((("Region",), ("What follows",), ("Why",)), tuple(rows))


def _of_numbers(c: Fact) -> bool:
    return isinstance(c.left, Rational) and isinstance(c.right, Rational)


def _difference(c: Rational, fact: Fact) -> Expr:
    """c (left - right)."""
    apart = fact.left if fact.right == 0 else negate(fact.right) if fact.left == 0 else add(fact.left, negate(fact.right))
    return apart if c == 1 else Mul(c, apart, evaluate=False)


# ---- no ----------------------------------------------------------------------------------------------------------------


def _need_not(c: NotAlwaysZero, graph: Graph, n: Notation, same_point: str) -> list[D.Block]:
    where = f"at the point of step {same_point}: not 0" if same_point else "at the point below: not 0"
    found: list[D.Block] = [_chain(n.form(F.TotalOf(c.of, c.wrt)), c.lines, n, (where,))]
    if c.factors:
        rows = [((D.Maths(n.form(F.PartialOf(f.of, f.wrt))),), (D.Maths(n.tex(f.expr)),), (D.Maths(n.form(f.value)),) if f.value is not None else (),
                 ("zero there",) if f.value == ZERO else ("need not be zero",)) for f in c.factors]
        found.append(D.Table((("Factor",), ("From its definition",), ("At the point",), ("",)), tuple(rows)))
    return found if same_point else found + _point(c.point, graph, n, "The facts hold at ")


def _point(point: Assignment, graph: Graph, n: Notation, opening: str) -> list[D.Block]:
    """The numbers of the variables, the functions chosen, then the forward values."""
    values = _listed([D.Maths(f"{n.name(name)} = {n.number(x)}") for name, x in point.variables])
    chosen = _listed([D.Maths(_choice(f, graph, n)) for f in point.functions])
    forward = _listed([D.Maths(f"{n.name(name)} {_equals(form)} {n.form(form)}") for name, form in point.forward])
    return [D.Paragraph((opening, *values, *((", with ", *chosen) if chosen else ()), ".")),
            D.Paragraph(("There the forward values are ", *forward, "."))]


def _choice(f: Polynomial, graph: Graph, n: Notation) -> str:
    """loss(y, t) = 1/2 (y - t)^2, with the arguments of its first use."""
    call = next(e for node in graph.nodes for e in sorted(node.expr.atoms(Call), key=str) if e.fn.name == f.name)
    a = call.arguments
    half = Rational(1, 2)
    if {powers: c for c, powers in f.terms} == {(2, 0): half, (1, 1): Rational(-1), (0, 2): half}:
        return f"{n.tex(call)} = {n.tex(product((half, Pow(add(a[0], negate(a[1])), 2, evaluate=False))))}"
    return f"{n.tex(call)} = {n.tex(f.of(a))}"


# ---- text --------------------------------------------------------------------------------------------------------------


def _chain(left: str, lines: tuple[F.Form, ...], n: Notation, last: D.Text) -> D.Chain:
    """An equation chain, with a note at its last line; a line that says no more than the one above is left out."""
    shown: list[F.Form] = []
    for line in lines:
        if n.form(line) not in (left, n.form(shown[-1]) if shown else ""):
            shown.append(line)
    rows = [D.Row(_equals(x), D.Maths(n.form(x)), last if k == len(shown) - 1 else ()) for k, x in enumerate(shown)]
    return D.Chain(D.Maths(left), tuple(rows))


def _equals(form: F.Form) -> str:
    """A decimal is approximate; so is a line that has one as a factor."""
    rough = isinstance(form, F.Decimal) or (isinstance(form, F.Product | F.Sum) and any(
        _equals(x) != "=" for x in (form.factors if isinstance(form, F.Product) else form.terms)))
    return r"\approx" if rough else "="


def _listed(items: Sequence[D.Maths]) -> D.Text:
    """a, b and c."""
    found: list[str | D.Maths | D.Emphasis | D.Code] = []
    for k, item in enumerate(items):
        found += [" and " if k == len(items) - 1 else ", "] if k else []
        found.append(item)
    return tuple(found)
