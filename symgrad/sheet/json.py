"""A document as JSON: every block an object with its `kind`, text as a list of strings and {maths | emphasis | code} objects.

Versioned, deterministic, readable by anything; to add a block, add its case.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import assert_never

from symgrad.sheet import document as D

FORMAT = 1

Data = str | int | float | bool | None | list["Data"] | dict[str, "Data"]


def render(document: D.Document) -> str:
    """The document as JSON text."""
    data: Data = {"format": FORMAT, "title": document.title, "view": document.view, "blocks": [block(b) for b in document.blocks]}
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def text(parts: D.Text) -> Data:
    """Words as strings, formulas as {"maths": TeX}."""
    found: list[Data] = []
    for part in parts:
        match part:
            case str():
                found.append(part)
            case D.Maths(tex):
                found.append({"maths": tex})
            case D.Emphasis(words, strong):
                found.append({"emphasis": words, "strong": strong})
            case D.Code(words):
                found.append({"code": words})
            case _:
                assert_never(part)
    return found


def block(b: D.Block) -> Data:
    """One block."""
    match b:
        case D.Heading(words, level, id):
            return {"kind": "heading", "text": text(words), "level": level, "id": id}
        case D.Paragraph(words):
            return {"kind": "paragraph", "text": text(words)}
        case D.Display(formula):
            return {"kind": "display", "maths": formula.tex}
        case D.Listing(items, ordered):
            return {"kind": "listing", "ordered": ordered, "items": [[block(x) for x in item] for item in items]}
        case D.Chain(left, rows):
            shown: list[Data] = [{"relation": r.relation, "right": r.right.tex, "note": text(r.note)} for r in rows]
            return {"kind": "chain", "left": left.tex, "rows": shown}
        case D.Boxed(left, relation, right):
            return {"kind": "boxed", "left": left.tex, "relation": relation, "right": right.tex}
        case D.Table(header, lines, caption):
            cells: list[Data] = [[text(c) for c in line] for line in lines]
            return {"kind": "table", "header": [text(h) for h in header], "rows": cells, "caption": text(caption)}
        case D.Picture(layout, alternative, caption):
            boxes: list[Data] = [{"name": x.name, "tex": x.tex, "plain": x.plain, "kind": x.kind, "x": x.x, "y": x.y} for x in layout.boxes]
            edges: list[Data] = [{"tail": e.tail, "head": e.head, "points": [list(p) for p in e.points]} for e in layout.edges]
            return {"kind": "picture", "alternative": alternative, "caption": text(caption), "width": layout.width, "height": layout.height,
                    "boxes": boxes, "edges": edges}
        case D.Plot(chart, alternative, caption):
            return {"kind": "plot", "alternative": alternative, "caption": text(caption), "chart": plain(asdict(chart))}
        case D.Steps(items):
            return {"kind": "steps", "items": [step(s) for s in items]}
        case D.Stamp():
            return stamp(b)
    assert_never(b)


def plain(x: object) -> Data:
    """Nested tuples and dictionaries of numbers and words."""
    match x:
        case dict():
            return {str(k): plain(v) for k, v in x.items()}
        case tuple() | list():
            return [plain(v) for v in x]
        case str() | int() | float() | None:
            return x
    raise TypeError(f"{type(x).__name__} does not travel")


def stamp(s: D.Stamp) -> Data:
    return {"kind": "stamp", "ground": s.ground, "text": text(s.text)}


def step(s: D.StepBlock) -> Data:
    """One step with its sub-steps."""
    return {
        "id": s.id, "number": s.number, "title": text(s.title), "blocks": [block(b) for b in s.blocks],
        "stamp": stamp(s.stamp) if s.stamp else None, "mark": s.mark.amount if s.mark else None, "details": [step(d) for d in s.details],
    }
