"""Problem statements: Markdown with $formulas$ and $$displays$$ to document blocks.

Admitted: paragraphs, headings, lists, tables, emphasis, code, formulas.  Whatever could reach out of the sheet (raw HTML, images, links)
is refused by line.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NoReturn

from symgrad.language.errors import SpecError
from symgrad.sheet import document as D
from symgrad.sheet.tex import check_tex

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

MAX_LENGTH = 100_000
REFUSED = {
    "html_block": "raw HTML; write &lt; for the sign <, or a formula in $..$",
    "html_inline": "raw HTML; write &lt; for the sign <, or a formula in $..$",
    "image": "an image; sheets draw their own pictures", "link": "a link; name the source in words, or in `source`",
    "blockquote": "a block quote; write it as a paragraph", "hr": "a rule; write a heading",
}
_Inline = str | D.Maths | D.Emphasis | D.Code


def blocks(markdown: str) -> tuple[D.Block, ...]:
    """The blocks of a statement.  Raises SpecError for what a sheet does not admit, naming the line of the statement."""
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    if len(markdown) > MAX_LENGTH:
        raise SpecError(f"a statement of {len(markdown)} characters; at most {MAX_LENGTH} are read")
    reader = MarkdownIt("commonmark").enable("table").disable(["reference", "code", "text_join"])
    reader.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True)
    tokens = reader.parse(textwrap.dedent(markdown))
    return _blocks(SyntaxTreeNode(tokens).children, 0)


def _blocks(nodes: list[SyntaxTreeNode], line: int) -> tuple[D.Block, ...]:
    found: list[D.Block] = []
    for node in nodes:
        here = node.map[0] + 1 if node.map else line
        match node.type:
            case "paragraph" | "heading":
                found += _prose(node.children[0], here, node.type == "heading")
            case "math_block":
                found.append(D.Display(_maths(node.content, here)))
            case "bullet_list" | "ordered_list":
                items = tuple(_blocks(item.children, here) for item in node.children)
                found.append(D.Listing(items, node.type == "ordered_list"))
            case "fence":
                found.append(D.Paragraph((D.Code(node.content.rstrip("\n")),)))
            case "table":
                rows = [tuple(_inline(cell.children[0], here) for cell in row.children) for part in node.children for row in part.children]
                found.append(D.Table(rows[0], tuple(rows[1:])))
            case _:
                _refuse(node.type, here)
    return tuple(found)


def _prose(inline: SyntaxTreeNode, line: int, heading: bool) -> list[D.Block]:
    """A paragraph, cut where a display formula stands in it."""
    found: list[D.Block] = []
    run: list[_Inline] = []
    for part in _parts(inline.children, line, None):
        if isinstance(part, D.Display):
            found += [D.Paragraph(_trimmed(run))] if _trimmed(run) else []
            found.append(part)
            run = []
        else:
            run.append(part)
    if text := _trimmed(run):
        found.append(D.Heading(text, 3) if heading else D.Paragraph(text))
    return found


def _inline(inline: SyntaxTreeNode, line: int) -> D.Text:
    return _trimmed([D.Maths(p.formula.tex) if isinstance(p, D.Display) else p for p in _parts(inline.children, line, None)])


def _parts(nodes: list[SyntaxTreeNode], line: int, strong: bool | None) -> list[_Inline | D.Display]:
    """`strong` is None outside emphasis."""
    found: list[_Inline | D.Display] = []
    for node in nodes:
        match node.type:
            case "text":
                if "$" in node.content:
                    raise SpecError(f"statement, line {line}: {node.content.strip()!r} has a $ that opens no formula; "
                                    "write \\$ for the sign")
                _add(found, node.content, strong)
            case "text_special":
                _add(found, node.content, strong)
            case "softbreak" | "hardbreak":
                _add(found, " ", strong)
                line += 1
            case "math_inline":
                found.append(_maths(node.content, line))
            case "math_inline_double":
                found.append(D.Display(_maths(node.content, line)))
            case "code_inline":
                found.append(D.Code(node.content))
            case "em" | "strong":
                found += _parts(node.children, line, node.type == "strong" or bool(strong))
            case _:
                _refuse(node.type, line)
    return found


def _add(found: list[_Inline | D.Display], text: str, strong: bool | None) -> None:
    """Text at the end, joined with text of the same kind."""
    last = found[-1] if found else None
    if strong is None:
        if isinstance(last, str):
            found[-1] = last + text
        elif text:
            found.append(text)
    elif isinstance(last, D.Emphasis) and last.strong == strong:
        found[-1] = D.Emphasis(last.text + text, strong)
    elif text:
        found.append(D.Emphasis(text, strong))


def _trimmed(run: list[_Inline]) -> D.Text:
    if run and isinstance(run[0], str):
        run = [run[0].lstrip(), *run[1:]]
    if run and isinstance(run[-1], str):
        run = [*run[:-1], run[-1].rstrip()]
    return tuple(part for part in run if part != "")


def _maths(content: str, line: int) -> D.Maths:
    tex = " ".join(content.split())
    try:
        check_tex(tex)
    except SpecError as error:
        raise SpecError(f"statement, line {line}: {error.message}") from error
    return D.Maths(tex)


def _refuse(kind: str, line: int) -> NoReturn:
    raise SpecError(f"statement, line {line}: {REFUSED.get(kind, f'Markdown of the kind {kind} is not admitted')}")
