"""Where an expression is defined: denominators that are not 0, logarithms of what is positive, derivatives off the kinks."""

from __future__ import annotations

from functools import reduce

from sympy import Add, Dummy, Expr, Integer, Inverse, MatrixExpr, Mul, Number, Pow

from symgrad.check.calculus import unfold
from symgrad.check.normal import possible_signs
from symgrad.check.signs import NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE, POSITIVE, ZERO, SignSet
from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import KNOWN, Call, Fn

SIGNS: dict[Sign, SignSet] = {
    Sign.EQUAL: ZERO, Sign.UNEQUAL: POSITIVE | NEGATIVE, Sign.LESS: NEGATIVE, Sign.AT_MOST: NOT_POSITIVE, Sign.MORE: POSITIVE,
    Sign.AT_LEAST: NOT_NEGATIVE}
"""What a relation says of the sign of left - right."""

KINKED = ("max", "abs", "step", "sign")
INSTANCES = 2  # values of a bound index for which the body of a sum is looked at


def conditions(e: Expr) -> tuple[Relation, ...]:
    """All that must hold for e to be defined and, inside a derivative, differentiable; what is seen to hold is left out."""
    found: dict[Relation, None] = {}
    _collect(e, False, found, set())
    return tuple(found)


def _collect(e: Expr, smooth: bool, found: dict[Relation, None], seen: set[tuple[Expr, bool]]) -> None:
    if not isinstance(e, Expr) or isinstance(e, Number) or (e, smooth) in seen:
        return None
    seen.add((e, smooth))

    def need(left: Expr, sign: Sign, right: Expr = Integer(0)) -> None:
        if isinstance(left, MatrixExpr) or not possible_signs(left - right) <= SIGNS[sign]:
            found[Relation(left, sign, right)] = None

    match e:
        case Pow(base=base, exp=exponent) | v.Power(args=(base, exponent)):
            if not exponent.is_Integer:
                need(base, Sign.AT_LEAST if exponent == Integer(1) / 2 and not smooth else Sign.MORE)
            elif exponent < 0:
                need(base, Sign.UNEQUAL)
            elif isinstance(base, v.Norm) and exponent % 2 == 0:
                return _collect(base.arg, smooth, found, seen)
        case Inverse(args=(matrix, _)):
            need(v.DetOf(matrix), Sign.UNEQUAL)
        case v.Norm() if smooth:
            need(e, Sign.UNEQUAL)
        case Diff(args=(body, _)) | Grad(args=(body, _)):
            return _collect(body, True, found, seen)
        case v.IndexSum(args=(body, index, size)):
            for k in range(1, min(int(size) if size.is_Integer else INSTANCES, INSTANCES) + 1):
                _collect(body.xreplace({index: Integer(k)}), smooth, found, seen)
            return None
        case Call() | v.Elementwise():
            _of_call(e.fn, e.arguments, smooth or not e.fn.plain, found, need)
    for a in e.args:
        _collect(a, smooth, found, seen)
    return None


def _of_call(fn: Fn, arguments: tuple[Expr, ...], smooth: bool, found: dict[Relation, None], need) -> None:  # type: ignore[no-untyped-def]
    """From the function's definition, on scalars that stand for the arguments or their entries."""
    row = KNOWN.get(fn.name)
    if row is None:
        return None
    if fn.name in ("log", "sqrt"):
        return need(arguments[0], Sign.AT_LEAST if fn.name == "sqrt" and not smooth else Sign.MORE)
    if fn.name in KINKED and smooth:
        return need(arguments[0], Sign.UNEQUAL, *(arguments[1:] if fn.name == "max" else ()))
    if row.definition is not None:
        dummies = tuple(Dummy(real=True) for _ in arguments)
        meaning = unfold(Call(Fn(fn.name, (0,) * len(arguments)), *dummies))
        inner: dict[Relation, None] = {}
        _collect(meaning, smooth, inner, set())
        table = dict(zip(dummies, arguments, strict=True))
        for q in inner:
            if all(not isinstance(a, MatrixExpr) for a in arguments):
                need(q.left.xreplace(table), q.sign, q.right.xreplace(table))
            else:
                need(_entrywise(q.left, table), q.sign, q.right)
    return None


def _entrywise(e: Expr, table: dict[Expr, Expr]) -> Expr:
    match e:
        case Add():
            return reduce(v.add, (_entrywise(a, table) for a in e.args))
        case Mul():
            return reduce(v.times, (_entrywise(a, table) for a in e.args))
        case Call():
            return v.apply(e.fn, tuple(_entrywise(a, table) for a in e.arguments))
    return table.get(e, e)


__all__ = ["KINKED", "SIGNS", "conditions"]
