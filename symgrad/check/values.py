"""The checker's own numbers: node values and derivatives at the given values, exact where rational, enclosed otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from mpmath import iv
from mpmath.libmp import to_rational
from sympy import Add, Expr, Integer, Mul, Pow, Rational, nan, zoo

from symgrad.check.calculus import differentiate, max_slope, unfold
from symgrad.check.errors import NoSign, Undecided
from symgrad.check.evaluation import decimal_fits, enclose, interval
from symgrad.check.evaluation import evaluate as evaluate_at
from symgrad.check.normal import branches, constant_value
from symgrad.language.bounds import within_bits
from symgrad.language.claims import ROUNDED
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Node
from symgrad.language.problem import Conventions, Problem
from symgrad.language.zeros import gap, kinked

MAX_CLOSED = 120
FINE, MAX_DENOMINATOR = Fraction(1, 10**36), 10**15
MAX_DECIMALS = 50


@dataclass(frozen=True)
class Known:
    """One number: `exact` where it is rational, `closed` an expression of numbers where that is short, `interval` always."""

    exact: Rational | None
    closed: Expr | None
    interval: Any


def may_be_rational(value: Any) -> bool:
    """Is there a fraction in the interval whose denominator has at most half the digits that are known?  Else no normal form is made."""
    a, b = (Fraction(*map(int, to_rational(end))) for end in value._mpi_)
    return b - a > FINE or a <= ((a + b) / 2).limit_denominator(MAX_DENOMINATOR) <= b


@dataclass
class Valuation:
    """The values of all names of a problem, from its stated numbers; `rounded` takes the stated, rounded node values as they are."""

    problem: Problem
    kind: str
    known: dict[str, Known] = field(default_factory=dict)
    slopes: dict[str, dict[str, Known]] = field(default_factory=dict)
    rationals: dict[Expr, Rational | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stated = {g.name: g.entries[0][0] for g in self.problem.values
                       if (self.kind == ROUNDED or g.digits is None) and len(g.entries) == len(g.entries[0]) == 1}

    def value(self, name: str) -> Known:
        """The value of a scalar name.  Raises Unsupported if a number that it needs is not given."""
        graph, stack = self.problem.graph, [name]
        while stack:  # not recursive: a graph may be deeper than Python's stack
            n = stack[-1]
            if n in self.known:
                stack.pop()
            elif n in self.stated:
                self.known[n] = self.number(self.stated[n])
            elif not isinstance(graph[n], Node):
                raise Unsupported(f"no value is given for {n}")
            elif waiting := [a for a in graph.arguments(n) if a not in self.known]:
                stack += waiting
            else:
                self.known[n] = self.evaluate(graph.node(n).expr)
        return self.known[name]

    @staticmethod
    def number(x: Rational) -> Known:
        within_bits(x)
        return Known(x, x, iv.mpf(int(x.p)) / int(x.q))

    def evaluate(self, e: Expr, extra: dict[Expr, Known] | None = None) -> Known:
        """The value of a scalar expression in names of the graph (and of `extra` symbols).  Raises Undecided where it has none."""
        extra, e = extra or {}, by_convention(e, self.problem.conventions)
        symbols = {s: extra[s] if s in extra else self.value(s.name) for s in e.free_symbols if not s.is_integer}
        tie, step = self.problem.conventions.relu_at_zero, self.problem.conventions.step_at_zero
        closed, value, found, at = None, None, None, None
        if all(k.closed is not None for k in symbols.values()):
            closed = e.xreplace({s: k.closed for s, k in symbols.items()})
            if closed.has(zoo, nan):
                raise Undecided(f"{e} has no value here: a division by zero")
            exact = all(k.exact is not None for k in symbols.values())
            if exact and not e.has(Call, Pow) and (value := self.rational(closed)) is not None:
                return self.number(value)  # a polynomial has a value everywhere
        try:
            # kept exact where a kink is decided by an interval: the slope of max(a1, a2) is 1 whatever the decimals of a1 > a2 are
            at = evaluate_at(e, {s: k.interval if k.exact is None else k.exact for s, k in symbols.items()}, tie, step)
            found = interval(at)
        except NoSign:
            if closed is None or (value := self.rational(closed)) is None:
                raise
        except (ArithmeticError, ValueError) as error:
            raise Undecided(f"{e} has no value here: {error or 'a division by zero'}") from None
        if value is None and isinstance(at, Fraction):
            value = Rational(at.numerator, at.denominator)
        elif value is None and closed is not None and may_be_rational(found):
            value = self.rational(closed)
        closed = closed if closed is not None and closed.count_ops() <= MAX_CLOSED else None
        return Known(None, closed, found) if value is None else self.number(value)

    def rational(self, closed: Expr) -> Rational | None:
        """The value of an expression of numbers if the normal form shows it to be rational; where that is too large, the interval will do."""
        if closed not in self.rationals:
            try:
                value = constant_value(closed, self.problem.conventions.relu_at_zero, self.problem.conventions.step_at_zero)
            except Undecided:
                value = None
            self.rationals[closed] = value
        return self.rationals[closed]

    def hits_kink(self, e: Expr, extra: dict[Expr, Known]) -> bool:
        """Is the argument of some max, |x|, step or the like at its kink, or not shown to be off it?"""
        gaps = (self.evaluate(gap(c), extra) for c in kinked(e))
        return any(x.exact == 0 or (x.exact is None and x.interval.a <= 0 <= x.interval.b) for x in gaps)

    def slope(self, of: str, wrt: str) -> Known:
        """d of / d wrt by the checker's own reverse accumulation over the nodes between the two."""
        graph, bars = self.problem.graph, self.slopes.setdefault(of, {of: self.number(Integer(1))})
        between = () if wrt in bars else graph.between(wrt, of)
        for n in reversed(between):
            if n not in bars:
                terms = [(bars[u], self.evaluate(differentiate(graph.node(u).expr, graph.symbol(n))))
                         for u in graph.consumers(n) if u in bars and u in between]
                bars[n] = self.sum_of_products(terms)
        return bars.get(wrt, self.number(Integer(0)))

    def sum_of_products(self, terms: list[tuple[Known, Known]]) -> Known:
        terms = [(a, b) for a, b in terms if a.exact != 0 and b.exact != 0]
        if all(a.exact is not None and b.exact is not None for a, b in terms):
            return self.number(sum((a.exact * b.exact for a, b in terms), Integer(0)))  # type: ignore[operator]
        closed = None
        if all(a.closed is not None and b.closed is not None for a, b in terms):
            closed = Add(*(Mul(a.closed, b.closed) for a, b in terms))
            closed = closed if closed.count_ops() <= MAX_CLOSED else None
        return Known(None, closed, sum((a.interval * b.interval for a, b in terms), self.number(Integer(0)).interval))

    def require_equal(self, left: Expr, right: Expr, extra: dict[Expr, Known], what: str) -> None:
        """Raises Refused with both values if they differ at the given values, Undecided if that is not shown either way."""
        a, b = self.evaluate(left, extra), self.evaluate(right, extra)
        if a.exact is not None and b.exact is not None:
            if a.exact != b.exact:
                raise Refused(f"{what}: left is {a.exact}, right is {b.exact} at the given values")
            return
        if a.interval.b < b.interval.a or b.interval.b < a.interval.a:
            raise Refused(f"{what}: left is {float(a.interval.mid.a):.6g}, right is {float(b.interval.mid.a):.6g} at the given values")
        conventions = self.problem.conventions
        if a.closed is None or b.closed is None or not all(
                zero for zero, _ in branches(settled(a.closed - b.closed), conventions.relu_at_zero, conventions.step_at_zero)):
            raise Undecided(f"{what}: equal to within {float((a.interval - b.interval).delta.b):.1e}, not shown exactly")

    def order(self, left: Expr, right: Expr, extra: dict[Expr, Known], what: str) -> int:
        """-1, 0 or 1 as left is less than, equal to or greater than right.  Raises Undecided where neither is shown."""
        a, b = self.evaluate(left, extra), self.evaluate(right, extra)
        if a.exact is not None and b.exact is not None:
            return int(bool(a.exact > b.exact)) - int(bool(a.exact < b.exact))
        if a.interval.b < b.interval.a or b.interval.b < a.interval.a:
            return -1 if a.interval.b < b.interval.a else 1
        self.require_equal(left, right, extra, what)
        return 0

    def require_rounded(self, true: Known, shown: Rational, digits: int, what: str) -> None:
        """Raises Refused unless `shown` is `true` rounded to `digits` decimals; either neighbour will do for a tie."""
        if not 0 <= digits <= MAX_DECIMALS:
            raise Refused(f"{what}: {digits} decimals")
        if not (shown * 10**digits).is_Integer:
            raise Refused(f"{what}: {shown} has more than {digits} decimals")
        half = Rational(1, 2 * 10**digits)
        if true.exact is not None:
            fits, off = abs(true.exact - shown) <= half, abs(true.exact - shown) > half
        else:
            fits = decimal_fits(true.interval, shown, digits)
            gap = true.interval - self.number(shown).interval
            off = not fits and bool(gap.a > self.number(half).interval.b or gap.b < self.number(-half).interval.a)
        if off:
            raise Refused(f"{what}: {float(shown)} is not {float(true.interval.mid.a):.{digits + 4}f} rounded to {digits} decimals")
        if not fits:
            raise Undecided(f"{what}: the value is so near to a tie that the precision does not show how it rounds")


