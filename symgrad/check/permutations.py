"""Permutation matrices moved outwards and cancelled: P f(u) = f(P u) entry by entry, P P^T = P^T P = I, P 1 = 1."""

from __future__ import annotations

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, OneMatrix, Transpose

from symgrad.language.vectors import Elementwise, is_scalar


def commuted(e: Expr, names: frozenset[str]) -> Expr:
    """e with the permutation matrices called `names` taken out of functions of one argument; equal to e."""
    if not e.args or not any(getattr(s, "name", "") in names for s in e.free_symbols):
        return e
    e = e.func(*(commuted(x, names) for x in e.args))
    if isinstance(e, Elementwise) and len(e.args) == 2:
        terms = e.args[1].args if isinstance(e.args[1], MatAdd) else (e.args[1],)
        outside = next((p for p, _ in (_leading(t, names) for t in terms) if p is not None), None)
        inside = [t if isinstance(t, OneMatrix) else r if p == outside else None for t in terms for p, r in (_leading(t, names),)]
        if outside is not None and e.args[1].shape[1] == 1 and None not in inside:
            return _cancelled([outside, Elementwise(e.fn, MatAdd(*inside) if len(inside) > 1 else inside[0])], names)
    if isinstance(e, MatMul):
        return _cancelled([f for x in e.args for f in (x.args if isinstance(x, MatMul) else (x,))], names)
    return e


def _permutation(e: Expr, names: frozenset[str]) -> bool:
    inner = e.args[0] if isinstance(e, Transpose) else e
    return isinstance(inner, MatrixSymbol) and inner.name in names


def _leading(term: Expr, names: frozenset[str]) -> tuple[Expr | None, Expr]:
    """P and c A of c P A."""
    if not isinstance(term, MatMul):
        return None, term
    k = next(i for i, f in enumerate(term.args) if not is_scalar(f))
    if k + 1 == len(term.args) or not _permutation(term.args[k], names):
        return None, term
    rest = (*term.args[:k], *term.args[k + 1:])
    return term.args[k], MatMul(*rest) if len(rest) > 1 else rest[0]


def _cancelled(factors: list[Expr], names: frozenset[str]) -> Expr:
    factors = [f for f in factors if is_scalar(f)] + [f for f in factors if not is_scalar(f)]
    for k, (x, y) in enumerate(zip(factors, factors[1:], strict=False)):
        if not _permutation(x, names):
            continue
        before, after = factors[:k], factors[k + 2:]
        if (x == Transpose(y) or Transpose(x) == y) and any(not is_scalar(f) for f in before + after):
            return _cancelled(before + after, names)
        if isinstance(y, OneMatrix) and y.shape[1] == 1:
            return _cancelled([*before, y, *after], names)
        if isinstance(y, MatAdd):
            return MatAdd(*(commuted(_cancelled([*before, x, *(t.args if isinstance(t, MatMul) else (t,)), *after], names), names) for t in y.args))
    return MatMul(*factors) if len(factors) > 1 else factors[0]
