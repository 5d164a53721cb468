"""Hard-threshold networks and the properties they decide: comparisons of affine forms, joined by words.

A unit fires (its output is 1) iff w . x + b >= 0, or > 0 where the problem sets step(0) = 0.  Inputs count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sympy import Integer, Rational


class Domain(Enum):
    """What the inputs range over."""

    REALS = "reals"
    INTEGERS = "integers"
    BOOLEANS = "booleans"  # the numbers 0 and 1


class Relation(Enum):
    GT, GE, LT, LE, EQ, NE = ">", ">=", "<", "<=", "=", "!="


NEGATED = {Relation.GT: Relation.LE, Relation.GE: Relation.LT, Relation.LT: Relation.GE, Relation.LE: Relation.GT,
           Relation.EQ: Relation.NE, Relation.NE: Relation.EQ}
MIRRORED = {Relation.GT: Relation.LT, Relation.GE: Relation.LE, Relation.LT: Relation.GT, Relation.LE: Relation.GE,
            Relation.EQ: Relation.EQ, Relation.NE: Relation.NE}


# ---- properties: a closed set of formulas ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Affine:
    """The sum of coefficient * input over `terms`, plus a constant; inputs ascending, no coefficient 0."""

    terms: tuple[tuple[int, Rational], ...]
    constant: Rational = Integer(0)


@dataclass(frozen=True, slots=True)
class Compare:
    """left relation right, as it is written."""

    left: Affine
    relation: Relation
    right: Affine


@dataclass(frozen=True, slots=True)
class Not:
    part: Formula


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; true if there are none."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; false if there are none."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """The number of parts that hold is one of `counts` (ascending): exactly, at least, at most, xor, iff, parity."""

    parts: tuple[Formula, ...]
    counts: tuple[int, ...]


Formula = Compare | Not | All | Some | Count
TRUE, FALSE = All(()), Some(())


def affine(terms: dict[int, Rational], constant: Rational = Integer(0)) -> Affine:
    """The form with the terms in order and zeros left out."""
    return Affine(tuple((i, c) for i, c in sorted(terms.items()) if c != 0), constant)


def one(i: int) -> Affine:
    """The input x_i itself."""
    return Affine(((i, Integer(1)),))


def number(value: Rational | int) -> Affine:
    return Affine((), Rational(value))


def plus(a: Affine, b: Affine, factor: Rational = Integer(1)) -> Affine:
    """a + factor * b."""
    terms = dict(a.terms)
    for i, c in b.terms:
        terms[i] = terms.get(i, Integer(0)) + factor * c
    return affine(terms, a.constant + factor * b.constant)


def is_true(i: int) -> Compare:
    """The boolean input x_i as a statement."""
    return Compare(one(i), Relation.EQ, number(1))


def negation(f: Formula) -> Formula:
    """not f, pushed into a comparison."""
    match f:
        case Compare(left, relation, right):
            return Compare(left, NEGATED[relation], right)
        case Not(part):
            return part
    return Not(f)


def atoms(f: Formula) -> tuple[Compare, ...]:
    """The comparisons of a formula, in order, with repetitions."""
    match f:
        case Compare():
            return (f,)
        case Not(part):
            return atoms(part)
    return tuple(a for part in f.parts for a in atoms(part))


# ---- networks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """One row of weights and one bias a unit."""

    weights: tuple[tuple[Rational, ...], ...]
    biases: tuple[Rational, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a network should decide: output unit k fires iff properties[k] holds, for all inputs of the domain with `where`."""

    inputs: tuple[str, ...]
    domain: Domain
    properties: tuple[Formula, ...]
    where: Formula = TRUE


@dataclass(frozen=True, slots=True)
class Range:
    """low <= weight <= high; within a range weights are whole numbers."""

    low: Rational
    high: Rational


