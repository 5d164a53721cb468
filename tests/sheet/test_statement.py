from __future__ import annotations

import pytest

from symgrad.language.errors import SpecError
from symgrad.sheet import document as D
from symgrad.sheet.statement import blocks


def test_paragraphs_emphasis_code_and_formulas() -> None:
    found = blocks("A *soft* **hard $y$ word** `z = 1`, *a*\nline with $x_1 < 3$ and \\$5, a &lt; b.\n\nNext.")
    assert found == (
        D.Paragraph(
            (
                "A ",
                D.Emphasis("soft"),
                " ",
                D.Emphasis("hard ", True),
                D.Maths("y"),
                D.Emphasis(" word", True),
                " ",
                D.Code("z = 1"),
                ", ",
                D.Emphasis("a"),
                " line with ",
                D.Maths("x_1 < 3"),
                " and $5, a < b.",
            )
        ),
        D.Paragraph(("Next.",)),
    )


def test_display_formulas() -> None:
    assert blocks("$$\na = b\n$$") == (D.Display(D.Maths("a = b")),)
    assert blocks("so $$a$$ and") == (D.Paragraph(("so",)), D.Display(D.Maths("a")), D.Paragraph(("and",)))


def test_headings_lists_tables_and_code() -> None:
    assert blocks("# One $x$") == (D.Heading(("One ", D.Maths("x")), 3),)
    assert blocks("- a\n- b\n  1. c") == (
        D.Listing(((D.Paragraph(("a",)),), (D.Paragraph(("b",)), D.Listing(((D.Paragraph(("c",)),),), True)))),
    )
    assert blocks("| a | $b$ |\n|---|---|\n| 1 | 2 |") == (D.Table((("a",), (D.Maths("b"),)), ((("1",), ("2",)),)),)
    assert blocks("```\nx\n\ny\n```") == (D.Paragraph((D.Code("x\n\ny"),)),)


def test_an_indented_statement_is_no_code() -> None:
    assert blocks("\n    one\n    two\n") == (D.Paragraph(("one two",)),)
    assert blocks("") == ()


@pytest.mark.parametrize(
    ("markdown", "why"),
    [
        ("<b>x</b>", "raw HTML"),
        ("<script>alert(1)</script>", "raw HTML"),
        ("if a <b and c> d", "raw HTML"),
        ("![x](y.png)", "an image"),
        ("[x](http://y)", "a link"),
        ("<http://x.y>", "a link"),
        ("> q", "block quote"),
        ("a\n\n---", "a rule"),
        ("cost $x", r"write \$"),
        (r"$\input{x}$", r"\input is not admitted"),
        ("a\n\n$$\n\\write18{x}\n$$", "line 3"),
        ("one\n\n- two\n- [x](http://y)", "line 4"),
        ("x" * 100_001, "at most"),
    ],
)
def test_what_is_refused_says_so(markdown: str, why: str) -> None:
    with pytest.raises(SpecError) as caught:
        blocks(markdown)
    assert why in str(caught.value)


def test_a_reference_is_no_link() -> None:
    assert blocks("[x]: http://evil.example") == (D.Paragraph(("[x]: http://evil.example",)),)
