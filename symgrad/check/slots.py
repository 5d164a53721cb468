"""The count of index slots that makes equality at one size a proof for every size.

Monomials with the same pattern of equal and distinct indices have the same coefficient at every size, and at size m
every pattern of m index slots occurs; so equality of all entries at the one size m is equality at every size
(design, 'What counts as proved', 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import count, pairwise, product

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    Number,
    OneMatrix,
    Pow,
    Symbol,
    Transpose,
    ZeroMatrix,
    preorder_traversal,
)

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call


@dataclass(frozen=True)
class Slots:
    """Of one expression: summed index slots of each dimension in one monomial, sums over nothing, sizes that stand as numbers.

    `rule` are the sums that come in with the rule of an inverse or the like, `nested` those inside functions and divisors, `fixed`
    is the furthest position named in each dimension; with a `quotient` both sides are multiplied across; `axiom` says that the
    count is a proof only with atoms (check/axioms.py).
    """

    summed: Counter[Expr] = field(default_factory=Counter)
    constant: Counter[Expr] = field(default_factory=Counter)
    named: Counter[Expr] = field(default_factory=Counter)
    rule: Counter[Expr] = field(default_factory=Counter)
    quotient: bool = False
    axiom: bool = False
    fixed: Counter[Expr] = field(default_factory=Counter)
    nested: Counter[Expr] = field(default_factory=Counter)

    def times(self, *others: Slots) -> Slots:
        return _joined((self, *others), lambda a, b: a + b)

    def or_(self, *others: Slots) -> Slots:
        return _joined((self, *others), lambda a, b: a | b)

    def and_sum(self, *dimensions: Expr) -> Slots:
        return replace(self, summed=self.summed + Counter(d for d in dimensions if not d.is_Integer))

    def inside(self) -> Slots:
        """The same as the argument of a function."""
        return replace(self, nested=self.nested | self.summed)

    def and_rule(self, *dimensions: Expr) -> Slots:
        return replace(self, rule=self.rule + Counter(d for d in dimensions if not d.is_Integer))

    def and_nothing(self, *dimensions: Expr) -> Slots:
        """A sum over each dimension whose index no factor carries."""
        return replace(self, constant=self.constant + Counter(d for d in dimensions if not d.is_Integer))


NONE = Slots()


def _joined(every: tuple[Slots, ...], join: Callable[[Counter[Expr], Counter[Expr]], Counter[Expr]]) -> Slots:
    every = tuple(s for s in every if s is not NONE)
    if len(every) < 2:
        return every[0] if every else NONE

    def joined(part: str) -> Counter[Expr]:
        return reduce(join, (getattr(s, part) for s in every))

    def largest(part: str) -> Counter[Expr]:
        return reduce(lambda a, b: a | b, (getattr(s, part) for s in every))

    return Slots(joined("summed"), joined("constant"), joined("named"), joined("rule"), any(s.quotient for s in every),
                 any(s.axiom for s in every), largest("fixed"), largest("nested"))


def slots(e: Expr, atoms: bool = False, derived: bool = True) -> Slots:
    """An upper bound of the index slots that one monomial of one entry of e carries besides its free indices.

    With `atoms`, inverses, softmax, divisors and roots are atoms; where e is differentiated, the sums in their rules count.
    """
    def of(a: Expr) -> Slots:
        return slots(a, atoms, derived)

    match e:
        case Number() | MatrixSymbol():
            return NONE
        case v.Unit(args=(size, k)):
            return Slots(fixed=Counter() if size.is_Integer else Counter({size: int(k)}))
        case Symbol():
            return Slots(named=Counter([e])) if e.is_integer else NONE
        case Identity() | OneMatrix() | ZeroMatrix():
            return NONE
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            nothing = [a.shape[1] for a, b in pairwise(matrices) if blank(a)[1] and blank(b)[0]]
            return NONE.times(*(of(a) for a in e.args)).and_sum(*(a.shape[1] for a in matrices[:-1])).and_nothing(*nothing)
        case Add() | MatAdd():
            parts = [of(a) for a in e.args]
            rational = any(p.quotient for p in parts)  # a common denominator multiplies
            return parts[0].times(*parts[1:]) if rational else parts[0].or_(*parts[1:])
        case Mul() | HadamardProduct():
            return NONE.times(*(of(a) for a in e.args))
        case Pow(exp=Integer(is_zero=True)) | v.Power(args=(_, Integer(is_zero=True))):
            return NONE
        case Pow(base=Symbol(is_integer=True) as size, exp=exponent):
            return Slots(named=Counter({size: int(abs(exponent)) + 1 - int(bool(exponent.is_Integer))}))
        case Pow(base=base, exp=exponent) | v.Power(args=(base, exponent)):
            inner, n = of(base), int(abs(exponent)) + int(bool(exponent < 0)) if exponent.is_Integer else 1  # a slope squares a divisor
            if not (exponent.is_Integer and exponent > 0):
                inner = inner.inside()
                if atoms:  # its slope bares the sums of its argument once
                    return inner
            if isinstance(base, v.Norm) and exponent.is_Integer and exponent > 0 and exponent % 2 == 0:
                inner, n = _square_of(base, atoms), int(exponent) // 2
            repeated = NONE.times(*(inner for _ in range(n)))
            return replace(repeated, quotient=repeated.quotient or not exponent.is_Integer or exponent < 0)
        case Call() | v.Elementwise() | v.UnknownScalar():
            inner = NONE.times(*(of(a) for a in e.arguments))
            spread = [d for a in e.arguments for d in v.shape_of(a)] if isinstance(e, v.UnknownScalar) else []
            return inner.inside().and_sum(*spread)
        case v.UnknownGradient(args=(_, _, *arguments)) | v.UnknownHessian(args=(_, _, _, *arguments)):
            return NONE.times(*(of(a) for a in arguments)).inside().and_sum(*(d for a in arguments for d in v.shape_of(a)))
        case v.AsScalar() | Transpose() | v.Diag():
            return of(e.args[0])
        case v.Entry(args=(matrix, *where)):
            named = {d: int(i) for d, i in zip(v.shape_of(matrix), where, strict=True) if i.is_Integer and not d.is_Integer}
            return replace(inner := of(matrix), fixed=inner.fixed | Counter(named))
        case v.SumOf():
            return of(e.arg).and_sum(*e.arg.shape).and_nothing(*(d for d, free in zip(e.arg.shape, blank(e.arg), strict=True) if free))
        case v.TraceOf():
            return of(e.arg).and_sum(e.arg.shape[0]).and_nothing(*(e.arg.shape[:1] if all(blank(e.arg)) else ()))
        case v.Norm():
            return replace(_square_of(e, atoms).inside(), quotient=not atoms)
        case v.Softmax() | v.LogSumExp() | op.RowSoftmax() | op.RowLogSumExp() if atoms:
            return of(e.args[0]).inside().and_rule(*(e.args[0].shape if derived else ()))
        case v.Softmax() | v.LogSumExp():
            inner = of(e.arg)
            return replace(inner, summed=inner.summed + inner.summed, quotient=True).and_sum(e.arg.shape[0]).inside()
        case v.IndexSum(args=(body, index, size)):
            return of(body).and_sum(size).and_nothing(*(() if _holds(body, index) else (size,)))
        case Diff(args=(body, _)) | Grad(args=(body, _)):
            return of(body).times(_differentiating(body, atoms))
        case Inverse() | v.DetOf():  # the rule of each sums over rows and columns, which the slope of a bare matrix picks out
            bare, written = isinstance(e.args[0], MatrixSymbol), all(d.is_Integer for d in e.args[0].shape)
            return replace(of(e.args[0]).inside(), axiom=not atoms and not written).and_rule(*(() if bare or not derived else e.args[0].shape))
        case op.ArgMax():
            return replace(of(e.args[0]).inside(), axiom=not atoms)
        case op.Choice(args=(_, _, then, otherwise)):
            return of(then).or_(of(otherwise))
        case op.Aligned() | op.AtMost():
            return Slots(axiom=not atoms and not all(size.is_Integer for size in e.args[2::2]))
        case op.Operation():
            fresh = (Symbol(f"#{k}", integer=True, positive=True) for k in count()).__next__
            inner = of(e.at(fresh(), fresh(), fresh))
            return replace(inner, fixed=inner.fixed | Counter(dict(e.reaches)))
    if isinstance(e, op.SCALARS):
        return of(e.meaning())
    raise Unsupported(f"the checker cannot count the index slots of {type(e).__name__}")


def _square_of(e: v.Norm, atoms: bool) -> Slots:
    inner = slots(e.arg, atoms)
    return inner.times(inner).and_sum(*e.arg.shape).and_nothing(*(d for d, free in zip(e.arg.shape, blank(e.arg), strict=True) if free))


def _differentiating(e: Expr, atoms: bool) -> Slots:
    """The slots that a monomial may have more after differentiation: f(a) becomes f'(a) a', with a once more; a product gains none."""
    inner = NONE.times(*(_differentiating(a, atoms) for a in e.args if isinstance(a, Expr)))
    match e:
        case Call() | v.Elementwise():
            return inner.times(*(slots(a, atoms) for a in e.arguments))
        case Pow(base=base, exp=n) | v.Power(args=(base, n)) if not (n.is_Integer and n > 0):
            return inner.times(slots(base, atoms), slots(base, atoms))  # b^-1 becomes -b^-2 b'
        case v.Norm():
            return inner.times(_square_of(e, atoms))
        case v.LogSumExp():
            return inner.times(slots(e.arg, atoms)).and_sum(*e.arg.shape)
        case v.Softmax():
            return inner.times(*[slots(e.arg, atoms)] * 3).and_sum(*e.arg.shape, *e.arg.shape)
        case v.UnknownScalar() | v.UnknownGradient() | v.UnknownHessian() | Inverse() | v.DetOf() | op.Operation():
            return inner.times(slots(e, atoms), slots(e, atoms))
    return inner


Axes = tuple[bool, bool]


def blank(e: Expr) -> Axes:
    """Can an entry of e have a term without its row index; without its column index?  (An identity ties the two together.)"""
    return _axes(e, any)


def constant_along(e: Expr) -> Axes:
    """Can it be that no entry of e depends on its row index; on its column index?  Terms may cancel where a name stands twice."""
    return (True, True) if _may_cancel(e) else _axes(e, all)


def _axes(e: Expr, terms: Callable[[Iterable[bool]], bool]) -> Axes:
    """For each axis, whether `terms` (any or all) of the terms of an entry lack its index."""
    match e:
        case MatrixSymbol() | ZeroMatrix() | v.Unit():
            return False, False
        case _ if v.is_scalar(e):
            return True, True
        case Identity() | OneMatrix() | op.Commutation() | v.Power(args=(_, Integer(is_zero=True))):
            return True, True
        case MatMul():
            matrices = [a for a in e.args if not v.is_scalar(a)]
            return _axes(matrices[0], terms)[0], _axes(matrices[-1], terms)[1]
        case HadamardProduct():
            return _each(all, [_axes(a, terms) for a in e.args])
        case MatAdd():
            return _each(terms, [_axes(a, terms) for a in e.args])
        case Transpose():
            return _axes(e.args[0], terms)[::-1]
        case v.Power(args=(base, n)) if n.is_Integer and n > 0:
            return _axes(base, terms)
        case v.Elementwise() | v.Power():  # what does not change its argument changes nothing
            return _each(all, [constant_along(a) for a in e.args if isinstance(a, MatrixExpr)])
        case op.Tril():
            return False, False
    found = [x for a in e.args if isinstance(a, MatrixExpr) for x in constant_along(a)]
    return (any(found),) * 2


def _each(join: Callable[[Iterable[bool]], bool], parts: list[Axes]) -> Axes:
    return join(r for r, _ in parts), join(c for _, c in parts)


def _may_cancel(e: Expr) -> bool:
    """A sum in which a name stands twice: x_k - x_k + y depends on no k."""
    names = [x.name for x in preorder_traversal(e) if isinstance(x, MatrixSymbol | Symbol) and not (x.is_Symbol and x.is_integer)]
    return len(names) != len(set(names)) and any(isinstance(x, Add | MatAdd) for x in preorder_traversal(e))


def _holds(body: Expr, index: Expr) -> bool:
    """Does every term of an indexed body have a factor with that index?"""
    match body:
        case v.Entry(args=(matrix, *where)):
            return isinstance(matrix, MatrixSymbol) and index in where
        case op.Aligned() | op.AtMost():
            return index in body.args
        case Mul():
            return any(_holds(a, index) for a in body.args)
        case Add():
            return all(_holds(a, index) for a in body.args)
        case v.IndexSum():
            return _holds(body.args[0], index)
        case Pow(base=base, exp=n):
            return bool(n.is_Integer and n > 0) and _holds(base, index)
        case Call():
            return not _may_cancel(body) and any(_holds(a, index) for a in body.arguments)
    return False


def enough(dimensions: tuple[Expr, ...], free: tuple[Expr, ...], sides: tuple[Slots, ...], numbers: bool = True,
           ) -> tuple[list[dict[Expr, int]], bool]:
    """The sizes at which equality of two expressions must be checked to hold at every size; False: a proof only with atoms.

    `free` are the dimensions of the free indices.  One size of each dimension, and one more for each sum over nothing and (where
    sizes that stand as numbers are `numbers`, not indeterminates) for each such, for the two sides are polynomials in them.  An
    index of a size such as N + M takes a place in N and in M; a size such as N - K + 1 is made large enough by N.
    """
    whole = _joined(sides, (lambda a, b: a + b) if any(s.quotient for s in sides) else (lambda a, b: a | b))
    need = whole.summed + whole.rule + Counter(d for d in free if not d.is_Integer)
    base = {d: max(2, whole.fixed[d] + sum(n for size, n in need.items() if d in size.free_symbols and not _falls(size))) for d in dimensions}
    for d in dimensions:  # the indices inside a function must be able to differ from all that the term carries
        base[d] += sum(n for size, n in whole.nested.items() if d in size.free_symbols)
    for size in filter(_falls, need):
        _raise(base, size, need[size])
    for size in whole.fixed:
        _raise(base, size, whole.fixed[size])
    linked = whole.constant + (whole.named if numbers else Counter())
    extra = [range(1 + sum(n for size, n in linked.items() if d in size.free_symbols)) for d in dimensions]
    vectors = [{d: base[d] + k for d, k in zip(dimensions, more, strict=True)} for more in product(*extra)]
    return vectors, not any(s.axiom for s in sides)


def _falls(size: Expr) -> bool:
    return any(term.as_coeff_Mul()[0] < 0 for term in Add.make_args(size))


def _raise(base: dict[Expr, int], size: Expr, least: int) -> None:
    """Larger dimensions until `size` is at least `least`."""
    def value(sizes: dict[Expr, int]) -> int:
        return int(size.xreplace({d: Integer(n) for d, n in sizes.items()}))

    growing = [d for d in base if size.has(d) and value({**base, d: base[d] + 1}) > value(base)]
    while growing and value(base) < max(least, 1):
        base[growing[0]] += 1


__all__ = ["Slots", "blank", "constant_along", "enough", "slots"]
