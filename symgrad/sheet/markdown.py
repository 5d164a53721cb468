"""A document as Markdown that GitHub and Jupyter both render.

Formulas stand between $..$ and $$..$$, which both know ($`..`$ only GitHub does).  Either may run Markdown over a formula before MathJax
sees it, so a formula is written without what Markdown eats: no backslash before punctuation (`\\cr` for `\\\\`, `\\lbrace` for `\\{`), no
bare `*`, `<`, `>` or `|`, and a blank before every `_`, which then cannot close an emphasis.
"""

from __future__ import annotations

import re
from typing import assert_never

from symgrad.sheet import document as D
from symgrad.sheet import tex as T
from symgrad.sheet.breaking import pieces, width

LINE = 36.0
VIEWS = {"question": "Question", "solution": "Solution", "marking": "Marking"}
_WORDS = {"<": r"\lt ", ">": r"\gt ", "*": r"\ast ", "|": r"\vert "}
_SIGNS = {
    r"\{": r"\lbrace ", r"\}": r"\rbrace ", r"\|": r"\Vert ", r"\,": r"\thinspace ", r"\:": r"\thinspace ", r"\>": r"\thinspace ",
    r"\;": r"\thinspace ", r"\!": "", r"\ ": r"\thinspace ", "|": r"\vert ", "<": r"\lt ", ">": r"\gt ", "*": r"\ast ",
}
_SIGN = re.compile(r"\\operatorname\*|\\[{}|,:>;! ]|[|<>*]")
_PLAIN = re.compile(r"[^\\{}$%#&_^~`\"\x00-\x1f]*")


def render(document: D.Document) -> str:
    """The whole file."""
    view = VIEWS.get(document.view, escape(document.view))
    parts = [f"# {escape(document.title)}", f"*{view}*", *(_block(b) for b in document.blocks)]
    return "\n\n".join(p for p in parts if p) + "\n"


def _blocks(blocks: tuple[D.Block, ...]) -> str:
    return "\n\n".join(_block(b) for b in blocks)


