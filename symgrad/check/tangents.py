"""Verification of claims about tangents, Jacobians and second derivatives (language/tangents.py).

A tangent is compared with the sum over the moving arguments of (du/da) a_dot, du/da from the definition of the node; each is local,
with the tangents of the arguments for free symbols.  First in matrix notation, as sums of products (check/differentials.py,
check/products.py), which is a proof for all sizes; where that does not show it, entry by entry.  Second derivatives are tangents of
adjoints: an adjoint that was verified equals its expression wherever both exist, so it may be differentiated in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import pairwise

from sympy import Expr, Identity, Integer, MatrixExpr, MatrixSymbol, Symbol, ZeroMatrix

from symgrad.check.adjoints import Adjoints
from symgrad.check.comparison import Compared
from symgrad.check.differentials import Differentials, applied, conditions, moving, upright
from symgrad.check.duals import costly
from symgrad.check.errors import Undecided
from symgrad.check.general import General, lettered
from symgrad.check.lines import one_by_one
from symgrad.check.meaning import Meaning, expressions, flat
from symgrad.check.products import Products
from symgrad.check.shapes import Shapes
from symgrad.check.sizes import Source
from symgrad.language import forms as F
from symgrad.language.bounds import with_definitions
from symgrad.language.claims import ClosedTangent, Tangent
from symgrad.language.errors import Refused, ShapeError, Unsupported
from symgrad.language.graph import Graph, Variable
from symgrad.language.steps import Verdict
from symgrad.language.tangents import Direction, entries, is_clear, is_jacobian, moved, tangent, tangent_name, tangent_shape, with_adjoints
from symgrad.language.vectors import SCALAR, add, names_in, say_shape, shape_of, variable

Setting = tuple[str, Direction]
"""The node whose adjoints are definitions ("" for none), and the direction."""


Differentiated = tuple[dict[str, Expr], dict[Expr, Expr]]
"""The differentials of names, and of the symbols of their tangents."""


@dataclass
class _Extended:
    """A graph with adjoints for definitions, and what moves in it along each direction."""

    adjoints: dict[str, Expr]
    graph: Graph
    found: dict[Direction, frozenset[str]] = field(default_factory=dict)
    known: dict[Direction, Differentiated] = field(default_factory=dict)

    @cached_property
    def general(self) -> General | None:
        """The same with letters for sizes that are large numbers."""
        return lettered(self.graph)

    @cached_property
    def shapes(self) -> Shapes:
        return Shapes(self.graph)

    def moving(self, direction: Direction) -> frozenset[str]:
        if direction not in self.found:
            self.found[direction] = moved(self.graph, direction)
        return self.found[direction]

    @cached_property
    def is_scalar(self) -> bool:
        return self.graph.is_scalar

    def changes(self, direction: Direction) -> Differentiated:
        """The differentials of what moves (check/differentials.py)."""
        if direction not in self.known:
            self.known[direction] = moving(self.graph, direction)
        return self.known[direction]


class Tangents:
    """Tangent claims of one problem; each may use the tangents, and the adjoints, that were verified before it."""

    def __init__(self, adjoints: Adjoints) -> None:
        self.adjoints, self.base = adjoints, adjoints.problem.graph
        self.found: dict[Setting, dict[str, Expr]] = {}
        self.graphs: dict[str, _Extended] = {}

    # ---- claims ----------------------------------------------------------------------------------------------

    def tangent(self, c: Tangent) -> Verdict:
        """lines[0] is the sum of one pushforward for every argument that moves; every line has the same entries."""
        graph = self.graph(c.seed)
        self.require_direction(c.direction)
        what = tangent_name(c.node, c.direction)
        shape = tangent_shape(graph, c.node, c.direction)
        if what in graph or not is_clear(self.base, c.node, c.direction):
            raise Refused(f"{what} is a name of the problem or of another derivative, and cannot stand for one of {c.node} too")
        if not c.lines:
            raise Refused(f"{what} has no lines")
        forms = (*(line.form for line in c.lines), F.Just(c.expr))
        self.well_formed(graph, c.seed, c.direction, [e for f in forms for e in expressions(f)], what)
        if any(isinstance(p, F.Pushforward) and p.direction != c.direction for f in forms for p in F.pieces(f)):
            raise Refused(f"a line of {what} is along another direction")
        self.require_first(graph, c, what)
        for n in graph.ancestors(c.node) if c.seed else ():
            base = n.removesuffix("_bar")
            used = self.adjoints.rests.get((c.seed, base), frozenset()) & {w for w, _ in c.direction} if n != base else frozenset()
            if used:
                raise Refused(f"{n} was verified with the definition of {', '.join(sorted(used))}, and cannot be differentiated in it")
        if shape_of(c.expr) != shape:
            raise Refused(f"{what} has shape {say_shape(shape_of(c.expr))}, it should be {say_shape(shape)}")
        own = graph.symbol(c.node)
        inline = {}
        if not isinstance(graph[c.node], Variable) and c.node in {n for f in forms for e in expressions(f) for n in names_in(e)}:
            inline = {own: graph.node(c.node).expr}
        compared = self.chain(graph, c, forms, shape, what, inline)
        self.found.setdefault((c.seed, c.direction), {})[c.node] = c.expr
        first = "the direction" if c.node in dict(c.direction) else "one term for every argument that moves"
        return self.adjoints.verdict(f"{first}; each line {compared}", compared)

    def require_first(self, graph: Graph, c: Tangent, what: str) -> None:
        """The first line is the direction itself, the sum over all arguments that move, or 0.  Raises Refused."""
        first = c.lines[0].form
        if c.node in dict(c.direction):
            size = entries(graph.shape(c.node))
            own = self.base.symbol(dict(c.direction)[c.node]) if not is_jacobian(c.direction) else Integer(1) if size == 1 else Identity(size)
            if first != F.Just(own):
                raise Refused(f"{what} is {'1' if own == 1 else own} by definition")
            return
        moving = self.extended(c.seed).moving(c.direction)
        arguments = [a for a in graph.arguments(c.node) if a in moving]
        if not arguments:
            if not (c.expr == 0 or isinstance(c.expr, ZeroMatrix)) or first != F.Just(c.expr):
                raise Refused(f"{c.node} does not depend on {', '.join(w for w, _ in c.direction)}, so {what} is zero")
            return
        terms = first.terms if isinstance(first, F.Sum) else (first,)
        missing = [a for a in arguments if F.Pushforward(c.node, a, c.direction) not in terms]
        if missing:
            raise Refused(f"{what} forgets what {', '.join(missing)} contributes")
        if len(terms) != len(arguments):
            raise Refused(f"{what} has a term that is no argument of {c.node}, or one twice")
        derived = self.found.get((c.seed, c.direction), {})
        for a in arguments:
            if a not in derived and a not in dict(c.direction):
                raise Refused(f"{what} uses {tangent_name(a, c.direction)} before it is derived")

    def closed(self, c: ClosedTangent) -> Verdict:
        """All tangents' definitions put in."""
        graph, derived = self.graph(c.seed), self.found.get((c.seed, c.direction), {})
        what = f"{tangent_name(c.node, c.direction)} (closed form)"
        if c.node not in derived:
            raise Refused(f"{tangent_name(c.node, c.direction)} was not derived")
        self.well_formed(graph, c.seed, c.direction, [c.expr], what)
        table = {tangent(graph, n, c.direction): e for n, e in derived.items()}
        left: frozenset[str] = frozenset(names_in(c.expr)) & {tangent_name(n, c.direction) for n in derived}
        if left:
            raise Refused(f"{what} still has {', '.join(sorted(left))} in it")
        expr = with_definitions(derived[c.node], table)
        if flat(expr) == flat(c.expr):
            self.adjoints.note_kinks([Source(expr)])
            return self.adjoints.verdict("equals put in for equals, compared as expressions", Compared())
        compared = self.chain(graph, c, (F.Just(expr), F.Just(c.expr)), tangent_shape(graph, c.node, c.direction), what, {})
        return self.adjoints.verdict(str(compared), compared)

    def composed(self, e: Expr) -> Expr:
        """The definitions of all tangents that were verified put in."""
        table = {tangent(self.graph(seed), n, direction): x for (seed, direction), found in self.found.items() for n, x in found.items()}
        return with_definitions(e, table)

    def same(self, left: Expr, right: Expr, direction: Direction) -> bool:
        """Are two Jacobians, or two tangents, the same sum of products?  False where that is not seen."""
        try:
            if is_jacobian(direction):
                shape = self.base.shape(direction[0][0])
                t = variable("#d", shape) if shape != SCALAR else Integer(1)
                left, right = (applied(e, t, {}) for e in (left, right))
            return shape_of(left) == shape_of(right) and Products().equal(left, right)
        except (Undecided, Unsupported, ShapeError):
            return False

    # ---- the setting -----------------------------------------------------------------------------------------

    def graph(self, seed: str) -> Graph:
        """The graph of the problem; with the adjoints of `seed` that were verified so far for definitions."""
        return self.extended(seed).graph

    def extended(self, seed: str) -> _Extended:
        """Made anew whenever an adjoint was verified since, or verified again in another form."""
        adjoints = {n: e for (of, n), e in self.adjoints.found.items() if of == seed} if seed else {}
        if seed not in self.graphs or self.graphs[seed].adjoints != adjoints:
            self.graphs[seed] = _Extended(adjoints, with_adjoints(self.base, adjoints))
        return self.graphs[seed]

    def require_direction(self, direction: Direction) -> None:
        """Different names, none above another, along variables that do not move and have their shapes.  Raises Refused."""
        names = [w for w, _ in direction]
        if not names or len(set(names)) != len(names):
            raise Refused("a direction has a variable, or several different ones")
        reached = moved(self.base, direction)
        for w, along in direction:
            if getattr(self.base[w], "structure", None) is not None:
                raise Refused(f"the entries of {w} are tied together by its structure and do not move alone")
            if any(w in self.base.descendants(other) for other in names if other != w):
                raise Refused(f"{w} depends on another name of the direction")
            if is_jacobian(direction):
                continue
            if along not in self.base or self.base.shape(along) != self.base.shape(w):
                raise Refused(f"the direction of {w} is not a name with its shape")
            if along in reached:
                raise Refused(f"{along} itself moves along the direction")

    def well_formed(self, graph: Graph, seed: str, direction: Direction, exprs: list[Expr], what: str) -> None:
        """Shapes fit, and no tangent and no adjoint is used that was not derived.  Raises Refused."""
        derived = {tangent_name(n, direction): tangent(graph, n, direction) for n in self.found.get((seed, direction), {})}
        shapes = self.extended(seed).shapes
        for e in exprs:
            shapes.require(e)
            for s in (s for s in e.atoms(MatrixSymbol, Symbol) if isinstance(s, MatrixSymbol) or not s.is_integer):
                own = graph.symbol(s.name) if s.name in graph else derived.get(s.name)
                if own is None:
                    raise Refused(f"{what} uses {s.name} before it is derived")
                if s != own:
                    raise Refused(f"{what} gives {s.name} another shape: it is {say_shape(shape_of(own))}")

    # ---- comparison ------------------------------------------------------------------------------------------

    def chain(self, graph: Graph, c: Tangent | ClosedTangent, forms: tuple[F.Form, ...], shape: tuple[Expr, Expr], what: str,
              inline: dict[Expr, Expr]) -> Compared:
        """Every form equals the next; a chain that differs from a proved one in its names only is not gone through again."""
        for wrong in (e for f in forms for e in expressions(f) if shape_of(e) != shape):  # 3 is not 3 I, though both triple every vector
            raise Refused(f"{what}: the shapes differ, {say_shape(shape_of(wrong))} is not {say_shape(shape)}")
        meaning, general, comparison = Meaning(graph, inline), self.extended(c.seed).general, self.adjoints.comparison(c.seed)

        comparison = replace(comparison, doubtful=costly(meaning, forms))

        def equal(a: F.Form, b: F.Form, line: str) -> Compared:
            return meaning.in_general(general, comparison, a, b, shape, line) or meaning.compared(comparison, a, b, shape, line)

        return self.adjoints.once(meaning, comparison.numbers, forms, shape,
                                  lambda: self.in_matrices(meaning, c, forms) or one_by_one(forms, what, equal))

    def in_matrices(self, meaning: Meaning, c: Tangent | ClosedTangent, forms: tuple[F.Form, ...]) -> Compared | None:
        """All forms are the same sum of products of matrices, as the differential of the node; else None, and nothing is known.

        A Jacobian J is compared by J vec(T), T being any matrix: what maps every T alike is the same matrix.
        """
        extended = self.extended(c.seed)
        if extended.is_scalar:
            return None
        try:
            changes = extended.changes(c.direction)
            sides = [self.differential(meaning, f, c.direction, *changes).xreplace(self.adjoints.numbers(c.seed)) for f in forms]
            products = Products()
            if not any(e.has(MatrixExpr) for e in sides) or any(shape_of(e) != shape_of(sides[0]) for e in sides):
                return None
            if all(products.equal(a, b) for a, b in pairwise(sides)):
                return Compared(conditions=conditions(*sides, *(s.expr for f in forms for s in meaning.sources(f))), products=True)
        except (Undecided, Unsupported, ShapeError):
            pass
        return None

    def differential(self, meaning: Meaning, form: F.Form, direction: Direction, changes: dict[str, Expr], tangents: dict[Expr, Expr]) -> Expr:
        """What a form stands for: the differential of a node, shaped like it or a column with its entries; a Jacobian times vec(dw)."""
        match form:
            case F.Just(expr) if is_jacobian(direction):
                (w, _), = direction
                start = upright(changes[w])
                return meaning.whole(applied(expr, start, {(letter, start): d for letter, d in tangents.items()}))
            case F.Just(expr):
                return upright(meaning.whole(expr))
            case F.Sum(terms):
                return reduce(add, (self.differential(meaning, t, direction, changes, tangents) for t in terms))
            case F.Pushforward(of, wrt, _):
                node = meaning.graph.node(of)
                found = Differentials({meaning.graph.symbol(wrt): changes[wrt]}).of(node.expr)
                still = Integer(0) if node.shape == (1, 1) else ZeroMatrix(*node.shape)
                return upright(meaning.whole(found) if found is not None else still)
        raise Unsupported(f"{type(form).__name__} in matrix notation")


__all__ = ["Tangents"]
