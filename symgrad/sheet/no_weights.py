"""The proof that no weights exist, on a sheet: inputs, suppositions, and the unit that cannot do what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from sympy import Rational

from symgrad.language.arrangement import fraction
from symgrad.language.claims import Unrealizable
from symgrad.language.sums import truth
from symgrad.language.threshold import (
    Borders,
    Compare,
    Domain,
    ForcedBorders,
    Inseparable,
    OutOfRange,
    Point,
    Relation,
    Suppose,
    Swapped,
    Wanted,
    WeightCases,
    atoms,
)
from symgrad.language.wording import spell
from symgrad.sheet import document as D
from symgrad.sheet import networks as N

MAX_ROWS = 32


def blocks(c: Unrealizable, closed: bool) -> list[D.Block]:
    """The proof that no weights exist."""
    match c.proof:
        case Borders(points):
            return borders(c, c.wanted, points)
        case ForcedBorders(points):
            return forced(c, c.wanted, c.proof)
        case WeightCases():
            return weight_cases(c, c.wanted, c.proof, closed)
    assert_never(c.proof)


def border_table(wanted: Wanted, points: Sequence[tuple[Rational, ...]]) -> D.Table:
    """A border of the property for every row."""
    rows: list[tuple[D.Text, ...]] = []
    for p in points:
        for a in (a for f in wanted.properties for a in atoms(f)):
            form = a.left, a.right
            values = [sum((fraction(w) * fraction(p[i - 1]) for i, w in s.terms), fraction(s.constant)) for s in form]
            if values[0] == values[1]:
                edge = spell(Compare(a.left, Relation.EQ, a.right), N.of_inputs(wanted.inputs, Domain.REALS))
                rows.append(((D.Maths(edge),), (D.Maths(N.numbers(p)),)))
                break
    return D.Table((("Border",), ("Point",)), tuple(rows[k] if k is not None else (("…",), ("…",)) for k in N.excerpt(len(rows))))


def why_borders(room: int, count: int) -> D.Paragraph:
    return D.Paragraph((
        f"The output can change only where a unit of the first layer changes, on the border of one of {room} half-spaces. But the property "
        f"changes on {count} different borders. Each point of the table lies on one of them and on no other; on one side of it, or on the "
        "border itself, the property is not what it is on the other side, and so it is all around the point along the border. Other borders "
        "meet this one in a thinner set and cannot cover that piece of it: some unit must have just this border.",))


def borders(c: Unrealizable, wanted: Wanted, points: Sequence[tuple[Rational, ...]]) -> list[D.Block]:
    """More borders than units."""
    room, count = c.architecture.layers[1], len(points)
    units = "is only 1 unit" if room == 1 else f"are only {room} units"
    return [why_borders(room, count), border_table(wanted, points), D.Paragraph((f"{count} borders need {count} units; there {units}.",))]


def forced(c: Unrealizable, wanted: Wanted, proof: ForcedBorders) -> list[D.Block]:
    """As many borders as units; then the output unit cannot do with the sides what it should."""
    count = len(proof.points)
    asked = [truth(wanted.properties[proof.unit], Point(p)) for p in proof.apart]
    rows = [((D.Maths(letter(k)),), (D.Maths(N.numbers(p)),), (str(int(a)),), (N.tex_number(by),))
            for k, (p, a, by) in enumerate(zip(proof.apart, asked, proof.multipliers, strict=True))]
    up, down = (" + ".join(times(by, k) for k, (by, a) in enumerate(zip(proof.multipliers, asked, strict=True)) if a is side)
                for side in (True, False))
    return [
        why_borders(count, count), border_table(wanted, proof.points),
        D.Paragraph((
            f"So the {count} units have these {count} borders, one each. At an input off the borders a unit says on which side it lies (or on which "
            "not), and nothing else about the input reaches the output. The sides of these inputs, taken together, are the same for those with "
            "output 1 and for those with output 0:",)),
        D.Table((("",), (D.Maths(N.inputs_tex(wanted.inputs)),), ("Output asked for",), ("Times",)), tuple(rows)),
        D.Paragraph((
            "For the output unit ", D.Maths(rf"{up} = {down}"), " whatever its weights; but the left side must not be negative, the right side not "
            "positive, and they must not both be zero."))]


def weight_cases(c: Unrealizable, wanted: Wanted, proof: WeightCases, closed: bool) -> list[D.Block]:
    """The inputs with what the property asks; then each case with the unit that cannot do what it should."""
    table = Tale(c, wanted, proof, closed)
    letters: list[tuple[D.Text, ...]] = []
    for k, p in enumerate(proof.points):
        says = ", ".join(str(int(truth(f, p))) for f in wanted.properties)
        where: D.Text = (D.Maths(N.numbers(p.at)),)
        if p.toward:
            where = (*where, ", and all points near it in the direction ", D.Maths(N.numbers(p.toward)))
        letters.append(((D.Maths(letter(k)),), where, (says,)))
    found: list[D.Block] = [D.Table((("",), (D.Maths(N.inputs_tex(wanted.inputs)),), ("Output asked for",)), tuple(letters))]
    rows = table.rows()
    if len(rows) == 1 and isinstance(proof.branches[0], Inseparable):
        return [*found, *table.one(proof.branches[0])]
    if len(rows) > MAX_ROWS:
        rows = [*rows[:MAX_ROWS // 2], (("…",), (f"{len(rows) - MAX_ROWS // 2 - 1} more cases, each closed in the same way",)), rows[-1]]
    found.append(D.Paragraph(("Each hidden unit fires at an input or it does not. In every case some unit cannot do what is asked of it:",)))
    found.append(D.Table((("Supposed",), ("Why it cannot be",)), tuple(rows)))
    return found


def letter(k: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[k] if k < 26 else f"P_{{{k + 1}}}"


def times(by: Rational, point: int) -> str:
    """2 z(A)."""
    return rf"{'' if by == 1 else N.tex_number(by)} z({letter(point)})".strip()


class Tale:
    """The cases of a tree of suppositions in words."""

    def __init__(self, c: Unrealizable, wanted: Wanted, proof: WeightCases, closed: bool) -> None:
        self.c, self.wanted, self.proof, self.closed = c, wanted, proof, closed
        self.layers = c.architecture.layers
        self.last = len(self.layers) - 2

    def unit(self, layer: int, unit: int) -> str:
        if layer == self.last:
            return N.output(unit + 1, self.layers[-1])
        return N.hidden(layer + 1, len(self.layers) - 1).name(unit + 1)

    def rows(self) -> list[tuple[D.Text, ...]]:
        found: list[tuple[D.Text, ...]] = []
        path: list[tuple[Suppose, bool]] = []
        for branch in self.proof.branches:
            if isinstance(branch, Suppose):
                path.append((branch, True))
                continue
            supposed = ",\\; ".join(rf"{self.unit(s.layer, s.unit)}({letter(s.point)}) = {int(f)}" for s, f in path)
            found.append(((D.Maths(supposed),) if path else ("always",), self.why(branch, path)))
            while path and not path[-1][1]:
                path.pop()
            if path:
                path[-1] = (path[-1][0], False)
        return found

    def why(self, branch: Any, path: Sequence[tuple[Suppose, bool]]) -> D.Text:
        match branch:
            case Inseparable(layer, unit, multipliers):
                known = {(s.layer, s.unit, s.point): fires for s, fires in path}
                fires = [self.asked(unit, p) if layer == self.last else known.get((layer, unit, p)) for p, _ in multipliers]
                return (D.Maths(self.unit(layer, unit)), ": ", *self.reason(layer, multipliers, fires))
            case OutOfRange(layer, unit):
                return (D.Maths(self.unit(layer, unit)), " cannot do this with whole weights in the range: all were tried")
            case Swapped(layer, unit, _):
                a, b = (D.Maths(self.unit(layer, u)) for u in (unit, unit + 1))
                return ("the same with ", a, " and ", b, " exchanged is treated above")
        return ()

    def reason(self, layer: int, multipliers: Sequence[tuple[int, Rational]], fires: Sequence[bool | None]) -> D.Text:
        """Two sums of pre-activations that are one form in the weights, one of which must be negative and the other not."""
        if layer == self.last > 0 and len(multipliers) == 2:
            a, b = (letter(p) for p, _ in multipliers)
            return ("fed the same at ", D.Maths(a), " and at ", D.Maths(b), ", where it should differ")
        if None in fires or not self.free():
            return ("its inequalities at ", D.Maths(", ".join(letter(p) for p, _ in multipliers)), ", added up, leave no allowed weights")
        up, down = (" + ".join(times(by, p) for (p, by), f in zip(multipliers, fires, strict=True) if f is side) for side in (True, False))
        return (D.Maths(rf"{up} = {down}"), " for all weights, but the left side must not be negative, the right side not positive, nor both zero")

    def asked(self, unit: int, point: int) -> bool:
        return truth(self.wanted.properties[unit], self.proof.points[point])

    def free(self) -> bool:
        """Are all weights unrestricted?"""
        return not self.c.architecture.given and self.c.architecture.weights is None is self.c.architecture.biases

    def one(self, branch: Inseparable) -> list[D.Block]:
        """The inequalities of a single unit, their multipliers and their sum."""
        layer, fed_by = branch.layer, self.layers[branch.layer]
        if layer > 0:
            asked = [self.asked(branch.unit, p) for p, _ in branch.multipliers]
            return [D.Paragraph((D.Maths(self.unit(layer, branch.unit)), ": ", *self.reason(layer, branch.multipliers, asked), "."))]
        names = N.tex_style([f"w_{{{i}}}" for i in range(1, fed_by + 1)] + ["b"])
        rows: list[tuple[D.Text, ...]] = []
        plus: list[str] = []
        minus: list[str] = []
        for k, by in branch.multipliers:
            p = self.proof.points[k]
            fires = truth(self.wanted.properties[branch.unit], p)
            z = N.pre_activation([*p.at, Rational(1)], Rational(0), names)
            relation = {(True, True): r"\geq", (True, False): ">", (False, True): "<", (False, False): r"\leq"}[fires, self.closed]
            if p.toward:
                relation = r"\geq" if fires else r"\leq"
            rows.append(((D.Maths(letter(k)),), (D.Maths(rf"{z} {relation} 0"), *((" (in the limit)",) if p.toward else ())), (N.tex_number(by),)))
            (plus if fires else minus).append(times(by, k))
        found: list[D.Block] = [D.Table((("Input",), ("What the unit must satisfy",), ("Times",)), tuple(rows))]
        if plus and minus and self.free():
            found.append(D.Paragraph((
                "The sums ", D.Maths(" + ".join(plus)), " and ", D.Maths(" + ".join(minus)), " are the same form in the weights. The first must not "
                "be negative, the second not positive, and they must not both be zero: no weights do that.")))
        else:
            found.append(D.Paragraph(("Added up with these factors, the inequalities cannot hold for any allowed weights.",)))
        return found
