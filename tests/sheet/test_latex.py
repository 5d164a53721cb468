from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from symgrad.sheet import document as D
from symgrad.sheet import symbols as S
from symgrad.sheet.latex import _shares, canonical, render

from .sample import FORMULAS, NUMBERS, TWO_PATHS, evil, rich

TROUBLE = re.compile(r"[Ww]arning|Overfull|Underfull|^!|Missing character|Undefined", re.MULTILINE)
ENGINES = ("pdflatex", "lualatex")


def symbols() -> D.Document:
    """Every admitted symbol, accent and face, in a formula."""
    every = [rf"a {s} b" for s in sorted(S.SYMBOLS)] + [rf"{a}{{x}}" for a in sorted(S.ACCENTS | S.FACES - {r"\mathbb", r"\mathcal"})]
    every += [
        r"\mathbb{R}",
        r"\mathcal{L}",
        r"\mathbf{\sigma}",
        r"\binom{n}{k}",
        r"\xrightarrow[a]{b}",
        r"\textcolor{teal}{x}",
        r"\operatorname*{argmax}_{x}",
        "α ≤ β",
    ]
    every += [rf"\begin{{{e}}}{'{l}' if e == 'array' else ''} a \\ b \end{{{e}}}" for e in sorted(S.ENVIRONMENTS)]
    text = tuple(part for tex in every for part in (D.Maths(tex), " "))
    return D.Document("Symbols", "question", (D.Paragraph(text), D.Paragraph(("".join(sorted(S.COMMANDS)) + " äöüßéñçłŞ “–—…” 中",))))


def awkward() -> D.Document:
    """What is too wide: one fraction, one matrix, one word, many columns, deep details, long notes."""
    long = " + ".join(f"x_{{{k}}}" for k in range(60))
    matrix = r"\begin{matrix} " + " & ".join(rf"\frac{{\partial L}}{{\partial w_{{{k}}}}}" for k in range(40)) + r" \end{matrix}"
    deep = D.StepBlock("d9", "1.1.1.1.1.1.1.1.1", ("deep",), (D.Chain(D.Maths("x"), (D.Row("=", D.Maths(TWO_PATHS), ("a note " * 30,)),)),))
    for k in range(8, 0, -1):
        deep = D.StepBlock(f"d{k}", ".".join("1" * k), ("deep",), (D.Display(D.Maths(NUMBERS)),), None, None, (deep,))
    listing: D.Block = D.Paragraph(("innermost",))
    for _ in range(9):
        listing = D.Listing(((D.Paragraph(("item",)), listing),), True)
    cells = tuple((D.Maths(NUMBERS), " words ") for _ in range(7))
    return D.Document(
        "A title that is long enough to need a second line on the page, with " + "words " * 12,
        "solution",
        (
            D.Display(D.Maths(rf"\frac{{{long}}}{{2}}")),
            D.Display(D.Maths(matrix)),
            D.Paragraph(("In text: ", D.Maths(rf"\frac{{{long}}}{{2}}"), " and ", D.Maths(matrix), ".")),
            D.Chain(D.Maths(rf"\sqrt{{{long}}}"), (D.Row("=", D.Maths(matrix), (D.Maths(TWO_PATHS), " in a note")),)),
            D.Boxed(D.Maths("x"), "=", D.Maths(matrix)),
            D.Table(tuple(("head",) for _ in cells), (cells, cells)),
            D.Table((), ((("x" * 30, D.Maths(matrix)),),)),
            D.Steps((deep,)),
            listing,
            D.Stamp("proved", ("for all " * 40, D.Maths(NUMBERS))),
            D.Heading(("Heading ", D.Maths(rf"\frac{{{long}}}{{2}}"))),
            D.Chain(D.Maths("x"), ()),
            D.Table((), ()),
        ),
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("document", [rich, evil, symbols, awkward], ids=lambda f: f.__name__)
def test_it_compiles_in_one_run_without_a_warning(
    tool: Callable[[str], str], tmp_path: Path, engine: str, document: Callable[[], D.Document]
) -> None:
    source = render(document())
    assert source.isascii()
    (tmp_path / "sheet.tex").write_text(source, "ascii")
    run = subprocess.run(
        [tool(engine), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=240,
        check=False,
    )
    log = (tmp_path / "sheet.log").read_text("utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    assert [line for line in log.splitlines() if TROUBLE.search(line)] == []
    assert (tmp_path / "sheet.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("engine", ENGINES)
def test_the_page_says_what_the_document_says(tool: Callable[[str], str], tmp_path: Path, engine: str) -> None:
    (tmp_path / "sheet.tex").write_text(render(rich()), "ascii")
    subprocess.run([tool(engine), "-interaction=batchmode", "sheet.tex"], cwd=tmp_path, capture_output=True, timeout=240, check=True)
    text = subprocess.run([tool("pdftotext"), "-layout", "sheet.pdf", "-"], cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    for words in (
        "Backpropagation through a residual MLP",
        "MARKING",
        "chain rule along both paths",
        "2.1.1",
        "refuted",
        "3 marks",
        "1.17",
        "50% & more",
    ):
        assert words in text
    title = subprocess.run([tool("pdfinfo"), "sheet.pdf"], cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    assert "Backpropagation through a residual MLP" in title


def test_hostile_text_is_escaped() -> None:
    source = render(evil())
    body = source.split(r"\begin{document}")[1]
    assert r"\textless{}script\textgreater{}" in body
    assert not re.search(r"(?<!\\)[$](?!\S)", body.replace(r"\$", ""))
    assert r"\x " not in body


@pytest.mark.parametrize("tex", FORMULAS)
def test_a_strict_reader_takes_every_formula(tex: str) -> None:
    import math_core

    math_core.LatexToMathML().convert_with_local_state(canonical(tex), displaystyle=True)


def test_columns_share_the_line() -> None:
    assert _shares([3.0, 5.0], 10.0) == [3.0, 5.0]
    shares = _shares([2.0, 30.0, 40.0], 20.0)
    assert shares[0] == pytest.approx(2.0, abs=1e-6) and shares[1] == pytest.approx(9.0, abs=1e-6) and sum(shares) <= 20
