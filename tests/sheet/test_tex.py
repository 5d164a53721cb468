from __future__ import annotations

import pytest

from symgrad.language.errors import SpecError
from symgrad.sheet import symbols as S
from symgrad.sheet.breaking import pieces, width
from symgrad.sheet.tex import MAX_DEPTH, MAX_LENGTH, check_tex, escape_tex, parse, write

from .sample import EVIL, FACTORED, FORMULAS, ONE_PATH, TWO_PATHS

REFUSED = [
    (r"\input{/etc/passwd}", r"\input is not admitted"),
    (r"\write18{ls}", r"\write"),
    (r"\def\x{1}", r"\def"),
    (r"\csname x\endcsname", r"\csname"),
    ("$x$", "'$' is not admitted"),
    ("x % y", "'%'"),
    ("#1", "'#'"),
    ("^^41", "the superscript is missing"),
    (r"\catcode`\%=12", r"\catcode"),
    ("a\x00b", "U+0000"),
    ("a\x1bb", "U+001B"),
    (r"\text{a$b$}", "'$' is not admitted in \\text"),
    (r"\text{\input x}", "'\\\\' is not admitted in \\text"),
    (r"\frac{a}{b", "never closed"),
    ("a}", "closes nothing"),
    ("{a", "never closed"),
    (r"\frac{a}", "missing"),
    (r"\left( a", r"\left without \right"),
    (r"a \right)", "closes nothing"),
    (r"\left x y \right)", "no delimiter"),
    ("a & b", "closes nothing"),
    (r"a \\ b", "closes nothing"),
    (r"\begin{aligned} a &= b \end{aligned}", "one formula a line"),
    (r"\begin{verbatim} a \end{verbatim}", "verbatim"),
    (r"\begin{matrix} a \end{pmatrix}", "another name"),
    (r"\begin{matrix} a & b \\ c \end{matrix}", "2, 1 cells"),
    (r"\begin{matrix} a \\[9cm] b \end{matrix}", "takes no option"),
    (r"\begin{array}{|c|} a \end{array}", "'|' is not admitted in array"),
    (r"x_1_2", "second subscript"),
    ("x^1^2", "second superscript"),
    ("x^12", "{12}"),
    (r"\frac123", "{123}"),
    (r"\frac a12", "{12}"),
    (r"\boxed{x}", "framed"),
    (r"\foo", r"\foo"),
    ("", "empty"),
    ("  ", "empty"),
    ("x_", "missing"),
    (r"\mathrm{\x}", "not admitted in \\mathrm"),
    (r"\mathbf{\frac{a}{b}}", "letters and digits"),
    (r"x \limits_1", "large operator"),
    (r"\displaystyle_1", "no index"),
    (r"\bar{x}\limits_1", "large operator"),
    ("中", "not admitted"),
    (r"\textcolor{#fff}{x}", "not admitted in \\textcolor"),
    (r"\textcolor{pink}{x}", "the colours are"),
    (r"\href{http://x}{y}", r"\href"),
    (r"\tag{1}", "number their steps"),
    ("x" * (MAX_LENGTH + 1), "at most"),
    ("{" * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1), "deep"),
    (r"\not=", r"\neq"),
    ("\\", "not admitted"),
    ('"', "not admitted"),
    ("`", "not admitted"),
]


@pytest.mark.parametrize(("tex", "why"), REFUSED, ids=lambda x: repr(x)[:30])
def test_what_is_refused_is_named(tex: str, why: str) -> None:
    with pytest.raises(SpecError) as caught:
        check_tex(tex)
    assert why in str(caught.value)


def test_a_refusal_names_the_column() -> None:
    with pytest.raises(SpecError, match="column 7: .*input"):
        check_tex(r"a + b \input{x}")


@pytest.mark.parametrize("tex", [*FORMULAS, "x'", "f''_{i}^{2}", r"\|x\|", r"\operatorname*{argmax}_x f", "α ≤ β − 1", "Aᵀ", r"a~b"])
def test_canonical_form_is_a_fixed_point(tex: str) -> None:
    once = write(parse(tex))
    assert write(parse(once)) == once
    assert once.isascii()


def test_canonical_form_reads_as_in_tex() -> None:
    assert write(parse("x_1^2")) == "x _{1}^{2}"
    assert write(parse("f''_i^2")) == "f''^{2} _{i}"
    assert write(parse(r"\frac12 x")) == r"\frac{1}{2} x" and write(parse(r"\tfrac34")) == r"\tfrac{3}{4}"
    assert write(parse(r"\frac ab")) == r"\frac{a}{b}"
    assert write(parse(r"\mathbf{\sigma}")) == r"\boldsymbol{\sigma}"
    assert write(parse(r"\mathbf{W}")) == r"\mathbf{W}"
    assert write(parse(r"\begin{matrix} a \\ [b] \end{matrix}")) == r"\begin{matrix} a \\ {}[b] \end{matrix}"
    assert write(parse("α ≤ 2.5")) == r"\alpha \leq 2.5"


@pytest.mark.parametrize("symbol", sorted(S.SYMBOLS))
def test_a_strict_reader_knows_every_symbol(symbol: str) -> None:
    import math_core

    math_core.LatexToMathML().convert_with_local_state(f"a {symbol} b", displaystyle=True)


def test_pieces_are_the_formula() -> None:
    for tex in FORMULAS:
        whole = write(parse(tex)).replace(" ", "").replace("{}", "")
        cut = "".join(p.tex for p in pieces(tex, 5)).replace(" ", "").replace("{}", "").replace(r"\right.", "").replace(r"\left.", "")
        assert cut == whole or cut == whole.removeprefix("{").removesuffix("}")
        assert [p.tex for p in pieces(tex, 1e9)] == [write(parse(tex))]


def test_a_sum_is_cut_before_its_terms_and_factors() -> None:
    cut = pieces(TWO_PATHS, 20)
    assert [p.strong for p in cut] == [True, *[False] * 6, True, *[False] * 6]
    assert cut[7].tex.startswith("{} + ") and cut[1].tex.startswith(r"{} \cdot ")
    assert any(p.tex.endswith(r"\right.") or r"\right." in p.tex for p in pieces(FACTORED, 20)), "the wide parentheses are opened"
    assert all(not p.strong for p in pieces("a - -3", 100)[1:])


def test_a_sign_is_no_place_for_a_break() -> None:
    assert [p.tex for p in pieces(r"-a = -b \cdot -c + (d - e)", 1)] == ["- a", "{} = - b", r"{} \cdot - c", "{} + (d - e)"]


def test_width_grows_with_the_formula() -> None:
    assert 10 < width(parse(ONE_PATH)) < 40
    assert width(parse(TWO_PATHS)) > 1.9 * width(parse(ONE_PATH))


def test_text_is_escaped_for_latex() -> None:
    assert escape_tex("50% & $x_1$ #{} ~^\\") == (r"50\% \& \$x\_1\$ \#\{\} \textasciitilde{}\textasciicircum{}\textbackslash{}")
    assert escape_tex("é ü ñ Łódź") == r"\'{e} \"{u} \~{n} \L{}\'{o}d\'{z}"
    assert escape_tex("a -- b") == "a -{}- b"
    assert escape_tex("≥ Ω −") == r"\ensuremath{\geq} \ensuremath{\Omega} \ensuremath{-}"
    assert escape_tex("中") == r"{\normalfont\ttfamily [U+4E2D]}"
    assert escape_tex(EVIL).isascii()
