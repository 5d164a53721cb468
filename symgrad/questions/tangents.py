"""ask = "jacobian", "hessian", "hvp": forward mode on the graph, and on the graph of the adjoints for second derivatives."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sympy import Expr, Integer, preorder_traversal

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import ClosedTangent, Line, Tangent, TangentValue
from symgrad.language.errors import Unsupported
from symgrad.language.forms import Prose
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions, Hessian, HessianVector, Jacobian, Problem, listed
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.tangents import Direction, is_clear, is_jacobian, tangent, tangent_name, tangent_shape
from symgrad.language.vectors import names_in
from symgrad.questions.arrays import number
from symgrad.questions.backward import adjoints
from symgrad.questions.conventions import with_signs
from symgrad.questions.structured import label as gradient_label
from symgrad.rules.jacobians import times_jacobian
from symgrad.rules.tangents import Pushed, push_forward
from symgrad.rules.tidy import tidied
from symgrad.rules.vector import put_in
from symgrad.solvers.entries import StatedValues, at_kink
from symgrad.solvers.values import Undefined

MAX_SIZE = 10_000
MAX_SHOWN = 36
"""Entries of a matrix of numbers."""
MAX_CLOSED = 120
"""Operations in a closed form; a longer one is left in terms of the named tangents."""


def derive_jacobian(problem: Problem, part: str, ask: Jacobian) -> Derivation:
    """The Jacobian of `of` in every one of `wrt`, or its product with a direction."""
    graph = problem.graph
    directions: tuple[Direction, ...] = (ask.pairs,) if ask.direction else tuple(((w, ""),) for w in ask.wrt)
    steps, answers, nodes = [], [], []
    for direction in directions:
        found = Along(graph, "", direction, push_forward(graph, direction, (ask.of,)))
        found.require_room(graph)
        new = found.steps({})
        closed = found.closed(ask.of)
        steps += [*new.values(), *closed_step(found, ask.of, closed, new), *value_step(problem, found, ask.of, new)]
        answers.append(Answer(label(graph, ask.of, direction), F.TangentOf(ask.of, direction), F.Just(closed)))
        nodes += found.nodes()
    notes = (*layout_notes(graph, directions, (ask.of,)), *structure_notes(graph, directions), *with_signs(problem, graph.ancestors(ask.of)))
    return Derivation(part, graph.extended(nodes), tuple(steps), tuple(answers), notes)


def derive_hessian(problem: Problem, part: str, ask: Hessian) -> Derivation:
    """Backward for the gradient, then forward through the gradient: the Jacobian of a_bar in b for every block."""
    steps, graph = adjoints(problem, ask.of, ask.wrt, ask.expand, ask.wrt)
    listed, answers, nodes = list(steps.values()), [], []
    for b in ask.wrt:
        direction: Direction = ((b, ""),)
        rows = tuple(a for a, column in ask.blocks if column == b)
        found = Along(graph, ask.of, direction, push_forward(graph, direction, tuple(f"{a}_bar" for a in rows), ask.expand))
        found.require_room(problem.graph)
        new = found.steps(steps)
        listed += new.values()
        for a in rows:
            closed = found.closed(f"{a}_bar")
            listed += [*closed_step(found, f"{a}_bar", closed, new), *value_step(problem, found, f"{a}_bar", new)]
            row, column = map(graph.asked, (a, b))
            answers.append(Answer(f"d2{ask.of}/d{row} d{column}" if a != b else f"d2{ask.of}/d{row}2", F.SecondOf(ask.of, a, b), F.Just(closed)))
        nodes += found.nodes()
    directions = tuple(((w, ""),) for w in ask.wrt)
    numbers = all(problem.graph.shape(w) == v.SCALAR for w in ask.wrt)
    order = "The order of two differentiations does not matter"
    below: Prose = (f"{order}." if numbers else f"{order}: a block below the diagonal is the transpose of the one above it.",)
    notes = (*layout_notes(problem.graph, directions, ask.wrt), *((below,) if len(ask.wrt) > 1 else ()), *structure_notes(problem.graph, directions),
             *with_signs(problem, problem.graph.ancestors(ask.of)))
    return Derivation(part, graph.extended(nodes), tuple(listed), tuple(answers), notes)


def derive_hvp(problem: Problem, part: str, ask: HessianVector) -> Derivation:
    """The tangents of the adjoints along the direction: H v without H, at the cost of a few gradients."""
    steps, graph = adjoints(problem, ask.of, ask.wrt, ask.expand, ask.wrt)
    targets = tuple(f"{w}_bar" for w in ask.wrt)
    found = Along(graph, ask.of, ask.pairs, push_forward(graph, ask.pairs, targets, ask.expand))
    found.require_room(problem.graph)
    new = found.steps(steps)
    listed, answers = [*steps.values(), *new.values()], []
    for target in targets:
        shown = found.closed(target) if ask.closed_form else found.pushed[target].expr
        listed += [*closed_step(found, target, shown, new), *value_step(problem, found, target, new)]
        answers.append(Answer(f"{gradient_label(problem.graph, target.removesuffix('_bar'))}_dot", F.TangentOf(target, ask.pairs), F.Just(shown)))
    dots: Prose = ("A dot is the derivative along the direction; the dot of an adjoint is a row of the Hessian times the direction.",)
    notes = (dots, *structure_notes(problem.graph, (ask.pairs,)), *with_signs(problem, problem.graph.ancestors(ask.of)))
    return Derivation(part, graph.extended(found.nodes()), tuple(listed), tuple(answers), notes)


class Along:
    """The tangents along one direction in one graph, as steps."""

    def __init__(self, graph: Graph, seed: str, direction: Direction, pushed: dict[str, Pushed]) -> None:
        self.graph, self.seed, self.direction, self.pushed = graph, seed, direction, pushed

    def require_room(self, problem: Graph) -> None:
        """Raises Unsupported where the problem has a name that a tangent would take, or a Jacobian is larger than is worked with."""
        for u in self.pushed:
            size = max((d for d in tangent_shape(self.graph, u, self.direction) if d.is_Integer), default=Integer(1))
            if size > MAX_SIZE:
                raise Unsupported(f"the derivative of {u} has {int(size):,} rows or columns, more than {MAX_SIZE:,}; "
                                  "ask for a product with a direction instead")
        taken = [u for u in self.pushed if not is_clear(problem, u, self.direction)]
        if taken:
            name = tangent_name(taken[0], self.direction)
            other = "a name of the problem" if name in problem else "the name of another derivative"
            raise Unsupported(f"{name} is {other}, and the name of a derivative of {taken[0]} here; give "
                              f"{name if name in problem else taken[0]} another name")

    def steps(self, before: dict[str, Step]) -> dict[str, Step]:
        """One step a tangent, resting on those of its arguments, and on its own definition if that was derived."""
        found: dict[str, Step] = {}
        for name, pushed in self.pushed.items():
            if name in dict(self.direction) and is_jacobian(self.direction) and len(self.pushed) > 1:
                continue  # dw/dw = 1 is a line of nothing, unless it is what is asked
            own = [before[name.removesuffix("_bar")]] if name.endswith("_bar") and name.removesuffix("_bar") in before else []
            premises = (*own, *(found[a] for a in pushed.arguments if a in found))
            lines = tuple(Line(form) for form in self.lines(name, pushed))
            claim = Tangent(name, self.seed, self.direction, pushed.expr, lines)
            found[name] = Step(claim, self.rule(pushed), self.because(name, pushed), premises, tangent_name(name, self.direction))
        return found

    def rule(self, pushed: Pushed) -> str:
        return "chain rule" if pushed.arguments else "direction" if self.pushed and pushed.expr != 0 else "no path"

    def because(self, name: str, pushed: Pushed) -> Prose:
        """In words with formulas: which arguments of the node move."""
        def symbols(names: Iterable[str]) -> Prose:
            return listed([F.Just(self.graph.symbol(n)) for n in names])

        if name in dict(self.direction):
            return ("the direction",)
        if not pushed.arguments:
            return (*symbols([name]), " does not depend on ", *symbols(w for w, _ in self.direction))
        return (*symbols([name]), " moves with ", *symbols(pushed.arguments))

    def lines(self, name: str, pushed: Pushed) -> list[F.Form]:
        """The sum over the arguments that move, its terms carried out, and the whole."""
        if not pushed.arguments:
            return [F.Just(pushed.expr)]
        terms: list[F.Form] = [F.Pushforward(name, a, self.direction) for a in pushed.arguments]
        return [terms[0] if len(terms) == 1 else F.Sum(tuple(terms)), F.Just(pushed.expr)]

    def closed(self, name: str) -> Expr:
        """The tangent with the definitions of all others put in, where that is short enough to read."""
        table: dict[Expr, Expr] = {}
        columns = is_jacobian(self.direction) and 1 in self.graph.shape(self.direction[0][0])  # products of other Jacobians stay as they are
        for n, pushed in self.pushed.items():
            whole = put_in(pushed.expr, table, product=times_jacobian if columns else v.matmul)
            if sum(1 for _ in preorder_traversal(whole)) > MAX_CLOSED:
                return self.pushed[name].expr
            table[tangent(self.graph, n, self.direction)] = whole
            if n == name:
                return tidied(whole)
        raise KeyError(name)

    def nodes(self) -> list[Node]:
        """The tangents as definitions; dw/dw = 1 is none."""
        return [Node(tangent_name(n, self.direction), p.expr) for n, p in self.pushed.items()
                if not (n in dict(self.direction) and is_jacobian(self.direction))]


def closed_step(found: Along, name: str, closed: Expr, steps: dict[str, Step]) -> list[Step]:
    """The step of a closed form, where it says more than the last tangent does."""
    if name not in steps or closed == found.pushed[name].expr:
        return []
    claim = ClosedTangent(name, found.seed, found.direction, closed)
    return [Step(claim, "substitution", ("put the derivatives into one formula",), tuple(steps.values()),
                 f"{tangent_name(name, found.direction)} (closed form)")]


def value_step(problem: Problem, found: Along, name: str, steps: dict[str, Step]) -> list[Step]:
    """The numbers of a tangent, where the problem gives values to all that it is made of; none where one of them has no value here."""
    point = {g.name: tuple(tuple(Fraction(int(x.p), int(x.q)) for x in row) for row in g.entries) for g in problem.values if g.digits is None}
    sizes = {d: n for d in problem.graph.dimensions for word, n in problem.sizes if str(d) == word}
    if name not in steps or not point or len(sizes) < len(problem.graph.dimensions):
        return []
    definitions = {n.name: n.expr for n in found.graph.nodes} | {tangent_name(n, found.direction): p.expr for n, p in found.pushed.items()}
    what = tangent_name(name, found.direction)
    wanted, stack = {what, found.seed or name}, [what, found.seed or name]
    while stack:
        new = [n for n in names_in(definitions[x]) if n not in wanted] if (x := stack.pop()) in definitions else []
        wanted |= set(new)
        stack += new
    if any(n not in definitions and n not in point for n in wanted):
        return []
    found_rows, off_kinks = dict(point), Conventions(step_at_zero=problem.conventions.step_at_zero)
    try:
        for n, e in definitions.items():
            if n in wanted:
                found_rows[n] = StatedValues(sizes, found_rows, off_kinks).rows(e)
        values = StatedValues(sizes, found_rows, off_kinks)
        if any(at_kink(n.expr, values) for n in problem.graph.nodes if n.name in found_rows):
            return []
    except (Unsupported, Undefined, ArithmeticError):
        return []
    rows = found_rows[what]
    if len(rows) * len(rows[0]) > MAX_SHOWN:
        return []
    entries = F.Array(tuple(tuple(number(x, problem.digits) for x in row) for row in rows))
    claim = TangentValue(name, found.seed, found.direction, entries)
    return [Step(claim, "substitution", ("put the values in",), (steps[name],), f"{what} (numbers)")]


def label(graph: Graph, of: str, direction: Direction) -> str:
    """dy/dx, or y_dot."""
    return f"d{of}/d{graph.asked(direction[0][0])}" if is_jacobian(direction) else f"{of}_dot"


def layout_notes(graph: Graph, directions: tuple[Direction, ...], rows: tuple[str, ...]) -> tuple[Prose, ...]:
    """How Jacobians and Hessians are laid out."""
    if not is_jacobian(directions[0]):
        return (("A dot is the derivative along the direction, shaped like its node.",),)
    names = (*rows, *(d[0][0] for d in directions))
    found: list[Prose] = []
    if any(graph.shape(n) != (1, 1) for n in names):
        found.append(("A Jacobian has a row for each entry of what is differentiated and a column for each entry of the variable "
                      "(numerator layout).",))
    if any(1 not in graph.shape(n) for n in names):
        found.append(("The entries of a matrix are counted column by column, as vec does; a commutation matrix, where there is one, "
                      "turns vec of a matrix into vec of its transpose.",))
    return tuple(found)


def structure_notes(graph: Graph, directions: tuple[Direction, ...]) -> tuple[Prose, ...]:
    """In what the derivatives in a structured variable are taken: in the free matrix of which it is the image."""
    found: list[Prose] = []
    for w, along in dict.fromkeys(pair for d in directions for pair in d):
        image = graph.behind(w)
        if image is not None:
            own, free = F.Just(image.symbol), F.Just(graph.symbol(w))
            moves: Prose = (" moves along ", F.Just(graph.symbol(along)), ", and ") if along else (" moves, and ",)
            found.append((own, f" is {image.structure.word}: its free matrix " if image.structure else " ", free, *moves, own, " with it."))
    return tuple(found)


__all__ = ["derive_hessian", "derive_hvp", "derive_jacobian"]
