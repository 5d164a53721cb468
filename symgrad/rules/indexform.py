"""Matrix expressions with index sums, each dimension with a letter of its own: i over D, j over M, k over K."""

from __future__ import annotations

from sympy import Add, Expr, Integer, MatrixSymbol, Mul, Pow, Symbol

from symgrad.language import vectors as v
from symgrad.language.entries import LETTERS, Indices, entry, index
from symgrad.language.functions import Call
from symgrad.language.graph import Graph


class Unnamed(Indices):
    """Bound indices that no formula has; they get their letters afterwards."""

    def __init__(self) -> None:
        self.count = 0

    def take(self) -> Symbol:
        self.count += 1
        return index(f"_b{self.count}")


class IndexForm:
    """Entries of expressions over one graph; letters that the graph uses are left alone."""

    def __init__(self, graph: Graph) -> None:
        self.taken = frozenset(graph.names) | {str(d) for d in graph.dimensions}
        letters = [c for c in LETTERS if c not in self.taken]
        literal = [s for x in graph.all for s in x.shape if s.is_Integer and s > 1]
        sizes = list(dict.fromkeys((*graph.dimensions, *literal)))
        self.preferred = {d: letters[k % len(letters)] for k, d in enumerate(sizes)}
        self.letters = letters

    def free(self, shape: v.Shape) -> tuple[Symbol, ...]:
        """One index for every dimension that is not 1."""
        found: list[str] = []
        for size in shape:
            if size != 1:
                found.append(next(c for c in (self.preferred.get(size, self.letters[0]), *self.letters) if c not in found))
        return tuple(map(index, found))

    def of(self, e: Expr, free: tuple[Symbol, ...]) -> Expr:
        """Entry `free` of a matrix; a scalar with its sums written out."""
        indices = Unnamed()
        if v.is_scalar(e):
            found = self.scalar(e, indices)
        else:
            row, column = (free if len(free) == 2 else (Integer(1), *free) if e.shape[0] == 1 and free else (*free, Integer(1), Integer(1)))[:2]
            found = entry(e, row, column, indices)
        return self.renamed(found, frozenset(map(str, free)))

    def scalar(self, e: Expr, indices: Indices) -> Expr:
        match e:
            case v.AsScalar():
                return entry(e.arg, Integer(1), Integer(1), indices)
            case v.SumOf() if e.arg.shape[1] == 1:
                i = indices.take()
                return v.IndexSum(entry(e.arg, i, Integer(1), indices), i, e.arg.shape[0])
            case Add() | Mul():
                return e.func._from_args(tuple(self.scalar(a, indices) for a in e.args))
            case Pow():
                return Pow(self.scalar(e.args[0], indices), e.args[1], evaluate=False)
            case Call():
                return Call(e.fn, *(self.scalar(a, indices) for a in e.arguments))
            case v.Entry(args=(matrix, i, j)):
                return entry(matrix, i, j, indices)
        return e

    def renamed(self, e: Expr, scope: frozenset[str]) -> Expr:
        """Every bound index gets the letter of its dimension, another one only where that is in use around it."""
        if isinstance(e, v.IndexSum):
            body, old, size = e.args
            used = scope | ({str(s) for s in body.free_symbols if s.is_integer} - {str(old)})
            letter = next(c for c in (self.preferred.get(size, self.letters[0]), *self.letters) if c not in used)
            return v.IndexSum(self.renamed(relettered(body, old, index(letter)), scope | {letter}), index(letter), size)
        if isinstance(e, v.Entry) or not e.args:
            return e
        return rebuilt(e, tuple(self.renamed(a, scope) for a in e.args))


def relettered(e: Expr, old: Symbol, new: Symbol) -> Expr:
    """`new` for `old`, every product and sum in its order (SymPy's own substitution sorts them)."""
    if e == old:
        return new
    return rebuilt(e, tuple(relettered(a, old, new) for a in e.args)) if e.args and not isinstance(e, MatrixSymbol) else e


def rebuilt(e: Expr, args: tuple[Expr, ...]) -> Expr:
    if args == e.args:
        return e
    return e.func._from_args(args) if isinstance(e, Add | Mul) else Pow(*args, evaluate=False) if isinstance(e, Pow) else e.func(*args)
