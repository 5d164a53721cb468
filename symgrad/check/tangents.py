"""Verification of claims about tangents, Jacobians and second derivatives (language/tangents.py).

A tangent is compared entry by entry with the sum over the moving arguments of (du/da) a_dot, du/da from the definition of the
node; each is local, with the tangents of the arguments for free symbols.  Second derivatives are tangents of adjoints: an adjoint
that was verified equals its expression wherever both exist, so the expression may be differentiated in its place.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sympy import Add, Expr, Identity, Integer, MatMul, MatrixSymbol, Mul, OneMatrix, Symbol, Transpose, ZeroMatrix

from symgrad.check.adjoints import Adjoints, expressions, flat
from symgrad.check.comparison import Compared
from symgrad.check.explicit import Explicit, Rows
from symgrad.check.general import General
from symgrad.check.normal import Undecided
from symgrad.check.pattern import Pattern
from symgrad.check.shapes import require_shapes
from symgrad.check.sizes import Source
from symgrad.check.slots import Slots, slots
from symgrad.language import forms as F
from symgrad.language.bounds import within_degree
from symgrad.language.claims import ClosedTangent, Tangent
from symgrad.language.errors import Refused
from symgrad.language.graph import Graph, Variable
from symgrad.language.operations import Vec
from symgrad.language.steps import Verdict
from symgrad.language.tangents import Direction, entries, is_clear, is_jacobian, moved, tangent, tangent_name, tangent_shape, with_adjoints
from symgrad.language.vectors import dimensions_in, is_scalar, names_in, say_shape, shape_of

Setting = tuple[str, Direction]
"""The node whose adjoints are definitions ("" for none), and the direction."""


@dataclass
class _Extended:
    """A graph with adjoints for definitions, and what moves in it along each direction."""

    adjoints: dict[str, Expr]
    graph: Graph
    found: dict[Direction, frozenset[str]] = field(default_factory=dict)
    letters: list[General | None] = field(default_factory=list)  # at most one: the graph with letters for large sizes; None if that cannot be

    def general(self) -> General | None:
        """Large numbers for sizes as letters (check/general.py)."""
        if not self.letters:
            try:
                self.letters.append(General(self.graph))
            except Refused:
                self.letters.append(None)
        return self.letters[0]

    def moving(self, direction: Direction) -> frozenset[str]:
        if direction not in self.found:
            self.found[direction] = moved(self.graph, direction)
        return self.found[direction]


class Tangents:
    """Tangent claims of one problem; each may use the tangents, and the adjoints, that were verified before it."""

    def __init__(self, adjoints: Adjoints) -> None:
        self.adjoints, self.base = adjoints, adjoints.problem.graph
        self.found: dict[Setting, dict[str, Expr]] = {}
        self.graphs: dict[str, _Extended] = {}
        self.shown: dict[Hashable, Compared] = {}

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
        compared = self.chain(graph, c.seed, forms, shape, what, inline)
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
        expr = derived[c.node]
        while (put_in := within_degree(expr).xreplace(table)) != expr:
            expr = put_in
        if flat(expr) == flat(c.expr):
            self.adjoints.note_kinks([Source(expr)])
            return self.adjoints.verdict("equals put in for equals, compared as expressions", Compared())
        compared = self.chain(graph, c.seed, (F.Just(expr), F.Just(c.expr)), tangent_shape(graph, c.node, c.direction), what, {})
        return self.adjoints.verdict(str(compared), compared)

    def composed(self, e: Expr) -> Expr:
        """The definitions of all tangents that were verified put in."""
        table = {tangent(self.graph(seed), n, direction): x for (seed, direction), found in self.found.items() for n, x in found.items()}
        while (put_in := within_degree(e).xreplace(table)) != e:
            e = put_in
        return e

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
        for e in exprs:
            require_shapes(e, graph)
            for s in (s for s in e.atoms(MatrixSymbol, Symbol) if isinstance(s, MatrixSymbol) or not s.is_integer):
                own = graph.symbol(s.name) if s.name in graph else derived.get(s.name)
                if own is None:
                    raise Refused(f"{what} uses {s.name} before it is derived")
                if s != own:
                    raise Refused(f"{what} gives {s.name} another shape: it is {say_shape(shape_of(own))}")

    # ---- comparison ------------------------------------------------------------------------------------------

    def chain(self, graph: Graph, seed: str, forms: tuple[F.Form, ...], shape: tuple[Expr, Expr], what: str, inline: dict[Expr, Expr]) -> Compared:
        """Every form equals the next; a chain that differs from a proved one in its names only is not gone through again."""
        meaning = _Meaning(graph, inline)
        sources = tuple(s for f in forms for s in meaning.sources(f))
        self.adjoints.note_kinks(sources)
        pattern = Pattern(graph, self.adjoints.numbers(seed))
        key = (*map(pattern.form, forms), *map(pattern.expression, (*shape, *(x for pair in inline.items() for x in pair))))
        if key not in self.shown:
            found = Compared()
            for k, (a, b) in enumerate(pairwise(forms), 2):
                if a != b:
                    where = f"line {k} of {what}"
                    generally = self.in_general(seed, a, b, shape, where, inline)
                    found = found.also(generally or self.equal(meaning, seed, a, b, shape, where))
            self.shown[key] = found.renamed(pattern.dimensions)
        return self.shown[key].renamed(dict(enumerate(pattern.dimensions)))

    def in_general(self, seed: str, a: F.Form, b: F.Form, shape: tuple[Expr, Expr], what: str, inline: dict[Expr, Expr]) -> Compared | None:
        """With letters for large sizes: proved for all sizes, or None."""
        general = self.extended(seed).general()
        if general is None:
            return None
        try:
            meaning = _Meaning(general.graph, {general.form(symbol): general.form(e) for symbol, e in inline.items()})
            found = self.equal(meaning, seed, general.form(a), general.form(b), general.shape(shape), what)
        except (Refused, Undecided):
            return None
        return Compared((), True, found.conditions, str(general)) if found.everywhere else None

    def equal(self, meaning: _Meaning, seed: str, a: F.Form, b: F.Form, shape: tuple[Expr, Expr], what: str) -> Compared:
        mentioned = meaning.mentioned(a) | meaning.mentioned(b) | {d for size in shape for d in size.free_symbols}
        sources = (*meaning.sources(a), *meaning.sources(b))
        comparison = replace(self.adjoints.comparison(seed), dimensions=meaning.graph.dimensions)
        return comparison.compare(
            lambda ex: meaning.rows(a, ex), lambda ex: meaning.rows(b, ex), shape, lambda atoms: (meaning.slots(a, atoms), meaning.slots(b, atoms)),
            what, sources, mentioned, tuple(meaning.inline.items()), (*meaning.layouts(a), *meaning.layouts(b)))


class _Meaning:
    """What a form stands for at explicit sizes, in one graph; the names of `inline` stand for their definitions."""

    def __init__(self, graph: Graph, inline: dict[Expr, Expr]) -> None:
        self.graph, self.inline = graph, inline

    def whole(self, e: Expr) -> Expr:
        return e.xreplace(self.inline)

    def rows(self, form: F.Form, ex: Explicit) -> Rows:
        match form:
            case F.Just(expr):
                return ex.rows(expr)
            case F.Sum(terms):
                grids = [self.rows(t, ex) for t in terms]
                return tuple(tuple(Add(*xs) for xs in zip(*rows, strict=True)) for rows in zip(*grids, strict=True))
            case F.Pushforward(of, wrt, direction) if is_jacobian(direction):
                return self.jacobian(of, wrt, direction, ex)
            case F.Pushforward(of, wrt, direction):
                return self.along(of, wrt, direction, ex)
        raise Refused(f"{type(form).__name__} is not a form of a tangent")

    def jacobian(self, of: str, wrt: str, direction: Direction, ex: Explicit) -> Rows:
        """sum_k (d of_i / d wrt_k) (d wrt / d w)_kj, entries counted column by column."""
        definition, argument = (_columns(ex.rows(e)) for e in (self.graph.node(of).expr, self.graph.symbol(wrt)))
        slopes = [[ex.differentiate(u, x) for x in argument] for u in definition]
        if wrt == direction[0][0]:
            return tuple(tuple(row) for row in slopes)
        inner = ex.rows(tangent(self.graph, wrt, direction))
        return tuple(tuple(Add(*(Mul(s, inner[k][j]) for k, s in enumerate(row) if s != 0)) for j in range(len(inner[0]))) for row in slopes)

    def along(self, of: str, wrt: str, direction: Direction, ex: Explicit) -> Rows:
        """sum_kl (d of_ij / d wrt_kl) (wrt_dot)_kl."""
        at = self.graph.symbol(dict(direction)[wrt]) if wrt in dict(direction) else tangent(self.graph, wrt, direction)
        moves = [(x, d) for row, other in zip(ex.rows(self.graph.symbol(wrt)), ex.rows(at), strict=True) for x, d in zip(row, other, strict=True)]
        return tuple(tuple(Add(*(Mul(ex.differentiate(u, x), d) for x, d in moves)) for u in row) for row in ex.rows(self.graph.node(of).expr))

    def layouts(self, form: F.Form) -> tuple[Expr, ...]:
        """Expressions with the rows and columns of a Jacobian: vec(of) vec(wrt)^T, and that times the tangent of wrt."""
        match form:
            case F.Sum(parts):
                return tuple(e for p in parts for e in self.layouts(p))
            case F.Pushforward(of, wrt, direction) if is_jacobian(direction):
                rows, columns = (_vec(self.graph.symbol(n)) for n in (of, wrt))
                inner = () if wrt == direction[0][0] else (_column(tangent(self.graph, wrt, direction)),)
                return (MatMul(rows, Transpose(columns), *inner),)
        return ()

    def mentioned(self, form: F.Form) -> frozenset[Expr]:
        match form:
            case F.Just(expr):
                return dimensions_in(self.whole(expr))
            case F.Sum(parts):
                return frozenset().union(*map(self.mentioned, parts))
            case F.Pushforward(of, wrt, direction):
                names = (self.graph.symbol(n) for n in (of, wrt, *(w for w, _ in direction)))
                return dimensions_in(self.whole(self.graph.node(of).expr)).union(*map(dimensions_in, names))
        raise Refused(f"{type(form).__name__} is not a form of a tangent")

    def sources(self, form: F.Form) -> tuple[Source, ...]:
        match form:
            case F.Just(expr):
                return (Source(self.whole(expr)),)
            case F.Sum(parts):
                return tuple(s for p in parts for s in self.sources(p))
            case F.Pushforward(of, _, _):
                return (Source(self.whole(self.graph.node(of).expr), derived=True),)
        return ()

    def slots(self, form: F.Form, atoms: bool) -> Slots:
        match form:
            case F.Just(expr):
                return slots(self.whole(expr), atoms, derived=False)
            case F.Sum(terms):
                parts = [self.slots(t, atoms) for t in terms]
                return parts[0].times(*parts[1:]) if any(p.quotient for p in parts) else parts[0].or_(*parts[1:])
            case F.Pushforward(of, wrt, _):
                return slots(self.whole(self.graph.node(of).expr), atoms).and_sum(*self.graph.shape(wrt))
        raise Refused(f"{type(form).__name__} is not a form of a tangent")


def _column(e: Expr) -> Expr:
    """A matrix with one entry in the place of a number."""
    return OneMatrix(1, 1) if is_scalar(e) else e


def _vec(e: Expr) -> Expr:
    return Vec(e) if 1 not in shape_of(e) else _column(Transpose(e) if shape_of(e)[0] == 1 and not is_scalar(e) else e)


def _columns(rows: Rows) -> tuple[Expr, ...]:
    """The entries, column by column."""
    return tuple(x for column in zip(*rows, strict=True) for x in column)


__all__ = ["Tangents"]
