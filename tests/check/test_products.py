"""Sums of products of matrices against numbers: what is made of an expression has its value, at random sizes and entries.

The evaluator of expressions and the one of sums of products share nothing with the code or with one another.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import Any

import numpy as np
import pytest
from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.check.differentials import Differentials, applied
from symgrad.check.errors import Undecided
from symgrad.check.products import Products
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call, Fn, call, dimension

N, M = map(dimension, "NM")
A, B, X, Y = (MatrixSymbol(n, N, N) for n in "ABXY")
R, S = (MatrixSymbol(n, N, M) for n in "RS")
a, b, x = (MatrixSymbol(n, N, 1) for n in "abx")
w = MatrixSymbol("w", M, 1)
c, d = Symbol("c", real=True), Symbol("d", real=True)
LETTERS = (A, B, X, Y, R, S, a, b, x, w, c, d)


def logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "f": np.sin, "f'": np.cos, "f''": lambda z: -np.sin(z),
    "tanh": np.tanh, "tanh'": lambda z: 1 - np.tanh(z)**2, "tanh''": lambda z: -2 * np.tanh(z) * (1 - np.tanh(z)**2),
    "sigmoid": logistic, "sigmoid'": lambda z: logistic(z) * logistic(-z),
    "sigmoid''": lambda z: logistic(z) * logistic(-z) * (1 - 2 * logistic(z)),
    "sigmoid'''": lambda z: logistic(z) * logistic(-z) * (1 - 6 * logistic(z) * logistic(-z)),
}


class Numbers:
    """Values of letters and sizes; every value is a matrix, a number being (1, 1)."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.sizes = {N: int(random.integers(2, 4)), M: int(random.integers(4, 6))}
        self.letters: dict[Expr, Any] = {}
        for s in LETTERS:
            self.letters[s] = random.uniform(0.3, 1.7, [self.size(k) for k in v.shape_of(s)])
            if v.shape_of(s) == (N, N):
                self.letters[s] += 2 * np.eye(self.sizes[N])

    def size(self, e: Expr) -> int:
        return int(e.xreplace(self.sizes))

    # ---- of an expression --------------------------------------------------------------------------------------

    def value(self, e: Expr) -> Any:
        inner = [self.value(arg) if isinstance(arg, Expr) and not isinstance(arg, Fn) else None for arg in e.args] if e not in self.letters else []
        shape = [self.size(k) for k in v.shape_of(e)]
        match e:
            case _ if e in self.letters:
                return self.letters[e]
            case Rational():
                return np.full((1, 1), float(e))
            case Symbol():
                return np.full((1, 1), float(self.size(e)))
            case Identity():
                return np.eye(shape[0])
            case OneMatrix() | ZeroMatrix():
                return np.full(shape, float(isinstance(e, OneMatrix)))
            case Add() | MatAdd():
                return sum(inner)
            case MatMul():
                return reduce(lambda p, q: p @ q if p.shape[1] == q.shape[0] and (1, 1) not in (p.shape, q.shape) else p * q, inner)
            case Mul() | HadamardProduct():
                return reduce(lambda p, q: p * q, inner)
            case Pow() | v.Power():
                return inner[0] ** float(e.args[1])
            case Transpose():
                return inner[0].T
            case Inverse():
                return np.linalg.inv(inner[0])
            case v.Diag():
                return np.diag(inner[0][:, 0])
            case op.Diagonal():
                return np.diag(inner[0])[:, None]
            case v.AsScalar():
                return inner[0]
            case v.SumOf():
                return np.full((1, 1), inner[0].sum())
            case v.TraceOf():
                return np.full((1, 1), np.trace(inner[0]))
            case v.Norm():
                return np.full((1, 1), np.sqrt((inner[0]**2).sum()))
            case v.DetOf():
                return np.full((1, 1), np.linalg.det(inner[0]))
            case v.LogSumExp():
                return np.full((1, 1), np.log(np.exp(inner[0]).sum()))
            case v.Softmax():
                return np.exp(inner[0]) / np.exp(inner[0]).sum()
            case op.RowSoftmax():
                return np.exp(inner[0]) / np.exp(inner[0]).sum(1, keepdims=True)
            case op.RowLogSumExp():
                return np.log(np.exp(inner[0]).sum(1, keepdims=True))
            case op.Tril():
                return np.tril(inner[0])
            case op.Vec():
                return inner[0].ravel("F")[:, None]
            case op.Kron():
                return np.kron(*inner)
            case op.BlockInner():
                (n, m), (p, q) = shape, inner[1].shape
                return np.einsum("ikjl,kl->ij", inner[0].reshape(n, p, m, q), inner[1])
            case op.BlockSum():
                (n, m), (p, q) = shape, inner[1].shape
                return np.einsum("kilj,kl->ij", inner[0].reshape(p, n, q, m), inner[1])
            case op.Commutation():
                n, m = map(self.size, e.args)
                return commutation(n, m)
            case op.Stack():
                return np.vstack(inner)
            case op.Block():
                top, bottom, left, right = map(self.size, e.args[1:])
                return inner[0][top - 1:bottom, left - 1:right]
            case v.Unit():
                return np.eye(self.size(e.args[0]))[:, [int(e.args[1]) - 1]]
            case op.Solve():
                return np.linalg.solve(*inner)
            case Call() | v.Elementwise():
                return FUNCTIONS[e.fn.name + "'" * e.fn.orders[0]](inner[1])
        raise NotImplementedError(type(e).__name__)

    # ---- of a sum of products ----------------------------------------------------------------------------------

    def total(self, terms: Any, shape: Any) -> Any:
        found = np.zeros(shape)
        for (scalars, factors), k in (terms if isinstance(terms, tuple) else terms.items()):
            found = found + float(k) * self.number(scalars) * self.product(factors, shape)
        return found

    def number(self, scalars: Any) -> float:
        return float(np.prod([self.letter(x) ** float(n) for x, n in scalars])) if scalars else 1.0

    def product(self, factors: Any, shape: Any) -> Any:
        if not factors:
            return np.eye(shape[0])
        return reduce(lambda p, q: p @ q, map(self.factor, factors))

    def members(self, content: Any, shape: Any) -> Any:
        return reduce(lambda p, q: p * q, (self.product(m, shape) ** float(n) for m, n in content))

    def letter(self, x: Any) -> float:
        match x:
            case ("product", factors):
                return self.product(factors, (1, 1)).item()
            case ("sum of", content):
                return self.members(content, (1, 1)).sum()
            case ("trace", factors):
                return np.trace(self.product(factors, (1, 1)))
            case ("size", n):
                return self.size(n)
            case ("name", s):
                return self.letters[s].item()
            case ("sum", terms):
                return self.total(terms, (1, 1)).item()
            case ("other", e):
                return self.value(e).item()
            case ("DetOf", shape, terms):
                return np.linalg.det(self.total(terms, [self.size(k) for k in shape]))
            case ("LogSumExp", shape, terms):
                return np.log(np.exp(self.total(terms, [self.size(k) for k in shape])).sum())
            case (Fn() as fn, terms):
                return FUNCTIONS[fn.name + "'" * fn.orders[0]](self.total(terms, (1, 1))).item()
        raise NotImplementedError(x)

    def factor(self, f: Any) -> Any:
        shape = (self.size(f.rows), self.size(f.columns))
        plain = shape[::-1] if f.turned else shape
        match f.kind:
            case "letter":
                found = self.value(f.content)
            case "ones":
                found = np.ones((self.size(f.content), 1))
            case "diag":
                found = np.diag(self.product(f.content, (1, 1))[:, 0])
            case "hadamard":
                found = self.members(f.content, plain)
            case "entries":
                found = self.total(f.content, plain)
            case "diagonal":
                found = np.diag(self.factor(f.content))[:, None]
            case "function" | "symmetric":
                name, (terms,) = f.content
                inner = self.total(terms, plain)
                found = np.linalg.inv(inner) if name == "inverse" else FUNCTIONS[name[0].name + "'" * name[0].orders[0]](inner)
            case "Softmax":
                found = np.exp(self.total(f.content[1], plain))
                found = found / found.sum()
            case "RowSoftmax":
                found = np.exp(self.total(f.content[1], plain))
                found = found / found.sum(1, keepdims=True)
            case "lower":
                found = np.tril(np.ones(plain))
            case "operation" if f.content[0][0] == "Block":
                _, _, low, high, _, _ = f.content[0]
                found = np.eye(self.size(f.columns if not f.turned else f.rows))[self.size(low) - 1:self.size(high)]
            case "rows":
                word, n, k = f.content
                found = np.eye(self.size(n + k))[:, :self.size(n)] if word == "upper" else np.eye(self.size(n + k))[:, self.size(n):]
            case _:
                raise NotImplementedError(f.kind)
        assert found.shape == plain
        return found.T if f.turned else found


