"""Pictures: the SVG as a browser parses it, its curves against its boxes; the TikZ through real pdflatex and lualatex."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations, pairwise
from math import hypot
from pathlib import Path

import pytest

from symgrad.sheet.layout import Box, Edge, Item, Layout, lay_out
from symgrad.sheet.picture import svg, tikz

from .sample import FORMULAS
from .test_layout import node, residual, scalar_mlp, some_dag, variable

NS = "{http://www.w3.org/2000/svg}"
EVIL = "</text></svg><script>alert(1)</script><img src=x onerror='a' \">&amp;\x00\x1b\ud800"
Point = tuple[float, float]


def parsed(items: tuple[Item, ...], alternative: str = "Computation graph: some.") -> ET.Element:
    return ET.fromstring(svg(lay_out(items), alternative))


def label(tex: str, plain: str = "plain") -> ET.Element:
    """The group that one box is drawn as."""
    groups = ET.fromstring(svg(Layout((Box("n", tex, plain, "node", 0, 0),), (), 0, 0), "one")).findall(f"{NS}g")
    return groups[1][0]


def spans(tex: str, plain: str = "plain") -> list[tuple[str, float, str]]:
    """(text, dy, face) of every piece of a label."""
    found = []

    def walk(e: ET.Element, dy: float, face: str) -> None:
        dy = float(e.get("dy", dy))
        face = "italic" if e.get("font-style") else "bold" if e.get("font-weight") else face
        if e.text:
            found.append((e.text, dy, face))
        for child in e:
            walk(child, dy, face)
            if child.tail:
                found.append((child.tail, dy, face))

    text = label(tex, plain).find(f"{NS}text")
    assert text is not None
    walk(text, 0, "roman")
    return found


# ---- labels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tex", "expected"), [
    ("x", [("x", 0, "italic")]),
    ("x_{1}", [("x", 0, "italic"), ("1", 1, "roman")]),
    ("w_{21}^{(1)}", [("w", 0, "italic"), ("21", 1, "roman"), ("(1)", -1, "roman")]),
    (r"\mathbf{W}^{(1)}", [("W", 0, "bold"), ("(1)", -1, "roman")]),
    (r"\mathrm{Loss}", [("Loss", 0, "roman")]),
    (r"\mathrm{softmax}_{k}", [("softmax", 0, "roman"), ("k", 1, "italic")]),
    (r"\bar{x}", [("x", 0, "italic")]),
    (r"\hat{y}_{i}", [("y", 0, "italic"), ("i", 1, "italic")]),
    (r"\bar{w}_{21}^{(1)}", [("w", 0, "italic"), ("21", 1, "roman"), ("(1)", -1, "roman")]),
    (r"\bar{\mathbf{W}}^{(1)}", [("W", 0, "bold"), ("(1)", -1, "roman")]),
    (r"\overline{\mathrm{Loss}}", [("Loss", 0, "roman")]),
    (r"\delta_{k}", [("\U0001d6ff", 0, "roman"), ("k", 1, "italic")]),
    (r"(\text{iv})", [("(iv)", 0, "roman")]),
    (r"h_{t-1}", [("h", 0, "italic"), ("t", 1, "italic"), ("−1", 1, "roman")]),
    ("g'", [("g", 0, "italic"), ("′", 0, "roman")]),
    (r"\mathcal{L}", [("ℒ", 0, "roman")]),
    ("x_{1} y^{2}", [("x", 0, "italic"), ("1", 1, "roman"), ("y", 0, "italic"), ("2", -1, "roman")]),
])
def test_labels(tex: str, expected: list[tuple[str, int, str]]) -> None:
    assert [(t, (dy > 0) - (dy < 0), face) for t, dy, face in spans(tex)] == expected


@pytest.mark.parametrize("tex", [r"\frac{a}{b}", r"x_{y_{1}}", r"\sqrt{x}", r"\foo", "{", "", r"\begin{matrix} 1 \end{matrix}"])
def test_what_a_label_cannot_show_is_named(tex: str) -> None:
    assert spans(tex, "w1_21") == [("w1_21", 0, "roman")]


@pytest.mark.parametrize("tex", [r"\bar{x}", r"\overline{\mathrm{Loss}}", r"\hat{y}", r"\tilde{h}", r"\dot{x}", r"\ddot{x}", r"\vec{v}"])
def test_an_accent_is_drawn_above_its_letter(tex: str) -> None:
    box = label(tex)
    path, text = box.find(f"{NS}path"), box.find(f"{NS}text/{NS}tspan")
    assert path is not None and text is not None
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d", ""))]
    assert all(y < float(text.get("y", "")) - 8 for y in numbers[1::2])
    assert abs(sum(numbers[0::2]) / len(numbers[0::2]) - float(text.get("x", ""))) < 4
    assert label("x").find(f"{NS}path") is None


@pytest.mark.parametrize("tex", FORMULAS)
def test_any_formula_is_a_label_or_a_name(tex: str) -> None:
    assert "".join(text for text, _, _ in spans(tex, "its name")).strip()


def test_boxes_are_as_wide_as_their_labels() -> None:
    def width(tex: str, plain: str = "p") -> float:
        rect = label(tex, plain).find(f"{NS}rect")
        assert rect is not None
        return float(rect.get("width", ""))

    assert width("x") == 32 < width(r"\mathrm{Loss}") < width(r"\mathrm{LossFunction}")
    assert width(r"\frac{a}{b}", "m" * 4000) < 600


# ---- SVG --------------------------------------------------------------------------------------------------------


def test_svg_is_one_element_with_its_words() -> None:
    text = svg(lay_out(residual()), "Computation graph: z from W1 & x <bold>.")
    root = ET.fromstring(text)
    assert root.tag == f"{NS}svg" and root.get("role") == "img"
    names = {e.get("id"): e.text for e in root.iter() if e.get("id")}
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    said = [names[n] for n in (root.get("aria-labelledby") or "").split()]
    assert said == ["Computation graph", "Computation graph: z from W1 & x <bold>."]
    assert {e.tag.removeprefix(NS) for e in root.iter()} <= {"svg", "title", "desc", "defs", "marker", "path", "g", "rect", "text", "tspan"}
    assert "currentColor" in text and not re.search(r"#[0-9a-fA-F]{3,8}\b", text.replace("url(#", "")), "no colour of its own"
    assert "http" not in text.replace(NS.strip("{}"), "") and text.startswith("<svg") and text.endswith("</svg>")


def test_ids_differ_where_pictures_differ() -> None:
    def ids(text: str) -> set[str]:
        found = re.findall(r' id="([^"]+)"', text)
        assert len(found) == len(set(found)) == 3 and f"url(#{next(i for i in found if '-' not in i)})" in text
        return set(found)

    first, second = svg(lay_out(residual()), "a"), svg(lay_out(scalar_mlp((2, 1))), "a")
    assert not ids(first) & ids(second) and not ids(first) & ids(svg(lay_out(residual()), "b"))
    assert first == svg(lay_out(residual()), "a")


def test_variables_and_definitions_look_different() -> None:
    root = parsed((variable("x"), node("y", "x")))
    looks = [(r.get("style"), r.get("rx")) for r in root.iter(f"{NS}rect")]
    assert len(set(looks)) == 2 and "stroke" not in (looks[0][0] or "") and "stroke" in (looks[1][0] or "")


def test_nothing_escapes() -> None:
    for tex in (EVIL, "x"):
        boxes = (Box(EVIL, tex, EVIL, "variable", 0, 0), Box("y", "y", EVIL, EVIL, 1, 0))
        layout = Layout(boxes, (Edge(EVIL, "y", ((0, 0), (1, 0))),), 1, 0)
        text = svg(layout, EVIL)
        root = ET.fromstring(text.encode())
        assert "<script" not in text and "<img" not in text
        assert not [e for e in root.iter() if e.tag in (f"{NS}script", f"{NS}img")]
        assert [desc.text for desc in root.iter(f"{NS}desc")] == [re.sub("[\x00\x1b\ud800]", "\ufffd", EVIL)]
        assert "\\node" in tikz(layout) and "\n\n" not in tikz(layout)


def test_an_empty_layout_is_a_picture() -> None:
    ET.fromstring(svg(lay_out(()), "nothing"))
    assert "tikzpicture" in tikz(lay_out(()))


def curve(d: str) -> list[Point]:
    """The points of an absolute M, L, C path, finely sampled: an own reading of the path."""
    points: list[Point] = []
    for command, body in re.findall(r"([MLC])([^MLC]*)", d):
        n = [float(x) for x in body.split()]
        p = [(n[k], n[k + 1]) for k in range(0, len(n), 2)]
        if command == "M":
            points.append(p[0])
        else:
            a, (b, c, e) = points[-1], p if command == "C" else (p[0], p[0], p[0])
            if command == "L":
                b = c = ((a[0] + e[0]) / 2, (a[1] + e[1]) / 2)
            for k in range(1, 61):
                t = k / 60
                w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                points.append((sum(v * q[0] for v, q in zip(w, (a, b, c, e), strict=True)),
                               sum(v * q[1] for v, q in zip(w, (a, b, c, e), strict=True))))
    return points


GRAPHS = {"residual": residual(), "mlp": scalar_mlp((3, 2, 2, 1)), "deep": scalar_mlp((2, 3, 3, 2))} | {
    f"dag {k}": some_dag(k, 10 + 3 * k, 1 + k % 4, (0, 8)[k % 2]) for k in range(12)}


@pytest.mark.parametrize("name", GRAPHS)
def test_curves_meet_their_own_boxes_only(name: str) -> None:
    """Drawn curves keep clear of other boxes, begin at the border of the tail and end an arrowhead before the head."""
    layout = lay_out(GRAPHS[name])
    root = ET.fromstring(svg(layout, "a graph"))
    lines, groups = root.findall(f"{NS}g")
    boxes: dict[str, tuple[float, float, float, float]] = {}
    corner: dict[str, float] = {}
    for box, rect in zip(layout.boxes, groups.iter(f"{NS}rect"), strict=True):
        x, y, w, h = (float(rect.get(k, "")) for k in ("x", "y", "width", "height"))
        boxes[box.name], corner[box.name] = (x, y, x + w, y + h), float(rect.get("rx", ""))
    width, height = float(root.get("width", "")), float(root.get("height", ""))

    def away(p: Point, name: str) -> float:
        """The distance to a rectangle with round corners: to the one that the corners' centres span, less their radius."""
        (x, y, right, low), r = boxes[name], corner[name]
        return hypot(max(x + r - p[0], 0, p[0] - right + r), max(y + r - p[1], 0, p[1] - low + r)) - r

    for x, y, right, low in boxes.values():
        assert x >= 0 and y >= 0 and right <= width and low <= height
    for (x, y, right, low), (X, Y, RIGHT, LOW) in combinations(boxes.values(), 2):
        assert right < X - 4 or x - 4 > RIGHT or low < Y - 4 or y - 4 > LOW, "two boxes touch"
    for edge, line in zip(layout.edges, lines, strict=True):
        points = curve(line.get("d", ""))
        assert all(p[0] <= q[0] + 0.11 for p, q in pairwise(points)), "runs back"
        assert abs(away(points[0], edge.tail)) < 0.2 and abs(away(points[-1], edge.head) - 7) < 0.2
        for p in points:
            assert 0 <= p[0] <= width and 0 <= p[1] <= height
            assert all(away(p, b) > 2.5 for b in boxes if b not in (edge.tail, edge.head)), f"{edge.tail} -> {edge.head}"


