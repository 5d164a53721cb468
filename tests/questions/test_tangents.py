"""Jacobians, Hessians and Hessian-vector products: textbook answers, a second evaluator, corrupted claims, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Integer, Rational, ZeroMatrix

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, ClosedTangent, Line, Tangent, TangentValue
from symgrad.language.errors import SpecErrors
from symgrad.language.operations import Commutation, kron
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.language.tangents import tangent_name, tangent_shape
from symgrad.numeric import compile_graph
from symgrad.pipeline import Result, solve
from symgrad.questions import derive
from symgrad.reader.read import read_text
from symgrad.sheet.notation import Notation
from tests.making import claims, problem, verdicts
from tests.matrix_calculus import reference
from tests.matrix_calculus.tasks import TASKS, Task
from tests.matrix_calculus.test_tasks import declared, flat, numbers, text_of

PLAIN = [t for t in TASKS if t.wrt in declared(t.symbols)]
NO_NOTATION = {"2-D convolution, kernel": "Correlate"}
"""Refused by name as a Hessian; right as a product with a direction."""


def second(task: Task, part: str) -> tuple[Problem, Result]:
    """The task with another question, and a direction shaped like its variable."""
    shape = ", ".join(declared(task.symbols)[task.wrt][0])
    text = text_of(replace(task, gradient="")).split("[[part]]")[0].replace("[model]", f'way = {{ shape = "{shape}" }}\n[model]', 1)
    asked, expected = read_text(f'{text}[[part]]\nlabel = "a"\nof = "L"\nwrt = ["{task.wrt}"]\n{part}\n', "t.toml", "t")
    return asked, solve(asked, expected)


def along(task: Task, names: dict[str, Any], way: Any, step: float) -> float:
    """The second derivative of L along a direction, from three values of an evaluator that shares no code."""
    ends = [reference.run(task.let, {**names, task.wrt: names[task.wrt] + k * step * way})["L"] for k in (-1, 0, 1)]
    return float((ends[0] - 2 * ends[1] + ends[2]) / step**2)


def close(found: float, task: Task, names: dict[str, Any], way: Any) -> bool:
    measured = [along(task, names, way, h) for h in (1e-3, 3e-4, 1e-4)]
    return any(abs(found - m) < 1e-4 * max(1.0, abs(m)) for m in measured)


def values_of(task: Task, asked: Problem, names: dict[str, Any], way: Any) -> dict[str, Any]:
    at = {**names, "way": way}
    return {**flat(at, asked.graph), **{str(d): int(names[str(d)]) for d in asked.graph.dimensions}}


@pytest.mark.parametrize("task", PLAIN, ids=[t.name.replace(" ", "-") for t in PLAIN])
def test_products_with_the_hessian(task: Task) -> None:
    """v^T (H v) is the second derivative along v; every step is proved or, with inverses, tested."""
    asked, result = second(task, 'ask = "hvp"\ndirection = ["way"]')
    (part,) = result.parts
    assert not part.failure
    assert part.derivation is not None
    assert all(x.ground in (Ground.PROVED, Ground.TESTED) for x in part.verdicts.values())
    slopes = {"functions": {"f": np.sin, "f'": np.cos, "f''": lambda z: -np.sin(z)}} if "f(" in task.let else {}
    name = f"{task.wrt}_bar_dot"
    compiled = compile_graph(part.derivation.graph, (name,), **slopes)
    names = numbers(task, 3)
    random = np.random.default_rng(5)
    for _ in range(2):
        way = random.normal(size=np.shape(names[task.wrt])) if np.ndim(names[task.wrt]) else float(random.normal())
        values = values_of(task, asked, names, way)
        found = np.asarray(compiled({k: values[k] for k in compiled.inputs})[name]).reshape(np.shape(way))
        assert close(float(np.sum(found * way)), task, names, way)


@pytest.mark.parametrize("task", PLAIN, ids=[t.name.replace(" ", "-") for t in PLAIN])
def test_hessians(task: Task) -> None:
    """Symmetric at random numbers, and the quadratic form of it is the second derivative along every direction."""
    asked, result = second(task, 'ask = "hessian"')
    (part,) = result.parts
    if task.name in NO_NOTATION:
        assert part.failure.startswith(f"unsupported: the Jacobian through {NO_NOTATION[task.name]} has no matrix notation")
        return
    assert not part.failure
    assert part.derivation is not None
    slopes = {"functions": {"f": np.sin, "f'": np.cos, "f''": lambda z: -np.sin(z)}} if "f(" in task.let else {}
    name = f"{task.wrt}_bar_wrt_{task.wrt}"
    compiled = compile_graph(part.derivation.graph, (name,), **slopes)
    names = numbers(task, 3)
    random = np.random.default_rng(5)
    size = int(np.size(names[task.wrt]))
    values = values_of(task, asked, names, names[task.wrt])
    hessian = np.asarray(compiled({k: values[k] for k in compiled.inputs})[name]).reshape(size, size)
    assert np.allclose(hessian, hessian.T, rtol=1e-8, atol=1e-8)
    for _ in range(3):
        way = random.normal(size=np.shape(names[task.wrt])) if np.ndim(names[task.wrt]) else float(random.normal())
        assert close(float(np.ravel(way, "F") @ hessian @ np.ravel(way, "F")), task, names, way)


INVERSES = ["determinant of a product", "trace of A X^-1 B", "log determinant of a Gram matrix", "Gaussian log-density, covariance",
            "inverse in a bilinear form", "cube of a matrix"]


@pytest.mark.parametrize("name", INVERSES)
def test_products_of_inverses(name: str) -> None:
    """Hessians in a matrix are proved for all sizes; doubled, or with a transpose left out or a commutation matrix, they are not."""
    (task,) = (t for t in TASKS if t.name == name)
    p, result = second(task, 'ask = "hessian"')
    (part,) = result.parts
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    found = claims(p)
    (last,) = (c for c in found if isinstance(c, Tangent) and c.node == f"{task.wrt}_bar")
    square = tangent_shape(p.graph, task.wrt, last.direction)[0]
    wrong = [v.scale(Integer(2), last.expr), v.matmul(last.expr, Commutation(*p.graph.shape(task.wrt))), v.add(last.expr, v.Identity(square))]
    wrong += [] if "Gram" in name else [last.expr.xreplace({a: a.args[0]}) for a in last.expr.atoms(v.Transpose) if a.shape == a.args[0].shape][:1]
    checker = Checker(p)
    for c in found[:found.index(last)]:
        checker.check(c)
    for e in wrong:
        assert e != last.expr
        assert checker.check(replace(last, expr=e, lines=(last.lines[0], Line(F.Just(e))))).ground in (Ground.REFUTED, Ground.UNDECIDED), e


SYMBOLS = 'W = { shape = "K, N" }\nV = { shape = "M, K" }\nx = { shape = "N" }\nt = { shape = "M" }\nu = { shape = "N" }\nU = { shape = "K, N" }'
LET = "z = W @ x\nh = sigmoid(z)\ny = V @ h + V @ z\np = softmax(y)\nL = 1/2*norm(y - t)^2"


def asked(part: str) -> Problem:
    return problem(LET, SYMBOLS, part)


PARTS = {
    "jacobian": 'ask = "jacobian"\nof = "p"\nwrt = ["x"]',
    "jacobian of a matrix": 'ask = "jacobian"\nof = "y"\nwrt = ["W"]',
    "along": 'ask = "jacobian"\nof = "p"\nwrt = ["x", "W"]\ndirection = ["u", "U"]',
    "hessian": 'ask = "hessian"\nof = "L"\nwrt = ["x"]',
    "expanded": 'ask = "hessian"\nof = "L"\nwrt = ["x"]\nderivatives = "expanded"',
    "hvp": 'ask = "hvp"\nof = "L"\nwrt = ["x", "W"]\ndirection = ["u", "U"]',
}


@pytest.mark.parametrize("kind", PARTS)
def test_every_corrupted_claim_is_refused(kind: str) -> None:
    """A term forgotten, doubled, negated, an argument twice, an argument that is none, another direction, a line too few."""
    p = asked(PARTS[kind])
    found = claims(p)
    assert {x.ground for x in verdicts(p, found)} == {Ground.PROVED}
    for k, c in enumerate(found):
        if not isinstance(c, Tangent | ClosedTangent):
            continue
        bent = [replace(c, expr=v.scale(Integer(2), c.expr)), replace(c, expr=v.negate(c.expr))] if not isinstance(c.expr, ZeroMatrix) else []
        if isinstance(c, Tangent):
            bent = [replace(b, lines=(*c.lines[:1], Line(F.Just(b.expr)))) for b in bent if isinstance(b, Tangent)]
            bent.append(replace(c, lines=()))
            first = c.lines[0].form
            if isinstance(first, F.Sum):
                bent.append(replace(c, lines=(Line(first.terms[0]), *c.lines[1:])))
                bent.append(replace(c, lines=(Line(F.Sum((*first.terms, first.terms[0]))), *c.lines[1:])))
                bent.append(replace(c, lines=(Line(F.Sum(first.terms[:-1])), *c.lines[1:])))
            if isinstance(first, F.Pushforward):
                bent.append(replace(c, lines=(Line(F.Sum((first, first))), *c.lines[1:])))
        checker = Checker(p)
        for before in found[:k]:
            checker.check(before)
        for b in bent:
            assert checker.check(b).ground in (Ground.REFUTED, Ground.UNDECIDED), (kind, tangent_name(c.node, c.direction), b)


def test_what_a_claim_rests_on_must_come_before() -> None:
    p = asked(PARTS["hessian"])
    found = claims(p)
    for k, c in enumerate(found):
        if isinstance(c, Tangent) and k:
            grounds = [x.ground for x in verdicts(p, (*found[:k], *found[k + 1:]))]
            assert Ground.REFUTED in grounds or c is found[-1]
    second = tuple(c for c in found if isinstance(c, Tangent) and c.node.endswith("_bar"))
    assert {x.ground for x in verdicts(p, second)} == {Ground.REFUTED}


NO_DIRECTIONS = [(), (("x", "t"),), (("x", "u"), ("x", "u")), (("x", "y"),), (("nothing", ""),), (("x", ""), ("W", "")), (("z", ""), ("x", ""))]


@pytest.mark.parametrize("direction", NO_DIRECTIONS)
def test_a_direction_that_is_none_is_refused(direction: tuple[tuple[str, str], ...]) -> None:
    p = asked(PARTS["jacobian"])
    found = [c for c in claims(p) if isinstance(c, Tangent)]
    assert Checker(p).check(replace(found[0], direction=direction)).ground in (Ground.REFUTED, Ground.UNDECIDED)


def test_an_adjoint_may_not_be_differentiated_before_it_is_derived() -> None:
    p = asked(PARTS["hessian"])
    found = claims(p)
    without = tuple(c for c in found if getattr(c, "node", "") != "z" or isinstance(c, Tangent))
    assert Ground.REFUTED in {x.ground for x in verdicts(p, without)}


def test_the_commutation_matrix() -> None:
    """d vec(X^T) / d vec(X) has a one at (i, j) where entry i of X^T, column by column, is entry j of X."""
    p = problem("Y = X.T + B", 'X = { shape = "N, M" }\nB = { shape = "M, N" }', 'ask = "jacobian"\nof = "Y"\nwrt = ["X"]')
    (part,) = solve(p).parts
    assert part.derivation is not None
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    n, m = 2, 3
    found = compile_graph(part.derivation.graph, ("Y_wrt_X",))({"N": n, "M": m})["Y_wrt_X"]
    names = np.arange(n * m).reshape(n, m)
    assert np.array_equal(found @ names.ravel(order="F"), names.T.ravel(order="F"))


FORMS = [
    ("L = 1/2 * x.T @ A @ x + b.T @ x", "x", "1/2 * (A + A.T)"),
    ("L = norm(x)^2", "x", "2 * eye(N)"),
    ("L = norm(x)", "x", "(eye(N) - x @ x.T / norm(x)^2) / norm(x)"),
    ("L = logsumexp(x) - b.T @ x", "x", "diag(softmax(x)) - softmax(x) @ softmax(x).T"),
    ("p = softmax(x)\nL = -b.T @ log(p)", "x", "sum(b) * (diag(p) - p @ p.T)"),
    ("z = A @ x\nL = sum(softplus(z))", "x", "A.T @ diag(sigmoid(z) * (1 - sigmoid(z))) @ A"),
    ("z = A @ x\nL = sum(exp(z)) - b.T @ z", "x", "A.T @ diag(exp(A @ x)) @ A"),
    ("z = A @ x\nL = sum(g(z))", "x", "A.T @ diag(g''(z)) @ A"),
    ("z = A @ x\nL = 1/2*norm(relu(z) - b)^2", "x", ""),
    ("L = trace(A @ A.T)", "A", "2 * eye(N * N)"),
    ("L = sum(x)", "x", "zeros(N, N)"),
    ("L = logdet(A)", "A", ""),
]


@pytest.mark.parametrize(("let", "wrt", "hessian"), FORMS, ids=[f[0].splitlines()[-1] for f in FORMS])
def test_textbook_hessians(let: str, wrt: str, hessian: str) -> None:
    """Every step proved for all sizes, the numbers agree, and the answer is the one that books have."""
    head = 'format = 1\nid = "t"\ntitle = "t"\n' + ("[functions]\ng = 1\n" if "g(" in let else "")
    stated = f'[expected]\n"a.d2L/d{wrt}2" = "{hessian}"\n' if hessian and "''" not in hessian and "N *" not in hessian else ""
    text = (f'{head}[symbols]\nA = {{ shape = "N, N" }}\nx = {{ shape = "N" }}\nb = {{ shape = "N" }}\n[model]\nlet = """\n{let}\n"""\n'
            f'[[part]]\nlabel = "a"\nask = "hessian"\nof = "L"\nwrt = ["{wrt}"]\n{stated}')
    (part,) = solve(*read_text(text, "t.toml", "t")).parts
    assert not part.failure
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    assert all(agrees for _, agrees in part.expected)
    assert part.comparison is not None
    assert part.comparison.agrees and (part.comparison.points or hessian.startswith("zeros"))


def test_an_inner_node_that_is_symmetric_moves_freely() -> None:
    """C = T T^T is symmetric, but d/dC asks what L does for every C: (C + C^T) x, not 2 C x, is to be differentiated in it."""
    head, ask = 'T = { shape = "N, N" }\nx = { shape = "N" }\nV = { shape = "N, N" }\nu = { shape = "N" }', 'of = "L"\nwrt = ["x", "C"]'
    let = "C = T @ T.T\nL = x.T @ C @ x"
    p = problem(let, head, f'ask = "hessian"\n{ask}', '[expected]\n"a.d2L/dx dC" = "kron(x.T, eye(N)) + kron(eye(N), x.T)"')
    (part,) = solve(p).parts
    assert part.derivation is not None
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    block = next(a.right for a in part.derivation.answers if a.label == "d2L/dx dC")
    assert isinstance(block, F.Just)
    x = np.array([1.0, 2.0])
    values = {"T": np.eye(2), "x": x, "N": 2}
    compiled = compile_graph(part.derivation.graph, ("x_bar_wrt_C",))
    found = compiled({k: values[k] for k in compiled.inputs})["x_bar_wrt_C"]
    wanted = np.array([[(e + e.T) @ x for e in (np.eye(2)[:, [i]] @ np.eye(2)[[j]] for j in range(2) for i in range(2))]][0]).T
    assert np.allclose(found, wanted)
    assert {x.ground for x in solve(problem(let, head, f'ask = "hvp"\n{ask}\ndirection = ["u", "V"]')).parts[0].verdicts.values()} == {Ground.PROVED}


def test_an_adjoint_that_rests_on_a_node_is_not_differentiated_in_it() -> None:
    p = problem("C = T @ T.T\nL = x.T @ C @ x", 'T = { shape = "N, N" }\nx = { shape = "N" }', 'ask = "hessian"\nof = "L"\nwrt = ["x", "C"]')
    C, x = p.graph.symbol("C"), p.graph.symbol("x")
    symmetric = v.matmul(v.scale(Integer(2), C), x)
    found = []
    for c in claims(p):
        if isinstance(c, Adjoint) and c.node == "x":
            c = replace(c, expr=symmetric, lines=(c.lines[0], Line(F.Just(symmetric))))
        if isinstance(c, Tangent) and (c.node, c.direction) == ("x_bar", (("C", ""),)):
            wrong = v.scale(Integer(2), kron(v.transpose(x), v.Identity(x.shape[0])))
            c = replace(c, expr=wrong, lines=(c.lines[0], Line(F.Just(wrong))))
        found.append(c)
    grounds = [x.ground for x, c in zip(verdicts(p, tuple(found)), found, strict=True) if isinstance(c, Tangent) and c.direction == (("C", ""),)]
    assert Ground.REFUTED in grounds and Ground.PROVED not in [
        g for g, c in zip(grounds, (c for c in found if isinstance(c, Tangent) and c.direction == (("C", ""),)), strict=True) if c.node == "x_bar"]


def test_a_wrong_expected_hessian_does_not_agree() -> None:
    text = ('format = 1\nid = "t"\ntitle = "t"\n[symbols]\nA = { shape = "N, N" }\nx = { shape = "N" }\n[model]\nlet = "L = x.T @ A @ x"\n'
            '[[part]]\nlabel = "a"\nask = "hessian"\nof = "L"\nwrt = ["x"]\n[expected]\n"a.d2L/dx2" = "2 * A"\n')
    (part,) = solve(*read_text(text, "t.toml", "t")).parts
    assert [agrees for _, agrees in part.expected] == [False]


@pytest.mark.parametrize(("part", "says"), [
    ('ask = "hessian"\nof = "y"\nwrt = ["x"]', r"y is \(M\); a scalar is needed"),
    ('ask = "hessian"\nof = "L"\nwrt = ["x", "z"]', "wrt: z depends on x"),
    ('ask = "hessian"\nof = "L"\nwrt = ["q"]', "there is no q"),
    ('ask = "hvp"\nof = "L"\nwrt = ["x"]\ndirection = ["t"]', r"direction: t is \(M\), x is \(N\)"),
    ('ask = "hvp"\nof = "L"\nwrt = ["x", "W"]\ndirection = ["u"]', "2 names in wrt, 1 directions"),
    ('ask = "hvp"\nof = "L"\nwrt = ["z"]\ndirection = ["h"]', "h moves with z"),
    ('ask = "hvp"\nof = "L"\nwrt = ["x"]', "direction"),
    ('ask = "jacobian"\nof = "y"\nwrt = []', "wrt"),
])
def test_what_is_wrong_with_a_question(part: str, says: str) -> None:
    with pytest.raises(SpecErrors, match=says):
        asked(part)


def test_a_name_that_a_derivative_needs() -> None:
    p = problem("z = W @ x\nz_dot = z\nL = norm(z)^2", 'W = { shape = "K, N" }\nx = { shape = "N" }\nu = { shape = "N" }',
                'ask = "hvp"\nof = "L"\nwrt = ["x"]\ndirection = ["u"]')
    assert "z_dot is a name of the problem" in solve(p).parts[0].failure


def test_what_has_no_matrix_notation_says_so() -> None:
    p = problem("Y = conv(X, W)\nL = norm(Y)^2", 'W = { shape = "3, 3" }\nX = { shape = "5, 5" }', 'ask = "hessian"\nof = "L"\nwrt = ["W"]')
    assert "ask for a product with a direction" in solve(p).parts[0].failure


def test_cost_is_linear_in_the_depth() -> None:
    """Twice the layers, twice the tangents: one each for z, h and their adjoints."""
    def tangents(depth: int) -> int:
        let = "\n".join(f"z{i} = W{i} @ {'x' if i == 1 else f'h{i - 1}'}\nh{i} = tanh(z{i})" for i in range(1, depth + 1))
        symbols = 'x = { shape = "N" }\nu = { shape = "N" }\n' + "\n".join(f'W{i} = {{ shape = "N, N" }}' for i in range(1, depth + 1))
        p = problem(f"{let}\nL = sum(h{depth})", symbols, 'ask = "hvp"\nof = "L"\nwrt = ["x"]\ndirection = ["u"]')
        return sum(isinstance(s.claim, Tangent) for s in derive(p, p.parts[0]).all_steps())

    assert tangents(8) - tangents(4) == tangents(12) - tangents(8) == 16


def test_a_name_in_itself() -> None:
    """dx/dx = I is an answer where it is asked; an argument that nothing moves gives 0."""
    p = problem("y = A @ x", 'A = { shape = "M, N" }\nx = { shape = "N" }\ns = {}', 'ask = "jacobian"\nof = "x"\nwrt = ["x", "A"]')
    for asked, shown in ((p, ["I", "0"]), (replace(p, parts=(replace(p.parts[0], ask=replace(p.parts[0].ask, of="s", wrt=("s",))),)), ["1"])):
        (part,) = solve(asked).parts
        assert not part.failure
        assert part.derivation is not None
        assert [str(a.right.expr) for a in part.derivation.answers if isinstance(a.right, F.Just)] == shown


def test_equal_terms_are_counted() -> None:
    """2 V^T, not V^T + V^T."""
    p = problem("L = trace(X @ X)", 'X = { shape = "N, N" }\nV = { shape = "N, N" }', 'ask = "hvp"\nof = "L"\nwrt = ["X"]\ndirection = ["V"]')
    (part,) = solve(p).parts
    assert part.derivation is not None
    (answer,) = part.derivation.answers
    assert answer.right == F.Just(v.scale(Integer(2), v.transpose(v.variable("V", p.graph.shape("V")))))


def test_a_total_derivative_is_told_from_a_partial_one() -> None:
    """du/dx is the partial derivative in x with y fixed, and more: one sign for both would print a line that is false."""
    p = problem("y = A @ x\nu = x * y", 'A = { shape = "N, N" }\nx = { shape = "N" }', 'ask = "jacobian"\nof = "u"\nwrt = ["x"]')
    n, direction = Notation(p.graph), (("x", ""),)
    total, partial = (n.form(f) for f in (F.TangentOf("u", direction), F.Pushforward("u", "x", direction)))
    assert total == r"\frac{\mathrm{d} \mathbf{u}}{\mathrm{d} \mathbf{x}}"
    assert partial == r"\frac{\partial \mathbf{u}}{\partial \mathbf{x}}"


def test_what_is_not_decided_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large to be written out: not that no line answers, but that nothing was decided."""
    monkeypatch.setattr("symgrad.check.explicit.MAX_WRITTEN", 3)
    monkeypatch.setattr("symgrad.check.products.MAX_TERMS", 0)
    p = problem("y = A @ x", 'A = { shape = "M, N" }\nx = { shape = "N" }', 'ask = "jacobian"\nof = "y"\nwrt = ["A"]')
    (part,) = solve(p).parts
    assert part.failure.startswith("undecided: ")
    assert "written out" in part.failure


