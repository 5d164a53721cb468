"""Expressions as affine maps: a sum of coefficient @ atom, the coefficients free of the data, and a constant.

The data are the inputs and all that depends on them.  An atom is an input, a nonlinear expression such as sigmoid(z), or a
node that is kept.  To make another operation affine: one case in `Linear.of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from sympy import Add, Expr, HadamardProduct, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Mul, OneMatrix, Symbol, Transpose, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.language.graph import Graph, Node
from symgrad.rules.registry import rule

ONE = Integer(1)
SOURCE = "Bishop, Pattern Recognition and Machine Learning (2006), section 5.1"


@dataclass(frozen=True, slots=True)
class Term:
    """left @ atom @ right; left is a scalar or a matrix, right a matrix or None."""

    left: Expr
    atom: Expr
    right: Expr | None = None

    @property
    def value(self) -> Expr:
        whole = by(self.left, self.atom)
        return unwrapped(whole if self.right is None else by(whole, self.right))


@dataclass(frozen=True, slots=True)
class Affine:
    """The sum of the terms and of the constants."""

    terms: tuple[Term, ...] = ()
    constants: tuple[Expr, ...] = ()


def by(left: Expr, e: Expr) -> Expr:
    """left times e: the matrix product of two matrices, a scalar times the rest; numbers are multiplied together in front.

    diag(s) times a column c is s o c.
    """
    if v.is_scalar(left) and v.is_scalar(e):
        return v.merged((left, e))
    scalars: list[Expr] = []
    matrices: list[Expr] = []
    for x in (left, e):
        for f in x.args if isinstance(x, MatMul) else (x,):
            (scalars if v.is_scalar(f) else matrices).append(f)
    if any(isinstance(m, ZeroMatrix) for m in matrices):
        return ZeroMatrix(matrices[0].shape[0], matrices[-1].shape[1])
    body = matrices.pop()
    while matrices and isinstance(matrices[-1], v.Diag) and body.shape[1] == 1:
        number, body = split(entrywise(matrices.pop().arg, body))
        scalars.append(number)
    return v.scale(v.merged(tuple(scalars)) if scalars else ONE, reduce(v.matmul, (*matrices, body)))


def entrywise(a: Expr, b: Expr) -> Expr:
    """a o b, numbers in front; a vector of ones is the unit."""
    (m, x), (n, y) = split(a), split(b)
    body = x if isinstance(y, OneMatrix) else y if isinstance(x, OneMatrix) else v.times(x, y)
    return by(m * n, body)


def transposed(e: Expr) -> Expr:
    """(A + B)^T = A^T + B^T, (A B)^T = B^T A^T."""
    return reduce(v.add, map(transposed, e.args)) if isinstance(e, MatAdd) else v.transpose(e)


def unwrapped(e: Expr) -> Expr:
    """A (1, 1) matrix as a scalar, its number in front."""
    if v.is_scalar(e) or e.shape != v.SCALAR:
        return e
    number, rest = split(e)
    if isinstance(rest, MatMul) and all(isinstance(a, OneMatrix) for a in rest.args):
        return by(number, rest.args[0].shape[1])  # 1^T 1 = M
    if isinstance(rest, MatMul) and len(rest.args) == 2 and isinstance(rest.args[1], MatrixSymbol):
        row, column = rest.args
        if isinstance(row, Transpose) and isinstance(row.args[0], v.Unit):
            return by(number, v.Entry(column, row.args[0].args[1]))
    return by(number, v.as_scalar(rest))


def split(e: Expr) -> tuple[Expr, Expr]:
    """The number in front and the rest: -2 A x into -2 and A x."""
    if e.is_Number:
        return e, ONE
    if isinstance(e, Mul | MatMul) and e.args[0].is_Number:
        rest = e.args[1:]
        return e.args[0], rest[0] if len(rest) == 1 else e.func(*rest) if isinstance(e, MatMul) else Mul._from_args(rest)
    return ONE, e


def addends(e: Expr) -> tuple[Expr, ...]:
    """The terms of a sum, one term for anything else."""
    return tuple(x for a in e.args for x in addends(a)) if isinstance(e, Add | MatAdd) else (e,)


def gathered(terms: Iterable[Expr], shape: v.Shape) -> Expr:
    """The sum of terms of one shape: equal ones counted, those that cancel dropped, the order kept; a zero of that shape if none is left.

    Beside matrices a scalar stands for that multiple of the identity.
    """
    flat = [x for t in terms for x in addends(t)]
    if shape != v.SCALAR:
        flat = [v.scale(x, Identity(shape[0])) if v.is_scalar(x) else x for x in flat]
    counts: dict[Expr, Expr] = {}
    for x in flat:
        number, rest = split(x)
        counts[rest] = counts.get(rest, Integer(0)) + number
    left = [by(n, rest) for rest, n in counts.items() if n != 0]
    left = [x for x in left if x != 0 and not isinstance(x, ZeroMatrix)]
    if not left:
        return Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape)
    return reduce(v.add, left)


def simple_first(terms: Iterable[Expr]) -> list[Expr]:
    """A bias before a sum of weights: fewer factors first, the order kept among equals."""
    return sorted(terms, key=lambda e: len(split(e)[1].args) if isinstance(split(e)[1], Mul | MatMul) else 1)


def substituted(e: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """Equals put in for equals; products and sums stay flat, numbers are multiplied together."""
    symbols = {s for key in table for s in key.free_symbols}

    def put(x: Expr) -> Expr:
        if x in table:
            return table[x]
        return x if not x.args or symbols.isdisjoint(x.free_symbols) else rebuilt(x, tuple(map(put, x.args)))

    return put(e)


def rebuilt(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments."""
    match e:
        case MatMul():
            return reduce(by, args)
        case Mul():
            return v.merged(args)
        case Add() | MatAdd():
            return reduce(v.add, args)
        case HadamardProduct():
            return reduce(entrywise, args)
        case Transpose():
            return transposed(args[0])
        case v.AsScalar():
            return unwrapped(args[0])
    return e.func(*args)


