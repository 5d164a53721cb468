"""The question `fill`: a template with slots, what may stand in each slot, and labelled points and regions.

A combination is one choice for every slot, written as the numbers of the choices, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import ClassVar

from sympy import Expr, Rational, Symbol

from symgrad.language import forms as F
from symgrad.language.forms import Prose
from symgrad.language.functions import scalar
from symgrad.language.graph import Graph
from symgrad.language.piecewise import Affine, Row, linear, negated, row_of

Combination = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A gap of the template: {name}, and the expressions of which one is to stand there."""

    name: str
    choices: tuple[Expr, ...]

    @property
    def symbol(self) -> Symbol:
        """What stands for the gap in the template; no variable can have braces in its name."""
        return scalar(f"{{{self.name}}}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """left relation right, for a relation of < <= > >= =; both sides are linear in the inputs."""

    left: Expr
    relation: str
    right: Expr


@dataclass(frozen=True, slots=True)
class LabelledPoint:
    """A data point: one number for every input, in their order."""

    label: str
    at: tuple[Rational, ...]


@dataclass(frozen=True, slots=True)
class LabelledRegion:
    """Every point at which all comparisons hold has this label."""

    label: str
    where: tuple[Comparison, ...]

    def rows(self, inputs: tuple[Symbol, ...]) -> tuple[Row, ...]:
        """The comparisons as rows that are >= 0 or > 0.  Raises Unsupported if a side is not linear."""
        return tuple(row for c in self.where for row in row_of(c.relation, linear(c.left, inputs), linear(c.right, inputs)))


@dataclass(frozen=True, slots=True)
class Fill:
    """Which combinations give a function f with f >= 0 exactly at the data labelled `positive` (f > 0 where `strict`)?

    The template is an expression in the inputs and in the slots' symbols; f < 0 is asked at all other data (f <= 0 where `strict`).
    """

    kind: ClassVar[str] = "fill"
    inputs: tuple[str, ...]
    template: Expr
    slots: tuple[Slot, ...]
    points: tuple[LabelledPoint, ...]
    regions: tuple[LabelledRegion, ...]
    positive: str
    strict: bool = False

    @property
    def count(self) -> int:
        """The number of combinations."""
        return prod(len(s.choices) for s in self.slots)

    def combinations(self) -> Iterator[Combination]:
        """All of them; the last slot changes fastest."""
        return product(*(range(len(s.choices)) for s in self.slots))

    def entries(self, combination: Combination) -> tuple[Expr, ...]:
        """What stands in the slots."""
        return tuple(s.choices[k] for s, k in zip(self.slots, combination, strict=True))

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The inputs as they stand in the template."""
        return tuple(map(scalar, self.inputs))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in use, the positive one first, then in order of appearance."""
        return tuple(dict.fromkeys((self.positive, *(p.label for p in self.points), *(r.label for r in self.regions))))

    def asked(self, label: str) -> str:
        """The relation to 0 that a label asks of f."""
        return (">" if self.strict else ">=") if label == self.positive else ("<=" if self.strict else "<")

    def right(self, label: str, sign: int) -> bool:
        """Is this the sign of f that the label asks for?"""
        above = sign > 0 or (sign == 0 and not self.strict)
        return above == (label == self.positive)

    def wrong(self, label: str, value: Affine) -> Row:
        """Where an affine f has the sign that the label does not ask for."""
        if label == self.positive:
            return Row(negated(value), not self.strict)
        return Row(value, self.strict)

    def task(self, graph: Graph) -> Prose:
        f = F.Just(scalar("f"))
        above, below = (" > 0", " ≤ 0") if self.strict else (" ≥ 0", " < 0")
        others = self.labels[1:]
        rest = (" and ", f, f"{below} for all that are labelled {' or '.join(others)}") if others else ()
        return ("Fill every slot with one of its choices so that ", f, f"{above} for all data labelled {self.positive}", *rest,
                ". Find every combination that does it, or show that there is no valid combination.")
