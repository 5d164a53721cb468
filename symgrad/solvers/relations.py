"""A scalar function as a combination of others with scaled and shifted arguments: a search in floats over small rationals.

    f(u) = c_1 g_1(a_1 u + b_1) + ... + c_n g_n(a_n u + b_n) + e u + d

What it finds is a guess: the checker proves it.  To find more: more numbers in `SCALES`, or more terms in `combinations`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from sympy import Expr, Integer, Rational

from symgrad.language.claims import ARGUMENT
from symgrad.language.errors import Unsupported
from symgrad.solvers.witness import _value

SCALES = (Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3), Fraction(1, 3), Fraction(4), Fraction(1, 4))
SHIFTS = (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(2))
POINTS = tuple(float(Fraction(n, 6)) for n in (0, 6, -6, 3, -3, 12, -12, 2, -2, 1, -1, 9, -9, 17, -17, 23, -23, 31, -31, 4, -4, 14, -14, 241, -241))
TOLERANCE, LARGEST = 1e-10, 5000
FEW, PAIRS = 8, 40


@dataclass(frozen=True, slots=True)
class Combination:
    """`terms` are (c, a, b), one for each function; slope is e, shift is d."""

    terms: tuple[tuple[Rational, Rational, Rational], ...]
    slope: Rational = Integer(0)
    shift: Rational = Integer(0)


IDENTITY = Combination(((Integer(1), Integer(1), Integer(0)),))


@cache
def combinations(f: Expr, gs: tuple[Expr, ...]) -> tuple[Combination, ...]:
    """The simplest combinations found, at most a few; f itself first where there is one function and it is f."""
    found = [IDENTITY] if gs == (f,) else []
    with contextlib.suppress(Unsupported):  # a function of which nothing is known equals nothing but itself
        found += [c for c in _search(f, gs) if c not in found]
    return tuple(found)


def tried() -> str:
    """In words, what the search goes through."""
    return f"{2 * len(SCALES)} scales a times {2 * len(SHIFTS) - 1} shifts b and more that the numbers in the functions suggest"


def _search(f: Expr, gs: tuple[Expr, ...]) -> Iterator[Combination]:
    import numpy as np

    points = np.array(POINTS)
    left = _at(f, points, np)
    numbers = _numbers(f) | {x for g in gs for x in _numbers(g)}
    grid = _grid(numbers)
    if len(gs) > 1:
        grid = grid[:PAIRS]
    columns = [[(k, a, b, _at(g, float(a) * points + float(b), np)) for k, (a, b) in enumerate(grid)] for g in gs]
    for slope in (False, True) if len(gs) == 1 else (not gs,):
        simplest: list[tuple[Any, Combination]] = []
        for choice in product(*columns):
            if len(choice) > 1 and gs[0] == gs[1] and choice[0][0] > choice[1][0]:
                continue  # the same two the other way round
            fitted = _fit(left, [x for *_, x in choice], points if slope else None, numbers, np)
            if fitted is not None:
                *factors, e, d = fitted
                if slope and e == 0:
                    continue
                terms = tuple((_rational(c), _rational(a), _rational(b)) for c, (_, a, b, _) in zip(factors, choice, strict=True))
                simplest.append((sum(k for k, *_ in choice), Combination(terms, _rational(e), _rational(d))))
        yield from (c for _, c in sorted(simplest, key=lambda pair: pair[0])[:FEW])


def _fit(left: Any, columns: list[Any], slope: Any, numbers: set[Fraction], np: Any) -> list[Fraction] | None:
    """Small rational coefficients with which the columns, the slope and a constant add up to `left`; None if there are none."""
    matrix = np.stack([*columns, *([slope] if slope is not None else []), np.ones_like(left)], axis=1)
    good = np.isfinite(matrix).all(axis=1) & np.isfinite(left)
    if good.sum() < matrix.shape[1] + 4:
        return None
    matrix, target = matrix[good], left[good]
    solution, _, rank, _ = np.linalg.lstsq(matrix, target, rcond=1e-12)
    if rank < matrix.shape[1] or abs(matrix @ solution - target).max() > TOLERANCE * (1 + abs(target).max()):
        return None
    exact: list[Any] = [_small(float(x), numbers) for x in solution]
    if any(q is None for q in exact) or any(q == 0 for q in exact[:len(columns)]):
        return None
    return [*exact[:len(columns)], exact[len(columns)] if slope is not None else Fraction(0), exact[-1]]


def _small(x: float, numbers: set[Fraction]) -> Fraction | None:
    """A fraction with a small denominator, or a small multiple of a number of the functions, that x is."""
    near = Fraction(x).limit_denominator(LARGEST)
    for q in (near, *(n * (Fraction(x) / n).limit_denominator(100) for n in sorted(numbers))):
        if abs(float(q) - x) <= 1e-9 * (1 + abs(x)):
            return q
    return None


def _at(f: Expr, points: Any, np: Any) -> Any:
    """Float values; nan where f is not defined."""

    def row(some: Any) -> Any:
        return np.broadcast_to(_value(f, {ARGUMENT.name: some[None, :]}, {}, np), (1, len(some)))[0]

    def one(x: Any) -> float:
        try:
            return float(row(x)[0])
        except (ZeroDivisionError, ValueError, OverflowError):
            return float("nan")

    with np.errstate(all="ignore"):
        try:
            return row(points)
        except (ZeroDivisionError, ValueError, OverflowError):
            return np.array([one(points[k:k + 1]) for k in range(len(points))])


def _numbers(f: Expr) -> set[Fraction]:
    """The numbers that stand in f, such as the slope of a leaky relu or the ends of a hard tanh."""
    return {Fraction(int(x.p), int(x.q)) for x in f.atoms(Rational) if x not in (0, 1, -1)}


def _grid(numbers: set[Fraction]) -> list[tuple[Fraction, Fraction]]:
    """The pairs (a, b), simplest first: unscaled, unshifted, unflipped; the numbers in the functions count as simple shifts."""
    near = {abs(x) for x in numbers} | {1 / abs(x) for x in numbers}
    scales = {s * x for s in (1, -1) for x in (*SCALES, *near, *(2 * x for x in near), *(x / 2 for x in near))}
    shifts = {s * x for s in (1, -1) for x in (*SHIFTS, *(abs(x) for x in numbers))}

    def cost(pair: tuple[Fraction, Fraction]) -> tuple[object, ...]:
        a, b = pair
        size = 0 if b == 0 else 1 if abs(b) in numbers | {1} else abs(b.numerator) + b.denominator
        return abs(a.numerator) + a.denominator + 2 * size, a < 0, abs(a), abs(b), b < 0

    return sorted(((a, b) for a in scales for b in shifts), key=cost)


def _rational(x: Fraction) -> Rational:
    return Rational(x.numerator, x.denominator)
