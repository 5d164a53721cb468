"""A layout drawn twice, to the same measure: `svg` for HTML, `tikz` for LaTeX.

Positions are worked out once, in pixels (sheet/drawing.py); the two printers only print.
"""

from __future__ import annotations

from hashlib import sha256
from html import escape
from math import hypot

from symgrad.language.errors import SpecError
from symgrad.sheet import tex as T
from symgrad.sheet.drawing import BOX, HEAD, Cubic, Drawing, Point, Shape
from symgrad.sheet.labels import FONT, LONGEST, SCRIPT, SMALL, Letters, Run, clean, label_of, measure, scripts_width, width_of
from symgrad.sheet.layout import Box, Layout
from symgrad.sheet.symbols import escape_tex

POINT = 0.62
"""TeX points a pixel."""
WIDE = 320.0
"""Points from which TikZ has to ask how wide a line is."""


# ---- SVG --------------------------------------------------------------------------------------------------------

_MATHS = "'Latin Modern Math','STIX Two Math','Cambria Math','Libertinus Math'"
_SERIF = "'Latin Modern Roman','STIX Two Text',Cambria,'Times New Roman','Liberation Serif'"
_FACES = {"italic": ' font-style="italic"', "bold": ' font-weight="bold"', "symbol": f' font-family="{_MATHS},{_SERIF},serif"'}


def svg(layout: Layout, alternative: str) -> str:
    """One inline SVG element: no script, nothing fetched, coloured by `currentColor` and the sheet's variables where there are any."""
    drawing = Drawing(layout)
    lines = "".join(f'<path d="{_path(arrow.pieces)}"/>\n' for arrow in drawing.arrows)
    boxes = "".join(map(_box, drawing.shapes))
    words = escape(clean(alternative), quote=False)
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
    return f"<g><title>{escape(clean(s.box.plain), quote=False)}</title>{rect}{_text(s)}</g>\n"


def _text(s: Shape) -> str:
    """The label: scripts hang at a fixed place behind their base, one above the other, whatever the font."""
    first = s.label[0]
    low = s.y + 5.6 + (1.0 if first.accent or (first.sup and not first.sub) else -1.0 if first.sub and not first.sup else 0.0)
    y, over, found = _number(low), "", []
    alone = len(s.label) == 1 and not first.sub and not first.sup
    at = s.x - measure(s.label) / 2
    for part in s.label:
        wide = FONT * width_of(part.base)
        over += _accent(part, at + wide / 2, low, wide)
        at += wide
        place = f'x="{_number(s.x)}" y="{y}" text-anchor="middle"' if alone else f'x="{_number(at)}" y="{y}" text-anchor="end"'
        found.append(f"<tspan {place}>{_spans(part.base)}</tspan>")
        for runs, dy, gap in ((part.sub, 4.6, 0.5), (part.sup, -6.6, 2.0 if part.base[-1].face == "italic" else 0.8)):
            if runs:
                found.append(f'<tspan x="{_number(at + gap)}" y="{y}" dy="{dy}" font-size="{_number(SMALL)}">{_spans(runs)}</tspan>')
        at += scripts_width(part)
    return f"<text>{''.join(found)}</text>{over}"


def lettering(tex: str, plain: str, x: float, y: float) -> str:
    """A label alone, centred at a place, for other pictures."""
    box = Box(plain, tex, plain, "node", 0.0, 0.0)
    label = label_of(box)
    return _text(Shape(box, label, x, y, measure(label)))


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
    tall = any(c.isupper() or c.isdigit() or c in "bdfhklt𝛽𝛿𝜁𝜃𝜆𝜉𝜙𝜓ℓ" or c in SCRIPT.values() for c in text)
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
    drawing = Drawing(layout)
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
