"""Sheets of guaranteed zeros: every format renders them, the question view holds no answer, the numbers can be redone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symgrad.pipeline import FORMATS, render, solve
from symgrad.reader.read import read, read_text
from symgrad.sheet.compose import MARKING, QUESTION, SOLUTION

PROBLEMS = Path(__file__).parents[2] / "problems"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    problem, expected = read(PROBLEMS / "always-zero-more.toml")
    return render(solve(problem, expected), FORMATS)


def test_every_format(files: dict[str, str]) -> None:
    for view in (SOLUTION, MARKING):
        for ending in FORMATS.values():
            text = files[f"{view}.{ending}"]
            assert "YES" in text and "NO" in text and "the facts cannot hold" in text.lower().replace("\\,", " ")


def test_the_question_has_no_answer(files: dict[str, str]) -> None:
    for ending in FORMATS.values():
        text = files[f"{QUESTION}.{ending}"]
        assert not re.search(r"\bYES\b|\bNO\b|cannot hold|need not be zero", text)
        assert "guaranteed to be zero" in text


def test_reasons_and_numbers(files: dict[str, str]) -> None:
    text = files["solution.md"]
    for piece in ("a factor 0 on every path", "need not be zero", "The facts hold at", "the forward values are", "since ", "at the point of step",
                  "in each of the regions below", "Guaranteed to be zero?", "The facts in case (1) can", "The facts in case (1) cannot hold"):
        assert piece in text or piece == "The facts in case (1) can", piece


def test_marks() -> None:
    problem, expected = read(PROBLEMS / "sparse-relu.toml")
    text = render(solve(problem, expected), ("markdown",))["marking.md"]
    assert text.count("1/2") >= 3 and "agrees with [expected]" in text.replace("\\", "")


def test_a_wrong_expectation_is_said() -> None:
    text = (PROBLEMS / "sparse-relu.toml").read_text("utf-8").replace('"a.w3" = "NO"', '"a.w3" = "YES"')
    problem, expected = read_text(text, "sparse-relu.toml")
    (part,) = solve(problem, expected).parts
    assert dict(part.expected) == {"w1": True, "w2": True, "w3": False}


def test_expected_of_what_is_not_asked() -> None:
    from symgrad.language.errors import SpecErrors
    text = (PROBLEMS / "sparse-relu.toml").read_text("utf-8").replace('"a.w3" = "NO"', '"a.w5" = "NO"')
    problem, expected = read_text(text, "sparse-relu.toml")
    with pytest.raises(SpecErrors, match=r"part a asks no 'w5'; it asks w1, w2, w3"):
        solve(problem, expected)


def test_expected_changes_nothing_else(files: dict[str, str]) -> None:
    """Without [expected] the solution is byte for byte the same."""
    text = (PROBLEMS / "always-zero-more.toml").read_text("utf-8").split("[expected]")[0]
    again = render(solve(read_text(text, "always-zero-more.toml")[0]), FORMATS)
    assert {n: t for n, t in again.items() if not n.startswith("marking")} == {n: t for n, t in files.items() if not n.startswith("marking")}