@dataclass(frozen=True, slots=True)
class Fixed:
    """The stated weights of one layer; None where one is to be found."""

    weights: tuple[tuple[Rational | None, ...], ...]
    biases: tuple[Rational | None, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Units a layer, inputs first; what the weights and biases may be (None: any real numbers)."""

    layers: tuple[int, ...]
    weights: Range | None = None
    biases: Range | None = None
    given: tuple[Fixed, ...] = ()

    def stated(self, layer: int, unit: int, source: int | None) -> Rational | None:
        """The given weight from `source` of the layer below (None: the bias), if the problem states it.  All count from 0."""
        if not self.given:
            return None
        fixed = self.given[layer]
        return fixed.biases[unit] if source is None else fixed.weights[unit][source]

    def interval(self, layer: int, unit: int, source: int | None) -> tuple[Rational, Rational] | None:
        """The interval that a weight must lie in; None if it is free."""
        stated = self.stated(layer, unit, source)
        if stated is not None:
            return stated, stated
        allowed = self.biases if source is None else self.weights
        return (allowed.low, allowed.high) if allowed else None

    def admits(self, network: tuple[Layer, ...]) -> bool:
        """Is this network of the architecture, with allowed weights?"""
        if misfit(network, self.layers):
            return False
        for k, layer in enumerate(network):
            for j, row in enumerate(layer.weights):
                for source, w in ((None, layer.biases[j]), *enumerate(row)):
                    allowed = self.interval(k, j, source)
                    if allowed and not (allowed[0] <= w <= allowed[1] and (allowed[0] == allowed[1] or w.is_Integer)):
                        return False
        return True


@dataclass(frozen=True, slots=True)
class Level:
    """A mark scheme's row: `marks` for a network that decides the properties where `where` holds."""

    name: str
    marks: Rational
    wanted: Wanted


def misfit(network: tuple[Layer, ...], sizes: tuple[int, ...]) -> str:
    """Why the arrays do not make a network with these sizes (inputs first), both shapes named; '' if they do."""
    if len(network) != len(sizes) - 1:
        return f"there are weights for {len(network)} layers; layers = {list(sizes)} needs {len(sizes) - 1}"
    for k, (layer, below, units) in enumerate(zip(network, sizes, sizes[1:], strict=False), 1):
        what = "the output layer" if k == len(network) else f"hidden layer {k}" if len(network) > 2 else "the hidden layer"
        has = f"{what} has {units} unit{'s' * (units != 1)}"
        lengths = {len(row) for row in layer.weights}
        if len(lengths) > 1:
            return f"W{k} has rows of {' and '.join(map(str, sorted(lengths)))} entries; every row of a {units} x {below} matrix has {below}"
        rows, columns = len(layer.weights), lengths.pop() if lengths else 0
        if (rows, columns) != (units, below):
            from_below = f"{below} {'inputs' if k == 1 else 'units below it'}"
            if rows == 1 == units:
                return f"W{k} has {columns} entries; {has} fed by {from_below}, so that W{k} must have {below}"
            return f"W{k} is {rows} x {columns}; {has} fed by {from_below}, so that W{k} must be {units} x {below}"
        if len(layer.biases) != units:
            entries = "entry" if len(layer.biases) == 1 else "entries"
            return f"b{k} has {len(layer.biases)} {entries}; {has}, so that b{k} must have {units} (W{k} is {rows} x {columns})"
    return ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The property x_1 relation x_2 relation ... relation x_n, for every n >= 2; `size` is the letter for n."""

    size: str
    relation: Relation
    domain: Domain


@dataclass(frozen=True, slots=True)
class ChainNetwork:
    """For every n: unit i of n - 1 is fed here * x_i + after * x_(i+1) + bias, the output v * (units that fire) + constant + slope * n."""

    here: Rational
    after: Rational
    bias: Rational
    v: Rational
    constant: Rational
    slope: Rational


# ---- what proves that a network decides a property ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counting:
    """The checker goes through all patterns itself; patterns with equal sums are taken together."""


@dataclass(frozen=True, slots=True)
class Split:
    """Half-space number `atom` holds, and what follows up to its end; then it does not hold, and what follows."""

    atom: int


@dataclass(frozen=True, slots=True)
class Agree:
    """On this branch `where` is false, or network and property have the same value."""


@dataclass(frozen=True, slots=True)
class Clash:
    """This branch is empty: its inequalities times the multipliers, added, give 0 >= positive (or 0 > 0).  By half-space number."""

    multipliers: tuple[tuple[int, Rational], ...]


Branch = Split | Agree | Clash


@dataclass(frozen=True, slots=True)
class Cases:
    """A tree of cases in preorder.  Half-spaces: first-layer units, then the comparisons in order, then `extra` >= 0; equal ones once."""

    branches: tuple[Branch, ...]
    extra: tuple[Affine, ...] = ()


Proof = Counting | Cases


# ---- what proves that no weights exist ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """Inputs at `at`, or at `at` + t `toward` for all small t > 0."""

    at: tuple[Rational, ...]
    toward: tuple[Rational, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppose:
    """Unit (layer, unit) fires at point number `point`, and what follows up to its end; then it does not, and what follows."""

    layer: int
    unit: int
    point: int


@dataclass(frozen=True, slots=True)
class Inseparable:
    """No weights make this unit do what the branch says: its inequalities times the multipliers (by point number) add up to a contradiction."""

    layer: int
    unit: int
    multipliers: tuple[tuple[int, Rational], ...]


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """No whole numbers in the allowed range make this unit do what the branch says: the checker tries them all."""

    layer: int
    unit: int


@dataclass(frozen=True, slots=True)
class Swapped:
    """Units `unit` and `unit` + 1 agree at all points before `point`, where only the later fires: the branch with the two swapped covers it."""

    layer: int
    unit: int
    point: int


WeightBranch = Suppose | Inseparable | OutOfRange | Swapped


@dataclass(frozen=True, slots=True)
class WeightCases:
    """A tree of cases in preorder about what hidden units do at these points."""

    points: tuple[Point, ...]
    branches: tuple[WeightBranch, ...]


@dataclass(frozen=True, slots=True)
class Borders:
    """One point on each of more borders than there are first-layer units: a property changes there, so some unit must have that border."""

    points: tuple[tuple[Rational, ...], ...]


@dataclass(frozen=True, slots=True)
class ForcedBorders:
    """As many borders as hidden units of the one hidden layer, so that each unit has one of them; then output unit `unit` is fed the sides.

    At the points `apart`, off all borders, its inequalities in terms of these sides, times the multipliers, add up to a contradiction.
    """

    points: tuple[tuple[Rational, ...], ...]
    apart: tuple[tuple[Rational, ...], ...]
    unit: int
    multipliers: tuple[Rational, ...]


NoWeights = WeightCases | Borders | ForcedBorders

TRAVEL = (Affine, Compare, Not, All, Some, Count, Layer, Wanted, Range, Fixed, Architecture, Counting, Split, Agree, Clash, Cases,
          Point, Suppose, Inseparable, OutOfRange, Swapped, WeightCases, Borders, ForcedBorders, Chain, ChainNetwork)
"""What goes into a certificate inside claims."""
