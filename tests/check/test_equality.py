"""Equality of expressions over a graph: proved, refuted with a point, or undecided; and what makes it linear."""

from __future__ import annotations

import pytest
from sympy import Expr, Integer, Mul, OneMatrix, Rational

from symgrad.check.abstraction import literal_sizes, opaque, with_any_argument
from symgrad.check.equality import Equality, arguments_that_differ, can_occur
from symgrad.check.errors import Undecided
from symgrad.check.signs import NEGATIVE, POSITIVE, Signs
from symgrad.language import vectors as v
from symgrad.language.entries import index
from symgrad.language.errors import Refused
from symgrad.language.functions import Fn, call, dimension
from symgrad.language.graph import Graph, Variable
from symgrad.language.problem import Conventions
from symgrad.rules.affine import by
from tests.equivalents import Case

MODEL = """z = W @ x + b
h = sigmoid(z)
r = relu(z)
k = relu(2*z)
q = sigmoid(W @ x + b)
y = U @ h
p = softmax(U @ z)
c = max(min(z, 1), -1)"""
CASE = Case({"x": "D", "W": "M, D", "b": "M", "U": "K, M", "a": "4", "s": "M"}, MODEL, "y = V @ x", {"V": "K, D"})
GRAPH = CASE.problem().graph
S = {x.name: x.symbol for x in GRAPH.all}
HALF = Rational(1, 2)


def fn(name: str, e: Expr) -> Expr:
    return v.apply(Fn(name, (0,)), (e,))


def equality(**more: frozenset[str]) -> Equality:
    return Equality(GRAPH, Conventions(), **more)


TRUE: dict[str, tuple[Expr, Expr]] = {
    "a definition": (S["z"], v.add(v.matmul(S["W"], S["x"]), S["b"])), "two levels": (S["y"], v.matmul(S["U"], fn("sigmoid", S["z"]))),
    "a factor": (S["k"], by(Integer(2), S["r"])), "one in place of the other": (S["h"], S["q"]),
    "with its meaning": (S["h"], v.add(by(HALF, fn("tanh", by(HALF, S["z"]))), by(HALF, OneMatrix(*S["z"].shape)))),
    "softmax of equal arguments": (S["p"], v.Softmax(v.add(v.matmul(v.matmul(S["U"], S["W"]), S["x"]), v.matmul(S["U"], S["b"])))),
}


@pytest.mark.parametrize("name", TRUE)
def test_true(name: str) -> None:
    a, b = TRUE[name]
    assert "compared" in equality().equal(a, b, v.shape_of(a), "the test")


FALSE: dict[str, tuple[Expr, Expr]] = {
    "a factor": (S["k"], S["r"]), "a sign": (S["z"], v.add(v.matmul(S["W"], S["x"]), v.negate(S["b"]))), "another function": (S["h"], S["r"]),
    "a forgotten term": (S["y"], v.matmul(S["U"], S["z"])), "inside softmax": (S["p"], v.Softmax(v.matmul(by(Integer(2), S["U"]), S["z"]))),
    "hard": (S["c"], v.apply(Fn("max", (0, 0)), (S["z"], Integer(-1)))),
}


@pytest.mark.parametrize("name", FALSE)
def test_false(name: str) -> None:
    a, b = FALSE[name]
    with pytest.raises(Refused) as error:
        equality().equal(a, b, v.shape_of(a), "the test")
    assert "the test, entry (" in str(error.value) and "on one side" in str(error.value) and "W[1,1] = " in str(error.value)


def test_undecided_is_said() -> None:
    """Eight sigmoids by eight tanhs in one sum, none of them shown on its own: true, but beyond what is tried."""
    many = [call("sigmoid", v.Entry(S["x"], Integer(1)) * k) for k in range(1, 9)]
    left = sum(many, Integer(0))
    right = sum((HALF * call("tanh", m.arguments[0] / 2) for m in many), Integer(4))
    with pytest.raises(Undecided) as error:
        equality().equal(left, right, v.SCALAR, "the test")
    assert "the test: the normal form does not decide it" in str(error.value)


def test_what_was_shown_is_used() -> None:
    """The same sum, term by term: each sigmoid shown once, then the sum is linear in unknown functions."""
    e = equality()
    tanh = fn("tanh", by(HALF, S["z"]))
    e.rewrites[S["h"]] = tanh  # as if it had been shown: nothing looks at sigmoid any more
    assert "compared" in e.equal(S["y"], v.matmul(S["U"], tanh), S["y"].shape, "the test")


