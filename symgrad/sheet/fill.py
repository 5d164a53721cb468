"""The sheets of a `fill` part: the template and its slots, the data, what each claim says, and a picture of every function found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations

from sympy import Expr, Rational

from symgrad.language import forms as F
from symgrad.language.claims import Classes, Conflict, Fits, Sieve
from symgrad.language.fill import Combination, Comparison, Fill, LabelledRegion
from symgrad.language.graph import Graph, Variable
from symgrad.language.piecewise import Row
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Step
from symgrad.sheet import document as D
from symgrad.sheet.cells import Corner, Polygon, area, cells, clip, joined
from symgrad.sheet.chart import MARKS, Area, Chart, Spot, axis
from symgrad.sheet.notation import Notation

MAX_PICTURES, MAX_LISTED = 4, 60
_RELATIONS = {"<=": r"\leq", ">=": r"\geq", "<": "<", ">": ">", "=": "="}


# ---- the question -------------------------------------------------------------------------------------------------


def question(ask: Fill, notation: Notation) -> list[D.Block]:
    """The template, the choices for every slot, the data in a table."""
    gaps = tuple(Variable(s.symbol.name, latex=rf"\underline{{(\mathrm{{{s.name}}})}}") for s in ask.slots)
    template = Notation(Graph((*notation.graph.variables, *gaps), ())).tex(ask.template)
    left = rf"{letter(notation)}\left({', '.join(map(notation.name, ask.inputs))}\right)"
    found: list[D.Block] = [D.Chain(D.Maths(left), (D.Row("=", D.Maths(template)),))]
    slots = tuple(((f"({s.name})",), separated(D.Maths(notation.tex(e)) for e in s.choices)) for s in ask.slots)
    found.append(D.Table((("Slot",), ("Choices",)), slots))
    rows = []
    for label in ask.labels:
        points = [D.Maths(place(p.at, notation)) for p in ask.points if p.label == label]
        regions = [D.Maths(region_tex(r, notation)) for r in ask.regions if r.label == label]
        text = (*separated(points), *(("; " if points else "", *separated(regions, "; ")) if regions else ()))
        if points or regions:
            rows.append(((label,), tuple(t for t in text if t), (D.Maths(asked(ask, label, notation)),)))
    found.append(D.Table((("Label",), ("Data",), ("Wanted",)), tuple(rows)))
    return found


def letter(notation: Notation) -> str:
    """What the function is called: f, unless the problem uses it."""
    return next((x for x in ("f", "F", "g", "G") if x not in notation.graph), "f")


def separated(parts: Iterable[D.Maths], between: str = ", ") -> D.Text:
    found: list[str | D.Maths] = []
    for part in parts:
        found += [between, part] if found else [part]
    return tuple(found)


def place(at: Sequence[Rational], notation: Notation) -> str:
    return rf"\left({', '.join(map(notation.number, at))}\right)" if len(at) != 1 else notation.number(at[0])


def region_tex(region: LabelledRegion, notation: Notation) -> str:
    def one(c: Comparison) -> str:
        return f"{notation.tex(c.left)} {_RELATIONS[c.relation]} {notation.tex(c.right)}"

    return r" \land ".join(map(one, region.where))


def asked(ask: Fill, label: str, notation: Notation) -> str:
    return f"{letter(notation)} {_RELATIONS[ask.asked(label)]} 0"


# ---- claims ---------------------------------------------------------------------------------------------------------


def claim_blocks(ask: Fill, step: Step, n: Notation) -> list[D.Block]:
    """What one claim shows."""
    c = step.claim
    match c:
        case Sieve(_, inside, wrong_at):
            return [sieve_table(ask, inside, wrong_at, n)]
        case Fits(_, _, function, values):
            left = rf"{letter(n)}\left({', '.join(map(n.name, ask.inputs))}\right)"
            rows = tuple(((D.Maths(place(p.at, n)),), (p.label,), (D.Maths(shown(value, n)),), (D.Maths(asked(ask, p.label, n)),))
                         for p, value in zip(ask.points, values, strict=True))
            found: list[D.Block] = [D.Chain(D.Maths(left), (D.Row("=", D.Maths(n.tex(function))),))]
            if rows:
                found.append(D.Table((("Point",), ("Label",), ("Value of ", D.Maths(letter(n))), ("Wanted",)), rows))
            found += [region_line(ask, r, proof, n) for r, proof in zip(ask.regions, c.proofs, strict=True)]
            return found
        case Classes(_, classes, apart):
            return class_blocks(ask, classes, apart, n)
        case Conflict(_, of, smallest, spared):
            inside = next((p.claim.inside for p in step.premises if isinstance(p.claim, Sieve)), ())
            return conflict_blocks(ask, data(ask, inside, n), of, smallest, spared, n)
    raise TypeError(f"{type(c).__name__} is not about a template")


def shown(value: F.Form, n: Notation) -> str:
    return (r"\approx " if isinstance(value, F.Decimal) else "") + n.form(value)


def entries(ask: Fill, combination: Combination, n: Notation) -> tuple[D.Text, ...]:
    return tuple((D.Maths(n.tex(e)),) for e in ask.entries(combination))


def data(ask: Fill, inside: Sequence[tuple[int, Sequence[Rational]]], n: Notation) -> list[tuple[D.Text, str]]:
    """Every datum with its label, numbered as in the claims from 1: the points, then points of regions."""
    found: list[tuple[D.Text, str]] = [((D.Maths(place(p.at, n)),), p.label) for p in ask.points]
    for k, at in inside:
        region = f" in region {k + 1}" if len(ask.regions) > 1 else " in the region"
        found.append(((D.Maths(place(at, n)), region), ask.regions[k].label))
    return found


def sieve_table(ask: Fill, inside: Sequence[tuple[int, Sequence[Rational]]], wrong_at: Sequence[int], n: Notation) -> D.Table:
    """What each datum rules out of what the data above it have left."""
    left = ask.count
    rows = []
    for k, (where, label) in enumerate(data(ask, inside, n), 1):
        out = wrong_at.count(k)
        if out:
            left -= out
            rows.append((where, (label,), (D.Maths(asked(ask, label, n)),), (str(out),), (str(left),)))
    return D.Table((("At",), ("Label",), ("Wanted",), ("Ruled out here",), ("Left",)), tuple(rows))


def region_line(ask: Fill, region: LabelledRegion, proof: Sequence[Sequence[Rational]], n: Notation) -> D.Paragraph:
    pieces = f"on each of the {len(proof)} linear pieces of {letter(n)}" if len(proof) > 1 else f"{letter(n)} is linear"
    return D.Paragraph(("Wherever ", D.Maths(region_tex(region, n)), f" ({region.label}): ", D.Maths(asked(ask, region.label, n)),
                        f", {pieces}: the opposite contradicts the inequalities of the region."))


def class_blocks(ask: Fill, classes: Sequence[Sequence[Combination]], apart: Sequence[Sequence[Rational]], n: Notation) -> list[D.Block]:
    """The valid combinations, those of one function together."""
    rows = tuple(((str(k),), *entries(ask, member, n)) for k, group in enumerate(classes, 1) for member in group[:MAX_LISTED])
    found: list[D.Block] = [D.Table((("Function",), *((f"({s.name})",) for s in ask.slots)), rows)]
    more = sum(max(len(group) - MAX_LISTED, 0) for group in classes)
    if more:
        found.append(D.Paragraph((f"{more} more combinations give the same functions; the certificate lists all.",)))
    if apart:
        found.append(D.Paragraph(("Any two of the functions differ at one of ", *separated(D.Maths(place(p, n)) for p in apart), ".")))
    return found


def conflict_blocks(ask: Fill, known: Sequence[tuple[D.Text, str]], of: Sequence[int], smallest: bool, spared: Sequence[Combination],
                    n: Notation) -> list[D.Block]:
    """For each datum of the conflict a combination that is right at the others."""
    if len(of) == 1:
        return [D.Paragraph(("No combination has the wanted sign at this one.",))]
    every = list(combinations(range(1, len(ask.points) + 1) if smallest else sorted(of), len(of) - 1))
    by_set = dict(zip(every, spared, strict=True))
    rows = []
    for k in of:
        rest = tuple(x for x in sorted(of) if x != k)
        rows.append(((*known[k - 1][0], f" {known[k - 1][1]}"), *entries(ask, by_set[rest], n)))
    head: tuple[D.Text, ...] = (("Left out",), *((f"({s.name})",) for s in ask.slots))
    found: list[D.Block] = [D.Table(head, tuple(rows), ("With one of the data left out, this combination is right at the others:",))]
    if smallest and len(every) > len(of):
        found.append(D.Paragraph((f"The certificate has such a combination for each of the {len(every)} sets of {len(of) - 1} data.",)))
    return found


# ---- pictures ---------------------------------------------------------------------------------------------------------


def data_picture(problem: Problem, ask: Fill, notation: Notation) -> list[D.Block]:
    """The data alone, for two inputs."""
    return [_plot(problem, ask, notation, None, (), ("The data",))] if len(ask.inputs) == 2 else []


def pictures(problem: Problem, ask: Fill, derivation: Derivation, notation: Notation) -> list[D.Block]:
    """One for every function found, at most `MAX_PICTURES`; the data with the conflict ringed where there is none."""
    if len(ask.inputs) != 2:
        return []
    claims = [s.claim for s in derivation.steps]
    found = [c.function for c in claims if isinstance(c, Fits)]
    plots: list[D.Block] = []
    for k, function in enumerate(found[:MAX_PICTURES], 1):
        name = letter(notation) + (f"_{{{k}}}" if len(found) > 1 else "")
        caption = (D.Maths(rf"{name} = {notation.tex(function)}"),)
        plots.append(_plot(problem, ask, notation, function, (), caption))
    if len(found) > MAX_PICTURES:
        plots.append(D.Paragraph((f"The other {len(found) - MAX_PICTURES} functions are not drawn.",)))
    for c in claims:
        if isinstance(c, Conflict):
            ringed = tuple(k for k in c.of if k <= len(ask.points))
            plots.append(_plot(problem, ask, notation, None, ringed, ("The data; those in conflict are ringed",)))
    return plots


def _plot(problem: Problem, ask: Fill, notation: Notation, function: Expr | None, ringed: Sequence[int], caption: D.Text) -> D.Plot:
    inputs = ask.symbols
    regions = [r.rows(inputs) for r in ask.regions]
    seen: list[Corner] = [(_fraction(p.at[0]), _fraction(p.at[1])) for p in ask.points]
    seen += [c for rows in regions for c in _corners(rows)]
    seen = seen or [(Fraction(0), Fraction(0))]
    room = Fraction(1, 3 if regions else 8)
    across, up = (axis(notation.name(name), name, [p[k] for p in seen], room) for k, name in enumerate(ask.inputs))
    low, high = (Fraction(across.low), Fraction(up.low)), (Fraction(across.high), Fraction(up.high))
    window: Polygon = (low, (high[0], low[1]), high, (low[0], high[1]))
    marks = {label: MARKS[min(k, len(MARKS) - 1)] for k, label in enumerate(ask.labels)}
    areas = []
    for region, rows in zip(ask.regions, regions, strict=True):
        polygon = window
        for row in rows:
            polygon = clip(polygon, row.affine)
        if len(polygon) > 2:
            areas.append(Area(tuple(map(_float, polygon)), _float(_middle(polygon)), marks[region.label]))
    spots = tuple(Spot(_float(at), marks[p.label], k in ringed) for k, (p, at) in enumerate(zip(ask.points, seen, strict=False), 1))
    legend = tuple((marks[label], label) for label in ask.labels)
    words = [f"{label} at {', '.join(say(p.at) for p in ask.points if p.label == label)}" for label in ask.labels
             if any(p.label == label for p in ask.points)]
    words += [f"region {k} labelled {r.label}" for k, r in enumerate(ask.regions, 1)]
    if ringed:
        words.append(f"ringed: {', '.join(say(ask.points[k - 1].at) for k in ringed)}")
    if function is None:
        return D.Plot(Chart(across, up, spots, legend, tuple(areas)), f"Plot of the data: {'; '.join(words)}.", caption)
    drawn = cells(function, (inputs[0], inputs[1]), window, ask.strict, problem.conventions.step_at_zero)
    chart = Chart(across, up, spots, legend, tuple(areas), tuple(tuple(map(_float, p)) for p in drawn.positive if area(p)),
                  tuple(tuple(map(_float, line)) for line in joined(drawn.border)), ask.strict)
    how = "" if drawn.exact else " The border is drawn from the signs on a grid."
    sign = "positive" if ask.strict else "not negative"
    alternative = f"Plot of the data and of where the function is {sign}, shaded: {'; '.join(words)}.{how}"
    return D.Plot(chart, alternative, caption if drawn.exact else (*caption, ", drawn from its signs on a grid"))


def _corners(rows: Sequence[Row]) -> list[Corner]:
    """The corners of a region in the plane, and one point of each border line."""
    found: list[Corner] = []
    for (c, a, b), (f, d, e) in combinations([r.affine for r in rows], 2):
        det = a * e - b * d
        if det:
            corner = ((b * f - c * e) / det, (c * d - a * f) / det)
            if all(Row(r.affine).holds(corner) for r in rows):
                found.append(corner)
    for c, a, b in (r.affine for r in rows):
        if a or b:
            found.append((-c * a / (a * a + b * b), -c * b / (a * a + b * b)))
    return found


def _middle(polygon: Polygon) -> Corner:
    return sum((p[0] for p in polygon), Fraction(0)) / len(polygon), sum((p[1] for p in polygon), Fraction(0)) / len(polygon)


def _fraction(x: Rational) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _float(p: Corner) -> tuple[float, float]:
    return float(p[0]), float(p[1])


def say(at: Sequence[Rational]) -> str:
    return f"({', '.join(map(str, at))})"
