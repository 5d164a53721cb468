"""What a displayed form stands for, entry by entry at explicit sizes: sums, Jacobians, what a node passes back or forward.

One class for all claims about vectors, so that a line of an adjoint and a line of a tangent mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sympy import Add, Expr, Integer, MatAdd, MatMul, Mul, OneMatrix, Transpose

from symgrad.check.comparison import Compared, Comparison
from symgrad.check.errors import Undecided
from symgrad.check.explicit import Explicit, Rows
from symgrad.check.general import General
from symgrad.check.sizes import Source
from symgrad.check.slots import Slots, slots
from symgrad.language import forms as F
from symgrad.language.errors import Refused
from symgrad.language.graph import Graph
from symgrad.language.operations import Vec
from symgrad.language.tangents import Direction, is_jacobian, tangent
from symgrad.language.vectors import AsScalar, Shape, dimensions_in, is_scalar, shape_of, variable


@dataclass(frozen=True)
class Meaning:
    """Of forms in one graph; the names of `inline` stand for their definitions, put in one after the other."""

    graph: Graph
    inline: Mapping[Expr, Expr] = field(default_factory=dict)

    def whole(self, e: Expr) -> Expr:
        """The expression with the definitions of `inline` in the place of names."""
        for symbol, definition in self.inline.items():
            e = e.xreplace({symbol: definition})
        return e

    def compared(self, comparison: Comparison, a: F.Form, b: F.Form, shape: Shape, what: str) -> Compared:
        """Are two forms equal, entry by entry?  Raises Refused with a point, or Undecided."""
        mentioned = self.mentioned(a) | self.mentioned(b) | {d for size in shape for d in size.free_symbols}
        mentioned = mentioned.union(*map(dimensions_in, self.inline.values()))
        return comparison.compare(
            lambda ex: self.rows(a, ex), lambda ex: self.rows(b, ex), shape, lambda atoms: (self.slots(a, atoms), self.slots(b, atoms)), what,
            (*self.sources(a), *self.sources(b)), mentioned, tuple(self.inline.items()), (*self.layouts(a), *self.layouts(b)))

    def in_general(self, general: General | None, comparison: Comparison, a: F.Form, b: F.Form, shape: Shape, what: str) -> Compared | None:
        """Two forms compared with letters for large sizes: proved for all sizes, or None."""
        return self.lettered(general, comparison, (a, b), shape, lambda letters, comparison, forms, shape: letters.compared(
            comparison, forms[0], forms[1], shape, what))

    def lettered(self, general: General | None, comparison: Comparison, forms: tuple[F.Form, ...], shape: Shape,
                 lines: Callable[[Meaning, Comparison, tuple[F.Form, ...], Shape], Compared]) -> Compared | None:
        """What `lines` finds of the forms with letters for large sizes (check/general.py): proved for all sizes, or None."""
        if general is None:
            return None
        try:
            letters = Meaning(general.graph, {general.form(symbol): general.form(e) for symbol, e in self.inline.items()})
            comparison = replace(comparison, dimensions=general.graph.dimensions, mirrored={})
            found = lines(letters, comparison, general.form(forms), general.shape(shape))
        except (Refused, Undecided):
            return None
        return Compared((), True, found.conditions, str(general)) if found.everywhere else None

    def definition(self, of: str, wrt: str) -> Expr:
        """What there is in the definition of `of` to differentiate in `wrt`: the terms of a sum in which it stands."""
        return _moving(self.graph.node(of).expr, self.graph.symbol(wrt))

    # ---- entries ---------------------------------------------------------------------------------------------

    def rows(self, form: F.Form, ex: Explicit) -> Rows:
        match form:
            case F.Just(expr) | F.Spread(expr):
                return ex.rows(expr)
            case F.Diagonal(expr):
                column = ex.rows(expr)
                return tuple(tuple(x[0] if i == j else Integer(0) for j in range(len(column))) for i, x in enumerate(column))
            case F.Sum(terms):
                grids = [self.rows(t, ex) for t in terms]
                return tuple(tuple(Add(*xs) for xs in zip(*rows, strict=True)) for rows in zip(*grids, strict=True))
            case F.AdjointOf(node):
                return ex.rows(variable(f"{node}_bar", self.graph.shape(node)))
            case F.Pullback(of, wrt):
                return self.pullback(of, wrt, ex)
            case F.Stacked(of, wrt):
                (definition,), = ex.rows(self.definition(of, wrt))
                return tuple(tuple(ex.differentiate(definition, x) for x in row) for row in ex.rows(self.graph.symbol(wrt)))
            case F.JacobianTimes(layout, of, transposed):
                jacobian = self.rows(layout, ex)
                if transposed:
                    jacobian = tuple(zip(*jacobian, strict=True))
                return _times(jacobian, self.rows(F.AdjointOf(of), ex))
            case F.Pushforward(of, wrt, direction) if is_jacobian(direction):
                return self.jacobian(of, wrt, direction, ex)
            case F.Pushforward(of, wrt, direction):
                return self.along(of, wrt, direction, ex)
        raise Refused(f"{type(form).__name__} is not a vector form")

    def pullback(self, of: str, wrt: str, ex: Explicit) -> Rows:
        """sum_ab (of_bar)_ab d of_ab / d wrt_ij, from the definition."""
        definition = [x for row in ex.rows(self.definition(of, wrt)) for x in row]
        bars = [x for row in ex.rows(variable(f"{of}_bar", self.graph.shape(of))) for x in row]
        return tuple(tuple(Add(*(Mul(bar, ex.differentiate(u, x)) for bar, u in zip(bars, definition, strict=True))) for x in row)
                     for row in ex.rows(self.graph.symbol(wrt)))

    def jacobian(self, of: str, wrt: str, direction: Direction, ex: Explicit) -> Rows:
        """sum_k (d of_i / d wrt_k) (d wrt / d w)_kj, entries counted column by column."""
        definition, argument = (_columns(ex.rows(e)) for e in (self.graph.node(of).expr, self.graph.symbol(wrt)))
        slopes = [[ex.differentiate(u, x) for x in argument] for u in definition]
        if wrt == direction[0][0]:
            return tuple(tuple(row) for row in slopes)
        inner = ex.rows(tangent(self.graph, wrt, direction))
        return tuple(tuple(Add(*(Mul(s, inner[k][j]) for k, s in enumerate(row) if s != 0)) for j in range(len(inner[0]))) for row in slopes)

    def along(self, of: str, wrt: str, direction: Direction, ex: Explicit) -> Rows:
        """sum_kl (d of_ij / d wrt_kl) (wrt_dot)_kl."""
        at = self.graph.symbol(dict(direction)[wrt]) if wrt in dict(direction) else tangent(self.graph, wrt, direction)
        moves = [(x, d) for row, other in zip(ex.rows(self.graph.symbol(wrt)), ex.rows(at), strict=True) for x, d in zip(row, other, strict=True)]
        return tuple(tuple(Add(*(Mul(ex.differentiate(u, x), d) for x, d in moves)) for u in row) for row in ex.rows(self.graph.node(of).expr))

    def layouts(self, form: F.Form) -> tuple[Expr, ...]:
        """Expressions with the rows and columns of a Jacobian: vec(of) vec(wrt)^T, and that times the tangent of wrt."""
        match form:
            case F.Sum(parts):
                return tuple(e for p in parts for e in self.layouts(p))
            case F.Pushforward(of, wrt, direction) if is_jacobian(direction):
                rows, columns = (_vec(self.graph.symbol(n)) for n in (of, wrt))
                inner = () if wrt == direction[0][0] else (_column(tangent(self.graph, wrt, direction)),)
                return (MatMul(rows, Transpose(columns), *inner),)
        return ()

    def mentioned(self, form: F.Form) -> frozenset[Expr]:
        """The symbolic dimensions that the entries of a form depend on."""
        match form:
            case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
                return dimensions_in(self.whole(expr))
            case F.Sum(parts):
                return frozenset().union(*map(self.mentioned, parts))
            case F.AdjointOf(node):
                return dimensions_in(self.whole(variable(f"{node}_bar", self.graph.shape(node))))
            case F.Pullback(of, wrt) | F.Stacked(of, wrt):
                own, other = self.graph.symbol(of), self.graph.symbol(wrt)
                return dimensions_in(self.whole(self.definition(of, wrt))) | dimensions_in(own) | dimensions_in(other)
            case F.JacobianTimes(layout, of, _):
                return self.mentioned(layout) | dimensions_in(self.graph.symbol(of))
            case F.Pushforward(of, wrt, direction):
                names = (self.graph.symbol(n) for n in (of, wrt, *(w for w, _ in direction)))
                return dimensions_in(self.whole(self.graph.node(of).expr)).union(*map(dimensions_in, names))
        raise Refused(f"{type(form).__name__} is not a vector form")

    def sources(self, form: F.Form) -> tuple[Source, ...]:
        """The expressions that the entries of a form are made of."""
        match form:
            case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
                return (Source(self.whole(expr)),)
            case F.Sum(parts):
                return tuple(s for p in parts for s in self.sources(p))
            case F.Pullback(of, wrt) | F.Stacked(of, wrt):
                return (Source(self.whole(self.definition(of, wrt)), derived=True), *self.sources(F.AdjointOf(of)))
            case F.Pushforward(of, _, _):
                return (Source(self.whole(self.graph.node(of).expr), derived=True),)
            case F.JacobianTimes(layout, of, _):
                return (*self.sources(layout), *self.sources(F.AdjointOf(of)))
            case F.AdjointOf(node):
                adjoint = variable(f"{node}_bar", self.graph.shape(node))
                return (Source(self.whole(adjoint)),) if adjoint in self.inline else ()
        return ()

    def slots(self, form: F.Form, atoms: bool = False) -> Slots:
        match form:
            case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
                return slots(self.whole(expr), atoms, derived=False)
            case F.Sum(terms):
                parts = [self.slots(t, atoms) for t in terms]
                return parts[0].times(*parts[1:]) if any(p.quotient for p in parts) else parts[0].or_(*parts[1:])
            case F.AdjointOf(node):
                return slots(self.whole(variable(f"{node}_bar", self.graph.shape(node))), atoms, derived=False)
            case F.Pullback(of, wrt):
                jacobian = slots(self.whole(self.definition(of, wrt)), atoms).and_sum(*self.graph.shape(of))
                return jacobian.times(self.slots(F.AdjointOf(of), atoms))
            case F.Stacked(of, wrt):
                return slots(self.whole(self.definition(of, wrt)), atoms)
            case F.Pushforward(of, wrt, _):
                return slots(self.whole(self.graph.node(of).expr), atoms).and_sum(*self.graph.shape(wrt))
            case F.JacobianTimes(layout, of, _):
                return self.slots(layout, atoms).and_sum(*self.graph.shape(of)).times(self.slots(F.AdjointOf(of), atoms))
        raise Refused(f"{type(form).__name__} is not a vector form")


@lru_cache(maxsize=1024)
def _moving(e: Expr, x: Expr) -> Expr:
    terms = [t for t in e.args if t.has(x)] if isinstance(e, Add | MatAdd) else []
    return e if not terms else terms[0] if len(terms) == 1 else e.func(*terms)


def expressions(form: F.Form) -> Iterator[Expr]:
    """The expressions that a form displays."""
    return (p.expr for p in F.pieces(form) if isinstance(p, F.Just | F.Spread | F.Diagonal))


def _times(a: Rows, b: Rows) -> Rows:
    if len(a) == len(a[0]) == 1:
        return tuple(tuple(Mul(a[0][0], x) for x in row) for row in b)
    if len(b) == len(b[0]) == 1:
        return tuple(tuple(Mul(x, b[0][0]) for x in row) for row in a)
    return tuple(tuple(Add(*(Mul(x, y) for x, y in zip(row, column, strict=True) if x != 0 and y != 0)) for column in zip(*b, strict=True))
                 for row in a)


def flat(e: Expr) -> object:
    """An expression as nested tuples, associative operations flattened, for comparison by structure."""
    if isinstance(e, AsScalar) or not e.args:
        return e if not isinstance(e, AsScalar) else flat(e.arg)
    name = type(e).__name__
    associative = name in ("MatMul", "MatAdd", "Add", "Mul", "HadamardProduct")
    items: list[object] = []
    for a in e.args:
        inner = flat(a)
        items.extend(inner[1:] if associative and isinstance(inner, tuple) and inner[0] == name else [inner])
    return (name, *items)


def _column(e: Expr) -> Expr:
    """A matrix with one entry in the place of a number."""
    return OneMatrix(1, 1) if is_scalar(e) else e


def _vec(e: Expr) -> Expr:
    return Vec(e) if 1 not in shape_of(e) else _column(Transpose(e) if shape_of(e)[0] == 1 and not is_scalar(e) else e)


def _columns(rows: Rows) -> tuple[Expr, ...]:
    """The entries, column by column."""
    return tuple(x for column in zip(*rows, strict=True) for x in column)


__all__ = ["Meaning", "expressions", "flat"]
