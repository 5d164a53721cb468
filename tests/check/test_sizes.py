"""Equality at the sizes compared is equality at every size: pairs that agree at small sizes only are never proved."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from sympy import Expr, Integer, MatMul, MatrixSymbol, Mul, OneMatrix, Rational, Transpose, factorial

from symgrad.check.explicit import Explicit, enough, slots
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, AdjointEntry, Differs, Line, Matches
from symgrad.language.entries import index
from symgrad.language.functions import Call, dimension
from symgrad.language.problem import Choose
from symgrad.language.steps import Ground, Verdict
from symgrad.solvers.witness import composed
from tests.making import backward, choose, claims, pick, verdicts, with_changes

N, K = dimension("N"), dimension("K")
SHAPES = {"c": "", "x": "N", "y": "N", "k": "K", "W": "K, N", "A": "N, N", "B": "N, K"}
SYMBOLS = "\n".join(f'{n} = {{ shape = "{s}" }}' for n, s in SHAPES.items())


def judged(left: str, right: str | Expr) -> Verdict:
    """The verdict on `right` as a choice for dL/dc, where L = c * left."""
    p = choose(f"S = {left}\nL = c*S", SYMBOLS, "L", "c", [right if isinstance(right, str) else "c"])
    ask = p.parts[0].ask
    assert isinstance(ask, Choose)
    choice = ask.choices[0] if isinstance(right, str) else (right,)
    derived = tuple(c for c in claims(p) if not isinstance(c, Matches | Differs))
    return verdicts(p, (*derived, Matches("L", ("c",), choice)))[-1]


TRUE = [
    ("sum(x)", "ones(1, N) @ x"), ("norm(x)^2", "x.T @ x"), ("norm(x)^4", "(x.T @ x)^2"), ("norm(x)^3", "norm(x) * norm(x)^2"),
    ("trace(A @ B @ W)", "trace(W @ A @ B)"), ("(x.T @ y)^2", "trace(x @ y.T @ x @ y.T)"), ("norm(A)^2", "trace(A.T @ A)"),
    ("sum(W @ x)", "ones(1, K) @ W @ x"), ("trace(eye(N))", "N"), ("sum(ones(N, K))", "N*K"), ("mean(x) * N", "sum(x)"), ("sqrt(N)^2", "N"),
    ("sum(sigmoid(x) + sigmoid(-x))", "N"), ("sum(tanh(x))", "sum(2*sigmoid(2*x) - 1)"), ("sum(relu(x)) - sum(relu(-x))", "sum(x)"),
    ("sum(softmax(x))", "1"), ("logsumexp(x)", "log(sum(exp(x)))"), ("x.T @ x^(-1)", "N"),
    ("sum(exp(x)) ^ 2", "trace(exp(x) @ exp(x).T) + sum(exp(x) @ exp(x).T) - norm(exp(x))^2"),
    ("x[3] + x[1]", "x[1] + x[3]"), ("(x.T @ x)^3", "norm(x)^6"),
    ("sum(g(W @ x))", "ones(1, K) @ g(W @ x)"),
    ("(N - 2)*(N - 3)", "N^2 - 5*N + 6"), ("sum(sigmoid(W @ x))", "sum(1 - sigmoid(-(W @ x)))"),
    ("norm(x + y)^2", "norm(x)^2 + 2*x.T @ y + norm(y)^2"),
    ("k.T @ sigmoid(W @ x)", "sum(k * sigmoid(W @ x))"),
]


@pytest.mark.parametrize(("left", "right"), TRUE, ids=[f"{a} = {b}"[:60] for a, b in TRUE])
def test_true_for_all_sizes(left: str, right: str) -> None:
    verdict = judged(left, right)
    assert verdict.ground is Ground.PROVED, verdict


FALSE = [
    # sums over nothing, and coefficients that are polynomials in the sizes
    ("sum(ones(N))", "2"), ("trace(eye(N))", "2"), ("(N - 2)*(K - 2)*norm(x)^2", "0*c"), ("(N - 2)*(N - 3)*(N - 4)*(K - 2)*sum(x)", "0*c"),
    ("(N - 2)*(N - 3)", "0*c"), ("sum(x)/N", "sum(x)/2"), ("sum(ones(N, K))", "N + K"), ("sum(ones(N, N))", "4"), ("mean(x)", "sum(x)/2"),
    # an index that drops out by a relation between functions
    ("sum(sigmoid(x) + sigmoid(-x))", "2"), ("exp(x).T @ exp(-x)", "2"), ("x.T @ x^(-1)", "2"), ("sum(x^0)", "2"), ("sum(step(x) + step(-x))", "2"),
    ("trace(exp(x) @ exp(-x).T)", "2"), ("k.T @ k^(-1) * x.T @ x^(-1)", "2*N"), ("sum(sigmoid(W) + sigmoid(-W))", "2*N"),
    ("sum(softmax(x)) + sum(sigmoid(x) + sigmoid(-x))", "3"), ("sum(sqrt(x^2) * abs(x)^(-1))", "2"),
    # a sum inside a function
    ("sum(exp(x))^2 - sum(exp(2*x))", "2*exp(sum(x))"), ("exp(x[1])*exp(x[2])", "exp(sum(x))"),
    ("sum(exp(x))^3 - 3*sum(exp(x))*sum(exp(2*x)) + 2*sum(exp(3*x))", "0*c"),
    ("sqrt(2*norm(x)^2 - sum(x)^2)", "abs(x[1] - x[2])"), ("logsumexp(x)", "log(exp(x[1]) + exp(x[2]))"),
    ("exp(sum(log(exp(x) + 1)))", "1 + sum(exp(x)) + exp(sum(x))"),
    # relations between power sums that hold for few variables
    ("sum(x)^3 - 3*sum(x)*norm(x)^2 + 2*sum(x^3)", "0*c"),
    ("sum(x)^4 - 6*sum(x)^2*norm(x)^2 + 3*norm(x)^4 + 8*sum(x)*sum(x^3) - 6*sum(x^4)", "0*c"),
    ("norm(x)^4 - sum(x^4)", "2*x[1]^2*x[2]^2"), ("(x.T @ x)^3", "sum(x^6) + 3*sum(x^4)*sum(x^2) - 3*sum(x^6)"),
    ("trace(A)^3 - 3*trace(A)*trace(A @ A) + 2*trace(A @ A @ A)", "0*c"),
    # quotients
    ("sum(x^(-1))", "sum(x)/(x[1]*x[2])"), ("sum(x)^2/norm(x)^2", "1 + 2*x[1]*x[2]/norm(x)^2"),
    # fixed positions
    ("sum(x) - x[1] - x[2]", "x[3]"), ("x[1] + x[2]", "sum(x)"), ("sum(x)", "x[1] + x[2] + x[3]"), ("x[3]", "x[2]"),
    ("norm(W)^2", "W[1,1]^2 + W[1,2]^2 + W[2,1]^2 + W[2,2]^2"),
    ("sum(relu(W @ x))", "relu(W[1,1]*x[1] + W[1,2]*x[2]) + relu(W[2,1]*x[1] + W[2,2]*x[2])"),
    # a kink in a size
    ("step(N - 5)", "0*c"), ("relu(N - 40)*sum(x)", "0*c"), ("step(sum(ones(N)) - 5)", "0*c"), ("relu(sum(sigmoid(x) + sigmoid(-x)) - 9)", "0*c"),
    ("sqrt((N - 9)^2)", "9 - N"), ("max(N, 9)", "9"), ("abs(x.T @ x^(-1) - 9)", "9 - N"),
]


@pytest.mark.parametrize(("left", "right"), FALSE, ids=[f"{a} = {b}"[:60] for a, b in FALSE])
def test_true_at_small_sizes_only(left: str, right: str) -> None:
    verdict = judged(left, right)
    assert verdict.ground in (Ground.REFUTED, Ground.UNDECIDED), verdict
    assert verdict.method


def test_a_sum_over_an_index_that_stands_nowhere() -> None:
    k = index("k9")
    assert judged("sum(ones(N))", v.IndexSum(Integer(1), k, N)).ground is Ground.PROVED
    assert judged("2", v.IndexSum(Integer(1), k, N)).ground is Ground.REFUTED
    assert judged("N*sum(x)", v.IndexSum(v.SumOf(MatrixSymbol("x", N, 1)), k, N)).ground is Ground.PROVED
    assert judged("2*sum(x)", v.IndexSum(v.SumOf(MatrixSymbol("x", N, 1)), k, N)).ground is Ground.REFUTED


def test_determinants_are_tested_at_most() -> None:
    """tr(A)^2 - tr(A^2) = 2 det A holds for two rows only."""
    assert judged("1/2*trace(A)^2 - 1/2*trace(A @ A)", "det(A)").ground is not Ground.PROVED


# ---- expressions that are not well formed ----------------------------------------------------------------------------

x, y, k_, W, A, B = (MatrixSymbol(n, *s) for n, s in (("x", (N, 1)), ("y", (N, 1)), ("k", (K, 1)), ("W", (K, N)), ("A", (N, N)), ("B", (N, K))))
i, j = index("i"), index("j")


@pytest.mark.parametrize(("bad", "message"), [
    (v.AsScalar(MatMul(OneMatrix(1, N), OneMatrix(K, 1))), "do not fit"), (v.AsScalar(MatMul(Transpose(x), k_)), "do not fit"),
    (v.TraceOf(W), "do not fit"), (v.TraceOf(MatMul(A, B)), "do not fit"), (v.SumOf(v.MatAdd(W, B)), "do not fit"),
    (v.AsScalar(x), "do not fit"), (Mul._from_args((Integer(2), x)), "do not fit"),
    (v.SumOf(v.Softmax(W)), "do not fit"), (v.DetOf(B), "do not fit"),
    (v.Entry(x, i), "does not run from 1 to N"), (v.Entry(x, Integer(0)), "does not run"), (v.Entry(x, N), "does not run"),
    (v.Entry(x, v.scalar("c")), "does not run"), (v.Entry(x, Rational(1, 2)), "does not run"), (v.Entry(x, Integer(1), Integer(2)), "does not run"),
    (i, "an index is not a number"), (dimension("Q"), "no dimension of the problem"), (v.SumOf(OneMatrix(dimension("Q"), 1)), "is no size"),
    (v.IndexSum(v.Entry(k_, i), i, N), "does not run from 1 to K"), (v.IndexSum(v.Entry(x, i), i, Integer(5)), "does not run from 1 to N"),
    (v.IndexSum(v.Entry(k_, i), i, K) + v.IndexSum(v.Entry(k_, i), i, N), "does not run from 1 to K"),  # the first sum is right, the second not
    (v.IndexSum(v.Entry(x, N), N, N), "cannot be an index"), (v.IndexSum(v.Entry(x, index("c")), index("c"), N), "cannot be an index"),
    (v.IndexSum(v.IndexSum(v.Entry(A, i, i), i, N), i, N), "is bound already"), (v.IndexSum(Integer(1), Integer(1), N), "cannot be an index"),
    (v.IndexSum((i - 1) * (i - 2) * v.Entry(x, i), i, N), "an index is not a number"),
    (v.IndexSum(Call(v.Fn("step", (0,)), i - 5) * v.Entry(x, i), i, N), "an index is not a number"),
], ids=str)
def test_malformed(bad: Expr, message: str) -> None:
    verdict = judged("sum(x)", bad)
    assert verdict.ground is Ground.REFUTED and message in verdict.method, verdict


P = backward("z = W @ x\nL = 1/2*norm(z)^2", 'W = { shape = "K, N" }\nx = { shape = "N" }\nq = { shape = "N" }', "L", "x W q",
             'components = ["x", "W"]')


@pytest.mark.parametrize(("node", "indices", "expr", "message"), [
    ("x", (), Integer(0), "an entry of x_bar has 1 indices"), ("x", (i, j), Integer(0), "an entry of x_bar has 1 indices"),
    ("W", (i, i), Integer(0), "an entry of W_bar has 2 indices"), ("W", (i,), Integer(0), "an entry of W_bar has 2 indices"),
    ("x", (N,), v.Entry(MatrixSymbol("x", N, 1), N), "cannot be an index"),
    ("x", (i,), v.IndexSum(v.Entry(W, i, i) * v.Entry(MatrixSymbol("z_bar", K, 1), i), i, K), "is bound already"),
    ("x", (i,), v.IndexSum(v.Entry(W, j, i) * v.Entry(MatrixSymbol("z_bar", K, 1), j), j, N), "does not run from 1 to"),
    ("W", (i, j), v.Entry(MatrixSymbol("z_bar", K, 1), j) * v.Entry(x, i), "does not run from 1 to"),
    ("x", (i,), v.IndexSum(v.Entry(W, j, i) * v.Entry(MatrixSymbol("z_bar", K, 1), j), j, K) * (1 + (i - 1) * (i - 2)), "an index is not a number"),
    ("x", (i,), v.IndexSum(v.Entry(W, j, i) * v.Entry(MatrixSymbol("q_bar", N, 1), j), j, K), "does not run from 1 to"),
    ("x", (i,), v.IndexSum(v.Entry(W, j, i), j, K), "the two sides differ"),
], ids=str)
def test_entries(node: str, indices: tuple[Expr, ...], expr: Expr, message: str) -> None:
    found = claims(P)
    k = pick(found, AdjointEntry, node=node)
    assert with_changes(P, found, k).ground is Ground.PROVED
    verdict = with_changes(P, found, k, indices=indices, expr=expr)
    assert verdict.ground is Ground.REFUTED and message in verdict.method, verdict


def test_no_path_is_zero_at_every_size() -> None:
    """(N - 2) q is zero where N = 2."""
    q = MatrixSymbol("q", N, 1)
    found = claims(P)
    k = pick(found, Adjoint, node="q")
    assert with_changes(P, found, k).ground is Ground.PROVED
    for wrong in (MatMul(N - 2, q), q, OneMatrix(N, 1)):
        verdict = with_changes(P, found, k, expr=wrong, lines=(Line(F.Just(wrong)),))
        assert (verdict.ground, verdict.method) == (Ground.REFUTED, "there is no path from q to L, so q_bar is zero")


def test_an_adjoint_that_is_not_derived_yet() -> None:
    """x_bar in terms of itself would be put in for ever."""
    found = claims(P)
    k = pick(found, Adjoint, node="x")
    honest = found[k]
    assert isinstance(honest, Adjoint)
    own = MatrixSymbol("x_bar", N, 1)
    verdict = with_changes(P, found, k, expr=v.MatAdd(honest.expr, own, MatMul(-1, own)))
    assert (verdict.ground, verdict.method) == (Ground.REFUTED, "x_bar uses x_bar before it is derived")


# ---- the count of slots, as measured ---------------------------------------------------------------------------------


def index_terms(matrices: int, vectors: int) -> set[tuple[tuple[int, ...], ...]]:
    """All terms of up to so many factors A[i,j] and v[i] with every index summed, indices renamed canonically; grouped by nothing."""
    found = set()
    for a, b in product(range(matrices + 1), range(vectors + 1)):
        for letters in product(range(4), repeat=2 * a + b):
            factors = (*((letters[2 * m], letters[2 * m + 1]) for m in range(a)), *((letters[2 * a + m],) for m in range(b)))
            if factors and len(set(letters)) == max(letters) + 1:
                found.add(tuple(sorted(factors, key=lambda f: (-len(f), f))))
    canonical = set()
    for factors in found:
        used = sorted({letter for f in factors for letter in f})
        renamed = min(tuple(sorted((tuple(dict(zip(used, order, strict=True))[letter] for letter in f) for f in factors), key=lambda f: (-len(f), f)))
                      for order in permutations(range(len(used))))
        canonical.add(renamed)
    return canonical


def polynomial(term: tuple[tuple[int, ...], ...], n: int) -> dict[tuple[tuple[int, ...], ...], int]:
    """The term written out at size n: monomial -> coefficient."""
    letters = sorted({letter for f in term for letter in f})
    found: dict[tuple[tuple[int, ...], ...], int] = {}
    for values in product(range(n), repeat=len(letters)):
        where = dict(zip(letters, values, strict=True))
        monomial = tuple(sorted(tuple(where[letter] for letter in f) for f in term))
        found[monomial] = found.get(monomial, 0) + 1
    return found


def rank(terms: list[tuple[tuple[int, ...], ...]], n: int) -> int:
    rows = [polynomial(t, n) for t in terms]
    columns = {m: c for c, m in enumerate(sorted({m for r in rows for m in r}))}
    matrix = np.zeros((len(rows), len(columns)))
    for r, row in enumerate(rows):
        for m, c in row.items():
            matrix[r, columns[m]] = c
    return int(np.linalg.matrix_rank(matrix))


def test_size_m_separates_what_can_be_separated_and_no_smaller_size_does() -> None:
    """Terms with at most m = 1, 2, 3 distinct indices: their explicit polynomials have full rank at n = m and m + 1, and less below."""
    every = index_terms(2, 3)
    counts = []
    for m in (1, 2, 3):
        terms = sorted(t for t in every if len({letter for f in t for letter in f}) <= m)
        counts.append(len(terms))
        assert rank(terms, m) == len(terms)
        if m < 3:
            assert rank(terms, m + 1) == len(terms)
        for n in range(1, m):
            assert rank(terms, n) < len(terms)
    assert counts == [11, 77, 204]


@pytest.mark.parametrize("s", [2, 3, 4, 5])
def test_the_count_is_needed(s: int) -> None:
    """s! e_s of power sums vanishes for s - 1 variables and not for s, and the count of its slots is s."""
    power = [v.SumOf(v.power(x, Integer(m))) for m in range(1, s + 1)]
    elementary: list[Expr] = [Integer(1)]
    for m in range(1, s + 1):  # Newton: m e_m = sum (-1)^(r - 1) e_(m - r) p_r
        elementary.append(sum((Integer((-1) ** (r - 1)) * elementary[m - r] * power[r - 1] for r in range(1, m + 1)), Integer(0)) / m)
    e = (elementary[s] * factorial(s)).expand()
    (sizes,), everywhere = enough((N,), (), (slots(e), slots(Integer(0))))
    assert everywhere and sizes[N] == s
    for n in range(1, s + 1):
        assert (Explicit({N: n}).scalar(e).expand() == 0) is (n < s)


def test_definitions_put_in_are_counted_too() -> None:
    """The choice is compared after all definitions are put in: nested sums count."""
    p = choose("u = W @ x\nh = W.T @ u\nL = c*(h.T @ h)", SYMBOLS, "L", "c", ["norm(h)^2", "norm(W.T @ W @ x)^2", "norm(u)^4"])
    ask = p.parts[0].ask
    assert isinstance(ask, Choose)
    derived = tuple(c for c in claims(p) if isinstance(c, Adjoint))
    found = verdicts(p, (*derived, *(Matches("L", ("c",), choice) for choice in ask.choices)))[len(derived):]
    assert [f.ground for f in found] == [Ground.PROVED, Ground.PROVED, Ground.REFUTED]
    assert slots(composed(p.graph, ask.choices[0][0])).summed[N] >= 3
