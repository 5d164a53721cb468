"""The computation graph: an ordered list of named definitions, each in terms of names above it, each name bound once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from symgrad.language.errors import SpecError
from symgrad.language.functions import Function
from symgrad.language.structure import Entries, Structure, free_name, image, mapped
from symgrad.language.vectors import SCALAR, Shape, names_in, say_shape, shape_of, variable

ROLES = ("input", "parameter", "given", "adjoint")


@dataclass(frozen=True, slots=True)
class Variable:
    """A leaf of the graph: an input, a parameter or a given constant."""

    name: str
    shape: Shape = SCALAR
    role: str = "parameter"
    latex: str = ""

    @property
    def symbol(self) -> Expr:
        return variable(self.name, self.shape)


@dataclass(frozen=True, slots=True)
class Node:
    """name := expr, where expr uses only names defined above it."""

    name: str
    expr: Expr
    latex: str = ""
    structure: Structure | None = None  # of a structured variable, whose definition is in terms of its free matrix alone

    @property
    def shape(self) -> Shape:
        return shape_of(self.expr)

    @property
    def symbol(self) -> Expr:
        return variable(self.name, self.shape)


def structured(x: Variable, structure: Structure, taken: Collection[str] = ()) -> tuple[Variable, Node]:
    """A free matrix, and the variable as its image.  Raises SpecError for what is no square matrix."""
    if x.shape == SCALAR or x.shape[0] != x.shape[1]:
        raise SpecError(f"a {structure.word} variable is a square matrix, {x.name} is {say_shape(x.shape)}")
    free = Variable(free_name(x.name, taken), x.shape, x.role)
    return free, Node(x.name, mapped(structure, free.symbol), x.latex, structure)


@dataclass(frozen=True, slots=True)
class Graph:
    """Variables, then definitions in order; the functions they apply travel with them.

    Raises SpecError for a name bound twice, a name used before its definition, or a name used with another shape.
    """

    variables: tuple[Variable, ...]
    nodes: tuple[Node, ...]
    functions: tuple[Function, ...] = ()
    _by_name: dict[str, Variable | Node] = field(init=False, repr=False, compare=False)
    _arguments: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _consumers: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _behind: dict[str, Node] = field(init=False, repr=False, compare=False)
    _dimensions: list[tuple[Symbol, ...]] = field(init=False, repr=False, compare=False, default_factory=list)  # at most one, when asked for

    def __post_init__(self) -> None:
        by_name: dict[str, Variable | Node] = {}
        arguments: dict[str, tuple[str, ...]] = {}
        consumers: dict[str, list[str]] = {}
        for v in self.variables:
            if v.name in by_name:
                raise SpecError(f"the name {v.name} is declared twice")
            by_name[v.name] = v
            consumers[v.name] = []
        for node in self.nodes:
            if node.name in by_name:
                raise SpecError(f"the name {node.name} is bound twice; every name has one definition")
            used = names_in(node.expr)
            for name in used:
                if name not in by_name:
                    raise SpecError(f"{node.name} uses {name}, which is not defined above it")
                consumers[name].append(node.name)
            arguments[node.name] = used
            by_name[node.name] = node
            consumers[node.name] = []
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_behind", {arguments[n.name][0]: n for n in self.nodes if n.structure is not None})
        object.__setattr__(self, "_arguments", arguments)
        object.__setattr__(self, "_consumers", {name: tuple(c) for name, c in consumers.items()})

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Variable | Node:
        """The variable or node of that name.  Raises SpecError, with the names there are."""
        if name not in self._by_name:
            raise SpecError(f"there is no {name} in the graph; it has {', '.join(self._by_name)}")
        return self._by_name[name]

    def node(self, name: str) -> Node:
        """The definition of that name.  Raises SpecError for a variable, which has none."""
        found = self[name]
        if not isinstance(found, Node):
            raise SpecError(f"{name} is a variable, it has no definition")
        return found

    def symbol(self, name: str) -> Expr:
        return self[name].symbol

    def shape(self, name: str) -> Shape:
        return self[name].shape

    @property
    def all(self) -> tuple[Variable | Node, ...]:
        """Variables, then nodes, in order."""
        return tuple(self._by_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        """All names, variables first, in order."""
        return tuple(self._by_name)

    @property
    def structured(self) -> tuple[Node, ...]:
        """The structured variables, in order."""
        return tuple(self._behind.values())

    def free(self, name: str) -> str:
        """The name in which one differentiates for the gradient in `name`: of a structured variable its free matrix, else `name`."""
        found = self._by_name.get(name)
        return self._arguments[name][0] if isinstance(found, Node) and found.structure is not None else name

    def behind(self, name: str) -> Node | None:
        """The structured variable whose free matrix `name` is."""
        return self._behind.get(name)

    def asked(self, name: str) -> str:
        """The reverse of `free`: what was asked for where one differentiates in `name`."""
        found = self.behind(name)
        return found.name if found is not None else name

    def stated(self, name: str, entries: Entries) -> tuple[str, Entries]:
        """Numbers for a variable as a reader knows it: those of a free matrix as the structured variable they make."""
        found = self.behind(name)
        return (name, entries) if found is None or found.structure is None else (found.name, image(found.structure, entries))

    def arguments(self, name: str) -> tuple[str, ...]:
        """The names that the definition of `name` uses; none for a variable."""
        return self._arguments.get(name, ())

    def consumers(self, name: str) -> tuple[str, ...]:
        """The nodes whose definitions use `name`, in order."""
        return self._consumers[name]

    def ancestors(self, name: str) -> frozenset[str]:
        """`name` and all that it depends on."""
        seen = {name}
        stack = [name]
        while stack:
            for argument in self.arguments(stack.pop()):
                if argument not in seen:
                    seen.add(argument)
                    stack.append(argument)
        return frozenset(seen)

    def descendants(self, name: str) -> frozenset[str]:
        """`name` and all that depends on it."""
        seen = {name}
        stack = [name]
        while stack:
            for consumer in self.consumers(stack.pop()):
                if consumer not in seen:
                    seen.add(consumer)
                    stack.append(consumer)
        return frozenset(seen)

    def between(self, start: str, end: str) -> tuple[str, ...]:
        """The names on some path from `start` to `end`, in order of definition; empty if there is no path."""
        on_path = self.descendants(start) & self.ancestors(end)
        return tuple(name for name in self.names if name in on_path)

    def ways(self, end: str) -> dict[str, int]:
        """How many paths lead to `end` from each name from which there is one; linear in the graph."""
        found = {end: 1}
        for name in reversed(self.names):
            count = sum(found.get(c, 0) for c in self.consumers(name)) if name != end else 1
            if count:
                found[name] = count
        return found

    def count_paths(self, start: str, end: str) -> int:
        """How many paths lead from `start` to `end`; linear in the graph."""
        return self.ways(end).get(start, 0)

    def paths(self, start: str, end: str, ways: Collection[str] | None = None) -> Iterator[tuple[str, ...]]:
        """All paths (start, ..., end), in order of definition; `ways` are the names that lead to `end`, if known.

        Exponentially many: see `count_paths` first.
        """
        alive = self.ancestors(end) if ways is None else ways
        stack: list[tuple[str, ...]] = [(start,)] if start in alive else []
        while stack:
            path = stack.pop()
            if path[-1] == end:
                yield path
            else:
                stack.extend((*path, c) for c in reversed(self.consumers(path[-1])) if c in alive)

    def extended(self, nodes: Iterable[Node], variables: Iterable[Variable] = ()) -> Graph:
        """This graph with more variables and definitions after its own."""
        return Graph((*self.variables, *variables), (*self.nodes, *nodes), self.functions)

    def function(self, name: str) -> Function:
        """The row of a function that the graph applies."""
        for row in self.functions:
            if row.name == name:
                return row
        raise SpecError(f"the graph applies no function {name}")

    @property
    def dimensions(self) -> tuple[Symbol, ...]:
        """The symbolic dimensions, in order of first appearance."""
        if not self._dimensions:
            found: dict[Symbol, None] = {}
            for v in self.all:
                for size in v.shape:
                    found.update(dict.fromkeys(sorted(size.free_symbols, key=str)))
            self._dimensions.append(tuple(found))
        return self._dimensions[0]

    @property
    def is_scalar(self) -> bool:
        """No variable and no node is a vector or a matrix."""
        return all(v.shape == SCALAR for v in self.all)

    def __str__(self) -> str:
        head = [f"{v.name} : {say_shape(v.shape)}" for v in self.variables]
        return "\n".join([*head, *(f"{n.name} := {n.expr}" for n in self.nodes)])
