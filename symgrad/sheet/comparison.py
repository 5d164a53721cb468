"""The sentence about finite differences, for sheets: what was compared, where, and what it is worth."""

from __future__ import annotations

from symgrad.language.steps import Comparison
from symgrad.sheet import document as D


def sentence(c: Comparison) -> D.Paragraph:
    """A numerical comparison, said to be no proof."""
    title = D.Emphasis("Numbers. ")
    if not c.points:
        return D.Paragraph((title, c.words))
    sizes: list[str | D.Maths] = [x for name, n in c.sizes for x in (", ", D.Maths(f"{name} = {n}"))]
    bound: D.Text = ("below ", D.Maths(f"10^{{{c.power}}}")) if c.power is not None else (c.error,)
    if c.unknown:
        sizes.append(f", with sines in the place of {' and '.join(c.unknown)}")
    return D.Paragraph((title, f"Compared with finite differences at {c.points} random points", *sizes, ": worst relative error ", *bound,
                        " (a numerical comparison, not a proof)."))


__all__ = ["sentence"]
