"""What follows from the facts of one region, and which expressions they make zero: the checker's own reasoning.

A deduction is accepted on one of two grounds.  Narrowing: were it false, interval arithmetic alone would contradict a fact
or a definition.  Combination: it is, as a polynomial identity, a sum of facts and definitions with suitable signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Rational, Symbol, nan, zoo

from symgrad.check.calculus import differentiate
from symgrad.check.errors import NoDerivative, Undecided
from symgrad.check.normal import branches
from symgrad.check.ranges import range_of
from symgrad.language import intervals as I
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.functions import Call, Fn, call, leaky_slope
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions
from symgrad.language.vectors import names_in, scalar
from symgrad.language.zeros import JUMPS, KINKED, Combined, Deduction, Fact, Narrowed, Reference, Relation, bound, gap, number, sign_of

MAX_UNFOLDED, MAX_SIZE = 40, 4000
_SIGN = {Relation.EQUAL: 0, Relation.MORE: 1, Relation.AT_LEAST: 1, Relation.LESS: -1, Relation.AT_MOST: -1}


@dataclass
class Facts:
    """The facts of one region in their order, and the interval of every name and difference that they speak of."""

    graph: Graph
    conventions: Conventions
    listed: list[Fact] = field(default_factory=list)
    known: dict[Expr, I.Interval] = field(default_factory=dict)
    impossible: bool = False

    def add(self, fact: Fact) -> None:
        self.listed.append(fact)
        of, interval = bound(fact) or (None, I.ALL)
        if isinstance(of, Rational):
            self.impossible |= not fact.relation.holds(sign_of(fact.left - fact.right))
        elif of is not None:
            self.known[of] = self.known.get(of, I.ALL).meet(interval)
            self.impossible |= self.known[of].empty

    def find(self, reference: Reference) -> Fact:
        """A definition by its name, a fact by its number."""
        if isinstance(reference, str):
            if not self.graph.arguments(reference):
                raise Refused(f"{reference} has no definition from which something follows")
            return Fact(self.graph.symbol(reference), Relation.EQUAL, self.graph.node(reference).expr)
        if not 0 <= reference < len(self.listed):
            raise Refused(f"there is no fact number {reference}")
        return self.listed[reference]

    def range(self, e: Expr) -> I.Interval:
        return range_of(e, self.known, self.conventions)

    # ---- deductions -----------------------------------------------------------------------------------------------------

    def deduce(self, d: Deduction) -> None:
        """Adds the conclusion.  Raises Refused unless it follows."""
        match d:
            case Narrowed(conclusion, by):
                follows = self.narrowed(conclusion, self.find(by))
            case Combined(conclusion, by):
                follows = self.combined(conclusion, [(c, self.find(r)) for c, r in by])
        if not follows:
            raise Refused(f"{said(d.conclusion)} does not follow")
        self.add(d.conclusion)

    def narrowed(self, conclusion: Fact, by: Fact) -> bool:
        """Wherever the conclusion is false, `by` is false too."""
        of, interval = bound(conclusion) or (None, I.ALL)
        if isinstance(of, Rational):
            return self.excluded(by, self.known)
        return isinstance(of, Symbol) and conclusion.relation is not Relation.NOT_EQUAL and all(
            piece.empty or self.excluded(by, {**self.known, of: piece})
            for piece in (self.known.get(of, I.ALL).meet(outside) for outside in interval.outside()))

    def excluded(self, fact: Fact, known: dict[Expr, I.Interval]) -> bool:
        apart = range_of(fact.left, known, self.conventions) - range_of(fact.right, known, self.conventions)
        return apart.meet(fact.relation.gap).empty or (fact.relation is Relation.NOT_EQUAL and apart == I.ZERO)

    def combined(self, conclusion: Fact, by: list[tuple[Rational, Fact]]) -> bool:
        """The difference of its sides is, identically, the sum of multiples of differences that are at least 0."""
        if any(fact.relation not in _SIGN or c * _SIGN[fact.relation] < 0 for c, fact in by):
            return False
        equal = all(fact.relation is Relation.EQUAL for _, fact in by)
        strict = any(c != 0 and fact.relation in (Relation.MORE, Relation.LESS) for c, fact in by)
        shown = Relation.EQUAL if equal else Relation.MORE if strict else Relation.AT_LEAST
        total = Add(*(c * (fact.left - fact.right) for c, fact in by))
        apart = next(self.readings(conclusion.left - conclusion.right - total, ()))
        return conclusion.relation in (shown, Relation.AT_LEAST) and vanishes(apart)

    # ---- what is zero ---------------------------------------------------------------------------------------------------

    def zero(self, e: Expr) -> bool:
        """Zero wherever the facts hold: by its range, or identically once kinks are settled and equalities put in."""
        equalities = [f.left - f.right for f in self.listed if f.relation is Relation.EQUAL]
        return self.range(e) == I.ZERO or any(map(vanishes, self.readings(e, equalities)))

    def readings(self, e: Expr, equalities: list[Expr] | tuple[()]) -> Iterator[Expr]:
        """The expression with nodes as unknowns, then with all definitions put in; both with the equalities solved for names."""
        for whole in (False, True):
            slopes: dict[object, Expr] = {}
            read = [self.unfolded(self.settled(x, None)) if whole else x for x in (e, *equalities)]
            if read[0] is not None:
                first, *rest = (self.settled(x, slopes) for x in read if x is not None)
                yield self.eliminated(first, rest)

    def settled(self, e: Expr, slopes: dict[object, Expr] | None) -> Expr:
        """Numbers for what has one value, the piece of max, min and the like that applies; a slope that is still open becomes an
        unknown of its own, one for each argument (or stays, if `slopes` is None)."""
        value = self.range(e).value if isinstance(e, Symbol | Call) else None
        if value is not None:
            return number(value)
        if not isinstance(e, Call) or e.fn.name not in KINKED:
            return e.func(*(self.settled(a, slopes) for a in e.args)) if e.args else e
        a, b = e.arguments[0], e.arguments[1] if e.fn.name in ("max", "min") else Integer(0)
        side = self.range(gap(e)).sign
        first, second = self.settled(a, slopes), self.settled(b, slopes)
        if e.fn.plain and e.fn.name not in JUMPS:
            match e.fn.name, side:
                case ("max" | "relu", 1 | 0) | ("min", -1 | 0) | ("leaky_relu" | "abs", 1 | 0):
                    return first
                case ("max" | "relu", -1) | ("min", 1):
                    return second
                case ("leaky_relu", -1):
                    return leaky_slope(e.arguments) * first
                case ("abs", -1):
                    return -first
                case ("relu" | "max", None):
                    return call("max", first, second)
                case ("min", None):
                    return -call("max", -first, -second)
                case ("leaky_relu", None):
                    return call("max", first, Integer(0)) - leaky_slope(e.arguments) * call("max", -first, Integer(0))
            return call("abs", first)
        if slopes is None:
            return Call(e.fn, first, *((second,) if len(e.arguments) > 1 and e.fn.name != "leaky_relu" else e.arguments[1:]))
        if e.fn in (Fn("relu", (1,)), Fn("max", (1, 0)), Fn("max", (0, 1))):
            slope = slopes.setdefault(first - second, scalar(f"slope {len(slopes)}"))
            return 1 - slope if e.fn.orders == (0, 1) else slope
        return slopes.setdefault((e.fn, first, second, e.arguments[1:]), scalar(f"slope {len(slopes)}"))

    def unfolded(self, e: Expr) -> Expr | None:
        """All definitions put in, kinks settled where the facts do; None if that is long."""
        for node in reversed(self.graph.nodes):
            if node.name in names_in(e):
                if len(self.graph.nodes) > MAX_UNFOLDED or e.count_ops() > MAX_SIZE:
                    return None
                e = e.xreplace({node.symbol: self.settled(node.expr, None)})
        return e

    @staticmethod
    def eliminated(e: Expr, equalities: list[Expr]) -> Expr:
        """Each equality that is linear in some name, with a number as coefficient, is solved for it and put in."""
        pending = list(equalities)
        while pending:
            p = pending.pop(0)
            for s in sorted(p.free_symbols, key=str):
                coefficient = differentiate(p, s)
                if isinstance(coefficient, Rational) and coefficient != 0:
                    solved = {s: -p.xreplace({s: Integer(0)}) / coefficient}
                    e, pending = e.xreplace(solved), [x.xreplace(solved) for x in pending]
                    break
        return e


def vanishes(e: Expr) -> bool:
    """Identically zero, on every pattern of signs; False says only that this is not shown."""
    try:
        return not e.has(nan, zoo) and all(zero for zero, _ in branches(e))
    except (Undecided, NoDerivative, Unsupported, ZeroDivisionError):
        return False


def said(c: Fact) -> str:
    return f"{c.left} {c.relation.value} {c.right}"