def commutation(n: int, m: int) -> Any:
    found = np.zeros((n * m, n * m))
    for i in range(n):
        for j in range(m):
            found[i * m + j, j * n + i] = 1
    return found


class Making:
    """Random expressions of a shape."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def of(self, shape: Any, depth: int) -> Expr:
        return self.number(depth) if shape == v.SCALAR else self.matrix(shape, depth)

    def number(self, depth: int) -> Expr:
        if depth <= 0:
            return self.random.choice([c, d, Integer(2), Rational(1, 2), N])
        pick = self.random.randrange(10)
        n, m = self.random.choice([(N, N), (N, M)])
        match pick:
            case 0:
                return v.as_scalar(v.matmul(v.transpose(self.of((n, 1), depth - 1)), self.of((n, 1), depth - 1)))
            case 1:
                return v.TraceOf(self.of((N, N), depth - 1))
            case 2:
                return v.SumOf(self.of((n, m), depth - 1))
            case 3:
                return v.add(self.number(depth - 1), self.number(depth - 1))
            case 4:
                return v.times(self.number(depth - 1), self.number(depth - 1))
            case 5:
                return Pow(v.Norm(self.of(self.random.choice([(n, m), (n, 1)]), depth - 1)), self.random.choice([1, 2, 3, -1, -2]), evaluate=False)
            case 6:
                return v.power(self.number(depth - 1), Integer(self.random.choice([2, 3, -1, -2])))
            case 7:
                return call(self.random.choice(["tanh", "f"]), self.number(depth - 1))
            case 8:
                return v.LogSumExp(self.of((n, 1), depth - 1))
        return v.power(v.times(c, c), Rational(1, 2))

    def matrix(self, shape: Any, depth: int) -> Expr:
        rows, columns = shape
        letters = [s for s in LETTERS if v.shape_of(s) == shape] or [v.transpose(s) for s in LETTERS if v.shape_of(s) == (columns, rows)]
        if depth <= 0 or not letters:
            extra = [OneMatrix(rows, columns)] + ([Identity(rows)] if rows == columns else [])
            return self.random.choice(letters * 3 + extra)
        pick = self.random.randrange(12)
        inner = self.random.choice([N, M, Integer(1)])
        match pick:
            case 0 | 1:
                return v.matmul(self.of((rows, inner), depth - 1), self.of((inner, columns), depth - 1)) if inner != 1 else v.matmul(
                    self.matrix((rows, Integer(1)), depth - 1) if rows != 1 else OneMatrix(1, 1), self.matrix((Integer(1), columns), depth - 1)
                    if columns != 1 else OneMatrix(1, 1))
            case 2:
                return v.add(self.of(shape, depth - 1), self.of(shape, depth - 1))
            case 3 | 4:
                return v.times(self.of(shape, depth - 1), self.of(shape, depth - 1))
            case 5:
                return v.transpose(self.of((columns, rows), depth - 1))
            case 6:
                return v.scale(self.number(depth - 1), self.of(shape, depth - 1))
            case 7:
                name, orders = self.random.choice([("tanh", 0), ("f", 0), ("f", 1), ("tanh", 1), ("sigmoid", 1), ("sigmoid", 2), ("exp", 0)])
                return v.Elementwise(Fn(name, (orders,)), self.of(shape, depth - 1))
            case 8 if self.random.random() < 0.5 and N in shape:
                if rows == N and columns == N:
                    return self.random.choice([op.Block(op.Stack(self.of((N, N), depth - 1), A), Integer(2), N + 1, Integer(1), N), op.Tril(
                        self.of(shape, depth - 1)), v.matmul(op.Block(Identity(N), Integer(1), N, Integer(1), Integer(2)), op.Block(B, Integer(1),
                                                             Integer(2), Integer(1), N))])
                return v.matmul(v.transpose(op.Stack(A, B)), op.Stack(X, Y)) if shape == (N, N) else self.of(shape, depth - 1)
            case 8:
                return v.Power(self.of(shape, depth - 1), self.random.choice([Integer(2), Integer(3), Integer(-1), Integer(-2)]))
            case 9 if rows == columns:
                return self.random.choice([v.Diag(self.of((rows, Integer(1)), depth - 1)), op.Tril(self.of(shape, depth - 1)),
                                           Inverse(self.random.choice([A, v.add(A, v.times(B, Identity(N))), v.matmul(A, v.transpose(A)),
                                                                       v.matmul(A, B)])) if rows == N else Identity(rows)])
            case 10 if columns == 1:
                return self.random.choice([op.Diagonal(self.of((rows, rows), depth - 1)), v.Softmax(self.of(shape, depth - 1))])
            case 11 if columns != 1:
                diagonal = v.Diag(self.of((rows, Integer(1)), depth - 1)) if rows != 1 else Integer(1)
                return self.random.choice([op.RowSoftmax(self.of(shape, depth - 1)), v.matmul(diagonal, self.of(shape, depth - 1))])
        return self.matrix(shape, depth - 1)


SHAPES = [v.SCALAR, (N, Integer(1)), (N, N), (N, M), (Integer(1), M)]


@pytest.mark.parametrize("seed", range(40))
def test_a_sum_of_products_has_the_value_of_the_expression(seed: int) -> None:
    make, numbers, looked_at = Making(seed), Numbers(seed), 0
    for k in range(25):
        e = make.of(SHAPES[k % len(SHAPES)], 3)
        try:
            terms = Products().terms(e)
        except Undecided:
            continue
        with np.errstate(all="ignore"):
            wanted = numbers.value(e)
            found = numbers.total(terms, wanted.shape)
        if not np.all(np.isfinite(wanted)) or np.max(np.abs(wanted)) > 1e9:
            continue
        assert np.allclose(found, wanted, rtol=1e-6, atol=1e-9 * max(1.0, np.max(np.abs(wanted)))), e
        looked_at += 1
    assert looked_at >= 12


def test_what_is_equal_is_seen_to_be() -> None:
    t, one = v.transpose, OneMatrix(N, 1)
    pairs = [
        (v.matmul(t(v.matmul(A, B)), X), v.matmul(v.matmul(t(B), t(A)), X)),
        (v.matmul(v.Diag(a), v.matmul(A, b)), v.times(v.matmul(A, b), a)),
        (v.times(v.matmul(a, t(b)), A), v.matmul(v.matmul(v.Diag(a), A), v.Diag(b))),
        (v.TraceOf(v.matmul(A, v.matmul(B, X))), v.TraceOf(v.matmul(t(A), v.matmul(t(X), t(B))))),
        (v.SumOf(v.times(A, B)), v.TraceOf(v.matmul(t(A), B))),
        (v.SumOf(v.times(v.times(A, B), X)), v.TraceOf(v.matmul(t(v.times(A, X)), B))),
        (v.as_scalar(v.matmul(t(a), v.times(b, v.matmul(A, x)))), v.as_scalar(v.matmul(t(v.times(b, a)), v.matmul(A, x)))),
        (Pow(v.Norm(R), 2), v.TraceOf(v.matmul(t(R), R))),
        (op.Diagonal(v.matmul(A, B)), v.matmul(v.times(A, t(B)), one)),
        (Inverse(t(A)), t(Inverse(A))),
        (op.BlockInner(op.Kron(R, A), B), v.scale(v.TraceOf(v.matmul(t(A), B)), R)),
        (v.as_scalar(v.matmul(t(op.Vec(R)), op.Vec(S))), v.TraceOf(v.matmul(t(R), S))),
        (op.BlockSum(op.Kron(R, A), S), v.scale(v.SumOf(v.times(R, S)), A)),
        (Inverse(v.add(v.matmul(t(R), R), v.Diag(w))), t(Inverse(v.add(v.Diag(w), v.matmul(t(R), R))))),
        (v.Elementwise(Fn("tanh", (0,)), t(A)), t(v.Elementwise(Fn("tanh", (0,)), A))),
        (v.Elementwise(Fn("tanh", (1,)), A), v.add(OneMatrix(N, N), v.negate(v.Power(v.Elementwise(Fn("tanh", (0,)), A), Integer(2))))),
        (v.times(v.Power(A, Integer(-1)), A), OneMatrix(N, N)),
        (v.as_scalar(v.matmul(t(one), one)), N),
        (Mul(v.Norm(a), v.Norm(a)), v.as_scalar(v.matmul(t(a), a))),
        (Pow(Add(c, d), -1), Mul(2, Pow(Add(Mul(2, c), Mul(2, d)), -1))),
    ]
    for left, right in pairs:
        assert Products().equal(left, right), (left, right)
        wrong = v.scale(Integer(2), right) if isinstance(right, MatrixSymbol | MatMul | MatAdd) else None
        assert wrong is None or not Products().equal(left, wrong)


def test_what_is_not_equal_is_not() -> None:
    t = v.transpose
    pairs = [
        (v.matmul(A, B), v.matmul(B, A)), (v.times(A, B), v.matmul(A, B)), (v.TraceOf(v.matmul(A, B)), v.TraceOf(v.matmul(A, t(B)))),
        (v.power(v.times(c, c), Rational(1, 2)), c), (v.Power(v.times(a, a), Rational(1, 2)), a), (v.times(Identity(N), A), A),
        (v.Diag(a), v.matmul(a, t(OneMatrix(N, 1)))), (Inverse(v.add(A, B)), v.add(Inverse(A), Inverse(B))), (OneMatrix(N, N), Identity(N)),
        (v.matmul(OneMatrix(N, N), OneMatrix(N, N)), OneMatrix(N, N)), (op.Tril(v.matmul(A, B)), v.matmul(op.Tril(A), op.Tril(B))),
        (v.times(v.Power(A, Integer(-1)), A), Identity(N)), (v.Norm(v.add(a, b)), v.add(v.Norm(a), v.Norm(b))),
        (op.RowSoftmax(t(A)), t(op.RowSoftmax(A))),
        (op.BlockInner(op.Kron(R, A), B), v.scale(v.TraceOf(v.matmul(A, B)), R)), (op.BlockSum(op.Kron(A, B), X), v.scale(v.SumOf(v.times(B, X)), A)),
        (v.DetOf(v.scale(Integer(2), Identity(N))), v.DetOf(v.scale(Integer(2), Identity(M)))),  # 2^N, 2^M
        (v.LogSumExp(ZeroMatrix(N, 1)), v.LogSumExp(ZeroMatrix(M, 1))),  # log N, log M
        (op.RowLogSumExp(v.add(R, v.negate(R))), op.RowLogSumExp(v.add(A, v.negate(A)))),
    ]
    for left, right in pairs:
        assert not Products().equal(left, right), (left, right)


def test_a_diagonal_matrix_of_one_number() -> None:
    assert Products().equal(v.Diag(OneMatrix(1, 1)), Identity(1))


def test_zero_and_the_identity_say_nothing_of_their_size() -> None:
    """log sum exp of zeros is the log of how many they are, and det(2 I) is 2^N."""
    none, few = v.add(a, v.negate(a)), v.add(w, v.negate(w))
    pairs = [
        (v.LogSumExp(none), v.LogSumExp(few)), (v.DetOf(v.scale(Integer(2), Identity(N))), v.DetOf(v.scale(Integer(2), Identity(M)))),
        (op.RowLogSumExp(v.matmul(none, v.transpose(few))), op.RowLogSumExp(v.matmul(none, v.transpose(none)))),
    ]
    for left, right in pairs:
        assert not np.allclose(Numbers(0).value(left), Numbers(0).value(right))
        assert not Products().equal(left, right) and Products().equal(left, left)


def test_ends_of_the_laws() -> None:
    """A column of one entry, entries that cancel against the diagonal, and no inverse of zero."""
    assert Products().equal(v.Diag(OneMatrix(1, 1)), OneMatrix(1, 1))
    cancels = v.TraceOf(v.matmul(v.transpose(A), v.times(Identity(N), v.Power(A, Integer(-1)))))
    assert not Products().equal(cancels, v.TraceOf(A))
    with pytest.raises(Undecided):
        Products().terms(Inverse(v.add(A, v.negate(A))))


# ---- differentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_differentials_are_slopes(seed: int) -> None:
    """Against finite differences of the expression, along the differentials of all letters that move."""
    make, numbers, looked_at = Making(seed + 500), Numbers(seed), 0
    dots = {A: B, a: b, R: S, x: v.matmul(X, a), c: d}
    extra = [v.DetOf(A), call("log", v.DetOf(v.matmul(v.transpose(A), A))), op.Solve(A, a), op.RowLogSumExp(R), op.Kron(A, R),
             op.Vec(v.matmul(A, R)), op.Stack(A, v.transpose(A)), v.Elementwise(Fn("sqrt", (0,)), R), v.Elementwise(Fn("log", (0,)), a)]
    for k in range(20):
        e = extra[(seed + k) % len(extra)] if k % 5 == 0 else make.of(SHAPES[k % len(SHAPES)], 3)
        still = [s for s in dots if s not in e.atoms(MatrixSymbol, Symbol)]
        found = Differentials(dots).of(e)
        if found is None:
            assert len(still) == len(dots) or not np.any(numbers.value(e) - moved(numbers, dots, 1e-3).value(e))
            continue
        with np.errstate(all="ignore"):
            wanted = [(moved(numbers, dots, h).value(e) - moved(numbers, dots, -h).value(e)) / (2 * h) for h in (1e-4, 3e-5)]
            value = numbers.value(found)
        scale = np.max(np.abs(wanted[0])) + np.max(np.abs(numbers.value(e)))
        if not np.all(np.isfinite(wanted[1])) or scale > 1e6 or np.max(np.abs(wanted[0] - wanted[1])) > 1e-5 * (1 + scale):
            continue
        assert np.allclose(value, wanted[1], atol=1e-4 * (1 + scale)), e
        looked_at += 1
    assert looked_at >= 8


def test_the_slope_of_leaky_relu_in_its_own_slope() -> None:
    """leaky relu is s z for z < 0, so d^2/(dz ds) = 1 there: neither first derivative stands still.  d^2/dz^2 = d^2/ds^2 = 0."""
    in_z, in_slope = (Call(Fn("leaky_relu", orders), c, d) for orders in ((1, 0), (0, 1)))
    for e, letter in ((in_z, d), (in_slope, c)):
        assert Differentials({letter: Integer(1)}).of(e) == Call(Fn("leaky_relu", (1, 1)), c, d)
    for e, letter in ((in_z, c), (in_slope, d)):
        assert Differentials({letter: Integer(1)}).of(e) == 0
    with pytest.raises(Unsupported):
        Differentials({d: Integer(1)}).of(v.Elementwise(in_z.fn, a, d))


def moved(numbers: Numbers, dots: dict[Expr, Expr], step: float) -> Numbers:
    other = Numbers(0)
    other.sizes, other.letters = numbers.sizes, {s: x + step * numbers.value(dots[s]) if s in dots else x for s, x in numbers.letters.items()}
    return other


def test_jacobians_times_a_direction() -> None:
    """vec(A) = J vec(T), with numbers for all letters."""
    t, T, U = v.transpose, R, S
    vec, K = op.Vec, op.Commutation
    row = Symbol("row", real=True)
    between = v.times(op.Kron(R, OneMatrix(N, 1)), op.Kron(OneMatrix(N, 1), U))
    rearranged = op.Kron(Identity(M), op.Kron(K(N, N), Identity(N)))
    cases = [
        (op.Kron(t(w), A), T), (op.Kron(v.matmul(t(U), U), A), T), (v.matmul(K(N, M), op.Kron(v.matmul(t(U), U), A)), T),
        (v.matmul(op.Kron(U, A), K(M, N)), t(T)), (v.matmul(v.Diag(vec(U)), op.Kron(v.matmul(t(R), U), B)), T),
        (v.add(v.matmul(vec(R), t(vec(U))), v.scale(c, op.Kron(v.matmul(t(U), R), X))), T), (v.matmul(a, t(vec(U))), T),
        (t(vec(U)), T), (OneMatrix(1, N * M), T),
        (v.Diag(v.times(vec(U), vec(R))), T), (between, w), (v.matmul(between, t(U)), x), (t(between), A),
        (v.matmul(rearranged, op.Kron(vec(U), Identity(N * N))), A), (v.matmul(rearranged, op.Kron(Identity(N * M), vec(A))), T),
        (v.matmul(op.Kron(Identity(N * M), t(vec(A))), rearranged), op.Kron(T, X)), (v.matmul(op.Kron(t(vec(R)), Identity(N**2)), rearranged),
                                                                                    op.Kron(T, X)),
        (v.matmul(op.Kron(w, a), t(b)), x), (A, x), (op.Kron(w, A), x), (op.Stack(A, B), x), (vec(R), c),
        (v.scale(row, op.Kron(w, a)), c), (t(a), x), (Identity(N * M), T), (v.Diag(a), x),
    ]
    for seed in range(4):
        numbers = Numbers(seed)
        numbers.letters[row] = np.full((1, 1), 0.7)
        for jacobian, direction in cases:
            left = numbers.value(jacobian) @ numbers.value(direction).ravel("F")[:, None]
            right = numbers.value(applied(jacobian, direction, {}))
            assert np.allclose(left[:, 0], right.ravel("F")), jacobian


def test_joined_matrices_and_their_parts() -> None:
    """<G, A above B above A> is the sum over the parts of G; with two parts changed it is another number."""
    G, t = MatrixSymbol("G", 3 * N, M), v.transpose
    stack = op.stack(op.stack(R, S), R)
    rows = [op.block(G, (k * N + 1, Integer(k + 1) * N), None) for k in range(3)]
    right = v.total(tuple(v.TraceOf(v.matmul(t(g), x)) for g, x in zip(rows, (R, S, R), strict=True)))
    wrong = v.total(tuple(v.TraceOf(v.matmul(t(g), x)) for g, x in zip(rows, (S, R, R), strict=True)))
    products = Products()
    whole = v.TraceOf(v.matmul(t(G), stack))
    assert products.equal(whole, right) and not products.equal(whole, wrong)
    assert products.equal(v.TraceOf(v.matmul(G, t(stack))), right)  # side by side
    numbers = Numbers(3)
    numbers.letters[G] = np.random.default_rng(1).normal(size=(3 * numbers.sizes[N], numbers.sizes[M]))
    assert np.allclose(numbers.value(whole), numbers.value(right)) and not np.allclose(numbers.value(whole), numbers.value(wrong))
