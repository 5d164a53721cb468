"""Verification by values: both networks beside each other at rational points, and points that no parameters can serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpmath import iv
from sympy import Expr, Integer

from symgrad.check.abstraction import leaves_of
from symgrad.check.equality import Values, flat
from symgrad.check.errors import NO_VALUE, Undecided
from symgrad.check.explicit import Explicit
from symgrad.check.networks import Networks
from symgrad.check.normal import branches
from symgrad.language.claims import Beside, NoParameters, Witness
from symgrad.language.errors import Refused
from symgrad.language.graph import Graph
from symgrad.language.problem import FindParameters
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import names_in, say_shape

MAX_POINTS, MAX_NUMBERS, MAX_SIZE = 20, 20_000, 20
Sizes = dict[Expr, int]


@dataclass
class Outputs:
    """Claims about values; the parameters are those that were verified before."""

    networks: Networks

    def beside(self, c: Beside) -> Verdict:
        """Both networks at rational points, one definition after the other, in intervals."""
        ask, equality = self.networks.ask(c.part), self.networks.equality(c.part)
        sizes = self.sizes(c.sizes)
        numbers = sum(int(sizes.get(a, a) * sizes.get(b, b)) for x in (*equality.graph.variables, *ask.template.variables) for a, b in [x.shape])
        if not 0 < c.points <= MAX_POINTS or numbers > MAX_NUMBERS or not 0 <= c.digits <= 40:
            raise Refused(f"at most {MAX_POINTS} points, {MAX_NUMBERS} numbers and 40 digits")
        worst, done, seed = iv.mpf(0).b, 0, 0
        while done < c.points:
            seed += 1
            if seed > 4 * c.points + 8:
                raise Undecided("too few points at which both networks have a value")
            try:
                gaps = self.gaps(ask, c.part, sizes, equality.point(sizes, seed))
            except NO_VALUE:
                continue
            if any(g.a > 0 for g in gaps):
                raise Refused(f"the outputs differ by {float(max(g.a for g in gaps)):.3g} at a rational point")
            worst, done = max(worst, *(g.b for g in gaps)), done + 1
        if worst > iv.mpf(10) ** -c.digits:
            raise Undecided(f"the outputs agree to within {float(worst):.1e} only")
        apart = f"differ by at most {float(worst):.1e}" if float(worst) else "are equal"
        at = ", ".join(f"{d} = {n}" for d, n in sizes.items())
        return Verdict(Ground.TESTED, f"both networks evaluated there with error bounds; their outputs {apart}",
                       f"at {c.points} random rational points" + (f" with {at}" if at else ""))

    def gaps(self, ask: FindParameters, part: str, sizes: Sizes, point: Values) -> list[Any]:
        """|second - first| of every output, as intervals."""
        equality, ex = self.networks.equality(part), Explicit(sizes)
        parameters = self.networks.parameters.get(part, {})
        first = equality.evaluated(equality.graph, sizes, point, {ask.of, *(n for e in parameters.values() for n in names_in(e))})
        known = {leaf: equality.value(x, first) for name, e in parameters.items()
                 for leaf, x in zip(flat(ex.rows(ask.template.symbol(name))), flat(ex.rows(e)), strict=True)}
        second = equality.evaluated(ask.template, sizes, point | known, {ask.output})
        outputs = zip(flat(ex.rows(equality.graph.symbol(ask.of))), flat(ex.rows(ask.template.symbol(ask.output))), strict=True)
        return [abs(first[a] - second[b]) for a, b in outputs]

    def no_parameters(self, c: NoParameters) -> Verdict:
        """sum_i m_i (second - first) at the points does not depend on the unknowns, and is not zero."""
        ask, equality = self.networks.ask(c.part), self.networks.equality(c.part)
        graph = equality.graph
        if not 0 < len(c.points) <= MAX_POINTS or len(c.points) != len(c.multipliers):
            raise Refused(f"from 1 to {MAX_POINTS} points are needed, each with its multiplier")
        sizes = self.sizes(c.points[0].sizes)
        inputs = {x.name for x in graph.variables if x.role == "input"}
        if any(w.sizes != c.points[0].sizes or w.entry != c.points[0].entry
               or [p for p in w.values if p[0] not in inputs] != [p for p in c.points[0].values if p[0] not in inputs] for w in c.points):
            raise Refused("the points may differ in the inputs only")
        i, j = c.points[0].entry
        total, shown = Integer(0), []
        for w, m in zip(c.points, c.multipliers, strict=True):
            point, ex = self.point(w, sizes, c.part), Explicit(sizes)
            fixed = {leaf: x.xreplace(point) for name, e in ask.fixed
                     for leaf, x in zip(flat(ex.rows(ask.template.symbol(name))), flat(ex.rows(e)), strict=True)}
            first = written(graph, ask.of, sizes, point)[i - 1][j - 1]
            shown.append(f"{float(equality.value(first, {}).mid.a):.6g}")
            total += m * (written(ask.template, ask.output, sizes, point | fixed)[i - 1][j - 1] - first)
        constant = total.xreplace(dict.fromkeys(leaves_of(total), Integer(0)))
        conventions = self.networks.problem.conventions
        if not all(zero for zero, _ in branches(total - constant, conventions.relu_at_zero, conventions.step_at_zero)):
            raise Undecided("the combination of outputs still depends on the unknowns")
        value = equality.value(constant, {})
        if value.a <= 0 <= value.b:
            raise Refused("the combination of outputs may be zero: nothing speaks against parameters")
        said = "" if not leaves_of(total) and len(shown) == 1 else "the unknowns drop out of the sum; "
        return Verdict(Ground.PROVED, f"evaluated exactly, the first network gives {', '.join(shown)}; {said}the second misses it by "
                       f"{float(value.mid.a):.6g}", "at the listed points")

    def sizes(self, stated: tuple[tuple[str, int], ...]) -> Sizes:
        dimensions = self.networks.problem.graph.dimensions
        if {str(d) for d in dimensions} - set(dict(stated)) or any(n < 1 for _, n in stated):
            raise Refused(f"a size is needed for each of {', '.join(map(str, dimensions))}")
        return {d: dict(stated)[str(d)] for d in dimensions}

    def point(self, w: Witness, sizes: Sizes, part: str) -> Values:
        """The stated values of all variables that matter, of the right shapes, and such as the problem gives them."""
        equality, ex, values = self.networks.equality(part), Explicit(sizes), {}
        meant = equality.point(sizes, 0)  # right in what the problem fixes
        stated = {g.name for g in equality.given if g.digits is None}
        ask, graph = self.networks.ask(part), equality.graph
        needed = graph.ancestors(ask.of) | ask.template.ancestors(ask.output) | {n for _, e in ask.fixed for n in names_in(e)}
        for x in (x for x in graph.variables if x.name in needed):
            numbers = dict(w.values).get(x.name, ())
            if any(ex.size(d) > MAX_SIZE for d in x.shape):
                raise Refused(f"{x.name} is {say_shape(x.shape)}, and at a point sizes are at most {MAX_SIZE}")
            found = ex.values(x.symbol, numbers)
            if x.name in stated and any(meant[leaf] != n for leaf, n in found.items()):
                raise Refused(f"the problem states other numbers for {x.name}")
            if x.name in equality.permutations and any(sorted(r) != [0] * (len(r) - 1) + [1] for r in (*numbers, *zip(*numbers, strict=True))):
                raise Refused(f"{x.name} is no permutation matrix at the point")
            if x.name in equality.signs and any(abs(n) != 1 for n in found.values()):
                raise Refused(f"the entries of {x.name} are not 1 and -1 at the point")
            values.update(found)
        return values


def written(graph: Graph, of: str, sizes: Sizes, known: Values) -> tuple[tuple[Expr, ...], ...]:
    """All entries of a node as expressions in what is not known, one definition put into the next."""
    values, ex = dict(known), Explicit(sizes)
    needed = graph.ancestors(of)
    for node in graph.nodes:
        if node.name in needed:
            rows = tuple(tuple(e.xreplace(values) for e in row) for row in ex.rows(node.expr))
            values |= dict(zip(flat(ex.rows(node.symbol)), flat(rows), strict=True))
    return tuple(tuple(values[leaf] for leaf in row) for row in ex.rows(graph.symbol(of)))
