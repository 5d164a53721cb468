"""A problem: a graph, given numbers, and the questions asked.  It states questions, never answers."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sympy import Expr, Rational

from symgrad.language import forms as F
from symgrad.language.fill import Fill
from symgrad.language.forms import Prose
from symgrad.language.graph import Graph
from symgrad.language.sequence import Sequence
from symgrad.language.tangents import Direction
from symgrad.language.threshold import Architecture, Chain, Layer, Level, Wanted
from symgrad.language.zeros import Fact, say


@dataclass(frozen=True, slots=True)
class Given:
    """A stated number, vector or matrix (entries row by row) for a name; `digits` is set where it is a rounded value of a node."""

    name: str
    entries: tuple[tuple[Rational, ...], ...]
    digits: int | None = None


def sizes_shown(graph: Graph, values: Iterable[Given]) -> dict[str, int]:
    """The sizes of dimensions that stated vectors and matrices have."""
    return {str(d): n for g in values for d, n in zip(graph.shape(g.name), (len(g.entries), len(g.entries[0])), strict=True) if d.is_Symbol}


@dataclass(frozen=True, slots=True)
class Conventions:
    """What the problem fixes where mathematics leaves a choice; None: unset, and a question that needs it is not answered."""

    relu_at_zero: Rational | None = None  # the derivative of relu (and of max at a tie, to its first argument) at 0
    abs_at_zero: Rational | None = None
    step_at_zero: Rational = Rational(1)  # the value step(0)
    symmetric: str = "projected"  # the gradient in a symmetric variable: in the space of such matrices, or by "entries"


Tangents = tuple[tuple[str, Direction], ...]
"""Nodes, or adjoints w_bar, each with the direction along which its derivative is asked for."""


class Question(Protocol):
    """What every kind of question has: the word that `ask` says, and what is asked in one sentence."""

    kind: ClassVar[str]

    def task(self, graph: Graph) -> Prose: ...


@dataclass(frozen=True, slots=True)
class Forward:
    """The table of node values in order; all nodes if `of` is empty."""

    kind: ClassVar[str] = "forward"
    of: tuple[str, ...] = ()

    def task(self, graph: Graph) -> Prose:
        if not self.of:
            return ("Forward pass: find the value of every node.",)
        return ("Forward pass: find the value of ", *listed([F.Just(graph.symbol(n)) for n in self.of]), ".")


@dataclass(frozen=True, slots=True)
class Gradient:
    """d of / d wrt by the chain rule, as a sum over paths."""

    kind: ClassVar[str] = "gradient"
    of: str
    wrt: tuple[str, ...]

    def task(self, graph: Graph) -> Prose:
        return ("Find ", *listed([F.TotalOf(self.of, w) for w in self.wrt]), " by the chain rule.")


@dataclass(frozen=True, slots=True)
class Backward:
    """The backprop equations from the seed down to `wrt`, in bar notation."""

    kind: ClassVar[str] = "backward"
    of: str
    wrt: tuple[str, ...]
    components: tuple[str, ...] = ()
    closed_form: tuple[str, ...] = ()
    expand: bool = False  # write sigma'(z) as h o (1 - h)

    def task(self, graph: Graph) -> Prose:
        down_to = listed([F.Just(graph.symbol(graph.asked(w))) for w in self.wrt])
        return ("Derive the backpropagation equations from ", F.Just(graph.symbol(self.of)), " down to ", *down_to, ".")


@dataclass(frozen=True, slots=True)
class Jacobian:
    """d of / d wrt of a vector in a vector by the chain rule; with a direction for each of `wrt`, its product with the direction."""

    kind: ClassVar[str] = "jacobian"
    of: str
    wrt: tuple[str, ...]
    direction: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple(zip(self.wrt, self.direction, strict=True))

    @property
    def derived(self) -> Tangents:
        """What is asked for: of a node along a direction."""
        return ((self.of, self.pairs),) if self.direction else tuple((self.of, ((w, ""),)) for w in self.wrt)

    def task(self, graph: Graph) -> Prose:
        if self.direction:
            return ("Find the derivative of ", F.Just(graph.symbol(self.of)), " in ", *_moving(graph, self.pairs), ".")
        return ("Find the Jacobian", "s " if len(self.wrt) > 1 else " ", *listed([F.TangentOf(self.of, ((w, ""),)) for w in self.wrt]), ".")


@dataclass(frozen=True, slots=True)
class Hessian:
    """The second derivatives of a scalar, a block for every two names in `wrt`."""

    kind: ClassVar[str] = "hessian"
    of: str
    wrt: tuple[str, ...]
    expand: bool = False  # write sigma'(z) as h o (1 - h)

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """On and above the diagonal; those below are their transposes."""
        return tuple((a, b) for i, a in enumerate(self.wrt) for b in self.wrt[i:])

    @property
    def derived(self) -> Tangents:
        """What is asked for: of an adjoint along all coordinates of a variable."""
        return tuple((f"{a}_bar", ((b, ""),)) for a, b in self.blocks)

    def task(self, graph: Graph) -> Prose:
        scalars, several = all(graph.shape(w) == (1, 1) for w in self.wrt), len(self.blocks) > 1
        what = f"second derivative{'s' * several}" if scalars else "blocks of the Hessian" if several else "Hessian"
        return (f"Find the {what} ", *listed([F.SecondOf(self.of, *b) for b in self.blocks]), ".")


@dataclass(frozen=True, slots=True)
class HessianVector:
    """The Hessian of a scalar times a direction, without the Hessian: the tangents of the adjoints."""

    kind: ClassVar[str] = "hvp"
    of: str
    wrt: tuple[str, ...]
    direction: tuple[str, ...]
    closed_form: bool = False
    expand: bool = False

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple(zip(self.wrt, self.direction, strict=True))

    @property
    def derived(self) -> Tangents:
        """What is asked for: of every adjoint along the direction."""
        return tuple((f"{w}_bar", self.pairs) for w in self.wrt)

    def task(self, graph: Graph) -> Prose:
        return ("Find the product of the Hessian of ", F.Just(graph.symbol(self.of)), " with a direction: in ", *_moving(graph, self.pairs),
                ", without forming the Hessian.")


def _moving(graph: Graph, pairs: tuple[tuple[str, str], ...]) -> Prose:
    """w along v and b along u."""
    found: list[str | F.Form] = []
    for k, (w, v) in enumerate(pairs):
        found += [" and " if k == len(pairs) - 1 else ", "] if k else []
        found += [F.Just(graph.symbol(w)), " along ", F.Just(graph.symbol(v))]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Choose:
    """Which choices equal d of / d wrt?  Each choice has one expression for every name in `wrt`.

    A choice with shapes that do not fit each other, a usual wrong option, has no value: `misfits` says why ("" for the others), and
    its expressions, in matrices of one size, are for print alone; it may have none.
    """

    kind: ClassVar[str] = "choose"
    of: str
    wrt: tuple[str, ...]
    choices: tuple[tuple[Expr, ...], ...]
    texts: tuple[str, ...] = ()
    several: bool = False
    misfits: tuple[str, ...] = ()

    def misfit(self, number: int) -> str:
        """Why the choice of that number, from 1, has no value; "" if it has one."""
        return self.misfits[number - 1] if self.misfits else ""

    def task(self, graph: Graph) -> Prose:
        asked = listed([F.TotalOf(self.of, w) for w in self.wrt])
        return ("Which is ", *asked, "?", *((" Several may be right.",) if self.several else ()))


def property_or_properties(wanted: Wanted) -> str:
    """One property for every output."""
    return "properties" if len(wanted.properties) > 1 else "property"


@dataclass(frozen=True, slots=True)
class Construct:
    """Find weights with which a hard-threshold network decides the properties, or prove that there are none."""

    kind: ClassVar[str] = "construct"
    architecture: Architecture
    wanted: Wanted

    def task(self, graph: Graph) -> Prose:
        return (f"Find weights and biases with which this network ({'-'.join(map(str, self.architecture.layers))}, hard-threshold units) decides the "
                f"{property_or_properties(self.wanted)} below for all admitted inputs, or prove that there are none.",)


@dataclass(frozen=True, slots=True)
class ConstructChain:
    """The same for a chain of comparisons of n inputs, with n - 1 hidden units, for every n."""

    kind: ClassVar[str] = "construct"
    chain: Chain

    def task(self, graph: Graph) -> Prose:
        n = self.chain.size
        return (f"Find weights and biases with which this network ({n} inputs, {n} - 1 hidden units, one output unit) decides the property below "
                f"for every {n} from 2 on.",)


@dataclass(frozen=True, slots=True)
class CheckNetwork:
    """Does a candidate decide the properties (none: find out which it decides)?  With levels: how many marks does it earn?"""

    kind: ClassVar[str] = "check_network"
    network: tuple[Layer, ...]
    layers: tuple[int, ...]
    wanted: Wanted
    levels: tuple[Level, ...] = ()

    def task(self, graph: Graph) -> Prose:
        if not self.wanted.properties:
            return ("Find out, in plain comparisons, for which inputs this network outputs 1, and prove it.",)
        if self.levels:
            return ("Which rows of the mark scheme does this network satisfy?  Prove it, or give a counterexample.",)
        return (f"Does this network decide the {property_or_properties(self.wanted)} below?  Prove it, or give a counterexample.",)


@dataclass(frozen=True, slots=True)
class FindParameters:
    """The unknowns of a second network for which it computes the same function `of` of the inputs as the first.

    `template` is the second network: its variables are those of the first that it uses, then the unknowns.  `fixed` are
    unknowns whose values the problem gives.  `permutations` are permutation matrices by name, `signs` vectors of 1 and -1.
    """

    kind: ClassVar[str] = "find_parameters"
    of: str
    template: Graph
    output: str
    unknowns: tuple[str, ...]
    fixed: tuple[tuple[str, Expr], ...] = ()
    permutations: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    matrix: bool = True  # the derivation in matrix form
    index: bool = True  # the derivation with index sums

    def task(self, graph: Graph) -> Prose:
        free = [n for n in self.unknowns if n not in dict(self.fixed)]
        same = ("it computes the same function ", F.Just(graph.symbol(self.of)), " as the first, for every input")
        if not free:
            return ("Decide whether the second network, below, is such that with its parameters ", *same, ".")
        return ("Find the unknown parameters of the second network, below, for which ", *same, ", and prove it.")
@dataclass(frozen=True, slots=True)
class GuaranteedZero:
    """For every name in wrt and every case: is d of / d wrt zero wherever the facts of the case hold?"""

    kind: ClassVar[str] = "always_zero"
    of: str
    wrt: tuple[str, ...]
    cases: tuple[tuple[Fact, ...], ...]

    def task(self, graph: Graph) -> Prose:
        asked = ("which of ", *listed([F.TotalOf(self.of, w) for w in self.wrt]), " are guaranteed to be zero?")
        if len(self.wrt) == 1:
            asked = ("is ", F.TotalOf(self.of, self.wrt[0]), " guaranteed to be zero?")
        if len(self.cases) == 1:
            return ("Given only ", *all_of(self.cases[0]), ", ", *asked)
        cases = [p for k, case in enumerate(self.cases, 1) for p in (f"{' ' if k == 1 else '; '}({k}) ", *all_of(case))]
        return ("In each case, given only its facts, ", *asked, *cases, ".")


def all_of(facts: tuple[Fact, ...]) -> Prose:
    """z1 = -1, h2 > 0 and w3 = 0."""
    found: list[str | F.Form] = [] if facts else ["the model"]
    for k, fact in enumerate(facts):
        found += [" and " if k == len(facts) - 1 else ", "] if k else []
        found += say(fact)
    return tuple(found)
@dataclass(frozen=True, slots=True)
class Prove:
    """Equations, or chains of them, to be proved or refuted under assumptions; and a chain of a candidate's, judged line by line."""

    kind: ClassVar[str] = "prove"
    claims: tuple[tuple[Expr, ...], ...]
    assume: tuple[F.Relation, ...] = ()
    steps: tuple[Expr, ...] = ()

    def task(self, graph: Graph) -> Prose:
        links = [F.Relation(a, F.Sign.EQUAL, b) for chain in self.claims for a, b in zip(chain, chain[1:], strict=False)]
        under: Prose = (" under ", *listed(self.assume)) if self.assume else ()
        asked: Prose = ("Prove or refute ", *listed(links), *under, ".") if links else ()
        if not self.steps:
            return asked
        return (*asked, *((" ",) if asked else ()), "Judge every line of this chain", *(under if not asked else ()), ".")


def listed(items: Several[F.Form]) -> Prose:
    """a, b and c."""
    found: list[str | F.Form] = []
    for k, item in enumerate(items):
        found += [" and " if k == len(items) - 1 else ", "] if k else []
        found.append(item)
    return tuple(found)


Ask = (
    Forward | Gradient | Backward | Jacobian | Hessian | HessianVector | Choose | Fill | Construct | ConstructChain | CheckNetwork | FindParameters
    | GuaranteedZero | Prove
)


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a problem, with its marks (by step label; "" is the whole part)."""

    label: str
    ask: Ask
    statement: str = ""
    marks: tuple[tuple[str, Rational], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A known answer, used only for checking after everything is derived: `key` is part.label."""

    part: str
    label: str
    value: Expr | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem file as read, without its [expected] table (see `reader`), tied to the file by the digest of its text."""

    id: str
    title: str
    graph: Graph
    parts: tuple[Part, ...]
    values: tuple[Given, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    conventions: Conventions = Conventions()
    statement: str = ""
    source: str = ""
    digits: int = 4
    digest: str = ""
    sequence: Sequence | None = None  # of symbolic length
