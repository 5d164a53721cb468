"""Claims about hard-threshold networks, in exact fractions.

A network decides a property if they agree on every pattern of half-spaces that can occur.  Either all patterns agree (they are counted
through, one half-space after the other, patterns with equal sums together), or a tree of cases is walked, whose empty branches
carry multipliers: each inequality form >= 0 of the branch times its multiplier, added up, has no input left and a negative
constant.  A counterexample is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symgrad.check.errors import Undecided
from symgrad.language.arrangement import Arrangement, Form, fraction
from symgrad.language.claims import Claim, Decides, DecidesChain, Misfits, UnitsTest, Unrealizable, Violates
from symgrad.language.errors import Refused
from symgrad.language.problem import CheckNetwork, Construct, ConstructChain, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.sums import Sums, indicator
from symgrad.language.threshold import Agree, All, Cases, Clash, Counting, Domain, Layer, Split, Wanted, misfit

MAX_SUMS = 200_000
DOMAINS = {Domain.REALS: "for all real inputs", Domain.INTEGERS: "for all whole inputs", Domain.BOOLEANS: "for all inputs of 0 and 1"}


def fires_at_zero(problem: Problem) -> bool:
    """step(0) = 1 or step(0) = 0, as the problem sets it."""
    at_zero = problem.conventions.step_at_zero
    if at_zero not in (0, 1):
        raise Undecided(f"step(0) = {at_zero}: a unit that is neither 0 nor 1 at 0 is not a threshold unit")
    return bool(at_zero == 1)


def must_fit(network: tuple[Layer, ...], wanted: Wanted) -> None:
    """Raises Refused unless the arrays make a network from these inputs to one output a property."""
    wrong = misfit(network, (len(wanted.inputs), *(len(layer.weights) for layer in network)))
    if wrong or not network or len(network[-1].biases) != len(wanted.properties):
        raise Refused(wrong or f"a network with {len(network[-1].biases) if network else 0} outputs for {len(wanted.properties)} properties")


def misfits(claim: Misfits) -> Verdict:
    """The arrays of a candidate do not have the shapes of the architecture."""
    wrong = misfit(claim.network, claim.layers)
    if not wrong:
        raise Refused("the shapes fit")
    return Verdict(Ground.PROVED, "shapes counted")


def violates(problem: Problem, claim: Violates) -> Verdict:
    """At the point, which lies in the domain, an output differs from its property."""
    must_fit(claim.network, claim.wanted)
    point, domain = [fraction(x) for x in claim.point], claim.wanted.domain
    if len(point) != len(claim.wanted.inputs) or any(
            x.denominator != 1 if domain is Domain.INTEGERS else x not in (0, 1) if domain is Domain.BOOLEANS else False for x in point):
        raise Refused("the counterexample is not a point of the domain")
    world = Arrangement(claim.network, claim.wanted, fires_at_zero(problem))
    known = world.at(point)
    if world.agree(known):
        raise Refused("at the stated counterexample the network is right, or it is no admitted input")
    return Verdict(Ground.PROVED, "evaluated exactly at the counterexample")


def units_test(problem: Problem, claim: UnitsTest) -> Verdict:
    """Each unit of the layer fires exactly when its condition holds: the same half-space, or the same function of the units below."""
    network, k = claim.network, claim.layer - 1
    wrong = misfit(network, (len(claim.inputs), *(len(layer.weights) for layer in network)))
    if wrong or not 0 <= k < len(network) or len(claim.conditions) != len(network[k].biases):
        raise Refused(wrong or f"{len(claim.conditions)} conditions for the units of layer {claim.layer}")
    closed, domain = fires_at_zero(problem), claim.domain if k == 0 else Domain.BOOLEANS
    for j, condition in enumerate(claim.conditions):
        row = network[k].weights[j]
        alone = (Layer((row,), (network[k].biases[j],)),)
        small = Wanted(claim.inputs if k == 0 else tuple(f"h{i}" for i in range(1, len(row) + 1)), domain, (condition,))
        if domain is Domain.BOOLEANS:
            count_through(alone, small, closed)
            continue
        world = Arrangement(alone, small, closed)
        if indicator(world.units[0]) != indicator(world.properties[0]):
            raise Refused(f"unit {j + 1} of layer {claim.layer} tests another half-space than stated")
    if domain is Domain.BOOLEANS:
        return Verdict(Ground.PROVED, "all patterns, counted by their sums", DOMAINS[domain] if k == 0 else "")
    return Verdict(Ground.PROVED, "the same half-spaces", DOMAINS[domain])


def decides(problem: Problem, claim: Decides) -> Verdict:
    """The network fires exactly where the properties hold, on the whole domain."""
    must_fit(claim.network, claim.wanted)
    closed, domain = fires_at_zero(problem), claim.wanted.domain
    match claim.proof:
        case Counting():
            count_through(claim.network, claim.wanted, closed)
            how = "all inputs" if domain is Domain.BOOLEANS else "the same half-spaces; all their patterns"
            how += ", those with equal sums together"
        case Cases(branches, extra):
            if domain is Domain.BOOLEANS:
                raise Refused("over 0 and 1 inputs are counted through")
            world = Arrangement(claim.network, claim.wanted, closed, extra)
            if extra and not world.integers:
                raise Refused("extra half-spaces over the reals")
            how = walk(world, branches)
    return Verdict(Ground.PROVED, how, DOMAINS[domain] + (" with the stated condition" if claim.wanted.where != All(()) else ""))


def asked(ask: Construct | ConstructChain | CheckNetwork, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """What the question asks and no claim answers."""
    match ask:
        case Construct(architecture, wanted):
            found = any(isinstance(c, Decides) and c.wanted == wanted and architecture.admits(c.network) for c in claims)
            none = any(isinstance(c, Unrealizable) and (c.architecture, c.wanted) == (architecture, wanted) for c in claims)
            return () if found or none else ("whether there are such weights",)
        case ConstructChain(chain):
            return () if any(isinstance(c, DecidesChain) and c.chain == chain for c in claims) else ("weights for every size",)
        case CheckNetwork(network, layers, wanted, levels):
            if any(isinstance(c, Misfits) and (c.network, c.layers) == (network, layers) for c in claims):
                return ()
            if not wanted.properties:
                derived = [c.wanted for c in claims if isinstance(c, Decides) and c.network == network]
                known = any((d.inputs, d.domain, d.where) == (wanted.inputs, wanted.domain, wanted.where) for d in derived)
                return () if known else ("the property that the network decides",)
            settled = [c.wanted for c in claims if isinstance(c, Decides | Violates) and c.network == network]
            rows = [(f"the row {level.name}", level.wanted) for level in levels] or [("whether the network decides the property", wanted)]
            return tuple(said for said, what in rows if what not in settled)


def count_through(network: tuple[Layer, ...], wanted: Wanted, closed: bool) -> None:
    """All patterns of the variables of 0 and 1, those with equal sums together.  Raises Refused if they differ at one that counts."""
    if wanted.where != All(()):  # what holds for all inputs holds for those that count
        with suppress(Refused):
            count_through(network, replace(wanted, where=All(())), closed)
            return
    sums = Sums(network, wanted, closed)
    states = {sums.start}
    for _, step in sums.steps():
        states |= {tuple(a + b for a, b in zip(s, step, strict=True)) for s in states}
        if len(states) > MAX_SUMS:
            raise Undecided(f"more than {MAX_SUMS:,} different sums over variables of 0 and 1")
    if not all(map(sums.agree, states)):
        raise Refused("network and property differ at some pattern")


# ---- a tree of cases ------------------------------------------------------------------------------------------------


def leaves(branches: Sequence[Any], split: type) -> Iterator[tuple[list[tuple[Any, bool]], Any]]:
    """Every leaf of a tree in preorder with the splits above it and the side taken.  Raises Refused if the tree is not whole."""
    path: list[tuple[Any, bool]] = []
    whole = False
    for branch in branches:
        if whole:
            raise Refused("the tree of cases goes on after its end")
        if isinstance(branch, split):
            path.append((branch, True))
            continue
        yield path, branch
        while path and not path[-1][1]:
            path.pop()
        whole = not path
        if path:
            path[-1] = (path[-1][0], False)
    if not whole:
        raise Refused("the tree of cases ends before all cases are treated")


def walk(world: Arrangement, branches: Sequence[Split | Agree | Clash]) -> str:
    """Every leaf is empty or agrees.  Raises Refused for one that is neither."""
    cases = empty = 0
    for path, leaf in leaves(branches, Split):
        known = {split.atom: side for split, side in path}
        if len(known) < len(path) or any(not 0 <= atom < len(world.halves) for atom in known):
            raise Refused("a case split on a half-space that is not there, or is settled")
        cases += 1
        if isinstance(leaf, Clash):
            empty += 1
            contradiction(world, known, leaf.multipliers)
        elif not world.agree(known):
            raise Refused("a case in which network and property are not settled, or differ")
    return f"{cases} case{'s' * (cases != 1)}" + (f", of them {empty} empty by verified multipliers" if empty else "")


def contradiction(world: Arrangement, known: dict[int, bool], multipliers: Sequence[tuple[int, object]]) -> None:
    """The inequalities of the case, times the multipliers, add up to negative >= 0, or 0 > 0."""
    parts = []
    for atom, by in multipliers:
        if atom not in known:
            raise Refused(f"a multiplier for half-space {atom}, which the case does not settle")
        parts.append((*world.halves[atom].side(known[atom], world.integers), fraction(by)))
    (terms, constant), strict = combination(parts)
    if terms or constant > 0 or (constant == 0 and not strict):
        raise Refused("the multipliers of an empty case do not give a contradiction")


def combination(parts: Sequence[tuple[Form, bool, Fraction]]) -> tuple[Form, bool]:
    """The sum of factor * form (>= 0, or > 0 where strict), zeros left out; strict if a strict one has a positive factor."""
    terms: dict[int, Fraction] = {}
    constant, strict = Fraction(0), False
    for (form, own), is_strict, factor in parts:
        if factor < 0:
            raise Refused("a negative multiplier")
        for i, c in form:
            terms[i] = terms.get(i, Fraction(0)) + factor * c
        constant += factor * own
        strict = strict or (is_strict and factor > 0)
    return (tuple((i, c) for i, c in terms.items() if c), constant), strict
