"""Functions of whole vectors and matrices, slices, and what is said where they do not fit."""

from __future__ import annotations

import pytest
from sympy import Integer, MatrixSymbol

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import KNOWN, MORE_VECTOR_FUNCTIONS, VECTOR_FUNCTIONS, dimension
from symgrad.reader.letlist import Scope, expression
from symgrad.reader.vectors import OF_VECTORS

N, K = dimension("N"), dimension("K")
x, y, A, B = (MatrixSymbol(n, *s) for n, s in (("x", (N, 1)), ("y", (K, 1)), ("A", (N, K)), ("B", (N, N))))


def read(text: str):  # type: ignore[no-untyped-def]
    return expression(text, Scope({"x": x, "y": y, "A": A, "B": B, "c": v.scalar("c")}, {"N": N, "K": K}))


def test_the_names_are_reserved() -> None:
    assert set(OF_VECTORS) == set(VECTOR_FUNCTIONS) | set(MORE_VECTOR_FUNCTIONS)
    assert not set(OF_VECTORS) & set(KNOWN)


def test_a_symbol_may_take_the_name_of_most() -> None:
    scope = Scope({"var": v.scalar("var"), "x": x}, {"N": N})
    assert expression("var * sum(x)", scope) == v.times(v.scalar("var"), v.SumOf(x))
    with pytest.raises(SpecError, match="var is a variable, it cannot be applied"):
        expression("var(x)", scope)


@pytest.mark.parametrize(("text", "shape"), [
    ("sum(A, 0)", (K, 1)), ("sum(A, 1)", (N, 1)), ("mean(A, 0)", (K, 1)), ("softmax(A, 1)", (N, K)), ("softmax(A, 0)", (N, K)),
    ("logsumexp(A, 0)", (K, 1)), ("A[1, :]", (1, K)), ("A[:, 2]", (N, 1)), ("x[1:3]", (3, 1)), ("A[2:3, 1:2]", (2, 2)),
    ("kron(A, B)", (N * N, K * N)),
    ("concat(x, y)", (N + K, 1)), ("hstack(A, B)", (N, N + K)), ("vec(A)", (N * K, 1)), ("conv(x, y)", (N - K + 1, 1)), ("solve(B, A)", (N, K)),
    ("diag(B)", (N, 1)), ("rowmax(A)", (N, 1)), ("colmax(A)", (K, 1)), ("reshape(A, K, N)", (K, N)), ("onehot(2, N)", (N, 1)), ("cumsum(x)", (N, 1)),
])
def test_shapes(text: str, shape: tuple[object, object]) -> None:
    assert read(text).shape == shape


def test_what_they_mean() -> None:
    assert read("sum(A, 0)") == v.matmul(v.transpose(A), v.OneMatrix(N, 1))
    assert read("x[2]") == v.Entry(x, Integer(2), Integer(1))
    assert read("A[:, :]") == A and read("A[1:2, :][2, :]") == op.Block(A, Integer(2), Integer(2), Integer(1), K)
    assert read("max(x)") == op.MaxOf(x) and read("diag(diag(x))") == x


@pytest.mark.parametrize(("text", "same"), [
    ("sum(A, axis=0)", "sum(A, 0)"), ("mean(A, axis=1)", "mean(A, 1)"), ("softmax(A, axis=1)", "softmax(A, 1)"), ("silu(x)", "x * sigmoid(x)"),
    ("logsigmoid(x)", "-softplus(-x)"), ("log1p(A)", "log(1 + A)"), ("expm1(c)", "exp(c) + -1"), ("square(x)", "x^2"),
    ("cosh(x)", "1/2 * (exp(x) + exp(-x))"), ("sinh(c)", "1/2 * (exp(c) + -1 * exp(-c))"),
])
def test_what_is_written_in_terms_of_others(text: str, same: str) -> None:
    assert read(text) == read(same)


@pytest.mark.parametrize(("text", "power"), [("1 / (2 * x)", -1), ("1 / (2 * x @ y.T)", -1), ("(2 * x)^(-1)", -1)])
def test_the_reciprocal_of_a_multiple_is_a_matrix(text: str, power: int) -> None:
    """A product of matrices is a product of scalars for SymPy; its reciprocals are those of its entries."""
    found = read(text)
    inside = read(text.partition("2 * ")[2].rstrip(")^(-1") if "^" in text else text.partition("2 * ")[2].rstrip(")"))
    assert found == v.scale(Integer(1) / 2, v.Power(inside, Integer(power)))


@pytest.mark.parametrize(("text", "says"), [
    ("ln(x)", "did you mean log"), ("tr(B)", "did you mean trace"), ("B^(-1)", r"write inv\(A\)"), ("B**-1", "1 / A for the reciprocals"),
    ("sum(A, axis=2)", "the axis is 0"),
    ("sum(A, 2)", "the axis is 0"), ("softmax(A)", r"softmax\(A, 1\) for each row"), ("solve(A, x)", "a square matrix is needed"),
    ("solve(B, y)", "the right side"), ("concat(x, A)", "the same number of columns"), ("A[0, :]", "outside 1..N"), ("A[3:2, :]", "are outside 1..N"),
    ("A[1:2]", "give row and column"), ("x[1:]", "names both its ends"), ("reshape(A, K, K)", r"has K\*N entries"), ("onehot(x, N)", "the position"),
    ("conv(x, A)", "the kernel"), ("inner(A, B)", "the same shape is needed"), ("vec(c)", "takes a vector or matrix"),
    ("kron(A)", "takes 2 arguments"),
])
def test_what_does_not_fit_is_said(text: str, says: str) -> None:
    with pytest.raises((SpecError, AttributeError), match=says):
        read(text)


@pytest.mark.parametrize(("text", "says"), [("norm(A, 2)", "order 2"), ("maxpool(x, 2)", "both are numbers"), ("x[1:3:2]", "a step"),
                                            ("asin(x)", "^asin: there is no rule"), ("expm(B)", "^expm: there is no rule"), ("prod(x)", "^prod"),
                                            ("sum(A, axis=1, keepdims=1)", "the argument keepdims=")])
def test_what_has_no_meaning_here_is_unsupported(text: str, says: str) -> None:
    with pytest.raises(Unsupported, match=says):
        read(text)


def test_the_squared_norm_of_a_number_is_its_square() -> None:
    """Also at 0, where |r|^2 has no second derivative by rule; abs(r)^2, and other powers of a norm, stay as they are written."""
    assert read("norm(c)^2") == read("c^2") and read("1/2*norm(c)^(-2)") == read("1/2*c^(-2)")
    for text, other in (("abs(c)^2", "c^2"), ("norm(c)^3", "c^3"), ("norm(c)", "c"), ("norm(x)^2", "x^2")):
        assert read(text) != read(other)
