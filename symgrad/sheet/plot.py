"""A chart drawn three times, to the same measure: `svg` for HTML, `tikz` for LaTeX, `letters` for terminals and Markdown.

Positions are worked out once, in pixels (`_Drawing`); the printers only print.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from html import escape

from symgrad.language.errors import SpecError
from symgrad.sheet import tex as T
from symgrad.sheet.chart import Chart, Place
from symgrad.sheet.picture import lettering
from symgrad.sheet.symbols import escape_tex

SIDE, LEAST, MOST = 300.0, 170.0, 330.0
"""The width of the frame, and the least and most of its height, in pixels."""
LEFT, RIGHT, TOP, BOTTOM, LINE = 52.0, 26.0, 22.0, 44.0, 21.0
"""Room around the frame; the height of a line of the legend."""
FONT, SIZE, RING = 13.0, 5.0, 10.0
"""Letters; half the size of a mark; the radius of a ring around one."""
POINT = 0.75
"""TeX points a pixel."""
COLUMNS, ROWS = 53, 23
"""Letters of the picture in text."""
LONGEST = 24
SIGNS = {"cross": "×", "dot": "●", "square": "■", "triangle": "▲"}


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The chart in pixels, y downwards; both axes have one unit where their spans allow it."""

    chart: Chart

    @property
    def inner(self) -> float:
        """The height of the frame."""
        across, up = self.chart.across, self.chart.up
        equal = SIDE * (up.high - up.low) / (across.high - across.low)
        return equal if LEAST <= equal <= MOST else min(max(equal, LEAST), MOST)

    @property
    def size(self) -> Place:
        return LEFT + SIDE + RIGHT, TOP + self.inner + BOTTOM + LINE * len(self.legend)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Marks with their labels, one a line; "shaded" for the shading."""
        rows = [(mark, label if len(label) <= LONGEST else label[: LONGEST - 1] + "…") for mark, label in self.chart.legend]
        return [*rows, ("shaded", "f > 0" if self.chart.dashed else "f ≥ 0")] if self.chart.shaded or self.chart.border else rows

    def place(self, p: Place) -> Place:
        across, up = self.chart.across, self.chart.up
        x = LEFT + SIDE * (p[0] - across.low) / (across.high - across.low)
        return x, TOP + self.inner * (up.high - p[1]) / (up.high - up.low)


def _corners(mark: str, at: Place) -> list[Place]:
    """Of a mark that is a filled polygon; a cross and a dot have none."""
    x, y = at
    match mark:
        case "square":
            return [(x + 0.8 * SIZE * a, y + 0.8 * SIZE * b) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        case "triangle":
            return [(x + SIZE * a, y + SIZE * b) for a, b in ((0, -1), (1, 0.8), (-1, 0.8))]
    return []


# ---- SVG --------------------------------------------------------------------------------------------------------


def svg(chart: Chart, alternative: str) -> str:
    """One inline SVG element: no script, nothing fetched, in the colours of the sheet."""
    d = _Drawing(chart)
    w, h = map(_number, d.size)
    words = escape(_clean(alternative), quote=False)
    inner = "\n".join((*_svg_ground(d), *_svg_axes(d), *_svg_data(d), *_svg_legend(d)))
    id = "sg" + sha256(f"{inner}{words}".encode()).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{id}-t {id}-d">\n'
        f'<title id="{id}-t">{words.split(":")[0]}</title>\n<desc id="{id}-d">{words}</desc>\n{inner}\n</svg>')


def _svg_ground(d: _Drawing) -> list[str]:
    found = []
    if d.chart.shaded:
        shape = " ".join(_closed([d.place(p) for p in polygon]) for polygon in d.chart.shaded)
        found.append(f'<path d="{shape}" style="fill:var(--accent,currentColor);fill-opacity:.15;stroke:none"/>')
    for area in d.chart.areas:
        shape = _closed([d.place(p) for p in area.corners])
        found.append(f'<path d="{shape}" style="fill:currentColor;fill-opacity:.06;stroke:currentColor;stroke-width:1;stroke-dasharray:2 2"/>')
    return found


def _svg_axes(d: _Drawing) -> list[str]:
    across, up = d.chart.across, d.chart.up
    left, top = d.place((across.low, up.high))
    right, bottom = d.place((across.high, up.low))
    lines, found = [], []
    for t, text in across.ticks:
        x = d.place((t, up.low))[0]
        lines.append(f"M{_pair((x, bottom))} v4")
        found.append(f'<text x="{_number(x)}" y="{_number(bottom + 17)}" text-anchor="middle">{text}</text>')
    for t, text in up.ticks:
        y = d.place((across.low, t))[1]
        lines.append(f"M{_pair((left, y))} h-4")
        found.append(f'<text x="{_number(left - 8)}" y="{_number(y + 4.5)}" text-anchor="end">{text}</text>')
    zero = [f"M{_pair(d.place((0.0, up.low)))} V{_number(top)}"] if across.low < 0 < across.high else []
    zero += [f"M{_pair(d.place((across.low, 0.0)))} H{_number(right)}"] if up.low < 0 < up.high else []
    frame = f"M{_pair((left, top))} H{_number(right)} V{_number(bottom)} H{_number(left)} Z"
    grid = f'<path d="{" ".join(zero)}" style="fill:none;stroke:var(--soft,currentColor);stroke-opacity:.45;stroke-width:1"/>' if zero else ""
    names = lettering(across.name, across.plain, right + 15, bottom - 2), lettering(up.name, up.plain, left - 4, top - 12)
    return [*([grid] if grid else []),
            f'<path d="{frame} {" ".join(lines)}" style="fill:none;stroke:var(--soft,currentColor);stroke-width:1"/>',
            f'<g style="fill:var(--soft,currentColor)" font-family="system-ui,sans-serif" font-size="{_number(FONT)}">{"".join(found)}</g>',
            f'<g style="fill:currentColor" font-family="{_SERIF}" font-size="17">{"".join(names)}</g>']


_SERIF = "'Latin Modern Math','STIX Two Math','Cambria Math','Latin Modern Roman','STIX Two Text',Cambria,'Times New Roman',serif"


def _svg_data(d: _Drawing) -> list[str]:
    found = []
    if d.chart.border:
        line = " ".join("M" + " L".join(_pair(d.place(p)) for p in points) for points in d.chart.border)
        dash = ";stroke-dasharray:6 4" if d.chart.dashed else ""
        found.append(f'<path d="{line}" style="fill:none;stroke:var(--accent,currentColor);stroke-width:2;stroke-linecap:round{dash}"/>')
    found += [_svg_mark(a.mark, d.place(a.middle)) for a in d.chart.areas]
    for spot in d.chart.spots:
        at = d.place(spot.at)
        found.append(_svg_mark(spot.mark, at))
        if spot.ringed:
            found.append(f'<circle cx="{_number(at[0])}" cy="{_number(at[1])}" r="{_number(RING)}" '
                         'style="fill:none;stroke:var(--warn,#c2571a);stroke-width:2"/>')
    return found


def _svg_mark(kind: str, at: Place) -> str:
    x, y, s = *at, SIZE
    corners = _corners(kind, at)
    if corners:
        return f'<path d="{_closed(corners)}" style="fill:currentColor;stroke:none"/>'
    if kind == "dot":
        return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(0.9 * s)}" style="fill:currentColor"/>'
    return (f'<path d="M{_pair((x - s, y - s))} L{_pair((x + s, y + s))} M{_pair((x - s, y + s))} L{_pair((x + s, y - s))}" '
            'style="fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round"/>')


def _svg_legend(d: _Drawing) -> list[str]:
    found = []
    for k, (kind, label) in enumerate(d.legend):
        y = TOP + d.inner + BOTTOM + LINE * (k + 0.5) - 4
        if kind == "shaded":
            look = "fill:var(--accent,currentColor);fill-opacity:.15;stroke:var(--accent,currentColor);stroke-width:1.5"
            look += ";stroke-dasharray:4 3" if d.chart.dashed else ""
            found.append(f'<rect x="{_number(LEFT)}" y="{_number(y - 7)}" width="22" height="14" style="{look}"/>')
        else:
            found.append(_svg_mark(kind, (LEFT + 11, y)))
        found.append(f'<text x="{_number(LEFT + 32)}" y="{_number(y + 4.5)}" style="fill:currentColor" font-family="system-ui,sans-serif" '
                     f'font-size="{_number(FONT)}">{escape(_clean(label), quote=False)}</text>')
    return found


# ---- TikZ -------------------------------------------------------------------------------------------------------

_BLUE = "{rgb,255:red,31;green,78;blue,156}"
_TIKZ = rf"""\begin{{tikzpicture}}[x={POINT}pt, y=-{POINT}pt, line cap=round,
  sgshade/.style={{fill={{rgb,255:red,221;green,228;blue,241}}, draw=none}},
  sgborder/.style={{draw={_BLUE}, line width=1.2pt}},
  sgframe/.style={{draw=black!55, line width=0.5pt}},
  sgzero/.style={{draw=black!30, line width=0.5pt}},
  sgarea/.style={{draw=black!75, line width=0.5pt, dash pattern=on 1.5pt off 1.5pt, fill=black, fill opacity=0.06}},
  sgmark/.style={{draw=black, fill=black, line width=1.1pt}},
  sgring/.style={{draw={{rgb,255:red,194;green,87;blue,26}}, line width=1.2pt}},
  sgtick/.style={{inner sep=0pt, outer sep=0pt, font=\sffamily\scriptsize, text=black!70}},
  sglabel/.style={{inner sep=0pt, outer sep=0pt, anchor=west, font=\sffamily\footnotesize}},
  sgname/.style={{inner sep=0pt, outer sep=0pt}}]
