"""A derivation with its verdicts to a document: the question, solution and marking views of one problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from sympy import Expr, Rational

from symgrad.language import claims as C
from symgrad.language import forms as F
from symgrad.language.claims import (
    ROUNDED,
    ActivationRelation,
    Adjoint,
    AdjointEntry,
    Beside,
    Cases,
    ClosedForm,
    Counterexample,
    Differs,
    GivenValue,
    Identity,
    Image,
    Impossible,
    Line,
    Matches,
    NoParameters,
    Open,
    Parameter,
    Partial,
    Rewritten,
    SameFunction,
    Total,
    Value,
)
from symgrad.language.errors import Place, SpecError
from symgrad.language.fill import Fill
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import (
    Backward,
    CheckNetwork,
    Choose,
    Construct,
    ConstructChain,
    FindParameters,
    Forward,
    Gradient,
    GuaranteedZero,
    Hessian,
    Part,
    Problem,
    Prove,
)
from symgrad.language.sequence import EVERY
from symgrad.language.steps import Answer, Comparison, Derivation, Ground, Step, Verdict
from symgrad.language.tangents import Direction, is_jacobian
from symgrad.language.vectors import say_shape
from symgrad.language.zeros import AlwaysZero, CanHold, CannotHold, NotAlwaysZero
from symgrad.sheet import document as D
from symgrad.sheet import fill, networks, proof, recursion, threshold, zeros
from symgrad.sheet.comparison import sentence
from symgrad.sheet.equivalence import network_claim, network_title, template_blocks
from symgrad.sheet.layout import Item, lay_out
from symgrad.sheet.notation import Notation
from symgrad.sheet.statement import blocks as statement_blocks
from symgrad.sheet.tex import check_tex

QUESTION, SOLUTION, MARKING = "question", "solution", "marking"
VIEWS = (QUESTION, SOLUTION, MARKING)
MAX_PICTURE = 80


@dataclass(frozen=True, slots=True)
class Solved:
    """One part with its derivation, the verdict on every step by identity, and what expected answers said (label, agrees)."""

    part: Part
    derivation: Derivation | None
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    expected: tuple[tuple[str, bool], ...] = ()
    failure: str = ""
    comparison: Comparison | None = None


def compose(problem: Problem, solved: tuple[Solved, ...], view: str) -> D.Document:
    """The document of one view.  The question view is composed from the problem alone: no derivation is looked at."""
    notation = Notation(problem.graph, sequence=problem.sequence).at(EVERY)
    blocks: list[D.Block] = list(statement_blocks(problem.statement)) if problem.statement else []
    blocks += model_blocks(problem, notation) if problem.graph.nodes else []
    told: set[str] = set()
    for number, item in enumerate(solved, 1):
        blocks.append(D.Heading((f"Part ({item.part.label})",), 2, f"part-{number}"))
        if item.part.statement:
            blocks += statement_blocks(item.part.statement)
        blocks.append(D.Paragraph(words(item.part.ask.task(problem.graph), notation)))
        if isinstance(item.part.ask, Choose):
            blocks.append(choices(item, notation, view))
        if isinstance(item.part.ask, Fill):
            blocks += fill.question(item.part.ask, notation)
            blocks += fill.data_picture(problem, item.part.ask, notation) if view == QUESTION or item.derivation is None else []
        if isinstance(item.part.ask, Construct | ConstructChain | CheckNetwork):
            blocks += networks.question(item.part.ask, problem.conventions.step_at_zero, told)
        if isinstance(item.part.ask, FindParameters):
            blocks += template_blocks(item.part.ask, problem.graph)
        if isinstance(item.part.ask, Prove) and item.part.ask.steps:
            blocks.append(proof.asked(item.part.ask, notation))
        if view != QUESTION:
            blocks += _Writer(problem, item, number, view).blocks()
    if problem.source:
        blocks.append(D.Paragraph((D.Emphasis("Source: "), problem.source)))
    return D.Document(problem.title, view, tuple(blocks))


def check_texts(problem: Problem, place: Callable[[tuple[str | int, ...]], Place | None] = lambda keys: None) -> None:
    """Raises SpecError for a statement or a `latex` that no sheet admits: before anything is derived, and saying whose and where it is."""
    for x in (*problem.graph.all, *(f for f in problem.graph.functions if not f.known)):
        if x.latex and x.latex != x.name:
            keys = ("model", "latex", x.name) if isinstance(x, Node) else ("symbols" if isinstance(x, Variable) else "functions", x.name)
            with _placed(f"latex of {x.name}: ", place(keys)):
                check_tex(x.latex)
    with _placed("", place(("statement",))):
        statement_blocks(problem.statement)
    for k, part in enumerate(problem.parts):
        with _placed(f"part {part.label}: ", place(("part", k, "statement"))):
            statement_blocks(part.statement)


@contextmanager
def _placed(whose: str, place: Place | None) -> Iterator[None]:
    """Says in front of an error whose text it is about."""
    try:
        yield
    except SpecError as error:
        raise SpecError(whose + error.message, place) from None


def model_blocks(problem: Problem, notation: Notation) -> list[D.Block]:
    """The definitions, the given numbers, the picture."""
    graph = problem.graph
    blocks: list[D.Block] = [D.Heading(("The model",), 2, "model")] if graph.nodes else []
    if problem.sequence is not None:
        blocks += recursion.model(problem, notation)
    elif graph.nodes:
        rows = tuple(((D.Maths(notation.name(n.name)),), (D.Maths(rf"= {notation.tex(n.expr)}"),), _shape(n.shape, notation)) for n in graph.nodes)
        blocks.append(D.Table((("Node",), ("Definition",), ("Shape",)), rows))
    groups: dict[tuple[Expr, Expr], list[str]] = {}
    for x in graph.variables:
        if x.shape != (1, 1) and (problem.sequence is None or (problem.sequence.split(x.name) or ("", 2))[1] == 2):
            groups.setdefault(x.shape, []).append(x.name)
    text: list[str | D.Maths | D.Emphasis | D.Code]
    if groups:
        text = ["Shapes: "]
        for k, (shape, names) in enumerate(groups.items()):
            text += ["; "] if k else []
            text.append(D.Maths(rf"{', '.join(map(notation.name, names))} \in \mathbb{{R}}^{{{notation.size(shape)}}}"))
        blocks.append(D.Paragraph((*text, ".")))
    blocks += [structure_sentence(n, graph, notation) for n in graph.structured]
    if problem.values:
        decimal = Notation(graph, decimals=True)
        text = ["Given: "]
        for k, g in enumerate(problem.values):
            text += [", "] if k else []
            exact = len(g.entries) == 1 == len(g.entries[0])
            name, entries = graph.stated(g.name, g.entries)
            shown = decimal.form(F.Decimal(g.entries[0][0], g.digits)) if g.digits is not None else (
                notation.number(g.entries[0][0]) if exact else _matrix(entries, notation))
            text.append(D.Maths(f"{notation.name(name)} = {shown}"))
            if g.digits is not None:
                text.append(" (rounded)")
        blocks.append(D.Paragraph((*text, ".")))
    if graph.nodes and len(graph.variables) + len(graph.nodes) <= MAX_PICTURE:
        blocks.append(picture(graph, Notation(graph), recursion.picture_title(problem)))
    return blocks


def structure_sentence(n: Node, graph: Graph, notation: Notation) -> D.Paragraph:
    """What is known of a structured variable, and of what its definition is the image."""
    assert n.structure is not None
    own, free = D.Maths(notation.name(n.name)), D.Maths(notation.name(graph.free(n.name)))
    return D.Paragraph((own, f" is {n.structure.word}: the definition above takes it from a matrix ", free, " whose entries are free."))


def _matrix(entries: tuple[tuple[Rational, ...], ...], notation: Notation) -> str:
    rows = r" \\ ".join(" & ".join(notation.number(x) for x in row) for row in entries)
    return rf"{{\left[\begin{{matrix}} {rows} \end{{matrix}}\right]}}"


def _shape(shape: tuple[Expr, Expr], notation: Notation) -> D.Text:
    return ("scalar",) if shape == (1, 1) else (D.Maths(notation.size(shape)),)


def picture(graph: Graph, notation: Notation, which: str = "") -> D.Picture:
    """The computation graph and, in words, its edges."""
    items = tuple(
        Item(x.name, notation.name(x.name), x.name, "variable" if x in graph.variables else "node", graph.arguments(x.name))
        for x in graph.all if graph.consumers(x.name) or graph.arguments(x.name))
    words = "; ".join(f"{n.name} from {', '.join(graph.arguments(n.name))}" for n in graph.nodes if graph.arguments(n.name))
    return D.Picture(lay_out(items), f"Computation graph: {words}.", (f"Computation graph{which}",))


def choices(item: Solved, notation: Notation, view: str) -> D.Block:
    """The choices; which is right is said only outside the question view."""
    ask = item.part.ask
    assert isinstance(ask, Choose)
    said: dict[object, D.Text] = {}
    if item.derivation is not None and view != QUESTION:
        for step in item.derivation.all_steps():
            if isinstance(step.claim, Matches | Differs):
                right = isinstance(step.claim, Matches)
                verdict: D.Text = (D.Emphasis("right", strong=True) if right else D.Emphasis("wrong"), ": ")
                said[step.claim.choice] = (*verdict, *words(step.because, notation))
    rows = []
    for k, c in enumerate(ask.choices, 1):
        text: D.Text = (D.Maths(notation.form(F.Tuple(tuple(F.Just(e) for e in c)) if len(c) > 1 else F.Just(c[0]))),) if c else (
            D.Code(ask.texts[k - 1]),)
        misfit: D.Text = (D.Emphasis("wrong"), f": the shapes do not fit; {ask.misfit(k)}") if ask.misfit(k) else ()
        rows.append(((str(k),), text, misfit or said.get(c, ())) if view != QUESTION else ((str(k),), text))
    header: tuple[D.Text, ...] = (("",), ("Choice",)) if view == QUESTION else (("",), ("Choice",), ("Verdict",))
    return D.Table(header, tuple(rows))


class _Writer:
    """The steps of one part; every step is printed once, sub-steps under the first step that rests on them."""

    def __init__(self, problem: Problem, item: Solved, number: int, view: str) -> None:
        self.problem, self.item, self.number, self.view = problem, item, number, view
        self.notes: dict[bool, Notation] = {d: Notation(
            item.derivation.graph if item.derivation else problem.graph, d, problem.sequence).at(EVERY) for d in (False, True)}
        self.printed: dict[int, str] = {}

    def blocks(self) -> list[D.Block]:
        derivation = self.item.derivation
        if derivation is None:
            return [D.Stamp(Ground.UNDECIDED.value, (self.item.failure,))]
        found: list[D.Block] = []
        for prose in (*derivation.conventions, *derivation.notes):
            found.append(D.Paragraph((D.Emphasis("Note. "), *words(prose, self.notes[False]))))
        steps = [s for s in derivation.steps if not isinstance(s.claim, GivenValue) or s.claim.digits is not None]
        if isinstance(self.item.part.ask, Forward):
            found.append(self.table(derivation))
        listed = {id(s) for s in steps}
        items = []
        for k, s in enumerate(steps, 1):
            self.printed[id(s)] = str(k)
        for k, s in enumerate(steps, 1):
            items.append(self.step(s, str(k), listed))
        found.append(D.Steps(tuple(items)))
        if isinstance(self.item.part.ask, Fill):
            found += fill.pictures(self.problem, self.item.part.ask, derivation, self.notes[False])
        for a in derivation.answers:
            found.append(self.answer(a))
        if isinstance(self.item.part.ask, Backward) and self.problem.sequence is not None:
            found += recursion.answers(self.item.part.ask, self.problem.sequence, derivation, self.notes[False])
        if self.item.comparison is not None:
            found.append(sentence(self.item.comparison))
        if isinstance(self.item.part.ask, GuaranteedZero):
            found.append(zeros.table(self.item.part.ask, derivation, self.notes[False]))
        if self.view == MARKING:
            found += self.marking()
        return found

    def notation(self, step: Step) -> Notation:
        return self.notes[getattr(step.claim, "valuation", "") == ROUNDED or isinstance(step.claim, GivenValue)]

    def table(self, derivation: Derivation) -> D.Table:
        """The forward table: node, formula, substitution, value."""
        rows = []
        for s in derivation.steps:
            if isinstance(s.claim, Value | C.ArrayValue):
                n = self.notation(s)
                forms = s.claim.lines
                put_in = next((x for x in forms if isinstance(x.form, F.Substituted)), None)
                last = forms[-1]
                suffix = " (rounded)" if isinstance(s.claim, Value) and s.claim.valuation == ROUNDED else ""
                rows.append(((D.Maths(n.name(s.claim.node)), suffix), (D.Maths(n.form(forms[0].form)),),
                             (D.Maths(n.form(put_in.form)),) if put_in else (), (D.Maths((r"\approx " if last.approx else "") + n.form(last.form)),)))
        return D.Table((("Node",), ("Formula",), ("Values put in",), ("Value",)), tuple(rows))

    def step(self, s: Step, number: str, listed: set[int]) -> D.StepBlock:
        details: list[D.StepBlock] = []
        refer: list[str] = []
        recurs = isinstance(s.claim, C.Recurrence)  # the general form of equations of the written graph, which are not printed
        for p in s.premises:
            if recurs and not isinstance(p.claim, C.Recurrence):
                continue
            if id(p) in self.printed:
                refer.append(self.printed[id(p)])
            elif isinstance(p.claim, GivenValue):
                continue
            else:
                own = f"{number}.{len(details) + 1}"
                self.printed[id(p)] = own
                details.append(self.step(p, own, listed))
        n = self.notation(s).at(s.claim.when) if isinstance(s.claim, C.Recurrence) else self.notation(s)
        blocks = self.claim(s, n)
        if isinstance(s.claim, Value) and isinstance(self.item.part.ask, Gradient):
            details = []
        title = self.title(s, n)
        if refer and not isinstance(s.claim, Value | GivenValue):
            title = (*title, f" (from {'steps' if len(set(refer)) > 1 else 'step'} {', '.join(dict.fromkeys(refer))})")
        verdict = self.item.verdicts.get(id(s))
        mark = None
        if self.view == MARKING:
            amount = dict(self.item.part.marks).get(s.label)
            mark = D.Mark(str(amount)) if amount is not None and "." not in number else None
        return D.StepBlock(f"p{self.number}-{number.replace('.', '-')}", number, title, tuple(blocks), stamp(verdict), mark, tuple(details))

    def title(self, s: Step, n: Notation) -> D.Text:
        said = words(s.because, n)
        match s.claim:
            case Value(node):
                return ("Value of ", D.Maths(n.name(node)))
            case C.ArrayValue():
                return ("Value of ", D.Maths(n.name(s.claim.name)))
            case GivenValue(name):
                return ("Given: ", D.Maths(n.name(name)))
            case Partial(of, wrt):
                return ("Local partial of ", D.Maths(n.name(of)), " in ", D.Maths(n.name(wrt)))
            case Matches() | Differs():
                return (s.label[:1].upper() + s.label[1:], ": ", *said)
            case Total(of, wrt):
                return (D.Maths(n.form(F.TotalOf(of, wrt))), ": ", *said)
            case Adjoint(_, node):
                return (D.Maths(n.name(f"{node}_bar")), ": ", s.rule)
            case AdjointEntry(_, node) | ClosedForm(_, node) | C.Recurrence(_, node):
                return (D.Maths(n.name(f"{node}_bar")), ": ", *said)
            case C.Tangent(node, _, direction) | C.ClosedTangent(node, _, direction) | C.TangentValue(node, _, direction):
                return (D.Maths(n.form(F.TangentOf(node, direction))), ": ", *said)
            case Image():
                return network_title(s.claim, self.problem, said)
            case AlwaysZero() | NotAlwaysZero() | CanHold() | CannotHold():
                assert isinstance(self.item.part.ask, GuaranteedZero)
                return zeros.title(s.claim, self.item.part.ask, n)
            case Identity() | Impossible() | Cases() | Counterexample() | Open():
                return proof.title(s, self.item.part.ask, n)
        return said

    def claim(self, s: Step, n: Notation) -> list[D.Block]:
        """The lines of one claim."""
        c = s.claim
        match c:
            case Value(node, lines):
                return [self.chain(n.name(node), lines, n)]
            case C.ArrayValue(_, _, lines):
                return [self.chain(n.name(c.name), lines, n)]
            case GivenValue(name, value, digits):
                shown = n.form(F.Decimal(value, digits)) if digits is not None and isinstance(value, Rational) else n.tex(value)
                note: D.Text = ("stated by the problem, rounded",) if digits is not None else ()
                return [D.Chain(D.Maths(n.name(name)), (D.Row("=", D.Maths(shown), note),))]
            case Partial(of, wrt, _, lines):
                return [self.chain(n.form(F.PartialOf(of, wrt)), lines, n)]
            case Total(of, wrt, _, lines):
                left = n.form(F.TotalOf(of, wrt))
                return [self.chain(left, lines[1:] if len(lines) > 1 and n.form(lines[0].form) == left else lines, n)]
            case Adjoint(of, node, _, lines):
                left, derivative = n.name(f"{node}_bar"), Line(F.TotalOf(of, node))
                return [self.chain(left, lines if n.form(derivative.form) == left else (derivative, *lines), n)]
            case C.Recurrence():
                return [recursion.chain(c, n)]
            case AdjointEntry(_, node, indices, expr):
                return [self.chain(n.form(F.Component(node, indices)), (Line(F.Just(expr)),), n)]
            case ClosedForm(_, node, expr):
                return [self.chain(n.name(f"{node}_bar"), (Line(F.Just(expr)),), n)]
            case C.Tangent(node, seed, direction, _, lines):
                left = n.form(self.left(node, seed, direction))
                return [self.chain(left, lines[1:] if len(lines) > 1 and n.form(lines[0].form) == left else lines, n)]
            case C.ClosedTangent(node, seed, direction, expr):
                return [self.chain(n.form(self.left(node, seed, direction)), (Line(F.Just(expr)),), n)]
            case C.TangentValue(node, seed, direction, entries):
                rounded = any(isinstance(x, F.Decimal) for row in entries.rows for x in row)
                relation = F.RELATIONS["≈"] if rounded else "="
                return [D.Chain(D.Maths(n.form(self.left(node, seed, direction))), (D.Row(relation, D.Maths(n.form(entries)), ()),))]
            case Matches(of, wrt, choice):
                return [self.comparison(of, wrt, choice, "=", n)]
            case Differs(of, wrt, choice, _, witness):
                found: list[D.Block] = [self.comparison(of, wrt, choice, r"\neq", n)]
                if witness is not None:
                    text: list[str | D.Maths] = ["For example at "]
                    for k, (name, rows) in enumerate(self.problem.graph.stated(*pair) for pair in witness.values):
                        text += [", "] if k else []
                        scalar = len(rows) == 1 == len(rows[0])
                        text.append(D.Maths(f"{n.name(name)} = {n.number(rows[0][0]) if scalar else _matrix(rows, n)}"))
                    found.append(D.Paragraph((*text, " the two differ" + (f" in entry {witness.entry}." if self.problem.graph.dimensions else "."))))
                else:
                    shape = self.problem.graph.shape(wrt[c.part])
                    found.append(D.Paragraph((f"The derivative is {say_shape(shape)}, the choice has another shape.",)))
                return found
            case C.Sieve() | C.Fits() | C.Classes() | C.Conflict():
                assert isinstance(self.item.part.ask, Fill)
                return fill.claim_blocks(self.item.part.ask, s, n)
            case C.UnitsTest() | C.Decides() | C.Violates() | C.Misfits() | C.Unrealizable() | C.DecidesChain():
                return threshold.claim(c, s, self.item.part.ask, self.problem.conventions.step_at_zero)
            case ActivationRelation() | Rewritten() | Parameter() | Image() | SameFunction() | Beside() | NoParameters():
                return network_claim(c, self.problem, n)
            case AlwaysZero() | NotAlwaysZero() | CanHold() | CannotHold():
                assert isinstance(self.item.part.ask, GuaranteedZero)
                return zeros.blocks(c, self.problem, self.item.part.ask, n, self.same_point(s))
            case Identity() | Impossible() | Cases() | Counterexample() | Open():
                return proof.blocks(c, n, self.chain("", c.lines[1:], n).rows if isinstance(c, Identity) else ())
        assert_never(c)

    def left(self, node: str, seed: str, direction: Direction) -> F.Form:
        """A Jacobian of an adjoint of the variables asked for is a block of the Hessian, and is called so."""
        base = node.removesuffix("_bar")
        if seed and is_jacobian(direction) and isinstance(self.item.part.ask, Hessian) and base in self.item.part.ask.wrt and node != base:
            return F.SecondOf(seed, base, direction[0][0])
        return F.TangentOf(node, direction)

    def same_point(self, s: Step) -> str:
        """The number of an earlier step that shows the same point; '' if there is none."""
        point = getattr(s.claim, "point", None)
        steps = self.item.derivation.steps if point is not None and self.item.derivation is not None else ()
        earlier = next((x for x in steps if getattr(x.claim, "point", None) == point), s)
        return self.printed[id(earlier)] if earlier is not s else ""

    def comparison(self, of: str, wrt: tuple[str, ...], choice: tuple, relation: str, n: Notation) -> D.Chain:  # type: ignore[type-arg]
        left = n.form(F.Tuple(tuple(F.TotalOf(of, w) for w in wrt))) if len(wrt) > 1 else n.form(F.TotalOf(of, wrt[0]))
        right = n.form(F.Tuple(tuple(F.Just(e) for e in choice))) if len(choice) > 1 else n.tex(choice[0])
        return D.Chain(D.Maths(left), (D.Row(relation, D.Maths(right)),))

    def chain(self, left: str, lines: tuple[Line, ...], n: Notation) -> D.Chain:
        rows: list[D.Row] = []
        for x in lines:
            text = n.form(x.form)
            if rows and rows[-1].right.tex == text:
                continue  # two forms of one look, such as w substituted by itself
            rows.append(D.Row(r"\approx" if x.approx else "=", D.Maths(text), words(x.why, n)))
        return D.Chain(D.Maths(left), tuple(rows))

    def answer(self, a: Answer) -> D.Boxed:
        n = self.notes[a.label.endswith("(rounded)")]
        return D.Boxed(D.Maths(n.form(a.left)), r"\approx" if a.approx or a.label.endswith("(rounded)") and isinstance(a.left, F.TotalOf) else "=",
                       D.Maths(n.form(a.right) + self.nearly(a, n)))

    def nearly(self, a: Answer, n: Notation) -> str:
        """The decimal with which the steps end, after an answer in closed form: sigma(2) is about 0.8808."""
        if a.approx or not isinstance(a.right, F.Just) or a.right.expr.is_Rational or self.item.derivation is None:
            return ""
        claims = (s.claim for s in self.item.derivation.steps if s.label == a.label and isinstance(s.claim, Value | Total))
        last = next((c.lines[-1] for c in claims if c.lines), None)
        return rf" \approx {n.form(last.form)}" if last is not None and last.approx and isinstance(last.form, F.Decimal) else ""

    def marking(self) -> list[D.Block]:
        """The marks of the part by label, and what [expected] said of each answer."""
        found: list[D.Block] = []
        if isinstance(self.item.part.ask, CheckNetwork) and self.item.part.ask.levels and self.item.derivation:
            found += threshold.marking(self.item.part.ask, self.item.derivation)
        if self.item.part.marks:
            rows = tuple(((label or "whole part",), (str(m),)) for label, m in self.item.part.marks)
            total = sum((m for _, m in self.item.part.marks), Rational(0))
            found.append(D.Table((("Step",), ("Marks",)), (*rows, ((D.Emphasis("total", strong=True),), (str(total),)))))
        for label, agrees in self.item.expected:
            ground = Ground.PROVED if agrees else Ground.REFUTED
            says = "agrees" if agrees else "does not agree"
            found.append(D.Stamp(ground.value, (f"{label or 'answer'}: the derived answer {says} with [expected]",)))
        return found


def words(prose: F.Prose, notation: Notation) -> D.Text:
    """Words as they are, forms as formulas."""
    return tuple(p if isinstance(p, str) else D.Maths(notation.form(p)) for p in prose)


def stamp(verdict: Verdict | None) -> D.Stamp | None:
    """proved for all N, K: how it was checked."""
    if verdict is None:
        return None
    more = (q for q in verdict.conditions if q not in verdict.domain)
    domain = "; ".join((f"{verdict.ground.value} {verdict.domain}".strip(), *more))
    return D.Stamp(verdict.ground.value, (f"{domain}: {verdict.method}" if verdict.method else domain,))
