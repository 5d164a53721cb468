"""What `construct` and `check_network` share: deciding a candidate, saying what its units do, comparing with a stated answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from symgrad.language.arrangement import rational
from symgrad.language.claims import Decides, Misfits, UnitsTest, Unrealizable, Violates
from symgrad.language.errors import Unsupported
from symgrad.language.problem import CheckNetwork, Construct, ConstructChain, Problem
from symgrad.language.steps import Derivation, Step
from symgrad.language.sums import truth
from symgrad.language.threshold import All, Counting, Domain, Formula, Layer, Point, Some, Wanted, is_true
from symgrad.language.threshold import Count as CountOf
from symgrad.language.wording import Style, plain, spell
from symgrad.rules.gates import composed, conditions, tidy

FEW_SUMS = 3_000
"""Counting that needs more sums than this gives way to cases, except over booleans."""
MAX_TABLE = 8
"""Boolean inputs whose whole truth table is looked at to name a property."""
MAX_DROPPED = 12


def fires_at_zero(problem: Problem) -> bool:
    """step(0) as the problem sets it.  Raises Unsupported for a value that is neither 0 nor 1."""
    at_zero = problem.conventions.step_at_zero
    if at_zero not in (0, 1):
        raise Unsupported(f"threshold units with step(0) = {at_zero}; it is 1 or 0")
    return bool(at_zero == 1)


def settle(network: tuple[Layer, ...], wanted: Wanted, closed: bool) -> Decides | Violates:
    """The network is right, with what proves it, or wrong at a simple point.  Raises Undecided (an Unsupported)."""
    from symgrad.solvers.cases import Wrong, decide
    from symgrad.solvers.counterexample import simplest
    from symgrad.solvers.counting import MAX_SUMS, disagreement
    from symgrad.solvers.linear import Undecided

    if wanted.domain is Domain.BOOLEANS:
        ones = disagreement(network, wanted, closed, MAX_SUMS)
        if ones is None:
            return Decides(network, wanted, Counting())
        return Violates(network, wanted, tuple(is_true(1).right.constant * int(i in ones) for i in range(1, len(wanted.inputs) + 1)))
    try:
        if disagreement(network, wanted, closed, FEW_SUMS) is None:
            return Decides(network, wanted, Counting())
    except Undecided:
        pass  # too many sums: cases may still be few
    found = decide(network, wanted, closed)
    if isinstance(found, Wrong):
        return Violates(network, wanted, tuple(map(rational, simplest(network, wanted, found))))
    return Decides(network, wanted, found)


def explained(network: tuple[Layer, ...], wanted: Wanted, closed: bool) -> tuple[tuple[Step, ...], tuple[Formula, ...] | None]:
    """A step a layer, saying what its units test; and the outputs in terms of the inputs.  Nothing where a unit has no short name."""
    named = conditions(network, wanted.domain, closed)
    if named is None:
        return (), None
    steps: list[Step] = []
    for k, layer in enumerate(named, 1):
        last = k == len(named)
        what = ("What the output unit computes",) if last and len(layer) == 1 else ("What the output units compute",) if last else (
            "What the hidden units test",) if len(named) == 2 else (f"What the units of hidden layer {k} compute",)
        label = "output" if last else "hidden" if len(named) == 2 else f"hidden {k}"
        steps.append(Step(UnitsTest(network, wanted.inputs, wanted.domain, k, layer), "pre-activation against 0", what, tuple(steps[-1:]), label))
    return tuple(steps), composed(named)


def decided(network: tuple[Layer, ...], wanted: Wanted, closed: bool, outputs: tuple[Formula, ...]) -> Decides:
    """The property that the network decides, as short as it is easily made, proved.  `wanted` gives inputs, domain and condition."""
    if wanted.domain is Domain.BOOLEANS and len(wanted.inputs) <= MAX_TABLE:
        outputs = tuple(by_count(f, len(wanted.inputs)) for f in outputs)
    best = settle(network, replace(wanted, properties=outputs), closed)
    for k, f in enumerate(outputs):
        parts = f.parts if isinstance(f, All | Some) and 1 < len(f.parts) <= MAX_DROPPED else ()
        kept = list(parts)
        for p in parts:
            fewer = [q for q in kept if q != p]
            if not fewer:
                continue
            shorter = tidy(type(f)(tuple(fewer)))  # type: ignore[call-arg, arg-type]
            tried = settle(network, replace(wanted, properties=(*outputs[:k], shorter, *outputs[k + 1:])), closed)
            if isinstance(tried, Decides):
                kept, best = fewer, tried
                outputs = tried.wanted.properties
    if isinstance(best, Violates):
        raise Unsupported("the property that was read off the units is not what the network decides")
    return best


def by_count(f: Formula, n: int) -> Formula:
    """A boolean property that depends only on how many inputs are 1, said so."""
    from sympy import Integer

    by_sum: dict[int, set[bool]] = {}
    for x in product((0, 1), repeat=n):
        by_sum.setdefault(sum(x), set()).add(truth(f, Point(tuple(map(Integer, x)))))
    if n < 2 or any(len(v) > 1 for v in by_sum.values()):
        return f
    counts = tuple(k for k in range(n + 1) if True in by_sum[k])
    return tidy(CountOf(tuple(is_true(i) for i in range(1, n + 1)), counts))


def style_of(wanted: Wanted) -> Style:
    return plain(wanted.inputs, wanted.domain is Domain.BOOLEANS)


def said(wanted: Wanted) -> str:
    """The properties in words."""
    return "; ".join(spell(f, style_of(wanted)) for f in wanted.properties)


def at_point(claim: Violates) -> str:
    """x1 = 1, x2 = 0."""
    return ", ".join(f"{n} = {x}" for n, x in zip(claim.wanted.inputs, claim.point, strict=True))


OUTCOMES = ("right", "wrong", "refused", "possible", "impossible")
"""What [expected] may say of a candidate, or of a construction."""


def outcome(ask: Construct | ConstructChain | CheckNetwork, derivation: Derivation) -> str:
    """What came out, in the word that [expected] uses."""
    claims = [s.claim for s in derivation.steps]
    if any(isinstance(c, Misfits) for c in claims):
        return "refused"
    if any(isinstance(c, Unrealizable) for c in claims):
        return "impossible"
    if derivation.refuted:
        return "wrong"
    return "right" if isinstance(ask, CheckNetwork) else "possible"


def same_property(ask: Construct | CheckNetwork, derivation: Derivation, stated: Formula, problem: Problem) -> bool:
    """Does the network of the derivation decide the stated property?"""
    for step in derivation.steps:
        if isinstance(step.claim, Decides | Violates) and len(step.claim.network[-1].biases) == 1:
            return isinstance(settle(step.claim.network, replace(ask.wanted, properties=(stated,)), fires_at_zero(problem)), Decides)
    return False
