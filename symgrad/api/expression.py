"""Expressions written in Python: `W @ x + b` with the operators and the shape checks of the let-list.

SymPy's own operators would not do: they add matrices of different symbolic shapes, and `*` of two matrices is their product.
Here `@` is the matrix product and `*` goes entry by entry, as in NumPy; indices count from 1, as in formulas.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symgrad.api.numbers import Number, rational
from symgrad.api.written import written
from symgrad.language import vectors as v
from symgrad.language.errors import ShapeError, SpecError
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS, Function, dimension
from symgrad.language.graph import ROLES, Graph, Node, Variable
from symgrad.reader.letlist import Scope, apply_function, apply_operator, check_name, entry_at
from symgrad.reader.read import parse_shape
from symgrad.reader.structure import CONVENTIONS, declared_leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expression:
    """A scalar, vector or matrix expression; a named one knows its variable or definition, so that a graph can be read off it."""

    raw: Expr  # r.T @ h is (1, 1) here until it meets something else than @
    operands: tuple[Expression, ...] = ()
    leaf: Variable | Node | None = None
    functions: tuple[Function, ...] = ()

    @property
    def expr(self) -> Expr:
        """The SymPy expression."""
        return v.as_scalar(self.raw)

    @property
    def shape(self) -> v.Shape:
        return v.shape_of(self.expr)

    @property
    def T(self) -> Expression:
        """The transpose."""
        return Expression(v.transpose(self.raw), (self,))

    def __matmul__(self, other: Expression) -> Expression:
        return _apply(ast.MatMult(), "@", self, other)

    def __add__(self, other: Expression | Number) -> Expression:
        return _apply(ast.Add(), "+", self, other)

    def __radd__(self, other: Number) -> Expression:
        return _apply(ast.Add(), "+", other, self)

    def __sub__(self, other: Expression | Number) -> Expression:
        return _apply(ast.Sub(), "-", self, other)

    def __rsub__(self, other: Number) -> Expression:
        return _apply(ast.Sub(), "-", other, self)

    def __mul__(self, other: Expression | Number) -> Expression:
        return _apply(ast.Mult(), "*", self, other)

    def __rmul__(self, other: Number) -> Expression:
        return _apply(ast.Mult(), "*", other, self)

    def __truediv__(self, other: Expression | Number) -> Expression:
        return _apply(ast.Div(), "/", self, other)

    def __rtruediv__(self, other: Number) -> Expression:
        return _apply(ast.Div(), "/", other, self)

    def __pow__(self, other: Expression | Number) -> Expression:
        return _apply(ast.Pow(), "**", self, other)

    def __rpow__(self, other: Number) -> Expression:
        return _apply(ast.Pow(), "**", other, self)

    def __neg__(self) -> Expression:
        return Expression(v.negate(self.expr), (self,))

    def __pos__(self) -> Expression:
        return self

    def __getitem__(self, index: int | str | tuple[int | str, ...]) -> Expression:
        """Entry x[i] or W[i, j], counted from 1."""
        indices = index if isinstance(index, tuple) else (index,)
        return Expression(entry_at(self.expr, [dimension(i) if isinstance(i, str) else rational(i) for i in indices]), (self,))

    __iter__ = None  # an index past the end is an error, which Python would not take for the end of a loop
    __array_ufunc__ = None  # NumPy leaves the operators to us

    def __str__(self) -> str:
        return written(self.expr)

    def __repr__(self) -> str:
        return str(self)

    def _repr_latex_(self) -> str:
        from symgrad.sheet.notation import Notation

        return f"${Notation(graph_of(self)).tex(self.expr)}$"


def _operand(x: Expression | Number) -> Expression:
    return x if isinstance(x, Expression) else Expression(rational(x))


def _apply(op: ast.operator, sign: str, a: Expression | Number, b: Expression | Number) -> Expression:
    """a op b.  Raises ShapeError with the operation and both sides."""
    left, right = _operand(a), _operand(b)
    try:
        return Expression(apply_operator(op, left.raw, right.raw), (left, right))
    except ShapeError as error:
        raise ShapeError(f"{written(left.raw, 1)} {sign} {written(right.raw, 1)}: {error.message}") from None


def apply(name: str, *arguments: Expression | Number, functions: Iterable[Function] = ()) -> Expression:
    """A function of the let-list by its name; a name that is not known is an unknown function, unless it looks like a slip."""
    operands = tuple(_operand(a) for a in arguments)
    scope = Scope({}, {}, {f.name: f for f in functions})
    return Expression(apply_function(name, tuple(a.expr for a in operands), scope), operands, None, tuple(scope.applied.values()))


def variable(name: str, shape: str | int | tuple[str | int, ...] = "", role: str = "parameter", latex: str = "", structure: str = "",
             convention: str = "projected") -> Expression:
    """A leaf: "" is a scalar, "N" a vector, "K, N" a matrix; sizes are names or numbers.  Raises SpecError.

    `structure`: "symmetric", "skew", "lower", "upper" or "diagonal" for a square matrix; `convention`: the gradient of a symmetric
    one in the space of symmetric matrices ("projected"), or by its entries on and below the diagonal ("entries").
    """
    _check(name)
    if role not in ROLES[:3]:
        raise SpecError(f"{name}: the role {role!r} is not one of {', '.join(ROLES[:3])}")
    if convention not in CONVENTIONS:
        raise SpecError(f"{name}: the convention {convention!r} is not one of {', '.join(CONVENTIONS)}")
    leaf, image = declared_leaf(Variable(name, parse_shape(shape), role, latex), structure or None, convention, ())
    below = Expression(leaf.symbol, (), leaf)
    return below if image is None else Expression(image.symbol, (below,), image)


def define(name: str, value: Expression | Number, latex: str = "") -> Expression:
    """name := value, a node; what is built from the result refers to it by its name."""
    _check(name)
    operand = _operand(value)
    leaf = Node(name, operand.expr, latex)
    return Expression(leaf.symbol, (operand,), leaf)


def _check(name: str) -> None:
    check_name(name)
    if name in KNOWN or name in VECTOR_FUNCTIONS:
        raise SpecError(f"{name} is the name of a function; use another, with latex= for how it is printed")


def graph_of(*outputs: Expression) -> Graph:
    """The variables and definitions under some expressions, each once, arguments first.  Raises SpecError for a name with two meanings."""
    leaves: dict[str, Variable | Node] = {}
    functions: dict[str, Function] = {}
    seen: set[int] = set()
    stack: list[tuple[Expression, bool]] = [(e, False) for e in reversed(outputs)]
    while stack:
        e, ready = stack.pop()
        if not ready:
            if id(e) not in seen:
                seen.add(id(e))
                stack.append((e, True))
                stack.extend((o, False) for o in reversed(e.operands))
            continue
        functions.update((f.name, f) for f in e.functions)
        if e.leaf is not None and leaves.setdefault(e.leaf.name, e.leaf) != e.leaf:
            raise SpecError(f"the name {e.leaf.name} has two meanings: {_say(leaves[e.leaf.name])}, and {_say(e.leaf)}")
    check_dimensions(leaves.values())
    return Graph(tuple(x for x in leaves.values() if isinstance(x, Variable)), tuple(x for x in leaves.values() if isinstance(x, Node)),
                 tuple(functions.values()))


def check_dimensions(leaves: Iterable[Variable | Node]) -> None:
    """Raises SpecError where one word names both a variable and a dimension."""
    leaves = tuple(leaves)
    sizes = {str(s): x.name for x in leaves for d in x.shape for s in d.free_symbols}
    for x in leaves:
        if x.name in sizes:
            raise SpecError(f"{x.name} is the name of a symbol and of a dimension (of {sizes[x.name]}); rename one of them")


def _say(x: Variable | Node) -> str:
    return f"{x.name} = {written(x.expr)}" if isinstance(x, Node) else f"a variable, {v.say_shape(x.shape)}"


def expressions_of(graph: Graph) -> dict[str, Expression]:
    """Every name of a graph as an expression to build on."""
    found: dict[str, Expression] = {}
    for x in graph.all:
        below = tuple(found[a] for a in graph.arguments(x.name))
        found[x.name] = Expression(x.symbol, below, x, graph.functions if isinstance(x, Node) else ())
    return found


def expression_in(graph: Graph, expr: Expr) -> Expression:
    """An expression in the names of a graph, knowing what they mean."""
    known = expressions_of(graph)
    return Expression(expr, tuple(known[n] for n in v.names_in(expr) if n in known), None, graph.functions)


Operand = Expression | Number
__all__: list[Any] = ["Expression", "Operand", "apply", "check_dimensions", "define", "expression_in", "expressions_of", "graph_of", "variable"]
