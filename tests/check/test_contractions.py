"""Sums of products as networks of letters and indices: a network has the value of what it is made of, and equal forms are equal numbers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Identity, Integer, OneMatrix

from symgrad.check.contractions import UNIT, Network, same_sum
from symgrad.check.errors import Undecided
from symgrad.check.products import Products
from symgrad.check.ring import Factor, Factors
from symgrad.language import operations as op
from symgrad.language import vectors as v
from tests.check.test_products import A, B, M, Making, N, Numbers, R, S, X, Y, a, b, w, x

t = v.transpose


class Valued(Network):
    """A network that remembers the numbers of its letters."""

    def __init__(self, products: Products, at: Numbers) -> None:
        super().__init__(products)
        self.at, self.values, self.factors = at, {}, []  # type: ignore[var-annotated]

    def factor(self, f: Factor, i: int, j: int) -> None:
        before = len(self.edges)
        super().factor(f, i, j)
        if f.kind not in ("ones", "diag", "hadamard", "diagonal"):
            self.values[self.edges[before][0]] = self.at.factor(f._replace(turned=False, rows=f.columns, columns=f.rows) if f.turned else f)

    def entries(self, members: tuple[tuple[Factors, Any], ...], i: int, j: int) -> None:
        for m, n in members:
            before = len(self.edges)
            super().entries(((m, n),), i, j)
            if len(self.edges) == before + 1 and "power" in self.edges[before][0][:10]:
                self.values[self.edges[before][0]] = self.at.product(m, (1, 1)) ** float(n)

    def value(self) -> float:
        """All entries of all letters multiplied, summed over all index values."""
        roots = sorted({self.root(i) for i in range(len(self.sizes))} - {UNIT})
        total = 0.0
        for at in product(*(range(self.at.size(self.sizes[i])) for i in roots)):
            place = {UNIT: 0, **dict(zip(roots, at, strict=True))}
            total += float(np.prod([self.values[e][place[self.root(i)], place[self.root(j)]] for e, i, j in self.edges]))
        return total


@pytest.mark.parametrize("seed", range(60))
def test_a_network_has_the_value_of_its_product(seed: int) -> None:
    make, at = Making(seed), Numbers(seed)
    looked = 0
    for _ in range(12):
        e = v.SumOf(make.of((N, N) if seed % 2 else (N, M), 2))
        products = Products()
        try:
            terms = products.terms(e)
        except Undecided:
            continue
        for (scalars, _), _c in terms.items():
            network, expected = Valued(products, at), 1.0
            for letter, n in scalars:
                before = len(network.numbers)
                network.letter(letter, n)
                if len(network.numbers) == before:
                    expected *= at.letter(letter) ** float(n)
            if len(network.sizes) <= 9:
                np.testing.assert_allclose(network.value(), expected, rtol=1e-7, atol=1e-9)
                looked += 1
    assert looked


def softmaxed(e: Expr, move: Expr) -> Expr:
    """The differential of softmax by rows."""
    p = op.RowSoftmax(e)
    rows = v.matmul(v.times(p, move), OneMatrix(N, 1))
    return v.add(v.times(p, move), v.negate(v.matmul(v.Diag(rows), p)))


PAIRS = [
    (v.SumOf(v.times(Y, softmaxed(v.matmul(X, t(X)), A))),
     v.SumOf(v.times(A, v.times(op.RowSoftmax(v.matmul(X, t(X))), v.add(Y, v.negate(v.matmul(
         v.times(op.RowSoftmax(v.matmul(X, t(X))), Y), OneMatrix(N, N)))))))),
    (v.SumOf(v.matmul(v.Diag(v.matmul(A, b)), B)),
     v.as_scalar(v.matmul(t(v.matmul(A, b)), v.matmul(B, OneMatrix(N, 1))))),
    (v.SumOf(v.times(v.matmul(R, t(S)), A)), v.TraceOf(v.matmul(S, v.matmul(t(R), A)))),
    (v.SumOf(v.times(v.matmul(a, t(b)), v.times(A, v.matmul(x, t(a))))), v.as_scalar(v.matmul(t(v.times(a, x)), v.matmul(A, v.times(a, b))))),
    (v.TraceOf(v.matmul(v.Diag(v.times(a, b)), A)), v.SumOf(v.times(v.times(a, b), op.Diagonal(A)))),
    (v.times(v.TraceOf(Identity(N)), v.SumOf(w)), v.SumOf(v.matmul(OneMatrix(N, 1), t(w)))),
]
FALSE = [
    (v.SumOf(v.times(v.matmul(R, t(S)), A)), v.TraceOf(v.matmul(R, v.matmul(t(S), A)))), (v.SumOf(v.matmul(A, B)), v.SumOf(v.matmul(B, A))),
    (v.TraceOf(v.matmul(A, v.matmul(B, X))), v.TraceOf(v.matmul(B, v.matmul(A, X)))), (v.SumOf(v.times(A, t(B))), v.SumOf(v.times(A, B))),
    (v.SumOf(v.times(v.matmul(a, t(b)), A)), v.SumOf(v.times(v.matmul(b, t(a)), A))), (v.TraceOf(Identity(N)), v.SumOf(OneMatrix(M, 1))),
    (v.TraceOf(v.Inverse(v.scale(Integer(2), Identity(N)))), v.TraceOf(v.Inverse(v.scale(Integer(2), Identity(M))))),
]


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_equal_by_renaming_of_indices(left: Expr, right: Expr) -> None:
    products = Products()
    assert np.allclose(Numbers(1).value(left), Numbers(1).value(right))
    assert same_sum(products, products.terms(left), products.terms(right))


@pytest.mark.parametrize(("left", "right"), FALSE)
def test_what_differs_is_not_the_same(left: Expr, right: Expr) -> None:
    products = Products()
    assert not np.allclose(Numbers(1).value(left), Numbers(1).value(right))
    assert not same_sum(products, products.terms(left), products.terms(right))
