"""What a step may claim: a closed set.  A new kind is a new piece of the trusted base (claims, check, compose).

Every claim is about one graph.  `lines` is an equation chain: the left side that the claim names equals the first
line, which equals the second, and so on; a line marked `approx` is a correctly rounded decimal, not an equality.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Rational, Symbol

from symgrad.language.forms import Array, Form, Prose, Relation
from symgrad.language.functions import scalar
from symgrad.language.threshold import Architecture, Chain, ChainNetwork, Domain, Formula, Layer, NoWeights, Proof, Wanted
from symgrad.language.zeros import AlwaysZero, CanHold, CannotHold, NotAlwaysZero

EXACT, ROUNDED = "exact", "rounded"
"""The two valuations: from the given inputs alone; or with the problem's own rounded values for some nodes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an equation chain, and in a few words why it equals the line above."""

    form: Form
    why: Prose = ()
    approx: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a node at the given numbers.  `result` is a number, or a Decimal in the last line where it is too long."""

    node: str
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class GivenValue:
    """The problem states this value: of a variable, or of a node to `digits` decimals after rounding."""

    name: str
    value: Expr
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """The local partial derivative of one definition in one of its arguments: expr is the symbolic result."""

    of: str
    wrt: str
    expr: Expr
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class Total:
    """d of / d wrt along all paths; lines[0] is the sum over paths, or over shared factors, of products of partials."""

    of: str
    wrt: str
    expr: Expr
    lines: tuple[Line, ...]
    valuation: str = EXACT


@dataclass(frozen=True, slots=True)
class Adjoint:
    """v_bar = d of / d v, shaped like v; lines[0] is the sum over the consumers of v.  expr is in terms of other adjoints."""

    of: str
    node: str
    expr: Expr
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class AdjointEntry:
    """(v_bar)_ij = expr, written with index sums; follows from an Adjoint."""

    of: str
    node: str
    indices: tuple[Symbol, ...]
    expr: Expr


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """v_bar with every definition of an adjoint (and of the listed nodes) substituted."""

    of: str
    node: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The adjoint of a node of a sequence for every length T, at the steps that `when` speaks of (language/sequence.py).

    It is written in the names of the graph of three steps, step 2 standing for t, or step 3 for T.  With SUM it says that the adjoint
    is rest plus the sum of expr over t = 1..T.  `lines` is the chain of an Adjoint, or of one term of the sum.
    """

    of: str
    node: str
    when: str
    expr: Expr
    lines: tuple[Line, ...]
    rest: Expr | None


@dataclass(frozen=True, slots=True)
class Tangent:
    """The tangent of a node along a direction (language/tangents.py): u_dot, or the Jacobian du/dw.

    lines[0] is the sum over the arguments of the node that move; expr is in terms of other tangents.  With a `seed` the graph has
    the adjoints of that node for definitions, so that the node may be w_bar and the tangent a second derivative.
    """

    node: str
    seed: str
    direction: tuple[tuple[str, str], ...]
    expr: Expr
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ClosedTangent:
    """The same with the definitions of all other tangents substituted."""

    node: str
    seed: str
    direction: tuple[tuple[str, str], ...]
    expr: Expr


@dataclass(frozen=True, slots=True)
class TangentValue:
    """The same at the given values and sizes, entry by entry: exact, or a decimal that is correctly rounded."""

    node: str
    seed: str
    direction: tuple[tuple[str, str], ...]
    entries: Array


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """The values of a node in a graph with vectors, or with a `seed` those of the adjoint of the node, at the given values and sizes.

    The definition, the same with numbers put in, and the entries: exact, or decimals that are correctly rounded.
    """

    node: str
    seed: str
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        return f"{self.node}_bar" if self.seed else self.node


@dataclass(frozen=True, slots=True)
class Witness:
    """A point at which two sides differ: sizes of the dimensions, values of the variables (row by row), both sides."""

    sizes: tuple[tuple[str, int], ...]
    values: tuple[tuple[str, tuple[tuple[Rational, ...], ...]], ...]
    entry: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Matches:
    """A choice equals the derived quantity for all values and sizes.  The quantity is a tuple of derivatives of `of`.

    A choice of numbers alone, where all that the derivatives depend on is given, equals them at the given values.
    """

    of: str
    wrt: tuple[str, ...]
    choice: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Differs:
    """A choice does not equal the derived quantity: its shape is another, or they differ at the witness."""

    of: str
    wrt: tuple[str, ...]
    choice: tuple[Expr, ...]
    part: int
    witness: Witness | None


@dataclass(frozen=True, slots=True)
class Sieve:
    """Of the combinations of a `fill` part, those whose entry is k > 0 give datum k the wrong sign; those with 0 are left.

    Data count from 1: the points of the part in order, then `inside`, exact points of regions (number of the region from 0, place).
    """

    part: str
    inside: tuple[tuple[int, tuple[Rational, ...]], ...]
    wrong_at: tuple[int, ...]  # in the order of Fill.combinations