@rule("distribution", source=SOURCE)
def distributed(a: Affine) -> tuple[Expr, ...]:
    """A (B x + c) = A B x + A c: one addend a term."""
    return (*(t.value for t in a.terms), *(c for c in a.constants if c != 0))


@rule("collection", source=SOURCE)
def collected(a: Affine, shape: v.Shape) -> Affine:
    """A x + B x + c + d = (A + B) x + (c + d): one term an atom, one constant."""
    lefts: dict[tuple[Expr, Expr | None], list[Expr]] = {}
    for t in a.terms:
        lefts.setdefault((t.atom, t.right), []).append(t.left)
    terms = []
    for (atom, right), found in lefts.items():
        rows = next((x.shape for x in found if not v.is_scalar(x)), None)
        left = gathered(found, rows if rows is not None else v.SCALAR)
        if left != 0 and not isinstance(left, ZeroMatrix):
            terms.append(Term(left, atom, right))
    constant = gathered(simple_first(x for c in a.constants for x in addends(c)), shape)
    return Affine(tuple(terms), (constant,))


def scaled(c: Expr, a: Affine) -> Affine:
    """c @ (sum of terms); c is free of the data."""
    if c == 1:
        return a
    return Affine(tuple(Term(by(c, t.left), t.atom, t.right) for t in a.terms),
                  tuple(by(c, x) for x in a.constants if x != 0))


def joined(parts: Iterable[Affine]) -> Affine:
    found = tuple(parts)
    return Affine(tuple(t for p in found for t in p.terms), tuple(c for p in found for c in p.constants))


def row_by_column(t: Term) -> Term:
    """x^T b as b^T x."""
    if isinstance(t.atom, Transpose) and t.right is not None:
        return Term(by(t.left, v.transpose(t.right)), t.atom.args[0])
    return t


