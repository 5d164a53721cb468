"""Problem -> derivation -> certificate -> sheets -> files: one function an arrow."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path

from sympy import Expr, Rational

from symgrad import limits
from symgrad.check.answers import stands
from symgrad.check.checker import Checker, left_open, unanswered
from symgrad.check.errors import Undecided
from symgrad.check.evaluation import decimal_fits
from symgrad.language import forms as F
from symgrad.language.claims import Adjoint, ArrayValue, Classes, ClosedTangent, Counterexample, Matches, Open, Tangent, TangentValue
from symgrad.language.errors import Place, Refused, SpecError, SpecErrors, Unsupported
from symgrad.language.fill import Fill
from symgrad.language.graph import Graph
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
    HessianVector,
    Jacobian,
    Part,
    Problem,
    Prove,
)
from symgrad.language.steps import Answer, Certificate, Certified, Comparison, Derivation, Ground, Step
from symgrad.language.tangents import Direction
from symgrad.language.text import text as in_words
from symgrad.language.vectors import SCALAR, shape_of
from symgrad.language.wire import certificate_to_json
from symgrad.limits import OutOfTime, at_most
from symgrad.reader.letlist import Scope, did_you_mean, exact, expression, expressions
from symgrad.reader.lines import key_lines, line_of
from symgrad.reader.properties import read_property
from symgrad.reader.read import ExpectedAnswer, read
from symgrad.reader.tokens import Inputs
from symgrad.sheet.compose import VIEWS, Solved, check_texts, compose
from symgrad.sheet.zeros import answer_of, answers

FORMATS = {"html": "html", "latex": "tex", "markdown": "md", "json": "json"}
"""Format name -> file ending; `symgrad/sheet/<name>.py` renders it.  To add one: a file and a row."""

SHOWN = 3  # refused steps that a failure lists


@dataclass(frozen=True, slots=True)
class Result:
    """A problem solved: every part with its derivation and verdicts, and the certificate of all claims."""

    problem: Problem
    parts: tuple[Solved, ...]
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Row:
    """One part in the summary table."""

    problem: str
    part: str
    ask: str
    steps: int
    counts: dict[str, int] = field(default_factory=dict)
    expected: str = ""
    failure: str = ""
    comparison: Comparison | None = None

    @property
    def good(self) -> bool:
        bad = (self.counts.get("refuted", 0) if self.expected != "yes" else 0) + self.counts.get("undecided", 0)
        agrees = self.comparison is None or self.comparison.agrees
        return not self.failure and not bad and agrees and not self.expected.startswith("no")


def solve(problem: Problem, expected: tuple[ExpectedAnswer, ...] = ()) -> Result:
    """Derives and checks every part.  A part that is Unsupported says so and does not stop the others."""
    solved: list[Solved] = []
    entries: list[Certified] = []
    for part in problem.parts:
        item, certified = solve_part(problem, part, tuple(e for e in expected if e.part == part.label))
        solved.append(item)
        entries += certified
    return Result(problem, tuple(solved), Certificate(problem.id, problem.digest, tuple(entries)))


def solve_part(problem: Problem, part: Part, expected: tuple[ExpectedAnswer, ...]) -> tuple[Solved, list[Certified]]:
    """The derivation of one part, with the checker's verdict on every step, in bounded time."""
    try:
        with at_most(limits.SECONDS):
            return _solve_part(problem, part, expected)
    except (Unsupported, SpecError) as error:
        return Solved(part, None, failure=f"unsupported: {error}"), []
    except RecursionError:
        return Solved(part, None, failure="unsupported: an expression nested too deeply"), []
    except (OverflowError, MemoryError):
        return Solved(part, None, failure="unsupported: numbers or expressions too large"), []
    except OutOfTime:
        return Solved(part, None, failure=f"undecided: not done in {limits.SECONDS:g} s"), []


