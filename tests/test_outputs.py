"""The committed sheets: they are what the problem files give today, they compile, their formulas are strict TeX, they replay."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from symgrad.pipeline import FORMATS, solve_file
from symgrad.replay import replay
from symgrad.sheet.latex import canonical

ROOT = Path(__file__).parent.parent
PROBLEMS = sorted((ROOT / "problems").glob("*.toml"))
TROUBLE = re.compile(r"[Ww]arning|Overfull|Underfull|^!|Missing character|Undefined", re.MULTILINE)

each_problem = pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.stem)


def test_there_is_a_folder_for_every_problem_and_no_other() -> None:
    assert {p.name for p in (ROOT / "outputs").iterdir()} == {p.stem for p in PROBLEMS}


@each_problem
def test_the_sheets_are_what_the_problem_gives(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    outcome = solve_file(path.relative_to(ROOT), tmp_path, tuple(FORMATS))
    assert not outcome.errors and not outcome.crash
    assert all(row.good for row in outcome.rows), [row for row in outcome.rows if not row.good]
    committed = ROOT / "outputs" / path.stem
    assert sorted(p.name for p in committed.iterdir()) == sorted(p.name for p in (tmp_path / path.stem).iterdir())
    for file in sorted(committed.iterdir()):
        fresh = (tmp_path / path.stem / file.name).read_bytes()
        assert fresh == file.read_bytes(), f"{file} has drifted; run: symgrad solve problems"


@each_problem
def test_the_certificate_holds(path: Path) -> None:
    found = replay(path, ROOT / "outputs" / path.stem / "certificate.json")
    assert found.complaints == () and found.claims > 0


def formulas(data: Any) -> Iterator[str]:
    """Every formula of a sheet in JSON."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("maths", "left", "right", "relation") and isinstance(value, str):
                yield value
            else:
                yield from formulas(value)
    elif isinstance(data, list):
        for value in data:
            yield from formulas(value)


@each_problem
def test_every_formula_is_strict_tex(path: Path) -> None:
    import math_core

    reader = math_core.LatexToMathML()
    seen = set(formulas(json.loads((ROOT / "outputs" / path.stem / "marking.json").read_text("utf-8"))))
    assert seen
    for tex in seen:
        reader.convert_with_local_state(canonical(tex), displaystyle=True)


@each_problem
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_it_compiles_without_a_warning(path: Path, engine: str, tool: Callable[[str], str], tmp_path: Path) -> None:
    source = ROOT / "outputs" / path.stem / "marking.tex"
    run = subprocess.run([tool(engine), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape",
                          f"-output-directory={tmp_path}", str(source)], cwd=tmp_path, capture_output=True, timeout=240, check=False)
    log = (tmp_path / "marking.log").read_text("utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    assert [line for line in log.splitlines() if TROUBLE.search(line)] == []
