"""Chains of equations: down the left side, over to the line where both sides meet, and up the right side.

Several ways down are tried, those that leave functions as they are before those that go back to the definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from sympy import Add, Dummy, Expr, Integer, MatrixExpr, Mul, Number, Pow, Rational, Symbol

from symgrad.language.claims import Line
from symgrad.language.derivatives import Diff
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Just, Prose, Relation, Sign
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.vectors import Entry, IndexSum, SumOf, merged, total
from symgrad.rules.components import written_out
from symgrad.rules.kinks import kinked_definition, kinks, resolve
from symgrad.rules.polynomials import Poly
from symgrad.rules.registry import rule
from symgrad.rules.rewriting import Move, Written, definition, way_down
from symgrad.rules.scalar import partial
from symgrad.rules.shape import depends, look, mapped, rebuilt, replaced
from symgrad.rules.signs import Signs, difference

SPIVAK = "Spivak, Calculus, 3rd ed., ch. 10"
MAX_LINES = 40


@dataclass(frozen=True, slots=True)
class Way:
    """How a side is gone down: derivatives from the table or from the definitions, functions kept or unfolded."""

    from_table: bool
    unfolded: bool


WAYS = (Way(True, False), Way(True, True), Way(False, True))


@dataclass(frozen=True, slots=True)
class Setting:
    """What a chain stands on: relations between scalars, definitions of named nodes, the value of step(0)."""

    relations: tuple[Relation, ...] = ()
    definitions: Mapping[Expr, Expr] | None = None
    at_zero: Rational = Rational(1)
    taken: frozenset[str] | None = None  # names that no index may have; vectors are written out with indices where it is set


def chain(left: Expr, right: Expr, setting: Setting) -> tuple[Line, ...] | None:
    """left = ... = right, one rule a line; None if no way was found for the sides to meet."""
    if left == right or look(left) == look(right):
        return Line(Just(left)), Line(Just(right), ("the same",) if left == right else ("order of terms",))
    best: tuple[Line, ...] | None = None
    textbook = any(isinstance(d, Diff) and isinstance(d.args[0], Call) and d.args[0].fn.name in KNOWN for e in (left, right) for d in _diffs(e))
    for way, solve in product(WAYS[::-1] if textbook else WAYS, (False, True)):
        signs = Signs(setting.relations)
        signs.algebra.letters = tuple(c for c in signs.algebra.letters if c not in (setting.taken or ()))
        try:
            sides = [before(e, way, solve, setting, signs) for e in (left, right)]
            if solve:
                for w in sides:
                    signs.algebra.ratios(*(x[-1].expr for x in sides))
                    w += way_down(signs.algebra, w[-1].expr)
                    if (move := solved(w[-1].expr, setting.relations, signs)) is not None:
                        w.append(Written(move.expr, solved.rule_name, move.forwards, move.backwards))  # type: ignore[attr-defined]
            ends = [w[-1].expr for w in sides]
            ratios = signs.algebra.ratios(*ends)
            if look(signs.algebra.show(ratios[0])) != look(signs.algebra.show(ratios[1])):
                continue
            for w in sides:
                w += way_down(signs.algebra, w[-1].expr)
            found = met(sides[0], sides[1])
        except (Unsupported, RecursionError):
            continue
        if found is not None and (best is None or len(found) < len(best)):
            best = found
        if best is not None and (textbook or not solve):
            break
    return best if best is not None and len(best) <= MAX_LINES else None


def met(down: list[Written], up: list[Written]) -> tuple[Line, ...] | None:
    """The shortest chain through a line that both ways have; the first element of each is the side itself.

    It begins with the right side where that is by far the longer way: a way is easier to read down than up.
    """
    lines, ups = _joined(down, up)
    if lines is not None and ups > 2 * (len(lines) - 1 - ups) + 2:
        return _joined(up, down)[0]
    return lines


def _joined(down: list[Written], up: list[Written]) -> tuple[tuple[Line, ...] | None, int]:
    """The chain, and how many of its lines go up."""
    looks = {look(w.expr): j for j, w in reversed(list(enumerate(up)))}
    for i, w in enumerate(down):
        j = looks.get(look(w.expr))
        if j is not None:
            lines = [Line(Just(down[0].expr)), *(Line(Just(x.expr), x.forwards) for x in down[1:i + 1])]
            lines += [Line(Just(up[k - 1].expr), up[k].backwards) for k in range(j, 0, -1)]
            if j == 0 and lines[-1].form != Just(up[0].expr):
                lines[-1] = Line(Just(up[0].expr), lines[-1].why) if i else Line(Just(up[0].expr), ("order of terms",))
            return tuple(lines), j
    return None, 0


def before(e: Expr, way: Way, solve: bool, setting: Setting, signs: Signs) -> list[Written]:
    """The side itself, and its lines until only sums, products and opaque functions are left."""
    lines = [Written(e, "", (), ())]

    def add(name: str, move: Move | None) -> None:
        if move is not None and move.expr != lines[-1].expr:
            lines.append(Written(move.expr, name, move.forwards, move.backwards))

    add("definition of a node", put_in_nodes(e, setting.definitions or {}))
    if setting.taken is not None:
        add("written with indices", written_out(lines[-1].expr, setting.taken))
    for _ in range(4):
        if not _diffs(lines[-1].expr):
            break
        if not way.from_table:
            add("definition", _inside_derivatives(lines[-1].expr))
        add("derivative", differentiated(lines[-1].expr))
    for _ in range(12):
        move = kinked_definition(lines[-1].expr) or resolve(lines[-1].expr, signs, setting.at_zero)
        if move is None:
            break
        add("by the sign of its argument", move)
    if kinks(lines[-1].expr):
        raise Unsupported("a kink whose sign is not known")
    if solve:
        add("an assumption", solved(lines[-1].expr, setting.relations, signs))
    if way.unfolded:
        add(definition.rule_name, definition(lines[-1].expr))  # type: ignore[attr-defined]
    return lines


def put_in_nodes(e: Expr, definitions: Mapping[Expr, Expr]) -> Move | None:
    """Names of the let-list replaced by their definitions."""
    used = [s for s in definitions if depends(e, s)]
    new = e
    while any(depends(new, s) for s in definitions):
        new = replaced(new, definitions)
    names: list[str | Just] = []
    for k, s in enumerate(used):
        names += [", " if k else "", Just(s)]
    return Move(new, ("definition of ", *names), ("definition of ", *names)) if used else None


# ---- derivatives ---------------------------------------------------------------------------------------------------


def _diffs(e: Expr) -> list[Diff]:
    found = [d for a in e.args if isinstance(a, Expr) for d in _diffs(a)]
    return [*found, e] if isinstance(e, Diff) else found


def _inside_derivatives(e: Expr) -> Move | None:
    """Definitions put in under the derivative only."""
    moves: dict[Expr, Expr] = {}
    said: Prose = ()
    for d in _diffs(e):
        move = definition(d.args[0])
        if move is not None:
            moves[d] = Diff(move.expr, d.args[1])
            said = move.forwards
    return Move(replaced(e, moves), said, said) if moves else None


@rule("derivative", source=SPIVAK)
def differentiated(e: Expr) -> Move | None:
    """Every innermost derivative carried out by the rules of calculus."""
    names: dict[str, None] = {}

    def carry_out(d: Expr) -> Expr | None:
        if not isinstance(d, Diff):
            return None
        body, x = d.args
        if _diffs(body):
            return None
        found, used = derivative_of(body, x)
        names.update(dict.fromkeys(used))
        return found

    new = mapped(e, carry_out)
    said: Prose = (", ".join(names) or "derivative of a constant",)
    return Move(new, said, said) if new != e else None


def derivative_of(body: Expr, x: Expr) -> tuple[Expr, tuple[str, ...]]:
    """d body / d x and the rules used; entries, sums and other atoms stand as names while it is taken."""
    stand: dict[Expr, Expr] = {}
    inner: dict[Expr, Expr] = {}  # the names of sums over an index that depend on x, with their derivatives
    names: dict[str, None] = {}

    def name(e: Expr) -> Expr:
        if isinstance(e, Number):
            return e
        if isinstance(e, Call | Add | Mul | Pow) and not isinstance(e, MatrixExpr):
            return rebuilt(e, tuple(name(a) if isinstance(a, Expr) and not isinstance(a, Fn) else a for a in e.args))
        if e not in stand:
            stand[e] = Dummy(str(e)[:20], real=True)
            if isinstance(e, IndexSum) and (slope := _of_sum(e, x, names)) is not None:
                inner[stand[e]] = slope
            elif e != x and not isinstance(e, Entry | IndexSum) and depends(e, x):
                raise Unsupported(f"no rule differentiates {type(e).__name__}")
        return stand[e]

    hidden = name(body)
    terms = []
    for symbol, slope in ((stand.get(x, Dummy(real=True)), Integer(1)), *inner.items()):
        found, used = partial(hidden, symbol)
        if found != 0:
            terms.append(merged((found, slope)))
            names.update(dict.fromkeys(used))
    return replaced(_tidy(total(tuple(terms))), {d: e for e, d in stand.items()}), tuple(names)


def _of_sum(e: IndexSum, x: Expr, names: dict[str, None]) -> Expr | None:
    """d/dv_i of sum_k f(v_k) = f'(v_i): only the term k = i depends on v_i.  None if no term does."""
    body, k, _ = e.args
    if not isinstance(x, Entry):
        if not depends(body, x):
            return None
        slope, used = derivative_of(body, x)
        names.update(dict.fromkeys(used))
        return IndexSum(slope, k, e.args[2])
    moving = {y for y in _entries(body) if y.args[0] == x.args[0]}
    if not moving:
        return None
    places = {y.args[1:] for y in moving}
    if len(places) != 1 or k not in next(iter(places)) or any(isinstance(s, IndexSum) and depends(s, x.args[0]) for s in body.atoms(IndexSum)):
        raise Unsupported("the derivative of a sum whose terms share entries")
    (y,) = moving
    table = {a: b for a, b in zip(y.args[1:], x.args[1:], strict=True) if a == k}
    if any(a != b and a != k for a, b in zip(y.args[1:], x.args[1:], strict=True)):
        raise Unsupported("the derivative of a sum over one of two indices")
    slope, used = derivative_of(body, y)
    names.update(dict.fromkeys(used))
    names[f"only the term {k} = {table[k]} depends on it"] = None
    return slope.xreplace(table) if not slope.args else replaced(slope, {k: table[k]})


