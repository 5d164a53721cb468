"""Families of matrices in the place of tensors: gradients of models that are written with [indices] are those of differences and of PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symgrad
from symgrad.language.claims import Recurrence
from symgrad.language.graph import Graph
from symgrad.language.steps import Ground
from symgrad.language.vectors import size_at
from symgrad.numeric.compiled import compile_graph
from symgrad.pipeline import solve
from symgrad.reader.read import read_text
from tests.families import MODELS, SYMBOLIC, text
from tests.questions.test_recurrences import recursion
from tests.sequences import Values, assert_gradients

SIZES = {"K": 3, "D": 2, "M": 4}


def point(graph: Graph, seed: int) -> Values:
    """Values of all variables, a number for a scalar and one axis for a column."""
    random, sizes = np.random.default_rng(seed), {d: SIZES[str(d)] for d in graph.dimensions}
    shapes = {x.name: tuple(size_at(d, sizes) for d in x.shape) for x in graph.variables}
    return {n: np.asarray(random.normal(size=() if s == (1, 1) else s[:1] if s[1] == 1 else s)) for n, s in shapes.items()}


@pytest.mark.parametrize(("name", "length"), [(n, k) for n in MODELS for k in (1, 2, 3, 4) if (n, k) != ("entries", 1)])  # one entry is a number
def test_a_length_that_is_a_number(name: str, length: int, tmp_path: Path) -> None:
    path = tmp_path / "family.toml"
    path.write_text(text(name, length), "utf-8")
    solution = symgrad.solve(path)
    assert solution.proved, solution.failures
    graph = read_text(path.read_text("utf-8"), path.name)[0].graph
    values = point(graph, length)
    asked = [n for n in values if f"{n}_bar" in solution.graph]
    assert any(n.startswith("W") for n in asked)
    found = solution.lambdify(*(f"{n}_bar" for n in asked))(**values)
    assert_gradients(MODELS[name][3], values, length, {n: found[f"{n}_bar"] for n in asked})


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("name", SYMBOLIC)
def test_a_length_that_is_a_name(name: str, length: int) -> None:
    """The equations for every H, at several of them."""
    problem, _ = read_text(text(name, "H"), "family.toml")
    (part,) = solve(problem).parts
    assert part.derivation is not None, part.failure
    assert all(verdict.ground is Ground.PROVED for verdict in part.verdicts.values())
    claims = [s.claim for s in part.derivation.steps if isinstance(s.claim, Recurrence)]
    given, _ = read_text(text(name, length), "family.toml")
    graph = recursion(problem, claims, given.graph, length)
    values = point(given.graph, length)
    asked = [n for n in values if f"{n}_bar" in graph]
    assert any(n.startswith("W") for n in asked)
    found = compile_graph(graph, tuple(f"{n}_bar" for n in asked))(values)
    assert_gradients(MODELS[name][3], values, length, {n: found[f"{n}_bar"] for n in asked})
