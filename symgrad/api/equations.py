"""The equations of a backward pass as text; those of a sequence of T steps with their steps, h_bar[t] = ... and h_bar[T] = ...."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from symgrad.api.written import PRODUCT, written
from symgrad.language import sequence as Q
from symgrad.language.claims import Adjoint, Recurrence
from symgrad.language.sequence import renamed
from symgrad.language.steps import Derivation


def equations(derivation: Derivation, sequence: Q.Sequence | None) -> dict[str, str]:
    """Name -> right side, from the loss down, as [expected] of a problem file would state them."""
    claims = [s.claim for s in derivation.steps]
    if sequence is None:
        return {s.label: written(s.claim.expr) for s in derivation.steps if isinstance(s.claim, Adjoint)}
    return dict(_recurrence(c, sequence) for c in claims if isinstance(c, Recurrence))


def _recurrence(c: Recurrence, sequence: Q.Sequence) -> tuple[str, str]:
    name = f"{stepped(c.node, c.when, sequence)}"
    base, bracket, step = name.partition("[")
    label = f"{base}_bar{bracket}{step}"
    text = _text(c.expr, lambda n: stepped(n, c.when, sequence))
    if c.when != Q.SUM:
        return label, text
    rest = "" if c.rest is None or c.rest == 0 else _text(c.rest, lambda n: stepped(n, Q.ONCE, sequence), PRODUCT) + " + "
    return label, f"{rest}sum({text})"


def stepped(name: str, when: str, sequence: Q.Sequence) -> str:
    """h[t-1] for h_1 in an equation of step t, in whose names h_2 stands for h[t]; h_bar[T] for h_3_bar in one of the last step."""
    at = sequence.split(name)
    if at is None:
        return name
    base, k = at
    bar = "_bar" * name.endswith("_bar")
    if when == Q.FIRST:
        return f"{base}{bar}[{k}]"
    anchor = sequence.length if when in (Q.LAST, Q.ONCE) else sequence.index
    by = k - Q.ANCHOR[when]
    return f"{base}{bar}[{anchor}{f'{by:+d}' if by else ''}]"


def _text(e: Expr, name: Callable[[str], str], level: int = 0) -> str:
    return written(renamed(e, name), level)


__all__ = ["equations", "stepped"]
