"""Points at which a false equation is likely to fail.  That it does is shown by check/evaluation.py: two disjoint intervals.

Nothing here can make a false claim PROVED: a point that shows no difference shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

from sympy import Expr, Rational

from symgrad.check.evaluation import differ
from symgrad.language.errors import Refused

SHOWN = 12  # values of a point that a refusal names


def points(symbols: tuple[Expr, ...], count: int) -> Iterator[dict[Expr, Rational]]:
    """Rational points, stratified: all signs, ties, zero, small and large, from a fixed seed."""
    random = Random(len(symbols))
    pools: tuple[tuple[Rational, ...], ...] = (
        tuple(Rational(n, 7) for n in range(1, 23)), tuple(Rational(n, 5) for n in range(-14, 15) if n),
        (Rational(-1), Rational(1), Rational(2), Rational(-2)), (Rational(0), Rational(1), Rational(-1)),
        tuple(Rational(n, 3) for n in (-40, -17, 19, 44)),
    )
    for i in range(count):
        pool = pools[i % len(pools)]
        yield {s: random.choice(pool) for s in symbols}


def refute(left: Expr, right: Expr, tries: Iterable[Mapping[Expr, Any]], what: str, say: Callable[[Expr], str] = str,
           step_at_zero: Rational = Rational(1)) -> None:
    """Raises Refused with the first of the points at which the two are proved different."""
    for point in tries:
        if differ(left, right, point, step_at_zero=step_at_zero):
            where = ", ".join(f"{say(s)} = {x}" for s, x in list(point.items())[:SHOWN])
            raise Refused(f"{what}: the two sides differ" + (f" at {where}" if where else ""))
