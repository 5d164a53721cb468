"""Where a long formula may be broken, and a guess of how wide it is: for HTML and LaTeX, which break it where the line really ends.

A formula is cut before its outermost relations and + or -, then before its outermost products; a wide pair of parentheses is
opened and cut inside.  Every piece is a formula of its own; put one after the other they are the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from symgrad.sheet import symbols as S
from symgrad.sheet import tex as T

_STRONG = frozenset("\\" + w for w in (*S.RELATIONS, *S.SUMS)) | {"=", "<", ">", "+", "-"}
_WEAK = frozenset("\\" + w for w in S.PRODUCTS)
_OPEN, _CLOSE = frozenset(("(", "[", r"\{", r"\lbrace", r"\langle")), frozenset((")", "]", r"\}", r"\rbrace", r"\rangle"))
WIDE_FENCE = 20.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a formula; `strong` if it begins at a relation, + or -: the better place for a break."""

    tex: str
    strong: bool = False


@lru_cache(maxsize=1 << 15)
def pieces(tex: str, limit: float) -> tuple[Piece, ...]:
    """The formula whole if it is at most `limit` wide (in em), else in pieces."""
    nodes = T.parse(tex)
    if width(nodes) <= limit:
        return (Piece(T.write(nodes)),)
    while len(nodes) == 1 and isinstance(nodes[0], T.Group):
        nodes = nodes[0].items
    found = [p for p in _cut(nodes, True) if p[0]]
    return tuple(Piece(T.write(items), strong) for items, strong in found)


def _cut(nodes: tuple[T.Node, ...], strong: bool) -> list[tuple[tuple[T.Node, ...], bool]]:
    found: list[tuple[tuple[T.Node, ...], bool]] = []
    run: list[T.Node] = []
    begins, depth, before = strong, 0, ""

    def close(next_strong: bool) -> None:
        nonlocal run, begins
        if run:
            found.append((tuple(run), begins))
        run, begins = [], next_strong

    for k, node in enumerate(nodes):
        mark = node.text if isinstance(node, T.Symbol) else ""
        binary = k > 0 and before not in _STRONG | _WEAK | _OPEN | {","}
        if mark in _STRONG | _WEAK and depth == 0 and binary:
            close(mark in _STRONG)
            run = [T.Group(()), node]
        elif isinstance(node, T.Fence) and depth == 0 and width((node,)) > WIDE_FENCE and len(inner := _cut(node.items, False)) > 1:
            found.append(((*run, T.Fence(node.left, inner[0][0], ".")), begins))
            found += inner[1:-1]
            run, begins = [T.Fence(".", inner[-1][0], node.right)], inner[-1][1]
        elif _tall(node) and run and _tall(run[-1]) and depth == 0 and width(tuple(run)) > 6:
            close(False)
            run = [node]
        else:
            run.append(node)
        if mark == "," and depth == 0:
            close(False)
        depth += (mark in _OPEN) - (_mark(node) in _CLOSE)
        before = mark or "x"
    close(False)
    return found


def _mark(node: T.Node) -> str:
    base = node.base if isinstance(node, T.Script) else node
    return base.text if isinstance(base, T.Symbol) else ""


def _tall(node: T.Node) -> bool:
    match node:
        case T.Fence() | T.Grid():
            return True
        case T.Apply(command):
            return command in (r"\frac", r"\dfrac")
        case T.Group(items):
            return len(items) == 1 and _tall(items[0])
        case T.Script(base):
            return _tall(base)
    return False


def width(nodes: tuple[T.Node, ...], scale: float = 1.0) -> float:
    """About how wide the formula is in display style, in em; on the generous side."""
    return sum(_width(n, scale) for n in nodes)


def _width(node: T.Node, scale: float) -> float:
    match node:
        case T.Symbol(text):
            return scale * _symbol(text)
        case T.Words(_, text):
            return scale * 0.52 * len(text)
        case T.Group(items):
            return width(items, scale)
        case T.Script(base, sub, sup, primes):
            small = max(scale * 0.72, 0.5)
            beside = max(width(sub or (), small), width(sup or (), small) + 0.25 * primes)
            under = isinstance(base, T.Symbol) and (base.text[1:] in S.LARGE or base.text in S.LIMITED)
            return max(_width(base, scale), beside) + 0.2 if under else _width(base, scale) + beside + 0.05
        case T.Fence(_, items, _):
            return width(items, scale) + 1.3 * scale
        case T.Big():
            return 0.8 * scale
        case T.Grid(_, rows):
            columns = max(len(row) for row in rows)
            widest = [max((width(row[k], scale) for row in rows if k < len(row)), default=0.0) for k in range(columns)]
            return sum(widest) + 1.0 * scale * columns + 0.6
        case T.Apply(command, arguments, _):
            if command in (r"\frac", r"\dfrac", r"\tfrac", r"\binom"):
                return max(width(a, scale) for a in arguments) + 0.3
            if command in (r"\overset", r"\underset", r"\stackrel"):
                return max(width(arguments[0], scale * 0.72), width(arguments[1], scale)) + 0.1
            if command in (r"\xrightarrow", r"\xleftarrow"):
                return width(arguments[0], scale * 0.72) + 1.8
            return width(arguments[-1], scale) + (0.95 if command == r"\sqrt" else 0.1)
    assert_never(node)


def _symbol(text: str) -> float:
    if text in S.SPACES:
        return S.SPACES[text]
    if text in _STRONG or text in _WEAK:
        return 1.35
    if text in S.FUNCTIONS:
        return 0.55 * (len(text) - 1) + 0.2
    if text[1:] in S.LARGE:
        return 1.5
    if text[0].isdigit():
        return 0.5 * len(text)
    return 0.45 if text in "()[]|,.;:!/" else 0.62 * (len(text) if text[0] != "\\" else 1)