def _solve_part(problem: Problem, part: Part, expected: tuple[ExpectedAnswer, ...]) -> tuple[Solved, list[Certified]]:
    from symgrad.questions import derive

    derivation = derive(problem, part)
    checker = Checker(problem)
    verdicts, certified = {}, []
    for step in derivation.all_steps():
        verdict = checker.check(step.claim)
        verdicts[id(step)] = verdict
        certified.append(Certified(part.label, step.label, step.rule, step.claim, verdict))
    sound = tuple(c.claim for c in certified if c.verdict.ground.holds) + left_open((c.claim, c.verdict) for c in certified)
    missing = unanswered(problem, part, sound)
    wrong = [f"{c.label}: {c.verdict.method}" for c in certified if c.verdict.ground is Ground.REFUTED]
    more = f"; and {len(wrong) - SHOWN} more, most of which rest on these" if len(wrong) > SHOWN else ""
    unsettled = [f"{c.label}: {c.verdict.method}" for c in certified if c.verdict.ground is Ground.UNDECIDED]
    failure = f"the checker refused: {'; '.join(wrong[:SHOWN])}{more}" if wrong else f"not answered: {', '.join(missing)}" if missing else ""
    if failure and unsettled and isinstance(part.ask, Jacobian | Hessian | HessianVector):  # what fails rests on what is not decided
        failure = f"undecided: {unsettled[0]}"
    if isinstance(part.ask, Forward | Gradient | Backward | Jacobian | Hessian | HessianVector | Choose):
        stray = [a.label for a in derivation.answers if not stands(a, sound)]
        if stray and unsettled and not failure:
            failure = f"undecided: {unsettled[0]}"
        failure = failure or (f"no checked line says what is boxed as {', '.join(stray)}" if stray else "")
    agreed = tuple((e.label, agrees(problem, part, derivation, checker, e)) for e in expected)
    if failure:
        return Solved(part, None, verdicts, agreed, failure), certified  # no line is printed that was not checked
    return Solved(part, derivation, verdicts, agreed, comparison=compared(problem, part, derivation)), certified


def compared(problem: Problem, part: Part, derivation: Derivation) -> Comparison | None:
    """Derived gradients against finite differences; None where a part asks for none."""
    match part.ask:
        case Gradient(of=of, wrt=wrt) | Backward(of=of, wrt=wrt) | Choose(of=of, wrt=wrt):
            from symgrad.numeric.comparison import compare
            return compare(derivation, of, wrt, problem.conventions)
        case Jacobian() | Hessian() | HessianVector():
            from symgrad.numeric.tangents import compare_tangents
            return compare_tangents(derivation, part.ask.derived, problem.conventions)
    return None


# ---- [expected]: only ever compared, after everything is derived ---------------------------------------------------


def agrees(problem: Problem, part: Part, derivation: Derivation, checker: Checker, e: ExpectedAnswer) -> bool:
    """Is the derived answer the one that [expected] states?  Raises SpecErrors if it states none that can be compared."""
    if isinstance(part.ask, Construct | ConstructChain | CheckNetwork) and e.label != "marks":
        return network_agrees(part.ask, derivation, problem, e)
    if isinstance(part.ask, Prove):
        return _outcome(derivation, e) == str(e.value).strip()
    if isinstance(part.ask, Choose) and not e.label:
        right = [i for i, c in enumerate(part.ask.choices, 1)
                 if any(isinstance(s.claim, Matches) and s.claim.choice == c for s in derivation.all_steps())]
        stated = e.value if isinstance(e.value, list) else [e.value]
        if not all(str(x).isdigit() for x in stated):
            raise SpecErrors((SpecError(f"expected: {e.value!r} is not the number of a choice, from 1 to {len(part.ask.choices)}, nor a list "
                                        "of numbers such as [1, 3]", e.place),))
        return right == sorted(int(str(x)) for x in stated)
    if isinstance(part.ask, Fill) and e.label == "combinations":
        return _same_combinations(part.ask, derivation, e)
    if isinstance(part.ask, FindParameters) and not e.label:
        return e.value == "none" and not derivation.answers
    if isinstance(part.ask, GuaranteedZero):
        return stated_zero(part.ask, derivation, e)
    steps = derivation.steps if problem.sequence is None else derivation.all_steps()  # [expected] speaks of steps of the written graph
    by_label = {s.label: Answer(s.label, F.AdjointOf(s.claim.node), F.Just(s.claim.expr)) for s in steps if isinstance(s.claim, Adjoint)}
    by_label |= {a.label: a for a in derivation.answers}
    by_label |= {s.label: Answer(s.label, F.AdjointOf(s.claim.node), s.claim.lines[-1].form) for s in steps if isinstance(s.claim, ArrayValue)}
    numeric = isinstance(e.value, list) or is_number(e.value)
    endings = (*((" (numbers)", "_bar (numbers)") if numeric else ()), " (rounded)", "", "_bar")
    answer = next((by_label[e.label + x] for x in endings if e.label + x in by_label), None)
    if answer is None:
        raise SpecErrors((SpecError(f"expected: part {part.label} derives no {e.label!r}; it derives {', '.join(by_label)}", e.place),))
    try:
        return _same(problem, derivation, checker, answer, e)
    except (SpecError, Unsupported) as error:
        raise SpecErrors((SpecError(f"expected {e.label}: {error}", e.place),)) from None


