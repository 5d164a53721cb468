"""Verification of `fill`: which combinations of a template give all data the sign that their label asks for.

The combinations are enumerated here, from the problem; a sign is that of an exact rational value, or of an interval with error
bounds where the value is not rational; a region is settled by Farkas multipliers on every linear piece of the function.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import assert_never

from sympy import Expr, Pow, Rational, preorder_traversal

from symgrad.check.errors import Undecided
from symgrad.check.evaluation import decimal_fits
from symgrad.check.exact import Exact, Values, fraction
from symgrad.check.points import points
from symgrad.check.scalars import Scalars
from symgrad.language import forms as F
from symgrad.language.claims import Classes, Conflict, Fits, Sieve
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.fill import Combination, Fill
from symgrad.language.functions import Call
from symgrad.language.piecewise import Row, negated, pieces
from symgrad.language.steps import Ground, Verdict

Point = tuple[Rational, ...]
Inside = tuple[tuple[int, Point], ...]


class Fills:
    """Claims about the `fill` parts of one problem; what was verified may be used by later claims."""

    def __init__(self, scalars: Scalars) -> None:
        self.scalars, self.step_at_zero = scalars, scalars.problem.conventions.step_at_zero
        self.at = Exact(self.step_at_zero)
        self.asks = {p.label: p.ask for p in scalars.problem.parts if isinstance(p.ask, Fill)}
        self.sieved: dict[str, Sieve] = {}
        self.fitting: dict[tuple[str, Combination], Expr] = {}
        self.choices: dict[object, list[list[tuple[bool, Fraction | None]]]] = {}
        self.signs: dict[object, int | None] = {}

    def verify(self, c: Sieve | Fits | Classes | Conflict) -> Verdict:
        """The verdict on one claim.  Raises Refused or Undecided."""
        match c:
            case Sieve():
                return self.sieve(c)
            case Fits():
                return self.fits(c)
            case Classes():
                return self.classes(c)
            case Conflict():
                return self.conflict(c)
        assert_never(c)

    def sieve(self, c: Sieve) -> Verdict:
        ask, data = self.ask(c.part), self.data(c.part, c.inside)
        if len(c.wrong_at) != ask.count:
            raise Refused(f"{len(c.wrong_at)} combinations are judged, there are {ask.count}")
        for combination, k in zip(ask.combinations(), c.wrong_at, strict=True):
            if not 0 <= k <= len(data):
                raise Refused(f"there is no datum {k}")
            if k and self.right(ask, combination, *data[k - 1]):
                raise Refused(f"the combination {say(ask, combination)} is right at {say_point(data[k - 1][1])}: it is not ruled out there")
        self.sieved[c.part] = c
        return Verdict(Ground.PROVED, "each at the point named, by exact evaluation", f"for all {ask.count} combinations")

    def fits(self, c: Fits) -> Verdict:
        ask = self.ask(c.part)
        self.identical(self.filled(ask, c.combination), c.function, f"the function of {say(ask, c.combination)}")
        if (len(c.values), len(c.proofs)) != (len(ask.points), len(ask.regions)) or not c.function.free_symbols <= set(ask.symbols):
            raise Refused(f"one value for each of {len(ask.points)} points and one proof for each of {len(ask.regions)} regions are needed")
        for point, value in zip(ask.points, c.values, strict=True):
            if not self.right(ask, c.combination, point.label, point.at):
                raise Refused(f"the combination {say(ask, c.combination)} is wrong at {say_point(point.at)}, labelled {point.label}")
            self.shown(c.function, dict(zip(ask.symbols, map(fraction, point.at), strict=True)), value)
        for k, (region, proof) in enumerate(zip(ask.regions, c.proofs, strict=True), 1):
            rows, found = region.rows(ask.symbols), list(pieces(c.function, ask.symbols, self.step_at_zero))
            if len(found) != len(proof):
                raise Refused(f"region {k}: the function has {len(found)} linear pieces, multipliers are given for {len(proof)}")
            for piece, multipliers in zip(found, proof, strict=True):
                require_contradiction((*rows, *piece.where, ask.wrong(region.label, piece.value)), multipliers, f"region {k}")
        self.fitting[c.part, c.combination] = c.function
        how = [f"exact evaluation at {len(ask.points)} points"] if ask.points else []
        how += ["Farkas multipliers for every linear piece on every region"] if ask.regions else []
        return Verdict(Ground.PROVED, "; ".join(how), "at all data")

    def classes(self, c: Classes) -> Verdict:
        ask = self.ask(c.part)
        left = [x for x, k in zip(ask.combinations(), self.sieve_of(c.part).wrong_at, strict=True) if not k]
        if sorted(x for group in c.classes for x in group) != left or not all(c.classes):
            raise Refused(f"the classes do not hold exactly the {len(left)} combinations that no datum rules out")
        places = [dict(zip(ask.symbols, map(fraction, p), strict=True)) for p in c.apart if len(p) == len(ask.inputs)]
        firsts: list[Expr] = []
        if len(c.proofs) != len(left) - len(c.classes):
            raise Refused(f"{len(left) - len(c.classes)} comparisons are needed, {len(c.proofs)} are given")
        proofs = iter(c.proofs)
        for group in c.classes:
            if (c.part, group[0]) not in self.fitting:
                raise Refused(f"the combination {say(ask, group[0])} was not shown to be right at all data")
            first = self.fitting[c.part, group[0]]
            for other in group[1:]:
                self.identical(first, self.filled(ask, other), f"{say(ask, group[0])} and {say(ask, other)} in one class", next(proofs))
            for before in firsts:
                if not any(self.at.sign(first - before, p) for p in places):
                    raise Refused(f"{before} and {first} are in two classes, and at none of the points given do they differ")
            firsts.append(first)
        partial = any(isinstance(e, Pow) or (isinstance(e, Call) and e.fn.name in ("log", "sqrt")) for f in firsts for e in preorder_traversal(f))
        how = ["the combinations left are these, each right at all data"]
        how += ["one normal form within a class"] if len(left) > len(firsts) else []
        how += ["classes told apart by exact values"] if len(firsts) > 1 else []
        return Verdict(Ground.PROVED, "; ".join(how), "wherever the functions are defined" if partial else "for all inputs")

    def conflict(self, c: Conflict) -> Verdict:
        ask, sieve = self.ask(c.part), self.sieve_of(c.part)
        data = self.data(c.part, sieve.inside)
        if not c.of or not all(1 <= k <= len(data) for k in c.of):
            raise Refused(f"{c.of} are not numbers of data")
        everything = range(1, len(data) + 1) if c.smallest else sorted(c.of)
        if not set(sieve.wrong_at) <= set(c.of):
            raise Refused("these data do not rule out every combination")
        if c.smallest and ask.regions or comb(len(everything), len(c.of) - 1) != len(c.spared):
            raise Refused("it is not shown for every smaller set that it does not rule out every combination")
        for group, combination in zip(combinations(everything, len(c.of) - 1), c.spared, strict=True):
            if not all(self.right(ask, combination, *data[k - 1]) for k in group):
                raise Refused(f"the combination {say(ask, combination)} is not right at all of {group}")
        return Verdict(Ground.PROVED, "for each smaller set a combination that is right at all of it", "among all data" if c.smallest else "")

    # ---- what they rest on -----------------------------------------------------------------------------------

    def ask(self, part: str) -> Fill:
        if part not in self.asks:
            raise Refused(f"part {part} has no template to fill")
        return self.asks[part]

    def sieve_of(self, part: str) -> Sieve:
        if part not in self.sieved:
            raise Refused(f"the combinations of part {part} were not judged before")
        return self.sieved[part]

    def data(self, part: str, inside: Inside) -> list[tuple[str, Point]]:
        """The points of the problem, then exact points that lie in their regions."""
        ask = self.asks[part]
        for number, place in inside:
            if not 0 <= number < len(ask.regions) or len(place) != len(ask.inputs) or not all(
                    row.holds([fraction(x) for x in place]) for row in ask.regions[number].rows(ask.symbols)):
                raise Refused(f"{say_point(place)} does not lie in region {number + 1}")
        return [*((p.label, p.at) for p in ask.points), *((ask.regions[n].label, place) for n, place in inside)]

    def filled(self, ask: Fill, combination: Combination) -> Expr:
        self.entries(ask, combination)
        return ask.template.xreplace(dict(zip((s.symbol for s in ask.slots), ask.entries(combination), strict=True)))

    def entries(self, ask: Fill, combination: Combination) -> tuple[Expr, ...]:
        if len(combination) != len(ask.slots) or not all(0 <= k < len(s.choices) for s, k in zip(ask.slots, combination, strict=True)):
            raise Refused(f"{combination} is no combination of the {len(ask.slots)} slots")
        return ask.entries(combination)

    def right(self, ask: Fill, combination: Combination, label: str, place: Point) -> bool:
        """Does f have the sign that the label asks for?  Where f is not defined, it has none."""
        values = dict(zip(ask.symbols, map(fraction, place), strict=True))
        self.entries(ask, combination)
        if (id(ask), place) not in self.choices:
            self.choices[id(ask), place] = [[self.at.defined(e, values) for e in s.choices] for s in ask.slots]
        found = [column[k] for column, k in zip(self.choices[id(ask), place], combination, strict=True)]
        if not all(defined for defined, _ in found):
            return False
        entries = tuple(x for _, x in found)
        key = (id(ask), place, entries if None not in entries else combination)
        if key not in self.signs:
            known = {s.symbol: x for s, x in zip(ask.slots, entries, strict=True) if x is not None}
            whole = len(known) == len(entries)
            self.signs[key] = self.at.sign(ask.template if whole else self.filled(ask, combination), {**values, **known})
        sign = self.signs[key]
        return sign is not None and ask.right(label, sign)

    def shown(self, function: Expr, values: Values, form: F.Form) -> None:
        """The value that is displayed: the exact one, or its correct rounding."""
        exact = self.at.value(function, values)
        match form:
            case F.Just(Rational() as x) if exact is not None and fraction(x) == exact:
                return
            case F.Decimal(x, digits) if exact is None and decimal_fits(self.at.interval(function, values), x, digits):
                return
        raise Refused(f"the value shown at {say_point(values.values())} is not that of {function}")

    def identical(self, a: Expr, b: Expr, what: str, proof: tuple[tuple[Rational, ...], ...] = ()) -> None:
        """The same function: piece by piece with all borders where it is piecewise linear, by the normal form otherwise."""
        inputs = tuple(sorted((a - b).free_symbols, key=str))
        for point in points(inputs, 12):
            if self.at.sign(a - b, {s: fraction(x) for s, x in point.items()}):
                raise Refused(f"{what}: the two differ at {', '.join(f'{s} = {x}' for s, x in point.items())}")
        try:
            found = [piece for piece in pieces(a - b, inputs, self.step_at_zero) if any(piece.value)]
        except Unsupported:
            if any(isinstance(x, Call) and x.fn.name in ("step", "sign") for x in preorder_traversal(a - b)):
                raise Undecided(f"{what}: not decided where there are jumps") from None
            self.scalars.identical(a, b, what)
            return
        if len(proof) != 2 * len(found):
            raise Refused(f"{what}: on {len(found)} linear pieces the difference is not 0 as it stands, {len(proof) // 2} are ruled out")
        for piece, above, below in zip(found, proof[::2], proof[1::2], strict=True):
            require_contradiction((*piece.where, Row(piece.value, True)), above, what)
            require_contradiction((*piece.where, Row(negated(piece.value), True)), below, what)


def require_contradiction(rows: tuple[Row, ...], multipliers: tuple[Rational, ...], what: str) -> None:
    """Raises Refused unless the weighted sum of the rows is a negative number (or 0, with a strict row in it): then no point is in all rows."""
    if len(multipliers) != len(rows) or any(m < 0 for m in multipliers):
        raise Refused(f"{what}: {len(rows)} multipliers that are not negative are needed")
    columns = zip(*(r.affine for r in rows), strict=True)
    constant, *slopes = (sum(fraction(m) * c for m, c in zip(multipliers, column, strict=True)) for column in columns)
    strict = any(m > 0 and r.strict for m, r in zip(multipliers, rows, strict=True))
    if any(slopes) or constant > 0 or (constant == 0 and not strict):
        raise Refused(f"{what}: the multipliers do not rule the wrong sign out")


def say(ask: Fill, combination: Combination) -> str:
    return f"({', '.join(map(str, ask.entries(combination)))})"


def say_point(place: Iterable[object]) -> str:
    return f"({', '.join(map(str, place))})"
