"""Steps, derivations, verdicts and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from symgrad.language.claims import Claim
from symgrad.language.forms import Form, Prose
from symgrad.language.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)  # identity: steps are shared, never compared field by field
class Step:
    """One line of a derivation: what is claimed, by which rule, resting on which other lines."""

    claim: Claim
    rule: str
    because: Prose
    premises: tuple[Step, ...] = ()
    label: str = ""  # what marks and expected answers call it: y_bar, w1_11


@dataclass(frozen=True, slots=True)
class Answer:
    """A boxed result: left = right, for the step that proves it."""

    label: str
    left: Form
    right: Form
    approx: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """The steps that answer one part, in order, and the graph that they end in (forward nodes, then adjoints)."""

    part: str
    graph: Graph
    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    conventions: tuple[Prose, ...] = ()
    notes: tuple[Prose, ...] = ()
    refuted: str = ""  # what the part put forward and the derivation shows to be false, in words

    def all_steps(self) -> Iterator[Step]:
        """Every step once, premises before what rests on them."""
        seen: set[int] = set()
        stack: list[tuple[Step, bool]] = [(s, False) for s in reversed(self.steps)]
        while stack:
            step, ready = stack.pop()
            if id(step) in seen:
                continue
            if ready:
                seen.add(id(step))
                yield step
            else:
                stack.append((step, True))
                stack.extend((p, False) for p in reversed(step.premises))


class Ground(Enum):
    """How far a claim was shown; see shared design, 'What counts as proved'."""

    PROVED = "proved"
    TESTED = "tested"
    GIVEN = "given"
    REFUTED = "refuted"
    UNDECIDED = "undecided"

    @property
    def holds(self) -> bool:
        """Something was shown, or given: the line may be printed and may answer a question, its ground beside it."""
        return self in (Ground.PROVED, Ground.TESTED, Ground.GIVEN)


STRENGTH = (Ground.PROVED, Ground.GIVEN, Ground.TESTED, Ground.UNDECIDED, Ground.REFUTED)


def weakest(grounds: tuple[Ground, ...]) -> Ground:
    """A chain is as strong as its weakest step."""
    return max(grounds, key=STRENGTH.index, default=Ground.PROVED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found of one claim: by which method, on which domain, under which conditions."""

    ground: Ground
    method: str
    domain: str = ""  # "for all N, K", "for the rounded values", "at the given values"
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certified:
    """One claim of a certificate with the verdict that the checker gave it."""

    part: str
    label: str
    rule: str
    claim: Claim
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Certificate:
    """All claims of a problem, in an order in which each rests only on earlier ones; `digest` ties it to the problem file."""

    problem: str
    digest: str
    entries: tuple[Certified, ...]

    @property
    def ground(self) -> Ground:
        return weakest(tuple(e.verdict.ground for e in self.entries))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Derivatives against finite differences at random points: a numerical comparison, not a proof and no part of a certificate."""

    points: int = 0
    sizes: tuple[tuple[str, int], ...] = ()
    power: int | None = None  # the worst relative error is below ten to this power; None with points: it is larger than any that counts
    reason: str = ""  # why nothing was compared
    unknown: tuple[str, ...] = ()  # the unknown functions, in whose place a product of sines stood

    @property
    def agrees(self) -> bool:
        """Nothing was compared, or the error is what rounding and the step of the difference explain."""
        return not self.points or (self.power is not None and self.power <= -3)

    @property
    def error(self) -> str:
        """below 1e-6, in words; "" if nothing was compared."""
        return "" if not self.points else f"below 1e{self.power}" if self.power is not None else "above 0.1"

    @property
    def words(self) -> str:
        """One sentence, with its sizes and what it is worth."""
        if not self.points:
            return f"Not compared with finite differences: {self.reason}."
        sizes = "".join(f", {name} = {n}" for name, n in self.sizes)
        sines = f", with sines in the place of {' and '.join(self.unknown)}" if self.unknown else ""
        return (f"Compared with finite differences at {self.points} random points{sizes}{sines}: worst relative error {self.error} "
                "(a numerical comparison, not a proof).")
