"""Verification of claims about vectors and matrices: adjoints, their entries, closed forms, choices.

Everything is written out entry by entry at the sizes that the slot count asks for, and compared in normal form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod

from sympy import Add, Expr, Integer, Mul

from symgrad.check.axioms import Atoms
from symgrad.check.explicit import Explicit, Rows
from symgrad.check.normal import Undecided, branches
from symgrad.check.points import differ, points
from symgrad.check.slots import Slots, enough, slots
from symgrad.language import forms as F
from symgrad.language.claims import Adjoint, AdjointEntry, ClosedForm, Differs, Matches, Witness
from symgrad.language.errors import Refused
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.vectors import SCALAR, AsScalar, Entry, names_in, say_shape, shape_of, variable

MAX_ENTRIES, MAX_SIZE = 4000, 120


@dataclass(frozen=True)
class Compared:
    """Where two sides were found equal, in words; whether that holds at every size, and under which conditions."""

    words: str = ""
    everywhere: bool = True
    conditions: tuple[str, ...] = ()

    def also(self, other: Compared) -> Compared:
        weaker = other if other.words and (self.everywhere or not other.everywhere) else self
        return Compared(weaker.words, self.everywhere and other.everywhere, tuple(dict.fromkeys((*self.conditions, *other.conditions))))


@dataclass
class Adjoints:
    """Adjoint claims of one problem; each may use the adjoints that were verified before it."""

    problem: Problem
    found: dict[tuple[str, str], Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = self.problem.graph
        self.dimensions = self.graph.dimensions

    # ---- claims ----------------------------------------------------------------------------------------------

    def adjoint(self, c: Adjoint) -> Verdict:
        """lines[0] is the sum of one pullback for every consumer on a path; every line has the same entries."""
        what = f"{c.node}_bar"
        wanted: F.Form
        consumers = [u for u in self.graph.consumers(c.node) if self.graph.between(u, c.of)] if c.node != c.of else []
        if c.node == c.of:
            wanted = F.Just(Integer(1))
        elif not consumers:
            wanted = F.Just(c.expr)  # no path: it must be zero, which the comparison with no pullback shows
            zero = Explicit(dict.fromkeys(self.dimensions, 2)).rows(c.expr)
            if any(x != 0 for row in zero for x in row):
                raise Refused(f"there is no path from {c.node} to {c.of}, so {what} is zero")
        first = c.lines[0].form
        if consumers:
            terms = first.terms if isinstance(first, F.Sum) else (first,)
            missing = [u for u in consumers if F.Pullback(u, c.node) not in terms]
            if missing:
                raise Refused(f"{what} forgets what {', '.join(missing)} contributes")
            if len(terms) != len(consumers):
                raise Refused(f"{what} has a term that is no consumer of {c.node}, or one twice")
            for u in consumers:
                if (c.of, u) not in self.found:
                    raise Refused(f"{what} uses {u}_bar before it is derived")
        elif first != wanted:
            raise Refused(f"{what} is 1 by definition" if c.node == c.of else f"{what} is zero: no path leads to {c.of}")
        if shape_of(c.expr) != self.graph.shape(c.node):
            raise Refused(f"{what} has shape {say_shape(shape_of(c.expr))}, {c.node} is {say_shape(self.graph.shape(c.node))}")
        found = Compared()
        everything = (*(line.form for line in c.lines), F.Just(c.expr))
        outputs = tuple(u for u in consumers if any(u in names_in(e) for form in everything for e in _expressions(form)))
        for k, (a, b) in enumerate(zip(everything, everything[1:], strict=False), 2):
            if a != b:
                found = found.also(self.equal(a, b, c.of, self.graph.shape(c.node), f"line {k} of {what}", outputs))
        self.found[c.of, c.node] = c.expr
        return self.verdict("one term for every consumer in the graph; each line compared entry by entry", found)

    def entry(self, c: AdjointEntry) -> Verdict:
        """The index form, at every index value."""
        expr = self.established(c.of, c.node)
        shape = self.graph.shape(c.node)
        i, j = (*c.indices, Integer(1), Integer(1))[:2]
        found = self.compare(
            lambda ex: ex.rows(expr),
            lambda ex: tuple(tuple(ex.scalar(c.expr.xreplace({i: Integer(a), j: Integer(b)})) for b in range(1, ex.size(shape[1]) + 1))
                             for a in range(1, ex.size(shape[0]) + 1)),
            shape, lambda atoms: (slots(expr, atoms), slots(c.expr, atoms)), f"entry of {c.node}_bar", c.of)
        return self.verdict("compared at every index", found)

    def closed_form(self, c: ClosedForm) -> Verdict:
        """All adjoints' definitions put in; forward nodes may stand for themselves or for their definitions."""
        expr = self.composed(self.established(c.of, c.node), c.of, forward=False)
        if names_in(c.expr) and any(n.endswith("_bar") and n[:-4] in self.graph for n in names_in(c.expr) if n not in self.graph):
            raise Refused(f"the closed form of {c.node}_bar still has an adjoint in it")
        if _flat(expr) == _flat(c.expr):
            return self.verdict("equals put in for equals, compared as expressions", Compared())
        what = f"closed form of {c.node}_bar"
        try:
            found = self.equal(F.Just(expr), F.Just(c.expr), c.of, self.graph.shape(c.node), what)
        except Refused:
            left, right = self.composed(expr, c.of), self.composed(c.expr, c.of)
            found = self.equal(F.Just(left), F.Just(right), c.of, self.graph.shape(c.node), what)
        return self.verdict("compared entry by entry", found)

    def matches(self, c: Matches) -> Verdict:
        found = Compared()
        for w, choice in zip(c.wrt, c.choice, strict=True):
            left, right = self.composed(self.established(c.of, w), c.of), self.composed(choice, c.of)
            if shape_of(left) != shape_of(right):
                raise Refused(f"the choice is {say_shape(shape_of(right))}, the derivative {say_shape(shape_of(left))}")
            found = found.also(self.equal(F.Just(left), F.Just(right), c.of, self.graph.shape(w), "choice"))
        return self.verdict("equal to the derived answer with all definitions put in, compared entry by entry", found)

    def differs(self, c: Differs) -> Verdict:
        """The shapes differ, or the witness separates the two."""
        left, right = self.composed(self.established(c.of, c.wrt[c.part]), c.of), self.composed(c.choice[c.part], c.of)
        if c.witness is None:
            if shape_of(left) == shape_of(right):
                raise Refused("the shapes are the same, and no witness is given")
            return Verdict(Ground.PROVED, f"the shapes differ: {say_shape(shape_of(right))} is not {say_shape(shape_of(left))}", "for general sizes")
        ex = Explicit({d: dict(c.witness.sizes)[str(d)] for d in self.dimensions})
        i, j = c.witness.entry
        if not differ(ex.rows(left)[i - 1][j - 1], ex.rows(right)[i - 1][j - 1], self.point(c.witness)):
            raise Refused("the witness does not separate the choice from the derivative")
        return Verdict(Ground.PROVED, "evaluated exactly at the witness", "at the witness")

    # ---- comparison ------------------------------------------------------------------------------------------

    def established(self, of: str, node: str) -> Expr:
        if (of, node) not in self.found:
            raise Refused(f"{node}_bar was not derived")
        return self.found[of, node]

    def composed(self, e: Expr, of: str, forward: bool = True) -> Expr:
        """Definitions of adjoints, and of forward nodes, put in."""
        table = {variable(f"{n}_bar", self.graph.shape(n)): x for (o, n), x in self.found.items() if o == of}
        if forward:
            table |= {n.symbol: n.expr for n in self.graph.nodes}
        while True:
            put_in = e.xreplace(table)
            if put_in == e:
                return e
            e = put_in

    def point(self, w: Witness) -> dict[Expr, Expr]:
        values: dict[Expr, Expr] = {}
        for name, rows in w.values:
            symbol = self.graph.symbol(name)
            for a, row in enumerate(rows, 1):
                for b, x in enumerate(row, 1):
                    values[symbol if self.graph.shape(name) == SCALAR else Entry(symbol, Integer(a), Integer(b))] = x
        return values

    def equal(self, a: F.Form, b: F.Form, of: str, shape: tuple[Expr, Expr], what: str, outputs: tuple[str, ...] = ()) -> Compared:
        """Two forms, where `outputs` names nodes that stand for their definitions: p for softmax(z) in the slope of p = softmax(z)."""
        definitions = tuple((self.graph.symbol(n), self.graph.node(n).expr) for n in reversed(outputs))
        def sides(atoms: bool) -> tuple[Slots, ...]:
            return self.slots(a, definitions, atoms), self.slots(b, definitions, atoms)

        return self.compare(lambda ex: self.rows(a, ex), lambda ex: self.rows(b, ex), shape, sides, what, of, definitions)

    def compare(self, left, right, shape, sides: Callable[[bool], tuple[Slots, ...]], what: str, of: str,  # type: ignore[no-untyped-def]
                definitions: tuple[tuple[Expr, Expr], ...] = ()) -> Compared:
        """Entry by entry at enough sizes.  Raises Refused with a point, or Undecided.

        A small size may refute it.  Then inverses, softmax, divisors and the like are atoms; where that does not show it, everything
        is written out, which proves nothing where there are inverses: a cofactor grows with the size.
        """
        work = (left, right, what, of, definitions)
        plain, with_atoms = sides(False), sides(True)
        sizes, everywhere = enough(self.dimensions, shape, plain)
        few = self.small(sizes[0], plain)
        self.compare_at(few, None, *work, refute=2 if few != sizes[0] else 3, prove=False)
        for numbers in (False, True) if any(s.named for s in plain) else (False,):
            fewer, complete = enough(self.dimensions, shape, with_atoms, numbers)
            if numbers and too_large(fewer):
                break
            with suppress(Undecided):
                found = [self.compare_at(vector, Atoms(numbers=numbers), *work) for vector in fewer]
                return Compared(self.say_enough(fewer, complete), complete, tuple(dict.fromkeys(c for f in found for c in f)))
        if not everywhere or too_large(sizes):
            sizes, everywhere = [few] if not everywhere else [few, {d: n + 1 for d, n in few.items()}], False
        for vector in sizes:
            try:
                self.compare_at(vector, None, *work)
            except Undecided:
                self.compare_at(vector, None, *work, refute=3, prove=False)
                raise
        return Compared(self.say_enough(sizes, everywhere), everywhere or not self.dimensions)

    def say_enough(self, sizes: list[dict[Expr, int]], everywhere: bool) -> str:
        return _say(sizes) + (" (as many index slots as any monomial carries)" if self.dimensions and everywhere else "")

    @staticmethod
    def small(sizes: dict[Expr, int], sides: tuple[Slots, ...]) -> dict[Expr, int]:
        """Sizes of 2, or what fixed positions and sizes such as N - K + 1 need."""
        return enough(tuple(sizes), (), tuple(Slots(fixed=s.fixed + Counter({d: 1 for d in s.summed if not d.is_Symbol})) for s in sides))[0][0]

    def compare_at(self, sizes: dict[Expr, int], atoms: Atoms | None, left, right, what: str, of: str,  # type: ignore[no-untyped-def]
                   definitions: tuple[tuple[Expr, Expr], ...], refute: int = 0, prove: bool = True) -> tuple[str, ...]:
        """At one size, at some points to refute it or in normal form to prove it; returns the conditions that atoms rest on."""
        ex = Explicit(dict(sizes), atoms)
        a, b = left(ex), right(ex)
        if (len(a), len(a[0])) != (len(b), len(b[0])):
            raise Refused(f"{what}: the shapes differ")
        if len(a) * len(a[0]) > MAX_ENTRIES:
            raise Undecided(f"{what}: more than {MAX_ENTRIES} entries")
        tables = [{variable(f"{n}_bar", SCALAR): x for (o, n), x in self.found.items() if o == of and x.is_Number}]
        for symbol, expr in definitions:
            pairs = zip(ex.rows(symbol), ex.rows(expr), strict=True)
            tables.append({s: x for row, other in pairs for s, x in zip(row, other, strict=True)})
        for i, (row, other) in enumerate(zip(a, b, strict=True), 1):
            for j, (x, y) in enumerate(zip(row, other, strict=True), 1):
                for table in tables:
                    x, y = x.xreplace(table), y.xreplace(table)
                if atoms:
                    x, y = atoms.divided(x), atoms.divided(y)
                where = f"{what}, entry ({i}, {j}) at {_say([sizes])}"
                if x == y:
                    continue
                if atoms is None and refute:
                    self.refute(x, y, where, refute)
                if prove:
                    self.prove(x, y, where)
        return tuple(atoms.conditions) if atoms else ()

    def refute(self, x: Expr, y: Expr, what: str, count: int) -> None:
        """Raises Refused at the first of a few points where the two differ."""
        symbols = tuple(sorted({s for e in (x, y) for s in _leaves(e)}, key=str))
        for point in points(symbols, count):
            if differ(x, y, point):
                where = ", ".join(f"{_say_leaf(s)} = {v}" for s, v in list(point.items())[:12])
                raise Refused(f"{what}: the two sides differ at {where}")

    def prove(self, x: Expr, y: Expr, what: str) -> None:
        """Raises Undecided unless x - y has the normal form 0."""
        if not all(zero for zero, _ in branches(x - y, self.problem.conventions.relu_at_zero)):
            raise Undecided(f"{what}: the normal form does not decide it")

    # ---- what a form stands for, at explicit sizes -----------------------------------------------------------

    def rows(self, form: F.Form, ex: Explicit) -> Rows:
        match form:
            case F.Just(expr) | F.Spread(expr):
                return ex.rows(expr)
            case F.Diagonal(expr):
                column = ex.rows(expr)
                return tuple(tuple(x[0] if i == j else Integer(0) for j in range(len(column))) for i, x in enumerate(column))
            case F.Sum(terms):
                grids = [self.rows(t, ex) for t in terms]
                return tuple(tuple(Add(*xs) for xs in zip(*rows, strict=True)) for rows in zip(*grids, strict=True))
            case F.Product(factors):
                grids = [self.rows(t, ex) for t in factors]
                result = grids[0]
                for g in grids[1:]:
                    result = _times(result, g)
                return result
            case F.AdjointOf(node):
                return ex.rows(variable(f"{node}_bar", self.graph.shape(node)))
            case F.Pullback(of, wrt):
                return self.pullback(of, wrt, ex)
            case F.Stacked(of, wrt):
                (definition,), = ex.rows(self.graph.node(of).expr)
                return tuple(tuple(ex.differentiate(definition, x) for x in row) for row in ex.rows(self.graph.symbol(wrt)))
            case F.JacobianTimes(layout, of, transposed):
                jacobian = self.rows(layout, ex)
                if transposed:
                    jacobian = tuple(zip(*jacobian, strict=True))
                return _times(jacobian, self.rows(F.AdjointOf(of), ex))
        raise Refused(f"{type(form).__name__} is not a vector form")

    def pullback(self, of: str, wrt: str, ex: Explicit) -> Rows:
        """sum_ab (of_bar)_ab d of_ab / d wrt_ij, from the definition."""
        definition = [x for row in ex.rows(self.graph.node(of).expr) for x in row]
        bars = [x for row in ex.rows(variable(f"{of}_bar", self.graph.shape(of))) for x in row]
        return tuple(tuple(Add(*(Mul(bar, ex.differentiate(u, x)) for bar, u in zip(bars, definition, strict=True))) for x in row)
                     for row in ex.rows(self.graph.symbol(wrt)))

    def slots(self, form: F.Form, definitions: tuple[tuple[Expr, Expr], ...] = (), atoms: bool = False) -> Slots:
        def of_expr(e: Expr) -> Slots:
            for symbol, expr in definitions:
                e = e.xreplace({symbol: expr})
            return slots(e, atoms)

        match form:
            case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
                return of_expr(expr)
            case F.Sum(terms):
                parts = [self.slots(t, definitions, atoms) for t in terms]
                return parts[0].times(*parts[1:]) if any(p.quotient for p in parts) else parts[0].or_(*parts[1:])
            case F.Product(factors):
                parts = [self.slots(t, definitions, atoms) for t in factors]
                return parts[0].times(*parts[1:])
            case F.AdjointOf():
                return Slots()
            case F.Pullback(of, _):
                return of_expr(self.graph.node(of).expr).and_sum(*self.graph.shape(of))
            case F.Stacked(of, _):
                return of_expr(self.graph.node(of).expr)
            case F.JacobianTimes(layout, of, _):
                return self.slots(layout, definitions, atoms).and_sum(*self.graph.shape(of))
        raise Refused(f"{type(form).__name__} is not a vector form")

    def verdict(self, method: str, found: Compared) -> Verdict:
        """Proved for all sizes, or tested at some."""
        where = f" at {found.words}" if found.words else ""
        if not found.everywhere:
            return Verdict(Ground.TESTED, method, f"at {found.words}", found.conditions)
        everywhere = f"for all {', '.join(map(str, self.dimensions))}" if self.dimensions else "for all values"
        return Verdict(Ground.PROVED, method + where, everywhere, found.conditions)


