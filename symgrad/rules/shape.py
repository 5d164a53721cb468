"""Displayed expressions: how they are put together without being evaluated, and when two of them look the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce

from sympy import Add, Expr, Integer, MatAdd, MatMul, MatrixExpr, Mul, Number, Pow, Rational

from symgrad.language import vectors as v
from symgrad.language.entries import index
from symgrad.language.functions import Call
from symgrad.language.vectors import IndexSum, merged, total

Key = tuple[object, ...]


def look(e: Expr, bound: Mapping[Expr, int] | None = None) -> Key:
    """The same for expressions that differ in the order of terms and factors, and in the letters of bound indices, only."""
    bound = bound or {}
    if e in bound:
        return ("bound", bound[e])
    if isinstance(e, Number):
        return ("number", str(e))
    if isinstance(e, IndexSum):
        body, k, size = e.args
        return ("sum", look(body, {**bound, k: len(bound)}), str(size))
    if isinstance(e, Add) and not isinstance(e, MatAdd):
        return ("+", *sorted((look(a, bound) for a in flat(e)), key=str))
    if isinstance(e, Mul | Pow) and not isinstance(e, MatMul):
        number, factors = parts(e)
        above, below = numbers(e)
        if not factors and below == number.denominator:
            return ("number", str(Rational(number.numerator, number.denominator)))
        if above == below == 1 and len(factors) == 1 and factors[0][1] == 1:
            return look(factors[0][0], bound)
        return ("*", str(above), str(below), *sorted(((look(b, bound), str(n)) for b, n in factors), key=str))
    if not e.args:
        return (str(e),)
    arguments = [look(a, bound) if isinstance(a, Expr) else (str(a),) for a in e.args]
    return (type(e).__name__, *(sorted(arguments, key=str) if type(e).__name__ in ("MatAdd", "HadamardProduct") else arguments))


def flat(e: Expr) -> list[Expr]:
    """The terms of a sum; of anything else, itself."""
    return [t for a in e.args for t in flat(a)] if isinstance(e, Add) and not isinstance(e, MatAdd) else [e]


def parts(e: Expr) -> tuple[Fraction, list[tuple[Expr, Rational]]]:
    """A product as a number and its other factors with their exponents, as they stand."""
    number, found = Fraction(1), []
    for f in e.args if isinstance(e, Mul) and not isinstance(e, MatrixExpr) else (e,):
        if isinstance(f, Rational):
            number *= Fraction(int(f.p), int(f.q))
        elif isinstance(f, Mul) and not isinstance(f, MatrixExpr):
            n, inner = parts(f)
            number *= n
            found += inner
        elif isinstance(f, Pow) and isinstance(f.base, Rational) and f.exp.is_Integer and f.base != 0:
            number *= Fraction(int(f.base.p), int(f.base.q)) ** int(f.exp)
        elif isinstance(f, Pow) and f.exp == -1 and isinstance(f.base, Mul) and all(n > 0 for _, n in parts(f.base)[1]):
            own, inner = parts(f.base)  # 1 / (a b)
            number /= own
            found += [(b, -n) for b, n in inner]
        elif isinstance(f, Pow):
            found.append((f.base, f.exp))
        else:
            found.append((f, Integer(1)))
    return number, found


def numbers(e: Expr) -> tuple[int, int]:
    """The whole numbers above and below the line of a product, not cancelled."""
    above = below = 1
    for f in e.args if isinstance(e, Mul) and not isinstance(e, MatrixExpr) else (e,):
        if isinstance(f, Rational):
            above, below = above * int(f.p), below * int(f.q)
        elif isinstance(f, Mul) and not isinstance(f, MatrixExpr):
            a, b = numbers(f)
            above, below = above * a, below * b
        elif isinstance(f, Pow) and isinstance(f.base, Rational) and f.exp.is_Integer and f.base != 0:
            a, b = int(f.base.p) ** abs(int(f.exp)), int(f.base.q) ** abs(int(f.exp))
            above, below = (above * a, below * b) if f.exp > 0 else (above * b, below * a)
    return above, below


def minus(e: Expr) -> Expr:
    """-e, with one number in front."""
    return merged((Integer(-1), e)) if not isinstance(e, Add) else Mul._from_args((Integer(-1), e))


def put_together(number: Fraction, factors: list[tuple[Expr, Rational]]) -> Expr:
    """The reverse: what has a negative exponent, and the denominator of the number, go below the line if there is one."""
    below = [(b, n) for b, n in factors if n < 0]
    above = [(b, n) for b, n in factors if n > 0]
    top: list[Expr] = [raised(b, n) for b, n in above]
    bottom: list[Expr] = [raised(b, n) for b, n in below]
    if below and number.denominator != 1:
        bottom.insert(0, Pow(Integer(number.denominator), Integer(-1), evaluate=False))
        number = Fraction(number.numerator)
    if number != 1:
        top.insert(0, Rational(number.numerator, number.denominator))
    everything = (*top, *bottom)
    return Mul._from_args(everything) if len(everything) > 1 else everything[0] if everything else Integer(1)


def raised(base: Expr, n: Rational) -> Expr:
    return base if n == 1 else Pow(base, n, evaluate=False)


def rebuilt(e: Expr, arguments: tuple[Expr, ...]) -> Expr:
    """e with other arguments, unevaluated."""
    if isinstance(e, MatMul):
        scalars = tuple(a for a in arguments if v.is_scalar(a))
        return v.scale(merged(scalars), reduce(v.matmul, (a for a in arguments if not v.is_scalar(a)))) if scalars else e.func(*arguments)
    if isinstance(e, MatrixExpr):
        return e.func(*arguments)
    if isinstance(e, Add):
        return total(arguments)
    if isinstance(e, Mul):
        return merged(arguments) if all(not isinstance(a, Mul) for a in arguments) else Mul._from_args(arguments)
    if isinstance(e, Pow):
        return Pow(*arguments, evaluate=False)
    return e.func(*arguments)


def replaced(e: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """Occurrences replaced, from the outside in, unevaluated."""
    if e in table:
        return table[e]
    if not e.args:
        return e
    arguments = tuple(replaced(a, table) if isinstance(a, Expr) else a for a in e.args)
    return e if all(a is b for a, b in zip(arguments, e.args, strict=True)) else rebuilt(e, arguments)


def mapped(e: Expr, f: Callable[[Expr], Expr | None]) -> Expr:
    """`f` applied from the inside out, wherever it does not return None."""
    if e.args:
        arguments = tuple(mapped(a, f) if isinstance(a, Expr) else a for a in e.args)
        if any(a is not b for a, b in zip(arguments, e.args, strict=True)):
            e = rebuilt(e, arguments)
    new = f(e)
    return e if new is None else new


def fraction(top: Expr, bottom: Expr) -> Expr:
    """top / bottom as it stands, a fraction of its own in a product."""
    below = Pow(bottom, Integer(-1), evaluate=False)
    return Mul._from_args((*(top.args if isinstance(top, Mul) and not isinstance(top, MatrixExpr) else (top,)), below))


def distinct_indices(e: Expr, taken: frozenset[str] = frozenset()) -> Expr:
    """Bound indices renamed where a sum stands inside another one with the same letter."""
    if not e.args:
        return e
    if isinstance(e, IndexSum):
        body, k, size = e.args
        if str(k) in taken:
            used = {str(s) for s in body.free_symbols} | taken
            fresh = next(index(c) for c in ("k", "l", "m", "p", "q", "u", "w", *(f"k{i}" for i in range(1, 99))) if c not in used)
            body, k = replaced(body, {k: fresh}), fresh
        return IndexSum(distinct_indices(body, taken | {str(k)}), k, size)
    arguments = tuple(distinct_indices(a, taken) if isinstance(a, Expr) else a for a in e.args)
    return e if all(a is b for a, b in zip(arguments, e.args, strict=True)) else rebuilt(e, arguments)


def calls(e: Expr) -> list[Call]:
    """The applications in a scalar expression, inner ones first, each once."""
    found: dict[Call, None] = {}

    def visit(x: Expr) -> None:
        for a in x.args:
            if isinstance(a, Expr):
                visit(a)
        if isinstance(x, Call):
            found[x] = None

    visit(e)
    return list(found)


def depends(e: Expr, x: Expr) -> bool:
    """Does x, a variable or an entry, occur in e?"""
    return e == x or any(depends(a, x) for a in e.args if isinstance(a, Expr))


__all__ = [
    "calls", "depends", "distinct_indices",
    "flat", "fraction", "look", "mapped", "minus", "numbers", "parts", "put_together", "raised", "rebuilt", "replaced",
]
