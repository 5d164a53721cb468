from __future__ import annotations

import json

from symgrad.sheet.json import render

from .sample import EVIL, evil, rich


def test_the_document_as_data() -> None:
    data = json.loads(render(rich()))
    assert data["format"] == 1 and data["view"] == "marking"
    assert data["title"] == "Backpropagation through a residual MLP"
    assert {b["kind"] for b in data["blocks"]} == {
        "paragraph",
        "display",
        "listing",
        "heading",
        "picture",
        "plot",
        "table",
        "steps",
        "boxed",
        "stamp",
    }
    steps = next(b for b in data["blocks"] if b["kind"] == "steps")["items"]
    assert [s["number"] for s in steps] == ["1", "2", "3"]
    assert steps[1]["details"][0]["details"][0]["number"] == "2.1.1"
    assert steps[1]["mark"] == "1" and steps[1]["stamp"]["ground"] == "refuted"
    chain = steps[0]["blocks"][0]
    assert chain["kind"] == "chain" and chain["rows"][1]["note"] == ["transposed Jacobian"]
    assert chain["left"] == r"\bar{\mathbf{x}}"


def test_it_is_deterministic_and_readable() -> None:
    assert render(rich()) == render(rich())
    assert "“quoted”" in render(rich())


def test_hostile_text_is_kept_as_it_is() -> None:
    data = json.loads(render(evil()))
    assert data["title"] == EVIL and data["blocks"][0]["text"][0] == EVIL
