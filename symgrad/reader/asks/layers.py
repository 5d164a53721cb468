"""A threshold network written as a let-list, y = step(W2 @ step(W1 @ x + b1) + b2), as layers of weights and biases.

Every entry of every definition is a linear form in inputs and units; `step` makes a unit of a form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sympy import Add, Expr, Integer, MatAdd, MatMul, MatrixSymbol, Mul, Number, OneMatrix, Rational, Symbol, Transpose, ZeroMatrix

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import Call
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Given
from symgrad.language.threshold import Layer
from symgrad.language.vectors import AsScalar, Elementwise, Entry

Source = tuple[int, int]
"""(0, i): input i; (k, j): unit j of layer k.  All count from 0 but the layer."""
MAX_ENTRIES = 10_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mix:
    """A linear form in inputs and units."""

    terms: tuple[tuple[Source, Rational], ...] = ()
    constant: Rational = Integer(0)

    def plus(self, other: Mix) -> Mix:
        found = dict(self.terms)
        for s, c in other.terms:
            found[s] = found.get(s, Integer(0)) + c
        return Mix(tuple((s, c) for s, c in sorted(found.items()) if c != 0), self.constant + other.constant)

    def times(self, other: Mix) -> Mix:
        """Raises Unsupported unless one of the two is a number."""
        a, b = (self, other) if not other.terms else (other, self)
        if b.terms:
            raise Unsupported("a product of inputs or units: the units of a threshold network are fed weighted sums")
        return Mix(tuple((s, c * b.constant) for s, c in a.terms if b.constant != 0), a.constant * b.constant)


Entries = list[list[Mix]]


@dataclass
class Reading:
    """The graph with its numbers, worked through from the inputs up."""

    graph: Graph
    values: dict[str, Given]
    inputs: list[str] = field(default_factory=list)
    units: list[list[Mix]] = field(default_factory=lambda: [[]])  # by layer; the inputs have none
    known: dict[str, Entries] = field(default_factory=dict)

    def named(self, name: str) -> Entries:
        """A variable or node, entry by entry."""
        if name not in self.known:
            found = self.graph[name]
            if isinstance(found, Node):
                self.known[name] = self.read(found.expr)
            elif name in self.values:
                self.known[name] = [[Mix((), x) for x in row] for row in self.values[name].entries]
            else:
                self.known[name] = self.input(name)
        return self.known[name]

    def input(self, name: str) -> Entries:
        variable = self.graph[name]
        rows, columns = variable.shape
        if getattr(variable, "role", "") != "input":
            raise SpecError(f"{name} has no value: state it in [symbols] or [values], or make it an input (role = \"input\")")
        if columns != 1 or not rows.is_Integer or rows > MAX_ENTRIES:
            raise Unsupported(f"the input {name}: inputs are numbers or vectors of a known size")
        first = len(self.inputs)
        self.inputs += [name] if rows == 1 else [f"{name}{i}" for i in range(1, int(rows) + 1)]
        return [[Mix((((0, first + i), Integer(1)),))] for i in range(int(rows))]

    def unit(self, z: Mix) -> Mix:
        """A unit fed by a form; all that feeds it is in one layer."""
        below = {layer for (layer, _), _ in z.terms}
        if len(below) > 1:
            raise Unsupported("a unit fed by two layers at once; each layer is fed by the one below it")
        layer = (below.pop() if below else 0) + 1
        while len(self.units) <= layer:
            self.units.append([])
        self.units[layer].append(z)
        return Mix((((layer, len(self.units[layer]) - 1), Integer(1)),))

    def read(self, e: Expr) -> Entries:
        """The entries of an expression.  Raises Unsupported for what is neither linear nor a step."""
        match e:
            case Number():
                return [[Mix((), e)]]
            case MatrixSymbol() | Symbol():
                return self.named(e.name)
            case AsScalar():
                return self.read(e.arg)
            case Transpose():
                return [list(column) for column in zip(*self.read(e.args[0]), strict=True)]
            case Add() | MatAdd():
                return fold([self.read(a) for a in e.args], added)
            case Mul() | MatMul():
                return fold([self.read(a) for a in e.args], product)
            case Call() | Elementwise() if e.fn.plain and e.fn.name == "step":
                return [[self.unit(z) for z in row] for row in self.read(e.arguments[0])]
            case Entry(args=(matrix, i, j)) if i.is_Integer and j.is_Integer:
                return [[self.read(matrix)[int(i) - 1][int(j) - 1]]]
            case OneMatrix() | ZeroMatrix() if all(s.is_Integer for s in e.shape):
                return [[Mix((), Integer(isinstance(e, OneMatrix)))] * int(e.shape[1]) for _ in range(int(e.shape[0]))]
        raise Unsupported(f"{type(e).__name__} in a threshold network: units are step of weighted sums with known weights")


def added(a: Entries, b: Entries) -> Entries:
    return [[x.plus(y) for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def product(a: Entries, b: Entries) -> Entries:
    """The matrix product, or a scalar times a matrix."""
    if len(a) == len(a[0]) == 1 or len(b) == len(b[0]) == 1:
        (scalar,), = a if len(a) == len(a[0]) == 1 else b
        return [[scalar.times(x) for x in row] for row in (b if len(a) == len(a[0]) == 1 else a)]
    return [[fold([x.times(row[k]) for x, row in zip(line, b, strict=True)], Mix.plus) for k in range(len(b[0]))] for line in a]


def fold(items: Sequence[T], join: Callable[[T, T], T]) -> T:
    """All joined, from the first on."""
    found = items[0]
    for x in items[1:]:
        found = join(found, x)
    return found


def layers_of(graph: Graph, values: Sequence[Given], of: str) -> tuple[tuple[str, ...], tuple[Layer, ...]]:
    """The names of the inputs, and the layers up to the outputs `of`.  Raises SpecError or Unsupported."""
    reading = Reading(graph, {g.name: g for g in values if g.digits is None})
    outputs = [x for row in reading.named(of) for x in row]
    last = len(reading.units) - 1
    if last == 0 or outputs != [Mix((((last, j), Integer(1)),)) for j in range(len(reading.units[last]))]:
        raise Unsupported(f"{of} is not the output of the last layer of step units")
    found = []
    for k in range(1, last + 1):
        below = len(reading.inputs) if k == 1 else len(reading.units[k - 1])
        rows = [[dict(z.terms).get((k - 1, i), Integer(0)) for i in range(below)] for z in reading.units[k]]
        found.append(Layer(tuple(map(tuple, rows)), tuple(z.constant for z in reading.units[k])))
    return tuple(reading.inputs), tuple(found)