LOSS = '[functions]\nloss = { arguments = 2, returns = "scalar" }\n'


def unknown_loss(part: str) -> Problem:
    text = (f'format = 1\nid = "t"\ntitle = "t"\n{LOSS}[symbols]\nx = {{ shape = "N" }}\nW = {{ shape = "K, N" }}\nt = {{ shape = "K" }}\n'
            f'u = {{ shape = "N" }}\ns = ""\n[model]\nlet = """\nz = W @ x\ny = tanh(z)\nL = loss(y, t) + s^2 * loss(t, y)\n"""\n'
            f'[[part]]\nlabel = "a"\nof = "L"\n{part}\n')
    return read_text(text, "t.toml", "t")[0]


UNKNOWN = ['ask = "hessian"\nwrt = ["x", "t"]', 'ask = "hvp"\nwrt = ["x"]\ndirection = ["u"]', 'ask = "hessian"\nwrt = ["W", "s"]']


@pytest.mark.parametrize("part", UNKNOWN)
def test_second_derivatives_of_an_unknown_loss(part: str) -> None:
    """Proved, compared with differences of a stand-in, and refused with the arguments of a second derivative exchanged."""
    p = unknown_loss(part)
    (solved,) = solve(p).parts
    assert {x.ground for x in solved.verdicts.values()} == {Ground.PROVED}
    assert solved.comparison is not None and solved.comparison.agrees
    found, exchanged = claims(p), 0
    checker = Checker(p)
    for c in found:
        if isinstance(c, Tangent):
            e = c.expr.xreplace({h: v.UnknownHessian(h.args[0], *h.args[1:3], *h.args[:2:-1]) for h in c.expr.atoms(v.UnknownHessian)
                                 if h.args[1] == h.args[2]})
            if e != c.expr:
                exchanged += 1
                assert checker.check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).ground is Ground.REFUTED
        assert checker.check(c).ground is Ground.PROVED
    assert exchanged


