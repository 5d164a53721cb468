"""Every task at numbers: the printed values of nodes and adjoints are those of NumPy's code, and every entry is proved."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sympy import Expr

from symgrad.api import Model
from symgrad.api.solution import Solution
from symgrad.language import forms as F
from symgrad.language.claims import ArrayValue
from symgrad.language.errors import Unsupported
from symgrad.language.vectors import SCALAR
from symgrad.numeric import compile_graph
from tests.matrix_calculus.tasks import MORE, TASKS, Task
from tests.matrix_calculus.test_tasks import solved

ALL = (*TASKS, *MORE)
WITHOUT = ("the unknown function", "a kink that no convention fixes", "outside its domain", "has no entries at these sizes")


def numbered(task: Task) -> tuple[Model, dict[str, Any]]:
    """The model with a small positive fraction for every entry, and the same in floats."""
    graph, rng = solved(task)[0].graph, random.Random(task.name)
    sizes: dict[Expr, int] = {d: 2 + k % 2 for k, d in enumerate(graph.dimensions)}
    stated: dict[str, Any] = {}
    for x in graph.variables:
        n, m = (int(d) if d.is_Integer else sizes[d] for d in x.shape)
        rows = [[str(Fraction(rng.choice((1, 2, 3, 4, 5, 7)), rng.choice((1, 2, 3)))) for _ in range(m)] for _ in range(n)]
        stated[x.name] = rows[0][0] if x.shape == SCALAR else rows if m > 1 else [r[0] for r in rows]
    floats = {n: np.array(np.vectorize(lambda t: float(Fraction(t)))(v)) if isinstance(v, list) else float(Fraction(v)) for n, v in stated.items()}
    return Model(graph).given(stated), {**floats, **{str(d): n for d, n in sizes.items()}}


def require_numbers(model: Model, solution: Solution, at: dict[str, Any]) -> int:
    claims = [e.claim for e in solution.steps if isinstance(e.claim, ArrayValue)]
    assert solution.proved and not solution.failures
    run = compile_graph(solution.graph.graph, tuple(c.name for c in claims)) if claims else None
    found = run({n: at[n] for n in run.inputs}) if run else {}
    for c in claims:
        shown = c.lines[-1].form
        rows = shown.rows if isinstance(shown, F.Array) else ((shown,),)
        numbers = np.array([[float(x.expr if isinstance(x, F.Just) else x.value) for x in row] for row in rows])  # type: ignore[union-attr]
        np.testing.assert_allclose(numbers, np.reshape(np.asarray(found[c.name], np.float64), numbers.shape), atol=6e-5, rtol=1e-6, err_msg=c.name)
    return len(claims)


@pytest.mark.parametrize("task", ALL, ids=[t.name.replace(" ", "-") for t in ALL])
def test_numbers_put_in_are_those_of_numpy(task: Task) -> None:
    model, at = numbered(task)
    vectors = any(x.shape != SCALAR for x in model.graph.all)  # else it is the table of a graph of scalars, tested elsewhere
    try:
        assert require_numbers(model, model.forward(), at) == (len(model.graph.nodes) if vectors else 0)
    except Unsupported as error:
        assert any(w in str(error) for w in WITHOUT)
    solution = model.backward("L", [task.wrt])
    if not require_numbers(model, solution, at):
        assert "No numbers are put in" in solution.markdown()