@dataclass(frozen=True, slots=True)
class Fits:
    """The combination is `function`, with these values at the points, and all data have the sign that their label asks for.

    `proofs` has for every region, and for every linear piece of `function` in order, Farkas multipliers of the region's rows,
    the piece's rows and the row of the wrong sign: the weighted sum of rows that are not negative is a negative number.
    """

    part: str
    combination: tuple[int, ...]
    function: Expr
    values: tuple[Form, ...]
    proofs: tuple[tuple[tuple[Rational, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Classes:
    """All valid combinations of a part, grouped: the same function within a class, and different ones at a point of `apart`.

    `proofs` has an entry for every combination but the first of its class, in order: where the difference of the two is piecewise
    linear, for every piece on which it is not 0 as it stands two lists of Farkas multipliers, of the piece's rows and of the row that
    says difference > 0, and < 0: there is no such point in the piece.
    """

    part: str
    classes: tuple[tuple[tuple[int, ...], ...], ...]
    apart: tuple[tuple[Rational, ...], ...]
    proofs: tuple[tuple[tuple[Rational, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """The data `of` (numbered as in the Sieve before) already rule every combination out, and no smaller set of data does.

    For every set of data smaller by one (where `smallest`: of all data; else: of these), in the order of itertools.combinations,
    `spared` has a combination that gives all of them the right sign.
    """

    part: str
    of: tuple[int, ...]
    smallest: bool
    spared: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class UnitsTest:
    """Each unit of layer `layer` (from 1) of a threshold network fires iff its condition holds: on the inputs, or on the units below."""

    network: tuple[Layer, ...]
    inputs: tuple[str, ...]
    domain: Domain
    layer: int
    conditions: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Decides:
    """A threshold network decides the properties on the whole domain."""

    network: tuple[Layer, ...]
    wanted: Wanted
    proof: Proof


@dataclass(frozen=True, slots=True)
class Violates:
    """A threshold network does not decide the properties: at `point` an output is wrong."""

    network: tuple[Layer, ...]
    wanted: Wanted
    point: tuple[Rational, ...]


@dataclass(frozen=True, slots=True)
class Misfits:
    """The arrays of a candidate do not make a network with these numbers of units."""

    network: tuple[Layer, ...]
    layers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecidesChain:
    """A network that is written down for every n decides the chain of n inputs, for every n >= 2."""

    chain: Chain
    network: ChainNetwork


@dataclass(frozen=True, slots=True)
class Unrealizable:
    """No network of the architecture decides the properties."""

    architecture: Architecture
    wanted: Wanted
    proof: NoWeights
ARGUMENT = scalar("_u")
"""The bound argument of an activation; no problem can have this name, for names begin with a letter."""


@dataclass(frozen=True, slots=True)
class ActivationRelation:
    """For every real ARGUMENT the lines are equal: sigma(u) = ... = 1/2 tanh(u/2) + 1/2."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An expression of the network equals every line, at every input; with `indices` the lines are its entry there."""

    part: str
    left: Expr
    lines: tuple[Line, ...]
    indices: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """The answer for one unknown of the second network of a part: expr, and the same entry by entry at `indices`."""

    part: str
    name: str
    expr: Expr
    indices: tuple[Symbol, ...]
    entry: Expr


@dataclass(frozen=True, slots=True)
class Image:
    """With the parameters put in, this node of the second network equals every line, in names of the first network."""

    part: str
    node: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class SameFunction:
    """With these parameters the second network of a part computes the function `of` of the first, at every input."""

    part: str
    of: str
    parameters: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Both networks evaluated at rational points with these sizes: their outputs agree to `digits` decimals."""

    part: str
    sizes: tuple[tuple[str, int], ...]
    points: int
    digits: int


@dataclass(frozen=True, slots=True)
class NoParameters:
    """Whatever the unknowns are, sum_i multipliers_i (second - first network) at points_i is not zero.

    The points give all variables of the first network and differ in its inputs only: no parameters can serve all of them.
    """

    part: str
    points: tuple[Witness, ...]
    multipliers: tuple[Rational, ...]
@dataclass(frozen=True, slots=True)
class Identity:
    """Under the assumptions every line equals the next, for all values (and all indices) at which the lines are defined."""

    lines: tuple[Line, ...]
    assume: tuple[Relation, ...] = ()
    indices: tuple[Symbol, ...] = ()  # of the entry that the lines are about; none for scalars and for whole matrices


@dataclass(frozen=True, slots=True)
class Weighted:
    """A product of differences left - right of assumptions (by their number, from 1), times a multiplier that makes it not negative."""

    relations: tuple[int, ...]
    multiplier: Rational


@dataclass(frozen=True, slots=True)
class Impossible:
    """No values satisfy all the assumptions: the sum of the terms, none of them negative, is the number `total`; or their signs clash."""

    assume: tuple[Relation, ...]
    terms: tuple[Weighted, ...] = ()
    total: Rational = Rational(0)


@dataclass(frozen=True, slots=True)
class Cases:
    """left = right under the assumptions, because it was shown in cases that leave nothing out."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Counterexample:
    """left = right fails at a point that satisfies the assumptions; `values` are the two sides there, None where not defined."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...]
    witness: Witness
    values: tuple[Form | None, Form | None]


@dataclass(frozen=True, slots=True)
class Open:
    """left = right was neither shown nor refuted; never right and never wrong."""

    left: Expr
    right: Expr
    assume: tuple[Relation, ...]
    reason: str


Claim = (
    Value | GivenValue | Partial | Total | Adjoint | AdjointEntry | ClosedForm | Recurrence | Matches | Differs
    | Tangent | ClosedTangent | TangentValue | ArrayValue
    | Sieve | Fits | Classes | Conflict
    | UnitsTest | Decides | Violates | Misfits | Unrealizable | DecidesChain
    | ActivationRelation | Rewritten | Parameter | Image | SameFunction | Beside | NoParameters
    | AlwaysZero | NotAlwaysZero | CanHold | CannotHold
    | Identity | Impossible | Cases | Counterexample | Open
)
