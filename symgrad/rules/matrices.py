"""Vector and matrix expressions to sums of products, without indices; gradients by the vector rules; equations put in."""

from __future__ import annotations

from functools import reduce

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import vectors as v
from symgrad.language.claims import Line
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import ShapeError, Unsupported
from symgrad.language.forms import Prose, Relation, Sign
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.rules.algebra import Algebra
from symgrad.rules.chains import Setting, derivative_of, met, put_in_nodes
from symgrad.rules.registry import rule
from symgrad.rules.rewriting import Move, Written
from symgrad.rules.shape import depends, look, mapped, minus, rebuilt, replaced
from symgrad.rules.vector import derivative, pull

COOKBOOK = "Petersen, Pedersen, The Matrix Cookbook (2012), section 1"
BOYD = "Boyd, Vandenberghe, Convex Optimization (2004), section 3.1.5"
MAX_TERMS = 200

Term = tuple[Expr, tuple[Expr, ...]]
"""A scalar factor and a product of matrices that are no sums."""


class Products:
    """Reads expressions as sums of products; `used` notes in words what was used besides distributing."""

    def __init__(self) -> None:
        self.used: dict[str, None] = {}
        self.algebra = Algebra()

    # ---- matrices --------------------------------------------------------------------------------------------

    def terms(self, e: Expr) -> list[Term]:
        found = self._terms(e)
        if len(found) > MAX_TERMS:
            raise Unsupported(f"more than {MAX_TERMS} terms")
        return found

    def _terms(self, e: Expr) -> list[Term]:
        match e:
            case ZeroMatrix():
                return []
            case MatAdd():
                return [t for a in e.args for t in self.terms(a)]
            case MatMul():
                factor = v.merged(tuple(self.scalar(a) for a in e.args if v.is_scalar(a)))
                products: list[Term] = [(factor, ())]
                for a in e.args:
                    if not v.is_scalar(a):
                        products = [(v.merged((c, d)), (*f, *g)) for c, f in products for d, g in self.terms(a)]
                return [self.settled(c, f) for c, f in products]
            case Transpose():
                return [(c, tuple(v.transpose(f) for f in reversed(fs))) for c, fs in self.terms(e.args[0])]
            case v.Elementwise() if e.fn == Fn("log", (0,)) and isinstance(e.arguments[0], v.Softmax):
                self.used["log softmax(z) = z - logsumexp(z) 1"] = None
                z = e.arguments[0].arg
                return [*self.terms(z), (minus(v.LogSumExp(self.show(self.terms(z), z.shape))), (OneMatrix(*z.shape),))]
            case HadamardProduct():
                return self.hadamard(e)
            case v.Elementwise():
                return [(Integer(1), (v.Elementwise(e.fn, *map(self.normal, e.arguments)),))]
            case v.Softmax() | v.Diag():
                return [(Integer(1), (e.func(self.normal(e.args[0])),))]
        return [(Integer(1), (e,))]

    def hadamard(self, e: HadamardProduct) -> list[Term]:
        products: list[tuple[Expr, tuple[Expr, ...]]] = [(Integer(1), ())]
        for a in e.args:
            products = [(v.merged((c, d)), (*f, _product(g))) for c, f in products for d, g in self.terms(a)]
        found: list[Term] = []
        for c, factors in products:
            rest = sorted((f for f in factors if not isinstance(f, OneMatrix)), key=str)
            whole = OneMatrix(*e.shape) if not rest else rest[0] if len(rest) == 1 else HadamardProduct(*rest)
            found += [(v.merged((c, d)), f) for d, f in self.terms(whole)] if len(rest) == 1 else [(c, (whole,))]
        return found

    def settled(self, c: Expr, factors: tuple[Expr, ...]) -> Term:
        """Identities dropped, and scalars a^T b that stand inside the product taken out."""
        kept = [f for f in factors if not isinstance(f, Identity)] or list(factors[:1])
        for i, f in enumerate(kept[:-1]):
            if isinstance(f, v.Diag) and kept[i + 1].shape[1] == 1 and i + 2 == len(kept):  # diag(a) b = a o b
                (d, pair), *more = self.terms(v.times(f.arg, kept[i + 1]))
                return self.settled(v.merged((c, d)), (*kept[:i], *pair)) if not more else (c, tuple(kept))
        for i in range(len(kept)):
            for j in range(i, len(kept)):
                if kept[i].shape[0] == 1 == kept[j].shape[1] and (j > i or kept[i].shape == v.SCALAR) and j - i + 1 < len(kept):
                    inner = self.scalar_product(tuple(kept[i:j + 1]))
                    return self.settled(v.merged((c, inner)), (*kept[:i], *kept[j + 1:]))
        return c, tuple(kept)

    def collected(self, terms: list[Term]) -> dict[tuple[Expr, ...], Expr]:
        groups: dict[tuple[Expr, ...], list[Expr]] = {}
        for c, f in terms:
            groups.setdefault(f, []).append(c)
        found = {}
        for f, cs in groups.items():
            (r,) = self.algebra.ratios(v.total(tuple(cs)))
            if r.num.terms:
                found[f] = self.algebra.show(r)
        return found

    def show(self, terms: list[Term], shape: v.Shape) -> Expr:
        parts = [v.scale(c, _product(f)) for f, c in sorted(self.collected(terms).items(), key=lambda t: str(t[0]))]
        return reduce(v.add, parts) if parts else ZeroMatrix(*shape)

    # ---- scalars ---------------------------------------------------------------------------------------------

    def scalar(self, e: Expr) -> Expr:
        """a^T b, sums, traces and squared norms as sums of such products; everything else as it is."""
        match e:
            case v.AsScalar():
                return v.total(tuple(v.merged((c, self.scalar_product(f))) for c, f in self.terms(e.arg))) if self.terms(e.arg) else Integer(0)
            case v.SumOf():
                found = self.terms(e.arg)
                return v.total(tuple(v.merged((c, self.sum_of(f))) for c, f in found)) if found else Integer(0)
            case Pow(args=(v.Norm(args=(a,)), n)) if n.is_Integer and n % 2 == 0 and a.shape[1] == 1:
                return v.power(self.scalar(v.AsScalar(v.matmul(v.transpose(a), a))), n / 2)
            case v.TraceOf():
                found = self.terms(e.arg)
                return v.total(tuple(v.merged((c, self.trace_of(f))) for c, f in found)) if found else Integer(0)
            case v.LogSumExp() | v.Norm() | v.DetOf():
                return e.func(self.normal(e.arg))
            case Add() | Mul() | Pow():
                return rebuilt(e, tuple(map(self.scalar, e.args)))
            case Call():
                return Call(e.fn, *map(self.scalar, e.arguments))
        return e

    def scalar_product(self, factors: tuple[Expr, ...]) -> Expr:
        """The scalar that a (1, 1) product is: sum(v) for 1^T v, else the alphabetically first of P and P^T."""
        if len(factors) > 1 and isinstance(factors[0], OneMatrix):
            self.used["1^T v = sum(v)"] = None
            return self.sum_of(factors[1:])
        if len(factors) > 1 and isinstance(factors[-1], OneMatrix):
            self.used["1^T v = sum(v)"] = None
            return self.sum_of(tuple(v.transpose(f) for f in reversed(factors[:-1])))
        other = tuple(v.transpose(f) for f in reversed(factors))
        return v.as_scalar(_product(min(factors, other, key=str)))

    @staticmethod
    def trace_of(factors: tuple[Expr, ...]) -> Expr:
        """tr(A B) = tr(B A) = tr(B^T A^T): the alphabetically first of them."""
        other = tuple(v.transpose(f) for f in reversed(factors))
        turned = [(*fs[i:], *fs[:i]) for fs in (factors, other) for i in range(len(fs))]
        whole = _product(min(turned, key=str))
        return whole.shape[0] if isinstance(whole, Identity) else v.TraceOf(whole) if whole.shape != v.SCALAR else v.as_scalar(whole)

    @staticmethod
    def sum_of(factors: tuple[Expr, ...]) -> Expr:
        whole = _product(factors)
        if isinstance(whole, OneMatrix):
            return v.merged(tuple(d for d in whole.shape if d != 1)) if whole.shape != v.SCALAR else Integer(1)
        return v.SumOf(whole) if whole.shape != v.SCALAR else v.as_scalar(whole)

    def normal(self, e: Expr) -> Expr:
        """The whole expression, multiplied out and collected."""
        if not v.is_scalar(e):
            return self.show(self.terms(e), e.shape)
        (r,) = self.algebra.ratios(self.scalar(e))
        return self.algebra.show(r)


