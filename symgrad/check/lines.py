"""The lines of a claim about vectors: every form equals the next, and a statement that was proved is not proved again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import pairwise

from sympy import Expr

from symgrad.check.comparison import Compared
from symgrad.check.meaning import Meaning
from symgrad.check.pattern import Pattern
from symgrad.check.sizes import Source
from symgrad.language import forms as F
from symgrad.language.functions import KNOWN, Fn
from symgrad.language.vectors import Shape

Equal = Callable[[F.Form, F.Form, str], Compared]
"""Two forms compared, with the name of the line for a refusal.  Raises Refused with a point, or Undecided."""


class Lines:
    """Of all claims of one problem: a chain that differs from a proved one in its names only is the same statement."""

    def __init__(self) -> None:
        self.shown: dict[Hashable, tuple[Compared, bool]] = {}  # by pattern, dimensions numbered; is there a kink in it?

    def once(self, meaning: Meaning, numbers: Mapping[Expr, Expr], forms: tuple[F.Form, ...], shape: Shape, show: Callable[[], Compared],
             mirrored: Mapping[Expr, int] | None = None) -> tuple[Compared, bool]:
        """What `show` finds of the chain, or what was found of it before; and has it a kink?  `mirrored` are known symmetries that it may use."""
        pattern = Pattern(meaning.graph, numbers)
        inlined = (x for pair in meaning.inline.items() for x in pair)
        known = ((pattern.expression(s), sign) for s, sign in (mirrored or {}).items())
        key = (*map(pattern.form, forms), *map(pattern.expression, (*shape, *inlined)), *known)
        if key not in self.shown:
            self.shown[key] = show().renamed(pattern.dimensions), has_kink(s for form in forms for s in meaning.sources(form))
        found, kinked = self.shown[key]
        return found.renamed(dict(enumerate(pattern.dimensions))), kinked


def one_by_one(forms: tuple[F.Form, ...], what: str, equal: Equal) -> Compared:
    """Every form equals the next."""
    found = Compared()
    for k, (a, b) in enumerate(pairwise(forms), 2):
        if a != b:
            found = found.also(equal(a, b, f"line {k} of {what}"))
    return found


def has_kink(sources: Iterable[Source]) -> bool:
    """Is there a function with a kink?  sqrt has none where it is defined."""
    return any(KNOWN[fn.name].kink and fn.name != "sqrt" for s in sources for fn in s.expr.atoms(Fn) if fn.name in KNOWN)


__all__ = ["Lines", "has_kink", "one_by_one"]
