"""Large numbers for sizes: proved with letters in their place where the statement is general, else as before."""

from __future__ import annotations

import pytest
from sympy import Expr, HadamardProduct, Integer, MatAdd, MatMul, OneMatrix, Rational, Transpose

from symgrad.check.checker import unanswered
from symgrad.check.general import General
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint
from symgrad.language.errors import Refused
from symgrad.language.functions import Fn, dimension
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from tests.making import all_hold, backward, claims, pick, verdicts, with_changes

LET = """z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
S = 1/2 * norm(y - s)^2
R = r.T @ h
L = S + R"""


def network(n: int, k: int, let: str = LET) -> Problem:
    return backward(let, f"""x = {{ shape = "{n}" }}
W1 = {{ shape = "{k}, {n}" }}
b1 = {{ shape = "{k}" }}
W2 = {{ shape = "{n}, {k}" }}
b2 = {{ shape = "{n}" }}
r = {{ shape = "{k}" }}
s = {{ shape = "{n}" }}""", "L", "x W1 b1 W2 b2")


MLP = network(8, 7)
g = MLP.graph.symbol


def bar(name: str) -> Expr:
    return v.variable(f"{name}_bar", MLP.graph.shape(name))


def test_a_network_of_any_size_is_proved_with_letters() -> None:
    for n, k in ((8, 7), (784, 512), (6, 6)):
        p = network(n, k)
        found = claims(p)
        assert all_hold(p, found) and not unanswered(p, p.parts[0], found)
        compared = [x.method for x in verdicts(p, found) if x.method.endswith(f"for all sizes in the place of {', '.join(map(str, sorted({n, k})))}")]
        assert len(compared) >= 6
        assert all(x.domain == "for all values" for x in verdicts(p, found))


def test_small_sizes_are_written_out() -> None:
    p = network(3, 5)
    assert not any("in the place of" in x.method for x in verdicts(p, claims(p)))


WRONG = {
    "flipped sign": ("x", MatAdd(MatMul(Transpose(g("W1")), bar("z")), MatMul(-1, bar("y")))),
    "dropped term": ("x", MatMul(Transpose(g("W1")), bar("z"))),
    "doubled factor": ("x", MatAdd(MatMul(2, Transpose(g("W1")), bar("z")), bar("y"))),
    "missing transpose": ("x", MatAdd(MatMul(g("W2"), bar("z")), bar("y"))),
    "wrong coefficient": ("h", MatAdd(MatMul(Transpose(g("W2")), bar("y")), MatMul(2, g("r")))),
    "slope at another place": ("z", HadamardProduct(bar("h"), v.Elementwise(Fn("sigmoid", (1,)), g("h")))),
    "no slope": ("z", bar("h")),
    "almost": ("y", MatAdd(g("y"), MatMul(Rational(-10**9 - 1, 10**9), g("s")))),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_adjoint_is_refused(name: str) -> None:
    node, wrong = WRONG[name]
    found = claims(MLP)
    verdict = with_changes(MLP, found, pick(found, Adjoint, node=node), expr=wrong)
    assert verdict.ground is Ground.REFUTED and "the two sides differ" in verdict.method


def test_what_holds_at_one_size_only_is_proved_for_that_size_only() -> None:
    """b2_bar = (1/8) (1^T 1) y_bar, where 1 has 8 entries."""
    found = claims(MLP)
    special = v.scale(v.times(Rational(1, 8), v.SumOf(OneMatrix(Integer(8), Integer(1)))), bar("y"))
    verdict = with_changes(MLP, found, pick(found, Adjoint, node="b2"), expr=special)
    assert verdict.ground is Ground.PROVED and "in the place of" not in verdict.method
    wrong = v.scale(v.times(Rational(1, 7), v.SumOf(OneMatrix(Integer(8), Integer(1)))), bar("y"))
    assert with_changes(MLP, found, pick(found, Adjoint, node="b2"), expr=wrong).ground is Ground.REFUTED


def test_putting_the_numbers_back_gives_the_statement() -> None:
    general = General(MLP.graph)
    n, k = dimension("n8"), dimension("n7")
    assert general.graph.shape("W1") == (k, n) and general.graph.shape("L") == v.SCALAR
    back = {n: Integer(8), k: Integer(7)}
    assert [x.expr.xreplace(back) for x in general.graph.nodes] == [x.expr for x in MLP.graph.nodes]


def test_shapes_that_fit_for_these_numbers_only_are_not_general() -> None:
    p = backward("c = concat(x, y)\nz = W @ c\nL = 1/2 * norm(z)^2", """x = { shape = "6" }
y = { shape = "7" }
W = { shape = "6, 13" }""", "L", "x W")
    with pytest.raises(Refused):
        General(p.graph)
    found = claims(p)
    assert all_hold(p, found) and not any("in the place of" in x.method for x in verdicts(p, found))


def test_a_letter_is_no_name_of_the_problem() -> None:
    six = (Integer(6), Integer(1))
    graph = Graph((Variable("n6", six), Variable("n_6")), (Node("L", v.as_scalar(v.Norm(v.variable("n6", six)))),))
    assert General(graph).graph.shape("n6") == (dimension("n__6"), Integer(1))
    with pytest.raises(Refused, match="no large sizes"):
        General(Graph((Variable("x"),), ()))
