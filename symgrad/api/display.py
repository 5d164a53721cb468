"""What notebooks show: sheets as fragments, models as tables with their picture."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from symgrad.language.errors import SpecError
from symgrad.language.problem import Backward, Problem
from symgrad.numeric.comparison import with_adjoints
from symgrad.sheet import recursion
from symgrad.sheet.compose import VIEWS, compose, model_blocks
from symgrad.sheet.document import Boxed, Document
from symgrad.sheet.notation import Notation

if TYPE_CHECKING:
    from symgrad.api.model import Model
    from symgrad.api.solution import Solution


def sheet(solution: Solution, format: str, view: str) -> str:
    """One view in one format.  Raises SpecError for a view that there is not."""
    return str(import_module(f"symgrad.sheet.{format}").render(document(solution, view)))


def document(solution: Solution, view: str) -> Document:
    if view not in VIEWS:
        raise SpecError(f"{view!r} is not a view; there are {', '.join(VIEWS)}")
    return compose(solution.problem, solution.parts, view)


def solution_html(solution: Solution) -> str:
    from symgrad.sheet.html import fragment

    return fragment(document(solution, "solution"))


def solution_latex(solution: Solution) -> str:
    """The answers, one a line, for MathJax; the whole sheet is `solution.latex()`."""
    rows = []
    for item in solution.parts:
        if item.derivation is not None:
            n, sequence = Notation(with_adjoints(item.derivation)), solution.problem.sequence
            if sequence is not None and isinstance(item.part.ask, Backward):
                boxes = recursion.answers(item.part.ask, sequence, item.derivation, replace(n, sequence=sequence))
                rows += [f"{b.left.tex} &= {b.right.tex}" for b in boxes if isinstance(b, Boxed)]
            for a in item.derivation.answers:
                relation = r"\approx" if a.approx else "="
                rows.append(f"{n.form(a.left)} &{relation} {n.form(a.right)}")
    return _aligned(rows)


def model_html(model: Model) -> str:
    from symgrad.sheet.html import fragment

    return fragment(_model_document(model))


def model_markdown(model: Model) -> str:
    from symgrad.sheet.markdown import render

    return render(_model_document(model))


def model_latex(model: Model) -> str:
    n = Notation(model.graph)
    return _aligned([f"{n.name(x.name)} &= {n.tex(x.expr)}" for x in model.graph.nodes])


def _model_document(model: Model) -> Document:
    problem = Problem("model", model.title or "Computation graph", model.graph, (), model.values)
    _, *blocks = model_blocks(problem, Notation(model.graph))  # without their heading: the page has nothing else
    return Document(problem.title, "model", tuple(blocks))


def _aligned(rows: list[str]) -> str:
    joined = " \\\\\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{joined}\n\\end{{aligned}}\n$$"


__all__ = ["document", "model_html", "model_latex", "model_markdown", "sheet", "solution_html", "solution_latex"]
