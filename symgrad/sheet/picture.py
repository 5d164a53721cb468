"""A layout drawn twice, to the same measure: `svg` for HTML, `tikz` for LaTeX.

Positions are worked out once, in pixels (`_Drawing`); the two printers only print.  Labels are TeX: SVG shows letters with an accent,
a face and one level of scripts (`_label`), and falls back to `Box.plain` for anything else.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import pairwise
from math import hypot

from symgrad.language.errors import SpecError
from symgrad.sheet import tex as T
from symgrad.sheet.layout import HALF_WIDTH, Box, Edge, Layout
from symgrad.sheet.symbols import FUNCTIONS, UNICODE, escape_tex

Point = tuple[float, float]
Cubic = tuple[Point, Point, Point, Point]

FONT, SMALL = 17.0, 12.0
"""Letters and their scripts, in pixels."""
ROW, BOX, PAD, MARGIN = 46.0, 32.0, 8.0, 3.0
"""From row to row, the height of a box, the room beside its label, around the picture."""
HEAD = 7.0
"""The length of an arrowhead."""
LONGEST = 32
"""Letters of a plain label; what is cut off shows in the tooltip."""
POINT = 0.62
"""TeX points a pixel."""
WIDE = 320.0
"""Points from which TikZ has to ask how wide a line is."""


# ---- labels -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one face: italic, roman or bold."""

    text: str
    face: str = "roman"


@dataclass(frozen=True, slots=True)
class Letters:
    """A base with its subscript and superscript, and an accent (a TeX command) over all of the base."""

    base: tuple[Run, ...]
    sub: tuple[Run, ...] = ()
    sup: tuple[Run, ...] = ()
    accent: str = ""


class _TooRich(Exception):
    """A formula that a label does not show."""


_ACCENTS = {r"\widehat": r"\hat", r"\overrightarrow": r"\vec"} | {
    accent: accent for accent in (r"\bar", r"\overline", r"\hat", r"\tilde", r"\dot", r"\ddot", r"\vec")}
_SIGNS = {"-": "−", "'": "′", "*": "∗"}
_SCRIPT = dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True))
_DOTLESS = str.maketrans("ij", "ıȷ")
_GREEK = "αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ"


