"""Inverse, determinant, softmax, argmax as atoms with one rule each, so that a claim about them is shown for all sizes.

    d(A^-1) = -A^-1 dA A^-1           d det A = det A tr(A^-1 dA)         d argmax = 0 away from ties
    d log sum_k e^(z_k) = p^T dz      d p_i = p_i (dz_i - p^T dz),  p = softmax(z)

Divisors, roots, sigmoids and sizes that stand as numbers (the N of 1/N) are atoms too.  An identity between polynomials in atoms holds
whatever they stand for; nothing is refuted with them.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), ch. 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.check.calculus import differentiate
from symgrad.check.normal import is_zero
from symgrad.language.functions import KNOWN, Call, call
from symgrad.language.vectors import Entry

Rows = tuple[tuple[Expr, ...], ...]
INVERSE = "the inverse exists, and d(A^-1) = -A^-1 dA A^-1"
DETERMINANT = "the determinant is not 0, and d det A = det A tr(A^-1 dA)"
LARGEST = "the largest entry is attained once"


@dataclass
class Atoms:
    """The atoms of one comparison in the order they were made, and the conditions they rest on."""

    known: dict[tuple[str, Rows], Rows] = field(default_factory=dict)
    conditions: dict[str, None] = field(default_factory=dict)
    place: dict[Expr, tuple[str, Rows, int, int]] = field(default_factory=dict)  # atom -> what it is an entry of, and where
    slopes: dict[Expr, dict[Expr, Expr]] = field(default_factory=dict)
    inner: dict[tuple[tuple[str, Rows], Expr], dict[tuple[int, int], Expr]] = field(default_factory=dict)
    numbers: bool = False  # sizes that stand as numbers are numbers
    parted: dict[Expr, Expr] = field(default_factory=dict)

    def _grid(self, kind: str, a: Rows, rows: int, columns: int) -> Rows:
        if (kind, a) not in self.known:
            k = len(self.known)
            grid = tuple(tuple(Symbol(f"#{kind}{k}[{i},{j}]", real=True) for j in range(columns)) for i in range(rows))
            self.known[kind, a] = grid
            self.place.update((atom, (kind, a, i, j)) for i, row in enumerate(grid) for j, atom in enumerate(row))
        return self.known[kind, a]

    def inverse(self, a: Rows) -> Rows:
        """Entries of A^-1; of A^-T where A^T was met before."""
        self.conditions[INVERSE] = None
        turned: Rows = tuple(zip(*a, strict=True))
        if ("inverse", turned) in self.known:
            return tuple(zip(*self.known["inverse", turned], strict=True))
        return self._grid("inverse", a, len(a), len(a))

    def determinant(self, a: Rows) -> Expr:
        self.inverse(a)
        self.conditions[DETERMINANT] = None
        return self._grid("det", a, 1, 1)[0][0]

    def largest(self, a: Rows) -> Rows:
        """1 at the largest entry of each row, as atoms that depend on nothing."""
        self.conditions[LARGEST] = None
        return self._grid("argmax", a, len(a), len(a[0]))

    def softmax(self, a: Rows) -> Rows:
        """Softmax of each row; rows with the same argument have the same atoms."""
        return tuple(self._grid("softmax", (row,), 1, len(row))[0] for row in a)

    def logsumexp(self, a: Rows) -> Rows:
        self.softmax(a)
        return tuple(self._grid("logsumexp", (row,), 1, 1)[0] for row in a)

    def differentiate(self, e: Expr, x: Expr) -> Expr:
        """de/dx; an atom by its rule."""
        memo = self.slopes.setdefault(x, {})
        for atom in sorted(e.free_symbols & self.place.keys() - memo.keys(), key=str):
            memo[atom] = self._slope(atom, x)
        return differentiate(e, x, memo)

    def _slope(self, atom: Expr, x: Expr) -> Expr:
        kind, a, i, j = self.place[atom]
        if ((kind, a), x) not in self.inner:
            slopes = {(k, m): self.differentiate(entry, x) for k, row in enumerate(a) for m, entry in enumerate(row)}
            self.inner[(kind, a), x] = {where: dx for where, dx in slopes.items() if dx != 0}
        d = self.inner[(kind, a), x].items()
        match kind:
            case "det":
                b = self.inverse(a)
                return Mul(atom, Add(*(Mul(b[m][k], dx) for (k, m), dx in d)))
            case "inverse":
                b = self.known[kind, a]
                return Mul(Integer(-1), Add(*(Mul(b[i][k], dx, b[m][j]) for (k, m), dx in d)))
            case "softmax" | "logsumexp":
                (p,) = self.softmax(a)
                mean = Add(*(Mul(p[m], dx) for (_, m), dx in d))
                return mean if kind == "logsumexp" else Mul(atom, Add(dict(d).get((0, j), Integer(0)), Mul(Integer(-1), mean)))
        return Integer(0)

    def divided(self, e: Expr) -> Expr:
        """e with an atom for every divisor and root of more than one symbol and for every function of entries; the slopes of sigmoid
        and the like are polynomials in its atom."""
        if not e.args or isinstance(e, Entry):
            return e
        if e not in self.parted:
            self.parted[e] = self._call(e) if isinstance(e, Call) else self._divided(e)
        return self.parted[e]

    def _divided(self, e: Expr) -> Expr:
        parts = tuple(map(self.divided, e.args))
        if not isinstance(e, Pow) or (e.exp.is_Integer and e.exp > 0) or not isinstance(e.exp, Rational) or e.base.is_Number:
            return e.func(*parts)
        base, (top, bottom) = parts[0], (int(e.exp.p), int(e.exp.q))
        if bottom != 1:
            base = self._grid(f"root{bottom} of ", ((base,),), 1, 1)[0][0]
        elif not isinstance(base, Symbol | Entry):
            base, top = self._grid("1 over ", ((base,),), 1, 1)[0][0], -top
        return Pow(base, top)

    def _call(self, e: Call) -> Expr:
        """Any function of entries: nothing is used of it but that equal arguments give equal values."""
        arguments = tuple(map(self.divided, e.arguments))
        if not smooth(e.fn.name):
            return self._grid(f"{e.fn} of ", (arguments,), 1, 1)[0][0]
        (order,) = e.fn.orders
        value = self._grid(f"{e.fn.name} of ", (arguments,), 1, 1)[0][0]
        if not order:
            return value
        z = Symbol("#z", real=True)
        slope = _slope_of(e.fn.name, z)
        for _ in range(order - 1):
            slope = differentiate(slope, z)
        return self.divided(slope.xreplace({z: arguments[0]}))


@cache
def smooth(name: str) -> bool:
    """Does the row of this function of one argument state its slope in its value?  The statement is proved here, from its definition."""
    row = KNOWN.get(name)
    if row is None or row.definition is None or row.derivative is None or row.kink or row.arity != 1:
        return False
    z = Symbol("#z", real=True)
    stated, true = _slope_of(name, z), differentiate(row.definition(z), z)
    return is_zero(stated - true)


def _slope_of(name: str, z: Expr) -> Expr:
    return KNOWN[name].derivative(z, call(name, z))  # type: ignore[misc]


def cofactor_determinant(a: Rows) -> Expr:
    """The determinant by expansion along the first row."""
    if not a:
        return Integer(1)
    return Add(*(Mul(Integer((-1) ** j), a[0][j], cofactor_determinant(_minor(a, 0, j))) for j in range(len(a))))


def cofactor_inverse(a: Rows) -> Rows:
    """Adjugate over determinant."""
    whole = cofactor_determinant(a) ** -1
    return tuple(tuple(Mul(Integer((-1) ** (i + j)), cofactor_determinant(_minor(a, j, i)), whole) for j in range(len(a))) for i in range(len(a)))


def _minor(a: Rows, i: int, j: int) -> Rows:
    return tuple((*row[:j], *row[j + 1:]) for k, row in enumerate(a) if k != i)
