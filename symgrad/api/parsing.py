"""Models from let-list text, and from expressions written in Python."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symgrad.api.expression import Expression, Operand, define, graph_of
from symgrad.api.model import Model, raise_all
from symgrad.api.numbers import conventions as read_conventions
from symgrad.language.errors import Place, SpecError, Unsupported
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS, Function, scalar, unknown
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Conventions
from symgrad.language.vectors import variable
from symgrad.reader.definitions import definitions, target
from symgrad.reader.families import write_out
from symgrad.reader.fields import validated
from symgrad.reader.letlist import Scope, check_name, statements
from symgrad.reader.read import parse_shape
from symgrad.reader.spec import SymbolSpec
from symgrad.reader.structure import declared_leaf, gradient_clash


@dataclass
class _Leaves(Scope):
    """A scope that takes a name which nothing defines for a scalar variable; or, where shapes are stated, says how to state one."""

    defined: frozenset[str] = frozenset()
    open: bool = False

    def lookup(self, name: str) -> Expr:
        if name in self.symbols or name in self.dimensions or name in self.defined:
            return Scope.lookup(self, name)
        if self.open and name not in KNOWN and name not in VECTOR_FUNCTIONS and name not in self.declared:
            check_name(name)
            return self.symbols.setdefault(name, scalar(name))
        try:
            return Scope.lookup(self, name)
        except SpecError as error:
            raise SpecError(f"{error.message}; a variable needs its shape: shapes={{{name!r}: 'N'}}") from None


def parse(text: str, shapes: Mapping[str, Any] | None = None, *, functions: Mapping[str, int | Function] | None = None,
          latex: Mapping[str, str] | None = None, values: Mapping[str, Any] | None = None,
          conventions: Conventions | Mapping[str, Any] | None = None, indices: Mapping[str, int] | None = None, title: str = "",
          digits: int = 4) -> Model:
    """A model from a let-list, one definition a line.

    `shapes`: "" (scalar), "N", "K, N", (3, 2), or a table as in [symbols] with shape, structure, role, latex, value, each; without it every
    variable is a scalar.  `functions`: unknown functions with their number of arguments; `latex`: how nodes are printed; `indices`: the
    lengths of indices, {"i": 3}, as in [indices], after which the members of a family are W_1, W_2, W_3.
    Raises SpecError or ShapeError with the line, SpecErrors if there are several.
    """
    rows = {name: f if isinstance(f, Function) else unknown(name, f) for name, f in (functions or {}).items()}
    errors: list[SpecError | Unsupported] = []
    stated = dict(values or {})
    read = read_conventions(conventions)
    variables: dict[str, Variable] = {}
    images: list[Node] = []
    lets: Sequence[tuple[int, str]] = statements(text)
    if indices:
        lets, shapes, latex = _members(text, shapes or {}, latex or {}, indices, rows)
    taken = {*(shapes or {}), *(target(line) for _, line in lets)}
    for name in rows:
        if name in KNOWN or name in VECTOR_FUNCTIONS:
            errors.append(SpecError(f"functions: {name} is a known function and cannot be declared"))
    for name, shape in (shapes or {}).items():
        fields = dict(shape) if isinstance(shape, Mapping) else {"shape": shape}
        if fields.get("value") is not None:
            stated.setdefault(name, fields["value"])
        fields.pop("value", None)
        try:
            variables[name], image = _variable(name, fields, rows, read.symmetric, taken)
            images += [image] if image is not None else []
        except (SpecError, Unsupported) as error:
            errors.append(error)
    if errors:
        raise_all(errors)
    dimensions = {str(s): s for x in variables.values() for d in x.shape for s in d.free_symbols}
    defined = frozenset(target(line) for _, line in lets)
    scope = _Leaves({n: variable(n, x.shape) for n, x in variables.items()}, dimensions, rows, defined=defined, open=shapes is None)

    def note(error: SpecError | Unsupported, line: int) -> None:
        place = Place("let-list", line)
        errors.append(type(error)(error.message, place) if isinstance(error, SpecError) else Unsupported(f"{place}: {error}"))

    nodes, _ = definitions(lets, scope, latex or {}, note)
    if errors:
        raise_all(errors)
    if not nodes:
        raise SpecError("the let-list is empty; write one definition a line, name = expression")
    names = {n.name for n in nodes}
    leaves = (*variables.values(), *(Variable(n, latex=(latex or {}).get(n, "")) for n in scope.symbols if n not in variables and n not in names))
    whole = Graph(leaves, (*images, *nodes), tuple(scope.applied.values()))
    if name := gradient_clash(whole):
        raise SpecError(f"{name}_grad is the name of the gradient in {name}; call it something else")
    return _model(whole, stated, read, title, digits)


def _members(text: str, shapes: Mapping[str, Any], latex: Mapping[str, str], indices: Mapping[str, int], rows: Mapping[str, Function],
             ) -> tuple[tuple[tuple[int, str], ...], dict[str, Any], dict[str, str]]:
    """The let-list, the shapes and how nodes are printed with all members of every family written out."""
    errors: list[SpecError | Unsupported] = []
    if named := next((i for i, n in indices.items() if not isinstance(n, int)), ""):
        raise Unsupported(f"indices: {named} with a name for its length, which a problem file can have: [indices] {named} = \"{indices[named]}\"")
    tables = {name: dict(s) if isinstance(s, Mapping) else {"shape": s} for name, s in shapes.items()}
    symbols = {name: validated(SymbolSpec, {"each": fields.get("each", False)}, f"shapes: {name}") for name, fields in tables.items()}
    table = {"indices": dict(indices), "symbols": tables, "model": {"let": text, "latex": dict(latex)}, "part": [], "functions": rows}

    def note(error: SpecError | Unsupported, line: int) -> None:
        place = Place("let-list", line)
        errors.append(type(error)(error.message, place) if isinstance(error, SpecError) else Unsupported(f"{place}: {error}"))

    found = write_out(table, symbols, note, lambda error, _: errors.append(error), 1)
    if errors:
        raise_all(errors)
    return found.lets, found.table["symbols"], found.table["model"]["latex"]


def _variable(name: str, fields: Mapping[str, Any], rows: Mapping[str, Function], convention: str,
              taken: Collection[str]) -> tuple[Variable, Node | None]:
    check_name(name)
    if name in KNOWN or name in VECTOR_FUNCTIONS or name in rows:
        raise SpecError(f"shapes: {name} is the name of a function and cannot be a variable")
    shape = fields.get("shape", "")
    spec = validated(SymbolSpec, {**fields, "shape": ", ".join(map(str, shape)) if isinstance(shape, tuple | list) else shape}, f"shapes: {name}")
    if spec.each:
        raise SpecError(f"shapes: {name}: each = {spec.each!r} goes with the lengths of the indices, indices={{'i': 3}}")
    try:
        return declared_leaf(Variable(name, parse_shape(spec.shape), spec.role, spec.latex), spec.structure, convention, taken)
    except SpecError as error:
        raise SpecError(f"shapes: {name}: {error.message}") from None


def graph(*outputs: Expression, values: Mapping[str, Any] | None = None, conventions: Conventions | Mapping[str, Any] | None = None,
          title: str = "", digits: int = 4, **definitions: Operand) -> Model:
    """A model of everything under some expressions: named ones (`define`), or named here, `graph(L=S + R)`.

    Raises SpecError for an expression without a name, and for a name with two meanings.
    """
    for e in outputs:
        if not isinstance(e, Expression) or not isinstance(e.leaf, Node):
            raise SpecError(f"{e} is no definition; give it a name: graph(L=...) or define('L', ...)")
    named = (*outputs, *(define(name, value) for name, value in definitions.items()))
    if not named:
        raise SpecError("graph: give at least one definition")
    return _model(graph_of(*named), values, conventions, title, digits)


def _model(graph: Graph, values: Mapping[str, Any] | None, conventions: Conventions | Mapping[str, Any] | None, title: str, digits: int) -> Model:
    return Model(graph, (), read_conventions(conventions), title, digits).given(values or {})


__all__ = ["graph", "parse"]
