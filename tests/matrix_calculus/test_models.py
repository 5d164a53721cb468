"""The everyday models of problems/: proved, as their textbook answers say, and right in float64 by finite differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symgrad.language import vectors as v
from symgrad.language.problem import Backward
from symgrad.language.steps import Ground
from symgrad.numeric import compile_graph, finite_difference
from symgrad.pipeline import solve
from symgrad.reader.read import read

FOLDER = Path(__file__).parents[2] / "problems"
MODELS = [
    "attention", "batch-mlp", "batch-norm", "elbo", "gaussian-likelihood", "gaussian-process", "glu", "gru-cell", "layer-norm",
    "linear-regression", "logistic-regression", "lstm-cell", "masked-matrix-factorisation", "mixture-means", "poisson-regression",
    "residual-blocks", "ridge", "rms-norm", "self-attention", "softmax-regression", "tied-autoencoder",
]
SIZES = {"N": 4, "K": 3, "M": 5, "D": 3, "J": 2}


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str) -> None:
    problem, expected = read(FOLDER / f"{name}.toml")
    assert expected
    result = solve(problem, expected)
    rng = np.random.default_rng(7)
    for part in result.parts:
        assert not part.failure
        assert all(x.ground is Ground.PROVED for x in part.verdicts.values())
        assert all(agrees for _, agrees in part.expected)
        assert part.derivation is not None
        ask = part.part.ask
        assert isinstance(ask, Backward)
        sizes = {d: SIZES[str(d)] for d in problem.graph.dimensions}
        values = {}
        for x in problem.graph.variables:
            rows, columns = (int(n.xreplace(sizes)) for n in x.shape)
            value = rng.normal(size=(rows, columns)) * 0.5
            if x.shape[0] == x.shape[1] != 1:
                value = value @ value.T + 2 * np.eye(rows)
            values[x.name] = abs(float(value[0, 0])) + 0.5 if x.shape == v.SCALAR else value[:, 0] if columns == 1 else value
        names = tuple(f"{w}_bar" for w in ask.wrt)
        compiled = compile_graph(part.derivation.graph, names)
        found = compiled({k: values[k] if k in values else SIZES[k] for k in compiled.inputs})
        forward = compile_graph(problem.graph, (ask.of,))
        point = {k: values[k] if k in values else SIZES[k] for k in forward.inputs}
        for w in ask.wrt:
            differences = finite_difference(forward, point, ask.of, w)
            assert np.max(np.abs(np.asarray(found[f"{w}_bar"]) - differences)) < 1e-6 * max(1.0, np.abs(differences).max())
