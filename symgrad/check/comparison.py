"""Are two expressions in names of one graph equal at every input, for every size?

Proved definition by definition, never on the composed network: a node that stands on one side only is replaced by what it was
shown to equal, or by its definition.  First for any functions in the place of the activations, then with their meaning.
Refuted at an exact point, where all nodes are evaluated one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from sympy import Expr, Identity, Integer, MatrixSymbol, OneMatrix, Rational, ZeroMatrix, preorder_traversal

from symgrad.check.explicit import Explicit, Rows, enough, slots
from symgrad.check.normal import NoDerivative, Signs, Undecided, branches
from symgrad.check.permutations import commuted
from symgrad.check.points import NoSign, differ, enclose, points
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Call, Fn, dimension, scalar
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions, Given
from symgrad.language.vectors import Entry, IndexSum, Shape, dimensions_in, is_scalar, names_in

MAX_ENTRIES, MAX_LEVELS, MAX_CALLS, LARGE = 4000, 4, 8, 4
Values = dict[Expr, Any]


@dataclass
class Comparison:
    """Over one graph; `permutations` and `signs` are the names of permutation matrices and of vectors with entries 1 and -1."""

    graph: Graph
    conventions: Conventions
    given: tuple[Given, ...] = ()
    permutations: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    rewrites: dict[Expr, Expr] = field(default_factory=dict)
    zeros: dict[object, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rank = {n.name: k for k, n in enumerate(self.graph.nodes)}
        self.definitions = {n.symbol: n.expr for n in self.graph.nodes}

    def equal(self, a: Expr, b: Expr, shape: Shape, what: str, indices: tuple[Expr, ...] = ()) -> str:
        """How it was shown.  Raises Refused with a point, Undecided if neither.  A scalar with `indices` is an entry at those."""
        for known in (self.rewrites, {}):
            for x, y in self.levels(a, b, known):
                found = self.proved(commuted(x, self.permutations), commuted(y, self.permutations), shape, indices)
                if found is not None:
                    return found
        self.refute(a, b, shape, what, indices)
        raise Undecided(f"{what}: the normal form does not decide it")

    # ---- proof -------------------------------------------------------------------------------------------------

    def levels(self, a: Expr, b: Expr, known: dict[Expr, Expr]) -> Iterator[tuple[Expr, Expr]]:
        """First only the nodes that stand on one side replaced, the last defined first; then a few more, on both sides."""
        others = {e: found for e, found in known.items() if getattr(e, "name", "") not in self.rank}
        a, b = a.xreplace(others), b.xreplace(others)
        for attempt in range(MAX_LEVELS):
            names = [set(names_in(e)) & set(self.rank) for e in (a, b)]
            while (names[0] ^ names[1]) or (attempt and names[0]):
                symbol = self.graph.symbol(max(names[0] ^ names[1] or names[0], key=lambda n: self.rank[n]))
                put_in = {symbol: known.get(symbol, self.definitions[symbol])}
                a, b = (e.xreplace(put_in).xreplace(others) for e in (a, b))
                names, attempt = [set(names_in(e)) & set(self.rank) for e in (a, b)], 0
            yield a, b
            if not names[0]:
                return

    def identical(self, a: Expr, b: Expr, what: str) -> None:
        """Two scalar expressions, equal for all values of their variables.  Raises Refused with a point, or Undecided."""
        leaves = tuple(leaves_of(a, b))
        for point in points(leaves, 12):
            if differ(a, b, point):
                left, right = (float(self.value(e, point).mid.a) for e in (a, b))
                raise Refused(f"{what}: the two sides differ at {', '.join(f'{say(s)} = {x}' for s, x in point.items())}: {left:.6g} and {right:.6g}")
        if not self.zero(a, b):
            raise Undecided(f"{what}: the normal form does not decide it")

    def proved(self, a: Expr, b: Expr, shape: Shape, indices: tuple[Expr, ...]) -> str | None:
        """Entry by entry at as many values an index as a monomial has index slots; a large size is first taken for any size."""
        general = {n: dimension(f"n{n}") for n in literal_sizes(a, b) if not indices}
        tries = [general] if general else []
        for sizes in (*tries, {}):
            x, y = (e.xreplace(sizes) for e in (a, b))
            free = tuple(sizes.get(d, d) for d in shape)
            dimensions = (dimensions_in(x) | dimensions_in(y) | {d for d in free if not d.is_Integer}) - set(indices)
            bound = {i for e in (x, y) for i in bound_indices(e)}
            named = tuple(sorted(dimensions - bound, key=str))
            vectors, holds = enough(named, free, (slots(x), slots(y)))
            if holds and all(self.same_entries(x, y, free, indices, vector) for vector in vectors):
                return shown(vectors, {d: n for n, d in sizes.items()})
        return None

    def same_entries(self, x: Expr, y: Expr, shape: Shape, indices: tuple[Expr, ...], sizes: dict[Expr, int]) -> bool:
        ex = Explicit(dict(sizes))
        a, b = entries(x, shape, indices, ex), entries(y, shape, indices, ex)
        if len(a) * len(a[0]) > MAX_ENTRIES:
            raise Undecided(f"more than {MAX_ENTRIES} entries")
        return all(self.zero(p, q) for row, other in zip(a, b, strict=True) for p, q in zip(row, other, strict=True))

    def zero(self, x: Expr, y: Expr) -> bool:
        """x = y; the same statement in other names is proved once."""
        if x == y:
            return True
        leaves = leaves_of(x, y)
        numbered = {leaf: scalar(f"leaf{k}") for k, leaf in enumerate(leaves)}
        key = (x.xreplace(numbered), y.xreplace(numbered), tuple(k for k, s in enumerate(leaves) if self.is_sign(s)))
        if key not in self.zeros:
            signs = [s for s in leaves if self.is_sign(s)][:8]
            patterns = [dict(zip(signs, p, strict=True)) for p in product((Integer(1), Integer(-1)), repeat=len(signs))]
            self.zeros[key] = all(self.vanishes(x.xreplace(p) - y.xreplace(p)) for p in patterns)
        return self.zeros[key]

    def vanishes(self, e: Expr) -> bool:
        """Zero for all values: with any functions in the place of the known ones, or else with their meaning."""
        return self.is_zero(opaque(e)) or (len({c.arguments for c in e.atoms(Call)}) <= MAX_CALLS and self.is_zero(e))

    def is_zero(self, e: Expr) -> bool:
        """On every pattern of signs that can occur, and at the jumps of step and sign themselves."""
        tie, step = self.conventions.relu_at_zero, self.conventions.step_at_zero
        try:
            patterns = branches(e, tie, step)
        except (Undecided, NoDerivative):
            return False
        if not all(zero or not can_occur(signs) for zero, signs in patterns):
            return False
        if not any(f.name in ("step", "sign") for f in e.atoms(Fn)):
            return True  # both sides are continuous: what holds between the kinks holds at them
        at = {str(leaf): leaf for leaf in leaves_of(e)}
        kinks = {line for _, signs in patterns for line in map(one_variable, signs.known)}
        return None not in kinks and all(self.is_zero(e.xreplace({at[name]: -q / m})) for name, m, q in kinks if name in at)

    def is_sign(self, leaf: Expr) -> bool:
        return isinstance(leaf, Entry) and leaf.args[0].name in self.signs

    # ---- refutation ----------------------------------------------------------------------------------------------

    def refute(self, a: Expr, b: Expr, shape: Shape, what: str, indices: tuple[Expr, ...]) -> None:
        """Raises Refused with an exact point at which the two differ, if one of a few does."""
        for k in range(4):
            sizes: dict[Expr, int] = dict.fromkeys(self.graph.dimensions, 2 + k % 2)
            try:
                values = self.evaluated(self.graph, sizes, self.point(sizes, k), set(names_in(a)) | set(names_in(b)))
                ex = Explicit(sizes)
                for i, rows in enumerate(zip(entries(a, shape, indices, ex), entries(b, shape, indices, ex), strict=True), 1):
                    for j, (x, y) in enumerate(zip(*rows, strict=True), 1):
                        left, right = self.value(x, values), self.value(y, values)
                        if left.b < right.a or right.b < left.a:
                            where = ", ".join([f"{d} = {n}" for d, n in sizes.items()] + [
                                f"{say(s)} = {x}" for s, x in values.items() if isinstance(x, Rational)][:12])
                            raise Refused(f"{what}, entry ({i}, {j}): {float(left.mid.a):.6g} on one side, {float(right.mid.a):.6g} on the other, at {where}")
            except (NoSign, NoDerivative, ZeroDivisionError, ValueError, OverflowError):
                continue

    def value(self, e: Expr, values: Values) -> Any:
        return enclose(e, values, self.conventions.relu_at_zero, self.conventions.step_at_zero)

    def point(self, sizes: dict[Expr, int], seed: int) -> Values:
        """A rational value for every entry of every variable; stated numbers, permutations and signs as they are meant."""
        random, ex, values = Random(seed), Explicit(sizes), {}
        stated = {g.name: g.entries for g in self.given if g.digits is None}
        for variable in self.graph.variables:
            rows = ex.rows(variable.symbol)
            order = random.sample(range(len(rows)), len(rows))
            for i, row in enumerate(rows):
                for j, leaf in enumerate(row):
                    number = Rational(random.choice([n for n in range(1 if seed % 2 else -8, 9) if n]), 4)
                    if variable.name in self.permutations:
                        number = Integer(int(order[i] == j))
                    elif variable.name in self.signs:
                        number = Integer(1 if number > 0 else -1)
                    if variable.name in stated and (len(rows), len(row)) == (len(stated[variable.name]), len(stated[variable.name][0])):
                        number = stated[variable.name][i][j]
                    values[leaf] = number
        return values

    def evaluated(self, graph: Graph, sizes: dict[Expr, int], values: Values, wanted: set[str]) -> Values:
        """The values of the nodes that the wanted names need, one definition at a time, enclosed with error bounds."""
        values, ex = dict(values), Explicit(sizes)
        needed = {n for w in wanted if w in graph for n in graph.ancestors(w)}
        for node in graph.nodes:
            if node.name in needed:
                for leaf, e in zip(flat(ex.rows(node.symbol)), flat(ex.rows(node.expr)), strict=True):
                    values[leaf] = self.value(e, values)
        return values


def shown(vectors: list[dict[Expr, int]], literal: dict[Expr, Expr]) -> str:
    """In words, how entries were compared; a literal size stands for the name it was given."""
    if not vectors[0]:
        return "compared in normal form"
    slots_said = " and ".join(", ".join(f"{literal.get(d, d)} {'taken as' if d in literal else '='} {n}" for d, n in v.items()) for v in vectors)
    return f"compared entry by entry at {slots_said}, as many as a monomial has index slots"


def one_variable(key: Any) -> tuple[str, Rational, Rational] | None:
    """(variable, m, q) of a kink's argument m x + q; None where it is no line in one variable."""
    terms = {monomial: Rational(c) for monomial, c in key}
    slopes = [m for m in terms if m]
    if len(slopes) != 1 or len(slopes[0]) != 1 or slopes[0][0][1] != 1:
        return None
    return slopes[0][0][0], terms[slopes[0]], terms.get((), Rational(0))


