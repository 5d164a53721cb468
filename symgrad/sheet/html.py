"""A document as one HTML file: no script, nothing fetched, formulas as MathML, pictures as SVG.

Each block is one case of `_block`; the looks are in `style`, every rule scoped to `.symgrad` so that notebooks stay untouched.
Long formulas are cut into pieces (`breaking`) that wrap like words where the line really ends, on paper as on a phone.
"""

from __future__ import annotations

from html import escape
from typing import assert_never

from symgrad.sheet import document as D
from symgrad.sheet.breaking import pieces
from symgrad.sheet.mathml import to_mathml
from symgrad.sheet.style import PAGE, SHEET

INLINE, LINE, CELL = 16.0, 24.0, 18.0
"""The width, in em, from which a formula is cut: in running text, on a line of its own, in a table."""
VIEWS = {"question": "Question", "solution": "Solution", "marking": "Marking"}
GROUNDS = ("proved", "tested", "given", "refuted", "undecided")


def render(document: D.Document) -> str:
    """The whole page."""
    title = escape(document.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{SHEET}{PAGE}</style>\n</head>\n<body>\n{_main(document)}</body>\n</html>\n")


def fragment(document: D.Document) -> str:
    """The sheet without a page around it, for notebooks: a scoped style and one element."""
    return f"<style>\n{SHEET}</style>\n{_main(document)}"


def _main(document: D.Document) -> str:
    view = VIEWS.get(document.view, document.view)
    return (f'<main class="symgrad" lang="en">\n<header>\n<h1>{escape(document.title)}</h1>\n'
            f'<p class="view">{escape(view)}</p>\n</header>\n'
            f"{_blocks(document.blocks)}</main>\n")


def _blocks(blocks: tuple[D.Block, ...]) -> str:
    return "".join(_block(b) for b in blocks)


def _block(b: D.Block) -> str:
    match b:
        case D.Heading(text, level, id):
            named = f' id="{escape(id)}"' if id else ""
            h = min(max(level, 1), 6)
            return f"<h{h}{named}>{_text(text)}</h{h}>\n"
        case D.Paragraph((D.Code(code),)) if "\n" in code:
            return f"<pre><code>{escape(code)}</code></pre>\n"
        case D.Paragraph(text):
            return f"<p>{_text(text)}</p>\n"
        case D.Display(formula):
            return f'<div class="display scroll">{_formula(formula.tex, LINE)}</div>\n'
        case D.Listing(items, ordered):
            tag = "ol" if ordered else "ul"
            return f"<{tag}>\n" + "".join(f"<li>{_blocks(item)}</li>\n" for item in items) + f"</{tag}>\n"
        case D.Chain(left, rows):
            lines = (_row(left.tex if k == 0 else "", row) for k, row in enumerate(rows))
            return f'<div class="scroll"><table class="chain{_wide_left(left)}"><tbody>\n{"".join(lines)}</tbody></table></div>\n'
        case D.Boxed(left, relation, right):
            row = _row(left.tex, D.Row(relation, right))
            return f'<div class="boxed scroll"><table class="chain{_wide_left(left)}"><tbody>\n{row}</tbody></table></div>\n'
        case D.Table(header, lines, caption):
            return _table(header, lines, caption)
        case D.Picture(layout, alternative, caption):
            from symgrad.sheet.picture import svg

            words = f"<figcaption>{_text(caption)}</figcaption>\n" if caption else ""
            return f'<figure>\n<div class="scroll">{svg(layout, alternative)}</div>\n{words}</figure>\n'
        case D.Plot(chart, alternative, caption):
            from symgrad.sheet import plot

            words = f"<figcaption>{_text(caption)}</figcaption>\n" if caption else ""
            return f'<figure>\n<div class="scroll">{plot.svg(chart, alternative)}</div>\n{words}</figure>\n'
        case D.Steps(items):
            return _steps(items)
        case D.Stamp():
            return f'<p class="verdict">{_stamp(b)}</p>\n'
    assert_never(b)


def _wide_left(left: D.Maths) -> str:
    return " stacked" if len(pieces(left.tex, 9)) > 1 else ""


def _row(left: str, row: D.Row) -> str:
    note = f'<td class="note">{_text(row.note)}</td>' if row.note else '<td class="note none"></td>'
    first = f'<td class="left">{to_mathml(left, True)}</td>' if left else '<td class="left"></td>'
    return (f'<tr>{first}<td class="relation">{to_mathml(row.relation)}</td>'
            f'<td class="right">{_formula(row.right.tex, LINE)}</td>{note}</tr>\n')


def _formula(tex: str, limit: float) -> str:
    """A formula in display style; where it is long, terms that keep together, each with its factors, wrap like words."""
    cut = pieces(tex, limit)
    if len(cut) == 1:
        return to_mathml(tex, True)
    terms: list[list[str]] = []
    for piece in cut:
        if piece.strong or not terms:
            terms.append([])
        terms[-1].append(to_mathml(piece.tex, True))
    return '<span class="long">' + "".join(f'<span class="term">{"".join(factors)}</span>' for factors in terms) + "</span>"


def _text(text: D.Text, limit: float = INLINE) -> str:
    found = []
    for part in text:
        match part:
            case str():
                found.append(escape(part, quote=False))
            case D.Maths(tex):
                cut = pieces(tex, limit)
                found.append(to_mathml(tex) if len(cut) == 1 else "<wbr>".join(to_mathml(p.tex) for p in cut))
            case D.Emphasis(words, strong):
                tag = "strong" if strong else "em"
                found.append(f"<{tag}>{escape(words, quote=False)}</{tag}>")
            case D.Code(words):
                found.append(f"<code>{escape(words, quote=False)}</code>")
            case _:
                assert_never(part)
    return "".join(found)


def _table(header: tuple[D.Text, ...], lines: tuple[tuple[D.Text, ...], ...], caption: D.Text) -> str:
    title = f"<caption>{_text(caption)}</caption>\n" if caption else ""
    head = "".join(f'<th scope="col">{_text(h)}</th>' for h in header)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell, CELL)}</td>" for cell in line) + "</tr>\n" for line in lines)
    return (f'<div class="scroll"><table class="grid">\n{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
            if any(header) else f'<div class="scroll"><table class="grid">\n{title}<tbody>\n{body}</tbody></table></div>\n')


