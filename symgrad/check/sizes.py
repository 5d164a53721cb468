"""At which sizes equality must be seen so that it holds at every size, beyond what the count of index slots asks for.

The count is a proof for polynomials in which every summed index stands in a factor.  What it does not see:

1. A sum over an index that stands in no term, or drops out of one by a relation between functions, as in
   sum_k e^(x_k) e^(-x_k) = N: the coefficient is a polynomial in the size, one more size for each such sum; of two dimensions a
   polynomial in both, so the sizes form a grid.
2. A sum inside a function: e^(sum_k x_k) is a product over all indices, and at size 2 it equals e^(x_1) e^(x_2).  With one size
   more than both sides carry slots together, a term that touches every index is told from one that does not.
3. A fixed position, x[3]: the others must be able to differ from it.
4. A jump or a kink of the size itself, step(N - 5): no finite number of sizes shows anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod

from sympy import Expr, HadamardProduct, Identity, Inverse, MatAdd, MatMul, MatrixSymbol, Mul, OneMatrix, Pow, Transpose, ZeroMatrix

from symgrad.check.errors import Undecided
from symgrad.check.explicit import Slots
from symgrad.language import vectors as v
from symgrad.language.functions import KNOWN, Call

MAX_VECTORS = 40
Sizes = dict[Expr, int]


class TooManySizes(Undecided):
    """A proof would take too long."""


@dataclass(frozen=True)
class Source:
    """An expression on one side of an equation; `derived`: it is a definition that is differentiated there."""

    expr: Expr
    derived: bool = False


def thorough(vectors: list[Sizes], free: Iterable[Expr], sides: tuple[Slots, ...], sources: tuple[Source, ...]) -> list[Sizes]:
    """The sizes of `enough`, made enough for what stands above.  Raises Undecided where no number of sizes would do, or too many."""
    for s in sources:
        _refuse_kinks_of_sizes(s.expr)
    inside = {n for s in sources for e in _walk(s.expr) if _is_rough(e) for n in v.names_in(e)}
    dropped: Counter[Expr] = Counter()
    nested: Counter[Expr] = Counter()
    fixed: dict[Expr, set[int]] = {}
    for s in sources:
        within = Counter(d for e in _walk(s.expr) if _is_rough(e) for size in _sums_in(e) for d in size.free_symbols)
        dropped += Counter(d for e in _walk(s.expr) for size in _dropping(e, inside) for d in size.free_symbols)
        dropped += within if s.derived else Counter()
        nested += within
        for e in _walk(s.expr):
            if isinstance(e, v.Entry):
                for d, i in zip(v.shape_of(e.args[0]), e.args[1:], strict=True):
                    if i.is_Integer and not d.is_Integer:
                        fixed.setdefault(d, set()).add(int(i))
    least = dict(vectors[0])
    carried = sum((s.summed for s in sides), Counter()) + Counter(d for d in free if not d.is_Integer)
    for d in least:
        if nested[d]:
            least[d] = max(least[d], carried[d] + 1)
        if d in fixed:
            least[d] = max(*fixed[d], least[d] + len(fixed[d]))
    more = {d: max(x[d] - vectors[0][d] for x in vectors) + dropped[d] for d in least}
    if prod(n + 1 for n in more.values()) > MAX_VECTORS:
        raise TooManySizes(f"more than {MAX_VECTORS} sizes would have to be compared")
    return [dict(zip(least, sizes, strict=True)) for sizes in product(*(range(least[d], least[d] + more[d] + 1) for d in least))]


def _walk(e: Expr) -> Iterator[Expr]:
    """e and all in it, but for the shapes of symbols, indices, and the sizes that sums run to."""
    stack = [e]
    while stack:
        x = stack.pop()
        yield x
        if isinstance(x, v.Entry | v.IndexSum):
            stack.append(x.args[0])
        elif not isinstance(x, MatrixSymbol | Identity | OneMatrix | ZeroMatrix):
            stack.extend(a for a in x.args if isinstance(a, Expr))


def _is_rough(e: Expr) -> bool:
    """A function with relations of its own, a root, a quotient, or a power 0, in which an index may cancel."""
    match e:
        case Call() | v.Elementwise():
            return e.fn.name in KNOWN
        case Pow(base=v.Norm(), exp=n) if n.is_Integer and n > 0 and n % 2 == 0:
            return False
        case Pow(base=base, exp=n) | v.Power(args=(base, n)):
            return not (n.is_Integer and n > 0) and bool(v.names_in(base))
        case v.Norm() | v.Softmax() | v.LogSumExp() | Inverse() | v.DetOf():
            return True
    return False


def _sums(e: Expr) -> tuple[Expr, ...]:
    """The dimensions that the outermost operation of e sums over."""
    match e:
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            return tuple(a.shape[1] for a in matrices[:-1])
        case v.SumOf() | v.Norm() | v.LogSumExp() | v.Softmax():
            return e.args[0].shape
        case v.TraceOf():
            return (e.args[0].shape[0],)
        case v.IndexSum(args=(_, _, size)):
            return (size,)
    return ()


def _sums_in(e: Expr) -> Iterator[Expr]:
    for x in _walk(e):
        yield from _sums(x)


def _dropping(e: Expr, inside: set[str]) -> Iterator[Expr]:
    """The dimensions of the sums of e whose index may drop out of a term; sums over ones and identities are counted as slots."""
    if isinstance(e, v.IndexSum | v.Softmax | v.LogSumExp) or any(map(_is_rough, _walk_inside(e))):
        yield from _loose(e, inside)


def _loose(e: Expr, inside: set[str]) -> Iterator[Expr]:
    """The dimensions that the outermost operation of e sums over, where the index is not shown to stay in every term.

    An index stays where a factor with it is a variable that no function in `inside` holds: at the value 0 of it the term is 0.
    """
    match e:
        case v.IndexSum(args=(body, index, size)):
            if not _holds(body, index, inside):
                yield size
        case v.Softmax() | v.LogSumExp():
            yield from e.args[0].shape
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            yield from (a.shape[1] for a, b in pairwise(matrices) if not _carries(a, 1, inside) and not _carries(b, 0, inside))
        case v.SumOf() | v.Norm():
            yield from (d for axis, d in enumerate(e.args[0].shape) if not _carries(e.args[0], axis, inside))
        case v.TraceOf():
            if not _carries(e.args[0], 0, inside) and not _carries(e.args[0], 1, inside):
                yield e.args[0].shape[0]


def _walk_inside(e: Expr) -> Iterator[Expr]:
    for a in e.args:
        if isinstance(a, Expr):
            yield from _walk(a)


def _carries(e: Expr, axis: int, inside: set[str]) -> bool:
    """Does every term of an entry of e have a factor with the index of that axis, a variable outside all functions?"""
    match e:
        case MatrixSymbol():
            return e.name not in inside
        case Transpose():
            return _carries(e.args[0], 1 - axis, inside)
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            return _carries(matrices[-axis], axis, inside)
        case MatAdd():
            return all(_carries(a, axis, inside) for a in e.args)
        case HadamardProduct():
            return any(_carries(a, axis, inside) for a in e.args)
        case v.Power(args=(base, n)):
            return bool(n.is_Integer and n > 0) and _carries(base, axis, inside)
        case v.Diag():
            return _carries(e.args[0], 0, inside)
    return False


def _holds(body: Expr, index: Expr, inside: set[str]) -> bool:
    """Does every term of an indexed body have a factor with that index, an entry of a variable outside all functions?"""
    match body:
        case v.Entry(args=(matrix, *where)):
            return index in where and isinstance(matrix, MatrixSymbol) and matrix.name not in inside
        case Mul():
            return any(_holds(a, index, inside) for a in body.args)
        case v.IndexSum():
            return _holds(body.args[0], index, inside)
        case Pow(base=base, exp=n):
            return bool(n.is_Integer and n > 0) and _holds(base, index, inside)
    return body.is_Add and all(_holds(a, index, inside) for a in body.args)


def _refuse_kinks_of_sizes(e: Expr) -> None:
    """Raises Undecided for a function with a kink of what may depend on a size itself, other than sqrt(N)."""
    for x in _walk(e):
        if isinstance(x, Pow) and not x.exp.is_Integer:
            arguments, root = (x.base,), True
        elif isinstance(x, Call | v.Elementwise) and x.fn.name in KNOWN and KNOWN[x.fn.name].kink:
            arguments, root = x.arguments, x.fn.name == "sqrt"
        else:
            continue
        for a in arguments:
            if any(map(_is_of_size, _walk(a))) and not (root and a.is_Symbol):
                raise Undecided(f"{x} has a kink in a size: no number of sizes shows what it is at all of them")


def _is_of_size(e: Expr) -> bool:
    """A size as a number, or a sum that may be one."""
    if e.is_Symbol:
        return bool(getattr(e, "is_integer", False))
    rough = [x for x in _walk_inside(e) if _is_rough(x)]
    return any(not size.is_Integer for size in _loose(e, {n for x in rough for n in v.names_in(x)}))
