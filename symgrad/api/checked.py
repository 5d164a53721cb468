"""A gradient written by somebody else against the derived one: proved equal, or shown wrong at an exact point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sympy import Expr

from symgrad.api.expression import Expression
from symgrad.api.written import written
from symgrad.check.checker import Checker
from symgrad.language.bounds import with_definitions
from symgrad.language.claims import Differs, Matches, Witness
from symgrad.language.errors import ShapeError, SpecError, SpecErrors, Unsupported
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Ask, Backward, Choose, Gradient, Part
from symgrad.language.steps import Derivation, Ground, Verdict
from symgrad.language.vectors import SCALAR, names_in, say_shape, shape_of
from symgrad.numeric import compile_graph
from symgrad.numeric.comparison import with_adjoints
from symgrad.questions import derive
from symgrad.reader.letlist import Scope, did_you_mean, expression

if TYPE_CHECKING:
    from symgrad.api.model import Model


@dataclass(frozen=True, slots=True)
class Compared:
    """One candidate: `equal` is True or False where it was proved, None where it is undecided."""

    name: str
    equal: bool | None
    verdict: Verdict
    candidate: Expr
    derived: Expr  # in terms of other adjoints
    witness: Witness | None = None
    entries: tuple[float, float] | None = None  # of the candidate and of the derivative at the witness
    derivative: str = ""  # the name of the derivative, W_bar

    def __str__(self) -> str:
        head = f"{self.name}: "
        if self.equal:
            return f"{head}proved equal {self.verdict.domain} to {self.derivative} = {written(self.derived)}"
        if self.equal is None:
            return f"{head}undecided: {self.verdict.method}"
        if self.witness is None:
            return f"{head}wrong: {self.verdict.method}; {self.derivative} = {written(self.derived)}"
        point = ", ".join(f"{name} = {_numbers(rows)}" for name, rows in self.witness.values)
        where = f"entry ({self.witness.entry[0]}, {self.witness.entry[1]}) " if shape_of(self.derived) != SCALAR else ""
        values = f": {where}is {self.entries[0]:.6g}, the derivative {self.entries[1]:.6g}" if self.entries else " the two differ"
        return f"{head}wrong, at {point}{values}; {self.derivative} = {written(self.derived)}"


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """All candidates compared; true where every one was proved equal."""

    of: str
    rows: tuple[Compared, ...]

    @property
    def proved(self) -> bool:
        return all(r.equal for r in self.rows)

    def __bool__(self) -> bool:
        return self.proved

    def __getitem__(self, name: str) -> Compared:
        for r in self.rows:
            if r.name == name:
                return r
        raise SpecError(f"no candidate for {name} was checked; there are {', '.join(r.name for r in self.rows)}")

    def __str__(self) -> str:
        return "\n".join(map(str, self.rows))

    __repr__ = __str__


def check_gradient(model: Model, of: str, candidates: Mapping[str, str | Expression]) -> GradientCheck:
    """See `Model.check_gradient`.  Raises SpecError for text that cannot be read, Unsupported for a graph that cannot be derived."""
    graph = model.graph
    if not candidates:
        raise SpecError("candidates: give at least one, such as {'W': 'z_bar @ x.T'}")
    for name in (of, *candidates):
        if name not in graph:
            raise SpecError(f"there is no {name}{did_you_mean(name, list(graph.names))}")
    if graph.shape(of) != SCALAR:
        raise ShapeError(f"{of} is {say_shape(graph.shape(of))}; a scalar is needed")
    asked = {graph.free(name): name for name in candidates}  # in a structured variable: in the free matrix behind it
    wrt = tuple(asked)
    scalars = all(graph.shape(n) == SCALAR for n in (*graph.ancestors(of), *wrt))
    below = derive(model.problem(Backward(of, wrt)), Part("a", Gradient(of, wrt) if scalars else Backward(of, wrt)))
    derived = with_adjoints(below)
    checker = Checker(model.problem(Backward(of, wrt)))
    for step in below.all_steps():
        verdict = checker.check(step.claim)
        if verdict.ground not in (Ground.PROVED, Ground.GIVEN):
            raise Unsupported(f"the derivative of {of} could not be checked: {verdict.method}")
    read = _candidates(model, derived, below, candidates)
    rows = (_compared(model, checker, derived, of, graph.free(name), e) for name, e in read.items())
    return GradientCheck(of, tuple(_shown(row, graph) for row in rows))


def _shown(row: Compared, graph: Graph) -> Compared:
    """A row about a structured variable, its witness too, in the variable's own name."""
    witness = row.witness
    if witness is not None:
        witness = replace(witness, values=tuple(graph.stated(name, rows) for name, rows in witness.values))
    image = graph.behind(row.name)
    return replace(row, name=graph.asked(row.name), derivative=f"{image.name}_grad" if image else f"{row.name}_bar", witness=witness)