def test_arrowheads_spread_around_a_box_with_many_arguments() -> None:
    layout = lay_out(scalar_mlp((3, 2, 2, 1)))
    lines = ET.fromstring(svg(layout, "a graph")).findall(f"{NS}g")[0]
    ends = [curve(line.get("d", ""))[-1] for edge, line in zip(layout.edges, lines, strict=True) if edge.head == "z1_1"]
    assert len(ends) == 7 and min(hypot(p[0] - q[0], p[1] - q[1]) for p in ends for q in ends if p != q) > 2
    assert len(set(ends)) == 7


def test_points_without_bends_are_drawn_too() -> None:
    boxes = (Box("x", "x", "x", "variable", 0, 0), Box("w", "w", "w", "variable", 0, 1), Box("z", "z", "z", "node", 1, 0.5))
    text = svg(Layout(boxes, (Edge("x", "z", ((0, 0), (1, 0.5))), Edge("w", "z", ((0, 1), (1, 0.5)))), 1, 1), "z from x, w")
    for line in ET.fromstring(text).findall(f"{NS}g")[0]:
        points = curve(line.get("d", ""))
        assert points[0][0] < points[-1][0]


# ---- TikZ -------------------------------------------------------------------------------------------------------

FORMS = (r"\bar{x}", r"w_{21}^{(1)}", r"\mathbf{W}^{(1)}", r"x_{1}", r"\mathrm{Loss}", r"\hat{y}", r"\overline{\mathrm{Loss}}", r"\sigma'",
         r"\frac{a}{b}", r"\delta_{k}", r"\nonsense")


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_tikz_compiles_without_a_warning(engine: str, tool: Callable[[str], str], tmp_path: Path) -> None:
    """With TikZ alone and in the default article, narrow and wider than a line."""
    program = tool(engine)
    forms = tuple(node(f"n_{k}%#", *([f"n_{k - 4}%#"] if k > 3 else []), tex=t) for k, t in enumerate(FORMS))
    wide = scalar_mlp((2, 2, 2, 2, 2, 1))
    pictures = [tikz(lay_out(items)) for items in (residual(), scalar_mlp((3, 2, 2, 1)), forms, wide, (variable("x"),))]
    assert pictures[3].startswith(r"\resizebox") and pictures[4].startswith(r"\begin{tikzpicture}")
    body = "\n\n".join(rf"\noindent {p}" for p in pictures)
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\n\\usepackage{tikz}\n\\usetikzlibrary{arrows.meta}\n\\begin{document}\n" + body + "\n\\end{document}\n")
    done = subprocess.run([program, "-interaction=nonstopmode", "-halt-on-error", "a.tex"], cwd=tmp_path, capture_output=True, text=True,
                          errors="replace", timeout=120, check=False)
    log = (tmp_path / "a.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.findall(r"(?im)^.*(?:warning|overfull|underfull|missing character|undefined).*$", log)


def test_tikz_stands_where_the_svg_stands() -> None:
    layout = lay_out(residual())
    drawn = [(float(x), float(y)) for x, y in re.findall(r"\\node\[.*?\] at \(([\d.]+),([\d.]+)\)", tikz(layout))]
    rects = list(ET.fromstring(svg(layout, "a graph")).iter(f"{NS}rect"))
    assert len(drawn) == len(rects) == len(layout.boxes)
    for (x, y), rect in zip(drawn, rects, strict=True):
        left, top, wide, high = (float(rect.get(k, "")) for k in ("x", "y", "width", "height"))
        assert abs(left + wide / 2 - x) < 0.2 and abs(top + high / 2 - y) < 0.2
