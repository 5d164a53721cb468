"""Verification that a second network computes the function of the first: relation, parameters, one definition after the other.

Nothing is taken from the derivation but what the claims state: the template is read from the problem, its definitions are put
together here, and the output of the second network must come out as the output of the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from sympy import Expr, Pow

from symgrad.check.equality import Equality
from symgrad.check.scalars import Scalars
from symgrad.language import forms as F
from symgrad.language.claims import ARGUMENT, ActivationRelation, Image, Parameter, Rewritten, SameFunction
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.graph import Node
from symgrad.language.problem import FindParameters, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import Elementwise, Power, dimensions_in, names_in, say_shape, shape_of


@dataclass
class Networks:
    """Claims about the find_parameters parts of one problem; each may use what was verified before it."""

    problem: Problem
    scalars: Scalars
    equalities: dict[str, Equality] = field(default_factory=dict)
    parameters: dict[str, dict[str, Expr]] = field(default_factory=dict)
    images: dict[str, dict[str, Expr]] = field(default_factory=dict)
    lines: dict[tuple[str, Expr], list[Expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dimensions = self.problem.graph.dimensions
        self.equalities[""] = Equality(self.problem.graph, self.problem.conventions)

    def ask(self, part: str) -> FindParameters:
        found = next((p.ask for p in self.problem.parts if p.label == part), None)
        if not isinstance(found, FindParameters):
            raise Refused(f"the problem has no part {part} that asks for parameters")
        return found

    def equality(self, part: str) -> Equality:
        """With the matrices that the part declares to be permutations, or whose stated numbers say so; the same for signs."""
        if part not in self.equalities:
            ask = self.ask(part)
            stated = {g.name: g.entries for g in self.problem.values if g.digits is None}
            permutations = {n for n, rows in stated.items() if len(rows) > 1 and all(
                sorted(r) == [0] * (len(rows) - 1) + [1] for r in (*rows, *zip(*rows, strict=True)))}
            signs = {n for n, rows in stated.items() if len(rows) > 1 and all(len(r) == 1 and abs(r[0]) == 1 for r in rows)}
            for n in ask.permutations:
                if n in stated and n not in permutations:
                    raise Refused(f"the numbers of {n} are not those of a permutation matrix")
            for n in ask.signs:
                if n in stated and n not in signs:
                    raise Refused(f"the numbers of {n} are not 1 and -1")
            self.equalities[part] = Equality(
                self.problem.graph, self.problem.conventions, self.problem.values, frozenset(permutations) | set(ask.permutations),
                frozenset(signs) | set(ask.signs))
        return self.equalities[part]

    # ---- claims --------------------------------------------------------------------------------------------------

    def relation(self, c: ActivationRelation) -> Verdict:
        """One real variable, every line the same function of it."""
        lines = [self.scalars.meaning(line.form) for line in c.lines]
        if any(set(names_in(e)) - {ARGUMENT.name} for e in lines):
            raise Refused("a relation between activations has no other variable than its argument")
        for k, (a, b) in enumerate(pairwise(lines), 2):
            self.equality("").identical(a, b, f"line {k} of the relation between the activations")
        return Verdict(Ground.PROVED, "every line compared in normal form, kinks split by sign", "for every real argument")

    def rewritten(self, c: Rewritten) -> Verdict:
        """Each line equals the one before; with indices, it is the entry of a line that was shown in matrix form, or equals the one before."""
        equality, shape = self.equality(c.part), shape_of(c.left)
        lines = [c.left, *(expression(line.form) for line in c.lines)]
        known = self.lines.get((c.part, c.left), []) if c.indices else []
        how = ""
        for k, (a, b) in enumerate(pairwise(lines), 1):
            equality.require_sense(a, b, shape, f"line {k} of the equation for {c.left}", c.indices)
            shown = next((s for e in known if (s := equality.proved(e, b, shape, c.indices, False))), None)
            if shown is None and a != b:
                shown = equality.equal(a, b, shape, f"line {k} of the equation for {c.left}", c.indices)
            how = shown or how
        name = getattr(c.left, "name", "")
        above = name in equality.rank and all(equality.rank.get(n, -1) < equality.rank[name] for n in names_in(lines[-1]))
        if not c.indices:
            self.lines[c.part, c.left] = lines
            if above or isinstance(c.left, Elementwise):
                equality.rewrites[c.left] = lines[-1]
        return self.proved(f"each line {how}" if how else "the same expression", lines)

    def parameter(self, c: Parameter) -> Verdict:
        """An expression in what does not depend on the input, of the right shape; that it serves is claimed by SameFunction."""
        ask, graph = self.ask(c.part), self.problem.graph
        inputs = {x.name for x in graph.variables if x.role == "input"}
        if c.name not in ask.unknowns:
            raise Refused(f"{c.name} is no unknown of part {c.part}")
        for n in names_in(c.expr):
            if n not in graph or graph.ancestors(n) & inputs:
                raise Refused(f"{c.name} must not depend on the input; {n} does")
        wanted = ask.template.shape(c.name)
        if shape_of(c.expr) != wanted:
            raise Refused(f"{c.name} is {say_shape(wanted)}, the expression is {say_shape(shape_of(c.expr))}")
        if c.name in dict(ask.fixed) and dict(ask.fixed)[c.name] != c.expr:
            raise Refused(f"the problem prescribes another {c.name}")
        known = self.parameters.setdefault(c.part, {})
        if known.setdefault(c.name, c.expr) != c.expr:
            raise Refused(f"two different expressions are claimed for {c.name}")
        how = self.equality(c.part).equal(c.expr, c.entry, wanted, f"the entry of {c.name}", c.indices)
        return self.proved("of the right shape and free of the input" + (f"; its entry {how}" if c.indices else ""), [c.expr])

    def image(self, c: Image) -> Verdict:
        ask = self.ask(c.part)
        expr = self.put_in(c.part, c.node)
        lines = [expr, *(expression(line.form) for line in c.lines)]
        what = f"{c.node} of the second network with its parameters put in"
        how = [self.equality(c.part).equal(a, b, ask.template.shape(c.node), what) for a, b in pairwise(lines) if a != b]
        self.images.setdefault(c.part, {})[c.node] = lines[-1]
        return self.proved(f"the definition with parameters and arguments put in, {how[-1]}" if how else "the definition put in", lines)

    def put_in(self, part: str, node: str) -> Expr:
        """The definition of a node of the template, its unknowns and its arguments replaced by what was established for them."""
        ask, table = self.ask(part), {}
        if node not in {n.name for n in ask.template.nodes}:
            raise Refused(f"the second network defines no {node}")
        definition = ask.template.node(node).expr
        for n in names_in(definition):
            if isinstance(ask.template[n], Node):
                found = self.images.get(part, {}).get(n)
            elif n in ask.unknowns:
                found = self.parameters.get(part, {}).get(n)
            else:
                continue  # a variable of the first network
            if found is None:
                raise Refused(f"{node} uses {n}, for which nothing was established")
            table[ask.template.symbol(n)] = found
        return definition.xreplace(table)

    def same_function(self, c: SameFunction) -> Verdict:
        ask, known = self.ask(c.part), self.parameters.get(c.part, {})
        if c.of != ask.of:
            raise Refused(f"the part asks for {ask.of}, not for {c.of}")
        if set(dict(c.parameters)) != set(ask.unknowns):
            raise Refused("not every unknown has its parameter")
        for name, e in c.parameters:
            if known.get(name) != e:
                raise Refused(f"{name} = {e} was not established")
        output = self.images.get(c.part, {}).get(ask.output)
        if output is None:
            raise Refused(f"the output {ask.output} of the second network was not followed")
        symbol = self.problem.graph.symbol(ask.of)
        how = "" if output == symbol else ", " + self.equality(c.part).equal(output, symbol, shape_of(symbol), f"the output {ask.output}")
        method = f"definition by definition, the output of the second network is that of the first{how}"
        return self.proved(method, [symbol, *dict(c.parameters).values()], (
            *(f"every permutation matrix {n}" for n in ask.permutations), *(f"all signs {n}" for n in ask.signs),
            *(("all parameters for which the divisions in the answer can be done",) if any(map(divides, dict(c.parameters).values())) else ())))

    def proved(self, method: str, of: list[Expr], also: tuple[str, ...] = ()) -> Verdict:
        named = {d for e in of for d in dimensions_in(e)}
        sizes = ", ".join(str(d) for d in self.dimensions if d in named)
        every = ("for every input", *((f"all {sizes}",) if sizes else ()), *also)
        return Verdict(Ground.PROVED, method, " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every))


def divides(e: Expr) -> bool:
    return any(x.args[1].is_negative for x in e.atoms(Pow, Power))


def expression(form: F.Form) -> Expr:
    if not isinstance(form, F.Just):
        raise Unsupported(f"the checker reads expressions here, not {type(form).__name__}")
    return form.expr
