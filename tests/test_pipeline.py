"""From file to sheets: no answer before it is derived, the same bytes every time, nothing half written, nothing unchecked printed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Integer

from symgrad import pipeline
from symgrad.language import forms as F
from symgrad.language.claims import Total
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Step
from symgrad.pipeline import render, solve, summary, write
from symgrad.reader.read import read, read_text
from tests.making import gradient

ROOT = Path(__file__).parent.parent
QUICK = ("forward-table", "half-squared-norm", "half-squared-norm-2x2", "residual-mlp", "two-relu-two-sigmoid", "relu-network")
FILES = [ROOT / "problems" / f"{name}.toml" for name in QUICK]
FORMATS = ("html", "latex", "markdown", "json")


@pytest.mark.parametrize("path", FILES, ids=lambda f: f.stem)
def test_the_expected_answers_are_not_looked_at(path: Path) -> None:
    """Without [expected] the question and the solution are the same to the byte; with false answers too."""
    text = path.read_text("utf-8")
    question, _, stated = text.partition("[expected]")
    assert stated.strip()
    problem, expected = read(path)
    bare, nothing = read_text(question, path.name, path.stem)
    assert expected and not nothing and bare == problem
    with_answers, without = solve(problem, expected), solve(bare)
    views = ("question", "solution")
    assert render(with_answers, FORMATS, views) == render(without, FORMATS, views)
    false = tuple(replace(e, value=4711 if not isinstance(e.value, list) else [4711]) for e in expected if isinstance(e.value, int))
    if false:
        lied = solve(problem, false)
        assert render(lied, FORMATS, views) == render(without, FORMATS, views)
        assert all(not ok for p in lied.parts for _, ok in p.expected) and any(not row.good for row in summary(lied))


@pytest.mark.parametrize("path", FILES, ids=lambda f: f.stem)
def test_the_question_shows_no_answer(path: Path) -> None:
    """No derivation is looked at: the sheet of an unsolved problem is the same."""
    problem, _ = read(path)
    solved = solve(problem)
    unsolved = replace(solved, parts=tuple(replace(p, derivation=None, verdicts={}) for p in solved.parts))
    assert {n: t for n, t in render(solved, FORMATS, ("question",)).items() if n != "certificate.json"} == {
        n: t for n, t in render(unsolved, FORMATS, ("question",)).items() if n != "certificate.json"}


def test_the_same_bytes_under_every_hash_seed(tmp_path: Path) -> None:
    found = []
    for seed in ("0", "4242"):
        out = tmp_path / seed
        subprocess.run([sys.executable, "-m", "symgrad", "solve", *map(str, FILES), "--out", str(out), "--jobs", "1"],
        check=True, cwd=ROOT, timeout=300,
                       env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.DEVNULL)
        found.append({f.relative_to(out).as_posix(): f.read_bytes() for f in sorted(out.rglob("*")) if f.is_file()})
    assert found[0] == found[1] and len(found[0]) >= len(FILES) * 13


# ---- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p"
    write(folder, {"a.html": "old a", "b.html": "old b"})
    real = os.replace

    def fail(source: str, target: str) -> None:
        if Path(target).name == "b.html":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write(folder, {"a.html": "new a", "b.html": "new b"})
    assert sorted(f.name for f in folder.iterdir()) == ["a.html", "b.html"]  # no temporary file is left
    assert (folder / "a.html").read_text() == "new a" and (folder / "b.html").read_text() == "old b"
    assert (folder / "a.html").stat().st_mode & 0o777 == 0o644


# ---- what is not checked is not printed ------------------------------------------------------------------------------

TWO = read_text("""format = 1
id = "two"
title = "Two parts"
[symbols]
x = 3
w = 2
[model]
let = '''
y = w * x
z = y^2
'''
[[part]]
label = "a"
ask = "gradient"
of = "z"
wrt = ["w"]
[[part]]
label = "b"
ask = "gradient"
of = "z"
wrt = ["x"]
""", "two.toml", "two")[0]


def lying(problem: Problem, part: object) -> Derivation:
    """Part a says 4711 in its last line."""
    derivation = HONEST(problem, part)  # type: ignore[arg-type]
    if derivation.part != "a":
        return derivation
    steps = []
    for s in derivation.steps:
        c = s.claim
        if isinstance(c, Total):
            c = replace(c, lines=(*c.lines[:-1], replace(c.lines[-1], form=F.Just(Integer(4711)))))
        steps.append(Step(c, s.rule, s.because, s.premises, s.label))
    return replace(derivation, steps=tuple(steps))


from symgrad.questions import derive as HONEST  # noqa: E402, N812


def test_a_refused_part_prints_none_of_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    import symgrad.questions as questions
    monkeypatch.setattr(questions, "derive", lying)
    result = solve(TWO)
    assert result.parts[0].derivation is None and "the checker refused: w: line" in result.parts[0].failure
    assert result.parts[1].derivation is not None and not result.parts[1].failure
    assert [row.good for row in summary(result)] == [False, True]
    for name, text in render(result, FORMATS, ("solution", "marking")).items():
        if name != "certificate.json":
            head = text.split("Part (b)")[0] if "Part (b)" in text else text
            assert "= 4711" not in text, name
            assert "the checker refused" in head or name.endswith(".json"), name


def test_unsupported_parts_stop_no_others() -> None:
    text = TWO.graph
    assert text.names == ("x", "w", "y", "z")
    p = gradient("y = relu(x - 3)\nz = y*w", "x = 3\nw = 2", "z", "x w")
    result = solve(p)
    assert result.parts[0].derivation is None
    assert "relu' at its kink has no derivative; fix one with relu_at_zero in [conventions]" in result.parts[0].failure
    assert not summary(result)[0].good


def test_a_fault_of_ours_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(pipeline, "solve", broken)
    outcome = pipeline.solve_file(FILES[0], tmp_path, ("json",))
    assert "a fault in symgrad, please report it: RuntimeError" in outcome.crash and not outcome.rows and not list(tmp_path.iterdir())


def test_problem_files_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.toml").write_text("", "utf-8")
    (tmp_path / "note.txt").write_text("", "utf-8")
    found = pipeline.problem_files([tmp_path / "c.toml", tmp_path])
    assert [f.stem for f in found] == ["c", "a", "b"]
