"""What a verdict rests on: the layers that `symgrad.check` states, held to by its imports, and how many lines a kind of claim needs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import symgrad.check
from tests.test_layers import ROOT, imports

LAYERS = [(name, modules.split()) for name, modules in re.findall(r"^    (\w+): ([\w ]+)$", symgrad.check.__doc__ or "", re.M)]
RANK = {name: k for k, name in enumerate(dict.fromkeys(name for name, _ in LAYERS))}
LAYER = {module: name for name, modules in LAYERS for module in modules}
FILES = {path.stem: path for path in (ROOT / "check").glob("*.py") if path.stem != "__init__"}

CEILINGS = {"threshold": 300, "weights": 550, "scalars": 2100, "fill": 2450, "counterexamples": 2350, "zeros": 2600, "nonzeros": 2800,
            "networks": 3700, "identities": 4250, "adjoints": 5250, "recurrences": 5400, "tangents": 5550}
"""Lines that a verdict rests on, comments and blank lines too.  Lower one when less is needed; raise one only for what it proves more."""


@cache
def needs(module: str) -> frozenset[str]:
    """The modules of the checker that one imports itself."""
    text = {m for m, _ in imports(FILES[module]) if m.startswith("symgrad.check")}
    named = re.findall(r"^from symgrad\.check import ([\w, ]+)$", FILES[module].read_text("utf-8"), re.M)
    return frozenset({m.split(".")[2] for m in text if m.count(".") > 1} | {n for names in named for n in names.split(", ")})


def rests_on(module: str) -> set[str]:
    """The module and all that it imports, directly or not."""
    found, stack = {module}, [module]
    while stack:
        new = needs(stack.pop()) - found
        found |= new
        stack += new
    return found


def lines(modules: set[str]) -> int:
    return sum(len(FILES[m].read_text("utf-8").splitlines()) for m in modules)


def test_every_module_has_one_layer() -> None:
    listed = [m for _, modules in LAYERS for m in modules]
    assert sorted(listed) == sorted(FILES)


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_module_imports_from_its_layer_and_from_those_before(module: str) -> None:
    above = {m for m in needs(module) if RANK[LAYER[m]] > RANK[LAYER[module]]}
    assert not above, f"{module} ({LAYER[module]}) imports {', '.join(sorted(above))}"


def test_what_only_refutes_is_no_part_of_what_proves() -> None:
    """Derivatives, normal forms, values, counts of slots and the laws of matrices use no point."""
    for module in FILES:
        if LAYER[module] in ("errors", "scalar", "sizes", "matrices", "names"):
            assert "points" not in rests_on(module), module


def test_a_threshold_network_needs_its_own_module_alone() -> None:
    assert rests_on("threshold") == {"threshold", "errors"}
    assert rests_on("weights") == {"weights", "threshold", "errors"} and rests_on("chain") == {"chain", "threshold", "errors"}


@pytest.mark.parametrize("module", ["scalars", "zeros", "nonzeros", "fill"])
def test_scalars_need_no_count_of_sizes_and_no_law_of_matrices(module: str) -> None:
    assert {m for m in rests_on(module) if LAYER[m] in ("sizes", "matrices")} <= {"shapes"}  # which refuses what has no meaning


@pytest.mark.parametrize("module", CEILINGS)
def test_the_lines_a_verdict_rests_on(module: str) -> None:
    assert lines(rests_on(module)) <= CEILINGS[module]


def test_the_guards_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "ring.py"
    wrong.write_text("from symgrad.check.points import points\nfrom symgrad.check import duals\n", "utf-8")
    monkeypatch.setitem(FILES, "ring", wrong)
    needs.cache_clear()
    assert needs("ring") == {"points", "duals"}
    with pytest.raises(AssertionError):
        test_a_module_imports_from_its_layer_and_from_those_before("ring")
    with pytest.raises(AssertionError):
        test_what_only_refutes_is_no_part_of_what_proves()
    monkeypatch.undo()
    needs.cache_clear()
