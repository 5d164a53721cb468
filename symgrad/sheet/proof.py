"""How proofs are displayed: chains of equations, cases, contradictions, counterexamples, and a candidate's chain to be judged."""

from __future__ import annotations

from typing import assert_never

from symgrad.language import forms as F
from symgrad.language.claims import Cases, Counterexample, Identity, Impossible, Open
from symgrad.language.forms import Relation, Sign
from symgrad.language.problem import Prove
from symgrad.language.steps import Step
from symgrad.language.vectors import SCALAR, shape_of
from symgrad.sheet import document as D
from symgrad.sheet.notation import Notation

Proof = Identity | Impossible | Cases | Counterexample | Open


def title(s: Step, ask: object, n: Notation) -> D.Text:
    """Case x >= 1, claim 2, line 7."""
    c = s.claim
    assert isinstance(c, Proof)
    conditions = tuple(q for q in c.assume if not (isinstance(ask, Prove) and q in ask.assume))
    if conditions:
        return ("Case ", *relations(tightest(conditions), n), *((": this cannot occur",) if isinstance(c, Impossible) else ()))
    name = s.label[:1].upper() + s.label[1:]
    match c:
        case Counterexample():
            return (f"{name}: refuted",)
        case Open():
            return (f"{name}: left open",)
        case Cases():
            return (f"{name}: ", *(p for p in s.because if isinstance(p, str)))
        case Identity() | Impossible():
            return (name,)
    assert_never(c)


def relations(rows: tuple[Relation, ...], n: Notation) -> D.Text:
    """x >= 0, y < 1 and c > 0."""
    found: list[str | D.Maths] = []
    for k, q in enumerate(rows):
        found += [" and " if k == len(rows) - 1 else ", "] if k else []
        found.append(D.Maths(n.form(q)))
    return tuple(found)


def tightest(conditions: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """Without x >= -1 where x >= 1 stands too."""
    def weaker(q: Relation, p: Relation) -> bool:
        if q.left != p.left or not (q.right.is_Rational and p.right.is_Rational) or q == p:
            return False
        up = (Sign.MORE, Sign.AT_LEAST)
        down = (Sign.LESS, Sign.AT_MOST)
        if q.sign in up and p.sign in up:
            return bool(q.right < p.right or (q.right == p.right and q.sign is Sign.AT_LEAST))
        return q.sign in down and p.sign in down and bool(q.right > p.right or (q.right == p.right and q.sign is Sign.AT_MOST))

    return tuple(q for q in conditions if not any(weaker(q, p) for p in conditions))


def blocks(c: Proof, n: Notation, rows: tuple[D.Row, ...]) -> list[D.Block]:
    """What is shown of one claim; `rows` are the lines of an identity after its first."""
    match c:
        case Identity():
            return [D.Chain(D.Maths(n.form(c.lines[0].form)), rows)]
        case Cases():
            return [_equation(c, "=", n)]
        case Open():
            return [_equation(c, "=", n), D.Paragraph((f"Neither shown nor refuted: {c.reason}.",))]
        case Counterexample():
            return [_equation(c, r"\neq", n), D.Paragraph(_at_point(c, n))]
        case Impossible():
            if not c.terms:
                return [D.Paragraph(("Not all of these can hold: ", *relations(c.assume, n), "."))]
            return [D.Paragraph(("Not all of these can hold: ", *relations(c.assume, n), ". No term of the sum on the left is negative:")),
                    D.Chain(D.Maths(_weighted(c, n)), (D.Row("=", D.Maths(n.number(c.total))),))]
    assert_never(c)


def _equation(c: Cases | Open | Counterexample, relation: str, n: Notation) -> D.Chain:
    return D.Chain(D.Maths(n.tex(c.left)), (D.Row(relation, D.Maths(n.tex(c.right))),))


def _at_point(c: Counterexample, n: Notation) -> D.Text:
    """At x = 1 the left side is 0, the right side is -1."""
    found: list[str | D.Maths] = ["At "] if c.witness.values else []
    for k, (name, rows) in enumerate(n.graph.stated(*pair) for pair in c.witness.values):
        found += [", "] if k else []
        found.append(D.Maths(f"{n.name(name)} = {_grid(rows, n) if len(rows) > 1 or len(rows[0]) > 1 else n.number(rows[0][0])}"))
    if shape_of(c.left) != SCALAR:
        i, j = c.witness.entry
        found.append(f", in entry {i}," if shape_of(c.left)[1] == 1 else f", in entry ({i}, {j}),")
    for side, value in zip(("left", "right"), c.values, strict=True):
        found.append(f" the {side} side is " if side == "left" else f", the {side} side is ")
        if value is None:
            found.append("not defined")
        else:
            found += [*(["about "] if isinstance(value, F.Decimal) else []), D.Maths(n.form(value))]
    return (*found, ".")


def _grid(rows: tuple[tuple[object, ...], ...], n: Notation) -> str:
    inner = r" \\ ".join(" & ".join(n.number(x) for x in row) for row in rows)
    return rf"{{\left[\begin{{matrix}} {inner} \end{{matrix}}\right]}}"


def _weighted(c: Impossible, n: Notation) -> str:
    """2 (x - 1) + (-1 - x): every difference turned so that it is not negative."""
    terms = []
    for t in c.terms:
        multiplier, factors = t.multiplier, []
        for i in t.relations:
            q = c.assume[i - 1]
            a, b = (q.right, q.left) if q.sign in (Sign.LESS, Sign.AT_MOST) else (q.left, q.right)
            multiplier = -multiplier if q.sign in (Sign.LESS, Sign.AT_MOST) else multiplier
            factors.append(rf"\left({n.sum([n.tex(a), _minus(n, b)])}\right)" if b != 0 else n.tex(a, 2))
        shown = n.number(multiplier)
        terms.append(" ".join([*([] if multiplier == 1 else [shown]), *factors]))
    return n.sum(terms)


def _minus(n: Notation, e) -> str:  # type: ignore[no-untyped-def]
    text = n.tex(e, 1)
    return f"-{text}" if not text.startswith("-") else rf"-\left({text}\right)"


def asked(ask: Prove, n: Notation) -> D.Block:
    """The candidate's chain."""
    return D.Chain(D.Maths(n.tex(ask.steps[0])), tuple(D.Row("=", D.Maths(n.tex(e)), (f"line {k}",)) for k, e in enumerate(ask.steps[1:], 2)))


__all__ = ["Proof", "asked", "blocks", "relations", "tightest", "title"]