def test_the_value_of_a_hessian_of_a_supplied_loss() -> None:
    """loss(y, t) = 1/4 |y - t|^4: its own first and second derivatives put in, H v is the second derivative along v."""
    p = unknown_loss('ask = "hessian"\nwrt = ["x"]')
    (solved,) = solve(p).parts
    assert solved.derivation is not None

    def second(y: Any, t: Any) -> Any:
        d = np.ravel(y - t)
        return d @ d * np.eye(len(d)) + 2 * np.outer(d, d)

    functions = {"loss[1, 0]": lambda y, t: np.sum((y - t)**2) * (y - t), "loss[0, 1]": lambda y, t: np.sum((y - t)**2) * (t - y),
                 "loss[2, 0]": second, "loss[0, 2]": second}
    compiled = compile_graph(solved.derivation.graph, ("x_bar_wrt_x",), functions=functions)
    random = np.random.default_rng(0)
    at = {"x": random.normal(size=2), "W": random.normal(size=(3, 2)), "t": random.normal(size=3), "s": 0.7, "N": 2, "K": 3}
    found = compiled({k: at[k] for k in compiled.inputs})["x_bar_wrt_x"]

    def loss(x: Any) -> float:
        d = np.tanh(at["W"] @ x) - at["t"]
        return float((1 + at["s"]**2) * (d @ d)**2 / 4)

    for way in random.normal(size=(3, 2)):
        h = 1e-3
        assert abs(way @ found @ way - (loss(at["x"] + h * way) - 2 * loss(at["x"]) + loss(at["x"] - h * way)) / h**2) < 1e-4


