"""Closed forms as a reader writes them: like terms counted, powers of one base together, products of diagonal matrices joined.

    diag(u) + diag(u) = 2 diag(u)      x o x^-2 = x^-1      c^-2 / c = c^-3      1^T 1 = N

Nothing is multiplied out.  What comes out is checked like any line.
"""

from __future__ import annotations

from functools import reduce

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.rules.jacobians import times_jacobian
from symgrad.rules.shape import Key, look, parts, put_together
from symgrad.rules.structured import terms, total


def tidied(e: Expr, memo: dict[Expr, Expr] | None = None) -> Expr:
    """The same expression, put together as above from the inside out."""
    memo = {} if memo is None else memo
    if e not in memo:
        memo[e] = _tidied(e, memo)
    return memo[e]


def _tidied(e: Expr, memo: dict[Expr, Expr]) -> Expr:
    if not e.args or isinstance(e, Symbol | MatrixSymbol | Identity | OneMatrix | v.Entry | v.IndexSum):
        return e
    args = [tidied(a, memo) if isinstance(a, Expr) else a for a in e.args]
    match e:
        case MatAdd():
            return total([t for a in args for t in terms(a)], e.shape)
        case MatMul():
            return _product(args)
        case HadamardProduct():
            return _entrywise(reduce(v.times, args))
        case Transpose():
            return v.transpose(args[0])
        case v.Diag():
            return op.diag(args[0])
        case v.AsScalar():
            return _number(args[0])
        case Add():
            return _sum(args)
        case Mul():
            return _factors(v.merged(tuple(args)))
        case Pow():
            return _factors(Pow(*args, evaluate=False))
    return e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)


def _product(args: list[Expr]) -> Expr:
    """Factors joined where they can be; a sum in a product stays."""
    scalars = [a for a in args if v.is_scalar(a)]
    matrices = [f for a in args if not v.is_scalar(a) for f in (a.args if isinstance(a, MatMul) else (a,))]
    scalars += [f for f in matrices if v.is_scalar(f)]
    found = reduce(times_jacobian, [f for f in matrices if not v.is_scalar(f)])
    if isinstance(found, MatMul) and v.is_scalar(found.args[0]):
        scalars.append(found.args[0])
        found = MatMul(*found.args[1:]) if len(found.args) > 2 else found.args[1]
    return v.scale(_factors(v.merged(tuple(scalars))), found) if scalars else found


def _number(inner: Expr) -> Expr:
    """c a^T b with the number in front; 1^T 1 = N, vec(A)^T vec(A) = |A|^2."""
    if v.is_scalar(inner):
        return inner
    scalars = [a for a in inner.args if v.is_scalar(a)] if isinstance(inner, MatMul) else []
    matrices = [a for a in inner.args if not v.is_scalar(a)] if isinstance(inner, MatMul) else [inner]
    ones = len(matrices) == 2 and all(isinstance(a, OneMatrix) for a in matrices)
    if len(matrices) == 2 and isinstance(matrices[1], op.Vec) and matrices[0] == v.transpose(matrices[1]):
        return _factors(v.merged((*scalars, Pow(v.Norm(matrices[1].args[0]), Integer(2), evaluate=False))))
    found = matrices[0].shape[1] if ones else v.as_scalar(reduce(v.matmul, matrices))
    return _factors(v.merged((*scalars, found))) if scalars else found


def _sum(args: list[Expr]) -> Expr:
    """Like terms counted."""
    found: dict[Key, tuple[Rational, Expr]] = {}
    for t in (t for a in args for t in (a.args if isinstance(a, Add) else (a,))):
        factors = t.args if isinstance(t, Mul) else (t,)
        number = factors[0] if isinstance(factors[0], Rational) else Integer(1)
        body = v.merged(tuple(f for f in factors if not isinstance(f, Rational))) if len(factors) > 1 or number == 1 else Integer(1)
        key = look(body)
        found[key] = (found[key][0] + number if key in found else number, body)
    return v.total(tuple(v.merged((n, body)) for n, body in found.values() if n != 0)) if found else Integer(0)


def _factors(e: Expr) -> Expr:
    """A product of numbers with the powers of one base put together."""
    if not isinstance(e, Mul | Pow):
        return e
    number, factors = parts(e)
    found: dict[Key, tuple[Expr, Rational]] = {}
    stack = list(reversed(factors))
    while stack:
        base, n = stack.pop()
        if isinstance(base, Pow) and base.exp.is_Integer and n.is_Integer:  # (b^m)^n
            stack.append((base.base, base.exp * n))
        elif isinstance(base, Mul) and n.is_Integer:  # (a b)^n
            inner, more = parts(base)
            number *= inner ** int(n)
            stack += [(b, m * n) for b, m in reversed(more)]
        else:
            key = look(base)
            found[key] = (base, found[key][1] + n if key in found else n)
    return put_together(number, [(b, n) for b, n in found.values() if n != 0])


def _entrywise(e: Expr) -> Expr:
    """x o x^-2 = x^-1, the number in front."""
    scalars = [a for a in e.args if v.is_scalar(a)] if isinstance(e, MatMul) else []
    body = next((a for a in e.args if isinstance(a, HadamardProduct)), None) if isinstance(e, MatMul) else e
    if not isinstance(body, HadamardProduct) or (isinstance(e, MatMul) and len(e.args) != len(scalars) + 1):
        return e
    found: dict[Expr, Rational] = {}
    for f in body.args:
        base, n = f.args if isinstance(f, v.Power) and f.args[1].is_Integer else (f, Integer(1))
        found[base] = found.get(base, Integer(0)) + n
    kept = [base if n == 1 else v.Power(base, n) for base, n in found.items() if n != 0]
    whole: MatrixExpr = reduce(v.times, kept) if kept else OneMatrix(*body.shape)
    return v.scale(_factors(v.merged(tuple(scalars))), whole) if scalars else whole


__all__ = ["tidied"]
