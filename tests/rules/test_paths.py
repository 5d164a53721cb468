"""The factored sum over paths, multiplied out again, is the list of all paths; the checker counts the same."""

from __future__ import annotations

from random import Random

import pytest

from symgrad.check.zeros import path_sum, span
from symgrad.language import forms as F
from symgrad.language.errors import Refused
from symgrad.language.graph import Graph
from symgrad.rules.paths import factored
from tests.questions.asking import ask


def spelled(graph: Graph, form: F.Form) -> list[tuple[tuple[str, str], ...]]:
    """All products of a factored sum, factor by factor."""
    match form:
        case F.PartialOf(of, wrt):
            return [((of, wrt),)]
        case F.TotalOf(of, wrt):
            return [tuple((u, x) for x, u in reversed(list(zip(p, p[1:], strict=False)))) for p in graph.paths(wrt, of)]
        case F.Sum(terms):
            return [p for t in terms for p in spelled(graph, t)]
        case F.Product(factors):
            found: list[tuple[tuple[str, str], ...]] = [()]
            for f in factors:
                found = [p + q for p in found for q in spelled(graph, f)]
            return found
    raise AssertionError(form)


def random_graph(random: Random) -> Graph:
    names = ["x"]
    lines = []
    for k in range(random.randint(2, 9)):
        recent = names[-3:]
        chosen = random.sample(recent, min(len(recent), random.randint(1, 2)))
        lines.append(f"n{k} = {' + '.join(chosen)}")
        names.append(f"n{k}")
    return ask("\n".join([*lines, f"L = {' + '.join(names[-random.randint(1, 3):])}"]), "L", "").graph


def test_random_graphs() -> None:
    random = Random(12)
    factored_out = shared = 0
    for _ in range(120):
        graph = random_graph(random)
        form = factored(graph, "L", "x")
        paths = [tuple((u, x) for x, u in reversed(list(zip(p, p[1:], strict=False)))) for p in graph.paths("x", "L")]
        if form is None:
            assert not paths
            continue
        assert sorted(spelled(graph, form)) == sorted(paths)
        path_sum(graph, "L", "x", (form,))
        assert span(graph, form) == ("L", "x", len(paths))
        factored_out += isinstance(form, F.Product) and any(isinstance(f, F.Sum) for f in form.factors)
        shared += isinstance(form, F.TotalOf) or (isinstance(form, F.Product) and any(isinstance(f, F.TotalOf) for f in form.factors))
        terms = form.terms if isinstance(form, F.Sum) else ()
        if len(terms) > 1:
            with pytest.raises(Refused):
                path_sum(graph, "L", "x", (F.Sum(terms[1:]),))
    assert factored_out > 10 and shared > 5


def test_no_path() -> None:
    graph = ask("a = x\nL = 2*u", "L", "").graph
    assert factored(graph, "L", "x") is None and factored(graph, "L", "L") is None