def test_a_matrix_in_an_unknown_loss() -> None:
    text = (f'format = 1\nid = "t"\ntitle = "t"\n{LOSS}[symbols]\nX = {{ shape = "N, M" }}\nT = {{ shape = "N, M" }}\n[model]\n'
            'let = "L = loss(X, T)"\n[[part]]\nlabel = "a"\nask = "hessian"\nof = "L"\nwrt = ["X"]\n')
    assert "second derivatives of the unknown function loss in a matrix" in solve(read_text(text, "t.toml", "t")[0]).parts[0].failure


IMAGES: dict[str, Any] = {
    "symmetric": lambda a: (a + a.T) / 2, "skew": lambda a: (a - a.T) / 2, "lower": np.tril, "upper": np.triu,
    "diagonal": lambda a: np.diag(np.diag(a)),
}


def structured(structure: str, part: str) -> Problem:
    text = (f'format = 1\nid = "t"\ntitle = "t"\n[symbols]\nS = {{ shape = "N, N", structure = "{structure}" }}\nx = {{ shape = "N" }}\n'
            'B = { shape = "N, N" }\nV = { shape = "N, N" }\n[model]\nlet = """\ny = (S + B) @ x\nL = sum(exp(y)) + trace(S @ S @ B @ S)\n"""\n'
            f'[[part]]\nlabel = "a"\n{part}\n')
    return read_text(text, "t.toml", "t")[0]