def _product(factors: tuple[Expr, ...]) -> Expr:
    return reduce(v.matmul, factors)


@rule("products multiplied out", source=COOKBOOK)
def multiply_out(e: Expr) -> Move | None:
    """A (B + C) = A B + A C, (A B)^T = B^T A^T, a^T b = b^T a, 1^T v = sum(v); like terms collected."""
    products = Products()
    new = products.normal(e)
    if look(new) == look(e):
        return None
    said: Prose = (", ".join(products.used) or "multiply out and collect",)
    return Move(new, said, said)


@rule("assumption put in", source="the assumptions of the problem")
def put_in_equations(e: Expr, relations: tuple[Relation, ...]) -> Move | None:
    """A^T by A where A = A^T, sum(t) by 1 where sum(t) = 1."""
    new = e
    said: list[str | Relation] = []
    for q in relations:
        if q.sign is not Sign.EQUAL:
            continue
        swap = q.left.is_Number or (isinstance(q.left, MatrixSymbol) and depends(q.right, q.left))
        old, by = (q.right, q.left) if swap else (q.left, q.right)
        if swap and isinstance(old, MatMul):  # A = -A^T
            old, by = v.negate(old), v.negate(by)
        if old.args and depends(new, old):
            new = replaced(new, {old: by})
            said += [", " if said else "since ", q]
    return Move(new, tuple(said), tuple(said)) if new != e else None


