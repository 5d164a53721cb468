"""Intervals of real numbers with exact ends, open or closed: what facts and definitions say of the range of a quantity.

The result of an operation holds every value that the operation takes on its operands; for one sum, product or power it
is the smallest such interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf

End = Fraction | float
"""A rational number, or plus or minus infinity (the only floats)."""


@dataclass(frozen=True)
class Interval:
    """All x from `low` to `high`; an end that is open does not belong to it, and an infinite end is always open."""

    low: End
    high: End
    low_open: bool = False
    high_open: bool = False

    @cached_property
    def empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def value(self) -> Fraction | None:
        """Its only element, if it has just one."""
        return self.low if self.low == self.high and not self.empty and isinstance(self.low, Fraction) else None

    def __contains__(self, x: Fraction | int) -> bool:
        above = self.low < x or (self.low == x and not self.low_open)
        return above and (x < self.high or (x == self.high and not self.high_open))

    @property
    def sign(self) -> int | None:
        """The sign that all its elements have: -1, 0 or 1; None where they differ."""
        if self.low > 0 or (self.low == 0 and self.low_open):
            return 1
        if self.high < 0 or (self.high == 0 and self.high_open):
            return -1
        return 0 if self.low == 0 == self.high else None

    def meet(self, other: Interval) -> Interval:
        """What lies in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Interval(low, high, low_open, not closed)

    def join(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        low, low_open = min((self.low, self.low_open), (other.low, other.low_open))
        high, closed = max((self.high, not self.high_open), (other.high, not other.high_open))
        return Interval(low, high, low_open, not closed)

    def outside(self) -> Iterator[Interval]:
        """What lies below it and what lies above it, where there is any."""
        if self.low != -inf:
            yield Interval(-inf, self.low, True, not self.low_open)
        if self.high != inf:
            yield Interval(self.high, inf, not self.high_open, True)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low, self.high_open, self.low_open)

    def __add__(self, other: Interval) -> Interval:
        return Interval(_plus(self.low, other.low), _plus(self.high, other.high), self.low_open or other.low_open,
                        self.high_open or other.high_open)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        """Extremes of a product are products of ends; a product 0 is taken on wherever one factor takes on 0."""
        corners = [(_times(x, y), _taken(x, x_open, y, y_open))
                   for x, x_open in ((self.low, self.low_open), (self.high, self.high_open))
                   for y, y_open in ((other.low, other.low_open), (other.high, other.high_open))]
        low, high = min(c[0] for c in corners), max(c[0] for c in corners)
        return Interval(low, high, not any(t for x, t in corners if x == low), not any(t for x, t in corners if x == high))

    def __pow__(self, n: int) -> Interval:
        """x^n for n >= 1."""
        if n % 2 == 0 and 0 in self:
            high, closed = max((abs(self.low), not self.low_open), (abs(self.high), not self.high_open))
            return Interval(Fraction(0), high**n if isinstance(high, Fraction) else inf, False, not closed)
        if n % 2 == 0 and self.sign == -1:
            return (-self) ** n
        low, high = (x**n if isinstance(x, Fraction) else float(x) ** n for x in (self.low, self.high))
        return Interval(low, high, self.low_open, self.high_open)

    @property
    def reciprocal(self) -> Interval:
        """1/x over its elements other than 0."""
        if self.low < 0 < self.high or self.low == 0 == self.high:
            return ALL
        low, low_open = (Fraction(0), True) if self.high == inf else (-inf, True) if self.high == 0 else (1 / self.high, self.high_open)
        high, high_open = (Fraction(0), True) if self.low == -inf else (inf, True) if self.low == 0 else (1 / self.low, self.low_open)
        return Interval(low, high, low_open, high_open)


def point(x: Fraction | int) -> Interval:
    return Interval(Fraction(x), Fraction(x))


def _plus(x: End, y: End) -> End:
    return x if isinstance(x, float) else y if isinstance(y, float) else x + y


def _times(x: End, y: End) -> End:
    if x == 0 or y == 0:
        return Fraction(0)
    if isinstance(x, float) or isinstance(y, float):
        return inf if (x > 0) == (y > 0) else -inf
    return x * y


def _taken(x: End, x_open: bool, y: End, y_open: bool) -> bool:
    return (x == 0 and not x_open) or (y == 0 and not y_open) or not (x_open or y_open)


ALL = Interval(-inf, inf, True, True)
ZERO = point(0)
POSITIVE, NEGATIVE = Interval(Fraction(0), inf, True, True), Interval(-inf, Fraction(0), True, True)
NOT_NEGATIVE, NOT_POSITIVE = Interval(Fraction(0), inf, False, True), Interval(-inf, Fraction(0), True, False)