def _steps(items: tuple[D.StepBlock, ...]) -> str:
    return '<ol class="steps">\n' + "".join(_step(s) for s in items) + "</ol>\n"


def _step(s: D.StepBlock) -> str:
    id, number = escape(s.id), escape(s.number)
    mark = f'<span class="mark">{escape(s.mark.amount)} {"mark" if s.mark.amount == "1" else "marks"}</span>' if s.mark else ""
    verdict = f'<p class="verdict">{_stamp(s.stamp)}</p>\n' if s.stamp else ""
    count = f"{len(s.details)} {'step' if len(s.details) == 1 else 'steps'}"
    details = f"<details>\n<summary>What this rests on: {count}</summary>\n{_steps(s.details)}</details>\n" if s.details else ""
    return (f'<li id="{id}" class="step">\n<div class="title"><a class="number" href="#{id}" aria-label="Step {number}">{number}</a>'
            f'<span class="words">{_text(s.title)}</span>{mark}</div>\n{_blocks(s.blocks)}{verdict}{details}</li>\n')


def _stamp(s: D.Stamp) -> str:
    """The ground as a badge; the words after it do not repeat it."""
    kind = s.ground if s.ground in GROUNDS else "undecided"
    words = f' <span class="method">{_text(s.words)}</span>' if s.words else ""
    return f'<span class="badge {kind}">{escape(s.ground)}</span>{words}'
