"""The let-list: what each line means, exactly; and what is said of what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from sympy import Expr, HadamardProduct, Integer, MatMul, MatrixSymbol, Pow, Rational, Transpose

from symgrad.check.calculus import differentiate
from symgrad.check.evaluation import evaluate
from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError, SpecError, SpecErrors, Unsupported
from symgrad.language.functions import Call, Fn, call, dimension, scalar, unknown
from symgrad.reader.letlist import Scope, check_name, definition, exact, expression, expressions, number, statements
from symgrad.reader.read import read_text

N, K = dimension("N"), dimension("K")
a, b, c = (scalar(n) for n in "abc")
x, y = MatrixSymbol("x", N, 1), MatrixSymbol("y", N, 1)
W, A = MatrixSymbol("W", K, N), MatrixSymbol("A", N, N)


def scope() -> Scope:
    return Scope({"a": a, "b": b, "c": c, "x": x, "y": y, "W": W, "A": A, "S": scalar("S"), "E": scalar("E"), "I": scalar("I"), "e": scalar("e")},
                 {"N": N, "K": K}, {"loss": unknown("loss", 2, True)})


def read(text: str) -> Expr:
    return expression(text, scope())


# ---- a slope that is a variable --------------------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [Rational(1, 4), Rational(-2), Integer(0), Integer(3)])
@pytest.mark.parametrize("at", [-2, -1, 0, 1, 5])
def test_a_leaky_unit_whose_slope_is_a_variable(slope: Rational, at: int) -> None:
    """The value z or a z as in every book; the derivative at 0 by the convention is that of a leaky unit with a number for its slope."""
    e, point = read("leaky_relu(b, a)"), {a: slope, b: Integer(at)}
    assert evaluate(e, point) == (at if at > 0 else slope * at)
    for tie in (Rational(0), Rational(1, 2), Rational(1)):
        known = evaluate(differentiate(read(f"leaky_relu(b, {slope})"), b), point, tie)
        assert evaluate(differentiate(e, b), point, tie) == known == (slope + (1 - slope) * tie if at == 0 else 1 if at > 0 else slope)
    assert v.shape_of(read("leaky_relu(x, a)")) == (N, Integer(1))
    with pytest.raises(Unsupported, match="a slope that is a vector"):
        read("leaky_relu(x, x)")


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), [
    ("0.1", Rational(1, 10)), ("1/2", Rational(1, 2)), ("1e-3", Rational(1, 1000)), ("2.50", Rational(5, 2)), ("1_000", Integer(1000)),
    ("0.1 + 0.2", Rational(3, 10)),
    ("2/3 - 1/6", Rational(1, 2)), ("3^2", Integer(9)), ("2**10", Integer(1024)), ("2^-2", Rational(1, 4)), ("(1/2)^3", Rational(1, 8)), ("1/3*3",
    Integer(1)),
    ("-2^2", Integer(-4)), ("(-2)^2", Integer(4)), ("2^3^2", Integer(512)), ("2*-3", Integer(-6)), ("--3", Integer(3)), ("+3", Integer(3)),
    ("7 - 2 - 1", Integer(4)),
])
def test_numbers_are_exact(text: str, value: Expr) -> None:
    """A power binds tighter than a sign before it, and to the right; 0.1 is a tenth."""
    assert read(text) == value and isinstance(read(text), Rational)


@pytest.mark.parametrize(("given", "value"), [(3, Integer(3)), (-3, Integer(-3)), ("3/4", Rational(3, 4)), ("-0.25", Rational(-1, 4)), (" 1 / 8 ",
Rational(1, 8))])
def test_numbers_in_tables(given: int | str, value: Expr) -> None:
    assert exact(given) == value


@pytest.mark.parametrize(("text", "message"), [
    ("1/0", "division by zero"), ("two", "'two' is not a decimal number"), ("nan", "is out of range"), ("1e999", "is out of range"),
    ("9" * 61, "has more than 60 digits"),
    ("0x1f", "is not a decimal number"), ("", "is not a decimal number"),
])
def test_what_is_no_number(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        exact(text)


def test_a_number_from_text() -> None:
    assert number("0.125") == Rational(1, 8)


# ---- operators and names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "meaning"), [
    ("a^2", Pow(a, 2)), ("-a^2", -(a**2)), ("(-a)^2", Pow(-a, 2, evaluate=False)), ("a^-1", Pow(a, -1)), ("1/a", Pow(a, -1)), ("sqrt(a)",
    call("sqrt", a)), ("a^(1/2)", call("sqrt", a)),
    ("a^b", call("exp", b * call("log", a))), ("S + E*I - e", scalar("S") + scalar("E") * scalar("I") - scalar("e")), ("a*b/c", a * b / c),
    ("abs(a)", call("abs", a)),
    ("max(a, b)", call("max", a, b)), ("max(a, b, c)", call("max", call("max", a, b), c)), ("norm(a)", call("abs", a)), ("leaky_relu(a, 1/5)",
    call("leaky_relu", a, Rational(1, 5))),
    ("g(a)", call("g", a)), ("loss(a, b)", call("loss", a, b)), ("N", N), ("N*a", N * a),
])
def test_scalars(text: str, meaning: Expr) -> None:
    """S, E and I are names like any other; e is the letter, exp is the function."""
    found = read(text)
    assert rebuilt(found) == rebuilt(meaning), found


def rebuilt(e: Expr) -> Expr:
    """The same with sums and products in SymPy's own order."""
    return e.func(*map(rebuilt, e.args)) if e.args and not isinstance(e, v.MatrixExpr) else e