def _label(box: Box) -> tuple[Letters, ...]:
    """The TeX of a box as letters; its plain name where there is more to it than a label shows."""
    try:
        found: list[Letters] = []
        for node in T.parse(box.tex):
            part = _letters(node)
            if found and part.accent == "" == found[-1].accent and not found[-1].sub and not found[-1].sup:
                part = Letters(found.pop().base + part.base, part.sub, part.sup)
            found.append(part)
        return tuple(found)
    except (SpecError, _TooRich):
        plain = _clean(box.plain)
        return (Letters((Run(plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"),)),)


def _letters(node: T.Node) -> Letters:
    match node:
        case T.Script(base, sub, sup, primes, ""):
            inner = _letters(base)
            if inner.sub or inner.sup:
                raise _TooRich
            return Letters((*inner.base, *((Run("′" * primes),) if primes else ())), _runs(sub or ()), _runs(sup or ()), inner.accent)
        case T.Apply(command, ((T.Script(base, sub, sup, primes, ""),),)) if command in _ACCENTS:
            return _letters(T.Script(T.Apply(command, ((base,),)), sub, sup, primes))
        case T.Apply(command, (items,)) if command in _ACCENTS:
            first, *others = _runs(items) or (Run(""),)
            return Letters((Run(first.text.translate(_DOTLESS), first.face), *others), accent=_ACCENTS[command])
    return Letters(_runs((node,)))


def _runs(nodes: tuple[T.Node, ...]) -> tuple[Run, ...]:
    return tuple(run for node in nodes for run in _run(node))


def _run(node: T.Node) -> tuple[Run, ...]:
    match node:
        case T.Symbol(text):
            return (_symbol(text),)
        case T.Words(command, text):
            return (Run(text, {r"\textbf": "bold", r"\textit": "italic"}.get(command, "roman")),)
        case T.Group(items):
            return _runs(items)
        case T.Fence(left, items, right) if left in "()[]|." and right in "()[]|.":
            return (Run(left.strip(".")), *_runs(items), Run(right.strip(".")))
        case T.Apply(r"\mathrm" | r"\operatorname", (items,)):
            return (Run(" ".join(run.text for run in _runs(items))),)
        case T.Apply(r"\mathbf" | r"\boldsymbol", (items,)):
            return tuple(Run(_shifted(run.text, "𝛼", "𝜶"), "bold") for run in _runs(items))
        case T.Apply(r"\mathcal", ((T.Symbol(text),),)) if text.isascii() and text.isupper():
            return (Run(_SCRIPT.get(text, chr(ord("𝒜") + ord(text[0]) - ord("A"))), "symbol"),)
    raise _TooRich


def _symbol(text: str) -> Run:
    if text in UNICODE:
        letter = UNICODE[text]
        return Run(chr(ord("𝛼") + _GREEK.index(letter)) if letter in _GREEK else letter, "symbol")
    if text in FUNCTIONS:
        return Run(text[1:])
    if text.startswith("\\"):
        raise _TooRich
    return Run(_SIGNS.get(text, text), "italic" if text.isalpha() else "roman")


def _shifted(text: str, old: str, new: str) -> str:
    """Greek of one mathematical alphabet in another."""
    return "".join(chr(ord(c) - ord(old) + ord(new)) if 0 <= ord(c) - ord(old) < len(_GREEK) else c for c in text)


def _width(runs: Iterable[Run]) -> float:
    """A guess, in em: fonts differ, and a few percent more or less are not seen."""
    total = 0.0
    for run in runs:
        for c in run.text:
            em = (0.32 if c in "ijltıȷ|.,:;′'() []" else 0.42 if c in "frs-/" else 0.92 if c in "mMW@" else 0.72 if c.isupper() or c == "w"
                  else 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.52)
            total += em * (1.08 if run.face == "bold" else 1.0)
    return total


def _measure(label: tuple[Letters, ...]) -> float:
    """The width of a label, in pixels."""
    return sum(FONT * _width(part.base) + _scripts(part) for part in label)


def _scripts(part: Letters) -> float:
    return 2 + SMALL * max(_width(part.sub), _width(part.sup)) if part.sub or part.sup else 0.0


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " " if c in "\t\n\r" else "\ufffd"
                   for c in text)


# ---- geometry ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """A box in pixels: a rectangle with round corners, `x`, `y` its centre."""

    box: Box
    label: tuple[Letters, ...]
    x: float
    y: float
    width: float

    @property
    def radius(self) -> float:
        return BOX / 2 if self.box.kind == "node" else 7.0

    def outside(self, p: Point) -> float:
        """How far a point is from the border; negative inside."""
        dx = abs(p[0] - self.x) - self.width / 2 + self.radius
        dy = abs(p[1] - self.y) - BOX / 2 + self.radius
        return hypot(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - self.radius


@dataclass(frozen=True, slots=True)
class Arrow:
    """Cubic pieces from border to border; the last one stops short of the box it points to by `HEAD`."""

    edge: Edge
    pieces: tuple[Cubic, ...]


class _Drawing:
    """The layout in pixels.  Every column is as wide as its widest box; the more the edges between two columns climb, the wider apart."""

    def __init__(self, layout: Layout) -> None:
        labels = [_label(box) for box in layout.boxes]
        widths = [max(BOX, _measure(label) + 2 * PAD) for label in labels]
        self._knots(layout, widths)
        extent = [ROW * box.y + half for box in layout.boxes for half in (-BOX / 2, BOX / 2)]
        extent += [ROW * y + half for edge in layout.edges for _, y in edge.points for half in (-2.0, 2.0)]
        self.down = MARGIN - min(extent, default=0.0)
        self.height = max(extent, default=0.0) + self.down + MARGIN
        self.shapes = tuple(
            Shape(box, label, self.across(box.x), self.down + ROW * box.y, width)
            for box, label, width in zip(layout.boxes, labels, widths, strict=True))
        self.reach: dict[float, float] = {}  # half the width of the column there
        for s in self.shapes:
            self.reach[s.x] = max(self.reach.get(s.x, 0.0), s.width / 2)
        self.paths = [[(self.across(x), self.down + ROW * y) for x, y in edge.points] for edge in layout.edges]
        self.arrows = self._arrows(layout)
        self.width = max((s.x + s.width / 2 for s in self.shapes), default=0.0) + MARGIN

    def _knots(self, layout: Layout, widths: list[float]) -> None:
        """Pixels for every border of a column; between them `across` is linear."""
        columns = sorted({box.x for box in layout.boxes})
        least = min((b - a for a, b in pairwise(columns)), default=1.0)
        half = min(HALF_WIDTH, 0.45 * least)
        climbs = [0.0] * len(columns)
        for edge in layout.edges:
            for (x, y), (after, then) in pairwise(edge.points):
                k = bisect_right(columns, (x + after) / 2) - 1
                if 0 <= k < len(columns):
                    climbs[k] = max(climbs[k], abs(then - y))
        self.given: list[float] = []
        self.drawn: list[float] = []
        at = MARGIN
        for x, climb in zip(columns, climbs, strict=True):
            wide = max(w for box, w in zip(layout.boxes, widths, strict=True) if box.x == x)
            self.given += [x - half, x + half]
            self.drawn += [at, at + wide]
            at += wide + min(38 + 0.24 * ROW * climb, 120)

    def across(self, x: float) -> float:
        if len(self.given) < 2:
            return MARGIN
        k = min(max(bisect_right(self.given, x) - 1, 0), len(self.given) - 2)
        share = (x - self.given[k]) / (self.given[k + 1] - self.given[k])
        return self.drawn[k] + share * (self.drawn[k + 1] - self.drawn[k])

    def _arrows(self, layout: Layout) -> tuple[Arrow, ...]:
        shape = {s.box.name: s for s in self.shapes}
        lean = self._leans(layout, shape)
        found = []
        for edge, path in zip(layout.edges, self.paths, strict=True):
            pieces = _curves(path)
            if self._climbs_last(path):
                pieces = [*pieces[:-2], _leaning(path[-3], path[-1], lean[edge.head])]
            found.append(Arrow(edge, _clip(pieces, shape[edge.tail], shape[edge.head])))
        return tuple(found)

    def _climbs_last(self, path: list[Point]) -> bool:
        """The way of `lay_out` into a box: a climb up to its column, then level."""
        return len(path) >= 4 and path[-1][1] == path[-2][1] != path[-3][1] and path[-1][0] - path[-2][0] <= self.reach[path[-1][0]] + 0.1

    def _leans(self, layout: Layout, shape: dict[str, Shape]) -> dict[str, float]:
        """How steeply edges may run into each box, so that many arrowheads spread around it and none meets its neighbours."""
        occupied: dict[float, list[tuple[float, float]]] = {}
        for s in self.shapes:
            occupied.setdefault(s.x, []).append((s.y, BOX / 2 + 5))
        columns = sorted(occupied)
        for path in self.paths:
            for p, q in pairwise(path):
                if p[1] == q[1]:
                    for x in columns[bisect_right(columns, p[0]) : bisect_right(columns, q[0] - 1e-6)]:
                        if (p[1], 5.0) not in occupied[x]:
                            occupied[x].append((p[1], 5.0))
        lean: dict[str, float] = {}
        for edge, path in zip(layout.edges, self.paths, strict=True):
            if not self._climbs_last(path):
                continue
            s = shape[edge.head]
            up = path[-3][1] < s.y
            free = min((abs(y - s.y) - half for y, half in occupied[s.x] if (y < s.y if up else y > s.y)), default=1e9)
            for share in (0.6, 0.45, 0.3, 0.2, 0.1, 0.0):
                beside = [y for x, y in _samples(_leaning(path[-3], path[-1], share)) if x >= s.x - self.reach[s.x] - 4]
                if all(abs(y - s.y) < free for y in beside):
                    break
            lean[edge.head] = min(lean.get(edge.head, 1.0), share)
        return lean


def _curves(path: list[Point]) -> list[Cubic]:
    """A smooth curve through the points, level at each of them, so that it never leaves the band between two neighbours."""
    return [(p, ((p[0] + q[0]) / 2, p[1]), ((p[0] + q[0]) / 2, q[1]), q) for p, q in pairwise(path)]


def _leaning(p: Point, q: Point, share: float) -> Cubic:
    """Level at `p`, towards the middle of a box at `q`."""
    dx, dy = q[0] - p[0], q[1] - p[1]
    return p, (p[0] + 0.5 * dx, p[1]), (q[0] - 0.5 * dx, q[1] - share * dy), q


def _at(c: Cubic, t: float) -> Point:
    a, b, d, e = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return a * c[0][0] + b * c[1][0] + d * c[2][0] + e * c[3][0], a * c[0][1] + b * c[1][1] + d * c[2][1] + e * c[3][1]


def _samples(c: Cubic, steps: int = 16) -> list[Point]:
    return [_at(c, k / steps) for k in range(steps + 1)]


def _split(c: Cubic, t: float) -> tuple[Cubic, Cubic]:
    """The curve up to t, and from there.  Source: de Casteljau."""
    def between(p: Point, q: Point) -> Point:
        return p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])

    ab, bc, cd = between(c[0], c[1]), between(c[1], c[2]), between(c[2], c[3])
    abc, bcd = between(ab, bc), between(bc, cd)
    middle = between(abc, bcd)
    return (c[0], ab, abc, middle), (middle, bcd, cd, c[3])


def _clip(pieces: list[Cubic], tail: Shape, head: Shape) -> tuple[Cubic, ...]:
    """What of an edge lies outside its boxes, less the arrowhead."""
    left = list(pieces)
    while len(left) > 1 and tail.outside(left[0][3]) < 0:
        left.pop(0)
    left[0] = _split(left[0], _border(left[0], tail, 0.0, leaving=True))[1]
    while len(left) > 1 and head.outside(left[-1][0]) < HEAD:
        left.pop()
    left[-1] = _split(left[-1], _border(left[-1], head, HEAD, leaving=False))[0]
    return tuple(left)


def _border(c: Cubic, shape: Shape, margin: float, leaving: bool) -> float:
    """Where a curve that starts (or ends) in a box crosses the line `margin` around it."""
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        if (shape.outside(_at(c, middle)) < margin) == leaving:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# ---- SVG --------------------------------------------------------------------------------------------------------

_MATHS = "'Latin Modern Math','STIX Two Math','Cambria Math','Libertinus Math'"
_SERIF = "'Latin Modern Roman','STIX Two Text',Cambria,'Times New Roman','Liberation Serif'"
_FACES = {"italic": ' font-style="italic"', "bold": ' font-weight="bold"', "symbol": f' font-family="{_MATHS},{_SERIF},serif"'}


def svg(layout: Layout, alternative: str) -> str:
    """One inline SVG element: no script, nothing fetched, coloured by `currentColor` and the sheet's variables where there are any."""
    drawing = _Drawing(layout)
    lines = "".join(f'<path d="{_path(arrow.pieces)}"/>\n' for arrow in drawing.arrows)
    boxes = "".join(map(_box, drawing.shapes))
    words = escape(_clean(alternative), quote=False)
    title = words.split(":")[0] if ":" in words else "Computation graph"
    id = "sg" + sha256(f"{lines}\n{boxes}\n{words}".encode()).hexdigest()[:12]
    w, h = _number(drawing.width), _number(drawing.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
        f'aria-labelledby="{id}-t {id}-d" style="min-width:min({_number(0.6 * drawing.width)}px,34rem)">\n'
        f'<title id="{id}-t">{title}</title>\n<desc id="{id}-d">{words}</desc>\n'
        f'<defs><marker id="{id}" viewBox="0 0 8 8" refX="0.8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" '
        'orient="auto"><path d="M0 0.9 L8 4 L0 7.1 L1.4 4 Z" style="fill:var(--soft,currentColor);stroke:none"/></marker></defs>\n'
        '<g style="fill:none;stroke:var(--soft,currentColor);stroke-width:1.2;stroke-linecap:round" '
        f'marker-end="url(#{id})">\n{lines}</g>\n'
        f'<g style="fill:currentColor" font-family="{_SERIF},{_MATHS},serif" font-size="{_number(FONT)}">\n{boxes}</g>\n</svg>')


def _box(s: Shape) -> str:
    look = ("fill:var(--accent,currentColor);fill-opacity:.1;stroke:var(--accent,currentColor);stroke-width:1.4" if s.box.kind == "node"
            else "fill:currentColor;fill-opacity:.065")
    rect = (f'<rect x="{_number(s.x - s.width / 2)}" y="{_number(s.y - BOX / 2)}" width="{_number(s.width)}" height="{_number(BOX)}" '
            f'rx="{_number(s.radius)}" style="{look}"/>')
    return f"<g><title>{escape(_clean(s.box.plain), quote=False)}</title>{rect}{_text(s)}</g>\n"


def _text(s: Shape) -> str:
    """The label: scripts hang at a fixed place behind their base, one above the other, whatever the font."""
    first = s.label[0]
    low = s.y + 5.6 + (1.0 if first.accent or (first.sup and not first.sub) else -1.0 if first.sub and not first.sup else 0.0)
    y, over, found = _number(low), "", []
    alone = len(s.label) == 1 and not first.sub and not first.sup
    at = s.x - _measure(s.label) / 2
    for part in s.label:
        wide = FONT * _width(part.base)
        over += _accent(part, at + wide / 2, low, wide)
        at += wide
        place = f'x="{_number(s.x)}" y="{y}" text-anchor="middle"' if alone else f'x="{_number(at)}" y="{y}" text-anchor="end"'
        found.append(f"<tspan {place}>{_spans(part.base)}</tspan>")
        for runs, dy, gap in ((part.sub, 4.6, 0.5), (part.sup, -6.6, 2.0 if part.base[-1].face == "italic" else 0.8)):
            if runs:
                found.append(f'<tspan x="{_number(at + gap)}" y="{y}" dy="{dy}" font-size="{_number(SMALL)}">{_spans(runs)}</tspan>')
        at += _scripts(part)
    return f"<text>{''.join(found)}</text>{over}"


def lettering(tex: str, plain: str, x: float, y: float) -> str:
    """A label alone, centred at a place, for other pictures."""
    box = Box(plain, tex, plain, "node", 0.0, 0.0)
    label = _label(box)
    return _text(Shape(box, label, x, y, _measure(label)))


def _spans(runs: tuple[Run, ...]) -> str:
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].face == run.face:
            joined[-1] = Run(joined[-1].text + run.text, run.face)
        else:
            joined.append(run)
    words = ((run.face, escape(run.text, quote=False)) for run in joined)
    return "".join(f"<tspan{_FACES[face]}>{text}</tspan>" if face in _FACES else text for face, text in words)


def _accent(part: Letters, x: float, low: float, wide: float) -> str:
    """An accent drawn as a line: fonts without anchors put a combining one through the letter."""
    if not part.accent:
        return ""
    text = "".join(run.text for run in part.base)
    tall = any(c.isupper() or c.isdigit() or c in "bdfhklt𝛽𝛿𝜁𝜃𝜆𝜉𝜙𝜓ℓ" or c in _SCRIPT.values() for c in text)
    y = low - FONT * (0.70 if tall else 0.45) - 2.8
    x += (1.6 if tall else 0.9) if part.base[0].face in ("italic", "symbol") else 0.0
    half = wide / 2 - 0.5 if part.accent == r"\overline" or len(text) > 1 else 3.6 if tall else 3.1

    def at(dx: float, dy: float) -> str:
        return _pair((x + dx, y + dy))

    match part.accent:
        case r"\hat":
            line = f"M{at(-half, 0.8)} L{at(0, -1.7)} L{at(half, 0.8)}"
        case r"\tilde":
            line = f"M{at(-half, 0.6)} C{at(-half / 2, -2.4)} {at(half / 2, 1.8)} {at(half, -1.2)}"
        case r"\dot":
            line = f"M{at(0, 0)} L{at(0, 0)}"
        case r"\ddot":
            line = f"M{at(-2, 0)} L{at(-2, 0)} M{at(2, 0)} L{at(2, 0)}"
        case r"\vec":
            line = f"M{at(-half, -0.5)} L{at(half, -0.5)} M{at(half - 2, -2.3)} L{at(half, -0.5)} L{at(half - 2, 1.3)}"
        case _:
            line = f"M{at(-half, 0)} L{at(half, 0)}"
    thick = 1.8 if "dot" in part.accent else 1.3 if part.base[0].face == "bold" else 1.0
    return f'<path d="{line}" style="fill:none;stroke:currentColor;stroke-width:{thick};stroke-linecap:round;stroke-linejoin:round"/>'


def _path(pieces: tuple[Cubic, ...]) -> str:
    found = [f"M{_pair(pieces[0][0])}"]
    for p, a, b, q in pieces:
        level = max(abs(p[1] - q[1]), abs(a[1] - q[1]), abs(b[1] - q[1])) < 0.05
        found.append(f"L{_pair(q)}" if level else f"C{_pair(a)} {_pair(b)} {_pair(q)}")
    return " ".join(found)


def _pair(p: Point) -> str:
    return f"{_number(p[0])} {_number(p[1])}"


def _number(x: float) -> str:
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


# ---- TikZ -------------------------------------------------------------------------------------------------------

_TIKZ = r"""\begin{tikzpicture}[x=%spt, y=-%spt, line cap=round, >=stealth,
  sgbox/.style={inner sep=0pt, outer sep=0pt, minimum height=%spt, text height=1.55ex, text depth=0.35ex},
  sgnode/.style={sgbox, draw={rgb,255:red,31;green,78;blue,156}, line width=0.6pt,
    fill={rgb,255:red,235;green,240;blue,248}, rounded corners=%spt},
  sgvariable/.style={sgbox, fill=black!6, rounded corners=%spt},
  sgedge/.style={->, draw=black!62, line width=0.5pt}]
"""


def tikz(layout: Layout) -> str:
    """A tikzpicture (no library needed) at the places of `svg`; what may be wider than a line is scaled down to it where it is."""
    drawing = _Drawing(layout)
    lines = [_TIKZ % (POINT, POINT, _points(BOX), _points(BOX / 2 - 0.1), _points(7))]
    for s in drawing.shapes:
        kind = "sgnode" if s.box.kind == "node" else "sgvariable"
        low = ", text height=2ex" if s.label[0].accent or (s.label[0].sup and not s.label[0].sub) else ""
        lines.append(rf"\node[{kind}, minimum width={_points(s.width)}pt{low}] at ({_comma((s.x, s.y))}) {{{_tex(s.box)}}};" + "\n")
    for arrow in drawing.arrows:
        lines.append(rf"\draw[sgedge] {_draw(arrow.pieces)};" + "\n")
    picture = "".join(lines) + r"\end{tikzpicture}"
    if POINT * drawing.width < WIDE:
        return picture
    return "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n" + picture + "}"


def _tex(box: Box) -> str:
    try:
        return f"${T.write(T.parse(box.tex), words=escape_tex)}$"
    except SpecError:
        return escape_tex(box.plain if len(box.plain) <= LONGEST else box.plain[: LONGEST - 1] + "…")


def _draw(pieces: tuple[Cubic, ...]) -> str:
    *_, (_, _, b, end) = pieces
    dx, dy = end[0] - b[0], end[1] - b[1]
    length = hypot(dx, dy) or 1.0
    tip = (end[0] + HEAD * dx / length, end[1] + HEAD * dy / length)
    text = f"({_comma(pieces[0][0])})"
    for p, a, b, q in pieces:
        level = max(abs(p[1] - q[1]), abs(a[1] - q[1]), abs(b[1] - q[1])) < 0.05
        text += f" -- ({_comma(q)})" if level else f" .. controls ({_comma(a)}) and ({_comma(b)}) .. ({_comma(q)})"
    return f"{text} -- ({_comma(tip)})"


def _comma(p: Point) -> str:
    return f"{_number(p[0])},{_number(p[1])}"


def _points(pixels: float) -> str:
    return _number(POINT * pixels)
