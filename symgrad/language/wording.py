"""Properties of threshold networks as text: one function, and a style (plain words, TeX) that says how its pieces look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from sympy import Rational

from symgrad.language.arrangement import Form, rational
from symgrad.language.threshold import FALSE, MIRRORED, TRUE, Affine, All, Compare, Count, Formula, Not, Relation, Some, affine

RISING, FALLING = {Relation.LT, Relation.LE, Relation.EQ}, {Relation.GT, Relation.GE, Relation.EQ}
LONG = 8
"""A regular list of more pieces than this is written with dots."""


@dataclass(frozen=True, slots=True)
class Style:
    """How names, numbers, relations and words are written; `boolean`: an input stands for the statement that it is 1."""

    name: Callable[[int], str]
    boolean: bool = False
    number: Callable[[Rational], str] = str
    relation: Callable[[Relation], str] = lambda r: r.value
    word: Callable[[str], str] = lambda w: w
    dots: str = "..."
    times: str = "*"


def plain(inputs: Sequence[str], boolean: bool = False) -> Style:
    """Words as in a problem file."""
    return Style(lambda i: inputs[i - 1], boolean)


def spell_affine(a: Affine, style: Style) -> str:
    """2*x1 - x2 + 1."""
    pieces: list[tuple[str, str]] = []
    for i, c in a.terms:
        size = "" if abs(c) == 1 else style.number(abs(c)) + style.times
        pieces.append(("-" if c < 0 else "+", size + style.name(i)))
    places = [i for i, _ in a.terms]
    if len(places) > LONG and len({c for _, c in a.terms}) == 1 and places == list(range(places[0], places[-1] + 1)):
        pieces[2:-1] = [(pieces[0][0], style.dots)]
    if a.constant != 0 or not pieces:
        pieces.append(("-" if a.constant < 0 else "+", style.number(abs(a.constant))))
    text = " ".join(f"{sign} {piece}" for sign, piece in pieces)
    return text[2:] if text.startswith("+ ") else f"-{text[2:]}"


def spell(f: Formula, style: Style, level: int = 0) -> str:
    """The formula; `level`: 0 stands alone, 1 a part of 'or', 2 of 'and', 3 of 'not'; what binds looser gets parentheses."""
    text, binds = _spell(f, style)
    return f"({text})" if binds < level else text


def _spell(f: Formula, style: Style) -> tuple[str, int]:
    w = style.word
    match f:
        case Compare(left, relation, right):
            if style.boolean and len(left.terms) == 1 and left.constant == 0 and left.terms[0][1] == 1 and right == Affine((), Rational(1)):
                name = style.name(left.terms[0][0])
                if relation in (Relation.EQ, Relation.GE):
                    return name, 4
                if relation in (Relation.NE, Relation.LT):
                    return f"{w('not')} {name}", 3
            return f"{spell_affine(left, style)} {style.relation(relation)} {spell_affine(right, style)}", 3
        case Not(part):
            return f"{w('not')} {spell(part, style, 4)}", 3
        case All(()):
            return w("true"), 4
        case Some(()):
            return w("false"), 4
        case All(parts):
            pieces = [chain(run, style) if len(run) > 1 else spell(run[0], style, 2 if len(parts) > 1 else 0) for run in runs(parts)]
            if len(pieces) == len(parts):
                pieces = dotted(pieces, parts, style.dots)
            return f" {w('and')} ".join(pieces), 2 if len(pieces) > 1 else 3
        case Some(parts):
            return f" {w('or')} ".join(dotted([spell(p, style, 2) for p in parts], parts, style.dots)), 1 if len(parts) > 1 else 2
        case Count(parts, counts):
            n = len(parts)
            if n == 2 and counts in ((1,), (0, 2)):
                return f" {w('xor' if counts == (1,) else 'iff')} ".join(spell(p, style, 2 if counts == (1,) else 1) for p in parts), 0
            items = [spell(p, style, 3) for p in parts]
            listed = ", ".join(dotted(items, parts, style.dots))
            listed = f"({listed})" if any(i.startswith("(") for i in items) else listed
            return f"{w(f'{how_many(n, counts)} of')} {listed}", 0


def how_many(n: int, counts: tuple[int, ...]) -> str:
    """'exactly 2', 'at least 3', 'an odd number'."""
    if counts == (0,):
        return "none"
    if len(counts) == 1:
        return f"exactly {counts[0]}"
    if counts == tuple(range(1, n + 1, 2)):
        return "an odd number"
    if counts == tuple(range(0, n + 1, 2)):
        return "an even number"
    if counts == tuple(range(counts[0] if counts else 0, n + 1)):
        return f"at least {counts[0]}"
    if counts == tuple(range(len(counts))):
        return f"at most {counts[-1]}"
    return "exactly " + " or ".join(map(str, counts)) if counts else "no number"


def runs(parts: tuple[Formula, ...]) -> list[tuple[Formula, ...]]:
    """Neighbouring comparisons that make a chain a > b > c, taken together."""
    found: list[list[Formula]] = []
    for p in parts:
        last = found[-1][-1] if found else None
        if isinstance(p, Compare) and isinstance(last, Compare) and p.left == last.right and p.left.terms and any(
                {p.relation, *(q.relation for q in found[-1] if isinstance(q, Compare))} <= way for way in (RISING, FALLING)):
            found[-1].append(p)
        else:
            found.append([p])
    return [tuple(run) for run in found]


def chain(run: tuple[Formula, ...], style: Style) -> str:
    """a > b > c, with dots where it is long and regular."""
    compares = [c for c in run if isinstance(c, Compare)]
    relations = [style.relation(c.relation) for c in compares]
    sides = [spell_affine(c, style) for c in (compares[0].left, *(c.right for c in compares))]
    if len(sides) > LONG and len(set(relations)) == 1 and regular(run):
        sides, relations = [*sides[:2], style.dots, sides[-1]], relations[:3]
    return sides[0] + "".join(f" {r} {s}" for r, s in zip(relations, sides[1:], strict=True))


def dotted(pieces: list[str], parts: tuple[Formula, ...], dots: str) -> list[str]:
    """A long regular list with its middle left out."""
    return [*pieces[:2], dots, pieces[-1]] if len(pieces) > LONG and regular(parts) else pieces


def regular(parts: tuple[Formula, ...]) -> bool:
    """Is every part the first one with its inputs moved on by the same step?"""
    def indices(f: Formula) -> list[int]:
        match f:
            case Compare(left, _, right):
                return [i for i, _ in (*left.terms, *right.terms)]
            case Not(part):
                return indices(part)
        return [i for p in f.parts for i in indices(p)]

    places = [indices(p) for p in parts[:2]]
    if len(places) < 2 or len(places[0]) != len(places[1]) or not places[0]:
        return False
    step = places[1][0] - places[0][0]
    return all(p == shifted(parts[0], k * step) for k, p in enumerate(parts))


def against_zero(form: Form, strict: bool) -> Compare | All | Some:
    """form >= 0 (or > 0) with positive coefficients on both sides: -x1 + x2 >= 0 is x1 <= x2, 2 x1 - 3 >= 0 is x1 >= 3/2."""
    terms, constant = dict(form[0]), form[1]
    relation = Relation.GT if strict else Relation.GE
    if not terms:
        return TRUE if constant > 0 or (constant == 0 and not strict) else FALSE
    sizes = {abs(w) for w in terms.values()}
    scale = 1 / sizes.pop() if len(sizes) == 1 else Fraction(lcm(*(w.denominator for w in (*terms.values(), constant))))
    left = {i: w * scale for i, w in terms.items() if w > 0}
    right = {i: -w * scale for i, w in terms.items() if w < 0}
    rest = -constant * scale
    if not left or (right and min(right) < min(left)):
        left, right, rest, relation = right, left, -rest, MIRRORED[relation]
    moved = -rest if right and rest < 0 else Fraction(0)  # a constant stands on the side on which it is positive
    return Compare(_form(left, moved), relation, _form(right, Fraction(0) if moved else rest))


def _form(terms: dict[int, Fraction], constant: Fraction) -> Affine:
    return affine({i: rational(w) for i, w in terms.items()}, rational(constant))


def shifted(f: Formula, by: int) -> Formula:
    """The formula with every input x_i replaced by x_(i + by)."""
    match f:
        case Compare(left, relation, right):
            return Compare(move(left, by), relation, move(right, by))
        case Not(part):
            return Not(shifted(part, by))
        case All(parts):
            return All(tuple(shifted(p, by) for p in parts))
        case Some(parts):
            return Some(tuple(shifted(p, by) for p in parts))
        case Count(parts, counts):
            return Count(tuple(shifted(p, by) for p in parts), counts)


def move(a: Affine, by: int) -> Affine:
    """The form with every input x_i replaced by x_(i + by)."""
    return Affine(tuple((i + by, c) for i, c in a.terms), a.constant)
