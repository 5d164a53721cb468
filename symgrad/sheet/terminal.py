"""A document as plain text for a terminal: formulas on one line, in Unicode where there is a sign for it."""

from __future__ import annotations

import re
import textwrap
from typing import assert_never

from symgrad.sheet import document as D
from symgrad.sheet import symbols as S
from symgrad.sheet import tex as T

WIDTH = 100
_MARKS = {"hat": "\u0302", "tilde": "\u0303", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7"}
_ATOM = re.compile(r"[\w∂.'\u0302-\u0308]+([_^](\w|\{[^{}]*\}|\([^()]*\))+|ᵀ)*")


def render(document: D.Document) -> str:
    """The whole sheet."""
    head = [f"{_clean(document.title)} ({_clean(document.view)})", "=" * min(WIDTH, len(document.title) + len(document.view) + 3), ""]
    return "\n".join(head + _blocks(document.blocks, 0)).rstrip() + "\n"


def _blocks(blocks: tuple[D.Block, ...], indent: int) -> list[str]:
    return [line for b in blocks for line in (*_block(b, indent), "")]


def _block(b: D.Block, indent: int) -> list[str]:
    pad = " " * indent
    match b:
        case D.Heading(words, level, _):
            line = text(words)
            return [pad + line, pad + ("-" if level <= 2 else ".") * len(line)]
        case D.Paragraph((D.Code(code),)) if "\n" in code:
            return [f"{pad}    {_clean(line)}" for line in code.split("\n")]
        case D.Paragraph(words):
            return _wrap(text(words), pad, pad)
        case D.Display(formula):
            return _wrap(maths(formula.tex), pad + "    ", pad + "      ")
        case D.Listing(items, ordered):
            found = []
            for k, item in enumerate(items, 1):
                sign = f"{k}. " if ordered else "- "
                lines = [line for x in item for line in _block(x, indent + len(sign))]
                found += [pad + sign + lines[0].lstrip(), *lines[1:]] if lines else [pad + sign]
            return found
        case D.Chain(left, rows):
            return _chain(maths(left.tex), rows, indent)
        case D.Boxed(left, relation, right):
            return [pad + ">>> " + line.lstrip() for line in _wrap(f"{maths(left.tex)} {maths(relation)} {maths(right.tex)}", pad, pad)]
        case D.Table(header, lines, caption):
            return ([pad + text(caption)] if caption else []) + _table((header, *lines), indent)
        case D.Picture(_, alternative, _):
            return _wrap(_clean(alternative), pad, pad)
        case D.Plot(chart, alternative, _):
            from symgrad.sheet.plot import letters

            return [*(f"{pad}{line}" for line in letters(chart)), "", *_wrap(_clean(alternative), pad, pad)]
        case D.Steps(items):
            return [line for s in items for line in (*_step(s, indent), "")]
        case D.Stamp(ground):
            return _wrap(f"[{_clean(ground)}] {text(b.words)}".rstrip(), pad, pad + "  ")
    assert_never(b)


def _step(s: D.StepBlock, indent: int) -> list[str]:
    pad = " " * indent
    mark = f"  [{_clean(s.mark.amount)} {'mark' if s.mark.amount == '1' else 'marks'}]" if s.mark else ""
    found = _wrap(f"{_clean(s.number)}. {text(s.title)}{mark}", pad, pad + "   ")
    for b in (*s.blocks, *((s.stamp,) if s.stamp else ())):
        found += _block(b, indent + 3)
    for d in s.details:
        found += _step(d, indent + 3)
    return found


def _chain(left: str, rows: tuple[D.Row, ...], indent: int) -> list[str]:
    found = []
    for k, row in enumerate(rows):
        start = " " * indent + (left if k == 0 or len(left) > 40 and k == 0 else " " * min(len(left), 40))
        note = f"   ({text(row.note)})" if row.note else ""
        found += _wrap(f"{maths(row.relation)} {maths(row.right.tex)}{note}", start + " ", " " * (indent + min(len(left), 40) + 3))
    return found


def _table(lines: tuple[tuple[D.Text, ...], ...], indent: int) -> list[str]:
    cells = [[text(cell) for cell in line] for line in lines]
    columns = max((len(line) for line in cells), default=0)
    widths = [max((len(line[k]) for line in cells if k < len(line)), default=0) for k in range(columns)]
    return [" " * indent + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=False)).rstrip() for line in cells]


