"""Gradients in structured variables: proved for all sizes, right in the coordinates of each structure, and by PyTorch through the map.

PyTorch, where it is installed, and the difference quotients share no code with the derivation: each loss is written again, and the
structured variable is built there from its own coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Inverse, MatMul, Rational, Transpose

import symgrad
from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Line, Matches
from symgrad.language.errors import SpecError, SpecErrors
from symgrad.language.steps import Ground
from symgrad.pipeline import render, solve, solve_file, summary
from symgrad.reader.letlist import Scope, expression
from symgrad.reader.read import read_text
from symgrad.replay import replay
from tests.making import backward, claims, pick, verdicts, with_changes

Values = dict[str, Any]
"""Arrays of NumPy, or tensors of PyTorch."""


@dataclass(frozen=True)
class Case:
    """A loss in a structured variable V, the same in NumPy or PyTorch (`xp`), its gradient as a textbook has it, and the adjoint."""

    structure: str
    let: str
    loss: Callable[..., Any]
    book: str
    entries: bool = False
    symbols: tuple[tuple[str, str], ...] = (("x", "N"), ("y", "N"), ("B", "N, N"), ("W", "N, N"))


def quadratic(p: Values, xp: Any = np) -> Any:
    return p["x"] @ p["V"] @ p["x"]


def trace(p: Values, xp: Any = np) -> Any:
    return xp.trace(p["B"] @ p["V"])


def logdet(p: Values, xp: Any = np) -> Any:
    return xp.log(xp.linalg.det(p["V"]))


def inverse_form(p: Values, xp: Any = np) -> Any:
    return p["x"] @ xp.linalg.solve(p["V"], p["x"])


def distance(p: Values, xp: Any = np) -> Any:
    return ((p["V"] - p["B"]) ** 2).sum()


def precision(p: Values, xp: Any = np) -> Any:
    d = p["x"] - p["y"]
    return d @ p["V"] @ d / 2 - xp.log(xp.linalg.det(p["V"])) / 2


def cholesky(p: Values, xp: Any = np) -> Any:
    u = xp.linalg.solve(p["V"], p["x"] - p["y"])
    return xp.log(xp.diagonal(p["V"])).sum() + u @ u / 2


def triangular_solve(p: Values, xp: Any = np) -> Any:
    return p["y"] @ xp.linalg.solve(p["V"], p["x"])


def gram(p: Values, xp: Any = np) -> Any:
    return ((p["V"] @ p["V"].T - p["B"]) ** 2).sum()


def network(p: Values, xp: Any = np) -> Any:
    return ((xp.tanh(p["W"] @ (p["V"] @ p["x"])) - p["y"]) ** 2).sum() / 2


def bilinear(p: Values, xp: Any = np) -> Any:
    return p["x"] @ p["V"] @ p["y"]


NLL = "d = x - y\nL = 1/2 * d.T @ V @ d - 1/2 * logdet(V)"
CHOLESKY = "u = solve(V, x - y)\nL = sum(log(diag(V))) + 1/2 * norm(u)^2"
MLP = "z = V @ x\nh = tanh(W @ z)\nL = 1/2 * norm(h - y)^2"
CASES = {
    "symmetric, quadratic form": Case("symmetric", "L = x.T @ V @ x", quadratic, "x @ x.T"),
    "symmetric, trace": Case("symmetric", "L = trace(B @ V)", trace, "1/2 * (B + B.T)"),
    "symmetric, log det": Case("symmetric", "L = logdet(V)", logdet, "inv(V)"),
    "symmetric, inverse": Case("symmetric", "L = x.T @ inv(V) @ x", inverse_form, "-inv(V) @ x @ x.T @ inv(V)"),
    "symmetric, distance": Case("symmetric", "L = norm(V - B)^2", distance, "2 * V - (B + B.T)"),
    "symmetric, precision": Case("symmetric", NLL, precision, "1/2 * d @ d.T - 1/2 * inv(V)"),
    "symmetric, network": Case("symmetric", MLP, network, "1/2 * (z_bar @ x.T + x @ z_bar.T)"),
    "entries, quadratic form": Case("symmetric", "L = x.T @ V @ x", quadratic, "2 * x @ x.T - (x @ x.T) * eye(N)", True),
    "entries, trace": Case("symmetric", "L = trace(B @ V)", trace, "B + B.T - B * eye(N)", True),
    "entries, log det": Case("symmetric", "L = logdet(V)", logdet, "2 * inv(V) - inv(V) * eye(N)", True),
    "entries, inverse": Case("symmetric", "L = x.T @ inv(V) @ x", inverse_form,
                             "-2 * inv(V) @ x @ x.T @ inv(V) + (inv(V) @ x @ x.T @ inv(V)) * eye(N)", True),
    "entries, distance": Case("symmetric", "L = norm(V - B)^2", distance, "4 * V - 2 * B - 2 * B.T - 2 * (V - B) * eye(N)", True),
    "entries, precision": Case("symmetric", NLL, precision, "d @ d.T - inv(V) - (1/2 * d @ d.T - 1/2 * inv(V)) * eye(N)", True),
    "lower, log-likelihood": Case("lower", CHOLESKY, cholesky, "tril(diag(1/diag(V)) - inv(V).T @ u @ u.T)"),
    "lower, solve": Case("lower", "L = y.T @ solve(V, x)", triangular_solve, "tril(-inv(V).T @ y @ (inv(V) @ x).T)"),
    "lower, product": Case("lower", "P = V @ V.T\nL = norm(P - B)^2", gram, "tril(P_bar @ V + P_bar.T @ V)"),
    "lower, trace": Case("lower", "L = trace(B @ V)", trace, "tril(B.T)"),
    "lower, distance": Case("lower", "L = norm(V - B)^2", distance, "tril(2 * (V - B))"),
    "upper, quadratic form": Case("upper", "L = x.T @ V @ x", quadratic, "triu(x @ x.T)"),
    "upper, solve": Case("upper", "L = y.T @ solve(V, x)", triangular_solve, "triu(-inv(V).T @ y @ (inv(V) @ x).T)"),
    "upper, trace": Case("upper", "L = trace(B @ V)", trace, "triu(B.T)"),
    "diagonal, network": Case("diagonal", MLP, network, "diag(z_bar * x)"),
    "diagonal, trace": Case("diagonal", "L = trace(B @ V)", trace, "diag(diag(B))"),
    "diagonal, quadratic form": Case("diagonal", "L = x.T @ V @ x", quadratic, "diag(x * x)"),
    "diagonal, log det": Case("diagonal", "L = logdet(V)", logdet, "inv(V) * eye(N)"),
    "skew, bilinear form": Case("skew", "L = x.T @ V @ y", bilinear, "1/2 * (x @ y.T - y @ x.T)"),
    "skew, quadratic form": Case("skew", "L = x.T @ V @ x", quadratic, "zeros(N, N)"),
    "skew, trace": Case("skew", "L = trace(B @ V)", trace, "1/2 * (B.T - B)"),
}
each_case = pytest.mark.parametrize("name", CASES)


def solution(case: Case) -> Any:
    shapes = {"V": {"shape": "N, N", "structure": case.structure}, **dict(case.symbols)}
    g = symgrad.parse(case.let, shapes, conventions={"symmetric": "entries"} if case.entries else None)
    return g.backward("L", wrt=["V"])


def drawn(case: Case, n: int) -> Values:
    """A point at which every loss above is defined: V close to a multiple of the identity, but for a skew one."""
    random = np.random.default_rng(n)
    a = random.normal(size=(n, n))
    part = {"symmetric": (a + a.T) / 2, "skew": (a - a.T) / 2, "lower": np.tril(a), "upper": np.triu(a), "diagonal": np.diag(np.diag(a))}
    whole = part[case.structure] * (1.0 if case.structure == "skew" else 0.3)
    big = whole if case.structure == "skew" else whole + 2 * np.eye(n)
    others = {name: random.normal(size=(n,) if shape == "N" else (n, n)) for name, shape in case.symbols}
    return {**others, "V": big}


def directions(case: Case, n: int) -> Iterator[tuple[np.ndarray, Callable[[np.ndarray], float]]]:
    """A basis of the space of the structure, and what the gradient should say of the slope along each of its members."""
    for i in range(n):
        for j in range(n):
            e = np.zeros((n, n))
            e[i, j] = 1.0
            if case.structure in ("symmetric", "skew") and j < i:
                e[j, i] = 1.0 if case.structure == "symmetric" else -1.0
            inside = {"lower": j <= i, "upper": i <= j, "diagonal": i == j, "skew": j < i}.get(case.structure, j <= i)
            if inside:
                yield e, (lambda g, i=i, j=j: g[i, j]) if case.entries else (lambda g, e=e: float((g * e).sum()))


def gradient_at(s: Any, p: Values) -> np.ndarray:
    f = s.lambdify("V_grad")
    given = {**p, "N": len(p["x"])}
    return np.asarray(f(**{name: x for name, x in given.items() if name in f.inputs})["V_grad"])


@each_case
def test_proved_and_as_a_textbook_has_it(name: str) -> None:
    case = CASES[name]
    s = solution(case)
    assert s.proved, s.failures
    (item,) = s.parts
    assert {x.domain for x in item.verdicts.values()} == {"for all N"}
    assert s.answers["V_grad"].shape == ("N", "N") or s.answers["V_grad"].shape[0] == s.answers["V_grad"].shape[1]
    graph = item.derivation.graph
    stated = expression(case.book, Scope({n: graph.symbol(n) for n in graph.names}, {str(d): d for d in graph.dimensions}))
    checker = Checker(s.problem)
    for step in item.derivation.all_steps():
        checker.check(step.claim)
    verdict = checker.check(Matches("L", (s.problem.graph.free("V"),), (stated,)))
    assert verdict.ground is Ground.PROVED, verdict


@each_case
@pytest.mark.parametrize("n", (2, 3))
def test_difference_quotients_in_its_own_coordinates(name: str, n: int) -> None:
    if name.startswith("skew") and n == 3:
        n = 4
    case = CASES[name]
    p = drawn(case, n)
    found = gradient_at(solution(case), p)
    step = 1e-6
    for e, expected in directions(case, n):
        moved = [float(case.loss({**p, "V": p["V"] + sign * step * e})) for sign in (1, -1)]
        assert expected(found) == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-6, abs=1e-7), e
    structure = {"symmetric": found.T, "skew": -found.T, "lower": np.tril(found), "upper": np.triu(found), "diagonal": np.diag(np.diag(found))}
    assert np.allclose(found, structure[case.structure], atol=1e-12)


@each_case
@pytest.mark.parametrize("n", (2, 4))
def test_pytorch_through_the_map(name: str, n: int) -> None:
    """Reverse mode of PyTorch in the free coordinates; by entries, those on and below the diagonal, mirrored."""
    torch = pytest.importorskip("torch")
    case = CASES[name]
    p = {key: torch.tensor(x, dtype=torch.float64) for key, x in drawn(case, n).items()}
    free = p["V"].clone().requires_grad_()
    eye = torch.eye(n, dtype=torch.float64)
    if case.entries:
        low = torch.tril(free)
        image = low + low.T - torch.diag(torch.diagonal(free))
    else:
        image = {"symmetric": lambda a: (a + a.T) / 2, "skew": lambda a: (a - a.T) / 2, "lower": torch.tril, "upper": torch.triu,
                 "diagonal": lambda a: a * eye}[case.structure](free)
    case.loss({**p, "V": image}, torch).backward()
    wanted = free.grad
    if case.entries:
        wanted = wanted + wanted.T - torch.diag(torch.diagonal(wanted))
    assert np.allclose(gradient_at(solution(case), drawn(case, n)), wanted.numpy(), rtol=1e-9, atol=1e-10)


# ---- the other adjoints, written with the structure ---------------------------------------------------------------------

FACTS = {
    "S x": ("L = x.T @ S @ x", "x", "2 * S @ x"), "S^-1 x": ("L = x.T @ inv(S) @ x", "x", "2 * inv(S) @ x"),
    "solve": ("L = y.T @ solve(S, x)", "y", "solve(S, x)"), "D": ("L = y.T @ D @ x + y.T @ inv(D) @ x", "x", "D @ y + inv(D) @ y"),
    "K": ("L = y.T @ K @ x", "x", "-K @ y"), "Kx": ("L = x.T @ K @ x", "x", "zeros(N)"),
    "sum inside": ("L = x.T @ inv(S + c*eye(N)) @ x", "x", "2 * inv(S + c*eye(N)) @ x"),
}
SYMBOLS = "\n".join(f'{n} = {{ shape = "N, N", structure = "{s}" }}' for n, s in (("S", "symmetric"), ("D", "diagonal"), ("K", "skew")))
SYMBOLS += '\nx = { shape = "N" }\ny = { shape = "N" }\nB = { shape = "N, N" }\nc = {}'


@pytest.mark.parametrize("name", FACTS)
def test_what_the_structure_says_is_used(name: str) -> None:
    let, wrt, book = FACTS[name]
    p = backward(let, SYMBOLS, "L", wrt)
    found = claims(p)
    assert all(x.ground is Ground.PROVED for x in verdicts(p, found))
    expr = next(c.expr for c in found if isinstance(c, Adjoint) and c.node == wrt)
    scope = Scope({n: p.graph.symbol(n) for n in p.graph.names}, {str(d): d for d in p.graph.dimensions})
    assert expr == expression(book, scope) or name == "solve"
    assert not any(isinstance(t.args[0], Inverse) or t.args[0] in map(p.graph.symbol, "SDK") for t in expr.atoms(Transpose))


NODES = {
    "A A^T": ("C = A @ A.T\nL = x.T @ C @ x", "x", "2 * C @ x"),
    "a kernel": ("C = c * S + c^2 * eye(N)\nL = logdet(C) + x.T @ inv(C) @ x", "S", "c * (inv(C) - inv(C) @ x @ x.T @ inv(C))"),
    "entrywise": ("C = exp(S) * (A + A.T)\nL = x.T @ solve(C, x)", "x", "2 * inv(C) @ x"),
    "an adjoint": ("C = A @ A.T\nL = norm(C - S)^2", "A", "4 * (C - S) @ A"),
    "two levels": ("C = A @ A.T\nE = C @ C + S\nL = x.T @ E @ x", "A", "2 * (C @ x @ x.T + x @ x.T @ C) @ A"),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_may_be_symmetric_by_its_definition(name: str) -> None:
    """Proved for all sizes and equal to the textbook's formula; no transpose of what is symmetric is left."""
    let, wrt, book = NODES[name]
    shapes: dict[str, Any] = {"A": "N, N", "x": "N", "c": "", "S": {"shape": "N, N", "structure": "symmetric"}}
    used = {n: s for n, s in shapes.items() if n in let.replace("exp", "")}
    g = symgrad.parse(let, used)
    s = g.backward("L", wrt=[wrt])
    assert s.proved and {x.domain for x in s.verdicts} == {"for all N"}
    assert g.check_gradient("L", {wrt: book}).proved
    claims_ = [e.claim for e in s.steps if isinstance(e.claim, Adjoint)]
    assert not any(t.args[0] in (v.variable("C", bar().shape), v.variable("C_bar", bar().shape)) for c in claims_ for t in c.expr.atoms(Transpose))


