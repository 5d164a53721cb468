"""A computation graph with what is known about it: questions are methods, and the result of a backward pass is a model again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from symgrad.api.expression import Expression, check_dimensions, expressions_of
from symgrad.api.numbers import givens
from symgrad.api.written import written
from symgrad.language.errors import SpecError, SpecErrors, Unsupported
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Ask, Backward, Choose, Conventions, Forward, Given, Gradient, Part, Problem, sizes_shown
from symgrad.language.vectors import say_shape
from symgrad.reader.asks import ASKS, READERS, PartReading
from symgrad.reader.fields import validated
from symgrad.reader.letlist import Scope, did_you_mean, expression

if TYPE_CHECKING:
    from symgrad.api.checked import GradientCheck
    from symgrad.api.solution import Solution
    from symgrad.numeric import CompiledFunction

MAX_SHOWN = 60  # lines of a model that repr shows

Names = Sequence[str] | str | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Model:
    """A graph, stated numbers and conventions.  `graph` may be built by hand from `Variable` and `Node`."""

    graph: Graph
    values: tuple[Given, ...] = ()
    conventions: Conventions = Conventions()
    title: str = ""
    digits: int = 4

    def __post_init__(self) -> None:
        check_dimensions(self.graph.all)

    # ---- questions -------------------------------------------------------------------------------------------------

    def backward(self, of: str, wrt: Names = None, *, components: Names = (), closed_form: Names | bool = (),
                 derivatives: str = "kept") -> Solution:
        """The backpropagation equations in bar notation from `of` down to `wrt` (default: every parameter).

        `components`: names whose adjoints are also given entry by entry; `closed_form`: as one formula with everything put in, True for all of `wrt`;
        derivatives="expanded" writes sigma'(z) as h (1 - h).  Raises SpecError, ShapeError, Unsupported.
        """
        return self.ask("backward", of=of, wrt=self._wrt(wrt), components=_list(components),
                        closed_form=closed_form if isinstance(closed_form, bool) else _list(closed_form), derivatives=derivatives)

    def gradient(self, of: str, wrt: Names = None, *, values: Mapping[str, Any] | None = None) -> Solution:
        """d of / d wrt of scalars by the chain rule, path by path; with numbers put in where `values` gives them."""
        return self.ask("gradient", values, of=of, wrt=self._wrt(wrt))

    def jacobian(self, of: str, wrt: Names, *, direction: Sequence[str] = ()) -> Solution:
        """d of / d wrt, a row for each entry of `of`, a column for each entry of the variable (matrices column by column).

        With a `direction`, a name of the shape of each variable, the product of the Jacobian with it, shaped like `of`.
        Raises SpecError, ShapeError, Unsupported.
        """
        return self.ask("jacobian", of=of, wrt=_list(wrt), direction=list(direction))

    def hessian(self, of: str, wrt: Names, *, derivatives: str = "kept") -> Solution:
        """The second derivatives of a scalar: a block for every two names of `wrt`, on and above the diagonal."""
        return self.ask("hessian", of=of, wrt=_list(wrt), derivatives=derivatives)

    def hvp(self, of: str, wrt: Names, direction: Names, *, closed_form: bool = False, derivatives: str = "kept") -> Solution:
        """The Hessian times a direction without the Hessian: the tangents of the adjoints (Pearlmutter 1994), of any shape."""
        return self.ask("hvp", of=of, wrt=_list(wrt), direction=_list(direction), closed_form=closed_form, derivatives=derivatives)

    def forward(self, values: Mapping[str, Any] | None = None, of: Sequence[str] = ()) -> Solution:
        """The table of node values at stated numbers, exact where they are rational."""
        return self.ask("forward", values, of=list(of))

    def choose(self, of: str, wrt: Sequence[str], choices: Sequence[str], *, several: bool = False) -> Solution:
        """Which choices equal d of / d wrt?  Each is proved equal, or separated from it by an exact point."""
        return self.ask("choose", of=of, wrt=list(wrt), choices=list(choices), several=several)

    def ask(self, question: Ask | str, values: Mapping[str, Any] | None = None, **fields: Any) -> Solution:
        """Any question: an `Ask`, or the word that `ask` is in a problem file with its fields as there.

        Raises SpecError with every field that is wrong, Unsupported where symgrad cannot answer yet.
        """
        from symgrad.api.solution import Solution
        from symgrad.pipeline import solve

        model = self.given(values) if values else self
        ask = model._read(question, fields) if isinstance(question, str) else question
        problem = model.problem(ask)
        result = solve(problem)
        (item,) = result.parts
        if item.derivation is None and not item.verdicts:
            raise Unsupported(item.failure.removeprefix("unsupported: "))
        return Solution(problem, result.parts, result.certificate)

    def check_gradient(self, of: str, candidates: Mapping[str, str | Expression]) -> GradientCheck:
        """Is each candidate d of / d name?  Proved for all sizes and values, or shown wrong at an exact point.

        A candidate is let-list text or an expression, in names of the graph and adjoints such as z_bar.
        """
        from symgrad.api.checked import check_gradient

        return check_gradient(self, of, candidates)

    def problem(self, ask: Ask) -> Problem:
        """The question as a problem of one part; the digest ties a certificate to it."""
        question = Problem("model", self.title or _title(ask), self.graph, (Part("a", ask),), self.values,
                           tuple(sizes_shown(self.graph, self.values).items()), self.conventions, digits=self.digits)
        return replace(question, digest=hashlib.sha256(f"{self.graph}{question!r}".encode()).hexdigest()[:32])

    def _wrt(self, wrt: Names) -> list[str] | str:
        if wrt is None:
            if any(x.role == "parameter" for x in self.graph.variables):
                return "parameters"
            raise SpecError(f"wrt: no variable is a parameter; name some of {', '.join(x.name for x in self.graph.variables)}")
        return wrt if wrt == "parameters" else [wrt] if isinstance(wrt, str) else list(wrt)

    def _read(self, kind: str, fields: Mapping[str, Any]) -> Ask:
        specs = dict(zip(ASKS, READERS, strict=True))
        if kind not in specs:
            raise SpecError(f"{kind!r} is not a kind of question{did_you_mean(kind, ASKS)}; there are {', '.join(ASKS)}")
        spec = validated(specs[kind], {"label": "a", "ask": kind, **fields}, kind)
        errors: list[SpecError | Unsupported] = []
        ask = READERS[specs[kind]](spec, PartReading(self.graph, self.scope(), lambda error, key: errors.append(error)))
        if errors:
            raise_all(errors)
        return ask

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def given(self, values: Mapping[str, Any]) -> Model:
        """The same model with more stated numbers; lists and arrays for vectors and matrices."""
        new = givens(values, self.graph)
        kept = tuple(g for g in self.values if g.name not in values)
        return replace(self, values=(*kept, *new))

    def lambdify(self, *outputs: str, batch: Sequence[str] = (), summed: Sequence[str] = (), inputs: Sequence[str] | None = None,
                 functions: Mapping[str, Callable[..., Any]] | None = None) -> CompiledFunction:
        """One NumPy function straight from the definitions (default: all of them); see `symgrad.numeric.compile_graph`."""
        from symgrad.numeric import compile_graph

        names = outputs or tuple(n.name for n in self.graph.nodes if n.structure is None)
        return compile_graph(self.graph, names, inputs=self._inputs(names) if inputs is None else tuple(inputs), batch=tuple(batch),
                             conventions=self.conventions, functions=functions, summed=tuple(summed))

    def _inputs(self, outputs: Sequence[str]) -> tuple[str, ...] | None:
        """Structured variables are inputs themselves, not the free matrices behind them; None where there are none."""
        graph = self.graph
        if not graph.structured:
            return None
        needed: set[str] = set()
        stack = list(outputs)
        while stack:
            name = graph.asked(stack.pop())
            if name not in needed:
                needed.add(name)
                found = graph[name]
                stack += graph.arguments(name) if isinstance(found, Node) and found.structure is None else ()
        return tuple(n for n in map(graph.asked, (x.name for x in graph.variables)) if n in needed)

    # ---- names -----------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Expression:
        """A variable or node as an expression to build on.  Raises SpecError with the names there are."""
        self.graph[name]
        return expressions_of(self.graph)[name]

    def __contains__(self, name: str) -> bool:
        return name in self.graph

    def scope(self) -> Scope:
        """What names mean in text about this model."""
        graph = self.graph
        return Scope({n: graph.symbol(n) for n in graph.names}, {str(d): d for d in graph.dimensions}, {f.name: f for f in graph.functions})

    def expression(self, text: str) -> Expression:
        """Let-list text in names of the model.  Raises SpecError or ShapeError."""
        found = expression(text, self.scope())
        known = expressions_of(self.graph)
        return Expression(found, tuple(known.values()), None, self.graph.functions)

    # ---- what is shown ---------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        """Shapes as comments, then the let-list."""
        groups: dict[str, list[str]] = {}
        for x in self.graph.variables:
            image = self.graph.behind(x.name)
            if image is None or image.structure is None:
                groups.setdefault(say_shape(x.shape), []).append(x.name)
            else:
                groups.setdefault(f"{say_shape(x.shape)}, {image.structure.word}", []).append(image.name)
        head = [f"# {shape}: {', '.join(names)}" for shape, names in groups.items()]
        plain = (n for n in self.graph.nodes if n.structure is None and self.graph.behind(n.name.removesuffix("_bar")) is None)
        return "\n".join([*head, *(f"{n.name} = {written(n.expr)}" for n in plain)])

    def __repr__(self) -> str:
        lines = str(self).splitlines()
        return "\n".join(lines if len(lines) <= MAX_SHOWN else [*lines[:MAX_SHOWN - 1], f"... {len(lines) - MAX_SHOWN + 1} more lines"])

    def _repr_html_(self) -> str:
        from symgrad.api.display import model_html

        return model_html(self)

    def _repr_latex_(self) -> str:
        from symgrad.api.display import model_latex

        return model_latex(self)

    def _repr_markdown_(self) -> str:
        from symgrad.api.display import model_markdown

        return model_markdown(self)


def _list(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _title(ask: Ask) -> str:
    match ask:
        case Backward(of=of):
            return f"Backpropagation from {of}"
        case Gradient(of=of) | Choose(of=of):
            return f"Derivatives of {of}"
        case Forward():
            return "Forward pass"
    return ask.kind.replace("_", " ").capitalize()


def raise_all(errors: Sequence[SpecError | Unsupported]) -> None:
    """One error as itself, several together."""
    if len(errors) == 1:
        raise errors[0]
    raise SpecErrors(tuple(e if isinstance(e, SpecError) else SpecError(f"unsupported: {e}") for e in errors))


__all__ = ["Model", "Names", "raise_all"]
