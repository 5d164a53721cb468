"""Where a function of two inputs is positive in a window: polygons and the border between them and the rest.

A piecewise linear function is cut exactly, at its kinks and at its zeros.  Any other is drawn from its signs on a grid of
`GRID` by `GRID` cells, the border found between neighbours by one linear step: a picture, not a proof.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call
from symgrad.language.piecewise import Affine, Row, at, negated, pieces, unfolded

GRID = 72
Corner = tuple[Fraction, Fraction]
Polygon = tuple[Corner, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """`positive` and `negative` polygons cover the window; `border` are the segments between them; `exact` unless drawn from a grid."""

    positive: tuple[Polygon, ...]
    negative: tuple[Polygon, ...]
    border: tuple[tuple[Corner, Corner], ...]
    exact: bool


def cells(function: Expr, inputs: tuple[Symbol, Symbol], window: Polygon, strict: bool, step_at_zero: Rational = Rational(1)) -> Cells:
    """The cells of a function of two inputs; positive is f >= 0, or f > 0 where `strict`."""
    try:
        found = [(p.where, p.value) for p in pieces(function, inputs, step_at_zero)]
    except Unsupported:
        return _sampled(function, inputs, window, strict, step_at_zero)
    return _cut(found, window, strict)


def _cut(found: list[tuple[tuple[Row, ...], Affine]], window: Polygon, strict: bool) -> Cells:
    positive: list[Polygon] = []
    negative: list[Polygon] = []
    for where, value in found:
        polygon = window
        for row in where:
            polygon = clip(polygon, row.affine)
        above, below = clip(polygon, value), clip(polygon, negated(value))
        if not any(value):
            above, below = ((), polygon) if strict else (polygon, ())
        positive += [above] if area(above) else []
        negative += [below] if area(below) else []
    return Cells(tuple(positive), tuple(negative), _between(positive, negative), True)


def _between(positive: list[Polygon], negative: list[Polygon]) -> tuple[tuple[Corner, Corner], ...]:
    """Where an edge of one kind lies on an edge of the other."""
    edges: dict[tuple[Fraction, ...], tuple[list[tuple[Corner, Corner]], list[tuple[Corner, Corner]]]] = {}
    for side, polygons in enumerate((positive, negative)):
        for polygon in polygons:
            for p, q in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
                if p != q:
                    a, b = q[1] - p[1], p[0] - q[0]
                    line = (Fraction(1), b / a, (a * p[0] + b * p[1]) / a) if a else (Fraction(0), Fraction(1), p[1])
                    edges.setdefault(line, ([], []))[side].append((min(p, q), max(p, q)))
    found: dict[tuple[Corner, Corner], None] = {}
    for these, those in edges.values():
        for start, end in these:
            for first, last in those:
                if max(start, first) < min(end, last):
                    found[max(start, first), min(end, last)] = None
    return tuple(found)


def clip(polygon: Polygon, affine: Affine) -> Polygon:
    """The part of a convex polygon where affine >= 0.  Source: Sutherland and Hodgman 1974."""
    found: list[Corner] = []
    for p, q in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        u, v = at(affine, p), at(affine, q)
        if u >= 0:
            found.append(p)
        if u * v < 0:
            t = u / (u - v)
            found.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return tuple(found)


def area(polygon: Polygon) -> Fraction:
    """Twice the area, positive counterclockwise."""
    return sum((p[0] * q[1] - q[0] * p[1] for p, q in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)), Fraction(0))


def joined(segments: Sequence[tuple[Corner, Corner]]) -> tuple[tuple[Corner, ...], ...]:
    """Segments that meet end to end as lines, so that dashes run on."""
    ends: dict[Corner, list[int]] = {}
    for k, (a, b) in enumerate(segments):
        ends.setdefault(a, []).append(k)
        ends.setdefault(b, []).append(k)
    left = set(range(len(segments)))

    def walk(start: Corner) -> list[Corner]:
        line = [start]
        while (k := next((k for k in ends[line[-1]] if k in left), -1)) >= 0:
            left.remove(k)
            a, b = segments[k]
            line.append(b if a == line[-1] else a)
        return line

    lines = []
    for first in [a for a, ks in ends.items() if len(ks) != 2] + list(ends):
        while any(k in left for k in ends[first]):
            lines.append(tuple(walk(first)))
    return tuple(lines)


# ---- any other function: signs on a grid --------------------------------------------------------------------------


def _sampled(function: Expr, inputs: tuple[Symbol, Symbol], window: Polygon, strict: bool, step_at_zero: Rational) -> Cells:
    value = evaluated(function, inputs, float(step_at_zero))
    low, high = window[0], window[2]
    xs = [low[0] + (high[0] - low[0]) * Fraction(k, GRID) for k in range(GRID + 1)]
    ys = [low[1] + (high[1] - low[1]) * Fraction(k, GRID) for k in range(GRID + 1)]
    table = [[value((float(x), float(y))) for x in xs] for y in ys]
    positive: list[Polygon] = []
    negative: list[Polygon] = []
    border: list[tuple[Corner, Corner]] = []
    for j in range(GRID):
        runs: dict[bool, int | None] = {True: None, False: None}
        for i in range(GRID + 1):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)] if i < GRID else []
            signs = [_above(table[b][a], strict) for a, b in corners]
            for kind, into in ((True, positive), (False, negative)):
                start = runs[kind]
                if signs == [kind] * 4:
                    runs[kind] = i if start is None else start
                elif start is not None:
                    into.append(((xs[start], ys[j]), (xs[i], ys[j]), (xs[i], ys[j + 1]), (xs[start], ys[j + 1])))
                    runs[kind] = None
            if len(set(signs)) == 2:
                centre = ((xs[i] + xs[i + 1]) / 2, (ys[j] + ys[j + 1]) / 2)
                middle = value((float(centre[0]), float(centre[1])))
                places = [(xs[a], ys[b], table[b][a]) for a, b in corners]
                for p, q in zip(places, (*places[1:], places[0]), strict=True):
                    _triangle((p, q, (*centre, middle)), strict, positive, negative, border)
    return Cells(tuple(positive), tuple(negative), tuple(border), False)


def _above(value: float, strict: bool) -> bool:
    return value > 0 if strict else value >= 0


def _triangle(corners: Sequence[tuple[Fraction, Fraction, float]], strict: bool, positive: list[Polygon], negative: list[Polygon],
              border: list[tuple[Corner, Corner]]) -> None:
    """One triangle cut where the sign changes, as if the function were linear in it."""
    above: list[Corner] = []
    below: list[Corner] = []
    cut: list[Corner] = []
    for (x, y, u), (z, w, v) in zip(corners, (*corners[1:], corners[0]), strict=True):
        (above if _above(u, strict) else below).append((x, y))
        if _above(u, strict) != _above(v, strict):
            ratio = u / (u - v) if math.isfinite(u) and math.isfinite(v) and u != v else 0.5
            t = Fraction(min(max(ratio, 0.0), 1.0)).limit_denominator(1000)
            point = (x + t * (z - x), y + t * (w - y))
            above.append(point)
            below.append(point)
            cut.append(point)
    if len(above) > 2:
        positive.append(tuple(above))
    if len(below) > 2:
        negative.append(tuple(below))
    if len(cut) == 2 and cut[0] != cut[1]:
        border.append((cut[0], cut[1]))


def evaluated(function: Expr, inputs: Sequence[Symbol], step_at_zero: float = 1.0) -> Callable[[Sequence[float]], float]:
    """The function in floats; nan where it has no value."""
    places = {s: k for k, s in enumerate(inputs)}

    def of(e: Expr, x: Sequence[float]) -> float:
        match e:
            case Rational():
                return float(e)
            case Symbol():
                return x[places[e]]
            case Add():
                return math.fsum(of(a, x) for a in e.args)
            case Mul():
                return math.prod(of(a, x) for a in e.args)
            case Pow(base=base, exp=exponent):
                found = of(base, x) ** (int(exponent) if exponent.is_Integer else float(exponent))
                return found if isinstance(found, float) else math.nan
            case Call():
                a = [of(y, x) for y in e.arguments]
                match e.fn.name:
                    case "max":
                        return max(a)
                    case "abs":
                        return abs(a[0])
                    case "sign":
                        return math.copysign(1.0, a[0]) if a[0] else 0.0
                    case "step":
                        return step_at_zero if a[0] == 0 else float(a[0] > 0)
                    case "exp" | "log" | "sqrt":
                        return float(getattr(math, e.fn.name)(a[0]))
        raise Unsupported(f"{e} cannot be drawn")

    meaning = unfolded(function)

    def value(x: Sequence[float]) -> float:
        try:
            return of(meaning, x)
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return value