def test_what_is_not_symmetric_by_its_definition_is_not_taken_for_it() -> None:
    p = backward("C = A @ B\nL = x.T @ C @ x", 'A = { shape = "N, N" }\nB = { shape = "N, N" }\nx = { shape = "N" }', "L", "x")
    found = claims(p)
    k = pick(found, Adjoint, node="x")
    claim = found[k]
    assert isinstance(claim, Adjoint) and claim.expr.has(Transpose)
    wrong = MatMul(2, p.graph.symbol("C"), p.graph.symbol("x"))
    assert with_changes(p, found, k, expr=wrong, lines=(*claim.lines[:-1], Line(F.Just(wrong)))).ground is Ground.REFUTED


# ---- corrupted claims ---------------------------------------------------------------------------------------------------


def corrupted(structure: str, let: str, wrong: Callable[[Expr], Expr], node: str = "V_free", inlined: bool = True) -> Ground:
    """The verdict on a gradient whose last line, and result, is another expression of what was derived."""
    symbols = f'V = {{ shape = "N, N", structure = "{structure}" }}\nB = {{ shape = "N, N" }}\nx = {{ shape = "N" }}\ny = {{ shape = "N" }}'
    p = backward(let, symbols, "L", "V")
    found = claims(p)
    assert all(x.ground is Ground.PROVED for x in verdicts(p, found))
    k = pick(found, Adjoint, node=node)
    claim = found[k]
    assert isinstance(claim, Adjoint)
    expr = wrong(claim.expr)
    lines = (*claim.lines[:-1], Line(F.Just(expr))) if inlined else (*claim.lines[:1], Line(F.Just(expr)))
    return with_changes(p, found, k, expr=expr, lines=lines).ground


