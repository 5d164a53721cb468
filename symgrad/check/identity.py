"""Is an equation between scalars true for all values of its variables?  Refute first where that is cheap, then normalise.

A wrong equation with exponentials is refuted at one point in a millisecond and may take the normal form a minute; one
without is decided by the normal form faster than by a point.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random

from sympy import Dummy, Expr, Pow, Rational

from symgrad.check.errors import NO_VALUE, NoDerivative, Undecided
from symgrad.check.evaluation import enclose, leaves
from symgrad.check.normal import branches
from symgrad.check.points import points, refute
from symgrad.language.functions import KNOWN, Call, Fn

POINTS = 6
DOMAIN_POINTS = 40


def same_whatever_the_kinks(a: Expr, b: Expr) -> bool:
    """Equal with a letter for every application of a function that has a kink: then no pattern of signs has to be gone through."""
    kinked = sorted((c for c in a.atoms(Call) | b.atoms(Call) if c.fn.name in KNOWN and KNOWN[c.fn.name].kink), key=str)
    if not kinked:
        return False
    letters: dict[Expr, Expr] = {c: Dummy(real=True) for c in kinked}
    try:
        return all(zero for zero, _ in branches(a.xreplace(letters) - b.xreplace(letters)))
    except (Undecided, NoDerivative):
        return False


def require_common_domain(a: Expr, b: Expr, what: str, step_at_zero: Rational) -> None:
    """The normal form reads log x as log |x|, so log(-x) and log x are one to it: they are nowhere defined together.

    Raises Undecided unless both sides are seen to have a value at some point.
    """
    if not any(x.has(Fn("log", (0,)), Fn("sqrt", (0,))) or any(not p.exp.is_Integer for p in x.atoms(Pow)) for x in (a, b)):
        return
    symbols, random = leaves(a, b), Random(0)
    near = ({s: Rational(sign * random.randint(1, 20), unit) for s in symbols} for unit in (21, 101, 401) for sign in (1, -1) for _ in range(4))
    for point in (*points(symbols, DOMAIN_POINTS), *near):
        try:
            enclose(a, point, Rational(0), step_at_zero), enclose(b, point, Rational(0), step_at_zero)
            return
        except NO_VALUE:
            continue
    raise Undecided(f"{what}: no point was met at which both sides have a value")


def require_identical(a: Expr, b: Expr, at_tie: Rational | None, what: str, say: Callable[[Expr], str] = str,
                      step_at_zero: Rational = Rational(1)) -> None:
    """Raises Refused with a point, Undecided or NoDerivative with the reason; `at_tie` is the derivative of max at a tie."""
    if a == b:
        return
    tries = points(leaves(a, b), POINTS)
    if any(x.has(Call) for x in (a, b)):
        refute(a, b, islice(tries, 1), what, say, step_at_zero)
    reason: Exception = Undecided(f"{what}: the normal form does not decide it")
    if same_whatever_the_kinks(a, b):
        require_common_domain(a, b, what, step_at_zero)
        return
    try:
        if all(zero for zero, _ in branches(a - b, at_tie, step_at_zero)):
            require_common_domain(a, b, what, step_at_zero)
            return
    except (Undecided, NoDerivative) as error:
        reason = error
    refute(a, b, tries, what, say, step_at_zero)
    raise reason