def _entries(e: Expr) -> list[Entry]:
    found = [y for a in e.args if isinstance(a, Expr) for y in _entries(a)]
    return [*found, e] if isinstance(e, Entry) else found


def _tidy(e: Expr) -> Expr:
    """Numbers multiplied into one in every product, kinked slopes of constants left as they are."""
    return mapped(e, lambda x: merged(x.args) if isinstance(x, Mul) and not isinstance(x, MatrixExpr) else None)


# ---- equations among the assumptions -------------------------------------------------------------------------------


@rule("an assumption", source="the assumptions of the problem")
def solved(e: Expr, relations: tuple[Relation, ...], signs: Signs) -> Move | None:
    """A name put in for what it equals by an assumption that is affine in it."""
    said: list[str | Relation] = []
    new = e
    for q in relations:
        if q.sign is not Sign.EQUAL or isinstance(q.left, MatrixExpr):
            continue
        if isinstance(q.left, SumOf):
            found = mapped(new, lambda s, q=q: q.right if _is_sum_of(s, q.left.arg) else None)  # type: ignore[misc]
            said += [", " if said else "since ", q] if found != new else []
            new = found
            continue
        if q.left.args and depends(new, q.left):
            new = replaced(new, {q.left: q.right})
            said += [", " if said else "since ", q]
            continue
        (gap,) = signs.algebra.ratios(difference(q))
        for m, c in gap.num.terms:
            if gap.den or len(m) != 1 or m[0][1] != 1 or not isinstance(m[0][0], Symbol):
                continue
            x = m[0][0]
            if sum(x in dict(n) for n, _ in gap.num.terms) == 1 and depends(new, x):
                value = signs.algebra.show_poly(Poly(tuple(t for t in gap.num.terms if t[0] != m)).scaled(-1 / c))
                if depends(value, x):
                    continue
                new = replaced(new, {x: value})
                said += [", " if said else "since ", Relation(x, Sign.EQUAL, value)]
                break
    return Move(new, tuple(said), tuple(said)) if said and new != e else None


def _is_sum_of(e: Expr, vector: Expr) -> bool:
    """sum_k v_k, in whatever letter."""
    return isinstance(e, IndexSum) and vector.shape[1] == 1 and e.args[0] == Entry(vector, e.args[1])


__all__ = ["Setting", "Way", "chain", "derivative_of", "differentiated", "met", "put_in_nodes", "solved"]