def _candidates(model: Model, derived: Graph, below: Derivation, candidates: Mapping[str, str | Expression]) -> dict[str, Expr]:
    """Every candidate as an expression in names of the derived graph.  Raises SpecErrors with all that cannot be read."""
    scope = Scope({n: derived.symbol(n) for n in derived.names}, {str(d): d for d in derived.dimensions}, {f.name: f for f in derived.functions})
    found, errors = {}, []
    for name, given in candidates.items():
        try:
            e = given.expr if isinstance(given, Expression) else expression(given, scope)
            for n in names_in(e):
                if n not in derived:
                    raise SpecError(f"there is no {n}{did_you_mean(n, list(derived.names))}")
            found[name] = e
        except SpecError as error:
            errors.append(type(error)(f"candidate for {name}: {error.message}"))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SpecErrors(tuple(errors))
    return found


def _compared(model: Model, checker: Checker, derived: Graph, of: str, name: str, e: Expr) -> Compared:
    answer = derived.node(f"{name}_bar").expr
    if shape_of(e) != shape_of(answer):
        words = f"it is {say_shape(shape_of(e))}, the derivative {say_shape(shape_of(answer))}"
        return Compared(name, False, Verdict(Ground.PROVED, words, "for general sizes"), e, answer)
    verdict = checker.check(Matches(of, (name,), (e,)))
    if verdict.ground is Ground.PROVED:
        return Compared(name, True, verdict, e, answer)
    bars = {n.symbol: n.expr for n in derived.nodes if n.name not in model.graph}
    plain = with_definitions(e, bars)
    ask: Ask = Choose(of, (name,), ((plain,),), several=True)
    try:
        steps = list(derive(model.problem(ask), Part("a", ask)).all_steps())
    except Unsupported:  # no point can be searched for, as with unknown functions
        steps = []
    for step in steps:
        if isinstance(step.claim, Differs) and step.claim.witness is not None:
            shown = checker.check(step.claim)
            if shown.ground is Ground.PROVED:
                return Compared(name, False, shown, e, answer, step.claim.witness, _entries(model, derived, name, e, step.claim.witness))
    return Compared(name, False if verdict.ground is Ground.REFUTED else None, verdict, e, answer)


def _entries(model: Model, derived: Graph, name: str, e: Expr, witness: Witness) -> tuple[float, float] | None:
    """The two values at the witness, in floats, for the reader."""
    import numpy as np

    graph = derived.extended((Node("the candidate", e),))  # no name that a caller can have taken
    outputs = ("the candidate", f"{name}_bar")
    try:
        f = compile_graph(graph, outputs, conventions=model.conventions)
        values = {n: np.array(rows, np.float64) for n, rows in witness.values}
        found = f({**{n: x.item() if graph.shape(n) == SCALAR else x for n, x in values.items() if n in f.inputs},
                   **{n: size for n, size in witness.sizes if n in f.inputs}})
    except (SpecError, Unsupported):
        return None
    i, j = witness.entry
    shape = Ellipsis if graph.shape(name) == SCALAR else (i - 1,) if graph.shape(name)[1] == 1 else (i - 1, j - 1)
    mine, theirs = (float(np.asarray(found[key])[shape]) for key in outputs)
    return mine, theirs


def _numbers(rows: tuple[tuple[Any, ...], ...]) -> str:
    if len(rows) == len(rows[0]) == 1:
        return str(rows[0][0])
    if len(rows[0]) == 1:
        return f"[{', '.join(str(row[0]) for row in rows)}]"
    return f"[{', '.join('[' + ', '.join(map(str, row)) + ']' for row in rows)}]"


__all__ = ["Compared", "GradientCheck", "check_gradient"]