def _same_combinations(ask: Fill, derivation: Derivation, e: ExpectedAnswer) -> bool:
    """"x1, 0, -1; 0, x2, 1": the entries of the slots, one combination after the other, in any order; "" for none."""
    scope = Scope({n: derivation.graph.symbol(n) for n in ask.inputs}, {})
    try:
        stated = {expressions(text, scope) for text in str(e.value).split(";") if text.strip()}
    except SpecError as error:
        raise SpecErrors((SpecError(f"expected {e.label}: {error.message}", e.place),)) from None
    claims = [s.claim for s in derivation.steps if isinstance(s.claim, Classes)]
    return stated == {ask.entries(c) for claim in claims for group in claim.classes for c in group}


def network_agrees(ask: Construct | ConstructChain | CheckNetwork, derivation: Derivation, problem: Problem, e: ExpectedAnswer) -> bool:
    """right, wrong, refused, possible, impossible; for a network whose property was asked for, any text of the same property."""
    from symgrad.questions.threshold import OUTCOMES, outcome, same_property

    if e.label:
        raise SpecErrors((SpecError(f"expected: a network has no {e.label!r}; state one of {', '.join(OUTCOMES)}, a property, or marks", e.place),))
    if isinstance(e.value, str) and e.value in OUTCOMES:
        return e.value == outcome(ask, derivation)
    if isinstance(ask, ConstructChain):
        return False
    try:
        stated = read_property(str(e.value), Inputs(ask.wanted.inputs, len(ask.wanted.inputs)), ask.wanted.domain)
    except SpecError as error:
        raise SpecErrors((SpecError(f"expected: {e.value!r} is none of {', '.join(OUTCOMES)}, nor a property: {error}", e.place),)) from None
    return same_property(ask, derivation, stated, problem)
def stated_zero(ask: GuaranteedZero, derivation: Derivation, e: ExpectedAnswer) -> bool:
    """Is a stated YES or NO the answer found?  Raises SpecErrors for a label that is not asked."""
    said, several = answers(derivation), len(ask.cases) > 1
    found = {f"{w} case {k + 1}" if several else w: answer_of(w, k, ask, said) for w in ask.wrt for k in range(len(ask.cases))}
    if e.label not in found:
        raise SpecErrors((SpecError(f"expected: part {e.part} asks no {e.label!r}; it asks {', '.join(found)}", e.place),))
    return str(e.value).strip().lower() == found[e.label].lower()
def _outcome(derivation: Derivation, e: ExpectedAnswer) -> str:
    """proved, refuted or undecided: of one claim by its label, or of the whole part.  Raises SpecErrors for another word or label."""
    if e.value not in ("proved", "refuted"):
        raise SpecErrors((SpecError(f'expected: {str(e.value)[:40]!r} is no outcome of a proof; write "proved" or "refuted"', e.place),))
    labels = tuple(dict.fromkeys(s.label for s in derivation.steps if ", case" not in s.label))
    last = [s.claim for s in derivation.steps if s.label == e.label or not e.label and s.label in labels]
    if not last:
        raise SpecErrors((SpecError(f"expected: there is no {e.label!r} in part {e.part}; there are {', '.join(labels)}", e.place),))
    return "refuted" if any(isinstance(c, Counterexample) for c in last) else "undecided" if any(isinstance(c, Open) for c in last) else "proved"


def direction_of(answer: Answer) -> Direction:
    """Along which direction an answer about tangents was differentiated."""
    match answer.left:
        case F.SecondOf(_, _, column):
            return ((column, ""),)
        case F.TangentOf(_, direction):
            return direction
    return ()


def is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) or isinstance(value, str) and value.replace("/", "").lstrip("-").isdigit()