@pytest.mark.parametrize("structure", IMAGES)
def test_second_derivatives_in_a_structured_variable(structure: str) -> None:
    """They are those of the free matrix behind it: against differences of L(map(A)) in A; without the map they are refused."""
    p = structured(structure, 'ask = "hessian"\nof = "L"\nwrt = ["x", "S"]')
    (part,) = solve(p).parts
    assert not part.failure
    assert part.derivation is not None
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    assert [a.label for a in part.derivation.answers] == ["d2L/dx2", "d2L/dx dS", "d2L/dS2"]
    random = np.random.default_rng(1)
    n, image = 3, IMAGES[structure]
    at = {"S_free": random.normal(size=(n, n)) / 2, "x": random.normal(size=n) / 2, "B": random.normal(size=(n, n)), "N": n}
    compiled = compile_graph(part.derivation.graph, ("S_free_bar_wrt_S_free", "x_bar_wrt_S_free"))
    found = compiled({k: at[k] for k in compiled.inputs})

    def loss(a: Any, x: Any) -> float:
        s = image(np.reshape(a, (n, n), "F"))
        return float(np.exp((s + at["B"]) @ x).sum() + np.trace(s @ s @ at["B"] @ s))

    a, x, h = np.ravel(at["S_free"], "F"), at["x"], 1e-3
    for _ in range(4):
        u, w, d = random.normal(size=n * n), random.normal(size=n * n), random.normal(size=n)
        for moved, wanted in ((lambda s, t: loss(a + s * u + t * w, x), u @ found["S_free_bar_wrt_S_free"] @ w),  # noqa: B023
                              (lambda s, t: loss(a + s * u, x + t * d), d @ found["x_bar_wrt_S_free"] @ u)):  # noqa: B023
            measured = (moved(h, h) - moved(h, -h) - moved(-h, h) + moved(-h, -h)) / (4 * h * h)
            assert abs(measured - wanted) < 1e-3 * max(1.0, abs(measured))
    claimed = claims(p)
    checker = Checker(p)
    for c in claimed:
        if isinstance(c, Tangent) and c.node == "S":
            whole = v.Identity(c.expr.shape[0])
            assert checker.check(replace(c, expr=whole, lines=(c.lines[0], Line(F.Just(whole))))).ground is Ground.REFUTED
        assert checker.check(c).ground is Ground.PROVED


