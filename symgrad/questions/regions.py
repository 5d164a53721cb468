"""Why a derivative vanishes: by factors, by cancelling, or region by region; each found as data that the checker verifies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from sympy import Expr, Integer, Mul, Rational, Symbol

from symgrad.language import intervals as I
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions
from symgrad.language.vectors import names_in
from symgrad.language.zeros import JUMPS, Combined, Deduction, Edge, Fact, Narrowed, Region, Relation, gap, kinked, primitive
from symgrad.rules.cancelling import Rows, cancels, combines
from symgrad.rules.vanishing import Found, Ranges
from symgrad.solvers import multipliers

MAX_SPLITS, MAX_REGIONS, MAX_CANDIDATES, MAX_ROUTES, MAX_NAMES = 5, 81, 6, 24, 100
SIGNS = (Relation.LESS, Relation.EQUAL, Relation.MORE)


class _Open(Exception):
    """A region stays open."""


class Regions:
    """One set of facts with one convention for kinks."""

    def __init__(self, graph: Graph, conventions: Conventions, facts: Sequence[Fact], of: str) -> None:
        self.graph, self.conventions, self.facts, self.of = graph, conventions, tuple(facts), of
        self.above = graph.ancestors(of)
        self.jumps = any(c.fn.name in JUMPS for n in graph.nodes for c in kinked(n.expr))
        names = self.above.union(*(graph.ancestors(n) for f in facts for n in names_in(f.left) + names_in(f.right)))
        self.names = frozenset(names)
        self.regions: dict[tuple[Fact, ...], Ranges] = {}
        self.edges: dict[int, tuple[int, frozenset[Edge]]] = {}
        self.combined: set[tuple[Fact, ...]] = set()
        self.whole = self.ranges(())
        self.zeros = self.zero_edges(self.whole)
        self.count = 0
        self.forced: set[str] = set()  # names whose derivative the facts put at a kink
        self.kinks: dict[str, tuple[tuple[str, str], ...]] = {}  # name -> (argument = 0, function)

    def ranges(self, assumed: tuple[Fact, ...]) -> Ranges:
        """What propagation finds in a region; computed once for all derivatives."""
        if assumed not in self.regions:
            self.regions[assumed] = Ranges(self.graph, self.conventions, (*self.facts, *assumed), self.names)
        return self.regions[assumed]

    def zero_edges(self, ranges: Ranges) -> frozenset[Edge]:
        """The local partials that are zero, among those of which `of` is made."""
        if ranges.contradiction is not None:
            return frozenset()
        if id(ranges) in self.edges and self.edges[id(ranges)][0] == len(ranges.log):
            return self.edges[id(ranges)][1]
        found = frozenset((n.name, x) for n in self.graph.nodes if n.name in self.above for x, r in ranges.partials(n.name).items() if r == I.ZERO)
        self.edges[id(ranges)] = (len(ranges.log), found)
        return found

    # ---- the facts cannot hold ------------------------------------------------------------------------------------------

    def impossible(self, learn: bool) -> tuple[Region, ...] | None:
        """Regions that cover all points and contradict the facts, each in itself; None if that is not shown."""
        if self.whole.contradiction is not None:
            return (self.contradicted(self.whole, ()),)
        if not learn:
            return None
        if self.learned(self.whole, ()).contradiction is not None:
            return (self.contradicted(self.whole, ()),)
        return self.by_splitting("")

    def contradicted(self, ranges: Ranges, assumed: tuple[Fact, ...]) -> Region:
        assert ranges.contradiction is not None
        return self.region(assumed, ranges.minimal(ranges.contradiction, lambda: False), ())

    def learned(self, ranges: Ranges, gaps: Sequence[Expr]) -> Ranges:
        """The ranges with what linear combinations of facts and definitions add: a contradiction, or signs of these gaps."""
        if ranges.contradiction is not None or len(self.graph.nodes) > multipliers.MAX_ROWS:
            return ranges
        rows = Rows(ranges)
        table = rows.table
        if len(table) > multipliers.MAX_ROWS or len({m for _, row, _ in table for m in row}) > multipliers.MAX_TERMS:
            return ranges
        bare = [(row, relation) for _, row, relation in table]
        found = multipliers.contradiction(bare)
        results: list[tuple[Fact, list[Rational]] | None] = [found]
        for g in gaps if found is None else ():
            row = rows.difference(g, Integer(0))
            results.append(multipliers.sign(bare, g, row) if row else None)
        for result in results:
            if result is not None:
                conclusion, numbers = result
                by = tuple((c, reference) for c, (reference, _, _) in zip(numbers, table, strict=True) if c != 0)
                used = [r for _, r in by if isinstance(r, Found)]
                stated = [conclusion, *(c for k, c in ranges.constraints if any(k == r for _, r in by))]
                rests_on = tuple(dict.fromkeys((*used, *(f for c in stated for f in ranges.reasons(c)))))
                references = dict(ranges.constraints)
                parts = [(c, r.conclusion if isinstance(r, Found) else references[r]) for c, r in by]
                ranges.learn(Found(conclusion, by, rests_on, partial(combines, ranges, conclusion, parts)))
        return ranges

    # ---- guaranteed zero ------------------------------------------------------------------------------------------------

    def by_factors(self, name: str) -> tuple[Region, ...] | None:
        """One region: every path passes a zero factor."""
        region = self.cut(self.whole, (), name, self.zeros)
        return None if region is None else (region,)

    def cut(self, ranges: Ranges, assumed: tuple[Fact, ...], name: str, zeros: frozenset[Edge]) -> Region | None:
        """The first zero factor of every path, if each has one."""
        if not assumed and self.at_jump(ranges, name):
            return None
        first: list[Edge] = []
        seen, stack = {name}, [name]
        while stack:
            x = stack.pop()
            if x == self.of:
                return None
            for u in self.graph.consumers(x):
                if u in self.above and (u, x) in zeros:
                    first.append((u, x))
                elif u in self.above and u not in seen:
                    seen.add(u)
                    stack.append(u)
        edges = tuple(sorted(set(first), key=lambda e: (self.graph.names.index(e[0]), self.graph.names.index(e[1]))))
        needed = [f for u, _ in edges for f in ranges.reasons(Fact(self.graph.node(u).expr, Relation.EQUAL, Integer(0)))]
        kept = ranges.minimal(needed, lambda: all(ranges.partials(u).get(x) == I.ZERO for u, x in edges))
        return self.region(assumed, kept, edges)

    def at_jump(self, ranges: Ranges, name: str) -> bool:
        """Do the facts put the argument of a step or sign on its jump, where nothing has a derivative?"""
        ranges.memo.clear()
        return self.jumps and any(c.fn.name in JUMPS and ranges.forward(gap(c)).sign == 0
                   for n in self.graph.between(name, self.of)[1:] for c in kinked(self.graph.node(n).expr))

    def by_cancelling(self, name: str) -> tuple[Region, ...] | None:
        """One region: the paths without a zero factor add up to zero."""
        self.learned(self.whole, [g for g in self.open_gaps(self.whole) if not isinstance(g, Symbol)])
        self.zeros = self.zero_edges(self.whole)
        region = self.cut(self.whole, (), name, self.zeros) or self.cancelled(self.whole, (), name, self.zeros)
        return None if region is None else (region,)

    def cancelled(self, ranges: Ranges, assumed: tuple[Fact, ...], name: str, zeros: frozenset[Edge]) -> Region | None:
        routes: list[tuple[str, ...]] = []
        for route in self.routes(name, zeros):
            routes.append(route)
            if len(routes) > MAX_ROUTES:
                return None
        if not routes or name == self.of or (not assumed and self.at_jump(ranges, name)) or not cancels(ranges, routes):
            return None
        used = tuple(e for e in sorted(zeros) if self.on_path(name, e))
        needed = [f for n in self.graph.names for f in ranges.log.get(self.graph.symbol(n), ())]
        needed += [f for e, log in ranges.log.items() if not isinstance(e, Symbol) for f in log]

        def goal() -> bool:
            return cancels(ranges, routes) and all(ranges.partials(u).get(x) == I.ZERO for u, x in used)

        return self.region(assumed, ranges.minimal(needed, goal), used, True)

    def on_path(self, name: str, edge: Edge) -> bool:
        return bool(self.graph.between(name, edge[1])) and bool(self.graph.between(edge[0], self.of))

    def routes(self, name: str, zeros: frozenset[Edge]) -> Iterator[tuple[str, ...]]:
        """The paths without a zero factor."""
        reach = {self.of}
        for n in reversed(self.graph.between(name, self.of)):
            if any(u in reach for u in self.graph.consumers(n) if (u, n) not in zeros):
                reach.add(n)
        stack: list[tuple[str, ...]] = [(name,)] if name in reach else []
        while stack:
            path = stack.pop()
            if path[-1] == self.of:
                yield path
            else:
                stack += [(*path, u) for u in reversed(self.graph.consumers(path[-1])) if u in reach and (u, path[-1]) not in zeros]

    def by_splitting(self, name: str) -> tuple[Region, ...] | None:
        """Regions by the signs of the kinks' arguments on the open paths, each with its own reason.

        Where only regions at kinks stay open, `kinks` says which.
        """
        self.kinks.pop(name, None)
        at_kinks: list[tuple[str, str]] = []
        try:
            regions = self.split((), name, at_kinks)
        except _Open:
            return None
        if at_kinks:
            self.kinks[name] = tuple(dict.fromkeys(at_kinks))
            if all(self.ranges(r.assumed).contradiction is not None for r in regions):
                self.forced.add(name)
            return None
        return regions

    def split(self, assumed: tuple[Fact, ...], name: str, at_kinks: list[tuple[str, str]], last: bool = False) -> tuple[Region, ...]:
        """Regions below, at and above 0 of one expression after the other; none after the `last`.

        Raises _Open where a region stays open that lies on no kink.
        """
        self.count = self.count + 1 if assumed else 0
        ranges = self.ranges(assumed)
        solved = self.at_once(ranges, assumed, name)
        if solved is None and assumed and assumed not in self.combined:
            self.combined.add(assumed)
            if self.learned(ranges, ()).contradiction is not None:
                solved = self.contradicted(ranges, assumed)
        if solved is not None:
            return (solved,)
        gaps = [e for e in self.open_gaps(ranges, name) if all(a.left != e for a in assumed)][:MAX_CANDIDATES]
        if not gaps or len(assumed) == MAX_SPLITS or self.count > MAX_REGIONS or last:
            return self.stuck(ranges, name, at_kinks)
        on_path = {gap(c) for n in self.graph.between(name, self.of)[1:] for c in kinked(self.graph.node(n).expr)} if name else set()
        touching = [e for e in gaps if e in on_path and self.touches(ranges, e)]
        if not touching and len(self.names) > MAX_NAMES:
            return self.stuck(ranges, name, at_kinks)
        best = touching[0] if touching else max(gaps, key=lambda e: self.ease(assumed, e, name)) if len(gaps) > 1 else gaps[0]
        return tuple(r for sign in SIGNS for r in self.split((*assumed, Fact(best, sign, Integer(0))), name, at_kinks,
                                                             bool(touching) and sign is Relation.EQUAL))

    def stuck(self, ranges: Ranges, name: str, at_kinks: list[tuple[str, str]]) -> tuple[Region, ...]:
        """A region that stays open: noted if it lies on a kink of the paths.  Raises _Open if not."""
        found = [(f"{gap(c)} = 0", c.fn.name) for n in self.graph.between(name, self.of)[1:] for c in kinked(self.graph.node(n).expr)
                 if ranges.forward(gap(c)).sign == 0] if name else []
        if not found:
            raise _Open
        at_kinks += found
        return ()

    @staticmethod
    def touches(ranges: Ranges, e: Expr) -> bool:
        """Is the sign open only because 0 is not excluded?  Then the kink itself is what is in question."""
        found = ranges.forward(e)
        return found.low == 0 or found.high == 0

    def ease(self, assumed: tuple[Fact, ...], e: Expr, name: str) -> int:
        """How many of the three regions by the sign of e are done at once."""
        tried = [(*assumed, Fact(e, sign, Integer(0))) for sign in SIGNS]
        return sum(self.at_once(self.ranges(a), a, name) is not None for a in tried)

    def at_once(self, ranges: Ranges, assumed: tuple[Fact, ...], name: str) -> Region | None:
        """The region done without a further split: impossible, or (for a name) with a derivative that vanishes."""
        if ranges.contradiction is not None:
            return self.contradicted(ranges, assumed)
        if not name:
            return None
        zeros = self.zero_edges(ranges)
        return self.cut(ranges, assumed, name, zeros) or self.cancelled(ranges, assumed, name, zeros)

    def open_gaps(self, ranges: Ranges, name: str = "") -> list[Expr]:
        """What to split on: factors of products that a fact makes 0, then arguments of kinks whose sign is open, those on the paths first."""
        ranges.memo.clear()
        found: dict[Expr, Expr] = {}

        def add(e: Expr) -> None:
            if not isinstance(e, Rational) and ranges.forward(e).sign is None:
                found.setdefault(primitive(e)[1], e)

        for f in ranges.facts:
            for side, other in ((f.left, f.right), (f.right, f.left)):
                if isinstance(side, Mul) and other == 0 and f.relation is Relation.EQUAL:
                    for a in side.args:
                        add(a)
        nodes = self.graph.between(name, self.of)[1:] if name else ()
        for n in dict.fromkeys((*nodes, *(n for n in self.graph.names if n in self.names))):
            if self.graph.arguments(n):
                for call in kinked(self.graph.node(n).expr):
                    add(gap(call))
        return list(found.values())

    # ---- as data ----------------------------------------------------------------------------------------------------------

    def region(self, assumed: tuple[Fact, ...], kept: Sequence[Found], zeros: tuple[Edge, ...], cancels: bool = False) -> Region:
        """The deductions with references as the checker counts them: facts, assumptions, then deductions."""
        start = len(self.facts) + len(assumed)
        place = {f: start + k for k, f in enumerate(kept)}
        deduced: list[Deduction] = []
        for f in kept:
            if isinstance(f.by, tuple):
                deduced.append(Combined(f.conclusion, tuple((c, place[r] if isinstance(r, Found) else r) for c, r in f.by)))
            else:
                deduced.append(Narrowed(f.conclusion, f.by))
        return Region(assumed, tuple(deduced), zeros, cancels)