def test_signs_and_permutations() -> None:
    s, z = S["s"], S["z"]
    left, right = fn("tanh", v.times(s, z)), v.times(s, fn("tanh", z))
    assert equality(signs=frozenset({"s"})).equal(left, right, z.shape, "the test")
    with pytest.raises(Refused):
        equality().equal(left, right, z.shape, "the test")
    with pytest.raises(Refused):
        equality(signs=frozenset({"s"})).equal(fn("relu", v.times(s, z)), v.times(s, fn("relu", z)), z.shape, "the test")


# ---- generalisations --------------------------------------------------------------------------------------------------


def test_any_function() -> None:
    e = call("tanh", call("g", v.Entry(S["x"], Integer(1))))
    assert str(opaque(e)) == "_tanh(g(Entry(x, 1, 1)))"


def test_any_argument() -> None:
    z = v.add(v.matmul(S["W"], S["x"]), S["b"])
    found = with_any_argument(fn("sigmoid", by(Integer(2), z)), by(HALF, fn("tanh", v.add(z, S["b"]))))
    assert found is not None and [str(e) for e in found] == ["Elementwise(sigmoid, 2*_argument)", "(1/2)*Elementwise(tanh, _argument + b)"]
    twice = with_any_argument(fn("relu", z), fn("relu", v.add(z, z)))
    assert twice is not None and str(twice[1]).count("_argument") == 1  # one of the two stays as it is, none is lost
    assert set(v.names_in(twice[1])) >= {"W", "x", "b"}
    assert with_any_argument(fn("relu", z), S["b"]) is None and with_any_argument(S["b"], fn("relu", z)) is None


def test_an_argument_that_varies_is_not_one_argument() -> None:
    """sum_j f(a_j) is not M f(a): an entry with a free index stays as it is."""
    j = v.dimension("j")
    inner = v.Entry(S["b"], j) + v.Entry(S["z"], j)
    assert with_any_argument(v.IndexSum(call("relu", inner), j, v.dimension("M")), call("relu", inner)) is None


def test_literal_sizes() -> None:
    wide = v.variable("A", (Integer(64), Integer(3)))
    assert literal_sizes(wide) == {64} and literal_sizes(by(Integer(64), wide)) == set()
    assert literal_sizes(v.Entry(wide, Integer(64), Integer(1))) == set()


def test_contradicting_signs() -> None:
    u = lambda q: (((("u", 1),), "1"), ((), str(q)))  # the kink's argument u + q
    assert can_occur(Signs(known={u(1): POSITIVE, u(-1): NEGATIVE})) and can_occur(Signs(known={u(1): POSITIVE, u(-1): POSITIVE}))
    assert not can_occur(Signs(known={u(1): NEGATIVE, u(-1): POSITIVE}))


def test_equal_arguments_have_equal_values() -> None:
    """sigma(a) = sigma(b) is shown by a = b, where one argument of the value's own shape differs; nothing else is concluded from it."""
    z, x = S["z"], S["W"] * S["x"] + S["b"]
    assert arguments_that_differ(fn("sigmoid", z), fn("sigmoid", x)) == (z, x)
    assert arguments_that_differ(fn("sigmoid", z), fn("tanh", x)) is None
    assert arguments_that_differ(fn("relu", z), z) is None
    two = Fn("max", (0, 0))
    assert arguments_that_differ(v.apply(two, (z, S["b"])), v.apply(two, (S["b"], z))) is None
    inner = [fn("sigmoid", by(Integer(k), S["z"])) for k in (1, 2)]
    with pytest.raises(Refused):
        equality().equal(fn("sigmoid", inner[0]), fn("sigmoid", inner[1]), v.shape_of(z), "a false line")


def test_an_index_is_not_a_number() -> None:
    """(i - 1) ... (i - 5) x is 0 at the first five places: no number of sizes that the count of slots asks for shows the others."""
    n, i = dimension("n"), index("i")
    graph = Graph((Variable("z", (n, Integer(1)), "parameter"), Variable("x", v.SCALAR, "parameter")), ())
    equality, entry = Equality(graph, Conventions()), v.Entry(graph.symbol("z"), i, Integer(1))
    product = Mul(*(i - k for k in range(1, 6)))
    with pytest.raises(Refused, match="an index is not a number"):
        equality.equal(entry, entry + product * graph.symbol("x"), (n, Integer(1)), "the entry", (i,))