def _block(b: D.Block) -> str:
    match b:
        case D.Heading(words, level, _):
            return f"{'#' * min(max(level, 1), 6)} {text(words)}"
        case D.Paragraph((D.Code(code),)) if "\n" in code:
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
            return f"{fence}text\n{code}\n{fence}"
        case D.Paragraph(words):
            return re.sub(r"^(\d+)([.)])|^([-+=])", lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", text(words))
        case D.Display(formula):
            return _display(_lines(formula.tex))
        case D.Listing(items, ordered):
            return "\n".join(_item(f"{k}. " if ordered else "- ", item) for k, item in enumerate(items, 1))
        case D.Chain(left, rows):
            return _chain(left, rows)
        case D.Boxed(left, relation, right):
            lines = _lines(right.tex)
            if len(lines) == 1:
                return _display([rf"\boxed{{{maths(left.tex)} {maths(relation)} {lines[0]}}}"])
            inner = r" \cr ".join((rf"{maths(left.tex)} & {maths(relation)} {lines[0]}", *(rf"& \quad {x}" for x in lines[1:])))
            return _display([rf"\boxed{{\begin{{aligned}} {inner} \end{{aligned}}}}"])
        case D.Table(header, lines, caption):
            return _table(header, lines, caption)
        case D.Picture():
            return _picture(b)
        case D.Plot(chart, alternative, caption):
            from symgrad.sheet.plot import letters

            title = f"{text(caption)}. " if caption else ""
            return "\n".join(("```text", *letters(chart), "```")) + f"\n\n{title}{escape(alternative)}"
        case D.Steps(items):
            return "\n\n".join(_step(s) for s in items)
        case D.Stamp():
            return _stamp(b)
    assert_never(b)


def _item(sign: str, item: tuple[D.Block, ...]) -> str:
    return sign + _blocks(item).replace("\n", "\n" + " " * len(sign)).replace("\n" + " " * len(sign) + "\n", "\n\n")


# ---- words ------------------------------------------------------------------------------------------------------


def escape(words: str) -> str:
    """Plain text that Markdown and HTML leave alone; no links, no mentions."""
    words = " ".join(words.split("\n"))
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = re.sub(r"([\\`*_{}\[\]#|~$!^])", r"\\\1", words)
    return words.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def text(parts: D.Text) -> str:
    """Words and inline formulas."""
    found = []
    for part in parts:
        match part:
            case str():
                found.append(escape(part))
            case D.Maths(tex):
                found.append(f"${maths(tex)}$")
            case D.Emphasis(words, strong):
                mark = "**" if strong else "*"
                bare = words.strip()
                before, after = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
                found.append(f"{before}{mark}{escape(bare)}{mark}{after}" if bare else words)
            case D.Code(words):
                found.append(_code(" ".join(words.split("\n"))))
            case _:
                assert_never(part)
    return "".join(found)


def _code(words: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    blank = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{blank}{words}{blank}{fence}"


# ---- formulas ---------------------------------------------------------------------------------------------------


def maths(tex: str) -> str:
    """The formula in TeX that survives Markdown."""
    return _safe(T.write(T.parse(tex), words=_words, row_end=r"\cr"))


def _words(words: str) -> str:
    return re.sub(r"[<>*|]", lambda m: rf"}}{_WORDS[m[0]]}\text{{", words)


def _safe(tex: str) -> str:
    tex = _SIGN.sub(lambda m: m[0] if m[0] == r"\operatorname*" else _SIGNS[m[0]], tex)
    return re.sub(r" +(?=[ }])", "", tex).strip()


def _lines(tex: str) -> list[str]:
    """A long formula as lines of at most about `LINE` em, terms kept together where they can be."""
    terms: list[list[str]] = []
    for piece in pieces(tex, LINE):
        if piece.strong or not terms:
            terms.append([])
        terms[-1].append(piece.tex)
    lines: list[tuple[str, float]] = []
    for term in terms:
        whole = sum(width(T.parse(p)) for p in term)
        parts = [(" ".join(term), whole)] if whole <= LINE else [(p, width(T.parse(p))) for p in term]
        for part, wide in parts:
            if lines and lines[-1][1] + wide <= LINE:
                lines[-1] = (f"{lines[-1][0]} {part}", lines[-1][1] + wide)
            else:
                lines.append((part, wide))
    return [maths(line) for line, _ in lines]


def _display(lines: list[str]) -> str:
    if len(lines) == 1:
        first = r"\displaystyle " if lines[0][:1] in "-+=0123456789" else ""
        return f"$$\n{first}{lines[0]}\n$$"
    inner = " \\cr\n".join(("& " if k == 0 else r"& \quad ") + line for k, line in enumerate(lines))
    return f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"


def _chain(left: D.Maths, rows: tuple[D.Row, ...]) -> str:
    lines, below = [], []
    for k, row in enumerate(rows):
        first, *rest = _lines(row.right.tex)
        note = _note(row.note)
        if row.note and not note:
            below.append(f"- Line {k + 1}: {text(row.note)}")
        lines.append(f"{maths(left.tex) if k == 0 else ''}& {maths(row.relation)} {first}" + (rf" && {note}" if note else ""))
        lines += [rf"& \qquad {line}" for line in rest]
    inner = " \\cr\n".join(lines)
    shown = f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"
    return shown + ("\n\n" + "\n".join(below) if below else "")


def _note(note: D.Text) -> str:
    """A note beside its line; "" if it has signs that \\text cannot hold."""
    found = []
    for part in note:
        if isinstance(part, D.Maths):
            found.append(maths(part.tex))
            continue
        words = part if isinstance(part, str) else part.text
        if not _PLAIN.fullmatch(words):
            return ""
        found.append(rf"\text{{{_words(words)}}}")
    return "".join(found)


# ---- the other blocks ---------------------------------------------------------------------------------------------


def _table(header: tuple[D.Text, ...], lines: tuple[tuple[D.Text, ...], ...], caption: D.Text) -> str:
    columns = max((len(line) for line in (header, *lines)), default=0)

    def row(line: tuple[D.Text, ...]) -> str:
        cells = [re.sub(r"(?<!\\)\|", r"\\|", text(cell)) or " " for cell in line] + [" "] * (columns - len(line))
        return f"| {' | '.join(cells)} |"

    body = "\n".join((row(header), "|" + " --- |" * columns, *(row(line) for line in lines)))
    return (f"{text(caption)}\n\n" if caption else "") + body


def _picture(p: D.Picture) -> str:
    """A mermaid fence, which GitHub and Jupyter draw, and the same in words."""
    number = {box.name: k for k, box in enumerate(p.layout.boxes)}
    lines = ["```mermaid", "graph LR"]
    for box in p.layout.boxes:
        left, right = ("([", "])") if box.kind == "variable" else ("[", "]")
        label = re.sub(r"[^\w ]", "_", box.plain)
        lines.append(f'  n{number[box.name]}{left}"{label}"{right}')
    lines += [f"  n{number[e.tail]} --> n{number[e.head]}" for e in p.layout.edges]
    lines.append("```")
    caption = f"{text(p.caption)}. " if p.caption else ""
    return "\n".join(lines) + f"\n\n{caption}{escape(p.alternative)}"


def _step(s: D.StepBlock) -> str:
    mark = f" ({escape(s.mark.amount)} {'mark' if s.mark.amount == '1' else 'marks'})" if s.mark else ""
    parts = [f"**{escape(s.number)}.** {text(s.title)}{mark}", *(_block(b) for b in s.blocks)]
    if s.stamp:
        parts.append(_stamp(s.stamp))
    if s.details:
        count = f"{len(s.details)} {'step' if len(s.details) == 1 else 'steps'}"
        parts.append(f"<details>\n<summary>What this rests on: {count}</summary>\n")
        parts += [_step(d) for d in s.details]
        parts.append("</details>")
    return "\n\n".join(parts)


def _stamp(s: D.Stamp) -> str:
    return f"**\\[{escape(s.ground)}\\]** {text(s.words)}".strip()
