"""The zero test: is a scalar expression identically zero?

The expression is rewritten to a fraction of polynomials (check/rewriter.py), on each pattern of signs of the kinks' arguments, and
the numerator must vanish.  A zero numerator proves the identity; a numerator that does not vanish refutes nothing here: a
refutation is a point (check/points.py).

What is assumed of a sign is a set of signs, {0, 1} for "not negative".  Away from kinks an unknown sign is 1 or -1; at kinks too
it is {0, 1} or {0, -1}, which decides max and abs and never a jump.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sympy import Expr, Number, Rational, Symbol

from symgrad.check.errors import NeedSign, NoDerivative, Undecided
from symgrad.check.rewriter import Again, Frac, Rewriter
from symgrad.check.signs import ANY, NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE, POSITIVE, ZERO, Facts, Signs, SignSet
from symgrad.language.errors import Unsupported
from symgrad.language.functions import Call
from symgrad.language.vectors import Entry

MAX_BRANCHES, MAX_ATOMS = 1024, 512
Found = TypeVar("Found")


class Room:
    """How many generators an expression needs, and which roots of exponentials: found by trying, and kept from one branch to the next."""

    def __init__(self, e: Expr) -> None:
        self.expression, self.capacity = e, size_of(e)
        self.roots: dict[object, int] = {}

    def ask(self, signs: Signs, of: Callable[[Rewriter, Frac], Found]) -> Found:
        """What `of` finds of the fraction.  Raises NeedSign, NoDerivative, Unsupported, or Undecided at a bound."""
        while True:
            rewriter = Rewriter(self.capacity, self.roots, signs)
            try:
                return of(rewriter, rewriter.fraction(self.expression))
            except Again:
                if len(rewriter.atoms) >= MAX_ATOMS:
                    raise Undecided(f"more than {MAX_ATOMS} atoms") from None
                self.capacity = min(self.capacity * 2, MAX_ATOMS)
            except RecursionError:
                raise Undecided("the expression is nested too deeply") from None


def branches(e: Expr, at_tie: Rational | None = None, step_at_zero: Rational = Rational(1), count: int = MAX_BRANCHES,
             facts: Facts = (), away: bool = True) -> list[tuple[bool, Signs]]:
    """For every pattern of signs of the kinks' arguments, under the facts: does e vanish there?

    Away from the kinks; or at them too, where a jump or a derivative needs a sign that the facts fix.
    Raises Undecided where the test reaches a bound, NoDerivative where a derivative at a kink is asked for.
    """
    found: list[tuple[bool, Signs]] = []
    pending: list[dict[object, SignSet]] = [{}]
    room = Room(e)
    while pending:
        signs = Signs(at_tie, step_at_zero, pending.pop(), facts, away)
        if len(found) + len(pending) > count:
            raise Undecided(f"more than {count} sign patterns")
        try:
            found.append((room.ask(signs, _vanishes), signs))
        except NeedSign as need:
            sides = (NEGATIVE, ZERO, POSITIVE) if need.jump else (NEGATIVE, POSITIVE) if away else (NOT_POSITIVE, NOT_NEGATIVE)
            before = signs.known.get(need.key, ANY)
            pending += [{**signs.known, need.key: s & before} for s in sides if s & before]
    return found


def _vanishes(rewriter: Rewriter, a: Frac) -> bool:
    num, _ = rewriter.without_roots(a)
    zeros = rewriter.zeros() if num != 0 else []
    return bool(num == 0 or (zeros and num.rem(zeros) == 0))


def is_zero(e: Expr, at_tie: Rational | None = None) -> bool:
    """Proved zero on every pattern of signs.  False says only that this test does not prove it."""
    return all(zero for zero, _ in branches(e, at_tie))


def constant_value(e: Expr, at_tie: Rational | None = None, step_at_zero: Rational = Rational(1)) -> Rational | None:
    """The rational number that an expression without variables equals; None if it is not shown to be rational.

    Raises NoDerivative at a kink with no convention, Undecided at a bound.
    """
    if isinstance(e, Rational):
        return e
    try:
        num, den = Room(e).ask(Signs(at_tie, step_at_zero), Rewriter.reduced)
    except NeedSign:
        return None
    value = num.coeff(1) / den.coeff(1) if num.is_ground and den.is_ground else None
    return None if value is None else Rational(int(value.numerator), int(value.denominator))


def possible_signs(e: Expr, facts: Facts = ()) -> SignSet:
    """The signs that an expression may have where the facts hold, as far as this test sees; kinks inside are not split."""
    try:
        return Room(e).ask(Signs(None, Rational(1), {}, facts, False), lambda rewriter, a: rewriter.possible(a)[0])
    except (NeedSign, Undecided, NoDerivative, Unsupported):
        return ANY


def comparison_key(e: Expr) -> tuple[object, int]:
    """The same key, with sign 1 or -1, for all expressions that differ from e by a number other than 0 as factor."""
    try:
        return Room(e).ask(Signs(), _key_of_multiples)
    except (NeedSign, Undecided, NoDerivative, Unsupported):
        return e, 1


def _key_of_multiples(rewriter: Rewriter, a: Frac) -> tuple[object, int]:
    num, den = rewriter.reduced(a)
    if num == 0:
        return (), 1
    terms = sorted((tuple(sorted((rewriter.names[i], n) for i, n in enumerate(m) if n)), c) for m, c in num.terms())
    first = terms[0][1]
    return (tuple((m, str(c / first)) for m, c in terms), rewriter.portable(den)), 1 if first > 0 else -1


def size_of(e: Expr) -> int:
    """A first guess at the number of atoms."""
    atoms: set[Expr] = set()
    stack, seen = [e], set()
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen.add(x)
        if isinstance(x, Symbol | Entry | Call):
            atoms.add(x)
        if not isinstance(x, Entry):
            stack.extend(a for a in x.args if not isinstance(a, Number))
    return len(atoms) + 4


__all__ = ["branches", "comparison_key", "constant_value", "is_zero", "possible_signs"]