def too_large(sizes: list[dict[Expr, int]]) -> bool:
    """More than is written out in a few seconds."""
    return sum(prod(vector.values()) for vector in sizes) > MAX_SIZE


def _expressions(form: F.Form) -> tuple[Expr, ...]:
    match form:
        case F.Just(expr) | F.Spread(expr) | F.Diagonal(expr):
            return (expr,)
        case F.Sum(parts) | F.Product(parts):
            return tuple(e for p in parts for e in _expressions(p))
        case F.JacobianTimes(layout):
            return _expressions(layout)
    return ()


def _times(a: Rows, b: Rows) -> Rows:
    if len(a) == len(a[0]) == 1:
        return tuple(tuple(Mul(a[0][0], x) for x in row) for row in b)
    if len(b) == len(b[0]) == 1:
        return tuple(tuple(Mul(x, b[0][0]) for x in row) for row in a)
    return tuple(tuple(Add(*(Mul(x, y) for x, y in zip(row, column, strict=True) if x != 0 and y != 0)) for column in zip(*b, strict=True))
                 for row in a)


def _leaves(e: Expr) -> set[Expr]:
    found: set[Expr] = set()
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, Entry) or x.is_Symbol:
            found.add(x)
        else:
            stack.extend(a for a in x.args if isinstance(a, Expr))
    return found


def _flat(e: Expr) -> object:
    """An expression as nested tuples, associative operations flattened, for comparison by structure."""
    if isinstance(e, AsScalar) or not e.args:
        return e if not isinstance(e, AsScalar) else _flat(e.arg)
    name = type(e).__name__
    associative = name in ("MatMul", "MatAdd", "Add", "Mul", "HadamardProduct")
    items: list[object] = []
    for a in e.args:
        flat = _flat(a)
        items.extend(flat[1:] if associative and isinstance(flat, tuple) and flat[0] == name else [flat])
    return (name, *items)


def _say(vectors: list[dict[Expr, int]]) -> str:
    return " and ".join(", ".join(f"{d} = {n}" for d, n in sizes.items()) or "its sizes" for sizes in vectors)


def _say_leaf(e: Expr) -> str:
    return f"{e.args[0].name}[{e.args[1]},{e.args[2]}]" if isinstance(e, Entry) else str(e)