def test_a_structured_variable_along_a_direction() -> None:
    p = structured("symmetric", 'ask = "hvp"\nof = "L"\nwrt = ["S"]\ndirection = ["V"]')
    (part,) = solve(p).parts
    assert part.derivation is not None
    assert {x.ground for x in part.verdicts.values()} == {Ground.PROVED}
    assert [a.label for a in part.derivation.answers] == ["S_grad_dot"]
    with pytest.raises(SpecErrors, match=r"direction: x is \(N\), S is \(N, N\)"):
        structured("symmetric", 'ask = "hvp"\nof = "L"\nwrt = ["S"]\ndirection = ["x"]')


VALUED = '''format = 1
id = "t"
title = "t"
[symbols]
X = { shape = "3, 2", value = [[1, 0], [1, 1], [1, 2]] }
w = { shape = "2", value = [0, "1/2"] }
y = { shape = "3", value = [0, 1, 1] }
u = { shape = "2", value = [1, -1] }
c = { shape = "2" }
[functions]
f = 1
[model]
let = """
z = X @ w
L = sum(softplus(z)) - y.T @ z
Q = 1/2 * norm(X @ w - y)^2
G = logdet(X.T @ X)
p = softmax(z)
r = relu(z)
k = relu(z - 1/4) + abs(z - 3/4) * exp(z)
M = sum(max(z, y - 1/3)^2)
a = abs(z - 1) * z
F = sum(f(z))
q = c.T @ w
"""
[[part]]
label = "a"
'''
NUMBERS = {
    "exact": ('ask = "hessian"\nof = "Q"\nwrt = ["w"]', lambda X, w: X.T @ X),
    "decimals": ('ask = "hessian"\nof = "L"\nwrt = ["w"]', lambda X, w: X.T @ np.diag(np.exp(X @ w) / (1 + np.exp(X @ w))**2) @ X),
    "a product": ('ask = "hvp"\nof = "L"\nwrt = ["w"]\ndirection = ["u"]',
                  lambda X, w: X.T @ np.diag(np.exp(X @ w) / (1 + np.exp(X @ w))**2) @ X @ np.array([[1], [-1]])),
    "a Jacobian off the kinks": ('ask = "jacobian"\nof = "k"\nwrt = ["z"]', lambda X, w: np.diag(
        (X @ w > 0.25) + np.exp(X @ w) * (np.abs(X @ w - 0.75) + np.sign(X @ w - 0.75)))),
    "a Hessian off the kinks": ('ask = "hessian"\nof = "M"\nwrt = ["w"]',
                                lambda X, w: 2 * X.T @ np.diag(X @ w > np.array([0, 1, 1]) - 1 / 3) @ X),
    "a Jacobian": ('ask = "jacobian"\nof = "p"\nwrt = ["z"]', lambda X, w: np.diag(soft(X @ w)) - np.outer(soft(X @ w), soft(X @ w))),
    "a matrix": ('ask = "hessian"\nof = "G"\nwrt = ["X"]', None),
}