def by_convention(e: Expr, conventions: Conventions) -> Expr:
    """|z|' as the problem fixes it at 0: sign z + a (1 - sign^2 z)."""
    at_zero = conventions.abs_at_zero
    if at_zero is None or not e.has(Fn("abs", (1,))):
        return e
    slopes = [call for call in e.atoms(Call) if call.fn == Fn("abs", (1,))]
    signs = {s: Call(Fn("sign", (0,)), *s.arguments) for s in slopes}
    return e.xreplace({s: sign + at_zero * (1 - sign**2) for s, sign in signs.items()})


def settled(e: Expr) -> Expr:
    """An expression of numbers in which every max whose arguments are told apart by intervals is the larger one.

    max(log(1 + e^2), 1) is log(1 + e^2): the normal form alone would ask for both signs of their difference.
    """
    if not e.args or isinstance(e, Fn):
        return e
    if isinstance(e, Call):
        row = KNOWN.get(e.fn.name)
        meaning = unfold(e) if row is not None and row.kink else None
        if meaning is not None:
            return settled(meaning)
        arguments = tuple(map(settled, e.arguments))
        if e.fn.name in ("max", "abs", "sign", "step"):
            first, second = arguments if e.fn.name == "max" else (arguments[0], Integer(0))
            gap = enclose(first - second, {})
            if gap.a > 0 or gap.b < 0:
                sign = 1 if gap.a > 0 else -1
                match e.fn.name:
                    case "max" if e.fn.plain:
                        return first if sign > 0 else second
                    case "max":
                        return max_slope(e.fn, sign, None) or Integer(0)
                    case "abs" if e.fn.plain:
                        return sign * first
                    case "sign" | "step" if e.fn.plain:
                        return Integer(sign if e.fn.name == "sign" else max(sign, 0))
        return Call(e.fn, *arguments)
    return e.func(*map(settled, e.args))
