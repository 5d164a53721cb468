"""Sizes that are made of others, N - K + 1 and 3*V: read, derived with, checked for every size, evaluated; nonsense is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Symbol

import symgrad
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.vectors import grown, size_at
from symgrad.reader.shapes import parse_shape

N, K, V = (Symbol(s, integer=True, positive=True) for s in "NKV")
CONVOLUTION = symgrad.parse("y = conv(x, k)\nh = tanh(y + b)\nL = 1/2 * norm(h - t)^2", shapes={"x": "N", "k": "K", "b": "", "t": "N - K + 1"})
HEADS = symgrad.parse("C = hstack(A, B)\nL = 1/2 * norm(C @ W - T)^2", shapes={"A": "N, V", "B": "N, V", "W": "2*V, D", "T": "N, D"})


def test_sizes_are_sums_of_products() -> None:
    assert parse_shape("N - K + 1, 3*V") == (N - K + 1, 3 * V)
    assert parse_shape("V*V + V") == (V**2 + V, 1) and parse_shape("K - K + 2, N") == (2, N)


@pytest.mark.parametrize(("text", "said"), [
    ("N -", "'N -' is not a size"), ("2N", "'2N' is not a name"), ("N/2", "'N/2' is not a name"), ("3 - 5", "the size 3 - 5 is not between 1"),
    ("N + * K", "'' is not a name"), ("N" + " + N" * 20, "is not a size"),
])
def test_nonsense_is_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said.replace("+", r"\+").replace("*", r"\*")):
        parse_shape(text)


def test_three_axes_are_told_how_to_be_written() -> None:
    with pytest.raises(Unsupported, match='the shape \'H, N, K\' has 3 axes; .* \\[indices\\] i = "H", shape = "N, K", each = "i"'):
        parse_shape("H, N, K")
    with pytest.raises(Unsupported, match="i = 3, shape"):
        parse_shape("(3, N, K)")


def test_sizes_grow_until_every_shape_has_entries() -> None:
    assert size_at(N - K + 1, {N: 5, K: 3}) == 3
    assert grown({N: 2, K: 3}, [(N - K + 1, K), (V, V)]) == {N: 3, K: 3}


def convolved(x: Any, k: Any, b: Any, t: Any) -> float:
    y = np.array([k @ x[i:i + len(k)] for i in range(len(x) - len(k) + 1)])
    return float(((np.tanh(y + b) - t) ** 2).sum() / 2)


def joined(A: Any, B: Any, W: Any, T: Any) -> float:
    return float(((np.concatenate([A, B], 1) @ W - T) ** 2).sum() / 2)


@pytest.mark.parametrize(("model", "loss", "shapes"), [
    (CONVOLUTION, convolved, {"x": 7, "k": 3, "b": (), "t": 5}), (CONVOLUTION, convolved, {"x": 4, "k": 4, "b": (), "t": 1}),
    (HEADS, joined, {"A": (3, 2), "B": (3, 2), "W": (4, 5), "T": (3, 5)}),
])
def test_the_gradients_are_those_of_differences(model: Any, loss: Any, shapes: dict[str, Any]) -> None:
    solution = model.backward("L", wrt=list(shapes))
    assert solution.proved and all(v.domain.startswith("for all N, ") for v in solution.verdicts)
    random = np.random.default_rng(1)
    values = {n: np.asarray(random.normal(size=s)) for n, s in shapes.items()}
    found = solution.lambdify()(**values)
    assert found["L"] == pytest.approx(loss(**values))
    for name, value in values.items():
        for index in np.ndindex(value.shape):
            step = np.zeros(value.shape)
            step[index] = 1e-6
            slope = (loss(**{**values, name: value + step}) - loss(**{**values, name: value - step})) / 2e-6
            assert np.asarray(found[f"{name}_bar"])[index] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert r"\mathrm{N" not in solution.latex()
    assert r"\mathbb{R}^{N - K + 1}" in solution.latex() or model is HEADS


def test_wrong_gradients_are_refuted() -> None:
    found = HEADS.check_gradient("L", {"W": "C.T @ (C @ W + T)", "A": "(C @ W - T) @ W[1:V, :].T", "B": "(C @ W - T) @ W[1:V, :].T"})
    assert "A: proved equal for all N, V, D" in str(found) and "W: wrong" in str(found) and "B: wrong" in str(found)
    assert "B: proved" in str(HEADS.check_gradient("L", {"B": "(C @ W - T) @ W[V + 1:2*V, :].T"}))


def test_arrays_of_other_sizes_are_refused() -> None:
    run = CONVOLUTION.backward("L", wrt=["x"]).lambdify()
    with pytest.raises(ShapeError, match=r"t has shape \(4,\), expected .* with K = 3, N = 7"):
        run(x=np.ones(7), k=np.ones(3), b=0.0, t=np.ones(4))
    only = symgrad.parse("L = norm(t)^2", shapes={"t": "N - K + 1"}).backward("L", wrt=["t"]).lambdify()
    assert only(t=np.ones(4), N=5, K=2)["t_bar"].tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(("claim", "holds"), [
    ("concat(x[1:V], x[V + 1:2*V]) = x", True), ("concat(x[V + 1:2*V], x[1:V]) = x", False),
    ("commutation(2, V) @ commutation(V, 2) @ x = x", True), ("commutation(V, 2) @ commutation(V, 2) @ x = x", False),  # true at V = 2
])
def test_one_size_does_not_stand_for_all(claim: str, holds: bool) -> None:
    solution = symgrad.parse("L = norm(x)^2", shapes={"x": "2*V"}).ask("prove", claim=claim)
    assert solution.proved and (solution.steps[0].rule != "counterexample") == holds


def test_a_part_of_a_vector_lies_within_it() -> None:
    with pytest.raises(SpecError, match=r"the index K \+ V is outside 1\.\.V"):
        symgrad.parse("L = norm(x[1:V + K])^2", shapes={"x": "V", "y": "K"})
