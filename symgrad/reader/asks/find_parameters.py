"""ask = "find_parameters": a second network, its parameters unknown, that must compute the same function as the model.

    of = "y"                              # the output of the model
    template = '''
    h = tanh(V1 @ x + v1)                 # the second network: the model's symbols and the unknowns are in scope
    y = V2 @ h + v2
    '''
    output = "y"                          # its output; by default the node called like `of`, else the last line
    unknowns = { V1 = "M, D", v1 = "M", V2 = "K, M", v2 = { shape = "K", latex = '...' } }
    given = { V1 = "1/2 * W1" }           # optional: unknowns that are prescribed (all of them: a candidate to decide)
    permutations = ["P"]                  # optional: symbols that are permutation matrices; signs = ["s"]: vectors of 1 and -1
    sizes = { D = 3, M = 4, K = 2 }       # optional: widths for the numeric comparison (those of [sizes] count too)
    form = "both"                         # or "matrix", "index": how the derivation is written
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr
from sympy import Expr

from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import FindParameters
from symgrad.language.vectors import Shape, names_in, say_shape, shape_of, variable
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.letlist import Scope, check_name, definition, did_you_mean, expression, statements
from symgrad.reader.shapes import parse_shape
from symgrad.reader.spec import Formula, Name, PartSpec, Spec

ShapeText = Annotated[StrictStr, Field(max_length=100)] | StrictInt
Tex = Annotated[StrictStr, Field(max_length=200)]
MAX_LINES = 5000


class UnknownSpec(Spec):
    shape: ShapeText = ""
    latex: Tex = ""


class FindParametersSpec(PartSpec):
    ask: Literal["find_parameters"]
    of: Name
    template: Annotated[StrictStr, Field(min_length=1, max_length=200_000, description="the let-list of the second network")]
    output: Name = Field("", description="the output of the template; by default the node called like `of`, else its last line")
    unknowns: Annotated[dict[Name, UnknownSpec | ShapeText], Field(min_length=1, max_length=5000)]
    given: dict[Name, Formula] = Field({}, description="unknowns whose values are prescribed: V1 = '-W1'")
    permutations: list[Name] = Field([], description="names that are permutation matrices")
    signs: list[Name] = Field([], description="names that are vectors with entries 1 and -1")
    latex: dict[Name, Tex] = Field({}, description="how nodes of the template are printed")
    sizes: dict[Name, Annotated[StrictInt, Field(ge=1, le=200)]] = Field({}, description="widths at which both networks are evaluated")
    form: Literal["matrix", "index", "both"] = "both"


def read(spec: FindParametersSpec, r: PartReading) -> FindParameters:
    """Reads the template with the first network's variables and the unknowns in scope; its nodes may be called like the first's."""
    dimensions = {str(d): d for d in r.graph.dimensions}
    if made := next((x.name for x in r.graph.variables if any(d.args for d in x.shape if not d.is_Integer)), ""):
        r.add(Unsupported(f"find_parameters where a size is made of others, as in the shape of {made}"), "of")
    unknowns = [u for u in (_unknown(name, s, r, dimensions) for name, s in spec.unknowns.items()) if u is not None]
    if r.name(spec.of, "of") in r.graph and not any(x.role == "input" for x in r.graph.variables):
        r.add(SpecError("of: no symbol is an input; mark what the two networks take in: x = { shape = ..., role = \"input\" }"), "of")
    nothing = FindParameters(spec.of, Graph((), ()), "", ())  # where an error is noted
    if len(unknowns) < len(spec.unknowns):
        return nothing
    first = {x.name: x.symbol for x in r.graph.variables}
    scope = Scope(first | {u.name: u.symbol for u in unknowns}, dimensions, r.scope.declared, dict(r.scope.applied))
    nodes = _nodes(spec, r, scope)
    template = r.attempt(lambda: _graph(r.graph, unknowns, nodes, scope), "template") if nodes else None
    if template is None or spec.of not in r.graph:
        return nothing
    output = spec.output or (spec.of if any(n.name == spec.of for n in nodes) else nodes[-1].name)
    if output not in {n.name for n in nodes}:
        r.add(SpecError(f"output: the template defines no {output}{did_you_mean(output, [n.name for n in nodes])}"), "output")
        return nothing
    if template.shape(output) != r.graph.shape(spec.of):
        r.add(ShapeError(f"output: {output} of the template is {say_shape(template.shape(output))}, "
                         f"{spec.of} is {say_shape(r.graph.shape(spec.of))}"), "output")
    for name in spec.latex:
        if name not in {n.name for n in nodes}:
            r.add(SpecError(f"latex: the template defines no {name}{did_you_mean(name, [n.name for n in nodes])}"), "latex")
    for name in spec.sizes:
        if name not in dimensions:
            r.add(SpecError(f"sizes: there is no dimension {name}{did_you_mean(name, list(dimensions))}"), "sizes")
    _known(spec.permutations, "permutations", r, lambda s: s[0] == s[1], "a permutation matrix is square")
    _known(spec.signs, "signs", r, lambda s: s[1] == 1, "signs are a vector")
    fixed = tuple((n, e) for n, e in ((n, _fixed(n, text, r, unknowns, dimensions)) for n, text in spec.given.items()) if e is not None)
    return FindParameters(spec.of, template, output, tuple(u.name for u in unknowns), fixed, tuple(spec.permutations), tuple(spec.signs),
                          tuple(spec.sizes.items()), spec.form != "index", spec.form != "matrix")


def _unknown(name: str, spec: UnknownSpec | str | int, r: PartReading, dimensions: dict[str, Expr]) -> Variable | None:
    shape, latex = (spec.shape, spec.latex) if isinstance(spec, UnknownSpec) else (spec, "")

    def work() -> Variable:
        check_name(name)
        if name in r.graph:
            raise SpecError(f"unknowns: {name} is a name of the first network; call the unknown something else, with latex = '...' for how "
                            "it is printed")
        if name in KNOWN or name in VECTOR_FUNCTIONS or name in dimensions or name.endswith("_bar"):
            raise SpecError(f"unknowns: {name} is the name of a function or a dimension, or of an adjoint; call the unknown something else")
        found: Shape = parse_shape(shape)
        for size in found:
            if size.args and not size.is_Integer:
                raise Unsupported(f"unknowns: {name} has a size that is made of others, {size}")
            if size.is_Symbol and str(size) not in dimensions:
                raise SpecError(f"unknowns: {name} has the dimension {size}, which the first network does not have"
                                f"{did_you_mean(str(size), list(dimensions))}")
        return Variable(name, found, "parameter", latex)

    found = r.attempt(work, "unknowns")
    return found if isinstance(found, Variable) else None


def _nodes(spec: FindParametersSpec, r: PartReading, scope: Scope) -> list[Node]:
    found: list[Node] = []
    lines = statements(spec.template)
    if len(lines) > MAX_LINES:
        r.add(SpecError(f"template: {len(lines)} definitions; at most {MAX_LINES} are read"), "template")
        return []
    if not lines:
        r.add(SpecError("template: the let-list of the second network is empty"), "template")
    for line, text in lines:
        try:
            name, e = definition(text, scope)
        except (SpecError, Unsupported) as error:
            message = error.message if isinstance(error, SpecError) else str(error)
            r.add(type(error)(f"template, line {line}: {message}"), "template")
            return []
        found.append(Node(name, e, spec.latex.get(name, "")))
        scope.symbols[name] = variable(name, shape_of(e))
    return found


def _graph(first: Graph, unknowns: list[Variable], nodes: list[Node], scope: Scope) -> Graph:
    used = {n for node in nodes for n in names_in(node.expr)}
    for u in unknowns:
        if u.name not in used:
            raise SpecError(f"unknowns: the template does not use {u.name}")
    return Graph((*(x for x in first.variables if x.name in used), *unknowns), tuple(nodes), tuple(scope.applied.values()))


def _known(names: list[str], key: str, r: PartReading, fits, why: str) -> None:  # type: ignore[no-untyped-def]
    for name in names:
        if name not in {x.name for x in r.graph.variables}:
            r.add(SpecError(f"{key}: there is no symbol {name}{did_you_mean(name, [x.name for x in r.graph.variables])}"), key)
        elif not fits(r.graph.shape(name)):
            r.add(ShapeError(f"{key}: {name} is {say_shape(r.graph.shape(name))}; {why}"), key)


def _fixed(name: str, text: str, r: PartReading, unknowns: list[Variable], dimensions: dict[str, Expr]) -> Expr | None:
    known = {x.name: x.symbol for x in r.graph.variables if x.role != "input"}
    shapes = {u.name: u.shape for u in unknowns}

    def work() -> Expr:
        if name not in shapes:
            raise SpecError(f"given: {name} is no unknown{did_you_mean(name, list(shapes))}")
        e = expression(text, Scope(known, dimensions))
        if shape_of(e) != shapes[name]:
            raise ShapeError(f"given: {name} is {say_shape(shapes[name])}, {text!r} is {say_shape(shape_of(e))}")
        return e

    found = r.attempt(work, "given")
    return found if isinstance(found, Expr) else None
