"""Reverse accumulation over a whole graph: every adjoint a new definition, nothing expanded, one visit a definition.

    v_bar = sum over the consumers u of v of (du/dv)^T u_bar

Cost is linear in the graph.  Source: Griewank, Walther, Evaluating Derivatives (2008), section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from sympy import Add, Expr, Integer, MatAdd, MatMul, Mul, Symbol, ZeroMatrix, preorder_traversal

from symgrad.language import vectors as v
from symgrad.language.forms import Prose
from symgrad.language.graph import Graph
from symgrad.rules.vector import derivative, pull, put_in


class Accumulated(NamedTuple):
    """One adjoint: its sum over consumers, and each consumer's part with that consumer's adjoint as a symbol.

    `before` holds what the sum was before something known was put in, each with what that is in words.
    """

    expr: Expr
    consumers: tuple[str, ...] = ()
    terms: tuple[Expr, ...] = ()
    before: tuple[tuple[Expr, Prose], ...] = ()

    def rewritten(self, expr: Expr, why: Prose) -> Accumulated:
        """The same adjoint written as `expr`."""
        return self if expr == self.expr else self._replace(expr=expr, before=(*self.before, (self.expr, why)))


def bar(graph: Graph, name: str) -> Expr:
    """The symbol of an adjoint, shaped like its node."""
    return v.variable(f"{name}_bar", graph.shape(name))


def live(graph: Graph, of: str, wrt: Iterable[str]) -> frozenset[str]:
    """The names on some path from a name in `wrt` to `of`."""
    above = set(wrt)
    for node in graph.nodes:
        if not above.isdisjoint(graph.arguments(node.name)):
            above.add(node.name)
    return frozenset(above & graph.ancestors(of))


def accumulate(graph: Graph, of: str, wrt: tuple[str, ...], expand: bool = False, kept: frozenset[str] = frozenset()) -> dict[str, Accumulated]:
    """The adjoints of `wrt` and of all that lies between, from `of` down, in the order in which each uses only earlier ones.

    `expand` writes sigma'(z) as h o (1 - h).  A name that does not reach `of` has the adjoint 0.  An adjoint that is a number, such as
    L_bar = 1, is put in below, but for those of the names `kept`.
    """
    wanted = live(graph, of, wrt)
    asked = set(wrt)
    found: dict[str, Accumulated] = {}
    parts: dict[str, list[tuple[str, Expr]]] = {n: [] for n in wanted}
    numbers: dict[str, dict[str, Expr]] = {}  # consumer with a number for an adjoint, such as L_bar = 1 -> its parts with that put in

    def adjoint_of(name: str) -> Accumulated | None:
        if name == of:
            return Accumulated(Integer(1))
        if name in wanted:
            found_parts = parts[name]
            if len(found_parts) == 1:
                ((u, term),) = found_parts
                return Accumulated(numbers[u][name] if u in numbers else term, (u,), (term,))
            consumers, terms = zip(*reversed(found_parts), strict=True)
            return Accumulated(_total([numbers[u][name] if u in numbers else t for u, t in reversed(found_parts)]), consumers, terms)
        if name in asked:
            shape = graph.shape(name)
            return Accumulated(Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape))
        return None

    for node in reversed(graph.nodes):
        name = node.name
        adjoint = adjoint_of(name)
        if adjoint is None:
            continue
        found[name] = adjoint
        if name not in wanted or not graph.arguments(name):
            continue
        definition, symbol = node.expr, node.symbol
        if adjoint.expr.is_Number and name not in kept:
            numbers[name] = dict(pulled(definition, adjoint.expr, symbol, expand))
        for leaf, term in pulled(definition, bar(graph, name), symbol, expand):
            if leaf in parts:
                parts[leaf].append((name, term))
    for variable in reversed(graph.variables):
        adjoint = adjoint_of(variable.name)
        if adjoint is not None:
            found[variable.name] = adjoint
    return found


def _total(terms: list[Expr]) -> Expr:
    if all(type(t) is Mul or type(t) is Symbol for t in terms):
        return Add._from_args(terms, True)
    return reduce(v.add, terms)


def pulled(definition: Expr, g: Expr, own: Expr, expand: bool) -> list[tuple[str, Expr]]:
    """(name, (d u / d name)^T u_bar) for each name in the definition of u, summed over the places where it stands."""
    if type(definition) is Add and type(g) is Symbol and (affine := _affine(definition, g)) is not None:
        return affine
    found: dict[str, Expr] = {}
    for leaf, term in pull(definition, g, own):
        found[leaf.name] = added(found[leaf.name], term) if leaf.name in found else term
    if expand and (table := _written_out(definition, own)):
        found = {leaf: put_in(term, table) for leaf, term in found.items()}
    return list(found.items())


def added(a: Expr, b: Expr) -> Expr:
    """a + b; a matrix that stands in both up to a number is written once, x^T A x giving 2 A x where A x comes twice."""
    if v.is_scalar(a) or v.is_scalar(b):
        return v.add(a, b)
    terms = list(a.args) if isinstance(a, MatAdd) else [a]
    for new in b.args if isinstance(b, MatAdd) else (b,):
        number, body = _split(new)
        for i, (other, same) in enumerate(map(_split, terms)):
            if same == body and (other + number != 0 or len(terms) > 1):
                terms[i:i + 1] = [v.scale(other + number, body)] if other + number != 0 else []
                break
        else:
            terms.append(new)
    return reduce(v.add, terms)


def _split(e: Expr) -> tuple[Expr, Expr]:
    """A matrix as a number times a matrix without one."""
    first = e.args[0] if isinstance(e, MatMul) else None
    if first is None or not v.is_scalar(first):
        return Integer(1), e
    rest = e.args[1] if len(e.args) == 2 else MatMul(*e.args[1:])
    if first.is_Number:
        return first, rest
    if isinstance(first, Mul) and first.args[0].is_Number:
        return first.args[0], v.scale(v.merged(first.args[1:]), rest)
    return Integer(1), e


def _written_out(definition: Expr, own: Expr) -> dict[Expr, Expr]:
    """f'(z) and what the table of functions has for it, of every function that the definition applies entry by entry."""
    applied = [e for e in preorder_traversal(definition) if isinstance(e, v.Elementwise) and e.fn.plain]
    return {v.Elementwise(e.fn.derivative(s), *e.arguments): derivative(e, s, own if e is definition else e, expand=True)
            for e in applied for s in range(len(e.arguments))}


def _affine(e: Expr, g: Expr) -> list[tuple[str, Expr]] | None:
    """The same for a scalar sum of names and of products of two names, the commonest definition, each name once.

    A dimension among the factors is listed too; it is no name of the graph, so nobody asks for it.
    """
    found: list[tuple[str, Expr]] = []
    for term in e.args:
        if type(term) is Symbol:
            found.append((term.name, g))
        elif type(term) is Mul and len(term.args) == 2:
            a, b = term.args
            if type(a) is not Symbol or type(b) is not Symbol:
                return None
            found.append((a.name, _times(b, g)))
            found.append((b.name, _times(a, g)))
        else:
            return None
    return found if len(dict(found)) == len(found) else None


def _times(a: Symbol, b: Symbol) -> Expr:
    """a b, what Mul._from_args makes of two symbols, without its search for factors 1: half the cost of a derivation lies here."""
    product = Expr.__new__(Mul, a, b)
    product.is_commutative = True
    return product


__all__ = ["Accumulated", "accumulate", "bar", "live"]
