"""Charts: axes, the same places in SVG and TikZ, what a reader without eyes gets, and nothing that a label could smuggle in."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from symgrad.sheet.chart import MAX_TICKS, axis, tick_step
from symgrad.sheet.plot import POINT, letters, svg, tikz

from .sample import CHART, EVIL

NS = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("values", [(0,), (1, 2), (-3, 5), (100, 101), (Fraction(1, 1000), Fraction(2, 1000)), (-5, -4), (10**6, -(10**6)), (7,)])
def test_an_axis_shows_every_value_with_room(values: tuple[Fraction, ...]) -> None:
    a = axis("x_{1}", "x1", [Fraction(v) for v in values])
    assert a.low < min(values) and max(values) < a.high
    assert 2 <= len(a.ticks) <= MAX_TICKS + 1
    assert all(a.low <= t <= a.high for t, _ in a.ticks)
    assert all(float(text.replace("−", "-")) == pytest.approx(t) for t, text in a.ticks)


@pytest.mark.parametrize(("span", "step"), [("1", "1/5"), ("10", "2"), ("8", "1"), ("9", "2"), ("1/100", "1/500"), ("75", "10"), ("4", "1/2")])
def test_steps_are_one_two_or_five(span: str, step: str) -> None:
    assert tick_step(Fraction(span)) == Fraction(step)


def test_svg_is_one_element_with_its_words() -> None:
    root = ET.fromstring(svg(CHART, "Plot of the data: in at (1, 1)."))
    assert root.get("role") == "img" and (root.find(f"{NS}desc").text or "") == "Plot of the data: in at (1, 1)."  # type: ignore[union-attr]
    assert root.find(f"{NS}title").text == "Plot of the data"  # type: ignore[union-attr]
    words = [t.text for t in root.iter(f"{NS}text") if t.text]
    assert {"−2", "0", "2", "in", "out", "third", "fourth", "f > 0"} <= set(words)
    assert len(list(root.iter(f"{NS}circle"))) == 3  # a dot, its ring, the dot of the legend


def test_svg_and_tikz_have_the_same_places() -> None:
    circles = {(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in ET.fromstring(svg(CHART, "x")).iter(f"{NS}circle")}
    found = {(float(x), float(y)) for x, y in re.findall(r"\(([\d.]+),([\d.]+)\) circle", tikz(CHART))}
    assert circles == found
    assert f"x={POINT}pt, y=-{POINT}pt" in tikz(CHART)


def test_letters() -> None:
    lines = letters(CHART)
    text = "\n".join(lines)
    assert all(sign in text for sign in "×●■▲░│─┼") and "(●)" in text
    assert lines[-1].startswith("× in   ● out   ■ third   ▲ fourth   ░ f > 0")
    assert "x1: −2 to 2 across, x2: −1 to 3 up" in lines


def test_a_label_cannot_leave_its_place() -> None:
    from dataclasses import replace

    across = replace(CHART.across, name=r"\input{x}", plain=EVIL)
    chart = replace(CHART, legend=(("cross", EVIL), ("dot", "\x00\x1b[31m</text><script>")), across=across)
    root = ET.fromstring(svg(chart, EVIL + "\x00"))
    assert {e.tag.removeprefix(NS) for e in root.iter()} <= {"svg", "title", "desc", "path", "g", "text", "tspan", "circle", "rect"}
    assert not any(a.startswith("on") or "href" in a for e in root.iter() for a in e.attrib)
    assert r"\input" not in tikz(chart).replace(r"\textbackslash{}", "") and "<script" not in tikz(chart)
    assert "\x1b" not in "\n".join(letters(chart)) and "\x1b" not in tikz(chart)


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_tikz_compiles_alone(tool: Callable[[str], str], tmp_path: Path, engine: str) -> None:
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern,tikz}"
    source = f"{head}\\begin{{document}}\n{tikz(CHART)}\n\\end{{document}}\n"
    (tmp_path / "plot.tex").write_text(source, "ascii")
    run = subprocess.run([tool(engine), "-interaction=nonstopmode", "-halt-on-error", "plot.tex"], cwd=tmp_path, capture_output=True, check=False,
                         timeout=240)
    log = (tmp_path / "plot.log").read_text("utf-8", errors="replace")
    assert run.returncode == 0, log[-2000:]
    assert [line for line in log.splitlines() if re.search(r"[Ww]arning|Overfull|Missing character", line)] == []
