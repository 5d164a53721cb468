"""The claim that a network decides a chain x_1 > x_2 > ... > x_n for every n: one pair of neighbours, then a count.

All pairs look alike, so one unit and one comparison are compared.  The output then depends on n and on the number K of units that
fire; the (K, n) for which the chain holds, and those for which it does not, are each a corner plus multiples of one or two steps.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.check.threshold import DOMAINS, fires_at_zero
from symgrad.language.arrangement import Arrangement, Literal, fraction
from symgrad.language.claims import DecidesChain
from symgrad.language.errors import Refused
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.threshold import Compare, Layer, Wanted, one

MORE, BOTH = (0, 1), (1, 1)
"""One input (and unit) more that does not fire; one that does: steps of (K, n)."""


def decides_chain(problem: Problem, claim: DecidesChain) -> Verdict:
    """For every n >= 2 and all inputs of the domain."""
    closed, net, chain = fires_at_zero(problem), claim.network, claim.chain
    pair = Wanted(("a", "b"), chain.domain, (Compare(one(1), chain.relation, one(2)),))
    world = Arrangement((Layer(((net.here, net.after),), (net.bias,)),), pair, closed)
    unit, step = world.units[0], world.properties[0]
    if not isinstance(unit, Literal) or not isinstance(step, Literal) or unit.atom != step.atom:
        raise Refused("a unit does not test the comparison of its two inputs, nor its negation")
    if unit.holds == step.holds:  # the chain holds iff all n - 1 units fire
        regions = (((1, 2), (BOTH,), True), ((0, 2), (MORE, BOTH), False))
    else:  # it holds iff none fires
        regions = (((0, 2), (MORE,), True), ((1, 2), (MORE, BOTH), False))
    for corner, steps, fires in regions:
        def z(k: int, n: int, constant: Fraction) -> Fraction:
            return fraction(net.v) * k + constant + fraction(net.slope) * n

        start, slopes = z(*corner, fraction(net.constant)), [z(*s, Fraction(0)) for s in steps]
        above = start > 0 or (start == 0 and closed)
        if above != fires or any(s < 0 if fires else s > 0 for s in slopes):
            raise Refused(f"the output unit is wrong for some size when the chain {'holds' if fires else 'fails'}")
    domain = f"for every {chain.size} >= 2, {DOMAINS[chain.domain]}"
    return Verdict(Ground.PROVED, "one pair of neighbours for all, and the number of units that fire", domain)