def _wrap(words: str, first: str, rest: str) -> list[str]:
    lines = textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
    return lines or [first.rstrip()]


def _clean(words: str) -> str:
    """No control characters: a sheet must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in words)


def text(parts: D.Text) -> str:
    """Words and formulas on one line."""
    return "".join(maths(p.tex) if isinstance(p, D.Maths) else _clean(p if isinstance(p, str) else p.text) for p in parts)


def maths(tex: str) -> str:
    """A formula on one line."""
    line = " ".join(_many(T.parse(tex)).split())
    return re.sub(r"(^|[(\[,=≈≠≤≥<>·×∘+/−] ?)− ", r"\1−", line)  # a sign, not a subtraction


def _many(nodes: tuple[T.Node, ...]) -> str:
    found = ""
    for k, node in enumerate(nodes):
        piece = _one(node)
        apart = k > 0 and isinstance(nodes[k - 1], T.Script) and piece[:1].isalnum()  # W_2 h, not W_2h
        found += f" {piece}" if apart else piece
    return found


def _one(node: T.Node) -> str:
    match node:
        case T.Symbol(command):
            return _symbol(command)
        case T.Words(_, words):
            return words
        case T.Group(items):
            return _many(items)
        case T.Script(base, sub, sup, primes):
            top = _many(sup).strip() if sup else ""
            high = "ᵀ" if top == "⊤" else f"^{_tight(top)}" if top else ""
            low = f"_{_tight(_many(sub))}" if sub else ""
            return _one(base).rstrip() + "'" * primes + low + high
        case T.Fence(left, items, right):
            return f"{_delimiter(left)}{_many(items).strip()}{_delimiter(right)}"
        case T.Big(_, delimiter):
            return _delimiter(delimiter)
        case T.Grid(environment, rows):
            inner = "; ".join(", ".join(_many(cell).strip() for cell in row) for row in rows)
            return f"{{{inner}}}" if environment == "cases" else inner if environment in ("matrix", "array") else f"[{inner}]"
        case T.Apply(command, arguments):
            return _apply(command, [_many(a).strip() for a in arguments])
    assert_never(node)


def _apply(command: str, arguments: list[str]) -> str:
    first, last = arguments[0], arguments[-1]
    match command:
        case r"\frac" | r"\dfrac" | r"\tfrac":
            return f"{_round(first)}/{_round(last)}"
        case r"\sqrt":
            return f"√{_round(first)}"
        case r"\bar" | r"\overline":
            return first + "\u0304" if len(first) == 1 else f"bar({first})"
        case r"\hat" | r"\tilde" | r"\dot" | r"\ddot" | r"\vec" | r"\widehat":
            name = command[1:].removeprefix("wide")
            return first + _MARKS[name] if len(first) == 1 else f"{name}({first})"
        case r"\binom":
            return f"C({first}, {last})"
        case r"\xrightarrow" | r"\xleftarrow":
            return f" —{first}→ " if command == r"\xrightarrow" else f" ←{first}— "
    return last


def _symbol(command: str) -> str:
    sign = S.UNICODE.get(command, command)
    if command in S.SPACES or command in S.STYLES:
        return " " if S.SPACES.get(command, 0) > 0 else ""
    if sign in "+-=<>" or command[1:] in (*S.RELATIONS, *S.SUMS, *S.PRODUCTS):
        return f" {sign} " if command != "-" else " − "
    if command in S.FUNCTIONS:
        return f" {command[1:]} "
    if sign[:1] == "\\":
        return _delimiter(command)
    return ", " if sign == "," else sign


def _delimiter(delimiter: str) -> str:
    plain = {r"\{": "{", r"\}": "}", r"\lbrace": "{", r"\rbrace": "}", r"\|": "‖", r"\lVert": "‖", r"\rVert": "‖",
             r"\Vert": "‖", r"\lvert": "|", r"\rvert": "|",
             r"\vert": "|", ".": ""}
    return plain.get(delimiter, S.UNICODE.get(delimiter, delimiter))


def _tight(words: str) -> str:
    words = "".join(words.split())
    return words if len(words) == 1 or words.isdigit() or words.startswith("(") and words.endswith(")") else f"{{{words}}}"


def _round(words: str) -> str:
    return words if _ATOM.fullmatch(words) else f"({words})"
