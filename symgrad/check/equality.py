"""Are two expressions in names of one graph equal at every input, for every size?

Proved definition by definition, never on the composed network: a node that stands on one side only is replaced by what it was
shown to equal, or by its definition.  First for any functions in the place of the activations, then with their meaning.
Refuted at an exact point, where all nodes are evaluated one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product, zip_longest
from random import Random
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.check.abstraction import bound_indices, leaves_of, literal_sizes, opaque, with_any_argument
from symgrad.check.errors import NO_VALUE, NoDerivative, Undecided
from symgrad.check.evaluation import differ, enclose, say_leaf
from symgrad.check.explicit import Explicit, Rows, enough, slots
from symgrad.check.normal import branches
from symgrad.check.pattern import Pattern
from symgrad.check.permutations import commuted
from symgrad.check.points import points
from symgrad.check.shapes import Shapes
from symgrad.check.signs import NEGATIVE, POSITIVE, Signs
from symgrad.check.splits import divided_alike
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Call, Fn, dimension, scalar
from symgrad.language.graph import Graph
from symgrad.language.problem import Conventions, Given
from symgrad.language.vectors import Elementwise, Entry, Shape, Softmax, dimensions_in, is_scalar, names_in, say_shape, shape_of

MAX_ENTRIES, MAX_LEVELS, MAX_CALLS, MAX_NUMBERS, SAMPLES = 4000, 4, 6, 300, 3
Values = dict[Expr, Any]
Sizes = dict[Any, Any]


def arguments_that_differ(x: Expr, y: Expr) -> tuple[Expr, Expr] | None:
    """The one argument in which two applications of a function differ, where it has the shape of the value."""
    if isinstance(x, Softmax) and isinstance(y, Softmax):
        return x.arg, y.arg
    if isinstance(x, Elementwise | Call) and isinstance(y, type(x)) and x.fn == y.fn:
        pairs = [(a, b) for a, b in zip(x.arguments, y.arguments, strict=True) if a != b]
        if len(pairs) == 1 and all(shape_of(e) == shape_of(x) for e in pairs[0]):
            return pairs[0]
    return None


@dataclass
class Equality:
    """Over one graph; `permutations` and `signs` are the names of permutation matrices and of vectors with entries 1 and -1."""

    graph: Graph
    conventions: Conventions
    given: tuple[Given, ...] = ()
    permutations: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    rewrites: dict[Expr, Expr] = field(default_factory=dict)
    zeros: dict[object, bool] = field(default_factory=dict)
    patterns: dict[object, list[tuple[Sizes, Sizes]] | None] = field(default_factory=dict)
    sampled: list[tuple[dict[Expr, int], Values]] | None = None

    def __post_init__(self) -> None:
        self.numbers = sum(int(a) * int(b) for x in self.graph.variables for a, b in [tuple(s if s.is_Integer else 2 for s in x.shape)])
        self.dimensions, self.shapes = frozenset(self.graph.dimensions), Shapes(self.graph)
        self.rank = {n.name: k for k, n in enumerate(self.graph.nodes)}
        self.definitions = {n.symbol: n.expr for n in self.graph.nodes}

    def equal(self, a: Expr, b: Expr, shape: Shape, what: str, indices: tuple[Expr, ...] = ()) -> str:
        """How it was shown.  Raises Refused with a point, Undecided if neither.  A scalar with `indices` is an entry at those."""
        self.require_sense(a, b, shape, what, indices)
        pairs: list[tuple[Expr, Expr]] = []
        for meaning in (False, True):
            if meaning:
                for x, y in pairs:
                    if (found := self.proved(x, y, shape, indices, True, known_only=True)) is not None:
                        return found
            if meaning and self.numbers <= MAX_NUMBERS:  # a point is found sooner than a normal form with the meaning of every function
                self.refute(a, b, shape, what, indices)
            for x, y in list(pairs) if meaning else self.levels(a, b):
                pairs.append((x, y))
                found = self.proved(x, y, shape, indices, meaning)
                if found is not None:
                    return found
        self.refute(a, b, shape, what, indices)
        raise Undecided(f"{what}: the normal form does not decide it")

    def require_sense(self, a: Expr, b: Expr, shape: Shape, what: str, indices: tuple[Expr, ...]) -> None:
        """Both have the shape, or are its entry at the indices; every dimension is one of the graph's."""
        for e in (a, b):
            if shape_of(e) != shape and not (indices and is_scalar(e)):
                raise Refused(f"{what}: the shapes differ, {say_shape(shape_of(e))} is not {say_shape(shape)}")
            strange = dimensions_in(e) - self.dimensions - set(indices) - bound_indices(e)
            if strange or set(indices) & self.dimensions or len(set(indices)) != len(indices) or len(indices) > 2:
                raise Refused(f"{what}: {', '.join(map(str, strange or indices))} is no dimension or index here")
            self.shapes.require(e, dict(zip(indices, shape, strict=False)))

    # ---- proof -------------------------------------------------------------------------------------------------

    def levels(self, a: Expr, b: Expr) -> Iterator[tuple[Expr, Expr]]:
        """Nodes replaced by what they were shown to equal, or by their definitions, a level at a time."""
        seen: set[tuple[Expr, Expr]] = set()
        if (general := with_any_argument(a, b)) is not None:
            yield general
        for level in zip_longest(*(self.inlined(a, b, known) for known in (self.rewrites, {}))):
            for pair in level:
                if pair is not None and pair not in seen:
                    seen.add(pair)
                    x, y = (commuted(e, self.permutations) for e in pair)
                    if (inside := arguments_that_differ(x, y)) is not None:
                        yield inside  # equal arguments have equal values
                    yield x, y

    def inlined(self, a: Expr, b: Expr, known: dict[Expr, Expr]) -> Iterator[tuple[Expr, Expr]]:
        """First only the nodes that stand on one side replaced, the last defined first; then, again and again, the last on both sides."""
        for level in range(MAX_LEVELS):
            names = [set(names_in(e)) & set(self.rank) for e in (a, b)]
            last = names[0] & names[1] if level else set()
            while chosen := last or names[0] ^ names[1]:
                before = {m for n in chosen for m in self.graph.ancestors(n) if m != n}
                put_in = {s: known.get(s, self.definitions[s]) for s in map(self.graph.symbol, sorted(chosen - before))}
                a, b = (e.xreplace(put_in) for e in (a, b))
                names, last = [set(names_in(e)) & set(self.rank) for e in (a, b)], set()
            yield a, b
            if not names[0]:
                return

    def identical(self, a: Expr, b: Expr, what: str) -> None:
        """Two scalar expressions, equal for all values of their variables.  Raises Refused with a point, or Undecided."""
        leaves = tuple(leaves_of(a, b))
        for point in (*(dict.fromkeys(leaves, Integer(n)) for n in (0, 1, -1, 2)), *points(leaves, 8)):
            if differ(a, b, point):
                left, right = (float(self.value(e, point).mid.a) for e in (a, b))
                where = ", ".join(f"{say_leaf(s)} = {x}" for s, x in point.items())
                raise Refused(f"{what}: the two sides differ at {where}: {left:.6g} and {right:.6g}")
        if not self.zero(a, b, True):
            raise Undecided(f"{what}: the normal form does not decide it")

    def proved(self, a: Expr, b: Expr, shape: Shape, indices: tuple[Expr, ...], meaning: bool, known_only: bool = False) -> str | None:
        """How it was shown, None if it was not; what differs from a proved statement in its names only is not gone through again."""
        pattern = Pattern(self.graph, {})
        known = self.activations(a, b)
        stated = (a, b, *shape, *indices, *(e for pair in known for e in pair))
        key = (*map(pattern.expression, stated), meaning, frozenset(pattern.names[n] for n in pattern.names if n in self.signs))
        if key not in self.patterns and known_only:
            return None
        if key not in self.patterns:
            found = self.entrywise(a, b, shape, indices, meaning, known)
            numbers = dict(pattern.dimensions)
            self.patterns[key] = found and [({numbers.get(d, d): n for d, n in vector.items()}, literal) for vector, literal in found]
        names, shown_at = tuple(pattern.dimensions), self.patterns[key]
        return None if shown_at is None else shown([({names[d] if isinstance(d, int) else d: n for d, n in v.items()}, w) for v, w in shown_at])

    def activations(self, a: Expr, b: Expr) -> list[tuple[Expr, Expr]]:
        """What was shown of activations that are no nodes, such as sigmoid(W x + b) inside a longer definition."""
        functions = a.atoms(Fn) | b.atoms(Fn)
        return [(e, found) for e, found in self.rewrites.items() if isinstance(e, Elementwise) and e.fn in functions]

    def entrywise(self, a: Expr, b: Expr, shape: Shape, indices: tuple[Expr, ...], meaning: bool, known: list[tuple[Expr, Expr]]
                  ) -> list[tuple[Sizes, Sizes]] | None:
        """The sizes at which all entries agree, an index having as many values as a monomial has slots; a large size is taken as any."""
        general = {n: dimension(f"_{n}") for n in literal_sizes(a, b)}
        for sizes in (general, {}) if general and meaning and self.numbers <= MAX_NUMBERS else (general,):
            x, y = (e.xreplace(sizes) for e in (a, b))
            free = tuple(sizes.get(d, d) for d in shape)
            dimensions = (dimensions_in(x) | dimensions_in(y) | {d for d in free if not d.is_Integer}) - set(indices)
            bound = {i for e in (x, y) for i in bound_indices(e)}
            vectors, holds = enough(tuple(sorted(dimensions - bound, key=str)), free, (slots(x), slots(y)))
            put_in = [(p.xreplace(sizes), q.xreplace(sizes)) for p, q in known]
            holds = holds and divided_alike((x, y))
            if holds and all(self.same_entries(x, y, free, indices, vector, meaning, put_in) for vector in vectors):
                return [(vector, {d: n for n, d in sizes.items()}) for vector in vectors]
        return None

    def same_entries(self, x: Expr, y: Expr, shape: Shape, indices: tuple[Expr, ...], sizes: dict[Expr, int], meaning: bool,
                     known: list[tuple[Expr, Expr]]) -> bool:
        ex = Explicit({**dict.fromkeys(self.dimensions, 2), **sizes})
        table = {p: q for e, found in known for p, q in zip(flat(ex.rows(e)), flat(ex.rows(found)), strict=True)}
        a, b = entries(x, shape, indices, ex), entries(y, shape, indices, ex)
        if len(a) * len(a[0]) > MAX_ENTRIES:
            raise Undecided(f"more than {MAX_ENTRIES} entries")
        return all(self.zero(p.xreplace(table), q.xreplace(table), meaning) for p, q in zip(flat(a), flat(b), strict=True))

    def zero(self, x: Expr, y: Expr, meaning: bool) -> bool:
        """x = y: for any functions in the place of the known ones, or with their `meaning`.  The same in other names is proved once."""
        if x == y:
            return True
        leaves = leaves_of(x, y)
        numbered = {leaf: scalar(f"leaf{k}") for k, leaf in enumerate(leaves)}
        key = (x.xreplace(numbered), y.xreplace(numbered), tuple(k for k, s in enumerate(leaves) if self.is_sign(s)))
        if not self.zeros.get((key, True), False) and (key, meaning) not in self.zeros:
            signs = [s for s in leaves if self.is_sign(s)][:8]
            patterns = [dict(zip(signs, p, strict=True)) for p in product((Integer(1), Integer(-1)), repeat=len(signs))]
            differences = [x.xreplace(p) - y.xreplace(p) for p in patterns]
            self.zeros[key, meaning] = all(self.is_zero(e if meaning else opaque(e)) for e in differences)
        return self.zeros.get((key, True), False) or self.zeros[key, meaning]

    def is_zero(self, e: Expr) -> bool:
        """On every pattern of signs that can occur, and at the jumps of step and sign themselves."""
        if len({c.arguments for c in e.atoms(Call) if c.fn.name in KNOWN}) > MAX_CALLS:
            return False
        tie, step = self.conventions.relu_at_zero, self.conventions.step_at_zero
        try:
            patterns = branches(e, tie, step)
        except (Undecided, NoDerivative):
            return False
        if not all(zero or not can_occur(signs) for zero, signs in patterns):
            return False
        if any(f.name in KNOWN and not f.plain for f in e.atoms(Fn)):
            return False  # a derivative may jump at a kink
        if not any(f.name in ("step", "sign") for f in e.atoms(Fn)):
            return True  # both sides are continuous: what holds between the kinks holds at them
        at = {str(leaf): leaf for leaf in leaves_of(e)}
        kinks = {one_variable(key) for _, signs in patterns for key in signs.known}
        return all(k is not None and k[0] in at and self.is_zero(e.xreplace({at[k[0]]: -k[2] / k[1]})) for k in kinks)

    def is_sign(self, leaf: Expr) -> bool:
        return isinstance(leaf, Entry) and leaf.args[0].name in self.signs

    # ---- refutation ----------------------------------------------------------------------------------------------

    def refute(self, a: Expr, b: Expr, shape: Shape, what: str, indices: tuple[Expr, ...]) -> None:
        """Raises Refused with an exact point at which the two differ, if one of a few does."""
        for sizes, values in self.samples():
            ex = Explicit(sizes)
            pairs = zip(flat(entries(a, shape, indices, ex)), flat(entries(b, shape, indices, ex)), strict=True)
            try:
                for k, (x, y) in enumerate(pairs):
                    left, right = self.value(x, values), self.value(y, values)
                    if left.b < right.a or right.b < left.a:
                        where = [f"{d} = {n}" for d, n in sizes.items()]
                        where += [f"{say_leaf(s)} = {x}" for s, x in values.items() if isinstance(x, Rational)]
                        i, j = divmod(k, ex.size(shape[1]))
                        raise Refused(f"{what}, entry ({i + 1}, {j + 1}): {float(left.mid.a):.6g} on one side, {float(right.mid.a):.6g} on the "
                                      f"other, at {', '.join(where[:12])}")
            except NO_VALUE:
                continue

    def samples(self) -> list[tuple[dict[Expr, int], Values]]:
        """The values of all variables and nodes at a few points, found once."""
        if self.sampled is None:
            self.sampled = []
            for k in range(SAMPLES):
                sizes: dict[Expr, int] = dict.fromkeys(self.graph.dimensions, 2 + k % 2)
                try:
                    self.sampled.append((sizes, self.evaluated(self.graph, sizes, self.point(sizes, k), set(self.rank))))
                except NO_VALUE:
                    continue
        return self.sampled

    def value(self, e: Expr, values: Values) -> Any:
        return enclose(e, values, self.conventions.relu_at_zero, self.conventions.step_at_zero)

    def point(self, sizes: dict[Expr, int], seed: int) -> Values:
        """A rational value for every entry of every variable; stated numbers, permutations and signs as they are meant."""
        random, ex, values = Random(seed), Explicit(sizes), {}
        stated = {g.name: g.entries for g in self.given if g.digits is None}
        for x in self.graph.variables:
            rows = ex.rows(x.symbol)
            order = random.sample(range(len(rows)), len(rows))
            for i, row in enumerate(rows):
                for j, leaf in enumerate(row):
                    number = Rational(random.choice([n for n in range(1 if seed % 2 else -8, 9) if n]), 4)
                    if x.name in self.permutations:
                        number = Integer(int(order[i] == j))
                    elif x.name in self.signs:
                        number = Integer(1 if number > 0 else -1)
                    if x.name in stated and (len(rows), len(row)) == (len(stated[x.name]), len(stated[x.name][0])):
                        number = stated[x.name][i][j]
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


def shown(vectors: list[tuple[Sizes, Sizes]]) -> str:
    """In words, how entries were compared; a literal size stands for the name it was given."""
    if not vectors[0][0]:
        return "compared in normal form"
    said = " and ".join(", ".join(f"{literal.get(d, d)} {'taken as' if d in literal else '='} {n}" for d, n in sorted(v.items(), key=str))
                        for v, literal in vectors)
    return f"compared entry by entry at {said}, as many as a monomial has index slots"


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
    for key, possible in signs.known.items():
        line = one_variable(key)
        if line is not None and possible in (POSITIVE, NEGATIVE):
            (sign,) = possible
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