def same_numbers(found: F.Array, stated: object) -> bool:
    """Does every stated entry fit?  A decimal stands for what rounds to it, on either side.  Raises SpecError for what is no number."""
    rows = [row if isinstance(row, list) else [row] for row in (stated if isinstance(stated, list) else [stated])]
    if [len(row) for row in rows] != [len(row) for row in found.rows]:
        return False

    def fits(form: F.Form, text: object) -> bool:
        value, places = exact(text), len(str(text).partition(".")[2])  # type: ignore[arg-type]
        half = Rational(1, 2 * 10**places) if "." in str(text) else Rational(0)
        match form:
            case F.Just(x):
                return bool(abs(x - value) <= half)
            case F.Decimal(x, digits):
                return bool(abs(x - value) < half + Rational(1, 2 * 10**digits))
        return False

    return all(fits(form, text) for forms, row in zip(found.rows, rows, strict=True) for form, text in zip(forms, row, strict=True))


def _same(problem: Problem, derivation: Derivation, checker: Checker, answer: Answer, e: ExpectedAnswer) -> bool:
    lone = isinstance(answer.right, F.Decimal) or answer.label.endswith("(numbers)")
    numbers = answer.right if isinstance(answer.right, F.Array) else F.Array(((answer.right,),)) if lone else None
    if isinstance(e.value, list) or numbers is not None:
        return numbers is not None and same_numbers(numbers, e.value)
    valuation = checker.scalars.valuations["rounded" if answer.label.endswith("(rounded)") else "exact"]
    text = str(e.value)
    if is_number(e.value):
        stated = exact(e.value if isinstance(e.value, int | Decimal) else text)
        if isinstance(answer.right, F.Just) and answer.right.expr.is_Rational:
            return bool(answer.right.expr == stated)
        if isinstance(answer.right, F.Just) and shape_of(answer.right.expr) == SCALAR:
            return decimal_fits(valuation.evaluate(answer.right.expr).interval, stated, len(text.partition(".")[2]))
        return False
    scope = Scope({n: derivation.graph.symbol(n) for n in derivation.graph.names}, {str(d): d for d in derivation.graph.dimensions},
                  {f.name: f for f in derivation.graph.functions})
    stated_expr = expression(text, scope)
    if not isinstance(answer.right, F.Just) or shape_of(stated_expr) != shape_of(answer.right.expr):
        return False
    last = derivation.steps[-1].claim
    of = getattr(last, "of", getattr(last, "seed", ""))
    derived, stated_expr = map(checker.tangents.composed, (answer.right.expr, stated_expr))

    def same(left: Expr, right: Expr) -> bool:
        if isinstance(last, Tangent | ClosedTangent | TangentValue) and checker.tangents.same(left, right, direction_of(answer)):
            return True
        with contextlib.suppress(Refused, Undecided):
            checker.adjoints.alike(left, right, of, "expected")
            return True
        return False

    if same(derived, stated_expr):
        return True
    from symgrad.numeric.comparison import differ
    if differ(derivation, derived, stated_expr, problem.conventions):  # definitions put in grow with the graph, and would say no more
        return False
    composed = checker.adjoints.composed
    definitions: tuple[frozenset[str] | None, ...] = (frozenset(), None)  # of adjoints, then of forward nodes too
    return any(same(composed(derived, of, names), composed(stated_expr, of, names)) for names in definitions)


# ---- files ----------------------------------------------------------------------------------------------------------


def render(result: Result, formats: Iterable[str], views: Iterable[str] = VIEWS) -> dict[str, str]:
    """File name -> text, for every view and format, and the certificate."""
    files = {"certificate.json": json.dumps(certificate_to_json(result.certificate), ensure_ascii=False, indent=None, separators=(",", ":")) + "\n"}
    for view in views:
        document = compose(result.problem, result.parts, view)
        for name in formats:
            files[f"{view}.{FORMATS[name]}"] = import_module(f"symgrad.sheet.{name}").render(document)
    return files


