"""Two let-lists made equal: from the output downwards, layer by layer, a search over which unit takes the place of which.

At each pair of layers both sides are affine in activations.  Each activation of the first network is written by those of the
second, which fixes the arguments that they must have and turns coefficients and constants into linear equations in the unknowns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import permutations, product

from sympy import Expr, Identity, Integer, MatMul, OneMatrix, ZeroMatrix

from symgrad.language import vectors as v
from symgrad.language.claims import ARGUMENT
from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.graph import Graph
from symgrad.language.problem import FindParameters, Problem
from symgrad.rules.affine import Affine, Linear, Term, addends, by, collected, gathered, joined, scaled, substituted
from symgrad.rules.entrywise import View, definition, views
from symgrad.rules.isolate import isolated, occurrences
from symgrad.solvers.relations import Combination, combinations, tried
from symgrad.solvers.witness import witness

MOST_STATES = 5000
LARGEST_GROUP = 2  # units of the second network that together replace one of the first


@dataclass(frozen=True, slots=True)
class Unit:
    """An activation of the second network and the argument, in names of the first, that it must get."""

    atom: Expr
    view: View
    target: Expr


@dataclass(frozen=True, slots=True)
class Replacement:
    """One activation (or linear quantity) of the first network written by units of the second; `turn` is a P or diag(s) in between."""

    atom: Expr
    view: View
    combination: Combination
    units: tuple[Unit, ...]
    turn: Expr | None = None

    @property
    def expr(self) -> Expr:
        """c_1 g_1(a_1 u + b_1) + ... + e u + d."""
        shape = v.shape_of(self.atom)
        terms = [by(c, u.view.at(u.target)) if self.turn is None else by(c, by(v.transpose(self.turn), u.view.at(u.target)))
                 for (c, _, _), u in zip(self.combination.terms, self.units, strict=True)]
        terms += [by(self.combination.slope, self.view.argument)] if self.combination.slope != 0 else []
        terms += [by(self.combination.shift, ones(shape))] if self.combination.shift != 0 else []
        return reduce(v.add, terms)

    def is_trivial(self, graph: Graph) -> bool:
        """f(u) = f(u)."""
        return self.expr == definition(self.atom, graph)


@dataclass(frozen=True, slots=True)
class Equation:
    """left, in unknowns, must equal right; `of` is the atom whose coefficient it is, None for the constant."""

    left: Expr
    right: Expr
    of: Expr | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One affine expression of the second network matched with its target in the first."""

    template: Expr
    target: Expr
    kept: frozenset[str]
    replacements: tuple[Replacement, ...] = ()
    equations: tuple[Equation, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """The parameters, the layers from the output down, and the unknowns that were free and set to zero or to the identity."""

    parameters: dict[str, Expr]
    layers: tuple[Layer, ...]
    free: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """A layer while the terms of the first network are given their places."""

    layer: Layer
    second: tuple[Term, ...]
    constant: Expr
    pending: tuple[Term, ...]
    constants: tuple[Expr, ...]
    coefficients: tuple[tuple[int, Term], ...] = ()
    goals: tuple[tuple[Expr, Expr], ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    goals: tuple[tuple[Expr, Expr], ...]
    binds: dict[str, Expr]
    placed: dict[Expr, Unit]
    pending: tuple[Equation, ...] = ()
    layers: tuple[Layer, ...] = ()
    open: _Open | None = None


def ones(shape: v.Shape) -> Expr:
    """All entries 1; a matrix as column times row, so that a bias can be read off."""
    if shape == v.SCALAR:
        return Integer(1)
    if 1 in shape:
        return OneMatrix(*shape)
    return v.matmul(OneMatrix(shape[0], 1), OneMatrix(1, shape[1]))


class Matcher:
    """The search for one question; `reasons` says what stood in the way."""

    def __init__(self, problem: Problem, ask: FindParameters) -> None:
        self.graph, self.ask, self.template = problem.graph, ask, ask.template
        self.first, self.second = Linear(self.graph), Linear(self.template)
        self.kept: dict[frozenset[str], Linear] = {frozenset(): self.first}
        self.variables = {x.name for x in self.graph.variables}
        self.reasons: dict[str, None] = {}
        stated = {g.name: g.entries for g in problem.values if g.digits is None}
        for name in ask.permutations:
            if name in stated and not is_permutation(stated[name]):
                raise SpecError(f"permutations: the numbers of {name} are not those of a permutation matrix")
        self.permutations = frozenset(ask.permutations) | {n for n, rows in stated.items() if is_permutation(rows)}
        self.signs = frozenset(ask.signs) | {n for n, rows in stated.items() if len(rows) > 1 and all(len(r) == 1 and abs(r[0]) == 1 for r in rows)}

    def solve(self) -> Solution | None:
        """The first solution met, None if there is none among the states that are looked at."""
        start = _State(((self.template.symbol(self.ask.output), self.graph.symbol(self.ask.of)),), dict(self.ask.fixed), {})
        stack = [iter((start,))]
        for _ in range(MOST_STATES):
            state = next(stack[-1], None)
            if state is None:
                stack.pop()
                if not stack:
                    return None
            elif state.open is None and not state.goals:
                found = self.finish(state)
                if found is not None:
                    return found
            else:
                stack.append(self.successors(state))
        self.reasons[f"more than {MOST_STATES} ways to pair the units of the two networks"] = None
        return None

    # ---- one step of the search --------------------------------------------------------------------------------

    def successors(self, state: _State) -> Iterator[_State]:
        if state.open is None:
            yield from self.opened(state)
        elif state.open.pending:
            yield from self.assigned(state, state.open)
        else:
            yield from self.closed(state, state.open)

    def opened(self, state: _State) -> Iterator[_State]:
        (template, target), *rest = state.goals
        second = collected(self.second.of(template), v.shape_of(template))
        shapes = {v.shape_of(t.atom) for t in second.terms if self.second.nonlinear(t.atom)}
        linear = {t.atom for t in second.terms if not self.second.nonlinear(t.atom)}
        for keep in (frozenset[str](), *self.carriers(target, shapes)):
            if keep not in self.kept:
                self.kept[keep] = Linear(self.graph, keep)
            first = collected(self.kept[keep].of(target), v.shape_of(target))
            if keep and all(t.atom in linear or self.first.nonlinear(t.atom) for t in first.terms):
                continue
            layer = Layer(template, target, keep)
            yield replace(state, goals=tuple(rest), open=_Open(layer, second.terms, second.constants[0], first.terms, first.constants))

    def carriers(self, target: Expr, shapes: set[v.Shape]) -> Iterator[frozenset[str]]:
        """Nodes that are affine in the inputs and may be carried by activations of the second network, as u = relu(u) - relu(-u)."""
        above = {n for name in v.names_in(target) for n in self.graph.ancestors(name)}
        for node in self.graph.nodes:
            if node.name in above and node.name in self.first.data and not self.first.nonlinear(node.symbol) and (
                    node.shape in shapes or views(node.symbol, self.graph)):
                yield frozenset({node.name})

    def assigned(self, state: _State, o: _Open) -> Iterator[_State]:
        """The first pending term of the first network gets its place in every way there is."""
        term, rest = o.pending[0], o.pending[1:]
        same = next((j for j, t in enumerate(o.second) if t.atom == term.atom and not self.second.nonlinear(t.atom)), None)
        if same is not None:
            yield replace(state, open=replace(o, pending=rest, coefficients=(*o.coefficients, (same, term))))
            return
        met = False
        for replacement, places in self.replacements(state, o, term):
            met = True
            c = replacement.combination
            coefficients = []
            for (factor, _, _), j in zip(c.terms, places, strict=True):
                left = by(factor, term.left)
                coefficients.append((j, Term(left if replacement.turn is None else by(left, v.transpose(replacement.turn)), term.atom, term.right)))
            shift = Term(by(c.shift, term.left), ones(v.shape_of(term.atom)), term.right).value if c.shift != 0 else Integer(0)
            more = scaled(by(c.slope, term.left), self.kept[o.layer.kept].of(replacement.view.argument)) if c.slope != 0 else Affine()
            if c.slope != 0 and term.right is not None:
                continue
            goals = tuple((u.view.argument, u.target) for u in replacement.units if u.atom not in state.placed)
            yield replace(
                state, placed=state.placed | {u.atom: u for u in replacement.units},
                open=replace(o, pending=(*rest, *more.terms), constants=(*o.constants, *more.constants, shift),
                             coefficients=(*o.coefficients, *coefficients), goals=(*o.goals, *goals),
                             layer=replace(o.layer, replacements=(*o.layer.replacements, replacement))))
        if not met:
            others = dict.fromkeys(self.named(t.atom, self.template) for t in o.second)
            self.reasons[f"{self.named(term.atom, self.graph)} is not {FORM} with {' or '.join(others) or 'nothing'} of the second network "
                         f"for any of {tried()}"] = None

    def named(self, atom: Expr, graph: Graph) -> str:
        """An activation by its function: softplus(u) for h = softplus(z); an input by its name."""
        linear = self.second if graph is self.template else self.first
        seen = views(atom, graph) if linear.nonlinear(atom) else ()
        return say(seen[0].function) if seen else say(atom)

    def replacements(self, state: _State, o: _Open, term: Term) -> Iterator[tuple[Replacement, tuple[int, ...]]]:
        shape = v.shape_of(term.atom)
        taken = {j for j, _ in o.coefficients}
        places = [j for j, t in enumerate(o.second) if v.shape_of(t.atom) == shape and self.second.nonlinear(t.atom)]
        places.sort(key=lambda j: j in taken)
        own = views(term.atom, self.graph) if self.first.nonlinear(term.atom) else (View(ARGUMENT, term.atom), *views(term.atom, self.graph))
        for group in range(LARGEST_GROUP + 1):
            for view in own if group else [w for w in own if w.function != ARGUMENT]:
                for chosen in permutations(places, group):
                    for seen in product(*(views(o.second[j].atom, self.template) for j in chosen)):
                        for c in combinations(view.function, tuple(s.function for s in seen)):
                            for turn in self.turns(shape, seen, c):
                                found = self.replacement(state, o, term, view, c, seen, chosen, turn)
                                if found is not None:
                                    yield found, chosen

    def replacement(self, state: _State, o: _Open, term: Term, view: View, c: Combination, seen: tuple[View, ...], chosen: tuple[int, ...],
                    turn: Expr | None) -> Replacement | None:
        """None where a unit that has its argument already would need another one."""
        units = []
        for (_, a, b), s, j in zip(c.terms, seen, chosen, strict=True):
            target = by(a, view.argument)
            target = target if b == 0 else v.add(target, by(b, ones(v.shape_of(target))))
            unit = Unit(o.second[j].atom, s, target if turn is None else by(turn, target))
            old = state.placed.get(unit.atom)
            if old is not None and (old.view != unit.view or not self.equal(old.target, unit.target)):
                return None
            if not self.admits(unit, state.binds):
                return None
            units.append(old or unit)
        return Replacement(term.atom, view, c, tuple(units), turn)

    def admits(self, unit: Unit, binds: dict[str, Expr]) -> bool:
        """False where the argument of the unit has no unknown and is not the target: a dead end that costs nothing to see."""
        e = self.known(unit.view.argument, binds)
        if e is None:
            return True
        return self.equal(e, unit.target)

    def known(self, e: Expr, binds: dict[str, Expr]) -> Expr | None:
        """e in names of the first network, None if an unknown or an activation of the second is in it."""
        form = self.second.of(e)
        parts = [*(x for t in form.terms for x in (t.left, t.right or Integer(1), t.atom)), *form.constants]
        named = {n for x in parts for n in v.names_in(x)}
        if any(n not in binds and n not in self.variables for n in named):
            return None
        if not form.terms or any(self.second.nonlinear(t.atom) for t in form.terms):
            return None
        table = {self.template.symbol(n): binds[n] for n in named if n in binds}
        return reduce(v.add, [substituted(t.value, table) for t in form.terms] + [substituted(x, table) for x in form.constants if x != 0])

    def turns(self, shape: v.Shape, seen: tuple[View, ...], c: Combination) -> Iterator[Expr | None]:
        """None, then what commutes with the activation: permutation matrices, and signs where it is odd."""
        yield None
        if len(seen) != 1 or shape[1] != 1 or c.slope != 0:
            return
        for x in self.graph.variables:
            if x.name in self.permutations and x.shape[0] == shape[0]:
                yield x.symbol
                yield v.transpose(x.symbol)
            if x.name in self.signs and x.shape == shape and any(
                    o.terms == ((-1, -1, 0),) and o.slope == 0 == o.shift for o in combinations(seen[0].function, (seen[0].function,))):
                yield v.Diag(x.symbol)

    def equal(self, a: Expr, b: Expr) -> bool:
        """The same affine form in the inputs and activations of the first network."""
        if a == b:
            return True
        if v.shape_of(a) != v.shape_of(b):
            return False
        difference = collected(joined([self.first.of(a), scaled(Integer(-1), self.first.of(b))]), v.shape_of(a))
        return not difference.terms and is_zero(difference.constants[0])

    # ---- equations -----------------------------------------------------------------------------------------------

    def closed(self, state: _State, o: _Open) -> Iterator[_State]:
        """Every term has its place: coefficients and constants give equations."""
        equations: list[Equation] = []
        for j, t in enumerate(o.second):
            found = [x for k, x in o.coefficients if k == j]
            if any((x.right is None) != (t.right is None) for x in found):
                self.reasons[f"{say(t.atom)} is multiplied from the left in one network and from the right in the other"] = None
                return
            if t.right is None:
                equations.append(Equation(t.left, self.coefficient(t.left, [x.left for x in found]), t.atom))
            elif v.is_scalar(t.left) and all(v.is_scalar(x.left) for x in found):
                equations.append(Equation(by(t.left, t.right), gathered([by(x.left, x.right) for x in found], t.right.shape), t.atom))
            elif len(found) == 1 and found[0].left == t.left:
                equations.append(Equation(t.right, found[0].right or Integer(1), t.atom))
            else:
                self.reasons[f"the factors on both sides of {say(t.atom)}"] = None
                return
        shape = v.shape_of(o.layer.target)
        equations.append(Equation(o.constant, collected(Affine((), o.constants), shape).constants[0], None))
        layer = replace(o.layer, equations=tuple(equations))
        found_binds = self.solved((*state.pending, *equations), state.binds)
        if found_binds is not None:
            binds, pending = found_binds
            yield replace(state, goals=(*o.goals, *state.goals), binds=binds, pending=pending, layers=(*state.layers, layer), open=None)

    @staticmethod
    def coefficient(left: Expr, found: list[Expr]) -> Expr:
        shape = v.shape_of(left)
        rows = next((x.shape for x in found if not v.is_scalar(x)), shape)
        return gathered(found, rows if found else shape)

    def solved(self, equations: tuple[Equation, ...], binds: dict[str, Expr]) -> tuple[dict[str, Expr], tuple[Equation, ...]] | None:
        """Unknowns bound one after the other, and the equations that still have several; None for a contradiction."""
        binds, waiting = dict(binds), list(equations)
        progress = True
        while progress:
            progress, later = False, []
            for e in waiting:
                left = substituted(e.left, {self.template.symbol(n): binds[n] for n in v.names_in(e.left) if n in binds})
                named = set(v.names_in(left))
                unknown = [n for n in self.ask.unknowns if n in named]
                if len(unknown) > 1 and not is_zero(e.right):
                    later.append(e)
                    continue
                progress = True
                if not unknown:
                    if not self.same(left, e.right):
                        what = "the constant" if e.of is None else f"the coefficient of {say(e.of)}"
                        self.reasons[f"{what} is {say(left)} in the second network, it would have to be {say(e.right)}"] = None
                        return None
                    continue
                for name in unknown[-1:]:
                    found = isolated(left, e.right, self.template.symbol(name), self.permutations, self.signs)
                    if found is None:
                        self.reasons[f"{say(left)} = {say(e.right)} cannot be solved for {name}"] = None
                        return None
                    binds[name] = found
            waiting = later
        return binds, tuple(waiting)

    def same(self, left: Expr, right: Expr) -> bool:
        """Equal, both free of unknowns and of data; a scalar beside a matrix is that multiple of the identity."""
        shape = v.shape_of(left) if not v.is_scalar(left) else v.shape_of(right)
        difference = gathered([left, v.negate(right)], shape)
        if is_zero(difference):
            return True
        names = v.names_in(difference)
        if not names or any(n in self.permutations | self.signs for n in names):
            return False
        try:
            return witness(self.graph, difference, Integer(0) if shape == v.SCALAR else ZeroMatrix(*shape)) is None
        except Unsupported:
            return False

    def finish(self, state: _State) -> Solution | None:
        """Unknowns that are still free are set to zero, a factor of a product of two to the identity."""
        binds, pending = dict(state.binds), state.pending
        free: list[str] = []
        while True:
            solved = self.solved(pending, binds)
            if solved is None:
                return None
            binds, pending = solved
            unbound = [n for n in self.ask.unknowns if n not in binds]
            if not unbound:
                break
            choice = self.choice(pending, binds, unbound)
            if choice is None:
                return None
            free.append(choice[0])
            binds[choice[0]] = choice[1]
        if pending:
            return None
        return Solution({n: binds[n] for n in self.ask.unknowns}, state.layers, tuple(free))

    def choice(self, pending: tuple[Equation, ...], binds: dict[str, Expr], unbound: list[str]) -> tuple[str, Expr] | None:
        """A value for one free unknown that makes the rest solvable."""
        def alone(name: str) -> bool:
            """Every equation that waits for it has another term to take its place."""
            return all(any(not occurrences(a, name) for a in addends(e.left)) for e in pending if occurrences(e.left, name))

        def multiplied(name: str) -> bool:
            return any(occurrences(a, name) and occurrences(a, n) for e in pending for a in addends(e.left) for n in unbound if n != name)

        def zero(name: str) -> tuple[str, Expr]:
            symbol = self.template.symbol(name)
            return name, Integer(0) if v.is_scalar(symbol) else ZeroMatrix(*symbol.shape)

        waiting = {n for e in pending for n in unbound if occurrences(e.left, n)}
        for name in unbound:
            if name not in waiting or (alone(name) and multiplied(name)):
                return zero(name)
        for name in unbound:
            symbol = self.template.symbol(name)
            if v.is_scalar(symbol):
                return name, Integer(1)
            if symbol.shape[0] == symbol.shape[1] and multiplied(name):
                return name, Identity(symbol.shape[0])
        return next((zero(name) for name in reversed(unbound) if alone(name)), None)


FORM = "c g(a u + b) + e u + d, nor a sum of two such,"


def say(e: Expr) -> str:
    return str(e).replace("_u", "u")[:120]


def is_zero(e: Expr) -> bool:
    return e == 0 or isinstance(e, ZeroMatrix) or (isinstance(e, MatMul) and any(is_zero(a) for a in e.args))


def is_permutation(rows: tuple[tuple[Expr, ...], ...]) -> bool:
    """A square matrix with one 1 in every row and column and 0 elsewhere."""
    n = len(rows)
    return n > 1 and all(len(r) == n and sorted(r) == [0] * (n - 1) + [1] for r in (*rows, *zip(*rows, strict=False)))


__all__ = ["Equation", "Layer", "Matcher", "Replacement", "Solution", "Unit", "is_permutation", "is_zero", "ones", "say"]
