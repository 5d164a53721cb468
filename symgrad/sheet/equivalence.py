"""How two networks and the parameters between them are shown: the template, rewritten layers, parameters, the comparison.

Nodes of the second network that are called like nodes of the first carry a star.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer

from symgrad.language import forms as F
from symgrad.language.claims import ActivationRelation, Beside, Image, Line, NoParameters, Parameter, Rewritten, SameFunction, Witness
from symgrad.language.entries import Indices, entry
from symgrad.language.graph import Graph
from symgrad.language.problem import FindParameters, Problem
from symgrad.language.vectors import SCALAR, Entry, is_scalar
from symgrad.sheet import document as D
from symgrad.sheet.notation import Notation

NetworkClaim = ActivationRelation | Rewritten | Parameter | Image | SameFunction | Beside | NoParameters


def starred(first: Graph, template: Graph) -> Graph:
    """The template with h* for a node h that the first network has too."""
    own, nodes = Notation(first), []
    for node in template.nodes:
        if node.latex or node.name not in first:
            nodes.append(node)
            continue
        base, scripts = own.parts(node.name)
        if scripts.startswith("^{"):
            end = scripts.index("}")
            nodes.append(replace(node, latex=f"{base}{scripts[:end]}*{scripts[end:]}"))
        else:
            nodes.append(replace(node, latex=f"{base}^{{*}}{scripts}"))
    return Graph(template.variables, tuple(nodes), template.functions)


def template_blocks(ask: FindParameters, graph: Graph) -> list[D.Block]:
    """The definitions of the second network, its unknowns with their shapes, and what is prescribed."""
    second = starred(graph, ask.template)
    n, rows = Notation(second), []
    for node in second.nodes:
        rows.append(((D.Maths(n.name(node.name)),), (D.Maths(f"= {n.tex(node.expr)}"),)))
    found: list[D.Block] = [D.Table((("Second network",), ("Definition",)), tuple(rows))]
    fixed = dict(ask.fixed)
    text: list[str | D.Maths | D.Emphasis | D.Code] = []
    for name in (u for u in ask.unknowns if u not in fixed):
        text += [", " if text else "Unknown: ", D.Maths(rf"{n.name(name)} \in \mathbb{{R}}{_space(second.shape(name), n)}")]
    found.append(D.Paragraph((*text, "."))) if text else None
    own = Notation(graph)
    text = []
    for name, e in fixed.items():
        text += [", " if text else "Prescribed: ", D.Maths(f"{n.name(name)} = {own.tex(e)}")]
    found.append(D.Paragraph((*text, "."))) if text else None
    for names, what in ((ask.permutations, "a permutation matrix"), (ask.signs, "a vector with the entries 1 and -1")):
        found += [D.Paragraph((D.Maths(own.name(name)), f" is {what}.")) for name in names]
    return found


def _space(shape: tuple[Expr, Expr], n: Notation) -> str:
    return "" if shape == SCALAR else f"^{{{n.size(shape)}}}"


def network_title(c: NetworkClaim, problem: Problem, said: D.Text) -> D.Text:
    if isinstance(c, Image):
        second = Notation(starred(problem.graph, _ask(problem, c.part).template))
        return (D.Maths(second.name(c.node)), " with the parameters put in")
    return said


def network_claim(c: NetworkClaim, problem: Problem, n: Notation) -> list[D.Block]:
    """The lines of one claim; `n` writes the names of the first network and the unknowns."""
    match c:
        case ActivationRelation(lines):
            return [_chain(n.form(lines[0].form), lines[1:], n)]
        case Rewritten(_, left, lines, indices):
            return [_chain(n.tex(_at(left, indices, n)), lines, n)]
        case Parameter(part, name, e, indices, at):
            ask, symbol = _ask(problem, part), n.graph.symbol(name)
            whole = D.Chain(D.Maths(n.name(name)), (D.Row("=", D.Maths(n.tex(e))),))
            single = D.Chain(D.Maths(n.tex(_at(symbol, indices, n))), (D.Row("=", D.Maths(n.tex(at))),))
            return [*([whole] if ask.matrix or not indices else []), *([single] if ask.index and indices else [])]
        case Image(part, node, lines):
            second = Notation(starred(problem.graph, _ask(problem, part).template))
            return [_chain(second.name(node), (Line(F.Just(second.graph.node(node).expr)), *lines), n, second)]
        case SameFunction(part, of, _):
            ask = _ask(problem, part)
            second = Notation(starred(problem.graph, ask.template))
            return [D.Chain(D.Maths(second.name(ask.output)), (D.Row("=", D.Maths(n.name(of)), ("for every input",)),))]
        case Beside(_, sizes, points, _):
            at_sizes = ", ".join(f"{d} = {k}" for d, k in sizes)
            return [D.Paragraph((f"{points} random rational points" + (f", {at_sizes}" if at_sizes else "") + ", with error bounds.",))]
        case NoParameters(_, points, multipliers):
            return _points(points, multipliers, problem, n)


def _ask(problem: Problem, part: str) -> FindParameters:
    (ask,) = [p.ask for p in problem.parts if p.label == part and isinstance(p.ask, FindParameters)]
    return ask


def _at(e: Expr, indices: tuple[Expr, ...], n: Notation) -> Expr:
    """Entry `indices` of a matrix."""
    if not indices or is_scalar(e):
        return e
    i, j = (*indices, Integer(1))[:2] if e.shape[0] != 1 else (Integer(1), indices[0])
    found = entry(e, i, j, Indices(frozenset((*n.graph.names, *map(str, indices)))))
    return found if isinstance(found, Expr) else Entry(e, i, j)


def _chain(left: str, lines: tuple[Line, ...], n: Notation, first: Notation | None = None) -> D.Chain:
    rows: list[D.Row] = []
    for k, line in enumerate(lines):
        text = (first if first is not None and k == 0 else n).form(line.form)
        if not rows or rows[-1].right.tex != text:
            note = tuple(p if isinstance(p, str) else D.Maths(n.form(p)) for p in line.why)
            rows.append(D.Row("=", D.Maths(text), note))
    return D.Chain(D.Maths(left), tuple(rows))


def _points(points: tuple[Witness, ...], multipliers: tuple[Expr, ...], problem: Problem, n: Notation) -> list[D.Block]:
    """What is the same at all points, then the inputs of each with its multiplier."""
    inputs = {x.name for x in problem.graph.variables if x.role == "input"}
    text: list[str | D.Maths] = ["Take "]
    text.append(", ".join(f"{d} = {k}" for d, k in points[0].sizes) + (" and " if points[0].sizes else ""))
    for k, (name, rows) in enumerate([pair for pair in points[0].values if pair[0] not in inputs]):
        text += [", " if k else "", D.Maths(f"{n.name(name)} = {_numbers(rows, n)}")]
    table = [(tuple(x for name, rows in w.values if name in inputs for x in (D.Maths(f"{n.name(name)} = {_numbers(rows, n)}"), " ")),
              (D.Maths(n.number(m)),)) for w, m in zip(points, multipliers, strict=True)]
    found: list[D.Block] = [D.Paragraph((*text, " in the first network, and these inputs.")), D.Table((("Input",), ("Factor",)), tuple(table))]
    if tuple(multipliers) == (1, -1):
        found.append(D.Paragraph(("In the second network both outputs are the same, whatever the unknowns are; in the first they are not.",)))
    elif len(points) > 1:
        found.append(D.Paragraph(("Multiply each output by its factor and add: in the second network the unknowns drop out, and the sum is another "
                                  "than in the first.",)))
    return found


def _numbers(rows: tuple[tuple[Expr, ...], ...], n: Notation) -> str:
    if len(rows) == 1 == len(rows[0]):
        return n.number(rows[0][0])
    body = r" \\ ".join(" & ".join(n.number(x) for x in row) for row in rows)
    return rf"{{\left[\begin{{matrix}} {body} \end{{matrix}}\right]}}"