# ---- derivatives ---------------------------------------------------------------------------------------------------


@rule("gradient", source=BOYD)
def gradients(e: Expr) -> Move | None:
    """Every gradient by the vector-Jacobian rules, seed 1; sigma' written out where a table has it."""
    def carry_out(d: Expr) -> Expr | None:
        if not isinstance(d, Grad | Diff) or d.args[0].has(Grad, Diff):
            return None
        return expanded(gradient(*d.args))

    new = mapped(e, carry_out)
    said: Prose = ("gradient, term by term",)
    return Move(new, said, said) if new != e else None


def gradient(body: Expr, x: Expr) -> Expr:
    """d body / d x, shaped like x."""
    if isinstance(x, v.Entry):
        return v.Entry(gradient(body, x.args[0]), *x.args[1:])
    parts = [c for leaf, c in pull(body, Integer(1), body) if leaf == x]
    if not parts:
        return ZeroMatrix(*x.shape) if isinstance(x, MatrixExpr) else Integer(0)
    return reduce(v.add, parts)


def expanded(e: Expr) -> Expr:
    """f'(z) entry by entry by the table of derivatives, where the function has no kink."""
    def expand(x: Expr) -> Expr | None:
        if not isinstance(x, v.Elementwise) or x.fn.plain or sum(x.fn.orders) != 1:
            return None
        row = KNOWN.get(x.fn.name)
        if row is None or row.kink or row.derivative is None:
            return None
        plain = v.Elementwise(Fn(x.fn.name, (0,) * len(x.fn.orders)), *x.arguments)
        return derivative(plain, x.fn.orders.index(1), plain, expand=True)

    return mapped(e, expand)


def carried_out(e: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """e with its derivatives carried out, for evaluation, and the expressions that were differentiated.  Raises Unsupported."""
    bodies: list[Expr] = []

    def carry_out(d: Expr) -> Expr | None:
        if not isinstance(d, Grad | Diff):
            return None
        bodies.append(d.args[0])
        if isinstance(d, Diff):
            try:
                return derivative_of(*d.args)[0]
            except Unsupported:
                return gradient(*d.args)
        return gradient(*d.args)

    return mapped(e, carry_out), tuple(bodies)


# ---- chains --------------------------------------------------------------------------------------------------------


def matrix_chain(left: Expr, right: Expr, setting: Setting) -> tuple[Line, ...] | None:
    """left = ... = right without indices; None if the sides do not meet that way."""
    try:
        sides = [_way(e, setting) for e in (left, right)]
    except (Unsupported, ShapeError, RecursionError):
        return None
    return met(*sides)


def _way(e: Expr, setting: Setting) -> list[Written]:
    lines = [Written(e, "", (), ())]

    def add(name: str, move: Move | None) -> None:
        if move is not None and look(move.expr) != look(lines[-1].expr):
            lines.append(Written(move.expr, name, move.forwards, move.backwards))

    add("definition of a node", put_in_nodes(e, setting.definitions or {}))
    add("products multiplied out", _log_softmax_in_bodies(lines[-1].expr))
    for _ in range(3):
        add("gradient", gradients(lines[-1].expr))
    for _ in range(2):
        add("products multiplied out", multiply_out(lines[-1].expr))
        add("assumption put in", put_in_equations(lines[-1].expr, setting.relations))
    add("products multiplied out", multiply_out(lines[-1].expr))
    return lines


def _log_softmax_in_bodies(e: Expr) -> Move | None:
    """The logarithm of a softmax is rewritten before it is differentiated."""
    products = Products()

    def rewrite(d: Expr) -> Expr | None:
        if not isinstance(d, Grad | Diff):
            return None
        body = products.normal(d.args[0])
        return d.func(body, d.args[1]) if any("softmax" in u for u in products.used) else None

    new = mapped(e, rewrite)
    said: Prose = (", ".join(products.used),)
    return Move(new, said, said) if new != e else None


__all__ = ["carried_out", "gradient", "gradients", "matrix_chain", "multiply_out", "put_in_equations"]
