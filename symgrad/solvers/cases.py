"""Does a threshold network decide a property?  A tree of cases that shows it, or the cells of inputs in which it is wrong.

Half-spaces are settled one after the other.  A case ends where network and property are settled and agree, or where its
inequalities contradict each other.  What is implied by one settled half-space is taken first, so that a conjunction of n
comparisons costs a chain of n cases, not 2^n.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from symgrad.language.arrangement import Arrangement, Gate, Literal, Term, rational
from symgrad.language.threshold import Agree, Branch, Cases, Clash, Layer, Split, Wanted, number, one, plus
from symgrad.solvers.linear import Inequality, System, Undecided, multipliers

MAX_BRANCHES, SECONDS, MORE_CELLS = 60_000, 20.0, 40
MAX_ROUNDING = 400
"""Extra half-spaces that an integer argument may use."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Cells (which half-spaces hold) in which some output differs from its property, each with a point."""

    world: Arrangement
    cells: tuple[dict[int, bool], ...]
    points: tuple[tuple[Fraction, ...], ...]


def decide(network: tuple[Layer, ...], wanted: Wanted, fires_at_zero: bool) -> Cases | Wrong:
    """Over the reals or the integers.  Raises Undecided at a bound."""
    return _Search(network, wanted, fires_at_zero).run()


class _Search:
    def __init__(self, network: tuple[Layer, ...], wanted: Wanted, fires_at_zero: bool) -> None:
        self.network, self.wanted, self.closed = network, wanted, fires_at_zero
        self.world = Arrangement(network, wanted, fires_at_zero)
        self.system = System(self.world.integers)
        self.branches: list[Branch] = []
        self.known: dict[int, bool] = {}
        self.extra: list[tuple[int, int]] = []
        self.cells: list[dict[int, bool]] = []
        self.points: list[tuple[Fraction, ...]] = []
        self.end = time.monotonic() + SECONDS
        self.left_after_first = 10 * MORE_CELLS

    def run(self) -> Cases | Wrong:
        self.case()
        if self.cells:
            return Wrong(self.world, tuple(self.cells), tuple(self.points))
        forms = tuple(plus(one(i), number(-at)) for i, at in self.extra)
        return Cases(tuple(self.branches), forms)

    def enough(self) -> bool:
        """Wrong cells are collected for a while, so that a simple one may be among them."""
        if self.cells:
            self.left_after_first -= 1
            return len(self.cells) >= MORE_CELLS or self.left_after_first <= 0
        if len(self.branches) > MAX_BRANCHES or time.monotonic() > self.end:
            raise Undecided(f"undecided: more than {MAX_BRANCHES:,} cases or {SECONDS:g} seconds; nothing was shown")
        return False

    def inequalities(self) -> list[Inequality]:
        return [self.world.halves[a].side(holds, self.world.integers) for a, holds in self.known.items()]

    def case(self) -> None:
        """The tree below what is known, appended to `branches`."""
        if self.world.agree(self.known):
            self.branches.append(Agree())
            return
        if self.enough():
            return
        atom = self.next()
        if atom is None:
            self.cells.append(dict(self.known))
            self.system.feasible()
            self.points.append(tuple(self.system.point(len(self.wanted.inputs))))
            return
        self.branches.append(Split(atom))
        for holds in (True, False):
            self.known[atom] = holds
            self.system.push(self.world.halves[atom].side(holds, self.world.integers))
            if self.system.feasible():
                self.case()
            else:
                self.empty(0)
            self.system.pop()
            del self.known[atom]

    def empty(self, depth: int) -> None:
        """No point of the domain: multipliers, or over the integers cases on a coordinate until there are some."""
        found = multipliers(self.inequalities())
        if found is not None:
            atoms = list(self.known)
            self.branches.append(Clash(tuple((atoms[k], rational(by)) for k, by in found)))
            return
        if not self.world.integers or depth > 30 or len(self.extra) > MAX_ROUNDING:
            raise Undecided("undecided: no whole inputs were found in a case, nor a short reason why there are none")
        atom = self.rounding()
        self.branches.append(Split(atom))
        for holds in (True, False):
            self.known[atom] = holds
            self.empty(depth + 1)
            del self.known[atom]

    def rounding(self) -> int:
        """A half-space x_i >= k that cuts off a solution in fractions."""
        relaxed = System()
        for inequality in self.inequalities():
            relaxed.add(inequality)
        relaxed.feasible()
        point = relaxed.point(len(self.wanted.inputs))
        i, value = next((i, v) for i, v in enumerate(point, 1) if v.denominator > 1)
        self.extra.append((i, ceil(value)))
        found = self.world.literal((((i, Fraction(1)),), Fraction(-ceil(value))))
        assert isinstance(found, Literal)
        return found.atom

    # ---- which half-space next ------------------------------------------------------------------------------------

    def next(self) -> int | None:
        """An unsettled half-space on which the case depends: one that a settled one implies, else the one most like the last settled."""
        outputs = self.world.outputs(self.known)
        open_outputs = any(y is None for y in outputs)
        wanted = [a for u in self.world.units if open_outputs and isinstance(u, Literal) and (a := u.atom) not in self.known]
        if not wanted or self.known:
            wanted += [a for t in self.world.properties for a in self.open(t)]
        if not wanted:
            wanted = list(self.open(self.world.where))
        if not wanted:
            return None
        wanted = list(dict.fromkeys(wanted))
        for a in wanted:
            if self.implied(a):
                return a
        if open_outputs:
            return wanted[0]
        last = set(dict(self.world.halves[next(reversed(self.known))].normal)) if self.known else set()
        return max(wanted, key=lambda a: len(last & set(dict(self.world.halves[a].normal))))

    def open(self, t: Term) -> Iterator[int]:
        """The unsettled half-spaces on which a statement still depends."""
        if self.world.value(t, self.known) is not None:
            return
        match t:
            case Literal(atom):
                yield atom
            case Gate(parts):
                for p in parts:
                    yield from self.open(p)

    def implied(self, atom: int) -> bool:
        """Does a settled parallel half-space leave only one side?"""
        half = self.world.halves[atom]
        for other, holds in self.known.items():
            known = self.world.halves[other]
            if known.normal == half.normal:
                for side in (True, False):
                    a, b = known.side(holds, self.world.integers), half.side(side, self.world.integers)
                    if a[0][0] and a[0][0][0][1] == -b[0][0][0][1]:
                        total = a[0][1] + b[0][1]
                        if total < 0 or (total == 0 and (a[1] or b[1])):
                            return True
        return False
