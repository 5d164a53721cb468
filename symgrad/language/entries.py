"""Component forms: entry (i, j) of a matrix expression, with index sums."""

from __future__ import annotations

from functools import reduce

from sympy import Add, Expr, HadamardProduct, Integer, MatAdd, MatMul, MatrixSymbol, OneMatrix, Pow, Symbol, Transpose, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.language.functions import Call
from symgrad.language.vectors import merged

LETTERS = ("i", "j", "k", "l", "m", "n", "p", "q", "u", "w")


def index(letter: str) -> Symbol:
    return Symbol(letter, integer=True, positive=True)


class Indices:
    """Index letters that no name of the graph takes."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.free = [c for c in (*LETTERS, *(f"{c}{k}" for k in range(1, 9) for c in LETTERS[:4])) if c not in taken]

    def take(self) -> Symbol:
        return index(self.free.pop(0))


def entry(e: Expr, i: Expr, j: Expr, indices: Indices) -> Expr:
    """(A B)_ij = sum_k A_ik B_kj, (A + B)_ij = A_ij + B_ij, (A o B)_ij = A_ij B_ij, (A^T)_ij = A_ji, f(A)_ij = f(A_ij).

    Source: Petersen, Pedersen, The Matrix Cookbook (2012), section 2.
    """
    match e:
        case _ if v.is_scalar(e):
            return e
        case MatrixSymbol():
            return v.Entry(e, i, j if e.shape[1] != 1 else Integer(1))
        case MatAdd():
            return Add._from_args(tuple(entry(a, i, j, indices) for a in e.args))
        case HadamardProduct():
            return merged(tuple(entry(a, i, j, indices) for a in e.args))
        case v.Power(args=(base, n)):
            return Pow(entry(base, i, j, indices), n, evaluate=False)
        case Transpose():
            return entry(e.args[0], j, i, indices)
        case v.Unit(args=(_, k)) if i.is_Integer:
            return Integer(int(i == k))
        case OneMatrix() | ZeroMatrix():
            return Integer(int(isinstance(e, OneMatrix)))
        case v.Elementwise():
            return Call(e.fn, *(a if v.is_scalar(a) else entry(a, i, j, indices) for a in e.arguments))
        case MatMul():
            return _product(e, i, j, indices)
        case _:
            return v.Entry(e, i, j)


def _unit(a: Expr) -> v.Unit | None:
    inner = a.args[0] if isinstance(a, Transpose) else a
    return inner if isinstance(inner, v.Unit) else None


def _product(e: MatMul, i: Expr, j: Expr, indices: Indices) -> Expr:
    scalars = tuple(a for a in e.args if v.is_scalar(a))
    matrices = [a for a in e.args if not v.is_scalar(a)]
    if len(matrices) > 1 and isinstance(matrices[-1], v.Diag):  # (A diag(s))_ij = A_ij s_j
        return merged((*scalars, entry(reduce(v.matmul, matrices[:-1]), i, j, indices), entry(matrices[-1].arg, j, Integer(1), indices)))
    if len(matrices) > 1 and isinstance(matrices[0], v.Diag):  # (diag(s) A)_ij = s_i A_ij
        return merged((*scalars, entry(matrices[0].arg, i, Integer(1), indices), entry(reduce(v.matmul, matrices[1:]), i, j, indices)))
    bounds: list[tuple[Symbol, Expr]] = []
    factors: list[Expr] = []
    row = i
    for k, a in enumerate(matrices):
        if isinstance(a, v.Diag) and k < len(matrices) - 1:  # sum_l diag(s)_kl B_lj = s_k B_kj
            factors.append(entry(a.arg, row, Integer(1), indices))
            continue
        if k == len(matrices) - 1:
            column = j
        elif a.shape[1] == 1:
            column = Integer(1)
        elif (unit := _unit(a) or _unit(matrices[k + 1])) is not None:
            column = unit.args[1]  # sum_k A_ik (e_m)_k = A_im
        else:
            column = indices.take()
            bounds.append((column, a.shape[1]))
        factors.append(entry(a, row, column, indices))
        row = column
    body: Expr = merged(tuple(factors))
    for k, size in reversed(bounds):
        body = v.IndexSum(body, k, size)
    return merged((*scalars, body)) if scalars else body


__all__ = ["Indices", "entry", "index"]
