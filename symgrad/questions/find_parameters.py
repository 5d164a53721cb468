"""ask = "find_parameters": the parameters of a second network that computes the same function, derived and proved.

The relation of the activations, put into the first network, multiplied out and collected, read off against the second; then the
second network with its parameters put in, one definition after the other, up to the same output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce

from sympy import Add, Expr, Integer, MatAdd

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import ARGUMENT, ActivationRelation, Beside, Image, Line, NoParameters, Parameter, Rewritten, SameFunction
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Fn
from symgrad.language.graph import Variable
from symgrad.language.problem import FindParameters, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.questions.matching import Layer, Matcher, Replacement, Solution, is_zero
from symgrad.rules.affine import Linear, collected, distributed, substituted
from symgrad.rules.entrywise import definition, two_class_lines
from symgrad.rules.indexform import IndexForm
from symgrad.rules.relation import at, relation_lines
from symgrad.solvers.relations import IDENTITY, combinations
from symgrad.solvers.separation import separation

POINTS, DIGITS = 5, 30
AT_ONCE, MOST_NUMBERS = 1500, 20_000  # numbers evaluated beside the proof, over all points and at one


def derive_find_parameters(problem: Problem, part: str, ask: FindParameters) -> Derivation:
    """Raises Unsupported, with what was tried, where no parameters are found and none are shown not to exist."""
    matcher = Matcher(problem, ask)
    solution = matcher.solve()
    if solution is None:
        return _none(problem, part, ask, matcher)
    return _Writer(problem, part, ask, matcher, solution).derivation()


def _none(problem: Problem, part: str, ask: FindParameters, matcher: Matcher) -> Derivation:
    """No parameters: shown at points that none can serve, or not known."""
    found = separation(problem, ask, matcher.permutations, matcher.signs)
    if found is None:
        reasons = "; ".join(list(matcher.reasons)[:4]) or "the two networks were not matched"
        raise Unsupported(f"no parameters were found, and none were shown not to exist.  What stands in the way: {reasons}")
    points, multipliers = found
    free = [n for n in ask.unknowns if n not in dict(ask.fixed)]
    words = f"whatever {' and '.join(free)} are" if free else "with the parameters given"
    step = Step(NoParameters(part, points, multipliers), "points that no parameters serve",
                (f"No parameters make the networks equal: {words}, the second network differs from the first at one of these points.",), (), "none")
    return Derivation(part, _extended(problem, ask), (step,), (), (), ())


def _extended(problem: Problem, ask: FindParameters):  # type: ignore[no-untyped-def]
    """The first graph with the unknowns, and the letter of the argument of a relation, for what is displayed."""
    unknowns = [x for x in ask.template.variables if x.name in ask.unknowns]
    return problem.graph.extended((), (*unknowns, Variable(ARGUMENT.name, v.SCALAR, "given", _letter(problem, ask))))


def _letter(problem: Problem, ask: FindParameters) -> str:
    """What the argument of a relation is called: a letter that neither network uses."""
    return next((c for c in "utsqrac" if c not in problem.graph and c not in ask.template), "u")


@dataclass
class _Writer:
    """The steps of one solution."""

    problem: Problem
    part: str
    ask: FindParameters
    matcher: Matcher
    solution: Solution
    steps: list[Step] = field(default_factory=list)
    relations: dict[object, Step] = field(default_factory=dict)
    rewritten: dict[Expr, Step] = field(default_factory=dict)
    chains: dict[Expr, list[Step]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph, self.template = self.problem.graph, self.ask.template
        self.form = IndexForm(self.graph)
        self.matrices = any(x.shape != v.SCALAR for x in self.graph.all)

    def derivation(self) -> Derivation:
        for layer in self.solution.layers:
            self.layer(layer)
        parameters = [self.parameter(n) for n in self.ask.unknowns]
        images = self.images(parameters)
        known = tuple(self.solution.parameters.items())
        same = Step(SameFunction(self.part, self.ask.of, known), "definition by definition",
                    ("The two networks compute the same function",), (*parameters, *images[-1:]), "same function")
        self.steps += [*parameters, *images, same]
        self.beside()
        self.other_solutions()
        return Derivation(self.part, _extended(self.problem, self.ask), tuple(self.steps), tuple(self.answers()), (), tuple(self.notes()))

    # ---- the first network rewritten -------------------------------------------------------------------------------

    def layer(self, layer: Layer) -> None:
        """The relations of its activations, then the layer with these put in, multiplied out and collected."""
        below = [s for r in layer.replacements if not r.is_trivial(self.graph) for s in self.replacement(r)]
        linear = self.matcher.kept[layer.kept]
        lines = self.lines(layer, linear)
        if len(lines) < 2 or any(r.atom == layer.target for r in layer.replacements):
            self.chains[layer.template] = below
            return
        turned = any(r.turn is not None for r in layer.replacements) or self.turned(layer.target)
        under: tuple[Step, ...] = ()
        for form, indices in self.forms(v.shape_of(layer.target), turned):
            shown = _distinct(layer.target, [(form(e), why) for e, why in lines], form)
            if shown:
                words = "Put this in, multiply out, collect: " if below else "Multiply out and collect: "
                step = Step(Rewritten(self.part, layer.target, shown, indices), "substitution and distribution",
                            ("Entry by entry: " if indices else words, F.Just(form(layer.target))), (*below, *under))
                if self.beneath(indices, v.shape_of(layer.target), turned):
                    under = (step,)
                    continue
                self.chains.setdefault(layer.template, []).append(step)
                self.steps.append(step)

    def lines(self, layer: Layer, linear: Linear) -> list[tuple[Expr, F.Prose]]:
        """definition, activations replaced, one term each, collected."""
        inlined = linear.inlined(layer.target)
        put_in = {r.atom: r.expr for r in layer.replacements if not r.is_trivial(self.graph)}
        found: list[tuple[Expr, F.Prose]] = [(inlined, ("by definition",))]
        replaced = substituted(inlined, put_in) if put_in else inlined
        if put_in:
            found.append((replaced, ("the activations replaced",)))
        shape = v.shape_of(layer.target)
        affine = linear.of(replaced)
        found.append((_total(distributed(affine)), ("multiplied out",)))
        together = collected(affine, shape)
        constant = [c for c in together.constants if not is_zero(c)]
        found.append((_grouped([t.value for t in together.terms], constant), ("collected",)))
        return found

    def replacement(self, r: Replacement) -> Iterator[Step]:
        """h = sigma(z) = 1/2 tanh(1/2 z) + 1/2, resting on the relation for a real argument."""
        if r.atom in self.rewritten:
            yield self.rewritten[r.atom]
            return
        relation = self.relation(r)
        lines: list[tuple[Expr, F.Prose]] = [(definition(r.atom, self.graph), ("by definition",))]
        lines += [(e, ()) for e in (*two_class_lines(r.atom, self.graph), r.view.at(r.view.argument))]
        lines.append((r.expr, ("a permutation of the entries commutes with the function",) if r.turn is not None else ()))
        last: Step | None = None
        under: tuple[Step, ...] = ()
        shape, turned = v.shape_of(r.atom), r.turn is not None or v.is_scalar(r.atom)
        for form, indices in self.forms(shape, turned):
            shown = _distinct(r.atom, [(form(e), why) for e, why in lines], form)
            words = "Entry by entry: " if indices and last else "Put the relation into " if relation else "Rewrite "
            step = Step(Rewritten(self.part, r.atom, shown, indices), "relation between activations", (words, F.Just(form(r.atom))),
                        (*((relation,) if relation else ()), *under))
            if self.beneath(indices, shape, turned):
                under = (step,)
                continue
            last = step
            self.steps.append(last)
            yield last
            self.rewritten.setdefault(r.atom, last)

    def relation(self, r: Replacement) -> Step | None:
        if not r.view.function.has(ARGUMENT) or (r.combination == IDENTITY and r.view.function == r.units[0].view.function):
            return None
        key = (r.view.function, r.combination, tuple(u.view.function for u in r.units))
        if key not in self.relations:
            step = self.relation_step(*key, ("The relation between the activations",))
            self.steps.append(step)
            self.relations[key] = step
        return self.relations[key]

    def relation_step(self, f: Expr, c, gs: tuple[Expr, ...], because: F.Prose, label: str = "relation") -> Step:  # type: ignore[no-untyped-def]
        terms = [(k, at(g, a, b)) for (k, a, b), g in zip(c.terms, gs, strict=True)]
        lines = relation_lines(f, terms, c.slope, c.shift, _letter(self.problem, self.ask))
        return Step(ActivationRelation(lines), "relation between activations", because, (), label)

    def turned(self, e: Expr) -> bool:
        return any(n in self.matcher.permutations for n in v.names_in(e))

    def beneath(self, indices: tuple[Expr, ...], shape: v.Shape, turned: bool) -> bool:
        """Is this the matrix form where only entries are asked for?  Then it stands below them: they are its entries."""
        return not indices and not self.ask.matrix and self.matrices and not turned and shape != v.SCALAR

    def forms(self, shape: v.Shape, turned: bool = False) -> Iterator[tuple[Callable[[Expr], Expr], tuple[Expr, ...]]]:
        """Matrix form, then entries where the problem asks for them; scalars are one and the same, permutations stay matrices."""
        if self.ask.matrix or not self.matrices or turned or shape != v.SCALAR:
            yield (lambda e: e), ()
        if self.ask.index and self.matrices and not turned:
            free = self.form.free(shape)
            yield (lambda e: self.form.of(e, free)), free

    # ---- the parameters ---------------------------------------------------------------------------------------------

    def parameter(self, name: str) -> Step:
        e, symbol = self.solution.parameters[name], self.template.symbol(name)
        free = self.form.free(symbol.shape if not v.is_scalar(symbol) else v.SCALAR)
        entry = self.form.of(e, free)
        because, below = self.read_off(name, symbol)
        return Step(Parameter(self.part, name, e, free, entry), "comparison of coefficients", because, below, name)

    def read_off(self, name: str, symbol: Expr) -> tuple[F.Prose, tuple[Step, ...]]:
        """Where a parameter was read off."""
        if name in dict(self.ask.fixed):
            return ("Prescribed: ", F.Just(symbol)), ()
        if name in self.solution.free:
            return ("Free to choose: ", F.Just(symbol)), ()
        for layer in self.solution.layers:
            for q in layer.equations:
                if name in v.names_in(q.left):
                    of: F.Prose = ("the coefficient of ", F.Just(self.shown(layer, q.of))) if q.of is not None else ("the constant",)
                    return ("Read off ", F.Just(symbol), ": ", *of, " in ", F.Just(layer.target)), tuple(self.chains.get(layer.template, ()))
        return ("Read off ", F.Just(symbol)), ()

    def shown(self, layer: Layer, atom: Expr) -> Expr:
        """What takes the place of an activation of the second network in the first."""
        return next((u.view.at(u.target) for r in layer.replacements for u in r.units if u.atom == atom), atom)

    def images(self, parameters: list[Step]) -> list[Step]:
        """Every node of the second network with its parameters put in, from the inputs up."""
        table = {self.template.symbol(n): e for n, e in self.solution.parameters.items()}
        targets = {u.atom: u.view.at(u.target) for layer in self.solution.layers for r in layer.replacements for u in r.units}
        targets |= {layer.template: layer.target for layer in self.solution.layers}
        needed, steps = self.template.ancestors(self.ask.output), []
        for node in self.template.nodes:
            if node.name not in needed:
                continue
            first = substituted(node.expr, table)
            lines = [first, *([targets[node.symbol]] if node.symbol in targets and targets[node.symbol] != first else [])]
            table[node.symbol] = lines[-1]
            steps.append(Step(Image(self.part, node.name, tuple(Line(F.Just(e)) for e in lines)), "definition with the parameters put in",
                              ("Put the parameters in",), tuple(parameters), f"{node.name} of the second network"))
        return steps

    def answers(self) -> Iterator[Answer]:
        for name, e in self.solution.parameters.items():
            symbol = self.template.symbol(name)
            free = self.form.free(v.shape_of(symbol))
            yield Answer(name, F.Just(symbol), F.Just(e))
            if free and self.ask.index:
                entry = v.Entry(symbol, *(free if symbol.shape[1] != 1 else (*free, Integer(1))))
                yield Answer(f"{name}_{''.join(map(str, free))}", F.Just(entry), F.Just(self.form.of(e, free)))

    # ---- beside the proof -------------------------------------------------------------------------------------------

    def beside(self) -> None:
        """The two networks evaluated at rational points, where the widths are numbers."""
        sizes = {**dict(self.problem.sizes), **dict(self.ask.sizes)}
        stated = tuple((str(d), sizes[str(d)]) for d in self.graph.dimensions if str(d) in sizes)
        if len(stated) < len(self.graph.dimensions) or self.unknown_functions():
            return
        numbers = sum(int(a) * int(b) for x in (*self.graph.variables, *self.template.variables)
                      for a, b in [tuple(sizes.get(str(s), s) for s in x.shape)])
        if numbers <= MOST_NUMBERS:
            claim = Beside(self.part, stated, max(1, min(POINTS, AT_ONCE // numbers)), DIGITS)
            because = ("Both networks side by side, as a test beside the proof",)
            self.steps.append(Step(claim, "evaluation", because, tuple(self.steps[-1:]), "side by side"))

    def unknown_functions(self) -> bool:
        return any(not f.known for f in (*self.graph.functions, *self.template.functions))

    def other_solutions(self) -> None:
        """A relation of an activation of the second network with itself gives other parameters."""
        done: set[Expr] = set()
        for layer in self.solution.layers:
            for r in layer.replacements:
                for u in r.units:
                    g = u.view.function
                    outer = [q.left for q in layer.equations if q.of == u.atom]
                    everywhere = not any(fn.name in ("log", "sqrt") for fn in g.atoms(Fn))  # defined for every real argument
                    if g in done or not everywhere or not g.has(ARGUMENT) or not all(map(self.adjustable, (*outer, u.view.argument))):
                        continue
                    done.add(g)
                    other = next((c for c in combinations(g, (g,)) if c != IDENTITY and c.slope == 0), None)
                    if other is not None and not self.ask.fixed:
                        because = ("One solution of several: a unit of the second network may also be written this way, and units reordered",)
                        self.steps.append(self.relation_step(g, other, (g,), because, "others"))

    def adjustable(self, e: Expr) -> bool:
        """Is an unknown in e, or in a node that e uses?"""
        return any(n in self.ask.unknowns for name in v.names_in(e) if name in self.template for n in self.template.ancestors(name))

    def notes(self) -> Iterator[F.Prose]:
        if self.solution.free:
            yield (f"Free to choose: {', '.join(self.solution.free)}; the simplest value is taken, others serve as well.",)


def _distinct(left: Expr, lines: list[tuple[Expr, F.Prose]], form: Callable[[Expr], Expr]) -> tuple[Line, ...]:
    """Lines that differ from the one before."""
    found: list[Line] = []
    before = form(left)
    for e, why in lines:
        if e != before:
            found.append(Line(F.Just(e), why))
        before = e
    return tuple(found)


def _total(terms: tuple[Expr, ...]) -> Expr:
    return reduce(v.add, terms) if terms else Integer(0)


def _grouped(terms: list[Expr], constants: list[Expr]) -> Expr:
    """The terms, then the constant in parentheses where it is a sum."""
    parts = (*terms, *constants)
    if len(parts) == 1:
        return parts[0]
    if v.is_scalar(parts[0]):
        return Add._from_args(parts)
    return MatAdd(*parts)