def soft(z: Any) -> Any:
    return np.exp(z) / np.exp(z).sum()


def of_gram(X: Any) -> Any:
    """The Hessian of log det X^T X by differences, entries column by column."""
    def at(d: Any) -> float:
        m = X + np.reshape(d, X.shape, "F")
        return float(np.log(np.linalg.det(m.T @ m)))

    ways = np.eye(X.size) * 1e-3
    return np.array([[(at(a + b) - at(a - b) - at(b - a) + at(-a - b)) / 4e-6 for b in ways] for a in ways])


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_put_in(name: str) -> None:
    """With values for all that it is made of, the matrix of numbers; with one entry changed it is refused."""
    part, evaluate = NUMBERS[name]
    p = read_text(VALUED + part, "t.toml", "t")[0]
    found = claims(p)
    (shown,) = (c for c in found if isinstance(c, TangentValue))
    X, w = np.array([[1.0, 0], [1, 1], [1, 2]]), np.array([0, 0.5])
    wanted = of_gram(X) if evaluate is None else evaluate(X, w)
    values = np.array([[float(x.value if isinstance(x, F.Decimal) else x.expr) for x in row] for row in shown.entries.rows])
    assert np.allclose(values, wanted, atol=1e-4)
    checker = Checker(p)
    assert all(checker.check(c).ground is Ground.PROVED for c in found)
    for i, row in enumerate(shown.entries.rows):
        for j, x in enumerate(row):
            other: F.Form = F.Decimal(x.value + Rational(1, 10**x.digits), x.digits) if isinstance(x, F.Decimal) else F.Just(x.expr + 1)
            bent = tuple(tuple(other if (k, m) == (i, j) else y for m, y in enumerate(r)) for k, r in enumerate(shown.entries.rows))
            assert checker.check(replace(shown, entries=F.Array(bent))).ground is Ground.REFUTED
    assert checker.check(replace(shown, entries=F.Array(shown.entries.rows[:1] * (len(values) + 1)))).ground is Ground.REFUTED
    assert Checker(p).check(shown).ground is Ground.REFUTED


