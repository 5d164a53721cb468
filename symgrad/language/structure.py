"""Structured variables: a symmetric, skew, triangular or diagonal matrix as the image of a free one under a linear map.

    symmetric  S = 1/2 (A + A^T)      skew  S = 1/2 (A - A^T)      diagonal  S = A o I      lower  S = tril(A)      upper  S = triu(A)

Each map is the orthogonal projection on its space for <U, V> = tr(U^T V), so the adjoint of A is the gradient in that space: the same
map of the adjoint of S.  The other convention for symmetric matrices, S = A + A^T - A o I, moves S_ij and S_ji together by what A_ij
moves: the adjoint of A holds the derivatives in the entries on and below the diagonal as independent variables.
To add a structure: a member of Structure with its map, its `misfit`, its words in questions/structured.py.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), sections 3.7 to 3.10; Petersen, Pedersen, The Matrix Cookbook (2012), eq. 138.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from sympy import Expr, Identity, Integer, Rational, Transpose

from symgrad.language import operations as op
from symgrad.language import vectors as v

Entries = tuple[tuple[Rational, ...], ...]


class Structure(Enum):
    """What is known of a matrix; the value is the word of a problem file, ENTRIES being `symmetric` under the other convention."""

    SYMMETRIC = "symmetric"
    ENTRIES = "symmetric by entries"
    SKEW = "skew"
    LOWER = "lower"
    UPPER = "upper"
    DIAGONAL = "diagonal"

    @property
    def word(self) -> str:
        """In a sentence: S is ..."""
        return {Structure.ENTRIES: "symmetric", Structure.SKEW: "skew-symmetric", Structure.LOWER: "lower triangular",
                Structure.UPPER: "upper triangular"}.get(self, self.value)

    @property
    def sign(self) -> int:
        """1 where S^T = S, -1 where S^T = -S, else 0."""
        return {Structure.LOWER: 0, Structure.UPPER: 0, Structure.SKEW: -1}.get(self, 1)


WORDS = tuple(s.value for s in Structure if s is not Structure.ENTRIES)
"""The words of a problem file."""


def mapped(structure: Structure, a: Expr) -> Expr:
    """The map above of a square matrix; it is its own adjoint: <map(U), V> = <U, map(V)>."""
    turned, half = Transpose(a), Rational(1, 2)
    match structure:
        case Structure.SYMMETRIC:
            return v.scale(half, v.add(a, turned))
        case Structure.ENTRIES:
            return v.add(v.add(a, turned), v.negate(v.times(a, Identity(a.shape[0]))))
        case Structure.SKEW:
            return v.scale(half, v.add(a, v.negate(turned)))
        case Structure.LOWER:
            return op.tril(a)
        case Structure.UPPER:
            return v.transpose(op.tril(turned))
        case Structure.DIAGONAL:
            return v.times(a, Identity(a.shape[0]))


def misfit(structure: Structure, entries: Entries) -> tuple[int, int] | None:
    """The first place, from (1, 1), at which the numbers are not of the structure; None if they are."""
    for i, row in enumerate(entries):
        for j, x in enumerate(row):
            fits = {
                Structure.SKEW: x == -entries[j][i], Structure.LOWER: j <= i or x == 0, Structure.UPPER: i <= j or x == 0,
                Structure.DIAGONAL: i == j or x == 0,
            }.get(structure, x == entries[j][i])
            if not fits:
                return i + 1, j + 1
    return None


def preimage(structure: Structure, entries: Entries) -> Entries:
    """A matrix A with that image: the numbers themselves, which a projection leaves alone; their lower triangle by entries."""
    if structure is not Structure.ENTRIES:
        return entries
    return tuple(tuple(x if j <= i else Integer(0) for j, x in enumerate(row)) for i, row in enumerate(entries))


def image(structure: Structure, a: Entries) -> Entries:
    """The map above of numbers."""
    half = Rational(1, 2)

    def at(i: int, j: int) -> Rational:
        x, y = a[i][j], a[j][i]
        match structure:
            case Structure.SYMMETRIC:
                return half * (x + y)
            case Structure.ENTRIES:
                return x if i == j else x + y
            case Structure.SKEW:
                return half * (x - y)
            case Structure.LOWER:
                return x if j <= i else Integer(0)
            case Structure.UPPER:
                return x if i <= j else Integer(0)
            case Structure.DIAGONAL:
                return x if i == j else Integer(0)

    return tuple(tuple(at(i, j) for j in range(len(a))) for i in range(len(a)))


def free_name(name: str, taken: Collection[str]) -> str:
    """The name of the free matrix behind a structured variable: S_free, or S_free2 and so on where that is taken."""
    k, found = 2, f"{name}_free"
    while found in taken or f"{found}_bar" in taken:
        k, found = k + 1, f"{name}_free{k}"
    return found


__all__ = ["WORDS", "Entries", "Structure", "free_name", "image", "mapped", "misfit", "preimage"]
