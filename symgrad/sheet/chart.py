"""Data in the plane and where a function is positive, as one layout that every format draws: nothing here knows SVG or TeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

Place = tuple[float, float]
MARKS = ("cross", "dot", "square", "triangle")
"""How data are marked, by label in order; further labels share the last one."""
MAX_TICKS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """`name` in TeX, `plain` in letters; ticks are places with their text."""

    name: str
    plain: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A data point; `ringed` where it is singled out."""

    at: Place
    mark: str
    ringed: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A labelled region, cut at the window; its mark is drawn at `middle`."""

    corners: tuple[Place, ...]
    middle: Place
    mark: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`shaded` polygons are where the function is positive; the border, in lines of several points, belongs to them unless it is `dashed`."""

    across: Axis
    up: Axis
    spots: tuple[Spot, ...]
    legend: tuple[tuple[str, str], ...]  # mark, label
    areas: tuple[Area, ...] = ()
    shaded: tuple[tuple[Place, ...], ...] = ()
    border: tuple[tuple[Place, ...], ...] = ()
    dashed: bool = False


def axis(name: str, plain: str, values: Sequence[Fraction], room: Fraction = Fraction(1, 8)) -> Axis:
    """An axis that shows all values, with some room (a share of what they span) and whole ends; 0 is shown where it is not far."""
    low, high = min(values), max(values)
    span = high - low or Fraction(2)
    if low > 0 and low <= span:
        low = Fraction(0)
    if high < 0 and -high <= span:
        high = Fraction(0)
    step = tick_step(high - low or Fraction(2))
    more = max((high - low) * room, step / 2)
    low, high = step * floor((low - more) / step), step * ceil((high + more) / step)
    step = tick_step(high - low)
    count = int((high - low) / step)
    first = step * ceil(low / step)
    ticks = [first + k * step for k in range(count + 1) if first + k * step <= high]
    return Axis(name, plain, float(low), float(high), tuple((float(t), tick_text(t)) for t in ticks))


def tick_step(span: Fraction) -> Fraction:
    """1, 2 or 5 times a power of ten, at most `MAX_TICKS` of them in the span."""
    step = Fraction(10) ** (len(str(int(span))) - 1 if span >= 1 else -len(str(int(1 / span))))
    while span / step > MAX_TICKS:
        step *= 10
    while span / (step / 10) <= MAX_TICKS:
        step /= 10
    return next(step / 10 * k for k in (2, 5, 10) if span / (step / 10 * k) <= MAX_TICKS)


def tick_text(t: Fraction) -> str:
    """A short decimal, with a real minus sign."""
    text = f"{float(t):g}"
    return text.replace("-", "−")
