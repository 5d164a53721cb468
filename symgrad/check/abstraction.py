"""What holds for any function, any argument or any size holds for the one at hand: expressions made more general before they are compared."""

from __future__ import annotations

from collections import Counter

from sympy import Add, Dummy, Expr, Identity, MatAdd, MatMul, MatrixExpr, MatrixSymbol, Mul, OneMatrix, ZeroMatrix, preorder_traversal

from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.vectors import Elementwise, Entry, IndexSum, shape_of, variable

LARGE = 4  # a literal size from here on is first taken as any size


def with_any_argument(a: Expr, b: Expr) -> tuple[Expr, Expr] | None:
    """Both with one symbol for a longer argument of a function that they share: what holds for any argument holds for this one."""
    for e in preorder_traversal(a):
        for argument in e.arguments if isinstance(e, Elementwise | Call) else ():
            while isinstance(argument, MatMul | Mul) and len(argument.args) == 2 and argument.args[0].is_Number:
                argument = argument.args[1]
            varies = any(isinstance(x, Entry) and not all(i.is_Integer for i in x.args[1:]) for x in preorder_traversal(argument))
            if argument.args and not isinstance(argument, MatrixSymbol) and not varies:  # else it may be another for every index
                any_argument = variable("_argument", shape_of(argument))
                general = with_terms(a, argument, any_argument), with_terms(b, argument, any_argument)
                if all(e.has(any_argument) for e in general):
                    return general
    return None


def with_terms(e: Expr, old: Expr, new: Expr) -> Expr:
    """`new` for `old`, also where the terms of `old` stand among others in a longer sum."""
    if e == old:
        return new
    if isinstance(old, Add | MatAdd) and type(e) is type(old):
        left = Counter(e.args)
        left.subtract(old.args)
        if min(left.values()) >= 0:
            return e.func(new, *left.elements())
    return e.func(*(with_terms(a, old, new) for a in e.args)) if e.args and not isinstance(e, MatrixSymbol) else e


def opaque(e: Expr) -> Expr:
    """The same with an unknown function in the place of every known one: what holds for any functions holds for these."""
    return e.xreplace({f: Fn(f"_{f.name}", f.orders) for f in e.atoms(Fn) if f.name in KNOWN})


def by_argument(e: Expr) -> list[Expr]:
    """The terms of a sum in groups that share the arguments of their functions, each longer argument taken as any number.

    If every group is zero, so is the sum: sum_k w_k f(a_k) is looked at one a_k at a time, which costs no product over all k.
    """
    numbers: dict[Expr, Expr] = {}

    def general(x: Expr) -> Expr:
        if isinstance(x, Call):
            inside = [a if a.is_Number or not a.args or isinstance(a, Entry) else numbers.setdefault(a, Dummy(real=True)) for a in x.arguments]
            return Call(x.fn, *inside)
        return x.func(*map(general, x.args)) if x.args and not isinstance(x, Entry | MatrixExpr) else x

    groups: dict[frozenset[Expr], list[Expr]] = {}
    for term in e.args if e.is_Add else (e,):
        shown = general(term)
        key = frozenset(a for c in shown.atoms(Call) for a in c.arguments if not a.is_Number)
        groups.setdefault(key, []).append(shown)
    return [Add(*terms) for terms in groups.values()]


def literal_sizes(*expressions: Expr) -> set[Expr]:
    """Numbers of at least LARGE that stand in expressions as sizes of matrices and as nothing else."""
    sizes: set[Expr] = set()
    others: set[Expr] = set()
    stack = list(expressions)
    while stack:
        e = stack.pop()
        if isinstance(e, MatrixSymbol | OneMatrix | ZeroMatrix | Identity):
            sizes |= {d for d in e.shape if d.is_Integer and d >= LARGE}
        elif isinstance(e, IndexSum):
            sizes |= {e.args[2]} if e.args[2].is_Integer and e.args[2] >= LARGE else set()
            stack.append(e.args[0])
        elif e.args:
            stack.extend(e.args)
        else:
            others.add(abs(e) if e.is_Number else e)
    return {n for n in sizes if n not in others}


def bound_indices(e: Expr) -> set[Expr]:
    return {x.args[1] for x in preorder_traversal(e) if isinstance(x, IndexSum)}


def leaves_of(*expressions: Expr) -> list[Expr]:
    """Variables and entries, in the order in which they are met."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()
    stack = list(reversed(expressions))
    while stack:
        e = stack.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, Entry) or (e.is_Symbol and not e.is_integer):
            found[e] = None
        else:
            stack.extend(reversed([a for a in e.args if isinstance(a, Expr)]))
    return list(found)