def can_occur(signs: Signs) -> bool:
    """False only where the signs of lines in one variable contradict each other: u - 1 > 0 and u + 1 < 0."""
    low: dict[str, Rational] = {}
    high: dict[str, Rational] = {}
    for key, sign in signs.known.items():
        line = one_variable(key)
        if line is not None:
            name, m, q = line
            root = -q / m
            if sign * m > 0:
                low[name] = max(low.get(name, root), root)
            else:
                high[name] = min(high.get(name, root), root)
    return all(low[name] < high[name] for name in set(low) & set(high))


def entries(e: Expr, shape: Shape, indices: tuple[Expr, ...], ex: Explicit) -> Rows:
    """All entries of a matrix, or of a scalar expression in free indices at every value of these."""
    if not indices or not is_scalar(e):
        return ex.rows(e)
    i, j = (*indices, Integer(1))[:2]
    rows, columns = map(ex.size, shape)
    return tuple(tuple(ex.scalar(e.xreplace({i: Integer(p), j: Integer(q)})) for q in range(1, columns + 1)) for p in range(1, rows + 1))


def flat(rows: Rows) -> list[Expr]:
    return [x for row in rows for x in row]


def opaque(e: Expr) -> Expr:
    """The same with an unknown function in the place of every known one: what holds for any functions holds for these."""
    return e.xreplace({f: Fn(f"_{f.name}", f.orders) for f in e.atoms(Fn) if f.name in KNOWN})