@dataclass
class Linear:
    """Affine forms over one graph; the nodes in `keep` are atoms even where they are affine in the data themselves."""

    graph: Graph
    keep: frozenset[str] = frozenset()
    memo: dict[str, Affine] = field(default_factory=dict)
    known: dict[Expr, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = {x.name for x in self.graph.variables if x.role == "input"}
        for node in self.graph.nodes:
            if any(a in self.data for a in self.graph.arguments(node.name)):
                self.data.add(node.name)

    def depends(self, e: Expr) -> bool:
        """Does e depend on an input?"""
        if e not in self.known:
            self.known[e] = any(n in self.data for n in v.names_in(e))
        return self.known[e]

    def nonlinear(self, e: Expr) -> bool:
        """Is e an atom of its own that is not an input: a nonlinear expression, or a node that stands for one?"""
        if isinstance(e, Symbol | MatrixSymbol):
            return isinstance(self.graph[e.name], Node) and self.of(e).terms == (Term(ONE, e),) and e.name not in self.keep
        if isinstance(e, v.Entry | Transpose) and isinstance(e.args[0], MatrixSymbol) and not self.nonlinear(e.args[0]):
            return False
        return self.depends(e) and self.of(e).terms == (Term(ONE, e),)

    def inlined(self, e: Expr) -> Expr:
        """Definitions put in, down to the atoms and not into them."""
        if not self.depends(e) or self.of(e).terms == (Term(ONE, e),):
            return e
        if isinstance(e, Symbol | MatrixSymbol):
            return self.inlined(self.graph.node(e.name).expr)
        return rebuilt(e, tuple(map(self.inlined, e.args)))

    def node(self, e: Expr) -> Affine:
        if e.name not in self.memo:
            found = self.graph[e.name]
            itself = Affine((Term(ONE, e),))
            inner = self.of(found.expr) if isinstance(found, Node) and e.name not in self.keep else itself
            self.memo[e.name] = itself if isinstance(found, Node) and inner.terms == (Term(ONE, found.expr),) else inner
        return self.memo[e.name]

    def of(self, e: Expr) -> Affine:
        """The affine form of e; e itself as the only atom where it is not affine in the data."""
        if not self.depends(e):
            return Affine((), addends(e))
        match e:
            case Symbol() | MatrixSymbol():
                return self.node(e)
            case Add() | MatAdd():
                return joined(self.of(a) for a in e.args)
            case Mul() | MatMul() | HadamardProduct() if sum(map(self.depends, e.args)) == 1:
                found = self.product(e)
            case Transpose():
                found = self.turned(self.of(e.args[0]))
            case v.AsScalar():
                inner = self.of(e.arg)
                found = Affine(tuple(map(row_by_column, inner.terms)), tuple(map(unwrapped, inner.constants)))
            case v.SumOf() if e.arg.shape[1] == 1:
                row = scaled(OneMatrix(1, e.arg.shape[0]), self.of(e.arg))
                found = Affine(row.terms, tuple(map(unwrapped, row.constants)))
            case v.Entry(args=(matrix, i, _)) if matrix.shape[1] == 1 and matrix.shape[0].is_Integer and i.is_Integer:
                inner = self.of(matrix)
                if inner.terms == (Term(ONE, matrix),):
                    return Affine((Term(ONE, e),))
                row = scaled(v.transpose(v.Unit(matrix.shape[0], i)), inner)
                found = Affine(row.terms, tuple(map(unwrapped, row.constants)))
            case _:
                found = None
        return found if found is not None else Affine((Term(ONE, e),))

    def product(self, e: Expr) -> Affine | None:
        """The one factor that depends on the data, with the factors around it."""
        k = next(i for i, a in enumerate(e.args) if self.depends(a))
        inner, others = self.of(e.args[k]), (*e.args[:k], *e.args[k + 1:])
        if isinstance(e, HadamardProduct):
            if e.shape[1] != 1:
                return None
            number, factor = split(reduce(entrywise, others))
            return scaled(by(number, v.Diag(factor)) if not isinstance(factor, OneMatrix) else number, inner)
        if v.is_scalar(e.args[k]):  # a scalar of the data times what may be matrices
            return scaled(reduce(by, others), inner)
        before, after = reduce(by, e.args[:k], ONE), e.args[k + 1:]
        if not after:
            return scaled(before, inner)
        right = reduce(v.matmul, after)
        terms = tuple(Term(by(before, t.left), t.atom, right if t.right is None else by(t.right, right)) for t in inner.terms)
        return Affine(terms, tuple(by(by(before, c), right) for c in inner.constants))

    def turned(self, a: Affine) -> Affine | None:
        """(A x B)^T = B^T x^T A^T."""
        terms = []
        for t in a.terms:
            if v.is_scalar(t.atom):
                terms.append(Term(v.transpose(t.left), t.atom, None))
                continue
            left = ONE if t.right is None else v.transpose(t.right)
            number, rest = split(t.left)
            right = None if rest == 1 else v.transpose(rest) if not v.is_scalar(rest) else None
            factor = number if right is not None or rest == 1 else t.left
            terms.append(Term(by(factor, left), v.transpose(t.atom), right))
        return Affine(tuple(terms), tuple(transposed(c) for c in a.constants))


__all__ = ["Affine", "Linear", "Term", "addends", "by", "collected", "distributed", "gathered", "joined", "rebuilt", "scaled", "simple_first",
           "split", "substituted", "transposed", "unwrapped"]
