"""False claims about tangents that must not be called proved, and true ones that must be, however the claims are mixed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr, Identity, Integer, MatAdd, MatMul, ZeroMatrix

from symgrad.check.checker import Checker
from symgrad.check.splits import divided_alike
from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, ClosedTangent, Line, Tangent
from symgrad.language.functions import Fn, dimension
from symgrad.language.steps import Ground
from symgrad.pipeline import solve
from tests.making import claims, problem

N, M, K = map(dimension, "NMK")
A = v.variable("A", (N, M))


def test_two_seeds_in_one_list_of_claims() -> None:
    """What moves is asked of the adjoints of the seed in question: y_bar stands still for L1, and moves for L2."""
    symbols = 'A = { shape = "M, N" }\nx = { shape = "N" }\nc = { shape = "M" }'
    model = "y = A @ x\nL1 = c.T @ y\nL2 = y.T @ y"
    first, second = (problem(model, symbols, f'ask = "hessian"\nof = "{of}"\nwrt = ["x"]') for of in ("L1", "L2"))
    checker = Checker(first)
    assert all(checker.check(c).ground is Ground.PROVED for c in claims(first))
    for c in claims(second):
        if isinstance(c, Tangent) and c.node == "x_bar":
            zero = ZeroMatrix(N, N)
            assert checker.check(replace(c, expr=zero, lines=(Line(F.Just(zero)),))).ground is Ground.REFUTED
        assert checker.check(c).ground is Ground.PROVED


def test_an_adjoint_that_was_verified_again_in_another_form() -> None:
    """Kept and written-out slopes of one problem, the claims of both parts one after the other."""
    symbols = 'A = { shape = "M, N" }\nx = { shape = "N" }'
    parts = [problem("y = A @ x\nL = sum(sigmoid(y))", symbols, f'ask = "hessian"\nof = "L"\nwrt = ["x"]\nderivatives = "{d}"')
             for d in ("kept", "expanded")]
    checker = Checker(parts[0])
    assert all(checker.check(c).ground is Ground.PROVED for p in parts for c in claims(p))
    assert sum(isinstance(c, Adjoint) for p in parts for c in claims(p)) > 2


def turned(a: Expr) -> Expr:
    """The entries of the transpose, column by column, as columns of a matrix shaped like the first: no transpose unless N = M."""
    return op.Unvec(op.Vec(v.transpose(a)), *a.shape)


def test_an_index_divided_in_two_ways_is_not_proved() -> None:
    """Four times over it gives back the matrix at (2, 3), (3, 2) and (N, N), but not at (3, 4)."""
    p = problem("y = 2 * A @ x", 'A = { shape = "N, M" }\nx = { shape = "M" }', 'ask = "jacobian"\nof = "y"\nwrt = ["x"]')
    (c,) = claims(p)
    assert isinstance(c, Tangent)
    for times, ground in ((1, Ground.REFUTED), (2, Ground.REFUTED), (4, Ground.TESTED)):
        e = A
        for _ in range(times):
            e = turned(e)
        e = v.scale(c.expr.args[0], e)
        assert Checker(p).check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).ground is ground
    e = v.scale(c.expr.args[0], op.Unvec(op.Vec(A), N, M))
    assert Checker(p).check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).ground is Ground.PROVED


SQUARE = op.Commutation(N, M)
OTHER = v.variable("B", (M, N))
ALIKE = [
    ([A, turned(A)], False),
    ([A, op.Unvec(op.Vec(A), N, M)], True),
    ([op.Vec(v.transpose(A)), MatMul(SQUARE, op.Vec(A))], True),
    ([op.Vec(A), op.Vec(OTHER)], False),
    ([MatMul(SQUARE, SQUARE)], False),
    ([MatMul(SQUARE, op.Commutation(M, N))], True),
    ([MatMul(op.Kron(A, OTHER), op.Commutation(M, N)), MatMul(op.Commutation(N, M), op.Kron(OTHER, A))], True),
    ([MatMul(op.Kron(A, OTHER), op.Commutation(N, M))], False),
    ([MatMul(v.variable("T", (K, N * M)), op.Vec(A)), MatMul(v.variable("T", (K, N * M)), op.Vec(OTHER))], False),
    ([MatMul(op.Kron(op.Kron(A, A), A), op.Vec(v.variable("C", (M, M**2))))], True),
    ([op.Tril(op.Kron(A, A))], False),
]


@pytest.mark.parametrize(("sides", "alike"), ALIKE, ids=range(len(ALIKE)))
def test_is_an_index_divided_alike(sides: list[Expr], alike: bool) -> None:
    assert divided_alike(sides) is alike


def test_a_name_with_another_shape() -> None:
    """y_dot as a matrix or a number cancels out of a line, but it is no y_dot."""
    p = problem("y = A @ x\nL = sum(tanh(y))", 'A = { shape = "N, N" }\nx = { shape = "N" }\nu = { shape = "N" }',
                'ask = "hvp"\nof = "L"\nwrt = ["x"]\ndirection = ["u"]')
    checker, u = Checker(p), p.graph.symbol("u")
    for c in claims(p):
        if isinstance(c, Tangent) and c.node == "x_bar":
            for wrong in (v.variable("y_dot", (N, N)), v.variable("y_dot", v.SCALAR), v.variable("x", v.SCALAR)):
                e = MatAdd(c.expr, MatMul(wrong, u), MatMul(-1, wrong, u))
                assert "another shape" in checker.check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).method
        assert checker.check(c).ground is Ground.PROVED


def test_a_name_that_stands_for_two_derivatives() -> None:
    """u_wrt_z_bar is du/d(z_bar), and would be the adjoint of u_wrt_z; a_wrt_b_wrt_c may be cut in two places."""
    direction = (("z_bar", ""),)
    p = problem("u = 2 * z_bar\nu_wrt_z = 3 * u", 'z_bar = { shape = "N" }', 'ask = "jacobian"\nof = "u_wrt_z"\nwrt = ["z_bar"]')
    claim = Tangent("u", "", direction, Identity(N), (Line(F.Pushforward("u", "z_bar", direction)), Line(F.Just(v.scale(Integer(2), Identity(N))))))
    assert "and cannot stand for one of u too" in Checker(p).check(claim).method
    assert "u_wrt_z_bar is the name of another derivative" in solve(p).parts[0].failure
    symbols = 'W = { shape = "M, N" }\nc = { shape = "N" }\na = { shape = "K" }\nb_wrt_c = { shape = "M" }'
    p = problem("a_wrt_b = W @ c\ny = a_wrt_b + b_wrt_c\nz = a", symbols, 'ask = "jacobian"\nof = "y"\nwrt = ["c"]')
    assert "a_wrt_b_wrt_c is the name of another derivative" in solve(p).parts[0].failure


def test_a_structured_variable_does_not_move_entry_by_entry() -> None:
    p = problem("y = S @ x", 'S = { shape = "N, N", structure = "symmetric" }\nx = { shape = "N" }\nV = { shape = "N, N" }',
                'ask = "jacobian"\nof = "y"\nwrt = ["x"]')
    v_dot = v.variable("V", (N, N))
    claim = Tangent("S", "", (("S", "V"),), v_dot, (Line(F.Just(v_dot)),))
    assert "tied together" in Checker(p).check(claim).method


def test_a_jacobian_times_another_matrix_is_no_jacobian() -> None:
    """du/dx is known by what it does to dx alone: B (du/dx) M and B (du/dx)^2 are not the Jacobian of B u."""
    symbols = 'A = { shape = "N, N" }\nB = { shape = "N, N" }\nM = { shape = "N, N" }\nx = { shape = "N" }'
    p = problem("u = A @ x\nz = B @ u", symbols, 'ask = "jacobian"\nof = "z"\nwrt = ["x"]')
    checker, looked_at = Checker(p), 0
    for c in claims(p):
        if isinstance(c, Tangent) and c.node == "z":
            for more in (p.graph.symbol("M"), v.variable("u_wrt_x", (N, N))):
                wrong = v.matmul(c.expr, more)
                assert checker.check(replace(c, expr=wrong, lines=(c.lines[0], Line(F.Just(wrong))))).ground is Ground.REFUTED
                looked_at += 1
        assert checker.check(c).ground is Ground.PROVED
    assert looked_at == 2


def test_a_jacobian_of_an_argument_times_something_else() -> None:
    """(du/dw) P is not du/dw: a letter for du stands for (du/dw) vec(dw), and for nothing else times du/dw."""
    p = problem("u = tanh(w)\ny = 2 * u", 'w = { shape = "N" }\nP = { shape = "N, N" }\na = { shape = "N" }',
                'ask = "jacobian"\nof = "y"\nwrt = ["w"]')
    checker, jacobian = Checker(p), v.variable("u_wrt_w", (N, N))
    for c in claims(p):
        if isinstance(c, Tangent) and c.node == "y":
            for factor in (p.graph.symbol("P"), v.Diag(p.graph.symbol("a"))):
                e = MatMul(2, jacobian, factor)
                assert checker.check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).ground is Ground.REFUTED
        assert checker.check(c).ground is Ground.PROVED


def test_a_number_times_the_tangent_along_a_number() -> None:
    """Along a number du/dw is a column, and may be multiplied by a^T b."""
    p = problem("u = w * b\ny = 2 * u", 'w = {}\na = { shape = "N" }\nb = { shape = "N" }', 'ask = "jacobian"\nof = "y"\nwrt = ["w"]')
    checker, column = Checker(p), v.variable("u_wrt_w", (N, Integer(1)))
    a, b = map(p.graph.symbol, "ab")
    for c in claims(p):
        if isinstance(c, Tangent) and c.node == "y":
            e = MatMul(2, column, v.transpose(a), b)
            assert checker.check(replace(c, expr=e, lines=(c.lines[0], Line(F.Just(e))))).ground is Ground.REFUTED
        assert checker.check(c).ground is Ground.PROVED


def test_a_line_along_another_direction() -> None:
    """(du/dw) e is not the tangent along d, and a line that says it is shown nowhere."""
    p = problem("u = tanh(w)", 'w = { shape = "N" }\nd = { shape = "N" }\ne = { shape = "N" }', 'ask = "jacobian"\nof = "u"\nwrt = ["w"]')
    along, other = (("w", "d"),), (("w", "e"),)
    w, d = map(p.graph.symbol, "wd")
    e = v.times(v.Elementwise(Fn("tanh", (1,)), w), d)
    claim = Tangent("u", "", along, e, (Line(F.Pushforward("u", "w", along)), Line(F.Just(e))))
    assert Checker(p).check(claim).ground is Ground.PROVED
    for wrong in (other, (("w", ""),)):
        first, second = claim.lines
        for lines in ((first, Line(F.Pushforward("u", "w", wrong)), second), (first, Line(F.Sum((F.Pushforward("u", "w", wrong),))), second)):
            assert "another direction" in Checker(p).check(replace(claim, lines=lines)).method


def test_a_line_of_another_shape() -> None:
    """3 maps every vector as 3 I does and a row has the entries of the column, but a line has the shape of the derivative."""
    p = problem("u = 3 * w\ny = 2 * u", 'w = { shape = "N" }', 'ask = "jacobian"\nof = "y"\nwrt = ["w"]')
    checker = Checker(p)
    for c in claims(p):
        assert checker.check(c).ground is Ground.PROVED
        if isinstance(c, Tangent) and c.node == "u":
            lines = (c.lines[0], Line(F.Just(Integer(3))), Line(F.Just(c.expr)))
            assert "the shapes differ" in checker.check(replace(c, lines=lines)).method
        if isinstance(c, ClosedTangent):
            assert "the shapes differ" in checker.check(replace(c, expr=Integer(6))).method
    p = problem("y = 2 * R\nL = sum(y)", 'R = { shape = "1, N" }\nE = { shape = "1, N" }', 'ask = "jacobian"\nof = "L"\nwrt = ["R"]')
    along, e = (("R", "E"),), v.scale(Integer(2), p.graph.symbol("E"))
    first, turned_line, last = Line(F.Pushforward("y", "R", along)), Line(F.Just(v.transpose(e))), Line(F.Just(e))
    assert Checker(p).check(Tangent("y", "", along, e, (first, last))).ground is Ground.PROVED
    assert "the shapes differ" in Checker(p).check(Tangent("y", "", along, e, (first, turned_line, last))).method


# ---- what a claim has to be besides true ------------------------------------------------------------------------------

NET = problem("y = A @ x\nh = sigmoid(y) + x", 'A = { shape = "N, N" }\nx = { shape = "N" }\nb = { shape = "N" }\nk = { shape = "K" }',
              'ask = "jacobian"\nof = "h"\nwrt = ["x"]')


def along(node: str, *direction: tuple[str, str], expr: Expr, first: F.Form) -> Tangent:
    return Tangent(node, "", direction, expr, (Line(first), Line(F.Just(expr))))


@pytest.fixture(scope="module")
def net() -> tuple[Tangent, Tangent, ClosedTangent]:
    y, h, closed = claims(NET)
    assert isinstance(y, Tangent) and isinstance(h, Tangent) and isinstance(closed, ClosedTangent)
    return y, h, closed


def refusal(*found: Tangent | ClosedTangent) -> str:
    """The reason for which the last claim is refused, after the others."""
    checker = Checker(NET)
    last = [checker.check(c) for c in found][-1]
    assert last.ground is Ground.REFUTED
    return last.method


def test_a_tangent_has_the_terms_of_the_chain_rule_and_what_they_rest_on(net: tuple[Tangent, Tangent, ClosedTangent]) -> None:
    y, h, closed = net
    both = h.lines[0].form
    assert isinstance(both, F.Sum)
    strange = F.Sum((*both.terms, F.Pushforward("h", "A", h.direction)))
    assert "forgets what x contributes" in refusal(y, replace(h, lines=(Line(both.terms[0]), *h.lines[1:])))
    assert "is no argument of h, or one twice" in refusal(y, replace(h, lines=(Line(strange), *h.lines[1:])))
    assert "is no argument of h, or one twice" in refusal(y, replace(h, lines=(Line(F.Sum((*both.terms, both.terms[0]))), *h.lines[1:])))
    assert "before it is derived" in refusal(h)
    assert "has no lines" in refusal(replace(y, lines=()))
    assert "before it is derived" in refusal(y, replace(h, lines=(h.lines[0],), expr=v.matmul(h.expr, v.variable("h_wrt_x", (N, N)))))
    assert "was not derived" in refusal(y, closed)
    assert "still has" in refusal(y, h, replace(closed, expr=h.expr))


@pytest.mark.parametrize(("direction", "why"), [
    ((), "a direction has a variable"),
    ((("x", ""), ("x", "")), "several different ones"),
    ((("x", "b"), ("y", "b")), "depends on another name"),
    ((("x", "k"),), "is not a name with its shape"),
    ((("x", "nothing"),), "is not a name with its shape"),
    ((("x", "x"),), "itself moves along the direction"),
    ((("x", "y"),), "itself moves along the direction"),
    ((("x", "h"),), "itself moves along the direction"),
])
def test_what_is_no_direction(direction: tuple[tuple[str, str], ...], why: str, net: tuple[Tangent, Tangent, ClosedTangent]) -> None:
    assert why in refusal(replace(net[0], direction=direction))


def test_the_direction_itself_and_what_stands_still() -> None:
    b, zero, x = v.variable("b", (N, Integer(1))), ZeroMatrix(N, N), (("x", ""),)
    moves = along("x", ("x", "b"), expr=b, first=F.Just(b))
    assert Checker(NET).check(moves).ground is Ground.PROVED
    twice = v.scale(Integer(2), b)
    assert "is b by definition" in refusal(along("x", ("x", "b"), expr=twice, first=F.Just(twice)))
    assert "is I by definition" in refusal(along("x", *x, expr=zero, first=F.Just(zero)))
    still = along("b", *x, expr=zero, first=F.Just(zero))
    assert Checker(NET).check(still).ground is Ground.PROVED
    assert "b does not depend on x" in refusal(along("b", *x, expr=Identity(N), first=F.Just(Identity(N))))
