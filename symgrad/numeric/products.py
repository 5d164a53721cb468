"""Products and sums of matrices that keep diagonals, inverses and constant axes unformed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr

from symgrad.language.errors import Unsupported
from symgrad.language.vectors import Shape
from symgrad.numeric.values import ONE, Value

if TYPE_CHECKING:
    from symgrad.numeric.translator import Translator

NOMINAL = 64  # what a symbolic dimension is taken for when the order of a product is chosen


def full(t: Translator, a: Value, shape: tuple[Expr, ...]) -> Value:
    """`a` with every axis that its shape has: missing ones are filled (the only place where copies of a number are made)."""
    wanted = tuple(x for x, d in zip(("r", "c"), shape, strict=False) if d != ONE)
    a = t.plain(a)
    if a.axes == wanted:
        return a
    dims = tuple(d for d in shape if d != ONE)
    view = t.program.align(a, wanted)
    return t.program.make("spread", (view, *(t.count(d) for d in dims)), wanted, dims, a.batched)


def diagonal_of(t: Translator, a: Value) -> Value:
    """The diagonal of a square matrix, along axis r."""
    if a.op == "diag":
        return a.args[0]
    a = t.plain(a)
    if a.axes == ("r", "c"):
        return t.program.make("diagonal", (a,), ("r",), a.dims[:1], a.batched)
    return t.program.relabel(a, "c", "r")


def sum_entries(t: Translator, a: Value, shape: Shape) -> Value:
    """The sum of all entries."""
    p = t.program
    if a.op == "diag":
        a, shape = a.args[0], (shape[0], ONE)
    a = t.plain(a)
    missing = [t.size(d) for x, d in zip(("r", "c"), shape, strict=True) if d != ONE and x not in a.axes]
    return p.mul([*missing, p.total(a, tuple(x for x in a.axes if x in ("r", "c")))])


def inner(t: Translator, a: Value, b: Value, shape: Shape) -> Value:
    """The sum of the products of entries: sum_ij a_ij b_ij."""
    p = t.program
    if "diag" in (a.op, b.op):
        a, b, shape = diagonal_of(t, a), diagonal_of(t, b), (shape[0], ONE)
    a, b = t.plain(a), t.plain(b)
    if a.axes == b.axes != () and all(x in ("r", "c") for x in a.axes) and len(a.axes) == sum(d != ONE for d in shape):
        if a.op == b.op == "T":
            a, b = a.args[0], b.args[0]
        return p.make("inner", (a, b), (), (), a.batched or b.batched)
    return sum_entries(t, p.mul([a, b]), shape)


def matmul(t: Translator, a: Value, b: Value, shape: tuple[Expr, Expr, Expr]) -> Value:
    """a @ b for a (R, K), b (K, C)."""
    p = t.program
    rows, inside, columns = shape
    if a.op == "diag" and b.op == "diag":
        return p.make("diag", (d := p.mul([a.args[0], b.args[0]]),), a.axes, a.dims, d.batched)
    if a.op == "diag":
        return p.mul([a.args[0], t.plain(b)])
    if b.op == "diag":
        return p.mul([t.plain(a), p.relabel(b.args[0], "r", "c")])
    if a.op == "inverse":
        b = t.plain(b)
        if "r" not in b.axes:
            b = full(t, b, (inside, columns) if "c" in b.axes else (inside,))
        return p.make("solve", (a.args[0], b), b.axes, b.dims, a.batched or b.batched)
    if b.op == "inverse":
        return p.transpose(matmul(t, p.transpose(b), p.transpose(a), (columns, inside, rows)))
    if any(x not in ("r", "c") for x in (*a.axes, *b.axes)):
        raise Unsupported("a matrix product whose factors depend on a bound index")
    if "c" in a.axes and "r" in b.axes:
        kept = [(x, v.size(x)) for x, v in (("r", a), ("c", b)) if x in v.axes]
        return p.make("contract", (a, b), tuple(x for x, _ in kept), tuple(d for _, d in kept), a.batched or b.batched)
    if "c" in a.axes:
        a = p.total(a, ("c",))
    elif "r" in b.axes:
        b = p.total(b, ("r",))
    elif inside != ONE:
        return p.mul([t.size(inside), a, b])
    if a.axes == ("r",) and b.axes == ("c",) and not (a.batched or b.batched):
        return p.make("outer", (a, b), ("r", "c"), (*a.dims, *b.dims))
    return p.mul([a, b])


def chain(t: Translator, factors: list[Value], shapes: list[Shape], coefficient: list[Value]) -> Value:
    """The product of a chain in the order with the fewest multiplications; a coefficient goes to the smallest place."""
    p = t.program
    scale = p.mul(coefficient) if coefficient else p.const(1)
    if scale.op == "neg" or (scale.op == "const" and scale.param == -1):
        return _negated(t, chain(t, factors, shapes, [p.neg(scale)]))
    unscaled = scale.op == "const" and scale.param == 1
    plain_result = shapes[0][0] == ONE or shapes[-1][1] == ONE
    if not unscaled and not plain_result:
        for i, v in enumerate(factors):
            if len(v.axes) == 1 or v.op == "diag":
                factors = [*factors[:i], _scaled(t, v, scale), *factors[i + 1:]]
                unscaled = True
                break
    split = _order(factors, shapes)

    def multiply(i: int, j: int) -> Value:
        if i == j:
            return factors[i]
        k = split[i, j]
        return matmul(t, multiply(i, k), multiply(k + 1, j), (shapes[i][0], shapes[k][1], shapes[j][1]))

    result = multiply(0, len(factors) - 1)
    return result if unscaled else _scaled(t, result, scale)


def _scaled(t: Translator, a: Value, scale: Value) -> Value:
    if a.op == "diag":
        d = t.program.mul([scale, a.args[0]])
        return t.program.make("diag", (d,), a.axes, a.dims, d.batched)
    return t.program.mul([scale, t.plain(a)])


def _negated(t: Translator, a: Value) -> Value:
    return _scaled(t, a, t.program.const(-1)) if a.op in ("diag", "inverse") else t.program.neg(a)


def _order(factors: list[Value], shapes: list[Shape]) -> dict[tuple[int, int], int]:
    """Where to split each stretch of a chain (the textbook dynamic program; constant axes and diagonals cost less)."""
    n = len(factors)
    if n == 2:
        return {(0, 1): 0}
    if n > 40:
        raise Unsupported(f"a product of {n} matrices in one definition; name a part of it")
    rows = [_nominal(s[0]) if "r" in v.axes else 1 for v, s in zip(factors, shapes, strict=True)]
    columns = [_nominal(s[1]) if "c" in v.axes else 1 for v, s in zip(factors, shapes, strict=True)]
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            best = None
            for k in range(i, j):
                light = (i == k and factors[i].op == "diag") or (k + 1 == j and factors[j].op == "diag")
                here = rows[i] * columns[j] * (1 if light else max(columns[k], rows[k + 1]))
                total = cost[i, k] + cost[k + 1, j] + here
                if best is None or total < best:
                    best, split[i, j] = total, k
            assert best is not None
            cost[i, j] = best
    return split


def _nominal(size: Expr) -> int:
    return int(size) if size.is_Integer else NOMINAL


__all__ = ["chain", "diagonal_of", "full", "inner", "matmul", "sum_entries"]