@pytest.mark.parametrize("part", [f'ask = "{ask}"\nof = "{of}"\nwrt = ["w"]' for ask, of in (
    ("jacobian", "r"), ("jacobian", "a"), ("hessian", "F"), ("jacobian", "q"))])
def test_where_there_are_no_numbers(part: str) -> None:
    """At kinks, of unknown functions, and where a value is not given: no numbers, and none are believed."""
    p = read_text(VALUED + part, "t.toml", "t")[0]
    (solved,) = solve(p).parts
    assert not solved.failure
    found = claims(p)
    assert not any(isinstance(c, TangentValue) for c in found)
    last = [c for c in found if isinstance(c, Tangent)][-1]
    rows, columns = (int(n) for n in v.shape_of(last.expr))
    claim = TangentValue(last.node, last.seed, last.direction, F.Array(((F.Just(Integer(0)),) * columns,) * rows))
    checker = Checker(p)
    for c in found:
        checker.check(c)
    assert checker.check(claim).ground in (Ground.REFUTED, Ground.UNDECIDED)


@pytest.mark.parametrize(("stated", "agrees"), [
    ("-kron(inv(X), inv(X).T) @ commutation(N, N)", True), ("-(commutation(N, N) @ kron(inv(X).T, inv(X)))", True),
    ("-kron(inv(X).T, inv(X)) @ commutation(N, N)", False), ("-kron(inv(X), inv(X).T)", False),
])
def test_expected_with_commutation_matrices(stated: str, agrees: bool) -> None:
    """K (A x B) K = B x A: the two true forms differ in which side the commutation matrix stands on."""
    text = ('format = 1\nid = "t"\ntitle = "t"\n[symbols]\nX = { shape = "N, N" }\n[model]\nlet = "L = logdet(X)"\n'
            f'[[part]]\nlabel = "a"\nask = "hessian"\nof = "L"\nwrt = ["X"]\n[expected]\n"a.d2L/dX2" = "{stated}"\n')
    (part,) = solve(*read_text(text, "t.toml", "t")).parts
    assert [x for _, x in part.expected] == [agrees]
