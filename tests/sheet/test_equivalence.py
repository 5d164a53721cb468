"""Sheets of two networks: the second network stands in the question, no trace of an answer does; the solution says all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sympy import Integer

from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Problem
from symgrad.language.vectors import dimension, matmul, variable
from symgrad.pipeline import render, solve
from symgrad.reader.read import read
from symgrad.sheet.equivalence import starred
from symgrad.sheet.notation import Notation
from tests.equivalents import CASES, NONE

PROBLEMS = Path(__file__).parents[2] / "problems"


def sheets(problem: Problem, *formats: str) -> dict[str, str]:
    return render(solve(problem), formats)


def test_nodes_of_the_same_name_get_a_star() -> None:
    n = dimension("N")
    x, W = variable("x", (n, Integer(1))), variable("W", (n, n))
    first = Graph((Variable("x", (n, Integer(1))), Variable("W", (n, n))), (Node("h", matmul(W, x), r"\mathbf{h}^{(1)}"), Node("z_1", matmul(W, x))))
    second = Graph(first.variables, (Node("h", matmul(W, x)), Node("z_1", matmul(W, x)), Node("q", matmul(W, x)), Node("p", matmul(W, x), r"\pi")))
    found = Notation(starred(first, second))
    assert [found.name(node.name) for node in second.nodes] == [r"\mathbf{h}^{(1)*}", r"\mathbf{z}^{*}_{1}", r"\mathbf{q}", r"\pi"]


@pytest.mark.parametrize("view", ["question", "solution", "marking"])
def test_the_second_network_is_shown(view: str) -> None:
    text = sheets(CASES["sigmoid to tanh"].problem(), "markdown")[f"{view}.md"]
    assert r"\mathbf{h}^{\ast}" in text and r"\tanh" in text and "Unknown:" in text


@pytest.mark.parametrize("name", ["sigmoid to tanh", "units permuted", "softmax of two to sigmoid"])
def test_the_question_has_no_trace_of_an_answer(name: str) -> None:
    files = sheets(CASES[name].problem(), "latex", "markdown", "json")
    for file, text in files.items():
        text = text.partition(r"\begin{document}")[2] if file.endswith("tex") else text
        if file.startswith("question"):
            assert not re.search(r"proved|read off|relation between|e\^\{|frac\{1\}\{2\}|the networks equal", text, re.IGNORECASE), file


def test_both_forms_and_the_verdict() -> None:
    problem, _ = read(PROBLEMS / "equivalent-tanh-network.toml")
    text = sheets(problem, "latex")["solution.tex"]
    assert r"\frac{1}{2} \sum\limits _{j = 1}^{M} W _{k j}^{(2)}" in text and r"\frac{1}{2} \mathbf{W}^{(2)} 1 _{M}" in text
    assert "for every input and all D, M, K" in text and "tested" in text
    assert "numerator and denominator times" in text


def test_marks_stand_at_the_parameters() -> None:
    problem, _ = read(PROBLEMS / "equivalent-tanh-network.toml")
    data = json.loads(sheets(problem, "json")["marking.json"])
    steps = next(b for b in data["blocks"] if b["kind"] == "steps")["items"]
    marked = [s for s in steps if s.get("mark")]
    assert len(marked) == 4 and all("3" in json.dumps(s["mark"]) for s in marked)


def test_no_parameters() -> None:
    text = sheets(NONE["relu turned"].problem(), "markdown")["solution.md"]
    assert "No parameters make the networks equal: whatever V and v are" in text
    assert "In the second network both outputs are the same, whatever the unknowns are; in the first they are not." in text


def test_a_candidate_that_is_wrong() -> None:
    text = sheets(NONE["the sum forgotten"].problem(), "markdown")["solution.md"]
    assert "with the parameters given, the second network differs" in text and "Prescribed:" in text


@pytest.mark.parametrize("name", ["equivalent-tanh-network", "equivalent-networks"])
def test_expected_answers_change_nothing_but_the_marking(name: str) -> None:
    from symgrad.reader.read import read_text

    text = (PROBLEMS / f"{name}.toml").read_text("utf-8")
    problem, expected = read_text(text, f"{name}.toml")
    bare, nothing = read_text(text.partition("[expected]")[0], f"{name}.toml")
    assert expected and not nothing
    with_answers, without = render(solve(problem, expected), ("markdown",)), render(solve(bare), ("markdown",))
    assert all(with_answers[f] == without[f] for f in with_answers if not f.startswith("marking"))
