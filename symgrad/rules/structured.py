"""Gradients in structured variables, and results written with what the structure says: S^T = S, tr(S B) has the gradient 1/2 (B + B^T).

The gradient in a structured variable is the adjoint of the free matrix behind it (language/structure.py), the map of S_bar.  Here
the definition of S_bar is put in and the result written as a textbook has it: of x^T S x it is x x^T.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce

from sympy import Expr, HadamardProduct, Identity, Integer, Inverse, MatAdd, MatMul, MatrixSymbol, Mul, Rational, Transpose, ZeroMatrix

from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.graph import Graph
from symgrad.language.problem import listed
from symgrad.language.structure import Structure, mapped
from symgrad.rules.adjoints import Accumulated, bar
from symgrad.rules.registry import rule
from symgrad.rules.shape import Key, look
from symgrad.rules.vector import put_in

MAGNUS = "Magnus, Neudecker, Matrix Differential Calculus (3rd ed., 2019)"
HALF = Rational(1, 2)
MAX_PUT_IN = 3  # terms of an adjoint that are printed beside their transposes


def with_structure(graph: Graph, found: dict[str, Accumulated], moving: Collection[str] = ()) -> dict[str, Accumulated]:
    """The adjoints with the facts of the structures put in, those of free matrices as the gradients in the variables they stand for.

    Nothing is put in of nodes that are `moving`: an adjoint that is differentiated in C must hold for every C, not for C = T T^T only.
    """
    known = structures(graph, moving)
    if not known:
        return found
    new: dict[str, Accumulated] = {}
    for name, a in found.items():
        image = graph.behind(name)
        if image is None or not a.consumers:
            new[name] = a.rewritten(simplified(a.expr, known), _since(a.expr, known))
            if is_symmetric(new[name].expr, known):
                known[bar(graph, name)] = Structure.SYMMETRIC
            continue
        assert image.structure is not None
        adjoint = mapped(image.structure, bar(graph, image.name))
        whole = gradient(image.structure, new[image.name].expr, known)
        shown = whole if whole is not None else adjoint
        new[name] = Accumulated(adjoint, a.consumers, (adjoint,)).rewritten(shown, (F.AdjointOf(image.name), " put in"))
    return new


def structures(graph: Graph, moving: Collection[str] = ()) -> dict[Expr, Structure]:
    """What is known of the structured variables, and of nodes that are symmetric by their definitions, such as A A^T + c I, but for `moving` ones."""
    known: dict[Expr, Structure] = {}
    for n in graph.nodes:
        if n.structure is not None:
            known[n.symbol] = n.structure
        elif n.name not in moving and is_symmetric(n.expr, known):
            known[n.symbol] = Structure.SYMMETRIC
    return known


def is_symmetric(e: Expr, known: dict[Expr, Structure]) -> bool:
    """Is a square matrix its own transpose, as far as it can be seen?"""
    n, m = v.shape_of(e)
    return n == m != 1 and not isinstance(e, ZeroMatrix) and same(transposed(e, known), e)


def _since(e: Expr, known: dict[Expr, Structure]) -> F.Prose:
    """since P and S are symmetric, D is diagonal."""
    turned = {s for t in e.atoms(Transpose) for s in t.args[0].atoms(MatrixSymbol) if s in known and known[s].sign}
    found: list[str | F.Form] = []
    for word in dict.fromkeys(x.word for x in Structure):
        those = [F.Just(s) for s in sorted(turned, key=str) if known[s].word == word]
        if those:
            found += [", " if found else "since ", *listed(those), f" {'is' if len(those) == 1 else 'are'} {word}"]
    return tuple(found)


@rule("gradient in a structured variable", source=MAGNUS + ", sections 3.7 to 3.10; Petersen, Pedersen, The Matrix Cookbook (2012), section 2.8")
def gradient(structure: Structure, g: Expr, known: dict[Expr, Structure]) -> Expr | None:
    """The map of the structure of G, the adjoint with all entries independent: 1/2 (G + G^T), tril(G), G o I, G + G^T - G o I.

    None where it would be two long sums.
    """
    turned = transposed(g, known)
    if structure in (Structure.SYMMETRIC, Structure.ENTRIES, Structure.SKEW) and len(terms(g)) > MAX_PUT_IN and not same(g, turned):
        return None
    match structure:
        case Structure.SYMMETRIC:
            return half_sum(g, 1, known)
        case Structure.SKEW:
            return half_sum(g, -1, known)
        case Structure.ENTRIES:
            return v.add(total([*terms(g), *terms(turned)], g.shape), v.negate(v.times(g, Identity(g.shape[0]))))
        case Structure.LOWER | Structure.UPPER:
            number, body = _number(g)
            triangle = op.tril(body) if structure is Structure.LOWER else v.transpose(op.tril(Transpose(body)))
            return v.scale(number, triangle)
        case Structure.DIAGONAL:
            return diagonal_part(g, known)


def diagonal_part(g: Expr, known: dict[Expr, Structure]) -> Expr:
    """G o I: diag(a o b) for a b^T, terms that are diagonal as they are."""
    def is_diagonal(t: Expr) -> bool:
        factors = [f for f in t.args if not v.is_scalar(f)] if isinstance(t, MatMul) else [t]
        return len(factors) == 1 and (isinstance(factors[0], Identity | v.Diag) or known.get(factors[0]) is Structure.DIAGONAL)

    parts = list(g.args) if isinstance(g, MatAdd) else [g]
    own = [p for p in parts if all(map(is_diagonal, terms(p)))]
    others = [t for p in parts if p not in own for t in terms(p)]
    entries = [op.diagonal(t) for t in others]
    if not others:
        return g
    if any(e.has(op.Diagonal) for e in entries):
        return reduce(v.add, [v.times(reduce(v.add, others), Identity(g.shape[0])), *own])
    return reduce(v.add, [op.diag(reduce(v.add, entries)), *own])


def half_sum(g: Expr, sign: int, known: dict[Expr, Structure]) -> Expr:
    """1/2 (G + G^T), or 1/2 (G - G^T): terms that are their own transpose, up to the sign, once."""
    turned = _signed(transposed(g, known), sign)
    if same(g, turned):
        return g
    own: list[Expr] = []
    others: list[Expr] = []
    for t in terms(g):
        back = transposed(t, known)
        if same(t, _signed(back, sign)):
            own.append(t)
        elif not same(t, _signed(back, -sign)):
            others.append(t)
    if others:
        factor = _number(others[0])[0]
        others = [v.scale(1 / factor, t) for t in others]
        back = [x for t in others for x in terms(_signed(transposed(t, known), sign))]
        own.append(v.scale(HALF * factor, total([*others, *back], g.shape)))
    return reduce(v.add, own) if own else ZeroMatrix(*g.shape)


# ---- facts -----------------------------------------------------------------------------------------------------------


@rule("transpose of a structured variable", source=MAGNUS + ", section 1.5")
def simplified(e: Expr, known: dict[Expr, Structure]) -> Expr:
    """S^T = S and S^-T = S^-1 for S symmetric or diagonal, K^T = -K for K skew-symmetric; like terms added up.

    An expression in which none of these stands is left as it is.
    """
    table: dict[Expr, Expr] = {}
    for t in e.atoms(Transpose):
        back = transposed(t.args[0], known)
        if back != t:
            table[t] = back
    if not table:
        return e
    new = put_in(e, table)
    parts = [] if v.is_scalar(new) else terms(new)
    return total(parts, new.shape) if len(collected(parts)) < len(parts) else new


def transposed(e: Expr, known: dict[Expr, Structure]) -> Expr:
    """e^T, the transpose taken to the variables."""
    def turn(a: Expr) -> Expr:
        return transposed(a, known)

    match e:
        case MatrixSymbol() if e in known and known[e].sign:
            return _signed(e, known[e].sign)
        case MatAdd() | HadamardProduct() if e.shape[1] != 1:
            return reduce(v.add if isinstance(e, MatAdd) else v.times, map(turn, e.args))
        case MatMul():
            matrices = [turn(f) for f in reversed(e.args) if not v.is_scalar(f)]
            return reduce(lambda x, c: v.scale(c, x), [f for f in e.args if v.is_scalar(f)], reduce(v.matmul, matrices))
        case Inverse():
            return e if same(turn(e.args[0]), e.args[0]) else Transpose(e)
        case v.Power() | v.Elementwise():
            matrices = [a for a in (e.args[:1] if isinstance(e, v.Power) else e.arguments) if not v.is_scalar(a)]
            return e if e.shape[0] == e.shape[1] and all(same(turn(a), a) for a in matrices) else Transpose(e)
    return v.transpose(e)


# ---- sums ------------------------------------------------------------------------------------------------------------


def terms(e: Expr) -> list[Expr]:
    """The terms of a sum, a scalar multiplied into them; of anything else, itself."""
    if isinstance(e, MatAdd):
        return [t for a in e.args for t in terms(a)]
    if isinstance(e, MatMul) and len(e.args) == 2 and v.is_scalar(e.args[0]) and isinstance(e.args[1], MatAdd):
        return [v.scale(e.args[0], t) for t in terms(e.args[1])]
    return [e]


def collected(parts: list[Expr]) -> dict[Key, tuple[Rational, Expr]]:
    """Term without its number -> the sum of the numbers, in order of appearance; what adds up to 0 is left out."""
    found: dict[Key, tuple[Rational, Expr]] = {}
    for t in parts:
        number, body = _number(t)
        key = look(body)
        found[key] = (found[key][0] + number if key in found else number, body)
    return {key: pair for key, pair in found.items() if pair[0] != 0}


def total(parts: list[Expr], shape: v.Shape) -> Expr:
    """Like terms added up."""
    found = [v.scale(number, body) for number, body in collected(parts).values()]
    return reduce(v.add, found) if found else ZeroMatrix(*shape)


def same(a: Expr, b: Expr) -> bool:
    """Do they differ in the order of their terms only?"""
    left, right = ({key: number for key, (number, _) in collected(terms(e)).items()} for e in (a, b))
    return left == right


def _number(t: Expr) -> tuple[Rational, Expr]:
    if isinstance(t, MatMul) and v.is_scalar(t.args[0]):
        first = t.args[0]
        factors = first.args if isinstance(first, Mul) else (first,)
        if factors[0].is_Rational:
            rest = v.merged(tuple(factors[1:])) if len(factors) > 1 else Integer(1)
            return factors[0], v.scale(rest, reduce(v.matmul, t.args[1:]))
    return Integer(1), t


def _signed(e: Expr, sign: int) -> Expr:
    return e if sign == 1 else total([v.negate(t) for t in terms(e)], e.shape)


__all__ = ["gradient", "simplified", "transposed", "with_structure"]
