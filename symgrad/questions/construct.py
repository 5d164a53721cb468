"""ask = "construct": weights from a template, else by fitting them to inputs, proved right; or the proof that there are none."""

from __future__ import annotations

from fractions import Fraction

from sympy import Integer, Rational

from symgrad.language.arrangement import fraction, rational
from symgrad.language.claims import Decides, DecidesChain, Unrealizable, Violates
from symgrad.language.errors import Unsupported
from symgrad.language.problem import Construct, ConstructChain, Problem, property_or_properties
from symgrad.language.steps import Derivation, Step
from symgrad.language.threshold import Architecture, Borders, ChainNetwork, Compare, Domain, Fixed, Layer, NoWeights, Point, Wanted, one
from symgrad.questions.threshold import explained, fires_at_zero, settle
from symgrad.rules.templates import UNUSED, comparison_units, template


def derive_construct(problem: Problem, part: str, ask: Construct) -> Derivation:
    """Raises Unsupported (undecided) where a bounded search met neither weights nor a proof that there are none."""
    closed = fires_at_zero(problem)
    found = weights(ask.architecture, ask.wanted, closed)
    if isinstance(found, NoWeights):
        step = Step(Unrealizable(ask.architecture, ask.wanted, found), "no weights", ("There are no such weights",), (), "weights")
        return Derivation(part, problem.graph, (step,), ())
    claim = settle(found, ask.wanted, closed)
    if isinstance(claim, Violates):
        raise Unsupported("undecided: the weights that were found turned out wrong")
    steps, _ = explained(found, ask.wanted, closed)
    said = f"The network decides the {property_or_properties(ask.wanted)}"
    return Derivation(part, problem.graph, (*steps, Step(claim, "all cases", (said,), steps[-1:], "property")), ())


def derive_chain(problem: Problem, part: str, ask: ConstructChain) -> Derivation:
    """A unit for every neighbouring pair, that fires where its comparison holds, or fails where a unit cannot leave its border out."""
    closed, chain = fires_at_zero(problem), ask.chain
    (terms, bias), = comparison_units(Wanted(("a", "b"), chain.domain, (Compare(one(1), chain.relation, one(2)),)), closed)
    here, after = (rational(dict(terms)[i]) for i in (1, 2))
    small = Layer(((here, after),), (rational(bias),))
    holds = isinstance(settle((small,), Wanted(("a", "b"), chain.domain, (Compare(one(1), chain.relation, one(2)),)), closed), Decides)
    up = Integer(0 if closed else 1)  # fires at 0, or only above
    network = ChainNetwork(here, after, rational(bias), Integer(1), up + 1, Integer(-1)) if holds else ChainNetwork(
        here, after, rational(bias), Integer(-1), up, Integer(0))
    step = Step(DecidesChain(chain, network), "one pair for all", ("The network decides the property for every size",), (), "property")
    return Derivation(part, problem.graph, (step,), ())


def weights(architecture: Architecture, wanted: Wanted, closed: bool) -> tuple[Layer, ...] | NoWeights:
    """A network that is right, or what proves that there is none: templates before searches."""
    from symgrad.solvers.borders import crossings, sides_apart
    from symgrad.solvers.linear import Undecided
    from symgrad.solvers.weights import find

    network = template(architecture, wanted, closed)
    if network is not None and isinstance(settle(network, wanted, closed), Decides):
        return network
    start: list[Point] = []
    if wanted.domain is Domain.REALS:
        met = crossings(wanted)
        if len(met) > architecture.layers[1]:
            return Borders(tuple(tuple(map(rational, c.at)) for c in met[:architecture.layers[1] + 1]))
        alone = not (architecture.given or architecture.weights or architecture.biases)
        if alone and len(met) == architecture.layers[1] and len(architecture.layers) == 3:
            blocked = sides_apart(met, wanted, closed)
            if blocked is not None:
                return blocked
        for c in met:
            start += beside(c.at, c.across)

    def refute(candidate: tuple[Layer, ...]) -> tuple[Fraction, ...] | None:
        claim = settle(candidate, wanted, closed)
        return tuple(map(fraction, claim.point)) if isinstance(claim, Violates) else None

    narrowed = on_comparisons(architecture, wanted, closed)
    if narrowed is not None:
        try:
            found = find(narrowed, wanted, closed, refute, start)
            if not isinstance(found, NoWeights) and architecture.admits(found):
                return found
        except Undecided:
            pass  # the wider search may still find weights
    return find(architecture, wanted, closed, refute, start)


def beside(at: tuple[Fraction, ...], across: tuple[Fraction, ...]) -> list[Point]:
    """A point of a border, the two at some distance from it, and the two sides right at it."""
    point, step = tuple(map(rational, at)), tuple(map(rational, across))
    back = tuple(-x for x in step)
    away = [Point(tuple(a + b for a, b in zip(point, s, strict=True))) for s in (step, back)]
    return [Point(point), *away, Point(point, step), Point(point, back)]


def on_comparisons(architecture: Architecture, wanted: Wanted, closed: bool) -> Architecture | None:
    """The architecture with its first layer given: a unit for every comparison, on slots whose stated weights it has up to a factor.

    None where that does not fit.
    """
    units, (below, room) = comparison_units(wanted, closed), architecture.layers[:2]
    if not units or len(architecture.layers) < 3 or len(units) > room:
        return None
    stated = [[architecture.stated(0, j, s) for s in (*range(below), None)] for j in range(room)]
    rows = [[*(dict(terms).get(i, Fraction(0)) for i in range(1, below + 1)), bias] for terms, bias in units]
    placed = matched([[scaled(row, slot) for slot in stated] for row in rows], room)
    if placed is None:
        return None
    spare = [*[Fraction(0)] * below, Fraction(UNUSED)]
    full = [placed.get(j) or [x if g is None else fraction(g) for x, g in zip(spare, stated[j], strict=True)] for j in range(room)]
    first = Fixed(tuple(tuple(map(rational, row[:-1])) for row in full), tuple(rational(row[-1]) for row in full))
    free = [Fixed(((None,) * low,) * many, (None,) * many) for low, many in zip(architecture.layers[1:], architecture.layers[2:], strict=False)]
    return Architecture(architecture.layers, architecture.weights, architecture.biases, (first, *(architecture.given[1:] or free)))


def scaled(row: list[Fraction], stated: list[Rational | None]) -> list[Fraction] | None:
    """The weights and bias times a positive factor with which they have the stated entries."""
    pairs = [(x, fraction(g)) for x, g in zip(row, stated, strict=True) if g is not None]
    factor = next((g / x for x, g in pairs if x and g), Fraction(1))
    return [x * factor for x in row] if factor > 0 and all(x * factor == g for x, g in pairs) else None


def matched(fits: list[list[list[Fraction] | None]], room: int) -> dict[int, list[Fraction]] | None:
    """A slot of its own for every unit (augmenting paths); None if there is none."""
    owner: dict[int, int] = {}

    def place(unit: int, seen: set[int]) -> bool:
        for slot in range(room):
            if fits[unit][slot] is not None and slot not in seen:
                seen.add(slot)
                if slot not in owner or place(owner[slot], seen):
                    owner[slot] = unit
                    return True
        return False

    if not all(place(u, set()) for u in range(len(fits))):
        return None
    return {slot: row for slot, unit in owner.items() if (row := fits[unit][slot]) is not None}
