"""Inverse, determinant, softmax, every function of entries, divisors and roots as atoms with one rule each.

    d(A^-1) = -A^-1 dA A^-1           d det A = det A tr(A^-1 dA)         d argmax = 0 away from ties
    d log sum_k e^(z_k) = p^T dz      d p_i = p_i (dz_i - p^T dz),  p = softmax(z)
    d f(u) = f'(u) du                 d(1/u) = -du / u^2                  d u^(1/n) = du / (n (u^(1/n))^(n - 1))

An identity between polynomials in atoms holds whatever they stand for, so the count of slots proves it for all sizes; no
relation between functions can make an index drop out.  Nothing is refuted with them.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), ch. 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import differentiate, partial
from symgrad.check.evaluation import leaves
from symgrad.check.normal import is_zero
from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call, Fn, call

Rows = tuple[tuple[Expr, ...], ...]
INVERSE = "where the inverse exists, and d(A^-1) = -A^-1 dA A^-1"
DETERMINANT = "where the determinant is not 0, and d det A = det A tr(A^-1 dA)"
LARGEST = "where the largest entry is attained once"
ZERO, ONE = Integer(0), Integer(1)
MAX_COFACTORS = 6


@dataclass
class Atoms:
    """The atoms of one comparison in the order they were made, and the conditions they rest on."""

    numbers: bool = False  # sizes that stand as numbers, the N of 1/N, are numbers; else indeterminates
    known: dict[tuple[object, Rows], Rows] = field(default_factory=dict)
    place: dict[Expr, tuple[object, Rows, int, int]] = field(default_factory=dict)  # atom -> what it is an entry of, and where
    conditions: dict[str, None] = field(default_factory=dict)
    slopes: dict[Expr, dict[Expr, Expr]] = field(default_factory=dict)
    within: dict[Expr, tuple[Expr, ...]] = field(default_factory=dict)
    leaves: dict[tuple[object, Rows], frozenset[Expr]] = field(default_factory=dict)
    inner: dict[tuple[object, Rows, Expr], dict[tuple[int, int], Expr]] = field(default_factory=dict)

    def _grid(self, kind: object, a: Rows, rows: int = 1, columns: int = 1) -> Rows:
        if (kind, a) not in self.known:
            k = len(self.known)
            grid = tuple(tuple(Symbol(f"#{kind}#{k}[{i},{j}]", real=True) for j in range(columns)) for i in range(rows))
            self.known[kind, a] = grid
            self.place.update((atom, (kind, a, i, j)) for i, row in enumerate(grid) for j, atom in enumerate(row))
        return self.known[kind, a]

    # ---- atoms -----------------------------------------------------------------------------------------------------

    def inverse(self, a: Rows) -> Rows:
        """Entries of A^-1; of A^-T where A^T was met before; those of a symmetric matrix are symmetric, (A^-1)^T = (A^T)^-1 = A^-1."""
        self.conditions[INVERSE] = None
        turned: Rows = tuple(zip(*a, strict=True))
        if turned == a and ("inverse", a) not in self.known:
            half = self._grid("inverse", a, len(a), len(a))
            self.known["inverse", a] = tuple(tuple(half[max(i, j)][min(i, j)] for j in range(len(a))) for i in range(len(a)))
        if ("inverse", turned) in self.known:
            return tuple(zip(*self.known["inverse", turned], strict=True))
        return self._grid("inverse", a, len(a), len(a))

    def determinant(self, a: Rows) -> Expr:
        self.inverse(a)
        self.conditions[DETERMINANT] = None
        return self._grid("det", a)[0][0]

    def largest(self, a: Rows) -> Rows:
        """1 at the largest entry of each row, as atoms that depend on nothing."""
        self.conditions[LARGEST] = None
        return self._grid("argmax", a, len(a), len(a[0]))

    def softmax(self, a: Rows) -> Rows:
        """Softmax of each row; rows with the same argument have the same atoms."""
        return tuple(self._grid("softmax", (row,), 1, len(row))[0] for row in a)

    def logsumexp(self, a: Rows) -> Rows:
        return tuple(self._grid("logsumexp", (row,))[0] for row in a)

    def power(self, base: Expr, exponent: Expr) -> Expr:
        """base^exponent; a root and a divisor are atoms, of numbers too unless the value is rational."""
        if not isinstance(exponent, Rational):
            raise Unsupported("a power whose exponent is not a number")
        top, bottom = int(exponent.p), int(exponent.q)
        if bottom != 1:
            base = self._grid(f"root {bottom}", ((base,),))[0][0]
        if top < 0 and not isinstance(base, Rational):
            base, top = self._grid("1 over", ((base,),))[0][0], -top
        return Pow(base, top)

    def call(self, fn: Fn, arguments: tuple[Expr, ...]) -> Expr:
        """A function of entries: nothing is used of it but that equal arguments give equal values; a slope of sigmoid and the like is
        the polynomial in its value that its row states."""
        if fn.name == "max" and sum(fn.orders) > 1:
            return ZERO  # away from ties
        if fn == Fn("abs", (1,)):
            fn = Fn("sign", (0,))  # away from 0
        if not fn.plain and smooth(fn.name):
            z = Symbol("#z", real=True)
            return self.atomic(smooth_slope(fn, z).xreplace({z: arguments[0]}))
        return self._grid(fn, (arguments,))[0][0]

    def atomic(self, e: Expr) -> Expr:
        """An expression with functions, divisors and roots in atoms."""
        match e:
            case Call():
                return self.call(e.fn, tuple(map(self.atomic, e.arguments)))
            case Pow():
                return self.power(self.atomic(e.base), e.exp)
            case Add() | Mul():
                return e.func(*map(self.atomic, e.args))
        return e

    # ---- calculus ----------------------------------------------------------------------------------------------------

    def differentiate(self, e: Expr, x: Expr) -> Expr:
        """de/dx for a polynomial in variables and atoms."""
        memo = self.slopes.setdefault(x, {})
        for atom in self._atoms_in(e):
            if atom not in memo:
                memo[atom] = self._slope(atom, x)
        return differentiate(e, x, memo)

    def _atoms_in(self, e: Expr) -> tuple[Expr, ...]:
        if e not in self.within:
            self.within[e] = tuple(sorted(e.free_symbols & self.place.keys(), key=str))
        return self.within[e]

    def _slope(self, atom: Expr, x: Expr) -> Expr:
        kind, a, i, j = self.place[atom]
        if (kind, a, x) not in self.inner:
            slopes = {(k, m): self.differentiate(entry, x) for k, row in enumerate(a) for m, entry in enumerate(row)}
            self.inner[kind, a, x] = {where: dx for where, dx in slopes.items() if dx != 0}
        d = self.inner[kind, a, x]
        if not d or kind == "argmax":
            return ZERO
        match kind:
            case "det":
                return Mul(atom, self._trace(a, d))
            case "inverse":
                b = self.known[kind, a]
                return Mul(Integer(-1), Add(*(Mul(b[i][k], dx, b[m][j]) for (k, m), dx in d.items())))
            case "softmax" | "logsumexp":
                (p,) = self.softmax(a)
                mean = Add(*(Mul(p[m], dx) for (_, m), dx in d.items()))
                return mean if kind == "logsumexp" else Mul(atom, Add(d.get((0, j), ZERO), Mul(Integer(-1), mean)))
            case "1 over":
                return Mul(Integer(-1), Pow(atom, 2), d[0, 0])
            case Fn(name="log", plain=True) if self.place.get(a[0][0], ("",))[0] == "det":  # d log det A = tr(A^-1 dA)
                inner = self.place[a[0][0]][1]
                return self._trace(inner, self.inner["det", inner, x])
            case Fn():
                return Add(*(Mul(self.atomic(partial(Call(kind, *a[0]), slot)), dx) for (_, slot), dx in d.items()))
        n = int(str(kind).removeprefix("root "))
        return Mul(Rational(1, n), self.power(atom, Integer(1 - n)), d[0, 0])

    def _trace(self, a: Rows, d: dict[tuple[int, int], Expr]) -> Expr:
        """tr(A^-1 dA)."""
        b = self.inverse(a)
        return Add(*(Mul(b[m][k], dx) for (k, m), dx in d.items()))

    def substituted(self, e: Expr, table: Mapping[Expr, Expr], done: dict[tuple[object, Rows], Rows]) -> Expr:
        """e with other values for some variables, inside atoms too; `done` keeps what became of the atoms from entry to entry."""
        moved = dict(table)
        for atom in self._atoms_in(e):
            if not self._leaves(atom).isdisjoint(table):
                kind, a, i, j = self.place[atom]
                if (kind, a) not in done:
                    b = tuple(tuple(self.substituted(entry, table, done) for entry in row) for row in a)
                    grid = self.known[kind, a]
                    done[kind, a] = self.inverse(b) if kind == "inverse" else self._grid(kind, b, len(grid), len(grid[0]))
                moved[atom] = done[kind, a][i][j]
        return e.xreplace(moved)

    def _leaves(self, atom: Expr) -> frozenset[Expr]:
        """The variables that an atom depends on."""
        kind, a, _, _ = self.place[atom]
        if (kind, a) not in self.leaves:
            found = leaves(*(entry for row in a for entry in row))
            self.leaves[kind, a] = frozenset(found).union(*(self._leaves(x) for x in found if x in self.place))
        return self.leaves[kind, a]


@cache
def smooth(name: str) -> bool:
    """Does the row of this function of one argument state its slope in its value?  The statement is proved here, from its definition."""
    row = KNOWN.get(name)
    if row is None or row.definition is None or row.derivative is None or row.kink or row.arity != 1:
        return False
    z = Symbol("#z", real=True)
    return is_zero(_slope_of(name, z) - differentiate(row.definition(z), z))


@cache
def smooth_slope(fn: Fn, z: Expr) -> Expr:
    """A derivative of such a function, of any order, in its value."""
    slope = _slope_of(fn.name, z)
    for _ in range(fn.orders[0] - 1):
        slope = differentiate(slope, z)
    return slope


def _slope_of(name: str, z: Expr) -> Expr:
    return KNOWN[name].derivative(z, call(name, z))  # type: ignore[misc]


def cofactor_determinant(a: Rows) -> Expr:
    """The determinant by expansion along the first row."""
    if not a:
        return ONE
    if len(a) > MAX_COFACTORS:
        raise Unsupported(f"a determinant of more than {MAX_COFACTORS} rows written out")
    return Add(*(Mul(Integer((-1) ** j), a[0][j], cofactor_determinant(_minor(a, 0, j))) for j in range(len(a))))


def cofactor_inverse(a: Rows) -> Rows:
    """Adjugate over determinant."""
    whole = Pow(cofactor_determinant(a), -1)
    return tuple(tuple(Mul(Integer((-1) ** (i + j)), cofactor_determinant(_minor(a, j, i)), whole) for j in range(len(a))) for i in range(len(a)))


def _minor(a: Rows, i: int, j: int) -> Rows:
    return tuple((*row[:j], *row[j + 1:]) for k, row in enumerate(a) if k != i)