"""


def tikz(chart: Chart) -> str:
    """A tikzpicture (no library needed) at the places of `svg`."""
    d = _Drawing(chart)
    across, up = chart.across, chart.up
    dash = ", dash pattern=on 4pt off 3pt" if chart.dashed else ""
    lines = []
    if chart.shaded:
        lines.append(rf"\path[sgshade] {' '.join(_cycle([d.place(p) for p in polygon]) for polygon in chart.shaded)};")
    lines += [rf"\path[sgarea] {_cycle([d.place(p) for p in area.corners])};" for area in chart.areas]
    if across.low < 0 < across.high:
        lines.append(rf"\draw[sgzero] {_line(d.place((0.0, up.low)), d.place((0.0, up.high)))};")
    if up.low < 0 < up.high:
        lines.append(rf"\draw[sgzero] {_line(d.place((across.low, 0.0)), d.place((across.high, 0.0)))};")
    left, top = d.place((across.low, up.high))
    right, bottom = d.place((across.high, up.low))
    lines.append(rf"\draw[sgframe] {_cycle([(left, top), (right, top), (right, bottom), (left, bottom)])};")
    for t, text in across.ticks:
        x = d.place((t, up.low))[0]
        lines.append(rf"\draw[sgframe] {_line((x, bottom), (x, bottom + 4))};")
        lines.append(rf"\node[sgtick, anchor=north] at ({_comma((x, bottom + 7))}) {{{_tick(text)}}};")
    for t, text in up.ticks:
        y = d.place((across.low, t))[1]
        lines.append(rf"\draw[sgframe] {_line((left, y), (left - 4, y))};")
        lines.append(rf"\node[sgtick, anchor=east] at ({_comma((left - 8, y))}) {{{_tick(text)}}};")
    lines.append(rf"\node[sgname, anchor=west] at ({_comma((right + 7, bottom))}) {{{_name(across.name, across.plain)}}};")
    lines.append(rf"\node[sgname, anchor=south] at ({_comma((left, top - 6))}) {{{_name(up.name, up.plain)}}};")
    if chart.border:
        lines.append(rf"\draw[sgborder{dash}] {' '.join(_line(*map(d.place, points)) for points in chart.border)};")
    lines += [_tikz_mark(a.mark, d.place(a.middle)) for a in chart.areas]
    for spot in chart.spots:
        lines.append(_tikz_mark(spot.mark, d.place(spot.at)))
        if spot.ringed:
            lines.append(rf"\draw[sgring] ({_comma(d.place(spot.at))}) circle[radius={_number(POINT * RING)}pt];")
    for k, (kind, label) in enumerate(d.legend):
        y = TOP + d.inner + BOTTOM + LINE * (k + 0.5) - 4
        if kind == "shaded":
            box = _cycle([(LEFT, y - 7), (LEFT + 22, y - 7), (LEFT + 22, y + 7), (LEFT, y + 7)])
            lines.append(rf"\path[sgshade] {box};\draw[sgborder{dash}, line width=0.8pt] {box};")
        else:
            lines.append(_tikz_mark(kind, (LEFT + 11, y)))
        lines.append(rf"\node[sglabel] at ({_comma((LEFT + 32, y))}) {{{escape_tex(_clean(label))}}};")
    return _TIKZ + "\n".join(lines) + "\n\\end{tikzpicture}"


def _tikz_mark(kind: str, at: Place) -> str:
    x, y, s = *at, SIZE
    corners = _corners(kind, at)
    if corners:
        return rf"\path[sgmark, draw=none] {_cycle(corners)};"
    if kind == "dot":
        return rf"\path[sgmark, draw=none] ({_comma(at)}) circle[radius={_number(POINT * 0.9 * s)}pt];"
    return rf"\draw[sgmark] {_line((x - s, y - s), (x + s, y + s))} {_line((x - s, y + s), (x + s, y - s))};"


def _tick(text: str) -> str:
    return f"${text.replace('−', '-')}$"


def _name(tex: str, plain: str) -> str:
    try:
        return f"${T.write(T.parse(tex), words=escape_tex)}$"
    except SpecError:
        return escape_tex(plain[:LONGEST])


# ---- letters ----------------------------------------------------------------------------------------------------


def letters(chart: Chart) -> list[str]:
    """The chart in rows of letters: shading, zero lines, marks on top; then what the marks mean."""
    across, up = chart.across, chart.up
    rows = []
    for j in range(ROWS):
        y = up.high - (up.high - up.low) * j / (ROWS - 1)
        row = []
        for i in range(COLUMNS):
            x = across.low + (across.high - across.low) * i / (COLUMNS - 1)
            row.append("░" if any(_inside((x, y), polygon) for polygon in chart.shaded) else " ")
        rows.append(row)

    def cell(p: Place) -> tuple[int, int]:
        return (round((up.high - p[1]) / (up.high - up.low) * (ROWS - 1)), round((p[0] - across.low) / (across.high - across.low) * (COLUMNS - 1)))

    if across.low < 0 < across.high:
        for row in rows:
            row[cell((0.0, up.low))[1]] = "│"
    if up.low < 0 < up.high:
        j = cell((across.low, 0.0))[0]
        rows[j] = ["┼" if c == "│" else "─" for c in rows[j]]
    for at, mark, ringed in (*((a.middle, a.mark, False) for a in chart.areas), *((s.at, s.mark, s.ringed) for s in chart.spots)):
        j, i = cell(at)
        rows[j][i] = SIGNS[mark]
        if ringed and 0 < i < COLUMNS - 1:
            rows[j][i - 1], rows[j][i + 1] = "(", ")"
    found = ["".join(row).rstrip() for row in rows]
    ends = f"{across.plain}: {across.ticks[0][1]} to {across.ticks[-1][1]} across, {up.plain}: {up.ticks[0][1]} to {up.ticks[-1][1]} up"
    legend = "   ".join(f"{'░' if kind == 'shaded' else SIGNS[kind]} {_clean(label)}" for kind, label in _Drawing(chart).legend)
    return [*found, "", ends, legend]


def _inside(p: Place, polygon: tuple[Place, ...]) -> bool:
    """In a convex polygon, the border included; either way round."""
    turns = [(b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True)]
    return all(t >= -1e-9 for t in turns) or all(t <= 1e-9 for t in turns)


# ---- numbers ----------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Text without what XML or a terminal cannot hold."""
    return "".join(c if c.isprintable() else " " for c in text)


def _closed(corners: list[Place]) -> str:
    return "M" + " L".join(map(_pair, corners)) + " Z"


def _cycle(corners: list[Place]) -> str:
    return " -- ".join(f"({_comma(p)})" for p in corners) + " -- cycle"


def _line(*points: Place) -> str:
    return " -- ".join(f"({_comma(p)})" for p in points)


def _pair(p: Place) -> str:
    return f"{_number(p[0])} {_number(p[1])}"


def _comma(p: Place) -> str:
    return f"{_number(p[0])},{_number(p[1])}"


def _number(x: float) -> str:
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
