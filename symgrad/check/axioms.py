"""Inverse, determinant, softmax, argmax as atoms with one rule each, so that a claim about them is shown for all sizes.

    d(A^-1) = -A^-1 dA A^-1           d det A = det A tr(A^-1 dA)         d argmax = 0 away from ties
    d log sum_k e^(z_k) = p^T dz      d p_i = p_i (dz_i - p^T dz),  p = softmax(z)

An identity between polynomials in such atoms holds whatever the matrices are; nothing is refuted with them.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), ch. 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Add, Expr, Integer, Mul, Symbol

from symgrad.check.calculus import differentiate

Rows = tuple[tuple[Expr, ...], ...]
INVERSE = "the inverse exists, and d(A^-1) = -A^-1 dA A^-1"
DETERMINANT = "the determinant is not 0, and d det A = det A tr(A^-1 dA)"
LARGEST = "the largest entry is attained once"


@dataclass
class Atoms:
    """The atoms of one comparison in the order they were made, and the conditions they rest on."""

    known: dict[tuple[str, Rows], Rows] = field(default_factory=dict)
    conditions: dict[str, None] = field(default_factory=dict)
    slopes: dict[Expr, tuple[int, dict[Expr, Expr]]] = field(default_factory=dict)

    def _grid(self, kind: str, a: Rows, rows: int, columns: int) -> Rows:
        if (kind, a) not in self.known:
            k = len(self.known)
            self.known[kind, a] = tuple(tuple(Symbol(f"#{kind}{k}[{i},{j}]", real=True) for j in range(columns)) for i in range(rows))
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
        done, memo = self.slopes.get(x, (0, {}))
        for (kind, a), grid in list(self.known.items())[done:]:
            if kind == "argmax":
                continue
            d = [[differentiate(entry, x, memo) for entry in row] for row in a]
            n = range(len(a))
            match kind:
                case "det":
                    b = self.inverse(a)
                    memo[grid[0][0]] = Mul(grid[0][0], Add(*(Mul(b[m][k], d[k][m]) for k in n for m in n)))
                case "inverse":
                    for i in n:
                        for j in n:
                            memo[grid[i][j]] = Mul(Integer(-1), Add(*(Mul(grid[i][k], d[k][m], grid[m][j]) for k in n for m in n)))
                case "softmax" | "logsumexp":
                    (p,), (dz,) = self.softmax(a), d
                    mean = Add(*(Mul(x, y) for x, y in zip(p, dz, strict=True)))
                    if kind == "logsumexp":
                        memo[grid[0][0]] = mean
                    else:
                        memo.update((x, Mul(x, Add(y, Mul(Integer(-1), mean)))) for x, y in zip(p, dz, strict=True))
        self.slopes[x] = (len(self.known), memo)
        return differentiate(e, x, memo)


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