@pytest.mark.parametrize(("text", "meaning"), [
    ("W @ x", MatMul(W, x)), ("x.T", Transpose(x)), ("(W @ x).T", MatMul(Transpose(x), Transpose(W))), ("W.T.T", W), ("x * y", HadamardProduct(x, y)),
    ("x.T @ y", v.AsScalar(MatMul(Transpose(x), y))), ("x^2", v.Power(x, Integer(2))), ("2*x", MatMul(2, x)), ("x/2", MatMul(Rational(1, 2), x)),
    ("relu(W @ x)", v.Elementwise(Fn("relu", (0,)), MatMul(W, x))),
    ("sum(x)", v.SumOf(x)), ("trace(A)", v.TraceOf(A)), ("det(A)", v.DetOf(A)), ("norm(W)", v.Norm(W)), ("softmax(x)", v.Softmax(x)),
    ("logsumexp(x)", v.LogSumExp(x)),
    ("x[2]", v.Entry(x, Integer(2))), ("W[1, 3]", v.Entry(W, Integer(1), Integer(3))), ("dot(x, y)", v.AsScalar(MatMul(Transpose(x), y))),
    ("outer(x, y)", MatMul(x, Transpose(y))),
    ("diag(x)", v.Diag(x)), ("eye(N) @ x", x), ("loss(x, y)", v.UnknownScalar(Fn("loss", (0, 0)), x, y)), ("g(x)", v.Elementwise(Fn("g", (0,)), x)),
])
def test_vectors(text: str, meaning: Expr) -> None:
    assert read(text) == meaning


@pytest.mark.parametrize(("text", "shape"), [
    ("W @ x", (K, 1)), ("x @ x.T", (N, N)), ("x.T @ A @ x", (1, 1)), ("x + 1", (N, 1)), ("inv(A)", (N, N)), ("mean(W)", (1, 1)), ("ones(K, N) * W",
    (K, N)), ("A[2, 2]", (1, 1)),
])
def test_shapes(text: str, shape: tuple[Expr, Expr]) -> None:
    assert v.shape_of(read(text)) == shape


# ---- what does not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), [
    ("W @ y.T", r"left is \(K, N\), right is \(1, N\); the inner dimensions N and 1 differ"), ("x @ y",
    r"left is \(N\), right is \(N\); the inner dimensions 1 and N differ"),
    ("x + W @ x", r"sum: left is \(N\), right is \(K\); the terms of a sum need the same shape"), ("x * (W @ x)",
    "the factors need the same shape; for the matrix product write @"),
    ("max(x, W @ x)", r"max: left is \(N\), right is \(K\); the arguments need the same shape"), ("trace(W)",
    r"trace takes a square matrix, found \(K, N\)"),
    ("inv(W)", r"inv: a square matrix is needed, found \(K, N\)"), ("softmax(W)", r"softmax takes a vector, found \(K, N\)"), ("softmax(a)",
    "softmax takes a vector, found a scalar"),
    ("diag(W)", "diag takes a vector"), ("sum(a)", "sum takes a vector or matrix, found a scalar"), ("a^x",
    r"power: the exponent must be a number, it is \(N\)"),
    ("a[1]", "an index on a scalar"), ("W[1]", r"1 index for a matrix of shape \(K, N\); give row and column"), ("dot(x, W)", "dot takes a vector"),
])
def test_shapes_that_do_not_fit(text: str, message: str) -> None:
    """Both sides are shown."""
    with pytest.raises(ShapeError, match=message):
        read(text)


@pytest.mark.parametrize(("text", "message"), [
    ("q", "unknown name q; the names here are"), ("aa", r"unknown name aa; did you mean a\?"), ("sigmod(a)",
    r"unknown function sigmod; did you mean sigmoid\?"),
    ("a(b)", "a is a variable, it cannot be applied"), ("relu()", "relu takes 1 arguments, found 0"), ("relu(a, b)",
    "relu takes 1 arguments, found 2"), ("max(a)", "max takes at least 2 arguments, found 1"),
    ("sqrt(a, b, c)", "sqrt takes 1 arguments, found 3"), ("ones(0)", "0 is not a dimension or a positive whole number"), ("ones(a)",
    "a is not a dimension"), ("a // b", "FloorDiv is not one of"),
    ("a % b", "Mod is not one of"), ("a & b", "BitAnd is not one of"), ("a < b", "cannot be used here"), ("a if b else c", "cannot be used here"),
    ("a.b", "cannot be used here"),
    ("f'a'", "cannot be used here"), ("a[1:2]", "an index on a scalar"), ("relu(z=a)", "cannot be used here"), ("*a",
    "cannot be used here|cannot read"), ("a +", "cannot read"), ("(a", "cannot read"),
    ("1j", "is not a number"), ("True", "is not a number"), ("...", "is not a decimal number"), ("b'x'", "is not a number"), ("a^100",
    "the exponent 100 is out of range; at most 64 is read"),
    ("0^-1", "division by zero"), ("a/0", "division by zero"), ("x[1/2]", "is not a whole number"), ("x[-1]", "outside 1..N"), ("x[0]",
    "the index 0 is outside 1..N; indices count from 1"),
    ("a" * 41, "unknown name"), ("+".join(["a"] * 10_001), "an expression of 20001 characters; at most 20000 are read"),
])
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(text)