def write(folder: Path, files: dict[str, str]) -> None:
    """Each file to a temporary one beside it, then renamed: a failure leaves what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def summary(result: Result) -> tuple[Row, ...]:
    """One row a part."""
    rows = []
    for item in result.parts:
        counts: dict[str, int] = {}
        for verdict in item.verdicts.values():
            counts[verdict.ground.value] = counts.get(verdict.ground.value, 0) + 1
        refuted = [s for s in item.derivation.all_steps() if isinstance(s.claim, Counterexample)] if item.derivation else []
        if refuted:  # the step is proved, and what it proves is that a claim is false
            counts = {**counts, "proved": counts["proved"] - len(refuted), "refuted": len(refuted)}
        wrong = [label or "answer" for label, ok in item.expected if not ok]
        said = "" if not item.expected else "yes" if not wrong else f"no: {', '.join(wrong)}"
        said_so = bool(item.expected) and not wrong  # a refutation that was expected is the right answer
        refutation = item.derivation.refuted if item.derivation and not said_so else ""
        found = [_refutation(s, result.problem.graph) for s in refuted] + _left_open(item)
        failure = item.failure or refutation or ("; ".join(found) if not said_so else "")
        rows.append(Row(result.problem.id, item.part.label, item.part.ask.kind, len(item.verdicts), counts, said, failure, item.comparison))
    return tuple(rows)


def _left_open(item: Solved) -> list[str]:
    """claim is undecided: more than 64 cases."""
    steps = item.derivation.all_steps() if item.derivation else ()
    return [f"{s.label} is undecided: {item.verdicts[id(s)].method}" for s in steps
            if s.label and id(s) in item.verdicts and item.verdicts[id(s)].ground is Ground.UNDECIDED]


def _refutation(step: Step, graph: Graph) -> str:
    """claim 2 is refuted: relu(c*x) = c*relu(x) fails at c = -1, x = 1."""
    c = step.claim
    assert isinstance(c, Counterexample)
    values = (graph.stated(*pair) for pair in c.witness.values)
    point = ", ".join(f"{n} = {rows[0][0] if len(rows) == len(rows[0]) == 1 else [list(map(str, r)) for r in rows]}" for n, rows in values)
    return f"{step.label} is refuted: {in_words(c.left)} = {in_words(c.right)} fails at {point}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one problem file: rows of the summary, or the errors of its text."""

    file: str
    rows: tuple[Row, ...] = ()
    errors: tuple[str, ...] = ()
    crash: str = ""  # a fault of ours, not of the file
    unprinted: str = ""  # why there is no PDF; everything else was written


def solve_file(path: Path, out: Path, formats: tuple[str, ...], views: tuple[str, ...] = VIEWS) -> Outcome:
    """One problem file to its folder of sheets.  Never raises: one file must not stop the others of a run."""
    try:
        problem, expected = read(path)
        lines = key_lines(path.read_text(encoding="utf-8-sig"))
        check_texts(problem, lambda keys: Place(path.as_posix(), line_of(lines, keys)))
        result = solve(problem, expected)
        if wrong := stray_marks(result):
            raise SpecErrors(tuple(SpecError(text, Place(path.as_posix(), line_of(lines, ("part", k, "marks")))) for k, text in wrong))
        write(out / problem.id, render(result, [f for f in formats if f != "pdf"], views))
        return Outcome(path.as_posix(), summary(result), unprinted=printed(result, out / problem.id, views) if "pdf" in formats else "")
    except SpecErrors as error:
        return Outcome(path.as_posix(), errors=tuple(map(str, error.errors)))
    except (SpecError, Unsupported) as error:
        placed = isinstance(error, SpecError) and error.place is not None
        return Outcome(path.as_posix(), errors=(str(error) if placed else f"{path.as_posix()}: {error}",))
    except OSError as error:
        return Outcome(path.as_posix(), errors=(f"{out.as_posix()}: cannot be written: {error.strerror}",))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return Outcome(path.as_posix(), crash=f"{path.as_posix()}: a fault in symgrad, please report it: {type(error).__name__} at {place}: {error}")


def stray_marks(result: Result) -> list[tuple[int, str]]:
    """Marks for what is no step: they would count, and no step would show them.  The number of the part, and what is wrong."""
    found = []
    for k, item in enumerate(result.parts):
        labels = list(dict.fromkeys(s.label for s in item.derivation.steps if s.label)) if item.derivation else []
        for name, _ in item.part.marks if labels else ():
            if name and name not in labels:
                found.append((k, f"marks: part {item.part.label} has no step {name}{did_you_mean(name, labels)}"))
    return found


def printed(result: Result, folder: Path, views: tuple[str, ...]) -> str:
    """A PDF of every view; why there is none, or ""."""
    from symgrad.sheet.pdf import print_pdf

    files = render(result, ("latex", "html"), views)
    try:
        for view in views:
            print_pdf(folder / f"{view}.pdf", files[f"{view}.tex"], files[f"{view}.html"])
    except Unsupported as error:
        return f"{(folder / view).as_posix()}.pdf: {error}"
    return ""


def problem_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and the .toml files of the folders named, sorted.  Raises SpecError for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.toml"))
            if not inside:
                raise SpecError(f"{path.as_posix()} has no problem files (*.toml)")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise SpecError(f"there is no file or folder {path.as_posix()}")
    return list(dict.fromkeys(found))
