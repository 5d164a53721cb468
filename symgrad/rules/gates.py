"""What a unit computes, and what a whole network decides, in plain comparisons.

To add a way of naming what a unit computes: a case in `gate`, strictest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import ceil, floor

from symgrad.language.arrangement import fraction, unit_form
from symgrad.language.threshold import (
    FALSE,
    MIRRORED,
    NEGATED,
    TRUE,
    All,
    Compare,
    Count,
    Domain,
    Formula,
    Layer,
    Not,
    Relation,
    Some,
    is_true,
    negation,
    number,
)
from symgrad.language.wording import against_zero, runs

MAX_TERMS, MAX_INPUTS_OF_A_GATE = 12, 12


def condition(row: Sequence[object], bias: object, fires_at_zero: bool, integers: bool = False) -> Formula:
    """When a first-layer unit fires: w . x + b >= 0 (or > 0), both sides with positive coefficients; rounded over whole inputs."""
    found = against_zero(unit_form(row, bias), not fires_at_zero)
    if not isinstance(found, Compare) or not integers or found.right.terms or any(w.q > 1 for _, w in found.left.terms):
        return found
    bound = fraction(found.right.constant)
    if bound.denominator == 1:
        return found
    up = found.relation in (Relation.GE, Relation.GT)
    return Compare(found.left, Relation.GE if up else Relation.LE, number(ceil(bound) if up else floor(bound)))


def gate(row: Sequence[object], bias: object, fires_at_zero: bool) -> Formula | None:
    """What a unit computes of inputs that are 0 or 1; None where that takes a long list of cases.

        sum of v_j h_j + c >= 0   is   sum of |v_j| l_j >= T,   l_j = h_j or not h_j by the sign of v_j
    """
    weights = {j: w for j, w in enumerate(map(fraction, row), 1) if w}
    needed = -fraction(bias) + sum((-w for w in weights.values() if w < 0), Fraction(0))
    literals = {j: is_true(j) if w > 0 else negation(is_true(j)) for j, w in weights.items()}
    sizes = {j: abs(w) for j, w in weights.items()}
    enough: Callable[[Fraction], bool] = (lambda s: s >= needed) if fires_at_zero else (lambda s: s > needed)
    whole = sum(sizes.values(), Fraction(0))
    if enough(Fraction(0)):
        return TRUE
    if not enough(whole):
        return FALSE
    order = sorted(sizes, key=lambda j: (-sizes[j], j))
    decisive = [j for j in order if matters(j, sizes, enough)] if len(order) <= MAX_INPUTS_OF_A_GATE else order
    if len({sizes[j] for j in decisive}) == 1 or len(decisive) > MAX_INPUTS_OF_A_GATE:
        if len({sizes[j] for j in decisive}) > 1:
            return None
        idle = sum((sizes[j] for j in order if j not in decisive), Fraction(0))
        k = next(k for k in range(len(decisive) + 1) if enough(k * sizes[decisive[0]] + idle))
        return counted([literals[j] for j in sorted(decisive)], [weights[j] < 0 for j in sorted(decisive)], k)
    least = list(minimal(decisive, sizes, enough))
    if symmetric(least, decisive):
        return counted([literals[j] for j in sorted(decisive)], [weights[j] < 0 for j in sorted(decisive)], len(least[0]))
    if len(least) > MAX_TERMS:
        return None
    return _factored([tuple(literals[j] for j in sorted(s)) for s in least])


def matters(j: int, sizes: dict[int, Fraction], enough: Callable[[Fraction], bool]) -> bool:
    """Is there a pattern of the others at which unit j decides?"""
    others = [sizes[i] for i in sizes if i != j]
    sums = {Fraction(0)}
    for s in others:
        sums |= {t + s for t in sums}
    return any(not enough(t) and enough(t + sizes[j]) for t in sums)


def minimal(order: Sequence[int], sizes: dict[int, Fraction], enough: Callable[[Fraction], bool]) -> Iterator[tuple[int, ...]]:
    """The smallest sets of literals that suffice, small ones first."""
    found: list[set[int]] = []
    for k in range(len(order) + 1):
        for chosen in combinations(order, k):
            if enough(sum((sizes[j] for j in chosen), Fraction(0))) and not any(f <= set(chosen) for f in found):
                found.append(set(chosen))
                yield chosen


def symmetric(least: Sequence[tuple[int, ...]], among: Sequence[int]) -> bool:
    """Are these all the sets of one size?"""
    sizes = {len(s) for s in least}
    return len(sizes) == 1 and len(least) == sum(1 for _ in combinations(among, sizes.pop()))


def counted(literals: Sequence[Formula], negative: Sequence[bool], k: int) -> Formula:
    """At least k of the literals; said of the units themselves where all are negated."""
    n = len(literals)
    if n == 1:
        return literals[0]
    if all(negative):
        plain = tuple(negation(x) for x in literals)
        return Not(All(plain)) if k == 1 else Count(plain, tuple(range(n - k + 1)))
    if k == n:
        return All(tuple(literals))
    return Some(tuple(literals)) if k == 1 else Count(tuple(literals), tuple(range(k, n + 1)))


def _factored(terms: list[tuple[Formula, ...]]) -> Formula:
    """A disjunction of conjunctions, what all have in common taken out."""
    common = [x for x in terms[0] if all(x in t for t in terms)]
    rest = [tuple(x for x in t if x not in common) for t in terms]
    either = Some(tuple(t[0] if len(t) == 1 else All(t) for t in rest))
    return All((*common, either)) if common else either


# ---- the whole network ----------------------------------------------------------------------------------------------


def conditions(network: tuple[Layer, ...], domain: Domain, fires_at_zero: bool) -> list[tuple[Formula, ...]] | None:
    """Layer by layer what every unit computes: of the inputs, then of the units below; None where a unit has no short name."""
    found: list[tuple[Formula, ...]] = []
    for k, layer in enumerate(network):
        boolean = k > 0 or domain is Domain.BOOLEANS
        named = [gate(row, b, fires_at_zero) if boolean else condition(row, b, fires_at_zero, domain is Domain.INTEGERS)
                 for row, b in zip(layer.weights, layer.biases, strict=True)]
        kept = tuple(f for f in named if f is not None)
        if len(kept) < len(named):
            return None
        found.append(kept)
    return found


def composed(layers: Sequence[tuple[Formula, ...]]) -> tuple[Formula, ...]:
    """The outputs in terms of the inputs: every unit replaced by its condition."""
    below = layers[0]
    for layer in layers[1:]:
        below = tuple(tidy(put_in(f, below)) for f in layer)
    return tuple(map(tidy, below))


def put_in(f: Formula, below: Sequence[Formula]) -> Formula:
    """A statement about units with their conditions in the place of the units."""
    match f:
        case Compare(left, relation, _):
            inner = below[left.terms[0][0] - 1]
            return inner if relation is Relation.EQ else negation(inner)
        case Not(part):
            return Not(put_in(part, below))
        case All(parts):
            return All(tuple(put_in(p, below) for p in parts))
        case Some(parts):
            return Some(tuple(put_in(p, below) for p in parts))
        case Count(parts, counts):
            return Count(tuple(put_in(p, below) for p in parts), counts)


def tidy(f: Formula) -> Formula:
    """Negations pushed inwards, nested and/or flattened, constants dropped, repetitions dropped, comparisons put into chains."""
    match f:
        case Compare(left, relation, right):
            return f
        case Not(Compare(left, relation, right)):
            return Compare(left, NEGATED[relation], right)
        case Not(Not(part)):
            return tidy(part)
        case Not(All(parts)):
            return tidy(Some(tuple(Not(p) for p in parts)))
        case Not(Some(parts)):
            return tidy(All(tuple(Not(p) for p in parts)))
        case Not(Count(parts, counts)):
            return tidy(Count(parts, tuple(k for k in range(len(parts) + 1) if k not in counts)))
        case Count(parts, counts):
            n = len(parts)
            if counts == (0,):
                return tidy(All(tuple(Not(p) for p in parts)))
            if counts == (n,):
                return tidy(All(parts))
            if counts == tuple(range(1, n + 1)):
                return tidy(Some(parts))
            if counts == tuple(range(n)):
                return tidy(Some(tuple(Not(p) for p in parts)))
            if counts == tuple(range(n + 1)):
                return TRUE
            return Count(tuple(map(tidy, parts)), counts) if counts else FALSE
    conjunction = isinstance(f, All)
    zero = FALSE if conjunction else TRUE
    flat: list[Formula] = []
    for p in map(tidy, f.parts):  # type: ignore[union-attr]
        for q in p.parts if isinstance(p, All if conjunction else Some) else (p,):
            if q == zero:
                return zero
            if q not in flat:
                flat.append(q)
    flat = merged(flat, conjunction)
    if len(flat) == 1:
        return flat[0]
    return All(chained(flat)) if conjunction else Some(tuple(flat))


def merged(parts: list[Formula], conjunction: bool) -> list[Formula]:
    """Two statements about one list as one: a <= b and a >= b is a = b; at least 2 and at most 2 of a list is exactly 2 of it."""
    found: list[Formula] = []
    for p in parts:
        for k, q in enumerate(found):
            both = _pair(q, p, conjunction)
            if both is not None:
                found[k] = both
                break
        else:
            found.append(p)
    return found


def _pair(a: Formula, b: Formula, conjunction: bool) -> Formula | None:
    if isinstance(a, Compare) and isinstance(b, Compare):
        b = b if (b.left, b.right) == (a.left, a.right) else mirrored(b)
        if (b.left, b.right) != (a.left, a.right):
            return None
        if conjunction and {a.relation, b.relation} == {Relation.LE, Relation.GE}:
            return Compare(a.left, Relation.EQ, a.right)
        if not conjunction and {a.relation, b.relation} == {Relation.LT, Relation.GT}:
            return Compare(a.left, Relation.NE, a.right)
        return None
    (parts, counts), (others, more) = _as_count(a), _as_count(b)
    if len(parts) < 2 or set(parts) != set(others):
        return None
    left = counts & more if conjunction else counts | more
    return tidy(Count(parts, tuple(sorted(left)))) if 0 < len(left) <= len(parts) else (FALSE if not left else TRUE)


def _as_count(f: Formula) -> tuple[tuple[Formula, ...], set[int]]:
    """And, or and counts of one list, and of its negations, as counts; no parts for anything else."""
    match f:
        case All(parts) | Some(parts) if parts and all(isinstance(p, Compare) for p in parts):
            counts = {len(parts)} if isinstance(f, All) else set(range(1, len(parts) + 1))
            if all(isinstance(p, Compare) and p.relation is Relation.NE for p in parts):
                return tuple(map(negation, parts)), {len(parts) - k for k in counts}
            return parts, counts
        case Count(parts, numbers):
            return parts, set(numbers)
    return (), set()


def chained(parts: Sequence[Formula]) -> tuple[Formula, ...]:
    """Comparisons in an order, and turned so, that they read as chains a < b < c."""
    left = list(parts)
    found: list[Formula] = []
    while left:
        run = [left.pop(0)]
        grown = isinstance(run[0], Compare)
        while grown:
            grown = False
            for other in left:
                for turned in (other, mirrored(other)) if isinstance(other, Compare) else ():
                    if len(runs((run[-1], turned))) == 1:
                        run.append(turned)
                    elif len(runs((turned, run[0]))) == 1:
                        run.insert(0, turned)
                    else:
                        continue
                    left.remove(other)
                    grown = True
                    break
                if grown:
                    break
        found += rising(run)
    return tuple(found)


def rising(run: list[Formula]) -> list[Formula]:
    """3 >= x >= 2 as 2 <= x <= 3; a chain between inputs stays as it is."""
    ends = [c for c in (run[0], run[-1]) if isinstance(c, Compare)]
    if len(run) < 2 or len(ends) < 2 or ends[0].left.terms or ends[1].right.terms or ends[0].relation not in (Relation.GT, Relation.GE):
        return run
    return [mirrored(c) for c in reversed(run) if isinstance(c, Compare)]


def mirrored(f: Compare) -> Compare:
    """b < a for a > b."""
    return Compare(f.right, MIRRORED[f.relation], f.left)