def test_what_is_not_done_yet() -> None:
    for text in ("A^a", "leaky_relu(a, x)"):
        with pytest.raises(Unsupported):
            read(text)


def test_a_long_sum_is_no_deep_one() -> None:
    assert len(read("+".join(["a*b"] * 900)).args) == 900
    with pytest.raises(SpecError, match="nested too deeply"):
        read("+".join(["a*b"] * 4900))


# ---- definitions and lines -------------------------------------------------------------------------------------------


def test_definitions() -> None:
    assert definition("z = a*b", scope()) == ("z", a * b) and definition("z := a*b", scope())[0] == "z"
    for text, message in (("a = b", "the name a is bound twice"), ("N = 3", "N is a dimension and cannot be defined again"), ("relu = a",
    "relu is the name of a function"),
                          ("z", "'z' is not a definition; write name = expression"), ("z = ", "is not a definition"), ("z = a = b",
                          "more than one '='"), ("z == a", "more than one '='"),
                          ("2z = a", "is not a name"), ("z! = a", "is not a name"), ("if = a", "if is a reserved word"), ("z__y = a",
                          "is not a name")):
        with pytest.raises(SpecError, match=message):
            definition(text, scope())


@pytest.mark.parametrize("name", ["x", "x1", "W1_bar", "alpha", "α", "Σ2", "x_1_2", "S", "E", "lambda_1"])
def test_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "1x", "_x", "x__y", "x-y", "lambda", "None", "x" * 41, "x y", "é" * 3, "x\n"])
def test_no_names(name: str) -> None:
    with pytest.raises(SpecError):
        check_name(name)


def test_lines_go_on_while_a_bracket_is_open() -> None:
    text = "z = a + b   # a comment\n\n   # only a comment\ny = max(a,\n        b)\nq = a\nr = (a"
    assert statements(text) == [(1, "z = a + b"), (4, "y = max(a, b)"), (6, "q = a"), (7, "r = (a")]


def test_several_expressions() -> None:
    assert expressions("(a, b*c)", scope()) == expressions("[a, b*c]", scope()) == (a, b * c)
    assert expressions("a + b", scope()) == (a + b,)


def test_nothing_is_evaluated(tmp_path: Path) -> None:
    target = tmp_path / "made"
    for text in (f"__import__('os').mkdir('{target}')", f"open('{target}', 'w')", f"eval('open(\"{target}\")')", "exec('1')", "(lambda: 0)()",
    "[].append(1)", "a.__class__.__bases__"):
        with pytest.raises((SpecError, Unsupported)):
            read(text)
    assert not target.exists()


def test_functions_that_are_applied_are_noted() -> None:
    s = scope()
    expression("softplus(a) + g(b, c) + loss(x, y)", s)
    assert {"softplus", "g", "loss", "exp", "log"} <= set(s.applied) and s.applied["g"].arity == 2
    with pytest.raises(SpecError, match="g takes 2 arguments, found 1"):
        expression("g(a)", s)
    assert isinstance(expression("g(a, b)", s), Call)


def test_the_shape_of_stated_numbers() -> None:
    """A list is a vector, a list of rows a matrix, where no shape is stated; a stated one must fit."""
    def shapes(symbols: str) -> dict[str, str]:
        text = f'format = 1\nid = "s"\ntitle = "S"\n[symbols]\n{symbols}\n[model]\nlet = "y = 2*c"\n[[part]]\nlabel = "a"\nask = "forward"\n'
        return {x.name: str(x.shape) for x in read_text(text, "s.toml")[0].graph.variables}

    found = shapes("c = 2\nx = { value = [1, 2] }\nA = { value = [[1, 2, 3], [4, 5, 6]] }\nr = { value = [[1, 2]] }\nd = { value = 3 }")
    assert found == {"c": "(1, 1)", "x": "(2, 1)", "A": "(2, 3)", "r": "(1, 2)", "d": "(1, 1)"}
    with pytest.raises(SpecErrors, match=r"x is \(3\), found 2 x 1 numbers"):
        shapes('c = 2\nx = { value = [1, 2], shape = "3" }')
