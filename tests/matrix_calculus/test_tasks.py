"""Every task solved, checked, compared with its textbook answer, with finite differences of an evaluator that shares no code, and
with the compiled float64 gradient; none may be wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Integer

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Line
from symgrad.language.errors import SpecErrors
from symgrad.language.graph import Graph
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.numeric import compile_graph
from symgrad.pipeline import Result, solve
from symgrad.reader.read import read_text
from tests.matrix_calculus import reference
from tests.matrix_calculus.tasks import MORE, REFUSED, TASKS, Task

ALL = (*TASKS, *MORE)
IDS = [t.name.replace(" ", "-") for t in ALL]


def declared(symbols: str) -> dict[str, tuple[list[str], str]]:
    """name -> its dimensions and its mark."""
    found = {}
    for item in symbols.split(", "):
        name, *dims = item.split()
        mark = name[-1] if name[-1] in "+^" else ""
        found[name.rstrip("+^")] = (dims, mark)
    return found


def text_of(task: Task) -> str:
    symbols = "\n".join(f'{n} = {{ shape = "{", ".join(dims)}" }}' for n, (dims, _) in declared(task.symbols).items())
    functions = "[functions]\nf = 1\n" if "f(" in task.let else ""
    expected = f'[expected]\n"a.{task.wrt}" = "{task.gradient}"\n' if task.gradient else ""
    return (f'format = 1\nid = "t"\ntitle = "t"\n{functions}[symbols]\n{symbols}\n[model]\nlet = """\n{task.let}\n"""\n'
            f'[[part]]\nlabel = "a"\nask = "backward"\nof = "L"\nwrt = ["{task.wrt}"]\n{expected}')


@cache
def solved(task: Task) -> tuple[Problem, Result]:
    problem, expected = read_text(text_of(task), "t.toml", "t")
    return problem, solve(problem, expected)


def numbers(task: Task, seed: int) -> dict[str, Any]:
    """Random values and sizes; vectors as columns, dimensions under their names."""
    rng = np.random.default_rng(seed)
    names: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for name, (dims, mark) in declared(task.symbols).items():
        shape = []
        for d in dims:
            sizes.setdefault(d, int(d) if d.isdigit() else int(rng.integers(3, 6)))
            shape.append(sizes[d])
        shape += [1] * (2 - len(shape))
        value = rng.normal(size=shape)
        if mark == "+":
            value = np.abs(value) + 0.5
        if mark == "^":
            value = value @ value.T + 2 * np.eye(shape[0]) + 0.1 * rng.normal(size=shape)
        names[name] = value if dims else float(value[0, 0])
    return {**names, **{d: float(n) for d, n in sizes.items() if not d.isdigit()}}


def flat(names: dict[str, Any], graph: Graph) -> dict[str, Any]:
    """The same for compiled code: vectors as 1-D arrays."""
    return {x.name: names[x.name][:, 0] if x.shape[1] == 1 and x.shape != v.SCALAR else names[x.name] for x in graph.variables}


@pytest.mark.parametrize("task", ALL, ids=IDS)
def test_proved_and_as_the_textbook_has_it(task: Task) -> None:
    _, result = solved(task)
    (part,) = result.parts
    assert not part.failure
    assert part.derivation is not None
    assert all(verdict.ground in (Ground.PROVED, Ground.TESTED) for verdict in part.verdicts.values())
    assert all(agrees for _, agrees in part.expected), [s.claim.expr for s in part.derivation.steps if isinstance(s.claim, Adjoint)][-1]


@pytest.mark.parametrize("task", ALL, ids=IDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_against_finite_differences(task: Task, seed: int) -> None:
    problem, result = solved(task)
    derivation = result.parts[0].derivation
    assert derivation is not None
    names = numbers(task, seed)
    differences = reference.gradient(task.let, names, task.wrt)
    scale = max(1.0, float(np.max(np.abs(differences))))
    if task.gradient:
        stated = reference.evaluate(task.gradient, reference.run(task.let, names))
        assert np.max(np.abs(stated - differences)) < 1e-6 * scale
    slopes = {"functions": {"f": np.sin, "f'": np.cos}} if "f(" in task.let else {}
    compiled = compile_graph(derivation.graph, (f"{task.wrt}_bar",), **slopes)
    values = {**flat(names, problem.graph), **{str(d): int(names[str(d)]) for d in problem.graph.dimensions}}
    found = np.asarray(compiled({k: values[k] for k in compiled.inputs})[f"{task.wrt}_bar"])
    assert found.dtype == np.float64
    assert found.size == np.asarray(differences).size
    assert np.max(np.abs(found.reshape(np.shape(differences)) - differences)) < 1e-6 * scale


@pytest.mark.parametrize("task", ALL, ids=IDS)
def test_corrupted_gradients_are_refuted(task: Task) -> None:
    """Doubled, or with the sign flipped: refuted at a point, with the entry and the sizes."""
    problem, result = solved(task)
    derivation = result.parts[0].derivation
    assert derivation is not None
    claims = [s.claim for s in derivation.steps if isinstance(s.claim, Adjoint)]
    true = claims[-1]
    checker = Checker(problem)
    for claim in claims[:-1]:
        checker.check(claim)
    for factor in (2, -1):
        wrong = v.scale(Integer(factor), true.expr)
        for lines in ((true.lines[0], Line(F.Just(wrong))), (*true.lines, Line(F.Just(wrong)))):
            verdict = checker.check(replace(true, expr=wrong, lines=lines))
            assert verdict.ground is Ground.REFUTED
            assert "the two sides differ" in verdict.method


def in_matrix_notation(e: Expr) -> bool:
    """No index sums and no single entries."""
    return not e.has(v.IndexSum) and not e.has(v.Entry)


def test_counts() -> None:
    """At least 100 tasks; nine in ten in matrix notation; nearly all proved for all sizes."""
    assert len(ALL) >= 100
    assert len({t.name for t in ALL}) == len(ALL)
    final = [[s.claim.expr for s in solved(t)[1].parts[0].derivation.steps if isinstance(s.claim, Adjoint)][-1] for t in ALL]
    assert sum(map(in_matrix_notation, final)) >= 0.9 * len(ALL)
    proved = [t.name for t in ALL if all(x.ground is Ground.PROVED for x in solved(t)[1].parts[0].verdicts.values())]
    assert len(proved) >= 0.95 * len(ALL), sorted({t.name for t in ALL} - set(proved))


@pytest.mark.parametrize(("name", "symbols", "let", "says"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refused_by_name(name: str, symbols: str, let: str, says: str) -> None:
    with pytest.raises(SpecErrors, match=says):
        read_text(text_of(Task(name, symbols, let, symbols.split()[0], "")), "t.toml", "t")
