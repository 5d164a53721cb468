"""Sheets of `fill` parts: the three views, every format, real LaTeX, and no trace of an answer in the question."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from symgrad.pipeline import Result, agrees, render, solve
from symgrad.reader.read import read, read_text
from symgrad.sheet import document as D
from symgrad.sheet.compose import compose
from symgrad.sheet.terminal import render as terminal
from tests.fill_problems import FIRST, FIVE, Case, at

SEED = Path(__file__).parent.parent.parent / "problems" / "fill-in-classifiers.toml"
TROUBLE = re.compile(r"[Ww]arning|Overfull|Underfull|^!|Missing character|Undefined", re.MULTILINE)


def solved(path: Path = SEED) -> Result:
    return solve(*read(path))


def case_result(case: Case) -> Result:
    return solve(*read_text(case.toml(), "case.toml"))


def plots(document: D.Document) -> list[D.Plot]:
    return [b for b in document.blocks if isinstance(b, D.Plot)]


def test_the_seeds_agree_and_every_view_is_written_in_every_format() -> None:
    result = solved()
    assert [e for p in result.parts for e in p.expected if not e[1]] == [] and not any(p.failure for p in result.parts)
    files = render(result, ("html", "latex", "markdown", "json"))
    assert {f for f in files if f.startswith("solution")} == {"solution.html", "solution.tex", "solution.md", "solution.json"}
    assert "max (x_1, −x_1) − 1" in terminal(compose(result.problem, result.parts, "solution"))
    assert files["solution.html"].count("<svg") == 3 and files["solution.tex"].count(r"\begin{tikzpicture}") == 3
    assert files["solution.md"].count("```text") == 3


def test_the_question_has_the_data_and_no_answer() -> None:
    result = solved()
    document = compose(result.problem, result.parts, "question")
    assert [p.chart.shaded for p in plots(document)] == [(), (), ()] and not any(s.ringed for p in plots(document) for s in p.chart.spots)
    unsolved = tuple(type(p)(p.part, None) for p in result.parts)
    assert compose(result.problem, unsolved, "question") == document


def test_without_expected_every_sheet_is_the_same_but_for_its_verdicts() -> None:
    text = SEED.read_text("utf-8")
    bare = solve(*read_text(text[: text.index("[expected]")], "fill-in-classifiers.toml"))
    formats, views = ("html", "latex"), ("question", "solution")
    assert render(bare, formats, views) == render(solved(), formats, views)


def test_pictures_say_in_words_what_they_show() -> None:
    a, b, c = plots(compose(solved().problem, solved().parts, "solution"))
    assert a.alternative == ("Plot of the data and of where the function is not negative, shaded: "
                             "cross at (2, 1), (-2, 2), (3/2, -1), (-1, -2), (1, 0); dot at (0, 2), (1/2, 1), (-1/2, -1/2), (0, -2).")
    assert b.chart.shaded and "ringed: (0, 0), (2, 0), (-2, 0)" in c.alternative
    assert sum(s.ringed for s in c.chart.spots) == 3


def test_at_most_four_pictures_and_the_others_are_counted() -> None:
    case = Case("many", "{a} * x1 + {b}", {"a": ["1", "2", "3"], "b": ["0", "1", "2"]}, at(("1 1", "a")))
    result = case_result(case)
    document = compose(result.problem, result.parts, "solution")
    assert len(plots(document)) == 4
    assert D.Paragraph(("The other 5 functions are not drawn.",)) in document.blocks


def test_no_picture_without_a_plane() -> None:
    for inputs, place in ((("x",), "1"), (("x", "y", "z"), "1 2 3")):
        result = case_result(Case("line", "{a} - " + inputs[-1], {"a": ["1", "5"]}, at((place, "a")), inputs=inputs))
        assert not result.parts[0].failure
        assert all(not plots(compose(result.problem, result.parts, v)) for v in ("question", "solution"))


def test_marks_and_regions_on_the_marking_sheet() -> None:
    case = Case("strip", FIRST, FIVE, [], [("x1 >= 1", "a"), ("x1 <= -1", "a"), ("-1 < x1 < 1", "b")])
    text = case.toml().replace('positive = "a"', 'positive = "a"\nmarks = { search = 2, f = 1, count = 1 }')
    result = solve(*read_text(text, "case.toml"))
    whole = terminal(compose(result.problem, result.parts, "marking"))
    assert "[2 marks]" in whole and whole.count("[1 mark]") == 2
    assert "on each of the 2 linear pieces of f" in whole and "x_1 ≥ 1" in whole


@pytest.mark.parametrize(("key", "value", "right"), [
    ("a", 2, True), ("a", 3, False), ("a.f", '"max(-x1, x1) - 1"', True), ("a.f", '"abs(x1) - 1"', True), ("a.f", '"max(x1, x2) - 1"', False),
    ("a.combinations", '"-x1, 0, x1, 0, -1; x1, 0, -x1, 0, -1"', True), ("a.combinations", '"x1, 0, -x1, 0, -1"', False), ("b", 4, True),
    ("c", 0, True), ("c", 1, False),
])
def test_what_is_expected_is_compared(key: str, value: object, right: bool) -> None:
    text = SEED.read_text("utf-8")
    problem, expected = read_text(f'{text[: text.index("[expected]")]}[expected]\n"{key}" = {value}\n', "fill-in-classifiers.toml")
    result = solve(problem, expected)
    assert [e[1] for p in result.parts for e in p.expected] == [right]
    assert agrees.__doc__


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_it_compiles_in_one_run_without_a_warning(tool: Callable[[str], str], tmp_path: Path, engine: str) -> None:
    circle = Case("circle", "{r} - {p}^2 - x2^2", {"r": ["4", "9"], "p": ["x1", "2 * x1"]}, at(("0 0", "a"), ("5/2 1", "b")), decision="> 0")
    files = render(solved(), ("latex",), ("marking",)) | {"circle.tex": render(case_result(circle), ("latex",), ("solution",))["solution.tex"]}
    for name in ("marking.tex", "circle.tex"):
        (tmp_path / name).write_text(files[name], "ascii")
        run = subprocess.run([tool(engine), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name], cwd=tmp_path,
                             capture_output=True, timeout=240, check=False)
        log = (tmp_path / name).with_suffix(".log").read_text("utf-8", errors="replace")
        assert run.returncode == 0, log[-3000:]
        assert [line for line in log.splitlines() if TROUBLE.search(line)] == []


def test_the_chart_travels_as_json() -> None:
    data = json.loads(render(solved(), ("json",), ("solution",))["solution.json"])
    plot = next(b for b in data["blocks"] if b["kind"] == "plot")
    assert plot["chart"]["across"]["plain"] == "x1" and len(plot["chart"]["shaded"]) == 2
