"""A sequence of symbolic length on a sheet: its definitions for every step, and the backward recursion."""

from __future__ import annotations

from symgrad.language import forms as F
from symgrad.language import sequence as Q
from symgrad.language.claims import Line, Recurrence
from symgrad.language.problem import Backward, Problem
from symgrad.language.steps import Derivation
from symgrad.sheet import document as D
from symgrad.sheet.notation import Notation
from symgrad.sheet.operations import PRODUCT


def model(problem: Problem, notation: Notation) -> list[D.Block]:
    """The definitions of one step, and those outside of the steps."""
    graph, sequence = problem.graph, problem.sequence
    assert sequence is not None
    every, once = notation.at(Q.EVERY), notation.at(Q.ONCE)
    rows: list[tuple[D.Text, ...]] = []
    for node in graph.nodes:
        at = sequence.split(node.name)
        if at is not None and at[1] != 2:
            continue
        n = every if at else once
        total = sequence.total(graph, node) if at is None else None
        right = rf"{over(n)} {every.name(f'{total}_2')}" if total else n.tex(node.expr)
        shape: D.Text = ("scalar",) if node.shape == (1, 1) else (D.Maths(n.size(node.shape)),)
        rows.append(((D.Maths(n.name(node.name)),), (D.Maths(f"= {right}"),), shape))
    t, last = sequence.index, sequence.length
    head: tuple[str | D.Maths, ...] = ("Definitions with the index ", D.Maths(t), " hold for ", D.Maths(rf"{t} = 1, \ldots, {last}"), ", for any ",
                                       D.Maths(rf"{last} \geq 1"), ".")
    if sequence.recurs(graph):
        head = ("A sequence of ", D.Maths(last), " steps, for any ", D.Maths(rf"{last} \geq 1"), "; definitions with the index ", D.Maths(t),
                " hold for ", D.Maths(rf"{t} = 1, \ldots, {last}"), ".")
    return [D.Paragraph(head),
            D.Table((("Node",), ("Definition",), ("Shape",)), tuple(rows))]


def picture_title(problem: Problem) -> str:
    """What is said of the picture of a graph that stands for those of any length."""
    sequence = problem.sequence
    return "" if sequence is None else ", written out at three steps" if sequence.recurs(problem.graph) else f", written out at {sequence.length} = 3"


def over(n: Notation) -> str:
    """The sum sign over all steps."""
    assert n.sequence is not None
    return rf"\sum\limits_{{{n.sequence.index}=1}}^{{{n.sequence.length}}}"


def chain(c: Recurrence, n: Notation) -> D.Chain:
    """The equation line by line; of a sum over the steps, the sum of each line and what stands beside it."""
    rows = [D.Row("=", D.Maths(n.form(F.TotalOf(c.of, c.node))))]
    for line in (*c.lines, Line(F.Just(c.expr))):
        text = n.form(line.form)
        if c.when == Q.SUM:
            text = rf"{over(n)} {n.tex(c.expr, PRODUCT) if line.form == F.Just(c.expr) else _closed(line.form, text)}"
            if c.rest is not None and c.rest != 0:
                text = f"{n.at(Q.ONCE).tex(c.rest, PRODUCT)} + {text}"
        if rows[-1].right.tex != text:
            rows.append(D.Row("=", D.Maths(text), tuple(p for p in line.why if isinstance(p, str)) if c.when != Q.SUM else ()))
    return D.Chain(D.Maths(n.name(f"{c.node}_bar")), tuple(rows))


def answers(ask: Backward, sequence: Q.Sequence, derivation: Derivation, notation: Notation) -> list[D.Block]:
    """The last line of every equation that was asked for, framed; with the steps it holds for, where it does not hold for all."""
    asked = {at[0] if (at := sequence.split(n)) else n for n in ask.wrt}
    found: list[D.Block] = []
    for c in (s.claim for s in derivation.steps):
        if isinstance(c, Recurrence) and ((at := sequence.split(c.node)) or (c.node,))[0] in asked:
            n = notation.at(c.when)
            whole = chain(c, n)
            t, last = sequence.index, sequence.length
            when = {Q.EARLIER: rf" \quad ({t} < {last})", Q.EVERY: rf" \quad ({t} = 1, \ldots, {last})"}.get(c.when, "")
            found.append(D.Boxed(whole.left, "=", D.Maths(whole.rows[-1].right.tex + when)))
    return found


def _closed(form: F.Form, text: str) -> str:
    return rf"\left({text}\right)" if isinstance(form, F.Sum) else text


__all__ = ["answers", "chain", "model", "over", "picture_title"]
