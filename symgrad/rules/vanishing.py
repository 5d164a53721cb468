"""Zeros by propagation: facts through the definitions, forward and backward, until nothing changes; then factors that vanish.

Every quantity carries an interval (rules/ranges.py).  A definition u = f(v, w) narrows u to the range of f and each argument
to what u leaves of it; a local partial whose interval is {0} is a zero factor.  One pass over the graph, linear in its size.

Source: Benhamou, Goualard, Granvilliers, Puget, Revising hull and box consistency, ICLP 1999 (forward and backward narrowing).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language import intervals as I
from symgrad.language.functions import Call
from symgrad.language.graph import Graph
from symgrad.language.intervals import Interval
from symgrad.language.problem import Conventions
from symgrad.language.vectors import names_in
from symgrad.language.zeros import Fact, Reference, Relation, bound, gap, kinked, number, primitive, sign_of
from symgrad.rules.ranges import ONE, Intervals, trimmed

MAX_ROUNDS, MAX_PRUNED = 8, 14


@dataclass(frozen=True, eq=False)
class Found:
    """One deduction: what follows, by which fact or definition (several, with multipliers, for a combination)."""

    conclusion: Fact
    by: Reference | tuple[tuple[Rational, Reference | Found], ...]
    uses: tuple[Found, ...] = ()
    combines: Callable[[], bool] | None = None  # does a combination still add up, with what is known at the time?


Why = tuple[Reference, Fact]


class _Contradiction(Exception):
    def __init__(self, *found: Found) -> None:
        self.found = found


class Ranges(Intervals):
    """The interval of every name and difference, and how it came to be.

    Where the facts have no point, `contradiction` has the deductions that end in a false comparison, or narrow a name to
    nothing (none: the facts alone do); it is None otherwise.
    """

    def __init__(self, graph: Graph, conventions: Conventions, facts: Iterable[Fact], names: frozenset[str]) -> None:
        super().__init__(graph, conventions)
        self.facts = list(facts)
        self.log: dict[Expr, list[Found]] = {}
        self.constraints: list[tuple[Reference, Fact]] = list(enumerate(self.facts))
        self.constraints += [(n.name, Fact(n.symbol, Relation.EQUAL, n.expr)) for n in graph.nodes if n.name in names]
        self.watching: dict[str, list[int]] = {}
        for k, (_, c) in enumerate(self.constraints):
            for name in {*names_in(c.left), *names_in(c.right)}:
                self.watching.setdefault(name, []).append(k)
        self.pending = deque(range(len(self.constraints)))
        self.waiting = set(self.pending)
        self.contradiction: tuple[Found, ...] | None = None
        self.stated: dict[Expr, Interval] = {}
        self.attempt(self.start)

    def attempt(self, work: Callable[[], None]) -> None:
        """Work that may find that the facts contradict each other."""
        try:
            work()
        except _Contradiction as error:
            self.contradiction = error.found

    def start(self) -> None:
        for fact in self.facts:
            self.state(fact)
        self.stated = dict(self.known)
        self.propagate()

    def learn(self, found: Found) -> None:
        """A deduction from outside (a combination of facts), and what follows from it."""
        def work() -> None:
            self.state(found.conclusion, found)
            names = names_in(found.conclusion.left) + names_in(found.conclusion.right)
            self.pending.extend(k for n in names for k in self.watching.get(n, ()) if k not in self.waiting)
            self.waiting = set(self.pending)
            self.propagate()

        self.attempt(work)

    def state(self, c: Fact, *found: Found) -> None:
        """Takes a comparison with a number, or of two expressions, as known."""
        of, interval = bound(c) or (None, I.ALL)
        if isinstance(of, Rational):
            if not c.relation.holds(sign_of(c.left - c.right)):
                raise _Contradiction(*found)
        elif of is not None:
            self.known[of] = self.known.get(of, I.ALL).meet(interval)
            if found:
                self.log.setdefault(of, []).extend(found)
            if self.known[of].empty:
                raise _Contradiction(*found)

    # ---- to the fixpoint ------------------------------------------------------------------------------------------------

    def propagate(self) -> None:
        rounds = [0] * len(self.constraints)
        while self.pending:
            k = self.pending.popleft()
            self.waiting.discard(k)
            rounds[k] += 1
            if rounds[k] <= MAX_ROUNDS:
                self.revise(*self.constraints[k])

    def revise(self, by: Reference, c: Fact) -> None:
        """Narrows both sides of one fact or definition."""
        self.memo.clear()
        a, b = self.forward(c.left), self.forward(c.right)
        if not self.possible(c):
            raise _Contradiction(Found(Fact(Integer(0), Relation.EQUAL, Integer(1)), by, tuple(self.reasons(c))))
        match c.relation:
            case Relation.EQUAL:
                narrowed = (c.left, b), (c.right, a)
            case Relation.LESS | Relation.AT_MOST:
                narrowed = (c.left, below(b, c.relation is Relation.LESS)), (c.right, above(a, c.relation is Relation.LESS))
            case Relation.MORE | Relation.AT_LEAST:
                narrowed = (c.left, above(b, c.relation is Relation.MORE)), (c.right, below(a, c.relation is Relation.MORE))
            case Relation.NOT_EQUAL:
                narrowed = (c.left, trimmed(a, b.value)), (c.right, trimmed(b, a.value))
        for side, target in narrowed:
            self.backward(side, target, (by, c))

    def possible(self, c: Fact) -> bool:
        apart = self.forward(c.left) - self.forward(c.right)
        return not apart.meet(c.relation.gap).empty and not (c.relation is Relation.NOT_EQUAL and apart == I.ZERO)

    def narrow(self, x: Symbol, to: Interval, why: Why) -> None:
        """Records what is new about a name, one conclusion for each end that moved."""
        old = self.known.get(x, I.ALL)
        new = old.meet(to)
        if new == old:
            return
        conclusions = []
        if new.value is not None:
            conclusions.append(Fact(x, Relation.EQUAL, number(new.value)))
        else:
            if (new.low, new.low_open) != (old.low, old.low_open):
                assert isinstance(new.low, Fraction)
                conclusions.append(Fact(x, Relation.MORE if new.low_open else Relation.AT_LEAST, number(new.low)))
            if (new.high, new.high_open) != (old.high, old.high_open):
                assert isinstance(new.high, Fraction)
                conclusions.append(Fact(x, Relation.LESS if new.high_open else Relation.AT_MOST, number(new.high)))
        uses = tuple(self.reasons(why[1]))
        found = [Found(c, why[0], uses) for c in conclusions]
        self.log.setdefault(x, []).extend(found)
        self.known[x] = new
        if new.empty:
            raise _Contradiction(*found)
        for k in self.watching.get(x.name, ()):
            if k not in self.waiting:
                self.waiting.add(k)
                self.pending.append(k)

    def reasons(self, c: Fact) -> Iterator[Found]:
        """The deductions so far about the names in it, and about the differences that its kinks look at."""
        for e in (c.left, c.right):
            for name in names_in(e):
                yield from self.log.get(self.graph.symbol(name), ())
            if any(not isinstance(k, Symbol) for k in self.log):
                for call in kinked(e):
                    core = primitive(gap(call))[1]
                    yield from self.log.get(core, ()) if not isinstance(core, Symbol) else ()

    # ---- fewest reasons -------------------------------------------------------------------------------------------------

    def minimal(self, needed: Sequence[Found], goal: Callable[[], bool]) -> tuple[Found, ...]:
        """Of these deductions and those that they rest on, as few as reach the goal, in order."""
        kept = traced(needed)
        if len(kept) <= MAX_PRUNED:
            for f in reversed(kept):
                fewer = [g for g in kept if g is not f]
                if self.reaches(fewer, goal):
                    kept = fewer
        return tuple(kept)

    def reaches(self, kept: Sequence[Found], goal: Callable[[], bool]) -> bool:
        """Do the facts and these deductions, each following from those before it, reach the goal?"""
        saved, self.known = self.known, dict(self.stated)
        try:
            for f in kept:
                self.memo.clear()
                of, interval = bound(f.conclusion) or (None, I.ALL)
                if isinstance(f.by, tuple):
                    follows = all(r in kept for _, r in f.by if isinstance(r, Found)) and f.combines is not None and f.combines()
                else:
                    follows = of is not None and self.follows(of, interval, f.by)
                if of is None or not follows:
                    return False
                if isinstance(of, Rational):
                    return True
                self.known[of] = self.known.get(of, I.ALL).meet(interval)
                if self.known[of].empty:
                    return True
            self.memo.clear()
            return goal()
        finally:
            self.known = saved
            self.memo.clear()

    def follows(self, of: Expr, interval: Interval, by: Reference) -> bool:
        """Is the fact or definition impossible wherever `of` lies outside the interval?"""
        c = next(c for reference, c in self.constraints if reference == by)
        if isinstance(of, Rational):
            return not self.possible(c)
        before = self.known.get(of, I.ALL)
        for piece in interval.outside():
            self.known[of] = before.meet(piece)
            self.memo.clear()
            if not self.known[of].empty and self.possible(c):
                return False
        self.known[of] = before
        self.memo.clear()
        return True

    # ---- backward -------------------------------------------------------------------------------------------------------

    def backward(self, e: Expr, target: Interval, why: Why) -> None:
        """What is left of the names in e if its value lies in `target`."""
        own = self.forward(e)
        new = own.meet(target)
        if new == own or new.empty:
            return
        match e:
            case Symbol():
                self.narrow(e, new, why)
            case Add() | Mul():
                self.backward_terms(e, new, why)
            case Pow(base=base, exp=n) if isinstance(n, Integer):
                if new == I.ZERO and n > 0:
                    self.backward(base, I.ZERO, why)
                elif int(n) % 2 and new.sign in (1, -1):
                    self.backward(base, I.POSITIVE if new.sign == 1 else I.NEGATIVE, why)
                elif 0 not in new:
                    self.backward(base, trimmed(self.forward(base), Fraction(0)), why)
            case Call() if e.fn.plain:
                for a, wanted in self.undone(e, new):
                    self.backward(a, wanted, why)

    def backward_terms(self, e: Expr, new: Interval, why: Why) -> None:
        """a = u - (the other terms); a = u / (the other factors) where these cannot be 0."""
        ranges = [self.forward(a) for a in e.args]
        sums = isinstance(e, Add)
        after = [I.ZERO if sums else ONE]
        for r in reversed(ranges[1:]):
            after.append(r + after[-1] if sums else r * after[-1])
        before = after[0]
        for a, r, rest in zip(e.args, ranges, reversed(after), strict=True):
            if sums:
                self.backward(a, new - (before + rest), why)
                before = before + r
            else:
                others = before * rest
                if others.sign in (1, -1):
                    self.backward(a, new * others.reciprocal, why)
                elif 0 not in new:
                    self.backward(a, trimmed(r, Fraction(0)), why)
                before = before * r


def traced(needed: Sequence[Found]) -> list[Found]:
    """These deductions and all that they rest on, each once, in an order in which each follows those it uses."""
    order: dict[Found, None] = {}
    stack = [(f, False) for f in reversed(needed)]
    while stack:
        f, ready = stack.pop()
        if ready:
            order.setdefault(f)
        elif f not in order:
            stack.append((f, True))
            stack += [(g, False) for g in reversed(f.uses)]
    return list(order)


def below(other: Interval, strict: bool) -> Interval:
    """Where x lies if x < y, or x <= y, for some y of the other interval."""
    return Interval(-inf, other.high, True, strict or other.high_open)


def above(other: Interval, strict: bool) -> Interval:
    """Where x lies if x > y, or x >= y, for some y of the other interval."""
    return Interval(other.low, inf, strict or other.low_open, True)
