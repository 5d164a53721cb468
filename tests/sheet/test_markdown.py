from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from symgrad.sheet import document as D
from symgrad.sheet.markdown import maths, render

from .sample import FORMULAS, TWO_PATHS, evil, rich


def formulas(text: str) -> list[str]:
    """What MathJax is given: displays, then inline formulas of what is left."""
    text = re.sub(r"^( *)(`{3,}).*?^\1\2$", "", text, flags=re.MULTILINE | re.DOTALL)
    displays = re.findall(r"^\s*\$\$\n(.*?)\n\s*\$\$$", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"\$\$\n.*?\n\s*\$\$", "", text, flags=re.DOTALL)
    return displays + re.findall(r"(?<!\\)\$([^$\n]+)(?<!\\)\$", rest)


def plain_markdown(text: str) -> str:
    """HTML by a reader that knows no formulas: the hardest case."""
    return MarkdownIt("commonmark").enable("table").render(text)


@pytest.mark.parametrize(
    "tex",
    [
        *FORMULAS,
        r"a_1 * b_2 * c_3",
        r"\{x\} \, \| y \|",
        r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
        r"\text{a < b | c}",
        r"\bar{x}_{1} + \bar{y}_{2}",
    ],
)
def test_markdown_leaves_a_formula_alone(tex: str) -> None:
    import math_core

    shown = maths(tex)
    assert plain_markdown(f"${shown}$") == f"<p>${shown.replace('&', '&amp;')}$</p>\n"
    assert not re.search(r"[<>|]|\\[^A-Za-z]", shown)
    math_core.LatexToMathML().convert_with_local_state(shown.replace(r"\cr", r"\\"), displaystyle=True)


def test_every_formula_of_a_sheet_is_accepted_by_a_strict_reader() -> None:
    import math_core

    found = formulas(render(rich()))
    assert len(found) > 80
    for tex in found:
        boxed = re.sub(r"\\boxed\{(.*)\}$", r"{\1}", tex.strip(), flags=re.DOTALL)
        math_core.LatexToMathML().convert_with_local_state(boxed.replace(r"\cr", r"\\"), displaystyle=True)


def test_displays_stand_alone_between_blank_lines() -> None:
    text = render(rich())
    lines = text.split("\n")
    fences = [k for k, line in enumerate(lines) if line == "$$"]
    assert len(fences) > 10 and len(fences) % 2 == 0
    for first, last in zip(fences[::2], fences[1::2], strict=True):
        assert lines[first - 1] == "" and lines[last + 1] == ""


def test_a_chain_is_one_aligned_display_and_long_rows_are_broken() -> None:
    chain = D.Chain(D.Maths("x"), (D.Row("=", D.Maths(TWO_PATHS), ("both paths",)), D.Row(r"\approx", D.Maths("1"), ("5% of $2",))))
    text = render(D.Document("t", "solution", (chain,)))
    assert text.count(r"\begin{aligned}") == 1
    assert r"\text{both paths} \cr" in text
    assert r"& \qquad {} + \frac" in text
    assert "- Line 2: 5% of \\$2" in text


def test_hostile_text_is_text() -> None:
    page = plain_markdown(render(evil()))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 20
    assert "<em>u" not in page and "<em>s" not in page


def test_pictures_are_drawn_and_told() -> None:
    text = render(rich())
    assert "```mermaid\ngraph LR\n" in text and "n0 --> n2" in text
    assert "Computation graph: z from x, w; L from z." in text
    assert 'n0["' in render(evil()) and "<script" not in render(evil()).split("```mermaid")[1].split("```")[0]


def test_details_fold() -> None:
    text = render(rich())
    assert text.count("<details>") == text.count("</details>") == 2
    assert "</summary>\n\n" in text