def bar(name: str = "V") -> Expr:
    return v.variable(f"{name}_bar", (v.dimension("N"), v.dimension("N")))


WRONG: dict[str, tuple[str, str, Callable[[Expr], Expr]]] = {
    "the factor 1/2 is forgotten": ("symmetric", "L = trace(B @ V)", lambda e: v.scale(Rational(2), e)),
    "the transpose is forgotten": ("symmetric", "L = trace(B @ V)", lambda e: Transpose(v.variable("B", e.shape))),
    "the adjoint with independent entries": ("symmetric", "L = x.T @ V @ y", lambda e: bar()),
    "the other convention": ("symmetric", "L = x.T @ V @ x", lambda e: v.scale(Rational(2), e)),
    "skew instead": ("symmetric", "L = trace(B @ V)", lambda e: v.scale(Rational(1, 2), v.add(bar(), v.negate(Transpose(bar()))))),
    "not triangular": ("lower", "L = trace(B @ V)", lambda e: Transpose(v.variable("B", e.shape))),
    "not triangular, in bars": ("lower", "L = trace(B @ V)", lambda e: bar()),
    "the other triangle": ("lower", "L = trace(B @ V)", lambda e: v.transpose(op.tril(v.variable("B", e.shape)))),
    "off the diagonal": ("diagonal", "L = trace(B @ V)", lambda e: bar()),
    "symmetric instead": ("skew", "L = x.T @ V @ y", lambda e: v.scale(Rational(1, 2), v.add(bar(), Transpose(bar())))),
    "a flipped sign": ("symmetric", "L = logdet(V)", v.negate),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_projection_is_refused(name: str) -> None:
    structure, let, wrong = WRONG[name]
    assert corrupted(structure, let, wrong) is Ground.REFUTED
    assert corrupted(structure, let, wrong, inlined=False) is Ground.REFUTED


@pytest.mark.parametrize("structure", ("lower", "upper", "skew"))
def test_the_inverse_of_what_is_not_symmetric_is_not(structure: str) -> None:
    """S^-T = S^-1 is for symmetric matrices: the same line is refused for others."""
    assert corrupted(structure, "L = logdet(V)", lambda e: Inverse(e.args[0].args[0]), node="V") is not Ground.PROVED


def test_a_free_matrix_is_not_symmetric() -> None:
    p = backward("L = x.T @ A @ x", 'A = { shape = "N, N" }\nx = { shape = "N" }', "L", "x")
    found = claims(p)
    k = pick(found, Adjoint, node="x")
    a, x = p.graph.symbol("A"), p.graph.symbol("x")
    wrong = MatMul(2, a, x)
    assert with_changes(p, found, k, expr=wrong, lines=(*found[k].lines[:-1], Line(F.Just(wrong)))).ground is Ground.REFUTED  # type: ignore[union-attr]


def test_a_put_in_adjoint_must_have_been_derived() -> None:
    p = backward("L = trace(B @ V)", 'V = { shape = "N, N", structure = "symmetric" }\nB = { shape = "N, N" }', "L", "V")
    found = claims(p)
    k = pick(found, Adjoint, node="V_free")
    checker = Checker(p)
    verdict = checker.check(found[k])
    assert verdict.ground is Ground.REFUTED and "V_bar before it is derived" in verdict.method
    assert pick(found, Adjoint, node="V") < k


# ---- the file, the sheets, the certificate -------------------------------------------------------------------------------

FILE = """format = 1
id = "structured"
title = "A precision matrix"
[symbols]
P = { shape = "N, N", structure = "symmetric", latex = 'P^{(1)}' }
x = { shape = "N" }
[model]
let = '''
L = 1/2 * x.T @ P @ x - 1/2 * logdet(P)
'''
[values]
P = [[2, 1], [1, 3]]
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["P"]
components = ["P"]
closed_form = ["P"]
marks = { P_bar = 1, P_grad = 2 }
[[part]]
label = "b"
ask = "choose"
of = "L"
wrt = ["P", "x"]
choices = ["1/2 * x @ x.T - 1/2 * inv(P), P @ x", "x @ x.T - inv(P), P @ x", "1/2 * x @ x.T - 1/2 * inv(P), 2 * P @ x"]
[expected]
"a.P_grad" = "1/2 * (x @ x.T - inv(P).T)"
"a.P_bar" = "1/2 * (x @ x.T - inv(P))"
"b" = 1
"""


def test_a_problem_file_from_end_to_end(tmp_path: Path) -> None:
    """Solved as expected, its certificate replayed, its sheets in all views, and the same without [expected]."""
    path = tmp_path / "structured.toml"
    path.write_text(FILE, "utf-8")
    outcome = solve_file(path, tmp_path, ("html", "latex", "markdown", "json"))
    assert [row.expected for row in outcome.rows] == ["yes", "yes"] and all(row.good for row in outcome.rows), outcome
    assert replay(path, tmp_path / "structured" / "certificate.json").complaints == ()
    question = (tmp_path / "structured" / "question.tex").read_text("utf-8")
    solution = (tmp_path / "structured" / "solution.md").read_text("utf-8")
    assert "is symmetric" in question and r"\nabla" in question and r"\tilde{P}^{(1)}" in question
    assert "inner product" in solution and "inner product" not in question
    boxed = r"\boxed{\nabla _{P^{(1)}} L = \frac{1}{2} \mathbf{x} \mathbf{x}^{\top} - \frac{1}{2} {P^{(1)}}^{- 1}}"
    assert boxed in solution
    bare = read_text(FILE.partition("[expected]")[0], "structured.toml")[0]
    assert bare.digest == read_text(FILE, "structured.toml")[0].digest
    sheets = render(solve(bare), ("html", "markdown"))
    for view in ("question", "solution"):
        assert sheets[f"{view}.html"] == (tmp_path / "structured" / f"{view}.html").read_text("utf-8")


def test_the_convention_is_printed() -> None:
    for stated, words in (("", "inner product"), ('[conventions]\nsymmetric = "entries"\n', "on and below the diagonal as the independent")):
        problem = read_text(FILE.partition("[expected]")[0].replace("[values]", stated + "[values]"), "structured.toml")[0]
        assert words in render(solve(problem), ("markdown",))["solution.md"]


BAD = {
    "not square": ('shape = "N, K", structure = "symmetric"', "a symmetric variable is a square matrix, P is (N, K)"),
    "a vector": ('shape = "N", structure = "lower"', "a lower triangular variable is a square matrix, P is (N)"),
    "a scalar": ('shape = "", structure = "diagonal"', "a diagonal variable is a square matrix, P is a scalar"),
    "an unknown word": ('shape = "N, N", structure = "symetric"', "structure = 'symetric' is not known; did you mean symmetric?; there are"),
    "no such word": ('shape = "N, N", structure = "banded"', "structure = 'banded' is not known; there are symmetric, skew, lower, upper, diag"),
    "a misspelt key": ('shape = "N, N", struct = "symmetric"', "unknown key symbols.P.struct; did you mean structure?"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_declarations(name: str) -> None:
    declared, message = BAD[name]
    text = FILE.replace("shape = \"N, N\", structure = \"symmetric\", latex = 'P^{(1)}'", declared)
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(text, "structured.toml")
    assert f"structured.toml:5: {message}" in str(error.value)


MISFITS = {
    "symmetric": "P is symmetric, found entry (1, 2) = 1 and entry (2, 1) = 7", "skew": "P is skew-symmetric, found entry (1, 1) = 2",
    "lower": "P is lower triangular, found entry (1, 2) = 1", "upper": "P is upper triangular, found entry (2, 1) = 7",
    "diagonal": "P is diagonal, found entry (1, 2) = 1",
}


@pytest.mark.parametrize("structure", MISFITS)
def test_values_must_have_the_structure(structure: str) -> None:
    text = FILE.replace("[[2, 1], [1, 3]]", "[[2, 1], [7, 3]]").replace('"symmetric"', f'"{structure}"')
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(text, "structured.toml")
    assert f"structured.toml:12: {MISFITS[structure]}" in str(error.value)


def test_a_structure_is_for_variables() -> None:
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(FILE.replace("L = 1/2", "P = x @ x.T\nL = 1/2"), "structured.toml")
    assert "P has a structure, so it is a variable and has no line in the let-list" in str(error.value)
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(FILE.replace("L = 1/2", "P_grad = x @ x.T\nL = 1/2"), "structured.toml")
    assert "P_grad is the name of the gradient in P" in str(error.value)


def test_the_free_matrix_is_no_name_of_the_problem() -> None:
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(FILE.replace('wrt = ["P"]', 'wrt = ["P_free"]'), "structured.toml")
    assert "there is no P_free; the names here are L, P, x" in str(error.value)
    with pytest.raises((SpecError, SpecErrors)) as error:
        read_text(FILE.replace("logdet(P)", "logdet(P_free)"), "structured.toml")
    assert "unknown name P_free" in str(error.value)
    own = FILE.replace("x = {", 'P_free = { shape = "N, N" }\nx = {').replace("logdet(P)", "logdet(P) + trace(P_free)")
    problem = read_text(own.partition("[expected]")[0], "structured.toml")[0]
    assert problem.graph.free("P") == "P_free2" and all(not p.failure for p in solve(problem).parts)


def test_parameters_are_the_structured_variables() -> None:
    text = FILE.replace('wrt = ["P"]', 'wrt = "parameters"').replace('x = { shape = "N" }', 'x = { shape = "N", role = "input" }')
    problem = read_text(text, "structured.toml")[0]
    assert problem.parts[0].ask.wrt == (problem.graph.free("P"),)  # type: ignore[union-attr]
    assert problem.parts[0].ask.task(problem.graph)[3] == F.Just(problem.graph.symbol("P"))


def test_from_python() -> None:
    s, x = symgrad.variable("S", "N, N", structure="symmetric"), symgrad.variable("x", "N", role="input")
    g = symgrad.graph(L=x.T @ s @ x)
    assert "# (N, N), symmetric: S" in str(g)
    found = g.backward("L")
    assert str(found.answers["S_grad"]) == "x @ x.T" and found.proved
    assert str(found.graph).endswith("S_grad = x @ x.T") and "S_free" not in str(found.graph)
    f = found.lambdify()
    assert f.inputs == ("x", "S") or set(f.inputs) == {"x", "S"}
    assert np.allclose(f(S=np.eye(2), x=np.array([1.0, 2.0]))["S_grad"], [[1, 2], [2, 4]])
    assert g.check_gradient("L", {"S": "x @ x.T"}).proved
    wrong = g.check_gradient("L", {"S": "2 * x @ x.T"})
    assert not wrong.proved and str(wrong).startswith("S: wrong") and "S_grad = x @ x.T" in str(wrong)
    entries = symgrad.graph(L=x.T @ symgrad.variable("S", "N, N", structure="symmetric", convention="entries") @ x)
    assert entries.check_gradient("L", {"S": "2 * x @ x.T - (x @ x.T) * eye(N)"}).proved
    for bad in ({"structure": "symetric"}, {"structure": "symmetric", "convention": "half"}):
        with pytest.raises(SpecError):
            symgrad.variable("S", "N, N", **bad)
    with pytest.raises(SpecError):
        symgrad.variable("S", "N", structure="symmetric")
    with pytest.raises(SpecError):
        g.given({"S": [[1, 2], [3, 4]]})
    assert replace(g, values=()).given({"S": [[1, 2], [2, 4]]}).values[0].name == g.graph.free("S")


def test_answers_that_differ_by_a_symmetry_are_the_same() -> None:
    """C^-T for C^-1 in a choice and in [expected], C being symmetric by its definition; a flipped sign is told apart at a point."""
    declared = 'S = { shape = "N, N", structure = "symmetric" }\nX = { shape = "M, N" }\nz = { shape = "M" }\nc = {}'
    right, wrong = (f"X.T @ (inv(C).T {sign} inv(C) @ z @ z.T @ inv(C).T) @ X" for sign in "-+")
    text = f"""format = 1
id = "sandwich"
title = "t"
[symbols]
{declared}
[model]
let = '''
C = X @ S @ X.T + c * eye(M)
L = logdet(C) + z.T @ inv(C) @ z
'''
[[part]]
label = "a"
ask = "choose"
of = "L"
wrt = ["S"]
choices = ["{right}", "{wrong}"]
[[part]]
label = "b"
ask = "backward"
of = "L"
wrt = ["S", "X"]
[expected]
"a" = 1
"b.S_grad" = "{right}"
"b.X_bar" = "2 * C_bar @ X @ S"
"""
    problem, expected = read_text(text, "sandwich.toml")
    rows = summary(solve(problem, expected))
    assert all(row.good and row.expected == "yes" and set(row.counts) == {"proved"} for row in rows), rows
    problem, expected = read_text(text.replace(f'"b.S_grad" = "{right}"', f'"b.S_grad" = "{wrong}"'), "sandwich.toml")
    assert [row.expected for row in summary(solve(problem, expected))] == ["yes", "no: S_grad"]
