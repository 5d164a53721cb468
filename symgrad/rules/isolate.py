"""Linear matrix equations in one unknown: left(unknown) = right, solved without entries.

    V^T = B  =>  V = B^T        2 V = B  =>  V = 1/2 B        A + V = B  =>  V = B - A        P V = B  =>  V = P^T B, P a permutation
"""

from __future__ import annotations

from functools import reduce

from sympy import Add, Expr, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Mul, OneMatrix, Pow, Transpose, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.rules.affine import addends, by, gathered, split, transposed
from symgrad.rules.registry import rule


def occurrences(e: Expr, name: str) -> bool:
    return name in v.names_in(e)


@rule("isolation of an unknown", source="Petersen, Pedersen, The Matrix Cookbook (2012), section 1")
def isolated(left: Expr, right: Expr, unknown: Expr, permutations: frozenset[str], signs: frozenset[str]) -> Expr | None:
    """The unknown from left = right, where it stands once in left, or last in every term of a sum; None if no rule applies."""
    name = unknown.name
    while left != unknown:
        if isinstance(right, ZeroMatrix) or right == 0:
            return Integer(0) if v.is_scalar(unknown) else ZeroMatrix(*unknown.shape)
        number, rest = split(left)
        if number != 1:
            left, right = rest, by(1 / number, right)
            continue
        step = _undone(left, right, name, permutations, signs)
        if step is None:
            return None
        left, right = step
    if not v.is_scalar(unknown) and v.is_scalar(right) and unknown.shape[0] == unknown.shape[1]:
        right = v.scale(right, Identity(unknown.shape[0]))
    return right if v.shape_of(right) == v.shape_of(unknown) else None


def _undone(left: Expr, right: Expr, name: str, permutations: frozenset[str], signs: frozenset[str]) -> tuple[Expr, Expr] | None:
    """One operation taken off the left and undone on the right."""
    match left:
        case Transpose():
            return left.args[0], transposed(right)
        case Add() | MatAdd():
            inside = [a for a in addends(left) if occurrences(a, name)]
            outside = [v.negate(a) for a in addends(left) if not occurrences(a, name)]
            if (entry := _entry(inside)) is not None:
                number, (matrix, i, _) = entry
                return matrix, by(gathered([by(1 / number, x) for x in (right, *outside)], v.SCALAR), v.Unit(matrix.shape[0], i))
            if len(inside) > 1:
                last = inside[0].args[-1] if isinstance(inside[0], MatMul) else None
                if last is None or any(not isinstance(a, MatMul) or a.args[-1] != last for a in inside):
                    return None
                before = gathered([reduce(by, a.args[:-1]) for a in inside], inside[0].args[-2].shape)
                inside = [MatMul(before, last)]
            return inside[0], gathered([right, *outside], v.shape_of(left))
        case v.Diag():
            if isinstance(right, v.Diag):
                return left.arg, right.arg
            number, rest = split(right)
            if rest == 1 or isinstance(rest, Identity):
                return left.arg, by(number, OneMatrix(*left.arg.shape))
            return None
        case Mul() | MatMul():
            k = next(i for i, a in enumerate(left.args) if occurrences(a, name))
            scalars = [a for i, a in enumerate(left.args) if i != k and v.is_scalar(a)]
            if v.is_scalar(left.args[k]) and not v.is_scalar(left):
                number, rest = split(right)
                body = reduce(by, [a for i, a in enumerate(left.args) if i != k and not v.is_scalar(a)])
                if rest != body:
                    return None
                right = number
            for a in scalars:
                right = by(Pow(a, -1, evaluate=False), right)
            if v.is_scalar(left.args[k]):
                return left.args[k], right
            for a in [a for a in left.args[:k] if not v.is_scalar(a)]:
                found = _without_left(a, right, permutations, signs)
                if found is None:
                    return None
                right = found
            for a in [a for a in reversed(left.args[k + 1:]) if not v.is_scalar(a)]:
                found = _without_left(v.transpose(a), transposed(right), permutations, signs)
                if found is None:
                    return None
                right = transposed(found)
            return left.args[k], right
    return None


def _entry(terms: list[Expr]) -> tuple[Expr, tuple[Expr, Expr, Expr]] | None:
    """One entry of an unknown column that may take the whole value, the other entries being zero."""
    found = [split(t) for t in terms]
    if all(isinstance(e, v.Entry) and isinstance(e.args[0], MatrixSymbol) and e.args[0].shape[0].is_Integer for _, e in found):
        return found[0][0], found[0][1].args
    return None


def _without_left(a: Expr, right: Expr, permutations: frozenset[str], signs: frozenset[str]) -> Expr | None:
    """Some B with a B = right."""
    stripped = [_stripped(a, x) for x in addends(right)]
    if all(x is not None for x in stripped):
        return gathered([x for x in stripped if x is not None], v.shape_of(stripped[0]))
    inner = a.args[0] if isinstance(a, Transpose) else a
    if getattr(inner, "name", "") in permutations:
        return by(v.transpose(a), right)
    if isinstance(a, v.Diag):
        return by(a if getattr(a.arg, "name", "") in signs else v.Diag(v.power(a.arg, Integer(-1))), right)
    for row in addends(a):  # a row with an entry 1 where another column of the unknown may be zero
        number, rest = split(row)
        if isinstance(rest, Transpose) and isinstance(rest.args[0], v.Unit):
            return by(by(1 / number, rest.args[0]), right)
    return None


def _stripped(a: Expr, x: Expr) -> Expr | None:
    """x without its first matrix factor a."""
    number, rest = split(x)
    if not isinstance(rest, MatMul):
        return None
    scalars, matrices = [f for f in rest.args if v.is_scalar(f)], [f for f in rest.args if not v.is_scalar(f)]
    if len(matrices) < 2 or matrices[0] != a:
        return None
    return reduce(by, [number, *scalars, reduce(v.matmul, matrices[1:])])
