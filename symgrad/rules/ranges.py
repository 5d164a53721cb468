"""The interval of an expression and of its local partials, given intervals of names; and what a value leaves of arguments.

To add a function: one case in `applied`, one in `undone`, one in `slope`.
Source: Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009), ch. 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import inf

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language import intervals as I
from symgrad.language.functions import Call, leaky_slope
from symgrad.language.graph import Graph
from symgrad.language.intervals import Interval, point
from symgrad.language.problem import Conventions
from symgrad.language.vectors import names_in
from symgrad.language.zeros import gap, known_of, rational

ONE = point(1)
HALF = point(Fraction(1, 2))
UNIT = Interval(Fraction(0), Fraction(1), True, True)


class Intervals:
    """Intervals of names and of differences such as h1 - h2, and what follows for expressions; `memo` is cleared when they change."""

    def __init__(self, graph: Graph, conventions: Conventions) -> None:
        self.graph, self.conventions = graph, conventions
        self.known: dict[Expr, Interval] = {}
        self.memo: dict[Expr, Interval] = {}

    # ---- values ---------------------------------------------------------------------------------------------------------

    def forward(self, e: Expr) -> Interval:
        """The interval of an expression."""
        if isinstance(e, Rational):
            return point(rational(e))
        if isinstance(e, Symbol):
            return self.known.get(e, I.ALL)
        if e not in self.memo:
            found = self._forward(e)
            self.memo[e] = found.meet(known_of(self.known, e)) if isinstance(e, Add | Mul) else found
        return self.memo[e]

    def _forward(self, e: Expr) -> Interval:
        match e:
            case Add():
                total = I.ZERO
                for a in e.args:
                    total = total + self.forward(a)
                    if total == I.ALL:
                        break
                return total
            case Mul():
                result = ONE
                for a in e.args:
                    result = result * self.forward(a)
                return result
            case Pow(base=base, exp=n) if isinstance(n, Integer) and n != 0:
                inner = self.forward(base) ** abs(int(n))
                return inner if n > 0 else inner.reciprocal
            case Pow():
                return I.NOT_NEGATIVE if isinstance(e.exp, Rational) else I.ALL
            case Call() if e.fn.plain:
                return self.applied(e)
        return I.ALL

    def applied(self, e: Call) -> Interval:
        """The interval of a function of intervals."""
        a = self.forward(e.arguments[0])
        match e.fn.name, a.sign:
            case "max" | "min" | "relu", _:
                return self.larger(e, a)
            case "leaky_relu", sign:
                s = point(rational(leaky_slope(e.arguments)))
                return a if sign == 1 else a * s if sign in (-1, 0) else a.join(a * s) if s.low >= 0 else I.ALL
            case "abs", sign:
                return a if sign in (0, 1) else -a if sign == -1 else a.join(-a).meet(I.NOT_NEGATIVE)
            case "sign", sign:
                return point(sign) if sign else Interval(Fraction(-1), Fraction(1))
            case "step", _:
                return self.stepped(a)
            case "exp", sign:
                return ONE if sign == 0 else I.POSITIVE
            case "sigmoid", sign:
                return HALF if sign == 0 else UNIT
            case "tanh", sign:
                return I.ZERO if sign == 0 else UNIT if sign == 1 else -UNIT if sign == -1 else Interval(Fraction(-1), Fraction(1), True, True)
            case "softplus", _:
                return I.POSITIVE
            case "sqrt", _:
                return I.NOT_NEGATIVE
        return I.ALL

    def larger(self, e: Call, a: Interval) -> Interval:
        """max(a, b), and min(a, b) = -max(-a, -b)."""
        b = self.forward(e.arguments[1]) if len(e.arguments) > 1 else I.ZERO
        side = self.forward(gap(e)).sign
        if e.fn.name == "min":
            a, b, side = -a, -b, None if side is None else -side
        if side is None:
            low, low_open = max((a.low, a.low_open), (b.low, b.low_open))
            both = a.join(b)
            found = Interval(low, both.high, low_open, both.high_open)
        else:
            found = a if side >= 0 else b
        return -found if e.fn.name == "min" else found

    def stepped(self, a: Interval) -> Interval:
        at = point(rational(self.conventions.step_at_zero))
        pieces = [p for p, there in ((ONE, a.high > 0), (I.ZERO, a.low < 0), (at, 0 in a)) if there]
        found = pieces[0]
        for p in pieces[1:]:
            found = found.join(p)
        return found

    def undone(self, e: Call, new: Interval) -> Iterator[tuple[Expr, Interval]]:
        """What the value of a function leaves of its arguments."""
        a, b = e.arguments[0], e.arguments[-1] if e.fn.name in ("max", "min") else Integer(0)
        positive, negative = new.sign == 1, new.sign == -1
        match e.fn.name:
            case "max" | "relu":
                for x, y in ((a, b), (b, a)):
                    other = self.forward(y)
                    above = other.meet(new).empty and other.high <= new.low
                    yield x, new if above else Interval(-inf, new.high, True, new.high_open)
            case "min":
                for x, y in ((a, b), (b, a)):
                    other = self.forward(y)
                    below = other.meet(new).empty and other.low >= new.high
                    yield x, new if below else Interval(new.low, inf, new.low_open, True)
            case "leaky_relu" if (s := leaky_slope(e.arguments)) > 0:
                low, high = (x / rational(s) if isinstance(x, Fraction) and x < 0 else x for x in (new.low, new.high))
                yield a, Interval(low, high, new.low_open, new.high_open)
            case "abs":
                yield a, Interval(-new.high, new.high, new.high_open, new.high_open) if new.high < inf else I.ALL
                if 0 not in new:
                    yield a, trimmed(self.forward(a), Fraction(0))
            case "tanh" if new == I.ZERO:
                yield a, I.ZERO
            case "tanh" if positive or negative:
                yield a, I.POSITIVE if positive else I.NEGATIVE
            case "sign" if new.value in (1, -1):
                yield a, I.POSITIVE if positive else I.NEGATIVE
            case "step":
                for piece in (I.NEGATIVE, I.POSITIVE):
                    if self.stepped(piece).meet(new).empty:
                        at_zero = not point(rational(self.conventions.step_at_zero)).meet(new).empty
                        other = (I.NOT_NEGATIVE if at_zero else I.POSITIVE) if piece is I.NEGATIVE else (I.NOT_POSITIVE if at_zero else I.NEGATIVE)
                        yield a, other

    # ---- local partials -------------------------------------------------------------------------------------------------

    def partials(self, name: str) -> dict[str, Interval]:
        """The interval of every local partial of one definition, by one sweep from its outermost operation inwards."""
        self.memo.clear()
        found: dict[str, Interval] = {}

        def sweep(e: Expr, weight: Interval) -> None:
            match e:
                case Symbol():
                    found[e.name] = found[e.name] + weight if e.name in found else weight
                case Add():
                    for a in e.args:
                        sweep(a, weight)
                case Mul():
                    ranges = [self.forward(a) for a in e.args]
                    after = [ONE]
                    for r in reversed(ranges[1:]):
                        after.append(r * after[-1])
                    before = weight
                    for a, r, rest in zip(e.args, ranges, reversed(after), strict=True):
                        if a.args or isinstance(a, Symbol):
                            sweep(a, before * rest)
                        before = before * r
                case Pow(base=base, exp=n) if isinstance(n, Rational):
                    inner = self.forward(base) if n == 2 else self.forward(Pow(base, n - 1, evaluate=False))
                    sweep(base, weight * point(rational(n)) * inner)
                case Call():
                    for slot, a in enumerate(e.arguments):
                        if names_in(a):
                            sweep(a, weight * self.slope(e, slot))
                case _ if e.args:
                    for x in names_in(e):
                        found[x] = I.ALL

        sweep(self.graph.node(name).expr, ONE)
        return found

    def slope(self, e: Call, slot: int) -> Interval:
        """The interval of the derivative of a function in one argument; at a kink any number, unless the problem fixes it."""
        name, tie = e.fn.name, self.conventions.relu_at_zero
        if not e.fn.plain or name not in ("max", "min", "relu", "leaky_relu", "abs", "step", "sign", "tanh"):
            return I.POSITIVE if e.fn.plain and name in ("exp", "sigmoid", "softplus") else I.ALL
        if name in ("step", "sign"):
            return I.ZERO
        if name == "tanh":
            return ONE if self.forward(e.arguments[0]) == I.ZERO else Interval(Fraction(0), Fraction(1), True, False)
        side = self.forward(gap(e))
        if name == "abs":
            return point(side.sign) if side.sign else Interval(Fraction(-1), Fraction(1))
        up = ONE if (slot == 0) == (name != "min") else I.ZERO
        down = point(rational(leaky_slope(e.arguments))) if name == "leaky_relu" else ONE - up
        if side.sign in (1, -1):
            return up if side.sign == 1 else down
        if tie is None or name not in ("max", "relu"):
            return I.ALL
        at = point(rational(tie if slot == 0 else 1 - tie))
        for piece, there in ((up, side.high > 0), (down, side.low < 0)):
            at = at.join(piece) if there else at
        return at


def trimmed(interval: Interval, x: Fraction | None) -> Interval:
    """The interval without an end that is x."""
    if x is None:
        return interval
    return Interval(interval.low, interval.high, interval.low_open or interval.low == x, interval.high_open or interval.high == x)
