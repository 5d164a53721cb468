"""The import law, read off the syntax trees: who may import whom, and what may be imported only inside a function."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "symgrad"

MAY: dict[str, set[str]] = {
    "language": set(),
    "check": {"language"},
    "rules": {"language"},
    "solvers": {"language"},
    "questions": {"language", "rules", "solvers"},
    "reader": {"language", "questions"},
    "sheet": {"language"},
    "numeric": {"language"},
    "replay": {"language", "check", "reader"},
    "pipeline": {"language", "check", "reader", "questions", "rules", "solvers", "sheet", "numeric"},
    "api": {"language", "check", "reader", "questions", "sheet", "numeric", "pipeline", "replay"},
    "cli": {"language", "pipeline", "reader", "replay", "sheet"},
    "__init__": {"api"},
    "__main__": {"cli"},
}
"""Part -> the other parts of symgrad that it may import, wherever in a file the import stands."""

HEAVY = {"z3": {"solvers"}, "pydantic": {"reader"}, "latex2mathml": {"sheet"}, "rich": {"cli"}, "numpy": {"numeric", "solvers", "pipeline", "api"}}
"""Library -> the parts that may import it."""


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every module that a file imports, in full, and whether the import stands at the top level."""
    tree = ast.parse(path.read_text("utf-8"))
    top = {id(n) for n in tree.body}
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.name, id(node) in top) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            found += [(f"{module}.{a.name}" if module == "symgrad" else module, id(node) in top) for a in node.names]
    return found


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_import_law(path: Path) -> None:
    part = part_of(path)
    for module, _ in imports(path):
        head, _, rest = module.partition(".")
        if head == "symgrad" and rest and rest != "__version__":
            other = rest.partition(".")[0]
            assert other == part or other in MAY[part], f"{part} must not import {module}"
        assert part in HEAVY.get(head, {part}), f"{part} must not import {head}"


def test_every_part_has_its_row() -> None:
    assert {part_of(p) for p in FILES} <= set(MAY)


def loaded_after(code: str) -> set[str]:
    run = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
                         capture_output=True, text=True, check=True, cwd=ROOT.parent)
    return set(run.stdout.split())


@pytest.mark.parametrize("code", ["import symgrad", "import symgrad.cli", "from symgrad.cli import parser; parser()"])
def test_light(code: str) -> None:
    """`symgrad --help` costs no SymPy, nor anything else that is heavy."""
    assert not {"sympy", "numpy", "z3", "pydantic", "rich", "latex2mathml"} & loaded_after(code)


def test_the_guard_can_fail() -> None:
    assert "sympy" in loaded_after("import symgrad.language.graph")


def test_the_checker_stands_alone() -> None:
    """Neither the checker nor a replay loads what derived the claims."""
    for code in ("import symgrad.check.checker", "import symgrad.replay"):
        loaded = loaded_after(code)
        assert not {m for m in loaded if m.startswith(("symgrad.rules", "symgrad.solvers", "symgrad.questions", "symgrad.sheet", "z3"))}
