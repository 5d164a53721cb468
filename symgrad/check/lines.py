"""The lines of a claim about vectors: every form equals the next, and a statement that was proved is not proved again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import pairwise

from sympy import Add, Expr, MatAdd

from symgrad.check.comparison import Compared
from symgrad.check.errors import Undecided
from symgrad.check.meaning import Meaning
from symgrad.check.pattern import Pattern
from symgrad.check.sizes import Source
from symgrad.language import forms as F
from symgrad.language.errors import Refused
from symgrad.language.functions import KNOWN, Fn
from symgrad.language.vectors import Shape, names_in

Equal = Callable[[F.Form, F.Form, str], Compared]
"""Two forms compared, with the name of the line for a refusal.  Raises Refused with a point, or Undecided."""
SUMS = (Add, MatAdd)


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


def one_by_one(forms: tuple[F.Form, ...], what: str, equal: Equal, numbers: Mapping[Expr, Expr] | None = None) -> Compared:
    """Every form equals the next; `numbers` are symbols with a number for a value, such as L_bar = 1."""
    found = Compared()
    for k, (a, b) in enumerate(pairwise(forms), 2):
        if a != b:
            line = f"line {k} of {what}"
            found = found.also(term_by_term(a, b, line, equal, numbers or {}) or equal(a, b, line))
    return found


def term_by_term(a: F.Form, b: F.Form, line: str, equal: Equal, numbers: Mapping[Expr, Expr]) -> Compared | None:
    """Two sums over consumers, equal in what each consumer passes back; None where that is not seen.

    Each part has fewer index slots than the whole, and a layer that is used by many steps gives the same part again and again.
    """
    left, right = by_adjoint(a, numbers), by_adjoint(b, numbers)
    if left is None or right is None or len(left) < 2 or left.keys() != right.keys():
        return None
    try:
        return Compared.of_terms([equal(left[u], right[u], line) for u in left if left[u] != right[u]])
    except (Refused, Undecided):
        return None


def by_adjoint(form: F.Form, numbers: Mapping[Expr, Expr]) -> dict[str, F.Form] | None:
    """The terms of a sum by the adjoint of a consumer that each is linear in, "" for those without one; None where a term has several."""
    found: dict[str, list[F.Form]] = {}
    for term in terms(form):
        match term:
            case F.Pullback(of, _) | F.JacobianTimes(_, of, _):
                names = {f"{of}_bar"}
            case F.Just(expr):
                names = {n for n in names_in(expr) if n.endswith("_bar")}
            case _:
                return None
        names -= {s.name for s in numbers}
        if len(names) > 1:
            return None
        found.setdefault("".join(names), []).append(term)
    return {u: ts[0] if len(ts) == 1 else F.Sum(tuple(ts)) for u, ts in found.items()}


def terms(form: F.Form) -> tuple[F.Form, ...]:
    match form:
        case F.Sum(parts):
            return tuple(t for p in parts for t in terms(p))
        case F.Just(expr) if isinstance(expr, SUMS):
            return tuple(map(F.Just, expr.args))
    return (form,)


def has_kink(sources: Iterable[Source]) -> bool:
    """Is there a function with a kink?  sqrt has none where it is defined."""
    return any(KNOWN[fn.name].kink and fn.name != "sqrt" for s in sources for fn in s.expr.atoms(Fn) if fn.name in KNOWN)


__all__ = ["Lines", "has_kink", "one_by_one"]
