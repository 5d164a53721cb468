"""All patterns of variables that are 0 or 1, those with equal sums together: the first at which network and property differ."""

from __future__ import annotations

from dataclasses import replace

from symgrad.language.sums import State, Sums
from symgrad.language.threshold import TRUE, Layer, Wanted
from symgrad.solvers.linear import Undecided

MAX_SUMS, MAX_FORMS = 200_000, 300


def disagreement(network: tuple[Layer, ...], wanted: Wanted, fires_at_zero: bool, limit: int = MAX_SUMS) -> tuple[int, ...] | None:
    """The variables that are 1 (numbers as in `Sums`), as few as can be, where the two differ; None: they agree everywhere.

    Raises Undecided where there are more than `limit` different sums.
    """
    if wanted.where != TRUE and disagreement(network, replace(wanted, where=TRUE), fires_at_zero, limit) is None:
        return None
    sums = Sums(network, wanted, fires_at_zero)
    if len(sums.forms) > MAX_FORMS:
        raise Undecided(f"undecided: more than {MAX_FORMS} sums at once over variables of 0 and 1")
    reached: dict[State, tuple[int, ...]] = {sums.start: ()}
    for i, step in sums.steps():
        for state, ones in list(reached.items()):
            after = tuple(a + b for a, b in zip(state, step, strict=True))
            if after not in reached or len(reached[after]) > len(ones) + 1:
                reached[after] = (*ones, i)
        if len(reached) > limit:
            raise Undecided(f"undecided: more than {limit:,} different sums over variables of 0 and 1")
    wrong = [ones for state, ones in reached.items() if not sums.agree(state)]
    return min(wrong, key=lambda ones: (len(ones), ones), default=None)
