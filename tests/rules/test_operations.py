"""Operations that stand in adjoints only, so that no let-list has them: entries, rules and kernels against one another."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from sympy import Add, Expr, Integer, Mul

from symgrad.check.calculus import differentiate
from symgrad.check.explicit import Explicit
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.graph import Graph, Node, Variable
from symgrad.numeric import compile_graph
from symgrad.rules.vector import pull
from tests.rules.operation_cases import SECOND

K, A, W, G = (v.variable(n, (Integer(i), Integer(j))) for n, i, j in (("K", 4, 6), ("A", 2, 2), ("W", 2, 3), ("G", 3, 2)))
EXAMPLES: dict[str, Expr] = {"inner products of blocks": op.BlockInner(K, W), "weighted sum of blocks": op.BlockSum(K, A),
                             "full convolution": op.Convolve(W, G), "commutation matrix": op.Commutation(Integer(2), Integer(3))}


def entries(e: Expr) -> list[Expr]:
    return [x for row in Explicit({}).rows(e) for x in row]


@pytest.mark.parametrize("name", sorted(SECOND))
def test_the_rule_is_the_transposed_jacobian(name: str) -> None:
    """(d y / d x)^T y_bar, entry by entry from the definition; doubled, it is another matrix."""
    e = EXAMPLES[name]
    bar = v.variable("y_bar", e.shape)
    pulled: dict[Expr, list[Expr]] = {}
    for leaf, part in pull(e, bar, e):
        pulled.setdefault(leaf, []).append(part)
    assert set(pulled) == {a for a in e.args if not a.is_Integer}  # a constant has nothing to pull back to
    for leaf, parts in pulled.items():
        found = entries(reduce(v.add, parts))
        wanted = [Add(*(Mul(g, differentiate(y, x)) for g, y in zip(entries(bar), entries(e), strict=True))) for x in entries(leaf)]
        assert [(a - b).expand() for a, b in zip(found, wanted, strict=True)] == [0] * len(wanted)
        assert any((2 * a - b).expand() != 0 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", sorted(SECOND))
def test_the_kernel_against_the_entries(name: str) -> None:
    e = EXAMPLES[name]
    rng = np.random.default_rng(3)
    values = {x.name: rng.normal(size=tuple(map(int, x.shape))) for x in (K, A, W, G)}
    table = {v.Entry(x, Integer(i + 1), Integer(j + 1)): float(grid[i, j]) for x in (K, A, W, G) if (grid := values[x.name]) is not None
             for i, j in np.ndindex(*grid.shape)}
    wanted = np.array([[float(x.subs(table)) for x in row] for row in Explicit({}).rows(e)])
    compiled = compile_graph(Graph(tuple(Variable(x.name, x.shape) for x in (K, A, W, G)), (Node("y", e),)), ("y",))
    found = np.asarray(compiled({n: values[n] for n in compiled.inputs})["y"]).reshape(wanted.shape)
    assert np.allclose(found, wanted)


def test_diagonals_and_broadcasts_are_written_as_a_person_would() -> None:
    a, b, M = v.variable("a", (Integer(3), Integer(1))), v.variable("b", (Integer(3), Integer(1))), v.variable("M", (Integer(3), Integer(3)))
    ones = v.OneMatrix(3, 1)
    assert op.diagonal(v.matmul(a, v.transpose(b))) == v.times(a, b)
    assert op.diagonal(v.Diag(a)) == a
    assert op.hadamard(v.matmul(a, v.transpose(ones)), M) == v.matmul(v.Diag(a), M)
    assert op.hadamard(M, v.matmul(ones, v.transpose(b))) == v.matmul(M, v.Diag(b))
    assert op.diag(v.scale(Integer(2), ones)) == v.scale(Integer(2), v.Identity(3))
    assert op.trace(v.transpose(M)) == v.TraceOf(M)
