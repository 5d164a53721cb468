"""Linear matrix equations: the solution put back satisfies the equation at random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr, Identity, Integer, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.rules.affine import by, substituted
from symgrad.rules.isolate import isolated
from tests.equivalents import agree, value

N, M, K = (v.dimension(c) for c in "NMK")
SHAPES = {"A": (K, M), "B": (K, N), "C": (N, M), "P": (K, K), "s": (K, Integer(1)), "r": (K, Integer(1)), "b": (K, Integer(1)), "t": v.SCALAR,
          "V": (K, N), "u": (K, Integer(1)), "Q": (K, M), "c": v.SCALAR, "G": (Integer(2), N), "w": (N, Integer(1)), "e": (Integer(2), Integer(1))}
S = {n: v.variable(n, s) for n, s in SHAPES.items()}
ONE, TWO = Integer(1), Integer(2)
e1, e2 = v.Unit(TWO, ONE), v.Unit(TWO, TWO)

EQUATIONS: dict[str, tuple[Expr, Expr, str]] = {
    "alone": (S["V"], S["B"], "V"), "a number": (by(TWO, S["V"]), S["B"], "V"), "transposed": (v.transpose(S["V"]), v.transpose(S["B"]), "V"),
    "a sum": (v.add(S["B"], v.negate(S["V"])), by(TWO, S["B"]), "V"), "a scalar": (by(S["t"], S["V"]), S["B"], "V"),
    "a permutation": (v.matmul(S["P"], S["V"]), S["B"], "V"), "a permutation transposed": (v.matmul(v.transpose(S["P"]), S["u"]), S["b"], "u"),
    "a diagonal": (v.matmul(v.Diag(S["r"]), S["V"]), S["B"], "V"), "signs": (v.matmul(v.Diag(S["s"]), S["u"]), S["b"], "u"),
    "a common factor": (v.matmul(S["A"], v.variable("Z", (M, N))), v.matmul(S["A"], v.transpose(S["C"])), "Z"),
    "a factor on the right": (v.matmul(S["V"], S["C"]), v.matmul(S["B"], S["C"]), "V"),
    "an unknown diagonal": (v.Diag(S["u"]), v.Diag(S["b"]), "u"), "a multiple of the identity": (v.Diag(S["u"]), by(TWO, Identity(K)), "u"),
    "zero": (v.matmul(S["P"], S["V"]), ZeroMatrix(K, N), "V"), "scalars": (v.add(by(TWO, S["c"]), S["t"]), Integer(5), "c"),
    "difference of rows": (v.add(v.matmul(v.transpose(e1), S["G"]), v.negate(v.matmul(v.transpose(e2), S["G"]))), v.transpose(S["w"]), "G"),
    "difference of entries": (v.add(v.Entry(S["e"], ONE), v.negate(v.Entry(S["e"], TWO))), S["t"], "e"),
    "a scalar of a matrix": (by(S["c"], S["B"]), by(Integer(3), S["B"]), "c"),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_put_back(name: str) -> None:
    left, right, unknown = EQUATIONS[name]
    symbol = S.get(unknown, v.variable("Z", (M, N)))
    found = isolated(left, right, symbol, frozenset({"P"}), frozenset({"s"}))
    assert found is not None and v.shape_of(found) == v.shape_of(symbol)
    rng = np.random.default_rng(len(name))
    sizes = {"N": 3, "M": 4, "K": 2}
    env = {n: rng.normal(size=[int(sizes.get(str(d), d)) for d in shape]) + 3.0 if shape != v.SCALAR else 2.5 for n, shape in SHAPES.items()} | sizes
    env |= {"P": np.eye(2)[[1, 0]], "s": np.array([[1.0], [-1.0]])}
    assert agree(value(substituted(left, {symbol: found}), env), value(right, env))


@pytest.mark.parametrize(("left", "right", "unknown"), [
    (v.matmul(S["A"], v.variable("Z", (M, N))), S["B"], v.variable("Z", (M, N))), (v.matmul(S["P"], S["V"]), S["B"], S["Q"]),
    (by(S["c"], S["B"]), S["V"], S["c"]), (v.Diag(S["u"]), S["P"], S["u"]),
])
def test_no_rule(left: Expr, right: Expr, unknown: Expr) -> None:
    if unknown.name not in v.names_in(left):
        left = v.add(left, v.matmul(unknown, v.transpose(S["C"])))
    assert isolated(left, right, unknown, frozenset(), frozenset()) is None
