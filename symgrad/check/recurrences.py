"""Verification of the backpropagation equations of a sequence of T steps, for every T.

Why three steps are enough.  The graph of T steps has one definition for all steps, the steps renamed, and what lies outside of the
steps reads the last one or sums a node over all of them (`Sequence.require` sees to it).  What lies outside may
be used by later steps, and the number of steps may be, as any name that all steps share.  The consumers of a node of step t lie at t,
at t + 1, or outside.  So its equation, one pullback for every consumer, is made of definitions of steps t and t + 1 and of which of
their nodes lie on a path to the loss.  Let P_k be these nodes k steps before the last.  P_k follows from P_(k-1) by one rule for all
k >= 1, and `require` finds P_1 = P_2, so P_1 = P_2 = P_3 = ...; nodes that read the step before are in P_0 too iff they are in P_1.
Hence the equation at t < T is, up to the names of the steps, that at the steps 1 and 2 of the graph of three steps, the one at T that
at step 3, a sum over consumers at all steps has the contributions of steps 1, 2 and 3 for terms; and a state before the first step
has the consumers of step 1.  Each instance is verified as an Adjoint of that graph, with all names as free as in any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

from symgrad.check.adjoints import Adjoints
from symgrad.check.meaning import expressions
from symgrad.language import forms as F
from symgrad.language import sequence as Q
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Claim, Line, Recurrence
from symgrad.language.errors import Refused
from symgrad.language.steps import STRENGTH, Verdict
from symgrad.language.vectors import names_in


@dataclass(frozen=True)
class Recurrences:
    """Recurrence claims; the adjoints of the written graph are verified before them."""

    adjoints: Adjoints

    def recurrence(self, c: Recurrence) -> Verdict:
        """The equation at every step it speaks of, as an equation of the graph of three steps."""
        sequence = self.sequence(c)
        self.names(c, sequence)
        settled: dict[str, bool] = {}
        with self.adjoints.knowing(c.of, lambda name: self.settled(c.of, name, sequence, settled)):
            found = self.found(c, sequence)
        worst = max(found, key=lambda x: STRENGTH.index(x.ground))
        method = ("the equation of each step of a graph of three steps, and that of any number of steps is the same but for the names of the steps"
                  if sequence.recurs(self.adjoints.graph) else
                  f"the equation at each {sequence.index} of a graph with {sequence.length} = 3, and that of any other is the same but for the names")
        conditions = tuple(dict.fromkeys(x for verdict in found for x in verdict.conditions))
        return replace(worst, method=f"{method}; {worst.method}", domain=_for_any(sequence.length, worst.domain), conditions=conditions)

    def found(self, c: Recurrence, sequence: Q.Sequence) -> list[Verdict]:
        return self.sum(c, sequence) if c.when == Q.SUM else [
            self.adjoints.adjoint(Adjoint(c.of, sequence.moved_name(c.node, k - Q.ANCHOR[c.when]), sequence.moved(c.expr, k - Q.ANCHOR[c.when]),
                                          sequence.moved(c.lines, k - Q.ANCHOR[c.when]))) for k in Q.STEPS[c.when]]

    def settled(self, of: str, name: str, sequence: Q.Sequence, known: dict[str, bool]) -> bool:
        """May the number that this adjoint is in the graph of three steps be put in?  Only where no other step plays a part in it.

        One that is made of those of later steps may go 1, 2, 4, and meet another by chance; what all steps use may have the adjoint 3
        because there are three.  Of these only the equation is general.
        """
        at = sequence.split(name)
        base = name.removesuffix("_bar") if at is None else at[0]
        if base not in known:
            own = [(base, 0)] if at is None else [(f"{base}_{k}", k) for k in range(1, Q.WRITTEN + 1)]
            above = [(u, k, sequence.split(u)) for n, k in own for u in self.adjoints.consumers(n, of)]
            known[base] = all((there is None or there[1] == k) and self.settled(of, u, sequence, known) for u, k, there in above)
        return known[base]

    def sequence(self, c: Recurrence) -> Q.Sequence:
        sequence, graph = self.adjoints.problem.sequence, self.adjoints.graph
        if sequence is None or c.when not in Q.ANCHOR:
            raise Refused("the problem has no sequence of symbolic length, or no such steps")
        sequence.require(graph, c.of)
        if c.node == sequence.length:
            raise Refused(f"{c.node} is the number of steps, which has no derivative")
        at = sequence.split(c.node)
        if at is None if c.when in (Q.EVERY, Q.EARLIER) else at is not None and c.when != Q.LAST:
            raise Refused(f"{c.node}_bar is not an equation of {c.when}")
        if at is not None and at[1] != Q.ANCHOR[c.when]:
            raise Refused(f"{c.node} is not at the step that stands for {c.when}")
        if (c.rest is not None) != (c.when == Q.SUM):
            raise Refused("a sum over the steps has terms beside it, nothing else has")
        return sequence

    def names(self, c: Recurrence, sequence: Q.Sequence) -> None:
        """Names of the step that the equation is about and of its neighbours, and of no other step."""
        graph, anchor = self.adjoints.graph, Q.ANCHOR[c.when]
        near = {Q.EVERY: (-1, 0), Q.EARLIER: (-1, 0, 1), Q.SUM: (-1, 0), Q.LAST: (-1, 0), Q.FIRST: (0,), Q.ONCE: (0,)}[c.when]
        used = {n for e in (c.expr, *(e for line in c.lines for e in expressions(line.form))) for n in names_in(e)}
        for n in used:
            if (at := sequence.split(n)) and at[1] - anchor not in near:
                raise Refused(f"{c.node}_bar speaks of {n}, which is of another step")
        for n in names_in(c.rest) if c.rest is not None else ():
            if (at := sequence.split(n)) and at[1] != Q.WRITTEN:
                raise Refused(f"{c.node}_bar speaks of {n} beside the sum, which is not of the last step")
        outside = [u for u in self.adjoints.consumers(c.node, c.of) if sequence.split(u) is None]
        if sequence.split(c.node) is None:
            where = {at[1] for u in self.adjoints.consumers(c.node, c.of) if (at := sequence.split(u))}
            if where - ({1, 2, 3} if c.when == Q.SUM else {anchor} if c.when in (Q.LAST, Q.FIRST) else set()):
                raise Refused(f"{c.node} is used by other steps than {c.when}")
            if c.when == Q.FIRST and (outside or not all(self.before(u, c.node, sequence) for u in graph.consumers(c.node))):
                raise Refused(f"{c.node} is not only the state before the first step")

    def before(self, u: str, node: str, sequence: Q.Sequence) -> bool:
        """Does u use the node as the state before the first step, and not as a parameter of every step?"""
        return node not in self.adjoints.graph.arguments(sequence.moved_name(u, 1))

    def sum(self, c: Recurrence, sequence: Q.Sequence) -> list[Verdict]:
        """p_bar = rest + sum over t of expr: at each step the contribution of its consumers, and all together the adjoint."""
        assert c.rest is not None
        adjoints, consumers = self.adjoints, self.adjoints.consumers(c.node, c.of)
        shape = adjoints.graph.shape(c.node)
        terms = []
        for k in Q.STEPS[Q.SUM]:
            own = [u for u in consumers if (at := sequence.split(u)) and at[1] == k]
            lines = tuple(line.form for line in sequence.moved(c.lines, k - 2))
            expr = sequence.moved(c.expr, k - 2)
            wanted = [F.Pullback(u, c.node) for u in own]
            if not own or not lines or lines[0] != (wanted[0] if len(wanted) == 1 else F.Sum(tuple(wanted))):
                raise Refused(f"{c.node}_bar: the first line is not what step {k} contributes")
            forms = (*lines, F.Just(expr))
            adjoints.well_formed(c.of, [e for f in forms for e in expressions(f)], f"{c.node}_bar")
            shown = {n for f in forms for e in expressions(f) for n in names_in(e)}
            adjoints.first_chain({adjoints.graph.symbol(u): adjoints.graph.node(u).expr for u in reversed(own) if u in shown}, forms, c.of, shape,
                                 f"{c.node}_bar", shown)
            terms.append(expr)
        outside = [u for u in consumers if sequence.split(u) is None]
        if not outside and c.rest != 0:
            raise Refused(f"nothing outside of the steps uses {c.node}")
        if outside:
            terms.append(c.rest)
        first = Line(F.Sum(tuple(F.Pullback(u, c.node) for u in consumers)))
        return [adjoints.adjoint(Adjoint(c.of, c.node, reduce(v.add, terms), (first,)))]


def _for_any(length: str, domain: str) -> str:
    """for all K: for all T, K; for all values: for all T and all values."""
    rest = domain.removeprefix("for all ")
    if rest == domain:
        return f"for all {length}, {domain}"
    return f"for all {length} and all {rest}" if rest.startswith(("sizes", "values")) else f"for all {length}, {rest}"


def general(sequence: Q.Sequence, claims: Iterable[Claim]) -> set[tuple[str, str]]:
    """(of, name) of every adjoint that is there at all steps, for every length; h_2 stands for h."""
    found = {(c.of, c.node, c.when) for c in claims if isinstance(c, Recurrence)}
    return {(of, n) for of, n, when in found
            if sequence.split(n) is None or when == Q.EVERY or when == Q.EARLIER and (of, sequence.moved_name(n, 1), Q.LAST) in found}


__all__ = ["Recurrences", "general"]