def literal_sizes(*expressions: Expr) -> set[Expr]:
    """Numbers of at least LARGE that stand in expressions as sizes of matrices and as nothing else."""
    sizes: set[Expr] = set()
    others: set[Expr] = set()
    stack = list(expressions)
    while stack:
        e = stack.pop()
        if isinstance(e, MatrixSymbol | OneMatrix | ZeroMatrix | Identity):
            sizes |= {d for d in e.shape if d.is_Integer and d >= LARGE}
        elif e.args:
            stack.extend(e.args)
        else:
            others.add(abs(e) if e.is_Number else e)
    return {n for n in sizes if n not in others}


def bound_indices(e: Expr) -> set[Expr]:
    return {x.args[1] for x in preorder_traversal(e) if isinstance(x, IndexSum)}


def leaves_of(*expressions: Expr) -> list[Expr]:
    """Variables and entries, in the order in which they are met."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()
    stack = list(reversed(expressions))
    while stack:
        e = stack.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, Entry) or (e.is_Symbol and not e.is_integer):
            found[e] = None
        else:
            stack.extend(reversed([a for a in e.args if isinstance(a, Expr)]))
    return list(found)


def say(leaf: Expr) -> str:
    return f"{leaf.args[0].name}[{leaf.args[1]},{leaf.args[2]}]" if isinstance(leaf, Entry) else str(leaf)

