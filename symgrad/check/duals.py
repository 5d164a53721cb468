"""Adjoints in matrix notation: a matrix P is known by what it gives along every direction, <P, T> = sum_ij P_ij T_ij.

    P = sum_u  (sum_k u_bar_k du_k / dX)      if and only if      <P, T> = sum_u <u_bar, du(T)>  for every T

T is a letter, du(T) the differential of u (check/differentials.py), and both sides are compared as sums of products of matrices
(check/products.py), at every size at once.  Source: Magnus, Neudecker, Matrix Differential Calculus (2019), chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from sympy import Expr, Integer, Inverse, MatMul, MatrixExpr, MatrixSymbol

from symgrad.check.comparison import Compared
from symgrad.check.contractions import same_sum
from symgrad.check.differentials import Differentials, conditions, paired
from symgrad.check.errors import Undecided
from symgrad.check.inverses import Inverses
from symgrad.check.meaning import Meaning
from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError, Unsupported

COSTLY = (Inverse, v.DetOf, op.Solve, v.Softmax, v.LogSumExp, op.RowSoftmax, op.RowLogSumExp)
"""Operations whose entries take long to compare, where they are not of a letter."""
LONG = 4  # factors of a product of matrices that takes long to write out


def alike(meaning: Meaning, a: F.Form, b: F.Form, numbers: Mapping[Expr, Expr]) -> Compared | None:
    """Two forms are equal at every size, or nothing is known."""
    wrt = next((f.wrt for form in (a, b) for f in terms(form) if isinstance(f, F.Pullback)), None)
    try:
        if wrt is None:
            sides = [meaning.whole(_plain(form)) for form in (a, b)]
        else:
            shape = meaning.graph.shape(wrt)
            direction = v.variable("#T", shape)
            sides = [meaning.whole(along(meaning, form, meaning.graph.symbol(wrt), direction)) for form in (a, b)]
        sides = [e.xreplace(dict(numbers)) for e in sides]
        if not any(e.has(MatrixExpr) for e in sides) or not _equal(*sides):
            return None
        return Compared(conditions=conditions(*sides, *(s.expr for form in (a, b) for s in meaning.sources(form))), products=True)
    except (Undecided, Unsupported, ShapeError):
        return None


def _equal(a: Expr, b: Expr) -> bool:
    """By the laws of products and inverses; numbers also as sums over indices."""
    products = Inverses()
    return products.equal(a, b) or (v.is_scalar(a) and v.is_scalar(b) and same_sum(products, *(products.reduced(products.terms(e)) for e in (a, b))))


def along(meaning: Meaning, form: F.Form, x: Expr, direction: Expr) -> Expr:
    """<form, T>.  Raises Unsupported."""
    match form:
        case F.Just(expr):
            return paired(expr, direction)
        case F.Sum(parts):
            return reduce(v.add, (along(meaning, p, x, direction) for p in parts))
        case F.Pullback(of, _):
            node = meaning.graph.node(of)
            moved = Differentials({x: direction}).of(node.expr)
            return Integer(0) if moved is None else paired(v.variable(f"{of}_bar", node.shape), moved)
    raise Unsupported(f"{type(form).__name__} in matrix notation")


def costly(meaning: Meaning, forms: tuple[F.Form, ...]) -> bool:
    """Would it take long to write the entries out?"""
    exprs = [meaning.whole(s.expr) for form in forms for s in meaning.sources(form)]
    return any(not isinstance(e.args[0], MatrixSymbol) for x in exprs for e in x.atoms(*COSTLY)) or any(
        sum(not v.is_scalar(a) for a in e.args) >= LONG for x in exprs for e in x.atoms(MatMul))


def terms(form: F.Form) -> tuple[F.Form, ...]:
    return form.terms if isinstance(form, F.Sum) else (form,)


def _plain(form: F.Form) -> Expr:
    if isinstance(form, F.Just):
        return form.expr
    if isinstance(form, F.Sum):
        return reduce(v.add, map(_plain, form.terms))
    raise Unsupported(f"{type(form).__name__} in matrix notation")


__all__ = ["alike", "costly"]
