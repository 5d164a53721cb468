"""Closed forms put together: as they are written, and the same value at random numbers."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Integer, MatrixSymbol, OneMatrix, Pow, Rational, ZeroMatrix

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.rules.tidy import tidied
from tests.check.test_products import Making, Numbers, a, c, x

A, B = (MatrixSymbol(n, a.shape[0], a.shape[0]) for n in "AB")
N = a.shape[0]
ONE = OneMatrix(N, 1)


def columns(b: Expr, e: Expr) -> Expr:
    return v.times(op.Kron(b, OneMatrix(e.shape[0], 1)), op.Kron(OneMatrix(b.shape[0], 1), e))


FORMS = [
    (v.add(v.Diag(a), v.Diag(a)), v.scale(Integer(2), v.Diag(a))),
    (v.add(v.Diag(a), v.negate(v.Diag(a))), ZeroMatrix(N, N)),
    (v.Diag(v.times(x, v.Power(x, Integer(-2)))), v.Diag(v.Power(x, Integer(-1)))),
    (v.matmul(v.Diag(a), v.Diag(x)), v.Diag(v.times(a, x))),
    (v.scale(v.merged((Pow(c, -2, evaluate=False), Pow(c, -1, evaluate=False))), A), v.scale(Pow(c, -3, evaluate=False), A)),
    (v.scale(v.as_scalar(v.matmul(v.transpose(ONE), ONE)), A), v.scale(N, A)),
    (v.matmul(v.transpose(columns(A, B)), columns(B, A)), v.times(v.matmul(v.transpose(A), B), v.matmul(v.transpose(B), A))),
    (v.add(v.scale(Rational(1, 2), A), v.scale(Rational(1, 2), A)), A),
]


@pytest.mark.parametrize(("e", "wanted"), FORMS, ids=range(len(FORMS)))
def test_as_a_reader_writes_it(e: Expr, wanted: Expr) -> None:
    assert tidied(e) == wanted


@pytest.mark.parametrize("seed", range(30))
def test_the_value_stays(seed: int) -> None:
    make, numbers, random = Making(seed + 900), Numbers(seed), Random(seed)
    looked_at = 0
    for _ in range(20):
        e: Any = make.of(random.choice([(N, Integer(1)), (N, N), v.SCALAR]), 3)
        e = v.add(e, v.scale(Integer(2), e)) if random.random() < 0.3 and not v.is_scalar(e) else e
        with np.errstate(all="ignore"):
            wanted = numbers.value(e)
            if not np.all(np.isfinite(wanted)):
                continue
            found = numbers.value(tidied(e))
        assert np.allclose(found, wanted, rtol=1e-6, atol=1e-9 * max(1.0, np.max(np.abs(wanted)))), e
        looked_at += 1
    assert looked_at > 10
