"""The affine pieces of a piecewise linear function: what max, abs, relu, step and their kin mean, case by case.

    max(a, b) = a where a - b >= 0, b where b - a >= 0

A piece says where it holds and what the function is there.  The pieces cover the space; on their common borders those of a
continuous function agree.  The order of the pieces is that of the kinks as the expression is read, first argument first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.functions import KNOWN, Call

MAX_PIECES, MAX_POWER = 1024, 64

Affine = tuple[Fraction, ...]
"""The constant, then the coefficient of each input."""


@dataclass(frozen=True, slots=True)
class Row:
    """affine(x) >= 0, or affine(x) > 0 where `strict`."""

    affine: Affine
    strict: bool = False

    def holds(self, point: Sequence[Fraction]) -> bool:
        value = at(self.affine, point)
        return value > 0 or (value == 0 and not self.strict)


@dataclass(frozen=True, slots=True)
class Piece:
    where: tuple[Row, ...]
    value: Affine


class _Open(Exception):
    """A case that is not decided yet, with the ways in which it may be: the rows of each and what it counts for."""

    def __init__(self, key: object, ways: tuple[tuple[tuple[Row, ...], int], ...]) -> None:
        self.key, self.ways = key, ways


def at(affine: Affine, point: Sequence[Fraction]) -> Fraction:
    """The value of an affine function at a point."""
    return affine[0] + sum((c * x for c, x in zip(affine[1:], point, strict=True)), Fraction(0))


def negated(a: Affine) -> Affine:
    return tuple(-c for c in a)


def difference(a: Affine, b: Affine) -> Affine:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def pieces(e: Expr, inputs: tuple[Symbol, ...], step_at_zero: Rational = Rational(1)) -> Iterator[Piece]:
    """The pieces of e.  Raises Unsupported if e is not piecewise linear in the inputs, or has too many pieces."""
    e = unfolded(e)
    pending: list[dict[object, tuple[tuple[Row, ...], int]]] = [{}]
    found = 0
    while pending:
        known = pending.pop()
        try:
            value = _Reading(inputs, Fraction(int(step_at_zero.p), int(step_at_zero.q)), known).affine(e)
        except _Open as case:
            pending += [{**known, case.key: way} for way in reversed(case.ways)]
            continue
        found += 1
        if found + len(pending) > MAX_PIECES:
            raise Unsupported(f"a function with more than {MAX_PIECES} linear pieces")
        yield Piece(tuple(row for rows, _ in known.values() for row in rows), value)


def unfolded(e: Expr) -> Expr:
    """Functions replaced by their definitions, down to max, abs, step, sign, exp, log and sqrt."""
    if isinstance(e, Call):
        row, arguments = KNOWN.get(e.fn.name), tuple(map(unfolded, e.arguments))
        if row is None or row.definition is None or not e.fn.plain:
            return Call(e.fn, *arguments)
        return unfolded(row.definition(*arguments))
    return e.func(*map(unfolded, e.args)) if e.args else e


@dataclass(frozen=True, slots=True)
class _Reading:
    """One walk over the expression, with the cases decided so far."""

    inputs: tuple[Symbol, ...]
    step_at_zero: Fraction
    known: dict[object, tuple[tuple[Row, ...], int]]

    def constant(self, value: Fraction) -> Affine:
        return (value, *(Fraction(0) for _ in self.inputs))

    def affine(self, e: Expr) -> Affine:
        match e:
            case Rational():
                return self.constant(Fraction(int(e.p), int(e.q)))
            case Symbol() if e in self.inputs:
                return tuple(Fraction(int(k == self.inputs.index(e) + 1)) for k in range(len(self.inputs) + 1))
            case Add():
                return tuple(map(sum, zip(*map(self.affine, e.args), strict=True)))  # type: ignore[arg-type]
            case Mul():
                result = self.constant(Fraction(1))
                for factor in map(self.affine, e.args):
                    if any(result[1:]) and any(factor[1:]):
                        raise Unsupported(f"{e} is not piecewise linear: a product of two functions of the inputs")
                    scale, body = (result[0], factor) if not any(result[1:]) else (factor[0], result)
                    result = tuple(scale * c for c in body)
                return result
            case Pow(base=base, exp=exponent) if isinstance(exponent, Rational) and exponent.q == 1 and abs(exponent) <= MAX_POWER:
                inner = self.affine(base)
                if not any(inner[1:]) and (inner[0] or exponent > 0):
                    return self.constant(inner[0] ** int(exponent))
            case Call() if e.fn.plain and e.fn.name in KNOWN:
                return self.call(e)
        raise Unsupported(f"{e} is not piecewise linear in {', '.join(map(str, self.inputs))}")

    def call(self, e: Call) -> Affine:
        arguments = [self.affine(a) for a in e.arguments]
        match e.fn.name:
            case "max":
                return arguments[0] if self.side(difference(*arguments)) > 0 else arguments[1]
            case "abs":
                return arguments[0] if self.side(arguments[0]) > 0 else negated(arguments[0])
            case "step" | "sign":
                sign = self.sign(arguments[0])
                if e.fn.name == "sign":
                    return self.constant(Fraction(sign))
                return self.constant(self.step_at_zero if sign == 0 else Fraction(int(sign > 0)))
        raise Unsupported(f"{e} is not piecewise linear")

    def side(self, d: Affine) -> int:
        """1 where d >= 0, -1 where d <= 0; on the border both give the same value."""
        if not any(d[1:]):
            return 1 if d[0] >= 0 else -1
        lead = next(c for c in d[1:] if c)
        line = tuple(c / lead for c in d)
        flip = 1 if lead > 0 else -1
        return flip * self.case(("side", line), (((Row(line),), 1), ((Row(negated(line)),), -1)))

    def sign(self, d: Affine) -> int:
        if not any(d[1:]):
            return (d[0] > 0) - (d[0] < 0)
        level = (Row(d), Row(negated(d)))
        return self.case(("sign", d), (((Row(d, True),), 1), (level, 0), ((Row(negated(d), True),), -1)))

    def case(self, key: object, ways: tuple[tuple[tuple[Row, ...], int], ...]) -> int:
        if key not in self.known:
            raise _Open(key, ways)
        return self.known[key][1]


def row_of(relation: str, left: Affine, right: Affine) -> tuple[Row, ...]:
    """left relation right as rows; an equation is two."""
    below, above = difference(right, left), difference(left, right)
    return {"<=": (Row(below),), "<": (Row(below, True),), ">=": (Row(above),), ">": (Row(above, True),), "=": (Row(below), Row(above))}[relation]


def linear(e: Expr, inputs: tuple[Symbol, ...]) -> Affine:
    """A linear expression.  Raises Unsupported if it is not linear in the inputs."""
    try:
        return _Reading(inputs, Fraction(1), {}).affine(unfolded(e))
    except _Open:
        raise Unsupported(f"{e} is not linear in {', '.join(map(str, inputs))}") from None
