"""Hessians and Jacobians of textbook models: every step proved for all sizes, the book's form, every block against differences of an
evaluator that shares no code, and the same claims corrupted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Integer, ZeroMatrix

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Line, Tangent
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.numeric import compile_graph
from symgrad.pipeline import Result, solve
from symgrad.reader.read import read_text
from tests.making import claims
from tests.matrix_calculus import reference
from tests.matrix_calculus.second import SECOND, UNSUPPORTED, Second
from tests.matrix_calculus.tasks import Task
from tests.matrix_calculus.test_tasks import flat, numbers, text_of

IDS = [s.name.replace(" ", "-") for s in SECOND]
SLOPES = {"functions": {"f": np.sin, "f'": np.cos, "f''": lambda z: -np.sin(z)}}


@cache
def solved(s: Second) -> tuple[Problem, Result]:
    hessian = s.of == "L"
    label = f"d2L/d{s.wrt[0]}2" if hessian else f"d{s.of}/d{s.wrt[0]}"
    expected = f'[expected]\n"a.{label}" = "{s.expected}"\n' if s.expected else ""
    wrt = ", ".join(f'"{w}"' for w in s.wrt)
    head = text_of(Task("", s.symbols, s.let, s.wrt[0], "")).split("[[part]]")[0]
    text = f'{head}[[part]]\nlabel = "a"\nask = "{"hessian" if hessian else "jacobian"}"\nof = "{s.of}"\nwrt = [{wrt}]\n{expected}'
    problem, answers = read_text(text, "t.toml", "t")
    return problem, solve(problem, answers)


def value(s: Second, names: dict[str, Any], moves: dict[str, Any]) -> Any:
    """The node at moved names, its entries column by column."""
    at = dict(names)
    for w, d in moves.items():
        x = np.asarray(names[w], float) + np.reshape(d, np.shape(names[w]), "F")
        at[w] = x if x.shape else float(x)
    return np.ravel(np.asarray(reference.run(s.let, at)[s.of], float), "F")


def first(s: Second, names: dict[str, Any], w: str) -> Any:
    """d vec(of) / d vec(w), by central differences."""
    step = 1e-5
    ways = np.eye(np.size(names[w])) * step
    return np.array([(value(s, names, {w: d}) - value(s, names, {w: -d})) / (2 * step) for d in ways]).T


def block(s: Second, names: dict[str, Any], a: str, b: str, step: float = 1e-3) -> Any:
    """d2L / d vec(a) d vec(b), by differences of four values, extrapolated once."""
    def at(step: float) -> Any:
        rows, columns = (np.eye(np.size(names[w])) * step for w in (a, b))

        def ends(d: Any, e: Any) -> float:
            return float(value(s, names, {a: d, b: e} if a != b else {a: d + e}).item())
        return np.array([[(ends(d, e) - ends(d, -e) - ends(-d, e) + ends(-d, -e)) / (4 * step**2) for e in columns] for d in rows])

    return (4 * at(step) - at(2 * step)) / 3


@pytest.mark.parametrize("s", SECOND, ids=IDS)
def test_second_derivatives(s: Second) -> None:
    problem, result = solved(s)
    (part,) = result.parts
    assert not part.failure
    assert part.derivation is not None
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    assert all(agrees for _, agrees in part.expected)
    names = numbers(Task("", s.symbols, s.let, s.wrt[0], ""), 3)
    values = {**flat(names, problem.graph), **{str(d): int(names[str(d)]) for d in problem.graph.dimensions}}
    found: dict[str, Any] = {}
    for n in part.derivation.graph.nodes:
        if "_wrt_" in n.name:
            compiled = compile_graph(part.derivation.graph, (n.name,), **(SLOPES if "f(" in s.let else {}))  # type: ignore[arg-type]
            found[n.name] = np.asarray(compiled({k: values[k] for k in compiled.inputs})[n.name], float)
    looked_at = 0
    for b in s.wrt:
        for a in s.wrt if s.of == "L" else (s.of,):
            name = f"{a}_bar_wrt_{b}" if s.of == "L" else f"{s.of}_wrt_{b}"
            if name not in found:
                continue  # below the diagonal: the transpose of the one above
            wanted = block(s, names, a, b) if s.of == "L" else first(s, names, b)
            assert np.max(np.abs(found[name].reshape(wanted.shape) - wanted)) < 2e-6 * max(1.0, float(np.max(np.abs(wanted)))), name
            looked_at += 1
    assert looked_at >= len(s.wrt) * (len(s.wrt) + 1 if s.of == "L" else 2) // 2


@pytest.mark.parametrize("s", SECOND, ids=IDS)
def test_corrupted_second_derivatives_are_not_proved(s: Second) -> None:
    """Doubled, with the other sign, or with a term too many."""
    problem, _ = solved(s)
    found = claims(problem)
    checker = Checker(problem)
    wrong = 0
    for c in found:
        if isinstance(c, Tangent) and len(c.lines) > 1 and not isinstance(c.expr, ZeroMatrix) and c.expr != 0:
            ones = v.OneMatrix(*c.expr.shape) if not v.is_scalar(c.expr) else Integer(1)
            for e in (v.scale(Integer(2), c.expr), v.negate(c.expr), v.add(c.expr, ones)):
                bent = replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))
                assert checker.check(bent).ground in (Ground.REFUTED, Ground.UNDECIDED), (c.node, e)
                wrong += 1
        assert checker.check(c).ground is Ground.PROVED
    assert wrong


@pytest.mark.parametrize("s", UNSUPPORTED, ids=[s.name for s in UNSUPPORTED])
def test_what_is_refused_says_so(s: Second) -> None:
    (part,) = solved(s)[1].parts
    assert s.expected in part.failure
