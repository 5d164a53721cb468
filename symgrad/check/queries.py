"""What the normal form says of one expression without a split on signs: its possible signs, and a key for all its multiples."""

from __future__ import annotations

from sympy import Expr, Rational

from symgrad.check.normal import Again, Rewriter, size_of
from symgrad.check.signs import ANY, Facts, NeedSign, NoDerivative, Signs, SignSet, Undecided
from symgrad.language.errors import Unsupported


def possible_signs(e: Expr, facts: Facts = ()) -> SignSet:
    """The signs that an expression may have where the facts hold, as far as this test sees; kinks inside are not split."""
    roots: dict[object, int] = {}
    capacity = size_of(e)
    while True:
        rewriter = Rewriter(capacity, roots, Signs(None, Rational(1), {}, facts, False))
        try:
            return rewriter.possible(rewriter.fraction(e))[0]
        except Again:
            capacity *= 2
            if capacity > 512:
                return ANY
        except (NeedSign, Undecided, NoDerivative, Unsupported, RecursionError):
            return ANY


def comparison_key(e: Expr) -> tuple[object, int]:
    """The same key, with sign 1 or -1, for all expressions that differ from e by a number other than 0 as factor."""
    roots: dict[object, int] = {}
    capacity = size_of(e)
    while True:
        rewriter = Rewriter(capacity, roots, Signs())
        try:
            num, den = rewriter.reduced(rewriter.fraction(e))
        except Again:
            capacity *= 2
            continue
        except (NeedSign, Undecided, NoDerivative, Unsupported):
            return e, 1
        if num == 0:
            return (), 1
        terms = sorted((tuple(sorted((rewriter.names[i], n) for i, n in enumerate(m) if n)), c) for m, c in num.terms())
        first = terms[0][1]
        return (tuple((m, str(c / first)) for m, c in terms), rewriter.portable(den)), 1 if first > 0 else -1
