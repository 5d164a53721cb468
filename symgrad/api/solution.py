"""What was derived, with the verdict on every step: answers, sheets, certificate, numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.api.equations import equations
from symgrad.api.expression import Expression, expressions_of
from symgrad.api.model import Model
from symgrad.language import forms as F
from symgrad.language.errors import Refused, SpecError, Unsupported
from symgrad.language.graph import Node
from symgrad.language.problem import Backward, Choose, Forward, Gradient, Problem
from symgrad.language.steps import Certificate, Certified, Derivation, Ground, Verdict
from symgrad.language.tangents import tangent_name
from symgrad.language.vectors import names_in
from symgrad.numeric.comparison import with_adjoints
from symgrad.sheet.compose import Solved

if TYPE_CHECKING:
    from sympy import Expr

    from symgrad.numeric import CompiledFunction

SOLUTION = "solution"
ROUNDED = " (rounded)"  # how labels of answers from the problem's own rounded values end


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Solution:
    """A problem, its parts derived, and the certificate of all claims.  `solution["b"]` is the solution of one part."""

    problem: Problem
    parts: tuple[Solved, ...]
    certificate: Certificate

    # ---- what was found ----------------------------------------------------------------------------------------------

    @property
    def answers(self) -> dict[str, Expression | F.Form]:
        """Label -> result, "b.x_bar" where there are several parts; a rounded decimal is a number, see `steps` for how it was found.

        Raises Unsupported for a sequence of symbolic length.
        """
        self._require_fixed_length()
        found: dict[str, Expression | F.Form] = {}
        for item in self.parts:
            if item.derivation is not None:
                known = expressions_of(with_adjoints(item.derivation))
                prefix = f"{item.part.label}." if len(self.parts) > 1 else ""
                for a in item.derivation.answers:
                    found[prefix + a.label] = _result(a.right, known)
        return found

    @property
    def equations(self) -> dict[str, str]:
        """The equations of the backward pass as text, name -> right side, in their order; "b.x_bar" where there are several parts.

        Those of a sequence of symbolic length hold for every length: h_bar[t] at every step, or before the last one if there is a
        h_bar[T] too, and sums over the steps.
        """
        found: dict[str, str] = {}
        for item in self.parts:
            if item.derivation is not None:
                prefix = f"{item.part.label}." if len(self.parts) > 1 else ""
                found.update((prefix + label, e) for label, e in equations(item.derivation, self.problem.sequence).items())
        return found

    @property
    def steps(self) -> tuple[Certified, ...]:
        """Every claim in order: label, rule, claim, verdict."""
        return self.certificate.entries

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the checker said of each step, in order."""
        return tuple(e.verdict for e in self.certificate.entries)

    @property
    def failures(self) -> dict[str, str]:
        """Part -> why it has no answer; empty if every part was answered."""
        return {item.part.label: item.failure for item in self.parts if item.failure}

    @property
    def proved(self) -> bool:
        """Every part is answered, and every step is proved or a fact that the problem gives."""
        return not self.failures and all(v.ground in (Ground.PROVED, Ground.GIVEN) for v in self.verdicts)

    @property
    def graph(self) -> Model:
        """The graph of the answer: the definitions of the model, then the adjoints, w_bar = ..., as definitions again.

        Raises Unsupported for a sequence of symbolic length.
        """
        self._require_fixed_length()
        p = self.problem
        return Model(with_adjoints(self._derivation()), p.values, p.conventions, p.title, p.digits)

    def __getitem__(self, label: str) -> Solution:
        """The solution of one part.  Raises SpecError with the labels there are."""
        for item in self.parts:
            if item.part.label == label:
                entries = tuple(e for e in self.certificate.entries if e.part == label)
                return Solution(self.problem, (item,), Certificate(self.certificate.problem, self.certificate.digest, entries))
        raise SpecError(f"there is no part {label}; the parts are {', '.join(i.part.label for i in self.parts)}")

    def _require_fixed_length(self) -> None:
        """The graph of a sequence of symbolic length has three steps; what it computes is an answer for no other length."""
        if (sequence := self.problem.sequence) is not None:
            raise Unsupported(f"the answers of a sequence of {sequence.length} steps, {sequence.length} a letter, as expressions or functions; "
                              "they are in `equations` as text; for numbers, give the sequence its length as a number")

    def _derivation(self) -> Derivation:
        if len(self.parts) != 1:
            labels = [i.part.label for i in self.parts]
            raise SpecError(f"this solution has the parts {', '.join(labels)}; take one of them: solution[{labels[0]!r}]")
        if self.parts[0].derivation is None:
            raise Refused(self.parts[0].failure)
        return self.parts[0].derivation

    # ---- numbers -------------------------------------------------------------------------------------------------------

    def lambdify(self, *outputs: str, batch: Sequence[str] = (), summed: Sequence[str] = (), inputs: Sequence[str] | None = None,
                 functions: Mapping[str, Callable[..., Any]] | None = None) -> CompiledFunction:
        """One NumPy function for values and gradients (default: the node that was differentiated and the adjoints asked for).

        Jacobians and blocks of a Hessian go by the labels of `answers`, "d2L/dx2"; by default they come after all other nodes.
        `batch`: inputs with a batch axis in front; `summed`: outputs summed over it; see `symgrad.numeric.compile_graph`.
        """
        names, model = outputs, self.graph
        derivatives = {label: Node(label, e) for label, e in self._derivatives() if label not in model.graph}
        match self.parts[0].part.ask:
            case Gradient(of=of, wrt=wrt) | Backward(of=of, wrt=wrt) | Choose(of=of, wrt=wrt):
                graph = self.problem.graph
                names = names or (of, *(f"{w}_bar" if graph.asked(w) == w else f"{graph.asked(w)}_grad" for w in wrt))
            case Forward(of=of):
                names = names or of
        used = [derivatives[n] for n in (names or derivatives) if n in derivatives]
        if used:
            names = names or (*(n.name for n in model.graph.nodes if n.structure is None), *derivatives)
            model = replace(model, graph=model.graph.extended(used))
        return model.lambdify(*names, batch=batch, summed=summed, inputs=inputs, functions=functions)

    def _derivatives(self) -> Iterator[tuple[str, Expr]]:
        """The label of each Jacobian, block of a Hessian or product with one, and its node."""
        derivation = self._derivation()
        for a in derivation.answers:
            match a.left:
                case F.TangentOf(node, direction):
                    yield a.label, derivation.graph.symbol(tangent_name(node, direction))
                case F.SecondOf(_, row, column):
                    yield a.label, derivation.graph.symbol(f"{row}_bar_wrt_{column}")

    # ---- sheets --------------------------------------------------------------------------------------------------------

    def html(self, view: str = SOLUTION) -> str:
        """A page of its own; views are question, solution and marking."""
        return self._sheet("html", view)

    def latex(self, view: str = SOLUTION) -> str:
        """A document for pdflatex or lualatex."""
        return self._sheet("latex", view)

    def markdown(self, view: str = SOLUTION) -> str:
        return self._sheet("markdown", view)

    def text(self, view: str = SOLUTION) -> str:
        """For a terminal."""
        return self._sheet("terminal", view)

    def _sheet(self, format: str, view: str) -> str:
        from symgrad.api.display import sheet

        return sheet(self, format, view)

    def write(self, folder: str | Path) -> None:
        """All views as HTML, LaTeX, Markdown and JSON, and the certificate, as `symgrad solve` writes them."""
        from symgrad.pipeline import FORMATS, Result, render, write

        write(Path(folder), render(Result(self.problem, self.parts, self.certificate), FORMATS))

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for v in self.verdicts:
            counts[v.ground.value] = counts.get(v.ground.value, 0) + 1
        said = ", ".join(f"{n} {ground}" for ground, n in counts.items())
        lines = [f"{self.problem.title}: {len(self.verdicts)} steps{f', {said}' if said else ''}"]
        given = [a for i in self.parts if i.derivation for a in i.derivation.answers]
        if (sequence := self.problem.sequence) is not None:
            lines.append(f"  for every {sequence.length}:")
            lines += [f"  {label} = {e}" for label, e in self.equations.items()]
        for (label, found), a in zip(self.answers.items(), given, strict=True) if sequence is None else ():
            rounded = a.label.endswith(ROUNDED)
            name = f"d{a.left.of}/d{a.left.wrt}{ROUNDED if rounded else ''}" if label == a.label and isinstance(a.left, F.TotalOf) else label
            lines.append(f"  {name} {'≈' if a.approx or rounded else '='} {found}")
        lines += [f"  part {label}: {why}" for label, why in self.failures.items()]
        lines += [f"  {words}" for words in dict.fromkeys(i.comparison.words for i in self.parts if i.comparison)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from symgrad.api.display import solution_html

        return solution_html(self)

    def _repr_latex_(self) -> str:
        from symgrad.api.display import solution_latex

        return solution_latex(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _result(form: F.Form, known: dict[str, Expression]) -> Expression | F.Form:
    match form:
        case F.Just(expr):
            return Expression(expr, tuple(known[n] for n in names_in(expr) if n in known))
        case F.Decimal(value):
            return Expression(value)
    return form


__all__ = ["Solution"]
