"""Vectors and matrices written out with indices: softmax(z)_i = e^(z_i) / sum_k e^(z_k), (A x)_i = sum_k A_ik x_k."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Add, Expr, Integer, MatrixExpr, MatrixSymbol, Mul, Pow, Symbol

from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.entries import Indices, entry, index
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Prose
from symgrad.language.functions import Call, call
from symgrad.rules.registry import rule
from symgrad.rules.rewriting import Move
from symgrad.rules.shape import fraction, rebuilt

BISHOP = "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.104"
WRITTEN_OUT = 4  # a sum of so few terms has them written out
LETTERS = ("k", "l", "m", "p", "q", "u", "w")


def free_indices(shape: v.Shape, taken: frozenset[str]) -> tuple[Symbol, ...]:
    """i and j for the dimensions that are not 1, in letters that no name takes."""
    letters = [c for c in ("i", "j", "r", "s") if c not in taken]
    return tuple(index(letters[k]) for k, _ in enumerate([d for d in shape if d != 1]))


def entry_at(e: Expr, indices: tuple[Symbol, ...]) -> Expr:
    """Entry (i, j) of e as it stands; 1 for a dimension that is 1."""
    rest = list(indices)
    return v.Entry(e, *(Integer(1) if d == 1 else rest.pop(0) for d in e.shape))


@rule("written with indices", source=BISHOP)
def written_out(e: Expr, taken: frozenset[str]) -> Move | None:
    """Entries and sums in the place of vectors; e itself is a scalar, such as one entry."""
    names: dict[str, None] = {}
    indices = Indices(taken | {"i", "j", "r", "s"})
    indices.free = [c for c in (*LETTERS, *indices.free) if c not in taken]
    new = component(e, indices, names)
    if new == e:
        return None
    said: Prose = (f"definition of {' and '.join(names)}",) if names else ("written with indices",)
    return Move(new, said, said)


def component(e: Expr, indices: Indices, names: dict[str, None]) -> Expr:
    """A scalar expression without vectors but for entries of variables; `names` notes the functions whose definition was used."""
    def of(x: Expr) -> Expr:
        return component(x, indices, names)

    def over(size: Expr, body: Callable[[Expr], Expr]) -> Expr:
        if size.is_Integer and size <= WRITTEN_OUT:
            return v.total(tuple(body(Integer(k)) for k in range(1, int(size) + 1)))
        k = indices.take()
        return v.IndexSum(body(k), k, size)

    match e:
        case MatrixExpr():
            raise Unsupported("a vector where a scalar is expected")
        case v.Entry(args=(MatrixSymbol(), _, _)):
            return e
        case v.Entry(args=(v.Softmax(args=(z,)), i, _)):
            names["softmax"] = None
            return fraction(of(call("exp", v.Entry(z, i))), over(z.shape[0], lambda k: of(call("exp", v.Entry(z, k)))))
        case v.Entry(args=(Grad(args=(body, x)), i, j)):
            return Diff(of(body), v.Entry(x, i, j))
        case v.Entry(args=(matrix, i, j)):
            one = entry(matrix, i, j, indices)
            if one == e:
                raise Unsupported(f"the entries of {type(matrix).__name__}")
            return of(one)
        case v.AsScalar():
            return of(entry(e.arg, Integer(1), Integer(1), indices))
        case v.SumOf():
            rows, columns = e.arg.shape
            return over(rows, lambda i: over(columns, lambda j: of(v.Entry(e.arg, i, j))))
        case v.TraceOf():
            return over(e.arg.shape[0], lambda k: of(v.Entry(e.arg, k, k)))
        case v.LogSumExp():
            names["log-sum-exp"] = None
            return call("log", over(e.arg.shape[0], lambda k: of(call("exp", v.Entry(e.arg, k)))))
        case v.Norm():
            return call("sqrt", of(v.SumOf(v.power(e.arg, Integer(2)))))
        case Pow(args=(v.Norm(args=(inside,)), n)) if n.is_Integer and n % 2 == 0:
            return v.power(of(v.SumOf(v.power(inside, Integer(2)))), n / 2)
        case Diff(args=(body, x)):
            return Diff(of(body), x)
        case v.IndexSum(args=(body, k, size)):
            return v.IndexSum(of(body), k, size)
        case Call():
            return Call(e.fn, *map(of, e.arguments))
        case Add() | Mul() | Pow():
            return rebuilt(e, tuple(map(of, e.args)))
    if any(isinstance(a, MatrixExpr) for a in e.args):
        raise Unsupported(f"{type(e).__name__} written with indices")
    return e


__all__ = ["component", "entry_at", "free_indices", "written_out"]
